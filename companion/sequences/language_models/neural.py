"""The neural probabilistic language model: a network that predicts the next word.

The n - 1 tokens before a word are looked up in one embedding matrix C; their vectors, end to end,
are x. With one hidden layer the scores of all V tokens, and their probabilities, are::

    y = b + U tanh(d + H x),     P(w | the n - 1 tokens) = softmax(y)[w]

and with direct connections y = b + W x + U tanh(d + H x). The letters are the paper's; here C is
``embedding``, H and d ``hidden``, U and b ``output``, W ``direct``. Where a sentence begins, [BOS]
fills the missing places. Everything is learned at once, by descent on -log P.

What differs from the paper: Adam or whatever optimiser is given to `fit`; a dropout that the paper
does not have; no mixture with a trigram model inside (the chapter mixes outside).

References (in full in the chapter's bibliography): Bengio, Ducharme, Vincent and Jauvin (2003).

Chapter: book/sequences/language_models.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import flag, ids, integer, share, size
from companion.sequences.generation import evaluating
from companion.sequences.language_models.chain import (
    LanguageModel,
    Sentence,
    checked_vocabulary,
    encoded,
)
from companion.sequences.vocabulary import Vocabulary

MOST = 4096  # contexts that are scored at once, which bounds the memory


class NeuralLanguageModel(nn.Module, LanguageModel):
    """Predicts the next word from the vectors of the n - 1 tokens before it.

    The initial weights are PyTorch's, those of the embedding a tenth as large; they follow
    ``torch.manual_seed``. Train it with `companion.basics.training.fit` on
    ``model.examples(sentences)`` and the cross-entropy.

    Parameters
    ----------
    vocabulary : Vocabulary
        V tokens, [UNK], [EOS] and [BOS] among them.
    order : int
        n, 2 or more.
    embedding_size, hidden_size : int
        Numbers in the vector of a token, and hidden units.
    direct : bool, default False
        Add the connections W from the vectors to the scores.
    dropout : float, default 0
        Share of the entries of x and of hidden units that are dropped in training.

    Examples
    --------
    >>> vocabulary = Vocabulary.count([["a", "b"]], special=["[UNK]", "[EOS]", "[BOS]"])
    >>> model = NeuralLanguageModel(vocabulary, 3, embedding_size=5, hidden_size=7)
    >>> contexts, targets = model.examples([["b", "a"]])
    >>> contexts.tolist(), targets.tolist()  # [EOS] is 1, [BOS] 2
    ([[2, 2], [2, 4], [4, 3]], [4, 3, 1])
    >>> model(contexts).shape
    torch.Size([3, 5])
    """

    _begins: Tensor

    def __init__(
        self,
        vocabulary: Vocabulary,
        order: int,
        *,
        embedding_size: int = 32,
        hidden_size: int = 64,
        direct: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.vocabulary = checked_vocabulary(vocabulary)
        self.order = integer(order, "order", 2)
        size(embedding_size, "embedding_size")
        size(hidden_size, "hidden_size")
        V, n_inputs = len(vocabulary), (order - 1) * embedding_size
        self.embedding = nn.Embedding(V, embedding_size)
        nn.init.normal_(self.embedding.weight, std=0.1)  # PyTorch's 1 would hide what is learned
        self.hidden = nn.Linear(n_inputs, hidden_size)
        self.output = nn.Linear(hidden_size, V)
        self.direct = nn.Linear(n_inputs, V, bias=False) if flag(direct, "direct") else None
        begins = torch.arange(V) == vocabulary.begin  # (V,): True for [BOS] alone
        self.register_buffer("_begins", begins, persistent=False)
        self.dropout = nn.Dropout(share(dropout, "dropout"))

    def forward(self, contexts: Tensor) -> Tensor:
        """Return the scores of all tokens, (B, V), after contexts (B, n - 1) as from `examples`."""
        contexts = ids(contexts, "contexts", len(self.vocabulary), ("B", self.order - 1))
        vectors = self.embedding(contexts)  # (B, n - 1, embedding_size)
        x = self.dropout(vectors.flatten(start_dim=1))  # (B, (n - 1) * embedding_size)
        hidden = self.dropout(torch.tanh(self.hidden(x)))
        bias = self.output.bias.masked_fill(self._begins, -torch.inf)  # [BOS] is never predicted
        scores = functional.linear(hidden, self.output.weight, bias)
        return scores if self.direct is None else scores + self.direct(x)

    def examples(self, sentences: Iterable[Sentence]) -> tuple[Tensor, Tensor]:
        """Return all contexts of a text, (N, n - 1), and the token after each, (N,), as ids.

        N is the number of words and sentences together.
        """
        return self._examples(encoded(sentences, self.vocabulary))

    def _examples(self, sentences: list[list[int]]) -> tuple[Tensor, Tensor]:
        begin, end, width = self.vocabulary.begin, self.vocabulary.end, self.order - 1
        contexts, targets = [], []
        for numbers in sentences:
            row = [begin] * width + numbers + [end]
            contexts += [row[place : place + width] for place in range(len(numbers) + 1)]
            targets += row[width:]
        return torch.tensor(contexts), torch.tensor(targets)

    @torch.no_grad()
    def _shares(self, contexts: Tensor) -> Tensor:
        """Return the probabilities of all tokens, (B, V), without dropout."""
        with evaluating(self):
            return self(contexts.to(self.output.weight.device)).double().softmax(dim=1).cpu()

    def _next(self, history: tuple[int, ...]) -> np.ndarray:
        """Return the probability of each token after a history."""
        row = [self.vocabulary.begin] * (self.order - 1 - len(history)) + list(history)
        return self._shares(torch.tensor([row]))[0].numpy()

    def _probabilities(self, sentences: list[list[int]]) -> np.ndarray:
        """Return the probability of each token, many contexts at a time."""
        contexts, targets = self._examples(sentences)
        pieces = [
            self._shares(some).gather(1, wanted[:, None])[:, 0]
            for some, wanted in zip(contexts.split(MOST), targets.split(MOST), strict=True)
        ]
        return torch.cat(pieces).numpy()
