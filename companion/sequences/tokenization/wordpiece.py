"""WordPiece: cut words into the longest pieces that fit; and BERT's way from a text to ids.

Pieces inside a word are marked with ``##``. What is lost: the white space, and in "uncased" models
accents and capital letters, cannot be brought back; a word with one unknown piece is unknown as a
whole.

References (in full in the chapter's bibliography): Schuster and Nakajima (2012); Wu et al. (2016);
Devlin et al. (2019).

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from companion.arguments import flag, integer
from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, find, room, to_train_on
from companion.sequences.tokenization.pretokens import basic_tokens, tidy_with_places
from companion.sequences.tokenization.scores import MARK, PairScores
from companion.sequences.vocabulary import distinct

BERT_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NOT_APART = ".?!,"  # written without a space before them


def longest_match(word: str, vocabulary: Mapping[str, int]) -> list[str] | None:
    """Cut a word into pieces of a vocabulary: from the left, always the longest that fits.

    The keys of `vocabulary` are the pieces; those that continue a word begin with ``##``. None if
    somewhere no piece fits.

    Examples
    --------
    >>> longest_match("embeddings", {"em": 0, "##bed": 1, "##ding": 2, "##s": 3, "##d": 4})
    ['em', '##bed', '##ding', '##s']
    """
    pieces, start = [], 0
    while start < len(word):
        mark = MARK if start else ""
        for end in range(len(word), start, -1):
            if mark + word[start:end] in vocabulary:
                pieces.append(mark + word[start:end])
                start = end
                break
        else:
            return None
    return pieces


class WordPieceTokenizer(Tokenizer):
    """BERT's tokenizer: basic tokens, then WordPiece, then [CLS] and [SEP] around the ids.

    Parameters
    ----------
    vocabulary, special_tokens, unknown, around
        As for `Tokenizer`; unknown are words that cannot be cut.
    lowercase : bool, default True
        As for `basic_tokens`.
    max_letters : int, default 100
        Longer words are unknown.

    Examples
    --------
    >>> tokens = ["[UNK]", "[CLS]", "[SEP]", "em", "##bed", "##ding", "##s"]
    >>> tokenizer = WordPieceTokenizer(tokens, around=("[CLS]", "[SEP]"))
    >>> tokenizer.tokenize("Embeddings!"), tokenizer.encode("Embeddings!")
    (['em', '##bed', '##ding', '##s', '[UNK]'], [1, 3, 4, 5, 6, 0, 2])
    >>> tokenizer.encode_pair("Embeddings!").offsets
    [(0, 0), (0, 2), (2, 5), (5, 9), (9, 10), (10, 11), (0, 0)]
    """

    model = "WordPiece"
    unknown: str

    def __init__(
        self,
        vocabulary: Mapping[str, int] | Iterable[str],
        *,
        special_tokens: Iterable[str] | None = None,
        unknown: str = "[UNK]",
        lowercase: bool = True,
        around: tuple[str, str] | None = None,
        max_letters: int = 100,
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens, unknown=unknown, around=around)
        self.lowercase = flag(lowercase, "lowercase")
        self.max_letters = integer(max_letters, "max_letters", 1)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        special_tokens: Iterable[str] = BERT_TOKENS,
        lowercase: bool = True,
        score: str = "likelihood",
        min_count: int = 2,
    ) -> Self:
        """Learn pieces from some texts.

        The vocabulary has the special tokens, every character (at the beginning of a word, and
        with the mark inside), and what is merged. If [CLS] and [SEP] are special tokens, `encode`
        puts them around the text.

        Parameters
        ----------
        vocab_size : int
            Number of tokens. It stays smaller if there is no pair left to merge.
        score : str, default "likelihood"
            What makes a pair the best; or "ratio".
        min_count : int, default 2
            Pairs that occur less often are not merged.
        """
        flag(lowercase, "lowercase")
        words = Counter(
            word for text in to_train_on(texts) for word in basic_tokens(text, lowercase=lowercase)
        )
        pairs = PairScores(words, score, min_count=min_count)
        letters = sorted(set().union(*words))
        marked = [MARK + letter for letter in letters]
        special = distinct(special_tokens, "special_tokens", least=0)
        tokens = dict.fromkeys((*special, *letters, *marked))
        vocab_size = room(vocab_size, max(1, len(tokens)))
        while len(tokens) < vocab_size and (token := pairs.merge_best()):
            tokens[token] = None
        around = ("[CLS]", "[SEP]") if {"[CLS]", "[SEP]"} <= set(special) else None
        return cls(list(tokens), special_tokens=special, lowercase=lowercase, around=around)

    def split(self, text: str) -> list[str]:
        """Cut a text into basic tokens."""
        return basic_tokens(text, lowercase=self.lowercase)

    def word_ids(self, word: str) -> list[int]:
        """Cut a word into the longest pieces that fit."""
        pieces = self._pieces(word)
        return [self.vocabulary.unknown] if pieces is None else [self.vocabulary[p] for p in pieces]

    def join(self, tokens: list[str]) -> str:
        """Join words with spaces, except before . ? ! and ,; the pieces of a word without."""
        text = ""
        for token in tokens:
            if token.startswith(MARK) and text:
                text += token.removeprefix(MARK)
            else:
                text += token if token[0] in NOT_APART or not text else f" {token}"
        return text

    def placed(self, text: str) -> Iterator[tuple[str, Sequence[int]]]:
        """Yield each basic token with the places of its letters before the text was tidied."""
        tidied, places = tidy_with_places(text, lowercase=self.lowercase)
        return find(self.split(text), tidied, places)

    def widths(self, word: str) -> list[int]:
        """Return how many letters each piece has, without the mark; an unknown word is one."""
        pieces = self._pieces(word) or [word]
        return [len(pieces[0]), *(len(piece) - len(MARK) for piece in pieces[1:])]

    def _pieces(self, word: str) -> list[str] | None:
        known = self.vocabulary.ids
        return longest_match(word, known) if len(word) <= self.max_letters else None

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        entries = {"unk_token": self.unknown, "max_input_chars_per_word": self.max_letters}
        return {
            "normalizer": _NORMALIZER | {"lowercase": self.lowercase},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "model": _MODEL | entries | {"vocab": dict(self.vocabulary)},
            "post_processor": files.template(self.around, self.vocabulary) if self.around else None,
            "decoder": _DECODER,
        }

    @classmethod
    def from_file(cls, file: files.Description) -> Self:
        """Build the tokenizer that a file describes."""
        free = ("vocab", "unk_token", "max_input_chars_per_word")
        model = file.match("model", _MODEL, free=free)
        normalizer = file.match("normalizer", _NORMALIZER, free=("lowercase",))
        file.match("pre_tokenizer", {"type": "BertPreTokenizer"})
        file.match("decoder", _DECODER)
        return cls(
            file.vocabulary,
            special_tokens=file.special_tokens,
            unknown=model["unk_token"],
            lowercase=normalizer["lowercase"],
            around=file.around(),
            max_letters=model["max_input_chars_per_word"],
        )


# The parts of a file.
_MODEL = {
    "type": "WordPiece",
    "unk_token": "[UNK]",
    "continuing_subword_prefix": MARK,
    "max_input_chars_per_word": 100,
}
_NORMALIZER = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
_DECODER = {"type": "WordPiece", "prefix": MARK, "cleanup": True}
