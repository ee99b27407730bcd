"""Checking a reader's answer to an exercise: one line, right or what to look at next.

- ``checking``: `check`, and `Exercise`, which says what is expected
- ``running``: the answer runs in a thread of its own, with a time limit, and never raises
- ``comparing``: what came against what was expected, both put briefly into words

The exercises themselves are in ``companion.exercises``.
"""

from companion.checks.checking import Exercise, Verdict, check, every_exercise

__all__ = ["Exercise", "Verdict", "check", "every_exercise"]
