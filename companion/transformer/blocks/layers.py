"""Layer normalisation and the feed-forward network: the two parts that see one token at a time.

For a token x of D numbers, with mean m and variance v (the one that divides by D)::

    LayerNorm(x) = weight * (x - m) / sqrt(v + eps) + bias
    FeedForward(x) = W_2 f(W_1 x + b_1) + b_2,        f = ReLU or GELU

Neither looks at another token, another sample, or at anything seen earlier.

References (in full in the chapter's bibliography): Ba, Kiros and Hinton (2016); Vaswani and others
(2017), section 3.3; Hendrycks and Gimpel (2016), GELU.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from companion.arguments import integer

Activation = str | Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
}


class LayerNorm(nn.Module):
    """Give each token the mean 0 and the variance 1, then a learned scale and shift.

    The gradient is computed by hand, and cannot be differentiated once more.

    Parameters
    ----------
    d_model : int
        Width D of a token.
    eps : float, default 1e-5
        Added to the variance, so that a token of equal numbers does not divide by 0.

    Attributes
    ----------
    weight, bias : Parameter, shape (D,)
        Scale and shift (in the formulas gamma and beta); 1 and 0 at first. Named as in
        ``torch.nn.LayerNorm``, so that a state dict moves both ways.

    Raises
    ------
    TypeError, ValueError
        If D is no positive integer, or `eps` is no number of 0 or more.

    References
    ----------
    Ba et al. (2016).

    Examples
    --------
    >>> LayerNorm(3)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[-1.2247,  0.0000,  1.2247]], grad_fn=<_NormaliseBackward>)
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        D = integer(d_model, "d_model", 1)
        self.eps = _number(eps, "eps")
        if not 0 <= self.eps < math.inf:
            raise ValueError(f"eps must be a finite number of 0 or more, got {eps}")
        self.weight, self.bias = nn.Parameter(torch.ones(D)), nn.Parameter(torch.zeros(D))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of x, shape (..., D); the shape stays."""
        _check(x, len(self.weight))
        if x.dtype in (torch.float16, torch.bfloat16):  # too coarse for sums of squares
            wide = _Normalise.apply(x.float(), self.weight.float(), self.bias.float(), self.eps)
            return wide.to(x.dtype)
        return _Normalise.apply(x, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Name the settings when the module is printed."""
        return f"{len(self.weight)}, eps={self.eps}"


class _Normalise(torch.autograd.Function):
    """Layer normalisation with its gradient by hand: left to autograd, it would be 5 times slower.

    With n = (x - m) / s and s = sqrt(v + eps), the gradient g of the loss with respect to the
    output gives h = weight * g for n, and (h - mean(h) - n * mean(h * n)) / s for x: what would
    only change the mean or the spread of x is taken out.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        n = x - x.mean(dim=-1, keepdim=True)  # (..., D)
        length = torch.linalg.vector_norm(n, dim=-1, keepdim=True)  # (..., 1), sqrt(D v)
        inverse = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()  # (..., 1), 1 / s
        n *= inverse
        ctx.save_for_backward(n, inverse, weight)
        return torch.addcmul(bias, n, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        n, inverse, weight = ctx.saved_tensors
        product = gradient * n  # (..., D)
        along = product @ (weight / len(weight))  # (...), mean of h * n
        x = gradient * weight
        x -= x.mean(dim=-1, keepdim=True)
        x.addcmul_(n, along.unsqueeze(-1), value=-1).mul_(inverse)
        rows = product.numel() // len(weight), len(weight)
        return x, product.reshape(rows).sum(dim=0), gradient.reshape(rows).sum(dim=0), None


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, the same for every token.

    Parameters
    ----------
    d_model : int
        Width D of a token.
    d_hidden : int, optional
        Numbers between the two layers; 4 D without it.
    activation : "relu", "gelu" or callable, default "relu"
        Applied to each of these numbers. "gelu" is the exact one, x times the share of a standard
        normal distribution that lies below x.
    dropout : float, default 0
        Share of these numbers that are set to 0 in training.
    bias : bool, default True
        Whether the two linear layers add a bias.

    Attributes
    ----------
    inner, outer : nn.Module
        Layers from D to d_hidden and back. Each can be replaced by any module of the same shapes.

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer, the activation is unknown, or `dropout` not in [0, 1).

    References
    ----------
    Vaswani et al. (2017), section 3.3.

    Examples
    --------
    >>> FeedForward(512, 2048)(torch.zeros(2, 3, 512)).shape
    torch.Size([2, 3, 512])
    """

    def __init__(
        self,
        d_model: int,
        d_hidden: int | None = None,
        *,
        activation: Activation = "relu",
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        D = integer(d_model, "d_model", 1)
        d_hidden = 4 * D if d_hidden is None else integer(d_hidden, "d_hidden", 1)
        if not callable(activation) and activation not in ACTIVATIONS:
            names = " or ".join(map(repr, ACTIVATIONS))
            raise ValueError(f"activation must be {names} or a function, got {activation!r}")
        self.activation = activation if callable(activation) else ACTIVATIONS[activation]
        self.inner = nn.Linear(D, d_hidden, bias=bias)
        self.dropout = nn.Dropout(share(dropout))
        self.outer = nn.Linear(d_hidden, D, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each token of x, shape (..., D); the shape stays."""
        return self.outer(self.dropout(self.activation(self.inner(x))))


def share(dropout: Any) -> float:
    """Return a share of numbers to drop, 0 or more and less than 1; refuse all else."""
    number = _number(dropout, "dropout")
    if not 0 <= number < 1:
        raise ValueError(f"dropout must be 0 or more and less than 1, got {dropout}")
    return number


def check_tokens(x: Any, width: int, name: str = "x", *, batch: int | None = None) -> None:
    """Refuse what is not a batch of sequences of tokens, of shape (B, T, width)."""
    check_floating(x, name)
    wanted = "B" if batch is None else batch
    if x.dim() != 3 or x.shape[-1] != width or batch not in (None, len(x)):
        got = tuple(x.shape)
        raise ValueError(f"{name} must have the shape ({wanted}, T, {width}), got {got}")


def _check(x: Any, width: int) -> None:
    check_floating(x, "x")
    if x.dim() == 0 or x.shape[-1] != width:
        raise ValueError(f"x must have the shape (..., {width}), got {tuple(x.shape)}")


def check_floating(x: Any, name: str) -> None:
    """Refuse what is not a tensor of floating-point numbers."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        got = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"{name} must be a Tensor of floating-point numbers, got {got}")


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return float(value)
