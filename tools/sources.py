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
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml

from tools import source_pages
from tools.plan import CHAPTERS, TAG, Item, read_contents, read_errata

ROOT = Path(__file__).resolve().parents[1]
ANCHOR_LEVELS = 3  # `myst_heading_anchors` in _config.yml: deeper headings cannot be linked to
HEADING = re.compile(r"(#{1,6})\s+(.*\S)")
PLAIN = re.compile(r"[\w ,.:;!?'’()–-]+")  # a heading without markup, whose anchor is known


@dataclass(frozen=True)
class Chapter:
    """A chapter that exists: its title, and under which headings its tags stand."""

    path: str  # relative to book/reference/
    title: str
    tags: dict[str, list[str]] = field(default_factory=dict)  # tag -> headings, in order
    anchors: dict[str, str] = field(default_factory=dict)  # heading -> anchor, where it has one

    def links(self, tag: str) -> list[str]:
        """Return a Markdown link to each section that has a cell with this tag."""
        links = []
        for heading in self.tags[tag]:
            if heading in self.anchors:
                links.append(f"[{self.title}: {heading}]({self.path}#{self.anchors[heading]})")
            else:
                links.append(f"[{self.title}]({self.path})")
        return list(dict.fromkeys(links))


def read_chapters(root: Path) -> dict[str, Chapter]:
    """Read title, headings and tags of every chapter that exists.

    Parameters
    ----------
    root : Path
        The repository: chapters are ``book/<part>/<slug>.ipynb``, their order is in ``_toc.yml``.

    Returns
    -------
    dict of str to Chapter
        ``"basics.perceptron"`` and so on, in the order of the plan.

    Raises
    ------
    ValueError
        If a notebook has no heading of level 1, or ``_toc.yml`` does not list it.
    """
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    listed = {entry.get("file") for part in toc["parts"] for entry in part["chapters"]}
    chapters = {}
    for name in CHAPTERS:
        file = "book/" + name.replace(".", "/")
        path = root / f"{file}.ipynb"
        if not path.exists():
            continue
        if file not in listed:
            raise ValueError(f"_toc.yml does not list {file}, but {file}.ipynb exists")
        chapters[name] = _read_chapter(path, f"../{name.replace('.', '/')}.ipynb")
    return chapters


def _read_chapter(path: Path, link: str) -> Chapter:
    title = ""
    heading = ""
    tags: dict[str, list[str]] = {}
    levels: list[tuple[str, int]] = []
    for cell in nbformat.read(path, as_version=4).cells:
        own = _headings(cell.source) if cell.cell_type == "markdown" else []
        levels.extend(own)
        title = title or next((text for text, level in own if level == 1), "")
        # A cell that begins a section stands under its own heading, any other under the last one.
        section = own[0][0] if own else heading
        for tag in cell.metadata.get("tags", []):
            if TAG.fullmatch(tag):
                tags.setdefault(tag, []).append(section)
        heading = own[-1][0] if own else heading
    if not title:
        raise ValueError(f"{path.name} in {path.parent.name} has no heading of level 1")
    slugs = Counter(_slug(text) for text, _ in levels)
    anchors = {
        text: _slug(text)
        for text, level in levels
        if 1 < level <= ANCHOR_LEVELS and PLAIN.fullmatch(text) and slugs[_slug(text)] == 1
    }
    return Chapter(link, title, tags, anchors)


def _headings(markdown: str) -> list[tuple[str, int]]:
    """Return the headings and their levels, code fences left out."""
    headings = []
    fence = ""
    for line in markdown.splitlines():
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
        elif mark:
            fence = mark[1]
        elif match := HEADING.fullmatch(line):
            headings.append((match[2], len(match[1])))
    return headings


def _slug(heading: str) -> str:
    """Return the anchor that MyST gives a heading without markup."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace(" ", "-"))


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
