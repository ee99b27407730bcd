"""Right and wrong answers to the exercises of the chapter on the challenges of training."""

from __future__ import annotations

import itertools

import numpy as np

from ..harness import Answers


def count_with_a_loop(sizes):
    total = 0
    for place in range(1, len(sizes)):
        total += sizes[place - 1] * sizes[place]
    return total


def count_parameters(sizes):
    return sum((a + 1) * b for a, b in itertools.pairwise(sizes))


def multiply_everything(sizes):
    product = 1
    for size in sizes:
        product *= size
    return product


def zipped(widths, rates):
    return list(zip(widths, rates, strict=False))


def rates_first(widths, rates):
    return [(width, rate) for rate in rates for width in widths]


def turned_round(widths, rates):
    return [(rate, width) for width in widths for rate in rates]


def scale_by_loops(train, new):
    result = np.zeros_like(new)
    for column in range(new.shape[1]):
        mean, spread = train[:, column].mean(), train[:, column].std()
        result[:, column] = [(value - mean) / spread for value in new[:, column]]
    return result


def scale_by_the_new_data(train, new):
    spread = new.std(axis=0)
    return (new - new.mean(axis=0)) / np.where(spread == 0, 1, spread)


def clip_by_the_smaller_factor(gradient, limit):
    length = np.sqrt((gradient**2).sum())
    return gradient * min(1.0, limit / max(length, 1e-300))


def clip_always(gradient, limit):
    return gradient * limit / max(np.linalg.norm(gradient), 1e-300)


def scale_by_both(train, new):
    both = np.concatenate([train, new])
    return (new - both.mean(axis=0)) / both.std(axis=0)


def clip_each_row(gradient, limit):
    norms = np.linalg.norm(gradient, axis=-1, keepdims=True)
    return gradient * np.minimum(1, limit / np.maximum(norms, limit))


ANSWERS = {
    "basics.challenges.bound_by_hand": Answers(
        right=[0.25**5, 0.000977, 9.77e-4],
        wrong=[
            (1.25, "multiplied, not added"),
            (0.5**5, "not the value at 0"),
            (0.25**4, "Count the sigmoids"),
        ],
    ),
    "basics.challenges.multiply_adds": Answers(
        right=[count_with_a_loop],
        wrong=[
            (count_parameters, "These are the parameters"),
            (lambda sizes: 2 * count_with_a_loop(sizes), "counts once"),
            (multiply_everything, "Each layer on its own"),
            (lambda sizes: None, "gave None"),
        ],
    ),
    "basics.challenges.grid": Answers(
        right=[lambda widths, rates: list(itertools.product(widths, rates))],
        wrong=[
            (zipped, "Every width meets every learning rate"),
            (rates_first, "The width should change slowest"),
            (turned_round, "Width first"),
        ],
    ),
    "basics.challenges.scale_columns": Answers(
        right=[scale_by_loops],
        wrong=[
            (lambda train, new: new - train.mean(axis=0), "Now the spread"),
            (scale_by_the_new_data, "Whose means and spreads"),
            (scale_by_both, "that is the leak"),
            (
                lambda train, new: (new - train.mean(axis=0)) / train.std(axis=0, ddof=1),
                "not by N - 1",
            ),
            (
                lambda train, new: (new - train.mean()) / train.std(),
                "a mean and a spread of its own",
            ),
        ],
    ),
    "basics.challenges.clip": Answers(
        right=[clip_by_the_smaller_factor],
        wrong=[
            (lambda g, limit: np.clip(g, -limit, limit), "changes the direction"),
            (clip_always, "A short gradient stays"),
            (lambda g, limit: g.copy(), "not longer than the limit"),
            (clip_each_row, "expected"),
        ],
    ),
}
