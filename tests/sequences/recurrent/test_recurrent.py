"""Tests of companion.sequences.recurrent."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from companion.sequences.recurrent import (
    RNN,
    RecurrentNetwork,
    bptt_terms,
    rnn_step,
    state_jacobians,
)

from ...twins import close as twins_close

B, T, D, H = 2, 7, 3, 5
OPTIONS = list(itertools.product((1, 3), (False, True), (False, True), ("tanh", "relu")))


def random(*shape, seed=0, grad=False):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return x.requires_grad_(grad)


def twins(layers=1, bidirectional=False, bias=True, nonlinearity="tanh", dropout=0.0):
    """Make our network and PyTorch's with the same weights; the state dict moved both ways."""
    torch.manual_seed(0)
    options = {"bias": bias, "nonlinearity": nonlinearity, "dropout": dropout}
    options["bidirectional"] = bidirectional
    ours = RNN(D, H, layers, **options).double()
    theirs = nn.RNN(D, H, layers, batch_first=True, **options).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    drawn = nn.RNN(D, H, layers, batch_first=True, **options).double()
    ours.load_state_dict(drawn.state_dict())
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def close(got, expected):
    twins_close(got, expected, 1e-11)


def compare(ours, theirs, inputs, call_ours, call_theirs):
    """Compare outputs, last states, and the gradients of inputs and parameters."""
    gradients = []
    results = []
    for network, call in ((ours, call_ours), (theirs, call_theirs)):
        leaves = [x.detach().clone().requires_grad_() for x in inputs]
        y, last = call(network, *leaves)
        # Weights that differ from entry to entry, so that no two entries can be exchanged.
        weights = [random(*out.shape, seed=3) for out in (y, last)]
        (y * weights[0]).sum().add((last * weights[1]).sum()).backward()
        results.append((y, last))
        gradients.append([*(x.grad for x in leaves), *(p.grad for p in network.parameters())])
    assert len(gradients[0]) == len(gradients[1])
    for got, expected in (*zip(*results, strict=True), *zip(*gradients, strict=True)):
        close(got, expected)
    assert all(gradient.abs().max() > 0 for gradient in gradients[0])


# --- the twin ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layers", "bidirectional", "bias", "nonlinearity"), OPTIONS)
class TestTwin:
    def test_values_and_gradients(self, layers, bidirectional, bias, nonlinearity):
        ours, theirs = twins(layers, bidirectional, bias, nonlinearity)
        x, state = random(B, T, D), random(layers * (1 + bidirectional), B, H, seed=1)

        def call(network, *inputs):
            return network(*inputs)

        compare(ours, theirs, (x, state), call, call)
        compare(ours, theirs, (x,), call, call)

    def test_one_sequence_without_the_batch_axis(self, layers, bidirectional, bias, nonlinearity):
        ours, theirs = twins(layers, bidirectional, bias, nonlinearity)
        x, state = random(T, D), random(layers * (1 + bidirectional), H, seed=1)

        def call(network, *inputs):
            return network(*inputs)

        compare(ours, theirs, (x, state), call, call)
        compare(ours, theirs, (x,), call, call)

    def test_lengths_are_packed_sequences(self, layers, bidirectional, bias, nonlinearity):
        ours, theirs = twins(layers, bidirectional, bias, nonlinearity)
        lengths = torch.tensor([2, 7, 1, 5, 5])
        x, state = random(5, T, D), random(layers * (1 + bidirectional), 5, H, seed=1)

        def call_theirs(network, x, *state):
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            y, last = network(packed, *state)
            return pad_packed_sequence(y, batch_first=True)[0], last

        def call_ours(network, x, *state):
            return network(x, *state, lengths=lengths)

        compare(ours, theirs, (x, state), call_ours, call_theirs)
        compare(ours, theirs, (x,), call_ours, call_theirs)


def test_the_same_seed_gives_the_weights_of_pytorch():
    torch.manual_seed(3)
    ours = RNN(D, H, 2, bidirectional=True)
    torch.manual_seed(3)
    theirs = nn.RNN(D, H, 2, bidirectional=True)
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert torch.equal(a, b), name
    bound = 1 / math.sqrt(H)
    assert all(p.abs().max() <= bound for p in ours.parameters())


def test_the_number_of_parameters():
    def count(*arguments, **options):
        return sum(p.numel() for p in RNN(*arguments, **options).parameters())

    assert count(10, 20) == 640
    assert count(10, 20, bias=False) == 600
    assert count(10, 20, bidirectional=True) == 1280
    assert count(10, 20, 3) == 640 + 2 * (20 * 40 + 40)


