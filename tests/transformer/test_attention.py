"""Tests of companion.transformer.attention."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from companion.transformer.attention import (
    KeyValueCache,
    MultiHeadAttention,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
)

from ..twins import close, draw

B, T, S, H, D = 2, 7, 5, 3, 33  # a width of 11 for each head
DEVICES = ["meta", *(["cuda"] if torch.cuda.is_available() else [])]
TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 1e-5,
    torch.bfloat16: 3e-2,
    torch.float16: 4e-3,
}


def twins(*, bias=True, dropout=0.0):
    """Return our module and PyTorch's with the same parameters."""
    torch.manual_seed(0)
    ours = MultiHeadAttention(D, H, bias=bias, dropout=dropout).double()
    its = nn.MultiheadAttention(D, H, bias=bias, dropout=dropout, batch_first=True).double()
    parts = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        its.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        if bias:
            its.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    its.out_proj.load_state_dict(ours.output.state_dict())
    return ours, its


def masks(T, S):
    """Return masks of all shapes for scores (B, H, T, S); each row may attend to something."""
    generator = torch.Generator().manual_seed(1)
    free = torch.rand(B, H, T, S, generator=generator) < 0.5
    free[..., 0] = True
    return {
        "none": None,
        "causal": torch.ones(T, S, dtype=torch.bool).tril(),
        "padding": padding_mask([S, 2], S),
        "both": torch.ones(T, S, dtype=torch.bool).tril() & padding_mask([S, 2], S),
        "rows": free[:, 0],
        "heads": free,
    }


def for_library(mask, T, S):
    """Return a mask as nn.MultiheadAttention wants it: (B * H, T, S), True where forbidden."""
    if mask is None:
        return None
    mask = mask.unsqueeze(1) if mask.dim() == 3 else mask
    return ~mask.expand(B, H, T, S).reshape(B * H, T, S)


# --- scaled dot-product attention ----------------------------------------------------------------


def test_a_case_by_hand():
    # Scores 1, 2 and 0 after the division by sqrt(4); e, e^2 and 1 are their exponentials.
    query, key = torch.tensor([[1.0, 2, 0, 0]]), 2 * torch.eye(3, 4)
    output, weights = scaled_dot_product_attention(query, key, torch.eye(3))
    powers = torch.tensor([math.e, math.e**2, 1.0])
    assert torch.allclose(weights[0], powers / powers.sum())
    assert torch.equal(output, weights)


@pytest.mark.parametrize("name", masks(T, S))
def test_values_and_gradients_agree_with_the_library(name):
    mask = masks(T, S)[name]
    mask = mask.unsqueeze(1) if mask is not None and mask.dim() == 3 else mask
    tensors = draw(B, H, T, 11), draw(B, H, S, 11, seed=1), draw(B, H, S, 13, seed=2)
    tensors = [tensor.requires_grad_() for tensor in tensors]
    output, weights = scaled_dot_product_attention(*tensors, mask)
    expected = functional.scaled_dot_product_attention(*tensors, attn_mask=mask)
    assert output.shape == (B, H, T, 13)
    assert weights.shape == (B, H, T, S)
    close(output, expected)
    factor = draw(B, H, T, 13, seed=3)
    for ours, its in zip(
        torch.autograd.grad((output * factor).sum(), tensors),
        torch.autograd.grad((expected * factor).sum(), tensors),
        strict=True,
    ):
        close(ours, its)


def test_gradients_agree_with_differences():
    tensors = [draw(3, 2, seed=s).requires_grad_() for s in range(3)]
    mask = torch.tensor([[1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=torch.bool)

    def both(*tensors):
        return scaled_dot_product_attention(*tensors, mask)

    assert torch.autograd.gradcheck(both, tensors)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_rows_that_may_attend_to_nothing_give_zero(dtype):
    tensors = [draw(T, 11, seed=s, dtype=dtype).requires_grad_() for s in range(3)]
    mask = torch.ones(T, T, dtype=torch.bool)
    mask[[0, 4]] = False
    mask[:, 2] = False
    output, weights = scaled_dot_product_attention(*tensors, mask)
    assert output.dtype == weights.dtype == dtype
    assert (output[[0, 4]] == 0).all()
    assert (weights[~mask] == 0).all()
    close(weights.sum(dim=-1), mask.any(dim=-1).to(dtype), TOLERANCE[dtype])
    expected = functional.scaled_dot_product_attention(*(t[None] for t in tensors), mask)[0]
    close(output, expected, TOLERANCE[dtype])
    with torch.autograd.set_detect_anomaly(True):  # no NaN on the way, either
        output, _ = scaled_dot_product_attention(*tensors, mask)
        gradients = torch.autograd.grad(output.square().sum(), tensors)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0][[0, 4]] == 0).all()  # an empty query learns nothing
    assert (gradients[1][2] == 0).all()  # nor does a key that nobody sees
    assert (gradients[2][2] == 0).all()


