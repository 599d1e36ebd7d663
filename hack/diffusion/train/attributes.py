"""Measures whether the scene model's plates follow their words.

    python attributes.py --work DIR --plates 120

A reader trained on rendered scenes tells the attributes of generated plates; beside the share that is as asked stand
the reader's own share on held-out rendered scenes and the share on plates of other captions (chance).
Writes attributes.json into the model's folder and prints it.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from captions import Scene, draw_scene, whole_caption
from export import OWN_FOLDER
from parts import SIZES
from pictures import rendered, scene_and_picture
from plates import Painter, Settings
from reader import right, squashed, train_reader
from train_decoder import trained_vae
from train_vae import to_tensor
from training_log import log_to

HELD_OUT_SEED, PLATES_SEED = 2, 3
HELD_OUT = 300
BATCH = 8


@torch.no_grad()
def _through_vae(vae, pictures: np.ndarray) -> np.ndarray:
    again = vae.decoder(vae.encoder(to_tensor(pictures)))
    return ((again.permute(0, 2, 3, 1) + 1) * 127.5).round().clip(0, 255).byte().numpy()


def _training_set(work: Path, seed: int, count: int, vae) -> tuple[torch.Tensor, list[Scene]]:
    groups, pictures = rendered(work, seed, count)
    planes, scenes = [], []
    for group, stack in zip(groups, pictures):
        for start in range(0, len(stack), BATCH):
            some = stack[start : start + BATCH]
            planes.append(squashed(_through_vae(vae, some) if start // BATCH % 2 else some))
        scenes += group
    return torch.cat(planes), scenes


def _held_out(vae) -> dict[str, tuple[torch.Tensor, list[Scene]]]:
    drawn = [scene_and_picture(HELD_OUT_SEED, index) for index in range(HELD_OUT)]
    scenes = [scene for scene, _ in drawn]
    plain = torch.cat([squashed(picture[None]) for _, picture in drawn])
    soft = torch.cat([squashed(_through_vae(vae, picture[None])) for _, picture in drawn])
    return {"rendered": (plain, scenes), "rendered_through_vae": (soft, scenes)}


def _plates(painter: Painter, count: int, settings: Settings, album: Path | None) -> tuple[torch.Tensor, list[Scene]]:
    """Plates of captions in which every attribute is said, sizes in turns."""
    planes, scenes = [], []
    for batch in range(count // BATCH):
        rng = np.random.default_rng([PLATES_SEED, batch])
        wanted = [draw_scene(rng) for _ in range(BATCH)]
        prompts = [whole_caption(scene, rng) for scene in wanted]
        painted = painter.paint(prompts, SIZES[batch % len(SIZES)], batch, settings)
        planes.append(squashed(painted))
        scenes += wanted
        if album:
            _keep(album, batch, painted, prompts)
    return torch.cat(planes), scenes


def _keep(album: Path, batch: int, painted: np.ndarray, prompts: list[str]) -> None:
    album.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(painted, axis=1)).save(album / f"{batch:03}.png")
    (album / f"{batch:03}.txt").write_text("\n".join(prompts) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="the folder that train.py worked in")
    parser.add_argument("--folder", type=Path, default=OWN_FOLDER)
    parser.add_argument("--plates", type=int, default=120)
    parser.add_argument("--scenes", type=int, default=4200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guidance", type=float, default=Settings.guidance)
    parser.add_argument("--scheduler", choices=("dpm", "ddim"), default=Settings.scheduler)
    parser.add_argument("--album", type=Path, help="a folder for the plates themselves")
    asked = parser.parse_args()
    torch.manual_seed(19)
    torch.set_num_threads(1)
    log = log_to(asked.work)

    vae = trained_vae(asked.work)
    file = asked.work / "reader.pt"
    known = ([], []) if file.exists() else _training_set(asked.work, asked.seed, asked.scenes, vae)
    reader = train_reader(*known, file, log)
    settings = Settings(guidance=asked.guidance, scheduler=asked.scheduler)
    planes, scenes = _plates(Painter(asked.folder), asked.plates, settings, asked.album)
    result = {
        "plates": len(scenes),
        "settings": vars(settings),
        "as_asked": right(reader, planes, scenes),
        "of_other_captions": right(reader, planes, scenes[1:] + scenes[:1]),
        "reader": {name: right(reader, *pair) for name, pair in _held_out(vae).items()},
        "held_out_scenes": HELD_OUT,
    }
    (asked.folder / "attributes.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
