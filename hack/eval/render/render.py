"""Renders the layers of the synthetic product photos: product alone, and the place without it.

Run:  blender --background --python render.py -- OUT_DIR NUMBER...
For each NUMBER it leaves OUT_DIR/NUMBER.product.f32 (linear light, RGBA premultiplied: alpha is the exact matte)
and OUT_DIR/NUMBER.plate.f32 (linear light, RGBA: the place with the product's shadow and reflections, but not the
product; smaller than the picture, to be enlarged), 32-bit floats, rows from the bottom. OUT_DIR/NUMBER.rendered.json
comes last and says what they show; then a line "PICTURE NUMBER" is printed. A number always gives the same picture, but for
roundings of Cycles (0.002 at most in light, in one float of a thousand). Blender 3.4 or later, Cycles on the CPU.
"""

import array
import json
import math
import os
import random
import sys

import bpy
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import products
import surroundings

SEED = 20260301
PRODUCT_SAMPLES = 36
PLATE_SAMPLES = 20
# What lies behind a product is softer than the product, and costs most of the time.
PLATE_PERCENT = 60
GOLDEN = (math.sqrt(5) - 1) / 2


def describe(number):
    """What picture NUMBER shows: kinds go round, the rest is spread evenly or drawn from the number's own source."""
    rng = random.Random(f"{SEED}-{number}")
    kinds = list(products.KINDS)
    turn = number // len(kinds)
    kind = kinds[number % len(kinds)]
    mono = kind in ("white-on-white", "black-on-black")
    background = "sweep" if mono else list(surroundings.BACKGROUNDS)[(number + turn) % len(surroundings.BACKGROUNDS)]
    long_side = 1600 if number % 25 == 19 else rng.randrange(640, 801, 16)
    size = frame_size(rng, long_side)
    fill = 0.1 + 0.8 * ((number * GOLDEN) % 1)
    touches = number % 9 == 4
    return rng, {
        "number": number,
        "kind": kind,
        "background": background,
        "width": size[0],
        "height": size[1],
        "fill": round(max(fill, 0.35) if touches else fill, 3),
        "touchesFrame": touches,
        "products": 2 if number % 11 == 7 and not touches else 1,
        "outOfFocus": background == "blurred" or rng.random() < 0.35,
    }


def frame_size(rng, long_side):
    """Width and height in pixels: half of all frames are square."""
    wide, high = rng.choice([(1, 1), (1, 1), (4, 3), (3, 4)])
    return [round(long_side * side / max(wide, high)) for side in (wide, high)]


def build_products(rng, picture):
    parts = []
    for index in range(picture["products"]):
        build = products.KINDS[picture["kind"]] if index == 0 else rng.choice([products.box, products.bottle])
        turn = rng.uniform(-0.5, 0.5)
        holder = bpy.data.objects.new("product", None)
        bpy.context.collection.objects.link(holder)
        made = build(rng)
        for part in made:
            part.parent = holder
        holder.rotation_euler[2] = turn
        holder.location = (index * 0.95, index * rng.uniform(-0.1, 0.3), 0)
        parts += made
    return parts


