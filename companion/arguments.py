"""Arguments: checked once, at the door, with an error that names what was wrong.

Each function takes what a caller gave and the name of the argument, returns it in the form in which
the code wants it, and raises TypeError or ValueError that says what was expected and what came. A
check then reads like a comment on the argument::

    >>> epochs, momentum = integer(20, "epochs", 1), share(0.9, "momentum")
    >>> x = finite([[0.5, 1.0]], "x", ("N", 3))
    Traceback (most recent call last):
        ...
    ValueError: x must have shape (N, 3), got (1, 2)

In a shape, a number stands for itself; a letter such as "N" for any size, the same letter for the
same size; ``...`` for any axes.

Used first in book/basics/networks.ipynb.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Kind = TypeVar("Kind")
Seed = int | np.random.Generator | None

LARGEST = 2**63 - 1  # what counts in a computer; 10**400 does not
LARGEST_SIZE = 2**24  # along one axis; more is a slip, and no memory holds two such axes


def array(values: Any, name: str) -> np.ndarray:
    """Return an array of any type, and refuse rows of unequal length."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # the last two: tensors with a gradient
        if isinstance(error, ValueError):
            raise ValueError(f"{name} must have rows of equal length, got {came(values)}") from None
        raise TypeError(f"{name} must be an array, got {came(values)}: {error}") from None


def real(values: ArrayLike, name: str, shape: Sequence[Any] | None = None) -> np.ndarray:
    """Return an array of floating-point numbers without NaN; infinity is allowed.

    Floating types stay as they are, whole numbers become float64: above 2**53 they are rounded, as
    all numbers are that are written with a point.
    """
    given = array(values, name)
    if given.dtype.kind in "iub":
        given = given.astype(np.float64)
    if given.dtype.kind != "f":
        raise TypeError(f"{name} must hold real numbers, got {given.dtype}")
    if np.isnan(given).any():
        raise ValueError(f"{name} must not contain NaN, got {np.isnan(given).sum()} NaN")
    if shape is not None and not _fits(given.shape, shape):
        raise ValueError(f"{name} must have shape {_form(shape)}, got {given.shape}")
    return given


def finite(values: ArrayLike, name: str, shape: Sequence[Any] | None = None) -> np.ndarray:
    """Return an array of finite floating-point numbers, as `real` does."""
    given = real(values, name, shape)
    if np.isinf(given).any():
        raise ValueError(f"{name} must be finite, got {given[np.isinf(given)][0]}")
    return given


def number(value: Any, name: str, least: float = -math.inf) -> float:
    """Return a finite number as a Python float, which widens no array's type."""
    result = _float(value, name)
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, got {came(value)}")
    if result < least:
        raise ValueError(f"{name} must be {least} or more, got {came(value)}")
    return result


def between(low: float, value: Any, high: float, name: str) -> float:
    """Return a number between two others, both excluded, as a Python float."""
    result = _float(value, name)
    if not low < result < high:
        limits = f"between {low} and {high}, both excluded"
        raise ValueError(f"{name} must lie {limits}, got {came(value)}")
    return result


def share(value: Any, name: str) -> float:
    """Return a number from 0 to 1, 1 excluded, as a Python float: how much is to be dropped."""
    result = _float(value, name)
    if not 0 <= result < 1:
        raise ValueError(f"{name} must be 0 or more and less than 1, got {came(value)}")
    return result


