"""What may stand in a slot of a pattern, and how the words of a sentence are drawn together.

Words fit each other: an object can be eaten where it is eaten, an adjective can describe its noun.
There are two vocabularies, and one grammar for both: "core", small enough to be learnt in a minute,
and "all", more than twice as large. What this module leaves out: how the words are put into their
forms (`companion.data.town.grammar`).

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from companion.arguments import choice
from companion.data.town.korean import Predicate
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import KIN, MORE_KIN, NEWCOMERS, PEOPLE, ROLES, Person
from companion.data.town.verbs import (
    ACTION_VERBS,
    ACTIVITY_VERBS,
    ALL_ADJECTIVES,
    GIVING_VERBS,
    PEOPLE_VERBS,
    Adjective,
    Verb,
)

SIZES = ("core", "all")
Word = TypeVar("Word")


@dataclass(frozen=True, eq=False)  # a word is itself: nothing is compared field by field
class Adverbial:
    """A time, a frequency, a degree, a number or a place beside something.

    Parameters
    ----------
    ko, en : str
        In both languages.
    tag : str
        Part of speech of its Korean words.
    entity : str, default ""
        "DATE" for times; empty otherwise.
    core : bool, default True
        Whether it belongs to the small vocabulary.
    """

    ko: str
    en: str
    tag: str
    entity: str = ""
    core: bool = True


def _adverbials(text: str, tag: str, entity: str = "") -> tuple[Adverbial, ...]:
    """Read a table; below a line of two hyphens stands what only the large vocabulary has."""
    found = []
    for place, part in enumerate(text.split("--")):
        for row in part.replace("\n", ";").split(";"):
            if row.strip():
                ko, en = row.split(" = ")
                found.append(Adverbial(ko.strip(), en.strip(), tag, entity, place == 0))
    return tuple(found)


# Times at which one tells what one did; the others are for what takes longer.
NEAR_TIMES = _adverbials(
    """
    어제 = yesterday; 그저께 = the day before yesterday; 어젯밤에 = last night
    오늘 아침에 = this morning; 월요일에 = on Monday; 화요일에 = on Tuesday; 수요일에 = on Wednesday
    목요일에 = on Thursday; 금요일에 = on Friday; 토요일에 = on Saturday; 일요일에 = on Sunday
    --
    며칠 전에 = a few days ago; 어제저녁에 = yesterday evening; 지난 주말에 = last weekend
    어제 오후에 = yesterday afternoon; 어제 아침에 = yesterday morning
    """,
    "NOUN",
    "DATE",
)
FAR_TIMES = _adverbials(
    """
    작년에 = last year; 지난주에 = last week; 지난달에 = last month; 지난여름에 = last summer
    지난겨울에 = last winter
    --
    지난봄에 = last spring; 지난가을에 = last autumn; 재작년에 = two years ago
    """,
    "NOUN",
    "DATE",
)
PAST_TIMES = (*NEAR_TIMES, *FAR_TIMES)
NEXT_TIMES = _adverbials(
    """
    내일 = tomorrow; 모레 = the day after tomorrow; 오늘 밤에 = tonight
    이번 주말에 = this weekend; 내일 아침에 = tomorrow morning
    --
    내일 저녁에 = tomorrow evening; 내일 오후에 = tomorrow afternoon; 오늘 저녁에 = this evening
    """,
    "NOUN",
    "DATE",
)
LATER_TIMES = _adverbials(
    """
    다음 주에 = next week; 다음 달에 = next month; 내년에 = next year
    --
    다음 주말에 = next weekend; 내년 봄에 = next spring; 내년 여름에 = next summer
    """,
    "NOUN",
    "DATE",
)
FUTURE_TIMES = (*NEXT_TIMES, *LATER_TIMES)
FREQUENCIES = _adverbials(
    """
    항상 = always; 자주 = often; 가끔 = sometimes; 보통 = usually
    --
    때때로 = occasionally; 종종 = frequently; 규칙적으로 = regularly
    """,
    "ADV",
)
WAYS = _adverbials("혼자 = alone; 오랫동안 = for a long time; 잠깐 = for a while", "ADV")
DEGREES = _adverbials(
    """
    아주 = very; 정말 = really; 조금 = a little; 꽤 = quite; 매우 = extremely
    --
    상당히 = rather; 굉장히 = incredibly
    """,
    "ADV",
)
REALLY, A_LITTLE = DEGREES[1], DEGREES[2]
RELATIONS = _adverbials(
    "위에 = on; 아래에 = under; 옆에 = next to; 뒤에 = behind; 앞에 = in front of", "NOUN"
)
NUMBERS = _adverbials(
    """
    두 = two; 세 = three; 네 = four; 다섯 = five; 여섯 = six; 일곱 = seven; 여덟 = eight
    아홉 = nine; 열 = ten
    --
    열한 = eleven; 열두 = twelve; 열다섯 = fifteen; 스무 = twenty
    """,
    "NUM",
)
MONTHS = tuple(
    Adverbial(f"{number}월", name, "NUM", "DATE")
    for number, name in enumerate(
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        start=1,
    )
)
# Predicates that stand in the patterns themselves.
STATIC = {
    word + "다": Predicate(word, kind, irregular)
    for kind, irregular, words in (
        ("verb", "", "가 사 잃어버리 보 말하 씻 도착하 떠나 걸어가 만나 받 생각하 좋아하 싫어하"),
        ("verb", "", "들어가 오 살 주 열리 참가하 타 쓰 집 내려놓 건네 나오 맡 슬퍼하"),
        ("verb", "르", "고르 부르"),
        ("adjective", "", "많 슬프"),
        ("existence", "", "있 없"),
    )
    for word in words.split()
}
# What the adjectives of a group describe: kinds of nouns, perhaps with a letter.
GROUPS = {
    name: tuple(kinds.split())
    for name, kinds in {
        "taste": "fruit vegetable.e dish snack treat drink.-z",
        "sweet": "fruit snack treat.w treat.v drink.w",
        "bitter": "drink.b",
        "salty": "dish.s treat.s",
        "spicy": "dish.h",
        "fruit": "fruit",
        "fresh": "fruit vegetable",
        "baked": "snack",
        "work": "show reading.r",
        "reading": "reading.r",
        "useful": "reading.u",
        "spectacle": "show.a",
        "scary": "show.f reading.f",
        "greasy": "dish.g",
        "light": "dish.-h",
        "scenic": "place.v",
        "flower": "plant.s",
        "plant": "plant",
        "wear": "clothes.p footwear thing.p",
        "style": "clothes.p footwear",
        "clean": "clothes.n footwear thing.c furniture.t",
        "place": "place.i place.o",
        "price": "fruit vegetable dish snack treat drink clothes footwear thing.c thing.p thing.h"
        " furniture machine instrument",
        "size": "animal thing.g furniture place.b plant.t clothes.g",
        "length": "clothes.두",
        "wide": "place.i place.o",
        "indoor": "place.i",
        "comfort": "place.i footwear",
        "heavy": "thing.h furniture",
        "furniture": "furniture",
        "quick": "animal.q vehicle.g",
        "machine": "machine.r",
        "cute": "young animal.h",
        "tame": "animal.t",
        "town": "place.b",
    }.items()
}
SOLD = {  # what is sold where
    "시장": "fruit vegetable snack treat",
    "빵집": "snack",
    "카페": "drink snack",
    "식당": "dish",
    "농장": "fruit vegetable",
    "극장": "treat.w drink.w",
    "슈퍼마켓": "fruit vegetable treat drink",
    "찻집": "drink",
    "분식집": "dish",
}
COUNTED = {"시장": "fruit vegetable snack", "농장": "fruit vegetable", "빵집": "snack"}
ANIMALS = {  # who lives where
    "농장": "animal.f young",
    "동물원": "animal.z",
    "공원": "animal.p",
    "언덕": "animal.p",
    "강가": "animal.w",
    "숲": "animal.p",
    "호숫가": "animal.w",
}
# What one does because one is tired, and where because the weather is fine.
BECAUSE = {
    "피곤하": "자 쉬 졸",
    "한가하": "산책하 이야기하 놀 낚시하 쉬 쇼핑하",
    "행복하": "춤추 노래하 웃",
    "슬프": "울",
    "아프": "쉬 자",
    "부지런하": "일하 운동하 연습하 청소하",
    "졸리": "자 하품하 졸",
    "심심하": "산책하 놀 쇼핑하",
}
GOOD_OUTSIDE = "걷 뛰 산책하 놀 운동하 낚시하 쉬 하이킹하 캠핑하"
WEATHER = {
    "따뜻하": ("o", GOOD_OUTSIDE),
    "시원하": ("o", GOOD_OUTSIDE),
    "맑": ("o", GOOD_OUTSIDE),
    "화창하": ("o", GOOD_OUTSIDE),
    "덥": ("", "수영하"),
    "춥": ("i", "쉬 이야기하 운동하 연습하"),
    "흐리": ("i", "쉬 이야기하 운동하 연습하"),
    "쌀쌀하": ("i", "쉬 이야기하 운동하 연습하"),
}
GIVEN = "thing.k fruit snack reading text clothes plant.s"
LIKED = "fruit dish snack treat sport board subject animal show sound plant drink.-z"
PAIRED = (("G", "y"), ("Dz", "z1"), ("N2", "Y"), ("e", "L"), ("q", "w"), ("p", "w"))
# Nobody has both of them.
COUPLES = {
    frozenset(pair.split())
    for pair in ("남편 아내", "할머니 손자", "할머니 손녀", "할아버지 손자", "할아버지 손녀")
}
# Of these one speaks with respect: -시- at the polite and the formal level.
ELDERS = frozenset(("할아버지", "할머니", "아버지", "어머니", "삼촌", "고모"))
# What is done to them takes other words, or a name: 뵙다, 드리다, 그 남자.
UNSPOKEN = ELDERS | {"남자", "여자"}
PLACES = {noun.ko: noun for noun in NOUNS["place"]}
BY_NAME = {person.ko: person for person in (*PEOPLE, *NEWCOMERS)}


class Words:
    """One of the two vocabularies: what may stand in each slot.

    Parameters
    ----------
    size : str
        "core" or "all".
    """

    def __init__(self, size: str) -> None:
        self.all = size == "all"
        self.people: tuple[Person, ...] = (*PEOPLE, *(NEWCOMERS if self.all else ()))
        self.relatives = tuple(sorted(KIN | (MORE_KIN if self.all else {})))
        self.adjectives = self._of(ALL_ADJECTIVES)
        self.past, self.future = self._of(PAST_TIMES), self._of(FUTURE_TIMES)
        self.far, self.later = self._of(FAR_TIMES), self._of(LATER_TIMES)
        self.actions, self.activities = self._of(ACTION_VERBS), self._of(ACTIVITY_VERBS)
        self.giving = self._of(GIVING_VERBS)
        self.nouns, self.places = cache(self._nouns), cache(self._places)
        self.verbs = cache(self._verbs)
        describes: dict[Noun, list[Adjective]] = {}
        for adjective in self.adjectives:
            for group in adjective.of:
                for noun in self.nouns(*GROUPS.get(group, ())):
                    if adjective not in describes.setdefault(noun, []):
                        describes[noun].append(adjective)
        self.described_by = {noun: tuple(found) for noun, found in describes.items()}
        self.describable = tuple(self.described_by)
        self.alike = cache(self._alike)
        self.twice = {
            unlike: [(n, pairs) for n in self.describable if (pairs := self._pairs(n, unlike))]
            for unlike in (False, True)
        }
        self.scenes = self._scenes()
        self.free = self._free()
        self.pairs = self._pair_choices()

    def _of(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        return tuple(word for word in words if self.all or word.core)  # type: ignore[attr-defined]

    def _nouns(self, *kinds: str) -> tuple[Noun, ...]:
        """Return the nouns of some kinds, each once.

        "clothes.끼" are those with this letter, "drink.-z" those without.
        """
        found: dict[Noun, None] = {}
        for kind in kinds:
            name, _, letter = kind.partition(".")
            fits = (
                (lambda tags, no=letter[1:]: no not in tags)
                if letter.startswith("-")
                else (lambda tags, yes=letter: yes in tags)
            )
            found |= dict.fromkeys(n for n in self._of(NOUNS[name]) if fits(n.tags))
        return tuple(found)

    def _places(self, names: tuple[str, ...], tag: str = "") -> tuple[Noun, ...]:
        """Return the places with these names, and with a letter."""
        return tuple(n for n in self._of(tuple(PLACES[p] for p in names)) if tag in n.tags)

    def _verbs(self, plus: str, minus: str, indoors: bool) -> tuple[Any, ...]:
        """Return verbs with some flags and without others, each with its objects and places."""
        found = []
        for verb in self.actions:
            if set(plus) <= set(verb.flags) and not set(minus) & set(verb.flags):
                uses = [
                    (tuple(map(self.nouns, kinds)), self.places(places, "i" if indoors else ""))
                    for kinds, places in verb.uses
                ]
                uses = [
                    (tuple(filter(None, (unlike(verb, nouns) for nouns in kinds))), places)
                    for kinds, places in uses
                ]
                if uses := [use for use in uses if all(use)]:
                    found.append((verb, uses))
        return tuple(found)

    def _alike(self, kind: str, adjective: Adjective) -> tuple[Noun, ...]:
        """Return the nouns of a kind that an adjective can describe."""
        nouns = self._of(NOUNS[kind])
        return tuple(noun for noun in nouns if adjective in self.described_by.get(noun, ()))

    def _pairs(self, noun: Noun, unlike: bool) -> tuple[tuple[Adjective, Adjective], ...]:
        """Return the adjectives that can follow each other, with "and" or (unlike) with "but"."""
        return tuple(
            (one, other)
            for one in self.described_by[noun]
            for other in self.described_by[noun]
            if one.about != other.about
            and "quality" not in (one.about, other.about)  # boring, and excellent?
            and (one.opinion * other.opinion == -1 if unlike else one.opinion * other.opinion != -1)
        )

    def _scenes(self) -> tuple[tuple[Any, ...], ...]:
        """Return, for each place, what is done there: verbs and objects."""
        scenes: dict[str, list[tuple[Verb, tuple[Noun, ...]]]] = {}
        for verb, _ in self.verbs("", "!sv", False):
            for kinds, places in verb.uses:
                if nouns := unlike(verb, self.nouns(*kinds)):
                    for place in self.places(places):
                        scenes.setdefault(place.ko, []).append((verb, nouns))
        return tuple(tuple(s) for s in scenes.values() if len({verb.ko.stem for verb, _ in s}) > 1)

    def _free(self) -> dict[str, tuple[Any, ...]]:
        """Return what may stand in the slots that ask for nothing else."""
        towns = self.nouns("place.n")
        roles = tuple(role for kind in ("role_m", "role_f") for role in NOUNS[kind])
        lost = self.nouns("thing.l", "clothes.l", "footwear")
        return {
            "A": self.people,
            "D": towns,
            "Db": self.nouns("place.b"),
            "Di": (*self.nouns("place.r"), *self.places(("학교",))),
            "Dr": (*self.nouns("place.r"), *self.places(("학교",))),
            "F": self._of(NEXT_TIMES),
            "H": self._of(FREQUENCIES),
            "J": tuple(person for person in self.people if person.job),
            "L": self.nouns("landmark"),
            "M": tuple(role for role in roles if role.ko in ("왕", "왕비", "왕자", "공주")),
            "N": self.nouns("place.s"),
            "R": (*roles, *roles, *PEOPLE, *(self.people if self.all else ())),
            "R2": tuple(word for word in (*roles, *roles, *self.people) if _grown(word)),
            "T": self._of(PAST_TIMES),
            "T1": self._of(NEAR_TIMES),
            "V": tuple(n for n in self.nouns("vehicle.g") if not set("rx") & set(n.tags)),
            "c": tuple(a for a in self.adjectives if "colour" in a.of),
            "e": self.nouns("event"),
            "ej": self.nouns("event.j"),
            "f": self.nouns("furniture.t"),
            "h": tuple(v for v in self._of(PEOPLE_VERBS) if v.flags in ("e", "x")),
            "h1": tuple(v for v in self._of(PEOPLE_VERBS) if v.flags in "ev"),
            "h2": tuple(v for v in self._of(PEOPLE_VERBS) if v.flags == "s"),
            "how": self._of(WAYS),
            "k": self._of(NUMBERS),
            "l": self.nouns(*LIKED.split()),
            "p": tuple(a for a in self.adjectives if "person" in a.of),
            "p1": tuple(a for a in self.adjectives if "state" in a.of),
            "q": tuple(a for a in self.adjectives if "weather" in a.of),
            "r": RELATIONS,
            "s": tuple(a for a in self.adjectives if "service" in a.of),
            "t": self.nouns("thing.k", "thing.p", "clothes", "footwear"),
            "tl": tuple(noun for noun in lost if "o" in noun.tags),
            "tL": lost,
            "to": self.nouns("thing.o", "clothes.o", "footwear"),
            "ts": tuple(n for n in self.nouns("thing.l", "thing.p") if "h" not in n.tags),
            "x": self.nouns(*GIVEN.split()),
            "x1": self.nouns("thing.k", "thing.c", "reading", "clothes"),
            "y1": MONTHS,
            "y2": tuple(range(1, 29)),
            "z": tuple(n for n in self.nouns("animal") if "a" not in n.tags),
        }

    def _pair_choices(self) -> dict[tuple[str, str], tuple[tuple[Any, Any], ...]]:
        """Return what may stand in two slots together."""

        def at(table: dict[str, str], counted: bool = False) -> tuple[tuple[Any, Any], ...]:
            return tuple(
                (place, tuple(n for n in nouns if not counted or n.number == "count"))
                for place in self.places(tuple(table))
                if (nouns := self.nouns(*table[place.ko].split()))
            )

        named = {adjective.ko.stem: adjective for adjective in self.adjectives}
        doing = {verb.ko.stem: verb for verb in self.activities}
        weather, mood = [], []
        for stem, (tag, verbs) in WEATHER.items():
            for verb in verbs.split():
                done = self.places(doing[verb].places, tag) if verb in doing else ()
                if stem in named and done:
                    weather.append((named[stem], ((doing[verb], done),)))
        for stem, verbs in BECAUSE.items():
            if stem in named:
                done = [doing[verb] for verb in verbs.split() if verb in doing]
                mood.append((named[stem], tuple((v, self.places(v.places)) for v in done)))
        events = [
            (event, places)
            for event in self.nouns("event.i", "event.o")
            if (places := self.nouns(f"landmark.{'i' if 'i' in event.tags else 'o'}"))
        ]
        return {
            ("G", "y"): at(COUNTED, counted=True),
            ("Dz", "z1"): at(ANIMALS),
            ("N2", "Y"): at(SOLD),
            ("e", "L"): tuple(events),
            ("q", "w"): tuple(weather),
            ("p", "w"): tuple(mood),
        }


def unlike(verb: Verb, nouns: tuple[Noun, ...]) -> tuple[Noun, ...]:
    """Return the nouns that do not repeat the English verb: nobody "films films"."""
    return tuple(noun for noun in nouns if verb.en not in noun.en.split())


def _grown(word: Person | Noun) -> bool:
    """Tell whether it says something to call somebody a man or a woman."""
    return (
        word.age > 18
        if isinstance(word, Person)
        else word.en not in ("man", "woman", "boy", "girl") and not word.mine
    )


def vocabulary(size: str) -> Words:
    """Return one of the two vocabularies.

    Parameters
    ----------
    size : str
        "core" or "all".

    Raises
    ------
    ValueError
        If there is no such vocabulary.
    """
    return _vocabulary(choice(size, "words", SIZES))


@cache
def _vocabulary(size: str) -> Words:
    return Words(size)


def draw(slots: tuple[str, ...], rng: random.Random, words: str = "core") -> dict[str, Any]:
    """Draw a word for each slot, so that they fit each other.

    Parameters
    ----------
    slots : tuple of str
        The letters of a pattern (`companion.data.town.patterns`); "+t" asks for a verb with this
        flag, "-!" for one without it, "@i" for a place indoors.
    rng : random.Random
        Where the chance comes from.
    words : str, default "core"
        The vocabulary: "core" or "all".

    Returns
    -------
    dict of str to a word
        For each slot.

    Raises
    ------
    ValueError
        If there is no such vocabulary.
    """
    known = vocabulary(words)
    found: dict[str, Any] = {}
    if "v2" in slots:
        _draw_scene(known, found, rng)
    elif "v" in slots:
        _draw_action(known, found, slots, rng)
    for one, other in _together(slots):
        found[one], choice = rng.choice(known.pairs[one, other])
        found[other] = rng.choice(choice)
        if other == "w":
            found["w"], places = found["w"]
            found["Q"] = rng.choice(places)
    if "w" in slots and "w" not in found:
        verb = found["w"] = rng.choice(known.activities)
        while not _flagged(verb, slots):
            verb = found["w"] = rng.choice(known.activities)
        found["Q"] = rng.choice(known.places(verb.places))
    if "n" in slots:
        _draw_description(known, found, slots, rng)
    if "i" in slots:
        found["i"] = rng.choice(known.free["x1"])
        while not (fit := [a for a in known.described_by.get(found["i"], ()) if a.opinion >= 0]):
            found["i"] = rng.choice(known.free["x1"])
        found["j"] = rng.choice(fit)
    if "g" in slots:
        verb = found["g"] = rng.choice(known.giving)
        [(kinds, _)] = verb.uses
        found["x"] = rng.choice(known.nouns(rng.choice(kinds)))
    if "S" in slots:
        found["S"] = _somebody(known, rng)
    if "U" in slots:
        found["U"] = _somebody(known, rng)
        while (
            found["U"] is found["S"]
            or {found["U"].ko, found["S"].ko} in COUPLES
            or ("@u" in slots and found["U"].ko in UNSPOKEN)
        ):
            found["U"] = _somebody(known, rng)
    if "u" in slots:
        found["u"] = rng.choice(
            [a for a in known.described_by[found["Y"]] if a.about not in ("size",)]
        )
    for slot in slots:
        if slot in found or slot == "d" or slot[0] in "+-@":
            continue
        if slot == "B":
            found["B"] = _other(known.people, found.get("A") or rng.choice(known.people), rng)
        elif slot == "E":
            found["E"] = _other(known.free["D"], found["D"], rng)
        elif slot == "W":
            found["W"] = rng.choice(NOUNS["voice_" + found["R"].gender])
        elif slot == "K":
            one, other = rng.choice(known.relatives)
            found["K"] = BY_NAME[one], BY_NAME[other], (KIN | MORE_KIN)[one, other]
        elif slot in ("T", "F") and "d" in _flags(found):
            found[slot] = rng.choice(known.far if slot == "T" else known.later)
        elif slot in ("T", "F") and "l" in _flags(found):
            found[slot] = rng.choice(known.past if slot == "T" else known.future)
        elif slot == "T" and ("v" in found or "w" in found or "h1" in slots):
            found["T"] = rng.choice(known.free["T1"])
        else:
            found[slot] = rng.choice(known.free[slot])
    if "d" in slots:
        adjective = next(found[slot] for slot in ("a", "u", "s", "p", "p1", "q") if slot in found)
        found["d"] = rng.choice(degrees(adjective, words))
    return found


@cache
def degrees(adjective: Adjective, words: str) -> tuple[Adverbial, ...]:
    """Return the degrees that an adjective bears: nothing is "a little excellent"."""
    known = vocabulary(words)._of(DEGREES)
    if adjective.sign == "!":
        return (REALLY,)
    firm = adjective.opinion > 0 or adjective.sign == "+"
    return tuple(degree for degree in known if not (firm and degree is A_LITTLE))


@cache
def _together(slots: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of slots for which words are drawn together."""
    return tuple(pair for pair in PAIRED if set(pair) <= set(slots))


