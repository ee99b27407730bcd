"""Tests of companion.sequences.tokenization."""

import json
import math
import re
import string
import unicodedata
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from companion.data.town.tasks import running_text
from companion.sequences.tokenization import (
    BytePairTokenizer,
    CharacterTokenizer,
    PairScores,
    Tokenizer,
    UnigramTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
    apply_merges,
    characters,
    files,
    learn_merges,
    merge_pairs,
    pretokens,
)
from companion.sequences.tokenization.base import WordCache
from companion.sequences.tokenization.bpe import CHARACTER_OF, in_byte_characters
from companion.sequences.tokenization.lattices import Lattices
from companion.sequences.tokenization.merges import PairIndex
from companion.sequences.tokenization.scores import likelihood_gain
from companion.sequences.tokenization.unigram import best_path, first_pieces, learn_pieces
from companion.sequences.tokenization.wordpiece import longest_match

CAFE = ["어제 카페 갔었어", "어제 카페 갔었는데요"]
WORD_PIECES = ["em", "##bed", "##ding", "##s"]
ENGLISH = list(zip(range(150), running_text(language="en", seed=1), strict=False))
KOREAN = list(zip(range(150), running_text(seed=1), strict=False))
TEXTS = [text for _, text in ENGLISH + KOREAN] + CAFE + ["It's 2 o'clock, we've  3 cafés.\n"]
ALL = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF)

# Any text: also what is rare in a random choice among a million characters.
RARE = "abte' .,?!#-\t\n\r\f\v\0\x1c\x85\xa0\u200b\u3000▁Ġ[]한각ㄱÅİΣςß大一\ufffd\ufeff\U00011938"
LONGER = ["[UNK]", "[CLS]", "[PAD]", "카페", "갔었어", "##", "the", "the end", "'s", " '", "don't"]
MARKS = ["e\u0301", "\u1112\u1161\u11ab", "\U0001e130\u0334", "\u302e\u0323"]
EMOJI = ["👨\u200d👩\u200d👧", "\U0001f1f0\U0001f1f7"]
PIECES = st.sampled_from([*RARE, *LONGER, *MARKS, *EMOJI])
ANY_TEXT = st.one_of(
    st.text(), st.lists(st.one_of(PIECES, st.characters(exclude_categories=["Cs"]))).map("".join)
)


def everyone():
    """One trained tokenizer of each kind, with all options somewhere."""
    return {
        "words": WordTokenizer.train(TEXTS, 300),
        "words at spaces": WordTokenizer.train(TEXTS, punctuation=False),
        "characters": CharacterTokenizer.train(TEXTS, 100),
        "bytes": BytePairTokenizer.train(TEXTS, 500),
        "bytes and special": BytePairTokenizer.train(
            TEXTS, 400, special_tokens=("[PAD]", "the", "[UNK]", "the end")
        ),
        "wordpiece": WordPieceTokenizer.train(TEXTS, 900),
        "wordpiece cased": WordPieceTokenizer.train(
            TEXTS, 1500, lowercase=False, special_tokens=("[UNK]",)
        ),
        "unigram": UnigramTokenizer.train(TEXTS, 700, special_tokens=("[PAD]", "[UNK]")),
    }


EVERYONE = everyone()
LOSSY = set(EVERYONE) - {"bytes", "bytes and special"}


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


# --- characters and the first cut ----------------------------------------------------------------


def covered(name):
    return {chr(code) for low, high in characters.ranges(name) for code in range(low, high + 1)}


@pytest.mark.parametrize(("name", "pattern"), [("letter", r"\p{L}"), ("number", r"\p{N}")])
def test_letters_and_numbers_are_those_of_the_library(name, pattern):
    left = normalizers.Replace(tokenizers.Regex(pattern), "").normalize_str(ALL)
    assert covered(name) == set(ALL) - set(left)


def test_punctuation_is_that_of_the_library():
    pieces = pre_tokenizers.BertPreTokenizer().pre_tokenize_str("a".join(ALL))
    alone = {piece for piece, _ in pieces if len(piece) == 1} - {"a"}
    assert covered("punctuation") | set(string.punctuation) == alone


def test_what_bert_drops_is_what_the_library_drops():
    options = {"handle_chinese_chars": False, "lowercase": False}
    tidy = normalizers.BertNormalizer(clean_text=True, strip_accents=False, **options)
    spaces = set(re.findall(f"[{characters.SPACES}]", ALL))
    assert set(ALL) - set(tidy.normalize_str(ALL)) - spaces == covered("invisible") - spaces
    marks = normalizers.BertNormalizer(clean_text=False, strip_accents=True, **options)
    bases = [
        character for character in ALL if characters.normal_form("NFD", character) == character
    ]
    kept = set(marks.normalize_str("".join(bases)))
    assert set(bases) - kept == covered("nonspacing mark") & set(bases)


