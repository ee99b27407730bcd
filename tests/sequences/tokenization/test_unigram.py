"""Tests of companion.sequences.tokenization.unigram."""

import json
import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, pre_tokenizers, trainers

from companion.data.town.tasks import running_text
from companion.sequences.tokenization import (
    UnigramTokenizer,
    pretokens,
)
from companion.sequences.tokenization.lattices import Lattices
from companion.sequences.tokenization.unigram import best_path, first_pieces, learn_pieces
from tests.sequences.tokenization.examples import PIECE_LIST, TEXTS, all_paths


@given(PIECE_LIST, st.text("abx", min_size=1, max_size=9), st.data())
def test_the_best_path_is_the_best_of_all(pieces, word, data):
    scores = {piece: data.draw(st.floats(-20, 0)) for piece in pieces}
    unknown = min(scores.values()) - 10
    found = best_path(word, scores, max(map(len, scores)))
    assert "".join(found) == word

    def value(path):
        return sum(scores[part] if part in scores else len(part) * unknown for part in path)

    best = max(map(value, all_paths(word, {*scores, "x"})))
    assert value(found) == pytest.approx(best)
    assert all("x" not in first or "x" not in second for first, second in pairwise(found))


@settings(max_examples=200)
@given(
    st.lists(st.text("ab가▁", min_size=1, max_size=3), min_size=1, unique=True),
    st.text("ab가▁ x", max_size=20),
    st.data(),
)
def test_unigram_of_the_library(pieces, text, data):
    # Many scores are equal: so many ties.
    scores = {"[UNK]": 0.0} | {piece: -1.0 * data.draw(st.integers(1, 3)) for piece in pieces}
    ours = UnigramTokenizer(scores)
    library = tokenizers.Tokenizer(models.Unigram(list(scores.items()), unk_id=0))
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.decoder = decoders.Metaspace()
    assert ours.encode(text) == library.encode(text).ids
    assert ours.decode(ours.encode(text)) == library.decode(ours.encode(text))


def test_first_pieces():
    assert first_pieces({"abab": 2, "c": 1}, 6) == ["a", "b", "c", "ab", "abab", "aba"]
    assert first_pieces({"abc": 1}, 6) == ["a", "b", "c"]


def test_learned_pieces_are_a_distribution_with_all_letters():
    words = Counter(word for text in TEXTS for word in pretokens.before_spaces(text))
    pieces = learn_pieces(words, 600)
    assert len(pieces) == 600
    assert set().union(*words) <= set(pieces)
    assert sum(math.exp(score) for score in pieces.values()) == pytest.approx(1)
    assert list(pieces.values()) == sorted(pieces.values(), reverse=True)


def test_likelihood_is_no_worse_than_that_of_the_library():
    library = tokenizers.Tokenizer(models.Unigram())
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    options = {"show_progress": False, "special_tokens": ["[UNK]"], "unk_token": "[UNK]"}
    texts = [text for _, text in zip(range(1500), running_text(seed=3), strict=False)]
    library.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=800, **options))
    words = Counter(word for text in texts for word in pretokens.before_spaces(text))
    theirs = dict(json.loads(library.to_str())["model"]["vocab"])
    likelihoods = []
    for scores in (UnigramTokenizer.train(texts, 800).scores, theirs):
        del scores["[UNK]"]
        lattices = Lattices(list(words), {piece: place for place, piece in enumerate(scores)})
        p = np.exp(list(scores.values()))
        frequencies = np.array(list(words.values()))
        likelihoods.append(lattices.expected_counts(p / p.sum(), frequencies)[1])
    assert np.isfinite(likelihoods).all()
    assert likelihoods[0] > 1.02 * likelihoods[1]  # both are negative


def test_letters_are_kept_even_if_they_are_too_many():
    assert set(learn_pieces({"abcab": 3}, 1)) == {"a", "b", "c"}


def test_long_words_are_cut_in_training_only():
    ours = UnigramTokenizer.train(["ab" * 100], 12)
    assert ours.decode(ours.encode("ab" * 100)) == "ab" * 100
