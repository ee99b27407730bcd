"""Tests of companion.sequences.embeddings.glove."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from companion.sequences.embeddings import (
    cooccurrences,
    glove,
    train_glove,
    word2vec,
)
from tests.sequences.embeddings.examples import SENTENCES


@given(SENTENCES, st.integers(1, 12))
def test_cooccurrences_by_counting(sentences, window):
    expected = {}
    for tokens in sentences:
        for i, a in enumerate(tokens):
            for j, b in enumerate(tokens):
                if 0 < abs(i - j) <= window:
                    expected[a, b] = expected.get((a, b), 0) + 1 / abs(i - j)
    assume(expected)
    vocabulary, table = cooccurrences(sentences, window=window)
    dense = table.toarray()
    assert np.array_equal(dense, dense.T)
    assert table.nnz == len(expected)
    for (a, b), count in expected.items():
        assert dense[vocabulary.ids[a], vocabulary.ids[b]] == pytest.approx(count)


def test_glove_gradients_are_those_of_the_loss():
    random = torch.Generator().manual_seed(0)
    w, v = (torch.randn(11, 8, generator=random, dtype=torch.float64) for _ in range(2))
    w.requires_grad_(), v.requires_grad_()
    logarithms, weights = (torch.rand(11, generator=random, dtype=torch.float64) for _ in range(2))
    scores = (w[:, :7] * v[:, :7]).sum(dim=1) + w[:, 7] + v[:, 7]
    loss = (weights * (scores - logarithms) ** 2).sum() / 2
    expected = torch.autograd.grad(loss, (w, v))
    got = glove.glove_gradients(w.detach(), v.detach(), logarithms, weights)
    for left, right in zip(got, expected, strict=True):
        assert torch.allclose(left, right, atol=1e-12)


def test_glove_takes_the_steps_of_adagrad(monkeypatch):
    """One entry at a time, against torch.optim.Adagrad on the whole loss of that entry."""
    monkeypatch.setattr(glove, "AT_ONCE", 1)
    text = [["a", "b", "c"], ["a", "b"]]
    got = train_glove(text, size=3, epochs=2, x_max=1.7, min_count=1, seed=5)
    vocabulary, table = cooccurrences(text)
    entries = table.tocoo()
    sides = [word2vec.initial_vectors(3, 4, 5 + k).double().requires_grad_() for k in range(2)]
    optimizer = torch.optim.Adagrad(sides, lr=0.05, initial_accumulator_value=1.0, eps=0)
    random = torch.Generator().manual_seed(5)
    for _ in range(2):
        for k in torch.randperm(table.nnz, generator=random).tolist():
            i, j, x = (part[k] for part in (*entries.coords, entries.data))
            w, v = sides[0][i], sides[1][j]
            loss = min(1, x / 1.7) ** 0.75 * (w[:3] @ v[:3] + w[3] + v[3] - math.log(x)) ** 2 / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    expected = (sides[0] + sides[1])[:, :3].detach().numpy()
    assert got.words == vocabulary.tokens
    assert got.vectors == pytest.approx(expected, abs=1e-6)


def test_glove_refuses():
    with pytest.raises(ValueError, match=r"x_max must lie between 0 and inf"):
        train_glove([["a", "b"] * 9], x_max=0)
