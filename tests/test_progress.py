"""Tests of companion.progress: bars that only a person sees, and that no killed process stops."""

import os
import subprocess
import sys

import pytest

from companion import progress


def test_a_bar_passes_on_what_it_counts(monkeypatch, capsys):
    for watched in (True, False):
        monkeypatch.setattr(progress, "is_watched", lambda watched=watched: watched)
        assert sum(progress.bar(range(4), desc="adding")) == 6
        assert ("adding" in capsys.readouterr().err) == watched


# A child takes the lock of all bars and is killed while it has it; the parent goes on.
KILLED = """
import os, signal, time
from companion import progress
from tqdm.auto import tqdm
list(progress.bar(range(2)))
child = os.fork()
if child == 0:
    tqdm.get_lock().acquire()
    os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child, 0)
print(sum(progress.bar(range(4))))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_killed_process_does_not_stop_the_bars_of_others():
    run = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout == "6\n"
