"""Small Transformers and sentences, for the tests beside this file."""

import torch

from companion.sequences.seq2seq import SPECIAL_TOKENS
from companion.sequences.vocabulary import Vocabulary
from companion.transformer.translation import Transformer, TransformerConfig

from ...twins import F64

PAD, BOS, EOS = 0, 2, 3
S, T, V_IN, V_OUT = 7, 5, 11, 13
WORDS = Vocabulary([*SPECIAL_TOKENS, *"abcdefghi"], special=SPECIAL_TOKENS)  # V_OUT of them


def settings(**changes):
    sizes = {"d_model": 6, "n_heads": 3, "n_encoder_layers": 2, "n_decoder_layers": 3}
    return TransformerConfig(V_IN, V_OUT, **{**sizes, "d_hidden": 10, "dropout": 0.0, **changes})


def small(seed=0, dtype=F64, **changes):
    torch.manual_seed(seed)
    return Transformer(settings(**changes)).to(dtype)


def sentences(seed=0):
    """Return sources of 7, 4 and 1 tokens, and targets of 5, 5 and 3."""
    random = torch.Generator().manual_seed(seed)
    source = torch.randint(4, V_IN, (3, S), generator=random)
    target = torch.randint(4, V_OUT, (3, T), generator=random)
    source[1, 4:], source[2, 1:], target[2, 3:] = PAD, PAD, PAD
    target[:, 0] = BOS
    return source, target
