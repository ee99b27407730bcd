"""Arguments are returned in one form, or refused with a message that names them."""

import numpy as np
import pytest
import torch
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


def refused(error, message, function, *arguments, **options):
    with pytest.raises(error, match=message):
        function(*arguments, **options)


def test_array_keeps_the_type_and_refuses_unequal_rows():
    assert arguments.array(["a", "b"], "x").dtype.kind == "U"
    refused(
        ValueError,
        r"^x must have rows of equal length, got \[\[1\]",
        arguments.array,
        [[1], [2, 3]],
        "x",
    )
    learned = torch.ones(1, requires_grad=True)
    refused(TypeError, "^x must be an array, got tensor", arguments.array, learned, "x")
    refused(
        TypeError, "^x must be an array, got tensor", arguments.array, torch.eye(2).to_sparse(), "x"
    )


def test_letters_in_a_shape():
    assert arguments.real(np.zeros((2, 3)), "x", ("N", 3)).shape == (2, 3)
    assert arguments.finite(np.zeros((2, 2)), "x", ("N", "N")).shape == (2, 2)
    assert arguments.real(5.0, "x", ()).shape == ()
    for shape in ((..., 3), ("N", ...), ("N", ..., 3), (..., "N", 3)):
        assert arguments.real(np.zeros((2, 7, 3)), "x", shape).shape == (2, 7, 3)
    refused(
        ValueError,
        r"x must have shape \(N, N\), got \(2, 3\)",
        arguments.real,
        np.zeros((2, 3)),
        "x",
        ("N", "N"),
    )
    refused(ValueError, r"x must have shape \(..., 3\), got \(\)", arguments.real, 1, "x", (..., 3))
    refused(
        ValueError,
        r"x must have shape \(N, ..., 3\), got \(3,\)",
        arguments.real,
        [1] * 3,
        "x",
        ("N", ..., 3),
    )
    refused(ValueError, r"x must have shape \(N,\), got \(\)", arguments.real, 1, "x", ("N",))


@pytest.mark.parametrize("value", [0, 2.5, np.float32(0.5), np.int8(3)])
def test_number_returns_a_python_float(value):
    result = arguments.number(value, "noise", 0)
    assert (type(result), result) == (float, float(value))


def test_number_refuses():
    for value in (np.nan, np.inf, -np.inf):
        refused(ValueError, "^noise must be finite, got ", arguments.number, value, "noise")
    refused(ValueError, "^noise must be 0 or more, got -0.5$", arguments.number, -0.5, "noise", 0)
    for value in (True, None, "1", 1j, np.complex64(1), [1.0]):
        refused(TypeError, "^noise must be a number, got ", arguments.number, value, "noise")


HUGE = 10**5000  # more digits than Python writes


@pytest.mark.parametrize(
    "call",
    [
        lambda value: arguments.number(value, "n"),
        lambda value: arguments.between(0, value, np.inf, "n"),
        lambda value: arguments.share(value, "n"),
        lambda value: arguments.integer(value, "n"),
        lambda value: arguments.size(value, "n"),
    ],
)
def test_numbers_that_no_computer_holds(call):
    refused(ValueError, "^n must be .* got a number that is too long$", call, HUGE)
    refused(ValueError, "^n must be .* got 1000", call, 10**400)


def test_share_includes_0_and_excludes_1():
    assert arguments.share(0, "dropout") == 0.0
    for value in (1, -0.1, np.nan, np.inf):
        refused(
            ValueError,
            "^dropout must be 0 or more and less than 1, got ",
            arguments.share,
            value,
            "dropout",
        )
    refused(TypeError, "^dropout must be a number, got True$", arguments.share, True, "dropout")


def test_integer_has_a_largest():
    assert arguments.integer(5, "n", 1, 5) == 5
    refused(ValueError, "^n must be at most 5, got 6$", arguments.integer, 6, "n", 1, 5)
    assert arguments.integer(2**63 - 1, "n") == 2**63 - 1
    refused(ValueError, "^n must be at most 9223372036854775807", arguments.integer, 2**63, "n")
    assert arguments.random_generator(2**100).random() == np.random.default_rng(2**100).random()