def test_spaces_are_25_and_python_has_four_more():
    spaces = re.findall(f"[{characters.SPACES}]", ALL)
    assert len(spaces) == 25
    assert {c for c in ALL if c.isspace()} - set(spaces) == set("\x1c\x1d\x1e\x1f")


def test_small_letters_are_those_of_the_library():
    assert characters.lower(ALL) == normalizers.Lowercase().normalize_str(ALL)


@given(ANY_TEXT)
def test_normal_forms_are_those_of_the_library(text):
    assert characters.normal_form("NFD", text) == normalizers.NFD().normalize_str(text)
    assert characters.normal_form("NFC", text) == normalizers.NFC().normalize_str(text)


def test_hangul_falls_into_jamo():
    assert [unicodedata.name(c)[:15] for c in characters.normal_form("NFD", "한")] == [
        "HANGUL CHOSEONG",
        "HANGUL JUNGSEON",
        "HANGUL JONGSEON",
    ]


def test_unknown_class_of_characters():
    with pytest.raises(ValueError, match=r"name must be one of .*letter.*got 'vowel'"):
        characters.ranges("vowel")


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


# --- what all of them do -------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", EVERYONE)
def test_real_text_has_the_same_ids(twins, name):
    ours, library, _ = twins[name]
    for text in TEXTS:
        assert ours.encode(text) == library.encode(text).ids
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
    for bad in (-1, last + 1):
        with pytest.raises(ValueError, match=f"ids must lie between 0 and {last}, got {bad}"):
            ours.decode([0, bad])
    with pytest.raises(TypeError, match=r"ids must hold integers, got 1\.5"):
        ours.decode([1.5])
    assert ours.decode(np.array([last])) == ours.decode([last])


@pytest.mark.parametrize(
    "cls",
    [WordTokenizer, CharacterTokenizer, BytePairTokenizer, WordPieceTokenizer, UnigramTokenizer],
)
def test_bad_training_is_refused(cls):
    with pytest.raises(ValueError, match="texts must hold at least one text, got none"):
        cls.train([], 300)
    with pytest.raises(TypeError, match="texts must be a list of texts, got one single text"):
        cls.train("어제 카페", 300)
    with pytest.raises(TypeError, match="texts must be a str, got int"):
        cls.train([3], 300)
    with pytest.raises(TypeError, match="vocab_size must be an integer, got '300'"):
        cls.train(["a"], "300")
    with pytest.raises(ValueError, match=r"vocab_size must be \d+ or more"):
        cls.train(["a b"], 0)
    with pytest.raises(ValueError, match="special_tokens must be different and not empty"):
        cls.train(["a b"], 300, special_tokens=("[UNK]", "[UNK]"))
    with pytest.raises(TypeError, match="special_tokens must be a list of texts, got"):
        cls.train(["a b"], 300, special_tokens="[UNK]")
    assert len(cls.train([""], 300)) >= 1  # nothing to learn: special tokens, perhaps bytes
    if cls is not BytePairTokenizer:
        with pytest.raises(
            ValueError, match=r"unknown must be in the vocabulary.*'\[UNK\]' is not"
        ):
            cls.train(["a b"], 300, special_tokens=("[PAD]",))


def test_bad_vocabularies_are_refused():
    with pytest.raises(ValueError, match=r"vocabulary must have the ids 0 to 1, each once"):
        WordTokenizer({"[UNK]": 0, "a": 2})
    with pytest.raises(ValueError, match=r"special token '\[PAD\]' must be in the vocabulary"):
        WordTokenizer({"[UNK]": 0}, special_tokens=("[PAD]",))
    with pytest.raises(ValueError, match="vocabulary must hold all 256 bytes, 255 are missing"):
        BytePairTokenizer({"a": 0}, [])
    everything = {token: number for number, token in enumerate(CHARACTER_OF.values())}
    with pytest.raises(ValueError, match="written in characters for bytes, got '한'"):
        BytePairTokenizer({**everything, "한": 256}, [])
    with pytest.raises(ValueError, match="merges must be in the vocabulary, 'ab' is not"):
        BytePairTokenizer(everything, [("a", "b")])
    with pytest.raises(ValueError, match=r"around must name tokens.*'\[CLS\]' is none"):
        WordPieceTokenizer({"[UNK]": 0}, around=("[CLS]", "[SEP]"))
    with pytest.raises(ValueError, match="scores must be finite, got nan for 'a'"):
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


