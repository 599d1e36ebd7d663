"""CLIP's byte-pair vocabulary, derived from its list of merges as OpenAI's simple_tokenizer.py does.

The list (goldens/tokenizer/merges.txt.gz) is `bpe_simple_vocab_16e6.txt.gz` of the wheel open_clip_torch 3.3.0
(MIT), cut to the 48,894 merges that CLIP uses.
"""

import gzip
import json
from pathlib import Path

GOLDENS = Path(__file__).resolve().parents[2] / "gpu-runner" / "diffusion" / "goldens"
BOS, EOS = "<|startoftext|>", "<|endoftext|>"


def merges() -> list[str]:
    """All merges in order, without the version line."""
    text = gzip.decompress((GOLDENS / "tokenizer" / "merges.txt.gz").read_bytes()).decode()
    return text.splitlines()[1:]


def vocabulary(of: list[str]) -> dict[str, int]:
    """Token to id: the 256 bytes, the same at a word's end, the merges, the two special tokens."""
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair.split()) for pair in of), BOS, EOS]
    return {token: index for index, token in enumerate(tokens)}


def write_tokenizer(folder: Path, of: list[str], pad: str) -> None:
    """The four files of a diffusers `tokenizer/` folder; `pad` is EOS (SD 1.x) or "!" (SD 2.x, SDXL's second)."""
    folder.mkdir(parents=True, exist_ok=True)

    def save(name: str, value: object) -> None:
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")

    save("vocab.json", vocabulary(of))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *of]) + "\n", encoding="utf-8")
    special = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    names = {"bos_token": {"content": BOS, **special}, "eos_token": {"content": EOS, **special}}
    unknown = {"content": EOS, **special}
    save("special_tokens_map.json", {**names, "pad_token": pad, "unk_token": unknown})
    typed = {name: {"__type": "AddedToken", **token} for name, token in {**names, "unk_token": unknown}.items()}
    settings = {"add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77}
    save("tokenizer_config.json", {**settings, **typed, "pad_token": pad, "tokenizer_class": "CLIPTokenizer"})


def _byte_letters() -> list[str]:
    """A printable letter for every byte, in the order that CLIP numbers them: the printable bytes come first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = 256 - len(printable)
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(others)]
