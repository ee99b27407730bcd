"""Batches: what a training shows in one go, from a pair of tensors or from any source.

A batch is a dict of tensors with the same first axis, its rows. A source is a function of a
torch.Generator that makes the batches of an epoch, anew each time; `source_of` makes one of inputs
and targets, and watches over what others make.

Used first in book/basics/training.ipynb.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from companion.arguments import came

Batch = dict[str, Tensor]
Source = Callable[[torch.Generator], Iterable[Batch]]  # makes the batches of an epoch
Data = tuple[Tensor, Tensor] | Source  # inputs (N, ...) and targets (N, ...), or batches


def source_of(
    data: Data, name: str, batch_size: int, *, least: int = 1, shuffled: bool = False
) -> Source:
    """Return the source of batches of `batch_size` rows; a last one with fewer than `least` joins.

    Of a pair of tensors, a batch has the keys "inputs" and "targets". A source makes its own.
    """
    if callable(data):
        return lambda generator: _checked(data(generator), name)
    _check_pair(data, name)

    def source(generator: torch.Generator) -> Iterator[Batch]:
        n = len(data[0])
        order = torch.randperm(n, generator=generator) if shuffled else torch.arange(n)
        parts = list(order.split(batch_size))
        if len(parts) > 1 and len(parts[-1]) < least:
            parts[-2:] = [torch.cat(parts[-2:])]
        for part in parts:
            inputs, targets = (tensor[part.to(tensor.device)] for tensor in data)
            yield {"inputs": inputs, "targets": targets}

    return source


def groups(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Yield the batches of each step; the last may have fewer."""
    rest = iter(batches)
    while group := list(itertools.islice(rest, size)):
        yield group


def n_rows(batch: Batch) -> int:
    """Count the rows of a batch."""
    return len(next(iter(batch.values())))


def fingerprint(
    data: Iterable[Tensor] | Source | None, seed: int = 0, *, name: str = "data"
) -> str | None:
    """Return the SHA-256 of tensors (types, shapes, values), or of the first batch of a source."""
    if callable(data):
        batches = _checked(data(torch.Generator().manual_seed(seed)), name)
        data = tuple(next(iter(batches), {}).values())
    if data is None:
        return None
    total = hashlib.sha256()
    for tensor in data:
        total.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        total.update(content.numpy().tobytes())
    return total.hexdigest()


def _checked(batches: Any, name: str) -> Iterator[Batch]:
    """Yield the batches of a source, or say what is wrong with one."""
    if not isinstance(batches, Iterable):
        raise TypeError(f"{name} must return batches, returned {came(batches)}")
    for batch in batches:
        if not isinstance(batch, Mapping) or not all(isinstance(v, Tensor) for v in batch.values()):
            raise TypeError(
                f"{name} must make batches that are dicts of tensors, got {came(batch)}"
            )
        shapes = {key: tuple(value.shape) for key, value in batch.items()}
        rows = {shape[:1] for shape in shapes.values()}
        if len(rows) != 1 or rows & {(), (0,)}:
            wanted = "batches of tensors with the same first axis, 1 or more"
            raise ValueError(f"{name} must make {wanted}, got {shapes}")
        yield dict(batch)


def _check_pair(value: Any, name: str) -> None:
    """Refuse what is not inputs and targets."""
    if not isinstance(value, tuple) or [isinstance(part, Tensor) for part in value] != [True, True]:
        wanted = "a tuple of two tensors, inputs and targets, or a function that makes batches"
        raise TypeError(f"{name} must be {wanted}, got {came(value)}")
    if 0 in (value[0].ndim, value[1].ndim) or not 0 < len(value[0]) == len(value[1]):
        shapes = " and ".join(str(tuple(part.shape)) for part in value)
        wanted = "as many inputs as targets, 1 or more"
        raise ValueError(f"{name} must have {wanted}, got the shapes {shapes}")
    for part in value:
        if part.is_floating_point() and not torch.isfinite(part).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
