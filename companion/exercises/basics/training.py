"""What the exercises of the chapter on training expect.

Chapter: book/basics/training.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def judge_split(answer: Any) -> str | None:
    """Accept a function that splits sample numbers 80/10/10: disjoint, exhaustive, shuffled."""
    if not callable(answer):
        return "give a function my_split(n, seed)"
    split: Any = answer
    for n in (10, 100, 970):
        parts = split(n, 1)
        if not isinstance(parts, list | tuple) or len(parts) != 3:
            return "it should return three arrays: training, validation, test"
        parts = [np.asarray(part) for part in parts]
        if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in parts):
            return "each part should be a flat array of whole numbers, the numbers of samples"
        sizes, wanted = [len(part) for part in parts], [n * 8 // 10, n // 10, n // 10]
        if sum(sizes) == n and sizes != wanted:
            return f"for n = {n} the parts should have the sizes {wanted}, these have {sizes}"
        together = np.concatenate(parts)
        if len(np.unique(together)) < len(together):
            return f"for n = {n} some sample is in two parts, or twice in one"
        if set(together.tolist()) != set(range(n)):
            return f"for n = {n} the parts together are not exactly the numbers 0 to {n - 1}"
    if np.array_equal(together, np.arange(n)) or parts[2].min() >= n * 9 // 10:
        return "the samples are not shuffled before they are cut into parts"
    if not all(np.array_equal(a, b) for a, b in zip(parts, split(n, 1), strict=True)):
        return "called twice with the same seed, it gives different parts"
    if all(np.array_equal(a, b) for a, b in zip(parts, split(n, 2), strict=True)):
        return "another seed gives the same parts"
    return None


def momentum_step(
    w: np.ndarray, velocity: np.ndarray, gradient: np.ndarray, lr: float, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new weights and the new velocity."""
    velocity = momentum * velocity + gradient
    return w - lr * velocity, velocity


def dropout(h: np.ndarray, draws: np.ndarray, p: float) -> np.ndarray:
    """Return `h` with the entries set to 0 whose draw is less than `p`, the others scaled up."""
    return np.where(draws < p, 0.0, h / (1 - p))


def clip(gradients: list[np.ndarray], limit: float) -> list[np.ndarray]:
    """Return the arrays, scaled down together if their common norm is greater than `limit`."""
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient * min(1.0, limit / norm) if norm > 0 else gradient for gradient in gradients]


