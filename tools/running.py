"""The page of the book that tells how long each chapter runs and how much memory it takes."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping

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
    rows = [
        "| chapter | code cells | processor seconds | seconds by the clock | megabytes |",
        "|---|---:|---:|---:|---:|",
    ]

    def add(name: str, kept: Iterable[Record]) -> None:
        kept = list(kept)
        cells = sum(len(record.cell_seconds) for record in kept)
        processor = sum(record.processor_seconds for record in kept)
        clock = sum(record.seconds for record in kept)
        peak = max((record.megabytes for record in kept), default=0.0)
        rows.append(f"| {name} | {cells} | {processor:.1f} | {clock:.1f} | {peak:.0f} |")

    for name, record in records.items():
        add(f"[{title_of(ROOT / name)}](/{name})", [record])
    add("**all**", records.values())
    machine = f"Python {platform.python_version()} on {platform.system()} ({platform.machine()})"
    return text.replace(TABLE, "\n".join([*rows, "", f"Measured with {machine}."]))
