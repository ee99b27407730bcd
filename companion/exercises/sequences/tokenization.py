"""What the exercises of the chapter on tokenization expect.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np

from companion.checks import Exercise


def sizes(text: str) -> tuple[int, int, int, int]:
    """Return the eojeol, syllables, jamo and bytes of a Korean text."""
    syllables = text.replace(" ", "")
    jamo = unicodedata.normalize("NFD", syllables)
    return len(text.split()), len(syllables), len(jamo), len(text.encode())


def pair_counts(words: dict[tuple[str, ...], int]) -> Counter[tuple[str, str]]:
    """Count neighbouring tokens."""
    counts: Counter[tuple[str, str]] = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            counts[pair] += count
    return counts


def best_pair(words: dict[tuple[str, ...], int]) -> tuple[str, str] | None:
    """Return the most frequent pair, in a tie the first by ``<``."""
    counts = pair_counts(words)
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def cut_word(word: str, vocabulary: set[str]) -> list[str]:
    """Cut a word by the longest match."""
    found: list[str] = []
    rest = word
    while rest:
        mark = "##" if found else ""
        fits = [n for n in range(1, len(rest) + 1) if mark + rest[:n] in vocabulary]
        if not fits:
            return ["[UNK]"]
        found.append(mark + rest[: max(fits)])
        rest = rest[max(fits) :]
    return found


def random_text(rng: np.random.Generator) -> tuple[str]:
    """Draw one to three words of one to four syllables."""
    words = [
        "".join(chr(code) for code in rng.integers(0xAC00, 0xD7A4, size=rng.integers(1, 5)))
        for _ in range(rng.integers(1, 4))
    ]
    return (" ".join(words),)


def random_words(rng: np.random.Generator) -> tuple[dict[tuple[str, ...], int]]:
    """Draw words over a small alphabet, so that there are ties."""
    words = {}
    for _ in range(rng.integers(1, 5)):
        word = tuple(str(letter) for letter in rng.choice(list("abc"), size=rng.integers(1, 6)))
        words[word] = int(rng.integers(1, 4))
    return (words,)


def random_pieces(rng: np.random.Generator) -> tuple[str, set[str]]:
    """Draw a word and pieces that often fit."""
    word = "".join(rng.choice(list("ab"), size=rng.integers(1, 8)))
    pieces = {"a", "##a", "##b"}
    for _ in range(rng.integers(1, 7)):
        piece = "".join(rng.choice(list("ab"), size=rng.integers(1, 4)))
        pieces.add(piece if rng.integers(2) else f"##{piece}")
    return word, pieces


def _place(got: Any, expected: Any, place: int) -> bool:
    """Tell whether only one number of four differs."""
    return (
        isinstance(got, tuple | list)
        and len(got) == 4
        and [k for k in range(4) if got[k] != expected[k]] == [place]
    )


def _shortest(word: str, vocabulary: set[str]) -> list[str]:
    found: list[str] = []
    while word:
        mark = "##" if found else ""
        fits = [n for n in range(1, len(word) + 1) if mark + word[:n] in vocabulary]
        if not fits:
            return ["[UNK]"]
        found.append(mark + word[: min(fits)])
        word = word[min(fits) :]
    return found


EXERCISES = {
    "by_hand": Exercise(
        expected="ZX",
        hints=(
            (lambda args, got, expected: got == "ZYY", "That is after two merges. One more."),
            (lambda args, got, expected: got == "XZ", "At the second step c comes before Z."),
            (lambda args, got, expected: got == "XY", "At the third step Y comes before Z."),
            (
                lambda args, got, expected: isinstance(got, str) and len(got) > 2,
                "Each merge replaces all places of the pair.",
            ),
        ),
    ),
    "sizes": Exercise(
        reference=sizes,
        cases=(("가",), ("갔다",), ("어제 카페",), ("어제 카페 갔었어",)),
        generate=random_text,
        hints=(
            (
                lambda args, got, expected: _place(got, expected, 3) and got[3] == 3 * expected[1],
                "A space is a byte, too.",
            ),
            (
                lambda args, got, expected: _place(got, expected, 3),
                "In UTF-8 a syllable has three bytes.",
            ),
            (
                lambda args, got, expected: _place(got, expected, 2),
                "Not every syllable has three jamo, and a space is none: use form NFD.",
            ),
            (
                lambda args, got, expected: _place(got, expected, 1) and got[1] == len(args[0]),
                "Spaces are no syllables.",
            ),
        ),
    ),
    "best_pair": Exercise(
        reference=best_pair,
        cases=(
            ({("a", "b"): 1},),
            ({("a",): 3},),
            ({("b", "a"): 1, ("a", "b"): 1},),
            ({("a", "b"): 1, ("b", "c"): 5},),
            ({("ab", "c", "ab"): 2},),
        ),
        generate=random_words,
        hints=(
            (
                lambda args, got, expected: expected is None,
                "A word of one token has no pair. Then return None.",
            ),
            (
                lambda args, got, expected: isinstance(got, str),
                "Return a tuple of two tokens: one cannot see in 'abc' where it was cut.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, tuple)
                    and got in pair_counts(args[0])
                    and pair_counts(args[0])[got] == pair_counts(args[0])[expected]
                ),
                "As frequent as the best one; look at the rule for ties.",
            ),
            (
                lambda args, got, expected: isinstance(got, tuple) and got in pair_counts(args[0]),
                "Another pair is more frequent. Does each word count as often as it occurs?",
            ),
        ),
    ),
    "cut_word": Exercise(
        reference=cut_word,
        cases=(
            ("a", {"a"}),
            ("ab", {"a", "##b", "ab"}),
            ("ab", {"a", "b"}),
            ("aab", {"a", "##a"}),
            ("embeddings", {"em", "##bed", "##ding", "##s", "##d", "##be"}),
        ),
        generate=random_pieces,
        hints=(
            (
                lambda args, got, expected: (
                    expected == ["[UNK]"] and isinstance(got, list) and "[UNK]" in got
                ),
                "If one piece is missing, the whole word is unknown.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, list)
                    and [str(x).removeprefix("##") for x in got]
                    == [x.removeprefix("##") for x in expected]
                ),
                "Pieces after the first keep their mark.",
            ),
            (
                lambda args, got, expected: got == _shortest(*args),
                "Always the longest piece that fits, not the first one found.",
            ),
            (
                lambda args, got, expected: expected == ["[UNK]"],
                "Inside a word only pieces with ## fit.",
            ),
        ),
    ),
    "gain": Exercise(
        expected=18.6454,
        tolerance=(0.0, 0.05),
        hints=(
            (lambda args, got, expected: abs(got + 18.6454) < 0.01, "After minus before."),
            (
                lambda args, got, expected: (
                    min(abs(got - 10 * np.log(5)), abs(got - 10 * np.log(5) + 10)) < 0.01
                ),
                "That is the approximation for a small count. Use the definition.",
            ),
            (
                lambda args, got, expected: abs(got - 0.05) < 0.001,
                "That is the ratio. The likelihood is asked for.",
            ),
            (
                lambda args, got, expected: abs(got - 18.6454 / np.log(2)) < 0.02,
                "Natural logarithms.",
            ),
        ),
    ),
    "polite": Exercise(
        expected=1.5454,
        tolerance=(0.0, 0.01),
        hints=(
            (lambda args, got, expected: got < 1, "Longer or shorter? Which one is divided?"),
            (
                lambda args, got, expected: got > 5,
                "That is a number of tokens; divide it by the one of plain sentences.",
            ),
            (
                lambda args, got, expected: got is not ...,
                "Mean tokens per sentence, of the split 'test', with family['Korean', 4000].",
            ),
        ),
    ),
}
