"""Tests of companion.transformer.blocks.layers."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from companion.transformer.blocks import (
    FeedForward,
    GatedFeedForward,
    LayerNorm,
    RMSNorm,
    layer_norm,
    rms_norm,
)

from ...twins import F64, close, disturb, draw

B, T, D, HIDDEN = 2, 5, 33, 13
BOTH_ACTIVATIONS = pytest.mark.parametrize("activation", ["relu", "gelu"])


# --- layer normalisation -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(B, T, D), (T, D), (D,), (0, T, D), (1, 1, D), (2, 3, 5, D)])
@pytest.mark.parametrize("eps", [1e-5, 1e-12, 0.5])
def test_layer_norm_is_that_of_pytorch(shape, eps):
    ours, twin = LayerNorm(D, eps).double(), nn.LayerNorm(D, eps).double()
    disturb(ours)
    twin.load_state_dict(ours.state_dict(), strict=True)
    x, gradient = draw(*shape).requires_grad_(), draw(*shape, seed=2)
    y, expected = ours(x), twin(x)
    close(y, expected)
    got = torch.autograd.grad(y, [x, *ours.parameters()], gradient)
    wanted = torch.autograd.grad(expected, [x, *twin.parameters()], gradient)
    for one, other in zip(got, wanted, strict=True):
        close(one, other, 1e-11)


def test_layer_norm_gradient_against_finite_differences():
    ours = LayerNorm(7).double()
    disturb(ours)
    x = draw(3, 7).requires_grad_()
    weight, bias = ours.weight.detach().requires_grad_(), ours.bias.detach().requires_grad_()

    def call(x, weight, bias):
        return torch.func.functional_call(ours, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(call, (x, weight, bias))


def test_layer_norm_of_the_documents():
    row = torch.tensor([1.0, 2.0, 3.0], dtype=F64)
    ours = LayerNorm(3, eps=0).double()
    close(
        ours(row).detach(), torch.tensor([-1.5, 0, 1.5], dtype=F64).sqrt().nan_to_num(-(1.5**0.5))
    )
    assert LayerNorm(3).double()(row)[2].item() == pytest.approx(1.224736, abs=1e-6)
    assert torch.equal(LayerNorm(3)(torch.ones(3)), torch.zeros(3))


@given(st.floats(0.1, 10), st.floats(-10, 10), st.integers(0, 99))
def test_layer_norm_ignores_scale_and_shift(scale, shift, seed):
    x = draw(3, 11, seed=seed)
    ours = LayerNorm(11, eps=0).double()
    close(ours(scale * x + shift), ours(x), 1e-9)
    y = ours(x)
    close(y.mean(dim=-1), torch.zeros(3, dtype=F64))
    close(y.var(dim=-1, correction=0), torch.ones(3, dtype=F64))


def test_layer_norm_sees_one_token_only():
    ours, x = LayerNorm(D).double(), draw(B, T, D)
    for b in range(B):
        for t in range(T):
            close(ours(x)[b, t], ours(x[b, t]), 1e-14)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_layer_norm_in_other_types(dtype):
    x = (300 + 30 * draw(3, 257)).to(dtype)  # the sum of squares exceeds the range of float16
    ours, twin = LayerNorm(257).to(dtype), nn.LayerNorm(257).to(dtype)
    assert ours(x).dtype == dtype
    tolerance = max(4 * torch.finfo(dtype).eps, 1e-5)
    torch.testing.assert_close(ours(x), twin(x), rtol=tolerance, atol=tolerance)


def test_layer_norm_with_frozen_weights_and_without_gradients():
    ours, x = LayerNorm(D).double(), draw(T, D).requires_grad_()
    ours.requires_grad_(False)
    ours(x).square().sum().backward()
    assert x.grad is not None
    with torch.no_grad():
        assert not ours(x).requires_grad


def test_second_derivatives_of_layer_norm():
    """A gradient penalty: the slope of y by x is itself trained (bug reports call it WGAN-GP)."""
    x = torch.tensor([[1.0, 2.0, 4.0]], dtype=F64, requires_grad=True)
    found = []
    for kind in (LayerNorm, nn.LayerNorm):
        torch.manual_seed(0)
        W = torch.randn(3, 3, dtype=F64, requires_grad=True)
        y = kind(3).double()(x @ W.T)
        (slope,) = torch.autograd.grad(y[:, 0].sum(), x, create_graph=True)
        slope.pow(2).sum().backward()
        found.append(W.grad)
    assert found[1].abs().min() > 1e-3
    close(found[0], found[1], 1e-10)
    layer, x = LayerNorm(7).double(), draw(3, 7).requires_grad_()
    assert torch.autograd.gradgradcheck(layer, (x,))


# PyTorch's own forward mode compiles something with its deprecated torch.jit.script.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_layer_norm_can_be_mapped_and_pushed_forward():
    layer, x, slope = LayerNorm(7).double(), draw(3, 7), draw(3, 7, seed=1)
    close(torch.func.vmap(layer)(x), layer(x))
    _, got = torch.func.jvp(layer, (x,), (slope,))
    step = 1e-6
    close(got, (layer(x + step * slope) - layer(x - step * slope)) / (2 * step), 1e-7)


def test_a_blow_up_is_seen():
    row = torch.tensor([[1e20, 2e20, 3e20]])  # the squares are no float32
    assert torch.isnan(nn.LayerNorm(3)(row)).all()
    assert torch.isnan(LayerNorm(3)(row)).all()
    assert torch.isnan(LayerNorm(3)(torch.tensor([1.0, torch.inf, 3.0]))).any()


def test_layer_norm_is_its_formula():
    layer, x = LayerNorm(D).double(), draw(B, T, D)
    disturb(layer)
    close(layer(x), layer_norm(x, layer.weight, layer.bias, layer.eps))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm])
def test_narrow_inputs_go_through_wide_weights_and_not_the_other_way(kind, dtype):
    layer, x = kind(D), draw(T, D).to(dtype)
    y = layer(x)
    assert y.dtype == dtype
    close(y, layer(x.float()).to(dtype), 0)
    with pytest.raises(TypeError, match=r"x must be torch\.float32, as weight is, or narrower"):
        layer(x.double())
    with pytest.raises(TypeError, match=r"x must be torch\.(b?)float16, as weight is"):
        layer.to(dtype)(x.float())


# --- root-mean-square normalisation --------------------------------------------------------------


@pytest.mark.parametrize("shape", [(B, T, D), (D,), (0, T, D)])
@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_rms_norm_is_that_of_pytorch_and_its_formula(shape, eps):
    ours, twin = RMSNorm(D, eps).double(), nn.RMSNorm(D, eps).double()
    disturb(ours)
    twin.load_state_dict(ours.state_dict(), strict=True)
    x, gradient = draw(*shape).requires_grad_(), draw(*shape, seed=2)
    y, expected = ours(x), twin(x)
    close(y, expected)
    close(y, rms_norm(x, ours.weight, eps))
    got = torch.autograd.grad(y, [x, ours.weight], gradient)
    wanted = torch.autograd.grad(expected, [x, twin.weight], gradient)
    for one, other in zip(got, wanted, strict=True):
        close(one, other, 1e-11)


def test_rms_norm_by_hand():
    # The mean square of 3 and 4 is 12.5.
    row = RMSNorm(2, eps=0.0).double()(torch.tensor([3.0, 4.0], dtype=F64))
    close(row.detach(), torch.tensor([3.0, 4.0], dtype=F64) / 12.5**0.5)
    assert repr(RMSNorm(3, 1e-6)) == "RMSNorm(3, eps=1e-06)"
    with pytest.raises(ValueError, match="eps must be"):
        RMSNorm(3, eps=-1.0)
    with pytest.raises(ValueError, match=r"x must have the shape \(\.\.\., 3\), got \(2,\)"):
        RMSNorm(3)(torch.zeros(2))


def test_layer_norm_under_autocast():
    x = draw(T, D, dtype=torch.float32)
    layers = nn.Sequential(nn.Linear(D, D), LayerNorm(D))
    with torch.autocast("cpu", torch.bfloat16):
        y = layers(x)
    torch.testing.assert_close(y.float(), layers(x), rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(2, 3), ValueError, r"x must have the shape \(\.\.\., 33\), got \(2, 3\)"),
        (torch.tensor(1.0), ValueError, r"x must have the shape \(\.\.\., 33\), got \(\)"),
        (torch.zeros(2, D).long(), TypeError, "x must be a Tensor of .*, got torch.int64"),
        ([1.0], TypeError, "x must be a Tensor of floating-point numbers, got list"),
    ],
)
def test_layer_norm_refuses(x, error, message):
    with pytest.raises(error, match=message):
        LayerNorm(D)(x)


def test_layer_norm_refuses_settings():
    with pytest.raises(ValueError, match="d_model must be 1 or more, got 0"):
        LayerNorm(0)
    with pytest.raises(ValueError, match="eps must be"):
        LayerNorm(3, eps=-1e-5)
    with pytest.raises(TypeError, match="eps must be a number, got '1e-5'"):
        LayerNorm(3, eps="1e-5")  # type: ignore[arg-type]
    assert repr(LayerNorm(3, 1e-12)) == "LayerNorm(3, eps=1e-12)"


# --- feed-forward --------------------------------------------------------------------------------


@BOTH_ACTIVATIONS
def test_feed_forward_by_hand(activation):
    network, x = FeedForward(D, HIDDEN, activation=activation).double(), draw(B, T, D)
    z = x @ network.inner.weight.T + network.inner.bias
    below = (1 + torch.erf(z / math.sqrt(2))) / 2  # of a standard normal distribution
    hidden = z.clamp(min=0) if activation == "relu" else z * below
    close(network(x), hidden @ network.outer.weight.T + network.outer.bias)


def test_feed_forward_sizes_of_the_paper():
    assert sum(p.numel() for p in FeedForward(512, 2048).parameters()) == 2_099_712
    assert FeedForward(512).inner.out_features == 2048
    assert sum(p.numel() for p in FeedForward(5, 7, bias=False).parameters()) == 70


def test_feed_forward_sees_one_token_only():
    network, x = FeedForward(D, HIDDEN).double(), draw(B, T, D)
    for b in range(B):
        for t in range(T):
            close(network(x)[b, t], network(x[b, t]), 1e-14)


def test_feed_forward_drops_hidden_numbers_in_training_only():
    torch.manual_seed(0)
    network = FeedForward(3, 1000, activation=torch.ones_like, dropout=0.25)
    network.outer = nn.Identity()
    y = network(torch.zeros(3))
    assert set(y.tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert 0.15 < (y == 0).float().mean() < 0.35
    assert torch.equal(network.eval()(torch.zeros(3)), torch.ones(1000))


def test_feed_forward_takes_any_function():
    close(
        FeedForward(3, 5, activation=torch.tanh).activation(draw(4)),
        draw(4).tanh(),
    )
    approximate = partial(functional.gelu, approximate="tanh")
    assert FeedForward(3, 5, activation=approximate).activation is approximate


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0,), {}, ValueError, "d_model must be 1 or more, got 0"),
        ((3, 0), {}, ValueError, "d_hidden must be 1 or more, got 0"),
        ((3, 2.5), {}, TypeError, "d_hidden must be an integer, got 2.5"),
        ((3,), {"activation": "swish"}, ValueError, "must be 'relu' or 'gelu' or .*, got 'swish'"),
        ((3,), {"dropout": 1}, ValueError, "dropout must be"),
        ((3,), {"dropout": -0.1}, ValueError, "dropout must be"),
        ((3,), {"dropout": float("nan")}, ValueError, "dropout must be"),
        ((3,), {"dropout": True}, TypeError, "dropout must be a number, got True"),
    ],
)
def test_feed_forward_refuses(arguments, options, error, message):
    with pytest.raises(error, match=message):
        FeedForward(*arguments, **options)


def test_activations_by_their_formulas():
    z = draw(50)
    inside = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
    close(FeedForward(3, activation="gelu_tanh").activation(z), z * (1 + inside.tanh()) / 2)
    close(FeedForward(3, activation="silu").activation(z), z / (1 + (-z).exp()))


def test_a_gated_network_by_hand():
    network, x = GatedFeedForward(D, HIDDEN).double(), draw(B, T, D)
    assert sorted(name for name, _ in network.named_parameters()) == [
        "gate.weight",
        "inner.weight",
        "outer.weight",
    ]
    gate, inner = x @ network.gate.weight.T, x @ network.inner.weight.T
    close(network(x), (gate * gate.sigmoid() * inner) @ network.outer.weight.T)
    full = GatedFeedForward(D, HIDDEN, activation="gelu", bias=True, dropout=0.5)
    assert len(list(full.parameters())) == 6
    assert full.dropout.p == 0.5
    assert full.activation is functional.gelu
