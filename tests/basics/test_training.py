"""Tests of companion.basics.training."""

import itertools
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib import pyplot
from torch import nn

from companion import progress
from companion.basics.training import SGD, Adam, AdamW, History, fit, iterations_per_epoch, split
from companion.runs import checkpoints

cross_entropy = nn.functional.cross_entropy
squared_error = nn.functional.mse_loss


# --- splits and iterations -----------------------------------------------------------------------

FRACTIONS = st.lists(st.integers(1, 20), min_size=1, max_size=5).map(
    lambda counts: [count / sum(counts) for count in counts]
)


@given(st.integers(1, 500), FRACTIONS, st.integers(0, 99), st.none() | st.integers(1, 5))
def test_every_sample_is_in_exactly_one_part(n, fractions, seed, n_classes):
    assume(all(n * fraction >= 1 for fraction in fractions))
    classes = None if n_classes is None else np.arange(n) % n_classes
    parts = split(n, fractions, seed=seed, stratify=classes)
    assert sorted(np.concatenate(parts)) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - n * fraction) <= 1
    again = split(n, fractions, seed=seed, stratify=classes)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


@given(st.lists(st.integers(0, 4), min_size=10, max_size=300), st.integers(0, 99))
def test_a_stratified_split_gives_every_part_its_share_of_every_class(classes, seed):
    classes = np.array(classes)
    fractions = (0.7, 0.2, 0.1)
    parts = split(len(classes), fractions, seed=seed, stratify=classes)
    for part, fraction in zip(parts, fractions, strict=True):
        for kind in range(5):
            expected = fraction * np.sum(classes == kind)
            assert abs(np.sum(classes[part] == kind) - expected) < 2


def test_a_stratified_split_is_exact_where_it_can_be():
    classes = np.array(["a"] * 600 + ["b"] * 400)
    parts = split(1000, (0.8, 0.1, 0.1), seed=3, stratify=classes)
    for part, a in zip(parts, (480, 60, 60), strict=True):
        assert np.sum(classes[part] == "a") == pytest.approx(a, abs=1)
        assert np.any(np.diff(part) < 0)  # shuffled


def test_the_documents_sizes_and_different_seeds():
    parts = split(2000, (0.8, 0.1, 0.1), seed=0)
    assert [len(part) for part in parts] == [1600, 200, 200]
    assert not np.array_equal(parts[0], split(2000, (0.8, 0.1, 0.1), seed=1)[0])
    assert not np.array_equal(parts[0], np.sort(parts[0]))


def test_which_sample_lands_where_is_a_matter_of_chance():
    tests = [split(10, (0.5, 0.5), seed=seed)[1] for seed in range(400)]
    counts = np.bincount(np.concatenate(tests), minlength=10)
    assert np.all(np.abs(counts - 200) < 50)  # five standard deviations


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be 1 or more, got 0"),
        ({"n": 2}, r"n=2 samples are too few for the fractions \(0\.8, 0\.1, 0\.1\)"),
        ({"fractions": (0.5, 0.4)}, r"positive numbers with the sum 1, got \(0\.5, 0\.4\)"),
        ({"fractions": (1.5, -0.5)}, "positive numbers with the sum 1"),
        ({"fractions": 1.0}, r"fractions must have shape \(parts,\), got \(\)"),
        ({"fractions": ()}, "positive numbers with the sum 1"),
        ({"fractions": (np.nan, 1.0)}, "fractions must not contain NaN"),
        ({"fractions": [[0.5, 0.5]]}, r"fractions must have shape \(parts,\), got \(1, 2\)"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
        ({"stratify": [0, 1]}, r"stratify must have the shape \(100,\), got \(2,\)"),
    ],
)
def test_wrong_splits_are_refused(arguments, message):
    arguments = {"n": 100, "fractions": (0.8, 0.1, 0.1), "seed": 0} | arguments
    with pytest.raises(ValueError, match=message):
        split(arguments.pop("n"), arguments.pop("fractions"), **arguments)


@given(st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_iterations_are_those_of_a_data_loader(n, batch_size, drop_last):
    assume(not drop_last or batch_size <= n)
    loader = torch.utils.data.DataLoader(range(n), batch_size=batch_size, drop_last=drop_last)
    assert iterations_per_epoch(n, batch_size, drop_last=drop_last) == len(loader)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1), ValueError, "n_samples must be 1 or more, got 0"),
        ((1, 0), ValueError, "batch_size must be 1 or more, got 0"),
        ((10.0, 1), TypeError, "n_samples must be an integer, got 10.0"),
        ((10, True), TypeError, "batch_size must be an integer, got True"),
    ],
)
def test_wrong_counts_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        iterations_per_epoch(*arguments)


def test_no_batch_at_all_is_refused():
    with pytest.raises(ValueError, match="with drop_last, batch_size must be 3 or less, got 4"):
        iterations_per_epoch(3, 4, drop_last=True)


# --- optimisers ----------------------------------------------------------------------------------