@cache
def _needs(slots: tuple[str, ...]) -> tuple[str, str, bool]:
    """Return the flags that a verb must have, those that it must not, and whether it is indoors."""
    plus, minus = ("".join(sorted(slot[1:] for slot in slots if slot[0] == sign)) for sign in "+-")
    return plus, minus, "@i" in slots


def _flagged(verb: Verb, slots: tuple[str, ...]) -> bool:
    """Tell whether a verb has the flags that are asked for, and none of those that are not."""
    plus, minus, _ = _needs(slots)
    return set(plus) <= set(verb.flags) and not set(minus) & set(verb.flags)


def _flags(found: dict[str, Any]) -> str:
    verb = found.get("v") or found.get("w")
    return verb.flags if verb else ""


def _draw_action(
    known: Words, found: dict[str, Any], slots: tuple[str, ...], rng: random.Random
) -> None:
    verb, uses = rng.choice(known.verbs(*_needs(slots)))
    kinds, places = rng.choice(uses)
    found["v"], found["o"] = verb, rng.choice(rng.choice(kinds))
    if "P" in slots:
        found["P"] = rng.choice(places)


def _draw_scene(known: Words, found: dict[str, Any], rng: random.Random) -> None:
    """Draw two things to do at one place."""
    scene = rng.choice(known.scenes)
    found["v"], objects = rng.choice(scene)
    found["o"] = found["o2"] = rng.choice(objects)
    found["v2"] = found["v"]
    while found["v2"].ko.stem == found["v"].ko.stem or found["o2"] is found["o"]:
        found["v2"], objects = rng.choice(scene)
        found["o2"] = rng.choice(objects)


def _draw_description(
    known: Words, found: dict[str, Any], slots: tuple[str, ...], rng: random.Random
) -> None:
    for slot in ("b", "but"):
        if slot in slots:
            found["n"], pairs = rng.choice(known.twice[slot == "but"])
            found["a"], found[slot] = rng.choice(pairs)
            return
    while True:
        noun = found["n"] = rng.choice(known.describable)
        adjective = found["a"] = rng.choice(known.described_by[noun])
        if "m" not in slots:
            return
        if adjective.about == "quality" or (adjective.about, noun.kind) == ("clean", "thing"):
            continue
        like = known.alike(noun.kind, adjective)
        like = tuple(n for n in like if n.preposition == noun.preposition)
        if len(like) > 1:
            found["m"] = _other(like, noun, rng)
            return


def _somebody(known: Words, rng: random.Random) -> Any:
    return rng.choice(known.people) if rng.random() < 0.7 else rng.choice(ROLES)


def _other(words: tuple[Any, ...], first: Any, rng: random.Random) -> Any:
    """Draw a word that is not the first one."""
    while (word := rng.choice(words)) is first:
        pass
    return word
