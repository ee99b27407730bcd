"""The perceptron: one neuron that decides by a weighted sum and learns from its mistakes.

    y_hat = 1 if w . x + b >= 0 else 0
    w <- w + learning_rate * (y - y_hat) * x,    b <- b + learning_rate * (y - y_hat)

Equality counts as 1. Learning visits the samples in the order given, epoch after epoch, and stops
after the first epoch without a mistake. What it leaves out: shuffling, more than two classes, and
any remedy for samples that no straight line separates; there it stops at `max_epochs`.

Reference: F. Rosenblatt (1958), The Perceptron: A Probabilistic Model for Information Storage and
Organization in the Brain, Psychological Review 65(6), 386-408.

Chapter: book/basics/perceptron.ipynb
"""

from __future__ import annotations

from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike

from companion.arguments import between, finite, integer, number, size


class Perceptron:
    """One neuron with a step function, and the perceptron learning rule.

    A new perceptron has zero weights and zero bias: it answers 1 to everything.

    Parameters
    ----------
    n_inputs : int
        Numbers per sample.

    Examples
    --------
    >>> perceptron = Perceptron(2)
    >>> perceptron.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    [2, 3, 3, 2, 1, 0]
    >>> perceptron.weights, perceptron.bias
    (array([2., 1.]), -3.0)
    >>> perceptron.predict([[0, 1], [1, 1]])
    array([0, 1])
    """

    def __init__(self, n_inputs: int) -> None:
        self._weights = np.zeros(size(n_inputs, "n_inputs"))  # (n_inputs,)
        self._bias = 0.0

    @property
    def weights(self) -> np.ndarray:
        """The weights, shape (n_inputs,); can be set to `n_inputs` finite numbers.

        Learning replaces this array and does not write into it: keep one, and it stays as it was.
        """
        return self._weights

    @weights.setter
    def weights(self, value: ArrayLike) -> None:
        self._weights = _rows(finite(value, "weights", self._weights.shape)).copy()

    @property
    def bias(self) -> float:
        """The bias; can be set to a finite number."""
        return self._bias

    @bias.setter
    def bias(self, value: float) -> None:
        self._bias = number(value, "bias")

    def predict(self, x: ArrayLike) -> np.ndarray:
        """Decide for each sample, (N, n_inputs): 1 if w . x + b >= 0, else 0, shape (N,).

        N may be 0. A single sample needs its own row: ``x[None, :]``.
        """
        samples = self._samples(x)
        # Not `samples @ weights`: a matrix product may round a sum differently from the same sum
        # taken alone, and predict and fit must agree on every sample.
        with np.errstate(over="ignore", invalid="ignore"):
            scores = (samples * self._weights).sum(axis=1) + self._bias  # (N,)
        if not np.isfinite(scores).all():
            raise ValueError("x is too large: a weighted sum overflowed")
        return (scores >= 0).astype(int)

    def fit(
        self, x: ArrayLike, y: ArrayLike, *, learning_rate: float = 1.0, max_epochs: int = 100
    ) -> list[int]:
        """Learn from labelled samples, correcting weights and bias after every mistake.

        Learning goes on from the present weights and bias, so that two calls of one epoch do the
        same as one call of two.

        Parameters
        ----------
        x : array_like, shape (N, n_inputs)
            At least one sample.
        y : array_like, shape (N,)
            The labels, 0 or 1.
        learning_rate : float, default 1.0
            Size of a correction, above 0. From zero weights and bias it scales both without
            changing a decision, apart from rounding.
        max_epochs : int, default 100
            Passes over the samples after which learning gives up.

        Returns
        -------
        list of int
            Updates in each epoch. The last number is 0 exactly if the perceptron now makes no
            mistake on the samples.
        """
        samples = self._samples(x)
        if len(samples) == 0:
            raise ValueError("x must hold at least one sample to learn from, got none")
        labels = finite(y, "y", (len(samples),))
        if (wrong := labels[(labels != 0) & (labels != 1)]).size:
            raise ValueError(f"y must hold the labels 0 and 1 only, got {wrong[0]:g}")
        rate = between(0, learning_rate, inf, "learning_rate")
        max_epochs = integer(max_epochs, "max_epochs", 1)
        with np.errstate(over="ignore", invalid="ignore"):
            weights, bias, updates = self._learn(samples, labels.astype(int), rate, max_epochs)
        if not (np.isfinite(weights).all() and isfinite(bias)):
            raise ValueError("x or learning_rate is too large: the weights overflowed")
        self._weights, self._bias = weights, bias
        return updates

    def _learn(
        self, samples: np.ndarray, labels: np.ndarray, rate: float, max_epochs: int
    ) -> tuple[np.ndarray, float, list[int]]:
        """Apply the learning rule; return weights, bias and updates per epoch, change nothing."""
        weights, bias, updates = self._weights, self._bias, []
        for _ in range(max_epochs):
            mistakes = 0
            for sample, label in zip(samples, labels.tolist(), strict=True):
                score = float((sample * weights).sum()) + bias
                if not isfinite(score):
                    raise ValueError("x or learning_rate is too large: a weighted sum overflowed")
                error = label - int(score >= 0)  # -1, 0 or 1
                if error:
                    weights = weights + rate * error * sample  # not in place: see `weights`
                    bias = bias + rate * error
                    mistakes += 1
            updates.append(mistakes)
            if mistakes == 0:
                break
        return weights, bias, updates

    def _samples(self, x: ArrayLike) -> np.ndarray:
        """Return `x` as an array of float64, shape (N, n_inputs)."""
        samples, shape = finite(x, "x"), self._weights.shape
        if samples.shape == shape:
            wanted = f"x must have shape (N, {shape[0]}), got {shape}"
            raise ValueError(f"{wanted}: give a single sample as x[None, :]")
        return _rows(finite(samples, "x", ("N", *shape)))


def _rows(array: np.ndarray) -> np.ndarray:
    """Put an array of float64 into rows, so that sums along a row are rounded alike."""
    return np.ascontiguousarray(array, dtype=np.float64)
