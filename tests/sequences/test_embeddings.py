"""Tests of companion.sequences.embeddings."""

import math
from itertools import islice

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors, Word2Vec
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional

from companion.data.town.people import PAIRS
from companion.data.town.tasks import running_text
from companion.sequences.embeddings import (
    SubwordVectors,
    Vocabulary,
    WordVectors,
    character_ngrams,
    context_pairs,
    cooccurrences,
    fasttext,
    glove,
    held_out_loss,
    one_hot,
    train_fasttext,
    train_glove,
    train_word2vec,
    word2vec,
)
from companion.sequences.embeddings.pairs import neighbourhoods

SENTENCES = st.lists(st.lists(st.sampled_from("abcde"), max_size=9), min_size=1, max_size=7)
TRAINERS = [train_word2vec, train_glove, train_fasttext]
# Two groups of words that never meet, and differ in their company alone.
GROUPS = [["cat", "dog", "hen"], ["bus", "tram", "lorry"]]
COMPANY = [["eats", "sleeps", "runs", "old"], ["stops", "fast", "wheel", "ticket"]]


def two_worlds(n, seed=0):
    rng = np.random.default_rng(seed)
    sides = rng.integers(2, size=n)
    return [[rng.choice(GROUPS[i]), *rng.permutation(COMPANY[i])[:3]] for i in sides]


def town(n, language="en"):
    """Return sentences of the town as lists of words; names of roles are one word each."""
    text = " \n ".join(islice(running_text(seed=0, language=language), n)).lower().replace(".", "")
    for age in ("younger", "elder"):
        text = text.replace(f"{age} brother", f"{age}_brother").replace(
            f"{age} sister", f"{age}_sister"
        )
    return [line.replace(",", "").split() for line in text.split("\n")]


# --- one-hot vectors, pairs, vocabulary ----------------------------------------------------------


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
    vocabulary = Vocabulary.of(sentences)
    ids, places = vocabulary.encode(sentences)
    contexts, valid = neighbourhoods(ids, places, window)
    words = np.array(vocabulary.words)
    found = [
        (str(words[i]), str(words[j]))
        for i, row, there in zip(ids, contexts, valid, strict=True)
        for j in row[there]
    ]
    assert found == [pair for tokens in sentences for pair in context_pairs(tokens, window)]


@pytest.mark.parametrize(
    ("tokens", "window", "error", "message"),
    [
        ("I love cat", 1, TypeError, r"tokens must be a list of words each, got 'I love cat'"),
        (["a"], 0, ValueError, r"window must be 1 or more, got 0"),
        (["a"], 1.5, TypeError, r"window must be an integer"),
    ],
)
def test_context_pairs_refuse(tokens, window, error, message):
    with pytest.raises(error, match=message):
        context_pairs(tokens, window)


def test_a_vocabulary_counts_sorts_and_drops():
    text = [["b", "a", "a"], [], ["c", "b", "a", "d"]]
    vocabulary = Vocabulary.of(text, min_count=2)
    assert vocabulary.words == ("a", "b")
    assert vocabulary.counts.tolist() == [3, 2]
    ids, places = vocabulary.encode(text)
    assert (ids.tolist(), places.tolist()) == ([1, 0, 0, 1, 0], [0, 0, 0, 2, 2])
    assert Vocabulary.of(iter(text)).words == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("sentences", "error", "message"),
    [
        ("a b", TypeError, r"sentences must be lists of words, got the string 'a b'"),
        (["a b"], TypeError, r"sentences must be a list of words each, got 'a b'"),
        ([[1, 2]], TypeError, r"sentences must hold words, strings that are not empty: 1"),
        ([["a", ""]], TypeError, r"strings that are not empty: ''"),
        ([], ValueError, r"sentences must hold a word 2 times \(min_count\), got 0 different"),
        ([["a", "b"]], ValueError, r"got 2 different words, none more than 1 times"),
    ],
)
def test_a_vocabulary_refuses(sentences, error, message):
    with pytest.raises(error, match=message):
        Vocabulary.of(sentences, 2)


