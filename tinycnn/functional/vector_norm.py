"""The length of a vector, by every exponent."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor
from ._arrays import as_array, axes, count, spread, total
from .conversion import converted
from .reduction import Dim

__all__ = ["norm"]


@operator(
    family="reduction",
    differentiable=("input",),
    kinks="zeros, where the gradient is 0; for p = inf and -inf ties, which share it",
    method=True,
)
def norm(
    input: Any, p: float | str | None = "fro", dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """The length of the elements taken as one vector.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = (sum_i |input[i]|^p)^(1 / p); for p = inf the largest |input[i]|, for -inf the smallest, for 0 how many are not zero.
    grad_input[i] = grad sign(input[i]) (|input[i]| / y)^(p - 1), and 0 where input[i] = 0 or y = 0;
    for p = inf and -inf the elements that attain y share grad equally.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    p : number, "fro", "nuc" or None
        The exponent; "fro" (Frobenius) and None are 2; "nuc" is the sum of a matrix's singular values, over exactly two axes,
        with gradient U V^T from its decomposition U S V^T.
    dim, keepdim, dtype
        As in `sum`.

    Raises
    ------
    ArgumentError
        For another `p`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.norm([3.0, -4.0]).item(), tinycnn.norm([3.0, -4.0], 1).item(), tinycnn.norm([3.0, -4.0], float("inf")).item()
    (5.0, 7.0, 4.0)
    """
    if p == "nuc":
        return _nuclear_norm(converted(as_tensor(input), dtype), dim, keepdim)
    power = 2 if p is None or p == "fro" else p
    if isinstance(power, bool | str) or not isinstance(power, int | float) or power != power:
        raise ArgumentError(f'norm: p={p!r} is neither a number, "fro" nor "nuc"')
    tensor = float_tensor("norm", "input", converted(as_tensor(input), dtype))
    x = tensor.data
    reduced = axes("norm", dim, x.ndim)
    if (np.isinf(power) or power < 0) and not count(x.shape, reduced):
        raise ShapeError(f"norm: p={p!r} of no elements, input {x.shape}, is not defined; give at least one")
    size = np.abs(x)
    with np.errstate(all="ignore"):
        kept_y = _length(size, power, reduced)
    y = kept_y if keepdim else as_array(np.squeeze(kept_y, axis=reduced))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            slope = _length_gradient(size, kept_y, power, reduced)
            return (as_array(spread(grad, x.shape, reduced) * slope * np.sign(x)),)

    return record("norm", y, (tensor,), backward, (tensor,))


def _nuclear_norm(input: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    tensor = float_tensor("norm", "input", input)
    x = tensor.data
    reduced = axes("norm", dim, x.ndim)
    if len(reduced) != 2:
        raise ShapeError(f'norm: p="nuc" is of matrices and needs two axes, not {len(reduced)} of input {x.shape}; name them with dim')
    left, values, right = np.linalg.svd(np.moveaxis(x, reduced, (-2, -1)), full_matrices=False)
    kept_y = as_array(np.expand_dims(values.sum(axis=-1), reduced))
    y = kept_y if keepdim else as_array(np.squeeze(kept_y, axis=reduced))
    slope = np.moveaxis(left @ right, (-2, -1), reduced)
    return record("norm", y, (tensor,), lambda grad, needs: (spread(grad, x.shape, reduced) * slope,))


def _length(size: np.ndarray, power: float, reduced: tuple[int, ...]) -> np.ndarray:
    """The p-norm of absolute values, with size 1 on the reduced axes."""
    if power == 2:
        return as_array(np.sqrt(total(size * size, reduced, True)))
    if np.isinf(power):
        return as_array((np.max if power > 0 else np.min)(size, axis=reduced, keepdims=True))
    if power == 0:
        return total((size != 0).astype(size.dtype), reduced, True)
    return as_array(total(size**power, reduced, True) ** (1 / power))


def _length_gradient(size: np.ndarray, y: np.ndarray, power: float, reduced: tuple[int, ...]) -> np.ndarray:
    """d y / d |x| for every element; 0 at zeros."""
    if power == 0:
        return np.zeros_like(size)
    if np.isinf(power):
        best = (size == y).astype(size.dtype)
        return as_array(best / total(best, reduced, True))
    slope = (size / y) ** (power - 1)
    return np.where((y == 0) | ((size == 0) & (power != 1)), size.dtype.type(0), slope)
