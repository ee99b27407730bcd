"""Korean verbs and adjectives: every form by rule, from a stem.

A verb has three bases, from which its forms are made, and irregular verbs change in some of them::

    stem         먹-    가-    듣-    돕-      before -고, -지, -는다
    "eu" base    먹으-  가-    들으-  도우-    before -(으)면, -(으)ㄴ, -(으)ㄹ
    infinitive   먹어   가     들어   도와     before -요, -서, and with ㅆ the past

What this module leaves out: -시-, questions and commands, which are in
`companion.data.town.endings`, and endings for which the town has no use.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from companion.arguments import choice
from companion.data.town.hangul import final_consonant, join_syllable, particle, split_syllable

KINDS = ("verb", "adjective", "existence", "copula")
IRREGULAR = ("", "ㅂ", "ㄷ", "ㅅ", "르", "ㅎ")
TENSES = ("past", "present", "future")
LEVELS = ("plain", "polite", "formal")


@dataclass(frozen=True)
class Predicate:
    """A verb or adjective, or the copula 이다, with all its forms.

    Parameters
    ----------
    stem : str
        Without 다: 먹, 가, 예쁘. Empty for the copula.
    kind : str
        "verb", "adjective", "existence" (있다, 없다 and what is made from them) or "copula".
    irregular : str
        The consonant or syllable that changes: ㅂ, ㄷ, ㅅ, 르, ㅎ; empty if the verb is regular.
        (ㄹ and ㅡ fall out by rule and are not irregular here; nor is 하다.)

    Raises
    ------
    ValueError
        If a value is none of these, or the stem does not end as `irregular` says.

    Examples
    --------
    >>> Predicate("듣", irregular="ㄷ").sentence("past")
    '들었다'
    """

    stem: str
    kind: str = "verb"
    irregular: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {self.kind!r}")
        if self.irregular not in IRREGULAR:
            raise ValueError(f"irregular must be one of {IRREGULAR}, got {self.irregular!r}")
        if (self.kind == "copula") != (self.stem == ""):
            raise ValueError(f"stem must be empty for the copula alone, got {self.stem!r}")
        if self.stem:
            ending = self.stem[-1] if self.irregular == "르" else final_consonant(self.stem)
            if self.irregular not in ("", ending):
                raise ValueError(f"stem must end in {self.irregular}, got {self.stem!r}")

    @property
    def infinitive(self) -> str:
        """The base before -요, -서 and the past: 먹어, 가, 와, 해."""
        before, last = self.stem[:-1], self.stem[-1]
        lead, vowel, tail = split_syllable(last)
        if self.irregular == "ㅂ":
            return (
                before + join_syllable(lead, vowel) + ("와" if self.stem in ("돕", "곱") else "워")
            )
        if self.irregular == "르":
            front = split_syllable(before[-1])
            doubled = before[:-1] + join_syllable(front[0], front[1], "ㄹ")
            return doubled + ("라" if front[1] in "ㅏㅗ" else "러")
        if self.irregular == "ㅎ":
            return before + join_syllable(lead, "ㅒ" if vowel == "ㅑ" else "ㅐ")
        if self.irregular == "ㄷ":
            return before + join_syllable(lead, vowel, "ㄹ") + ("아" if vowel in "ㅏㅗ" else "어")
        if self.irregular == "ㅅ":
            return before + join_syllable(lead, vowel) + ("아" if vowel in "ㅏㅗ" else "어")
        if tail:
            return self.stem + ("아" if vowel in "ㅏㅑㅗ" else "어")
        if last == "하":
            return before + "해"
        if vowel == "ㅡ":
            bright = bool(before) and split_syllable(before[-1])[1] in "ㅏㅗ"
            return before + join_syllable(lead, "ㅏ" if bright else "ㅓ")
        merged = {"ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ", "ㅚ": "ㅙ"}
        if vowel in merged:
            return before + join_syllable(lead, merged[vowel])
        return self.stem if vowel in "ㅏㅓㅐㅔㅕ" else self.stem + "어"

    @property
    def past(self) -> str:
        """The stem of the past: 먹었, 갔, 왔, 했."""
        whole = self.infinitive
        lead, vowel, _ = split_syllable(whole[-1])
        return whole[:-1] + join_syllable(lead, vowel, "ㅆ")

    @property
    def _eu_base(self) -> str:
        """The base before endings that begin with (으); a final ㄹ is kept."""
        lead, vowel, tail = split_syllable(self.stem[-1])
        before = self.stem[:-1]
        if self.irregular == "ㅂ":
            return before + join_syllable(lead, vowel) + "우"
        if self.irregular == "ㄷ":
            return before + join_syllable(lead, vowel, "ㄹ") + "으"
        if self.irregular == "ㅅ":
            return before + join_syllable(lead, vowel) + "으"
        if self.irregular == "ㅎ":
            return before + join_syllable(lead, vowel)
        return self.stem if tail in ("", "ㄹ") else self.stem + "으"

    def _with_tail(self, tail: str, *, short: bool = False) -> str:
        """Put a consonant under the last syllable of the "eu" base, or (short) of the stem."""
        base = self.stem if short else self._eu_base
        lead, vowel, _ = split_syllable(base[-1])  # what is there can only be ㄹ, which gives way
        return base[:-1] + join_syllable(lead, vowel, tail)

    @property
    def _is_open(self) -> bool:
        return final_consonant(self.stem) in ("", "ㄹ")

    def connective(self, name: str, *, tense: str = "present") -> str:
        """Return a form that connects clauses.

        Parameters
        ----------
        name : str
            고 (and), 거나 (or), 지만 (but), 어서 (and so), 으면 (if), 으러 (in order to, with verbs
            of going), 기 (the noun: doing), 지 (before 않다).
        tense : str, default "present"
            "past" is possible for 고, 거나, 지만 and 기.

        Returns
        -------
        str
            Such as 먹고, 먹었지만, 먹어서.

        Raises
        ------
        ValueError
            If there is no such form.

        Examples
        --------
        >>> eat, hear = Predicate("먹"), Predicate("듣", irregular="ㄷ")
        >>> eat.connective("지만", tense="past"), hear.connective("으면"), hear.connective("어서")
        ('먹었지만', '들으면', '들어서')
        """
        if name in ("고", "거나", "지만", "기") and tense in ("past", "present"):
            return (self.past if tense == "past" else self.stem) + name
        if tense == "present" and name == "지":
            return self.stem + name
        if tense == "present" and name == "어서":
            return self.infinitive + "서"
        if tense == "present" and name in ("으면", "으러"):
            return self._eu_base + name[1:]
        raise ValueError(
            f"name and tense must be those of a connective form, got {name!r}, {tense!r}"
        )

    def adnominal(self, tense: str = "present") -> str:
        """Return the form that stands before a noun.

        Parameters
        ----------
        tense : str
            "past", "present" or "future".

        Returns
        -------
        str
            먹은, 먹는, 먹을; for adjectives in the present 예쁜, 작은.

        Raises
        ------
        ValueError
            If there is no such tense, or it is the past of an adjective.

        Examples
        --------
        >>> Predicate("살").adnominal(), Predicate("맵", "adjective", "ㅂ").adnominal()
        ('사는', '매운')
        """
        if tense == "future":
            return self._with_tail("ㄹ")
        if (self.kind, tense) in (("verb", "past"), ("adjective", "present")):
            return self._with_tail("ㄴ")
        if tense == "present" and self.kind in ("verb", "existence"):
            if final_consonant(self.stem) == "ㄹ":
                return self._with_tail("") + "는"
            return self.stem + "는"
        raise ValueError(f"tense must be one that a {self.kind} has before a noun, got {tense!r}")

    def sentence(self, tense: str, level: str = "plain", *, negative: bool = False) -> str:
        """Return the form that ends a statement.

        Parameters
        ----------
        tense : str
            "past", "present" or "future".
        level : str
            The speech level: "plain" (-다), "polite" (-어요) or "formal" (-습니다).
        negative : bool, default False
            With -지 않다.

        Returns
        -------
        str
            Such as 먹었다, 먹어요, 먹지 않을 것입니다.

        Raises
        ------
        ValueError
            If there is no such tense or level, or for the copula, which needs a noun: `be`.

        Examples
        --------
        >>> [Predicate("먹").sentence(tense) for tense in TENSES]
        ['먹었다', '먹는다', '먹을 것이다']
        >>> Predicate("예쁘", "adjective").sentence("present", "polite", negative=True)
        '예쁘지 않아요'
        """
        choice(tense, "tense", TENSES)
        choice(level, "level", LEVELS)
        if self.kind == "copula":
            raise ValueError("the copula needs a noun: use be(noun, ...)")
        if negative:
            ending = Predicate("않", "verb" if self.kind == "verb" else "adjective")
            return f"{self.connective('지')} {ending.sentence(tense, level)}"
        if tense == "past":
            return self.past + {"plain": "다", "polite": "어요", "formal": "습니다"}[level]
        if tense == "future":
            thing = {"plain": "것이다", "polite": "거예요", "formal": "것입니다"}[level]
            return f"{self.adnominal('future')} {thing}"
        if level == "polite":
            return self.infinitive + "요"
        if level == "formal":
            if self._is_open:
                return self._with_tail("ㅂ", short=True) + "니다"
            return self.stem + "습니다"
        if self.kind != "verb":
            return self.stem + "다"
        return (self._with_tail("ㄴ", short=True) if self._is_open else self.stem + "는") + "다"


@lru_cache(maxsize=10_000)
def be(noun: str, tense: str, level: str = "plain", *, negative: bool = False) -> str:
    """Return a noun with the copula 이다, or with 아니다.

    Parameters
    ----------
    noun : str
        Ends in a Hangul syllable or a digit.
    tense, level, negative
        As in `Predicate.sentence`.

    Returns
    -------
    str
        Such as 의사다, 학생이었어요, 의사가 아닙니다.

    Raises
    ------
    ValueError
        If there is no such tense or level, or the noun ends in something else.

    Examples
    --------
    >>> be("의사", "present"), be("학생", "past", "polite"), be("의사", "present", negative=True)
    ('의사다', '학생이었어요', '의사가 아니다')
    """
    choice(tense, "tense", TENSES)
    choice(level, "level", LEVELS)
    open_end = final_consonant(noun) == ""
    if tense == "future":
        thing = {"plain": "것이다", "polite": "거예요", "formal": "것입니다"}[level]
        whole = f"{particle(noun, '이')} 아닐" if negative else f"{noun}일"
        return f"{whole} {thing}"
    if negative:
        forms = {
            "past": {"plain": "아니었다", "polite": "아니었어요", "formal": "아니었습니다"},
            "present": {"plain": "아니다", "polite": "아니에요", "formal": "아닙니다"},
        }
        return f"{particle(noun, '이')} {forms[tense][level]}"
    if tense == "past":
        ending = {"plain": "다", "polite": "어요", "formal": "습니다"}[level]
        return noun + ("였" if open_end else "이었") + ending
    forms = {
        "plain": "다" if open_end else "이다",
        "polite": "예요" if open_end else "이에요",
        "formal": "입니다",
    }
    return noun + forms[level]