# --- words and characters ------------------------------------------------------------------------


@pytest.mark.parametrize("punctuation", [True, False])
@given(texts=st.lists(ANY_TEXT, min_size=1), size=st.integers(2, 20))
def test_words_are_ordered_as_in_the_library(punctuation, texts, size):
    library = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
    library.pre_tokenizer = (
        pre_tokenizers.BertPreTokenizer() if punctuation else pre_tokenizers.WhitespaceSplit()
    )
    options = {"show_progress": False, "special_tokens": ["[PAD]", "[UNK]"]}
    library.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=size, **options))
    ours = WordTokenizer.train(texts, size, punctuation=punctuation)
    assert ours.vocabulary == library.get_vocab()


def test_the_examples_of_the_notes():
    spaces = WordTokenizer.train(CAFE, punctuation=False)
    assert spaces.tokenize(CAFE[1]) == ["어제", "카페", "갔었는데요"]
    assert len(spaces) == 4 + 2
    letters = CharacterTokenizer.train([text.replace(" ", "") for text in CAFE])
    assert letters.tokenize("어제카페갔었어") == list("어제카페갔었어")
    assert len(letters) == 9 + 2


def test_other_names_for_the_unknown():
    ours = WordTokenizer.train(["b a a"], special_tokens=("<s>", "<?>"), unknown="<?>")
    assert ours.vocabulary == {"<s>": 0, "<?>": 1, "a": 2, "b": 3}
    assert ours.tokenize("<s>a c") == ["<s>", "a", "<?>"]


# --- byte pair encoding --------------------------------------------------------------------------


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


def merge_slowly(word, pair, token):
    """Replace a pair in a list of tokens, from the left."""
    result, place = [], 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            result.append(token)
            place += 2
        else:
            result.append(word[place])
            place += 1
    return result


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


def train_library(texts, size, special=()):
    library = tokenizers.Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(special),
    )
    library.train_from_iterator(texts, trainer)
    return library


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


# --- WordPiece -----------------------------------------------------------------------------------


def segmentation_likelihood(words):
    """Return the log-likelihood of segmented words under their own counts."""
    counts = Counter()
    for parts, frequency in words:
        for part in parts:
            counts[part] += frequency
    total = counts.total()
    return sum(count * math.log(count / total) for count in counts.values())


def segmented(words):
    return [([w[0], *("##" + c for c in w[1:])], n) for w, n in words.items()]


WORDS = st.dictionaries(st.text("abcd", min_size=1, max_size=7), st.integers(1, 4), min_size=1)


@given(WORDS)
def test_the_gain_is_the_difference_of_likelihoods(words):
    for pair, gain in PairScores(words).by_tokens().items():
        if pair[0] == pair[1]:
            continue  # counted with overlaps, as documented
        before = segmented(words)
        after = [(merge_slowly(parts, pair, "new"), n) for parts, n in before]
        difference = segmentation_likelihood(after) - segmentation_likelihood(before)
        assert gain == pytest.approx(difference, abs=1e-5)


@pytest.mark.parametrize("score", ["likelihood", "ratio"])
@given(words=WORDS)
def test_scores_stay_true_while_pairs_are_merged(score, words):
    pairs = PairScores(words, score)
    texts = segmented(words)
    for _ in range(5):
        scores = pairs.by_tokens()
        counts, single = Counter(), Counter()
        for parts, n in texts:
            for pair in pairwise(parts):
                counts[pair] += n
            for part in parts:
                single[part] += n
        assert set(scores) == set(counts)
        if score == "ratio":
            for pair, value in scores.items():
                assert value == counts[pair] / (single[pair[0]] * single[pair[1]])
        token = pairs.merge_best()
        if token is None:
            assert not counts
            break
        best = [pair for pair in scores if scores[pair] == max(scores.values())]
        most = [pair for pair in best if counts[pair] == max(map(counts.__getitem__, best))]
        merged = [pair for pair in most if pair[0] + pair[1].removeprefix("##") == token]
        assert len(merged) >= 1
        texts = [(merge_slowly(parts, merged[0], token), n) for parts, n in texts]


def test_scores_of_the_notes():
    counts = Counter(word for text in CAFE for word in text.split())
    scores = PairScores(counts, "ratio").by_tokens()
    assert scores["##는", "##데"] == scores["##데", "##요"] == 1.0
    assert scores["카", "##페"] == scores["갔", "##었"] == scores["어", "##제"] == 0.5
    assert scores["##었", "##어"] == 0.5
    with pytest.raises(ValueError, match=r"score must be one of .*, got 'best'"):
        PairScores(counts, "best")
    assert PairScores({}).merge_best() is None
    assert PairScores(counts, min_count=3).merge_best() is None


