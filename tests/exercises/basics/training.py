"""Right and wrong answers to the exercises of the chapter on training."""

from __future__ import annotations

import random

import numpy as np

from ..harness import Answers


def split_by_sorting(n, seed):
    order = np.argsort(np.random.default_rng(seed).random(n))
    return order[: n // 10 * 8], order[n // 10 * 8 : n // 10 * 9], order[n // 10 * 9 :]


def split_with_lists(n, seed):
    numbers = list(range(n))
    random.Random(seed).shuffle(numbers)
    test, validation = numbers[: n // 10], numbers[n // 10 : n // 5]
    return [numbers[n // 5 :], validation, test]


def cut(order):
    n = len(order)
    return np.split(order, [n * 8 // 10, n * 9 // 10])


def split_that_overlaps(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[: n * 8 // 10], order[n * 7 // 10 : n * 8 // 10], order[n * 9 // 10 :]


def split_that_draws_each_part(n, seed):
    rng = np.random.default_rng(seed)
    return [rng.choice(n, size, replace=False) for size in (n * 8 // 10, n // 10, n // 10)]


def split_that_forgets_some(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[: n * 8 // 10], order[n * 8 // 10 : n * 9 // 10 - 1], order[n * 9 // 10 :]


def split_only_shuffled_inside(n, seed):
    rng = np.random.default_rng(seed)
    return [rng.permutation(part) for part in cut(np.arange(n))]


def momentum_by_entries(w, velocity, gradient, lr, momentum):
    new = np.array([momentum * v + g for v, g in zip(velocity, gradient, strict=True)])
    return np.array([a - lr * v for a, v in zip(w, new, strict=True)]), new


def momentum_in_place(w, velocity, gradient, lr, momentum):
    velocity *= momentum
    velocity += gradient
    return w - lr * velocity, velocity


def dropout_with_a_mask(h, draws, p):
    keep = draws >= p
    return h * keep / (1 - p)


def clip_by_concatenation(gradients, limit):
    norm = np.linalg.norm(np.concatenate([gradient.ravel() for gradient in gradients]))
    return [
        gradient * (limit / norm) if norm > limit else gradient.copy() for gradient in gradients
    ]


def clip_each(gradients, limit):
    return [clip_by_concatenation([gradient], limit)[0] for gradient in gradients]


def clip_always(gradients, limit):
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient * limit / norm for gradient in gradients]


def clip_without_a_guard(gradients, limit):
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    with np.errstate(all="ignore"):
        return [gradient * min(np.float64(1), limit / norm) + 0 / norm for gradient in gradients]


ANSWERS = {
    "basics.training.count_updates": Answers(
        right=[160, 160.0, np.int64(160)],
        wrong=[
            (155, "smaller batch counts"),
            (156.25, "no quarter of an update"),
            (156, "no quarter of an update"),
            (157, "in each epoch, not at the end"),
            (32, "That is one epoch"),
            (5000, "once per batch"),
        ],
    ),
    "basics.training.two_steps": Answers(
        right=[2.25, np.float64(2.25), 9 / 4],
        wrong=[
            (1.5, "That is the first step"),
            (-3.75, "which way does the gradient point"),
            (1.3125, "A factor is missing"),
            (3.0, "computed anew"),
        ],
    ),
    "basics.training.split": Answers(
        right=[split_by_sorting, split_with_lists],
        wrong=[
            (split_that_overlaps, "in two parts"),
            (split_that_draws_each_part, "in two parts"),
            (split_that_forgets_some, "not exactly the numbers"),
            (lambda n, seed: cut(np.arange(n)), "not shuffled"),
            (split_only_shuffled_inside, "not shuffled"),
            (lambda n, seed: cut(np.random.default_rng().permutation(n)), "gives different parts"),
            (lambda n, seed: cut(np.random.default_rng(0).permutation(n)), "another seed"),
            (
                lambda n, seed: np.split(np.random.default_rng(seed).permutation(n), 2),
                "three arrays",
            ),
            (
                lambda n, seed: np.split(
                    np.random.default_rng(seed).permutation(n), [n // 2, n - 1]
                ),
                "should have the sizes",
            ),
            (lambda n, seed: [np.ones(8), np.ones(1), np.ones(1)], "flat array of whole numbers"),
            (5, "give a function"),
        ],
    ),
    "basics.training.momentum_step": Answers(
        right=[momentum_by_entries],
        wrong=[
            (lambda w, v, g, lr, m: (w - lr * g, m * v + g), "not along the gradient"),
            (lambda w, v, g, lr, m: (w - lr * v, m * v + g), "not the old one"),
            (lambda w, v, g, lr, m: (w + lr * (m * v + g), m * v + g), "Against the velocity"),
            (lambda w, v, g, lr, m: (w - lr * (v + g), v + g), "How much of the old velocity"),
            (lambda w, v, g, lr, m: (m * v + g, w - lr * (m * v + g)), "First the weights"),
            (
                lambda w, v, g, lr, m: (w + (m * -v * lr - lr * g), m * v * lr - lr * g),
                "with a plus",
            ),
            (
                lambda w, v, g, lr, m: (w - lr * (m * v + (1 - m) * g), m * v + (1 - m) * g),
                "as it is",
            ),
            (momentum_in_place, "changes its input"),
        ],
    ),
    "basics.training.dropout": Answers(
        right=[dropout_with_a_mask],
        wrong=[
            (lambda h, draws, p: np.where(draws < p, 0.0, h), "Is the average what it was"),
            (lambda h, draws, p: np.where(draws < p, 0.0, h / p), "a share of p or of 1 - p"),
            (lambda h, draws, p: np.where(draws < p, h / (1 - p), 0.0), "should be kept"),
            (lambda h, draws, p: np.where(draws < p, 0.0, h * (1 - p)), "makes up for"),
            (lambda h, draws, p: h, "Nothing was dropped"),
        ],
    ),
    "basics.training.clip": Answers(
        right=[clip_by_concatenation],
        wrong=[
            (clip_each, "not one for each"),
            (clip_always, "should stay as they are"),
            (clip_without_a_guard, "nothing to divide by"),
            (lambda g, limit: [np.clip(a, -limit, limit) for a in g], "limits each entry alone"),
        ],
    ),
    "basics.training.cliff": Answers(
        right=[0.19, np.float64(0.19)],
        wrong=[
            (0.21, "does it come closer to 0"),
            (0.25, "does it come closer to 0"),
            (0.2, "Which of the six"),
            (0.1, "a larger one does so, too"),
        ],
    ),
}
