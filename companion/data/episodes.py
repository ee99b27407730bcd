"""Episodes: many small tasks in one form, for learning from examples in the context.

Each line is an example, the last waits for its answer; a line that names the task may come first::

    Write the plural:
    apple => apples
    box => boxes
    rose =>

Three groups of kinds. *Mappings* have answers that one can know: plurals, tenses, antonyms, the
names of categories, particles, translations. In *classes* the words of a category share a label
without a meaning, invented for this episode: only the examples tell it. In *copies* the answer is
put together from the words in front. What a model has not seen can be chosen in three ways: words
(a third of them), labels (a quarter), and whole kinds; the words of held-out classes stand in no
training episode at all. In the manner of Brown and others (2020), Language Models are Few-Shot
Learners. What this module leaves out: sentences as inputs.

Used first in book/pretraining/gpt.ipynb.
"""

# ruff: noqa: E501 - Hangul counts double, and a table keeps its rows

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from companion.arguments import choice, flag, integer
from companion.data.town import english
from companion.data.town.hangul import particle
from companion.data.town.nouns import NOUNS
from companion.data.town.verbs import ACTION_VERBS, ACTIVITY_VERBS, ALL_ADJECTIVES, GIVING_VERBS

SPLITS = ("train", "test")
CONTROLS = ("none", "shuffled", "random")
Pair = tuple[str, str]  # Korean, English; or input, output

# Classes of words: from the town, and some that it does not have.
FROM_TOWN = {
    "fruit": ("fruit",),
    "vegetable": ("vegetable",),
    "meal": ("dish",),
    "sweets": ("snack", "treat"),
    "drink": ("drink",),
    "book": ("reading", "text"),
    "show": ("show", "sound"),
    "clothes": ("clothes", "footwear"),
    "vehicle": ("vehicle",),
    "instrument": ("instrument",),
    "sport": ("sport", "board"),
    "subject": ("subject",),
    "animal": ("animal", "young"),
    "plant": ("plant",),
    "machine": ("machine",),
    "tool": ("thing",),
    "furniture": ("furniture", "opening"),
    "place": ("place",),
    "event": ("event",),
    "job": ("job",),
    "family": ("role_m", "role_f"),
}
KOREAN_NAMES = dict(
    part.split("=")
    for part in [
        "fruit=과일",
        "vegetable=채소",
        "meal=음식",
        "sweets=간식",
        "drink=음료",
        "book=책",
        "show=공연",
        "clothes=옷",
        "vehicle=탈것",
        "instrument=악기",
        "sport=운동",
        "subject=과목",
        "animal=동물",
        "plant=식물",
        "machine=기계",
        "tool=물건",
        "furniture=가구",
        "place=장소",
        "event=행사",
        "job=직업",
        "family=가족",
        "colour=색",
        "body=몸",
        "country=나라",
        "number=수",
        "material=재료",
        "fish=물고기",
        "weather=날씨",
        "bird=새",
        "insect=벌레",
    ]
)
MORE = {
    "colour": "빨강=red 파랑=blue 노랑=yellow 초록=green 검정=black 하양=white 보라=purple 분홍=pink"
    " 갈색=brown 회색=grey 주황=amber 하늘색=sky-blue 남색=navy 금색=golden 은색=silvery"
    " 베이지=beige 청록=teal 자주=maroon 연두=lime-green 상아색=ivory",
    "body": "머리=head 눈=eye 코=nose 입=mouth 귀=ear 목=neck 어깨=shoulder 팔=arm 손=hand"
    " 손가락=finger 가슴=chest 등=back 허리=waist 다리=leg 무릎=knee 발=foot 발가락=toe 이마=forehead"
    " 뺨=cheek 턱=chin 혀=tongue 이=tooth 심장=heart 폐=lung 위=stomach 뼈=bone 피부=skin"
    " 팔꿈치=elbow 손목=wrist 발목=ankle",
    "country": "한국=Korea 중국=China 일본=Japan 인도=India 태국=Thailand 베트남=Vietnam 몽골=Mongolia"
    " 네팔=Nepal 이란=Iran 이집트=Egypt 케냐=Kenya 가나=Ghana 모로코=Morocco 프랑스=France"
    " 독일=Germany 스페인=Spain 이탈리아=Italy 그리스=Greece 스위스=Switzerland 폴란드=Poland"
    " 스웨덴=Sweden 노르웨이=Norway 핀란드=Finland 덴마크=Denmark 캐나다=Canada 미국=America"
    " 멕시코=Mexico 브라질=Brazil 칠레=Chile 페루=Peru 호주=Australia 러시아=Russia",
    "number": "하나=one 둘=two 셋=three 넷=four 다섯=five 여섯=six 일곱=seven 여덟=eight 아홉=nine"
    " 열=ten 열하나=eleven 열둘=twelve 열셋=thirteen 열넷=fourteen 열다섯=fifteen 스물=twenty"
    " 서른=thirty 마흔=forty 쉰=fifty 예순=sixty 일흔=seventy 여든=eighty 아흔=ninety 백=hundred"
    " 천=thousand",
    "material": "나무=wood 철=iron 금=gold 은=silver 구리=copper 유리=glass 종이=paper 돌=stone"
    " 모래=sand 흙=clay 고무=rubber 가죽=leather 면=cotton 비단=silk 양털=wool 시멘트=cement"
    " 납=lead 주석=tin 강철=steel 벽돌=brick 대리석=marble 플라스틱=plastic 석탄=coal 왁스=wax",
    "fish": "연어=salmon 참치=tuna 고등어=mackerel 대구=cod 청어=herring 정어리=sardine 멸치=anchovy"
    " 송어=trout 잉어=carp 메기=catfish 붕어=crucian 장어=eel 상어=shark 고래=whale 돌고래=dolphin"
    " 문어=octopus 오징어=squid 게=crab 새우=shrimp 조개=clam 굴=oyster 해파리=jellyfish"
    " 가오리=skate 광어=flounder 농어=perch 바닷가재=lobster",
    "weather": "비=rain 눈보라=blizzard 바람=wind 구름=cloud 안개=fog 천둥=thunder 번개=lightning"
    " 서리=frost 우박=hail 태풍=typhoon 홍수=flood 가뭄=drought 무지개=rainbow 이슬=dew"
    " 햇빛=sunshine 폭풍=storm 소나기=shower 얼음=ice 산들바람=breeze 더위=heat 추위=cold",
}
HELD_OUT_CLASSES = ("drink", "vehicle", "instrument", "job")

