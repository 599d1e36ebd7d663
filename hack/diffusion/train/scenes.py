"""Renders a `Scene` as a photographer's empty set: surface, wall, light, one thing beside; room in the middle.

Pure: `render(scene, (width, height), rng)` gives uint8 RGB [height, width, 3] and the same for the same generator
state. All light is linear until the last line. About 10 ms a scene on one core.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from captions import Scene
from props import HEIGHTS, draw_prop
from textures import SHEEN, SIZE, VARIANTS, linear, plaster, surface

WALL_COLOURS = {
    "white": "#efeeec",
    "beige": "#dcc9ab",
    "grey": "#9a9b9d",
    "sage": "#93a986",
    "blue": "#8fbbe0",
    "pink": "#e8b3b8",
    "terracotta": "#c4633a",
    "navy": "#1f3263",
    "yellow": "#ecc245",
    "charcoal": "#2b2b2e",
}
WARMTH = {"warm": (1.15, 1.0, 0.76), "neutral": (1.0, 1.0, 1.0), "cool": (0.82, 0.98, 1.18)}
SIDES = {"left": -1.0, "right": 1.0, "above": 0.0}
Field = np.ndarray


@dataclass(frozen=True)
class Stage:
    """The picture's geometry: x, y are fields of pixel centres, 0..1; `edge` is where the surface ends."""

    x: Field
    y: Field
    edge: float
    vanish: float
    aspect: float
    side: float

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.x.shape
        return width, height


def _stage(scene: Scene, size: tuple[int, int], rng: np.random.Generator) -> Stage:
    width, height = size
    xs = (np.arange(width, dtype=np.float32) + 0.5) / width
    ys = (np.arange(height, dtype=np.float32) + 0.5) / height
    x, y = np.meshgrid(xs, ys)
    high = scene.angle == "high"
    edge = float(rng.uniform(0.24, 0.36) if high else rng.uniform(0.58, 0.70))
    vanish = edge - float(rng.uniform(0.45, 0.7) if high else rng.uniform(0.07, 0.13))
    return Stage(x, y, edge, vanish, width / height, SIDES[scene.side])


def _smooth(low: float, high: float, value: Field) -> Field:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _sample(texture: Field, u: Field, v: Field) -> Field:
    """Bilinear look-up of a tileable texture; u and v in tiles."""
    px, py = u * SIZE, v * SIZE
    x0, y0 = np.floor(px), np.floor(py)
    fx, fy = (px - x0)[..., None], (py - y0)[..., None]
    xi, yi = x0.astype(np.int32) % SIZE, y0.astype(np.int32) % SIZE
    xj, yj = (xi + 1) % SIZE, (yi + 1) % SIZE
    top = texture[yi, xi] * (1 - fx) + texture[yi, xj] * fx
    low = texture[yj, xi] * (1 - fx) + texture[yj, xj] * fx
    return top * (1 - fy) + low * fy


def _floor(scene: Scene, stage: Stage, rng: np.random.Generator) -> Field:
    """Albedo of the surface on the rows below its edge; far detail melts into the mean as a lens would blur it."""
    rows = stage.y[:, 0] >= stage.edge
    x, y = stage.x[rows], stage.y[rows]
    depth = (1 - stage.vanish) / (y - stage.vanish)
    across, along = (x - 0.5) * stage.aspect * depth * 0.62, depth * 0.62 * (1 - stage.vanish)
    turn = rng.uniform(-0.25, 0.25)
    u = np.cos(turn) * across - np.sin(turn) * along + rng.random()
    v = np.sin(turn) * across + np.cos(turn) * along + rng.random()
    texture = surface(scene.surface, int(rng.integers(VARIANTS)))
    detail = _sample(texture, u.astype(np.float32), v.astype(np.float32))
    mean = texture.mean(axis=(0, 1))
    keep = (0.25 + 0.75 * _smooth(stage.edge, stage.edge + 0.22, y))[..., None]
    return mean + (detail - mean) * keep


def _wall(scene: Scene, stage: Stage, rng: np.random.Generator) -> Field:
    tone = linear(WALL_COLOURS[scene.wall]) * rng.uniform(0.93, 1.07, 3).astype(np.float32)
    texture = plaster(int(rng.integers(VARIANTS)))[..., None]
    u, v = stage.x * stage.aspect * 0.8 + rng.random(), stage.y * 0.8 + rng.random()
    return _sample(texture, u.astype(np.float32), v.astype(np.float32)) * tone


