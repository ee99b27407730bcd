"""What the exercises of the chapter on generative models expect.

Chapter: book/basics/generative.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def reconstruct(samples: np.ndarray, mean: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the projections of samples on the flat space through the mean, shape (N, n)."""
    return (samples - mean) @ directions.T @ directions + mean


def discriminator_loss(real: np.ndarray, fake: np.ndarray) -> float:
    """Return the loss of a discriminator from its probabilities."""
    return -(np.log(real).mean() + np.log(1 - fake).mean())


def variety(classes: np.ndarray, n_classes: int) -> float:
    """Return the entropy of the classes as a share of the largest possible one."""
    shares = np.bincount(classes, minlength=n_classes) / len(classes)
    shares = shares[shares > 0]
    return -(shares * np.log(shares)).sum() / np.log(n_classes)


def random_projection(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw samples, a mean and fewer orthonormal directions than there are numbers."""
    n_samples, n = int(rng.integers(1, 5)), int(rng.integers(2, 5))
    rows = np.linalg.qr(rng.normal(size=(n, n)))[0][: int(rng.integers(1, n))]
    return rng.normal(size=(n_samples, n)), rng.normal(size=n), rows


def random_probabilities(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the answers of a discriminator to real and to generated samples."""
    return rng.uniform(0.05, 0.95, rng.integers(1, 6)), rng.uniform(0.05, 0.95, rng.integers(1, 6))


def random_classes(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Draw some classes, and how many there are."""
    n_classes = int(rng.integers(2, 8))
    return rng.integers(0, n_classes, size=rng.integers(2, 12)), n_classes


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


EXERCISES = {
    "best_answer": Exercise(
        expected=0.75,
        tolerance=(0.0, 0.001),
        hints=(
            (lambda args, got, expected: abs(got - 0.25) < 0.001, "Who counts as 1: real or made?"),
            (lambda args, got, expected: got > 1, "A probability is at most 1. Real among all?"),
            (lambda args, got, expected: got == 0.5, "That would need equal probabilities."),
        ),
    ),
    "code_size": Exercise(
        expected=18,
        hints=(
            (
                lambda args, got, expected: got == 17,
                "There the error is still just above 0.01. Look at more digits.",
            ),
            (lambda args, got, expected: got > 18, "Fewer will do."),
            (lambda args, got, expected: got < 17, "The error is still larger there."),
        ),
    ),
    "reconstruct": Exercise(
        reference=reconstruct,
        cases=(
            (np.array([[3.0, 5.0]]), np.zeros(2), np.array([[1.0, 0.0]])),
            (np.array([[3.0, 5.0]]), np.array([1.0, 1.0]), np.array([[0.0, 1.0]])),
        ),
        generate=random_projection,
        hints=(
            (
                lambda args, got, expected: _close(got, expected - args[1]),
                "The mean was taken off; it has to come back.",
            ),
            (
                lambda args, got, expected: _close(got, args[0] @ args[2].T @ args[2]),
                "What about the mean?",
            ),
            (
                lambda args, got, expected: _close(got, (args[0] - args[1]) @ args[2].T),
                "These are the codes. Now the way back.",
            ),
        ),
    ),
    "discriminator_loss": Exercise(
        reference=discriminator_loss,
        cases=(
            (np.array([0.5]), np.array([0.5])),
            (np.array([0.9]), np.array([0.2])),
            (np.array([0.9, 0.8]), np.array([0.1, 0.3])),
        ),
        generate=random_probabilities,
        hints=(
            (
                lambda args, got, expected: _close(got, -expected),
                "That is what the discriminator wants large. A loss is to become small.",
            ),
            (
                lambda args, got, expected: _close(
                    got, -np.log(args[0]).mean() - np.log(args[1]).mean()
                ),
                "For a generated sample the right answer is 0, not 1.",
            ),
            (
                lambda args, got, expected: _close(
                    got, -np.log(args[0]).sum() - np.log(1 - args[1]).sum()
                ),
                "Means, not sums.",
            ),
        ),
    ),
    "variety": Exercise(
        reference=variety,
        cases=(
            (np.array([0, 1]), 2),
            (np.array([0, 1]), 4),
            (np.array([0, 0, 0, 1]), 2),
            (np.array([0, 0]), 2),
        ),
        generate=random_classes,
        hints=(
            (
                lambda args, got, expected: np.isnan(got) or isinstance(got, RuntimeWarning),
                "The logarithm of 0: leave out classes that do not occur.",
            ),
            (
                lambda args, got, expected: _close(got, expected * np.log(args[1])),
                "Divide by the largest possible entropy.",
            ),
            (
                lambda args, got, expected: _close(got, -expected),
                "Logarithms of shares are negative; the entropy is not.",
            ),
            (
                lambda args, got, expected: _close(got, len(np.unique(args[0])) / args[1]),
                "How often each class occurs matters, too.",
            ),
        ),
    ),
    "noise": Exercise(
        expected="smaller",
        hints=(
            (
                lambda args, got, expected: got == "larger",
                "Is it harder or easier to know real samples that are not blurred?",
            ),
            (lambda args, got, expected: got is not ..., 'Answer "larger" or "smaller".'),
        ),
    ),
}
