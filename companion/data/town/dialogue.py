"""Conversation in the town: questions with answers, and orders, requests and proposals.

People speak at the three levels of `companion.data.town.korean`::

    plain      민준아, 사과를 샀니?           to friends and to children
    polite     영수 씨, 사과를 사셨어요?
    formal     김영수 씨, 사과를 사셨습니까?

Whoever is respected gets -시- when others speak, and never when speaking of oneself. Old people are
할아버지 and 할머니 at every level.

What is asked or told belongs to one split by its verb and its object (the place, where there is no
object): if somebody is asked about buying apples in the test set, buying apples occurs in no
question, answer or command of the training set. What this module leaves out: questions that are
answered by a question, and conversations of more than two turns.

Used first in book/reference/town.md.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from companion.arguments import choice
from companion.data.town import english
from companion.data.town.choices import (
    FUTURE_TIMES,
    NEAR_TIMES,
    NEXT_TIMES,
    PAST_TIMES,
    PLACES,
    Adverbial,
    draw,
    vocabulary,
)
from companion.data.town.endings import (
    honorific,
    order,
    proposal,
    question,
    question_be,
    reply,
    reply_be,
    request,
)
from companion.data.town.grammar import english_tokens
from companion.data.town.hangul import final_consonant, particle
from companion.data.town.korean import LEVELS, Predicate
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import PEOPLE, Person
from companion.data.town.tasks import collect, split_of
from companion.data.town.verbs import ACTION_VERBS, ACTIVITY_VERBS, GIVING_VERBS, PEOPLE_VERBS, Verb

KINDS = ("yes", "no", "who", "what", "where", "when", "whom", "why", "which")


# Too far away to be asked about, but for what takes long; and when most places are closed.
RECENT = tuple(time for time in NEAR_TIMES if time.core)
LAST_WEEK = tuple(time for time in PAST_TIMES if time.ko == "지난주에")
SOON = tuple(time for time in NEXT_TIMES if time.core)
NEXT_WEEK = tuple(time for time in FUTURE_TIMES if time.ko == "다음 주에")
NIGHT = ("어젯밤에", "오늘 밤에")
# Nobody is asked whether they went to a room: they live there.
GOALS = tuple(noun for noun in NOUNS["place"] if noun.core and "r" not in noun.tags)
# What was done, and why: Korean object, verb, English; reason, English. {0} is he, she or I.
REASONS = (
    ("일찍", "자", "", "go to bed early", "피곤하", "", "tired"),
    ("집에서", "쉬", "", "rest at home", "아프", "", "ill"),
    ("병원에", "가", "", "go to the hospital", "아프", "", "ill"),
    ("약국에", "가", "", "go to the pharmacy", "감기에 걸리", "verb", "had a cold"),
    ("빵을", "먹", "", "eat bread", "배고프", "", "hungry"),
    ("국수를", "만들", "", "make noodles", "배고프", "", "hungry"),
    ("물을", "마시", "", "drink water", "목이 마르", "르", "thirsty"),
    ("택시를", "타", "", "take a taxi", "늦", "", "late"),
    ("점심을", "거르", "르", "go without lunch", "배부르", "르", "full"),
    ("방에서", "울", "", "cry in the bedroom", "슬프", "", "sad"),
    ("크게", "웃", "", "laugh out loud", "행복하", "", "happy"),
    ("창문을", "열", "", "open the window", "방이 덥", "ㅂ", "the room was hot"),
    ("창문을", "닫", "", "close the window", "방이 춥", "ㅂ", "the room was cold"),
    ("불을", "켜", "", "turn on the light", "방이 어둡", "ㅂ", "the room was dark"),
    ("우산을", "쓰", "", "put up an umbrella", "비가 오", "verb", "it was raining"),
    ("외투를", "입", "", "put on a coat", "날씨가 춥", "ㅂ", "the weather was cold"),
    ("모자를", "쓰", "", "wear a hat", "햇볕이 뜨겁", "ㅂ", "the sun was hot"),
    ("강가에서", "걷", "ㄷ", "walk by the riverside", "날씨가 맑", "", "the weather was clear"),
    ("시장에", "걸어가", "", "walk to the market", "버스를 놓치", "verb", "had missed the bus"),
    ("자전거를", "고치", "", "repair the bicycle", "바퀴가 고장 나", "verb", "a wheel was broken"),
    (
        "이웃을",
        "돕",
        "ㅂ",
        "help the neighbours",
        "일손이 모자라",
        "verb",
        "they were short-handed",
    ),
    ("새집을", "짓", "ㅅ", "build a new house", "집이 너무 좁", "", "the house was too small"),
    ("의사를", "부르", "르", "call a doctor", "아기가 아프", "", "the baby was ill"),
    ("음악을", "듣", "ㄷ", "listen to music", "심심하", "", "bored"),
    ("도서관에서", "공부하", "", "study at the library", "시험이 있", "existence", "had an exam"),
)


def _verbs(text: str) -> tuple[str, ...]:
    """Read Korean stems; a homonym is told by its English, as 쓰/write and 쓰/put on are."""
    found = tuple(name.replace("_", " ") for name in text.split())
    known = {name for verb in VERBS for name in (verb.ko.stem, f"{verb.ko.stem}/{verb.en}")}
    known |= {stem for _, stem, *_ in REASONS}
    assert set(found) <= known, f"no verbs of the small town: {set(found) - known}"
    return found


def _nouns(text: str) -> tuple[str, ...]:
    """Read Korean nouns, or kinds of nouns."""
    known = {noun.ko for kind in NOUNS for noun in NOUNS[kind] if noun.core} | set(NOUNS)
    found = tuple(text.split())
    assert set(found) <= known, f"no nouns of the small town: {set(found) - known}"
    return found


def _heads(text: str) -> tuple[str, ...]:
    """Read the first words of English verbs."""
    known = {verb.en.split()[0] for verb in VERBS}
    found = tuple(text.split())
    assert set(found) <= known, f"no verbs of the small town: {set(found) - known}"
    return found


VERBS = tuple(
    verb for verb in (*ACTION_VERBS, *ACTIVITY_VERBS, *PEOPLE_VERBS, *GIVING_VERBS) if verb.core
)
# Nobody plans these, and nobody can be told to do them.
UNPLANNED = _verbs("잃어버리 졸 울 웃")
# That takes longer than one is asked about, or is a little grand for it.
NEVER_ASKED = _verbs("키우 모으 발견하 일하")
# Children do not do these, and old people not those.
GROWN_UP = _verbs("가르치 팔 고치 짓 운전하")
TOO_HARD = _verbs("나르 공부하")
FOR_GROWN_UPS = _nouns("오토바이 커피 기사")
FOR_WOMEN, FOR_MEN = _nouns("치마 원피스"), _nouns("넥타이")
MEETINGS = _verbs("만나 돕 초대하 칭찬하 응원하 깨우 축하하 기다리")
# What one tells others to do, asks them to do, does with them, and what is forbidden.
ORDERS = _verbs(
    "먹 마시 읽 쓰 신 입 끼 매 두르 공부하 돌보 심 그리 고치 닦 씻 빨 요리하 찾 버리 고르 포장하"
    " 열 닫 켜 끄 나르 준비하 배우 치 불"
)
REQUESTS = _verbs(
    "사 읽 고치 닦 씻 빨 요리하 굽 만들 찾 고르 포장하 열 닫 켜 끄 나르 준비하 돌보 그리 치 불"
)
PROPOSALS = _verbs(
    "먹 마시 사 읽 보 듣 타 켜/play 치 불 두 하 배우 공부하 심 그리 요리하 굽 만들 고치 고르"
    " 준비하 찍"
)
FORBIDDEN = _verbs("먹 마시 버리 열 닫 켜 끄 타 찍 치 불")
ACTIVITY_ORDERS = _verbs("걷 쉬 운동하 청소하 기다리 연습하")
ACTIVITY_PROPOSALS = _verbs("걷 수영하 춤추 쉬 운동하 산책하 청소하 낚시하 놀 기다리 연습하")
ACTIVITY_FORBIDDEN = _verbs("뛰 수영하 춤추 낚시하 노래하")
# What a request can be about that is not to be done at once.
LATER = _verbs("사 요리하 굽 만들 준비하")
# Where something is put: Korean says 에, not 에서. And what one does not say where one does.
INTO = _verbs("심 숨기")
ANYWHERE = _verbs("버리 빨 나르")
# What one does by day alone.
DAYLIGHT = _verbs("심 그리 찍 팔")
# What is not wiped, turned on, carried; and what is made, of things: what prepared, of shows.
UNFIT = {
    "읽": _nouns("사전 일기"),
    "쓰": _nouns("일기"),
    "빌리": _nouns("일기 피아노"),
    "닦": _nouns("커튼 침대"),
    "켜": _nouns("라이터 냉장고"),
    "끄": _nouns("라이터 냉장고"),
    "나르": _nouns("vegetable 우산 망치 톱 삽 냄비 이불"),
    "심": _nouns("버섯"),
    "버리": _nouns("시"),
    "먹": _nouns("수박"),
    "씻": _nouns("바나나 수박"),
}
FIT = {
    "만들": _nouns("연 인형 등불 바구니 목걸이 비누 초 부채 상자 장난감 사다리 의자"),
    "준비하": _nouns("연극 공연 인형극"),
    "그리": _nouns("그림 꽃병 인형 시계 컵"),
}
# What is sold, lent or written at a place that does not have everything.
SHELVES = {
    "꽃집": _nouns("plant"),
    "서점": _nouns("reading"),
    "도서관": _nouns("reading"),
    "빵집": _nouns("snack 도넛 샌드위치"),
    "문구점": _nouns("연필 공책 풍선 장난감 지도 상자 인형 공"),
    "극장": (),
    "학교": _nouns("reading instrument"),
}
SHOPPING = _verbs("사 고르 빌리 포장하")
# What is closed at night; what is played where there is little room.
OFFICE_WORK, DESKS = _nouns("기사 보고서"), _nouns("신문사 학교 도서관")
INDOORS = _nouns("피아노")
BY_DAY = _nouns(
    "은행 우체국 시청 학교 유치원 도서관 꽃집 문구점 박물관 동물원 미용실 사진관 서점 시장 놀이터"
    " 농장 빵집 수영장 경찰서 소방서 약국 언덕"
)
SMALL_GROUNDS, ON_SMALL_GROUNDS = _nouns("광장 놀이터 바닷가"), _nouns("축구")
# Things that are there already are "the", whoever speaks of them, except to make or get one.
PRESENT = _nouns("opening machine furniture vehicle animal young")
DEFINITE = _heads("look repair wipe wash wrap carry throw hide stroke return")
INDEFINITE = _heads("draw photograph raise buy sell choose make watch borrow")
# What one does to many things at a time, and to many fruits, vegetables, dishes and cakes.
ALWAYS_MANY, MANY = _heads("sell plant"), _heads("cook bake prepare wash make wrap hide")
EDIBLE = _nouns("fruit vegetable dish snack")
# What one does not ask about fruit, vegetables and drinks; what one asks about clothes alone.
OWN = _nouns("안경")  # "her glasses": English would need to say whose
STRONG = ("mild", "spicy", "salty", "excellent", "terrible")


@dataclass(frozen=True)
class Exchange:
    """A question and its answer, in full and in short, in both languages.

    Attributes
    ----------
    question_ko, answer_ko, short_ko, question_en, answer_en, short_en : str
        The sentences.
    level : str
        The speech level of both, one of `LEVELS`.
    kind : str
        What is asked for, one of `KINDS`; "yes" and "no" are the answers to a yes/no question.
    """

    question_ko: str
    answer_ko: str
    short_ko: str
    question_en: str
    answer_en: str
    short_en: str
    level: str
    kind: str


@dataclass(frozen=True)
class Command:
    """Something that somebody is told to do, or not to, in both languages.

    Attributes
    ----------
    ko, en : str
        The sentence.
    level : str
        One of `LEVELS`.
    kind : str
        "order", "request" or "proposal".
    negative : bool
        Whether it says what not to do.
    """

    ko: str
    en: str
    level: str
    kind: str
    negative: bool


@dataclass(frozen=True)
class Preference:
    """A polite question with two answers that say the same, one of them at the plain level.

    Attributes
    ----------
    question_ko, polite_ko, plain_ko, question_en, answer_en : str
        The question, the answer politely and plainly; English makes no difference.
    """

    question_ko: str
    polite_ko: str
    plain_ko: str
    question_en: str
    answer_en: str


@dataclass(frozen=True)
class Part:
    """One part of an event: what Korean and English say, and the words that ask for it."""

    role: str
    ko: str
    en: str
    ask_ko: str
    ask_en: str


@dataclass(frozen=True)
class Event:
    """What somebody did or will do, without saying who."""

    verb: Predicate
    en: str
    parts: tuple[Part, ...]  # in Korean order
    key: tuple[str, ...]
    tense: str
    instead: tuple[Part, ...] = ()  # what it was instead, for "No, ..."


def phrase(word: Any, form: str) -> str:
    """Return a word in an English form as text."""
    return " ".join(token[0] for token in english_tokens(word, form))


def speech_name(person: Person, level: str) -> str:
    """Return how one speaks of a person, ready for a particle.

    Examples
    --------
    >>> child, grown_up = PEOPLE[3], PEOPLE[0]
    >>> speech_name(child, "plain"), speech_name(grown_up, "polite")
    ('민준이', '영수 씨')
    """
    if is_old(person):
        return f"{person.ko} {'할아버지' if person.gender == 'm' else '할머니'}"
    if is_child(person) or level == "plain":
        return person.ko + ("이" if final_consonant(person.ko) else "")
    return f"{person.ko} 씨"


def english_name(person: Person) -> str:
    """Return how one speaks of a person in English: Minjun, Grandpa Mansu."""
    if is_old(person):
        return f"{'Grandpa' if person.gender == 'm' else 'Grandma'} {person.en}"
    return person.en


def address(person: Person, level: str) -> tuple[str, str]:
    """Return how one calls a person, in Korean and in English.

    Examples
    --------
    >>> [address(PEOPLE[0], level) for level in LEVELS]
    [('영수야', 'Yeongsu'), ('영수 씨', 'Yeongsu'), ('김영수 씨', 'Mr Kim')]
    """
    if level == "formal":
        title = "어르신" if is_old(person) else "씨"
        sir = "Mr" if person.gender == "m" else "Ms"
        return f"{person.family_ko}{person.ko} {title}", f"{sir} {person.family_en}"
    if is_old(person):
        return speech_name(person, level), english_name(person)
    return (particle(person.ko, "아") if level == "plain" else f"{person.ko} 씨"), person.en


def is_child(person: Person) -> bool:
    """Tell whether a person is under 20."""
    return person.age < 20


def is_old(person: Person) -> bool:
    """Tell whether a person is 60 or older."""
    return person.age >= 60


def _does(person: Person, key: tuple[str, ...]) -> bool:
    """Tell whether somebody of that age does such things: the stem of a verb, and a noun."""
    stem, noun = key
    if is_old(person) and (stem in TOO_HARD or key in (("타", "오토바이"), ("쓰", "보고서"))):
        return False
    if is_child(person) and (stem in GROWN_UP or noun in FOR_GROWN_UPS):
        return False
    if not is_child(person) and key in (("놀", "유치원"), ("놀", "놀이터")):
        return False
    if person.gender == "m":
        return noun not in FOR_WOMEN or stem not in ("입", "사", "고르")
    return noun not in FOR_MEN or stem != "매"


def _addressee(rng: random.Random, level: str) -> Person:
    """Draw somebody whom one speaks to at this level: children plainly, old people never so."""
    wrong = is_old if level == "plain" else is_child
    return rng.choice([person for person in PEOPLE if not wrong(person)])


def _the(noun: Noun, verb: Verb) -> str:
    """Return the object in English, with the article and the number that the verb suggests."""
    head = verb.en.split()[0]
    name = noun.en
    several = head in ALWAYS_MANY or (head in MANY and noun.kind in EDIBLE)
    several = several or (head in ("buy", "choose") and noun.kind in ("fruit", "vegetable"))
    if several := several and noun.number == "count":
        name = phrase(noun, "plural")
    if (
        head in DEFINITE
        or (noun.kind in PRESENT and head not in INDEFINITE)
        or (noun.kind == "instrument" and head in ("play", "learn"))
        or (noun.kind == "text" and head == "read" and noun.ko != "시")
    ):
        return f"the {name}"
    return name if several else phrase(noun, "a")


def _fits(verb: Verb, noun: Noun, place: Noun) -> bool:
    """Tell whether one says of such a thing that something is done with it there."""
    stem = verb.ko.stem
    if "s" in verb.flags or stem in ANYWHERE:
        return False
    if noun.kind in ("sport", "board") and stem in ("가르치", "배우"):
        return place.ko in ("체육관", "학교")
    if noun.kind == "sport" and place.ko in SMALL_GROUNDS:
        return noun.ko in ON_SMALL_GROUNDS
    if noun.ko in INDOORS and "i" not in place.tags:
        return False
    if noun.ko in OFFICE_WORK and place.ko not in DESKS:
        return stem != "쓰"
    if place.ko == "신문사":
        return noun.ko in OFFICE_WORK
    shelf = SHELVES.get(place.ko)
    if stem not in SHOPPING or shelf is None:
        return stem != "빌리"
    return noun.kind in shelf or noun.ko in shelf


def _object(noun: Noun, verb: Verb) -> Part:
    return Part("object", particle(noun.ko, "을"), _the(noun, verb), "무엇을", "what")


def _times(tense: str, verb: Verb | None, place: Noun | None = None) -> tuple[Adverbial, ...]:
    """Return when something may happen (no verb: that somebody goes somewhere)."""
    long = verb is None or "l" in verb.flags  # that may be a week away
    times = RECENT + LAST_WEEK * long if tense == "past" else SOON + NEXT_WEEK * long
    closed = place is not None and place.ko in BY_DAY
    closed = closed or (verb is not None and verb.ko.stem in DAYLIGHT)
    return tuple(time for time in times if not (closed and time.ko in NIGHT))


def _time(times: tuple[Adverbial, ...], rng: random.Random) -> Part:
    time = rng.choice(times)
    return Part("time", time.ko, time.en, "언제", "when")


def _place(noun: Noun, verb: Verb) -> Part:
    at = "에" if verb.ko.stem in INTO else "에서"
    return Part("place", noun.ko + at, phrase(noun, "at"), f"어디{at}", "where")


def _suits(verb: Verb, noun: Noun) -> bool:
    """Tell whether one speaks of doing that with it."""
    unfit = UNFIT.get(verb.ko.stem, ())
    if noun.ko in unfit or noun.kind in unfit:
        return False
    return noun.kind not in ("thing", "show") or noun.ko in FIT.get(verb.ko.stem, (noun.ko,))


def _act(rng: random.Random, allowed: tuple[str, ...] | None = None) -> tuple[Verb, Noun, Noun]:
    """Draw a verb, its object and a place, of verbs that are allowed (None: all)."""
    while True:
        words = draw(("P", "o", "v"), rng)
        verb, noun = words["v"], words["o"]
        stem = verb.ko.stem
        if stem in NEVER_ASKED:
            continue
        if allowed is not None and not {stem, f"{stem}/{verb.en}"} & set(allowed):
            continue
        if not _suits(verb, noun):
            continue
        if allowed is None and noun.ko in OWN:
            continue
        if stem == "나르" and noun.kind == "furniture" and allowed is None:
            continue
        if verb.en == "repair" and noun.kind == "vehicle" and noun.ko != "자전거":
            continue
        return verb, noun, words["P"]


def _key(verb: Verb, noun: Noun) -> tuple[str, ...]:
    return verb.ko.stem, noun.ko


def _act_event(rng: random.Random) -> Event:
    tense = rng.choice(("past", "past", "future"))
    while True:
        verb, noun, place = _act(rng)
        if tense == "past" or verb.ko.stem not in UNPLANNED:
            break
    placed = noun.kind not in PRESENT and _fits(verb, noun, place) and rng.random() < 0.6
    parts = []
    if "s" not in verb.flags and rng.random() < 0.6:
        parts.append(_time(_times(tense, verb, place if placed else None), rng))
    parts += [_place(place, verb)] * placed
    own = split_of(_key(verb, noun))
    others = [
        other
        for kinds, _ in verb.uses
        for other in vocabulary("core").nouns(*kinds)
        if other is not noun and other.kind == noun.kind and split_of(_key(verb, other)) == own
        if _suits(verb, other) and other.ko not in OWN
    ]
    instead = (_object(rng.choice(others), verb),) if others else ()
    parts.append(_object(noun, verb))
    return Event(verb.ko, verb.en, tuple(parts), _key(verb, noun), tense, instead)


def _do_event(rng: random.Random) -> Event:
    tense = rng.choice(("past", "past", "future"))
    while True:
        words = draw(("Q", "w"), rng)
        if words["w"].ko.stem in ("자", *NEVER_ASKED) or (words["w"].en, words["Q"].ko) == (
            "swim",
            "바닷가",
        ):
            continue
        if tense == "past" or words["w"].ko.stem not in UNPLANNED:
            break
    verb, place = words["w"], words["Q"]
    parts = [_time(_times(tense, verb, place), rng)] * (rng.random() < 0.6)
    parts.append(_place(place, verb))
    return Event(verb.ko, verb.en, tuple(parts), _key(verb, place), tense)


def _go_event(rng: random.Random) -> Event:
    tense = rng.choice(("past", "past", "future"))
    place, other = rng.sample(GOALS, 2)
    key = ("가", place.ko)
    parts = [_time(_times(tense, None, place), rng)] * (rng.random() < 0.7)

    def goal(noun: Noun) -> Part:
        return Part("goal", f"{noun.ko}에", phrase(noun, "to"), "어디에", "where")

    instead = (goal(other),) if split_of(("가", other.ko)) == split_of(key) else ()
    return Event(Predicate("가"), "go", (*parts, goal(place)), key, tense, instead)


def _meet_event(rng: random.Random, level: str) -> tuple[Event, Person]:
    """Make an event towards somebody; return who it is as well."""
    tense = rng.choice(("past", "past", "future"))
    verb = rng.choice([verb for verb in PEOPLE_VERBS if verb.ko.stem in MEETINGS])
    other = rng.choice(PEOPLE)
    whom = Part(
        "whom", particle(speech_name(other, level), "을"), english_name(other), "누구를", "who"
    )
    parts = [_time(_times(tense, verb), rng)] * (rng.random() < 0.6)
    return Event(verb.ko, verb.en, (*parts, whom), (verb.ko.stem, other.ko), tense), other


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _english(event: Event, without: str = "") -> str:
    """Return what follows the verb in English: the object first, the time last."""
    chosen = [part.en for part in event.parts if part.role not in ("time", "place", without)]
    for role in ("place", "time"):
        chosen += [part.en for part in event.parts if part.role == role != without]
    return "".join(f" {text}" for text in chosen)


def _fragment(text: str, level: str) -> str:
    """Return a part of a sentence as a short answer: 사과. 사과요. 사과입니다."""
    if level == "plain":
        return f"{text}."
    if level == "polite":
        ends_in_particle = text.endswith(("에서", "에", "를", "을"))
        return text + ("이요." if final_consonant(text) and not ends_in_particle else "요.")
    for ending in ("에서", "에"):
        text = text.removesuffix(ending)
    return f"{text}입니다."


def _ask_about(rng: random.Random, level: str) -> tuple[Exchange, tuple[str, ...]]:
    """Ask what somebody did or will do."""
    make_event = rng.choice((_act_event, _act_event, _act_event, _do_event, _go_event, None))
    person = rng.choice(PEOPLE)
    if make_event is None:
        event, other = _meet_event(rng, level)
        if other is person:
            return _ask_about(rng, level)
    else:
        event = make_event(rng)
    while not _does(person, event.key):
        person = rng.choice(PEOPLE)
    kinds = ["yes", "no", "who", *(part.role for part in event.parts)]
    asked = rng.choice(kinds)
    if you := asked != "who" and rng.random() < 0.4:
        person = _addressee(rng, level)
        if not _does(person, event.key):
            return _ask_about(rng, level)
        if ("whom", particle(speech_name(person, level), "을")) in [
            (part.role, part.ko) for part in event.parts
        ]:
            return _ask_about(rng, level)
    called_ko, called_en = address(person, level)
    before_ko = f"{called_ko}, " if you else f"{particle(speech_name(person, level), '은')} "
    name, pronoun = english_name(person), "I" if you else "he" if person.gender == "m" else "she"
    subject = "you" if you else name
    respected = honorific(event.verb)
    asks = respected if is_old(person) or (you and level != "plain") else event.verb
    says = respected if is_old(person) and not you else event.verb
    tense = event.tense
    auxiliary = "did" if tense == "past" else "will"
    # "visit", "went", "will visit"
    told_en = english.past(event.en) if tense == "past" else f"will {event.en}"
    whole_ko = " ".join(part.ko for part in event.parts)
    if asked in ("yes", "no"):
        before_en = f"{called_en}, " if you else ""
        question_ko = f"{before_ko}{whole_ko} {question(asks, tense, level)}?"
        question_en = _upper(f"{before_en}{auxiliary} {subject} {event.en}{_english(event)}?")
        texts = _yes_no(event, says, asked == "yes", pronoun, level, rng)
        return Exchange(
            question_ko, texts[0], texts[1], question_en, texts[2], texts[3], level, asked
        ), event.key
    if asked == "who":
        answer_ko = f"{particle(speech_name(person, level), '이')} {whole_ko}"
        return Exchange(
            f"누가 {whole_ko} {question(event.verb, tense, level)}?",
            f"{answer_ko} {reply(says, tense, level)}.",
            _fragment(speech_name(person, level), level),
            f"Who {told_en}{_english(event)}?",
            f"{name} {told_en}{_english(event)}.",
            f"{name}.",
            level,
            "who",
        ), event.key
    part = next(part for part in event.parts if part.role == asked)
    ask_ko = "뭘" if (asked, level) == ("object", "plain") else part.ask_ko
    words_ko = " ".join(ask_ko if one is part else one.ko for one in event.parts)
    asking = f"{part.ask_en} {auxiliary} {subject} {event.en}{_english(event, asked)}?"
    short_ko = part.ko[:-1] if asked in ("object", "whom") else part.ko
    kind = {"object": "what", "goal": "where", "place": "where", "time": "when"}.get(asked, asked)
    return Exchange(
        f"{before_ko}{words_ko} {question(asks, tense, level)}?",
        f"{whole_ko} {reply(says, tense, level)}.",
        _fragment(short_ko, level),
        _upper(f"{called_en}, {asking}" if you else asking),
        _upper(f"{pronoun} {told_en}{_english(event)}."),
        _upper(f"{part.en}."),
        level,
        kind,
    ), event.key


def _yes_no(
    event: Event, verb: Predicate, is_yes: bool, pronoun: str, level: str, rng: random.Random
) -> tuple[str, str, str, str]:
    """Answer a yes/no question: in full and in short, in Korean and in English."""
    yes, no = ("응", "아니") if level == "plain" else ("네", "아니요")
    whole = " ".join(part.ko for part in event.parts)
    past = event.tense == "past"
    told = english.past(event.en) if past else f"will {event.en}"
    if is_yes:
        said = reply(verb, event.tense, level)
        return (
            f"{yes}, {whole} {said}.",
            f"{yes}, {said}.",
            f"Yes, {pronoun} {told}{_english(event)}.",
            f"Yes, {pronoun} {'did' if past else 'will'}.",
        )
    denied = f"{no}, {reply(verb, event.tense, level, negative=True)}."
    short_en = f"No, {pronoun} " + ("didn't." if past else "won't.")
    if event.instead and rng.random() < 0.5:
        [part] = event.instead
        return (
            f"{no}, {part.ko} {reply(verb, event.tense, level)}.",
            denied,
            f"No, {pronoun} {told} {part.en}.",
            short_en,
        )
    auxiliary = "did not" if past else "will not"
    return (
        f"{no}, {whole} {reply(verb, event.tense, level, negative=True)}.",
        denied,
        f"No, {pronoun} {auxiliary} {event.en}{_english(event)}.",
        short_en,
    )


def _ask_why(rng: random.Random, level: str) -> tuple[Exchange, tuple[str, ...]]:
    """Ask why somebody did something; the reason is a state of theirs, or of the world."""
    what, stem, irregular, en, reason, kind, why = rng.choice(REASONS)
    person = rng.choice(PEOPLE)
    if you := rng.random() < 0.4:
        person = _addressee(rng, level)
    verb = Predicate(stem, "verb", irregular)
    key = stem, re.sub("(을|를|에서|에)$", "", what)
    if not _does(person, key):
        return _ask_why(rng, level)
    called_ko, called_en = address(person, level)
    kind, irregular = (kind, "") if kind in ("verb", "existence") else ("adjective", kind)
    state = Predicate(reason, kind, irregular)
    own = " " not in reason
    respected = honorific(verb)
    asks = respected if is_old(person) or (you and level != "plain") else verb
    says = respected if is_old(person) and not you else verb
    if is_old(person) and not you and own:
        state = honorific(state)
    because = state.connective("어서")
    pronoun = "I" if you else "he" if person.gender == "m" else "she"
    was = why
    if " " not in why:
        was = f"{pronoun} was {why}"
    elif why.startswith("had "):
        was = f"{pronoun} {why}"
    before_ko = f"{called_ko}, " if you else f"{particle(speech_name(person, level), '은')} "
    before_en = f"{called_en}, why did you" if you else f"Why did {english_name(person)}"
    short_ko = because + {"plain": ".", "polite": "요.", "formal": "입니다."}[level]
    if level == "formal":
        short_ko = f"{_because_noun(state)} 때문입니다."
    return Exchange(
        f"{before_ko}왜 {what} {question(asks, 'past', level)}?",
        f"{because} {what} {reply(says, 'past', level)}.",
        short_ko,
        f"{before_en} {en}?",
        _upper(f"{pronoun} {english.past(en)} because {was}."),
        f"Because {was}.",
        level,
        "why",
    ), key


def _because_noun(state: Predicate) -> str:
    return state.connective("기", tense="past")


def _ask_state(rng: random.Random, level: str) -> tuple[Exchange, tuple[str, ...]]:
    """Ask what a thing is like, yes or no."""
    while True:
        words = draw(("a", "n"), rng)
        noun, adjective = words["n"], words["a"]
        strange = (
            (adjective.en in STRONG and noun.kind in ("fruit", "vegetable", "drink"))
            or (adjective.en == "stylish" and noun.kind not in ("clothes", "footwear"))
            or adjective.en == "poor"
            or noun.en == "news"
        )
        if noun.kind != "place" and not strange:
            break
    many = noun.number == "plural"
    be, it = ("are", "they") if many else ("is", "it")
    this = phrase(noun, "this")
    yes, no = ("응", "아니") if level == "plain" else ("네", "아니요")
    is_yes = rng.random() < 0.5
    negative = not is_yes
    said = reply(adjective.ko, "present", level, negative=negative)
    first = yes if is_yes else no
    short = f"{it} {be}" if is_yes else f"{it} {be}n't"
    return Exchange(
        f"이 {particle(noun.ko, '은')} {question(adjective.ko, 'present', level)}?",
        f"{first}, 이 {particle(noun.ko, '은')} {said}.",
        f"{first}, {said}.",
        f"{_upper(be)} {this} {adjective.en}?",
        f"{'Yes' if is_yes else 'No'}, {this} {be}{'' if is_yes else ' not'} {adjective.en}.",
        f"{'Yes' if is_yes else 'No'}, {short}.",
        level,
        "yes" if is_yes else "no",
    ), (adjective.ko.stem, noun.ko)


def _ask_colour(rng: random.Random, level: str) -> tuple[Exchange, tuple[str, ...]]:
    """Ask for a colour, by name or not."""
    words = draw(("c", "to"), rng)
    colour, noun = words["c"], words["to"]
    many = noun.number == "plural"
    be, it = ("are", "They are") if many else ("is", "It is")
    named = colour.ko.adnominal() + "색"
    said = reply(colour.ko, "present", level)
    that = phrase(noun, "this").replace("this ", "that ").replace("these ", "those ")
    if rng.random() < 0.5:
        return Exchange(
            f"그 {particle(noun.ko, '은')} 무슨 {question_be('색', level)}?",
            f"그 {particle(noun.ko, '은')} {reply_be(named, level)}.",
            f"{reply_be(named, level)}.",
            f"What colour {be} {that}?",
            _upper(f"{that} {be} {colour.en}."),
            f"{it} {colour.en}.",
            level,
            "which",
        ), (colour.ko.stem, noun.ko)
    yes = "응" if level == "plain" else "네"
    return Exchange(
        f"그 {particle(noun.ko, '은')} {question(colour.ko, 'present', level)}?",
        f"{yes}, 그 {particle(noun.ko, '은')} {said}.",
        f"{yes}, {said}.",
        f"{_upper(be)} {that} {colour.en}?",
        f"Yes, {that} {be} {colour.en}.",
        f"Yes, {'they are' if many else 'it is'}.",
        level,
        "yes",
    ), (colour.ko.stem, noun.ko)


def _ask_job(rng: random.Random, level: str) -> tuple[Exchange, tuple[str, ...]]:
    """Ask for somebody's work, or whether it is this one."""
    workers = [person for person in PEOPLE if person.job]
    person, other = rng.sample(workers, 2)
    job, guess = person.job, other.job
    assert job is not None, person.en
    assert guess is not None, other.en
    name_ko, name_en = particle(speech_name(person, level), "은"), english_name(person)
    he = "he" if person.gender == "m" else "she"
    a_job = phrase(person, "job")
    key = ("job", person.ko)
    kind = rng.choice(("yes", "no", "which"))
    if kind == "which":
        return Exchange(
            f"{name_ko} 무슨 일을 {question(Predicate('하'), 'present', level)}?",
            f"{name_ko} {reply_be(job.ko, level)}.",
            f"{reply_be(job.ko, level)}.",
            f"What does {name_en} do for a living?",
            f"{name_en} is {a_job}.",
            f"{_upper(he)} is {a_job}.",
            level,
            kind,
        ), key
    yes, no = ("응", "아니") if level == "plain" else ("네", "아니요")
    if kind == "yes":
        return Exchange(
            f"{name_ko} {question_be(job.ko, level)}?",
            f"{yes}, {name_ko} {reply_be(job.ko, level)}.",
            f"{yes}, {reply_be(job.ko, level)}.",
            f"Is {name_en} {a_job}?",
            f"Yes, {name_en} is {a_job}.",
            f"Yes, {he} is.",
            level,
            kind,
        ), key
    not_job = phrase(other, "job")
    return Exchange(
        f"{name_ko} {question_be(guess.ko, level)}?",
        f"{no}, {name_ko} {particle(guess.ko, '이')} 아니라 {reply_be(job.ko, level)}.",
        f"{no}, {reply_be(job.ko, level)}.",
        f"Is {name_en} {not_job}?",
        f"No, {name_en} is not {not_job} but {a_job}.",
        f"No, {he} is {a_job}.",
        level,
        kind,
    ), key


