"""The unigram tokenizer: begin with too many pieces, and drop those that are least missed.

Every piece x has a probability p(x), and a way to write a text has the product of its pieces'
probabilities. Training (Kudo, 2018) repeats two steps: **expectation-maximisation** makes p fit,
since p(x) = expected count of x / sum of all expected counts; then the pieces without which the
likelihood falls least are dropped, until the vocabulary is small enough. A text is cut along its
most probable path (Viterbi). Words are cut before spaces, which are written ▁.

What is lost: one space at the beginning of a text; a ▁ in the text becomes a space; characters that
are not in the vocabulary. What this module leaves out: sampling of paths, byte fallback, and the
suffix array with which SentencePiece finds its first pieces.

References (in full in the chapter's bibliography): Kudo (2018); Kudo and Richardson (2018).

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from companion.arguments import came, integer, number
from companion.sequences.tokenization import files
from companion.sequences.tokenization.base import Tokenizer, find, room, to_train_on
from companion.sequences.tokenization.lattices import Lattices
from companion.sequences.tokenization.pretokens import SPACE_MARK, before_spaces
from companion.sequences.vocabulary import Vocabulary, distinct

UNKNOWN_PENALTY = 10.0  # an unknown letter is so much worse than the worst piece
LONGEST_PIECE = 16  # letters
LONGEST_WORD = 48  # letters; in training, longer words are cut
MANY = 8  # so many times the vocabulary are tried at first
KEPT = 0.75  # share that stays when pieces are dropped
SPARE = 1.1  # at so many times the vocabulary, only the most probable ones stay


def best_path(word: str, scores: Mapping[str, float], longest: int) -> list[str]:
    """Cut a word along its most probable path.

    Parameters
    ----------
    scores : mapping of str to float
        The log-probability of each piece, at least one.
    longest : int
        Letters of the longest piece.

    Returns
    -------
    list of str
        In a row they are the word; letters that are no piece are put together, as long as they are
        neighbours. Of equally good paths the one whose last piece is longer is taken, then the one
        before the last, and so on.

    Examples
    --------
    >>> best_path("abx", {"a": -1.0, "b": -1.0, "ab": -1.5}, 2)
    ['ab', 'x']
    """
    unknown = min(scores.values()) - UNKNOWN_PENALTY
    best = [0.0] + [-np.inf] * len(word)
    came_from = [0] * (len(word) + 1)
    for start in range(len(word)):
        for end in range(start + 1, min(len(word), start + longest) + 1):
            score = scores.get(word[start:end])
            if score is None:
                if end > start + 1:
                    continue
                score = unknown
            if best[start] + score > best[end]:
                best[end], came_from[end] = best[start] + score, start
    pieces: list[str] = []
    end, joining = len(word), False
    while end > 0:
        start = came_from[end]
        piece = word[start:end]
        single = piece not in scores
        if single and joining:
            pieces[-1] = piece + pieces[-1]
        else:
            pieces.append(piece)
        end, joining = start, single
    return pieces[::-1]


def first_pieces(words: Mapping[str, int], most: int) -> list[str]:
    """Return pieces to begin with: all letters, and the substrings that cover most of the text.

    `words` are each word with its count. There are at most `most` pieces, but all letters; longer
    ones occur twice or more, and come by falling count * length, ties by code point.
    """
    counts: Counter[str] = Counter()
    for word, frequency in words.items():
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + LONGEST_PIECE) + 1):
                counts[word[start:end]] += frequency
    letters = sorted(set().union(*words))
    longer = [piece for piece, count in counts.items() if count > 1]
    longer.sort(key=lambda piece: (-counts[piece] * len(piece), piece))
    return letters + longer[: max(0, most - len(letters))]


def learn_pieces(words: Mapping[str, int], n_pieces: int) -> dict[str, float]:
    """Learn pieces and their log-probabilities, by falling probability, ties by code point.

    `words` are each word, not empty, with its count. All letters are kept, so there may be more
    than `n_pieces`.
    """
    pieces = np.array(first_pieces(words, MANY * n_pieces), dtype=object)
    frequencies = np.array(list(words.values()))
    number = {piece: place for place, piece in enumerate(pieces)}
    texts = Lattices(list(words), number)
    others = Lattices(pieces.tolist(), number, proper=True)
    rows = np.arange(len(pieces))  # of the pieces that are left, in `others`
    probabilities = np.full(len(pieces), 1 / len(pieces))
    while True:
        for _ in range(2):
            expected, _ = texts.expected_counts(probabilities, frequencies)
            # No piece may become impossible: a letter could be needed again.
            expected = np.maximum(expected, 1e-9)
            probabilities = expected / expected.sum()
        letters = np.array([len(piece) == 1 for piece in pieces])
        if len(pieces) <= n_pieces:
            break
        if len(pieces) <= SPARE * n_pieces:
            left, worth = n_pieces, expected
        else:
            left = max(int(SPARE * n_pieces), int(KEPT * len(pieces)))
            # By how much the likelihood falls if another path takes the place of the piece.
            logs = np.log(probabilities)
            worth = expected * (logs - others.best(logs)[rows])
        kept = np.zeros(len(pieces), dtype=bool)
        order = np.argsort(np.where(letters, -np.inf, -worth), kind="stable")
        kept[order[: max(left, int(letters.sum()))]] = True
        if kept.all():
            break
        texts.keep(kept)
        others.keep(kept)
        pieces, rows = pieces[kept], rows[kept]
        probabilities = probabilities[kept] / probabilities[kept].sum()
    logs = np.log(probabilities).tolist()
    return dict(sorted(zip(pieces, logs, strict=True), key=lambda item: (-item[1], item[0])))


class UnigramTokenizer(Tokenizer):
    """The unigram tokenizer, with ▁ for spaces as in SentencePiece.

    Parameters
    ----------
    scores : mapping of str to float
        Each token to its log-probability, in the order of the ids; special tokens have any score.
    special_tokens, unknown
        As for `Tokenizer`.

    Examples
    --------
    >>> scores = {"[UNK]": 0.0, "▁": -3.0, "카": -4.0, "페": -4.0, "▁카페": -5.0}
    >>> tokenizer = UnigramTokenizer(scores, special_tokens=("[UNK]",))
    >>> tokenizer.tokenize("카페 카카오")
    ['▁카페', '▁', '카', '카', '[UNK]']
    """

    model = "Unigram"
    unknown: str

    def __init__(
        self,
        scores: Mapping[str, float],
        *,
        special_tokens: Iterable[str] = (),
        unknown: str = "[UNK]",
    ) -> None:
        if not isinstance(scores, Mapping) or isinstance(scores, Vocabulary):
            raise TypeError(f"scores must map tokens to numbers, got {came(scores)}")
        super().__init__(list(scores), special_tokens=special_tokens, unknown=unknown)
        self.scores = {t: number(score, f"scores[{t!r}]") for t, score in scores.items()}
        self.longest = max(map(len, self.scores))

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        special_tokens: Iterable[str] = ("[UNK]",),
        unknown: str = "[UNK]",
    ) -> Self:
        """Learn pieces from some texts.

        Parameters
        ----------
        vocab_size : int
            Number of tokens: special ones, all letters of the texts, and longer pieces, the most
            probable first. It stays smaller if the texts have fewer.
        """
        words: Counter[str] = Counter()
        for text in to_train_on(texts):
            for word in before_spaces(text):
                words.update(
                    word[start : start + LONGEST_WORD]
                    for start in range(0, len(word), LONGEST_WORD)
                )
        special = distinct(special_tokens, "special_tokens", least=0)
        letters = set().union(*words)
        size = room(vocab_size, len(letters.union(special)))
        scores = dict.fromkeys(special, 0.0)
        if words:
            learned = learn_pieces(words, size - len(special))
            scores |= {piece: score for piece, score in learned.items() if piece not in scores}
        return cls(scores, special_tokens=special, unknown=unknown)

    def split(self, text: str) -> list[str]:
        """Cut a text before spaces."""
        return before_spaces(text)

    def word_ids(self, word: str) -> list[int]:
        """Cut a word along its best path."""
        ids, unknown = self.vocabulary.ids, self.vocabulary.unknown
        return [ids.get(piece, unknown) for piece in best_path(word, self.scores, self.longest)]

    def join(self, tokens: list[str]) -> str:
        """Put pieces in a row; ▁ becomes a space, in the first piece nothing."""
        first, *rest = tokens or [""]
        return first.replace(SPACE_MARK, "") + "".join(rest).replace(SPACE_MARK, " ")

    def placed(self, text: str) -> Iterator[tuple[str, Sequence[int]]]:
        """Yield each word; the mark before a text has the place of the first letter."""
        words = before_spaces(text)
        marked = "".join(words)
        return find(words, marked, [0] * (len(marked) - len(text)) + list(range(len(text))))

    def widths(self, word: str) -> list[int]:
        """Return how many letters each piece has, also an unknown one."""
        return list(map(len, best_path(word, self.scores, self.longest)))

    def components(self) -> dict[str, Any]:
        """Describe the tokenizer for a file."""
        entries = {"unk_id": self.vocabulary.unknown, "vocab": list(self.scores.items())}
        return {"pre_tokenizer": _SPACES, "decoder": _SPACES, "model": _MODEL | entries}

    @classmethod
    def from_file(cls, file: files.Description) -> Self:
        """Build the tokenizer that a file describes."""
        for place in ("normalizer", "post_processor"):
            file.match(place, None)
        file.match("pre_tokenizer", _SPACES)
        file.match("decoder", _SPACES)
        model = file.match("model", _MODEL, free=("vocab", "unk_id"))
        scores = dict(model["vocab"])
        if len(scores) < len(file.vocabulary):
            raise ValueError("model 'Unigram' must have all special tokens in its vocab")
        unknown = list(scores)[integer(model["unk_id"], "unk_id", 0, len(scores) - 1)]
        return cls(scores, special_tokens=file.special_tokens, unknown=unknown)


# The parts of a file.
_SPACES = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
_MODEL = {"type": "Unigram", "byte_fallback": False}
