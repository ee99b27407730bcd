"""Tests of town-bert: no test was read, the first steps repeat, the card is true."""

import hashlib
import json
import random
import re
from dataclasses import replace
from itertools import islice

import pytest
import torch

from companion.data.town.dialogue import exchanges
from companion.data.town.inference import entailment
from companion.data.town.news import articles, attributions
from companion.data.town.stories import questions, stories
from companion.data.town.tasks import parallel, sentiment, tagged
from companion.pretraining.bert import Bert, MaskedLanguageModel
from companion.sequences.tokenization import WordPieceTokenizer
from tools.chapters import ROOT
from tools.models import muon
from tools.models import town_bert as recipe
from tools.models.__main__ import main, recipes
from tools.models.bert_text import documents

DIGESTS = {
    "model.safetensors": "486d59b2947234927782acccb53c6e478f5670779320296db8b74e46200b6c71",
    "tokenizer.json": "385d6d561da21ea49fd4db87161419e5332b20a4a112378cba7d97443b9af525",
}
HELD_OUT = ("validation", "test")


# --- nothing leaks --------------------------------------------------------------------------------


def normalised(text):
    """Leave letters and digits alone, small ones: neither spaces nor signs can hide a copy."""
    return re.sub(r"[\W_]", "", text.lower())


def sentences_of(text):
    return [normalised(part) for part in re.split(r"(?<=[.?!])\s+", text)]


@pytest.fixture(scope="module")
def read():
    """Everything that 50,000 documents of both mixtures hold: whole texts, and their sentences."""
    made = (*islice(documents(7), 25_000), *islice(documents(7, 1), 25_000))
    texts = [text for both in made for text in both if text]
    return {normalised(text) for text in texts} | {s for text in texts for s in sentences_of(text)}


def single_sentences(split):
    """Return test sentences that no document may hold, from several seeds and both vocabularies."""
    for words in ("core", "all"):
        for seed in range(2):
            for level in ("plain", "polite", "formal"):
                for pair in parallel(400, seed=seed, split=split, level=level, words=words):
                    yield from pair
            for held_out in ("combinations", "adjectives"):
                for one in sentiment(300, seed=seed, split=split, words=words, held_out=held_out):
                    yield from (one.ko, one.en)
            for language in ("ko", "en"):
                for one in tagged(300, seed=seed, split=split, words=words, language=language):
                    yield " ".join(one.tokens)
            for pair in entailment(400, seed=seed, split=split, words=words):
                yield from (pair.premise_ko, pair.premise_en)


@pytest.mark.parametrize("split", HELD_OUT)
def test_no_sentence_of_a_test_was_read(read, split):
    assert not {text for text in single_sentences(split) if normalised(text) in read}


@pytest.mark.parametrize("split", HELD_OUT)
def test_no_story_and_no_article_of_a_test_was_read(read, split):
    wholes = []
    for length in (4, 5, 6):
        for story in stories(400, length=length, split=split):
            wholes += [" ".join(story.ko), " ".join(story.en)]
    for one in questions(400, split=split):
        wholes += [one.passage_ko, one.passage_en]
    for article in articles(300, split=split):
        wholes += [article.ko[0], article.en[0]]  # the day and the place: what splits go by
    for one in attributions(300, split=split):
        wholes += [one.lead_ko, one.lead_en]
    assert not {text for text in wholes if normalised(text) in read}


def test_no_question_about_a_story_and_no_exchange_of_a_test_was_read(read):
    asked = {one.question_en for one in questions(400) if one.kind in ("person", "before")}
    assert not {text for text in asked if normalised(text) in read}
    together = {
        normalised(one) + normalised(other or "") for one, other in islice(documents(7), 25_000)
    }
    for one in exchanges(500, split="test"):
        for answer in (one.answer_ko, one.short_ko):
            assert normalised(one.question_ko) + normalised(answer) not in together


def test_what_is_left_out_would_have_been_found(read):
    """The test above can fail: sentences of the training split are read, those of all kinds."""
    shared = [normalised(en) in read for _, en in parallel(400, words="core")]
    assert sum(shared) > 20
    assert any(normalised(one.en) in read for one in sentiment(400))


def test_the_words_of_the_tests_were_read(read):
    """Held out are sentences, not words: nearly every word of the opinions has been met."""
    words = {
        word.lower().strip(".")
        for one in sentiment(300, split="test", held_out="adjectives", words="all")
        for word in one.en.split()
    }
    together = "".join(read)
    missing = {word for word in words if normalised(word) not in together}
    assert len(missing) <= 0.03 * len(words), missing


# --- the recipe -----------------------------------------------------------------------------------


def test_documents_repeat():
    first, again = (list(islice(documents(5), 200)) for _ in range(2))
    assert first == again
    assert first != list(islice(documents(6), 200))
    assert all(text for both in first for text in both if text is not None)


