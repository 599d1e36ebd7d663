"""IS-Net's ONNX graph as a torch module whose convolutions learn.

Of the wide inner layers a change of low rank is learnt (LoRA, arXiv 2106.09685), of the outer ones, where edges are
made, every weight: the whole change is a few megabytes beside the 88 of the network.
"""

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

WHOLE = ("conv_in", "stage1/", "stage2/", "stage3d/", "stage2d/", "stage1d/", "side1")
RANK = 8


def _attributes(node):
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def _source(same, name):
    while name in same:
        name = same[name]
    return name


class Change(torch.nn.Module):
    """What is added to one layer's weights: all of them (`whole`), or a product of two small matrices."""

    def __init__(self, weight, bias, whole):
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        out, inner = weight.shape[0], weight[0].numel()
        self.bias_change = torch.nn.Parameter(torch.zeros_like(bias))
        if whole:
            self.change = torch.nn.Parameter(torch.zeros_like(weight))
        else:
            self.down = torch.nn.Parameter(torch.randn(RANK, inner) / inner**0.5)
            self.up = torch.nn.Parameter(torch.zeros(out, RANK))
        self.whole = whole

    def delta(self):
        return self.change if self.whole else (self.up @ self.down).view_as(self.weight)

    def forward(self, x, dilation, stride, pad):
        return F.conv2d(x, self.weight + self.delta(), self.bias + self.bias_change, stride, pad, dilation)


class Network(torch.nn.Module):
    """logits(x): float [n, 3, h, w], the photo's levels / 255 − 0.5, to [n, 1, h, w] before the sigmoid."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        weights = {each.name: torch.from_numpy(numpy_helper.to_array(each).astype("float32")) for each in graph.initializer}
        self.layers = torch.nn.ModuleDict()
        self.names = {}
        self.plan = []
        # Casts between halves and whole floats mean nothing here.
        same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
        for node in graph.node:
            if node.op_type == "Cast":
                continue
            attributes = _attributes(node)
            if node.op_type == "Conv":
                key = node.input[1].replace(".", "_").replace(":", "_")
                self.names[key] = (node.input[1], node.input[2])
                whole = node.name.lstrip("/").startswith(WHOLE)
                self.layers[key] = Change(weights[node.input[1]], weights[node.input[2]], whole)
                attributes["key"] = key
            inputs = [_source(same, name) for name in node.input]
            self.plan.append((node.op_type, inputs, node.output[0], attributes))
        self.input = graph.input[0].name
        self.to(memory_format=torch.channels_last)
        last = {name: i for i, (_, inputs, _, _) in enumerate(self.plan) for name in inputs}
        self.dead = {}
        for name, i in last.items():
            self.dead.setdefault(i, []).append(name)

    @torch.no_grad()
    def scores(self, x):
        """As `logits`, after the sigmoid; nothing is learnt from them."""
        with torch.autocast("cpu", torch.bfloat16):
            return torch.sigmoid(self.logits(x).float())

    def logits(self, x):
        values = {self.input: x.contiguous(memory_format=torch.channels_last)}
        for i, (op, inputs, output, attributes) in enumerate(self.plan):
            if op == "Sigmoid":
                return values[inputs[0]]
            given = [values[name] for name in inputs if name in values]
            values[output] = self.compute(op, given, attributes)
            for name in self.dead.get(i, []):
                values.pop(name, None)
        raise ValueError("the graph has no sigmoid")

    def compute(self, op, given, attributes):
        x = given[0]
        if op == "Conv":
            stride, pad, dilation = (attributes[name] for name in ("strides", "pads", "dilations"))
            return self.layers[attributes["key"]](x, dilation, stride, pad[:2])
        if op == "Relu":
            return F.relu(x)
        if op == "Add":
            return x + given[1]
        if op == "Concat":
            return torch.cat(given, 1)
        if op == "MaxPool":
            return F.max_pool2d(x, 2, 2, ceil_mode=True)
        if op == "Resize":
            return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        raise ValueError(f"no such operation here: {op}")
