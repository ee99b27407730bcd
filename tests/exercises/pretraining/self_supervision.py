"""Right and wrong answers to the exercises of the chapter on self-supervision."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..harness import Answers


def hide_with_loops(image, top, left, size):
    hidden, mask = image.copy(), np.full(image.shape, False)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            if 0 <= row - top < size and 0 <= column - left < size:
                hidden[row, column], mask[row, column] = 0, True
    return hidden, mask


def hide_in_place(image, top, left, size):
    mask = np.zeros(image.shape, dtype=bool)
    mask[top : top + size, left : left + size] = True
    image[mask] = 0
    return image, mask


def hide_the_rest(image, top, left, size):
    hidden, mask = hide_with_loops(image, top, left, size)
    return image - hidden, mask


def hide_with_the_mask_of_what_is_seen(image, top, left, size):
    hidden, mask = hide_with_loops(image, top, left, size)
    return hidden, ~mask


def hide_swapped(image, top, left, size):
    hidden, mask = image.copy(), np.zeros(image.shape, dtype=bool)
    hidden[left : left + size, top : top + size] = 0
    mask[left : left + size, top : top + size] = True
    return hidden, mask


def inverse_by_sorting(order):
    return [place for _, place in sorted((piece, place) for place, piece in enumerate(order))]


def inverse_with_a_dict(order):
    where = {piece: place for place, piece in enumerate(order)}
    return [where[piece] for piece in range(len(order))]


def nt_xent_with_loops(first, second, temperature):
    z = [row / math.sqrt(sum(x * x for x in row)) for row in [*first, *second]]
    N, total = len(first), 0.0
    for i in range(2 * N):
        scores = {k: float(z[i] @ z[k]) / temperature for k in range(2 * N) if k != i}
        largest = max(scores.values())
        log_sum = largest + math.log(sum(math.exp(s - largest) for s in scores.values()))
        total += log_sum - scores[(i + N) % (2 * N)]
    return total / (2 * N)


def nt_xent_by_torch(first, second, temperature):
    z = torch.nn.functional.normalize(torch.tensor(np.concatenate([first, second])), dim=1)
    scores = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    partner = torch.arange(len(z)).roll(len(first))
    return torch.nn.functional.cross_entropy(scores, partner).item()


def nt_xent_with_itself(first, second, temperature):
    z = torch.nn.functional.normalize(torch.tensor(np.concatenate([first, second])), dim=1)
    partner = torch.arange(len(z)).roll(len(first))
    return torch.nn.functional.cross_entropy(z @ z.T / temperature, partner).item()


def nt_xent_of_any_length(first, second, temperature):
    z = torch.tensor(np.concatenate([first, second]))
    scores = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    partner = torch.arange(len(z)).roll(len(first))
    return torch.nn.functional.cross_entropy(scores, partner).item()


def nt_xent_of_one_side(first, second, temperature):
    a, b = (torch.nn.functional.normalize(torch.tensor(x), dim=1) for x in (first, second))
    return torch.nn.functional.cross_entropy(a @ b.T / temperature, torch.arange(len(a))).item()


def nt_xent_times(first, second, temperature):
    return nt_xent_by_torch(first, second, 1 / temperature)


NAME = "pretraining.self_supervision."
ANSWERS = {
    NAME + "contrast_by_hand": Answers(
        right=[0.294, math.log(1 + math.exp(-1.2) + math.exp(-3.2))],
        wrong=[
            (math.log(1 + math.exp(-0.6) + math.exp(-1.6)), "Divide by the temperature"),
            (1.272, "not among its candidates"),
            (-1.073, "below the line as well"),
            (0.745, "minus its logarithm"),
        ],
    ),
    NAME + "hide": Answers(
        right=[hide_with_loops],
        wrong=[
            (hide_in_place, "changes its input"),
            (hide_the_rest, "the other way round"),
            (hide_with_the_mask_of_what_is_seen, "True in the square"),
            (hide_swapped, "they have changed places"),
            (lambda *args: hide_with_loops(*args)[0], "Return two things"),
        ],
    ),
    NAME + "inverse": Answers(
        right=[inverse_by_sorting, inverse_with_a_dict],
        wrong=[
            (lambda order: list(order), "That is the order itself"),
            (lambda order: list(order)[::-1], "backwards"),
            (sorted, "when it is solved"),
        ],
    ),
    NAME + "nt_xent": Answers(
        right=[nt_xent_with_loops, nt_xent_by_torch],
        wrong=[
            (nt_xent_with_itself, "No picture is its own partner"),
            (nt_xent_of_any_length, "divide each vector by its length"),
            (nt_xent_of_one_side, "each has 2N − 1 candidates"),
            (nt_xent_times, "Divide by the temperature"),
        ],
    ),
    NAME + "what_learns": Answers(
        right=[2565, 513 * 5],
        wrong=[
            (2560, "a bias for each class"),
            (1_202_565, "That is fine-tuning"),
            (517, "a weight per class"),
        ],
    ),
    NAME + "lighter_pieces": Answers(
        right=[26.0, 24],
        wrong=[
            (97.6, "Add the random numbers"),
            (0.26, "In per cent"),
            (64, "the pieces stay whole"),
        ],
    ),
}
