"""Tests of companion.sequences.vocabulary."""

import copy
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.sequences.vocabulary import ROLES, Vocabulary, ordered

TOKENS = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=12, unique=True)
SENTENCES = st.lists(st.lists(st.sampled_from("abcde"), max_size=9), min_size=1, max_size=6)


@given(TOKENS, st.data())
def test_tokens_and_ids_there_and_back(tokens, data):
    vocabulary = Vocabulary(tokens)
    ids = data.draw(st.lists(st.integers(0, len(tokens) - 1)))
    assert vocabulary.encode(vocabulary.decode(ids)) == ids
    assert vocabulary.decode(np.array(ids, dtype=np.int64)) == [tokens[number] for number in ids]


@given(TOKENS)
def test_it_is_read_like_a_dictionary(tokens):
    vocabulary, plain = Vocabulary(tokens), {token: n for n, token in enumerate(tokens)}
    assert vocabulary == plain
    assert plain == vocabulary
    assert dict(vocabulary) == vocabulary.ids == plain
    assert (list(vocabulary), len(vocabulary)) == (tokens, len(tokens))
    assert list(vocabulary.items()) == list(plain.items())
    assert tokens[0] in vocabulary
    assert "not there" not in vocabulary
    assert 0 not in vocabulary
    assert [] not in vocabulary
    assert vocabulary.get("not there") is None
    with pytest.raises(KeyError):
        vocabulary["not there"]


@given(TOKENS, st.randoms(use_true_random=False))
def test_a_mapping_says_the_ids_itself(tokens, random):
    items = [(token, n) for n, token in enumerate(tokens)]
    random.shuffle(items)
    assert Vocabulary(dict(items)).tokens == tuple(tokens)
    assert ordered(Vocabulary(dict(items)), "x") == tuple(tokens)


@given(SENTENCES, st.integers(1, 3), st.integers(3, 9))
def test_counting_is_counting(sentences, least, size):
    special = ("[PAD]", "b")
    counts = Counter(token for sentence in sentences for token in sentence)
    kept = [token for token in "acde" if counts[token] >= least]
    if not kept:
        with pytest.raises(ValueError, match=rf"sentences must hold a token {least} times"):
            Vocabulary.count(sentences, special=special, min_count=least, size=size)
        return
    found = Vocabulary.count(sentences, special=special, min_count=least, size=size)
    words = sorted(kept, key=lambda token: (-counts[token], token))[: size - 2]
    assert found.tokens == (*special, *words)
    assert found.counts.tolist() == [counts[token] for token in found.tokens]
    assert found.counts.dtype == np.int64
    assert found.special == special


def test_roles_are_found_by_name_wherever_they_stand():
    vocabulary = Vocabulary(
        ["a", "[EOS]", "[UNK]", "b", "[PAD]"], special=["[PAD]", "[UNK]", "[EOS]"]
    )
    assert (vocabulary.pad, vocabulary.unknown, vocabulary.end) == (4, 2, 1)
    assert vocabulary.encode(["b", "c", "[EOS]"]) == [3, 2, 1]
    assert [role for role in ROLES if vocabulary.has(role)] == ["pad", "unknown", "end"]
    with pytest.raises(ValueError, match=r"must have \[BOS\] or <s> .*as begin, it has \('\[P"):
        _ = vocabulary.begin
    with pytest.raises(ValueError, match=r"role must be 'pad' or 'unknown' or .*got 'start'"):
        vocabulary.has("start")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_knows_every_spelling(role):
    for spelling in ROLES[role]:
        assert getattr(Vocabulary(["a", spelling], special=[spelling]), role) == 1
        assert not Vocabulary(["a", spelling]).has(role)  # a word that only looks like it


