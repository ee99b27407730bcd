"""Multi-head attention against PyTorch's, on the sizes of a small Transformer.

The aim is to be no slower than `nn.MultiheadAttention`: forward alone and forward with backward,
without the weights (where both call the same fused kernel), with a causal mask, and with the
weights of all heads.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.harness import Result, compare
from companion.transformer.attention import MultiHeadAttention

B, T, D, H = 16, 128, 256, 8


def measure() -> list[Result]:
    """Time our multi-head attention and PyTorch's in turns, without and with gradients."""
    torch.manual_seed(0)
    attention, library = MultiHeadAttention(D, H), nn.MultiheadAttention(D, H, batch_first=True)
    x, future = torch.randn(B, T, D), torch.ones(T, T, dtype=torch.bool).triu(1)
    pairs: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
        "": (attention, lambda x: library(x, x, x, need_weights=False)[0]),
        ", causal": (
            lambda x: attention(x, causal=True),
            lambda x: library(x, x, x, need_weights=False, attn_mask=future, is_causal=True)[0],
        ),
        ", weights returned": (
            lambda x: attention(x, need_weights=True)[0],
            lambda x: library(x, x, x, average_attn_weights=False)[0],
        ),
    }
    results = []
    for name, (ours, its) in pairs.items():
        for learn in (False, True):
            what = f"multi-head attention{name}, {'and gradients' if learn else 'forward'}"
            results.append(
                compare(
                    what,
                    action(ours, x, learn=learn),
                    action(its, x, learn=learn),
                    against="torch",
                    runs=41,
                )
            )
    return results


def action(attend: Callable[[Tensor], Tensor], x: Tensor, *, learn: bool) -> Callable[[], None]:
    """Return what is timed: one pass, with the gradients of input and parameters if asked for."""

    def run() -> None:
        if learn:
            attend(x.detach().requires_grad_()).square().sum().backward()
        else:
            with torch.no_grad():
                attend(x)

    return run
