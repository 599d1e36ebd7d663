"""Stands in for the random numbers of diffusers' pipelines and schedulers, and remembers what it gave."""

import sys
from contextlib import ExitStack
from unittest.mock import patch

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution


class GivenNoise:
    """While it is entered, `randn_tensor` gives numbers of one seed, and a VAE's sample is its mean."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.draws: list[torch.Tensor] = []
        self.patches = ExitStack()

    def __enter__(self) -> "GivenNoise":
        for name, module in list(sys.modules.items()):
            if name.startswith(("diffusers.pipelines", "diffusers.schedulers")) and "randn_tensor" in vars(module):
                self.patches.enter_context(patch.object(module, "randn_tensor", self._draw))
        mean = patch.object(DiagonalGaussianDistribution, "sample", lambda self, generator=None: self.mode())
        self.patches.enter_context(mean)
        return self

    def __exit__(self, *_error: object) -> None:
        self.patches.close()

    def _draw(self, shape: tuple, **_settings: object) -> torch.Tensor:
        self.draws.append(torch.randn(shape, generator=self.generator))
        return self.draws[-1]
