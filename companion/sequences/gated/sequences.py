"""A whole sequence through an LSTM or a GRU as one operation, with its derivatives by hand.

Three things make it faster than a loop over `lstm_step` with autograd. The products that need not
wait for the state before are taken out of the loop: the inputs of all steps are projected in one
product, and the gradient of each weight matrix is one product over all steps. What remains in the
loop writes into buffers that exist already. And no graph of thousands of small operations is built.

Backpropagation through time is written out as a loop from the last step to the first. Each gate's
score changes the loss by the gradient that arrives, times a factor that is known from the way
forward. So these factors are computed for all steps at once, and the loop only multiplies.

Time is the first axis here. Where the mask (T, B, 1) is False, the states stay as they are. What
this module leaves out: second derivatives.

Chapter: book/sequences/gated.ipynb
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

Gradients = tuple[Tensor | None, ...]


class LSTMSequence(torch.autograd.Function):
    """All steps of an LSTM.

    ``apply(x, weight_ih, weight_hh, bias, hidden, cell, mask)`` takes inputs (T, B, D), weights
    (4 H, D) and (4 H, H), the sum of the biases (4 H,) or None, two states (B, H), and a mask or
    None. It returns the hidden states of all steps (T, B, H), and the last two states (B, H).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor | None,
        hidden: Tensor,
        cell: Tensor,
        mask: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Read from the first step to the last; keep what the way back needs."""
        T, B, H = *x.shape[:2], hidden.shape[1]
        gates = linear(x, weight_ih, bias)  # (T, B, 4 H): the scores of all steps, for now
        hiddens, cells = x.new_empty(2, T + 1, B, H)  # row 0: before the first step
        hiddens[0], cells[0] = hidden, cell
        shown = x.new_empty(T, B, H)  # tanh of the cell states
        for t in range(T):
            gates[t].addmm_(hiddens[t], weight_hh.T)
            i, f, g, o = gates[t].view(B, 4, H).unbind(1)  # each (B, H), views of the buffer
            gates[t, :, : 2 * H].sigmoid_()
            g.tanh_()
            o.sigmoid_()
            if mask is not None:  # keep all, add nothing
                i.masked_fill_(~mask[t], 0)
                f.masked_fill_(~mask[t], 1)
            torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, g)
            torch.mul(o, torch.tanh(cells[t + 1], out=shown[t]), out=hiddens[t + 1])
            if mask is not None:
                hiddens[t + 1] = torch.where(mask[t], hiddens[t + 1], hiddens[t])
        ctx.save_for_backward(x, weight_ih, weight_hh, mask, gates, hiddens, cells, shown)
        ctx.has_bias = bias is not None
        return hiddens[1:], hiddens[T].clone(), cells[T].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Gradients:
        """Go from the last step to the first; return the gradients of what `forward` took."""
        _refuse_second_derivatives()
        x, weight_ih, weight_hh, mask, gates, hiddens, cells, shown = ctx.saved_tensors
        T, B, H = shown.shape
        i, _, g, o = gates.view(T, B, 4, H).unbind(2)
        # What each score does to its gate, times what the gate does to the cell or hidden state.
        d_scores = torch.addcmul(gates, gates, gates, value=-1)  # s (1 - s), slope of a sigmoid
        factors = d_scores.view(T, B, 4, H)
        factors[:, :, 0] *= g
        factors[:, :, 1] *= cells[:T]
        torch.mul(i, 1 - g * g, out=factors[:, :, 2])
        factors[:, :, 3] *= shown
        to_cell = o * (1 - shown * shown)  # what the cell does to the hidden state
        if mask is not None:
            to_cell *= mask
            factors[:, :, 3] *= mask
        from_outputs, d_hidden, d_cell = gradients[0], gradients[1].clone(), gradients[2].clone()
        for t in reversed(range(T)):
            d_hidden += from_outputs[t]
            d_cell.addcmul_(d_hidden, to_cell[t])
            factors[t, :, :3] *= d_cell[:, None]  # (B, 3, H): i, f and g act through the cell
            factors[t, :, 3] *= d_hidden
            d_cell *= gates[t, :, H : 2 * H]  # to the step before: times the forget gate
            if mask is None:
                torch.mm(d_scores[t], weight_hh, out=d_hidden)
            else:  # a state that stayed hands its gradient on
                d_hidden *= ~mask[t]
                d_hidden.addmm_(d_scores[t], weight_hh)
        d_weight_hh = _over_steps(d_scores, hiddens[:T])
        d_bias = d_scores.sum(dim=(0, 1)) if ctx.has_bias else None
        d_x = d_scores @ weight_ih if ctx.needs_input_grad[0] else None
        return d_x, _over_steps(d_scores, x), d_weight_hh, d_bias, d_hidden, d_cell, None


class GRUSequence(torch.autograd.Function):
    """All steps of a GRU.

    ``apply(x, weight_ih, weight_hh, bias_ih, bias_hh, hidden, mask)`` takes inputs (T, B, D),
    weights (3 H, D) and (3 H, H), biases (3 H,) or None twice, a state (B, H), and a mask or None.
    It returns the states of all steps (T, B, H), and the last (B, H).
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor | None,
        bias_hh: Tensor | None,
        hidden: Tensor,
        mask: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Read from the first step to the last; keep what the way back needs."""
        T, B, H = *x.shape[:2], hidden.shape[1]
        gates = linear(x, weight_ih, bias_ih)  # (T, B, 3 H): what comes from the inputs, for now
        hiddens = x.new_empty(T + 1, B, H)  # row 0: before the first step
        hiddens[0] = hidden
        recurrent = x.new_empty(B, 3 * H)  # what comes from the state, of one step
        proposed = x.new_empty(T, B, H)  # its last block, of all steps: what r is multiplied with
        for t in range(T):
            if bias_hh is None:
                torch.mm(hiddens[t], weight_hh.T, out=recurrent)
            else:
                torch.addmm(bias_hh, hiddens[t], weight_hh.T, out=recurrent)
            gates[t, :, : 2 * H].add_(recurrent[:, : 2 * H]).sigmoid_()
            proposed[t] = recurrent[:, 2 * H :]
            r, z, n = gates[t].view(B, 3, H).unbind(1)  # each (B, H), views of the buffer
            n.addcmul_(r, proposed[t]).tanh_()
            if mask is not None:
                z.masked_fill_(~mask[t], 1)  # keep all
            torch.lerp(n, hiddens[t], z, out=hiddens[t + 1])  # (1 - z) n + z h
        ctx.save_for_backward(x, weight_ih, weight_hh, gates, hiddens, proposed)
        ctx.has_bias = bias_ih is not None, bias_hh is not None
        return hiddens[1:], hiddens[T].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Gradients:
        """Go from the last step to the first; return the gradients of what `forward` took."""
        _refuse_second_derivatives()
        x, weight_ih, weight_hh, gates, hiddens, proposed = ctx.saved_tensors
        T, B, H = proposed.shape
        r, z, n = gates.view(T, B, 3, H).unbind(2)
        # What each score does to the new state, as far as this step goes.
        to_candidate = (1 - z) * (1 - n * n)
        d_scores = torch.empty_like(gates)
        factors = d_scores.view(T, B, 3, H)
        torch.mul(to_candidate, r, out=factors[:, :, 2])
        torch.mul(factors[:, :, 2] * (1 - r), proposed, out=factors[:, :, 0])
        torch.mul((hiddens[:T] - n) * z, 1 - z, out=factors[:, :, 1])
        from_outputs, d_hidden = gradients[0], gradients[1]
        arrived = torch.empty_like(n)  # the gradient of the state after each step
        for t in reversed(range(T)):
            torch.add(d_hidden, from_outputs[t], out=arrived[t])
            factors[t] *= arrived[t, :, None]  # (B, 3, H)
            d_hidden = (arrived[t] * z[t]).addmm_(d_scores[t], weight_hh)
        d_weight_hh = _over_steps(d_scores, hiddens[:T])
        d_bias_hh = d_scores.sum(dim=(0, 1)) if ctx.has_bias[1] else None
        # So far the candidate's block was for what comes from the state; the input's part of the
        # candidate's score is not multiplied by r.
        torch.mul(arrived, to_candidate, out=factors[:, :, 2])
        d_bias_ih = d_scores.sum(dim=(0, 1)) if ctx.has_bias[0] else None
        d_x = d_scores @ weight_ih if ctx.needs_input_grad[0] else None
        return d_x, _over_steps(d_scores, x), d_weight_hh, d_bias_ih, d_bias_hh, d_hidden, None


def _refuse_second_derivatives() -> None:
    """Raise an error where the gradient itself is to be differentiated, as it could not be."""
    if torch.is_grad_enabled():  # on the way back, this means create_graph=True
        raise RuntimeError(
            "create_graph=True: second derivatives are not implemented; "
            "loop over lstm_step or gru_step"
        )


def _over_steps(d_scores: Tensor, values: Tensor) -> Tensor:
    """Return the gradient of a weight matrix: the sum over all steps and samples, as one product.

    Of the gradients of the scores (T, B, n_outputs) and of what the weights were multiplied with,
    (T, B, n_inputs), it makes (n_outputs, n_inputs).
    """
    return d_scores.flatten(0, 1).T @ values.flatten(0, 1)
