"""Checkpoints: a program's state, kept so that a kill in the middle of a write cannot harm it.

A checkpoint is a folder with two files: ``checkpoint-<token>-<n>.safetensors`` holds the tensors;
``checkpoint.json`` holds all else (numbers, texts, how it is nested), the name and the SHA-256 of
the other file, and a SHA-256 of itself. Both are written under a temporary name, flushed to the
disk and only then renamed. The JSON file comes last: at every moment, it names a complete file of
tensors. Reading verifies both sums; nothing is ever unpickled. The sums find damage; they are no
signature.

Other files in the folder stay as they are. The token is a random number of 128 bits, drawn for the
folder and written into its JSON file before anything else: only files of exactly these names are
ever replaced or removed, and a copy beside them stays. (A kill in the instant before that leaves a
small file, which stays.) What this module leaves out: two programs that write into one folder at
the same time.

Used first in book/basics/training.ipynb.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

FORMAT = "companion checkpoint 2"
INDEX = "checkpoint.json"
TEMPORARY = ".part"


def exists(folder: str | os.PathLike[str]) -> bool:
    """Tell whether there is a checkpoint to `read`, or a damaged one to refuse."""
    try:
        return _index(Path(folder))["tensors"] is not None
    except FileNotFoundError:
        return False
    except ValueError:
        return True


def write(folder: str | os.PathLike[str], state: Any) -> None:
    """Write a checkpoint; a kill at any moment leaves either the old one or the new one.

    Parameters
    ----------
    folder : path
        Made if it does not exist. A ``checkpoint.json`` that is damaged, or somebody else's, is
        left alone (ValueError).
    state : Tensor, number, str, bool, None, or a list, tuple or mapping of such
        What is to be kept, nested as you like, such as state dicts of models and optimisers.
        Tensors that share memory are stored one by one.
    """
    folder = Path(folder)
    tensors: dict[str, Tensor] = {}
    encoded = _encode(state, "state", tensors)
    content = save(tensors)

    folder.mkdir(parents=True, exist_ok=True)
    try:
        index = _index(folder)
    except FileNotFoundError:
        index = {"format": FORMAT, "token": secrets.token_hex(16), "number": 0, "tensors": None}
        _write_index(folder, index)
    index["number"] += 1
    index["tensors"] = f"checkpoint-{index['token']}-{index['number']}.safetensors"
    index |= {"sha256": hashlib.sha256(content).hexdigest(), "state": encoded}
    _replace(folder / index["tensors"], content, folder / (index["tensors"] + TEMPORARY))
    _write_index(folder, index)
    sweep(folder)


def sweep(folder: str | os.PathLike[str]) -> None:
    """Remove what earlier and interrupted calls of `write` have left beside the checkpoint."""
    folder = Path(folder)
    index = _index(folder)
    own = re.compile(rf"checkpoint-{index['token']}-\d+\.safetensors({re.escape(TEMPORARY)})?")
    for file in folder.iterdir():
        if own.fullmatch(file.name) and file.name != index["tensors"]:
            file.unlink(missing_ok=True)


def read(folder: str | os.PathLike[str]) -> Any:
    """Return the state that was given to `write`, bit for bit, with all tensors on the CPU.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no checkpoint; if a file is missing, truncated, changed, or of another format.

    Examples
    --------
    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(folder, {"epoch": 3, "weights": [torch.tensor([1.0, 2.0])]})
    ...     read(folder)
    {'epoch': 3, 'weights': [tensor([1., 2.])]}
    """
    folder = Path(folder)
    if not exists(folder):
        raise FileNotFoundError(f"no checkpoint in {folder}")
    index = _index(folder)
    file = folder / index["tensors"]
    if not file.is_file():
        raise ValueError(f"damaged checkpoint in {folder}: {file.name} is missing")
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != index["sha256"]:
        what = f"{file.name} was truncated or changed (its SHA-256 is {digest[:12]}...)"
        raise ValueError(f"damaged checkpoint in {folder}: {what}")
    return _decode(index["state"], load(content))


def _encode(value: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    """Turn a value into what JSON knows; tensors move into `tensors`, under their path."""
    if isinstance(value, Tensor):
        tensors[where] = value.detach().cpu().contiguous().clone()
        return {"$tensor": where}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list | tuple):
        items = [_encode(item, f"{where}[{i}]", tensors) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, Mapping):
        keys = list(value)
        if not all(type(key) in (int, str) for key in keys):
            raise TypeError(f"{where} must have keys of type str or int, got {keys!r}")
        items = {key: _encode(item, f"{where}[{key!r}]", tensors) for key, item in value.items()}
        if all(isinstance(key, str) and not key.startswith("$") for key in keys):
            return items
        return {"$items": [[key, item] for key, item in items.items()]}
    wanted = "a tensor, number, text, None, list, tuple or mapping"
    raise TypeError(f"{where} must be {wanted}, got {type(value).__name__}")


def _decode(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Undo `_encode`."""
    match value:
        case {"$tensor": name}:
            return tensors[name]
        case {"$tuple": items}:
            return tuple(_decode(item, tensors) for item in items)
        case {"$items": items}:
            return {key: _decode(item, tensors) for key, item in items}
        case dict():
            return {key: _decode(item, tensors) for key, item in value.items()}
        case list():
            return [_decode(item, tensors) for item in value]
    return value


def _index(folder: Path) -> dict[str, Any]:
    """Read and verify the JSON file."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
    except ValueError as error:
        what = f"{INDEX} was truncated or changed ({error})"
        raise ValueError(f"damaged checkpoint in {folder}: {what}") from None
    form = index.get("format") if isinstance(index, dict) else None
    if form != FORMAT:
        wanted = f"must have the format {FORMAT!r}"
        raise ValueError(f"the checkpoint in {folder} {wanted}, got {form!r}")
    if index.pop("seal", None) != _seal(index):
        what = f"{INDEX} was changed after it was written"
        raise ValueError(f"damaged checkpoint in {folder}: {what}")
    return index


def _write_index(folder: Path, index: dict[str, Any]) -> None:
    content = json.dumps(index | {"seal": _seal(index)}, indent=1).encode()
    _replace(folder / INDEX, content, folder / f"checkpoint-{index['token']}.json{TEMPORARY}")


def _seal(index: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the JSON file's content, whatever its layout."""
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()


def _replace(path: Path, content: bytes, temporary: Path) -> None:
    """Write a file such that it is never seen half-written, not even after a loss of power."""
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    if os.name == "posix":  # elsewhere, folders cannot be flushed
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
