"""Words as numbers: one-hot vectors, and the words that stand around a word.

A word's one-hot vector has one number for each word of the vocabulary: 1 for itself, else 0. The
context of a word are the words at most `window` places to its left and right in the same sentence.
Sentences are lists of words; how a text becomes words is the matter of the chapter before.

What this module leaves out: words that are not in the vocabulary are dropped from the text, and the
words around the gap move together, as in word2vec; there is no token for unknown words.

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import array, integer, texts


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

    Examples
    --------
    >>> one_hot([0, 2], 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    V = integer(size, "size", 1)
    numbers = array(ids, "ids")
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

    `window` is how many words to the left and to the right belong to the context. The pairs come in
    the order of the sentence; there are none if it has fewer than two words.

    Examples
    --------
    >>> context_pairs(["I", "love", "cat"], 1)
    [('I', 'love'), ('love', 'I'), ('love', 'cat'), ('cat', 'love')]
    """
    integer(window, "window", 1)
    words = texts(tokens, "tokens", least=0)
    return [
        (word, words[j])
        for i, word in enumerate(words)
        for j in range(max(0, i - window), min(len(words), i + window + 1))
        if j != i
    ]


def numbered(
    sentences: Iterable[Sequence[str]], ids: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Write sentences as one row of numbers; words without a number are left out.

    Returns
    -------
    ids : ndarray of int64, shape (T,)
        The numbers of the words.
    places : ndarray of int64, shape (T,)
        The number of the sentence in which each of them stands.

    Examples
    --------
    >>> numbered([["b", "?"], ["a"]], {"a": 0, "b": 1})
    (array([1, 0]), array([0, 1]))
    """
    kept = list(sentences)
    found = np.fromiter((ids.get(word, -1) for word in chain.from_iterable(kept)), np.int64)
    places = np.repeat(np.arange(len(kept)), np.fromiter(map(len, kept), np.int64, len(kept)))
    return found[found >= 0], places[found >= 0]


def neighbourhoods(
    ids: np.ndarray, places: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the words around each word of a text, and which of them count.

    `ids` and `places`, shape (T,), are as from `numbered`; `window` is how many words to each side.

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
