"""Teaches a network to undo bicubic shrinking, of half the patches as a camera's JPEG leaves them.

Run:  python train.py --pictures FILE.npz --factor 4 --out DIR --minutes N [--rate 1e-3] [--seed 1]
Goes on where DIR/state.pt is. The error learnt from is the absolute one, in the last third of the time the squared one,
which is what PSNR tells; there the sums are whole floats too. Prints PSNR of brightness over Lanczos-3 on the pictures
kept apart; saved is the moving average of the weights.
"""

import argparse
import io
import math
import pathlib
import time

import numpy as np
import torch
from PIL import Image

from network import Network

LEVELS = 255
BATCH = 16
# Of a patch, before it is enlarged.
SIDE = 48
# Uploads are compressed: taught none of it, a network draws its blocks and ringing as detail.
COMPRESSED = 0.5
QUALITIES = (70, 96)
# Of two places the busier one is learnt from.
PLACES = 2
# The border of a patch knows too little of what is round it.
UNSURE = 4
SQUARED_FROM = 2 / 3
AVERAGE = 0.999
WARM_UP_STEPS = 200
REPORT_SECONDS = 120
MEASURED_SIDE = 320
MEASURED_QUALITY = 85
BRIGHTNESS = (65.481 / 255, 128.553 / 255, 24.966 / 255)


def shrunk(large, factor):
    """As the field's benchmarks shrink."""
    height, width = large.shape[:2]
    return np.asarray(Image.fromarray(large).resize((width // factor, height // factor), Image.BICUBIC))


def compressed(picture, quality):
    kept = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(kept, "JPEG", quality=quality)
    return np.asarray(Image.open(kept))


def centre(large):
    height, width = (min(side, MEASURED_SIDE) for side in large.shape[:2])
    y, x = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return large[y : y + height, x : x + width]


class Pictures:
    def __init__(self, path, factor, rng):
        archive = np.load(path)
        of = lambda part: [archive[name] for name in archive.files if name.startswith(part)]
        self.apart = [(large, shrunk(large, factor)) for large in map(centre, of("apart"))]
        self.uploads = [(large, compressed(small, MEASURED_QUALITY)) for large, small in self.apart]
        pairs = [(large, shrunk(large, factor)) for large in of("learn")]
        self.learn = [(large, small) for large, small in pairs if min(small.shape[:2]) >= SIDE]
        sides = np.array([large.size for large, _ in self.learn]) ** 0.5
        self.shares = sides / sides.sum()
        self.factor, self.rng = factor, rng

    def place(self, small):
        y, x = (int(self.rng.integers(side - SIDE + 1)) for side in small.shape[:2])
        busy = np.abs(np.diff(small[y : y + SIDE, x : x + SIDE, 1].astype(np.int16))).mean()
        return busy, y, x

    def patch(self):
        large, small = self.learn[self.rng.choice(len(self.learn), p=self.shares)]
        _, y, x = max(self.place(small) for _ in range(PLACES))
        cut = lambda picture, scale: picture[y * scale : (y + SIDE) * scale, x * scale : (x + SIDE) * scale]
        turns, mirror = int(self.rng.integers(4)), 1 - 2 * int(self.rng.integers(2))
        shown, true = (np.rot90(each, turns)[:, ::mirror] for each in (cut(small, 1), cut(large, self.factor)))
        if self.rng.random() < COMPRESSED:
            shown = compressed(shown, int(self.rng.integers(*QUALITIES)))
        return shown, true

    def batch(self):
        """What is shown and what is true: shares of 255, float [n, 3, h, w]."""
        patches = [self.patch() for _ in range(BATCH)]
        for each in zip(*patches):
            levels = torch.from_numpy(np.stack(each)).permute(0, 3, 1, 2)
            yield (levels.float() / LEVELS).contiguous(memory_format=torch.channels_last)


def psnr(seen, true):
    inner = (slice(8, -8), slice(8, -8))
    off = (seen.astype(np.float64) - true)[inner] @ np.array(BRIGHTNESS)
    return 10 * math.log10(LEVELS**2 / np.mean(off**2))


@torch.no_grad()
def gains(network, apart):
    """dB over Lanczos-3 of each."""
    for large, small in apart:
        given = torch.from_numpy(small.copy()).permute(2, 0, 1)[None].float() / LEVELS
        own = (network(given)[0].permute(1, 2, 0) * LEVELS).round().clamp(0, LEVELS).numpy()
        plain = np.asarray(Image.fromarray(small).resize(large.shape[1::-1], Image.LANCZOS))
        yield psnr(own, large) - psnr(plain, large)


class Training:
    def __init__(self, factor, folder, rate):
        self.network, self.average = Network(factor), Network(factor)
        self.network.to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), rate)
        self.rate, self.steps, self.own_steps = rate, 0, 0
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "state.pt"
        if self.path.exists():
            state = torch.load(self.path)
            for name in ("network", "average", "optimizer"):
                getattr(self, name).load_state_dict(state[name])
            self.steps = state["steps"]

    def save(self):
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        aside = self.path.with_suffix(".new")
        torch.save({**state, "steps": self.steps}, aside)
        aside.rename(self.path)

    def step(self, small, large, done):
        """@param done: how much of the time is over, 0 to 1. Returns the squared error, of 1 as the largest level."""
        for group in self.optimizer.param_groups:
            warm = min(1, (self.own_steps + 1) / WARM_UP_STEPS)
            group["lr"] = self.rate * warm * (1 + math.cos(math.pi * done)) / 2
        squared = done > SQUARED_FROM
        with torch.autocast("cpu", torch.bfloat16, enabled=not squared):
            made = self.network(small)
        edge = UNSURE * self.network.factor
        off = (made.float() - large)[..., edge:-edge, edge:-edge]
        loss = 100 * off.square().mean() if squared else off.abs().mean()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1)
        self.optimizer.step()
        self.steps, self.own_steps = self.steps + 1, self.own_steps + 1
        keep = min(AVERAGE, self.steps / (self.steps + 9))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters()):
                mean.lerp_(now, 1 - keep)
        return off.detach().square().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", required=True)
    parser.add_argument("--factor", type=int, choices=(2, 4), required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    pictures = Pictures(options.pictures, options.factor, np.random.default_rng(options.seed))
    training = Training(options.factor, options.out, options.rate)
    print(f"{len(pictures.learn)} pictures to learn from, {len(pictures.apart)} apart, step {training.steps}", flush=True)
    began = reported = time.time()
    errors = []
    done = 0.0
    while done < 1:
        errors.append(training.step(*pictures.batch(), done))
        now = time.time()
        done = (now - began) / (60 * options.minutes)
        if now - reported > REPORT_SECONDS or done >= 1:
            dB = list(gains(training.average, pictures.apart))
            uploads = np.mean(list(gains(training.average, pictures.uploads)))
            print(
                f"step {training.steps}: learning {-10 * math.log10(np.mean(errors)):.2f} dB; apart {np.mean(dB):.3f} dB "
                f"over Lanczos-3 ({min(dB):.2f} to {max(dB):.2f}), compressed {uploads:.3f}; {done:.0%} of the time",
                flush=True,
            )
            errors = []
            training.save()
            reported = time.time()


if __name__ == "__main__":
    main()
