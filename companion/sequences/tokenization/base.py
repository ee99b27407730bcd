"""What all tokenizers have in common: a vocabulary, special tokens, ids and back, places, files.

A tokenizer of its own says how it cuts a text into words (`split`), which ids a word has
(`word_ids`), how tokens are joined to a text (`join`), and how it is described in a file. Words
come again and again, so the ids of a word are computed once and kept: then a text costs one look-up
per word. Where in the text a token stands is found on a second way (`encode_pair`), so that
`encode` need not know: it follows each letter through what tidies the text (`placed`), and asks how
many letters of a word each token stands for (`widths`).

What the `train` of all has in common: there must be one text or more to learn from; the special
tokens take the first ids, and the one for what is unknown must be among them.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Self

from companion.arguments import came, flag, integer
from companion.arguments import texts as checked_texts
from companion.sequences.tokenization import files
from companion.sequences.tokenization.characters import valid
from companion.sequences.vocabulary import Vocabulary, among, distinct, ordered

CACHED_WORDS = 50_000  # so many words are remembered
CACHED_LENGTH = 100  # characters; longer words hardly come again


class Encoding(NamedTuple):
    """A text, or two, as T tokens: what a model reads, and where the tokens stand in the text."""

    ids: list[int]
    tokens: list[str]
    segments: list[int]  # 0 for the first text, 1 for the second; what is around belongs to one
    offsets: list[tuple[int, int]]  # first character and one past the last, in the token's own text
    special: list[bool]  # whether a token was put around the text; its offsets are (0, 0)


class Tokenizer(ABC):
    """A tokenizer without its rule: what the others of this chapter are built on.

    Parameters
    ----------
    vocabulary : mapping of str to int, or iterable of str
        Each token to its id, 0 to V - 1; or the tokens in the order of their ids. The tokenizer's
        own `vocabulary` is a `companion.sequences.vocabulary.Vocabulary`.
    special_tokens : iterable of str, optional
        Tokens of the vocabulary that stand for no piece of text. They are found in a text before
        it is cut, and never cut themselves. By default those of the vocabulary, if it knows some.
    unknown : str, optional
        The token for what is not in the vocabulary, if the tokenizer needs one.
    around : pair of str, optional
        Tokens that come before and after a text.
    """

    model: str  # how files call the kind of tokenizer

    def __init__(
        self,
        vocabulary: Mapping[str, int] | Iterable[str],
        *,
        special_tokens: Iterable[str] | None = None,
        unknown: str | None = None,
        around: tuple[str, str] | None = None,
    ) -> None:
        tokens = ordered(vocabulary, "vocabulary")
        known = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(tokens)
        special = known.special if special_tokens is None else special_tokens
        self.special_tokens = distinct(special, "special_tokens", least=0)
        ends = [] if around is None else checked_texts(around, "around")
        if len(ends) not in (0, 2):
            raise ValueError(f"around must be two tokens, first and last, got {came(around)}")
        among(self.special_tokens, known, "special_tokens")
        among(ends, known, "around")
        self.vocabulary = Vocabulary(
            tokens, known.counts, special=self.special_tokens, unknown=unknown
        )
        self.tokens, self.unknown = tokens, unknown
        self.around = (ends[0], ends[1]) if ends else None
        longest_first = sorted(map(re.escape, self.special_tokens), key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(longest_first)})")
        self._cache = WordCache(self.word_ids)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} tokens)"

    def encode(self, text: str, pair: str | None = None) -> list[int]:
        """Turn a text, or two, into ids.

        Parameters
        ----------
        text : str
            Any text, also an empty one.
        pair : str, optional
            A second text. Around both stands what `around` says: [CLS] text [SEP] pair [SEP].
        """
        before, after = self._around_ids()
        ids = before + self.text_ids(text) + after
        return ids if pair is None else ids + self.text_ids(valid(pair, "pair")) + after

    def encode_pair(self, text: str, pair: str | None = None) -> Encoding:
        """Do what `encode` does, and say where in the texts the tokens stand.

        All is as in the ``tokenizers`` library: ids, offsets, segments and special tokens.
        """
        if pair is not None:
            valid(pair, "pair")
        before, after = self._around_ids()
        rows = [(number, 0, (0, 0), True) for number in before]
        for segment, part in enumerate([text] if pair is None else [text, pair]):
            rows += [(number, segment, place, False) for number, place in self._places(part)]
            rows += [(number, segment, (0, 0), True) for number in after]
        return Encoding(
            ids=[number for number, _, _, _ in rows],
            tokens=[self.tokens[number] for number, _, _, _ in rows],
            segments=[segment for _, segment, _, _ in rows],
            offsets=[place for _, _, place, _ in rows],
            special=[special for _, _, _, special in rows],
        )

    def tokenize(self, text: str) -> list[str]:
        """Cut a text into tokens, without what comes around it."""
        return [self.tokens[number] for number in self.text_ids(text)]

    def text_ids(self, text: str) -> list[int]:
        """Return the ids of a text: special tokens as they are, the rest word by word."""
        ids: list[int] = []
        for place, part in enumerate(self._parts(text)):
            if place % 2:
                ids.append(self.vocabulary.ids[part])
            else:
                ids += chain.from_iterable(map(self._cache.__getitem__, self.split(part)))
        return ids

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> str:
        """Turn ids into a text: not always the one that was encoded; the classes say what is lost.

        `ids` may be a list, or an array of shape (T,); special tokens can be left in.
        """
        tokens = self.vocabulary.decode(ids)
        if flag(skip_special_tokens, "skip_special_tokens"):
            tokens = [token for token in tokens if token not in self.special_tokens]
        return self.join(tokens)

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """Cut a text without special tokens into words."""

    @abstractmethod
    def word_ids(self, word: str) -> list[int]:
        """Return the ids of a word."""

    @abstractmethod
    def join(self, tokens: list[str]) -> str:
        """Put tokens together to a text."""

    def placed(self, text: str) -> Iterator[tuple[str, Sequence[int]]]:
        """Yield each word, as `split` gives it, with the places of its letters in the text."""
        return find(self.split(text), text, range(len(text)))

    def widths(self, word: str) -> list[int]:
        """Return how many of the places of a word each of its tokens takes; by default, one all."""
        return [len(word)]

    def _parts(self, text: str) -> list[str]:
        """Cut a text at its special tokens, which have odd places."""
        found = any(token in valid(text) for token in self.special_tokens)
        return self._special.split(text) if found else [valid(text)]

    def _around_ids(self) -> tuple[list[int], list[int]]:
        ids = [self.vocabulary[token] for token in self.around or ()]
        return ids[:1], ids[1:]

    def _places(self, text: str) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield the ids of a text, each with the place where it begins, and the one after it."""
        start = 0
        for turn, part in enumerate(self._parts(text)):
            if turn % 2:
                yield self.vocabulary[part], (start, start + len(part))
            else:
                for word, places in self.placed(part):
                    end = 0
                    for number, width in zip(self._cache[word], self.widths(word), strict=True):
                        own, end = places[end : end + width], end + width
                        yield number, (start + own[0], start + own[-1] + 1)
            start += len(part)

    @abstractmethod
    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file: each of the five places to its component."""

    @classmethod
    @abstractmethod
    def from_file(cls, file: files.Description) -> Self:
        """Build the tokenizer that a file describes, or refuse what is not supported."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that `load` and the ``tokenizers`` library read: a ``tokenizer.json``."""
        special = {token: self.vocabulary[token] for token in self.special_tokens}
        files.write(path, self.components(), special)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` or the ``tokenizers`` library has written.

        ValueError if it is damaged, holds another kind of tokenizer, or what is not supported here:
        truncation, padding, added tokens that are not plain special ones, or a component. It names
        the file and what is wrong in it. OSError if the file cannot be read.
        """
        file = files.read(path, cls.model)
        try:
            return cls.from_file(file)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


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


def find(
    words: Iterable[str], text: str, places: Sequence[int]
) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield words that stand in a text one after the other, each with the places of its letters.

    Examples
    --------
    >>> list(find(["ab", "b"], "ab  b", range(10, 15)))
    [('ab', range(10, 12)), ('b', range(14, 15))]
    """
    end = 0
    for word in words:
        start = text.index(word, end)
        end = start + len(word)
        yield word, places[start:end]


def to_train_on(texts: Iterable[str]) -> list[str]:
    """Return texts to train on, each checked."""
    return [valid(text, "texts") for text in checked_texts(texts, "texts")]


def room(vocab_size: int, needed: int) -> int:
    """Return the size of a vocabulary if what must be in it fits."""
    if integer(vocab_size, "vocab_size") < needed:
        reason = "for the special tokens and all single characters"
        raise ValueError(f"vocab_size must be {needed} or more, {reason}, got {came(vocab_size)}")
    return int(vocab_size)
