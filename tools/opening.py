"""The first code cell of every chapter, which helps who opens a notebook by itself.

A notebook that was downloaded, or opened on Colab, has no package `companion` beside it. The cell
says so in one line, with the one command that brings it; on Colab, where that is the custom, it
runs the command. Where the package is there, the cell does nothing, and the book does not show it.

A notebook knows the address of the course only if somebody has written it there. The build writes
it into the copies that it publishes, and `tools.notebooks` into the notebooks themselves, if the
environment variable ``REPOSITORY_URL`` names it. (Colab opens the notebooks of the repository.)
"""

from __future__ import annotations

import os
import re

import nbformat

MARK = "# The package of this course: if it is missing, get it (on Colab) or say how to."
TAG = "remove-cell"
SOURCE = f"""{MARK}
import subprocess
import sys
from importlib.util import find_spec

COURSE = ""  # the address of the course, in copies that know it
if not (find_spec("companion") and find_spec("companion.basics")):
    package = f"perceptron-to-peft @ git+{{COURSE}}"
    if COURSE and "google.colab" in sys.modules:
        print("Fetching the package of the course; this takes a minute ...")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", package]
        subprocess.run(pip, check=True)
    else:

        class MissingError(Exception):
            _render_traceback_ = lambda self: [str(self)]  # one line, no traceback

        command = f'run: %pip install "{{package}}"'
        if not COURSE:
            command = "run in the folder of the course: pip install -e ."
        text = "The package of this course is missing. To get it, "
        raise MissingError(text + command)"""
ADDRESS = re.compile(r'^COURSE = "(.*)"', re.MULTILINE)


def repository() -> str:
    """Return the address that ``REPOSITORY_URL`` names, without a slash at its end; else "".

    Raises
    ------
    ValueError
        If it is not an address of the web.
    """
    address = os.environ.get("REPOSITORY_URL", "").rstrip("/")
    if address and not re.fullmatch(r"https?://[\w.:~/%+-]+", address):
        raise ValueError(f"REPOSITORY_URL must be an address like https://..., got {address!r}")
    return address


def source(address: str) -> str:
    """Return the source of the cell."""
    return ADDRESS.sub(f'COURSE = "{address}"', SOURCE)


def address_in(notebook: nbformat.NotebookNode) -> str | None:
    """Return the address that a notebook knows, "" if it knows none; None if it lacks the cell."""
    cell = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if cell is None or not cell.source.startswith(MARK):
        return None
    found = ADDRESS.search(cell.source)
    return found[1] if found else ""


def is_right(notebook: nbformat.NotebookNode) -> bool:
    """Tell whether a notebook begins with the cell as it is today."""
    address = address_in(notebook)
    if address is None:
        return False
    [cell, *_] = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return cell.source == source(address) and cell.metadata.get("tags") == [TAG]


def put(notebook: nbformat.NotebookNode, address: str = "") -> nbformat.NotebookNode:
    """Write the cell before all other code, or renew it there; return the same notebook.

    An address that the notebook knows is kept, unless there is another one.
    """
    known = address_in(notebook)
    cells = notebook.cells
    place = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    if known is None:
        cells.insert(place, nbformat.v4.new_code_cell())
    cells[place].source = source(address or known or "")
    cells[place].metadata = nbformat.from_dict({"tags": [TAG]})
    return notebook
