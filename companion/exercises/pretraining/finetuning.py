"""What the exercises of the chapter on fine-tuning expect.

Chapter: book/pretraining/finetuning.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise
from companion.pretraining.finetuning import entities

IGNORED = -100
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def read_entities(tags: list[str]) -> list[tuple[str, int, int]]:
    """Return kind, first and last word of each entity."""
    return [(entity.kind, entity.start, entity.end) for entity in entities(tags)]


def spread_tags(tags: list[int], pieces: list[int]) -> list[int]:
    """Return the tag of each word at its first piece, -100 at the others."""
    return [
        tag if n == 0 else IGNORED
        for tag, count in zip(tags, pieces, strict=True)
        for n in range(count)
    ]


def random_tags(rng: np.random.Generator) -> tuple[list[str]]:
    """Draw the tags of a sentence."""
    return ([str(tag) for tag in rng.choice(TAGS, size=int(rng.integers(3, 9)))],)


def random_pieces(rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Draw tags of words, and into how many pieces each is cut."""
    n = int(rng.integers(2, 6))
    return rng.integers(0, 9, size=n).tolist(), rng.integers(1, 4, size=n).tolist()


def _same(got: Any, expected: Any) -> bool:
    return isinstance(got, list) and [_plain(one) for one in got] == [
        _plain(one) for one in expected
    ]


def _plain(one: Any) -> Any:
    return tuple(one) if isinstance(one, list | tuple) else one


def _by_mark_b_alone(tags: list[str]) -> list[tuple[str, int, int]]:
    """Let only B- begin an entity: a lonely I- is lost, or joined to the last one."""
    found: list[tuple[str, int, int]] = []
    for place, tag in enumerate(tags):
        if tag[0] == "B":
            found.append((tag[2:], place, place))
        elif tag[0] == "I" and found and found[-1][0] == tag[2:] and found[-1][2] == place - 1:
            found[-1] = (tag[2:], found[-1][1], place)
    return found


def _one_past(tags: list[str]) -> list[tuple[str, int, int]]:
    return [(kind, first, last + 1) for kind, first, last in read_entities(tags)]


def _word_by_word(tags: list[str]) -> list[tuple[str, int, int]]:
    return [(tag[2:], place, place) for place, tag in enumerate(tags) if tag != "O"]


def _runs(tags: list[str]) -> list[tuple[str, int, int]]:
    """Join what stands side by side and is of one kind, B- or not."""
    found: list[tuple[str, int, int]] = []
    for place, tag in enumerate(tags):
        if tag == "O":
            continue
        if found and found[-1][0] == tag[2:] and found[-1][2] == place - 1:
            found[-1] = (tag[2:], found[-1][1], place)
        else:
            found.append((tag[2:], place, place))
    return found


def _repeated(tags: list[int], pieces: list[int]) -> list[int]:
    return [tag for tag, n in zip(tags, pieces, strict=True) for _ in range(n)]


def _at_the_last(tags: list[int], pieces: list[int]) -> list[int]:
    pairs = zip(tags, pieces, strict=True)
    return [one for tag, n in pairs for one in [*[IGNORED] * (n - 1), tag]]


def _zeros(tags: list[int], pieces: list[int]) -> list[int]:
    pairs = zip(tags, pieces, strict=True)
    return [one for tag, n in pairs for one in [tag, *[0] * (n - 1)]]


def _pair(got: Any, first: int, last: int) -> bool:
    return np.shape(got) == (2,) and tuple(int(one) for one in got) == (first, last)


def _near(got: Any, values: list[float]) -> bool:
    return np.shape(got) == (len(values),) and np.allclose(got, values, rtol=0, atol=0.001)


