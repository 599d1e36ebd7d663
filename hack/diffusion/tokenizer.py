"""Golden token ids, by the tokenizer that transformers builds from the files of a model folder.

The truth is CLIPTokenizerFast (the only CLIP tokenizer since transformers 5). Where the old one in Python, which
repairs text with ftfy first, says something else, its ids stand beside as `legacy`: to be known, not to be met.
"""

import json
import tempfile
from pathlib import Path

from transformers import CLIPTokenizer, CLIPTokenizerFast

from clip_vocabulary import EOS, GOLDENS, merges, write_tokenizer
from prompts import prompts

LENGTH = 77


def make() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        by_padding = {}
        for name, pad in (("eos", EOS), ("zero", "!")):
            folder = Path(temporary) / name
            write_tokenizer(folder, merges(), pad)
            by_padding[name] = CLIPTokenizerFast.from_pretrained(folder)
        legacy = CLIPTokenizer.from_pretrained(Path(temporary) / "eos")
        rows = [_row(prompt, by_padding, legacy) for prompt in prompts()]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (GOLDENS / "tokenizer" / "prompts.json").write_text(f"[\n{lines}\n]\n")


def _row(prompt: str, by_padding: dict, legacy: CLIPTokenizer) -> dict:
    """`ids`: all of them with BOS and EOS, neither cut nor padded; `padEos`, `padZero`: the 77 that a model gets."""
    eos, zero = by_padding["eos"], by_padding["zero"]
    row = {"prompt": prompt, "ids": eos(prompt)["input_ids"], "padEos": _padded(eos, prompt)}
    row["padZero"] = _padded(zero, prompt)
    # With "!" as the pad token it is a special token within the text too.
    if (ids := zero(prompt)["input_ids"]) != row["ids"]:
        row["idsZero"] = ids
    if (ids := _padded(legacy, prompt)) != row["padEos"]:
        row["legacy"] = ids
    return row


def _padded(tokenizer: CLIPTokenizer | CLIPTokenizerFast, prompt: str) -> list[int]:
    return tokenizer(prompt, padding="max_length", truncation=True, max_length=LENGTH)["input_ids"]
