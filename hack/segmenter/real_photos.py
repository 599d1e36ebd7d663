"""Real photos with what the published network says of them, so that what it knew is not forgotten.

Run:  python real_photos.py --network isnet.onnx --archives 'DIR/*.rcc' --leave-out DIR --out DIR
The archives are Qt resource files with WebP pictures: those of the Debian package gcompris-qt-data hold some 290
photos of tools, tableware, animals, buildings. What looks like a photo in `--leave-out` (the evaluation's) is left
out, and so is what the network is unsure of.
"""

import argparse
import glob
import io
import pathlib
import struct
import sys

import numpy as np
import torch
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parent.parent / "photos"))
from likeness import is_among, look_of
from network import Network

SIDE = 1024
LEAST_SIDE = 200
# Of what is taken for product, this much at most may be neither opaque nor clear.
MOST_UNSURE = 0.3
LEAST_COVERAGE = 0.01


def pictures(archive):
    """Every opaque WebP picture in the file: found by its header, for the archive's own index is not needed."""
    content = pathlib.Path(archive).read_bytes()
    at = content.find(b"RIFF")
    while at >= 0:
        length = struct.unpack("<I", content[at + 4 : at + 8])[0] + 8
        if content[at + 8 : at + 12] == b"WEBP":
            try:
                image = Image.open(io.BytesIO(content[at : at + length]))
                if min(image.size) >= LEAST_SIDE and image.convert("RGBA").getchannel("A").getextrema()[0] == 255:
                    yield image.convert("RGB")
            except OSError:
                pass
        at = content.find(b"RIFF", at + 4)


def matte(net, image):
    """[h, w] levels of 255 at the photo's size."""
    x = np.asarray(image.resize((SIDE, SIDE), Image.BILINEAR), np.float32).transpose(2, 0, 1)[None] / 255 - 0.5
    seen = net.scores(torch.from_numpy(x.copy()))[0, 0].numpy()
    return np.asarray(Image.fromarray(seen).resize(image.size, Image.BILINEAR)) * 255


def main():
    parser = argparse.ArgumentParser()
    for name in ("network", "archives", "leave-out", "out"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    known = [look_of(Image.open(path)) for path in pathlib.Path(options.leave_out).rglob("*.jpg")]
    net = Network(options.network)
    kept = {"product": 0, "place": 0, "unsure": 0, "left out": 0}
    for archive in sorted(glob.glob(options.archives)):
        for image in pictures(archive):
            if is_among(look_of(image), known):
                kept["left out"] += 1
                continue
            seen = matte(net, image)
            product, coverage = (seen > 127).mean(), (seen > 25).mean()
            unsure = ((seen > 25) & (seen < 230)).mean()
            kind = "place" if coverage < LEAST_COVERAGE else "product" if unsure < MOST_UNSURE * product else "unsure"
            kept[kind] += 1
            if kind != "unsure":
                name = f"{kind}-{kept[kind]:04d}"
                image.save(out / f"{name}.photo.png")
                Image.fromarray(seen.astype(np.uint8)).save(out / f"{name}.matte.png")
    print(kept)


if __name__ == "__main__":
    main()
