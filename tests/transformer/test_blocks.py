"""Tests of companion.transformer.blocks."""

import math
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
    DecoderBlock,
    EncoderBlock,
    FeedForward,
    LayerNorm,
    PositionEmbedding,
    SinusoidalPositions,
    linear_biases,
    rotate,
    sinusoidal_positions,
)

B, T, S, H, D, HIDDEN = 2, 5, 7, 3, 33, 13  # D = 3 * 11
F64 = torch.float64
BOTH_NORMS = pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
BOTH_ACTIVATIONS = pytest.mark.parametrize("activation", ["relu", "gelu"])
LENGTHS = [3, 5]  # of the two target sequences
SOURCE_LENGTHS = [7, 2]
DEVICES = ["meta", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def draw(*shape, seed=0, dtype=F64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def disturb(module, seed=1):
    """Move all parameters away from their first values: norms are 1 and 0 at first."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=random, dtype=F64)


def close(got, expected, tolerance=1e-12):
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)


# --- layer normalisation -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(B, T, D), (T, D), (D,), (0, T, D), (1, 1, D), (2, 3, 5, D)])
@pytest.mark.parametrize("eps", [1e-5, 1e-12, 0.5])
def test_layer_norm_is_that_of_pytorch(shape, eps):
    ours, twin = LayerNorm(D, eps).double(), nn.LayerNorm(D, eps).double()
    disturb(ours)
    twin.load_state_dict(ours.state_dict(), strict=True)
    x, gradient = draw(*shape).requires_grad_(), draw(*shape, seed=2)
    y, expected = ours(x), twin(x)
    close(y, expected)
    got = torch.autograd.grad(y, [x, *ours.parameters()], gradient)
    wanted = torch.autograd.grad(expected, [x, *twin.parameters()], gradient)
    for one, other in zip(got, wanted, strict=True):
        close(one, other, 1e-11)


def test_layer_norm_gradient_against_finite_differences():
    ours = LayerNorm(7).double()
    disturb(ours)
    x = draw(3, 7).requires_grad_()
    weight, bias = ours.weight.detach().requires_grad_(), ours.bias.detach().requires_grad_()

    def call(x, weight, bias):
        return torch.func.functional_call(ours, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(call, (x, weight, bias))


def test_layer_norm_of_the_documents():
    row = torch.tensor([1.0, 2.0, 3.0], dtype=F64)
    ours = LayerNorm(3, eps=0).double()
    close(
        ours(row).detach(), torch.tensor([-1.5, 0, 1.5], dtype=F64).sqrt().nan_to_num(-(1.5**0.5))
    )
    assert LayerNorm(3).double()(row)[2].item() == pytest.approx(1.224736, abs=1e-6)
    assert torch.equal(LayerNorm(3)(torch.ones(3)), torch.zeros(3))


@given(st.floats(0.1, 10), st.floats(-10, 10), st.integers(0, 99))
def test_layer_norm_ignores_scale_and_shift(scale, shift, seed):
    x = draw(3, 11, seed=seed)
    ours = LayerNorm(11, eps=0).double()
    close(ours(scale * x + shift), ours(x), 1e-9)
    y = ours(x)
    close(y.mean(dim=-1), torch.zeros(3, dtype=F64))
    close(y.var(dim=-1, correction=0), torch.ones(3, dtype=F64))


def test_layer_norm_sees_one_token_only():
    ours, x = LayerNorm(D).double(), draw(B, T, D)
    for b in range(B):
        for t in range(T):
            close(ours(x)[b, t], ours(x[b, t]), 1e-14)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_layer_norm_in_other_types(dtype):
    x = (300 + 30 * draw(3, 257)).to(dtype)  # the sum of squares exceeds the range of float16
    ours, twin = LayerNorm(257).to(dtype), nn.LayerNorm(257).to(dtype)
    assert ours(x).dtype == dtype
    tolerance = max(4 * torch.finfo(dtype).eps, 1e-5)
    torch.testing.assert_close(ours(x), twin(x), rtol=tolerance, atol=tolerance)


def test_layer_norm_with_frozen_weights_and_without_gradients():
    ours, x = LayerNorm(D).double(), draw(T, D).requires_grad_()
    ours.requires_grad_(False)
    ours(x).square().sum().backward()
    assert x.grad is not None
    with torch.no_grad():
        assert not ours(x).requires_grad


def test_layer_norm_says_that_its_gradient_has_none():
    x = draw(T, D).requires_grad_()
    gradient = torch.autograd.grad(LayerNorm(D).double()(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="twice"):
        gradient[0].sum().backward()


def test_layer_norm_under_autocast():
    x = draw(T, D, dtype=torch.float32)
    layers = nn.Sequential(nn.Linear(D, D), LayerNorm(D))
    with torch.autocast("cpu", torch.bfloat16):
        y = layers(x)
    torch.testing.assert_close(y.float(), layers(x), rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(2, 3), ValueError, r"x must have the shape \(\.\.\., 33\), got \(2, 3\)"),
        (torch.tensor(1.0), ValueError, r"x must have the shape \(\.\.\., 33\), got \(\)"),
        (torch.zeros(2, D).long(), TypeError, "x must be a Tensor of .*, got torch.int64"),
        ([1.0], TypeError, "x must be a Tensor of floating-point numbers, got list"),
    ],
)
def test_layer_norm_refuses(x, error, message):
    with pytest.raises(error, match=message):
        LayerNorm(D)(x)


def test_layer_norm_refuses_settings():
    with pytest.raises(ValueError, match="d_model must be 1 or more, got 0"):
        LayerNorm(0)
    with pytest.raises(ValueError, match="eps must be"):
        LayerNorm(3, eps=-1e-5)
    with pytest.raises(TypeError, match="eps must be a number, got '1e-5'"):
        LayerNorm(3, eps="1e-5")  # type: ignore[arg-type]
    assert repr(LayerNorm(3, 1e-12)) == "LayerNorm(3, eps=1e-12)"


# --- feed-forward --------------------------------------------------------------------------------


@BOTH_ACTIVATIONS
def test_feed_forward_by_hand(activation):
    network, x = FeedForward(D, HIDDEN, activation=activation).double(), draw(B, T, D)
    z = x @ network.inner.weight.T + network.inner.bias
    below = (1 + torch.erf(z / math.sqrt(2))) / 2  # of a standard normal distribution
    hidden = z.clamp(min=0) if activation == "relu" else z * below
    close(network(x), hidden @ network.outer.weight.T + network.outer.bias)


def test_feed_forward_sizes_of_the_paper():
    assert sum(p.numel() for p in FeedForward(512, 2048).parameters()) == 2_099_712
    assert FeedForward(512).inner.out_features == 2048
    assert sum(p.numel() for p in FeedForward(5, 7, bias=False).parameters()) == 70


def test_feed_forward_sees_one_token_only():
    network, x = FeedForward(D, HIDDEN).double(), draw(B, T, D)
    for b in range(B):
        for t in range(T):
            close(network(x)[b, t], network(x[b, t]), 1e-14)


def test_feed_forward_drops_hidden_numbers_in_training_only():
    torch.manual_seed(0)
    network = FeedForward(3, 1000, activation=torch.ones_like, dropout=0.25)
    network.outer = nn.Identity()
    y = network(torch.zeros(3))
    assert set(y.tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert 0.15 < (y == 0).float().mean() < 0.35
    assert torch.equal(network.eval()(torch.zeros(3)), torch.ones(1000))


def test_feed_forward_takes_any_function():
    close(
        FeedForward(3, 5, activation=torch.tanh).activation(draw(4)),
        draw(4).tanh(),
    )
    approximate = partial(functional.gelu, approximate="tanh")
    assert FeedForward(3, 5, activation=approximate).activation is approximate


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0,), {}, ValueError, "d_model must be 1 or more, got 0"),
        ((3, 0), {}, ValueError, "d_hidden must be 1 or more, got 0"),
        ((3, 2.5), {}, TypeError, "d_hidden must be an integer, got 2.5"),
        ((3,), {"activation": "swish"}, ValueError, "must be 'relu' or 'gelu' .*, got 'swish'"),
        ((3,), {"dropout": 1}, ValueError, "dropout must be"),
        ((3,), {"dropout": -0.1}, ValueError, "dropout must be"),
        ((3,), {"dropout": float("nan")}, ValueError, "dropout must be"),
        ((3,), {"dropout": True}, TypeError, "dropout must be a number, got True"),
    ],
)
def test_feed_forward_refuses(arguments, options, error, message):
    with pytest.raises(error, match=message):
        FeedForward(*arguments, **options)


# --- positions -----------------------------------------------------------------------------------


def test_sinusoidal_positions_are_those_of_the_paper():
    table = sinusoidal_positions(7, 512)
    assert torch.equal(table[0], torch.tensor([0.0, 1.0]).repeat(256))
    published = torch.tensor([0.841471, 0.540302, 0.821856, 0.569695])
    torch.testing.assert_close(table[1, :4], published, rtol=0, atol=1e-6)
    for p in range(7):
        for i in (0, 1, 100, 255):
            angle = p / 10000 ** (2 * i / 512)
            assert table[p, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-7)
            assert table[p, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-7)


def test_sinusoidal_positions_start_anywhere_and_may_be_none():
    assert torch.equal(sinusoidal_positions(11, 6)[4:], sinusoidal_positions(7, 6, start=4))
    assert sinusoidal_positions(0, 6).shape == (0, 6)
    far = sinusoidal_positions(1, 2, start=100_003)[0, 0].item()
    assert far == pytest.approx(math.sin(100_003), abs=1e-6)
    assert sinusoidal_positions(2, 4, base=100.0)[1, 2].item() == pytest.approx(math.sin(0.1))


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 64))
def test_inner_products_of_positions_depend_on_the_distance(p, k, half):
    first, second = (sinusoidal_positions(1, 2 * half, start=n)[0].double() for n in (p, p + k))
    expected = sum(math.cos(k / 10000 ** (i / half)) for i in range(half))
    assert (first @ second).item() == pytest.approx(expected, abs=1e-5 * half)
    assert (first @ first).item() == pytest.approx(half, rel=1e-5)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 99))
def test_rotated_inner_products_depend_on_the_distance(p, q, seed):
    query, key = draw(2, 1, 14, seed=seed)
    at_once = rotate(query, start=p) @ rotate(key, start=q).T
    earliest = min(p, q)
    shifted = rotate(query, start=p - earliest) @ rotate(key, start=q - earliest).T
    close(at_once, shifted, 1e-9)
    close(rotate(query, start=p).norm(), query.norm())


def test_rotate_turns_pairs():
    x = draw(2, 3, 5, 6)
    y = rotate(x, start=2)
    for t in range(5):
        for i in range(3):
            angle = (t + 2) * 10000 ** (-i / 3)
            turn = torch.tensor(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=F64
            )
            close(y[..., t, 2 * i : 2 * i + 2], x[..., t, 2 * i : 2 * i + 2] @ turn.T)
    assert rotate(torch.zeros(2, 0, 4)).shape == (2, 0, 4)
    assert not torch.allclose(rotate(x, base=100.0), rotate(x), atol=1e-3)


def test_linear_biases():
    biases = linear_biases(5, 8)
    assert biases.shape == (8, 5, 5)
    for h in range(8):
        for p in range(5):
            for q in range(5):
                assert biases[h, p, q].item() == -(0.5 ** (h + 1)) * abs(p - q)
    assert torch.equal(linear_biases(2, 3, past=3), linear_biases(5, 3)[:, 3:])


@pytest.mark.parametrize("kind", [SinusoidalPositions, PositionEmbedding])
def test_positions_as_modules(kind):
    module, x = kind(11, 6), draw(2, 4, 6, dtype=torch.float32)
    table = module.weight if kind is PositionEmbedding else module.table
    torch.testing.assert_close(module(x) - x, table[:4].expand(2, 4, 6), rtol=0, atol=1e-6)
    whole = module(draw(2, 11, 6, dtype=torch.float32))
    parts = draw(2, 11, 6, dtype=torch.float32).split([4, 1, 6], dim=1)
    pieces = [module(part, start=start) for part, start in zip(parts, (0, 4, 5), strict=True)]
    assert torch.equal(torch.cat(pieces, dim=1), whole)
    assert module(x.to(torch.bfloat16)).dtype == torch.bfloat16
    assert module(x[:, :0]).shape == (2, 0, 6)
    with pytest.raises(ValueError, match="there are 11 positions, but x needs 12"):
        module(x, start=8)
    with pytest.raises(ValueError, match=r"x must have the shape \(B, T, 6\), got \(2, 4, 5\)"):
        module(x[..., :5])
    with pytest.raises(ValueError, match="start must be 0 or more, got -1"):
        module(x, start=-1)
    with pytest.raises(TypeError, match="x must be a Tensor of floating-point numbers"):
        module(torch.zeros(1, 2, 6, dtype=torch.int64))


def test_only_learned_positions_are_parameters_and_saved():
    fixed, learned = SinusoidalPositions(5, 6), PositionEmbedding(5, 6)
    assert list(fixed.parameters()) == []
    assert fixed.state_dict() == {}
    assert list(learned.state_dict()) == ["weight"]
    learned(torch.zeros(3, 2, 6)).sum().backward()
    assert learned.weight.grad is not None
    assert learned.weight.grad.sum(dim=1).tolist() == [18, 18, 0, 0, 0]
    torch.manual_seed(0)
    assert PositionEmbedding(100, 100).weight.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sinusoidal_positions(3, 5), ValueError, "d_model must be even, got 5"),
        (lambda: sinusoidal_positions(-1, 4), ValueError, "length must be 0 or more, got -1"),
        (lambda: sinusoidal_positions(3, 0), ValueError, "d_model must be 1 or more, got 0"),
        (lambda: sinusoidal_positions(3, 4, base=1), ValueError, "base must lie"),
        (lambda: SinusoidalPositions(0, 4), ValueError, "max_length must be 1 or more, got 0"),
        (lambda: PositionEmbedding(3, 0), ValueError, "d_model must be 1 or more, got 0"),
        (lambda: rotate(torch.zeros(3, 5)), ValueError, r"d even, got \(3, 5\)"),
        (lambda: rotate(torch.zeros(4)), ValueError, r"\(\.\.\., T, d\) with d even, got \(4,\)"),
        (lambda: rotate(torch.zeros(3, 4).int()), TypeError, "x must be .*, got torch.int32"),
        (lambda: linear_biases(3, 0), ValueError, "n_heads must be 1 or more, got 0"),
        (lambda: linear_biases(3.5, 2), TypeError, "length must be an integer, got 3.5"),
    ],
)
def test_positions_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- blocks: the same numbers as PyTorch's -------------------------------------------------------


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


# --- blocks: what carries the chapters above -----------------------------------------------------


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

    def forward(self, x, context=None, **options):
        self.context, self.options = context, options
        return x / 2


def test_parts_can_be_passed_in_and_replaced():
    own = Halves(), Halves(), Halves()
    x, context = draw(B, T, D), draw(B, S, D)
    encoder = EncoderBlock(D, attention=own[0], feed_forward=own[1], norm=nn.Identity)
    close(encoder(x), 2.25 * x)
    assert own[0].options == {"mask": None, "cache": None, "need_weights": False}
    decoder = DecoderBlock(
        D, attention=own[0], cross_attention=own[2], feed_forward=own[1], norm=nn.Identity
    )
    close(decoder(x, context, need_weights=True)[0], 3.375 * x)
    assert own[2].context is context
    mixed = DecoderBlock(D, H, cross_attention=own[2])
    assert isinstance(mixed.attention, MultiHeadAttention)
    assert mixed.cross_attention is own[2]
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
    silent = EncoderBlock(D, attention=Halves(), feed_forward=Halves(), norm=nn.Identity)
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
        ((D,), {}, ValueError, "n_heads must be given for a new attention"),
        ((D, 2), {}, ValueError, "n_heads must divide d_model = 33, got 2"),
        ((D, 1.5), {}, TypeError, "n_heads must be an integer, got 1.5"),
        ((D, H), {"attention": Halves()}, ValueError, "n_heads belongs to a new attention: got 3"),
        ((D,), {"attention": 3}, TypeError, "attention must be a module, got 3"),
        ((D, H), {"feed_forward": 3}, TypeError, "feed_forward must be a module, got 3"),
        ((D, H), {"feed_forward": Halves(), "d_hidden": 5}, ValueError, "got feed_forward"),
        ((D, H), {"feed_forward": Halves(), "activation": "gelu"}, ValueError, "got feed_forward"),
        ((D, H), {"norm_first": 1}, TypeError, "norm_first must be True or False, got 1"),
        ((D, H), {"dropout": 1.0}, ValueError, "dropout must be"),
    ],
)
def test_encoder_block_refuses_settings(arguments, options, error, message):
    with pytest.raises(error, match=message):
        EncoderBlock(*arguments, **options)


def test_decoder_block_refuses_settings():
    with pytest.raises(ValueError, match="for a new attention and cross_attention, got None"):
        DecoderBlock(D)
    with pytest.raises(ValueError, match="for a new attention, got None"):
        DecoderBlock(D, cross_attention=Halves())
    with pytest.raises(TypeError, match="cross_attention must be a module"):
        DecoderBlock(D, H, cross_attention=len)  # type: ignore[arg-type]


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
    with pytest.raises(ValueError, match=r"context must have the shape \(2, T, 33\), got"):
        block(x, torch.zeros(3, S, D))
    with pytest.raises(ValueError, match=r"must have the shape \(2, T, 33\), got \(2, 7, 5\)"):
        block(x, torch.zeros(B, S, 5))
    with pytest.raises(TypeError, match="context must be a Tensor"):
        block(x, None)


def test_the_package_exports_what_it_says():
    assert all(hasattr(blocks, name) for name in blocks.__all__)
