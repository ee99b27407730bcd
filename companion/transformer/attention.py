"""Attention: every position asks all others, and takes a weighted mean of what they answer.

With T queries of d numbers, S keys of d numbers and S values, all as rows::

    weights = softmax(Q K^T / sqrt(d)),        output = weights V

The softmax runs over the keys that a query may attend to; all others get the weight 0.
`MultiHeadAttention` does this H times side by side, on H narrower views of the same sequence, and
mixes the results. Masks are boolean, True where a query may attend, and are joined by ``&``. What
this module leaves out: sparse and linear attention, heads that share their keys and values.

References (in full in the chapter's bibliography): Bahdanau, Cho and Bengio (2015); Vaswani and
others (2017).

Chapter: book/transformer/attention.ipynb
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import integer


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, dropout: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Compare each query with all keys, and mix the values with the weights that result.

    Parameters
    ----------
    query : Tensor, shape (..., T, d)
        What each position asks.
    key : Tensor, shape (..., S, d)
        What each position answers to.
    value : Tensor, shape (..., S, d_value)
        What each position hands out.
    mask : Tensor of bool, broadcastable to (..., T, S), optional
        True where a query may attend to a key. A query that may attend to nothing gets weights of
        0 and an output of 0.
    dropout : float, default 0
        Share of the weights that are set to 0 at random, the others scaled up. For training only.

    Returns
    -------
    output : Tensor, shape (..., T, d_value)
    weights : Tensor, shape (..., T, S)
        Before dropout: 0 or more, with the sum 1 in each row that may attend to something.

    Raises
    ------
    TypeError, ValueError
        If shapes, types or devices do not fit, the mask is not boolean, or `dropout` is not in
        [0, 1).

    References
    ----------
    Vaswani et al. (2017), section 3.2.1.

    Examples
    --------
    >>> query = key = torch.eye(2)
    >>> _, weights = scaled_dot_product_attention(query, key, torch.ones(2, 3), causal_mask(2))
    >>> weights[0]
    tensor([1., 0.])
    """
    _check(query, key, value, mask)
    dropout = _share(dropout)
    # The query is divided, not the scores: T x d numbers, and half precision does not overflow.
    scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-2, -1)  # (..., T, S)
    if mask is not None:
        # The lowest number, not minus infinity, which would make NaN of a row without a key.
        scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)  # no news, but for a row without a key
    kept = functional.dropout(weights, dropout) if dropout else weights
    return kept @ value, weights


