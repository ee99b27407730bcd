"""The perceptron: gates worked out by hand, scikit-learn as twin, Novikoff's bound, and misuse."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Perceptron as SklearnPerceptron

from companion.basics.perceptron import Perceptron

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
AND, OR, NAND, XOR = [0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [0, 1, 1, 0]


def perceptron(weights, bias):
    """A perceptron with the given weights and bias."""
    made = Perceptron(len(weights))
    made.weights, made.bias = weights, bias
    return made


@st.composite
def samples(draw, *, most=13):
    """Whole-number samples with any labels: all sums are exact, ties occur."""
    n_samples, n_inputs = draw(st.integers(1, most)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-4, 5, size=(n_samples, n_inputs)).astype(float)
    return x, rng.integers(0, 2, size=n_samples)


@st.composite
def separable(draw):
    """Samples on a fine grid that a known line separates, class 0 first: x, y, the line, margin."""
    n_inputs = draw(st.sampled_from([2, 3, 5]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    line = rng.normal(size=n_inputs + 1)
    line /= np.linalg.norm(line)
    x = np.round(rng.uniform(-1, 1, size=(101, n_inputs)) * 2**14) / 2**14
    scores = x @ line[:-1] + line[-1]
    keep = np.abs(scores) > 0.05
    x, scores = x[keep], scores[keep]
    order = np.argsort(scores > 0, kind="stable")[[0]] if len(x) else []
    x, scores = np.concatenate([x[order], x]), np.concatenate([scores[order], scores])
    return x, (scores > 0).astype(int), np.abs(scores).min()


def slow_fit(x, y, learning_rate, max_epochs):
    """The rule in plain Python, one number at a time."""
    w, b, updates = [0.0] * len(x[0]), 0.0, []
    for _ in range(max_epochs):
        count = 0
        for sample, label in zip(x, y, strict=True):
            answer = 1 if sum(map(float.__mul__, w, map(float, sample))) + b >= 0 else 0
            if answer != label:
                step = learning_rate if label == 1 else -learning_rate
                w = [value + step * number for value, number in zip(w, sample, strict=True)]
                b, count = b + step, count + 1
        updates.append(count)
        if not count:
            break
    return w, b, updates


# Worked out by hand (examples E1 and E2 of the source documents)


@pytest.mark.parametrize(
    ("weights", "bias", "labels"),
    [([1, 1], -1.5, AND), ([1, 1], -0.5, OR), ([-1, -1], 1.5, NAND)],
)
def test_gates_by_hand(weights, bias, labels):
    answers = perceptron(weights, bias).predict(INPUTS)
    assert answers.tolist() == labels
    assert answers.dtype == int


def test_a_score_of_zero_answers_one():
    assert perceptron([1, 1], -2).predict(INPUTS).tolist() == AND
    assert perceptron([2.0], -3).predict([[1.5], [np.nextafter(1.5, 0)]]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "updates", "weights", "bias"),
    [(AND, [2, 3, 3, 2, 1, 0], [2, 1], -3), (OR, [2, 2, 1, 0], [1, 1], -1)],
)
def test_gates_learned(labels, updates, weights, bias):
    learner = Perceptron(2)
    assert learner.fit(INPUTS, labels) == updates
    assert learner.weights.tolist() == weights
    assert learner.bias == bias
    assert learner.predict(INPUTS).tolist() == labels


def test_xor_has_mistakes_in_every_epoch():
    updates = Perceptron(2).fit(INPUTS, XOR)
    assert len(updates) == 100
    assert min(updates) > 0


def test_a_new_perceptron_is_zero_and_answers_one():
    new = Perceptron(3)
    assert new.weights.tolist() == [0, 0, 0]
    assert new.weights.dtype == np.float64
    assert new.bias == 0
    assert new.predict(np.eye(3)).tolist() == [1, 1, 1]


# Against other implementations


@given(samples(), st.sampled_from([0.25, 1.0, 2.0]), st.integers(1, 9))
def test_equals_the_slow_rule(data, learning_rate, max_epochs):
    x, y = data
    learner = Perceptron(x.shape[1])
    updates = learner.fit(x, y, learning_rate=learning_rate, max_epochs=max_epochs)
    weights, bias, expected = slow_fit(x, y, learning_rate, max_epochs)
    assert updates == expected
    assert learner.weights.tolist() == weights
    assert learner.bias == bias


@settings(deadline=None, max_examples=40)
@given(separable())
def test_equals_scikit_learn_where_no_score_is_zero(data):
    # The first sample has label 0 if there is one: at the start all scores are 0, which
    # scikit-learn takes for a mistake in any case, and we for one only if the label is 0.
    x, y, _ = data
    assume(len(np.unique(y)) == 2)  # scikit-learn refuses one class alone
    learner = Perceptron(x.shape[1])
    updates = learner.fit(x, y, max_epochs=1000)
    options: dict = {"shuffle": False, "tol": None, "eta0": 1.0, "penalty": None}
    twin = SklearnPerceptron(max_iter=len(updates), **options).fit(x, y)
    weights, bias = np.ravel(np.asarray(twin.coef_)), np.ravel(np.asarray(twin.intercept_))
    np.testing.assert_allclose(weights, learner.weights, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(bias, [learner.bias], rtol=1e-12, atol=1e-12)
    assert np.asarray(twin.predict(x)).tolist() == learner.predict(x).tolist() == y.tolist()


# Properties


@settings(deadline=None)
@given(separable())
def test_novikoffs_bound(data):
    x, y, margin = data
    updates = Perceptron(x.shape[1]).fit(x, y, max_epochs=10_000)
    assert updates[-1] == 0
    assert sum(updates) <= ((x**2).sum(axis=1).max() + 1) / margin**2


@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_does_not_matter(data, random):
    x, y = data
    order = random.sample(range(x.shape[1]), x.shape[1])
    plain, permuted = Perceptron(x.shape[1]), Perceptron(x.shape[1])
    assert plain.fit(x, y) == permuted.fit(x[:, order], y)
    assert plain.weights[order].tolist() == permuted.weights.tolist()
    assert plain.bias == permuted.bias


@given(samples(), st.integers(-20, 20))
def test_a_learning_rate_that_is_a_power_of_two_only_scales(data, exponent):
    x, y = data
    plain, scaled = Perceptron(x.shape[1]), Perceptron(x.shape[1])
    assert plain.fit(x, y) == scaled.fit(x, y, learning_rate=2.0**exponent)
    assert (plain.weights * 2.0**exponent).tolist() == scaled.weights.tolist()
    assert plain.bias * 2.0**exponent == scaled.bias
    assert plain.predict(x).tolist() == scaled.predict(x).tolist()


@given(samples(), st.integers(1, 9))
def test_epochs_one_by_one_are_the_same_as_together(data, max_epochs):
    x, y = data
    together, single = Perceptron(x.shape[1]), Perceptron(x.shape[1])
    updates = together.fit(x, y, max_epochs=max_epochs)
    assert [single.fit(x, y, max_epochs=1) for _ in updates] == [[count] for count in updates]
    assert together.weights.tolist() == single.weights.tolist()
    assert together.bias == single.bias


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 70))
def test_a_last_epoch_without_updates_means_no_mistakes(seed, n_inputs):
    # With any real numbers: fit and predict have to round the same way.
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(11, n_inputs)), rng.integers(0, 2, size=11)
    learner = Perceptron(n_inputs)
    updates = learner.fit(np.asfortranarray(x), y, learning_rate=0.1, max_epochs=50)
    assert (updates[-1] == 0) == (learner.predict(x).tolist() == y.tolist())
    assert learner.predict(np.asfortranarray(x)).tolist() == learner.predict(x).tolist()
    assert [int(learner.predict(row[None, :])[0]) for row in x] == learner.predict(x).tolist()


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_a_row_has_the_same_score_alone_and_in_a_table(layout):
    # The bias makes the score of a row exactly 0: any other rounding shows as another answer.
    rng = np.random.default_rng(5)
    x, weights = layout(rng.normal(size=(31, 61))), rng.normal(size=61)
    for i, row in enumerate(np.ascontiguousarray(x)):
        tie = perceptron(weights, -float((row * weights).sum()))
        assert tie.predict(x)[i] == tie.predict(row[None, :])[0] == 1
        assert tie.fit(row[None, :], [1]) == [0]


def test_arguments_are_not_changed():
    x, y, weights = INPUTS.astype(float), np.array(AND), np.array([1.0, 1.0])
    learner = perceptron(weights, 0)
    learner.fit(x, y)
    assert x.tolist() == INPUTS.tolist()
    assert y.tolist() == AND
    assert weights.tolist() == [1, 1]
    learner.weights = weights
    weights[0] = 5
    assert learner.weights.tolist() == [1, 1]


def test_weights_handed_out_stay_as_they_were():
    learner = Perceptron(2)
    before = learner.weights
    learner.fit(INPUTS, AND)
    assert before.tolist() == [0, 0]


# Small and unusual, but right


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.float32])
def test_numbers_of_any_kind(kind):
    learner = Perceptron(2)
    labels = np.array(AND, dtype=kind)
    assert learner.fit(INPUTS.astype(kind), labels) == [2, 3, 3, 2, 1, 0]
    assert learner.predict(INPUTS.astype(kind)).tolist() == AND


def test_one_sample_and_one_class():
    assert Perceptron(1).fit([[5]], [1]) == [0]
    assert Perceptron(1).fit([[5]], [0]) == [1, 0]
    assert Perceptron(2).fit(INPUTS, [0, 0, 0, 0]) == [1, 0]


def test_predict_nothing():
    assert Perceptron(3).predict(np.empty((0, 3))).shape == (0,)


def test_max_epochs_is_kept():
    assert Perceptron(2).fit(INPUTS, AND, max_epochs=2) == [2, 3]


# Misuse


@pytest.mark.parametrize(
    ("n_inputs", "error", "message"),
    [
        (0, ValueError, "n_inputs must be 1 or more, got 0"),
        (-2, ValueError, "n_inputs must be 1 or more, got -2"),
        (2.0, TypeError, "n_inputs must be an integer, got 2.0"),
        (True, TypeError, "n_inputs must be an integer, got True"),
        ("2", TypeError, "n_inputs must be an integer, got '2'"),
    ],
)
def test_wrong_n_inputs(n_inputs, error, message):
    with pytest.raises(error, match=message):
        Perceptron(n_inputs)


WRONG_X = [
    (INPUTS[0], ValueError, r"x must have shape \(N, 2\), got \(2,\): .* x\[None, :\]"),
    (7.0, ValueError, r"x must have shape \(N, 2\), got \(\)"),
    ([1.0, 2.0, 3.0], ValueError, r"x must have shape \(N, 2\), got \(3,\)$"),
    ([[1.0, 2.0, 3.0]], ValueError, r"x must have shape \(N, 2\), got \(1, 3\)"),
    (np.zeros((2, 2, 2)), ValueError, r"x must have shape \(N, 2\), got \(2, 2, 2\)"),
    ([[1.0, 2.0], [3.0]], ValueError, "x must have rows of equal length"),
    ([[np.nan, 0.0]], ValueError, "x must not contain NaN, got 1 NaN"),
    ([[0.0, -np.inf]], ValueError, "x must be finite, got -inf"),
    ([["1", "2"]], TypeError, "x must hold real numbers, got <U1"),
    ([[1j, 2]], TypeError, "x must hold real numbers, got complex128"),
    ([[None, 2]], TypeError, "x must hold real numbers, got object"),
]


@pytest.mark.parametrize(("x", "error", "message"), WRONG_X)
def test_wrong_x(x, error, message):
    with pytest.raises(error, match=message):
        Perceptron(2).predict(x)
    with pytest.raises(error, match=message):
        Perceptron(2).fit(x, [0])


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 0, 1], ValueError, r"y must have shape \(4,\), got \(3,\)"),
        (
            [[0, 0, 0, 1]],
            ValueError,
            r"y must have shape \(4,\), got \(1, 4\)",
        ),
        (1, ValueError, r"y must have shape \(4,\), got \(\)"),
        ([-1, -1, -1, 1], ValueError, "y must hold the labels 0 and 1 only, got -1"),
        ([0, 1, 2, 1], ValueError, "y must hold the labels 0 and 1 only, got 2"),
        ([0, 0.5, 0, 1], ValueError, "y must hold the labels 0 and 1 only, got 0.5"),
        ([0, np.nan, 0, 1], ValueError, "y must not contain NaN, got 1 NaN"),
        (["0", "0", "0", "1"], TypeError, "y must hold real numbers, got <U1"),
    ],
)
def test_wrong_y(y, error, message):
    learner = perceptron([1, 2], 3)
    with pytest.raises(error, match=message):
        learner.fit(INPUTS, y)
    assert (learner.weights.tolist(), learner.bias) == ([1, 2], 3)


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match="x must hold at least one sample to learn from, got none"):
        Perceptron(2).fit(np.empty((0, 2)), [])


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        (
            "learning_rate",
            0,
            ValueError,
            "learning_rate must lie between 0 and inf, both excluded, got 0",
        ),
        (
            "learning_rate",
            -1.0,
            ValueError,
            r"learning_rate must lie between 0 and inf, .* got -1.0",
        ),
        (
            "learning_rate",
            np.nan,
            ValueError,
            r"learning_rate must lie between 0 and inf, .* got nan",
        ),
        (
            "learning_rate",
            np.inf,
            ValueError,
            r"learning_rate must lie between 0 and inf, .* got inf",
        ),
        ("learning_rate", "1", TypeError, "learning_rate must be a number, got '1'"),
        ("learning_rate", True, TypeError, "learning_rate must be a number, got True"),
        ("max_epochs", 0, ValueError, "max_epochs must be 1 or more, got 0"),
        ("max_epochs", 1.5, TypeError, "max_epochs must be an integer, got 1.5"),
        ("max_epochs", None, TypeError, "max_epochs must be an integer, got None"),
    ],
)
def test_wrong_options(name, value, error, message):
    with pytest.raises(error, match=message):
        Perceptron(2).fit(INPUTS, AND, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("weights", [1.0], ValueError, r"weights must have shape \(2,\), got \(1,\)"),
        ("weights", [1.0, np.nan], ValueError, "weights must not contain NaN"),
        ("weights", ["a", "b"], TypeError, "weights must hold real numbers"),
        ("bias", np.inf, ValueError, "bias must be finite, got inf"),
        ("bias", [1.0], TypeError, r"bias must be a number, got \[1.0\]"),
    ],
)
def test_wrong_parameters(name, value, error, message):
    with pytest.raises(error, match=message):
        setattr(Perceptron(2), name, value)


def test_sums_that_overflow():
    huge = np.full((2, 2), 1e308)
    with pytest.raises(ValueError, match="x is too large: a weighted sum overflowed"):
        perceptron([10, -10], 0).predict(huge)
    with pytest.raises(ValueError, match="x or learning_rate is too large"):
        Perceptron(2).fit(huge, [0, 1], learning_rate=1e3)
    learner = Perceptron(1)
    with pytest.raises(ValueError, match="the weights overflowed"):
        learner.fit([[1e308]], [0], learning_rate=1e3, max_epochs=1)
    assert learner.weights.tolist() == [0]
    learner.weights = [1e200]
    with pytest.raises(ValueError, match="x or learning_rate is too large: a weighted sum"):
        learner.fit([[1e200]], [1])
