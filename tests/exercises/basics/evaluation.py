"""Right and wrong answers to the exercises of the chapter on evaluation."""

from __future__ import annotations

import numpy as np

from ..harness import Answers


def precision_with_a_loop(matrix):
    result = []
    for place in range(len(matrix)):
        named = sum(matrix[:, place])
        result.append(matrix[place, place] / named if named else np.nan)
    return np.array(result)


def recall_per_class(matrix):
    with np.errstate(invalid="ignore"):
        return np.diagonal(matrix) / matrix.sum(axis=1)


def precision_or_zero(matrix):
    return np.diagonal(matrix) / np.maximum(matrix.sum(axis=0), 1)


def area_by_ranks(y_true, y_score):
    ranks = np.array([np.sum(y_score < s) + (np.sum(y_score == s) + 1) / 2 for s in y_score])
    positives = int(np.sum(y_true))
    surplus = ranks[y_true == 1].sum() - positives * (positives + 1) / 2
    return float(surplus / (positives * (len(y_true) - positives)))


def area_from(y_true, y_score, tie, share=True):
    positive, negative = y_score[y_true == 1][:, None], y_score[y_true == 0]
    wins = (positive > negative) + tie * (positive == negative)
    return float(np.mean(wins) if share else np.sum(wins))


def precision_by_counting(share_of_positives, recall, specificity):
    people = 1_000_000
    ill = people * share_of_positives
    alarms = (people - ill) * (1 - specificity)
    return ill * recall / (ill * recall + alarms)


def costs_at(y_true, y_score, threshold, alarm, miss):
    called = y_score >= threshold
    return alarm * np.sum(called & (y_true == 0)) + miss * np.sum(~called & (y_true == 1))


def costs_by_sorting(y_true, y_score, price):
    best = price * np.sum(y_true == 1)
    for threshold in np.unique(y_score):
        best = min(best, costs_at(y_true, y_score, threshold, 1, price))
    return best


def costs_without_nobody(y_true, y_score, price):
    return min(costs_at(y_true, y_score, threshold, 1, price) for threshold in y_score)


def costs_swapped(y_true, y_score, price):
    return min(
        float(costs_at(y_true, y_score, threshold, price, 1)) for threshold in [*y_score, np.inf]
    )


def costs_on_a_grid(y_true, y_score, price):
    grid = np.linspace(0, 1.01, 12)
    return min(costs_at(y_true, y_score, threshold, 1, price) for threshold in grid)


ANSWERS = {
    "basics.evaluation.by_hand": Answers(
        right=[(0.6, 0.75, 0.875, 0.667), [0.6, 0.75, 0.875, 2 / 3]],
        wrong=[
            ((0.75, 0.6, 0.875, 0.667), "Precision looks at the 50 flagged items"),
            ((0.6, 0.75, 0.125, 0.667), "who is left in peace?"),
            ((0.6, 0.75, 0.875, 0.675), "F1 is not the ordinary mean"),
            ((0.6, 0.75, 0.7, 0.667), "only at the 160 items"),
            ((0.6, 0.75, 0.875, 0.67), "three digits"),
            ((60, 75, 87.5, 66.7), "between 0 and 1"),
            ((0.6, 0.75, 120 / 130, 0.667), "not by the unflagged"),
            ((0.6, 0.75, 0.875), "Not yet"),
        ],
    ),
    "basics.evaluation.precision_per_class": Answers(
        right=[precision_with_a_loop],
        wrong=[
            (recall_per_class, "Precision looks down a column"),
            (precision_or_zero, "give it np.nan"),
            (lambda matrix: matrix / matrix.sum(), "shape"),
            (lambda matrix: np.trace(matrix) / matrix.sum(), "shape"),
        ],
    ),
    "basics.evaluation.area_by_pairs": Answers(
        right=[area_by_ranks],
        wrong=[
            (lambda y, s: area_from(y, s, 0.0), "counts one half."),
            (lambda y, s: area_from(y, s, 1.0), "counts one half, not one"),
            (lambda y, s: area_from(1 - y, s, 0.5), "Which of the two"),
            (lambda y, s: area_from(y, s, 0.5, share=False) * 2, "a share of all pairs"),
        ],
    ),
    "basics.evaluation.precision_at": Answers(
        right=[precision_by_counting],
        wrong=[
            (lambda p, r, s: r / (r + 1 - s), "How many people of each kind"),
            (lambda p, r, s: p * r / (p * r + (1 - p) * s), "raise no alarm"),
            (lambda p, r, s: p * r, "divide by all who are called"),
        ],
    ),
    "basics.evaluation.lowest_costs": Answers(
        right=[costs_by_sorting],
        wrong=[
            (costs_without_nobody, "call nobody positive"),
            (costs_swapped, "The price belongs to the misses"),
            (lambda y, s, price: costs_at(y, s, 0.5, 1, price), "Try all thresholds"),
            (costs_on_a_grid, "expected"),
        ],
    ),
    "basics.evaluation.study_size": Answers(
        right=[400, 400.0],
        wrong=[(200, "wider than 0.1"), (800, "a smaller number will do"), (0.08, "five numbers")],
    ),
}
