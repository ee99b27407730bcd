"""`check`: run a reader's answer, compare it with what the exercise expects, print one line.

A function is tried on the exercise's fixed inputs and then on random ones, ordered by size, so that
the first failure is reported on a small input: value, shape, dtype, and that the inputs stay as
they were. A value is compared with the right one, which is never shown. Whatever the answer does
(loop for ever, raise, return None or nonsense) is answered, never raised. A number counts as right
if ``|got - expected| <= atol + rtol * |expected|``; integers are compared exactly.

Left out: any judgement of style or speed, and any guard against an answer that cheats on purpose.

Used by every chapter; first in book/basics/perceptron.ipynb.
"""

from __future__ import annotations

import copy
import difflib
import importlib
import pkgutil
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.checks.comparing import clip, count, difference, kind, leaves, same, show, title
from companion.checks.running import Finding, describe_error, first_failure

RANDOM_INPUTS = 20
LONGEST_TEXT = 10_000  # letters of an answer that are looked at; no right one has as many
INPUT_WIDTH = 80  # characters of a line spent on the arguments of a call


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """What an exercise expects: exactly one of `reference`, `expected` and `judge`.

    Parameters
    ----------
    reference : callable, optional
        For an answer that is a function or a class: one that is right.
    cases : tuple of tuple
        With `reference`: the arguments of each fixed call, the smallest first.
    generate : callable, optional
        With `reference`: ``generate(rng)`` returns the arguments (tuple) of one random call.
    run : callable, optional
        With `reference`: ``run(answer, *arguments)`` uses the answer and returns what is compared,
        perhaps a dict of named results. By default ``answer(*arguments)``.
    expected : object, optional
        For an answer that is a value: the right one. It is never shown.
    judge : callable, optional
        For an open answer: ``judge(answer)`` returns None if it will do, else what is wrong.
    tolerance : tuple of float
        Relative and absolute tolerance for numbers that are not integers.
    hints : tuple of (callable, str)
        Typical mistakes: the text of the first pair whose ``predicate(arguments, got, expected)``
        is true is added to the line. `got` is the exception if the answer raised one.
    time_limit : float
        Seconds for the whole check.
    """

    reference: Callable[..., Any] | None = None
    cases: tuple[tuple[Any, ...], ...] = ()
    generate: Callable[[np.random.Generator], tuple[Any, ...]] | None = None
    run: Callable[..., Any] | None = None
    expected: Any = None
    judge: Callable[[Any], str | None] | None = None
    tolerance: tuple[float, float] = (1e-6, 1e-8)
    hints: tuple[tuple[Callable[[tuple[Any, ...], Any, Any], Any], str], ...] = ()
    time_limit: float = 5.0

    def __post_init__(self) -> None:
        kinds = ("reference", "expected", "judge")
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none of them"
            raise ValueError(f"give exactly one of reference, expected and judge, got {got}")
        if not isinstance(self.cases, tuple):
            raise TypeError(f"cases must be a tuple of tuples of arguments, got {kind(self.cases)}")
        if self.reference is None and (self.cases or self.generate or self.run):
            raise ValueError("cases, generate and run need a reference, got none")
        if self.reference is not None and not self.cases:
            raise ValueError("a reference needs cases to run on, got none")
        for case in self.cases:
            if not isinstance(case, tuple):
                wanted = "cases: expected tuples of arguments"
                raise ValueError(f"{wanted}, got {kind(case)} among them")


@dataclass(frozen=True, repr=False)
class Verdict:
    """What `check` found: whether the answer `passed`, and the printed line as `message`."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return ""  # `check` has printed the line; as the last expression of a cell, add nothing

    def _ipython_display_(self) -> None:
        """Show nothing, not even an empty line, in a notebook."""


def check(exercise: str, answer: Any) -> Verdict:
    """Check an answer and print one line: right, or what to look at next.

    Parameters
    ----------
    exercise : str
        ``"<part>.<slug>.<exercise>"``, as the chapter gives it.
    answer : object
        The reader's function, class or value.

    Examples
    --------
    >>> check("the first one", sum)
    Traceback (most recent call last):
    ...
    ValueError: exercise: there is no 'the first one'; see the chapter for its name
    """
    found = find(exercise)
    if found.reference is None:
        problem, praise = _check_value(found, answer), ""
    else:
        problem, praise = _check_function(exercise, found, answer)
    line = f"Right{praise}." if problem is None else f"Not yet: {problem}"
    verdict = Verdict(problem is None, line)
    try:
        print(verdict.message)
    except UnicodeEncodeError:  # a console that cannot show, say, the text of the answer's error
        print(verdict.message.encode("ascii", "backslashreplace").decode())
    return verdict


def find(exercise: str) -> Exercise:
    """Import the chapter's exercises, and only these, and return the one that the id names."""
    if not isinstance(exercise, str):
        raise TypeError(f"exercise: expected an id (str), got {kind(exercise)}")
    chapter, _, name = exercise.rpartition(".")
    if re.fullmatch(r"\w+\.\w+", chapter):
        module = f"companion.exercises.{chapter}"
        try:
            exercises = importlib.import_module(module).EXERCISES
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):  # it is there; what it needs is not
                raise
        else:
            if name in exercises:
                return exercises[name]
    near = difflib.get_close_matches(exercise, every_exercise(), n=3)
    meant = f"did you mean {' or '.join(near)}?" if near else "see the chapter for its name"
    raise ValueError(f"exercise: there is no {exercise!r}; {meant}")


