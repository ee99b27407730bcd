"""Comparing what came with what was expected, and putting both briefly into words.

Numbers, NumPy arrays and tensors are compared by kind, shape, dtype and then value,
``|got - expected| <= atol + rtol * |expected|``; lists, tuples and dicts part by part. Values are
shown with four digits (more where they would look alike) and at most eight entries.

Left out: objects of other classes, which are only compared with ``==``.

Used by every chapter; first in book/basics/perceptron.ipynb.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

ENTRIES_SHOWN = 8
WIDTH = 60


class Difference(NamedTuple):
    """Where two values differ, and how.

    `form` names the kind of answer that is expected where the kind is what differs, without giving
    a value away; it is empty where only the value differs.
    """

    where: str
    got: str
    expected: str
    form: str = ""


def difference(
    got: Any,
    expected: Any,
    tolerance: tuple[float, float] = (0.0, 0.0),
    *,
    by_hand: bool = False,
    path: str = "",
) -> Difference | None:
    """Find the first difference between two values.

    Parameters
    ----------
    tolerance : tuple of float
        Relative and absolute tolerance for numbers that are not integers.
    by_hand : bool
        For answers that a person types: a list counts as an array, 2 as 2.0, "xor" as "XOR".
    path : str
        Where in a larger value these two stand.

    Examples
    --------
    >>> difference([1.0, 2.0], [1.0, 3.0])
    Difference(where='', got='[1.0, 2.0]', expected='[1.0, 3.0]', form='')
    >>> difference(1, 1.0).form
    'type float'
    """
    if by_hand:
        got, expected = _as_typed(got, expected)
    place = _place(path)
    if _form(got) != _form(expected):
        return Difference(place, _form(got), _form(expected), _form(expected))
    if _is_numeric(expected):
        return _numeric_difference(got, expected, tolerance, by_hand, path)
    if isinstance(expected, dict):
        if set(got) != set(expected):
            keys = [f"the keys {show([str(key) for key in each])}" for each in (got, expected)]
            return Difference(place, *keys, form=keys[1])
        named = [
            key if not path and isinstance(key, str) else f"{path}[{key!r}]" for key in expected
        ]
        parts = list(zip(named, expected, strict=True))
    elif isinstance(expected, (list, tuple)):
        if len(got) != len(expected):
            lengths = [f"{kind(each)} of length {len(each)}" for each in (got, expected)]
            small = not by_hand and max(count(got), count(expected)) <= ENTRIES_SHOWN
            texts = _show_both(got, expected) if small else lengths
            return Difference(place, *texts, form=lengths[1])
        parts = [(f"{path}[{index}]", index) for index in range(len(expected))]
    else:
        return None if got == expected else Difference(place, *_show_both(got, expected))
    for part, key in parts:
        found = difference(got[key], expected[key], tolerance, by_hand=by_hand, path=part)
        if found is not None:
            whole = isinstance(expected, (list, tuple)) and count(expected) <= ENTRIES_SHOWN
            texts = _show_both(got, expected)
            if found.form or by_hand or not whole or texts[0] == texts[1]:
                return found
            return Difference(place, *texts)
    return None


def same(after: Any, before: Any) -> bool:
    """Whether an argument is as it was: numbers, texts, arrays, and containers of them.

    Other objects (a random generator, a model) may change.
    """
    if type(after) is not type(before):
        return False
    if isinstance(before, (list, tuple)):
        pairs = zip(after, before, strict=False)
        return len(after) == len(before) and all(same(*pair) for pair in pairs)
    if isinstance(before, dict):
        return list(after) == list(before) and all(same(after[key], before[key]) for key in before)
    if _is_numeric(before) or isinstance(before, (str, set)):
        return difference(after, before) is None
    return True


def leaves(value: Any) -> Iterator[Any]:
    """Yield the numbers and other single things in nested containers, arrays and tensors."""
    if isinstance(value, dict):
        value = list(value.values())
    if _is_array(value):
        yield from _array(value).ravel().tolist()
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def count(value: Any) -> int:
    """Count the `leaves` of a value."""
    return sum(1 for _ in leaves(value))


# --- Words ----------------------------------------------------------------------------------------


def show(value: Any, digits: int = 4) -> str:
    """Show a value in at most about 60 characters.

    Examples
    --------
    >>> show(np.array([0.26894142, 0.73105858]))
    '[0.2689, 0.7311]'
    >>> show(np.zeros((20, 3)))
    '[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, ...], ...] of shape (20, 3)'
    """
    shape = ""
    if _is_array(value):
        array = _array(value)
        shape = f" of shape {array.shape}" if array.size > ENTRIES_SHOWN or not array.size else ""
        # The first entries along each axis are enough, and quick even for a huge array.
        value = array[(slice(ENTRIES_SHOWN + 1),) * array.ndim].tolist()
    text = ""
    for entries in range(ENTRIES_SHOWN, 0, -1):
        text = _show(value, digits, [entries], depth=0)
        if len(text) <= WIDTH:
            break
    return clip(text) + shape


def kind(value: Any) -> str:
    """Name what kind of thing a value is, such as "a list", "a NumPy array" or "a function"."""
    if value is None or value is ...:
        return "None" if value is None else "..."
    if type(value) is np.ndarray:
        return "a NumPy array"
    if _is_tensor(value):
        return "a torch.Tensor"
    if isinstance(value, type):
        return "a class"
    name = type(value).__name__
    if name in {"function", "builtin_function_or_method", "method"}:
        return "a function"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {clip(name, 40)}"


def title(answer: Any) -> str:
    """Name a reader's function or class."""
    name = getattr(answer, "__name__", None)
    return clip(name, 40) if isinstance(name, str) and name.isidentifier() else "your function"


