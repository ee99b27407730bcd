"""A notebook without the package: one line that helps, and on Colab the package itself."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import build, notebooks, opening

ADDRESS = "https://github.com/someone/course"
FOLDER = (
    "The package of this course is missing. To get it, run in the folder of the course: "
    "pip install -e ."
)
COMMAND = f'%pip install "perceptron-to-peft @ git+{ADDRESS}"'
# Runs a cell as a notebook does, in a process whose path has IPython but not the course. A name on
# the command line may stand for a stranger's package, or for Colab.
SHELL = """
import subprocess, sys, types
sys.path[:] = [one for one in sys.path if one not in ("", {root!r})]
sys.meta_path[:] = [one for one in sys.meta_path if "__editable__" not in repr(one)]
from IPython.core.interactiveshell import InteractiveShell
for name in sys.argv[1:]:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__spec__ = types.SimpleNamespace(submodule_search_locations=[])
    sys.modules[name].__path__ = []
subprocess.run = lambda command, check: print("RAN", command[1:], check)
shell = InteractiveShell()
shell.colors = "NoColor"
result = shell.run_cell({source!r})
print("STOPPED" if not result.success else "GOES ON")
"""


def run(address: str, *modules: str, root: str = str(build.ROOT)) -> list[str]:
    """Return the lines that the cell prints in a process of its own, and then how it ended."""
    program = SHELL.format(root=root, source=opening.source(address))
    command = [sys.executable, "-P", "-c", program, *modules]
    result = subprocess.run(command, cwd=build.ROOT.parent, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.mark.parametrize("modules", [(), ("companion",)], ids=["missing", "a stranger's"])
def test_one_line_says_what_is_missing_and_how_to_get_it(modules):
    assert run("", *modules) == [FOLDER, "STOPPED"]
    line, end = run(ADDRESS, *modules)
    assert line == f"The package of this course is missing. To get it, run: {COMMAND}"
    assert end == "STOPPED"


def test_on_colab_the_cell_gets_the_package():
    first, ran, end = run(ADDRESS, "google.colab")
    assert first.startswith("Fetching the package of the course")
    package = f"perceptron-to-peft @ git+{ADDRESS}"
    assert ran == f"RAN {['-m', 'pip', 'install', '--quiet', package]} True"
    assert end == "GOES ON"
    assert run("", "google.colab") == [FOLDER, "STOPPED"]


def test_where_the_package_is_there_the_cell_is_silent(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(build.ROOT))
    assert run(ADDRESS, root="nowhere") == ["GOES ON"]


def test_the_cell_is_written_as_all_cells_are(tmp_path):
    path = tmp_path / "toy.ipynb"
    notebook = opening.put(new_notebook(cells=[new_markdown_cell("# T")]))
    path.write_text(notebooks.written(notebooks.normalise(notebook)), "utf-8")
    for verb in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *verb, "--no-cache", str(path)]
        command += ["--config", str(build.ROOT / "book" / "ruff.toml")]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def test_no_hint_names_the_package_of_a_stranger():
    assert "install companion" not in opening.SOURCE.replace('"', "")


def test_the_cell_is_put_before_all_code_and_renewed_there():
    notebook = new_notebook(cells=[new_markdown_cell("# T"), new_code_cell("1")])
    assert opening.address_in(notebook) is None
    assert not opening.is_right(notebook)
    assert [c.source for c in opening.put(notebook).cells] == ["# T", opening.source(""), "1"]
    assert notebook.cells[1].metadata.tags == ["remove-cell"]
    assert opening.is_right(notebook)

    opening.put(notebook, ADDRESS)
    assert len(notebook.cells) == 3
    assert opening.address_in(notebook) == ADDRESS
    notebook.cells[1].source += "\nprint(1)"
    assert not opening.is_right(notebook)
    opening.put(notebook)  # keeps the address
    assert opening.is_right(notebook)
    assert opening.address_in(notebook) == ADDRESS


@pytest.mark.parametrize("address", ['https://a"b', "github.com/a/b", "https://a b"])
def test_a_strange_address_is_refused(monkeypatch, address):
    monkeypatch.setenv("REPOSITORY_URL", address)
    with pytest.raises(ValueError, match="REPOSITORY_URL must be an address like https"):
        opening.repository()


def test_the_published_copy_knows_the_address(tmp_path, monkeypatch):
    monkeypatch.setenv("REPOSITORY_URL", ADDRESS + "/")
    notebook = opening.put(new_notebook(cells=[new_markdown_cell("# T"), new_code_cell("1")]))
    path = build.ROOT / "book" / "basics" / "perceptron.ipynb"
    monkeypatch.setattr(build, "SOURCE", tmp_path)
    monkeypatch.setattr(build.chapters, "paths", lambda: [path])
    monkeypatch.setattr(build.execute, "executed", lambda path: (notebook, None))
    monkeypatch.setattr(build.running, "page", lambda records: "")
    build.stage(None)
    copy = nbformat.read(tmp_path / "book" / "basics" / "perceptron.ipynb", as_version=4)
    assert opening.address_in(copy) == ADDRESS
