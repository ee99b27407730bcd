"""`import companion` must be light: 50 ms at most, in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.harness import Result, hold

PROGRAM = """
import time
start = time.perf_counter()
import companion
print(time.perf_counter() - start)
"""


def measure() -> list[Result]:
    """Import the package in eleven fresh interpreters."""
    command = [sys.executable, "-c", PROGRAM]
    times = [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(11)
    ]
    return [hold("import companion", times, limit=0.050)]
