"""Pages: what goes into a page of the book beside text and figures.

A notebook makes a piece of HTML, and hands it to another page of the book, which shows it. Data
stands in it as JSON; there is no code in it.

Used first in book/transformer/translation.ipynb.
"""

from __future__ import annotations

import json
from typing import Any

PREFIX = "application/papermill.record/"  # of what is for another page


def as_json(data: Any) -> str:
    r"""Return data as JSON that can stand in a script element: nothing in it can end the element.

    Examples
    --------
    >>> as_json({"word": "</script>"})
    '{"word":"\\u003c/script>"}'
    """
    try:
        written = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"data must hold what JSON can: {error}") from None
    return written.replace("<", "\\u003c")


def publish(html: str, *, name: str) -> None:
    """Hand a piece of HTML to the book, of which another page shows it under its name.

    A notebook shows nothing. This is ``myst_nb.glue(name, HTML(...), display=False)`` without the
    tools that build the book, which readers need not have.
    """
    from IPython.display import display  # only in a notebook

    for what, text in {"html": html, "name": name}.items():
        if not isinstance(text, str):
            raise TypeError(f"{what} must be a text, got {type(text).__name__}")
    display(
        {PREFIX + "text/html": html},
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": PREFIX}},
    )
