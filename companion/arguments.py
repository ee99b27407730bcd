"""Arguments: checked once, in one place, with an error that names what was wrong.

Each function takes what a caller gave and the name of the argument, returns it in the form in which
the code wants it, and raises TypeError or ValueError that says what was expected and what came.

Used first in book/basics/networks.ipynb.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

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
