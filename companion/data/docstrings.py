"""Real English text: the documentation that comes with Python, NumPy and PyTorch, read in place.

`sentences` finds the docstrings in the source files with `ast` (nothing is imported or executed),
cleans them of code, markup, tables and formulas, and splits what remains into sentences, in a fixed
order and without repetitions: about 40 000 sentences, 3 MB. `documents` keeps the files apart.

The texts differ between versions of Python, NumPy and PyTorch, and a little between operating
systems; so do all numbers computed from them. `read` tells the versions, and a fingerprint that is
the same for the same text. Nothing is copied: the texts belong to their authors, under the licences
that are installed with the packages.

What this module leaves out: text in compiled modules, comments and stub files; fragments without a
full stop. The splitter has a list of English abbreviations; it learns none from the text, unlike
T. Kiss and J. Strunk (2006), Unsupervised multilingual sentence boundary detection.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import inspect
import math
import os
import platform
import re
import sysconfig
import unicodedata
import warnings
from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from itertools import chain, filterfalse, pairwise
from pathlib import Path

from companion import arguments

PACKAGES = ("python", "numpy", "torch")
"""What is read, in this order; "python" is the standard library."""

# Left out: tests, other people's packages, what few versions have, and the compiler's machinery.
FOLDERS = re.compile(
    "tests?|testing|(site|dist)-packages|distutils|encodings|idlelib|lib2to3|turtledemo|"
    "_dynamo|_functorch|_inductor|_vendor"
)
# How packages document what is compiled: by calling these with the text.
CALLS = {"_add_docstr", "add_docstr", "add_docstr_all", "add_newdoc", "add_newdoc_for_scalar_type"}
OWNERS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Corpus:
    """What was read, from which versions, and what could not be read."""

    sentences: tuple[str, ...]  # in order, each once
    versions: dict[str, str]  # of each package; "unknown" where it does not say
    files: int  # that were read
    skipped: dict[str, str]  # files that could not be read or parsed, and why

    @property
    def text(self) -> str:
        """All of it, one sentence per line."""
        return "".join(f"{sentence}\n" for sentence in self.sentences)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(packages: Sequence[str] = PACKAGES) -> Corpus:
    """Read the documentation of packages, as `sentences`, with an account of what was read."""
    found = sentences(packages=packages)
    versions = {name: _version(name) for name in packages}
    _, files, skipped, _ = zip(*map(_package, packages), strict=True)
    return Corpus(tuple(found), versions, sum(files), dict(ChainMap(*skipped)))


def sentences(*, packages: Sequence[str] = PACKAGES, limit: int | None = None) -> list[str]:
    """Return the sentences of the installed documentation, in a fixed order, each once.

    Kept are sentences of 3 to 80 words that begin with a capital letter, end with a full stop,
    question or exclamation mark, and hold almost only letters.

    Parameters
    ----------
    packages : list or tuple of str
        Names of installed packages, read in this order; "python" is the standard library. Within
        a package, the files come in the order of their paths.
    limit : int, optional
        At most so many, from the beginning; later packages are then not even read.

    Returns
    -------
    list of str
        With single spaces, in Unicode's form NFC. Files are read once per process.
    """
    if not isinstance(packages, list | tuple) or not all(isinstance(n, str) for n in packages):
        raise TypeError(
            f"packages must be a list or tuple of names, got {arguments.came(packages)}"
        )
    if not packages:
        raise ValueError("packages must name at least one package, got none")
    most = math.inf if limit is None else arguments.integer(limit, "limit", 0)
    found: dict[str, None] = {}
    for name in packages:
        found |= dict.fromkeys(_package(name)[0])
        if len(found) >= most:
            break
    return list(found)[:limit]


def documents(*, packages: Sequence[str] = PACKAGES) -> dict[str, list[str]]:
    """Return the sentences of each file, under its path: "numpy/linalg/_linalg.py".

    A sentence is in the file where it comes first, and in no other; files without one are left out.
    What stands in one file belongs together: so a text is split by files, not by sentences, into a
    part to learn from and a part to test.
    """
    sentences(packages=packages, limit=0)  # refuses what cannot be read
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name in dict.fromkeys(packages):
        for path, lines in _package(name)[3].items():
            new = [line for line in lines if line not in seen]
            seen.update(new)
            if new:
                found[path] = new
    return found


@cache
def _package(
    name: str,
) -> tuple[tuple[str, ...], int, dict[str, str], dict[str, tuple[str, ...]]]:
    """Read one package; return its sentences, the number of files, those skipped, those read."""
    from companion.progress import bar

    files = sorted(_files(name))
    found: dict[str, None] = {}
    skipped: dict[str, str] = {}
    read: dict[str, tuple[str, ...]] = {}
    gc.freeze()  # else the collector looks through all objects again and again: a third of the time
    for short, path in bar(files, desc=f"reading {name}"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of others' code: it is not ours to mend
                tree = ast.parse(path.read_bytes())
            lines: dict[str, None] = {}
            for paragraph in chain.from_iterable(map(clean, _docstrings(tree.body, tree))):
                lines |= dict.fromkeys(filter(_is_prose, split_sentences(paragraph)))
            read[f"{name}/{short}"] = tuple(lines)
            found |= lines
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            skipped[f"{name}/{short}"] = f"{type(error).__name__}: {error}"
    gc.unfreeze()
    if len(skipped) == len(files):
        raise ValueError(f"packages must be installed as source files, got {name!r} without any")
    return tuple(found), len(files) - len(skipped), skipped, read


def _version(name: str) -> str:
    """Return the version of a package as its installer recorded it."""
    try:
        return platform.python_version() if name == "python" else metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def _files(name: str) -> Iterator[tuple[str, Path]]:
    """Find the source files of a package without importing it; yield path in POSIX form, file."""
    root = sysconfig.get_path("stdlib")
    if name != "python":
        spec = util.find_spec(name) if name.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise ValueError(f"packages must name installed packages, got {name!r}")
        root = next(iter(spec.submodule_search_locations))
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if not FOLDERS.fullmatch(name)]
        for path in (Path(folder, file) for file in files if file.endswith(".py")):
            yield path.relative_to(root).as_posix(), path


def _docstrings(body: list[ast.stmt], owner: ast.AST) -> Iterator[str]:
    """Yield the docstrings in a list of statements, in the order of the text."""
    for place, statement in enumerate(body):
        match statement:
            case ast.Expr(ast.Constant(str() as words)) if not place and isinstance(owner, OWNERS):
                yield words
            case ast.Expr(ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                if getattr(call.func, "id", getattr(call.func, "attr", "")) in CALLS:
                    texts = [node for node in ast.walk(call) if isinstance(node, ast.Constant)]
                    texts.sort(key=lambda node: (node.lineno, node.col_offset))
                    yield from (node.value for node in texts if isinstance(node.value, str))
            case _:
                for name in ("body", "handlers", "orelse", "finalbody"):
                    yield from _docstrings(getattr(statement, name, []), statement)


# From a docstring to paragraphs: what a line can be.
SESSION = re.compile(r">>>|In \[|\$ ")  # it ends with a blank line
UNDERLINE = re.compile(r"([=\-~^\"'#*+:.])\1{2,}$")
TABLE = re.compile(r"(?:[=-]{2,} +)+[=-]{2,}$|\+[-=+]+\+$|\|.*\|$")  # likewise
UNREAD_SECTIONS = {"see also", "references", "methods", "routine listings"}
ADMONITION = re.compile(
    r"\.\. *(?:(?:versionadded|versionchanged|deprecated|admonition)::"
    r"|(?:note|warning|caution|important|tip|hint|seealso):: *(.*))"
)
# "x : array_like, shape (n,)" is dropped. Of "x (int): Number of steps.", "opts -- The options."
# and ":param x: The input." the description stays, as does what follows a bullet.
PARAMETER = re.compile(r"[*`]*[\w.'\"]+[*`]*(?: ?, ?[*`'\"]*[\w.'\"]+[*`'\"]*)* :(?: |$)")
MARKER = re.compile(
    r"^(?:(?:[-*+•]|\(?(?:\d{1,2}|[a-zA-Z])[.)]|#\.) +)?"
    r"(?:(?:[*`]*[a-z_][\w.]*[*`]* ?(?:\((?:[^()]|\([^()]*\))*\))? ?:"
    r"|[\w.()*,\[\]= ]{1,40} --|[:@]\w+(?: [^:]*)?:) +)?(?=\S)"
)
# Markup within a line, and what remains of it: the words that a reader of the page would see.
INLINE = [
    (re.compile(r":[\w:+-]+:(?=`)"), ""),
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`_{0,2}"), r"\1"),
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"`~(?:[^`]*\.)?([^`]*)`"), r"\1"),
    (re.compile(r"`!?([^`]*)`_{0,2}"), r"\1"),
    (re.compile(r" ?\[\w[\w.-]*\]_"), ""),
    (re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]+?)(?<=\S)\1(?![\w*])"), r"\2"),
]
ADDRESS = re.compile(r"(?:https?|ftp)://|www\.|\S@\S+\.\w")


def clean(docstring: str) -> list[str]:
    r"""Return the paragraphs of prose in a docstring, without markup, code and formulas.

    Dropped are examples in code, indented blocks after ``::``, fenced blocks, tables, headings,
    lists of related functions and references, names and types of parameters (their descriptions
    stay), and sentences with an address of the web or of a person.

    Parameters
    ----------
    docstring : str
        As it stands in the source; reStructuredText, or in the habits of NumPy and Google.

    Returns
    -------
    list of str
        In Unicode's form NFC, with single spaces.

    Examples
    --------
    >>> clean("Adds :class:`int`.\n\na : int\n    What is *added*.\n\n>>> add(1, 2)\n3")
    ['Adds int.', 'What is added.']
    """
    if not isinstance(docstring, str):
        raise TypeError(f"docstring must be a string, got {type(docstring).__name__}")
    found = []
    for paragraph in _paragraphs(inspect.cleandoc(docstring).splitlines()):
        for pattern, words in INLINE:
            paragraph = pattern.sub(words, paragraph)
        paragraph = unicodedata.normalize("NFC", " ".join(paragraph.split()))
        if ADDRESS.search(paragraph):
            paragraph = " ".join(filterfalse(ADDRESS.search, split_sentences(paragraph)))
        found.append(paragraph)
    return list(filter(None, found))


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Join lines of the same indentation; after a marker, the next lines may stand deeper."""
    joined, depth, hanging = [], 0, False
    for line in _prose(lines):
        if line and not line[2] and (line[0] == depth or (hanging and line[0] > depth)):
            depth, hanging = line[0], False
            joined.append(line[1])
        else:
            yield " ".join(joined)
            depth, words, hanging = line or (-1, "", False)
            joined = [words]


