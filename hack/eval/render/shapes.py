"""Bodies that products are built from. Each stands on or near z = 0 and measures about one unit."""

import math

import bpy


def _object(name, data, material):
    made = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(made)
    made.data.materials.append(material)
    return made


def mesh(vertices, faces, material, smooth=True):
    data = bpy.data.meshes.new("mesh")
    data.from_pydata(vertices, [], faces)
    for polygon in data.polygons:
        polygon.use_smooth = smooth
    return _object("mesh", data, material)


def lathe(outline, material, steps=96):
    """A body turned round the z axis from (radius, height) points that run from bottom to top."""
    data = bpy.data.meshes.new("lathe")
    data.from_pydata([(r, 0, z) for r, z in outline], [(i, i + 1) for i in range(len(outline) - 1)], [])
    body = _object("lathe", data, material)
    turn = body.modifiers.new("turn", "SCREW")
    turn.steps = turn.render_steps = steps
    turn.use_merge_vertices = True
    turn.use_smooth_shade = True
    turn.use_normal_calculate = True
    return body


def curve_through(points, steps=10):
    """Catmull-Rom through (radius, height) points: an outline without corners."""
    out = []
    for i in range(len(points) - 1):
        a, b, c, d = (points[min(len(points) - 1, max(0, i + k))] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            out.append(
                tuple(
                    0.5
                    * (
                        2 * b[k]
                        + (c[k] - a[k]) * t
                        + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t**2
                        + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t**3
                    )
                    for k in (0, 1)
                )
            )
    return [(max(0.0, r), z) for r, z in [*out, points[-1]]]


def torus(major, minor, material, location=(0, 0, 0), rotation=(0, 0, 0)):
    bpy.ops.mesh.primitive_torus_add(
        major_radius=major,
        minor_radius=minor,
        major_segments=96,
        minor_segments=28,
        location=location,
        rotation=rotation,
    )
    made = bpy.context.object
    bpy.ops.object.shade_smooth()
    made.data.materials.append(material)
    return made


def ellipsoid(radii, location, material):
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=32, location=location)
    made = bpy.context.object
    made.scale = radii
    bpy.ops.object.shade_smooth()
    made.data.materials.append(material)
    return made


def block(size, location, material, bevel=0.02):
    bpy.ops.mesh.primitive_cube_add(size=1, location=location)
    made = bpy.context.object
    made.scale = size
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    rounding = made.modifiers.new("bevel", "BEVEL")
    rounding.width = bevel
    rounding.segments = 4
    made.data.materials.append(material)
    return made


def rod(start, end, radius, material):
    return strands([[start, end]], radius, material)


def strands(paths, radius, material):
    """Thin round threads along lists of points."""
    data = bpy.data.curves.new("strands", "CURVE")
    data.dimensions = "3D"
    data.bevel_depth = radius
    data.bevel_resolution = 2
    data.use_fill_caps = True
    for path in paths:
        spline = data.splines.new("POLY")
        spline.points.add(len(path) - 1)
        for point, place in zip(spline.points, path):
            point.co = (*place, 1)
    return _object("strands", data, material)


def leaf(length, width, bend, material):
    """A leaf from the origin upward that bends over towards +x."""
    steps = 14
    vertices = []
    for i in range(steps + 1):
        t = i / steps
        angle = bend * t
        x = length * (1 - math.cos(angle)) / max(bend, 1e-3)
        z = length * math.sin(angle) / max(bend, 1e-3)
        half = width * math.sin(math.pi * min(1, 0.06 + 0.94 * t)) ** 0.8
        fold = 0.25 * half
        vertices += [(x + fold, -half, z), (x, 0, z), (x + fold, half, z)]
    faces = []
    for i in range(steps):
        row = 3 * i
        faces += [(row, row + 1, row + 4, row + 3), (row + 1, row + 2, row + 5, row + 4)]
    return mesh(vertices, faces, material)


def lattice(columns, rows, size, bar, material):
    """A flat grid of bars in the xz plane, centred over the origin, with columns × rows see-through holes."""
    width, height = size
    points = lambda x, z: (x * width / columns - width / 2, 0, z * height / rows + bar)
    paths = [[points(x, 0), points(x, rows)] for x in range(columns + 1)]
    paths += [[points(0, z), points(columns, z)] for z in range(rows + 1)]
    return strands(paths, bar, material)
