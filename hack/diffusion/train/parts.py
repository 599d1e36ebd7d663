"""The scene model's parts, in diffusers' and transformers' classes, and its noise schedule."""

from pathlib import Path

from diffusers import AutoencoderTiny, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from vocabulary import LENGTH

SIZES = ((192, 192), (256, 192), (160, 288))
"""Native pictures, (width, height) in pixels: 1:1, 4:3, 9:16. Any multiple of 32 works."""
FACTOR = 8
TEXT_WIDTH = 96

SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.03,
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "clip_sample": False,
}
"""beta_end is above Stable Diffusion's 0.012: with its schedule the last step still shows a picture's mean brightness,
which pure noise does not have, so dark and bright scenes would come out half grey."""


def new_tokenizer(folder: Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(folder)


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        projection_dim=TEXT_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def new_vae() -> AutoencoderTiny:
    """Without normalisation, so what it learns from small cuts holds for whole pictures and for tiles."""
    width = (32, 32, 32, 32)
    return AutoencoderTiny(
        encoder_block_out_channels=width,
        decoder_block_out_channels=width,
        num_encoder_blocks=(0, 0, 1, 2),
        num_decoder_blocks=(3, 2, 0, 0),
    )


def new_unet() -> UNet2DConditionModel:
    """The prompt acts twice: by cross attention at the lowest level, and pooled beside the time (IF's way)."""
    return UNet2DConditionModel(
        sample_size=SIZES[0][0] // FACTOR,
        in_channels=4,
        out_channels=4,
        block_out_channels=(32, 64, 128),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )


def new_scheduler() -> DDPMScheduler:
    return DDPMScheduler(**SCHEDULE)
