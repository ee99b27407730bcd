"""Tests of companion.sequences.embeddings.reading."""

import math

import numpy as np
import pytest

from companion.sequences.embeddings import (
    context_pairs,
    word2vec,
)
from companion.sequences.embeddings.reading import keep_probabilities, noise_probabilities
from companion.sequences.vocabulary import Vocabulary


def test_subsampling_and_noise_by_hand():
    vocabulary = Vocabulary(("the", "of", "cat"), np.array([900, 99, 1]))
    # Shares 0.9 and 0.099 against t = 0.009: sqrt(0.01) + 0.01, sqrt(0.0909...) + 0.0909...
    expected = [0.11, math.sqrt(1 / 11) + 1 / 11, 1.0]
    assert keep_probabilities(vocabulary.counts, 0.009) == pytest.approx(expected)
    # 0.225 of 0.9 is a quarter: sqrt(1/4) + 1/4. Above 1, all stay, however large it is.
    assert keep_probabilities(vocabulary.counts, 0.225) == pytest.approx([0.75, 1, 1])
    for everything in (None, 1.0, 1e308):
        assert keep_probabilities(vocabulary.counts, everything).tolist() == [1, 1, 1]
    powers = np.array([900**0.75, 99**0.75, 1.0])
    assert noise_probabilities(vocabulary.counts) == pytest.approx(powers / powers.sum())
    with pytest.raises(ValueError, match=r"subsample must lie between 0 and inf"):
        keep_probabilities(vocabulary.counts, 0.0)


def record(text, *, min_count=1, **settings):
    """Return the blocks of one epoch, and the vocabulary."""
    vocabulary, seen = Vocabulary.count(text, min_count=min_count), []
    options = {"at_once": 2, "window": 3, "epochs": 1, "learning_rate": 1e-3, "subsample": None}
    options |= {"seed": 0, "watched": ()} | settings
    word2vec.run(lambda blocks, rate: seen.append((blocks, rate)), vocabulary, text, **options)
    return vocabulary, seen


def pairs_in(seen):
    return [
        (centre, context)
        for blocks, _ in seen
        for centres, contexts, pairs in zip(
            blocks.centres.tolist(), blocks.contexts.tolist(), blocks.pairs, strict=True
        )
        for centre, row in zip(centres, pairs, strict=True)
        for context, one in zip(contexts, row.tolist(), strict=True)
        if one
    ]


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 129])
def test_blocks_hold_every_pair_once(n):
    """With a window of 1 nothing is random: the pairs are those of `context_pairs`."""
    rng = np.random.default_rng(n)
    text = [[str(w) for w in rng.integers(9, size=k)] for k in (n, 2, 1, 0, 5)]
    vocabulary, seen = record(text, window=1)
    expected = [p for s in text for p in context_pairs(s, 1)]
    names = vocabulary.tokens
    assert sorted((names[a], names[b]) for a, b in pairs_in(seen)) == sorted(expected)


def test_near_words_are_paired_more_often():
    _, seen = record([[f"w{i:04}" for i in range(5000)]], window=4)
    counts = np.bincount([abs(a - b) for a, b in pairs_in(seen)])
    # Distance d is reached if the drawn number is d or more: with 4/4, 3/4, 2/4, 1/4.
    assert counts[0] == 0
    assert counts[1:] / 10_000 == pytest.approx([1, 0.75, 0.5, 0.25], abs=0.02)


def test_frequent_words_are_skipped_and_negatives_follow_the_noise():
    rng = np.random.default_rng(9)
    text = [[str(w) for w in rng.choice(3, p=[0.9, 0.09, 0.01], size=20_000)]]
    vocabulary, seen = record(text, subsample=0.01, at_once=8)
    kept = np.bincount(np.concatenate([b.centres.ravel() for b, _ in seen]), minlength=3)
    expected = vocabulary.counts * keep_probabilities(vocabulary.counts, 0.01)
    assert kept[1:] / expected[1:] == pytest.approx([1, 1], abs=0.15)
    assert kept[0] / expected[0] == pytest.approx(1, abs=0.2)  # a little filled up with word 0
    drawn = np.bincount(np.concatenate([b.noise.ravel() for b, _ in seen]), minlength=3)
    assert drawn / drawn.sum() == pytest.approx(noise_probabilities(vocabulary.counts), abs=0.03)


def test_the_learning_rate_falls_in_a_line():
    rates = [rate for _, rate in record([["a", "b"] * 500], epochs=3, learning_rate=0.02)[1]]
    assert rates[0] == 0.02
    assert np.allclose(np.diff(rates), -0.02 / len(rates))
    assert (
        min(record([["a", "b"]], epochs=400, learning_rate=0.02)[1], key=lambda r: r[1])[1] == 1e-4
    )


def test_a_word_that_is_everywhere_makes_steps_smaller():
    """Else half of all words of a step would move one row at once, and it would overshoot."""
    rare = [[f"w{i}" for i in range(2000)]]
    often = [["a", "b"] * 1000]
    assert record(rare, at_once=8)[1][0][0].centres.shape == (8, 32)
    assert record(often, at_once=8, learning_rate=0.02)[1][0][0].centres.shape == (1, 32)
