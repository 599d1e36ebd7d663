"""Teaches the VAE's decoder alone to sharpen: the latents stay as they are, so it may learn beside or after the UNet.

    python train_decoder.py --work DIR --minutes 15

A cell's four numbers tell where in the cell an edge lies; finding it again takes longer than the latents could wait.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from parts import new_vae
from pictures import rendered
from train_vae import Pictures, cuts_of
from training_log import log_to

PEAK = 1.5e-3
NOISE = 0.16
"""Deviation of the noise on latents: about what the UNet leaves in its own, which the decoder thus learns to smooth."""
CHECKPOINT_SECONDS = 60


def _loss(decoder, latents: torch.Tensor, cuts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    again = decoder(latents + NOISE * torch.randn_like(latents))
    pixels = (again - cuts).abs().mean()
    across = (again.diff(dim=3) - cuts.diff(dim=3)).abs().mean()
    down = (again.diff(dim=2) - cuts.diff(dim=2)).abs().mean()
    return pixels + across + down, pixels


def train_decoder(vae, pictures: Pictures, file: Path, seconds: float, log) -> None:
    """Trains vae.decoder in place for `seconds`; its state goes to `file`, now and then and at the end."""
    vae.train().requires_grad_(False)
    decoder = vae.decoder.requires_grad_(True).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(decoder.parameters(), lr=PEAK, betas=(0.9, 0.99))
    rng, started, step = np.random.default_rng(23), time.time(), 0
    saved, levels = started, []
    while (progress := (time.time() - started) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = PEAK * min(1, (step + 1) / 100) * (1 - progress) + 1e-5
        cuts = cuts_of(pictures, rng).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            latents = vae.encoder(cuts)
        loss, pixels = _loss(decoder, latents, cuts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1)
        optimiser.step()
        levels.append(pixels.item() * 127.5)
        if step % 50 == 49:
            log(stage="decoder", step=step + 1, levels=round(float(np.mean(levels)), 3), progress=round(progress, 3))
            levels = []
        if time.time() - saved > CHECKPOINT_SECONDS:
            torch.save(decoder.state_dict(), file)
            saved = time.time()
        step += 1
    torch.save(decoder.state_dict(), file)


def trained_vae(work: Path):
    """The VAE of a work folder, with the sharper decoder where that was trained."""
    vae = new_vae()
    vae.load_state_dict(torch.load(work / "vae.pt"))
    if (work / "decoder.pt").exists():
        vae.decoder.load_state_dict(torch.load(work / "decoder.pt"))
    return vae


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="the folder that train.py worked in")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--scenes", type=int, default=4200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    torch.set_num_threads(1)
    _, pictures = rendered(asked.work, asked.seed, asked.scenes)
    seconds = asked.minutes * 60
    train_decoder(trained_vae(asked.work), pictures, asked.work / "decoder.pt", seconds, log_to(asked.work))


if __name__ == "__main__":
    main()
