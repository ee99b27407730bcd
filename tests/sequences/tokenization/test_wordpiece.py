"""Tests of companion.sequences.tokenization.wordpiece."""

import json

import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers

from companion.sequences.tokenization import (
    WordPieceTokenizer,
)
from companion.sequences.tokenization.wordpiece import longest_match
from tests.sequences.tokenization.examples import ANY_TEXT, CAFE, EVERYONE, WORD_PIECES, document_of


def test_longest_match_of_the_notes():
    entries = ["here", "is", "the", "sentence", "i", "want", *WORD_PIECES, "for", "."]
    vocabulary = {entry: number for number, entry in enumerate(["[UNK]", *entries])}
    ours = WordPieceTokenizer(vocabulary)
    assert ours.tokenize("Here is the sentence I want embeddings for.") == entries
    assert longest_match("emb", vocabulary) is None
    assert ours.tokenize("emb") == ["[UNK]"]


@settings(max_examples=200)
@given(
    st.lists(st.text("ab가", min_size=1, max_size=3), unique=True),
    st.lists(st.text("ab가", min_size=1, max_size=3), unique=True),
    st.text("ab가 A.", max_size=20),
    st.integers(1, 8),
)
def test_wordpiece_of_the_library(beginnings, continuations, text, most):
    tokens = ["[UNK]", *beginnings, *("##" + piece for piece in continuations)]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    ours = WordPieceTokenizer(vocabulary, max_letters=most, lowercase=False)
    model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=most)
    library = tokenizers.Tokenizer(model)
    library.normalizer = normalizers.BertNormalizer(lowercase=False)
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    assert ours.encode(text) == library.encode(text).ids


@given(ANY_TEXT, ANY_TEXT)
def test_two_texts(text, pair):
    ours = EVERYONE["wordpiece"]
    first, last = (ours.vocabulary[token] for token in ("[CLS]", "[SEP]"))
    a, b = ours.text_ids(text), ours.text_ids(pair)
    assert ours.encode(text, pair) == [first, *a, last, *b, last]
    library = tokenizers.Tokenizer.from_str(json.dumps(document_of(ours)))
    assert ours.encode(text, pair) == library.encode(text, pair).ids


def test_pieces_with_min_count_and_score():
    ours = WordPieceTokenizer.train(CAFE, 40, score="ratio", min_count=1, lowercase=False)
    assert ours.tokens[5 + 2 * 9] == "##는데"  # the first merge takes a pair that occurs once
    better = WordPieceTokenizer.train(CAFE, 40, min_count=1, lowercase=False)
    assert better.tokens[5 + 2 * 9] == "갔었"
    assert better.around == ("[CLS]", "[SEP]")
