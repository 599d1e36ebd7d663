"""Tensors in raw little-endian files: `NAME.f32` for floats, `NAME.u8` for pixels."""

from pathlib import Path

import numpy as np

KINDS = {np.dtype(np.float32): "f32", np.dtype(np.uint8): "u8"}


class Tensors:
    """Appends tensors to the files of one name; each is told by {file, offset, shape}, the offset in elements."""

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
