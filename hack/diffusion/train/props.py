"""Things that stand in a scene beside the product: each is drawn as one picture with alpha.

`draw_prop` returns a Pillow RGBA picture in which the thing touches the lower edge. Drawn three times too large and
reduced, so edges are smooth. Shading is a cylinder's, turned to the light.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

OVERSAMPLE = 3
Canvas = ImageDraw.ImageDraw
HEIGHTS = {"plant": 0.46, "candle": 0.30, "vase": 0.42, "books": 0.20, "stones": 0.24, "oranges": 0.17}
"""Height of each thing as a share of the square root of the picture's area."""
WIDTHS = {"plant": 0.85, "candle": 0.55, "vase": 0.62, "books": 1.7, "stones": 1.0, "oranges": 1.75}
"""Width of each picture as a share of its height."""


def _rgb(colour: str, rng: np.random.Generator, spread: float = 14) -> tuple[int, int, int]:
    base = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    r, g, b = np.clip(base + rng.normal(0, spread * 0.4, 3) + rng.normal(0, spread * 0.5), 0, 255).astype(int)
    return int(r), int(g), int(b)


def _leaf(canvas: Canvas, root: tuple[float, float], tip: tuple[float, float], colour: tuple[int, int, int]) -> None:
    (x0, y0), (x1, y1) = root, tip
    dx, dy = x1 - x0, y1 - y0
    outline = []
    for along, wide in ((0, 0), (0.3, 0.15), (0.55, 0.19), (0.8, 0.12), (1, 0)):
        outline.append((x0 + dx * along - dy * wide, y0 + dy * along + dx * wide))
    for along, wide in ((0.8, -0.12), (0.55, -0.19), (0.3, -0.15)):
        outline.append((x0 + dx * along - dy * wide, y0 + dy * along + dx * wide))
    canvas.polygon(outline, fill=colour)
    canvas.line([root, tip], fill=tuple(int(c * 0.75) for c in colour), width=2)


def _plant(canvas: Canvas, w: int, h: int, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(16, 24))):
        angle, length = rng.uniform(-1.35, 1.35), rng.uniform(0.3, 0.62) * h
        root = (w / 2 + rng.uniform(-0.06, 0.06) * w, 0.68 * h)
        tip = (root[0] + np.sin(angle) * length * 0.72, max(0.01 * h, root[1] - np.cos(angle) * length))
        _leaf(canvas, root, tip, _rgb(str(rng.choice(["#3f7a3a", "#2f6a35", "#5c9a4a", "#77ab58"])), rng))
    pot = _rgb(str(rng.choice(["#b5653f", "#d8d2c8", "#8d8f92"])), rng)
    canvas.polygon([(0.3 * w, 0.66 * h), (0.7 * w, 0.66 * h), (0.64 * w, h), (0.36 * w, h)], fill=pot)
    canvas.rectangle([0.28 * w, 0.64 * h, 0.72 * w, 0.71 * h], fill=tuple(int(c * 0.93) for c in pot))


def _candle(canvas: Canvas, w: int, h: int, rng: np.random.Generator) -> None:
    wax = _rgb("#f0e2c4", rng, 8)
    canvas.rounded_rectangle([0.24 * w, 0.36 * h, 0.76 * w, h], radius=int(0.06 * w), fill=wax)
    canvas.ellipse([0.24 * w, 0.32 * h, 0.76 * w, 0.42 * h], fill=(255, 240, 200))
    canvas.line([(0.5 * w, 0.36 * h), (0.5 * w, 0.27 * h)], fill=(60, 45, 35), width=3)
    canvas.polygon(
        [(0.5 * w, 0.06 * h), (0.58 * w, 0.2 * h), (0.55 * w, 0.3 * h), (0.45 * w, 0.3 * h), (0.42 * w, 0.2 * h)],
        fill=(255, 206, 96),
    )
    canvas.ellipse([0.46 * w, 0.16 * h, 0.54 * w, 0.3 * h], fill=(255, 250, 226))


