"""What the exercises of the chapter on the challenges of training expect.

Chapter: book/basics/challenges.ipynb
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from companion.checks import Exercise


def multiply_adds(sizes: tuple[int, ...]) -> int:
    """Return the multiplications of one forward pass for one sample."""
    return sum(a * b for a, b in itertools.pairwise(sizes))


def grid(widths: list[int], rates: list[float]) -> list[tuple[int, float]]:
    """Return all pairs, the first value changing slowest."""
    return [(width, rate) for width in widths for rate in rates]


def scale_columns(train: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return `new`, scaled with the means and standard deviations of `train`."""
    return (new - train.mean(axis=0)) / train.std(axis=0)


def clip(gradient: np.ndarray, limit: float) -> np.ndarray:
    """Return the gradient, scaled down to the norm `limit` if it is longer."""
    norm = np.linalg.norm(gradient)
    return gradient * (limit / norm) if norm > limit else gradient.copy()


def random_sizes(rng: np.random.Generator) -> tuple[tuple[int, ...]]:
    """Draw the sizes of a network with one to four layers of weights."""
    return (tuple(int(size) for size in rng.integers(1, 30, size=rng.integers(2, 6))),)


def random_choices(rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """Draw lists of widths and learning rates of different lengths."""
    n_widths, n_rates = rng.integers(1, 5, size=2)
    return rng.integers(1, 99, n_widths).tolist(), rng.random(n_rates).round(2).tolist()


def random_tables(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw training and new data with one to four columns."""
    columns = rng.integers(1, 5)
    return rng.normal(3, 5, (rng.integers(3, 9), columns)), rng.normal(3, 5, (4, columns))


def _is(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


EXERCISES = {
    "bound_by_hand": Exercise(
        expected=0.25**5,
        tolerance=(0.01, 0.0),
        hints=(
            (lambda args, got, expected: got == 1.25, "The slopes are multiplied, not added."),
            (
                lambda args, got, expected: got == 0.5**5,
                "The steepest slope is not the value at 0.",
            ),
            (
                lambda args, got, expected: _is(got, 0.25**4) or _is(got, 0.25**6),
                "Count the sigmoids once more: one slope for each.",
            ),
        ),
    ),
    "multiply_adds": Exercise(
        reference=multiply_adds,
        cases=(((3, 2),), ((1, 1),), ((3, 4, 2),), ((64, 100, 10),)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected + sum(args[0][1:]),
                "These are the parameters; a bias is added, and nothing is multiplied by it.",
            ),
            (
                lambda args, got, expected: got == 2 * expected,
                "A multiplication together with its addition counts once.",
            ),
            (
                lambda args, got, expected: got == np.prod(args[0]),
                "Each layer on its own, then the sum over the layers.",
            ),
        ),
    ),
    "grid": Exercise(
        reference=grid,
        cases=(([8], [0.1]), ([8, 16], [0.1]), ([8, 16], [0.1, 0.2, 0.3])),
        generate=random_choices,
        hints=(
            (
                lambda args, got, expected: (
                    isinstance(got, list)
                    and got == list(zip(*args, strict=False))
                    and got != expected
                ),
                "Every width meets every learning rate, not only its neighbour in the list.",
            ),
            (
                lambda args, got, expected: got != expected and sorted(got) == sorted(expected),
                "All pairs are there. The width should change slowest.",
            ),
            (
                lambda args, got, expected: [pair[::-1] for pair in got] == list(expected),
                "Width first, then learning rate.",
            ),
        ),
    ),
    "scale_columns": Exercise(
        reference=scale_columns,
        cases=(
            (np.array([[1.0], [3.0]]), np.array([[5.0], [6.0]])),
            (np.array([[0.0, 10.0], [2.0, 30.0]]), np.array([[1.0, 40.0], [3.0, 0.0]])),
        ),
        generate=random_tables,
        tolerance=(1e-6, 1e-6),
        hints=(
            (
                lambda args, got, expected: _is(got, args[1] - args[0].mean(axis=0)),
                "The mean is gone. Now the spread.",
            ),
            (
                lambda args, got, expected: _is(got, (args[1] - args[0].mean()) / args[0].std()),
                "Each column has a mean and a spread of its own.",
            ),
            (
                lambda args, got, expected: _is(
                    got,
                    (args[1] - np.vstack(args).mean(axis=0)) / np.vstack(args).std(axis=0),
                ),
                "Both together: that is the leak. The new data must not take part.",
            ),
            (
                lambda args, got, expected: _is(
                    got, (args[1] - args[0].mean(axis=0)) / args[0].std(axis=0, ddof=1)
                ),
                "Divide by N, not by N - 1, under the root.",
            ),
            (
                lambda args, got, expected: not _is(got, expected) and abs(np.mean(got)) < 1e-9,
                "Whose means and spreads are these? Those of the new data are not known in time.",
            ),
        ),
    ),
    "clip": Exercise(
        reference=clip,
        cases=(
            (np.array([3.0, 4.0]), 1.0),
            (np.array([0.3, 0.4]), 1.0),
            (np.array([0.0, 0.0]), 1.0),
            (np.array([0.0, -20.0, 0.0]), 5.0),
            (np.array([[3.0, 0.0], [0.0, 4.0]]), 1.0),
        ),
        generate=lambda rng: (rng.normal(0, 3, rng.integers(1, 6)), float(rng.uniform(0.5, 5))),
        hints=(
            (
                lambda args, got, expected: (
                    not _is(got, expected) and _is(got, np.clip(args[0], -args[1], args[1]))
                ),
                "Cutting each number off changes the direction. Scale all by the same factor.",
            ),
            (
                lambda args, got, expected: bool(
                    np.linalg.norm(got) > np.linalg.norm(args[0]) + 1e-9
                ),
                "A short gradient stays as it is.",
            ),
            (
                lambda args, got, expected: _is(args[0], got) and not _is(got, expected),
                "Is this gradient not longer than the limit?",
            ),
        ),
    ),
}
