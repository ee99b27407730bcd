"""The chapters of the course: the one list of them, made from ``_toc.yml``, and what is in each.

A chapter goes by the name ``"<part>.<slug>"`` and lies in ``book/<part>/<slug>.ipynb``. The parts
are the captions of ``_toc.yml`` whose files are notebooks; every other list of chapters is made
from this one or held against it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
TAG = re.compile(r"[TER][1-9]\d*")  # of a cell: the topic, example or erratum that it treats
ANCHOR_LEVELS = 3  # `myst_heading_anchors` in _config.yml: deeper headings cannot be linked to
HEADING = re.compile(r"(#{1,6})\s+(.*\S)")
PLAIN = re.compile(r"[\w ,.:;!?'’()–-]+")  # a heading without markup, whose anchor is known
NO_PART = "reference"  # the folder of the pages that are not chapters


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


def captions(root: Path = ROOT) -> dict[str, str]:
    """Return the parts of the course in order, folder to caption: ``"basics"`` and so on."""
    found: dict[str, str] = {}
    for part in _parts(root):
        for name in _names(part):
            found.setdefault(name.partition(".")[0], part["caption"])
    return found


def names(root: Path = ROOT) -> list[str]:
    """Return the names of the chapters in the order of the course."""
    return [name for part in _parts(root) for name in _names(part)]


def path_of(name: str, root: Path = ROOT) -> Path:
    """Return where the notebook of a chapter lies."""
    part, slug = name.split(".")
    return root / "book" / part / f"{slug}.ipynb"


def paths(root: Path = ROOT) -> list[Path]:
    """Return the notebooks of all chapters in the order of the course."""
    return [path_of(name, root) for name in names(root)]


def _parts(root: Path) -> list[dict]:
    return yaml.safe_load((root / "_toc.yml").read_text("utf-8"))["parts"]


def _names(part: dict) -> list[str]:
    files = [entry["file"].split("/") for entry in part["chapters"]]
    return [".".join(file[1:]) for file in files if file[1] != NO_PART]


def read_chapters(root: Path = ROOT) -> dict[str, Chapter]:
    """Read title, headings and tags of every chapter, in the order of the course.

    Raises
    ------
    ValueError
        If a notebook has no heading of level 1, or ``_toc.yml`` does not list it.
    """
    listed = names(root)
    for path in sorted((root / "book").glob("*/*.ipynb")):
        name = f"{path.parent.name}.{path.stem}"
        if name not in listed:
            file = f"book/{path.parent.name}/{path.stem}"
            raise ValueError(f"_toc.yml does not list {file}, but {file}.ipynb exists")
    return {
        name: _read_chapter(path_of(name, root), f"../{name.replace('.', '/')}.ipynb")
        for name in listed
    }


def title_of(path: Path) -> str:
    """Return the first heading of level 1 of a notebook."""
    return _read_chapter(path, "").title


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