# --- dropout -------------------------------------------------------------------------------------


def test_dropout_of_everything_cuts_the_layers(monkeypatch):
    ours, _ = twins(3, True, dropout=0.5)
    monkeypatch.setattr(nn.functional, "dropout", lambda x, share, training: 0 * x)
    x = random(B, T, D)
    # The upper layers read zeros: other inputs change only the states of the first layer.
    (y, last), (y_other, last_other) = ours(x), ours(2 * x)
    assert torch.equal(y, y_other)
    assert torch.equal(last[2:], last_other[2:])
    assert not torch.equal(last[:2], last_other[:2])


def test_dropout_leaves_the_last_layer_and_evaluation_alone():
    ours, theirs = twins(2, dropout=0.5)
    x = random(B, T, D)
    assert not torch.equal(ours(x)[0], ours(x)[0])
    ours.eval(), theirs.eval()
    close(ours(x)[0], theirs(x)[0])
    single = RNN(D, H, 1, dropout=0.9).double()
    assert torch.equal(single(x)[0], single(x)[0])


def test_dropout_drops_the_stated_share_and_scales_the_rest():
    torch.manual_seed(0)
    network = RNN(1, 1009, 2, dropout=0.3, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        network.weight_ih_l0.fill_(1.0)
        network.weight_ih_l1.copy_(torch.eye(1009))
        network.weight_hh_l0.zero_(), network.weight_hh_l1.zero_()
    y, _ = network(torch.ones(1, 13, 1, dtype=torch.float64))
    kept = y > 0
    assert torch.allclose(y[kept], torch.tensor(1 / 0.7, dtype=torch.float64))
    share = kept.double().mean().item()
    assert abs(share - 0.7) < 5 * math.sqrt(0.3 * 0.7 / y.numel())


# --- what any recurrent network must do ----------------------------------------------------------

sizes = st.integers(1, 6)
few = settings(max_examples=25, deadline=None)


@few
@given(sizes, sizes, sizes, st.integers(0, 99))
def test_the_network_repeats_the_step(width, hidden_size, steps, seed):
    torch.manual_seed(seed)
    network = RNN(width, hidden_size).double()
    x, hidden = random(2, steps, width, seed=seed), random(2, hidden_size, seed=seed + 1)
    states, last = network(x, hidden[None])
    bias = network.bias_ih_l0 + network.bias_hh_l0
    for t in range(steps):
        hidden = rnn_step(x[:, t], hidden, network.weight_ih_l0, network.weight_hh_l0, bias)
        close(states[:, t], hidden)
    close(last[0], hidden)


@few
@given(st.integers(2, 7), st.data())
def test_a_text_may_be_read_in_pieces(steps, data):
    cut = data.draw(st.integers(1, steps - 1))
    network = RNN(D, H, 2).double()
    x = random(B, steps, D)
    whole, last = network(x)
    first, state = network(x[:, :cut])
    second, end = network(x[:, cut:], state)
    close(whole, torch.cat([first, second], dim=1))
    close(last, end)


@few
@given(st.integers(1, 7), st.booleans(), st.data())
def test_padding_changes_nothing(steps, bidirectional, data):
    length = data.draw(st.integers(1, steps))
    network = RNN(D, H, 2, bidirectional=bidirectional).double()
    x = random(2, steps, D)
    lengths = torch.tensor([length, steps])
    y, last = network(x, lengths=lengths)
    alone, end = network(x[:1, :length])
    close(y[:1, :length], alone)
    close(last[:, :1], end)
    assert (y[0, length:] == 0).all()
    other = x.clone()
    other[0, length:] = 1e3
    y_other, last_other = network(other, lengths=lengths)
    assert torch.equal(y, y_other)
    assert torch.equal(last, last_other)


def test_the_past_counts_and_the_future_does_not_unless_bidirectional():
    x = random(1, T, D)
    for bidirectional in (False, True):
        torch.manual_seed(0)
        network = RNN(D, H, bidirectional=bidirectional).double()
        for t in range(T):
            changed = x.clone()
            changed[:, t] += 1
            different = (network(x)[0] != network(changed)[0]).any(dim=2)[0]
            assert different[t:].all()
            assert different[:t].all() if bidirectional else not different[:t].any()


def test_the_second_direction_is_a_network_that_reads_from_the_end():
    network = RNN(D, H, bidirectional=True).double()
    backward = RNN(D, H).double()
    state = network.state_dict()
    backward.load_state_dict({name: state[name + "_reverse"] for name in backward.state_dict()})
    x = random(B, T, D)
    y, last = network(x)
    y_back, last_back = backward(x.flip(1))
    close(y[..., H:], y_back.flip(1))
    close(last[1:], last_back)


def test_degenerate_sizes():
    network = RNN(D, H, 2, bidirectional=True)
    for batch, steps in ((1, 1), (0, T), (1, 101)):
        y, last = network(torch.zeros(batch, steps, D))
        assert (y.shape, last.shape) == ((batch, steps, 2 * H), (4, batch, H))
    y, last = network(torch.zeros(0, T, D), lengths=torch.zeros(0, dtype=torch.int64))
    assert (y.shape, last.shape) == ((0, T, 2 * H), (4, 0, H))
    y, last = network(torch.zeros(1, D))
    assert (y.shape, last.shape) == ((1, 2 * H), (4, H))
    one = RNN(1, 1)
    assert one(torch.zeros(3, 1))[0].shape == (3, 1)


def test_nan_is_not_hidden():
    x = torch.zeros(1, T, D)
    x[0, 3, 0] = float("nan")
    y, last = RNN(D, H)(x)
    assert y[0, :3].isfinite().all()
    assert y[0, 3:].isnan().all()
    assert last.isnan().all()


@pytest.mark.parametrize("junk", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_what_stands_in_the_padding_never_matters(junk, nonlinearity):
    torch.manual_seed(7)
    network = RNN(D, H, 2, bidirectional=True, nonlinearity=nonlinearity)
    x = torch.randn(2, T, D)
    dirty = x.clone()
    dirty[1, 3:] = junk
    dirty.requires_grad_()
    results = []
    for inputs in (x.requires_grad_(), dirty):
        y, last = network(inputs, lengths=torch.tensor([T, 3]))
        leaves = [inputs, *network.parameters()]
        loss = y.square().sum() + last.sum()
        results.append([y, last, *torch.autograd.grad(loss, leaves)])
    for got, expected in zip(*results, strict=True):
        assert expected.isfinite().all()
        assert torch.equal(got, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype):
    network = RNN(D, H, 2, bidirectional=True)
    x = torch.randn(B, T, D)
    lengths = torch.tensor([T, 3])
    exact, _ = network(x, lengths=lengths)
    y, last = network.to(dtype)(x.to(dtype), lengths=lengths)
    assert (y.dtype, last.dtype) == (dtype, dtype)
    torch.testing.assert_close(y.float(), exact, rtol=0, atol=0.05)
    y.sum().backward()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_weights_may_be_parametrised():
    network = RNN(D, H).double()
    x = random(B, T, D)
    expected = network(x)[0]
    nn.utils.parametrizations.weight_norm(network, "bias_hh_l0", dim=None)
    close(network(x)[0], expected)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0, 5), {}, ValueError, "input_size must be 1 or more, got 0"),
        ((3, 2.5), {}, TypeError, "hidden_size must be an integer, got 2.5"),
        ((3, 5, 0), {}, ValueError, "num_layers must be 1 or more, got 0"),
        ((3, 5), {"dropout": 1}, ValueError, "dropout must be 0 or more and less than 1, got 1"),
        ((3, 5), {"dropout": float("nan")}, ValueError, "dropout must be 0 or more .* got nan"),
        ((3, 5), {"dropout": "half"}, TypeError, "dropout must be a number, got 'half'"),
        ((3, 5), {"dropout": True}, TypeError, "dropout must be a number, got True"),
        ((3, 5), {"bidirectional": "no"}, TypeError, "bidirectional must be True or False, got"),
        ((3, 5), {"bias": 1}, TypeError, "bias must be True or False, got 1"),
        (
            (3, 5),
            {"nonlinearity": "sigmoid"},
            ValueError,
            "nonlinearity must be 'tanh' or 'relu', got 'sigmoid'",
        ),
        ((3, 5), {"proj_size": 2}, TypeError, "proj_size"),
    ],
)
def test_settings_that_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        RNN(*arguments, **options)


