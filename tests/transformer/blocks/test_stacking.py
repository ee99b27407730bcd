"""Tests of companion.transformer.blocks.stacking."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from companion.transformer import blocks
from companion.transformer.attention import KeyValueCache, MultiHeadAttention, causal_mask
from companion.transformer.attention import padding_mask as padding
from companion.transformer.blocks import (
    Block,
    DecoderBlock,
    EncoderBlock,
    GatedFeedForward,
    LayerNorm,
    RMSNorm,
    linear_biases,
    rotate,
    sinusoidal_positions,
)

from ...twins import F64, close, disturb, draw

B, T, S, H, D, HIDDEN = 2, 5, 7, 3, 33, 13  # D = 3 * 11
BOTH_NORMS = pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
BOTH_ACTIVATIONS = pytest.mark.parametrize("activation", ["relu", "gelu"])
LENGTHS = [3, 5]  # of the two target sequences
SOURCE_LENGTHS = [7, 2]
DEVICES = ["meta", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]


# --- the same numbers as PyTorch's ---------------------------------------------------------------


def attention_from(twin):
    """Return a state of `MultiHeadAttention` from one of `nn.MultiheadAttention`."""
    names = ("query", "key", "value")
    state = {"output.weight": twin.out_proj.weight, "output.bias": twin.out_proj.bias}
    for kind in ("weight", "bias"):
        rows = getattr(twin, f"in_proj_{kind}").chunk(3)
        state |= {f"{name}.{kind}": part for name, part in zip(names, rows, strict=True)}
    return state


def state_from(layer):
    """Return a state of our block from a layer of PyTorch; also of the gradients in it."""
    parts = {"attention": "self_attn", "cross_attention": "multihead_attn"}
    norms = {"attention_norm": "norm1", "feed_forward_norm": "norm2"}
    if hasattr(layer, "multihead_attn"):
        norms = {"attention_norm": "norm1", "cross_attention_norm": "norm2"}
        norms["feed_forward_norm"] = "norm3"
    linear = {"feed_forward.inner": "linear1", "feed_forward.outer": "linear2"}
    state = {}
    for ours, theirs in parts.items():
        if hasattr(layer, theirs):
            inside = attention_from(getattr(layer, theirs))
            state |= {f"{ours}.{name}": value for name, value in inside.items()}
    for ours, theirs in (norms | linear).items():
        module = getattr(layer, theirs)
        state |= {f"{ours}.weight": module.weight, f"{ours}.bias": module.bias}
    return state


def gradients_of(layer):
    """Return the gradients of a layer of PyTorch under the names of our block."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(parameter.grad)
    return state_from(layer)


def twins(kind, activation, norm_first):
    ours_kind, twin_kind = {
        "encoder": (EncoderBlock, nn.TransformerEncoderLayer),
        "decoder": (DecoderBlock, nn.TransformerDecoderLayer),
    }[kind]
    twin = twin_kind(
        D, H, HIDDEN, 0.0, activation, batch_first=True, norm_first=norm_first, dtype=F64
    )
    disturb(twin)
    ours = ours_kind(D, H, d_hidden=HIDDEN, activation=activation, norm_first=norm_first).double()
    ours.load_state_dict(state_from(twin), strict=True)
    return ours, twin


def compare(ours, twin, y, expected, inputs):
    """Values, gradients of the inputs, and gradients of all parameters."""
    close(y, expected, 1e-10)
    gradient = draw(*y.shape, seed=5)
    got = torch.autograd.grad(y, inputs, gradient, retain_graph=True)
    wanted = torch.autograd.grad(expected, inputs, gradient, retain_graph=True)
    for one, other in zip(got, wanted, strict=True):
        assert one.abs().max() > 1e-3
        close(one, other, 1e-9)
    y.backward(gradient)
    expected.backward(gradient)
    theirs = gradients_of(twin)
    names = [name for name, _ in ours.named_parameters()]
    assert sorted(names) == sorted(theirs)
    for name, parameter in ours.named_parameters():
        close(parameter.grad, theirs[name].detach(), 1e-9)


@BOTH_NORMS
@BOTH_ACTIVATIONS
@pytest.mark.parametrize("masks", ["none", "causal", "padding", "both"])
def test_encoder_block_is_that_of_pytorch(activation, norm_first, masks):
    ours, twin = twins("encoder", activation, norm_first)
    x = draw(B, T, D).requires_grad_()
    causal = causal_mask(T) if masks in ("causal", "both") else None
    real = padding(LENGTHS, T) if masks in ("padding", "both") else None
    mask = causal if real is None else real if causal is None else causal & real
    y = ours(x, mask=mask)
    expected = twin(
        x,
        src_mask=None if causal is None else ~causal,
        src_key_padding_mask=None if real is None else ~real[:, 0],
    )
    compare(ours, twin, y, expected, [x])


