"""Renders the layers of the photos that the segmenter learns from: the evaluation's world, other seeds, more things.

Run:  blender --background --factory-startup --python render_layers.py -- OUT_DIR FIRST END EMPTY
Leaves for each number FIRST..END-1 what `hack/eval/render/render.py` leaves, and EMPTY places that nothing stands in. No number gives a picture of the
evaluation: these have a seed, sizes and an order of kinds of their own.
"""

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
EMPTY_FROM = 100_000
# From here on only what the network learns slowest, more of it out of focus and cut off.
HARD_FROM = 10_000
HARD = ["glass", "glass", "fringe", "fringe", "ring", "fern", "cutlery", "black-on-black", "plant"]
# From here on larger pictures, of what was still missed then.
LARGE_FROM = 20_000
LARGE = ["glass", "glass", "fringe", "fringe", "ring", "metallic", "box", "white-on-white", "plant", "sieve"]
LARGE += ["crockery", "crockery", "bouquet", "dial"]
render.PRODUCT_SAMPLES = 24
render.PLATE_SAMPLES = 14
# Things beside a product and joints behind it are what misleads the network most.
BACKGROUNDS = [*surroundings.BACKGROUNDS, "desk", "tiles", "desk"]
products.KINDS = {**objects.KINDS, **objects.MISSED}


def describe(number):
    rng = random.Random(f"{SEED}-{number}")
    hard, large = number >= HARD_FROM, LARGE_FROM <= number < EMPTY_FROM
    kind = rng.choice(LARGE if large else HARD) if hard else objects.ORDER[number % len(objects.ORDER)]
    mono = kind in ("white-on-white", "black-on-black")
    long_side = rng.randrange(640, 801, 16) if large else rng.randrange(448, 577, 16)
    size = render.frame_size(rng, long_side)
    background = "sweep" if mono else rng.choice(BACKGROUNDS)
    touches = rng.random() < (0.15 if large else 0.3 if hard else 0.1)
    return rng, {
        "number": number,
        "kind": kind,
        "background": background,
        "width": size[0],
        "height": size[1],
        "fill": rng.uniform(0.35 if touches else 0.15 if hard else 0.25, 0.9),
        "touchesFrame": touches,
        "products": 2 if rng.random() < 0.08 and not touches else 1,
        "outOfFocus": background == "blurred" or rng.random() < (0.6 if hard else 0.35),
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
