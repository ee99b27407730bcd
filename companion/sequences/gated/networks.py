"""The networks `LSTM` and `GRU`, with the parameters, options and results of `torch.nn`.

Chapter: book/sequences/gated.ipynb
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from companion.arguments import came, finite, flag
from companion.sequences.gated.sequences import GRUSequence, LSTMSequence
from companion.sequences.recurrent import RecurrentNetwork, State, Weights


class LSTM(RecurrentNetwork):
    """Long short-term memory: a cell state that gates protect, and a hidden state that shows it.

    The initial state is a pair (h, c), and so is the last one. It has 4 H (D + H + 2) parameters
    for each layer and direction; see `RecurrentNetwork` for all arguments.

    Examples
    --------
    >>> y, (h, c) = LSTM(3, 5, 2)(torch.zeros(2, 7, 3))
    >>> y.shape, h.shape, c.shape
    (torch.Size([2, 7, 5]), torch.Size([2, 2, 5]), torch.Size([2, 2, 5]))
    """

    n_gates = 4
    n_states = 2

    def scan(
        self, x: Tensor, state: State, weights: Weights, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Read x (B, T, width) from left to right; see `RecurrentNetwork.scan`."""
        x, steps = _time_first(x, mask)
        weight_ih, weight_hh, bias_ih, bias_hh = weights
        bias = None if bias_ih is None or bias_hh is None else bias_ih + bias_hh
        results = LSTMSequence.apply(x, weight_ih, weight_hh, bias, *state, steps)
        y, h, c = results  # type: ignore[misc]
        return _batch_first(y, mask), (h, c)


class GRU(RecurrentNetwork):
    """The gated recurrent unit: one state, of which the update gate says how much stays.

    It has 3 H (D + H + 2) parameters for each layer and direction; see `RecurrentNetwork` for all
    arguments.

    Examples
    --------
    >>> y, h = GRU(3, 5, bidirectional=True)(torch.zeros(2, 7, 3))
    >>> y.shape, h.shape
    (torch.Size([2, 7, 10]), torch.Size([2, 2, 5]))
    """

    n_gates = 3
    n_states = 1

    def scan(
        self, x: Tensor, state: State, weights: Weights, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Read x (B, T, width) from left to right; see `RecurrentNetwork.scan`."""
        x, steps = _time_first(x, mask)
        results = GRUSequence.apply(x, *weights, *state, steps)
        y, h = results  # type: ignore[misc]
        return _batch_first(y, mask), (h,)


def _time_first(x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return inputs as (T, B, D), and the mask as (T, B, 1)."""
    return x.transpose(0, 1).contiguous(), None if mask is None else mask.T[:, :, None]


def _batch_first(y: Tensor, mask: Tensor | None) -> Tensor:
    """Return outputs (T, B, H) as (B, T, H), with 0 where there is padding."""
    y = y.transpose(0, 1)  # (B, T, H)
    return y if mask is None else y.masked_fill(~mask[:, :, None], 0)


@torch.no_grad()
def set_memory_span(
    network: RecurrentNetwork, spans: float | ArrayLike, *, close_input: bool = True
) -> None:
    """Let an untrained network keep its memory for some steps; its biases are changed.

    With a span of s steps, the gate that keeps (the forget gate of an LSTM, the update gate of a
    GRU) starts near sigmoid(log s) = s / (1 + s): after s steps, about 1/e of the state is left. If
    a unit keeps for long, it must not take in everything on the way. So the input gate of an LSTM
    starts near 1 / (1 + s); in a GRU that is so by its construction.

    Parameters
    ----------
    network : LSTM or GRU
        It must have biases. All layers and directions are set alike.
    spans : float or array_like, shape (H,)
        Steps, at least 1: one number for all units, or one for each.
    close_input : bool, default True
        Whether the input gate of an LSTM is set as well. A GRU has none.

    References
    ----------
    Gers, Schmidhuber and Cummins (2000), Jozefowicz, Zaremba and Sutskever (2015), on the bias of
    the forget gate; Tallec and Ollivier (2018), on spans, which they draw at random.

    Examples
    --------
    >>> network = LSTM(3, 2)
    >>> set_memory_span(network, [1, 9])
    >>> input_gate, forget_gate = torch.sigmoid(network.bias_ih_l0.detach())[:4].split(2)
    >>> input_gate, forget_gate
    (tensor([0.5000, 0.1000]), tensor([0.5000, 0.9000]))
    """
    if not isinstance(network, LSTM | GRU):
        raise TypeError(f"network must be an LSTM or a GRU, got {type(network).__name__}")
    if not network.bias:
        raise ValueError("network must have biases, got one with bias=False")
    steps, H = finite(spans, "spans"), network.hidden_size
    if steps.shape not in ((), (H,)) or steps.min() < 1:
        raise ValueError(f"spans must be a number or {H} numbers of 1 or more, got {came(spans)}")
    values = torch.as_tensor(np.log(steps))
    blocks = [(1, values)]  # the gate that keeps is the second block of H rows in both networks
    if flag(close_input, "close_input") and isinstance(network, LSTM):
        blocks.append((0, -values))
    for name, parameter in network.named_parameters():
        for block, value in blocks:
            if name.startswith("bias_ih"):
                parameter[block * H : (block + 1) * H] = value
            elif name.startswith("bias_hh"):
                parameter[block * H : (block + 1) * H] = 0
