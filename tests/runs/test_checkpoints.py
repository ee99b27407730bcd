"""Tests of companion.runs.checkpoints: what is written comes back, or is refused."""

import json
import math
import os
import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.runs import checkpoints

OLD = {"epoch": 1, "weight": torch.tensor([1.0, 2.0])}
NEW = {"epoch": 2, "weight": torch.tensor([3.0, 4.0])}

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.lists(st.floats(width=32), max_size=3).map(torch.tensor)
)
STATES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.just("$tensor"), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(STATES)
def test_what_is_written_comes_back_of_the_same_types(tmp_path_factory, state):
    folder = tmp_path_factory.mktemp("checkpoint")
    checkpoints.write(folder, state)
    assert same(checkpoints.read(folder), state)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(3, dtype=torch.int64),
        torch.tensor([True, False]),
        torch.tensor([0.1], dtype=torch.bfloat16),
        torch.tensor([math.nan, math.inf, -0.0], dtype=torch.float64),
        torch.arange(12).reshape(3, 4).T,
        torch.zeros(0, 3),
    ],
)
def test_tensors_of_all_kinds_come_back(tmp_path, tensor):
    checkpoints.write(tmp_path, [tensor])
    [read] = checkpoints.read(tmp_path)
    assert read.dtype == tensor.dtype
    assert read.shape == tensor.shape
    assert torch.equal(read.nan_to_num(7), tensor.nan_to_num(7))


def test_floating_point_numbers_come_back_bit_for_bit(tmp_path):
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, math.inf, -0.0]
    checkpoints.write(tmp_path, numbers)
    read = checkpoints.read(tmp_path)
    assert [number.hex() for number in read] == [number.hex() for number in numbers]


def test_tensors_that_share_memory_are_stored_one_by_one(tmp_path):
    weight = torch.arange(6.0)
    checkpoints.write(tmp_path, {"all": weight, "part": weight[2:4]})
    assert checkpoints.read(tmp_path)["part"].tolist() == [2, 3]


def test_the_folder_holds_two_files_and_nothing_older(tmp_path):
    for state in (OLD, NEW, NEW):
        checkpoints.write(tmp_path / "new" / "folder", state)
    files = sorted(file.name for file in (tmp_path / "new" / "folder").iterdir())
    assert len(files) == 2
    assert [file.rpartition(".")[2] for file in files] == ["safetensors", "json"]


@pytest.mark.parametrize("call", ["open", "fsync", "replace", "unlink"])
@pytest.mark.parametrize("number", range(6))
def test_a_write_that_breaks_off_leaves_the_old_or_the_new(tmp_path, monkeypatch, call, number):
    checkpoints.write(tmp_path, OLD)
    owner = os if call in ("fsync", "replace") else checkpoints.Path
    real, calls = getattr(owner, call), iter(range(100))

    def breaks(*args, **kwargs):
        if next(calls) >= number:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, call, breaks)
        try:
            checkpoints.write(tmp_path, NEW)
        except KeyboardInterrupt:
            finished = False
        else:
            finished = True
    read = checkpoints.read(tmp_path)
    assert same(read, NEW) or (same(read, OLD) and not finished)
    checkpoints.write(tmp_path, NEW)
    assert len(list(tmp_path.iterdir())) == 2  # what was left over is cleared away


def test_a_first_write_that_breaks_off_leaves_no_checkpoint(tmp_path, monkeypatch):
    replaced = []
    real = os.replace

    def breaks(*args):
        if len(replaced) == 2:  # the announcement, and the file of tensors
            raise KeyboardInterrupt
        replaced.append(args)
        real(*args)

    monkeypatch.setattr(os, "replace", breaks)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.write(tmp_path, NEW)
    assert list(tmp_path.glob("*.safetensors"))
    assert not checkpoints.exists(tmp_path)
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        checkpoints.read(tmp_path)
    monkeypatch.undo()
    checkpoints.write(tmp_path, NEW)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (events.append("fsync"), fsync(handle)))
    monkeypatch.setattr(
        os, "replace", lambda *names: (events.append(names[1].suffix), replace(*names))
    )
    checkpoints.write(tmp_path, NEW)
    flush = ["fsync"] if os.name == "posix" else []
    json_file, tensors = ["fsync", ".json", *flush], ["fsync", ".safetensors", *flush]
    assert events == [*json_file, *tensors, *json_file]
    events.clear()
    checkpoints.write(tmp_path, OLD)
    assert events == [*tensors, *json_file]


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("ending", ["safetensors", "json"])
def test_a_truncated_file_is_refused(tmp_path, ending, share):
    checkpoints.write(tmp_path, NEW)
    [file] = tmp_path.glob(f"*.{ending}")
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=rf"damaged checkpoint .*{ending} was truncated or chang"):
        checkpoints.read(tmp_path)


@pytest.mark.parametrize("ending", ["safetensors", "json"])
def test_every_changed_byte_is_found(tmp_path, ending):
    checkpoints.write(tmp_path, {"a": torch.tensor([1.0]), "b": 7})
    [file] = tmp_path.glob(f"*.{ending}")
    content = file.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        if ending == "json" and chr(content[place]).isspace():
            continue  # the layout carries no meaning
        file.write_bytes(changed)
        with pytest.raises(ValueError, match="checkpoint"):
            checkpoints.read(tmp_path)


