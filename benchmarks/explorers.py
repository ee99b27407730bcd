"""How long the chapters need to draw their explorers: 15 s each at most."""

from __future__ import annotations

import nbformat

from benchmarks.harness import Result, hold
from tools import chapters, execute


def measure() -> list[Result]:
    """Execute each chapter three times, alone; time the cells that make explorers."""
    results = []
    for path in chapters.paths():
        records = [execute.execute(path)[1] for _ in range(3)]
        notebook = nbformat.read(path, as_version=4)
        makers = [i for i, code in enumerate(execute.code_of(notebook)) if "explore(" in code]
        for number, index in enumerate(makers, start=1):
            times = [record.cell_seconds[index] for record in records]
            results.append(hold(f"{path.stem}: explorer {number}", times, limit=15.0))
        times = [record.seconds for record in records]
        results.append(
            hold(f"{path.stem}: all cells", times, limit=execute.limits_of(path).seconds)
        )
    return results
