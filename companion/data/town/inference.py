"""Entailment in the town: sentences of which the second follows from the first, or does not.

Both are made of the same words, by patterns of which one says more than the other. What this module
leaves out: conclusions that need knowledge of the world (who eats an apple eats fruit).

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from companion.data.town.choices import DESCRIBED_BY, draw
from companion.data.town.grammar import Sentence, compile_pattern, make
from companion.data.town.tasks import BY_ENGLISH, BY_NAME, balanced
from companion.data.town.verbs import Adjective


@dataclass(frozen=True)
class Pair:
    """A premise and a hypothesis: "entailment", "contradiction" or "neutral"."""

    premise_ko: str
    hypothesis_ko: str
    premise_en: str
    hypothesis_en: str
    label: str


def entailment(n: int, *, seed: int = 0, split: str = "train") -> list[Pair]:
    """Make pairs of a premise and a hypothesis, each label equally often.

    What follows says less than the premise (the place or the time is left out); what contradicts it
    denies it, or says the opposite; what is neutral adds a person or a place.

    Parameters
    ----------
    n, seed, split
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

    def make_one(rng: random.Random, label: str) -> tuple[Pair, tuple[str, ...]]:
        first, second = _related(label, rng)
        return Pair(first.ko, second.ko, first.en, second.en, label), first.key

    return balanced(make_one, tuple(RELATED), n, seed=seed, split=split)


# For each label: the pattern of the premise and that of the hypothesis, with the same words.
RELATED = {
    "entailment": (
        ("act_place_time", "act_time"),
        ("act_place_time", "act_place"),
        ("act_with_place", "act_with"),
        ("act_with_place", "act_place"),
        ("act_twice", "act"),
        ("do_time", "do"),
        ("give_time", "give"),
        ("meet_time", "meet_anywhere"),
        ("is_both", "is_plain"),
    ),
    "contradiction": (
        ("act_time", "act_not"),
        ("act_place_time", "act_not"),
        ("do_time", "do_not"),
        ("is_plain", "is_not"),
        ("person_is", "person_not"),
        ("is_plain", "opposite"),
    ),
    "neutral": (
        ("act", "act_place"),
        ("act", "act_with"),
        ("act_place", "act_with_place"),
        ("act", "act_for"),
        ("do", "do_time"),
        ("give", "give_time"),
        ("is_plain", "is_both"),
    ),
}


EXTRA = {
    "meet_anywhere": compile_pattern("meet_anywhere | {S:은} {U:을} {h:past} | {S} {h:past} {U}"),
    "is_plain": compile_pattern("is_plain | {n:은} {a:past} | {n:the} {n:was} {a}"),
}


def _related(label: str, rng: random.Random) -> tuple[Sentence, Sentence]:
    """Make a premise and a hypothesis that share their words."""
    while True:
        one, other = rng.choice(RELATED[label])
        first = BY_NAME.get(one) or EXTRA[one]
        second = first if other == "opposite" else BY_NAME.get(other) or EXTRA[other]
        words = draw(tuple(sorted({*first.slots, *second.slots})), rng)
        changed = dict(words)
        if other == "opposite":
            opposite: Adjective | None = BY_ENGLISH.get(words["a"].opposite)
            if opposite is None or opposite not in DESCRIBED_BY[words["n"]]:
                continue
            changed["a"] = opposite
        return make(first, words), make(second, changed)