@BOTH_NORMS
@BOTH_ACTIVATIONS
@pytest.mark.parametrize("masks", ["causal", "both"])
def test_decoder_block_is_that_of_pytorch(activation, norm_first, masks):
    ours, twin = twins("decoder", activation, norm_first)
    x, context = draw(B, T, D).requires_grad_(), draw(B, S, D, seed=3).requires_grad_()
    mask, context_mask, hidden = causal_mask(T), None, {}
    if masks == "both":
        real, context_mask = padding(LENGTHS, T), padding(SOURCE_LENGTHS, S)
        mask = mask & real
        hidden = {
            "tgt_key_padding_mask": ~real[:, 0],
            "memory_key_padding_mask": ~context_mask[:, 0],
        }
    y = ours(x, context, mask=mask, context_mask=context_mask)
    expected = twin(x, context, tgt_mask=~causal_mask(T), **hidden)
    compare(ours, twin, y, expected, [x, context])


@BOTH_NORMS
def test_encoder_block_is_that_of_pytorch_on_its_fast_path(norm_first):
    ours, twin = twins("encoder", "gelu", norm_first)
    x = draw(B, T, D)
    with torch.inference_mode():
        close(ours.eval()(x), twin.eval()(x), 1e-10)


# --- what carries the chapters above -------------------------------------------------------------


def block_of(kind, **options):
    torch.manual_seed(0)
    module = kind(D, H, d_hidden=HIDDEN, **options).double()
    disturb(module)
    return module


@BOTH_NORMS
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_with_a_cache_a_decoder_only_block_gives_the_same(norm_first, pieces):
    block, x = block_of(EncoderBlock, norm_first=norm_first), draw(B, sum(pieces), D)
    whole = block(x, mask=causal_mask(sum(pieces)))
    cache, parts = KeyValueCache(), []
    for part in x.split(pieces, dim=1):
        mask = causal_mask(part.shape[1], past=len(cache))
        parts.append(block(part, mask=mask, cache=cache))
    close(torch.cat(parts, dim=1), whole, 1e-11)
    assert len(cache) == sum(pieces)


@BOTH_NORMS
def test_with_caches_a_decoder_block_gives_the_same(norm_first):
    block = block_of(DecoderBlock, norm_first=norm_first)
    x, context, real = draw(B, T, D), draw(B, S, D, seed=3), padding(SOURCE_LENGTHS, S)
    whole = block(x, context, mask=causal_mask(T), context_mask=real)
    cache, context_cache, parts = KeyValueCache(), KeyValueCache(), []
    for t in range(T):
        y = block(
            x[:, t : t + 1],
            context,
            mask=causal_mask(1, past=t),
            context_mask=real,
            cache=cache,
            context_cache=context_cache,
        )
        parts.append(y)
    close(torch.cat(parts, dim=1), whole, 1e-11)
    assert (len(cache), len(context_cache)) == (T, S)


@BOTH_NORMS
@given(st.integers(0, T - 1))
def test_with_a_causal_mask_nothing_comes_from_later(norm_first, t):
    encoder, decoder = (block_of(k, norm_first=norm_first) for k in (EncoderBlock, DecoderBlock))
    x, context = draw(B, T, D), draw(B, S, D, seed=3)
    other = x.clone()
    other[:, t] += draw(D, seed=9)
    for call in (encoder, lambda x, mask: decoder(x, context, mask=mask)):
        before, after = call(x, mask=causal_mask(T)), call(other, mask=causal_mask(T))
        assert torch.equal(before[:, :t], after[:, :t])
        assert (before[:, t:] - after[:, t:]).abs().amax(dim=-1).min() > 1e-6


@given(st.permutations(range(T)))
def test_without_positions_order_is_invisible(order):
    block, x = block_of(EncoderBlock), draw(B, T, D)
    close(block(x[:, order]), block(x)[:, order], 1e-11)


