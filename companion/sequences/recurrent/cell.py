"""One step of a recurrent network, and the way back through many: backpropagation through time.

With the input x_t of D numbers and the state h_t of H numbers at step t::

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)
    dh_t / dh_{t-1} = diag(1 - h_t^2) W_hh
    dh_T / dh_t = (dh_T / dh_{T-1}) ... (dh_{t+1} / dh_t)

The last line is a product of T - t matrices: it fades or grows with the distance. What this module
leaves out: other activation functions than tanh, batches on the way back, and speed.

References (in full in the chapter's bibliography): Elman (1990); Werbos (1990); Pascanu, Mikolov
and Bengio (2013).

Chapter: book/sequences/recurrent.ipynb
"""

from __future__ import annotations

import torch
from torch import Tensor

from companion.arguments import tensor


def rnn_step(
    x: Tensor, hidden: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor
) -> Tensor:
    """Compute the next hidden state: tanh(W_xh x + W_hh h + b_h).

    Parameters
    ----------
    x : Tensor, shape (B, D) or (D,)
        The input at this step.
    hidden : Tensor, shape (B, H) or (H,)
        The state after the step before.
    weight_ih, weight_hh : Tensor, shapes (H, D) and (H, H)
        W_xh, from the input to the state, and W_hh, from there to the next one.
    bias : Tensor, shape (H,)
        b_h. (`RNN` keeps two, as PyTorch does; here they are one sum.)

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> rnn_step(torch.tensor([1.0]), torch.tensor([0.5]), one, 0.5 * one, torch.zeros(1))
    tensor([0.8483])
    """
    x = tensor(x, "x", (..., "D"))
    H, D, dtype = tensor(bias, "bias", ("H",), dtype=x.dtype).shape[0], x.shape[-1], x.dtype
    tensor(weight_ih, "weight_ih", (H, D), dtype=dtype)
    tensor(weight_hh, "weight_hh", (H, H), dtype=dtype)
    tensor(hidden, "hidden", (*x.shape[:-1], H), dtype=dtype)
    return torch.tanh(x @ weight_ih.T + hidden @ weight_hh.T + bias)


def state_jacobians(states: Tensor, weight_hh: Tensor) -> Tensor:
    """Return dh_T / dh_t for every step t: how the last state depends on each of the states.

    Parameters
    ----------
    states, weight_hh : Tensor, shapes (T, H) and (H, H)
        The states h_1 to h_T of one sequence, read by a tanh cell, and its weights W_hh.

    Returns
    -------
    Tensor, shape (T, H, H)
        Entry ``[t, i, j]``: the derivative of h_T[i] with respect to h_{t+1}[j] (Python counts
        from 0); the last matrix is the identity. Pascanu et al. (2013), equation 5.

    Examples
    --------
    >>> state_jacobians(torch.zeros(3, 1), torch.tensor([[0.5]])).flatten()
    tensor([0.2500, 0.5000, 1.0000])
    """
    states, weight_hh = _read(states, weight_hh)
    T, H = states.shape
    jacobians = [torch.eye(H, dtype=states.dtype, device=states.device)]
    for t in range(T - 1, 0, -1):
        slopes = 1 - states[t] ** 2  # of the tanh at the step into state t
        jacobians.append(jacobians[-1] @ (slopes[:, None] * weight_hh))
    return torch.stack(jacobians[::-1])  # (T, H, H)


def bptt_terms(
    states: Tensor, weight_hh: Tensor, gradient: Tensor, *, start: Tensor | None = None
) -> Tensor:
    """Return what each step contributes to the gradient of W_hh, for a loss at the last step.

    Step k contributes through its own use of W_hh, while h_{k-1} is held fixed; the sum over all
    steps is what backpropagation computes.

    Parameters
    ----------
    states, weight_hh
        As in `state_jacobians`.
    gradient : Tensor, shape (H,)
        dL / dh_T, with respect to the last state.
    start : Tensor, shape (H,), optional
        The state h_0; zeros without it.

    Returns
    -------
    Tensor, shape (T, H, H)
        The term of each step, the first step first. Pascanu et al. (2013), equations 3 to 5.

    Examples
    --------
    >>> states = torch.tensor([[0.5], [0.0]])
    >>> bptt_terms(states, torch.tensor([[2.0]]), torch.ones(1), start=torch.ones(1)).flatten()
    tensor([1.5000, 0.5000])
    """
    states, weight_hh = _read(states, weight_hh)
    start = torch.zeros_like(states[0]) if start is None else start
    for name, vector in {"gradient": gradient, "start": start}.items():
        tensor(vector, name, (states.shape[1],), dtype=states.dtype, finite=True)
    before = torch.cat([start[None], states[:-1]])  # (T, H): the state that each step reads
    terms = []
    for t in range(len(states) - 1, -1, -1):
        inner = gradient * (1 - states[t] ** 2)  # (H,): with respect to the sum inside the tanh
        terms.append(torch.outer(inner, before[t]))
        gradient = weight_hh.T @ inner  # (H,): with respect to the state before
    terms = torch.stack(terms[::-1])  # (T, H, H)
    return tensor(terms, "what states and weight_hh give", terms.shape, finite=True)


def _read(states: Tensor, weight_hh: Tensor) -> tuple[Tensor, Tensor]:
    """Return states (T, H) and their weights (H, H), after a look at both."""
    H = tensor(states, "states", ("T", "H"), least=1, finite=True).shape[1]
    return states, tensor(weight_hh, "weight_hh", (H, H), dtype=states.dtype, finite=True)
