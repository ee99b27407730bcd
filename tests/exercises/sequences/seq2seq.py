"""Right and wrong answers to the exercises of the chapter on sequence-to-sequence models."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..harness import Answers


def lists_by_slices(words):
    framed = "[BOS]", *words, "[EOS]"
    return list(framed[: len(words) + 1]), list(framed[1:])


def lists_by_loop(words):
    reads, writes, last = [], [], "[BOS]"
    for word in [*words, "[EOS]"]:
        reads.append(last)
        writes.append(word)
        last = word
    return reads, writes


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum()


def weights_by_infinity(scores, mask):
    return softmax(np.where(mask, scores, -np.inf))


def weights_by_loop(scores, mask):
    total = sum(math.exp(s) for s, allowed in zip(scores, mask, strict=True) if allowed)
    return np.array([math.exp(s) / total if a else 0.0 for s, a in zip(scores, mask, strict=True)])


def best_by_loops(first, second):
    pairs = itertools.product(range(len(first)), repeat=2)
    return max(pairs, key=lambda pair: first[pair[0]] * second[pair])


def best_by_logarithms(first, second):
    with np.errstate(divide="ignore"):
        scores = np.log(first)[:, None] + np.log(second)
    return divmod(int(scores.argmax()), len(first))


def greedy(first, second):
    i = int(first.argmax())
    return i, int(second[i].argmax())


def largest_second(first, second):
    return divmod(int(second.argmax()), len(first))


ANSWERS = {
    "sequences.seq2seq.context": Answers(
        right=[7, 0.25 * 4 + 0.75 * 8],
        wrong=[
            (8, "not the whole"),
            (6, "equal shares"),
            (8 * math.log(3), "by a softmax first"),
            (5, "the larger score"),
            (28, "have to sum to 1"),
        ],
    ),
    "sequences.seq2seq.shifted": Answers(
        right=[lists_by_slices, lists_by_loop],
        wrong=[
            (lambda words: lists_by_loop(words)[::-1], "First what the decoder reads"),
            (lambda words: (["[BOS]", *words, "[EOS]"],) * 2, "not the same"),
            (lambda words: (["[BOS]", *words], list(words)), "that it has finished"),
            (lambda words: (list(words), [*words, "[EOS]"]), "before it has written anything"),
        ],
    ),
    "sequences.seq2seq.masked_weights": Answers(
        right=[weights_by_infinity, weights_by_loop],
        wrong=[
            (lambda scores, mask: softmax(scores), "What does the mask forbid"),
            (lambda scores, mask: softmax(scores) * mask, "do not sum to 1"),
            (lambda scores, mask: softmax(scores * mask), "exp(0) is 1"),
            (lambda scores, mask: softmax(scores[mask]), "One weight for each position"),
            (lambda scores, mask: np.exp(scores) * mask, "Shares sum to 1"),
        ],
    ),
    "sequences.seq2seq.best_output": Answers(
        right=[best_by_loops, best_by_logarithms],
        wrong=[
            (greedy, "what greedy decoding finds"),
            (largest_second, "what about the first"),
            (lambda first, second: best_by_loops(first, second)[::-1], "Row i of"),
        ],
    ),
    "sequences.seq2seq.full_stops": Answers(
        right=[2, 2.0],
        wrong=[(3, "Look at what it writes"), (1, "but not only"), (0, "Count the token")],
    ),
}
