"""Tests of companion.sequences.tokenization.characters."""

import re
import string
import unicodedata

import pytest
import tokenizers
from hypothesis import given
from tokenizers import normalizers, pre_tokenizers

from companion.sequences.tokenization import (
    characters,
)
from tests.sequences.tokenization.examples import ALL, ANY_TEXT


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
