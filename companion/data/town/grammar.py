"""The grammar of the town: patterns, filled with words, become sentences in both languages.

A pattern is a pair of token lists with slots (`companion.data.town.patterns`). To make a sentence,
words are drawn that fit each other, and each is put into the form that its slot asks for. Every
token knows its part of speech (tags of the Universal Dependencies) and its entity. What this module
leaves out: splits and tasks, which `companion.data.town.tasks` makes.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from companion.arguments import choice
from companion.data.town import english
from companion.data.town.choices import ELDERS, STATIC, Adverbial, draw
from companion.data.town.endings import RESPECTFUL, honorific
from companion.data.town.hangul import particle
from companion.data.town.korean import LEVELS, Predicate, be
from companion.data.town.nouns import Noun
from companion.data.town.patterns import PATTERNS
from companion.data.town.people import KINSHIP, Person
from companion.data.town.verbs import Adjective, Verb

Token = tuple[str, str, str]  # text, part of speech, entity ("O", or B- and I- with its kind)
# Forms that leave -시- to the verb behind them, unless respect has another word: 드시러.
SHARED = {"progressive", "not_progressive", "wish", "and", "or", "to", "before"}
SHARED |= {"not_past", "not_present"}
# Slots that do not say what a sentence is about.
ASIDE = {"S", "U", "A", "B", "T", "T1", "F", "H", "d", "k", "J", "K", "R", "R2", "M", "W", "r"}
ASIDE |= {"y1", "y2", "how"}
PARTICLES_OF_VERBS = dict.fromkeys(
    ["for", "on", "after", "to", "up", "away", "of", "at", "in", "by"], "ADP"
) | {
    "off": "ADP",
    "a": "DET",
    "fun": "NOUN",
    "walk": "NOUN",
    "bath": "NOUN",
}
PREPOSITIONS = {"at", "in", "on", "by", "to", "from"}
ARTICLES = {"a", "an", "the", "this", "these", "no"}


@dataclass(frozen=True)
class Sentence:
    """One sentence, in Korean and in English.

    Attributes
    ----------
    ko, en : str
        The texts.
    ko_tokens, en_tokens : tuple of (text, part of speech, entity)
        The same, token by token; Korean tokens are what stands between spaces.
    pattern : str
        The name of its pattern.
    words : mapping of str to what was drawn
        The word in each slot.
    key : tuple of str
        What the sentence is about, whoever does it and whenever: the Korean words of its content
        slots in alphabetical order. Splits are made by it.
    """

    ko: str
    en: str
    ko_tokens: tuple[Token, ...]
    en_tokens: tuple[Token, ...]
    pattern: str
    words: dict[str, Any] = field(compare=False, repr=False)
    key: tuple[str, ...] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern: for each language a tuple of fixed tokens and of (slot, form) pairs.

    Behind its slots stand what kinds of words it needs, such as "+t".
    """

    name: str
    ko: tuple[Any, ...]
    en: tuple[Any, ...]
    slots: tuple[str, ...]


def _compile(text: str) -> tuple[Any, ...]:
    parts: list[Any] = []
    for word in re.findall(r"\{[^}]+\}|\S+", text):
        if word[0] == "{":
            slot, _, form = word[1:-1].partition(":")
            parts.append((slot, form))
        else:
            token, _, tag = word.rpartition("/")
            assert token, f"{word!r} needs a part of speech"
            parts.append((token, tag, "O"))
    return tuple(parts)


def compile_pattern(line: str) -> Pattern:
    """Compile one line of `companion.data.town.patterns`."""
    heading, ko, en = (part.strip() for part in line.split(" | "))
    name, *needs = heading.split()
    sides = _compile(ko), _compile(en)
    slots = {part[0] for side in sides for part in side if len(part) == 2} - set(STATIC)
    return Pattern(name, *sides, (*sorted(slots), *needs))


# A line that ends in a bar goes on in the next one.
ALL_PATTERNS = tuple(
    compile_pattern(line) for line in PATTERNS.strip().replace("|\n   ", "|").splitlines()
)


def _tag(text: str, first: str, rest: str, entity: str = "") -> tuple[Token, ...]:
    """Split a text at spaces into tokens."""
    words = text.split()
    return tuple(
        (
            word,
            rest if number else first,
            f"{'I' if number else 'B'}-{entity}" if entity else "O",
        )
        for number, word in enumerate(words)
    )


