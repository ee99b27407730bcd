"""Instruments for the challenges of training: worked numbers, twins, properties, misuse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.inspection import permutation_importance as sklearn_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import learning_curve as sklearn_curve
from sklearn.preprocessing import StandardScaler
from torch import nn

from companion.basics.challenges import (
    DeepNetwork,
    gradient_norms,
    learning_curve,
    permutation_importance,
    saliency,
    standardise,
)


def batch(n=11, n_inputs=5):
    return torch.randn(n, n_inputs, generator=torch.Generator().manual_seed(1))


def loss_of(model, x=None):
    x = batch() if x is None else x
    return nn.functional.cross_entropy(model(x), torch.arange(len(x)) % 3)


# The deep network


@pytest.mark.parametrize("normalise", [False, True])
def test_deep_network_is_layers_in_a_row(normalise):
    network = DeepNetwork(5, 3, depth=3, width=7, activation=torch.tanh, normalise=normalise)
    parts = []
    for linear in network.hidden:
        parts += [linear, *([nn.LayerNorm(7)] if normalise else []), nn.Tanh()]
    twin = nn.Sequential(*parts, network.output)
    torch.testing.assert_close(network(batch()), twin(batch()))
    assert len(network.hidden) == 3
    assert sum(p.numel() for p in network.parameters()) == (
        6 * 7 + 2 * 8 * 7 + 8 * 3 + normalise * 3 * 14
    )


def test_residual_adds_the_input_of_every_hidden_layer_but_the_first():
    network = DeepNetwork(5, 3, depth=3, width=7, residual=True)
    first, second, third = network.hidden
    h = torch.relu(first(batch()))
    h = h + torch.relu(second(h))
    h = h + torch.relu(third(h))
    torch.testing.assert_close(network(batch()), network.output(h))


def test_initial_weights_are_glorots():
    network = DeepNetwork(64, 10, depth=2, width=101, seed=3)
    weight = network.hidden[1].weight
    limit = math.sqrt(6 / 202)
    assert 0.99 * limit < weight.abs().max() <= limit
    assert all((layer.bias == 0).all() for layer in (*network.hidden, network.output))
    again, other = (DeepNetwork(64, 10, depth=2, width=101, seed=s) for s in (3, 4))
    assert torch.equal(again.output.weight, network.output.weight)
    assert not torch.equal(other.output.weight, network.output.weight)


def test_building_leaves_no_trace_in_the_initial_weights():
    torch.manual_seed(0)
    one = DeepNetwork(5, 3, depth=2)
    torch.manual_seed(1)
    assert torch.equal(one.hidden[1].weight, DeepNetwork(5, 3, depth=2).hidden[1].weight)


# Norms of gradients


def test_gradient_norm_by_hand():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(2.0)
    model(torch.tensor([[3.0]])).sum().backward()
    # h = 2 * 3 + 2 = 8, so the last layer has (8, 1); the first has 2 * (3, 1).
    assert gradient_norms(model) == pytest.approx({"0": math.sqrt(40), "2": math.sqrt(65)})


def test_gradient_norms_together_are_the_norm_that_clipping_sees():
    model = DeepNetwork(5, 3, depth=4, width=7, normalise=True).double()
    loss_of(model, batch().double()).backward()
    norms = gradient_norms(model)
    total = nn.utils.clip_grad_norm_(model.parameters(), 1e9).item()
    assert math.hypot(*norms.values()) == pytest.approx(total, rel=1e-12)
    names = [f"hidden.{i}" for i in range(4)] + [f"norms.{i}" for i in range(4)] + ["output"]
    assert list(norms) == names


def test_frozen_layers_have_no_gradient_norm():
    model = DeepNetwork(5, 3, depth=2).requires_grad_(False)
    model.output.requires_grad_(True)
    loss_of(model).backward()
    assert list(gradient_norms(model)) == ["output"]


def test_sigmoids_shrink_the_gradient_at_least_by_their_bound():
    h = torch.tensor(0.3, requires_grad=True, dtype=torch.float64)
    z = h
    for _ in range(10):
        z = torch.sigmoid(z)
    z.backward()
    assert h.grad is not None
    assert 0 < h.grad.item() < 0.25**10


# The learning curve


def test_learning_curve_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(53, 3)), rng.normal(size=53)
    y = x @ [1.0, -2.0, 0.5] + noise
    train, validation = np.arange(37), np.arange(37, 53)
    sizes, orders = [5, 11, 37], []

    def measure(samples):
        orders.append(samples)
        model = LinearRegression().fit(x[samples], y[samples])
        return model.score(x[samples], y[samples]), model.score(x[validation], y[validation])

    ours = learning_curve(measure, 37, sizes, seed=2)
    order = orders[-1]  # all 37, in the order in which they were added
    _, train_scores, validation_scores = sklearn_curve(
        LinearRegression(), x, y, train_sizes=sizes, cv=[(train[order], validation)]
    )[:3]
    np.testing.assert_allclose(ours.train, train_scores, rtol=1e-12)
    np.testing.assert_allclose(ours.validation, validation_scores, rtol=1e-12)
    assert ours.sizes.tolist() == sizes


def test_learning_curve_draws_growing_sets_without_repetition():
    seen = []
    curve = learning_curve(
        lambda samples: (seen.append(samples.tolist()), (0, 1))[1], 13, [2, 7, 13], repeats=2
    )
    assert curve.train.shape == curve.validation.shape == (3, 2)
    assert (curve.train == 0).all()
    assert (curve.validation == 1).all()
    for repeat in (0, 1):
        small, middle, all_of_them = seen[repeat::2]
        assert (small, middle) == (all_of_them[:2], all_of_them[:7])
        assert sorted(all_of_them) == list(range(13))
    assert seen[4] != seen[5]


# Saliency and permutation importance


def test_saliency_is_the_slope_of_the_score():
    model = DeepNetwork(5, 3, depth=2, width=7, activation=torch.tanh).double()
    x, classes = batch().double(), torch.arange(11) % 3
    measured = saliency(model, x, classes)
    for column in range(5):
        step = torch.zeros(5, dtype=torch.float64)
        step[column] = 1e-6
        with torch.no_grad():
            slope = (model(x + step) - model(x - step)) / 2e-6  # (N, 3)
        slopes = slope[torch.arange(11), classes].abs()
        torch.testing.assert_close(measured[:, column], slopes, rtol=0, atol=1e-8)


def test_saliency_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.Linear(5, 7), nn.Dropout(0.5), nn.Linear(7, 3))
    x = batch()
    first, second = saliency(model, x, 2), saliency(model, x, 2)
    assert torch.equal(first, second)  # dropout was off
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not x.requires_grad
    with torch.no_grad():
        assert torch.equal(saliency(model.eval(), x, 2), first)
    assert not model.training


def test_saliency_keeps_the_shape_of_images():
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    assert saliency(model, torch.zeros(3, 1, 2, 3), 0).shape == (3, 1, 2, 3)


def test_permutation_importance_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(211, 3))
    y = x @ [3.0, 1.0, 0.0] + 0.1 * rng.normal(size=211)
    model = LinearRegression().fit(x, y)
    ours = permutation_importance(model.score, x, y, repeats=61)
    theirs = sklearn_importance(model, x, y, n_repeats=61, random_state=0)
    assert ours.shape == (3, 61)
    np.testing.assert_allclose(ours.mean(axis=1), theirs["importances_mean"], rtol=0.05, atol=1e-3)
    np.testing.assert_allclose(ours.std(axis=1), theirs["importances_std"], rtol=0.5, atol=1e-3)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000))
def test_what_a_model_ignores_has_no_importance(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(17, 2)), rng.normal(size=17)
    before = x.copy()
    drops = permutation_importance(lambda x, y: -((x[:, 0] - y) ** 2).mean(), x, y, seed=seed)
    assert (drops[1] == 0).all()
    assert (drops[0] != 0).any()
    np.testing.assert_array_equal(x, before)
    assert (permutation_importance(DummyRegressor().fit(x, y).score, x, y) == 0).all()


# Standardising


def test_standardise_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    train = rng.normal(5, [1, 100, 0.01], size=(23, 3))
    train[:, 2] = 0.1  # a constant column
    test = rng.normal(size=(7, 3))
    scaler = StandardScaler().fit(train)
    ours = standardise(train, test)
    np.testing.assert_allclose(ours[0], scaler.transform(train), rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours[1], scaler.transform(test), rtol=0, atol=1e-12)
    assert len(standardise(train)) == 1


# Misuse


def scored(x):
    return torch.zeros(len(x), 2)


NETWORK = nn.Linear(2, 3)
PAIR = np.zeros((2, 2))


class Fixed(nn.Module):
    """Says the same whatever it sees."""

    def forward(self, x):
        return torch.ones(len(x), 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: DeepNetwork(0, 1, depth=1), ValueError, "n_inputs must be 1 or more, got 0"),
        (lambda: DeepNetwork(1, 0, depth=1), ValueError, "n_outputs must be 1 or more, got 0"),
        (lambda: DeepNetwork(1, 1, depth=0), ValueError, "depth must be 1 or more, got 0"),
        (lambda: DeepNetwork(1, 1, depth=1, width=2.5), TypeError, "width must be an integer"),
        (lambda: DeepNetwork(1, 1, depth=1, seed=-1), ValueError, "seed must be 0 or more"),
        (lambda: DeepNetwork(1, 1, depth=1, activation="relu"), TypeError, "activation must be"),
        (lambda: gradient_norms(3), TypeError, "model must be a Module, got int"),
        (lambda: gradient_norms(nn.Linear(1, 1)), ValueError, "call loss.backward"),
        (lambda: learning_curve(len, 0, [1]), ValueError, "n_samples must be 1 or more, got 0"),
        (lambda: learning_curve(len, 3, [4]), ValueError, r"numbers from 1 to 3, got \[4\]"),
        (
            lambda: learning_curve(len, 3, []),
            ValueError,
            r"sizes must be a sequence of 1 or more integers, got \[\]",
        ),
        (lambda: learning_curve(len, 3, [0]), ValueError, "sizes must be 1 or more"),
        (lambda: learning_curve(len, 3, [1], repeats=0), ValueError, "repeats must be 1 or more"),
        (
            lambda: learning_curve(len, 3, [1]),
            ValueError,
            r"what measure returns must have shape \(2,\)",
        ),
        (lambda: learning_curve(None, 3, [1]), TypeError, "measure must be a function"),
        (lambda: saliency(scored, torch.zeros(1, 2), 0), TypeError, "got function"),
        (
            lambda: saliency(NETWORK, np.zeros((1, 2)), 0),
            TypeError,
            "x must be a Tensor of torch.float32, got",
        ),
        (
            lambda: saliency(NETWORK, torch.zeros(2), 0),
            ValueError,
            r"x must have the shape \(N, F, ...\)",
        ),
        (
            lambda: saliency(NETWORK, torch.zeros(1, 2, dtype=int), 0),
            TypeError,
            "x must be a Tensor of torch.float32, got",
        ),
        (lambda: saliency(NETWORK, torch.zeros(1, 2), 3), ValueError, "from 0 to 2, got 3"),
        (
            lambda: saliency(NETWORK, torch.zeros(1, 2), -1),
            ValueError,
            "target must be 0 or more, got -1",
        ),
        (
            lambda: saliency(NETWORK, torch.zeros(1, 2), 0.5),
            TypeError,
            "target must be an integer, got 0.5",
        ),
        (
            lambda: saliency(NETWORK, torch.zeros(2, 2), torch.zeros(3).long()),
            ValueError,
            "target must be one class or .2,. classes",
        ),
        (
            lambda: saliency(NETWORK, torch.zeros(1, 4, 2), 0),
            ValueError,
            r"\(1, classes\), got \(1, 4, 3\)",
        ),
        (
            lambda: saliency(nn.Flatten(), torch.zeros(1, 2), True),
            TypeError,
            "target must be an int",
        ),
        (lambda: saliency(Fixed(), torch.zeros(1, 2), 0), ValueError, "scores without a gradient"),
        (
            lambda: saliency(nn.LSTM(2, 3), torch.zeros(1, 2), 0),
            TypeError,
            "what model returns must",
        ),
        (lambda: standardise([[-1e308], [1e308]]), ValueError, "train is too large"),
        (
            lambda: permutation_importance(lambda x, y: math.nan, PAIR, [1, 2]),
            ValueError,
            "what score returns must not contain NaN",
        ),
        (lambda: permutation_importance(len, [1.0], [1]), ValueError, r"\(N, F\).* got \(1,\)"),
        (lambda: permutation_importance(len, PAIR[:0], []), ValueError, r"not empty, got \(0, 2\)"),
        (lambda: permutation_importance(len, PAIR, [1]), ValueError, "y must have 2 targets"),
        (
            lambda: permutation_importance(len, PAIR * np.nan, [1, 2]),
            ValueError,
            "x must not .*NaN",
        ),
        (lambda: permutation_importance(len, PAIR, [1, 2], repeats=0), ValueError, "repeats"),
        (lambda: standardise([1.0, 2.0]), ValueError, r"train must have shape \(N, F\)"),
        (lambda: standardise(PAIR[:0]), ValueError, r"not empty, got \(0, 2\)"),
        (lambda: standardise(PAIR, [[1.0]]), ValueError, r"shape \(M, 2\), got \(1, 1\)"),
        (lambda: standardise(PAIR, [[1.0, math.inf]]), ValueError, "others must be finite"),
    ],
)
def test_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
