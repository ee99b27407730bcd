"""Right and wrong answers to the exercises of the chapter on the Vision Transformer."""

from __future__ import annotations

import numpy as np
import torch

from ..harness import Answers


def cut_by_axes(image, p):
    rows, columns = image.shape[0] // p, image.shape[1] // p
    return np.swapaxes(image.reshape(rows, p, columns, p), 1, 2).reshape(rows * columns, p * p)


def cut_by_torch(image, p):
    x = torch.tensor(image)[None, None]
    return torch.nn.functional.unfold(x, p, stride=p)[0].T.numpy()


def cut_column_by_column(image, p):
    return cut_by_axes(image, p).reshape(-1, p, p).transpose(0, 2, 1).reshape(-1, p * p)


def cut_downwards(image, p):
    rows, columns = image.shape[0] // p, image.shape[1] // p
    return image.reshape(rows, p, columns, p).transpose(2, 0, 1, 3).reshape(-1, p * p)


def count_with_torch(image_size, patch_size, n_channels, d_model):
    with torch.device("meta"):
        linear = torch.nn.Conv2d(n_channels, d_model, patch_size, patch_size)
    n_tokens = image_size**2 // patch_size**2 + 1
    return sum(p.numel() for p in linear.parameters()) + (n_tokens + 1) * d_model


def count_by_parts(image_size, patch_size, n_channels, d_model):
    side = image_size // patch_size
    weights = d_model * n_channels * patch_size * patch_size
    return weights + d_model * (side * side + 3)


def count_a_map_for_each(image_size, patch_size, n_channels, d_model):
    n = (image_size // patch_size) ** 2
    return n * (n_channels * patch_size**2 + 1) * d_model + d_model * (n + 2)


def token_by_counting(row, column, width, p):
    full_rows, places = divmod(row, p)[0], width // p
    return full_rows * places + divmod(column, p)[0] + 1


def token_by_list(row, column, width, p):
    grid = np.arange(1, 1 + (row // p + 1) * (width // p)).reshape(-1, width // p)
    return grid[row // p, column // p]


ANSWERS = {
    "pretraining.vit.tokens_by_hand": Answers(
        right=[[[2, 5], [0, 0]], ((2, 5), (0, 0)), np.array([[2.0, 5.0], [0.0, 0.0]])],
        wrong=[
            ([[2, 0], [5, 0]], "one list for each patch"),
            ([[2, 4], [0, -1]], "bias of the second number"),
            ([[2, 5], [0, 0], [1, 1]], "no class token"),
            ([[2, 5], [0, 6]], "counts off"),
            ([[2, 5], [0, -1]], "Look again"),
            ([[3, 5], [0, 0]], "not right"),
        ],
    ),
    "pretraining.vit.cut_image": Answers(
        right=[cut_by_axes, cut_by_torch],
        wrong=[
            (lambda image, p: image.reshape(-1, p * p), "runs of a row"),
            (cut_column_by_column, "row by row"),
            (cut_downwards, "along the rows of the image"),
            (lambda image, p: cut_by_axes(image, p).reshape(-1, p, p), "two axes"),
        ],
    ),
    "pretraining.vit.count_before_blocks": Answers(
        right=[count_with_torch, count_by_parts],
        wrong=[
            (lambda *sizes: count_by_parts(*sizes) - sizes[3], "D too few"),
            (lambda *sizes: count_by_parts(*sizes) - 2 * sizes[3], "2 D too few"),
            (lambda *sizes: count_by_parts(*sizes) - 3 * sizes[3], "3 D too few"),
            (count_a_map_for_each, "one linear map for all patches"),
        ],
    ),
    "pretraining.vit.token_of_pixel": Answers(
        right=[token_by_counting, token_by_list],
        wrong=[
            (lambda r, c, w, p: r // p * (w // p) + c // p, "Token 0 is the class token"),
            (lambda r, c, w, p: 1 + r // p * w + c // p, "not width"),
            (lambda r, c, w, p: 1.0 + r // p * (w // p) + c // p, "make it an integer"),
            (lambda r, c, w, p: 1 + c // p * (w // p) + r // p, "Row and column are exchanged"),
        ],
    ),
    "pretraining.vit.quiet_positions": Answers(
        right=[45.0, 38.2, 55],
        wrong=[
            (0.45, "not a share"),
            (78.0, "loud positions"),
            (10.0, "near guessing"),
            (62.0, "not right"),
        ],
    ),
}
