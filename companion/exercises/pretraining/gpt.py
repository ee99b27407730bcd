"""What the exercises of the chapter on GPT expect.

Chapter: book/pretraining/gpt.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from companion.checks import Exercise

Scores = Callable[[list[int]], list[float]]


def count_parameters(vocab_size: int, d_model: int, n_layers: int, max_length: int) -> int:
    """Count the parameters of a GPT with tied vectors, whose hidden width is 4 D."""
    D = d_model
    return (vocab_size + max_length) * D + n_layers * (12 * D**2 + 13 * D) + 2 * D


def keep_top_p(shares: Sequence[float], top_p: float) -> list[float]:
    """Return the distribution that top-p leaves: 0 for what is cut off."""
    order = np.argsort(-np.asarray(shares), kind="stable")
    kept, total = np.zeros(len(shares)), 0.0
    for token in order:
        if total >= top_p:
            break
        kept[token] = shares[token]
        total += shares[token]
    return (kept / kept.sum()).tolist()


def write_greedily(next_scores: Scores, ids: list[int], n_tokens: int, stop: int) -> list[int]:
    """Append the most probable token, again and again, until `stop` is written."""
    text = list(ids)
    for _ in range(n_tokens):
        text.append(int(np.argmax(next_scores(text))))
        if text[-1] == stop:
            break
    return text


def bits_per_byte(log_probabilities: Sequence[float], text: str) -> float:
    """Return the bits that a model needs for a byte of a text."""
    return -sum(log_probabilities) / math.log(2) / len(text.encode())


def chain(seed: int) -> Scores:
    """Return a model of six tokens: its scores follow from the last token and the length."""

    def next_scores(ids: list[int]) -> list[float]:
        rng = np.random.default_rng([seed, ids[-1], len(ids)])
        return rng.permutation(6).astype(float).tolist()

    return next_scores


def with_model(answer: Callable[..., Any], seed: int, ids: list[int], n: int, stop: int) -> Any:
    """Let an answer write with a model that is known from its seed."""
    return answer(chain(seed), list(ids), n, stop)


def random_sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw the sizes of a model."""
    V, D, N, T = (int(n) for n in rng.integers(2, 90, size=4))
    return V, D, N, T


def random_shares(rng: np.random.Generator) -> tuple[list[float], float]:
    """Draw a distribution over five tokens, and a share."""
    return rng.dirichlet(np.ones(5)).tolist(), float(rng.uniform(0.2, 0.95))


def random_prompt(rng: np.random.Generator) -> tuple[int, list[int], int, int]:
    """Draw a model, a prompt, a number of tokens, and a token that stops."""
    seed, n, stop = (int(k) for k in rng.integers((0, 3, 0), (999, 9, 6)))
    return seed, rng.integers(0, 6, size=2).tolist(), n, stop


def random_text(rng: np.random.Generator) -> tuple[list[float], str]:
    """Draw probabilities of tokens, and a text that need not be ASCII."""
    words = ["나는", "피자를", "먹었다", "a", "pizza"]
    text = " ".join(rng.choice(words, size=4))
    return np.log(rng.uniform(0.01, 0.9, size=6)).tolist(), text


def _near(got: Any, value: Any) -> bool:
    try:
        return bool(np.shape(got) == np.shape(value) and np.allclose(got, value, rtol=1e-6))
    except (TypeError, ValueError):
        return False


def _without_the_last(shares: Sequence[float], top_p: float) -> list[float]:
    """Keep what stays below `top_p`, and always the first."""
    order = np.argsort(-np.asarray(shares), kind="stable")
    kept, total = np.zeros(len(shares)), 0.0
    for token in order:
        total += shares[token]
        if total > top_p and kept.any():
            break
        kept[token] = shares[token]
    return (kept / kept.sum()).tolist()