ANTONYMS_EN = (
    "big=small hot=cold long=short heavy=light fast=slow rich=poor old=young wet=dry full=empty"
    " high=low hard=soft happy=sad clean=dirty early=late near=far bright=dark thick=thin"
    " wide=narrow deep=shallow strong=weak sharp=blunt noisy=quiet cheap=expensive easy=difficult"
    " polite=rude brave=timid wise=foolish safe=dangerous right=wrong true=false open=closed"
    " sweet=bitter rough=smooth tight=loose warm=cool kind=cruel alive=dead first=last"
    " generous=stingy diligent=lazy public=private inside=outside above=below up=down left=right"
    " day=night morning=evening summer=winter north=south east=west friend=enemy win=lose buy=sell"
    " come=go start=stop push=pull laugh=cry give=take love=hate remember=forget arrive=leave"
)
ANTONYMS_KO = (
    "크다=작다 길다=짧다 무겁다=가볍다 빠르다=느리다 높다=낮다 많다=적다 넓다=좁다 두껍다=얇다"
    " 깊다=얕다 굵다=가늘다 강하다=약하다 덥다=춥다 뜨겁다=차갑다 밝다=어둡다 쉽다=어렵다 싸다=비싸다"
    " 멀다=가깝다 좋다=나쁘다 같다=다르다 깨끗하다=더럽다 조용하다=시끄럽다 부드럽다=딱딱하다"
    " 기쁘다=슬프다 맛있다=맛없다 친절하다=불친절하다 부지런하다=게으르다 똑똑하다=어리석다"
    " 편하다=불편하다 맑다=흐리다 젊다=늙다 새롭다=낡다 있다=없다 가다=오다 열다=닫다 켜다=끄다"
    " 사다=팔다 주다=받다 입다=벗다 웃다=울다 앉다=서다 오르다=내리다 이기다=지다 밀다=당기다"
    " 묻다=답하다 자다=깨다 만나다=헤어지다 시작하다=끝나다 사랑하다=미워하다 낮=밤 위=아래 앞=뒤"
    " 안=밖 왼쪽=오른쪽 여름=겨울 아침=저녁 동쪽=서쪽 남쪽=북쪽 처음=마지막 친구=적 하늘=땅"
)


