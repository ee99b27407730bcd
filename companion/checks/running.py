"""Running a reader's answer so that it can do no harm to the notebook.

The answer runs in a thread of its own. When its time is up, the thread is sent an exception, again
and again; a thread that resists is left behind. What the answer prints is swallowed, and so are
warnings; a RuntimeWarning (an overflow, say) is mentioned if the result is wrong.

Left out: a single call into C that never gives up Python's global lock, such as
``sum(range(10**12))``, cannot be interrupted from another thread; only the kernel's restart can.

Used by every chapter; first in book/basics/perceptron.ipynb.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import linecache
import re
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from companion.checks.comparing import clip

ATTEMPTS_TO_STOP = 100
ERROR_WIDTH = 110  # characters of a line spent on an error's text

Call = tuple[tuple[Any, ...], Any]  # the arguments of a call, and what is expected of it
Hints = Sequence[tuple[Callable[[tuple[Any, ...], Any, Any], Any], str]]


class Finding(NamedTuple):
    """What is wrong with the answer on one call: in words, and the result or exception."""

    text: str
    got: Any
    hints_fit: bool = True  # False if the text already says it all


def first_failure(
    calls: Sequence[Call],
    look: Callable[[tuple[Any, ...], Any], Finding | None],
    *,
    hints: Hints,
    time_limit: float,
) -> tuple[tuple[Any, ...], str] | None:
    """Look at one call after the other, until something is wrong.

    ``look(arguments, expected)`` runs the answer and returns what is wrong, or None. Returned are
    the arguments of the first call that fails, and what to say about it; None if none does. The
    time limit, in seconds, is that of all calls together.

    Examples
    --------
    >>> calls = [((4,), 2), ((9,), 3)]
    >>> look = lambda arguments, expected: Finding(f"not {expected}", 0) if expected > 2 else None
    >>> first_failure(calls, look, hints=[], time_limit=1.0)
    ((9,), 'not 3.')
    """
    failure: tuple[tuple[Any, ...], str] | None = None
    current, since = calls[0], time.monotonic()

    def work() -> None:
        nonlocal failure, current, since
        for current in calls:
            since, n_warnings = time.monotonic(), len(caught)
            try:
                finding = look(*current)
            except Exception as error:  # an object that cannot even be compared or shown
                text = f"gave something that cannot be compared: {describe_error(error, None)}"
                finding = Finding(text, error)
            if finding is not None:
                raised = (w for w in caught[n_warnings:] if issubclass(w.category, RuntimeWarning))
                warning = next(raised, None)
                if warning is not None:
                    text = f"{finding.text}. Python warned: {clip(str(warning.message))}"
                    finding = finding._replace(text=text)
                failure = current[0], _with_hint(finding, current, hints)
                return

    silence = _Silence()
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
    ):
        warnings.simplefilter("always")
        finished = _finishes(work, time_limit)
    if finished:
        return failure
    text = f"took more than {time_limit:g} s"
    if time.monotonic() - since > time_limit / 2:
        text += ": is there an endless loop?"
    else:
        text += " for all inputs together: it is too slow"
    return current[0], _with_hint(Finding(text, TimeoutError()), current, hints)


def describe_error(error: BaseException, answer: Any) -> str:
    """Put an error into one line, with the innermost line of the reader's code that led to it.

    Line breaks, memory addresses and the names of surrounding functions are left out. The code of
    the module of `answer`, and of the notebook, is the reader's.
    """
    try:
        text = str(error)
    except Exception:
        text = ""
    if len(text) > 20 * ERROR_WIDTH:  # before the search below, which is slow on a long text
        text = f"{text[: 10 * ERROR_WIDTH]} {text[-10 * ERROR_WIDTH :]}"
    text = " ".join(text.split())
    text = re.sub(r"\S*<locals>\.| at 0x[0-9a-fA-F]+", "", text)
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if len(text) > ERROR_WIDTH:  # the sizes that do not fit often stand at the end
        text = f"{text[: ERROR_WIDTH // 2]}...{text[-ERROR_WIDTH // 2 :]}"
    if not callable(answer):
        return text
    modules = {"__main__", getattr(answer, "__module__", None)}
    steps = traceback.walk_tb(error.__traceback__)
    own = [(step.f_code, line) for step, line in steps if step.f_globals.get("__name__") in modules]
    if not own:
        return text
    code, line = own[-1]
    function = code.co_qualname.rpartition("<locals>.")[2].replace("<lambda>", "your function")
    source = clip(linecache.getline(code.co_filename, line), 44)
    source = f": {source}" if source else ""
    return f"{text} (line {line - code.co_firstlineno + 1} of {clip(function, 40)}{source})"


class _Silence(io.TextIOBase):
    """Where the answer's own output goes, so that the verdict is the only line."""

    def write(self, text: str, /) -> int:
        return len(text)


def _finishes(work: Callable[[], None], seconds: float) -> bool:
    """Run `work` in a thread. When the time is up, stop it, or leave it behind if it resists."""
    done = threading.Event()  # a thread that was joined in vain may be taken for a dead one

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + seconds
        while not done.is_set() and time.monotonic() < deadline:
            done.wait(0.05)  # in slices: on Windows, a long wait cannot be interrupted
        return done.is_set()
    finally:  # also when the reader stops the cell
        for _ in range(0 if done.is_set() else ATTEMPTS_TO_STOP):
            # SystemExit, because a thread that ends with it ends without a word.
            n_threads = ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
            )
            if n_threads == 0 or done.wait(0.005):
                break


def _with_hint(finding: Finding, call: Call, hints: Hints) -> str:
    """Make a sentence of the finding, and add the first hint that fits."""
    text = finding.text if finding.text.endswith((".", "?", "!")) else f"{finding.text}."
    for predicate, hint in hints if finding.hints_fit else ():
        with contextlib.suppress(Exception):  # a predicate about arrays, where there is none
            if predicate(call[0], finding.got, call[1]):
                return f"{text} Hint: {hint}"
    return text
