"""Teaches the text encoder to read: from a caption's mean state a linear layer must tell every attribute, or "unsaid".

So the words' meaning is there before the UNet starts, and the UNet need not learn it from noisy pictures. Frozen
afterwards, as in Stable Diffusion.
"""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from captions import ATTRIBUTES, CHOICES, caption, draw_scene
from vocabulary import LENGTH

BATCH = 64
STEPS = 700


def token_ids(tokenizer, captions: list[str]) -> torch.Tensor:
    """int64 [n, 77], padded with the end mark."""
    return tokenizer(
        captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    ).input_ids


def _batch(tokenizer, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and for each attribute the index of its value; the last index says that it was not spoken of."""
    texts, targets = [], []
    for _ in range(BATCH):
        scene = draw_scene(rng)
        text, said = caption(scene, rng)
        texts.append(text)
        targets.append(
            [CHOICES[name].index(getattr(scene, name)) if name in said else len(CHOICES[name]) for name in ATTRIBUTES]
        )
    return token_ids(tokenizer, texts), torch.tensor(targets)


def train_text(encoder, tokenizer, file: Path, seconds: float, log) -> None:
    """Trains `encoder` in place, at most `seconds` long, or loads it from `file`; it comes back frozen."""
    if file.exists():
        encoder.load_state_dict(torch.load(file))
        encoder.eval().requires_grad_(False)
        return
    sizes = [len(CHOICES[name]) + 1 for name in ATTRIBUTES]
    reader = nn.Linear(encoder.config.hidden_size, sum(sizes))
    parameters = [*encoder.parameters(), *reader.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.01)
    rng, started = np.random.default_rng(3), time.time()
    for step in range(STEPS):
        progress = max(step / STEPS, (time.time() - started) / seconds)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 50) * (1 - progress)
        ids, targets = _batch(tokenizer, rng)
        logits = reader(encoder(ids).last_hidden_state.mean(dim=1)).split(sizes, dim=1)
        loss = sum(nn.functional.cross_entropy(head, targets[:, index]) for index, head in enumerate(logits))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 50 == 0 or step == STEPS - 1:
            right = torch.stack([head.argmax(1) == targets[:, index] for index, head in enumerate(logits)])
            log(stage="text", step=step, loss=round(loss.item(), 4), read=round(right.float().mean().item(), 4))
    torch.save(encoder.state_dict(), file)
    encoder.eval().requires_grad_(False)
