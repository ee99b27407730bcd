"""The tasks of the town: parallel sentences, running text, sentiment, tags; splits without leaks.

Every function makes as many examples as are asked for, from a seed, for one split. A sentence
belongs to a split by what it is about (`Sentence.key`): if somebody eats an apple at the market in
the test set, nobody eats an apple at the market in the training set, whatever the pattern, the
person and the time. What this module leaves out: entailment (`companion.data.town.inference`),
stories and questions (`companion.data.town.stories`), news (`companion.data.town.news`).

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import functools
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from companion.arguments import choice, integer
from companion.data.town.choices import draw
from companion.data.town.grammar import (
    ALL_PATTERNS,
    Pattern,
    Sentence,
    Token,
    make,
    sentences,
)
from companion.data.town.verbs import ALL_ADJECTIVES, Adjective

SPLITS = ("train", "validation", "test")
LANGUAGES = ("ko", "en")
BY_NAME = {pattern.name: pattern for pattern in ALL_PATTERNS}
BY_ENGLISH = {adjective.en: adjective for adjective in ALL_ADJECTIVES}
Example = TypeVar("Example")


@dataclass(frozen=True)
class Opinion:
    """A sentence that praises (label 1) or blames (label 0), in both languages."""

    ko: str
    en: str
    label: int


@dataclass(frozen=True)
class Tagged:
    """The tokens of a sentence in one language, each with its part of speech and its entity."""

    tokens: tuple[str, ...]
    parts_of_speech: tuple[str, ...]
    entities: tuple[str, ...]


def split_of(key: tuple[str, ...]) -> str:
    """Tell to which split something belongs, by what it is about.

    Parameters
    ----------
    key : tuple of str
        Such as `Sentence.key`.

    Returns
    -------
    str
        "train" for eight of ten keys, "validation" and "test" for one each; always the same.

    Examples
    --------
    >>> split_of(("먹", "사과", "시장"))
    'train'
    """
    number = zlib.crc32("|".join(key).encode()) % 10
    return SPLITS[max(0, number - 7)]


def collect(
    make_one: Callable[[random.Random], tuple[Example, tuple[str, ...]]],
    n: int,
    *,
    seed: int,
    split: str,
) -> list[Example]:
    """Make examples until there are enough different ones of a split.

    Parameters
    ----------
    make_one : callable
        ``make_one(rng)`` gives an example, and the key by which it is split.
    n : int
        How many, 1 or more.
    seed : int
        The same seed gives the same examples.
    split : str
        "train", "validation" or "test".

    Returns
    -------
    list
        `n` different examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there are not so many different examples.
    """
    integer(n, "n", 1)
    choice(split, "split", SPLITS)
    rng = random.Random(f"{integer(seed, 'seed', 0)} {split}")
    found: dict[Example, None] = {}
    for _ in range(100 * n + 10_000):
        example, key = make_one(rng)
        if split_of(key) == split:
            found[example] = None
            if len(found) == n:
                return list(found)
    raise ValueError(f"n must be at most {len(found)}: there are no more in {split}, got {n}")


def draw_sentence(
    rng: random.Random,
    patterns: tuple[Pattern, ...] = ALL_PATTERNS,
    level: str = "plain",
    words: str = "core",
) -> Sentence:
    """Make one sentence from one of the given patterns."""
    pattern = rng.choice(patterns)
    return make(pattern, draw(pattern.slots, rng, words), level)


def parallel(
    n: int,
    *,
    seed: int = 0,
    split: str = "train",
    level: str = "plain",
    words: str = "core",
) -> list[tuple[str, str]]:
    """Make pairs of a Korean sentence and its English translation.

    Each sentence has exactly one translation, in both directions.

    Parameters
    ----------
    n : int
        How many different pairs.
    seed : int, default 0
        The same seed gives the same pairs.
    split : str, default "train"
        "train", "validation" or "test".
    level : str, default "plain"
        The Korean speech level.
    words : str, default "core"
        The vocabulary: "core", which is soon learnt, or "all", more than twice as large.

    Returns
    -------
    list of (str, str)
        Korean, English.

    Raises
    ------
    TypeError, ValueError
        As `collect`.

    Examples
    --------
    >>> len(parallel(3, split="test"))
    3
    """

    def make_one(rng: random.Random) -> tuple[tuple[str, str], tuple[str, ...]]:
        sentence = draw_sentence(rng, level=level, words=words)
        return (sentence.ko, sentence.en), sentence.key

    return collect(make_one, n, seed=seed, split=split)


def running_text(
    *, seed: int = 0, language: str = "ko", level: str = "plain", words: str = "core"
) -> Iterator[str]:
    """Make sentences without end, of all kinds and for any use in which nothing is held out.

    Parameters
    ----------
    seed : int, default 0
        The same seed gives the same sentences.
    language : str, default "ko"
        "ko" or "en".
    level : str, default "plain"
        The Korean speech level.
    words : str, default "core"
        The vocabulary, as in `parallel`.

    Yields
    ------
    str
        One sentence.

    Raises
    ------
    ValueError
        If there is no such language or level.

    Examples
    --------
    >>> text = running_text(language="en")
    >>> next(text).endswith(".")
    True
    """
    choice(language, "language", LANGUAGES)
    made = sentences(seed=integer(seed, "seed", 0), level=level, words=words)
    return (getattr(sentence, language) for sentence in made)


def sentiment(
    n: int,
    *,
    seed: int = 0,
    split: str = "train",
    words: str = "core",
    held_out: str = "combinations",
) -> list[Opinion]:
    """Make opinions on food, places, films and people, half of them praise, half blame.

    Some are negated, and in some a good side comes before a bad one: the last word counts.

    Parameters
    ----------
    n, seed, split, words
        As in `parallel`.
    held_out : str, default "combinations"
        What the splits do not share: "combinations" of a noun and an adjective, each of which
        occurs in other combinations in all splits, or "adjectives", which all stand in one split
        alone (`adjective_split`).

    Returns
    -------
    list of Opinion
        In an order without meaning.

    Raises
    ------
    TypeError, ValueError
        As `collect`.

    Examples
    --------
    >>> {opinion.label for opinion in sentiment(20)} == {0, 1}
    True
    """
    names = ("is_so", "is_now", "is_not", "is_both", "is_but", "food_place", "service", "person_is")
    patterns = tuple(BY_NAME[name] for name in names)

    by_adjective = choice(held_out, "held_out", ("combinations", "adjectives")) == "adjectives"

    def make_one(rng: random.Random, label: int) -> tuple[Opinion, tuple[str, ...]]:
        while True:
            sentence = draw_sentence(rng, patterns, words=words)
            if _judge(sentence) != label:
                continue
            if by_adjective and any(adjective_split(word) != split for word in _opinions(sentence)):
                continue
            opinion = Opinion(sentence.ko, sentence.en, label)
            return opinion, KEYS[split] if by_adjective else sentence.key

    return balanced(make_one, (1, 0), n, seed=seed, split=split)


def balanced(
    make_one: Callable[[random.Random, Any], tuple[Example, tuple[str, ...]]],
    labels: tuple[Any, ...],
    n: int,
    *,
    seed: int,
    split: str,
) -> list[Example]:
    """Collect examples of each label, as equally many as `n` allows, and shuffle them.

    Parameters
    ----------
    make_one : callable
        ``make_one(rng, label)`` gives an example with this label, and its key.
    labels : tuple
        The labels.
    n, seed, split
        As in `collect`.

    Returns
    -------
    list
        `n` different examples.

    Raises
    ------
    TypeError, ValueError
        As `collect`.
    """
    integer(n, "n", 1)
    examples: list[Example] = []
    for place, label in enumerate(labels):
        share = n // len(labels) + (place < n % len(labels))
        if share:
            one = functools.partial(_with, make_one, label)
            examples += collect(one, share, seed=seed, split=split)
    random.Random(seed).shuffle(examples)
    return examples


def _with(make_one: Callable[[Any, Any], Any], label: Any, rng: random.Random) -> Any:
    return make_one(rng, label)


def adjective_split(adjective: Adjective) -> str:
    """Tell to which split an adjective belongs where splits do not share adjectives.

    Parameters
    ----------
    adjective : Adjective
        One of `companion.data.town.verbs.ALL_ADJECTIVES`.

    Returns
    -------
    str
        "train" for six of ten, "validation" and "test" for two each, of those that praise as of
        those that blame and of the others, in both vocabularies.

    Examples
    --------
    >>> {adjective_split(adjective) for adjective in ALL_ADJECTIVES} == set(SPLITS)
    True
    """
    return ADJECTIVE_SPLITS[adjective]


def _assign() -> dict[Adjective, str]:
    splits: dict[Adjective, str] = {}
    for core in (True, False):
        for opinion in (1, -1, 0):
            alike = [a for a in ALL_ADJECTIVES if (a.core, a.opinion) == (core, opinion)]
            alike.sort(key=lambda adjective: zlib.crc32(adjective.en.encode()))
            for place, adjective in enumerate(alike):
                splits[adjective] = SPLITS[max(0, place % 5 - 2)]
    return splits


ADJECTIVE_SPLITS = _assign()
# A key in each split, for what is split otherwise than by its key.
KEYS = {split_of((str(number),)): (str(number),) for number in range(100)}


def _opinions(sentence: Sentence) -> list[Adjective]:
    """Return the adjectives of a sentence."""
    slots = ("a", "b", "but", "u", "s", "p")
    return [sentence.words[slot] for slot in slots if slot in sentence.words]


def _judge(sentence: Sentence) -> int | None:
    """Return 1 for praise, 0 for blame, None if it is neither or both sides weigh the same."""
    words = sentence.words
    last = next(words[slot] for slot in ("but", "b", "a", "u", "s", "p") if slot in words)
    opinion = last.opinion * (-1 if sentence.pattern == "is_not" else 1)
    if sentence.pattern == "is_both" and words["a"].opinion != last.opinion:
        return None
    if sentence.pattern == "is_but" and words["a"].opinion * last.opinion != -1:
        return None
    return None if opinion == 0 else (opinion + 1) // 2


def tagged(
    n: int,
    *,
    seed: int = 0,
    split: str = "train",
    language: str = "ko",
    level: str = "plain",
    words: str = "core",
) -> list[Tagged]:
    """Make sentences with parts of speech and named entities.

    Korean tokens are what stands between spaces, with the tag of their main word (학교에서 is a
    NOUN); entities are PER, LOC, DATE and EVENT, with B- at their beginning and I- inside.

    Parameters
    ----------
    n, seed, split, level, words
        As in `parallel`.
    language : str, default "ko"
        "ko" or "en".

    Returns
    -------
    list of Tagged
        As many tags as tokens.

    Raises
    ------
    TypeError, ValueError
        As `collect`; also if there is no such language.

    Examples
    --------
    >>> example = tagged(1, language="en")[0]
    >>> len(example.tokens) == len(example.parts_of_speech) == len(example.entities)
    True
    """
    choice(language, "language", LANGUAGES)

    def make_one(rng: random.Random) -> tuple[Tagged, tuple[str, ...]]:
        sentence = draw_sentence(rng, level=level, words=words)
        tokens: tuple[Token, ...] = getattr(sentence, f"{language}_tokens")
        texts, parts_of_speech, entities = zip(*tokens, strict=True)
        return Tagged(texts, parts_of_speech, entities), sentence.key

    return collect(make_one, n, seed=seed, split=split)