def _ask_where(rng: random.Random, level: str) -> tuple[Exchange, tuple[str, ...]]:
    """Ask where a thing lies."""
    words = draw(("f", "r", "ts"), rng)
    thing, furniture, relation = words["ts"], words["f"], words["r"]
    be = "are" if thing.number == "plural" else "is"
    there = Predicate("있", "existence")
    where_ko = f"{furniture.ko} {relation.ko}"
    where_en = f"{relation.en} {phrase(furniture, 'the')}"
    the_thing = phrase(thing, "the")
    fragment = where_ko.removesuffix("에") if level == "formal" else where_ko
    return Exchange(
        f"{particle(thing.ko, '은')} 어디에 {question(there, 'present', level)}?",
        f"{particle(thing.ko, '은')} {where_ko} {reply(there, 'present', level)}.",
        _fragment(fragment, level),
        f"Where {be} {the_thing}?",
        _upper(f"{the_thing} {be} {where_en}."),
        _upper(f"{where_en}."),
        level,
        "where",
    ), (thing.ko, furniture.ko)


ASKING = (_ask_about,) * 6 + (_ask_why, _ask_state, _ask_colour, _ask_job, _ask_where)


def exchanges(
    n: int, *, seed: int = 0, split: str = "train", level: str | None = None
) -> list[Exchange]:
    """Make questions with their answers.

    Parameters
    ----------
    n : int
        How many different ones.
    seed : int, default 0
        The same seed gives the same exchanges.
    split : str, default "train"
        "train", "validation" or "test": told apart by what is asked about.
    level : str, optional
        The speech level; None for all three.

    Returns
    -------
    list of Exchange
        In an order without meaning.

    Examples
    --------
    >>> one = exchanges(1, level="formal")[0]
    >>> one.question_ko.endswith("까?"), one.question_en.endswith("?")
    (True, True)
    """
    if level is not None:
        choice(level, "level", LEVELS)

    def make_one(rng: random.Random) -> tuple[Exchange, tuple[str, ...]]:
        chosen = level or rng.choice(LEVELS)
        return rng.choice(ASKING)(rng, chosen)

    return collect(make_one, n, seed=seed, split=split)