@dataclass(frozen=True)
class Kind:
    """A kind of tasks.

    Attributes
    ----------
    name, task : str
        Its name, and the line that may tell what to do; empty for classes, which no line explains.
    language : str
        "en", "ko", or "any": classes and copies take the words of one language in each episode.
    group : str
        "mapping", "classes" or "copy".
    held_out : bool
        Whether it is for tests alone.
    """

    name: str
    task: str
    language: str
    group: str
    held_out: bool = False


@dataclass(frozen=True)
class Episode:
    """Examples of one task, and one more input with its answer.

    Attributes
    ----------
    kind, task : str
        The name of the kind; the first line, perhaps empty.
    examples : tuple of (input, output)
        They come first.
    query, answer : str
        What is asked, and what is right.
    options : tuple of str
        Among which answers to choose, where there are only few; else empty.
    known : tuple of bool
        For each example and for the query, whether its answer could be told from what stands
        before it, and from general knowledge. The first use of an invented label cannot.
    """

    kind: str
    task: str
    examples: tuple[Pair, ...]
    query: str
    answer: str
    options: tuple[str, ...] = ()
    known: tuple[bool, ...] = ()

    @property
    def prompt(self) -> str:
        r"""The text before the answer, which begins with a space and ends with a line break.

        Examples
        --------
        >>> Episode("plural", "Write the plural:", (("cat", "cats"),), "box", "boxes").prompt
        'Write the plural:\ncat => cats\nbox =>'
        """
        lines = [self.task] * bool(self.task) + [f"{a} => {b}" for a, b in self.examples]
        return "\n".join([*lines, f"{self.query} =>"])


def _pairs(text: str) -> list[Pair]:
    return [(one, other) for one, other in (part.split("=") for part in text.split())]


def _words(text: str) -> list[str]:
    return text.split()


def word_split(word: str) -> str:
    """Tell to which split a word belongs, by its English; a third is "test".

    Examples
    --------
    >>> word_split("apple"), word_split("rose")
    ('train', 'test')
    """
    return SPLITS[zlib.crc32(f"word {word}".encode()) % 3 == 0]


def label_split(label: str) -> str:
    """Tell to which split an invented label belongs; a quarter is "test"."""
    return SPLITS[zlib.crc32(f"label {label}".encode()) % 4 == 0]


@cache
def classes() -> dict[str, tuple[Pair, ...]]:
    """Return the classes of words: for each the pairs (Korean, English), each in one class only.

    Examples
    --------
    >>> ("개", "dog") in classes()["animal"]
    True
    """
    found: dict[str, list[Pair]] = {
        name: [(noun.ko, noun.en) for kind in kinds for noun in NOUNS[kind]]
        for name, kinds in FROM_TOWN.items()
    }
    found |= {name: _pairs(text) for name, text in MORE.items()}
    counts = Counter(word for pairs in found.values() for pair in pairs for word in set(pair))
    return {
        name: tuple(
            (ko, en)
            for ko, en in pairs
            if counts[ko] == counts[en] == 1 and " " not in ko and en.count(" ") < 2
        )
        for name, pairs in found.items()
    }


def _nouns() -> list[Pair]:
    """Return the nouns of the classes that are not held out."""
    return [pair for name, pairs in classes().items() if name not in NEW for pair in pairs]


NEW = frozenset(HELD_OUT_CLASSES)


def _countable() -> list[str]:
    kept = {en for _, en in _nouns() if " " not in en}
    nouns = [noun for kind in NOUNS.values() for noun in kind]
    return [noun.en for noun in nouns if noun.number == "count" and noun.en in kept]


def _verbs_en() -> list[str]:
    found = (*ACTION_VERBS, *ACTIVITY_VERBS, *GIVING_VERBS)
    return [v.en for v in found if " " not in v.en]


def _predicates() -> list[tuple[str, object]]:
    verbs = (*ACTION_VERBS, *ACTIVITY_VERBS, *GIVING_VERBS)
    return [(word.en, word.ko) for word in (*verbs, *ALL_ADJECTIVES) if " " not in word.ko.stem]


