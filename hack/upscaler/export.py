"""Writes the network as the ONNX file that the runner's catalogue names.

Run:  python export.py --state DIR/state.pt --factor 4 --out FILE.onnx
The file takes levels as shares of 255, as the runner's other upscalers do, of any height and width.
"""

import argparse

import torch

from network import Network


def main():
    parser = argparse.ArgumentParser()
    for name in ("state", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--factor", type=int, choices=(2, 4), required=True)
    options = parser.parse_args()
    network = Network(options.factor)
    network.load_state_dict(torch.load(options.state)["average"])
    any_size = {2: "height", 3: "width"}
    torch.onnx.export(
        network.eval(),
        torch.zeros(1, 3, 32, 32),
        options.out,
        input_names=["picture"],
        output_names=["upscaled"],
        dynamic_axes={"picture": any_size, "upscaled": {2: "tall", 3: "wide"}},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
