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

from companion.arguments import integer, texts
from companion.arguments import sentences as checked_sentences

# The spellings of each role; the first is this course's own, others are those of published models.
ROLES = {
    "pad": ("[PAD]", "<pad>"),
    "unknown": ("[UNK]", "<unk>"),
    "begin": ("[BOS]", "<s>", "<|im_start|>"),
    "end": ("[EOS]", "</s>", "<|im_end|>"),
    "cls": ("[CLS]",),
    "sep": ("[SEP]",),
    "mask": ("[MASK]", "<mask>"),
}


class Vocabulary(Mapping[str, int]):
    """Tokens with their ids, and how often they were counted.

    Parameters
    ----------
    tokens : iterable of str
        V different texts that are not empty; the place of a token is its id.
    counts : array_like of int, shape (V,), optional
        How often each occurs in the text that the vocabulary was made from.
    special : iterable of str
        Which of the tokens stand for no piece of text.

    Attributes
    ----------
    tokens, special : tuple of str
        As given.
    counts : ndarray of int64, shape (V,), or None
        As given.
    pad, unknown, begin, end, cls, sep, mask : int
        The id of the special token that does this.

    Raises
    ------
    TypeError, ValueError
        If a token is no text, is empty or comes twice; the counts do not fit; a special token is
        none of the tokens; a role is asked for that no special token has.

    Examples
    --------
    >>> vocabulary = Vocabulary.count([["I", "love", "cat"], ["we", "love"]], special=["[UNK]"])
    >>> vocabulary.tokens
    ('[UNK]', 'love', 'I', 'cat', 'we')
    >>> vocabulary["love"], vocabulary.unknown, vocabulary.encode(["we", "run"])
    (1, 0, [4, 0])
    """

    def __init__(
        self,
        tokens: Iterable[str],
        counts: ArrayLike | None = None,
        *,
        special: Iterable[str] = (),
    ) -> None:
        self.tokens: tuple[str, ...] = tuple(texts(tokens, "tokens"))
        self.special: tuple[str, ...] = tuple(_listed(special, "special"))
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = [token for token, n in Counter(self.tokens).items() if n > 1]
            raise ValueError(f"tokens must be different, got {twice[0]!r} more than once")
        for token in self.special:
            if token not in self._ids:
                raise ValueError(f"special must name tokens of the vocabulary, got {token!r}")
        self.counts = None if counts is None else np.asarray(counts)
        if self.counts is not None:
            if self.counts.shape != (len(self),) or self.counts.dtype.kind not in "iu":
                got = f"{self.counts.dtype} of shape {self.counts.shape}"
                raise ValueError(f"counts must be {len(self)} integers, got {got}")
            self.counts = self.counts.astype(np.int64)

    @classmethod
    def count(
        cls,
        sentences: Iterable[Sequence[str]],
        *,
        special: Sequence[str] = (),
        min_count: int = 1,
        size: int | None = None,
    ) -> Self:
        """Count the tokens of sentences: special ones first, then the most frequent ones.

        Tokens of the same count come in the order of their code points. A special token that occurs
        in a sentence is counted under its own id.

        Parameters
        ----------
        sentences : iterable of sequences of str
            One or more.
        special : sequence of str
            Special tokens, which are kept however often they occur.
        min_count : int, default 1
            Tokens that occur less often are left out.
        size : int, optional
            At most so many tokens, special ones included.
        """
        least = integer(min_count, "min_count", 1)
        kept = _listed(special, "special")
        most = None if size is None else integer(size, "size", len(kept) + 1) - len(kept)
        counts = Counter(chain.from_iterable(checked_sentences(sentences, "sentences")))
        order = sorted(counts, key=lambda token: (-counts[token], token))
        words = [word for word in order if counts[word] >= least and word not in kept][:most]
        tokens = [*kept, *words]
        if not words:
            highest = max(counts.values(), default=0)
            raise ValueError(
                f"sentences must hold a token {least} times (min_count), got {len(counts)} "
                f"different tokens, none more than {highest} times"
            )
        return cls(tokens, [counts[token] for token in tokens], special=kept)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the id of each token, that of [UNK] for tokens that are not in the vocabulary.

        Raises
        ------
        ValueError
            If a token is not in the vocabulary, and there is no special token for unknown ones.
        """
        return [self._ids[t] if t in self._ids else self._missing(t) for t in _listed(tokens)]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the token of each id.

        Raises
        ------
        TypeError, ValueError
            If an id is no integer, or not in the vocabulary.
        """
        found = []
        for item in ids:
            try:
                number = index(item)
            except TypeError:
                raise TypeError(f"ids must hold integers, got {item!r}") from None
            if not 0 <= number < len(self):
                raise ValueError(f"ids must lie between 0 and {len(self) - 1}, got {number}")
            found.append(self.tokens[number])
        return found

    def __getitem__(self, token: str) -> int:
        return self._ids[token]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        """Show the first tokens, and how many there are."""
        first = " ".join(self.tokens[:8])
        return f"Vocabulary({len(self)} tokens: {first}{' ...' if len(self) > 8 else ''})"

    @property
    def pad(self) -> int:
        """The id of the token that fills up a batch."""
        return self._role("pad")

    @property
    def unknown(self) -> int:
        """The id that stands for every token that is not in the vocabulary."""
        return self._role("unknown")

    @property
    def begin(self) -> int:
        """The id of the token before a sequence."""
        return self._role("begin")

    @property
    def end(self) -> int:
        """The id of the token after a sequence."""
        return self._role("end")

    @property
    def cls(self) -> int:
        """The id of the token before a text that is to be judged."""
        return self._role("cls")

    @property
    def sep(self) -> int:
        """The id of the token between texts."""
        return self._role("sep")

    @property
    def mask(self) -> int:
        """The id of the token that hides another."""
        return self._role("mask")

    def has(self, role: str) -> bool:
        """Tell whether there is a special token for a role: "pad", "unknown", "begin", ..."""
        return any(token in self.special for token in ROLES[role])

    def _role(self, role: str) -> int:
        for token in ROLES[role]:
            if token in self.special:
                return self._ids[token]
        wanted = " or ".join(ROLES[role])
        raise ValueError(f"the vocabulary must have {wanted} as {role}, it has {self.special}")

    def _missing(self, token: Any) -> int:
        if not isinstance(token, str):
            raise TypeError(f"tokens must hold texts, got {token!r}")
        if not self.has("unknown"):
            raise ValueError(f"tokens must be in the vocabulary, got {token!r}")
        return self.unknown


def _listed(tokens: Any, name: str = "tokens") -> list[Any]:
    if isinstance(tokens, str | bytes) or not isinstance(tokens, Iterable):
        raise TypeError(f"{name} must be a list of texts, got {tokens!r:.60}")
    return list(tokens)
