"""convolve1d, convolve2d, convolve3d: kernels flipped along every axis."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from tests.sliding import normal, spatial_convolutions
from tinycnn import gradcheck
from tinycnn.errors import DtypeError, ShapeError
from tinycnn.functional import conv1d, conv2d, conv3d, convolve1d, convolve2d, convolve3d

CORRELATE = {1: conv1d, 2: conv2d, 3: conv3d}
CONVOLVE = {1: convolve1d, 2: convolve2d, 3: convolve3d}
ranks = pytest.mark.parametrize("rank", [1, 2, 3])


@ranks
@given(st.data(), st.integers(0, 99))
def test_a02_full_convolution_is_scipys(rank, data, seed):
    axes = st.lists(st.integers(1, 6 if rank < 3 else 4), min_size=rank, max_size=rank)
    signal, kernel = normal(seed, data.draw(axes)), normal(seed + 1, data.draw(axes))
    y = CONVOLVE[rank](signal[None, None], kernel[None, None], padding="full").numpy()[0, 0]
    np.testing.assert_allclose(y, scipy.signal.convolve(signal, kernel, method="direct"), rtol=1e-10, atol=1e-10)


@ranks
@given(st.data())
def test_it_is_the_correlation_with_flipped_kernels(rank, data):
    case = data.draw(spatial_convolutions(rank))
    x, weight, *bias = case.operands()
    flipped = np.flip(weight, tuple(range(2, rank + 2)))
    np.testing.assert_array_equal(
        CONVOLVE[rank](x, weight, *bias, **case.options).numpy(), CORRELATE[rank](x, flipped, *bias, **case.options).numpy()
    )


@ranks
def test_gradients(rank):
    options = {"stride": (2, 1, 1)[:rank], "padding": (1, 0, 2, 1, 1, 1)[: 2 * rank], "groups": 2, "padding_mode": "reflect"}
    x, weight = normal(0, (2, 4, *(5, 4, 3)[:rank])), normal(1, (4, 2, *(3, 2, 2)[:rank]))
    assert gradcheck(lambda *arrays: CONVOLVE[rank](*arrays, **options), (x, weight, normal(2, 4)))


@pytest.mark.parametrize("first, second", [([1.0, 2.0], [3.0, 4.0]), ([1.0, -1.0], [1.0, 1.0, 1.0])])
def test_a_product_of_polynomials(first, second):
    y = convolve1d([[first]], [[second]], padding="full").numpy()[0, 0]
    assert y.tolist() == np.convolve(first, second).tolist()


@ranks
def test_it_commutes(rank):
    """u * h = h * u: what the correlation does not do."""
    one, other = normal(0, (1, 1, *(5, 4, 3)[:rank])), normal(1, (1, 1, *(2, 3, 2)[:rank]))
    np.testing.assert_allclose(CONVOLVE[rank](one, other, padding="full").numpy(), CONVOLVE[rank](other, one, padding="full").numpy(), atol=1e-12)


@ranks
def test_refusals(rank):
    x, weight = np.zeros((1, 2, *[4] * rank)), np.zeros((1, 2, *[3] * rank))
    name = f"convolve{rank}d"
    with pytest.raises(ShapeError, match=rf"{name}: weight has shape .*; it must be \(C_out, C_in / groups, K"):
        CONVOLVE[rank](x, weight[0])
    with pytest.raises(ShapeError, match=rf"{name}: input has 2 channels"):
        CONVOLVE[rank](x, np.concatenate([weight, weight], 1))
    with pytest.raises(DtypeError, match=rf"{name}: input is float64 but weight is float32"):
        CONVOLVE[rank](x, weight.astype(np.float32))
