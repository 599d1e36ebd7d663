"""Example pictures and masks for the golden pictures: drawn by formulas, small."""

import numpy as np

SIZES = {"": (64, 64), "-wide": (96, 64), "large": (112, 96)}


def pictures() -> dict[str, np.ndarray]:
    """Name to uint8 of [height, width, 3], or [height, width] for masks (255 is painted)."""
    drawn: dict[str, np.ndarray] = {}
    for suffix in ("", "-wide"):
        size = SIZES[suffix]
        drawn[f"scene{suffix}"] = _scene(*size)
        # All but a product in the middle.
        drawn[f"ring{suffix}"] = _mask(_distance(*size, 0.5, 0.55) > 16)
        drawn[f"soft{suffix}"] = _ramp(_distance(*size, 0.5, 0.55) - 16)
    large = SIZES["large"]
    drawn["large"] = _scene(*large)
    # With 12 pixels round it: 64 x 64.
    drawn["spot"] = np.zeros((large[1], large[0]), np.uint8)
    drawn["spot"][20:60, 40:80] = 255
    drawn["blob"] = _ramp(14 - _distance(*large, 0.7, 0.3))
    return drawn


def _grid(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)


def _distance(width: int, height: int, at_x: float, at_y: float) -> np.ndarray:
    x, y = _grid(width, height)
    return np.hypot(x - at_x * width, y - at_y * height)


def _mask(painted: np.ndarray) -> np.ndarray:
    return painted.astype(np.uint8) * 255


def _ramp(distance: np.ndarray) -> np.ndarray:
    """0 to 255 within 4 pixels on either side of the edge."""
    return np.clip(127.5 + distance * 32, 0, 255).round().astype(np.uint8)


def _scene(width: int, height: int) -> np.ndarray:
    """A mug on a table: a wall that grows lighter, a striped table, a disc with a lit side."""
    x, y = _grid(width, height)
    picture = np.stack([150 + 60 * y / height, 140 + 70 * x / width, 170 - 40 * y / height], -1)
    table = y > 0.65 * height
    picture[table] = (np.stack([120 + 25 * np.sin(x / 3), 90 + 20 * np.sin(x / 3), 60 + 0 * x], -1))[table]
    disc = _distance(width, height, 0.5, 0.55) < 15
    lit = 0.6 + 0.4 * np.clip((x / width - 0.5) * 4, -1, 1)
    picture[disc] = (np.stack([200 * lit, 40 * lit, 50 * lit], -1))[disc]
    return np.clip(picture, 0, 255).round().astype(np.uint8)
