"""Right and wrong answers to the exercises of the chapter on generative models."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from ..harness import Answers


def reconstruct_with_loops(samples, mean, directions):
    result = np.tile(mean, (len(samples), 1))
    for row, sample in zip(result, samples, strict=True):
        for direction in directions:
            row += ((sample - mean) @ direction) * direction
    return result


def loss_by_the_fraction(real, fake):
    return np.mean(np.log(1 / real)) + np.mean(np.log(1 / (1 - fake)))


def variety_by_counting(classes, n_classes):
    shares = [count / len(classes) for count in Counter(classes.tolist()).values()]
    return np.float64(sum(-share * math.log(share, n_classes) for share in shares))


def shares_of(classes, n_classes):
    return np.bincount(classes, minlength=n_classes) / len(classes)


def variety_with_log_of_zero(classes, n_classes):
    shares = shares_of(classes, n_classes)
    return -(shares * np.log(shares)).sum() / np.log(n_classes)


def entropy(classes, n_classes):
    shares = shares_of(classes, n_classes)
    return -(shares[shares > 0] * np.log(shares[shares > 0])).sum()


ANSWERS = {
    "basics.generative.best_answer": Answers(
        right=[0.75, 3 / 4],
        wrong=[(0.25, "Who counts as 1"), (3, "at most 1"), (0.5, "equal probabilities")],
    ),
    "basics.generative.code_size": Answers(
        right=[18, 18.0],
        wrong=[(17, "still just above"), (32, "Fewer will do"), (8, "still larger")],
    ),
    "basics.generative.reconstruct": Answers(
        right=[reconstruct_with_loops],
        wrong=[
            (lambda s, m, d: (s - m) @ d.T @ d, "has to come back"),
            (lambda s, m, d: s @ d.T @ d, "What about the mean?"),
            (lambda s, m, d: (s - m) @ d.T, "These are the codes"),
        ],
    ),
    "basics.generative.discriminator_loss": Answers(
        right=[loss_by_the_fraction],
        wrong=[
            (lambda real, fake: np.log(real).mean() + np.log(1 - fake).mean(), "wants large"),
            (lambda real, fake: -np.log(real).mean() - np.log(fake).mean(), "is 0, not 1"),
            (lambda real, fake: -np.log(real).sum() - np.log(1 - fake).sum(), "Means, not sums"),
        ],
    ),
    "basics.generative.variety": Answers(
        right=[variety_by_counting],
        wrong=[
            (variety_with_log_of_zero, "leave out classes"),
            (entropy, "Divide by the largest"),
            (lambda c, n: -variety_by_counting(c, n), "the entropy is not"),
            (lambda c, n: np.float64(len(np.unique(c)) / n), "How often each class"),
        ],
    ),
    "basics.generative.noise": Answers(
        right=["smaller"],
        wrong=[("larger", "not blurred"), ("equal", 'Answer "larger"'), (0.3, 'Answer "larger"')],
    ),
}
