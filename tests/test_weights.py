"""Tests of companion.weights."""

import json
import os
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from companion import weights
from companion.sequences.tokenization import CharacterTokenizer
from companion.weights import LEVELS, fill, load, pack, save, unpack


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5))


def test_there_and_back(tmp_path):
    ours, config = model(), {"d_model": 5, "이름": "town", "eps": 1e-5}
    folder = tmp_path / "made" / "new"
    save(folder, ours.state_dict(), config)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    tensors, read = load(folder)
    assert read == config
    other = nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5))
    fill(other, tensors)
    for name, value in ours.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)


def test_a_tokenizer_and_a_card_go_with_the_model(tmp_path):
    tokenizer = CharacterTokenizer.train(["가나다"], 10)
    save(tmp_path / "a", model().state_dict(), {}, tokenizer, "# 카드\n")
    assert (tmp_path / "a" / "README.md").read_text("utf-8") == "# 카드\n"
    read = CharacterTokenizer.load(tmp_path / "a" / "tokenizer.json")
    assert read.encode("나가") == tokenizer.encode("나가")
    text = (tmp_path / "a" / "tokenizer.json").read_text("utf-8")
    save(tmp_path / "b", model().state_dict(), {}, tokenizer=text)
    assert (tmp_path / "b" / "tokenizer.json").read_text("utf-8") == text
    assert not (tmp_path / "b" / "README.md").exists()


@pytest.mark.parametrize(
    ("extra", "kind", "message"),
    [
        ({"tokenizer": "{"}, ValueError, "tokenizer must be the text of a tokenizer.json, got '{'"),
        ({"tokenizer": "[]"}, ValueError, "tokenizer must be the text of a tokenizer.json"),
        ({"tokenizer": 3}, TypeError, r"tokenizer must have a method save\(path\) or be the text"),
        ({"card": b"# Card"}, TypeError, "card must be a str, got bytes"),
    ],
)
def test_what_is_no_tokenizer_or_card_is_refused(tmp_path, extra, kind, message):
    with pytest.raises(kind, match=message):
        save(tmp_path, {"a": torch.zeros(1)}, {}, **extra)
    assert list(tmp_path.iterdir()) == []


def test_one_tensor_under_two_names_and_a_view(tmp_path):
    table = torch.arange(6.0).view(2, 3)
    save(tmp_path, {"a": table, "b": table, "c": table.T, "half": table.bfloat16()}, {})
    tensors, _ = load(tmp_path)
    assert torch.equal(tensors["a"], tensors["b"])
    assert torch.equal(tensors["c"], table.T)
    assert tensors["half"].dtype == torch.bfloat16


def test_what_was_there_stays(tmp_path):
    (tmp_path / "adapter.safetensors").write_text("mine")
    save(tmp_path, {"a": torch.zeros(1)}, {"version": 1})
    save(tmp_path, {"a": torch.ones(1)}, {"version": 2})
    assert (tmp_path / "adapter.safetensors").read_text() == "mine"
    assert load(tmp_path)[1] == {"version": 2}


def test_a_failure_leaves_the_old_files_whole(tmp_path, monkeypatch):
    save(tmp_path, {"a": torch.zeros(1)}, {"version": 1})

    def broken(handle):
        os.ftruncate(handle, 5)  # half of a file
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="no space left"):
        save(tmp_path, {"a": torch.ones(1)}, {"version": 2})
    tensors, config = load(tmp_path)
    assert (tensors["a"].item(), config) == (0, {"version": 1})
    assert len(list(tmp_path.iterdir())) == 2  # nothing is left behind


def test_what_was_loaded_does_not_change_with_the_file(tmp_path):
    save(tmp_path, {"a": torch.zeros(1000)}, {})
    tensors, _ = load(tmp_path)
    content = bytearray((tmp_path / "model.safetensors").read_bytes())
    content[-4000:] = bytes([1]) * 4000
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.write(content)
    assert not tensors["a"].any()


def test_a_folder_that_lacks_something_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder must hold model\.safetensors, got"):
        load(tmp_path)
    save(tmp_path, {"a": torch.zeros(1)}, {})
    (tmp_path / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"folder must hold config\.json, got"):
        load(tmp_path)
    with pytest.raises(TypeError, match="folder must be the path of a folder, got ''"):
        load("")
    with pytest.raises(TypeError, match="folder must be the path of a folder, got 3"):
        save(3, {}, {})


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.99])
def test_a_file_that_is_cut_off_is_refused(tmp_path, share):
    save(tmp_path, {"a": torch.zeros(100)}, {})
    path = tmp_path / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"model\.safetensors must be a whole safetensors file"):
        load(tmp_path)


def test_a_pickle_is_not_opened(tmp_path):
    save(tmp_path, {"a": torch.zeros(1)}, {})
    path = tmp_path / "model.safetensors"
    opened = tmp_path / "opened"

    class Trap:
        def __reduce__(self):
            return (opened.write_text, ("!",))

    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="must be a safetensors file, got a pickle"):
        load(tmp_path)
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="must be a safetensors file, got a pickle"):
        load(tmp_path)
    assert not opened.exists()


@pytest.mark.parametrize("text", ["", "{", "[1]", "{'a': 1}"])
def test_a_damaged_configuration_is_refused(tmp_path, text):
    save(tmp_path, {"a": torch.zeros(1)}, {})
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json must"):
        load(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files have other rights")
def test_others_may_read_what_was_saved(tmp_path):
    before = os.umask(0o022)
    try:
        save(tmp_path, {"a": torch.zeros(1)}, {})
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}


