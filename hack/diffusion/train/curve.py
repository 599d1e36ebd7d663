"""Draws the loss of a training from its log as a small SVG for the model card.

    python curve.py --work DIR --to loss.svg
"""

import argparse
import json
from pathlib import Path

from export import OWN_FOLDER

WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 150, 44, 26, 20
PANELS = (("text", "loss", "text encoder: cross entropy"), ("vae", "levels", "VAE: levels of 255"), ("unet", "loss", "UNet: v error"))


def points(lines: list[dict], stage: str, value: str) -> list[tuple[float, float]]:
    """(step, value) of one stage, in order; a step that was trained twice after a stop counts as last told."""
    told = {line["step"]: line[value] for line in lines if line.get("stage") == stage}
    return sorted(told.items())


def _panel(told: list[tuple[float, float]], title: str, offset: int) -> str:
    steps, values = [step for step, _ in told], sorted(value for _, value in told)
    # The first values dwarf the rest: the scale ends where a twentieth of them lies above.
    low, high = values[0], values[int(0.95 * (len(values) - 1))]
    span, last = (high - low) or 1, steps[-1] or 1

    def place(step: float, value: float) -> str:
        y = TOP + HEIGHT * (1 - (min(value, high) - low) / span)
        return f"{LEFT + offset + WIDTH * step / last:.1f},{y:.1f}"

    line = " ".join(place(step, value) for step, value in told)
    x, base = LEFT + offset, TOP + HEIGHT
    return (
        f'<text x="{x}" y="{TOP - 10}">{title}</text>'
        f'<path d="M{x},{TOP}V{base}H{x + WIDTH}" fill="none" stroke="#999"/>'
        f'<text x="{x - 4}" y="{TOP + 4}" text-anchor="end">{high:.2f}</text>'
        f'<text x="{x - 4}" y="{base}" text-anchor="end">{low:.2f}</text>'
        f'<text x="{x + WIDTH}" y="{base + 14}" text-anchor="end">step {last:.0f}</text>'
        f'<polyline points="{line}" fill="none" stroke="#2266aa" stroke-width="1.3"/>'
    )


def drawn(lines: list[dict]) -> str:
    """The whole SVG: one panel a stage, side by side."""
    step = WIDTH + LEFT + GAP
    told = [(points(lines, stage, value), title) for stage, value, title in PANELS]
    panels = "".join(_panel(some, title, index * step) for index, (some, title) in enumerate(told) if some)
    size = f'width="{len(PANELS) * step}" height="{TOP + HEIGHT + 24}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/>{panels}</svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="the folder that train.py worked in")
    parser.add_argument("--to", type=Path, default=OWN_FOLDER / "loss.svg")
    asked = parser.parse_args()
    lines = [json.loads(line) for line in (asked.work / "train.jsonl").read_text().splitlines()]
    asked.to.write_text(drawn(lines))


if __name__ == "__main__":
    main()
