"""How the course draws: one style, one set of colours, and the drawings that chapters share.

The colours are the eight of Okabe and Ito, which stay apart for colour-blind readers; curves differ
in line style and points in marker as well, so that no figure depends on colour alone. Hangul is
drawn with NanumGothic, taken glyph by glyph where the Latin font has none. Every helper draws into
axes, `ax`, that it is given, and leaves titles, sizes and saving to its caller.

References: M. Okabe and K. Ito (2008), Color Universal Design.

Used by every chapter; first in book/basics/perceptron.ipynb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import cycle, pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np
from cycler import cycler
from matplotlib import font_manager, pyplot
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, is_color_like, to_rgb
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from companion.arguments import array, came, finite, function, instance, integer, integers, size

COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}
"""The Okabe-Ito colours, name to hexadecimal code."""

SEQUENCE = tuple(
    COLOURS[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky")
)
"""The order in which curves and classes take their colours."""

MARKERS = ("o", "s", "^", "D", "v", "P")
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))


def use_style() -> None:
    """Set the course's matplotlib style for all figures that follow, Hangul included."""
    # The package is only a carrier of its fonts: it is found, not imported.
    carrier = find_spec("koreanize_matplotlib")
    if carrier is None or not carrier.submodule_search_locations:
        raise ImportError("the font for Hangul is missing: install koreanize-matplotlib")
    folder = Path(carrier.submodule_search_locations[0]) / "fonts"
    known = font_manager.fontManager.ttflist
    for name, weight in (("NanumGothic.ttf", 400), ("NanumGothicBold.ttf", 700)):
        font = str(folder / name)
        if all(entry.fname != font for entry in known):
            font_manager.fontManager.addfont(font)
            # The bold file calls itself semi-bold (600): matplotlib would report it as not bold.
            known[-1] = replace(known[-1], weight=weight)
    pyplot.rcParams.update(
        {
            "font.family": ["DejaVu Sans", "NanumGothic"],
            "font.size": 10.0,
            "axes.titlesize": 11.0,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=SEQUENCE),
            "axes.unicode_minus": False,
            "axes.grid": False,
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "figure.figsize": (6.4, 3.6),
            "figure.dpi": 110.0,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
        }
    )


def draw_network(
    ax: Axes,
    sizes: Sequence[int],
    *,
    layer_names: Sequence[str] | None = None,
    neuron_labels: Sequence[Sequence[str]] | None = None,
    weights: Sequence[ArrayLike] | None = None,
) -> None:
    """Draw a fully connected network: one column of circles per layer, one line per weight.

    `sizes` are the neurons per layer, input layer first; `layer_names` stand under the layers, and
    `neuron_labels`, per layer one text per neuron, inside the circles. With `weights`, one array of
    shape (n_outputs, n_inputs) between each two layers, a line is as wide as its weight is large:
    blue and solid if positive, vermillion and dashed if negative.
    """
    instance(ax, "ax", Axes)
    sizes = integers(sizes, "sizes", least=2)
    names = [] if layer_names is None else _texts(layer_names, "layer_names", len(sizes))
    if neuron_labels is not None:
        labels = zip(_items(neuron_labels, "neuron_labels", len(sizes)), sizes, strict=True)
        neuron_labels = [_texts(texts, "neuron_labels", count) for texts, count in labels]
    arrays = None
    if weights is not None:
        shapes = zip(sizes[1:], sizes[:-1], strict=True)
        given = _items(weights, "weights", len(sizes) - 1)
        arrays = [finite(*pair) for pair in zip(given, repeat("weights"), shapes)]

    gap, spacing, radius = 3.0, 1.0, 0.32
    places = [
        [(gap * layer, spacing * ((size - 1) / 2 - index)) for index in range(size)]
        for layer, size in enumerate(sizes)
    ]
    largest = max((float(np.abs(array).max()) for array in arrays), default=1.0) if arrays else 1.0
    for layer, (sources, targets) in enumerate(pairwise(places)):
        for row, target in enumerate(targets):
            for column, source in enumerate(sources):
                value = 0.0 if arrays is None else float(arrays[layer][row, column])
                style = {"color": "0.55", "linewidth": 0.9}
                if arrays is not None:
                    style = {
                        "color": COLOURS["blue" if value >= 0 else "vermillion"],
                        "linestyle": "-" if value >= 0 else "--",
                        "linewidth": 0.3 + 3.0 * abs(value) / (largest or 1.0),
                    }
                ax.plot(*zip(source, target, strict=True), zorder=1, **style)
    for layer, column in enumerate(places):
        for index, place in enumerate(column):
            ax.add_patch(Circle(place, radius, facecolor="white", edgecolor="black", zorder=2))
            if neuron_labels is not None:
                ax.text(*place, neuron_labels[layer][index], ha="center", va="center", zorder=3)
    bottom = -spacing * (max(sizes) - 1) / 2
    for layer, name in enumerate(names):
        ax.text(gap * layer, bottom - 0.65, name, ha="center", va="top")
    ax.set_xlim(-1.0, gap * (len(sizes) - 1) + 1.0)
    ax.set_ylim(bottom - (1.6 if names else 0.6), -bottom + 0.6)
    ax.set_aspect("equal")
    ax.axis("off")


