"""The whole Transformer against `nn.Transformer`, and decoding with its cache against without.

A training step is the loss, its gradients and a step of Adam, on sentences of 64 tokens with some
padding; both sides have the same embeddings, positions and last layer around their blocks. The aim
is to be no slower. Fifty tokens for 16 sentences have to be written at least three times faster
with the cache than without, by the same model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.harness import Result, compare
from companion.transformer.attention import causal_mask
from companion.transformer.blocks import SinusoidalPositions
from companion.transformer.translation import (
    Transformer,
    TransformerConfig,
    smooth_cross_entropy,
)

B, T, D, H, HIDDEN, LAYERS, V = 16, 64, 256, 8, 1024, 2, 1000
PAD, BOS = 0, 2
WRITTEN = 50  # tokens


class LibraryTransformer(nn.Module):
    """What a reader would build around `nn.Transformer`, of the same sizes as ours."""

    def __init__(self) -> None:
        super().__init__()
        self.source_embedding, self.target_embedding = nn.Embedding(V, D), nn.Embedding(V, D)
        self.positions = SinusoidalPositions(T, D)
        self.body = nn.Transformer(D, H, LAYERS, LAYERS, HIDDEN, dropout=0.0, batch_first=True)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the scores of all next tokens, (B, T, V)."""
        x = self.positions(self.source_embedding(source) * D**0.5)
        y = self.positions(self.target_embedding(target) * D**0.5)
        padding = source == PAD
        y = self.body(
            x,
            y,
            tgt_mask=~causal_mask(target.shape[1]),
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return y @ self.target_embedding.weight.T


def measure() -> list[Result]:
    """Time a training step of ours and of PyTorch's, and decoding with and without the cache."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "n_encoder_layers": LAYERS,
        "n_decoder_layers": LAYERS,
        "d_hidden": HIDDEN,
    }
    config = TransformerConfig(V, V, d_model=D, n_heads=H, dropout=0.0, **sizes)
    source, target = torch.randint(4, V, (B, T)), torch.randint(4, V, (B, T))
    source[: B // 2, -T // 8 :] = PAD
    steps = [training_step(model, source, target) for model in (Transformer(config), library())]
    name = "whole Transformer: training step"
    results = [compare(name, *steps, against="torch", runs=21)]
    model = Transformer(config).eval()
    source = source[:, :20]
    name = f"whole Transformer: {WRITTEN} tokens with the cache"
    writers = [lambda: with_cache(model, source), lambda: without_cache(model, source)]
    return [*results, compare(name, *writers, against="no cache", target=1 / 3, runs=7)]


def library() -> LibraryTransformer:
    """Return PyTorch's model without final normalisations, as ours has none with post-norm."""
    model = LibraryTransformer()
    model.body.encoder.norm = model.body.decoder.norm = None
    return model


def training_step(model: nn.Module, source: Tensor, target: Tensor) -> Callable[[], None]:
    """Return what is timed: loss, gradients and one step of Adam."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-4, fused=True)

    def run() -> None:
        optimizer.zero_grad()
        smooth_cross_entropy(model(source, target[:, :-1]), target[:, 1:]).backward()
        optimizer.step()

    return run


@torch.no_grad()
def with_cache(model: Transformer, source: Tensor) -> Tensor:
    """Write tokens, each step reading one."""
    state, tokens = model.start(source), torch.full((len(source),), BOS)
    written = [tokens]
    for _ in range(WRITTEN):
        scores, state = model.step(tokens, state)
        tokens = scores.argmax(dim=1)
        written.append(tokens)
    return torch.stack(written, dim=1)


@torch.no_grad()
def without_cache(model: Transformer, source: Tensor) -> Tensor:
    """Write tokens, each step reading all of them again."""
    memory, mask = model.encode(source)
    written = torch.full((len(source), 1), BOS)
    for _ in range(WRITTEN):
        scores = model.decode(written, memory, mask)[:, -1]
        written = torch.cat([written, scores.argmax(dim=1, keepdim=True)], dim=1)
    return written