@lru_cache(maxsize=200_000)
def korean(word: Any, form: str, level: str, respect: bool = False) -> tuple[Token, ...]:
    """Put a word into a Korean form; return its tokens. With `respect` a predicate gets -시-."""
    if isinstance(word, Predicate):
        n_nouns = word.stem.count(" ")  # 겁이 많다: a noun comes with the word
        words = _korean_form(word, form, level, respect).split()
        tags = ["NOUN"] * n_nouns + [_kind_tag(word)] + ["AUX"] * (len(words) - n_nouns - 1)
        return tuple((one, tag, "O") for one, tag in zip(words, tags, strict=True))
    if isinstance(word, (Verb, Adjective)):
        return korean(word.ko, form, level, respect)
    if isinstance(word, tuple):  # two relatives: A, B, and what B is to A
        one, other, kin = word
        if form == "kin_is":
            return ((f"{one.ko}의", "PROPN", "B-PER"), (be(kin, "present", level), "NOUN", "O"))
        return korean(other, form, level)
    if isinstance(word, int):
        return ((f"{word}{form}", "NUM", "I-DATE"),)
    if form == "job_is":
        return ((be(_job(word).ko, "present", level), "NOUN", "O"),)
    if form == "age":
        return ((f"{word.age}{be('살', 'present', level)}", "NUM", "O"),)
    if form in ("man", "bath"):
        man = word.gender == "m"
        text = be("남자" if man else "여자", "present", level)
        return ((("남탕에" if man else "여탕에") if form == "bath" else text, "NOUN", "O"),)
    if isinstance(word, Adverbial):
        return _tag(word.ko, word.tag, word.tag, word.entity)
    text = particle(word.ko, form) if form else word.ko
    entity = {"landmark": "LOC", "event": "EVENT"}.get(getattr(word, "kind", "person"), "")
    if isinstance(word, Person):
        entity = "PER"
    tag = "PROPN" if isinstance(word, Person) or word.proper else "NOUN"
    tokens = _tag(text, tag, tag, entity)
    return (("우리", "PRON", "O"), *tokens) if getattr(word, "mine", False) else tokens


def _job(person: Person) -> Noun:
    assert person.job is not None, f"{person.en} has no job"
    return person.job


def _kind_tag(word: Predicate) -> str:
    return "VERB" if word.kind == "verb" else "ADJ"


def _korean_form(word: Predicate, form: str, level: str, respect: bool) -> str:
    """Conjugate a Korean predicate. Of two verbs in a row the last one bears -시-."""
    do, be_there, no = Predicate("하"), Predicate("있", "existence"), Predicate("않", word.kind)
    if respect:
        do, be_there, no = honorific(do), honorific(be_there), honorific(no)
        if word.stem in RESPECTFUL or form not in SHARED:
            word = honorific(word)
    match form:
        case "past" | "present" | "future":
            return word.sentence(form, level)
        case "not_past" | "not_present":
            return f"{word.connective('지')} {no.sentence(form[4:], level)}"
        case "progressive":
            return f"{word.connective('고')} {be_there.sentence('present', level)}"
        case "not_progressive":
            not_there = be_there.sentence("present", level, negative=True)
            return f"{word.connective('고')} {not_there}"
        case "wish":
            return f"{word.connective('고')} 싶어 {do.sentence('present', level)}"
        case "said":
            return word.sentence("past" if word.kind == "verb" else "present") + "고"
        case "before":
            return f"{word.connective('기')} 전에"
        case "past_but":
            return word.connective("지만", tense="past")
        case "adnominal":
            return word.adnominal()
    return word.connective(
        {"and": "고", "or": "거나", "so": "어서", "if": "으면", "to": "으러"}[form]
    )


