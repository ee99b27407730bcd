"""Tests of companion.basics.generative."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from torch.nn import functional

from companion.basics import generative
from companion.basics.generative import (
    Autoencoder,
    Discriminator,
    Generator,
    best_discriminator,
    discriminator_loss,
    game_value,
    generator_loss,
    train_gan,
)

SCORES = torch.linspace(-7, 7, 13, dtype=torch.float64)


@st.composite
def two_distributions(draw):
    """Two distributions over the same two to seven symbols; zeros occur."""
    n = draw(st.integers(2, 7))
    counts = st.lists(st.integers(0, 9), min_size=n, max_size=n).filter(any)
    p, q = np.array(draw(counts), dtype=float), np.array(draw(counts), dtype=float)
    return p / p.sum(), q / q.sum()


# --- autoencoder ---------------------------------------------------------------------------------


def test_autoencoder_shapes():
    network = Autoencoder(13, 3, hidden=(11, 7))
    assert network.encode(torch.zeros(5, 13)).shape == (5, 3)
    assert network.decode(torch.zeros(5, 3)).shape == (5, 13)
    assert network(torch.zeros(0, 13)).shape == (0, 13)
    assert network(torch.zeros(1, 13)).shape == (1, 13)
    x = torch.randn(5, 13)
    assert torch.equal(network(x), network.decode(network.encode(x)))


def test_the_decoder_mirrors_the_encoder_unless_told_otherwise():
    def sizes(part):
        return [layer.out_features for layer in part if isinstance(layer, torch.nn.Linear)]

    assert sizes(Autoencoder(13, 3, hidden=(11, 7)).decoder) == [7, 11, 13]
    lopsided = Autoencoder(13, 3, hidden=(11, 7), decoder_hidden=())
    assert (sizes(lopsided.encoder), sizes(lopsided.decoder)) == ([11, 7, 3], [13])


def test_without_hidden_layers_the_autoencoder_is_affine():
    network = Autoencoder(13, 3, hidden=()).double()
    a, b = torch.randn(2, 5, 13, dtype=torch.float64)
    middle = network((a + b) / 2)
    assert torch.allclose(middle, (network(a) + network(b)) / 2, rtol=0, atol=1e-12)
    curved = Autoencoder(13, 3).double()
    assert not torch.allclose(curved((a + b) / 2), (curved(a) + curved(b)) / 2, atol=1e-6)


def test_pca_is_the_optimum_of_the_linear_autoencoder():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(101, 13)) @ rng.normal(size=(13, 13)) + rng.normal(size=13)
    pca = PCA(3).fit(x)
    network = Autoencoder(13, 3, hidden=()).double()
    inner, outer = network.encoder[0], network.decoder[0]
    with torch.no_grad():  # the code is the one of scikit-learn's PCA
        inner.weight.copy_(torch.tensor(pca.components_))
        inner.bias.copy_(torch.tensor(-pca.components_ @ pca.mean_))
        outer.weight.copy_(torch.tensor(pca.components_.T))
        outer.bias.copy_(torch.tensor(pca.mean_))
    samples = torch.tensor(x)
    np.testing.assert_allclose(network.encode(samples).detach(), pca.transform(x), atol=1e-10)
    loss = functional.mse_loss(network(samples), samples)
    values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    assert loss.item() == pytest.approx(np.sum(values[3:] ** 2) / x.size)
    loss.backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().max() < 1e-10
    start = loss.item()
    for seed in range(20):  # no small step away from it is better
        moved = Autoencoder(13, 3, hidden=()).double()
        random = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for new, old in zip(moved.parameters(), network.parameters(), strict=True):
                step = torch.randn(old.shape, generator=random, dtype=torch.float64)
                new.copy_(old + 0.01 * step)
            assert functional.mse_loss(moved(samples), samples).item() > start


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 3), ValueError, "n_inputs must be 1 or more, got 0"),
        ((13, 0), ValueError, "n_code must be 1 or more, got 0"),
        ((13, 2.5), TypeError, "n_code must be an integer, got 2.5"),
    ],
)
def test_autoencoder_refuses_sizes(arguments, error, message):
    with pytest.raises(error, match=message):
        Autoencoder(*arguments)
    with pytest.raises(TypeError, match="hidden must be a sequence of integers, got 5"):
        Autoencoder(13, 3, hidden=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="decoder_hidden must be 1 or more, got 0"):
        Autoencoder(13, 3, decoder_hidden=(0,))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(5, 3), ValueError, r"x must have the shape \(B, 13\), got \(5, 3\)"),
        (torch.zeros(13), ValueError, r"x must have the shape \(B, 13\), got \(13,\)"),
        (
            torch.zeros(5, 13, dtype=torch.int64),
            TypeError,
            "x must be a Tensor of torch.float32, got torch.int64",
        ),
        (np.zeros((5, 13)), TypeError, "x must be a Tensor of torch.float32, got ndarray"),
    ],
)
def test_networks_refuse_wrong_inputs(x, error, message):
    for network in (Autoencoder(13, 3), Discriminator(13)):
        with pytest.raises(error, match=message):
            network(x)


# --- generator, discriminator, losses ------------------------------------------------------------


def test_generator_and_discriminator_shapes():
    generator = Generator(3, 13, hidden=(7,))
    assert generator(torch.zeros(5, 3)).shape == (5, 13)
    assert Discriminator(13)(torch.zeros(5, 13)).shape == (5,)
    assert Discriminator(13, hidden=(), sees_spread=True)(torch.zeros(5, 13)).shape == (5,)
    with pytest.raises(ValueError, match=r"z must have the shape \(B, 3\), got \(5, 13\)"):
        generator(torch.zeros(5, 13))


def test_samples_follow_their_seed_and_stay_in_bounds():
    generator = Generator(3, 13, bounded=True)
    with torch.no_grad():
        generator.layers[-1].weight *= 100
    assert torch.equal(generator.sample(5, seed=1), generator.sample(5, seed=1))
    assert not torch.equal(generator.sample(5, seed=1), generator.sample(5, seed=2))
    assert generator.sample(50, seed=1).abs().max() <= 1
    generator.bounded = False
    assert generator.sample(50, seed=1).abs().max() > 1
    with pytest.raises(ValueError, match="n must be 1 or more, got 0"):
        generator.sample(0, seed=1)


def test_only_the_discriminator_that_sees_the_spread_judges_a_sample_by_its_company():
    torch.manual_seed(0)
    one, others, close = torch.randn(1, 13), 9 * torch.randn(6, 13), 0.1 * torch.randn(6, 13)
    for sees_spread in (False, True):
        network = Discriminator(13, sees_spread=sees_spread)
        far = network(torch.cat([one, others]))[0]
        near = network(torch.cat([one, one + close]))[0]
        assert torch.isclose(far, near, atol=1e-5).item() is not sees_spread
    with pytest.raises(ValueError, match="x must have two rows or more, got 1"):
        Discriminator(13, sees_spread=True)(one)


def test_losses_are_the_formulas():
    d = torch.sigmoid(SCORES)
    expected = -(d.log().mean() + (1 - d.flip(0) * 1).log().mean())
    assert discriminator_loss(SCORES, SCORES.flip(0)).item() == pytest.approx(expected.item())
    twin = functional.binary_cross_entropy_with_logits
    expected = twin(SCORES, torch.ones(13)) + twin(SCORES**2, torch.zeros(13))
    assert discriminator_loss(SCORES, SCORES**2).item() == pytest.approx(expected.item())
    assert generator_loss(SCORES**2).item() == pytest.approx(
        -torch.sigmoid(SCORES**2).log().mean().item()
    )
    saturating = (1 - d).log().mean().item()
    assert generator_loss(SCORES, "minimax").item() == pytest.approx(saturating)
    for loss in generative.LOSSES:
        assert math.isfinite(generator_loss(torch.tensor([-900.0, 900.0]), loss).item())
    with pytest.raises(ValueError, match="got 'wasserstein'"):
        generator_loss(SCORES, "wasserstein")


def test_the_minimax_loss_saturates_where_the_discriminator_is_sure():
    slopes = {}
    for loss in generative.LOSSES:
        scores = torch.tensor([-10.0, 0.0, 10.0], dtype=torch.float64, requires_grad=True)
        generator_loss(scores, loss).backward()
        assert scores.grad is not None
        slopes[loss] = 3 * scores.grad.numpy()
    small, large = 1 / (1 + math.exp(10)), 1 / (1 + math.exp(-10))
    np.testing.assert_allclose(slopes["minimax"], [-small, -0.5, -large])
    np.testing.assert_allclose(slopes["non-saturating"], [-large, -0.5, -small])


# --- the game, solved exactly --------------------------------------------------------------------


@given(two_distributions(), st.lists(st.floats(0.001, 0.999), min_size=7, max_size=7))
def test_no_discriminator_beats_the_best_one(distributions, others):
    p, q = distributions
    best = best_discriminator(p, q)
    occurs = p + q > 0
    assert np.isnan(best[~occurs]).all()
    np.testing.assert_allclose(best[occurs] * (p + q)[occurs], p[occurs], atol=1e-15)
    assert game_value(p, q, others[: len(p)]) <= game_value(p, q) + 1e-12


@given(two_distributions())
def test_value_is_minus_log_4_plus_twice_the_divergence(distributions):
    p, q = distributions
    middle = (p + q) / 2

    def relative_entropy(a):
        return sum(x * math.log(x / m) for x, m in zip(a, middle, strict=True) if x > 0)

    divergence = (relative_entropy(p) + relative_entropy(q)) / 2
    assert game_value(p, q) == pytest.approx(-math.log(4) + 2 * divergence, abs=1e-12)
    assert -math.log(4) - 1e-12 <= game_value(p, q) <= 1e-12
    assert game_value(p, p) == pytest.approx(-1.3862943611, abs=1e-9)
    assert set(best_discriminator(p, p)[p > 0]) == {0.5}


def test_value_by_hand():
    # D = (0.75, 0.25); V = 2 * (0.75 log 0.75 + 0.25 log 0.25)
    assert game_value([0.75, 0.25], [0.25, 0.75]) == pytest.approx(-1.124670, abs=1e-6)
    assert game_value([1, 0], [0, 1]) == 0
    assert game_value([0.5, 0.5], [0.5, 0.5], [0, 0.5]) == -math.inf


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.6], [0.5, 0.5], "p must be probabilities with the sum 1"),
        ([0.5, 0.5], [1.5, -0.5], "q must be probabilities with the sum 1"),
        ([0.5, 0.5], [1.0], r"q must have shape \(2,\), got \(1,\)"),
        ([[1.0]], [[1.0]], r"p must have shape \(n,\), got \(1, 1\)"),
        ([math.nan, 1], [0, 1], "p must not contain NaN"),
        ([], [], "p must be probabilities"),
    ],
)
def test_distributions_are_checked(p, q, message):
    for function in (best_discriminator, game_value):
        with pytest.raises(ValueError, match=message):
            function(p, q)


def test_answers_are_checked():
    with pytest.raises(ValueError, match="d must lie between 0 and 1"):
        game_value([1, 0], [1, 0], [1.5, 0])
    with pytest.raises(ValueError, match=r"d must have shape \(2,\), got \(3,\)"):
        game_value([1, 0], [1, 0], [0.5, 0.5, 0.5])


# --- training ------------------------------------------------------------------------------------


def play(seed=0, network_seed=0, **options):
    torch.manual_seed(network_seed)
    generator = Generator(3, 2, hidden=(7,))
    discriminator = Discriminator(2, hidden=(7,), sees_spread=options.pop("sees_spread", False))
    data = torch.randn(29, 2, generator=torch.Generator().manual_seed(5)) + 2
    history = train_gan(generator, discriminator, data, **{"steps": 11} | options, seed=seed)
    return history, generator.sample(5, seed=0)


@pytest.mark.parametrize("options", [{}, {"noise": 0.3}, {"sees_spread": True, "batch_size": 2}])
def test_training_follows_its_seed(options):
    before = torch.random.get_rng_state()
    (history, samples), (again, same) = play(**options), play(**options)
    assert history.shape == (11, 2)
    np.testing.assert_array_equal(history, again)
    assert torch.equal(samples, same)
    assert not np.array_equal(play(seed=1, **options)[0], history)
    torch.random.set_rng_state(before)


def test_training_draws_nothing_from_the_global_generator():
    torch.manual_seed(3)
    generator, discriminator = Generator(3, 2), Discriminator(2)
    state = torch.random.get_rng_state()
    train_gan(generator, discriminator, torch.randn(5, 2, generator=torch.Generator()), steps=2)
    assert torch.equal(state, torch.random.get_rng_state())


def test_options_change_the_game():
    plain = play()[0]
    for options in (
        {"noise": 0.1},
        {"loss": "minimax"},
        {"learning_rate": 0.01},
        {"discriminator_learning_rate": 0.01},
        {"batch_size": 7},
    ):
        assert not np.allclose(play(**options)[0], plain)


def test_the_generator_learns_where_the_data_lie():
    torch.manual_seed(0)
    generator, discriminator = Generator(3, 2, hidden=(17,)), Discriminator(2, hidden=(17,))
    data = torch.randn(101, 2, generator=torch.Generator().manual_seed(5)) + 2
    distances = [(generator.sample(500, seed=0).mean(dim=0) - 2).norm().item()]
    train_gan(generator, discriminator, data, steps=500, learning_rate=2e-3, noise=0.5)
    distances.append((generator.sample(500, seed=0).mean(dim=0) - 2).norm().item())
    assert distances[0] > 2
    assert distances[1] < 1


def test_one_sample_and_batches_of_one_are_enough():
    history = train_gan(Generator(1, 1), Discriminator(1), torch.ones(1, 1), steps=1, batch_size=1)
    assert history.shape == (1, 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"data": torch.zeros(0, 2)}, ValueError, r"data must have the shape .* got \(0, 2\)"),
        ({"data": torch.full((3, 2), math.nan)}, ValueError, "data must be finite, got nan"),
        ({"data": torch.zeros(3, 5)}, ValueError, r"data must have the shape \(N, 2\)"),
        ({"steps": 0}, ValueError, "steps must be 1 or more, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be 1 or more, got 0"),
        ({"learning_rate": 0}, ValueError, "learning_rate must lie between 0 and 1e"),
        ({"discriminator_learning_rate": -1}, ValueError, "discriminator_learning_rate must lie"),
        ({"noise": -1}, ValueError, "noise must be 0 or more, got -1"),
        ({"loss": "mse"}, ValueError, "loss must be 'non-saturating' or 'minimax', got 'mse'"),
        ({"seed": 0.5}, TypeError, "seed must be an integer, got 0.5"),
        ({"generator": Discriminator(2)}, TypeError, "generator must be a Generator, got Discrim"),
        ({"discriminator": None}, TypeError, "discriminator must be a Discriminator, got NoneType"),
        ({"generator": Generator(3, 5)}, ValueError, "generator must make samples of 2 numbers"),
        (
            {"discriminator": Discriminator(2, sees_spread=True), "batch_size": 1},
            ValueError,
            "batch_size must be 2 or more, got 1",
        ),
        (
            {"learning_rate": 1e29, "steps": 50},
            ValueError,
            "became NaN or infinite in step",
        ),
    ],
)
def test_training_refuses_mistakes(options, error, message):
    arguments = {"generator": Generator(3, 2), "discriminator": Discriminator(2)}
    arguments |= {"data": torch.ones(3, 2), "steps": 2} | options
    with pytest.raises(error, match=message):
        train_gan(**arguments)