def corners(parts, depsgraph):
    """World positions that bound the parts."""
    out = []
    for part in parts:
        evaluated = part.evaluated_get(depsgraph)
        mesh = evaluated.to_mesh()
        step = max(1, len(mesh.vertices) // 4000)
        out += [evaluated.matrix_world @ vertex.co for vertex in list(mesh.vertices)[::step]]
        evaluated.to_mesh_clear()
    return out


def bounds(scene, eye, points):
    seen = [world_to_camera_view(scene, eye, point) for point in points]
    xs, ys = [p.x for p in seen], [p.y for p in seen]
    return min(xs), max(xs), min(ys), max(ys)


def place_camera(rng, picture, parts):
    """Looks at the product so that it fills the wanted share of the frame; then shifts the frame."""
    scene = bpy.context.scene
    lens = bpy.data.cameras.new("camera")
    lens.lens = rng.uniform(45, 90)
    eye = bpy.data.objects.new("camera", lens)
    bpy.context.collection.objects.link(eye)
    scene.camera = eye
    points = corners(parts, bpy.context.evaluated_depsgraph_get())
    centre = sum(points, Vector()) / len(points)
    low, turn = rng.uniform(0.08, 0.55), rng.uniform(-0.35, 0.35)
    away = Vector((math.sin(turn) * math.cos(low), -math.cos(turn) * math.cos(low), math.sin(low)))
    eye.rotation_euler = (-away).to_track_quat("-Z", "Y").to_euler()
    distance = 4.0
    for _ in range(8):
        eye.location = centre + away * distance
        bpy.context.view_layer.update()
        left, right, bottom, top = bounds(scene, eye, points)
        distance = max(0.9, distance * max(right - left, top - bottom) / picture["fill"])
    left, right, bottom, top = bounds(scene, eye, points)
    longest = max(picture["width"], picture["height"])
    x = wanted_place(rng, right - left, picture["touchesFrame"])
    y = wanted_place(rng, top - bottom, False)
    lens.shift_x = ((left + right) / 2 - x) * picture["width"] / longest
    lens.shift_y = ((bottom + top) / 2 - y) * picture["height"] / longest
    if picture["outOfFocus"]:
        lens.dof.use_dof = True
        lens.dof.focus_distance = (eye.location - centre).length
        lens.dof.aperture_fstop = rng.uniform(0.9, 2.2) if picture["background"] == "blurred" else rng.uniform(1.4, 4)
        # The product measures one unit, as if it were a metre: an aperture for things of a hand's size is larger.
        lens.dof.aperture_fstop *= 0.35
    bpy.context.view_layer.update()
    return bounds(scene, eye, points)


def wanted_place(rng, extent, touches):
    """Where the middle of the product lies, 0..1: inside the frame, or with a part of it cut off."""
    room = max(0.0, 0.97 - extent) / 2
    if touches:
        return 0.5 + rng.choice([-1, 1]) * (0.5 - extent / 2 + extent * rng.uniform(0.08, 0.25))
    return 0.5 + rng.uniform(-1, 1) * min(room, 0.25)


def set_up(picture):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.seed = picture["number"]
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 8 if picture["kind"] == "glass" else 3
    scene.cycles.diffuse_bounces = 1
    scene.cycles.glossy_bounces = 2
    scene.cycles.sample_clamp_indirect = 1.5
    scene.cycles.caustics_reflective = False
    scene.cycles.caustics_refractive = False
    scene.cycles.film_transparent_glass = True
    scene.render.resolution_x, scene.render.resolution_y = picture["width"], picture["height"]
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.color_depth = "32"


def render_floats(path, samples):
    scene = bpy.context.scene
    scene.cycles.samples = samples
    scene.render.filepath = path + ".exr"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(path + ".exr")
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"
    floats = array.array("f", bytes(4 * len(image.pixels)))
    image.pixels.foreach_get(floats)
    with open(path, "wb") as file:
        floats.tofile(file)
    size = list(image.size)
    bpy.data.images.remove(image)
    os.remove(path + ".exr")
    return size


def render_product(path, room, frame):
    """The product alone, lit by the whole room, in the part of the frame where it is."""
    render = bpy.context.scene.render
    left, right, bottom, top = frame
    for thing in room:
        thing.visible_camera = False
        thing.visible_transmission = False
    render.film_transparent = True
    render.use_border = True
    render.border_min_x, render.border_max_x = max(0, left - 0.03), min(1, right + 0.03)
    render.border_min_y, render.border_max_y = max(0, bottom - 0.03), min(1, top + 0.03)
    render_floats(path, PRODUCT_SAMPLES)
    for thing in room:
        thing.visible_camera = not thing.get("unseen", False)
        thing.visible_transmission = True
    render.film_transparent = False
    render.use_border = False


def render_plate(path, parts):
    for part in parts:
        part.visible_camera = False
    bpy.context.scene.render.resolution_percentage = PLATE_PERCENT
    return render_floats(path, PLATE_SAMPLES)


def write_description(path, picture):
    """To be called last: a picture whose description is there is whole."""
    with open(f"{path}.part", "w") as file:
        json.dump(picture, file)
    os.rename(f"{path}.part", path)


def render_picture(out, number):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng, picture = describe(number)
    set_up(picture)
    parts = build_products(rng, picture)
    frame = place_camera(rng, picture, parts)
    room = surroundings.BACKGROUNDS[picture["background"]](rng, picture["kind"])
    for thing in room:
        thing["unseen"] = not thing.visible_camera
    surroundings.light_up(rng)
    render_product(f"{out}/{number}.product.f32", room, frame)
    picture["plateWidth"], picture["plateHeight"] = render_plate(f"{out}/{number}.plate.f32", parts)
    write_description(f"{out}/{number}.rendered.json", picture)
    print(f"PICTURE {number}", flush=True)


if __name__ == "__main__":
    out_dir, *numbers = sys.argv[sys.argv.index("--") + 1 :]
    for each in numbers:
        render_picture(out_dir, int(each))
