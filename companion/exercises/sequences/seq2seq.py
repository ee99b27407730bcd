"""What the exercises of the chapter on sequence-to-sequence models expect.

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from companion.checks import Exercise


def decoder_lists(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what the decoder reads, and what it should write."""
    return ["[BOS]", *words], [*words, "[EOS]"]


def masked_weights(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the softmax over the scores where the mask is True, and 0 elsewhere."""
    shares = np.where(mask, np.exp(scores - scores[mask].max()), 0)
    return shares / shares.sum()


def best_output(first: np.ndarray, second: np.ndarray) -> tuple[int, int]:
    """Return the most probable pair of tokens."""
    both = first[:, None] * second
    place = np.unravel_index(both.argmax(), both.shape)
    return int(place[0]), int(place[1])


def random_words(rng: np.random.Generator) -> tuple[list[str]]:
    """Draw a short sentence."""
    return ([f"w{number}" for number in rng.integers(0, 9, size=rng.integers(1, 6))],)


def random_scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores, and a mask that allows a position and, mostly, forbids one."""
    length = int(rng.integers(1, 6))
    mask = rng.random(length) < 0.6
    mask[rng.integers(length)] = True
    return rng.normal(scale=2.0, size=length), mask


def random_model(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the probabilities of a first token, and of a second one after each first."""
    n_tokens = int(rng.integers(2, 5))
    return rng.dirichlet(np.ones(n_tokens)), rng.dirichlet(np.ones(n_tokens), size=n_tokens)


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max())
    return shares / shares.sum()


def _is(got: Any, value: tuple[Any, ...]) -> bool:
    return isinstance(got, tuple) and got == value


EXERCISES = {
    "context": Exercise(
        expected=7.0,
        tolerance=(0.0, 0.001),
        hints=(
            (lambda args, got, expected: got == 8, "The largest share is not the whole."),
            (lambda args, got, expected: got == 6, "That is the mean with equal shares."),
            (
                lambda args, got, expected: abs(got - 8 * math.log(3)) < 0.01,
                "Scores become shares by a softmax first.",
            ),
            (
                lambda args, got, expected: abs(got - 5) < 0.001,
                "Which of the two has the larger score?",
            ),
            (
                lambda args, got, expected: abs(got - 28) < 0.001,
                "The shares have to sum to 1.",
            ),
        ),
    ),
    "shifted": Exercise(
        reference=decoder_lists,
        cases=((["I"],), (["I", "am", "a", "student"],)),
        generate=random_words,
        hints=(
            (
                lambda args, got, expected: _is(got, expected[::-1]),
                "First what the decoder reads, then what it writes.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, tuple) and len(got) == 2 and got[0] == got[1]
                ),
                "The two lists are shifted by one; they are not the same.",
            ),
            (
                lambda args, got, expected: _is(
                    got, (expected[0], [*args[0]]) if len(args[0]) else ()
                ),
                "How does the decoder say that it has finished?",
            ),
            (
                lambda args, got, expected: _is(got, ([*args[0]], expected[1])),
                "What does the decoder read before it has written anything?",
            ),
        ),
    ),
    "masked_weights": Exercise(
        reference=masked_weights,
        cases=(
            (np.array([1.0]), np.array([True])),
            (np.array([1.0, 3.0]), np.array([True, False])),
            (np.array([1.0, 2.0, 5.0]), np.array([True, True, False])),
        ),
        generate=random_scores,
        hints=(
            (
                lambda args, got, expected: not args[1].all() and _close(got, _softmax(args[0])),
                "What does the mask forbid?",
            ),
            (
                lambda args, got, expected: (
                    not args[1].all() and _close(got, _softmax(args[0]) * args[1])
                ),
                "These do not sum to 1.",
            ),
            (
                lambda args, got, expected: (
                    not args[1].all() and _close(got, _softmax(args[0] * args[1]))
                ),
                "A score of 0 still gets a share: exp(0) is 1.",
            ),
            (
                lambda args, got, expected: (
                    not args[1].all() and _close(got, _softmax(args[0][args[1]]))
                ),
                "One weight for each position, also for those that get none.",
            ),
            (
                lambda args, got, expected: _close(got, np.exp(args[0]) * args[1]),
                "Shares sum to 1: something is missing after the exponential.",
            ),
        ),
    ),
    "best_output": Exercise(
        reference=best_output,
        cases=(
            (np.array([0.6, 0.4]), np.array([[0.55, 0.45], [0.1, 0.9]])),
            (
                np.array([0.6, 0.2, 0.2]),
                np.array([[0.2, 0.2, 0.6], [1.0, 0.0, 0.0], [0.3, 0.3, 0.4]]),
            ),
        ),
        generate=random_model,
        hints=(
            (
                lambda args, got, expected: _is(
                    got, (int(args[0].argmax()), int(args[1][args[0].argmax()].argmax()))
                ),
                "That is what greedy decoding finds. Is the best first token in the best output?",
            ),
            (
                lambda args, got, expected: _is(
                    got,
                    tuple(int(i) for i in np.unravel_index(args[1].argmax(), args[1].shape)),
                ),
                "The second factor alone is large there; what about the first?",
            ),
            (
                lambda args, got, expected: _is(got, expected[::-1]),
                "Row i of `second` belongs to the first token i.",
            ),
        ),
    ),
    "full_stops": Exercise(
        expected=2,
        hints=(
            (
                lambda args, got, expected: got == 3,
                "That would be right of the model. Look at what it writes.",
            ),
            (
                lambda args, got, expected: got == 1,
                "It was trained on single sentences, but not only.",
            ),
            (
                lambda args, got, expected: got == 0,
                "Count the token '.' in each translation.",
            ),
        ),
    ),
}