def test_half_precision_does_not_overflow():
    query = torch.full((1, 64), 60.0, dtype=torch.float16)  # the inner product would be 230,400
    output, weights = scaled_dot_product_attention(
        query, torch.cat([query, -query]), query.new_ones(2, 3)
    )
    assert weights.tolist() == [[1.0, 0.0]]
    assert (output == 1).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_scores_are_float32_in_half_precision(dtype):
    # 64 * 300 * 300 / 8 = 720,000 is no number of float16, whose largest is 65,504
    query = torch.full((1, 64), 300.0, dtype=dtype)
    key, value = torch.cat([query, -query]), torch.tensor([[1.0], [3.0]], dtype=dtype)
    output, weights = scaled_dot_product_attention(query, key, value)
    assert weights.tolist() == [[1.0, 0.0]]
    assert output.tolist() == [[1.0]]
    # Scores of 1,000 and 1,001 are the same number in bfloat16: their weights are not.
    query, key = torch.ones(1, 1, dtype=dtype), torch.tensor([[1000.0], [1001.0]]).to(torch.float16)
    if dtype == torch.float16:
        _, weights = scaled_dot_product_attention(query, key, value)
        close(weights.float(), torch.tensor([[1 / (1 + math.e), math.e / (1 + math.e)]]), 1e-3)


def test_biases_are_added_to_the_scores():
    query, key, value = draw(B, H, T, 11), draw(B, H, S, 11, seed=1), draw(B, H, S, 13, seed=2)
    biases = draw(H, T, S, seed=3)
    mask = torch.ones(T, S, dtype=torch.bool).tril()
    output, weights = scaled_dot_product_attention(query, key, value, mask, biases=biases)
    numbers = biases.masked_fill(~mask, -torch.inf)
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=numbers)
    close(output, expected)
    by_hand = (query @ key.transpose(-2, -1) / 11**0.5 + numbers).softmax(dim=-1)
    close(weights, by_hand)


def test_a_mask_may_have_axes_that_only_the_values_have():
    query, key, value = draw(T, 11), draw(S, 11, seed=1), draw(3, S, 13, seed=2)
    mask = masks(T, S)["heads"][0]  # (3, T, S)
    y, weights = scaled_dot_product_attention(query, key, value, mask)
    full = query.expand(3, T, 11), key.expand(3, S, 11), value
    close(y, functional.scaled_dot_product_attention(*full, mask))
    assert weights.shape == (3, T, S)


def test_the_mask_wins_over_any_score():
    query, key = torch.tensor([[1.0]]), torch.tensor([[-1e30], [1e30]])
    mask = torch.tensor([[True, False]])
    _, weights = scaled_dot_product_attention(query, key, torch.ones(2, 1), mask)
    assert weights.tolist() == [[1.0, 0.0]]


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    causal=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_weights_are_shares_of_what_is_allowed(lengths, seed, causal):
    query, key, value = (draw(len(lengths), 6, 3, seed=seed + s) for s in range(3))
    mask = padding_mask(lengths, 6)
    if causal:
        mask = mask & causal_mask(6)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    mask = mask.expand_as(weights)
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    close(weights.sum(dim=-1), mask.any(dim=-1).double())
    close(output, weights @ value)


def test_a_permutation_of_keys_changes_nothing_and_one_of_queries_follows():
    query, key, value = draw(T, 11), draw(S, 11, seed=1), draw(S, 13, seed=2)
    output, weights = scaled_dot_product_attention(query, key, value)
    order = torch.tensor([4, 2, 0, 1, 3])
    same, permuted = scaled_dot_product_attention(query, key[order], value[order])
    close(same, output)
    close(permuted, weights[:, order])
    turned, _ = scaled_dot_product_attention(query.flip(0), key, value)
    close(turned, output.flip(0))


@pytest.mark.parametrize(("n_queries", "n_keys"), [(0, 5), (7, 0), (1, 1), (0, 0)])
@pytest.mark.parametrize("masked", [False, True])
def test_nothing_to_ask_and_nobody_to_answer(n_queries, n_keys, masked):
    mask = torch.ones(n_queries, n_keys, dtype=torch.bool) if masked else None
    query, key, value = draw(n_queries, 3), draw(n_keys, 3), draw(n_keys, 2)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    assert output.shape == (n_queries, 2)
    assert weights.shape == (n_queries, n_keys)
    expected = value.mean(dim=0) if n_keys == 1 else output.new_zeros(2)
    close(output, expected.expand(n_queries, 2))


def test_the_inputs_stay_as_they_were():
    tensors = [draw(3, 2, seed=s) for s in range(3)]
    mask = causal_mask(3)
    before = [tensor.clone() for tensor in (*tensors, mask)]
    scaled_dot_product_attention(*tensors, mask)
    assert all(torch.equal(a, b) for a, b in zip((*tensors, mask), before, strict=True))


