"""The page of the book that tells how long each chapter runs and how much memory it takes."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from tools.chapters import ROOT, title_of
from tools.execute import Record

TABLE = "<!-- table -->"


def page(records: Mapping[str, Record]) -> str:
    """Return the page with the measurements of the last run in place of its mark.

    Parameters
    ----------
    records : mapping of str to Record
        Path of each chapter, relative to the repository, to what was measured.
    """
    text = (ROOT / "book" / "reference" / "running.md").read_text("utf-8")
    if TABLE not in text:
        raise ValueError(f"book/reference/running.md must contain {TABLE!r}")
    rows = ["| chapter | code cells | seconds | megabytes |", "|---|---:|---:|---:|"]
    for name, record in sorted(records.items()):
        title = title_of(ROOT / name)
        link = f"[{title}](/{name})"
        measured = f"{record.seconds:.1f} | {record.megabytes:.0f}"
        rows.append(f"| {link} | {len(record.cell_seconds)} | {measured} |")
    total = sum(record.seconds for record in records.values())
    peak = max((record.megabytes for record in records.values()), default=0.0)
    cells = sum(len(record.cell_seconds) for record in records.values())
    rows.append(f"| **all** | {cells} | {total:.1f} | {peak:.0f} |")
    machine = f"Python {platform.python_version()} on {platform.system()} ({platform.machine()})"
    return text.replace(TABLE, "\n".join([*rows, "", f"Measured with {machine}."]))
