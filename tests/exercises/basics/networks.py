"""Right and wrong answers to the exercises of the chapter on neural networks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..harness import Answers

OR_AND = ([[1, 1], [1, 1]], [-0.5, -1.5], [[1, -1]], [-0.5])
AND_OR = (np.array([[3.0, 2.0], [0.5, 0.7]]), (-4, -0.4), [[-9, 4]], np.array([-2]))
OR_NAND = ([[1, 1], [-1, -1]], [-0.5, 1.5], [[1, 1]], [-1.5])
OR_OR = ([[1, 1], [1, 1]], [-0.5, -0.5], [[1, -1]], [-0.5])
TRANSPOSED = ([[1, 1], [1, 1]], [-0.5, -1.5], [[1], [-1]], [-0.5])


def count_with_a_loop(sizes):
    total = 0
    for place in range(1, len(sizes)):
        total += sizes[place - 1] * sizes[place] + sizes[place]
    return total


def count_without_biases(sizes):
    return sum(n * m for n, m in pairwise(sizes))


def count_with_input_biases(sizes):
    return count_without_biases(sizes) + sum(sizes)


def forward_with_loops(x, weight, bias):
    result = np.zeros((len(x), len(bias)))
    for s in range(len(x)):
        for j in range(len(bias)):
            result[s, j] = sum(x[s] * weight[j]) + bias[j]
    return result


def add_the_bias_in_place(x, weight, bias):
    bias += x[0] @ weight.T
    return bias[None, :]


def softmax_by_logarithms(z):
    largest = np.max(z, axis=-1, keepdims=True)
    total = np.log(np.sum(np.exp(z - largest), axis=-1, keepdims=True))
    return np.exp(z - largest - total)


def softmax_that_overflows(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def softmax_of_everything(z):
    weights = np.exp(z - z.max())
    return weights / weights.sum()


def softmax_with_one_maximum(z):
    weights = np.exp(z - z.max())
    return weights / weights.sum(axis=-1, keepdims=True)


def softmax_along_the_first_axis(z):
    weights = np.exp(z - z.max(axis=0))
    return weights / weights.sum(axis=0)


ANSWERS = {
    "basics.networks.sigmoid_by_hand": Answers(
        right=[0.378, 0.3775, np.float64(0.377541)],
        wrong=[
            (-0.5, "The sigmoid is missing"),
            (0, "That is the step rule"),
            (0.622, "sign in the exponent"),
            (0.269, "And the bias?"),
            (0.996, "One of the weights is negative"),
            (0.38, "three digits"),
        ],
    ),
    "basics.networks.xor_weights": Answers(
        right=[OR_AND, AND_OR],
        wrong=[
            (OR_NAND, "hidden_weight has the negative number -1"),
            (
                OR_OR,
                "the input (0, 1) the hidden neurons answer (1, 1) and the last one 0, not 1",
            ),
            (TRANSPOSED, "last_weight should have the shape (1, 2), this one has (2, 1)"),
            (OR_AND[:3], "give four things"),
            ((*OR_AND[:3], "-0.5"), "shape"),
        ],
    ),
    "basics.networks.count_parameters": Answers(
        right=[count_with_a_loop],
        wrong=[
            (count_without_biases, "every neuron has a bias"),
            (count_with_input_biases, "The inputs are no neurons"),
            (sum, "one weight for each neuron of the layer before"),
            (lambda sizes: None, "gave None"),
        ],
    ),
    "basics.networks.dense_forward": Answers(
        right=[forward_with_loops, lambda x, weight, bias: (weight @ x.T).T + bias],
        wrong=[
            (lambda x, weight, bias: x @ weight.T, "And the bias?"),
            (lambda x, weight, bias: x @ weight + bias, "Row j of weight belongs to neuron j"),
            (lambda x, weight, bias: weight @ x.T + bias[:, None], "One row per sample"),
            (add_the_bias_in_place, "changes its input"),
        ],
    ),
    "basics.networks.softmax": Answers(
        right=[softmax_by_logarithms],
        wrong=[
            (softmax_that_overflows, "What may you subtract first?"),
            (softmax_of_everything, "Each row has to sum to 1"),
            (softmax_with_one_maximum, "the other rows may vanish"),
            (softmax_along_the_first_axis, "do not sum to 1 along the last axis"),
            (np.exp, "do not sum to 1 along the last axis"),
            (lambda z: z / z.sum(axis=-1, keepdims=True), "do not sum to 1 along the last axis"),
        ],
    ),
    "basics.networks.weight_scale": Answers(
        right=[1, 1.0],
        wrong=[
            (100, "nearly steps"),
            (0.1, "nearly straight"),
            (2, "one of the five scales"),
        ],
    ),
}