def preferences(n: int, *, seed: int = 0, split: str = "train") -> list[Preference]:
    """Make polite questions, each with a polite answer and one that is not.

    Parameters
    ----------
    n, seed, split
        As in `exchanges`, with the same splits.

    Returns
    -------
    list of Preference
        In an order without meaning.

    Examples
    --------
    >>> one = preferences(1)[0]
    >>> one.polite_ko.endswith("요."), one.plain_ko.endswith("요.")
    (True, False)
    """

    def make_one(rng: random.Random) -> tuple[Preference, tuple[str, ...]]:
        while True:
            ask, state = rng.choice(ASKING), rng.getstate()
            polite, key = ask(rng, "polite")
            rng.setstate(state)  # the same once more, if the level does not decide who is asked
            plain, _ = ask(rng, "plain")
            if (polite.question_en, polite.answer_en) == (plain.question_en, plain.answer_en):
                both = polite.question_en, polite.answer_en
                return Preference(polite.question_ko, polite.answer_ko, plain.answer_ko, *both), key

    return collect(make_one, n, seed=seed, split=split)


def commands(
    n: int, *, seed: int = 0, split: str = "train", level: str | None = None
) -> list[Command]:
    """Make orders, requests and proposals, some of them negative.

    Parameters
    ----------
    n, seed, split, level
        As in `exchanges`, with the same splits.

    Returns
    -------
    list of Command
        In an order without meaning.

    Examples
    --------
    >>> {command.kind for command in commands(50)} == {"order", "request", "proposal"}
    True
    """
    if level is not None:
        choice(level, "level", LEVELS)
    return collect(lambda rng: _command(rng, level), n, seed=seed, split=split)


