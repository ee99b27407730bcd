"""GloVe: word vectors from a table of how often words meet.

X[i, j] says how often word j stands near word i, where d words apart count 1/d. Two vectors and two
numbers for each word are fitted to its logarithm::

    J = sum over X[i, j] > 0 of  f(X[i, j]) (w_i · v_j + b_i + c_j - log X[i, j])**2

with f(x) = (x / x_max)**0.75, at most 1, by AdaGrad: each number's learning rate is divided by the
root of the sum of its squared gradients so far. A word's vector is w + v. As in the authors'
program, the gradient is taken of J / 2, and the sums of squares begin at 1.

Deviations: 512 entries of the table learn from the same state of the vectors. x_max = 100 belongs
to texts of billions of words; here it is a parameter with a smaller default.

Reference (in full in the chapter's bibliography): Pennington, Socher and Manning (2014).

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from companion.arguments import LARGEST_SIZE, between, integer
from companion.arguments import sentences as checked_sentences
from companion.progress import bar
from companion.sequences.embeddings.pairs import numbered
from companion.sequences.embeddings.reading import LARGEST_RATE, bounded
from companion.sequences.embeddings.vectors import WordVectors
from companion.sequences.embeddings.word2vec import add_rows, initial_vectors, rows
from companion.sequences.vocabulary import Vocabulary

AT_ONCE = 512  # entries of the table in one step


def cooccurrences(
    sentences: Iterable[Sequence[str]], *, window: int = 10, min_count: int = 1
) -> tuple[Vocabulary, csr_array]:
    """Count how often words meet, near ones more than far ones.

    Parameters
    ----------
    window : int, default 10
        How far apart two words of a sentence may stand; d words apart they count 1 / d.
    min_count : int, default 1
        Words that occur less often are left out, and the others move together.

    Returns
    -------
    vocabulary : Vocabulary
        The V words.
    table : csr_array of float64, shape (V, V)
        Symmetric; pairs that never meet are not stored.

    Examples
    --------
    >>> vocabulary, table = cooccurrences([["a", "b", "b"]], window=2)
    >>> vocabulary.tokens
    ('b', 'a')
    >>> table.toarray()
    array([[2. , 1.5],
           [1.5, 0. ]])
    """
    text = checked_sentences(sentences, "sentences")
    vocabulary = Vocabulary.count(text, min_count=min_count)
    ids, places = numbered(text, vocabulary.ids)
    V = len(vocabulary)
    table = csr_array((V, V))
    for distance in range(1, min(integer(window, "window", 1), len(ids) - 1) + 1):
        together = places[:-distance] == places[distance:]
        pairs = ids[:-distance][together], ids[distance:][together]
        table = table + csr_array((np.full(len(pairs[0]), 1 / distance), pairs), shape=(V, V))
    table = table + table.T
    if not table.nnz:
        raise ValueError("sentences must hold two known words side by side somewhere, got none")
    return vocabulary, csr_array(table)


def train_glove(
    sentences: Iterable[Sequence[str]],
    *,
    size: int = 100,
    window: int = 10,
    epochs: int = 15,
    learning_rate: float = 0.05,
    x_max: float = 10.0,
    min_count: int = 5,
    seed: int = 0,
) -> WordVectors:
    """Learn word vectors from the table of co-occurrences.

    Parameters
    ----------
    sentences, size, min_count, seed
        As for `train_word2vec`.
    window : int, default 10
        As for `cooccurrences`.
    epochs : int, default 15
        How often the table is gone through, in a new order each time.
    learning_rate : float, default 0.05
        Before AdaGrad divides it.
    x_max : float, default 10
        What is counted more often weighs no more than this.

    Returns
    -------
    WordVectors
        The sums w + v of all words, with their counts.

    Examples
    --------
    >>> text = [["cats", "drink", "milk"], ["dogs", "drink", "water"]] * 20
    >>> train_glove(text, size=8, epochs=2)
    WordVectors(5 words, 8 numbers each)
    """
    integer(epochs, "epochs", 1)
    rate = between(0, learning_rate, LARGEST_RATE, "learning_rate")
    most = between(0, x_max, np.inf, "x_max")
    integer(size, "size", 1, LARGEST_SIZE)
    seed = integer(seed, "seed", 0, np.inf)
    vocabulary, table = cooccurrences(sentences, window=window, min_count=min_count)
    V, entries = len(vocabulary), table.tocoo()
    i, j = (torch.from_numpy(index.astype(np.int64)) for index in entries.coords)
    counts = torch.from_numpy(entries.data)
    logarithms = counts.log().float()
    weights = (counts / most).clamp(max=1).pow(0.75).float()
    # A row for each word: its vector w or v, and its number b or c as one more column.
    sides = [initial_vectors(V, size + 1, seed + side) for side in range(2)]
    squares = [torch.ones_like(side) for side in sides]
    random = torch.Generator().manual_seed(seed % 2**63)
    for epoch in bar(range(epochs)):
        for chosen in torch.randperm(len(i), generator=random).split(AT_ONCE):
            pair = rows(sides[0], i[chosen]), rows(sides[1], j[chosen])
            changes = glove_gradients(*pair, logarithms[chosen], weights[chosen])
            for side, square, number, change in zip(sides, squares, (i, j), changes, strict=True):
                number = number[chosen]
                add_rows(square, number, change**2, 1.0)
                add_rows(side, number, change / rows(square, number).sqrt(), -rate)
        bounded(sides, epoch, learning_rate)
    return WordVectors(
        vocabulary.tokens, (sides[0] + sides[1])[:, :-1].numpy(), counts=vocabulary.counts
    )


def glove_gradients(
    w: Tensor, v: Tensor, logarithms: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients of J / 2 for some entries of the table.

    `w` and `v`, shape (B, D + 1), are the rows of both words, with b and c as their last columns;
    `logarithms` and `weights`, shape (B,), are log X and f(X).
    """
    scores = (w[:, :-1] * v[:, :-1]).sum(dim=1) + w[:, -1] + v[:, -1]  # (B,)
    errors = (weights * (scores - logarithms))[:, None]
    return (
        torch.cat([errors * v[:, :-1], errors], dim=1),
        torch.cat([errors * w[:, :-1], errors], dim=1),
    )