def test_subsampling_and_noise_by_hand():
    vocabulary = Vocabulary(("the", "of", "cat"), np.array([900, 99, 1]))
    # Shares 0.9 and 0.099 against t = 0.009: sqrt(0.01) + 0.01, sqrt(0.0909...) + 0.0909...
    expected = [0.11, math.sqrt(1 / 11) + 1 / 11, 1.0]
    assert vocabulary.keep_probabilities(0.009) == pytest.approx(expected)
    assert vocabulary.keep_probabilities(None).tolist() == [1, 1, 1]
    powers = np.array([900**0.75, 99**0.75, 1.0])
    assert vocabulary.noise() == pytest.approx(powers / powers.sum())
    with pytest.raises(ValueError, match=r"subsample must lie between 0 and inf"):
        vocabulary.keep_probabilities(0.0)


# --- word vectors --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(0)
    return WordVectors([f"w{i}" for i in range(31)], rng.normal(size=(31, 7)))


@pytest.fixture(scope="module")
def twin(cloud):
    keyed = KeyedVectors(7)
    keyed.add_vectors(list(cloud.words), cloud.vectors)
    return keyed


def test_similarities_and_neighbours_are_those_of_gensim(cloud, twin):
    assert cloud.similarity("w3", "w5") == pytest.approx(twin.similarity("w3", "w5"), abs=1e-6)
    for word in cloud.words:
        ours, theirs = cloud.most_similar(word, 30), twin.most_similar(word, topn=30)
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        assert [value for _, value in ours] == pytest.approx([v for _, v in theirs], abs=1e-6)


def test_analogies_are_those_of_gensim(cloud, twin):
    for a, b, c in [("w0", "w1", "w2"), ("w7", "w3", "w29"), ("w4", "w4", "w5")]:
        theirs = twin.most_similar(positive=[b, c], negative=[a], topn=3)
        ours = cloud.analogy(a, b, c, 3)
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        assert [value for _, value in ours] == pytest.approx([v for _, v in theirs], abs=1e-6)


def test_the_query_is_left_out_unless_it_is_asked_for():
    plane = WordVectors(["a", "b", "c", "d"], [[1, 0], [1, 0.1], [0, 1], [-1, 0]])
    assert plane.analogy("a", "b", "c", 4)[0][0] == "d"
    assert plane.analogy("a", "b", "c", exclude_query=False)[0][0] == "c"
    assert len(plane.analogy("a", "b", "c", 9)) == 1
    assert [word for word, _ in plane.most_similar("a", 9)] == ["b", "c", "d"]
    assert [word for word, _ in plane.most_similar("a", 9, exclude=["b"])] == ["a", "c", "d"]
    assert plane.most_similar([0, 7], 1) == [("c", pytest.approx(1))]
    assert plane.similarity("a", "d") == pytest.approx(-1)


def test_equally_near_words_keep_their_order():
    same = WordVectors(["x", "a", "b", "c"], [[1, 0], [0, 2], [0, 1], [0, 3]])
    assert [word for word, _ in same.most_similar("x")] == ["a", "b", "c"]


def test_a_zero_vector_has_no_direction():
    vectors = WordVectors(["a", "null", "b"], [[1, 2], [0, 0], [2, 4]])
    assert vectors.most_similar("a") == [("b", pytest.approx(1)), ("null", 0)]
    for ask in (
        lambda: vectors.similarity("a", "null"),
        lambda: vectors.most_similar("null"),
        lambda: vectors.analogy("a", "null", "b"),
    ):
        with pytest.raises(ValueError, match=r"the vector of 'null' is zero"):
            ask()
    with pytest.raises(ValueError, match=r"word must not be a vector of zeros"):
        vectors.most_similar([0.0, 0.0])


@pytest.mark.parametrize(
    ("words", "vectors", "error", "message"),
    [
        (["a", "a"], np.ones((2, 3)), ValueError, r"words must be different, got 'a' twice"),
        (["a", ""], np.ones((2, 3)), ValueError, r"words must not be empty"),
        (["a", 1], np.ones((2, 3)), TypeError, r"words must be strings, got 1"),
        (["a"], np.ones((2, 3)), ValueError, r"shape \(1, D\).* got \(2, 3\)"),
        (["a"], np.ones(3), ValueError, r"shape \(1, D\).* got \(3,\)"),
        ([], np.ones((0, 3)), ValueError, r"one or more words, got \(0, 3\)"),
        (["a"], np.ones((1, 0)), ValueError, r"got \(1, 0\)"),
        (["a"], [[1.0, math.nan]], ValueError, r"vectors must not contain NaN"),
        (["a"], [[1.0, math.inf]], ValueError, r"vectors must be finite"),
        (["a"], [["x"]], TypeError, r"vectors must hold real numbers"),
    ],
)
def test_word_vectors_refuse(words, vectors, error, message):
    with pytest.raises(error, match=message):
        WordVectors(words, vectors)


