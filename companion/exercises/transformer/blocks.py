"""What the exercises of the chapter on Transformer blocks expect.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.checks import Exercise

Part = Callable[[np.ndarray], np.ndarray]


def encode_position(p: int, d_model: int) -> np.ndarray:
    """Return the sinusoidal encoding of a position, shape (D,)."""
    angles = p * 10000 ** (-np.arange(0, d_model, 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=1).ravel()


def layer_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float) -> np.ndarray:
    """Normalise each token of x, shape (B, T, D)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return weight * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps) + bias


def count_parameters(d_model: int, d_hidden: int) -> int:
    """Count the parameters of an encoder block."""
    return 4 * d_model**2 + 2 * d_model * d_hidden + 9 * d_model + d_hidden


def pre_norm_block(
    x: np.ndarray, attention: Part, feed_forward: Part, norm_1: Part, norm_2: Part
) -> np.ndarray:
    """Add to x what its parts make of it, each after a normalisation."""
    x = x + attention(norm_1(x))
    return x + feed_forward(norm_2(x))


def with_parts(block: Callable[..., Any], x: np.ndarray, a: float, b: float) -> Any:
    """Call a block with four parts that stand apart: two that scale, and two norms."""
    return block(x, lambda x: a * x, lambda x: b * x + 1, _centred, _scaled)


def _centred(x: np.ndarray) -> np.ndarray:
    return x - x.mean(axis=-1, keepdims=True)


def _scaled(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.abs(x).max(axis=-1, keepdims=True))


def random_position(rng: np.random.Generator) -> tuple[int, int]:
    """Draw a position, and an even width."""
    return int(rng.integers(0, 100)), 2 * int(rng.integers(1, 6))


