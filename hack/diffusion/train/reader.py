"""A small classifier that tells a picture's attributes: the measure of whether plates follow their words.

It learns from the rendered set, half of it as the VAE gives it back, so that it judges the UNet and not the VAE's
softness. It never sees a generated plate.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from captions import ATTRIBUTES, CHOICES, Scene
from train_vae import to_tensor

SIDE = 96
EPOCHS, BATCH, PEAK = 8, 32, 2e-3
_COUNTS = [len(CHOICES[name]) for name in ATTRIBUTES]


def _block(given: int, made: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU(inplace=True))


class Reader(nn.Module):
    """[n, 3, SIDE, SIDE] in -1..1 to one set of logits an attribute."""

    def __init__(self) -> None:
        super().__init__()
        widths = ((3, 24, 2), (24, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1), (96, 128, 2))
        self.look = nn.Sequential(*(_block(*width) for width in widths), nn.Flatten(), nn.Dropout(0.3))
        self.tell = nn.Linear(128 * (SIDE // 16) ** 2, sum(_COUNTS))

    def forward(self, planes: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.tell(self.look(planes)).split(_COUNTS, dim=1)


def squashed(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [n, height, width, 3] of any shape as the reader's input."""
    small = [np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX)) for picture in pictures]
    return to_tensor(np.stack(small))


def _targets(scenes: list[Scene]) -> torch.Tensor:
    """[n, attributes]; -100, which no loss counts, for the side of a thing that is not there."""
    rows = []
    for scene in scenes:
        row = [CHOICES[name].index(getattr(scene, name)) for name in ATTRIBUTES]
        if scene.prop == "none":
            row[ATTRIBUTES.index("prop_side")] = -100
        rows.append(row)
    return torch.tensor(rows)


def train_reader(planes: torch.Tensor, scenes: list[Scene], file: Path, log) -> Reader:
    """Trains a reader on squashed pictures, or loads it from `file`."""
    reader = Reader().to(memory_format=torch.channels_last)
    if file.exists():
        reader.load_state_dict(torch.load(file))
        return reader.eval()
    targets, rng = _targets(scenes), torch.Generator().manual_seed(17)
    optimiser = torch.optim.AdamW(reader.parameters(), lr=PEAK, weight_decay=0.02)
    steps = EPOCHS * (len(scenes) // BATCH)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK, total_steps=steps)
    for step in range(steps):
        picked = torch.randint(len(scenes), (BATCH,), generator=rng)
        noisy = planes[picked] + 0.02 * torch.randn(BATCH, 3, SIDE, SIDE, generator=rng)
        told = reader(noisy.contiguous(memory_format=torch.channels_last))
        loss = sum(nn.functional.cross_entropy(head, targets[picked, index]) for index, head in enumerate(told))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
        if step % 100 == 0:
            log(stage="reader", step=step, of=steps, loss=round(loss.item(), 3))
    torch.save(reader.state_dict(), file)
    return reader.eval()


@torch.no_grad()
def right(reader: Reader, planes: torch.Tensor, scenes: list[Scene]) -> dict[str, float]:
    """Share of attributes that the reader finds as the scenes have them: of each, and of `all` that are asked."""
    told, targets = [head.argmax(1) for head in reader(planes)], _targets(scenes)
    asked = targets >= 0
    hits = torch.stack([head == targets[:, index] for index, head in enumerate(told)], dim=1) & asked
    shares = hits.sum(0) / asked.sum(0)
    each = {name: round(shares[index].item(), 4) for index, name in enumerate(ATTRIBUTES)}
    return {**each, "all": round((hits.sum() / asked.sum()).item(), 4)}
