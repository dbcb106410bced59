"""The fast kernels of pooling, unpooling and padding as plain Python against the definitions; .ci/run starts this with NUMBA_DISABLE_JIT=1."""

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor
from tinycnn import functional as F

SPATIAL = (6, 5, 4)


def both(function, x):
    """Results and gradients under the fast kernels and under the definitions."""
    answers = []
    for kernels in ("cpu", "reference"):
        tensor = Tensor(x.copy(), requires_grad=True)
        with tinycnn.use_kernels(kernels):
            y = function(tensor)
            y.backward(np.random.default_rng(1).standard_normal(y.shape))
        answers.append((y.data, tensor.grad.data))
    for fast, definition in zip(*answers, strict=True):
        np.testing.assert_allclose(fast, definition, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("window", [(2,), (3, 2, 1), (2, 1), (3, 1, 1)])
def test_pools(axes, window):
    x = np.random.default_rng(0).standard_normal((2, 2, *SPATIAL[:axes]))
    both(lambda x: getattr(F, f"max_pool{axes}d")(x, *window), x)
    both(lambda x: getattr(F, f"max_pool{axes}d")(x, 2, 2, 1, 3 if axes < 3 else 1), x)
    both(lambda x: getattr(F, f"avg_pool{axes}d")(x, *window), x)
    with tinycnn.no_grad():
        fast = getattr(F, f"max_pool{axes}d")(x, *window)
    np.testing.assert_array_equal(fast.data, getattr(F, f"max_pool{axes}d")(x, *window, return_indices=True)[0].data)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_windows_one_by_one(axes, size):
    x = np.random.default_rng(0).standard_normal((2, 2, *SPATIAL[:axes]))
    both(lambda x: getattr(F, f"adaptive_max_pool{axes}d")(x, size), x)
    both(lambda x: getattr(F, f"adaptive_avg_pool{axes}d")(x, size), x)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "replicate", "circular"])
def test_paddings(axes, mode):
    x = np.random.default_rng(0).standard_normal((2, 2, *SPATIAL[:axes]))
    both(lambda x: F.pad(x, (2, 1, -1, 2, 0, 3)[: 2 * axes], mode), x)


@pytest.mark.parametrize("mode", ["nearest", "bed_of_nails"])
def test_unpoolings(mode):
    x = np.random.default_rng(0).standard_normal((2, 2, 3, 4))
    both(lambda x: F.unpool2d(x, (2, 3), mode), x)
    both(lambda x: F.unpool2d(x, 2, mode), x)
    index = np.random.default_rng(1).integers(0, 48, x.shape)
    both(lambda x: F.max_unpool2d(x, index, 2), x)
    both(lambda x: F.max_unpool2d(x, index, 2, overlap="sum"), x)
