"""Tests of companion.transformer.blocks.positions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.transformer.attention import MultiHeadAttention
from companion.transformer.blocks import (
    PositionEmbedding,
    RotaryPositions,
    SinusoidalPositions,
    count_positions,
    linear_biases,
    rotate,
    sinusoidal_positions,
)

from ...twins import F64, close, draw


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
    with pytest.raises(
        ValueError, match=r"x must have the shape \(\.\.\., T, 6\), got \(2, 4, 5\)"
    ):
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
        (lambda: rotate(torch.zeros(3, 5)), ValueError, r"the last axis of x must be even, got 5"),
        (
            lambda: rotate(torch.zeros(4)),
            ValueError,
            r"x must have the shape \(\.\.\., T, d\), got \(4,\)",
        ),
        (lambda: rotate(torch.zeros(3, 4).int()), TypeError, "x must be .*, got torch.int32"),
        (lambda: linear_biases(3, 0), ValueError, "n_heads must be 1 or more, got 0"),
        (lambda: linear_biases(3.5, 2), TypeError, "length must be an integer, got 3.5"),
    ],
)
def test_positions_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("kind", [SinusoidalPositions, PositionEmbedding])
def test_positions_of_each_row(kind):
    module, x = kind(11, 6), draw(2, 3, 6, dtype=torch.float32)
    positions = torch.tensor([[0, 0, 1], [4, 2, 10]])
    y = module(x, positions=positions)
    for b in range(2):
        for t in range(3):
            start = int(positions[b, t])
            torch.testing.assert_close(
                y[b : b + 1, t : t + 1], module(x[b : b + 1, t : t + 1], start=start)
            )
    with pytest.raises(ValueError, match="positions must be from 0 to 10, got 2 to 11"):
        module(x, positions=torch.tensor([2, 3, 11]))
    with pytest.raises(ValueError, match="positions take the place of start: got both, start = 2"):
        module(x, start=2, positions=positions)
    with pytest.raises(TypeError, match=r"positions must be a Tensor of torch\.int64"):
        module(x, positions=positions.float())


def test_rotary_positions_are_rotate():
    rotary, x = RotaryPositions(20, 6, base=100.0).double(), draw(2, 3, 5, 6)
    close(rotary(x, torch.arange(4, 9)), rotate(x, start=4, base=100.0), 1e-6)
    rows = torch.tensor([[0, 0, 1, 2, 3], [7, 8, 9, 10, 11]])
    expected = torch.stack([rotary(x[b], rows[b]) for b in range(2)])
    close(rotary(x, rows), expected)
    # Pairs of other numbers: the same after the numbers are put in the other order.
    halves = RotaryPositions(20, 6, base=100.0, halves=True).double()
    order = torch.tensor([0, 2, 4, 1, 3, 5])
    close(halves(x[..., order], rows), rotary(x, rows)[..., order])
    assert rotary.state_dict() == {}
    with pytest.raises(ValueError, match="positions must be from 0 to 19, got 16 to 20"):
        rotary(x, torch.arange(16, 21))
    with pytest.raises(ValueError, match="d must be even, got 5"):
        RotaryPositions(20, 5)


@pytest.mark.parametrize("shape", [(2, 4), (3, 4), (3, 1, 4), (1, 5), (5,), ()])
def test_positions_of_another_batch_are_refused(shape):
    """Else a batch of one would grow to the rows of its positions."""
    positions = torch.zeros(shape, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"positions must have the shape \("):
        RotaryPositions(10, 6)(torch.zeros(1, 2, 4, 6), positions)
    for module in (SinusoidalPositions(10, 6), PositionEmbedding(10, 6)):
        with pytest.raises(ValueError, match=r"positions must have the shape \("):
            module(torch.zeros(1, 4, 6), positions=positions)


def test_positions_count_real_tokens():
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).bool()
    expected = [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 1, 1, 1]]
    assert count_positions(mask).tolist() == expected
    with pytest.raises(TypeError, match=r"mask must be a Tensor of torch\.bool"):
        count_positions(mask.int())


def test_linear_biases_make_nearer_tokens_count_more():
    attention, x = MultiHeadAttention(12, 3), torch.zeros(1, 5, 12)  # all keys are alike
    _, weights = attention(x, causal=True, biases=linear_biases(5, 3), need_weights=True)
    last = weights[0, :, -1]  # (H, T)
    assert (last[:, 1:] > last[:, :-1]).all()
    slope = torch.log(last[1, 4] / last[1, 3]).item()
    assert slope == pytest.approx(2 ** (-16 / 3), rel=1e-4)
