"""The whole Transformer: an encoder that reads a sequence, a decoder that writes another.

With E the embedding of a token and PE the encoding of its position::

    encoder:  x_j = s E(source_j) + PE(j),  through the encoder's blocks:  the memory
    decoder:  y_i = s E(target_i) + PE(i),  through the decoder's blocks, where y_i attends to
              y_1 ... y_i and to the memory;  s = sqrt(D)
    output:   P(target_{i+1} | target_1 ... target_i, source) = softmax(E y_i)

The decoder's embedding matrix serves a second time as the last layer. In training all positions go
through the decoder at once, and a causal mask hides what is to come; in use one token follows the
other, and caches keep the keys and values of those before. Encoder and decoder are a
`companion.transformer.stack.Stack` each.

References (in full in the chapter's bibliography): Vaswani and others (2017); Press and Wolf
(2017), one matrix for input and output.

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import between, flag, ids, instance, integer, size
from companion.transformer.stack import Caches, Config, Stack


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and settings of a `Transformer`. The defaults are those of the base model of 2017.

    See table 3 of the paper; that model has one vocabulary of about 37,000 tokens.

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
    activation: str = "relu"  # of the feed-forward networks, as of `FeedForward`
    norm_first: bool = False  # normalise before each part (True), or after each sum
    share_embeddings: bool = False  # one matrix for both languages
    embedding_scale: float | None = None  # times E, where positions are added; None: sqrt(D)
    padding: int = 0  # the id of the token that fills up the shorter sequences of a batch

    def __post_init__(self) -> None:
        for name in ("source_vocab_size", "target_vocab_size"):
            size(getattr(self, name), name)
        for name in ("n_encoder_layers", "n_decoder_layers"):
            size(getattr(self, name), name)
        self.stack(self.n_encoder_layers)  # refuses what does not fit in there
        if self.embedding_scale is not None:
            between(0, self.embedding_scale, math.inf, "embedding_scale")
        sizes = self.source_vocab_size, self.target_vocab_size
        if flag(self.share_embeddings, "share_embeddings") and sizes[0] != sizes[1]:
            got = f"{sizes[0]} and {sizes[1]}"
            raise ValueError(f"share_embeddings needs one vocabulary, got the sizes {got}")
        if integer(self.padding, "padding", 0) >= min(sizes):
            raise ValueError(f"padding must be less than {min(sizes)}, got {self.padding}")

    def stack(self, n_layers: int, **changes: Any) -> Config:
        """Return the settings of the encoder, or with changes those of the decoder."""
        return Config(
            d_model=self.d_model,
            n_layers=n_layers,
            n_heads=self.n_heads,
            d_hidden=self.d_hidden,
            max_length=self.max_length,
            positions="sinusoidal",
            norm_first=self.norm_first,
            activation=self.activation,
            dropout=self.dropout,
            **changes,
        )


class State(NamedTuple):
    """What the decoder keeps between two steps."""

    memory: Tensor  # (B, S, D), from the encoder
    mask: Tensor  # (B, 1, S)
    caches: Caches  # of the decoder's blocks

    def select(self, rows: Tensor) -> State:
        """Return the state of these rows of the batch, in this order."""
        return State(self.memory[rows], self.mask[rows], self.caches.select(rows))


class Transformer(nn.Module):
    """Encoder and decoder of stacked blocks, from a source sequence to a target sequence.

    Sequences are token numbers, where ``config.padding`` stands for no token. Initial weights
    follow ``torch.manual_seed``.

    Parameters
    ----------
    source_embedding, target_embedding : nn.Module, optional
        Used in place of new `nn.Embedding` matrices, such as a
        `companion.sequences.seq2seq.WordEmbedding`; must have ``num_embeddings`` and
        ``embedding_dim``, which are checked.

    Attributes
    ----------
    source_embedding, target_embedding : nn.Module
        The vectors of the tokens; the target's are the last layer, too.
    encoder, decoder : Stack
        Positions, blocks, and with pre-norm a last normalisation. Their parts can be replaced.

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
        instance(config, "config", TransformerConfig)
        if config.share_embeddings and source_embedding is not None:
            raise ValueError("share_embeddings takes target_embedding only: got source_embedding")
        self.config, self.padding = config, config.padding
        D, n_target = config.d_model, config.target_vocab_size
        self.target_embedding = _embedding(target_embedding, n_target, D, "target_embedding")
        self.source_embedding = (
            self.target_embedding
            if config.share_embeddings
            else _embedding(source_embedding, config.source_vocab_size, D, "source_embedding")
        )
        self.encoder = Stack(config.stack(config.n_encoder_layers))
        decoder = config.stack(config.n_decoder_layers, causal=True, cross_attention=True)
        self.decoder = Stack(decoder)
        for stack in (self.encoder, self.decoder):
            for module in stack.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)
        self.register_load_state_dict_pre_hook(_with_names_of_today)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Read sources (B, S), all positions at once, with a token in each row.

        Returns the memory, (B, S, D), to which the decoder attends, and the mask, (B, 1, S), which
        is True at real tokens.
        """
        ids(source, "source", self.config.source_vocab_size)
        mask = (source != self.padding).unsqueeze(1)  # (B, 1, S)
        if not mask.any(dim=-1).all():
            raise ValueError("source must hold a token in each row, got a row of padding")
        x = self.source_embedding(source) * self._scale()
        return self.encoder(x, mask=mask), mask

    def decode(
        self,
        target: Tensor,
        memory: Tensor,
        memory_mask: Tensor | None = None,
        *,
        caches: Caches | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Read target tokens, and say after each of them what should come next.

        Parameters
        ----------
        target : Tensor of int64, shape (B, T)
            What the decoder reads, [BOS] first; with caches, only what is new. Padding may follow.
        memory, memory_mask : Tensor, shapes (B, S, D) and (B, 1, S)
            From `encode`; without the mask, all positions are seen.
        caches : Caches, optional
            From ``decoder.caches()``: what was read before. They are extended.
        need_weights : bool, default False
            Whether to return the weights of the cross-attention as well.

        Returns
        -------
        Tensor, shape (B, T, target_vocab_size)
            The scores of the next token; with `need_weights` a pair with the weights, a list of
            tensors (B, H, T, S), one for each block.
        """
        ids(target, "target", self.config.target_vocab_size)
        table = self._vectors()  # (V, D)
        y = functional.embedding(target, table) * self._scale()
        options: Any = {"context_mask": memory_mask, "caches": caches}
        if not need_weights:
            return functional.linear(self.decoder(y, memory, **options), table)
        y, weights = self.decoder(y, memory, **options, need_weights=True)
        return functional.linear(y, table), [of_context for _, of_context in weights]

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the scores of all next tokens, (B, T, V), with teacher forcing."""
        memory, mask = self.encode(source)
        return self.decode(target, memory, mask)

    def start(self, source: Tensor) -> State:
        """Encode sources (B, S); return the decoder's state before the first token."""
        return State(*self.encode(source), self.decoder.caches())

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one token per row, (B,); return the scores of the next, (B, V), and the state."""
        state = state._replace(caches=state.caches.copy())
        logits = self.decode(tokens[:, None], state.memory, state.mask, caches=state.caches)
        return logits[:, 0], state

    def _scale(self) -> float:
        return self.config.embedding_scale or math.sqrt(self.config.d_model)

    def _vectors(self) -> Tensor:
        """Return the vectors of all target tokens, (V, D)."""
        if isinstance(self.target_embedding, nn.Embedding):
            return self.target_embedding.weight
        numbers = torch.arange(self.config.target_vocab_size, device=next(self.parameters()).device)
        return self.target_embedding(numbers)


# How the weights were called before there was a `Stack`: state dicts from then can be loaded.
NAMES_BEFORE = {
    "encoder_blocks.": "encoder.blocks.",
    "decoder_blocks.": "decoder.blocks.",
    "encoder_norm.": "encoder.norm.",
    "decoder_norm.": "decoder.norm.",
}


def _with_names_of_today(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *rest: Any
) -> None:
    for name in list(state):
        for before, today in NAMES_BEFORE.items():
            if name.startswith(prefix + before):
                state[prefix + today + name.removeprefix(prefix + before)] = state.pop(name)


def _embedding(given: nn.Module | None, n: int, D: int, name: str) -> nn.Module:
    """Return the embedding that was passed in, or a new one."""
    if given is None:
        given = nn.Embedding(n, D)
        nn.init.normal_(given.weight, std=D**-0.5)
    got = tuple(getattr(given, size, None) for size in ("num_embeddings", "embedding_dim"))
    if got != (n, D):
        raise ValueError(f"{name} must have {n} vectors of {D} numbers, got {got}")
    return given