def test_sizes():
    assert arguments.size(2**24, "width") == 2**24
    assert arguments.size(0, "padding", 0) == 0
    refused(
        ValueError,
        "^width must be at most 16777216, got 16777217$",
        arguments.size,
        2**24 + 1,
        "width",
    )
    refused(ValueError, "^width must be 1 or more, got 0$", arguments.size, 0, "width")
    assert arguments.integers(np.array([3, 1]), "sizes") == [3, 1]
    assert arguments.integers((), "hidden") == []
    refused(
        TypeError, "^sizes must be a sequence of integers, got 3$", arguments.integers, 3, "sizes"
    )
    for value in ("12", {1, 2}, (n for n in (1, 2)), np.array(3)):
        refused(
            TypeError,
            "^sizes must be a sequence of 2 or more integers, got ",
            arguments.integers,
            value,
            "sizes",
            least=2,
        )
    refused(
        ValueError,
        r"^sizes must be a sequence of 2 or more integers, got \[1\]$",
        arguments.integers,
        [1],
        "sizes",
        least=2,
    )
    refused(TypeError, "^sizes must be an integer, got 1.5$", arguments.integers, [1, 1.5], "sizes")
    assert arguments.integers([-3], "ends", item=arguments.integer) == [-3]


def test_flag_takes_no_number():
    assert arguments.flag(np.True_, "causal") is True
    for value in (1, 0, None, "yes", np.array([True])):
        refused(TypeError, "^causal must be True or False, got ", arguments.flag, value, "causal")


def test_choice_names_the_options():
    assert arguments.choice("relu", "activation", ["relu", "gelu"]) == "relu"
    for value in ("swish", None, 1, ["relu"]):
        refused(
            ValueError,
            "^activation must be 'relu' or 'gelu', got ",
            arguments.choice,
            value,
            "activation",
            ("relu", "gelu"),
        )


def test_functions_and_objects():
    assert arguments.function(len, "measure") is len
    refused(
        TypeError,
        "^measure must be a function of x, got 3$",
        arguments.function,
        3,
        "measure",
        "a function of x",
    )
    assert arguments.instance(3, "n", int) == 3
    refused(
        TypeError,
        "^model must be a Module, got Tensor$",
        arguments.instance,
        torch.ones(1),
        "model",
        torch.nn.Module,
    )
    refused(TypeError, "^ax must be an OSError, got int$", arguments.instance, 1, "ax", OSError)


def test_texts():
    assert arguments.texts(iter(["a", ""]), "texts") == ["a", ""]
    assert arguments.texts([], "texts", least=0) == []
    for value in ("one", b"one"):
        refused(
            TypeError,
            "^texts must be a list of texts, got one text, b?'one'$",
            arguments.texts,
            value,
            "texts",
        )
    for value in (None, 3, np.array("a")):
        refused(TypeError, "^texts must be a list of texts, got ", arguments.texts, value, "texts")
    refused(TypeError, r"^texts\[1\] must be a text, got 3$", arguments.texts, ["a", 3], "texts")
    refused(ValueError, "^texts must hold 1 or more, got 0$", arguments.texts, [], "texts")


def test_sentences():
    given = (["a", "b"], ("c",), np.array(["d"]), [])
    assert arguments.sentences(given, "sentences") == [["a", "b"], ["c"], ["d"], []]
    for value in ("one", None, 3):
        refused(
            TypeError,
            "^sentences must be a list of sentences, got ",
            arguments.sentences,
            value,
            "sentences",
        )
    refused(
        TypeError,
        r"^sentences\[1\] must be a list of words, got the text 'b'$",
        arguments.sentences,
        [["a"], "b"],
        "sentences",
    )
    refused(
        TypeError,
        r"^sentences\[0\] must be a list of words, got {'a'}$",
        arguments.sentences,
        [{"a"}],
        "sentences",
    )
    refused(
        TypeError,
        r"^sentences\[0\] must hold texts, got 3$",
        arguments.sentences,
        [["a", 3]],
        "sentences",
    )
    refused(
        ValueError,
        r"^sentences\[0\] must hold words, got an empty text$",
        arguments.sentences,
        [[""]],
        "sentences",
    )
    refused(
        ValueError, "^sentences must hold 1 or more, got 0$", arguments.sentences, [], "sentences"
    )


