"""What the oracle's tests share: one function of ours and one of torch's agree in values and in gradients."""

import numpy as np
import pytest
from hypothesis import strategies as st

from tinycnn import Tensor

seeds = st.integers(0, 2**32 - 1)
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}


def same(ours, theirs, *arrays, dtype=np.float64, seed=0, gradients=True):
    """Both functions of the same arrays give equal values, and equal gradients under a random upstream gradient."""
    torch = pytest.importorskip("torch")
    mine = [Tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    others = [torch.tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    y, expected = ours(*mine), theirs(*others)
    assert y.shape == tuple(expected.shape)
    assert str(y.data.dtype) == str(expected.dtype).removeprefix("torch.")
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance, equal_nan=True)
    if not gradients:
        return
    upstream = np.random.default_rng(seed).standard_normal(y.shape).astype(dtype)
    with np.errstate(all="ignore"):
        y.backward(upstream)
    expected.backward(torch.tensor(upstream))
    for one, other in zip(mine, others, strict=True):
        scale = max(1.0, float(np.abs(np.nan_to_num(other.grad.numpy(), posinf=0, neginf=0)).max(initial=0)))
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=tolerance, atol=10 * tolerance * scale, equal_nan=True)
