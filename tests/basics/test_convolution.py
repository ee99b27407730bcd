"""Convolution: numbers worked out, PyTorch as twin, slow code as judge, properties, misuse."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from companion.basics import convolution
from companion.basics.convolution import (
    ConvNet,
    conv2d,
    conv2d_by_loops,
    max_pool2d,
    output_size,
    receptive_field,
)

CONVOLUTIONS = [conv2d, conv2d_by_loops]
SETTINGS = [
    {},
    {"stride": 2},
    {"padding": 1},
    {"stride": 3, "padding": 2},
    {"stride": (2, 3), "padding": (1, 2)},
    {"stride": (3, 1), "padding": (0, 3)},
]


def random(*shape, seed=0, learn=False):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return x.requires_grad_(learn)


# Numbers.


@pytest.mark.parametrize("function", CONVOLUTIONS)
def test_an_edge_by_hand(function):
    picture = torch.zeros(1, 1, 6, 6)
    picture[..., 2:, 2:] = 9
    edge = torch.tensor([[[[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]]]])
    expected = [[9, 9, 0, 0], [18, 18, 0, 0], [27, 27, 0, 0], [27, 27, 0, 0]]
    assert function(picture, edge)[0, 0].tolist() == expected


@pytest.mark.parametrize("function", CONVOLUTIONS)
def test_nothing_is_flipped(function):
    row, kernel = torch.tensor([0.0, 0, 1, 0, 0]), torch.tensor([1.0, 2, 3])
    result = function(row[None, None, None], kernel[None, None, None])
    assert result[0, 0, 0].tolist() == [3, 2, 1]
    assert np.correlate(row.numpy(), kernel.numpy()).tolist() == [3, 2, 1]


def test_pooling_has_no_parameters_and_quarters_the_map():  # E19
    small = torch.tensor([[1.0, 3, 0, 0], [2, 4, 0, 5], [0, 0, 7, 1], [6, 0, 2, 2]])
    assert max_pool2d(small[None, None])[0, 0].tolist() == [[4, 5], [6, 7]]


def test_number_of_parameters():  # E19
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    network = ConvNet((8, 16), image_size=12)
    assert count(network.convolutions[0]) == 80
    assert count(network) == 80 + 1168 + 1450
    assert count(ConvNet((32,), kernel_size=7)) == 1600 + 330
    assert count(ConvNet((2,), kernel_size=1, n_classes=3, in_channels=5)) == 12 + 9


def test_receptive_field_numbers():  # E20
    doubling = [1, 2, 4, 8, 16]
    fields = [receptive_field([3] * n) for n in range(1, 6)]
    assert fields == [3, 5, 7, 9, 11]
    fields = [receptive_field([3] * n, dilations=doubling[:n]) for n in range(1, 6)]
    assert fields == [3, 7, 15, 31, 63]
    assert receptive_field([3, 2, 3, 2], strides=[1, 2, 1, 2]) == 10
    assert receptive_field([]) == 1


def test_a_gradient_counts_the_windows_of_a_pixel():
    x = torch.zeros(1, 1, 4, 5, requires_grad=True)
    conv2d(x, torch.ones(1, 1, 3, 3)).sum().backward()
    assert x.grad is not None
    assert x.grad[0, 0].tolist() == [
        [1, 2, 3, 2, 1],
        [2, 4, 6, 4, 2],
        [2, 4, 6, 4, 2],
        [1, 2, 3, 2, 1],
    ]


# Twins.


@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("function", CONVOLUTIONS)
def test_convolution_equals_torch(function, with_bias, options: dict[str, Any]):
    tensors = [random(2, 3, 11, 13, learn=True), random(5, 3, 7, 3, seed=1, learn=True)]
    if with_bias:
        tensors.append(random(5, seed=2, learn=True))
    reference: Any = functional.conv2d
    ours, theirs = function(*tensors, **options), reference(*tensors, **options)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    uphill = random(*ours.shape, seed=3)
    for mine, its in zip(
        torch.autograd.grad(ours, tensors, uphill),
        torch.autograd.grad(theirs, tensors, uphill),
        strict=True,
    ):
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3, (2, 3), (5, 1)])
@pytest.mark.parametrize("stride", [None, 1, (3, 2)])
def test_pooling_equals_torch(size, stride):
    x = random(2, 3, 11, 13).round().requires_grad_()  # whole numbers: many are equal
    ours, theirs = max_pool2d(x, size, stride=stride), functional.max_pool2d(x, size, stride)
    assert torch.equal(ours, theirs)
    uphill = random(*ours.shape, seed=1)
    mine, its = (torch.autograd.grad(y, x, uphill)[0] for y in (ours, theirs))
    torch.testing.assert_close(mine, its, rtol=0, atol=1e-12)


def test_second_derivatives():
    def apply(x, weight):
        return conv2d(x, weight, stride=2, padding=1)

    given_ = random(2, 1, 3, 4, learn=True), random(1, 1, 2, 3, seed=1, learn=True)
    assert torch.autograd.gradcheck(apply, given_)
    assert torch.autograd.gradgradcheck(apply, given_)


@pytest.mark.parametrize("image_size", [(11, 13), None])
def test_network_equals_torch(image_size):
    torch.manual_seed(0)
    network = ConvNet((5, 7), n_classes=3, in_channels=2, image_size=image_size).double()
    first, second = network.convolutions
    if image_size:
        middle, end = nn.MaxPool2d(2), nn.MaxPool2d(2)
    else:
        middle, end = nn.Identity(), nn.AdaptiveMaxPool2d(1)
    parts = [first, nn.ReLU(), middle, second, nn.ReLU(), end, nn.Flatten(), network.dense]
    twin = nn.Sequential(*parts)
    x = random(3, 2, 11, 13)
    results = []
    for model in (network, twin):
        loss = functional.cross_entropy(model(x), torch.tensor([0, 2, 1]))
        results.append((model(x), *torch.autograd.grad(loss, list(network.parameters()))))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_float32_stays_float32():
    x, weight = random(2, 3, 7, 5).float(), random(5, 3, 3, 3, seed=1).float()
    for function in CONVOLUTIONS:
        assert function(x, weight).dtype == torch.float32
    torch.testing.assert_close(conv2d(x, weight), functional.conv2d(x, weight))
    assert max_pool2d(x).dtype == torch.float32


# Properties.


@st.composite
def convolutions(draw):
    numbers = [draw(st.integers(1, 3)) for _ in range(3)]
    kernel = [draw(st.integers(1, 3)) for _ in range(2)]
    area = [size + draw(st.integers(0, 4)) for size in kernel]
    stride, padding = ([draw(st.integers(low, 3)) for _ in range(2)] for low in (1, 0))
    B, before, after = numbers
    whole = np.random.default_rng(draw(st.integers(0, 10**6)))
    shapes = (B, before, *area), (after, before, *kernel), (after,)
    tensors = [torch.tensor(whole.integers(-9, 10, size=shape)).double() for shape in shapes]
    return tensors, {"stride": tuple(stride), "padding": tuple(padding)}


@settings(deadline=None)
@given(convolutions())
def test_fast_equals_slow(drawn):
    tensors, options = drawn
    assert torch.equal(conv2d(*tensors, **options), conv2d_by_loops(*tensors, **options))


@given(st.integers(1, 20), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3))
def test_output_size_counts_the_places(size, kernel, stride, padding):
    starts = [i for i in range(0, size + 2 * padding, stride) if i + kernel <= size + 2 * padding]
    if starts:
        assert output_size(size, kernel, stride=stride, padding=padding) == len(starts)
    else:
        with pytest.raises(ValueError, match=f"the window of {kernel} must fit"):
            output_size(size, kernel, stride=stride, padding=padding)


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 10**6))
def test_shifting_and_convolving_commute_in_the_interior(down, right, seed):
    rng = np.random.default_rng(seed)
    x = torch.zeros(1, 2, 15, 15)
    x[..., 5:10, 5:10] = torch.tensor(rng.integers(0, 17, size=(1, 2, 5, 5)))
    weight = torch.tensor(rng.integers(-5, 6, size=(3, 2, 3, 3))).float()
    shifted = conv2d(torch.roll(x, (down, right), (2, 3)), weight)
    assert torch.equal(shifted, torch.roll(conv2d(x, weight), (down, right), (2, 3)))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), max_size=4))
def test_receptive_field_is_what_the_gradient_says(layers):
    if any(k > 1 and d > 1 and s > 1 for k, s, d in layers):
        layers = [(k, s, 1) for k, s, d in layers]  # holes would stay between the pixels seen
    kernels, strides, dilations = zip(*layers, strict=True) if layers else ((), (), ())
    expected = receptive_field(kernels, strides=strides, dilations=dilations)
    row = torch.zeros(1, 1, 1, expected, dtype=torch.float64, requires_grad=True)
    y = row
    for k, s, d in layers:
        kernel = torch.zeros(1, 1, 1, (k - 1) * d + 1, dtype=torch.float64)
        kernel[..., ::d] = 1
        y = conv2d(y, kernel, stride=(1, s))
    assert y.numel() == 1, "the row is just as long as the field"
    y.sum().backward()
    assert row.grad is not None
    seen = torch.nonzero(row.grad[0, 0, 0])
    assert seen.min() == 0
    assert seen.max() == expected - 1


def test_global_maximum_does_not_care_where():
    torch.manual_seed(0)
    network = ConvNet((4, 6), kernel_size=3).double()
    x = torch.zeros(2, 1, 17, 19, dtype=torch.float64)
    x[..., 6:10, 6:10] = random(2, 1, 4, 4)
    scores = network(x)
    for move in [(1, 0), (-2, 3), (4, 6)]:
        moved = network(torch.roll(x, move, (2, 3)))
        torch.testing.assert_close(moved, scores, rtol=0, atol=1e-12)
    assert not torch.allclose(network(2 * x), scores)


def test_classic_network_cares_where():
    torch.manual_seed(0)
    network = ConvNet((4,), image_size=12)
    x = torch.zeros(1, 1, 12, 12)
    x[..., 4:8, 4:8] = 1
    assert not torch.allclose(network(torch.roll(x, 2, 3)), network(x), atol=1e-4)


# Degenerate inputs.


def test_no_image_and_one_pixel():
    weight = random(5, 3, 3, 3)
    assert conv2d(random(0, 3, 7, 8), weight).shape == (0, 5, 5, 6)
    assert conv2d_by_loops(random(0, 3, 7, 8), weight).shape == (0, 5, 5, 6)
    assert max_pool2d(random(0, 3, 7, 8)).shape == (0, 3, 3, 4)
    assert conv2d(random(1, 3, 1, 1), weight, padding=1).shape == (1, 5, 1, 1)
    assert ConvNet((4,))(torch.zeros(0, 1, 5, 5)).shape == (0, 10)


def test_arguments_stay_as_they_were():
    tensors = [random(2, 3, 7, 5), random(5, 3, 3, 3, seed=1), random(5, seed=2)]
    before = [tensor.clone() for tensor in tensors]
    for function in CONVOLUTIONS:
        function(*tensors, padding=1)
    max_pool2d(tensors[0])
    assert all(torch.equal(new, old) for new, old in zip(tensors, before, strict=True))


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert wrong.output_size(np.int64(8), np.int32(3)) == 6
    assert isinstance(wrong.receptive_field(np.array([3, 3])), int)


# Misuse.

X, W, bias = torch.zeros(2, 3, 7, 5), torch.zeros(4, 3, 3, 3), torch.zeros(4)
wrong: Any = convolution  # untyped: a type checker would refuse these calls, too


@pytest.mark.parametrize("name", ["conv2d", "conv2d_by_loops"])
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((np.zeros((2, 3, 7, 5)), W), {}, TypeError, "x must be a Tensor of .* got ndarray"),
        ((X.int(), W), {}, TypeError, "x must be a Tensor of floating.* got torch.int32"),
        ((X[0], W), {}, ValueError, r"x must have the shape \(B, .* got \(3, 7, 5\)"),
        ((X[:, :0], W), {}, ValueError, r"weight must have the shape \(out_channels, 0, .* got"),
        ((X + math.nan, W), {}, ValueError, "x must be finite, got nan"),
        ((X + math.inf, W), {}, ValueError, "x must be finite, got inf"),
        ((X, [1.0]), {}, TypeError, "weight must be a Tensor of torch.float32, got list"),
        ((X, W[0]), {}, ValueError, r"weight must have the shape .* got \(3, 3, 3\)"),
        ((X, W - math.inf), {}, ValueError, "weight must be finite, got -inf"),
        ((X, W[:, :2]), {}, ValueError, r"weight must have .*\(out_channels, 3, .* got \(4, 2"),
        (
            (X, W.double()),
            {},
            TypeError,
            "weight must be a Tensor of torch.float32, got torch.float64",
        ),
        ((X, W, bias[:3]), {}, ValueError, r"bias must have the shape \(4,\), got \(3,\)"),
        ((X, W, 0.5), {}, TypeError, "bias must be a Tensor of torch.float32, got float"),
        (
            (X, W, bias.double()),
            {},
            TypeError,
            "bias must be a Tensor of torch.float32, got torch.float64",
        ),
        ((X, W, bias + math.nan), {}, ValueError, "bias must be finite, got nan"),
        ((X, W), {"stride": 0}, ValueError, "stride must be 1 or more, got 0"),
        ((X, W), {"stride": 1.0}, TypeError, "stride must be an integer, got 1.0"),
        ((X, W), {"stride": (1, 2, 3)}, TypeError, r"stride must be an integer, got \(1, 2, 3\)"),
        ((X, W), {"padding": -1}, ValueError, "padding must be 0 or more, got -1"),
        ((X, W), {"padding": True}, TypeError, "padding must be an integer, got True"),
        ((X[..., :2], W), {}, ValueError, "the window of 3 must fit into the padded image of 2"),
    ],
)
def test_convolution_refuses(name, arguments, options, error, message):
    with pytest.raises(error, match=message):
        getattr(wrong, name)(*arguments, **options)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: wrong.max_pool2d(X, 6), ValueError, "the window of 6 must fit into .* of 5"),
        (lambda: wrong.max_pool2d(X, 0), ValueError, "size must be 1 or more, got 0"),
        (lambda: wrong.max_pool2d(X, stride=0), ValueError, "stride must be 1 or more, got 0"),
        (lambda: wrong.max_pool2d(X[0]), ValueError, "x must have the shape"),
        (lambda: wrong.max_pool2d(X + math.nan), ValueError, "x must be finite, got nan"),
        (lambda: wrong.output_size(0, 1), ValueError, "size must be 1 or more, got 0"),
        (lambda: wrong.output_size(3, 0), ValueError, "kernel_size must be 1 or more, got 0"),
        (lambda: wrong.output_size(3.0, 1), TypeError, "size must be an integer, got 3.0"),
        (lambda: wrong.receptive_field([3, 0]), ValueError, "kernel_sizes must be 1 or more"),
        (
            lambda: wrong.receptive_field([3, 3], strides=[1]),
            ValueError,
            "strides must have a number for each of 2 layers, got 1",
        ),
        (
            lambda: wrong.receptive_field([3], dilations=[0]),
            ValueError,
            "dilations must be 1 or more, got 0",
        ),
        (
            lambda: wrong.ConvNet(()),
            ValueError,
            r"channels must be a .* of 1 or more integers, got \(\)",
        ),
        (lambda: wrong.ConvNet(8), TypeError, "channels must be a sequence .*, got 8"),
        (lambda: wrong.ConvNet((8, 0)), ValueError, "channels must be 1 or more, got 0"),
        (lambda: wrong.ConvNet((8,), kernel_size=4), ValueError, "kernel_size must be odd, got 4"),
        (lambda: wrong.ConvNet((8,), n_classes=0), ValueError, "n_classes must be 1 or more"),
        (lambda: wrong.ConvNet((8,), in_channels=0), ValueError, "in_channels must be 1 or more"),
        (
            lambda: wrong.ConvNet((8, 8), image_size=(12, 3)),
            ValueError,
            r"image_size must be 4 or more, got \(12, 3\)",
        ),
        (
            lambda: wrong.ConvNet((8,), image_size=12)(torch.zeros(1, 1, 12, 13)),
            ValueError,
            r"x must have the shape \(B, 1, 12, 12\), got \(1, 1, 12, 13\)",
        ),
        (
            lambda: wrong.ConvNet((8,))(torch.zeros(1, 3, 12, 12)),
            ValueError,
            r"x must have the shape \(B, 1, height, width\), got \(1, 3, 12, 12\)",
        ),
    ],
)
def test_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_every_start_lies_inside_for_all_small_sizes():
    for size, kernel, stride in product(range(1, 9), range(1, 9), range(1, 4)):
        if kernel <= size:
            places = output_size(size, kernel, stride=stride)
            last = (places - 1) * stride + kernel
            assert last <= size < last + stride
