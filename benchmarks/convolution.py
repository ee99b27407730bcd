"""Convolution and pooling written by hand against PyTorch's, on the sizes of the chapter.

The aim is at most 3 times PyTorch's time for `conv2d`, forward alone and forward with backward.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.harness import Result, compare
from companion.basics.convolution import conv2d

# What the chapter computes: B, in channels, height, width; filters and their size; padding.
SIZES = {
    "photograph, 3 to 8 channels": ((1, 3, 160, 240), 8, 3, 0),
    "digits, first layer": ((32, 1, 12, 12), 8, 3, 1),
    "digits, second layer": ((32, 8, 6, 6), 16, 3, 1),
    "digits, 7 x 7 filters": ((32, 1, 12, 12), 32, 7, 3),
    "digits, all test images": ((597, 1, 12, 12), 32, 7, 3),
}
REPEATS = 10  # a single call is too short to be timed


def measure() -> list[Result]:
    """Time our `conv2d` and PyTorch's in turns, without and with gradients."""
    results = []
    generator = torch.Generator().manual_seed(0)
    for name, (shape, n_filters, size, padding) in SIZES.items():
        x = torch.randn(shape, generator=generator)
        weight = torch.randn((n_filters, shape[1], size, size), generator=generator)
        bias = torch.randn(n_filters, generator=generator)
        for learn in (False, True):
            tensors = [tensor.clone().requires_grad_(learn) for tensor in (x, weight, bias)]
            results.append(
                compare(
                    f"conv2d {'and gradients' if learn else 'forward'}: {name}",
                    action(conv2d, tensors, padding),
                    action(functional.conv2d, tensors, padding),
                    against="torch",
                    target=3.0,
                    runs=21,
                )
            )
    return results


def action(convolve: Callable[..., Tensor], tensors: list[Tensor], padding: int) -> Callable:
    """Return what is timed: some convolutions in a row, with gradients if the tensors ask for."""

    def run() -> None:
        for _ in range(REPEATS):
            y = convolve(*tensors, padding=padding)
            if y.requires_grad:
                torch.autograd.grad(y.square().sum(), tensors)

    return run
