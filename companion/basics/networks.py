"""Activation functions, fully connected layers and the feed-forward network made of them.

A layer turns inputs x into ``x @ weight.T + bias``; a network sends x through its layers in turn
and applies an activation function f after each layer but the last:

    h = f(x @ W1.T + b1),   output = h @ W2.T + b2        (one hidden layer)

The activation functions take arrays of any shape, infinity included, NaN not; they return the same
shape (a number for a number), keep the floating type (whole numbers become float64), and do not
overflow. What this module leaves out: gradients and training. Weights are set by hand or drawn at
random; later chapters learn them.

References (in full in the chapter's bibliography): Rumelhart, Hinton and Williams (1986), networks
of such layers; Bridle (1990), softmax; Nair and Hinton (2010), ReLU; Glorot and Bengio (2010), the
initial weights; Maas, Hannun and Ng (2013), leaky ReLU; Clevert, Unterthiner and Hochreiter (2016),
ELU.

Chapter: book/basics/networks.ipynb
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import (
    Seed,
    between,
    finite,
    function,
    integer,
    integers,
    random_generator,
    real,
    size,
)

Activation = Callable[[np.ndarray], ArrayLike]


def sigmoid(x: ArrayLike) -> Any:
    """Squash numbers into the range from 0 to 1: 1 / (1 + exp(-x)).

    Rounding gives exactly 1 beyond about 36.7 (float32: 16.6).
    """
    x = real(x, "x")
    small = np.exp(-np.abs(x))  # at most 1, so that it cannot overflow
    return np.where(x >= 0, 1, small) / (1 + small)


def tanh(x: ArrayLike) -> Any:
    """Squash numbers into the range from -1 to 1: (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return np.tanh(real(x, "x"))  # the formula as it stands overflows beyond 709


def relu(x: ArrayLike) -> Any:
    """Keep positive numbers, turn negative ones into 0: max(0, x)."""
    return np.maximum(real(x, "x"), 0)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.01) -> Any:
    """Keep positive numbers, multiply negative ones by a small slope: max(negative_slope * x, x).

    The slope lies between 0 and 1, both excluded.
    """
    slope = between(0, negative_slope, 1, "negative_slope")
    x = real(x, "x")
    return np.maximum(slope * x, x)


def elu(x: ArrayLike, alpha: float = 1.0) -> Any:
    """Keep positive numbers, bend negative ones towards -alpha: alpha * (exp(x) - 1)."""
    scale = between(0, alpha, np.inf, "alpha")
    x = real(x, "x")
    negative = scale * np.expm1(np.minimum(x, 0))  # exp of the positive ones could overflow
    return np.where(x > 0, x, negative)[()]


def softmax(x: ArrayLike, axis: int = -1) -> Any:
    """Turn scores into shares that sum to 1 along an axis: exp(x) / sum of exp(x).

    The largest score is subtracted first: the result is the same, and exp cannot overflow. Minus
    infinity gives the share 0.

    Examples
    --------
    >>> softmax([1, 2, 3]).round(6).tolist()
    [0.090031, 0.244728, 0.665241]
    """
    x = real(x, "x")
    if not -x.ndim <= integer(axis, "axis") < x.ndim:
        raise ValueError(f"axis must name an axis of x, whose shape is {x.shape}, got {axis}")
    if x.shape[axis] == 0:
        raise ValueError(f"x must have a score along axis {axis}, got the shape {x.shape}")
    largest = x.max(axis=axis, keepdims=True)
    finite(largest, f"the largest score of x along axis {axis}")
    with np.errstate(over="ignore"):  # a difference beyond the largest number: its share is 0
        weights = np.exp(x - largest)
    return weights / weights.sum(axis=axis, keepdims=True)


class Dense:
    """A fully connected layer: every output is a weighted sum of all inputs, plus a bias.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Numbers that go in and come out per sample.
    seed : int or numpy.random.Generator, optional
        Makes the initial weights reproducible. A generator is used and moved on.

    Attributes
    ----------
    weight : ndarray, shape (n_outputs, n_inputs)
        Row j holds the weights of output j, as in ``torch.nn.Linear``. May be assigned.
    bias : ndarray, shape (n_outputs,)
        May be assigned.

    Examples
    --------
    >>> layer = Dense(2, 1)
    >>> layer.weight, layer.bias = [[1.0, 1.0]], [-1.5]
    >>> layer.forward([[0, 1], [1, 1]]).tolist()
    [[-0.5], [0.5]]
    """

    def __init__(self, n_inputs: int, n_outputs: int, *, seed: Seed = None) -> None:
        self.n_inputs, self.n_outputs = size(n_inputs, "n_inputs"), size(n_outputs, "n_outputs")
        # Initial values: the uniform weights of Glorot and Bengio (2010), biases 0.
        limit, shape = (6 / (self.n_inputs + self.n_outputs)) ** 0.5, (self.n_outputs, n_inputs)
        self.weight: Any = random_generator(seed).uniform(-limit, limit, shape)
        self.bias: Any = np.zeros(self.n_outputs)

    def forward(self, x: ArrayLike) -> np.ndarray:
        """Return the weighted sums, (..., n_outputs), of finite inputs, (..., n_inputs).

        They have the wider floating type of `x` and the weights. If they overflow, ValueError.
        """
        x = finite(x, "x", (..., self.n_inputs))
        weight = finite(self.weight, "weight", (self.n_outputs, self.n_inputs))
        bias = finite(self.bias, "bias", (self.n_outputs,))
        with np.errstate(over="ignore", invalid="ignore"):
            return finite(x @ weight.T + bias, "the product of x and weight")  # (..., n_outputs)


class MLP:
    """A feed-forward network (multilayer perceptron): layers in a row, an activation between them.

    After the last layer comes no activation. What the outputs mean (any number, a probability,
    scores of classes) depends on the task; whoever uses the network adds what the task needs.

    Parameters
    ----------
    sizes : sequence of int
        Neurons per layer, inputs first: ``(3, 4, 2)`` has 3 inputs, 4 hidden neurons, 2 outputs.
    activation : callable, default relu
        Takes an array and returns one of the same shape; applied after each layer but the last.
    seed : int or numpy.random.Generator, optional
        Makes the initial weights reproducible.

    Examples
    --------
    >>> network = MLP((3, 4, 2), seed=0)
    >>> network.n_parameters
    26
    >>> network.forward([[0, 0, 0]]).tolist()
    [[0.0, 0.0]]
    """

    def __init__(
        self, sizes: Sequence[int], activation: Activation = relu, *, seed: Seed = None
    ) -> None:
        self.activation = function(activation, "activation", "a function of an array")
        sizes, generator = integers(sizes, "sizes", least=2), random_generator(seed)
        self.layers = [Dense(*neighbours, seed=generator) for neighbours in pairwise(sizes)]

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases in all layers."""
        return sum((layer.n_inputs + 1) * layer.n_outputs for layer in self.layers)

    def forward(self, x: ArrayLike) -> np.ndarray:
        """Send inputs through all layers: from (..., n_inputs) to (..., n_outputs)."""
        for layer in self.layers[:-1]:
            sums = layer.forward(x)
            x = finite(self.activation(sums), "what activation returns", sums.shape)
        return self.layers[-1].forward(x)
