"""Puts the networks of an ONNX folder in the place of a torch pipeline's own; everything else stays as it is."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import DiffusionPipeline
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.clip.modeling_clip import CLIPTextModelOutput

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


class Network:
    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", options, ["CPUExecutionProvider"])
        self.inputs = {port.name: port for port in self.session.get_inputs()}

    def __call__(self, **feeds: object) -> dict[str, torch.Tensor]:
        given = {name: np.asarray(value, TYPES[self.inputs[name].type]) for name, value in feeds.items()}
        names = [port.name for port in self.session.get_outputs()]
        outputs = self.session.run(names, given)
        return {name: torch.from_numpy(output.astype(np.float32)) for name, output in zip(names, outputs)}


def use_onnx_networks(pipeline: DiffusionPipeline, folder: Path) -> None:
    for part in ("text_encoder", "text_encoder_2"):
        if getattr(pipeline, part, None) is not None:
            getattr(pipeline, part).forward = _text_encoder(Network(folder / part))
    pipeline.unet.forward = _unet(Network(folder / "unet"))
    encoder, decoder = Network(folder / "vae_encoder"), Network(folder / "vae_decoder")
    pipeline.vae.encode = _encode(encoder)

    def decode(latents: torch.Tensor, return_dict: bool = True, **_rest: object) -> object:
        sample = decoder(latent_sample=latents)["sample"]
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    pipeline.vae.decode = decode


def _text_encoder(network: Network) -> object:
    def forward(input_ids: torch.Tensor, **_rest: object) -> object:
        outputs = network(input_ids=input_ids)
        layers = [name for name in outputs if name.startswith("hidden_states.")]
        hidden = tuple(outputs[f"hidden_states.{index}"] for index in range(len(layers)))
        if "text_embeds" in outputs:
            return CLIPTextModelOutput(outputs["text_embeds"], outputs["last_hidden_state"], hidden_states=hidden)
        return BaseModelOutputWithPooling(outputs["last_hidden_state"], outputs["pooler_output"], hidden_states=hidden)

    return forward


def _unet(network: Network) -> object:
    def forward(
        sample: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        timestep_cond: torch.Tensor | None = None,
        added_cond_kwargs: dict | None = None,
        **_rest: object,
    ) -> tuple[torch.Tensor]:
        is_scalar = len(network.inputs["timestep"].shape) == 0
        time = timestep if is_scalar else timestep.expand(len(sample))
        more = dict(added_cond_kwargs or {}) | ({} if timestep_cond is None else {"timestep_cond": timestep_cond})
        feeds = {"sample": sample, "timestep": time, "encoder_hidden_states": encoder_hidden_states, **more}
        return (network(**feeds)["out_sample"],)

    return forward


def _encode(network: Network) -> object:
    def encode(sample: torch.Tensor, **_rest: object) -> AutoencoderKLOutput:
        outputs = network(sample=sample)
        if "latent_parameters" in outputs:
            return AutoencoderKLOutput(DiagonalGaussianDistribution(outputs["latent_parameters"]))
        mean = outputs["latent_sample"]
        parameters = torch.cat([mean, torch.full_like(mean, -30.0)], 1)
        return AutoencoderKLOutput(DiagonalGaussianDistribution(parameters))

    return encode