def integer(value: Any, name: str, least: float = -math.inf, most: float = LARGEST) -> int:
    """Return a whole number as a Python int; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {came(value)}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, got {came(value)}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, got {came(value)}")
    return int(value)


def size(value: Any, name: str, least: int = 1) -> int:
    """Return the length of an axis, from 1 (or `least`) to `LARGEST_SIZE`."""
    return integer(value, name, least, LARGEST_SIZE)


def divisor(value: Any, name: str, whole: int, of: str) -> int:
    """Return a size that divides another, `whole`, whose name is `of`."""
    part = size(value, name)
    if whole % part:
        raise ValueError(f"{name} must divide {of} = {whole}, got {part}")
    return part


def integers(
    values: Any, name: str, *, item: Callable[..., int] = size, least: int = 0
) -> list[int]:
    """Return whole numbers as a list; `least` is how many there must be.

    ``item(value, name)`` checks each of them: by default it is a size.

    Examples
    --------
    >>> integers([3, 0], "sizes")
    Traceback (most recent call last):
        ...
    ValueError: sizes must be 1 or more, got 0
    """
    wanted = f"{name} must be a sequence of {f'{least} or more ' if least else ''}integers"
    listed = isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim > 0)
    if isinstance(values, str | bytes) or not listed:
        raise TypeError(f"{wanted}, got {came(values)}")
    if len(values) < least:
        raise ValueError(f"{wanted}, got {came(values)}")
    return [item(value, name) for value in values]


def random_generator(seed: Seed) -> np.random.Generator:
    """Return NumPy's random generator for a seed.

    A generator comes back as it is; None means another one each time.
    """
    known = seed is None or isinstance(seed, np.random.Generator)
    return np.random.default_rng(seed if known else integer(seed, "seed", 0, math.inf))


def flag(value: Any, name: str) -> bool:
    """Return True or False; refuse what only counts as one of them, such as 1 or a text."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {came(value)}")
    return bool(value)


def choice(value: Any, name: str, options: Iterable[str]) -> str:
    """Return a text that is one of the options."""
    known = tuple(options)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be {' or '.join(map(repr, known))}, got {came(value)}")
    return value


def function(value: Any, name: str, meaning: str = "a function") -> Any:
    """Return what can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be {meaning}, got {came(value)}")
    return value


def instance(value: Any, name: str, kind: type[Kind]) -> Kind:
    """Return what belongs to a class."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        came_as = type(value).__name__
        raise TypeError(f"{name} must be {article} {kind.__name__}, got {came_as}")
    return value


def texts(values: Any, name: str, *, least: int = 1) -> list[str]:
    """Return texts as a list; one single text is refused, since its letters would be taken for it.

    `least` is how many there must be.

    Examples
    --------
    >>> texts("one text", "texts")
    Traceback (most recent call last):
        ...
    TypeError: texts must be a list of texts, got one text, 'one text'
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a list of texts, got one text, {values[:20]!r}")
    found = _listed(values, name, "a list of texts", least)
    for place, value in enumerate(found):
        if not isinstance(value, str):
            raise TypeError(f"{name}[{place}] must be a text, got {came(value)}")
    return found


def sentences(values: Any, name: str, *, least: int = 1) -> list[list[str]]:
    """Return sentences, each a list of words, as a list of lists.

    A sentence may be empty; a word is a text that is not. `least` is how many there must be.

    Examples
    --------
    >>> sentences(["one sentence"], "sentences")
    Traceback (most recent call last):
        ...
    TypeError: sentences[0] must be a list of words, got the text 'one sentence'
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a list of sentences, got {came(values)}")
    found = []
    for place, sentence in enumerate(_listed(values, name, "a list of sentences", least)):
        here = f"{name}[{place}]"
        if isinstance(sentence, str | bytes) or not isinstance(sentence, Sequence | np.ndarray):
            kind = "the text " if isinstance(sentence, str | bytes) else ""
            raise TypeError(f"{here} must be a list of words, got {kind}{came(sentence)}")
        words = _listed(sentence, here, "a list of words")
        for word in words:
            if not isinstance(word, str):
                raise TypeError(f"{here} must hold texts, got {came(word)}")
            if not word:
                raise ValueError(f"{here} must hold words, got an empty text")
        found.append(words)
    return found


def on(x: Tensor, name: str, device: torch.device) -> Tensor:
    """Return a tensor that lies on a device."""
    if x.device != device:
        raise ValueError(f"{name} must be on {device}, got {x.device}")
    return x


