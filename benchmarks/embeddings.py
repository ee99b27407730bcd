"""Word2Vec written by hand against gensim's, and against a network with one-hot vectors.

The corpus are the docstrings. Both sides read it once, vocabulary included, with 100 numbers in a
vector, a window of 5 and 5 negatives, all other settings alike; gensim has two workers. The loss on
text that neither has read must be the same up to `TOLERANCE`, else the comparison is refused.

The aim is at most 2 times gensim's time for skip-gram and 3 times for CBOW; and a network with
one-hot vectors and a softmax over all words, as the chapter begins, at least 20 times slower.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from gensim.models import Word2Vec
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.harness import Result, compare, seconds
from companion.data import docstrings
from companion.sequences.embeddings import (
    WordVectors,
    held_out_loss,
    train_word2vec,
)
from companion.sequences.embeddings.pairs import neighbourhoods, numbered
from companion.sequences.embeddings.reading import keep_probabilities
from companion.sequences.vocabulary import Vocabulary

OPTIONS = {"window": 5, "epochs": 1, "min_count": 5}
SIZE, NEGATIVES = 100, 5
TARGETS = {"skip-gram": 2.0, "cbow": 3.0}
TOLERANCE = 0.01  # of the loss: one seed and the next differ by 0.2 %
WORD = re.compile(r"\w+(?:['’]\w+)*")


def measure() -> list[Result]:
    """Time our two objectives and gensim's in turns, then the network with one-hot vectors."""
    sentences = [WORD.findall(sentence.lower()) for sentence in docstrings.sentences()]
    held_out = sentences[::20]
    text = [sentence for i, sentence in enumerate(sentences) if i % 20]
    results = []
    for objective, target in TARGETS.items():

        def ours(objective: str = objective) -> WordVectors:
            return train_word2vec(text, objective, size=SIZE, negatives=NEGATIVES, **OPTIONS)

        def theirs(objective: str = objective) -> WordVectors:
            return by_gensim(text, objective)

        losses = [held_out_loss(make(), held_out, objective) for make in (ours, theirs)]
        if losses[0] > losses[1] * (1 + TOLERANCE):
            raise ValueError(f"the losses on held-out text differ for {objective}: {losses}")
        name = f"{objective}, an epoch (held-out loss {losses[0]:.3f} and {losses[1]:.3f})"
        results.append(
            compare(name, ours, theirs, against="gensim, 2 workers", target=target, runs=7)
        )
    return [*results, against_one_hot(text, results[0])]


def by_gensim(text: list[list[str]], objective: str) -> WordVectors:
    """Train gensim's Word2Vec."""
    options: dict[str, Any] = {"vector_size": SIZE, "negative": NEGATIVES, **OPTIONS}
    model: Any = Word2Vec(text, sg=int(objective == "skip-gram"), workers=2, seed=1, **options)
    words = list(model.wv.index_to_key)
    counts = [model.wv.get_vecattr(word, "count") for word in words]
    return WordVectors(words, model.wv.vectors, counts=counts, contexts=model.syn1neg)


def against_one_hot(text: list[list[str]], measured: Result) -> Result:
    """Time some steps of the network with one-hot vectors, and scale them to an epoch.

    It has the same vocabulary, the same subsampling and, on average, the same number of pairs.
    """
    vocabulary = Vocabulary.count(text, min_count=OPTIONS["min_count"])
    V = len(vocabulary)
    ids, places = numbered(text, vocabulary.ids)
    contexts, valid = neighbourhoods(ids, places, OPTIONS["window"])
    assert vocabulary.counts is not None
    keep = keep_probabilities(vocabulary.counts, 1e-3)
    # Distance d is within the drawn window with probability (6 - d) / 5.
    reach = torch.tensor([1, 2, 3, 4, 5, 5, 4, 3, 2, 1]).numpy() / 5
    n_pairs = float((valid * reach * keep[ids][:, None] * keep[contexts]).sum())
    network = nn.Sequential(nn.Linear(V, SIZE, bias=False), nn.Linear(SIZE, V, bias=False))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.025)
    batch, steps = 256, 20
    centres = torch.from_numpy(ids[: batch * steps]).split(batch)
    others = torch.from_numpy(ids[1 : batch * steps + 1]).split(batch)

    def train() -> None:
        for centre, other in zip(centres, others, strict=True):
            optimizer.zero_grad()
            cross_entropy(network(one_hot(centre, V).float()), other).backward()
            optimizer.step()

    train()
    slow = sorted(seconds(train) for _ in range(3))[1] * n_pairs / (batch * steps)
    return Result(
        "skip-gram, an epoch", measured.ours, slow, "one-hot and softmax", 1 / 20, measured.runs
    )
