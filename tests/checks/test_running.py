"""Answers that raise, loop, print or warn: the line comes all the same, and nothing else does."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from companion.checks import running


def divides(x):
    total = 0.0
    return x / int(total)


def exits(x):
    sys.exit("enough")


def interrupts(x):
    raise KeyboardInterrupt


def recurses(x):
    return recurses(x)


def misses(x):
    return x[{}["weights"]]


def says_much(x):
    raise ValueError("first line\n  second line " + "and so on " * 50 + "the end")


def helper(x):
    return np.linalg.inv(x)


def uses_helper(x):
    return helper(x)


def two_arguments(x, axis):
    return x


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError


def unspeakable(x):
    raise UnspeakableError


def has_address(x):
    raise ValueError(f"what is {object()}?")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            divides,
            "divides([0.0, 0.0]) gave [nan, nan] (nan: not a number), expected [0.5, 0.5]. "
            "Python warned: invalid value encountered in divide.",
        ),
        (
            lambda x: 1 // 0,
            "your function([0.0, 0.0]) stopped with ZeroDivisionError: integer division or modulo "
            "by zero (line 1 of your function: lambda x: 1 // 0,). Hint: what do you divide by?",
        ),
        (
            exits,
            "exits([0.0, 0.0]) stopped with SystemExit: enough (line 2 of exits: "
            'sys.exit("enough")).',
        ),
        (
            interrupts,
            "interrupts([0.0, 0.0]) stopped with KeyboardInterrupt (line 2 of interrupts: "
            "raise KeyboardInterrupt).",
        ),
        (
            recurses,
            "recurses([0.0, 0.0]) stopped with RecursionError: maximum recursion depth exceeded "
            "(line 2 of recurses: return recurses(x)).",
        ),
        (
            misses,
            "misses([0.0, 0.0]) stopped with KeyError: 'weights' (line 2 of misses: "
            'return x[{}["weights"]]).',
        ),
        (
            uses_helper,
            "uses_helper([0.0, 0.0]) stopped with LinAlgError: 1-dimensional array given. Array "
            "must be at least two-dimensional (line 2 of helper: return np.linalg.inv(x)).",
        ),
        (
            two_arguments,
            "two_arguments([0.0, 0.0]) stopped with TypeError: two_arguments() missing 1 required "
            "positional argument: 'axis'.",
        ),
        (
            unspeakable,
            "unspeakable([0.0, 0.0]) stopped with UnspeakableError (line 2 of unspeakable: "
            "raise UnspeakableError).",
        ),
        (
            has_address,
            "has_address([0.0, 0.0]) stopped with ValueError: what is <object object>? (line 2 of "
            'has_address: raise ValueError(f"what is {object()}?")).',
        ),
        (
            functools.partial(two_arguments, 1),
            "your function([0.0, 0.0]) gave a single number, expected a NumPy array of shape (2,).",
        ),
    ],
)
def test_error_in_one_line(line, answer, expected):
    assert line("softmax", answer) == f"Not yet: {expected}"


def test_error_in_a_function_of_a_function(line):
    def outer(x):
        def inner(x, axis):
            return x

        return inner(*[x][:1])

    assert line("softmax", outer) == (
        "Not yet: outer([0.0, 0.0]) stopped with TypeError: inner() missing 1 required positional "
        "argument: 'axis' (line 5 of outer: return inner(*[x][:1]))."
    )


def test_long_error_keeps_both_its_ends(line):
    found = line("softmax", says_much)
    assert "ValueError: first line second line and so on" in found
    assert "and so on the end (line 2 of says_much: raise ValueError(" in found
    assert len(found) < 300


def endless(x):
    while True:
        pass


let_go = threading.Event()


def clings(x):
    while not let_go.is_set():
        with contextlib.suppress(BaseException):
            while True:
                let_go.wait(0.1)
                if let_go.is_set():
                    return


def sleeps(x):
    time.sleep(1000)


def talks(x):
    while True:
        print("and again")


def test_endless_loop_is_stopped(line):
    before = set(threading.enumerate())
    started = time.monotonic()
    for answer in (endless, talks):
        assert line("softmax", answer) == (
            f"Not yet: {answer.__name__}([0.0, 0.0]) took more than 1 s: "
            "is there an endless loop? Hint: when does it stop?"
        )
    for thread in {*threading.enumerate()} - before:
        thread.join(timeout=1.0)  # it may be on its last step
        assert not thread.is_alive(), "a loop still runs"
    assert time.monotonic() - started < 10


def test_loop_that_swallows_all_exceptions_is_answered(line):
    before = threading.active_count()
    try:
        assert line("softmax", clings).startswith("Not yet: clings([0.0, 0.0]) took more than 1 s")
        assert threading.active_count() == before + 1, "it was stopped, so this tests nothing"
    finally:
        let_go.set()


def test_long_sleep_is_left_behind(line):
    started = time.monotonic()
    assert line("softmax", sleeps).startswith("Not yet: sleeps([0.0, 0.0]) took more than 1 s")
    assert time.monotonic() - started < 5


def test_endless_on_one_input_only_names_it(line):
    def stuck_on_large(x):
        while x.max() > 700:
            pass
        return np.exp(x) / np.exp(x).sum()

    found = line("softmax", stuck_on_large)
    assert found.startswith("Not yet: stuck_on_large([1000.0, 0.0]) took more than 1 s: is there")


def test_too_slow_without_an_endless_loop(line):
    def slow(x):
        time.sleep(0.06)
        shifted = np.exp(x - x.max())
        return shifted / shifted.sum()

    assert "took more than 1 s for all inputs together: it is too slow." in line("softmax", slow)


def test_judge_that_meets_an_endless_loop_or_an_error(line):
    assert line("nand", (1, 2)) == (
        "Not yet: (1, 2) does not work here: ValueError: not enough values to unpack "
        "(expected 3, got 2)."
    )
    assert line("nand", 3).startswith("Not yet: 3 does not work here: TypeError: cannot unpack")
    assert line("nand", (1, 1, float("nan"))) == (
        "Not yet: (1, 1, nan) contains nan, which is not a number."
    )
    assert line("nand", (1, 1, ...)) == "Not yet: replace the ... by your answer."
    assert line("nand", (1, 1, -1)) == "Not yet: one of the four inputs comes out wrong."

    class Sticky(float):
        def __mul__(self, other):
            while True:
                pass

    assert line("nand", (Sticky(1), 1, 1)).startswith("Not yet: took more than 1 s")


def test_output_of_the_answer_is_swallowed(line):
    def chatty(x):
        print("looking at", x)
        print("a warning", file=sys.stderr)
        sys.stdout.write("more")
        return x * x

    assert line("square", chatty).startswith("Right: chatty")
    assert sys.stdout is not None


def test_warnings_of_the_answer_do_not_come_out(line):
    def warns(x):
        warnings.warn("be careful", RuntimeWarning, stacklevel=2)
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        return x * x

    def warns_and_errs(x):
        return warns(x) + 1

    filters = list(warnings.filters)
    assert line("square", warns).startswith("Right: warns")
    assert line("square", warns_and_errs) == (
        "Not yet: warns_and_errs(2.0) gave 5.0, expected 4.0. Python warned: be careful."
    )
    assert warnings.filters == filters


def test_warning_of_another_call_is_not_mentioned(line):
    def warns_first(x):
        if x == 2.0:
            warnings.warn("only here", RuntimeWarning, stacklevel=2)
        return 4.0

    assert line("square", warns_first) == ("Not yet: warns_first(0.1) gave 4.0, expected 0.01.")


def test_result_that_cannot_be_compared(line):
    class Nasty(list):
        def __len__(self):
            raise MemoryError("too long to count")

        def __iter__(self):
            raise MemoryError("too long to read")

    assert line("square", lambda x: Nasty()).startswith("Not yet: your function(2.0) gave a Nasty")
    cyclic: list = [(1, "a")]
    cyclic.append(cyclic)
    assert line("pairs", lambda: cyclic).startswith("Not yet: your function() gave entry [1] = a l")
    assert line("pairs", lambda: [cyclic, cyclic]).startswith("Not yet: your function() gave entry")
    assert line("many", lambda: Nasty()).startswith("Not yet: your function() gave a Nasty")
    assert line("array", Nasty()).startswith("Not yet: gave something that cannot be compared: Mem")


def test_hint_that_fails_is_passed_over():
    calls = [((), 1)]
    hints = [
        (lambda args, got, expected: got.shape, "of arrays"),
        (lambda args, got, expected: got > expected, "too large"),
        (lambda args, got, expected: True, "never reached"),
    ]
    found = running.first_failure(
        calls, lambda *_: running.Finding("gave 2", 2), hints=hints, time_limit=1.0
    )
    assert found == ((), "gave 2. Hint: too large")
