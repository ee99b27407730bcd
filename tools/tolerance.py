"""Compare printed outputs: words exactly, numbers with a tolerance.

The tolerance, stated here and nowhere else: two printed numbers agree if they differ by at most one
unit of their last printed digit (``0.3333`` and ``0.3334`` do, ``0.33`` and ``0.35`` do not);
numbers printed without a decimal point must be equal. A cell that is tagged ``rtol=0.05`` allows
its numbers, whole ones included, a relative difference of 5 % instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?(?:\d[\d,]*\d|\d)(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w])")
TAG = re.compile(r"^rtol=(\d*\.?\d+)$")


def relative(tags: Iterable[str]) -> float:
    """Return the relative tolerance that a cell's tags ask for; 0 without such a tag.

    Raises
    ------
    ValueError
        If a tag begins with ``rtol`` and is not of the form ``rtol=0.05``.
    """
    for tag in tags:
        if match := TAG.match(tag):
            return float(match.group(1))
        if tag.startswith("rtol"):
            raise ValueError(f"a tolerance tag must look like rtol=0.05, got {tag!r}")
    return 0.0


def agree(new: str, old: str, *, rtol: float = 0.0) -> bool:
    """Tell whether two printed texts are equal but for small differences of their numbers.

    Examples
    --------
    >>> agree("loss 0.3334", "loss 0.3333")
    True
    >>> agree("loss 0.35", "loss 0.33")
    False
    >>> agree("11 updates", "12 updates")
    False
    """
    words_new, words_old = (
        [re.sub(r"[ \t]+", " ", words) for words in NUMBER.split(text)] for text in (new, old)
    )
    if words_new != words_old:
        return False
    pairs = zip(NUMBER.findall(new), NUMBER.findall(old), strict=True)
    return all(close(left, right, rtol=rtol) for left, right in pairs)


def close(new: str, old: str, *, rtol: float = 0.0) -> bool:
    """Tell whether two printed numbers agree."""
    if new == old:
        return True
    left, right = (float(text.replace(",", "").replace("\u2212", "-")) for text in (new, old))
    if rtol and math.isclose(left, right, rel_tol=rtol):
        return True
    units = [_unit(text) for text in (new, old)]
    if None in units:
        return False
    return abs(left - right) <= max(unit for unit in units if unit is not None) * (1 + 1e-9)


def _unit(text: str) -> float | None:
    """Return one unit of the last printed digit, None for a number without a decimal point."""
    mantissa, _, exponent = text.lower().partition("e")
    if "." not in mantissa and not exponent:
        return None
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def align(new: list[Any], old: list[Any], *, rtol: float = 0.0) -> list[Any]:
    """Return the new outputs of a cell, with the old text wherever the two agree.

    Parameters
    ----------
    new, old : list of notebook outputs
        What the cell prints now, and what is stored.
    rtol : float, default 0
        Relative tolerance of the cell.
    """
    texts = [text for output in old for text in _texts(output)]

    def aligned(text: str) -> str:
        return next((other for other in texts if agree(text, other, rtol=rtol)), text)

    for output in new:
        if isinstance(output.get("text"), str):
            output["text"] = aligned(output["text"])
        for kind, value in output.get("data", {}).items():
            if isinstance(value, str):
                output["data"][kind] = aligned(value)
    return new


def _texts(output: Any) -> list[str]:
    values = [output.get("text"), *output.get("data", {}).values()]
    return [value for value in values if isinstance(value, str)]
