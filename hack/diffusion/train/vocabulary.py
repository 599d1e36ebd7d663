"""The tokenizer's files in CLIP's own format: 256 bytes, the same at a word's end, merges, start and end marks.

Every word of captions.py becomes one token; any other text falls to pieces of words or single bytes.
"""

import json
from collections import Counter
from pathlib import Path

from captions import every_word

START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77
Word = tuple[str, ...]


def _byte_symbols() -> list[str]:
    """CLIP's printable stand-ins for the 256 bytes, in the order of its vocabulary."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + index) for index in range(len(hidden))]


def _merged(word: Word, pair: tuple[str, str]) -> Word:
    out: list[str] = []
    for symbol in word:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return tuple(out)


def learn_merges(words: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges, most frequent pair first, until every word is one symbol."""
    split: list[Word] = [(*word[:-1], word[-1] + "</w>") for word in words if word.isalpha()]
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for word in split for pair in zip(word, word[1:]))
        if not pairs:
            return merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = [_merged(word, best) for word in split]


def write_tokenizer(folder: Path) -> None:
    """vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json; short prompts are padded with END."""
    merges = learn_merges(every_word())
    symbols = _byte_symbols()
    tokens = symbols + [symbol + "</w>" for symbol in symbols] + [a + b for a, b in merges] + [START, END]
    unique = list(dict.fromkeys(tokens))
    marks = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {**marks, "model_max_length": LENGTH, "do_lower_case": True, "add_prefix_space": False, "errors": "replace"}
    folder.mkdir(parents=True, exist_ok=True)
    vocab = {token: index for index, token in enumerate(unique)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False) + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    config["tokenizer_class"] = "CLIPTokenizer"
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(marks, indent=2) + "\n")
