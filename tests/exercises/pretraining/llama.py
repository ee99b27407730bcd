"""Right and wrong answers to the exercises of the chapter on Llama."""

from __future__ import annotations

import numpy as np
import torch

from companion.transformer.attention import MultiHeadAttention
from companion.transformer.blocks import GatedFeedForward, RMSNorm, RotaryPositions

from ..harness import Answers


def turn_by_torch(x, p, base):
    rotary = RotaryPositions(p + 1, len(x), base=base, halves=True).double()
    return rotary(torch.tensor(x)[None, None, None], torch.tensor([p]))[0, 0, 0].numpy()


def turn_with_a_loop(x, p, base, *, sign=1.0, power=2.0, near=False):
    d, y = len(x), np.array(x, dtype=float)
    for i in range(d // 2):
        a, b = (2 * i, 2 * i + 1) if near else (i, i + d // 2)
        angle = sign * p / base ** (power * i / d)
        y[a] = x[a] * np.cos(angle) - x[b] * np.sin(angle)
        y[b] = x[b] * np.cos(angle) + x[a] * np.sin(angle)
    return y


def cache_with_a_tensor(n_tokens, n_layers, n_kv_heads, d_head, bytes_per_number):
    one = np.empty((n_layers, n_kv_heads, n_tokens, d_head), dtype=np.uint8)
    return (one.size + one.size) * bytes_per_number


def cache_by_layers(n_tokens, n_layers, n_kv_heads, d_head, bytes_per_number):
    return sum(2 * n_kv_heads * n_tokens * d_head * bytes_per_number for _ in range(n_layers))


def scale_of(w, bits):
    return (max(w) - min(w)) / (2**bits - 1)


def round_with_a_loop(w, bits):
    d, m = scale_of(w, bits), min(w)
    return np.array([m + d * int((one - m) / d + 0.5) for one in w])


def round_by_q(w, bits):
    q = np.rint((w - w.min()) / np.ptp(w) * (2**bits - 1)).astype(int)
    return w.min() + np.ptp(w) / (2**bits - 1) * q


def count_with_the_parts(d_model, n_heads, n_kv_heads, d_hidden):
    attention = MultiHeadAttention(d_model, n_heads, n_kv_heads=n_kv_heads, bias=False)
    parts = [attention, GatedFeedForward(d_model, d_hidden), RMSNorm(d_model), RMSNorm(d_model)]
    return sum(parameter.numel() for part in parts for parameter in part.parameters())


def count(d, h, kv, hidden, *, matrices=3, norms=2):
    return 2 * d * d + 2 * d * d * kv // h + matrices * d * hidden + norms * d


ANSWERS = {
    "pretraining.llama.normalise_by_hand": Answers(
        right=[[0.333, -0.333, 1, 1.667], np.array([1, -1, 3, 5]) / 3],
        wrong=[
            ([-0.447, -1.342, 0.447, 1.342], "layer normalisation"),
            ([0.111, -0.111, 0.333, 0.556], "Its root is wanted"),
            ([0.167, -0.167, 0.5, 0.833], "their mean first"),
        ],
    ),
    "pretraining.llama.turn_one": Answers(
        right=[turn_by_torch, turn_with_a_loop],
        wrong=[
            (lambda *args: turn_with_a_loop(*args, near=True), "not two neighbours"),
            (lambda *args: turn_with_a_loop(*args, sign=-1.0), "other way"),
            (lambda *args: turn_with_a_loop(*args, power=1.0), "not −i / d"),
        ],
    ),
    "pretraining.llama.cache_bytes": Answers(
        right=[cache_with_a_tensor, cache_by_layers],
        wrong=[
            (lambda *args: cache_by_layers(*args) // 2, "Keys and values"),
            (lambda t, n, h, d, b: 2 * t * n * h * d, "some bytes"),
            (lambda t, n, h, d, b: 2 * t * h * d * b, "Each layer"),
            (lambda t, n, h, d, b: 2 * t * n * d * b, "Each head"),
        ],
    ),
    "pretraining.llama.round_block": Answers(
        right=[round_with_a_loop, round_by_q],
        wrong=[
            (
                lambda w, bits: np.round((w - w.min()) / scale_of(w, bits)),
                "Read them again",
            ),
            (
                lambda w, bits: (
                    np.round((w - w.min()) / (np.ptp(w) / 2**bits)) * np.ptp(w) / 2**bits + w.min()
                ),
                "one gap fewer",
            ),
            (
                lambda w, bits: (
                    np.floor((w - w.min()) / scale_of(w, bits)) * scale_of(w, bits) + w.min()
                ),
                "nearest level",
            ),
            (
                lambda w, bits: np.round(w / scale_of(w, bits)) * scale_of(w, bits),
                "smallest number of the block",
            ),
        ],
    ),
    "pretraining.llama.count_parameters": Answers(
        right=[count_with_the_parts, count],
        wrong=[
            (lambda *args: count(*args, norms=0), "a scale each"),
            (lambda *args: count(*args, matrices=2), "three matrices"),
            (lambda d, h, kv, hidden: count(d, h, h, hidden), "fewer heads"),
            (lambda *args: count(*args, norms=4), "no shift"),
        ],
    ),
}
