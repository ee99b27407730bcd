"""Word vectors: what all methods of this chapter return, whatever they were learned from.

The similarity of two words is the cosine of the angle between their vectors::

    cos(a, b) = a · b / (|a| |b|)

and "a is to b as c is to ?" is answered by the word nearest to b - a + c, after all three have been
brought to length 1; a, b and c themselves are no answers unless they are allowed. What this module
leaves out: an index that avoids comparing with all words, and the binary form of the files.

References (in full in the chapter's bibliography): Mikolov et al. (2013c), analogies; Linzen
(2016), what leaving out the question's words does.

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import finite, flag, instance, integer
from companion.arguments import texts as checked_texts
from companion.sequences.tokenization import files
from companion.sequences.tokenization.characters import valid
from companion.sequences.vocabulary import Vocabulary, distinct


class WordVectors:
    """Words, and a vector for each.

    Parameters
    ----------
    words : sequence of str
        V different words, none of them empty.
    vectors : array_like, shape (V, D)
        Row i belongs to word i. Kept as float32, in which they must be finite, too.
    counts : array_like of int, shape (V,), optional
        How often each word occurred in the text.
    contexts : array_like, shape (V, D), optional
        The vectors that the words have as neighbours of others: the second matrix of word2vec.

    Examples
    --------
    >>> vectors = WordVectors(["cat", "dog", "car"], [[1, 2], [2, 3.5], [3, -1]])
    >>> "cat" in vectors, len(vectors), vectors["dog"]
    (True, 3, array([2. , 3.5], dtype=float32))
    >>> vectors.most_similar("cat", 1)[0][0]
    'dog'
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: ArrayLike,
        *,
        counts: ArrayLike | None = None,
        contexts: ArrayLike | None = None,
    ) -> None:
        self.words = distinct(words, "words")
        self.vocabulary = Vocabulary(self.words, counts)
        self.ids, self.counts = self.vocabulary.ids, self.vocabulary.counts
        self.vectors = _table(vectors, "vectors")
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words) or not self.vectors.size:
            wanted = f"({len(self.words)}, D), one row for each word"
            raise ValueError(f"vectors must have the shape {wanted}, got {self.vectors.shape}")
        self.contexts = None
        if contexts is not None:
            self.contexts = _table(contexts, "contexts", self.vectors.shape)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.vocabulary

    def __getitem__(self, word: str) -> np.ndarray:
        """Return the vector of a word, shape (D,)."""
        if instance(word, "word", str) not in self.ids:
            raise ValueError(f"word must be one of the {len(self)} known ones, got {word!r}")
        return self.vectors[self.ids[word]]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} words, {self.vectors.shape[1]} numbers each)"

    @cached_property
    def directions(self) -> np.ndarray:
        """The vectors brought to length 1, shape (V, D); a vector of zeros stays as it is."""
        return _unit(self.vectors)

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine similarity of two words, from -1 to 1; zeros have no direction."""
        return float(np.clip(self._direction(a) @ self._direction(b), -1, 1))

    def most_similar(
        self, word: str | ArrayLike, n: int = 10, *, exclude: Iterable[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return the nearest words and their cosine similarity, the nearest first.

        `word` is a word, or a vector, shape (D,). At most `n` words that are not in `exclude`, by
        default all but `word` itself; of equally near ones, the one with the smaller number comes
        first.
        """
        integer(n, "n", 1)
        left_out = set() if exclude is None else set(checked_texts(exclude, "exclude", least=0))
        if isinstance(word, str):
            query = self._direction(word)
            left_out = {word} if exclude is None else left_out
        else:
            vector = finite(word, "word", self.vectors.shape[1:])
            if not vector.any():
                raise ValueError("word must not be a vector of zeros: it has no direction")
            query = _unit(vector).astype(np.float32)
        cosines = np.clip(self.directions @ query, -1, 1)  # (V,)
        order = np.argsort(-cosines, kind="stable")[: n + len(left_out)]
        found = [(self.words[i], float(cosines[i])) for i in order]
        return [pair for pair in found if pair[0] not in left_out][:n]

    def analogy(
        self, a: str, b: str, c: str, n: int = 1, *, exclude_query: bool = True
    ) -> list[tuple[str, float]]:
        """Answer "a is to b as c is to ?" by the words nearest to b - a + c.

        `exclude_query` leaves `a`, `b` and `c` out, as in published accuracies.

        Examples
        --------
        >>> plane = WordVectors(
        ...     ["man", "woman", "king", "queen"], [[1, 0], [1, 0.1], [0.5, 2], [0.5, 2.2]]
        ... )
        >>> plane.analogy("woman", "man", "queen")[0][0]
        'king'
        """
        left_out = (a, b, c) if flag(exclude_query, "exclude_query") else ()
        query = self._direction(b) - self._direction(a) + self._direction(c)
        return self.most_similar(query, n, exclude=left_out)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the text format of word2vec: "V D", then one line for each word, "word x1 ... xD".

        Every float32 comes back as it was. Counts and context vectors are not in this format. The
        file is replaced only when the new one is complete. A word must not hold what ends words or
        lines in such a file, a space or a line feed.
        """
        for word in self.words:
            if " " in valid(word, "words") or "\n" in word:
                raise ValueError(
                    f"words in a file must not hold a space or line feed, got {word!r}"
                )
        table = zip(self.words, self.vectors.astype(str), strict=True)
        lines = (f"{word} {' '.join(row)}\n" for word, row in table)
        files.replace(path, chain([f"{len(self)} {self.vectors.shape[1]}\n"], lines))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> WordVectors:
        """Read a file in the text format of word2vec, as this class, gensim and others write it.

        ValueError if it is no such file: it names the file, and where there is one, the line.
        """
        path = files.file_path(path)
        try:
            lines = path.read_bytes().decode("utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path.name} must be a text in UTF-8: {error}") from None
        sizes = lines[0].split()
        if len(sizes) != 2 or not all(re.fullmatch("[1-9][0-9]{0,14}", size) for size in sizes):
            wanted = "must begin with the numbers of words and of dimensions"
            raise ValueError(f"{path.name} {wanted}, got {lines[0][:40]!r}")
        V, D = map(int, sizes)
        body = lines[1:] if lines[-1] else lines[1:-1]
        if len(body) != V:
            raise ValueError(f"{path.name} must have {V} lines after the first, got {len(body)}")
        words, rows = [], np.empty(0, np.float32)
        for number, line in enumerate(body):
            place = f"{path.name}, line {number + 2}"
            word, *values = line.rstrip(" \r").split(" ")
            if len(values) != D:
                got = f"{word[:40]!r} and {len(values)}"
                raise ValueError(f"{place}: expected a word and {D} numbers, got {got}")
            if number == 0:  # so wide is the first line, not only its announcement
                rows = np.empty((V, D), np.float32)
            try:
                rows[number] = values
            except ValueError as error:
                raise ValueError(f"{place}: {error}") from None
            words.append(word)
        try:
            return WordVectors(words, rows)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None

    def _direction(self, word: str) -> np.ndarray:
        """Return the vector of a word brought to length 1, shape (D,)."""
        vector = self[word]
        if not vector.any():
            raise ValueError(f"the vector of {word!r} is zero and has no direction")
        return _unit(vector)


def _table(values: ArrayLike, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return numbers as float32, if they do not become infinite or vanish in it."""
    numbers = finite(values, name, shape)
    with np.errstate(over="ignore"):
        table = numbers.astype(np.float32)
    lost = np.isinf(table) | ((table == 0) & (numbers != 0) & ~table.any(axis=-1, keepdims=True))
    if lost.any():
        raise ValueError(f"{name} must be numbers that float32 can hold, got {numbers[lost][0]}")
    return table


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Divide by the length along the last axis; zeros stay zeros.

    Squares of very large and very small numbers are infinity and 0: so the largest number is
    brought to about 1 first, by a power of 2, which rounds nothing.
    """
    _, exponents = np.frexp(np.abs(vectors).max(axis=-1, keepdims=True))
    scaled = np.ldexp(vectors, -exponents)
    lengths = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return scaled / np.where(lengths > 0, lengths, 1)