def test_dropout_scales_what_it_keeps():
    torch.manual_seed(0)
    query, value = torch.zeros(500, 2), torch.eye(400)
    output, weights = scaled_dot_product_attention(query, torch.zeros(400, 2), value, dropout=0.25)
    assert torch.allclose(weights, torch.full((500, 400), 1 / 400))  # before dropout
    kept = output != 0
    assert abs(kept.float().mean() - 0.75) < 0.01
    assert torch.allclose(output[kept], torch.tensor(1 / 400 / 0.75))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"query": np.zeros((3, 2))}, TypeError, "query must be a Tensor of .* got ndarray"),
        ({"key": torch.zeros(4, 2).long()}, TypeError, r"key must be .* got torch\.int64"),
        (
            {"value": torch.zeros(4)},
            ValueError,
            r"value must have the shape \(\.\.\., 4, d_value\), got \(4,\)",
        ),
        (
            {"value": torch.zeros(4, 2).half()},
            TypeError,
            r"value must be a Tensor of torch\.float32, got torch\.float16",
        ),
        ({"key": torch.zeros(4, 2, device="meta")}, ValueError, "key must be on cpu, got meta"),
        (
            {"query": torch.zeros(3, 5)},
            ValueError,
            r"key must have the shape \(\.\.\., S, 5\), got",
        ),
        (
            {"value": torch.zeros(5, 2)},
            ValueError,
            r"value must have the shape \(\.\.\., 4, d_value\), got \(5, 2\)",
        ),
        (
            {"query": torch.zeros(3, 0), "key": torch.zeros(4, 0)},
            ValueError,
            "the width d of query must be 1 or more, got 0",
        ),
        (
            {"query": torch.zeros(2, 3, 2), "key": torch.zeros(5, 4, 2)},
            ValueError,
            r"query and key and value must have axes that fit, got \(2,\), \(5,\), \(\)",
        ),
        (
            {"mask": torch.ones(3, 4)},
            TypeError,
            r"mask must be a Tensor of torch.bool, got torch\.float32",
        ),
        (
            {"mask": np.ones((3, 4), bool)},
            TypeError,
            "mask must be a Tensor of torch.bool, got ndarray",
        ),
        ({"mask": causal_mask(4)}, ValueError, r"the shape \(3, 4\), got \(4, 4\)"),
        (
            {"mask": torch.ones(2, 3, 4, dtype=torch.bool)},
            ValueError,
            r"the shape \(3, 4\), got \(2, 3, 4\)",
        ),
        (
            {"mask": torch.ones(3, 4, dtype=torch.bool, device="meta")},
            ValueError,
            "mask must be on cpu, got meta",
        ),
        ({"dropout": 1.0}, ValueError, r"dropout must be 0 or more and less than 1, got 1\.0"),
        ({"dropout": math.nan}, ValueError, "dropout must be .* got nan"),
        ({"biases": causal_mask(4)}, TypeError, "biases must be a Tensor of floating-point"),
        ({"biases": torch.zeros(4, 4)}, ValueError, r"biases must fit the shape .* got \(4, 4\)"),
        (
            {"biases": torch.tensor([0, 0, 0, -torch.inf])},
            ValueError,
            "biases must be finite, got NaN or infinity",
        ),
        ({"dropout": "much"}, TypeError, "dropout must be a number, got 'much'"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, message):
    right = {"query": torch.zeros(3, 2), "key": torch.zeros(4, 2), "value": torch.zeros(4, 2)}
    with pytest.raises(error, match=message):
        scaled_dot_product_attention(**(right | change))


# --- masks ---------------------------------------------------------------------------------------


@given(length=st.integers(0, 9), past=st.integers(0, 9))
def test_causal_mask_by_loops(length, past):
    mask = causal_mask(length, past=past)
    assert mask.dtype == torch.bool
    assert mask.shape == (length, past + length)
    for i, j in itertools.product(range(length), range(past + length)):
        assert mask[i, j].item() == (j <= past + i)


@given(lengths=st.lists(st.integers(0, 5), max_size=5), extra=st.integers(0, 3))
def test_padding_mask_by_loops(lengths, extra):
    T = 5 + extra
    for given_as in (lengths, np.array(lengths, dtype=int), torch.tensor(lengths).int()):
        mask = padding_mask(given_as, T)
        assert mask.shape == (len(lengths), 1, T)
        assert mask.dtype == torch.bool
        assert mask[:, 0].sum(dim=-1).tolist() == lengths
        assert all(mask[b, 0, :n].all() for b, n in enumerate(lengths))


def test_padding_on_the_left_and_small_integers():
    left = padding_mask([2, 3, 0], 3, left=True)
    assert left[:, 0].int().tolist() == [[0, 1, 1], [1, 1, 1], [0, 0, 0]]
    long = padding_mask(torch.tensor([200, 3], dtype=torch.uint8), 300)  # 300 is no uint8
    assert long.sum(dim=-1).flatten().tolist() == [200, 3]
    with pytest.raises(TypeError, match="left must be True or False, got 1"):
        padding_mask([1], 3, left=1)


