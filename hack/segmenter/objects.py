"""Products that the evaluation does not show, so that the network learns what a product is and not twelve of them."""

import math

from mathutils import Euler, Matrix

import materials as of
import products
import shapes


def _paint(rng):
    kind = rng.random()
    if kind < 0.15:
        return of.metal([rng.uniform(0.4, 0.9)] * 3, rng.uniform(0.05, 0.5))
    if kind < 0.3:
        return of.printed([[rng.uniform(0.02, 0.85) for _ in range(3)] for _ in range(2)], rng.uniform(2, 12))
    if kind < 0.45:
        return of.grained([[rng.uniform(0.02, 0.7) for _ in range(3)] for _ in range(2)], rng.uniform(0.3, 0.9), rng.uniform(2, 10))
    return of.plain([rng.uniform(0.01, 0.85) for _ in range(3)], rng.uniform(0.05, 0.9))


def vase(rng, paint=None):
    """A body turned from an outline drawn by chance."""
    heights = [0, 0.04, *sorted(rng.uniform(0.1, 0.9) for _ in range(rng.randint(2, 4))), 1.0]
    outline = shapes.curve_through([(rng.uniform(0.08, 0.42), z) for z in heights])
    wall = [(max(0.01, r - 0.02), z) for r, z in reversed(outline)]
    return [shapes.lathe([(0, 0), *outline, *wall], paint or _paint(rng))]


def assembly(rng, paint=None):
    """Three to seven bodies stuck together."""
    parts = []
    for _ in range(rng.randint(3, 7)):
        at = (rng.uniform(-0.3, 0.3), rng.uniform(-0.15, 0.15), rng.uniform(0.15, 0.85))
        own = paint or _paint(rng)
        body = rng.randrange(4)
        if body == 0:
            part = shapes.ellipsoid([rng.uniform(0.08, 0.28) for _ in range(3)], at, own)
        elif body == 1:
            part = shapes.block([rng.uniform(0.08, 0.5) for _ in range(3)], at, own, rng.uniform(0.003, 0.03))
        elif body == 2:
            part = shapes.torus(rng.uniform(0.1, 0.26), rng.uniform(0.02, 0.06), own, at)
        else:
            end = tuple(value + rng.uniform(-0.4, 0.4) for value in at)
            part = shapes.rod(at, end, rng.uniform(0.01, 0.06), own)
        if body != 3:
            part.rotation_euler = [rng.uniform(-1, 1) for _ in range(3)]
        parts.append(part)
    parts.append(shapes.lathe([(0, 0), (0.2, 0), (0.2, 0.03), (0.04, 0.05), (0.04, 0.4), (0, 0.4)], paint or _paint(rng)))
    return parts


def stool(rng):
    """A seat on thin legs with struts: the place shows between them."""
    paint, seat = _paint(rng), _paint(rng)
    thick, tall = rng.uniform(0.012, 0.03), rng.uniform(0.5, 0.9)
    feet = [(x * 0.3, y * 0.25, 0) for x in (-1, 1) for y in (-1, 1)]
    tops = [(x * 0.8, y * 0.8, tall) for x, y, _ in feet]
    parts = [shapes.rod(foot, top, thick, paint) for foot, top in zip(feet, tops)]
    for a, b in ((0, 1), (1, 3), (3, 2), (2, 0)):
        middle = [tuple(f + (t - f) * 0.4 for f, t in zip(feet[i], tops[i])) for i in (a, b)]
        parts.append(shapes.rod(*middle, thick, paint))
    parts.append(shapes.block((0.6, 0.5, 0.05), (0, 0, tall), seat))
    if rng.random() < 0.5:
        parts += [shapes.rod(top, (top[0], top[1], tall + 0.5), thick, paint) for top in tops[1::2]]
        parts.append(shapes.block((0.55, 0.03, 0.2), (0, 0.2, tall + 0.42), seat))
    return parts


def basket(rng):
    """A cage of wires between two hoops, as lamps, baskets and birdcages are."""
    paint = _paint(rng)
    thick, low, high = rng.uniform(0.008, 0.02), rng.uniform(0.2, 0.4), rng.uniform(0.2, 0.45)
    tall, count = rng.uniform(0.4, 0.9), rng.randint(8, 18)
    belly = rng.uniform(-0.05, 0.2)
    wires = []
    for i in range(count):
        turn = 2 * math.pi * i / count
        radius = lambda t: low + (high - low) * t + belly * math.sin(math.pi * t)
        wires.append([(radius(s / 8) * math.cos(turn), radius(s / 8) * math.sin(turn), tall * s / 8 + thick) for s in range(9)])
    hoops = [shapes.torus(low, thick * 1.4, paint, (0, 0, thick)), shapes.torus(high, thick * 1.4, paint, (0, 0, tall))]
    parts = [shapes.strands(wires, thick, paint), *hoops]
    if rng.random() < 0.5:
        parts.append(shapes.ellipsoid((low * 0.6, low * 0.6, 0.2), (0, 0, tall * 0.35), _paint(rng)))
    return parts


