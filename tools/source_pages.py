"""How the two pages that `tools.sources` writes are worded and laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.chapters import Chapter
from tools.plan import CHAPTERS, Item

GENERATED = "<!-- Written by `python -m tools.sources` from {}: edit that file, not this one. -->\n"

DOCUMENTS = {
    "000": "Deep-learning, Transformer, BERT, GPT",
    "001": "트랜스포머, GPT, BERT, VIT 알아보기",
    "002": "Self-Supervised Learning and Large-Scale Pre-Trained Models",
    "003": "Language Model, RNN & LSTM, Word2Vec",
    "004": "딥러닝 기본 이해 … 언어 모델 훈련의 도전 과제",
}

SOURCES = """\
# Where each topic is treated

This course follows five Korean lecture documents, topic by topic. Here you can look up where it
treats what they contain. Documents are named by a number:

- **000**: *Deep-learning, Transformer, BERT, GPT*, slides by 이종혁, Department of Media, Kyung Hee
  University.
- **001**: *트랜스포머, GPT, BERT, VIT 알아보기*, slides without an author's name. They follow the
  book of 이기창 {{cite}}`lee2021`, to whom we owe the short example sentences that we keep, such as
  어제 카페 갔었어 거기 사람 많더라.
- **002**: *Self-Supervised Learning and Large-Scale Pre-Trained Models*, a learner's notes of a
  lecture by 주재걸, KAIST, in the LG Aimers course.
- **003**: *Language Model, RNN & LSTM, Word2Vec*, slides by Dongsan Jun, Dong-A University.
- **004**: notes without an author's name, in seven sections from 딥러닝 기본 이해 to
  언어 모델 훈련의 도전 과제.

The code 000-4 means the fourth heading of document 000, counted from its title page. The sections
of document 004 have numbers of their own, so 004-1.3 is its section 1.3.

A chapter stands in the last column as a link as soon as it is written. So far the course treats
{topics}, {examples} and {errata}.

## Topics

What the documents explain. The chapter has a section on each.

{topic_table}

## Examples

What the documents work out or state with numbers, words or shapes. A cell of the chapter repeats
each and checks the result.

{example_table}

## ★ Errata

What the documents say and what is not so, or only partly so. A cell of the chapter shows the point.
{{doc}}`errata` says for each what is right, and lists some smaller remarks besides.

{errata_table}
"""

ERRATA = """\
# What the notes say, and what is right

The five documents that this course follows are good teaching material: they lead from the
perceptron to today's language models, and we have learnt from them. On so long a way there are
places where a formula lost a letter, a short sentence says more than is true, or the field has
moved on. If you study with the notes, these are the places to know. We are glad to be told of ours.

Each entry says where the place is, what stands there, and what is right, with the sources. A star ★
marks the ones that change what you would understand, compute or cite. The last line names the
chapter that shows the point in a cell. {{doc}}`sources` explains the numbers of the documents.
Quotations are short and in their own language; the translations in parentheses are ours.

{entries}
"""


def sources(
    contents: Sequence[Item], errata: Sequence[Item], chapters: Mapping[str, Chapter]
) -> str:
    """Return the page that says where each topic, example and starred erratum is treated."""
    topics = [item for item in contents if item.name.startswith("T")]
    examples = [item for item in contents if item.name.startswith("E")]
    starred = [item for item in errata if item.starred]
    page = SOURCES.format(
        topics=_progress(topics, "topics", chapters),
        examples=_progress(examples, "examples", chapters),
        errata=_progress(starred, "★ errata", chapters),
        topic_table=_table(topics, "topic", chapters),
        example_table=_table(examples, "example", chapters),
        errata_table=_table(starred, "what it is about", chapters),
    )
    return GENERATED.format("contents.csv") + "\n" + page


def errata(errata: Sequence[Item], chapters: Mapping[str, Chapter]) -> str:
    """Return the page that says what the notes say and what is right."""
    entries = []
    for document, title in DOCUMENTS.items():
        entries.append(f"## Document {document}: {title}\n")
        entries.extend(
            _entry(item, chapters) for item in errata if item.documents.startswith(document)
        )
    page = ERRATA.format(entries="\n".join(entries).rstrip())
    return GENERATED.format("errata.csv") + "\n" + page


def where(item: Item, chapters: Mapping[str, Chapter]) -> list[str]:
    """Return where the course treats an item: links, or the chapters that are to come."""
    places = []
    for chapter in item.chapters:
        if chapter in chapters:
            places.extend(chapters[chapter].links(item.name))
        else:
            places.append(f"to come: {CHAPTERS[chapter]}")
    return places


def _progress(items: Sequence[Item], noun: str, chapters: Mapping[str, Chapter]) -> str:
    done = sum(all(chapter in chapters for chapter in item.chapters) for item in items)
    return f"{done} of {len(items)} {noun}"


def _table(items: Sequence[Item], heading: str, chapters: Mapping[str, Chapter]) -> str:
    """Return a table in a box that scrolls by itself where the screen is narrow."""
    lines = [
        "```{div} wide-table",
        f"| no. | {heading} | documents | where |",
        "|---|---|---|---|",
    ]
    for item in items:
        if item.starred:
            name = f"{{ref}}`{item.name} <erratum-{item.name.lower()}>`"
        else:
            name = f"[{item.name}]{{#source-{item.name.lower()}}}"
        documents = item.documents.split(" ", 1)[0] if item.starred else item.documents
        places = "; ".join(where(item, chapters))
        cells = [name, item.title, documents.replace(" ", ", "), places]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join([*lines, "```"])


def _entry(item: Item, chapters: Mapping[str, Chapter]) -> str:
    code, heading = item.documents.split(" ", 1)
    star = " ★" if item.starred else ""
    lines = [
        f"(erratum-{item.name.lower()})=",
        f"### {item.name}{star} {item.title}",
        "",
        f"Where\n: {code}, {heading}",
        "",
        f"The notes say\n: {item.notes_say}",
        "",
        f"What is right\n: {item.what_is_right}",
        "",
    ]
    if item.sources:
        lines += [f"Sources\n: {{cite}}`{','.join(item.sources)}`", ""]
    lines += [f"In the course\n: {'; '.join(where(item, chapters))}", ""]
    return "\n".join(lines)
