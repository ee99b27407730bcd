"""A block written by hand against PyTorch's, and layer normalisation by hand against PyTorch's.

The aim is a block that is no slower than `nn.TransformerEncoderLayer`, forward and forward with
backward, both in training mode with dropout 0. In evaluation without gradients PyTorch's layer is
one fused operation; there ours may take a tenth more. So may layer normalisation alone, which is
PyTorch's kernel behind a check of its argument.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.harness import Result, compare
from companion.transformer.blocks import EncoderBlock, LayerNorm

B, T, D, H, HIDDEN = 16, 128, 256, 8, 1024


def measure() -> list[Result]:
    """Time our modules and PyTorch's in turns."""
    torch.manual_seed(0)
    x = torch.randn(B, T, D, requires_grad=True)
    results = []
    for norm_first in (False, True):
        ours = EncoderBlock(D, H, d_hidden=HIDDEN, norm_first=norm_first)
        layer = nn.TransformerEncoderLayer(
            D, H, HIDDEN, dropout=0.0, batch_first=True, norm_first=norm_first
        )
        place = "pre-norm" if norm_first else "post-norm"
        for name, run in RUNS.items():
            actions = [run(module, x) for module in (ours, layer)]
            target = 1.1 if run is evaluation else 1.0
            name = f"block, {place}: {name}"
            results.append(compare(name, *actions, against="torch", target=target, runs=31))
    for name, run in RUNS.items():
        actions = [run(module, x, repeats=10) for module in (LayerNorm(D), nn.LayerNorm(D))]
        results.append(
            compare(f"layer norm: {name}", *actions, against="torch", target=1.1, runs=31)
        )
    return results


def forward(module: nn.Module, x: Tensor, repeats: int = 1) -> Callable[[], None]:
    """Return what is timed: the output, with all that a backward pass would need."""

    def run() -> None:
        for _ in range(repeats):
            module.train()(x)

    return run


def backward(module: nn.Module, x: Tensor, repeats: int = 1) -> Callable[[], None]:
    """Return what is timed: the output, and the gradients of input and parameters."""
    tensors = [x, *module.parameters()]
    gradient = torch.randn(x.shape)

    def run() -> None:
        for _ in range(repeats):
            torch.autograd.grad(module.train()(x), tensors, gradient)

    return run


def evaluation(module: nn.Module, x: Tensor, repeats: int = 1) -> Callable[[], None]:
    """Return what is timed: the output in evaluation mode, without gradients."""

    def run() -> None:
        with torch.inference_mode():
            for _ in range(repeats):
                module.eval()(x)

    return run


RUNS = {
    "forward": forward,
    "forward and backward": backward,
    "evaluation, no gradients": evaluation,
}
