"""The execution of chapters: a stale output must be impossible, and a bad chapter must fail."""

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import chapters, execute


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

    shutil.copytree(chapters.ROOT / "companion", tmp_path / "companion")
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


def test_the_fingerprint_changes_with_the_models_of_our_own_that_a_chapter_names(copy):
    folder = copy / "companion" / "models" / "toy-model"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"1")
    named = notebook('from companion.weights import find\nfind("toy-model")')
    other = notebook('from companion.weights import find\nfind("another-model")')
    before = [execute.fingerprint(toy, copy) for toy in (named, other)]
    (folder / "model.safetensors").write_bytes(b"2")
    after = [execute.fingerprint(toy, copy) for toy in (named, other)]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_list_of_published_models_is_part_of_the_fingerprint(copy):
    toy = notebook('from companion.weights import find\nfind("minilm")')
    before = execute.fingerprint(toy, copy)
    module = copy / "companion" / "weights" / "published.py"
    module.write_text(module.read_text("utf-8").replace("0.1.2", "0.1.3"), "utf-8")
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


BURN = "import time\nwhile time.process_time() < {}: pass"


def test_a_notebook_is_executed_and_measured(tmp_path):
    path = written(tmp_path, "print('a')", "import time; time.sleep(1.5)", BURN.format(2))
    result, record = execute.execute(path)
    assert result.cells[1].outputs[0].text == "a\n"
    assert record.seconds > 1.5
    assert len(record.cell_seconds) == 3
    assert record.cell_seconds[1] < 0.5, "a cell that sleeps needs no processor"
    assert 0.3 < record.cell_seconds[2] < 2.5
    assert record.processor_seconds == pytest.approx(sum(record.cell_seconds))
    assert record.megabytes > 20


@pytest.mark.parametrize("end", ["child.wait()", "time.sleep(1.5)"])
def test_what_children_compute_counts(tmp_path, end):
    code = f"exec({BURN.format(1)!r}); time.sleep(2)"
    start = (
        f"import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', {code!r}])"
    )
    _, record = execute.execute(written(tmp_path, f"{start}\n{end}"))
    if end != "child.wait()" or sys.platform == "linux":  # elsewhere, an ended child is not seen
        assert record.processor_seconds > 0.8


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


def test_a_slow_machine_builds_all_the_same(tmp_path, monkeypatch, capsys):
    """A chapter beyond the limits is executed and kept; the build only mentions it."""
    path = written(tmp_path, "import time", BURN.format(2))
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "LIMITS", execute.Limits(0.1, 1))
    assert execute._run(path) is None
    out = capsys.readouterr().out
    assert re.search(r"toy.ipynb is slow: \d s of processor time, the course allows 0 s\n", out)
    assert re.search(r"toy.ipynb is large: \d+ MB, the course allows 1 MB\n", out)
    kept = execute.executed(path, root=tmp_path)
    assert kept is not None
    assert len(execute.beyond_limits(path, kept[1])) == 2


def test_nothing_is_said_of_a_chapter_within_the_limits(tmp_path):
    record = execute.Record("", 1e9, 60.0, 2048.0, [])  # the clock alone has run for years
    assert execute.beyond_limits(tmp_path / "toys" / "toy.ipynb", record) == []


def test_the_clock_stops_only_what_hangs():
    assert 60 * execute.LIMITS.seconds <= execute.HANG_SECONDS


def test_what_takes_longest_is_begun_first(monkeypatch):
    begun = []
    monkeypatch.setattr(execute, "LARGE", ("toys.c",))
    monkeypatch.setattr(execute, "ProcessPoolExecutor", lambda workers: Pool(begun))
    execute.run([Path(f"toys/{name}.ipynb") for name in "acb"], workers=2)
    assert [path.stem for path in begun] == ["c", "a", "b"]


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


def test_the_large_chapters_are_chapters():
    assert {*execute.LARGE} <= {*chapters.names()}
    for path in chapters.paths():
        large = execute.name_of(path) in execute.LARGE
        assert execute.limits_of(path) == ((180, 3072) if large else (60, 2048))


@pytest.mark.parametrize("before", [None, "2"])
@pytest.mark.parametrize("name", execute.THREADS)
def test_kernels_use_one_thread_each(monkeypatch, name, before):
    monkeypatch.delenv(name, raising=False)
    if before:
        monkeypatch.setenv(name, before)
    with execute._one_thread_each():
        assert os.environ[name] == "1"
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
