"""Which pair to merge: what WordPiece asks, where byte pair encoding only counts.

Pieces inside a word are marked with ``##``. With the counts of a corpus that is cut into N symbols,
a pair ab is judged by its parts as well::

    ratio       count(ab) / (count(a) * count(b))
    likelihood  by how much  sum over symbols of count * log(count / N)  grows if ab is merged

The second is what the papers say. The first is how it is often quoted: times N, it says how much
more often a and b meet than by chance, and it prefers rare pairs. Ties go to the more frequent
pair, then to the smaller ids. For a pair of equal symbols the counts include overlaps. Google's own
training code was never published.

References (in full in the chapter's bibliography): Schuster and Nakajima (2012); Wu et al. (2016).

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from companion.arguments import choice, integer
from companion.sequences.tokenization.merges import PairIndex, counted

MARK = "##"
SCORES = ("likelihood", "ratio")


def likelihood_gain(
    count: np.ndarray, left: np.ndarray, right: np.ndarray, same: np.ndarray, total: int
) -> np.ndarray:
    """Return by how much the log-likelihood of a corpus grows with each possible merge.

    Each symbol has the probability count / total, as counted; after the merge, too.

    Parameters
    ----------
    count, left, right : ndarray of int, shape (n_pairs,)
        Of the pairs, of their first symbols and of their second ones.
    same : ndarray of bool, shape (n_pairs,)
        Whether both symbols are the same.
    total : int
        Symbols of the corpus.

    Returns
    -------
    ndarray, shape (n_pairs,)
        Rounded to 6 digits, so that ties are ties on every processor.

    Examples
    --------
    >>> one, no = np.array([1]), np.array([False])
    >>> likelihood_gain(one, one, one, no, 2)  # two symbols with 1/2 become one with 1
    array([1.386294])
    """

    def f(n: np.ndarray) -> np.ndarray:  # n log n, and 0 for 0
        return n * np.log(np.maximum(n, 1))

    apart = f(left - count) + f(right - count) - f(left) - f(right)
    equal = f(np.maximum(left - 2 * count, 0)) - f(left)
    whole = f(np.array(total)) - f(np.maximum(total - count, 0))
    return np.round(np.where(same, equal, apart) + f(count) + whole, 6)


class PairScores:
    """The scores of all pairs of a corpus, kept up to date while pairs are merged.

    Parameters
    ----------
    words : mapping of str to int
        Each different word to its count.
    score : str, default "likelihood"
        Or "ratio".
    min_count : int, default 1
        Pairs that occur less often are not merged.

    Examples
    --------
    >>> scores = PairScores({"어제": 2, "제주": 1}, "ratio").by_tokens()
    >>> scores["어", "##제"]
    0.5
    """

    def __init__(
        self, words: Mapping[str, int], score: str = "likelihood", *, min_count: int = 1
    ) -> None:
        words = counted(words)
        self.score = choice(score, "score", SCORES)
        self.min_count = integer(min_count, "min_count", 1)
        parts = {word: [word[0], *(MARK + letter for letter in word[1:])] for word in words}
        self.tokens = sorted(set().union(*parts.values()))
        symbol = {token: chr(number) for number, token in enumerate(self.tokens)}
        spelled = {"".join(symbol[part] for part in parts[word]): words[word] for word in words}
        self.index = PairIndex(spelled)
        self.occurrences = np.zeros(len(self.tokens), dtype=np.int64)  # of each symbol
        for word, frequency in spelled.items():
            for letter in word:
                self.occurrences[ord(letter)] += frequency
        self.slots = {pair: slot for slot, pair in enumerate(self.index.counts)}
        self.pairs = np.array([[ord(a), ord(b)] for a, b in self.slots], dtype=np.int64)
        self.pairs = self.pairs.reshape(-1, 2)
        self.counts = np.array([*self.index.counts.values()], dtype=np.int64)  # (n_pairs,)

    def values(self, chosen: np.ndarray) -> np.ndarray:
        """Return the scores of the pairs in some slots, shape of `chosen`."""
        left, right = self.occurrences[self.pairs[chosen].T]
        if self.score == "ratio":
            return self.counts[chosen] / (left * right)
        same = self.pairs[chosen, 0] == self.pairs[chosen, 1]
        total = int(self.occurrences.sum())
        return likelihood_gain(self.counts[chosen], left, right, same, total)

    def by_tokens(self) -> dict[tuple[str, str], float]:
        """Return each pair of tokens that can be merged with its score."""
        alive = np.flatnonzero(self.counts >= self.min_count)
        names = [(self.tokens[a], self.tokens[b]) for a, b in self.pairs[alive]]
        return dict(zip(names, self.values(alive).tolist(), strict=True))

    def merge_best(self) -> str | None:
        """Merge the best pair; return the new token, or None if there is none."""
        alive = np.flatnonzero(self.counts >= self.min_count)
        if len(alive) == 0:
            return None
        values = self.values(alive)
        tied = alive[values == values.max()]
        keys = self.pairs[tied, 1], self.pairs[tied, 0], -self.counts[tied]
        left, right = (int(number) for number in self.pairs[tied[np.lexsort(keys)[0]]])
        pair, number = chr(left) + chr(right), len(self.tokens)
        places = set(self.index.where[pair])
        merged = sum(
            self.index.frequencies[place] * self.index.words[place].count(pair) for place in places
        )
        self.occurrences = np.append(self.occurrences, merged)
        self.occurrences[left] -= merged
        self.occurrences[right] -= merged
        self.tokens.append(self.tokens[left] + self.tokens[right].removeprefix(MARK))
        changes = self.index.merge(pair, chr(number))
        new = [changed for changed in changes if changed not in self.slots]
        self.slots |= {changed: len(self.slots) + k for k, changed in enumerate(new)}
        if new:
            rows = [[ord(a), ord(b)] for a, b in new]
            self.pairs = np.concatenate([self.pairs, rows])
            self.counts = np.append(self.counts, np.zeros(len(new), dtype=np.int64))
        for changed, change in changes.items():
            self.counts[self.slots[changed]] += change
        self.counts[self.slots[pair]] = 0
        return self.tokens[-1]