TWINS = [
    (SGD, torch.optim.SGD, {"lr": 0.01}),
    (SGD, torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    (Adam, torch.optim.Adam, {"lr": 0.05}),
    (Adam, torch.optim.Adam, {"lr": 0.05, "betas": (0.7, 0.9), "eps": 1e-2}),
    (AdamW, torch.optim.AdamW, {"lr": 0.05}),
    (AdamW, torch.optim.AdamW, {"lr": 0.05, "weight_decay": 0.3, "betas": (0.5, 0.99)}),
]


def trajectory(kind, options, n_steps=100):
    """Train a 5-7-3 network in float64; return its parameters after each step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()
    inputs, targets = torch.randn(11, 5).double(), torch.randn(11, 3).double()
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.02}]
    optimizer = kind(groups, **options)
    points = []
    for _ in range(n_steps):
        optimizer.zero_grad()
        squared_error(model(inputs), targets).backward()
        optimizer.step()
        points.append(nn.utils.parameters_to_vector(model.parameters()).detach().clone())
    return torch.stack(points)


@pytest.mark.parametrize(("ours", "theirs", "options"), TWINS)
def test_optimisers_walk_the_path_of_their_twins(ours, theirs, options):
    path, twin = trajectory(ours, options), trajectory(theirs, options)
    assert torch.allclose(path, twin, rtol=1e-10, atol=1e-10)
    assert (path[-1] - path[0]).abs().max() > 0.1  # they did go somewhere


def test_first_steps_by_hand():
    # Gradient of w**2 at 1 is 2. SGD: 1 - 0.1 * 2 = 0.8, then 2 * 0.8 = 1.6, velocity
    # 0.9 * 2 + 1.6 = 3.4, so 0.8 - 0.34 = 0.46. Adam's first step is lr, whatever the gradient.
    for optimizer_of, expected in (
        (lambda w: SGD([w], 0.1, momentum=0.9), [0.8, 0.46]),
        (lambda w: Adam([w], 0.1), [0.9, 0.800412]),
        (lambda w: AdamW([w], 0.1, weight_decay=0.5), [0.85]),
    ):
        w = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        optimizer = optimizer_of(w)
        for value in expected:
            optimizer.zero_grad()
            (w**2).backward()
            optimizer.step()
            assert w.item() == pytest.approx(value, abs=5e-6)


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_optimisers_keep_the_contract_of_torch(kind):
    used, unused = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))
    optimizer = kind([used, unused], lr=0.5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)

    def closure():
        optimizer.zero_grad()
        value = (used**2).sum()
        value.backward()
        return value

    assert optimizer.step(closure).item() == 3
    assert torch.equal(unused, torch.ones(2))  # it has no gradient
    before = used.detach().clone()
    schedule.step()
    optimizer.step()
    assert 0 < (used - before).abs().max() < 0.2


@pytest.mark.parametrize(
    ("kind", "options", "error", "message"),
    [
        (SGD, {"lr": 0}, ValueError, "lr must lie between 0 and inf, both excluded, got 0"),
        (SGD, {"lr": "big"}, TypeError, "lr must be a number, got 'big'"),
        (SGD, {"momentum": 1}, ValueError, "momentum must be 0 or more and less than 1, got 1"),
        (SGD, {"momentum": -0.1}, ValueError, "momentum must be 0 or more and less than 1"),
        (Adam, {"lr": np.nan}, ValueError, "lr must lie between 0 and inf"),
        (Adam, {"betas": (0.9, 1.0)}, ValueError, r"betas\[1\] must lie between 0 and 1"),
        (Adam, {"eps": 0}, ValueError, "eps must lie between 0 and inf"),
        (AdamW, {"weight_decay": -1}, ValueError, "weight_decay must be 0 or more, got -1"),
        (
            SGD,
            {"params": None},
            TypeError,
            "params must be tensors to be learned, each once, got N",
        ),
        (Adam, {"params": []}, ValueError, r"params must be tensors to be learned, each once, got"),
        (AdamW, {"params": ["w"]}, TypeError, "params must be tensors to be learned, each once"),
    ],
)
def test_wrong_settings_of_optimisers_are_refused(kind, options, error, message):
    with pytest.raises(error, match=message):
        kind(**{"params": [nn.Parameter(torch.ones(1))], **options})


def test_a_parameter_that_comes_twice_is_refused():
    weight = nn.Parameter(torch.ones(1))
    for kind in (SGD, Adam, AdamW):
        with pytest.raises(ValueError, match="params must be tensors to be learned, each once"):
            kind([weight, weight])


# --- fit -----------------------------------------------------------------------------------------

N = 23
MODEL = nn.Linear(3, 2)


def problem(seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(N, 3, generator=generator)
    return inputs, (inputs[:, 0] > inputs[:, 1]).long()


def build(seed=0, kind=SGD, lr=0.5, **options):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.2), nn.Linear(5, 2))
    return model, kind(model.parameters(), lr, **options)


def train(model, optimizer, data=None, **options):
    options = {"loss": cross_entropy, "epochs": 4, "batch_size": 5} | options
    data = problem() if data is None else data
    return fit(model, data, optimizer=optimizer, **options)


def vector(model):
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def accuracy(outputs, targets):
    return (outputs.argmax(1) == targets).float().mean()


def test_fit_learns_and_tells_how_it_went():
    model, optimizer = build()
    history = train(
        model,
        optimizer,
        epochs=30,
        validation=problem(1),
        metrics={"accuracy": accuracy, "constant": lambda outputs, targets: 3},
    )
    assert len(history.train_loss) == len(history.validation_loss) == 30
    assert {name: len(values) for name, values in history.metrics.items()} == {
        "accuracy": 30,
        "constant": 30,
    }
    assert history.train_loss[-1] < 0.5 * history.train_loss[0]
    assert history.metrics["accuracy"][-1] > 0.8
    assert history.metrics["constant"] == [3.0] * 30
    assert history.seconds > 0
    assert not model.training


def test_fit_is_the_loop_written_by_hand():
    model, optimizer = build()
    model[2].p = 0.0
    history = train(model, optimizer, epochs=3, seed=7, validation=problem(1))

    inputs, targets = problem()
    twin, optimizer = build(kind=torch.optim.SGD)
    twin[2].p = 0.0
    order = torch.Generator().manual_seed(7)
    losses, validation = [], []
    for _ in range(3):
        total = 0.0
        for batch in torch.randperm(N, generator=order).split(5):
            optimizer.zero_grad()
            loss = cross_entropy(twin(inputs[batch]), targets[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / N)
        x, y = problem(1)
        validation.append(cross_entropy(twin(x), y).item())
    assert torch.allclose(vector(model), vector(twin), atol=1e-6)
    assert history.train_loss == pytest.approx(losses, abs=1e-6)
    assert history.validation_loss == pytest.approx(validation, abs=1e-6)


@pytest.mark.parametrize(("batch_size", "steps"), [(1, 23), (5, 5), (23, 1), (100, 1)])
def test_every_epoch_shows_every_sample_once(batch_size, steps):
    model, optimizer = build()
    inputs = torch.arange(N * 3.0).reshape(N, 3) / 100
    seen = []

    def loss(outputs, targets):
        seen.append(targets)
        return outputs.sum() * 0

    train(model, optimizer, (inputs, torch.arange(N)), loss=loss, batch_size=batch_size, epochs=2)
    assert len(seen) == 2 * steps
    for epoch in (seen[:steps], seen[steps:]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(N))
    assert not torch.equal(torch.cat(seen[:steps]), torch.cat(seen[steps:]))  # reshuffled


def test_dropout_is_on_in_training_and_off_in_validation():
    model, optimizer = build()
    modes = []

    def loss(outputs, targets):
        modes.append(model.training)
        return cross_entropy(outputs, targets)

    train(model, optimizer, loss=loss, epochs=2, batch_size=N, validation=problem(1))
    assert modes == [False, True, False, True, False]  # the first one is the rehearsal


def test_the_same_seed_gives_the_same_training_whatever_happened_before():
    results = []
    for seed, noise in ((3, 0), (3, 1), (4, 0)):
        model, optimizer = build()
        torch.manual_seed(noise)
        train(model, optimizer, seed=seed)
        results.append(vector(model))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_fit_leaves_the_generator_of_pytorch_alone():
    model, optimizer = build()
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    train(model, optimizer)
    assert torch.equal(torch.rand(3), expected)


def test_the_rehearsal_of_the_metrics_changes_no_random_number():
    results = []
    for metrics in ({}, {"noise": lambda outputs, targets: (torch.rand(1).sum(), 1)}):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        optimizer = SGD(model.parameters(), 0.1)
        train(model, optimizer, epochs=1, validation=problem(1), metrics=metrics)
        results.append(vector(model))
    assert torch.equal(*results)


def test_clipping_limits_the_norm_of_all_gradients_together():
    inputs, targets = problem()
    for clip_norm in (None, 1e9, 0.01):
        model, optimizer = build(lr=1.0)
        before = vector(model)
        train(model, optimizer, (inputs * 30, targets), epochs=1, batch_size=N, clip_norm=clip_norm)
        moved = (vector(model) - before).norm().item()  # lr is 1: the norm of the gradient
        if clip_norm == 0.01:
            assert moved == pytest.approx(0.01, rel=1e-3)
        else:
            assert moved > 0.1


def test_gradients_that_nobody_uses_are_not_clipped_with():
    inputs, targets = problem()
    moved = []
    for frozen in (True, False):
        model, _ = build()
        model[0].requires_grad_(not frozen)
        before, optimizer = model[3].weight.detach().clone(), SGD(model[3].parameters(), 1.0)
        data = (inputs * 30, targets)
        train(model, optimizer, data, epochs=1, batch_size=N, clip_norm=0.01)
        moved.append(model[3].weight.detach() - before)
    assert torch.equal(*moved)


def scripted(losses):
    """Return a loss function whose validation values, in 5 batches an epoch, follow a script."""
    calls = itertools.count(-1)  # the first call is the rehearsal

    def loss(outputs, targets):
        if outputs.requires_grad:
            return cross_entropy(outputs, targets)
        return torch.tensor(losses[max(next(calls), 0) // 5])

    return loss


@pytest.mark.parametrize(
    ("losses", "patience", "epochs"),
    [
        ([5.0, 4, 3, 2, 1, 0], 1, 6),
        ([5.0, 6], 1, 2),
        ([5.0, 5], 1, 2),  # as small as before is not smaller
        ([5.0, 4, 6, 3, 7, 7], 2, 6),
        ([5.0, 4, 6, 5, 7], 3, 5),
    ],
)
def test_early_stopping_waits_as_long_as_its_patience(losses, patience, epochs):
    model, optimizer = build()
    history = train(
        model,
        optimizer,
        loss=scripted(losses),
        patience=patience,
        epochs=6,
        validation=problem(1),
    )
    assert history.validation_loss == losses[:epochs]
    assert len(history.train_loss) == epochs


def test_keep_best_gives_back_the_parameters_of_the_best_epoch():
    script = [5.0, 2, 1, 4, 1, 3]
    short, optimizer = build()
    train(short, optimizer, loss=scripted(script), epochs=3, validation=problem(1))
    best, optimizer = build()
    history = train(
        best, optimizer, loss=scripted(script), epochs=6, validation=problem(1), keep_best=True
    )
    last, optimizer = build()
    train(last, optimizer, loss=scripted(script), epochs=6, validation=problem(1))
    assert history.best_epoch == 3
    assert len(history.validation_loss) == 6
    assert torch.equal(vector(best), vector(short))
    assert not torch.equal(vector(best), vector(last))


def test_keep_best_restores_buffers_as_well():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))
    train(
        model,
        SGD(model.parameters(), 0.1),
        loss=scripted([1.0, 2, 3]),
        epochs=3,
        validation=problem(1),
        keep_best=True,
    )
    assert model[0].num_batches_tracked == 5


def test_a_progress_bar_appears_only_when_somebody_watches(monkeypatch, capsys):
    model, optimizer = build()
    train(model, optimizer)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    train(model, optimizer)
    assert "/20" in capsys.readouterr().err


def test_the_history_draws_its_losses():
    figure, (left, right) = pyplot.subplots(1, 2)
    History(train_loss=[3.0, 2, 1]).plot(left)
    History(train_loss=[3.0, 2, 1], validation_loss=[4.0, 2, 3]).plot(right)
    assert [line.get_ydata().tolist() for line in left.lines] == [[3, 2, 1]]
    assert [line.get_ydata().tolist() for line in right.lines] == [[3, 2, 1], [4, 2, 3]]
    assert right.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert (right.get_xlabel(), right.get_ylabel()) == ("epoch", "loss")
    assert [text.get_text() for text in right.get_legend().get_texts()] == [
        "training",
        "validation",
    ]
    pyplot.close(figure)


def test_the_best_epoch_needs_validation():
    with pytest.raises(ValueError, match="best_epoch needs a validation loss"):
        _ = History(train_loss=[1.0]).best_epoch


def test_fit_uses_the_gpu_if_there_is_one_and_brings_the_model_back():
    model, optimizer = build()
    devices = set()

    def loss(outputs, targets):
        devices.add(outputs.device.type)
        return cross_entropy(outputs, targets)

    train(model, optimizer, loss=loss, validation=problem(1), metrics={"a": accuracy})
    assert devices == {"cuda" if torch.cuda.is_available() else "cpu"}
    assert next(model.parameters()).device.type == "cpu"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"data": (torch.ones(0, 3), torch.ones(0))}, ValueError, "data must have as many inputs"),
        ({"data": (torch.ones(3, 3), torch.ones(2))}, ValueError, r"shapes \(3, 3\) and \(2,\)"),
        ({"data": torch.ones(3, 3)}, TypeError, "data must be a tuple of two tensors"),
        ({"data": (torch.ones(2, 3) * np.nan, torch.zeros(2).long())}, ValueError, "data must be"),
        ({"validation": (torch.ones(3, 3),)}, TypeError, "validation must be a tuple of two"),
        ({"model": "net"}, TypeError, "model must be a Module, got str"),
        ({"optimizer": SGD}, TypeError, "optimizer must be an Optimizer"),
        ({"optimizer": SGD(nn.Linear(1, 1).parameters())}, ValueError, "optimizer must be made wi"),
        (
            {"optimizer": SGD([*MODEL.parameters(), nn.Parameter(torch.ones(2))]), "model": MODEL},
            ValueError,
            "optimizer must be made with the parameters of model, got others",
        ),
        ({"loss": "mse"}, TypeError, "loss must be a function of outputs and targets, got 'mse'"),
        ({"metrics": {"a": accuracy}}, ValueError, "metrics, patience and keep_best need validati"),
        ({"patience": 2}, ValueError, "metrics, patience and keep_best need validation data"),
        ({"keep_best": True}, ValueError, "metrics, patience and keep_best need validation data"),
        ({"validation": problem(), "metrics": {"a": 0.5}}, TypeError, "a must be a function of"),
        ({"validation": problem(), "patience": 0}, ValueError, "patience must be 1 or more, got 0"),
        ({"epochs": 0}, ValueError, "epochs must be 1 or more, got 0"),
        ({"batch_size": 2.5}, TypeError, r"batch_size must be an integer, got 2\.5"),
        ({"clip_norm": 0}, ValueError, "clip_norm must lie between 0 and inf"),
        ({"seed": -3}, ValueError, "seed must be 0 or more, got -3"),
        (
            {"loss": lambda outputs, targets: outputs},
            TypeError,
            r"loss must give one number, gave a tensor of shape \(5, 2\) in epoch 1, step 1",
        ),
        (
            {"validation": problem(), "metrics": {"share": lambda outputs, targets: "half"}},
            TypeError,
            "share must give one number, gave str 'half' on the validation data before epoch 1",
        ),
        (
            {"validation": problem(), "metrics": {"share": lambda outputs, targets: np.nan}},
            ValueError,
            "share became nan on the validation data after epoch 1",
        ),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    model, optimizer = build()
    arguments = {"model": model, "optimizer": optimizer} | options
    with pytest.raises(error, match=message):
        train(arguments.pop("model"), arguments.pop("optimizer"), **arguments)


def test_a_loss_that_explodes_is_told_with_epoch_and_step():
    model = nn.Linear(3, 1)
    inputs = torch.ones(10, 3)
    with pytest.raises(
        ValueError, match=r"loss became (inf|nan) in epoch \d+, step [12]: is the l"
    ):
        fit(
            model,
            (inputs, torch.ones(10, 1)),
            loss=squared_error,
            optimizer=SGD(model.parameters(), 1e3),
            epochs=50,
            batch_size=5,
        )


def test_parameters_that_explode_in_the_last_step_are_told():
    model = nn.Linear(3, 1)
    with pytest.raises(ValueError, match="weight of model became NaN or infinite after epoch 1"):
        fit(
            model,
            (torch.full((2, 3), 1e15), torch.ones(2, 1)),
            loss=squared_error,
            optimizer=SGD(model.parameters(), 1e30),
            epochs=1,
        )


# --- sources of batches, steps, schedules, accumulation -------------------------------------------


def as_source(data, sizes, key=None):
    """Return a source that deals a pair of tensors into batches of the given sizes."""
    inputs, targets = data

    def source(generator):
        order = torch.randperm(len(inputs), generator=generator)
        for part in order.split(list(sizes)):
            yield {"x": inputs[part], "y": targets[part]}

    return source


def of_batch(model, batch):
    return cross_entropy(model(batch["x"]), batch["y"])


def summed(model, batch):
    return cross_entropy(model(batch["x"]), batch["y"], reduction="sum"), len(batch["y"])


def test_a_source_of_the_same_batches_gives_the_same_training_bit_for_bit():
    results = []
    for data, loss in ((problem(), cross_entropy), (as_source(problem(), [5] * 4 + [3]), of_batch)):
        model, optimizer = build()
        history = train(model, optimizer, data, loss=loss, seed=3)
        results.append((vector(model).tolist(), history.train_loss, history.step_loss))
    assert results[0] == results[1]
    assert len(history.step_loss) == 4 * 5
    assert history.train_loss[0] == pytest.approx(
        np.dot(history.step_loss[:5], [5, 5, 5, 5, 3]) / N, rel=1e-12
    )


@pytest.mark.parametrize(("accumulate", "sizes"), [(1, [N]), (2, [9, 14]), (5, [1, 2, 13, 4, 3])])
def test_sums_and_counts_accumulate_to_the_mean_over_everything(accumulate, sizes):
    inputs, targets = problem()
    targets[:4] = -100  # they do not count

    def counted(model, batch):
        loss = cross_entropy(model(batch["x"]), batch["y"], reduction="sum", ignore_index=-100)
        return loss, (batch["y"] != -100).sum()

    model, optimizer = build()
    model.double()[2].p = 0.0
    twin, twin_optimizer = build()
    twin.double()[2].p = 0.0
    source = as_source((inputs.double(), targets), sizes)
    history = train(
        model, optimizer, source, loss=counted, accumulate=accumulate, epochs=3, validation=source
    )
    expected = []
    for _ in range(3):
        twin_optimizer.zero_grad()
        value = cross_entropy(twin(inputs.double()), targets, ignore_index=-100)
        value.backward()
        twin_optimizer.step()
        expected.append(value.item())
    after = cross_entropy(twin(inputs.double()), targets, ignore_index=-100).item()
    assert history.step_loss == pytest.approx(expected, rel=1e-9)
    assert history.train_loss == pytest.approx(expected, rel=1e-9)
    assert history.validation_loss == pytest.approx([*expected[1:], after], rel=1e-9)
    assert torch.allclose(vector(model), vector(twin), rtol=1e-9, atol=1e-12)


def test_accumulated_pairs_are_one_large_batch():
    results = []
    for batch_size, accumulate in ((10, 1), (5, 2)):
        model, optimizer = build()
        model.double()[2].p = 0.0
        inputs, targets = problem()
        options = {"batch_size": batch_size, "accumulate": accumulate}
        train(model, optimizer, (inputs.double(), targets), **options)
        results.append(vector(model))
    assert torch.allclose(*results, rtol=1e-9, atol=1e-12)


def test_validation_of_a_source_is_the_same_every_time_and_its_metrics_add_up():
    seen = []

    def noisy(generator):
        seen.append(torch.rand(1, generator=generator).item())
        yield from as_source(problem(1), [20, 3])(generator)

    def right(model, batch):
        return (model(batch["x"]).argmax(1) == batch["y"]).sum(), len(batch["y"])

    def share(model, batch):
        return (model(batch["x"]).argmax(1) == batch["y"]).float().mean()

    model, optimizer = build()
    source = as_source(problem(), [20, 3])
    metrics = {"right": right, "share": share}
    history = train(
        model, optimizer, source, loss=summed, validation=noisy, metrics=metrics, epochs=3
    )
    assert len(set(seen)) == 1
    assert len(seen) == 4  # the rehearsal, three epochs
    x, y = problem(1)
    with torch.no_grad():
        assert history.metrics["right"][-1] == pytest.approx(accuracy(model(x), y).item())
        assert history.validation_loss[-1] == pytest.approx(cross_entropy(model(x), y).item())
    assert history.metrics["share"] == pytest.approx(history.metrics["right"])


def test_a_metric_of_a_pair_sees_all_outputs_or_adds_up():
    sizes = {"whole": [], "counted": []}

    def whole(outputs, targets):  # no mean over samples
        sizes["whole"].append(len(targets))
        return float((outputs.argmax(1) == targets).sum()) ** 2

    def counted(outputs, targets):
        sizes["counted"].append(len(targets))
        return (outputs.argmax(1) == targets).sum(), len(targets)

    model, optimizer = build()
    metrics = {"whole": whole, "counted": counted}
    history = train(model, optimizer, epochs=1, validation=problem(1), metrics=metrics)
    assert sizes == {"whole": [5, N], "counted": [5, 5, 5, 5, 5, 3]}
    assert history.metrics["whole"][0] == pytest.approx((N * history.metrics["counted"][0]) ** 2)


def test_steps_end_a_training_within_an_epoch():
    model, optimizer = build()
    history = train(model, optimizer, epochs=None, steps=7, validation=problem(1))
    assert len(history.step_loss) == 7
    assert len(history.train_loss) == len(history.validation_loss) == 2
    whole, optimizer = build()
    other = train(whole, optimizer, epochs=None, steps=10, validation=problem(1))
    assert other.step_loss[:7] == history.step_loss
    assert other.train_loss[0] == history.train_loss[0]
    assert len(other.train_loss) == 2
    again, optimizer = build()
    train(again, optimizer, epochs=2, validation=problem(1))
    assert torch.equal(vector(again), vector(whole))


def test_a_schedule_multiplies_the_rates_and_gives_them_back():
    rates = []

    class Watched(SGD):
        def step(self, closure=None):
            rates.append([group["lr"] for group in self.param_groups])
            return super().step(closure)

    model, _ = build()
    groups = [{"params": model[0].parameters()}, {"params": model[3].parameters(), "lr": 0.25}]
    optimizer = Watched(groups, 0.5)
    train(model, optimizer, epochs=2, schedule=lambda step: step / 10)
    assert rates == [[0.5 * step / 10, 0.25 * step / 10] for step in range(10)]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]


# --- what a caller's model, loss and optimiser do -------------------------------------------------


class Pairwise(nn.Module):
    """Returns a tuple, as recurrent networks do."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x), x


def test_a_model_that_returns_a_tuple_is_trained_if_the_loss_takes_it():
    torch.manual_seed(0)
    model = Pairwise()

    def loss(outputs, targets):
        return cross_entropy(outputs[0], targets)

    def right(outputs, targets):
        return accuracy(outputs[0], targets) * len(targets), len(targets)

    options = {"loss": loss, "validation": problem(1), "metrics": {"right": right}, "epochs": 20}
    history = train(model, SGD(model.parameters(), 0.5), **options)
    assert history.metrics["right"][-1] > 0.8
    options["metrics"] = {"right": lambda outputs, targets: accuracy(outputs[0], targets)}
    with pytest.raises(
        TypeError, match=r"right must give \(sum, count\), since the outputs of mod"
    ):
        train(model, SGD(model.parameters(), 0.5), **options)


def refused(loss, *, data=None, model=None, kind=SGD, **options):
    """Return the error of a training; nothing must have been trained."""
    torch.manual_seed(0)
    model = model or nn.Linear(3, 2)
    before, optimizer = vector(model), kind(model.parameters(), lr=0.5)
    with pytest.raises((TypeError, ValueError)) as caught:
        train(model, optimizer, data, loss=loss, **options)
    assert torch.equal(vector(model), before)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize("validation", [None, problem(1)])
@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda o, t: cross_entropy(o, t).item(), "TypeError: loss must give a tensor, gave float"),
        (
            lambda o, t: cross_entropy(o, t).detach(),
            "ValueError: loss must follow from the parameters of model, gave a tensor without a gr",
        ),
        (lambda o, t: None, "TypeError: loss must give one number, gave NoneType None"),
        (
            lambda o, t: cross_entropy(o, t, reduction="none"),
            "TypeError: loss must give one number, gave a tensor of shape (5,)",
        ),
        (
            lambda o, t: (o.sum(), 1, 2),
            "TypeError: loss must give one number or (sum, count), gave",
        ),
        (lambda o, t: (o.sum(), -1), "ValueError: the count of loss must be 0 or more and finite"),
        (
            lambda o, t: (o.sum(), "5"),
            "TypeError: the count of loss must give one number, gave str",
        ),
        (
            lambda o, t: torch.ones(1, requires_grad=True).sum(),
            "ValueError: loss must follow from the parameters of optimizer",
        ),
    ],
)
def test_losses_that_cannot_be_followed_are_named_before_anything_is_trained(
    loss, message, validation
):
    assert refused(loss, validation=validation).startswith(message)


