"""How good is a classifier: confusion matrix, measures, curves over the threshold, intervals.

A confusion matrix counts samples by actual class (row) and predicted class (column), class 0 before
class 1. For one class against the rest it holds four counts, TN, FP, FN and TP, and

    precision = TP / (TP + FP)        recall = TP / (TP + FN)
    specificity = TN / (TN + FP)      F1 = 2 TP / (2 TP + FP + FN)

Where a denominator is 0 the data say nothing, and the measure is `zero_division`: NaN unless the
caller chooses 0 or 1. A macro average over a NaN is NaN (scikit-learn leaves such a class out).

Left out: weighted samples, several labels per sample, intervals but the percentile bootstrap.

References (in full in the chapter's bibliography): van Rijsbergen (1979), the F measure; Fawcett
(2006), ROC curves; Guo, Pleiss, Sun and Weinberger (2017), calibration.

Chapter: book/basics/evaluation.ipynb
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import (
    Seed,
    array,
    between,
    came,
    class_labels,
    finite,
    function,
    integer,
    random_generator,
    size,
)


class Measures(NamedTuple):
    """Averages of the four measures over the classes."""

    precision: float
    recall: float
    specificity: float
    f1: float


class ConfusionMatrix:
    """Counts of samples by actual class (rows) and predicted class (columns).

    Parameters
    ----------
    matrix : array_like of int, shape (C, C)
        Entry (i, j): samples of class i that were predicted to be of class j. C >= 2, sum >= 1.
    labels : sequence, optional
        The C different class labels, in the order of the rows. By default 0, 1, ..., C - 1.
    zero_division : {nan, 0, 1}, default nan
        What a measure is where its denominator is 0.

    Attributes
    ----------
    support : ndarray of int, shape (C,)
        Samples that really are of each class.
    one_against_rest : ndarray of int, shape (C, 2, 2)
        For each class its own matrix [[TN, FP], [FN, TP]].
    accuracy : float
        Share of samples whose class was predicted right.
    precision, recall, specificity, f1 : ndarray, shape (C,)
        The measures of each class against the rest; with two classes, entry 1 is that of class 1.
    macro, micro, weighted : Measures
        Their mean over the classes; the measures of the sum of all one-against-rest matrices; and
        the mean over the classes that occur, weighted by their support.

    Examples
    --------
    >>> confusion = ConfusionMatrix([[30, 10], [20, 40]])
    >>> confusion.accuracy, confusion.precision.tolist()  # of class 0 and class 1
    (0.7, [0.6, 0.8])
    """

    def __init__(
        self, matrix: ArrayLike, labels: Sequence[Any] | None = None, *, zero_division: float = nan
    ) -> None:
        counts = array(matrix, "matrix")
        if counts.dtype.kind not in "iu":
            raise TypeError(f"matrix must hold counts (integers), got {counts.dtype}")
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or len(counts) < 2:
            raise ValueError(f"matrix must have shape (C, C), C of 2 or more, got {counts.shape}")
        if counts.min() < 0 or not 0 < counts.sum(dtype=float) <= 2**53:
            raise ValueError(f"matrix must hold counts, not all of them 0, got {came(matrix)}")
        self.matrix = counts = counts.astype(np.int64)
        known = range(len(counts)) if labels is None else class_labels(labels, "labels")
        self.labels = tuple(known)
        if not len(self.labels) == len(set(self.labels)) == len(counts):
            raise ValueError(f"labels must be {len(counts)} different ones, got {self.labels}")
        allowed = isinstance(zero_division, int | float | np.number)
        if not allowed or not (zero_division in (0, 1) or zero_division != zero_division):
            raise ValueError(f"zero_division must be nan, 0 or 1, got {came(zero_division)}")
        hits, self.support = np.diagonal(counts), counts.sum(axis=1)
        false_positives = counts.sum(axis=0) - hits  # the rest of the column
        false_negatives = self.support - hits  # the rest of the row
        rest = counts.sum() - hits - false_positives - false_negatives
        cells = np.stack([rest, false_positives, false_negatives, hits], axis=1)  # (C, 4)
        self.one_against_rest = cells.reshape(-1, 2, 2)
        self.accuracy = float(hits.sum() / counts.sum())
        measures = _measures(self.one_against_rest, zero_division)  # (4, C)
        self.precision, self.recall, self.specificity, self.f1 = measures
        self.macro = Measures(*measures.mean(axis=1).tolist())
        pooled = _measures(self.one_against_rest.sum(axis=0)[np.newaxis], zero_division)  # (4, 1)
        self.micro = Measures(*pooled[:, 0].tolist())
        there = self.support > 0
        shares = self.support[there] / counts.sum()
        self.weighted = Measures(*(measures[:, there] @ shares).tolist())

    @classmethod
    def from_predictions(
        cls, y_true: ArrayLike, y_pred: ArrayLike, *, labels: Any = None, zero_division: float = nan
    ) -> ConfusionMatrix:
        """Return the confusion matrix of actual against predicted classes.

        Parameters
        ----------
        y_true, y_pred : array_like, shape (N,)
            Class labels: whole numbers, booleans (which count as 0 and 1) or texts, never both
            kinds; lists, or arrays of NumPy, pandas or PyTorch. N >= 1.
        labels, zero_division
            As in the class; by default the labels that occur, sorted.

        Examples
        --------
        >>> ConfusionMatrix.from_predictions([0, 0, 1, 1, 1], [0, 1, 1, 0, 1]).matrix.tolist()
        [[1, 1], [1, 2]]
        """
        true = class_labels(y_true, "y_true")
        predicted = class_labels(y_pred, "y_pred", true)
        if len(predicted) != len(true):
            raise ValueError(f"y_pred must have shape ({len(true)},), got ({len(predicted)},)")
        occurring = sorted(set(true + predicted))
        if labels is None and len(occurring) == 1:
            raise ValueError(f"labels must name all classes if one occurs, got only {occurring[0]}")
        known = occurring if labels is None else class_labels(labels, "labels", true)
        rows, columns = _places(true, known, "y_true"), _places(predicted, known, "y_pred")
        C = len(known)
        matrix = np.bincount(rows * C + columns, minlength=C**2).reshape(C, C)
        return cls(matrix, known, zero_division=zero_division)

    def __repr__(self) -> str:
        return f"ConfusionMatrix({self.matrix.tolist()}, labels={list(self.labels)})"


class RocCurve(NamedTuple):
    """False and true positive rate at each threshold, the highest threshold first."""

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray

    @property
    def area(self) -> float:
        """Chance that a random positive scores above a random negative; a tie counts one half."""
        return float(np.trapezoid(self.true_positive_rate, self.false_positive_rate))


def roc_curve(y_true: ArrayLike, y_score: ArrayLike) -> RocCurve:
    """Return false and true positive rate for every threshold: positive if score >= threshold.

    The arrays have the length K + 1 for K different scores, from an infinite threshold down.

    Parameters
    ----------
    y_true, y_score : array_like, shape (N,)
        0 or 1 (or booleans), both of which occur; finite numbers, higher for "more likely 1".

    Examples
    --------
    >>> curve = roc_curve([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    >>> curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist(), curve.area
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0], 0.75)
    """
    true, score = _binary(y_true, y_score, "y_score", (0, 1))
    hits, alarms, thresholds = _sweep(true, score)
    false_positive_rate = np.append(0.0, (alarms - hits) / np.sum(true == 0))
    true_positive_rate = np.append(0.0, hits / true.sum())
    return RocCurve(false_positive_rate, true_positive_rate, np.append(np.inf, thresholds))


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall at each threshold, the highest threshold first."""

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray

    @property
    def area(self) -> float:
        """Average precision: each step of the recall times the precision at its end, summed."""
        return float(np.diff(self.recall, prepend=0.0) @ self.precision)


