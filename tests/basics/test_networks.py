"""Activation functions, layers, networks: worked numbers, PyTorch as twin, properties, misuse."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.nn import functional

from companion.basics import networks
from companion.basics.networks import MLP, Dense, elu, leaky_relu, relu, sigmoid, softmax, tanh

ELEMENTWISE = [sigmoid, tanh, relu, leaky_relu, elu]
FLOATS = st.floats(-50, 50)
SCORES = arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 7)), elements=FLOATS)


def step(z):
    return (z >= 0).astype(float)


def slope(function, x, h=1e-6):
    """Return the derivative by a central difference; good to about 1e-10 for smooth functions."""
    return (function(x + h) - function(x - h)) / (2 * h)


# Numbers: the formulas of document 004, worked out.


def test_sigmoid_numbers():
    x = np.array([-5, -1, 0, 1, 5])
    expected = [0.006693, 0.268941, 0.5, 0.731059, 0.993307]
    np.testing.assert_allclose(sigmoid(x), expected, rtol=0, atol=5e-7)


def test_sigmoid_slope_is_a_quarter_at_best():
    x = np.linspace(-10, 10, 201)
    slopes = slope(sigmoid, x)
    np.testing.assert_allclose(slopes, sigmoid(x) * (1 - sigmoid(x)), rtol=0, atol=1e-9)
    assert slopes.argmax() == 100  # at 0
    np.testing.assert_allclose(slopes[[100, 150]], [0.25, 0.006648], rtol=0, atol=5e-7)
    assert slopes[200] == pytest.approx(4.54e-5, abs=5e-8)


def test_tanh_numbers():
    assert tanh(1) == pytest.approx(0.761594, abs=5e-7)
    slopes = slope(tanh, np.array([0.0, 5.0]))
    np.testing.assert_allclose(slopes, [1, 1.8158e-4], rtol=0, atol=5e-9)


@pytest.mark.parametrize(
    ("function", "expected"),
    [(relu, [0, 0, 2]), (leaky_relu, [-0.02, -0.01, 2]), (elu, [-0.864665, -0.632121, 2])],
)
def test_rectifier_numbers(function, expected):
    np.testing.assert_allclose(function([-2, -1, 2]), expected, rtol=0, atol=5e-7)


def test_softmax_numbers():
    expected = [0.090031, 0.244728, 0.665241]
    np.testing.assert_allclose(softmax([1, 2, 3]), expected, rtol=0, atol=5e-7)
    np.testing.assert_allclose(softmax([1000, 1001, 1002]), expected, rtol=0, atol=5e-7)


def test_xor_by_hand():
    network = MLP((2, 2, 1), step)
    hidden, last = network.layers
    hidden.weight, hidden.bias = [[1, 1], [-1, -1]], [-0.5, 1.5]  # OR, NAND
    last.weight, last.bias = [[1, 1]], [-1.5]  # AND
    sums = network.forward([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert sums.tolist() == [[-0.5], [0.5], [0.5], [-0.5]]


# Twins.


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (sigmoid, torch.sigmoid),
        (tanh, torch.tanh),
        (relu, torch.relu),
        (leaky_relu, functional.leaky_relu),
        (lambda x: leaky_relu(x, 0.3), lambda t: functional.leaky_relu(t, 0.3)),
        (elu, functional.elu),
        (lambda x: elu(x, 0.7), lambda t: functional.elu(t, 0.7)),
        (softmax, lambda t: torch.softmax(t, -1)),
        (lambda x: softmax(x, 0), lambda t: torch.softmax(t, 0)),
        (lambda x: softmax(x, axis=-2), lambda t: torch.softmax(t, 1)),
    ],
)
def test_activation_equals_torch(ours, theirs):
    x = np.random.default_rng(0).normal(scale=4, size=(3, 5, 7))
    t = torch.tensor(x, requires_grad=True)
    np.testing.assert_allclose(ours(x), theirs(t).detach(), rtol=1e-13, atol=1e-15)
    # The slope in one direction, ours by differences, theirs by automatic differentiation.
    direction = np.random.default_rng(1).normal(size=x.shape)
    weights = np.random.default_rng(2).normal(size=x.shape)
    (theirs(t) * torch.tensor(weights)).sum().backward()
    ascent = slope(lambda h: np.sum(ours(x + h * direction) * weights), 0.0)
    assert t.grad is not None
    assert ascent == pytest.approx(float((t.grad.numpy() * direction).sum()), abs=1e-6)


def test_dense_equals_torch():
    layer = Dense(5, 3, seed=0)
    layer.bias = np.array([0.5, -1.0, 2.0])
    twin = torch.nn.Linear(5, 3, dtype=torch.float64)
    twin.load_state_dict({"weight": torch.tensor(layer.weight), "bias": torch.tensor(layer.bias)})
    for shape in [(5,), (7, 5), (2, 7, 5), (1, 5), (0, 5)]:
        x = np.random.default_rng(1).normal(size=shape)
        output = layer.forward(x)
        assert output.shape == (*shape[:-1], 3)
        np.testing.assert_allclose(output, twin(torch.tensor(x)).detach(), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("ours", "theirs"), [(relu, torch.nn.ReLU), (tanh, torch.nn.Tanh)])
def test_mlp_equals_torch(ours, theirs):
    network = MLP((11, 7, 5, 3), ours, seed=0)
    parts = []
    for layer in network.layers:
        layer.bias = np.random.default_rng(1).normal(size=layer.n_outputs)
        linear = torch.nn.Linear(layer.n_inputs, layer.n_outputs, dtype=torch.float64)
        state = {"weight": torch.tensor(layer.weight), "bias": torch.tensor(layer.bias)}
        linear.load_state_dict(state)
        parts += [linear, theirs()]
    twin = torch.nn.Sequential(*parts[:-1])
    x = np.random.default_rng(2).normal(size=(13, 11))
    expected = twin(torch.tensor(x)).detach()
    np.testing.assert_allclose(network.forward(x), expected, rtol=0, atol=1e-13)
    assert network.n_parameters == sum(p.numel() for p in twin.parameters())


# Properties.


@given(FLOATS, FLOATS)
def test_elementwise_functions_never_fall(a, b):
    low, high = min(a, b), max(a, b)
    for function in ELEMENTWISE:
        assert function(low) <= function(high)


@given(FLOATS)
def test_sigmoid_and_tanh_are_one_curve(x):
    assert sigmoid(-x) == pytest.approx(1 - sigmoid(x), abs=1e-15)
    assert tanh(x) == pytest.approx(2 * sigmoid(2 * x) - 1, abs=1e-14)


@given(st.floats(-700, 36.7))
def test_sigmoid_lies_strictly_between_0_and_1(x):
    assert 0 < sigmoid(x) < 1


def test_sigmoid_rounds_to_1_where_documented():
    assert sigmoid(36.7) < 1
    assert sigmoid(36.8) == 1
    assert sigmoid(np.float32(16.6)) < 1
    assert sigmoid(np.float32(16.7)) == 1


@given(SCORES)
def test_softmax_sums_to_1(x):
    for axis in (0, 1):
        shares = softmax(x, axis)
        assert shares.shape == x.shape
        assert (shares > 0).all()
        np.testing.assert_allclose(shares.sum(axis=axis), 1, rtol=1e-12)


@given(SCORES, st.floats(-1e3, 1e3))
def test_softmax_ignores_a_shift(x, shift):
    np.testing.assert_allclose(softmax(x + shift), softmax(x), rtol=1e-9, atol=1e-12)


@given(SCORES, st.randoms(use_true_random=False))
def test_softmax_follows_a_permutation(x, random):
    order = random.sample(range(x.shape[1]), x.shape[1])
    np.testing.assert_allclose(softmax(x[:, order]), softmax(x)[:, order], rtol=1e-12)


@given(SCORES)
def test_softmax_of_two_scores_is_a_sigmoid(x):
    pairs = np.stack([x, np.zeros_like(x)], axis=-1)
    np.testing.assert_allclose(softmax(pairs)[..., 0], sigmoid(x), rtol=1e-9, atol=1e-15)


@given(SCORES)
def test_inputs_stay_as_they_were(x):
    before = x.copy()
    for function in (*ELEMENTWISE, softmax, MLP((x.shape[1], 3, 2), seed=0).forward):
        function(x)
        assert np.array_equal(x, before)


@pytest.mark.parametrize("function", [*ELEMENTWISE, softmax])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_activations_keep_the_floating_type(function, dtype):
    assert function(np.array([-1, 0, 2], dtype)).dtype == dtype


@pytest.mark.parametrize("function", [leaky_relu, elu])
def test_a_numpy_option_does_not_widen_the_result(function):
    assert function(np.ones(2, np.float32), np.float64(0.5)).dtype == np.float32


@pytest.mark.parametrize("function", [*ELEMENTWISE, softmax])
@pytest.mark.parametrize("x", [[-1, 0, 2], np.array([1, 0], np.uint8), [True, False]])
def test_whole_numbers_become_float64(function, x):
    result = function(x)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, function(np.asarray(x, float)))


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_a_number_gives_a_number_and_nothing_gives_nothing(function):
    assert isinstance(function(1), np.float64)
    assert function(np.empty((0, 3))).shape == (0, 3)


def test_softmax_of_no_rows_and_of_one_score():
    assert softmax(np.empty((0, 3))).size == 0
    assert softmax([[5.0], [-7.0]]).tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (sigmoid, 0, 1),
        (tanh, -1, 1),
        (relu, 0, math.inf),
        (leaky_relu, -math.inf, math.inf),
        (elu, -1, math.inf),
    ],
)
def test_the_ends(function, low, high):
    assert function([-math.inf, math.inf]).tolist() == [low, high]
    # 1e4 would overflow in exp: pytest treats the warning as an error.
    finite = function([-1e4, 1e4])
    assert finite.tolist() == [max(low, -100), min(high, 1e4)]


def test_softmax_of_far_and_infinite_scores():
    assert softmax([1e4, 0.0]).tolist() == [1, 0]
    assert softmax([-1e4, -math.inf]).tolist() == [1, 0]


def test_dense_takes_the_wider_type():
    layer = Dense(2, 1)
    assert layer.forward(np.ones((3, 2), np.float32)).dtype == np.float64
    layer.weight, layer.bias = layer.weight.astype(np.float32), layer.bias.astype(np.float32)
    assert layer.forward(np.ones((3, 2), np.float32)).dtype == np.float32
    assert layer.forward([[1, 2]]).dtype == np.float64


def test_initial_weights_are_glorot_uniform():
    layer = Dense(200, 100, seed=0)
    limit = math.sqrt(6 / 300)
    assert layer.weight.shape == (100, 200)
    assert np.abs(layer.weight).max() == pytest.approx(limit, rel=1e-3)
    assert np.abs(layer.weight).max() < limit
    assert layer.weight.mean() == pytest.approx(0, abs=limit / 50)
    assert layer.weight.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    assert layer.bias.tolist() == [0] * 100


def test_a_seed_makes_weights_reproducible():
    def weights(seed):
        return np.concatenate([layer.weight.ravel() for layer in MLP((3, 5, 3), seed=seed).layers])

    assert np.array_equal(weights(1), weights(1))
    assert np.array_equal(weights(1), weights(np.random.default_rng(1)))
    assert not np.array_equal(weights(1), weights(2))
    assert not np.array_equal(weights(None), weights(None))
    first, second = np.split(weights(1), 2)
    assert not np.array_equal(first, second), "two layers must not start alike"


@pytest.mark.parametrize(("sizes", "n"), [((3, 4, 2), 26), ([1, 1], 2), (np.array([5, 7]), 42)])
def test_number_of_parameters(sizes, n):
    network = MLP(sizes)
    assert network.n_parameters == n
    assert n == sum(layer.weight.size + layer.bias.size for layer in network.layers)


def test_softmax_of_the_largest_and_the_least_number():
    assert softmax([1.7e308, -1.7e308]).tolist() == [1.0, 0.0]


# Misuse.


@pytest.mark.parametrize("function", [*ELEMENTWISE, softmax, Dense(2, 1).forward])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0, math.nan], ValueError, r"x must not contain NaN, got 1 NaN"),
        (["1", "2"], TypeError, r"x must hold real numbers, got <U1"),
        ([1, 2j], TypeError, r"x must hold real numbers, got complex128"),
        ([None, 1.0], TypeError, r"x must hold real numbers, got object"),
        ([[1.0], [2.0, 3.0]], ValueError, r"x must have rows of equal length, got \[\[1.0\], "),
    ],
)
def test_x_is_refused(function, x, error, message):
    with pytest.raises(error, match=message):
        function(x)


net: Any = networks  # untyped: a type checker would refuse these calls, too


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: net.leaky_relu(1, 0), ValueError, "negative_slope must lie between 0 and 1"),
        (lambda: net.leaky_relu(1, 1.0), ValueError, "negative_slope .* got 1.0"),
        (lambda: net.leaky_relu(1, math.nan), ValueError, "negative_slope .* got nan"),
        (lambda: net.leaky_relu(1, "a"), TypeError, "negative_slope must be a number, got 'a'"),
        (lambda: net.leaky_relu(1, True), TypeError, "negative_slope must be a number, got True"),
        (lambda: net.elu(1, 0), ValueError, "alpha must lie between 0 and inf, .* got 0"),
        (lambda: net.elu(1, math.inf), ValueError, "alpha .* got inf"),
        (lambda: net.elu(1, [1.0]), TypeError, r"alpha must be a number, got \[1.0\]"),
        (lambda: net.softmax(3.0), ValueError, r"axis must name an axis of x, .* \(\), got -1"),
        (lambda: net.softmax([1.0], 1), ValueError, r"axis must name an axis .* \(1,\), got 1"),
        (lambda: net.softmax([1.0], -2), ValueError, r"axis must name an axis .* \(1,\), got -2"),
        (lambda: net.softmax([1.0], 0.0), TypeError, "axis must be an integer, got 0.0"),
        (lambda: net.softmax([]), ValueError, r"x must have a score .* \(0,\)"),
        (lambda: net.softmax(np.empty((2, 0))), ValueError, r"x must have a score .* \(2, 0\)"),
        (lambda: net.softmax([1, math.inf]), ValueError, "largest score of x .* finite, got inf"),
        (lambda: net.softmax([[0], [-math.inf]]), ValueError, "score .* finite, got -inf"),
        (lambda: net.Dense(0, 1), ValueError, "n_inputs must be 1 or more, got 0"),
        (lambda: net.Dense(1, -2), ValueError, "n_outputs must be 1 or more, got -2"),
        (lambda: net.Dense(2**63, 1), ValueError, "n_inputs must be at most 16777216, got 922"),
        (
            lambda: net.leaky_relu(1, 10**400),
            ValueError,
            "negative_slope must be less than 1.8e308",
        ),
        (lambda: net.Dense(2.0, 1), TypeError, "n_inputs must be an integer, got 2.0"),
        (lambda: net.Dense(1, True), TypeError, "n_outputs must be an integer, got True"),
        (lambda: net.Dense(1, 1, seed=-1), ValueError, "seed must be 0 or more, got -1"),
        (lambda: net.Dense(1, 1, seed=0.5), TypeError, "seed must be an integer, got 0.5"),
        (lambda: net.MLP((2,)), ValueError, r"sizes must be .* of 2 or more integers, got \(2,\)"),
        (lambda: net.MLP(3), TypeError, "sizes must be a sequence .* got 3"),
        (lambda: net.MLP("32"), TypeError, "sizes must be a sequence .* got '32'"),
        (lambda: net.MLP((2, 0, 1)), ValueError, "sizes must be 1 or more, got 0"),
        (lambda: net.MLP((2, 1), "relu"), TypeError, "activation must be .* got 'relu'"),
        (lambda: net.MLP((2, 1), seed="a"), TypeError, "seed must be an integer, got 'a'"),
    ],
)
def test_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, math.inf]], "x must be finite, got inf"),
        ([[1.0, 2.0, 3.0]], r"x must have shape \(..., 2\), got \(1, 3\)"),
        (5.0, r"x must have shape \(..., 2\), got \(\)"),
        ([], r"x must have shape \(..., 2\), got \(0,\)"),
        ([[1e308, 1e308]], "the product of x and weight must be finite, got inf"),
    ],
)
def test_forward_refuses(x, message):
    layer, network = Dense(2, 1), MLP((2, 2, 1))
    layer.weight = network.layers[0].weight = np.full((1, 2), 2.0)
    network.layers[0].weight = np.full((2, 2), 2.0)
    for model in (layer, network):
        with pytest.raises(ValueError, match=message):
            model.forward(x)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("weight", [[1, 2, 3]], r"weight must have shape \(1, 2\), got \(1, 3\)"),
        ("weight", [1, 2], r"weight must have shape \(1, 2\), got \(2,\)"),
        ("weight", [[1, math.nan]], "weight must not contain NaN"),
        ("bias", 3.0, r"bias must have shape \(1,\), got \(\)"),
        ("bias", [math.inf], "bias must be finite, got inf"),
    ],
)
def test_assigned_parameters_are_checked(name, value, message):
    layer = Dense(2, 1)
    setattr(layer, name, value)
    with pytest.raises(ValueError, match=message):
        layer.forward([[1, 2]])


@pytest.mark.parametrize(
    ("activation", "error", "message"),
    [
        (np.sum, ValueError, r"what activation returns must have shape \(4, 3\), got \(\)"),
        (lambda z: z / 0.0, ValueError, "what activation returns must be finite, got -?inf"),
        (lambda z: None, TypeError, "what activation returns must hold real numbers, got object"),
    ],
)
def test_an_activation_is_checked(activation, error, message):
    network = MLP((2, 3, 1), activation, seed=0)
    with np.errstate(divide="ignore"), pytest.raises(error, match=message):
        network.forward(np.ones((4, 2)))
