"""Normalisation and feed-forward networks: the parts that see one token at a time.

For a token x of D numbers, with mean m and variance v (the one that divides by D)::

    LayerNorm(x) = weight * (x - m) / sqrt(v + eps) + bias
    RMSNorm(x) = weight * x / sqrt(mean(x**2) + eps)
    FeedForward(x) = W_2 f(W_1 x + b_1) + b_2,        f = ReLU, GELU, ...
    GatedFeedForward(x) = W_2 (f(W_g x) * W_1 x),     f = SiLU: SwiGLU

None looks at another token, another sample, or at anything seen earlier.

A normalisation changes the last axis of x, shape (..., D), in the type of its weights, which must
not be the narrower one; `eps`, 0 or more, keeps the division from one by 0. The parameters are
named as in `torch.nn`, so that a state dict moves both ways.

References (in full in the chapter's bibliography): Ba, Kiros and Hinton (2016); Vaswani and others
(2017), section 3.3; Hendrycks and Gimpel (2016), GELU; Zhang and Sennrich (2019), RMSNorm; Shazeer
(2020), gates.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import choice, flag, number, readable, share, size, tensor

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
    D = tensor(x, "x", (..., "D"), least=1).shape[-1]
    tensor(weight, "weight", (D,))
    tensor(bias, "bias", (D,))
    number(eps, "eps", 0)
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
    tensor(weight, "weight", tensor(x, "x", (..., "D"), least=1).shape[-1:])
    number(eps, "eps", 0)
    return weight * x / (x.square().mean(dim=-1, keepdim=True) + eps).sqrt()  # (..., D)


class LayerNorm(nn.Module):
    """Give each token the mean 0 and the variance 1, then a learned scale and shift.

    ``weight`` and ``bias``, (D,), in the formulas gamma and beta, are 1 and 0 at first.

    Examples
    --------
    >>> LayerNorm(3)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[-1.2247,  0.0000,  1.2247]], grad_fn=<NativeLayerNormBackward0>)
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        D, self.eps = size(d_model, "d_model"), number(eps, "eps", 0)
        self.weight, self.bias = nn.Parameter(torch.ones(D)), nn.Parameter(torch.zeros(D))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of x, shape (..., D); the shape stays."""
        wide, scale = _as_wide(x, self.weight), self.weight
        return functional.layer_norm(wide, scale.shape, scale, self.bias, self.eps).to(x.dtype)

    def extra_repr(self) -> str:
        """Name the settings when the module is printed."""
        return f"{len(self.weight)}, eps={self.eps}"


class RMSNorm(nn.Module):
    """Divide each token by the root of its mean square, then a learned scale: Llama's norm.

    What `LayerNorm` has beyond it, the mean and the shift, is left out. ``weight``, (D,), is the
    scale, 1 at first.

    Examples
    --------
    >>> RMSNorm(2, eps=0.0)(torch.tensor([[3.0, 4.0]])).detach() * 12.5**0.5
    tensor([[3., 4.]])
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = number(eps, "eps", 0)
        self.weight = nn.Parameter(torch.ones(size(d_model, "d_model")))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of x, shape (..., D); the shape stays."""
        wide = _as_wide(x, self.weight)
        return functional.rms_norm(wide, self.weight.shape, self.weight, self.eps).to(x.dtype)

    extra_repr = LayerNorm.extra_repr


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, the same for every token.

    Parameters
    ----------
    d_model, d_hidden : int
        Width D of a token, and numbers between the two layers; 4 D without it.
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
        self.d_model = D = size(d_model, "d_model")
        d_hidden = 4 * D if d_hidden is None else size(d_hidden, "d_hidden")
        chosen = (
            activation if callable(activation) else choice(activation, "activation", ACTIVATIONS)
        )
        self.activation = ACTIVATIONS[chosen] if isinstance(chosen, str) else chosen
        self.inner = nn.Linear(D, d_hidden, bias=flag(bias, "bias"))
        self.dropout = nn.Dropout(share(dropout, "dropout"))
        self.outer = nn.Linear(d_hidden, D, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each token of x, shape (..., D); the shape stays."""
        readable(x, "x", (..., self.d_model), self.inner)
        return self.outer(self.dropout(self.activation(self.inner(x))))


class GatedFeedForward(FeedForward):
    """A feed-forward network whose hidden numbers are multiplied by a gate: SwiGLU, in Llama.

    Parameters and attributes are those of `FeedForward`, with other defaults, and ``gate``, a
    third layer from D to d_hidden.

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
        readable(x, "x", (..., self.d_model), self.inner)
        return self.outer(self.dropout(self.activation(self.gate(x)) * self.inner(x)))


def _as_wide(x: Tensor, weight: Tensor) -> Tensor:
    """Return x in the type of the weights, which must not be the narrower one."""
    tensor(x, "x", (..., len(weight)))
    if x.dtype == weight.dtype:
        return x
    if torch.promote_types(x.dtype, weight.dtype) != weight.dtype:
        raise TypeError(f"x must be {weight.dtype}, as weight is, or narrower, got {x.dtype}")
    return x.to(weight.dtype)
