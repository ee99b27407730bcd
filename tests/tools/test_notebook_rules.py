"""What every committed notebook must be, and proof that a bad one is refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import chapters, execute, notebooks, opening

ROOT = chapters.ROOT
CHAPTERS = chapters.paths()
FIGURE = re.compile(r"<Figure size .* with \d+ Axes>")


def problems(notebook):
    """Return what is wrong with a committed notebook, one text for each problem."""
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            found.append(f"cell {index} was not executed")
        tags = cell.metadata.get("tags", [])
        texts = []
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags:
                found.append(f"cell {index} stores an error")
            if output.get("name") == "stderr":
                found.append(f"cell {index} stores output to stderr")
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                found.append(f"cell {index} stores an image")
            texts += [output.get("text", ""), *map(str, output.get("data", {}).values())]
        draws = any(FIGURE.search(text) for text in texts)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip()
        if draws and len(alt) < 20:
            found.append(f"cell {index} draws a figure without an alt text")
        most = 50 if "hide-input" in tags else 32
        if len(cell.source.splitlines()) > most:
            found.append(f"cell {index} has more than {most} lines")
        verdicts = [line for text in texts for line in text.splitlines()]
        if "exercise" in tags and not any(line.startswith("Not yet") for line in verdicts):
            found.append(f"cell {index}: the starter passes, or does not call check")
        if "solution" in tags and not any(line.startswith("Right") for line in verdicts):
            found.append(f"cell {index}: the solution does not pass, or does not call check")
        if "solution" in tags and any(line.startswith("Not yet") for line in verdicts):
            found.append(f"cell {index}: the solution does not pass")
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_follows_the_rules(path):
    assert problems(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_stored_outputs_are_those_of_the_build(path):
    kept = execute.executed(path)
    assert kept is not None, "this chapter has changed since the book was built: run make book"
    assert notebooks.differences(kept[0], nbformat.read(path, as_version=4)) == []


def test_all_chapters_know_the_same_address():
    assert len({opening.address_in(nbformat.read(path, as_version=4)) for path in CHAPTERS}) == 1


def test_chapters_are_normalised():
    assert CHAPTERS
    assert notebooks.check(CHAPTERS) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_to_the_limits(path):
    kept = execute.executed(path)
    assert kept is not None, "this chapter has changed since the book was built: run make book"
    notebook, record = kept
    assert execute.beyond_limits(path, record) == []
    assert record.processor_seconds > 0
    assert record.megabytes > 20
    drawn = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert drawn, "a chapter without a figure"


def test_the_whole_course_keeps_to_its_limit():
    records = [kept[1] for kept in map(execute.executed, CHAPTERS) if kept is not None]
    assert len(records) == len(CHAPTERS)
    assert sum(record.processor_seconds for record in records) <= execute.COURSE_SECONDS


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_its_ten_elements(path):
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = "\n".join(execute.code_of(notebook))
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for heading in ("Check it", "Experiments", "What the notes say", "Exercises", "Summary"):
        assert headings.count(heading) == 1, (heading, headings)
    assert any(heading.startswith("Self-check") for heading in headings)
    assert "What you will be able to do" in text
    assert "explore(" in code
    assert "from companion" in code
    assert tags.count("exercise") == tags.count("solution") >= 3
    assert len(re.findall(r"^### Exercise \d", text, re.MULTILINE)) >= 4
    assert 3 <= len(re.findall(r"^\*\*Question \d+\.\*\*", text, re.MULTILINE)) <= 6
    assert "{cite" in text


# Each rule must be able to fail.


def cell(source="1", *, tags=(), outputs=(), alt=None, executed=True):
    metadata = {"tags": list(tags)}
    if alt is not None:
        metadata["mystnb"] = {"image": {"alt": alt}}
    return new_code_cell(
        source,
        metadata=metadata,
        outputs=list(outputs),
        execution_count=1 if executed else None,
    )


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


DRAWING = new_output("display_data", {"text/plain": "<Figure size 704x396 with 1 Axes>"})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (cell(executed=False), "was not executed"),
        (cell(outputs=[printed("careful", "stderr")]), "output to stderr"),
        (cell(outputs=[new_output("error", ename="E", evalue="", traceback=[])]), "an error"),
        (cell(outputs=[new_output("display_data", {"image/png": "aa"})]), "stores an image"),
        (cell(outputs=[DRAWING]), "without an alt text"),
        (cell(outputs=[DRAWING], alt="a figure"), "without an alt text"),
        (cell(tags=["exercise"], outputs=[printed("Right.\n")]), "the starter passes"),
        (cell(tags=["exercise"]), "does not call check"),
        (cell(tags=["solution"], outputs=[printed("Not yet: ...\n")]), "does not pass"),
        (cell(tags=["solution"]), "does not call check"),
        (cell("\n" * 32 + "1"), "more than 32 lines"),
        (cell("\n" * 50 + "1", tags=["hide-input"]), "more than 50 lines"),
    ],
)
def test_a_bad_cell_is_found(bad, message):
    assert any(message in problem for problem in problems(new_notebook(cells=[bad])))


def test_a_good_notebook_has_no_problems():
    cells = [
        new_markdown_cell("# Title"),
        cell(outputs=[DRAWING], alt="A line that falls from left to right."),
        cell(tags=["exercise"], outputs=[printed("Not yet: it gave None\n")]),
        cell(tags=["solution"], outputs=[printed("Right.\n")]),
    ]
    assert problems(new_notebook(cells=cells)) == []


def test_normalising_removes_what_machines_add():
    image = new_output("display_data", {"image/png": "aa", "text/plain": "<Figure>"})
    bad = cell("x  \n", outputs=[printed("a"), printed("b"), image])
    bad.metadata["collapsed"] = True
    notebook = new_notebook(cells=[bad, cell("x")], metadata={"widgets": {"state": {}}})
    first = notebooks.written(notebooks.normalise(notebook))
    assert "widgets" not in first
    assert "image/png" not in first
    assert "collapsed" not in first
    assert notebook.cells[0].source == "x"
    assert notebook.cells[0].outputs[0].text == "ab"
    assert notebook.cells[0].id != notebook.cells[1].id
    assert notebooks.written(notebooks.normalise(nbformat.reads(first, as_version=4))) == first


def test_what_a_cell_makes_for_another_page_is_not_kept():
    glued = new_output("display_data", {notebooks.GLUED + "text/html": "<p>0x7f3a2c1b</p>"})
    notebook = notebooks.normalise(new_notebook(cells=[cell(outputs=[printed("a"), glued])]))
    assert [output.output_type for output in notebook.cells[0].outputs] == ["stream"]
    assert not notebooks.is_for_another_page(printed("a"))
    assert not notebooks.is_for_another_page(DRAWING)
    assert not notebooks.is_for_another_page(new_output("display_data", {}))


def test_a_memory_address_in_an_output_is_refused():
    bad = cell(outputs=[printed("<function f at 0x7f3a2c1b>")])
    with pytest.raises(ValueError, match="memory address: 0x7f3a2c1b"):
        notebooks.normalise(new_notebook(cells=[bad]))


def test_a_notebook_that_is_not_normalised_is_named(tmp_path):
    path = tmp_path / "messy.ipynb"
    notebook = new_notebook(cells=[cell()])
    path.write_text(json.dumps(notebook), "utf-8")
    [message] = notebooks.check([path])
    assert message == "messy.ipynb lacks the first cell of all chapters: run make notebooks"
    path.write_text(json.dumps(opening.put(notebook)), "utf-8")
    assert notebooks.check([path]) == ["messy.ipynb is not normalised: run make notebooks"]
    path.write_text(notebooks.written(notebooks.normalise(notebook)), "utf-8")
    assert notebooks.check([path]) == []


@pytest.mark.parametrize(
    ("stored", "came", "tags", "same"),
    [
        ("loss 0.25", "loss 0.26", (), True),
        ("loss 0.25", "loss 0.28", (), False),
        ("loss 0.25", "loss 0.28", ("rtol=0.2",), True),
        ("a", "b", (), False),
        ("a", None, (), False),
        (None, "a", (), False),
        (None, None, (), True),
    ],
)
def test_outputs_are_compared_with_the_tolerance(stored, came, tags, same):
    old, new = (
        new_notebook(cells=[cell(tags=tags, outputs=[printed(text)] if text else [])])
        for text in (stored, came)
    )
    new.cells[0].outputs.append(new_output("display_data", {"image/png": "aa"}))
    old.cells[0].outputs.append(new_output("display_data", {}))
    assert (notebooks.differences(new, old) == []) == same


def test_only_the_named_chapters_are_executed(tmp_path, monkeypatch):
    for slug in ("one", "two"):
        path = tmp_path / "book" / "toys" / f"{slug}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=[new_markdown_cell("# T"), cell(executed=False)]), path)
    toc = "parts: [{caption: Toys, chapters: [{file: book/toys/one}, {file: book/toys/two}]}]"
    (tmp_path / "_toc.yml").write_text(toc)
    ran = []
    real = chapters.paths
    monkeypatch.setattr(chapters, "ROOT", tmp_path)
    monkeypatch.setattr(chapters, "paths", lambda: real(tmp_path))
    monkeypatch.setattr(execute, "run", ran.extend)
    results = [None, (nbformat.read(path, as_version=4), None), None, None]
    monkeypatch.setattr(execute, "executed", lambda path: results.pop(0))
    monkeypatch.delenv("REPOSITORY_URL", raising=False)
    assert notebooks.main([str(tmp_path / "book" / "toys" / "two.ipynb")]) == 0
    assert ran == [path]
    with pytest.raises(SystemExit):
        notebooks.main([str(tmp_path / "book" / "toys" / "three.ipynb")])


def validate(folder: Path, source: str, text: str, tags=()) -> subprocess.CompletedProcess:
    """Run the project's notebook validation on a notebook that stores `text` as its output."""
    notebook = new_notebook(
        cells=[cell(source, tags=tags, outputs=[printed(text)] if text else [])]
    )
    path = folder / "toy.ipynb"
    path.write_text(notebooks.written(notebooks.normalise(notebook)), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "--rootdir", str(ROOT)]
    command += ["-c", str(ROOT / "pyproject.toml"), "-p", "conftest", "--nbval", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("source", "text", "tags", "passes"),
    [
        ("print(0.25)", "0.25\n", (), True),
        ("print(0.26)", "0.25\n", (), True),
        ("print(0.28)", "0.25\n", (), False),
        ("print(0.28)", "0.25\n", ("rtol=0.2",), True),
        ("print('b')", "a\n", (), False),
        ("import sys; print('careful', file=sys.stderr)", "", (), False),
        ("print(1)", "", (), False),
        (f"display({{'{notebooks.GLUED}text/html': 'a'}}, raw=True)\nprint(1)", "1\n", (), True),
        (
            "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\n"
            "except OSError as error:\n    print('the course runs offline' in str(error))",
            "True\n",
            (),
            True,
        ),
    ],
)
def test_the_validation_of_notebooks_accepts_and_refuses(tmp_path, source, text, tags, passes):
    result = validate(tmp_path, source, text, tags)
    assert result.returncode == (0 if passes else 1), result.stdout[-2000:]
    assert ("1 passed" if passes else "1 failed") in result.stdout
