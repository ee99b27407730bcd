"""Tests of companion.runs.run: what a run depends on is kept, put back and checked."""

import math

import pytest
import torch
from torch import nn

from companion.runs.batches import fingerprint
from companion.runs.run import Run

INPUTS = torch.arange(10.0).reshape(5, 2)
TARGETS = torch.tensor([0, 1, 0, 1, 1])


def build(folder=None, *, lr=0.1, momentum=0.9, width=3, seed=0, **settings):
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Linear(2, width), nn.BatchNorm1d(width), nn.Dropout(), nn.Linear(width, 2)
    )
    run = Run(model, torch.optim.SGD(model.parameters(), lr, momentum), folder, seed=seed)
    run.settings |= settings
    return run


def step(run):
    run.model.train()
    batch = torch.randperm(5, generator=run.order)[:3]
    [(own, rows)] = run.shares([{"x": INPUTS[batch], "y": TARGETS[batch]}])
    assert rows == 3
    run.optimizer.zero_grad()
    nn.functional.cross_entropy(run.model(own["x"]), own["y"]).backward()
    run.optimizer.step()


def test_after_load_the_next_steps_are_the_same_bit_for_bit(tmp_path):
    with build(tmp_path) as run:
        for _ in range(3):
            step(run)
        run.save({"epoch": 3})
        for _ in range(3):
            step(run)
    other = build(tmp_path)
    with other:
        assert other.load() == {"epoch": 3}
        for _ in range(3):
            step(other)
    assert fingerprint(run.model.state_dict().values()) == fingerprint(
        other.model.state_dict().values()
    )


def test_the_generator_of_pytorch_is_left_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    run = build()
    torch.manual_seed(3)
    with run:
        step(run)
    assert torch.equal(torch.rand(4), expected)


def test_random_numbers_inside_follow_from_the_seed():
    drawn = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        run = build(seed=seed)
        torch.manual_seed(noise)
        with run:
            drawn.append((torch.rand(3).tolist(), torch.randperm(9, generator=run.order).tolist()))
    assert drawn[0] == drawn[1] != drawn[2]


def test_without_a_folder_nothing_is_written_or_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = build()
    with run:
        run.save({})
        assert not run.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.2}, r"optimizer was .*'lr': 0\.1.*, now it is .*'lr': 0\.2"),
        ({"width": 4}, r"model was .*\('0\.weight', 3, 2\).*now it is .*\('0\.weight', 4, 2\)"),
        ({"seed": 1}, "belongs to another training: seed was 0, now it is 1"),
        ({"batch_size": 9}, "batch_size was 8, now it is 9"),
    ],
)
def test_another_training_does_not_go_on(tmp_path, change, message):
    with build(tmp_path, batch_size=8) as run:
        run.save(None)
    other = build(tmp_path, **({"batch_size": 8} | change))
    before = fingerprint(other.model.state_dict().values())
    with other, pytest.raises(ValueError, match=message):
        other.load()
    assert fingerprint(other.model.state_dict().values()) == before


def test_load_removes_what_a_kill_has_left(tmp_path):
    with build(tmp_path) as run:
        run.save(None)
    [file] = tmp_path.glob("*.safetensors")
    older = file.with_name(file.name.replace("-1.", "-0."))
    older.write_bytes(b"of the epoch before")
    with build(tmp_path) as run:
        run.load()
    assert file.exists()
    assert not older.exists()


def test_the_model_comes_back_in_evaluation_mode_even_after_an_error():
    run = build()
    run.model.train()
    with pytest.raises(TypeError), run:
        run.model(None)
    assert not run.model.training


def test_the_optimiser_gets_its_learning_rates_back():
    run = build(lr=0.25)
    with run:
        run.optimizer.param_groups[0]["lr"] = 7.0
    assert run.optimizer.param_groups[0]["lr"] == 0.25


def test_model_and_optimiser_move_to_the_gpu_if_there_is_one_and_back():
    run = build()
    with run:
        step(run)
        assert next(run.model.parameters()).is_cuda == torch.cuda.is_available()
    assert not next(run.model.parameters()).is_cuda
    assert not any(s["momentum_buffer"].is_cuda for s in run.optimizer.state.values())


def test_a_parameter_that_is_not_finite_is_named():
    run = build()
    run.end_epoch(1)
    with torch.no_grad():
        run.model[3].bias[1] = math.inf
    with pytest.raises(ValueError, match=r"3\.bias of model became NaN or infinite after epoch 2"):
        run.end_epoch(2)


def test_the_fingerprint_sees_type_shape_and_values():
    tensors = [INPUTS, INPUTS.T, INPUTS.double(), INPUTS + 1, INPUTS.flatten(), TARGETS]
    prints = {fingerprint((tensor,)) for tensor in tensors}
    assert len(prints) == len(tensors)
    assert fingerprint((INPUTS.clone(),)) == fingerprint((INPUTS,))
    assert fingerprint((INPUTS.bfloat16(),)) != fingerprint((INPUTS.half(),))
