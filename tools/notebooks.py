"""Execute and normalise the notebooks in ``book/``.

``python -m tools.notebooks`` (``make notebooks``).

A committed notebook holds its text outputs and nothing else that a machine made: no pictures, no
widgets, no random cell identifiers, no versions. So a diff shows what changed for a reader. With
``--check`` nothing is executed or written: the command names each notebook that is not in this form
and exits with 1.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from tools import chapters, execute

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
        if written(normalise(nbformat.reads(text, as_version=4))) != text:
            messages.append(f"{path.name} is not normalised: run make notebooks")
    return messages


def main(arguments: list[str]) -> int:
    """Execute what is stale, then write every notebook; return the exit code."""
    paths = chapters.paths()
    if "--check" in arguments:
        messages = check(paths)
        print("\n".join(messages) or "All notebooks are normalised.")
        return bool(messages)
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
    sys.exit(main(sys.argv[1:]))
