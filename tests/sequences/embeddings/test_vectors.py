"""Tests of companion.sequences.embeddings.vectors."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from companion.sequences.embeddings import (
    SubwordVectors,
    WordVectors,
)


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(0)
    return WordVectors([f"w{i}" for i in range(31)], rng.normal(size=(31, 7)))


@pytest.fixture(scope="module")
def twin(cloud, gensim):
    keyed = gensim.KeyedVectors(7)
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


@pytest.mark.parametrize("scale", [1e-38, 1e-30, 1.0, 1e30, 3e38])
def test_the_size_of_a_vector_does_not_change_its_direction(scale):
    vectors = WordVectors(["a", "b", "c"], np.array([[1, 1], [1, 1], [1, -1]]) * scale)
    assert vectors.similarity("a", "b") == pytest.approx(1, abs=1e-6)
    assert vectors.similarity("a", "c") == pytest.approx(0, abs=1e-6)
    assert vectors.most_similar("a", 1) == [("b", pytest.approx(1, abs=1e-6))]
    assert vectors.analogy("a", "b", "c", exclude_query=False)[0][0] == "c"
    large = vectors.most_similar(np.array([3.0, -3.0]) * 1e300)
    small = vectors.most_similar(np.array([3.0, -3.0]) * 1e-320)
    assert large[0] == small[0] == ("c", pytest.approx(1, abs=1e-6))
    pieces = {"a": np.float32([scale, scale])}
    unseen = SubwordVectors(["b"], [[scale, scale]], pieces=pieces, shortest=1, longest=1)
    assert unseen.similarity("a", "b") == pytest.approx(1, abs=1e-6)


def test_a_cosine_is_never_above_1():
    rows = np.random.default_rng(0).normal(size=(500, 3))
    vectors = WordVectors([f"w{i}" for i in range(500)], rows)
    assert max(vectors.similarity(word, word) for word in vectors.words) <= 1
    assert max(vectors.most_similar(row, 1)[0][1] for row in rows) <= 1


def test_a_text_is_no_list_of_words_to_leave_out(cloud):
    with pytest.raises(TypeError, match=r"exclude must be a list of texts, got one text, 'w2'"):
        cloud.most_similar("w1", exclude="w2")


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
        (["a", "a"], np.ones((2, 3)), ValueError, r"words must be different, got 'a' more"),
        (["a", ""], np.ones((2, 3)), ValueError, r"words must not be empty"),
        (["a", 1], np.ones((2, 3)), TypeError, r"words\[1\] must be a text, got 1"),
        (["a"], np.ones((2, 3)), ValueError, r"shape \(1, D\).* got \(2, 3\)"),
        (["a"], np.ones(3), ValueError, r"shape \(1, D\).* got \(3,\)"),
        ([], np.ones((0, 3)), ValueError, r"words must hold 1 or more, got 0"),
        (["a"], np.ones((1, 0)), ValueError, r"got \(1, 0\)"),
        (["a"], [[1.0, math.nan]], ValueError, r"vectors must not contain NaN"),
        (["a"], [[1.0, math.inf]], ValueError, r"vectors must be finite"),
        (["a"], [["x"]], TypeError, r"vectors must hold real numbers"),
        ("ab", np.ones((2, 3)), TypeError, r"words must be a list of texts, got one text, 'ab'"),
        (["a"], [[1.0, 1e39]], ValueError, r"vectors .* float32 can hold, got 1e\+39"),
        (["a"], [[0.0, 1e-46]], ValueError, r"vectors .* float32 can hold, got 1e-46"),
    ],
)
def test_word_vectors_refuse(words, vectors, error, message):
    with pytest.raises(error, match=message):
        WordVectors(words, vectors)


def test_word_vectors_refuse_what_does_not_belong_to_them(cloud):
    with pytest.raises(ValueError, match=r"word must be one of the 31 known ones, got 'cat'"):
        cloud["cat"]
    with pytest.raises(TypeError, match=r"word must be a str, got int"):
        cloud[3]
    with pytest.raises(ValueError, match=r"n must be 1 or more, got 0"):
        cloud.most_similar("w1", 0)
    with pytest.raises(ValueError, match=r"word must have shape \(7,\), got \(6,\)"):
        cloud.most_similar(np.ones(6))
    with pytest.raises(ValueError, match=r"counts must be 1 integers, got int64 of shape \(2,\)"):
        WordVectors(["a"], [[1.0]], counts=[1, 2])
    with pytest.raises(ValueError, match=r"contexts must have shape \(1, 1\)"):
        WordVectors(["a"], [[1.0]], contexts=[[1.0, 2.0]])


FILE_WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")), min_size=1, max_size=5
).filter(lambda word: not any(map(str.isspace, word)))


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FILE_WORDS, min_size=1, max_size=5, unique=True), st.integers(1, 5), st.data())
def test_a_file_brings_back_every_bit(tmp_path_factory, gensim, words, D, data):
    rows = data.draw(
        st.lists(st.lists(FLOATS, min_size=D, max_size=D), min_size=len(words), max_size=len(words))
    )
    path = tmp_path_factory.mktemp("vectors") / "words.txt"
    saved = WordVectors(words, rows)
    saved.save(path)
    loaded = WordVectors.load(path)
    assert loaded.words == saved.words
    assert np.array_equal(loaded.vectors, saved.vectors)
    theirs = gensim.KeyedVectors.load_word2vec_format(str(path))
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


@given(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(
        lambda w: not {*" \n"} & {*w}
    )
)
@example("a\u00a0b")
@example("\r")
@example("a\t\0\x85\u2028")
def test_what_is_saved_is_loaded_again(tmp_path_factory, word):
    path = tmp_path_factory.mktemp("vectors") / "words.txt"
    WordVectors([word, "b"], [[1.0, 2.0], [3.0, 4.0]]).save(path)
    assert WordVectors.load(path).words == (word, "b")


@pytest.mark.parametrize("word", ["New York", "a\nb", " ", "\n"])
def test_a_word_with_a_space_cannot_be_saved(tmp_path, word):
    path = tmp_path / "words.txt"
    path.write_text("before")
    with pytest.raises(ValueError, match=r"must not hold a space or line feed"):
        WordVectors([word], [[1.0]]).save(path)
    with pytest.raises(ValueError, match=r"words must not contain lone surrogates, got U\+D800"):
        WordVectors(["\ud800"], [[1.0]]).save(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "words.txt"
    path.write_text("before")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
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
        ("2 1\na 1\na 2\n", r"words.txt: words must be different, got 'a' more"),
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