def test_word_vectors_refuse_what_does_not_belong_to_them(cloud):
    with pytest.raises(ValueError, match=r"word must be one of the 31 known ones, got 'cat'"):
        cloud["cat"]
    with pytest.raises(TypeError, match=r"word must be a string, got 3"):
        cloud[3]
    with pytest.raises(ValueError, match=r"n must be 1 or more, got 0"):
        cloud.most_similar("w1", 0)
    with pytest.raises(ValueError, match=r"word must have shape \(7,\), got \(6,\)"):
        cloud.most_similar(np.ones(6))
    with pytest.raises(ValueError, match=r"counts must have shape \(1,\), got \(2,\)"):
        WordVectors(["a"], [[1.0]], counts=[1, 2])
    with pytest.raises(ValueError, match=r"contexts must have shape \(1, 1\)"):
        WordVectors(["a"], [[1.0]], contexts=[[1.0, 2.0]])


# --- files ---------------------------------------------------------------------------------------

FILE_WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")), min_size=1, max_size=5
).filter(lambda word: not any(map(str.isspace, word)))
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FILE_WORDS, min_size=1, max_size=5, unique=True), st.integers(1, 5), st.data())
def test_a_file_brings_back_every_bit(tmp_path_factory, words, D, data):
    rows = data.draw(
        st.lists(st.lists(FLOATS, min_size=D, max_size=D), min_size=len(words), max_size=len(words))
    )
    path = tmp_path_factory.mktemp("vectors") / "words.txt"
    saved = WordVectors(words, rows)
    saved.save(path)
    loaded = WordVectors.load(path)
    assert loaded.words == saved.words
    assert np.array_equal(loaded.vectors, saved.vectors)
    theirs = KeyedVectors.load_word2vec_format(str(path))
    assert theirs.index_to_key == list(words)
    assert np.array_equal(theirs.vectors, saved.vectors)


def test_a_file_of_gensim_is_read(tmp_path, cloud, twin):
    path = tmp_path / "gensim.txt"
    twin.save_word2vec_format(str(path))
    loaded = WordVectors.load(path)
    assert loaded.words == cloud.words
    assert np.array_equal(loaded.vectors, cloud.vectors)


def test_spaces_at_the_end_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "other.txt"
    path.write_bytes("2 2\r\n사과 1 -0.5 \r\nb 1e-3 2\r\n".encode())
    loaded = WordVectors.load(str(path))
    assert loaded.words == ("사과", "b")
    assert np.array_equal(loaded.vectors, np.float32([[1, -0.5], [1e-3, 2]]))


@pytest.mark.parametrize("word", ["New York", "a\nb", "a\tb", "a\u00a0b", "a\u2028", "a\0"])
def test_a_word_with_a_space_cannot_be_saved(tmp_path, word):
    path = tmp_path / "words.txt"
    path.write_text("before")
    with pytest.raises(ValueError, match=r"must not contain white space"):
        WordVectors([word], [[1.0]]).save(path)
    with pytest.raises(ValueError, match=r"must be valid Unicode"):
        WordVectors(["\ud800"], [[1.0]]).save(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "words.txt"
    path.write_text("before")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("companion.sequences.embeddings.vectors.os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        WordVectors(["a"], [[1.0]]).save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["words.txt"]
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"must begin with the numbers of words and of dimensions, got ''"),
        ("a 1 2\n", r"must begin with the numbers"),
        ("2\na 1\n", r"must begin with the numbers .* got '2'"),
        ("0 3\n", r"must begin with the numbers"),
        ("-1 3\n", r"must begin with the numbers"),
        ("3 2\na 1 2\nb 3 4\n", r"must have 3 lines after the first, got 2"),
        ("1 2\na 1 2\nb 3 4\n", r"must have 1 lines after the first, got 2"),
        ("2 2\na 1 2\nb 3\n", r"line 3: expected a word and 2 numbers, got 'b' and 1"),
        ("1 2\na 1 2 3\n", r"line 2: expected a word and 2 numbers, got 'a' and 3"),
        ("1 2\nNew York 1 2\n", r"got 'New' and 3"),
        ("1 2\na 1 two\n", r"line 2: could not convert"),
        ("1 2\na 1 nan\n", r"vectors must not contain NaN"),
        ("1 2\na 1 inf\n", r"vectors must be finite"),
        ("2 1\na 1\na 2\n", r"words must be different, got 'a' twice"),
        ("1 2\n 1 2\n", r"words must not be empty"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, text, message):
    path = tmp_path / "words.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        WordVectors.load(path)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, cloud):
    path = tmp_path / "words.txt"
    cloud.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for end in [0, 1, *rng.integers(2, len(whole) - 12, size=40)]:
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"words\.txt|words|vectors"):
            WordVectors.load(path)
    path.write_bytes(b"1 1\n\xff 1\n")
    with pytest.raises(ValueError, match=r"must be a text in UTF-8"):
        WordVectors.load(path)
    with pytest.raises(FileNotFoundError):
        WordVectors.load(tmp_path / "nowhere.txt")


