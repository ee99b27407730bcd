"""Imports must be light: `companion` 50 ms, a part of it 0.1 s beyond PyTorch, in a new process."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.harness import Result, hold

PROGRAM = """
import time
{first}
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def measure() -> list[Result]:
    """Import the package, and what loads most beside PyTorch, in eleven fresh interpreters each."""
    return [
        hold("import companion", _times("companion"), limit=0.050),
        hold(
            "import companion.sequences.seq2seq, beyond torch",
            _times("companion.sequences.seq2seq", first="import torch"),
            limit=0.1,
        ),
    ]


def _times(module: str, first: str = "") -> list[float]:
    command = [sys.executable, "-c", PROGRAM.format(module=module, first=first)]
    return [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(11)
    ]
