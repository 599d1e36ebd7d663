"""First weights of the VAE: it begins as a thumbnail that is enlarged smoothly, and learns detail from there.

Three of the 32 channels carry red, green and blue through the whole network: eight by eight pixels are averaged on the
way in, whitened to three latents, interpolated on the way out. Left to chance the same network had not found colour
after a thousand steps.
"""

import torch
from torch import nn

from parts import FACTOR

COLOURS = 3


def _usual(vae) -> None:
    """Weights with which signals keep their size, and residual branches that begin small."""
    for name, layer in vae.named_modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if layer.bias is None else "relu")
            if layer.bias is not None:
                layer.bias.zero_()
            if name.endswith("conv.4"):
                layer.weight.mul_(0.3)
                layer.weight[:COLOURS] = 0


def _carry(layer: nn.Conv2d, kernel: torch.Tensor) -> None:
    """Channels 0..2 become `kernel` [3, 3] of themselves, and of others only what was there before."""
    layer.weight[:COLOURS, :COLOURS] = 0
    for colour in range(COLOURS):
        layer.weight[colour, colour] = kernel


def _alone(layer: nn.Conv2d, kernel: torch.Tensor) -> None:
    layer.weight[:COLOURS] = 0
    _carry(layer, kernel)


def _whitening(cuts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """([3, 3], [3]): what makes cells' mean colours uncorrelated with deviation 1, and their mean; colours in 0..1."""
    cells = nn.functional.avg_pool2d(cuts.add(1).div(2), FACTOR).transpose(0, 1).flatten(1)
    values, vectors = torch.linalg.eigh(torch.cov(cells))
    return torch.diag(values.rsqrt()) @ vectors.T, cells.mean(1)


@torch.no_grad()
def start_as_thumbnail(vae, cuts: torch.Tensor) -> None:
    """cuts: float32 [n, 3, height, width] in -1..1, as many kinds of scenes as can be."""
    _usual(vae)
    whitening, mean = _whitening(cuts)
    centre, pair, smooth = torch.zeros(3, 3), torch.tensor([0.0, 0.5, 0.5]), torch.tensor([0.25, 0.5, 0.25])
    centre[1, 1] = 1

    first, *inner = [layer for layer in vae.encoder.layers if isinstance(layer, nn.Conv2d)]
    _alone(first, centre)
    for layer in inner[:-1]:
        _alone(layer, torch.outer(pair, pair))
    last = inner[-1]
    last.weight[:COLOURS] = 0
    last.weight[:COLOURS, :COLOURS, 1, 1] = whitening
    last.bias[:COLOURS] = -whitening @ mean
    deviation, middle = torch.std_mean(vae.encoder(cuts)[:, COLOURS:], dim=(0, 2, 3))
    last.weight[COLOURS:] /= deviation[:, None, None, None]
    last.bias[COLOURS:] = -middle / deviation

    first, *inner = [layer for layer in vae.decoder.layers if isinstance(layer, nn.Conv2d)]
    first.weight[:COLOURS] = 0
    first.weight[:COLOURS, :COLOURS, 1, 1] = torch.linalg.inv(whitening)
    first.bias[:COLOURS] = mean
    for layer in inner[:-1]:
        _alone(layer, torch.outer(smooth, smooth))
    inner[-1].weight.mul_(0.02)
    _carry(inner[-1], centre)

