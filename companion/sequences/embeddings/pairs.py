"""Words as numbers: one-hot vectors, a vocabulary, and the words that stand around a word.

A word's one-hot vector has one number for each word of the vocabulary: 1 for itself, else 0. The
context of a word are the words at most `window` places to its left and right in the same sentence.
Sentences are lists of words; how a text becomes words is the matter of the chapter before.

What this module leaves out: words rarer than `min_count` are dropped from the text, and the words
around the gap move together, as in word2vec; there is no token for unknown words.

References (in full in the chapter's bibliography): Mikolov et al. (2013b), for the subsampling of
frequent words and the noise distribution.

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import between, integer


def one_hot(ids: ArrayLike, size: int) -> np.ndarray:
    """Return vectors with a single 1, at the place of each word.

    Parameters
    ----------
    ids : array_like of int, any shape
        Numbers of words, from 0 to `size` - 1.
    size : int
        V, the number of words in the vocabulary.

    Returns
    -------
    ndarray of float64, shape (*ids.shape, V)
        Ones and zeros.

    Raises
    ------
    TypeError, ValueError
        If `size` is no integer of 1 or more, or `ids` hold anything but numbers of words.

    Examples
    --------
    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    V = integer(size, "size", 1)
    numbers = np.asarray(ids)
    if numbers.size == 0:
        return np.zeros((*numbers.shape, V))
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"ids must hold integers, got {numbers.dtype}")
    if numbers.min() < 0 or numbers.max() >= V:
        outside = numbers[(numbers < 0) | (numbers >= V)][0]
        raise ValueError(f"ids must lie between 0 and {V - 1}, got {outside}")
    return (numbers[..., None] == np.arange(V)).astype(np.float64)


def context_pairs(tokens: Sequence[str], window: int) -> list[tuple[str, str]]:
    """Return each word of a sentence with each word of its context.

    Parameters
    ----------
    tokens : list or tuple of str
        One sentence.
    window : int
        How many words to the left and to the right belong to the context.

    Returns
    -------
    list of (str, str)
        Word and context word, in the order of the sentence; none if it has fewer than two words.

    Raises
    ------
    TypeError, ValueError
        If `tokens` is no list of words, or `window` no integer of 1 or more.

    Examples
    --------
    >>> context_pairs(["I", "love", "cat"], 1)
    [('I', 'love'), ('love', 'I'), ('love', 'cat'), ('cat', 'love')]
    """
    integer(window, "window", 1)
    check_sentences([tokens], "tokens")
    return [
        (word, tokens[j])
        for i, word in enumerate(tokens)
        for j in range(max(0, i - window), min(len(tokens), i + window + 1))
        if j != i
    ]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of a text, the most frequent first; equally frequent ones in the alphabet's order.

    Parameters
    ----------
    words : tuple of str
        V words; the place of a word is its number.
    counts : ndarray of int64, shape (V,)
        How often each occurs.

    Examples
    --------
    >>> vocabulary = Vocabulary.of([["I", "love", "cat"], ["we", "love", "dogs"]])
    >>> vocabulary.words
    ('love', 'I', 'cat', 'dogs', 'we')
    >>> vocabulary.counts
    array([2, 1, 1, 1, 1])
    """

    words: tuple[str, ...]
    counts: np.ndarray

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], min_count: int = 1) -> Vocabulary:
        """Count the words of sentences; leave out what occurs less than `min_count` times.

        Raises
        ------
        TypeError, ValueError
            If `sentences` are not lists of words, `min_count` is no integer of 1 or more, or no
            word is left.
        """
        least = integer(min_count, "min_count", 1)
        counts = Counter(chain.from_iterable(check_sentences(sentences)))
        for word in counts:
            if not isinstance(word, str) or not word:
                raise TypeError(f"sentences must hold words, strings that are not empty: {word!r}")
        kept = sorted((-count, word) for word, count in counts.items() if count >= least)
        if not kept:
            most = max(counts.values(), default=0)
            raise ValueError(
                f"sentences must hold a word {least} times (min_count), got {len(counts)} "
                f"different words, none more than {most} times"
            )
        return cls(tuple(word for _, word in kept), np.array([-count for count, _ in kept]))

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Word to number."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, sentences: Iterable[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Write sentences as one row of numbers; unknown words are left out.

        Returns
        -------
        ids : ndarray of int64, shape (T,)
            The numbers of the words.
        places : ndarray of int64, shape (T,)
            The number of the sentence in which each of them stands.

        Examples
        --------
        >>> ids, places = Vocabulary.of([["a", "a", "b"]]).encode([["b", "?"], ["a"]])
        >>> ids, places
        (array([1, 0]), array([0, 1]))
        """
        kept = check_sentences(sentences)
        numbers = (self.ids.get(word, -1) for word in chain.from_iterable(kept))
        ids = np.fromiter(numbers, np.int64)
        places = np.repeat(np.arange(len(kept)), np.fromiter(map(len, kept), np.int64, len(kept)))
        return ids[ids >= 0], places[ids >= 0]

    def keep_probabilities(self, subsample: float | None) -> np.ndarray:
        """Return the probability with which each word stays in the text, shape (V,).

        With share f of the text and t = `subsample` it is sqrt(t/f) + t/f, or 1 if that is more:
        the formula of the program word2vec. (The paper prints sqrt(t/f).) None keeps all.

        Examples
        --------
        >>> Vocabulary(("the", "cat"), np.array([99, 1])).keep_probabilities(0.01).round(2)
        array([0.11, 1.  ])
        """
        if subsample is None:
            return np.ones(len(self))
        ratio = between(0, subsample, np.inf, "subsample") * self.counts.sum() / self.counts
        return np.minimum(1.0, np.sqrt(ratio) + ratio)

    def noise(self, power: float = 0.75) -> np.ndarray:
        """Return the probabilities of negative samples, shape (V,): counts to the power 3/4.

        Examples
        --------
        >>> Vocabulary(("a", "b"), np.array([16, 1])).noise()
        array([0.88888889, 0.11111111])
        """
        weights = self.counts.astype(np.float64) ** power
        return weights / weights.sum()


def neighbourhoods(
    ids: np.ndarray, places: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the words around each word of a text, and which of them count.

    Parameters
    ----------
    ids, places : ndarray of int64, shape (T,)
        As from `Vocabulary.encode`.
    window : int
        Words to each side.

    Returns
    -------
    contexts : ndarray of int64, shape (T, 2 * window)
        From left to right; 0 where nothing stands.
    valid : ndarray of bool, shape (T, 2 * window)
        Whether there is a word of the same sentence.
    """
    offsets = np.delete(np.arange(-window, window + 1), window)
    where = np.arange(len(ids))[:, None] + offsets  # (T, 2 * window)
    inside = (where >= 0) & (where < len(ids))
    where = np.where(inside, where, 0)
    valid = inside & (places[where] == places[:, None])
    return np.where(valid, ids[where], 0), valid


def check_sentences(
    sentences: Iterable[Sequence[str]], name: str = "sentences"
) -> list[Sequence[str]]:
    """Return sentences as a list; raise TypeError if one of them is no list or tuple."""
    if isinstance(sentences, str):
        raise TypeError(f"{name} must be lists of words, got the string {sentences[:20]!r}")
    kept = list(sentences)
    for sentence in kept:
        if not isinstance(sentence, list | tuple):
            came = repr(sentence)[:40]
            raise TypeError(f"{name} must be a list of words each, got {came}")
    return kept
