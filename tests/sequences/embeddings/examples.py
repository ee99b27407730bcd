"""What the tests of several ways to word vectors share: texts, and steps on given blocks."""

from itertools import islice

import numpy as np
import torch
from hypothesis import strategies as st

from companion.data.town.tasks import running_text
from companion.sequences.embeddings import (
    train_fasttext,
    train_glove,
    train_word2vec,
    word2vec,
)

SENTENCES = st.lists(st.lists(st.sampled_from("abcde"), max_size=9), min_size=1, max_size=7)
TRAINERS = [train_word2vec, train_glove, train_fasttext]


# Two groups of words that never meet, and differ in their company alone.
GROUPS = [["cat", "dog", "hen"], ["bus", "tram", "lorry"]]
COMPANY = [["eats", "sleeps", "runs", "old"], ["stops", "fast", "wheel", "ticket"]]


def two_worlds(n, seed=0):
    rng = np.random.default_rng(seed)
    sides = rng.integers(2, size=n)
    return [[rng.choice(GROUPS[i]), *rng.permutation(COMPANY[i])[:3]] for i in sides]


def town(n, language="en"):
    """Return sentences of the town as lists of words; names of roles are one word each."""
    text = " \n ".join(islice(running_text(seed=0, language=language), n)).lower().replace(".", "")
    for age in ("younger", "elder"):
        text = text.replace(f"{age} brother", f"{age}_brother").replace(
            f"{age} sister", f"{age}_sister"
        )
    return [line.replace(",", "").split() for line in text.split("\n")]


def one_step(monkeypatch, module, blocks, rate):
    """Replace the reading of the text by a single step on given blocks."""
    monkeypatch.setattr(module, "run", lambda step, *_, **__: [step(blocks, rate) for _ in "12"])


def blocks_of(V, seed=0):
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randint(V, shape, generator=random)

    pairs = (torch.rand(2, 5, 9, generator=random) < 0.4).float()
    return word2vec.Blocks(draw(2, 5), draw(2, 9), pairs, draw(2, 3))