def _categories(language: int) -> dict[str, Pair]:
    names = KOREAN_NAMES if language == 0 else {name: name for name in classes()}
    return {
        pair[1]: (pair[language], names[name])
        for name, pairs in classes().items()
        if name not in NEW
        for pair in pairs
    }


def _with(name: str) -> Callable[[], dict[str, Pair]]:
    return lambda: {en: (ko, particle(ko, name)) for ko, en in _nouns()}


def _form(tense: str, level: str) -> Callable[[], dict[str, Pair]]:
    return lambda: {
        en: (f"{word.stem}다", word.sentence(tense, level))  # type: ignore[attr-defined]
        for en, word in _predicates()
    }


def _opinions(language: int) -> dict[str, Pair]:
    words = (("나쁨", "좋음"), ("bad", "good"))[language]
    return {
        word.en: ((f"{word.ko.stem}다", word.en)[language], words[word.opinion > 0])
        for word in ALL_ADJECTIVES
        if word.opinion and " " not in word.ko.stem
    }


def _both_ways(text: str) -> dict[str, Pair]:
    """Return pairs in both directions; both sides of a pair belong to one split."""
    pairs = _pairs(text)
    return {f"{a}": (a, b) for a, b in pairs} | {f"{a} back": (b, a) for a, b in pairs}


# Mappings: name, language, task, whether it is held out, and its pairs by the word that splits.
MAPPINGS: dict[str, tuple[str, str, bool, Callable[[], dict[str, Pair]]]] = {
    "plural": (
        "en",
        "Write the plural:",
        False,
        lambda: {word: (word, english.plural(word)) for word in _countable()},
    ),
    "past": (
        "en",
        "Write the past tense:",
        False,
        lambda: {word: (word, english.past(word)) for word in _verbs_en()},
    ),
    "progressive": (
        "en",
        "Write the -ing form:",
        False,
        lambda: {word: (word, english.gerund(word)) for word in _verbs_en()},
    ),
    "article": (
        "en",
        "Write with a or an:",
        False,
        lambda: {word: (word, english.indefinite(word)) for word in _countable()},
    ),
    "antonym_en": ("en", "Write the opposite:", False, lambda: _both_ways(ANTONYMS_EN)),
    "category_en": ("en", "Name the category:", False, lambda: _categories(1)),
    "opinion_en": ("en", "Good or bad?", False, lambda: _opinions(1)),
    "en_to_ko": (
        "en",
        "Translate English to Korean:",
        False,
        lambda: {en: (en, ko) for ko, en in _nouns()},
    ),
    "ko_to_en": (
        "ko",
        "Translate Korean to English:",
        False,
        lambda: {en: (ko, en) for ko, en in _nouns()},
    ),
    "topic": ("ko", "은/는을 붙이기:", False, _with("은")),
    "subject": ("ko", "이/가를 붙이기:", False, _with("이")),
    "object": ("ko", "을/를을 붙이기:", False, _with("을")),
    "direction": ("ko", "으로/로를 붙이기:", False, _with("으로")),
    "past_ko": ("ko", "과거형 쓰기:", False, _form("past", "plain")),
    "polite": ("ko", "해요체로 쓰기:", False, _form("present", "polite")),
    "formal": ("ko", "합쇼체로 쓰기:", False, _form("present", "formal")),
    "antonym_ko": ("ko", "반대말 쓰기:", False, lambda: _both_ways(ANTONYMS_KO)),
    "category_ko": ("ko", "종류 쓰기:", False, lambda: _categories(0)),
    "opinion_ko": ("ko", "좋음 또는 나쁨:", False, lambda: _opinions(0)),
    # Held out.
    "third_person": (
        "en",
        "Write the he or she form:",
        True,
        lambda: {
            word: (word, english.third_person(word))
            for word in _verbs_en()
            if word not in _countable()  # show, play: their plurals are the same
        },
    ),
    "two": (
        "en",
        "Write two of them:",
        True,
        lambda: {word: (word, f"two {english.plural(word)}") for word in _countable()},
    ),
    "company": ("ko", "와/과를 붙이기:", True, _with("과")),
    "past_polite": ("ko", "과거의 해요체로 쓰기:", True, _form("past", "polite")),
}
CLASSES = {f"classes_{n}": (n, False) for n in (2, 3, 4)} | {
    f"new_classes_{n}": (n, True) for n in (2, 3, 4)
}
COPIES: dict[str, tuple[int, Callable[..., str], bool]] = {  # words in front, answer, held out
    "copy": (1, lambda a: a, False),
    "first": (2, lambda a, b: a, False),
    "swap": (2, lambda a, b: f"{b} {a}", False),
    "middle": (3, lambda a, b, c: b, False),
    "lookup": (1, lambda a: a, False),  # its answer is what the same word had before
    "last": (2, lambda a, b: b, True),
    "double": (1, lambda a: f"{a} {a}", True),
}
KINDS = {
    kind.name: kind
    for kind in (
        *(Kind(k, task, lang, "mapping", new) for k, (lang, task, new, _) in MAPPINGS.items()),
        *(Kind(name, "", "any", "classes", new) for name, (_, new) in CLASSES.items()),
        *(Kind(name, "", "any", "copy", new) for name, (_, _, new) in COPIES.items()),
    )
}


