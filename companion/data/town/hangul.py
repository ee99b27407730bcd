"""Hangul syllables, taken apart and put together, and the particles that look at them.

A syllable is one code point, 0xAC00 + (lead * 21 + vowel) * 28 + tail. Most particles have two
forms and look at the tail of the word before them: 학생은 (the student), 의사는 (the doctor). What
this module leaves out: old Hangul, and words that end in Latin letters.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

from functools import lru_cache

from companion.arguments import came, instance

LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
DIGIT_TAILS = dict(
    zip("0123456789", ["ㅇ", "ㄹ", "", "ㅁ", "", "", "ㄱ", "ㄹ", "ㄹ", ""], strict=True)
)

# After a consonant, after a vowel.
PARTICLES = {
    "은": ("은", "는"),
    "이": ("이", "가"),
    "을": ("을", "를"),
    "과": ("과", "와"),
    "으로": ("으로", "로"),
    "이나": ("이나", "나"),
    "이라고": ("이라고", "라고"),
    "이라는": ("이라는", "라는"),
    "아": ("아", "야"),
}
UNCHANGING = (
    "에서",
    "에게",
    "에",
    "의",
    "도",
    "만",
    "보다",
    "부터",
    "까지",
    "처럼",
    "에게서",
    "에는",
)


def split_syllable(syllable: str) -> tuple[str, str, str]:
    """Take a Hangul syllable apart.

    Parameters
    ----------
    syllable : str
        One of the 11,172 modern syllables.

    Returns
    -------
    tuple of three str
        Lead, vowel and tail; the tail is empty if there is none.

    Raises
    ------
    ValueError
        If `syllable` is something else.

    Examples
    --------
    >>> split_syllable("갔")
    ('ㄱ', 'ㅏ', 'ㅆ')
    """
    if not isinstance(syllable, str) or len(syllable) != 1 or not "가" <= syllable <= "힣":
        raise ValueError(f"syllable must be one Hangul syllable, got {came(syllable)}")
    rest, tail = divmod(ord(syllable) - 0xAC00, 28)
    lead, vowel = divmod(rest, 21)
    return LEADS[lead], VOWELS[vowel], TAILS[tail]


def join_syllable(lead: str, vowel: str, tail: str = "") -> str:
    """Put a Hangul syllable together.

    Parameters
    ----------
    lead, vowel, tail : str
        Compatibility jamo, such as ``split_syllable`` gives.

    Returns
    -------
    str
        The syllable.

    Raises
    ------
    ValueError
        If there is no such lead, vowel or tail.

    Examples
    --------
    >>> join_syllable("ㅎ", "ㅏ", "ㄴ")
    '한'
    """
    for name, part in (("lead", lead), ("vowel", vowel), ("tail", tail)):
        instance(part, name, str)
    if lead not in LEADS or vowel not in VOWELS or tail not in TAILS or not (lead and vowel):
        raise ValueError(f"no syllable has the lead {lead!r}, vowel {vowel!r} and tail {tail!r}")
    place = (LEADS.index(lead) * 21 + VOWELS.index(vowel)) * 28 + TAILS.index(tail)
    return chr(0xAC00 + place)


def final_consonant(word: str) -> str:
    """Return the consonant in which a word ends when it is spoken, or "" after a vowel.

    Parameters
    ----------
    word : str
        Ends in a Hangul syllable or a digit.

    Returns
    -------
    str
        A tail, such as "ㄱ" for 학.

    Raises
    ------
    ValueError
        If the word is empty or ends in something else.

    Examples
    --------
    >>> final_consonant("학생"), final_consonant("의사"), final_consonant("3")
    ('ㅇ', '', 'ㅁ')
    """
    if instance(word, "word", str)[-1:] in DIGIT_TAILS:
        return DIGIT_TAILS[word[-1]]
    if not word or not "가" <= word[-1] <= "힣":
        raise ValueError(f"word must end in a Hangul syllable or a digit, got {word!r}")
    return split_syllable(word[-1])[2]


def particle(word: str, name: str) -> str:
    """Put a particle behind a word, in the form that its last sound asks for.

    Parameters
    ----------
    word : str
        Ends in a Hangul syllable or a digit.
    name : str
        The particle in the form after a consonant: 은, 이, 을, 과, 으로, 이나, 이라고, 이라는, 아;
        or one that never changes, such as 에서.

    Returns
    -------
    str
        The word with its particle.

    Raises
    ------
    ValueError
        If there is no such particle, or the word ends in something else.

    Examples
    --------
    >>> particle("학생", "은"), particle("의사", "은"), particle("서울", "으로")
    ('학생은', '의사는', '서울로')
    """
    return _particle(instance(word, "word", str), instance(name, "name", str))


@lru_cache(maxsize=100_000)
def _particle(word: str, name: str) -> str:
    if name in UNCHANGING:
        return word + name
    if name not in PARTICLES:
        known = ", ".join((*PARTICLES, *UNCHANGING))
        raise ValueError(f"name must be a particle ({known}), got {name!r}")
    tail = final_consonant(word)
    after_vowel = tail == "" or (name == "으로" and tail == "ㄹ")
    return word + PARTICLES[name][after_vowel]
