"""Every check accepts right answers, and rejects plausible wrong ones with a hint that fits."""

from __future__ import annotations

from typing import Any

import pytest

from companion.checks import check, every_exercise

from .harness import FEWEST_WRONG, LONGEST_LINE, Answers, load_answers

ANSWERS = load_answers()
NOTHING = Answers(right=[], wrong=[])


def _cases(kind: str) -> list[Any]:
    return [
        pytest.param(exercise, case, id=f"{exercise}-{number}")
        for exercise, answers in sorted(ANSWERS.items())
        for number, case in enumerate(getattr(answers, kind), start=1)
    ]


@pytest.mark.parametrize("exercise", sorted({*every_exercise(), *ANSWERS}))
def test_has_enough_answers(exercise: str) -> None:
    assert exercise in every_exercise(), "answers to an exercise that does not exist"
    answers = ANSWERS.get(exercise, NOTHING)
    assert len(answers.right) >= 1, "no right answer in tests/exercises"
    assert len(answers.wrong) >= FEWEST_WRONG, "too few wrong answers in tests/exercises"
    assert all(hint.strip() for _, hint in answers.wrong), "a wrong answer without its hint"


@pytest.mark.parametrize(("exercise", "answer"), _cases("right"))
def test_right_answer_passes(
    exercise: str, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = check(exercise, answer)
    assert verdict.passed, verdict.message
    assert answer is not every_exercise()[exercise].reference, "the reference proves nothing"
    assert capsys.readouterr() == (f"{verdict.message}\n", "")


@pytest.mark.parametrize(("exercise", "case"), _cases("wrong"))
def test_wrong_answer_gets_its_hint(
    exercise: str, case: tuple[Any, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer, hint = case
    verdict = check(exercise, answer)
    assert not verdict.passed, "a wrong answer passed"
    assert hint in verdict.message
    assert len(verdict.message) <= LONGEST_LINE
    assert capsys.readouterr() == (f"{verdict.message}\n", "")
    assert check(exercise, answer).message == verdict.message, "the same answer, another line"
