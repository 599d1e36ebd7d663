"""The training set: scenes rendered once and kept, with which `Scene` each one shows."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from captions import Scene, draw_scene
from parts import SIZES
from scenes import render


def scene_and_picture(seed: int, index: int) -> tuple[Scene, np.ndarray]:
    """Scene `index` of the set drawn from `seed`, uint8 RGB [height, width, 3]; sizes take turns."""
    rng = np.random.default_rng([seed, index])
    scene = draw_scene(rng)
    return scene, render(scene, SIZES[index % len(SIZES)], rng)


def rendered(folder: Path, seed: int, count: int) -> tuple[list[list[Scene]], list[np.ndarray]]:
    """Scenes and uint8 pictures [n, height, width, 3], grouped by size; drawn on first use, then read from `folder`."""
    named = folder / f"scenes-{seed}-{count}.json"
    files = [folder / f"pictures-{seed}-{count}-{width}x{height}.npy" for width, height in SIZES]
    if not named.exists():
        _draw(seed, count, files, named)
    groups = json.loads(named.read_text())
    return [[Scene(**scene) for scene in group] for group in groups], [np.load(file, mmap_mode="r") for file in files]


def _draw(seed: int, count: int, files: list[Path], named: Path) -> None:
    groups: list[list[dict[str, str]]] = [[] for _ in SIZES]
    pictures: list[list[np.ndarray]] = [[] for _ in SIZES]
    for index in range(count):
        scene, picture = scene_and_picture(seed, index)
        groups[index % len(SIZES)].append(asdict(scene))
        pictures[index % len(SIZES)].append(picture)
        if index % 500 == 499:
            print(json.dumps({"stage": "scenes", "done": index + 1, "of": count}), flush=True)
    for file, group in zip(files, pictures):
        np.save(file, np.stack(group))
    named.write_text(json.dumps(groups))
