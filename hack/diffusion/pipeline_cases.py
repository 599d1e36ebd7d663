"""Which requests have a golden picture: what the engine is asked for, in the engine's own words."""

from dataclasses import dataclass

PROMPT = "a red mug on an oak table, soft morning light"
NEGATIVE = "blurry, text"
LONG = ", ".join(["a red mug on an oak table, soft morning light, steam rising"] * 8)


@dataclass(frozen=True)
class Case:
    name: str
    model: str
    prompt: str = PROMPT
    negative: str | None = None
    width: int = 64
    height: int = 64
    steps: int = 10
    guidance: float = 7.5
    rescale: float = 0.0
    # A name of the engine's; without it the folder's own.
    scheduler: str | None = None
    pictures: int = 1
    # Names of example pictures; see pictures.py.
    image: str | None = None
    mask: str | None = None
    strength: float = 1.0
    padding: int | None = None


def cases() -> list[Case]:
    return [
        Case("sd15-text", "sd15"),
        Case("sd15-text-wide", "sd15", width=96),
        Case("sd15-text-tall-unguided", "sd15", height=96, guidance=1.0),
        Case("sd15-text-negative", "sd15", negative=NEGATIVE),
        Case("sd15-text-empty", "sd15", prompt="", negative=NEGATIVE),
        Case("sd15-text-three", "sd15", pictures=3, scheduler="euler"),
        Case("sd15-text-long", "sd15", prompt=LONG, scheduler="dpm++2m"),
        Case("sd15-text-rescaled", "sd15", guidance=12.0, rescale=0.7),
        Case("sd15-text-ancestral", "sd15", scheduler="euler-a", pictures=2),
        Case("sd15-text-karras", "sd15", scheduler="dpm++2m-karras", steps=20),
        Case("sd15-image", "sd15", image="scene", strength=0.6),
        Case("sd15-image-unguided", "sd15", image="scene", strength=0.35, guidance=1.0, scheduler="euler"),
        Case("sd15-image-ancestral", "sd15", image="scene-wide", width=96, strength=0.6, scheduler="euler-a"),
        Case("sd15-image-full", "sd15", image="scene", strength=1.0, scheduler="dpm++2m-karras", pictures=2),
        Case("sd15-inpaint", "sd15", image="scene", mask="ring"),
        Case("sd15-inpaint-part", "sd15", image="scene-wide", mask="ring-wide", width=96, strength=0.6, negative=NEGATIVE),
        Case("sd15-inpaint-euler", "sd15", image="scene", mask="ring", strength=0.75, scheduler="euler", pictures=2),
        # Cut out at the size that is asked for: nothing is resized, and the mask stays hard.
        Case("sd15-inpaint-crop", "sd15", image="large", mask="spot", strength=0.8, padding=12),
        Case("sd15-fp16-text", "sd15-fp16"),
        Case("sd15-fp16-image", "sd15-fp16", image="scene", strength=0.6),
        Case("inpaint9", "inpaint9", image="scene", mask="ring"),
        Case("inpaint9-unguided", "inpaint9", image="scene", mask="ring", guidance=1.0, scheduler="euler-a"),
        Case("inpaint9-soft", "inpaint9", image="scene-wide", mask="soft-wide", width=96, strength=0.8),
        Case("inpaint9-crop", "inpaint9", image="large", mask="blob", padding=8, strength=0.9),
        Case("inpaint9-crop-wide", "inpaint9", image="large", mask="blob", width=96, padding=0, pictures=2),
        Case("sd2-v-text", "sd2-v"),
        Case("sd2-v-text-bang", "sd2-v", prompt="hello! a mug!", negative="no!"),
        Case("sd2-v-text-rescaled", "sd2-v", rescale=0.7, scheduler="euler"),
        Case("sd2-v-text-karras", "sd2-v", scheduler="dpm++2m-karras", negative=NEGATIVE),
        Case("sd2-v-image", "sd2-v", image="scene", strength=0.6),
        Case("sd2-v-inpaint", "sd2-v", image="scene", mask="ring", strength=0.9, scheduler="dpm++2m"),
        Case("turbo-text-1", "turbo", steps=1, guidance=0.0),
        Case("turbo-text-4", "turbo", steps=4, guidance=0.0, pictures=4),
        Case("turbo-image", "turbo", steps=4, guidance=0.0, image="scene", strength=0.5),
        Case("sdxl-text", "sdxl"),
        Case("sdxl-text-negative", "sdxl", negative=NEGATIVE, width=96),
        Case("sdxl-text-negative-empty", "sdxl", negative=""),
        Case("sdxl-text-unguided", "sdxl", guidance=1.0, scheduler="ddim"),
        Case("sdxl-text-rescaled", "sdxl", rescale=0.5, pictures=2),
        Case("sdxl-image", "sdxl", image="scene-wide", width=96, strength=0.6),
        Case("sdxl-inpaint", "sdxl", image="scene", mask="ring", strength=0.8, negative=NEGATIVE),
        Case("lcm-text-4", "lcm", steps=4, guidance=8.5, pictures=2),
        Case("lcm-text-1", "lcm", steps=1, guidance=1.0),
        # diffusers' LCM pipeline takes all four steps, within strength times the way.
        Case("lcm-image", "lcm", steps=4, guidance=8.5, image="scene", strength=0.6),
    ]