@BOTH_NORMS
def test_weights_are_handed_through(norm_first):
    encoder, decoder = (block_of(k, norm_first=norm_first) for k in (EncoderBlock, DecoderBlock))
    x, context, real = draw(B, T, D), draw(B, S, D, seed=3), padding(SOURCE_LENGTHS, S)
    y, weights = encoder(x, mask=causal_mask(T), need_weights=True)
    close(y, encoder(x, mask=causal_mask(T)))
    assert weights.shape == (B, H, T, T)
    assert (weights.triu(1) == 0).all()
    masks = {"mask": causal_mask(T), "context_mask": real}
    y, weights, cross = decoder(x, context, **masks, need_weights=True)
    close(y, decoder(x, context, **masks))
    assert (weights.shape, cross.shape) == ((B, H, T, T), (B, H, T, S))
    assert (weights.triu(1) == 0).all()
    assert (cross[1, :, :, 2:] == 0).all()
    close(cross.sum(dim=-1), torch.ones(B, H, T, dtype=F64))


def test_pre_norm_keeps_a_free_path_and_post_norm_does_not():
    x = draw(B, T, D)
    for norm_first in (True, False):
        encoder, decoder = (
            block_of(k, norm_first=norm_first) for k in (EncoderBlock, DecoderBlock)
        )
        for block in (encoder, decoder):
            for part in (block.attention.output, block.feed_forward.outer):
                nn.init.zeros_(part.weight), nn.init.zeros_(part.bias)
        nn.init.zeros_(decoder.cross_attention.output.weight)
        nn.init.zeros_(decoder.cross_attention.output.bias)
        assert torch.equal(encoder(x), x) is norm_first
        assert torch.equal(decoder(x, x), x) is norm_first


class Halves(nn.Module):
    """A part of someone else: halves its input, and remembers how it was called."""

    d_model = D

    def forward(self, x, context=None, **options):
        self.context, self.options = context, options
        return x / 2


def test_parts_can_be_passed_in_and_replaced():
    own = Halves(), Halves(), Halves()
    x, context = draw(B, T, D), draw(B, S, D)
    encoder = Block(own[0], own[1], norm=lambda _: nn.Identity())
    close(encoder(x), 2.25 * x)
    assert own[0].options == {"need_weights": False}
    encoder(x, mask=None, causal=True)
    assert own[0].options == {"need_weights": False, "mask": None, "causal": True}
    decoder = Block(own[0], own[1], cross_attention=own[2], norm=lambda _: nn.Identity())
    close(decoder(x, context, need_weights=True)[0], 3.375 * x)
    assert own[2].context is context
    replaced = block_of(EncoderBlock, norm_first=True)
    before = replaced(x)
    layer = replaced.attention.query
    replaced.attention.query = nn.Sequential(layer, nn.Identity())  # as an adapter would
    assert torch.equal(replaced(x), before)
    replaced.feed_forward = own[1]
    replaced.feed_forward_norm = nn.Identity()
    assert not torch.allclose(replaced(x), before)
    exact = EncoderBlock(D, H, norm=partial(LayerNorm, eps=1e-12))
    assert exact.attention_norm.eps == exact.feed_forward_norm.eps == 1e-12
    gated = Block(MultiHeadAttention(D, H), GatedFeedForward(D, HIDDEN), norm=RMSNorm)
    assert isinstance(gated.attention_norm, RMSNorm)
    assert gated.double()(x).shape == x.shape


def test_builders_are_blocks():
    encoder, decoder = EncoderBlock(D, H), DecoderBlock(D, H)
    assert isinstance(encoder, Block)
    assert encoder.cross_attention is None
    assert sorted({name.split(".")[0] for name in decoder.state_dict()}) == [
        "attention",
        "attention_norm",
        "cross_attention",
        "cross_attention_norm",
        "feed_forward",
        "feed_forward_norm",
    ]
    x, context = torch.zeros(B, T, D), torch.zeros(B, S, D)
    with pytest.raises(ValueError, match="context belongs to cross-attention"):
        encoder(x, context)
    with pytest.raises(ValueError, match="context belongs to cross-attention"):
        encoder(x, context_mask=padding(SOURCE_LENGTHS, S))
    with pytest.raises(TypeError, match="msk"):  # nothing is silently ignored
        encoder(x, msk=causal_mask(T))


@BOTH_NORMS
def test_options_of_the_attention_go_through_the_block(norm_first):
    block, x = block_of(EncoderBlock, norm_first=norm_first), draw(B, T, D)
    close(block(x, causal=True), block(x, mask=causal_mask(T)))
    biases = linear_biases(T, H)
    assert not torch.allclose(block(x, causal=True, biases=biases), block(x, causal=True))


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    x = draw(B, T, D, dtype=torch.float32)
    for block, call in (
        (EncoderBlock(D, H, dropout=0.3), lambda b: b(x)),
        (DecoderBlock(D, H, dropout=0.3), lambda b: b(x, x)),
    ):
        assert not torch.equal(call(block), call(block))
        assert torch.equal(call(block.eval()), call(block))
        assert block.attention.dropout == block.feed_forward.dropout.p == block.dropout.p == 0.3
    silent = Block(Halves(), Halves(), norm=lambda _: nn.Identity())
    silent.dropout = nn.Dropout(0.999999)
    assert torch.equal(silent(x), x)  # what the parts add is dropped, the residual path is not


