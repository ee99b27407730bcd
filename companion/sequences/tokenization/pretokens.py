"""The first cut: a text in large pieces, which tokens never cross.

Five ways to cut, from the simplest to the one of GPT-2. In the first three the white space is lost,
so the text cannot be put together again exactly; the last two keep every character. Each takes any
text and returns a list of pieces, none of them empty. What this module leaves out: languages that
are written without spaces, which need another first cut, or none.

References (in full in the chapter's bibliography): Devlin et al. (2019), BERT; Radford et al.
(2019), GPT-2; Kudo and Richardson (2018), SentencePiece.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import re
from functools import cache
from string import punctuation

from companion.sequences.tokenization.characters import (
    SPACES,
    decompose,
    inside,
    lower,
    normal_form,
)

SPACE_MARK = "▁"
"""Stands for a space in the pieces of SentencePiece: U+2581, not an underscore."""
HANJA = (  # the blocks of Chinese characters around which BERT puts spaces
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f"
    "\U0002b920-\U0002ceaf\U0002f800-\U0002fa1f"
)


def at_spaces(text: str) -> list[str]:
    """Cut at white space, which is dropped.

    Examples
    --------
    >>> at_spaces("어제 카페 갔었어.")
    ['어제', '카페', '갔었어.']
    """
    return _at_spaces().findall(text)


def at_punctuation(text: str) -> list[str]:
    """Cut at white space, which is dropped, and around each punctuation mark.

    All ASCII signs count as punctuation, also ``$`` and ``+``: the first step of BERT's tokenizer.

    Examples
    --------
    >>> at_punctuation("Don't go, 갔었어!")
    ['Don', "'", 't', 'go', ',', '갔었어', '!']
    """
    return _at_punctuation().findall(text)


def basic_tokens(text: str, *, lowercase: bool = True) -> list[str]:
    """Take the first step of BERT's tokenizer: tidy the text, cut it into words and signs.

    Control characters go, every Hanja is a word of its own; with `lowercase`, letters become small
    and lose their accents. For that the text is brought into form NFD: Hangul falls into jamo.

    Examples
    --------
    >>> basic_tokens("Das Café, 大學")
    ['das', 'cafe', ',', '大', '學']
    """
    return at_punctuation(tidy(text, lowercase=lowercase))


def tidy(text: str, *, lowercase: bool) -> str:
    """Change a text as BERT does before it cuts it."""
    invisible, space, hanja, accents = _tidy()
    text = hanja.sub(r" \g<0> ", space.sub(" ", invisible.sub("", text)))
    return lower(accents.sub("", normal_form("NFD", text))) if lowercase else text


def tidy_with_places(text: str, *, lowercase: bool) -> tuple[str, list[int]]:
    """Do the same letter by letter; say also from which letter of the text each one comes.

    Examples
    --------
    >>> tidy_with_places("Éa大", lowercase=True)
    ('ea 大 ', [0, 1, 2, 2, 2])
    """
    invisible, space, hanja, accents = _tidy()
    rows = [
        (new, place)
        for place, letter in enumerate(text)
        if not invisible.match(letter)
        for new in hanja.sub(r" \g<0> ", space.sub(" ", letter))
    ]
    if lowercase:
        parts, order = decompose("".join(new for new, _ in rows))
        rows = [
            (small, rows[k][1])
            for letter, k in zip(parts, order, strict=True)
            if not accents.match(letter)
            for small in lower(letter)
        ]
    return "".join(new for new, _ in rows), [place for _, place in rows]


def before_spaces(text: str) -> list[str]:
    """Cut before each space, which is written as a mark, and put a mark before the text.

    Examples
    --------
    >>> before_spaces("어제 카페")
    ['▁어제', '▁카페']
    """
    if not text:
        return []
    marked = text.replace(" ", SPACE_MARK)
    if not marked.startswith(SPACE_MARK):
        marked = SPACE_MARK + marked
    return [SPACE_MARK + part for part in marked[1:].split(SPACE_MARK)]


def as_in_gpt2(text: str) -> list[str]:
    """Cut into runs of letters, of digits, of other signs and of spaces, as GPT-2 does.

    One space is kept at the beginning of the run that follows it. English endings such as 's are
    cut off. Nothing is lost: the pieces in a row are the text.

    Examples
    --------
    >>> as_in_gpt2("It's 어제,  갔었어 2!")
    ['It', "'s", ' 어제', ',', ' ', ' 갔었어', ' 2', '!']
    """
    return _as_in_gpt2(text.isascii() or max(text) <= "\uffff").findall(text)


@cache
def _at_spaces() -> re.Pattern[str]:
    return re.compile(f"[^{SPACES}]+")


@cache
def _tidy() -> tuple[re.Pattern[str], ...]:
    classes = inside("invisible"), SPACES, HANJA, inside("nonspacing mark")
    return tuple(re.compile(f"[{characters}]") for characters in classes)


@cache
def _at_punctuation() -> re.Pattern[str]:
    marks = re.escape(punctuation) + inside("punctuation")
    return re.compile(f"[{marks}]|[^{SPACES}{marks}]+")


@cache
def _as_in_gpt2(plane_0: bool) -> re.Pattern[str]:
    letters, numbers = (inside(name, plane_0=plane_0) for name in ("letter", "number"))
    return re.compile(
        "'(?:[stmd]|re|ve|ll)"
        f"| ?[{letters}]+| ?[{numbers}]+| ?[^{SPACES}{letters}{numbers}]+"
        f"|[{SPACES}]+(?![^{SPACES}])|[{SPACES}]+"
    )
