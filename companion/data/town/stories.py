"""Stories of the town: consecutive sentences about a world that remembers, and questions on them.

In the manner of the bAbI tasks (Weston et al., 2015): people go from place to place, pick things
up, carry them along, hand them over, put them down. The state of the world is kept, so every event
is possible when it happens, and nobody picks up again what they have just put down. Every question
has an answer, which stands in the story, and can be asked and answered at every speech level. What
this module leaves out: time words, and questions that need two facts of different stories.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from companion.arguments import choice, integer
from companion.data.town.endings import question as asking
from companion.data.town.grammar import Sentence, compile_pattern, english_tokens, make
from companion.data.town.hangul import particle
from companion.data.town.korean import LEVELS, Predicate
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import PEOPLE, Person
from companion.data.town.tasks import collect
from companion.data.town.verbs import Verb

EVENTS = {
    name: compile_pattern(f"{name} | {rest}")
    for name, rest in {
        "go": "{A:은} {D:에} {가다:past} | {A} went/VERB {D:to}",
        "take": "{A:은} {t:을} {X:past} | {A} {X:past} {t:the}",
        "drop": "{A:은} {t:을} {내려놓다:past} | {A} put/VERB down/ADP {t:the}",
        "give": "{A:은} {B:에게} {t:을} {건네다:past} | {A} handed/VERB {t:the} to/ADP {B}",
    }.items()
}
PICK_UP = Verb(Predicate("집어 들"), "pick up")
# A small world: the core of the town, without rooms, of which everybody has one, and without the
# places where nobody carries pots and candles about.
ELSEWHERE = ("목욕탕", "수영장", "도자기 공방")
STAGE = tuple(
    noun
    for noun in NOUNS["place"]
    if noun.core and "r" not in noun.tags and noun.ko not in ELSEWHERE
)
PROPS = tuple(noun for noun in NOUNS["thing"] if noun.core)
assert set(ELSEWHERE) <= {noun.ko for noun in NOUNS["place"]}, "a place that is left out has moved"


@dataclass(frozen=True)
class Story:
    """Consecutive sentences in both languages; the same number in each."""

    ko: tuple[str, ...]
    en: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A question on a passage, whose answer is a span of the passage.

    Attributes
    ----------
    passage_ko, question_ko, answer_ko : str
        In Korean; the question in the plain style of a text, other levels from `ask_ko`.
    start_ko, end_ko : int
        ``passage_ko[start_ko:end_ko] == answer_ko``, in the last of the supporting sentences.
    passage_en, question_en, answer_en, start_en, end_en
        The same in English.
    kind : str
        "person" (where is somebody?), "thing" (where is it?), "holder" (who has it?) or "before"
        (where was somebody before going there?).
    supports : tuple of int
        The numbers of the sentences from which the answer follows, in the order in which one needs
        them; one for "person" and "holder", two for the others.
    asked, answer, since : Person, Noun or None
        What the question is about, its answer, and the place after the one asked for.
    """

    passage_ko: str
    question_ko: str
    answer_ko: str
    start_ko: int
    end_ko: int
    passage_en: str
    question_en: str
    answer_en: str
    start_en: int
    end_en: int
    kind: str = "person"
    supports: tuple[int, ...] = ()
    asked: Person | Noun | None = field(default=None, repr=False, compare=False)
    answer: Person | Noun | None = field(default=None, repr=False, compare=False)
    since: Noun | None = field(default=None, repr=False, compare=False)

    def ask_ko(self, level: str = "plain") -> str:
        """Return the Korean question; plain is that of a text, -는가.

        Examples
        --------
        >>> one = questions(1, seed=4)[0]
        >>> one.ask_ko() == one.question_ko, one.ask_ko("formal").endswith("까?")
        (True, True)
        """
        choice(level, "level", LEVELS)
        tense = "past" if self.kind == "before" else "present"
        if level == "plain":
            end = "있었는가" if tense == "past" else "있는가"
        else:
            end = asking(THERE, tense, level)
        assert self.asked is not None, "made without its words"
        if self.kind == "holder":
            return f"누가 {particle(self.asked.ko, '을')} 가지고 {end}?"
        return f"{self._about_ko()} 어디에 {end}?"

    def reply_ko(self, level: str = "plain") -> str:
        """Return the answer as a Korean sentence: 있다, polite 있어요, formal 있습니다."""
        choice(level, "level", LEVELS)
        end = THERE.sentence("past" if self.kind == "before" else "present", level)
        assert self.asked is not None, "made without its words"
        if self.kind == "holder":
            return f"{particle(self.answer_ko, '이')} {particle(self.asked.ko, '을')} 가지고 {end}."
        return f"{self._about_ko()} {self.answer_ko}에 {end}."

    def reply_en(self) -> str:
        """Return the answer as an English sentence."""
        assert self.asked is not None, "made without its words"
        asked, answer = _english(self.asked, "the"), _english(self.answer, "at")
        if self.kind == "holder":
            return f"{answer} has {asked}."
        if self.kind == "before":
            return f"{asked} was {answer} before going {_english(self.since, 'to')}."
        verb = "are" if getattr(self.asked, "number", "") == "plural" else "is"
        return f"{asked[0].upper()}{asked[1:]} {verb} {answer}."

    def _about_ko(self) -> str:
        assert self.asked is not None, "made without its words"
        before = f" {self.since.ko}에 가기 전에" if self.since else ""
        return particle(self.asked.ko, "은") + before


