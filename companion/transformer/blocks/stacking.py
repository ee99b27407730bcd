"""The block: attention and a feed-forward network, made to be stacked.

Around each part F stand a residual connection and a normalisation, in one of two orders::

    after the sum (post-norm, 2017):    x = norm(x + F(x))
    before the part (pre-norm):         x = x + F(norm(x))

The encoder block has two parts, self-attention and a feed-forward network; the decoder block has
cross-attention between them. A block of two parts whose attention is causal is that of a
decoder-only model such as GPT. A stack of pre-norm blocks needs one more normalisation after the
last of them.

References (in full in the chapter's bibliography): Vaswani and others (2017), section 3.1; He and
others (2016), residual connections; Xiong and others (2020), the place of the normalisation.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from companion.arguments import flag, function, instance, share, size, tensor
from companion.transformer.attention import KeyValueCache, MultiHeadAttention
from companion.transformer.blocks.layers import Activation, FeedForward, LayerNorm


class Block(nn.Module):
    """Self-attention, cross-attention if there is one, then a feed-forward network.

    Parameters
    ----------
    attention : nn.Module
        Called as a `MultiHeadAttention` is; its ``d_model`` is the width D of a token.
    feed_forward : nn.Module
        From (B, T, D) to (B, T, D).
    cross_attention : nn.Module, optional
        Attends to a context; called as a `MultiHeadAttention` is.
    norm : callable, default LayerNorm
        Makes a normalisation for the width D, such as ``partial(LayerNorm, eps=1e-12)``.
    norm_first : bool, default False
        Whether the normalisation stands before each part (pre-norm) or after each sum (post-norm).
    dropout : float, default 0
        Share of the numbers that each part adds that are set to 0 in training.

    Attributes
    ----------
    attention_norm, cross_attention_norm, feed_forward_norm : nn.Module
        The normalisations of the parts. These, the parts and ``dropout`` can be replaced.

    Examples
    --------
    >>> import torch
    >>> block = Block(MultiHeadAttention(6, 2), FeedForward(6), norm_first=True)
    >>> block(torch.zeros(2, 3, 6), causal=True).shape
    torch.Size([2, 3, 6])
    """

    def __init__(
        self,
        attention: nn.Module,
        feed_forward: nn.Module,
        *,
        cross_attention: nn.Module | None = None,
        norm: Callable[[int], nn.Module] = LayerNorm,
        norm_first: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        instance(attention, "attention", nn.Module)
        instance(feed_forward, "feed_forward", nn.Module)
        self.d_model = size(getattr(attention, "d_model", None), "attention.d_model")
        function(norm, "norm", "a function of d_model")
        self.norm_first = flag(norm_first, "norm_first")
        self.dropout = nn.Dropout(share(dropout, "dropout"))
        self.feed_forward, self.feed_forward_norm = feed_forward, norm(self.d_model)
        self.attention, self.attention_norm = attention, norm(self.d_model)
        self.cross_attention = cross_attention
        if cross_attention is not None:
            instance(cross_attention, "cross_attention", nn.Module)
            self.cross_attention_norm = norm(self.d_model)

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        *,
        context_mask: Tensor | None = None,
        context_cache: KeyValueCache | None = None,
        need_weights: bool = False,
        **options: Any,
    ) -> Any:
        """Let each token attend to the others and to the context, then transform each alone.

        Parameters
        ----------
        x, context : Tensor, shapes (B, T, D) and (B, S, D)
            One vector per token; and what the cross-attention attends to.
        context_mask, context_cache
            The mask and the cache of the cross-attention.
        need_weights : bool, default False
            Whether to return the weights of the attentions as well.
        **options
            ``mask``, ``cache``, ``causal``, ``biases``, ``positions`` of the self-attention, as
            `MultiHeadAttention` takes them. A decoder needs ``causal=True`` or a causal mask.

        Returns
        -------
        Tensor, shape (B, T, D); with `need_weights` a pair with the weights of the self-attention,
        (B, H, T, T), or a triple, also with those of the cross-attention, (B, H, T, S)
        """
        tensor(x, "x", ("B", "T", self.d_model))
        given = context, context_mask, context_cache
        if self.cross_attention is None and any(one is not None for one in given):
            raise ValueError("context belongs to cross-attention, which this block has not")

        options["need_weights"] = need_weights
        x, weights = self._add(x, self.attention, self.attention_norm, **options)
        found = [weights]
        if self.cross_attention is not None:
            tensor(context, "context", (len(x), "S", self.d_model))
            options = {"mask": context_mask, "cache": context_cache, "need_weights": need_weights}
            norm = self.cross_attention_norm
            x, weights = self._add(x, self.cross_attention, norm, context, **options)
            found.append(weights)
        x, _ = self._add(x, self.feed_forward, self.feed_forward_norm)
        return (x, *found) if need_weights else x

    def _add(self, x: Tensor, part: nn.Module, norm: nn.Module, *args: Any, **options: Any) -> Any:
        """Add what a part makes of x; return the sum, and the weights if the part gave any."""
        y = part(norm(x) if self.norm_first else x, *args, **options)
        y, weights = y if isinstance(y, tuple) else (y, None)
        x = x + self.dropout(y)
        return (x if self.norm_first else norm(x)), weights


class _BlockOfNewParts(Block):
    crosses: bool

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_hidden: int | None = None,
        activation: Activation = "relu",
        norm_first: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        norm: Callable[[int], nn.Module] = LayerNorm,
    ) -> None:
        # In this order, so that a seed of PyTorch gives the same weights as ever.
        network = FeedForward(d_model, d_hidden, activation=activation, dropout=dropout, bias=bias)
        attention, *crossed = (
            MultiHeadAttention(d_model, n_heads, dropout=dropout, bias=bias)
            for _ in range(1 + self.crosses)
        )
        options: Any = {"norm": norm, "norm_first": norm_first, "dropout": dropout}
        super().__init__(attention, network, cross_attention=next(iter(crossed), None), **options)


class EncoderBlock(_BlockOfNewParts):
    """A `Block` of two new parts, with the sizes and settings that they share.

    Parameters
    ----------
    d_model, n_heads, bias, d_hidden, activation, norm_first, norm
        As of `MultiHeadAttention`, `FeedForward` and `Block`.
    dropout : float, default 0
        Of the attention's weights, of the hidden numbers, and of what each part adds.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in EncoderBlock(512, 8).parameters())
    3152384
    """

    crosses = False


class DecoderBlock(_BlockOfNewParts):
    """A `Block` of three new parts: an `EncoderBlock` with cross-attention; parameters as there.

    Examples
    --------
    >>> import torch
    >>> block = DecoderBlock(512, 8)
    >>> target, source = torch.zeros(2, 3, 512), torch.zeros(2, 5, 512)
    >>> block(target, source, causal=True).shape
    torch.Size([2, 3, 512])
    >>> sum(parameter.numel() for parameter in block.parameters())
    4204032
    """

    crosses = True
