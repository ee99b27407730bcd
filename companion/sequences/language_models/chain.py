"""What every model of the next word can do by the chain rule.

A sentence of n words, followed by the symbol [EOS] that ends it, has the probability::

    P(w_1, ..., w_n) = P(w_1 | [BOS]) * P(w_2 | [BOS] w_1) * ... * P([EOS] | [BOS] w_1 ... w_n)

[BOS] stands before every sentence and is never predicted; [EOS] is predicted like a word, so that
the probabilities of all sentences of all lengths can sum to 1. A word outside the vocabulary counts
as [UNK], in training and in use: the model gives a probability to "some unknown word", not to this
one. So perplexities can be compared only between models with the same vocabulary.

A sentence is a list of words, without [BOS] and [EOS]. What this module leaves out: tokens smaller
than words, and text that goes on beyond a sentence.

References (in full in the chapter's bibliography): Shannon (1948), language as a random process.

Chapter: book/sequences/language_models.ipynb
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from companion.arguments import Seed, came, instance, integer, random_generator, texts
from companion.arguments import sentences as checked_sentences
from companion.sequences.generation import complete
from companion.sequences.vocabulary import Vocabulary

UNKNOWN, END, BEGIN = "[UNK]", "[EOS]", "[BOS]"
SPECIAL_TOKENS = (UNKNOWN, END, BEGIN)  # for `Vocabulary.count`
Sentence = Sequence[str]


class Histories(NamedTuple):
    """The state of a language model that writes: what each row has read so far."""

    rows: list[list[int]]

    def select(self, rows: Tensor) -> Histories:
        """Return the histories of some rows."""
        return Histories([self.rows[row] for row in rows.tolist()])


class LanguageModel(ABC):
    """What all models of the next word have in common; a model adds two methods.

    Attributes
    ----------
    vocabulary : Vocabulary
        Its tokens can be predicted, all but [BOS].
    order : int
        n: a word is predicted from the n - 1 tokens before it.
    """

    vocabulary: Vocabulary
    order: int

    @abstractmethod
    def _next(self, history: tuple[int, ...]) -> np.ndarray:
        """Return the probability of each token after the ids of n - 1 tokens, or fewer."""

    @abstractmethod
    def _probabilities(self, sentences: list[list[int]]) -> np.ndarray:
        """Return the probability of each token of sentences of ids, [EOS] included."""

    def distribution(self, context: Sentence = ()) -> np.ndarray:
        """Return the probability of each token of the vocabulary as the next one, shape (V,).

        Parameters
        ----------
        context : sequence of str
            The sentence so far, from its beginning; () asks for the first word. Only its last
            n - 1 tokens are used, [BOS] included.
        """
        return self._next(self._history(self._read(context)))

    def probability(self, token: str, context: Sentence = ()) -> float:
        """Return the probability of a word, [UNK] or [EOS] after a context.

        A word outside the vocabulary counts as [UNK].
        """
        if not isinstance(token, str):
            raise TypeError(f"token must be a text, got {came(token)}")
        [number] = self._known().encode([token])
        if number == self.vocabulary.begin:
            raise ValueError(f"token must be a word, [UNK] or [EOS], got {token}")
        return float(self.distribution(context)[number])

    def token_log_probabilities(self, sentences: Iterable[Sentence]) -> np.ndarray:
        """Return the logarithm of the probability of each token, one sentence after the other.

        A sentence of n words gives n + 1 numbers, the last one for [EOS]; minus infinity stands
        where the model holds a token for impossible.
        """
        found = self._probabilities(encoded(sentences, self._known()))
        with np.errstate(divide="ignore"):  # log(0) is minus infinity, as it should be
            return np.log(found)

    def log_probability(self, sentence: Sentence) -> float:
        """Return log P(sentence) by the chain rule: the sum over its words and [EOS].

        It is minus infinity for an impossible sentence. An empty sentence has the probability that
        a sentence ends before it begins.
        """
        return float(self.token_log_probabilities([sentence]).sum())

    def perplexity(self, sentences: Iterable[Sentence]) -> float:
        """Return exp(-mean of log P over all tokens, [EOS] included), 1 or more.

        It is infinite if one token of all has the probability 0.
        """
        return float(np.exp(-self.token_log_probabilities(sentences).mean()))

    def sample(
        self,
        context: Sentence = (),
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        max_length: int = 50,
        seed: Seed = None,
    ) -> list[str]:
        """Write a sentence: draw a token, append it, and again, until [EOS] is drawn.

        Parameters
        ----------
        context : sequence of str
            How the sentence begins; the model must know something about what follows it.
        temperature, top_k, top_p, seed
            As in `companion.sequences.generation.sample` and `companion.arguments`.
        max_length : int, default 50
            At most so many words, the context included.

        Returns
        -------
        list of str
            The context and what follows, without [EOS]; it may contain [UNK].
        """
        ids = self._read(context)
        room = integer(max_length, "max_length", 0) - len(ids)
        draws = torch.Generator().manual_seed(int(random_generator(seed).integers(2**63)))
        if room > 0 and not self._next(self._history(ids)).any():
            raise ValueError(f"context: this model never saw what follows {list(context)}")
        [written] = complete(
            self,
            [[self.vocabulary.begin, *ids]],
            max(0, room),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            stop=[self.vocabulary.end],
            generator=draws,
        )
        return [*context, *self.vocabulary.decode(written)]

    def start(self, ids: Tensor) -> Histories:
        """Read ids (B, T), [BOS] first; see `companion.sequences.generation`."""
        return Histories(ids.tolist())

    def step(self, tokens: Tensor, state: Histories) -> tuple[Tensor, Histories]:
        """Read one token per row, (B,); return log P of the next, (B, V), and the state."""
        rows = [[*row, token] for row, token in zip(state.rows, tokens.tolist(), strict=True)]
        shares = np.stack([self._next(self._history(row[1:])) for row in rows])
        with np.errstate(divide="ignore"):
            return torch.from_numpy(np.log(shares)), Histories(rows)

    def _history(self, ids: list[int]) -> tuple[int, ...]:
        """Return the last n - 1 ids of a sentence so far, [BOS] included."""
        most = self.order - 1
        return (self.vocabulary.begin, *ids[-most:])[-most:] if most else ()

    def _read(self, context: Any) -> list[int]:
        """Return the ids of a context."""
        [ids] = encoded([texts(context, "context", least=0)], self._known(), "context")
        return ids

    def _known(self) -> Vocabulary:
        """Return the vocabulary, which a model that was not fitted does not have."""
        if getattr(self, "vocabulary", None) is None:
            raise ValueError("the model has no vocabulary yet: fit it first")
        return self.vocabulary


def encoded(sentences: Any, vocabulary: Vocabulary, name: str = "sentences") -> list[list[int]]:
    """Return the ids of sentences; refuse what are none, and [BOS] and [EOS] within them."""
    found = [vocabulary.encode(sentence) for sentence in checked_sentences(sentences, name)]
    for symbol in (vocabulary.begin, vocabulary.end):
        if any(symbol in ids for ids in found):
            got = vocabulary.tokens[symbol]
            raise ValueError(f"{name} must hold no [BOS] and no [EOS], got {got}")
    return found


def checked_vocabulary(vocabulary: Any) -> Vocabulary:
    """Return a vocabulary that has [UNK], [EOS] and [BOS]."""
    instance(vocabulary, "vocabulary", Vocabulary)
    for role in ("unknown", "end", "begin"):
        getattr(vocabulary, role)  # raises ValueError where there is none
    return vocabulary