def _prose(lines: list[str]) -> Iterator[tuple[int, str, bool] | None]:
    """Yield depth and words of a line of prose, and whether it had a marker; else None."""
    hidden = math.inf  # what stands deeper than this is part of a block of code
    fence, skipping, unread = False, False, False
    for line, after in pairwise([*lines, "", ""]):
        words, depth, piece = line.strip(), len(line) - len(line.lstrip()), None
        if fence:
            fence = not words.startswith("```")
        elif not words:
            skipping = False
        elif depth <= hidden and not skipping:
            hidden = math.inf
            if UNDERLINE.match(after.strip()) and not UNDERLINE.match(words):  # a heading
                unread = words.lower().rstrip(":") in UNREAD_SECTIONS
            elif unread or UNDERLINE.match(words) or PARAMETER.match(words):
                pass
            elif words.startswith("```"):
                fence = True
            elif SESSION.match(words) or TABLE.match(words):
                skipping = True
            elif words.startswith(".."):
                admonition = ADMONITION.match(words)
                if admonition is None:
                    hidden = depth
                elif admonition[1]:
                    piece = depth, admonition[1], True
            else:
                if words.endswith("::"):
                    hidden, words = depth, words[:-1]
                rest = MARKER.sub("", words, count=1)
                piece = depth, rest, rest != words
        yield piece