@cache
def mapping_pairs(name: str, split: str) -> tuple[Pair, ...]:
    """Return the pairs (input, output) of a mapping whose words belong to a split.

    Examples
    --------
    >>> ("persimmon", "persimmons") in mapping_pairs("plural", "train")
    True
    """
    choice(name, "name", MAPPINGS)
    choice(split, "split", SPLITS)
    pairs = MAPPINGS[name][3]()
    inputs = Counter(pair[0] for pair in pairs.values())
    chosen = [
        pair
        for key, pair in pairs.items()
        if word_split(key.removesuffix(" back")) == split and inputs[pair[0]] == 1
    ]
    return tuple(dict.fromkeys(chosen))


@cache
def class_words(name: str, split: str, language: str) -> tuple[str, ...]:
    """Return the words of a class that belong to a split; of a held-out class, all are "test".

    Examples
    --------
    >>> "dog" in class_words("animal", "train", "en") + class_words("animal", "test", "en")
    True
    """
    choice(name, "name", classes())
    choice(split, "split", SPLITS)
    place = ("ko", "en").index(choice(language, "language", ("ko", "en")))
    return tuple(
        pair[place]
        for pair in classes()[name]
        if ("test" if name in NEW else word_split(pair[1])) == split
    )


@cache
def _pool(name: str, split: str, language: str) -> tuple[str, ...]:
    """Return the words of a class that episodes take: no new one that is a verb as well (cook)."""
    verbs = _verbs_en() if split == "test" else []
    return tuple(word for word in class_words(name, split, language) if word not in verbs)


@cache
def _all_words(split: str, language: str) -> tuple[str, ...]:
    found = (_pool(name, split, language) for name in classes() if name not in NEW)
    return tuple(word for words in found for word in words if " " not in word)


SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
HANGUL = list(
    "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
)


def label(rng: random.Random, split: str, style: str) -> str:
    """Invent a label of a split: of two syllables, or one letter, or a word of the town."""
    while True:
        match style:
            case "latin":
                found = rng.choice(SYLLABLES) + rng.choice(SYLLABLES)
            case "hangul":
                found = rng.choice(HANGUL) + rng.choice(HANGUL)
            case "letter":
                found = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            case _:
                found = rng.choice(_all_words("train", rng.choice(("en", "ko"))))
        if found not in REAL and (style == "word" or label_split(found) == split):
            return found


STYLES = ("latin", "hangul", "letter", "word")
# Invented labels that happen to be words: no labels.
REAL = frozenset(
    _words(
        """
        bake bare base beta bite bone bora buni cube data date demo done dose dude dure fake
        fame fate fifo file fine fire five fuse gale game gate gave gelu give gone goto hide
        kite lake lane late life lifo like lime line lite live lobe logo lose love made make
        male mate mega memo menu meta mile mime mini mode mono more move mule mute name naru
        nine node nola none nose note nude numa nuri page pale pane peru pile pine pipe poke
        polo pure rake rare rate redo relu repo riba ride ripe robe rode role rope rose rude
        rule safe sake sale same sane save selu semi side silu sine site size sofa sole solo
        some sora sudo sure take tale tame tape tide tile time todo tofu tone tore tube tuna
        tune vase veto vote wake wine zero zeta zone
        가나 가로 거리 고모 나라 나사 나서 다리 도로 도마 마차 머리 모자 바다 바지 보고 보라
        보러 보리 사고 사러 사서 사자 서고 서로 소가 소라 소리 소파 아버 자가 자고 저고 타고
        타러 타조 파도 포도 하고 하나 하러 하마
        """
    )
)


