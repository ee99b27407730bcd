"""From one sequence to another: an encoder, a decoder, and the first attention between them.

- ``batching``: sentence pairs as numbers, padded and put into batches
- ``attention``: `AdditiveAttention`, a weighted mean of what the encoder wrote
- ``model``: `Seq2Seq`, with attention or with one fixed context vector
- ``translation``: training on sentence pairs, translating, counting what is exactly right

Outputs are written by `companion.sequences.generation`. The functions for writing, training and
judging ask of a model only that it can be called, has the methods ``start`` and ``step``, and knows
the id of its ``padding``; so later models use them, too.

Chapter: book/sequences/seq2seq.ipynb
"""

from companion.sequences.generation import (
    Hypothesis,
    beam_search,
    greedy_decode,
    log_probability,
    sample,
)
from companion.sequences.seq2seq.attention import AdditiveAttention
from companion.sequences.seq2seq.batching import (
    SPECIAL_TOKENS,
    batches,
    encode_pairs,
    pad,
)
from companion.sequences.seq2seq.model import (
    Seq2Seq,
    State,
    WordEmbedding,
    reverse_within,
)
from companion.sequences.seq2seq.translation import (
    exact_match,
    exactly_right,
    train_seq2seq,
    translate,
)

__all__ = [
    "SPECIAL_TOKENS",
    "AdditiveAttention",
    "Hypothesis",
    "Seq2Seq",
    "State",
    "WordEmbedding",
    "batches",
    "beam_search",
    "encode_pairs",
    "exact_match",
    "exactly_right",
    "greedy_decode",
    "log_probability",
    "pad",
    "reverse_within",
    "sample",
    "train_seq2seq",
    "translate",
]
