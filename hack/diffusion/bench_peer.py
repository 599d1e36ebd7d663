"""diffusers in torch, or its own ONNX pipeline, measured step by step, as a program of lines.

Run:  python bench_peer.py torch|onnx FOLDER SIZE THREADS
Takes lines {"steps": N, "guidance": G} on stdin; answers {"stepSeconds": [...]}: between the ends of two steps.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import diffusers
import numpy as np
import onnxruntime
import torch
from diffusers import DDIMScheduler, OnnxRuntimeModel, OnnxStableDiffusionPipeline
from transformers import CLIPTokenizer

from bench_models import SIZES, bench_family
from tiny_models import build

PROMPT = "a red mug on an oak table, soft morning light"
OnStep = Callable[[], None]


def torch_peer(size: str) -> Callable[[int, float, OnStep], None]:
    pipeline = build(bench_family(size))

    def run(steps: int, guidance: float, on_step: OnStep) -> None:
        def end(_pipeline: object, _step: int, _timestep: object, state: dict) -> dict:
            on_step()
            return state

        pipeline(PROMPT, **_request(size, steps, guidance), callback_on_step_end=end)

    return run


def onnx_peer(folder: Path, size: str, threads: int) -> Callable[[int, float, OnStep], None]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads

    def network(part: str) -> OnnxRuntimeModel:
        file = folder / size / part / "model.onnx"
        return OnnxRuntimeModel(onnxruntime.InferenceSession(file, options, ["CPUExecutionProvider"]))

    pipeline = OnnxStableDiffusionPipeline(
        **{part: network(part) for part in ("text_encoder", "unet", "vae_encoder", "vae_decoder")},
        tokenizer=CLIPTokenizer.from_pretrained(folder / size / "tokenizer"),
        scheduler=DDIMScheduler.from_pretrained(folder / size / "scheduler"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)

    def run(steps: int, guidance: float, on_step: OnStep) -> None:
        request = _request(size, steps, guidance)
        seed = np.random.RandomState(0)
        pipeline(PROMPT, **request, generator=seed, callback=lambda *_: on_step(), callback_steps=1)

    return run


def _request(size: str, steps: int, guidance: float) -> dict:
    side = SIZES[size][2] * 8
    return {"width": side, "height": side, "num_inference_steps": steps, "guidance_scale": guidance}


def main(kind: str, folder: str, size: str, threads: str) -> None:
    diffusers.utils.logging.set_verbosity_error()
    torch.set_num_threads(int(threads))
    run = torch_peer(size) if kind == "torch" else onnx_peer(Path(folder), size, int(threads))
    for line in sys.stdin:
        task = json.loads(line)
        ends: list[float] = []
        run(task["steps"], task["guidance"], lambda: ends.append(time.perf_counter()))
        print(json.dumps({"stepSeconds": np.diff(ends).tolist()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
