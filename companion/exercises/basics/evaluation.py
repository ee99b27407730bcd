"""What the exercises of the chapter on evaluation expect.

Chapter: book/basics/evaluation.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.basics.evaluation import ConfusionMatrix, precision_recall_curve, roc_curve
from companion.checks import Exercise

STUDY_SIZES = (50, 100, 200, 400, 800)


def precision_per_class(matrix: np.ndarray) -> np.ndarray:
    """Return the precision of each class, shape (C,), NaN where it was never predicted."""
    return ConfusionMatrix(matrix).precision


def area_by_pairs(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """Return the area under the ROC curve."""
    return roc_curve(y_true, y_score).area


def precision_at(share_of_positives: float, recall: float, specificity: float) -> float:
    """Return the precision in a population with this share of positives."""
    found = recall * share_of_positives
    return found / (found + (1 - specificity) * (1 - share_of_positives))


def lowest_costs(y_true: np.ndarray, y_score: np.ndarray, price: float) -> float:
    """Return the lowest costs of any threshold; a false alarm costs 1, a miss costs `price`."""
    positives = float(np.sum(y_true))
    curve = precision_recall_curve(y_true, y_score)
    called = np.array([np.sum(y_score >= threshold) for threshold in curve.thresholds])
    alarms, misses = called * (1 - curve.precision), positives * (1 - curve.recall)
    return float(min(price * positives, np.min(alarms + price * misses)))


def random_matrix(rng: np.random.Generator) -> tuple[np.ndarray]:
    """Draw a confusion matrix, in which some classes may never be predicted."""
    size = int(rng.integers(2, 6))
    matrix = rng.integers(0, 9, size=(size, size)) * (rng.random(size) < 0.7)
    matrix[0, 0] += 1
    return (matrix,)


def random_scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels, both of which occur, and scores with ties."""
    length = int(rng.integers(2, 12))
    y_true = rng.permutation(np.append([0, 1], rng.integers(0, 2, size=length - 2)))
    return y_true, rng.integers(0, 6, size=length) / 5


