"""What the exercises of the chapter on backpropagation expect.

Chapter: book/basics/backpropagation.ipynb
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.basics.backpropagation import Tensor, Value
from companion.checks import Exercise


def numerical_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float) -> np.ndarray:
    """Return the slope in each entry by nudges to both sides."""
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        nudge = np.zeros(x.shape)
        nudge[place] = h
        gradient[place] = (f(x + nudge) - f(x - nudge)) / (2 * h)
    return gradient


def cubes(x: np.ndarray) -> float:
    """Return a sum of cubes, for which nudging to one side is visibly wrong."""
    return float((x**3).sum())


def mixed(x: np.ndarray) -> float:
    """Return a number to which every entry contributes differently."""
    return float((np.arange(1, x.size + 1) * np.sin(x.ravel())).sum())


def sigmoid(v: Value) -> Value:
    """Return the sigmoid of a number, with its slope."""
    s = float(1 / (1 + np.exp(-v.data)))
    return Value(s, ((v, s * (1 - s)),), "sigmoid")


def use_sigmoid(answer: Callable[[Value], Any], number: float) -> dict[str, float] | None:
    """Send a number through the operation, multiply by 3, and go back."""
    v = Value(number)
    result = answer(v)
    if result is None:
        return None
    if not isinstance(result, Value):
        raise TypeError(f"the result must be a Value, this one is {type(result).__name__}")
    (result * 3.0).backward()
    return {"data": float(result.data), "slope": float(v.grad) / 3}


def outer_backward(g: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of a column and a vector from that of their product."""
    return (g * b).sum(axis=1, keepdims=True), (g * a).sum(axis=0)


def two_layers_backward(
    g: np.ndarray,
    x: np.ndarray,
    w1: np.ndarray,
    b1: np.ndarray,
    w2: np.ndarray,
    b2: np.ndarray,
) -> tuple[Any, ...]:
    """Return the gradients of all parameters, found by the engine."""
    parameters = [Tensor(part) for part in (w1, b1, w2, b2)]
    first, first_bias, second, second_bias = parameters
    y = (x @ first.T + first_bias).tanh() @ second.T + second_bias
    y.backward(g)
    return tuple(parameter.grad for parameter in parameters)


