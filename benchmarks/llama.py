"""SmolLM2 against the transformers library: tokens per second, and the way to the first answer.

Both write greedily from the same folder in 32 bits, with their caches: 24 tokens after a prompt of
38, alone and in a batch of 16. Ours must be no slower. From the start of a fresh process to the
first answer, the import of the package and the reading of 538 MB included, ours may take 10 s.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.harness import Result, compare, hold
from companion.pretraining.gpt import generate
from companion.pretraining.llama import Llama
from companion.weights import find

WRITTEN = 24  # tokens
QUESTION = "What is the capital of South Korea?"
PROGRAM = f"""
import time
start = time.perf_counter()
import torch
torch.set_num_threads(2)
from tokenizers import Tokenizer
from companion.pretraining.gpt import generate
from companion.pretraining.llama import Llama, chat
from companion.weights import find
folder = find("smollm2")
model = Llama.from_pretrained(folder)
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
ids = tokenizer.encode(chat([{{"role": "user", "content": {QUESTION!r}}}])).ids
end = tokenizer.token_to_id("<|im_end|>")
written = generate(model, torch.tensor(ids), 24, temperature=0, stop=[end])
assert "Seoul" in tokenizer.decode(written[len(ids) :].tolist())
print(time.perf_counter() - start)
"""


def measure() -> list[Result]:
    """Time writing, alone and in company, and the first answer of three fresh processes."""
    folder = find("smollm2")
    ours, theirs = Llama.from_pretrained(folder), library(folder)
    ids = torch.arange(500, 538)[None]  # (1, 38)
    results = [writing(ours, theirs, ids.expand(rows, -1)) for rows in (1, 16)]
    times = [first_answer() for _ in range(3)]
    return [*results, hold("SmolLM2: from import to the first answer", times, limit=10.0)]


def writing(ours: Llama, theirs: Callable[[Tensor], Tensor], ids: Tensor) -> Result:
    """Time what both write after the same prompts; it must be the same."""
    sides = (lambda: generate(ours, ids, WRITTEN, temperature=0), lambda: theirs(ids))
    assert torch.equal(sides[0](), sides[1]())
    name = f"SmolLM2: {WRITTEN} tokens, batch {len(ids)}"
    return compare(name, *sides, against="transformers", runs=9, warm_up=1)


def library(folder: Path) -> Callable[[Tensor], Tensor]:
    """Return what writes greedily with the library's model."""
    from transformers import LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model: Any = LlamaForCausalLM.from_pretrained(folder).eval()
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = None, 0
    options: dict[str, Any] = {"max_new_tokens": WRITTEN, "do_sample": False}

    @torch.no_grad()
    def write(ids: Tensor) -> Tensor:
        return model.generate(ids, attention_mask=torch.ones_like(ids), **options)

    return write


def first_answer() -> float:
    """Return the seconds from the first import to the first answer, in a fresh process."""
    command = [sys.executable, "-c", PROGRAM]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
