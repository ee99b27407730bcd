"""The page "Try your own sentence": what it answers, and what it says about words it never saw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator

from .site import CHAPTERS, PHONE, WIDE, Visit, soup, violations

NAME = "book/reference/own_sentence.html"
OUTLINE = "(element) => parseFloat(getComputedStyle(element).outlineWidth)"
GREEN, RED = "translator-result", "translator-result translator-doubtful"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """What the page carries: models, words, counts."""
    [script] = soup(NAME).select(".translator script")
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
def form(visit: Visit) -> Locator:
    """The translator in its first direction, wide."""
    visit.resize(WIDE)
    visit.page.locator(".translator select").select_option(index=0)
    return visit.page.locator(".translator")


def words(data: dict[str, Any], model: int) -> dict[str, int]:
    """Return each source word with its count."""
    one = data["models"][model]
    return dict(zip(data["vocabularies"][one["source_words"]], one["counts"], strict=True))


def ask(form: Locator, text: str) -> str:
    """Type a text, press Enter and return all that is answered."""
    field = form.locator("input")
    field.fill(text)
    field.press("Enter")
    said = form.locator(".translator-result, .translator-refusal")
    said.wait_for()
    return form.locator(".translator-answer").inner_text()


def verdict(form: Locator) -> str:
    return str(form.locator(".translator-result").get_attribute("class"))


def test_each_example_is_translated(form: Locator, data: dict[str, Any]) -> None:
    for number, model in enumerate(data["models"]):
        form.locator("select").select_option(index=number)
        examples = form.locator(".translator-examples button:visible")
        assert examples.all_inner_texts() == model["examples"]
        assert len(model["examples"]) >= 2
        for example in examples.all():
            example.click()
            form.locator(".translator-result").wait_for()
            assert form.locator("input").input_value() == example.inner_text()
            answer = form.locator(".translator-result b")
            letters = r"[A-Za-z]" if model["marks"][1] == "en" else r"[가-힣]"
            assert re.search(letters, answer.inner_text())
            assert answer.get_attribute("lang") == model["marks"][1]
            chips = form.locator("button.translator-word span").all_inner_texts()
            assert set(chips) <= set(data["vocabularies"][model["target_words"]])
            percent = form.locator("button.translator-word small").all_inner_texts()
            assert len(percent) == len(chips) > 1
            assert all(re.fullmatch(r"(over 99|\d\d?) %", one) for one in percent)


def test_most_examples_can_be_trusted(form: Locator, data: dict[str, Any]) -> None:
    trusted = [
        "Translation:" in ask(form, example) and verdict(form) == GREEN
        for example in data["models"][0]["examples"]
    ]
    assert sum(trusted) > len(trusted) / 2


def test_a_word_that_was_never_seen_is_named_before_the_answer(
    form: Locator, data: dict[str, Any]
) -> None:
    said = ask(form, "우주선은 " + data["models"][0]["examples"][0])
    assert "The model has never seen: 우주선은." in said
    assert "It reads a blank, [UNK], there; what it writes for it is a guess." in said
    assert said.index("우주선은") < said.index("Do not trust this translation:")
    assert verdict(form) == RED
    chip = form.locator("span.translator-word").first
    assert chip.inner_text().split("\n")[:2] == ["우주선은", "never seen"]
    assert "translator-weak" in str(chip.get_attribute("class"))


def test_nothing_is_translated_where_all_words_are_unknown(form: Locator) -> None:
    said = ask(form, "우주선이 외계인을 납치했다.")
    assert "never seen: 우주선이, 외계인을, 납치했다" in said
    assert "it does not try" in said
    assert form.locator(".translator-result").count() == 0
    assert form.locator(".translator-word").count() == 0


def test_a_rare_word_is_named(form: Locator, data: dict[str, Any]) -> None:
    rare = next((word for word, n in words(data, 0).items() if 0 < n < 5), None)
    common = next(word for word, n in words(data, 0).items() if n > 50 and word != ".")
    said = ask(form, f"{common} {common}.")
    assert "Rare" not in said
    if rare is not None:
        said = ask(form, f"{common} {rare}.")
        assert re.search(rf"Rare words, .*: {re.escape(rare)} \(seen (once|\d times)\)", said)
        assert verdict(form) == RED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is nothing to translate yet"),
        ("   ", "There is nothing to translate yet"),
        ("?! …", "There is no word"),
        ("The boy runs.", "no Korean letter"),
        ("少年は走る。", "no Korean letter"),
    ],
)
def test_what_is_no_sentence_of_the_language_gets_a_message(
    form: Locator, text: str, message: str
) -> None:
    assert message in ask(form, text)
    assert form.locator(".translator-result, .translator-word").count() == 0


def test_the_other_direction_refuses_korean(form: Locator, data: dict[str, Any]) -> None:
    form.locator("select").select_option(index=1)
    assert "no English letter" in ask(form, data["models"][0]["examples"][0])


def test_several_sentences_are_refused(form: Locator, data: dict[str, Any]) -> None:
    most = data["models"][0]["sentences"]
    said = ask(form, " ".join([data["models"][0]["examples"][0]] * (most + 1)))
    assert f"This looks like {most + 1} sentences" in said
    assert form.locator(".translator-result").count() == 0


def test_a_long_sentence_is_not_trusted(form: Locator, data: dict[str, Any]) -> None:
    longest = data["models"][0]["longest"]
    word = next(word for word, n in words(data, 0).items() if n > 50 and word != ".")
    said = ask(form, " ".join([word] * longest) + ".")
    assert f"Your sentence has {longest + 1} words and marks" in said
    assert verdict(form) == RED
    said = ask(form, " ".join([word] * data["models"][0]["settings"]["max_length"]) + ".")
    assert "please shorten it" in said


def test_a_full_stop_is_added_and_told(form: Locator, data: dict[str, Any]) -> None:
    example = data["models"][0]["examples"][0]
    first = ask(form, example)
    second = ask(form, example.removesuffix("."))
    assert "A full stop was added" not in first
    assert "A full stop was added" in second
    assert first.splitlines()[-1] == second.splitlines()[-1]


def test_another_spelling_with_capital_letters_is_offered(
    form: Locator, data: dict[str, Any]
) -> None:
    form.locator("select").select_option(index=1)
    seen = words(data, 1)
    name = next(word for word in seen if word.istitle() and word.lower() not in seen)
    said = ask(form, data["models"][1]["examples"][0].removesuffix(".") + f" {name.lower()}.")
    assert f"never seen: {name.lower()}." in said
    assert f"in other places it knows: {name}." in said


def test_everything_works_by_keyboard(form: Locator, data: dict[str, Any], visit: Visit) -> None:
    keyboard = visit.page.keyboard
    form.locator("select").focus()
    keyboard.press("Tab")
    assert form.locator("input").evaluate("(one) => one === document.activeElement")
    keyboard.type(data["models"][0]["examples"][1])
    keyboard.press("Enter")
    form.locator(".translator-result").wait_for()
    assert form.locator(".translator-looked").inner_text() == ""
    chips = form.locator("button.translator-word")
    for _ in range(50):
        keyboard.press("Tab")
        if chips.first.evaluate("(one) => one === document.activeElement"):
            break
    for number, chip in enumerate(chips.all()):
        assert chip.evaluate("(one) => one === document.activeElement")
        assert chip.evaluate(OUTLINE) > 0, "the focus is not visible"
        assert chip.get_attribute("aria-pressed") == "true"
        assert form.locator("[aria-pressed=true]").count() == 1
        written = chip.locator("span").inner_text()
        looked = form.locator(".translator-looked").inner_text()
        assert f"While it wrote {written}, its last block looked most at" in looked, number
        shares = form.locator("span.translator-word small:last-child").all_inner_texts()
        numbers = [re.fullmatch(r"attention (?:over )?(\d+) %", share) for share in shares]
        assert 90 <= sum(int(found[1]) for found in numbers if found) <= 100
        keyboard.press("Tab")
    [form.locator(part).focus() for part in ("input", "button[type=submit]")]
    assert form.locator("button[type=submit]").evaluate(OUTLINE) > 0


def test_the_answer_is_announced_and_named(form: Locator) -> None:
    assert form.locator(".translator-answer").get_attribute("aria-live") == "polite"
    assert form.get_by_label("Your sentence").count() == 1
    assert form.get_by_label("Direction").count() == 1
    assert form.get_by_role("button", name="Translate").count() == 1
    assert form.get_by_role("group", name="Examples").count() == 1
    assert form.locator(".translator-waits").count() == 0


def test_an_answer_is_accessible_and_fits_a_phone(
    form: Locator, data: dict[str, Any], visit: Visit
) -> None:
    ask(form, "우주선은 " + data["models"][0]["examples"][0])
    form.locator("button.translator-word").first.focus()
    visit.resize(PHONE)
    assert visit.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    for one in form.locator("input, button:visible, .translator-word").all():
        box = one.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert one.evaluate(
            "(one) => one.scrollWidth <= one.clientWidth + 1 || one.matches('input')"
        )
    visit.resize(WIDE)
    assert violations(visit.page) == []


def test_nothing_is_sent(form: Locator, data: dict[str, Any], visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.page.context.set_offline(True)
    for number, model in enumerate(data["models"]):
        form.locator("select").select_option(index=number)
        assert "ranslation:" in ask(form, model["examples"][0])
    visit.page.context.set_offline(False)
    assert [url for url in asked if not url.startswith("blob:")] == []
    assert visit.messages == []
    assert visit.failures == []
    assert visit.foreign == []


def test_without_javascript_the_page_says_so(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/{NAME}")
        assert "needs JavaScript" in page.locator(".translator").inner_text()
        assert not page.locator(".translator form").is_visible()
        assert "small invented town" in page.locator("article").inner_text()


def test_only_this_page_loads_the_scripts() -> None:
    loaded = [str(tag.get("src")) for tag in soup(NAME).select("script[src]")]
    assert sum("/transformer.js" in one or "/translator.js" in one for one in loaded) == 2
    for name in CHAPTERS:
        assert not any("transl" in str(tag.get("src")) for tag in soup(name).select("script[src]"))
