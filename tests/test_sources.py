"""The pages that say where topics, examples and errata are treated are right and up to date."""

import csv
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from pybtex.database import parse_file

from tools import chapters, plan, sources

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "book" / "reference"
CONTENTS = plan.read_contents(REFERENCE / "contents.csv")
ERRATA = plan.read_errata(REFERENCE / "errata.csv")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small repository: two topics, an example and an erratum, and one chapter that has them."""
    reference = tmp_path / "book" / "reference"
    reference.mkdir(parents=True)
    (reference / "contents.csv").write_text(
        "item,title,documents,chapters\n"
        "T1,History,000-2,basics.perceptron\n"
        "T14,Backpropagation,000-7 004-1.3,adaptation.hub\n"
        "E1,Gates,000-4,basics.perceptron adaptation.peft\n",
        "utf-8",
    )
    (reference / "errata.csv").write_text(
        "item,starred,title,document,notes_say,what_is_right,sources,chapters\n"
        "R2,no,Threshold,000-4 퍼셉트론,Above it.,At least it.,rosenblatt1958,basics.perceptron\n"
        "R153,yes,Sigmoid,004-1.3 활성화 함수,0 or 1.,Between.,,adaptation.peft\n",
        "utf-8",
    )
    (tmp_path / "_toc.yml").write_text(
        "parts: [{caption: Basics, chapters: [{file: book/basics/perceptron}]}]", "utf-8"
    )
    write_chapter(tmp_path, "perceptron")
    return tmp_path


def write_chapter(
    root: Path, slug: str, *, drop: str = "", add: str = "", title: str = "# P"
) -> None:
    """Write a chapter with the tags T1, E1 and R2, without `drop` and with `add`."""

    def tags(*names: str) -> dict:
        return {"tags": [name for name in names if name != drop]}

    cells = [
        v4.new_markdown_cell(title),
        v4.new_markdown_cell(
            "## From 1943 on\n\n```python\n# no heading\n```", metadata=tags("T1")
        ),
        v4.new_code_cell("assert True", metadata=tags("E1", "hide-input")),
        v4.new_markdown_cell("## The value $w$"),
        v4.new_code_cell("assert True", metadata=tags("R2", "E1", *filter(None, [add]))),
    ]
    path = root / "book" / "basics" / f"{slug}.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(v4.new_notebook(cells=cells), path)


def test_pages_are_up_to_date():
    for path, text in sources.render().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run `python -m tools.sources`"


def test_all_items_of_the_documents_are_there():
    assert [item.name for item in CONTENTS] == [
        *(f"T{number}" for number in range(1, 109)),
        *(f"E{number}" for number in range(1, 111)),
    ]
    assert sum(item.starred for item in ERRATA) == 54
    smaller = [2, 3, 4, 5, 147, 148, 149, 152, 154, 155, 156, 157]
    assert [item.name for item in ERRATA if not item.starred] == [f"R{n}" for n in smaller]


def test_all_chapters_of_the_plan_have_something_to_treat():
    assert len(plan.CHAPTERS) == 31
    planned = {chapter for item in CONTENTS for chapter in item.chapters}
    beyond = {"adaptation.capstone"}  # the documents have none
    assert planned == set(plan.CHAPTERS) - beyond
    assert {chapter for item in ERRATA for chapter in item.chapters} <= set(plan.CHAPTERS)


def test_a_written_chapter_is_not_to_come():
    assert "adaptation.hub" in plan.chapters_to_come(chapters.names())
    with pytest.raises(ValueError, match=r"_toc.yml lists \['adaptation.hub'\]: take them out"):
        plan.chapters_to_come(["adaptation.hub"])


def test_every_item_is_on_its_page_once():
    pages = {path.name: text for path, text in sources.render().items()}
    for item in CONTENTS:
        assert pages["sources.md"].count(f"[{item.name}]{{#source-{item.name.lower()}}}") == 1
    for item in ERRATA:
        assert pages["errata.md"].count(f"(erratum-{item.name.lower()})=\n") == 1
        assert pages["sources.md"].count(f"<erratum-{item.name.lower()}>") == item.starred


def test_every_source_is_in_the_bibliography():
    keys = parse_file(str(ROOT / "references.bib")).entries
    cited = {key for item in ERRATA for key in item.sources}
    for text in sources.render().values():
        cited.update(",".join(re.findall(r"\{cite\}`([^`]+)`", text)).split(","))
    assert not cited - {*keys}


def test_treated_items_are_linked_and_others_to_come(house: Path):
    pages = {path.name: text for path, text in sources.render(house).items()}
    page = pages["sources.md"]
    section = "[P: From 1943 on](../basics/perceptron.ipynb#from-1943-on)"
    assert f"| [T1]{{#source-t1}} | History | 000-2 | {section} |" in page
    hub = "to come: Using and adapting language models, Models and tools to share"
    assert f"| 000-7, 004-1.3 | {hub} |" in page
    # Twice in one chapter, the second time under a heading whose anchor is not plain to see.
    to_come = "to come: Using and adapting language models, Parameter-efficient fine-tuning"
    elsewhere = f"[P](../basics/perceptron.ipynb); {to_come}"
    assert f"| Gates | 000-4 | {section}; {elsewhere} |" in page
    assert "1 of 2 topics, 0 of 1 examples and 0 of 1 ★ errata" in page
    assert "Threshold" not in page
    errata = pages["errata.md"]
    assert "### R2 Threshold\n\nWhere\n: 000-4, 퍼셉트론\n" in errata
    assert "### R153 ★ Sigmoid\n" in errata
    assert errata.count("Sources\n: {cite}`rosenblatt1958`") == errata.count("Sources") == 1


def test_equal_headings_are_not_linked_by_an_anchor(house: Path):
    path = house / "book" / "basics" / "perceptron.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(v4.new_markdown_cell("### From 1943 on"))
    nbformat.write(notebook, path)
    assert chapters.read_chapters(house)["basics.perceptron"].links("T1") == [
        "[P](../basics/perceptron.ipynb)"
    ]


@pytest.mark.parametrize("tag", ["T1", "E1", "R2"])
def test_missing_tag_is_refused(house: Path, tag: str):
    write_chapter(house, "perceptron", drop=tag)
    with pytest.raises(ValueError, match=rf"basics/perceptron\.ipynb has no cell tagged {tag} \("):
        sources.render(house)


@pytest.mark.parametrize("tag", ["T2", "E9", "R154"])
def test_unknown_tag_is_refused(house: Path, tag: str):
    write_chapter(house, "perceptron", add=tag)
    with pytest.raises(ValueError, match=f"tagged {tag}, which is in no CSV file"):
        sources.render(house)


@pytest.mark.parametrize(("tag", "home"), [("T14", "adaptation.hub"), ("R153", "adaptation.peft")])
def test_tag_of_another_chapter_is_refused(house: Path, tag: str, home: str):
    write_chapter(house, "perceptron", add=tag)
    with pytest.raises(ValueError, match=f"tagged {tag}, which is planned for {home}"):
        sources.render(house)


def test_all_disagreements_are_named_at_once(house: Path):
    write_chapter(house, "perceptron", drop="T1", add="T14")
    with pytest.raises(ValueError, match=r"T14(.|\n)*no cell tagged T1 "):
        sources.render(house)


def test_chapter_outside_the_table_of_contents_is_refused(house: Path):
    write_chapter(house, "networks")
    with pytest.raises(ValueError, match=r"_toc\.yml does not list book/basics/networks"):
        sources.render(house)


def test_chapter_without_title_is_refused(house: Path):
    write_chapter(house, "perceptron", title="no title")
    with pytest.raises(ValueError, match=r"perceptron\.ipynb in basics has no heading of level 1"):
        sources.render(house)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("T1,Again,000-3,basics.perceptron", "T1 comes twice or out of order"),
        ("T15,,000-3,basics.training", r"'T15' has empty cells \['title'\]"),
        ("T15,A title,000-3,", r"'T15' has empty cells \['chapters'\]"),
        ("T15,One, comma,000-3,basics.training", "'T15' has empty cells .*or too many"),
        ("T15,A title,000-3", r"'T15' has empty cells \['chapters'\]"),
        ("X1,A title,000-3,basics.training", "not 'X1'"),
        ("T15,A title,000-3,basics.trainning", r"planned for \['basics.trainning'\], which is no"),
    ],
)
def test_faulty_rows_are_refused(house: Path, row: str, message: str):
    with (house / "book" / "reference" / "contents.csv").open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    with pytest.raises(ValueError, match=message):
        sources.render(house)


def test_faulty_errata_are_refused(house: Path):
    path = house / "book" / "reference" / "errata.csv"
    text = path.read_text("utf-8")
    path.write_text(text.replace(",no,", ",maybe,"), "utf-8")
    with pytest.raises(ValueError, match="'starred' of R2 must be 'yes' or 'no', but is 'maybe'"):
        sources.render(house)
    path.write_text(text.replace("sources,", ""), "utf-8")
    with pytest.raises(ValueError, match=r"errata.csv: the columns \['sources'\] are missing"):
        sources.render(house)


def test_command_writes_and_checks(house: Path, capsys: pytest.CaptureFixture[str]):
    assert sources.main(["--check"], house) == 1
    assert "book/reference/sources.md is not what" in capsys.readouterr().err
    assert not (house / "book" / "reference" / "sources.md").exists()
    assert sources.main([], house) == 0
    assert sources.main(["--check"], house) == 0
    capsys.readouterr()
    page = house / "book" / "reference" / "errata.md"
    page.write_text(page.read_text("utf-8").replace("Between.", "Around."), "utf-8")
    assert sources.main(["--check"], house) == 1
    message = capsys.readouterr().err
    assert "errata.md is not what" in message
    assert "-: Around." in message
    assert "sources.md" not in message
    write_chapter(house, "perceptron", drop="T1")
    assert sources.main([], house) == 1
    assert "no cell tagged T1" in capsys.readouterr().err


def test_csv_files_are_written_as_git_likes_them():
    for name in ("contents.csv", "errata.csv"):
        raw = (REFERENCE / name).read_bytes()
        assert b"\r" not in raw
        assert raw.endswith(b"\n")
        rows = list(csv.reader(raw.decode("utf-8").splitlines(keepends=True)))
        assert all(cell == cell.strip() for row in rows for cell in row)
