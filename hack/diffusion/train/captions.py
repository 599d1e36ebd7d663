"""The closed vocabulary of the scene model: what a scene can be, and the words that say so.

A `Scene` names eight attributes. `caption` puts one into words as people write prompts: several phrasings, any
order, parts left out, filler round it. The renderer (scenes.py) reads the same `Scene`, so words and picture agree.
"""

from dataclasses import dataclass, fields

import numpy as np

CHOICES: dict[str, tuple[str, ...]] = {
    "surface": ("oak", "walnut", "white-marble", "black-marble", "green-marble", "concrete", "linen", "sand"),
    "wall": ("white", "beige", "grey", "sage", "blue", "pink", "terracotta", "navy", "yellow", "charcoal"),
    "side": ("left", "right", "above"),
    "warmth": ("warm", "neutral", "cool"),
    "pattern": ("plain", "window", "bokeh"),
    "prop": ("none", "plant", "candle", "vase", "books", "stones", "oranges"),
    "prop_side": ("left", "right"),
    "angle": ("eye-level", "high"),
}


@dataclass(frozen=True)
class Scene:
    """One value of CHOICES for each attribute; `prop_side` means nothing where `prop` is none."""

    surface: str
    wall: str
    side: str
    warmth: str
    pattern: str
    prop: str
    prop_side: str
    angle: str


ATTRIBUTES = tuple(field.name for field in fields(Scene))

SURFACE_WORDS = {
    "oak": ("light oak table", "oak wood", "light wooden table", "oak tabletop", "light wood"),
    "walnut": ("walnut table", "dark wood", "dark walnut wood", "dark wooden table", "walnut wood"),
    "white-marble": ("white marble", "white marble table", "white marble countertop", "marble", "marble table"),
    "black-marble": ("black marble", "black marble table", "black marble countertop", "black stone", "dark marble"),
    "green-marble": ("green marble", "green marble table", "green marble countertop", "green stone"),
    "concrete": ("grey concrete", "concrete", "concrete table", "concrete slab", "gray concrete"),
    "linen": ("beige linen", "linen cloth", "linen tablecloth", "linen fabric", "linen"),
    "sand": ("golden sand", "sand", "fine sand", "sandy ground", "beach sand"),
}
WALL_WORDS = {
    "white": ("white",),
    "beige": ("beige", "cream"),
    "grey": ("grey", "gray"),
    "sage": ("sage green", "green", "sage"),
    "blue": ("light blue", "sky blue", "blue"),
    "pink": ("pink", "blush pink", "rose"),
    "terracotta": ("terracotta", "orange", "rust"),
    "navy": ("navy blue", "dark blue", "navy"),
    "yellow": ("yellow", "mustard yellow", "sunny yellow"),
    "charcoal": ("charcoal", "black", "dark"),
}
WALL_FORMS = ("{} wall", "{} background", "{} backdrop", "in front of a {} wall", "against a {} wall", "{} plaster wall")
SIDE_WORDS = {
    "left": ("from the left", "from left", "left side"),
    "right": ("from the right", "from right", "right side"),
    "above": ("from above", "overhead", "from the top"),
}
WARMTH_WORDS = {
    "warm": ("warm light", "golden hour light", "warm sunlight", "evening light"),
    "neutral": ("daylight", "neutral light", "soft light", "studio light"),
    "cool": ("cool light", "cold light", "cool blue light", "morning light"),
}
PATTERN_WORDS = {
    "plain": ("plain", "even", "simple"),
    "window": ("window light", "window shadow on the wall", "light through a window", "sunlit window pattern"),
    "bokeh": ("bokeh lights", "bokeh", "blurred lights in the background", "fairy lights"),
}
PROP_WORDS = {
    "none": ("no props", "empty table"),
    "plant": ("a potted plant", "green plant", "plant in a pot", "green leaves", "a plant"),
    "candle": ("a burning candle", "candle", "a candle", "candle light"),
    "vase": ("a ceramic vase", "vase with dry branches", "a vase", "white vase"),
    "books": ("a stack of books", "books", "stacked books", "old books"),
    "stones": ("stacked stones", "zen stones", "pebbles", "a stack of pebbles"),
    "oranges": ("oranges", "fresh oranges", "citrus fruit", "orange fruit"),
}
PROP_SIDE_FORMS = ("{} on the {}", "{} at the {}", "{} on the {} side", "{} to the {}")
ANGLE_WORDS = {
    "eye-level": ("eye level", "low angle", "front view", "eye level shot"),
    "high": ("high angle", "seen from a high angle", "top down view", "camera looking down"),
}
SURFACE_FORMS = ("{}", "on {}", "on a {}", "{} surface", "placed on {}")
OPENERS = ("product photo", "product photography", "empty scene", "a photo", "product scene", "studio photo", "scene")
FILLERS = (
    "professional",
    "high quality",
    "minimal",
    "elegant",
    "soft shadows",
    "shallow depth of field",
    "realistic",
    "detailed",
    "modern",
    "natural",
    "interior",
    "cosy",
    "luxury",
    "clean",
    "advertising",
    "4k",
)