def test_options_reach_the_parts():
    plain = EncoderBlock(D, H, d_hidden=HIDDEN, bias=False, activation="gelu")
    names = [name for name, _ in plain.named_parameters() if name.endswith("bias")]
    assert sorted(names) == ["attention_norm.bias", "feed_forward_norm.bias"]
    assert plain.feed_forward.activation is functional.gelu
    assert plain.attention.n_heads == H
    assert EncoderBlock(D, H).feed_forward.inner.out_features == 4 * D


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("device", DEVICES)
def test_blocks_on_any_device_and_in_any_type(device, dtype):
    encoder, decoder = EncoderBlock(D, H).to(device, dtype), DecoderBlock(D, H).to(device, dtype)
    x = torch.zeros(1, 1, D, device=device, dtype=dtype)
    y = decoder(x, encoder(x), mask=causal_mask(1, device=device))
    assert (y.dtype, y.device.type, y.shape) == (dtype, device, x.shape)
    assert rotate(x[..., 1:]).device.type == device
    assert linear_biases(2, 3, device=device).device.type == device
    assert sinusoidal_positions(2, 4, device=device).device.type == device


def test_an_empty_batch_passes():
    assert block_of(EncoderBlock)(draw(0, T, D)).shape == (0, T, D)
    assert block_of(DecoderBlock)(draw(0, T, D), draw(0, S, D)).shape == (0, T, D)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0, 1), {}, ValueError, "d_model must be 1 or more, got 0"),
        ((D, 2), {}, ValueError, "n_heads must divide d_model = 33, got 2"),
        ((D, 1.5), {}, TypeError, "n_heads must be an integer, got 1.5"),
        (
            (D, H),
            {"activation": "swish"},
            ValueError,
            "activation must be 'relu' or .* got 'swish'",
        ),
        ((D, H), {"bias": 1}, TypeError, "bias must be True or False, got 1"),
        ((D, H), {"attention": Halves()}, TypeError, "attention"),
        ((D, H), {"norm_first": 1}, TypeError, "norm_first must be True or False, got 1"),
        ((D, H), {"dropout": 1.0}, ValueError, "dropout must be"),
        ((D, H), {"norm": None}, TypeError, "norm must be a function of d_model, got None"),
    ],
)
def test_encoder_block_refuses_settings(arguments, options, error, message):
    with pytest.raises(error, match=message):
        EncoderBlock(*arguments, **options)


def test_blocks_refuse_parts():
    with pytest.raises(TypeError, match="attention must be a Module, got int"):
        Block(3, Halves())
    with pytest.raises(TypeError, match="feed_forward must be a Module, got NoneType"):
        Block(Halves(), None)
    with pytest.raises(TypeError, match="cross_attention must be a Module"):
        Block(Halves(), Halves(), cross_attention=len)
    with pytest.raises(TypeError, match=r"attention\.d_model must be an integer, got None"):
        Block(nn.Identity(), Halves())


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(T, D), ValueError, r"x must have the shape \(B, T, 33\), got \(5, 33\)"),
        (torch.zeros(B, T, 3), ValueError, r"x must have the shape \(B, T, 33\), got \(2, 5, 3\)"),
        (torch.zeros(B, T, D).long(), TypeError, "x must be a Tensor of .*, got torch.int64"),
        (None, TypeError, "x must be a Tensor of floating-point numbers, got NoneType"),
    ],
)
def test_blocks_refuse_inputs(x, error, message):
    with pytest.raises(error, match=message):
        EncoderBlock(D, H)(x)
    with pytest.raises(error, match=message):
        DecoderBlock(D, H)(x, torch.zeros(B, S, D))


def test_decoder_block_refuses_contexts():
    block, x = DecoderBlock(D, H), torch.zeros(B, T, D)
    with pytest.raises(ValueError, match=r"context must have the shape \(2, S, 33\), got"):
        block(x, torch.zeros(3, S, D))
    with pytest.raises(ValueError, match=r"must have the shape \(2, S, 33\), got \(2, 7, 5\)"):
        block(x, torch.zeros(B, S, 5))
    with pytest.raises(TypeError, match="context must be a Tensor"):
        block(x, None)


def test_the_package_exports_what_it_says():
    assert all(hasattr(blocks, name) for name in blocks.__all__)
