"""A training step on masked words, against that of the transformers library.

Both start with the same weights and get the same texts, 32 sequences of 64 tokens of which 15 %
are to be told: the loss, the gradients of all parameters, and a step of PyTorch's AdamW. The
library's head scores all positions, ours only those that are asked. The aim is a step that takes
at most 0.7 of the library's. Beside it, the same with sequences of different lengths, where both
have a mask for the padding.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.harness import Result, compare
from companion.pretraining.bert import (
    BertConfig,
    MaskedLanguageModel,
    mask_tokens,
    masked_loss,
)

B, T, V = 32, 64, 8000
SIZES = {"d_model": 192, "n_layers": 3, "n_heads": 3, "d_hidden": 768, "pooler": False}


def measure() -> list[Result]:
    """Time our model and the library's in turns."""
    from transformers import BertForMaskedLM

    torch.manual_seed(0)
    ids = torch.randint(5, V, (B, T))
    inputs, targets = mask_tokens(ids, mask_id=4, vocab_size=V, special_ids=range(5))
    mask = torch.arange(T) < torch.randint(T // 2, T + 1, (B, 1))
    ours = MaskedLanguageModel(BertConfig(V, **SIZES))
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(folder)
        theirs = BertForMaskedLM.from_pretrained(folder)
    results = []
    for name, real in {"": None, ", padded": mask}.items():
        asked = targets if real is None else targets.masked_fill(~real, -100)
        losses = _losses(ours, theirs, inputs, asked, real)
        assert torch.allclose(*(loss() for loss in losses), atol=1e-4)
        steps = (
            training_step(model, loss) for model, loss in zip((ours, theirs), losses, strict=True)
        )
        title = f"BERT: training step on masked words{name}"
        results.append(compare(title, *steps, against="transformers", target=0.7, runs=15))
    return results


def _losses(
    ours: MaskedLanguageModel, theirs: Any, inputs: Tensor, targets: Tensor, real: Tensor | None
) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """Return two functions that compute the same loss."""
    batch = {"inputs": inputs, "targets": targets} | ({} if real is None else {"mask": real})

    def our_loss() -> Tensor:
        total, count = masked_loss(ours, batch)
        return total / count

    attention_mask = None if real is None else real.long()
    return our_loss, lambda: theirs(inputs, attention_mask=attention_mask, labels=targets).loss


def training_step(model: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], Any]:
    """Return what is timed: one step of training, from the texts to new weights."""
    model.train()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run() -> None:
        found = loss()
        adam.zero_grad()
        found.backward()
        adam.step()

    return run
