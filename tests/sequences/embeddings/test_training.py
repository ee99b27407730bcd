"""Tests of what all ways to train word vectors have in common."""

import math

import numpy as np
import pytest

from companion.sequences.embeddings import (
    train_glove,
)
from tests.sequences.embeddings.examples import GROUPS, TRAINERS, two_worlds


@pytest.mark.parametrize("train", TRAINERS)
def test_words_in_the_same_company_come_together(train):
    options = {"size": 11, "min_count": 1, "epochs": 20, "learning_rate": 0.05}
    if train is not train_glove:
        options |= {"subsample": None}
    vectors = train(two_worlds(1500), **options)
    for group in GROUPS:
        for word in group:
            nearest = [
                name
                for name, _ in vectors.most_similar(word, 10)
                if name in {*GROUPS[0], *GROUPS[1]}
            ]
            assert set(nearest[:2]) == set(group) - {word}


@pytest.mark.parametrize("train", TRAINERS)
def test_a_seed_repeats_the_vectors(train):
    text = two_worlds(100)
    one, same, other = (
        train(text, size=5, epochs=2, min_count=1, seed=seed).vectors for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("train", TRAINERS)
def test_a_seed_may_be_as_large_as_one_likes(train):
    assert len(train([["a", "b"] * 9], size=2, epochs=1, min_count=1, seed=2**64 - 1)) == 2


@pytest.mark.parametrize("train", TRAINERS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sentences": "a b a b"}, TypeError, r"sentences must be a list of sentences, got 'a b"),
        (
            {"sentences": ["a b"]},
            TypeError,
            r"sentences\[0\] must be a list of words, got",
        ),
        ({"sentences": []}, ValueError, r"sentences must hold 1 or more, got 0"),
        ({"min_count": 99}, ValueError, r"sentences must hold a token 99 times"),
        ({"sentences": [["a"], ["b"]]}, ValueError, r"two known words side by side"),
        ({"size": 0}, ValueError, r"size must be 1 or more"),
        ({"learning_rate": 1e308}, ValueError, r"learning_rate must lie between 0 and 1e"),
        ({"size": 2**40}, ValueError, r"size must be at most 16777216"),
        ({"window": 0}, ValueError, r"window must be 1 or more"),
        ({"window": 2.5}, TypeError, r"window must be an integer"),
        ({"epochs": 0}, ValueError, r"epochs must be 1 or more"),
        ({"learning_rate": 0}, ValueError, r"learning_rate must lie between 0 and 1e"),
        ({"learning_rate": math.nan}, ValueError, r"learning_rate must lie between 0 and 1e"),
        ({"min_count": 0}, ValueError, r"min_count must be 1 or more"),
        ({"seed": -1}, ValueError, r"seed must be 0 or more"),
        ({"seed": None}, TypeError, r"seed must be an integer, got None"),
        ({"seed": True}, TypeError, r"seed must be an integer, got True"),
        ({"learning_rate": 1e30}, ValueError, r"learning_rate must be smaller: .* got 1e\+30"),
    ],
)
def test_training_refuses(train, options, error, message):
    options = {"sentences": [["a", "b", "c"] * 7], "size": 3, "min_count": 1} | options
    with pytest.raises(error, match=message):
        train(**options)