def chain(rng):
    """Links or beads along a loop that stands or lies."""
    paint = _paint(rng)
    count, round_ = rng.randint(14, 30), rng.random() < 0.5
    lying = rng.random() < 0.5
    parts = []
    for i in range(count):
        turn = 2 * math.pi * i / count
        x, z = 0.42 * math.cos(turn), 0.42 * math.sin(turn)
        at = (x, z * 0.8, 0.05) if lying else (x, 0, z + 0.5)
        size = 2.4 / count * rng.uniform(0.45, 0.5)
        if round_:
            parts.append(shapes.ellipsoid([size * rng.uniform(0.8, 1.0)] * 3, at, paint))
        else:
            tilt = (math.pi / 2 * (i % 2), 0, turn) if lying else (math.pi / 2 * (i % 2), math.pi / 2 - turn, 0)
            parts.append(shapes.torus(size, size * 0.25, paint, at, tilt))
    return parts


def cutlery(rng):
    """A spoon, brush or racket: a long grip with a head."""
    paint, head = _paint(rng), _paint(rng)
    lean = rng.uniform(-0.5, 0.5)
    grip = shapes.rod((0, 0, 0.02), (lean * 0.6, 0, 0.62), rng.uniform(0.012, 0.035), paint)
    at = (lean * 0.78, 0, 0.8)
    kind = rng.randrange(3)
    if kind == 0:
        return [grip, shapes.ellipsoid((0.14, 0.05, 0.2), at, head)]
    if kind == 1:
        net = shapes.lattice(rng.randint(4, 8), rng.randint(4, 8), (0.3, 0.36), 0.006, head)
        net.location = (at[0], 0, 0.62)
        return [grip, net, shapes.torus(0.24, 0.018, paint, (at[0], 0, 0.82), (math.pi / 2, 0, 0))]
    hairs = []
    for _ in range(260):
        start = (at[0] + rng.uniform(-0.1, 0.1), rng.uniform(-0.03, 0.03), 0.64)
        hairs.append([start, tuple(v + rng.uniform(-0.05, 0.05) + (0.3 if k == 2 else 0) for k, v in enumerate(start))])
    return [grip, shapes.block((0.24, 0.08, 0.06), (at[0], 0, 0.63), paint), shapes.strands(hairs, 0.003, head)]


def fern(rng):
    """Thin stems with small leaves, without a pot."""
    green = of.grained([[rng.uniform(0.01, 0.3) for _ in range(3)], [rng.uniform(0.05, 0.5) for _ in range(3)]], 0.5, 3)
    parts = []
    for _ in range(rng.randint(4, 9)):
        stem = shapes.leaf(rng.uniform(0.5, 1.0), 0.006, rng.uniform(0.2, 1.2), green)
        turn = rng.uniform(0, 2 * math.pi)
        stem.rotation_euler = (0, 0, turn)
        parts.append(stem)
        for _ in range(rng.randint(5, 9)):
            out, up = rng.uniform(0.05, 0.4), rng.uniform(0.1, 0.8)
            leaf = shapes.leaf(rng.uniform(0.08, 0.22), rng.uniform(0.02, 0.05), rng.uniform(0.2, 1.2), green)
            leaf.location = (out * math.cos(turn), out * math.sin(turn), up)
            leaf.rotation_euler = (rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), rng.uniform(0, 6.3))
            parts.append(leaf)
    return parts


def glassware(rng):
    """Glass of many forms, filled or empty."""
    pane = of.glass([rng.uniform(0.75, 1.0) for _ in range(3)])
    kind = rng.random()
    if kind < 0.4:
        return products.glass(rng)
    if kind < 0.7:
        return vase(rng, pane)
    if kind < 0.85:
        return products.bottle(rng, pane)
    parts = products.mug(rng, pane)
    return [*parts, shapes.lathe([(0, 0.06), (0.2, 0.06), (0.2, 0.35), (0, 0.35)], _paint(rng))]