def precision_recall_curve(y_true: ArrayLike, y_score: ArrayLike) -> PrecisionRecallCurve:
    """Return precision and recall for every threshold: positive if score >= threshold.

    No threshold lies above all scores, where the precision would be 0 / 0. (scikit-learn puts a
    point with precision 1 there, and lists the thresholds upwards.)

    The arguments are those of `roc_curve`, but 0 need not occur. The arrays have the length K for K
    different scores.

    Examples
    --------
    >>> curve = precision_recall_curve([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9])
    >>> curve.precision.round(3).tolist(), curve.recall.tolist(), round(curve.area, 3)
    ([1.0, 0.5, 0.667, 0.5], [0.5, 0.5, 1.0, 1.0], 0.833)
    """
    true, score = _binary(y_true, y_score, "y_score", (1,))
    hits, alarms, thresholds = _sweep(true, score)
    return PrecisionRecallCurve(hits / alarms, hits / true.sum(), thresholds)


def bootstrap_interval(
    statistic: Callable[..., Any],
    *samples: ArrayLike,
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: Seed = None,
) -> tuple[float, float]:
    """Return the two ends of a confidence interval by the percentile bootstrap.

    Parameters
    ----------
    statistic : callable
        Takes arrays like `samples`, returns one number.
    *samples : array_like, shape (N, ...)
        Arrays of one length N >= 2. The same rows are drawn from all of them, with replacement.
    n_resamples : int, default 1000
        How many times N rows are drawn, 2 or more.
    level : float, default 0.95
        Share of the values that lie inside; half of the rest lies at each end.
    seed : int or numpy.random.Generator, optional
        Makes the drawings reproducible.

    Examples
    --------
    >>> low, high = bootstrap_interval(np.mean, [0, 1] * 50, seed=0)
    >>> bool(0.35 < low < 0.45), bool(0.55 < high < 0.65)
    (True, True)
    """
    function(statistic, "statistic", "a function of arrays")
    arrays = [np.atleast_1d(array(sample, "samples")) for sample in samples]
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) != 1 or lengths[0] < 2:
        raise ValueError(f"samples must have one length of 2 or more, got the lengths {lengths}")
    edge = (1 - between(0, level, 1, "level")) / 2
    generator = random_generator(seed)  # used and moved on, if it is one
    values: list[float] = []
    for _ in range(integer(n_resamples, "n_resamples", 2)):
        rows = generator.integers(lengths[0], size=lengths[0])  # with replacement
        values.append(statistic(*(array[rows] for array in arrays)))
        kind = np.asarray(values[-1]).dtype.kind
        if kind not in "iubf" or np.ndim(values[-1]) or not np.isfinite(values[-1]):
            raise ValueError(f"statistic must be a finite number, got {values[-1]} on a resample")
    return float(np.quantile(values, edge)), float(np.quantile(values, 1 - edge))


