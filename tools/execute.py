"""Execute the chapters: in parallel, without a network, and only those whose inputs have changed.

A chapter's *fingerprint* is a hash of everything its outputs depend on: its code, the modules of
`companion` that it imports (directly or through others), the versions of all installed packages and
of Python, and this file. An executed chapter is kept in ``_build/executed`` together with its
fingerprint, its running time and its peak memory, and used again exactly as long as the
fingerprint stays the same. Text may change without a new execution.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import grimp
import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ROOT / "_build" / "executed"
MAXIMUM_SECONDS = 60.0
# Chapters that may take longer, since their trainings need it. They are begun first.
LONGER = {"translation.ipynb": 180.0}
MAXIMUM_MEGABYTES = 2048.0
KERNEL_ENVIRONMENT = {
    "IPYTHONDIR": str(ROOT / "tools" / "offline"),  # its start-up file refuses the network
    "COMPANION_UNWATCHED": "1",  # no progress bars in stored outputs
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


class ChapterError(Exception):
    """A chapter that does not run, or that breaks a limit of the course."""


class TooSlowError(ChapterError):
    """A chapter that needs more time than the course allows."""


@dataclass(frozen=True)
class Record:
    """What is known of one execution."""

    fingerprint: str
    seconds: float  # wall-clock time of all cells
    megabytes: float  # peak resident memory of the kernel
    cell_seconds: list[float]  # per code cell


def chapters(root: Path = ROOT) -> list[Path]:
    """Return the paths of all chapters, sorted."""
    return sorted((root / "book").glob("*/*.ipynb"))


def code_of(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the sources of a notebook's code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def companion_modules(sources: list[str]) -> set[str]:
    """Return the modules of `companion` that code needs, those imported by others included.

    The exercise behind ``check("part.slug.name", ...)`` is loaded by its name, so the module
    ``companion.exercises.part.slug`` counts as imported too.
    """
    graph = import_graph()
    found: set[str] = set()
    for source in sources:
        lines = (line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
        for node in ast.walk(ast.parse("\n".join(lines))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "check":
                texts = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
                names = [f"companion.exercises.{str(text).rpartition('.')[0]}" for text in texts]
            found.update(name for name in names if name in graph.modules)
    upstream = {module for name in found for module in graph.find_upstream_modules(name)}
    packages = {
        module.rsplit(".", depth)[0]
        for module in found | upstream
        for depth in range(1, module.count(".") + 1)
    }
    return found | upstream | packages


@cache
def import_graph() -> grimp.ImportGraph:
    """Return the graph of imports inside `companion`."""
    return grimp.build_graph("companion", cache_dir=None)


@cache
def installed() -> str:
    """Return the versions of Python and of every installed package as one text."""
    names = sorted({f"{d.metadata['Name']}=={d.version}" for d in metadata.distributions()})
    return "\n".join([platform.python_version(), platform.machine(), *names])


def fingerprint(notebook: nbformat.NotebookNode, root: Path = ROOT) -> str:
    """Return the hash of everything that a notebook's outputs depend on."""
    digest = hashlib.sha256()

    def add(*parts: str) -> None:
        for part in parts:
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)

    add(installed(), Path(__file__).read_text("utf-8"))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            add(cell.source, json.dumps(cell.metadata.get("tags", [])))
    for module in sorted(companion_modules(code_of(notebook))):
        path = root.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        add(module, path.read_text("utf-8"))
    return digest.hexdigest()


def maximum_seconds(path: Path) -> float:
    """Return how long a chapter may run."""
    return LONGER.get(path.name, MAXIMUM_SECONDS)


def execute(path: Path) -> tuple[nbformat.NotebookNode, Record]:
    """Execute one notebook in a kernel of its own; return it with its outputs and its record.

    Raises
    ------
    ChapterError
        If a cell fails, writes to stderr, or the notebook needs more time or memory than the
        course allows.
    """
    notebook = nbformat.read(path, as_version=4)
    mark = fingerprint(notebook)
    client = NotebookClient(
        notebook,
        timeout=int(10 * MAXIMUM_SECONDS),
        store_widget_state=True,
        resources={"metadata": {"path": str(path.parent)}},
        kernel_name="python3",
    )
    environment = {**os.environ, **KERNEL_ENVIRONMENT}
    cell_seconds = []
    with client.setup_kernel(env=environment), _Memory(client) as memory:
        for index, cell in enumerate(notebook.cells):
            start = time.perf_counter()
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                raise ChapterError(f"{path.name}: cell {index} failed\n{error}") from None
            if cell.cell_type == "code":
                cell_seconds.append(time.perf_counter() - start)
        client.set_widgets_metadata()
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    _validate(path, notebook, sum(cell_seconds), memory.peak)
    record = Record(mark, sum(cell_seconds), memory.peak, cell_seconds)
    return notebook, record


