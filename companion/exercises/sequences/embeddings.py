"""What the exercises of the chapter on word embeddings expect.

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise
from companion.sequences.embeddings import context_pairs


def gradient(u: np.ndarray, v: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the gradient of the loss of negative sampling by u, shape (D,)."""
    return (_sigmoid(u @ v) - 1) * v + _sigmoid(noise @ u) @ noise


def analogy(vectors: np.ndarray, a: int, b: int, c: int) -> int:
    """Return the row that is nearest to b - a + c, none of the three."""
    scores = _scores(vectors, a, b, c)
    scores[[a, b, c]] = -np.inf
    return int(scores.argmax())


def random_tokens(rng: np.random.Generator) -> tuple[list[str], int]:
    """Draw a sentence, in which words may come twice, and a window."""
    return rng.choice(list("abcdef"), size=rng.integers(0, 9)).tolist(), int(rng.integers(1, 5))


def random_pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the vectors of a pair and of some negatives."""
    D, k = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    return rng.normal(size=D), rng.normal(size=D), rng.normal(size=(k, D))


def random_question(rng: np.random.Generator) -> tuple[np.ndarray, int, int, int]:
    """Draw vectors of different lengths, and three rows."""
    V = int(rng.integers(5, 12))
    vectors = rng.normal(size=(V, 3)) * rng.uniform(0.2, 5, size=(V, 1))
    a, b, c = (int(i) for i in rng.choice(V, size=3, replace=False))
    return vectors, a, b, c


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _scores(vectors: np.ndarray, a: int, b: int, c: int) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ (unit[b] - unit[a] + unit[c])


def _without_length_1(args: tuple[Any, ...]) -> int:
    vectors, a, b, c = args
    query = vectors[b] - vectors[a] + vectors[c]
    scores = vectors @ query / np.linalg.norm(vectors, axis=1)
    scores[[a, b, c]] = -np.inf
    return int(scores.argmax())


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


EXERCISES = {
    "cosine": Exercise(
        expected=8 / 9,
        tolerance=(0.0, 0.001),
        hints=(
            (lambda args, got, expected: got == 8, "That is the inner product. And the lengths?"),
            (
                lambda args, got, expected: abs(got - 8 / 3) < 0.01 or abs(got - 8 / 81) < 0.001,
                "Divide by both lengths, once each; both are 3.",
            ),
            (
                lambda args, got, expected: abs(got - np.sqrt(2)) < 0.01,
                "That is the distance of the two points.",
            ),
            (lambda args, got, expected: abs(got) > 1, "A cosine lies between -1 and 1."),
        ),
    ),
    "pairs": Exercise(
        reference=context_pairs,
        cases=(
            (["I", "love", "cat"], 1),
            (["a", "b", "c", "d"], 2),
            (["a", "b", "a"], 2),
            (["a"], 1),
            ([], 1),
        ),
        generate=random_tokens,
        hints=(
            (
                lambda args, got, expected: (
                    isinstance(got, list) and len(got) == len(expected) + len(args[0])
                ),
                "A word is not its own context.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, list) and got != expected and sorted(got) == sorted(expected)
                ),
                "The right pairs. Now the order: word by word, each context from left to right.",
            ),
            (
                lambda args, got, expected: isinstance(got, IndexError),
                "At the ends of the sentence there are fewer neighbours.",
            ),
            (
                lambda args, got, expected: isinstance(got, list) and len(got) > len(expected),
                "Too many pairs: look at the first and at the last words of the sentence.",
            ),
            (
                lambda args, got, expected: isinstance(got, list) and 2 * len(got) == len(expected),
                "The context lies on both sides.",
            ),
            (
                lambda args, got, expected: isinstance(got, list) and len(got) < len(expected),
                "Pairs are missing: does the window reach far enough, does a word come twice?",
            ),
        ),
    ),
    "gradient": Exercise(
        reference=gradient,
        cases=(
            (np.zeros(2), np.array([1.0, 0.0]), np.array([[0.0, 1.0]])),
            (np.array([1.0]), np.array([2.0]), np.array([[1.0], [-1.0]])),
        ),
        generate=random_pair,
        hints=(
            (
                lambda args, got, expected: _close(got, -expected),
                "The sign: the error is the probability minus the label.",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    _sigmoid(args[0] @ args[1]) * args[1] + _sigmoid(args[2] @ args[0]) @ args[2],
                ),
                "The label of the true pair is 1, not 0.",
            ),
            (
                lambda args, got, expected: _close(
                    got, (_sigmoid(args[0] @ args[1]) - 1) * args[1]
                ),
                "And the negatives?",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, np.ndarray) and got.shape != expected.shape
                ),
                "Sum over the negatives: the result has the shape of u.",
            ),
        ),
    ),
    "analogy": Exercise(
        reference=analogy,
        cases=(
            (np.array([[1.0, -1], [1, 1], [3, -1], [3, 1], [-2, 0.5]]), 0, 1, 2),
            (np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1], [5, 5]]), 0, 1, 2),
        ),
        generate=random_question,
        hints=(
            (
                lambda args, got, expected: isinstance(got, int | np.integer) and got in args[1:],
                "The rows of the question are left out.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, int | np.integer) and got == _without_length_1(args)
                ),
                "Bring all rows to length 1 before you add and subtract.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, int | np.integer)
                    and got == analogy(args[0], args[2], args[1], args[3])
                ),
                "The direction goes from a to b.",
            ),
            (
                lambda args, got, expected: np.ndim(got) > 0,
                "Return the number of a row.",
            ),
        ),
    ),
    "window": Exercise(
        expected="smaller",
        hints=(
            (
                lambda args, got, expected: got == "larger",
                "In which sentences does the gender of a role show, and how far from the role?",
            ),
            (lambda args, got, expected: got is not ..., 'Answer "larger" or "smaller".'),
        ),
    ),
}
