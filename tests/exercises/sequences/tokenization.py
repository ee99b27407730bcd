"""Right and wrong answers to the exercises of the chapter on tokenization."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

from companion.data.town.hangul import split_syllable

from ..harness import Answers


def sizes_by_taking_apart(text):
    syllables = [letter for letter in text if letter != " "]
    jamo = sum(len([j for j in split_syllable(letter) if j]) for letter in syllables)
    return text.count(" ") + 1, len(syllables), jamo, 3 * len(syllables) + text.count(" ")


def sizes_by_dividing(text):
    codes = [ord(letter) - 0xAC00 for word in text.split(" ") for letter in word]
    jamo = sum(2 + (code % 28 > 0) for code in codes)
    return 1 + text.count(" "), len(codes), jamo, len(bytes(text, "utf-8"))


def counted(words):
    counts = Counter()
    for word, count in words.items():
        for pair in pairwise(word):
            counts[pair] += count
    return counts


def best_by_sorting(words):
    counts = counted(words)
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[0] if counts else None


def best_by_max(words):
    counts = counted(words)
    return max(sorted(counts), key=counts.get) if counts else None


def best_first_met(words):
    counts = counted(words)
    return max(counts, key=counts.get) if counts else None


def best_without_counts(words):
    counts = counted(dict.fromkeys(words, 1))
    return min(counts, key=lambda pair: (-counts[pair], pair), default=None)


def cut_with_expression(word, vocabulary):
    found, place = [], 0
    while place < len(word):
        pieces = {p.removeprefix("##") for p in vocabulary if p.startswith("##") == bool(found)}
        options = "|".join(sorted(map(re.escape, pieces), key=len, reverse=True))
        match = re.compile(options).match(word, place) if options else None
        if not match:
            return ["[UNK]"]
        found.append("##" * bool(found) + match.group())
        place = match.end()
    return found


def cut_from_the_end(word, vocabulary, *, mark="##", unknown=None, longest=True):
    found, place = [], 0
    while place < len(word):
        ends = range(len(word), place, -1) if longest else range(place + 1, len(word) + 1)
        for end in ends:
            piece = (mark if found else "") + word[place:end]
            if piece in vocabulary:
                found.append(piece)
                place = end
                break
        else:
            return [*found, "[UNK]"] if unknown else ["[UNK]"]
    return found


def cut_without_marks(word, vocabulary):
    return [piece.removeprefix("##") for piece in cut_from_the_end(word, vocabulary)]


GAIN = (
    10 * math.log(10) + 10 * math.log(10) - 20 * math.log(20) - 10 * math.log(10)
    + 100 * math.log(100) - 90 * math.log(90)
)  # fmt: skip

ANSWERS = {
    "sequences.tokenization.by_hand": Answers(
        right=["ZX", "Z" + "X"],
        wrong=[
            ("ZYY", "after two merges"),
            ("XZ", "c comes before Z"),
            ("XY", "Y comes before Z"),
            ("ZcZcZ", "all places"),
        ],
    ),
    "sequences.tokenization.sizes": Answers(
        right=[sizes_by_taking_apart, sizes_by_dividing],
        wrong=[
            (lambda t: (*sizes_by_taking_apart(t)[:3], 3 * len(t.replace(" ", ""))), "space is a"),
            (lambda t: (*sizes_by_taking_apart(t)[:3], len(t)), "three bytes"),
            (
                lambda t: (
                    *sizes_by_taking_apart(t)[:2],
                    3 * sizes_by_taking_apart(t)[1],
                    sizes_by_taking_apart(t)[3],
                ),
                "use form NFD",
            ),
            (
                lambda t: (len(t.split()), len(t), *sizes_by_taking_apart(t)[2:]),
                "Spaces are no syllables",
            ),
        ],
    ),
    "sequences.tokenization.best_pair": Answers(
        right=[best_by_sorting, best_by_max],
        wrong=[
            (best_first_met, "rule for ties"),
            (best_without_counts, "more frequent"),
            (lambda words: "".join(best_by_max(words) or ("", "")), "tuple of two"),
            (lambda words: max(counted(words), key=counted(words).get), "no pair"),
        ],
    ),
    "sequences.tokenization.cut_word": Answers(
        right=[cut_with_expression, cut_from_the_end],
        wrong=[
            (lambda w, v: cut_from_the_end(w, v, unknown=True), "whole word is unknown"),
            (lambda w, v: cut_from_the_end(w, v, longest=False), "longest piece that fits"),
            (cut_without_marks, "keep their mark"),
            (lambda w, v: cut_from_the_end(w, v, mark=""), "only pieces with ##"),
        ],
    ),
    "sequences.tokenization.gain": Answers(
        right=[GAIN, 18.645, 18.6],
        wrong=[
            (-GAIN, "After minus before"),
            (10 * math.log(5), "approximation"),
            (0.05, "ratio"),
            (GAIN / math.log(2), "Natural"),
        ],
    ),
    "sequences.tokenization.polite": Answers(
        right=[1.5454, 1.55],
        wrong=[(0.65, "Which one is divided"), (9.03, "divide it"), (1.2, "split 'test'")],
    ),
}
