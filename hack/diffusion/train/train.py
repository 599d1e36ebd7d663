"""Trains the scene model from nothing: text encoder, VAE, UNet, on scenes that scenes.py renders.

    python train.py --work DIR --minutes 90

One command, five stages: render the set, teach the text encoder to read captions, the VAE to keep pictures, its
decoder to sharpen them, the UNet to paint latents. Every stage leaves its result in DIR and is skipped when it is
there; the UNet's checkpoint is renewed every two minutes, so the same command goes on after a stop. Then export.py
makes the ONNX folder from DIR, and attributes.py measures it.
"""

import argparse
from pathlib import Path

import torch

from parts import new_text_encoder, new_tokenizer, new_unet, new_vae
from pictures import rendered
from train_decoder import train_decoder
from train_text import train_text
from train_unet import train_unet
from train_vae import encode_set, train_vae
from training_log import log_to
from vocabulary import write_tokenizer

# Shares of the minutes; what is left is the UNet's.
TEXT_SHARE, VAE_SHARE, DECODER_SHARE = 0.05, 0.12, 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where the set, checkpoints and the log are kept")
    parser.add_argument("--minutes", type=float, default=90, help="time for the whole, the rendering aside")
    parser.add_argument("--scenes", type=int, default=4200, help="how many scenes are rendered")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="more only pay on cores that nobody else uses")
    asked = parser.parse_args()

    torch.manual_seed(asked.seed)
    torch.set_num_threads(asked.threads)
    asked.work.mkdir(parents=True, exist_ok=True)
    log = log_to(asked.work)
    seconds = asked.minutes * 60

    write_tokenizer(asked.work / "tokenizer")
    tokenizer = new_tokenizer(asked.work / "tokenizer")
    scenes, pictures = rendered(asked.work, asked.seed, asked.scenes)

    text_encoder = new_text_encoder(tokenizer)
    train_text(text_encoder, tokenizer, asked.work / "text.pt", seconds * TEXT_SHARE, log)
    vae = new_vae()
    train_vae(vae, pictures, asked.work / "vae.pt", seconds * VAE_SHARE, log)
    latents = encode_set(vae, pictures, asked.work / "latents.pt", log)
    decoder = asked.work / "decoder.pt"
    if not decoder.exists():
        train_decoder(vae, pictures, decoder, seconds * DECODER_SHARE, log)
    left = seconds * (1 - TEXT_SHARE - VAE_SHARE - DECODER_SHARE)
    train_unet(new_unet(), (text_encoder, tokenizer), (scenes, latents), asked.work / "unet.pt", (left, asked.batch), log)


if __name__ == "__main__":
    main()
