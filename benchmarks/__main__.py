"""Run the benchmarks and print their table; see the package's docstring."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from pathlib import Path

THREADS = 2
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = str(THREADS)  # before any library reads it


def main(arguments: list[str]) -> int:
    """Run the named modules, or all; return 1 if a target is missed."""
    import benchmarks
    from benchmarks import harness

    results = []
    modules = sorted(module.name for module in pkgutil.walk_packages(benchmarks.__path__))
    unknown = set(arguments) - set(modules)
    if unknown:
        raise SystemExit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {modules}")
    for name in arguments or modules:
        if name in ("__main__", "harness"):
            continue
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name} ...", flush=True)
        results += module.measure()
    print()
    print(harness.table(results))
    path = Path("_build") / "benchmarks.json"
    harness.write(results, path, threads=THREADS)
    print(f"\n{THREADS} threads; written to {path}")
    return 0 if all(result.met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
