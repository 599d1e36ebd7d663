"""Where golden files lie: folders that change all at once, and tensors in raw little-endian files."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from clip_vocabulary import GOLDENS

KINDS = {np.dtype(np.float32): "f32", np.dtype(np.uint8): "u8"}


def fresh_folder(name: str) -> Path:
    """An empty folder, to be put in place under this name once it is full."""
    folder = Path(tempfile.mkdtemp(prefix="opal-goldens-")) / name
    folder.mkdir()
    return folder


def put_in_place(folder: Path) -> None:
    """Replaces the golden folder of this name: until now tests have read the old one, whole."""
    place = GOLDENS / folder.name
    shutil.rmtree(place, ignore_errors=True)
    shutil.move(folder, place)
    folder.parent.rmdir()


class Tensors:
    """Appends tensors to `NAME.f32` and `NAME.u8`; each is told by {file, offset, shape}, the offset in elements."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.written: dict[str, list[np.ndarray]] = {}

    def add(self, tensor: np.ndarray) -> dict:
        kind = KINDS[tensor.dtype]
        before = self.written.setdefault(kind, [])
        offset = sum(array.size for array in before)
        before.append(tensor)
        return {"file": f"{self.name}.{kind}", "offset": offset, "shape": list(tensor.shape)}

    def close(self) -> None:
        for kind, arrays in self.written.items():
            raw = b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays)
            (self.folder / f"{self.name}.{kind}").write_bytes(raw)
