"""What the exercises of the chapter on attention expect.

Chapter: book/transformer/attention.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def lookup(query: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the values, shape (n,)."""
    return _softmax(keys @ query / np.sqrt(len(query))) @ values


def mask(lengths: np.ndarray, T: int) -> np.ndarray:
    """Return the joined causal and padding mask, shape (B, T, T), True where one may attend."""
    real = np.arange(T) < lengths[:, None]  # (B, T)
    return np.tri(T, dtype=bool) & real[:, None, :]


def heads(x: np.ndarray, n_heads: int) -> np.ndarray:
    """Return (B, T, D) cut into heads, shape (B, H, T, D/H)."""
    B, T, D = x.shape
    return x.reshape(B, T, n_heads, D // n_heads).transpose(0, 2, 1, 3)  # (B, H, T, D/H)


def random_lookup(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a query, keys and values."""
    d, T, n = (int(size) for size in rng.integers(1, 6, size=3))
    return 2 * rng.normal(size=d), 2 * rng.normal(size=(T, d)), rng.normal(size=(T, n))


def random_lengths(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Draw the lengths of a batch, and the length that it is filled up to."""
    T = int(rng.integers(1, 6))
    return rng.integers(1, T + 1, size=rng.integers(1, 4)), T


def random_tokens(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Draw a batch of sequences, and a number of heads that divides their width."""
    B, T, H, width = (int(size) for size in rng.integers(1, 5, size=4))
    return rng.normal(size=(B, T, H * width)), H


def _every_other(x: np.ndarray, n_heads: int) -> np.ndarray:
    """Return the cut in which head h gets every H-th number: a typical mistake."""
    return np.stack([x[..., head::n_heads] for head in range(n_heads)], axis=1)


def _softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _same(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.array_equal(got, value)


EXERCISES = {
    "by_hand": Exercise(
        expected=np.e / (np.e + 1),
        tolerance=(0.0, 0.001),
        hints=(
            (
                lambda args, got, expected: abs(got - 1 / (1 + np.exp(-2))) < 0.001,
                "That is the softmax of 2 and 0. What has to be done to the inner products first?",
            ),
            (
                lambda args, got, expected: abs(got - 1 / (1 + np.exp(-0.5))) < 0.001,
                "Divided by 4. What is the square root of 4?",
            ),
            (
                lambda args, got, expected: abs(got - (1 - expected)) < 0.001,
                "That is the weight of the second key.",
            ),
            (lambda args, got, expected: got >= 1, "Both weights together are 1."),
        ),
    ),
    "lookup": Exercise(
        reference=lookup,
        cases=(
            (np.array([1.0]), np.array([[2.0], [0.0]]), np.array([[1.0], [0.0]])),
            (np.array([1.0, 0, 0, 1]), np.array([[2.0, 0, 0, 0], [0, 0, 0, 4]]), np.eye(2)),
            (np.array([500.0, 500]), np.array([[2.0, 2], [1, 2]]), np.eye(2)),
        ),
        generate=random_lookup,
        hints=(
            (
                lambda args, got, expected: isinstance(got, RuntimeWarning) or np.isnan(got).any(),
                "The exponential of a large score overflows. Take the largest score off first.",
            ),
            (
                lambda args, got, expected: _close(got, _softmax(args[1] @ args[0]) @ args[2]),
                "What about the factor?",
            ),
            (
                lambda args, got, expected: _close(
                    got, _softmax(args[1] @ args[0] / len(args[0])) @ args[2]
                ),
                "Divided by d; by its square root, please.",
            ),
            (
                lambda args, got, expected: _close(
                    got, args[1] @ args[0] / np.sqrt(len(args[0])) @ args[2]
                ),
                "Scores are no weights yet: where is the softmax?",
            ),
            (
                lambda args, got, expected: _close(
                    got, _softmax(args[1] @ args[0] / np.sqrt(len(args[0])))
                ),
                "These are the weights. Now mix the values with them.",
            ),
        ),
    ),
    "mask": Exercise(
        reference=mask,
        cases=(
            (np.array([2]), 2),
            (np.array([1]), 3),
            (np.array([3, 1, 2]), 3),
        ),
        generate=random_lengths,
        hints=(
            (
                lambda args, got, expected: _same(got, expected),
                "The values are right: make it a NumPy array of True and False.",
            ),
            (
                lambda args, got, expected: _same(got, ~expected),
                "The other way round: True means that one may attend.",
            ),
            (
                lambda args, got, expected: _same(
                    got, np.broadcast_to(np.tri(args[1], dtype=bool), expected.shape)
                ),
                "That is the causal mask alone: the padding can still be seen.",
            ),
            (
                lambda args, got, expected: _same(
                    got,
                    np.broadcast_to(
                        (np.arange(args[1]) < args[0][:, None])[:, None], expected.shape
                    ),
                ),
                "The padding is hidden, the future is not.",
            ),
            (
                lambda args, got, expected: _same(
                    got, expected & ~np.eye(args[1], dtype=bool)[None]
                ),
                "A position may see itself: not later, so also the same.",
            ),
            (
                lambda args, got, expected: _same(got, mask(args[0], args[1]).transpose(0, 2, 1)),
                "Queries are rows, keys are columns.",
            ),
            (
                lambda args, got, expected: _same(
                    got, expected & (np.arange(args[1]) < args[0][:, None])[:, :, None]
                ),
                "The rows of the padding may look, too: the rule is about what is looked at.",
            ),
        ),
    ),
    "heads": Exercise(
        reference=heads,
        cases=(
            (np.arange(6.0).reshape(1, 3, 2), 2),
            (np.arange(12.0).reshape(1, 3, 4), 2),
            (np.arange(24.0).reshape(2, 2, 6), 3),
        ),
        generate=random_tokens,
        hints=(
            (
                lambda args, got, expected: _same(got, expected),
                "The numbers are right: give them as a NumPy array.",
            ),
            (
                lambda args, got, expected: (
                    np.size(got) == np.size(expected)
                    and _same(got, args[0].reshape(expected.shape))
                ),
                "The shape is right, but tokens got mixed up: "
                "first cut the last axis, then exchange two axes.",
            ),
            (
                lambda args, got, expected: (
                    np.ndim(got) == 4 and _same(got, expected.transpose(0, 2, 1, 3))
                ),
                "(B, T, H, D/H): the heads have to come before the tokens.",
            ),
            (
                lambda args, got, expected: _same(got, _every_other(*args)),
                "Head 1 gets neighbouring numbers, the first D/H, not every H-th.",
            ),
        ),
    ),
    "parameters": Exercise(
        expected=2_362_368,
        hints=(
            (lambda args, got, expected: got == 4 * 768 * 768, "The biases are missing."),
            (
                lambda args, got, expected: got == 3 * (768 * 768 + 768),
                "Three layers make queries, keys and values. What comes after the heads?",
            ),
            (
                lambda args, got, expected: got == 12 * expected,
                "The heads share the matrices: each has a twelfth of them.",
            ),
        ),
    ),
    "crossing": Exercise(
        expected=1024,
        hints=(
            (lambda args, got, expected: got == 512, "Divide both sides by 2TD once more."),
            (lambda args, got, expected: got == 2048, "4 divided by 2 is 2."),
            (
                lambda args, got, expected: got in (1023, 1025),
                "Very close. Look for the length at which both are equal.",
            ),
        ),
    ),
}
