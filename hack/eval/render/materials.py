"""Surfaces: one function makes a Principled material, the others vary its colour along a texture."""

import bpy


def plain(colour, roughness=0.5, **inputs):
    made = bpy.data.materials.new("plain")
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    for name, value in inputs.items():
        shader.inputs[name.replace("_", " ")].default_value = value
    return made


def metal(colour, roughness):
    return plain(colour, roughness, Metallic=1.0)


def glass(tint):
    return plain(tint, 0.0, Transmission=1.0, IOR=1.45)


def _textured(node_type, roughness, tones, stretch):
    made = plain(tones[0], roughness)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    place = nodes.new("ShaderNodeTexCoord")
    mapping = nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = stretch
    texture = nodes.new(node_type)
    links.new(place.outputs["Object"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    return made, texture


def grained(tones, roughness=0.5, scale=3.0, stretch=(1, 1, 1), bump=0.05):
    """The base colour wanders between two tones along a noise that may be stretched: wood, clay, plaster."""
    made, noise = _textured("ShaderNodeTexNoise", roughness, tones, stretch)
    nodes, links = made.node_tree.nodes, made.node_tree.links
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = 7
    ramp = nodes.new("ShaderNodeValToRGB")
    for element, tone, position in zip(ramp.color_ramp.elements, tones, (0.33, 0.68)):
        element.color = (*tone, 1)
        element.position = position
    shader = nodes["Principled BSDF"]
    relief = nodes.new("ShaderNodeBump")
    relief.inputs["Strength"].default_value = bump
    links.new(noise.outputs["Fac"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    links.new(noise.outputs["Fac"], relief.inputs["Height"])
    links.new(relief.outputs["Normal"], shader.inputs["Normal"])
    return made


def tiled(tones, joint, scale=4.0, roughness=0.25):
    """Tiles or bricks of two tones with joints."""
    made, brick = _textured("ShaderNodeTexBrick", roughness, tones, (1, 1, 1))
    brick.offset = 0.0
    brick.inputs["Color1"].default_value = (*tones[0], 1)
    brick.inputs["Color2"].default_value = (*tones[1], 1)
    brick.inputs["Mortar"].default_value = (*joint, 1)
    brick.inputs["Scale"].default_value = scale
    brick.inputs["Mortar Size"].default_value = 0.02
    brick.inputs["Brick Width"].default_value = 0.5
    brick.inputs["Row Height"].default_value = 0.5
    links = made.node_tree.links
    links.new(brick.outputs["Color"], made.node_tree.nodes["Principled BSDF"].inputs["Base Color"])
    return made


def printed(tones, scale=3.0):
    """A printed pattern, as on packaging."""
    made, checker = _textured("ShaderNodeTexChecker", 0.45, tones, (1, 1, 1))
    checker.inputs["Color1"].default_value = (*tones[0], 1)
    checker.inputs["Color2"].default_value = (*tones[1], 1)
    checker.inputs["Scale"].default_value = scale
    links = made.node_tree.links
    links.new(checker.outputs["Color"], made.node_tree.nodes["Principled BSDF"].inputs["Base Color"])
    return made