EXERCISES = {
    "span_by_hand": Exercise(
        expected=[0, 2],
        hints=(
            (
                lambda args, got, expected: _pair(got, 3, 2),
                "The best start and the best end, each alone: but that end stands before the "
                "start. Look at pairs.",
            ),
            (
                lambda args, got, expected: _pair(got, 3, 4),
                "That pair has 5 + 2 = 7. A start with a smaller score has a better end.",
            ),
            (
                lambda args, got, expected: _pair(got, 2, 2),
                "That has 1 + 6 = 7. Begin earlier: the answer may have three tokens.",
            ),
            (
                lambda args, got, expected: _pair(got, 1, 3),
                "Count from 0, and give the last token itself.",
            ),
            (
                lambda args, got, expected: _pair(got, 0, 3),
                "The last token is included: give its own place, not the one behind it.",
            ),
        ),
    ),
    "read_entities": Exercise(
        reference=read_entities,
        cases=(
            (["B-PER", "O", "B-LOC", "I-LOC"],),
            (["B-LOC", "B-LOC", "I-LOC"],),
            (["O", "I-PER", "I-PER", "I-LOC"],),
            (["B-PER", "I-LOC"],),
            (["O"],),
        ),
        generate=random_tags,
        hints=(
            (
                lambda args, got, expected: _same(got, _one_past(args[0])),
                "The last word itself is wanted, not the place behind it.",
            ),
            (
                lambda args, got, expected: _same(got, _word_by_word(args[0])),
                "An I- continues the entity before it: both are one.",
            ),
            (
                lambda args, got, expected: _same(got, _runs(args[0])),
                "A B- begins an entity even right behind another one of its kind.",
            ),
            (
                lambda args, got, expected: _same(got, _by_mark_b_alone(args[0])),
                "An I- that continues nothing of its kind begins an entity, too.",
            ),
        ),
    ),
    "two_scores": Exercise(
        expected=[2 * 6 / 18, 2 * 9 / 30],
        tolerance=(0.0, 0.0015),
        hints=(
            (
                lambda args, got, expected: _near(got, [0.75, 0.45]),
                "That is the precision, right of told. F1 takes the recall as well.",
            ),
            (
                lambda args, got, expected: _near(got, [0.6, 0.9]),
                "That is the recall, right of true. F1 takes the precision as well.",
            ),
            (
                lambda args, got, expected: _near(got, [0.675, 0.675]),
                "That is the mean of precision and recall; F1 is their harmonic mean.",
            ),
            (
                lambda args, got, expected: _near(got, [0.6, 0.667]),
                "The other way round: first the model that names 8.",
            ),
        ),
    ),
    "spread_tags": Exercise(
        reference=spread_tags,
        cases=(([3, 0], [2, 1]), ([1, 2, 0], [1, 3, 2])),
        generate=random_pieces,
        hints=(
            (
                lambda args, got, expected: _same(got, _repeated(*args)),
                "Every piece has the tag of its word. Only the first should; the others get -100.",
            ),
            (
                lambda args, got, expected: _same(got, _at_the_last(*args)),
                "The first piece bears the tag, not the last.",
            ),
            (
                lambda args, got, expected: _same(got, _zeros(*args)),
                "0 is a tag, O. What does not count gets -100.",
            ),
        ),
    ),
    "rates": Exercise(
        expected=[0.001 * 0.8**n for n in (4, 3, 2, 1, 0)],
        tolerance=(0.01, 0.0),
        hints=(
            (
                lambda args, got, expected: _ratio(got, expected[::-1]),
                "The other way round: embeddings first, and they learn most slowly.",
            ),
            (
                lambda args, got, expected: _ratio(got, [0.001 * 0.8**n for n in (5, 4, 3, 2, 1)]),
                "The last block learns at the full rate.",
            ),
            (
                lambda args, got, expected: _ratio(got, [0.001 * (1 - 0.2 * n) for n in range(5)]),
                "Each rate is 0.8 times the one above, not 0.2 less.",
            ),
            (
                lambda args, got, expected: _ratio(
                    got, [0.001 * (1 - 0.2 * n) for n in (4, 3, 2, 1, 0)]
                ),
                "Each rate is 0.8 times the one above, not 0.2 less.",
            ),
            (
                lambda args, got, expected: np.shape(got) == (4,),
                "Five rates: four blocks, and the embeddings below them.",
            ),
        ),
    ),
}


def _ratio(got: Any, values: list[float]) -> bool:
    return np.shape(got) == (len(values),) and np.allclose(got, values, rtol=0.01, atol=0)
