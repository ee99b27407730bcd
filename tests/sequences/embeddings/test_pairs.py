"""Tests of companion.sequences.embeddings.pairs."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from companion.sequences.embeddings import (
    context_pairs,
    one_hot,
)
from companion.sequences.embeddings.pairs import neighbourhoods, numbered
from companion.sequences.vocabulary import Vocabulary
from tests.sequences.embeddings.examples import SENTENCES


def test_one_hot_is_rows_of_the_identity():
    assert np.array_equal(one_hot(range(5), 5), np.eye(5))
    assert np.array_equal(one_hot(3, 7), np.eye(7)[3])
    grid = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.uint8)
    assert np.array_equal(one_hot(grid, 3), np.eye(3)[grid])
    assert one_hot([], 4).shape == (0, 4)


@pytest.mark.parametrize(
    ("ids", "size", "error", "message"),
    [
        ([0, 3], 3, ValueError, r"ids must lie between 0 and 2, got 3"),
        ([-1], 3, ValueError, r"ids must lie between 0 and 2, got -1"),
        ([0.0], 3, TypeError, r"ids must hold integers, got float64"),
        ([True], 3, TypeError, r"ids must hold integers, got bool"),
        (["cat"], 3, TypeError, r"ids must hold integers"),
        ([0], 0, ValueError, r"size must be 1 or more, got 0"),
        ([0], 2.0, TypeError, r"size must be an integer"),
    ],
)
def test_one_hot_refuses(ids, size, error, message):
    with pytest.raises(error, match=message):
        one_hot(ids, size)


def test_the_pairs_of_the_documents():
    assert [b for a, b in context_pairs(["I", "love", "cat"], 1) if a == "love"] == ["I", "cat"]
    sentence = ["어제", "카페", "갔었어", "거기", "사람", "많더라"]
    around = [b for a, b in context_pairs(sentence, 2) if a == "갔었어"]
    assert around == ["어제", "카페", "거기", "사람"]
    assert (len(context_pairs(sentence, 2)), len(context_pairs(sentence, 1))) == (18, 10)


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.integers(1, 15))
def test_pairs_are_symmetric_and_complete(tokens, window):
    pairs = context_pairs(tokens, window)
    assert sorted(pairs) == sorted((b, a) for a, b in pairs)
    n = len(tokens)
    assert len(pairs) == 2 * sum(n - d for d in range(1, min(window, n - 1) + 1))


@given(SENTENCES, st.integers(1, 5))
def test_neighbourhoods_hold_the_same_pairs(sentences, window):
    assume(any(sentences))
    vocabulary = Vocabulary.count(sentences)
    ids, places = numbered(sentences, vocabulary.ids)
    contexts, valid = neighbourhoods(ids, places, window)
    words = np.array(vocabulary.tokens)
    found = [
        (str(words[i]), str(words[j]))
        for i, row, there in zip(ids, contexts, valid, strict=True)
        for j in row[there]
    ]
    assert found == [pair for tokens in sentences for pair in context_pairs(tokens, window)]


@pytest.mark.parametrize(
    ("tokens", "window", "error", "message"),
    [
        ("I love cat", 1, TypeError, r"tokens must be a list of texts, got one text, 'I love cat'"),
        (["a"], 0, ValueError, r"window must be 1 or more, got 0"),
        (["a"], 1.5, TypeError, r"window must be an integer"),
    ],
)
def test_context_pairs_refuse(tokens, window, error, message):
    with pytest.raises(error, match=message):
        context_pairs(tokens, window)


def test_unknown_words_are_dropped_and_the_others_move_together():
    text = [["b", "a", "a"], [], ["c", "b", "a", "d"]]
    vocabulary = Vocabulary.count(text, min_count=2)
    assert vocabulary.tokens == ("a", "b")
    assert vocabulary.counts.tolist() == [3, 2]
    ids, places = numbered(text, vocabulary.ids)
    assert (ids.tolist(), places.tolist()) == ([1, 0, 0, 1, 0], [0, 0, 0, 2, 2])
