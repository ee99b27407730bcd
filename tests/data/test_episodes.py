"""Episodes: the form, the answers by independent rules, what is held out, the controls."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from companion.data.corpus import MAKERS, documents, sentences, text_of
from companion.data.episodes import (
    CLASSES,
    KINDS,
    MAPPINGS,
    SPLITS,
    Episode,
    class_words,
    classes,
    episodes,
    held_out,
    label_split,
    mapping_pairs,
    word_split,
)
from companion.data.town.stories import quizzes
from companion.data.town.tasks import sentiment


def test_the_form_is_that_of_the_paper():
    examples = (("sea otter", "loutre de mer"), ("peppermint", "menthe poivrée"))
    one = Episode("", "Translate English to French:", examples, "cheese", "fromage")
    assert one.prompt == (
        "Translate English to French:\n"
        "sea otter => loutre de mer\npeppermint => menthe poivrée\ncheese =>"
    )
    assert Episode("", "", (), "cheese", "fromage").prompt == "cheese =>"


@pytest.mark.parametrize(
    ("kind", "pair"),
    {
        "plural": ("peach", "peaches"),
        "past": ("buy", "bought"),
        "progressive": ("run", "running"),
        "article": ("apple", "an apple"),
        "antonym_en": ("cold", "hot"),
        "category_en": ("dog", "animal"),
        "opinion_en": ("delicious", "good"),
        "en_to_ko": ("apple", "사과"),
        "ko_to_en": ("사과", "apple"),
        "topic": ("사과", "사과는"),
        "subject": ("수박", "수박이"),
        "object": ("당근", "당근을"),
        "direction": ("교실", "교실로"),
        "past_ko": ("먹다", "먹었다"),
        "polite": ("읽다", "읽어요"),
        "formal": ("읽다", "읽습니다"),
        "antonym_ko": ("작다", "크다"),
        "category_ko": ("개", "동물"),
        "opinion_ko": ("맛없다", "나쁨"),
        "third_person": ("wash", "washes"),
        "two": ("box", "two boxes"),
        "company": ("수박", "수박과"),
        "past_polite": ("읽다", "읽었어요"),
    }.items(),
)
def test_a_mapping_has_the_right_answers(kind, pair):
    pairs = [*mapping_pairs(kind, "train"), *mapping_pairs(kind, "test")]
    assert pair in pairs
    assert len({a for a, _ in pairs}) == len(pairs), "each input has one answer"


def test_every_mapping_is_tried_above():
    tried = test_a_mapping_has_the_right_answers.pytestmark[0].args[1]
    assert {kind for kind, _ in tried} == set(MAPPINGS)


RULES = {
    "copy": lambda words: words,
    "first": lambda words: words[:1],
    "swap": lambda words: words[::-1],
    "middle": lambda words: words[1:2],
    "last": lambda words: words[-1:],
    "double": lambda words: words * 2,
}


@pytest.mark.parametrize("kind", RULES)
def test_a_copy_is_put_together_from_the_words_in_front(kind):
    for one in episodes(20, kind, shots=3):
        for asked, answer in [*one.examples, (one.query, one.answer)]:
            assert answer.split() == RULES[kind](asked.split())


def test_a_word_that_comes_back_has_the_answer_that_it_had():
    for one in episodes(50, "lookup", shots=9):
        rows, seen = [*one.examples, (one.query, one.answer)], {}
        for (word, answer), known in zip(rows, one.known, strict=True):
            assert known == (word in seen)
            assert seen.setdefault(word, answer) == answer
        assert one.known[-1], "the question can be answered"


@pytest.mark.parametrize("kind", CLASSES)
def test_classes_share_a_label(kind):
    of_word = {word: name for name in classes() for pair in classes()[name] for word in pair}
    heads = Counter()
    for one in episodes(100, kind, shots=8, words="test", labels="test"):
        to, used = {}, set()
        rows = [*one.examples, (one.query, one.answer)]
        for (word, answer), known in zip(rows, one.known, strict=True):
            assert to.setdefault(of_word[word], answer) == answer
            assert known == (answer in used)
            used.add(answer)
        assert len(set(to.values())) == len(to)
        assert set(to.values()) <= set(one.options)
        assert len(one.options) == CLASSES[kind][0]
        assert len({word for word, _ in rows}) == 9, "no word comes twice"
        assert all(label_split(option) == "test" for option in one.options)
        heads[one.answer == one.examples[0][1]] += 1
    if kind == "classes_2":  # what stands first says nothing about the answer
        assert 30 <= heads[True] <= 70


def test_the_label_that_was_rarer_is_not_the_answer_more_often():
    for shots, even, low, high in ((1, False, 70, 130), (1, True, 0, 0), (3, False, 70, 130)):
        made = episodes(200, "classes_2", shots=shots, even=even, seed=1)
        count = [Counter(b for _, b in one.examples) for one in made]
        seen = sum(c[one.answer] == max(c.values()) for one, c in zip(made, count, strict=True))
        assert low <= seen <= high


def test_the_splits_share_no_word():
    for kind in MAPPINGS:
        for one, other in ((0, "train"), (1, "test")):
            assert SPLITS[one] == other
        known, new = ({a for a, _ in mapping_pairs(kind, split)} for split in SPLITS)
        assert not known & new
        assert len(new) > 15
    for name in classes():
        for language in ("ko", "en"):
            known, new = (set(class_words(name, split, language)) for split in SPLITS)
            assert not known & new
    used = {
        word
        for one in episodes(200, "classes_2", words="test", shots=4)
        for word, _ in one.examples
    }
    assert used <= held_out()["words"]
    assert 0.25 < sum(word_split(en) == "test" for _, en in classes()["tool"]) / 103 < 0.42


LINE = re.compile(r"^(.*) => (.*)$", re.MULTILINE)


def lines(kind, n, seed=0):
    """Return the lines of training documents of a group, as (input, output)."""
    made = documents(kind, seed=seed)
    return [pair for _ in range(n) for pair in LINE.findall(text_of(next(made)))]


def test_nothing_held_out_is_in_training_episodes():
    kept = held_out()
    for kind in ("mapping", "classes", "copy", "lookup"):
        for number, (word, answer) in enumerate(found := lines(kind, 1500)):
            assert f"{word} => {answer}" not in kept["lines"], number
            assert not kept["words"] & set(word.split() if kind == "copy" else [word])
            if kind in ("classes", "lookup"):
                assert answer not in kept["labels"]
        assert len(found) > 4000
    text = "".join(text_of(next(made)) for made in [documents("mapping")] for _ in range(1500))
    assert "Write the plural:" in text
    assert not any(task in text for task in kept["tasks"])


def test_held_out_kinds_are_no_training_kinds():
    kept = held_out()
    assert kept["kinds"] == {kind.name for kind in KINDS.values() if kind.held_out}
    # Their rules are in no other kind: the same input, the same answer.
    of = {name: {*mapping_pairs(name, "train"), *mapping_pairs(name, "test")} for name in MAPPINGS}
    for name in kept["kinds"] & set(MAPPINGS):
        assert not any(of[name] & of[other] for other in MAPPINGS if other != name)


def test_controls_change_the_outputs_of_the_examples_alone():
    for kind in ("classes_2", "plural", "copy"):
        plain, shuffled, drawn = (
            episodes(30, kind, shots=8, control=control, seed=3)
            for control in ("none", "shuffled", "random")
        )
        changed = 0
        for one, other, third in zip(plain, shuffled, drawn, strict=True):
            assert (one.query, one.answer) == (other.query, other.answer)
            assert (one.query, one.answer) == (third.query, third.answer)
            assert [a for a, _ in one.examples] == [a for a, _ in other.examples]
            assert Counter(b for _, b in one.examples) == Counter(b for _, b in other.examples)
            changed += one.examples != other.examples
            changed += one.examples != third.examples
        assert changed > 55
        assert shuffled != drawn


def test_the_seed_decides():
    assert episodes(5, "swap", seed=4) == episodes(5, "swap", seed=4)
    assert episodes(5, "swap", seed=4) != episodes(5, "swap", seed=5)
    assert episodes(2, "plural", with_task=True)[0].task == "Write the plural:"
    assert episodes(1, "plural", shots=0)[0].examples == ()
    assert episodes(1, "classes_2", shots=16, words="test")[0].known[-1] in (True, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "plurals"}, "kind must be '"),
        ({"n": 0}, "n must be 1 or more"),
        ({"shots": -1}, "shots must be 0 or more"),
        ({"shots": 1000}, "shots must be at most"),
        ({"kind": "classes_2", "shots": 300}, "shots must be at most"),
        ({"kind": "opinion_ko", "words": "test", "shots": 30}, "shots must be at most"),
        ({"words": "new"}, "words must be '"),
        ({"labels": "new"}, "labels must be '"),
        ({"control": "order"}, "control must be '"),
        ({"seed": 1.5}, "seed must be"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        episodes(**{"n": 1, "kind": "plural", **options})


# --- the corpus around them -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind != "documentation"])
def test_documents_follow_from_the_seed(kind):
    one, same, other = (documents(kind, seed=seed) for seed in (1, 1, 2))
    first, second, third = ([next(made) for _ in range(20)] for made in (one, same, other))
    assert first == second != third
    assert all(text_of(document).endswith("\n") for document in first)
    assert all(document[-1].learn for document in first if kind not in ("classes", "lookup"))


def test_sentences_of_the_test_are_in_no_training_text():
    known = {text for pair in sentences(4000) for text in pair}
    new = [text for pair in sentences(1000, split="test") for text in pair]
    new += [
        text
        for held in ("combinations", "adjectives")
        for one in sentiment(400, split="test", words="all", held_out=held)
        for text in (one.ko, one.en)
    ]
    assert not known & set(new)
    assert len(set(new)) > 2500


def test_stories_tell_what_their_questions_ask():
    for story, asked in quizzes(30, length=5, n_questions=3, seed=2, level="polite"):
        assert 1 <= len(asked) <= 3
        assert len({one.question_en for one in asked}) == len(asked)
        for one in asked:
            assert one.passage_ko == " ".join(story.ko)
            assert one.passage_ko[one.start_ko : one.end_ko] == one.answer_ko
    train = {story for story, _ in quizzes(300, length=3)}
    assert not train & {story for story, _ in quizzes(300, length=3, split="test")}


def test_steps_are_the_sentences_from_which_the_answer_follows():
    made, found = documents("stories", seed=3), 0
    for _ in range(60):
        story, *rest = text_of(next(made)).splitlines()
        for line, after in pairwise([*rest, ""]):
            if line.startswith(("Steps: ", "풀이: ")):
                steps = re.split(r"(?<=\.) ", line.partition(": ")[2])
                assert all(step in story for step in steps)
                assert after.partition(": ")[2] in steps[-1]
                found += 1
    assert found > 15


def test_documents_refuse_what_they_do_not_have():
    with pytest.raises(ValueError, match="kind must be '"):
        documents("news")
    with pytest.raises(ValueError, match="split must be 'train' for classes"):
        documents("classes", split="test")
    with pytest.raises(ValueError, match="split must be '"):
        documents("town", split="validation")
