"""A small harness: interleaved runs in one process, threads fixed, the median and the ratio.

Speeds on a shared machine drift. The two sides of a comparison therefore take turns, run by run, so
that a slow moment hits both, and the median of each side's runs is compared.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Result:
    """One line of the table: what we need, what the other side or the limit is, and their ratio."""

    name: str
    ours: float  # seconds, median
    other: float  # seconds: median of the other side, or the limit
    against: str  # name of the other side, or "limit"
    target: float  # the ratio ours / other that must not be exceeded
    runs: int

    @property
    def ratio(self) -> float:
        """Our time in units of the other side's."""
        return self.ours / self.other

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.ratio <= self.target


def seconds(action: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(
    name: str,
    ours: Callable[[], object],
    other: Callable[[], object],
    *,
    against: str,
    target: float = 1.0,
    runs: int = 11,
    warm_up: int = 2,
) -> Result:
    """Time two actions in turns and compare their medians.

    Parameters
    ----------
    name, against : str
        What is measured, and the name of the other side.
    ours, other : callable
        The two actions; their results are dropped.
    target : float, default 1.0
        The ratio that must not be exceeded.
    runs, warm_up : int
        Counted runs of each side (at least 3), and runs before them.

    Raises
    ------
    ValueError
        If there are fewer than 3 runs or the target is not positive.
    """
    if runs < 3 or target <= 0:
        raise ValueError(f"need runs >= 3 and target > 0, got runs={runs}, target={target}")
    for _ in range(warm_up):
        ours()
        other()
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs):
        # Each side is first as often as second.
        for side in (0, 1) if run % 2 == 0 else (1, 0):
            times[side].append(seconds((ours, other)[side]))
    mine, its = (statistics.median(side) for side in times)
    return Result(name, mine, its, against, target, runs)


def hold(name: str, times: Sequence[float], *, limit: float) -> Result:
    """Hold the median of measured times against a limit in seconds."""
    if not times or limit <= 0:
        raise ValueError(f"need at least one time and a limit > 0, got {len(times)} and {limit}")
    return Result(name, statistics.median(times), limit, "limit", 1.0, len(times))


def table(results: Sequence[Result]) -> str:
    """Write results as a table for the terminal."""
    rows = [("what", "ours", "other", "against", "ratio", "target", "runs", "")]
    for result in results:
        rows.append(
            (
                result.name,
                duration(result.ours),
                duration(result.other),
                result.against,
                f"{result.ratio:.2f}",
                f"{result.target:.2f}",
                str(result.runs),
                "met" if result.met else "MISSED",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    left = {0, 3, 7}
    return "\n".join(
        "  ".join(
            text.ljust(width) if column in left else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def duration(value: float) -> str:
    """Write a duration with a fitting unit.

    Examples
    --------
    >>> duration(0.0123)
    '12.3 ms'
    >>> duration(75.0)
    '75.0 s'
    """
    if value < 1e-3:
        return f"{value * 1e6:.1f} µs"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.1f} s"


def write(results: Sequence[Result], path: Path, *, threads: int) -> None:
    """Write results and the machine that they were measured on as JSON."""
    machine = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": psutil.cpu_count(logical=True),
        "threads": threads,
    }
    lines = [asdict(result) | {"ratio": result.ratio, "met": result.met} for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "results": lines}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