def _labels(rng: random.Random, n: int, split: str) -> list[str]:
    """Invent labels for the classes of an episode, which differ in their first character."""
    style = rng.choice(STYLES if split == "train" else STYLES[:3])
    found: dict[str, str] = {}
    while len(found) < n:
        one = label(rng, split, style)
        found.setdefault(one[:1], one)
    return list(found.values())


def episodes(
    n: int,
    kind: str,
    *,
    shots: int = 8,
    words: str = "train",
    labels: str = "train",
    control: str = "none",
    with_task: bool = False,
    even: bool = False,
    seed: int = 0,
) -> list[Episode]:
    """Make episodes of one kind.

    Parameters
    ----------
    n : int
        How many.
    kind : str
        One of `KINDS`.
    shots : int, default 8
        Examples before the question, 0 or more.
    words, labels : str, default "train"
        From which split the words come, and the labels of classes; "test" stands in no training
        episode. The words of held-out classes are always new.
    control : str, default "none"
        "shuffled": the outputs of the examples change places at random; "random": each comes from
        another word of the kind, or is any of the labels. The right answer stays.
    with_task : bool, default False
        Whether the task is told in a first line, if the kind has one.
    even : bool, default False
        Whether the classes come equally often with the question counted, so that the label that was
        rarer is right more often: so town-gpt was trained. Without it, only the examples are even.
    seed : int, default 0
        The same seed gives the same episodes; those with a control differ by it alone.

    Returns
    -------
    list of Episode
        Inputs differ within an episode (not in "lookup").

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or there are too few words for so many examples.

    Examples
    --------
    >>> one = episodes(1, "classes_2", shots=4, seed=1)[0]
    >>> len(one.examples), one.answer in one.options
    (4, True)
    """
    integer(n, "n", 1)
    made = KINDS[choice(kind, "kind", KINDS)]
    integer(shots, "shots", 0)
    choice(words, "words", SPLITS)
    choice(labels, "labels", SPLITS)
    choice(control, "control", CONTROLS)
    flag(with_task, "with_task")
    flag(even, "even")
    rng = random.Random(f"{integer(seed, 'seed', 0)} {kind} {shots} {words} {labels}")
    other = random.Random(f"{seed} {control}")
    makers = {"mapping": _mapping, "classes": _classes, "copy": _copy}
    found = []
    for _ in range(n):
        rows, options, known = makers[made.group](rng, kind, shots + 1, words, labels, even)
        *examples, (query, answer) = rows
        if control != "none" and examples:
            outputs = [output for _, output in examples]
            if control == "random":
                pool = options or [b for _, b in _outputs(made, words, other, rows)]
                outputs = [other.choice(pool) for _ in outputs]
            other.shuffle(outputs)
            examples = [(a, b) for (a, _), b in zip(examples, outputs, strict=True)]
        task = made.task if with_task else ""
        found.append(
            Episode(kind, task, tuple(examples), query, answer, tuple(options), tuple(known))
        )
    return found


Rows = tuple[list[Pair], list[str], list[bool]]


def _outputs(kind: Kind, words: str, rng: random.Random, rows: list[Pair]) -> list[Pair]:
    """Return pairs of the kind from which a control takes outputs."""
    if kind.group == "mapping":
        return list(mapping_pairs(kind.name, words))
    return _copy(rng, kind.name, 4 * len(rows), words, "train")[0]


def _enough(found: int, wanted: int, what: str) -> None:
    if found < wanted:
        raise ValueError(f"shots must be at most {found - 1} for {what}, got {wanted - 1}")


