"""What all tokenizers have in common: a vocabulary, special tokens, ids and back, files.

A tokenizer of its own says four things: how it cuts a text into words (`split`), which ids a word
has (`word_ids`), how tokens are joined to a text (`join`), and how it is described in a file.
Words come again and again, so the ids of a word are computed once and kept: then a text costs one
look-up per word. What this module leaves out: where in the text a token stands.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import index
from typing import Any, Self

from companion.sequences.tokenization import files
from companion.sequences.tokenization.characters import valid

CACHED_WORDS = 50_000  # so many words are remembered
CACHED_LENGTH = 100  # characters; longer words hardly come again


class Tokenizer(ABC):
    """A tokenizer without its rule: what the others of this chapter are built on.

    Parameters
    ----------
    vocabulary : mapping of str to int
        Each token to its id; the ids are 0, 1, ..., V - 1.
    special_tokens : sequence of str
        Tokens of the vocabulary that stand for no piece of text. They are found in a text before
        it is cut, and never cut themselves.

    Raises
    ------
    TypeError, ValueError
        If the ids are not these, or a special token is not in the vocabulary, empty or there twice.
    """

    model: str  # how files call the kind of tokenizer

    def __init__(
        self, vocabulary: Mapping[str, int], *, special_tokens: Sequence[str] = ()
    ) -> None:
        self.vocabulary = {valid(token, "vocabulary"): n for token, n in vocabulary.items()}
        self.special_tokens = distinct(special_tokens)
        if sorted(self.vocabulary.values()) != list(range(len(self.vocabulary))):
            raise ValueError(
                f"vocabulary must have the ids 0 to {len(self.vocabulary) - 1}, each once, got "
                f"{sorted(self.vocabulary.values())[:10]} ..."
            )
        for token in self.special_tokens:
            if token not in self.vocabulary:
                raise ValueError(f"special token {token!r} must be in the vocabulary, it is not")
        self.tokens = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        longest_first = sorted(map(re.escape, self.special_tokens), key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(longest_first)})")
        self._cache = WordCache(self.word_ids)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} tokens)"

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """Cut a text without special tokens into words."""

    @abstractmethod
    def word_ids(self, word: str) -> list[int]:
        """Return the ids of a word."""

    @abstractmethod
    def join(self, tokens: list[str]) -> str:
        """Put tokens together to a text."""

    def text_ids(self, text: str) -> list[int]:
        """Return the ids of a text: special tokens as they are, the rest word by word."""
        parts = [valid(text)]
        if any(token in text for token in self.special_tokens):
            parts = self._special.split(text)
        ids: list[int] = []
        for place, part in enumerate(parts):
            if place % 2:
                ids.append(self.vocabulary[part])
            else:
                ids += chain.from_iterable(map(self._cache.__getitem__, self.split(part)))
        return ids

    def tokenize(self, text: str) -> list[str]:
        """Cut a text into tokens.

        Parameters
        ----------
        text : str
            Any text, also an empty one.

        Returns
        -------
        list of str
            Entries of the vocabulary.

        Raises
        ------
        TypeError, ValueError
            If `text` is no text, or has a lone surrogate.
        """
        return [self.tokens[number] for number in self.text_ids(text)]

    def encode(self, text: str) -> list[int]:
        """Turn a text into ids.

        Parameters
        ----------
        text : str
            Any text, also an empty one.

        Returns
        -------
        list of int
            Ids of the vocabulary.

        Raises
        ------
        TypeError, ValueError
            If `text` is no text, or has a lone surrogate.
        """
        return self.text_ids(text)

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> str:
        """Turn ids into a text.

        Parameters
        ----------
        ids : iterable of int
            Such as a list, or an array of shape (T,).
        skip_special_tokens : bool, default True
            Leave special tokens out.

        Returns
        -------
        str
            Not always the text that was encoded: the classes say what is lost.

        Raises
        ------
        TypeError, ValueError
            If an id is no integer, or not in the vocabulary.
        """
        tokens = []
        for item in ids:
            try:
                number = index(item)
            except TypeError:
                raise TypeError(f"ids must hold integers, got {item!r}") from None
            if not 0 <= number < len(self):
                raise ValueError(f"ids must lie between 0 and {len(self) - 1}, got {number}")
            tokens.append(self.tokens[number])
        if skip_special_tokens:
            tokens = [token for token in tokens if token not in self.special_tokens]
        return self.join(tokens)

    @abstractmethod
    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file: each of the five places to its component."""

    @classmethod
    @abstractmethod
    def from_components(
        cls, components: dict[str, Any], vocabulary: dict[str, int], special_tokens: list[str]
    ) -> Self:
        """Build the tokenizer that a file describes, or refuse what is not supported."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that `load` and the ``tokenizers`` library read.

        Parameters
        ----------
        path : path
            Usually ``tokenizer.json``.
        """
        special = {token: self.vocabulary[token] for token in self.special_tokens}
        files.write(path, self.components(), special)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` or the ``tokenizers`` library has written.

        Parameters
        ----------
        path : path
            Of the file.

        Returns
        -------
        Tokenizer
            Gives the same ids as the one that was saved.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it holds another kind of tokenizer, or anything that is not supported; the message
            names it.
        """
        components, special = files.read(path)
        model = components["model"]
        if model.get("type") != cls.model:
            raise ValueError(
                f"model {model.get('type')!r} is not supported by {cls.__name__}, "
                f"expected {cls.model}"
            )
        entries = model["vocab"]
        if isinstance(entries, list):  # of a unigram model: pieces with scores
            entries = {piece: number for number, (piece, _) in enumerate(entries)}
        return cls.from_components(components, {**entries, **special}, list(special))


class WordCache(dict):
    """The ids of words, computed at their first look-up."""

    def __init__(self, word_ids: Callable[[str], list[int]]) -> None:
        super().__init__()
        self.word_ids = word_ids

    def __missing__(self, word: str) -> list[int]:
        ids = self.word_ids(word)
        if len(word) <= CACHED_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids


def distinct(special_tokens: Sequence[str]) -> tuple[str, ...]:
    """Return special tokens as a tuple if they are different, non-empty texts.

    Raises
    ------
    TypeError, ValueError
        If they are not.
    """
    if isinstance(special_tokens, str):
        raise TypeError(f"special_tokens must be a list of texts, got {special_tokens!r}")
    tokens = tuple(valid(token, "special_tokens") for token in special_tokens)
    if "" in tokens or len(set(tokens)) < len(tokens):
        raise ValueError(f"special_tokens must be different and not empty, got {list(tokens)}")
    return tokens


def checked_texts(texts: Iterable[str]) -> Iterable[str]:
    """Yield texts to train on, each checked.

    Raises
    ------
    TypeError, ValueError
        If there is one single text, no text, something else than text, or a lone surrogate.
    """
    if isinstance(texts, str):
        raise TypeError("texts must be a list of texts, got one single text")
    empty = True
    for text in texts:
        empty = False
        yield valid(text, "texts")
    if empty:
        raise ValueError("texts must hold at least one text, got none")
