"""What makes merging fast: an index of pairs for training, a heap for long words.

A word is a Python string whose characters are symbols, so a merge is a replacement in strings. Each
different word is kept once, with its count; an index says which words hold a pair, so that a merge
only touches those. The algorithms that use this are in ``bpe`` and ``scores``.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from companion.arguments import came, integer
from companion.sequences.vocabulary import distinct


def counted(words: Any) -> dict[str, int]:
    """Return words that are not empty, each with its count."""
    if not isinstance(words, Mapping):
        raise TypeError(f"words must map each word to its count, got {came(words)}")
    distinct(words, "words", least=0)
    return {word: integer(count, "words", 0) for word, count in words.items()}


class PairIndex:
    """Words as strings of symbols, with their counts; and where in them each pair stands.

    Its attribute `counts` maps each pair, a string of two symbols, to its count over all words.

    Examples
    --------
    >>> index = PairIndex({"aaab": 2})
    >>> index.counts
    {'aa': 4, 'ab': 2}
    >>> dict(index.merge("aa", "Z")), index.words
    ({'aa': -2, 'Za': 2}, ['Zab'])
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self.words = list(words)
        self.frequencies = list(words.values())
        self.counts: dict[str, int] = {}
        self.where: dict[str, list[int]] = {}
        for place, (word, frequency) in enumerate(words.items()):
            for left, right in pairwise(word):
                pair = left + right
                self.counts[pair] = self.counts.get(pair, 0) + frequency
                self.where.setdefault(pair, []).append(place)

    def merge(self, pair: str, symbol: str) -> dict[str, int]:
        """Replace a pair by a symbol in all words; return by how much the counts of others change.

        `counts` is left for the caller to adapt.
        """
        left, right = pair
        changes: defaultdict[str, int] = defaultdict(int)
        for place in self.where.pop(pair):  # a word is named once for each time it holds the pair
            before, found, after = self.words[place].partition(pair)
            if not found:  # another merge has taken one of its symbols
                continue
            frequency = self.frequencies[place]
            if before:
                changes[before[-1] + left] -= frequency
                changes[before[-1] + symbol] += frequency
                self.where.setdefault(before[-1] + symbol, []).append(place)
            if after:
                changes[right + after[0]] -= frequency
                changes[symbol + after[0]] += frequency
                self.where.setdefault(symbol + after[0], []).append(place)
            self.words[place] = before + symbol + after
        return changes


def merge_long(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Do what `apply_merges` does, in n log n steps for a word of n letters.

    Parts know their neighbours, and candidates lie in a heap.
    """
    parts: list[str] = list(word)
    following = list(range(1, len(word) + 1))
    previous = list(range(-1, len(word) - 1))
    heap = [(ranks[pair], place) for place, pair in enumerate(pairwise(parts)) if pair in ranks]
    heapq.heapify(heap)
    while heap:
        rank, place = heapq.heappop(heap)
        other = following[place]
        # Not if one of the two has been merged with another part since.
        if other == len(word) or ranks.get((parts[place], parts[other])) != rank:
            continue
        parts[place] += parts[other]
        parts[other] = ""
        following[place] = following[other]
        if following[place] < len(word):
            previous[following[place]] = place
        for start, end in ((previous[place], place), (place, following[place])):
            if start >= 0 and end < len(word) and (parts[start], parts[end]) in ranks:
                heapq.heappush(heap, (ranks[parts[start], parts[end]], start))
    return [part for part in parts if part]
