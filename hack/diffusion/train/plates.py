"""Paints plates with the exported folder, as the product does: ONNX Runtime, 20 steps, guidance.

    python plates.py --prompt "white marble, sage green wall, a potted plant on the left" --to plate.png
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from PIL import Image

from export import OWN_FOLDER
from parts import FACTOR, new_tokenizer
from train_text import token_ids

SCHEDULERS = {"dpm": DPMSolverMultistepScheduler, "ddim": DDIMScheduler}


@dataclass(frozen=True)
class Settings:
    steps: int = 20
    guidance: float = 2.5
    scheduler: str = "dpm"


class Painter:
    """The networks of one folder, opened once."""

    def __init__(self, folder: Path = OWN_FOLDER, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._networks = {
            name: onnxruntime.InferenceSession(folder / name / "model.onnx", options, ["CPUExecutionProvider"])
            for name in ("text_encoder", "unet", "vae_decoder")
        }
        self._tokenizer = new_tokenizer(folder / "tokenizer")
        self._schedule = json.loads((folder / "scheduler/scheduler_config.json").read_text())
        self._scaling = json.loads((folder / "vae_decoder/config.json").read_text())["scaling_factor"]

    def _run(self, name: str, **inputs: np.ndarray) -> np.ndarray:
        return self._networks[name].run(None, inputs)[0]

    def _states(self, prompts: list[str]) -> np.ndarray:
        ids = token_ids(self._tokenizer, [""] * len(prompts) + prompts).numpy().astype(np.int32)
        return self._run("text_encoder", input_ids=ids)

    def paint(self, prompts: list[str], size: tuple[int, int], seed: int, settings: Settings) -> np.ndarray:
        """One plate a prompt, uint8 [n, height, width, 3]; size: (width, height)."""
        scheduler = SCHEDULERS[settings.scheduler].from_config(self._schedule)
        scheduler.set_timesteps(settings.steps)
        states = self._states(prompts)
        shape = (len(prompts), 4, size[1] // FACTOR, size[0] // FACTOR)
        latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        for time in scheduler.timesteps:
            pair = torch.cat([latents, latents]).numpy()
            answer = torch.from_numpy(
                self._run(
                    "unet",
                    sample=pair,
                    timestep=np.array([float(time)], np.float32),
                    encoder_hidden_states=states,
                )
            )
            without, told = answer.chunk(2)
            latents = scheduler.step(without + settings.guidance * (told - without), time, latents).prev_sample
        planes = self._run("vae_decoder", latent_sample=(latents / self._scaling).numpy())
        return ((planes.transpose(0, 2, 3, 1) + 1) * 127.5).round().clip(0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    [plate] = Painter().paint([asked.prompt], (asked.width, asked.height), asked.seed, Settings())
    Image.fromarray(plate).save(asked.to)


if __name__ == "__main__":
    main()