@lru_cache(maxsize=200_000)
def english_tokens(word: Any, form: str, extra: Any = None) -> tuple[Token, ...]:
    """Put a word into an English form; return its tokens."""
    if isinstance(word, (Verb, Predicate)):
        text = _english_verb(word, form)
        head, *rest = text.split()
        return ((head, "VERB", "O"), *((w, PARTICLES_OF_VERBS.get(w, "NOUN"), "O") for w in rest))
    if isinstance(word, Adjective):
        if form == "more":
            return _tag(word.comparative, "ADV" if " " in word.comparative else "ADJ", "ADJ")
        return ((word.en, "ADJ", "O"),)
    if isinstance(word, tuple):
        one, other, kin = word
        if form == "kin":
            kin_tokens = _tag(KINSHIP[kin], "NOUN", "NOUN")
            return ((one.en, "PROPN", "B-PER"), ("'s", "PART", "O"), *kin_tokens)
        return english_tokens(other, form)
    if isinstance(word, int):
        return ((str(word), "NUM", "I-DATE"),)
    if isinstance(word, Adverbial):
        return _english_adverbial(word)
    man = getattr(word, "gender", "") == "m"
    pronouns = {
        "he": ("he", "she"),
        "his": ("his", "her"),
        "self": ("himself", "herself"),
        "bath_en": ("men's", "women's"),
    }
    if form in pronouns:
        return ((pronouns[form][not man], "NOUN" if form == "bath_en" else "PRON", "O"),)
    if form == "a_man":
        return (("a", "DET", "O"), ("man" if man else "woman", "NOUN", "O"))
    if form in ("is", "was"):
        many = {"is": "are", "was": "were"}
        return ((many[form] if word.number == "plural" else form, "AUX", "O"),)
    if form == "were":  # after the plural of what can be counted
        return (("was" if word.number == "mass" else "were", "AUX", "O"),)
    if isinstance(word, Person):
        if form == "job":
            return _phrase(english.indefinite(_job(word).en), "NOUN")
        if form == "years":
            return ((str(word.age), "NUM", "O"), ("years", "NOUN", "O"), ("old", "ADJ", "O"))
        return ((word.en, "PROPN", "B-PER"),)
    entity = {"landmark": "LOC", "event": "EVENT"}.get(word.kind, "")
    return _phrase(
        _noun_phrase(word, form, extra), "PROPN" if word.proper else "NOUN", entity, extra
    )


def _english_verb(word: Verb | Predicate, form: str) -> str:
    verb = word.en  # type: ignore[union-attr]
    if form in ("s", "ing", "base") and getattr(word, "lasting", ""):
        verb = word.lasting  # type: ignore[union-attr]
    forms = {
        "past": english.past,
        "s": english.third_person,
        "ing": english.gerund,
        "doing": english.gerund,
        "participle": english.participle,
    }
    return forms[form](verb) if form in forms else verb


def _english_adverbial(word: Adverbial) -> tuple[Token, ...]:
    tags = {"on": "ADP", "in": "ADP", "the": "DET", "to": "ADP", "of": "ADP", "under": "ADP"}
    tags |= dict.fromkeys(("a", "this"), "DET") | dict.fromkeys(("ago",), "ADV")
    tags |= dict.fromkeys(("last", "next", "few", "two"), "ADJ") | {"behind": "ADP", "after": "ADP"}
    words = word.en.split()
    if word.tag in ("ADV", "NUM") and not word.entity:
        return _tag(word.en, word.tag, word.tag)
    return tuple(
        (
            text,
            tags.get(text, "PROPN" if text[0].isupper() else "NOUN"),
            f"{'I' if number else 'B'}-{word.entity}" if word.entity else "O",
        )
        for number, text in enumerate(words)
    )


def _noun_phrase(word: Noun, form: str, extra: Adjective | None) -> str:
    """Return a noun with what stands before it in English."""
    many = english.plural(word.en) if word.number == "count" else word.en
    if word.proper:
        return word.en
    if word.mine:
        return f"my {word.en}"
    whole = f"the {word.en}" if word.kind[:5] == "role_" or form == "the" else word.en
    if form == "the_many":
        return f"the {many}"
    if form in ("at", "to", "arrive"):
        before = {"at": word.preposition, "to": "to", "arrive": "at"}[form]
        return f"{before} the {word.en}" if word.article else f"{before} {word.en}"
    if form == "this":
        return f"{'these' if word.number == 'plural' else 'this'} {word.en}"
    if form == "plural":
        return many
    if form.startswith("a"):
        described = f"{extra.en} {word.en}" if extra else word.en
        return english.indefinite(described) if word.number == "count" else described
    return whole


def _phrase(text: str, tag: str, entity: str = "", extra: Any = None) -> tuple[Token, ...]:
    """Tag the words of an English noun phrase; its entity begins after the article."""
    tokens: list[Token] = []
    inside = False
    for word in text.split():
        if word in ARTICLES and not inside:
            tokens.append((word, "DET", "O"))
        elif word == "my":
            tokens.append((word, "PRON", "O"))
        elif word in PREPOSITIONS and not tokens:
            tokens.append((word, "ADP", "O"))
        elif extra is not None and not inside and word == extra.en:
            tokens.append((word, "ADJ", "O"))
        else:
            tokens.append((word, tag, f"{'I' if inside else 'B'}-{entity}" if entity else "O"))
            inside = True
    return tuple(tokens)


