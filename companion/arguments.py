"""Arguments: checked once, in one place, with an error that names what was wrong.

Each function takes what a caller gave and the name of the argument, returns it in the form in which
the code wants it, and raises TypeError or ValueError that says what was expected and what came.

Used first in book/basics/networks.ipynb.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Seed = int | np.random.Generator | None


def real(values: ArrayLike, name: str) -> np.ndarray:
    """Return an array of floating-point numbers without NaN; whole numbers become float64.

    Parameters
    ----------
    values : array_like, any shape
        What came. Infinity is allowed.
    name : str
        Of the argument, for the message.

    Returns
    -------
    ndarray, shape of `values`
        Floating types stay as they are.

    Raises
    ------
    TypeError, ValueError
        If there is something else in `values`, NaN, or rows of different lengths.

    Examples
    --------
    >>> real([1, 2], "x")
    array([1., 2.])
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must have rows of equal length, got {values!r}") from None
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    if np.isnan(array).any():
        raise ValueError(f"{name} must not contain NaN, got {np.isnan(array).sum()} NaN")
    return array


def finite(values: ArrayLike, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an array of finite floating-point numbers, of the given shape if there is one.

    Parameters
    ----------
    values : array_like, any shape
        What came.
    name : str
        Of the argument, for the message.
    shape : tuple of int, optional
        What `values` must have.

    Returns
    -------
    ndarray, shape of `values`
        As from `real`.

    Raises
    ------
    TypeError, ValueError
        As `real`; also if there is infinity in `values`, or they have another shape.

    Examples
    --------
    >>> finite([1.0, float("inf")], "x")
    Traceback (most recent call last):
        ...
    ValueError: x must be finite, got inf
    """
    array = real(values, name)
    if np.isinf(array).any():
        raise ValueError(f"{name} must be finite, got {array[np.isinf(array)][0]}")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    return array


def between(low: float, value: Any, high: float, name: str) -> float:
    """Return a number between two others as a Python float, which widens no array's type.

    Parameters
    ----------
    low, high : float
        The limits, which are not allowed themselves.
    value : number
        What came; True and False are none.
    name : str
        Of the argument, for the message.

    Returns
    -------
    float
        `value`.

    Raises
    ------
    TypeError, ValueError
        If `value` is no number, or does not lie between the limits.

    Examples
    --------
    >>> between(0, 1.5, 1, "momentum")
    Traceback (most recent call last):
        ...
    ValueError: momentum must lie between 0 and 1, both excluded, got 1.5
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not low < value < high:
        raise ValueError(f"{name} must lie between {low} and {high}, both excluded, got {value}")
    return float(value)


def integer(value: Any, name: str, least: float = -np.inf) -> int:
    """Return a whole number as a Python int.

    Parameters
    ----------
    value : int or NumPy integer
        What came; True and False are none.
    name : str
        Of the argument, for the message.
    least : int, optional
        The smallest allowed.

    Returns
    -------
    int
        `value`.

    Raises
    ------
    TypeError, ValueError
        If `value` is no integer, or less than `least`.

    Examples
    --------
    >>> integer(0, "epochs", 1)
    Traceback (most recent call last):
        ...
    ValueError: epochs must be 1 or more, got 0
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, got {value}")
    return int(value)


def random_generator(seed: Seed) -> np.random.Generator:
    """Return NumPy's random generator for a seed.

    Parameters
    ----------
    seed : int, Generator or None
        A whole number, 0 or more; a generator comes back as it is; None means another one each
        time.

    Returns
    -------
    numpy.random.Generator
        The same numbers for the same seed.

    Raises
    ------
    TypeError, ValueError
        If `seed` is something else.

    Examples
    --------
    >>> random_generator(3).integers(10, size=4)
    array([8, 0, 1, 2])
    """
    known = seed is None or isinstance(seed, np.random.Generator)
    return np.random.default_rng(seed if known else integer(seed, "seed", 0))


def share(value: Any, name: str) -> float:
    """Return a number from 0 to 1, 1 excluded, as a Python float: how much is to be dropped.

    Examples
    --------
    >>> share(1, "dropout")
    Traceback (most recent call last):
        ...
    ValueError: dropout must be 0 or more and less than 1, got 1
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be 0 or more and less than 1, got {value}")
    return float(value)


def flag(value: Any, name: str) -> bool:
    """Return True or False; refuse what only counts as one of them, such as 1 or a text."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def choice(value: Any, name: str, options: Iterable[str]) -> str:
    """Return a text that is one of the options.

    Examples
    --------
    >>> choice("swish", "activation", ("relu", "gelu"))
    Traceback (most recent call last):
        ...
    ValueError: activation must be 'relu' or 'gelu', got 'swish'
    """
    known = tuple(options)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be {' or '.join(map(repr, known))}, got {value!r}")
    return value


def texts(values: Any, name: str, *, least: int = 1) -> list[str]:
    """Return texts as a list; one single text is refused, since its letters would be taken for it.

    Parameters
    ----------
    values : iterable of str
        What came.
    name : str
        Of the argument, for the message.
    least : int, default 1
        How many there must be.

    Examples
    --------
    >>> texts("one text", "texts")
    Traceback (most recent call last):
        ...
    TypeError: texts must be a list of texts, got one text, 'one text'
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"{name} must be a list of texts, got one text, {values[:20]!r}")
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list of texts, got {values!r:.60}")
    found = list(values)
    for place, value in enumerate(found):
        if not isinstance(value, str):
            raise TypeError(f"{name}[{place}] must be a text, got {value!r:.60}")
    if len(found) < least:
        raise ValueError(f"{name} must hold {least} or more, got {len(found)}")
    return found


