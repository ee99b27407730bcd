"""Right and wrong answers to the exercises of the chapter on language models."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np

from ..harness import Answers


def perplexity_by_the_root(probabilities):
    return math.prod(1 / p for p in probabilities) ** (1 / len(probabilities))


def perplexity_with_numpy(probabilities):
    return float(np.exp(np.mean(-np.log(probabilities))))


def add_k_with_counters(pairs, v, w, k, V):
    after = Counter(second for first, second in pairs if first == v)
    return (after[w] + k) / (after.total() + k * V)


def add_k_as_a_mixture(pairs, v, w, k, V):
    n = sum(pair[0] == v for pair in pairs)
    rest = k * V / (n + k * V)
    share = pairs.count((v, w)) / n if n else 0.0
    return (1 - rest) * share + rest / V


def add_k_once(pairs, v, w, k, V):
    return (pairs.count((v, w)) + k) / (sum(pair[0] == v for pair in pairs) + k)


def add_k_below(pairs, v, w, k, V):
    return pairs.count((v, w)) / (sum(pair[0] == v for pair in pairs) + k * V)


def add_k_of_all(pairs, v, w, k, V):
    return (pairs.count((v, w)) + k) / (len(pairs) + k * V)


def no_smoothing(pairs, v, w, k, V):
    return pairs.count((v, w)) / sum(pair[0] == v for pair in pairs)


def continuation_by_listing(pairs, w):
    different = []
    for pair in pairs:
        if pair not in different:
            different.append(pair)
    return len([pair for pair in different if pair[1] == w]) / len(different)


def continuation_with_sets(pairs, w):
    return len({v for v, second in pairs if second == w}) / len(dict.fromkeys(pairs))


def temperature_by_logarithms(probabilities, temperature):
    scores = np.exp(np.log(probabilities) / temperature)
    return scores / np.sum(scores)


def temperature_by_a_loop(probabilities, temperature):
    powers = np.array([math.pow(p, 1 / temperature) for p in probabilities])
    return powers / sum(powers)


def softmax_of_probabilities(probabilities, temperature):
    powers = np.exp(probabilities / temperature)
    return powers / powers.sum()


ANSWERS = {
    "sequences.language_models.by_hand": Answers(
        right=[1 / 3, 0.333, 0.33, float(Fraction(2, 3) * Fraction(1, 2))],
        wrong=[
            (0.5, "The first word"),
            (2 / 3, "After 나는"),
            (1 / 9, "After 밥을"),
            (3, "at most 1"),
        ],
    ),
    "sequences.language_models.perplexity": Answers(
        right=[perplexity_by_the_root, perplexity_with_numpy],
        wrong=[
            (lambda p: -sum(map(math.log, p)) / len(p), "exponential is missing"),
            (lambda p: len(p) / sum(p), "of the logarithms"),
            (lambda p: 1 / math.prod(p), "Per token"),
            (lambda p: math.prod(p) ** (1 / len(p)), "the sign"),
        ],
    ),
    "sequences.language_models.add_k": Answers(
        right=[add_k_with_counters, add_k_as_a_mixture],
        wrong=[
            (add_k_once, "Each of the V words"),
            (add_k_below, "The pair itself"),
            (add_k_of_all, "how often v came first"),
            (
                lambda pairs, v, w, k, V: (
                    add_k_with_counters(pairs, v, w, k, V)
                    if any(pair[0] == v for pair in pairs)
                    else no_smoothing(pairs, v, w, k, V)
                ),
                "never seen",
            ),
        ],
    ),
    "sequences.language_models.continuation": Answers(
        right=[continuation_by_listing, continuation_with_sets],
        wrong=[
            (lambda pairs, w: sum(b == w for _, b in pairs) / len(pairs), "counts once"),
            (lambda pairs, w: sum(b == w for _, b in set(pairs)), "Which share"),
            (
                lambda pairs, w: sum(b == w for _, b in set(pairs)) / len(pairs),
                "number of different pairs",
            ),
            (
                lambda pairs, w: sum(a == w for a, _ in set(pairs)) / len(set(pairs)),
                "stands second",
            ),
        ],
    ),
    "sequences.language_models.temperature": Answers(
        right=[temperature_by_logarithms, temperature_by_a_loop],
        wrong=[
            (lambda p, t: p ** (1 / t), "has to be 1 again"),
            (lambda p, t: p**t / (p**t).sum(), "1 over the temperature"),
            (softmax_of_probabilities, "wants logarithms"),
            (lambda p, t: p * t / (p * t).sum(), "A factor vanishes"),
        ],
    ),
    "sequences.language_models.backwards": Answers(
        right=["neither"],
        wrong=[
            ("backwards", "turned round, too"),
            ("forwards", "the bigram model"),
            ("both", 'Answer "forwards"'),
        ],
    ),
}
