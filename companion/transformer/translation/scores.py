"""BLEU: how much of a translation's wording stands in a reference.

With p_n the share of a translation's n-grams that stand in its reference, too, counted over the
whole test set, c the number of tokens in all translations, and r that in all references::

    BLEU = min(1, exp(1 - r / c)) * (p_1 p_2 p_3 p_4) ** (1/4)

An n-gram counts at most as often as it stands in the reference: otherwise "the the the" would be a
good translation. The first factor, the brevity penalty, is there because the shares alone would
favour translations that leave things out. What this module leaves out: tokenization. A score
depends on it, so only scores with the same tokenization can be compared.

References (in full in the chapter's bibliography): Papineni and others (2002); Post (2018).

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from companion.arguments import came, flag, integer, listed

Tokens = Sequence[str]


class Bleu(NamedTuple):
    """The score of a test set, and what it is made of."""

    score: float  # 0 to 100
    precisions: tuple[float, ...]  # p_1 ... p_4, 0 to 100
    brevity_penalty: float  # 0 to 1
    length: int  # tokens in all translations
    reference_length: int  # tokens in all references (of several, the nearest in length)


def bleu(
    translations: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    *,
    max_order: int = 4,
    smooth: bool = False,
) -> Bleu:
    """Compare the translations of a test set with references.

    Parameters
    ----------
    translations : sequence of (sequence of str)
        The tokens of each translation.
    references : sequence of (sequence of (sequence of str))
        For each translation the tokens of one reference or more.
    max_order : int, default 4
        The longest n-grams.
    smooth : bool, default False
        Where no n-gram of an order is found, count half of one instead of none; a quarter for the
        second such order, and so on. Without it, one share of 0 makes the score 0; if no word is
        right, the score is 0 in any case.

    References
    ----------
    Papineni et al. (2002); Chen and Cherry (2014), smoothing 3.

    Examples
    --------
    >>> round(bleu([["the", "cat", "sat"]], [[["the", "cat", "slept"]]], max_order=2).score, 1)
    57.7
    """
    translations, references = _texts(translations, references)
    orders = range(1, integer(max_order, "max_order", 1, 100) + 1)
    smooth = flag(smooth, "smooth")
    found, total = dict.fromkeys(orders, 0), dict.fromkeys(orders, 0)
    length = reference_length = 0
    for tokens, given in zip(translations, references, strict=True):
        length += len(tokens)
        # The reference of the nearest length; of two that are as near, the shorter one.
        reference_length += min(map(len, given), key=lambda n: (abs(n - len(tokens)), n))
        for order in orders:
            counted = n_grams(tokens, order)
            allowed: Counter[tuple[str, ...]] = Counter()
            for reference in given:
                allowed |= n_grams(reference, order)  # of several references, the most
            found[order] += (counted & allowed).total()
            total[order] += counted.total()
    precisions, misses = [], 0
    if not any(found.values()):  # no word is right: nothing to smooth
        smooth = False
    for order in orders:
        count: float = found[order]
        if smooth and count == 0 < total[order]:
            misses += 1
            count = 0.5**misses
        precisions.append(100 * count / total[order] if total[order] else 0.0)
    # With no token at all there is nothing to be brief about: the shares are 0.
    penalty = 1.0 if length >= reference_length else _brevity(length, reference_length)
    score = 0.0
    if min(precisions) > 0:
        mean = math.exp(sum(map(math.log, precisions)) / len(precisions))
        score = penalty * min(mean, max(precisions))  # rounding must not lift a mean over its parts
    return Bleu(score, tuple(precisions), penalty, length, reference_length)


def n_grams(tokens: Tokens, order: int) -> Counter[tuple[str, ...]]:
    """Count the runs of `order` neighbouring tokens.

    Examples
    --------
    >>> n_grams("to be or not to be".split(), 2)[("to", "be")]
    2
    """
    tokens, order = _tokens(tokens, "tokens"), integer(order, "order", 1)
    return Counter(
        zip(*(tokens[start:] for start in range(min(order, len(tokens) + 1))), strict=False)
    )


def _brevity(length: int, reference_length: int) -> float:
    return math.exp(1 - reference_length / length) if length else 0.0


def _texts(translations: Any, references: Any) -> tuple[list[list[Any]], list[list[list[Any]]]]:
    """Return translations and their references, each as a list of tokens."""
    found = [
        _tokens(one, f"translations[{i}]")
        for i, one in enumerate(listed(translations, "translations", "a list of translations"))
    ]
    allowed = []
    for i, given in enumerate(listed(references, "references", "a list of lists of references")):
        name = f"references[{i}]"
        several = listed(given, name, "a list of references")
        allowed.append([_tokens(one, f"{name}[{place}]") for place, one in enumerate(several)])
        if not several:
            raise ValueError(f"{name} must hold one reference or more, got none")
    if not found or len(found) != len(allowed):
        got = f"{len(found)} and {len(allowed)}"
        raise ValueError(f"translations and references must be as many, 1 or more, got {got}")
    return found, allowed


def _tokens(tokens: Any, name: str) -> list[Any]:
    found = listed(tokens, name, "a list of tokens")
    for token in found:  # tensors are equal to themselves only, and would match nothing
        if not isinstance(token, str | int):
            raise TypeError(f"{name} must hold tokens, texts or numbers, got {came(token)}")
    return found