# From a paragraph to sentences.
END = re.compile(r"([.!?…]+)[\"'”’)\]}]*\s+(?=(\S+))")
OPENING = "\"'“‘([{"
NAME = re.compile(r"[a-z_]\w*(?:[._]\w|\()")  # "np.sum is", "out_dtype is": may begin a sentence
# The words around a full stop where the sentence goes on: after an abbreviation; before a number;
# after an initial or a title, unless a usual beginning of a sentence follows ("matrix A. The").
GOES_ON = re.compile(
    r"(?i:e\.g|i\.e|cf|vs|viz|resp|approx|ca|incl|figs?|eqs?|secs?|refs?|vol|pp|dr|mrs?|ms|st) "
    r"|(?i:nos?|p|ch|art) \d"
    r"|(?:al|Inc|Ltd|Corp|[Jj]r|[Ss]r|[ap]\.m|Ph\.D|Prof|(?:[A-Z]\.)*[A-Z]) "
    r"(?!(?:All|Also|Although|An?|And|Any|As|At|Because|But|By|Can|Default|Due|Each|Every|For|From|"
    r"Has|Here|How|However|If|In|Instead|Is|Its?|Let|Must|No|None|Not|Note|Now|On|One|Or|Otherwise|"
    r"Returns?|See|Set|Should|Since|So|Some|Such|That|The|Then|There|Therefore|These|They|This|Thus|"
    r"To|Used?|Using|We|When|Where|Which|While|With|You)\b)"
)


