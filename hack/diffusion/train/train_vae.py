"""Teaches the VAE to keep pictures: small cuts, L1 on pixels and on their gradients.

Latents are held near mean 0 and deviation 1 and get a little noise on the way to the decoder: what a variational
term is for, without its blur.
"""

import time
from pathlib import Path

import numpy as np
import torch

from parts import FACTOR
from vae_start import start_as_thumbnail

BATCH, CUT = 16, 64
LATENT_NOISE = 0.05
Pictures = list[np.ndarray]


def to_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [n, height, width, 3] as float32 [n, 3, height, width] in -1..1."""
    planes = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    return planes.float().div_(127.5).sub_(1)


def cuts_of(pictures: Pictures, rng: np.random.Generator) -> torch.Tensor:
    """Squares from random places of random scenes of one size: float32 [BATCH, 3, CUT, CUT] in -1..1."""
    group = pictures[int(rng.integers(len(pictures)))]
    _, height, width, _ = group.shape
    cuts = []
    for index in rng.integers(len(group), size=BATCH):
        top, left = int(rng.integers(height - CUT + 1)), int(rng.integers(width - CUT + 1))
        cuts.append(group[index, top : top + CUT, left : left + CUT])
    return to_tensor(np.stack(cuts))


def _loss(vae, cuts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    latents = vae.encoder(cuts)
    again = vae.decoder(latents + LATENT_NOISE * torch.randn_like(latents))
    pixels = (again - cuts).abs().mean()
    across = (again.diff(dim=3) - cuts.diff(dim=3)).abs().mean()
    down = (again.diff(dim=2) - cuts.diff(dim=2)).abs().mean()
    deviation, mean = torch.std_mean(latents, dim=(0, 2, 3))
    moments = (mean**2).mean() + ((deviation - 1) ** 2).mean()
    return pixels + 0.5 * (across + down) + 0.05 * moments, pixels


def train_vae(vae, pictures: Pictures, file: Path, seconds: float, log) -> None:
    """Trains `vae` in place for `seconds`, or loads it from `file`; it comes back frozen."""
    if file.exists():
        vae.load_state_dict(torch.load(file))
        vae.eval().requires_grad_(False)
        return
    vae.to(memory_format=torch.channels_last)
    peak = 1.5e-3
    optimiser = torch.optim.Adam(vae.parameters(), lr=peak, betas=(0.9, 0.99))
    rng, started, step = np.random.default_rng(5), time.time(), 0
    start_as_thumbnail(vae, torch.cat([cuts_of(pictures, rng) for _ in range(16)]))
    while (progress := (time.time() - started) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = peak * min(1, (step + 1) / 50) * (1 - progress) + 1e-5
        cuts = cuts_of(pictures, rng).contiguous(memory_format=torch.channels_last)
        loss, pixels = _loss(vae, cuts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1)
        optimiser.step()
        if step % 50 == 0:
            log(stage="vae", step=step, loss=round(loss.item(), 4), levels=round(pixels.item() * 127.5, 2))
        step += 1
    torch.save(vae.state_dict(), file)
    vae.eval().requires_grad_(False)


@torch.no_grad()
def encode_set(vae, pictures: Pictures, file: Path, log) -> dict:
    """{"latents": one float32 [n, 4, h/8, w/8] a size, scaled to deviation 1, "scaling_factor"}; kept in `file`."""
    if file.exists():
        return torch.load(file)
    groups = []
    for group in pictures:
        _, height, width, _ = group.shape
        latents = torch.empty(len(group), vae.config.latent_channels, height // FACTOR, width // FACTOR)
        for start in range(0, len(group), BATCH):
            latents[start : start + BATCH] = vae.encoder(to_tensor(group[start : start + BATCH]))
        groups.append(latents)
    flat = torch.cat([group.transpose(0, 1).flatten(1) for group in groups], dim=1)
    factor = 1 / flat.std().item()
    log(
        stage="latents",
        scaling_factor=factor,
        mean=[round(value, 3) for value in flat.mean(1).tolist()],
        deviation=[round(value, 3) for value in flat.std(1).tolist()],
    )
    kept = {"latents": [group * factor for group in groups], "scaling_factor": factor}
    torch.save(kept, file)
    return kept
