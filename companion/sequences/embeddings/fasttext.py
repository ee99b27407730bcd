"""FastText: the vector of a word is made of its pieces, so a word never seen has one, too.

A word is written between marks, <word>, and cut into all pieces of `shortest` to `longest`
characters. Its vector u is the mean of the vectors of its pieces and, if it was in the training
text, of one vector of its own. Everything else is skip-gram (`word2vec`). With Korean syllables as
characters, the forms of a word share the pieces of their stem.

Deviations: pieces are looked up in a table of those that occur in the training text; the program
fastText spreads them over two million places by a hash. Each piece takes the whole gradient of the
mean, as in that program.

Reference (in full in the chapter's bibliography): Bojanowski et al. (2017).

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch

from companion.arguments import finite, instance, integer
from companion.arguments import sentences as checked_sentences
from companion.sequences.embeddings.reading import Blocks, run
from companion.sequences.embeddings.vectors import WordVectors
from companion.sequences.embeddings.word2vec import (
    AT_ONCE,
    add_rows,
    initial_vectors,
    rows,
    skip_gram_gradients,
)
from companion.sequences.vocabulary import Vocabulary


def character_ngrams(word: str, shortest: int = 2, longest: int = 4) -> list[str]:
    """Return the pieces of a word between its marks, each once, from left to right.

    The marks count among its `shortest` to `longest` characters; the whole word between its marks
    is no piece. The short ones come first.

    Examples
    --------
    >>> character_ngrams("사과를", 2, 3)
    ['<사', '사과', '과를', '를>', '<사과', '사과를', '과를>']
    """
    if not instance(word, "word", str):
        raise ValueError("word must not be empty, got ''")
    integer(longest, "longest", integer(shortest, "shortest", 1))
    marked = f"<{word}>"
    pieces = (
        marked[start : start + length]
        for length in range(shortest, min(longest, len(marked)) + 1)
        for start in range(len(marked) - length + 1)
    )
    return [piece for piece in dict.fromkeys(pieces) if piece not in (marked, "<", ">")]


class SubwordVectors(WordVectors):
    """Word vectors that can also make a vector for a word that they do not contain.

    ``vectors["word"]``, `similarity`, `most_similar` and `analogy` take any word that shares a
    piece with the training text; the answers are words of the training text. In a saved file are
    the words only, without their pieces.

    Parameters
    ----------
    words, vectors, counts, contexts
        As for `WordVectors`.
    pieces : mapping of str to array_like of shape (D,)
        Their vectors.
    shortest, longest : int
        As for `character_ngrams`.
    """

    def __init__(
        self,
        words: Sequence[str],
        vectors: Any,
        *,
        pieces: Mapping[str, Any],
        shortest: int,
        longest: int,
        **more: Any,
    ) -> None:
        super().__init__(words, vectors, **more)
        size = self.vectors.shape[1:]
        entries = instance(pieces, "pieces", Mapping).items()
        self.pieces = {name: finite(piece, "pieces", size) for name, piece in entries}
        self.shortest = integer(shortest, "shortest", 1)
        self.longest = integer(longest, "longest", self.shortest)

    def __getitem__(self, word: str) -> np.ndarray:
        """Return the vector of a word, shape (D,); a new one must share a piece with the text."""
        if word in self:
            return self.vectors[self.ids[word]]
        parts = character_ngrams(word, self.shortest, self.longest)
        known = [self.pieces[part] for part in parts if part in self.pieces]
        if not known:
            raise ValueError(f"word must share a piece with the training text, got {word!r}")
        return np.asarray(np.mean(known, axis=0, dtype=np.float64), dtype=np.float32)


def train_fasttext(
    sentences: Iterable[Sequence[str]],
    *,
    size: int = 100,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 5,
    learning_rate: float = 0.025,
    min_count: int = 5,
    subsample: float | None = 1e-3,
    shortest: int = 2,
    longest: int = 4,
    seed: int = 0,
) -> SubwordVectors:
    """Learn vectors of words and of their pieces by skip-gram with negative sampling.

    Parameters
    ----------
    sentences, size, window, negatives, epochs, learning_rate, min_count, subsample, seed
        As for `train_word2vec`.
    shortest, longest : int, default 2 and 4
        As for `character_ngrams`. For languages written in single letters, 3 and 6 are usual.

    Returns
    -------
    SubwordVectors
        With counts and contexts.

    Examples
    --------
    >>> text = [["고양이는", "물을", "마신다"], ["강아지는", "우유를", "마신다"]] * 20
    >>> vectors = train_fasttext(text, size=8, epochs=1)
    >>> "고양이를" in vectors, vectors["고양이를"].shape
    (False, (8,))
    """
    integer(negatives, "negatives", 1)
    text = checked_sentences(sentences, "sentences")
    vocabulary = Vocabulary.count(text, min_count=min_count)
    V = len(vocabulary)
    parts = [character_ngrams(word, shortest, longest) for word in vocabulary.tokens]
    names = {name: V + i for i, name in enumerate(dict.fromkeys(chain.from_iterable(parts)))}
    # Row i lists the vectors of which word i is the mean: its own and those of its pieces, filled
    # up with the last row of the table, which stays zero.
    empty = V + len(names)
    of_word = torch.full((V, 1 + max(map(len, parts))), empty)
    for i, part in enumerate(parts):
        of_word[i, : len(part) + 1] = torch.tensor([i, *(names[name] for name in part)])
    shares = (of_word != empty).sum(dim=1, keepdim=True).float().reciprocal()  # (V, 1)
    z = initial_vectors(empty + 1, size, seed)
    z[empty] = 0
    v = torch.zeros(V, z.shape[1])

    def moved(words: np.ndarray) -> np.ndarray:
        # A piece moves with all words that it is in, and a word as far as its pieces on average.
        once = torch.from_numpy(words)[:, None].expand(of_word.shape).reshape(-1)
        pieces = torch.zeros(len(z), dtype=once.dtype).index_add_(0, of_word.reshape(-1), once)
        pieces[empty] = 0
        return (pieces[of_word].sum(dim=1) * shares[:, 0]).numpy()

    def step(blocks: Blocks, rate: float) -> None:
        predicted = torch.cat([blocks.contexts, blocks.noise], dim=1)  # (n, M + K)
        lists = of_word[blocks.centres]  # (n, C, P)
        u = rows(z, lists).sum(dim=2) * shares[blocks.centres]  # (n, C, D)
        change_u, change_v = skip_gram_gradients(u, rows(v, predicted), blocks.pairs, negatives)
        n, C, P = lists.shape
        add_rows(z, lists, change_u[:, :, None].expand(n, C, P, -1), -rate)
        z[empty] = 0
        add_rows(v, predicted, change_v, -rate)

    run(
        step,
        vocabulary,
        text,
        watched=(z, v),
        at_once=AT_ONCE["skip-gram"],
        window=window,
        epochs=epochs,
        learning_rate=learning_rate,
        subsample=subsample,
        seed=seed,
        moved=moved,
    )
    return SubwordVectors(
        vocabulary.tokens,
        (rows(z, of_word).sum(dim=1) * shares).numpy(),
        counts=vocabulary.counts,
        contexts=v.numpy(),
        pieces={name: z[i].numpy() for name, i in names.items()},
        shortest=shortest,
        longest=longest,
    )
