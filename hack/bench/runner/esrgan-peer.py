"""ESRGAN by plain onnxruntime and numpy, as a Python service would do it: the same model file, the same tiles.

Run:  python esrgan-peer.py MODEL.onnx FACTOR TILE PADDING THREADS
Takes lines {"input": PATH, "out": PATH} on stdin; writes each enlarged picture as PNG and answers {}.
"""

import json
import sys

import numpy as np
import onnxruntime as ort
from PIL import Image

model, factor, tile, padding, threads = sys.argv[1], *map(int, sys.argv[2:6])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
feed = session.get_inputs()[0].name


def enlarge(picture):
    """[height, width, 3] bytes -> [height * factor, width * factor, 3] bytes"""
    height, width, _ = picture.shape
    core = tile - 2 * padding
    rows, columns = -(-height // core), -(-width // core)
    edges = (
        (padding, rows * core - height + padding),
        (padding, columns * core - width + padding),
        (0, 0),
    )
    padded = np.pad(picture, edges, mode="edge").transpose(2, 0, 1).astype(np.float32) / 255
    out = np.empty((rows * core * factor, columns * core * factor, 3), np.uint8)
    side = core * factor
    for row in range(rows):
        for column in range(columns):
            top, left = row * core, column * core
            part = padded[None, :, top : top + tile, left : left + tile]
            large = session.run(None, {feed: np.ascontiguousarray(part)})[0][0]
            inner = large[:, padding * factor :][:, :side, padding * factor :][:, :, :side]
            levels = np.clip(np.rint(inner * 255), 0, 255).astype(np.uint8)
            out[row * side :, column * side :][:side, :side] = levels.transpose(1, 2, 0)
    return out[: height * factor, : width * factor]


for line in sys.stdin:
    task = json.loads(line)
    with Image.open(task["input"]) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    Image.fromarray(enlarge(pixels)).save(task["out"], compress_level=2)
    print("{}", flush=True)
