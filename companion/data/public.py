"""Public data sets, for readers with a network; no chapter needs them.

`load` returns the records of a data set of `DATASETS`. At the first call for a file, `fetch` brings
it into the cache: the folder that the environment variable ``COMPANION_DATA`` names, else that of
the operating system. Nothing is asked of the network before, and nothing afterwards.

A file is written under a temporary name and renamed only when it is complete and its SHA-256 is the
expected one. After a broken connection, only the rest is asked for (``Range``), and only if the
server still has the same version (``If-Range``); what has arrived outlives a kill. Everything goes
over https, or to this machine itself. Processes that want the same file wait for each other.

Checksums: the authors of this course have not seen the files. A SHA-256 is given where two projects
of others publish the same one. Where there is none, the first download is trusted; its SHA-256 is
printed and recorded beside the file, and every later copy must match.

What this module leaves out: access that needs a password, and archives other than zip. Of these,
members are read in memory: nothing is unpacked onto the disk.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from companion import __version__

SILENCE = 30.0  # seconds without a single byte, then the connection counts as broken
LONGEST = 3600.0  # seconds for one file, then the download is given up
ATTEMPTS = 5  # in a row that bring nothing new, then likewise
PAUSE = 0.25  # seconds before the next attempt, doubled for each that brought nothing
REDIRECTS = 10
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

Record = dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file on the web."""

    name: str  # in the cache
    urls: tuple[str, ...]  # tried in this order
    sha256: str | None = None  # None: the first download is trusted
    member: str | None = None  # of a zip archive, if only that is wanted

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name):
            raise ValueError(f"name must be that of a file without a folder, got {self.name!r}")
        if not self.urls or not all(_encrypted(url, url) for url in self.urls):
            raise ValueError(f"urls must be one or more that begin with https, got {self.urls}")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256 must be 64 hexadecimal digits or None, got {self.sha256!r}")


@dataclass(frozen=True)
class Dataset:
    """A public data set."""

    title: str
    licence: str
    citation: str
    files: Mapping[str, File]  # name of a split to the file that holds it
    parse: Callable[[bytes], list[Record]]  # content of a file to records


def load(name: str, split: str | None = None, *, folder: Path | str | None = None) -> list[Record]:
    """Return the records of a public data set; the first call downloads it.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    split : str, optional
        Such as "train" or "test"; by default, the first that the data set has.
    folder : path, optional
        As for `fetch`.

    Returns
    -------
    list of dict
        One per example, in the order of the file; the keys depend on the data set.

    Raises
    ------
    ValueError
        If there is no such data set or split, or the file is not what was expected.
    ConnectionError, TimeoutError
        As `fetch`.
    """
    if name not in DATASETS:
        raise ValueError(f"name must be one of {sorted(DATASETS)}, got {name!r}")
    files = DATASETS[name].files
    chosen = next(iter(files)) if split is None else split
    if chosen not in files:
        raise ValueError(f"split of {name} must be one of {list(files)}, got {split!r}")
    path = fetch(files[chosen], folder=folder)
    try:
        return DATASETS[name].parse(_content(path, files[chosen].member))
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} does not have the format of {name}: {error!r}") from error


def fetch(file: File, *, folder: Path | str | None = None) -> Path:
    """Return the path of a file in the cache; download it if it is not there.

    Parameters
    ----------
    file : File
        Of a data set in `DATASETS`, or one of your own.
    folder : path, optional
        The cache; made if it does not exist. The default is as told above.

    Returns
    -------
    Path
        A complete file with the expected SHA-256: checked at every call. If it has changed since
        it was downloaded, a UserWarning says so, and it is downloaded again.

    Raises
    ------
    ValueError
        If what was downloaded has another SHA-256 than expected; it is not kept.
    ConnectionError, TimeoutError
        If no address could be reached, or none had the file. What has arrived is kept for the next
        call.
    """
    from filelock import FileLock
    from platformdirs import user_cache_path

    if folder is None:
        chosen = os.environ.get("COMPANION_DATA")
        folder = chosen or user_cache_path("perceptron-to-peft", appauthor=False)
    path = Path(folder) / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_beside(path, ".lock")):
        expected = file.sha256 or _recorded(path)
        if path.exists() and expected:
            if _sha256(path) == expected:
                return path
            warnings.warn(f"{path} was damaged and is downloaded again", stacklevel=2)
        problems = []
        for url in file.urls:
            try:
                _obtain(url, path, expected)
                return path
            except (OSError, ValueError) as error:
                problems.append(error)
    for problem in problems[:-1]:
        problems[-1].add_note(f"Before that: {problem}")
    raise problems[-1]


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _obtain(url: str, path: Path, expected: str | None) -> None:
    """Download, check and rename one file; if no checksum is known, record it."""
    part = _beside(path, ".part")
    _download(url, part, checked=bool(expected), until=time.monotonic() + LONGEST)
    found = _sha256(part)
    _beside(part, ".json").unlink(missing_ok=True)
    if found != (expected or found):
        part.unlink()
        raise ValueError(f"{url} must have the SHA-256 {expected}, got {found}: it is not kept")
    if not expected:
        print(f"{path.name} is trusted as it came; from now on its SHA-256 must be {found}")
        record = _beside(path, ".sha256")
        _beside(record, ".part").write_text(f"{found}  {path.name}\n", "utf-8")
        os.replace(_beside(record, ".part"), record)
    os.replace(part, path)


