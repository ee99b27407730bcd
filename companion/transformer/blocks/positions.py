"""Positions: how a model that compares all tokens at once learns in which order they stand.

Position p gets D / 2 clock hands, the i-th turning by w_i = 10000**(-2 i / D) per position::

    PE(p)[2 i] = sin(p w_i),        PE(p)[2 i + 1] = cos(p w_i)

Moving by k positions turns hand i by the angle k w_i, wherever p is. So PE(p + k) is a rotation of
PE(p) that depends on k only, and so is the inner product, the sum of cos(k w_i). `rotate` turns
queries and keys by these angles, where `sinusoidal_positions` adds the hands to the embedding.

References (in full in the chapter's bibliography): Vaswani and others (2017), section 3.5; Devlin
and others (2019), learned; Su and others (2024), rotary; Press, Smith and Lewis (2022), biases.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from companion.arguments import between, integer
from companion.transformer.blocks.layers import check_floating

BASE = 10000.0


def sinusoidal_positions(
    length: int, d_model: int, *, start: int = 0, base: float = BASE, device: Any = None
) -> Tensor:
    """Return the sinusoidal encodings of the positions from `start` on.

    Parameters
    ----------
    length : int
        Positions T; may be 0.
    d_model : int
        Width D of an encoding, an even number.
    start : int, default 0
        The first position.
    base : float, default 10000
        The slowest hand turns by about ``1 / base`` per position.
    device : optional
        Where the result is to be.

    Returns
    -------
    Tensor, shape (T, D)
        Of PyTorch's default type; computed in float64.

    Raises
    ------
    TypeError, ValueError
        If a size is no integer in its range, D is odd, or `base` is not greater than 1.

    References
    ----------
    Vaswani et al. (2017), section 3.5.

    Examples
    --------
    >>> sinusoidal_positions(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    T, D = integer(length, "length", 0), _even(d_model, "d_model")
    angles = _angles(T, D, start, base)  # (T, D/2)
    hands = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # (T, D)
    return hands.to(device=device, dtype=torch.get_default_dtype())


class SinusoidalPositions(nn.Module):
    """Add the sinusoidal encoding of its position to each token. There is nothing to learn.

    Parameters
    ----------
    max_length : int
        Longest sequence.
    d_model : int
        Width D of a token, an even number.

    Attributes
    ----------
    table : Tensor, shape (max_length, D)
        A buffer: it moves with the model, and is computed again instead of being saved.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer, or D is odd.

    Examples
    --------
    >>> positions = SinusoidalPositions(10, 4)
    >>> positions(torch.zeros(1, 1, 4), start=1)
    tensor([[[0.8415, 0.5403, 0.0100, 0.9999]]])
    """

    table: Tensor

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        table = sinusoidal_positions(integer(max_length, "max_length", 1), d_model)
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: Tensor, *, start: int = 0) -> Tensor:
        """Return x, shape (B, T, D), plus the encodings of positions `start`, `start` + 1, ..."""
        return x + _rows(self.table, x, start)


