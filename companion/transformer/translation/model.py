"""The whole Transformer: an encoder that reads a sequence, a decoder that writes another.

With E the embedding of a token and PE the encoding of its position::

    encoder:  x_j = s E(source_j) + PE(j),  through the encoder's blocks:  the memory
    decoder:  y_i = s E(target_i) + PE(i),  through the decoder's blocks, where y_i attends to
              y_1 ... y_i and to the memory;  s = sqrt(D)
    output:   P(target_{i+1} | target_1 ... target_i, source) = softmax(E y_i)

The decoder's embedding matrix serves a second time as the last layer. In training all positions go
through the decoder at once, and a causal mask hides what is to come; in use one token follows the
other, and caches keep the keys and values of those before. What this module leaves out: models with
an encoder only or a decoder only (Part 4).

References (in full in the chapter's bibliography): Vaswani and others (2017); Press and Wolf
(2017), one matrix for input and output.

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import between, integer
from companion.sequences.seq2seq import PAD, check_ids
from companion.transformer.attention import KeyValueCache, causal_mask
from companion.transformer.blocks import (
    DecoderBlock,
    EncoderBlock,
    LayerNorm,
    SinusoidalPositions,
)
from companion.transformer.blocks.layers import ACTIVATIONS, share


class State(tuple):
    """The memory, its mask, and four tensors for each block of the decoder."""

    def select(self, rows: Tensor) -> State:
        """Return the state of the given rows, (n,)."""
        return State(part.index_select(0, rows) for part in self)


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and settings of a `Transformer`. The defaults are those of the base model of 2017.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer, D is odd or no multiple of H, or a setting is unknown.

    References
    ----------
    Vaswani et al. (2017), table 3. Their base model has one vocabulary of about 37,000 tokens.

    Examples
    --------
    >>> TransformerConfig(100, 120, d_model=8, n_heads=2).d_hidden
    2048
    """

    source_vocab_size: int  # tokens of the source language, special ones included
    target_vocab_size: int  # tokens of the target language
    d_model: int = 512  # width D of a token
    n_heads: int = 8  # heads H of each attention
    n_encoder_layers: int = 6
    n_decoder_layers: int = 6
    d_hidden: int = 2048  # hidden numbers of each feed-forward network
    dropout: float = 0.1  # share of numbers set to 0 in training: embeddings, parts, weights
    max_length: int = 512  # longest sequence, for the table of positions
    activation: str = "relu"  # of the feed-forward networks: "relu" or "gelu"
    norm_first: bool = False  # normalise before each part (True), or after each sum
    share_embeddings: bool = False  # one matrix for both languages
    embedding_scale: float | None = None  # times E, where positions are added; None: sqrt(D)

    def __post_init__(self) -> None:
        for name in ("source_vocab_size", "target_vocab_size", "d_model", "n_heads"):
            integer(getattr(self, name), name, 1)
        for name in ("n_encoder_layers", "n_decoder_layers", "d_hidden", "max_length"):
            integer(getattr(self, name), name, 1)
        share(self.dropout)
        if self.d_model % 2 or self.d_model % self.n_heads:
            wanted = f"an even number that n_heads = {self.n_heads} divides"
            raise ValueError(f"d_model must be {wanted}, got {self.d_model}")
        if self.embedding_scale is not None:
            between(0, self.embedding_scale, math.inf, "embedding_scale")
        if self.activation not in ACTIVATIONS:
            names = " or ".join(map(repr, ACTIVATIONS))
            raise ValueError(f"activation must be {names}, got {self.activation!r}")
        for name in ("norm_first", "share_embeddings"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if self.share_embeddings and self.source_vocab_size != self.target_vocab_size:
            sizes = f"{self.source_vocab_size} and {self.target_vocab_size}"
            raise ValueError(f"share_embeddings needs one vocabulary, got the sizes {sizes}")


class Transformer(nn.Module):
    """Encoder and decoder of stacked blocks, from a source sequence to a target sequence.

    Sequences are token numbers, where `PAD` (0) stands for no token. Initial weights follow
    ``torch.manual_seed``.

    Parameters
    ----------
    config : TransformerConfig
        Sizes and settings.
    source_embedding, target_embedding : nn.Module, optional
        Used in place of new `nn.Embedding` matrices, such as a
        `companion.sequences.seq2seq.WordEmbedding`; must have ``num_embeddings`` and
        ``embedding_dim``, which are checked.

    Attributes
    ----------
    source_embedding, target_embedding : nn.Module
        The vectors of the tokens; the target's are the last layer, too.
    positions : nn.Module
        Adds the positions, and is called with ``start=`` the number of tokens before.
    encoder_blocks, decoder_blocks : nn.ModuleList
        Of `EncoderBlock` and `DecoderBlock`. These and their parts can be replaced.
    encoder_norm, decoder_norm : nn.Module
        After the last block: `LayerNorm` with pre-norm, nothing with post-norm.
    dropout : nn.Module
        Applied to embeddings with their positions.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; on use, if the sequences are not as described.

    References
    ----------
    Vaswani et al. (2017).

    Examples
    --------
    >>> sizes = {"d_model": 8, "n_heads": 2, "n_encoder_layers": 1, "n_decoder_layers": 1}
    >>> model = Transformer(TransformerConfig(11, 13, **sizes))
    >>> source, target = torch.tensor([[5, 6, 7], [8, 0, 0]]), torch.tensor([[2, 4], [2, 5]])
    >>> model(source, target).shape  # for each target token, scores of the next
    torch.Size([2, 2, 13])
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        source_embedding: nn.Module | None = None,
        target_embedding: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(config, TransformerConfig):
            raise TypeError(f"config must be a TransformerConfig, got {config!r}")
        if config.share_embeddings and source_embedding is not None:
            raise ValueError("share_embeddings takes target_embedding only: got source_embedding")
        self.config = config
        self.padding = PAD
        D, n_target = config.d_model, config.target_vocab_size
        self.target_embedding = _embedding(target_embedding, n_target, D, "target_embedding")
        self.source_embedding = (
            self.target_embedding
            if config.share_embeddings
            else _embedding(source_embedding, config.source_vocab_size, D, "source_embedding")
        )
        self.positions = SinusoidalPositions(config.max_length, D)
        self.dropout = nn.Dropout(config.dropout)
        settings: dict[str, Any] = {
            "d_hidden": config.d_hidden,
            "activation": config.activation,
            "norm_first": config.norm_first,
            "dropout": config.dropout,
        }

        def stack(block: Callable[..., nn.Module], n_layers: int) -> nn.ModuleList:
            return nn.ModuleList(block(D, config.n_heads, **settings) for _ in range(n_layers))

        self.encoder_blocks = stack(EncoderBlock, config.n_encoder_layers)
        self.decoder_blocks = stack(DecoderBlock, config.n_decoder_layers)
        self.encoder_norm, self.decoder_norm = (
            LayerNorm(D) if config.norm_first else nn.Identity() for _ in range(2)
        )
        for blocks in (self.encoder_blocks, self.decoder_blocks):
            for module in blocks.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Read the sources, all positions at once.

        Parameters
        ----------
        source : Tensor of int64, shape (B, S)
            Token numbers, with a token in each row.

        Returns
        -------
        memory : Tensor, shape (B, S, D)
            What the decoder attends to.
        mask : Tensor of bool, shape (B, 1, S)
            True at real tokens.
        """
        check_ids(source, "source", self.config.source_vocab_size)
        mask = (source != PAD).unsqueeze(1)  # (B, 1, S)
        if not mask.any(dim=-1).all():
            raise ValueError("source must hold a token in each row, got a row of [PAD]")
        x = self._embed(self.source_embedding(source), start=0)
        for block in self.encoder_blocks:
            x = block(x, mask=mask)
        return self.encoder_norm(x), mask

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        *,
        caches: Sequence[tuple[KeyValueCache, KeyValueCache]] | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Read target tokens, and say after each of them what should come next.

        Parameters
        ----------
        target : Tensor of int64, shape (B, T)
            What the decoder reads, [BOS] first; with caches, only what is new. Padding may follow.
        memory : Tensor, shape (B, S, D)
            From `encode`.
        memory_mask : Tensor of bool, shape (B, 1, S), optional
            From `encode`; without it, all positions are seen.
        caches : sequence of pairs of KeyValueCache, optional
            For each block one for its self-attention and one for its cross-attention: what was read
            before. They are extended.
        need_weights : bool, default False
            Whether to return the weights of the cross-attention as well.

        Returns
        -------
        Tensor, shape (B, T, target_vocab_size)
            The scores of the next token; with `need_weights` a pair with the weights, a list of
            tensors (B, H, T, S), one for each block.
        """
        check_ids(target, "target", self.config.target_vocab_size)
        if caches is not None and len(caches) != len(self.decoder_blocks):
            wanted = len(self.decoder_blocks)
            raise ValueError(f"caches must hold {wanted} pairs, one per block, got {len(caches)}")
        past, T = (len(caches[0][0]) if caches else 0), target.shape[1]
        table = self._vectors()  # (V, D)
        y = self._embed(functional.embedding(target, table), start=past)
        # One new token may attend to all that there is: it needs no mask.
        mask = causal_mask(T, past=past, device=y.device) if T > 1 else None
        weights = []
        for block, pair in zip(self.decoder_blocks, caches or _nothing(self), strict=True):
            y = block(
                y,
                memory,
                mask=mask,
                context_mask=memory_mask,
                cache=pair[0],
                context_cache=pair[1],
                need_weights=need_weights,
            )
            if need_weights:
                y, _, of_block = y
                weights.append(of_block)
        logits = functional.linear(self.decoder_norm(y), table)
        return (logits, weights) if need_weights else logits

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the scores of all next tokens, (B, T, V), with teacher forcing."""
        memory, mask = self.encode(source)
        return self.decode(target, memory, mask)

    def start(self, source: Tensor) -> State:
        """Encode sources (B, S); return the decoder's state before the first token.

        A state is a tuple of tensors with the batch first: memory, mask, and for each block the
        keys and values of self-attention and of cross-attention, (B, H, length, D/H), empty yet.
        """
        memory, mask = self.encode(source)
        B, H = len(source), self.config.n_heads
        empty = memory.new_zeros(B, H, 0, self.config.d_model // H)
        return State((memory, mask, *[empty] * (4 * len(self.decoder_blocks))))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one token per row, (B,); return the scores of the next, (B, V), and the state."""
        memory, mask, *kept = state
        caches = []
        for block in range(len(self.decoder_blocks)):
            own, context = KeyValueCache(), KeyValueCache()
            if kept[4 * block].shape[2]:  # not the first step
                own.key, own.value, context.key, context.value = kept[4 * block : 4 * block + 4]
                context.of_context = True
            caches.append((own, context))
        logits = self.decode(tokens[:, None], memory, mask, caches=caches)  # (B, 1, V)
        parts = (part for pair in caches for cache in pair for part in (cache.key, cache.value))
        return logits[:, 0], State((memory, mask, *parts))

    def _embed(self, vectors: Tensor, start: int) -> Tensor:
        """Scale the vectors of tokens, (B, T, D), and add the positions."""
        scale = self.config.embedding_scale or math.sqrt(self.config.d_model)
        return self.dropout(self.positions(vectors * scale, start=start))

    def _vectors(self) -> Tensor:
        """Return the vectors of all target tokens, (V, D)."""
        if isinstance(self.target_embedding, nn.Embedding):
            return self.target_embedding.weight
        numbers = torch.arange(self.config.target_vocab_size, device=self.positions.table.device)
        return self.target_embedding(numbers)


def _nothing(model: Transformer) -> list[tuple[None, None]]:
    return [(None, None)] * len(model.decoder_blocks)


def _embedding(given: nn.Module | None, n: int, D: int, name: str) -> nn.Module:
    """Return the embedding that was passed in, or a new one."""
    if given is None:
        given = nn.Embedding(n, D)
        nn.init.normal_(given.weight, std=D**-0.5)
    got = tuple(getattr(given, size, None) for size in ("num_embeddings", "embedding_dim"))
    if got != (n, D):
        raise ValueError(f"{name} must have {n} vectors of {D} numbers, got {got}")
    return given
