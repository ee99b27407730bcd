"""Tests of companion.sequences.gated."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from companion.sequences.gated import GRU, LSTM, gru_step, lstm_step, set_memory_span, trace
from companion.sequences.gated.sequences import GRUSequence, LSTMSequence
from companion.sequences.recurrent import RNN, Weights

B, T, D, H = 5, 7, 3, 11  # distinct primes
TWINS = [(LSTM, nn.LSTM), (GRU, nn.GRU)]
BOTH = pytest.mark.parametrize("ours", [LSTM, GRU])


def flat(result):
    """Return outputs and last states as one list."""
    y, state = result
    return [y, *(state if isinstance(state, tuple) else [state])]


def random_state(network, *shape, generator=None):
    parts = [
        torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()
        for _ in range(network.n_states)
    ]
    return tuple(parts) if len(parts) > 1 else parts[0]


def parts_of(state):
    return list(state) if isinstance(state, tuple) else [state]


def same_values_and_gradients(ours, theirs, leaves, tolerance=1e-10):
    """Compare lists of results, and the gradients of a random weighting of all of them."""
    (mine, my_leaves), (its, its_leaves) = (ours, leaves[0]), (theirs, leaves[1])
    assert [part.shape for part in mine] == [part.shape for part in its]
    weights = [torch.randn_like(part) for part in mine]
    for a, b in zip(mine, its, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    gradients = [
        torch.autograd.grad(
            sum((w * part).sum() for w, part in zip(weights, parts, strict=True)), leaf_list
        )
        for parts, leaf_list in ((mine, my_leaves), (its, its_leaves))
    ]
    assert len(gradients[0]) == len(gradients[1]) > 2
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance)


# --- twins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_state", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("our_class", "its_class"), TWINS)
def test_twins_agree(our_class, its_class, layers, bidirectional, bias, given_state):
    torch.manual_seed(0)
    ours = our_class(D, H, layers, bidirectional=bidirectional, bias=bias).double()
    options = {"bidirectional": bidirectional, "bias": bias, "batch_first": True}
    its = its_class(D, H, layers, **options).double()
    assert list(ours.state_dict()) == list(its.state_dict())
    its.load_state_dict(ours.state_dict())
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    state = random_state(ours, layers * (1 + bidirectional), B, H) if given_state else None
    inputs = [x, *(parts_of(state) if given_state else [])]
    same_values_and_gradients(
        flat(ours(x, state)),
        flat(its(x, state)),
        ([*inputs, *ours.parameters()], [*inputs, *its.parameters()]),
    )


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("our_class", "its_class"), TWINS)
def test_padded_batches_agree_with_packed_sequences(our_class, its_class, bidirectional):
    torch.manual_seed(1)
    ours = our_class(D, H, 2, bidirectional=bidirectional).double()
    its = its_class(D, H, 2, bidirectional=bidirectional, batch_first=True).double()
    ours.load_state_dict(its.state_dict())
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    state = random_state(ours, 2 * (1 + bidirectional), B, H)
    lengths = torch.tensor([4, 7, 1, 6, 4])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, last = its(packed, state)
    y, _ = pad_packed_sequence(y, batch_first=True)
    inputs = [x, *parts_of(state)]
    same_values_and_gradients(
        flat(ours(x, state, lengths=lengths)),
        flat((y, last)),
        ([*inputs, *ours.parameters()], [*inputs, *its.parameters()]),
    )


@pytest.mark.parametrize(("our_class", "its_class"), TWINS)
def test_one_sequence_without_a_batch(our_class, its_class):
    torch.manual_seed(2)
    ours = our_class(D, H, 2, bidirectional=True).double()
    its = its_class(D, H, 2, bidirectional=True, batch_first=True).double()
    its.load_state_dict(ours.state_dict())
    x = torch.randn(T, D, dtype=torch.float64)
    state = random_state(ours, 4, H)
    for a, b in zip(flat(ours(x, state)), flat(its(x, state)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("our_class", "its_class"), TWINS)
def test_a_seed_gives_the_parameters_of_pytorch(our_class, its_class):
    torch.manual_seed(3)
    ours = our_class(D, H, 2, bidirectional=True)
    torch.manual_seed(3)
    its = its_class(D, H, 2, bidirectional=True)
    for name, parameter in its.named_parameters():
        assert torch.equal(ours.get_parameter(name), parameter)


@pytest.mark.parametrize(("our_class", "its_class"), TWINS)
def test_dropout_acts_between_layers_and_in_training_only(our_class, its_class):
    ours = our_class(D, H, 2, dropout=0.5).double()
    its = its_class(D, H, 2, dropout=0.5, batch_first=True).double()
    its.load_state_dict(ours.state_dict())
    x = torch.randn(B, T, D, dtype=torch.float64)
    assert not torch.equal(ours(x)[0], ours(x)[0])
    torch.testing.assert_close(ours.eval()(x)[0], its.eval()(x)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("step", "cell_class", "n_states"), [(lstm_step, nn.LSTMCell, 2), (gru_step, nn.GRUCell, 1)]
)
@pytest.mark.parametrize("bias", [False, True])
def test_steps_agree_with_the_cells_of_pytorch(step, cell_class, n_states, bias):
    torch.manual_seed(4)
    cell = cell_class(D, H, bias=bias).double()
    states = [torch.randn(B, H, dtype=torch.float64) for _ in range(n_states)]
    x = torch.randn(B, D, dtype=torch.float64)
    *ours, gates = step(x, *states, *cell.parameters())
    theirs = cell(x, tuple(states)) if n_states == 2 else [cell(x, states[0])]
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    for name, gate in gates.items():
        low = -1 if name == "candidate" else 0
        assert gate.shape == (B, H)
        assert low < gate.min()
        assert gate.max() < 1


# --- the fast sequence against the readable step -------------------------------------------------


def step_by_step(network, x, state, mask):
    """Loop over the readable steps, with a mask (B, T)."""
    weights = list(network.parameters())
    states = [part[0] for part in parts_of(state)]
    outputs = []
    for t in range(x.shape[1]):
        step = lstm_step if network.n_gates == 4 else gru_step
        *new, _ = step(x[:, t], *states, *weights)
        real = mask[:, t, None]
        states = [torch.where(real, a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(torch.where(real, states[0], 0))
    return [torch.stack(outputs, dim=1), *(part[None] for part in states)]


@BOTH
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_fast_agrees_with_slow_under_any_mask(ours, data):
    torch.manual_seed(data.draw(st.integers(0, 1000)))
    n, length = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    network = ours(D, H).double()
    x = torch.randn(n, length, D, dtype=torch.float64, requires_grad=True)
    state = random_state(network, 1, n, H)
    rows = st.lists(st.booleans(), min_size=length, max_size=length)
    mask = torch.tensor([data.draw(rows) for _ in range(n)])
    start = tuple(part[0] for part in parts_of(state))
    y, last = network.scan(x, start, Weights(*network.parameters()), mask)
    leaves = [x, *parts_of(state), *network.parameters()]
    same_values_and_gradients(
        [y, *(part[None] for part in last)],
        step_by_step(network, x, state, mask),
        (leaves, leaves),
    )


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
def test_gradients_against_finite_differences(with_mask, with_bias):
    torch.manual_seed(5)
    mask = (torch.rand(4, 2, 1) < 0.6) if with_mask else None
    for sequence, n_gates, n_states, n_biases in ((LSTMSequence, 4, 2, 1), (GRUSequence, 3, 1, 2)):
        shapes = [(4, 2, 3), (n_gates * 5, 3), (n_gates * 5, 5)]
        tensors = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes]
        biases = [torch.randn(n_gates * 5, dtype=torch.float64, requires_grad=True)] * with_bias
        tensors += (biases * n_biases) or [None] * n_biases
        states = [torch.randn(2, 5, dtype=torch.float64, requires_grad=True)] * n_states
        assert torch.autograd.gradcheck(sequence.apply, (*tensors, *states, mask))


@BOTH
def test_only_what_is_asked_for_gets_a_gradient(ours):
    network = ours(D, H)
    x = torch.randn(B, T, D)
    network.weight_hh_l0.requires_grad_(False)
    network(x)[0].sum().backward()
    assert network.weight_hh_l0.grad is None
    assert network.weight_ih_l0.grad.abs().max() > 0
    with torch.no_grad():
        assert not network(x)[0].requires_grad


@BOTH
def test_second_derivatives_are_refused_and_not_wrong(ours):
    network = ours(D, H)
    x = torch.randn(B, T, D, requires_grad=True)
    y, _ = network(x)
    with pytest.raises(RuntimeError, match="second derivatives are not implemented"):
        torch.autograd.grad(y.sum(), x, create_graph=True)


@BOTH
def test_the_last_state_alone_and_the_outputs_alone_give_gradients(ours):
    torch.manual_seed(6)
    network = ours(D, H).double()
    x = torch.randn(B, T, D, dtype=torch.float64)
    last = flat(network(x))[1][0]
    outputs = network(x)[0]
    assert torch.equal(last, outputs[:, -1])
    one = torch.autograd.grad(last.square().sum(), network.parameters())
    other = torch.autograd.grad(outputs[:, -1].square().sum(), network.parameters())
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b)
        assert a.abs().max() > 0


# --- properties ----------------------------------------------------------------------------------


@BOTH
@settings(max_examples=20, deadline=None)
@given(cut=st.integers(1, T - 1), seed=st.integers(0, 1000))
def test_a_sequence_may_be_read_in_two_parts(ours, cut, seed):
    torch.manual_seed(seed)
    network = ours(D, H, 2).double()
    x = torch.randn(B, T, D, dtype=torch.float64)
    whole, end = network(x)
    first, state = network(x[:, :cut])
    second, last = network(x[:, cut:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    for a, b in zip(parts_of(last), parts_of(end), strict=True):
        torch.testing.assert_close(a, b)
    changed = x.clone()
    changed[:, cut:] += 1  # what comes later does not matter now
    assert torch.equal(network(changed)[0][:, :cut], whole[:, :cut])


@BOTH
@pytest.mark.parametrize("junk", [float("nan"), float("inf"), 1e30])
def test_what_stands_in_the_padding_never_matters(ours, junk):
    torch.manual_seed(7)
    network = ours(D, H, 2, bidirectional=True)
    x = torch.randn(2, T, D)
    lengths = torch.tensor([T, 3])
    dirty = x.clone()
    dirty[1, 3:] = junk
    results = []
    for inputs in (x, dirty):
        y, last = network(inputs, lengths=lengths)
        loss = y.square().sum() + sum(part.sum() for part in parts_of(last))
        results.append([y, *parts_of(last), *torch.autograd.grad(loss, network.parameters())])
    for a, b in zip(*results, strict=True):
        assert torch.equal(a, b)
    assert not results[0][0][1, 3:].any()
    alone = network(x[1:, :3])
    torch.testing.assert_close(results[0][0][1:, :3], alone[0])


def test_with_open_forget_and_closed_input_gate_the_cell_stays():
    network = LSTM(D, H).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.bias_ih_l0[:H] = -800.0  # input gate exactly 0
        network.bias_ih_l0[H : 2 * H] = 800.0  # forget gate exactly 1
    h0, c0 = random_state(network, 1, B, H)
    _, (h, c) = network(torch.randn(B, T, D, dtype=torch.float64), (h0, c0))
    assert torch.equal(c, c0)
    torch.testing.assert_close(h, 0.5 * torch.tanh(c0))
    (gradient,) = torch.autograd.grad(c.sum(), c0)
    assert torch.equal(gradient, torch.ones_like(c0))


def test_a_gru_keeps_with_update_gate_1_and_replaces_with_0():
    state = torch.tensor([[0.25, -0.5]])
    for bias, expected in ((800.0, state), (-800.0, torch.full((1, 2), 0.5).tanh())):
        biases = torch.tensor([0.0, 0.0, bias, bias, 0.5, 0.5])
        hidden, _ = gru_step(
            torch.zeros(1, 3), state, torch.zeros(6, 3), torch.zeros(6, 2), biases, torch.zeros(6)
        )
        torch.testing.assert_close(hidden, expected)


def test_an_lstm_step_worked_out_by_hand():
    # i = sigmoid(log 3) = 0.75, f = 0.5, g = tanh(0) = 0 + candidate from x: tanh(1), o = 0.25
    bias = torch.tensor([np.log(3), 0.0, 0.0, -np.log(3)])
    weight_ih = torch.tensor([[0.0], [0.0], [1.0], [0.0]], dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    hidden, cell, gates = lstm_step(
        one, 0 * one, 2 * one, weight_ih, torch.zeros(4, 1).double(), bias, torch.zeros(4).double()
    )
    assert gates["input"].item() == pytest.approx(0.75)
    assert gates["output"].item() == pytest.approx(0.25)
    assert cell.item() == pytest.approx(0.5 * 2 + 0.75 * 0.7615941559557649)
    assert hidden.item() == pytest.approx(0.25 * np.tanh(1.5711956169668237))


@pytest.mark.parametrize(("ours", "n_gates"), [(LSTM, 4), (GRU, 3)])
def test_numbers_of_parameters(ours, n_gates):
    count = sum(parameter.numel() for parameter in ours(10, 20).parameters())
    assert count == n_gates * 20 * (10 + 20 + 2) == {4: 2560, 3: 1920}[n_gates]
    without = sum(parameter.numel() for parameter in ours(10, 20, bias=False).parameters())
    assert without == n_gates * 20 * (10 + 20)


# --- trace and spans -----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("bias", [False, True])
def test_trace_walks_as_the_network_does(ours, bias):
    torch.manual_seed(8)
    network = ours(D, H, bias=bias).double()
    x = torch.randn(B, T, D, dtype=torch.float64)
    state = random_state(network, 1, B, H)
    kept = trace(network, x, state)
    results = flat(network(x, state))
    torch.testing.assert_close(kept["hidden"], results[0], rtol=0, atol=1e-12)
    if ours is LSTM:
        assert set(kept) == {"input", "forget", "candidate", "output", "cell", "hidden"}
        torch.testing.assert_close(kept["cell"][:, -1], results[2][0], rtol=0, atol=1e-12)
    else:
        assert set(kept) == {"reset", "update", "candidate", "hidden"}
    single = trace(network, x[0])
    assert all(value.shape == (T, H) for value in single.values())
    torch.testing.assert_close(single["hidden"], network(x[:1])[0][0], rtol=0, atol=1e-12)


def test_trace_refuses_what_it_cannot_follow():
    with pytest.raises(TypeError, match="network must be an LSTM or a GRU, got RNN"):
        trace(RNN(D, H), torch.zeros(B, T, D))
    with pytest.raises(TypeError, match="network must be an LSTM or a GRU, got LSTM"):
        trace(nn.LSTM(D, H), torch.zeros(B, T, D))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got num_layers=2, bidirectional=False"):
        trace(LSTM(D, H, 2), torch.zeros(B, T, D))
    with pytest.raises(ValueError, match="got num_layers=1, bidirectional=True"):
        trace(GRU(D, H, bidirectional=True), torch.zeros(B, T, D))
    with pytest.raises(ValueError, match=r"x must have the shape"):
        trace(GRU(D, H), torch.zeros(B, T, D + 1))


def gates_at_rest(network, suffix):
    """Return the gates of a network that reads zeros from a zero state, by block."""
    scores = network.get_parameter("bias_ih" + suffix) + network.get_parameter("bias_hh" + suffix)
    return torch.sigmoid(scores.detach()).reshape(network.n_gates, -1)


@BOTH
@pytest.mark.parametrize("spans", [4.0, np.linspace(1, 20, H), [3] * H])
def test_spans_set_the_gates_and_nothing_else(ours, spans):
    torch.manual_seed(9)
    network = ours(D, H, 2, bidirectional=True).double()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    set_memory_span(network, spans)
    steps = torch.as_tensor(np.broadcast_to(np.asarray(spans, dtype=float), (H,)).copy())
    for suffix in ("_l0", "_l1_reverse"):
        gates = gates_at_rest(network, suffix)
        torch.testing.assert_close(gates[1], steps / (1 + steps))
        if ours is LSTM:
            torch.testing.assert_close(gates[0], 1 / (1 + steps))
    touched = {1, 0} if ours is LSTM else {1}
    for name, parameter in network.named_parameters():
        new, old = (part.reshape(network.n_gates, -1) for part in (parameter, before[name]))
        for block in range(network.n_gates):
            same = torch.equal(new[block], old[block])
            assert same == (not name.startswith("bias") or block not in touched)


def test_the_input_gate_is_left_alone_when_asked():
    network = LSTM(D, H)
    old = network.bias_ih_l0.detach()[:H].clone()
    set_memory_span(network, 9, close_input=False)
    assert torch.equal(network.bias_ih_l0[:H], old)
    torch.testing.assert_close(gates_at_rest(network, "_l0")[1], torch.full((H,), 0.9))


def test_a_span_is_the_number_of_steps_until_1_over_e_is_left():
    network = LSTM(D, 1).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    set_memory_span(network, 100)
    state = torch.zeros(1, 1, 1, dtype=torch.float64), torch.ones(1, 1, 1, dtype=torch.float64)
    _, (_, cell) = network(torch.zeros(1, 100, D, dtype=torch.float64), state)
    assert cell.item() == pytest.approx(np.exp(-1), rel=0.01)


@pytest.mark.parametrize(
    ("network", "spans", "error", "message"),
    [
        (RNN(D, H), 5, TypeError, "network must be an LSTM or a GRU, got RNN"),
        (LSTM(D, H, bias=False), 5, ValueError, "network must have biases"),
        (LSTM(D, H), 0.5, ValueError, "spans must be a number or 11 numbers of 1 or more, got 0.5"),
        (LSTM(D, H), [2.0] * 3, ValueError, "spans must be a number or 11 numbers"),
        (GRU(D, H), float("nan"), ValueError, "spans must not contain NaN"),
        (GRU(D, H), float("inf"), ValueError, "spans must be finite"),
        (GRU(D, H), "long", TypeError, "spans must"),
    ],
)
def test_wrong_spans_are_refused(network, spans, error, message):
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    with pytest.raises(error, match=message):
        set_memory_span(network, spans)
    assert all(torch.equal(p, before[name]) for name, p in network.named_parameters())


# --- degenerate and wrong input ------------------------------------------------------------------


@BOTH
def test_small_inputs(ours):
    network = ours(D, H)
    for shape in ((1, 1, D), (B, 1, D), (0, T, D)):
        y, last = network(torch.randn(shape))
        assert y.shape == (*shape[:2], H)
        assert all(part.shape == (1, shape[0], H) for part in parts_of(last))
        assert torch.isfinite(y).all()
        y.sum().backward()
    tiny = ours(1, 1)
    assert tiny(torch.zeros(1, 1, 1))[0].shape == (1, 1, 1)


@BOTH
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(B, T, D + 1), ValueError, r"x must have the shape"),
        (torch.zeros(B, 0, D), ValueError, r"x must have one step or more"),
        (torch.zeros(B, T, D, dtype=torch.int64), TypeError, "x must be a Tensor of torch.float32"),
    ],
)
def test_networks_refuse_wrong_inputs(ours, x, error, message):
    with pytest.raises(error, match=message):
        ours(D, H)(x)


def test_states_of_the_wrong_kind_are_refused():
    x = torch.zeros(B, T, D)
    with pytest.raises(TypeError, match="state must be 2 tensors in a tuple, got tuple of 1"):
        LSTM(D, H)(x, (torch.zeros(1, B, H),))
    with pytest.raises(ValueError, match=r"state must have the shape \(1, 5, 11\), got \(1, 5, 12"):
        LSTM(D, H)(x, (torch.zeros(1, B, H), torch.zeros(1, B, H + 1)))
    with pytest.raises(ValueError, match="state must have the shape"):
        GRU(D, H)(x, torch.zeros(1, B + 1, H))
    with pytest.raises(TypeError, match=r"state must be .*torch\.float32, got torch\.float64"):
        GRU(D, H)(x, torch.zeros(1, B, H, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("x", {"x": (D,)}),
        ("hidden", {"hidden": (H,)}),
        ("hidden", {"hidden": (B + 1, H)}),
        ("weight_ih", {"weight_ih": (3 * H, D)}),
        ("weight_hh", {"weight_hh": (4 * H, D)}),
        ("bias_ih", {"bias_ih": (H,)}),
        ("bias_hh", {"bias_hh": (4 * H, 1)}),
        ("cell", {"cell": (B, 1)}),
    ],
)
def test_steps_refuse_shapes(name, shapes):
    right = {"x": (B, D), "hidden": (B, H), "cell": (B, H)}
    right |= {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H)}
    right |= {"bias_ih": (4 * H,), "bias_hh": (4 * H,)}
    with pytest.raises(ValueError, match=rf"^{name} must have"):
        lstm_step(**{key: torch.zeros(shape) for key, shape in (right | shapes).items()})
    if name != "cell":
        wrong = {key: torch.zeros(shape) for key, shape in (right | shapes).items()}
        del wrong["cell"]
        with pytest.raises(ValueError, match="must have the shape"):
            gru_step(**wrong)


@pytest.mark.parametrize("name", ["hidden", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "cell"])
def test_steps_refuse_another_type(name):
    right = {"x": (B, D), "hidden": (B, H), "cell": (B, H)}
    right |= {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H)}
    right |= {"bias_ih": (4 * H,), "bias_hh": (4 * H,)}
    mixed = {key: torch.zeros(shape) for key, shape in right.items()}
    mixed[name] = mixed[name].double()
    with pytest.raises(
        TypeError, match=f"{name} must be a Tensor of torch.float32, got torch.float"
    ):
        lstm_step(**mixed)


@BOTH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_moves_to_another_type(ours, dtype):
    torch.manual_seed(0)
    network = ours(D, H, 2, bidirectional=True)
    x, lengths = torch.randn(B, T, D), torch.tensor([T, 3, 1, 2, T])
    exact = network(x, lengths=lengths)[0]
    y, _ = network.to(dtype)(x.to(dtype), lengths=lengths)
    assert y.dtype == dtype
    torch.testing.assert_close(y.float(), exact, rtol=0, atol=0.05)
    y.sum().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_an_lstm_with_spans_learns_what_an_lstm_without_does_not():
    def right_answers(prepare):
        torch.manual_seed(0)
        network, readout = LSTM(3, 8), nn.Linear(8, 2)
        prepare(network)
        parameters = [*network.parameters(), *readout.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=2e-2)
        for _ in range(80):
            x = torch.zeros(32, 25, 3)
            bit = torch.randint(2, (32,))
            x[torch.arange(32), 0, bit] = 1
            x[:, 1:, 2] = 1
            loss = nn.functional.cross_entropy(readout(network(x)[0][:, -1]), bit)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    assert right_answers(lambda network: set_memory_span(network, 25)) < 0.1
    assert right_answers(lambda network: None) > 0.4


@pytest.mark.parametrize("state", [torch.zeros(1, 2, 3), None])
def test_an_lstm_wants_its_two_states_in_a_tuple(state):
    network = LSTM(5, 3)
    if state is None:
        assert network(torch.zeros(2, 4, 5), None)[0].shape == (2, 4, 3)
    else:
        with pytest.raises(TypeError, match=r"state must be 2 tensors in a tuple, got Tensor"):
            network(torch.zeros(2, 4, 5), state)