def random_outer(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a gradient, a column and a vector."""
    N, n_columns = (int(size) for size in rng.integers(1, 6, size=2))
    return rng.normal(size=(N, n_columns)), rng.normal(size=(N, 1)), rng.normal(size=n_columns)


def random_layers(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a gradient, samples and the parameters of a network."""
    N, n_inputs, hidden_size, n_outputs = (int(size) for size in rng.integers(1, 6, size=4))
    shapes = (
        (N, n_outputs),
        (N, n_inputs),
        (hidden_size, n_inputs),
        (hidden_size,),
        (n_outputs, hidden_size),
        (n_outputs,),
    )
    return tuple(rng.normal(size=shape) for shape in shapes)


def _near(got: Any, value: float) -> bool:
    return bool(abs(got - value) < 0.002)


def _shapes(values: Any) -> list[tuple[int, ...]]:
    return [np.shape(value) for value in values]


def _layers_without(args: tuple, *, slope: bool) -> list[np.ndarray]:
    """Return the gradients of w1 and b1 as they come out without the slope of tanh, or its form."""
    g, x, w1, b1, w2, _ = args
    z = x @ w1.T + b1
    dz = (g @ w2) * (1 - z**2 if slope else 1)
    return [dz.T @ x, dz.sum(axis=0)]


EXERCISES = {
    "neuron_by_hand": Exercise(
        expected=-0.959552,
        tolerance=(0.0, 0.002),
        hints=(
            (lambda args, got, expected: _near(got, -expected), "Look at the sign of x."),
            (
                lambda args, got, expected: _near(got, expected / 2),
                "The slope of a square is twice the number.",
            ),
            (
                lambda args, got, expected: _near(got, -2.2848),
                "On the way back from a to z, tanh has a slope.",
            ),
            (
                lambda args, got, expected: _near(got, 0.6397),
                "That is the slope for z. One step to w is left.",
            ),
            (
                lambda args, got, expected: _near(got, -0.6397),
                "z contains the product w x: which is the other factor?",
            ),
        ),
    ),
    "numerical_gradient": Exercise(
        reference=numerical_gradient,
        cases=(
            (cubes, np.array([2.0]), 0.1),
            (mixed, np.array([0.0, 1.0, -1.0]), 1e-3),
            (cubes, np.arange(6.0).reshape(2, 3), 0.01),
        ),
        generate=lambda rng: (mixed, rng.normal(size=rng.integers(1, 4, size=2)), 1e-3),
        tolerance=(1e-6, 1e-8),
        hints=(
            (
                lambda args, got, expected: np.allclose(
                    got, [2 * args[2] * e for e in expected], atol=1e-7
                ),
                "That is the difference of the two values. Divide it by their distance.",
            ),
            (
                lambda args, got, expected: np.allclose(got, 2 * expected, atol=1e-7),
                "How far are the two places apart?",
            ),
            (
                lambda args, got, expected: (
                    np.shape(got) == np.shape(expected)
                    and np.allclose(got, expected, rtol=0.2, atol=20 * args[2])
                ),
                "Nearly. Do you nudge to both sides?",
            ),
            (
                lambda args, got, expected: got is not None and np.shape(got) != np.shape(expected),
                "There is one slope for each entry: the result has the shape of x.",
            ),
        ),
    ),
    "sigmoid": Exercise(
        reference=sigmoid,
        run=use_sigmoid,
        cases=((0.0,), (1.0,), (-2.0,)),
        generate=lambda rng: (float(rng.normal()),),
        hints=(
            (
                lambda args, got, expected: isinstance(got, TypeError),
                "Return a Value that is made from v.",
            ),
            (
                lambda args, got, expected: abs(got["data"] - expected["data"]) > 1e-6,
                "The data are not the sigmoid of v.data.",
            ),
            (
                lambda args, got, expected: got["slope"] == 0,
                "Is there an edge to v? And its slope takes the sigmoid's value, not v.",
            ),
            (
                lambda args, got, expected: abs(got["slope"] - (1 - expected["data"] ** 2)) < 1e-6,
                "That is the slope of tanh.",
            ),
            (
                lambda args, got, expected: abs(got["slope"] - expected["slope"]) > 1e-6,
                "The data are right. Look at the slope on the edge.",
            ),
        ),
    ),
    "outer_backward": Exercise(
        reference=outer_backward,
        cases=(
            (np.array([[1.0, 1.0]]), np.array([[2.0]]), np.array([3.0, 4.0])),
            (np.ones((2, 3)), np.array([[1.0], [2.0]]), np.array([3.0, 4.0, 5.0])),
        ),
        generate=random_outer,
        hints=(
            (
                lambda args, got, expected: (
                    np.shape(got[0]) == np.shape(args[0]) and np.shape(got[1]) == np.shape(args[0])
                ),
                "Multiply along each path, and then add over all paths: which axes were repeated?",
            ),
            (
                lambda args, got, expected: _shapes(got) != _shapes(expected),
                "A gradient has the shape of the thing it belongs to.",
            ),
            (
                lambda args, got, expected: (
                    np.allclose(got[0], args[0].sum(axis=1, keepdims=True))
                    or np.allclose(got[0], (args[0] * args[1]).sum(axis=1, keepdims=True))
                ),
                "The slope of a product is the other factor.",
            ),
        ),
    ),
    "two_layers_backward": Exercise(
        reference=two_layers_backward,
        cases=(
            tuple(np.full(s, 0.5) for s in ((1, 1), (1, 1), (1, 1), (1,), (1, 1), (1,))),
            random_layers(np.random.default_rng(0)),
        ),
        generate=random_layers,
        hints=(
            (
                lambda args, got, expected: got is not None and len(got) != 4,
                "Return four gradients: of w1, b1, w2, b2.",
            ),
            (
                lambda args, got, expected: np.allclose(
                    got[0], _layers_without(args, slope=False)[0]
                ),
                "On the way back from hidden to its sums, tanh has a slope.",
            ),
            (
                lambda args, got, expected: np.allclose(
                    got[0], _layers_without(args, slope=True)[0]
                ),
                "1 - tanh(z) ** 2 is 1 - hidden ** 2, not 1 - z ** 2.",
            ),
            (
                lambda args, got, expected: (
                    len(args[1]) > 1
                    and np.shape(got[3]) == np.shape(expected[3])
                    and np.allclose(np.multiply(got[3], len(args[1])), expected[3])
                ),
                "Paths are added up, there is no mean.",
            ),
            (
                lambda args, got, expected: _shapes(got) != _shapes(expected),
                "A gradient has the shape of the parameter it belongs to.",
            ),
        ),
    ),
    "idle_pixels": Exercise(
        expected=3,
        hints=(
            (lambda args, got, expected: got == 61, "Those are the pixels with ink."),
            (
                lambda args, got, expected: got == 96,
                "Those are the weights. Each pixel has 32 of them.",
            ),
            (
                lambda args, got, expected: got > 3,
                "Take all 1797 images, not only those of the first section.",
            ),
            (
                lambda args, got, expected: got < 3,
                "w1 has one row per neuron and one column per pixel.",
            ),
        ),
    ),
}
