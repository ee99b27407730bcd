"""Right and wrong answers to the exercises of the chapter on the perceptron."""

import numpy as np

from ..harness import Answers


def decide_by_where(x, weights, bias):
    return np.where((x * weights).sum(axis=1) >= -bias, 1, 0)


def margin_by_loop(x, y, weights, bias):
    length = np.sqrt(np.sum(weights**2))
    best = np.inf
    for sample, label in zip(x, y, strict=True):
        distance = (np.dot(sample, weights) + bias) / length
        best = min(best, distance if label == 1 else -distance)
    return best


def learn(x, y, max_epochs, *, tie=1, batch=False, keep_bias=False, sign=1, stop=True, last=True):
    """The learning loop, right by default, with one typical mistake per argument."""
    w, b, updates = np.zeros(x.shape[1]), 0.0, []
    for _ in range(max_epochs):
        count, change_w, change_b = 0, np.zeros_like(w), 0.0
        for sample, label in zip(x, y, strict=True):
            score = sample @ w + b
            error = label - (tie if score == 0 else int(score > 0))
            if error:
                count += 1
                change_w, change_b = change_w + sign * error * sample, change_b + sign * error
                if not batch:
                    w, b = w + change_w, b + (0.0 if keep_bias else change_b)
                    change_w, change_b = np.zeros_like(w), 0.0
        w, b = w + change_w, b + change_b
        if count or last:
            updates.append(count)
        if stop and count == 0:
            break
    return updates


def pocket_by_hand(x, y, max_epochs, *, start=True, best=True, per_sample=False):
    """The pocket, right by default, with one typical mistake per argument."""
    w, b = np.zeros(x.shape[1]), 0.0

    def mistakes():
        return int(sum(int(s @ w + b >= 0) != t for s, t in zip(x, y, strict=True)))

    counts = [mistakes()] if start else []
    for _ in range(max_epochs):
        for sample, label in zip(x, y, strict=True):
            error = label - int(sample @ w + b >= 0)
            w, b = w + error * sample, b + error
            if per_sample:
                counts.append(mistakes())
        counts.append(mistakes())
    return min(counts) if best else counts[-1]


ANSWERS = {
    "basics.perceptron.one_update": Answers(
        right=[(3, 1, 1.5), [3.0, 1.0, 1.5], np.array([3, 1, 1.5])],
        wrong=[
            ((1, -2, 0.5), "Compute the score"),
            ((-1, -5, -0.5), "Which sign"),
            ((3, 1, 0.5), "The bias is corrected"),
        ],
    ),
    "basics.perceptron.two_of_three": Answers(
        right=[(1, 1, 1, -1.5), (1, 1, 1, -2), [2.0, 3.0, 4.0, -5.0]],
        wrong=[
            ((1, 1, 1, -0.5), "(0, 0, 1) have the score 0.5, which answers 1, not 0"),
            ((1, 1, 1, -3), "(0, 1, 1) have the score -1, which answers 0, not 1"),
            ((1, 1, 1, 2), "(0, 0, 0) have the score 2, which answers 1, not 0"),
            ((1, 1, -1.5), "give four numbers"),
        ],
    ),
    "basics.perceptron.decide": Answers(
        right=[decide_by_where],
        wrong=[
            (lambda x, weights, bias: (x @ weights + bias > 0).astype(int), "exactly 0"),
            (lambda x, weights, bias: (x @ weights >= 0).astype(int), "And the bias"),
            (lambda x, weights, bias: x @ weights + bias >= 0, "bool"),
            (lambda x, weights, bias: x @ weights + bias, "expected"),
        ],
    ),
    "basics.perceptron.margin": Answers(
        right=[margin_by_loop],
        wrong=[
            (
                lambda x, y, weights, bias: np.min((2 * y - 1) * (x @ weights + bias)),
                "division by the length",
            ),
            (
                lambda x, y, weights, bias: np.min((x @ weights + bias) / np.linalg.norm(weights)),
                "label 0 is right on the negative side",
            ),
            (
                lambda x, y, weights, bias: np.min(
                    np.abs(x @ weights + bias) / np.linalg.norm(weights)
                ),
                "wrong side counts as negative",
            ),
            (
                lambda x, y, weights, bias: np.max(
                    (2 * y - 1) * (x @ weights + bias) / np.linalg.norm(weights)
                ),
                "smallest",
            ),
        ],
    ),
    "basics.perceptron.updates_per_epoch": Answers(
        right=[learn],
        wrong=[
            (lambda x, y, n: learn(x, y, n, last=False), "belongs to the list"),
            (lambda x, y, n: learn(x, y, n, stop=False), "When should learning stop"),
            (lambda x, y, n: sum(learn(x, y, n)), "one number for each epoch"),
            (lambda x, y, n: learn(x, y, n, tie=0), "on paper"),
            (lambda x, y, n: learn(x, y, n, keep_bias=True), "on paper"),
            (lambda x, y, n: learn(x, y, n, batch=True), "on paper"),
            (lambda x, y, n: learn(x, y, n, sign=-1), "on paper"),
        ],
    ),
    "basics.perceptron.most": Answers(
        right=[15, 15.0],
        wrong=[(11, "try all 24"), (12, "updates of NAND"), (6, "not epochs"), (400, "same order")],
    ),
    "basics.perceptron.pocket": Answers(
        right=[pocket_by_hand],
        wrong=[
            (lambda x, y, n: pocket_by_hand(x, y, n, start=False), "that of the start"),
            (lambda x, y, n: pocket_by_hand(x, y, n, best=False), "Keep the smallest"),
            (lambda x, y, n: pocket_by_hand(x, y, n, per_sample=True), "after each epoch"),
        ],
    ),
}
