"""Tests of companion.runs.processes, and of `fit` in two processes.

This file is also the program that torchrun runs: each process writes down what came of its
trainings, and the tests compare it with trainings in one process.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import distributed, nn

from companion import progress
from companion.basics.training import SGD, AdamW, fit
from companion.runs import checkpoints, processes
from companion.runs.processes import Processes

RANK = int(os.environ.get("RANK", 0))
cross_entropy = nn.functional.cross_entropy


def problem(n, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 3))
    return torch.tensor(inputs), torch.tensor(inputs[:, 0] * inputs[:, 1] > 0).long()


def accuracy(outputs, targets):
    return (outputs.argmax(1) == targets).double().mean()


def train(*, n=23, batch_size, layers=list, kind=AdamW, lr=0.05, seed=RANK, **options):
    """Train a network whose first parameters differ from process to process; tell the outcome."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 7), nn.Tanh(), *layers(), nn.Linear(7, 2)).double()
    options = {"loss": cross_entropy} | options
    if "steps" not in options:
        options = {"epochs": 5} | options
    optimizer = kind(model.parameters(), lr)
    data = options.pop("data", problem(n))
    history = fit(model, data, optimizer=optimizer, batch_size=batch_size, **options)
    values = [value.double().flatten() for value in model.state_dict().values()]
    return {
        "train": history.train_loss,
        "validation": history.validation_loss,
        "metrics": history.metrics,
        "names": list(model.state_dict()),
        "parameters": torch.cat(values).tolist(),
    }


N_WORDS, LENGTHS = 17, (3, 9, 1, 1, 5, 2, 8)


class Speller(nn.Module):
    """Guesses the next of some words, of which each row has another number."""

    def __init__(self):
        super().__init__()
        self.words, self.scores = nn.Embedding(N_WORDS, 5), nn.Linear(5, N_WORDS)

    def forward(self, ids):
        return self.scores(self.words(ids).cumsum(dim=1))


def sentences(generator):
    """Make 3 batches of 5, 7 and 1 rows of different lengths, 0 for padding."""
    for n_rows in (5, 7, 1):
        ids = torch.randint(1, N_WORDS, (n_rows, 10), generator=generator)
        lengths = torch.tensor(LENGTHS)[torch.randint(7, (n_rows,), generator=generator)]
        yield {"ids": ids * (torch.arange(10) <= lengths[:, None])}


def of_tokens(model, batch):
    """Return the sum over all tokens, and their number."""
    logits, right = model(batch["ids"][:, :-1]), batch["ids"][:, 1:]
    flat = logits.flatten(0, 1), right.flatten()
    return cross_entropy(*flat, ignore_index=0, reduction="sum"), (right != 0).sum()


def spell(seed=RANK, **options):
    """Train on token means, from a source of batches; tell the outcome."""
    torch.manual_seed(seed)
    model = Speller().double()
    optimizer = torch.optim.AdamW(model.parameters(), 0.03)
    options = {"epochs": 4, "validation": sentences, "loss": of_tokens} | options
    history = fit(model, sentences, optimizer=optimizer, **options)
    parameters = nn.utils.parameters_to_vector(model.parameters()).tolist()
    return {
        "steps": history.step_loss,
        "validation": history.validation_loss,
        "parameters": parameters,
    }


# Two processes with batches of 5 must do what one process does with batches of 10. Their last
# batches have 3 samples (2 + 1), 1 (1 + 0) and 10.
AS_ONE = {
    "a smaller last batch": {"kind": lambda parameters, lr: SGD(parameters, lr, momentum=0.9)},
    "a last batch of one sample": {"n": 21},
    "one sample in all": {"n": 1},
    "batches of one size": {"n": 20},
    "accumulation": {"kind": SGD, "accumulate": 2},
    "clipping": {"kind": SGD, "lr": 1.0, "clip_norm": 0.05},
    "early stopping": {
        "lr": 0.1,
        "epochs": 40,
        "validation": problem(9, seed=1),
        "metrics": {"accuracy": accuracy},
        "patience": 3,
        "keep_best": True,
    },
}
DROPOUT = {"layers": lambda: [nn.Dropout(0.4)], "batch_size": 5}


def wide():
    return [nn.Linear(7, 41), nn.Tanh(), nn.Dropout(0.4), nn.Linear(41, 7)]


def broken(loss_of, when):
    """Return a loss that becomes something else in process 1, at a certain call."""
    calls = []

    def loss(outputs, targets):
        calls.append(0)
        value = cross_entropy(outputs, targets)
        return loss_of(value) if RANK == 1 and len(calls) == when else value

    return loss


def error(**options):
    with pytest.raises(ValueError, match=r"\w") as caught:
        train(batch_size=5, **options)
    return str(caught.value)


def write_late(folder, state, write=checkpoints.write):
    """Write a checkpoint in process 0 alone, and so late that process 1 must wait for it."""
    assert RANK == 0
    time.sleep(0.02)
    write(folder, state)


