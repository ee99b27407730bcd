"""Every page, in the light mode: nothing goes wrong, it fits a phone, and it is accessible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .site import OPEN, PAGES, PHONE, WIDE, Visit, violations

# For the message: what reaches beyond the window, and is not cut or scrolled by what is around it.
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter((one) => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let outer = one; outer !== document.body; outer = outer.parentElement)
    if (getComputedStyle(outer).position === "fixed") return false;
    else if (outer !== one && getComputedStyle(outer).overflowX !== "visible") return false;
  return one.checkVisibility();
}).slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""

# What is wider than the box around it that neither scrolls nor grows.
CUT = """() => [...document.querySelectorAll("article *")].filter((one) => {
  const style = getComputedStyle(one);
  return one.scrollWidth > one.clientWidth + 2 && one.clientWidth > 2
    && ["hidden", "clip"].includes(style.overflowX) && one.checkVisibility()
    && !one.closest(".visually-hidden") && !one.parentElement.closest("mjx-container");
}).slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""

# What scrolls, but cannot be reached with the keyboard.
UNREACHABLE = """() => [...document.querySelectorAll("article *")].filter((one) => {
  const scrolls = ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
  return scrolls && one.scrollWidth > one.clientWidth + 2 && one.checkVisibility()
    && one.tabIndex < 0 && !one.querySelector("a[href], button, summary, [tabindex='0']");
}).slice(0, 3).map((one) => one.outerHTML.slice(0, 120))"""

# Text in which a formula was left as it was typed: outside code, and outside formulas that are set.
RAW_FORMULA = r"""() => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { parentElement: element, data } = walker.currentNode;
    if (element.closest("code, pre, script, noscript, style, mjx-container")) continue;
    if (/\\[([]|\$[^$\s][^$]*\$/.test(data)) found.push(data.trim().slice(0, 80));
  }
  return found;
}"""


@pytest.fixture(scope="module", params=PAGES)
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    visit = Visit.begin(context, address, request.param)
    visit.resize(WIDE)
    yield visit
    context.close()


def test_loads_without_a_message(visit: Visit) -> None:
    assert visit.messages == []


def test_every_request_is_answered(visit: Visit) -> None:
    assert visit.failures == []


def test_asks_nobody_else(visit: Visit) -> None:
    assert visit.foreign == []


def test_pictures_are_there(visit: Visit) -> None:
    broken = """() => [...document.images]
      .filter((one) => one.checkVisibility() && !(one.complete && one.naturalWidth))
      .map((one) => one.outerHTML.slice(0, 200))"""
    assert visit.page.evaluate(broken) == []


def test_formulas_are_set(visit: Visit) -> None:
    page = visit.page
    formulas = page.locator("article .math")
    assert page.locator("article .math:has(mjx-container)").count() == formulas.count()
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert page.evaluate(RAW_FORMULA) == []


def test_is_accessible(visit: Visit) -> None:
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "light"
    assert violations(visit.page) == []


def test_fits_a_phone(visit: Visit) -> None:
    visit.resize(PHONE)
    width = visit.page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= PHONE["width"], visit.page.evaluate(TOO_WIDE)


def test_nothing_is_cut_on_a_phone(visit: Visit) -> None:
    visit.resize(PHONE)
    visit.page.evaluate(OPEN)
    assert visit.page.evaluate(CUT) == []


def test_what_scrolls_on_a_phone_is_reachable(visit: Visit) -> None:
    visit.resize(PHONE)
    visit.page.evaluate(OPEN)
    visit.page.wait_for_timeout(400)
    assert visit.page.evaluate(UNREACHABLE) == []