def draw_scene(rng: np.random.Generator) -> Scene:
    """A scene with every attribute drawn evenly, but for props: one scene in five has none."""
    drawn = {name: str(rng.choice(values)) for name, values in CHOICES.items()}
    props = CHOICES["prop"]
    drawn["prop"] = "none" if rng.random() < 0.2 else str(rng.choice(props[1:]))
    return Scene(**drawn)


def _light(scene: Scene, rng: np.random.Generator) -> str:
    warmth, side = (str(rng.choice(words)) for words in (WARMTH_WORDS[scene.warmth], SIDE_WORDS[scene.side]))
    return f"{warmth} {side}"


def _prop(scene: Scene, rng: np.random.Generator) -> str:
    words = str(rng.choice(PROP_WORDS[scene.prop]))
    return words if scene.prop == "none" else str(rng.choice(PROP_SIDE_FORMS)).format(words, scene.prop_side)


def phrases(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """One phrase for each part of a scene; light speaks of side and warmth, the prop's phrase of its side too."""
    return {
        "surface": str(rng.choice(SURFACE_FORMS)).format(rng.choice(SURFACE_WORDS[scene.surface])),
        "wall": str(rng.choice(WALL_FORMS)).format(rng.choice(WALL_WORDS[scene.wall])),
        "light": _light(scene, rng),
        "pattern": str(rng.choice(PATTERN_WORDS[scene.pattern])),
        "prop": _prop(scene, rng),
        "angle": str(rng.choice(ANGLE_WORDS[scene.angle])),
    }


def whole_caption(scene: Scene, rng: np.random.Generator) -> str:
    """Every part said once, in the usual order: the prompt of the measurement."""
    said = phrases(scene, rng)
    return ", ".join([str(rng.choice(OPENERS)), *said.values()])


def _mumble(rng: np.random.Generator) -> str:
    """A word of no meaning, so that the model learns to pass over words that it does not know."""
    return "".join(rng.choice(list("abcdefghijklmnoprstuvwy"), size=int(rng.integers(3, 9))))


def caption(scene: Scene, rng: np.random.Generator, keep: float = 0.85) -> tuple[str, frozenset[str]]:
    """A training caption and the attributes that it speaks of.

    Parts come in any order, each kept with probability `keep`, with filler words between.
    """
    kept = {part: words for part, words in phrases(scene, rng).items() if rng.random() < keep}
    parts = list(kept.values()) + [str(word) for word in rng.choice(FILLERS, int(rng.integers(0, 3)), replace=False)]
    if rng.random() < 0.15:
        parts.append(_mumble(rng))
    order = rng.permutation(len(parts)) if rng.random() < 0.7 else range(len(parts))
    ordered = [parts[index] for index in order]
    if rng.random() < 0.6:
        ordered.insert(0, str(rng.choice(OPENERS)))
    said = frozenset(name for part in kept for name in asked(scene, part))
    return (", " if rng.random() < 0.85 else " ").join(ordered), said


def asked(scene: Scene, part: str) -> tuple[str, ...]:
    """The attributes that one part of a caption speaks of."""
    if part == "light":
        return ("side", "warmth")
    if part == "prop":
        return ("prop",) if scene.prop == "none" else ("prop", "prop_side")
    return (part,)


def every_word() -> list[str]:
    """The words of all phrasings, each once, most frequent first: what the tokenizer gets whole tokens for."""
    tables = (SURFACE_WORDS, WALL_WORDS, SIDE_WORDS, WARMTH_WORDS, PATTERN_WORDS, PROP_WORDS, ANGLE_WORDS)
    lists = [words for table in tables for words in table.values()]
    lists += [WALL_FORMS, PROP_SIDE_FORMS, SURFACE_FORMS, OPENERS, FILLERS]
    counts: dict[str, int] = {}
    for words in lists:
        for word in " ".join(words).replace("{}", " ").split():
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: (-counts[word], word))
