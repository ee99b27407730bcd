"""Explorers: every frame drawn once, named, and linked to its control."""

import base64
import io

import ipywidgets
import pytest
from ipywidgets.embed import dependency_state
from matplotlib import pyplot
from PIL import Image

from companion import progress
from companion.explorer import explore


def draw(slope=1, colour="red", dash="solid"):
    _, ax = pyplot.subplots(figsize=(3, 2))
    ax.plot([0, 1], [0, slope], color=colour, linestyle=dash)
    ax.set_title(f"slope {slope}")
    return f'A {dash} line of slope {slope}, "{colour}".'


def pictures(widget):
    """Return the alt texts of all frames, in the order of the nested stacks."""
    if isinstance(widget, ipywidgets.HTML):
        return [widget.value.partition('alt="')[2].partition('"')[0]]
    return [text for child in widget.children for text in pictures(child)]


def test_every_combination_is_drawn_once():
    calls = []

    def counted(**values):
        calls.append(tuple(values.values()))
        return draw(**values)

    widget = explore(counted, slope=[0, 1, 2], colour=["red", "blue"], dash=["solid", "dashed"])
    assert len(calls) == len(set(calls)) == 12
    texts = pictures(widget.children[1])
    assert len(texts) == len(set(texts)) == 12
    assert texts[0] == "A solid line of slope 0, &quot;red&quot;."
    assert texts[-1] == "A dashed line of slope 2, &quot;blue&quot;."


def test_the_picture_is_an_image_of_the_figure():
    widget = explore(draw, slope=[0, 1])
    source = widget.children[1].children[0].value
    data = base64.b64decode(source.partition("base64,")[2].partition('"')[0])
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "WEBP"
        assert image.size == (330, 220)
        assert len(set(image.convert("L").tobytes())) > 10, "something is drawn"
    assert 'width="330" height="220"' in source
    assert len(source) < 30_000


def test_numbers_make_sliders_and_texts_make_lists():
    widget = explore(draw, slope=[-1, 0.5], colour=["red", "blue"], start={"slope": 0.5})
    slider, menu = widget.children[0].children
    assert isinstance(slider, ipywidgets.SelectionSlider)
    assert isinstance(menu, ipywidgets.Dropdown)
    assert [label for label, _ in slider.options] == ["−1", "0.5"]
    assert slider.index == 1
    assert widget.children[1].selected_index == 1
    assert widget.children[1].children[1].selected_index == 0


def test_controls_are_linked_in_the_browser():
    widget = explore(draw, slope=[0, 1], colour=["red", "blue"])
    states = dependency_state([widget], drop_defaults=False).values()
    links = [s["state"] for s in states if s["model_name"] == "LinkModel"]
    assert len(links) == 1 + 2, "the outer stack, and one inner stack for each slope"
    assert {tuple(link[end][1] for end in ("source", "target")) for link in links} == {
        ("index", "selected_index")
    }


def test_no_figure_stays_open():
    explore(draw, slope=[0, 1])
    assert pyplot.get_fignums() == []

    def broken(slope):
        draw(slope)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        explore(broken, slope=[0, 1])
    assert pyplot.get_fignums() == []


def test_its_text_form_is_short_and_says_what_it_offers():
    assert repr(explore(draw, slope=[0, 1, 2], colour=["red", "blue"])) == (
        "Explorer(slope: 3 values, colour: 2 values)"
    )


def without_figure(slope):
    return "nothing"


def two_figures(slope):
    draw(slope)
    return draw(slope)


def without_text(slope):
    draw(slope)


def empty_text(slope):
    draw(slope)
    return " "


@pytest.mark.parametrize(
    ("function", "choices", "error", "message"),
    [
        (draw, {}, ValueError, "one to three controls, got 0"),
        (draw, {name: [1, 2] for name in "abcd"}, ValueError, "one to three controls, got 4"),
        (draw, {"slope": [1]}, ValueError, r"'slope' must offer .* two or more values, got \[1\]"),
        (draw, {"colour": "red"}, ValueError, "'colour' must offer a list .* got 'red'"),
        (draw, {"slope": [1, 1]}, ValueError, r"different values, got \[1, 1\]"),
        (draw, {"slope": range(121)}, ValueError, "at most 120 frames, these choices need 121"),
        ("draw", {"slope": [1, 2]}, TypeError, "a function that draws a figure, got str"),
        (without_figure, {"slope": [1, 2]}, ValueError, "one new figure, drew 0 for slope=1"),
        (two_figures, {"slope": [1, 2]}, ValueError, "one new figure, drew 2 for slope=1"),
        (without_text, {"slope": [1, 2]}, TypeError, "alt text, returned NoneType for slope=1"),
        (empty_text, {"slope": [1, 2]}, ValueError, "alt text, returned '' for slope=1"),
    ],
)
def test_what_cannot_be_an_explorer_is_refused(function, choices, error, message):
    with pytest.raises(error, match=message):
        explore(function, **choices)


@pytest.mark.parametrize("start", [{"slop": 1}, {"slope": 3}])
def test_a_start_that_is_not_offered_is_refused(start):
    with pytest.raises(ValueError, match="start must name a control and one of its values, got"):
        explore(draw, start=start, slope=[1, 2])


def test_a_progress_bar_shows_only_to_a_person(monkeypatch, capsys):
    explore(draw, slope=[0, 1])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    explore(draw, slope=[0, 1])
    assert "drawing" in capsys.readouterr().err


def test_an_executing_program_counts_as_nobody(monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COMPANION_UNWATCHED", "1")
    assert progress.is_watched() is False
    monkeypatch.delenv("COMPANION_UNWATCHED")
    assert progress.is_watched() is True
