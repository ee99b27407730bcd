"""A training step of a 2-16-16-1 network on 100 points: `Tensor`, PyTorch and an engine of scalars.

All three compute in 64 bits: forward pass, mean squared error, backward pass, and a step against
the gradient. They begin with the same weights, and the first losses must agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.harness import Result, compare
from companion.basics.backpropagation import Tensor, Value
from companion.basics.networks import MLP

SIZES = (2, 16, 16, 1)
LEARNING_RATE = 0.01


def measure() -> list[Result]:
    """Compare our step with PyTorch's, and 1,000 of our steps with one of the scalars."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(100, 2))
    y = np.sin(3 * x[:, :1]) * x[:, 1:]  # (100, 1)
    parts = [part for layer in MLP(SIZES, seed=0).layers for part in (layer.weight, layer.bias)]

    arrays: list[Any] = [Tensor(part) for part in parts]
    twins: list[Any] = [torch.tensor(part, requires_grad=True) for part in parts]
    inputs, targets = torch.tensor(x), torch.tensor(y)
    scalars = (
        [[[Value(entry) for entry in row] for row in weight] for weight in parts[0::2]],
        [[Value(entry) for entry in bias] for bias in parts[1::2]],
    )

    def ours() -> float:
        loss = _loss(x, y, *arrays)
        for parameter in arrays:
            parameter.grad = None
        loss.backward()
        for parameter in arrays:
            parameter.data = parameter.data - LEARNING_RATE * parameter.grad
        return float(loss.data)

    def pytorch() -> float:
        loss = _loss(inputs, targets, *twins)
        for parameter in twins:
            parameter.grad = None
        loss.backward()
        with torch.no_grad():
            for parameter in twins:
                parameter.sub_(parameter.grad, alpha=LEARNING_RATE)
        return loss.item()

    def one_by_one() -> float:
        loss = _scalar_loss(x.tolist(), y[:, 0].tolist(), *scalars)
        parameters = [w for weight in scalars[0] for row in weight for w in row]
        parameters += [b for bias in scalars[1] for b in bias]
        for parameter in parameters:
            parameter.grad = 0.0
        loss.backward()
        for parameter in parameters:
            parameter.data -= LEARNING_RATE * parameter.grad
        return loss.data

    for _ in range(2):  # the second losses depend on the gradients of the first
        losses = [ours(), pytorch(), one_by_one()]
        assert np.allclose(losses, losses[0], rtol=1e-9), losses
    network = "2-16-16-1, 100 points"
    return [
        compare(
            f"training step, {network}",
            ours,
            pytorch,
            against="PyTorch eager",
            runs=201,
            warm_up=20,
        ),
        compare(  # a single step of ours would find cold caches after one of scalars
            f"1,000 training steps, {network}",
            lambda: [ours() for _ in range(1000)],
            one_by_one,
            against="1 step, scalars",
            runs=5,
            warm_up=1,
        ),
    ]


def _loss(x, y, w1, b1, w2, b2, w3, b3):
    """Return the mean squared error, of our tensors or of PyTorch's."""
    hidden = ((x @ w1.T + b1).tanh() @ w2.T + b2).tanh()
    error = hidden @ w3.T + b3 - y
    return (error * error).mean()


def _scalar_loss(
    x: list[list[float]],
    y: list[float],
    weights: list[list[list[Value]]],
    biases: list[list[Value]],
) -> Value:
    """Return the same from single numbers."""
    total = Value(0.0)
    for point, target in zip(x, y, strict=True):
        inputs: list = point
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            outputs = []
            for row, z in zip(weight, bias, strict=True):
                for w, value in zip(row, inputs, strict=True):
                    z = z + w * value
                outputs.append(z if layer == 2 else z.tanh())
            inputs = outputs
        error = inputs[0] - target
        total = total + error * error
    return total * (1 / len(y))
