"""Positions: how a model that compares all tokens at once learns in which order they stand.

Position p gets D / 2 clock hands, the i-th turning by w_i = 10000**(-2 i / D) per position::

    PE(p)[2 i] = sin(p w_i),        PE(p)[2 i + 1] = cos(p w_i)

Moving by k positions turns hand i by the angle k w_i, wherever p is. So PE(p + k) is a rotation of
PE(p) that depends on k only, and so is the inner product, the sum of cos(k w_i). `rotate` turns
queries and keys by these angles, where `sinusoidal_positions` adds the hands to the embedding.

Positions follow each other from ``start`` on, unless a tensor of them is given, (T,) or (B, T):
`count_positions` makes it for sequences that are padded on the left. Elsewhere `length` is their
number T, `base` is the 10000 above: the slowest hand turns by about 1 / base per position. D, or d
for the width of a head, must be even where there are hands. Tables have `max_length` rows, for the
longest sequence; what is computed is a buffer, which moves with the model and is not saved.

References (in full in the chapter's bibliography): Vaswani and others (2017), section 3.5; Devlin
and others (2019), learned; Su and others (2024), section 3.4.2, rotary; Press, Smith and Lewis
(2022), section 3, biases.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from companion.arguments import between, flag, integer, size, tensor

BASE = 10000.0


def sinusoidal_positions(
    length: int, d_model: int, *, start: int = 0, base: float = BASE, device: Any = None
) -> Tensor:
    """Return the sinusoidal encodings of T positions, (T, D), in PyTorch's default type.

    Examples
    --------
    >>> sinusoidal_positions(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    angles = _angles(size(length, "length", 0), _even(d_model, "d_model"), start, base)
    hands = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # (T, D)
    return hands.to(device=device, dtype=torch.get_default_dtype())


class SinusoidalPositions(nn.Module):
    """Add the sinusoidal encoding of its position to each token, from a ``table`` (max_length, D).

    Examples
    --------
    >>> positions = SinusoidalPositions(10, 4)
    >>> positions(torch.zeros(1, 1, 4), start=1)
    tensor([[[0.8415, 0.5403, 0.0100, 0.9999]]])
    """

    table: Tensor

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        table = sinusoidal_positions(size(max_length, "max_length"), d_model)
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: Tensor, *, start: int = 0, positions: Tensor | None = None) -> Tensor:
        """Return x, shape (B, T, D), plus the encodings of its positions."""
        return x + _rows(self.table, x, start, positions)


class PositionEmbedding(nn.Module):
    """Add a learned vector for its position to each token, as BERT, GPT and ViT do.

    ``weight``, (max_length, D), is drawn at first from a normal distribution with standard
    deviation 0.02, as in BERT and GPT.

    Examples
    --------
    >>> positions = PositionEmbedding(10, 4)
    >>> positions(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        max_length, D = size(max_length, "max_length"), size(d_model, "d_model")
        self.weight = nn.Parameter(0.02 * torch.randn(max_length, D))

    def forward(self, x: Tensor, *, start: int = 0, positions: Tensor | None = None) -> Tensor:
        """Return x, shape (B, T, D), plus the vectors of its positions."""
        return x + _rows(self.weight, x, start, positions)


def rotate(x: Tensor, *, start: int = 0, base: float = BASE) -> Tensor:
    """Turn each pair of numbers of a query or key by an angle that grows with its position.

    The inner product of a rotated query and a rotated key depends on what they contain and on the
    distance of their positions, not on the positions themselves. Numbers 2 i and 2 i + 1 of x,
    shape (..., T, d), are a pair; its length stays.

    Examples
    --------
    >>> rotate(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.0000, 0.0000],
            [0.5403, 0.8415]])
    """
    tensor(x, "x", (..., "T", "d"))
    angles = _angles(x.shape[-2], _even(x.shape[-1], "the last axis of x"), start, base)
    return _turn(x, angles.cos().to(x), angles.sin().to(x), halves=False)


class RotaryPositions(nn.Module):
    """Rotate queries and keys as `rotate` does: what `MultiHeadAttention` takes as ``rotary``.

    Its tables ``cos`` and ``sin`` are (max_length, d/2). With `halves`, the numbers i and i + d/2
    are a pair, as in the weights of Llama that the transformers library reads, not 2 i and 2 i + 1
    as in the paper.

    Examples
    --------
    >>> rotary = RotaryPositions(10, 2)
    >>> rotary(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([1]))
    tensor([[[[0.5403, 0.8415]]]])
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self, max_length: int, d: int, *, base: float = BASE, halves: bool = False
    ) -> None:
        super().__init__()
        angles = _angles(size(max_length, "max_length"), _even(d, "d"), 0, base)
        self.halves = flag(halves, "halves")
        for name, table in {"cos": angles.cos(), "sin": angles.sin()}.items():
            self.register_buffer(name, table.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        """Turn x, shape (B, heads, T, d), by its positions, shape (T,) or (B, T)."""
        tensor(x, "x", (..., "T", 2 * self.cos.shape[1]))
        _check_positions(positions, x, len(self.cos))
        cos, sin = self.cos[positions].to(x.dtype), self.sin[positions].to(x.dtype)
        if positions.dim() == 2:
            cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)  # (B, 1, T, d/2): the same for all heads
        return _turn(x, cos, sin, self.halves)


