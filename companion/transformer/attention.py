"""Attention: every position asks all others, and takes a weighted mean of what they answer.

With T queries of d numbers, S keys of d numbers and S values, all as rows::

    weights = softmax(Q K^T / sqrt(d)),        output = weights V

The softmax runs over the keys that a query may attend to; all others get the weight 0.
`MultiHeadAttention` does this H times side by side, on H narrower views of the same sequence, and
mixes the results. Masks are boolean, True where a query may attend, and are joined by ``&``; biases
are numbers that are added to the scores. What this module leaves out: sparse and linear attention.

References (in full in the chapter's bibliography): Bahdanau, Cho and Bengio (2015); Vaswani and
others (2017), section 3.2; Ainslie and others (2023), shared keys and values.

Chapter: book/transformer/attention.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion import arguments
from companion.arguments import (
    broadcast,
    divisor,
    fitting,
    flag,
    function,
    instance,
    on,
    readable,
    share,
    size,
    tensor,
)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    biases: Tensor | None = None,
    dropout: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Compare each query with all keys, and mix the values with the weights that result.

    Parameters
    ----------
    query, key, value : Tensor, shapes (..., T, d), (..., S, d) and (..., S, d_value)
        What each position asks, what it answers to, and what it hands out.
    mask : Tensor of bool, broadcastable to (..., T, S), optional
        True where a query may attend to a key. A query that may attend to nothing gets weights of
        0 and an output of 0.
    biases : Tensor, broadcastable to (..., T, S), optional
        Finite numbers that are added to the scores.
    dropout : float, default 0
        Share of the weights that are set to 0 at random, the others scaled up. For training only.

    Returns
    -------
    output : Tensor, shape (..., T, d_value)
    weights : Tensor, shape (..., T, S)
        Before dropout: 0 or more, with the sum 1 in each row that may attend to something.

    Examples
    --------
    >>> query = key = torch.eye(2)
    >>> _, weights = scaled_dot_product_attention(query, key, torch.ones(2, 3), causal_mask(2))
    >>> weights[0]
    tensor([1., 0.])
    """
    T, d = tensor(query, "query", (..., "T", "d")).shape[-2:]
    S = on(tensor(key, "key", (..., "S", d), dtype=query.dtype), "key", query.device).shape[-2]
    on(tensor(value, "value", (..., S, "d_value"), dtype=query.dtype), "value", query.device)
    lead = broadcast(query=query.shape[:-2], key=key.shape[:-2], value=value.shape[:-2])
    fitting(mask, "mask", (*lead, T, S), query.device, torch.bool)
    fitting(biases, "biases", (*lead, T, S), query.device)
    size(d, "the width d of query")
    query = query.expand(*lead, T, d)  # a mask may have axes that only the values have, too
    return _attend(query, key, value, mask, biases, share(dropout, "dropout"))


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    biases: Tensor | None,
    dropout: float,
) -> tuple[Tensor, Tensor]:
    """Return the output and the weights: the formula, written out."""
    given = query.dtype
    with _in_float32(query):
        query, key, value = (_at_least_float32(x) for x in (query, key, value))
        # The query is divided, not the scores: T x d numbers in place of T x S.
        scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-2, -1)  # (..., T, S)
        if biases is not None:
            scores = scores + biases.to(scores.dtype)
        if mask is not None:
            # The lowest number, not minus infinity, which makes NaN of a row without a key.
            scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)  # no news, but for a row without a key
        kept = functional.dropout(weights, dropout) if dropout else weights
        return (kept @ value).to(given), weights.to(given)  # (..., T, d_value), (..., T, S)


