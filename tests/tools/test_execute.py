"""The execution of chapters: a stale output must be impossible, and a bad chapter must fail."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import execute


def notebook(*sources):
    cells = [new_markdown_cell("# Toy"), *(new_code_cell(source) for source in sources)]
    return new_notebook(cells=cells)


def test_imports_are_followed_to_everything_below():
    modules = execute.companion_modules(["from companion.basics.networks import MLP\nMLP"])
    assert {"companion", "companion.basics", "companion.basics.networks"} <= modules
    assert "companion.explorer" not in modules


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import companion.figures", "companion.figures"),
        ("from companion import figures", "companion.figures"),
        ("%matplotlib inline\nfrom companion.explorer import explore", "companion.explorer"),
        ("def f():\n    from companion.checks import check", "companion.checks"),
        ("check('basics.networks.softmax', f)", "companion.exercises.basics.networks"),
        ("check('basics.networks.softmax', f)", "companion.basics.networks"),
    ],
)
def test_every_way_to_import_counts(source, module):
    assert module in execute.companion_modules([source])


@pytest.fixture
def copy(tmp_path):
    """Return a root folder with a copy of the package."""
    import shutil

    shutil.copytree(execute.ROOT / "companion", tmp_path / "companion")
    return tmp_path


def test_the_fingerprint_changes_with_what_outputs_depend_on(copy):
    toy = notebook("from companion.basics.networks import softmax")
    before = execute.fingerprint(toy, copy)
    assert execute.fingerprint(toy, copy) == before

    toy.cells[0].source = "# Another text"
    assert execute.fingerprint(toy, copy) == before, "text does not need a new execution"

    (copy / "companion" / "explorer.py").write_text("# changed, but not imported")
    assert execute.fingerprint(toy, copy) == before

    module = copy / "companion" / "basics" / "networks.py"
    module.write_text(module.read_text("utf-8") + "\n")
    assert execute.fingerprint(toy, copy) != before


def test_the_fingerprint_changes_with_the_code_and_the_versions(monkeypatch):
    before = execute.fingerprint(notebook("1 + 1"))
    assert execute.fingerprint(notebook("1 + 2")) != before
    assert execute.fingerprint(notebook("1", "+ 1")) != before
    monkeypatch.setattr(execute, "installed", lambda: "numpy==0.0.1")
    assert execute.fingerprint(notebook("1 + 1")) != before


def written(folder, *sources):
    path = folder / "book" / "toys" / "toy.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(*sources), path)
    return path


def test_a_notebook_is_executed_and_measured(tmp_path):
    path = written(tmp_path, "print('a')", "import time; time.sleep(0.3)")
    result, record = execute.execute(path)
    assert result.cells[1].outputs[0].text == "a\n"
    assert 0.3 < record.seconds < 5
    assert len(record.cell_seconds) == 2
    assert record.megabytes > 20


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "(?s)toy.ipynb: cell 1 failed.*ZeroDivisionError"),
        ("import sys; print('careful', file=sys.stderr)", "writes to stderr: careful"),
        ("import urllib.request as u; u.urlopen('http://192.0.2.1')", "the course runs offline"),
    ],
)
def test_a_bad_chapter_fails(tmp_path, source, message):
    with pytest.raises(execute.ChapterError, match=message):
        execute.execute(written(tmp_path, source))


def test_a_chapter_over_a_limit_fails(tmp_path, monkeypatch):
    path = written(tmp_path, "import time; time.sleep(0.2)")
    monkeypatch.setattr(execute, "MAXIMUM_SECONDS", 0.1)
    with pytest.raises(execute.ChapterError, match=r"runs 0 s, at most 0 s"):
        execute.execute(path)
    monkeypatch.setattr(execute, "MAXIMUM_SECONDS", 60.0)
    monkeypatch.setattr(execute, "MAXIMUM_MEGABYTES", 1.0)
    with pytest.raises(execute.ChapterError, match=r"needs \d+ MB, at most 1 MB"):
        execute.execute(path)


def test_a_chapter_that_is_slow_beside_others_gets_a_second_run_alone(monkeypatch):
    alone = []

    class Pool:
        def __init__(self, workers):
            assert workers == 2

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def map(self, function, paths):
            slow = execute.TooSlowError("a.ipynb: runs 90 s, at most 60 s")
            return [slow, execute.ChapterError("b.ipynb: cell 1 failed")]

    monkeypatch.setattr(execute, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(execute, "_run", alone.append)
    with pytest.raises(execute.ChapterError, match=r"^b\.ipynb: cell 1 failed$"):
        execute.run([Path("a.ipynb"), Path("b.ipynb")], workers=2)
    assert alone == [Path("a.ipynb")]


def test_what_takes_longest_is_begun_first(monkeypatch):
    begun = []
    monkeypatch.setattr(execute, "LONGER", {"c.ipynb": 90.0})
    monkeypatch.setattr(execute, "ProcessPoolExecutor", lambda workers: Pool(begun))
    execute.run([Path("a.ipynb"), Path("c.ipynb"), Path("b.ipynb")], workers=2)
    assert begun == [Path("c.ipynb"), Path("a.ipynb"), Path("b.ipynb")]


class Pool:
    """Notes what it is given, and runs nothing."""

    def __init__(self, begun):
        self.begun = begun

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def map(self, function, paths):
        self.begun += paths
        return [None] * len(paths)


def test_only_chapters_of_the_book_may_take_longer():
    names = [path.name for path in execute.chapters()]
    assert all(names.count(name) == 1 for name in execute.LONGER)
    for path in execute.chapters():
        wanted = execute.LONGER.get(path.name, execute.MAXIMUM_SECONDS)
        assert execute.maximum_seconds(path) == wanted >= execute.MAXIMUM_SECONDS


@pytest.mark.parametrize("before", [None, "2"])
@pytest.mark.parametrize("name", execute.THREADS)
def test_kernels_side_by_side_use_one_thread_each(monkeypatch, name, before):
    monkeypatch.delenv(name, raising=False)
    if before:
        monkeypatch.setenv(name, before)
    with execute._one_thread_each(True):
        assert os.environ[name] == "1"
    assert os.environ.get(name) == before
    with execute._one_thread_each(False):
        assert os.environ.get(name) == before


def test_kept_outputs_are_used_only_while_they_hold(tmp_path):
    import json
    from dataclasses import asdict

    path = written(tmp_path, "print('a')")
    assert execute.executed(path, root=tmp_path) is None
    result, record = execute.execute(path)
    place = tmp_path / "_build" / "executed" / "toys" / "toy.ipynb"
    place.parent.mkdir(parents=True)
    nbformat.write(result, place)
    place.with_suffix(".json").write_text(json.dumps(asdict(record)))

    kept = execute.executed(path, root=tmp_path)
    assert kept is not None
    assert kept[0].cells[1].outputs[0].text == "a\n"

    changed = nbformat.read(path, as_version=4)
    changed.cells[0].source = "# New text"
    nbformat.write(changed, path)
    kept = execute.executed(path, root=tmp_path)
    assert kept is not None
    assert kept[0].cells[0].source == "# New text"

    written(tmp_path, "print('b')")
    assert execute.executed(path, root=tmp_path) is None
