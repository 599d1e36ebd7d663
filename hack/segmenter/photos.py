"""Photos with exact mattes from rendered layers, never twice the same: before other places, in other light, as a
camera and a JPEG leave them, and cut as the runner looks at them (the whole photo, or close round the product)."""

import io
import json
import pathlib
import random

import numpy as np
from PIL import Image, ImageFilter

# The level (linear) at which the brightest three percent of a photo begin, as the evaluation develops its own.
EXPOSURES = {"white-on-white": 0.88, "black-on-black": 0.2}
EXPOSURE = 0.7
SHOULDER = 0.75
LUMINANCE = np.array([0.21, 0.72, 0.07], np.float32)
# Places without things that might be products.
BARE = ("sweep", "wood", "tiles", "window")
MARGIN = 0.08
# The runner looks at the whole photo at one size and close round the product at another, or a larger one where the
# photo has the pixels for it, and so mostly does this.
WHOLE_SIDE, CLOSER_SIDE, LARGE_SIDE = 512, 640, 832
CLOSE_SHARE = {WHOLE_SIDE: 0.15, CLOSER_SIDE: 0.9, LARGE_SIDE: 1}


class Layers:
    """One rendered picture in memory as halves: product [h, w, 4] premultiplied linear light, plate [h, w, 3]."""

    def __init__(self, folder, number):
        self.about = about = json.loads((folder / f"{number}.rendered.json").read_text())
        read = lambda name, wide, high: np.fromfile(folder / f"{number}.{name}.f32", np.float32).reshape(high, wide, 4)[::-1]
        self.product = read("product", about["width"], about["height"]).astype(np.float16)
        self.plate = read("plate", about["plateWidth"], about["plateHeight"])[..., :3].astype(np.float16)


class Place:
    """A rendered place without a product: plate [h, w, 3], linear light."""

    def __init__(self, folder, number):
        self.about = about = json.loads((folder / f"{number}.empty.json").read_text())
        values = np.fromfile(folder / f"{number}.empty.f32", np.float32).reshape(about["plateHeight"], about["plateWidth"], 4)
        self.plate = values[::-1, :, :3].astype(np.float16)


class Real:
    """A photo with the published network's own matte of it: its edges are no truth, what the product is counts."""

    def __init__(self, path):
        self.photo = np.asarray(Image.open(path))
        self.matte = np.asarray(Image.open(str(path).replace(".photo.", ".matte.")))


def load_real(folder):
    return [Real(path) for path in sorted(pathlib.Path(folder).glob("*.photo.png"))]


class RealPlace:
    """A real photo without a product, as a place for rendered ones: plate [h, w, 3], linear light."""

    about = {"background": "real"}

    def __init__(self, path):
        level = np.asarray(Image.open(path), np.float32) / 255
        self.plate = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float16)


def load_real_places(folder):
    return [RealPlace(path) for path in sorted(pathlib.Path(folder).glob("place-*.photo.png"))]


def _numbers(folder, suffix):
    return sorted(int(path.name.split(".")[0]) for path in folder.glob(f"*.{suffix}.json"))


def load(folder):
    """All pictures that are rendered, by number, and all empty places."""
    folder = pathlib.Path(folder)
    pictures = {number: Layers(folder, number) for number in _numbers(folder, "rendered")}
    return pictures, [Place(folder, number) for number in _numbers(folder, "empty")]


def _resized(values, size, filter):
    """[h, w, channels] of floats at another size (wide, high)."""
    channel = lambda c: Image.fromarray(np.ascontiguousarray(values[..., c], np.float32)).resize(size, filter)
    return np.stack([np.asarray(channel(c)) for c in range(values.shape[-1])], -1)


def _enlarged(plate, size):
    return _resized(plate, size, Image.BICUBIC)


def _shouldered(light):
    above = 1 - (1 - SHOULDER) * np.exp(np.minimum(0, (SHOULDER - light) / (1 - SHOULDER)))
    return np.where(light <= SHOULDER, np.maximum(0, light), above)