def test_tensor_compares_type_and_shape():
    x = torch.zeros(2, 3, 5)
    for shape in (("B", "T", 5), (2, 3, 5), (..., 5), ("B", ...), (...,)):
        assert arguments.tensor(x, "x", shape) is x
    whole = torch.zeros(2, dtype=torch.int64)
    assert arguments.tensor(whole, "x", ("N",), dtype=torch.int64) is whole
    refused(
        TypeError,
        "^x must be a Tensor of floating-point numbers, got ndarray$",
        arguments.tensor,
        x.numpy(),
        "x",
        (...,),
    )
    refused(
        TypeError,
        "^x must be a Tensor of floating-point numbers, got torch.int64$",
        arguments.tensor,
        whole,
        "x",
        (...,),
    )
    refused(
        TypeError,
        "^x must be a Tensor of torch.float64, got torch.float32$",
        arguments.tensor,
        x,
        "x",
        (...,),
        dtype=torch.float64,
    )
    refused(
        ValueError,
        r"^x must have the shape \(B, B, 5\), got \(2, 3, 5\)$",
        arguments.tensor,
        x,
        "x",
        ("B", "B", 5),
    )
    refused(
        ValueError,
        r"^x must have the shape \(B, T\), each letter 1 or more, got \(0, 3\)$",
        arguments.tensor,
        x[:0, :, 0],
        "x",
        ("B", "T"),
        least=1,
    )


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_tensor_can_be_asked_to_be_finite(number):
    x = torch.tensor([1.0, number])
    assert arguments.tensor(x, "x", ("N",)) is x
    refused(
        ValueError,
        "^x must be finite, got (nan|inf|-inf)$",
        arguments.tensor,
        x,
        "x",
        ("N",),
        finite=True,
    )
    large = torch.full((4,), 3e38)  # finite, though their sum is not
    assert arguments.tensor(large, "x", ("N",), finite=True) is large


def test_ids_lie_in_the_vocabulary():
    x = torch.tensor([[0, 6]])
    assert arguments.ids(x, "source", 7) is x
    refused(
        ValueError,
        "^source must hold ids from 0 to 6, got 0 to 7$",
        arguments.ids,
        x + torch.tensor([0, 1]),
        "source",
        7,
    )
    refused(
        ValueError,
        "^source must hold ids from 0 to 6, got -1 to 5$",
        arguments.ids,
        x - 1,
        "source",
        7,
    )
    refused(
        TypeError,
        "^source must be a Tensor of torch.int64, got torch.float32$",
        arguments.ids,
        x.float(),
        "source",
        7,
    )
    refused(
        ValueError,
        r"^source must have the shape \(B, T\), each letter 1 or more, got \(1, 0\)$",
        arguments.ids,
        x[:, :0],
        "source",
        7,
    )
    refused(
        ValueError, "^source must hold ids, got none", arguments.ids, x[:, :0], "source", 7, (...,)
    )


class Silent:
    def __repr__(self):
        raise RuntimeError


def test_came_never_fails_and_is_short():
    assert arguments.came([1, 2]) == "[1, 2]"
    assert arguments.came("a\nb") == r"'a\nb'"
    assert arguments.came(Silent()) == "an object of Silent"
    assert arguments.came(HUGE) == "a number that is too long"
    for value in ("x" * 10**6, ["x"] * 1000, np.zeros((9, 9))):
        assert len(arguments.came(value)) == 60


def test_a_sparse_tensor_is_refused():
    with pytest.raises(TypeError, match=r"x must be a dense Tensor, got torch\.sparse_coo"):
        arguments.tensor(torch.eye(2).to_sparse(), "x", ("N", "N"))


def test_what_a_layer_can_read():
    x, layer = torch.zeros(2, 3), torch.nn.Linear(3, 1)
    assert arguments.readable(x, "x", ("B", 3), layer) is x
    half = x.half()
    with pytest.raises(
        TypeError, match=r"x must be a Tensor of torch\.float32, got torch\.float16"
    ):
        arguments.readable(half, "x", ("B", 3), layer)
    assert arguments.readable(half, "x", ("B", 3), torch.nn.Identity()) is half
    with torch.autocast("cpu", torch.bfloat16):
        assert arguments.readable(half, "x", ("B", 3), layer) is half


def test_what_can_be_gone_through():
    assert arguments.listed((1, 2), "x", "a list") == [1, 2]
    for wrong, got in (("ab", "the text 'ab'"), (3, "3")):
        with pytest.raises(TypeError, match=f"x must be a list, got {got}"):
            arguments.listed(wrong, "x", "a list")


def test_a_divisor_divides():
    assert arguments.divisor(3, "n_heads", 6, "d_model") == 3
    with pytest.raises(ValueError, match="n_heads must divide d_model = 6, got 4"):
        arguments.divisor(4, "n_heads", 6, "d_model")
    with pytest.raises(ValueError, match="n_heads must be 1 or more, got 0"):
        arguments.divisor(0, "n_heads", 6, "d_model")


def test_what_fits_comes_back_and_so_does_none():
    mask, cpu = torch.ones(3, dtype=torch.bool), torch.device("cpu")
    assert arguments.fitting(mask, "mask", (2, 3), cpu, torch.bool) is mask
    assert arguments.fitting(None, "mask", (2, 3), cpu, torch.bool) is None