def _mapping(
    rng: random.Random, name: str, size: int, words: str, labels: str, even: bool = False
) -> Rows:
    pairs = mapping_pairs(name, words)
    _enough(len(pairs), size, f"{name} and {words} words")
    outputs = list(dict.fromkeys(output for _, output in pairs))
    few = outputs if len(outputs) <= len(classes()) else []
    if few:  # categories: some of them, each more than once
        rng.shuffle(few)
        least = rng.randint(2, 4)
        while sum(pair[1] in few[:least] for pair in pairs) < size:
            least += 1
        few = few[:least]
        pairs = tuple(pair for pair in pairs if pair[1] in few)
    return rng.sample(pairs, size), few, [True] * size


def _classes(rng: random.Random, name: str, size: int, words: str, labels: str, even: bool) -> Rows:
    n, new = CLASSES[name]
    split = "test" if new else words
    language = rng.choice(("ko", "en"))
    each = -(-size // n) if even else -(-(size - 1) // n) + 1
    names = [one for one in classes() if (one in NEW) == new]
    fit = [one for one in names if len(_pool(one, split, language)) >= each]
    if len(fit) < n:
        most = sorted(len(_pool(one, split, language)) for one in names)[-n]
        _enough(n * most, size, f"{name} and {words} words")
    chosen, names_of = rng.sample(fit, n), _labels(rng, n, labels)
    if not even:  # the question does not depend on how often each class came
        order = [place % n for place in range(size - 1)]
        rng.shuffle(order)
        order.append(rng.randrange(n))
    elif rng.random() < 0.5:
        order = [place % n for place in range(size)]
        rng.shuffle(order)
    else:
        order = [rng.randrange(n) for _ in range(size)]
        if max(Counter(order).values()) > each:
            order = [place % n for place in range(size)]
            rng.shuffle(order)
    drawn = [rng.sample(_pool(one, split, language), each) for one in chosen]
    rows = [(drawn[which].pop(), names_of[which]) for which in order]
    return rows, names_of, [which in order[:place] for place, which in enumerate(order)]


def _copy(
    rng: random.Random, name: str, size: int, words: str, labels: str, even: bool = False
) -> Rows:
    width, answer, _ = COPIES[name]
    pool = _all_words(words, rng.choice(("ko", "en")))
    if name == "lookup":
        keys = rng.sample(pool, max(2, size // 3))
        values = _labels(rng, 2, labels) if rng.random() < 0.3 else []
        style = rng.choice(STYLES[:2])
        to = {key: rng.choice(values) if values else label(rng, labels, style) for key in keys}
        asked = [*keys, *(rng.choice(keys) for _ in range(size))][:size]
        asked = asked if len(keys) < size else [*keys, keys[0]][-size:]
        rest = asked[:-1]
        rng.shuffle(rest)
        asked = [*rest, asked[-1]]
        known = [key in asked[:place] for place, key in enumerate(asked)]
        return [(key, to[key]) for key in asked], [], known
    _enough(len(pool) // width, size, f"{name} and {words} words")
    drawn = rng.sample(pool, size * width)
    inputs = [drawn[place * width : (place + 1) * width] for place in range(size)]
    return [(" ".join(some), answer(*some)) for some in inputs], [], [True] * size


def held_out() -> dict[str, frozenset[str]]:
    """Return what no training episode has.

    Returns
    -------
    dict of str to frozenset of str
        "kinds": names of kinds; "tasks": their first lines; "words": in both languages, those of
        the test split and those of the held-out classes; "lines": examples of mappings with words
        of the test split, and all of held-out mappings; "labels": the invented words of two
        syllables that belong to the test split.

    Examples
    --------
    >>> "piano" in held_out()["words"], "third_person" in held_out()["kinds"]
    (True, True)
    """
    new = [kind for kind in KINDS.values() if kind.held_out]
    words = [
        word
        for name in classes()
        for language in ("ko", "en")
        for word in _pool(name, "test", language)
    ]
    lines = [f"{a} => {b}" for name in MAPPINGS for a, b in mapping_pairs(name, "test")] + [
        f"{a} => {b}"
        for kind in new
        if kind.group == "mapping"
        for a, b in mapping_pairs(kind.name, "train")
    ]
    invented = [a + b for some in (SYLLABLES, HANGUL) for a in some for b in some]
    return {
        "kinds": frozenset(kind.name for kind in new),
        "tasks": frozenset(kind.task for kind in new if kind.task),
        "words": frozenset(words),
        "lines": frozenset(lines),
        "labels": frozenset(w for w in invented if label_split(w) == "test" and w not in REAL),
    }
