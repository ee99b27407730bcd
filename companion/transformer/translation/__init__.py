"""The whole Transformer, and translation with it.

- ``model``: `TransformerConfig` and `Transformer`, with caches for writing token by token
- ``training``: label smoothing, warm-up, batches that grow
- ``scores``: `bleu`, how much of a translation's wording stands in a reference

Decoding, and counting what is exactly right, are those of `companion.sequences.seq2seq`: they ask
of a model only ``start`` and ``step``.

Chapter: book/transformer/translation.ipynb
"""

from companion.sequences.seq2seq import beam_search, greedy_decode
from companion.transformer.translation.model import State, Transformer, TransformerConfig
from companion.transformer.translation.scores import Bleu, bleu, n_grams
from companion.transformer.translation.training import (
    Trained,
    smooth_cross_entropy,
    train_translator,
    trained,
    warm_up_rate,
)

__all__ = [
    "Bleu",
    "State",
    "Trained",
    "Transformer",
    "TransformerConfig",
    "beam_search",
    "bleu",
    "greedy_decode",
    "n_grams",
    "smooth_cross_entropy",
    "train_translator",
    "trained",
    "warm_up_rate",
]
