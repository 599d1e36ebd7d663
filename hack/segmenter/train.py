"""Teaches IS-Net the mattes of rendered products: what it is changed by goes to a small file of its own.

Run:  python train.py --network isnet.onnx --layers DIR --real DIR --out DIR --minutes 60
Goes on from OUT/state.pt if it is there. One line of progress every 20 steps; every 300 the looks that it does not
learn from are measured. See README.md for what was run and what came out.
"""

import argparse
import json
import math
import multiprocessing
import pathlib
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

import photos
from network import Network

BATCH = 4
# Of them, the first so many are real photos.
REAL = 1
# The closer look makes the edges.
SIDES = (photos.WHOLE_SIDE, photos.CLOSER_SIDE, photos.CLOSER_SIDE, photos.LARGE_SIDE)
# Of what is simple fewer pictures are rendered, and shops sell most of it; glass, threads and the dark are learnt slowest.
OFTEN = {
    "bottle": 5,
    "mug": 5,
    "vase": 4,
    "box": 4,
    "toy": 3,
    "glass": 3,
    "fringe": 3,
    "metallic": 2,
    "white-on-white": 2,
    "black-on-black": 3,
    "sieve": 2,
    "blurred": 2,
}
HELD_OUT = 14
RATE = {"whole": 2e-4, "low rank": 1e-3}
AVERAGE = 0.995
WARM_UP_STEPS = 40


def loss_of(logits, truth):
    """Soft cross entropy and absolute error, the soft edge counted more; differences between neighbours; overlap."""
    seen = torch.sigmoid(logits)
    edge = F.max_pool2d(((truth > 0.02) & (truth < 0.98)).float(), 5, 1, 2)
    weight = 1 + 4 * edge
    entropy = (F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * weight).sum() / weight.sum()
    away = (seen - truth).abs()
    absolute = (away * weight).sum() / weight.sum()
    soft = (away * edge).sum() / (edge.sum() + 1)
    across = lambda x: x[..., 1:] - x[..., :-1]
    down = lambda x: x[..., 1:, :] - x[..., :-1, :]
    steps = (across(seen) - across(truth)).abs().mean() + (down(seen) - down(truth)).abs().mean()
    return entropy + absolute + soft + 5 * steps + 0.5 * _missed(seen, truth)


def _missed(seen, truth):
    overlap = torch.minimum(seen, truth).sum((1, 2, 3)) / (torch.maximum(seen, truth).sum((1, 2, 3)) + 1)
    there = (truth.sum((1, 2, 3)) > 50).float()
    return ((1 - overlap) * there).mean()


def loss_of_real(logits, told):
    """What the published network is sure of; at the edges it is no teacher."""
    sure = 1 - F.max_pool2d(((told > 0.06) & (told < 0.94)).float(), 9, 1, 4)
    wanted = (told > 0.5).float()
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    share = (entropy * sure).sum() / (sure.sum() + 1)
    return 2 * share + 0.5 * _missed(torch.sigmoid(logits) * sure, wanted * sure)


def _batches(pictures, places, real, seed, queue):
    rng = random.Random(seed)
    while True:
        side = rng.choice(SIDES)
        looks = [photos.real(rng, real, side) for _ in range(REAL)]
        looks += [photos.rendered(rng, pictures, places, side) for _ in range(BATCH - REAL)]
        queue.put(tuple(np.stack(part) for part in zip(*looks)))


def measure(net, held):
    """Mean overlap at half opacity, and mean error in the soft edge, over the held-out looks."""
    overlaps, errors = [], []
    for number, layers in held.items():
        for side in (photos.WHOLE_SIDE, photos.CLOSER_SIDE):
            x, y = photos.rendered(random.Random(f"{number}-{side}"), [], [], side, layers)
            truth = torch.from_numpy(y)
            seen = net.scores(torch.from_numpy(x)[None])[0]
            a, b = seen > 0.5, truth > 0.5
            overlaps.append(((a & b).sum() / ((a | b).sum() + 1e-6)).item())
            band = (truth > 0.02) & (truth < 0.98)
            errors.append((seen - truth).abs()[band].mean().item())
    return float(np.mean(overlaps)), float(np.nanmean(errors))


