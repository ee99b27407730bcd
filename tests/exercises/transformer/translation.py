"""Right and wrong answers to the exercises of the chapter on translation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from ..harness import Answers


def count_with_torch(vocab_size, d_model, n_layers, d_hidden):
    with torch.device("meta"):
        linear, norm = torch.nn.Linear, torch.nn.LayerNorm
        layers = [torch.nn.Embedding(vocab_size, d_model)]
        for n_attentions in [1, 2] * n_layers:
            layers += [linear(d_model, d_model) for _ in range(4 * n_attentions)]
            layers += [linear(d_model, d_hidden), linear(d_hidden, d_model)]
            layers += [norm(d_model) for _ in range(n_attentions + 1)]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def count_by_formula(V, D, N, F):
    return V * D + N * (12 * D * D + 4 * D * F + 24 * D + 2 * F)


def target_by_loop(right, vocab_size, epsilon):
    return np.array(
        [(1 - epsilon) * (k == right) + epsilon / vocab_size for k in range(vocab_size)]
    )


def target_by_mixing(right, vocab_size, epsilon):
    uniform = np.ones(vocab_size) / vocab_size
    return (1 - epsilon) * np.eye(vocab_size)[right] + epsilon * uniform


def precision_by_crossing_out(tokens, reference, n):
    left = [reference[i : i + n] for i in range(len(reference) - n + 1)]
    runs, found = [tokens[i : i + n] for i in range(len(tokens) - n + 1)], 0
    for run in runs:
        if run in left:
            left.remove(run)
            found += 1
    return found / len(runs)


def precision_by_counting(tokens, reference, n):
    def counted(words):
        return Counter(zip(*(words[i:] for i in range(n)), strict=False))

    ours, theirs = counted(tokens), counted(reference)
    return sum(min(k, theirs[run]) for run, k in ours.items()) / sum(ours.values())


def precision_unclipped(tokens, reference, n):
    known = {tuple(reference[i : i + n]) for i in range(len(reference) - n + 1)}
    runs = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return sum(run in known for run in runs) / len(runs)


def recall(tokens, reference, n):
    found = precision_by_counting(tokens, reference, n) * (len(tokens) - n + 1)
    return found / max(1, len(reference) - n + 1)


def precision_by_tokens(tokens, reference, n):
    return precision_by_counting(tokens, reference, n) * (len(tokens) - n + 1) / len(tokens)


def gradient_by_loop(gradients, sizes):
    total = sum(size * gradient for size, gradient in zip(sizes, gradients, strict=True))
    return total / sum(sizes)


def gradient_by_average(gradients, sizes):
    return np.average(gradients, axis=0, weights=sizes)


ANSWERS = {
    "transformer.translation.count_parameters": Answers(
        right=[count_with_torch, count_by_formula],
        wrong=[
            (lambda V, D, N, F: count_by_formula(V, D, N, F) + V * D, "one matrix for source"),
            (lambda V, D, N, F: count_by_formula(V, D, N, F) + 2 * V * D, "serves three times"),
            (
                lambda V, D, N, F: V * D + 2 * N * (4 * D * D + 2 * D * F + 9 * D + F),
                "a second attention",
            ),
            (lambda V, D, N, F: count_by_formula(V, D, N, F) - 10 * D * N, "a scale and a shift"),
            (
                lambda V, D, N, F: V * D + N * (12 * D * D + 4 * D * F + 10 * D),
                "one number per output",
            ),
            (lambda V, D, N, F: 0, "expected 152"),
        ],
    ),
    "transformer.translation.smoothed_target": Answers(
        right=[target_by_loop, target_by_mixing],
        wrong=[
            (lambda right, V, e: np.eye(V)[right], "without smoothing"),
            (
                lambda right, V, e: np.where(np.arange(V) == right, 1 - e, e / (V - 1)),
                "the right one included",
            ),
            (
                lambda right, V, e: np.where(np.arange(V) == right, 1 - e, e / V),
                "do not sum to 1",
            ),
            (lambda right, V, e: np.where(np.arange(V) == right, 1 - e, e), "each token gets"),
        ],
    ),
    "transformer.translation.clipped_precision": Answers(
        right=[precision_by_crossing_out, precision_by_counting],
        wrong=[
            (precision_unclipped, "at most as often"),
            (recall, "divide by those of the translation"),
            (precision_by_tokens, "the number of runs"),
            (lambda *args: 100 * precision_by_counting(*args), "a share from 0 to 1"),
        ],
    ),
    "transformer.translation.mean_gradient": Answers(
        right=[gradient_by_loop, gradient_by_average],
        wrong=[
            (lambda gradients, sizes: np.mean(gradients, axis=0), "count the same"),
            (lambda g, sizes: gradient_by_loop(g, sizes) * sum(sizes), "number of all samples"),
            (lambda gradients, sizes: np.sum(gradients, axis=0), "A mean is wanted"),
            (
                lambda g, sizes: gradient_by_average(g, 1 / np.array(sizes)),
                "the large ones that count more",
            ),
        ],
    ),
    "transformer.translation.same_rate": Answers(
        right=[64_000, 64_000.0, np.int64(64_000)],
        wrong=[
            (16_000, "half of the highest"),
            (1000, "rising side"),
            (7000, "no straight line"),
            (8000, "not right"),
        ],
    ),
}
