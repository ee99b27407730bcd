"""Reading a text block by block: what word2vec and FastText have in common.

A block are 32 words that stand together, the words around them, and 32 negatives that they share.
A matrix of ones and zeros says which words meet: those of one sentence that are at most as far
apart as a number between 1 and the window, drawn for each word. Some blocks make a step, with a
learning rate that falls in a straight line. How many they are depends on the text: a vector that
took very many steps at once from the same place would overshoot.

What this module leaves out: what is learned in a step.

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
from companion.sequences.embeddings.pairs import Vocabulary

BLOCK = 32  # neighbouring words that share their negatives
SHARED = 32  # the negatives that they share
LARGEST_STEP = 0.4  # learning rate times how often one step moves the same vector
LEAST_RATE = 1e-4  # to which the learning rate falls


@dataclass(frozen=True)
class Blocks:
    """Some blocks of C words, the words around them, and their negatives.

    The contexts of a block are its C words and `window` more on both sides.
    """

    centres: Tensor  # (n, C) numbers of words
    contexts: Tensor  # (n, C + 2 * window)
    pairs: Tensor  # (n, C, C + 2 * window): 1 where a word meets a word of its context, else 0
    noise: Tensor  # (n, K) the negatives of each block


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
    watched : tuple of Tensor
        What it changes; must stay finite.
    at_once : int
        Blocks in one step; fewer where one vector would move too far at once.
    vocabulary, text, window, epochs, learning_rate, subsample, seed
        As for `train_word2vec`.
    moved : callable, optional
        From the shares of all words in the text, shape (V,), to how much each vector moves with
        them. By default each word moves its own.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, no word has a neighbour, or a number becomes infinite or NaN.
    """
    integer(window, "window", 1)
    integer(epochs, "epochs", 1)
    between(0, learning_rate, np.inf, "learning_rate")
    rng = random_generator(seed)
    keep = vocabulary.keep_probabilities(subsample)
    shares = keep * vocabulary.counts / (keep @ vocabulary.counts)  # of the words that stay
    often = BLOCK * (shares.max() if moved is None else moved(shares).max())
    at_once = max(1, min(at_once, int(LARGEST_STEP / (learning_rate * often))))
    noise = np.cumsum(vocabulary.noise())
    ids, places = vocabulary.encode(text)
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
            for table in watched:
                if not table.isfinite().all():
                    raise ValueError(
                        f"learning_rate must be smaller: the vectors grew beyond all bounds in "
                        f"epoch {epoch + 1}, got {learning_rate}"
                    )


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