# --- word2vec: gradients -------------------------------------------------------------------------


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


def one_step(monkeypatch, module, blocks, rate):
    """Replace the reading of the text by a single step on given blocks."""
    monkeypatch.setattr(module, "run", lambda step, *_, **__: [step(blocks, rate) for _ in "12"])


def blocks_of(V, seed=0):
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randint(V, shape, generator=random)

    pairs = (torch.rand(2, 5, 9, generator=random) < 0.4).float()
    return word2vec.Blocks(draw(2, 5), draw(2, 9), pairs, draw(2, 3))


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


def record(text, *, min_count=1, **settings):
    """Return the blocks of one epoch, and the vocabulary."""
    vocabulary, seen = Vocabulary.of(text, min_count), []
    options = {"at_once": 2, "window": 3, "epochs": 1, "learning_rate": 1e-3, "subsample": None}
    options |= {"seed": 0, "watched": ()} | settings
    word2vec.run(lambda blocks, rate: seen.append((blocks, rate)), vocabulary, text, **options)
    return vocabulary, seen


def pairs_in(seen):
    return [
        (centre, context)
        for blocks, _ in seen
        for centres, contexts, pairs in zip(
            blocks.centres.tolist(), blocks.contexts.tolist(), blocks.pairs, strict=True
        )
        for centre, row in zip(centres, pairs, strict=True)
        for context, one in zip(contexts, row.tolist(), strict=True)
        if one
    ]


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 64, 129])
def test_blocks_hold_every_pair_once(n):
    """With a window of 1 nothing is random: the pairs are those of `context_pairs`."""
    rng = np.random.default_rng(n)
    text = [[str(w) for w in rng.integers(9, size=k)] for k in (n, 2, 1, 0, 5)]
    vocabulary, seen = record(text, window=1)
    expected = [p for s in text for p in context_pairs(s, 1)]
    names = vocabulary.words
    assert sorted((names[a], names[b]) for a, b in pairs_in(seen)) == sorted(expected)


def test_near_words_are_paired_more_often():
    _, seen = record([[f"w{i:04}" for i in range(5000)]], window=4)
    counts = np.bincount([abs(a - b) for a, b in pairs_in(seen)])
    # Distance d is reached if the drawn number is d or more: with 4/4, 3/4, 2/4, 1/4.
    assert counts[0] == 0
    assert counts[1:] / 10_000 == pytest.approx([1, 0.75, 0.5, 0.25], abs=0.02)


def test_frequent_words_are_skipped_and_negatives_follow_the_noise():
    rng = np.random.default_rng(9)
    text = [[str(w) for w in rng.choice(3, p=[0.9, 0.09, 0.01], size=20_000)]]
    vocabulary, seen = record(text, subsample=0.01, at_once=8)
    kept = np.bincount(np.concatenate([b.centres.ravel() for b, _ in seen]), minlength=3)
    expected = vocabulary.counts * vocabulary.keep_probabilities(0.01)
    assert kept[1:] / expected[1:] == pytest.approx([1, 1], abs=0.15)
    assert kept[0] / expected[0] == pytest.approx(1, abs=0.2)  # a little filled up with word 0
    drawn = np.bincount(np.concatenate([b.noise.ravel() for b, _ in seen]), minlength=3)
    assert drawn / drawn.sum() == pytest.approx(vocabulary.noise(), abs=0.03)


