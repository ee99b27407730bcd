"""town-gpt: its files, its recipe from the first step on, its card, and what it has never seen."""

import functools
import hashlib
import json
import math
import re
import unicodedata
from itertools import islice

import pytest
import torch

from companion.basics.training import fit
from companion.data.corpus import MAKERS, documents, sentences, text_of
from companion.data.episodes import episodes, held_out
from companion.data.town.dialogue import exchanges
from companion.data.town.stories import questions, stories
from companion.data.town.tasks import sentiment
from companion.pretraining.gpt import GPT, generate
from companion.sequences.tokenization import BytePairTokenizer
from tools.chapters import ROOT
from tools.models import muon, scores, town_gpt
from tools.models.gpt_card import write_card

FOLDER = ROOT / "companion" / "models" / "town-gpt"
DIGESTS = {
    "model.safetensors": "6052740e19f31ec3dcc5681a05e7f60aa0bbc64642ca5133e9a98333139ba576",
    "tokenizer.json": "14a9556a9fb306f004306e7b3af5d83cfd54759a94f22bd6e9c2ac0c8eb4f157",
}


@pytest.fixture(scope="module")
def log():
    return json.loads((FOLDER / "training.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def words():
    return BytePairTokenizer.load(FOLDER / "tokenizer.json")


@pytest.fixture(scope="module")
def model():
    return GPT.from_pretrained(FOLDER).float()


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- the files ------------------------------------------------------------------------------------


def test_the_files_are_those_that_were_made():
    for name, digest in DIGESTS.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    size = (FOLDER / "model.safetensors").stat().st_size
    assert 2e6 < size < 8e6


def test_the_model_is_what_the_recipe_says(model, words):
    assert model.config == town_gpt.CONFIG
    assert len(words.vocabulary) == town_gpt.CONFIG.vocab_size
    assert words.vocabulary[town_gpt.END] == 0
    assert 2e6 < sum(parameter.numel() for parameter in model.parameters()) < 3.5e6


def test_the_library_reads_the_folder(model, words):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32).eval()
    ids = torch.tensor([words.encode("영수는 시장에 갔다. Minjun went to the park.")])
    with torch.no_grad():
        difference = (theirs(ids).logits - model(ids)).abs().max().item()
    assert difference < 1e-3


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind != "documentation"])
def test_pieces_have_the_tokens_of_the_whole_text(kind, words):
    rows = town_gpt.Rows(words, {}, 1)
    for document in islice(documents(kind, seed=8), 20):
        ids, targets = rows.encoded(document)
        assert ids[:-1] == words.encode(text_of(document))
        assert words.decode(ids[:-1]) == text_of(document)
        shown = [number for number in targets if number != -100]
        told = [words.encode(piece.text) for piece in document if piece.learn]
        least = sum(map(len, told)) - (1 if document[0].learn else 0)  # nothing is before the first
        assert least <= len(shown) <= least + 1  # and the end, where the last piece counts
        assert len(targets) == len(ids)
        assert all(new in (after, -100) for new, after in zip(targets, ids[1:], strict=False))


# --- the recipe -----------------------------------------------------------------------------------


def begin(words, steps, checkpoint=None):
    """Return the losses and the weights after the first steps of the training."""
    model = town_gpt.new_model()
    history = fit(
        model,
        town_gpt.Rows(words, town_gpt.FIRST, town_gpt.PER_EPOCH),
        loss=town_gpt.loss,
        optimizer=muon.Muon(town_gpt.learning(model)),
        steps=steps,
        schedule=town_gpt.rising,
        clip_norm=1.0,
        seed=town_gpt.SEED,
        device="cpu",
        checkpoint=checkpoint,
    )
    return history.step_loss, model.state_dict()


def test_the_first_steps_are_repeated_bit_by_bit(words, log, tmp_path):
    losses, weights = begin(words, 4)
    begin(words, 2, tmp_path)
    again, same = begin(words, 4, tmp_path)  # goes on where it was cut
    assert losses == again
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    # Other processors round otherwise.
    assert losses == pytest.approx(log["first_losses"][:4], rel=1e-3)
    assert losses[-1] < losses[0]


