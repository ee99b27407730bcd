"""Additive attention: a weighted mean of a memory, by a small network that compares.

Query q and position h_j of the memory get a score; a softmax over the positions makes weights of
the scores, and the context c is the mean of the memory with these weights::

    e_j = v . tanh(W_q q + W_k h_j + b),   a = softmax(e),   c = sum over j of a_j h_j

What this module leaves out: scores that are products (the Transformer's), and several heads.

Reference (in full in the chapter's bibliography): Bahdanau et al. (2015).

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from companion.arguments import integer


class AdditiveAttention(nn.Module):
    """A weighted mean of a memory, with weights from a small network that compares.

    Parameters
    ----------
    query_size, memory_size : int
        Numbers in a query, and in a position of the memory.
    hidden_size : int
        Numbers in which both are compared.

    Raises
    ------
    TypeError, ValueError
        If a size is no integer of 1 or more; on use, if a tensor has a wrong shape or type, or a
        row of the mask allows no position at all.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), equations 5 and 6 and appendix A.1.2.

    Examples
    --------
    >>> attention = AdditiveAttention(3, 5, 7)
    >>> context, weights = attention(torch.ones(2, 1, 3), torch.ones(2, 4, 5))
    >>> context.shape, weights[0].tolist()
    (torch.Size([2, 1, 5]), [[0.25, 0.25, 0.25, 0.25]])
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int) -> None:
        super().__init__()
        hidden_size = integer(hidden_size, "hidden_size", 1)
        self.query = nn.Linear(integer(query_size, "query_size", 1), hidden_size, bias=False)
        self.key = nn.Linear(integer(memory_size, "memory_size", 1), hidden_size)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(
        self, query: Tensor, memory: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attend to the memory.

        Parameters
        ----------
        query : Tensor, shape (B, T_query, query_size)
            What is looked for.
        memory : Tensor, shape (B, T_memory, memory_size)
            Where it is looked for.
        mask : Tensor of bool, shape (B, T_memory), optional
            True where a position may be attended to; the others get the weight 0, exactly.

        Returns
        -------
        context : Tensor, shape (B, T_query, memory_size)
            The weighted means.
        weights : Tensor, shape (B, T_query, T_memory)
            They sum to 1 over the last axis.
        """
        for name, tensor, size in (
            ("query", query, self.query.in_features),
            ("memory", memory, self.key.in_features),
        ):
            if tensor.ndim != 3 or tensor.shape[2] != size:
                raise ValueError(
                    f"{name} must have the shape (B, T, {size}), got {tuple(tensor.shape)}"
                )
        if query.shape[0] != memory.shape[0] or memory.shape[1] == 0:
            raise ValueError(
                f"memory must have the shape ({query.shape[0]}, T, {memory.shape[2]}) with T of 1 "
                f"or more, got {tuple(memory.shape)}"
            )
        query, key = self.query(query), self.key(memory)
        compared = torch.tanh(query[:, :, None] + key[:, None])  # (B, T_query, T_memory, hidden)
        scores = self.score(compared)[..., 0]  # (B, T_query, T_memory)
        if mask is not None:
            scores = scores.masked_fill(~_checked_mask(mask, memory)[:, None], -torch.inf)
        weights = scores.softmax(dim=-1)
        return weights @ memory, weights


def _checked_mask(mask: Tensor, memory: Tensor) -> Tensor:
    """Refuse a mask that does not fit the memory, or that leaves a row nothing to attend to."""
    if mask.dtype != torch.bool or mask.shape != memory.shape[:2]:
        raise ValueError(
            f"mask must be boolean with the shape {tuple(memory.shape[:2])}, "
            f"got {mask.dtype} {tuple(mask.shape)}"
        )
    if not mask.any(dim=1).all():
        row = int((~mask.any(dim=1)).nonzero()[0, 0])
        raise ValueError(f"mask must allow a position in each row, got none in row {row}")
    return mask