def test_a_loss_that_counts_nothing_is_named():
    message = refused(lambda o, t: (o.sum(), 0))
    assert message == "ValueError: loss must count something, counted 0 in epoch 1, step 1"


def test_a_tuple_that_the_loss_does_not_take_is_named():
    for loss in (cross_entropy, squared_error):
        message = refused(loss, model=Pairwise())
        assert message.startswith("TypeError: loss must take what model returns, a tuple, but: ")


def test_an_optimiser_that_needs_a_closure_is_named():
    message = refused(cross_entropy, kind=torch.optim.LBFGS)
    assert message == "ValueError: optimizer must make a step without a closure, LBFGS needs one"


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (None, "TypeError: data must return batches, returned None"),
        ([], "ValueError: data must make one batch or more, made none in epoch 1"),
        (
            [torch.ones(2)],
            "TypeError: data must make batches that are dicts of tensors, got tensor",
        ),
        (
            [{"x": [1, 2]}],
            "TypeError: data must make batches that are dicts of tensors, got {'x': [1, 2]}",
        ),
        ([{}], "ValueError: data must make batches of tensors with the same first axis"),
        ([{"x": torch.ones(0, 3)}], "ValueError: data must make batches of tensors with the same"),
        (
            [{"x": torch.ones(2, 3), "y": torch.ones(3)}],
            "ValueError: data must make batches of tensors with the same first axis, 1 or more, "
            "got {'x': (2, 3), 'y': (3,)}",
        ),
    ],
)
def test_sources_that_make_no_batches_are_named(batches, message):
    assert refused(of_batch, data=lambda generator: batches).startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": None}, "ValueError: give epochs or steps, one of them, got None and None"),
        ({"steps": 3}, "ValueError: give epochs or steps, one of them, got 4 and 3"),
        ({"epochs": None, "steps": 0}, "ValueError: steps must be 1 or more, got 0"),
        ({"accumulate": 0}, "ValueError: accumulate must be 1 or more, got 0"),
        (
            {"validation": problem(), "metrics": {"loss": accuracy}},
            "ValueError: metrics must have names other than 'loss', got ['loss']",
        ),
        (
            {"validation": problem(), "metrics": [accuracy]},
            "TypeError: metrics must be a Mapping, got list",
        ),
        ({"keep_best": 1, "validation": problem()}, "TypeError: keep_best must be True or False"),
        ({"schedule": 0.5}, "TypeError: schedule must be a function of the step, got 0.5"),
        ({"schedule": lambda step: -1.0}, "ValueError: schedule must give 0 or more and finite, g"),
        ({"schedule": lambda step: "low"}, "TypeError: schedule must give one number, gave str"),
        ({"checkpoint": ""}, "ValueError: checkpoint must be the path of a folder, got ''"),
        ({"checkpoint": 3}, "TypeError: checkpoint must be the path of a folder, got 3"),
        ({"checkpoint": __file__}, "ValueError: checkpoint must be the path of a folder, got '/"),
        ({"validation": as_source(problem(), [N])}, "TypeError: validation must be a pair of ten"),
    ],
)
def test_wrong_settings_of_a_training_are_named(options, message):
    assert refused(cross_entropy, **options).startswith(message)