def test_heads_look_back_from_the_beginning(words):
    model = town_gpt.new_model().eval()
    ids = torch.tensor([words.encode("영희는 어제 공원에서 사과를 먹었다. Minjun read a book.")])
    with torch.no_grad():
        _, weights = model(ids, need_weights=True)
    for block, head, back in town_gpt.LOOKING_BACK:
        mean = weights[block][0, head].diagonal(-back)[3:].mean().item()
        assert mean > (0.9 if block == 0 else 0.1), (block, head)
    assert weights[0][0, 3].diagonal(-1)[3:].mean() < 0.3


def test_a_head_finds_what_stood_behind_the_same_token_from_the_beginning(words):
    model = town_gpt.new_model().eval()
    ids = words.encode("map\nbox\nlamp\nscarf\nhead\nrose\n") * 2
    with torch.no_grad():
        _, weights = model(torch.tensor([ids]), need_weights=True)
    back = len(ids) // 2 - 1  # behind the same token, one round earlier
    assert weights[1][0, 0].diagonal(-back)[1:].mean() > 0.4
    assert weights[1][0, 3].diagonal(-back)[1:].mean() < 0.1


def test_the_rates_rise_and_fall():
    assert [round(town_gpt.rising(step), 2) for step in (0, 24, 49, 80)] == [0.02, 0.5, 1, 1]
    n_steps = town_gpt.THEN_EPOCHS * town_gpt.PER_EPOCH
    found = [town_gpt.falling(step) for step in range(n_steps)]
    assert found[0] == 1
    assert sorted(found, reverse=True) == found
    assert 0 < found[-1] < 0.01


# --- the card -------------------------------------------------------------------------------------


def test_the_card_is_written_from_the_log(log):
    assert (FOLDER / "README.md").read_text("utf-8") == write_card(log)


def near(found, stated, n, of):
    """Tell whether two shares can be one: within four standard errors of their difference."""
    middle = (n * found + of * stated) / (n + of)
    error = math.sqrt(max(middle * (1 - middle), 0.01) * (1 / n + 1 / of))
    return abs(found - stated) < 4 * error


CHECKED = ("new labels", "new labels and words", "new labels and words, shuffled")


@pytest.mark.parametrize("row", CHECKED)
def test_classes_are_as_stated(row, model, words, log):
    n, options = 50, scores.LABELLED[row]
    stated = log["in_context"][f"classes: {row}"][scores.SHOTS.index(8)]
    found = scores.chosen(model, words, episodes(n, shots=8, seed=99, **options))
    assert near(found, stated, n, log["n_classes"]), (found, stated)


@pytest.mark.parametrize("kind", ["plural", "topic", "past", "third_person"])
def test_mappings_are_as_stated(kind, model, words, log):
    stated = log["in_context"][f"mapping: {kind}"][scores.SHOTS.index(4)]
    found = scores.exact(model, words, episodes(60, kind, shots=4, words="test", seed=99))
    assert near(found, stated, 60, log["n_mappings"]), (found, stated)


def test_stories_are_as_stated(model, words, log):
    found = scores.stories(model, words, 60, lengths=(3,), seed=99)
    for name, (share,) in found.items():
        assert near(share, log["stories"][name][0], 60, log["stories_each"]), name


def test_bits_per_byte_are_as_stated(model, words, log):
    kinds = ("town, ko", "town, en", "parallel")  # the documentation is another where it is newer
    found = scores.bits_per_byte(model, words, 40, kinds=kinds, seed=99)
    for name, bits in found.items():
        assert bits == pytest.approx(log["bits_per_byte"][name], rel=0.08), name


def test_scores_are_what_greedy_writing_gives(model, words):
    some = episodes(12, "plural", shots=4, words="test", seed=5)
    by_pass = [
        right
        for _, right in scores.score(model, words, [(e.prompt, f" {e.answer}\n") for e in some])
    ]
    for episode, right in zip(some, by_pass, strict=True):
        ids = torch.tensor(words.encode(episode.prompt))
        stop = words.encode("\n")
        text = words.decode(generate(model, ids, 12, temperature=0, stop=stop)[len(ids) :].tolist())
        assert (text.partition("\n")[0] == f" {episode.answer}") == right


