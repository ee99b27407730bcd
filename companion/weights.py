"""Weights: the numbers of a trained model, in a folder, or as text in a page.

A folder holds ``model.safetensors`` and ``config.json``. A page holds integers of 8 bits, with one
scale per row i of a matrix::

    q_ij = round(w_ij / s_i),   s_i = max over j of |w_ij| / 63;   read again:  w_ij = s_i q_ij

With 63 in place of 127, compression (zlib) leaves 7 bits of each integer, and what the course's
models write stays the same. Vectors stay in 32 bits: they are few. All is written as text (base64).

Used first in book/transformer/translation.ipynb.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from companion.arguments import came, instance

if TYPE_CHECKING:
    from torch import Tensor, nn

LEVELS = 63  # integers from -63 to 63
WEIGHTS, CONFIG = "model.safetensors", "config.json"


def save(folder: str | Path, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
    """Write a model into a folder; each of its two files is whole at any time.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there. Other files in it stay.
    tensors, config : mapping
        Names to tensors, such as a state dict; and what `json` can write.
    """
    import torch
    from safetensors.torch import save as as_bytes

    place = _folder(folder)
    for name, value in instance(tensors, "tensors", Mapping).items():
        instance(name, "a name in tensors", str)
        instance(value, f"tensors[{name!r}]", torch.Tensor)
        if value.is_meta or value.layout != torch.strided:
            kind = "one without numbers" if value.is_meta else str(value.layout)
            raise ValueError(f"tensors[{name!r}] must be a dense Tensor, got {kind}")
    instance(config, "config", Mapping)
    try:
        written = json.dumps(dict(config), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise type(error)(f"config must hold what JSON can: {error}") from None
    place.mkdir(parents=True, exist_ok=True)
    # A copy of each: two names of one tensor, or a view, are no business of a file.
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    # Not `save_file`: what it writes, nobody else on the machine may read.
    contents = {WEIGHTS: as_bytes(copies, {"format": "pt"}), CONFIG: written.encode()}
    parts = {name: place / f".{name}.{os.getpid()}" for name in contents}
    try:
        for name, part in parts.items():
            with part.open("wb") as file:
                file.write(contents[name])
                file.flush()
                os.fsync(file.fileno())
        for name, part in parts.items():
            part.replace(place / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def load(folder: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the configuration of a model; `fill` puts the tensors into a module.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or one of its two files is missing.
    ValueError
        If a file is damaged, or something else: a pickle is not opened, since it can run programs.
    """
    from safetensors import SafetensorError, safe_open

    place = _folder(folder)
    for name in (WEIGHTS, CONFIG):
        if not (place / name).is_file():
            raise FileNotFoundError(f"folder must hold {name}, got {place} without it")
    with (place / WEIGHTS).open("rb") as file:
        start = file.read(9)  # of a safetensors file: the length of its header in 8 bytes, then "{"
    if start[8:] != b"{" and (start[:1] == b"\x80" or start[:2] == b"PK"):
        raise ValueError(f"{place / WEIGHTS} must be a safetensors file, got a pickle")
    try:
        with safe_open(place / WEIGHTS, "pt") as file:
            # Copies: else they lie in the file, change with it, and Windows lets nobody replace it.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{place / WEIGHTS} must be a whole safetensors file: {error}") from None
    try:
        config = json.loads((place / CONFIG).read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{place / CONFIG} must be JSON: {error}") from None
    if not isinstance(config, dict):
        raise ValueError(f"{place / CONFIG} must hold an object, got {type(config).__name__}")
    return tensors, config


def fill(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put tensors into a model; every one must have its place, and every place its tensor.

    Examples
    --------
    >>> import torch
    >>> fill(torch.nn.Linear(3, 2), {"weight": torch.zeros(3, 2), "bias": torch.zeros(2)})
    Traceback (most recent call last):
        ...
    ValueError: tensors['weight'] must have the shape (2, 3), got (3, 2)
    """
    import torch

    wanted = instance(model, "model", torch.nn.Module).state_dict()
    instance(tensors, "tensors", Mapping)
    if missing := sorted(wanted.keys() - tensors.keys()):
        raise ValueError(f"tensors must hold all weights of the model, {_first(missing)} missing")
    if surplus := sorted(tensors.keys() - wanted.keys()):
        raise ValueError(f"tensors must hold weights of the model only, got {_first(surplus)}")
    for name, value in wanted.items():
        if instance(tensors[name], f"tensors[{name!r}]", torch.Tensor).shape != value.shape:
            shape, got = tuple(value.shape), tuple(tensors[name].shape)
            raise ValueError(f"tensors[{name!r}] must have the shape {shape}, got {got}")
        if _kind(value) != _kind(tensors[name]):  # such as integers of 8 bits, without their scale
            kinds = f"as {value.dtype}, got {tensors[name].dtype}"
            raise TypeError(f"tensors[{name!r}] must hold numbers of the same kind {kinds}")
    model.load_state_dict(dict(tensors))


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


def _folder(folder: Any) -> Path:
    if not isinstance(folder, str | Path) or not str(folder):
        raise TypeError(f"folder must be the path of a folder, got {came(folder)}")
    try:
        os.stat(folder)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # too long, or not of letters
        reason = type(error).__name__
        raise ValueError(f"folder must be a path, got {came(folder)}: {reason}") from None
    return Path(folder)


def _kind(x: Any) -> tuple[bool, bool]:
    return x.is_floating_point(), x.is_complex()


def _first(names: list[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more
