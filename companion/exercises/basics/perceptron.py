"""What the exercises of the chapter on the perceptron expect.

Chapter: book/basics/perceptron.ipynb
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from companion.basics.perceptron import Perceptron
from companion.checks import Exercise

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND, OR, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])


def decide(x: np.ndarray, weights: np.ndarray, bias: float) -> np.ndarray:
    """Decide for each row of `x`: 1 if its score is at least 0, else 0."""
    return (x @ weights + bias >= 0).astype(int)


def margin(x: np.ndarray, y: np.ndarray, weights: np.ndarray, bias: float) -> float:
    """Return the smallest signed distance of a sample from the decision line."""
    distances = (x @ weights + bias) / np.linalg.norm(weights)
    return float(np.min((2 * y - 1) * distances))


def updates_per_epoch(x: np.ndarray, y: np.ndarray, max_epochs: int) -> list[int]:
    """Learn from zero with rate 1; return the updates in each epoch."""
    return Perceptron(x.shape[1]).fit(x, y, max_epochs=max_epochs)


def pocket(x: np.ndarray, y: np.ndarray, max_epochs: int) -> int:
    """Return the fewest mistakes on all samples, at the start or after any epoch of learning."""
    perceptron = Perceptron(x.shape[1])
    counts = [int(np.sum(perceptron.predict(x) != y))]
    for _ in range(max_epochs):
        perceptron.fit(x, y, max_epochs=1)
        counts.append(int(np.sum(perceptron.predict(x) != y)))
    return min(counts)


def judge_two_of_three(answer: Any) -> str | None:
    """Accept weights and a bias with which at least two of three votes give 1."""
    if np.shape(answer) != (4,):
        return f"give four numbers, w1, w2, w3 and b; these have the shape {np.shape(answer)}"
    w1, w2, w3, bias = (float(number) for number in answer)
    for votes in product((0, 1), repeat=3):
        score = votes[0] * w1 + votes[1] * w2 + votes[2] * w3 + bias
        given, wanted = int(score >= 0), int(sum(votes) >= 2)
        if given != wanted:
            return (
                f"the votes {votes} have the score {score:g}, which answers {given}, not {wanted}"
            )
    return None


def random_samples(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw whole-number samples, on which every right answer sums exactly, with labels."""
    n_samples, n_inputs = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    x = rng.integers(-3, 4, size=(n_samples, n_inputs)).astype(float)
    return x, rng.integers(0, 2, size=n_samples)


def random_decision(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw samples, weights and a bias; whole numbers, so that scores of exactly 0 occur."""
    x, _ = random_samples(rng)
    return x, rng.integers(-2, 3, size=x.shape[1]).astype(float), float(rng.integers(-2, 3))


def random_line(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Draw labelled samples and a line with a direction."""
    x, y = random_samples(rng)
    return x, y, rng.normal(size=x.shape[1]), float(rng.normal())


def at_zero(args: tuple, got: Any, _expected: Any) -> bool:
    """Tell whether the answer is what "more than 0" would give."""
    x, weights, bias = args
    return np.array_equal(got, (x @ weights + bias > 0).astype(int))


EXERCISES = {
    "one_update": Exercise(
        expected=(3.0, 1.0, 1.5),
        hints=(
            (lambda args, got, expected: got[0] == 1, "Is its answer right? Compute the score."),
            (lambda args, got, expected: got[0] == -1, "The answer is 0, the label 1. Which sign?"),
            (lambda args, got, expected: got[2] == 0.5, "The bias is corrected, too."),
        ),
    ),
    "two_of_three": Exercise(judge=judge_two_of_three),
    "decide": Exercise(
        reference=decide,
        cases=(
            (np.array([[1.0]]), np.array([1.0]), -1.0),
            (INPUTS, np.array([1.0, 1.0]), -1.5),
        ),
        generate=random_decision,
        hints=(
            (at_zero, "What does a score of exactly 0 answer?"),
            (
                lambda args, got, expected: (
                    np.array_equal(got, decide(args[0], args[1], 0))
                    and not np.array_equal(got, expected)
                ),
                "And the bias?",
            ),
        ),
    ),
    "margin": Exercise(
        reference=margin,
        cases=(
            (np.array([[2.0, 1.0]]), np.array([1]), np.array([3.0, 4.0]), -5.0),
            (INPUTS, AND, np.array([2.0, 2.0]), -3.0),
            (INPUTS, OR, np.array([1.0, 1.0]), -1.5),
        ),
        generate=random_line,
        hints=(
            (
                lambda args, got, expected: np.isclose(got, expected * np.linalg.norm(args[2])),
                "A score is a distance only after division by the length of the weights.",
            ),
            (
                lambda args, got, expected: np.isclose(
                    got, margin(args[0], 1 + 0 * args[1], *args[2:])
                ),
                "A sample with label 0 is right on the negative side.",
            ),
            (
                lambda args, got, expected: got >= 0 and expected < 0,
                "A sample on the wrong side counts as negative.",
            ),
            (
                lambda args, got, expected: got > expected,
                "Wanted is the smallest of the distances.",
            ),
        ),
    ),
    "updates_per_epoch": Exercise(
        reference=updates_per_epoch,
        cases=(
            (np.array([[1.0]]), np.array([0]), 5),
            (INPUTS, OR, 100),
            (INPUTS, AND, 100),
            (INPUTS, XOR, 7),
        ),
        generate=lambda rng: (*random_samples(rng), 6),
        hints=(
            (
                lambda args, got, expected: got == expected[:-1] and expected[-1] == 0,
                "The last epoch, the one without an update, belongs to the list.",
            ),
            (
                lambda args, got, expected: 0 in got[:-1],
                "When should learning stop?",
            ),
            (
                lambda args, got, expected: isinstance(got, int),
                "Wanted is a list: one number for each epoch.",
            ),
            (
                lambda args, got, expected: isinstance(got, list),
                "Do an epoch on paper: score 0 answers 1, each mistake corrects w and b at once.",
            ),
        ),
    ),
    "most": Exercise(
        expected=15,
        hints=(
            (
                lambda args, got, expected: got in (11, 13),
                "Some orders are unluckier; did you try all 24?",
            ),
            (lambda args, got, expected: got in (10, 12), "Those are the updates of NAND."),
            (lambda args, got, expected: got in (5, 6, 7, 8), "Count updates, not epochs."),
            (
                lambda args, got, expected: got > 15,
                "More than possible. Are the labels in the same order?",
            ),
        ),
    ),
    "pocket": Exercise(
        reference=pocket,
        cases=(
            (np.array([[1.0]]), np.array([1]), 3),
            (np.array([[1.0], [1.0], [1.0]]), np.array([1, 1, 0]), 2),
            (INPUTS, AND, 1),
            (INPUTS, AND, 100),
            (INPUTS, XOR, 10),
        ),
        generate=lambda rng: (*random_samples(rng), int(rng.integers(1, 9))),
        hints=(
            (
                lambda args, got, expected: got > expected,
                "Keep the smallest of all counts, that of the start (all zeros) included.",
            ),
            (
                lambda args, got, expected: got < expected,
                "Count after each epoch, on all samples, with one and the same line.",
            ),
        ),
    ),
}