THERE = Predicate("있", "existence")


def _english(word: Person | Noun | None, form: str) -> str:
    return " ".join(token[0] for token in english_tokens(word, form))


class World:
    """A few people, places and things, and where they are.

    Parameters
    ----------
    rng : random.Random
        Where the chance comes from.
    level : str, default "plain"
        The Korean speech level in which it is told.

    Attributes
    ----------
    place : dict of Person to Noun
        Where everybody is; only those who have gone somewhere.
    holder : dict of Noun to Person
        Who carries a thing.
    lies : dict of Noun to Noun
        Where a thing was put down.
    let_go : dict of Noun to Person
        Who has put a thing down, or handed it over, and not gone away since.
    visits : dict of Person to list of (int, Noun)
        Where everybody has gone, each with the number of the sentence.
    known : dict of Noun to tuple of int
        The numbers of the sentences that tell where a thing is: who got it; or for a thing that
        lies, that somebody put it down, and had gone to that place.
    """

    def __init__(self, rng: random.Random, level: str = "plain") -> None:
        self.rng, self.level, self.n_told = rng, level, 0
        self.people = rng.sample(PEOPLE, 3)
        self.places = rng.sample(STAGE, 4)
        self.things = rng.sample(PROPS, 2)
        self.place: dict[Person, Noun] = {}
        self.holder: dict[Noun, Person] = {}
        self.lies: dict[Noun, Noun] = {}
        self.let_go: dict[Noun, Person] = {}
        self.visits: dict[Person, list[tuple[int, Noun]]] = {}
        self.known: dict[Noun, tuple[int, ...]] = {}

    def step(self) -> Sentence:
        """Let something happen that is possible now, and tell it."""
        number, self.n_told = self.n_told, self.n_told + 1
        possible = ["go"]
        here = [person for person in self.people if person in self.place]
        free = [
            (person, thing)
            for thing in self.things
            for person in here
            if thing not in self.holder
            and self.let_go.get(thing) is not person
            and self.lies.get(thing, self.place[person]) is self.place[person]
        ]
        carried = [
            (thing, person)
            for thing, person in self.holder.items()
            if self.visits[person][-1][0] > self.known[thing][0]  # carried along at least once
        ]
        pairs = [
            (thing, one, other)
            for thing, one in self.holder.items()
            for other in here
            if other is not one
            and self.let_go.get(thing) is not other
            and self.place[other] is self.place[one]
        ]
        possible += ["take"] * 2 * bool(free)
        possible += ["drop"] * 2 * bool(carried) + ["give"] * 3 * bool(pairs)
        match self.rng.choice(possible):
            case "take":
                person, thing = self.rng.choice(free)
                self.holder[thing], self.known[thing] = person, (number,)
                self.lies.pop(thing, None)
                self.let_go.pop(thing, None)
                return self._tell("take", {"A": person, "t": thing, "X": PICK_UP})
            case "drop":
                thing, person = self.rng.choice(carried)
                del self.holder[thing]
                self.lies[thing], self.let_go[thing] = self.place[person], person
                self.known[thing] = number, self.visits[person][-1][0]
                return self._tell("drop", {"A": person, "t": thing})
            case "give":
                thing, one, other = self.rng.choice(pairs)
                self.holder[thing], self.let_go[thing] = other, one
                self.known[thing] = (number,)
                return self._tell("give", {"A": one, "B": other, "t": thing})
        person = self.rng.choice(self.people)
        new = [place for place in self.places if place is not self.place.get(person)]
        self.place[person] = self.rng.choice(new)
        self.visits.setdefault(person, []).append((number, self.place[person]))
        self.let_go = {thing: one for thing, one in self.let_go.items() if one is not person}
        return self._tell("go", {"A": person, "D": self.place[person]})

    def _tell(self, event: str, words: dict[str, Person | Noun | Verb]) -> Sentence:
        return make(EVENTS[event], words, self.level)

    def where(self, thing: Noun) -> Noun | None:
        """Tell at which place a thing is, carried or not; None if nobody has moved it yet."""
        if thing in self.holder:
            return self.place[self.holder[thing]]
        return self.lies.get(thing)

    def why(self, thing: Noun) -> tuple[int, ...]:
        """Tell from which sentences it follows where a thing is."""
        if thing in self.holder:
            return *self.known[thing], self.visits[self.holder[thing]][-1][0]
        return self.known[thing]


