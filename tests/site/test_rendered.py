"""What the configuration really puts on a page: a small site, with and without a repository."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import build, notebooks, opening

GITHUB = "https://github.com/someone/course"
ELSEWHERE = "https://example.org/someone/course"
CHAPTER = "book/toys/toy"


@pytest.fixture(scope="module", params=["", GITHUB, ELSEWHERE], ids=["none", "GitHub", "elsewhere"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The address of the repository, and the pages of a site of two, as they were written."""
    folder: Path = tmp_path_factory.mktemp("small")
    source = folder / "source"
    shutil.copytree(build.ROOT / "web" / "static", source / "web" / "static")
    shutil.copy(build.ROOT / "references.bib", source)
    cells = [new_markdown_cell("# Toy"), new_code_cell("1 + 1")]
    notebook = notebooks.normalise(opening.put(new_notebook(cells=cells), request.param))
    (source / "book" / "toys").mkdir(parents=True)
    (source / f"{CHAPTER}.ipynb").write_text(notebooks.written(notebook), "utf-8")
    (source / "book" / "intro.md").write_text("# Home\n\nWelcome.\n", "utf-8")
    toc = {"format": "jb-book", "root": "book/intro", "chapters": [{"file": CHAPTER}]}
    (source / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPOSITORY_URL", request.param)
        config = build.configuration(local_scripts=False)
    (source / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    assert build.jupyter_book(source, folder, "--all") == 0
    html = folder / "_build" / "html"
    pages = {
        name: BeautifulSoup((html / f"{name}.html").read_text("utf-8"), "html.parser")
        for name in ("book/intro", CHAPTER)
    }
    return request.param, pages


def links(page: BeautifulSoup) -> list[str]:
    """Return where the buttons above the article lead, outside of the site."""
    found = [str(tag["href"]) for tag in page.select(".bd-header-article a[href]")]
    return [link for link in found if "://" in link]


def test_the_licence_stands_on_every_page(small) -> None:
    for page in small[1].values():
        footers = [one.get_text(" ", strip=True) for one in page.select("footer")]
        assert any("Text under CC BY 4.0, code under BSD-3-Clause." in text for text in footers)


def test_the_way_home_is_in_the_menu(small) -> None:
    menu = small[1][CHAPTER].select(".bd-sidebar-primary nav a[href]")
    assert any(str(tag["href"]).endswith("../intro.html") for tag in menu)


def test_the_options_of_the_theme_hold_too(small) -> None:
    assert small[1][CHAPTER].select("a.btn-download-source-button")
    assert small[1][CHAPTER].select(".btn-fullscreen-button")


def test_buttons_lead_to_the_repository(small) -> None:
    address, pages = small
    for name, page in pages.items():
        found = links(page)
        others = [link for link in found if not re.search("binder|colab", link)]
        assert [link for link in others if not link.startswith(address or "none")] == []
        assert any(link.startswith(f"{address}/issues/new") for link in found) == bool(address)
        assert (address in found) == bool(address), (name, found)


def test_a_chapter_is_opened_on_colab_and_binder_from_github_alone(small) -> None:
    address, pages = small
    launching = [link for link in links(pages[CHAPTER]) if "colab" in link or "binder" in link]
    wanted = [
        f"https://mybinder.org/v2/gh/someone/course/main?urlpath=lab/tree/{CHAPTER}.ipynb",
        f"https://colab.research.google.com/github/someone/course/blob/main/{CHAPTER}.ipynb",
    ]
    assert launching == (wanted if address == GITHUB else [])


def test_the_first_cell_is_for_notebooks_and_not_on_the_page(small) -> None:
    assert "1 + 1" in small[1][CHAPTER].get_text()
    assert "package of this course" not in small[1][CHAPTER].get_text()


def test_without_local_scripts_no_local_script_is_named() -> None:
    assert "mathjax_path" not in build.configuration(local_scripts=False)["sphinx"]["config"]
    options = build.configuration(local_scripts=True)["sphinx"]["config"]
    assert options["mathjax_path"].startswith("vendor/")
