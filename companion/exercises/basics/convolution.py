"""What the exercises of the chapter on convolutional networks expect.

Chapter: book/basics/convolution.ipynb
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from companion.basics import convolution
from companion.checks import Exercise


def count_parameters(channels: list[int], k: int) -> int:
    """Return the number of weights and biases of convolution layers in a row."""
    return sum((k * k * before + 1) * after for before, after in pairwise(channels))


def convolve(image: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """Return the sums of products of the kernel and each window of the image."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)[::stride, ::stride]
    return (windows * kernel).sum(axis=(2, 3))


def field(kernel_sizes: list[int], strides: list[int]) -> int:
    """Return the receptive field of stacked layers along one axis."""
    return convolution.receptive_field(kernel_sizes, strides=strides)


def judge_spots(answer: Any) -> str | None:
    """Accept a 3 x 3 filter that is blind to flat regions and edges, not to a spot."""
    kernel = np.asarray(answer, dtype=float)
    if kernel.shape != (3, 3):
        return f"give three rows of three numbers, these have the shape {kernel.shape}"
    if not np.isfinite(kernel).all():
        return "give nine finite numbers"
    if abs(kernel.sum()) > 1e-9:
        return f"on a flat region of brightness 1 it answers {kernel.sum():g}, not 0"
    for name, axis in (("an upright", 0), ("a level", 1)):
        steps = np.cumsum(kernel.sum(axis=axis)[::-1])[:2]  # bright from the last line on, or two
        if np.abs(steps).max() > 1e-9:
            return f"along {name} edge it answers {steps[np.abs(steps).argmax()]:g}, not 0"
    if kernel[1, 1] <= 0:
        return f"to a single bright pixel in the middle it answers {kernel[1, 1]:g}"
    return None


def random_channels(rng: np.random.Generator) -> tuple[list[int], int]:
    """Draw the channels of one to four layers, and a filter size."""
    channels = [int(size) for size in rng.integers(1, 20, size=rng.integers(2, 6))]
    return channels, int(rng.integers(1, 8))


def random_image(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw an image and a kernel of whole numbers, and a stride."""
    kernel = rng.integers(-3, 4, size=rng.integers(1, 4, size=2)).astype(float)
    shape = np.array(kernel.shape) + rng.integers(0, 6, size=2)
    return rng.integers(-3, 4, size=shape).astype(float), kernel, int(rng.integers(1, 4))


def random_layers(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Draw the kernel sizes and strides of one to five layers."""
    n_layers = rng.integers(1, 6)
    sizes, strides = rng.integers(1, 6, size=n_layers), rng.integers(1, 4, size=n_layers)
    return [int(size) for size in sizes], [int(stride) for stride in strides]


def _flipped(args: tuple[Any, ...]) -> np.ndarray:
    return convolve(args[0], args[1][::-1, ::-1], args[2])


def _same(got: Any, value: np.ndarray) -> bool:
    return np.shape(got) == value.shape and np.allclose(got, value)


EXERCISES = {
    "output_by_hand": Exercise(
        expected=13,
        hints=(
            (lambda args, got, expected: got == 12, "That is the last place; the first one is 0."),
            (lambda args, got, expected: got == 13.5, "Half a place does not exist: round down."),
            (lambda args, got, expected: got == 14, "The last window must lie fully inside."),
            (lambda args, got, expected: got == 12.5, "Round down, and count place 0 as well."),
            (lambda args, got, expected: got in (24, 26), "By how much does the window move?"),
        ),
    ),
    "count_parameters": Exercise(
        reference=count_parameters,
        cases=(([1, 1], 1), ([1, 8], 3), ([1, 8, 16], 3), ([3, 4, 5, 6], 5)),
        generate=random_channels,
        hints=(
            (
                lambda args, got, expected: (
                    got == sum(args[1] ** 2 * a * b for a, b in pairwise(args[0]))
                ),
                "These are the weights; every filter has a bias, too.",
            ),
            (
                lambda args, got, expected: (
                    got == sum((args[1] ** 2 + 1) * after for after in args[0][1:])
                ),
                "A filter has weights for every channel that comes in.",
            ),
            (
                lambda args, got, expected: (
                    got == sum((args[1] ** 2 + 1) * a * b for a, b in pairwise(args[0]))
                ),
                "One bias for each filter, not one for each channel that it sees.",
            ),
        ),
    ),
    "spot_filter": Exercise(judge=judge_spots),
    "convolve": Exercise(
        reference=convolve,
        cases=(
            (np.array([[2.0]]), np.array([[3.0]]), 1),
            (np.arange(9.0).reshape(3, 3), np.array([[1.0, 0.0], [0.0, 0.0]]), 1),
            (np.arange(6.0).reshape(2, 3), np.array([[1.0, 2.0]]), 1),
            (np.arange(16.0).reshape(4, 4), np.array([[1.0, 2.0], [3.0, 4.0]]), 2),
            (np.arange(20.0).reshape(4, 5), np.array([[1.0, 0.0, 2.0]]), 2),
        ),
        generate=random_image,
        hints=(
            (
                lambda args, got, expected: (
                    _same(got, _flipped(args)) and not np.array_equal(got, expected)
                ),
                "The filter is flipped: that is the mathematicians' convolution.",
            ),
            (
                lambda args, got, expected: (
                    args[2] > 1 and _same(got, convolve(args[0], args[1], 1))
                ),
                "And the stride?",
            ),
            (
                lambda args, got, expected: (
                    args[1].shape[0] != args[1].shape[1]
                    and (isinstance(got, Exception) or np.shape(got) != expected.shape)
                ),
                "The kernel need not be square: look at both of its sizes.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, np.ndarray) and got.shape != expected.shape
                ),
                "Count the places again: how many windows fit in each direction?",
            ),
        ),
    ),
    "field": Exercise(
        reference=field,
        cases=(([1], [1]), ([3], [1]), ([3, 3], [1, 1]), ([3, 3], [2, 1]), ([3, 2, 3], [1, 2, 1])),
        generate=random_layers,
        hints=(
            (
                lambda args, got, expected: got == sum(args[0]),
                "Windows overlap: a layer adds less than its kernel size.",
            ),
            (
                lambda args, got, expected: (
                    got != 1 + sum((k - 1) * s for k, s in zip(*args, strict=True))
                    and got
                    == 1 + sum((k - 1) * math.prod(args[1][: i + 1]) for i, k in enumerate(args[0]))
                ),
                "A stride counts from the next layer on.",
            ),
            (
                lambda args, got, expected: got == 1 + sum(k - 1 for k in args[0]),
                "After a stride of 2, a step of the next layer is two pixels.",
            ),
            (
                lambda args, got, expected: (
                    got == 1 + sum((k - 1) * s for k, s in zip(*args, strict=True))
                ),
                "The stride of a layer counts for the layers after it, and strides multiply.",
            ),
        ),
    ),
    "exact_shifts": Exercise(
        expected=[0, 4, 8],
        hints=(
            (
                lambda args, got, expected: list(got) == [0, 2, 4, 6, 8],
                "That would be right after one pooling.",
            ),
            (
                lambda args, got, expected: list(got) == list(range(9)),
                "That holds for a convolution. Compare with torch.equal.",
            ),
            (
                lambda args, got, expected: list(got) in ([4, 8], [0]),
                "Look for all: the shift by 0 counts, and so do shifted maps.",
            ),
        ),
    ),
}
