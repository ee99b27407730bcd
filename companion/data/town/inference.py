"""Entailment in the town: sentences of which the second follows from the first, or does not.

Both are made of the same words. Every way to change the premise serves all three labels: a word is
replaced, left out or added, denied, or two change places, so that neither length, nor negation, nor
the number of shared words betrays the label; what the words mean does. (Who eats an apple eats
fruit, and need not eat a pear; what is big is not small, and may be heavy.) What this module leaves
out: chains of several steps.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from companion.data.town.choices import UNSPOKEN, Words, draw, unlike, vocabulary
from companion.data.town.grammar import Sentence, compile_pattern, make
from companion.data.town.nouns import Noun
from companion.data.town.tasks import BY_ENGLISH, BY_NAME, balanced
from companion.data.town.verbs import Adjective

LABELS = ("entailment", "contradiction", "neutral")


@dataclass(frozen=True)
class Pair:
    """A premise and a hypothesis: "entailment", "contradiction" or "neutral"."""

    premise_ko: str
    hypothesis_ko: str
    premise_en: str
    hypothesis_en: str
    label: str


def entailment(n: int, *, seed: int = 0, split: str = "train", words: str = "core") -> list[Pair]:
    """Make pairs of a premise and a hypothesis, each label equally often.

    Parameters
    ----------
    n, seed, split, words
        As in `parallel`.

    Returns
    -------
    list of Pair
        In an order without meaning.

    Raises
    ------
    TypeError, ValueError
        As `collect`.

    Examples
    --------
    >>> sorted(pair.label for pair in entailment(3))
    ['contradiction', 'entailment', 'neutral']
    """
    known = vocabulary(words)

    def make_one(rng: random.Random, label: str) -> tuple[Pair, tuple[str, ...]]:
        change = rng.choice(CHANGES)
        while (made := change(known, words, label, rng)) is None:
            pass
        first, second = made
        return Pair(first.ko, second.ko, first.en, second.en, label), first.key

    return balanced(make_one, LABELS, n, seed=seed, split=split)


# What a noun of each kind is, too.
CLASSES = {
    kind: Noun(ko, en, kind, number=number)
    for kind, ko, en, number in (
        ("fruit", "과일", "fruit", "mass"),
        ("vegetable", "채소", "vegetable", "count"),
        ("dish", "음식", "food", "mass"),
        ("snack", "간식", "snack", "count"),
        ("treat", "음식", "food", "mass"),
        ("drink", "음료", "beverage", "count"),
        ("animal", "동물", "animal", "count"),
        ("plant", "식물", "plant", "count"),
        ("thing", "물건", "object", "count"),
        ("furniture", "가구", "furniture", "mass"),
        ("machine", "기계", "machine", "count"),
        ("vehicle", "탈것", "vehicle", "count"),
        ("clothes", "옷", "clothes", "plural"),
    )
}
PATTERNS = {
    name: compile_pattern(f"{name} | {rest}")
    for name, rest in {
        "plain": "{n:은} {a:past} | {n:the} {n:was} {a}",
        "or": "{n:은} {a:or} {b:past} | {n:the} {n:was} {a} or/CCONJ {b}",
        "person": "{S:은} {p:present} | {S} is/AUX {p}",
        "now": "{S:은} 지금/ADV {P:에서} {o:을} {v:progressive} | "
        "{S} is/AUX {v:ing} {o:a} {P:at} now/ADV",
        "now_with": "{S:은} 지금/ADV {U:과} 함께/ADV {P:에서} {o:을} {v:progressive} | "
        "{S} is/AUX {v:ing} {o:a} with/ADP {U} {P:at} now/ADV",
        "not_now": "{S:은} 지금/ADV {P:에서} {o:을} {v:not_progressive} | "
        "{S} is/AUX not/PART {v:ing} {o:a} {P:at} now/ADV",
        "met": "{S:은} {D:에서} {U:을} {만나다:past} | {S} met/VERB {U} {D:at}",
        "not_met": "{S:은} {D:에서} {U:을} {만나다:not_past} | "
        "{S} did/AUX not/PART meet/VERB {U} {D:at}",
        "meet": "{S:은} {D:에서} {U:을} {h:past} | {S} {h:past} {U} {D:at}",
        "not_meet": "{S:은} {D:에서} {U:을} {h:not_past} | "
        "{S} did/AUX not/PART {h:base} {U} {D:at}",
        "not_more": "{n:이} {m:보다} 더/ADV {a:not_present} | "
        "{n:the} {n:is} not/PART {a:more} than/ADP {m:the}",
        "got": "{S:은} {U:에게서} {x:을} {받다:past} | {S} got/VERB {x:a} from/ADP {U}",
        "not_got": "{S:은} {U:에게서} {x:을} {받다:not_past} | "
        "{S} did/AUX not/PART get/VERB {x:a} from/ADP {U}",
        "gave": "{S:은} {U:에게} {x:을} {주다:past} | {S} gave/VERB {x:a} to/ADP {U}",
        "not_gave": "{S:은} {U:에게} {x:을} {주다:not_past} | "
        "{S} did/AUX not/PART give/VERB {x:a} to/ADP {U}",
    }.items()
} | {name: BY_NAME[name] for name in ("is_both", "is_not", "is_more")}
Made = tuple[Sentence, Sentence] | None


def _described(known: Words, label: str, rng: random.Random) -> dict[str, Any] | None:
    """Draw a noun, what it is like, and what a hypothesis says of it instead ("new")."""
    noun = rng.choice(known.describable)
    adjectives = known.described_by[noun]
    one = rng.choice(adjectives)
    opposite = BY_ENGLISH.get(one.opposite)
    others = [a for a in adjectives if a.about != one.about]
    if opposite not in adjectives or len(others) < 2 or noun.kind not in CLASSES:
        return None
    two, other = rng.sample(others, 2)
    if two.about == other.about:
        return None
    new = {"entailment": one, "contradiction": opposite, "neutral": other}[label]
    return {"n": noun, "a": one, "b": two, "new": new, "opposite": opposite, "other": other}


def _replaced(known: Words, words: str, label: str, rng: random.Random) -> Made:
    """Replace a word: the apple was cheap; the fruit was cheap, the apple was expensive, fresh."""
    if (found := _described(known, label, rng)) is None:
        return None
    first = rng.choice(("plain", "is_both"))  # of two adjectives, one may be left out
    likely = 0.4 if label != "entailment" else 0.9 if first == "plain" else 0.5
    wider = rng.random() < likely
    second = {"n": CLASSES[found["n"].kind] if wider else found["n"], "a": found["new"]}
    return make(PATTERNS[first], found), make(PATTERNS["plain"], second)


def _added(known: Words, words: str, label: str, rng: random.Random) -> Made:
    """Add a word: the apple was cheap; it was cheap or sweet, dear and sweet, cheap and sweet.

    Neutral is, too, that it was fresh or sweet.
    """
    if (found := _described(known, label, rng)) is None:
        return None
    # The fewer adjectives are shared, the more often the noun is.
    wider = rng.random() < {"entailment": 0.7, "contradiction": 0.3, "neutral": 0.5}[label]
    noun = CLASSES[found["n"].kind] if wider else found["n"]
    second = {"n": noun, "a": found["a"], "b": found["other"]}
    if label == "contradiction":
        second["a"] = found["opposite"]
    either = label == "entailment" or (label == "neutral" and rng.random() < 0.5)
    if either and label == "neutral":
        second |= {"a": found["other"], "b": found["b"]}
    pattern = PATTERNS["or" if either else "is_both"]
    return make(PATTERNS["plain"], found), make(pattern, second)


def _denied(known: Words, words: str, label: str, rng: random.Random) -> Made:
    """Deny a word: the apple was cheap; it was not expensive, not cheap, not sweet."""
    if (found := _described(known, label, rng)) is None:
        return None
    first = rng.choice(("plain", "is_both"))
    denied: dict[str, Adjective] = {
        "entailment": found["opposite"],
        "contradiction": found["a"],
        "neutral": found["other"],
    }
    wider = rng.random() < (0.6 if label == "contradiction" else 0.4)
    noun = CLASSES[found["n"].kind] if wider else found["n"]
    return make(PATTERNS[first], found), make(PATTERNS["is_not"], {"n": noun, "a": denied[label]})


def _busy(known: Words, words: str, label: str, rng: random.Random) -> Made:
    """Replace, leave out, deny: who washes a pear here washes fruit, not there, perhaps a plum."""
    first = rng.choice(("now", "now_with"))
    needs = ("S", "P", "o", "v", "-!s") + (("U", "+t") if first == "now_with" else ())
    found = draw(needs, rng, words)
    noun, verb = found["o"], found["v"]
    uses = [
        (unlike(verb, known.nouns(*kinds)), known.places(places)) for kinds, places in verb.uses
    ]
    uses = [use for use in uses if noun in use[0] and found["P"] in use[1]]
    alike = [n for n in uses[0][0] if n.kind == noun.kind and n is not noun]
    here = found["P"]
    elsewhere = [p for p in uses[0][1] if p is not here and p.preposition == here.preposition]
    if noun.kind not in CLASSES or not elsewhere or not alike:
        return None
    second = dict(found)
    denied = first == "now" and rng.random() < 0.3  # the place is denied, or the object
    if label == "entailment":
        if denied:
            second["P"] = rng.choice(elsewhere)
        else:
            second["o"] = CLASSES[noun.kind]
    elif label == "contradiction":
        if denied:
            second["o"] = CLASSES[noun.kind]
        else:
            second["P"] = rng.choice(elsewhere)
    else:
        second["o"] = rng.choice(alike)
    name = "not_now" if denied else "now"
    return make(PATTERNS[first], found), make(PATTERNS[name], second)


def _swapped(known: Words, words: str, label: str, rng: random.Random) -> Made:
    """Let two change places: who met whom was met, what is bigger than another is not smaller.

    Half of the hypotheses of each label are denied.
    """
    denied = rng.random() < 0.5
    kind = rng.choice(SWAPS[label, denied])
    while True:
        found = draw({"more": ("n", "a", "m"), "met": MEETING, "gave": GIVING}[kind], rng, words)
        if kind == "more" or (found["S"].ko not in UNSPOKEN and found["h"].en != "meet"):
            break
    if kind == "more":
        swapped = found | {"n": found["m"], "m": found["n"]}
        if label == "neutral":
            both = [
                adjective
                for adjective in known.described_by[found["n"]]
                if adjective in known.described_by[found["m"]]
                and adjective.about != "quality"
                and adjective.about != found["a"].about
            ]
            if not both:
                return None
            swapped["a"] = rng.choice(both)
        second = make(PATTERNS["not_more" if denied else "is_more"], swapped)
        return make(PATTERNS["is_more"], found), second
    swapped = found | {"S": found["U"], "U": found["S"]}
    then = {"met": ("met", "meet"), "gave": ("got", "gave")}[kind][label == "neutral"]
    return make(PATTERNS[kind], found), make(PATTERNS[f"not_{then}" if denied else then], swapped)


MEETING, GIVING = ("D", "S", "U", "h", "@u"), ("S", "U", "h", "x", "@u")
# Which relation serves which label, with the hypothesis denied or not.
SWAPS = {
    ("entailment", False): ("met", "gave"),
    ("entailment", True): ("more",),
    ("contradiction", False): ("more",),
    ("contradiction", True): ("met", "gave"),
    ("neutral", False): ("more", "met", "gave"),
    ("neutral", True): ("more", "met", "gave"),
}

CHANGES: tuple[Callable[[Words, str, str, random.Random], Made], ...] = (
    *(_replaced, _replaced, _added, _added, _denied, _busy, _busy, _busy, _busy, _swapped),
)
