"""references.bib: complete, consistent, each entry says how it was checked; no citation dangles."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pybtex.database import parse_string

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "references.bib").read_text(encoding="utf-8")
PAPERS = range(1, 180)  # P1 ... P179
YEARS = range(1940, 2027)

REQUIRED = {
    "article": {"title", "journal", "volume", "pages", "year"},
    "book": {"title", "publisher", "year"},
    "incollection": {"title", "booktitle", "publisher", "pages", "year"},
    "inproceedings": {"title", "booktitle", "year"},
    "mastersthesis": {"title", "school", "year"},
    "misc": {"title", "year"},
    "techreport": {"title", "institution", "year"},
}
# Everything else is found by DOI or arXiv number. A list of what is allowed names no other host.
HOSTS = {"github.com", "ratsgo.github.io"}

KEY = re.compile(r"(?P<name>[a-z]+)(?P<year>\d{4})(?P<letter>[a-z]?)")
DOI = re.compile(r"10\.\d{4,9}/[^\s{}\"<>]+[^\s{}\"<>.,;]")
ARXIV = re.compile(r"(?P<year>\d\d)(0[1-9]|1[0-2])\.\d{4,5}")
PAGES = re.compile(r"[\d:]+(--[\d:]+)?(, [\d:]+--[\d:]+)*")
CHECKED = re.compile(r"no|yes: \S.{4,}")
CITE = re.compile(r"\{cite(?::[a-z]+)*\}`([^`]+)`")


@dataclass(frozen=True)
class Entry:
    """What the tests need of an entry as pybtex reads it."""

    type: str
    fields: dict[str, str]
    authors: list[Any]


@pytest.fixture(scope="module")
def entries() -> dict[str, Entry]:
    parsed: Any = parse_string(TEXT, "bibtex").entries
    return {
        key: Entry(entry.type, dict(entry.fields), list(entry.persons.get("author", [])))
        for key, entry in parsed.items()
    }


def match_key(key: str) -> re.Match[str]:
    match = KEY.fullmatch(key)
    assert match, f"{key}: not family name, year, optional letter"
    return match


def letters(text: str) -> str:
    """The Latin letters of a name, lower-case and without accents."""
    plain = unicodedata.normalize("NFKD", text.replace("ğ", "g").replace("Ł", "L"))
    return re.sub(r"[^a-z]", "", plain.lower())


def markdown_of(path: Path) -> str:
    """The text of a Markdown page, or the Markdown cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def cited_keys(text: str) -> list[str]:
    return [key.strip() for group in CITE.findall(text) for key in group.split(",")]


def test_keys_are_unique() -> None:
    keys = [key.lower() for key in re.findall(r"^@\w+\{([^,\s]+),", TEXT, flags=re.M)]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert len(keys) > len(PAPERS)


