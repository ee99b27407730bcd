"""Right and wrong answers to the exercises of the chapter on gated networks."""

from __future__ import annotations

import math

import numpy as np

from ..harness import Answers


def update_with_loops(cell, forget_gate, input_gate, candidate, output_gate):
    steps = zip(cell, forget_gate, input_gate, candidate, strict=True)
    new = [f * c + i * g for c, f, i, g in steps]
    shown = [o * math.tanh(c) for o, c in zip(output_gate, new, strict=True)]
    return np.array(new), np.array(shown)


def update_all_together(c, f, i, g, o):
    c = np.einsum("ks,ks->s", np.stack([f, i]), np.stack([c, g]))
    return c, np.tanh(c) * o


def new_cell(c, f, i, g):
    return f * c + i * g


def parameters_from_shapes(input_size, hidden_size):
    rows = 4 * hidden_size
    shapes = [(rows, input_size), (rows, hidden_size), (rows,), (rows,)]
    return sum(math.prod(shape) for shape in shapes)


ANSWERS = {
    "sequences.gated.one_cell": Answers(
        right=[0.3, 0.5 * 0.8 - 0.4 / 4],
        wrong=[
            (0.5, "candidate is negative"),
            (0.0, "all of the candidate"),
            (0.7, "old cell kept"),
            (0.4, "what comes in"),
            (-0.1, "what stays"),
            (math.tanh(0.3), "on the way to the hidden state"),
        ],
    ),
    "sequences.gated.half_life": Answers(
        right=[7, math.ceil(math.log(0.5) / math.log(0.9))],
        wrong=[
            (6, "53 %"),
            (5, "of what is left"),
            (20, "earlier"),
            (2, "still left"),
            (6.58, "whole number"),
        ],
    ),
    "sequences.gated.update": Answers(
        right=[update_with_loops, update_all_together],
        wrong=[
            (
                lambda c, f, i, g, o: (o * np.tanh(new_cell(c, f, i, g)), new_cell(c, f, i, g)),
                "first the cell state",
            ),
            (
                lambda c, f, i, g, o: (f * c + g, o * np.tanh(f * c + g)),
                "input gate lets it",
            ),
            (
                lambda c, f, i, g, o: (
                    new_cell(c, 1 - f, i, g),
                    o * np.tanh(new_cell(c, 1 - f, i, g)),
                ),
                "of 1 keeps",
            ),
            (
                lambda c, f, i, g, o: (new_cell(c, f, i, g), o * new_cell(c, f, i, g)),
                "through a tanh",
            ),
            (
                lambda c, f, i, g, o: (new_cell(c, f, i, g), o * np.tanh(c)),
                "not the old one",
            ),
            (lambda c, f, i, g, o: new_cell(c, f, i, g), "is missing"),
        ],
    ),
    "sequences.gated.parameters": Answers(
        right=[parameters_from_shapes, lambda d, h: 4 * (h * d + h * h + h + h)],
        wrong=[
            (lambda d, h: 4 * h * (d + h + 1), "two biases"),
            (lambda d, h: 3 * h * (d + h + 2), "what else"),
            (lambda d, h: h * (d + h + 2), "There are four"),
            (lambda d, h: 4 * h * (d + 2), "reads the hidden state"),
            (lambda d, h: 4 * h * (d + h), "biases"),
        ],
    ),
    "sequences.gated.mix": Answers(
        right=[
            lambda h, n, z: n + z * (h - n),
            lambda h, n, z: np.array(
                [a * c + b * (1 - c) for a, b, c in zip(h, n, z, strict=True)]
            ),
        ],
        wrong=[
            (lambda h, n, z: z * n + (1 - z) * h, "keeps the old state"),
            (lambda h, n, z: z * h + n, "sum to 1"),
            (lambda h, n, z: np.tanh(n + z * (h - n)), "No tanh"),
        ],
    ),
    "sequences.gated.gru_spans": Answers(
        right=[0.97, 1.0],
        wrong=[
            ((0.97, None), "the first"),
            ("much", "a number"),
            (97.0, "between 0 and 1"),
            (0.13, "near guessing"),
            (0.5, "do better"),
        ],
    ),
}
