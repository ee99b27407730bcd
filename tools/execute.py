"""Execute the chapters: in parallel, without a network, and only those whose inputs have changed.

A chapter's *fingerprint* is a hash of everything its outputs depend on: its code, the modules of
`companion` that it imports (directly or through others), the weights in `companion/models` that one
of these names, the versions of all installed packages and of Python, and this file. (The models of
others stand in a module, with their SHA-256.) An executed chapter is kept in ``_build/executed``
together with its fingerprint, its running time and its peak memory, and used again exactly as long
as the fingerprint stays the same. Text may change without a new execution.

The course has limits, which the tests enforce. A chapter beyond one is only mentioned here: on a
slow or busy machine the book is built all the same. Time is therefore counted in processor seconds
of the kernel and its children; how long that takes by the clock is the machine's affair.
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
from typing import NamedTuple

import grimp
import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.chapters import ROOT

EXECUTED = ROOT / "_build" / "executed"
FINDER = "companion.weights.published"  # it names every model, and needs none


class Limits(NamedTuple):
    """What a chapter may need."""

    seconds: float  # of processor time
    megabytes: float


LIMITS = Limits(60, 2048)
LARGE_LIMITS = Limits(180, 3072)
# The chapters under the large limits: they train or run a language model. They are begun first.
LARGE = (
    "transformer.translation",
    "pretraining.self_supervision",  # compares many small trainings: 58 s
    "pretraining.bert",
    "pretraining.finetuning",
    "pretraining.gpt",
    "pretraining.llama",
    "pretraining.vit",  # as well: 59 s
)
COURSE_SECONDS = 2 * 25 * 60  # of processor time, all chapters together: 25 minutes on two cores
# By the clock, for what does not answer at all: no machine is so slow.
HANG_SECONDS = 4 * 60 * 60
KERNEL_ENVIRONMENT = {
    "IPYTHONDIR": str(ROOT / "tools" / "offline"),  # its start-up file refuses the network
    "COMPANION_UNWATCHED": "1",  # no progress bars in stored outputs
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


class ChapterError(Exception):
    """A chapter that does not run, or that writes to stderr."""


@dataclass(frozen=True)
class Record:
    """What is known of one execution."""

    fingerprint: str
    seconds: float  # of all cells, by the clock
    processor_seconds: float  # of all cells
    megabytes: float  # peak resident memory of the kernel
    cell_seconds: list[float]  # processor seconds of each code cell


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
    texts = code_of(notebook)
    for module in sorted(companion_modules(code_of(notebook))):
        path = root.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        add(module, path.read_text("utf-8"))
        if module != FINDER:
            texts.append(path.read_text("utf-8"))
    for path in sorted((root / "companion" / "models").glob("*/*")):
        if path.is_file() and any(path.parent.name in text for text in texts):
            add(path.parent.name, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    return digest.hexdigest()


def name_of(path: Path) -> str:
    """Return the name of a chapter: ``"basics.perceptron"``."""
    return f"{path.parent.name}.{path.stem}"


def limits_of(path: Path) -> Limits:
    """Return what a chapter may need."""
    return LARGE_LIMITS if name_of(path) in LARGE else LIMITS


def beyond_limits(path: Path, record: Record) -> list[str]:
    """Return in words by what a chapter breaks the limits of the course."""
    limits = limits_of(path)
    found = []
    if record.processor_seconds > limits.seconds:
        took = f"{record.processor_seconds:.0f} s of processor time"
        found.append(f"slow: {took}, the course allows {limits.seconds:.0f} s")
    if record.megabytes > limits.megabytes:
        found.append(
            f"large: {record.megabytes:.0f} MB, the course allows {limits.megabytes:.0f} MB"
        )
    return found


def execute(path: Path) -> tuple[nbformat.NotebookNode, Record]:
    """Execute one notebook in a kernel of its own; return it with its outputs and its record.

    Raises
    ------
    ChapterError
        If a cell fails, writes to stderr, or does not answer for hours.
    """
    notebook = nbformat.read(path, as_version=4)
    mark = fingerprint(notebook)
    client = NotebookClient(
        notebook,
        timeout=HANG_SECONDS,
        startup_timeout=HANG_SECONDS,
        iopub_timeout=600,  # for an output that comes after its cell
        store_widget_state=True,
        resources={"metadata": {"path": str(path.parent)}},
        kernel_name="python3",
    )
    environment = {**os.environ, **KERNEL_ENVIRONMENT}
    cell_seconds = []
    seconds = 0.0
    with client.setup_kernel(env=environment), _Memory(client) as memory:
        for index, cell in enumerate(notebook.cells):
            start, used = time.perf_counter(), processor_seconds(memory.process)
            try:
                client.execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise ChapterError(f"{path.name}: cell {index} failed\n{error}") from None
            if cell.cell_type == "code":
                seconds += time.perf_counter() - start
                cell_seconds.append(processor_seconds(memory.process) - used)
        client.set_widgets_metadata()
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise ChapterError(f"{path.name}: a cell writes to stderr: {output.text.strip()}")
    return notebook, Record(mark, seconds, sum(cell_seconds), memory.peak, cell_seconds)


def processor_seconds(process: psutil.Process) -> float:
    """Return the processor time, of user and system, of a process and of its children.

    Children that have ended count as far as the system adds their time to their parent's: Windows
    and macOS do not.
    """
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it has just ended
            times = one.cpu_times()
            total += times.user + times.system
            total += times.children_user + times.children_system
    return total


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

    Raises
    ------
    ChapterError
        With the messages of all chapters that failed.
    """
    if not paths:
        return
    workers = workers or min(len(paths), os.cpu_count() or 1)
    paths = sorted(paths, key=lambda path: limits_of(path).seconds, reverse=True)
    with _one_thread_each(), ProcessPoolExecutor(workers) as pool:
        messages = [str(error) for error in pool.map(_run, paths) if error]
    if messages:
        raise ChapterError("\n\n".join(messages))


# OpenMP (PyTorch), and the two libraries of linear algebra, which otherwise follow it.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let kernels use one thread each, whatever the environment says.

    Threads wait for each other by spinning: more of them than cores make everything several times
    as long, and processor seconds would count the waiting.
    """
    before = {name: os.environ.get(name) for name in THREADS}
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
    took = f"{record.seconds:.1f} s ({record.processor_seconds:.1f} s of processor time)"
    print(f"  {name}: {took}, {record.megabytes:.0f} MB", flush=True)
    for text in beyond_limits(path, record):
        print(f"  {name} is {text}", flush=True)
    return None


def _place(path: Path, root: Path) -> Path:
    return root / "_build" / "executed" / path.relative_to(root / "book")