class MultiHeadAttention(nn.Module):
    """Attention in H views: project, attend in each head, join the heads, project again.

    Parameters
    ----------
    d_model, n_heads : int
        Width D of a token, and heads H, a divisor of D. Each works with d = D/H numbers.
    n_kv_heads : int, optional
        Heads of keys and values, a divisor of H; groups of heads then share theirs. H without it.
    rotary : callable, optional
        Turns queries and keys by their positions: ``rotary(x, positions)`` with x (B, heads, T, d),
        such as a `companion.transformer.blocks.RotaryPositions`.
    dropout : float, default 0
        Share of the attention weights that are set to 0 in training.
    bias : bool, default True
        Whether the four linear layers add a bias.

    Attributes
    ----------
    query, key, value, output : nn.Module
        Layers, at first `nn.Linear` with its own initial weights. Each can be replaced by any
        module of the same shapes, (B, T, D) to (B, T, D).

    Examples
    --------
    >>> attention = MultiHeadAttention(6, 2)
    >>> attention(torch.zeros(5, 3, 6), causal=True).shape
    torch.Size([5, 3, 6])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        n_kv_heads: int | None = None,
        rotary: Callable[[Tensor, Tensor], Tensor] | None = None,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.d_model, self.n_heads, self.n_kv_heads = heads(d_model, n_heads, n_kv_heads)
        self.rotary = None if rotary is None else function(rotary, "rotary")
        self.dropout = share(dropout, "dropout")
        D, narrow = self.d_model, self.d_model // self.n_heads * self.n_kv_heads
        self.query = nn.Linear(D, D, bias=flag(bias, "bias"))
        self.key, self.value = (nn.Linear(D, narrow, bias=bias) for _ in range(2))
        self.output = nn.Linear(D, D, bias=bias)

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        biases: Tensor | None = None,
        causal: bool = False,
        positions: Tensor | None = None,
        cache: KeyValueCache | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Let each position of x attend, to x itself or to a context.

        Parameters
        ----------
        x, context : Tensor, shapes (B, T, D) and (B, S, D)
            Where the queries come from, and the keys and values; without a context, x itself.
        mask : Tensor of bool, shape (T, S), (B, 1, S), (B, T, S) or (B, H, T, S), optional
            True where a position may attend. With a cache, S counts the cached positions, too.
        biases : Tensor, broadcastable to (B, H, T, S), optional
            Added to the scores, such as `companion.transformer.blocks.linear_biases`, (H, T, S).
        causal : bool, default False
            Whether each position sees only itself and those before, as with `causal_mask`.
        positions : Tensor of int64, shape (T,) or (B, T), optional
            What `rotary` is told; without it x follows what the cache holds.
        cache : KeyValueCache, optional
            What was read before; x is added to it, or the context is stored in it once.
        need_weights : bool, default False
            Whether to return the weights of all heads as well. Without them, PyTorch's fused
            kernel computes the same output and never stores them.

        Returns
        -------
        Tensor, shape (B, T, D); with `need_weights` a pair with the weights, (B, H, T, S)
        """
        source = x if context is None else context
        if cache is not None:
            instance(cache, "cache", KeyValueCache)
        past = len(cache) if cache is not None and context is None else 0
        if isinstance(mask, Tensor) and mask.dim() == 3:
            mask = mask.unsqueeze(1)  # (B, 1, T, S): the same for all heads
        self._check(x, context, past, mask, biases, causal, positions)
        flag(need_weights, "need_weights")

        query = self._split(self.query(x))  # (B, H, T, d)
        if cache is not None:
            cache.check(query, self.n_kv_heads, context)
        if cache is not None and cache.of_context:  # it was read before
            key, value = cache.key, cache.value
        else:
            key, value = self._split(self.key(source)), self._split(self.value(source))
            if self.rotary is not None:
                if positions is None:
                    positions = torch.arange(past, past + x.shape[1], device=x.device)
                both = self.rotary(torch.cat([query, key], dim=1), positions)  # at once: quicker
                query, key = both.split([self.n_heads, self.n_kv_heads], dim=1)
            if cache is not None:
                key, value = cache.extend(key, value, of_context=context is not None)
        group = self.n_heads // self.n_kv_heads  # neighbouring heads that share keys and values
        if group > 1 and need_weights:  # the fused kernel does without copies
            key, value = (one.repeat_interleave(group, dim=1) for one in (key, value))

        # The fused kernel knows the causal mask by itself; beside anything else it is written out.
        fused = causal and not need_weights and mask is None and biases is None and past == 0
        if causal and not fused and x.shape[1] > 1:
            before = causal_mask(x.shape[1], past=past, device=x.device)
            mask = before if mask is None else mask & before
        dropout = self.dropout if self.training else 0.0
        if need_weights:
            y, weights = _attend(query, key, value, mask, biases, dropout)
        else:
            y, weights = _fused(query, key, value, mask, biases, dropout, fused), None
        y = self.output(y.transpose(1, 2).flatten(2))  # (B, T, D)
        return (y, weights) if need_weights else y

    def extra_repr(self) -> str:
        """Return what the printed module says beside its layers."""
        shared = "" if self.n_kv_heads == self.n_heads else f", n_kv_heads={self.n_kv_heads}"
        return f"d_model={self.d_model}, n_heads={self.n_heads}{shared}, dropout={self.dropout}"

    def _split(self, x: Tensor) -> Tensor:
        d = self.d_model // self.n_heads
        return x.unflatten(2, (-1, d)).transpose(1, 2)  # (B, heads, T, d)

    def _check(
        self, x: Any, context: Any, past: int, mask: Any, biases: Any, causal: Any, positions: Any
    ) -> None:
        """Refuse what does not fit."""
        B, T, D = readable(x, "x", ("B", "T", self.d_model), self.query).shape
        S = T if context is None else readable(context, "context", (B, "S", D), self.key).shape[1]
        shape = (B, self.n_heads, T, past + S)
        fitting(mask, "mask", shape, x.device, torch.bool)
        fitting(biases, "biases", shape, x.device)
        if (flag(causal, "causal") or self.rotary is not None) and context is not None:
            raise ValueError("causal and rotary belong to self-attention: got a context")
        if positions is not None and self.rotary is None:
            raise ValueError("positions are for rotary, which this attention has not: got some")


