"""The plan of the course: its parts and chapters, and the items that each chapter has to treat.

The items are the topics (T), examples (E) and errata (R) of the source documents. They lie in
``book/reference/contents.csv`` and ``book/reference/errata.csv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools import chapters
from tools.chapters import TAG

# Parts and chapters that are still to come, in order, and the titles that they will have. A chapter
# whose notebook is written stands in _toc.yml instead.
TO_COME: dict[str, tuple[str, dict[str, str]]] = {
    "adaptation": (
        "Using and adapting language models",
        {
            "in_context": "In-context learning",
            "alignment": "Alignment",
            "prompting": "Prompting",
            "rag": "Retrieval-augmented generation",
            "peft": "Parameter-efficient fine-tuning",
            "hub": "Models and tools to share",
            "scaling": "Scaling",
            "capstone": "Capstone",
        },
    ),
}


def chapters_to_come(written: Iterable[str]) -> dict[str, str]:
    """Return the chapters of the plan that are not written yet, name to part and title.

    Raises
    ------
    ValueError
        If a written chapter is still said to be to come.
    """
    planned = {
        f"{part}.{slug}": f"{caption}, {title}"
        for part, (caption, titles) in TO_COME.items()
        for slug, title in titles.items()
    }
    if both := sorted({*planned} & {*written}):
        raise ValueError(f"_toc.yml lists {both}: take them out of TO_COME in tools/plan.py")
    return planned


# All chapters in order: those of _toc.yml, and those to come.
CHAPTERS = {name: chapters.captions()[name.partition(".")[0]] for name in chapters.names()}
CHAPTERS |= chapters_to_come(CHAPTERS)


@dataclass(frozen=True)
class Item:
    """A topic, an example or an erratum, as a row of its CSV file has it."""

    name: str  # T4, E27, R153
    title: str
    documents: str  # "000-4 004-1.3"; for an erratum also the heading: "000-11 어텐션 (attention)"
    chapters: tuple[str, ...]  # "basics.perceptron"
    starred: bool = False
    notes_say: str = ""
    what_is_right: str = ""
    sources: tuple[str, ...] = ()


def read_contents(path: Path) -> list[Item]:
    """Read the topics and examples from ``contents.csv``.

    Parameters
    ----------
    path : Path
        The file, with the columns ``item,title,documents,chapters``.

    Returns
    -------
    list of Item
        In the order of the file.

    Raises
    ------
    ValueError
        If a column is missing, a cell is empty, an item comes twice or out of order, or a chapter
        is not in the plan of the course.
    """
    rows = _rows(path, ["item", "title", "documents", "chapters"])
    return [
        Item(row["item"], row["title"], row["documents"], tuple(row["chapters"].split()))
        for row in rows
    ]


def read_errata(path: Path) -> list[Item]:
    """Read the errata from ``errata.csv``, as `read_contents` does.

    Raises
    ------
    ValueError
        As `read_contents`; also if ``starred`` is neither ``yes`` nor ``no``.
    """
    columns = ["item", "title", "document", "notes_say", "what_is_right", "chapters"]
    errata = []
    for row in _rows(path, columns, optional=["starred", "sources"]):
        if row["starred"] not in {"yes", "no"}:
            raise ValueError(
                f"{path.name}: 'starred' of {row['item']} must be 'yes' or 'no', "
                f"but is {row['starred']!r}"
            )
        errata.append(
            Item(
                row["item"],
                row["title"],
                row["document"],
                tuple(row["chapters"].split()),
                row["starred"] == "yes",
                row["notes_say"],
                row["what_is_right"],
                tuple(row["sources"].split()),
            )
        )
    return errata


def _rows(path: Path, columns: list[str], optional: list[str] | None = None) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        missing = {*columns, *(optional or [])} - {*(reader.fieldnames or [])}
        if missing:
            raise ValueError(f"{path.name}: the columns {sorted(missing)} are missing")
        rows = list(reader)
    last: dict[str, int] = {}
    for row in rows:
        name = row["item"]
        empty = [column for column in columns if not (row[column] or "").strip()]
        if empty or None in row or None in row.values():
            raise ValueError(f"{path.name}: {name!r} has empty cells {empty}, or too many cells")
        if not TAG.fullmatch(name):
            raise ValueError(f"{path.name}: items are named like T4, E27 or R153, not {name!r}")
        if int(name[1:]) <= last.get(name[0], 0):
            raise ValueError(f"{path.name}: {name} comes twice or out of order")
        last[name[0]] = int(name[1:])
        unknown = [chapter for chapter in row["chapters"].split() if chapter not in CHAPTERS]
        if unknown:
            raise ValueError(f"{path.name}: {name} is planned for {unknown}, which is no chapter")
    return rows