def test_the_gain_of_equal_symbols():
    two = np.array([4])
    gain = likelihood_gain(np.array([2]), two, two, np.array([True]), 6)  # aabb, no: aaaa bb
    before = 4 * math.log(4 / 6) + 2 * math.log(2 / 6)
    assert gain[0] == pytest.approx(2 * math.log(2 / 4) * 2 - before, abs=1e-6)


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


# --- unigram -------------------------------------------------------------------------------------


def all_paths(word, pieces):
    if not word:
        return [[]]
    return [
        [word[:end], *rest]
        for end in range(1, len(word) + 1)
        if word[:end] in pieces
        for rest in all_paths(word[end:], pieces)
    ]


PIECE_LIST = st.lists(st.text("ab", min_size=2, max_size=4), unique=True).map(
    lambda longer: ["a", "b", *longer]
)


@given(
    PIECE_LIST, st.lists(st.text("ab", min_size=1, max_size=7), min_size=1, unique=True), st.data()
)
def test_lattices_count_what_all_paths_count(pieces, words, data):
    numbers = st.floats(0.01, 1.0)
    p = np.array([data.draw(numbers) for _ in pieces])
    frequencies = np.array([data.draw(st.integers(1, 5)) for _ in words])
    number = {piece: place for place, piece in enumerate(pieces)}
    expected, likelihood, best = np.zeros(len(pieces)), 0.0, []
    for word, frequency in zip(words, frequencies, strict=True):
        paths = all_paths(word, number)
        weights = [math.prod(p[number[piece]] for piece in path) for path in paths]
        likelihood += frequency * math.log(sum(weights))
        best.append(math.log(max(weights)))
        for path, weight in zip(paths, weights, strict=True):
            for piece in path:
                expected[number[piece]] += frequency * weight / sum(weights)
    lattices = Lattices(words, number)
    counts, log_likelihood = lattices.expected_counts(p, frequencies)
    np.testing.assert_allclose(counts, expected, rtol=1e-9)
    assert log_likelihood == pytest.approx(likelihood)
    np.testing.assert_allclose(lattices.best(np.log(p)), best)
    kept = np.array([len(piece) < 3 for piece in pieces])
    lattices.keep(kept)
    short = [piece for piece in pieces if len(piece) < 3]
    again = Lattices(words, {piece: place for place, piece in enumerate(short)})
    np.testing.assert_allclose(lattices.best(np.log(p[kept])), again.best(np.log(p[kept])))


def test_a_proper_lattice_leaves_the_word_itself_out():
    number = {"a": 0, "b": 1, "ab": 2}
    best = Lattices(["ab", "a"], number, proper=True).best(np.log([0.5, 0.25, 0.25]))
    np.testing.assert_allclose(best, np.log([0.125, 0.5]))


def test_a_long_word_does_not_vanish():
    p = np.full(2, 1e-7)
    _, likelihood = Lattices(["ab" * 24], {"a": 0, "b": 1}).expected_counts(p, np.array([1]))
    assert likelihood == pytest.approx(48 * math.log(1e-7))


@given(PIECE_LIST, st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, unique=True))
def test_em_never_lowers_the_likelihood(pieces, words):
    lattices = Lattices(words, {piece: place for place, piece in enumerate(pieces)})
    p, last = np.full(len(pieces), 1 / len(pieces)), -math.inf
    for _ in range(5):
        expected, likelihood = lattices.expected_counts(p, np.ones(len(words)))
        assert likelihood >= last - 1e-9
        p, last = expected / expected.sum(), likelihood


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


# --- files ---------------------------------------------------------------------------------------


def document_of(ours):
    special = {token: ours.vocabulary[token] for token in ours.special_tokens}
    added = [
        {"id": number, "content": token, "special": True, "normalized": False}
        | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
        for token, number in special.items()
    ]
    places = dict.fromkeys((*files.PLACES, "truncation", "padding"))
    return {"version": "1.0", **places, **ours.components(), "added_tokens": added}


def bytes_document():
    return json.loads(json.dumps(document_of(EVERYONE["bytes and special"])))


