"""Tests of companion.sequences.tokenization.base."""

import math

import numpy as np
import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import processors

from companion.sequences.tokenization import (
    BytePairTokenizer,
    CharacterTokenizer,
    Tokenizer,
    UnigramTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from companion.sequences.tokenization.base import WordCache
from companion.sequences.tokenization.bpe import CHARACTER_OF
from tests.sequences.tokenization.examples import ANY_TEXT, CAFE, EVERYONE, TEXTS


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """The same tokenizers, read from our files by the library, and from its files by us."""
    folder = tmp_path_factory.mktemp("tokenizers")
    found = {}
    for number, (name, ours) in enumerate(EVERYONE.items()):
        first, second = folder / f"{number}.json", folder / f"{number}-again.json"
        ours.save(first)
        library = tokenizers.Tokenizer.from_file(str(first))
        library.save(str(second))
        found[name] = (ours, library, type(ours).load(second))
    return found


@pytest.mark.parametrize("name", EVERYONE)
@settings(max_examples=400)
@given(text=ANY_TEXT)
def test_the_same_ids_there_and_back(twins, name, text):
    ours, library, again = twins[name]
    ids = ours.encode(text)
    assert ids == library.encode(text).ids
    assert ids == again.encode(text)
    for skip in (True, False):
        decoded = library.decode(ids, skip_special_tokens=skip)
        assert ours.decode(ids, skip_special_tokens=skip) == decoded


def assert_same_encoding(ours, library, text, pair=None):
    theirs = library.encode(text) if pair is None else library.encode(text, pair)
    found = ours.encode_pair(text, pair)
    assert found.ids == theirs.ids == ours.encode(text, pair)
    assert found.tokens == [ours.tokens[number] for number in theirs.ids]
    assert found.segments == theirs.type_ids
    assert found.offsets == theirs.offsets
    assert found.special == [bool(one) for one in theirs.special_tokens_mask]


@pytest.mark.parametrize("name", EVERYONE)
@settings(max_examples=400)
@given(text=ANY_TEXT, pair=st.none() | ANY_TEXT)
@example(text="İstanbul\u0301 e\u0323\u0301 大學", pair="갔었어요 \u1112\u1161\u11ab")
def test_places_are_those_of_the_library(twins, name, text, pair):
    assert_same_encoding(*twins[name][:2], text, pair)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("trim", [True, False])
@given(text=ANY_TEXT, pair=st.none() | ANY_TEXT)
@example(text="  a b ", pair=" the ")
@example(text=" \n ", pair=None)
def test_a_file_may_leave_spaces_out_of_the_places(tmp_path_factory, trim, first, text, pair):
    path = tmp_path_factory.mktemp("places") / "tokenizer.json"
    EVERYONE["bytes and special"].save(path)
    library = tokenizers.Tokenizer.from_file(str(path))
    library.post_processor = processors.ByteLevel(trim_offsets=trim, add_prefix_space=first)
    library.save(str(path))
    ours = BytePairTokenizer.load(path)
    assert_same_encoding(ours, library, text, pair)
    ours.save(path)
    assert_same_encoding(BytePairTokenizer.load(path), library, text, pair)


@pytest.mark.parametrize("name", EVERYONE)
def test_real_text_has_the_same_ids(twins, name):
    ours, library, _ = twins[name]
    for text in TEXTS:
        assert_same_encoding(ours, library, text, text[::-1])
        assert ours.tokenize(text) == library.encode(text, add_special_tokens=False).tokens or (
            name == "unigram"  # there, the library shows the unknown letters themselves
        )


@pytest.mark.parametrize("name", EVERYONE)
def test_files_keep_everything(tmp_path, name):
    ours = EVERYONE[name]
    path = tmp_path / "tokenizer.json"
    ours.save(path)
    again = type(ours).load(path)
    assert again.vocabulary == ours.vocabulary
    assert again.special_tokens == ours.special_tokens
    assert again.components() == ours.components()
    assert [p.name for p in tmp_path.iterdir()] == ["tokenizer.json"]  # nothing half-written


@pytest.mark.parametrize("name", ["bytes", "bytes and special"])
@given(text=ANY_TEXT)
def test_bytes_lose_nothing(name, text):
    ours = EVERYONE[name]
    assert ours.decode(ours.encode(text), skip_special_tokens=False) == text


@given(st.text())
def test_known_characters_lose_nothing(text):
    ours = CharacterTokenizer.train(["", text])
    assert ours.decode(ours.encode(text)) == text


def test_what_the_others_lose():
    words = WordTokenizer.train([*CAFE, ","])
    pieces, unigram = EVERYONE["wordpiece"], EVERYONE["unigram"]
    assert words.decode(words.encode("카페,\n  카페")) == "카페 , 카페"
    assert words.decode(words.encode("카페 ☕"), skip_special_tokens=False) == "카페 [UNK]"
    assert pieces.decode(pieces.encode("CAFÉS,\ncafés")) == "cafes, cafes"
    assert unigram.decode(unigram.encode(" the")) == unigram.decode(unigram.encode("the")) == "the"
    assert unigram.decode(unigram.encode("a  b ")) == "a  b "
    assert unigram.decode(unigram.encode("☕☕")) == ""


@pytest.mark.parametrize("name", EVERYONE)
def test_empty_text(name):
    ours = EVERYONE[name]
    assert ours.tokenize("") == []
    assert ours.decode([]) == ""
    around = ["[CLS]", "[SEP]"] if name == "wordpiece" else []
    assert ours.encode("") == [ours.vocabulary[token] for token in around]


@pytest.mark.parametrize("name", EVERYONE)
def test_bad_text_is_refused(name):
    ours = EVERYONE[name]
    for method in (ours.encode, ours.tokenize):
        with pytest.raises(ValueError, match=r"text must not contain lone surrogates.*U\+D83D.* 2"):
            method("ab\ud83d")
        with pytest.raises(TypeError, match="text must be a str, got bytes"):
            method(b"ab")
    with pytest.raises(ValueError, match=r"texts must not contain lone surrogates"):
        type(ours).train(["\udc00"], 300)


@pytest.mark.parametrize("name", EVERYONE)
def test_bad_ids_are_refused(name):
    ours = EVERYONE[name]
    last = len(ours) - 1
    for bad, limit in ((-1, "0 or more"), (last + 1, f"at most {last}")):
        with pytest.raises(ValueError, match=f"ids must be {limit}, got {bad}"):
            ours.decode([0, bad])
    with pytest.raises(TypeError, match="skip_special_tokens must be True or False, got 'no'"):
        ours.decode([0], skip_special_tokens="no")
    with pytest.raises(TypeError, match=r"ids must be a list of integers, got \[1\.5\]"):
        ours.decode([1.5])
    assert ours.decode(np.array([last])) == ours.decode([last])


@pytest.mark.parametrize(
    "cls",
    [WordTokenizer, CharacterTokenizer, BytePairTokenizer, WordPieceTokenizer, UnigramTokenizer],
)
def test_bad_training_is_refused(cls):
    with pytest.raises(ValueError, match="texts must hold 1 or more, got 0"):
        cls.train([], 300)
    with pytest.raises(TypeError, match="texts must be a list of texts, got one text, '어제 카페'"):
        cls.train("어제 카페", 300)
    with pytest.raises(TypeError, match=r"texts\[0\] must be a text, got 3"):
        cls.train([3], 300)
    with pytest.raises(TypeError, match="vocab_size must be an integer, got '300'"):
        cls.train(["a"], "300")
    with pytest.raises(ValueError, match=r"vocab_size must be \d+ or more"):
        cls.train(["a b"], 0)
    with pytest.raises(
        ValueError, match=r"special_tokens must be different, got '\[UNK\]' more than once"
    ):
        cls.train(["a b"], 300, special_tokens=("[UNK]", "[UNK]"))
    with pytest.raises(TypeError, match="special_tokens must be a list of texts, got"):
        cls.train(["a b"], 300, special_tokens="[UNK]")
    assert len(cls.train([""], 300)) >= 1  # nothing to learn: special tokens, perhaps bytes
    if cls is not BytePairTokenizer:
        with pytest.raises(ValueError, match=r"unknown must be in the vocabulary, got '\[UNK\]'"):
            cls.train(["a b"], 300, special_tokens=("[PAD]",))


def test_bad_vocabularies_are_refused():
    with pytest.raises(ValueError, match=r"vocabulary must have the ids 0 to 1, each once"):
        WordTokenizer({"[UNK]": 0, "a": 2})
    with pytest.raises(ValueError, match=r"special_tokens must be in the .*, got '\[PAD\]'"):
        WordTokenizer({"[UNK]": 0}, special_tokens=("[PAD]",))
    with pytest.raises(ValueError, match="vocabulary must hold all 256 bytes, got 255 fewer"):
        BytePairTokenizer({"a": 0}, [])
    everything = {token: number for number, token in enumerate(CHARACTER_OF.values())}
    with pytest.raises(ValueError, match="written in characters for bytes, got '한'"):
        BytePairTokenizer({**everything, "한": 256}, [])
    with pytest.raises(ValueError, match="merges must be in the vocabulary, got 'ab'"):
        BytePairTokenizer(everything, [("a", "b")])
    with pytest.raises(ValueError, match=r"around must be in the vocabulary, got '\[CLS\]'"):
        WordPieceTokenizer({"[UNK]": 0}, around=("[CLS]", "[SEP]"))
    with pytest.raises(ValueError, match=r"scores\['a'\] must be finite, got nan"):
        UnigramTokenizer({"[UNK]": 0.0, "a": math.nan})


def test_the_cache_forgets_but_changes_nothing(monkeypatch):
    monkeypatch.setattr("companion.sequences.tokenization.base.CACHED_WORDS", 2)
    calls = []
    cache = WordCache(lambda word: calls.append(word) or [len(word)])
    assert [cache[word] for word in ("a", "bb", "a", "ccc", "a", "x" * 200, "x" * 200)] == [
        *([1], [2], [1], [3], [1]),
        *([200], [200]),
    ]
    assert calls == ["a", "bb", "ccc", "a", "x" * 200, "x" * 200]
    assert len(cache) == 2


def test_a_returned_list_is_not_the_cached_one():
    ours = EVERYONE["bytes"]
    ours.encode("카페").append(999)
    assert 999 not in ours.encode("카페")


def test_repr_and_length():
    ours = EVERYONE["bytes"]
    assert repr(ours) == "BytePairTokenizer(500 tokens)"
    assert len(ours) == len(ours.vocabulary) == 500
    assert isinstance(ours, Tokenizer)
