"""Right and wrong answers to the exercises of the chapter on fine-tuning."""

from __future__ import annotations

import itertools

import numpy as np

from ..harness import Answers


def entities_by_groups(tags):
    found, open_kind, start = [], None, 0
    for place, tag in enumerate([*tags, "O"]):
        kind = None if tag == "O" else tag[2:]
        if open_kind is not None and (kind != open_kind or tag[0] == "B"):
            found.append((open_kind, start, place - 1))
            open_kind = None
        if kind is not None and open_kind is None:
            open_kind, start = kind, place
    return found


def entities_as_lists(tags):
    return entities_by_groups(tags)


def entities_one_past(tags):
    return [(kind, first, last + 1) for kind, first, last in entities_by_groups(tags)]


def entities_word_by_word(tags):
    return [(tag[2:], n, n) for n, tag in enumerate(tags) if tag != "O"]


def entities_without_lonely(tags):
    found = []
    for n, tag in enumerate(tags):
        if tag.startswith("B"):
            found.append((tag[2:], n, n))
        if tag.startswith("I") and found and (found[-1][0], found[-1][2]) == (tag[2:], n - 1):
            found[-1] = (tag[2:], found[-1][1], n)
    return found


def entities_by_kind(tags):
    found = []
    for kind, group in itertools.groupby(enumerate(tags), lambda one: one[1][2:]):
        places = [place for place, _ in group]
        if kind:
            found.append((kind, places[0], places[-1]))
    return found


def spread_with_lists(tags, pieces):
    targets = np.full(sum(pieces), -100)
    targets[np.cumsum([0, *pieces[:-1]])] = tags
    return targets.tolist()


def spread_by_index(tags, pieces):
    return [t if i == 0 else -100 for t, n in zip(tags, pieces, strict=True) for i in range(n)]


def spread_to_all(tags, pieces):
    return np.repeat(tags, pieces).tolist()


def spread_to_the_last(tags, pieces):
    return [t if i == n - 1 else -100 for t, n in zip(tags, pieces, strict=True) for i in range(n)]


def spread_with_zeros(tags, pieces):
    return [t if i == 0 else 0 for t, n in zip(tags, pieces, strict=True) for i in range(n)]


ANSWERS = {
    "pretraining.finetuning.span_by_hand": Answers(
        right=[(0, 2), [0, 2], np.array([0, 2])],
        wrong=[
            ((3, 2), "Look at pairs"),
            ((3, 4), "has a better end"),
            ((2, 2), "Begin earlier"),
            ((1, 3), "Count from 0"),
            ((0, 3), "The last token is included"),
        ],
    ),
    "pretraining.finetuning.read_entities": Answers(
        right=[entities_by_groups, entities_as_lists],
        wrong=[
            (entities_one_past, "not the place behind"),
            (entities_word_by_word, "both are one"),
            (entities_by_kind, "even right behind another"),
            (entities_without_lonely, "begins an entity, too"),
        ],
    ),
    "pretraining.finetuning.two_scores": Answers(
        right=[[0.667, 0.6], (2 / 3, 3 / 5)],
        wrong=[
            ([0.75, 0.45], "That is the precision"),
            ([0.6, 0.9], "That is the recall"),
            ([0.675, 0.675], "harmonic mean"),
            ([0.6, 0.667], "The other way round"),
        ],
    ),
    "pretraining.finetuning.spread_tags": Answers(
        right=[spread_with_lists, spread_by_index],
        wrong=[
            (spread_to_all, "Only the first should"),
            (spread_to_the_last, "not the last"),
            (spread_with_zeros, "0 is a tag"),
        ],
    ),
    "pretraining.finetuning.rates": Answers(
        right=[[0.0004096, 0.000512, 0.00064, 0.0008, 0.001], 0.001 * 0.8 ** np.arange(4, -1, -1)],
        wrong=[
            ([0.001, 0.0008, 0.00064, 0.000512, 0.0004096], "embeddings first"),
            ([0.00032768, 0.0004096, 0.000512, 0.00064, 0.0008], "at the full rate"),
            ([0.0002, 0.0004, 0.0006, 0.0008, 0.001], "not 0.2 less"),
            ([0.000512, 0.00064, 0.0008, 0.001], "Five rates"),
        ],
    ),
}
