"""Recurrent networks with layers, two directions and padded batches.

With the input x_t of D numbers and the state h_t of H numbers at step t::

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh),        h_0 = 0

W_ih is the W_xh of the chapter, under the name that PyTorch gives it. Several layers read
one another's states; a bidirectional layer has a second cell, which reads from the end.
`RecurrentNetwork` is what `RNN` shares with the `LSTM` and the `GRU` of the next chapter:
parameters, layers, directions, padded batches. Names and results are those of `torch.nn`, so that a
state dict moves both ways. What this module leaves out: projections of the state (``proj_size``),
time as the first axis.

References (in full in the chapter's bibliography): Elman (1990); Werbos (1990), backpropagation
through time; Schuster and Paliwal (1997), both directions.

Chapter: book/sequences/recurrent.ipynb
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from companion import arguments
from companion.arguments import choice, flag, share, size, tensor

State = tuple[Tensor, ...]  # of one layer and direction, each (B, hidden_size)


class Weights(NamedTuple):
    """The parameters of one layer in one direction; the biases may be missing."""

    weight_ih: Tensor  # (n_gates * H, width of what comes in)
    weight_hh: Tensor  # (n_gates * H, H)
    bias_ih: Tensor | None  # (n_gates * H,)
    bias_hh: Tensor | None  # (n_gates * H,)


class RecurrentNetwork(nn.Module, ABC):
    """Layers of a recurrent cell, in one direction or two; the base of `RNN`, `LSTM` and `GRU`.

    A subclass says how many gates its cell has, how many tensors its state has, and how one layer
    reads a sequence (`scan`).

    Parameters
    ----------
    input_size, hidden_size : int
        Numbers per step that come in, and numbers of the state, written H below.
    num_layers : int, default 1
        Layers; each reads the states of the one below.
    bidirectional : bool, default False
        Give each layer a second cell that reads from the end; its states are appended.
    bias : bool, default True
        Whether there are `bias_ih` and `bias_hh`.
    dropout : float, default 0
        Share of a layer's outputs that are set to 0 on their way up, in training.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, ... : Parameter
        As in `torch.nn.RNN`: the shapes of `Weights`; ``l1`` for the second layer, ``_reverse`` for
        the second direction.
    """

    n_gates = 1
    n_states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_size = size(input_size, "input_size")
        self.hidden_size = size(hidden_size, "hidden_size")
        self.num_layers = size(num_layers, "num_layers")
        self.dropout = share(dropout, "dropout")
        self.bidirectional = flag(bidirectional, "bidirectional")
        self.bias = flag(bias, "bias")
        width, gates = self.input_size, self.n_gates * self.hidden_size
        for suffixes in self._suffixes():
            for suffix in suffixes:
                shapes = {"weight_ih": (gates, width), "weight_hh": (gates, self.hidden_size)}
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                for name, shape in shapes.items():
                    self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape)))
            width = len(suffixes) * self.hidden_size
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters evenly from -1/sqrt(H) to 1/sqrt(H), as PyTorch does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def _suffixes(self) -> list[list[str]]:
        """Return the endings of the parameters' names, a list of directions for each layer."""
        directions = ["", "_reverse"] if self.bidirectional else [""]
        return [[f"_l{layer}{way}" for way in directions] for layer in range(self.num_layers)]

    def forward(
        self, x: Tensor, state: Any = None, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        """Read sequences.

        Parameters
        ----------
        x : Tensor, shape (B, T, input_size) or (T, input_size)
            A padded batch, or one sequence.
        state : Tensor, shape (num_layers * directions, B, H), optional
            What the cells remember at the start; zeros without it. An LSTM takes a pair (h, c). For
            one sequence, without the axis B.
        lengths : Tensor of int, shape (B,), optional
            The real steps of each sequence. What follows them is padding: it changes no state, and
            its outputs are 0.

        Returns
        -------
        Tensor, shape (B, T, directions * H), and the last state, of the shape of `state`
            The last layer's states at all steps, and the state of each layer and direction after
            its last step.
        """
        single, x, states, mask = self._prepare(x, state, lengths)  # x (B, T, input_size)
        last: list[State] = []
        for layer, suffixes in enumerate(self._suffixes()):
            if layer and self.dropout:
                x = nn.functional.dropout(x, self.dropout, self.training)
            outputs = []
            for suffix in suffixes:
                start = tuple(part[len(last)] for part in states)
                found: list[Any] = [getattr(self, name + suffix, None) for name in Weights._fields]
                weights = Weights(*found)
                backwards = suffix.endswith("_reverse")
                read = x.flip(1) if backwards else x
                valid = mask.flip(1) if backwards and mask is not None else mask
                y, end = self.scan(read, start, weights, valid)
                outputs.append(y.flip(1) if backwards else y)
                last.append(end)
            x = torch.cat(outputs, dim=2)  # (B, T, directions * H)
        ends = [torch.stack(parts) for parts in zip(*last, strict=True)]
        if single:
            x, ends = x.squeeze(0), [end.squeeze(1) for end in ends]
        return x, ends[0] if self.n_states == 1 else tuple(ends)

    @abstractmethod
    def scan(
        self, x: Tensor, state: State, weights: Weights, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Let one cell read x (B, T, width) from left to right.

        Where `mask` (B, T) is False, x is 0, the state stays, and the output is 0.
        """

    def _prepare(
        self, x: Tensor, state: Any, lengths: Tensor | None
    ) -> tuple[bool, Tensor, list[Tensor], Tensor | None]:
        """Check what comes in; return it with the axis B, the state as a list, and the mask."""
        weight: Any = self.weight_ih_l0
        dtype, D, H = weight.dtype, self.input_size, self.hidden_size
        single = isinstance(x, Tensor) and x.dim() == 2
        tensor(x, "x", ("T", D) if single else ("B", "T", D), dtype=dtype)
        if x.shape[-2] == 0:
            raise ValueError(f"x must have one step or more, got the shape {tuple(x.shape)}")
        x = x[None] if single else x
        B, T, _ = x.shape
        rows = self.num_layers * (1 + self.bidirectional)
        if state is None:
            states = [x.new_zeros(rows, B, H)] * self.n_states
        else:
            states = [state] if self.n_states == 1 else state
            if not isinstance(states, list | tuple) or len(states) != self.n_states:
                many = f" of {len(states)}" if isinstance(states, list | tuple) else ""
                wanted, got = f"{self.n_states} tensors in a tuple", type(state).__name__ + many
                raise TypeError(f"state must be {wanted}, got {got}")
            shape = (rows, H) if single else (rows, B, H)
            states = [tensor(part, "state", shape, dtype=dtype) for part in states]
            states = [part[:, None] if single else part for part in states]
        if lengths is None:
            return single, x, states, None
        found = arguments.lengths(lengths, "lengths", T).to(x.device)
        if len(found) != B or (found == 0).any():
            got = found.tolist()
            raise ValueError(f"lengths must be {B} integers from 1 to T = {T}, got {got}")
        mask = torch.arange(T, device=x.device) < found[:, None]  # (B, T)
        # Before the computation: NaN in the padding times a gradient of 0 would still be NaN.
        return single, x.masked_fill(~mask[:, :, None], 0), states, mask


class RNN(RecurrentNetwork):
    """The simple recurrent network: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    Arguments are those of `RecurrentNetwork`; `nonlinearity` can be "relu" in place of "tanh".

    Examples
    --------
    >>> y, h = RNN(3, 5, bidirectional=True)(torch.zeros(2, 7, 3))
    >>> y.shape, h.shape
    (torch.Size([2, 7, 10]), torch.Size([2, 2, 5]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, **options)
        self.nonlinearity = choice(nonlinearity, "nonlinearity", ("tanh", "relu"))

    def scan(
        self, x: Tensor, state: State, weights: Weights, mask: Tensor | None
    ) -> tuple[Tensor, State]:
        """Read x (B, T, width) step by step; see `RecurrentNetwork.scan`."""
        (h,) = state
        activate = torch.tanh if self.nonlinearity == "tanh" else torch.relu
        inputs = nn.functional.linear(x, weights.weight_ih, weights.bias_ih)  # (B, T, H): all steps
        outputs = []
        for t in range(x.shape[1]):
            recurrent = nn.functional.linear(h, weights.weight_hh, weights.bias_hh)
            new = activate(inputs[:, t] + recurrent)
            h = new if mask is None else torch.where(mask[:, t, None], new, h)
            outputs.append(h)
        y = torch.stack(outputs, dim=1)  # (B, T, H)
        return y if mask is None else y.masked_fill(~mask[:, :, None], 0), (h,)
