"""What the exercises of the chapter on recurrent networks expect.

Chapter: book/sequences/recurrent.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def count(input_size: int, hidden_size: int, num_layers: int, n_directions: int) -> int:
    """Return the number of parameters, with two biases in each cell."""
    first = hidden_size * (input_size + hidden_size + 2)
    further = hidden_size * (n_directions * hidden_size + hidden_size + 2)
    return n_directions * (first + (num_layers - 1) * further)


def states(
    x: np.ndarray, weight_ih: np.ndarray, weight_hh: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """Return the states of all steps, shape (T, H)."""
    return np.array(_read(x, weight_ih, weight_hh, bias))


def terms(h: np.ndarray, start: float, w_h: float) -> np.ndarray:
    """Return what each step contributes to the derivative of the last state, shape (T,)."""
    before, slopes = np.append(start, h[:-1]), 1 - h**2
    later = np.append(np.cumprod((slopes * w_h)[:0:-1])[::-1], 1.0)  # dh_T / dh_k
    return later * slopes * before


def random_sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw sizes, a number of layers and one or two directions."""
    sizes = rng.integers(1, 12, size=2)
    return int(sizes[0]), int(sizes[1]), int(rng.integers(1, 5)), int(rng.integers(1, 3))


def random_network(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a sequence, and the weights of a cell."""
    T, D, H = (int(size) for size in rng.integers(1, 5, size=3))
    return tuple(rng.normal(size=shape) for shape in ((T, D), (H, D), (H, H), (H,)))


def random_states(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """Draw states between -1 and 1, a first one and a weight."""
    h = rng.uniform(-0.9, 0.9, size=rng.integers(1, 6))
    return h, float(rng.uniform(-0.9, 0.9)), float(rng.uniform(0.3, 1.5))


def _read(x: Any, weight_ih: Any, weight_hh: Any, bias: Any, carry: float = 1) -> list[np.ndarray]:
    """Read a sequence; with `carry` 0 each step starts anew."""
    hidden, found = np.zeros(len(bias)), []
    for x_t in x:
        hidden = np.tanh(weight_ih @ x_t + carry * (weight_hh @ hidden) + bias)
        found.append(hidden)
    return found


def _outside(x: Any, weight_ih: Any, weight_hh: Any, bias: Any) -> np.ndarray:
    """Read a sequence as no network should: what comes from the past is added to the tanh."""
    hidden, found = np.zeros(len(bias)), []
    for x_t in x:
        hidden = np.tanh(weight_ih @ x_t + bias) + weight_hh @ hidden
        found.append(hidden)
    return np.array(found)


def _totals(h: Any, start: float, w_h: float) -> np.ndarray:
    """Return the terms with total instead of immediate derivatives."""
    total, totals = 0.0, []
    for value, before in zip(h, np.append(start, h[:-1]), strict=True):
        total = (1 - value**2) * (before + w_h * total)
        totals.append(total)
    later = np.append(np.cumprod(((1 - h**2) * w_h)[:0:-1])[::-1], 1.0)
    return later * np.array(totals)


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


def _near(value: float) -> Any:
    return lambda args, got, expected: abs(got - value) < 0.002


def _says(task: str, *shapes: str) -> Any:
    return lambda args, got, expected: got[task] in shapes


EXERCISES = {
    "two_steps": Exercise(
        expected=float(np.tanh(-1 + 0.5 * np.tanh(2.5))),
        tolerance=(0.0, 0.001),
        hints=(
            (_near(0.0), "With the second weight goes the state before, not the input before."),
            (_near(0.2449), "What is handed on is the state after the tanh."),
            (_near(-0.4762), "The first state h_0 is 1, not 0."),
            (_near(-0.5067), "The last step has a tanh, too."),
            (_near(0.9866), "That is the first state. There is one more step."),
        ),
    ),
    "count": Exercise(
        reference=count,
        cases=((1, 1, 1, 1), (10, 20, 1, 1), (10, 20, 1, 2), (10, 20, 2, 1), (3, 5, 3, 2)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected - args[1] * args[2] * args[3],
                "Each cell has two biases, as in PyTorch.",
            ),
            (
                lambda args, got, expected: got == args[2] * count(args[0], args[1], 1, args[3]),
                "A higher layer reads states, not the inputs: how wide are they?",
            ),
            (
                lambda args, got, expected: got == count(args[0], args[1], args[2], 1),
                "Each direction has its own cell.",
            ),
            (
                lambda args, got, expected: got == args[3] * count(args[0], args[1], args[2], 1),
                "With two directions, how wide is what a higher layer reads?",
            ),
        ),
    ),
    "states": Exercise(
        reference=states,
        cases=(
            (np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)),
            (np.ones((2, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)),
        ),
        generate=random_network,
        hints=(
            (
                lambda args, got, expected: _close(got, expected[-1]),
                "The states of all steps are wanted, not the last one only.",
            ),
            (
                lambda args, got, expected: (
                    not _close(got, expected) and _close(got, np.array(_read(*args, carry=0)))
                ),
                "Nothing is handed on: where does the state before enter?",
            ),
            (
                lambda args, got, expected: (
                    not _close(got, expected) and _close(got, _outside(*args))
                ),
                "The past enters inside the tanh.",
            ),
            (
                lambda args, got, expected: (
                    not _close(got, expected) and _close(got, expected[::-1])
                ),
                "The first step comes first.",
            ),
        ),
    ),
    "terms": Exercise(
        reference=terms,
        cases=(
            (np.array([0.5]), 1.0, 0.5),
            (np.array([0.0, 0.0]), 1.0, 0.5),
            (np.array([0.5, 0.2]), 1.0, 0.5),
        ),
        generate=random_states,
        hints=(
            (
                lambda args, got, expected: (
                    not _close(got, expected) and _close(got, expected[::-1])
                ),
                "The term of step 1 comes first.",
            ),
            (
                lambda args, got, expected: _close(got, expected.sum()),
                "That is their sum. Return one term for each step.",
            ),
            (
                lambda args, got, expected: (
                    not _close(got, expected) and _close(got, _totals(*args))
                ),
                "Earlier steps are counted twice: hold the state before fixed in each term.",
            ),
            (
                lambda args, got, expected: (
                    not _close(got, expected)
                    and _close(got, (1 - args[0] ** 2) * np.append(args[1], args[0][:-1]))
                ),
                "These are the immediate derivatives. How does each get to the last state?",
            ),
            (
                lambda args, got, expected: _close(
                    got,
                    args[2] ** np.arange(len(args[0]))[::-1] * np.append(args[1], args[0][:-1]),
                ),
                "The tanh has a slope, too: 1 minus the square of the state.",
            ),
        ),
    ),
    "one_per_cent": Exercise(
        expected=44,
        hints=(
            (lambda args, got, expected: got == 43, "Just not yet: there it is 1.08 per cent."),
            (lambda args, got, expected: got != int(got), "A whole number of steps is wanted."),
            (lambda args, got, expected: got < 43, "There the influence is still larger."),
            (lambda args, got, expected: got > 44, "It happens sooner."),
        ),
    ),
    "shapes": Exercise(
        expected={
            "a": "many to one",
            "b": "one to one",
            "c": "aligned",
            "d": "one to many",
            "e": "shifted",
        },
        hints=(
            (
                lambda args, got, expected: any(
                    str(shape).lower().startswith("many to many") for shape in got.values()
                ),
                'Write "aligned" or "shifted" for the two kinds of many to many.',
            ),
            (_says("a", "one to one"), "(a): a review is many words."),
            (_says("a", "aligned", "shifted"), "(a): how many answers are wanted?"),
            (_says("b", "many to one"), "(b): nothing is read step by step there."),
            (_says("c", "many to one", "shifted"), "(c): each second gets its answer."),
            (_says("d", "one to one", "many to one"), "(d): how many notes has a melody?"),
            (_says("d", "aligned", "shifted"), "(d): a genre is a single input."),
            (_says("e", "aligned"), "(e): do the two texts have the same length?"),
            (_says("e", "many to one"), "(e): a summary is more than one word."),
        ),
    ),
}
