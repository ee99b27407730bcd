"""Arguments are returned in one form, or refused with a message that names them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from companion import arguments

KINDS = st.sampled_from(["float32", "float64", "int8", "int64", "uint8", "bool"])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)


@given(hnp.arrays(KINDS, SHAPES))
def test_real_keeps_values_and_floating_types(values):
    if np.isnan(values.astype(float)).any():
        with pytest.raises(ValueError, match="x must not contain NaN"):
            arguments.real(values, "x")
        return
    result = arguments.real(values, "x")
    assert result.dtype == (values.dtype if values.dtype.kind == "f" else np.float64)
    np.testing.assert_array_equal(result, values)


@pytest.mark.parametrize("function", [arguments.real, arguments.finite])
def test_what_is_no_real_number_is_refused(function):
    for values in ("a", [1j], [None], np.array(["1"]), np.array([1], "datetime64[s]")):
        with pytest.raises(TypeError, match=r"^x must hold real numbers, got "):
            function(values, "x")
    with pytest.raises(ValueError, match=r"^x must have rows of equal length, got "):
        function([[1], [2, 3]], "x")


def test_real_allows_infinity_and_finite_does_not():
    values = [1.0, -np.inf]
    assert arguments.real(values, "x").tolist() == values
    with pytest.raises(ValueError, match=r"^x must be finite, got -inf$"):
        arguments.finite(values, "x")
    with pytest.raises(ValueError, match=r"^x must not contain NaN, got 2 NaN$"):
        arguments.finite([np.nan, 1, np.nan], "x")


def test_finite_compares_the_shape():
    assert arguments.finite([1, 2], "x", (2,)).shape == (2,)
    with pytest.raises(ValueError, match=r"^x must have shape \(3,\), got \(2,\)$"):
        arguments.finite([1, 2], "x", (3,))


@pytest.mark.parametrize("value", [0, 1, -1, 2.5, np.inf, -np.inf, np.nan, np.float32(1)])
def test_between_excludes_the_limits(value):
    with pytest.raises(ValueError, match=r"^rate must lie between 0 and 1, both excluded, got "):
        arguments.between(0, value, 1, "rate")


def test_between_returns_a_python_float():
    for value in (0.5, np.float32(0.5), 1, np.int64(1)):
        result = arguments.between(0, value, 2, "rate")
        assert type(result) is float
        assert result == value
    for value in (True, "1", None, [0.5], np.array([0.5])):
        with pytest.raises(TypeError, match=r"^rate must be a number, got "):
            arguments.between(0, value, 2, "rate")


def test_integer_returns_a_python_int():
    for value in (3, np.int8(3), np.uint64(3)):
        result = arguments.integer(value, "size", 3)
        assert type(result) is int
        assert result == 3
    for value in (True, np.True_, 3.0, "3", None, np.array([3])):
        with pytest.raises(TypeError, match=r"^size must be an integer, got "):
            arguments.integer(value, "size")
    with pytest.raises(ValueError, match=r"^size must be 3 or more, got 2$"):
        arguments.integer(2, "size", 3)


def test_random_generator_repeats_itself():
    first, second = (arguments.random_generator(7).random(5) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    own = np.random.default_rng(0)
    assert arguments.random_generator(own) is own
    a, b = arguments.random_generator(None), arguments.random_generator(None)
    assert a.random() != b.random()
    with pytest.raises(ValueError, match=r"^seed must be 0 or more, got -1$"):
        arguments.random_generator(-1)
    with pytest.raises(TypeError, match=r"^seed must be an integer, got 1.5$"):
        arguments.random_generator(1.5)
