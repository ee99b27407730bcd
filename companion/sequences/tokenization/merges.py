"""Byte pair encoding: merge the most frequent pair of neighbours, again and again.

In training, a word is written as a Python string whose characters are symbols: character number 0
is the first symbol, and so on. A merge is then a replacement in strings, as in the textbook example
aaabdaaabac. Each different word is kept once, with its count; an index says which words hold a
pair, so that a merge only touches those; a heap finds the most frequent pair.

Ties are broken as in the ``tokenizers`` library: of pairs with the same count, the one with the
smallest id on the left is merged, then the one with the smallest id on the right. Pairs are counted
with overlaps: *aaa* holds *aa* twice. What this module leaves out: dropout, merges across words.

References (in full in the chapter's bibliography): Gage (1994), the algorithm; Sennrich et al.
(2016), its use on words.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from companion.sequences.tokenization.words import room

SHORT = 64  # symbols; longer words are merged with a heap


def merge_pairs(text: str, merges: Mapping[str, str]) -> list[str]:
    """Replace pairs of neighbouring symbols by new symbols, one kind of pair after the other.

    Parameters
    ----------
    text : str
        Each character is a symbol.
    merges : mapping of str to str
        New symbol to the pair that it stands for, in the order of the merges.

    Returns
    -------
    list of str
        The text before and after each merge.

    Raises
    ------
    ValueError
        If a pair has not two symbols, or a new symbol is not one character that is new.

    Examples
    --------
    >>> merge_pairs("aaabdaaabac", {"Z": "aa", "Y": "ab", "X": "ZY"})
    ['aaabdaaabac', 'ZabdZabac', 'ZYdZYac', 'XdXac']
    """
    steps = [text]
    used = set(text)
    for symbol, pair in merges.items():
        if len(pair) != 2:
            raise ValueError(f"merges must map to pairs of two symbols, got {pair!r}")
        if len(symbol) != 1 or symbol in used:
            raise ValueError(f"merges must name new symbols of one character, got {symbol!r}")
        used.add(symbol)
        steps.append(steps[-1].replace(pair, symbol))
    return steps


class PairIndex:
    """Words as strings of symbols, the counts of neighbouring pairs, and where they are.

    Parameters
    ----------
    words : mapping of str to int
        Each different word, with how often it occurs.

    Attributes
    ----------
    counts : dict of str to int
        Each pair, a string of two symbols, to its count over all words.

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
                if pair in self.counts:
                    self.counts[pair] += frequency
                    self.where[pair].append(place)
                else:
                    self.counts[pair] = frequency
                    self.where[pair] = [place]

    def merge(self, pair: str, symbol: str) -> dict[str, int]:
        """Replace a pair by a symbol in all words that hold it.

        Parameters
        ----------
        pair, symbol : str
            Two characters, and one.

        Returns
        -------
        dict of str to int
            By how much the counts of other pairs change. `counts` is left for the caller to adapt.
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


def learn_merges(
    words: Mapping[str, int],
    vocab_size: int,
    *,
    alphabet: Iterable[str] = (),
    special_tokens: Sequence[str] = (),
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Learn which pairs to merge: always the most frequent pair, until the vocabulary is full.

    Parameters
    ----------
    words : mapping of str to int
        Each different word, with how often it occurs.
    vocab_size : int
        Of special tokens, single characters and merged tokens together. It stays smaller if no
        pair is left.
    alphabet : iterable of str
        Characters that belong into the vocabulary even if no word has them.
    special_tokens : sequence of str
        They take the first ids.

    Returns
    -------
    vocabulary : dict of str to int
        Special tokens, then characters by code point, then merged tokens in their order.
    merges : list of pairs of str
        In their order.

    Raises
    ------
    TypeError, ValueError
        If `vocab_size` is no integer, or too small for special tokens and characters.

    Examples
    --------
    >>> learn_merges({"aaabdaaabac": 1}, 7)[1]
    [('a', 'a'), ('a', 'b'), ('aa', 'ab')]
    """
    characters = sorted(set(alphabet).union(*words))
    tokens = list(dict.fromkeys((*special_tokens, *characters)))
    vocab_size = room(vocab_size, len(tokens))
    vocabulary = {token: number for number, token in enumerate(tokens)}
    symbols = {ord(character): chr(vocabulary[character]) for character in characters}
    pairs = PairIndex({word.translate(symbols): count for word, count in words.items()})
    merges = []
    heap = [(-count, pair) for pair, count in pairs.counts.items()]
    heapq.heapify(heap)
    while heap and len(tokens) < vocab_size:
        count, pair = heapq.heappop(heap)
        if -count != pairs.counts[pair]:  # since it was put there, merges have taken some
            if pairs.counts[pair] > 0:
                heapq.heappush(heap, (-pairs.counts[pair], pair))
            continue
        left, right = (tokens[ord(symbol)] for symbol in pair)
        merges.append((left, right))
        number = vocabulary.setdefault(left + right, len(tokens))
        if number == len(tokens):  # else it is the text of a special token
            tokens.append(left + right)
        for changed, change in pairs.merge(pair, chr(number)).items():
            new = changed not in pairs.counts
            pairs.counts[changed] = pairs.counts.get(changed, 0) + change
            if new and change > 0:
                heapq.heappush(heap, (-change, changed))
    return vocabulary, merges


def apply_merges(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Merge the characters of a word: always the pair of the lowest rank, the leftmost first.

    Parameters
    ----------
    word : str
        Any word.
    ranks : mapping of (str, str) to int
        Each pair that is merged to its place in the order of the merges.

    Returns
    -------
    list of str
        The tokens; in a row they are the word.

    Examples
    --------
    >>> apply_merges("banana", {("a", "n"): 0, ("an", "a"): 1, ("b", "an"): 2})
    ['ban', 'ana']
    """
    if len(word) > SHORT:
        return _apply_with_heap(word, ranks)
    parts = list(word)
    while len(parts) > 1:
        found = [ranks.get(pair, math.inf) for pair in pairwise(parts)]
        lowest = min(found)
        if lowest == math.inf:
            break
        place = found.index(lowest)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def _apply_with_heap(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Do the same in n log n steps: parts know their neighbours, candidates lie in a heap."""
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
