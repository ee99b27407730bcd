"""The built site on a server of its own, and a browser to visit it with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools import browser as browsers

from .site import HTML, NOT_BUILT


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Path:
    """The folder of the built site."""
    if not (HTML / "index.html").exists():
        pytest.fail(NOT_BUILT, pytrace=False)
    return HTML


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of a server of the built site."""
    handler = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


# One browser per module, not per session: while it runs, an event loop runs in its thread, which
# would disturb other tests.
@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[Browser]:
    """A headless browser; without one, skip, or fail where it is required."""
    options = browsers.find()
    if options is None:
        reason = "there is no browser: run `python -m tools.browser`, or set CHROMIUM to its path"
        if browsers.required():
            pytest.fail(f"REQUIRE_BROWSER is set, but {reason}", pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(**options)
        yield one
        one.close()
