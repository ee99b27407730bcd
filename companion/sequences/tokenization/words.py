"""The two ends of the ladder: whole words as tokens, and single characters as tokens.

Both are a table, made by counting: the special tokens come first, in their order, then the most
frequent entries, those of the same count in the order of their code points. What is not in the
table becomes [UNK], and cannot be brought back.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from companion.arguments import flag
from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, room, to_train_on
from companion.sequences.tokenization.pretokens import at_punctuation, at_spaces
from companion.sequences.vocabulary import Vocabulary, by_frequency, distinct


class TableTokenizer(Tokenizer):
    """What both have in common: a piece of text is looked up in a table.

    `unknown` is the token for all that is not in it; it must be in the vocabulary.
    """

    model = "WordLevel"
    unknown: str

    def __init__(
        self,
        vocabulary: Mapping[str, int] | Iterable[str],
        *,
        special_tokens: Iterable[str] | None = None,
        unknown: str = "[UNK]",
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens, unknown=unknown)

    def word_ids(self, word: str) -> list[int]:
        """Look a word up."""
        return [self.vocabulary.ids.get(word, self.vocabulary.unknown)]

    def _model(self) -> dict[str, Any]:
        vocabulary = dict(self.vocabulary)
        return {"type": "WordLevel", "vocab": vocabulary, "unk_token": self.unknown}


class WordTokenizer(TableTokenizer):
    """Words as tokens.

    White space is lost: decoding joins the tokens with single spaces.

    Parameters
    ----------
    vocabulary, special_tokens, unknown
        As for `Tokenizer`.
    punctuation : bool, default True
        Make each punctuation mark a token; without, cut at white space only.

    Examples
    --------
    >>> tokenizer = WordTokenizer.train(["어제 카페 갔었어.", "어제 카페 갔었는데요."])
    >>> tokenizer.tokens
    ('[PAD]', '[UNK]', '.', '어제', '카페', '갔었는데요', '갔었어')
    >>> tokenizer.tokenize("오늘 카페.")
    ['[UNK]', '카페', '.']
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int] | Iterable[str],
        *,
        special_tokens: Iterable[str] | None = None,
        unknown: str = "[UNK]",
        punctuation: bool = True,
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens, unknown=unknown)
        self.punctuation = flag(punctuation, "punctuation")

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int | None = None,
        *,
        special_tokens: Iterable[str] = ("[PAD]", "[UNK]"),
        unknown: str = "[UNK]",
        punctuation: bool = True,
    ) -> Self:
        """Count the words of some texts and keep the most frequent ones.

        At most `vocab_size` tokens, special ones included; by default, all words are kept.
        """
        cut = at_punctuation if flag(punctuation, "punctuation") else at_spaces
        table = count(texts, cut, vocab_size, special_tokens)
        return cls(table, unknown=unknown, punctuation=punctuation)

    def split(self, text: str) -> list[str]:
        """Cut a text into words."""
        return at_punctuation(text) if self.punctuation else at_spaces(text)

    def join(self, tokens: list[str]) -> str:
        """Join words with spaces."""
        return " ".join(tokens)

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        first_cut = "BertPreTokenizer" if self.punctuation else "WhitespaceSplit"
        return {"pre_tokenizer": {"type": first_cut}, "model": self._model()}

    @classmethod
    def from_file(cls, file: files.Description) -> Self:
        """Build the tokenizer that a file describes."""
        for place in ("normalizer", "post_processor", "decoder"):
            file.match(place, None)
        known_cuts = {"type": "BertPreTokenizer"}, {"type": "WhitespaceSplit"}
        first_cut = file.match("pre_tokenizer", *known_cuts)
        return cls(
            file.vocabulary,
            special_tokens=file.special_tokens,
            unknown=_unknown_of(file),
            punctuation=first_cut["type"] == "BertPreTokenizer",
        )


class CharacterTokenizer(TableTokenizer):
    """Characters as tokens: code points of Unicode, white space included.

    Lossless for texts whose characters are all in the vocabulary. A Hangul syllable is one
    character in normal form NFC, and two or three in NFD. Parameters as for `WordTokenizer`.

    Examples
    --------
    >>> tokenizer = CharacterTokenizer.train(["어제 갔었어"])
    >>> tokenizer.tokenize("어제도")
    ['어', '제', '[UNK]']
    """

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int | None = None,
        *,
        special_tokens: Iterable[str] = ("[PAD]", "[UNK]"),
        unknown: str = "[UNK]",
    ) -> Self:
        """Count the characters of some texts and keep the most frequent ones, as with words."""
        return cls(count(texts, list, vocab_size, special_tokens), unknown=unknown)

    def split(self, text: str) -> list[str]:
        """Cut a text into characters."""
        return list(text)

    def join(self, tokens: list[str]) -> str:
        """Join characters without anything between them."""
        return "".join(tokens)

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        return {"pre_tokenizer": _EACH, "decoder": {"type": "Fuse"}, "model": self._model()}

    @classmethod
    def from_file(cls, file: files.Description) -> Self:
        """Build the tokenizer that a file describes."""
        for place in ("normalizer", "post_processor"):
            file.match(place, None)
        file.match("pre_tokenizer", _EACH)
        file.match("decoder", {"type": "Fuse"})
        return cls(file.vocabulary, special_tokens=file.special_tokens, unknown=_unknown_of(file))


def count(
    texts: Iterable[str],
    cut: Callable[[str], list[str]],
    vocab_size: int | None,
    special_tokens: Iterable[str],
) -> Vocabulary:
    """Count the pieces of some texts; return the special tokens and the most frequent pieces."""
    special = distinct(special_tokens, "special_tokens", least=0)
    counts = Counter(piece for text in to_train_on(texts) for piece in cut(text))
    size = None if vocab_size is None else room(vocab_size, max(1, len(special)))
    tokens = list(dict.fromkeys((*special, *by_frequency(counts))))[:size]
    return Vocabulary(tokens, [counts[token] for token in tokens], special=special)


# How a file says that each character is a piece of its own.
_ANY = {"Regex": r"[\s\S]"}
_EACH = {"type": "Split", "pattern": _ANY, "behavior": "Isolated", "invert": False}


def _unknown_of(file: files.Description) -> str:
    plain = {"type": "WordLevel"}
    return file.match("model", plain, free=("vocab", "unk_token"))["unk_token"]
