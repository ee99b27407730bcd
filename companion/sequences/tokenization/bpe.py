"""Byte-level byte pair encoding: merges that start from the 256 bytes, as in GPT-2.

Every text is a row of bytes in UTF-8, so no text has an unknown token, and none is changed. Bytes
are written as visible characters; their ids are in the order of these characters.

References (in full in the chapter's bibliography): Radford et al. (2019).

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, checked_texts, distinct
from companion.sequences.tokenization.merges import apply_merges, learn_merges
from companion.sequences.tokenization.pretokens import as_in_gpt2

# The parts of a file.
_BYTES = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
_MODEL = {
    "type": "BPE",
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
}


def byte_characters() -> list[str]:
    """Return a visible character for each of the 256 bytes, as GPT-2 writes them.

    A byte that is a visible character of Latin-1 stands for itself; the others take, in order, the
    characters from U+0100 on. So the space, byte 32, is written Ġ.

    Examples
    --------
    >>> characters = byte_characters()
    >>> characters[65], characters[32], "".join(characters[b] for b in "한".encode())
    ('A', 'Ġ', 'íķľ')
    """
    itself = {*range(33, 127), *range(161, 173), *range(174, 256)}
    rest = iter(range(256, 512))
    return [chr(byte if byte in itself else next(rest)) for byte in range(256)]


CHARACTER_OF = dict(enumerate(byte_characters()))
BYTE_OF = {ord(character): byte for byte, character in CHARACTER_OF.items()}


def in_byte_characters(text: str) -> str:
    """Write the bytes of a text in UTF-8, each as its visible character.

    Examples
    --------
    >>> in_byte_characters(" 나")
    'ĠëĤĺ'
    """
    return text.encode().decode("latin-1").translate(CHARACTER_OF)


class BytePairTokenizer(Tokenizer):
    """Byte-level byte pair encoding, as in GPT-2: lossless, and no text has an unknown token.

    Parameters
    ----------
    vocabulary : mapping of str to int
        Each token to its id, in visible characters for bytes; all 256 bytes must be there.
    merges : sequence of pairs of str
        In the order in which they are applied.
    special_tokens : sequence of str
        As for `Tokenizer`.

    Raises
    ------
    TypeError, ValueError
        As `Tokenizer`; also if a byte, or a part or the result of a merge, is not in the
        vocabulary.

    Examples
    --------
    >>> tokenizer = BytePairTokenizer.train(["어제 카페 갔었어", "어제 카페 갔었는데요"], 270)
    >>> tokenizer.decode(tokenizer.encode("카페 ☕")) == "카페 ☕"
    True
    """

    model = "BPE"

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        special_tokens: Sequence[str] = (),
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens)
        missing = [byte for byte, token in CHARACTER_OF.items() if token not in self.vocabulary]
        if missing:
            raise ValueError(f"vocabulary must hold all 256 bytes, {len(missing)} are missing")
        for token in self.tokens:
            if token not in self.special_tokens and any(ord(c) not in BYTE_OF for c in token):
                raise ValueError(
                    f"vocabulary must be written in characters for bytes, got {token!r}"
                )
        self.merges = [(left, right) for left, right in merges]
        for left, right in self.merges:
            for token in (left, right, left + right):
                if token not in self.vocabulary:
                    raise ValueError(f"merges must be in the vocabulary, {token!r} is not")
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}

    @classmethod
    def train(
        cls, texts: Iterable[str], vocab_size: int, *, special_tokens: Sequence[str] = ()
    ) -> Self:
        """Learn merges from some texts.

        Parameters
        ----------
        texts : iterable of str
            To learn from.
        vocab_size : int
            Number of tokens: special ones, 256 bytes, and merges. It stays smaller if the texts
            have no more pairs.
        special_tokens : sequence of str
            They take the first ids.

        Returns
        -------
        BytePairTokenizer
            With its merges.

        Raises
        ------
        TypeError, ValueError
            If `texts` is empty or one single text; if `vocab_size` is no integer, or less than 256
            and the special tokens.
        """
        counts: Counter[str] = Counter()
        for text in checked_texts(texts):
            counts.update(as_in_gpt2(text))
        words = {in_byte_characters(word): count for word, count in counts.items()}
        special = distinct(special_tokens)
        vocabulary, merges = learn_merges(
            words, vocab_size, alphabet=CHARACTER_OF.values(), special_tokens=special
        )
        return cls(vocabulary, merges, special_tokens=special)

    def split(self, text: str) -> list[str]:
        """Cut a text as GPT-2 does."""
        return as_in_gpt2(text)

    def word_ids(self, word: str) -> list[int]:
        """Merge the bytes of a word."""
        parts = apply_merges(in_byte_characters(word), self.ranks)
        return [self.vocabulary[part] for part in parts]

    def join(self, tokens: list[str]) -> str:
        """Put bytes in a row; those that are no character become the sign for that, U+FFFD."""
        return b"".join(
            token.encode()
            if token in self.special_tokens
            else bytes(BYTE_OF[ord(character)] for character in token)
            for token in tokens
        ).decode(errors="replace")

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        vocabulary = {"vocab": self.vocabulary, "merges": [list(pair) for pair in self.merges]}
        return {
            "pre_tokenizer": _BYTES,
            "decoder": _BYTES,
            "model": _MODEL | vocabulary,
        }

    @classmethod
    def from_components(
        cls, components: dict[str, Any], vocabulary: dict[str, int], special_tokens: list[str]
    ) -> Self:
        """Build the tokenizer that a file describes."""
        files.match(components, "normalizer", None)
        files.match(components, "pre_tokenizer", _BYTES, free=("trim_offsets",))
        # These change the places of tokens in the text, and the way back: not the ids.
        free = ("trim_offsets", "add_prefix_space", "use_regex")
        files.match(components, "post_processor", None, _BYTES, free=free)
        files.match(components, "decoder", _BYTES, free=free)
        model = files.match(components, "model", _MODEL, free=("vocab", "merges"))
        merges = []
        for pair in model["merges"]:  # older files write a pair as one text
            left, right = pair.split(" ") if isinstance(pair, str) else pair
            merges.append((left, right))
        return cls(vocabulary, merges, special_tokens=special_tokens)
