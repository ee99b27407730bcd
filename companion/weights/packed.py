"""Packed weights: the numbers of a model as text, small enough to travel in a page.

A page holds integers of 8 bits, with one scale per row i of a matrix::

    q_ij = round(w_ij / s_i),   s_i = max over j of |w_ij| / 63;   read again:  w_ij = s_i q_ij

With 63 in place of 127, compression (zlib) leaves 7 bits of each integer, and what the course's
models write stays the same. Vectors stay in 32 bits: they are few. All is written as text (base64).

Used first in book/transformer/translation.ipynb.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from companion.arguments import instance

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 63  # integers from -63 to 63


class Packed(NamedTuple):
    """Vectors and matrices as text; made by `pack`."""

    shapes: dict[str, list[int]]  # of all weights, in the order of their numbers
    data: str  # all vectors and scales (32 bits), then all matrices (8 bits)


def pack(tensors: Mapping[str, Tensor]) -> Packed:
    """Round the matrices of a state dict to 8 bits, and write all of it as text.

    Examples
    --------
    >>> import torch
    >>> packed = pack({"weight": torch.tensor([[0.63, -0.214]])})
    >>> unpack(packed)["weight"]  # the scale is 0.01
    tensor([[ 0.6300, -0.2100]])
    """
    floats, integers, shapes = [], [], {}
    import torch

    for name, value in instance(tensors, "tensors", Mapping).items():
        numbers = instance(value, f"{name}", torch.Tensor).detach().cpu().float().numpy()
        if numbers.ndim not in (1, 2) or numbers.size == 0:
            raise ValueError(f"{name} must be a vector or a matrix, got {tuple(value.shape)}")
        if not np.isfinite(numbers).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
        shapes[name] = list(numbers.shape)
        if numbers.ndim == 2:
            scales = (np.abs(numbers).max(axis=1) / LEVELS).astype("<f4")
            scales[scales == 0] = 1  # of a row of zeros, or nearly so
            integers.append(np.rint(numbers / scales[:, None]).clip(-LEVELS, LEVELS))
            numbers = scales
        floats.append(numbers.astype("<f4"))
    data = b"".join(part.tobytes() for part in floats)
    data += b"".join(part.astype(np.int8).tobytes() for part in integers)
    return Packed(shapes, base64.b64encode(zlib.compress(data, 9)).decode("ascii"))


def unpack(packed: Packed) -> dict[str, Tensor]:
    """Read packed weights again, rounded as they are."""
    import torch

    try:
        data = zlib.decompress(base64.b64decode(instance(packed, "packed", Packed).data))
    except (ValueError, zlib.error) as error:
        raise ValueError(f"packed.data must be whole: {error}") from None
    n_floats = sum(shape[0] for shape in packed.shapes.values())
    n_integers = sum(shape[0] * shape[1] for shape in packed.shapes.values() if len(shape) == 2)
    if len(data) != 4 * n_floats + n_integers:
        wanted = f"{4 * n_floats + n_integers} bytes, as packed.shapes say"
        raise ValueError(f"packed.data must hold {wanted}, got {len(data)}")
    floats = np.frombuffer(data[: 4 * n_floats], "<f4")
    integers = np.frombuffer(data[4 * n_floats :], np.int8)
    tensors: dict[str, Tensor] = {}
    for name, (rows, *columns) in packed.shapes.items():
        numbers, floats = floats[:rows], floats[rows:]
        if columns:
            size = rows * columns[0]
            numbers = integers[:size].reshape(rows, -1) * numbers[:, None]
            integers = integers[size:]
        tensors[name] = torch.tensor(numbers.copy())
    return tensors
