"""Right and wrong answers to the exercises of the chapter on attention."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..harness import Answers


def lookup_with_torch(query, keys, values):
    q, k, v = (torch.tensor(array)[None] for array in (query[None], keys, values))
    return torch.nn.functional.scaled_dot_product_attention(q, k, v)[0, 0].numpy()


def lookup_with_loops(query, keys, values):
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) for key in keys]
    scores = [score / math.sqrt(len(query)) for score in scores]
    powers = [math.exp(score - max(scores)) for score in scores]
    total = np.zeros(values.shape[1])
    for power, value in zip(powers, values, strict=True):
        total += power / sum(powers) * value
    return total


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def lookup_that_overflows(query, keys, values):
    powers = np.exp(keys @ query / np.sqrt(len(query)))
    return powers / powers.sum() @ values


def mask_with_loops(lengths, T):
    return np.array(
        [[[j <= i and j < length for j in range(T)] for i in range(T)] for length in lengths]
    )


def mask_by_multiplying(lengths, T):
    real = (np.arange(T) < lengths.reshape(-1, 1)).astype(int)
    return np.tril(np.repeat(real[:, None, :], T, axis=1)).astype(bool)


def heads_by_slices(x, n_heads):
    return np.stack(np.split(x, n_heads, axis=2), axis=1)


def heads_with_loops(x, n_heads):
    B, T, D = x.shape
    width = D // n_heads
    result = np.empty((B, n_heads, T, width))
    for head in range(n_heads):
        result[:, head] = x[:, :, head * width : (head + 1) * width]
    return result


ANSWERS = {
    "transformer.attention.by_hand": Answers(
        right=[math.e / (math.e + 1), 0.731, 1 / (1 + math.exp(-1))],
        wrong=[
            (0.881, "done to the inner products first"),
            (0.622, "square root of 4"),
            (0.269, "of the second key"),
            (2, "Both weights together"),
        ],
    ),
    "transformer.attention.lookup": Answers(
        right=[lookup_with_torch, lookup_with_loops],
        wrong=[
            (lookup_that_overflows, "Take the largest score off"),
            (lambda q, k, v: softmax(k @ q) @ v, "What about the factor"),
            (lambda q, k, v: softmax(k @ q / len(q)) @ v, "by its square root"),
            (lambda q, k, v: k @ q / np.sqrt(len(q)) @ v, "where is the softmax"),
            (lambda q, k, v: softmax(k @ q / np.sqrt(len(q))), "These are the weights"),
        ],
    ),
    "transformer.attention.mask": Answers(
        right=[mask_with_loops, mask_by_multiplying],
        wrong=[
            (lambda lengths, T: ~mask_with_loops(lengths, T), "The other way round"),
            (
                lambda lengths, T: np.repeat(np.tri(T, dtype=bool)[None], len(lengths), axis=0),
                "causal mask alone",
            ),
            (
                lambda lengths, T: np.repeat((np.arange(T) < lengths[:, None])[:, None], T, axis=1),
                "the future is not",
            ),
            (
                lambda lengths, T: mask_with_loops(lengths, T) & ~np.eye(T, dtype=bool),
                "may see itself",
            ),
            (
                lambda lengths, T: mask_with_loops(lengths, T).swapaxes(1, 2),
                "keys are columns",
            ),
            (
                lambda lengths, T: (
                    mask_with_loops(lengths, T) & (np.arange(T) < lengths[:, None])[:, :, None]
                ),
                "about what is looked at",
            ),
            (lambda lengths, T: mask_with_loops(lengths, T).astype(float), "The values are right"),
            (lambda lengths, T: torch.tensor(mask_with_loops(lengths, T)), "The values are right"),
        ],
    ),
    "transformer.attention.heads": Answers(
        right=[heads_by_slices, heads_with_loops],
        wrong=[
            (
                lambda x, n: x.reshape(x.shape[0], n, x.shape[1], x.shape[2] // n),
                "tokens got mixed up",
            ),
            (
                lambda x, n: x.reshape(*x.shape[:2], n, x.shape[2] // n),
                "have to come before the tokens",
            ),
            (
                lambda x, n: np.stack([x[..., h::n] for h in range(n)], axis=1),
                "not every H-th",
            ),
            (lambda x, n: torch.tensor(heads_by_slices(x, n)), "The numbers are right"),
        ],
    ),
    "transformer.attention.parameters": Answers(
        right=[2_362_368, 4 * 768 * 769],
        wrong=[
            (4 * 768**2, "biases are missing"),
            (3 * 768 * 769, "comes after the heads"),
            (12 * 4 * 768 * 769, "a twelfth of them"),
        ],
    ),
    "transformer.attention.crossing": Answers(
        right=[1024, 2 * 512],
        wrong=[
            (512, "once more"),
            (2048, "4 divided by 2"),
            (1025, "Very close"),
        ],
    ),
}
