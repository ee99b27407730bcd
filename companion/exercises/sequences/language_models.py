"""What the exercises of the chapter on language models expect.

Chapter: book/sequences/language_models.ipynb
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from companion.checks import Exercise

Pair = tuple[str, str]


def perplexity(probabilities: list[float]) -> float:
    """Return the perplexity of a text from the probabilities of its tokens."""
    return math.exp(-sum(math.log(p) for p in probabilities) / len(probabilities))


def add_k(pairs: list[Pair], v: str, w: str, k: float, V: int) -> float:
    """Return P(w | v) with add-k smoothing."""
    return (pairs.count((v, w)) + k) / (sum(first == v for first, _ in pairs) + k * V)


def continuation(pairs: list[Pair], w: str) -> float:
    """Return the share of the different pairs that end in a word."""
    different = set(pairs)
    return sum(second == w for _, second in different) / len(different)


def temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities sharpened or flattened by a temperature."""
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum()


def random_probabilities(rng: np.random.Generator) -> tuple[list[float]]:
    """Draw the probabilities of a few tokens."""
    return (rng.uniform(0.05, 1, size=rng.integers(1, 6)).round(2).tolist(),)


def random_pairs(rng: np.random.Generator) -> list[Pair]:
    """Draw neighbouring pairs of words, some of them repeated."""
    chosen = rng.choice(list("abc"), size=(int(rng.integers(3, 9)), 2))
    return [(str(first), str(second)) for first, second in chosen]


def random_add_k(rng: np.random.Generator) -> tuple[list[Pair], str, str, float, int]:
    """Draw pairs, a history, a word, k and the size of a vocabulary."""
    v, w = map(str, rng.choice(list("abcd"), size=2))
    return random_pairs(rng), v, w, float(rng.choice([0.1, 0.5, 1.0, 2.0])), int(rng.integers(4, 9))


def random_continuation(rng: np.random.Generator) -> tuple[list[Pair], str]:
    """Draw pairs and a word."""
    return random_pairs(rng), str(rng.choice(list("abcd")))


def random_temperature(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Draw a distribution and a temperature."""
    shares = rng.uniform(0.1, 1, size=rng.integers(2, 6))
    return shares / shares.sum(), float(rng.choice([0.5, 1.0, 2.0]))


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _mistaken(got: Any, value: Any, expected: Any) -> bool:
    """Whether a result comes from a mistake, where the mistake makes a difference."""
    return _close(got, value) and not _close(expected, value)


PAIRS = [("a", "b"), ("a", "b"), ("a", "c"), ("c", "b")]

EXERCISES = {
    "by_hand": Exercise(
        expected=1 / 3,
        tolerance=(0.0, 0.004),
        hints=(
            (
                lambda args, got, expected: abs(got - 1 / 2) < 0.001,
                "The first word has a probability, too: how many sentences begin with it?",
            ),
            (
                lambda args, got, expected: abs(got - 2 / 3) < 0.001,
                "After 나는, two different words were seen.",
            ),
            (
                lambda args, got, expected: abs(got - 1 / 9) < 0.001,
                "After 밥을, what else was ever seen?",
            ),
            (lambda args, got, expected: got > 1, "A probability is at most 1."),
        ),
    ),
    "perplexity": Exercise(
        reference=perplexity,
        cases=(([0.5],), ([0.5, 0.125],), ([0.25, 0.25, 0.25],), ([1.0, 0.01],)),
        generate=random_probabilities,
        hints=(
            (
                lambda args, got, expected: _close(got, math.log(expected)),
                "That is the cross-entropy. The exponential is missing.",
            ),
            (
                lambda args, got, expected: _close(got, len(args[0]) / sum(args[0])),
                "The mean is taken of the logarithms, not of the probabilities.",
            ),
            (
                lambda args, got, expected: _close(got, 1 / math.prod(args[0])),
                "Per token: divide the sum of the logarithms by how many they are.",
            ),
            (
                lambda args, got, expected: _close(got, 1 / expected),
                "A perplexity is 1 or more. What about the sign?",
            ),
        ),
    ),
    "add_k": Exercise(
        reference=add_k,
        cases=((PAIRS, "a", "b", 1.0, 4), (PAIRS, "a", "d", 0.5, 4), (PAIRS, "d", "a", 1.0, 4)),
        generate=random_add_k,
        hints=(
            (
                lambda args, got, expected: _close(
                    got,
                    (args[0].count(args[1:3]) + args[3])
                    / (sum(first == args[1] for first, _ in args[0]) + args[3]),
                ),
                "Each of the V words gets its k: what does that add to the denominator?",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    args[0].count(args[1:3])
                    / (sum(first == args[1] for first, _ in args[0]) + args[3] * args[4]),
                ),
                "The pair itself was seen k times more, too.",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    (args[0].count(args[1:3]) + args[3]) / (len(args[0]) + args[3] * args[4]),
                ),
                "Divide by how often v came first, not by the number of all pairs.",
            ),
            (
                lambda args, got, expected: isinstance(got, ZeroDivisionError),
                "A history that was never seen: k is there for it, too.",
            ),
        ),
    ),
    "continuation": Exercise(
        reference=continuation,
        cases=((PAIRS, "b"), (PAIRS, "c"), (PAIRS, "a")),
        generate=random_continuation,
        hints=(
            (
                lambda args, got, expected: _close(
                    got, sum(second == args[1] for _, second in args[0]) / len(args[0])
                ),
                "A pair that occurs twice counts once here.",
            ),
            (
                lambda args, got, expected: _close(
                    got, sum(second == args[1] for _, second in set(args[0]))
                ),
                "That is how many. Which share of all different pairs?",
            ),
            (
                lambda args, got, expected: _close(
                    got, sum(second == args[1] for _, second in set(args[0])) / len(args[0])
                ),
                "Divide by the number of different pairs, not of all.",
            ),
            (
                lambda args, got, expected: _close(
                    got, sum(first == args[1] for first, _ in set(args[0])) / len(set(args[0]))
                ),
                "The word stands second in the pairs that count.",
            ),
        ),
    ),
    "temperature": Exercise(
        reference=temperature,
        cases=(
            (np.array([0.8, 0.2]), 1.0),
            (np.array([0.8, 0.2]), 0.5),
            (np.array([0.5, 0.3, 0.2]), 2.0),
        ),
        generate=random_temperature,
        hints=(
            (
                lambda args, got, expected: _mistaken(got, args[0] ** (1 / args[1]), expected),
                "The sum has to be 1 again.",
            ),
            (
                lambda args, got, expected: _mistaken(
                    got, args[0] ** args[1] / (args[0] ** args[1]).sum(), expected
                ),
                "The exponent is 1 over the temperature.",
            ),
            (
                lambda args, got, expected: _close(
                    got, np.exp(args[0] / args[1]) / np.exp(args[0] / args[1]).sum()
                ),
                "The softmax with a temperature wants logarithms: here are probabilities.",
            ),
            (
                lambda args, got, expected: _mistaken(got, args[0], expected),
                "A factor vanishes when the sum is made 1. The temperature belongs to an exponent.",
            ),
        ),
    ),
    "backwards": Exercise(
        expected="neither",
        hints=(
            (
                lambda args, got, expected: got == "backwards",
                "Were the validation sentences turned round, too?",
            ),
            (
                lambda args, got, expected: got == "forwards",
                "Is it the bigram model, with the same vocabulary for both?",
            ),
            (
                lambda args, got, expected: got is not ...,
                'Answer "forwards", "backwards" or "neither".',
            ),
        ),
    ),
}