def sentences(values: Any, name: str, *, least: int = 1) -> list[list[str]]:
    """Return sentences, each a list of words, as a list of lists.

    Parameters
    ----------
    values : iterable of sequences of str
        What came. A sentence may be empty; a word is a text that is not.
    name : str
        Of the argument, for the message.
    least : int, default 1
        How many sentences there must be.

    Examples
    --------
    >>> sentences(["one sentence"], "sentences")
    Traceback (most recent call last):
        ...
    TypeError: sentences[0] must be a list of words, got the text 'one sentence'
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list of sentences, got {values!r:.60}")
    found = []
    for place, sentence in enumerate(values):
        if isinstance(sentence, str | bytes):
            raise TypeError(
                f"{name}[{place}] must be a list of words, got the text {sentence!r:.60}"
            )
        if not isinstance(sentence, Sequence | np.ndarray):
            raise TypeError(f"{name}[{place}] must be a list of words, got {sentence!r:.60}")
        for word in sentence:
            if not isinstance(word, str):
                raise TypeError(f"{name}[{place}] must hold texts, got {word!r:.60}")
            if not word:
                raise ValueError(f"{name}[{place}] must hold words, got an empty text")
        found.append(list(sentence))
    if len(found) < least:
        raise ValueError(f"{name} must hold {least} or more, got {len(found)}")
    return found


def tensor(
    x: Any, name: str, shape: Sequence[Any], *, dtype: torch.dtype | None = None, least: int = 0
) -> Tensor:
    """Return a tensor that has a given shape, so that a check reads like a comment on the shape.

    Parameters
    ----------
    x : Tensor
        What came.
    name : str
        Of the argument, for the message.
    shape : sequence of int, str or Ellipsis
        A number stands for itself; a letter such as "B" for any size, the same letter for the same
        size; ``...``, at the beginning, for any axes.
    dtype : torch.dtype, optional
        What `x` must have; without it, any floating-point type.
    least : int, default 0
        The smallest size that a letter may stand for.

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
    free = bool(shape) and shape[0] is ...
    axes = tuple(shape[1:] if free else shape)
    sizes = tuple(x.shape)[len(x.shape) - len(axes) :] if axes else ()
    fits = x.dim() >= len(axes) if free else x.dim() == len(axes)
    if fits:
        known: dict[str, int] = {}
        for axis, size in zip(axes, sizes, strict=True):
            expected = known.setdefault(axis, size) if isinstance(axis, str) else axis
            fits &= size == expected and (isinstance(axis, int) or size >= least)
    if not fits:
        form = ", ".join(["..."] * free + [str(axis) for axis in axes])
        form = f"({form},)" if len(axes) == 1 and not free else f"({form})"
        more = f", each letter {least} or more" if least else ""
        raise ValueError(f"{name} must have the shape {form}{more}, got {tuple(x.shape)}")
    return x


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
    low, high = int(x.min()), int(x.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(f"{name} must hold ids from 0 to {vocab_size - 1}, got {low} to {high}")
    return x
