"""One step of an LSTM and of a GRU, to be read: gate by gate, the derivatives left to autograd.

The fast networks are tested against these functions. What this module leaves out: speed.

Chapter: book/sequences/gated.ipynb
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from companion.arguments import tensor
from companion.sequences.recurrent import RecurrentNetwork


def lstm_step(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Let an LSTM read one input.

    Parameters
    ----------
    x : Tensor, shape (B, D)
        The input of this step.
    hidden, cell : Tensor, shape (B, H)
        Hidden state and cell state after the step before.
    weight_ih, weight_hh, bias_ih, bias_hh : Tensor, shapes (4 H, D), (4 H, H), (4 H,) and (4 H,)
        One block of H rows for each of: input gate, forget gate, candidate, output gate.

    Returns
    -------
    hidden, cell : Tensor, shape (B, H)
        The new states.
    gates : dict of str to Tensor, shape (B, H)
        The values of "input", "forget", "candidate" and "output".

    Examples
    --------
    >>> none, weight = torch.zeros(1, 2), torch.zeros(8, 2)
    >>> h, c, gates = lstm_step(none, none, torch.ones(1, 2), weight, weight)
    >>> gates["forget"], c
    (tensor([[0.5000, 0.5000]]), tensor([[0.5000, 0.5000]]))
    """
    _check(4, x, (hidden, cell), weight_ih, weight_hh, (bias_ih, bias_hh))
    scores = linear(x, weight_ih, bias_ih) + linear(hidden, weight_hh, bias_hh)  # (B, 4 H)
    for_input, for_forget, for_candidate, for_output = scores.chunk(4, dim=1)  # each (B, H)
    input_gate = torch.sigmoid(for_input)
    forget_gate = torch.sigmoid(for_forget)
    candidate = torch.tanh(for_candidate)
    output_gate = torch.sigmoid(for_output)
    cell = forget_gate * cell + input_gate * candidate
    hidden = output_gate * torch.tanh(cell)
    gates = {"input": input_gate, "forget": forget_gate}
    return hidden, cell, gates | {"candidate": candidate, "output": output_gate}


def gru_step(
    x: Tensor,
    hidden: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Let a GRU read one input, in the variant of PyTorch.

    The paper of Cho et al. (2014) applies the reset gate before the product, W_hn (r * h); PyTorch
    after it, as here, r * (W_hn h + b_hn), so that one product serves all gates. Chung et al.
    (2014) write z for what is 1 - z here.

    Parameters
    ----------
    x, hidden : Tensor, shapes (B, D) and (B, H)
        The input of this step, and the state after the step before.
    weight_ih, weight_hh, bias_ih, bias_hh : Tensor, shapes (3 H, D), (3 H, H), (3 H,) and (3 H,)
        One block of H rows for each of: reset gate, update gate, candidate.

    Returns
    -------
    hidden : Tensor, shape (B, H)
        The new state.
    gates : dict of str to Tensor, shape (B, H)
        The values of "reset", "update" and "candidate".

    Examples
    --------
    >>> weight = torch.zeros(6, 2)
    >>> h, gates = gru_step(torch.zeros(1, 2), torch.ones(1, 2), weight, weight)
    >>> gates["update"], h
    (tensor([[0.5000, 0.5000]]), tensor([[0.5000, 0.5000]]))
    """
    _check(3, x, (hidden,), weight_ih, weight_hh, (bias_ih, bias_hh))
    from_input = linear(x, weight_ih, bias_ih).chunk(3, dim=1)  # each (B, H)
    from_state = linear(hidden, weight_hh, bias_hh).chunk(3, dim=1)
    reset_gate = torch.sigmoid(from_input[0] + from_state[0])
    update_gate = torch.sigmoid(from_input[1] + from_state[1])
    candidate = torch.tanh(from_input[2] + reset_gate * from_state[2])
    hidden = (1 - update_gate) * candidate + update_gate * hidden
    return hidden, {"reset": reset_gate, "update": update_gate, "candidate": candidate}


def trace(network: RecurrentNetwork, x: Tensor, state: Any = None) -> dict[str, Tensor]:
    """Read sequences step by step and keep what happens inside.

    Parameters
    ----------
    network : LSTM or GRU
        With one layer and one direction.
    x, state
        As the network takes them.

    Returns
    -------
    dict of str to Tensor, shape (B, T, H) or (T, H)
        The gates of each step, as `lstm_step` or `gru_step` names them; "hidden", the hidden state
        after each step, and for an LSTM "cell".
    """
    if not isinstance(network, RecurrentNetwork) or network.n_gates not in (3, 4):
        raise TypeError(f"network must be an LSTM or a GRU, got {type(network).__name__}")
    if network.num_layers > 1 or network.bidirectional:
        raise ValueError(
            "network must have one layer and one direction, "
            f"got num_layers={network.num_layers}, bidirectional={network.bidirectional}"
        )
    single, batch, states, _ = network._prepare(x, state, None)
    weights = [part for name, part in network.named_parameters()]
    hidden, rest = states[0][0], [part[0] for part in states[1:]]
    kept: dict[str, list[Tensor]] = {}
    for t in range(batch.shape[1]):
        if rest:
            hidden, cell, gates = lstm_step(batch[:, t], hidden, *rest, *weights)
            rest = [cell]
            gates["cell"] = cell
        else:
            hidden, gates = gru_step(batch[:, t], hidden, *weights)
        for name, value in {**gates, "hidden": hidden}.items():
            kept.setdefault(name, []).append(value)
    result = {name: torch.stack(values, dim=1) for name, values in kept.items()}  # (B, T, H)
    return {name: value[0] for name, value in result.items()} if single else result


def _check(
    n_gates: int,
    x: Tensor,
    states: tuple[Tensor, ...],
    weight_ih: Tensor,
    weight_hh: Tensor,
    biases: tuple[Tensor | None, ...],
) -> None:
    """Refuse shapes and types that do not fit one another, before PyTorch broadcasts them."""
    x = tensor(x, "x", ("B", "D"))
    hidden = tensor(states[0], "hidden", (len(x), "H"), dtype=x.dtype)
    (B, D), H = x.shape, hidden.shape[1]
    expected = {
        "cell": (states[-1], (B, H)),
        "weight_ih": (weight_ih, (n_gates * H, D)),
        "weight_hh": (weight_hh, (n_gates * H, H)),
        "bias_ih": (biases[0], (n_gates * H,)),
        "bias_hh": (biases[1], (n_gates * H,)),
    }
    for name, (value, shape) in expected.items():
        if value is not None or not name.startswith("bias"):
            tensor(value, name, shape, dtype=x.dtype)
