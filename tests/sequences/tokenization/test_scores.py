"""Tests of companion.sequences.tokenization.scores."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.sequences.tokenization import (
    PairScores,
)
from companion.sequences.tokenization.scores import likelihood_gain
from tests.sequences.tokenization.examples import CAFE, merge_slowly


def segmentation_likelihood(words):
    """Return the log-likelihood of segmented words under their own counts."""
    counts = Counter()
    for parts, frequency in words:
        for part in parts:
            counts[part] += frequency
    total = counts.total()
    return sum(count * math.log(count / total) for count in counts.values())


def segmented(words):
    return [([w[0], *("##" + c for c in w[1:])], n) for w, n in words.items()]


WORDS = st.dictionaries(st.text("abcd", min_size=1, max_size=7), st.integers(1, 4), min_size=1)


@given(WORDS)
def test_the_gain_is_the_difference_of_likelihoods(words):
    for pair, gain in PairScores(words).by_tokens().items():
        if pair[0] == pair[1]:
            continue  # counted with overlaps, as documented
        before = segmented(words)
        after = [(merge_slowly(parts, pair, "new"), n) for parts, n in before]
        difference = segmentation_likelihood(after) - segmentation_likelihood(before)
        assert gain == pytest.approx(difference, abs=1e-5)


@pytest.mark.parametrize("score", ["likelihood", "ratio"])
@given(words=WORDS)
def test_scores_stay_true_while_pairs_are_merged(score, words):
    pairs = PairScores(words, score)
    texts = segmented(words)
    for _ in range(5):
        scores = pairs.by_tokens()
        counts, single = Counter(), Counter()
        for parts, n in texts:
            for pair in pairwise(parts):
                counts[pair] += n
            for part in parts:
                single[part] += n
        assert set(scores) == set(counts)
        if score == "ratio":
            for pair, value in scores.items():
                assert value == counts[pair] / (single[pair[0]] * single[pair[1]])
        token = pairs.merge_best()
        if token is None:
            assert not counts
            break
        best = [pair for pair in scores if scores[pair] == max(scores.values())]
        most = [pair for pair in best if counts[pair] == max(map(counts.__getitem__, best))]
        merged = [pair for pair in most if pair[0] + pair[1].removeprefix("##") == token]
        assert len(merged) >= 1
        texts = [(merge_slowly(parts, merged[0], token), n) for parts, n in texts]


def test_scores_of_the_notes():
    counts = Counter(word for text in CAFE for word in text.split())
    scores = PairScores(counts, "ratio").by_tokens()
    assert scores["##는", "##데"] == scores["##데", "##요"] == 1.0
    assert scores["카", "##페"] == scores["갔", "##었"] == scores["어", "##제"] == 0.5
    assert scores["##었", "##어"] == 0.5
    with pytest.raises(ValueError, match=r"score must be .likelihood. or .ratio., got 'best'"):
        PairScores(counts, "best")
    assert PairScores({}).merge_best() is None
    assert PairScores(counts, min_count=3).merge_best() is None


def test_the_gain_of_equal_symbols():
    two = np.array([4])
    gain = likelihood_gain(np.array([2]), two, two, np.array([True]), 6)  # aabb, no: aaaa bb
    before = 4 * math.log(4 / 6) + 2 * math.log(2 / 6)
    assert gain[0] == pytest.approx(2 * math.log(2 / 4) * 2 - before, abs=1e-6)
