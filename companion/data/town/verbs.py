"""The verbs, adjectives and adverbs of the town, each in Korean and in English.

A line of a table is ``Korean stem (irregular) = English``, then what belongs to the word: kinds of
objects, or whom an adjective can describe. What this module leaves out: forms of these words, which
`companion.data.town.korean` and `companion.data.town.english` make by rule.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from companion.data.town.korean import Predicate


@dataclass(frozen=True)
class Verb:
    """A verb in both languages.

    Parameters
    ----------
    ko : Predicate
        The Korean verb.
    en : str
        The English base form; a phrase such as "look for" changes in its first word.
    objects : tuple of str
        Kinds of nouns that it takes as its object; empty for a verb without one.
    places : tuple of str
        Korean names of the places where that is done; empty: nearly everywhere.
    """

    ko: Predicate
    en: str
    objects: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adjective:
    """An adjective in both languages.

    Parameters
    ----------
    ko : Predicate
        The Korean adjective.
    en : str
        The English adjective.
    of : tuple of str
        Groups that it can describe: "taste", "thing", "place", "person", ...
    opinion : int
        1 if it praises, -1 if it blames, 0 if it does neither.
    opposite : str
        The English adjective that means the contrary; empty if the town knows none.
    comparative : str
        "taller", "more beautiful".
    """

    ko: Predicate
    en: str
    of: tuple[str, ...]
    opinion: int
    opposite: str
    comparative: str


FOOD = "fruit vegetable dish snack treat"
ACTIONS = f"""
먹 = eat : {FOOD} : 시장 식당 공원 카페 부엌 마당 학교 바닷가 거실
마시 = drink : drink : 식당 카페 부엌 공원 거실 학교 역 정원
사 = buy : {FOOD} reading clothes thing plant : 시장 꽃집 서점 문구점 빵집 역
팔 = sell : {FOOD} thing clothes plant : 시장 역 광장 바닷가
읽 = read : reading text : 도서관 학교 공원 카페 거실 서점 정원 역
쓰 = write : text : 학교 카페 도서관 신문사 거실 정원
보 = watch : show : 극장 거실 광장 학교 카페
듣 (ㄷ) = listen to : sound : 학교 공원 카페 거실 정원 광장
신 = put on : footwear : 학교 체육관 거실 극장
입 = try on : clothes : 시장 거실 학교 극장
타 = ride : vehicle : 역 광장 강가 시청
연주하 = play : instrument : 학교 공원 극장 거실 광장 방송국
두 = play : board : 공원 거실 카페 광장
하 = play : sport : 학교 체육관 공원 놀이터 광장 바닷가
배우 = learn : subject instrument sport board : 학교 도서관 체육관 극장 박물관
공부하 = study : subject : 학교 도서관 카페 거실
가르치 = teach : subject sport : 학교 체육관 도서관 유치원
키우 = raise : animal young : 농장 마당 언덕
쓰다듬 = stroke : animal young : 농장 마당 동물원 공원
돌보 = look after : animal young plant : 농장 동물원 정원 마당
심 = plant : plant vegetable : 정원 농장 마당 언덕 학교
그리 = draw : animal plant thing : 공원 학교 정원 동물원 강가 박물관
찍 = photograph : animal plant : 공원 동물원 정원 광장 강가
고치 = repair : machine furniture vehicle : 학교 병원 우체국 농장 역 도서관
닦 = wipe : opening furniture machine : 학교 부엌 거실 카페 식당
씻 = wash : fruit vegetable : 부엌 식당 농장 마당
빨 = launder : clothes footwear : 강가 마당 목욕탕
요리하 = cook : dish : 부엌 식당 학교 농장
굽 (ㅂ) = bake : snack : 부엌 빵집 학교
만들 = make : dish snack thing : 부엌 학교 공원 거실 빵집
빌리 = borrow : reading thing instrument : 도서관 학교 서점 극장
찾 = look for : thing text clothes : 학교 역 경찰서 공원 시장 거실
잃어버리 = lose : thing clothes text : 역 시장 공원 광장 바닷가 극장
발견하 = discover : thing text young : 공원 강가 언덕 농장 바닷가
숨기 = hide : thing text snack : 거실 정원 학교 마당
버리 = throw away : text thing clothes : 학교 거실 부엌 시청
고르 (르) = choose : {FOOD} reading clothes plant : 시장 서점 꽃집 빵집 도서관
포장하 = wrap : thing snack clothes : 시장 문구점 빵집 우체국
열 = open : opening : 학교 도서관 거실 부엌 카페
닫 = close : opening : 학교 도서관 거실 부엌 카페
켜 = turn on : machine : 학교 거실 부엌 사진관 신문사
끄 = turn off : machine : 학교 거실 부엌 사진관 신문사
나르 (르) = carry : thing furniture vegetable : 시장 농장 학교 역 박물관
모으 = collect : thing text reading : 학교 거실 박물관 문구점
준비하 = prepare : dish snack show : 부엌 학교 극장 유치원
""".strip().splitlines()

ACTIVITIES = """
자 = sleep : 거실 역 바닷가 정원 마당
걷 (ㄷ) = walk : 공원 강가 바닷가 언덕 광장
뛰 = run : 공원 체육관 놀이터 강가 바닷가
수영하 = swim : 수영장 바닷가
춤추 = dance : 극장 광장 학교 거실 체육관
쉬 = rest : 거실 공원 카페 정원 강가 바닷가
일하 = work : 병원 시장 식당 은행 신문사 시청 농장 박물관
웃 = laugh : 극장 학교 카페 거실 놀이터
울 = cry : 병원 학교 역 극장 놀이터
운동하 = exercise : 체육관 공원 학교 강가
이야기하 = chat : 카페 미용실 공원 시장 목욕탕 식당
산책하 = take a walk : 공원 강가 바닷가 언덕 정원
청소하 = clean up : 학교 거실 부엌 공원 마당 광장
낚시하 = fish : 강가 바닷가
놀 = have fun : 놀이터 공원 유치원 동물원 바닷가
기다리 = wait : 역 병원 은행 우체국 광장 시청
노래하 = sing : 극장 학교 광장 공원 방송국
졸 = doze : 도서관 학교 극장 거실 정원
목욕하 = take a bath : 목욕탕
연습하 = practise : 극장 학교 체육관 방송국
""".strip().splitlines()

TOWARDS_PEOPLE = """
만나 = meet; 돕 (ㅂ) = help; 기다리 = wait for; 칭찬하 = praise; 초대하 = invite; 안 = hug
찾아가 = visit; 그리워하 = miss; 믿 = trust; 용서하 = forgive; 축하하 = congratulate
소개하 = introduce; 응원하 = cheer for; 사랑하 = love; 존경하 = respect; 깨우 = wake; 놀리 = tease
""".replace("\n", ";").split(";")

GIVING = """
주 = give : thing fruit snack reading text clothes plant
보내 = send : thing reading text clothes plant
보여 주 = show : thing fruit snack reading text clothes plant
빌려주 = lend : thing reading clothes
가져다주 = bring : thing fruit snack reading text clothes plant
돌려주 = return : thing reading clothes
""".strip().splitlines()

# Korean = English, comparative, opposite : whom or what it describes : opinion
ADJECTIVES = """
맛있 = delicious, more delicious, awful : taste : 1
달 = sweet, sweeter, bitter : taste : 0
쓰 = bitter, more bitter, sweet : taste : 0
짜 = salty, saltier, : taste : -1
맵 (ㅂ) = spicy, spicier, mild : taste : 0
순하 = mild, milder, spicy : taste : 0
시 = sour, sourer, : taste : 0
신선하 = fresh, fresher, : taste : 1
형편없 = awful, more awful, delicious : taste work service : -1
훌륭하 = excellent, more excellent, terrible : taste work service place : 1
끔찍하 = terrible, more terrible, excellent : taste work service : -1
재미있 = interesting, more interesting, boring : work : 1
지루하 = boring, more boring, interesting : work : -1
아름답 (ㅂ) = beautiful, more beautiful, ugly : place thing plant : 1
예쁘 = pretty, prettier, : thing plant : 1
멋있 = stylish, more stylish, : thing : 1
깨끗하 = clean, cleaner, dirty : place thing : 1
더럽 (ㅂ) = dirty, dirtier, clean : place thing : -1
비싸 = expensive, more expensive, cheap : thing taste : -1
싸 = cheap, cheaper, expensive : thing taste : 1
크 = big, bigger, small : thing animal place plant : 0
작 = small, smaller, big : thing animal place plant : 0
길 = long, longer, short : work : 0
짧 = short, shorter, long : work : 0
넓 = spacious, more spacious, cramped : place : 1
좁 = cramped, more cramped, spacious : place : -1
무겁 (ㅂ) = heavy, heavier, light : thing : 0
가볍 (ㅂ) = light, lighter, heavy : thing : 0
빠르 (르) = fast, faster, slow : animal service : 1
느리 = slow, slower, fast : animal service : -1
밝 = bright, brighter, dark : place : 1
어둡 (ㅂ) = dark, darker, bright : place : -1
조용하 = quiet, quieter, noisy : place animal : 1
시끄럽 (ㅂ) = noisy, noisier, quiet : place animal : -1
편하 = comfortable, more comfortable, uncomfortable : place : 1
불편하 = uncomfortable, more uncomfortable, comfortable : place : -1
새롭 (ㅂ) = new, newer, : thing : 0
튼튼하 = sturdy, sturdier, flimsy : thing : 1
친절하 = kind, kinder, unkind : person service : 1
불친절하 = unkind, unkinder, kind : person service : -1
똑똑하 = clever, cleverer, foolish : person animal : 1
어리석 = foolish, more foolish, clever : person : -1
게으르 (르) = lazy, lazier, diligent : person : -1
부지런하 = diligent, more diligent, lazy : person : 1
바쁘 = busy, busier, free : person : 0
한가하 = free, freer, busy : person : 0
행복하 = happy, happier, sad : person : 0
슬프 = sad, sadder, happy : person : 0
피곤하 = tired, more tired, : person : 0
아프 = ill, more ill, healthy : person : 0
건강하 = healthy, healthier, ill : person : 0
배고프 = hungry, hungrier, full : person : 0
배부르 (르) = full, fuller, hungry : person : 0
젊 = young, younger, : person : 0
정직하 = honest, more honest, dishonest : person : 1
용감하 = brave, braver, timid : person : 1
겁이 많 = timid, more timid, brave : person : 0
차분하 = calm, calmer, : person : 1
귀엽 (ㅂ) = cute, cuter, : animal : 1
사납 (ㅂ) = fierce, fiercer, tame : animal : -1
온순하 = tame, tamer, fierce : animal : 1
덥 (ㅂ) = hot, hotter, cold : weather : 0
춥 (ㅂ) = cold, colder, hot : weather : 0
따뜻하 = warm, warmer, cool : weather : 0
시원하 = cool, cooler, warm : weather : 0
맑 = clear, clearer, cloudy : weather : 0
흐리 = cloudy, cloudier, clear : weather : 0
빨갛 (ㅎ) = red, redder, : colour : 0
파랗 (ㅎ) = blue, bluer, : colour : 0
노랗 (ㅎ) = yellow, yellower, : colour : 0
하얗 (ㅎ) = white, whiter, : colour : 0
까맣 (ㅎ) = black, blacker, : colour : 0
""".strip().splitlines()


def _predicate(text: str, kind: str) -> Predicate:
    stem, _, irregular = text.strip().partition(" (")
    if kind == "adjective" and stem[-1] in "있없":
        kind = "existence"
    return Predicate(stem, kind, irregular.rstrip(")"))


def _pairs(entries: Sequence[str]) -> tuple[Verb, ...]:
    rows = [entry.split("=") for entry in entries if entry.strip()]
    return tuple(Verb(_predicate(ko, "verb"), en.strip()) for ko, en in rows)


def _verb(line: str, *, transitive: bool) -> Verb:
    words, *rest = (part.strip() for part in line.split(" :"))
    ko, en = words.split(" = ")
    objects = tuple(rest[0].split()) if transitive else ()
    return Verb(_predicate(ko, "verb"), en, objects, tuple(rest[-1].split()))


def _adjective(line: str) -> Adjective:
    words, of, opinion = (part.strip() for part in line.split(" : "))
    ko, rest = words.split(" = ")
    en, comparative, opposite = (part.strip() for part in (rest + " ").split(","))
    predicate = _predicate(ko, "adjective")
    return Adjective(predicate, en, tuple(of.split()), int(opinion), opposite, comparative)


ACTION_VERBS = tuple(_verb(line, transitive=True) for line in ACTIONS)
ACTIVITY_VERBS = tuple(_verb(line, transitive=False) for line in ACTIVITIES)
PEOPLE_VERBS = _pairs(TOWARDS_PEOPLE)
GIVING_VERBS = tuple(_verb(line + " :", transitive=True) for line in GIVING)
ALL_ADJECTIVES = tuple(_adjective(line) for line in ADJECTIVES)
