"""The files of the site as they were written: links, alt texts, sizes, quizzes, buttons."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from .site import CHAPTERS, PAGES, STATE, VIEW, soup

LARGEST_PAGE = 2_000_000
# A whole language model is in this page.
LARGER = {"book/reference/look_inside.html": 6_000_000}
LARGEST_EXPLORERS = 1_500_000
NO_TEXT = re.compile(
    r"[0-9a-f]{16,}|\S+\.(png|svg|webp|jpe?g|gif)|image|figure|_images/.*", re.IGNORECASE
)

pytestmark = pytest.mark.usefixtures("site")


def attribute(tag: Tag, name: str) -> str:
    """Return an attribute of a tag as text, empty if it is missing."""
    return str(tag.get(name, ""))


@cache
def anchors(page: Path) -> set[str]:
    """Return everything in a page that a link can lead to."""
    tags = BeautifulSoup(page.read_text("utf-8"), "html.parser").find_all(True)
    return {attribute(tag, "id") for tag in tags} | {attribute(tag, "name") for tag in tags}


def frames(name: str) -> list[str]:
    """Return the HTML of all frames of a page's explorers."""
    found = []
    for script in soup(name).select(f'script[type="{STATE}"]'):
        for model in json.loads(script.string or "")["state"].values():
            if model["model_name"] == "HTMLModel":
                found.append(model["state"]["value"])
    return found


def test_there_are_chapters() -> None:
    assert len([name for name in CHAPTERS if name.startswith("book/")]) >= 1


def test_the_first_page_is_found(site: Path) -> None:
    [meta] = soup("index.html").select("meta[http-equiv=Refresh i]")
    assert (site / attribute(meta, "content").partition("url=")[2]).is_file()


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(site: Path, name: str) -> None:
    dead = []
    for tag in soup(name).find_all(["a", "link", "script", "img", "source", "iframe", "object"]):
        link = next(
            (attribute(tag, key) for key in ("href", "src", "data") if tag.has_attr(key)), ""
        )
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or not link:
            continue
        page = site / name
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if (
            not target.is_file()
            or not target.is_relative_to(site.resolve())
            or (parts.fragment and unquote(parts.fragment) not in anchors(target))
        ):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    tags = soup(name).select(
        "script[src], img[src], iframe, source[src], link[href]:not([rel=canonical])"
    )
    links = [attribute(tag, "src") or attribute(tag, "href") for tag in tags]
    assert [link for link in links if re.match(r"(?!data:)(\w+:)?//", link)] == []
    inline = " ".join(tag.get_text() for tag in soup(name).select("script:not([type]), style"))
    assert (
        re.findall(r"https?://(?:[\w-]+\.)*(?:unpkg|jsdelivr|cloudflare|googleapis)\.\w+", inline)
        == []
    )


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_has_a_text(name: str) -> None:
    shown = BeautifulSoup("".join(frames(name)), "html.parser").find_all("img")
    texts = [attribute(tag, "alt").strip() for tag in [*soup(name).find_all("img"), *shown]]
    assert [text for text in texts if not text or NO_TEXT.fullmatch(text)] == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_small(site: Path, name: str) -> None:
    assert (site / name).stat().st_size < LARGER.get(name, LARGEST_PAGE)
    data = sum(len(script.string or "") for script in soup(name).select(f'script[type="{STATE}"]'))
    assert data < LARGEST_EXPLORERS


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_explorer_has_a_first_frame(name: str) -> None:
    views = soup(name).select(f'script[type="{VIEW}"]')
    first = [str(frame) for frame in soup(name).select("noscript .first-frame img")]
    assert len(views) == len(first) > 0
    texts = {
        attribute(tag, "alt")
        for tag in BeautifulSoup("".join(frames(name)), "html.parser").find_all("img")
    }
    assert all(attribute(tag, "alt") in texts for tag in soup(name).select("noscript img"))


@pytest.mark.parametrize("name", CHAPTERS)
def test_quizzes_have_one_right_answer_and_feedback_for_all(name: str) -> None:
    quizzes = soup(name).select(".quiz")
    assert 3 <= len(quizzes) <= 6
    for quiz in quizzes:
        answers = quiz.select("details")
        question = answers[0].get_text(" ", strip=True)
        assert len(answers) >= 2, question
        assert len(quiz.select("details.quiz-right")) == 1, question
        assert len(quiz.select("details.quiz-wrong")) == len(answers) - 1, question
        feedback = [
            one.get_text(strip=True) for one in quiz.select("details > .sd-summary-content")
        ]
        assert len(feedback) == len(answers), question
        assert all(feedback), question


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_can_be_downloaded(site: Path, name: str) -> None:
    [link] = soup(name).select("a.btn-download-source-button")
    notebook = json.loads(((site / name).parent / attribute(link, "href")).read_text("utf-8"))
    assert any(cell["cell_type"] == "code" for cell in notebook["cells"])


@pytest.mark.parametrize("name", PAGES)
def test_buttons_lead_to_the_repository_only_if_there_is_one(name: str) -> None:
    links = [attribute(tag, "href") for tag in soup(name).select(".bd-header-article a[href]")]
    outside = [link for link in links if re.match(r"\w+:", link)]
    repository = os.environ.get("REPOSITORY_URL", "").rstrip("/")
    if repository:
        assert any(link.startswith(repository) for link in outside)
    else:
        assert outside == []
        everywhere = [attribute(tag, "href") for tag in soup(name).select("a[href]")]
        launching = re.compile(r"mybinder\.org|colab\.research|/issues/new|jupyterhub")
        assert [link for link in everywhere if launching.search(link)] == []


@pytest.mark.parametrize("name", PAGES)
def test_has_favicon_and_logo(site: Path, name: str) -> None:
    [icon] = soup(name).select("link[rel=icon]")
    logos = soup(name).select(".navbar-brand img.logo__image")
    assert logos
    for tag in (icon, *logos):
        path = (site / name).parent / (attribute(tag, "href") or attribute(tag, "src"))
        assert path.read_text("utf-8").startswith("<svg")
