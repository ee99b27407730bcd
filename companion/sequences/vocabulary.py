"""The vocabulary: every token has an id, and a few tokens stand for no text.

A vocabulary of V tokens gives them the ids 0 to V - 1, and is read like a dictionary from token to
id. Special tokens are asked for by what they do, so that no other place has to know a number::

    pad        [PAD]    fills up the shorter sequences of a batch
    unknown    [UNK]    stands for every token that is not in the vocabulary
    begin      [BOS]    comes before a sequence
    end        [EOS]    comes after it
    cls, sep   [CLS], [SEP]    come before a text that is to be judged, and between texts
    mask       [MASK]   hides a token that is to be guessed

What this module leaves out: how a text is cut into tokens.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import index
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import array, came, choice, integer, texts
from companion.arguments import sentences as checked_sentences

# The spellings of each role; the first is this course's own, others are those of published models.
ROLES = {
    "pad": ("[PAD]", "<pad>"),
    "unknown": ("[UNK]", "<unk>"),
    "begin": ("[BOS]", "<s>", "<|im_start|>", "<|endoftext|>"),
    "end": ("[EOS]", "</s>", "<|im_end|>", "<|endoftext|>"),
    "cls": ("[CLS]",),
    "sep": ("[SEP]",),
    "mask": ("[MASK]", "<mask>"),
}


class Role:
    """An attribute of a vocabulary: the id of its special token for a role."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, vocabulary: Vocabulary, owner: type | None = None) -> int:
        if not vocabulary.has(self.name):
            wanted = f"{' or '.join(ROLES[self.name])} as {self.name}"
            raise ValueError(f"the vocabulary must have {wanted}, it has {vocabulary.special}")
        return vocabulary.ids[vocabulary.roles[self.name]]


class Vocabulary(Mapping[str, int]):
    """Tokens with their ids, and how often they were counted.

    Parameters
    ----------
    tokens : iterable of str, or mapping of str to int
        V different texts that are not empty; the place of a token is its id. A mapping says the
        ids itself: 0 to V - 1, each once.
    counts : array_like of int, shape (V,), optional
        How often each occurs in the text that the vocabulary was made from.
    special : iterable of str
        Which of the tokens stand for no piece of text.
    unknown : str, optional
        The token that stands for unknown ones, where it has a spelling of its own.

    Attributes
    ----------
    ids : dict of str to int
        The same as the vocabulary itself, for code that looks up very many tokens.
    roles : dict of str to str
        Each role to its special token, where there is one.
    pad, unknown, begin, end, cls, sep, mask : int
        The id of the special token that does this; ValueError if there is none.

    Examples
    --------
    >>> vocabulary = Vocabulary.count([["I", "love", "cat"], ["we", "love"]], special=["[UNK]"])
    >>> vocabulary.tokens
    ('[UNK]', 'love', 'I', 'cat', 'we')
    >>> vocabulary["love"], vocabulary.unknown, vocabulary.encode(["we", "run"])
    (1, 0, [4, 0])
    """

    pad, unknown, begin, end, cls, sep, mask = map(Role, ROLES)

    def __init__(
        self,
        tokens: Iterable[str],
        counts: ArrayLike | None = None,
        *,
        special: Iterable[str] = (),
        unknown: str | None = None,
    ) -> None:
        self.tokens = ordered(tokens, "tokens")
        self.ids = {token: number for number, token in enumerate(self.tokens)}
        self.special = distinct(special, "special", least=0)
        among(self.special, self.ids, "special")
        among(() if unknown is None else (unknown,), self.ids, "unknown")
        self.roles = {
            role: next(token for token in spellings if token in self.special)
            for role, spellings in ROLES.items()
            if not set(spellings).isdisjoint(self.special)
        } | ({} if unknown is None else {"unknown": unknown})
        self.counts = None if counts is None else array(counts, "counts")
        if self.counts is not None:
            if self.counts.shape != (len(self),) or self.counts.dtype.kind not in "iu":
                got = f"{self.counts.dtype} of shape {self.counts.shape}"
                raise ValueError(f"counts must be {len(self)} integers, got {got}")
            if self.counts.min() < 0:
                raise ValueError(f"counts must be 0 or more, got {self.counts.min()}")
            self.counts = self.counts.astype(np.int64)

    @classmethod
    def count(
        cls,
        sentences: Iterable[Sequence[str]],
        *,
        special: Iterable[str] = (),
        min_count: int = 1,
        size: int | None = None,
    ) -> Self:
        """Count the tokens of sentences: special ones first, then the most frequent ones.

        Tokens of the same count come in the order of their code points. A special token that occurs
        in a sentence is counted under its own id. There must be a token that is not special.

        Parameters
        ----------
        sentences : iterable of sequences of str
            One or more.
        special : iterable of str
            Special tokens, which are kept however often they occur.
        min_count : int, default 1
            Tokens that occur less often are left out.
        size : int, optional
            At most so many tokens, special ones included.
        """
        least = integer(min_count, "min_count", 1)
        kept = distinct(special, "special", least=0)
        most = None if size is None else integer(size, "size", len(kept) + 1) - len(kept)
        counts = Counter(chain.from_iterable(checked_sentences(sentences, "sentences", least=0)))
        words = [word for word in by_frequency(counts) if counts[word] >= least]
        words = [word for word in words if word not in kept][:most]
        if not words:
            highest = max(counts.values(), default=0)
            raise ValueError(
                f"sentences must hold a token {least} times (min_count), got {len(counts)} "
                f"different tokens, none more than {highest} times"
            )
        tokens = [*kept, *words]
        return cls(tokens, [counts[token] for token in tokens], special=kept)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the id of each token, that of [UNK] for tokens that are not in the vocabulary."""
        words = texts(tokens, "tokens", least=0)
        if self.has("unknown"):
            unknown = self.unknown
            return [self.ids.get(word, unknown) for word in words]
        return [self.ids[word] for word in among(words, self.ids, "tokens")]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id; special tokens, too."""
        if isinstance(ids, str | bytes):
            raise TypeError(f"ids must be a list of integers, got {came(ids)}")
        try:
            numbers = list(map(index, ids))
        except (TypeError, RuntimeError):  # the last: a sparse tensor
            raise TypeError(f"ids must be a list of integers, got {came(ids)}") from None
        return [self.tokens[integer(number, "ids", 0, len(self) - 1)] for number in numbers]

    def __getitem__(self, token: str) -> int:
        return self.ids[token]

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and token in self.ids

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        """Show the first tokens, and how many there are."""
        first = " ".join(self.tokens[:8])
        return f"Vocabulary({len(self)} tokens: {first}{' ...' if len(self) > 8 else ''})"

    def has(self, role: str) -> bool:
        """Tell whether there is a special token for a role: "pad", "unknown", "begin", ..."""
        return choice(role, "role", ROLES) in self.roles


