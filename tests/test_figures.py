"""How the course draws: Hangul without boxes, shapes checked, one mark per thing."""

import warnings

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex
from matplotlib.patches import Circle

from companion import figures


@pytest.fixture
def ax():
    figures.use_style()
    figure, axes = pyplot.subplots()
    yield axes
    pyplot.close(figure)


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_hangul_is_drawn_without_missing_glyphs(ax, caplog, weight):
    ax.set_title("퍼셉트론과 활성화 함수, 뷁 − x₁", weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax.figure.canvas.draw()
    assert caplog.text == "", "matplotlib reports fonts that it does not find by logging"


def test_without_the_font_the_same_test_would_fail(ax):
    ax.set_title("퍼셉트론", family="DejaVu Sans")
    with pytest.warns(UserWarning, match="missing from font"):
        ax.figure.canvas.draw()


def simulated(colour):
    """Return a colour as a reader without green cones sees it (Viénot, Brettel and Mollon 1999)."""
    linear = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]) ** 2.2
    to_cones = np.array(
        [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    )
    long, _, short = to_cones @ linear
    seen = np.array([long, 0.494207 * long + 1.24827 * short, short])
    return np.clip(np.linalg.solve(to_cones, seen), 0, 1) ** (1 / 2.2)


def test_curve_colours_stay_apart_for_colour_blind_readers():
    seen = [simulated(colour) for colour in figures.SEQUENCE]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 0.2
    red, green = simulated("#00a000"), simulated("#c85000")
    assert np.linalg.norm(red - green) < 0.2, "a red and a green that such a reader confuses"


def test_a_network_has_a_circle_per_neuron_and_a_line_per_weight(ax):
    figures.draw_network(ax, [3, 4, 2], layer_names=["in", "hidden", "out"])
    assert sum(isinstance(patch, Circle) for patch in ax.patches) == 9
    assert len(ax.lines) == 3 * 4 + 4 * 2
    assert [text.get_text() for text in ax.texts] == ["in", "hidden", "out"]


def test_weights_show_as_width_and_sign(ax):
    figures.draw_network(ax, [2, 1], weights=[[[2.0, -1.0]]])
    positive, negative = ax.lines
    assert positive.get_linewidth() > negative.get_linewidth()
    assert (positive.get_linestyle(), negative.get_linestyle()) == ("-", "--")
    assert to_hex(positive.get_color()) == figures.COLOURS["blue"].lower()


def test_weights_of_zero_are_drawn_thin(ax):
    figures.draw_network(ax, [2, 1], weights=[np.zeros((1, 2))])
    assert {line.get_linewidth() for line in ax.lines} == {0.3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [3]}, r"sizes must be a sequence of 2 or more integers, got \[3\]"),
        ({"sizes": [3, 0]}, r"sizes must be 1 or more, got 0"),
        ({"sizes": [2, 1], "layer_names": ["in"]}, "layer_names must hold 2, got 1"),
        ({"sizes": [2, 1], "neuron_labels": [["a"], ["b"]]}, r"neuron_labels must hold 2, got 1"),
        (
            {"sizes": [2, 1], "weights": [np.ones((2, 1))]},
            r"weights must have shape \(1, 2\), got \(2, 1\)",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused(ax, arguments, message):
    with pytest.raises(ValueError, match=message):
        figures.draw_network(ax, **arguments)


def test_a_matrix_shows_its_numbers_legibly(ax):
    figures.draw_matrix(ax, [[0.0, 1.0], [-1.0, 0.25]], row_labels=["a", "b"], digits=1)
    assert [text.get_text() for text in ax.texts] == ["0.0", "1.0", "−1.0", "0.2"]
    image = ax.images[0].get_array()
    assert np.allclose(image[0, 0], 1), "zero is white"
    assert image[0, 1, 2] > image[0, 1, 0], "positive is blue"
    assert image[1, 0, 0] > image[1, 0, 2], "negative is vermillion"
    linear = np.where(image > 0.04045, ((image + 0.055) / 1.055) ** 2.4, image / 12.92)
    contrast = (linear @ [0.2126, 0.7152, 0.0722] + 0.05) / 0.05  # of black text, after WCAG
    assert contrast.min() > 5


@pytest.mark.parametrize(
    ("matrix", "labels", "message"),
    [
        ([1.0, 2.0], None, r"matrix must have shape \(R, C\), got \(2,\)"),
        (np.ones((0, 2)), None, r"must not be empty, got the shape \(0, 2\)"),
        ([[np.nan]], None, "matrix must not contain NaN"),
        ([[1.0]], ["a", "b"], "row_labels must hold 1, got 2"),
    ],
)
def test_a_matrix_that_cannot_be_drawn_is_refused(ax, matrix, labels, message):
    with pytest.raises(ValueError, match=message):
        figures.draw_matrix(ax, matrix, row_labels=labels)


def test_curves_differ_in_colour_and_in_line_style(ax):
    x = np.arange(5)
    figures.draw_curves(ax, x, {f"curve {n}": x * n for n in range(6)})
    assert len({line.get_color() for line in ax.lines}) == 6
    assert len({str(line._dash_pattern) for line in ax.lines}) == 6
    assert len(ax.get_legend().get_texts()) == 6


def test_curves_that_do_not_fit_are_refused(ax):
    with pytest.raises(ValueError, match=r"1 to 6 curves, got \{\}"):
        figures.draw_curves(ax, [1], {})
    with pytest.raises(ValueError, match="1 to 6 curves, got"):
        figures.draw_curves(ax, [1], {str(n): [1] for n in range(7)})
    with pytest.raises(ValueError, match=r"curve 'a' must have the shape \(2,\), got \(3,\)"):
        figures.draw_curves(ax, [1, 2], {"a": [1, 2, 3]})


def test_regions_are_coloured_where_the_classifier_says(ax):
    figures.draw_regions(
        ax, lambda p: (p[:, 1] > 0).astype(int), x_range=(0, 1), y_range=(-1, 1), resolution=10
    )
    image = ax.images[0]
    assert image.get_extent() == [0, 1, -1, 1]
    assert image.origin == "lower"
    assert image.get_array()[0].tolist() == [0] * 10
    assert image.get_array()[-1].tolist() == [1] * 10


@pytest.mark.parametrize(
    ("predict", "x_range", "message"),
    [
        (lambda p: np.zeros(3), (0, 1), r"shape \(100,\), got \(3,\)"),
        (
            lambda p: np.full(len(p), 6),
            (0, 1),
            "what predict returns must lie between 0 and 5, got",
        ),
        (lambda p: np.zeros(len(p)), (1, 1), r"x_range must run .* got \(1, 1\)"),
    ],
)
def test_regions_that_cannot_be_drawn_are_refused(ax, predict, x_range, message):
    with pytest.raises(ValueError, match=message):
        figures.draw_regions(ax, predict, x_range=x_range, y_range=(0, 1), resolution=10)


def test_points_have_a_marker_and_a_colour_per_class(ax):
    figures.draw_points(ax, [[0, 0], [1, 1], [2, 2]], [0, 1, 0], names=["no", "yes"])
    assert [len(group.get_offsets()) for group in ax.collections] == [2, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["no", "yes"]


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [
        ([1.0, 2.0], [0, 1], r"shape \(N, 2\), got \(2,\)"),
        ([[0, 0]], [0, 1], r"shape \(1,\), got \(2,\)"),
        ([[0, 0]], [2], "labels must lie between 0 and 1, got"),
    ],
)
def test_points_that_do_not_fit_are_refused(ax, points, labels, message):
    with pytest.raises(ValueError, match=message):
        figures.draw_points(ax, points, labels, names=["no", "yes"])