class PositionEmbedding(nn.Module):
    """Add a learned vector for its position to each token, as BERT, GPT and ViT do.

    Parameters
    ----------
    max_length : int
        Longest sequence: there is one vector per position, and none beyond.
    d_model : int
        Width D of a token.

    Attributes
    ----------
    weight : Parameter, shape (max_length, D)
        Drawn at first from a normal distribution with standard deviation 0.02, as in BERT and GPT.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer.

    References
    ----------
    Devlin et al. (2019).

    Examples
    --------
    >>> positions = PositionEmbedding(10, 4)
    >>> positions(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        max_length, D = integer(max_length, "max_length", 1), integer(d_model, "d_model", 1)
        self.weight = nn.Parameter(0.02 * torch.randn(max_length, D))

    def forward(self, x: Tensor, *, start: int = 0) -> Tensor:
        """Return x, shape (B, T, D), plus the vectors of positions `start`, `start` + 1, ..."""
        return x + _rows(self.weight, x, start)


def rotate(x: Tensor, *, start: int = 0, base: float = BASE) -> Tensor:
    """Turn each pair of numbers of a query or key by an angle that grows with its position.

    The inner product of a rotated query and a rotated key depends on what they contain and on the
    distance of their positions, not on the positions themselves.

    Parameters
    ----------
    x : Tensor, shape (..., T, d)
        Queries or keys of one sequence, d even. Numbers 2 i and 2 i + 1 are a pair.
    start : int, default 0
        Position of the first row.
    base : float, default 10000
        As in `sinusoidal_positions`.

    Returns
    -------
    Tensor, shape of `x`
        Of the same lengths.

    Raises
    ------
    TypeError, ValueError
        If `x` is no such tensor, or a setting is out of range.

    References
    ----------
    Su et al. (2024), section 3.4.2.

    Examples
    --------
    >>> rotate(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.0000, 0.0000],
            [0.5403, 0.8415]])
    """
    check_floating(x, "x")
    if x.dim() < 2 or x.shape[-1] % 2 or x.shape[-1] == 0:
        raise ValueError(f"x must have the shape (..., T, d) with d even, got {tuple(x.shape)}")
    angles = _angles(x.shape[-2], x.shape[-1], start, base)  # (T, d/2)
    sin, cos = angles.sin().to(x), angles.cos().to(x)
    even, odd = x[..., 0::2], x[..., 1::2]  # (..., T, d/2)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def linear_biases(length: int, n_heads: int, *, past: int = 0, device: Any = None) -> Tensor:
    """Return what is added to the scores of attention so that nearer tokens count more (ALiBi).

    Head number h = 1 ... H subtracts 2**(-8 h / H) for each step of distance.

    Parameters
    ----------
    length : int
        Positions T that ask.
    n_heads : int
        Heads H.
    past : int, default 0
        Positions before them: what a cache holds.
    device : optional
        Where the result is to be.

    Returns
    -------
    Tensor, shape (H, T, past + T)
        0 for the position itself, falling on both sides. It comes beside a causal mask, not in
        place of it.

    Raises
    ------
    TypeError, ValueError
        If a number is no integer in its range.

    References
    ----------
    Press et al. (2022), section 3. Where H is no power of two, their code takes other slopes.

    Examples
    --------
    >>> linear_biases(3, 2)[0]  # a slope of 1/16
    tensor([[ 0.0000, -0.0625, -0.1250],
            [-0.0625,  0.0000, -0.0625],
            [-0.1250, -0.0625,  0.0000]])
    """
    T, H = integer(length, "length", 0), integer(n_heads, "n_heads", 1)
    keys = torch.arange(integer(past, "past", 0) + T, device=device)  # (past + T,)
    distance = (keys[past:, None] - keys).abs()  # (T, past + T)
    slopes = 2.0 ** (-8.0 * torch.arange(1, H + 1, device=device) / H)  # (H,)
    return slopes[:, None, None] * -distance


def _angles(length: int, d: int, start: int, base: float) -> Tensor:
    """Return p w_i for all positions p and d / 2 hands, (T, d/2), in float64 and on the CPU.

    In float32 the angle of position 100,000 would be wrong by 0.004; some devices have no float64.
    """
    between(1, base, math.inf, "base")
    start = integer(start, "start", 0)
    p = torch.arange(start, start + length, dtype=torch.float64)
    w = base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    return p[:, None] * w


def _rows(table: Tensor, x: Tensor, start: int) -> Tensor:
    """Return the rows of a table that belong to the tokens of x; check that there are enough."""
    check_floating(x, "x")
    longest, D = table.shape
    if x.dim() < 2 or x.shape[-1] != D:
        raise ValueError(f"x must have the shape (B, T, {D}), got {tuple(x.shape)}")
    start, T = integer(start, "start", 0), x.shape[-2]
    if start + T > longest:
        raise ValueError(f"there are {longest} positions, but x needs {start + T}")
    return table[start : start + T].to(x.dtype)


def _even(value: Any, name: str) -> int:
    if integer(value, name, 1) % 2:
        raise ValueError(f"{name} must be even, got {value}")
    return int(value)