@dataclass(eq=False)
class KeyValueCache:
    """The keys and values of positions that were read before, so that none is computed twice.

    Give an empty one to the first call of a `MultiHeadAttention`, and the same object to the calls
    that follow. In self-attention each call brings new positions, which are added. In attention to
    a context, the first call stores the keys and values of the context, and all others use them:
    the context that is given then is not read again. Each layer needs a cache of its own.

    Examples
    --------
    >>> attention, cache = MultiHeadAttention(6, 2), KeyValueCache()
    >>> for x in torch.zeros(4, 5, 1, 6):  # four steps, a batch of 5, one new position each
    ...     y = attention(x, cache=cache)
    >>> len(cache)
    4
    """

    key: Any = None  # (B, heads, S, d) of all that has been read, or None
    value: Any = None
    of_context: bool = False  # whether they belong to a context

    def __len__(self) -> int:
        """Return the number S of positions that are stored."""
        return 0 if self.key is None else self.key.shape[2]

    def extend(self, key: Tensor, value: Tensor, *, of_context: bool) -> tuple[Tensor, Tensor]:
        """Add the keys and values of new positions, (B, heads, T, d); return all that there are."""
        if self.key is not None:
            key = torch.cat([self.key, key], dim=2)
            value = torch.cat([self.value, value], dim=2)
        self.key, self.value, self.of_context = key, value, of_context
        return key, value

    def select(self, rows: Tensor) -> KeyValueCache:
        """Return a cache with these rows of the batch, in this order: what a beam search needs."""
        if self.key is None:
            return KeyValueCache()
        return replace(self, key=self.key[rows], value=self.value[rows])

    def copy(self) -> KeyValueCache:
        """Return a cache that can be extended without a change of this one."""
        return replace(self)

    def check(self, query: Tensor, n_heads: int, context: Tensor | None) -> None:
        """Refuse to serve another batch, other heads, another type or another use."""
        B, _, _, d = query.shape
        S = len(self) if context is None else context.shape[1]
        wanted = (context is not None, (B, n_heads, S, d), query.dtype, query.device)
        if self.key is not None:
            got = (self.of_context, tuple(self.key.shape), self.key.dtype, self.key.device)
            if got != wanted:
                raise ValueError(f"cache must hold {_keys(*wanted)}, got {_keys(*got)}")


