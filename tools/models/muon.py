"""Muon: momentum whose steps are made orthogonal, for the matrices inside a model; AdamW elsewhere.

The step of a matrix is its momentum M = U S V', brought near to U V': all directions in which it
moves the output are moved alike far. Five rounds of Newton and Schulz do that without a singular
value decomposition::

    X = M / |M|,   then five times   A = X X',   X = a X + (b A + c A A) X
    (a, b, c) = (3.4445, -4.7750, 2.0315)

It needs about half the steps of AdamW for the same loss on our small models, and stays in 32 bits:
the same on every processor that rounds alike. Embeddings, norms and biases keep AdamW.

Reference: Jordan and others (2024), Muon: an optimizer for hidden layers in neural networks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

ROUNDS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Muon for the groups that have ``muon=True``, AdamW for the others.

    Parameters
    ----------
    params : iterable
        Groups of parameters, as `groups` makes them.
    lr : float
        The learning rate of groups without their own.
    """

    def __init__(self, params: Any, lr: float = 0.02) -> None:
        defaults = {"lr": lr, "muon": False, "momentum": 0.95, "betas": (0.9, 0.98), "eps": 1e-8}
        super().__init__(params, {**defaults, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Move every parameter that has a gradient."""
        assert closure is None, "one step, one gradient"
        for group in self.param_groups:
            found = [p for p in group["params"] if p.grad is not None]
            for parameter in found:
                parameter *= 1 - group["lr"] * group["weight_decay"]
            if group["muon"]:
                self._orthogonal(group, found)
            else:
                self._adam(group, found)

    def _orthogonal(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        alike: dict[torch.Size, list[Tensor]] = {}  # matrices of one shape are computed together
        for parameter in parameters:
            alike.setdefault(parameter.shape, []).append(parameter)
        for (rows, columns), matrices in alike.items():
            steps = []
            for matrix in matrices:
                assert matrix.grad is not None
                state = self.state[matrix]
                momentum = state.setdefault("momentum", torch.zeros_like(matrix))
                momentum.lerp_(matrix.grad, 1 - group["momentum"])
                steps.append(matrix.grad.lerp(momentum, group["momentum"]))
            scale = group["lr"] * max(1, rows / columns) ** 0.5
            for matrix, step in zip(matrices, orthogonal(torch.stack(steps)), strict=True):
                matrix -= scale * step

    def _adam(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        beta1, beta2 = group["betas"]
        for parameter in parameters:
            state = self.state[parameter]
            step = state["step"] = state.get("step", 0) + 1
            mean = state.setdefault("mean", torch.zeros_like(parameter))
            square = state.setdefault("square", torch.zeros_like(parameter))
            mean.lerp_(parameter.grad, 1 - beta1)
            square.mul_(beta2).addcmul_(parameter.grad, parameter.grad, value=1 - beta2)
            scale = (square / (1 - beta2**step)).sqrt_().add_(group["eps"])
            parameter.addcdiv_(mean, scale, value=-group["lr"] / (1 - beta1**step))


def orthogonal(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices near 1: between about 0.7 and 1.2.

    Parameters
    ----------
    matrices : Tensor, shape (n, rows, columns)

    Returns
    -------
    Tensor, shape (n, rows, columns)

    Examples
    --------
    >>> torch.linalg.svdvals(orthogonal(torch.diag(torch.tensor([1.0, 0.2]))[None]))[0].round()
    tensor([1., 1.])
    """
    a, b, c = ROUNDS
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT  # the smaller product
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.mT


def groups(
    model: nn.Module, *, lr: float, adam_lr: float, inside: str, weight_decay: float
) -> list[dict[str, Any]]:
    """Put the matrices whose names hold `inside` into Muon's group, the rest into AdamW's.

    Parameters
    ----------
    model : nn.Module
    lr, adam_lr : float
        The learning rates of the two.
    inside : str
        Part of the names of what stands inside the model: ".blocks.".
    weight_decay : float
        Of all matrices, those of embeddings, too.
    """
    matrices, tables, vectors = [], [], []
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and inside in name:
            matrices.append(parameter)
        else:
            (tables if parameter.ndim == 2 else vectors).append(parameter)
    return [
        {"params": matrices, "lr": lr, "muon": True, "weight_decay": weight_decay},
        {"params": tables, "lr": adam_lr, "weight_decay": weight_decay},
        {"params": vectors, "lr": adam_lr, "weight_decay": 0.0},
    ]
