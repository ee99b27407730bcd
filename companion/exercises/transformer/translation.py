"""What the exercises of the chapter on translation expect.

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.checks import Exercise

Tokens = list[str]


def count_parameters(vocab_size: int, d_model: int, n_layers: int, d_hidden: int) -> int:
    """Count the parameters of a Transformer with one vocabulary for both languages."""
    attention = 4 * (d_model**2 + d_model)
    feed_forward = 2 * d_model * d_hidden + d_hidden + d_model
    encoder = attention + feed_forward + 2 * 2 * d_model
    decoder = 2 * attention + feed_forward + 3 * 2 * d_model
    return vocab_size * d_model + n_layers * (encoder + decoder)


def smoothed_target(right: int, vocab_size: int, epsilon: float) -> np.ndarray:
    """Return the target probabilities of label smoothing, shape (V,)."""
    target = np.full(vocab_size, epsilon / vocab_size)
    target[right] += 1 - epsilon
    return target


def clipped_precision(tokens: Tokens, reference: Tokens, n: int) -> float:
    """Return the share of the runs of n tokens that stand in the reference, each as often."""
    ours, theirs = (
        Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        for words in (tokens, reference)
    )
    return (ours & theirs).total() / ours.total()


def mean_gradient(gradients: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """Return the gradient of the mean over all samples from those of the parts."""
    shares = np.array(sizes) / np.sum(sizes)
    return np.tensordot(shares, np.array(gradients), axes=1)


def random_sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw a vocabulary, a width, a number of blocks, and a hidden size."""
    vocab_size, d_model, d_hidden = (int(n) for n in rng.integers(2, 100, size=3))
    return vocab_size, d_model, int(rng.integers(2, 8)), d_hidden


def random_target(rng: np.random.Generator) -> tuple[int, int, float]:
    """Draw a right token, a vocabulary, and a smoothing."""
    vocab_size = int(rng.integers(3, 9))
    return int(rng.integers(vocab_size)), vocab_size, float(rng.uniform(0.05, 0.4))


def random_texts(rng: np.random.Generator) -> tuple[Tokens, Tokens, int]:
    """Draw two texts of few different words, and a length of runs."""
    words = np.array(["the", "cat", "sat"])
    long, short = (words[rng.integers(3, size=n)].tolist() for n in (9, 6))
    return long, short, int(rng.integers(1, 4))


def random_gradients(rng: np.random.Generator) -> tuple[list[np.ndarray], list[int]]:
    """Draw the gradients of a few parts, and how many samples each has."""
    n_parts = int(rng.integers(2, 5))
    sizes = [int(n) for n in rng.permutation(9)[:n_parts] + 1]
    return [rng.normal(size=(2, 3)) for _ in range(n_parts)], sizes


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and bool(np.allclose(got, value))


def _without(args: Any, *, norms: bool = False, biases: bool = False) -> int:
    _, d_model, n_layers, d_hidden = args
    left = 10 * d_model * n_layers if norms else 0
    if biases:  # twelve in the attentions, of D numbers each, and those of two networks
        left += n_layers * (12 * d_model + 2 * (d_hidden + d_model))
    return count_parameters(*args) - left


