"""Small random models of each family: the shapes of the real ones in everything but width, from fixed seeds.

Their VAEs' variance is next to nothing (1e-13): the older layout's encoder draws a sample inside the network, which
nobody can repeat, and so it is its mean within rounding.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from clip_vocabulary import EOS, merges, vocabulary, write_tokenizer

MERGES = 486
TEXT_WIDTH = 16
PROJECTION = 8
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
DDIM = {**BETAS, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
LOGVAR = -30.0


@dataclass(frozen=True)
class Family:
    name: str
    seed: int
    scheduler: object
    pipeline: type[DiffusionPipeline] = StableDiffusionPipeline
    unet: dict = field(default_factory=dict)
    pad: str = EOS
    scaling: float = 0.18215


def families() -> dict[str, Family]:
    euler = EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1)
    heads = {"attention_head_dim": [2, 4], "use_linear_projection": True}
    xl = {
        **heads,
        "cross_attention_dim": 2 * TEXT_WIDTH,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + PROJECTION,
        "transformer_layers_per_block": [1, 2],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    }
    turbo = EulerDiscreteScheduler(**BETAS, timestep_spacing="trailing", steps_offset=1)
    v = DDIMScheduler(**DDIM, prediction_type="v_prediction")
    all_of_them = [
        Family("sd15", 15, DDIMScheduler(**DDIM)),
        Family("sd2-v", 21, v, unet=heads, pad="!"),
        Family("turbo", 22, turbo, unet=heads, pad="!"),
        Family("inpaint9", 9, DDIMScheduler(**DDIM), StableDiffusionInpaintPipeline, {"in_channels": 9}),
        Family("sdxl", 30, euler, StableDiffusionXLPipeline, xl, scaling=0.13025),
        Family("lcm", 40, LCMScheduler(**BETAS), LatentConsistencyModelPipeline, {"time_cond_proj_dim": 16}),
    ]
    return {family.name: family for family in all_of_them}


def build(family: Family) -> DiffusionPipeline:
    """The torch pipeline in fp32; the same weights in every run."""
    torch.manual_seed(family.seed)
    parts = {
        "text_encoder": CLIPTextModel(_text_config("quick_gelu" if family.pad == EOS else "gelu")),
        "unet": UNet2DConditionModel(**_UNET | family.unet),
        "vae": _vae(family.scaling),
        "scheduler": family.scheduler,
        "tokenizer": _tokenizer(family.pad),
    }
    if family.pipeline is StableDiffusionXLPipeline:
        parts["text_encoder_2"] = CLIPTextModelWithProjection(_text_config("gelu"))
        parts["tokenizer_2"] = _tokenizer("!")
    else:
        parts |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    pipeline = family.pipeline(**parts)
    for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
        if (network := getattr(pipeline, name, None)) is not None:
            network.eval()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


_UNET = {
    "sample_size": 8,
    "in_channels": 4,
    "block_out_channels": [8, 16],
    "layers_per_block": 1,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}


def _vae(scaling: float) -> AutoencoderKL:
    vae = AutoencoderKL(
        block_out_channels=[4, 4, 8, 8],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        norm_num_groups=2,
        sample_size=64,
        scaling_factor=scaling,
    )
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = LOGVAR
    return vae


def _text_config(activation: str) -> CLIPTextConfig:
    size = len(vocabulary(merges()[:MERGES]))
    return CLIPTextConfig(
        vocab_size=size,
        bos_token_id=size - 2,
        eos_token_id=size - 1,
        hidden_size=TEXT_WIDTH,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        projection_dim=PROJECTION,
        hidden_act=activation,
    )


def _tokenizer(pad: str) -> CLIPTokenizer:
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(Path(folder), merges()[:MERGES], pad)
        return CLIPTokenizer.from_pretrained(folder)
