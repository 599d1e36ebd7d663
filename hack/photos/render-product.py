"""Renders the catalogue's made-up product: a glazed stoneware bottle with a wooden stopper on a desk.

Run:  blender --background --python render-product.py -- OUT_DIR [SAMPLES]
Makes OUT_DIR/bottle.jpg (the photo, 1200 px square) and OUT_DIR/bottle-matte.png (its exact alpha, 8 bit).
Blender 3.4 or later, Cycles on the CPU, about five minutes on two cores. Same seed, same picture.
"""

import math
import sys

import bpy

args = sys.argv[sys.argv.index("--") + 1 :]
OUT = args[0]
SAMPLES = int(args[1]) if len(args) > 1 else 72
SIZE = 1200


def material(name, colour, roughness=0.5, **inputs):
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    for key, value in inputs.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    return made


def textured(made, dark, light, scale, stretch, roughness=None):
    """Lets the base colour wander between two tones along a stretched noise."""
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    place = nodes.new("ShaderNodeTexCoord")
    mapping = nodes.new("ShaderNodeMapping")
    noise = nodes.new("ShaderNodeTexNoise")
    ramp = nodes.new("ShaderNodeValToRGB")
    mapping.inputs["Scale"].default_value = stretch
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = 8
    noise.inputs["Roughness"].default_value = 0.62
    ramp.color_ramp.elements[0].color = (*dark, 1)
    ramp.color_ramp.elements[1].color = (*light, 1)
    ramp.color_ramp.elements[0].position = 0.32
    ramp.color_ramp.elements[1].position = 0.7
    links.new(place.outputs["Object"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], noise.inputs["Vector"])
    links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = 0.06
    links.new(noise.outputs["Fac"], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    return made


def lathe(name, profile, made, steps=160):
    """A body turned round the z axis from (radius, height) points, smoothed."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(r, 0, z) for r, z in profile], [(i, i + 1) for i in range(len(profile) - 1)], [])
    body = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(body)
    screw = body.modifiers.new("turn", "SCREW")
    screw.steps = screw.render_steps = steps
    screw.use_merge_vertices = True
    screw.use_smooth_shade = True
    screw.use_normal_calculate = True
    body.data.materials.append(made)
    return body


def smooth_profile(points, per_segment=14):
    """Catmull-Rom through the points: a turned outline without corners."""
    out = []
    for i in range(len(points) - 1):
        p = [points[max(0, i - 1)], points[i], points[i + 1], points[min(len(points) - 1, i + 2)]]
        for step in range(per_segment):
            t = step / per_segment
            out.append(
                tuple(
                    0.5
                    * (
                        2 * p[1][k]
                        + (p[2][k] - p[0][k]) * t
                        + (2 * p[0][k] - 5 * p[1][k] + 4 * p[2][k] - p[3][k]) * t**2
                        + (3 * p[1][k] - p[0][k] - 3 * p[2][k] + p[3][k]) * t**3
                    )
                    for k in (0, 1)
                )
            )
    return [(max(0.0, r), z) for r, z in out] + [points[-1]]


def area_light(location, target, size, power, colour=(1, 1, 1)):
    light = bpy.data.lights.new("area", "AREA")
    light.shape = "RECTANGLE"
    light.size, light.size_y = size
    light.energy = power
    light.color = colour
    lamp = bpy.data.objects.new("area", light)
    bpy.context.collection.objects.link(lamp)
    lamp.location = location
    aim(lamp, target)
    return lamp


def aim(thing, target):
    from mathutils import Vector

    direction = Vector(target) - Vector(thing.location)
    thing.rotation_euler = direction.to_track_quat("-Z", "Y").to_euler()


def wrapped_text(text, size, radius, height, made):
    """Lettering that lies on the bottle's cylinder, facing the camera."""
    curve = bpy.data.curves.new("text", "FONT")
    curve.body = text
    curve.size = size
    curve.align_x = "CENTER"
    curve.align_y = "CENTER"
    curve.space_character = 1.25
    curve.extrude = 0.002
    lettering = bpy.data.objects.new("text", curve)
    bpy.context.collection.objects.link(lettering)
    bpy.context.view_layer.objects.active = lettering
    lettering.select_set(True)
    bpy.ops.object.convert(target="MESH")
    lettering = bpy.context.view_layer.objects.active
    for vertex in lettering.data.vertices:
        x, y, z = vertex.co
        angle = x / radius
        vertex.co = ((radius + z) * math.sin(angle), -(radius + z) * math.cos(angle), height + y)
    lettering.data.materials.append(made)
    lettering.select_set(False)
    return lettering


def build_product():
    glaze = textured(
        material("glaze", (0.05, 0.16, 0.15), 0.24, Clearcoat=0.7, Clearcoat_Roughness=0.12),
        (0.006, 0.05, 0.05),
        (0.025, 0.13, 0.115),
        5.0,
        (1, 1, 1.6),
    )
    bare = textured(material("clay", (0.55, 0.42, 0.3), 0.85), (0.42, 0.31, 0.21), (0.6, 0.47, 0.34), 22, (1, 1, 1))
    wood = textured(material("stopper", (0.5, 0.3, 0.15), 0.45), (0.29, 0.15, 0.065), (0.58, 0.36, 0.18), 9, (1.2, 1.2, 0.16))
    ink = material("ink", (0.88, 0.83, 0.72), 0.55)

    foot = lathe("foot", [(0, 0), (0.84, 0), (0.875, 0.012), (0.89, 0.04), (0.895, 0.17), (0.6, 0.18)], bare)
    outline = smooth_profile(
        [
            (0.895, 0.165),
            (0.925, 0.2),
            (0.94, 0.5),
            (0.94, 1.2),
            (0.93, 1.72),
            (0.82, 2.06),
            (0.56, 2.3),
            (0.37, 2.5),
            (0.325, 2.72),
            (0.33, 2.92),
            (0.385, 2.985),
            (0.4, 3.03),
            (0.385, 3.075),
            (0.33, 3.09),
            (0.26, 3.06),
        ]
    )
    bottle = lathe("bottle", outline, glaze)
    stopper = lathe(
        "stopper",
        smooth_profile(
            [(0.235, 2.98), (0.245, 3.1), (0.26, 3.16), (0.4, 3.2), (0.43, 3.3), (0.415, 3.52), (0.37, 3.6), (0.2, 3.635), (0, 3.64)]
        ),
        wood,
    )
    name = wrapped_text("OPAL", 0.36, 0.945, 1.28, ink)
    line = wrapped_text("STONEWARE  No 7", 0.098, 0.945, 0.98, ink)
    return [foot, bottle, stopper, name, line]


def build_room():
    desk_look = textured(material("desk", (0.6, 0.47, 0.35), 0.5), (0.2, 0.115, 0.06), (0.4, 0.26, 0.155), 2.2, (0.45, 9, 1))
    wall_look = textured(material("wall", (0.7, 0.69, 0.66), 0.92), (0.56, 0.55, 0.52), (0.63, 0.62, 0.595), 1.3, (1, 1, 1))
    bpy.ops.mesh.primitive_plane_add(size=1, location=(0, 0.2, 0))
    desk = bpy.context.object
    desk.scale = (18, 11, 1)
    desk.data.materials.append(desk_look)
    bpy.ops.mesh.primitive_plane_add(size=1, location=(0, 5.6, 4), rotation=(math.pi / 2, 0, 0))
    wall = bpy.context.object
    wall.scale = (26, 16, 1)
    wall.data.materials.append(wall_look)
    return [desk, wall]


bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
product = build_product()
for part in product:
    part.rotation_euler[2] += math.radians(-14)
room = build_room()

world = bpy.data.worlds.new("world")
world.use_nodes = True
world.node_tree.nodes["Background"].inputs[0].default_value = (0.8, 0.85, 1, 1)
world.node_tree.nodes["Background"].inputs[1].default_value = 0.22
scene.world = world
area_light((-4.6, -2.2, 5.2), (0, 0, 1.6), (2.4, 3.4), 520, (1, 0.96, 0.9))
area_light((4.8, -2.6, 3.0), (0, 0, 1.5), (1.4, 3.2), 110, (0.9, 0.95, 1))
area_light((1.5, 3.2, 5.6), (0, 0, 2.4), (2.5, 1.2), 130)

camera = bpy.data.cameras.new("camera")
camera.lens = 70
camera.dof.use_dof = True
camera.dof.focus_distance = 11.4
camera.dof.aperture_fstop = 1.4
eye = bpy.data.objects.new("camera", camera)
bpy.context.collection.objects.link(eye)
eye.location = (0.35, -11.6, 3.6)
aim(eye, (0.1, 0, 1.72))
scene.camera = eye

scene.render.engine = "CYCLES"
scene.cycles.device = "CPU"
scene.cycles.samples = SAMPLES
scene.cycles.seed = 7
scene.cycles.use_denoising = False
scene.cycles.sample_clamp_indirect = 3
scene.cycles.caustics_reflective = False
scene.cycles.caustics_refractive = False
scene.cycles.max_bounces = 6
scene.render.resolution_x = scene.render.resolution_y = SIZE
scene.render.image_settings.file_format = "PNG"
scene.view_settings.view_transform = "Filmic"
scene.view_settings.look = "High Contrast"
scene.view_settings.exposure = 0.1

scene.render.image_settings.file_format = "JPEG"
scene.render.image_settings.quality = 92
scene.render.image_settings.color_mode = "RGB"
scene.render.filepath = f"{OUT}/bottle.jpg"
bpy.ops.render.render(write_still=True)

# The same camera sees the product alone: the film's alpha is then the exact matte.
for thing in room:
    thing.visible_camera = False
scene.render.film_transparent = True
scene.render.image_settings.file_format = "PNG"
scene.render.image_settings.color_mode = "RGBA"
scene.cycles.samples = 32
scene.cycles.max_bounces = 0
scene.render.filepath = f"{OUT}/bottle-matte.png"
bpy.ops.render.render(write_still=True)

alone = bpy.data.images.load(f"{OUT}/bottle-matte.png", check_existing=False)
alone.colorspace_settings.name = "Raw"
pixels = list(alone.pixels)
matte = bpy.data.images.new("matte", SIZE, SIZE, alpha=False)
matte.colorspace_settings.name = "Raw"
matte.pixels = [pixels[i | 3] if i & 3 != 3 else 1.0 for i in range(len(pixels))]
scene.view_settings.view_transform = "Raw"
scene.view_settings.look = "None"
scene.view_settings.exposure = 0
scene.render.image_settings.color_mode = "BW"
matte.save_render(f"{OUT}/bottle-matte.png", scene=scene)
