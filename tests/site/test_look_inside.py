"""The page "Look inside a language model": what a reader sees, chooses and takes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator

from .site import CHAPTERS, HTML, PHONE, WIDE, Visit, soup, violations

NAME = "book/reference/look_inside.html"
MEGABYTES = 6
FOCUSED = "(one) => one === document.activeElement"
OUTLINE = "(element) => parseFloat(getComputedStyle(element).outlineWidth)"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """What the page carries: weights, tokens, settings."""
    [script] = soup(NAME).select(".look-inside script")
    assert script["type"] == "application/json"
    return json.loads(script.string or "")


@pytest.fixture(scope="module", params=["light", "dark"])
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context(
        color_scheme=request.param, viewport=WIDE, reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    yield Visit.begin(context, address, NAME)
    context.close()


@pytest.fixture
def bench(visit: Visit) -> Locator:
    """The workbench, wide, with its settings as at first."""
    visit.resize(WIDE)
    one = visit.page.locator(".look-inside")
    for setting, value in {"temperature": 10, "topK": 8, "topP": 20}.items():
        one.locator(f"[data-setting={setting}]").evaluate(
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')) }",
            value,
        )
    return one


def read(bench: Locator, text: str) -> str:
    """Type a text, press Enter, and return what is said."""
    field = bench.locator("textarea")
    field.fill(text)
    field.press("Enter")
    bench.locator(".look-said p").wait_for()
    return bench.locator(".look-said").inner_text()


def tokens(bench: Locator) -> list[int]:
    return [int(one) for one in bench.locator(".look-token .look-id").all_inner_texts()]


def act(bench: Locator, what: str) -> str:
    bench.locator(f"[data-act={what}]").click()
    return bench.locator(".look-said").inner_text()


def test_each_example_is_read(bench: Locator, data: dict[str, Any]) -> None:
    examples = bench.locator(".look-examples button")
    assert examples.count() >= 4
    for example in examples.all():
        example.click()
        bench.locator(".look-next").wait_for()
        assert bench.locator("textarea").input_value() == example.get_attribute("data-text")
        assert re.search(r"Read \d+ tokens \(\d+ bytes\) in [\d]+ ms", bench.inner_text())
        assert all(0 <= one < len(data["tokenizer"]["tokens"]) for one in tokens(bench))
        assert bench.locator(".look-candidate").count() == 10


def test_attention_sums_to_one_and_no_token_sees_a_later_one(bench: Locator) -> None:
    bench.locator(".look-examples button").first.click()
    chips = bench.locator(".look-token")
    for place in (chips.count() - 1, 1, 0):
        chips.nth(place).click()
        shares = bench.locator(".look-token .look-bar").evaluate_all(
            "(bars) => bars.map((bar) => parseFloat(bar.style.getPropertyValue('--share')))"
        )
        assert sum(shares) == pytest.approx(100, abs=0.01)
        assert all(share == 0 for share in shares[place + 1 :])
        later = bench.locator(".look-token .look-share").all_inner_texts()
        assert [text == "later" for text in later] == [j > place for j in range(len(later))]


def test_writing_and_taking_back(bench: Locator) -> None:
    bench.locator(".look-examples button").first.click()
    before = tokens(bench)
    assert re.match(r"The dice fell on 0\.\d{3}: .+ \(", act(bench, "one"))
    after = tokens(bench)
    assert after[:-1] == before
    assert bench.locator(".look-token[aria-pressed=true]").count() == 1
    assert "Taken back" in act(bench, "back")
    assert tokens(bench) == before
    for _ in before:
        said = act(bench, "back")
    assert "One token has to stay" in said
    assert len(tokens(bench)) >= 1


def test_with_temperature_0_it_writes_the_same_again(bench: Locator) -> None:
    bench.locator("[data-setting=temperature]").fill("0")
    texts = []
    for _ in range(2):
        bench.locator(".look-examples button").first.click()
        start = len(tokens(bench))
        bench.locator("[data-act=on]").click()
        bench.locator(".look-said", has_text=re.compile("Wrote|ends the text")).wait_for()
        texts.append(tokens(bench))
        assert start < len(texts[-1]) <= start + 20
    assert texts[0] == texts[1]


def test_settings_cut_off_what_they_say(bench: Locator) -> None:
    bench.locator(".look-examples button").first.click()
    assert bench.locator(".look-cut").count() == 0
    bench.locator("[data-setting=topK]").fill("2")  # the third of its values: 3 tokens
    assert bench.locator("[data-output=topK]").inner_text() == "3"
    assert bench.locator(".look-cut").count() == 7
    assert "; 3 of " in bench.locator(".look-hint").inner_text()
    bench.locator("[data-setting=topK]").fill("0")
    assert bench.locator(".look-candidate .look-share").first.inner_text() == "100 %"


def test_a_candidate_is_written_and_another_choice_cuts_the_text_off(bench: Locator) -> None:
    bench.locator(".look-examples button").first.click()
    before = tokens(bench)
    bench.locator(".look-candidate").nth(2).click()
    assert len(tokens(bench)) == len(before) + 1
    bench.locator(".look-token").nth(1).click()
    assert "Another choice cuts the text off here" in bench.locator(".look-hint").inner_text()
    bench.locator(".look-candidate").nth(0).click()
    assert tokens(bench)[:2] == before[:2]
    assert len(tokens(bench)) == 3


def test_a_head_is_chosen(bench: Locator, data: dict[str, Any]) -> None:
    bench.locator(".look-examples button").first.click()
    heads = bench.locator(".look-head")
    assert heads.count() == data["settings"]["n_layers"] * data["settings"]["n_heads"]
    heads.nth(data["settings"]["n_heads"] + 1).click()
    assert "in head 2 of block 2" in bench.locator(".look-attention").inner_text()
    assert bench.locator(".look-head[aria-pressed=true]").count() == 1


def test_everything_works_by_keyboard(bench: Locator, visit: Visit) -> None:
    keyboard = visit.page.keyboard
    bench.locator("textarea").focus()
    keyboard.press("Control+a")
    keyboard.type("The girl went to the")
    keyboard.press("Enter")
    bench.locator(".look-next").wait_for()
    for _ in range(30):
        keyboard.press("Tab")
        if bench.locator(".look-token[aria-pressed=true]").evaluate(FOCUSED):
            break
    chips = bench.locator(".look-token")
    last = chips.count() - 1
    for key, place in (("ArrowLeft", last - 1), ("ArrowLeft", last - 2), ("ArrowRight", last - 1)):
        keyboard.press(key)
        assert chips.nth(place).evaluate(FOCUSED)
        assert chips.nth(place).get_attribute("aria-pressed") == "true"
        assert chips.nth(place).evaluate(OUTLINE) > 0, "the focus is not visible"
    keyboard.press("Home")
    assert chips.first.evaluate(FOCUSED)
    bench.locator(".look-head[aria-pressed=true]").focus()
    keyboard.press("ArrowUp")
    assert bench.locator(".look-head[aria-pressed=true]").evaluate(FOCUSED)
    bench.locator(".look-candidate").first.focus()
    keyboard.press("Enter")
    assert bench.locator(".look-candidate").first.evaluate(FOCUSED)
    assert "You chose" in bench.locator(".look-said").inner_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "There is nothing to read yet"), ("나라 " * 199, "please shorten it")],
)
def test_what_cannot_be_read_gets_a_message(bench: Locator, text: str, message: str) -> None:
    assert message in read(bench, text)


def test_bytes_that_are_no_character_are_shown_as_numbers(bench: Locator) -> None:
    read(bench, "☕")
    shown = bench.locator(".look-token .look-text").all_inner_texts()
    assert any(re.search(r"⟨[0-9A-F]{2}( [0-9A-F]{2})*⟩", one) for one in shown)


def test_the_page_is_accessible_and_fits_a_phone(bench: Locator, visit: Visit) -> None:
    bench.locator(".look-examples button").first.click()
    assert bench.locator(".look-said").get_attribute("aria-live") == "polite"
    assert bench.get_by_role("group", name="The text in tokens").count() == 1
    assert bench.get_by_label("Temperature").count() == 1
    visit.resize(PHONE)
    assert visit.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    for one in bench.locator("textarea, input, .look-token, .look-candidate, [data-act]").all():
        box = one.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    visit.resize(WIDE)
    assert violations(visit.page) == []


def test_nothing_is_sent(bench: Locator, visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.context.set_offline(True)
    assert "nothing was sent" in read(bench, "나는")
    act(bench, "one")
    visit.page.context.set_offline(False)
    assert [url for url in asked if not url.startswith("blob:")] == []
    assert visit.messages == []
    assert visit.failures == []
    assert visit.foreign == []


def test_without_javascript_the_page_says_so(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/{NAME}")
        assert "needs JavaScript" in page.locator(".look-inside").inner_text()
        assert not page.locator(".look-inside form").is_visible()


def test_the_page_is_light_and_only_it_loads_the_scripts() -> None:
    assert (HTML / NAME).stat().st_size < MEGABYTES * 1e6
    loaded = [str(tag.get("src")) for tag in soup(NAME).select("script[src]")]
    scripts = ("/transformer.js", "/language_model.js", "/look_inside.js")
    assert sum(any(name in one for name in scripts) for one in loaded) == 3
    for name in CHAPTERS:
        assert not any("look_" in str(tag.get("src")) for tag in soup(name).select("script[src]"))
