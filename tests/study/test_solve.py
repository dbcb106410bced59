"""study.solve: every solution checks, none within the searched range is missed, and the answers of the decks."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.sizes import counting
from tinycnn import functional as F
from tinycnn.errors import ArgumentError
from tinycnn.study.solve import SEARCH, invert_convolution, same_padding_of, solve


@given(size=st.integers(1, 20), output=st.integers(1, 20), dilation=st.integers(1, 2))
def test_all_convolutions_are_found_and_no_other(size, output, dilation):
    found = solve("conv", size=size, output=output, kernel=range(1, 5), stride=range(1, 4), padding=range(3), dilation=dilation)
    expected = {(k, s, p) for k, s, p in product(range(1, 5), range(1, 4), range(3)) if counting.windows(size, k, s, p, p, dilation) == output}
    assert [tuple(each.values.values()) for each in found.solutions] == sorted(expected)


@given(size=st.integers(1, 12), output=st.integers(1, 24), kernel=st.integers(1, 4))
def test_all_transposed_convolutions_are_found(size, output, kernel):
    found = solve("conv_transpose", size=size, output=output, kernel=kernel, stride=[1, 2, 3], padding="?", output_padding="?")
    expected = {
        (s, p, behind)
        for s, p, behind in product((1, 2, 3), SEARCH["padding"], SEARCH["output_padding"])
        if counting.painted(size, kernel, s, p, p, 1, behind) == output
    }
    assert {tuple(each.values.values()) for each in found.solutions} == expected


@given(output=st.integers(1, 9), kernel=st.integers(1, 4), stride=st.integers(1, 4), padding=st.integers(0, 2), ceil=st.booleans())
def test_all_input_sizes_are_found(output, kernel, stride, padding, ceil):
    for operator, count in (("conv", lambda size: counting.windows(size, kernel, stride, padding, padding, 1) or None),
                            ("pool", lambda size: counting.pooled(size, kernel, stride, padding, padding, 1, ceil))):  # fmt: skip
        found = solve(operator, output=output, kernel=kernel, stride=stride, padding=padding, ceil_mode=ceil and operator == "pool")
        assert [each.values["size"] for each in found.solutions] == [size for size in range(1, 60) if count(size) == output]


@given(size=st.integers(1, 14), kernel=st.integers(1, 5), stride=st.integers(1, 4), padding=st.integers(0, 2))
def test_the_inverse_brings_the_size_back(size, kernel, stride, padding):
    if size + 2 * padding < kernel:
        with pytest.raises(ArgumentError, match="the convolution itself does not fit"):
            invert_convolution(size, kernel, stride, padding)
        return
    found = invert_convolution(size, kernel, stride, padding)
    with tinycnn.use_kernels("reference"):
        down = F.conv1d(np.ones((1, 1, size)), np.ones((1, 1, kernel)), None, stride, padding)
        back = F.conv_transpose1d(down, np.ones((1, 1, kernel)), None, stride, padding, found.solutions[0].values["output_padding"])
    assert back.shape[-1] == size


def test_numbers_of_the_decks():
    assert [each.values for each in solve("conv", size=7, output="same", kernel=[3, 5, 7], padding="?").solutions] == [
        {"kernel": 3, "padding": 1}, {"kernel": 5, "padding": 2}, {"kernel": 7, "padding": 3},
    ]  # fmt: skip
    assert {"kernel": 3, "stride": 1} in [each.values for each in solve("conv", size=7, output=5, kernel="?", stride="?").solutions]
    assert [each.values for each in solve("conv", size=32, output=28, kernel="?", stride=1).solutions] == [{"kernel": 5}]
    # W5: both 7 and 8 give 4; output_padding chooses.
    found = invert_convolution(8, 3, 2, 1)
    assert found.solutions[0].values == {"output_padding": 1} and "sizes 7 to 8 all give 4" in found.notes[1]
    assert invert_convolution(7, 3, 2, 1).solutions[0].values == {"output_padding": 0}


def test_even_kernels_are_answered_unevenly():
    found = solve("conv", size=8, output="same", kernel=[2, 3, 4], padding="?")
    assert [each.values for each in found.solutions] == [{"kernel": 3, "padding": 1}]
    assert [note.split(":")[0] for note in found.notes] == ["kernel 2, stride 1", "kernel 4, stride 1"]
    assert "1 before and 2 after" in found.notes[1]
    assert "0 before and 1 after keeps every size" in same_padding_of(2)
    assert "padding 2 on each side keeps every size" in same_padding_of(3, 2)


def test_exact_and_nothing():
    loose = solve("conv", size=7, output=2, kernel=3, stride="?")
    assert [each.values["stride"] for each in loose.solutions] == [3, 4]
    assert [each.values["stride"] for each in solve("conv", size=7, output=2, kernel=3, stride="?", exact=True).solutions] == [4]
    nothing = solve("conv", size=7, output=20, kernel="?")
    assert "found     nothing" in nothing.text() and nothing.searched == {"kernel": "1 to 11"}
    many = solve("conv", size=32, kernel="?", stride="?", padding="?")
    assert f"and {len(many.solutions) - 40:,} more" in many.text()


@pytest.mark.parametrize(
    ("operator", "options", "words"),
    [
        ("dense", {}, "operator must be one of conv, pool, conv_transpose"),
        ("conv", {}, "input size and output are both unknown"),
        ("conv", {"output": "same"}, "both unknown"),
        ("conv", {"size": "seven"}, "size must be a whole number from 1"),
        ("conv", {"size": 0}, "size must be a whole number from 1"),
        ("conv", {"size": 7, "kernel": 2.5}, "kernel must be a whole number"),
        ("conv", {"size": 7, "padding": -1}, "padding must be a whole number from 0"),
        ("conv", {"size": 7, "stride": []}, "no numbers to choose from"),
        ("conv", {"size": 7, "output_padding": 1}, "conv has no output_padding"),
        ("conv", {"size": range(1, 1000), "output": 5, "stride": "?", "padding": "?"}, "combinations are more than"),
    ],
)
def test_what_is_refused(operator, options, words):
    with pytest.raises(ArgumentError, match=words):
        solve(operator, **options)


def test_single_numbers_are_checked():
    with pytest.raises(ArgumentError, match="kernel must be a whole number from 1 up"):
        same_padding_of(0)
    with pytest.raises(ArgumentError, match="stride must be a whole number"):
        invert_convolution(8, 3, 0)
