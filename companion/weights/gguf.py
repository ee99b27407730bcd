"""GGUF files: a model in one file, most of its numbers in blocks of 4 or 8 bits.

The file begins with a head: how many tensors and settings, then the settings (a name, a type, a
value), then the tensors (name, sizes, kind of number, where their bytes begin). Then the bytes. A
block holds 32 numbers of one row, as small integers q, with one scale d, and in Q4_1 one offset m,
both of 16 bits::

    Q8_0: w = d q,     q of 8 bits, from -128 to 127   34 bytes for 32 numbers: 8.5 bits each
    Q4_1: w = d q + m, q of 4 bits, from 0 to 15       20 bytes for 32 numbers: 5 bits each

What this module leaves out: the twenty other kinds of blocks, big-endian files, and writing.

Used first in book/pretraining/llama.ipynb.
"""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from companion.arguments import came, instance

MAGIC, VERSIONS = b"GGUF", (2, 3)
NUMBERS = "BbHhIif?__Qqd"  # formats of `struct`, by the number of the type in a file
TEXT, LIST = 8, 9
BLOCKS = {0: ("F32", 1, 4), 1: ("F16", 1, 2), 3: ("Q4_1", 32, 20), 8: ("Q8_0", 32, 34)}


class Stored(NamedTuple):
    """A tensor as it lies in the file."""

    kind: str  # "F32", "F16", "Q4_1" or "Q8_0"
    shape: tuple[int, ...]  # as in PyTorch: the axis whose numbers lie side by side is the last
    blocks: np.ndarray  # (number of blocks, bytes of a block), uint8


class GGUF(NamedTuple):
    """What a GGUF file holds; made by `read_gguf`."""

    settings: dict[str, Any]
    tensors: dict[str, Stored]


def read_gguf(path: str | os.PathLike[str]) -> GGUF:
    """Read a GGUF file; `dequantize` turns one of its tensors into numbers.

    Raises
    ------
    ValueError
        If it is no such file, is cut off, or holds numbers of a kind that this module leaves out.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise TypeError(f"path must be the name of a file, got {came(path)}")
    try:
        data = Path(path).read_bytes()
    except ValueError as error:  # not of letters
        reason = type(error).__name__
        raise ValueError(f"path must be the name of a file, got {came(path)}: {reason}") from None
    try:
        return _Reader(data).file()
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be a whole GGUF file: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path} must be a GGUF file: {error}") from None


def dequantize(stored: Stored) -> np.ndarray:
    """Return the numbers of a tensor as float32, shaped as it says."""
    blocks = instance(stored, "stored", Stored).blocks
    if stored.kind in ("F32", "F16"):
        numbers = blocks.view("<f4" if stored.kind == "F32" else "<f2").astype(np.float32)
    elif stored.kind == "Q8_0":
        numbers = blocks[:, 2:].view(np.int8) * _halves(blocks[:, :2])
    else:
        integers = np.empty((len(blocks), 32), np.uint8)
        np.bitwise_and(blocks[:, 4:], 15, out=integers[:, :16])  # low halves of the bytes first
        np.right_shift(blocks[:, 4:], 4, out=integers[:, 16:])
        numbers = integers * _halves(blocks[:, :2])
        numbers += _halves(blocks[:, 2:4])
    return numbers.reshape(stored.shape)


def _halves(columns: np.ndarray) -> np.ndarray:
    """Return numbers of 16 bits, two bytes each, as a column of float32."""
    return np.ascontiguousarray(columns).view("<f2").astype(np.float32)


class _Reader:
    """A place in the bytes of a file, which moves on with all that is read."""

    def __init__(self, data: bytes):
        self.data, self.place = data, 0

    def file(self) -> GGUF:
        magic, version, n_tensors, n_settings = self.numbers("4sIQQ")
        if magic != MAGIC or version not in VERSIONS:
            raise ValueError(f"it begins with {magic!r} and version {version}")
        settings = {self.text(): self.value(*self.numbers("I")) for _ in range(n_settings)}
        heads = [self.head() for _ in range(n_tensors)]
        grid = settings.get("general.alignment", 32)
        if not isinstance(grid, int) or grid < 1:
            raise ValueError(f"general.alignment must be a size, got {grid!r}")
        start = -(-self.place // grid) * grid  # of the bytes of the tensors
        return GGUF(settings, {head[0]: self.tensor(start, *head) for head in heads})

    def numbers(self, form: str) -> tuple:
        self.place += struct.calcsize(f"<{form}")
        return struct.unpack_from(f"<{form}", self.data, self.place - struct.calcsize(f"<{form}"))

    def text(self) -> str:
        (length,) = self.numbers("Q")
        self.place += length
        if self.place > len(self.data):
            raise ValueError(f"it ends inside a text of {length} bytes")
        return self.data[self.place - length : self.place].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == TEXT:
            return self.text()
        if kind == LIST:
            kind, count = self.numbers("IQ")
            if kind == TEXT:
                return [self.value(kind) for _ in range(count)]
            return list(self.numbers(f"{count}{_form(kind)}"))
        return self.numbers(_form(kind))[0]

    def head(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self.text()
        (n_axes,) = self.numbers("I")
        if n_axes > 8:
            raise ValueError(f"tensor {name!r} has {n_axes} axes")
        shape = self.numbers(f"{n_axes}Q")[::-1]  # in the file, the innermost comes first
        return name, shape, *self.numbers("IQ")

    def tensor(self, start: int, name: str, shape: tuple[int, ...], kind: int, at: int) -> Stored:
        if kind not in BLOCKS:
            known = ", ".join(block[0] for block in BLOCKS.values())
            raise ValueError(f"tensor {name!r} must be one of {known}, got kind {kind}")
        word, numbers, size = BLOCKS[kind]
        n_blocks, rest = divmod(math.prod(shape), numbers)
        end = start + at + n_blocks * size
        if rest or (shape and shape[-1] % numbers) or end > len(self.data):
            raise ValueError(f"tensor {name!r} of shape {shape} does not fit into it")
        data = np.frombuffer(self.data, np.uint8, n_blocks * size, start + at)
        return Stored(word, shape, data.reshape(n_blocks, size))


def _form(kind: int) -> str:
    if kind >= len(NUMBERS) or NUMBERS[kind] == "_":
        raise ValueError(f"it holds a value of type {kind}, which is none")
    return NUMBERS[kind]
