"""Right and wrong answers to the exercises of the chapter on Transformer blocks."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..harness import Answers


def position_with_a_loop(p, d_model):
    encoding = []
    for i in range(0, d_model, 2):
        angle = p * math.exp(-math.log(10000) * i / d_model)
        encoding += [math.sin(angle), math.cos(angle)]
    return np.array(encoding)


def position_by_phase(p, d_model):
    j = np.arange(d_model)  # a cosine is a sine, a quarter turn ahead
    return np.sin(p / 10000 ** (2 * (j // 2) / d_model) + (j % 2) * np.pi / 2)


def position_in_halves(p, d_model):
    both = position_with_a_loop(p, d_model)
    return np.concatenate([both[0::2], both[1::2]])


def position_cosine_first(p, d_model):
    both = position_with_a_loop(p, d_model)
    return both.reshape(-1, 2)[:, ::-1].ravel()


def position_with_an_angle_for_each(p, d_model):
    j = np.arange(d_model)
    angles = p / 10000 ** (j / d_model)
    return np.where(j % 2 == 0, np.sin(angles), np.cos(angles))


def position_too_fast(p, d_model):
    angles = p / 10000 ** (np.arange(d_model // 2) / d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=1).ravel()


def layer_norm_with_loops(x, weight, bias, eps):
    y = np.empty_like(x)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            token = x[b, t]
            y[b, t] = (token - np.mean(token)) * (np.var(token) + eps) ** -0.5
    return y * weight + bias


def layer_norm_by_torch(x, weight, bias, eps):
    tensors = [torch.tensor(values) for values in (x, weight, bias)]
    return torch.nn.functional.layer_norm(tensors[0], x.shape[-1:], *tensors[1:], eps).numpy()


def normalised(x, weight, bias, eps, *, axis=-1, ddof=0):
    difference = x - x.mean(axis=axis, keepdims=True)
    return weight * difference / np.sqrt(x.var(axis=axis, ddof=ddof, keepdims=True) + eps) + bias


def layer_norm_eps_outside(x, weight, bias, eps):
    difference = x - x.mean(axis=-1, keepdims=True)
    return weight * difference / (x.std(axis=-1, keepdims=True) + eps) + bias


def count_with_torch(d_model, d_hidden):
    linear = torch.nn.Linear
    with torch.device("meta"):
        layers = [linear(d_model, d_model) for _ in range(4)]
        layers += [linear(d_model, d_hidden), linear(d_hidden, d_model)]
        layers += [torch.nn.LayerNorm(d_model) for _ in range(2)]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def count_by_parts(d_model, d_hidden):
    linear = lambda n_in, n_out: (n_in + 1) * n_out  # noqa: E731
    inner, outer = linear(d_model, d_hidden), linear(d_hidden, d_model)
    return 4 * linear(d_model, d_model) + inner + outer + 4 * d_model


def pre_norm_in_steps(x, attention, feed_forward, norm_1, norm_2):
    y = attention(norm_1(x))
    middle = np.add(x, y)
    return np.add(middle, feed_forward(norm_2(middle)))


def pre_norm_as_a_loop(x, attention, feed_forward, norm_1, norm_2):
    for part, norm in ((attention, norm_1), (feed_forward, norm_2)):
        x = part(norm(x)) + x
    return x


def post_norm(x, attention, feed_forward, norm_1, norm_2):
    x = norm_1(x + attention(x))
    return norm_2(x + feed_forward(x))


def no_path(x, attention, feed_forward, norm_1, norm_2):
    return feed_forward(norm_2(attention(norm_1(x))))


def path_normalised(x, attention, feed_forward, norm_1, norm_2):
    x = norm_1(x)
    x = norm_2(x + attention(x))
    return x + feed_forward(x)


def both_from_the_input(x, attention, feed_forward, norm_1, norm_2):
    return x + attention(norm_1(x)) + feed_forward(norm_2(x))


ANSWERS = {
    "transformer.blocks.normalise_by_hand": Answers(
        right=[[-1.342, -0.447, 0.447, 1.342], (np.array([1, 3, 5, 7]) - 4) / np.sqrt(5)],
        wrong=[
            ([-3, -1, 1, 3], "now divide"),
            ([-0.6, -0.2, 0.2, 0.6], "Its root is wanted"),
            ([-1.162, -0.387, 0.387, 1.162], "not by 3"),
            ([0.447, 1.342, 2.236, 3.130], "First take off"),
        ],
    ),
    "transformer.blocks.encode_position": Answers(
        right=[position_with_a_loop, position_by_phase],
        wrong=[
            (position_in_halves, "each sine is followed"),
            (position_cosine_first, "The sine comes first"),
            (position_with_an_angle_for_each, "have the same angle"),
            (position_too_fast, "not −i / D"),
        ],
    ),
    "transformer.blocks.layer_norm": Answers(
        right=[layer_norm_with_loops, layer_norm_by_torch],
        wrong=[
            (lambda *args: normalised(*args, ddof=1), "not by D − 1"),
            (layer_norm_eps_outside, "eps is added to the variance"),
            (lambda x, w, b, e: normalised(x, w, b, 0.0), "eps is missing"),
            (lambda *args: torch.tensor(normalised(*args)), "The numbers are right"),
            (lambda *args: normalised(*args, axis=(1, 2)), "one mean per sentence"),
            (lambda *args: normalised(*args, axis=(0, 1)), "over the batch"),
            (lambda *args: normalised(*args, axis=0), "over the batch"),
            (lambda x, w, b, e: normalised(x, np.ones_like(w), 0 * b, e), "are missing"),
        ],
    ),
    "transformer.blocks.count_parameters": Answers(
        right=[count_with_torch, count_by_parts],
        wrong=[
            (lambda d, h: count_by_parts(d, h) - 4 * d, "have parameters, too"),
            (lambda d, h: count_by_parts(d, h) - 2 * d, "two layer normalisations"),
            (lambda d, h: 4 * d * d + 2 * d * h + 4 * d, "also has a bias"),
            (lambda d, h: count_by_parts(d, h) - d * (d + 1), "query, key, value and output"),
        ],
    ),
    "transformer.blocks.pre_norm_block": Answers(
        right=[pre_norm_in_steps, pre_norm_as_a_loop],
        wrong=[
            (post_norm, "That is post-norm"),
            (no_path, "paths around"),
            (path_normalised, "Only what enters"),
            (both_from_the_input, "what the first one has left"),
        ],
    ),
    "transformer.blocks.first_rise": Answers(
        right=[6, np.int64(6)],
        wrong=[
            (5, "still falls"),
            (44, "the width 512"),
            (10, "second rise"),
            (17, "an earlier rise"),
            (1, "only falls"),
        ],
    ),
    "transformer.blocks.quiet_positions": Answers(
        right=[0.5, 0.51, 0.4875],
        wrong=[
            (50, "not a percentage"),
            (0.6, "not right"),
            (1.0, "this very reader"),
            (0.0, "been trained at all"),
        ],
    ),
}