def fitting(
    x: Any, name: str, shape: tuple[int, ...], device: torch.device, dtype: Any = None
) -> Any:
    """Return a tensor, such as a mask, that can be broadcast to a shape; numbers must be finite.

    None comes back as it is.

    Examples
    --------
    >>> import torch
    >>> fitting(torch.zeros(5), "biases", (2, 3), torch.device("cpu"))
    Traceback (most recent call last):
        ...
    ValueError: biases must fit the shape (2, 3), got (5,)
    """
    import torch

    if x is None:
        return None
    on(tensor(x, name, (...,), dtype=dtype), name, device)
    try:
        fits = torch.broadcast_shapes(x.shape, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(f"{name} must fit the shape {shape}, got {tuple(x.shape)}")
    if dtype is None and not x.is_meta and not x.isfinite().all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return x


def broadcast(**shapes: Sequence[int]) -> tuple[int, ...]:
    """Return the shape to which all others can be broadcast."""
    import torch

    try:
        return tuple(torch.broadcast_shapes(*shapes.values()))
    except RuntimeError:
        names = " and ".join(shapes)
        got = ", ".join(str(tuple(shape)) for shape in shapes.values())
        raise ValueError(f"{names} must have axes that fit, got {got}") from None


def lengths(values: Any, name: str, most: int) -> Tensor:
    """Return whole numbers in one row, 0 to `most`, as a tensor of int64."""
    import torch

    try:
        row = torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name} must be integers in one row, got {came(values)}") from None
    if row.numel() and (row.is_floating_point() or row.is_complex() or row.dtype == torch.bool):
        raise TypeError(f"{name} must be integers, got {row.dtype}")
    row = row.long()  # an empty list has no type, and a small type no room for more
    if row.dim() != 1 or ((row < 0) | (row > most)).any():
        raise ValueError(f"{name} must be one row of integers from 0 to {most}, got {row.tolist()}")
    return row


def tensor(
    x: Any,
    name: str,
    shape: Sequence[Any],
    *,
    dtype: torch.dtype | None = None,
    least: int = 0,
    finite: bool = False,
) -> Tensor:
    """Return a tensor that has a given shape.

    Without a `dtype`, any floating-point type will do. A letter in `shape` stands for a size of
    `least` or more; `finite` refuses NaN and infinity.

    Examples
    --------
    >>> import torch
    >>> x = tensor(torch.zeros(2, 3, 33), "x", ("B", "T", 33))
    >>> tensor(torch.zeros(2, 3), "x", ("B", "T", 33))
    Traceback (most recent call last):
        ...
    ValueError: x must have the shape (B, T, 33), got (2, 3)
    """
    import torch  # only where there are tensors

    wanted = "floating-point numbers" if dtype is None else str(dtype)
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"{name} must be a Tensor of {wanted}, got {type(x).__name__}")
    if not (x.is_floating_point() if dtype is None else x.dtype == dtype):
        raise TypeError(f"{name} must be a Tensor of {wanted}, got {x.dtype}")
    if x.layout != torch.strided:
        raise TypeError(f"{name} must be a dense Tensor, got {x.layout}")
    if not _fits(tuple(x.shape), shape, least):
        more = f", each letter {least} or more" if least else ""
        raise ValueError(f"{name} must have the shape {_form(shape)}{more}, got {tuple(x.shape)}")
    # The sum is quick, and finite if all numbers are (or nearly so).
    if finite and not math.isfinite(x.detach().sum().item()) and not x.isfinite().all():
        raise ValueError(f"{name} must be finite, got {x[~x.isfinite()][0]}")
    return x


def listed(values: Any, name: str, wanted: str) -> list[Any]:
    """Return what can be gone through, but no text, as a list; `wanted` says what it should be."""
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} must be {wanted}, got the text {came(values)}")
    return _listed(values, name, wanted)


