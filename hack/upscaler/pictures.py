"""Pictures to learn enlarging from: photos in several sizes.

Run:  python pictures.py --photos DIR… --leave-out DIR… --out FILE.npz
Looks through the folders for photos. What looks like one in `--leave-out` (the evaluation's) is left out, and so is
what has hardly any detail: drawn gradients are in such folders too. Of a large file every size is a smaller one, so
that its camera's blur and its compression are gone; a small one is taken as it is.
"""

import argparse
import pathlib
import sys

import numpy as np
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parent.parent / "photos"))
from likeness import is_among, look_of

DIVISIBLE_BY = 4
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
LONG_SIDES = (1600, 1100, 760, 520)
MOST_OF_FILE = 0.7
SMALL_FILE = 1000
LEAST_SIDE = 200
# The mean step between neighbouring pixels, in levels.
LEAST_DETAIL = 2.5
# One in so many photos is kept apart to measure on.
APART = 12
Image.MAX_IMAGE_PIXELS = None


def photos_in(folders):
    """Every picture once: packages hold the same one in several sizes."""
    seen = []
    paths = sorted(path for folder in folders for path in pathlib.Path(folder).rglob("*") if path.is_file())
    for path in sorted(paths, key=lambda path: -path.stat().st_size):
        if path.suffix.lower() not in SUFFIXES or path.is_symlink() or ".matte" in path.name:
            continue
        image = Image.open(path).convert("RGB")
        look = look_of(image)
        if not is_among(look, seen):
            seen.append(look)
            yield path, image, look


def detail(pixels):
    grey = pixels.astype(np.float32).mean(2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()) / 2


def sizes(image):
    """The photo's pixels in its smaller sizes, sides divisible by both factors."""
    long_side = max(image.size)
    wanted = [side for side in LONG_SIDES if side <= MOST_OF_FILE * long_side]
    if long_side <= SMALL_FILE:
        wanted.append(long_side)
    for side in wanted:
        width, height = (int(each * side / long_side) // DIVISIBLE_BY * DIVISIBLE_BY for each in image.size)
        if min(width, height) < LEAST_SIDE:
            continue
        pixels = np.asarray(image.resize((width, height), Image.LANCZOS))
        if detail(pixels) >= LEAST_DETAIL:
            yield pixels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--leave-out", nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    left_out = [look for _, _, look in photos_in(options.leave_out)]
    kept, names = {}, set()
    for path, image, look in photos_in(options.photos):
        if is_among(look, left_out):
            print("left out:", path.name)
            continue
        made = list(sizes(image))
        if not made:
            continue
        names.add(path)
        part = "apart" if len(names) % APART == 0 else "learn"
        for pixels in made:
            kept[f"{part}/{len(kept):04d}"] = pixels
        print(f"{len(names)} photos, {len(kept)} pictures: {path.name}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(options.out, **kept)


if __name__ == "__main__":
    main()
