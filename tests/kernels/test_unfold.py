"""im2col and col2im: the fast kernels against the definitions."""

from fractions import Fraction

import numpy as np
from hypothesis import given

from tests.sliding import assert_twins, dtypes, normal, spatial_convolutions
from tinycnn.kernels.cpu import unfold as fast
from tinycnn.kernels.reference import unfold as definition


def options_of(case):
    return case.weight_shape[2:], case.options["dilation"], case.options["padding"], case.options["stride"]


@given(spatial_convolutions(2, modes=("zeros",), largest=9), dtypes)
def test_im2col_and_col2im(case, dtype):
    options = options_of(case)
    columns = assert_twins("im2col", normal(case.seed, case.x_shape, dtype), *options, exact=True)
    assert_twins("col2im", normal(case.seed + 1, columns.shape, dtype), case.x_shape[2:], *options)


def test_shared_among_threads():
    x, options = normal(0, (4, 16, 33, 31), np.float32), ((3, 3), (1, 2), (1, 0, 2, 2), (1, 2))
    assert fast._tasks(x.size * 9, x.shape[0]) >= 1
    columns = assert_twins("im2col", x, *options, exact=True)
    assert_twins("col2im", columns, x.shape[2:], *options)


def test_exact_on_fractions():
    x = np.array([Fraction(1, 3), Fraction(2), Fraction(5)], object).reshape(1, 1, 1, 3)
    columns = definition.im2col(x, (1, 2), (1, 1), (0, 0, 0, 0), (1, 1))
    assert columns.tolist() == [[[Fraction(1, 3), 2], [2, 5]]]
    assert definition.col2im(columns, (1, 3), (1, 2), (1, 1), (0, 0, 0, 0), (1, 1)).reshape(-1).tolist() == [Fraction(1, 3), 4, 5]
