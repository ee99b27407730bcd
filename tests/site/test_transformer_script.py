"""The Transformer in JavaScript writes what the one in Python writes, token by token.

These tests need a browser, but not the built site: a page of their own takes its place.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from pathlib import Path
from string import punctuation
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page

from companion.data.town.tasks import parallel
from companion.sequences.seq2seq import (
    SPECIAL_TOKENS,
    WordEmbedding,
    encode_pairs,
    greedy_decode,
    train_seq2seq,
)
from companion.sequences.tokenization import WordTokenizer
from companion.transformer.translation import (
    Packed,
    Transformer,
    TransformerConfig,
    pack,
    translator_html,
    unpack,
)

from .site import ROOT

PAD, _, BOS, EOS = range(4)
LIMIT = 50
PAD, BOS, EOS = 0, 2, 3  # as the script has them
TOLERANCE = 2e-5
TOWN = parallel(600)
HELD_OUT = [korean for korean, _ in parallel(30, split="test")]
SENTENCES = [
    *[korean for korean, _ in TOWN[:10]],
    *HELD_OUT,
    "우주선은 은행까지 걸어갔다.",  # unknown words
    "나",
    "?!",
    "남자는, (\"자주\") 학교에서 - 'A'는 $3 + 4·5… 했다。",
    unicodedata.normalize("NFD", HELD_OUT[0]),
    " ".join(korean for korean, _ in TOWN[:8])[:150],  # longer than all that it learnt from
]

RUN = """async ({ name, sentences, limit }) => {
  const { load, split, UNK } = window.courseTransformer;
  const data = JSON.parse(document.querySelector(".translator script").textContent);
  const packed = data.models[name];
  const numbers = new Map(data.vocabularies[packed.source_words].map((word, i) => [word, i]));
  const model = await load(packed);
  return sentences.map((text) => {
    const tokens = split(text).map((word) => numbers.get(word) ?? UNK);
    const { written, finished, end } = model.translate(tokens, limit);
    return { tokens, finished, end: end ?? null, written };
  });
}"""


def settings(**changes: Any) -> dict[str, Any]:
    """Return sizes that are no multiples of each other, where they need not be."""
    sizes = {"d_model": 30, "n_heads": 3, "n_encoder_layers": 2, "n_decoder_layers": 2}
    return {**sizes, "d_hidden": 37, "max_length": 70, "dropout": 0.1, **changes}


@pytest.fixture(scope="module")
def tokenizers() -> tuple[WordTokenizer, WordTokenizer]:
    sides = ([pair[side] for pair in TOWN] for side in (0, 1))
    korean, english = (WordTokenizer.train(one, special_tokens=SPECIAL_TOKENS) for one in sides)
    return korean, english


@pytest.fixture(scope="module")
def models(tokenizers: tuple[WordTokenizer, WordTokenizer]) -> dict[str, Packed]:
    """Four Transformers, some of them briefly trained: enough to end their sentences."""
    korean, english = tokenizers
    sentences, packed = [korean for korean, _ in TOWN], {}
    for name, changes, epochs in (
        ("pre-norm", {"norm_first": True, "n_decoder_layers": 3}, 6),
        ("post-norm", {"activation": "gelu", "n_encoder_layers": 1, "embedding_scale": 2.5}, 6),
        ("post-norm, new", {}, 0),
        ("shared, new", {"norm_first": True, "activation": "gelu", "share_embeddings": True}, 0),
    ):
        torch.manual_seed(0)
        target = korean if "share_embeddings" in changes else english
        config = TransformerConfig(len(korean), len(target), **settings(**changes))
        embedding = WordEmbedding(korean.vocabulary, 30) if epochs else None
        model = Transformer(config, source_embedding=embedding)
        if epochs:
            pairs = encode_pairs(TOWN, korean, english)
            train_seq2seq(model, pairs, epochs=epochs, learning_rate=0.01)
        else:  # weights that are far from 0 make outputs that are far from even
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(torch.randn_like(parameter), alpha=0.3)
        packed[name] = pack(model, korean, target, sentences, examples=HELD_OUT[:2])
    return packed


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Packed]) -> Path:
    """A folder with one page, which takes the place of the built site."""
    folder = tmp_path_factory.mktemp("translator")
    tags = ""
    for script in ("transformer.js", "translator.js"):
        shutil.copy2(ROOT / "web" / "static" / script, folder)
        tags += f'<script defer src="{script}"></script>'
    page = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{tags}</head><body>'
    (folder / "index.html").write_text(f"{page}{translator_html(models)}</body></html>", "utf-8")
    return folder


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/index.html")
    yield page
    context.close()


def expected(model: Transformer, words: Any, tokens: list[int]) -> dict[str, Any]:
    """Decode greedily in Python; also return probabilities and mean attention weights."""
    [written] = greedy_decode(model, torch.tensor([tokens]), words, max_length=LIMIT)
    inputs = torch.tensor([[BOS, *written]])
    with torch.no_grad():
        memory, mask = model.encode(torch.tensor([tokens]))
        logits, weights = model.decode(inputs, memory, mask, need_weights=True)
    after = logits[0].softmax(dim=-1)
    steps = range(len(written))
    return {
        "written": written,
        "finished": len(written) < LIMIT,
        "end": after[len(written), EOS].item(),
        "probabilities": [after[i, written[i]].item() for i in steps],
        "looked": weights[-1][0].mean(dim=0)[: len(written)],  # (T, S)
    }


NAMES = ("pre-norm", "post-norm", "post-norm, new", "shared, new")


@pytest.mark.parametrize("name", NAMES)
def test_the_script_writes_what_python_writes(
    page: Page,
    models: dict[str, Packed],
    tokenizers: tuple[WordTokenizer, WordTokenizer],
    name: str,
) -> None:
    asked = {"name": NAMES.index(name), "sentences": SENTENCES, "limit": LIMIT}
    model, outcomes = unpack(models[name]), page.evaluate(RUN, asked)
    words = tokenizers["shared" not in name].vocabulary  # of the target
    finished = set()
    for text, got in zip(SENTENCES, outcomes, strict=True):
        assert got["tokens"] == tokenizers[0].encode(unicodedata.normalize("NFC", text)), text
        wanted = expected(model, words, got["tokens"])
        assert [one["token"] for one in got["written"]] == wanted["written"], text
        probabilities = [one["probability"] for one in got["written"]]
        assert probabilities == pytest.approx(wanted["probabilities"], abs=TOLERANCE)
        assert got["finished"] == wanted["finished"]
        if got["finished"]:
            assert got["end"] == pytest.approx(wanted["end"], abs=TOLERANCE)
        for one, weights in zip(got["written"], wanted["looked"], strict=True):
            assert one["looked"] == pytest.approx(weights.tolist(), abs=TOLERANCE)
        finished.add(got["finished"])
    assert len(SENTENCES) >= 30
    if "new" not in name:
        assert True in finished, "nothing ends: a weak test"


def test_the_script_cuts_texts_as_python_does(
    page: Page, tokenizers: tuple[WordTokenizer, WordTokenizer]
) -> None:
    """Around each character of plane 0, and some beyond, that is today what it was.

    The tokenizer's table of punctuation marks is that of a library, and older than browsers are:
    about 30 marks of rare scripts have come into Unicode since, or have changed their class.
    """
    characters = [
        chr(n) for n in [*range(0xD800), *range(0xE000, 0xFFFE), *range(0x1F300, 0x1F700)]
    ]
    kinds = {c: unicodedata.category(c) for c in characters}
    split = tokenizers[0].split
    known = [
        c
        for c, kind in kinds.items()
        if kind not in ("Cn", "Co")
        and (kind[0] == "P" or c in punctuation) == (split(f"a{c}b") == ["a", c, "b"])
    ]
    assert len(known) > 50_000
    texts = [f"a{c}b {c}{c} c" for c in known]
    cut = page.evaluate("(texts) => texts.map(window.courseTransformer.split)", texts)
    different = [
        f"U+{ord(c):04X}"
        for c, text, got in zip(known, texts, cut, strict=True)
        if got != split(unicodedata.normalize("NFC", text))
    ]
    assert different == []


def test_the_page_has_no_padding_to_write(page: Page, models: dict[str, Packed]) -> None:
    asked = {"name": 2, "sentences": SENTENCES, "limit": LIMIT}
    written = {one["token"] for got in page.evaluate(RUN, asked) for one in got["written"]}
    assert not written & {PAD, BOS}
    assert len(written) > 5


def test_an_answer_without_end_is_cut_and_says_so(page: Page) -> None:
    page.locator("select").select_option(index=2)
    page.locator("input").fill(HELD_OUT[0])
    page.locator("input").press("Enter")
    page.locator(".translator-result").wait_for()
    said = page.locator(".translator-answer").inner_text()
    assert f"It found no end: the answer was cut after {LIMIT} words and marks." in said
    assert "It was not sure of: " in said
    assert "Do not trust this translation:" in said
    assert page.locator("button.translator-word").count() == LIMIT


def test_weights_travel_unharmed(page: Page, models: dict[str, Packed]) -> None:
    text = page.evaluate("document.querySelector('.translator script').textContent")
    data = json.loads(text)
    assert [one["weights"] for one in data["models"]] == [one.weights for one in models.values()]
    assert len(data["vocabularies"]) == 2
