"""Reading a text block by block: what word2vec and FastText have in common.

A block are 32 words that stand together, the words around them, and 32 negatives that they share.
A matrix of ones and zeros says which words meet: those of one sentence that are at most as far
apart as a number between 1 and the window, drawn for each word. Some blocks make a step, with a
learning rate that falls in a straight line. How many they are depends on the text: a vector that
took very many steps at once from the same place would overshoot.

What this module leaves out: what is learned in a step.

References (in full in the chapter's bibliography): Mikolov et al. (2013b), for the subsampling of
frequent words and the noise distribution.

Chapter: book/sequences/embeddings.ipynb
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from companion import progress
from companion.arguments import between, integer, random_generator
from companion.sequences.embeddings.pairs import numbered
from companion.sequences.vocabulary import Vocabulary

BLOCK = 32  # neighbouring words that share their negatives
SHARED = 32  # the negatives that they share
LARGEST_STEP = 0.4  # learning rate times how often one step moves the same vector
LEAST_RATE = 1e-4  # to which the learning rate falls
LARGEST_RATE = 1e38  # float32 holds not much more


@dataclass(frozen=True)
class Blocks:
    """Some blocks of C words, the words around them, and their negatives.

    The contexts of a block are its C words and `window` more on both sides.
    """

    centres: Tensor  # (n, C) numbers of words
    contexts: Tensor  # (n, C + 2 * window)
    pairs: Tensor  # (n, C, C + 2 * window): 1 where a word meets a word of its context, else 0
    noise: Tensor  # (n, K) the negatives of each block


def keep_probabilities(counts: np.ndarray, subsample: float | None) -> np.ndarray:
    """Return the probability with which each word stays in the text, shape (V,).

    With share f of the text and t = `subsample` it is sqrt(t/f) + t/f, or 1 if that is more: the
    formula of the program word2vec. (The paper prints sqrt(t/f).) None keeps all.

    Examples
    --------
    >>> keep_probabilities(np.array([99, 1]), 0.01).round(2)
    array([0.11, 1.  ])
    """
    if subsample is None:
        return np.ones(len(counts))
    share = min(between(0, subsample, np.inf, "subsample"), 1.0)  # no word has more
    ratio = share * counts.sum() / counts
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def noise_probabilities(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """Return the probabilities of negative samples, shape (V,): counts to the power 3/4.

    Examples
    --------
    >>> noise_probabilities(np.array([16, 1]))
    array([0.88888889, 0.11111111])
    """
    weights = counts.astype(np.float64) ** power
    return weights / weights.sum()


Step = Callable[[Blocks, float], None]


def run(
    step: Step,
    vocabulary: Vocabulary,
    text: Iterable[Sequence[str]],
    *,
    watched: tuple[Tensor, ...],
    at_once: int,
    window: int,
    epochs: int,
    learning_rate: float,
    subsample: float | None,
    seed: int,
    moved: Callable[[np.ndarray], np.ndarray] | None = None,
) -> None:
    """Read a text some times, block by block, with a falling learning rate.

    Parameters
    ----------
    step : callable
        ``step(blocks, rate)`` learns from some blocks.
    vocabulary, text, window, epochs, learning_rate, subsample, seed
        As for `train_word2vec`.
    watched : tuple of Tensor
        What `step` changes; must stay finite.
    at_once : int
        Blocks in one step; fewer where one vector would move too far at once.
    moved : callable, optional
        From the shares of all words in the text, shape (V,), to how much each vector moves with
        them. By default each word moves its own.
    """
    integer(window, "window", 1)
    integer(epochs, "epochs", 1)
    between(0, learning_rate, LARGEST_RATE, "learning_rate")
    rng = random_generator(seed)
    counts = vocabulary.counts
    assert counts is not None, "a vocabulary that was counted"
    keep = keep_probabilities(counts, subsample)
    shares = keep * counts / (keep @ counts)  # of the words that stay
    often = BLOCK * float((shares if moved is None else moved(shares)).max())
    at_once = max(1, int(min(at_once, LARGEST_STEP / often / learning_rate)))
    noise = np.cumsum(noise_probabilities(counts))
    ids, places = numbered(text, vocabulary.ids)
    if not (places[1:] == places[:-1]).any():
        raise ValueError("sentences must hold two known words side by side somewhere, got none")
    with progress.bar(total=epochs) as bar:
        for epoch in range(epochs):
            stays = rng.random(len(ids)) < keep[ids]
            steps = list(_cut(ids[stays], places[stays], window, at_once, noise, rng))
            for number, blocks in enumerate(steps):
                done = (epoch + number / len(steps)) / epochs
                step(blocks(), max(learning_rate * (1 - done), LEAST_RATE))
                if number % 100 == 99:
                    bar.update(100 / len(steps))
            bounded(watched, epoch, learning_rate)


def bounded(tables: Iterable[Tensor], epoch: int, learning_rate: float) -> None:
    """Refuse a learning rate with which vectors have become infinite."""
    if not all(table.isfinite().all() for table in tables):
        what = f"the vectors grew beyond all bounds in epoch {epoch + 1}"
        raise ValueError(f"learning_rate must be smaller: {what}, got {learning_rate}")


def _cut(
    ids: np.ndarray,
    places: np.ndarray,
    window: int,
    at_once: int,
    noise: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[Callable[[], Blocks]]:
    """Cut a text into steps of blocks, each made when it is called."""
    T = len(ids)
    n_steps = -(-T // (BLOCK * at_once))
    after = n_steps * BLOCK * at_once - T + window  # what fills the last block reaches nothing
    reach = torch.from_numpy(rng.integers(1, window + 1, size=T))
    drawn = np.searchsorted(noise, rng.random((n_steps, at_once, SHARED)))
    negatives = torch.from_numpy(drawn.clip(max=len(noise) - 1))
    centres = pad(torch.from_numpy(ids), (0, after - window))
    around = pad(torch.from_numpy(ids), (window, after))
    where = pad(torch.from_numpy(places), (0, after - window), value=-1)
    where_around = pad(torch.from_numpy(places), (window, after), value=-1)
    distance = (torch.arange(BLOCK + 2 * window) - window - torch.arange(BLOCK)[:, None]).abs()
    distance[distance == 0] = window + 1  # a word is not its own context
    wide, shape = BLOCK + 2 * window, (n_steps, at_once, -1)
    columns = [
        centres.view(shape),
        around.unfold(0, wide, BLOCK).reshape(shape),
        where.view(shape),
        where_around.unfold(0, wide, BLOCK).reshape(shape),
        pad(reach, (0, after - window)).view(shape),
        negatives,
    ]

    def make(i: int) -> Blocks:
        centre, context, here, there, reaches, chosen = (column[i] for column in columns)
        pairs = (distance <= reaches[:, :, None]) & (here[:, :, None] == there[:, None, :])
        return Blocks(centre, context, pairs.float(), chosen)

    return (lambda i=i: make(i) for i in range(n_steps))