def _key_light(stage: Stage, rng: np.random.Generator) -> Field:
    """How much light falls on each place: a soft pool at the lamp's side, its fall across the picture."""
    reach = float(rng.uniform(0.9, 1.1))
    if stage.side == 0:
        pool = np.exp(-(((stage.x - 0.5) / 0.36) ** 2) - ((stage.y - 0.1) / (0.75 * reach)) ** 2)
        return (0.42 + 0.85 * pool).astype(np.float32)
    towards = stage.x if stage.side > 0 else 1 - stage.x
    fall = 0.34 + 0.95 * towards**1.3 * reach
    pool = np.exp(-(((towards - 0.95) / 0.4) ** 2) - ((stage.y - 0.35) / 0.5) ** 2)
    return (fall + 0.3 * pool).astype(np.float32)


def _window(stage: Stage, rng: np.random.Generator) -> Field:
    """Sun through a window with bars: a slanted lattice of light, as a factor on the light."""
    lean = (stage.side or rng.choice([-1, 1])) * rng.uniform(0.25, 0.6)
    s = (stage.x - rng.uniform(0.3, 0.7)) * stage.aspect + lean * stage.y
    t = stage.y - rng.uniform(0.3, 0.42) + 0.12 * lean * stage.x
    pane, tall, bar, soft = rng.uniform(0.17, 0.24), rng.uniform(0.17, 0.23), 0.028, 0.02
    near_s, near_t = np.abs((s / pane) % 1 - 0.5) * pane, np.abs((t / tall) % 1 - 0.5) * tall
    lattice = _smooth(bar - soft, bar + soft, pane / 2 - near_s) * _smooth(bar - soft, bar + soft, tall / 2 - near_t)
    frame = _smooth(pane * 1.5 + soft, pane * 1.5 - soft, np.abs(s - pane / 2)) * _smooth(
        tall * 1.5 + soft, tall * 1.5 - soft, np.abs(t)
    )
    return (0.62 + 0.95 * lattice * frame).astype(np.float32)


def _bokeh(stage: Stage, rng: np.random.Generator) -> Field:
    """Lamps far out of focus: discs with a brighter rim, as light that is added to the wall."""
    glow = np.zeros((*stage.x.shape, 3), np.float32)
    width, height = stage.size
    scale = np.sqrt(width * height)
    for _ in range(int(rng.integers(14, 26))):
        radius = rng.uniform(0.022, 0.055) * scale
        cx, cy = rng.uniform(0, width), rng.uniform(0, stage.edge * height * 0.95)
        x0, x1 = max(0, int(cx - radius - 2)), min(width, int(cx + radius + 3))
        y0, y1 = max(0, int(cy - radius - 2)), min(height, int(cy + radius + 3))
        if x0 >= x1 or y0 >= y1:
            continue
        yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        far = np.hypot(xx + 0.5 - cx, yy + 0.5 - cy) / radius
        disc = _smooth(1.08, 0.92, far) * (0.7 + 0.3 * _smooth(0.6, 0.95, far))
        colour = np.array([1, rng.uniform(0.68, 0.92), rng.uniform(0.35, 0.75)], np.float32)
        glow[y0:y1, x0:x1] += disc[..., None] * colour * rng.uniform(0.18, 0.5)
    return glow


def _background(scene: Scene, stage: Stage, rng: np.random.Generator) -> tuple[Field, Field]:
    """Radiance of wall and surface together, and the light that fell on them."""
    light = _key_light(stage, rng)
    if scene.pattern == "window":
        light = light * _window(stage, rng)
    wall = _wall(scene, stage, rng)
    picture = wall * light[..., None]
    if scene.pattern == "bokeh":
        picture = picture * 0.62 + _bokeh(stage, rng)
    rows = stage.y[:, 0] >= stage.edge
    first = int(np.argmax(rows))
    back = picture[max(0, first - 24) : max(1, first - 4)].mean(axis=0, keepdims=True)
    grazing = SHEEN.get(scene.surface, 0.03) * _smooth(stage.edge + 0.35, stage.edge, stage.y[rows])[..., None]
    gap = 1 - 0.45 * np.exp(-np.maximum(stage.y[rows] - stage.edge, 0) / 0.03)
    picture[rows] = (_floor(scene, stage, rng) * (light[rows] * gap)[..., None]) * (1 - grazing) + back * grazing
    dim = 1 - 0.25 * np.exp(-np.abs(stage.y[~rows] - stage.edge) / 0.05)
    picture[~rows] *= dim[..., None]
    return picture, light


