"""What the exercises of the chapter on the Vision Transformer expect.

Chapter: book/pretraining/vit.ipynb
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.checks import Exercise


def cut_image(image: np.ndarray, p: int) -> np.ndarray:
    """Cut an image, (height, width), into patches, (N, p * p)."""
    height, width = image.shape
    rows = [
        image[i : i + p, j : j + p].ravel() for i in range(0, height, p) for j in range(0, width, p)
    ]
    return np.stack(rows)


def count_before_blocks(image_size: int, patch_size: int, n_channels: int, d_model: int) -> int:
    """Count the parameters of the linear map, the class token and the positions."""
    n_patches = (image_size // patch_size) ** 2
    return d_model * (n_channels * patch_size**2 + 1 + 1 + n_patches + 1)


def token_of_pixel(row: int, column: int, width: int, p: int) -> int:
    """Return which token holds a pixel; token 0 is the class token."""
    return 1 + row // p * (width // p) + column // p


def random_image(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Draw an image and a size of patches that fits."""
    rows, columns, p = (int(n) for n in rng.integers(1, 4, size=3))
    return rng.normal(size=(rows * p, columns * p)), p


def random_sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw the sizes of an image, of a patch, the channels and a width."""
    patch, side = int(rng.integers(1, 9)), int(rng.integers(1, 9))
    return patch * side, patch, int(rng.integers(1, 5)), int(rng.integers(1, 65))


def random_pixel(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw a pixel of an image, its width, and a size of patches."""
    p, columns = int(rng.integers(1, 9)), int(rng.integers(1, 9))
    return int(rng.integers(0, 50)), int(rng.integers(0, p * columns)), p * columns, p


def _close(got: Any, value: Any) -> bool:
    return np.shape(got) == np.shape(value) and np.allclose(got, value)


EXERCISES = {
    "tokens_by_hand": Exercise(
        expected=[[2, 5], [0, 0]],
        hints=(
            (
                lambda args, got, expected: _close(got, [[2, 0], [5, 0]]),
                "The numbers are right: one list for each patch, not for each number of a token.",
            ),
            (
                lambda args, got, expected: _close(got, [[2, 4], [0, -1]]),
                "The bias of the second number is 1.",
            ),
            (
                lambda args, got, expected: _close(got, [[2, 5], [1, 5]]),
                "For the second patch: it is 0, 1 in the upper row and 3, 0 in the lower.",
            ),
            (
                lambda args, got, expected: _close(got, [[2, 5], [0, 0], [1, 1]]),
                "Two patches, two tokens: there is no class token here.",
            ),
            (
                lambda args, got, expected: _close(got, [[2, 5], [0, 6]]),
                "The third weight of the second number is −1: what is multiplied by it counts off.",
            ),
            (
                lambda args, got, expected: (
                    _close(got, [[2, 5], [0, 1]]) or _close(got, [[2, 5], [0, -1]])
                ),
                "Look again at the second number of the second token: 2 · 1 − 3 + 1.",
            ),
            (
                lambda args, got, expected: _close(got, [[2, 5], [0, 0]]),
                "Two lists in a list, please.",
            ),
        ),
    ),
    "cut_image": Exercise(
        reference=cut_image,
        cases=(
            (np.arange(4.0).reshape(2, 2), 1),
            (np.arange(8.0).reshape(2, 4), 2),
            (np.arange(24.0).reshape(4, 6), 2),
        ),
        generate=random_image,
        hints=(
            (
                lambda args, got, expected: (
                    isinstance(got, np.ndarray) and got.ndim > 2 and got.size == expected.size
                ),
                "The shape should be (N, p · p): two axes.",
            ),
            (
                lambda args, got, expected: _close(got, args[0].reshape(-1, args[1] ** 2)),
                "These are runs of a row of the image. A patch goes on in the rows below.",
            ),
            (
                lambda args, got, expected: _close(
                    got, expected.reshape(-1, args[1], args[1]).swapaxes(1, 2).reshape(got.shape)
                ),
                "Each patch is written column by column: it should be row by row.",
            ),
            (
                lambda args, got, expected: _close(got, _down_first(*args)),
                "The patches come column by column: go along the rows of the image first.",
            ),
        ),
    ),
    "count_before_blocks": Exercise(
        reference=count_before_blocks,
        cases=((2, 1, 1, 1), (8, 2, 1, 32), (224, 16, 3, 768)),
        generate=random_sizes,
        hints=(
            (
                lambda args, got, expected: got == expected - args[3],
                "D too few: is there a bias, a class token, and a position for the class token?",
            ),
            (
                lambda args, got, expected: got == expected - 2 * args[3],
                "2 D too few: count the bias, the class token, and that token's position.",
            ),
            (
                lambda args, got, expected: got == expected - 3 * args[3],
                "3 D too few: the bias, the class token, and that token's position are missing.",
            ),
            (
                lambda args, got, expected: (
                    got
                    == expected
                    + ((args[0] // args[1]) ** 2 - 1) * args[3] * (args[2] * args[1] ** 2 + 1)
                ),
                "There is one linear map for all patches, not one for each.",
            ),
        ),
    ),
    "token_of_pixel": Exercise(
        reference=token_of_pixel,
        cases=((0, 0, 4, 2), (0, 3, 4, 2), (2, 1, 6, 2), (17, 40, 224, 16)),
        generate=random_pixel,
        hints=(
            (
                lambda args, got, expected: isinstance(got, float) and got == expected,
                "The number is right: make it an integer, with //.",
            ),
            (
                lambda args, got, expected: got == expected - 1,
                "Token 0 is the class token; the patches follow.",
            ),
            (
                lambda args, got, expected: (
                    got == 1 + args[0] // args[3] * args[2] + args[1] // args[3]
                ),
                "In a row of patches there are width / p patches, not width.",
            ),
            (
                lambda args, got, expected: (
                    got == 1 + args[1] // args[3] * (args[2] // args[3]) + args[0] // args[3]
                ),
                "Row and column are exchanged: patches are counted along the rows.",
            ),
        ),
    ),
    "quiet_positions": Exercise(
        expected=45.0,
        tolerance=(0.0, 14.0),  # one seed; other processors train a little differently
        hints=(
            (
                lambda args, got, expected: 0 < got < 1,
                "A percentage, from 0 to 100, not a share.",
            ),
            (
                lambda args, got, expected: got >= 65,
                "That is a ViT with loud positions. Were they drawn again before the training?",
            ),
            (
                lambda args, got, expected: got < 20,
                "That is near guessing. Has it been trained?",
            ),
        ),
    ),
}


def _down_first(image: np.ndarray, p: int) -> np.ndarray:
    height, width = image.shape
    parts = [
        image[i : i + p, j : j + p].ravel() for j in range(0, width, p) for i in range(0, height, p)
    ]
    return np.stack(parts)
