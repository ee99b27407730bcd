"""Folders: a model on disk, in files that anyone can read.

A folder holds ``model.safetensors`` (the numbers), ``config.json`` (what the model is), and, where
they are given, ``tokenizer.json`` and ``README.md``, the *model card*: what the model was made
from, how, and what it cannot do.

Used first in book/transformer/translation.ipynb.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion.arguments import came, instance

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS, CONFIG, TOKENIZER, CARD = "model.safetensors", "config.json", "tokenizer.json", "README.md"


def save(
    folder: str | Path,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, Any],
    tokenizer: Any = None,
    card: str | None = None,
) -> None:
    """Write a model into a folder; each of its files is whole at any time.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there. Other files in it stay.
    tensors, config : mapping
        Names to tensors, such as a state dict; and what `json` can write.
    tokenizer : optional
        One with a method ``save(path)`` that writes a ``tokenizer.json``, or the text of one.
    card : str, optional
        The text of the model card.
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
    extra = {} if tokenizer is None else {TOKENIZER: _bytes(_tokenizer(tokenizer), "tokenizer")}
    extra |= {} if card is None else {CARD: _bytes(instance(card, "card", str), "card")}
    # A copy of each: two names of one tensor, or a view, are no business of a file.
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    # Not `save_file`: what it writes, nobody else on the machine may read.
    contents = {WEIGHTS: as_bytes(copies, {"format": "pt"}), CONFIG: written.encode(), **extra}
    write(place, contents)


def write(place: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder: all of them beside their places first, then into their places."""
    place.mkdir(parents=True, exist_ok=True)
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


def _bytes(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # half of a letter
        raise ValueError(f"{name} must be a text that can be written: {error}") from None


def _tokenizer(tokenizer: Any) -> str:
    """Return the text of a tokenizer.json."""
    if not isinstance(tokenizer, str):
        if not callable(getattr(tokenizer, "save", None)):
            wanted = "tokenizer must have a method save(path) or be the text of a tokenizer.json"
            raise TypeError(f"{wanted}, got {came(tokenizer)}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / TOKENIZER
            tokenizer.save(str(path))
            return path.read_text("utf-8")
    try:
        whole = isinstance(json.loads(tokenizer), dict)
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"tokenizer must be the text of a tokenizer.json, got {came(tokenizer)}")
    return tokenizer