def test_masks_lie_where_they_are_wanted():
    assert causal_mask(3, device="meta").device.type == "meta"
    both = causal_mask(4) & padding_mask([4, 2, 0], 4)
    assert both.shape == (3, 4, 4)
    assert both.sum().item() == 10 + 7 + 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: causal_mask(2.5), TypeError, r"length must be an integer, got 2\.5"),
        (lambda: causal_mask(-1), ValueError, "length must be 0 or more, got -1"),
        (lambda: causal_mask(2, past=-1), ValueError, "past must be 0 or more, got -1"),
        (lambda: padding_mask([1], -1), ValueError, "length must be 0 or more, got -1"),
        (
            lambda: padding_mask([1.0], 3),
            TypeError,
            r"lengths must be integers, got torch\.float32",
        ),
        (lambda: padding_mask([True], 3), TypeError, r"lengths must be integers, got torch\.bool"),
        (lambda: padding_mask("ab", 3), TypeError, "lengths must be integers in one row, got 'ab'"),
        (lambda: padding_mask([1, 4], 3), ValueError, r"from 0 to 3, got \[1, 4\]"),
        (lambda: padding_mask([-1], 3), ValueError, r"from 0 to 3, got \[-1\]"),
        (lambda: padding_mask([[1, 2]], 3), ValueError, r"one row .* got \[\[1, 2\]\]"),
        (lambda: padding_mask(2, 3), ValueError, "one row .* got 2"),
    ],
)
def test_masks_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- multi-head attention ------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("name", masks(T, T))
def test_multi_head_attention_agrees_with_the_library(name, cross, bias):
    n_keys = S if cross else T
    mask = masks(T, n_keys)[name]
    ours, its = twins(bias=bias)
    x = draw(B, T, D).requires_grad_()
    context = draw(B, n_keys, D, seed=1).requires_grad_() if cross else x
    y, weights = ours(x, context if cross else None, mask=mask, need_weights=True)
    fused = ours(x, context if cross else None, mask=mask)
    forbidden = for_library(mask, T, n_keys)
    expected, its_weights = its(
        x, context, context, attn_mask=forbidden, average_attn_weights=False
    )
    close(y, expected)
    close(fused, expected)
    close(weights, its_weights)

    factor = draw(B, T, D, seed=2)
    inputs = [x, context] if cross else [x]
    names = [n for n, _ in ours.named_parameters()]
    found = [
        torch.autograd.grad((out * factor).sum(), [*inputs, *ours.parameters()])
        for out in (y, fused)
    ]
    wanted = torch.autograd.grad((expected * factor).sum(), [*inputs, *its.parameters()])
    packed = dict(zip([n for n, _ in its.named_parameters()], wanted[len(inputs) :], strict=True))
    for gradients in found:
        for gradient, other in zip(gradients[: len(inputs)], wanted[: len(inputs)], strict=True):
            close(gradient, other, 1e-11)
        mine = dict(zip(names, gradients[len(inputs) :], strict=True))
        for kind in ("weight", "bias") if bias else ("weight",):
            joined = torch.cat([mine[f"{part}.{kind}"] for part in ("query", "key", "value")])
            close(joined, packed[f"in_proj_{kind}"], 1e-11)
            close(mine[f"output.{kind}"], packed[f"out_proj.{kind}"], 1e-11)


def test_heads_are_views_of_slices():
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    _, weights = module(x, need_weights=True)
    parts = []
    for head in range(H):
        rows = slice(11 * head, 11 * head + 11)
        query, key, value = (
            functional.linear(x, layer.weight[rows], layer.bias[rows])
            for layer in (module.query, module.key, module.value)
        )
        part, its = scaled_dot_product_attention(query, key, value)
        close(its, weights[:, head])
        parts.append(part)
    close(module(x), module.output(torch.cat(parts, dim=-1)))


def test_the_base_model_has_the_published_size():
    with torch.device("meta"):
        base, bare = MultiHeadAttention(512, 8), MultiHeadAttention(512, 8, bias=False)
    assert sum(p.numel() for p in base.parameters()) == 1_050_624
    assert sum(p.numel() for p in bare.parameters()) == 4 * 512**2
    assert base(torch.zeros(2, 5, 512, device="meta")).shape == (2, 5, 512)
    assert "n_heads=8" in repr(base)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("need_weights", [False, True])
