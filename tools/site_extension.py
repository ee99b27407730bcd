"""A small Sphinx extension: what the site needs beyond its theme.

- Sphinx-Thebe, which names a CDN on every page and is not used, is turned off.
- Some buttons of the theme get the name that they show, or a name at all, for screen readers; and
  without JavaScript a page is shown in the light mode, where the theme would show it in none.
- Every picture must have an alt text that somebody wrote: a missing one is a warning, and so
  an error of the build.
- A page with a translator or a language model gets the scripts that bring it to life.
- A hidden cell tagged ``solution`` says so on its button, and a screen reader hears what the
  button says.
"""

from __future__ import annotations

import re
import zlib
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)
# What the theme writes, and what the site needs. The tests of the site notice a theme that changed.
MENDED = [
    # The first script on the page sets the reader's mode; without it, light.
    (re.compile(r'(<html [^>]*data-theme=)"auto"'), r'\1"light"'),
    # A button that shows its name and its keys needs no other name.
    (re.compile(r'(<button class="btn search-button-field[^>]*) aria-label="[^"]*"'), r"\1"),
    # The button's name is "Color mode", not the titles of its three pictures.
    (re.compile(r'(<i class="theme-switch [^>]*) title="[^"]*"'), r"\1"),
    # The arrow that unfolds an entry of the table of contents has no name.
    (re.compile(r"(>([^<>]+)</a><details[^>]*><summary)>"), r'\1 aria-label="Pages of \2">'),
    # An entry of the bibliography is an item of its list.
    (re.compile(r'role="doc-biblioentry"'), 'role="listitem"'),
]
# What a page holds, and the scripts that bring it to life.
SCRIPTS = {
    'class="translator"': ("transformer.js", "translator.js"),
    'class="look-inside"': ("transformer.js", "language_model.js", "look_inside.js"),
}
HASHED = re.compile(r"^(.*/)?[0-9a-f]{32,}(\.\w+)?$")


def turn_off_thebe(app: Sphinx, config: Config) -> None:
    """Take Sphinx-Thebe's scripts, style sheet and page settings off the site."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if one.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files[:] = [
        one for one in app.registry.css_files if one[0] != "sphinx-thebe.css"
    ]


def mend_pages(app: Sphinx) -> None:
    """Apply `MENDED` to each page that is written."""
    bridge = getattr(app.builder, "templates", None)
    if bridge is None:  # not a builder of HTML
        return
    render = bridge.render

    def render_mended(template: str, context: dict[str, Any]) -> str:
        page = render(template, context)
        for pattern, replacement in MENDED:
            page = pattern.sub(replacement, page)
        return page

    bridge.render = render_mended


def require_alt_text(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of each picture whose alt text is missing or only a file name."""
    for image in doctree.findall(nodes.image):
        text = str(image.get("alt", "")).strip()
        if not text or HASHED.match(text) or text == image.get("uri"):
            logger.warning(
                "a picture has no alt text: set mystnb.image.alt in the cell's metadata",
                location=image,
                type="course",
                subtype="alt",
            )


def name_solutions(app: Sphinx, doctree: nodes.document) -> None:
    """Label the button of each hidden solution."""
    for cell in doctree.findall(nodes.container):
        if "tag_solution" in cell["classes"] and "prompt_show" in cell:
            cell["prompt_show"], cell["prompt_hide"] = "Show the solution", "Hide the solution"


def load_models(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load the scripts of the models that a page holds; the models come from the chapters."""
    for mark, scripts in SCRIPTS.items():
        if mark in context.get("body", ""):
            for script in scripts:
                app.add_js_file(script, defer="defer")


def visit_hidden_cell(self: Any, node: HideCodeCellNode) -> None:
    """Begin a hidden cell: its button is named by its visible text alone."""
    classes = " ".join([*node["classes"], "hide"])
    self.body.append(
        f'<details class="{classes} admonition"><summary>'
        f'<p class="collapsed admonition-title">{escape(node["prompt_show"])}</p>'
        f'<p class="expanded admonition-title">{escape(node["prompt_hide"])}</p></summary>\n'
    )


def depart_hidden_cell(self: Any, node: HideCodeCellNode) -> None:
    """End a hidden cell."""
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.setup_extension("myst_nb")
    app.connect("config-inited", turn_off_thebe)
    app.connect("builder-inited", mend_pages)
    app.connect("doctree-read", require_alt_text)
    app.connect("doctree-read", name_solutions)
    app.connect("html-page-context", load_models)
    hidden = (visit_hidden_cell, depart_hidden_cell)
    app.add_node(HideCodeCellNode, override=True, html=hidden)
    return {
        "env_version": zlib.crc32(Path(__file__).read_bytes()),  # a change here renews every page
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
