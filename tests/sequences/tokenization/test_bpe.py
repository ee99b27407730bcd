"""Tests of companion.sequences.tokenization.bpe."""

import json
from collections import Counter
from itertools import pairwise, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from companion.data.town.tasks import running_text
from companion.sequences.tokenization import (
    BytePairTokenizer,
    apply_merges,
    learn_merges,
    merge_pairs,
)
from companion.sequences.tokenization.bpe import CHARACTER_OF, in_byte_characters
from companion.sequences.tokenization.merges import PairIndex
from tests.sequences.tokenization.examples import (
    ANY_TEXT,
    EVERYONE,
    TEXTS,
    merge_slowly,
    train_library,
)


def test_merge_pairs_of_the_notes():
    steps = merge_pairs("aaabdaaabac", {"Z": "aa", "Y": "ab", "X": "ZY"})
    assert [len(step) for step in steps] == [11, 9, 7, 5]
    assert steps[-1] == "XdXac"
    other = merge_pairs("aaabdaaabac", {"Z": "aa", "Y": "Za", "X": "Yb"})
    assert other == ["aaabdaaabac", "ZabdZabac", "YbdYbac", "XdXac"]
    with pytest.raises(ValueError, match="pairs of two symbols, got 'aab'"):
        merge_pairs("aaab", {"Z": "aab"})
    with pytest.raises(ValueError, match="new symbols of one character, got 'a'"):
        merge_pairs("aaab", {"a": "ab"})


def learn_slowly(words, n_merges):
    """Count all pairs anew for each merge; ties by id, ids by order of appearance."""
    texts = {word: list(word) for word in words}
    number = {letter: place for place, letter in enumerate(sorted(set().union(*words)))}
    merges = []
    for _ in range(n_merges):
        counts = Counter()
        for word, frequency in words.items():
            for pair in pairwise(texts[word]):
                counts[pair] += frequency
        if not counts:
            break
        pair = min(counts, key=lambda p: (-counts[p], number[p[0]], number[p[1]]))
        merges.append(pair)
        number[pair[0] + pair[1]] = len(number)
        for word in texts:
            texts[word] = merge_slowly(texts[word], pair, pair[0] + pair[1])
    return merges


@given(st.dictionaries(st.text("abc", min_size=1, max_size=12), st.integers(1, 5), min_size=1))
def test_fast_learning_is_slow_learning(words):
    letters = set().union(*words)
    vocabulary, merges = learn_merges(words, len(letters) + 12)
    assert merges == learn_slowly(words, 12)
    assert list(vocabulary) == [*sorted(letters), *(left + right for left, right in merges)]


@given(st.text("ab", max_size=30), st.integers(1, 3))
def test_the_index_counts_what_is_there(word, frequency):
    index = PairIndex({word: frequency})
    for pair, symbol in (("ab", "X"), ("aa", "Y"), ("YX", "Z")):
        if index.counts.get(pair):
            for changed, change in index.merge(pair, symbol).items():
                index.counts[changed] = index.counts.get(changed, 0) + change
            del index.counts[pair]
            word = word.replace(pair, symbol)
    assert index.words == [word]
    true = Counter()
    for left, right in pairwise(word):
        true[left + right] += frequency
    assert {pair: count for pair, count in index.counts.items() if count} == true


def merges_of(library):
    return [tuple(pair) for pair in json.loads(library.to_str())["model"]["merges"]]


@settings(max_examples=60)
@given(
    texts=st.lists(st.one_of(ANY_TEXT, st.text("ab ", max_size=40)), min_size=1, max_size=8),
    special=st.sampled_from([(), ("[UNK]", "ab"), ("a", "aab", "b")]),
)
def test_the_library_learns_the_same_merges(texts, special):
    library = train_library(texts, 300, special)
    ours = BytePairTokenizer.train(texts, 300, special_tokens=special)
    assert ours.merges == merges_of(library)
    assert ours.vocabulary == library.get_vocab()


def test_the_library_learns_the_same_merges_from_real_text():
    texts = [*TEXTS, *[text for _, text in zip(range(3000), running_text(seed=2), strict=False)]]
    library = train_library(texts, 1500)
    ours = BytePairTokenizer.train(texts, 1500)
    assert len(ours.merges) == 1500 - 256
    assert ours.merges == merges_of(library)
    assert ours.encode("\n".join(texts)) == library.encode("\n".join(texts)).ids


def apply_slowly(word, ranks):
    parts = list(word)
    while known := [pair for pair in pairwise(parts) if pair in ranks]:
        lowest = min(known, key=ranks.__getitem__)
        place = next(k for k, pair in enumerate(pairwise(parts)) if pair == lowest)
        parts[place : place + 2] = ["".join(lowest)]
    return parts


TOKENS = ["".join(letters) for n in (1, 2) for letters in product("ab", repeat=n)]


@given(
    word=st.text("ab", max_size=90),
    pairs=st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(TOKENS)), unique=True),
)
@example(word="aaa", pairs=[("a", "a")])
@example(word="aaaaa", pairs=[("a", "a"), ("aa", "a")])
def test_short_and_long_words_are_merged_alike(word, pairs):
    # Also for merges that no training would find: a later pair may come before its parts.
    ranks = {pair: rank for rank, pair in enumerate(pairs)}
    expected = apply_slowly(word, ranks)
    assert apply_merges(word, ranks) == expected
    assert apply_merges(word + "c" * 70, ranks) == expected + ["c"] * 70


def test_a_long_word_takes_no_long_time():
    ours = EVERYONE["bytes"]
    text = "theand" * 20_000  # one word: the time of a quadratic algorithm would be hours
    assert ours.decode(ours.encode(text)) == text


def test_bytes_are_visible():
    assert sorted(map(ord, CHARACTER_OF.values())) == sorted(
        ord(letter) for letter in pre_tokenizers.ByteLevel.alphabet()
    )
    assert in_byte_characters("어") == "ìĸ´"


def test_half_a_character_is_shown_as_such():
    ours = BytePairTokenizer.train(["a"], 256)
    assert ours.decode(ours.encode("한")[:2]) == "\ufffd"