def _unclipped(tokens: Tokens, reference: Tokens, n: int) -> float:
    runs = [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
    known = [reference[i : i + n] for i in range(len(reference) - n + 1)]
    return float(np.mean([run in known for run in runs]))


EXERCISES = {
    "count_parameters": Exercise(
        reference=count_parameters,
        cases=((3, 2, 1, 5), (37_000, 512, 6, 2048)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected + args[0] * args[1],
                "There is one vocabulary, and one matrix for source, target and output.",
            ),
            (
                lambda args, got, expected: got == expected + 2 * args[0] * args[1],
                "One matrix serves three times: source, target and output.",
            ),
            (
                lambda args, got, expected: (
                    got == expected - args[2] * (4 * args[1] ** 2 + 6 * args[1])
                ),
                "A decoder block has a second attention, with a normalisation of its own.",
            ),
            (
                lambda args, got, expected: got == _without(args, norms=True),
                "The normalisations have a scale and a shift each: two in the encoder block, "
                "three in the decoder block.",
            ),
            (
                lambda args, got, expected: got == _without(args, biases=True),
                "Each linear layer also has a bias, one number per output.",
            ),
        ),
    ),
    "smoothed_target": Exercise(
        reference=smoothed_target,
        cases=((1, 4, 0.2), (0, 5, 0.1)),
        generate=random_target,
        hints=(
            (
                lambda args, got, expected: _close(got, np.eye(args[1])[args[0]]),
                "That is the target without smoothing.",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    np.where(np.arange(args[1]) == args[0], 1 - args[2], args[2] / (args[1] - 1)),
                ),
                "The share is spread over all V tokens, the right one included.",
            ),
            (
                lambda args, got, expected: _close(
                    got, np.where(np.arange(args[1]) == args[0], 1 - args[2], args[2] / args[1])
                ),
                "These do not sum to 1: the right token gets its part of the shared rest, too.",
            ),
            (
                lambda args, got, expected: _close(
                    got, np.where(np.arange(args[1]) == args[0], 1 - args[2], args[2])
                ),
                "The rest is shared: each token gets epsilon / V of it.",
            ),
        ),
    ),
    "clipped_precision": Exercise(
        reference=clipped_precision,
        cases=(
            (["the", "the", "the"], ["the", "cat"], 1),
            (["the", "cat", "sat"], ["the", "cat", "sat"], 2),
            (["a", "b", "a", "b"], ["b", "a", "b", "c", "d"], 2),
        ),
        generate=random_texts,
        hints=(
            (
                lambda args, got, expected: _close(got, _unclipped(*args)),
                "A run counts at most as often as it stands in the reference: "
                "'the the the' must not score 1.",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    expected * (len(args[0]) - args[2] + 1) / max(1, len(args[1]) - args[2] + 1),
                ),
                "That is divided by the runs of the reference: divide by those of the translation.",
            ),
            (
                lambda args, got, expected: _close(
                    got, expected * (len(args[0]) - args[2] + 1) / len(args[0])
                ),
                "Divide by the number of runs, which is smaller than the number of tokens.",
            ),
            (
                lambda args, got, expected: _close(got, 100 * expected),
                "Give a share from 0 to 1.",
            ),
        ),
    ),
    "mean_gradient": Exercise(
        reference=mean_gradient,
        cases=(
            ([np.array([1.0, 0.0]), np.array([4.0, 3.0])], [2, 1]),
            ([np.array([2.0]), np.array([6.0]), np.array([1.0])], [1, 1, 2]),
        ),
        generate=random_gradients,
        hints=(
            (
                lambda args, got, expected: _close(got, np.mean(args[0], axis=0)),
                "That lets each part count the same, but some have more samples.",
            ),
            (
                lambda args, got, expected: _close(got, expected * np.sum(args[1])),
                "Divide by the number of all samples.",
            ),
            (
                lambda args, got, expected: _close(got, np.sum(args[0], axis=0)),
                "The sum grows with the number of parts. A mean is wanted.",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    np.tensordot(1 / np.array(args[1]), np.array(args[0]), axes=1)
                    / np.sum(1 / np.array(args[1])),
                ),
                "That gives small parts more weight. It is the large ones that count more.",
            ),
        ),
    ),
    "same_rate": Exercise(
        expected=64_000,
        tolerance=(0.0, 1.0),
        hints=(
            (
                lambda args, got, expected: np.isclose(got, 16_000),
                "There it is half of the highest rate. At step 1,000 it is a quarter.",
            ),
            (
                lambda args, got, expected: got <= 4000,
                "That is on the rising side, or the top. The other step comes after 4,000.",
            ),
            (
                lambda args, got, expected: np.isclose(got, 7000),
                "The fall is no straight line: it goes with 1 over the root of the step.",
            ),
        ),
    ),
}