@pytest.mark.parametrize(
    ("place", "component", "message"),
    [
        ("normalizer", {"type": "NFKC"}, r"normalizer 'NFKC' is not supported here, expected none"),
        ("pre_tokenizer", {"type": "Digits"}, r"pre_tokenizer 'Digits'.*expected ByteLevel"),
        ("pre_tokenizer", None, r"pre_tokenizer no component is not supported"),
        ("decoder", {"type": "CTC"}, r"decoder 'CTC'"),
        ("post_processor", {"type": "BertProcessing"}, r"post_processor 'BertProcessing'"),
        (
            "pre_tokenizer",
            {"type": "ByteLevel", "add_prefix_space": True},
            r"'ByteLevel' with add_prefix_space=True",
        ),
        ("truncation", {"max_length": 5}, r"truncation is not supported, got"),
        ("padding", {"strategy": "BatchLongest"}, r"padding is not supported, got"),
    ],
)
def test_unsupported_components_are_named(tmp_path, place, component, message):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(bytes_document() | {place: component}), "utf-8")
    with pytest.raises(ValueError, match=message):
        BytePairTokenizer.load(path)


@pytest.mark.parametrize(
    ("option", "value"),
    [("dropout", 0.1), ("byte_fallback", True), ("end_of_word_suffix", "</w>"), ("future", 1)],
)
def test_unsupported_options_are_named(tmp_path, option, value):
    path = tmp_path / "tokenizer.json"
    document = bytes_document()
    document["model"][option] = value
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(ValueError, match=rf"model 'BPE' with {option}={value!r}"):
        BytePairTokenizer.load(path)


@pytest.mark.parametrize("option", ["single_word", "lstrip", "rstrip"])
def test_unsupported_added_tokens_are_named(tmp_path, option):
    path = tmp_path / "tokenizer.json"
    document = bytes_document()
    document["added_tokens"][1][option] = True
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(ValueError, match=r"added token 'the' is not supported"):
        BytePairTokenizer.load(path)


def test_the_wrong_kind_of_file(tmp_path):
    path = tmp_path / "tokenizer.json"
    EVERYONE["bytes"].save(path)
    with pytest.raises(ValueError, match=r"model 'BPE' is not supported by WordTokenizer"):
        WordTokenizer.load(path)
    EVERYONE["words"].save(path)
    with pytest.raises(ValueError, match=r"pre_tokenizer 'BertPreTokenizer'.*expected Split"):
        CharacterTokenizer.load(path)
    for bad in ("", "[]", '{"model": 3}', "\ud7ff"):
        path.write_text(bad, "utf-8")
        with pytest.raises(ValueError, match=r"must be a"):
            WordTokenizer.load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"must be a file in JSON"):
        WordTokenizer.load(path)
    with pytest.raises(FileNotFoundError):
        WordTokenizer.load(tmp_path / "nothing.json")


def test_older_files_write_a_merge_as_one_text(tmp_path):
    path = tmp_path / "tokenizer.json"
    document = bytes_document()
    merges = document["model"]["merges"]
    document["model"]["merges"] = [" ".join(pair) for pair in merges]
    document["model"]["continuing_subword_prefix"] = ""
    path.write_text(json.dumps(document), "utf-8")
    assert BytePairTokenizer.load(path).merges == EVERYONE["bytes and special"].merges


def test_tokens_that_were_added_after_training(tmp_path):
    library = train_library(TEXTS, 300)
    library.add_special_tokens(["[END]", "카페"])
    path = tmp_path / "tokenizer.json"
    library.save(str(path))
    ours = BytePairTokenizer.load(path)
    assert ours.special_tokens == ("[END]", "카페")
    for text in ("어제 카페[END]갔었어", "[END", "카카페"):
        assert ours.encode(text) == library.encode(text).ids
    again = tmp_path / "again.json"
    ours.save(again)
    saved = tokenizers.Tokenizer.from_file(str(again))
    assert saved.encode("어제 카페[END]").ids == ours.encode("어제 카페[END]")


@pytest.mark.parametrize("kind", ["template", "bert"])
def test_both_ways_to_say_what_is_around(tmp_path, kind):
    library = tokenizers.Tokenizer(
        models.WordPiece({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}, unk_token="[UNK]")
    )
    library.normalizer = normalizers.BertNormalizer()
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    library.decoder = decoders.WordPiece()
    library.post_processor = (
        processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
        )
        if kind == "template"
        else processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    )
    path = tmp_path / "tokenizer.json"
    library.save(str(path))
    ours = WordPieceTokenizer.load(path)
    assert ours.encode("A b", "a") == library.encode("A b", "a").ids == [1, 3, 0, 2, 3, 2]
    library.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", pair=None, special_tokens=[("[SEP]", 2)]
    )
    library.save(str(path))
    with pytest.raises(ValueError, match=r"post_processor 'TemplateProcessing' is supported as"):
        WordPieceTokenizer.load(path)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    EVERYONE["bytes"].save(path)
    before = path.read_bytes()
    monkeypatch.setattr("json.dump", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        EVERYONE["words"].save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["tokenizer.json"]
