"""Confusion matrices, curves, intervals: numbers, scikit-learn as twin, properties, misuse."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve as sklearn_calibration_curve

from companion.basics.evaluation import (
    ConfusionMatrix,
    bootstrap_interval,
    calibration_curve,
    precision_recall_curve,
    roc_curve,
)

NAMES = ("precision", "recall", "specificity", "f1")
NAN: Any = math.nan
unhurried = settings(deadline=None)  # the machine may be busy
LEVELS: Any = st.integers(0, 6)
LETTERS = np.array(["a", "bb", "ccc", "d", "e"])


@st.composite
def predictions(draw, n_classes=5):
    """Actual and predicted classes; some classes may be absent from one or both."""
    length = draw(st.integers(1, 40))
    classes = st.lists(st.integers(0, n_classes - 1), min_size=length, max_size=length)
    return np.array(draw(classes)), np.array(draw(classes))


@st.composite
def scored(draw, levels=LEVELS):
    """Binary labels, both of which occur, and scores with many ties."""
    labels = draw(st.permutations([0, 1, *draw(st.lists(st.integers(0, 1), max_size=30))]))
    scores = draw(st.lists(levels, min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores, dtype=float)


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=0, equal_nan=True)


# Numbers.


def test_document_000_on_a_hundred_cases():
    y_true = np.repeat([0, 0, 1, 1], [30, 10, 20, 40])
    y_pred = np.repeat([0, 1, 0, 1], [30, 10, 20, 40])
    confusion = ConfusionMatrix.from_predictions(y_true, y_pred)
    assert confusion.matrix.tolist() == [[30, 10], [20, 40]]  # TN FP, FN TP
    assert confusion.accuracy == 0.7
    assert [getattr(confusion, name)[1] for name in NAMES] == pytest.approx(
        [0.80, 2 / 3, 0.75, 0.72727], abs=5e-6
    )
    assert [getattr(confusion, name)[0] for name in NAMES] == pytest.approx(
        [0.60, 0.75, 2 / 3, 2 / 3], abs=1e-12
    )
    assert confusion.one_against_rest.tolist() == [[[40, 20], [10, 30]], [[30, 10], [20, 40]]]
    assert confusion.support.tolist() == [40, 60]


def test_averages_by_hand():
    confusion = ConfusionMatrix([[8, 2, 0], [1, 3, 0], [1, 1, 4]])
    assert confusion.precision.tolist() == pytest.approx([8 / 10, 3 / 6, 1])
    assert confusion.recall.tolist() == pytest.approx([8 / 10, 3 / 4, 4 / 6])
    assert confusion.macro.precision == pytest.approx((0.8 + 0.5 + 1) / 3)
    assert confusion.weighted.precision == pytest.approx((10 * 0.8 + 4 * 0.5 + 6 * 1) / 20)
    assert confusion.micro.precision == pytest.approx(15 / 20)
    assert confusion.micro.specificity == pytest.approx(35 / 40)
    assert confusion.macro.f1 == pytest.approx((0.8 + 0.6 + 0.8) / 3)


def test_curves_by_hand():
    y_true, y_score = [1, 0, 1, 1, 0, 0], [0.9, 0.8, 0.8, 0.4, 0.3, 0.1]
    roc = roc_curve(y_true, y_score)
    assert roc.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.4, 0.3, 0.1]
    assert roc.false_positive_rate.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert roc.true_positive_rate.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1, 1])
    assert roc.area == pytest.approx((3 + 3 + 1.5) / 9)  # pairs won, the tie counts one half
    curve = precision_recall_curve(y_true, y_score)
    assert curve.precision.tolist() == pytest.approx([1, 2 / 3, 3 / 4, 3 / 5, 1 / 2])
    assert curve.recall.tolist() == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])
    assert curve.area == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_calibration_by_hand():
    curve = calibration_curve([0, 1, 1, 1, 0], [0.0, 0.25, 0.3, 1.0, 0.8], n_bins=4)
    assert curve.predicted.tolist() == pytest.approx([0.125, 0.3, 0.9])  # 0.25 lies in the first
    assert curve.observed.tolist() == [0.5, 1, 0.5]
    assert curve.counts.tolist() == [2, 1, 2]
    assert curve.error == pytest.approx((2 * 0.375 + 0.7 + 2 * 0.4) / 5)


def test_labels_are_compared_as_they_came():
    big = [2**63, 2**63 + 1, 2**63 + 1]  # not as floating-point numbers, nor as int64
    confusion = ConfusionMatrix.from_predictions(np.array(big, np.uint64), big)
    assert confusion.labels == tuple(big[:2])
    assert confusion.matrix.tolist() == [[1, 0], [0, 2]]
    texts = ["a\0", "a", "\uac00"]  # NumPy's texts would lose the zero
    assert ConfusionMatrix.from_predictions(texts, texts).matrix.tolist() == np.eye(3).tolist()
    objects = np.array(["cat", "dog", "cat"], dtype=object)  # as pandas gives them
    confusion = ConfusionMatrix.from_predictions(objects, ["cat", "dog", "dog"])
    assert (confusion.labels, confusion.matrix.tolist()) == (("cat", "dog"), [[1, 1], [0, 1]])
    mixed = ConfusionMatrix.from_predictions([True, 0, np.int8(1)], [1, False, 0])
    assert (mixed.labels, mixed.matrix.tolist()) == ((0, 1), [[1, 0], [1, 1]])


@pytest.mark.parametrize(
    "scores", [[2**53, 2**53 + 1], np.array([0, 2**64 - 1], np.uint64), [-(2**63), 0]]
)
def test_whole_numbers_as_scores_are_compared_exactly(scores):
    assert roc_curve([0, 1], scores).area == 1.0
    assert roc_curve([1, 0], scores).area == 0.0
    assert precision_recall_curve([0, 1], scores).area == 1.0


# Undefined measures and absent classes.


def test_nobody_called_positive():
    y_true, y_pred = [0] * 95 + [1] * 5, [0] * 100
    confusion = ConfusionMatrix.from_predictions(y_true, y_pred)
    assert confusion.accuracy == 0.95
    assert math.isnan(confusion.precision[1])
    assert confusion.recall[1] == confusion.f1[1] == 0
    assert math.isnan(confusion.macro.precision)
    assert math.isnan(confusion.weighted.precision)
    for value, macro in ((0, 0.475), (1, 0.975)):
        chosen = ConfusionMatrix.from_predictions(y_true, y_pred, zero_division=value)
        assert chosen.precision[1] == value
        assert chosen.macro.precision == pytest.approx(macro)
    # scikit-learn's nan leaves the class out, so that finding nobody looks like 0.95.
    theirs = metrics.precision_score(y_true, y_pred, average="macro", zero_division=NAN)
    assert theirs == pytest.approx(0.95)


def test_absent_class():
    confusion = ConfusionMatrix.from_predictions([0, 1, 1], [0, 1, 0], labels=[0, 1, 2])
    assert confusion.matrix.shape == (3, 3)
    assert math.isnan(confusion.recall[2])
    assert math.isnan(confusion.f1[2])
    assert confusion.specificity[2] == 1
    assert math.isnan(confusion.macro.recall)
    assert confusion.weighted.recall == pytest.approx(2 / 3)  # no sample of class 2, no weight
    assert confusion.micro.recall == pytest.approx(2 / 3)


def test_only_one_class_needs_labels():
    with pytest.raises(ValueError, match="labels must name all classes if one occurs, got only 0"):
        ConfusionMatrix.from_predictions([0, 0], [0, 0])
    confusion = ConfusionMatrix.from_predictions([0, 0], [0, 0], labels=(0, 1))
    assert confusion.matrix.tolist() == [[2, 0], [0, 0]]
    assert confusion.accuracy == 1


@pytest.mark.parametrize(
    ("y_true", "y_pred", "labels"),
    [
        ([False, True, True], [0, 1, 0], (0, 1)),
        ([True, False], [True, True], (0, 1)),
        (["dog", "cat"], ["dog", "elephant"], ("cat", "dog", "elephant")),
        (np.array([7, -3], dtype=np.int8), np.array([7, 7], dtype=np.uint64), (-3, 7)),
    ],
)
def test_kinds_of_labels(y_true, y_pred, labels):
    assert ConfusionMatrix.from_predictions(y_true, y_pred).labels == labels


def test_labels_give_the_order():
    y_true, y_pred = ["ill", "well", "ill"], ["ill", "ill", "well"]
    confusion = ConfusionMatrix.from_predictions(y_true, y_pred, labels=["well", "ill"])
    assert confusion.matrix.tolist() == [[0, 1], [1, 1]]
    assert repr(confusion) == "ConfusionMatrix([[0, 1], [1, 1]], labels=['well', 'ill'])"


# Twins.


@unhurried
@given(predictions(), st.sampled_from([0, 1]))
def test_measures_equal_sklearn(pair, zero_division):
    y_true, y_pred = pair
    labels = np.arange(5)
    ours = ConfusionMatrix.from_predictions(
        y_true, y_pred, labels=labels, zero_division=zero_division
    )
    assert np.array_equal(ours.matrix, metrics.confusion_matrix(y_true, y_pred, labels=labels))
    cells = metrics.multilabel_confusion_matrix(y_true, y_pred, labels=labels)
    assert np.array_equal(ours.one_against_rest, cells)
    assert ours.accuracy == pytest.approx(metrics.accuracy_score(y_true, y_pred), rel=1e-14)
    options: Any = {"labels": labels, "zero_division": zero_division}
    theirs: Any = metrics.precision_recall_fscore_support(y_true, y_pred, **options)
    same([ours.precision, ours.recall, ours.f1], theirs[:3])
    assert np.array_equal(ours.support, theirs[3])
    for name in ("macro", "micro", "weighted"):
        average = getattr(ours, name)
        theirs = metrics.precision_recall_fscore_support(y_true, y_pred, average=name, **options)
        same([average.precision, average.recall, average.f1], theirs[:3])


@unhurried
@given(predictions())
def test_undefined_measures_equal_sklearn(pair):
    y_true, y_pred = pair
    ours = ConfusionMatrix.from_predictions(y_true, y_pred, labels=range(5))
    options: Any = {"labels": range(5), "zero_division": NAN}
    theirs: Any = metrics.precision_recall_fscore_support(y_true, y_pred, **options)
    same([ours.precision, ours.recall, ours.f1], theirs[:3])
    tn, fp = ours.one_against_rest[:, 0].T
    same(
        ours.specificity, [NAN if n + p == 0 else n / (n + p) for n, p in zip(tn, fp, strict=True)]
    )
    # Where nothing is undefined the averages agree; where something is, ours say so.
    averages: Any = metrics.precision_recall_fscore_support(
        y_true, y_pred, average="macro", **options
    )
    for place, name in enumerate(("precision", "recall", "f1")):
        expected = NAN if np.isnan(theirs[place]).any() else averages[place]
        same(getattr(ours.macro, name), expected)


@unhurried
@given(predictions())
def test_texts_equal_numbers(pair):
    y_true, y_pred = pair
    numbers = ConfusionMatrix.from_predictions(y_true, y_pred, labels=range(5))
    order = [3, 0, 4, 1, 2]
    texts = ConfusionMatrix.from_predictions(
        LETTERS[y_true], LETTERS[y_pred], labels=LETTERS[order]
    )
    assert np.array_equal(texts.matrix, numbers.matrix[np.ix_(order, order)])


@unhurried
@given(scored())
def test_curves_equal_sklearn(pair):
    y_true, y_score = pair
    ours = roc_curve(y_true, y_score)
    expected = metrics.roc_curve(y_true, y_score, drop_intermediate=False)
    for mine, theirs in zip(ours, expected, strict=True):
        same(mine, theirs)
    assert ours.area == pytest.approx(metrics.roc_auc_score(y_true, y_score), abs=1e-14)
    curve = precision_recall_curve(y_true, y_score)
    theirs = metrics.precision_recall_curve(y_true, y_score)
    same(curve.precision[::-1], theirs[0][:-1])  # theirs ends with a point at recall 0
    same(curve.recall[::-1], theirs[1][:-1])
    same(curve.thresholds[::-1], theirs[2])
    expected = metrics.average_precision_score(y_true, y_score)
    assert curve.area == pytest.approx(expected, abs=1e-14)


@unhurried
@given(scored(st.integers(0, 20).map(lambda number: number / 20)), st.integers(1, 7))
def test_calibration_equals_sklearn(pair, n_bins):
    y_true, y_prob = pair
    ours = calibration_curve(y_true, y_prob, n_bins=n_bins)
    observed, predicted = sklearn_calibration_curve(y_true, y_prob, n_bins=n_bins)
    same(ours.observed, observed)
    same(ours.predicted, predicted)
    # The error, the slow way.
    total = 0.0
    for place in range(n_bins):
        low, high = np.linspace(0, 1, n_bins + 1)[place : place + 2]
        inside = (y_prob > low) & (y_prob <= high) | ((place == 0) & (y_prob == 0))
        if inside.any():
            total += inside.mean() * abs(y_true[inside].mean() - y_prob[inside].mean())
    assert ours.error == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bootstrap_equals_scipy(level):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, 37), rng.integers(0, 2, 37)

    def f1(true, predicted):
        return ConfusionMatrix.from_predictions(true, predicted).f1[1]

    ours = bootstrap_interval(f1, y_true, y_pred, n_resamples=101, level=level, seed=3)
    theirs = scipy.stats.bootstrap(
        (y_true, y_pred),
        f1,
        paired=True,
        vectorized=False,
        n_resamples=101,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(3),
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-14)


# Properties.


@unhurried
@given(predictions())
def test_averages_of_single_label_classes(pair):
    ours = ConfusionMatrix.from_predictions(*pair, labels=range(5), zero_division=0)
    assert ours.micro[:2] == pytest.approx((ours.accuracy, ours.accuracy))
    assert ours.micro.f1 == pytest.approx(ours.accuracy)
    assert ours.weighted.recall == pytest.approx(ours.accuracy)


@unhurried
@given(predictions(2))
def test_swapping_actual_and_predicted_swaps_precision_and_recall(pair):
    one = ConfusionMatrix.from_predictions(*pair, labels=(0, 1))
    other = ConfusionMatrix.from_predictions(*pair[::-1], labels=(0, 1))
    same(one.precision, other.recall)
    same(one.f1, other.f1)
    same(one.recall, one.specificity[::-1])  # the specificity of a class is the other's recall
    defined = one.precision * one.recall > 0
    harmonic = 2 / (1 / one.precision[defined] + 1 / one.recall[defined])
    same(one.f1[defined], harmonic)


@unhurried
@given(scored())
def test_area_is_the_chance_to_rank_a_pair_right(pair):
    y_true, y_score = pair
    wins = [
        (positive > negative) + 0.5 * (positive == negative)
        for positive in y_score[y_true == 1]
        for negative in y_score[y_true == 0]
    ]
    assert roc_curve(y_true, y_score).area == pytest.approx(np.mean(wins), abs=1e-14)


@unhurried
@given(scored(), st.randoms(use_true_random=False))
def test_only_the_ranking_counts(pair, random):
    y_true, y_score = pair
    order = random.sample(range(len(y_true)), len(y_true))
    shuffled = roc_curve(y_true[order], np.exp(y_score[order]) - 5)
    same(shuffled[0], roc_curve(y_true, y_score)[0])
    same(shuffled[1], roc_curve(y_true, y_score)[1])
    curves = (
        precision_recall_curve(y_true[order], 3 * y_score[order]),
        precision_recall_curve(*pair),
    )
    same(curves[0].precision, curves[1].precision)


def test_every_point_is_the_matrix_at_its_threshold():
    rng = np.random.default_rng(1)
    y_true, y_score = rng.integers(0, 2, 53), rng.integers(0, 9, 53)
    roc, curve = roc_curve(y_true, y_score), precision_recall_curve(y_true, y_score)
    assert len(roc.thresholds) == len(curve.thresholds) + 1 == 10
    for place, threshold in enumerate(curve.thresholds):
        confusion = ConfusionMatrix.from_predictions(y_true, y_score >= threshold, labels=(0, 1))
        assert roc.true_positive_rate[place + 1] == confusion.recall[1]
        assert roc.false_positive_rate[place + 1] == pytest.approx(1 - confusion.specificity[1])
        assert curve.precision[place] == confusion.precision[1]
        assert curve.recall[place] == confusion.recall[1]


def test_all_positive_has_a_precision_recall_curve():
    curve = precision_recall_curve([1, 1], [0.2, 0.1])
    assert curve.precision.tolist() == [1, 1]
    assert curve.area == 1


def test_bootstrap_covers_a_known_truth():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_interval(np.mean, rng.random(100) < 0.7, n_resamples=200, seed=rng)
        hits += low <= 0.7 <= high
    assert 0.89 <= hits / 200 <= 0.98  # 95 % are meant; 200 trials scatter by 1.5 %


def test_bootstrap_draws_the_same_rows_from_all_arrays():
    x = np.arange(20).reshape(10, 2)
    assert bootstrap_interval(lambda a, b: np.ptp(a.sum(axis=1) - b), x, x.sum(axis=1)) == (0, 0)


def test_bootstrap_seed():
    sample = np.random.default_rng(4).normal(size=23)
    one, again = (bootstrap_interval(np.mean, sample, n_resamples=50, seed=5) for _ in range(2))
    assert one == again != bootstrap_interval(np.mean, sample, n_resamples=50, seed=6)
    wide = bootstrap_interval(np.mean, sample, n_resamples=50, level=0.99, seed=5)
    assert wide[0] < one[0] < one[1] < wide[1]


# Misuse.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], []), ValueError, r"y_true must have shape \(N,\) with N of 1 or more, got \(0,\)"),
        (([0, 1], [[0, 1]]), TypeError, r"y_pred must hold class labels .*, got \[0, 1\]"),
        (([0, 1], [0, 1, 1]), ValueError, r"y_pred must have shape \(2,\), got \(3,\)"),
        (([0, 1], [0.2, 0.9]), TypeError, r"y_pred must hold class labels .*, got 0.2"),
        (([0, NAN], [0, 1]), TypeError, r"y_true must hold class labels .*, got nan"),
        (([0, None], [0, 1]), TypeError, r"y_true must hold class labels .*, got None"),
        (([0, 1], ["a", "b"]), TypeError, r"y_pred .* \(whole numbers as the others\), got 'a'"),
        (([[0], [0, 1]], [0, 1]), TypeError, r"y_true must hold class labels .* got \[0\]"),
        ((0, 1), TypeError, "y_true must be a list of class labels, got 0"),
        (("ab", "ab"), TypeError, "y_true must be a list of class labels, got 'ab'"),
        (({0, 1}, [0, 1]), TypeError, "y_true must be a list of class labels, got {0, 1}"),
        (([0, "a"], [0, 1]), TypeError, "y_true must hold class labels .*, got 'a'"),
        ((["a", NAN, "b"], ["a"] * 3), TypeError, "y_true must hold class labels .*, got nan"),
        ((["a", "b"], ["a", NAN]), TypeError, r"y_pred .* \(texts as the others\), got nan"),
    ],
)
def test_predictions_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        ConfusionMatrix.from_predictions(*arguments)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1], ValueError, r"y_true must hold labels from \[0, 1\], got 2"),
        ([0, 2], ValueError, r"y_pred must hold labels from \[0, 2\], got 1"),
        ([0, 1, 1, 2], ValueError, r"labels must be 4 different ones, got \(0, 1, 1, 2\)"),
        (["0", "1"], TypeError, r"labels .* \(whole numbers as the others\), got '0'"),
        ([], ValueError, "labels must have shape"),
    ],
)
def test_labels_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        ConfusionMatrix.from_predictions([0, 2], [0, 1], labels=labels)


@pytest.mark.parametrize(
    ("matrix", "options", "error", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], {}, ValueError, r"matrix must have shape .* got \(2, 3\)"),
        ([[5]], {}, ValueError, r"matrix must have shape \(C, C\), C of 2 or more, got \(1, 1\)"),
        ([1, 2], {}, ValueError, r"matrix must have shape .* got \(2,\)"),
        ([[1, 2], [3]], {}, ValueError, "matrix must have rows of equal length"),
        ([[0, 0], [0, 0]], {}, ValueError, "matrix must hold counts, not all of them 0"),
        ([[2**62, 2**62], [2**62, 2**62]], {}, ValueError, "matrix must hold counts"),
        ([[1, -1], [0, 2]], {}, ValueError, "matrix must hold counts, .* got .*-1"),
        ([[0.5, 0.5], [1, 0]], {}, TypeError, "matrix must hold counts .* got float64"),
        ([[1, 0], [0, 1]], {"labels": "ab"}, TypeError, "labels must be a list of class labels"),
        ([[1, 0], [0, 1]], {"labels": ["a", "a"]}, ValueError, "labels must be 2 different ones"),
        ([[1, 0], [0, 1]], {"zero_division": 0.5}, ValueError, "nan, 0 or 1, got 0.5"),
        ([[1, 0], [0, 1]], {"zero_division": "0"}, ValueError, "nan, 0 or 1, got '0'"),
        ([[1, 0], [0, 1]], {"zero_division": "warn"}, ValueError, "nan, 0 or 1, got 'warn'"),
    ],
)
def test_matrices_are_refused(matrix, options, error, message):
    with pytest.raises(error, match=message):
        ConfusionMatrix(matrix, **options)


@pytest.mark.parametrize(
    ("y_true", "y_score", "error", "message"),
    [
        ([0, 1], [0.1], ValueError, r"y_score must have shape \(2,\), got \(1,\)"),
        ([0, 1], [0.1, NAN], ValueError, "y_score must not contain NaN"),
        ([0, 1], [0.1, math.inf], ValueError, "y_score must be finite, got inf"),
        ([0, 1], ["a", "b"], TypeError, "y_score must hold real numbers"),
        ([0, 2], [0.1, 0.2], ValueError, r"y_true must hold 0 and 1, .*, got \[0, 2\]"),
        ([0.0, 1.0], [0.1, 0.2], TypeError, "y_true must hold class labels .* got 0.0"),
        ([0, 0], [0.1, 0.2], ValueError, r"y_true must hold 0 and 1, .*, got \[0\]"),
        ([], [], ValueError, r"y_true must have shape \(N,\)"),
    ],
)
@pytest.mark.parametrize("curve", [roc_curve, precision_recall_curve])
def test_scores_are_refused(curve, y_true, y_score, error, message):
    with pytest.raises(error, match=message):
        curve(y_true, y_score)


def test_a_roc_curve_needs_negatives():
    with pytest.raises(ValueError, match=r"y_true must hold 0 and 1, both of them, got \[1\]"):
        roc_curve([1, 1], [0.1, 0.2])


@pytest.mark.parametrize(
    ("y_true", "y_prob", "n_bins", "error", "message"),
    [
        ([0, 1], [0.5, 1.5], 10, ValueError, "y_prob must lie between 0 and 1, got 1.5"),
        ([0, 1], [-0.5, 1.0], 10, ValueError, "y_prob must lie between 0 and 1, got -0.5"),
        ([0, 1], [0.5, NAN], 10, ValueError, "y_prob must not contain NaN"),
        ([0, 3], [0.5, 0.5], 10, ValueError, r"y_true must hold only 0 and 1, got \[0, 3\]"),
        ([0, 1], [0.5, 0.5], 0, ValueError, "n_bins must be 1 or more, got 0"),
        ([0, 1], [0.5, 0.5], 2.0, TypeError, "n_bins must be an integer, got 2.0"),
    ],
)
def test_calibration_refuses(y_true, y_prob, n_bins, error, message):
    with pytest.raises(error, match=message):
        calibration_curve(y_true, y_prob, n_bins=n_bins)


@pytest.mark.parametrize(
    ("statistic", "samples", "options", "error", "message"),
    [
        ("mean", ([1, 2],), {}, TypeError, "statistic must be a function of arrays, got 'mean'"),
        (np.mean, (), {}, ValueError, r"samples must have one length .* got the lengths \[\]"),
        (np.mean, ([1],), {}, ValueError, r"of 2 or more, got the lengths \[1\]"),
        (np.mean, (3,), {}, ValueError, r"of 2 or more, got the lengths \[1\]"),
        (np.dot, ([1, 2], [1, 2, 3]), {}, ValueError, r"got the lengths \[2, 3\]"),
        (np.sort, ([1, 2],), {}, ValueError, r"statistic must be a finite number, got \[\d \d\]"),
        (lambda x: NAN, ([1, 2],), {}, ValueError, "finite number, got nan on a resample"),
        (np.mean, ([1, 2],), {"level": 95}, ValueError, "level must lie between 0 and 1"),
        (np.mean, ([1, 2],), {"n_resamples": 1}, ValueError, "n_resamples must be 2 or more"),
        (np.mean, ([1, 2],), {"seed": 0.5}, TypeError, "seed must be an integer, got 0.5"),
    ],
)
def test_bootstrap_refuses(statistic, samples, options, error, message):
    with pytest.raises(error, match=message):
        bootstrap_interval(statistic, *samples, **options)
