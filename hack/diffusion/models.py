"""Exports the tiny models into goldens/models, each in the layout that its real siblings are found in."""

import json
from pathlib import Path

import onnx
import torch

from golden_files import fresh_folder, put_in_place
from onnx_export import export_diffusers, export_optimum
from tiny_models import build, families

# The rest are optimum's, which alone knows SDXL and LCM.
IN_DIFFUSERS_LAYOUT = ("sd15", "inpaint9")


def make() -> None:
    folder = fresh_folder("models")
    for name, family in families().items():
        export = export_diffusers if name in IN_DIFFUSERS_LAYOUT else export_optimum
        export(build(family), folder / name)
    export_diffusers(build(families()["sd15"]).to(torch.float16), folder / "sd15-fp16")
    for file in sorted(folder.rglob("model.onnx")):
        _shorten_names(file)
    for file in sorted(folder.rglob("*.json")):
        _indent(file)
    put_in_place(folder)


def _shorten_names(file: Path) -> None:
    """Half of a tiny network's file are the names of its values; inputs and outputs keep theirs."""
    model = onnx.load(file, load_external_data=False)
    graph = model.graph
    kept = {"", *(value.name for value in [*graph.input, *graph.output])}
    short: dict[str, str] = {}

    def rename(name: str) -> str:
        return name if name in kept else short.setdefault(name, f"v{len(short)}")

    for node in graph.node:
        if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
            raise ValueError(f"{file} has a graph within its graph: its names cannot simply be replaced")
        node.name = ""
        node.input[:] = [rename(name) for name in node.input]
        node.output[:] = [rename(name) for name in node.output]
    for initializer in graph.initializer:
        initializer.name = rename(initializer.name)
    del graph.value_info[:]
    onnx.save(model, file)
    onnx.checker.check_model(str(file))


def _indent(file: Path) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()), ensure_ascii=False, indent=2) + "\n")
