"""Explorers: figures with one to three controls that answer on the page, without a kernel.

`explore` draws one frame for every combination of the choices and stacks them behind controls that
are linked in the reader's browser. Nothing is computed when a control moves: the picture lives on
the published page and in JupyterLab alike, and works from the keyboard. What it does not do: draw
values between the choices.

Used by every chapter; first in book/basics/perceptron.ipynb.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from companion import progress
from companion.arguments import came, function

MAXIMUM_FRAMES = 120
FRAME_DPI = 110
QUALITY = 70  # of 100, in lossy WebP: lines stay clean, a frame takes 5 to 12 kB


class Explorer(ipywidgets.VBox):
    """The controls of an explorer above its stack of pictures; made by `explore`."""

    def __repr__(self) -> str:
        """Name the controls and the number of values of each, not the pictures."""
        controls = self.children[0].children
        named = (f"{c.description}: {len(c.options)} values" for c in controls)
        return f"Explorer({', '.join(named)})"


def explore(
    draw: Callable[..., str], *, start: Mapping[str, Any] | None = None, **choices: Sequence[Any]
) -> Explorer:
    """Turn a drawing function into a figure with controls.

    Parameters
    ----------
    draw : callable
        Called once as ``draw(name=value, ...)`` for each combination of choices. Draws one
        matplotlib figure and returns its alt text: what the figure shows, in a sentence.
    start : mapping of str to value, optional
        The choice that each control shows first; for a control that is not named, its first.
    **choices : sequence
        One to three controls: name to the values that it offers, in order. Numbers make a slider,
        strings a drop-down list.

    Returns
    -------
    Explorer
        Make it the last expression of a cell.

    Examples
    --------
    >>> def draw(slope):
    ...     figure, ax = pyplot.subplots(figsize=(2, 1))
    ...     _ = ax.plot([0, 1], [0, slope])
    ...     return f"A line of slope {slope}."
    >>> widget = explore(draw, slope=[0, 1, 2])
    >>> widget
    Explorer(slope: 3 values)
    """
    choices = {name: _offered(name, values) for name, values in choices.items()}
    first = _validate(draw, choices, {} if start is None else start)
    combinations = list(itertools.product(*choices.values()))
    frames = {
        values: _frame(draw, dict(zip(choices, values, strict=True)))
        for values in progress.bar(combinations, desc="drawing")
    }

    controls = {
        name: _control(name, values, values[first[name]]) for name, values in choices.items()
    }

    # All frames share these: else each would bring two kilobytes of its own to the page.
    plain = ipywidgets.HTML()
    shared = {"layout": plain.layout, "style": plain.style}

    def stack(chosen: tuple[Any, ...]) -> ipywidgets.Widget:
        """Stack all frames that begin with the values chosen so far, one level per control."""
        if len(chosen) == len(choices):
            return ipywidgets.HTML(frames[chosen], **shared)
        name = list(choices)[len(chosen)]
        level = ipywidgets.Stack([stack((*chosen, value)) for value in choices[name]])
        level.selected_index = first[name]
        ipywidgets.jslink((controls[name], "index"), (level, "selected_index"))
        return level

    panel = ipywidgets.HBox(list(controls.values()))
    panel.layout.flex_flow = "row wrap"
    explorer = Explorer([panel, stack(())])
    explorer.add_class("explorer")
    return explorer


def _offered(name: str, values: Any) -> tuple[Any, ...]:
    """Return the values that a control offers: two or more different numbers, texts or the like."""
    control = f"control {name!r} must offer a list of two or more values"
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(f"{control}, got {came(values)}")
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence) or len(values) < 2:
        raise ValueError(f"{control}, got {came(values)}")
    for value in values:
        if not isinstance(value, Hashable) or value != value:
            raise ValueError(f"control {name!r} cannot offer {came(value)}")
    if len(set(values)) != len(values):
        raise ValueError(f"control {name!r} must offer different values, got {came(list(values))}")
    return tuple(values)


def _validate(
    draw: Callable[..., str], choices: Mapping[str, Sequence[Any]], start: Mapping[str, Any]
) -> dict[str, int]:
    """Check what `explore` was given; return the index that each control starts with."""
    function(draw, "draw", "a function that draws a figure")
    if not 1 <= len(choices) <= 3:
        got = f"{len(choices)}: {list(choices)}"
        raise ValueError(f"explore needs one to three controls, got {got}")
    frames = math.prod(map(len, choices.values()))
    if frames > MAXIMUM_FRAMES:
        most = f"explore draws at most {MAXIMUM_FRAMES} frames"
        raise ValueError(f"{most}, these choices need {frames}")
    if not isinstance(start, Mapping):
        raise TypeError(f"start must name controls and their values, got {came(start)}")
    for name, value in start.items():
        if name not in choices or not isinstance(value, Hashable) or value not in choices[name]:
            known = f"start must name a control and one of its values, got {name}"
            raise ValueError(f"{known}={came(value)}")
    return {
        name: list(values).index(start.get(name, values[0])) for name, values in choices.items()
    }


def _frame(draw: Callable[..., str], values: dict[str, Any]) -> str:
    """Draw one frame; return it as an HTML image with its alt text."""
    before = set(pyplot.get_fignums())
    where = ", ".join(f"{name}={value!r}" for name, value in values.items())
    try:
        text = draw(**values)
        drawn = [pyplot.figure(number) for number in pyplot.get_fignums() if number not in before]
        if len(drawn) != 1:
            raise ValueError(f"draw must draw one new figure, drew {len(drawn)} for {where}")
        wanted = "draw must return the figure's alt text"
        if not isinstance(text, str):
            raise TypeError(f"{wanted}, returned {type(text).__name__} for {where}")
        if not text.strip():
            raise ValueError(f"{wanted}, returned '' for {where}")
        return _image(drawn[0], text)
    finally:
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)


def _image(figure: Figure, text: str) -> str:
    """Encode a figure as an HTML image element that carries its own data."""
    figure.set_dpi(FRAME_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    webp = io.BytesIO()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image.save(webp, format="webp", quality=QUALITY, method=4)
    data = base64.b64encode(webp.getvalue()).decode("ascii")
    return (
        f'<img alt="{html.escape(text, quote=True)}" width="{image.width}" height="{image.height}" '
        f'src="data:image/webp;base64,{data}">'
    )


def _control(name: str, values: Sequence[Any], first: Any) -> ipywidgets.Widget:
    """Make the control for one choice: a slider for numbers, a drop-down list for texts."""
    label = name.replace("_", " ")
    options = [(_label(value), value) for value in values]
    texts = any(isinstance(value, str) for value in values)
    kind = ipywidgets.Dropdown if texts else ipywidgets.SelectionSlider
    style = {"description_width": "initial"}
    return kind(options=options, value=first, description=label, style=style)


def _label(value: Any) -> str:
    """Write a choice as the control shows it: a true minus sign, no long tails of digits."""
    if isinstance(value, float):
        return f"{value:g}".replace("-", "\N{MINUS SIGN}")
    return str(value) if isinstance(value, str) else str(value).replace("-", "\N{MINUS SIGN}")
