"""Toy exercises, and what every printed verdict must keep to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from companion.checks import Exercise, check, checking


def softmax(x):
    exponentials = np.exp(x - x.max())
    return exponentials / exponentials.sum()


class Counter:
    def __init__(self, start):
        self.total = start

    def add(self, amounts):
        for amount in amounts:
            self.total += amount
        return [self.total, len(amounts)]


def use_counter(answer, start, amounts):
    counter = answer(start)
    return {"result": counter.add(amounts), "total": counter.total}


def judge_nand(answer):
    w1, w2, bias = answer
    right = all((w1 * a + w2 * b + bias > 0) != (a and b) for a in (0, 1) for b in (0, 1))
    return None if right else "one of the four inputs comes out wrong"


def draw(rng):
    return (rng.normal(size=rng.integers(1, 9)),)


TOYS = {
    "softmax": Exercise(
        reference=softmax,
        cases=((np.array([0.0, 0.0]),), (np.array([1000.0, 0.0]),)),
        generate=draw,
        hints=(
            (lambda args, got, _: args[0].max() > 700, "what may you subtract before exp?"),
            (lambda args, got, _: abs(got.sum() - 1) > 0.1, "do the results sum to one?"),
            (lambda args, got, _: isinstance(got, ZeroDivisionError), "what do you divide by?"),
            (lambda args, got, _: isinstance(got, TimeoutError), "when does it stop?"),
        ),
        time_limit=1.0,
    ),
    "square": Exercise(reference=lambda x: x * x, cases=((2.0,), (0.1,))),
    "parity": Exercise(reference=lambda n: n % 2 == 0, cases=((3,),)),
    "count": Exercise(reference=lambda n: n + 1, cases=((3,),)),
    "word": Exercise(reference=lambda text: text.upper(), cases=(("ab",),)),
    "counter": Exercise(reference=Counter, run=use_counter, cases=((1, [2, 3]),)),
    "total": Exercise(
        reference=lambda rows, by: sum(map(sum, rows)) * by["by"],
        cases=(([[1, 2], [3]], {"by": 2}),),
    ),
    "noise": Exercise(
        reference=lambda rng, n: rng.normal(size=n), cases=((np.random.default_rng(0), 3),)
    ),
    "tensor": Exercise(reference=lambda x: x * 2, cases=((torch.tensor([1.0, 2.0]),),)),
    "large": Exercise(reference=lambda x: x * 2.0, cases=((np.arange(20.0).reshape(4, 5),),)),
    "pairs": Exercise(reference=lambda: [(1, "a"), (2, "b")], cases=((),)),
    "many": Exercise(reference=lambda: list(range(20)), cases=((),)),
    "number": Exercise(
        expected=0.7311,
        tolerance=(0.0, 0.005),
        hints=((lambda args, got, _: args == () and got == 0.2689, "this is the other class"),),
    ),
    "shape": Exercise(expected=(3, 2)),
    "array": Exercise(expected=np.array([1.0, 2.0])),
    "table": Exercise(expected={"AND": 1, "OR": 3}),
    "name": Exercise(expected="XOR"),
    "yes": Exercise(expected=True),
    "nand": Exercise(judge=judge_nand, time_limit=1.0),
}


@pytest.fixture
def toys(monkeypatch):
    """Let `check` find the toys instead of the course's exercises."""
    monkeypatch.setattr(checking, "find", TOYS.__getitem__)
    return TOYS


@pytest.fixture
def line(toys, capsys):
    """Check an answer; give the one line that was printed, after making sure that it is one."""

    def run(exercise: str, answer: Any) -> str:
        verdict = check(exercise, answer)
        out, err = capsys.readouterr()
        assert err == ""
        assert out == f"{verdict.message}\n"
        assert out.count("\n") == 1
        assert verdict.passed == out.startswith("Right")
        assert verdict.passed != out.startswith("Not yet: ")
        return verdict.message

    return run
