"""Tests of companion.pretraining.folders: every kind of bad folder is refused by name."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from companion import weights
from companion.pretraining.bert import Bert, BertConfig
from companion.pretraining.folders import Layout, Pretrained

from ..twins import close, draw


@dataclass(frozen=True)
class SmallConfig:
    """A model of linear layers, one upon the other."""

    width: int
    n_layers: int
    rate: float = 0.5


class Small(Pretrained):
    """The least that a model in a folder needs."""

    layout: ClassVar[Layout] = Layout(
        model_type="small",
        architecture="SmallModel",
        settings={"width": "hidden_size", "n_layers": "depth", "rate": ("rate_a", "rate_b")},
        names={"first": "embed", "layers.{n}": "h.{n}.dense"},
        fixed={"act": "relu", "tied": False},
        defaults={"rate": 0.25},
        optional=("head.",),
    )
    config_class: ClassVar[type] = SmallConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.first = nn.Linear(3, config.width)
        self.layers = nn.ModuleList(
            nn.Linear(config.width, config.width) for _ in range(config.n_layers)
        )


@pytest.fixture
def folder(tmp_path):
    """Return a folder that can be read, and a function that changes it."""
    torch.manual_seed(0)
    Small(SmallConfig(5, 12)).save_pretrained(tmp_path)
    return tmp_path


def change(folder, settings=None, tensors=None):
    """Write a folder again with changes; None takes an entry away."""
    old_tensors, old_settings = weights.load(folder)
    new = [
        {name: value for name, value in (old | (changes or {})).items() if value is not None}
        for old, changes in ((old_tensors, tensors), (old_settings, settings))
    ]
    weights.save(folder, *new)


def test_names_in_the_folder(folder):
    tensors, settings = weights.load(folder)
    expected = {f"h.{n}.dense.{kind}" for n in range(12) for kind in ("weight", "bias")}
    assert tensors.keys() == expected | {"embed.weight", "embed.bias"}
    assert settings == {
        "model_type": "small",
        "architectures": ["SmallModel"],
        "hidden_size": 5,
        "depth": 12,
        "rate_a": 0.5,
        "rate_b": 0.5,
        "act": "relu",
        "tied": False,
        "torch_dtype": "float32",
    }


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_there_and_back(tmp_path, dtype):
    torch.manual_seed(0)
    model = Small(SmallConfig(5, 12, rate=0.125)).to(dtype)
    model.save_pretrained(tmp_path / "new" / "folder")
    again = Small.from_pretrained(tmp_path / "new" / "folder")
    assert again.config == model.config
    assert not again.training
    for name, value in model.state_dict().items():
        assert again.state_dict()[name].dtype == dtype
        assert torch.equal(again.state_dict()[name], value)


def test_numbers_of_blocks_are_not_mixed_up(folder):
    """Twelve blocks: h.1 must not be taken for the beginning of h.11."""
    tensors, _ = weights.load(folder)
    model = Small.from_pretrained(folder)
    for n in range(12):
        close(model.layers[n].weight.detach(), tensors[f"h.{n}.dense.weight"])


def test_what_another_head_adds_is_left_out(folder):
    change(folder, tensors={"head.weight": draw(2, 5)})  # in float64: it does not change the type
    assert Small.from_pretrained(folder).first.weight.dtype == torch.float32


def test_silent_settings_have_their_defaults(folder):
    change(folder, {"rate_a": None, "rate_b": None, "act": None, "tied": None, "torch_dtype": None})
    assert Small.from_pretrained(folder).config == SmallConfig(5, 12, rate=0.25)
    change(folder, {"rate_b": 0.75})
    assert Small.from_pretrained(folder).config.rate == 0.75


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "gpt2"}, "model_type must be 'small', got 'gpt2'"),
        ({"model_type": None}, "model_type must be 'small', got None"),
        ({"act": "gelu"}, "act must be 'relu' for Small, got 'gelu'"),
        ({"tied": True}, "tied must be False for Small, got True"),
        ({"hidden_size": None}, "config.json must say hidden_size"),
        ({"hidden_size": None, "depth": None}, "config.json must say depth, hidden_size"),
        ({"rate_a": 0.1}, "rate_a and rate_b must be the same for Small"),
        ({"depth": 11}, r"weights of the model only, got h\.11"),
        ({"depth": 13}, r"all weights of the model, layers\.12\.bias"),
        ({"hidden_size": 7}, r"tensors\['first.weight'\] must have the shape \(7, 3\)"),
    ],
)
def test_settings_that_do_not_fit(folder, settings, message):
    change(folder, settings)
    with pytest.raises(ValueError, match=message):
        Small.from_pretrained(folder)


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ({"h.3.dense.bias": None}, ValueError, r"must hold all weights .* layers\.3\.bias missing"),
        ({"extra.weight": draw(2, 2)}, ValueError, r"of the model only, got extra\.weight"),
        ({"embed.weight": draw(3, 5)}, ValueError, r"must have the shape \(5, 3\), got \(3, 5\)"),
        ({"embed.bias": torch.ones(5).int()}, TypeError, "must hold numbers of the same kind"),
        ({"first.bias": draw(5)}, ValueError, r"names of SmallModel, got 'first\.bias'"),
        (
            {"first.bias": draw(5), "embed.bias": None},
            ValueError,
            r"names of SmallModel, got 'first\.bias'",
        ),
    ],
)
def test_weights_that_do_not_fit(folder, tensors, error, message):
    change(folder, tensors=tensors)
    with pytest.raises(error, match=message):
        Small.from_pretrained(folder)


def test_files_that_are_missing_or_damaged(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"must hold model\.safetensors"):
        Small.from_pretrained(tmp_path / "nowhere")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-40])
    with pytest.raises(ValueError, match="must be a whole safetensors file"):
        Small.from_pretrained(folder)
    (folder / "model.safetensors").write_bytes(b"\x80\x04" + whole)
    with pytest.raises(ValueError, match="got a pickle"):
        Small.from_pretrained(folder)
    (folder / "model.safetensors").write_bytes(whole)
    (folder / "config.json").write_text("[]")
    with pytest.raises(ValueError, match="must hold an object, got list"):
        Small.from_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "small"})[:-1])
    with pytest.raises(ValueError, match="must be JSON"):
        Small.from_pretrained(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"must hold config\.json"):
        Small.from_pretrained(folder)


def test_a_header_of_any_length_is_no_pickle(tmp_path):
    """Its length comes first, and 128 = 0x80 is how a pickle begins; so is 0x4b50, "PK"."""
    begun = set()
    for length in range(1, 300):
        weights.save(tmp_path, {"w" * length: torch.ones(1)}, {})
        begun.add((tmp_path / "model.safetensors").read_bytes()[:1])
        assert len(weights.load(tmp_path)[0]) == 1
    assert b"\x80" in begun


def test_another_model_of_ours_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="model_type must be 'bert', got 'small'"):
        Bert.from_pretrained(folder)
    Bert(BertConfig(7, 6, 1, 2, 5)).save_pretrained(tmp_path / "bert")
    with pytest.raises(ValueError, match="model_type must be 'small', got 'bert'"):
        Small.from_pretrained(tmp_path / "bert")