def test_the_learning_rate_falls_in_a_line():
    rates = [rate for _, rate in record([["a", "b"] * 500], epochs=3, learning_rate=0.02)[1]]
    assert rates[0] == 0.02
    assert np.allclose(np.diff(rates), -0.02 / len(rates))
    assert (
        min(record([["a", "b"]], epochs=400, learning_rate=0.02)[1], key=lambda r: r[1])[1] == 1e-4
    )


def test_a_word_that_is_everywhere_makes_steps_smaller():
    """Else half of all words of a step would move one row at once, and it would overshoot."""
    rare = [[f"w{i}" for i in range(2000)]]
    often = [["a", "b"] * 1000]
    assert record(rare, at_once=8)[1][0][0].centres.shape == (8, 32)
    assert record(often, at_once=8, learning_rate=0.02)[1][0][0].centres.shape == (1, 32)


# --- word2vec: what is learned -------------------------------------------------------------------


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


@pytest.mark.parametrize("train", TRAINERS)
def test_a_seed_repeats_the_vectors(train):
    text = two_worlds(100)
    one, same, other = (
        train(text, size=5, epochs=2, min_count=1, seed=seed).vectors for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_smallest_text(objective):
    vectors = train_word2vec([["a", "b"]], objective, size=1, epochs=1, min_count=1, subsample=None)
    assert vectors.words == ("a", "b")
    assert vectors.vectors.shape == (2, 1)
    assert np.isfinite(vectors.vectors).all()


@pytest.mark.parametrize("train", TRAINERS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sentences": "a b a b"}, TypeError, r"sentences must be lists of words"),
        ({"sentences": []}, ValueError, r"sentences must hold a word 1 times"),
        ({"sentences": [["a"], ["b"]]}, ValueError, r"two known words side by side"),
        ({"size": 0}, ValueError, r"size must be 1 or more|size must be 2 or more"),
        ({"window": 0}, ValueError, r"window must be 1 or more"),
        ({"window": 2.5}, TypeError, r"window must be an integer"),
        ({"epochs": 0}, ValueError, r"epochs must be 1 or more"),
        ({"learning_rate": 0}, ValueError, r"learning_rate must lie between 0 and inf"),
        ({"learning_rate": math.nan}, ValueError, r"learning_rate must lie between 0 and inf"),
        ({"min_count": 0}, ValueError, r"min_count must be 1 or more"),
        ({"seed": -1}, ValueError, r"seed must be 0 or more"),
        ({"learning_rate": 1e30}, ValueError, r"learning_rate must be smaller: .* got 1e\+30"),
    ],
)
def test_training_refuses(train, options, error, message):
    options = {"sentences": [["a", "b", "c"] * 7], "size": 3, "min_count": 1} | options
    with pytest.raises(error, match=message):
        train(**options)


def test_word2vec_refuses():
    text = [["a", "b"] * 9]
    with pytest.raises(ValueError, match=r"objective must be one of .* got 'skipgram'"):
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


def test_held_out_loss_refuses(cloud):
    known = WordVectors(["a", "b"], np.eye(2), counts=[1, 1], contexts=np.eye(2))
    with pytest.raises(ValueError, match=r"vectors must have counts and contexts"):
        held_out_loss(cloud, [["w1", "w2"]])
    with pytest.raises(ValueError, match=r"two known words side by side"):
        held_out_loss(known, [["a"], ["b", "?"]])
    with pytest.raises(ValueError, match=r"objective must be one of"):
        held_out_loss(known, [["a", "b"]], "glove")


# --- the twin: gensim on the same text -----------------------------------------------------------


@pytest.fixture(scope="module")
def town_text():
    return town(40_000)


def gensim_vectors(text, objective, **options):
    model = Word2Vec(text, sg=int(objective == "skip-gram"), workers=1, seed=1, **options)
    counts = [model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key]
    return WordVectors(
        model.wv.index_to_key, model.wv.vectors, counts=counts, contexts=model.syn1neg
    )


@pytest.mark.parametrize("objective", ["skip-gram", "cbow"])
def test_the_held_out_loss_is_that_of_gensim(town_text, objective):
    text, held_out = town_text[2000:], town_text[:2000]
    theirs = gensim_vectors(text, objective, epochs=1)
    ours = train_word2vec(text, objective, epochs=1)
    assert set(ours.words) == set(theirs.words)
    losses = [held_out_loss(vectors, held_out, objective) for vectors in (ours, theirs)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] < 0.85 * 6 * math.log(2)


