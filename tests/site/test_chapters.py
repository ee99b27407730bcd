"""Every chapter in a browser: explorers, quizzes, solutions and copy buttons work by keyboard."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator

from .site import CHAPTERS, VIEW, WIDE, Visit, soup

# The pictures of an explorer that can be seen, as [source, alt text].
SEEN = """(explorer) => [...explorer.querySelectorAll("img")]
  .filter((one) => one.checkVisibility() && one.complete && one.naturalWidth)
  .map((one) => [one.src, one.alt])"""
# What the reader sees of an answer before it is opened, apart from its text.
LOOK = """(details) => [details, details.firstElementChild].flatMap((one) =>
  [null, "::before", "::after"].map((part) => {
    const style = getComputedStyle(one, part);
    const names = ["color", "background", "border", "boxShadow", "opacity", "outline", "content",
      "fontWeight", "fontStyle", "textDecoration", "filter", "cursor"];
    return names.map((name) => `${name}: ${style[name]}`).join("; ");
  })).join("\\n")"""
SIGN = "(details) => getComputedStyle(details.lastElementChild, '::before').content"
OUTLINE = "(element) => parseFloat(getComputedStyle(element).outlineWidth)"


@pytest.fixture(scope="module", params=CHAPTERS)
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield Visit.begin(context, address, request.param)
    context.close()


def seen(explorer: Locator) -> list[str]:
    """Return source and alt text of the one picture that an explorer shows."""
    pictures = explorer.evaluate(SEEN)
    assert len(pictures) == 1, f"an explorer shows {len(pictures)} pictures"
    return pictures[0]


def press(control: Locator, *, forward: bool) -> None:
    """Move a control by one step with an arrow key."""
    if control.get_attribute("role") == "slider":
        control.press("ArrowRight" if forward else "ArrowLeft")
    elif sys.platform == "darwin":  # there, the arrow keys open the list
        index = int(control.evaluate("(list) => list.selectedIndex"))
        control.select_option(index=index + (1 if forward else -1))
    else:
        control.press("ArrowDown" if forward else "ArrowUp")
    control.page.wait_for_timeout(60)


def may_move_forward(control: Locator) -> bool:
    """Tell whether a control is not at its last value."""
    if control.get_attribute("role") == "slider":
        now, last = (control.get_attribute(f"aria-value{name}") for name in ("now", "max"))
        return float(now or 0) < float(last or 0)
    return bool(control.evaluate("(list) => list.selectedIndex < list.length - 1"))


def test_explorers_are_drawn_exactly_once(visit: Visit) -> None:
    visit.page.wait_for_timeout(1000)  # time for a second drawing, if there is one
    views = visit.page.locator(f'script[type="{VIEW}"]').count()
    assert views >= 1, "a chapter has at least one explorer"
    assert visit.page.locator(".explorer").count() == views
    cells = visit.page.locator(f'.cell_output:has(script[type="{VIEW}"])')
    assert [cell.locator(".explorer").count() for cell in cells.all()] == [1] * views


def test_every_control_changes_the_picture_and_back(visit: Visit) -> None:
    explorers = visit.page.locator(".explorer")
    for explorer in explorers.all():
        controls = explorer.locator("[role=slider], select")
        assert 1 <= controls.count() <= 3
        for control in controls.all():
            forward = may_move_forward(control)
            before = seen(explorer)
            press(control, forward=forward)
            after = seen(explorer)
            press(control, forward=not forward)
            assert after[0] != before[0], f"the picture stays: {before[1]}"
            assert after[1] != before[1], f"the alt text stays: {before[1]}"
            assert before[1].strip()
            assert after[1].strip()
            assert seen(explorer) == before
    assert visit.messages == []
    assert visit.foreign == []


def test_sliders_say_their_name_and_value(visit: Visit) -> None:
    for slider in visit.page.locator(".explorer .widget-hslider").all():
        handle, readout = slider.locator("[role=slider]"), slider.locator(".widget-readout")
        assert handle.get_attribute("aria-label") == slider.locator(".widget-label").inner_text()
        press(handle, forward=may_move_forward(handle))
        assert handle.get_attribute("aria-valuetext") == readout.inner_text()
        assert readout.get_attribute("contenteditable") is None
        assert readout.evaluate("(one) => one.scrollWidth <= one.clientWidth")
        handle.focus()
        assert handle.evaluate(OUTLINE) > 0, "the focus is not visible"
    for label in visit.page.locator(".explorer .widget-label").all():
        assert label.get_attribute("title") is None


def test_first_frames_show_without_javascript(browser: Browser, address: str, visit: Visit) -> None:
    name = visit.page.url.removeprefix(address + "/")
    first = [frame["alt"] for frame in soup(name).select("noscript img")]
    with browser.new_context(java_script_enabled=False, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(f"{address}/{name}")
        frames = page.locator(".cell_output .first-frame img")
        assert frames.count() == page.locator(f'script[type="{VIEW}"]').count()
        assert [frame.get_attribute("alt") for frame in frames.all()] == first
        assert all(frame.is_visible() for frame in frames.all())
        assert page.locator("html").get_attribute("data-theme") == "light"
    shown = visit.page.locator(".cell_output .text_html:has(noscript)")
    assert not any(one.is_visible() for one in shown.all()), "an empty output where JavaScript runs"


def test_closed_answers_look_alike(visit: Visit) -> None:
    for quiz in visit.page.locator(".quiz").all():
        answers = quiz.locator("details").all()
        assert not any(answer.evaluate("(one) => one.open") for answer in answers)
        assert len({answer.evaluate(LOOK) for answer in answers}) == 1


def test_quizzes_answer_the_keyboard(visit: Visit) -> None:
    assert visit.page.locator(".quiz").count() >= 3
    for answer in visit.page.locator(".quiz details").all():
        summary, feedback = answer.locator("summary"), answer.locator(".sd-summary-content")
        assert not feedback.is_visible()
        summary.press("Enter")
        assert feedback.is_visible()
        assert feedback.inner_text().strip()
        right = "quiz-right" in str(answer.get_attribute("class"))
        assert ("✓" if right else "✗") in answer.evaluate(SIGN)
        assert summary.evaluate(OUTLINE) > 0, "the focus is not visible"
        summary.press("Enter")
        assert not feedback.is_visible()


def test_solutions_are_hidden_until_asked_for(visit: Visit) -> None:
    cells = visit.page.locator(".cell.tag_solution")
    assert cells.count() >= 3, "a chapter has solutions to its exercises"
    for cell in cells.all():
        summary, code = cell.locator("summary"), cell.locator(".cell_input")
        assert not code.is_visible()
        assert summary.inner_text().strip() == "Show the solution"
        summary.press("Enter")
        assert code.is_visible()
        assert summary.inner_text().strip() == "Hide the solution"
        assert summary.evaluate(OUTLINE) > 0, "the focus is not visible"
        summary.press("Enter")
        assert not code.is_visible()


def test_code_can_be_copied(visit: Visit) -> None:
    cells = visit.page.locator(".cell_input .highlight")
    assert visit.page.locator(".cell_input .highlight .copybtn").count() == cells.count() > 0
    cell = cells.first
    cell.hover()
    cell.locator(".copybtn").click()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()
