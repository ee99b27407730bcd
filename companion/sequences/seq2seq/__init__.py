"""From one sequence to another: an encoder, a decoder, and the first attention between them.

- ``batching``: sentence pairs as numbers, padded and put into batches
- ``attention``: `AdditiveAttention`, a weighted mean of what the encoder wrote
- ``model``: `Seq2Seq`, with attention or with one fixed context vector
- ``decoding``: writing the output token by token, greedily or with a beam
- ``translation``: training on sentence pairs, translating, counting what is exactly right

The functions for decoding, training and judging ask of a model only that it can be called, and has
the methods ``start`` and ``step``; so later models use them, too.

Chapter: book/sequences/seq2seq.ipynb
"""

from companion.sequences.seq2seq.attention import AdditiveAttention
from companion.sequences.seq2seq.batching import (
    BOS,
    EOS,
    PAD,
    SPECIAL_TOKENS,
    UNK,
    batches,
    check_ids,
    encode_pairs,
    pad,
)
from companion.sequences.seq2seq.decoding import (
    Hypothesis,
    beam_search,
    greedy_decode,
    log_probability,
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
    "BOS",
    "EOS",
    "PAD",
    "SPECIAL_TOKENS",
    "UNK",
    "AdditiveAttention",
    "Hypothesis",
    "Seq2Seq",
    "State",
    "WordEmbedding",
    "batches",
    "beam_search",
    "check_ids",
    "encode_pairs",
    "exact_match",
    "exactly_right",
    "greedy_decode",
    "log_probability",
    "pad",
    "reverse_within",
    "train_seq2seq",
    "translate",
]
