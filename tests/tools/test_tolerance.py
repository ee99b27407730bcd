"""The comparison of printed outputs: it must let rounding pass, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import tolerance


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("loss 0.3334", "loss 0.3333"),
        ("loss 0.3333", "loss 0.3333"),
        ("accuracy  9.99 %", "accuracy 10.00 %"),
        ("[ 0.1 -0.2]", "[ 0.1 -0.3]"),
        ("w = −0.10", "w = −0.11"),
        ("1.00e-05", "1.01e-05"),
        ("1,234.5 words", "1,234.6 words"),
        ("x1 is 0.5", "x1 is 0.4"),
    ],
)
def test_rounding_passes(new, old):
    assert tolerance.agree(new, old)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("loss 0.3335", "loss 0.3333"),
        ("11 updates", "12 updates"),
        ("accuracy 0.9", "accuracy 0.90 %"),
        ("Loss 0.3", "loss 0.3"),
        ("x1 is 0.5", "x2 is 0.5"),
        ("float32", "float64"),
        ("0.1 0.2", "0.1"),
        ("0.1\n0.2", "0.1 0.2"),
        ("-0.5", "0.5"),
        ("nan", "0.5"),
        ("2.0e-05", "1.0e-05 "),
        ("1.5e-05", "1.5e-04"),
        ("1,235 words", "1,234 words"),
    ],
)
def test_anything_else_fails(new, old):
    assert not tolerance.agree(new, old)


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_text_agrees_with_itself_and_not_with_another_number(value, digits):
    text = f"value {value:.{digits}f}"
    assert tolerance.agree(text, text)
    assert not tolerance.agree(text, f"value {value + 3 * 10.0**-digits:.{digits}f}")


def test_a_tag_widens_the_tolerance_for_its_cell():
    assert tolerance.relative(["E27", "rtol=0.05"]) == 0.05
    assert tolerance.relative(["E27"]) == 0.0
    assert tolerance.agree("104 updates", "100 updates", rtol=0.05)
    assert not tolerance.agree("106 updates", "100 updates", rtol=0.05)
    assert not tolerance.agree("104 words", "100 updates", rtol=0.05)


@pytest.mark.parametrize("tag", ["rtol", "rtol=", "rtol=5%", "rtol=-1"])
def test_a_malformed_tag_is_refused(tag):
    with pytest.raises(ValueError, match=r"must look like rtol=0\.05, got"):
        tolerance.relative([tag])


def test_align_takes_the_old_text_only_where_both_agree():
    old = [{"output_type": "stream", "text": "loss 0.30\n"}, {"data": {"text/plain": "7"}}]
    new = [{"output_type": "stream", "text": "loss 0.31\n"}, {"data": {"text/plain": "8"}}]
    aligned = tolerance.align(new, old)
    assert aligned[0]["text"] == "loss 0.30\n"
    assert aligned[1]["data"]["text/plain"] == "8"
