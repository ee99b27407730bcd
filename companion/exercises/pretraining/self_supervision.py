"""What the exercises of the chapter on self-supervision expect.

Chapter: book/pretraining/self_supervision.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def hide(image: np.ndarray, top: int, left: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Hide a square of an image, shape (height, width); return the image and the mask."""
    mask = np.zeros(image.shape, dtype=bool)
    mask[top : top + size, left : left + size] = True
    return np.where(mask, 0.0, image), mask


def inverse(order: list[int]) -> list[int]:
    """Say for each piece at which place it lies."""
    return [order.index(piece) for piece in range(len(order))]


def nt_xent(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    """Return the contrastive loss of two arrays, shape (N, D)."""
    return _loss(first, second, temperature)


def _loss(
    first: np.ndarray,
    second: np.ndarray,
    temperature: float,
    *,
    unit: bool = True,
    itself: bool = False,
    across: bool = False,
    times: bool = False,
) -> float:
    """Return the loss, or what a typical mistake makes of it."""
    z = np.concatenate([first, second])
    if unit:
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
    N = len(first)
    with np.errstate(over="ignore"):
        e = np.exp(z @ z.T * (temperature if times else 1 / temperature))
    if not itself:
        np.fill_diagonal(e, 0)
    if across:  # each of the first looks among the second alone
        e = e[:N, N:]
        return float(-np.log(np.diag(e) / e.sum(axis=1)).mean())
    partner = np.roll(np.arange(2 * N), N)
    return float(-np.log(e[np.arange(2 * N), partner] / e.sum(axis=1)).mean())


def random_square(rng: np.random.Generator) -> tuple[np.ndarray, int, int, int]:
    """Draw an image that is not square, and a square in it."""
    height, width = (int(n) for n in rng.integers(3, 7, size=2))
    size = int(rng.integers(1, 3))
    top, left = int(rng.integers(0, height - size + 1)), int(rng.integers(0, width - size + 1))
    return rng.uniform(1, 9, size=(height, width)).round(1), top, left, size


def random_order(rng: np.random.Generator) -> tuple[list[int]]:
    """Draw an order of up to nine pieces."""
    return (rng.permutation(int(rng.integers(1, 10))).tolist(),)


def random_views(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw vectors of any length, and a temperature."""
    N, D = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    return rng.normal(size=(N, D)), rng.normal(size=(N, D)), float(rng.uniform(0.2, 0.9))


def _near(got: Any, value: float, tolerance: float = 0.0015) -> bool:
    return np.ndim(got) == 0 and abs(float(got) - value) <= tolerance


def _pair(got: Any) -> Any:
    return got if isinstance(got, tuple | list) and len(got) == 2 else None


def _image(got: Any, value: np.ndarray) -> bool:
    pair = _pair(got)
    return pair is not None and np.shape(pair[0]) == value.shape and np.allclose(pair[0], value)


def _is(args: Any, got: Any, **mistake: bool) -> bool:
    return np.ndim(got) == 0 and np.allclose(got, _loss(*args, **mistake))


EXERCISES = {
    "contrast_by_hand": Exercise(
        expected=0.2941,
        tolerance=(0.0, 0.001),
        hints=(
            (lambda args, got, expected: _near(got, 0.56), "Divide by the temperature first."),
            (
                lambda args, got, expected: _near(got, 1.2719),
                "The picture itself is not among its candidates.",
            ),
            (
                lambda args, got, expected: _near(got, -1.0732),
                "The partner belongs to the sum below the line as well.",
            ),
            (
                lambda args, got, expected: _near(got, 0.7452),
                "That is the probability of the partner; the loss is minus its logarithm.",
            ),
        ),
    ),
    "hide": Exercise(
        reference=hide,
        cases=(
            (np.arange(1.0, 10.0).reshape(3, 3), 0, 1, 2),
            (np.arange(1.0, 21.0).reshape(4, 5), 1, 2, 2),
            (np.arange(1.0, 13.0).reshape(3, 4), 2, 3, 1),
        ),
        generate=random_square,
        hints=(
            (
                lambda args, got, expected: isinstance(got, np.ndarray),
                "Return two things: the image, and the mask.",
            ),
            (
                lambda args, got, expected: _pair(got) is not None and np.shape(got[0]) == (),
                "Return the image and the mask, each of the image's shape.",
            ),
            (
                lambda args, got, expected: _image(got, np.where(expected[1], args[0], 0)),
                "The square is 0, and the rest stays: here it is the other way round.",
            ),
            (
                lambda args, got, expected: _image(got, expected[0]),
                "The image is right. The mask is True in the square, False elsewhere.",
            ),
            (
                lambda args, got, expected: (
                    args[1] != args[2] and _image(got, hide(args[0], args[2], args[1], args[3])[0])
                ),
                "top counts rows, left counts columns: they have changed places.",
            ),
        ),
    ),
    "inverse": Exercise(
        reference=inverse,
        cases=(([2, 0, 1],), ([0, 3, 1, 2],), ([0],)),
        generate=random_order,
        hints=(
            (
                lambda args, got, expected: list(got) == list(args[0]),
                "That is the order itself: which piece lies at each place. Wanted: which place "
                "each piece has.",
            ),
            (
                lambda args, got, expected: list(got) == list(args[0])[::-1],
                "That is the order backwards, not its inverse.",
            ),
            (
                lambda args, got, expected: list(got) == sorted(args[0]),
                "That is the puzzle when it is solved. Wanted: where each piece lies now.",
            ),
        ),
    ),
    "nt_xent": Exercise(
        reference=nt_xent,
        cases=(
            (np.eye(2), np.eye(2), 1.0),
            (np.eye(2), np.eye(2), 0.5),
            (np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [-1.0, 2.0]]), 0.5),
        ),
        generate=random_views,
        hints=(
            (
                lambda args, got, expected: _is(args, got, itself=True),
                "No picture is its own partner: leave each picture out of its own candidates.",
            ),
            (
                lambda args, got, expected: _is(args, got, unit=False),
                "First divide each vector by its length.",
            ),
            (
                lambda args, got, expected: _is(args, got, across=True),
                "All 2N pictures ask, and each has 2N − 1 candidates, those of its own half too.",
            ),
            (
                lambda args, got, expected: _is(args, got, times=True),
                "Divide by the temperature.",
            ),
        ),
    ),
    "what_learns": Exercise(
        expected=2565,
        hints=(
            (lambda args, got, expected: got == 2560, "The dense layer has a bias for each class."),
            (
                lambda args, got, expected: got in (1_202_565, 1_202_560),
                "That is fine-tuning. In feature extraction the body is frozen.",
            ),
            (
                lambda args, got, expected: got == 517,
                "Each of 512 features has a weight per class.",
            ),
        ),
    ),
    "lighter_pieces": Exercise(
        expected=25.5,
        tolerance=(0.0, 5.0),  # other random numbers give 23 to 29
        hints=(
            (
                lambda args, got, expected: _near(got, 97.6, 2),
                "That many are solved as they are. Add the random numbers to the pieces.",
            ),
            (
                lambda args, got, expected: _near(got, 0.255, 0.05),
                "In per cent, please: of 100 puzzles.",
            ),
            (
                lambda args, got, expected: _near(got, 64, 3),
                "That is a gap of 1. Here the pieces stay whole and change their grey.",
            ),
        ),
    ),
}
