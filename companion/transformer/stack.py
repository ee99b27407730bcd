"""The stack: positions, blocks one upon the other, a last normalisation: the body of every model.

With N blocks, and the vectors x of T tokens::

    x = dropout(x + positions)          or positions inside attention: rotary, linear biases
    x = block_n(x)   for n = 1 ... N    each attends to all, or only to what came before (causal),
    x = norm(x)                         and to a context where there is cross-attention

BERT and ViT are such a stack, GPT and Llama a causal one, the Transformer of 2017 one that reads
and a causal one with cross-attention that writes. What this module leaves out: the vectors of the
tokens and what is done with the result, which is what each model adds.

References (in full in the chapter's bibliography): Vaswani and others (2017).

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, arange, nn

from companion.arguments import between, choice, flag, instance, share, size, tensor
from companion.transformer.attention import KeyValueCache, MultiHeadAttention, heads
from companion.transformer.blocks import (
    Block,
    FeedForward,
    GatedFeedForward,
    LayerNorm,
    PositionEmbedding,
    RMSNorm,
    RotaryPositions,
    SinusoidalPositions,
    linear_biases,
)
from companion.transformer.blocks.layers import ACTIVATIONS

POSITIONS = ("learned", "sinusoidal", "rotary", "linear", "none")
NORMS = {"layer": LayerNorm, "rms": RMSNorm}


@dataclass(frozen=True)
class Config:
    """The sizes and settings of a `Stack`.

    Examples
    --------
    >>> gpt = Config(d_model=64, n_layers=4, n_heads=4, d_hidden=256, causal=True)
    >>> bert = Config(d_model=64, n_layers=4, n_heads=4, d_hidden=256, norm_first=False)
    """

    d_model: int  # width D of a token
    n_layers: int  # blocks
    n_heads: int  # heads H of each attention, a divisor of D
    d_hidden: int  # hidden numbers of each feed-forward network
    n_kv_heads: int | None = None  # heads of keys and values, a divisor of H; None: H
    max_length: int = 512  # longest sequence, for the tables of positions
    positions: str = "learned"  # "learned" or "sinusoidal": added; "rotary", "linear": in attention
    rotary_base: float = 10_000.0  # the slowest hand turns by about 1 / base per position
    rotary_halves: bool = False  # pairs i and i + d/2, as the transformers library has them
    causal: bool = False  # whether a token sees only itself and those before
    cross_attention: bool = False  # whether each block attends to a context, too
    norm: str = "layer"  # "layer" or "rms"
    norm_first: bool = True  # normalise before each part and after the last, or after each sum
    norm_embeddings: bool = False  # normalise once more, before the first block, as BERT does
    eps: float = 1e-5  # of the normalisations
    activation: str = "gelu"  # of the feed-forward networks: "relu", "gelu", "gelu_tanh", "silu"
    gated: bool = False  # gated feed-forward networks; with "silu" this is SwiGLU
    bias: bool = True  # whether linear layers add a bias
    dropout: float = 0.0  # share of numbers set to 0 in training: embeddings, parts, weights

    def __post_init__(self) -> None:
        for name in ("d_model", "n_layers", "n_heads", "d_hidden", "max_length"):
            size(getattr(self, name), name)
        for name in ("rotary_halves", "causal", "cross_attention", "norm_first"):
            flag(getattr(self, name), name)
        for name in ("norm_embeddings", "gated", "bias"):
            flag(getattr(self, name), name)
        choice(self.positions, "positions", POSITIONS)
        choice(self.norm, "norm", NORMS)
        choice(self.activation, "activation", ACTIVATIONS)
        share(self.dropout, "dropout")
        between(0, self.eps, math.inf, "eps")
        between(1, self.rotary_base, math.inf, "rotary_base")
        heads(self.d_model, self.n_heads, self.n_kv_heads)
        widths = {"sinusoidal": self.d_model, "rotary": self.d_model // self.n_heads}
        if widths.get(self.positions, 0) % 2:
            wanted = "d_model" if self.positions == "sinusoidal" else "d_model / n_heads"
            got = widths[self.positions]
            raise ValueError(f"{wanted} must be even for {self.positions} positions, got {got}")
        if self.positions != "rotary" and (self.rotary_base, self.rotary_halves) != (1e4, False):
            raise ValueError(f"rotary settings need rotary positions, got {self.positions!r}")


class Stack(nn.Module):
    """Blocks one upon the other, with positions before and a normalisation after them.

    Attributes
    ----------
    positions, embedding_norm, dropout : nn.Module
        What comes before the first block; `nn.Identity` where the settings ask for none.
    blocks : nn.ModuleList
        Of `Block`.
    norm : nn.Module
        Comes last. All of these and their parts can be replaced.

    Examples
    --------
    >>> import torch
    >>> stack = Stack(Config(d_model=6, n_layers=2, n_heads=3, d_hidden=12, causal=True))
    >>> x, caches = torch.zeros(2, 5, 6), stack.caches()
    >>> torch.cat([stack(part, caches=caches) for part in x.split([4, 1], dim=1)], dim=1).shape
    torch.Size([2, 5, 6])
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = instance(config, "config", Config)
        norm = partial(NORMS[config.norm], eps=config.eps)
        added = {"learned": PositionEmbedding, "sinusoidal": SinusoidalPositions}
        self.positions = (
            added[config.positions](config.max_length, config.d_model)
            if config.positions in added
            else nn.Identity()
        )
        self.embedding_norm = norm(config.d_model) if config.norm_embeddings else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        rotary = _rotary(config)  # one table for all blocks
        self.blocks = nn.ModuleList(_block(config, rotary) for _ in range(config.n_layers))
        self.norm = norm(config.d_model) if config.norm_first else nn.Identity()

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        context_mask: Tensor | None = None,
        positions: Tensor | None = None,
        caches: Caches | None = None,
        need_weights: bool = False,
        all_layers: bool = False,
    ) -> Any:
        """Read vectors of tokens, and return what the last block makes of them.

        Parameters
        ----------
        x, context : Tensor, shapes (B, T, D) and (B, S, D)
            The vectors of the tokens, with caches only of those that are new; and what the
            cross-attention attends to.
        mask, context_mask : Tensor of bool, optional
            Which tokens, and which of the context, may be seen: as `MultiHeadAttention` takes them,
            such as (B, 1, S) with True at real tokens. The causal mask is joined to it.
        positions : Tensor of int64, shape (T,) or (B, T), optional
            Where the tokens stand, as from `count_positions` for sequences that are padded on the
            left; without it x follows what the caches hold.
        caches : Caches, optional
            From `caches`: what was read before. They are extended.
        need_weights : bool, default False
            Whether to return the weights of attention as well.
        all_layers : bool, default False
            Whether to return what goes into the first block and what comes out of each.

        Returns
        -------
        Tensor, shape (B, T, D), with `all_layers` a list of them, the last one being what comes out
        of the stack; with `need_weights` a pair with a list: for each block the weights
        of its self-attention, (B, H, T, S), and of its cross-attention where there is one
        """
        config, T = self.config, tensor(x, "x", ("B", "T", self.config.d_model)).shape[1]
        if caches is not None and len(instance(caches, "caches", Caches)) != len(self.blocks):
            wanted, got = len(self.blocks), len(caches)
            raise ValueError(f"caches must hold {wanted} pairs, one per block, got {got}")
        if context_mask is not None and context is None:
            raise ValueError("context_mask belongs to a context: got none")
        past = len(caches[0][0]) if caches else 0
        if positions is not None and config.positions in ("linear", "none"):
            raise ValueError(f"positions have no use in this stack, {config.positions!r}: got some")
        flag(all_layers, "all_layers")
        options: dict[str, Any] = {"mask": mask, "causal": config.causal}
        if config.positions == "rotary":
            if positions is None and past + T > config.max_length:
                raise ValueError(f"there are {config.max_length} positions, but x needs {past + T}")
            new = arange(past, past + T, device=x.device)
            options["positions"] = new if positions is None else positions
        elif config.positions == "linear":
            options["biases"] = linear_biases(T, config.n_heads, past=past, device=x.device)
        elif config.positions != "none":
            where = {"start": past} if positions is None else {"positions": positions}
            x = self.positions(x, **where)

        x = self.dropout(self.embedding_norm(x))
        layers, weights = [x], []
        pairs = caches or [(None, None)] * len(self.blocks)
        for block, (own, of_context) in zip(self.blocks, pairs, strict=True):
            if context is not None:
                options |= {"context_mask": context_mask, "context_cache": of_context}
            x = block(x, context, cache=own, need_weights=need_weights, **options)
            if need_weights:
                x, *found = x
                weights.append(found)
            layers = [*layers, x] if all_layers else [x]
        layers[-1] = self.norm(x)
        y = layers if all_layers else layers[-1]
        return (y, weights) if need_weights else y

    def caches(self) -> Caches:
        """Return empty caches for all blocks."""
        return Caches((KeyValueCache(), KeyValueCache()) for _ in self.blocks)