def test_keys_are_first_author_and_year(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        match = match_key(key)
        assert match["year"] == entry.fields["year"], f"{key}: year is {entry.fields['year']}"
        author = entry.authors[0]
        family = " ".join([*author.prelast_names, *author.last_names])
        name = letters(family)
        # An institution, or a name with its Hangul, is one braced word: the key has its beginning.
        fits = name.startswith(match["name"]) if "{" in family else name == match["name"]
        assert fits, f"{key}: first author is {family}"


def test_letters_tell_apart_what_would_collide(entries: dict[str, Entry]) -> None:
    used = defaultdict(list)
    for key in entries:
        match = match_key(key)
        used[match["name"] + match["year"]].append(match["letter"])
    for stem, found in used.items():
        expected = [""] if len(found) == 1 else list("abcdefgh"[: len(found)])
        assert found == expected, f"{stem}: letters {found}, expected {expected}"


def test_every_paper_has_one_entry_and_further_works_follow(entries: dict[str, Entry]) -> None:
    numbers = [entry.fields["keywords"] for entry in entries.values()]
    papers = [f"P{number}" for number in PAPERS]
    further = [f"X{number}" for number in range(1, len(numbers) - len(papers) + 1)]
    assert numbers == papers + further


def test_required_fields(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        assert entry.type in REQUIRED, f"{key}: type {entry.type}"
        lacking = REQUIRED[entry.type] - {name for name, value in entry.fields.items() if value}
        assert not lacking, f"{key}: lacks {sorted(lacking)}"
        if entry.type == "misc":
            assert {"eprint", "howpublished"} & set(entry.fields), f"{key}: where was it published?"


def test_authors_are_complete(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        authors = entry.authors
        assert authors, f"{key}: no author"
        for author in authors:
            assert str(author).lower() not in {"others", "et al", "et al."}, f"{key}: {author}"
            assert author.first_names or len(authors) == 1, f"{key}: {author} has no given name"
        assert len(set(map(str, authors))) == len(authors), f"{key}: an author occurs twice"


def test_years_are_plausible(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        year = int(entry.fields["year"])
        assert year in YEARS, f"{key}: year {year}"
        if match := ARXIV.fullmatch(entry.fields.get("eprint", "")):
            posted = 2000 + int(match["year"])
            latest = posted if entry.type == "misc" else posted + 3
            assert posted <= year <= latest, f"{key}: on arXiv in {posted}, dated {year}"


def test_identifiers_have_their_form(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        fields = entry.fields
        assert DOI.fullmatch(fields.get("doi", "10.1000/182")), f"{key}: DOI {fields['doi']}"
        assert PAGES.fullmatch(fields.get("pages", "1")), f"{key}: pages {fields['pages']}"
        assert ("eprint" in fields) == (fields.get("archiveprefix") == "arXiv"), f"{key}: arXiv"
        if "eprint" in fields:
            assert ARXIV.fullmatch(fields["eprint"]), f"{key}: arXiv number {fields['eprint']}"


@pytest.mark.parametrize("field", ["doi", "eprint", "title"])
def test_no_two_entries_share(entries: dict[str, Entry], field: str) -> None:
    by_value = defaultdict(list)
    for key, entry in entries.items():
        if field in entry.fields:
            by_value[entry.fields[field].lower()].append(key)
    shared = [keys for keys in by_value.values() if len(keys) > 1]
    # The article of 2015 and the book of 2016 really have the same title.
    assert shared == ([["lecun2015", "goodfellow2016"]] if field == "title" else [])


def test_every_entry_says_how_it_was_checked(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        value = entry.fields.get("checked", "")
        assert CHECKED.fullmatch(value), f"{key}: checked is {value!r}, not 'no' or 'yes: how'"


def test_links_lead_to_known_hosts_only(entries: dict[str, Entry]) -> None:
    for key, entry in entries.items():
        for name, value in entry.fields.items():
            if name == "url":
                link = urlsplit(value)
                assert (link.scheme, link.hostname) in {("https", host) for host in HOSTS}, (
                    f"{key}: {value}"
                )
            else:
                assert not re.search(r"//|www\.", value), f"{key}: link in {name}: {value}"


def test_citations_are_found_in_text() -> None:
    text = "As {cite}`a2001` and {cite:p}`b2002, c2003` say; {cite:t}`d2004`. But `cite`, {cite}."
    assert cited_keys(text) == ["a2001", "b2002", "c2003", "d2004"]


def test_citations_are_found_in_notebooks(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["One {cite}`a2001`,\n", "two."]},
        {"cell_type": "code", "source": ['"{cite}`b2002`"']},
    ]
    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert cited_keys(markdown_of(path)) == ["a2001"]


def test_every_citation_has_an_entry(entries: dict[str, Entry]) -> None:
    pages = sorted(
        path
        for pattern in ("*.md", "*.ipynb")
        for path in (ROOT / "book").rglob(pattern)
        if not any(part.startswith((".", "_")) for part in path.relative_to(ROOT).parts)
    )
    assert ROOT / "book" / "reference" / "bibliography.md" in pages
    unknown = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in pages
        for key in cited_keys(markdown_of(path))
        if key not in entries
    }
    assert unknown == set()