def distinct(values: Any, name: str, *, least: int = 1) -> tuple[str, ...]:
    """Return texts that are different and not empty, as a tuple.

    Examples
    --------
    >>> distinct(["a", "a"], "words")
    Traceback (most recent call last):
        ...
    ValueError: words must be different, got 'a' more than once
    """
    found = tuple(texts(values, name, least=least))
    if "" in found:
        raise ValueError(f"{name} must not be empty texts, got '' at place {found.index('')}")
    try:
        "".join(found).encode()
    except UnicodeEncodeError as error:  # half of a pair, which no file can hold
        half = error.object[error.start]
        place = next(place for place, text in enumerate(found) if half in text)
        got = f"U+{ord(half):04X} at place {place}"
        raise ValueError(f"{name} must not contain lone surrogates, got {got}") from None
    if len(set(found)) < len(found):
        twice = next(text for text, n in Counter(found).items() if n > 1)
        raise ValueError(f"{name} must be different, got {twice!r} more than once")
    return found


def among(tokens: Iterable[Any], ids: Mapping[str, int], name: str) -> Iterable[str]:
    """Return tokens, all of which must be in a vocabulary."""
    for token in tokens:
        if not isinstance(token, str) or token not in ids:
            raise ValueError(f"{name} must be in the vocabulary, got {came(token)}")
    return tokens


def ordered(tokens: Any, name: str) -> tuple[str, ...]:
    """Return the tokens of a vocabulary in the order of their ids, whatever says the ids.

    Examples
    --------
    >>> ordered({"b": 1, "a": 0}, "vocabulary")
    ('a', 'b')
    """
    if not isinstance(tokens, Mapping) or isinstance(tokens, Vocabulary):
        return distinct(tokens, name)
    numbers = [integer(number, f"{name}[{came(token)}]") for token, number in tokens.items()]
    if sorted(numbers) != list(range(len(numbers))):
        wanted = f"the ids 0 to {len(numbers) - 1}, each once"
        raise ValueError(f"{name} must have {wanted}, got {came(sorted(numbers))}")
    return distinct(sorted(tokens, key=tokens.__getitem__), name)


def by_frequency(counts: Mapping[str, int]) -> list[str]:
    """Sort tokens by falling count, those of the same count by their code points."""
    return sorted(counts, key=lambda token: (-counts[token], token))