def test_all_types_and_empty_rows(dtype, need_weights):
    torch.manual_seed(0)
    exact = MultiHeadAttention(D, H).double()
    module = copy.deepcopy(exact).to(dtype)
    x = draw(B, T, D, dtype=dtype).requires_grad_()
    mask = causal_mask(T) & padding_mask([0, 3], T)  # the first sequence is empty
    y = module(x, mask=mask, need_weights=need_weights)
    y = y[0] if need_weights else y
    assert y.dtype == dtype
    expected = exact(x.detach().double(), mask=mask)
    close(y.double(), expected, TOLERANCE[dtype])
    assert torch.equal(y[0], module.output.bias.expand(T, D))
    gradients = torch.autograd.grad(y.square().sum(), [x, *module.parameters()])
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0][0] == 0).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_any_device_gives_the_same(device, dtype):
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).to(dtype), draw(B, T, D, dtype=dtype)
    mask = causal_mask(T) & padding_mask([0, 3], T)
    expected = module(x, mask=mask)
    module, x = module.to(device), x.to(device)
    mask = causal_mask(T, device=device) & padding_mask([0, 3], T, device=device)
    y, weights = module(x, mask=mask, need_weights=True)
    cache, steps = KeyValueCache(), []
    for t, row in enumerate(mask.unbind(dim=1)):  # (B, T)
        steps.append(module(x[:, t : t + 1], mask=row[:, None, : t + 1], cache=cache))
    for result in (y, module(x, mask=mask), torch.cat(steps, dim=1)):
        assert (result.device.type, result.dtype, result.shape) == (device, dtype, x.shape)
        if device != "meta":
            close(result.cpu(), expected, TOLERANCE[dtype])
    assert weights.device.type == device


def test_under_autocast():
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H), draw(B, T, D, dtype=torch.float32)
    expected = module(x, mask=causal_mask(T))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for need_weights in (False, True):
            y = module(x, mask=causal_mask(T), need_weights=need_weights)
            y = y[0] if need_weights else y
            close(y.float(), expected, 3e-2)


@given(seed=st.integers(0, 2**32), place=st.integers(0, T - 1))
@settings(deadline=None, max_examples=20)
def test_a_causal_mask_hides_the_future(seed, place):
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D, seed=seed)
    changed = x.clone()
    changed[:, place] += 1
    for need_weights in (False, True):
        before, after = (
            module(z, mask=causal_mask(T), need_weights=need_weights) for z in (x, changed)
        )
        if need_weights:
            before, after = before[0], after[0]
        assert torch.equal(before[:, :place], after[:, :place])
        assert not torch.allclose(before[:, place], after[:, place], rtol=0, atol=1e-6)


def test_padding_does_not_matter():
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    mask = padding_mask([T, 4], T)
    y = module(x, mask=mask)
    close(y[1, :4], module(x[1:, :4])[0])
    changed = x.clone()
    changed[1, 4:] = 1e6
    assert torch.equal(y[1, :4], module(changed, mask=mask)[1, :4])


def test_shuffled_in_shuffled_out():
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    order = torch.tensor([6, 2, 0, 5, 1, 3, 4])
    close(module(x[:, order]), module(x)[:, order])


def test_a_layer_can_be_replaced():
    class Half(nn.Module):
        def forward(self, x):
            return x / 2

    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    module.query, module.value = Half(), nn.Sequential(nn.Identity(), module.value)
    y, _ = module(x, need_weights=True)
    close(y, module(x))
    layer = nn.Linear(D, D).double()
    with torch.no_grad():
        layer.weight.copy_(torch.eye(D) / 2)
        layer.bias.zero_()
    module.query = layer
    close(y, module(x))


def test_dropout_works_in_training_only():
    ours, its = twins(dropout=0.5)
    x = draw(B, T, D)
    for need_weights in (False, True):
        options = {"need_weights": need_weights}
        torch.manual_seed(0)
        first, second = (ours.train()(x, **options) for _ in range(2))
        assert not torch.equal(*(y[0] if need_weights else y for y in (first, second)))
        y = ours.eval()(x, **options)
        close(y[0] if need_weights else y, its.eval()(x, x, x)[0])


