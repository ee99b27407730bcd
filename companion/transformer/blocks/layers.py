"""Normalisation and feed-forward networks: the parts that see one token at a time.

For a token x of D numbers, with mean m and variance v (the one that divides by D)::

    LayerNorm(x) = weight * (x - m) / sqrt(v + eps) + bias
    RMSNorm(x) = weight * x / sqrt(mean(x**2) + eps)
    FeedForward(x) = W_2 f(W_1 x + b_1) + b_2,        f = ReLU, GELU, ...
    GatedFeedForward(x) = W_2 (f(W_g x) * W_1 x),     f = SiLU: SwiGLU

None looks at another token, another sample, or at anything seen earlier.

References (in full in the chapter's bibliography): Ba, Kiros and Hinton (2016); Vaswani and others
(2017), section 3.3; Hendrycks and Gimpel (2016), GELU; Zhang and Sennrich (2019), RMSNorm; Shazeer
(2020), gates.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import flag, integer, share, tensor

Activation = str | Callable[[Tensor], Tensor]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),  # of GPT-2
    "silu": functional.silu,
}


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Give each token mean 0 and variance 1, then scale and shift: the formula, written out.

    `LayerNorm` gives the same numbers, from a kernel of PyTorch that reads x once.

    Examples
    --------
    >>> layer_norm(torch.tensor([[1.0, 2.0, 3.0]]), torch.ones(3), torch.zeros(3), 1e-5)
    tensor([[-1.2247,  0.0000,  1.2247]])
    """
    m = x.mean(dim=-1, keepdim=True)  # (..., 1)
    v = (x - m).square().mean(dim=-1, keepdim=True)  # (..., 1)
    return weight * (x - m) / (v + eps).sqrt() + bias  # (..., D)


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Divide each token by the root of its mean square, then scale: the formula of `RMSNorm`.

    Examples
    --------
    >>> rms_norm(torch.tensor([[3.0, 4.0]]), torch.ones(2), 0.0) * 12.5**0.5
    tensor([[3., 4.]])
    """
    return weight * x / (x.square().mean(dim=-1, keepdim=True) + eps).sqrt()  # (..., D)


class LayerNorm(nn.Module):
    """Give each token the mean 0 and the variance 1, then a learned scale and shift.

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

    References
    ----------
    Ba et al. (2016).

    Examples
    --------
    >>> LayerNorm(3)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[-1.2247,  0.0000,  1.2247]], grad_fn=<NativeLayerNormBackward0>)
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        D, self.eps = integer(d_model, "d_model", 1), _small(eps)
        self.weight, self.bias = nn.Parameter(torch.ones(D)), nn.Parameter(torch.zeros(D))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of x, shape (..., D); the shape stays."""
        wide = _as_wide(x, self.weight)
        return functional.layer_norm(wide, self.weight.shape, self.weight, self.bias, self.eps).to(
            x.dtype
        )

    def extra_repr(self) -> str:
        """Name the settings when the module is printed."""
        return f"{len(self.weight)}, eps={self.eps}"


class RMSNorm(nn.Module):
    """Divide each token by the root of its mean square, then a learned scale: Llama's norm.

    What `LayerNorm` has beyond it, the mean and the shift, is left out.

    Parameters
    ----------
    d_model : int
        Width D of a token.
    eps : float, default 1e-5
        Added to the mean square.

    Attributes
    ----------
    weight : Parameter, shape (D,)
        The scale; 1 at first. Named as in ``torch.nn.RMSNorm``.

    References
    ----------
    Zhang and Sennrich (2019).

    Examples
    --------
    >>> RMSNorm(2, eps=0.0)(torch.tensor([[3.0, 4.0]])).detach() * 12.5**0.5
    tensor([[3., 4.]])
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        D, self.eps = integer(d_model, "d_model", 1), _small(eps)
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of x, shape (..., D); the shape stays."""
        wide = _as_wide(x, self.weight)
        return functional.rms_norm(wide, self.weight.shape, self.weight, self.eps).to(x.dtype)

    def extra_repr(self) -> str:
        """Name the settings when the module is printed."""
        return f"{len(self.weight)}, eps={self.eps}"


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, the same for every token.

    Parameters
    ----------
    d_model : int
        Width D of a token.
    d_hidden : int, optional
        Numbers between the two layers; 4 D without it.
    activation : "relu", "gelu", "gelu_tanh", "silu" or callable, default "relu"
        Applied to each of these numbers. "gelu" is the exact one, x times the share of a standard
        normal distribution that lies below x; "gelu_tanh" is near to it, and older.
    dropout : float, default 0
        Share of these numbers that are set to 0 in training.
    bias : bool, default True
        Whether the two linear layers add a bias.

    Attributes
    ----------
    inner, outer : nn.Module
        Layers from D to d_hidden and back. Each can be replaced by any module of the same shapes.

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
        self.activation = _function(activation)
        self.inner = nn.Linear(D, d_hidden, bias=flag(bias, "bias"))
        self.dropout = nn.Dropout(share(dropout, "dropout"))
        self.outer = nn.Linear(d_hidden, D, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each token of x, shape (..., D); the shape stays."""
        return self.outer(self.dropout(self.activation(self.inner(x))))


class GatedFeedForward(FeedForward):
    """A feed-forward network whose hidden numbers are multiplied by a gate: SwiGLU, in Llama.

    Parameters and attributes are those of `FeedForward`, with other defaults, and ``gate``, a
    third layer from D to d_hidden.

    References
    ----------
    Shazeer (2020).

    Examples
    --------
    >>> network = GatedFeedForward(512, 1376)
    >>> sum(parameter.numel() for parameter in network.parameters()) == 3 * 512 * 1376
    True
    """

    def __init__(
        self,
        d_model: int,
        d_hidden: int | None = None,
        *,
        activation: Activation = "silu",
        dropout: float = 0.0,
        bias: bool = False,
    ) -> None:
        super().__init__(d_model, d_hidden, activation=activation, dropout=dropout, bias=bias)
        self.gate = nn.Linear(self.inner.in_features, self.inner.out_features, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each token of x, shape (..., D); the shape stays."""
        return self.outer(self.dropout(self.activation(self.gate(x)) * self.inner(x)))


def _as_wide(x: Tensor, weight: Tensor) -> Tensor:
    """Return x in the type of the weights, which must not be the narrower one."""
    tensor(x, "x", (..., len(weight)))
    if x.dtype == weight.dtype:
        return x
    if torch.promote_types(x.dtype, weight.dtype) != weight.dtype:
        raise TypeError(f"x must be {weight.dtype}, as weight is, or narrower, got {x.dtype}")
    return x.to(weight.dtype)


def _small(eps: Any) -> float:
    if isinstance(eps, bool) or not isinstance(eps, int | float):
        raise TypeError(f"eps must be a number, got {eps!r}")
    if not 0 <= eps < math.inf:
        raise ValueError(f"eps must be a finite number of 0 or more, got {eps}")
    return float(eps)


def _function(activation: Activation) -> Callable[[Tensor], Tensor]:
    if callable(activation):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        names = " or ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"activation must be {names} or a function, got {activation!r}")
    return ACTIVATIONS[activation]
