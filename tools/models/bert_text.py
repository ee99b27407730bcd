"""What `town-bert` reads: the town in Korean and in English, without what it is tested on later.

A document is one text or two, which belong together: a sentence and its translation, a question and
its answer, a story and what is true at its end, a sentence and the same in fewer words. What is
left out, so that no sentence of a later test has been read before:

- sentences about a combination of words that belongs to the validation or test split, whatever
  their pattern, person, time and speech level (`companion.data.town.tasks.split_of`);
- opinions in which all adjectives are held out together (`adjective_split`): those words are read
  in comparisons and beside others ("cheap but bland"), never in a sentence of that task;
- stories, articles and exchanges of those splits; and no question about a story, no label of any
  kind, no pair of the entailment task is read at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from companion.data.town.choices import degrees, draw, vocabulary
from companion.data.town.dialogue import commands, exchanges
from companion.data.town.english import indefinite
from companion.data.town.grammar import ALL_PATTERNS, Sentence, make
from companion.data.town.hangul import particle
from companion.data.town.inference import CLASSES
from companion.data.town.korean import LEVELS, be
from companion.data.town.news import articles, attributions
from companion.data.town.nouns import NOUNS
from companion.data.town.stories import questions
from companion.data.town.tasks import BY_NAME, LANGUAGES, adjective_split, split_of

Document = tuple[str, str | None]
OPINIONS = ("is_so", "is_now", "is_not", "is_both", "is_but", "food_place", "service", "person_is")
WORD_SLOTS = ("a", "b", "but", "u", "s", "p")  # of the adjectives in them
REVIEWS = ("is_both", "is_but", "is_but", "is_but", "is_so", "is_not", "person_is", "is_more")
# The same event in more words and in fewer: the words that fill the first fill the second.
RETOLD = (
    ("act_place_time", ("act", "act_place", "act_time")),
    ("act_place", ("act",)),
    ("act_with_place", ("act_with", "act_place", "act")),
    ("do_time", ("do",)),
    ("do_together", ("do",)),
    ("give_time", ("give",)),
    ("go_with", ("go_walk",)),
)
# Nouns that can be said to be one of their kind: an apple is a fruit.
KINDS = [(noun, kind) for name, kind in CLASSES.items() for noun in NOUNS[name]]
KINDS = [pair for pair in KINDS if "plural" not in (pair[0].number, pair[1].number)]
CHUNK = 400  # stories, articles and exchanges are made so many at a time


def may_be_read(sentence: Sentence) -> bool:
    """Tell whether a sentence belongs to no validation or test set.

    Examples
    --------
    >>> rng, pattern = random.Random(0), BY_NAME["act"]
    >>> made = [make(pattern, draw(pattern.slots, rng)) for _ in range(100)]
    >>> {split_of(one.key) for one in made if may_be_read(one)}
    {'train'}
    """
    if split_of(sentence.key) != "train":
        return False
    if sentence.pattern not in OPINIONS:
        return True
    shown = {sentence.words[slot] for slot in BY_NAME[sentence.pattern].slots if slot in WORD_SLOTS}
    return {adjective_split(word) for word in shown} not in ({"validation"}, {"test"})


def documents(seed: int, mixture: int = 0) -> Iterator[Document]:
    """Yield documents without end.

    Parameters
    ----------
    seed : int
        The same seed gives the same documents.
    mixture : int, default 0
        A place in `MIXTURES`.

    Yields
    ------
    (str, str or None)
        One text, or two that belong together, of the same language or of both.
    """
    rng = random.Random(f"town-bert {seed}")
    core, parts = MIXTURES[mixture]
    sources = [make_source(rng, core) for make_source, _ in parts]
    weights = [weight for _, weight in parts]
    while True:
        yield next(rng.choices(sources, weights)[0])


def _sentence(
    rng: random.Random, core: float, names: tuple[str, ...] = (), level: str = "plain"
) -> Sentence:
    """Make a sentence that may be read."""
    while True:
        pattern = BY_NAME[rng.choice(names)] if names else rng.choice(ALL_PATTERNS)
        sentence = make(pattern, draw(pattern.slots, rng, _words(rng, core)), level)
        if may_be_read(sentence):
            return sentence


def _words(rng: random.Random, core: float) -> str:
    """Draw a vocabulary: the small one with this probability."""
    return "core" if core and rng.random() < core else "all"


def _level(rng: random.Random) -> str:
    return "plain" if rng.random() < 0.7 else rng.choice(LEVELS)


def _turned(rng: random.Random, one: str, other: str) -> Document:
    """Put two texts in one order or the other."""
    return (one, other) if rng.random() < 0.5 else (other, one)


def _chunks(rng: random.Random, make_some: Callable[..., list[Any]], **options: Any) -> Iterator:
    """Yield what a generator of the town makes of its training split, without end."""
    while True:
        yield from make_some(CHUNK, seed=rng.randrange(10**9), split="train", **options)


def texts(rng: random.Random, core: float) -> Iterator[Document]:
    """Yield one to three sentences on anything."""
    while True:
        language, level = rng.choice(LANGUAGES), _level(rng)
        some = [_sentence(rng, core, level=level) for _ in range(rng.choice((1, 1, 2, 3)))]
        yield " ".join(getattr(one, language) for one in some), None


def translations(rng: random.Random, core: float) -> Iterator[Document]:
    """Yield sentences with their translations."""
    while True:
        one = _sentence(rng, core, level=_level(rng))
        yield _turned(rng, one.ko, one.en)


def reviews(rng: random.Random, core: float) -> Iterator[Document]:
    """Yield opinions, some of them two on different things."""
    while True:
        language = rng.choice(LANGUAGES)
        one, other = (getattr(_sentence(rng, core, REVIEWS), language) for _ in range(2))
        yield one, (other if rng.random() < 0.3 else None)


def verdicts(rng: random.Random, core: float) -> Iterator[Document]:
    """Yield reviews of one thing that praise it throughout, or blame it, in two or three sentences.

    The last word of each sentence counts: "small but delicious" praises.
    """
    patterns = ("is_both", "is_both", "is_both", "is_so", "is_but")
    described: dict[str, dict[Any, list[Any]]] = {"core": {}, "all": {}}
    for size, by_noun in described.items():
        for noun, some in (*vocabulary(size).twice[False], *vocabulary(size).twice[True]):
            by_noun.setdefault(noun, []).extend(some)
    nouns = {size: list(by_noun) for size, by_noun in described.items()}
    while True:
        size = _words(rng, core)
        noun, opinion = rng.choice(nouns[size]), rng.choice((1, -1))
        found: list[Sentence] = []
        for name in rng.choices(patterns, k=rng.choice((2, 3))):
            sign = -opinion if name == "is_but" else opinion
            fit = [
                (a, b)
                for a, b in described[size][noun]
                if (a.opinion, b.opinion) == (sign, opinion)
            ]
            if fit:
                one, other = rng.choice(fit)
                degree = rng.choice(degrees(one, size))
                words = {"n": noun, "a": one, "b": other, "but": other, "d": degree}
                found.append(make(BY_NAME[name], words))
        if found and all(map(may_be_read, found)):
            language = rng.choice(LANGUAGES)
            yield " ".join(getattr(one, language) for one in found), None


def retold(rng: random.Random, core: float) -> Iterator[Document]:
    """Yield sentences, each with the same in fewer words, in Korean also at another level."""
    while True:
        long, shorter = rng.choice(RETOLD)
        first, second = BY_NAME[long], BY_NAME[rng.choice(shorter)]
        words = draw(first.slots, rng, _words(rng, core))
        made = make(first, words), make(second, words, _level(rng))
        if all(map(may_be_read, made)):
            language = rng.choice(LANGUAGES)
            yield _turned(rng, *(getattr(one, language) for one in made))


def kinds(rng: random.Random, _: float) -> Iterator[Document]:
    """Yield what a dictionary says: an apple is a fruit."""
    while True:
        noun, kind = rng.choice(KINDS)
        one = indefinite(noun.en) if noun.number == "count" else noun.en
        a_kind = indefinite(kind.en) if kind.number == "count" else kind.en
        ko = f"{particle(noun.ko, '은')} {be(kind.ko, 'present')}."
        yield rng.choice((ko, f"{one[0].upper()}{one[1:]} is {a_kind}.")), None


def told(rng: random.Random, _: float) -> Iterator[Document]:
    """Yield stories of four to six events, each with a sentence that is true at its end."""
    sources = [_chunks(rng, questions, length=length) for length in (4, 5, 6, 6)]
    while True:
        story = next(rng.choice(sources))
        about = tuple(sorted((story.asked.ko, story.answer.ko)))
        if story.kind == "thing" and split_of(about) != "train":
            continue  # where things are is a sentence of the town's grammar, too
        if rng.random() < 0.5:
            yield _turned(rng, story.passage_ko, story.reply_ko())
        else:
            yield _turned(rng, story.passage_en, story.reply_en())


def reports(rng: random.Random, _: float) -> Iterator[Document]:
    """Yield one to three consecutive sentences of articles, or a lead and what somebody said."""
    whole, pairs = _chunks(rng, articles), _chunks(rng, attributions)
    while True:
        language = rng.choice(LANGUAGES)
        if rng.random() < 0.3:
            one = next(pairs)
            second = rng.choice(("named", "anonymous"))
            yield getattr(one, f"lead_{language}"), getattr(one, f"{second}_{language}")
            continue
        sentences = getattr(next(whole), language)
        start, n = rng.randrange(len(sentences)), rng.choice((1, 2, 3))
        first, *rest = sentences[start : start + n]
        yield first, (" ".join(rest) or None)


def talks(rng: random.Random, _: float) -> Iterator[Document]:
    """Yield questions with their answers, and orders, requests and proposals."""
    asked, told_to = _chunks(rng, exchanges), _chunks(rng, commands)
    while True:
        language = rng.choice(LANGUAGES)
        if rng.random() < 0.2:
            yield getattr(next(told_to), language), None
            continue
        one = next(asked)
        # In full, other answers are sentences of the town's grammar, which has its own splits.
        answer = "answer" if one.kind in ("yes", "no", "why") else "short"
        yield getattr(one, f"question_{language}"), getattr(one, f"{answer}_{language}")


# What is read, and how often of 100 documents; before it the share of the small vocabulary.
Source = Callable[[random.Random, float], Iterator[Document]]
WIDE: tuple[tuple[Source, int], ...] = (
    (texts, 22),
    (translations, 22),
    (reviews, 14),
    (retold, 10),
    (kinds, 2),
    (told, 16),
    (reports, 8),
    (talks, 6),
)
DEEP: tuple[tuple[Source, int], ...] = (
    (texts, 8),
    (translations, 15),
    (reviews, 12),
    (verdicts, 18),
    (retold, 22),
    (kinds, 2),
    (told, 15),
    (reports, 4),
    (talks, 4),
)
MIXTURES = ((0.0, WIDE), (0.6, DEEP))