def random_costs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw labels, scores and the price of a miss."""
    labels, _ = random_scores(rng)
    scores = rng.normal(0.5, 0.7, size=len(labels)).round(2)  # also below 0 and above 1
    return labels, scores, float(rng.integers(1, 30)) / 2


def near(got: Any, value: Any) -> bool:
    """Tell whether an answer is a certain wrong value."""
    return bool(np.allclose(got, value, atol=0.006))


def pairs(args: tuple, worth_of_a_tie: float) -> float:
    """Return the share of pairs in the right order, ties counting something else."""
    positive, negative = args[1][args[0] == 1][:, None], args[1][args[0] == 0]
    return float(np.mean((positive > negative) + worth_of_a_tie * (positive == negative)))


def cheapest_of_the_scores(args: tuple, *, price_of_an_alarm: float = 1.0, price: float) -> float:
    """Return the lowest costs if the threshold has to be one of the scores."""
    y_true, y_score = args[:2]
    costs = []
    for threshold in y_score:
        called = y_score >= threshold
        alarms, misses = np.sum(called & (y_true == 0)), np.sum(~called & (y_true == 1))
        costs.append(float(price_of_an_alarm * alarms + price * misses))
    return min(costs)


EXERCISES = {
    "by_hand": Exercise(
        expected=(0.6, 0.75, 0.875, 2 / 3),
        tolerance=(0.0, 0.0015),
        hints=(
            (
                lambda args, got, expected: bool(np.allclose(got, expected, atol=0.005)),
                "Nearly: three digits, please.",
            ),
            (
                lambda args, got, expected: near(got[2], 120 / 130),
                "The specificity divides by the items that are really true, not by the unflagged.",
            ),
            (
                lambda args, got, expected: max(got) > 1,
                "Shares lie between 0 and 1: write 0.5 for 50 %.",
            ),
            (
                lambda args, got, expected: near(got[:2], (0.75, 0.6)),
                "Precision looks at the 50 flagged items, recall at the 40 false ones.",
            ),
            (
                lambda args, got, expected: near(got[2], 0.125),
                "That is the share of true items that were flagged; who is left in peace?",
            ),
            (
                lambda args, got, expected: near(got[3], 0.675),
                "F1 is not the ordinary mean of precision and recall.",
            ),
            (
                lambda args, got, expected: near(got[2], 0.7),
                "The specificity looks only at the 160 items that are not false.",
            ),
        ),
    ),
    "precision_per_class": Exercise(
        reference=precision_per_class,
        cases=(
            (np.array([[30, 10], [20, 40]]),),
            (np.array([[95, 0], [5, 0]]),),
            (np.array([[8, 2, 0], [1, 3, 0], [1, 1, 4]]),),
        ),
        generate=random_matrix,
        hints=(
            (
                lambda args, got, expected: np.isnan(expected).any() and not np.isnan(got).any(),
                "A class that was never predicted has 0 / 0: give it np.nan.",
            ),
            (
                lambda args, got, expected: np.allclose(
                    got, np.diagonal(args[0]) / args[0].sum(axis=1), equal_nan=True
                ),
                "These are the recalls. Precision looks down a column.",
            ),
        ),
    ),
    "area_by_pairs": Exercise(
        reference=area_by_pairs,
        cases=(
            (np.array([0, 1]), np.array([0.2, 0.7])),
            (np.array([1, 0, 0]), np.array([0.5, 0.1, 0.9])),
            (np.array([1, 0]), np.array([0.5, 0.5])),
            (np.array([0, 1, 0, 1, 0]), np.array([0.1, 0.4, 0.4, 0.9, 0.6])),
        ),
        generate=random_scores,
        hints=(
            (
                lambda args, got, expected: np.isclose(got, pairs(args, 0.0)),
                "A pair with equal scores counts one half.",
            ),
            (
                lambda args, got, expected: np.isclose(got, pairs(args, 1.0)),
                "A pair with equal scores counts one half, not one.",
            ),
            (
                lambda args, got, expected: np.isclose(got, 1 - expected),
                "Which of the two should have the higher score?",
            ),
            (
                lambda args, got, expected: got > 1,
                "That is a number of pairs; the area is a share of all pairs.",
            ),
        ),
    ),
    "precision_at": Exercise(
        reference=precision_at,
        cases=((0.5, 0.8, 0.8), (0.1, 0.9, 0.9), (0.001, 0.95, 0.99)),
        generate=lambda rng: tuple(float(value) for value in rng.integers(1, 100, size=3) / 100),
        hints=(
            (
                lambda args, got, expected: np.isclose(got, args[1] / (args[1] + 1 - args[2])),
                "This holds for a share of one half. How many people of each kind are there?",
            ),
            (
                lambda args, got, expected: np.isclose(
                    got, args[0] * args[1] / (args[0] * args[1] + (1 - args[0]) * args[2])
                ),
                "The specificity is the share of negatives that raise no alarm.",
            ),
            (
                lambda args, got, expected: np.isclose(got, args[0] * args[1]),
                "These are the rightly called people; divide by all who are called.",
            ),
        ),
    ),
    "lowest_costs": Exercise(
        reference=lowest_costs,
        cases=(
            (np.array([0, 1]), np.array([0.2, 0.7]), 5.0),
            (np.array([1, 0, 0, 0]), np.array([0.1, 0.4, 0.6, 0.8]), 2.0),
            (np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.9, 0.3]), 2.0),
            (np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.4, 0.6, 0.9, 0.3]), 20.0),
        ),
        generate=random_costs,
        hints=(
            (
                lambda args, got, expected: np.isclose(
                    got, cheapest_of_the_scores(args, price=args[2])
                ),
                "It may be cheapest to call nobody positive.",
            ),
            (
                lambda args, got, expected: (
                    got < expected
                    and np.isclose(
                        got,
                        min(
                            np.sum(args[0] == 1),
                            cheapest_of_the_scores(args, price_of_an_alarm=args[2], price=1.0),
                        ),
                    )
                ),
                "The price belongs to the misses; a false alarm costs 1.",
            ),
            (
                lambda args, got, expected: np.isclose(
                    got,
                    np.sum((args[1] >= 0.5) & (args[0] == 0))
                    + args[2] * np.sum((args[1] < 0.5) & (args[0] == 1)),
                ),
                "These are the costs at 0.5. Try all thresholds.",
            ),
        ),
    ),
    "study_size": Exercise(
        expected=400,
        hints=(
            (
                lambda args, got, expected: got not in STUDY_SIZES,
                "Give one of the five numbers of people.",
            ),
            (
                lambda args, got, expected: got < expected,
                "Compare again: for this number the interval is wider than 0.1.",
            ),
            (
                lambda args, got, expected: got > expected,
                "Narrow enough, but a smaller number will do.",
            ),
        ),
    ),
}