def draw_matrix(
    ax: Axes,
    matrix: ArrayLike,
    *,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    digits: int = 2,
) -> None:
    """Draw a matrix as coloured cells with their numbers in them.

    Colours run from white to blue; if a number is negative, from vermillion through white at zero
    to blue. The finite numbers, shape (R, C), are written with `digits` after the point; there are
    R row labels and C column labels, by default their numbers.
    """
    instance(ax, "ax", Axes)
    values = finite(matrix, "matrix", ("R", "C"))
    if values.size == 0:
        raise ValueError(f"matrix must not be empty, got the shape {values.shape}")
    R, C = values.shape
    row_labels = _texts(range(R) if row_labels is None else row_labels, "row_labels", R)
    column_labels = _texts(range(C) if column_labels is None else column_labels, "column_labels", C)
    digits = integer(digits, "digits", 0, 20)
    largest = float(np.abs(values).max()) or 1.0
    share = np.abs(values)[..., None] / largest * 0.8  # (R, C, 1): 0 is white
    tone = np.where(values[..., None] >= 0, to_rgb(COLOURS["blue"]), to_rgb(COLOURS["vermillion"]))
    cells = 1 - share * (1 - tone)  # (R, C, 3)
    ax.imshow(cells, aspect="equal")
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        # Black on the darkest cell still has a contrast of more than 5 : 1.
        ax.text(column, row, text, ha="center", va="center", color="black")
    ax.set_xticks(range(C), column_labels)
    ax.set_yticks(range(R), row_labels)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def draw_curves(ax: Axes, x: ArrayLike, curves: Mapping[str, ArrayLike]) -> None:
    """Draw one to six curves, each in its own colour and line style, with a legend.

    `x` holds the common horizontal values, shape (N,), and `curves` the name of each curve with its
    vertical values, shape (N,); NaN and infinity leave a gap.
    """
    instance(ax, "ax", Axes)
    horizontal = _heights(x, "x", None)
    if not isinstance(curves, Mapping) or not 1 <= len(curves) <= len(SEQUENCE):
        raise ValueError(f"curves must name 1 to {len(SEQUENCE)} curves, got {came(curves)}")
    for (name, y), colour, style in zip(curves.items(), cycle(SEQUENCE), cycle(LINE_STYLES)):
        vertical = _heights(y, f"curve {name!r}", horizontal.shape)
        ax.plot(horizontal, vertical, label=name, color=colour, linestyle=style)
    ax.legend()