def _turn(x: Tensor, cos: Tensor, sin: Tensor, halves: bool) -> Tensor:
    """Turn the pairs of x, (..., T, d), by angles whose cosines and sines are (..., T, d/2)."""
    if halves:
        a, b = x.chunk(2, dim=-1)  # (..., T, d/2)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
    a, b = x[..., 0::2], x[..., 1::2]  # (..., T, d/2)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)


def linear_biases(length: int, n_heads: int, *, past: int = 0, device: Any = None) -> Tensor:
    """Return what is added to the scores of attention so that nearer tokens count more (ALiBi).

    Head number h = 1 ... H subtracts 2**(-8 h / H) for each step of distance. (The paper's code
    takes other slopes where H is no power of two.) The result, (H, T, past + T), is 0 for the
    position itself and falls on both sides: the ``biases`` of an attention whose cache holds `past`
    positions. They come beside a causal mask, not in place of it.

    Examples
    --------
    >>> linear_biases(3, 2)[0]  # a slope of 1/16
    tensor([[ 0.0000, -0.0625, -0.1250],
            [-0.0625,  0.0000, -0.0625],
            [-0.1250, -0.0625,  0.0000]])
    """
    T, H = size(length, "length", 0), size(n_heads, "n_heads")
    keys = torch.arange(size(past, "past", 0) + T, device=device)  # (past + T,)
    distance = (keys[past:, None] - keys).abs()  # (T, past + T)
    slopes = 2.0 ** (-8.0 * torch.arange(1, H + 1, device=device) / H)  # (H,)
    return slopes[:, None, None] * -distance


def count_positions(mask: Tensor) -> Tensor:
    """Return the positions of tokens that may be padded on the left: only real ones count.

    The mask (B, T) is True at real tokens. The padding before the first has the position 0, too.

    Examples
    --------
    >>> count_positions(torch.tensor([[False, False, True, True], [True, True, True, True]]))
    tensor([[0, 0, 0, 1],
            [0, 1, 2, 3]])
    """
    tensor(mask, "mask", ("B", "T"), dtype=torch.bool)
    return (mask.cumsum(dim=1) - 1).clamp(min=0)


def _angles(length: int, d: int, start: int, base: float) -> Tensor:
    """Return p w_i for all positions p and d / 2 hands, (T, d/2), in float64 and on the CPU.

    In float32 the angle of position 100,000 would be wrong by 0.004; some devices have no float64.
    """
    between(1, base, math.inf, "base")
    start = integer(start, "start", 0)
    p = torch.arange(start, start + length, dtype=torch.float64)
    w = base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    return p[:, None] * w


def _rows(table: Tensor, x: Tensor, start: int, positions: Tensor | None) -> Tensor:
    """Return the rows of a table that belong to the tokens of x, (T, D) or (B, T, D)."""
    T = tensor(x, "x", (..., "T", table.shape[1])).shape[-2]
    start = integer(start, "start", 0)
    if positions is not None:
        if start:
            raise ValueError(f"positions take the place of start: got both, start = {start}")
        _check_positions(positions, x, len(table))
        return table[positions].to(x.dtype)
    if start + T > len(table):
        raise ValueError(f"there are {len(table)} positions, but x needs {start + T}")
    return table[start : start + T].to(x.dtype)


def _check_positions(positions: Tensor, x: Tensor, longest: int) -> None:
    """Refuse what a table has no rows for; on a GPU, its kernel does so without a halt for us."""
    T, rows = x.shape[-2], isinstance(positions, Tensor) and positions.dim() > 1
    tensor(positions, "positions", (len(x), T) if rows else (T,), dtype=torch.int64)
    if positions.numel() and positions.device.type == "cpu":
        low, high = (int(one) for one in positions.aminmax())
        if low < 0 or high >= longest:
            raise ValueError(f"positions must be from 0 to {longest - 1}, got {low} to {high}")


def _even(value: Any, name: str) -> int:
    if size(value, name) % 2:
        raise ValueError(f"{name} must be even, got {value}")
    return value