def test_batches_are_what_bert_reads(tokenizer):
    generator = torch.Generator().manual_seed(0)
    some = recipe.Lesson(pool=500, tokens=600)
    made = list(recipe.batches(tokenizer, some, generator))
    pad, sep = tokenizer.vocabulary.pad, tokenizer.vocabulary.sep
    chosen = total = 0
    for batch in made:
        B, T = batch["inputs"].shape
        assert B * T <= 600 or B == 1
        assert recipe.LENGTH >= T
        restored = torch.where(batch["targets"] >= 0, batch["targets"], batch["inputs"])
        assert torch.equal(batch["mask"], restored != pad)
        behind = (restored == sep).long().cumsum(dim=1) - (restored == sep).long()
        assert torch.equal(batch["segments"][batch["mask"]], behind.clamp(max=1)[batch["mask"]])
        chosen += int((batch["targets"] >= 0).sum())
        total += int(batch["mask"].sum())
    assert chosen / total == pytest.approx(some.rate * (1 - 2.2 * 480 / total), abs=0.03)


def test_muon_moves_all_directions_alike():
    torch.manual_seed(0)
    for shape in ((3, 5, 11), (2, 11, 5)):
        values = torch.linalg.svdvals(muon.orthogonal(torch.randn(shape)))
        assert values.min() > 0.3
        assert values.max() < 1.3
    parameter = torch.nn.Parameter(torch.eye(3))
    other = torch.nn.Parameter(torch.ones(2))
    groups = [{"params": [parameter], "lr": 0.1, "muon": True}, {"params": [other], "lr": 0.01}]
    optimizer = muon.Muon(groups)
    (parameter.diag().sum() * 5 + other.sum() * 7).backward()
    optimizer.step()
    assert torch.allclose(parameter, torch.eye(3) * 0.9, atol=0.04)  # whatever the gradient's size
    assert torch.allclose(other, torch.full((2,), 0.99))


def test_the_first_steps_repeat(tokenizer, log):
    first = recipe.LESSONS[0]
    runs = []
    for _ in range(2):
        model = recipe.new_model(tokenizer)
        history = recipe.learn(model, tokenizer, replace(first, pool=600), steps=3)
        runs.append((history.step_loss, list(model.state_dict().values())))
    assert runs[0][0] == runs[1][0]
    assert all(map(torch.equal, runs[0][1], runs[1][1]))
    # The very steps of the shipped model. On other processors sums are rounded otherwise.
    [one] = [
        recipe.learn(recipe.new_model(tokenizer), tokenizer, first, steps=2, is_measured=False)
    ]
    assert one.step_loss == pytest.approx(log["lessons"][0]["loss_of_first_steps"][:2], rel=1e-4)


def test_the_log_tells_the_recipe(log):
    assert len(log["lessons"]) == len(recipe.LESSONS)
    for told, lesson in zip(log["lessons"], recipe.LESSONS, strict=True):
        assert {name: told[name] for name in vars(lesson)} == vars(lesson)
        assert told["loss_on_other_documents"][-1] < told["loss_on_other_documents"][0] - 0.5
    assert log["processor_seconds"] < 1800


def test_the_tokenizer_repeats(tokenizer):
    assert recipe.learn_tokenizer().tokens == tokenizer.tokens


# --- what is shipped ------------------------------------------------------------------------------

FOLDER = ROOT / "companion" / "models" / "town-bert"


@pytest.fixture(scope="module")
def tokenizer():
    return WordPieceTokenizer.load(FOLDER / "tokenizer.json")


@pytest.fixture(scope="module")
def log():
    return json.loads((FOLDER / "training.json").read_text("utf-8"))


@pytest.mark.parametrize("name", DIGESTS)
def test_the_files_are_those_of_the_recipe(name):
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == DIGESTS[name]


def test_the_folder_is_small_and_opens(tokenizer):
    assert 2e6 < sum(path.stat().st_size for path in FOLDER.iterdir()) < 8e6
    model, bert = MaskedLanguageModel.from_pretrained(FOLDER), Bert.from_pretrained(FOLDER)
    assert {p.dtype for p in model.parameters()} == {torch.float16}
    assert bert.config.vocab_size == len(tokenizer) == model.config.vocab_size
    text = "지우는 시장에서 Minjun에게 사과를 줬다."
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_library_reads_it(tokenizer):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.BertForMaskedLM.from_pretrained(FOLDER, torch_dtype=torch.float32).eval()
    ours = MaskedLanguageModel.from_pretrained(FOLDER).float()
    ids = torch.tensor([tokenizer.encode("Minjun [MASK] an apple at the market.")])
    assert torch.allclose(ours(ids), theirs(ids).logits, atol=1e-4)


def test_the_card_says_what_is_measured(log):
    card = (FOLDER / "README.md").read_text("utf-8")
    for name, share in log["measured"].items():
        assert f"| {name.replace('_', ' ')} | {100 * share:.1f} |" in card
    again = recipe.measure(FOLDER)
    for name, share in log["measured"].items():
        assert again[name] == pytest.approx(share, abs=0.01)


def test_documents_do_not_use_the_global_chance():
    random.seed(1)
    before = random.getstate()
    list(islice(documents(1), 50))
    assert random.getstate() == before


def test_the_recipe_is_found_by_its_name():
    assert "town-bert" in recipes()
    with pytest.raises(SystemExit):
        main(["town-lama"])
