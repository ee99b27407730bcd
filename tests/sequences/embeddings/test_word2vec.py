"""Tests of companion.sequences.embeddings.word2vec."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from companion.data.town.people import PAIRS
from companion.sequences.embeddings import (
    WordVectors,
    held_out_loss,
    train_word2vec,
    word2vec,
)
from tests.sequences.embeddings.examples import blocks_of, one_step, town, two_worlds


def random_block(seed=0):
    random = torch.Generator().manual_seed(seed)
    n, C, M, K, D = 2, 5, 11, 3, 7

    def draw(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.float64).requires_grad_()

    pairs = (torch.rand(n, C, M, generator=random) < 0.4).double()
    pairs[0, 2] = 0  # a word without any context
    return draw, pairs, (n, C, M, K, D)


def test_skip_gram_gradients_are_those_of_the_loss():
    draw, pairs, (n, C, M, K, D) = random_block()
    u, v = draw(n, C, D), draw(n, M + K, D)
    right, noise = u @ v[:, :M].transpose(1, 2), u @ v[:, M:].transpose(1, 2)
    loss = -(pairs * functional.logsigmoid(right)).sum()
    # Each pair stands against K shared negatives, each of which counts 5 / K.
    against = functional.logsigmoid(-noise).sum(dim=2)
    loss = loss - (pairs.sum(dim=2) * against).sum() * 5 / K
    expected = torch.autograd.grad(loss, (u, v))
    got = word2vec.skip_gram_gradients(u.detach(), v.detach(), pairs, 5)
    for left, right in zip(got, expected, strict=True):
        assert torch.allclose(left, right, atol=1e-12)


def test_cbow_gradients_are_those_of_the_loss():
    draw, pairs, (n, C, M, K, D) = random_block()
    u, v = draw(n, M, D), draw(n, C + K, D)
    counts = pairs.sum(dim=2, keepdim=True)
    means = (pairs @ u / counts.clamp(min=1)).detach().requires_grad_()
    some = (counts[..., 0] > 0).double()
    right = functional.logsigmoid((means * v[:, :C]).sum(dim=2))
    noise = functional.logsigmoid(-means @ v[:, C:].transpose(1, 2)).sum(dim=2)
    loss = -(some * (right + noise * 5 / K)).sum()
    by_means, by_v = torch.autograd.grad(loss, (means, v))
    change_u, change_v = word2vec.cbow_gradients(u.detach(), v.detach(), pairs, 5)
    assert torch.allclose(change_v, by_v, atol=1e-12)
    # Each word of a context takes the whole gradient of the mean.
    assert torch.allclose(change_u, pairs.transpose(1, 2) @ by_means, atol=1e-12)
    assert counts[0, 2] == 0
    assert not change_v[0, 2].any()


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_steps_are_gradient_descent_pair_by_pair(monkeypatch, objective):
    """Two steps, in slow and readable code: one pair after the other, all from the old vectors."""
    words = list("abcdefg")
    blocks = blocks_of(len(words))
    one_step(monkeypatch, word2vec, blocks, 0.5)
    got = train_word2vec([words], objective, size=3, negatives=2, min_count=1, seed=3)
    u = word2vec.initial_vectors(7, 3, 3).double().numpy()
    v = np.zeros_like(u)

    def learn(mean, inputs, target, negatives):
        for word, label, weight in [(target, 1, 1), *((w, 0, 2 / 3) for w in negatives)]:
            error = weight * (1 / (1 + np.exp(-mean @ v[word])) - label)
            new_v[word] -= 0.5 * error * mean
            for word_in in inputs:
                new_u[word_in] -= 0.5 * error * v[word]

    for _ in range(2):
        new_u, new_v = u.copy(), v.copy()
        for centres, contexts, pairs, noise in zip(
            blocks.centres, blocks.contexts, blocks.pairs, blocks.noise, strict=True
        ):
            for centre, row in zip(centres.tolist(), pairs, strict=True):
                around = contexts[row.bool()].tolist()
                if objective == "skip-gram":
                    for other in around:
                        learn(u[centre], [centre], other, noise.tolist())
                elif around:
                    learn(u[around].mean(axis=0), around, centre, noise.tolist())
        u, v = new_u, new_v
    assert got.vectors == pytest.approx(u, abs=1e-6)
    assert got.contexts == pytest.approx(v, abs=1e-6)
    assert np.abs(v).max() > 1e-3


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_loss_on_held_out_text_falls(objective):
    options = {"size": 11, "min_count": 1, "subsample": None, "learning_rate": 0.05}
    held_out = two_worlds(200, seed=1)
    losses = [
        held_out_loss(
            train_word2vec(two_worlds(1500), objective, epochs=epochs, **options),
            held_out,
            objective,
        )
        for epochs in (1, 10)
    ]
    assert losses[1] < losses[0] < 6 * math.log(2)


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_smallest_text(objective):
    vectors = train_word2vec([["a", "b"]], objective, size=1, epochs=1, min_count=1, subsample=None)
    assert vectors.words == ("a", "b")
    assert vectors.vectors.shape == (2, 1)
    assert np.isfinite(vectors.vectors).all()


def test_word2vec_refuses():
    text = [["a", "b"] * 9]
    with pytest.raises(ValueError, match=r"objective must be 'skip-gram' or 'cbow', got 'skip"):
        train_word2vec(text, "skipgram")
    with pytest.raises(ValueError, match=r"negatives must be 1 or more, got 0"):
        train_word2vec(text, negatives=0)
    with pytest.raises(ValueError, match=r"subsample must lie between 0 and inf"):
        train_word2vec(text, subsample=-1.0)


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_held_out_loss_by_hand(objective):
    rng = np.random.default_rng(0)
    vectors = WordVectors(
        list("abc"), rng.normal(size=(3, 5)), counts=[3, 2, 1], contexts=rng.normal(size=(3, 5))
    )
    text = [["a", "?", "b", "c"], ["c"], ["b", "a"]]
    kept = [["a", "b", "c"], ["c"], ["b", "a"]]
    rows = []
    for sentence in kept:
        for i, word in enumerate(sentence):
            around = [w for j, w in enumerate(sentence) if j != i and abs(j - i) <= 2]
            if objective == "skip-gram":
                rows += [(vectors[word], other) for other in around]
            elif around:
                rows.append((np.mean([vectors[w] for w in around], axis=0), word))
    noise = np.array([3, 2, 1]) ** 0.75
    drawn = np.random.default_rng(4).choice(3, size=(7, len(rows)), p=noise / noise.sum())

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    losses = [
        -np.log(sigmoid(u @ vectors.contexts["abc".index(word)]))
        - sum(np.log(sigmoid(-u @ vectors.contexts[k])) for k in drawn[:, i])
        for i, (u, word) in enumerate(rows)
    ]
    got = held_out_loss(vectors, text, objective, window=2, negatives=7, seed=4)
    assert got == pytest.approx(np.mean(losses), rel=1e-6)
    zeros = WordVectors(list("abc"), np.ones((3, 5)), counts=[3, 2, 1], contexts=np.zeros((3, 5)))
    assert held_out_loss(zeros, text, objective) == pytest.approx(6 * math.log(2))


def test_held_out_loss_refuses():
    known = WordVectors(["a", "b"], np.eye(2), counts=[1, 1], contexts=np.eye(2))
    with pytest.raises(ValueError, match=r"vectors must have counts and contexts"):
        held_out_loss(WordVectors(["a", "b"], np.eye(2)), [["a", "b"]])
    with pytest.raises(ValueError, match=r"two known words side by side"):
        held_out_loss(known, [["a"], ["b", "?"]])
    with pytest.raises(ValueError, match=r"objective must be 'skip-gram' or 'cbow', got 'glove'"):
        held_out_loss(known, [["a", "b"]], "glove")


@pytest.fixture(scope="module")
def bert_text():
    return town(40_000)


def gensim_vectors(gensim, text, objective, **options):
    model = gensim.Word2Vec(text, sg=int(objective == "skip-gram"), workers=1, seed=1, **options)
    counts = [model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key]
    return WordVectors(
        model.wv.index_to_key, model.wv.vectors, counts=counts, contexts=model.syn1neg
    )


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_held_out_loss_is_that_of_gensim(gensim, monkeypatch, bert_text, objective):
    # gensim begins with vectors twice as long as the program word2vec, and leaves 0 sooner.
    short = word2vec.initial_vectors
    monkeypatch.setattr(word2vec, "initial_vectors", lambda *sizes: 2 * short(*sizes))
    text, held_out = bert_text[2000:], bert_text[:2000]
    theirs = gensim_vectors(gensim, text, objective, epochs=1)
    ours = train_word2vec(text, objective, epochs=1)
    assert set(ours.words) == set(theirs.words)
    losses = [held_out_loss(vectors, held_out, objective) for vectors in (ours, theirs)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] < 0.85 * 6 * math.log(2)


def test_analogies_of_the_town_succeed_as_often_as_with_gensim(gensim, bert_text):
    options = {"window": 10, "epochs": 5}
    ours = train_word2vec(bert_text, subsample=1e-2, learning_rate=0.05, **options)
    theirs = gensim_vectors(gensim, bert_text, "skip-gram", sample=1e-2, alpha=0.05, **options)
    pairs = [tuple(role.en.replace(" ", "_") for role in pair) for pair in PAIRS]
    found = []
    for vectors in (ours, theirs):
        exact, gender = [], []
        for one in pairs:
            for other in pairs:
                if one is other:
                    continue
                for side in (0, 1):
                    answer = vectors.analogy(one[1 - side], one[side], other[1 - side])[0][0]
                    exact.append(answer == other[side])
                    gender.append(answer in [pair[side] for pair in pairs])
        found.append((np.mean(exact), np.mean(gender)))
    (our_exact, our_gender), (its_exact, its_gender) = found
    assert len(exact) == 264
    assert our_exact > max(0.1, its_exact - 0.12)
    assert our_gender > max(0.85, its_gender - 0.05)
