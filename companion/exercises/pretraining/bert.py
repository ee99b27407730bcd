"""What the exercises of the chapter on BERT expect.

Chapter: book/pretraining/bert.ipynb
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from companion.checks import Exercise

Row = Sequence[int]
IGNORED = -100


def segments_and_positions(n_first: int, n_second: int) -> tuple[list[int], list[int]]:
    """Return the segments and positions of [CLS] first [SEP] second [SEP]."""
    length = n_first + n_second + 3
    return [int(place > n_first + 1) for place in range(length)], list(range(length))


def corrupt(
    ids: np.ndarray, chosen: np.ndarray, fate: np.ndarray, drawn: np.ndarray, mask_id: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets, each (T,)."""
    return _corrupted(ids, chosen, fate, drawn, mask_id)


def count_bert(vocab_size: int, d_model: int, n_layers: int) -> int:
    """Count the parameters of a BERT with pooler."""
    D = d_model
    return (vocab_size + 514) * D + 2 * D + n_layers * (12 * D**2 + 13 * D) + D**2 + D


def subject_particle(word: str) -> str:
    """Return 이 after a consonant, 가 after a vowel."""
    return "이" if (ord(word[-1]) - ord("가")) % 28 else "가"


def mean_pool(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the mean of the real tokens, (B, D)."""
    return np.stack([row[real].mean(axis=0) for row, real in zip(hidden, mask, strict=True)])


def random_lengths(rng: np.random.Generator) -> tuple[int, int]:
    """Draw the lengths of two texts."""
    return int(rng.integers(1, 20)), int(rng.integers(1, 20))


def random_chances(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a text, and what chance decides."""
    T = int(rng.integers(3, 12))
    ids, drawn = rng.integers(5, 50, size=(2, T))
    return ids, rng.random(T) < 0.6, rng.random(T), drawn, 4


def random_sizes(rng: np.random.Generator) -> tuple[int, int, int]:
    """Draw the sizes of a BERT."""
    return int(rng.integers(10, 999)), int(rng.integers(2, 99)), int(rng.integers(1, 9))


def random_word(rng: np.random.Generator) -> tuple[str]:
    """Draw two Hangul syllables."""
    return ("".join(chr(0xAC00 + int(k)) for k in rng.integers(0, 11_172, size=2)),)


def random_batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw vectors of tokens, and which of them are real."""
    B, T, D = (int(n) for n in rng.integers(2, 5, size=3))
    lengths = rng.integers(1, T + 1, size=B)
    lengths[0] = T - 1
    return rng.normal(size=(B, T, D)), np.arange(T) < lengths[:, None]


def both(answer: Callable[..., Any], *args: Any) -> dict[str, list[Any]]:
    """Call an answer, and name its two results."""
    inputs, targets = answer(*args)
    return {"inputs": np.asarray(inputs).tolist(), "targets": np.asarray(targets).tolist()}


def lists(answer: Callable[..., Any], *args: Any) -> dict[str, list[Any]]:
    """Call an answer, and name its two lists."""
    segments, positions = answer(*args)
    return {"segments": list(segments), "positions": list(positions)}


def _corrupted(
    ids: Any,
    chosen: Any,
    fate: Any,
    drawn: Any,
    mask_id: int,
    *,
    asked: Any = None,
    swapped: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    low = chosen & (fate < (0.1 if swapped else 0.8))
    high = chosen & (fate >= (0.2 if swapped else 0.9))
    inputs = np.where(low, mask_id, np.where(high, drawn, ids))
    return inputs, np.where(chosen if asked is None else asked, ids, IGNORED)


def _are(got: Any, inputs: Any = None, targets: Any = None) -> bool:
    if not isinstance(got, dict):
        return False
    wanted = {"inputs": inputs, "targets": targets}
    return all(got[k] == np.asarray(v).tolist() for k, v in wanted.items() if v is not None)


def _changed(args: Any) -> Any:
    return args[1] & ((args[2] < 0.8) | (args[2] >= 0.9))


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and bool(np.allclose(got, value))


def _four(got: Any, values: Sequence[float]) -> bool:
    return np.shape(got) == (4,) and np.allclose(got, values)


EXERCISES = {
    "how_many": Exercise(
        expected=[60, 48, 6, 60],
        tolerance=(1e-9, 1e-9),
        hints=(
            (
                lambda args, got, expected: _four(got, [60, 48, 6, 48]),
                "The loss asks at all chosen positions, whatever is read there.",
            ),
            (
                lambda args, got, expected: _four(got, [60, 48, 6, 54]),
                "Those that were left as they are count as well.",
            ),
            (
                lambda args, got, expected: _four(got, [60, 320, 40, 60]),
                "80 % and 10 % of the chosen, not of all.",
            ),
            (
                lambda args, got, expected: _four(got, [60, 60, 0, 60]),
                "Not all of the chosen become [MASK].",
            ),
            (
                lambda args, got, expected: _four(got, [60, 48, 12, 60]),
                "Half of the 20 % that do not become [MASK] stay as they are.",
            ),
        ),
    ),
    "segments_and_positions": Exercise(
        reference=segments_and_positions,
        run=lists,
        cases=((1, 1), (2, 1), (3, 4)),
        generate=random_lengths,
        hints=(
            (
                lambda args, got, expected: (
                    isinstance(got, dict)
                    and got["segments"] == [0] * (args[0] + 1) + [1] * (args[1] + 2)
                ),
                "The first [SEP] ends the first text: it belongs to segment 0.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, dict) and len(got["segments"]) == args[0] + args[1]
                ),
                "There are three special tokens as well.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, dict)
                    and got["positions"] == [k + 1 for k in expected["positions"]]
                ),
                "Positions are counted from 0.",
            ),
            (
                lambda args, got, expected: (
                    isinstance(got, dict)
                    and got["segments"] == expected["segments"]
                    and got["positions"].count(0) > 1
                ),
                "Positions do not begin again with the second text.",
            ),
        ),
    ),
    "corrupt": Exercise(
        reference=corrupt,
        run=both,
        cases=(
            (
                np.array([7, 8, 9, 10]),
                np.array([True, True, True, False]),
                np.array([0.1, 0.85, 0.95, 0.5]),
                np.array([20, 21, 22, 23]),
                4,
            ),
        ),
        generate=random_chances,
        hints=(
            (
                lambda args, got, expected: _are(
                    got, targets=np.where(args[1] & (args[2] < 0.8), args[0], IGNORED)
                ),
                "A chosen token is asked about, whatever became of it: also if it stayed.",
            ),
            (
                lambda args, got, expected: _are(
                    got, targets=np.where(_changed(args), args[0], IGNORED)
                ),
                "A token that was chosen and left as it is, is asked about, too.",
            ),
            (
                lambda args, got, expected: _are(got, targets=args[0]),
                "Where nothing was chosen, the target is -100.",
            ),
            (
                lambda args, got, expected: _are(
                    got, targets=np.where(args[1], expected["inputs"], IGNORED)
                ),
                "The target is the token that stood there, not the one that is read now.",
            ),
            (
                lambda args, got, expected: _are(
                    got,
                    inputs=np.where(
                        args[2] < 0.8, args[4], np.where(args[2] >= 0.9, args[3], args[0])
                    ),
                ),
                "Only chosen tokens are changed.",
            ),
            (
                lambda args, got, expected: _are(got, inputs=np.where(args[1], args[4], args[0])),
                "Not every chosen token becomes mask_id: look at its fate.",
            ),
            (
                lambda args, got, expected: _are(
                    got, inputs=np.where(args[1] & (args[2] < 0.8), args[4], args[0])
                ),
                "Where the fate is 0.9 or more, the drawn token is read.",
            ),
        ),
    ),
    "count_bert": Exercise(
        reference=count_bert,
        cases=((10, 2, 1), (30_522, 768, 12), (30_522, 1024, 24)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected - args[1] ** 2 - args[1],
                "The pooler is missing: one linear layer from d_model to d_model.",
            ),
            (
                lambda args, got, expected: got == expected - 2 * args[1],
                "The normalisation of the three tables' sum has parameters, too.",
            ),
            (
                lambda args, got, expected: got == expected - 514 * args[1],
                "There are tables for 512 positions and 2 segments as well.",
            ),
            (
                lambda args, got, expected: got == expected - 4 * args[1] * args[2],
                "Each block has two normalisations, with a scale and a shift each.",
            ),
            (
                lambda args, got, expected: got == expected - 9 * args[1] * args[2] - args[1],
                "All linear layers have biases.",
            ),
        ),
    ),
    "subject_particle": Exercise(
        reference=subject_particle,
        cases=(("수학",), ("영어",), ("민준",), ("지우",)),
        generate=random_word,
        hints=(
            (
                lambda args, got, expected: got in ("이", "가") and got != expected,
                "A rest other than 0 is a final consonant and takes 이: look at the last syllable.",
            ),
            (
                lambda args, got, expected: got in ("을", "를", "은", "는"),
                "The particle of the subject is wanted, 이 or 가.",
            ),
            (
                lambda args, got, expected: got == args[0] + expected,
                "The particle alone, without the word.",
            ),
        ),
    ),
    "mean_pool": Exercise(
        reference=mean_pool,
        cases=(
            (
                np.array([[[1.0, 4.0], [3.0, 0.0], [9.0, 9.0]]]),
                np.array([[True, True, False]]),
            ),
        ),
        generate=random_batch,
        hints=(
            (
                lambda args, got, expected: _close(got, args[0].mean(axis=1)),
                "That is the mean with the padding.",
            ),
            (
                lambda args, got, expected: _close(
                    got, (args[0] * args[1][..., None]).mean(axis=1)
                ),
                "The padding is 0 now, but still counted: divide by the number of real tokens.",
            ),
            (
                lambda args, got, expected: _close(got, (args[0] * args[1][..., None]).sum(axis=1)),
                "That is the sum. Divide by the number of real tokens of each row.",
            ),
            (
                lambda args, got, expected: _close(got, args[0][:, 0]),
                "That is the vector of the first token, [CLS].",
            ),
            (
                lambda args, got, expected: _close(got, args[0][args[1]].mean(axis=0)),
                "That is one mean for the whole batch. Each row has its own.",
            ),
        ),
    ),
    "nearest": Exercise(
        expected=3,
        hints=(
            (
                lambda args, got, expected: got == 2,
                "That one would help. But the cosine measures likeness: compute it.",
            ),
            (
                lambda args, got, expected: got == 0,
                "It is about sleep, but it is no question. Compute the cosines.",
            ),
            (
                lambda args, got, expected: isinstance(got, str),
                "The index of the sentence is wanted, counted from 0.",
            ),
        ),
    ),
}