def _command(rng: random.Random, level: str | None) -> tuple[Command, tuple[str, ...]]:
    chosen = level or rng.choice(LEVELS)
    kind = rng.choice(("order", "request", "proposal"))
    negative = kind != "request" and rng.random() < 0.3
    person = _addressee(rng, chosen)
    respect = kind == "proposal" and is_old(person)
    if respect and (negative or chosen == "formal"):  # one does not say -(으)ㅂ시다 to the old
        return _command(rng, level)
    verb, middle_ko, after_en, key = _what_to_do(rng, kind, chosen, negative, respect)
    if not _does(person, key):
        return _command(rng, level)
    called = respect or rng.random() < 0.6
    asked = honorific(verb.ko) if called and negative and is_old(person) else verb.ko
    text = f"{middle_ko} {_ending(asked, kind, chosen, negative, respect)}."
    said_en = _english_command(f"{verb.en}{after_en}", kind, chosen, negative, respect)
    called_ko, called_en = address(person, chosen)
    if called:
        text = f"{called_ko}, {text}"
        said_en = f"{said_en[:-1]}, {called_en}{said_en[-1]}"
    return Command(text, _upper(said_en), chosen, kind, negative), key


def _what_to_do(
    rng: random.Random, kind: str, level: str, negative: bool, respect: bool
) -> tuple[Verb, str, str, tuple[str, ...]]:
    """Draw what to do: the verb, what stands before it in Korean, after it in English, the key."""
    proposed = kind == "proposal" and not negative
    together_ko = together_en = time_ko = time_en = ""
    # 들어요 alone could be a statement as well.
    if proposed and ((level == "polite" and not respect) or rng.random() < 0.3):
        together_ko, together_en = ("함께 " if level == "formal" else "같이 "), " together"
    timed = rng.random() < 0.25
    if kind != "request" and rng.random() < 0.3:
        allowed = ACTIVITY_FORBIDDEN
        if not negative:
            allowed = ACTIVITY_ORDERS if kind == "order" else ACTIVITY_PROPOSALS
        verb = rng.choice([verb for verb in ACTIVITY_VERBS if verb.ko.stem in allowed])
        place = PLACES[rng.choice(verb.places)]
        if (verb.en, place.ko) == ("swim", "바닷가"):
            place = PLACES["수영장"]
        if proposed and timed:
            time = rng.choice(_times("future", verb, place))
            time_ko, time_en = f"{time.ko} ", f" {time.en}"
        before = f"{time_ko}{place.ko}에서 {together_ko}".rstrip()
        return verb, before, f"{together_en} {phrase(place, 'at')}{time_en}", _key(verb, place)
    allowed = {"order": ORDERS, "request": REQUESTS, "proposal": PROPOSALS}[kind]
    while True:
        verb, noun, place = _act(rng, FORBIDDEN if negative else allowed)
        strange = (verb.ko.stem, noun.kind) == ("읽", "text") and kind != "request"
        if not strange and not (negative and noun.ko == "물"):
            break
    later = proposed or (kind == "request" and verb.ko.stem in LATER)
    place_ko = place_en = ""
    settled = noun.kind in PRESENT or kind == "request" or not _fits(verb, noun, place)
    if placed := not settled and rng.random() < 0.4:
        part = _place(place, verb)
        place_ko, place_en = f"{part.ko} ", f" {part.en}"
    made = verb.ko.stem == "만들" and noun.kind == "thing"  # that takes longer than a day
    if timed and later and noun.kind not in PRESENT and not made:
        time = rng.choice(_times("future", verb, place if placed else None))
        time_ko, time_en = f"{time.ko} ", f" {time.en}"
    for_me = "" if kind != "request" else " to me" if verb.en == "read" else " for me"
    before = f"{time_ko}{place_ko}{together_ko}{particle(noun.ko, '을')}"
    what = _the(noun, verb)
    if "s" in verb.flags and kind == "order" and not negative:
        what = f"your {noun.en}"
    if negative and noun.kind in PRESENT:
        what = f"the {noun.en}"
    elif (negative or proposed) and noun.number == "count" and verb.en == "eat":
        what = phrase(noun, "plural")
    after = f" {what}{for_me}{together_en}{place_en}{time_en}"
    return verb, before, after, _key(verb, noun)


def _ending(verb: Predicate, kind: str, level: str, negative: bool, respect: bool) -> str:
    if kind == "order":
        return order(verb, level, negative=negative)
    if kind == "request":
        return request(verb, level)
    return proposal(verb, level, negative=negative, respect=respect)


def _english_command(what: str, kind: str, level: str, negative: bool, respect: bool) -> str:
    if kind == "proposal":
        if negative:
            return f"let's not {what}."
        if respect and level == "polite":
            return f"shall we {what}?"
        return ("let us " if level == "formal" else "let's ") + f"{what}."
    if negative:
        what = ("do not " if level == "formal" else "don't ") + what
    return f"{what}." if level == "plain" else f"please {what}."
