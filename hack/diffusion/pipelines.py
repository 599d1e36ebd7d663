"""Golden pictures: diffusers' own pipelines on the tiny models, in torch on the CPU in fp32.

Random numbers are given and recorded, not drawn: `draw` 0 is the first noise, `draw` n + 1 that of step n of the
full schedule. A VAE's sample is its mean. What the same pipelines give when onnxruntime runs the exported networks
is measured beside: so near can an engine come that does everything else right.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import torch
from PIL import Image

from clip_vocabulary import GOLDENS
from given_noise import GivenNoise
from golden_files import Tensors, fresh_folder, put_in_place
from onnx_networks import use_onnx_networks
from pictures import pictures
from pipeline_cases import Case, cases
from tiny_models import build, families

SCHEDULERS = {
    "ddim": ("DDIMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {"use_karras_sigmas": False}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "dpm++2m": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": False}),
    "dpm++2m-karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
}
CHUNK = 75


def make() -> None:
    # Networks so small lose more by sharing the work than they win.
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    folder = fresh_folder("pipelines")
    shared = Tensors(folder, "pictures")
    examples = pictures()
    drawn = {name: shared.add(picture) for name, picture in examples.items()}
    goldens = [_golden(case, folder, drawn, examples) for case in cases()]
    shared.close()
    (folder / "goldens.json").write_text(json.dumps(goldens, indent=1) + "\n")
    put_in_place(folder)


@dataclass(frozen=True)
class Made:
    latents: np.ndarray
    pixels: np.ndarray
    draws: dict[int, np.ndarray]


def _golden(case: Case, folder: Path, drawn: dict[str, dict], examples: dict[str, np.ndarray]) -> dict:
    made = _make(case, _pipeline(case), examples)
    with_onnx = _pipeline(case)
    use_onnx_networks(with_onnx, GOLDENS / "models" / case.model)
    other = _make(case, with_onnx, examples)
    tensors = Tensors(folder, case.name)
    start = {"image": drawn[case.image], "strength": case.strength} if case.image else None
    if start and case.mask:
        start |= {"mask": drawn[case.mask], "cropPadding": case.padding}
    golden = {
        "name": case.name,
        "model": case.model,
        "prompt": case.prompt,
        "negativePrompt": case.negative,
        "width": case.width,
        "height": case.height,
        "steps": case.steps,
        "guidance": case.guidance,
        "guidanceRescale": case.rescale or None,
        "scheduler": case.scheduler,
        "pictures": case.pictures,
        "from": start,
        "draws": [{"draw": draw, "noise": tensors.add(noise)} for draw, noise in made.draws.items()],
        "latents": tensors.add(made.latents),
        "pixels": tensors.add(made.pixels),
        "onnxruntime": {
            "latents": float(f"{np.abs(made.latents - other.latents).max():.2g}"),
            "pixels": int(np.abs(made.pixels.astype(int) - other.pixels.astype(int)).max()),
        },
    }
    tensors.close()
    return _without_none(golden)


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value


def _pipeline(case: Case) -> diffusers.DiffusionPipeline:
    """In fp32 always; the weights of fp16 folders are those that fp16 has."""
    pipeline = build(families()[case.model.removesuffix("-fp16")])
    if case.model.endswith("-fp16"):
        pipeline.to(torch.float16).to(torch.float32)
    # As the folder's file has it: a scheduler made in code remembers which options were not said.
    name = type(pipeline.scheduler).__name__
    config = json.loads((GOLDENS / "models" / case.model / "scheduler" / "scheduler_config.json").read_text())
    name, changes = SCHEDULERS.get(case.scheduler, (name, {}))
    scheduler = getattr(diffusers, name).from_config({**config, **changes})
    kinds = {(True, False): diffusers.AutoPipelineForImage2Image, (True, True): diffusers.AutoPipelineForInpainting}
    kind = kinds.get((case.image is not None, case.mask is not None), diffusers.AutoPipelineForText2Image)
    changed = kind.from_pipe(pipeline, scheduler=scheduler)
    changed.set_progress_bar_config(disable=True)
    return changed


def _make(case: Case, pipeline: diffusers.DiffusionPipeline, examples: dict[str, np.ndarray]) -> Made:
    ends: list[torch.Tensor] = []

    def remember(_pipeline: object, _step: int, _timestep: object, state: dict) -> dict:
        ends.append(state["latents"])
        return state

    with GivenNoise(seed=len(case.name) + sum(case.name.encode())) as given:
        images = pipeline(**_arguments(case, pipeline, examples), callback_on_step_end=remember).images
    # A pipeline that takes all its steps within a part of the way has no steps before its first.
    first = len(pipeline.scheduler.timesteps) - len(ends)
    draws = {0: given.draws[0], **{first + index: noise for index, noise in enumerate(given.draws[1:], 1)}}
    pixels = np.stack([np.asarray(image) for image in images])
    return Made(ends[-1].numpy(), pixels, {draw: noise.numpy() for draw, noise in draws.items()})


def _arguments(case: Case, pipeline: diffusers.DiffusionPipeline, examples: dict[str, np.ndarray]) -> dict:
    arguments = {
        "num_inference_steps": case.steps,
        "guidance_scale": case.guidance,
        "num_images_per_prompt": case.pictures,
        **_words(case, pipeline),
    }
    if case.rescale:
        arguments["guidance_rescale"] = case.rescale
    if case.image is None or case.mask is not None:
        arguments |= {"width": case.width, "height": case.height}
    if case.image is not None:
        # One for each: diffusers repeats a single one for several prompts only, and not in every pipeline.
        arguments |= {"image": Image.fromarray(examples[case.image]), "strength": case.strength}
    if case.mask is not None:
        arguments |= {"mask_image": Image.fromarray(examples[case.mask])}
    if case.padding is not None:
        arguments |= {"padding_mask_crop": case.padding}
    return arguments


def _words(case: Case, pipeline: diffusers.DiffusionPipeline) -> dict:
    """The prompt as it is, or, where it is longer than a chunk, read chunk by chunk: diffusers would cut it."""
    if len(pipeline.tokenizer(case.prompt)["input_ids"]) <= CHUNK + 2:
        negative = {} if case.negative is None else {"negative_prompt": case.negative}
        return {"prompt": case.prompt} | negative
    ids = pipeline.tokenizer(case.prompt)["input_ids"]
    bos, *words, eos = ids
    chunks = [[bos, *words[at : at + CHUNK], eos] for at in range(0, len(words), CHUNK)]
    padded = [chunk + [pipeline.tokenizer.pad_token_id] * (CHUNK + 2 - len(chunk)) for chunk in chunks]
    empty = [[bos, eos] + [pipeline.tokenizer.pad_token_id] * CHUNK] * len(chunks)
    with torch.no_grad():
        read = [torch.cat([pipeline.text_encoder(torch.tensor([ids]))[0] for ids in of], 1) for of in (padded, empty)]
    return {"prompt_embeds": read[0], "negative_prompt_embeds": read[1]}