def work(folder):
    """Train in this process, together with the other one; write down the outcomes."""
    checkpoints.write = write_late
    found = {name: train(batch_size=5, **options) for name, options in AS_ONE.items()}
    found["group"] = distributed.is_initialized() or sys.excepthook is not sys.__excepthook__
    found["dropout"] = train(**DROPOUT, seed=3)
    found["generator"] = torch.rand(2).tolist()

    # The random numbers inside, the mean of a metric, and the buffers.
    drawn = []

    def loss(outputs, targets):
        drawn.append(torch.rand(1).item())
        return cross_entropy(outputs, targets)

    found["metric"] = train(
        batch_size=4,
        layers=lambda: [nn.BatchNorm1d(7)],
        loss=loss,
        validation=problem(9),
        metrics={"rank": lambda outputs, targets: RANK},
    )
    found["drawn"] = drawn[1:]  # without the rehearsal, after which all is put back

    found["tokens"] = spell()
    found["accumulated tokens"] = spell(accumulate=2)
    train(**DROPOUT, seed=3, steps=8, checkpoint=folder / "steps")  # within the third epoch
    found["steps"] = train(**DROPOUT, seed=4, checkpoint=folder / "steps")
    for seed, epochs in ((3, 2), (4, 5)):  # the second begins with other parameters
        found["resumed"] = train(**DROPOUT, seed=seed, epochs=epochs, checkpoint=folder / "short")
    found["written"] = checkpoints.read(folder / "short")["notes"]["history"]["train_loss"]

    found["errors"] = {
        "nan": error(loss=broken(lambda value: value * torch.nan, 5)),
        "infinite": error(loss=broken(lambda value: value / 0, 1), n=21),
        "data": error(data=problem(23, seed=RANK)),
        "length": error(n=23 + RANK),
        "lr": error(lr=0.1 + RANK),
        "folder": error(checkpoint=folder / ["short", "nowhere"][RANK]),
        "none": error(checkpoint=[None, folder / "none"][RANK]),
    }

    distributed.init_process_group("gloo")
    found["in a group"] = train(batch_size=5, **AS_ONE["a last batch of one sample"])
    found["still in it"] = distributed.is_initialized()
    distributed.destroy_process_group()
    (folder / f"{RANK}.json").write_text(json.dumps(found))


def work_killed(folder):
    """Train, but process 1 is killed in the third epoch; torchrun starts all a second time."""

    def kill(value):
        os.kill(os.getpid(), signal.SIGKILL)

    options = {"layers": wide, "batch_size": 3, "seed": 0}
    again = os.environ["TORCHELASTIC_RESTART_COUNT"] != "0"
    loss = cross_entropy if again else broken(kill, 8)
    found = {"resumed": train(**options, loss=loss, checkpoint=folder / "killed")}
    found["whole"] = train(**options)
    (folder / f"killed{RANK}.json").write_text(json.dumps(found))