@pytest.mark.parametrize(("n_batch", "n_positions"), [(0, 3), (2, 0), (1, 1)])
def test_empty_and_smallest_batches(n_batch, n_positions):
    module = MultiHeadAttention(6, 2)
    x = torch.zeros(n_batch, n_positions, 6)
    y, weights = module(x, mask=causal_mask(n_positions), need_weights=True)
    assert y.shape == module(x).shape == x.shape
    assert weights.shape == (n_batch, 2, n_positions, n_positions)
    nobody = module(x, torch.zeros(n_batch, 0, 6))
    assert torch.equal(nobody, module.output.bias.expand_as(x))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0, 1), {}, ValueError, "d_model must be 1 or more, got 0"),
        ((6.0, 1), {}, TypeError, r"d_model must be an integer, got 6\.0"),
        ((6, 0), {}, ValueError, "n_heads must be 1 or more, got 0"),
        ((6, 4), {}, ValueError, "n_heads must divide d_model = 6, got 4"),
        ((6, 2), {"dropout": -0.1}, ValueError, r"dropout must be 0 or more .* got -0\.1"),
        ((6, 2), {"dropout": None}, TypeError, "dropout must be a number, got None"),
        ((6, 2), {"n_kv_heads": 3}, ValueError, "n_kv_heads must divide n_heads = 2, got 3"),
        ((6, 2), {"n_kv_heads": 0}, ValueError, "n_kv_heads must be 1 or more, got 0"),
        ((6, 2), {"bias": 1}, TypeError, "bias must be True or False, got 1"),
        ((6, 2), {"rotary": 3}, TypeError, "rotary must be a function, got 3"),
    ],
)
def test_sizes_are_checked(arguments, options, error, message):
    with pytest.raises(error, match=message):
        MultiHeadAttention(*arguments, **options)


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (np.zeros((2, 3, 6)), {}, TypeError, "x must be a Tensor of .* got ndarray"),
        (torch.zeros(2, 3, 6).long(), {}, TypeError, r"x must be .* got torch\.int64"),
        (
            torch.zeros(2, 3, 5),
            {},
            ValueError,
            r"x must have the shape \(B, T, 6\), got \(2, 3, 5\)",
        ),
        (torch.zeros(3, 6), {}, ValueError, r"x must have the shape \(B, T, 6\), got \(3, 6\)"),
        (
            torch.zeros(2, 3, 6),
            {"context": torch.zeros(2, 4, 5)},
            ValueError,
            r"context must have the shape \(2, S, 6\), got \(2, 4, 5\)",
        ),
        (
            torch.zeros(2, 3, 6),
            {"context": torch.zeros(1, 4, 6)},
            ValueError,
            r"context must have the shape \(2, S, 6\), got \(1, 4, 6\)",
        ),
        (
            torch.zeros(2, 3, 6),
            {"mask": causal_mask(4)},
            ValueError,
            r"mask must fit the shape \(2, 2, 3, 3\), got \(4, 4\)",
        ),
        (
            torch.zeros(2, 3, 6),
            {"mask": torch.ones(3, 3)},
            TypeError,
            r"mask must be a Tensor of torch.bool, got torch\.float32",
        ),
        (
            torch.zeros(2, 3, 6),
            {"mask": [[True] * 3] * 3},
            TypeError,
            "mask must be a Tensor of torch.bool, got list",
        ),
        (
            torch.zeros(2, 3, 6),
            {"cache": []},
            TypeError,
            "cache must be a KeyValueCache, got list",
        ),
    ],
)
def test_inputs_are_checked(x, options, error, message):
    with pytest.raises(error, match=message):
        MultiHeadAttention(6, 2)(x, **options)


# --- what decoder-only models need: causal, shared keys, rotary positions, biases ----------------


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", ["causal", "causal and padding", "left", "biases", "all", "none"])
def test_weights_never_change_a_result(case, dtype):
    torch.manual_seed(0)
    module = MultiHeadAttention(D, H).to(dtype)
    x = 3 * draw(B, T, D, dtype=dtype)
    options = {
        "causal": {"causal": True},
        "causal and padding": {"causal": True, "mask": padding_mask([T, 3], T)},
        "left": {"causal": True, "mask": padding_mask([T, 3], T, left=True)},  # rows of nothing
        "biases": {"biases": draw(H, T, T, seed=4)},
        "all": {"causal": True, "biases": draw(T, T), "mask": padding_mask([0, 3], T)},
        "none": {"mask": torch.zeros(T, T, dtype=torch.bool)},
    }[case]
    y = module(x, **options)
    same, weights = module(x, **options, need_weights=True)
    close(same, y, TOLERANCE[dtype])
    allowed = options.get("mask", torch.ones(T, T, dtype=torch.bool))
    if "causal" in options:
        allowed = allowed & causal_mask(T)
    allowed = allowed.expand(B, T, T)
    assert (weights.transpose(0, 1)[:, ~allowed] == 0).all()
    for z in (y, same):
        empty = z[~allowed.any(dim=-1)]
        assert torch.equal(empty, module.output.bias.expand_as(empty))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("options", [{}, {"causal": True}])
def test_biases_beyond_half_precision_are_kept(dtype, options):
    torch.manual_seed(0)
    biases = torch.tensor([0.0, 1e5, -1e5, 3e5])
    x, wide = draw(2, 4, D, dtype=dtype), MultiHeadAttention(D, H)
    narrow = copy.deepcopy(wide).to(dtype)
    y = narrow(x, biases=biases, **options)
    same, weights = narrow(x, biases=biases, need_weights=True, **options)
    assert y.dtype == same.dtype == dtype
    close(y, same, TOLERANCE[dtype])
    last = weights[:, :, -1]  # sees all, and only the largest counts
    assert torch.equal(last, torch.tensor([0, 0, 0, 1], dtype=dtype).expand_as(last))
    with torch.autocast("cpu", dtype):
        z = wide(x.float(), biases=biases, **options)
    close(z, same, TOLERANCE[dtype])


