"""What the exercises of the chapter on Llama expect.

Chapter: book/pretraining/llama.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def turn_one(x: np.ndarray, p: int, base: float) -> np.ndarray:
    """Turn the pairs (i, i + d/2) of a vector of d numbers at position p."""
    pairs = x.reshape(2, -1).T  # (d/2, 2)
    speeds = base ** (-2 * np.arange(len(pairs)) / x.size)
    turned = (pairs[:, 0] + 1j * pairs[:, 1]) * np.exp(1j * p * speeds)
    return np.concatenate([turned.real, turned.imag])


def cache_bytes(
    n_tokens: int, n_layers: int, n_kv_heads: int, d_head: int, bytes_per_number: int
) -> int:
    """Count the bytes of a key-value cache."""
    return 2 * n_tokens * n_layers * n_kv_heads * d_head * bytes_per_number


def round_block(w: np.ndarray, bits: int) -> np.ndarray:
    """Round a block to integers of so many bits, and read it again."""
    levels = np.linspace(w.min(), w.max(), 2**bits)
    return levels[np.abs(w[:, None] - levels).argmin(axis=1)]


def count_parameters(d_model: int, n_heads: int, n_kv_heads: int, d_hidden: int) -> int:
    """Count the parameters of a block of a Llama."""
    of_keys = d_model * (d_model // n_heads) * n_kv_heads
    return 2 * d_model**2 + 2 * of_keys + 3 * d_model * d_hidden + 2 * d_model


def random_vector(rng: np.random.Generator) -> tuple[np.ndarray, int, float]:
    """Draw a vector of even length, a position and a base."""
    d = 2 * int(rng.integers(2, 6))
    return rng.normal(size=d), int(rng.integers(1, 50)), float(rng.uniform(10, 1000))


def random_cache(rng: np.random.Generator) -> tuple[int, int, int, int, int]:
    """Draw the sizes of a cache, all of them different."""
    tokens, layers, heads, d, size = (int(n) for n in rng.permutation(np.arange(2, 40))[:5])
    return tokens, layers, heads, d, size


def random_block(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Draw a block and a number of bits."""
    return rng.normal(size=8), int(rng.integers(2, 6))


def random_sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw sizes that fit each other, with shared keys and values."""
    n_kv_heads, group, d = (int(n) for n in rng.integers(2, 5, size=3))
    n_heads = n_kv_heads * group
    return n_heads * 2 * d, n_heads, n_kv_heads, int(rng.integers(50, 200))


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _token(got: Any, values: list[float]) -> bool:
    return np.shape(got) == (4,) and np.allclose(got, values, rtol=0, atol=0.002)


def _neighbours(x: np.ndarray, p: int, base: float) -> np.ndarray:
    swapped = turn_one(np.concatenate([x[0::2], x[1::2]]), p, base)
    return swapped.reshape(2, -1).T.ravel()


def _from_zero(w: np.ndarray, bits: int) -> np.ndarray:
    """Round with a scale alone, as if the smallest number were 0."""
    d = (w.max() - w.min()) / (2**bits - 1)
    return d * np.round(w / d)


def _one_gap_more(w: np.ndarray, bits: int) -> np.ndarray:
    d = (w.max() - w.min()) / 2**bits
    return d * np.round((w - w.min()) / d) + w.min()


def _downwards(w: np.ndarray, bits: int) -> np.ndarray:
    d = (w.max() - w.min()) / (2**bits - 1)
    return d * np.floor((w - w.min()) / d) + w.min()


def _integers(w: np.ndarray, bits: int) -> np.ndarray:
    return np.round((w - w.min()) / (w.max() - w.min()) * (2**bits - 1))


EXERCISES = {
    "normalise_by_hand": Exercise(
        expected=[1 / 3, -1 / 3, 1.0, 5 / 3],
        tolerance=(0.0, 0.001),
        hints=(
            (
                lambda args, got, expected: _token(got, [-0.4472, -1.3416, 0.4472, 1.3416]),
                "That is layer normalisation: RMSNorm does not take off the mean.",
            ),
            (
                lambda args, got, expected: _token(got, [1 / 9, -1 / 9, 1 / 3, 5 / 9]),
                "Divided by the mean square. Its root is wanted.",
            ),
            (
                lambda args, got, expected: _token(got, [1 / 6, -1 / 6, 0.5, 5 / 6]),
                "Divided by the root of the sum of squares, the length: take their mean first.",
            ),
        ),
    ),
    "turn_one": Exercise(
        reference=turn_one,
        cases=(
            (np.array([1.0, 0.0]), 1, 100.0),
            (np.array([1.0, 2.0, 3.0, 4.0]), 3, 100.0),
            (np.array([1.0, 2.0, 3.0, 4.0]), 0, 100.0),
        ),
        generate=random_vector,
        tolerance=(0.0, 1e-6),
        hints=(
            (
                lambda args, got, expected: _close(got, _neighbours(*args)),
                "Here number i and number i + d/2 are a pair, not two neighbours.",
            ),
            (
                lambda args, got, expected: _close(got, turn_one(args[0], -args[1], args[2])),
                "Turned the other way: look at the sign of the sine.",
            ),
            (
                lambda args, got, expected: _close(got, turn_one(args[0], args[1], args[2] ** 0.5)),
                "Hand i turns by base to the power −2i / d, not −i / d.",
            ),
        ),
    ),
    "cache_bytes": Exercise(
        reference=cache_bytes,
        cases=((1, 30, 3, 64, 4), (100, 2, 3, 5, 7)),
        generate=random_cache,
        hints=(
            (
                lambda args, got, expected: got == expected // 2,
                "Keys and values are kept, both.",
            ),
            (
                lambda args, got, expected: got == expected // args[4],
                "That is how many numbers. Each takes some bytes.",
            ),
            (
                lambda args, got, expected: got == expected // args[1],
                "Each layer has keys and values of its own.",
            ),
            (
                lambda args, got, expected: got == expected // args[2],
                "Each head of keys and values keeps its own.",
            ),
        ),
    ),
    "round_block": Exercise(
        reference=round_block,
        cases=(
            (np.array([-0.3, 0.0, 0.12, 0.45]), 4),
            (np.array([1.0, 2.2, 4.0]), 2),
        ),
        generate=random_block,
        tolerance=(0.0, 1e-9),
        hints=(
            (
                lambda args, got, expected: _close(got, _integers(*args)),
                "Those are the integers q. Read them again: d q + m.",
            ),
            (
                lambda args, got, expected: _close(got, _one_gap_more(*args)),
                "2 to the power of bits levels have one gap fewer.",
            ),
            (
                lambda args, got, expected: _close(got, _downwards(*args)),
                "Rounded down each time: the nearest level is wanted.",
            ),
            (
                lambda args, got, expected: _close(got, _from_zero(*args)),
                "The levels begin at the smallest number of the block: take it off first.",
            ),
        ),
    ),
    "count_parameters": Exercise(
        reference=count_parameters,
        cases=((576, 9, 3, 1536), (8, 4, 2, 3)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected - 2 * args[0],
                "The two norms have a scale each.",
            ),
            (
                lambda args, got, expected: got == expected - args[0] * args[3],
                "SwiGLU has three matrices: gate, inner and outer.",
            ),
            (
                lambda args, got, expected: (
                    got == count_parameters(args[0], args[1], args[1], args[3])
                ),
                "Keys and values have fewer heads than queries.",
            ),
            (
                lambda args, got, expected: got == expected + 2 * args[0],
                "RMSNorm has a scale and no shift.",
            ),
        ),
    ),
}