def clip(text: str, width: int = WIDTH) -> str:
    """Put a text on one line and cut it to a width."""
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def _show(value: Any, digits: int, left: list[int], depth: int) -> str:
    """Show a nested value, as long as there are entries left."""
    if isinstance(value, np.generic) or (type(value) is np.ndarray and not value.ndim):
        value = value.item()
    if isinstance(value, (list, tuple, dict)) and depth < ENTRIES_SHOWN:
        named, parts = isinstance(value, dict), []
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if left[0] <= 0:
                parts.append("...")
                break
            name = f"{show(key)}: " if named else ""
            parts.append(name + _show(part, digits, left, depth + 1))
        inner = ", ".join(parts)
        if isinstance(value, tuple):
            return f"({inner},)" if len(parts) == 1 else f"({inner})"
        return f"{{{inner}}}" if named else f"[{inner}]"
    left[0] -= 1
    if isinstance(value, float):
        whole_digits = len(str(int(abs(value)))) if abs(value) < 1e6 else 0
        text = f"{value:.{max(digits, whole_digits)}g}"
        return f"{text}.0" if text.lstrip("-").isdigit() else text
    if value is ... or isinstance(value, (bool, int, complex, str, type(None))):
        return "..." if value is ... else clip(repr(value))
    return show(value, digits) if _is_array(value) else kind(value)


def _show_both(got: Any, expected: Any) -> tuple[str, str]:
    """Show two values with as many digits as it takes to see the difference, if all is shown."""
    pair = "", ""
    for digits in (4, 8, 17):
        pair = show(got, digits), show(expected, digits)
        if pair[0] != pair[1] or "..." in pair[0]:
            break
    return pair


def _place(path: str) -> str:
    return f"{'entry ' if path.startswith('[') else ''}{path} = " if path else ""


def _form(value: Any) -> str:
    """Name the kind of a value, with its shape; among numbers, only bools are a kind apart."""
    if _is_array(value):
        return f"{kind(value)} of shape {tuple(value.shape)}"
    if isinstance(value, (bool, np.bool_)):
        return "a bool (True or False)"
    return "a single number" if _is_numeric(value) else kind(value)


# --- Numbers, arrays and tensors ------------------------------------------------------------------


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")  # nobody has a tensor who has not imported torch
    return torch is not None and isinstance(value, torch.Tensor)


def _is_array(value: Any) -> bool:
    return (type(value) is np.ndarray and value.ndim > 0) or _is_tensor(value)


def _is_numeric(value: Any) -> bool:
    if type(value) is np.ndarray:
        return True  # without axes: a number
    return _is_tensor(value) or isinstance(value, (int, float, complex, np.number, np.bool_))


def _array(value: Any) -> np.ndarray:
    if not _is_tensor(value):
        return np.asarray(value)
    value = value.detach().cpu()
    return (value.double() if value.is_floating_point() else value).numpy()


def _dtype(value: Any) -> str:
    """Name a value's type of number, as the reader knows it."""
    if type(value) is np.ndarray and value.dtype.kind == "U":
        return "str"
    if _is_array(value):
        return str(value.dtype).removeprefix("torch.")
    name = str(np.asarray(value).dtype)
    plain = {"float64": "float", "complex128": "complex"}
    return "int" if "int" in name else plain.get(name, name)


def _as_typed(got: Any, expected: Any) -> tuple[Any, Any]:
    """Put what a person typed into the form of what is expected, where it means the same."""
    if isinstance(expected, str) and isinstance(got, str):
        return got.strip().casefold(), expected.strip().casefold()
    if isinstance(expected, np.ndarray):
        if _is_tensor(got):
            return _array(got), expected
        if isinstance(got, (list, tuple)):
            with contextlib.suppress(ValueError):  # rows of different lengths
                return np.array(got), expected
    if isinstance(expected, (list, tuple)):
        if isinstance(got, (list, tuple)):
            return list(got), list(expected)
        if _is_array(got):
            return _array(got).tolist(), list(expected)
    return got, expected


def _numeric_difference(
    got: Any, expected: Any, tolerance: tuple[float, float], by_hand: bool, path: str
) -> Difference | None:
    """Compare two numbers, or two arrays of the same shape: dtype, then values."""
    names = _dtype(got), _dtype(expected)
    families = [name.rstrip("0123456789").replace("uint", "int") for name in names]
    if by_hand:
        alike = families[0] == families[1] or {"int", "float", "complex"}.issuperset(families)
    else:
        alike = names[0] == names[1] or families[0] == families[1] != "float"
    if not alike:
        pairs = zip(_show_both(got, expected), names, strict=True)
        texts = [f"{text} of type {name}" for text, name in pairs]
        return Difference(_place(path), *texts, form=f"type {names[1]}")
    ours, theirs = _array(got), _array(expected)
    if theirs.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            right = np.isclose(ours, theirs, *tolerance, equal_nan=True)
    else:
        right = np.asarray(ours == theirs)
    if right.all():
        return None
    note = ""
    if ours.dtype.kind in "fc" and np.isnan(ours).any() and not np.isnan(theirs).any():
        note = " (nan: not a number)" if ours.ndim else " (not a number)"
    elif ours.dtype.kind in "fc" and np.isinf(ours).any() and not np.isinf(theirs).any():
        note = " (inf: infinite)" if ours.ndim else " (infinite)"
    texts = _show_both(ours, theirs)
    hidden = ours.size > ENTRIES_SHOWN or texts[0] == texts[1]
    if ours.ndim and (by_hand or hidden):
        index = np.argwhere(~right)[0].tolist()
        path = f"{path}{index}"
        texts = _show_both(ours[tuple(index)], theirs[tuple(index)])
    return Difference(_place(path), texts[0] + note, texts[1])
