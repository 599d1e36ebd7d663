"""Writes the trained model as a folder of ONNX files in the layout of diffusers' ONNX pipelines.

    python export.py --work DIR [--to ../../../gpu-runner/diffusion/scene-model]

Weights are stored as fp16 and cast to fp32 where they are used: half the bytes in the repository, and ONNX Runtime
folds the casts at load, so a CPU computes in fp32 as fast as ever (its fp16 kernels are slower, or missing). Sizes of
batch and picture stay free. Every part is compared with torch before the folder is left.
"""

import argparse
import json
from pathlib import Path

import diffusers
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from parts import FACTOR, SCHEDULE, SIZES, TEXT_WIDTH, new_text_encoder, new_tokenizer, new_unet
from train_decoder import trained_vae
from vocabulary import LENGTH, write_tokenizer

OPSET = 17
SMALLEST_HALVED = 256
"""Values of an initializer below which halving saves nothing: shapes and other constants stay as they are."""
STEPS, GUIDANCE = 20, 2.5
CLOSE = 2e-4
OWN_FOLDER = Path(__file__).parents[3] / "gpu-runner/diffusion/scene-model"


class TextPart(nn.Module):
    def __init__(self, encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids):
        out = self.encoder(input_ids)
        return out.last_hidden_state, out.pooler_output


class UnetPart(nn.Module):
    def __init__(self, unet) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


def load_parts(work: Path):
    """(text encoder, UNet, VAE, scaling factor) with weights rounded to what fp16 can hold."""
    tokenizer = new_tokenizer(work / "tokenizer")
    kept = torch.load(work / "unet.pt")
    text, unet, vae = new_text_encoder(tokenizer), new_unet(), trained_vae(work)
    text.load_state_dict(torch.load(work / "text.pt"))
    unet.load_state_dict(kept["average"])
    for part in (text, unet, vae):
        for weight in part.parameters():
            weight.data = weight.data.half().float()
        part.eval().requires_grad_(False)
    return text, unet, vae, kept["scaling_factor"]


def _halved(model: onnx.ModelProto) -> onnx.ModelProto:
    graph, casts = model.graph, []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < SMALLEST_HALVED:
            continue
        name, half = weight.name, numpy_helper.to_array(weight).astype(np.float16)
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def _export(part: nn.Module, file: Path, inputs: dict[str, torch.Tensor], outputs: dict[str, dict[int, str]]) -> None:
    free = {
        "input_ids": {0: "batch", 1: "sequence"},
        "sample": {0: "batch", 2: "height", 3: "width"},
        "latent_sample": {0: "batch", 2: "height", 3: "width"},
        "timestep": {0: "timesteps"},
        "encoder_hidden_states": {0: "batch", 1: "sequence"},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        part,
        tuple(inputs.values()),
        str(file),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={**{name: free[name] for name in inputs}, **outputs},
        opset_version=OPSET,
        do_constant_folding=True,
        dynamo=False,
    )
    onnx.save(_halved(onnx.load(file)), file)


