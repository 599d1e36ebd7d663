"""Stable Diffusion with UNets of three sizes and random weights, for the bench: `python bench_models.py FOLDER`.

Exported as diffusers' script does; the peer in torch makes the same weights from the same seed. Text encoder and
VAE are the tiny ones: what is measured is the loop.
"""

import sys
from pathlib import Path

from diffusers import DDIMScheduler

from tiny_models import DDIM, Family, build

# UNet channels a level, layers a level, cells a side.
SIZES = {"small": ([32, 64], 1, 32), "medium": ([96, 192, 384], 1, 32), "large": ([128, 256, 512, 512], 2, 48)}


def bench_family(size: str) -> Family:
    channels, layers, cells = SIZES[size]
    unet = {
        "sample_size": cells,
        "block_out_channels": channels,
        "layers_per_block": layers,
        "down_block_types": ["CrossAttnDownBlock2D"] * (len(channels) - 1) + ["DownBlock2D"],
        "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (len(channels) - 1),
        "attention_head_dim": 8,
        "norm_num_groups": 32,
    }
    return Family(f"bench-{size}", 1, DDIMScheduler(**DDIM), unet=unet)


def main(folder: Path) -> None:
    # Not above: the peers, whose memory is measured, need no exporter.
    from onnx_export import export_diffusers

    for size in SIZES:
        print(size, file=sys.stderr)
        export_diffusers(build(bench_family(size)), folder / size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