def to_srgb(light):
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _elsewhere(rng, product):
    """The product smaller, and anywhere in the picture."""
    high, wide = product.shape[:2]
    share = rng.uniform(0.3, 1)
    small = _resized(product, (round(wide * share), round(high * share)), Image.BOX)
    out = np.zeros_like(product)
    rows, columns = np.flatnonzero(small[..., 3].max(1) > 0.02), np.flatnonzero(small[..., 3].max(0) > 0.02)
    if len(rows) == 0:
        return product
    small = small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    top, left = rng.randint(0, high - small.shape[0]), rng.randint(0, wide - small.shape[1])
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def _develop(rng, layers, place):
    """The photo in levels [h, w, 3] and its matte [h, w], 0..1."""
    product = layers.product.astype(np.float32)
    # Among other things only its place tells which one is the product.
    is_free = place is not layers and place.about["background"] != "desk" and not layers.about["touchesFrame"]
    if is_free and rng.random() < 0.6:
        product = _elsewhere(rng, product)
    alpha = np.clip(product[..., 3:], 0, 1)
    plate = _enlarged(place.plate, (product.shape[1], product.shape[0]))
    if place is not layers:
        if rng.random() < 0.5:
            plate = plate[:, ::-1]
        level = lambda light: np.median(light.astype(np.float32) @ LUMINANCE) + 1e-3
        plate = plate * (level(layers.plate) / level(plate)) ** rng.uniform(0.3, 1.0)
    # White on white and black on black are to stay so.
    is_tinted = layers.about["kind"] not in EXPOSURES and rng.random() < 0.5
    tint = np.array([np.exp(rng.gauss(0, 0.25)) for _ in range(3)], np.float32) if is_tinted else 1
    light = product[..., :3] * tint
    exposure = EXPOSURES.get(layers.about["kind"], EXPOSURE) * np.exp(rng.gauss(0, 0.18))
    gain = exposure / max(1e-4, np.quantile((light + (1 - alpha) * plate) @ LUMINANCE, 0.97))
    own = _shouldered(light / np.maximum(alpha, 1e-3) * gain)
    return to_srgb(own * alpha + _shouldered(plate * gain) * (1 - alpha)), alpha[..., 0]


def _bare(rng, places):
    """A picture without a product."""
    if rng.random() < 0.5:
        base, high, wide = rng.uniform(10, 250), 512, 512
        slope = np.linspace(0, rng.uniform(-120, 120), wide)[None, :, None] * rng.choice([0, 1])
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.choice([0, 3, 12, 40]), (high, wide, 1))
        return np.broadcast_to(base + slope + noise, (high, wide, 3)), np.zeros((high, wide), np.float32)
    place = rng.choice([each for each in places if each.about["background"] in BARE])
    size = (place.about["width"], place.about["height"])
    light = _enlarged(place.plate, size)
    gain = EXPOSURE / max(1e-4, np.quantile(light @ LUMINANCE, 0.97))
    return to_srgb(_shouldered(light * gain)), np.zeros(size[::-1], np.float32)


def _camera(rng, photo):
    photo = photo * np.array([rng.gauss(1, 0.04) for _ in range(3)])
    if rng.random() < 0.5:
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(photo.shape, np.float32)
        photo = photo + noise * rng.uniform(0, 6)
    image = Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8))
    if rng.random() < 0.08:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.2)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=rng.randint(70, 96))
    return Image.open(file)


def _close(rng, alpha):
    """The square round the product that the runner looks at, clipped to the picture."""
    rows, columns = np.flatnonzero(alpha.max(1) > 0.1), np.flatnonzero(alpha.max(0) > 0.1)
    if len(rows) == 0:
        return (0, 0, alpha.shape[1], alpha.shape[0])
    margin = MARGIN * rng.uniform(0.5, 2)
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    side = longer * (1 + 2 * margin)
    box = []
    for (low, high), whole in (((columns[0], columns[-1]), alpha.shape[1]), ((rows[0], rows[-1]), alpha.shape[0])):
        wanted = min(whole, side)
        start = min(max(0, (low + high) / 2 - wanted / 2), whole - wanted)
        box.append((start, start + wanted))
    return (box[0][0], box[1][0], box[0][1], box[1][1])


def _whole(rng, alpha):
    high, wide = alpha.shape
    cut = lambda length: (rng.uniform(0, 0.12) * length, length - rng.uniform(0, 0.12) * length)
    (left, right), (top, bottom) = cut(wide), cut(high)
    return (left, top, right, bottom) if rng.random() < 0.5 else (0, 0, wide, high)


def look(rng, image, alpha, side):
    """The photo and its matte cut and squashed as the runner looks at it; both turned round half of the time."""
    box = (_close if rng.random() < CLOSE_SHARE[side] else _whole)(rng, alpha)
    image = image.resize((side, side), Image.LANCZOS, box)
    matte = Image.fromarray(alpha.astype(np.float32)).resize((side, side), Image.BILINEAR, box)
    x, y = np.asarray(image, np.float32) / 255 - 0.5, np.clip(np.asarray(matte), 0, 1)
    if rng.random() < 0.5:
        x, y = x[:, ::-1], y[:, ::-1]
    return np.ascontiguousarray(x.transpose(2, 0, 1)), np.ascontiguousarray(y[None])


def rendered(rng: random.Random, pictures, places, side, own=None):
    """One look at one photo: float32 [3, side, side] (levels / 255 − 0.5) and its exact matte [1, side, side].

    `own`, a fixed look for measuring: these layers before their own place.
    """
    if own is None and rng.random() < 0.06:
        photo, alpha = _bare(rng, places)
    else:
        layers = own or rng.choice(pictures)
        place = layers if own or rng.random() < 0.6 else rng.choice(places)
        photo, alpha = _develop(rng, layers, place)
    return look(rng, _camera(rng, photo), alpha, side)


def real(rng: random.Random, photos, side):
    """As above, of a real photo; its matte is the published network's."""
    one = rng.choice(photos)
    return look(rng, _camera(rng, one.photo.astype(np.float32)), one.matte / np.float32(255), side)
