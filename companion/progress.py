"""Progress: is somebody watching, and a bar for whoever is.

What takes over two seconds shows a bar when a person looks on, and leaves nothing in a stored
output.

Used first in book/basics/training.ipynb.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

LOCK = threading.RLock()


def is_watched() -> bool:
    """Tell whether a person watches this session: an interactive notebook or a terminal.

    Notebooks that are executed by a program (the build of this book, its tests) set the environment
    variable ``COMPANION_UNWATCHED``, so that no progress bar enters a stored output. Of several
    processes that torchrun has started, the first one is watched.
    """
    if os.environ.get("COMPANION_UNWATCHED") or os.environ.get("RANK", "0") != "0":
        return False
    return "ipykernel" in sys.modules or sys.stderr.isatty()


def bar(*args: Any, **options: Any) -> Any:
    """Return a bar of `tqdm`, with its arguments, that is seen only if somebody is watching."""
    from tqdm.auto import tqdm  # only where a bar is asked for

    # Forked processes share tqdm's own lock, and wait for ever if one is killed while it has it.
    tqdm.set_lock(LOCK)
    return tqdm(*args, leave=False, disable=not is_watched(), **options)