def every_exercise() -> dict[str, Exercise]:
    """Import all modules under `companion.exercises`; return full id to exercise."""
    package = importlib.import_module("companion.exercises")
    prefix = f"{package.__name__}."
    return {
        f"{module.name.removeprefix(prefix)}.{name}": exercise
        for module in pkgutil.walk_packages(package.__path__, prefix)
        if not module.ispkg
        for name, exercise in importlib.import_module(module.name).EXERCISES.items()
    }


def _check_function(name: str, exercise: Exercise, answer: Any) -> tuple[str | None, str]:
    """Return what is wrong (None if nothing), and what to add to "Right"."""
    reference = exercise.reference
    assert reference is not None, "an exercise without a reference has no function to compare with"
    if answer is ...:
        return "replace the ... by your answer.", ""
    if not callable(answer):
        wanted = "class" if isinstance(reference, type) else "function"
        return f"expected a {wanted}, got {kind(answer)}: give its name, without calling it.", ""
    use = exercise.run or (lambda function, *arguments: function(*arguments))
    inputs = list(exercise.cases)
    if exercise.generate is not None:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        inputs += sorted((exercise.generate(rng) for _ in range(RANDOM_INPUTS)), key=count)
    outputs = [use(reference, *copy.deepcopy(arguments)) for arguments in inputs]

    def look(arguments: tuple[Any, ...], expected: Any) -> Finding | None:
        given = copy.deepcopy(arguments)
        try:
            got = _clipped(use(answer, *given))
        except BaseException as error:
            return Finding(f"stopped with {describe_error(error, answer)}", error)
        if (got is None or got is ...) and expected is not None:
            return Finding(f"gave {show(got)}: replace the ... by code that returns a result", got)
        found = difference(got, expected, exercise.tolerance)
        if found is not None:
            return Finding(f"gave {found.where}{found.got}, expected {found.expected}", got)
        for before, after in zip(arguments, given, strict=True):
            if not same(after, before):
                text = f"changes its input: {show(before)} became {show(after)}"
                if show(before) == show(after):
                    text += " by a rounding error: keep the old value, and put it back"
                return Finding(text, got, hints_fit=False)
        return None

    calls = list(zip(inputs, outputs, strict=True))
    failure = first_failure(calls, look, hints=exercise.hints, time_limit=exercise.time_limit)
    if failure is None:
        n_fixed, n_random = len(exercise.cases), len(inputs) - len(exercise.cases)
        tried = f"{n_fixed} input{'s' if n_fixed > 1 else ''}"
        if n_random:
            tried = f"{n_fixed} fixed and {n_random} random inputs"
        return None, f": {title(answer)} does what is expected on {tried}"
    arguments, text = failure
    shown = clip(", ".join(show(argument) for argument in arguments), INPUT_WIDTH)
    if exercise.run is None:
        return f"{title(answer)}({shown}) {text}", ""
    return f"tried on {shown}, {title(answer)} {text}", ""


def _clipped(answer: Any) -> Any:
    """Cut a text before judges and hints search it, which on a long one could take for ever."""
    return answer[:LONGEST_TEXT] if isinstance(answer, str) else answer


def _check_value(exercise: Exercise, answer: Any) -> str | None:
    """Return what is wrong, or None if nothing is."""
    answer = _clipped(answer)

    def look(_: tuple[Any, ...], expected: Any) -> Finding | None:
        if answer is None or any(leaf is ... for leaf in leaves(answer)):
            return Finding("replace the ... by your answer", answer)
        if exercise.judge is None:
            found = difference(answer, expected, exercise.tolerance, by_hand=True)
            if found is None:
                return None
            if found.form:
                return Finding(f"expected {found.where}{found.form}, got {found.got}", answer)
            return Finding(f"{found.where}{found.got} is not right", answer)
        if any(isinstance(leaf, float) and leaf != leaf for leaf in leaves(answer)):
            return Finding(f"{show(answer)} contains nan, which is not a number", answer)
        try:
            complaint = exercise.judge(answer)
        except BaseException as error:
            described = describe_error(error, answer)
            return Finding(f"{show(answer)} does not work here: {described}", error)
        return None if complaint is None else Finding(complaint, answer)

    calls = [((), exercise.expected)]
    failure = first_failure(calls, look, hints=exercise.hints, time_limit=exercise.time_limit)
    return None if failure is None else failure[1]