class Calibration(NamedTuple):
    """Mean predicted probability, share of positives and number of samples, bin by bin."""

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of observed and predicted, by counts."""
        return float(abs(self.observed - self.predicted) @ self.counts / self.counts.sum())


def calibration_curve(y_true: ArrayLike, y_prob: ArrayLike, *, n_bins: int = 10) -> Calibration:
    """Compare predicted probabilities with how often the event happened.

    Parameters
    ----------
    y_true, y_prob : array_like, shape (N,)
        1 (or True) where the event happened, else 0; its predicted probability, from 0 to 1.
    n_bins : int, default 10
        Bins of equal width; a value on an edge belongs to the lower bin. The curve has one entry
        for each bin that holds samples.

    Examples
    --------
    >>> curve = calibration_curve([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], n_bins=2)
    >>> curve.predicted.round(2).tolist(), curve.observed.round(2).tolist(), curve.counts.tolist()
    ([0.2, 0.9], [0.33, 1.0], [3, 1])
    """
    true, probability = _binary(y_true, y_prob, "y_prob")
    outside = probability[(probability < 0) | (probability > 1)]
    if len(outside):
        raise ValueError(f"y_prob must lie between 0 and 1, got {outside[0]:g}")
    inner_edges = np.linspace(0, 1, size(n_bins, "n_bins") + 1)[1:-1]
    place = np.searchsorted(inner_edges, probability)  # (N,): 0 to n_bins - 1
    counts = np.bincount(place)
    used = counts > 0
    sums = [np.bincount(place, weights=values)[used] for values in (probability, true)]
    return Calibration(sums[0] / counts[used], sums[1] / counts[used], counts[used])


def _measures(cells: np.ndarray, undefined: float) -> np.ndarray:
    """Return precision, recall, specificity and F1, shape (4, K), of K matrices, (K, 2, 2)."""
    (tn, fp), (fn, tp) = np.moveaxis(cells, 0, -1)
    above = np.array([tp, tp, tn, 2 * tp], dtype=float)
    below = np.array([tp + fp, tp + fn, tn + fp, 2 * tp + fp + fn])
    return np.divide(above, below, out=np.full(above.shape, float(undefined)), where=below > 0)


def _sweep(true: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true positives, all positives called and threshold, for each different score."""
    levels, place = np.unique(score, return_inverse=True)
    levels, place = levels[::-1], len(levels) - 1 - place  # not -score, which may overflow
    called = np.cumsum(np.bincount(place))
    hits = np.cumsum(np.bincount(place, weights=true)).astype(int)
    return hits, called, levels.astype(float)


def _places(values: list[Any], known: list[Any], name: str) -> np.ndarray:
    """Return the place of each label among the known ones."""
    places = {label: place for place, label in enumerate(known)}
    strange = next((value for value in values if value not in places), None)
    if strange is not None:
        raise ValueError(f"{name} must hold labels from {came(known)}, got {came(strange)}")
    return np.array([places[value] for value in values])


def _binary(y_true: Any, values: Any, name: str, needed: Any = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return an array of 0 and 1, those needed among them, and a finite number for each."""
    labels = class_labels(y_true, "y_true")
    found = set(labels)
    if not set(needed) <= found <= {0, 1}:
        wanted = ("only 0 and 1", "0 and 1, at least one 1", "0 and 1, both of them")[len(needed)]
        raise ValueError(f"y_true must hold {wanted}, got {came(sorted(found)[:5])}")
    numbers = finite(values, name, (len(labels),))
    given = np.asarray(values)  # whole numbers above 2**53 are not all floating-point numbers
    return np.array(labels), given if given.dtype.kind in "iu" else numbers
