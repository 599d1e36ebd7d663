"""Teaches the UNet to take noise out of latents, told by captions: v-prediction, one caption in ten dropped.

The learning rate falls with the time that is used up, so the model is finished whenever the time ends.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from captions import Scene, caption
from parts import new_scheduler
from train_text import token_ids

PEAK = 1e-3
DROPPED = 0.1
CHECKPOINT_SECONDS = 120


@dataclass
class Run:
    """What a checkpoint holds beside the weights' own states."""

    step: int = 0
    seconds: float = 0.0


class Average:
    """Moving average of weights whose memory grows with the steps made, up to 1/(1-0.998)."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def add(self, model: torch.nn.Module, step: int) -> None:
        keep = min(0.998, (1 + step) / (10 + step))
        values = [value for value in model.state_dict().values()]
        torch._foreach_lerp_(list(self.weights.values()), values, 1 - keep)


def _spread_timesteps(count: int) -> torch.Tensor:
    """One timestep from each of `count` equal spans, in any order: less variance than independent draws."""
    spans = (torch.arange(count) + torch.rand(count)) / count
    return (spans * 1000).long()[torch.randperm(count)]


def _draw(group: tuple[list[Scene], torch.Tensor], count: int, rng: np.random.Generator) -> tuple[torch.Tensor, list[str]]:
    scenes, latents = group
    picked = rng.integers(len(scenes), size=count)
    said = [caption(scenes[index], rng)[0] if rng.random() >= DROPPED else "" for index in picked]
    return latents[torch.from_numpy(picked)], said


def _save(file: Path, state: dict) -> None:
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)


@torch.no_grad()
def _start_silent(unet) -> None:
    """Branches whose last layer is zero: the deep network begins as a shallow one and learns sooner."""
    for name, layer in unet.named_modules():
        if name.endswith(("conv2", "proj_out", "conv_out")):
            layer.weight.zero_()
            layer.bias.zero_()


def train_unet(unet, reader, data, file: Path, budget: tuple[float, int], log) -> None:
    """Trains for budget = (seconds, batch), going on from `file`.

    reader: (text encoder, tokenizer); data: (scenes by size, what encode_set gave). `file` gets the weights, their
    average (what export.py takes), the optimiser's state and the time used.
    """
    seconds, batch = budget
    _start_silent(unet)
    unet.train().to(memory_format=torch.channels_last)
    average, run = Average(unet), Run()
    optimiser = torch.optim.AdamW(unet.parameters(), lr=PEAK, weight_decay=0.01, betas=(0.9, 0.99), fused=True)
    if file.exists():
        kept = torch.load(file)
        unet.load_state_dict(kept["unet"])
        average.weights = kept["average"]
        optimiser.load_state_dict(kept["optimiser"])
        run = Run(**kept["run"])
    groups = list(zip(data[0], data[1]["latents"]))
    noises, rng = new_scheduler(), np.random.default_rng([9, run.step])
    started, saved, losses = time.time() - run.seconds, time.time(), []

    def keep() -> None:
        run.seconds = time.time() - started
        state = {"unet": unet.state_dict(), "average": average.weights, "optimiser": optimiser.state_dict()}
        _save(file, {**state, "run": vars(run), "scaling_factor": data[1]["scaling_factor"]})

    while (progress := (time.time() - started) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = PEAK * min(1, (run.step + 1) / 100) * (1 - progress) + 1e-5
        losses.append(_step(unet, reader, (groups[run.step % len(groups)], batch), noises, optimiser, rng))
        average.add(unet, run.step)
        run.step += 1
        if run.step % 20 == 0:
            log(stage="unet", step=run.step, loss=round(float(np.mean(losses)), 4), progress=round(progress, 4))
            losses = []
        if time.time() - saved > CHECKPOINT_SECONDS:
            keep()
            saved = time.time()
    keep()


def _step(unet, reader, draw, noises, optimiser, rng: np.random.Generator) -> float:
    (text_encoder, tokenizer), (group, batch) = reader, draw
    latents, said = _draw(group, batch, rng)
    with torch.no_grad():
        states = text_encoder(token_ids(tokenizer, said)).last_hidden_state
    times, noise = _spread_timesteps(batch), torch.randn_like(latents)
    noisy = noises.add_noise(latents, noise, times).contiguous(memory_format=torch.channels_last)
    wanted = noises.get_velocity(latents, noise, times)
    loss = (unet(noisy, times, states).sample - wanted).square().mean()
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(unet.parameters(), 1)
    optimiser.step()
    return loss.item()