EXERCISES = {
    "top_p_by_hand": Exercise(
        expected=[0.5, 0.3125, 0.1875, 0.0, 0.0],
        tolerance=(0.0, 0.001),
        hints=(
            (
                lambda args, got, expected: _near(got, [0.4, 0.25, 0.15, 0.0, 0.0]),
                "The right ones are kept; now divide by their sum, so that it is 1 again.",
            ),
            (
                lambda args, got, expected: _near(got, [0.4 / 0.65, 0.25 / 0.65, 0.0, 0.0, 0.0]),
                "Two have 0.65 together, which is less than 0.75: one more is needed.",
            ),
            (
                lambda args, got, expected: _near(
                    got, [0.4 / 0.92, 0.25 / 0.92, 0.15 / 0.92, 0.12 / 0.92, 0.0]
                ),
                "The fewest that have 0.75 together: three will do.",
            ),
        ),
    ),
    "count_parameters": Exercise(
        reference=count_parameters,
        cases=((7, 2, 1, 3), (50257, 768, 12, 1024)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected + args[0] * args[1],
                "The vectors of the tokens are counted once: the head is tied to them.",
            ),
            (
                lambda args, got, expected: got == expected - 2 * args[1],
                "Pre-norm: one more normalisation stands after the last block.",
            ),
            (
                lambda args, got, expected: got == expected - args[3] * args[1],
                "The positions are learned, and have a table, too.",
            ),
            (
                lambda args, got, expected: got == expected - 9 * args[1] * args[2],
                "The linear layers have biases: 4 D of the attention, 5 D of the network.",
            ),
        ),
    ),
    "write_greedily": Exercise(
        reference=write_greedily,
        run=with_model,
        cases=((0, [1], 1, 9), (1, [2, 3], 4, 9), (2, [0], 8, 3)),
        generate=random_prompt,
        hints=(
            (
                lambda args, got, expected: (
                    isinstance(got, list) and got == expected[len(args[1]) :]
                ),
                "What comes back begins with the prompt.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, list)
                    and len(got) > len(expected)
                    and got[: len(expected)] == expected
                ),
                "The text ends with the first stop token that is written.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, list) and got == expected[:-1] and expected[-1] == args[3]
                ),
                "The stop token belongs to the text, as its last.",
            ),
        ),
    ),
    "bits_per_byte": Exercise(
        reference=bits_per_byte,
        cases=(([-math.log(2)] * 4, "abcd"), ([math.log(0.25), math.log(0.5)], "가")),
        generate=random_text,
        hints=(
            (
                lambda args, got, expected: _near(got, expected * math.log(2)),
                "That is in natural units: a bit is a factor of 2, so divide by log 2.",
            ),
            (
                lambda args, got, expected: _near(
                    got, expected * len(args[1].encode()) / len(args[1])
                ),
                "Divided by characters. A Hangul syllable has 3 bytes: use text.encode().",
            ),
            (
                lambda args, got, expected: _near(
                    got, expected * len(args[1].encode()) / len(args[0])
                ),
                "Divided by the number of tokens, which another tokenizer makes larger or smaller.",
            ),
            (
                lambda args, got, expected: _near(got, -expected),
                "A logarithm of a probability is negative; bits are counted positive.",
            ),
        ),
    ),
    "work_of_the_cache": Exercise(
        expected=[21900, 209],
        hints=(
            (
                lambda args, got, expected: _near(got, [209, 21900]),
                "First without the cache, then with it.",
            ),
            (
                lambda args, got, expected: _near(got, [22110, 210]),
                "The last token that is written need not be read any more.",
            ),
            (
                lambda args, got, expected: len(np.atleast_1d(got)) == 2 and _near(got[1], 209),
                "Without a cache, pass number k reads all 10 + k tokens, for k = 0, ..., 199.",
            ),
            (
                lambda args, got, expected: len(np.atleast_1d(got)) == 2 and _near(got[0], 21900),
                "With the cache each token is read once: the prompt, and all written but the last.",
            ),
        ),
    ),
}
