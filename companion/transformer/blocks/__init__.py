"""The Transformer's blocks: what stands around attention so that it can read in order, and deep.

- ``positions``: where a token stands: computed, learned, rotary, or as a bias on the scores
- ``layers``: layer normalisation and the position-wise feed-forward network
- ``stacking``: the encoder and the decoder block, with normalisation before or after each part

What this package leaves out: relative positions that are learned, gated feed-forward networks,
mixtures of experts.

Chapter: book/transformer/blocks.ipynb
"""

from companion.transformer.blocks.layers import FeedForward, LayerNorm
from companion.transformer.blocks.positions import (
    PositionEmbedding,
    SinusoidalPositions,
    linear_biases,
    rotate,
    sinusoidal_positions,
)
from companion.transformer.blocks.stacking import DecoderBlock, EncoderBlock

__all__ = [
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "LayerNorm",
    "PositionEmbedding",
    "SinusoidalPositions",
    "linear_biases",
    "rotate",
    "sinusoidal_positions",
]
