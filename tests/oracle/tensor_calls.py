"""What the oracle's tests of tensor functions share: one call made on both libraries, and ways to draw its arrays."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinycnn

Call = Callable[..., Any]
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-11}


def dtype_name(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def outputs(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def compare(call: Call, arrays: list[np.ndarray], generator: np.random.Generator, tolerance: float) -> None:
    """The same call on both libraries: every output, and the gradient of every float input for random upstream
    gradients."""
    torch = pytest.importorskip("torch")
    mine = [tinycnn.Tensor(array.copy(), requires_grad=array.dtype.kind == "f") for array in arrays]
    theirs = [torch.tensor(array).requires_grad_(array.dtype.kind == "f") for array in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch comments on degrees of freedom and on T of many axes
        expected = outputs(call(torch, *theirs))
    results = outputs(call(tinycnn, *mine))
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        assert result.shape == tuple(wanted.shape)
        assert dtype_name(result) == dtype_name(wanted)
        assert result.requires_grad == wanted.requires_grad
        np.testing.assert_allclose(result.data, wanted.detach().numpy(), rtol=tolerance, atol=tolerance)
    for result, wanted in zip(results, expected, strict=True):
        if wanted.requires_grad:
            upstream = generator.standard_normal(result.shape).astype(result.dtype)
            result.backward(upstream, retain_graph=True)
            wanted.backward(torch.tensor(upstream), retain_graph=True)
    for tensor, twin in zip(mine, theirs, strict=True):
        if twin.grad is not None:
            assert tensor.grad is not None
            assert tensor.grad.dtype == tensor.dtype
            np.testing.assert_allclose(tensor.grad.data, twin.grad.numpy(), rtol=10 * tolerance, atol=10 * tolerance)
        else:
            assert tensor.grad is None


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.standard_normal(shape)


def halves(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Few different values, so that ties, zeros and whole numbers are common."""
    return generator.integers(-3, 4, shape) / 2


def positive(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.uniform(0.5, 3, shape)