class Caches(list[tuple[KeyValueCache, KeyValueCache]]):
    """For each block the cache of its self-attention and that of its cross-attention."""

    def select(self, rows: Tensor) -> Caches:
        """Return caches with these rows of the batch, in this order."""
        return Caches((own.select(rows), other.select(rows)) for own, other in self)

    def copy(self) -> Caches:
        """Return caches that can be extended without a change of these."""
        return Caches((own.copy(), other.copy()) for own, other in self)


def _block(config: Config, rotary: nn.Module | None) -> Block:
    """Return a new block, as the settings ask for."""
    D, H = config.d_model, config.n_heads
    linear: Any = {"dropout": config.dropout, "bias": config.bias}
    network = GatedFeedForward if config.gated else FeedForward
    feed_forward = network(D, config.d_hidden, activation=config.activation, **linear)
    attention = MultiHeadAttention(D, H, n_kv_heads=config.n_kv_heads, rotary=rotary, **linear)
    return Block(
        attention,
        feed_forward,
        cross_attention=MultiHeadAttention(D, H, **linear) if config.cross_attention else None,
        norm=partial(NORMS[config.norm], eps=config.eps),
        norm_first=config.norm_first,
        dropout=config.dropout,
    )


def _rotary(config: Config) -> RotaryPositions | None:
    if config.positions != "rotary":
        return None
    d = config.d_model // config.n_heads
    options: Any = {"base": config.rotary_base, "halves": config.rotary_halves}
    return RotaryPositions(config.max_length, d, **options)