def _tell(rng: random.Random, length: int, level: str = "plain") -> tuple[World, list[Sentence]]:
    world = World(rng, level)
    return world, [world.step() for _ in range(length)]


def stories(
    n: int, *, length: int = 6, seed: int = 0, split: str = "train", level: str = "plain"
) -> list[Story]:
    """Make stories, each of consecutive sentences.

    Parameters
    ----------
    n : int
        How many different ones.
    length : int, default 6
        Sentences in each, 1 or more.
    seed : int, default 0
        The same seed gives the same stories.
    split : str, default "train"
        "train", "validation" or "test": told apart by the whole story.
    level : str, default "plain"
        The Korean speech level.

    Returns
    -------
    list of Story
        In an order without meaning.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Examples
    --------
    >>> [len(story.en) for story in stories(2, length=4)]
    [4, 4]
    """
    integer(length, "length", 1)
    choice(level, "level", LEVELS)

    def make_one(rng: random.Random) -> tuple[Story, tuple[str, ...]]:
        told = _tell(rng, length, level)[1]
        story = Story(tuple(s.ko for s in told), tuple(s.en for s in told))
        return story, story.en

    return collect(make_one, n, seed=seed, split=split)


def questions(n: int, *, length: int = 6, seed: int = 0, split: str = "train") -> list[Question]:
    """Make stories with a question on their end, whose answer is a span of the story.

    Where is somebody, where is a thing, who has it, where was somebody before? The answer is marked
    in the sentence from which it follows; the place or the person may occur elsewhere as well.

    Parameters
    ----------
    n, length, seed, split
        As in `stories`.

    Returns
    -------
    list of Question
        In an order without meaning.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Examples
    --------
    >>> question = questions(1)[0]
    >>> question.passage_en[question.start_en : question.end_en] == question.answer_en
    True
    """
    integer(length, "length", 1)

    def make_one(rng: random.Random) -> tuple[Question, tuple[str, ...]]:
        world, told = _tell(rng, length)
        return _ask(world, told, rng), tuple(s.en for s in told)

    return collect(make_one, n, seed=seed, split=split)


