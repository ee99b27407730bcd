"""Language models that count: a word is predicted from the n - 1 tokens before it.

Let h be these tokens, the history, c(h w) how often w followed it, c(h) the sum over all w, and V
the number of tokens that can be predicted: the whole vocabulary without [BOS]. The smoothings::

    "none":         P(w | h) = c(h w) / c(h)
    "add-k":        P(w | h) = (c(h w) + k) / (c(h) + k V)
    "kneser-ney":   P(w | h) = max(c(h w) - D, 0) / c(h) + g(h) P(w | h')

In the last one h' is h without its first token, and g(h) = D N(h .) / c(h), with N(h .) the number
of different words after h, is what the discount D took away. P(w | h') has the same form, but with
N(. h' w), the number of different tokens before h' w, in the place of c(h' w), unless h' begins
with [BOS], before which nothing can stand. The last P, after no token at all, is mixed with 1 / V.
For each length of h the discount is D = n1 / (n1 + 2 n2), where n1 and n2 count the n-grams with
the (adjusted) count 1 and 2. "modified" Kneser-Ney has three discounts::

    D1 = 1 - 2 Y n2 / n1,  D2 = 2 - 3 Y n3 / n2,  D3 = 3 - 4 Y n4 / n3,  Y = n1 / (n1 + 2 n2)

for counts of 1, 2, and 3 or more. In texts so small that n1 or n2 (modified: n1, n2, n3 or n4) is 0
or a discount leaves its range, D is 0.5 (modified: 0.5, 1 and 1.5) instead.

What this module leaves out: pruning, and files of n-grams.

References (in full in the chapter's bibliography): Kneser and Ney (1995); Chen and Goodman (1999),
whose "modkn" the modified form is.

Chapter: book/sequences/language_models.ipynb
"""

from __future__ import annotations

import gc
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from companion.arguments import between, choice, integer
from companion.arguments import sentences as checked_sentences
from companion.sequences.language_models.chain import (
    SPECIAL_TOKENS,
    LanguageModel,
    Sentence,
    checked_vocabulary,
    encoded,
)
from companion.sequences.vocabulary import Vocabulary

SMOOTHINGS = ("none", "add-k", "kneser-ney", "modified-kneser-ney")
Gram = tuple[int, ...]
Table = dict[Gram, tuple[dict[int, float], float]]  # history: shares of tokens, and the rest


