"""Find a browser for the tests of the site; ``python -m tools.browser`` fetches one if needed.

Any browser of the Chromium family will do. The environment variable ``CHROMIUM`` names one; without
it, the search path is searched, and then Playwright is asked: it knows where each system keeps
Chrome and Edge, and may have fetched a Chromium of its own. Where none is found, the tests of the
site are skipped, unless ``REQUIRE_BROWSER=1`` is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
CHANNELS = ("chrome", "msedge", "chromium")  # as Playwright calls them; the last is its own
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find() -> dict[str, Any] | None:
    """Return the options with which Playwright launches a browser, or None if there is none.

    Raises
    ------
    ValueError
        If the environment variable ``CHROMIUM`` names a program that does not exist.
    """
    named = os.environ.get("CHROMIUM")
    for name in [named] if named else NAMES:
        if found := shutil.which(name):
            return {"executable_path": found, "args": ARGUMENTS}
    if named:
        raise ValueError(f"CHROMIUM must name a browser's program, got {named!r}")
    options = ({"channel": channel, "args": ARGUMENTS} for channel in CHANNELS)
    return next(filter(starts, options), None)


def starts(options: dict[str, Any]) -> bool:
    """Tell whether Playwright can launch a browser with these options."""
    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(**options).close()
        except Error:
            return False
        return True


def required() -> bool:
    """Tell whether a missing browser is an error: ``REQUIRE_BROWSER`` is set, and not to 0."""
    return os.environ.get("REQUIRE_BROWSER", "0") not in ("", "0")


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
        found = find()
    if found is None:
        print("There is no browser: the tests of the site will be skipped.")
        return int(required())
    print(f"Browser: {found.get('executable_path') or found['channel']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