def crockery(rng):
    """A cup with what is drunk from it on a saucer, or plates and bowls in one another: glaze that mirrors the room."""
    light = rng.random() < 0.6
    glaze = of.plain([rng.uniform(0.6, 0.88)] * 3 if light else [rng.uniform(0.01, 0.7) for _ in range(3)], rng.uniform(0.02, 0.25))
    if rng.random() < 0.3:
        parts, wide = [], rng.uniform(0.4, 0.5)
        for i in range(rng.randint(1, 4)):
            low = i * 0.05
            rim = low + rng.uniform(0.05, 0.25)
            parts.append(shapes.lathe([(0, low), (wide * 0.5, low), (wide, rim), (wide - 0.02, rim), (wide * 0.48, low + 0.02), (0, low + 0.02)], glaze))
            wide *= rng.uniform(0.85, 1)
        return parts
    plate, rise = rng.uniform(0.42, 0.55), rng.uniform(0.04, 0.09)
    saucer = [(0, 0), (plate * 0.5, 0), (plate, rise), (plate - 0.015, rise + 0.01), (plate * 0.48, 0.025), (0, 0.025)]
    wide, tall = rng.uniform(0.24, 0.32), rng.uniform(0.3, 0.5)
    wall = shapes.curve_through([(wide * 0.5, 0.03), (wide * 0.9, tall * 0.4), (wide, tall)])
    inside = [(r - 0.02, z + 0.01) for r, z in reversed(wall)]
    drink = of.plain(rng.choice([(0.02, 0.008, 0.003), (0.15, 0.06, 0.02), (0.4, 0.2, 0.1), (0.6, 0.5, 0.4)]), 0.05)
    full = tall * rng.uniform(0.7, 0.92)
    grip = shapes.torus(tall * 0.27, rng.uniform(0.02, 0.03), glaze, (wide + 0.02, 0, tall * 0.55), (math.pi / 2, 0, 0))
    parts = [shapes.lathe(saucer, glaze), shapes.lathe([(0, 0.03), *wall, *inside], glaze), grip]
    return [*parts, shapes.lathe([(wide * 0.93, full), (0, full)], drink)]


def bouquet(rng):
    """Blossoms on long thin stems, held together below, in a vase or lying free of one."""
    green = of.grained([(0.02, 0.13, 0.02), (0.1, 0.32, 0.06)], 0.5, 3)
    blossom = of.plain([rng.uniform(0.02, 0.85) for _ in range(3)], 0.6)
    parts, stems = [], []
    for _ in range(rng.randint(4, 14)):
        turn, out, tall = rng.uniform(0, 2 * math.pi), rng.uniform(0.02, 0.4), rng.uniform(0.6, 1.0)
        at = lambda t: (out * t**1.6 * math.cos(turn), out * t**1.6 * math.sin(turn), tall * t)
        stems.append([at(step / 8) for step in range(9)])
        size = rng.uniform(0.05, 0.09)
        head = shapes.ellipsoid((size, size, size * rng.uniform(0.6, 1.6)), at(1), blossom)
        head.rotation_euler = (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), 0)
        parts.append(head)
        for _ in range(rng.randint(0, 2)):
            leaf = shapes.leaf(rng.uniform(0.15, 0.4), rng.uniform(0.015, 0.04), rng.uniform(0.2, 1.2), green)
            leaf.location, leaf.rotation_euler = at(rng.uniform(0.1, 0.6)), (0, 0, rng.uniform(0, 6.3))
            parts.append(leaf)
    parts.append(shapes.strands(stems, rng.uniform(0.006, 0.014), green))
    if rng.random() < 0.6:
        parts += [shapes.lathe([(0, 0), (0.1, 0), (0.14, 0.2), (0.09, 0.4), (0.08, 0.4), (0.12, 0.2), (0, 0.02)], _paint(rng))]
    return parts


def dial(rng):
    """A clock, drum or framed plate: a rim round a flat field that may be of the wall's own colour."""
    rim, field = _paint(rng), of.plain([rng.uniform(0.3, 0.8)] * 3 if rng.random() < 0.6 else [rng.uniform(0.02, 0.8) for _ in range(3)], 0.5)
    deep, thick = rng.uniform(0.06, 0.5), rng.uniform(0.02, 0.09)
    upright = (math.pi / 2 - rng.uniform(0, 0.3), 0, rng.uniform(-0.5, 0.5))
    body = shapes.lathe([(0, 0), (0.48, 0), (0.48, deep), (0.48 - thick, deep), (0.48 - thick, deep - 0.03), (0, deep - 0.03)], rim)
    face = shapes.lathe([(0.48 - thick, deep - 0.02), (0, deep - 0.02)], field)
    marks = []
    for i in range(rng.choice([0, 12, 12])):
        turn = 2 * math.pi * i / 12
        mark = shapes.block((0.02, 0.07, 0.006), ((0.4 - thick) * math.sin(turn), (0.4 - thick) * math.cos(turn), deep - 0.015), rim)
        mark.rotation_euler = (0, 0, -turn)
        marks.append(mark)
    for part in (body, face, *marks):
        part.matrix_world = Matrix.Translation((0, 0, 0.5)) @ Euler(upright).to_matrix().to_4x4() @ part.matrix_basis
    return [body, face, *marks]


KINDS = {
    **products.KINDS,
    "glass": glassware,
    "vase": vase,
    "assembly": assembly,
    "stool": stool,
    "basket": basket,
    "chain": chain,
    "cutlery": cutlery,
    "fern": fern,
}
# Shown more often than the rest: what the network knows least.
ORDER = [*KINDS, "glass", "sieve", "toy", "fringe", "ring", "glass", "basket", "assembly"]
# What real photos showed to be missing.
MISSED = {"crockery": crockery, "bouquet": bouquet, "dial": dial}
