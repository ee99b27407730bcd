"""`check` as a chapter uses it: ids, exercises, verdicts, in a script and in a notebook."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest

import companion.exercises
from companion.checks import Exercise, Verdict, check, checking, every_exercise

ROOT = Path(__file__).parents[2]

TOY = """
import numpy as np
from companion.checks import Exercise, check, checking
def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()
toy = Exercise(reference=softmax, cases=((np.array([1000.0, 0.0]),),), time_limit=1.0)
checking.find = lambda exercise: toy
def overflows(x):
    return np.exp(x) / np.exp(x).sum()
"""


def run_script(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- Ids and exercises ----------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one chapter, in place of the real one."""
    part = tmp_path / "toys"
    part.mkdir()
    (part / "__init__.py").write_text("", encoding="utf-8")
    (part / "networks.py").write_text(
        "from companion.checks import Exercise\nEXERCISES = {'softmax': Exercise(expected=3)}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(companion.exercises, "__path__", [str(tmp_path)])
    yield part
    for name in [name for name in sys.modules if name.startswith("companion.exercises.toys")]:
        del sys.modules[name]


def test_exercise_is_found_by_its_id(course, capsys):
    assert check("toys.networks.softmax", 3).passed
    assert capsys.readouterr().out == "Right.\n"
    assert list(every_exercise()) == ["toys.networks.softmax"]


@pytest.mark.parametrize(
    "exercise",
    ["toys.networks.softmaks", "toys.network.softmax", "toy.networks.softmax", "networks.softmax"],
)
def test_unknown_id_names_the_near_ones(course, exercise):
    message = f"there is no '{exercise}'; did you mean toys.networks.softmax"
    with pytest.raises(ValueError, match=message):
        check(exercise, 3)


@pytest.mark.parametrize("exercise", ["", "...", "a.b.c", "basics/networks/softmax", "basics..x"])
def test_unknown_id_without_near_ones(exercise):
    with pytest.raises(ValueError, match="exercise: there is no"):
        check(exercise, 3)


def test_id_must_be_a_text():
    with pytest.raises(TypeError, match=r"exercise: expected an id \(str\), got a function"):
        check(len, 3)  # pyright: ignore[reportArgumentType]


def test_missing_installation_is_not_taken_for_an_unknown_id(course, monkeypatch):
    monkeypatch.setattr(checking, "every_exercise", dict)
    (course / "broken.py").write_text("import not_installed", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="not_installed"):
        check("toys.broken.softmax", 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "exactly one of reference, expected and judge, got none of them"),
        ({"expected": 1, "judge": len}, "exactly one of .*, got expected and judge"),
        ({"reference": len}, "a reference needs cases to run on"),
        ({"expected": 1, "cases": ((1,),)}, "need a reference, got none"),
        ({"reference": len, "cases": ([1],)}, "expected tuples of arguments, got a list"),
    ],
)
def test_exercise_must_be_complete(fields, message):
    with pytest.raises(ValueError, match=message):
        Exercise(**fields)


# --- Which input is reported ----------------------------------------------------------------------


def test_smallest_random_input_is_reported(toys, capsys):
    def wrong_from_three(x):
        shifted = np.exp(x - x.max())
        return shifted / shifted.sum() * (1 if len(x) < 3 else 2)

    lines = {check("softmax", wrong_from_three).message for _ in range(3)}
    assert len(lines) == 1, "the same answer must get the same line"
    call = lines.pop().split("gave")[0]
    assert call.count(",") == 2, "the smallest wrong input has three numbers"


def test_random_inputs_depend_on_the_id_alone(toys, capsys):
    seen: list[list[float]] = []

    def remembers(x):
        seen.append(x.tolist())
        shifted = np.exp(x - x.max())
        return shifted / shifted.sum()

    assert check("softmax", remembers).passed
    first, seen = seen, []
    np.random.seed(0)  # noqa: NPY002 - what the notebook draws must not matter
    assert check("softmax", remembers).passed
    assert first == seen
    assert len(first) == 2 + checking.RANDOM_INPUTS
    sizes = [len(x) for x in first[2:]]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 3


def test_inputs_of_the_exercise_survive_a_bad_answer(toys, capsys):
    def spoils(x):
        x[:] = 7.0
        return x

    assert not check("softmax", spoils).passed
    assert toys["softmax"].cases[0][0].tolist() == [0.0, 0.0]


# --- One line, everywhere -------------------------------------------------------------------------


