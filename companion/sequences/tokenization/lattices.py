"""All ways to write words with given pieces, and how likely each piece is to be used.

A word of n letters has n + 1 places, before, between and after its letters; a piece that fits is an
edge from one place to a later one, and a way to write the word is a path of edges. With the
probability p of each piece, independent of the others::

    forward(j)   = sum over edges (i, j) of forward(i) * p          from forward(0) = 1
    backward(i)  = sum over edges (i, j) of p * backward(j)         from backward(n) = 1
    P(edge used) = forward(i) * p * backward(j) / forward(n)

All words are computed side by side, place by place. Each letter multiplies by e**4, so that the
product of many small numbers does not become 0; in P this cancels.

References (in full in the chapter's bibliography): Kudo (2018).

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

SCALE = 4.0  # e**SCALE for each letter


class Lattices:
    """The lattices of some words.

    Parameters
    ----------
    words : sequence of str
        None of them empty.
    pieces : mapping of str to int
        Each piece to its number, 0, 1, ...; all single letters of the words are among them.
    proper : bool, default False
        Leave out the edge that is the whole word, unless it is a single letter.

    Examples
    --------
    >>> pieces = {"a": 0, "b": 1, "ab": 2}
    >>> lattices = Lattices(["ab"], pieces)
    >>> probabilities = np.array([0.5, 0.25, 0.25])
    >>> expected, likelihood = lattices.expected_counts(probabilities, np.array([1]))
    >>> expected.round(3), round(float(np.exp(likelihood)), 3)  # 1/8 of it a b, 2/8 ab
    (array([0.333, 0.333, 0.667]), 0.375)
    """

    def __init__(
        self, words: Sequence[str], pieces: Mapping[str, int], *, proper: bool = False
    ) -> None:
        longest = max(map(len, pieces), default=0)
        rows: list[tuple[int, int, int, int]] = []
        for number, word in enumerate(words):
            n = len(word)
            for start in range(n):
                for end in range(start + 1, min(n, start + longest) + 1):
                    piece = pieces.get(word[start:end])
                    if piece is not None and not (proper and end - start == n > 1):
                        rows.append((number, start, end, piece))
        self.n_pieces = len(pieces)
        self.lengths = np.array([len(word) for word in words], dtype=np.int64)
        # All places of all words in a row: word number w begins at first[w].
        self.first = np.concatenate([[0], np.cumsum(self.lengths + 1)])
        self.word, self.start, self.end, self.piece = (
            np.array(rows, dtype=np.int64).reshape(-1, 4).T
        )

    def keep(self, kept: np.ndarray) -> None:
        """Keep some pieces, `kept` (n_pieces,); they have new numbers, in their order."""
        edges = kept[self.piece]
        self.word, self.start, self.end = self.word[edges], self.start[edges], self.end[edges]
        self.piece = (np.cumsum(kept) - 1)[self.piece[edges]]
        self.n_pieces = int(kept.sum())

    def expected_counts(
        self, probabilities: np.ndarray, frequencies: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Return how often each piece is used on average, and the log-likelihood of all words.

        Parameters
        ----------
        probabilities : ndarray, shape (n_pieces,)
            Of the pieces.
        frequencies : ndarray, shape (n_words,)
            How often each word occurs.

        Returns
        -------
        expected : ndarray, shape (n_pieces,)
            Over all occurrences of all words.
        log_likelihood : float
            Sum over words of frequency * log of the sum over paths; minus infinity if a word has
            no path.
        """
        source, target = self.first[self.word] + self.start, self.first[self.word] + self.end
        weight = probabilities[self.piece] * np.exp(SCALE * (self.end - self.start))
        forward, backward = np.zeros((2, self.first[-1]))
        forward[self.first[:-1]] = 1
        for edges in _groups(self.end):
            np.add.at(forward, target[edges], forward[source[edges]] * weight[edges])
        last = self.first[:-1] + self.lengths
        backward[last] = 1
        for edges in reversed(_groups(self.start)):
            np.add.at(backward, source[edges], weight[edges] * backward[target[edges]])
        whole = forward[last]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = forward[source] * weight * backward[target] / whole[self.word]
            log_likelihood = frequencies @ (np.log(whole) - SCALE * self.lengths)
        expected = np.bincount(
            self.piece, weights=share * frequencies[self.word], minlength=self.n_pieces
        )
        return expected, float(log_likelihood)

    def best(self, log_probabilities: np.ndarray) -> np.ndarray:
        """Return the log-probability of the best path of each word, shape (n_words,).

        From those of the pieces, shape (n_pieces,); minus infinity for a word without a path.
        """
        source, target = self.first[self.word] + self.start, self.first[self.word] + self.end
        best = np.full(self.first[-1], -np.inf)
        best[self.first[:-1]] = 0
        for edges in _groups(self.end):
            candidates = best[source[edges]] + log_probabilities[self.piece[edges]]
            np.maximum.at(best, target[edges], candidates)
        return best[self.first[:-1] + self.lengths]


def _groups(places: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of the edges with the same place, for each place in rising order."""
    order = np.argsort(places, kind="stable")
    cuts = np.flatnonzero(np.diff(places[order])) + 1
    return np.split(order, cuts)