def test_what_cannot_be_written_is_refused(tmp_path):
    for bad in (torch.zeros(1, device="meta"), torch.eye(2).to_sparse()):
        with pytest.raises(ValueError, match=r"tensors\['a'\] must be a dense Tensor, got"):
            save(tmp_path, {"a": bad}, {})
    with pytest.raises(TypeError, match="a name in tensors must be a str, got int"):
        save(tmp_path, {1: torch.zeros(1)}, {})
    with pytest.raises(TypeError, match=r"tensors\['a'\] must be a Tensor, got list"):
        save(tmp_path, {"a": [1.0]}, {})
    with pytest.raises(TypeError, match="config must hold what JSON can"):
        save(tmp_path, {"a": torch.zeros(1)}, {"dtype": torch.float32})
    with pytest.raises(ValueError, match="config must hold what JSON can"):
        save(tmp_path, {"a": torch.zeros(1)}, {"eps": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"1.bias": None}, r"all weights of the model, 1\.bias missing"),
        ({"2.bias": torch.zeros(5)}, r"weights of the model only, got 2\.bias"),
        ({"0.weight": torch.zeros(3, 5)}, r"\['0\.weight'\] must have the shape \(5, 3\), got \(3"),
    ],
)
def test_tensors_that_do_not_fit_a_model_are_refused(change, message):
    ours = model()
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    tensors = {name: torch.ones_like(value) for name, value in before.items()} | change
    tensors = {name: value for name, value in tensors.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        fill(ours, tensors)
    assert all(torch.equal(ours.state_dict()[name], value) for name, value in before.items())


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64])
def test_numbers_of_another_kind_are_refused(dtype):
    """Rounded weights without their scale would be filled in as they are."""
    tensors = {name: value.to(dtype) for name, value in model().state_dict().items()}
    with pytest.raises(TypeError, match=r"same kind as torch\.float32, got torch"):
        fill(model(), tensors)


# --- as text -------------------------------------------------------------------------------------


def test_a_row_by_hand():
    matrix = torch.tensor([[0.63, -0.21, 0.104, 0.106, 0.0, -0.63], [0.0] * 6])  # the scale: 0.01
    packed = pack({"matrix": matrix, "vector": torch.tensor([0.123456])})
    assert packed.shapes == {"matrix": [2, 6], "vector": [1]}
    json.dumps(packed._asdict())
    back = unpack(packed)
    wanted = torch.tensor([[0.63, -0.21, 0.10, 0.11, 0.0, -0.63], [0.0] * 6])
    torch.testing.assert_close(back["matrix"], wanted)
    assert torch.equal(back["vector"], torch.tensor([0.123456]))


@given(rows=st.integers(1, 5), columns=st.integers(1, 7), power=st.integers(-20, 20))
def test_no_number_moves_by_more_than_half_a_step(rows, columns, power):
    generator = torch.Generator().manual_seed(rows + 10 * columns)
    tensors = {
        "a": 10.0**power * torch.randn(rows, columns, generator=generator),
        "b": torch.randn(columns, generator=generator),
        "c": torch.randn(columns, rows, generator=generator),
    }
    back = unpack(pack(tensors))
    assert list(back) == list(tensors)
    assert torch.equal(back["b"], tensors["b"])
    for name in ("a", "c"):
        step = tensors[name].abs().amax(dim=1, keepdim=True) / LEVELS
        assert ((back[name] - tensors[name]).abs() <= 0.5001 * step).all()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.tensor([[1.0, torch.nan]]), "a must be finite, got NaN or infinity"),
        (torch.zeros(2, 2, 2), r"a must be a vector or a matrix, got \(2, 2, 2\)"),
        (torch.zeros(0, 3), r"a must be a vector or a matrix, got \(0, 3\)"),
    ],
)
def test_what_cannot_be_packed_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        pack({"a": value})


def test_a_row_of_the_smallest_numbers():
    tiny = torch.tensor([[1e-44, 0.0], [1.0, -1.0]])
    torch.testing.assert_close(unpack(pack({"a": tiny}))["a"], tiny, rtol=0, atol=1e-43)


@pytest.mark.parametrize(
    ("shapes", "data", "message"),
    [
        ({}, lambda data: data[:-8], "packed.data must be whole"),
        ({}, lambda data: "AAAA", "packed.data must be whole"),
        ({}, lambda data: "no base64", "packed.data must be whole"),
        ({"b": [6]}, str, r"packed.data must hold 48 bytes, as packed.shapes say, got 44"),
        ({"c": [2, 2]}, str, r"packed.data must hold 56 bytes, as packed.shapes say, got 44"),
        ({"b": [4]}, str, r"packed.data must hold 40 bytes, as packed.shapes say, got 44"),
    ],
)
def test_packed_weights_that_were_changed_are_refused(shapes, data, message):
    packed = pack({"a": torch.ones(3, 4), "b": torch.ones(5)})
    with pytest.raises(ValueError, match=message):
        unpack(weights.Packed(packed.shapes | shapes, data(packed.data)))


def test_the_names_that_others_use():
    assert (weights.WEIGHTS, weights.CONFIG) == ("model.safetensors", "config.json")
