"""Every page, for a reader whose system is dark: dark, legible, and accessible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .site import CHAPTERS, COLOURS, PAGES, WIDE, Visit, violations

BRIGHTNESS = """(selector) => [...document.querySelectorAll(selector)].map((one) => {
  const colour = getComputedStyle(one).backgroundColor;
  const [red, green, blue, alpha] = colour.match(/[\\d.]+/g).map(Number);
  return alpha === 0 ? null : (red + green + blue) / (3 * 255);
})"""


@pytest.fixture(scope="module", params=PAGES)
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    visit = Visit.begin(context, address, request.param)
    visit.resize(WIDE)
    yield visit
    context.close()


def test_is_dark(visit: Visit) -> None:
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    [brightness] = visit.page.evaluate(BRIGHTNESS, "body")
    assert brightness < 0.15


def test_is_accessible(visit: Visit) -> None:
    assert violations(visit.page, COLOURS) == []  # test_pages.py holds the other rules


@pytest.mark.parametrize("name", CHAPTERS[:1])
def test_pale_text_on_a_dark_ground_is_seen(browser: Browser, address: str, name: str) -> None:
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce")
    page = Visit.begin(context, address, name).page
    page.evaluate("document.querySelector('article p').style.color = '#333'")
    assert any(one.startswith("color-contrast") for one in violations(page, COLOURS))
    context.close()


def test_only_pictures_stand_on_white(visit: Visit) -> None:
    pictures = visit.page.evaluate(BRIGHTNESS, ".cell_output img")
    others = visit.page.evaluate(BRIGHTNESS, ".cell_output *:not(img):not(.noUi-handle)")
    assert set(pictures) <= {1.0}
    assert max((one for one in others if one is not None), default=0.0) < 0.5


@pytest.mark.parametrize("name", CHAPTERS[:1])
def test_the_switch_works_and_is_remembered(browser: Browser, address: str, name: str) -> None:
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    page = Visit.begin(context, address, name).page
    theme = "document.documentElement.dataset.theme"
    seen = {page.evaluate(theme)}
    for _ in range(3):
        page.locator(".theme-switch-button:visible").click()
        seen.add(page.evaluate(theme))
        if page.evaluate(theme) == "dark":
            break
    assert seen == {"light", "dark"}
    again = Visit.begin(context, address, PAGES[0]).page
    assert again.evaluate(theme) == "dark"
    context.close()


@pytest.mark.parametrize("name", CHAPTERS[:1])
def test_is_printed_in_the_light_mode(browser: Browser, address: str, name: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = Visit.begin(context, address, name).page
    page.evaluate("""() => {
      window.themes = [];
      const note = () => window.themes.push(document.documentElement.dataset.theme);
      for (const event of ["beforeprint", "afterprint"]) window.addEventListener(event, note);
    }""")
    page.pdf()
    assert page.evaluate("window.themes") == ["light", "dark"]
    context.close()