def _difference(part: nn.Module, file: Path, inputs: dict[str, torch.Tensor]) -> float:
    """Largest difference between torch's and ONNX Runtime's answers."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    ours = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    theirs = part(*inputs.values())
    pairs = zip(ours, theirs if isinstance(theirs, tuple) else (theirs,))
    return max(float(np.abs(a - b.numpy()).max()) for a, b in pairs)


def _latents(batch: int, size: tuple[int, int]) -> torch.Tensor:
    return torch.randn(batch, 4, size[1] // FACTOR, size[0] // FACTOR)


def _unet_inputs(batch: int, size: tuple[int, int], timesteps: list[float]) -> dict[str, torch.Tensor]:
    states = torch.randn(batch, LENGTH, TEXT_WIDTH)
    return {"sample": _latents(batch, size), "timestep": torch.tensor(timesteps), "encoder_hidden_states": states}


def export_networks(work: Path, to: Path) -> tuple[dict[str, float], float]:
    """Writes the four networks; gives each one's largest difference from torch, and the latents' scaling factor."""
    text, unet, vae, scaling_factor = load_parts(work)
    picture = {0: "batch", 2: "height", 3: "width"}
    ids = torch.randint(0, 900, (2, LENGTH), dtype=torch.int32)
    states = {"last_hidden_state": {0: "batch", 1: "sequence"}, "pooler_output": {0: "batch"}}
    one, other = SIZES[0], SIZES[1]
    planes = torch.rand(2, 3, one[1], one[0]) * 2 - 1
    jobs = {
        "text_encoder": (TextPart(text), {"input_ids": ids}, states, [{"input_ids": ids[:1]}]),
        "unet": (
            UnetPart(unet),
            _unet_inputs(2, one, [500.0, 20.0]),
            {"out_sample": picture},
            [_unet_inputs(4, other, [999.0]), _unet_inputs(1, SIZES[2], [49.0])],
        ),
        "vae_encoder": (vae.encoder, {"sample": planes}, {"latent_sample": picture}, [{"sample": planes[:1, :, :64]}]),
        "vae_decoder": (
            vae.decoder,
            {"latent_sample": _latents(2, one)},
            {"sample": picture},
            [{"latent_sample": _latents(1, other)}],
        ),
    }
    differences = {}
    for name, (part, inputs, outputs, others) in jobs.items():
        file = to / name / "model.onnx"
        with torch.no_grad():
            _export(part, file, inputs, outputs)
            differences[name] = max(_difference(part, file, given) for given in (inputs, *others))
    for name, part in (("text_encoder", text), ("unet", unet)):
        (to / name / "config.json").write_text(_config(part))
    for name in ("vae_encoder", "vae_decoder"):
        (to / name / "config.json").write_text(_config(vae, scaling_factor=scaling_factor))
    return differences, scaling_factor


def _config(part, **more) -> str:
    if hasattr(part.config, "to_dict"):
        config = part.config.to_dict()
    else:
        # Which values were left to their defaults is a set: sorted, so that the same model is the same file.
        defaults = sorted(part.config.get("_use_default_values", []))
        config = {"_class_name": type(part).__name__, **part.config, "_use_default_values": defaults}
    return json.dumps({**config, **more}, indent=2, default=str) + "\n"


def write_index(to: Path) -> None:
    """model_index.json, with what the model was made for, and the scheduler's settings."""
    index = {
        "_class_name": "OnnxStableDiffusionPipeline",
        "_diffusers_version": diffusers.__version__,
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
        "text_encoder": ["diffusers", "OnnxRuntimeModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "OnnxRuntimeModel"],
        "vae_decoder": ["diffusers", "OnnxRuntimeModel"],
        "vae_encoder": ["diffusers", "OnnxRuntimeModel"],
        "opal": {"steps": STEPS, "guidance": GUIDANCE, "sizes": SIZES},
    }
    (to / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    own = {"solver_order": 2, "algorithm_type": "dpmsolver++", "solver_type": "midpoint", "lower_order_final": True}
    config = {
        "_class_name": "DPMSolverMultistepScheduler",
        "_diffusers_version": diffusers.__version__,
        **SCHEDULE,
        **own,
        "final_sigmas_type": "zero",
        "use_karras_sigmas": False,
        "thresholding": False,
        "steps_offset": 0,
    }
    (to / "scheduler").mkdir(parents=True, exist_ok=True)
    (to / "scheduler/scheduler_config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="the folder that train.py worked in")
    parser.add_argument("--to", type=Path, default=OWN_FOLDER)
    asked = parser.parse_args()
    torch.manual_seed(0)
    asked.to.mkdir(parents=True, exist_ok=True)
    write_index(asked.to)
    write_tokenizer(asked.to / "tokenizer")
    differences, scaling_factor = export_networks(asked.work, asked.to)
    sizes = {name: (asked.to / name / "model.onnx").stat().st_size for name in differences}
    print(json.dumps({"differences": differences, "bytes": sizes, "scaling_factor": scaling_factor}))
    far = [name for name, difference in differences.items() if difference > CLOSE]
    if far:
        raise SystemExit(f"not as torch computes it: {', '.join(far)}")


if __name__ == "__main__":
    main()