def _download(url: str, part: Path, *, checked: bool, until: float) -> None:
    """Try until a file is complete, or until several attempts in a row brought nothing new."""
    import requests
    from urllib3.exceptions import HTTPError

    failures, most = 0, part.stat().st_size if part.exists() else 0
    with requests.Session() as session:
        session.headers["User-Agent"] = f"perceptron-to-peft/{__version__}"
        session.headers["Accept-Encoding"] = "identity"  # ranges count the bytes that are sent
        while True:
            try:
                return _receive(session, url, part, checked, until)
            except (requests.RequestException, HTTPError) as error:
                arrived = part.stat().st_size if part.exists() else 0
                failures = 0 if arrived > most else failures + 1
                most = max(most, arrived)
                if failures == ATTEMPTS:
                    kind = TimeoutError if "timed out" in str(error) else ConnectionError
                    raise kind(f"{url} could not be downloaded: {error}") from error
            time.sleep(PAUSE * 2**failures)


def _receive(session: Any, url: str, part: Path, checked: bool, until: float) -> None:
    """Make one attempt: go on where the last one broke off, or begin again."""
    import requests

    from companion import progress

    state = _beside(part, ".json")
    version, start = _kept(part, state, url)
    headers = {"Range": f"bytes={start}-", "If-Range": version} if start else {}
    with _open(session, url, headers) as answer:
        tag = answer.headers.get("ETag", "")  # if it is weak, W/"...", only the date counts
        found = tag if tag.startswith('"') else answer.headers.get("Last-Modified")
        status, length = answer.status_code, answer.headers.get("Content-Length")
        total = None if length is None else int(length)
        sent = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if status == 200:
            start = 0
        elif status == 206 and sent and int(sent[1]) == start and found == version:
            total = int(sent[2])
        elif status in (206, 416) and start:
            part.unlink()
            raise requests.RequestException(f"{url} sent another part than was asked for")
        else:
            kind = requests.RequestException if status in TEMPORARY else ConnectionError
            raise kind(f"{url} answered {status} {answer.reason}")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise ConnectionError(f"{url} sent a compressed file that was not asked for")
        if total is None and not checked and "Transfer-Encoding" not in answer.headers:
            raise ConnectionError(f"{url} does not tell its length, and no checksum is known")
        bar = progress.bar(initial=start, total=total, unit="B", unit_scale=True)
        with part.open("ab" if start else "wb") as content, bar:
            if not start:  # the file is empty now: never may the version tell of other bytes
                state.write_text(json.dumps({"url": url, "version": found}), "utf-8")
            while chunk := answer.raw.read1(2**16):  # what is there, without waiting for more
                content.write(chunk)
                bar.update(len(chunk))
                if time.monotonic() > until:
                    raise TimeoutError(f"{url} took more than {LONGEST} seconds")
            content.flush()
            os.fsync(content.fileno())
    if total is not None and part.stat().st_size != total:
        raise requests.RequestException(f"{url} sent {part.stat().st_size} of {total} bytes")