class _Memory:
    """Watch the resident memory of a client's kernel and keep its peak in megabytes."""

    def __init__(self, client: NotebookClient) -> None:
        self.process = psutil.Process(client.km.provisioner.pid)  # type: ignore[union-attr]
        self.peak = 0.0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Memory:
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.done.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.done.wait(0.02):
            try:
                self.peak = max(self.peak, self.process.memory_info().rss / 2**20)
            except psutil.Error:
                return


def _validate(
    path: Path, notebook: nbformat.NotebookNode, seconds: float, megabytes: float
) -> None:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise ChapterError(f"{path.name}: a cell writes to stderr: {output.text.strip()}")
    if seconds > (limit := maximum_seconds(path)):
        raise TooSlowError(f"{path.name}: runs {seconds:.0f} s, at most {limit:.0f} s")
    if megabytes > MAXIMUM_MEGABYTES:
        raise ChapterError(
            f"{path.name}: needs {megabytes:.0f} MB, at most {MAXIMUM_MEGABYTES:.0f} MB"
        )


def executed(path: Path, *, root: Path = ROOT) -> tuple[nbformat.NotebookNode, Record] | None:
    """Return a chapter with its kept outputs if they still hold, else None."""
    place = _place(path, root)
    try:
        kept = nbformat.read(place, as_version=4)
        record = Record(**json.loads(place.with_suffix(".json").read_text("utf-8")))
    except (OSError, ValueError, TypeError, nbformat.reader.NotJSONError):
        return None
    notebook = nbformat.read(path, as_version=4)
    if record.fingerprint != fingerprint(notebook):
        return None
    old = [cell for cell in kept.cells if cell.cell_type == "code"]
    new = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for target, source in zip(new, old, strict=True):
        target.outputs, target.execution_count = source.outputs, source.execution_count
    notebook.metadata = kept.metadata
    return notebook, record


def run(paths: list[Path], *, workers: int | None = None) -> None:
    """Execute notebooks in parallel and keep the results; report every one that fails.

    The limit on the running time holds for a chapter that has the machine for itself: one that
    is too slow beside the others is executed again, alone.

    Raises
    ------
    ChapterError
        With the messages of all chapters that failed.
    """
    if not paths:
        return
    workers = workers or min(len(paths), os.cpu_count() or 1)
    paths = sorted(paths, key=maximum_seconds, reverse=True)
    with _one_thread_each(workers > 1), ProcessPoolExecutor(workers) as pool:
        outcomes = list(zip(paths, pool.map(_run, paths), strict=True))
    messages = []
    for path, error in outcomes:
        if isinstance(error, TooSlowError) and workers > 1:
            print(f"  {error}: once more, alone", flush=True)
            error = _run(path)
        if error:
            messages.append(str(error))
    if messages:
        raise ChapterError("\n\n".join(messages))


# OpenMP (PyTorch), and the two libraries of linear algebra, which otherwise follow it.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextlib.contextmanager
def _one_thread_each(wanted: bool) -> Iterator[None]:
    """Let kernels that run side by side use one thread each, whatever the environment says.

    More threads than cores wait for each other by spinning, and everything takes several times as
    long.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    if wanted:
        os.environ |= dict.fromkeys(THREADS, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _run(path: Path) -> ChapterError | None:
    """Execute one notebook and keep the result; return what is wrong with it, if anything."""
    name = path.relative_to(ROOT).as_posix()
    try:
        notebook, record = execute(path)
    except ChapterError as error:
        return error
    place = _place(path, ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    place.with_suffix(".json").write_text(json.dumps(asdict(record), indent=1), "utf-8")
    print(f"  {name}: {record.seconds:.1f} s, {record.megabytes:.0f} MB", flush=True)
    return None


def _place(path: Path, root: Path) -> Path:
    return root / "_build" / "executed" / path.relative_to(root / "book")
