"""The two ends of the ladder: whole words as tokens, and single characters as tokens.

Both are a table, made by counting: the most frequent entries get the smallest ids. What is not in
the table becomes [UNK], and cannot be brought back.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from companion.arguments import integer
from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, checked_texts, distinct
from companion.sequences.tokenization.pretokens import at_punctuation, at_spaces

# How a file says that each character is a piece of its own.
_EACH = {
    "type": "Split",
    "pattern": {"Regex": r"[\s\S]"},
    "behavior": "Isolated",
    "invert": False,
}


class WordTokenizer(Tokenizer):
    """Words as tokens.

    White space is lost: decoding joins the tokens with single spaces.

    Parameters
    ----------
    vocabulary : mapping of str to int
        Each word to its id.
    special_tokens : sequence of str
        As for `Tokenizer`.
    unknown : str, default "[UNK]"
        The token for all other words; it must be in the vocabulary.
    punctuation : bool, default True
        Make each punctuation mark a token; without, cut at white space only.

    Raises
    ------
    TypeError, ValueError
        As `Tokenizer`; also if `unknown` is not in the vocabulary.

    Examples
    --------
    >>> tokenizer = WordTokenizer.train(["어제 카페 갔었어.", "어제 카페 갔었는데요."])
    >>> tokenizer.vocabulary
    {'[PAD]': 0, '[UNK]': 1, '.': 2, '어제': 3, '카페': 4, '갔었는데요': 5, '갔었어': 6}
    >>> tokenizer.tokenize("오늘 카페.")
    ['[UNK]', '카페', '.']
    """

    model = "WordLevel"

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        *,
        special_tokens: Sequence[str] = (),
        unknown: str = "[UNK]",
        punctuation: bool = True,
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens)
        self.unknown = known(unknown, self.vocabulary)
        self.punctuation = punctuation

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int | None = None,
        *,
        special_tokens: Sequence[str] = ("[PAD]", "[UNK]"),
        unknown: str = "[UNK]",
        punctuation: bool = True,
    ) -> Self:
        """Count the words of some texts and keep the most frequent ones.

        The special tokens come first, in their order; then the words, the most frequent first, and
        words of the same count in the order of their code points.

        Parameters
        ----------
        texts : iterable of str
            To learn from.
        vocab_size : int, optional
            At most so many tokens, special ones included. By default, all words are kept.
        special_tokens : sequence of str
            `unknown` must be among them.
        unknown, punctuation
            As for the class.

        Returns
        -------
        WordTokenizer
            With its vocabulary.

        Raises
        ------
        TypeError, ValueError
            If `texts` is empty or one single text; if `vocab_size` is too small for the special
            tokens; as the class.
        """
        cut = at_punctuation if punctuation else at_spaces
        counts = Counter(word for text in checked_texts(texts) for word in cut(text))
        vocabulary = most_frequent(counts, vocab_size, special_tokens)
        options: dict[str, Any] = {"special_tokens": special_tokens, "unknown": unknown}
        return cls(vocabulary, punctuation=punctuation, **options)

    def split(self, text: str) -> list[str]:
        """Cut a text into words."""
        return at_punctuation(text) if self.punctuation else at_spaces(text)

    def word_ids(self, word: str) -> list[int]:
        """Look a word up."""
        return [self.vocabulary.get(word, self.vocabulary[self.unknown])]

    def join(self, tokens: list[str]) -> str:
        """Join words with spaces."""
        return " ".join(tokens)

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        first_cut = "BertPreTokenizer" if self.punctuation else "WhitespaceSplit"
        return {"pre_tokenizer": {"type": first_cut}, "model": _model(self)}

    @classmethod
    def from_components(
        cls, components: dict[str, Any], vocabulary: dict[str, int], special_tokens: list[str]
    ) -> Self:
        """Build the tokenizer that a file describes."""
        for place in ("normalizer", "post_processor", "decoder"):
            files.match(components, place, None)
        known_cuts = {"type": "BertPreTokenizer"}, {"type": "WhitespaceSplit"}
        first_cut = files.match(components, "pre_tokenizer", *known_cuts)
        return cls(
            vocabulary,
            special_tokens=special_tokens,
            unknown=_unknown_of(components),
            punctuation=first_cut["type"] == "BertPreTokenizer",
        )


class CharacterTokenizer(Tokenizer):
    """Characters as tokens: code points of Unicode, white space included.

    Lossless for texts whose characters are all in the vocabulary. A Hangul syllable is one
    character in normal form NFC, and two or three in NFD.

    Parameters
    ----------
    vocabulary, special_tokens, unknown
        As for `WordTokenizer`.

    Raises
    ------
    TypeError, ValueError
        As `WordTokenizer`.

    Examples
    --------
    >>> tokenizer = CharacterTokenizer.train(["어제 갔었어"])
    >>> tokenizer.tokenize("어제도")
    ['어', '제', '[UNK]']
    """

    model = "WordLevel"

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        *,
        special_tokens: Sequence[str] = (),
        unknown: str = "[UNK]",
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens)
        self.unknown = known(unknown, self.vocabulary)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int | None = None,
        *,
        special_tokens: Sequence[str] = ("[PAD]", "[UNK]"),
        unknown: str = "[UNK]",
    ) -> Self:
        """Count the characters of some texts and keep the most frequent ones.

        The order is that of `WordTokenizer.train`.

        Parameters
        ----------
        texts, vocab_size, special_tokens, unknown
            As for `WordTokenizer.train`.

        Returns
        -------
        CharacterTokenizer
            With its vocabulary.

        Raises
        ------
        TypeError, ValueError
            As `WordTokenizer.train`.
        """
        counts: Counter[str] = Counter()
        for text in checked_texts(texts):
            counts.update(text)
        vocabulary = most_frequent(counts, vocab_size, special_tokens)
        return cls(vocabulary, special_tokens=special_tokens, unknown=unknown)

    def split(self, text: str) -> list[str]:
        """Cut a text into characters."""
        return list(text)

    def word_ids(self, word: str) -> list[int]:
        """Look a character up."""
        return [self.vocabulary.get(word, self.vocabulary[self.unknown])]

    def join(self, tokens: list[str]) -> str:
        """Join characters without anything between them."""
        return "".join(tokens)

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        return {"pre_tokenizer": _EACH, "decoder": {"type": "Fuse"}, "model": _model(self)}

    @classmethod
    def from_components(
        cls, components: dict[str, Any], vocabulary: dict[str, int], special_tokens: list[str]
    ) -> Self:
        """Build the tokenizer that a file describes."""
        for place in ("normalizer", "post_processor"):
            files.match(components, place, None)
        files.match(components, "pre_tokenizer", _EACH)
        files.match(components, "decoder", {"type": "Fuse"})
        return cls(vocabulary, special_tokens=special_tokens, unknown=_unknown_of(components))


def most_frequent(
    counts: Mapping[str, int], vocab_size: int | None, special_tokens: Sequence[str]
) -> dict[str, int]:
    """Give numbers to special tokens, then to entries by falling count, then by code point."""
    special = distinct(special_tokens)
    size = room(vocab_size, len(special)) if vocab_size is not None else None
    ordered = sorted(counts, key=lambda entry: (-counts[entry], entry))
    entries = list(dict.fromkeys((*special, *ordered)))[:size]
    return {entry: number for number, entry in enumerate(entries)}


def room(vocab_size: int, needed: int) -> int:
    """Return the size of a vocabulary if what must be in it fits.

    Raises
    ------
    TypeError, ValueError
        If `vocab_size` is no integer, or smaller than `needed`.
    """
    if integer(vocab_size, "vocab_size") < needed:
        raise ValueError(
            f"vocab_size must be {needed} or more, for the special tokens and all single "
            f"characters, got {vocab_size}"
        )
    return int(vocab_size)


def known(unknown: str, vocabulary: Mapping[str, int]) -> str:
    """Return the token for unknown words if it is in the vocabulary.

    Raises
    ------
    ValueError
        If it is not.
    """
    if unknown not in vocabulary:
        raise ValueError(f"unknown must be in the vocabulary (and special), {unknown!r} is not")
    return unknown


def _model(tokenizer: WordTokenizer | CharacterTokenizer) -> dict[str, Any]:
    return {"type": "WordLevel", "vocab": tokenizer.vocabulary, "unk_token": tokenizer.unknown}


def _unknown_of(components: dict[str, Any]) -> str:
    plain = {"type": "WordLevel"}
    return files.match(components, "model", plain, free=("vocab", "unk_token"))["unk_token"]
