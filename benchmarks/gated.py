"""Our LSTM and GRU against PyTorch's: forward and backward, batches of 32, 64 steps, 128 units.

The aim is at most PyTorch's time for the GRU and at most twice PyTorch's time for the LSTM, whose
way forward and back PyTorch hands to the library oneDNN on most processors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.harness import Result, compare
from companion.sequences.gated import GRU, LSTM

B, T, SIZE = 32, 64, 128
PAIRS = (("LSTM", LSTM, nn.LSTM, 2.0), ("GRU", GRU, nn.GRU, 1.0))


def measure() -> list[Result]:
    """Time our networks and PyTorch's in turns, with the gradients of inputs and parameters."""
    results = []
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(B, T, SIZE, generator=generator, requires_grad=True)
    for name, our_class, its_class, target in PAIRS:
        ours, its = our_class(SIZE, SIZE), its_class(SIZE, SIZE, batch_first=True)
        its.load_state_dict(ours.state_dict())
        results.append(
            compare(
                f"{name} and gradients: B={B}, T={T}, H={SIZE}",
                action(ours, x),
                action(its, x),
                against="torch",
                target=target,
                runs=41,
                warm_up=5,
            )
        )
    return results


def action(network: nn.Module, x: Tensor) -> Callable:
    """Return what is timed: one way forward, and the gradients of everything."""

    def run() -> None:
        y, _ = network(x)
        torch.autograd.grad(y.square().sum(), [x, *network.parameters()])

    return run
