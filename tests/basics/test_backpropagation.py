"""Automatic differentiation: numbers by hand, PyTorch as twin, deep graphs, misuse."""

import gc
import math
import time
import weakref
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch.nn import functional

from companion.basics.backpropagation import Tensor, Value, cross_entropy, softmax
from companion.basics.networks import MLP

INDEX = np.array([4, 0, 0, 2, 1])  # 0 is taken twice
MASK = np.array([True, False, True, True, False])
OFFSETS = np.random.default_rng(99).normal(size=(3, 5))


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def compare(ours, theirs, *arrays, dtype=np.float64, tolerance=1e-10):
    """Check values and gradients of a function of tensors against torch, from a random gradient."""
    tensors = [Tensor(array.astype(dtype)) for array in arrays]
    twins = [torch.tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    y, t = ours(*tensors), theirs(*twins)
    assert y.shape == tuple(t.shape)
    assert y.data.dtype == t.detach().numpy().dtype
    np.testing.assert_allclose(y.data, t.detach(), rtol=tolerance, atol=tolerance)
    gradient = normal(*y.shape, seed=7, dtype=dtype)
    y.backward(gradient)
    t.backward(torch.tensor(gradient))
    for tensor, twin in zip(tensors, twins, strict=True):
        assert tensor.grad is not None
        assert tensor.grad.dtype == dtype
        np.testing.assert_allclose(tensor.grad, twin.grad, rtol=tolerance, atol=tolerance)


# Numbers by hand.


def test_one_neuron_by_hand():
    """x = 2, w = 0.5, b = -1, target 1: the sum is 0, tanh 0, the error -1, its square 1."""
    for kind in (Value, Tensor):
        x, w, b = kind(2.0), kind(0.5), kind(-1.0)
        error = (w * x + b).tanh() - 1.0
        loss = error * error
        loss.backward()
        assert (loss.data, w.grad, b.grad, x.grad) == (1, -4, -2, -1)


def test_two_layers_by_hand():
    """Nothing but products: y = v tanh(0) + u x, so the slopes are products of the others."""
    for kind in (Value, Tensor):
        x, w, v = kind(3.0), kind(0.0), kind(5.0)
        y = v * (w * x).tanh()
        y.backward()
        assert (y.data, v.grad, w.grad, x.grad) == (0, 0, 15, 0)


def test_gradients_of_a_value_used_twice_add_up():
    for kind in (Value, Tensor):
        x = kind(3.0)
        y = x * x + x
        y.backward()
        assert (y.data, x.grad) == (12, 7)


def test_every_path_counts():
    for kind in (Value, Tensor):
        x = y = kind(1.0)
        for _ in range(30):
            y = y + y
        y.backward()  # 2 to the 30 paths, 31 nodes
        assert x.grad == 2**30


# Twins.

OPERATIONS = {
    "add": (lambda x, y: x + y, None),
    "subtract": (lambda x, y: x - y, None),
    "multiply": (lambda x, y: x * y, None),
    "divide": (lambda x, y: x / (y * y + 1.0), None),
    "negative": (lambda x, y: -x * y, None),
    "constants on the left": (lambda x, y: (2 - x) * (3 / (y * y + 1)) + 4 * x, None),
    "power 2": (lambda x, y: x**2 * y, None),
    "power 3": (lambda x, y: x**3 + y, None),
    "power 0": (lambda x, y: x**0 + y, None),
    "power -1.5": (lambda x, y: (x * x + 1) ** -1.5 * y, None),
    "matrix product": (lambda x, y: (x * y) @ (x + y).T, None),
    "exp": (lambda x, y: (x * y).exp(), None),
    "log": (lambda x, y: (x * x + 0.1).log() * y, None),
    "tanh": (lambda x, y: (x * y).tanh(), None),
    "sigmoid": (lambda x, y: (x * y).sigmoid(), None),
    "relu": (lambda x, y: (x * y).relu(), None),
    "sum": (lambda x, y: (x * y).sum(), None),
    "sum 0": (lambda x, y: (x * y).sum(0), None),
    "sum -1 keepdims": (
        lambda x, y: (x * y).sum(axis=-1, keepdims=True),
        lambda x, y: (x * y).sum(dim=-1, keepdim=True),
    ),
    "sum of both": (lambda x, y: (x * y).sum((1, 0)), None),
    "mean": (lambda x, y: (x * y).mean(), None),
    "mean 1": (lambda x, y: (x * y).mean(1), None),
    "max": (lambda x, y: (x * y).max(), None),
    "max 1": (lambda x, y: (x * y).max(1), lambda x, y: (x * y).amax(1)),
    "max 0 keepdims": (
        lambda x, y: (x * y).max(0, keepdims=True),
        lambda x, y: (x * y).amax(0, keepdim=True),
    ),
    "reshape": (lambda x, y: (x * y).reshape(5, 3) * 2, None),
    "reshape tuple": (lambda x, y: (x * y).reshape((-1,)), None),
    "transpose": (lambda x, y: (x * y).transpose(1, 0), None),
    "T": (lambda x, y: (x * y).T, None),
    "index": (lambda x, y: (x * y)[1], None),
    "slice": (lambda x, y: (x * y)[:, 1:4:2], None),
    "new axis": (lambda x, y: (x * y)[None, ..., 0], None),
    "repeated index": (lambda x, y: (x * y)[:, INDEX], None),
    "list": (lambda x, y: (x * y)[[2, 0, 2]], None),
    "pairs": (lambda x, y: (x * y)[[0, 1, 1], [4, 3, 3]], None),
    "mask": (lambda x, y: (x * y)[:, MASK], None),
    "softmax": (lambda x, y: softmax(x * y), lambda x, y: torch.softmax(x * y, -1)),
    "softmax 0": (lambda x, y: softmax(x * y, 0), lambda x, y: torch.softmax(x * y, 0)),
    "cross-entropy": (
        lambda x, y: cross_entropy(x * y, [4, 0, 4]),
        lambda x, y: functional.cross_entropy(x * y, torch.tensor([4, 0, 4])),
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("shape", [(3, 5), (5,), (3, 1), (1, 1), ()])
def test_operation_equals_torch(name, shape):
    ours, theirs = OPERATIONS[name]
    theirs = theirs or ours
    x, y = normal(3, 5, seed=1), normal(*shape, seed=2)
    compare(ours, theirs, x, y)
    compare(ours, theirs, x, y, dtype=np.float32, tolerance=1e-4)


@pytest.mark.parametrize(
    "shapes",
    [
        ((3,), (3,)),
        ((3,), (3, 5)),
        ((7, 3), (3,)),
        ((7, 3), (3, 5)),
        ((2, 7, 3), (3,)),
        ((3,), (2, 3, 5)),
        ((2, 7, 3), (3, 5)),
        ((7, 3), (2, 3, 5)),
        ((2, 7, 3), (2, 3, 5)),
        ((11, 1, 7, 3), (2, 3, 5)),
        ((0, 3), (3, 5)),
    ],
)
def test_matrix_product_equals_torch(shapes):
    a, b = (normal(*shape, seed=seed) for seed, shape in enumerate(shapes))
    compare(lambda x, y: x @ y, lambda x, y: x @ y, a, b)
    compare(lambda x: x @ b, lambda x: x @ torch.tensor(b), a)
    compare(lambda y: a @ y, lambda y: torch.tensor(a) @ y, b)


@pytest.mark.parametrize("axes", [(), (2, 0, 1), (-1, 0, -2), (0, 1, 2)])
def test_transpose_of_three_axes(axes):
    order = axes or (2, 1, 0)
    compare(lambda x: x.transpose(*axes) * 2, lambda x: x.permute(order) * 2, normal(2, 3, 5))


def test_sum_over_the_middle_of_three_axes():
    compare(lambda x: x.sum((0, 2)), lambda x: x.sum((0, 2)), normal(2, 3, 5))
    compare(lambda x: x.max((0, 2)), lambda x: x.amax((0, 2)), normal(2, 3, 5))


# Each step takes one or two earlier results and keeps shapes that can be broadcast to (3, 5).
# Offsets keep entries from being equal, or 0, where max and relu have no slope.
ONE = [
    (lambda x: x.tanh(),) * 2,
    (lambda x: x.sigmoid(),) * 2,
    (lambda x: x.tanh().exp(),) * 2,
    (lambda x: (x * x + 1).log(),) * 2,
    (lambda x: (x * x + 1) ** -0.5,) * 2,
    (lambda x: (-x).tanh() ** 3,) * 2,
    (lambda x: (x.tanh() + OFFSETS).relu(), lambda x: (x.tanh() + torch.tensor(OFFSETS)).relu()),
    (
        lambda x: (x.tanh() + OFFSETS).max(1, keepdims=True),
        lambda x: (x.tanh() + torch.tensor(OFFSETS)).amax(1, keepdim=True),
    ),
    (lambda x: x.mean(),) * 2,
    (lambda x: (x.tanh() * OFFSETS).sum(0), lambda x: (x.tanh() * torch.tensor(OFFSETS)).sum(0)),
    (lambda x: x.reshape(-1).reshape(x.shape),) * 2,
    (
        lambda x: (x.tanh() + OFFSETS)[:, INDEX],
        lambda x: (x.tanh() + torch.tensor(OFFSETS))[:, INDEX],
    ),
    (
        lambda x: softmax(x.tanh() + OFFSETS),
        lambda x: (x.tanh() + torch.tensor(OFFSETS)).softmax(-1),
    ),
]
TWO = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x.tanh() * y,
    lambda x, y: x / (y * y + 1),
    lambda x, y: (x + y) @ (x - y).T @ (x * y).tanh() if len((x + y).shape) == 2 else x * 2 - y,
]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_random_graphs_equal_torch(data):
    seed = data.draw(st.integers(0, 10**6))
    shapes = st.sampled_from([(), (5,), (1, 5), (3, 1), (3, 5)])
    arrays = [
        normal(*s, seed=seed + i)
        for i, s in enumerate(data.draw(st.lists(shapes, min_size=1, max_size=4)))
    ]
    leaves = [Tensor(array) for array in arrays]
    twins = [torch.tensor(array, requires_grad=True) for array in arrays]
    ours: list = list(leaves)
    theirs: list = list(twins)
    for _ in range(data.draw(st.integers(1, 8))):
        i, j = (data.draw(st.integers(0, len(ours) - 1)) for _ in range(2))
        if data.draw(st.booleans()):
            left, right = data.draw(st.sampled_from(ONE))
            new, twin = left(ours[i]), right(theirs[i])
        else:
            both = data.draw(st.sampled_from(TWO))
            new, twin = both(ours[i], ours[j]), both(theirs[i], theirs[j])
        ours.append(new.tanh() if abs(new.data).max() > 10 else new)
        theirs.append(twin.tanh() if abs(new.data).max() > 10 else twin)
    for node, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(node.data, twin.detach(), rtol=1e-10, atol=1e-10)
    sum((node.sum() for node in ours), Tensor(0.0)).backward()
    sum(twin.sum() for twin in theirs).backward()
    for leaf, twin in zip(leaves, twins, strict=True):
        np.testing.assert_allclose(leaf.grad, twin.grad, rtol=1e-10, atol=1e-10)


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
def test_cross_entropy_equals_torch(seed, N, n_classes):
    targets = np.random.default_rng(seed).integers(0, n_classes, size=N)
    compare(
        lambda z: cross_entropy(z, targets),
        lambda z: functional.cross_entropy(z, torch.tensor(targets)),
        10 * normal(N, n_classes, seed=seed),
    )


def test_slopes_by_nudging():
    """Central differences: no other library, only the forward pass."""
    arrays = [normal(3, 5, seed=1), normal(5, seed=2), normal(2, 5, seed=3)]

    def loss(*parts):
        x, b, w = parts
        return cross_entropy(
            (x * b).tanh() @ w.T + (x / (b * b + 1)).max(1, keepdims=True), [0, 1, 1]
        )

    tensors = [Tensor(array) for array in arrays]
    loss(*tensors).backward()
    for which, tensor in enumerate(tensors):
        for place in np.ndindex(tensor.shape):
            ends = []
            for nudge in (1e-6, -1e-6):
                moved = [array.copy() for array in arrays]
                moved[which][place] += nudge
                ends.append(float(loss(*map(Tensor, moved)).data))
            assert tensor.grad is not None
            assert tensor.grad[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_training_run_equals_torch(dtype):
    sizes = (2, 17, 13, 1)
    x, y = normal(101, 2, dtype=dtype), normal(101, 1, seed=1, dtype=dtype)
    start = [part for layer in MLP(sizes, seed=0).layers for part in (layer.weight, layer.bias)]
    ours = [Tensor(part.astype(dtype)) for part in start]
    theirs = [torch.tensor(part.astype(dtype), requires_grad=True) for part in start]
    inputs, targets = torch.tensor(x), torch.tensor(y)
    for _ in range(20):
        for parameters, a, b in ((ours, x, y), (theirs, inputs, targets)):
            w1, b1, w2, b2, w3, b3 = parameters
            hidden = ((a @ w1.T + b1).tanh() @ w2.T + b2).relu()
            loss = ((hidden @ w3.T + b3 - b) ** 2).mean()
            for parameter in parameters:
                parameter.grad = None
            loss.backward()
        for mine, its in zip(ours, theirs, strict=True):
            mine.data = mine.data - 0.1 * mine.grad
            with torch.no_grad():
                its -= 0.1 * its.grad
            assert mine.data.dtype == dtype
            tolerance = 1e-10 if dtype == np.float64 else 1e-4
            np.testing.assert_allclose(mine.data, its.detach(), rtol=tolerance, atol=tolerance)


def test_value_equals_tensor():
    """The same network from single numbers and from arrays."""
    x, y = normal(5, 3), normal(5, seed=1)
    w1, w2 = normal(7, 3, seed=2), normal(1, 7, seed=3)
    a, b = Tensor(w1), Tensor(w2)
    loss = ((((x @ a.T).tanh() @ b.T)[:, 0] - y) ** 2).sum()
    loss.backward()
    first = [[Value(entry) for entry in row] for row in w1]
    second = [Value(entry) for entry in w2[0]]
    total = Value(0.0)
    for row, target in zip(x, y, strict=True):
        out = Value(-target)
        for weights, v in zip(first, second, strict=True):
            out = (
                out
                + v
                * sum((w * entry for w, entry in zip(weights, row, strict=True)), Value(0.0)).tanh()
            )
        total = total + out * out
    total.backward()
    assert total.data == pytest.approx(float(loss.data), rel=1e-12)
    assert a.grad is not None
    assert b.grad is not None
    np.testing.assert_allclose([[w.grad for w in row] for row in first], a.grad, rtol=1e-10)
    np.testing.assert_allclose([[v.grad for v in second]], b.grad, rtol=1e-10)


def test_value_operators():
    x, y = Value(3.0), Value(5.0)
    z = 2.0 * x - y * 4 + (1 + -x)
    z.backward()
    assert (z.data, x.grad, y.grad) == (-16, 1, -4)


# The digits: the promise of the chapter.


def test_digits_above_95_percent_in_under_10_seconds():
    images, labels = load_digits(return_X_y=True)
    images = images / 16
    order = np.random.default_rng(0).permutation(len(images))
    known, unseen = order[:1200], order[1200:]
    network = MLP((64, 32, 10), seed=0)
    parameters = [Tensor(p) for layer in network.layers for p in (layer.weight, layer.bias)]
    w1, b1, w2, b2 = parameters
    start = time.perf_counter()
    for _ in range(15):
        known = np.random.default_rng(1).permutation(known)
        for first in range(0, 1200, 30):
            part = known[first : first + 30]
            loss = cross_entropy((images[part] @ w1.T + b1).tanh() @ w2.T + b2, labels[part])
            for parameter in parameters:
                parameter.grad = None
            loss.backward()
            for parameter in parameters:
                parameter.data = parameter.data - 0.3 * parameter.grad
    seconds = time.perf_counter() - start
    scores = (images[unseen] @ w1.T + b1).tanh() @ w2.T + b2
    assert np.mean(scores.data.argmax(axis=1) == labels[unseen]) > 0.95
    assert seconds < 10


# The walk over the graph.


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_deep_graphs(kind):
    x = y = kind(1.0)
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    assert x.grad == 1
    del y  # freeing it must not overflow the stack either


def test_a_second_call_adds_the_same_once_more():
    for kind in (Value, Tensor):
        x = kind(3.0)
        middle = x * x
        end = middle * 2.0
        end.backward()
        end.backward()
        assert (x.grad, middle.grad, end.grad) == (24, 4, 2)


def test_two_results_add_up_and_none_starts_again():
    x = Tensor([1.0, 2.0])
    (x * 3.0).sum().backward()
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5, 7]
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_gradients_of_all_nodes_stay():
    x = Tensor([[1.0, 2.0, 3.0]])
    double = x * 2
    (double * double).sum().backward()
    assert double.grad is not None
    assert double.grad.tolist() == [[4, 8, 12]]
    unused = x + 1
    assert unused.grad is None


def test_a_given_gradient():
    x = Tensor([1.0, 2.0, 3.0])
    (x * x).backward([1, 0, -1])
    assert x.grad is not None
    assert x.grad.tolist() == [2, 0, -6]
    one = Tensor([[4.0]])
    (one * 3).backward()  # one number, whatever its shape
    assert one.grad is not None
    assert one.grad.tolist() == [[3]]


def test_equal_largest_entries_share_the_gradient():
    x = Tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    x.max(1).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad, [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    twin = torch.tensor(x.data.copy(), requires_grad=True)
    twin.amax(1).sum().backward()
    np.testing.assert_allclose(x.grad, twin.grad)


def test_relu_has_slope_0_at_0():
    x = Tensor([-1.0, 0.0, 1.0])
    x.relu().sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 1]


def test_a_graph_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        x = Tensor(normal(3, 5))
        hidden = (x @ normal(5, 2)).tanh().max(1)[[0, 0]]
        alive = weakref.ref(hidden)
        (hidden * hidden).mean().backward()
        del hidden
        assert alive() is None
    finally:
        gc.enable()


# Changes in place.


def test_changes_in_place_are_refused():
    x = Tensor([1.0, 2.0])
    y = x * x
    y.sum().backward()
    for array in (x.data, y.data, x.grad, y.grad, y.sum().data, x.reshape(1, 2).data, x[:1].data):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(ValueError, match="read-only"):
        x.data -= 1.0
    with pytest.raises(ValueError, match="read-only"):
        x.grad *= 0.5


def test_arrays_of_the_caller_stay_free_and_cannot_disturb():
    data, factor, index, matrix = np.ones(3), np.ones(3), np.array([0, 0, 1]), np.eye(3)
    targets, gradient = np.array([1]), np.ones(())
    x = Tensor(data)
    loss = ((x * factor) @ matrix)[index].sum() + cross_entropy(x[None], targets)
    for array in (data, factor, index, matrix, targets):
        array[...] = 2
    loss.backward(gradient)
    gradient[...] = 2
    assert x.data.tolist() == [1, 1, 1]
    assert loss.grad == 1
    assert x.grad is not None
    np.testing.assert_allclose(x.grad, np.array([2, 1, 0]) + np.array([1, -2, 1]) / 3)


def test_new_data_leave_earlier_results_as_they_are():
    x = Tensor([3.0])
    y = x * x
    x.data = np.array([100.0])
    y.backward()
    assert y.data.tolist() == [9]
    assert x.grad is not None
    assert x.grad.tolist() == [6]
    with pytest.raises(ValueError, match=r"data must have the shape \(1,\), got \(2,\)"):
        x.data = [1.0, 2.0]
    with pytest.raises(ValueError, match=r"grad must have the shape \(1,\), got \(\)"):
        x.grad = 1.0


def test_gradients_are_not_shared_with_what_comes_later():
    x, y = Tensor([1.0]), Tensor([2.0])
    (x + y).backward()  # the same gradient goes to both
    (x * 5.0).backward()
    assert (x.grad, y.grad) == ([6], [1])


# Types and shapes.


def test_float32_is_kept():
    x = Tensor(normal(3, 5, dtype=np.float32))
    whole = np.arange(5)
    y = (
        2 * x
        + np.float64(0.5) * x
        - whole
        + x / 3
        + x**2
        + True * x
        + (1 - x).max(1, keepdims=True)
    )
    z = softmax(y.sigmoid()).mean() + cross_entropy(y, [0, 1, 2]) + (x @ x.T)[0].exp().sum()
    assert y.data.dtype == z.data.dtype == np.float32
    z.backward()
    assert x.grad is not None
    assert x.grad.dtype == np.float32


def test_types_are_mixed_as_in_numpy():
    x, y = Tensor(np.ones(3, np.float32)), Tensor(np.ones(3))
    (x * y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_constants_are_no_part_of_the_graph():
    x = Tensor([1.0, 2.0])
    y = np.array([3.0, 4.0]) * x
    assert [parent for parent, _ in y.edges] == [x, None]
    z = np.eye(2) @ x
    assert [parent for parent, _ in z.edges] == [None, x]
    assert isinstance(z, Tensor)


def test_rows_can_be_looped_over():
    assert [row.data.tolist() for row in Tensor([[1.0, 2.0], [3.0, 4.0]])] == [[1, 2], [3, 4]]


def test_repr_shows_the_numbers():
    assert repr(Tensor([[1.0, 2.5], [3.0, 4.0]])) == "Tensor([[1. , 2.5],\n        [3. , 4. ]])"


def test_empty_tensors():
    x = Tensor(np.zeros((0, 3)))
    x.sum().backward()
    assert x.grad is not None
    assert x.grad.shape == (0, 3)


def test_large_logits_do_not_overflow():
    logits = Tensor([[1000.0, 0.0], [-1e300, 0.0]])
    loss = cross_entropy(logits, [1, 1])
    assert float(loss.data) == 500
    loss.backward()
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad, [[0.5, -0.5], [0, 0]])
    x = Tensor([-1000.0, 1000.0])
    x.sigmoid().sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0]


X = Tensor([[1.0, -2.0, 3.0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Tensor([1, 2]), TypeError, "data must hold floating-point numbers, got int64"),
        (lambda: Tensor(True), TypeError, "floating-point numbers, got bool"),
        (lambda: Tensor(1j), TypeError, "floating-point numbers, got complex128"),
        (lambda: Tensor("a"), TypeError, "floating-point numbers, got <U1"),
        (lambda: Tensor(None), TypeError, "floating-point numbers, got object"),
        (lambda: Tensor(X), TypeError, "floating-point numbers, got object"),
        (lambda: Tensor([1.0, math.nan]), ValueError, "data must be finite, got nan"),
        (lambda: Tensor([-math.inf]), ValueError, "data must be finite, got -inf"),
        (lambda: X.backward(), ValueError, r"needs a gradient of shape \(1, 3\).* not for 3"),
        (
            lambda: X.backward([1.0]),
            ValueError,
            r"gradient must have the shape \(1, 3\), got \(1,\)",
        ),
        (lambda: X.sum().backward(math.nan), ValueError, "gradient must be finite, got nan"),
        (lambda: X.sum().backward("a"), TypeError, "gradient must hold floating-point numbers"),
        (lambda: (X.sum() * math.nan).backward(), ValueError, "data must be finite .* got nan"),
        (lambda: X + "a", TypeError, "a constant must hold real numbers, got 'a'"),
        (lambda: X * None, TypeError, "a constant must hold real numbers, got None"),
        (lambda: 1j - X, TypeError, "a constant must hold real numbers, got 1j"),
        (lambda: X + np.ones(2), ValueError, r"add of the shapes \(1, 3\) and \(2,\)"),
        (lambda: X * Tensor([1.0, 2.0]), ValueError, r"multiply of the shapes .* must agree, or"),
        (lambda: X @ X, ValueError, r"matmul of .* \(1, 3\) and \(1, 3\): the inner lengths"),
        (lambda: X @ 2.0, ValueError, r"matmul of the shapes \(1, 3\) and \(\)"),
        (lambda: X / 0, ValueError, "the divisor must not hold a 0"),
        (lambda: 1.0 / Tensor([0.0]), ValueError, "0.0 to the power -1 has no real value"),
        (lambda: X / Tensor([1.0, 0.0, 1.0]), ValueError, "the divisor must not hold a 0"),
        (lambda: X**0.5, ValueError, "-2.0 to the power 0.5 has no real value"),
        (lambda: Tensor([0.0]) ** 0.5, ValueError, "0.0 to the power 0.5 has no .* slope"),
        (lambda: X**X, TypeError, "exponent must be a number, got Tensor"),
        (lambda: X.log(), ValueError, "log needs numbers greater than 0, got -2.0"),
        (lambda: Tensor([0.0]).log(), ValueError, "log needs numbers greater than 0, got 0.0"),
        (lambda: Tensor(np.zeros((2, 0))).mean(1), ValueError, r"mean needs .* shape \(2, 0\)"),
        (lambda: Tensor(np.zeros(0)).max(), ValueError, r"max needs .* got the shape \(0,\)"),
        (lambda: X.sum(2), ValueError, "axis 2 is out of bounds"),
        (lambda: X.reshape(2, 2), ValueError, "cannot reshape"),
        (lambda: X.transpose(0), ValueError, "axes don't match"),
        (lambda: X[0, 3], IndexError, "index 3 is out of bounds"),
        (lambda: X[X], TypeError, "an index must not be a Tensor"),
        (lambda: np.exp(X), TypeError, "does not support ufuncs"),
        (lambda: softmax(np.ones(3)), TypeError, "x must be a Tensor, got ndarray"),
        (lambda: softmax(X, 2), ValueError, "axis must name an axis of x"),
        (lambda: cross_entropy([[1.0]], [0]), TypeError, "logits must be a Tensor, got list"),
        (lambda: cross_entropy(X[0], [0]), ValueError, r"logits must have .* got \(3,\)"),
        (lambda: cross_entropy(X[:0], []), ValueError, r"logits must have .* got \(0, 3\)"),
        (
            lambda: cross_entropy(X, [1.0]),
            TypeError,
            "targets must hold whole numbers, got float64",
        ),
        (lambda: cross_entropy(X, [0, 1]), ValueError, r"targets .* shape \(1,\), got \(2,\)"),
        (lambda: cross_entropy(X, [[0]]), ValueError, r"targets .* shape \(1,\), got \(1, 1\)"),
        (lambda: cross_entropy(X, [3]), ValueError, "targets must lie between 0 and 2, got 3"),
        (lambda: cross_entropy(X, [-1]), ValueError, "targets must lie between 0 and 2, got -1"),
        (lambda: cross_entropy(X * math.inf, [0]), ValueError, "largest logit .* finite"),
    ],
)
def test_misuse_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_sizes_of_a_network_fit():
    """The shapes of the gradients are those of the parameters, in every layer."""
    parameters = [Tensor(normal(*pair[::-1])) for pair in pairwise((2, 3, 5, 7))]
    x = normal(11, 2)
    for weight in parameters:
        x = x @ weight.T
    x.sum().backward()  # type: ignore[union-attr]
    assert all(w.grad is not None and w.grad.shape == w.shape for w in parameters)


def test_equality_and_truth_are_those_of_torch_and_numpy():
    assert (Tensor([1.0, 2.0]) == Tensor([1.0, 3.0])).tolist() == [True, False]
    assert (Tensor([1.0, 2.0]) != np.array([1.0, 3.0])).tolist() == [False, True]
    assert Tensor(1.0) == Tensor(1.0)
    assert bool(Tensor(1.0) != 1.0) is False
    for number in (0.0, -0.0, 1.0, [0.5]):
        assert bool(Tensor(number)) == bool(torch.tensor(number))
    with pytest.raises(ValueError, match="a Tensor of 2 numbers is neither True nor False"):
        bool(Tensor([1.0, 2.0]))
    first, second = Tensor(1.0), Tensor(1.0)
    assert len({first, second}) == 2  # two nodes of a graph, whatever they hold


def test_what_is_too_large_for_the_type_is_refused():
    x = Tensor(np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="data must be finite, got inf"):
        x.data = [1e39]
    with pytest.raises(ValueError, match="gradient must be finite, got -inf"):
        x.backward([-1e39])


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("3", TypeError, "data must be a number, got '3'"),
        ([3.0], TypeError, r"data must be a number, got \[3.0\]"),
        (True, TypeError, "data must be a number, got True"),
        (math.nan, ValueError, "data must not be NaN"),
        (10**400, ValueError, "data must be less than 1.8e308"),
    ],
)
def test_a_value_is_one_number(data, error, message):
    with pytest.raises(error, match=message):
        Value(data)
    with pytest.raises(error, match=message):
        Value(1.0) + data