def readable(x: Any, name: str, shape: Sequence[Any], layer: Any) -> Tensor:
    """Return a tensor of the type that an `nn.Linear` reads; another layer may read any type."""
    import torch

    tensor(x, name, shape)
    if type(layer) is not torch.nn.Linear or x.dtype == layer.weight.dtype:
        return x
    cast = not x.is_meta and torch.is_autocast_enabled(x.device.type)
    return x if cast else tensor(x, name, shape, dtype=layer.weight.dtype)


def ids(x: Any, name: str, vocab_size: int, shape: Sequence[Any] = ("B", "T")) -> Tensor:
    """Return a tensor of token ids, int64, from 0 to `vocab_size` - 1, with no empty axis.

    Examples
    --------
    >>> import torch
    >>> ids(torch.tensor([[3, 9]]), "source", 7)
    Traceback (most recent call last):
        ...
    ValueError: source must hold ids from 0 to 6, got 3 to 9
    """
    import torch

    x = tensor(x, name, shape, dtype=torch.int64, least=1)
    if x.numel() == 0:
        raise ValueError(f"{name} must hold ids, got none, shape {tuple(x.shape)}")
    low, high = int(x.min()), int(x.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(f"{name} must hold ids from 0 to {vocab_size - 1}, got {low} to {high}")
    return x


def came(value: Any, width: int = 60) -> str:
    """Put what came into few words; never fails, whatever it is."""
    try:
        text = repr(value[:width] if isinstance(value, str | bytes) else value)
    except Exception:  # its own repr fails, or it is a number of more digits than Python writes
        whole = isinstance(value, int)
        text = "a number that is too long" if whole else f"an object of {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _float(value: Any, name: str) -> float:
    """Return a number as a Python float; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number, got {came(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be less than 1.8e308, got {came(value)}") from None


def _listed(values: Any, name: str, wanted: str, least: int = 0) -> list[Any]:
    try:
        found = list(values)
    except (TypeError, RuntimeError):  # also of tensors without axes, and of sparse ones
        raise TypeError(f"{name} must be {wanted}, got {came(values)}") from None
    if len(found) < least:
        raise ValueError(f"{name} must hold {least} or more, got {len(found)}")
    return found


def _fits(actual: tuple[int, ...], shape: Sequence[Any], least: int = 0) -> bool:
    """Tell whether a shape is as wanted, with letters of `least` or more."""
    wanted = tuple(shape)
    if ... in wanted:
        front = wanted.index(...)
        wanted, missing = wanted[:front] + wanted[front + 1 :], len(actual) - len(wanted) + 1
        actual = actual[:front] + actual[front + max(missing, 0) :]
    known: dict[str, int] = {}
    return len(actual) == len(wanted) and all(
        size == known.setdefault(axis, size) and size >= least
        if isinstance(axis, str)
        else size == axis
        for axis, size in zip(wanted, actual, strict=True)
    )


def _form(shape: Sequence[Any]) -> str:
    """Write a shape as a reader knows it: (B, T, 33)."""
    parts = ["..." if axis is ... else str(axis) for axis in shape]
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def class_labels(values: Any, name: str, like: list[Any] | None = None) -> list[Any]:
    """Return at least one label, all whole numbers or all texts (as those in `like`)."""
    # Not as an array: there [0, "a"] becomes two texts, and nan beside a text the text "nan".
    try:
        found = values.tolist() if hasattr(values, "tolist") else values
    except RuntimeError:  # a sparse tensor
        found = None
    if isinstance(found, str | bytes) or not isinstance(found, Sequence):
        raise TypeError(f"{name} must be a list of class labels, got {came(values)}")
    if len(found) == 0:
        raise ValueError(f"{name} must have shape (N,) with N of 1 or more, got (0,)")
    text = isinstance((like or found)[0], str)
    for value in found:
        if not isinstance(value, str if text else int | np.integer | np.bool_):
            kind = f"{'texts' if text else 'whole numbers'} as the others"
            wanted = "whole numbers, booleans or texts" if like is None else kind
            raise TypeError(f"{name} must hold class labels ({wanted}), got {came(value)}")
    return list(found) if text else [int(value) for value in found]