def test_a_changed_number_in_the_json_file_is_refused(tmp_path):
    checkpoints.write(tmp_path, NEW)
    file = tmp_path / "checkpoint.json"
    index = json.loads(file.read_text("utf-8"))
    index["state"]["epoch"] = 9
    file.write_text(json.dumps(index), "utf-8")
    with pytest.raises(ValueError, match=r"checkpoint\.json was changed after it was written"):
        checkpoints.read(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "companion checkpoint 0"}'])
def test_another_format_is_refused(tmp_path, content):
    (tmp_path / "checkpoint.json").write_text(content, "utf-8")
    with pytest.raises(ValueError, match="must have the format 'companion checkpoint 2', got"):
        checkpoints.read(tmp_path)


def test_a_missing_file_of_tensors_is_refused(tmp_path):
    checkpoints.write(tmp_path, NEW)
    next(tmp_path.glob("*.safetensors")).unlink()
    with pytest.raises(ValueError, match=r"damaged checkpoint in .*safetensors is missing"):
        checkpoints.read(tmp_path)


@pytest.mark.parametrize("folder", [".", "none"])
def test_no_checkpoint_is_said_plainly(tmp_path, folder):
    assert not checkpoints.exists(tmp_path / folder)
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        checkpoints.read(tmp_path / folder)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": [1, object()]}, r"state\['a'\]\[1\] must be a tensor, number.* got object"),
        ({"a": {1.5: 2}}, r"state\['a'\] must have keys of type str or int, got \[1\.5\]"),
        ({"a": {1, 2}}, r"state\['a'\] must be .* got set"),
    ],
)
def test_what_cannot_be_written_is_named_and_the_old_one_stays(tmp_path, state, message):
    checkpoints.write(tmp_path, OLD)
    with pytest.raises(TypeError, match=message):
        checkpoints.write(tmp_path, state)
    assert same(checkpoints.read(tmp_path), OLD)


def test_sweep_removes_what_an_interrupted_write_has_left(tmp_path):
    checkpoints.write(tmp_path, NEW)
    names = {file.name for file in tmp_path.iterdir()}
    [tensors] = tmp_path.glob("*.safetensors")
    token = tensors.name.split("-")[1]
    assert len(token) == 32
    for name in ("0.safetensors", "2.safetensors.part"):
        (tmp_path / f"checkpoint-{token}-{name}").write_bytes(b"half")
    checkpoints.sweep(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == names
    assert same(checkpoints.read(tmp_path), NEW)


FOREIGN = [
    "model.safetensors",
    f"{'0' * 64}.safetensors",
    f"checkpoint-{'0' * 32}-1.safetensors",
    f"checkpoint-{'0' * 32}-1.safetensors.part",
    "checkpoint.json.part",
    "download.part",
    "notes.txt",
]


def test_files_of_others_stay_as_they_are(tmp_path):
    for name in FOREIGN:
        (tmp_path / name).write_text(f"{name} is not ours")
    for state in (OLD, NEW, NEW):
        checkpoints.write(tmp_path, state)
        checkpoints.sweep(tmp_path)
    for name in FOREIGN:
        assert (tmp_path / name).read_text() == f"{name} is not ours"
    assert same(checkpoints.read(tmp_path), NEW)
    assert len(list(tmp_path.iterdir())) == len(FOREIGN) + 2


def test_two_folders_have_two_tokens_so_that_copies_survive(tmp_path):
    for name in ("a", "b"):
        checkpoints.write(tmp_path / name, NEW)
    [copied] = (tmp_path / "a").glob("*.safetensors")
    shutil.copy(copied, tmp_path / "b")
    checkpoints.write(tmp_path / "b", OLD)
    assert (tmp_path / "b" / copied.name).exists()


def test_copies_beside_a_checkpoint_survive(tmp_path):
    checkpoints.write(tmp_path, OLD)
    [tensors] = tmp_path.glob("*.safetensors")
    endings = (" (copy).safetensors", "-best.safetensors", ".safetensors.bak")
    copies = [tmp_path / (tensors.stem + ending) for ending in endings]
    for copied in copies:
        shutil.copy(tensors, copied)
    content = tensors.read_bytes()
    checkpoints.write(tmp_path, NEW)
    assert [copied.read_bytes() for copied in copies] == [content] * 3
    assert not tensors.exists()
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("content", ['{"mine": 1}', "not JSON", ""])
def test_somebody_elses_json_file_is_not_replaced(tmp_path, content):
    (tmp_path / "checkpoint.json").write_text(content)
    with pytest.raises(ValueError, match="checkpoint"):
        checkpoints.write(tmp_path, NEW)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.json"]
    assert (tmp_path / "checkpoint.json").read_text() == content


def test_sweep_removes_nothing_where_there_is_no_checkpoint(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"somebody's")
    with pytest.raises(FileNotFoundError):
        checkpoints.sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["weights.safetensors"]
