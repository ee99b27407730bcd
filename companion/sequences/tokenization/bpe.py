"""Byte pair encoding: merge the most frequent pair of neighbours, again and again.

Training learns an order of merges (`learn_merges`), encoding repeats them in this order
(`apply_merges`). GPT-2 starts from the 256 bytes: every text is a row of bytes in UTF-8, so no text
has an unknown token, and none is changed. Bytes are written as visible characters; their ids are in
the order of these characters.

Ties are broken as in the ``tokenizers`` library: of pairs with the same count, the one with the
smallest id on the left is merged, then the one with the smallest id on the right. Pairs are counted
with overlaps: *aaa* holds *aa* twice. What this module leaves out: dropout, merges across words.

References (in full in the chapter's bibliography): Gage (1994), the algorithm; Sennrich et al.
(2016), its use on words; Radford et al. (2019), on bytes.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

from companion.arguments import came, instance
from companion.arguments import texts as checked_texts
from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, find, room, to_train_on
from companion.sequences.tokenization.merges import PairIndex, counted, merge_long
from companion.sequences.tokenization.pretokens import as_in_gpt2
from companion.sequences.vocabulary import among, distinct

SHORT = 64  # symbols; longer words are merged with a heap


def merge_pairs(text: str, merges: Mapping[str, str]) -> list[str]:
    """Replace pairs of neighbouring symbols by new symbols, one kind of pair after the other.

    Parameters
    ----------
    text : str
        Each character is a symbol.
    merges : mapping of str to str
        New symbol to the pair that it stands for, in the order of the merges.

    Returns
    -------
    list of str
        The text before and after each merge.

    Examples
    --------
    >>> merge_pairs("aaabdaaabac", {"Z": "aa", "Y": "ab", "X": "ZY"})
    ['aaabdaaabac', 'ZabdZabac', 'ZYdZYac', 'XdXac']
    """
    steps = [instance(text, "text", str)]
    used = set(text)
    for symbol, pair in instance(merges, "merges", Mapping).items():
        if not isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"merges must map to pairs of two symbols, got {came(pair)}")
        if not isinstance(symbol, str) or len(symbol) != 1 or symbol in used:
            raise ValueError(f"merges must name new symbols of one character, got {came(symbol)}")
        used.add(symbol)
        steps.append(steps[-1].replace(pair, symbol))
    return steps


def learn_merges(
    words: Mapping[str, int],
    vocab_size: int,
    *,
    alphabet: Iterable[str] = (),
    special_tokens: Iterable[str] = (),
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Learn which pairs to merge: always the most frequent pair, until the vocabulary is full.

    Parameters
    ----------
    words : mapping of str to int
        Each different word, with how often it occurs.
    vocab_size : int
        Of special tokens, single characters and merged tokens together. It stays smaller if no
        pair is left.
    alphabet : iterable of str
        Characters that belong into the vocabulary even if no word has them.
    special_tokens : iterable of str
        They take the first ids.

    Returns
    -------
    vocabulary : dict of str to int
        Special tokens, then characters by code point, then merged tokens in their order.
    merges : list of pairs of str
        In their order.

    Examples
    --------
    >>> learn_merges({"aaabdaaabac": 1}, 7)[1]
    [('a', 'a'), ('a', 'b'), ('aa', 'ab')]
    """
    words = counted(words)
    special = distinct(special_tokens, "special_tokens", least=0)
    characters = sorted(set().union(*words, *checked_texts(alphabet, "alphabet", least=0)))
    tokens = list(dict.fromkeys((*special, *characters)))
    vocab_size = room(vocab_size, len(tokens))
    vocabulary = {token: number for number, token in enumerate(tokens)}
    # Here a word is a string whose characters are token ids: chr(0) is the first token.
    symbols = {ord(character): chr(vocabulary[character]) for character in characters}
    pairs = PairIndex({word.translate(symbols): count for word, count in words.items()})
    merges = []
    heap = [(-count, pair) for pair, count in pairs.counts.items()]
    heapq.heapify(heap)
    while heap and len(tokens) < vocab_size:
        count, pair = heapq.heappop(heap)
        if -count != pairs.counts[pair]:  # since it was put there, merges have taken some
            if pairs.counts[pair] > 0:
                heapq.heappush(heap, (-pairs.counts[pair], pair))
            continue
        left, right = (tokens[ord(symbol)] for symbol in pair)
        merges.append((left, right))
        number = vocabulary.setdefault(left + right, len(tokens))
        if number == len(tokens):  # else it is the text of a special token
            tokens.append(left + right)
        for changed, change in pairs.merge(pair, chr(number)).items():
            new = changed not in pairs.counts
            pairs.counts[changed] = pairs.counts.get(changed, 0) + change
            if new and change > 0:
                heapq.heappush(heap, (-change, changed))
    return vocabulary, merges