X = torch.zeros(B, T, D)


@pytest.mark.parametrize(
    ("arguments", "lengths", "error", "message"),
    [
        ((X.double(),), None, TypeError, "x must be a Tensor of torch.float32, got torch.float64"),
        ((X.long(),), None, TypeError, "x must be a Tensor of torch.float32, got torch.int64"),
        ((X.numpy(),), None, TypeError, "x must be a Tensor of torch.float32, got ndarray"),
        ((X[..., :2],), None, ValueError, r"the shape \(B, T, 3\), got \(2, 7, 2\)"),
        ((X[0, :, :2],), None, ValueError, r"the shape \(T, 3\), got \(7, 2\)"),
        ((X[:, :0],), None, ValueError, r"x must have one step .* got the shape \(2, 0, 3\)"),
        ((X[0, 0],), None, ValueError, r"got \(3,\)"),
        ((X[None],), None, ValueError, r"got \(1, 2, 7, 3\)"),
        (
            (X, torch.zeros(B, H)),
            None,
            ValueError,
            r"state must have the shape \(1, 2, 5\), got \(2, 5\)",
        ),
        ((X[0], torch.zeros(1, 1, H)), None, ValueError, r"state must have the shape \(1, 5\)"),
        (
            (X, torch.zeros(1, B, H).double()),
            None,
            TypeError,
            "state must be a Tensor of torch.float32, got torch.float64",
        ),
        ((X, 0), None, TypeError, "state must be a Tensor of torch.float32, got int"),
        ((X,), torch.tensor([7, 0]), ValueError, r"from 1 to T = 7, got \[7, 0\]"),
        ((X,), torch.tensor([8, 1]), ValueError, r"from 0 to 7, got \[8, 1\]"),
        ((X,), torch.tensor([7]), ValueError, r"lengths must be 2 integers .* got \[7\]"),
        ((X,), torch.tensor([7.0, 1.0]), TypeError, "lengths must be integers, got torch.float32"),
        ((X,), torch.tensor([True, True]), TypeError, "lengths must be integers, got torch.bool"),
    ],
)
def test_inputs_that_are_refused(arguments, lengths, error, message):
    with pytest.raises(error, match=message):
        RNN(D, H)(*arguments, lengths=lengths)


