"""The dtype of every result is torch's: of two tensors, of a tensor and a number, of reductions."""

from typing import Any

import numpy as np
import pytest

import tinycnn
from tests.oracle.tensor_calls import dtype_name, outputs

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

DTYPES = (np.float32, np.float64, np.int64, np.int32, np.uint8, np.bool_)
RANKS = ((2,), ())


@pytest.mark.parametrize("second", [(dtype, shape) for dtype in DTYPES for shape in RANKS])
@pytest.mark.parametrize("first", [(dtype, shape) for dtype in DTYPES for shape in RANKS])
def test_dtype_table_of_two_tensors(first: Any, second: Any) -> None:
    arrays = [np.ones(shape, dtype) for dtype, shape in (first, second)]
    for call in (
        lambda lib, x, y: lib.add(x, y),
        lambda lib, x, y: x * y,
        lambda lib, x, y: x / y,
        lambda lib, x, y: lib.maximum(x, y),
        lambda lib, x, y: lib.where(x == y, x, y),
        lambda lib, x, y: x < y,
    ):
        mine = call(tinycnn, *map(tinycnn.Tensor, arrays))
        theirs = call(torch, *map(torch.tensor, arrays))
        assert dtype_name(mine) == dtype_name(theirs)
        np.testing.assert_array_equal(mine.data, theirs.numpy())


@pytest.mark.parametrize("number", [True, 2, 2.5])
@pytest.mark.parametrize("shape", RANKS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_table_with_numbers(dtype: Any, shape: Any, number: Any) -> None:
    array = np.ones(shape, dtype)
    for call in (
        lambda lib, x: x + number,
        lambda lib, x: number * x,
        lambda lib, x: x / number,
        lambda lib, x: number / x,
        lambda lib, x: x >= number,
    ):
        mine, theirs = call(tinycnn, tinycnn.Tensor(array)), call(torch, torch.tensor(array))
        assert dtype_name(mine) == dtype_name(theirs)
        np.testing.assert_allclose(mine.data, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_reductions(dtype: Any) -> None:
    array = np.array([[1, 0, 1], [1, 1, 1]], dtype)
    for call in (
        lambda lib, x: x.sum(),
        lambda lib, x: x.sum(0),
        lambda lib, x: lib.prod(x, 1),
        lambda lib, x: lib.cumsum(x, 0),
        lambda lib, x: lib.amax(x, 1),
        lambda lib, x: lib.max(x),
        lambda lib, x: lib.all(x > 0, 1),
        lambda lib, x: lib.min(x, 1),
    ):
        for mine, theirs in zip(
            outputs(call(tinycnn, tinycnn.Tensor(array))), outputs(call(torch, torch.tensor(array))), strict=True
        ):
            assert dtype_name(mine) == dtype_name(theirs)
            np.testing.assert_array_equal(mine.data, theirs.numpy())