def test_causal_is_the_causal_mask(monkeypatch):
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    expected = module(x, mask=causal_mask(T))
    seen, real = [], functional.scaled_dot_product_attention
    monkeypatch.setattr(
        functional,
        "scaled_dot_product_attention",
        lambda q, k, v, mask, p, causal: (
            seen.append((mask, causal)) or real(q, k, v, mask, p, causal)
        ),
    )
    close(module(x, causal=True), expected)
    assert seen == [(None, True)]  # the kernel knows the mask by itself
    cache = KeyValueCache()
    parts = [module(part, causal=True, cache=cache) for part in x.split([3, 1, 3], dim=1)]
    close(torch.cat(parts, dim=1), expected)
    assert seen[2] == (None, False)  # one new position may see all
    with pytest.raises(
        ValueError, match="causal and rotary belong to self-attention: got a context"
    ):
        module(x, x, causal=True)
    with pytest.raises(TypeError, match="causal must be True or False, got 1"):
        module(x, causal=1)
    with pytest.raises(TypeError, match="need_weights must be True or False, got 1"):
        module(x, need_weights=1)


def test_types_must_be_those_of_the_layers():
    module, x = MultiHeadAttention(6, 2), torch.zeros(2, 3, 6)
    with pytest.raises(
        TypeError, match=r"x must be a Tensor of torch\.float32, got torch\.float16"
    ):
        module(x.half())
    with pytest.raises(
        TypeError, match=r"context must be a Tensor of torch\.float32, got torch\.f"
    ):
        module(x, x.double())


def test_a_mask_of_one_axis_is_for_all_queries():
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    row = torch.arange(T) < 3
    y, _ = module(x, mask=row, need_weights=True)
    close(module(x, mask=row), y)
    close(module(x, mask=row.expand(T, T)), y)


@pytest.mark.parametrize("shape", [(), (T,), (T, 1), (H, T, T), (B, 1, 1, T)])
def test_biases_of_few_axes_are_for_all(monkeypatch, shape):
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    biases = draw(*shape, seed=3)
    expected = module(x, biases=biases.expand(B, H, T, T))
    seen, real = [], functional.scaled_dot_product_attention
    monkeypatch.setattr(
        functional,
        "scaled_dot_product_attention",
        lambda q, k, v, added, *rest: seen.append(added.dim()) or real(q, k, v, added, *rest),
    )
    close(module(x, biases=biases), expected)
    close(module(x, biases=biases, causal=True), module(x, biases=biases, mask=causal_mask(T)))
    close(module(x, biases=biases, need_weights=True)[0], expected)
    assert seen == [4, 4, 4]  # with three axes, the kernel would be a slow one


@pytest.mark.parametrize("n_kv_heads", [1, 2, 3, 6])
def test_heads_share_keys_and_values(n_kv_heads):
    """The same as full attention whose key and value layers repeat the rows of each group."""
    torch.manual_seed(0)
    module = MultiHeadAttention(30, 6, n_kv_heads=n_kv_heads).double()
    full, x = MultiHeadAttention(30, 6).double(), draw(B, T, 30)
    state = module.state_dict()
    assert state["key.weight"].shape == (5 * n_kv_heads, 30)
    for name in ("key", "value"):
        for kind in ("weight", "bias"):
            heads = state[f"{name}.{kind}"].unflatten(0, (n_kv_heads, 5))
            state[f"{name}.{kind}"] = heads.repeat_interleave(6 // n_kv_heads, dim=0).flatten(0, 1)
    full.load_state_dict(state)
    expected, its_weights = full(x, causal=True, need_weights=True)
    y, weights = module(x, causal=True, need_weights=True)
    close(y, expected)
    close(weights, its_weights)
    cache, parts = KeyValueCache(), []
    for part in x.split([4, 3], dim=1):
        parts.append(module(part, causal=True, cache=cache))
    close(torch.cat(parts, dim=1), expected)
    assert cache.key.shape == (B, n_kv_heads, T, 5)  # only these are kept


def test_rotary_is_told_the_positions():
    seen = []

    def rotary(x, positions):
        seen.append(positions.tolist())
        angle = positions.to(x)
        angle = angle[:, None, :, None] if angle.dim() == 2 else angle[:, None]
        first, second = x[..., :5], x[..., 5:10]
        turned = [
            first * angle.cos() - second * angle.sin(),
            first * angle.sin() + second * angle.cos(),
        ]
        return torch.cat([*turned, x[..., 10:]], dim=-1)

    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H, rotary=rotary).double(), draw(B, T, D)
    whole = module(x, causal=True)
    assert seen == [list(range(T))]  # queries and keys at once
    cache = KeyValueCache()
    parts = [module(part, causal=True, cache=cache) for part in x.split([4, 3], dim=1)]
    close(torch.cat(parts, dim=1), whole)
    assert seen[-1] == [4, 5, 6]
    shifted = module(x, causal=True, positions=torch.arange(5, 5 + T))
    close(shifted, whole, 1e-10)  # only distances count
    # Left padding: each row's positions begin with its first real token.
    padded = torch.cat([torch.full((B, 2, D), 9.0, dtype=x.dtype), x], dim=1)
    positions = (torch.arange(T + 2) - 2).clamp(min=0).expand(B, -1)
    mask = padding_mask([T, T], T + 2, left=True)
    close(module(padded, mask=mask, causal=True, positions=positions)[:, 2:], whole)
    with pytest.raises(
        ValueError, match="causal and rotary belong to self-attention: got a context"
    ):
        module(x, x)
    with pytest.raises(ValueError, match="positions are for rotary, which this attention has not"):
        MultiHeadAttention(D, H)(x.float(), positions=torch.arange(T))


