"""Renders the layers of the photos that the segmenter learns from: the evaluation's world, other seeds, more things.

Run:  blender --background --factory-startup --python render_layers.py -- OUT_DIR FIRST END EMPTY
Leaves for each number FIRST..END-1 what `hack/eval/render/render.py` leaves, and EMPTY places that nothing stands in.
No number gives a picture of the evaluation: these have a seed, sizes and an order of kinds of their own.
"""

import dataclasses
import os
import random
import sys

import bpy

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "eval", "render")]
import objects
import products
import render
import surroundings

SEED = "segmenter"


@dataclasses.dataclass(frozen=True)
class Tier:
    """The pictures of the numbers from `first` on."""

    first: int
    # Chosen from; without them, all kinds in their order.
    kinds: tuple = ()
    long_side: tuple = (448, 577)
    touching: float = 0.1
    out_of_focus: float = 0.35
    # How much of the frame's height or width the product fills, at least and at most.
    fill: tuple = (0.25, 0.9)


ALL = Tier(0)
# What the network learns slowest, more of it out of focus and cut off.
HARD = Tier(
    10_000,
    kinds=("glass", "glass", "fringe", "fringe", "ring", "fern", "cutlery", "black-on-black", "plant"),
    touching=0.3,
    out_of_focus=0.6,
    fill=(0.15, 0.9),
)
# Larger pictures, of what was still missed then.
LARGE = dataclasses.replace(
    HARD,
    first=20_000,
    kinds=(
        *("glass", "glass", "fringe", "fringe", "ring", "metallic", "box", "white-on-white", "plant", "sieve"),
        *("crockery", "crockery", "bouquet", "dial"),
    ),
    long_side=(640, 801),
    touching=0.15,
)
# As large ones, of small products: the kinds that the evaluation's overlap lacks most, and some simple ones.
SMALL = dataclasses.replace(
    LARGE,
    first=30_000,
    kinds=(
        *("glass", "glass", "fringe", "fringe", "black-on-black", "black-on-black"),
        *("sieve", "ring", "box", "bottle", "mug"),
    ),
    touching=0.1,
    out_of_focus=0.35,
    fill=(0.1, 0.5),
)
TIERS = (ALL, HARD, LARGE, SMALL)
EMPTY_FROM = 100_000
# A product that is cut off fills at least so much.
LEAST_CUT_OFF = 0.35
render.PRODUCT_SAMPLES = 24
render.PLATE_SAMPLES = 14
# Things beside a product and joints behind it are what misleads the network most.
BACKGROUNDS = [*surroundings.BACKGROUNDS, "desk", "tiles", "desk"]
products.KINDS = {**objects.KINDS, **objects.MISSED}


def tier_of(number):
    # Empty places are described as the hard ones are.
    return HARD if number >= EMPTY_FROM else [tier for tier in TIERS if tier.first <= number][-1]


def describe(number):
    rng = random.Random(f"{SEED}-{number}")
    tier = tier_of(number)
    kind = rng.choice(tier.kinds) if tier.kinds else objects.ORDER[number % len(objects.ORDER)]
    mono = kind in ("white-on-white", "black-on-black")
    size = render.frame_size(rng, rng.randrange(*tier.long_side, 16))
    background = "sweep" if mono else rng.choice(BACKGROUNDS)
    touches = rng.random() < tier.touching
    least, most = tier.fill
    return rng, {
        "number": number,
        "kind": kind,
        "background": background,
        "width": size[0],
        "height": size[1],
        "fill": rng.uniform(max(LEAST_CUT_OFF, least), most) if touches else rng.uniform(least, most),
        "touchesFrame": touches,
        "products": 2 if rng.random() < 0.08 and not touches else 1,
        "outOfFocus": background == "blurred" or rng.random() < tier.out_of_focus,
    }


render.describe = describe


def render_empty(out, number):
    """A place seen as one would see a product in it: OUT_DIR/NUMBER.empty.f32, and .json last."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng, picture = describe(number)
    render.set_up(picture)
    parts = render.build_products(rng, picture)
    render.place_camera(rng, picture, parts)
    for part in parts:
        part.hide_render = True
    surroundings.BACKGROUNDS[picture["background"]](rng, picture["kind"])
    surroundings.light_up(rng)
    picture["plateWidth"], picture["plateHeight"] = render.render_plate(f"{out}/{number}.empty.f32", parts)
    render.write_description(f"{out}/{number}.empty.json", picture)
    print(f"EMPTY {number}", flush=True)


if __name__ == "__main__":
    out_dir, first, end, empty = sys.argv[sys.argv.index("--") + 1 :]
    for each in range(int(first), int(end)):
        if not os.path.exists(f"{out_dir}/{each}.rendered.json"):
            render.render_picture(out_dir, each)
    for each in range(EMPTY_FROM, EMPTY_FROM + int(empty)):
        if not os.path.exists(f"{out_dir}/{each}.empty.json"):
            render_empty(out_dir, each)