def causal_mask(length: int, *, past: int = 0, device: Any = None) -> Tensor:
    """Return the mask (T, past + T) that lets T positions see themselves and what came before.

    `past` positions before them, such as those of a cache, are seen by all.

    Examples
    --------
    >>> causal_mask(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    T, past = size(length, "length", 0), size(past, "past", 0)
    return torch.ones(T, past + T, dtype=torch.bool, device=device).tril(past)


def padding_mask(lengths: Any, length: int, *, left: bool = False, device: Any = None) -> Tensor:
    """Return the mask that hides the padding of each sequence, behind it or on its left.

    Parameters
    ----------
    lengths : Tensor or sequence of int, shape (B,)
        The real tokens of each sequence, 0 to T, where T is the `length` of the padded batch.

    Returns
    -------
    Tensor of bool, shape (B, 1, T)
        The same for every query, so it joins with a causal mask (T, T) to (B, T, T).

    Examples
    --------
    >>> padding_mask([2, 3], 3).int()
    tensor([[[1, 1, 0]],
    <BLANKLINE>
            [[1, 1, 1]]], dtype=torch.int32)
    """
    T = size(length, "length", 0)
    rows = arguments.lengths(lengths, "lengths", T)
    real = torch.arange(T, device=rows.device) < rows[:, None]  # (B, T)
    return (real.flip(1) if flag(left, "left") else real)[:, None].to(device)  # (B, 1, T)


def heads(d_model: Any, n_heads: Any, n_kv_heads: Any) -> tuple[int, int, int]:
    """Return the width and the numbers of heads of an attention, which must divide one another."""
    D = size(d_model, "d_model")
    H = divisor(n_heads, "n_heads", D, "d_model")
    return D, H, H if n_kv_heads is None else divisor(n_kv_heads, "n_kv_heads", H, "n_heads")


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    biases: Tensor | None,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Return the output of `_attend` alone, from the kernels of PyTorch."""
    added, given = mask, query.dtype
    if biases is not None:
        # Kernels want biases of the query's type, and a narrow one has no room for all of them.
        query, key, value = (_at_least_float32(x) for x in (query, key, value))
        added = biases.to(query.dtype)
        if mask is not None:
            added = added.masked_fill(~mask, -torch.inf)
    if added is not None:  # with three axes, PyTorch would take a kernel that is 4 times slower
        added = added[(None,) * (4 - added.dim())]  # (B or 1, H or 1, T, S)
    groups = {"enable_gqa": True} if query.shape[1] > key.shape[1] else {}  # share keys and values
    with nullcontext() if biases is None else _in_float32(query):
        y = functional.scaled_dot_product_attention(
            query, key, value, added, dropout, causal, **groups
        )
    return y if biases is None else y.to(given)


def _at_least_float32(x: Tensor) -> Tensor:
    """Return x with room for scores: those of float16 end at 65,504."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _in_float32(x: Tensor) -> Any:
    """Return a context in which autocast does not make the scores narrow again."""
    free = x.device.type == "meta" or not torch.is_autocast_enabled(x.device.type)
    return nullcontext() if free else torch.autocast(x.device.type, enabled=False)


def _keys(of_context: bool, shape: tuple[int, ...], dtype: Any, device: Any) -> str:
    use = "attention to a context" if of_context else "self-attention"
    return f"keys of {use}, (B, heads, S, d) = {shape}, {dtype} on {device}"
