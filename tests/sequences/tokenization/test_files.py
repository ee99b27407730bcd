"""Tests of companion.sequences.tokenization.files."""

import json

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from companion.sequences.tokenization import (
    BytePairTokenizer,
    CharacterTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from tests.sequences.tokenization.examples import EVERYONE, TEXTS, document_of, train_library


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
    with pytest.raises(ValueError, match=r"model 'BPE' is not supported here, expected WordLevel"):
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