def test_spellings_of_published_models():
    smollm = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = Vocabulary([*smollm, "a"], special=smollm)
    assert (vocabulary.begin, vocabulary.end) == (1, 2)
    gpt2 = Vocabulary(["a", "<|endoftext|>"], special=["<|endoftext|>"])
    assert (gpt2.begin, gpt2.end) == (1, 1)
    other = Vocabulary(["a", "<?>"], unknown="<?>")
    assert (other.unknown, other.encode(["x"])) == (1, [1])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("abc",), {}, TypeError, r"tokens must be a list of texts, got one text, 'abc'"),
        ((3,), {}, TypeError, r"tokens must be a list of texts, got 3"),
        (([],), {}, ValueError, r"tokens must hold 1 or more, got 0"),
        ((["a", 1],), {}, TypeError, r"tokens\[1\] must be a text, got 1"),
        ((["a", ""],), {}, ValueError, r"tokens must not be empty texts, got '' at place 1"),
        ((["a", "b", "a"],), {}, ValueError, r"tokens must be different, got 'a' more than once"),
        (
            ({"a": 0, "b": 2},),
            {},
            ValueError,
            r"tokens must have the ids 0 to 1.*got \[0, 2",
        ),
        (
            ({"a": 0, "b": 0},),
            {},
            ValueError,
            r"tokens must have the ids 0 to 1.*got \[0, 0",
        ),
        (
            (["a", "b\ud800"],),
            {},
            ValueError,
            r"tokens must not contain lone surrogates, got U\+D800 at place 1",
        ),
        (({"a": 0.0},), {}, TypeError, r"tokens\['a'\] must be an integer, got 0\.0"),
        (({"a": False},), {}, TypeError, r"tokens\['a'\] must be an integer, got False"),
        ((["a"],), {"special": "a"}, TypeError, r"special must be a list of texts, got one text"),
        ((["a"],), {"special": ["b"]}, ValueError, r"special must be in the vocabulary, got 'b'"),
        ((["a"],), {"unknown": "b"}, ValueError, r"unknown must be in the vocabulary, got 'b'"),
        ((["a"], [1, 2]), {}, ValueError, r"counts must be 1 integers, got int64 of shape \(2,\)"),
        ((["a"], [1.0]), {}, ValueError, r"counts must be 1 integers, got float64 of shape \(1,\)"),
        ((["a"], [-1]), {}, ValueError, r"counts must be 0 or more, got -1"),
    ],
)
def test_a_vocabulary_refuses(arguments, options, error, message):
    with pytest.raises(error, match=message):
        Vocabulary(*arguments, **options)


@pytest.mark.parametrize(
    ("sentences", "options", "error", "message"),
    [
        ("a b", {}, TypeError, r"sentences must be a list of sentences, got 'a b'"),
        (["a b"], {}, TypeError, r"sentences\[0\] must be a list of words, got the text 'a b'"),
        ([[1]], {}, TypeError, r"sentences\[0\] must hold texts, got 1"),
        ([["a", ""]], {}, ValueError, r"sentences\[0\] must hold words, got an empty text"),
        ([], {}, ValueError, r"sentences must hold a token 1 times \(min_count\), got 0 different"),
        ([["a"]], {"min_count": 2}, ValueError, r"got 1 different tokens, none more than 1 times"),
        ([["a"]], {"min_count": 0}, ValueError, r"min_count must be 1 or more, got 0"),
        ([["a"]], {"special": ["x"], "size": 1}, ValueError, r"size must be 2 or more, got 1"),
    ],
)
def test_counting_refuses(sentences, options, error, message):
    with pytest.raises(error, match=message):
        Vocabulary.count(sentences, **options)


def test_encoding_and_decoding_refuse():
    plain = Vocabulary(["a", "b"])
    with pytest.raises(ValueError, match=r"tokens must be in the vocabulary, got 'c'"):
        plain.encode(["a", "c"])
    with pytest.raises(TypeError, match=r"tokens must be a list of texts, got one text, 'ab'"):
        plain.encode("ab")
    with pytest.raises(TypeError, match=r"tokens\[0\] must be a text, got 3"):
        Vocabulary(["[UNK]"], special=["[UNK]"]).encode([3])
    with pytest.raises(ValueError, match=r"ids must be 0 or more, got -1"):
        plain.decode([0, -1])
    with pytest.raises(ValueError, match=r"ids must be at most 1, got 2"):
        plain.decode([0, 2])
    for bad in ([0.0], 3, "ab", b"\0", np.array(0)):
        with pytest.raises(TypeError, match=r"ids must be a list of integers, got "):
            plain.decode(bad)


def test_it_can_be_copied_and_sent_to_other_processes():
    vocabulary = Vocabulary(["[PAD]", "a"], [0, 3], special=["[PAD]"])
    for again in (copy.deepcopy(vocabulary), pickle.loads(pickle.dumps(vocabulary))):
        assert again == vocabulary
        assert (again.pad, again.counts.tolist()) == (0, [0, 3])


def test_repr_shows_the_beginning():
    assert repr(Vocabulary(["a", "b"])) == "Vocabulary(2 tokens: a b)"
    assert repr(Vocabulary(map(str, range(9)))) == "Vocabulary(9 tokens: 0 1 2 3 4 5 6 7 ...)"
