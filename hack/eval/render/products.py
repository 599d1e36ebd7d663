"""The products, by kind. Each builder gets a random source and returns the objects, standing on z = 0."""

import math

import materials as of
import shapes

VIVID = [
    (0.6, 0.04, 0.05),
    (0.02, 0.15, 0.4),
    (0.75, 0.4, 0.04),
    (0.03, 0.28, 0.14),
    (0.5, 0.12, 0.3),
    (0.75, 0.7, 0.58),
    (0.09, 0.09, 0.11),
    (0.2, 0.5, 0.55),
]
WHITE = (0.86, 0.86, 0.85)
BLACK = (0.012, 0.012, 0.014)


def _paint(rng, gloss=(0.15, 0.6)):
    return of.plain(rng.choice(VIVID), rng.uniform(*gloss))


def bottle(rng, paint=None):
    paint = paint or _paint(rng)
    body, neck, shoulder = rng.uniform(0.2, 0.32), rng.uniform(0.06, 0.11), rng.uniform(0.5, 0.72)
    outline = [(0, 0), (body * 0.96, 0), (body, 0.03)]
    outline += shapes.curve_through([(body, 0.05), (body, shoulder), (neck, shoulder + 0.15), (neck, 0.92)])
    cap_paint = of.plain(rng.choice(VIVID), 0.4) if paint.name != "mono" else paint
    cap = [(0, 0.88), (neck + 0.02, 0.88), (neck + 0.02, 1.0), (neck, 1.01), (0, 1.01)]
    parts = [shapes.lathe(outline, paint), shapes.lathe(cap, cap_paint)]
    if paint.name != "mono":
        label = of.printed((rng.choice(VIVID), WHITE), rng.uniform(4, 10))
        low = rng.uniform(0.1, 0.2)
        parts.append(shapes.lathe([(body + 0.004, low), (body + 0.004, shoulder - 0.1)], label))
    return parts


def ring(rng):
    tone = rng.choice([(0.9, 0.62, 0.25), (0.8, 0.8, 0.82), (0.85, 0.5, 0.4)])
    minor = rng.uniform(0.05, 0.11)
    band = shapes.torus(0.42, minor, of.metal(tone, rng.uniform(0.08, 0.25)), (0, 0, 0.42 + minor), (math.pi / 2, 0, 0))
    if rng.random() < 0.5:
        return [band]
    stone = shapes.ellipsoid((0.13, 0.13, 0.1), (0, 0, 0.87 + minor), of.plain(rng.choice(VIVID), 0.05))
    return [band, stone]


def sieve(rng):
    paint = of.metal((0.7, 0.7, 0.72), 0.3) if rng.random() < 0.5 else _paint(rng)
    count = rng.randint(3, 6)
    grid = shapes.lattice(count, count, (0.8, 0.8), rng.uniform(0.014, 0.03), paint)
    grid.rotation_euler = (-0.2, 0, 0)
    grip = shapes.rod((0.4, 0, 0.75), (0.75, -0.05, 1.05), 0.035, paint)
    return [grid, grip]


def plant(rng):
    pot_height = rng.uniform(0.25, 0.4)
    pot = shapes.lathe(
        [(0, 0), (0.15, 0), (0.22, pot_height), (0.19, pot_height), (0.18, pot_height - 0.04), (0, pot_height - 0.04)],
        of.grained([(0.42, 0.2, 0.1), (0.55, 0.3, 0.18)], 0.8, 12),
    )
    green = of.grained([(0.02, 0.13, 0.02), (0.09, 0.3, 0.05)], 0.45, 3)
    parts = [pot]
    narrow = rng.random() < 0.5
    for _ in range(rng.randint(26, 44) if narrow else rng.randint(12, 20)):
        length = rng.uniform(0.35, 0.7)
        width = rng.uniform(0.008, 0.02) if narrow else rng.uniform(0.05, 0.09)
        blade = shapes.leaf(length, width, rng.uniform(0.2, 1.5), green)
        blade.location = (rng.uniform(-0.08, 0.08), rng.uniform(-0.08, 0.08), pot_height - 0.05)
        blade.rotation_euler = (0, 0, rng.uniform(0, 2 * math.pi))
        parts.append(blade)
    return parts


def fringe(rng):
    """A duster: a handle and a tuft of thin threads."""
    threads = []
    for _ in range(520):
        turn, lean = rng.uniform(0, 2 * math.pi), abs(rng.gauss(0, 0.45))
        length = rng.uniform(0.35, 0.58)
        path = []
        for step in range(7):
            t = step / 6
            out = 0.04 + length * t * math.sin(lean * (0.5 + t))
            path.append((out * math.cos(turn), out * math.sin(turn), 0.45 + length * t * math.cos(lean * (0.5 + t))))
        threads.append(path)
    tuft = shapes.strands(threads, rng.uniform(0.0018, 0.0035), _paint(rng, (0.5, 0.8)))
    wood = of.grained([(0.3, 0.15, 0.06), (0.5, 0.3, 0.15)], 0.4, 6, (1, 1, 0.2))
    handle = shapes.lathe(shapes.curve_through([(0.06, 0), (0.045, 0.1), (0.03, 0.3), (0.055, 0.47)]), wood)
    return [handle, tuft]