def _vase(canvas: Canvas, w: int, h: int, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(6, 10))):
        angle, length = rng.uniform(-0.55, 0.55), rng.uniform(0.35, 0.55) * h
        tip = (w / 2 + np.sin(angle) * length, max(0.02 * h, 0.56 * h - np.cos(angle) * length))
        canvas.line([(w / 2, 0.56 * h), tip], fill=_rgb("#8a6a44", rng), width=3)
        for along in np.linspace(0.5, 1, 5):
            x, y = w / 2 + (tip[0] - w / 2) * along, 0.56 * h + (tip[1] - 0.56 * h) * along
            size = rng.uniform(0.015, 0.032) * h
            canvas.ellipse([x - size, y - size, x + size, y + size], fill=_rgb("#c79f6a", rng, 20))
    clay = _rgb(str(rng.choice(["#efebe4", "#e6dccb", "#f4f2ef"])), rng, 8)
    canvas.rectangle([0.42 * w, 0.5 * h, 0.58 * w, 0.66 * h], fill=clay)
    canvas.ellipse([0.22 * w, 0.6 * h, 0.78 * w, 1.02 * h], fill=clay)
    canvas.ellipse([0.4 * w, 0.49 * h, 0.6 * w, 0.53 * h], fill=tuple(int(c * 0.6) for c in clay))


def _books(canvas: Canvas, w: int, h: int, rng: np.random.Generator) -> None:
    count = int(rng.integers(3, 5))
    covers = rng.permutation(["#8c2f2b", "#2f4a6d", "#c8b48a", "#3f5a48", "#d9d3c6", "#5b3a52"])
    for index in range(count):
        top, low = h * (1 - (index + 1) / count), h * (1 - index / count)
        left, right = rng.uniform(0.02, 0.12) * w, rng.uniform(0.88, 0.98) * w
        colour = _rgb(str(covers[index]), rng)
        canvas.rectangle([left, top + 1, right, low], fill=colour)
        page = (top + 0.22 * h / count, low - 0.2 * h / count)
        canvas.rectangle([left + 0.12 * w, page[0], right - 0.01 * w, page[1]], fill=(236, 228, 208))
        canvas.rectangle([left, top + 1, left + 0.16 * w, low], fill=colour)


def _stones(canvas: Canvas, w: int, h: int, rng: np.random.Generator) -> None:
    for low, tall, wide in ((1.0, 0.42, 0.98), (0.64, 0.34, 0.72), (0.34, 0.3, 0.48)):
        x, half = w * (0.5 + rng.uniform(-0.04, 0.04)), wide * w / 2
        grey = _rgb(str(rng.choice(["#6d6f73", "#8b8a87", "#55585c"])), rng)
        canvas.ellipse([x - half, (low - tall) * h, x + half, low * h], fill=grey)
        lit = tuple(min(255, int(c * 1.14)) for c in grey)
        canvas.ellipse([x - half * 0.75, (low - tall * 0.96) * h, x + half * 0.75, (low - tall * 0.5) * h], fill=lit)


def _oranges(canvas: Canvas, w: int, h: int, rng: np.random.Generator) -> None:
    for x, size in ((0.24, 0.86), (0.72, 0.98), (0.48, 0.9)):
        radius, centre = size * h / 2, (x * w, h * (1 - size / 2))
        skin = _rgb("#f08a1d", rng)
        for share, gain in ((1, 0.82), (0.86, 0.96), (0.6, 1.06), (0.3, 1.16)):
            r, up = radius * share, radius * (1 - share) * 0.45
            box = [centre[0] - r, centre[1] - r - up, centre[0] + r, centre[1] + r - up]
            canvas.ellipse(box, fill=tuple(min(255, int(c * gain)) for c in skin))


_DRAWERS: dict[str, Callable[[Canvas, int, int, np.random.Generator], None]] = {
    "plant": _plant,
    "candle": _candle,
    "vase": _vase,
    "books": _books,
    "stones": _stones,
    "oranges": _oranges,
}


def draw_prop(name: str, height: int, lit_from: float, rng: np.random.Generator) -> Image.Image:
    """One thing, `height` pixels high, RGBA with colours multiplied by alpha, so that it may be blurred.

    lit_from: -1 light from the left, 1 from the right, 0 from above.
    """
    w, h = int(height * WIDTHS[name]) * OVERSAMPLE, height * OVERSAMPLE
    picture = Image.new("RGBA", (w, h))
    _DRAWERS[name](ImageDraw.Draw(picture), w, h, rng)
    pixels = np.asarray(picture.reduce(OVERSAMPLE), np.float32)
    across = np.linspace(-1, 1, pixels.shape[1], dtype=np.float32)
    shade = np.clip(0.95 - 0.22 * across**2 + 0.42 * lit_from * across, 0.4, 1.3)[None, :, None]
    lit = np.clip(pixels[..., :3] * (1 if name == "candle" else shade), 0, 255)
    alpha = pixels[..., 3:]
    return Image.fromarray(np.concatenate([lit * alpha / 255, alpha], axis=2).astype(np.uint8))
