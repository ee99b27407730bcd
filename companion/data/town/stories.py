"""Stories of the town: consecutive sentences about a world that remembers, and questions on them.

In the manner of the bAbI tasks (Weston et al., 2015): people go from place to place, pick things
up, carry them along, hand them over, put them down. The state of the world is kept, so every event
is possible when it happens, and every question has an answer, which stands in the story. What this
module leaves out: time words, and questions that need two facts of different stories.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from companion.arguments import integer
from companion.data.town.grammar import Sentence, compile_pattern, make
from companion.data.town.hangul import particle
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import PEOPLE, Person
from companion.data.town.tasks import collect

EVENTS = {
    name: compile_pattern(f"{name} | {rest}")
    for name, rest in {
        "go": "{A:은} {D:에} {가다:past} | {A} went/VERB {D:to}",
        "take": "{A:은} {t:을} {집다:past} | {A} picked/VERB up/ADP {t:the}",
        "drop": "{A:은} {t:을} {내려놓다:past} | {A} put/VERB down/ADP {t:the}",
        "give": "{A:은} {B:에게} {t:을} {건네다:past} | {A} handed/VERB {t:the} to/ADP {B}",
    }.items()
}


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
        In Korean.
    start_ko, end_ko : int
        ``passage_ko[start_ko:end_ko] == answer_ko``.
    passage_en, question_en, answer_en, start_en, end_en
        The same in English.
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


class World:
    """A few people, places and things, and where they are.

    Parameters
    ----------
    rng : random.Random
        Where the chance comes from.

    Attributes
    ----------
    place : dict of Person to Noun
        Where everybody is; only those who have gone somewhere.
    holder : dict of Noun to Person
        Who carries a thing.
    lies : dict of Noun to Noun
        Where a thing was put down.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.people = rng.sample(PEOPLE, 3)
        self.places = rng.sample([noun for noun in NOUNS["place"] if " " not in noun.ko], 4)
        self.things = rng.sample(NOUNS["thing"], 2)
        self.place: dict[Person, Noun] = {}
        self.holder: dict[Noun, Person] = {}
        self.lies: dict[Noun, Noun] = {}

    def step(self) -> Sentence:
        """Let something happen that is possible now, and tell it."""
        possible = ["go"]
        here = [person for person in self.people if person in self.place]
        free = [
            (person, thing)
            for thing in self.things
            for person in here
            if thing not in self.holder
            and self.lies.get(thing, self.place[person]) is self.place[person]
        ]
        hands = [(thing, person) for thing, person in self.holder.items()]
        pairs = [
            (thing, one, other)
            for thing, one in hands
            for other in here
            if other is not one and self.place[other] is self.place[one]
        ]
        possible += ["take"] * 2 * bool(free) + ["drop"] * bool(hands) + ["give"] * 2 * bool(pairs)
        match self.rng.choice(possible):
            case "take":
                person, thing = self.rng.choice(free)
                self.holder[thing] = person
                self.lies.pop(thing, None)
                return make(EVENTS["take"], {"A": person, "t": thing})
            case "drop":
                thing, person = self.rng.choice(hands)
                del self.holder[thing]
                self.lies[thing] = self.place[person]
                return make(EVENTS["drop"], {"A": person, "t": thing})
            case "give":
                thing, one, other = self.rng.choice(pairs)
                self.holder[thing] = other
                return make(EVENTS["give"], {"A": one, "B": other, "t": thing})
        person = self.rng.choice(self.people)
        new = [place for place in self.places if place is not self.place.get(person)]
        self.place[person] = self.rng.choice(new)
        return make(EVENTS["go"], {"A": person, "D": self.place[person]})

    def where(self, thing: Noun) -> Noun | None:
        """Tell at which place a thing is, carried or not; None if nobody has moved it yet."""
        if thing in self.holder:
            return self.place[self.holder[thing]]
        return self.lies.get(thing)


def _tell(rng: random.Random, length: int) -> tuple[World, list[Sentence]]:
    world = World(rng)
    return world, [world.step() for _ in range(length)]


def stories(n: int, *, length: int = 6, seed: int = 0, split: str = "train") -> list[Story]:
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

    def make_one(rng: random.Random) -> tuple[Story, tuple[str, ...]]:
        told = _tell(rng, length)[1]
        story = Story(tuple(s.ko for s in told), tuple(s.en for s in told))
        return story, story.ko

    return collect(make_one, n, seed=seed, split=split)


def questions(n: int, *, length: int = 6, seed: int = 0, split: str = "train") -> list[Question]:
    """Make stories with a question on their end, whose answer is a span of the story.

    Where is somebody, where is a thing, who has it? The answer is the last mention of the place
    or of the person, and often not the last one in the story.

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
        ko, en = " ".join(s.ko for s in told), " ".join(s.en for s in told)
        kinds = ["person"]
        kinds += ["thing"] * any(map(world.where, world.things)) + ["holder"] * bool(world.holder)
        match rng.choice(kinds):
            case "person":
                person = rng.choice(list(world.place))
                answer: Noun | Person = world.place[person]
                asked = f"{particle(person.ko, '은')} 어디에 있는가?", f"Where is {person.en}?"
            case "thing":
                thing = rng.choice([thing for thing in world.things if world.where(thing)])
                found = world.where(thing)
                assert found is not None
                answer = found
                verb = "are" if thing.number == "plural" else "is"
                asked = (
                    f"{particle(thing.ko, '은')} 어디에 있는가?",
                    f"Where {verb} the {thing.en}?",
                )
            case _:
                thing, answer = rng.choice(list(world.holder.items()))
                asked = (
                    f"누가 {particle(thing.ko, '을')} 가지고 있는가?",
                    f"Who has the {thing.en}?",
                )
        start_ko, start_en = ko.rindex(answer.ko), en.rindex(answer.en)
        question = Question(
            *(ko, asked[0], answer.ko, start_ko, start_ko + len(answer.ko)),
            *(en, asked[1], answer.en, start_en, start_en + len(answer.en)),
        )
        return question, tuple(s.ko for s in told)

    return collect(make_one, n, seed=seed, split=split)