def random_step(
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """Draw weights, velocity, gradient, learning rate and momentum."""
    w, velocity, gradient = rng.normal(size=(3, rng.integers(1, 5)))
    return w, velocity, gradient, float(rng.uniform(0.01, 0.5)), float(rng.uniform(0.1, 0.99))


def random_dropout(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw hidden values, draws and a probability other than a half."""
    shape = tuple(rng.integers(1, 5, size=rng.integers(1, 3)))
    return rng.normal(size=shape), rng.uniform(size=shape), float(rng.choice([0.1, 0.2, 0.8]))


def random_gradients(rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    """Draw one to three gradients of different shapes, and a limit near their norm."""
    gradients = [
        rng.normal(size=tuple(rng.integers(1, 4, size=rng.integers(1, 3))))
        for _ in range(rng.integers(1, 4))
    ]
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return gradients, float(norm * rng.choice([0.1, 0.7, 1.5]))


def _close(got: Any, expected: Any) -> bool:
    return np.shape(got) == np.shape(expected) and bool(np.allclose(got, expected))


EXERCISES = {
    "count_updates": Exercise(
        expected=160,
        hints=(
            (lambda args, got, expected: got == 155, "The last, smaller batch counts as well."),
            (
                lambda args, got, expected: abs(got - 156.25) < 0.5,
                "There is no quarter of an update: round up in each epoch.",
            ),
            (lambda args, got, expected: got == 157, "Round up in each epoch, not at the end."),
            (lambda args, got, expected: got == 32, "That is one epoch."),
            (
                lambda args, got, expected: got == 5000,
                "So often a sample is visited. An update is made once per batch.",
            ),
        ),
    ),
    "two_steps": Exercise(
        expected=2.25,
        tolerance=(0.0, 0.006),
        hints=(
            (lambda args, got, expected: abs(got - 1.5) < 0.006, "That is the first step."),
            (
                lambda args, got, expected: got < 0,
                "You went up the hill: which way does the gradient point?",
            ),
            (
                lambda args, got, expected: abs(got - 1.3125) < 0.006,
                "What is the derivative of a square? A factor is missing.",
            ),
            (
                lambda args, got, expected: abs(got - 3) < 0.006,
                "The gradient has to be computed anew where the first step has landed.",
            ),
        ),
    ),
    "split": Exercise(judge=judge_split),
    "momentum_step": Exercise(
        reference=momentum_step,
        cases=(
            (np.array([1.0]), np.array([0.0]), np.array([2.0]), 0.1, 0.9),
            (np.array([1.0]), np.array([2.0]), np.array([2.0]), 0.1, 0.9),
        ),
        generate=random_step,
        hints=(
            (
                lambda args, got, expected: (
                    _close(got[0], expected[0]) and not _close(got[1], expected[1])
                ),
                "The weights are right. Here the velocity holds gradients, without the learning "
                "rate and with a plus.",
            ),
            (
                lambda args, got, expected: _close(
                    got[1], args[4] * args[1] + (1 - args[4]) * args[2]
                ),
                "The gradient is added as it is, not times 1 - momentum.",
            ),
            (
                lambda args, got, expected: _close(got[0], args[0] - args[3] * args[2]),
                "The weights should move along the velocity, not along the gradient.",
            ),
            (
                lambda args, got, expected: _close(got[0], args[0] - args[3] * args[1]),
                "The weights should move along the new velocity, not the old one.",
            ),
            (
                lambda args, got, expected: _close(got[0], args[0] + args[3] * expected[1]),
                "Against the velocity, not with it.",
            ),
            (
                lambda args, got, expected: _close(got[1], args[1] + args[2]),
                "How much of the old velocity is kept?",
            ),
            (
                lambda args, got, expected: _close(got[0], expected[1]),
                "First the weights, then the velocity.",
            ),
        ),
    ),
    "dropout": Exercise(
        reference=dropout,
        cases=((np.array([4.0, 4.0]), np.array([0.1, 0.9]), 0.2),),
        generate=random_dropout,
        hints=(
            (
                lambda args, got, expected: _close(got, np.where(args[1] < args[2], 0, args[0])),
                "Which values are zero is right. Is the average what it was?",
            ),
            (
                lambda args, got, expected: _close(
                    got, np.where(args[1] < args[2], 0, args[0] / args[2])
                ),
                "The average is off: how many are left on average, a share of p or of 1 - p?",
            ),
            (
                lambda args, got, expected: _close(
                    got, np.where(args[1] < args[2], 0, args[0] * (1 - args[2]))
                ),
                "The average has become smaller. What makes up for the values that are lost?",
            ),
            (
                lambda args, got, expected: np.any((got == 0) & (args[1] >= args[2])),
                "A value whose draw is p or more should be kept.",
            ),
            (
                lambda args, got, expected: np.allclose(got, args[0]),
                "Nothing was dropped.",
            ),
        ),
    ),
    "clip": Exercise(
        reference=clip,
        cases=(
            ([np.array([1.0, 2.0]), np.array([2.0])], 10.0),
            ([np.array([1.0, 2.0]), np.array([2.0])], 1.5),
            ([np.array([0.0, 0.0])], 1.0),
        ),
        generate=random_gradients,
        hints=(
            (
                lambda args, got, expected: any(np.isnan(array).any() for array in got),
                "All gradients may be 0; then there is nothing to divide by.",
            ),
            (
                lambda args, got, expected: all(
                    _close(array, clip([gradient], args[1])[0])
                    for array, gradient in zip(got, args[0], strict=True)
                ),
                "One norm for all arrays together, not one for each: the direction must stay.",
            ),
            (
                lambda args, got, expected: all(
                    _close(array, np.clip(gradient, -args[1], args[1]))
                    for array, gradient in zip(got, args[0], strict=True)
                ),
                "That limits each entry alone, and turns the direction. Scale all by one factor.",
            ),
            (
                lambda args, got, expected: got is not None and _close(expected[0], args[0][0]),
                "Gradients that are short enough should stay as they are.",
            ),
        ),
    ),
    "cliff": Exercise(
        expected=0.19,
        tolerance=(0.0, 1e-9),
        hints=(
            (
                lambda args, got, expected: got in (0.21, 0.25),
                "Print w for the first ten steps: does it come closer to 0?",
            ),
            (
                lambda args, got, expected: got == 0.2,
                "That is the limit itself, where w jumps from 1 to -1 for ever. Which of the six?",
            ),
            (
                lambda args, got, expected: got in (0.05, 0.1, 0.15),
                "That one converges, but a larger one does so, too.",
            ),
        ),
    ),
}