def random_tokens(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Draw tokens, a scale, a shift, and a small number."""
    B, T, D = (int(n) for n in rng.integers(2, 5, size=3))
    x = rng.normal(size=(B, T, D))
    return x, rng.uniform(0.5, 2, D), rng.normal(size=D), float(rng.uniform(0.1, 0.5))


def random_sizes(rng: np.random.Generator) -> tuple[int, int]:
    """Draw a width and a hidden size."""
    return int(rng.integers(1, 100)), int(rng.integers(1, 400))


def random_parts(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """Draw tokens and two factors."""
    return rng.normal(size=(2, 3)), float(rng.uniform(1, 2)), float(rng.uniform(-2, -1))


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _equal(got: Any, value: Any) -> bool:
    """Compare more closely than `_close`: in some cases eps = 1e-5 changes very little."""
    return np.shape(got) == np.shape(value) and np.allclose(got, value, rtol=1e-9, atol=0)


def _token(args: Any, got: Any, values: list[float], tolerance: float = 0.002) -> bool:
    return np.shape(got) == (4,) and np.allclose(got, values, rtol=0, atol=tolerance)


def _by_axis(args: Any, axis: Any, ddof: int = 0, *, eps_outside: bool = False) -> np.ndarray:
    x, weight, bias, eps = args
    mean = x.mean(axis=axis, keepdims=True)
    variance = x.var(axis=axis, keepdims=True, ddof=ddof)
    scale = np.sqrt(variance) + eps if eps_outside else np.sqrt(variance + eps)
    return weight * (x - mean) / scale + bias


def _wired(args: Any, block: Callable[..., Any]) -> Any:
    return with_parts(block, *args)


def _post(x: Any, attention: Part, feed_forward: Part, norm_1: Part, norm_2: Part) -> Any:
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


def _no_path(x: Any, attention: Part, feed_forward: Part, norm_1: Part, norm_2: Part) -> Any:
    return feed_forward(norm_2(attention(norm_1(x))))


def _normed_path(x: Any, attention: Part, feed_forward: Part, norm_1: Part, norm_2: Part) -> Any:
    x = norm_1(x)
    x = norm_2(x + attention(x))
    return x + feed_forward(x)


def _first_input(x: Any, attention: Part, feed_forward: Part, norm_1: Part, norm_2: Part) -> Any:
    return x + attention(norm_1(x)) + feed_forward(norm_2(x))


EXERCISES = {
    "normalise_by_hand": Exercise(
        expected=[-1.3416, -0.4472, 0.4472, 1.3416],
        tolerance=(0.0, 0.001),
        hints=(
            (
                lambda args, got, expected: _token(args, got, [-3, -1, 1, 3]),
                "The mean is taken off; now divide by the standard deviation.",
            ),
            (
                lambda args, got, expected: _token(args, got, [-0.6, -0.2, 0.2, 0.6]),
                "Divided by the variance. Its root is wanted.",
            ),
            (
                lambda args, got, expected: _token(args, got, [-1.1619, -0.3873, 0.3873, 1.1619]),
                "Layer normalisation divides by 4, the number of features, not by 3.",
            ),
            (
                lambda args, got, expected: _token(args, got, [0.4472, 1.3416, 2.2361, 3.1305]),
                "First take off the mean.",
            ),
        ),
    ),
    "encode_position": Exercise(
        reference=encode_position,
        cases=((0, 4), (1, 2), (1, 4), (3, 6)),
        generate=random_position,
        tolerance=(0.0, 1e-6),
        hints=(
            (
                lambda args, got, expected: _close(
                    got, np.concatenate([expected[0::2], expected[1::2]])
                ),
                "All sines and then all cosines: here each sine is followed by its cosine.",
            ),
            (
                lambda args, got, expected: _close(
                    got, np.stack([expected[1::2], expected[0::2]], axis=1).ravel()
                ),
                "The sine comes first, the cosine second.",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    np.where(
                        np.arange(args[1]) % 2 == 0,
                        np.sin(args[0] * 10000 ** (-np.arange(args[1]) / args[1])),
                        np.cos(args[0] * 10000 ** (-np.arange(args[1]) / args[1])),
                    ),
                ),
                "A sine and its cosine have the same angle: hand i has numbers 2i and 2i + 1.",
            ),
            (
                lambda args, got, expected: _close(
                    got, encode_position(args[0], 2 * args[1])[: args[1]]
                ),
                "Hand i turns by 10000 to the power −2i / D, not −i / D.",
            ),
        ),
    ),
    "layer_norm": Exercise(
        reference=layer_norm,
        cases=(
            (np.array([[[1.0, 2.0, 3.0]]]), np.ones(3), np.zeros(3), 1e-5),
            (np.array([[[1.0, 2.0, 3.0], [5.0, 5.0, 2.0]]]), np.ones(3), np.zeros(3), 1e-5),
            (np.array([[[0.0, 4.0]], [[1.0, 1.0]]]), np.array([2.0, 3.0]), np.ones(2), 1.0),
        ),
        generate=random_tokens,
        hints=(
            (
                lambda args, got, expected: _equal(got, layer_norm(args[0], args[1], args[2], 0.0)),
                "eps is missing: it is added to the variance, under the root.",
            ),
            (
                lambda args, got, expected: _equal(got, expected),
                "The numbers are right: give them as a NumPy array.",
            ),
            (
                lambda args, got, expected: _close(got, _by_axis(args, -1, 1)),
                "The variance that divides by D, not by D − 1.",
            ),
            (
                lambda args, got, expected: _close(got, _by_axis(args, -1, eps_outside=True)),
                "eps is added to the variance, under the root.",
            ),
            (
                lambda args, got, expected: _close(got, _by_axis(args, (1, 2))),
                "That is one mean per sentence. Each token is normalised on its own.",
            ),
            (
                lambda args, got, expected: (
                    _close(got, _by_axis(args, (0, 1))) or _close(got, _by_axis(args, 0))
                ),
                "That is over the batch. Each token is normalised over its own features.",
            ),
            (
                lambda args, got, expected: _close(
                    got, layer_norm(args[0], np.ones_like(args[1]), np.zeros_like(args[2]), args[3])
                ),
                "The learned scale and shift are missing.",
            ),
        ),
    ),
    "count_parameters": Exercise(
        reference=count_parameters,
        cases=((2, 3), (5, 2), (512, 2048)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected - 4 * args[0],
                "The layer normalisations have parameters, too: a scale and a shift each.",
            ),
            (
                lambda args, got, expected: got == expected - 2 * args[0],
                "There are two layer normalisations, each with a scale and a shift.",
            ),
            (
                lambda args, got, expected: got == expected - 5 * args[0] - args[1],
                "Each linear layer also has a bias, one number per output.",
            ),
            (
                lambda args, got, expected: got == expected - args[0] ** 2 - args[0],
                "Attention has four linear layers: query, key, value and output.",
            ),
        ),
    ),
    "pre_norm_block": Exercise(
        reference=pre_norm_block,
        run=with_parts,
        cases=((np.array([[1.0, 2.0, 6.0]]), 2.0, -1.0),),
        generate=random_parts,
        hints=(
            (
                lambda args, got, expected: _close(got, _wired(args, _post)),
                "That is post-norm: the norms come after the sums.",
            ),
            (
                lambda args, got, expected: _close(got, _wired(args, _no_path)),
                "The paths around the two parts are missing.",
            ),
            (
                lambda args, got, expected: _close(got, _wired(args, _normed_path)),
                "Only what enters a part is normalised; what goes around it stays as it is.",
            ),
            (
                lambda args, got, expected: _close(got, _wired(args, _first_input)),
                "The second part works on what the first one has left, not on the input.",
            ),
        ),
    ),
    "first_rise": Exercise(
        expected=6,
        hints=(
            (
                lambda args, got, expected: got == 5,
                "There the curve still falls; the next distance is the first that is higher.",
            ),
            (
                lambda args, got, expected: got in (43, 44),
                "That is for the width 512. Here it is 64.",
            ),
            (
                lambda args, got, expected: got == 10,
                "That is where the second rise begins. There is an earlier one.",
            ),
            (lambda args, got, expected: got > 6, "There is an earlier rise."),
            (lambda args, got, expected: got < 5, "Up to distance 5 the curve only falls."),
        ),
    ),
    "quiet_positions": Exercise(
        expected=0.5,
        tolerance=(0.0, 0.03),  # two of the 80 sentences
        hints=(
            (
                lambda args, got, expected: 1 < got <= 100,
                "A share, from 0 to 1, not a percentage.",
            ),
            (
                lambda args, got, expected: got > 0.9,
                "Did the embedding of this very reader get the deviation 1 before the training?",
            ),
            (
                lambda args, got, expected: got < 0.3,
                "One of the two names should get the highest score. Has it been trained at all?",
            ),
        ),
    ),
}
