"""Tests of companion.sequences.tokenization.files."""

import contextlib
import json

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from companion.sequences.tokenization import (
    BytePairTokenizer,
    CharacterTokenizer,
    UnigramTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from tests.sequences.tokenization.examples import CAFE, EVERYONE, TEXTS, document_of, train_library


def bytes_document():
    return json.loads(json.dumps(document_of(EVERYONE["bytes and special"])))


@pytest.mark.parametrize(
    ("place", "component", "message"),
    [
        ("normalizer", {"type": "NFKC"}, r"normalizer 'NFKC' is not supported here, expected none"),
        ("pre_tokenizer", {"type": "Digits"}, r"pre_tokenizer 'Digits'.*expected ByteLevel"),
        ("pre_tokenizer", None, r"pre_tokenizer no component is not supported"),
        ("decoder", {"type": "CTC"}, r"decoder 'CTC'"),
        ("post_processor", {"type": "Sequence"}, r"post_processor 'Sequence'"),
        (
            "pre_tokenizer",
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
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
    with pytest.raises(ValueError, match=r"model 'BPE' is not supported here, expected WordLevel"):
        WordTokenizer.load(path)
    EVERYONE["words"].save(path)
    with pytest.raises(ValueError, match=r"pre_tokenizer 'BertPreTokenizer'.*expected Split"):
        CharacterTokenizer.load(path)
    for bad in ("", "[]", "\ud7ff"):
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
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        EVERYONE["words"].save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["tokenizer.json"]


# --- damaged files: refused by name, or the same tokenizer --------------------------------------

SMALL = {
    "words": WordTokenizer.train(CAFE),
    "characters": CharacterTokenizer.train(CAFE),
    "bytes": BytePairTokenizer.train(CAFE, 262, special_tokens=("[PAD]", "[END]")),
    "wordpiece": WordPieceTokenizer.train(CAFE, 40, lowercase=False),
    "wordpiece uncased": WordPieceTokenizer.train(CAFE, 40),
    "unigram": UnigramTokenizer.train(CAFE, 20),
}
OTHERS = [None, True, False, 7, -1, 1.5, "", "x", "\ud800", [], [3], {}, {"type": "x"}]
SAMPLES = [*CAFE, "카페 [END]CAFÉ, [UNK] x"]


def places_in(value, found=()):
    """Yield the way to each value of a document; of long lists and objects only some."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    if len(items) > 12:
        items = [*items[:2], *items[len(items) // 2 :][:1], *items[-2:]]
    for key, item in items:
        yield (*found, key)
        if isinstance(item, dict | list | tuple):
            yield from places_in(item, (*found, key))


def changed(document, way, change):
    """Return a document in which something is done to the object or list at a place."""
    copy = json.loads(json.dumps(document))
    inside = copy
    for key in way[:-1]:
        inside = inside[key]
    change(inside, way[-1])
    return copy


class RefusedError(Exception):
    """A ValueError that names the file."""


def load(cls, path):
    try:
        return cls.load(path)
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise RefusedError from None
        raise


def behaviour(ours):
    ids = [ours.encode(text) for text in SAMPLES]
    return ids, [ours.decode(row, skip_special_tokens=False) for row in ids]


@pytest.mark.parametrize("name", SMALL)
def test_a_damaged_file_is_refused_by_name_or_does_no_harm(tmp_path, name):
    ours, path = SMALL[name], tmp_path / "tokenizer.json"
    document = json.loads(json.dumps(document_of(ours)))
    refused = 0

    def read(damaged, way, change):
        nonlocal refused
        path.write_text(json.dumps(damaged), "ascii")
        again = None
        with contextlib.suppress(RefusedError):
            again = load(type(ours), path)
        if again is None:
            refused += 1
            return
        assert behaviour(again) == behaviour(ours), f"{way} {change}"

    for way in places_in(document):
        old = document
        for key in way:
            old = old[key]
        last_entry = way[:2] == ("model", "vocab") and len(way) == 3 and way[2] == ours.tokens[-1]
        if isinstance(way[-1], str) and not last_entry:  # without the last token: a smaller one
            read(changed(document, way, lambda inside, key: inside.pop(key)), way, "is left out")
        for other in OTHERS:
            # Another name, list or score is another tokenizer, no damage; a number below 0 is.
            alike = type(old) is type(other) or {type(old), type(other)} == {int, float}
            if alike and (isinstance(old, float) or other not in (-1, "\ud800")):
                continue
            if way == ("post_processor",) and other is None:  # nothing around: no damage, either
                continue

            def put(inside, key, other=other):
                inside[key] = other

            read(changed(document, way, put), way, f"is {other!r}")
    assert refused > 100


@pytest.mark.parametrize(
    ("name", "way", "value", "message"),
    [
        ("unigram", ("model", "unk_id"), -1, r"unk_id must be 0 or more, got -1"),
        ("unigram", ("model", "unk_id"), 20, r"unk_id must be at most 19, got 20"),
        ("unigram", ("model", "unk_id"), None, r"model\.unk_id must be int, got None"),
        ("unigram", ("model", "vocab", 2, 0), "[UNK]", r"'\[UNK\]' comes twice"),
        (
            "unigram",
            ("model", "vocab", 2),
            ["a"],
            r"model\.vocab\[2\] must be \[str, int",
        ),
        ("words", ("model", "vocab", "카페"), 2.0, r"model\.vocab\['카페'\] must be int, got 2\.0"),
        (
            "words",
            ("model", "vocab", "카페"),
            99,
            r"vocabulary must have the ids 0 to",
        ),
        ("words", ("model", "unk_token"), "x", r"unknown must be in the vocabulary, got 'x'"),
        ("words", ("added_tokens", 0, "id"), 1, r"added token '\[PAD\]' must have one id, got 1"),
        (
            "bytes",
            ("model", "merges", 0),
            ["x", "yz"],
            r"merges must be in the vocabulary, got 'yz'",
        ),
        (
            "bytes",
            ("model", "merges", 0),
            "a b c",
            r"merges must be pairs .*, got \['a', 'b', 'c'\]",
        ),
        ("bytes", ("model", "merges"), {}, r"model\.merges must be a list, got \{\}"),
        ("bytes", ("model", "dropout"), 0.1, r"model 'BPE' with dropout=0\.1 is not supported"),
        ("wordpiece", ("normalizer", "lowercase"), 1, r"normalizer\.lowercase must be bool, got 1"),
        ("wordpiece", ("post_processor", "pair"), None, r"post_processor\.pair must be a list"),
        ("wordpiece", ("model",), [], r"tokenizer\.json\.model must be an object, got \[\]"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, name, way, value, message):
    path = tmp_path / "tokenizer.json"
    document = json.loads(json.dumps(document_of(SMALL[name])))
    damaged = changed(document, way, lambda inside, key: inside.__setitem__(key, value))
    path.write_text(json.dumps(damaged), "utf-8")
    with pytest.raises(ValueError, match=rf"tokenizer\.json: .*{message}"):
        type(SMALL[name]).load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model": {"type": "BPE", "type": "BPE"}}', r"'type' comes twice"),
        ('{"model": {"vocab": [["a", NaN]]}}', r"NaN is no number in JSON"),
        ('{"model": {"vocab": [["a", Infinity]]}}', r"Infinity is no number in JSON"),
        ("[" * 100_000, r"must be a file in JSON"),
        ('{"model": {"type": "BPE"', r"must be a file in JSON, but: Expecting"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path, text, message):
    path = tmp_path / "tokenizer.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=rf"tokenizer\.json .*{message}"):
        BytePairTokenizer.load(path)
