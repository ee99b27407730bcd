"""Reading SmolLM2's GGUF file: all its numbers and settings, against the transformers library.

Both sides read the settings, the tokens and merges, and all 272 tensors as numbers in 32 bits under
the names of `LlamaForCausalLM`. The library does it with `load_gguf_checkpoint`, which stands
behind ``from_pretrained(..., gguf_file=...)``; the time for building a model is in neither side.
The aim is to be at least five times faster.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import torch

from benchmarks.harness import Result, compare
from companion.weights import find, read_gguf
from companion.weights.conversion import llama_tensors


def measure() -> list[Result]:
    """Time both ways to read the file, in turns."""
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    folder = find("smollm2")
    (path,) = folder.glob("*.gguf")
    with torch.device("meta"):
        empty: Any = LlamaForCausalLM(LlamaConfig.from_pretrained(folder))

    def ours() -> object:
        file = read_gguf(path)
        return llama_tensors(file), file.settings

    def library() -> object:
        with contextlib.redirect_stderr(io.StringIO()):  # its bar
            return load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=empty)

    return [
        compare(
            "read the GGUF file of SmolLM2",
            ours,
            library,
            against="transformers",
            target=0.2,
            runs=3,
            warm_up=1,
        )
    ]