# --- the cache -----------------------------------------------------------------------------------


@given(cuts=st.lists(st.integers(1, T - 1), unique=True, max_size=4), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_a_cache_gives_the_same_numbers(cuts, seed):
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D, seed=seed)
    whole, all_weights = module(x, mask=causal_mask(T), need_weights=True)
    cache, edges = KeyValueCache(), [0, *sorted(cuts), T]
    for start, end in itertools.pairwise(edges):
        assert len(cache) == start
        mask = causal_mask(end - start, past=start)
        probe = copy.copy(cache)
        y, weights = module(x[:, start:end], mask=mask, cache=probe, need_weights=True)
        close(y, whole[:, start:end])
        close(weights, all_weights[:, :, start:end, :end])
        close(module(x[:, start:end], mask=mask, cache=cache), y)
    assert len(cache) == T


def test_a_cache_of_a_context_is_filled_once():
    torch.manual_seed(0)
    module, x, context = MultiHeadAttention(D, H).double(), draw(B, T, D), draw(B, S, D, seed=1)
    mask = padding_mask([S, 2], S)
    whole = module(x, context, mask=mask)
    calls = []
    module.key.register_forward_hook(lambda *_: calls.append(1))
    cache = KeyValueCache()
    for t in range(T):
        y = module(x[:, t : t + 1], context, mask=mask, cache=cache)
        close(y, whole[:, t : t + 1])
        assert len(cache) == S
    assert calls == [1]


def test_a_cache_follows_a_beam():
    torch.manual_seed(0)
    module, x = MultiHeadAttention(D, H).double(), draw(B, T, D)
    context, rows = draw(B, S, D, seed=1), torch.tensor([1, 0, 1])
    own, other, empty = KeyValueCache(), KeyValueCache(), KeyValueCache()
    module(x[:, :-1], cache=own)
    module(x[:, :-1], context, cache=other)
    before = own.key
    own, other, empty = (cache.select(rows) for cache in (own, other, empty))
    assert before.shape[0] == B  # the cache that was asked has not changed
    last = x[rows, -1:]
    close(module(last, cache=own), module(x)[rows, -1:])
    close(module(last, context[rows], cache=other), module(last, context[rows]))
    assert len(empty) == 0


def test_a_cache_is_not_used_for_something_else():
    module, x = MultiHeadAttention(6, 2), torch.zeros(2, 3, 6)
    own, other = KeyValueCache(), KeyValueCache()
    module(x, cache=own)
    module(x, torch.zeros(2, 4, 6), cache=other)
    with pytest.raises(
        ValueError, match=r"cache must hold keys of attention to a context, .* got keys of self-att"
    ):
        module(x, torch.zeros(2, 3, 6), cache=own)
    with pytest.raises(
        ValueError, match=r"cache must hold keys of self-attention, .* got keys of attention to"
    ):
        module(x, cache=other)
    with pytest.raises(ValueError, match=r"d\) = \(1, 2, 3, 3\), .* got .* = \(2, 2, 3, 3\)"):
        module(x[:1], cache=own)
    with pytest.raises(
        ValueError, match=r"\(B, heads, S, d\) = \(2, 2, 5, 3\), .* got .* = \(2, 2, 4, 3\)"
    ):
        module(x, torch.zeros(2, 5, 6), cache=other)


def test_a_cache_of_other_heads_or_another_type_is_refused():
    x, cache = torch.zeros(2, 3, 6), KeyValueCache()
    MultiHeadAttention(6, 2)(x, cache=cache)
    with pytest.raises(ValueError, match=r"d\) = \(2, 3, 3, 2\), .* got .* = \(2, 2, 3, 3\)"):
        MultiHeadAttention(6, 3)(x, cache=cache)
    with pytest.raises(
        ValueError, match=r"cache must hold .* torch\.float64 on cpu, got .* torch\.float32"
    ):
        MultiHeadAttention(6, 2).double()(x.double(), cache=cache)
    assert len(cache) == 3


def test_a_refused_call_leaves_the_cache_as_it_was():
    module, x, cache = MultiHeadAttention(6, 2), torch.zeros(2, 3, 6), KeyValueCache()
    module(x, cache=cache)
    with pytest.raises(ValueError, match=r"the shape \(2, 2, 3, 6\), got \(3, 3\)"):
        module(x, mask=causal_mask(3), cache=cache)
    assert len(cache) == 3
