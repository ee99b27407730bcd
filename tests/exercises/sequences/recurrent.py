"""Right and wrong answers to the exercises of the chapter on recurrent networks."""

from __future__ import annotations

import math

import numpy as np
import torch

from companion.sequences.recurrent import RNN, bptt_terms

from ..harness import Answers


def count_a_real_one(input_size, hidden_size, num_layers, n_directions):
    network = RNN(input_size, hidden_size, num_layers, bidirectional=n_directions == 2)
    return sum(parameter.numel() for parameter in network.parameters())


def count_layer_by_layer(input_size, hidden_size, num_layers, n_directions):
    widths = [input_size] + [n_directions * hidden_size] * (num_layers - 1)
    return sum(n_directions * hidden_size * (width + hidden_size + 2) for width in widths)


def one_cell(width, hidden_size):
    return hidden_size * (width + hidden_size + 2)


def states_by_torch(x, weight_ih, weight_hh, bias):
    network = torch.nn.RNN(x.shape[1], len(bias), bias=True, dtype=torch.float64)
    values = (weight_ih, weight_hh, bias, np.zeros_like(bias))
    network.load_state_dict(
        {
            name: torch.tensor(value)
            for (name, _), value in zip(network.named_parameters(), values, strict=True)
        }
    )
    with torch.no_grad():
        return network(torch.tensor(x))[0].numpy()


def states_with_one_product(x, weight_ih, weight_hh, bias):
    sums = x @ weight_ih.T + bias
    result = np.empty_like(sums)
    hidden = np.zeros(len(bias))
    for t, row in enumerate(sums):
        result[t] = hidden = np.tanh(row + hidden @ weight_hh.T)
    return result


def states_outside(x, weight_ih, weight_hh, bias):
    hidden, found = np.zeros(len(bias)), []
    for x_t in x:
        hidden = np.tanh(weight_ih @ x_t + bias) + weight_hh @ hidden
        found.append(hidden)
    return np.array(found)


def terms_by_companion(h, start, w_h):
    found = bptt_terms(
        torch.tensor(h)[:, None],
        torch.tensor([[w_h]], dtype=torch.float64),
        torch.ones(1, dtype=torch.float64),
        start=torch.tensor([start], dtype=torch.float64),
    )
    return found.flatten().numpy()


def terms_with_loops(h, start, w_h):
    path = [start, *h]
    result = []
    for k in range(1, len(path)):
        term = (1 - path[k] ** 2) * path[k - 1]
        for j in range(k + 1, len(path)):
            term *= (1 - path[j] ** 2) * w_h
        result.append(term)
    return np.array(result)


def terms_counted_twice(h, start, w_h):
    path, totals = [start, *h], [0.0]
    for k in range(1, len(path)):
        totals.append((1 - path[k] ** 2) * (path[k - 1] + w_h * totals[-1]))
    for k in range(1, len(path)):
        for j in range(k + 1, len(path)):
            totals[k] *= (1 - path[j] ** 2) * w_h
    return np.array(totals[1:])


SHAPES = {
    "a": "many to one",
    "b": "one to one",
    "c": "aligned",
    "d": "one to many",
    "e": "shifted",
}

ANSWERS = {
    "sequences.recurrent.two_steps": Answers(
        right=[math.tanh(-1 + 0.5 * math.tanh(2.5)), -0.4674],
        wrong=[
            (math.tanh(-1 + 0.5 * 2), "not the input before"),
            (math.tanh(-1 + 0.5 * 2.5), "after the tanh"),
            (math.tanh(-1 + 0.5 * math.tanh(2)), "h_0 is 1"),
            (-1 + 0.5 * math.tanh(2.5), "has a tanh, too"),
            (math.tanh(2.5), "one more step"),
        ],
    ),
    "sequences.recurrent.count": Answers(
        right=[count_a_real_one, count_layer_by_layer],
        wrong=[
            (lambda i, h, n, d: count_layer_by_layer(i, h, n, d) - n * d * h, "two biases"),
            (lambda i, h, n, d: n * d * one_cell(i, h), "reads states"),
            (lambda i, h, n, d: count_layer_by_layer(i, h, n, 1), "its own cell"),
            (lambda i, h, n, d: d * count_layer_by_layer(i, h, n, 1), "how wide is what"),
        ],
    ),
    "sequences.recurrent.states": Answers(
        right=[states_by_torch, states_with_one_product],
        wrong=[
            (lambda x, w, u, b: states_with_one_product(x, w, u, b)[-1], "states of all steps"),
            (lambda x, w, u, b: np.tanh(x @ w.T + b), "Nothing is handed on"),
            (states_outside, "inside the tanh"),
            (lambda x, w, u, b: states_with_one_product(x, w, u, b)[::-1], "first step comes"),
        ],
    ),
    "sequences.recurrent.terms": Answers(
        right=[terms_by_companion, terms_with_loops],
        wrong=[
            (lambda h, s, w: terms_with_loops(h, s, w)[::-1], "step 1 comes first"),
            (lambda h, s, w: np.float64(terms_with_loops(h, s, w).sum()), "one term for each"),
            (terms_counted_twice, "counted twice"),
            (lambda h, s, w: (1 - h**2) * np.append(s, h[:-1]), "immediate derivatives"),
            (
                lambda h, s, w: w ** np.arange(len(h))[::-1] * np.append(s, h[:-1]),
                "has a slope",
            ),
        ],
    ),
    "sequences.recurrent.one_per_cent": Answers(
        right=[44, 44.0],
        wrong=[
            (43, "Just not yet"),
            (0.01, "number of steps"),
            (43.7, "whole number"),
            (22, "still larger"),
            (100, "sooner"),
        ],
    ),
    "sequences.recurrent.shapes": Answers(
        right=[SHAPES, dict(reversed(SHAPES.items()))],
        wrong=[
            (SHAPES | {"a": "one to one"}, "many words"),
            (SHAPES | {"a": "aligned"}, "how many answers"),
            (SHAPES | {"b": "many to one"}, "step by step"),
            (SHAPES | {"c": "many to one"}, "each second"),
            (SHAPES | {"d": "one to one"}, "has a melody"),
            (SHAPES | {"e": "aligned"}, "same length"),
            (SHAPES | {"c": "many to many, aligned"}, "two kinds"),
            (SHAPES | {"d": "shifted"}, "single input"),
            (SHAPES | {"e": "many to one"}, "more than one word"),
        ],
    ),
}
