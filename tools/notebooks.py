"""Execute and normalise the notebooks in ``book/``.

``python -m tools.notebooks`` (``make notebooks``) takes all chapters that have changed;
``python -m tools.notebooks book/basics/perceptron.ipynb`` only the named ones.

A committed notebook holds its text outputs and nothing else that a machine made: no pictures, no
widgets, no random cell identifiers, no versions. So a diff shows what changed for a reader.
Its first code cell is the one of `tools.opening`, which this command writes. With ``--check``
nothing is executed or written: the command names each notebook that is not in this form and exits
with 1.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from tools import chapters, execute, opening, tolerance

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"}
KEPT_METADATA = ("mystnb", "tags")
GLUED = "application/papermill.record/"
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Bring a notebook into the form in which it is committed; return the same object.

    Raises
    ------
    ValueError
        If an output shows a memory address, which differs from run to run.
    """
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    count = 0
    for cell in notebook.cells:
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in KEPT_METADATA if cell.metadata.get(key)}
        )
        mark = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[mark] = seen.get(mark, 0) + 1
        cell.id = mark if seen[mark] == 1 else f"{mark}-{seen[mark]}"
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = clean(cell.outputs)
            if cell.execution_count is not None:
                count += 1
                cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = cell.execution_count
    return notebook


def clean(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return outputs with texts only, neighbouring pieces of one stream joined."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if is_for_another_page(output):
            continue
        if "data" in output:
            data = {
                kind: value
                for kind, value in output.data.items()
                if kind in ("text/plain", "text/latex", "text/markdown")
            }
            output = nbformat.v4.new_output(output.output_type, nbformat.from_dict(data))
        last = kept[-1] if kept else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            kept.append(output)
        for text in [output.get("text", ""), *map(str, output.get("data", {}).values())]:
            if found := ADDRESS.search(text):
                raise ValueError(f"an output shows a memory address: {found.group()}")
    return kept


def is_for_another_page(output: Mapping[str, Any]) -> bool:
    """Tell whether an output comes from ``glue(name, value, display=False)``: it shows nothing."""
    kinds = output.get("data", {})
    return bool(kinds) and all(kind.startswith(GLUED) for kind in kinds)


def written(notebook: nbformat.NotebookNode) -> str:
    """Return the text of a notebook file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def check(paths: list[Path]) -> list[str]:
    """Return one message for each notebook that is not in its committed form."""
    messages = []
    for path in paths:
        text = path.read_text("utf-8")
        notebook = nbformat.reads(text, as_version=4)
        if not opening.is_right(notebook):
            messages.append(f"{path.name} lacks the first cell of all chapters: run make notebooks")
        elif written(normalise(notebook)) != text:
            messages.append(f"{path.name} is not normalised: run make notebooks")
    return messages


def differences(new: nbformat.NotebookNode, old: nbformat.NotebookNode) -> list[str]:
    """Compare the outputs of an executed notebook with the stored ones.

    Numbers may differ as `tools.tolerance` says, and as the tags of their cell allow.

    Returns
    -------
    list of str
        One text for each cell that differs, with what is stored and what came.
    """
    found = []
    pairs = zip(new.cells, old.cells, strict=True)
    for index, (left, right) in enumerate(pairs):
        if right.cell_type != "code":
            continue
        rtol = tolerance.relative(right.metadata.get("tags", []))
        outputs = tolerance.align(clean(copy.deepcopy(left.outputs)), right.outputs, rtol=rtol)
        came, stored = (
            [_comparable(output) for output in side] for side in (outputs, right.outputs)
        )
        if came != stored:
            found.append(f"cell {index}: stored {stored}, got {came}")
    return found


def _comparable(output: nbformat.NotebookNode) -> dict[str, Any]:
    """Return an output without the number of its execution."""
    return {
        key: value for key, value in output.items() if key not in ("execution_count", "metadata")
    }


def main(arguments: list[str] | None = None) -> int:
    """Execute what is stale, then write the notebooks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if they differ")
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (all, if none is named)")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.paths] or chapters.paths()
    if strange := [str(path) for path in paths if path not in chapters.paths()]:
        parser.error(f"not a chapter of _toc.yml: {', '.join(strange)}")
    if options.check:
        messages = check(paths)
        print("\n".join(messages) or "All notebooks are normalised.")
        return bool(messages)
    address = opening.repository()
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        if not opening.is_right(notebook) or address not in ("", opening.address_in(notebook)):
            nbformat.write(opening.put(notebook, address), path)
    try:
        execute.run([path for path in paths if execute.executed(path) is None])
    except execute.ChapterError as error:
        print(error, file=sys.stderr)
        return 1
    for path in paths:
        result = execute.executed(path)
        assert result is not None, f"{path} has not been executed"
        text = written(normalise(result[0]))
        if text != path.read_text("utf-8"):
            path.write_text(text, "utf-8", newline="\n")
            print(f"wrote {path.relative_to(chapters.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
