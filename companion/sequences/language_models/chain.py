"""The vocabulary, and what every model of the next word can do by the chain rule.

A sentence of n words, followed by the symbol [EOS] that ends it, has the probability::

    P(w_1, ..., w_n) = P(w_1 | [BOS]) * P(w_2 | [BOS] w_1) * ... * P([EOS] | [BOS] w_1 ... w_n)

[BOS] stands before every sentence and is never predicted; [EOS] is predicted like a word, so that
the probabilities of all sentences of all lengths can sum to 1. A word outside the vocabulary counts
as [UNK], in training and in use: the model gives a probability to "some unknown word", not to this
one. So perplexities can be compared only between models with the same vocabulary.

What this module leaves out: tokens smaller than words, and text that goes on beyond a sentence.

References (in full in the chapter's bibliography): Shannon (1948), language as a random process.

Chapter: book/sequences/language_models.ipynb
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from companion.arguments import Seed, between, integer, random_generator

UNKNOWN, END, BEGIN = "[UNK]", "[EOS]", "[BOS]"
Sentence = Sequence[str]


class Vocabulary:
    """The tokens that a model can predict, each with a number.

    Parameters
    ----------
    words : iterable of str
        Different words; [UNK] (number 0) and [EOS] (number 1) come before them.

    Attributes
    ----------
    tokens : tuple of str
        All V tokens: token number i is ``tokens[i]``.
    begin : int
        V, the number of [BOS], which occurs in contexts only.

    Raises
    ------
    TypeError, ValueError
        If a word is no string, comes twice, or is one of the three symbols.

    Examples
    --------
    >>> vocabulary = Vocabulary(["a", "b"])
    >>> vocabulary.tokens, vocabulary.encode(["b", "c"])
    (('[UNK]', '[EOS]', 'a', 'b'), [3, 0])
    """

    def __init__(self, words: Iterable[str]) -> None:
        if isinstance(words, str):
            raise TypeError("words must be an iterable of strings, got a single string")
        self.tokens = (UNKNOWN, END, *words)
        self.begin = len(self.tokens)
        self.index: dict[str, int] = {}
        for number, token in enumerate(self.tokens):
            if not isinstance(token, str):
                raise TypeError(f"words must be strings, got {token!r}")
            if token in self.index or token == BEGIN:
                raise ValueError(f"words must be different, without [UNK] and such, got {token!r}")
            self.index[token] = number

    @classmethod
    def from_sentences(cls, sentences: Iterable[Sentence], *, min_count: int = 1) -> Vocabulary:
        """Collect the words that occur `min_count` times or more, the most frequent first.

        Parameters
        ----------
        sentences : iterable of sequences of str
            The training text. Of equally frequent words, the first one comes first.
        min_count : int, default 1
            With 2 or more, the rare words of the training text become [UNK], and the model learns
            from them how likely an unknown word is.

        Returns
        -------
        Vocabulary

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or a sentence holds [BOS] or [EOS].
        """
        least = integer(min_count, "min_count", 1)
        counts = Counter(word for sentence in checked(sentences) for word in sentence)
        counts.pop(UNKNOWN, None)
        return cls(word for word, count in counts.most_common() if count >= least)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, sentence: Sentence) -> list[int]:
        """Return the number of each word, 0 for the unknown ones; no symbol is added."""
        return [self.index.get(word, 0) for word in sentence]


class LanguageModel(ABC):
    """What all models of the next word have in common; a model adds two methods.

    Attributes
    ----------
    vocabulary : Vocabulary
        What can be predicted.
    order : int
        n: a word is predicted from the n - 1 tokens before it.
    """

    vocabulary: Vocabulary
    order: int

    @abstractmethod
    def _next(self, history: tuple[int, ...]) -> np.ndarray:
        """Return the probability of each token after the numbers of n - 1 tokens, or fewer."""

    @abstractmethod
    def _probabilities(self, sentences: list[list[int]]) -> np.ndarray:
        """Return the probability of each token of sentences of numbers, [EOS] included."""

    def distribution(self, context: Sentence = ()) -> np.ndarray:
        """Return the probability of each token as the next one, shape (V,).

        Parameters
        ----------
        context : sequence of str
            The sentence so far, from its beginning; () asks for the first word. Only its last
            n - 1 tokens are used, [BOS] included.

        Returns
        -------
        ndarray, shape (V,)
            In the order of ``vocabulary.tokens``; the sum is 1.

        Raises
        ------
        TypeError, ValueError
            If `context` is no sequence of words, or the model has not been fitted.
        """
        [context] = checked([context], "context")
        return self._next(self._history(self._known().encode(context)))

    def probability(self, token: str, context: Sentence = ()) -> float:
        """Return the probability of a token after a context, as in `distribution`.

        Parameters
        ----------
        token : str
            A word, [UNK] or [EOS]. A word outside the vocabulary counts as [UNK].
        context : sequence of str
            The sentence so far.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            As `distribution`; also if `token` is no string, or is [BOS], which no model predicts.
        """
        if not isinstance(token, str):
            raise TypeError(f"token must be a string, got {token!r}")
        if token == BEGIN:
            raise ValueError("token must be a word, [UNK] or [EOS], got [BOS]")
        return float(self.distribution(context)[self.vocabulary.index.get(token, 0)])

    def token_log_probabilities(self, sentences: Iterable[Sentence]) -> np.ndarray:
        """Return the logarithm of the probability of each token, one sentence after the other.

        Parameters
        ----------
        sentences : iterable of sequences of str
            A sentence of n words gives n + 1 numbers, the last one for [EOS].

        Returns
        -------
        ndarray, shape (n_predictions,)
            Minus infinity where the model holds a token for impossible.

        Raises
        ------
        TypeError, ValueError
            If a sentence is no sequence of words or holds [BOS] or [EOS], there is none, or the
            model has not been fitted.
        """
        vocabulary = self._known()
        numbers = [vocabulary.encode(sentence) for sentence in checked(sentences)]
        found = self._probabilities(numbers)
        with np.errstate(divide="ignore"):  # log(0) is minus infinity, as it should be
            return np.log(found)

    def log_probability(self, sentence: Sentence) -> float:
        """Return log P(sentence) by the chain rule: the sum over its words and [EOS].

        Parameters
        ----------
        sentence : sequence of str
            It may be empty: then it is the probability that a sentence ends before it begins.

        Returns
        -------
        float
            Minus infinity for an impossible sentence.

        Raises
        ------
        TypeError, ValueError
            As `token_log_probabilities`.
        """
        return float(self.token_log_probabilities([sentence]).sum())

    def perplexity(self, sentences: Iterable[Sentence]) -> float:
        """Return exp(-mean of log P over all tokens, [EOS] included).

        Parameters
        ----------
        sentences : iterable of sequences of str
            One or more.

        Returns
        -------
        float
            1 or more; infinity if one token of all has the probability 0.

        Raises
        ------
        TypeError, ValueError
            As `token_log_probabilities`.
        """
        return float(np.exp(-self.token_log_probabilities(sentences).mean()))

    def sample(
        self,
        context: Sentence = (),
        *,
        temperature: float = 1.0,
        max_length: int = 50,
        seed: Seed = None,
    ) -> list[str]:
        """Write a sentence: draw a token, append it, and again, until [EOS] is drawn.

        Parameters
        ----------
        context : sequence of str
            How the sentence begins.
        temperature : float, default 1
            T: tokens are drawn with probabilities proportional to p**(1 / T). Below 1, likely
            tokens become more likely; above 1, less.
        max_length : int, default 50
            At most so many words, the context included.
        seed : int, Generator or None
            As in `companion.arguments.random_generator`.

        Returns
        -------
        list of str
            The context and what follows, without [EOS]; it may contain [UNK].

        Raises
        ------
        TypeError, ValueError
            If an argument is wrong, or the model knows nothing about what follows the context.
        """
        heat = between(0, temperature, math.inf, "temperature")
        longest = integer(max_length, "max_length", 0)
        rng = random_generator(seed)
        [context] = checked([context], "context")
        words, numbers = list(context), self._known().encode(context)
        while len(words) < longest:
            shares = self._next(self._history(numbers))
            if not shares.any():
                raise ValueError(f"context: this model never saw what follows {words}")
            with np.errstate(divide="ignore"):
                scores = np.log(shares) / heat
            shares = np.exp(scores - scores.max())
            number = int(rng.choice(len(shares), p=shares / shares.sum()))
            if number == self.vocabulary.index[END]:
                break
            words.append(self.vocabulary.tokens[number])
            numbers.append(number)
        return words

    def _history(self, numbers: list[int]) -> tuple[int, ...]:
        """Return the last n - 1 numbers of a sentence so far, [BOS] included."""
        most = self.order - 1
        return (self.vocabulary.begin, *numbers[-most:])[-most:] if most else ()

    def _known(self) -> Vocabulary:
        """Return the vocabulary, which a model that was not fitted does not have."""
        if getattr(self, "vocabulary", None) is None:
            raise ValueError("the model has no vocabulary yet: fit it first")
        return self.vocabulary


def checked(sentences: Any, name: str = "sentences") -> list[Sentence]:
    """Return sentences as a list, after a look at what they are made of.

    Parameters
    ----------
    sentences : iterable of sequences of str
        One or more; each may be empty.
    name : str
        Of the argument, for the message.

    Returns
    -------
    list of sequences of str

    Raises
    ------
    TypeError, ValueError
        If there is none, one is no sequence of strings, or one holds [BOS] or [EOS].

    Examples
    --------
    >>> checked(["one sentence"])
    Traceback (most recent call last):
        ...
    TypeError: sentences must be sequences of words, got the string 'one sentence'
    """
    if isinstance(sentences, str) or not isinstance(sentences, Iterable):
        raise TypeError(f"{name} must be an iterable of sentences, got {sentences!r}")
    found = list(sentences)
    if not found:
        raise ValueError(f"{name} must hold at least one sentence, got none")
    for sentence in found:
        if isinstance(sentence, str):
            raise TypeError(f"{name} must be sequences of words, got the string {sentence!r}")
        if not isinstance(sentence, Sequence):
            raise TypeError(f"{name} must be sequences of words, got {sentence!r}")
        for word in sentence:
            if not isinstance(word, str):
                raise TypeError(f"{name} must be sequences of strings, got {word!r} in one")
            if word in (BEGIN, END):
                raise ValueError(f"{name} must hold no [BOS] and no [EOS], got {word}")
    return found
