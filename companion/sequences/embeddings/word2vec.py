"""Word2Vec: skip-gram and CBOW with negative sampling, as products of matrices.

Each word has two vectors: u as a word from which one predicts, v as a word that is predicted. For a
true pair (a, b) and negatives n_1 ... n_k, drawn with probabilities proportional to count**0.75,
the loss is::

    L = -log s(u_a · v_b) - sum over j of log s(-u_a · v_nj),     s(x) = 1 / (1 + exp(-x))

In skip-gram a is a word and b each word of its context; in CBOW the place of u_a is taken by the
mean of the vectors u around a word, and b is the word itself. Every score x that is to become 1 (0)
has the gradient s(x) - 1 (s(x)), so that all pairs of 32 neighbouring words need three products of
matrices. There is no automatic differentiation, and only the rows that occur are touched.

Deviations from the papers: 32 words that stand together share 32 negatives, weighted so that each
pair stands against as many as `negatives` says; one that happens to be right is not redrawn. 256
words (CBOW: 512) learn from the same state of the vectors, where the program word2vec goes pair by
pair. In CBOW each of the c averaged vectors takes the whole gradient of the mean, not 1/c of it, as
in that program and in gensim. It runs on the CPU: the steps are too small for a GPU.

References (in full in the chapter's bibliography): Mikolov et al. (2013a), the two objectives;
Mikolov et al. (2013b), negative sampling and subsampling.

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from companion.arguments import LARGEST_SIZE, choice, instance, integer, random_generator
from companion.arguments import sentences as checked_sentences
from companion.sequences.embeddings.pairs import neighbourhoods, numbered
from companion.sequences.embeddings.reading import Blocks, noise_probabilities, run
from companion.sequences.embeddings.vectors import WordVectors
from companion.sequences.vocabulary import Vocabulary

AT_ONCE = {"skip-gram": 8, "cbow": 16}  # blocks in one step


def train_word2vec(
    sentences: Iterable[Sequence[str]],
    objective: str = "skip-gram",
    *,
    size: int = 100,
    window: int = 5,
    negatives: int = 5,
    epochs: int = 5,
    learning_rate: float = 0.025,
    min_count: int = 5,
    subsample: float | None = 1e-3,
    seed: int = 0,
) -> WordVectors:
    """Learn word vectors by predicting words from their neighbours.

    ValueError also if no word is frequent enough, no word has a neighbour, or the vectors grow
    beyond all bounds.

    Parameters
    ----------
    sentences : iterable of lists of str
        The text.
    objective : str, default "skip-gram"
        "skip-gram": the context from the word; "cbow": the word from its context.
    size : int, default 100
        D, numbers in a vector.
    window : int, default 5
        Words to each side that may belong to the context. For each word a number from 1 to this is
        drawn, so that near words count more.
    negatives : int, default 5
        Drawn words for each true one, on average.
    epochs : int, default 5
        How often the text is read.
    learning_rate : float, default 0.025
        At the beginning; it falls in a straight line to 0.0001.
    min_count : int, default 5
        Words that occur less often are left out.
    subsample : float or None, default 0.001
        Words whose share of the text is greater are skipped at random; None skips none.
    seed : int, default 0
        The same seed gives the same vectors on the same machine.

    Returns
    -------
    WordVectors
        The vectors u of all words, with their counts; the vectors v are its `contexts`.

    Examples
    --------
    >>> text = [["cats", "drink", "milk"], ["dogs", "drink", "water"]] * 20
    >>> vectors = train_word2vec(text, size=8, epochs=1)
    >>> vectors
    WordVectors(5 words, 8 numbers each)
    """
    choice(objective, "objective", AT_ONCE)
    integer(negatives, "negatives", 1)
    text = checked_sentences(sentences, "sentences")
    vocabulary = Vocabulary.count(text, min_count=min_count)
    u = initial_vectors(len(vocabulary), size, seed)
    v = torch.zeros_like(u)
    gradients = skip_gram_gradients if objective == "skip-gram" else cbow_gradients

    def step(blocks: Blocks, rate: float) -> None:
        given, right = blocks.centres, blocks.contexts  # (n, C), (n, M)
        if objective == "cbow":
            given, right = right, given
        predicted = torch.cat([right, blocks.noise], dim=1)  # (n, M + K), cbow (n, C + K)
        change_u, change_v = gradients(rows(u, given), rows(v, predicted), blocks.pairs, negatives)
        add_rows(u, given, change_u, -rate)
        add_rows(v, predicted, change_v, -rate)

    run(
        step,
        vocabulary,
        text,
        watched=(u, v),
        at_once=AT_ONCE[objective],
        window=window,
        epochs=epochs,
        learning_rate=learning_rate,
        subsample=subsample,
        seed=seed,
    )
    return WordVectors(vocabulary.tokens, u.numpy(), counts=vocabulary.counts, contexts=v.numpy())


def skip_gram_gradients(
    u: Tensor, v: Tensor, pairs: Tensor, negatives: float
) -> tuple[Tensor, Tensor]:
    """Return the gradients of the skip-gram loss, summed over all pairs of each block.

    Parameters
    ----------
    u : Tensor, shape (n, C, D)
        Vectors of the words.
    v : Tensor, shape (n, M + K, D)
        Vectors of the M words around them, then of K negatives.
    pairs : Tensor, shape (n, C, M)
        1 for a pair, else 0.
    negatives : float
        How many negatives a pair stands against; each of the K counts negatives / K.

    Returns
    -------
    Tensor, Tensor
        In the shapes of `u` and of `v`.
    """
    M = pairs.shape[2]
    errors = torch.bmm(u, v.transpose(1, 2)).sigmoid_()  # (n, C, M + K)
    errors[:, :, :M].sub_(1).mul_(pairs)
    errors[:, :, M:].mul_(pairs.sum(dim=2, keepdim=True) * (negatives / (v.shape[1] - M)))
    return torch.bmm(errors, v), torch.bmm(errors.transpose(1, 2), u)


def cbow_gradients(u: Tensor, v: Tensor, pairs: Tensor, negatives: float) -> tuple[Tensor, Tensor]:
    """Return the gradients of the CBOW loss, summed over all words of each block.

    Parameters
    ----------
    u : Tensor, shape (n, M, D)
        Vectors of the words around.
    v : Tensor, shape (n, C + K, D)
        Vectors of the C words that are to be predicted, then of K negatives.
    pairs : Tensor, shape (n, C, M)
        1 where a word belongs to the context, else 0.
    negatives : float
        As for `skip_gram_gradients`, for each word with a context.

    Returns
    -------
    Tensor, Tensor
        In the shapes of `u` and of `v`. The first is that of the *sum* over the context: each
        vector takes the whole gradient of the mean.
    """
    C = pairs.shape[1]
    counts = pairs.sum(dim=2, keepdim=True)  # (n, C, 1)
    # Of a word without a context the mean is zero, and so are all gradients below.
    means = torch.bmm(pairs, u) / counts.clamp(min=1)  # (n, C, D)
    right, noise = v[:, :C], v[:, C:]
    error_right = (means * right).sum(dim=2, keepdim=True).sigmoid() - 1  # (n, C, 1)
    error_noise = torch.bmm(means, noise.transpose(1, 2)).sigmoid_()  # (n, C, K)
    error_noise.mul_(negatives / noise.shape[1])
    change_means = torch.baddbmm(error_right * right, error_noise, noise)  # (n, C, D)
    change_noise = torch.bmm(error_noise.transpose(1, 2), means)
    return (
        torch.bmm(pairs.transpose(1, 2), change_means),
        torch.cat([error_right * means, change_noise], dim=1),
    )


def initial_vectors(n: int, size: int, seed: int) -> Tensor:
    """Draw vectors with entries between -0.5 / D and 0.5 / D, shape (n, D)."""
    D = integer(size, "size", 1, LARGEST_SIZE)
    random = torch.Generator().manual_seed(integer(seed, "seed", 0, np.inf) % 2**63)
    return (torch.rand(n, D, generator=random) - 0.5) / D


def rows(table: Tensor, numbers: Tensor) -> Tensor:
    """Return the rows of a table (V, D) that `numbers` (...) names, shape (..., D)."""
    return torch.embedding(table, numbers)


def add_rows(table: Tensor, numbers: Tensor, changes: Tensor, factor: float) -> None:
    """Add changes (..., D) times a factor to the rows of a table that `numbers` (...) names."""
    table.index_add_(0, numbers.reshape(-1), changes.reshape(-1, table.shape[1]), alpha=factor)


def held_out_loss(
    vectors: WordVectors,
    sentences: Iterable[Sequence[str]],
    objective: str = "skip-gram",
    *,
    window: int = 5,
    negatives: int = 5,
    seed: int = 0,
) -> float:
    """Return the mean loss on sentences, with fixed negatives and the whole window.

    `vectors` must have counts and contexts; `sentences` are a text that was not learned from, of
    which unknown words are left out; all else is as for `train_word2vec`, and the same seed draws
    the same negatives. The mean is over all pairs (skip-gram) or words (CBOW); vectors of zeros
    have (1 + negatives) log 2.
    """
    choice(objective, "objective", AT_ONCE)
    instance(vectors, "vectors", WordVectors)
    if vectors.counts is None or vectors.contexts is None:
        raise ValueError(f"vectors must have counts and contexts, got {vectors} without")
    k = integer(negatives, "negatives", 1)
    ids, places = numbered(checked_sentences(sentences, "sentences"), vectors.ids)
    contexts, valid = neighbourhoods(ids, places, integer(window, "window", 1))
    if not valid.any():
        raise ValueError("sentences must hold two known words side by side somewhere, got none")
    u, v = vectors.vectors, vectors.contexts
    if objective == "skip-gram":
        # One row for each pair.
        given, right = u[np.repeat(ids, valid.sum(axis=1))], contexts[valid]
    else:
        some = valid.any(axis=1)
        contexts, valid, right = contexts[some], valid[some, :, None], ids[some]
        given = (u[contexts] * valid).sum(axis=1) / valid.sum(axis=1)
    drawn = random_generator(integer(seed, "seed", 0, np.inf)).choice(
        len(u), size=(k, len(right)), p=noise_probabilities(vectors.counts)
    )
    loss = np.logaddexp(0, -_dots(given, v[right]))
    for noise in drawn:
        loss += np.logaddexp(0, _dots(given, v[noise]))
    return float(loss.mean())


def _dots(a: np.ndarray, b: np.ndarray) -> Any:
    return np.einsum("nd,nd->n", a, b, dtype=np.float64)