def _blurred(mask: Field, radius: float) -> Field:
    soft = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(soft, np.float32) / 255


def _shadow(stage: Stage, box: tuple[int, int, int, int], alpha: Field) -> Field:
    """What a thing takes from the light, 0..1: contact below it, a cast to the far side, its outline on the wall."""
    width, height = stage.size
    left, top, right, low = box
    wide, tall = right - left, low - top
    cx = (left + right) / 2 - stage.side * tall * 0.34
    xx, yy = stage.x * width, stage.y * height
    cast = np.exp(-(((xx - cx) / (wide * 0.34 + tall * 0.3 * abs(stage.side))) ** 2) - ((yy - low) / (tall * 0.09)) ** 2)
    contact = np.exp(-(((xx - (left + right) / 2) / (wide * 0.42)) ** 2) - ((yy - low) / (tall * 0.04 + 1)) ** 2)
    shift = int(-stage.side * tall * 0.3)
    outline = np.roll(alpha, (int(tall * 0.08), shift), (0, 1)) * (stage.y < stage.edge)
    return np.maximum(0.55 * cast, 0.7 * contact) * (stage.y >= stage.edge) + 0.38 * _blurred(outline, tall * 0.05)


def _place_prop(scene: Scene, stage: Stage, picture: Field, rng: np.random.Generator) -> Field:
    width, height = stage.size
    scale = np.sqrt(width * height)
    thing = draw_prop(scene.prop, int(HEIGHTS[scene.prop] * scale * rng.uniform(0.88, 1.12)), stage.side, rng)
    centre = rng.uniform(0.12, 0.2)
    cx = width * (centre if scene.prop_side == "left" else 1 - centre)
    foot = stage.edge + (1 - stage.edge) * rng.uniform(0.12, 0.34)
    left, top = int(cx - thing.width / 2), int(foot * height - thing.height)
    layer = Image.new("RGBA", (width, height))
    layer.paste(thing, (left, top))
    layer = layer.filter(ImageFilter.GaussianBlur(0.7))
    pixels = np.asarray(layer, np.float32) / 255
    alpha = pixels[..., 3]
    shadow = _shadow(stage, (left, top, left + thing.width, top + thing.height), alpha)
    shaded = picture * (1 - np.clip(shadow, 0, 0.85))[..., None]
    if scene.prop == "candle":
        far = np.hypot(stage.x * width - cx, stage.y * height - top - 0.18 * thing.height) / scale
        shaded = shaded * (1 + 0.9 * np.exp(-((far / 0.2) ** 2)))[..., None] + np.exp(-((far / 0.05) ** 2))[
            ..., None
        ] * np.array([0.5, 0.3, 0.1], np.float32)
    colour = (pixels[..., :3] / np.maximum(alpha, 1 / 255)[..., None]).clip(0, 1) ** 2.2
    return shaded * (1 - alpha[..., None]) + colour * 0.95 * alpha[..., None]


def _develop(picture: Field, rng: np.random.Generator) -> Field:
    """Exposure, a soft shoulder, sRGB, a little grain: uint8."""
    exposed = picture * rng.uniform(1.06, 1.24)
    shoulder = np.where(exposed > 0.75, 0.75 + 0.25 * np.tanh((exposed - 0.75) / 0.25 * 0.8), exposed)
    srgb = np.maximum(shoulder, 0) ** np.float32(1 / 2.2)
    grain = rng.standard_normal(picture.shape[:2], dtype=np.float32)[..., None] * 0.006
    return ((srgb + grain) * 255 + 0.5).clip(0, 255).astype(np.uint8)


def render(scene: Scene, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """size: (width, height) in pixels."""
    stage = _stage(scene, size, rng)
    picture, _ = _background(scene, stage, rng)
    if scene.prop != "none":
        picture = _place_prop(scene, stage, picture, rng)
    tinted = picture * np.array(WARMTH[scene.warmth], np.float32)
    soft_edge = (1 - np.hypot(stage.x - 0.5, stage.y - 0.5) ** 2 * 0.35)[..., None]
    return _develop((tinted * soft_edge).astype(np.float32), rng)