def test_verdict_says_nothing_by_itself():
    verdict = Verdict(True, "Right.")
    assert repr(verdict) == ""
    assert verdict._ipython_display_() is None


def test_console_that_cannot_show_the_line(toys, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    check("word", lambda text: "한글")
    sys.stdout.flush()
    assert raw.getvalue().splitlines() == [
        rb"Not yet: your function('ab') gave '\ud55c\uae00', expected 'AB'."
    ]


def test_script_prints_one_line_and_nothing_to_stderr():
    done = run_script(TOY + 'check("toy", overflows)', "-W", "always")
    assert done.stderr == ""
    assert done.stdout == (
        "Not yet: overflows([1000.0, 0.0]) gave [nan, 0.0] (nan: not a number), "
        "expected [1.0, 0.0]. Python warned: overflow encountered in exp.\n"
    )
    assert done.returncode == 0


def test_script_ends_although_an_answer_sleeps():
    done = run_script(TOY + 'import time\ncheck("toy", lambda x: time.sleep(1000))')
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Not yet: your function([1000.0, 0.0]) took more than 1 s")


def test_stopping_the_cell_stops_the_answer():
    done = run_script(
        TOY
        + """
import _thread, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
toy = Exercise(reference=softmax, cases=toy.cases, time_limit=30.0)
def endless(x):
    while True: pass
timer = threading.Timer(0.3, _thread.interrupt_main)
timer.start()
try:
    check("toy", endless)
except KeyboardInterrupt:
    for thread in threading.enumerate()[1:]:
        thread.join(timeout=5.0)
    print("stopped", threading.active_count())
"""
    )
    assert (done.stdout, done.stderr) == ("stopped 1\n", "")


def test_notebook_shows_one_line_per_check():
    cells = [
        TOY + "answer = check('toy', softmax)",
        "check('toy', overflows)",
        "check('toy', softmax)",
        "def unfinished(x):\n    ...\n\ncheck('toy', unfinished)",
        "def endless(x):\n    while True:\n        print(x)\n\ncheck('toy', endless)",
        "def divides(x):\n    return 1 // 0\n\ncheck('toy', divides)",
        "def stops(x):\n    raise KeyboardInterrupt\n\ncheck('toy', stops)",
        "answer.passed",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=60, resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert all(len(output) == 1 for output in outputs)
    assert outputs.pop()[0].data == {"text/plain": "True"}
    assert {(output[0].output_type, output[0].name) for output in outputs} == {("stream", "stdout")}
    lines = [output[0].text for output in outputs]
    assert all(line.count("\n") == 1 for line in lines)
    assert lines[0] == lines[2] == "Right: softmax does what is expected on 1 input.\n"
    assert lines[1].startswith("Not yet: overflows([1000.0, 0.0]) gave [nan, 0.0]")
    assert lines[3].endswith("gave None: replace the ... by code that returns a result.\n")
    assert lines[4].endswith("took more than 1 s: is there an endless loop?\n")
    assert lines[5].endswith("by zero (line 2 of divides: return 1 // 0).\n")
    assert lines[6].endswith("KeyboardInterrupt (line 2 of stops: raise KeyboardInterrupt).\n")


def test_importing_is_light():
    done = run_script(
        """
        import sys, companion.checks
        print([name for name in ("torch", "matplotlib", "IPython") if name in sys.modules])
        """
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


# --- Long texts -----------------------------------------------------------------------------------


def shout(text):
    raise ValueError(text)


@pytest.mark.parametrize(
    "answer",
    ["x" * 10**6, "<locals" * 10**5, lambda *_: "x" * 10**6, lambda *_: shout("<locals" * 10**5)],
    ids=["text", "repeated text", "returned text", "text of an error"],
)
@pytest.mark.parametrize("part", ["backpropagation.outer_backward", "challenges.clip"])
def test_a_text_of_a_million_letters_is_answered_at_once(answer, part, capsys):
    started = time.process_time()
    assert not check(f"basics.{part}", answer).passed
    assert time.process_time() - started < 1
    assert len(capsys.readouterr().out) < 500


def test_a_judge_sees_no_more_of_a_text_than_it_can_search(monkeypatch):
    seen = []
    judged = Exercise(judge=lambda answer: seen.append(len(answer)))
    monkeypatch.setattr(checking, "find", lambda exercise: judged)
    assert check("toy", "x" * 10**6).passed
    assert seen == [checking.LONGEST_TEXT]
