"""The Transformer's blocks: what stands around attention so that it can read in order, and deep.

- ``positions``: where a token stands: computed, learned, rotary, or as a bias on the scores
- ``layers``: normalisation and the position-wise feed-forward networks
- ``stacking``: the block, with normalisation before or after each part

What this package leaves out: relative positions that are learned, mixtures of experts.

Chapter: book/transformer/blocks.ipynb
"""

from companion.transformer.blocks.layers import (
    FeedForward,
    GatedFeedForward,
    LayerNorm,
    RMSNorm,
    layer_norm,
    rms_norm,
)
from companion.transformer.blocks.positions import (
    PositionEmbedding,
    RotaryPositions,
    SinusoidalPositions,
    count_positions,
    linear_biases,
    rotate,
    sinusoidal_positions,
)
from companion.transformer.blocks.stacking import Block, DecoderBlock, EncoderBlock

__all__ = [
    "Block",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "GatedFeedForward",
    "LayerNorm",
    "PositionEmbedding",
    "RMSNorm",
    "RotaryPositions",
    "SinusoidalPositions",
    "count_positions",
    "layer_norm",
    "linear_biases",
    "rms_norm",
    "rotate",
    "sinusoidal_positions",
]