# --- what it has never seen -----------------------------------------------------------------------


class Seen(town_gpt.Rows):
    """Keeps the texts of the documents that go into the rows."""

    def encoded(self, document):
        self.texts.append(text_of(document))
        return super().encoded(document)


def training_texts(words, number, shares, epochs, every):
    """Return the documents of each `every`th epoch of a lesson, as the training had them."""
    generator = torch.Generator().manual_seed(town_gpt.SEED + number)
    found = Seen(words, shares, town_gpt.PER_EPOCH)
    found.texts = []
    for epoch in range(epochs):
        state = generator.get_state()
        if epoch % every == 0:
            list(found(generator))
        generator.set_state(state)
        torch.randint(2**30, (), generator=generator)
    return found.texts


def normalised(text):
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


LINE = re.compile(r"^(.+?) => (.+)$", re.MULTILINE)


@functools.cache
def kept_for_tests():
    """Return what must not be in a training text: sentences, stories, exchanges, normalised."""
    new = [text for pair in sentences(2000, split="test", seed=4) for text in pair]
    for held in ("combinations", "adjectives"):
        made = sentiment(500, split="test", words="all", held_out=held, seed=4)
        new += [text for one in made for text in (one.ko, one.en)]
    told = []
    for length in (3, 6):
        made = stories(300, length=length, split="test")
        told += [" ".join(text) for one in made for text in (one.ko, one.en)]
        told += [q.passage_en for q in questions(300, length=length, split="test", seed=4)]
    asked = [f"{e.question_ko} {e.answer_ko}" for e in exchanges(500, split="test")]
    return tuple(frozenset(map(normalised, texts)) for texts in (new, told, asked))


def leaks(texts):
    """Return what a text holds of the things that are kept for tests."""
    kept, (new, told, asked) = held_out(), kept_for_tests()
    whole = "\n".join(texts)
    everything = normalised(whole)
    found = [task for task in kept["tasks"] if normalised(task) in everything]
    lines = {normalised(line) for line in kept["lines"]}
    new_words = {normalised(word) for word in kept["words"]}
    new_labels = {normalised(label) for label in kept["labels"]}
    for pair in LINE.findall(whole):
        before, after = map(normalised, pair)
        if f"{before} => {after}" in lines or before in new_words or after in new_labels:
            found.append(f"{before} => {after}")
    found += new & set(re.split(r"(?<=[.?!]) |\n| => ", everything_by_line(whole)))
    # A story may be the beginning, or a part, of a longer one.
    stories_seen = []
    for line in set(everything_by_line(whole).split("\n")):
        parts = re.split(r"(?<=\.) ", line)
        for size in (3, 6):
            windows = (" ".join(parts[at : at + size]) for at in range(len(parts) - size + 1))
            stories_seen += [window for window in windows if window in told]
    return found + stories_seen + sorted(asked & set(map(normalised, texts)))


def everything_by_line(text):
    return "\n".join(map(normalised, text.split("\n")))


@pytest.mark.parametrize("lesson", [0, 1])
def test_nothing_that_is_kept_for_tests_was_seen(lesson, words, log):
    shares = dict([town_gpt.FIRST, town_gpt.THEN][lesson])
    texts = training_texts(words, lesson, shares, log["epochs"][lesson], 11)
    assert len(texts) > 800
    assert leaks(texts) == []


@pytest.mark.parametrize(
    "planted",
    [
        "Write two of them:\n",
        "cat => cats\n",
        "rose => bako\n",
        "map => {label}\n",
        "{sentence}\n",
        "{story}\n",
        "Minjun went to the park. {story} Minjun went to the market.\n",
    ],
)
def test_what_is_planted_is_found(planted):
    told = stories(300, length=6, split="test")[7]
    planted = planted.format(
        label=sorted(held_out()["labels"])[3],
        sentence=sentences(2000, split="test", seed=4)[11][0],
        story=" ".join(told.en),
    )
    assert leaks(["Minjun went to the park.\n", planted])
    assert not leaks(["Minjun went to the park.\n"])
