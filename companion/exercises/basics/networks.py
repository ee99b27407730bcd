"""What the exercises of the chapter on neural networks expect.

Chapter: book/basics/networks.ipynb
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from companion.basics import networks
from companion.checks import Exercise

CORNERS = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))  # x1, x2 and what XOR answers
SCALES = (0.01, 0.1, 1.0, 10.0, 100.0)


def judge_xor(answer: Any) -> str | None:
    """Accept a 2-2-1 network of step neurons that computes XOR, no hidden weight negative."""
    if not isinstance(answer, tuple) or len(answer) != 4:
        return "give four things: hidden_weight, hidden_bias, last_weight, last_bias"
    arrays = [np.asarray(part, dtype=float) for part in answer]
    names = ("hidden_weight", "hidden_bias", "last_weight", "last_bias")
    for name, array, shape in zip(names, arrays, ((2, 2), (2,), (1, 2), (1,)), strict=True):
        if array.shape != shape:
            return f"{name} should have the shape {shape}, this one has {array.shape}"
    hidden_weight, hidden_bias, last_weight, last_bias = arrays
    if (hidden_weight < 0).any():
        return f"hidden_weight has the negative number {hidden_weight.min():g}"
    for x1, x2, wanted in CORNERS:
        hidden = (hidden_weight @ (x1, x2) + hidden_bias >= 0).astype(int)
        got = int((last_weight @ hidden + last_bias)[0] >= 0)
        if got != wanted:
            h1, h2 = hidden
            return (
                f"for the input ({x1}, {x2}) the hidden neurons answer ({h1}, {h2}) "
                f"and the last one {got}, not {wanted}"
            )
    return None


def count_parameters(sizes: tuple[int, ...]) -> int:
    """Return the number of weights and biases between and in layers of these sizes."""
    return sum((n_inputs + 1) * n_outputs for n_inputs, n_outputs in pairwise(sizes))


def dense_forward(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return the weighted sums of a layer, shape (N, m), for weights of shape (m, n)."""
    return x @ weight.T + bias


def softmax(z: np.ndarray) -> np.ndarray:
    """Return the shares along the last axis."""
    return networks.softmax(z)


def random_sizes(rng: np.random.Generator) -> tuple[tuple[int, ...]]:
    """Draw the sizes of a network with one to four layers of weights."""
    return (tuple(int(size) for size in rng.integers(1, 30, size=rng.integers(2, 6))),)


def random_layer(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw inputs, weights and biases of whole numbers, so that every right sum is exact."""
    n_samples, n_inputs, n_outputs = (int(size) for size in rng.integers(1, 6, size=3))
    x = rng.integers(-3, 4, size=(n_samples, n_inputs)).astype(float)
    weight = rng.integers(-3, 4, size=(n_outputs, n_inputs)).astype(float)
    return x, weight, rng.integers(-3, 4, size=n_outputs).astype(float)


def random_scores(rng: np.random.Generator) -> tuple[np.ndarray]:
    """Draw scores with one to three axes."""
    return (rng.normal(scale=3, size=rng.integers(1, 5, size=rng.integers(1, 4))),)


def _near(got: Any, value: float) -> bool:
    return bool(abs(got - value) < 0.006)


EXERCISES = {
    "sigmoid_by_hand": Exercise(
        expected=0.377541,
        tolerance=(0.0, 0.001),
        hints=(
            (
                lambda args, got, expected: got < 0,
                "Is that the sum? The sigmoid is missing.",
            ),
            (lambda args, got, expected: got in (0, 1), "That is the step rule. Use the sigmoid."),
            (lambda args, got, expected: _near(got, 0.6225), "Look at the sign in the exponent."),
            (lambda args, got, expected: _near(got, 0.2689), "And the bias?"),
            (lambda args, got, expected: _near(got, 0.9959), "One of the weights is negative."),
            (lambda args, got, expected: _near(got, 0.3775), "Nearly: three digits, please."),
        ),
    ),
    "xor_weights": Exercise(judge=judge_xor),
    "count_parameters": Exercise(
        reference=count_parameters,
        cases=(((1, 1),), ((3, 2),), ((3, 4, 2),), ((64, 100, 10),)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == sum(n * m for n, m in pairwise(args[0])),
                "These are the weights; every neuron has a bias, too.",
            ),
            (
                lambda args, got, expected: got == expected + args[0][0],
                "The inputs are no neurons: they have no bias.",
            ),
            (
                lambda args, got, expected: got == sum(args[0]),
                "Every neuron has one weight for each neuron of the layer before.",
            ),
        ),
    ),
    "dense_forward": Exercise(
        reference=dense_forward,
        cases=(
            (np.array([[2.0]]), np.array([[3.0]]), np.array([1.0])),
            (np.array([[1.0, 0.0]]), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.0, 10.0])),
            (np.ones((2, 3)), np.arange(12.0).reshape(4, 3), np.arange(4.0)),
        ),
        generate=random_layer,
        hints=(
            (
                lambda args, got, expected: np.array_equal(got, expected - args[2]),
                "And the bias?",
            ),
            (
                lambda args, got, expected: np.array_equal(got, args[0] @ args[1] + args[2]),
                "Row j of weight belongs to neuron j: compare the shapes with x @ weight.",
            ),
            (
                lambda args, got, expected: np.array_equal(got, expected.T),
                "One row per sample, one column per neuron.",
            ),
        ),
    ),
    "softmax": Exercise(
        reference=softmax,
        cases=(
            (np.array([0.0, 0.0]),),
            (np.array([1.0, 2.0, 3.0]),),
            (np.array([1000.0, 0.0]),),
            (np.array([[0.0, 0.0], [0.0, 0.0]]),),
            (np.array([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]]),),
            (np.array([[1000.0, 0.0], [0.0, 0.0]]),),
        ),
        generate=random_scores,
        hints=(
            (
                lambda args, got, expected: (
                    isinstance(got, np.ndarray) and np.isnan(got).any() and args[0].ndim > 1
                ),
                "One largest score for all rows is not enough: the other rows may vanish.",
            ),
            (
                lambda args, got, expected: (
                    np.abs(args[0]).max() > 700
                    and (isinstance(got, RuntimeWarning) or np.isnan(got).any())
                ),
                "exp(1000) is too large. What may you subtract first?",
            ),
            (
                lambda args, got, expected: args[0].ndim > 1 and np.isclose(np.sum(got), 1),
                "Each row has to sum to 1, not the whole array.",
            ),
            (
                lambda args, got, expected: (
                    np.shape(got) == np.shape(expected) and not np.allclose(np.sum(got, axis=-1), 1)
                ),
                "The shares do not sum to 1 along the last axis.",
            ),
        ),
    ),
    "weight_scale": Exercise(
        expected=1.0,
        hints=(
            (
                lambda args, got, expected: got == got + 0 and got not in SCALES,
                "Give one of the five scales: the scale, not its error or its place.",
            ),
            (
                lambda args, got, expected: got > expected,
                "Weights so large make hidden curves that are nearly steps. Compare again.",
            ),
            (
                lambda args, got, expected: got < expected,
                "Weights so small make hidden curves that are nearly straight. Compare again.",
            ),
        ),
    ),
}