def launch(folder, what, *options):
    """Run this file under torchrun, in processes that see nothing but this machine."""
    root = Path(processes.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    loopback = {"lo", "lo0"} & {name for _, name in socket.if_nameindex()}
    if loopback:
        environment["GLOO_SOCKET_IFNAME"] = loopback.pop()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--local_addr", "127.0.0.1", *options]
    result = subprocess.run(
        [*command, __file__, what, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    return result


needs_gloo = pytest.mark.skipif(
    not (distributed.is_available() and distributed.is_gloo_available()), reason="needs gloo"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def both(folder):
    launch(folder, "work", "--nproc_per_node", "2")
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


# --- two processes -------------------------------------------------------------------------------


@needs_gloo
@pytest.mark.parametrize("name", AS_ONE)
def test_two_processes_learn_what_one_learns_with_the_double_batch(both, name):
    one = train(batch_size=10, **AS_ONE[name])
    assert both[0][name] == both[1][name]
    for key in ("train", "validation", "parameters"):
        assert both[0][name][key] == pytest.approx(one[key], rel=1e-9, abs=1e-12)
    assert both[0][name]["metrics"] == one["metrics"]
    assert both[0][name]["names"] == one["names"]
    assert one["train"][-1] < one["train"][0]


@needs_gloo
@pytest.mark.parametrize(("name", "accumulate"), [("tokens", 1), ("accumulated tokens", 2)])
def test_a_mean_over_tokens_is_exact_for_any_split(both, name, accumulate):
    one = spell(seed=0, accumulate=accumulate)
    assert both[0][name] == both[1][name]
    for key, values in one.items():
        assert both[0][name][key] == pytest.approx(values, rel=1e-9, abs=1e-12)
    assert len(one["steps"]) == 4 * -(-3 // accumulate)
    assert one["steps"][-1] < one["steps"][0]


@needs_gloo
def test_a_training_that_ended_within_an_epoch_goes_on_bit_for_bit(both):
    for process in both:
        assert process["steps"] == process["dropout"]


@needs_gloo
def test_the_early_stopping_did_stop_early(both):
    losses = both[0]["early stopping"]["validation"]
    assert np.argmin(losses) + 4 == len(losses) < 40


@needs_gloo
def test_the_group_is_left_as_it_was(both):
    for process in both:
        assert process["group"] is False
        assert process["still in it"] is True
        assert process["in a group"] == process["a last batch of one sample"]


@needs_gloo
def test_random_numbers_differ_inside_and_are_left_alone_outside(both):
    torch.manual_seed(3)
    nn.Sequential(nn.Linear(3, 7), nn.Linear(7, 2)).double()
    assert both[0]["generator"] == both[1]["generator"] == torch.rand(2).tolist()
    assert len(set(both[0]["drawn"] + both[1]["drawn"])) == 2 * len(both[0]["drawn"])
    assert both[0]["dropout"] == both[1]["dropout"]


@needs_gloo
def test_means_and_buffers_are_the_same_in_both(both):
    assert both[0]["metric"] == both[1]["metric"]
    assert both[0]["metric"]["metrics"] == {"rank": [0.5] * 5}
    assert "2.running_mean" in both[0]["metric"]["names"]


@needs_gloo
def test_an_interrupted_training_goes_on_bit_for_bit(both, folder):
    for process in both:
        assert process["resumed"] == process["dropout"]
        assert process["written"] == process["dropout"]["train"]
    with pytest.raises(ValueError, match="another training: processes was 2, now it is 1"):
        train(**DROPOUT, checkpoint=folder / "short")


@needs_gloo
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nan", "loss became nan in epoch 2, step 2: is the learning rate too large"),
        ("infinite", "loss became inf in epoch 1, step 1"),
        ("data", "data must be the same in all processes, but it differs"),
        ("length", "data must be the same in all processes"),
        ("lr", "optimizer must be the same in all processes"),
        ("folder", "checkpoint must be a folder that all processes share, but 1 of 2 find"),
        ("none", "checkpoint must be the same in all processes"),
    ],
)
def test_errors_come_in_both_processes(both, name, message):
    for process in both:
        assert process["errors"][name].startswith(message)


@needs_gloo
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_after_a_kill_three_processes_go_on_bit_for_bit(folder):
    launch(folder, "work_killed", "--nproc_per_node", "3", "--max-restarts", "1")
    for rank in range(3):
        found = json.loads((folder / f"killed{rank}.json").read_text())
        assert found["resumed"] == found["whole"]
    assert len(list((folder / "killed").iterdir())) == 2


# --- one process, seen alone ---------------------------------------------------------------------


def seen(rank, size):
    process = Processes("cpu")
    process.rank, process.size = rank, size
    return process


@given(st.integers(1, 60), st.integers(1, 9))
def test_shares_are_a_batch_without_gap_or_overlap(n, size):
    batch = torch.randperm(n, generator=torch.Generator().manual_seed(n))
    shares = [seen(rank, size).share(batch) for rank in range(size)]
    assert torch.equal(torch.cat(shares), batch)
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1
    assert lengths[0] == max(lengths)  # process 0 always has something


def test_one_process_joins_nobody_and_sends_nothing():
    process = Processes()
    assert (process.rank, process.size) == (0, 1)
    model, values = nn.Linear(2, 1), torch.arange(3)
    with process.joined():
        assert not distributed.is_initialized()
        before = nn.utils.parameters_to_vector(model.parameters()).tolist()
        process.spread(list(model.parameters()))
        assert nn.utils.parameters_to_vector(model.parameters()).tolist() == before
        assert process.mean_gradient(model, 0.5, 3) == (0.5, 3)
        assert process.mean(0.25) == 0.25
        assert torch.equal(process.sum(values), values)
        assert torch.equal(process.gather(values), values[None])
        process.wait()


@pytest.mark.parametrize(
    ("n_gpus", "device", "expected"),
    [
        (0, None, "cpu"),
        (1, None, "cpu"),  # two processes here: not one for each
        (2, None, "cuda:1"),
        (4, None, "cuda:1"),
        (2, "cuda", "cuda:1"),
        (1, "cuda", "cuda:0"),
        (2, "cuda:0", "cuda:0"),
        (2, "cpu", "cpu"),
    ],
)
def test_each_process_has_its_own_gpu_or_none_has_one(monkeypatch, n_gpus, device, expected):
    for name, value in {"WORLD_SIZE": 6, "RANK": 3, "LOCAL_WORLD_SIZE": 2, "LOCAL_RANK": 1}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    process = Processes(device)
    assert (process.rank, process.size) == (3, 6)
    assert process.device == torch.device(expected)


@pytest.mark.parametrize(("n_gpus", "device"), [(0, "cpu"), (1, "cuda"), (3, "cuda")])
def test_one_process_has_the_first_gpu_if_there_is_one(monkeypatch, n_gpus, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    assert Processes().device == torch.device(device)


def test_the_first_process_alone_shows_its_progress(monkeypatch):
    monkeypatch.delenv("COMPANION_UNWATCHED", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("RANK", "0")
    assert progress.is_watched()
    monkeypatch.setenv("RANK", "1")
    assert not progress.is_watched()


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
