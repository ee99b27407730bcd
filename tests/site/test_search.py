"""A reader finds what she looks for: by the search in both languages, and by the search dialog."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from .site import CHAPTERS, WIDE, Visit


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    one = browser.new_context(viewport=WIDE)
    one.set_default_timeout(15_000)
    yield one
    one.close()


def results(visit: Visit) -> set[str]:
    """Return the pages that a search has found."""
    visit.page.get_by_text("Search finished").wait_for()
    links = visit.page.locator("#search-results li a")
    addresses = links.evaluate_all("(links) => links.map((link) => link.href)")
    return {
        link.removeprefix(visit.address + "/").partition("#")[0].partition("?")[0]
        for link in addresses
    }


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("softmax", {"book/basics/networks.html", "book/reference/glossary.html"}),
        ("perceptron", {"book/basics/perceptron.html", "book/reference/glossary.html"}),
        ("퍼셉트론", {"book/reference/glossary.html"}),
        ("역전파", {"book/reference/glossary.html"}),
    ],
)
def test_finds_in_both_languages(
    context: BrowserContext, address: str, word: str, expected: set[str]
) -> None:
    visit = Visit.begin(context, address, f"search.html?q={word}")
    assert expected <= results(visit)
    assert visit.messages == []
    assert visit.foreign == []


def test_says_when_nothing_is_found(context: BrowserContext, address: str) -> None:
    page = Visit.begin(context, address, "search.html?q=zzyzzx").page
    page.get_by_text("did not match any documents").wait_for()
    assert page.locator("#search-results li").count() == 0


def test_a_key_opens_the_search(context: BrowserContext, address: str) -> None:
    visit = Visit.begin(context, address, CHAPTERS[0])
    visit.page.keyboard.press("ControlOrMeta+k")
    visit.page.keyboard.type("softmax")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/search.html?q=softmax*")
    assert "book/reference/glossary.html" in results(visit)


def test_there_is_one_search_button(context: BrowserContext, address: str) -> None:
    page = Visit.begin(context, address, CHAPTERS[0]).page
    assert page.locator(".search-button__button:visible").count() == 1
