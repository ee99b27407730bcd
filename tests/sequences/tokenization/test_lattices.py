"""Tests of companion.sequences.tokenization.lattices."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.sequences.tokenization.lattices import Lattices
from tests.sequences.tokenization.examples import PIECE_LIST, all_paths


@given(
    PIECE_LIST, st.lists(st.text("ab", min_size=1, max_size=7), min_size=1, unique=True), st.data()
)
def test_lattices_count_what_all_paths_count(pieces, words, data):
    numbers = st.floats(0.01, 1.0)
    p = np.array([data.draw(numbers) for _ in pieces])
    frequencies = np.array([data.draw(st.integers(1, 5)) for _ in words])
    number = {piece: place for place, piece in enumerate(pieces)}
    expected, likelihood, best = np.zeros(len(pieces)), 0.0, []
    for word, frequency in zip(words, frequencies, strict=True):
        paths = all_paths(word, number)
        weights = [math.prod(p[number[piece]] for piece in path) for path in paths]
        likelihood += frequency * math.log(sum(weights))
        best.append(math.log(max(weights)))
        for path, weight in zip(paths, weights, strict=True):
            for piece in path:
                expected[number[piece]] += frequency * weight / sum(weights)
    lattices = Lattices(words, number)
    counts, log_likelihood = lattices.expected_counts(p, frequencies)
    np.testing.assert_allclose(counts, expected, rtol=1e-9)
    assert log_likelihood == pytest.approx(likelihood)
    np.testing.assert_allclose(lattices.best(np.log(p)), best)
    kept = np.array([len(piece) < 3 for piece in pieces])
    lattices.keep(kept)
    short = [piece for piece in pieces if len(piece) < 3]
    again = Lattices(words, {piece: place for place, piece in enumerate(short)})
    np.testing.assert_allclose(lattices.best(np.log(p[kept])), again.best(np.log(p[kept])))


def test_a_proper_lattice_leaves_the_word_itself_out():
    number = {"a": 0, "b": 1, "ab": 2}
    best = Lattices(["ab", "a"], number, proper=True).best(np.log([0.5, 0.25, 0.25]))
    np.testing.assert_allclose(best, np.log([0.125, 0.5]))


def test_a_long_word_does_not_vanish():
    p = np.full(2, 1e-7)
    _, likelihood = Lattices(["ab" * 24], {"a": 0, "b": 1}).expected_counts(p, np.array([1]))
    assert likelihood == pytest.approx(48 * math.log(1e-7))


@given(PIECE_LIST, st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, unique=True))
def test_em_never_lowers_the_likelihood(pieces, words):
    lattices = Lattices(words, {piece: place for place, piece in enumerate(pieces)})
    p, last = np.full(len(pieces), 1 / len(pieces)), -math.inf
    for _ in range(5):
        expected, likelihood = lattices.expected_counts(p, np.ones(len(words)))
        assert likelihood >= last - 1e-9
        p, last = expected / expected.sum(), likelihood