def apply_merges(word: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """Merge the characters of a word: always the pair of the lowest rank, the leftmost first.

    `ranks` has each pair that is merged, with its place in the order of the merges. The tokens that
    come back are the word if they are put in a row.

    Examples
    --------
    >>> apply_merges("banana", {("a", "n"): 0, ("an", "a"): 1, ("b", "an"): 2})
    ['ban', 'ana']
    """
    instance(word, "word", str)
    instance(ranks, "ranks", Mapping)
    if len(word) > SHORT:
        return merge_long(word, ranks)
    parts = list(word)
    while len(parts) > 1:
        found = [ranks.get(pair, math.inf) for pair in pairwise(parts)]
        lowest = min(found)
        if lowest == math.inf:
            break
        place = found.index(lowest)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


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
    vocabulary, special_tokens
        As for `Tokenizer`, in visible characters for bytes; all 256 bytes must be there.
    merges : sequence of pairs of str
        In the order in which they are applied; parts and results are in the vocabulary.

    Examples
    --------
    >>> tokenizer = BytePairTokenizer.train(["어제 카페 갔었어", "어제 카페 갔었는데요"], 270)
    >>> tokenizer.decode(tokenizer.encode("카페 ☕")) == "카페 ☕"
    True
    """

    model = "BPE"
    _after: dict[str, Any] | None = None  # what a file does with places: see `_places`

    def __init__(
        self,
        vocabulary: Mapping[str, int] | Iterable[str],
        merges: Iterable[Sequence[str]],
        *,
        special_tokens: Iterable[str] | None = None,
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens)
        missing = [byte for byte, token in CHARACTER_OF.items() if token not in self.vocabulary]
        if missing:
            raise ValueError(f"vocabulary must hold all 256 bytes, got {len(missing)} fewer")
        for token in set(self.tokens).difference(self.special_tokens):
            if not BYTE_OF.keys() >= set(map(ord, token)):
                wanted = "vocabulary must be written in characters for bytes"
                raise ValueError(f"{wanted}, got {token!r}")
        try:
            self.merges = list(map(_pair, merges))
        except (TypeError, RuntimeError):
            raise TypeError(f"merges must be a list of pairs, got {came(merges)}") from None
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        for rank, (left, right) in enumerate(self.merges):
            among((left, right, left + right), self.vocabulary, "merges")
            if self.ranks[left, right] != rank:
                raise ValueError(f"merges must be different, got {(left, right)} more than once")

    @classmethod
    def train(
        cls, texts: Iterable[str], vocab_size: int, *, special_tokens: Iterable[str] = ()
    ) -> Self:
        """Learn merges from some texts.

        Parameters
        ----------
        vocab_size : int
            Number of tokens: special ones, 256 bytes, and merges. It stays smaller if the texts
            have no more pairs.
        """
        special = distinct(special_tokens, "special_tokens", least=0)
        counts: Counter[str] = Counter()
        for text in to_train_on(texts):
            counts.update(as_in_gpt2(text))
        words = {in_byte_characters(word): count for word, count in counts.items()}
        vocabulary, merges = learn_merges(
            words, vocab_size, alphabet=CHARACTER_OF.values(), special_tokens=special
        )
        return cls(vocabulary, merges, special_tokens=special)

    def split(self, text: str) -> list[str]:
        """Cut a text as GPT-2 does."""
        return as_in_gpt2(text)

    def word_ids(self, word: str) -> list[int]:
        """Merge the bytes of a word."""
        ids = self.vocabulary.ids
        return [ids[part] for part in apply_merges(in_byte_characters(word), self.ranks)]

    def join(self, tokens: list[str]) -> str:
        """Put bytes in a row; those that are no character become the sign for that, U+FFFD."""
        return b"".join(
            token.encode()
            if token in self.special_tokens
            else bytes(BYTE_OF[ord(character)] for character in token)
            for token in tokens
        ).decode(errors="replace")

    def placed(self, text: str) -> Iterator[tuple[str, Sequence[int]]]:
        """Yield each word with the place of the character to which each of its bytes belongs."""
        for word, places in find(self.split(text), text, range(len(text))):
            rows = zip(word, places, strict=True)
            yield word, [place for letter, place in rows for _ in letter.encode()]

    def widths(self, word: str) -> list[int]:
        """Return how many bytes each token has."""
        return [len(self.tokens[number]) for number in self._cache[word]]

    def _places(self, text: str) -> Iterator[tuple[int, tuple[int, int]]]:
        """Yield ids and places; leave spaces at the ends out, if the file says so."""
        after = _BYTES | (self._after or {"trim_offsets": False})
        for number, (start, end) in super()._places(text):
            if after["trim_offsets"]:
                token = self.tokens[number].replace("Ġ", " ")
                before = len(token) - len(token.lstrip())
                if start == 0 and after["add_prefix_space"]:
                    before = max(before - 1, 0)
                start = min(start + before, end)
                end = max(end - (len(token) - len(token.rstrip())), start)
            yield number, (start, end)

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        merges = [list(pair) for pair in self.merges]
        model = _MODEL | {"vocab": dict(self.vocabulary), "merges": merges}
        pipeline = {"pre_tokenizer": _BYTES, "decoder": _BYTES, "model": model}
        return pipeline | ({"post_processor": self._after} if self._after else {})

    @classmethod
    def from_file(cls, file: files.Description) -> Self:
        """Build the tokenizer that a file describes."""
        file.match("normalizer", None)
        file.match("pre_tokenizer", _BYTES, free=("trim_offsets",))
        # These change the places of tokens in the text, and the way back: not the ids.
        free = ("trim_offsets", "add_prefix_space", "use_regex")
        file.match("post_processor", None, _BYTES, free=free)
        file.match("decoder", _BYTES, free=free)
        model = file.match("model", _MODEL, free=("vocab", "merges"))
        # Older files write a pair as one text.
        merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
        found = cls(file.vocabulary, merges, special_tokens=file.special_tokens)
        found._after = file.components["post_processor"]
        return found


def _pair(pair: Any) -> tuple[str, str]:
    if not isinstance(pair, list | tuple) or [*map(type, pair)] != [str, str]:
        raise ValueError(f"merges must be pairs of two tokens, got {came(pair)}")
    return pair[0], pair[1]


# The parts of a file.
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_OFF = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")
_NOT = ("fuse_unk", "byte_fallback", "ignore_merges")
_MODEL = {"type": "BPE", **dict.fromkeys(_OFF), **dict.fromkeys(_NOT, False)}
