"""The pages that say where each topic, example and erratum of the source documents is treated.

``python -m tools.sources`` writes ``sources.md`` and ``errata.md`` in ``book/reference/``, from
``contents.csv`` and ``errata.csv`` beside them, from ``_toc.yml`` and from the tags of the
notebooks' cells (``T4``, ``E27``, ``R153``). ``python -m tools.sources --check`` writes nothing and
exits with 1 if the pages are not what it would write.

The plan (the CSV files) and the tags have to agree. A tag that the plan does not know, or does not
give to its chapter, is an error; so is an item planned for a chapter that exists and has no cell
with its tag.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from tools import source_pages
from tools.chapters import ROOT, Chapter, read_chapters
from tools.plan import Item, read_contents, read_errata


def check_tags(items: list[Item], chapters: dict[str, Chapter]) -> None:
    """Hold the cells' tags against the plan.

    Raises
    ------
    ValueError
        If they disagree; the message has one line for each disagreement.
    """
    plan = {item.name: item.chapters for item in items}
    wrong = []
    for name, chapter in chapters.items():
        file = f"book/{name.replace('.', '/')}.ipynb"
        for tag in chapter.tags:
            if tag not in plan:
                wrong.append(f"{file} has a cell tagged {tag}, which is in no CSV file")
            elif name not in plan[tag]:
                planned = " ".join(plan[tag])
                wrong.append(f"{file} has a cell tagged {tag}, which is planned for {planned}")
        for item in items:
            if name in item.chapters and item.name not in chapter.tags:
                wrong.append(f"{file} has no cell tagged {item.name} ({item.title})")
    if wrong:
        raise ValueError("the plan and the tags of the cells disagree:\n  " + "\n  ".join(wrong))


def render(root: Path = ROOT) -> dict[Path, str]:
    """Return the two pages.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    dict of Path to str
        The file of each page, and its text.

    Raises
    ------
    ValueError
        If the CSV files are faulty, or the notebooks' tags disagree with them.
    """
    folder = root / "book" / "reference"
    contents = read_contents(folder / "contents.csv")
    errata = read_errata(folder / "errata.csv")
    chapters = read_chapters(root)
    check_tags([*contents, *errata], chapters)
    return {
        folder / "sources.md": source_pages.sources(contents, errata, chapters),
        folder / "errata.md": source_pages.errata(errata, chapters),
    }


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.sources", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if they differ")
    check = parser.parse_args(arguments).check
    try:
        pages = render(root)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    different = 0
    for path, text in pages.items():
        old = path.read_text("utf-8") if path.exists() else ""
        if old == text:
            continue
        different += 1
        name = path.relative_to(root).as_posix()
        if check:
            lines = difflib.unified_diff(old.split("\n"), text.split("\n"), name, "rendered", n=0)
            print(f"{name} is not what `python -m tools.sources` writes:", file=sys.stderr)
            print("\n".join(list(lines)[:12]), file=sys.stderr)
        else:
            path.write_text(text, "utf-8", newline="\n")
            print(f"wrote {name}")
    return 1 if check and different else 0


if __name__ == "__main__":
    sys.exit(main())
