"""What the exercises of the chapter on gated networks expect.

Chapter: book/sequences/gated.ipynb
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from companion.checks import Exercise


def update(
    cell: np.ndarray,
    forget_gate: np.ndarray,
    input_gate: np.ndarray,
    candidate: np.ndarray,
    output_gate: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new cell state and the new hidden state of an LSTM."""
    cell = forget_gate * cell + input_gate * candidate
    return cell, output_gate * np.tanh(cell)


def parameters(input_size: int, hidden_size: int) -> int:
    """Return the number of parameters of an LSTM with two biases."""
    return 4 * hidden_size * (input_size + hidden_size + 2)


def mix(hidden: np.ndarray, candidate: np.ndarray, update_gate: np.ndarray) -> np.ndarray:
    """Return the new state of a GRU."""
    return (1 - update_gate) * candidate + update_gate * hidden


def random_step(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a cell state, three gates and a candidate, in the order of `update`."""
    n = int(rng.integers(1, 5))
    gates = rng.uniform(0.05, 0.95, (3, n))
    return rng.normal(size=n), gates[0], gates[1], rng.uniform(-0.95, 0.95, n), gates[2]


def random_sizes(rng: np.random.Generator) -> tuple[int, int]:
    """Draw an input size and a hidden size."""
    return int(rng.integers(1, 50)), int(rng.integers(1, 50))


def random_mix(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a state, a candidate and an update gate."""
    n = int(rng.integers(1, 5))
    return rng.uniform(-1, 1, n), rng.uniform(-1, 1, n), rng.uniform(0.05, 0.95, n)


def learned(share: Any) -> str | None:
    """Say what is wrong with a share of right answers that should be near 1."""
    if isinstance(share, tuple):
        return "`ask_at_end` returns two things; the share is the first."
    if isinstance(share, bool) or not isinstance(share, int | float | np.number):
        return "The share is a number between 0 and 1."
    if not 0 <= share <= 1 or math.isnan(share):
        return "A share lies between 0 and 1."
    if share < 0.3:
        return "That is near guessing. Was `set_memory_span` called on the network that is trained?"
    return None if share > 0.7 else "It should do better. Spans from 1 to 200, distance 50?"


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _pair(got: Any, index: int, value: Any) -> bool:
    return isinstance(got, tuple) and len(got) == 2 and _close(got[index], value)


EXERCISES = {
    "one_cell": Exercise(
        expected=0.3,
        tolerance=(0.0, 0.001),
        hints=(
            (lambda args, got, expected: abs(got - 0.5) < 0.001, "The candidate is negative."),
            (lambda args, got, expected: abs(got) < 1e-9, "Does all of the candidate enter?"),
            (lambda args, got, expected: abs(got - 0.7) < 0.001, "Is all of the old cell kept?"),
            (lambda args, got, expected: abs(got - 0.4) < 0.001, "And what comes in?"),
            (lambda args, got, expected: abs(got + 0.1) < 0.001, "And what stays?"),
            (
                lambda args, got, expected: abs(got - math.tanh(0.3)) < 0.001,
                "The tanh comes after the cell, on the way to the hidden state.",
            ),
        ),
    ),
    "half_life": Exercise(
        expected=7,
        hints=(
            (lambda args, got, expected: got != int(got), "A whole number of steps is wanted."),
            (
                lambda args, got, expected: got == 6,
                "There 53 % are still left. One more.",
            ),
            (
                lambda args, got, expected: got == 5,
                "It does not lose a tenth of the beginning at each step, but of what is left.",
            ),
            (lambda args, got, expected: got > 7, "Half is lost earlier."),
            (lambda args, got, expected: got < 7, "More than half is still left there."),
        ),
    ),
    "update": Exercise(
        reference=update,
        cases=(
            tuple(np.array([value]) for value in (1.0, 1.0, 0.0, 0.5, 1.0)),
            tuple(np.array([value]) for value in (0.8, 0.7, 0.25, -0.4, 0.5)),
        ),
        generate=random_step,
        hints=(
            (
                lambda args, got, expected: _pair(got, 0, expected[1]),
                "The order: first the cell state, then the hidden state.",
            ),
            (
                lambda args, got, expected: _pair(got, 0, args[1] * args[0] + args[3]),
                "The candidate enters as far as the input gate lets it.",
            ),
            (
                lambda args, got, expected: _pair(
                    got, 0, (1 - args[1]) * args[0] + args[2] * args[3]
                ),
                "A forget gate of 1 keeps.",
            ),
            (
                lambda args, got, expected: (
                    _pair(got, 0, expected[0]) and _close(got[1], args[4] * expected[0])
                ),
                "The cell goes through a tanh before it is shown.",
            ),
            (
                lambda args, got, expected: (
                    _pair(got, 0, expected[0]) and _close(got[1], args[4] * np.tanh(args[0]))
                ),
                "The hidden state shows the new cell, not the old one.",
            ),
            (
                lambda args, got, expected: _close(got, expected[0]),
                "The hidden state is missing.",
            ),
        ),
    ),
    "parameters": Exercise(
        reference=parameters,
        cases=((2, 3), (10, 20)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == 4 * args[1] * (args[0] + args[1] + 1),
                "PyTorch keeps two biases, one for the input and one for the state.",
            ),
            (
                lambda args, got, expected: got == 3 * args[1] * (args[0] + args[1] + 2),
                "Three gates, and what else is computed from input and state?",
            ),
            (
                lambda args, got, expected: got == expected // 4,
                "That is one layer. There are four.",
            ),
            (
                lambda args, got, expected: got == 4 * args[1] * (args[0] + 2),
                "Each layer also reads the hidden state.",
            ),
            (
                lambda args, got, expected: got == 4 * args[1] * (args[0] + args[1]),
                "Do not forget the biases.",
            ),
        ),
    ),
    "mix": Exercise(
        reference=mix,
        cases=(
            (np.array([1.0]), np.array([0.0]), np.array([1.0])),
            (np.array([0.5]), np.array([-0.5]), np.array([0.25])),
        ),
        generate=random_mix,
        hints=(
            (
                lambda args, got, expected: _close(
                    got, args[2] * args[1] + (1 - args[2]) * args[0]
                ),
                "In this chapter an update gate of 1 keeps the old state.",
            ),
            (
                lambda args, got, expected: (
                    not _close(got, expected) and _close(got, args[2] * args[0] + args[1])
                ),
                "What is kept leaves less room for the candidate: both shares sum to 1.",
            ),
            (
                lambda args, got, expected: _close(got, np.tanh(expected)),
                "No tanh here: the candidate already has one.",
            ),
        ),
    ),
    "gru_spans": Exercise(judge=learned),
}
