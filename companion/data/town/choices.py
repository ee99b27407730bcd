"""What may stand in a slot of a pattern, and how the words of a sentence are drawn together.

Words fit each other: an object can be eaten where it is eaten, an adjective can describe its noun.
What this module leaves out: how the words are put into their forms (`companion.data.town.grammar`).

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from companion.data.town.korean import Predicate
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import KIN, PEOPLE, ROLES
from companion.data.town.verbs import (
    ACTION_VERBS,
    ACTIVITY_VERBS,
    ALL_ADJECTIVES,
    GIVING_VERBS,
    PEOPLE_VERBS,
    Adjective,
)


@dataclass(frozen=True)
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
    """

    ko: str
    en: str
    tag: str
    entity: str = ""


def _adverbials(text: str, tag: str, entity: str = "") -> tuple[Adverbial, ...]:
    rows = [row.split(" = ") for row in text.replace("\n", ";").split(";") if row.strip()]
    return tuple(Adverbial(ko.strip(), en.strip(), tag, entity) for ko, en in rows)


PAST_TIMES = _adverbials(
    """
    어제 = yesterday; 그저께 = the day before yesterday; 어젯밤에 = last night; 작년에 = last year
    지난주에 = last week; 지난달에 = last month; 지난여름에 = last summer; 지난겨울에 = last winter
    오늘 아침에 = this morning; 월요일에 = on Monday; 화요일에 = on Tuesday; 수요일에 = on Wednesday
    목요일에 = on Thursday; 금요일에 = on Friday; 토요일에 = on Saturday; 일요일에 = on Sunday
    """,
    "NOUN",
    "DATE",
)
FUTURE_TIMES = _adverbials(
    """
    내일 = tomorrow; 모레 = the day after tomorrow; 다음 주에 = next week; 다음 달에 = next month
    오늘 밤에 = tonight; 내년에 = next year; 이번 주말에 = this weekend
    내일 아침에 = tomorrow morning
    """,
    "NOUN",
    "DATE",
)
FREQUENCIES = _adverbials("항상 = always; 자주 = often; 가끔 = sometimes; 보통 = usually", "ADV")
DEGREES = _adverbials(
    "아주 = very; 정말 = really; 조금 = a little; 꽤 = quite; 매우 = extremely", "ADV"
)
RELATIONS = _adverbials(
    "위에 = on; 아래에 = under; 옆에 = next to; 뒤에 = behind; 앞에 = in front of", "NOUN"
)
NUMBERS = _adverbials(
    """
    두 = two; 세 = three; 네 = four; 다섯 = five; 여섯 = six; 일곱 = seven; 여덟 = eight
    아홉 = nine; 열 = ten
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
        ("verb", "", "들어가 오 살 열리 참가하 타 쓰 집 내려놓 건네"),
        ("verb", "르", "고르 부르"),
        ("adjective", "", "많 슬프"),
        ("existence", "", "있 없"),
    )
    for word in words.split()
}
GROUPS = {
    "taste": ("fruit", "vegetable", "dish", "snack", "treat", "drink"),
    "thing": ("thing", "clothes", "footwear", "furniture"),
    "place": ("place",),
    "animal": ("animal", "young"),
    "work": ("show", "reading"),
    "plant": ("plant",),
}
LIKED = (
    "fruit",
    "dish",
    "snack",
    "treat",
    "sport",
    "board",
    "subject",
    "animal",
    "show",
    "sound",
    "plant",
    "drink",
)
GIVEN = ("thing", "fruit", "snack", "reading", "text", "clothes", "plant")
BOUGHT = ("fruit", "snack", "vegetable")
SHOPS = ("시장", "빵집", "역", "농장", "광장")
SERVED = (
    *("식당", "카페", "병원", "은행", "우체국", "미용실", "약국", "빵집", "서점", "시청", "꽃집"),
    *("사진관", "박물관", "도서관", "극장", "수영장"),
)
EATING = ("시장", "식당", "카페", "빵집", "극장", "학교", "역", "유치원", "농장", "동물원")


def _nouns(*kinds: str) -> tuple[Noun, ...]:
    return tuple(noun for kind in kinds for noun in NOUNS[kind])


def _adjectives(group: str) -> tuple[Adjective, ...]:
    return tuple(adjective for adjective in ALL_ADJECTIVES if group in adjective.of)


PLACES = {noun.ko: noun for noun in NOUNS["place"]}
FREE_CHOICE: dict[str, tuple[Any, ...]] = {
    "A": PEOPLE,
    "D": NOUNS["place"],
    "F": FUTURE_TIMES,
    "G": tuple(PLACES[name] for name in SHOPS),
    "H": FREQUENCIES,
    "J": tuple(person for person in PEOPLE if person.job),
    "K": tuple(sorted(KIN)),
    "L": NOUNS["landmark"],
    "M": tuple(role for role in ROLES if role.ko in ("왕", "왕비", "왕자", "공주")),
    "N": tuple(PLACES[name] for name in SERVED),
    "N2": tuple(PLACES[name] for name in EATING),
    "R": (*ROLES, *ROLES, *PEOPLE),
    "T": PAST_TIMES,
    "V": NOUNS["vehicle"],
    "Y": _nouns("dish", "snack", "treat", "drink", "fruit"),
    "c": _adjectives("colour"),
    "d": DEGREES,
    "e": NOUNS["event"],
    "f": NOUNS["furniture"],
    "g": GIVING_VERBS,
    "h": PEOPLE_VERBS,
    "k": NUMBERS,
    "l": _nouns(*LIKED),
    "p": _adjectives("person"),
    "q": _adjectives("weather"),
    "r": RELATIONS,
    "s": _adjectives("service"),
    "t": _nouns("thing", "clothes", "footwear"),
    "u": _adjectives("taste"),
    "v": ACTION_VERBS,
    "w": ACTIVITY_VERBS,
    "x": _nouns(*GIVEN),
    "y": _nouns(*BOUGHT),
    "y1": MONTHS,
    "y2": tuple(range(1, 29)),
    "z": NOUNS["animal"],
}
DESCRIBABLE = tuple(noun for group in GROUPS for noun in _nouns(*GROUPS[group]))
DESCRIBED_BY = {
    noun: tuple(a for group in GROUPS if noun.kind in GROUPS[group] for a in _adjectives(group))
    for noun in DESCRIBABLE
}
BY_NAME = {person.ko: person for person in PEOPLE}


def draw(slots: tuple[str, ...], rng: random.Random) -> dict[str, Any]:
    """Draw a word for each slot, so that they fit each other.

    Parameters
    ----------
    slots : tuple of str
        The letters of a pattern (`companion.data.town.patterns`).
    rng : random.Random
        Where the chance comes from.

    Returns
    -------
    dict of str to a word
        For each slot.
    """
    words: dict[str, Any] = {}
    for action, thing, place in (("v", "o", "P"), ("v2", "o2", "")):
        if action in slots:
            verb = words[action] = _other(ACTION_VERBS, words.get("v"), rng)
            words[thing] = rng.choice(NOUNS[rng.choice(verb.objects)])
            if place in slots:
                words[place] = PLACES[rng.choice(verb.places)]
    if "w" in slots:
        words["w"] = rng.choice(ACTIVITY_VERBS)
        words["Q"] = PLACES[rng.choice(words["w"].places)]
    if "n" in slots:
        noun = words["n"] = rng.choice(DESCRIBABLE)
        words["a"] = rng.choice(DESCRIBED_BY[noun])
        for slot in ("b", "but"):
            if slot in slots:
                words[slot] = _second(noun, words["a"], slot == "but", rng)
        if "m" in slots:
            words["m"] = _other(NOUNS[noun.kind], noun, rng)
    if "g" in slots:
        words["g"] = rng.choice(GIVING_VERBS)
        words["x"] = rng.choice(NOUNS[rng.choice(words["g"].objects)])
    if "S" in slots:
        words["S"] = _somebody(rng)
    if "U" in slots:
        while words.setdefault("U", _somebody(rng)) is words["S"]:
            del words["U"]
    for slot in slots:
        if slot == "B":
            words["B"] = _other(PEOPLE, words["A"], rng)
        elif slot == "E":
            words["E"] = _other(NOUNS["place"], words["D"], rng)
        elif slot == "W":
            words["W"] = rng.choice(NOUNS["voice_" + words["R"].gender])
        elif slot == "K":
            one, other = rng.choice(FREE_CHOICE["K"])
            words["K"] = BY_NAME[one], BY_NAME[other], KIN[one, other]
        elif slot not in words:
            words[slot] = rng.choice(FREE_CHOICE[slot])
    return words


def _somebody(rng: random.Random) -> Any:
    return rng.choice(PEOPLE) if rng.random() < 0.7 else rng.choice(ROLES)


def _other(words: tuple[Any, ...], first: Any, rng: random.Random) -> Any:
    """Draw a word that is not the first one."""
    while (word := rng.choice(words)) is first:
        pass
    return word


def _second(noun: Noun, first: Adjective, unlike: bool, rng: random.Random) -> Adjective:
    """Draw another adjective that praises or blames like the first one, or unlike it."""
    possible = [
        adjective
        for adjective in DESCRIBED_BY[noun]
        if adjective is not first
        and first.opposite != adjective.en != first.en
        and adjective.opposite != first.en
    ]
    fits = [word for word in possible if (word.opinion != first.opinion) == unlike]
    return rng.choice(fits or possible)
