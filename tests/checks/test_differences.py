"""Properties of comparing and showing: no difference is missed, and what differs is shown."""

from __future__ import annotations

import copy

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from companion.checks import comparing

NUMBERS = st.integers(-(10**6), 10**6) | st.floats() | st.booleans()
VALUES = st.recursive(
    NUMBERS | st.none() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_does_not_differ_from_its_copy(value):
    assert comparing.difference(copy.deepcopy(value), value) is None
    assert comparing.same(copy.deepcopy(value), value)


@given(st.lists(NUMBERS, min_size=1), st.data())
def test_one_changed_entry_is_noticed(values, data):
    index = data.draw(st.integers(0, len(values) - 1))
    changed = [*values]
    changed[index] = "another"
    assert comparing.difference(changed, values) is not None
    assert not comparing.same(changed, values)


@given(VALUES)
def test_shown_on_one_short_line(value):
    text = comparing.show(value)
    assert len(text) <= comparing.WIDTH
    assert len(text.splitlines()) <= 1
    assert all(len(line) <= comparing.WIDTH for line in text.splitlines())


@given(st.floats(-1e300, 1e300), st.integers(-20, 20))
def test_values_that_differ_look_different(value, steps):
    other = value
    for _ in range(abs(steps)):
        other = float(np.nextafter(other, np.copysign(np.inf, steps)))
    others = [1 / 3] * 6
    for got, expected in (
        (value, other),
        ([*others, value], [*others, other]),
        (np.array([*others, value]), np.array([*others, other])),
        (np.array([others, [value] * 6]), np.array([others, [other] * 6])),
    ):
        found = comparing.difference(got, expected)
        assert (found is None) == (value == other)
        assert found is None or found.got != found.expected


def test_shown_briefly_whatever_it_is():
    assert comparing.show([[]]) == "[[]]"
    assert comparing.show(np.zeros((0, 3))) == "[] of shape (0, 3)"
    assert comparing.show({"a": [1, 2], "b": None}) == "{'a': [1, 2], 'b': None}"
    assert comparing.show((1,)) == "(1,)"
    assert comparing.show(1234.5678) == "1235.0"
    assert comparing.show(np.float32(0.1)) == "0.1"
    assert comparing.show(object()) == "an object"
    assert comparing.show(list(range(100))) == "[0, 1, 2, 3, 4, 5, 6, 7, ...]"
    assert comparing.show("word " * 100).endswith("...")


def test_extreme_values_are_compared_too():
    for value in (float("nan"), np.array([np.nan, np.inf]), [float("nan")]):
        assert comparing.difference(copy.deepcopy(value), value) is None
    assert comparing.difference(-1e308, 1e308) is not None
    assert comparing.difference(np.array([-np.inf]), np.array([np.inf])) is not None
    assert comparing.show(torch.tensor([1.5], dtype=torch.bfloat16)) == "[1.5]"
    assert not comparing.same([1, (2,)], [1, [2]])


def test_entry_that_is_not_shown_is_named():
    expected = np.full(8, -12345.678)
    got = expected + np.array([1e-9, 0, 0, 0, 0, 0, 0, 1])
    assert comparing.show(got).endswith("...]")
    for answer, right in ((got, expected), (got.tolist(), expected.tolist())):
        found = comparing.difference(answer, right, (1e-6, 0.0))
        assert found == ("entry [7] = ", "-12345.0", "-12346.0", "")


def test_tolerance_counts_from_the_expected_value():
    assert comparing.difference(104.0, 100.0, (0.04, 0.0)) is None
    assert comparing.difference(104.1, 100.0, (0.04, 0.0)) is not None
    assert comparing.difference(0.009, 0.0, (0.5, 0.01)) is None
    assert comparing.difference(0.011, 0.0, (0.5, 0.01)) is not None
    assert comparing.difference(1_000_001, 1_000_000, (0.1, 1.0)) is not None  # integers: exactly
