"""Rules for all tests: no network, notebooks compared with the tolerance of `tools.tolerance`."""

import importlib
import os
import runpy
import sys
from pathlib import Path

import hypothesis
import matplotlib
import pytest
from nbval import plugin

from tools import tolerance
from tools.execute import KERNEL_ENVIRONMENT
from tools.notebooks import is_for_another_page

OFFLINE = Path(KERNEL_ENVIRONMENT["IPYTHONDIR"]) / "profile_default" / "startup" / "00-offline.py"

os.environ.update(KERNEL_ENVIRONMENT)
os.environ.setdefault("OMP_NUM_THREADS", "1")
matplotlib.use("agg")  # here; the kernels of the notebooks draw inline
runpy.run_path(str(OFFLINE))

# The same examples in every run, and no limit on the time of one: machines differ.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="session")
def gensim():
    """Return ``gensim.models``, for the tests that compare with it; skip where it cannot be."""
    if sys.version_info >= (3, 14):
        pytest.skip("gensim has no wheels for Python 3.14: pyproject.toml leaves it out there")
    return importlib.import_module("gensim.models")


_exactly = plugin.IPyNbCell.compare_outputs


def _compare_outputs(self, test, ref, skip_compare=None):
    """Compare a cell's outputs as nbval does, after small differences of numbers are levelled."""
    test = [output for output in test if not is_for_another_page(output)]
    rtol = tolerance.relative(self.cell.metadata.get("tags", []))
    return _exactly(self, tolerance.align(test, ref, rtol=rtol), ref, skip_compare)


plugin.IPyNbCell.compare_outputs = _compare_outputs