def test_analogies_of_the_town_succeed_as_often_as_with_gensim(town_text):
    options = {"window": 10, "epochs": 5}
    ours = train_word2vec(town_text, subsample=1e-2, learning_rate=0.05, **options)
    theirs = gensim_vectors(town_text, "skip-gram", sample=1e-2, alpha=0.05, **options)
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


# --- GloVe ---------------------------------------------------------------------------------------


@given(SENTENCES, st.integers(1, 12))
def test_cooccurrences_by_counting(sentences, window):
    expected = {}
    for tokens in sentences:
        for i, a in enumerate(tokens):
            for j, b in enumerate(tokens):
                if 0 < abs(i - j) <= window:
                    expected[a, b] = expected.get((a, b), 0) + 1 / abs(i - j)
    assume(expected)
    vocabulary, table = cooccurrences(sentences, window=window)
    dense = table.toarray()
    assert np.array_equal(dense, dense.T)
    assert table.nnz == len(expected)
    for (a, b), count in expected.items():
        assert dense[vocabulary.ids[a], vocabulary.ids[b]] == pytest.approx(count)


def test_glove_gradients_are_those_of_the_loss():
    random = torch.Generator().manual_seed(0)
    w, v = (torch.randn(11, 8, generator=random, dtype=torch.float64) for _ in range(2))
    w.requires_grad_(), v.requires_grad_()
    logarithms, weights = (torch.rand(11, generator=random, dtype=torch.float64) for _ in range(2))
    scores = (w[:, :7] * v[:, :7]).sum(dim=1) + w[:, 7] + v[:, 7]
    loss = (weights * (scores - logarithms) ** 2).sum() / 2
    expected = torch.autograd.grad(loss, (w, v))
    got = glove.glove_gradients(w.detach(), v.detach(), logarithms, weights)
    for left, right in zip(got, expected, strict=True):
        assert torch.allclose(left, right, atol=1e-12)


def test_glove_takes_the_steps_of_adagrad(monkeypatch):
    """One entry at a time, against torch.optim.Adagrad on the whole loss of that entry."""
    monkeypatch.setattr(glove, "AT_ONCE", 1)
    text = [["a", "b", "c"], ["a", "b"]]
    got = train_glove(text, size=3, epochs=2, x_max=1.7, min_count=1, seed=5)
    vocabulary, table = cooccurrences(text)
    entries = table.tocoo()
    sides = [word2vec.initial_vectors(3, 4, 5 + k).double().requires_grad_() for k in range(2)]
    optimizer = torch.optim.Adagrad(sides, lr=0.05, initial_accumulator_value=1.0, eps=0)
    random = torch.Generator().manual_seed(5)
    for _ in range(2):
        for k in torch.randperm(table.nnz, generator=random).tolist():
            i, j, x = (part[k] for part in (*entries.coords, entries.data))
            w, v = sides[0][i], sides[1][j]
            loss = min(1, x / 1.7) ** 0.75 * (w[:3] @ v[:3] + w[3] + v[3] - math.log(x)) ** 2 / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    expected = (sides[0] + sides[1])[:, :3].detach().numpy()
    assert got.words == vocabulary.words
    assert got.vectors == pytest.approx(expected, abs=1e-6)


def test_glove_refuses():
    with pytest.raises(ValueError, match=r"x_max must lie between 0 and inf"):
        train_glove([["a", "b"] * 9], x_max=0)


# --- FastText ------------------------------------------------------------------------------------


def test_pieces_of_a_word():
    assert character_ngrams("where", 3, 3) == ["<wh", "whe", "her", "ere", "re>"]
    assert character_ngrams("갔다", 2, 9) == ["<갔", "갔다", "다>", "<갔다", "갔다>"]
    assert character_ngrams("a", 1, 3) == ["a", "<a", "a>"]
    assert character_ngrams("aaaa", 2, 2) == ["<a", "aa", "a>"]
    assert character_ngrams("a", 5, 5) == []


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
        ((5, 1, 2), TypeError, r"word must be a string, got 5"),
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
        (3, TypeError, r"word must be a string, got 3"),
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
