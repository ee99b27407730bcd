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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from companion.arguments import integer
from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, checked_texts, distinct
from companion.sequences.tokenization.pretokens import basic_tokens
from companion.sequences.tokenization.scores import MARK, PairScores
from companion.sequences.tokenization.words import known, room

BERT_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NOT_APART = ".?!,"  # written without a space before them

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


def longest_match(word: str, vocabulary: Mapping[str, int]) -> list[str] | None:
    """Cut a word into pieces of a vocabulary: from the left, always the longest that fits.

    Parameters
    ----------
    word : str
        Any word.
    vocabulary : mapping
        Its keys are the pieces; those that continue a word begin with ``##``.

    Returns
    -------
    list of str or None
        The pieces, or None if somewhere no piece fits.

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
    vocabulary : mapping of str to int
        Each piece to its id.
    special_tokens : sequence of str
        As for `Tokenizer`.
    unknown : str, default "[UNK]"
        The token for words that cannot be cut; it must be in the vocabulary.
    lowercase : bool, default True
        As for `basic_tokens`.
    around : pair of str, optional
        Special tokens that `encode` puts before and after the text; none by default.
    max_letters : int, default 100
        Longer words are unknown.

    Raises
    ------
    TypeError, ValueError
        As `Tokenizer`; also if `unknown` or a token of `around` is not in the vocabulary.

    Examples
    --------
    >>> entries = ["[UNK]", "[CLS]", "[SEP]", "em", "##bed", "##ding", "##s"]
    >>> vocabulary = {token: number for number, token in enumerate(entries)}
    >>> tokenizer = WordPieceTokenizer(vocabulary, around=("[CLS]", "[SEP]"))
    >>> tokenizer.tokenize("Embeddings!"), tokenizer.encode("Embeddings!")
    (['em', '##bed', '##ding', '##s', '[UNK]'], [1, 3, 4, 5, 6, 0, 2])
    """

    model = "WordPiece"

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        *,
        special_tokens: Sequence[str] = (),
        unknown: str = "[UNK]",
        lowercase: bool = True,
        around: tuple[str, str] | None = None,
        max_letters: int = 100,
    ) -> None:
        super().__init__(vocabulary, special_tokens=special_tokens)
        self.unknown = known(unknown, self.vocabulary)
        self.lowercase = lowercase
        self.around = around
        for token in around or ():
            if token not in self.vocabulary:
                raise ValueError(f"around must name tokens of the vocabulary, {token!r} is none")
        self.max_letters = integer(max_letters, "max_letters", 1)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        special_tokens: Sequence[str] = BERT_TOKENS,
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
        texts : iterable of str
            To learn from.
        vocab_size : int
            Number of tokens. It stays smaller if there is no pair left to merge.
        special_tokens : sequence of str
            They take the first ids; [UNK] must be among them.
        lowercase : bool, default True
            As for `basic_tokens`.
        score : str, default "likelihood"
            What makes a pair the best; or "ratio".
        min_count : int, default 2
            Pairs that occur less often are not merged.

        Returns
        -------
        WordPieceTokenizer
            With its vocabulary.

        Raises
        ------
        TypeError, ValueError
            If `texts` is empty or one single text; if `vocab_size` is no integer, or too small for
            special tokens and characters; if there is no such score.
        """
        words = Counter(
            word
            for text in checked_texts(texts)
            for word in basic_tokens(text, lowercase=lowercase)
        )
        pairs = PairScores(words, score, min_count=min_count)
        letters = sorted(set().union(*words))
        marked = [MARK + letter for letter in letters]
        special = distinct(special_tokens)
        tokens = dict.fromkeys((*special, *letters, *marked))
        vocab_size = room(vocab_size, len(tokens))
        while len(tokens) < vocab_size and (token := pairs.merge_best()):
            tokens[token] = None
        ends = ("[CLS]", "[SEP]")
        return cls(
            {token: number for number, token in enumerate(tokens)},
            special_tokens=special,
            lowercase=lowercase,
            around=ends if set(ends) <= set(special) else None,
        )

    def split(self, text: str) -> list[str]:
        """Cut a text into basic tokens."""
        return basic_tokens(text, lowercase=self.lowercase)

    def word_ids(self, word: str) -> list[int]:
        """Cut a word into the longest pieces that fit."""
        pieces = longest_match(word, self.vocabulary) if len(word) <= self.max_letters else None
        return [self.vocabulary[piece] for piece in pieces or [self.unknown]]

    def encode(self, text: str, pair: str | None = None) -> list[int]:
        """Turn a text, or two, into ids, with the special tokens around them.

        Parameters
        ----------
        text : str
            Any text.
        pair : str, optional
            A second text, which gets a [SEP] of its own.

        Returns
        -------
        list of int
            [CLS] text [SEP], or [CLS] text [SEP] pair [SEP]; without `around`, the ids alone.

        Raises
        ------
        TypeError, ValueError
            As `Tokenizer.encode`.
        """
        before, after = (
            ([self.vocabulary[token]] for token in self.around) if self.around else ([], [])
        )
        ids = before + self.text_ids(text) + after
        return ids if pair is None else ids + self.text_ids(pair) + after

    def join(self, tokens: list[str]) -> str:
        """Join words with spaces, except before . ? ! and ,; the pieces of a word without."""
        text = ""
        for token in tokens:
            if token.startswith(MARK) and text:
                text += token.removeprefix(MARK)
            else:
                text += token if token[0] in NOT_APART or not text else f" {token}"
        return text

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        return {
            "normalizer": _NORMALIZER | {"lowercase": self.lowercase},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "model": _MODEL
            | {"unk_token": self.unknown, "max_input_chars_per_word": self.max_letters}
            | {"vocab": self.vocabulary},
            "post_processor": files.template(self.around, self.vocabulary) if self.around else None,
            "decoder": _DECODER,
        }

    @classmethod
    def from_components(
        cls, components: dict[str, Any], vocabulary: dict[str, int], special_tokens: list[str]
    ) -> Self:
        """Build the tokenizer that a file describes."""
        free = ("vocab", "unk_token", "max_input_chars_per_word")
        model = files.match(components, "model", _MODEL, free=free)
        normalizer = files.match(components, "normalizer", _NORMALIZER, free=("lowercase",))
        files.match(components, "pre_tokenizer", {"type": "BertPreTokenizer"})
        files.match(components, "decoder", _DECODER)
        return cls(
            vocabulary,
            special_tokens=special_tokens,
            unknown=model["unk_token"],
            lowercase=normalizer["lowercase"],
            around=files.around(components, vocabulary),
            max_letters=model["max_input_chars_per_word"],
        )