def test_the_base_has_no_cell():
    with pytest.raises(TypeError, match=r"abstract.* scan"):
        RecurrentNetwork(D, H)


# --- one step, and the way back ------------------------------------------------------------------


def weights_of(hidden_size=H):
    return (
        random(hidden_size, D, seed=1),
        random(hidden_size, hidden_size, seed=2) / 2,
        random(hidden_size, seed=3),
    )


def states_of(steps, weights, start):
    x, hidden, states = random(steps, D, seed=4), start, []
    for x_t in x:
        hidden = rnn_step(x_t, hidden, *weights)
        states.append(hidden)
    return x, torch.stack(states)


def test_the_step_is_the_cell_of_pytorch():
    weight_ih, weight_hh, bias = weights_of()
    cell = nn.RNNCell(D, H).double()
    values = (weight_ih, weight_hh, bias, torch.zeros(H, dtype=torch.float64))
    cell.load_state_dict(dict(zip(cell.state_dict(), values, strict=True)))
    x, hidden = random(B, D), random(B, H, seed=5)
    close(rnn_step(x, hidden, weight_ih, weight_hh, bias), cell(x, hidden))
    close(rnn_step(x[0], hidden[0], weight_ih, weight_hh, bias), cell(x[0], hidden[0]))


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        ("x", random(B, 4), r"weight_ih must have the shape \(5, 4\), got \(5, 3\)"),
        ("hidden", random(B, 4), r"hidden must have the shape \(2, 5\), got \(2, 4\)"),
        ("hidden", random(H), r"hidden must have the shape \(2, 5\), got \(5,\)"),
        ("weight_hh", random(H, D), r"weight_hh must have the shape \(5, 5\), got \(5, 3\)"),
        ("bias", random(1), r"weight_ih must have the shape \(1, 3\), got \(5, 3\)"),
    ],
)
def test_the_step_refuses_shapes(name, bad, message):
    weight_ih, weight_hh, bias = weights_of()
    arguments = {"x": random(B, D), "hidden": random(B, H)}
    arguments |= {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias}
    with pytest.raises(ValueError, match=message):
        rnn_step(**(arguments | {name: bad}))


@pytest.mark.parametrize("name", ["hidden", "weight_ih", "weight_hh", "bias"])
def test_the_step_refuses_another_type(name):
    weight_ih, weight_hh, bias = weights_of()
    arguments = {"x": random(B, D), "hidden": random(B, H)}
    arguments |= {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias}
    arguments[name] = arguments[name].float()
    with pytest.raises(TypeError, match=f"{name} must be a Tensor of torch.float64, got .*32"):
        rnn_step(**arguments)


