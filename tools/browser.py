"""Find a browser for the tests of the site; ``python -m tools.browser`` fetches one if needed.

Any browser of the Chromium family will do. The environment variable ``CHROMIUM`` names one; without
it, the search path and the usual places are searched, and last what Playwright has installed. Where
none is found, the tests of the site are skipped, unless ``REQUIRE_BROWSER=1`` is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
MAC = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
WINDOWS = (
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
)


def find() -> str | None:
    """Return the path of a browser of the Chromium family, or None.

    Raises
    ------
    ValueError
        If the environment variable ``CHROMIUM`` names a program that does not exist.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if not found:
            raise ValueError(f"CHROMIUM must name a browser's program, got {named!r}")
        return found
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for path in _usual_places():
        if path.is_file():
            return str(path)
    return _of_playwright()


def required() -> bool:
    """Tell whether a missing browser is an error: ``REQUIRE_BROWSER`` is set, and not to 0."""
    return os.environ.get("REQUIRE_BROWSER", "0") not in ("", "0")


def _usual_places() -> list[Path]:
    """Return where macOS and Windows keep browsers."""
    applications = [Path("/Applications"), Path.home() / "Applications"]
    variables = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
    programs = [Path(os.environ[name]) for name in variables if name in os.environ]
    return [folder / name for folder in applications for name in MAC] + [
        folder / name for folder in programs for name in WINDOWS
    ]


def _of_playwright() -> str | None:
    """Return the browser that Playwright has installed, if it has."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    try:
        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Error:
        return None
    return path if Path(path).is_file() else None


def main() -> int:
    """Fetch a browser if there is none, and print which one will be used; return the exit code."""
    try:
        found = find()
    except ValueError as error:
        print(error, file=sys.stderr)
        return int(required())
    if found is None:
        print("No browser on this machine: fetching Playwright's ...", flush=True)
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])
        found = _of_playwright()
    if found is None:
        print("There is no browser: the tests of the site will be skipped.")
        return int(required())
    print(f"Browser: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
