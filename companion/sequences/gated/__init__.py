"""Gated recurrent networks: the LSTM and the GRU, which learn what to keep, to add and to show.

With the sigmoid written s and the product of two vectors entry by entry ``*``, one step of the
LSTM with the input x_t, the hidden state h and the cell state c is::

    i = s(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)        input gate
    f = s(W_if x_t + b_if + W_hf h_{t-1} + b_hf)        forget gate
    g = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)     candidate
    o = s(W_io x_t + b_io + W_ho h_{t-1} + b_ho)        output gate
    c_t = f * c_{t-1} + i * g,    h_t = o * tanh(c_t)

and one step of the GRU, which has no second state::

    r = s(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)        reset gate
    z = s(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)        update gate
    n = tanh(W_in x_t + b_in + r * (W_hn h_{t-1} + b_hn))
    h_t = (1 - z) * n + z * h_{t-1}

`lstm_step` and `gru_step` are these lines, gate by gate; `trace` walks through a sequence with them
and keeps the gates. `LSTM` and `GRU` compute the same faster. Parameters and results are those of
`torch.nn`. What this package leaves out: peepholes, projections of the state, time as first axis.

References (in full in the chapter's bibliography): Hochreiter and Schmidhuber (1997), the LSTM;
Gers, Schmidhuber and Cummins (2000), its forget gate; Cho et al. (2014), the GRU.

Chapter: book/sequences/gated.ipynb
"""

from companion.sequences.gated.networks import GRU, LSTM, set_memory_span
from companion.sequences.gated.steps import gru_step, lstm_step, trace

__all__ = ["GRU", "LSTM", "gru_step", "lstm_step", "set_memory_span", "trace"]