def split_sentences(paragraph: str) -> list[str]:
    """Split a paragraph into sentences by rules for English.

    A full stop ends no sentence inside a number, a version or a dotted name, after an abbreviation
    or an initial, nor before a small letter, unless a name of the code follows.
    Sentences keep their punctuation, with single spaces; where there is no word, there are none.

    Examples
    --------
    >>> split_sentences("Works since version 3.11, cf. Fig. 2. J. Doe (et al.) wrote it. Why?")
    ['Works since version 3.11, cf. Fig. 2.', 'J. Doe (et al.) wrote it.', 'Why?']
    """
    if not isinstance(paragraph, str):
        raise TypeError(f"paragraph must be a string, got {type(paragraph).__name__}")
    words = " ".join(paragraph.split())
    found, start = [], 0
    for place in END.finditer(words):
        if _ends(words[start : place.start()], place[1], place[2]):
            found.append(words[start : place.end()].rstrip())
            start = place.end()
    return [*found, words[start:]] if words[start:] else found


def _ends(before: str, mark: str, after: str) -> bool:
    """Tell whether a mark ends a sentence, from the text before it and the word after it."""
    following = after.lstrip(OPENING)
    last = before.split()[-1].lstrip(OPENING) if before.strip() else ""
    named = NAME.match(following) is not None
    if not (named or following[:1].isupper() or following[:1].isdigit()):
        return False
    if len(mark) > 1 or mark == "…":  # "1, 2, ... N" goes on
        return last[-1:].isalnum() and not named
    if last.isdigit() and last == before.strip():  # the number of an item in a list
        return False
    return mark in "!?" or not GOES_ON.match(f"{last} {following}")


CODE = re.compile(r"[\\=<>{}|`$#^~*@]|(?<! )--|--(?! )|::|%[a-z(]|\[\d|\b[ei]\.[ge]\.$")


def _is_prose(sentence: str) -> bool:
    """Tell whether a sentence is complete, and English rather than code."""
    return (
        sentence.lstrip(OPENING)[:1].isupper()
        and sentence.rstrip("\"'”’)]")[-1:] in {".", "!", "?", "…"}
        and CODE.search(sentence) is None
        and 3 <= len(sentence.split()) <= 80
        and sum(map(str.isalpha, sentence)) + sentence.count(" ") >= 0.8 * len(sentence)
        and all(sentence.count(a) == sentence.count(b) for a, b in ("()", "[]"))
        and sentence.count('"') % 2 == 0
    )