def _often(about):
    return OFTEN.get(about["kind"], 1) * OFTEN.get(about["background"], 1)


def groups(net):
    whole = [p for name, p in net.named_parameters() if not name.endswith((".up", ".down"))]
    low = [p for name, p in net.named_parameters() if name.endswith((".up", ".down"))]
    return [{"params": whole, "lr": RATE["whole"], "top": RATE["whole"]}, {"params": low, "lr": RATE["low rank"], "top": RATE["low rank"]}]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--layers", required=True)
    parser.add_argument("--real", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.0, help="multiplies the learning rates: less for going on")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    net = Network(options.network)
    optimizer = torch.optim.AdamW(groups(net), weight_decay=1e-3)
    average = {name: p.detach().clone() for name, p in net.named_parameters()}
    step, state = 0, options.out / "state.pt"
    if state.exists():
        kept = torch.load(state)
        net.load_state_dict(kept["net"], strict=False)
        optimizer.load_state_dict(kept["optimizer"])
        average, step = kept["average"], kept["step"]
    everything, places = photos.load(options.layers)
    held = {n: each for n, each in everything.items() if n % HELD_OUT == 0}
    pictures = [each for n, each in everything.items() if n % HELD_OUT != 0 for _ in range(_often(each.about))]
    real = photos.load_real(options.real)
    places += photos.load_real_places(options.real)
    print(f"{len(everything) - len(held)} pictures to learn from, {len(held)} to measure, {len(real)} real photos", flush=True)
    if step == 0:
        print("before: overlap %.4f, soft edge %.4f" % measure(net, held), flush=True)
    queue = multiprocessing.Queue(6)
    maker = multiprocessing.Process(target=_batches, args=(pictures, places, real, f"{options.seed}-{step}", queue), daemon=True)
    maker.start()
    began, total, log = time.time(), options.minutes * 60, []
    first = step
    while (spent := time.time() - began) < total:
        x, y = (torch.from_numpy(part) for part in queue.get())
        warm = min(1, (step - first + 1) / WARM_UP_STEPS)
        for group in optimizer.param_groups:
            group["lr"] = group["top"] * options.rate * warm * 0.5 * (1 + math.cos(math.pi * min(1, spent / total)))
        with torch.autocast("cpu", torch.bfloat16):
            logits = net.logits(x)
        logits = logits.float()
        kept, learnt = loss_of_real(logits[:REAL], y[:REAL]), loss_of(logits[REAL:], y[REAL:])
        loss = kept + learnt
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        keep = min(AVERAGE, (1 + step) / (10 + step))
        for name, p in net.named_parameters():
            average[name].mul_(keep).add_(p.detach(), alpha=1 - keep)
        log.append((learnt.item(), kept.item()))
        if step % 20 == 0:
            print(f"step {step}, {spent / 60:.1f} min, loss %.4f, real photos %.4f" % tuple(np.mean(log[-20:], 0)), flush=True)
        if step % 300 == 0:
            save(state, net, optimizer, average, step)
            print("step %d: overlap %.4f, soft edge %.4f" % (step, *measured_average(net, average, held)), flush=True)
    save(state, net, optimizer, average, step)
    print("end, step %d: overlap %.4f, soft edge %.4f" % (step, *measured_average(net, average, held)), flush=True)
    maker.terminate()


def measured_average(net, average, held):
    now = {name: p.detach().clone() for name, p in net.named_parameters()}
    net.load_state_dict(average, strict=False)
    out = measure(net, held)
    net.load_state_dict(now, strict=False)
    return out


def save(path, net, optimizer, average, step):
    changes = {name: p.detach() for name, p in net.named_parameters()}
    part = path.with_suffix(".part")
    torch.save({"net": changes, "optimizer": optimizer.state_dict(), "average": average, "step": step}, part)
    part.rename(path)


if __name__ == "__main__":
    main()
