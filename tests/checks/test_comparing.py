"""What the lines say about results: right ones, and every way of being wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch


def softmax(x):
    return np.exp(x) / np.exp(x).sum() if x.max() < 700 else np.eye(len(x))[x.argmax()]


class Counter:
    def __init__(self, start):
        self.total = start

    def add(self, amounts):
        self.total += sum(amounts)
        return [self.total, len(amounts)]


# --- Right ----------------------------------------------------------------------------------------


def exact(x):
    return np.exp(x - np.log(np.exp(x - x.max()).sum()) - x.max())


@pytest.mark.parametrize(
    ("exercise", "answer", "expected"),
    [
        ("softmax", exact, "Right: exact does what is expected on 2 fixed and 20 random inputs."),
        ("square", lambda x: x**2, "Right: your function does what is expected on 2 inputs."),
        ("square", lambda x: np.float64(x) ** 2, "Right: your function does"),
        ("square", lambda x: np.array(x * x), "Right: your function does"),
        ("parity", lambda n: np.bool_(not n & 1), "Right: your function does"),
        ("count", lambda n: np.int32(n + 1), "Right: your function does"),
        ("word", str.upper, "Right: upper does what is expected on 1 input."),
        ("counter", Counter, "Right: Counter does what is expected on 1 input."),
        ("noise", lambda rng, n: rng.normal(0, 1, n), "Right: "),
        ("tensor", lambda x: x + x, "Right: "),
        ("number", 0.73, "Right."),
        ("number", np.float32(0.7311), "Right."),
        ("shape", [3.0, np.int64(2)], "Right."),
        ("shape", np.array([3, 2]), "Right."),
        ("shape", torch.tensor([3, 2]), "Right."),
        ("array", [1, 2], "Right."),
        ("array", torch.tensor([1.0, 2.0], requires_grad=True), "Right."),
        ("table", {"OR": 3.0, "AND": 1}, "Right."),
        ("name", " xor ", "Right."),
        ("yes", np.True_, "Right."),
        ("nand", (-1, -1, 1.5), "Right."),
    ],
)
def test_right(line, exercise, answer, expected):
    assert line(exercise, answer).startswith(expected)


# --- Wrong values, kinds, shapes and dtypes -------------------------------------------------------


def overflows(x):
    return np.exp(x) / np.exp(x).sum()


def unfinished(x): ...


def in_place(x):
    x -= x.max()
    return softmax(x)


def nested_in_place(rows, by):
    total = sum(map(sum, rows)) * by["by"]
    rows[1].append(4)
    return total


def pops(rows, by):
    return sum(map(sum, rows)) * by.pop("by")


def single(x):
    return x.astype(np.float32)


class Forgets(Counter):
    def add(self, amounts):
        return [self.total + sum(amounts), len(amounts)]


class Unfinished(Counter):
    def add(self, amounts): ...


class Misspelt(Counter):
    add = None  # pyright: ignore[reportAssignmentType]


@pytest.mark.parametrize(
    ("exercise", "answer", "expected"),
    [
        (
            "softmax",
            overflows,
            "overflows([1000.0, 0.0]) gave [nan, 0.0] (nan: not a number), expected [1.0, 0.0]. "
            "Python warned: overflow encountered in exp. Hint: what may you subtract before exp?",
        ),
        (
            "softmax",
            np.exp,
            "exp([0.0, 0.0]) gave [1.0, 1.0], expected [0.5, 0.5]. "
            "Hint: do the results sum to one?",
        ),
        (
            "softmax",
            unfinished,
            "unfinished([0.0, 0.0]) gave None: replace the ... by code that returns a result.",
        ),
        (
            "softmax",
            lambda x: ...,
            "your function([0.0, 0.0]) gave ...: replace the ... by code that returns a result.",
        ),
        ("softmax", ..., "replace the ... by your answer."),
        (
            "softmax",
            np.array([0.5, 0.5]),
            "expected a function, got a NumPy array: give its name, without calling it.",
        ),
        (
            "softmax",
            lambda x: list(softmax(x)),
            "your function([0.0, 0.0]) gave a list, expected a NumPy array of shape (2,).",
        ),
        (
            "softmax",
            lambda x: torch.tensor(softmax(x)),
            "your function([0.0, 0.0]) gave a torch.Tensor of shape (2,), "
            "expected a NumPy array of shape (2,).",
        ),
        (
            "softmax",
            lambda x: softmax(x)[None],
            "your function([0.0, 0.0]) gave a NumPy array of shape (1, 2), "
            "expected a NumPy array of shape (2,).",
        ),
        (
            "softmax",
            lambda x: np.matrix(softmax(x)),
            "your function([0.0, 0.0]) gave a matrix, expected a NumPy array of shape (2,).",
        ),
        (
            "softmax",
            lambda x: (value for value in x),
            "your function([0.0, 0.0]) gave a generator, expected a NumPy array of shape (2,).",
        ),
        (
            "softmax",
            lambda x: softmax(x).astype(np.float32),
            "your function([0.0, 0.0]) gave [0.5, 0.5] of type float32, "
            "expected [0.5, 0.5] of type float64.",
        ),
        (
            "softmax",
            lambda x: (3 * softmax(x)).astype(int),
            "your function([0.0, 0.0]) gave [1, 1] of type int64, "
            "expected [0.5, 0.5] of type float64. Hint: do the results sum to one?",
        ),
        (
            "softmax",
            in_place,
            "in_place([1000.0, 0.0]) changes its input: [1000.0, 0.0] became [0.0, -1000.0].",
        ),
        (
            "total",
            nested_in_place,
            "nested_in_place([[1, 2], [3]], {'by': 2}) changes its input: "
            "[[1, 2], [3]] became [[1, 2], [3, 4]].",
        ),
        (
            "total",
            pops,
            "pops([[1, 2], [3]], {'by': 2}) changes its input: {'by': 2} became {}.",
        ),
        (
            "tensor",
            lambda x: x.mul_(2),
            "your function([1.0, 2.0]) changes its input: [1.0, 2.0] became [2.0, 4.0].",
        ),
        ("tensor", lambda x: x.numpy() * 2, "your function([1.0, 2.0]) gave a NumPy array of"),
        (
            "tensor",
            lambda x: x.double() * 2,
            "your function([1.0, 2.0]) gave [2.0, 4.0] of type float64, "
            "expected [2.0, 4.0] of type float32.",
        ),
        (
            "square",
            lambda x: int(x * x),
            "your function(2.0) gave 4 of type int, expected 4.0 of type float.",
        ),
        (
            "square",
            lambda x: np.float32(x * x),
            "your function(2.0) gave 4.0 of type float32, expected 4.0 of type float.",
        ),
        (
            "square",
            lambda x: np.array([x * x]),
            "your function(2.0) gave a NumPy array of shape (1,), expected a single number.",
        ),
        ("square", lambda x: x * x + 1e-4, "your function(2.0) gave 4.0001, expected 4.0."),
        ("square", lambda x: float("nan"), "your function(2.0) gave nan (not a number), expected"),
        ("square", lambda x: float("inf"), "your function(2.0) gave inf (infinite), expected 4.0."),
        ("square", lambda x: "4.0", "your function(2.0) gave a str, expected a single number."),
        (
            "parity",
            lambda n: 0,
            "your function(3) gave a single number, expected a bool (True or False).",
        ),
        (
            "count",
            lambda n: True,
            "your function(3) gave a bool (True or False), expected a single number.",
        ),
        ("count", lambda n: n + 1.0, "your function(3) gave 4.0 of type float, expected 4 of type"),
        ("word", str.title, "title('ab') gave 'Ab', expected 'AB'."),
        (
            "large",
            lambda x: x * np.where(x == 7, 3.0, 2.0),
            "your function([[0.0, 1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, ...], ...] of shape (4, 5)) "
            "gave entry [1, 2] = 21.0, expected 14.0.",
        ),
        (
            "pairs",
            lambda: [(1, "a"), (3, "b")],
            "your function() gave [(1, 'a'), (3, 'b')], expected [(1, 'a'), (2, 'b')].",
        ),
        (
            "pairs",
            lambda: [(1, "a"), [2, "b"]],
            "your function() gave entry [1] = a list, expected",
        ),
        ("pairs", lambda: [(1, "a")], "your function() gave [(1, 'a')], expected [(1, 'a'), (2,"),
        (
            "many",
            lambda: list(range(19)),
            "your function() gave a list of length 19, expected a list of length 20.",
        ),
        (
            "many",
            lambda: [*range(19), 20],
            "your function() gave entry [19] = 20, expected 19.",
        ),
        (
            "counter",
            Forgets,
            "tried on 1, [2, 3], Forgets gave total = 1, expected 6.",
        ),
        (
            "counter",
            Unfinished,
            "tried on 1, [2, 3], Unfinished gave result = None, expected a list.",
        ),
        (
            "counter",
            Misspelt,
            "tried on 1, [2, 3], Misspelt stopped with TypeError: 'NoneType' object is not",
        ),
        (
            "counter",
            Counter(1),
            "expected a class, got a Counter: give its name, without calling it.",
        ),
    ],
)
def test_wrong(line, exercise, answer, expected):
    found = line(exercise, answer)
    if expected.endswith((".", "?")):
        assert found == f"Not yet: {expected}"
    else:
        assert found.startswith(f"Not yet: {expected}")


@pytest.mark.parametrize(
    ("exercise", "answer", "expected"),
    [
        ("number", 0.75, "0.75 is not right."),
        ("number", 0.2689, "0.2689 is not right. Hint: this is the other class"),
        ("number", float("nan"), "nan (not a number) is not right."),
        ("number", "0.7311", "expected a single number, got a str."),
        ("number", softmax, "expected a single number, got a function."),
        ("number", [0.7311], "expected a single number, got a list."),
        ("number", True, "expected a single number, got a bool (True or False)."),
        ("number", ..., "replace the ... by your answer."),
        ("number", None, "replace the ... by your answer."),
        ("shape", (3, ...), "replace the ... by your answer."),
        ("shape", (3, 1), "entry [1] = 1 is not right."),
        ("shape", (3, 2, 1), "expected a list of length 2, got a list of length 3."),
        ("shape", (3, "2"), "expected entry [1] = a single number, got a str."),
        ("array", (1, 3), "entry [1] = 3 is not right."),
        ("array", [[1, 2]], "expected a NumPy array of shape (2,), got a NumPy array of shape"),
        ("array", [[1], [1, 2]], "expected a NumPy array of shape (2,), got a list."),
        ("array", ["a", "b"], "expected type float64, got ['a', 'b'] of type str."),
        ("table", {"AND": 2, "OR": 3}, "AND = 2 is not right."),
        ("table", {"AND": 1}, "expected the keys ['AND', 'OR'], got the keys ['AND']."),
        ("name", "AND", "'and' is not right."),
        ("yes", 1, "expected a bool (True or False), got a single number."),
        ("yes", False, "False is not right."),
    ],
)
def test_wrong_value_is_told_without_the_right_one(line, exercise, answer, expected):
    found = line(exercise, answer)
    assert found.startswith(f"Not yet: {expected}")
