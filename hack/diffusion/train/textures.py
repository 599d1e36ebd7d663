"""Surfaces of the scenes as tileable pictures: linear-light albedo, float32 [512, 512, 3], a few of each kind.

They are drawn once per process from fixed seeds; scenes.py samples them in perspective.
"""

from functools import cache

import numpy as np

SIZE = 512
VARIANTS = 3
Field = np.ndarray


def fractal(rng: np.random.Generator, slope: float, stretch: tuple[float, float] = (1, 1)) -> Field:
    """Tileable noise of mean 0 and deviation 1 whose amplitude falls as 1/frequency^slope.

    stretch: how many times longer the features are along (x, y).
    """
    fy = np.fft.fftfreq(SIZE)[:, None] * SIZE * stretch[1]
    fx = np.fft.rfftfreq(SIZE)[None, :] * SIZE * stretch[0]
    weight = 1 / np.maximum(np.hypot(fx, fy), 1) ** slope
    weight[0, 0] = 0
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * weight
    field = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return (field / field.std()).astype(np.float32)


def linear(colour: str) -> np.ndarray:
    """'#rrggbb' as linear light, float32 [3], 0..1."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _ramp(field: Field, dark: str, light: str) -> Field:
    share = np.clip(field, 0, 1)[..., None]
    return linear(dark) * (1 - share) + linear(light) * share


def _grid() -> tuple[Field, Field]:
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    return np.meshgrid(axis, axis)


def _wood(rng: np.random.Generator, dark: str, light: str) -> Field:
    _, v = _grid()
    wander = fractal(rng, 2.2, (5, 1))
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * v + 0.55 * wander))
    fibre = fractal(rng, 0.8, (30, 1))
    boards = (np.floor(v * 4) * 0.37) % 1 - 0.4
    seams = np.abs((v * 4 + 0.5) % 1 - 0.5) < 0.012
    field = 0.5 + 0.34 * (rings - 0.5) + 0.11 * fibre + 0.25 * boards
    return _ramp(field, dark, light) * np.where(seams, 0.45, 1)[..., None].astype(np.float32)


def _marble(rng: np.random.Generator, ground: str, vein: str) -> Field:
    wide, fine = fractal(rng, 2.0), fractal(rng, 1.7)
    body = 0.16 * np.abs(fractal(rng, 1.8))
    veins = 0.85 * np.exp(-np.abs(wide) / 0.055) + 0.45 * np.exp(-np.abs(fine) / 0.03)
    return _ramp(body + veins * np.clip(0.6 + 0.5 * fractal(rng, 2.0), 0.1, 1), ground, vein)


def _concrete(rng: np.random.Generator) -> Field:
    pores = fractal(rng, 0.7) > 2.3
    field = 0.5 + 0.17 * fractal(rng, 1.5) + 0.06 * fractal(rng, 0.4)
    return _ramp(field, "#6f7072", "#b4b4b2") * np.where(pores, 0.6, 1)[..., None].astype(np.float32)


def _linen(rng: np.random.Generator) -> Field:
    u, v = _grid()
    threads = 40
    warp = np.sin(2 * np.pi * threads * u + 0.6 * fractal(rng, 1.2))
    weft = np.sin(2 * np.pi * threads * v + 0.6 * fractal(rng, 1.2))
    folds = fractal(rng, 2.4, (1, 2.5))
    slubs = fractal(rng, 0.6, (20, 1)) + fractal(rng, 0.6, (1, 20))
    return _ramp(0.55 + 0.14 * warp * weft + 0.08 * slubs + 0.17 * folds, "#a8987c", "#eadfca")


def _sand(rng: np.random.Generator) -> Field:
    _, v = _grid()
    ripples = np.sin(2 * np.pi * (11 * v + 0.5 * fractal(rng, 2.2, (2, 1))))
    field = 0.55 + 0.2 * ripples + 0.12 * fractal(rng, 0.3) + 0.1 * fractal(rng, 1.6)
    return _ramp(field, "#a97f45", "#eecb8c")


_MAKERS = {
    "oak": lambda rng: _wood(rng, "#a87d4c", "#e0bd8a"),
    "walnut": lambda rng: _wood(rng, "#2f1b11", "#75492d"),
    "white-marble": lambda rng: _marble(rng, "#efedea", "#85868a"),
    "black-marble": lambda rng: _marble(rng, "#17171a", "#c9c6c0"),
    "green-marble": lambda rng: _marble(rng, "#144a37", "#b6d0bd"),
    "concrete": _concrete,
    "linen": _linen,
    "sand": _sand,
}

SHEEN = {"white-marble": 0.30, "black-marble": 0.30, "green-marble": 0.30, "walnut": 0.12, "oak": 0.10}
"""How much of the wall a surface mirrors at a grazing look."""


@cache
def surface(name: str, variant: int) -> Field:
    """The albedo of one surface. `variant` is 0..VARIANTS-1."""
    seed = [7, sorted(_MAKERS).index(name), variant]
    return _MAKERS[name](np.random.default_rng(seed)).astype(np.float32)


@cache
def plaster(variant: int) -> Field:
    """A wall's brightness round 1, float32 [SIZE, SIZE]."""
    rng = np.random.default_rng([11, variant])
    return 1 + 0.05 * fractal(rng, 1.7) + 0.012 * fractal(rng, 0.6)
