"""Right and wrong answers to the exercises of the chapter on word embeddings."""

from __future__ import annotations

import math

import numpy as np

from ..harness import Answers


def pairs_by_slices(tokens, window):
    found = []
    for i, word in enumerate(tokens):
        around = tokens[max(0, i - window) : i] + tokens[i + 1 : i + 1 + window]
        found.extend((word, other) for other in around)
    return found


def pairs_with_itself(tokens, window):
    return [
        (a, b) for i, a in enumerate(tokens) for j, b in enumerate(tokens) if abs(i - j) <= window
    ]


def pairs_to_the_right(tokens, window):
    return [(a, b) for i, a in enumerate(tokens) for b in tokens[i + 1 : i + 1 + window]]


def pairs_by_distance(tokens, window):
    places = range(len(tokens))
    return [
        (tokens[i], tokens[j])
        for distance in range(1, window + 1)
        for i in places
        for j in (i - distance, i + distance)
        if j in places
    ]


def pairs_beyond_the_end(tokens, window):
    steps = [step for step in range(-window, window + 1) if step]
    return [(word, tokens[i + step]) for i, word in enumerate(tokens) for step in steps]


def pairs_without_equal_words(tokens, window):
    return [pair for pair in pairs_by_slices(tokens, window) if pair[0] != pair[1]]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def gradient_with_loops(u, v, noise):
    result = np.zeros(len(u))
    for label, row in [(1, v), *((0, row) for row in noise)]:
        result += (sigmoid(sum(u * row)) - label) * row
    return result


def gradient_of_labels_0(u, v, noise):
    return sigmoid(u @ v) * v + sum(sigmoid(u @ row) * row for row in noise)


def gradient_of_the_pair(u, v, noise):
    return (sigmoid(u @ v) - 1) * v


def gradient_not_summed(u, v, noise):
    return (sigmoid(u @ v) - 1) * v + np.array([[sigmoid(u @ row)] for row in noise]) * noise


def unit(vectors):
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))


def analogy_with_loop(vectors, a, b, c):
    rows = unit(vectors)
    query = rows[b] - rows[a] + rows[c]
    others = [i for i in range(len(rows)) if i not in (a, b, c)]
    return max(others, key=lambda i: rows[i] @ query)


def analogy_with_its_words(vectors, a, b, c):
    rows = unit(vectors)
    return int(np.argmax(rows @ (rows[b] - rows[a] + rows[c])))


def analogy_of_raw_vectors(vectors, a, b, c):
    scores = unit(vectors) @ (vectors[b] - vectors[a] + vectors[c])
    scores[[a, b, c]] = -np.inf
    return int(scores.argmax())


def analogy_backwards(vectors, a, b, c):
    return analogy_with_loop(vectors, b, a, c)


def analogy_as_a_vector(vectors, a, b, c):
    return vectors[analogy_with_loop(vectors, a, b, c)]


ANSWERS = {
    "sequences.embeddings.cosine": Answers(
        right=[8 / 9, 0.889],
        wrong=[
            (8, "the inner product"),
            (8 / 3, "both lengths"),
            (1.414, "the distance"),
            (3, "between -1 and 1"),
        ],
    ),
    "sequences.embeddings.pairs": Answers(
        right=[pairs_by_slices],
        wrong=[
            (pairs_with_itself, "not its own context"),
            (pairs_to_the_right, "both sides"),
            (pairs_by_distance, "Now the order"),
            (pairs_beyond_the_end, "At the ends"),
            (pairs_without_equal_words, "does a word come twice"),
        ],
    ),
    "sequences.embeddings.gradient": Answers(
        right=[gradient_with_loops],
        wrong=[
            (lambda u, v, noise: -gradient_with_loops(u, v, noise), "The sign"),
            (gradient_of_labels_0, "is 1, not 0"),
            (gradient_of_the_pair, "And the negatives?"),
            (gradient_not_summed, "Sum over the negatives"),
        ],
    ),
    "sequences.embeddings.analogy": Answers(
        right=[analogy_with_loop],
        wrong=[
            (analogy_with_its_words, "are left out"),
            (analogy_of_raw_vectors, "to length 1"),
            (analogy_backwards, "from a to b"),
            (analogy_as_a_vector, "number of a row"),
        ],
    ),
    "sequences.embeddings.window": Answers(
        right=["smaller"],
        wrong=[
            ("larger", "how far from the role"),
            ("equal", 'Answer "larger"'),
            (1, 'Answer "larger"'),
        ],
    ),
}