def make(pattern: Pattern, words: dict[str, Any], level: str = "plain") -> Sentence:
    """Fill a pattern with words.

    Parameters
    ----------
    pattern : Pattern
        One of `ALL_PATTERNS`.
    words : mapping of str to a word
        What stands in its slots, such as `companion.data.town.choices.draw` gives.
    level : str, default "plain"
        The Korean speech level: "plain", "polite" or "formal".

    Returns
    -------
    Sentence
        In both languages.

    Raises
    ------
    ValueError
        If there is no such level.
    """
    choice(level, "level", LEVELS)
    ko: list[Token] = []
    en: list[Token] = []
    respected = _respected(pattern, words) if level != "plain" else ()
    for place, part in enumerate(pattern.ko):
        if len(part) == 3:
            ko.append(part)
            continue
        slot, form = part
        if slot == "k":
            counted = words.get("y") or words["z"]
            ko += [(words["k"].ko, "NUM", "O"), (particle(counted.counter, form), "NOUN", "O")]
        else:
            word = STATIC[slot] if slot in STATIC else words[slot]
            ko += korean(word, form, level, place in respected)
    for part in pattern.en:
        if len(part) == 3:
            en.append(part)
            continue
        slot, form = part
        extra = words[form[2:]] if form[:2] == "a+" else None
        if slot[0] == "o" and form in ("a", "plural"):
            form = _object_form(words["v" + slot[1:]], words[slot], form)
        en += english_tokens(words[slot], form, extra)
    ko.append((".", "PUNCT", "O"))
    en.append((".", "PUNCT", "O"))
    content = [
        _korean_name(words[slot]) for slot in pattern.slots if slot not in ASIDE and slot in words
    ]
    content.sort()
    if len(content) < 2:
        names = sorted(_korean_name(words[slot]) for slot in pattern.slots if slot in words)
        content = [pattern.name, *names]
    en[0] = (en[0][0][0].upper() + en[0][0][1:], *en[0][1:])
    return Sentence(_join(ko), _join(en), tuple(ko), tuple(en), pattern.name, words, tuple(content))


def _respected(pattern: Pattern, words: dict[str, Any]) -> set[int]:
    """Return the places of the predicates whose subject is an elder relative.

    The subject is the last one with -은 (or -과 before it); in a reported clause, with -이.
    """
    found: set[int] = set()
    main = inner = joined = False
    for place, part in enumerate(pattern.ko):
        if len(part) == 3:
            continue
        slot, form = part
        if slot in ("S", "U", "R"):
            elder = words[slot].ko in ELDERS
            if form == "은":
                main = elder or joined
            elif form == "이":
                inner = elder
            elif form == "과" and not found and place == 0:
                joined = elder
        elif form == "said":
            found |= {place} if inner else set()
        elif main and form != "adnominal":
            found.add(place)
    return found


def _object_form(verb: Verb, noun: Noun, form: str) -> str:
    """Tell how English names an object: "plays the piano", "collected postcards"."""
    if noun.kind == "instrument" and verb.en in ("play", "learn"):
        return "the"
    return "plural" if "m" in verb.flags else form


def _korean_name(word: Any) -> str:
    if isinstance(word, (Verb, Adjective)):
        return word.ko.stem
    if isinstance(word, tuple):
        return f"{word[0].ko} {word[1].ko}"
    return str(word) if isinstance(word, int) else word.ko


def _join(tokens: list[Token]) -> str:
    text = " ".join([token[0] for token in tokens])
    return text.replace(" .", ".").replace(" ,", ",").replace(" 's", "'s")


def sentences(*, seed: int, level: str = "plain", words: str = "core") -> Iterator[Sentence]:
    """Make sentences without end, each from a pattern and words drawn at random.

    Parameters
    ----------
    seed : int
        The same seed gives the same sentences.
    level : str, default "plain"
        The Korean speech level.
    words : str, default "core"
        The vocabulary: "core", or "all", which is more than twice as large.

    Yields
    ------
    Sentence
        Some come twice, sooner or later.

    Examples
    --------
    >>> first = next(sentences(seed=0))
    >>> first.pattern in {pattern.name for pattern in ALL_PATTERNS}
    True
    """
    rng = random.Random(seed)
    while True:
        pattern = rng.choice(ALL_PATTERNS)
        yield make(pattern, draw(pattern.slots, rng, words), level)
