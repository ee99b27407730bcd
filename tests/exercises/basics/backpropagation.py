"""Right and wrong answers to the exercises of the chapter on backpropagation."""

from __future__ import annotations

import math

import numpy as np

from companion.basics.backpropagation import Value

from ..harness import Answers


def nudge_and_put_back(f, x, h):
    x = x.copy()
    gradient = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        before = x[place]
        x[place] = before + h
        above = f(x)
        x[place] = before - h
        gradient[place] = (above - f(x)) / (2 * h)
        x[place] = before
    return gradient


def nudge_one_side(f, x, h):
    gradient = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        nudge = np.zeros(x.shape)
        nudge[place] = h
        gradient[place] = (f(x + nudge) - f(x)) / h
    return gradient


def nudge_the_input_itself(f, x, h):
    gradient = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        gradient[place] = (above - f(x)) / (2 * h)
    return gradient


def logistic(v):
    s = 0.5 * (1 + math.tanh(v.data / 2))
    return Value(s, ((v, s - s * s),))


def two_steps(g, x, w1, b1, w2, b2):
    hidden = np.tanh(x @ w1.T + b1)
    dw2 = np.einsum("no,nh->oh", g, hidden)
    dz = np.einsum("no,oh->nh", g, w2) / np.cosh(x @ w1.T + b1) ** 2
    return np.einsum("nh,ni->hi", dz, x), dz.sum(0), dw2, g.sum(0)


def without_slope(g, x, w1, b1, w2, b2):
    hidden = np.tanh(x @ w1.T + b1)
    dz = g @ w2
    return dz.T @ x, dz.sum(axis=0), g.T @ hidden, g.sum(axis=0)


def slope_at_the_sum(g, x, w1, b1, w2, b2):
    z = x @ w1.T + b1
    dz = (g @ w2) * (1 - z**2)
    return dz.T @ x, dz.sum(axis=0), g.T @ np.tanh(z), g.sum(axis=0)


def with_means(g, x, w1, b1, w2, b2):
    return tuple(part / len(x) for part in two_steps(g, x, w1, b1, w2, b2))


def transposed(g, x, w1, b1, w2, b2):
    dw1, db1, dw2, db2 = two_steps(g, x, w1, b1, w2, b2)
    return dw1.T, db1, dw2.T, db2


def nudge_up_and_down_in_place(f, x, h):
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        x[place] += h
        high = f(x)
        x[place] -= 2 * h
        slopes[place] = (high - f(x)) / (2 * h)
        x[place] += h
    return slopes


ANSWERS = {
    "basics.backpropagation.neuron_by_hand": Answers(
        right=[-0.96, -0.9596, np.float64(-0.959552)],
        wrong=[
            (0.96, "sign of x"),
            (-0.48, "slope of a square"),
            (-2.285, "tanh has a slope"),
            (0.64, "One step to w is left"),
            (-0.64, "the other factor"),
        ],
    ),
    "basics.backpropagation.numerical_gradient": Answers(
        right=[nudge_and_put_back],
        wrong=[
            (nudge_one_side, "both sides"),
            (lambda f, x, h: 2 * nudge_and_put_back(f, x, h), "How far"),
            (lambda f, x, h: 2 * h * nudge_and_put_back(f, x, h), "Divide it by their distance"),
            (lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h), "one slope for each entry"),
            (nudge_the_input_itself, "changes its input"),
            (nudge_up_and_down_in_place, "by a rounding error"),
        ],
    ),
    "basics.backpropagation.sigmoid": Answers(
        right=[logistic],
        wrong=[
            (lambda v: Value(logistic(v).data), "an edge to v"),
            (lambda v: v.tanh(), "not the sigmoid"),
            (lambda v: Value(logistic(v).data, ((v, 1 - logistic(v).data ** 2),)), "tanh"),
            (lambda v: Value(logistic(v).data, ((v, logistic(v).data),)), "slope on the edge"),
            (lambda v: logistic(v).data, "Return a Value"),
        ],
    ),
    "basics.backpropagation.outer_backward": Answers(
        right=[lambda g, a, b: ((g @ b)[:, None], (a.T @ g)[0])],
        wrong=[
            (lambda g, a, b: (g * b, g * a), "which axes were repeated"),
            (lambda g, a, b: (g @ b, (g * a).sum(axis=0)), "shape of the thing"),
            (
                lambda g, a, b: (g.sum(axis=1, keepdims=True), g.sum(axis=0)),
                "the other factor",
            ),
            (
                lambda g, a, b: ((g * a).sum(axis=1, keepdims=True), (g * b).sum(axis=0)),
                "the other factor",
            ),
        ],
    ),
    "basics.backpropagation.two_layers_backward": Answers(
        right=[two_steps],
        wrong=[
            (without_slope, "tanh has a slope"),
            (slope_at_the_sum, "1 - hidden ** 2"),
            (with_means, "no mean"),
            (transposed, "shape of the parameter"),
            (lambda g, x, w1, b1, w2, b2: two_steps(g, x, w1, b1, w2, b2)[:2], "four gradients"),
        ],
    ),
    "basics.backpropagation.idle_pixels": Answers(
        right=[3, np.int64(3)],
        wrong=[(61, "with ink"), (96, "32 of them"), (12, "all 1797"), (0, "one column per pixel")],
    ),
}
