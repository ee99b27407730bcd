"""Automatic differentiation: numbers that remember what they were made from.

A calculation leaves a graph: each result keeps an edge to each of its inputs. Going back from the
result L, the newest node first, the chain rule gives the gradient of every node u, summed over all
nodes v that were made from u:

    dL/du = sum over v of dL/dv * dv/du,   starting with dL/dL = 1

`Value` does this with one number per node, `Tensor` with an array and broadcasting. Whatever is no
Tensor (numbers, arrays) is a constant. Arrays in a Tensor are read-only: assign a new one to
``data``, and results made earlier keep the old one. ``==`` compares entry by entry, and a Tensor of
one number counts as True or False, as in NumPy and PyTorch. What this module leaves out: second
derivatives, graphics processors, changes in place.

References (in full in the chapter's bibliography): Rumelhart, Hinton and Williams (1986).

Chapter: book/basics/backpropagation.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import array, came, flag, instance, number
from companion.basics import networks

Axis = int | tuple[int, ...] | None

_next_number = count().__next__


def _reached(node: Any) -> list[Any]:
    """Return a node and all it was made from, the newest first; a loop, so no limit of depth."""
    found, waiting = {node}, [node]
    while waiting:
        for parent, _ in waiting.pop().edges:
            if parent is not None and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=attrgetter("number"), reverse=True)  # a node is newer than its parents


class Value:
    """One number that remembers what it was made from: the slow, readable rung below `Tensor`.

    Its `edges` are what it was made from, pairs of a Value and the slope: how fast `data` grows
    with it. `operation` tells how it was made, and `grad` what `backward` has found, summed over
    its calls; at first 0.0.

    Examples
    --------
    >>> x = Value(3.0)
    >>> y = x * x + x
    >>> y.backward()
    >>> y.data, x.grad
    (12.0, 7.0)
    """

    __slots__ = ("data", "edges", "grad", "number", "operation")

    def __init__(self, data: float, edges: tuple = (), operation: str = "") -> None:
        self.data = data if type(data) is float else number(data, "data")
        if self.data != self.data:
            raise ValueError("data must not be NaN")
        self.edges, self.operation = edges, operation
        self.grad, self.number = 0.0, _next_number()

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)), "+")

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)), "×")

    def __neg__(self) -> Value:
        return Value(-self.data, ((self, -1.0),), "× −1")

    def __sub__(self, other: Value | float) -> Value:
        return self + -other

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self) -> Value:
        """Return the hyperbolic tangent."""
        t = math.tanh(self.data)
        return Value(t, ((self, 1 - t * t),), "tanh")

    def backward(self) -> None:
        """Add to `grad`, of this number and all it was made from, how fast this number grows."""
        gradients = {self: 1.0}
        for node in _reached(self):
            node.grad += gradients[node]
            for parent, slope in node.edges:
                gradients[parent] = gradients.get(parent, 0.0) + gradients[node] * slope


class Tensor:
    """An array of real numbers that remembers what it was made from.

    There are ``+ - * / ** @`` and indexing, with NumPy's rules for shapes and types. An exponent is
    a plain number. Constants may stand on either side; whole numbers take the tensor's type.

    Parameters
    ----------
    data : array_like of floating-point numbers, any shape
        Kept as a read-only copy of the same type (float32 stays float32).

    Attributes
    ----------
    data : ndarray
        Read-only. Finite numbers of the same shape may be assigned; they are copied.
    grad : ndarray of the shape of `data`, or None
        What `backward` has found, summed over its calls; at first None. As `data`.
    edges, operation : tuple of (Tensor or None, function), and str
        What it was made from (None: a constant), each with the function that turns this tensor's
        gradient into that one's part; and how it was made, empty if it was not.

    Examples
    --------
    >>> x = Tensor([1.0, 2.0, 3.0])
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [2.0, 4.0, 6.0]
    """

    __slots__ = ("__weakref__", "_data", "_grad", "edges", "number", "operation")
    __array_ufunc__ = None  # so that array + tensor asks the tensor

    _data: np.ndarray
    _grad: np.ndarray | None
    edges: tuple[tuple[Tensor | None, Callable[[Any], Any]], ...]
    operation: str
    number: int

    def __init__(self, data: ArrayLike) -> None:
        self._data = _floats(data, "data")
        self._grad, self.edges, self.operation, self.number = None, (), "", _next_number()

    @property
    def data(self) -> np.ndarray:
        """The numbers."""
        return self._data

    @data.setter
    def data(self, value: ArrayLike) -> None:
        self._data = _floats(value, "data", self._data)

    @property
    def grad(self) -> np.ndarray | None:
        """The gradient found so far."""
        return self._grad

    @grad.setter
    def grad(self, value: ArrayLike | None) -> None:
        self._grad = None if value is None else _floats(value, "grad", self._data)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._data.shape

    @property
    def T(self) -> Tensor:  # noqa: N802, its name in NumPy and PyTorch
        """The tensor with its axes in reverse order."""
        return self.transpose()

    def __repr__(self) -> str:
        return f"Tensor({np.array2string(self._data, separator=', ', prefix='Tensor(')})"

    def __eq__(self, other: object) -> Any:
        """Compare entry by entry, as NumPy does; the result has no gradient."""
        return self._data == (other._data if isinstance(other, Tensor) else other)

    def __ne__(self, other: object) -> Any:
        return self._data != (other._data if isinstance(other, Tensor) else other)

    __hash__ = object.__hash__  # two tensors with the same numbers are two nodes

    def __bool__(self) -> bool:
        """Tell whether the only entry is not 0; of several entries nobody could say."""
        if self._data.size != 1:
            raise ValueError(f"a Tensor of {self._data.size} numbers is neither True nor False")
        return bool(self._data.item())

    # Each operation keeps its result and, for each input, what becomes of a gradient g.

    def __add__(self, other: Any) -> Tensor:
        other, b = _operand(other, self)
        return _node(_fit(np.add, self._data, b), "+", (self, _same), (other, _same))

    def __sub__(self, other: Any) -> Tensor:
        other, b = _operand(other, self)
        return _node(_fit(np.subtract, self._data, b), "−", (self, _same), (other, np.negative))

    def __mul__(self, other: Any) -> Tensor:
        a, (other, b) = self._data, _operand(other, self)
        y = _fit(np.multiply, a, b)
        return _node(y, "×", (self, lambda g: g * b), (other, lambda g: g * a))

    def __truediv__(self, other: Any) -> Tensor:
        other, b = _operand(other, self)
        if not np.all(b):
            raise ValueError("the divisor must not hold a 0")
        y = _fit(np.divide, self._data, b)
        return _node(y, "÷", (self, lambda g: g / b), (other, lambda g: g * (-y / b)))

    def __matmul__(self, other: Any) -> Tensor:
        return _product((self, self._data), _operand(other, self))

    def __rmatmul__(self, other: Any) -> Tensor:
        return _product(_operand(other, self), (self, self._data))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Tensor:
        return -self + other

    def __rtruediv__(self, other: Any) -> Tensor:
        return self**-1 * other

    def __neg__(self) -> Tensor:
        return _node(-self._data, "× −1", (self, np.negative))

    def __pow__(self, exponent: float) -> Tensor:
        a, n = self._data, number(exponent, "exponent")
        if (not n.is_integer() and (a < 0).any()) or (n < 1 and n != 0 and not a.all()):
            raise ValueError(f"{a.min()} to the power {n:g} has no real value or no slope")
        slope = (lambda g: g * (n * a ** (n - 1))) if n else np.zeros_like
        return _node(a**n, f"power {n:g}", (self, slope))

    def __getitem__(self, key: Any) -> Tensor:
        a = self._data
        place = tuple(_index(part) for part in (key if isinstance(key, tuple) else (key,)))

        def part(g: Any) -> np.ndarray:
            gradient = np.zeros(a.shape, g.dtype)
            np.add.at(gradient, place, g)  # adds: an entry chosen twice has two parts
            return gradient

        return _node(a[place], "index", (self, part))

    def exp(self) -> Tensor:
        """Return e to the power of each entry."""
        y = np.exp(self._data)
        return _node(y, "exp", (self, lambda g: g * y))

    def log(self) -> Tensor:
        """Return the natural logarithm of each entry; all must be greater than 0."""
        a = self._data
        if (a <= 0).any():
            raise ValueError(f"log needs numbers greater than 0, got {a.min()}")
        return _node(np.log(a), "log", (self, lambda g: g / a))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent of each entry."""
        y = np.tanh(self._data)
        return _node(y, "tanh", (self, lambda g: g * (1 - y * y)))

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)) for each entry x."""
        y = networks.sigmoid(self._data)
        return _node(y, "sigmoid", (self, lambda g: g * (y * (1 - y))))

    def relu(self) -> Tensor:
        """Return max(0, x) for each entry x; the slope at 0 is 0, as in PyTorch."""
        a = self._data
        return _node(np.maximum(a, 0), "relu", (self, lambda g: g * (a > 0)))

    def sum(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the sum of all entries, or along one axis or several."""
        a = self._data
        y = _along(np.add.reduce, a, axis, keepdims)
        return _node(y, "sum", (self, lambda g: _spread(g, a, axis, keepdims)))

    def mean(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the mean of all entries, or along one axis or several."""
        a = _some(self._data, "mean")
        y = _along(np.add.reduce, a, axis, keepdims)
        n = a.size / y.size
        return _node(y / n, "mean", (self, lambda g: _spread(g / n, a, axis, keepdims)))

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the largest entry; equal ones share the gradient equally, as in `torch.amax`."""
        a = _some(self._data, "max")
        y = _along(np.maximum.reduce, a, axis, keepdims)

        def part(g: Any) -> np.ndarray:
            winners = a == _spread(y, a, axis, keepdims)
            shares = winners / winners.sum(axis=axis, keepdims=True, dtype=a.dtype)
            return shares * _spread(g, a, axis, keepdims)

        return _node(y, "max", (self, part))

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same entries in another shape; one length may be -1."""
        a = self._data
        y = _fit_axes("shape", shape, a, lambda: a.reshape(*shape))
        return _node(y, "reshape", (self, lambda g: g.reshape(a.shape)))

    def transpose(self, *axes: int) -> Tensor:
        """Return the tensor with its axes in the given order, by default in reverse."""
        a = self._data
        if len(axes) == 1 and isinstance(axes[0], tuple | list):
            axes = tuple(axes[0])
        y = _fit_axes("axes", axes, a, lambda: a.transpose(axes or None))
        back = np.argsort([axis % y.ndim for axis in axes]) if axes else None
        return _node(y, "transpose", (self, lambda g: g.transpose(back)))

    def backward(self, gradient: ArrayLike | None = None) -> None:
        """Add to `grad`, of this tensor and all it was made from, how fast the result grows.

        A second call adds the same once more: set ``grad = None`` before each training step.
        `gradient`, of the shape of `data`, is that of the result with respect to this tensor. It
        may be left out if the tensor holds one number: then this is the result, with gradient 1.
        """
        like = self._data
        if gradient is None and like.size != 1:
            rule = f"it can be left out for one number, not for {like.size}"
            raise ValueError(f"backward needs a gradient of shape {like.shape}; {rule}")
        if not np.isfinite(like).all():
            raise ValueError(f"data must be finite to go back from it, got {like}")
        start = np.ones_like(like) if gradient is None else _floats(gradient, "gradient", like)
        gradients: dict[Tensor, Any] = {self: start}
        for node in _reached(self):
            g = gradients[node]
            for parent, function in node.edges:
                if parent is not None:
                    part = _sum_to(parent._data, function(g))
                    known = gradients.get(parent)
                    gradients[parent] = part if known is None else known + part
            node._grad = _frozen(g if node._grad is None else node._grad + g)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return shares that sum to 1 along an axis; as `companion.basics.networks.softmax`."""
    p = networks.softmax(instance(x, "x", Tensor)._data, axis)
    return _node(p, "softmax", (x, lambda g: p * (g - (g * p).sum(axis=axis, keepdims=True))))


def cross_entropy(logits: Tensor, targets: ArrayLike) -> Tensor:
    """Return the mean of -log(share of the right class), with softmax(logits) as shares.

    Parameters
    ----------
    logits : Tensor, shape (N, n_classes)
        Scores of at least one sample. No share overflows or becomes log(0).
    targets : array_like of int, shape (N,)
        The right classes, from 0 to n_classes - 1.

    Examples
    --------
    >>> loss = cross_entropy(Tensor([[2.0, 0.0], [0.0, 0.0]]), [0, 1])
    >>> round(float(loss.data), 6)
    0.410038
    """
    z = instance(logits, "logits", Tensor)._data
    if z.ndim != 2 or z.size == 0:
        raise ValueError(f"logits must have the shape (N, n_classes), got {z.shape}")
    N, n_classes = z.shape
    classes = array(targets, "targets").copy()  # kept for the way back
    if classes.dtype.kind not in "iu":
        raise TypeError(f"targets must hold whole numbers, got {classes.dtype}")
    if classes.shape != (N,):
        raise ValueError(f"targets must have the shape {(N,)}, got {classes.shape}")
    if (wrong := classes[(classes < 0) | (classes >= n_classes)]).size:
        raise ValueError(f"targets must lie between 0 and {n_classes - 1}, got {wrong[0]}")
    largest = z.max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        raise ValueError("the largest logit of each sample must be finite")
    z = z - largest
    powers = np.exp(z)
    totals = powers.sum(axis=1, keepdims=True)
    right = (np.arange(N), classes)

    def part(g: Any) -> np.ndarray:
        gradient = powers / totals  # the shares, and 1 less at the right class
        gradient[right] -= 1
        return gradient * (g / N)

    return _node((np.log(totals[:, 0]) - z[right]).mean(), "cross-entropy", (logits, part))


def _node(data: Any, operation: str, *edges: tuple[Tensor | None, Callable[[Any], Any]]) -> Tensor:
    """Return a tensor that was made from others, without the checks of the constructor."""
    node = Tensor.__new__(Tensor)
    node._data, node._grad = _frozen(data), None
    node.edges, node.operation, node.number = edges, operation, _next_number()
    return node


def _frozen(array: Any) -> np.ndarray:
    """Make an array read-only; NumPy's single numbers become arrays first."""
    array = np.asarray(array)
    array.setflags(write=False)
    return array


def _same(g: Any) -> Any:
    return g


def _operand(value: Any, like: Tensor) -> tuple[Tensor | None, Any]:
    """Return a tensor and its array, or None and a constant that nobody else can change."""
    if isinstance(value, Tensor):
        return value, value._data
    given = array(value, "a constant").copy()
    if given.dtype.kind not in "fiub":
        raise TypeError(f"a constant must hold real numbers, got {came(value)}")
    if given.ndim == 0:
        return None, float(given)  # takes the type of the array it meets
    return None, given if given.dtype.kind == "f" else given.astype(like._data.dtype)


def _fit(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    try:
        return function(a, b)
    except ValueError:
        pair = f"{function.__name__} of the shapes {np.shape(a)} and {np.shape(b)}"
        rule = "the inner lengths of a matrix product must agree"
        if function is not np.matmul:
            rule = "counted from the right, two lengths must agree, or one be 1 or missing"
        raise ValueError(f"{pair}: {rule}") from None


def _along(function: Any, a: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    flag(keepdims, "keepdims")
    return _fit_axes("axis", axis, a, lambda: function(a, axis=axis, keepdims=keepdims))


def _fit_axes(name: str, value: Any, a: np.ndarray, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} must fit the shape {a.shape}, got {came(value)}: {error}") from None


def _product(first: tuple[Tensor | None, Any], second: tuple[Tensor | None, Any]) -> Tensor:
    """Return the matrix product; a vector is a row on the left side and a column on the right."""
    (one, a), (two, b) = first, second
    y = _fit(np.matmul, a, b)
    if a.ndim > 1 and b.ndim > 1:
        return _node(y, "@", (one, lambda g: g @ b.mT), (two, lambda g: a.mT @ g))
    row, column = np.atleast_2d(a), b if b.ndim > 1 else b[:, None]
    lifted = np.matmul(row, column).shape
    vector = lambda part: part[..., 0] if b.ndim == 1 else part  # noqa: E731
    return _node(
        y,
        "@",
        (one, lambda g: g.reshape(lifted) @ column.mT),
        (two, lambda g: vector(row.mT @ g.reshape(lifted))),
    )


def _sum_to(like: np.ndarray, part: Any) -> Any:
    """Add up over the axes along which an array of the shape of `like` was repeated."""
    if part.shape != like.shape:
        extra = part.ndim - like.ndim
        lengths = (1,) * extra + like.shape
        repeated = tuple(axis for axis, length in enumerate(lengths) if length != part.shape[axis])
        part = part.sum(axis=repeated, keepdims=True).reshape(like.shape)
    return part if part.dtype == like.dtype else part.astype(like.dtype)


def _spread(g: Any, like: np.ndarray, axis: Axis, keepdims: bool) -> np.ndarray:
    """Repeat a number, or an array that lacks some axes of `like`, along these axes."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.full(like.shape, g, g.dtype)


def _index(part: Any) -> Any:
    """Return one part of an index; lists and arrays as a copy that nobody else can change."""
    if isinstance(part, Tensor):
        raise TypeError("an index must not be a Tensor; use its data")
    simple = part is None or part is Ellipsis or isinstance(part, int | np.integer | slice)
    return part if simple else np.array(part)


def _some(array: np.ndarray, name: str) -> np.ndarray:
    if array.size == 0:
        raise ValueError(f"{name} needs at least one number, got the shape {array.shape}")
    return array


def _floats(values: ArrayLike, name: str, like: np.ndarray | None = None) -> np.ndarray:
    """Return a read-only copy of finite numbers, in the shape and type of `like` if given."""
    given = array(values, name)
    if given.dtype.kind not in ("f" if like is None else "fiu"):
        raise TypeError(f"{name} must hold floating-point numbers, got {given.dtype}")
    if like is not None and given.shape != like.shape:
        raise ValueError(f"{name} must have the shape {like.shape}, got {given.shape}")
    with np.errstate(over="ignore"):  # what is too large for the type becomes infinite
        given = given.astype(given.dtype if like is None else like.dtype)
    if not np.isfinite(given).all():
        raise ValueError(f"{name} must be finite, got {given[~np.isfinite(given)][0]}")
    return _frozen(given)
