"""The encoder and the decoder block: attention and a feed-forward network, made to be stacked.

Around each part F stand a residual connection and a layer normalisation, in one of two orders::

    after the sum (post-norm, 2017):    x = norm(x + F(x))
    before the part (pre-norm):         x = x + F(norm(x))

The encoder block has two parts, self-attention and a feed-forward network; the decoder block has
cross-attention between them. An encoder block with a causal mask is the block of a decoder-only
model such as GPT. A stack of pre-norm blocks needs one more normalisation after the last of them.

References (in full in the chapter's bibliography): Vaswani and others (2017), section 3.1; He and
others (2016), residual connections; Xiong and others (2020), the place of the normalisation.

Chapter: book/transformer/blocks.ipynb
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from companion.arguments import integer
from companion.transformer.attention import KeyValueCache, MultiHeadAttention
from companion.transformer.blocks.layers import (
    Activation,
    FeedForward,
    LayerNorm,
    check_tokens,
    share,
)


class _Block(nn.Module):
    """What both blocks share: the feed-forward network, and how a part is added to its input."""

    def __init__(
        self,
        d_model: int,
        norm: Callable[[int], nn.Module],
        norm_first: bool,
        dropout: float,
        feed_forward: nn.Module | None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.d_model = integer(d_model, "d_model", 1)
        if not isinstance(norm_first, bool):
            raise TypeError(f"norm_first must be True or False, got {norm_first!r}")
        self.norm_first = norm_first
        self.dropout = nn.Dropout(share(dropout))
        if feed_forward is None:
            feed_forward = FeedForward(d_model, dropout=dropout, **options)
        elif options["d_hidden"] is not None or options["activation"] != "relu":
            raise ValueError("d_hidden and activation belong to a new network: got feed_forward")
        self.feed_forward = _module(feed_forward, "feed_forward")
        self.feed_forward_norm = norm(d_model)

    def _add(self, x: Tensor, part: nn.Module, norm: nn.Module, *args: Any, **options: Any) -> Any:
        """Add what a part makes of x; return the sum, and the weights if the part gave any."""
        y = part(norm(x) if self.norm_first else x, *args, **options)
        y, weights = y if isinstance(y, tuple) else (y, None)
        x = x + self.dropout(y)
        return (x if self.norm_first else norm(x)), weights


class EncoderBlock(_Block):
    """Self-attention, then a feed-forward network, each in a residual connection.

    Parameters
    ----------
    d_model : int
        Width D of a token.
    n_heads : int, optional
        Heads H of a new `MultiHeadAttention`; needed unless `attention` is given.
    d_hidden : int, optional
        Hidden numbers of a new `FeedForward`; 4 D without it.
    activation : "relu", "gelu" or callable, default "relu"
        Of a new `FeedForward`.
    norm_first : bool, default False
        Whether the normalisation stands before each part (pre-norm) or after each sum (post-norm).
    dropout : float, default 0
        Share of numbers that are set to 0 in training: of new attention weights, of the hidden
        numbers of a new `FeedForward`, and of what each part adds.
    bias : bool, default True
        Whether new linear layers add a bias.
    norm : callable, default LayerNorm
        Makes a normalisation for the width D, such as ``partial(LayerNorm, eps=1e-12)``.
    attention, feed_forward : nn.Module, optional
        Used instead of new ones, and called as these are.

    Attributes
    ----------
    attention, feed_forward : nn.Module
        The two parts. These and all other attributes can be replaced.
    attention_norm, feed_forward_norm : nn.Module
        Their normalisations.
    dropout : nn.Module
        Applied to what each part adds.

    Raises
    ------
    TypeError, ValueError
        If a setting is wrong, or is given for a part that is passed in.

    References
    ----------
    Vaswani et al. (2017), section 3.1.

    Examples
    --------
    >>> import torch
    >>> block = EncoderBlock(512, 8)
    >>> block(torch.zeros(2, 3, 512)).shape
    torch.Size([2, 3, 512])
    >>> sum(parameter.numel() for parameter in block.parameters())
    3152384
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int | None = None,
        *,
        d_hidden: int | None = None,
        activation: Activation = "relu",
        norm_first: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        norm: Callable[[int], nn.Module] = LayerNorm,
        attention: nn.Module | None = None,
        feed_forward: nn.Module | None = None,
    ) -> None:
        options: Any = {"d_hidden": d_hidden, "activation": activation, "bias": bias}
        super().__init__(d_model, norm, norm_first, dropout, feed_forward, **options)
        made = _attentions(d_model, n_heads, dropout, bias, attention=attention)
        self.attention = made["attention"]
        self.attention_norm = norm(d_model)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Let each token attend to the others, then transform each token alone.

        Parameters
        ----------
        x : Tensor, shape (B, T, D)
            One vector per token.
        mask, cache, need_weights
            As of `MultiHeadAttention`. A cache is for a decoder-only model.

        Returns
        -------
        Tensor, shape (B, T, D); with `need_weights` a pair, also as of `MultiHeadAttention`

        Raises
        ------
        TypeError, ValueError
            If shapes or types do not fit.
        """
        check_tokens(x, self.d_model)
        asked: Any = {"mask": mask, "cache": cache, "need_weights": need_weights}
        x, weights = self._add(x, self.attention, self.attention_norm, **asked)
        x, _ = self._add(x, self.feed_forward, self.feed_forward_norm)
        return (x, weights) if need_weights else x


class DecoderBlock(_Block):
    """Self-attention, then cross-attention to a context, then a feed-forward network.

    Parameters
    ----------
    d_model, n_heads, d_hidden, activation, norm_first, dropout, bias, norm
        As of `EncoderBlock`; `n_heads` is for both attentions.
    attention, cross_attention, feed_forward : nn.Module, optional
        Used instead of new ones, and called as these are.

    Attributes
    ----------
    attention, cross_attention, feed_forward : nn.Module
        The three parts. These and all other attributes can be replaced.
    attention_norm, cross_attention_norm, feed_forward_norm : nn.Module
        Their normalisations.
    dropout : nn.Module
        Applied to what each part adds.

    Raises
    ------
    TypeError, ValueError
        If a setting is wrong, or is given for parts that are all passed in.

    References
    ----------
    Vaswani et al. (2017), section 3.1.

    Examples
    --------
    >>> import torch
    >>> from companion.transformer.attention import causal_mask
    >>> block = DecoderBlock(512, 8)
    >>> target, source = torch.zeros(2, 3, 512), torch.zeros(2, 5, 512)
    >>> block(target, source, mask=causal_mask(3)).shape
    torch.Size([2, 3, 512])
    >>> sum(parameter.numel() for parameter in block.parameters())
    4204032
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int | None = None,
        *,
        d_hidden: int | None = None,
        activation: Activation = "relu",
        norm_first: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        norm: Callable[[int], nn.Module] = LayerNorm,
        attention: nn.Module | None = None,
        cross_attention: nn.Module | None = None,
        feed_forward: nn.Module | None = None,
    ) -> None:
        options: Any = {"d_hidden": d_hidden, "activation": activation, "bias": bias}
        super().__init__(d_model, norm, norm_first, dropout, feed_forward, **options)
        given = {"attention": attention, "cross_attention": cross_attention}
        made = _attentions(d_model, n_heads, dropout, bias, **given)
        self.attention, self.attention_norm = made["attention"], norm(d_model)
        self.cross_attention, self.cross_attention_norm = made["cross_attention"], norm(d_model)

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        *,
        mask: Tensor | None = None,
        context_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        context_cache: KeyValueCache | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Let each token attend to the others and to the context, then transform each alone.

        Parameters
        ----------
        x : Tensor, shape (B, T, D)
            One vector per token of the target.
        context : Tensor, shape (B, S, D)
            What the encoder has made of the source.
        mask, cache
            Of the self-attention, as `MultiHeadAttention` takes them. A decoder needs a causal
            mask, which is not added by itself.
        context_mask, context_cache
            The same for the cross-attention.
        need_weights : bool, default False
            Whether to return the weights of both attentions as well.

        Returns
        -------
        Tensor, shape (B, T, D); with `need_weights` a triple: also the weights of the
        self-attention and of the cross-attention, (B, H, T, S)

        Raises
        ------
        TypeError, ValueError
            If shapes or types do not fit.
        """
        check_tokens(x, self.d_model)
        check_tokens(context, self.d_model, "context", batch=len(x))
        asked: Any = {"mask": mask, "cache": cache, "need_weights": need_weights}
        x, weights = self._add(x, self.attention, self.attention_norm, **asked)
        asked |= {"mask": context_mask, "cache": context_cache}
        norm = self.cross_attention_norm
        x, cross_weights = self._add(x, self.cross_attention, norm, context, **asked)
        x, _ = self._add(x, self.feed_forward, self.feed_forward_norm)
        return (x, weights, cross_weights) if need_weights else x


def _attentions(
    d_model: int, n_heads: int | None, dropout: float, bias: bool, **given: nn.Module | None
) -> dict[str, nn.Module]:
    """Return the attentions that were passed in, and new ones where there is none."""
    missing = [name for name, module in given.items() if module is None]
    if missing and n_heads is None:
        raise ValueError(f"n_heads must be given for a new {' and '.join(missing)}, got None")
    if not missing and n_heads is not None:
        raise ValueError(f"n_heads belongs to a new attention: got {n_heads} and modules")
    made: dict[str, nn.Module] = {}
    for name, module in given.items():
        if module is None:
            heads = integer(n_heads, "n_heads", 1)
            module = MultiHeadAttention(d_model, heads, dropout=dropout, bias=bias)
        made[name] = _module(module, name)
    return made


def _module(part: Any, name: str) -> nn.Module:
    if not isinstance(part, nn.Module):
        raise TypeError(f"{name} must be a module, got {part!r}")
    return part
