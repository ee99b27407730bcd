"""Tests of companion.transformer.translation.scores."""

import math

import pytest
import sacrebleu
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.transformer.translation import bleu, n_grams

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "."]), min_size=1, max_size=9)
CORPUS = st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=2, max_size=2)), min_size=1, max_size=6)


@given(CORPUS)
def test_bleu_is_that_of_sacrebleu(corpus):
    translations, references = [pair[0] for pair in corpus], [pair[1] for pair in corpus]
    texts = [" ".join(tokens) for tokens in translations]
    streams = [[" ".join(given[i]) for given in references] for i in range(2)]
    for smooth, method in ((True, "exp"), (False, "none")):
        theirs = sacrebleu.metrics.BLEU(tokenize="none", smooth_method=method, force=True)
        expected = theirs.corpus_score(texts, streams)
        got = bleu(translations, references, smooth=smooth)
        assert got.score == pytest.approx(expected.score, abs=1e-9)
        assert got.precisions == pytest.approx(tuple(expected.precisions), abs=1e-9)
        assert got.brevity_penalty == pytest.approx(expected.bp, abs=1e-12)
        assert (got.length, got.reference_length) == (expected.sys_len, expected.ref_len)


def test_bleu_by_hand():
    # "the the the the the the the" against "the cat is on the mat": 2 of 7, as in the paper.
    [the, reference] = ["the"] * 7, ["the", "cat", "is", "on", "the", "mat"]
    found = bleu([the], [[reference]], max_order=1)
    assert found.precisions == pytest.approx((200 / 7,))
    assert found.brevity_penalty == 1
    half = bleu([reference[:3]], [[reference]], max_order=2)
    assert half.brevity_penalty == pytest.approx(math.exp(1 - 6 / 3))
    assert half.score == pytest.approx(100 * math.exp(-1))
    assert bleu([reference], [[reference]]).score == pytest.approx(100)
    assert bleu([[]], [[reference]]).score == 0


def test_bleu_counts_n_grams():
    assert n_grams(["a", "b", "a", "b"], 2) == {("a", "b"): 2, ("b", "a"): 1}
    assert n_grams(["a"], 2) == {}


@pytest.mark.parametrize(
    ("translations", "references", "error", "message"),
    [
        ([], [], ValueError, r"must be as many, 1 or more, got 0 and 0"),
        ([["a"]], [], ValueError, r"must be as many, 1 or more, got 1 and 0"),
        ([["a"]], [[]], ValueError, r"references\[0\] must hold one reference or more, got none"),
        (
            ["a b"],
            [[["a"]]],
            TypeError,
            r"translations\[0\] must be a list of tokens, got the text",
        ),
        (
            [torch.tensor([3, 4])],
            [[torch.tensor([3, 4])]],
            TypeError,
            r"translations\[0\] must hold tokens, texts or numbers, got tensor\(3\)",
        ),
        ([["a"]], [[[None]]], TypeError, r"references\[0\]\[0\] must hold tokens, .* got None"),
        ([["a"]], [["a b"]], TypeError, r"references\[0\]\[0\] must be a list of tokens"),
    ],
)
def test_scores_that_are_refused(translations, references, error, message):
    with pytest.raises(error, match=message):
        bleu(translations, references)


@given(st.integers(1, 300), st.integers(1, 6))
def test_a_perfect_translation_has_100_and_not_more(length, max_order):
    tokens = [str(number) for number in range(length + max_order)]
    assert bleu([tokens], [[tokens]], max_order=max_order).score == 100
    assert bleu([list(range(9))], [[list(range(9))]]).score == 100  # numbers are tokens, too