def _kept(part: Path, state: Path, url: str) -> tuple[str | None, int]:
    """Return the version and the number of bytes of what an earlier attempt left, if of use."""
    try:
        earlier = json.loads(state.read_bytes())
        useful = earlier["url"] == url and earlier["version"]
        return (earlier["version"], part.stat().st_size) if useful else (None, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None, 0


def _open(session: Any, url: str, headers: Mapping[str, str]) -> Any:
    """Ask for an address and follow redirections, but never out of the encryption."""
    place = url
    for _ in range(REDIRECTS + 1):
        if not _encrypted(place, url):
            raise ConnectionError(f"{url} leads to {place}, which is not encrypted")
        choices = {"timeout": SILENCE, "stream": True, "allow_redirects": False}
        answer = session.get(place, headers=headers, **choices)
        if not answer.is_redirect:
            return answer
        answer.close()
        place = urljoin(place, answer.headers["Location"])
    raise ConnectionError(f"{url} leads to more than {REDIRECTS} other addresses")


def _encrypted(url: str, first: str) -> bool:
    """Tell whether an address is reached over https, or lies with the first on this machine."""
    places = [urlsplit(url), urlsplit(first)]
    here = all(place.scheme == "http" and place.hostname in LOOPBACK for place in places)
    return here or places[0].scheme == "https"


def _recorded(path: Path) -> str | None:
    """Return the SHA-256 that was recorded when a file was trusted, or None."""
    record = _beside(path, ".sha256")
    return record.read_text("utf-8").partition(" ")[0] if record.exists() else None


def _beside(path: Path, ending: str) -> Path:
    """Return the path of a companion of a file."""
    return path.with_name(path.name + ending)


def _content(path: Path, member: str | None) -> bytes:
    """Read a file, or one member of a zip archive: its name leads to no place on the disk."""
    if member is None:
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(member)


def _nsmc(content: bytes) -> list[Record]:
    """Parse lines of an identifier, a review and 0 or 1, separated by tabs, below a heading."""
    # Not splitlines: a review may hold a character that it takes for the end of a line.
    text = content.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
    heading, *lines = text.split("\n")
    if heading != "id\tdocument\tlabel":
        raise ValueError(f"the first line must name id, document and label, got {heading!r}")
    records = []
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != 3 or cells[2] not in ("0", "1"):
            raise ValueError(f"line {number} must hold three cells, the last 0 or 1, got {line!r}")
        records.append({"id": cells[0], "document": cells[1], "label": int(cells[2])})
    return records


def _klue(content: bytes, keys: tuple[str, ...]) -> list[Record]:
    """Parse a JSON list of objects; keep some of their keys."""
    return [{key: row[key] for key in keys} for row in json.loads(content)]


def _lines(content: bytes) -> list[Record]:
    """Return each line that is not empty."""
    lines = (line.strip() for line in content.decode("utf-8").split("\n"))
    return [{"text": line} for line in lines if line]


PUBLISHED = {  # each by two projects, such as Hugging Face's datasets and TensorFlow Datasets
    "ratings_train.txt": "e03b7d14e9e41be8d464a28057cd25d7396c53e67aa7fd5f7e552c59b0ee2940",
    "ratings_test.txt": "8ac9f64052f11dbf6ae0acb5e038f03d90a76f0eda7820cfb3a92d02edfcebda",
    "klue-nli-v1.1_dev.json": "0699db82be17766b26e199864e6260443e17ec6e91d1870e876419e388f245b1",
    "input.txt": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    "wikitext-2-raw-v1.zip": "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
}


def _web(*urls: str, member: str | None = None) -> File:
    """Return a file on the web, named in the cache after its project and itself."""
    parts = urlsplit(urls[0]).path.split("/")
    return File(f"{parts[2]}-{parts[-1]}", urls, PUBLISHED.get(parts[-1]), member)


RAW = "https://raw.githubusercontent.com"
# At a fixed version, for the sake of the files without a published checksum.
KLUE = f"{RAW}/KLUE-benchmark/KLUE/3efd98708a40ff49251fddde35453f8fbb11f536/klue_benchmark"
KLUE_PAPER = "S. Park et al. (2021), Korean Language Understanding Evaluation, arXiv:2105.09680"
WIKITEXT = (
    "https://huggingface.co/datasets/ggml-org/ci/resolve/main/wikitext-2-raw-v1.zip",
    "https://wikitext.smerity.com/wikitext-2-raw-v1.zip",
)
DATASETS: Mapping[str, Dataset] = {
    "nsmc": Dataset(
        title="Naver sentiment movie corpus: Korean film reviews, 1 positive, 0 negative",
        licence="CC0 1.0",
        citation="L. Park (2016), Naver sentiment movie corpus, https://github.com/e9t/nsmc",
        files={s: _web(f"{RAW}/e9t/nsmc/master/ratings_{s}.txt") for s in ("train", "test")},
        parse=_nsmc,
    ),
    "klue_ynat": Dataset(
        title="KLUE topic classification: Korean headlines with one of seven topics",
        licence="CC BY-SA 4.0",
        citation=KLUE_PAPER,
        files={s: _web(f"{KLUE}/ynat-v1.1/ynat-v1.1_{s}.json") for s in ("train", "dev")},
        parse=partial(_klue, keys=("guid", "title", "label")),
    ),
    "klue_nli": Dataset(
        title="KLUE natural language inference: Korean pairs, entailment, contradiction or neutral",
        licence="CC BY-SA 4.0",
        citation=KLUE_PAPER,
        files={s: _web(f"{KLUE}/klue-nli-v1.1/klue-nli-v1.1_{s}.json") for s in ("train", "dev")},
        parse=partial(_klue, keys=("guid", "premise", "hypothesis", "gold_label")),
    ),
    "tiny_shakespeare": Dataset(
        title="Tiny Shakespeare: one text of 1.1 MB from his plays",
        licence="the texts are in the public domain; the collection comes with char-rnn, MIT",
        citation="A. Karpathy (2015), char-rnn, https://github.com/karpathy/char-rnn",
        files={"train": _web(f"{RAW}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt")},
        parse=lambda content: [{"text": content.decode("utf-8")}],
    ),
    "wikitext2": Dataset(
        title="WikiText-2, raw: English articles of Wikipedia, one paragraph or heading per record",
        licence="CC BY-SA",
        citation="S. Merity et al. (2016), Pointer Sentinel Mixture Models, arXiv:1609.07843",
        files={
            split: _web(*WIKITEXT, member=f"wikitext-2-raw/wiki.{split}.raw")
            for split in ("train", "valid", "test")
        },
        parse=_lines,
    ),
}
"""The data sets, by name.

:meta hide-value:"""