def quizzes(
    n: int,
    *,
    length: int = 6,
    n_questions: int = 3,
    seed: int = 0,
    split: str = "train",
    level: str = "plain",
) -> list[tuple[Story, tuple[Question, ...]]]:
    """Make stories with several questions each, told apart by the story as in `questions`.

    Parameters
    ----------
    n, length, seed, split, level
        As in `stories`.
    n_questions : int, default 3
        At most so many on each story, all different.

    Returns
    -------
    list of (Story, tuple of Question)
        In an order without meaning.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Examples
    --------
    >>> story, asked = quizzes(1, length=4)[0]
    >>> len(story.en), all(one.passage_en == " ".join(story.en) for one in asked)
    (4, True)
    """
    integer(length, "length", 1)
    integer(n_questions, "n_questions", 1)
    choice(level, "level", LEVELS)

    def make_one(rng: random.Random) -> tuple[Any, tuple[str, ...]]:
        world, told = _tell(rng, length, level)
        story = Story(tuple(s.ko for s in told), tuple(s.en for s in told))
        asked = {
            one.question_en: one for one in (_ask(world, told, rng) for _ in range(n_questions))
        }
        return (story, tuple(asked.values())), story.en

    return collect(make_one, n, seed=seed, split=split)


def _ask(world: World, told: list[Sentence], rng: random.Random) -> Question:
    """Ask something that the story answers."""
    moved = [thing for thing in world.things if world.where(thing)]
    came = []  # who has gone to a place once, and to another before
    for person, visits in world.visits.items():
        if len(visits) > 1 and [place for _, place in visits].count(visits[-1][1]) == 1:
            came.append(person)
    kinds = ["person"] + ["thing"] * bool(moved)
    kinds += ["holder"] * bool(world.holder) + ["before"] * bool(came)
    kind, since = rng.choice(kinds), None
    asked: Person | Noun
    answer: Person | Noun | None
    match kind:
        case "person":
            asked = somebody = rng.choice(list(world.place))
            answer = world.place[somebody]
            supports: tuple[int, ...] = (world.visits[somebody][-1][0],)
            question_en = f"Where is {asked.en}?"
        case "thing":
            asked = thing = rng.choice(moved)
            answer, supports = world.where(thing), world.why(thing)
            verb = "are" if thing.number == "plural" else "is"
            question_en = f"Where {verb} the {asked.en}?"
        case "holder":
            thing, answer = rng.choice(list(world.holder.items()))
            asked, supports = thing, world.known[thing]
            question_en = f"Who has the {asked.en}?"
        case _:
            asked = somebody = rng.choice(came)
            (before, answer), (after, since) = world.visits[somebody][-2:]
            supports = after, before
            question_en = f"Where was {asked.en} before going {_english(since, 'to')}?"
    assert answer is not None, "every question has an answer"
    ko, en = [s.ko for s in told], [s.en for s in told]
    start_ko, start_en = (
        sum(len(sentence) + 1 for sentence in texts[: supports[-1]])
        + _find(told[supports[-1]], texts[supports[-1]], word)
        for texts, word in ((ko, answer.ko), (en, answer.en))
    )
    made = Question(
        *(" ".join(ko), "", answer.ko, start_ko, start_ko + len(answer.ko)),
        *(" ".join(en), question_en, answer.en, start_en, start_en + len(answer.en)),
        kind=kind,
        supports=supports,
        asked=asked,
        answer=answer,
        since=since,
    )
    return replace(made, question_ko=made.ask_ko())


def _find(sentence: Sentence, text: str, word: str) -> int:
    """Return where a place, or who gets something, stands in the sentence of an event."""
    return 0 if sentence.pattern == "take" else text.rindex(word)
