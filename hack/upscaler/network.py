"""EDSR (arXiv 1707.02921), small: residual blocks without normalisation at the picture's own size, then one layer that
tells every pixel's 2 x 2 or 4 x 4, as what they differ by from it. Pictures are [n, 3, h, w], levels as shares of 255.
"""

import torch
import torch.nn.functional as F


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = torch.nn.Conv2d(width, width, 3, padding=1)
        self.second = torch.nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x)))


class Network(torch.nn.Module):
    def __init__(self, factor, width=64, blocks=5):
        super().__init__()
        self.factor = factor
        self.register_buffer("nearest", torch.arange(3).repeat_interleave(factor**2), persistent=False)
        self.head = torch.nn.Conv2d(3, width, 3, padding=1)
        self.body = torch.nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.tail = torch.nn.Conv2d(width, 3 * factor**2, 3, padding=1)
        # Begins as the nearest pixel.
        torch.nn.init.zeros_(self.tail.weight)
        torch.nn.init.zeros_(self.tail.bias)

    def forward(self, picture):
        shallow = self.head(picture - 0.5)
        difference = self.tail(shallow + self.body(shallow))
        return F.pixel_shuffle(picture[:, self.nearest] + difference, self.factor)
