"""Tests of companion.sequences.embeddings.fasttext."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.sequences.embeddings import (
    SubwordVectors,
    WordVectors,
    character_ngrams,
    fasttext,
    train_fasttext,
    train_word2vec,
    word2vec,
)
from tests.sequences.embeddings.examples import blocks_of, one_step, town, two_worlds


def test_pieces_of_a_word():
    assert character_ngrams("where", 3, 3) == ["<wh", "whe", "her", "ere", "re>"]
    assert character_ngrams("갔다", 2, 9) == ["<갔", "갔다", "다>", "<갔다", "갔다>"]
    assert character_ngrams("a", 1, 3) == ["a", "<a", "a>"]
    assert character_ngrams("aaaa", 2, 2) == ["<a", "aa", "a>"]
    assert character_ngrams("a", 5, 5) == []
    assert character_ngrams("a", 2, 2**60) == ["<a", "a>"]


@given(st.text(min_size=1, max_size=9), st.integers(1, 4), st.integers(0, 3))
def test_pieces_are_parts_of_the_marked_word(word, shortest, more):
    pieces = character_ngrams(word, shortest, shortest + more)
    assert len(set(pieces)) == len(pieces)
    for piece in pieces:
        assert piece in f"<{word}>"
        assert piece != f"<{word}>"
        assert shortest <= len(piece) <= shortest + more


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", 1, 2), ValueError, r"word must not be empty"),
        ((5, 1, 2), TypeError, r"word must be a str, got int"),
        (("a", 0, 2), ValueError, r"shortest must be 1 or more, got 0"),
        (("a", 3, 2), ValueError, r"longest must be 3 or more, got 2"),
    ],
)
def test_pieces_refuse(arguments, error, message):
    with pytest.raises(error, match=message):
        character_ngrams(*arguments)


def test_without_pieces_fasttext_is_skip_gram():
    text, options = two_worlds(200), {"size": 5, "epochs": 2, "min_count": 1}
    plain = train_word2vec(text, **options)
    pieceless = train_fasttext(text, shortest=50, longest=50, **options)
    assert pieceless.pieces == {}
    assert np.allclose(pieceless.vectors, plain.vectors, atol=1e-6)
    assert np.allclose(pieceless.contexts, plain.contexts, atol=1e-6)


def test_pieces_take_the_whole_gradient_of_their_mean(monkeypatch):
    words = ["사과를", "사과", "배", "배를", "감"]
    blocks = blocks_of(len(words))
    one_step(monkeypatch, fasttext, blocks, 0.5)
    got = train_fasttext([words], size=3, negatives=2, min_count=1, shortest=1, longest=2, seed=3)
    order = sorted(words)
    lists = [[word, *character_ngrams(word, 1, 2)] for word in order]
    names = [*order, *dict.fromkeys(piece for row in lists for piece in row[1:])]
    # A word may look like a piece ("배"): the number tells them apart.
    rows = [
        [i, *(len(order) + names[len(order) :].index(p) for p in row[1:])]
        for i, row in enumerate(lists)
    ]
    z = word2vec.initial_vectors(len(names) + 1, 3, 3).double()[:-1]
    v = torch.zeros(5, 3, dtype=torch.float64)
    for _ in range(2):
        u = torch.stack([z[row].mean(dim=0) for row in rows])
        predicted = torch.cat([blocks.contexts, blocks.noise], dim=1)
        change_u, change_v = word2vec.skip_gram_gradients(
            u[blocks.centres], v[predicted], blocks.pairs.double(), 2
        )
        for word, change in zip(
            blocks.centres.ravel().tolist(), change_u.reshape(-1, 3), strict=True
        ):
            for number in rows[word]:
                z[number] -= 0.5 * change
        for word, change in zip(predicted.ravel().tolist(), change_v.reshape(-1, 3), strict=True):
            v[word] -= 0.5 * change
    assert got.words == tuple(order)
    assert got.contexts == pytest.approx(v.numpy(), abs=1e-6)
    for number, name in enumerate(names[5:], 5):
        assert got.pieces[name] == pytest.approx(z[number].numpy(), abs=1e-6)
    means = np.array([z[row].mean(dim=0).numpy() for row in rows])
    assert got.vectors == pytest.approx(means, abs=1e-6)


def test_an_unseen_word_is_the_mean_of_its_known_pieces(tmp_path):
    vectors = SubwordVectors(
        ["ab"], [[1.0, 2.0]], pieces={"a": [1, 0], "<a": [3, 2]}, shortest=1, longest=2
    )
    assert vectors["a"] == pytest.approx([2, 1])
    assert vectors["ab"] == pytest.approx([1, 2])
    assert "a" not in vectors
    assert vectors.most_similar("a", 1)[0][0] == "ab"
    assert vectors.similarity("a", "ab") == pytest.approx(4 / 5)
    for word, error, message in [
        ("x", ValueError, r"word must share a piece with the training text, got 'x'"),
        ("", ValueError, r"word must not be empty"),
        (3, TypeError, r"word must be a str, got int"),
        (["a"], TypeError, r"word must be a str, got list"),
    ]:
        with pytest.raises(error, match=message):
            vectors[word]
    vectors.save(tmp_path / "words.txt")
    assert WordVectors.load(tmp_path / "words.txt").words == ("ab",)


def test_unseen_korean_forms_find_their_stem():
    text = town(20_000, "ko")
    known = {word for sentence in text for word in sentence}
    vectors = train_fasttext(
        text, size=50, epochs=3, learning_rate=0.1, shortest=1, longest=3, min_count=2
    )
    nouns = ("고양이", "토끼", "사과", "수박", "바나나", "우산", "자전거", "도서관")
    found = []
    for noun in nouns:
        assert f"{noun}처럼" not in known
        nearest = [word for word, _ in vectors.most_similar(f"{noun}처럼", 10)]
        found.append(any(word.startswith(noun) for word in nearest))
    assert sum(found) >= 7
