"""Tests of companion.sequences.tokenization.words."""

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, trainers

from companion.sequences.tokenization import (
    CharacterTokenizer,
    WordTokenizer,
)
from tests.sequences.tokenization.examples import ANY_TEXT, CAFE


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
