"""Exports a pipeline in the two layouts that Stable Diffusion's ONNX folders have.

`export_optimum` is optimum-onnx's own exporter. `export_diffusers` makes what diffusers' script
`convert_stable_diffusion_checkpoint_to_onnx.py` makes; the script is not part of the package.
"""

import shutil
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from diffusers import (
    DiffusionPipeline,
    OnnxRuntimeModel,
    OnnxStableDiffusionInpaintPipeline,
    OnnxStableDiffusionPipeline,
    StableDiffusionInpaintPipeline,
)
from optimum.exporters.onnx import onnx_export_from_model

OPSET = 14
PICTURE_AXES = {0: "batch", 1: "channels", 2: "height", 3: "width"}


def export_optimum(pipeline: DiffusionPipeline, folder: Path) -> None:
    """Ids are int64, the timestep is a scalar, the VAE's encoder gives mean and logarithm of the variance."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx_export_from_model(pipeline, folder, do_validation=False)


def export_diffusers(pipeline: DiffusionPipeline, folder: Path) -> None:
    """Ids are int32, there is a timestep for each of the batch, the VAE's encoder gives a sample."""
    dtype = pipeline.unet.dtype
    _export(
        _Part(pipeline.text_encoder, lambda model, ids: tuple(model(ids, return_dict=False)[:2])),
        (torch.zeros(1, 77, dtype=torch.int32),),
        folder / "text_encoder",
        {"input_ids": {0: "batch", 1: "sequence"}},
        ["last_hidden_state", "pooler_output"],
    )
    config = pipeline.unet.config
    _export(
        _Part(pipeline.unet, lambda model, *inputs: model(*inputs, return_dict=False)[0]),
        (
            torch.randn(2, config.in_channels, config.sample_size, config.sample_size, dtype=dtype),
            torch.randn(2, dtype=dtype),
            torch.randn(2, 77, config.cross_attention_dim, dtype=dtype),
        ),
        folder / "unet",
        {
            "sample": PICTURE_AXES,
            "timestep": {0: "batch"},
            "encoder_hidden_states": {0: "batch", 1: "sequence"},
        },
        ["out_sample"],
    )
    _weights_apart(folder / "unet" / "model.onnx")
    vae = pipeline.vae
    size = vae.config.sample_size
    _export(
        _Part(vae, lambda model, sample: model.encode(sample, return_dict=False)[0].sample()),
        (torch.randn(1, 3, size, size, dtype=dtype),),
        folder / "vae_encoder",
        {"sample": PICTURE_AXES},
        ["latent_sample"],
    )
    _export(
        _Part(vae, lambda model, latents: model.decode(latents, return_dict=False)[0]),
        (torch.randn(1, vae.config.latent_channels, size // 8, size // 8, dtype=dtype),),
        folder / "vae_decoder",
        {"latent_sample": PICTURE_AXES},
        ["sample"],
    )
    _index(pipeline, folder)


class _Part(torch.nn.Module):
    """A network with the inputs and outputs that its file is to have."""

    def __init__(self, model: torch.nn.Module, forward: object) -> None:
        super().__init__()
        self.model, self.run = model, forward

    def forward(self, *inputs: torch.Tensor) -> object:
        return self.run(self.model, *inputs)


@torch.no_grad()
def _export(part: _Part, inputs: tuple, folder: Path, axes: dict, outputs: list[str]) -> None:
    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part,
            inputs,
            folder / "model.onnx",
            input_names=list(axes),
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _weights_apart(file: Path) -> None:
    """The UNet's weights lie in one file beside its graph: a real one is larger than protobuf's 2 GB."""
    model = onnx.load(file)
    file.unlink()
    onnx.save_model(
        model,
        file,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="weights.pb",
        convert_attribute=False,
    )


def _index(pipeline: DiffusionPipeline, folder: Path) -> None:
    """Tokenizer, scheduler and model_index.json, as the ONNX pipeline saves itself."""
    is_inpainting = isinstance(pipeline, StableDiffusionInpaintPipeline)
    kind = OnnxStableDiffusionInpaintPipeline if is_inpainting else OnnxStableDiffusionPipeline
    parts = ("text_encoder", "unet", "vae_encoder", "vae_decoder")
    saved = kind(
        **{part: OnnxRuntimeModel.from_pretrained(folder / part, provider_options=[{}]) for part in parts},
        tokenizer=pipeline.tokenizer,
        scheduler=pipeline.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with tempfile.TemporaryDirectory() as temporary:
        saved.save_pretrained(temporary)
        for name in ("model_index.json", "tokenizer", "scheduler"):
            shutil.move(Path(temporary) / name, folder / name)
