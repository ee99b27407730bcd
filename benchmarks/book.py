"""How long the book needs to build: cold, again, and after an edit.

Measured in a copy of the working tree, so that nothing of an earlier build helps. The environment
is installed already; the scripts of the site are fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat

from benchmarks.harness import Result, hold, seconds
from tools.chapters import ROOT

CHAPTER = Path("book/basics/perceptron.ipynb")


def measure() -> list[Result]:
    """Build a copy of the book cold, unchanged, and after three kinds of edits."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "course"
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for name in listed:
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)

        def build() -> None:
            environment = {**os.environ, "PYTHONPATH": str(copy)}
            result = subprocess.run(
                [sys.executable, "-m", "tools.build"],
                cwd=copy,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert result.returncode == 0, result.stdout + result.stderr

        def edited(edit: Callable[[], None]) -> list[float]:
            edit()
            return [seconds(build)]

        return [
            hold("book: cold", [seconds(build)], limit=15 * 60),
            hold("book: nothing changed", [seconds(build)], limit=20),
            hold("book: text of a chapter edited", edited(lambda: _edit(copy, 0)), limit=20),
            hold("book: code of a chapter edited", edited(lambda: _edit(copy, 1)), limit=20),
            hold("book: companion edited", edited(lambda: _touch(copy)), limit=15 * 60),
        ]


def _edit(copy: Path, kind: int) -> None:
    """Add a line to the last text cell (kind 0) or a code cell (kind 1) of a chapter."""
    notebook = nbformat.read(copy / CHAPTER, as_version=4)
    cells = [c for c in notebook.cells if c.cell_type == ("markdown", "code")[kind]]
    cells[-1 if kind == 0 else 1].source += ("\n\nOne more sentence.", "\n# one more line")[kind]
    nbformat.write(notebook, copy / CHAPTER)


def _touch(copy: Path) -> None:
    path = copy / "companion" / "figures.py"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
