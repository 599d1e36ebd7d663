"""Writes what was learnt as the file that the runner's catalogue adds to the published weights, as halves.

Run:  python export.py --network isnet.onnx --state OUT/state.pt --out changes.onnx [--share 1]
`--share` takes that much of the change: between 0 and 1 lie networks that keep more of what the published one knew
(weight-space ensembles, arXiv 2109.01903).
"""

import argparse

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from network import Network


def half(name, values):
    return numpy_helper.from_array(values.numpy().astype(np.float16), name)


def changes(net, average, share):
    for key, layer in net.layers.items():
        weight, bias = net.names[key]
        learnt = lambda part: average[f"layers.{key}.{part}"].contiguous()
        if layer.whole:
            yield half(f"{weight}/change", share * learnt("change"))
        else:
            # Halves are as exact for both when both are of one size.
            up, down = share * learnt("up"), learnt("down")
            even = (up.abs().mean() / down.abs().mean().clamp_min(1e-9)).sqrt().clamp_min(1e-6)
            yield half(f"{weight}/up", up / even)
            yield half(f"{weight}/down", down * even)
        yield half(f"{bias}/change", share * learnt("bias_change"))


def main():
    parser = argparse.ArgumentParser()
    for name in ("network", "state", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    average = torch.load(options.state)["average"]
    with torch.no_grad():
        tensors = list(changes(Network(options.network), average, options.share))
    graph = onnx.helper.make_graph([], "changes", [], [], tensors)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), options.out)


if __name__ == "__main__":
    main()