def causal_mask(length: int, *, past: int = 0, device: Any = None) -> Tensor:
    """Return the mask that lets a position attend to itself and to what came before.

    Parameters
    ----------
    length : int
        Positions T that ask.
    past : int, default 0
        Positions before them, which all may see: what a cache holds.
    device : str or torch.device, optional
        Where the mask is to be.

    Returns
    -------
    Tensor of bool, shape (T, past + T)

    Raises
    ------
    TypeError, ValueError
        If a number is no integer, or negative.

    Examples
    --------
    >>> causal_mask(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    T, past = integer(length, "length", 0), integer(past, "past", 0)
    return torch.ones(T, past + T, dtype=torch.bool, device=device).tril(past)


def padding_mask(lengths: Any, length: int, *, device: Any = None) -> Tensor:
    """Return the mask that hides the padding behind the real tokens of each sequence.

    Parameters
    ----------
    lengths : Tensor or sequence of int, shape (B,)
        The real tokens of each sequence, 0 to T.
    length : int
        Tokens T of the padded batch.
    device : str or torch.device, optional
        Where the mask is to be; without it, where `lengths` is.

    Returns
    -------
    Tensor of bool, shape (B, 1, T)
        The same for every query, so it joins with a causal mask (T, T) to (B, T, T).

    Raises
    ------
    TypeError, ValueError
        If the lengths are not integers from 0 to T in one row.

    Examples
    --------
    >>> padding_mask([2, 3], 3).int()
    tensor([[[1, 1, 0]],
    <BLANKLINE>
            [[1, 1, 1]]], dtype=torch.int32)
    """
    T = integer(length, "length", 0)
    try:
        rows = torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"lengths must be integers in one row, got {lengths!r}") from None
    if rows.numel() == 0:
        rows = rows.long()  # an empty list has no type
    if rows.is_floating_point() or rows.is_complex() or rows.dtype == torch.bool:
        raise TypeError(f"lengths must be integers, got {rows.dtype}")
    if rows.dim() != 1 or ((rows < 0) | (rows > T)).any():
        raise ValueError(f"lengths must be one row of integers from 0 to {T}, got {rows.tolist()}")
    return (torch.arange(T, device=rows.device) < rows[:, None])[:, None].to(device)  # (B, 1, T)


class KeyValueCache:
    """The keys and values of positions that were read before, so that none is computed twice.

    Give an empty one to the first call of a `MultiHeadAttention`, and the same object to the calls
    that follow. In self-attention each call brings new positions, which are added. In attention to
    a context, the first call stores the keys and values of the context, and all others use them:
    the context that is given then is not read again. Each layer needs a cache of its own.

    Attributes
    ----------
    key, value : Tensor, shape (B, H, S, D/H), or None
        What has been read so far.
    of_context : bool
        Whether it belongs to a context.

    Examples
    --------
    >>> attention, cache = MultiHeadAttention(6, 2), KeyValueCache()
    >>> for x in torch.zeros(4, 5, 1, 6):  # four steps, a batch of 5, one new position each
    ...     y = attention(x, cache=cache)
    >>> len(cache)
    4
    """

    def __init__(self) -> None:
        self.key: Tensor | None = None
        self.value: Tensor | None = None
        self.of_context = False

    def __len__(self) -> int:
        """Return the number S of positions that are stored."""
        return 0 if self.key is None else self.key.shape[2]

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the keys and values of new positions, (B, H, T, D/H); return all, (B, H, S, D/H)."""
        if self.key is not None and self.value is not None:
            key = torch.cat([self.key, key], dim=2)
            value = torch.cat([self.value, value], dim=2)
        self.key, self.value = key, value
        return key, value

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order: what a beam search asks for."""
        if self.key is not None and self.value is not None:
            self.key, self.value = self.key[rows], self.value[rows]


class MultiHeadAttention(nn.Module):
    """Attention in H views: project, attend in each head, join the heads, project again.

    Parameters
    ----------
    d_model : int
        Width D of a token; H must divide it.
    n_heads : int
        Heads H. Each works with D/H numbers.
    dropout : float, default 0
        Share of the attention weights that are set to 0 in training.
    bias : bool, default True
        Whether the four linear layers add a bias.

    Attributes
    ----------
    query, key, value, output : nn.Module
        Layers from D to D numbers, at first `nn.Linear` with its own initial weights. Each can be
        replaced by any module that maps (B, T, D) to (B, T, D).

    Raises
    ------
    TypeError, ValueError
        If a size is no positive integer, H does not divide D, or `dropout` is not in [0, 1).

    References
    ----------
    Vaswani et al. (2017), section 3.2.2.

    Examples
    --------
    >>> attention = MultiHeadAttention(6, 2)
    >>> attention(torch.zeros(5, 3, 6), mask=causal_mask(3)).shape
    torch.Size([5, 3, 6])
    """

    def __init__(
        self, d_model: int, n_heads: int, *, dropout: float = 0.0, bias: bool = True
    ) -> None:
        super().__init__()
        self.d_model = integer(d_model, "d_model", 1)
        self.n_heads = integer(n_heads, "n_heads", 1)
        if self.d_model % self.n_heads:
            raise ValueError(f"n_heads must divide d_model = {d_model}, got {n_heads}")
        self.dropout = _share(dropout)
        self.query, self.key, self.value, self.output = (
            nn.Linear(self.d_model, self.d_model, bias=bias) for _ in range(4)
        )

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Let each position of x attend, to x itself or to a context.

        Parameters
        ----------
        x : Tensor, shape (B, T, D)
            Where the queries come from.
        context : Tensor, shape (B, S, D), optional
            Where the keys and values come from; x itself without it.
        mask : Tensor of bool, shape (T, S), (B, 1, S), (B, T, S) or (B, H, T, S), optional
            True where a position may attend. With a cache, S counts the cached positions, too.
        cache : KeyValueCache, optional
            What was read before; x is added to it, or the context is stored in it once.
        need_weights : bool, default False
            Whether to return the weights of all heads as well. Without them, PyTorch's fused
            kernel computes the same output and never stores them.

        Returns
        -------
        Tensor, shape (B, T, D); with `need_weights` a pair with the weights, (B, H, T, S)

        Raises
        ------
        TypeError, ValueError
            If shapes, types or devices do not fit, or the cache belongs to another use.
        """
        self._check_input(x, "x")
        self._check_fit(x, context, cache)
        B, T, _ = x.shape
        S = context.shape[1] if context is not None else T + (0 if cache is None else len(cache))
        if isinstance(mask, Tensor) and mask.dim() == 3:
            mask = mask.unsqueeze(1)  # (B, 1, T, S): the same for all heads
        _check_mask(mask, (B, self.n_heads, T, S), x.device)

        query = self._heads(self.query(x))  # (B, H, T, D/H)
        key, value = self._read(x if context is None else context, cache)  # (B, H, S, D/H)
        if cache is not None:
            cache.of_context = context is not None
        dropout = self.dropout if self.training else 0.0
        if need_weights:
            y, weights = scaled_dot_product_attention(query, key, value, mask, dropout=dropout)
            return self.output(y.transpose(1, 2).flatten(2)), weights
        y = functional.scaled_dot_product_attention(query, key, value, mask, dropout)
        return self.output(y.transpose(1, 2).flatten(2))  # (B, T, D)

    def extra_repr(self) -> str:
        """Return what the printed module says beside its layers."""
        return f"d_model={self.d_model}, n_heads={self.n_heads}, dropout={self.dropout}"

    def _read(self, source: Tensor, cache: KeyValueCache | None) -> tuple[Tensor, Tensor]:
        if cache is not None and cache.of_context and cache.key is not None:
            assert cache.value is not None, "a cache has both or neither"
            return cache.key, cache.value
        key, value = self._heads(self.key(source)), self._heads(self.value(source))
        return (key, value) if cache is None else cache.extend(key, value)

    def _heads(self, x: Tensor) -> Tensor:
        B, T, D = x.shape
        return x.view(B, T, self.n_heads, D // self.n_heads).transpose(1, 2)  # (B, H, T, D/H)

    def _check_input(self, x: Tensor, name: str) -> None:
        _check_floats(x, name)
        if x.dim() != 3 or x.shape[-1] != self.d_model:
            wanted, got = f"(B, T, {self.d_model})", tuple(x.shape)
            raise ValueError(f"{name} must have the shape {wanted}, got {got}")

    def _check_fit(self, x: Tensor, context: Tensor | None, cache: KeyValueCache | None) -> None:
        """Refuse a context of another batch, and a cache of another batch or another use."""
        if context is not None:
            self._check_input(context, "context")
            if len(context) != len(x):
                raise ValueError(f"context must have the batch of x, {len(x)}, got {len(context)}")
        if cache is None or cache.key is None:
            return
        if cache.of_context != (context is not None):
            uses = {False: "self-attention", True: "attention to a context"}
            wanted, got = uses[context is not None], uses[cache.of_context]
            raise ValueError(f"cache must come from {wanted}, got one from {got}")
        if len(cache.key) != len(x):
            raise ValueError(f"cache must hold the batch of x, {len(x)}, got {len(cache.key)}")
        if context is not None and len(cache) != (S := context.shape[1]):
            raise ValueError(f"cache must hold the {S} positions of context, got {len(cache)}")


def _share(dropout: float) -> float:
    if isinstance(dropout, bool) or not isinstance(dropout, int | float):
        raise TypeError(f"dropout must be a number, got {dropout!r}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
    return float(dropout)


def _kind(argument: Any) -> Any:
    return argument.dtype if isinstance(argument, Tensor) else type(argument).__name__


def _check_floats(x: Tensor, name: str) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise TypeError(f"{name} must be a Tensor of floating-point numbers, got {_kind(x)}")


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> None:
    """Refuse what does not fit, before it becomes an error deep inside a library."""
    tensors = {"query": query, "key": key, "value": value}
    for name, tensor in tensors.items():
        _check_floats(tensor, name)
        if tensor.dim() < 2:
            raise ValueError(f"{name} must have two axes or more, got {tuple(tensor.shape)}")
        if tensor.dtype != query.dtype:
            raise TypeError(f"{name} must be {query.dtype} as query is, got {tensor.dtype}")
        if tensor.device != query.device:
            raise ValueError(f"{name} must be on {query.device} as query is, got {tensor.device}")
    fits = query.shape[-1] == key.shape[-1] > 0 and key.shape[-2] == value.shape[-2]
    try:
        lead = torch.broadcast_shapes(*(tensor.shape[:-2] for tensor in tensors.values()))
    except RuntimeError:
        fits, lead = False, ()
    if not fits:
        got = ", ".join(str(tuple(tensor.shape)) for tensor in tensors.values())
        raise ValueError(f"query (T, d), key (S, d) and value (S, d_value) do not fit: got {got}")
    _check_mask(mask, (*lead, query.shape[-2], key.shape[-2]), query.device)


def _check_mask(mask: Tensor | None, wanted: tuple[int, ...], device: torch.device) -> None:
    if mask is None:
        return
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(f"mask must be a Tensor of bool (True: may attend), got {_kind(mask)}")
    if mask.device != device:
        raise ValueError(f"mask must be on the device {device}, got {mask.device}")
    try:
        fits = torch.broadcast_shapes(mask.shape, wanted) == wanted
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(f"mask must fit the scores of shape {wanted}, got {tuple(mask.shape)}")
