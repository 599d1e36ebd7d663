"""What stands round a product: backgrounds and lights, by name. Each builder returns the room's objects."""

import math

import bpy
from mathutils import Vector

import materials as of
import shapes

PAPERS = [(0.75, 0.74, 0.7), (0.35, 0.5, 0.6), (0.7, 0.5, 0.42), (0.25, 0.3, 0.24), (0.6, 0.6, 0.62), (0.8, 0.7, 0.35)]
WOODS = [[(0.2, 0.11, 0.05), (0.38, 0.24, 0.14)], [(0.5, 0.36, 0.23), (0.66, 0.5, 0.34)], [(0.07, 0.04, 0.025), (0.14, 0.08, 0.05)]]
PLASTERS = [[(0.5, 0.49, 0.46), (0.6, 0.59, 0.56)], [(0.3, 0.36, 0.38), (0.36, 0.42, 0.44)], [(0.5, 0.36, 0.3), (0.58, 0.44, 0.37)]]


def plane(size, location, rotation, material):
    bpy.ops.mesh.primitive_plane_add(size=1, location=location, rotation=rotation)
    made = bpy.context.object
    made.scale = (*size, 1)
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    made.data.materials.append(material)
    return made


def _floor(material):
    return plane((24, 24), (0, 4, 0), (0, 0, 0), material)


def _wall(material, distance):
    return plane((30, 20), (0, distance, 4), (math.pi / 2, 0, 0), material)


def _paper(colour):
    """Paper that hangs from behind and runs out under the product."""
    outline = [(-12, 0)] + [(y, 0) for y in (-4, 0, 2)]
    outline += [(2 + 2 * math.sin(a), 2 - 2 * math.cos(a)) for a in [i * math.pi / 24 for i in range(1, 13)]] + [(4, 14)]
    vertices = [(x, y, z) for y, z in outline for x in (-14, 14)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(outline) - 1)]
    return shapes.mesh(vertices, faces, of.plain(colour, 0.9))


def sweep(rng, kind):
    if kind == "white-on-white":
        return [_paper((0.85, 0.85, 0.85))]
    if kind == "black-on-black":
        return [_paper((0.015, 0.015, 0.016))]
    return [_paper(rng.choice(PAPERS))]


def wood(rng, _kind):
    top = of.grained(rng.choice(WOODS), 0.45, 2.2, (0.5, 8, 1))
    return [_floor(top), _wall(of.grained(rng.choice(PLASTERS), 0.9, 1.5), rng.uniform(2, 5))]


def tiles(rng, _kind):
    tones = rng.choice([[(0.7, 0.7, 0.68), (0.62, 0.63, 0.62)], [(0.1, 0.25, 0.28), (0.14, 0.32, 0.34)], [(0.5, 0.3, 0.2), (0.6, 0.4, 0.28)]])
    made = of.tiled(tones, (0.3, 0.3, 0.29), rng.uniform(0.8, 2.5))
    return [_floor(made), _wall(of.tiled(tones[::-1], (0.4, 0.4, 0.38), rng.uniform(0.8, 2.5)), rng.uniform(1.5, 4))]


def desk(rng, kind):
    room = wood(rng, kind)
    for _ in range(rng.randint(7, 12)):
        paint = of.plain([rng.uniform(0.03, 0.7) for _ in range(3)], rng.uniform(0.2, 0.8))
        x = rng.choice([-1, 1]) * rng.uniform(0.7, 2.2)
        y = rng.uniform(0.6, 1.9)
        tall = rng.uniform(0.1, 1.1)
        if rng.random() < 0.5:
            thing = shapes.block((rng.uniform(0.15, 0.6), rng.uniform(0.1, 0.5), tall), (x, y, tall / 2), paint)
        else:
            wide = rng.uniform(0.08, 0.25)
            thing = shapes.lathe([(0, 0), (wide, 0), (wide * rng.uniform(0.7, 1.2), tall), (0, tall)], paint, 48)
            thing.location = (x, y, 0)
        thing.rotation_euler[2] = rng.uniform(0, 3)
        room.append(thing)
    return room


def window(rng, kind):
    """Low sun through a window whose bars throw shadows over table and wall."""
    room = wood(rng, kind)
    paint = of.plain((0.5, 0.5, 0.5), 0.8)
    for i in range(-3, 4):
        for bar in (
            shapes.block((0.08, 0.05, 9), (-3.5 + i * 0.9, -3.5, 3.5), paint),
            shapes.block((9, 0.05, 0.08), (-3.5, -3.5, 3.5 + i * 0.9), paint),
        ):
            bar.visible_camera = False
            bar.visible_glossy = False
            room.append(bar)
    _sun(rng, (-3.5, -3.5, 3.5))
    return room


def blurred(rng, kind):
    """A table with coloured things and lamps far behind it, far out of focus."""
    room = [_floor(of.grained(rng.choice(WOODS), 0.4, 2.2, (0.5, 8, 1))), _wall(of.plain((0.12, 0.13, 0.12), 0.9), 14)]
    for _ in range(26):
        colour = [rng.uniform(0.02, 0.8) for _ in range(3)]
        glow = {"Emission": (*colour, 1), "Emission_Strength": rng.choice([0, 0, 4])}
        place = (rng.uniform(-7, 7), rng.uniform(6, 12), rng.uniform(0, 5))
        room.append(shapes.ellipsoid([rng.uniform(0.2, 1.0)] * 3, place, of.plain(colour, 0.6, **glow)))
    return room


BACKGROUNDS = {"sweep": sweep, "wood": wood, "tiles": tiles, "desk": desk, "window": window, "blurred": blurred}


def _aim(thing, target):
    direction = Vector(target) - thing.location
    thing.rotation_euler = direction.to_track_quat("-Z", "Y").to_euler()


def _sun(rng, location):
    light = bpy.data.lights.new("sun", "SUN")
    light.energy = rng.uniform(3, 5)
    light.angle = 0.01
    light.color = (1, 0.9, 0.75)
    lamp = bpy.data.objects.new("sun", light)
    bpy.context.collection.objects.link(lamp)
    lamp.location = location
    _aim(lamp, (0, 0, 0.3))


def _area(location, size, power, colour):
    light = bpy.data.lights.new("area", "AREA")
    light.size = size
    light.energy = power
    light.color = colour
    lamp = bpy.data.objects.new("area", light)
    bpy.context.collection.objects.link(lamp)
    lamp.location = location
    _aim(lamp, (0, 0, 0.4))


def light_up(rng):
    """A key light from one side, a weaker one from the other, and the room's own light."""
    side = rng.choice([-1, 1])
    warm = rng.uniform(-0.12, 0.12)
    tone = (1 + min(0, warm), 0.98, 1 - max(0, warm))
    _area((side * rng.uniform(2, 4), -rng.uniform(1, 4), rng.uniform(2.5, 5)), rng.uniform(0.5, 3), rng.uniform(150, 320), tone)
    _area((-side * rng.uniform(2, 4), -rng.uniform(0, 3), rng.uniform(1, 3)), 2.5, rng.uniform(15, 90), (1, 1, 1))
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.85, 0.92, 1, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = rng.uniform(0.15, 0.5)
    bpy.context.scene.world = world