class NGramModel(LanguageModel):
    """A language model from counts.

    Parameters
    ----------
    order : int
        n: 1 looks at the word alone, 2 at pairs (bigrams), 3 at trigrams.
    smoothing : {"none", "add-k", "kneser-ney", "modified-kneser-ney"}
        See the module. With "none", all tokens have the probability 0 after a history that was
        never seen, since 0 / 0 says nothing; with the others, the probabilities always sum to 1.
    k : float, default 1
        For "add-k".
    min_count : int, default 1
        Words that occur less often in the training text become [UNK].
    vocabulary : Vocabulary, optional
        The tokens to know, [UNK], [EOS] and [BOS] among them, instead of those counted by `fit`;
        for models that are to be compared.

    Examples
    --------
    >>> model = NGramModel(2, "none").fit([["a", "b"], ["a", "c"], ["a", "b", "a"]])
    >>> model.probability("b", ["a"]), model.probability("[EOS]", ["a"])
    (0.5, 0.25)
    >>> model.perplexity([["c", "b"]])
    inf
    """

    def __init__(
        self,
        order: int,
        smoothing: str = "modified-kneser-ney",
        *,
        k: float = 1.0,
        min_count: int = 1,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.order = integer(order, "order", 1)
        self.smoothing = choice(smoothing, "smoothing", SMOOTHINGS)
        self.k = between(0, k, math.inf, "k")
        self.min_count = integer(min_count, "min_count", 1)
        self._given = None if vocabulary is None else checked_vocabulary(vocabulary)

    def fit(self, sentences: Iterable[Sentence]) -> NGramModel:
        """Count the n-grams of a text and return the model; earlier counts are forgotten."""
        found = checked_sentences(sentences, "sentences")
        vocabulary = self._given or Vocabulary.count(
            found, special=SPECIAL_TOKENS, min_count=self.min_count
        )
        ids = encoded(found, vocabulary)
        self.vocabulary = vocabulary
        with _no_collection():
            self._tables = self._count(ids)
        return self

    def _count(self, sentences: list[list[int]]) -> list[Table]:
        """Return one table for each length of history, the empty one first."""
        begin, end = self.vocabulary.begin, self.vocabulary.end
        text: list[int] = []
        for sentence in sentences:
            text += [begin, *sentence, end]
        counts = [_count_runs(text, length, begin) for length in range(1, self.order + 1)]

        V = len(self.vocabulary) - 1  # [BOS] is never predicted
        added = self.k * V if self.smoothing == "add-k" else 0.0
        self._base = 0.0 if self.smoothing == "none" else 1 / V
        tables = []
        for length, grams in enumerate(counts, 1):
            full = {g: c for g, c in grams.items() if length == self.order or g[0] == begin}
            if self.smoothing.endswith("kneser-ney"):
                # How many different tokens stand before the rest of each longer n-gram.
                longer = counts[length] if length < self.order else ()
                full |= Counter(gram[1:] for gram in longer)
                discounts = _discounts(full, modified=self.smoothing.startswith("modified"))
            else:
                discounts = (0.0, 0.0, 0.0)
            tables.append(_table(full, discounts, added))
        return tables

    def _next(self, history: tuple[int, ...]) -> np.ndarray:
        """Return the probability of each token: from the shortest history to the whole one."""
        shares = np.full(len(self.vocabulary), self._base)
        shares[self.vocabulary.begin] = 0.0
        for found, rest in self._entries(history):
            shares *= rest
            shares[list(found)] += list(found.values())
        return shares

    def _probabilities(self, sentences: list[list[int]]) -> np.ndarray:
        """Return the probability of each token, as `_next` does, without those not asked for."""
        end = self.vocabulary.end
        result = []
        for numbers in sentences:
            for place, number in enumerate([*numbers, end]):
                share = self._base
                for found, rest in self._entries(self._history(numbers[:place])):
                    share = found.get(number, 0.0) + rest * share
                result.append(share)
        return np.array(result)

    def _entries(self, history: Gram) -> list[tuple[dict[int, float], float]]:
        """Return what is known after the last 0, 1, ... tokens of a history."""
        ends = (history[len(history) - length :] for length in range(len(history) + 1))
        tables = zip(self._tables, ends, strict=False)
        return [table[end] for table, end in tables if end in table]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from looking through counts again and again: half of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _count_runs(text: list[int], length: int, begin: int) -> dict[Gram, int]:
    """Count the n-grams of one length; those that reach over the end of a sentence are none."""
    counts = Counter(zip(*(text[start:] for start in range(length)), strict=False))
    return {
        gram: count
        for gram, count in counts.items()
        if begin not in gram[1:] and gram != (begin,)  # [BOS] stands first, and is not predicted
    }


def _discounts(grams: Mapping[Gram, int], *, modified: bool) -> tuple[float, float, float]:
    """Return what is taken from counts of 1, of 2, and of 3 or more."""
    number = Counter(grams.values())  # how many n-grams have which count
    n1, n2, n3, n4 = (number[count] for count in (1, 2, 3, 4))
    if not modified:
        discount = n1 / (n1 + 2 * n2) if n1 and n2 else 0.5
        return discount, discount, discount
    if n1 and n2 and n3 and n4:
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 <= discount <= count for count, discount in enumerate(found, 1)):
            return found
    return 0.5, 1.0, 1.5


def _table(grams: Mapping[Gram, int], discounts: tuple[float, float, float], added: float) -> Table:
    """Return for each history the shares of the tokens after it, and what is left for the rest.

    A share is (c - d(c)) / (c(h) + added); all that was taken or added goes to the shorter history,
    or, where there is none, to all tokens alike. With d = 0 and added = k V that is add-k.
    """
    after: dict[Gram, dict[int, int]] = {}
    for gram, count in grams.items():
        after.setdefault(gram[:-1], {})[gram[-1]] = count
    table = {}
    one, two, more = discounts
    for history, counts in after.items():
        total, left, shares = sum(counts.values()) + added, added, {}
        for token, count in counts.items():
            taken = more if count > 2 else two if count == 2 else one
            shares[token] = (count - taken) / total
            left += taken
        table[history] = shares, left / total
    return table
