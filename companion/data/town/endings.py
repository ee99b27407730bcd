"""Korean endings of conversation: questions, replies, orders, requests, proposals, reports.

Built on `companion.data.town.korean.Predicate`, for its three speech levels. Between people the
plain level asks with -니 and replies with -어 (먹었니? 응, 먹었어), where a text would end in -다.
Respect for the person whom a sentence is about is -시-, which has words of its own (먹다: 드시다).
What this module leaves out: endings that ask for agreement (-지?), that guess (-겠-) or exclaim.

Used first in book/reference/town.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from companion.arguments import choice
from companion.data.town.hangul import final_consonant, join_syllable, particle, split_syllable
from companion.data.town.korean import LEVELS, Predicate, be

# Verbs that respect replaces altogether.
RESPECTFUL = {
    "먹": "드시",
    "마시": "드시",
    "자": "주무시",
    "있": "계시",
    "아프": "편찮으시",
    "말하": "말씀하시",
}


@dataclass(frozen=True)
class Honorific(Predicate):
    """A predicate with -시-; at the polite level 가시 becomes 가세요, not 가셔요."""

    def sentence(self, tense: str, level: str = "plain", *, negative: bool = False) -> str:
        """As `Predicate.sentence`."""
        if (tense, level, negative) == ("present", "polite", False):
            return self.stem[:-1] + "세요"
        return super().sentence(tense, level, negative=negative)


def _base(predicate: Predicate) -> str:
    """Return what stands before (으): 먹으, 가, 들으, 도우; a final ㄹ is kept."""
    return predicate.connective("으면")[:-1]


def _tail(word: str, tail: str) -> str:
    """Put a consonant under the last syllable, in place of what is there."""
    lead, vowel, _ = split_syllable(word[-1])
    return word[:-1] + join_syllable(lead, vowel, tail)


def honorific(predicate: Predicate) -> Honorific:
    """Return a predicate with -시-, for a subject who is respected.

    Examples
    --------
    >>> [honorific(Predicate(*word)).stem for word in (("가",), ("먹",), ("돕", "verb", "ㅂ"))]
    ['가시', '드시', '도우시']
    """
    base = _base(predicate)
    regular = (_tail(base, "") if final_consonant(base) else base) + "시"
    return Honorific(RESPECTFUL.get(predicate.stem, regular), predicate.kind)


def question(predicate: Predicate, tense: str, level: str, *, negative: bool = False) -> str:
    """Return the form that ends a question, without its mark.

    Parameters
    ----------
    predicate : Predicate
        Not the copula: `question_be`.
    tense, level, negative
        As in `Predicate.sentence`.

    Examples
    --------
    >>> [question(Predicate("듣", "verb", "ㄷ"), "past", level) for level in LEVELS]
    ['들었니', '들었어요', '들었습니까']
    """
    statement = predicate.sentence(tense, level, negative=negative)
    if level == "polite":
        return statement
    if level == "formal":
        return statement[:-1] + "까"
    if negative:
        return f"{predicate.connective('지')} {question(Predicate('않'), tense, level)}"
    if tense == "past":
        return predicate.past + "니"
    if tense == "future":
        return predicate.adnominal("future") + " 거니"
    stem = predicate.stem
    return (_tail(stem, "") if final_consonant(stem) == "ㄹ" else stem) + "니"


def question_be(noun: str, level: str, *, tense: str = "present") -> str:
    """Return a noun with the copula as a question, without its mark.

    Examples
    --------
    >>> question_be("의사", "plain"), question_be("학생", "plain"), question_be("의사", "formal")
    ('의사니', '학생이니', '의사입니까')
    """
    statement = be(noun, tense, level)
    if level == "polite":
        return statement
    if level == "formal":
        return statement[:-1] + "까"
    return statement[:-1] + "니" if tense != "future" else f"{noun}일 거니"


def reply(predicate: Predicate, tense: str, level: str, *, negative: bool = False) -> str:
    """Return the form that ends an answer in conversation; plain is -어, the others as in a text.

    Examples
    --------
    >>> [reply(Predicate("짓", "verb", "ㅅ"), tense, "plain") for tense in ("past", "future")]
    ['지었어', '지을 거야']
    """
    statement = predicate.sentence(tense, level, negative=negative)
    if level != "plain":
        return statement
    if negative:
        no = Predicate("않", "verb" if predicate.kind == "verb" else "adjective")
        return f"{predicate.connective('지')} {reply(no, tense, level)}"
    if tense == "past":
        return predicate.past + "어"
    return predicate.adnominal("future") + " 거야" if tense == "future" else predicate.infinitive


def reply_be(noun: str, level: str, *, negative: bool = False) -> str:
    """Return a noun with the copula in the present, as an answer in conversation.

    Examples
    --------
    >>> reply_be("의사", "plain"), reply_be("학생", "plain", negative=True)
    ('의사야', '학생이 아니야')
    """
    if level != "plain":
        return be(noun, "present", level, negative=negative)
    if negative:
        return particle(noun, "이") + " 아니야"
    return noun + ("이야" if final_consonant(noun) else "야")


def _check_verb(predicate: Predicate, level: str) -> None:
    if predicate.kind != "verb":
        raise ValueError(f"predicate must be a verb, got the {predicate.kind} {predicate.stem!r}")
    choice(level, "level", LEVELS)


def order(predicate: Predicate, level: str, *, negative: bool = False) -> str:
    """Return the form that tells somebody to do something, or not to.

    Raises
    ------
    ValueError
        If it is no verb, or there is no such level. The same for all that follow.

    Examples
    --------
    >>> hear = Predicate("듣", "verb", "ㄷ")
    >>> [order(hear, level) for level in LEVELS]
    ['들어라', '들으세요', '들으십시오']
    >>> [order(hear, level, negative=True) for level in LEVELS]
    ['듣지 마라', '듣지 마세요', '듣지 마십시오']
    """
    _check_verb(predicate, level)
    ending = {"plain": "라", "polite": "세요", "formal": "십시오"}[level]
    if negative:
        return f"{predicate.connective('지')} 마{ending}"
    if level == "plain":
        return predicate.infinitive + ending
    return honorific(predicate).stem[:-1] + ending


def request(predicate: Predicate, level: str) -> str:
    """Return the form that asks somebody to do something for the speaker.

    Examples
    --------
    >>> [request(Predicate("열"), level) for level in LEVELS]
    ['열어 줘', '열어 주세요', '열어 주십시오']
    """
    _check_verb(predicate, level)
    ending = {"plain": "줘", "polite": "주세요", "formal": "주십시오"}[level]
    return f"{predicate.infinitive} {ending}"


def proposal(
    predicate: Predicate, level: str, *, negative: bool = False, respect: bool = False
) -> str:
    """Return the form that proposes to do something together, or not to.

    Parameters
    ----------
    predicate : Predicate
        A verb.
    level : str
        The speech level.
    negative : bool, default False
        With -지 말다.
    respect : bool, default False
        At the polite level: -(으)시지요, to somebody older.

    Examples
    --------
    >>> [proposal(Predicate("짓", "verb", "ㅅ"), level) for level in LEVELS]
    ['짓자', '지어요', '지읍시다']
    >>> proposal(Predicate("가"), "polite", respect=True)
    '가시지요'
    """
    _check_verb(predicate, level)
    if negative:
        ending = {"plain": "말자", "polite": "말아요", "formal": "맙시다"}[level]
        return f"{predicate.connective('지')} {ending}"
    if level == "plain":
        return predicate.stem + "자"
    if level == "polite":
        return honorific(predicate).stem + "지요" if respect else predicate.infinitive + "요"
    return _tail(_base(predicate), "ㅂ") + "시다"


def reported(sentence: str, ending: str = "고") -> str:
    """Turn a plain statement into one that somebody reports: -다고, of the copula -라고.

    Parameters
    ----------
    sentence : str
        Ends in -다, without a full stop.
    ending : str, default "고"
        "고" before a verb of saying, "는" before a noun such as 입장 (point of view).

    Examples
    --------
    >>> reported("길이 막힌다"), reported("큰 걱정이다"), reported("급한 일이 아니다", "는")
    ('길이 막힌다고', '큰 걱정이라고', '급한 일이 아니라는')
    """
    if not sentence.endswith("다"):
        raise ValueError(f"sentence must end in -다, got {sentence!r}")
    copula = sentence.endswith(("이다", "아니다"))
    return sentence[:-1] + ("라" if copula else "다") + ending


def reported_order(predicate: Predicate) -> str:
    """Return the order that somebody reports: -(으)라고.

    Examples
    --------
    >>> reported_order(Predicate("씻")), reported_order(Predicate("열"))
    ('씻으라고', '열라고')
    """
    _check_verb(predicate, "plain")
    return _base(predicate) + "라고"
