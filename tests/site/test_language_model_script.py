"""The GPT in JavaScript gives the numbers that the one in Python gives.

These tests need a browser, but not the built site: a page of their own takes its place.
"""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page

from companion import weights
from companion.data.town.tasks import parallel
from companion.pretraining.gpt import GPT, GPTConfig, language_model_html
from companion.sequences.generation import adjust
from companion.sequences.tokenization import BytePairTokenizer

from .site import ROOT

TOLERANCE = 2e-5
TOWN = [sentence for pair in parallel(300) for sentence in pair]
TEXTS = [
    *TOWN[:12],
    *[sentence for pair in parallel(6, split="test") for sentence in pair],
    "나",
    "  two  spaces\n\nand lines\t ",
    "It's 12,345.67 o'clock; don't! (we'll see…)",
    "우주선 ☕🙂 大學 Ünïcödé",
    unicodedata.normalize("NFD", "한국어"),
    "a<|end|>b <|end|",
    "'s 've ' ll",
    "\u00a0\u3000x\u2028y",
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.5},
    {"temperature": 2.0, "top_k": 5},
    {"top_p": 0.6},
    {"temperature": 1.3, "top_k": 20, "top_p": 0.5},
    {"top_k": 1},
]
READ = """async (texts) => {
  const { tokenizer, load, adjust, draw } = window.courseLanguageModel;
  const data = JSON.parse(document.querySelector(".look-inside script").textContent);
  const words = tokenizer(data.tokenizer), model = await load(data);
  return texts.map((text) => {
    const ids = words.encode(text), cache = model.start();
    const all = ids.map((id) => model.step(id, cache));
    return { ids, text: words.decode(ids),
             scores: all.map(({ scores }) => Array.from(scores)),
             looked: all.map(({ looked }) => looked.map((one) => one.map((h) => Array.from(h)))) };
  });
}"""
ADJUST = """([scores, settings]) => {
  const { adjust } = window.courseLanguageModel;
  return adjust(Float32Array.from(scores), settings);
}"""


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train(TOWN, 500, special_tokens=["<|end|>"])


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def model(request: pytest.FixtureRequest, tokenizer: BytePairTokenizer) -> GPT:
    """A GPT of odd sizes, its numbers far from 0, rounded as the page has them."""
    torch.manual_seed(0)
    sizes = {"d_model": 30, "n_layers": 3, "n_heads": 5, "d_hidden": 37, "max_length": 80}
    one = GPT(GPTConfig(len(tokenizer), **sizes, eps=1e-4, tied=request.param)).eval()
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return one


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, model: GPT, tokenizer: Any) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tags = ""
    for script in ("transformer.js", "language_model.js", "look_inside.js"):
        shutil.copy2(ROOT / "web" / "static" / script, folder)
        tags += f'<script defer src="{script}"></script>'
    page = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{tags}</head><body>'
    body = language_model_html(model, tokenizer, examples=TOWN[:2])
    (folder / "index.html").write_text(f"{page}{body}</body></html>", "utf-8")
    return folder


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/index.html")
    yield page
    context.close()


def test_the_script_computes_what_python_computes(
    page: Page, model: GPT, tokenizer: BytePairTokenizer
) -> None:
    rounded = GPT(model.config).eval()
    state = weights.unpack(weights.pack(model.state_dict()))
    weights.fill(rounded, state)
    for text, got in zip(TEXTS, page.evaluate(READ, TEXTS), strict=True):
        assert got["ids"] == tokenizer.encode(text), text
        assert got["text"] == tokenizer.decode(got["ids"], skip_special_tokens=False) == text
        ids = torch.tensor([got["ids"]])
        with torch.no_grad():
            logits, looked = rounded(ids, need_weights=True)
        shares = torch.tensor(got["scores"]).softmax(dim=-1)
        torch.testing.assert_close(shares, logits[0].softmax(dim=-1), atol=TOLERANCE, rtol=0)
        for place, blocks in enumerate(got["looked"]):
            for n, heads in enumerate(blocks):
                wanted = looked[n][0, :, place, : place + 1]
                torch.testing.assert_close(
                    torch.tensor(heads, dtype=torch.float32), wanted, atol=TOLERANCE, rtol=0
                )


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_temperature_top_k_and_top_p_are_those_of_python(
    page: Page, settings: dict[str, Any]
) -> None:
    scores = torch.randn(200, generator=torch.Generator().manual_seed(3)) * 2
    names = {"temperature": "temperature", "top_k": "topK", "top_p": "topP"}
    asked = {names[name]: value for name, value in settings.items()}
    got = page.evaluate(ADJUST, [scores.tolist(), asked])
    wanted = adjust(scores, **settings).softmax(dim=-1)
    ids = [one["id"] for one in got]
    assert sorted(ids) == list(range(200))
    found = [one["probability"] for one in got]
    assert found == sorted(found, reverse=True)
    assert found == pytest.approx(wanted[ids].tolist(), abs=1e-6)


def test_the_dice_choose_as_often_as_is_probable(page: Page) -> None:
    script = """([shares, dice]) => dice.map((one) => window.courseLanguageModel.draw(
      shares.map((probability, id) => ({ id, probability })), one))"""
    dice = [(i + 0.5) / 1000 for i in range(1000)]
    drawn = page.evaluate(script, [[0.5, 0.3, 0.2, 0.0], dice])
    assert [drawn.count(i) for i in range(4)] == [500, 300, 200, 0]
    assert page.evaluate(script, [[0.5, 0.3, 0.2 - 1e-12, 0.0], [1 - 1e-13]]) == [2]