@pytest.mark.parametrize(("n", "batch_sizes"), [(33, [33]), (34, [32, 2]), (65, [32, 33])])
def test_a_last_batch_of_one_sample_does_not_break_batch_norm(n, batch_sizes):
    torch.manual_seed(0)
    x = torch.randn(n, 3)
    for layers, expected in (
        ([nn.BatchNorm1d(3)], batch_sizes),
        ([], [32] * (n // 32) + [n % 32]),
    ):
        model, seen = nn.Sequential(*layers, nn.Linear(3, 2)), []

        def loss(outputs, targets, seen=seen):
            seen.append(len(outputs))
            return cross_entropy(outputs, targets)

        data = x, (x[:, 0] > 0).long()
        train(model, SGD(model.parameters(), 0.1), data, loss=loss, batch_size=32, epochs=1)
        assert seen == expected


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_sparse_gradients_move_as_dense_ones(momentum):
    ids = torch.randint(11, (N, 4), generator=torch.Generator().manual_seed(0))
    results = []
    for kind, sparse in ((SGD, True), (SGD, False), (torch.optim.SGD, True)):
        torch.manual_seed(0)
        model = nn.Sequential(nn.EmbeddingBag(11, 5, sparse=sparse), nn.Linear(5, 2))
        optimizer = kind(model.parameters(), lr=0.5, momentum=momentum)
        train(model, optimizer, (ids, problem()[1]), accumulate=2)
        results.append(vector(model))
    assert torch.allclose(results[0], results[1], atol=1e-6)
    assert torch.allclose(results[0], results[2], atol=1e-6)


def test_where_sparse_gradients_cannot_be_used_they_are_named():
    ids = torch.randint(11, (N, 4), generator=torch.Generator().manual_seed(0))
    for kind in (Adam, AdamW):
        model = nn.Sequential(nn.EmbeddingBag(11, 2, sparse=True))
        message = refused(cross_entropy, data=(ids, problem()[1]), model=model, kind=kind)
        assert message.startswith(f"TypeError: {kind.__name__} needs dense gradients, got a sparse")
    model = nn.Sequential(nn.EmbeddingBag(11, 2, sparse=True))
    message = refused(cross_entropy, data=(ids, problem()[1]), model=model, clip_norm=1.0)
    assert message.startswith("ValueError: clip_norm needs dense gradients")


def test_optimisers_refuse_options_that_they_do_not_have():
    weight = nn.Parameter(torch.ones(2))
    for kind, options in (
        (Adam, {"learning_rate": 0.5}),
        (Adam, {"weight_decay": 0.5}),
        (AdamW, {"nonsense": 3}),
        (SGD, {"nesterov": True}),
    ):
        with pytest.raises(TypeError, match="unexpected keyword"):
            kind([weight], **options)
    for kind, options in ((Adam, {"weight_decay": 0.5}), (SGD, {"betas": (0.9, 0.99)})):
        with pytest.raises(TypeError, match=rf"{kind.__name__} knows no '{next(iter(options))}'"):
            kind([{"params": [weight], **options}])
    with pytest.raises(TypeError, match=r"betas must be two numbers, got 0\.9"):
        Adam([weight], betas=0.9)
    groups = [{"params": [weight], "weight_decay": 0.0}]
    assert AdamW(groups).param_groups[0]["weight_decay"] == 0.0


# --- checkpoints ---------------------------------------------------------------------------------

KINDS = [
    (SGD, {"momentum": 0.9}),
    (Adam, {}),
    (AdamW, {}),
    (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    (torch.optim.AdamW, {"amsgrad": True}),
    (torch.optim.RMSprop, {}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path, kind, options):
    settings = {"validation": problem(1), "metrics": {"accuracy": accuracy}, "keep_best": True}
    whole, optimizer = build(kind=kind, lr=0.05, **options)
    expected = train(whole, optimizer, epochs=9, **settings)
    for epochs in (2, 3, 9):
        model, optimizer = build(seed=epochs, kind=kind, lr=0.05, **options)  # other weights
        if epochs == 2:
            model, optimizer = build(kind=kind, lr=0.05, **options)
        history = train(model, optimizer, epochs=epochs, checkpoint=tmp_path, **settings)
    assert torch.equal(vector(model), vector(whole))
    assert history.train_loss == expected.train_loss
    assert history.validation_loss == expected.validation_loss
    assert history.metrics == expected.metrics


@pytest.mark.parametrize("data", ["pair", "source"])
def test_a_training_that_ended_within_an_epoch_goes_on_bit_for_bit(tmp_path, data):
    source = as_source(problem(1), [9, 14])
    settings = {"validation": problem(1), "keep_best": True, "accumulate": 2}
    if data == "source":
        settings |= {"data": as_source(problem(), [3] * 7 + [2]), "loss": summed}
        settings["validation"] = source
    settings |= {"schedule": lambda step: 0.9**step, "epochs": None}
    whole, optimizer = build(kind=Adam, lr=0.05)
    expected = train(whole, optimizer, steps=11, **settings)
    for steps in (1, 2, 2, 5, 8, 11):
        model, optimizer = build(seed=steps, kind=Adam, lr=0.05)  # other weights
        if steps == 1:
            model, optimizer = build(kind=Adam, lr=0.05)
        history = train(model, optimizer, steps=steps, checkpoint=tmp_path, **settings)
        assert len(history.step_loss) == steps
    assert torch.equal(vector(model), vector(whole))
    assert {**vars(history), "seconds": 0} == {**vars(expected), "seconds": 0}
    with pytest.raises(ValueError, match="steps must be 11 or more, as in the checkpoint, got 9"):
        train(model, optimizer, steps=9, checkpoint=tmp_path, **settings)


def test_the_seconds_of_an_epoch_that_was_cut_are_kept(tmp_path):
    model, optimizer = build()
    history = train(model, optimizer, checkpoint=tmp_path, epochs=None, steps=2)
    kept = checkpoints.read(tmp_path)["notes"]["history"]["seconds"]
    assert 0 < kept <= history.seconds


def test_a_source_of_other_batches_does_not_go_on(tmp_path):
    for data in (as_source(problem(), [20, 3]), as_source(problem(5), [20, 3])):
        model, optimizer = build()
        if data is not None and (tmp_path / "checkpoint.json").exists():
            with pytest.raises(ValueError, match="belongs to another training: data was"):
                train(model, optimizer, data, loss=summed, checkpoint=tmp_path)
        else:
            train(model, optimizer, data, loss=summed, checkpoint=tmp_path)


def test_files_of_others_in_the_folder_of_a_checkpoint_stay(tmp_path):
    for name in ("model.safetensors", "weights.safetensors.part", "notes.txt"):
        (tmp_path / name).write_text("a reader's own")
    for epochs in (1, 3):
        model, optimizer = build()
        train(model, optimizer, epochs=epochs, checkpoint=tmp_path)
    for name in ("model.safetensors", "weights.safetensors.part", "notes.txt"):
        assert (tmp_path / name).read_text() == "a reader's own"
    assert len(list(tmp_path.iterdir())) == 5


def test_a_finished_training_is_not_done_again(tmp_path):
    settings = {"validation": problem(1), "patience": 1, "checkpoint": tmp_path, "epochs": 6}
    model, optimizer = build()
    first = train(model, optimizer, loss=scripted([3.0, 4]), **settings)
    again, optimizer = build(seed=1)
    second = train(again, optimizer, loss=scripted([9.0]), **settings)
    assert vars(first) == vars(second)
    assert torch.equal(vector(model), vector(again))


def test_resume_false_begins_anew(tmp_path):
    model, optimizer = build()
    train(model, optimizer, checkpoint=tmp_path, epochs=3)
    model, optimizer = build(seed=1)
    history = train(model, optimizer, checkpoint=tmp_path, epochs=2, resume=False)
    alone, optimizer = build(seed=1)
    train(alone, optimizer, epochs=2)
    assert len(history.train_loss) == 2
    assert torch.equal(vector(model), vector(alone))


def test_the_rates_of_a_schedule_do_not_outlive_it(tmp_path):
    model, optimizer = build()
    train(model, optimizer, checkpoint=tmp_path, epochs=1, schedule=lambda step: 0.0)
    before = vector(model)
    train(model, optimizer, checkpoint=tmp_path, epochs=2)
    alone, optimizer = build()
    train(alone, optimizer, epochs=2, schedule=lambda step: float(step >= 5))
    assert not torch.equal(vector(model), before)
    assert torch.equal(vector(model), vector(alone))


@pytest.mark.parametrize("state", [{"of": "somebody else"}, [1, 2]])
def test_a_checkpoint_that_is_none_of_a_training_is_refused(tmp_path, state):
    checkpoints.write(tmp_path, state)
    model, optimizer = build()
    with pytest.raises(ValueError, match=r"the checkpoint in .* must be one of a training"):
        train(model, optimizer, checkpoint=tmp_path)
    assert checkpoints.read(tmp_path) == state


def test_it_is_the_validation_source_that_is_named(tmp_path):
    model, optimizer = build()
    batch = dict(zip(("inputs", "targets"), problem(), strict=True))
    options = {"loss": lambda model, batch: cross_entropy(model(batch["inputs"]), batch["targets"])}
    options |= {"validation": lambda generator: [3], "checkpoint": tmp_path}
    with pytest.raises(TypeError, match="validation must make batches that are dicts of tensors"):
        train(model, optimizer, lambda generator: [batch], **options)


def test_fewer_epochs_than_done_are_refused(tmp_path):
    model, optimizer = build()
    train(model, optimizer, checkpoint=tmp_path, epochs=3)
    model, optimizer = build()
    with pytest.raises(ValueError, match="epochs must be 3 or more, as in the checkpoint, got 2"):
        train(model, optimizer, checkpoint=tmp_path, epochs=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 6}, "belongs to another training: batch_size was 5, now it is 6"),
        ({"clip_norm": 1.0}, "clip_norm was None, now it is 1.0"),
        ({"seed": 2}, "seed was 0, now it is 2"),
        ({"data": problem(5)}, "data was"),
        ({"validation": problem(5)}, "validation was None"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, change, message):
    model, optimizer = build()
    train(model, optimizer, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=message):
        train(model, optimizer, checkpoint=tmp_path, **change)


@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_a_damaged_checkpoint_is_refused(tmp_path, ending):
    model, optimizer = build()
    train(model, optimizer, checkpoint=tmp_path)
    [file] = tmp_path.glob(f"*.{ending}")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(
        ValueError, match=rf"damaged checkpoint .*{ending} was truncated or changed"
    ):
        train(model, optimizer, checkpoint=tmp_path)


# One process imports everything once and forks a training again and again. Each is killed at a
# random moment by SIGKILL, which no program can catch; the next one goes on from its checkpoint.
KILLING = """
import os, random, signal, sys, time, torch
from pathlib import Path
from torch import nn
from companion.basics.training import AdamW, fit
torch.set_num_threads(1)
folder, kills, chance = Path(sys.argv[1]), 0, random.Random(int(sys.argv[2]))
x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
y = (x[:, 0] > x[:, 1]).long()

def run(checkpoint):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Dropout(0.3), nn.Linear(5, 2))
    fit(model, (x, y), loss=nn.functional.cross_entropy, optimizer=AdamW(model.parameters()),
        epochs=15, batch_size=7, validation=(x, y), keep_best=True, checkpoint=checkpoint)
    values = [value.numpy().tobytes() for value in model.state_dict().values()]
    return b"".join(values).hex()

expected, start = run(None), time.perf_counter()
run(folder / "measured")
length = time.perf_counter() - start
number = 0
while kills < 20:
    number += 1
    while True:
        child = os.fork()
        if child == 0:
            (folder / f"{number}.result").write_text(run(folder / str(number)))
            os._exit(0)
        if chance.random() < 0.9:
            time.sleep(chance.uniform(0, length / 3))
            os.kill(child, signal.SIGKILL)
        if os.waitpid(child, 0)[1] == 0:
            break
        kills += 1
    assert (folder / f"{number}.result").read_text() == expected
print(kills, number, sum(file.suffix != ".part" for file in folder.glob("*/*")))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.parametrize("seed", [1])
def test_a_training_killed_twenty_times_ends_with_the_same_parameters(tmp_path, seed):
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(KILLING), str(tmp_path), str(seed)],
        capture_output=True,
        text=True,
        timeout=600,  # on a busy machine
        check=False,
    )
    assert result.returncode == 0, result.stderr
    kills, runs, files = map(int, result.stdout.split())
    assert kills >= 20
    assert files == 2 * (runs + 1)  # with the measured one; nothing old is left over


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: SGD([{"params": p, "lr": -0.5}]), r"lr must lie between 0 and inf.*got -0\.5"),
        (lambda p: SGD([{"params": p, "momentum": 1.5}]), r"momentum must be .*got 1\.5"),
        (lambda p: Adam([{"params": p, "betas": 5}]), r"betas must be two numbers, got 5"),
        (lambda p: AdamW([{"params": p, "eps": "x"}]), r"eps must be a number, got 'x'"),
    ],
)
def test_the_settings_of_each_group_are_checked(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make([nn.Parameter(torch.zeros(2))])


@pytest.mark.parametrize("labels", [["a", float("nan"), "a", "b"], [0, "0", 1, "1"]])
def test_classes_to_stratify_by_are_of_one_kind(labels):
    with pytest.raises(TypeError, match="stratify must hold class labels"):
        split(4, (0.5, 0.5), seed=0, stratify=labels)
