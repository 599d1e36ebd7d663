"""The log of a training: one JSON line a fact, kept beside the checkpoints; curve.py draws it."""

import json
import time
from pathlib import Path


def log_to(folder: Path):
    """A function that writes one JSON line a call to train.jsonl and to the terminal."""

    def log(**facts) -> None:
        line = json.dumps({"at": round(time.time()), **facts})
        print(line, flush=True)
        with (folder / "train.jsonl").open("a") as file:
            file.write(line + "\n")

    return log