def draw_regions(
    ax: Axes,
    predict: Callable[[np.ndarray], ArrayLike],
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    resolution: int = 200,
) -> None:
    """Colour the plane by the class that a classifier predicts there.

    `predict` takes points, shape (resolution**2, 2), and returns their classes 0, 1, ..., shape
    (resolution**2,). `x_range` and `y_range` are a lower and an upper end each.
    """
    instance(ax, "ax", Axes)
    function(predict, "predict", "a function of points")
    for name, ends in (("x_range", x_range), ("y_range", y_range)):
        low, high = finite(ends, name, (2,))
        if not low < high:
            raise ValueError(f"{name} must run from a lower to a higher number, got {came(ends)}")
    resolution = size(resolution, "resolution")
    horizontal, vertical = np.meshgrid(
        np.linspace(*x_range, resolution), np.linspace(*y_range, resolution)
    )
    points = np.column_stack([horizontal.ravel(), vertical.ravel()])  # (resolution**2, 2)
    classes = _classes(predict(points), "what predict returns", len(points), len(SEQUENCE))
    ax.imshow(
        classes.reshape(horizontal.shape),
        extent=(*x_range, *y_range),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=ListedColormap([pale(colour) for colour in SEQUENCE]),
        vmin=0,
        vmax=len(SEQUENCE) - 1,
        zorder=0,
    )
    ax.set_xlim(*x_range)
    ax.set_ylim(*y_range)


def draw_points(
    ax: Axes, points: ArrayLike, labels: ArrayLike, *, names: Sequence[str] | None = None
) -> None:
    """Draw points, shape (N, 2), each class with its own colour and marker.

    `labels`, shape (N,), are the classes 0, 1, ...; `names`, one per class, make a legend.
    """
    instance(ax, "ax", Axes)
    places = finite(points, "points", ("N", 2))
    names = None if names is None else _texts(names, "names")
    count = len(SEQUENCE) if names is None else min(len(names), len(SEQUENCE))
    classes = _classes(labels, "labels", len(places), count)
    for label in np.unique(classes):
        ax.scatter(
            *places[classes == label].T,
            color=SEQUENCE[label],
            marker=MARKERS[label],
            edgecolor="white",
            linewidth=0.8,
            s=60,
            label=None if names is None else names[label],
            zorder=3,
        )
    if names is not None:
        ax.legend()


def pale(colour: str) -> tuple[float, float, float]:
    """Return a colour mixed with three parts of white, as red, green and blue from 0 to 1."""
    if not isinstance(colour, str) or not is_color_like(colour):
        raise ValueError(f"colour must be a name or code of a colour, got {came(colour)}")
    red, green, blue = (0.75 + 0.25 * channel for channel in to_rgb(colour))
    return red, green, blue


def _items(values: Any, name: str, count: int | None = None) -> list[Any]:
    """Return a list of as many as there must be."""
    listed = isinstance(values, Sequence) or (isinstance(values, np.ndarray) and values.ndim > 0)
    if isinstance(values, str | bytes) or not listed:
        raise TypeError(f"{name} must be a list, got {came(values)}")
    if count is not None and len(values) != count:
        raise ValueError(f"{name} must hold {count}, got {len(values)}")
    return list(values)


def _texts(values: Any, name: str, count: int | None = None) -> list[str]:
    """Return what is to be written at things, as many as there are."""
    return [str(value) for value in _items(values, name, count)]


def _heights(values: Any, name: str, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return numbers, shape (N,); NaN and infinity leave a gap in a curve."""
    numbers = array(values, name)
    if numbers.dtype.kind not in "iubf":
        raise TypeError(f"{name} must hold real numbers, got {numbers.dtype}")
    if numbers.ndim != 1 or (shape is not None and numbers.shape != shape):
        raise ValueError(f"{name} must have the shape {shape or '(N,)'}, got {numbers.shape}")
    return numbers.astype(float)


def _classes(values: Any, name: str, count: int, n_classes: int) -> np.ndarray:
    """Return a class from 0 to `n_classes` - 1 for each point."""
    classes = finite(values, name, (count,)).astype(int)
    if ((classes < 0) | (classes >= n_classes) | (classes != array(values, name))).any():
        raise ValueError(f"{name} must lie between 0 and {n_classes - 1}, got {came(values)}")
    return classes
