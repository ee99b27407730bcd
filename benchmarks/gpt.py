"""A GPT built from our stack against the GPT-2 of the transformers library: training and writing.

Both start with the same weights, 4.5 million parameters. A step is the loss of 8 windows of 128
tokens, the gradients of all parameters, and PyTorch's AdamW; the aim is a step that takes no longer
than the library's. Writing is 200 tokens for one prompt of 10, the most probable each time, with a
cache on both sides; the aim is half of the library's time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.harness import Result, compare
from companion.pretraining.gpt import GPT, GPTConfig, generate

B, T, V = 8, 128, 5000
SIZES = {"vocab_size": V, "d_model": 256, "n_layers": 4, "n_heads": 4, "d_hidden": 1024}
PROMPT, NEW = 10, 200


def measure() -> list[Result]:
    """Time our model and the library's in turns."""
    from transformers import GPT2LMHeadModel

    torch.manual_seed(0)
    ids = torch.randint(V, (B, T + 1))
    ours = GPT(GPTConfig(**SIZES, max_length=256))  # pyright: ignore[reportArgumentType]
    assert 4.4e6 < sum(p.numel() for p in ours.parameters()) < 4.6e6
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(folder)
        theirs: Any = GPT2LMHeadModel.from_pretrained(folder)
    assert torch.allclose(ours(ids), theirs(ids).logits, atol=1e-4)
    steps = (
        training_step(ours, ours, ids),
        training_step(theirs, lambda x: theirs(x, use_cache=False).logits, ids),
    )
    step = compare("GPT: training step", *steps, against="transformers", runs=21)

    prompt, real = ids[:1, :PROMPT], torch.ones(1, PROMPT, dtype=torch.int64)
    options = {"max_new_tokens": NEW, "do_sample": False, "attention_mask": real}
    for one in (ours, theirs):
        one.eval()
    texts = (
        lambda: generate(ours, prompt, NEW, temperature=0),
        lambda: theirs.generate(prompt, pad_token_id=0, **options),
    )
    writing = compare(
        f"GPT: {NEW} tokens", *texts, against="transformers", target=0.5, runs=5, warm_up=1
    )
    return [step, writing]


def training_step(
    model: nn.Module, scores: Callable[[Tensor], Tensor], ids: Tensor
) -> Callable[[], Any]:
    """Return what is timed: one step of training, from the tokens to new weights."""
    model.train()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run() -> None:
        loss = cross_entropy(scores(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()

    return run
