"""Recurrent networks: the same weights at every step, and a state that is handed on.

- ``cell``: one step, and what gradients do on their way back through many
- ``network``: layers, directions, padded batches; `RNN`, and what it shares with `LSTM` and `GRU`

Chapter: book/sequences/recurrent.ipynb
"""

from companion.sequences.recurrent.cell import bptt_terms, rnn_step, state_jacobians
from companion.sequences.recurrent.network import RNN, RecurrentNetwork, State, Weights

__all__ = [
    "RNN",
    "RecurrentNetwork",
    "State",
    "Weights",
    "bptt_terms",
    "rnn_step",
    "state_jacobians",
]
