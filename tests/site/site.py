"""What the tests of the site share: where it is, its pages, and visits to them in a browser."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Page, ViewportSize

ROOT = Path(__file__).resolve().parents[2]
# The built site; the environment variable SITE names another copy of it.
HTML = Path(os.environ.get("SITE") or ROOT / "_build" / "html")
AXE = ROOT / "_build" / "vendor" / "tests" / "axe-core" / "axe.min.js"
NOT_BUILT = f"there is no site in {HTML.name}/: run `make book` first"

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

# The widget manager's validator remarks on the manager's own schema; it cannot be configured.
HARMLESS = (
    "strict mode: use allowUnionTypes to allow union type keyword at "
    '"#/properties/state/additionalProperties/properties/buffers/items/properties/path/items" '
    "(strictTypes)"
)

# Wait until every explorer is drawn and every formula is set, but not forever: tests come after.
SETTLE = """async (view) => {
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  const expected = document.querySelectorAll(`script[type="${view}"]`).length;
  const drawn = () => document.querySelectorAll(".explorer img").length;
  for (let i = 0; i < 200 && expected && !drawn(); i++) await pause(50);
  if (expected) await pause(300);
  await window.MathJax?.startup?.promise;
}"""

# Open everything that is hidden in the article.
OPEN = "for (const one of document.querySelectorAll('article details')) one.open = true"

# Coloured code has thousands of tokens, which axe-core takes a long time for: keep the first of
# each kind in each kind of block, and make the others plain text.
THIN = """() => {
  const kinds = new Set();
  for (const token of document.querySelectorAll("pre span[class]")) {
    const around = ["[class*=highlight-]", ".cell"].map((selector) => token.closest(selector));
    const kind = [token, token.parentElement, ...around].map((one) => one?.className).join("/");
    if (kinds.has(kind)) token.replaceWith(...token.childNodes);
    else kinds.add(kind);
  }
}"""


def _pages() -> list[str]:
    """Return the addresses of all pages; ``index.html`` only leads to the first of them."""
    found = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html"))
    return [name for name in found if not name.startswith("_static/") and name != "index.html"]


# Where nothing is built, the tests run on this one page, and fail with the message NOT_BUILT.
PAGES = _pages() or ["index.html"]
CHAPTERS = [
    name for name in PAGES if (HTML / "_sources" / name).with_suffix(".ipynb").exists()
] or ["index.html"]


@cache
def soup(name: str) -> BeautifulSoup:
    """Return a page as it was written, without what scripts add to it."""
    return BeautifulSoup((HTML / name).read_text("utf-8"), "html.parser")


@dataclass
class Visit:
    """A page in a browser, and everything that went wrong since it was opened."""

    page: Page
    address: str  # of the server
    messages: list[str] = field(default_factory=list)  # console errors and warnings, exceptions
    failures: list[str] = field(default_factory=list)  # requests without a good answer
    foreign: list[str] = field(default_factory=list)  # requests that leave this machine

    @classmethod
    def begin(cls, context: BrowserContext, address: str, name: str) -> Visit:
        """Open a page and wait until its scripts have done their work."""
        visit = cls(context.new_page(), address)
        page = visit.page
        page.on("console", lambda message: visit._note(message.type, message.text))
        page.on("pageerror", lambda error: visit.messages.append(f"exception: {error}"))
        page.on("request", lambda request: visit._request(request.url))
        page.on("requestfailed", lambda request: visit.failures.append(f"no answer: {request.url}"))
        page.on("response", lambda response: visit._response(response.status, response.url))
        page.goto(f"{address}/{name}")
        page.evaluate(SETTLE, VIEW)
        return visit

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and text != HARMLESS:
            self.messages.append(f"{kind}: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.address + "/", "data:", "blob:")):
            self.foreign.append(url[:200])

    def _response(self, status: int, url: str) -> None:
        if status >= 400:
            self.failures.append(f"{status}: {url}")

    def resize(self, size: ViewportSize) -> None:
        """Change the window, and wait until the theme has noticed (it waits 300 ms itself)."""
        self.page.set_viewport_size(size)
        self.page.wait_for_timeout(400)


# The rules of axe-core whose outcome depends on colours.
COLOURS = ["color-contrast", "link-in-text-block"]


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe-core finds serious or critical, with everything that is hidden opened.

    Without `rules`, all of its rules are held.
    """
    page.evaluate(OPEN)
    page.evaluate(THIN)
    page.wait_for_timeout(400)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    return page.evaluate(
        """async (rules) => {
          const which = rules ? { runOnly: rules } : {};
          const result = await axe.run(document, { resultTypes: ["violations"], ...which });
          return result.violations
            .filter((one) => ["serious", "critical"].includes(one.impact))
            .flatMap(({ id, nodes }) => nodes.map(
              (node) => `${id}: ${node.target} ${node.html.slice(0, 120)}`));
        }""",
        rules,
    )
