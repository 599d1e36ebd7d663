"""Golden trajectories of diffusers' schedulers on a fake network that both sides can compute.

Every case runs on the same 16 numbers (inputs.json): it starts from `sample` times its initial sigma, or, where it
begins later (strength < 1), from `original` with `noises[0]` added; a scheduler that draws noise gets `noises[i]`
in the i-th step of the full schedule. All arithmetic is the scheduler's own, in float32.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import diffusers
import numpy as np
import torch

from clip_vocabulary import GOLDENS
from scheduler_cases import Case, cases

LENGTH = 16
MOST_STEPS = 50
SEED = 6


def make() -> None:
    folder = GOLDENS / "schedulers"
    folder.mkdir(parents=True, exist_ok=True)
    inputs = _inputs()
    _save(folder / "inputs.json", {name: _numbers(value) for name, value in inputs.items()})
    for name, of in cases().items():
        _save(folder / f"{name}.json", [_run(case, inputs) for case in of])


def fake_network(scaled: torch.Tensor, timestep: float) -> torch.Tensor:
    """float32(0.7 x_j + 0.1 sin(j + t / 100)), worked out in float64."""
    places = torch.arange(scaled.numel(), dtype=torch.float64)
    return (0.7 * scaled.double() + 0.1 * torch.sin(places + timestep / 100)).float()


def _inputs() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return {"sample": normal(LENGTH), "original": normal(LENGTH), "noises": normal(MOST_STEPS, LENGTH)}


def _run(case: Case, inputs: dict[str, torch.Tensor]) -> dict:
    scheduler = _prepared(case)
    timesteps = scheduler.timesteps
    if case.begin == 0:
        sample = inputs["sample"] * scheduler.init_noise_sigma
    else:
        sample = _noised(case, case.begin, inputs)
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(case.begin)
    initial, trajectory = sample, []
    with _noises_of(scheduler, iter(inputs["noises"][case.begin :])):
        for timestep in timesteps[case.begin :]:
            scaled = scheduler.scale_model_input(sample, timestep)
            sample = scheduler.step(fake_network(scaled, float(timestep)), timestep, sample).prev_sample
            trajectory.append(sample)
    noised_at = sorted({0, len(timesteps) // 2, len(timesteps) - 1})
    sigmas = {"sigmas": _numbers(scheduler.sigmas)} if hasattr(scheduler, "sigmas") else {}
    return {
        "name": case.name,
        # As scheduler_config.json has it, and as a folder's own file may leave the rest to the class's defaults.
        "config": {"_class_name": case.scheduler, "_diffusers_version": diffusers.__version__, **case.config},
        **({"setTimesteps": case.set_timesteps} if case.set_timesteps else {}),
        "steps": case.steps,
        "begin": case.begin,
        "initNoiseSigma": float(scheduler.init_noise_sigma),
        "timesteps": _numbers(timesteps),
        **sigmas,
        "noised": [{"index": index, "sample": _numbers(_noised(case, index, inputs))} for index in noised_at],
        "initial": _numbers(initial),
        "trajectory": _numbers(torch.stack(trajectory)),
    }


def _prepared(case: Case) -> diffusers.SchedulerMixin:
    scheduler = getattr(diffusers, case.scheduler).from_config(case.config)
    scheduler.set_timesteps(case.steps, **case.set_timesteps)
    return scheduler


def _noised(case: Case, index: int, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """`original` with the noise of the given step added."""
    scheduler = _prepared(case)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(index)
    return scheduler.add_noise(inputs["original"][None], inputs["noises"][:1], scheduler.timesteps[index : index + 1])[0]


def _noises_of(scheduler: diffusers.SchedulerMixin, noises: Iterator[torch.Tensor]):
    """Gives the scheduler these noises in turn for those that it would draw, whether or not it draws any."""
    return patch(f"{type(scheduler).__module__}.randn_tensor", lambda *_arguments, **_settings: next(noises), create=True)


def _numbers(values: torch.Tensor | np.ndarray) -> list:
    """Lists of the shortest decimals that are the same float32 again."""
    array = values.numpy() if isinstance(values, torch.Tensor) else values
    if array.ndim > 1:
        return [_numbers(row) for row in array]
    return [_shortest(value) for value in array.astype(np.float32)]


def _shortest(value: np.float32) -> int | float:
    number = float(str(value))
    return int(number) if number.is_integer() else number


def _save(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, separators=(",", ":")) + "\n")
