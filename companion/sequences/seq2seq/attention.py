"""Additive attention: a weighted mean of a memory, by a small network that compares.

Query q and position h_j of the memory get a score; a softmax over the positions makes weights of
the scores, and the context c is the mean of the memory with these weights::

    e_j = v . tanh(W_q q + W_k h_j + b),   a = softmax(e),   c = sum over j of a_j h_j

What this module leaves out: scores that are products (the Transformer's), and several heads.

Reference (in full in the chapter's bibliography): Bahdanau et al. (2015), equations 5 and 6,
appendix A.1.2.

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from companion.arguments import size, tensor


class AdditiveAttention(nn.Module):
    """A weighted mean of a memory, with weights from a small network that compares.

    Parameters
    ----------
    query_size, memory_size : int
        Numbers in a query, and in a position of the memory.
    hidden_size : int
        Numbers in which both are compared.

    Examples
    --------
    >>> attention = AdditiveAttention(3, 5, 7)
    >>> context, weights = attention(torch.ones(2, 1, 3), torch.ones(2, 4, 5))
    >>> context.shape, weights.shape
    (torch.Size([2, 1, 5]), torch.Size([2, 1, 4]))
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        hidden_size = size(hidden_size, "hidden_size")
        self.query = nn.Linear(size(query_size, "query_size"), hidden_size, bias=False)
        self.key = nn.Linear(size(memory_size, "memory_size"), hidden_size)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(
        self, query: Tensor, memory: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attend to the memory.

        Parameters
        ----------
        query, memory : Tensor, shapes (B, T_query, query_size) and (B, T_memory, memory_size)
            What is looked for, and where.
        mask : Tensor of bool, shape (B, T_memory), optional
            True where a position may be attended to; the others get the weight 0, exactly.

        Returns
        -------
        context, weights : Tensor, shapes (B, T_query, memory_size) and (B, T_query, T_memory)
            The weighted means, and the weights, which sum to 1 over the last axis.
        """
        dtype = self.key.weight.dtype
        query = tensor(query, "query", ("B", "T", self.query.in_features), dtype=dtype)
        wanted = (len(query), "T", self.key.in_features)
        memory = tensor(memory, "memory", wanted, dtype=dtype, least=1)
        if mask is not None:
            mask = tensor(mask, "mask", memory.shape[:2], dtype=torch.bool)
            if not mask.any(dim=1).all():
                row = int((~mask.any(dim=1)).nonzero()[0, 0])
                raise ValueError(f"mask must allow a position in each row, got none in row {row}")
            memory = memory.masked_fill(~mask[:, :, None], 0)  # whatever stands there, NaN included
        compared = torch.tanh(self.query(query)[:, :, None] + self.key(memory)[:, None])
        scores = self.score(compared)[..., 0]  # (B, T_query, T_memory); compared had one axis more
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], -torch.inf)
        weights = scores.softmax(dim=-1)  # PyTorch adds up in 32 bits, whatever the type
        return weights @ memory, weights
