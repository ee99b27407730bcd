"""What the answer files of the exercises are made of, and how they are found.

One file per chapter, ``tests/exercises/<part>/<slug>.py``, defines ``ANSWERS``: the full id of each
exercise to its `Answers`. It begins with ``from ..harness import Answers``. The folders have no
``__init__.py``: pytest's ``--import-mode=importlib`` (8.3.4 or later) makes this folder the package
``tests.exercises``, wherever it is started, so that relative imports work in it. The files' names
do not begin with ``test_``: `test_every_exercise.py` beside this file runs them all.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_LINE = 320
FEWEST_WRONG = 3


@dataclass(frozen=True)
class Answers:
    """Answers that a check must accept, and wrong ones with a part of the line that must appear.

    The right ones are written differently from the exercise's reference. The wrong ones are what a
    reader may well write; the part of the line is the hint that fits this very mistake.
    """

    right: Sequence[Any]
    wrong: Sequence[tuple[Any, str]]


def load_answers() -> dict[str, Answers]:
    """Import all answer files, and collect what they declare."""
    found: dict[str, Answers] = {}
    for path in sorted(Path(__file__).parent.glob("*/*.py")):
        module = importlib.import_module(f"{__package__}.{path.parent.name}.{path.stem}")
        chapter = f"{path.parent.name}.{path.stem}"
        for exercise, answers in module.ANSWERS.items():
            assert exercise.startswith(f"{chapter}."), f"{exercise} does not belong to {chapter}"
            found[exercise] = answers
    return found