@pytest.mark.parametrize("steps", [1, 2, 11])
def test_jacobians_are_those_of_autograd(steps):
    weights, start = weights_of(), random(H, seed=6)
    x, states = states_of(steps, weights, start)
    jacobians = state_jacobians(states, weights[1])
    assert jacobians.shape == (steps, H, H)
    for t in range(steps):

        def last_state(hidden, t=t):
            for x_t in x[t + 1 :]:
                hidden = rnn_step(x_t, hidden, *weights)
            return hidden

        expected = torch.autograd.functional.jacobian(last_state, states[t])
        close(jacobians[t], expected)


def test_jacobians_keep_to_the_bound():
    weights = weights_of()
    _, states = states_of(11, weights, random(H, seed=6))
    norms = torch.linalg.matrix_norm(state_jacobians(states, weights[1]), ord=2).flip(0)
    bound = torch.linalg.matrix_norm(weights[1], ord=2) ** torch.arange(11)
    assert (norms <= bound * (1 + 1e-12)).all()
    assert (norms[1:] < bound[1:]).all()


@pytest.mark.parametrize("steps", [1, 2, 11])
@pytest.mark.parametrize("with_start", [False, True])
def test_each_term_is_the_gradient_of_its_own_copy(steps, with_start):
    weights = weights_of()
    start = random(H, seed=6) if with_start else torch.zeros(H, dtype=torch.float64)
    x, states = states_of(steps, weights, start)
    copies = [weights[1].clone().requires_grad_() for _ in range(steps)]
    hidden = start
    for x_t, copy in zip(x, copies, strict=True):
        hidden = rnn_step(x_t, hidden, weights[0], copy, weights[2])
    loss = (hidden**3).sum()
    expected = torch.autograd.grad(loss, copies)
    given_start = {"start": start} if with_start else {}
    terms = bptt_terms(states, weights[1], 3 * states[-1] ** 2, **given_start)
    close(terms, torch.stack(expected))


def test_the_terms_of_the_worked_example():
    """E29: worked out by hand; the numbers are in SOURCES and in the chapter."""
    h = [0.5]
    for x in (1.0, 0.5, -1.0):
        h.append(math.tanh(x + 0.5 * h[-1]))
    assert [round(value, 6) for value in h[1:]] == [0.848284, 0.727851, -0.562221]
    states = torch.tensor(h[1:], dtype=torch.float64)[:, None]
    weight, start = (torch.full(shape, 0.5).double() for shape in ((1, 1), (1,)))
    terms = bptt_terms(states, weight, states[-1] - 1, start=start).flatten().tolist()
    assert [round(term, 6) for term in terms] == [-0.01761, -0.213091, -0.777647]
    assert round(sum(terms), 6) == -1.008348


@pytest.mark.parametrize("function", [state_jacobians, bptt_terms])
@pytest.mark.parametrize(
    ("name", "bad", "error", "message"),
    [
        ("states", torch.zeros(0, H), ValueError, r"\(T, H\), each letter 1 or more, got \(0, 5\)"),
        ("states", torch.zeros(H), ValueError, r"states must have the shape \(T, H\).*got \(5,\)"),
        ("weight_hh", torch.zeros(H, H).double(), TypeError, "weight_hh must .* torch.float64"),
        ("states", torch.zeros(T, H).long(), TypeError, "floating-point numbers, got torch.int64"),
        ("states", [[0.0] * H], TypeError, "floating-point numbers, got list"),
        ("states", torch.full((T, H), float("nan")), ValueError, "states must be finite"),
        ("weight_hh", torch.zeros(H, D), ValueError, r"shape \(5, 5\), got \(5, 3\)"),
        ("weight_hh", torch.full((H, H), float("inf")), ValueError, "weight_hh must be finite"),
    ],
)
def test_the_way_back_refuses(function, name, bad, error, message):
    arguments = {"states": torch.zeros(T, H), "weight_hh": torch.zeros(H, H)} | {name: bad}
    if function is bptt_terms:
        arguments["gradient"] = torch.zeros(H)
    with pytest.raises(error, match=message):
        function(**arguments)


@pytest.mark.parametrize("name", ["gradient", "start"])
def test_the_terms_refuse_other_vectors(name):
    arguments = {"gradient": torch.zeros(H)} | {name: torch.zeros(D)}
    with pytest.raises(ValueError, match=rf"{name} must have the shape \(5,\), got \(3,\)"):
        bptt_terms(torch.zeros(T, H), torch.zeros(H, H), **arguments)