def glass(rng):
    tint = rng.choice([(1, 1, 1), (0.9, 0.97, 0.93), (0.98, 0.9, 0.8)])
    pane = of.glass(tint)
    if rng.random() < 0.5:
        outer = [(0, 0), (0.26, 0), (0.28, 0.04), (0.33, 0.8)]
        inner = [(0.305, 0.8), (0.255, 0.08), (0, 0.07)]
        return [shapes.lathe(outer + inner, pane)]
    foot = [(0, 0), (0.26, 0), (0.25, 0.015), (0.03, 0.05), (0.022, 0.4)]
    bowl = shapes.curve_through([(0.022, 0.42), (0.2, 0.5), (0.29, 0.72), (0.22, 1.0)])
    inside = shapes.curve_through([(0.205, 1.0), (0.272, 0.72), (0.18, 0.53), (0, 0.47)])
    return [shapes.lathe(foot + bowl + inside, pane)]


def mug(rng, paint=None):
    paint = paint or _paint(rng)
    wide, tall = rng.uniform(0.26, 0.36), rng.uniform(0.6, 0.8)
    outline = [(0, 0), (wide * 0.9, 0), (wide, 0.04), (wide, tall), (wide - 0.03, tall), (wide - 0.035, 0.06), (0, 0.05)]
    grip = shapes.torus(tall * 0.3, 0.035, paint, (wide + 0.02, 0, tall * 0.5), (math.pi / 2, 0, 0))
    return [shapes.lathe(outline, paint), grip]


def box(rng, paint=None):
    paint = paint or (of.printed((rng.choice(VIVID), rng.choice(VIVID)), rng.uniform(2, 9)) if rng.random() < 0.6 else _paint(rng))
    size = (rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.5), rng.uniform(0.3, 1.0))
    return [shapes.block(size, (0, 0, size[2] / 2), paint, rng.uniform(0.004, 0.03))]


def toy(rng):
    """An animal of rounded bodies on four legs."""
    skin, other = _paint(rng, (0.3, 0.8)), _paint(rng, (0.3, 0.8))
    parts = [
        shapes.ellipsoid((0.38, 0.22, 0.22), (0, 0, 0.42), skin),
        shapes.ellipsoid((0.18, 0.17, 0.18), (-0.42, 0, 0.68), skin),
        shapes.ellipsoid((0.09, 0.08, 0.07), (-0.58, 0, 0.63), other),
    ]
    for side in (-1, 1):
        parts.append(shapes.ellipsoid((0.05, 0.03, 0.11), (-0.38, side * 0.1, 0.88), other))
        for along in (-0.22, 0.24):
            parts.append(shapes.ellipsoid((0.075, 0.07, 0.19), (along, side * 0.12, 0.19), skin))
    parts.append(shapes.rod((0.34, 0, 0.5), (0.55, 0, rng.uniform(0.5, 0.8)), 0.025, other))
    return parts


def _mono(colour, roughness):
    paint = of.plain(colour, roughness)
    paint.name = "mono"
    return paint


def white(rng):
    return rng.choice([bottle, mug, box])(rng, _mono(WHITE, rng.uniform(0.25, 0.7)))


def black(rng):
    return rng.choice([bottle, mug, box])(rng, _mono(BLACK, rng.uniform(0.25, 0.6)))


def metallic(rng):
    steel = of.metal((0.78, 0.78, 0.8), rng.uniform(0.05, 0.3))
    pot = shapes.curve_through([(0.3, 0.02), (0.36, 0.2), (0.3, 0.45), (0.16, 0.55)])
    lid = shapes.curve_through([(0.16, 0.55), (0.1, 0.62), (0.03, 0.63), (0.05, 0.7), (0, 0.73)])
    parts = [shapes.lathe([(0, 0), *pot], steel), shapes.lathe(lid, steel)]
    if rng.random() < 0.7:
        dark = of.plain((0.03, 0.03, 0.03), 0.4)
        parts.append(shapes.torus(0.3, 0.03, dark, (0, 0, 0.6), (math.pi / 2, 0, 0)))
    return parts


KINDS = {
    "bottle": bottle,
    "ring": ring,
    "sieve": sieve,
    "plant": plant,
    "fringe": fringe,
    "glass": glass,
    "mug": mug,
    "box": box,
    "toy": toy,
    "white-on-white": white,
    "black-on-black": black,
    "metallic": metallic,
}
