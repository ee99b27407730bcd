"""Tests of companion.sequences.tokenization.pretokens."""

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from companion.sequences.tokenization import (
    pretokens,
)
from companion.sequences.tokenization.bpe import in_byte_characters
from tests.sequences.tokenization.examples import ANY_TEXT


@given(ANY_TEXT)
def test_the_cut_of_gpt2_is_that_of_the_library(text):
    library = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    pieces = pretokens.as_in_gpt2(text)
    assert [in_byte_characters(piece) for piece in pieces] == [piece for piece, _ in library]
    assert "".join(pieces) == text


@given(ANY_TEXT)
def test_the_other_cuts_are_those_of_the_library(text):
    for ours, library in [
        (pretokens.at_spaces, pre_tokenizers.WhitespaceSplit()),
        (pretokens.at_punctuation, pre_tokenizers.BertPreTokenizer()),
        (pretokens.before_spaces, pre_tokenizers.Metaspace()),
    ]:
        assert ours(text) == [piece for piece, _ in library.pre_tokenize_str(text)]


@given(ANY_TEXT, st.booleans())
def test_basic_tokens_are_those_of_the_library(text, lowercase):
    tidy = normalizers.BertNormalizer(lowercase=lowercase).normalize_str(text)
    library = pre_tokenizers.BertPreTokenizer().pre_tokenize_str(tidy)
    assert pretokens.basic_tokens(text, lowercase=lowercase) == [piece for piece, _ in library]
