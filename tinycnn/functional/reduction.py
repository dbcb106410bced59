"""Sums, means and their kin over all axes or some.

`dim` is an axis, a tuple of axes or None for all; negative ones count from the back; `keepdim=True` leaves size 1 where
it reduced; `dtype` converts the input first. float32 sums of more than 128 terms accumulate in float64: a float32
accumulator over ten million values was 8.8 % wrong. The sum of nothing is 0, the mean of nothing nan, without a warning.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import record
from ..errors import ArgumentError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor
from ._arrays import as_array, axes, axis, count, spread, total
from .conversion import converted

__all__ = ["cumsum", "logsumexp", "mean", "prod", "std", "sum", "var"]

Dim = int | Sequence[int] | None


@operator(family="reduction", differentiable=("input",), method=True)
def sum(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Add up elements; whole numbers and bools give int64.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = sum_i input[i] over the reduced indices i; grad_input[i] = grad.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.sum([[1.0, 2.0], [3.0, 4.0]], dim=0).tolist()
    [4.0, 6.0]
    """
    tensor = converted(as_tensor(input), dtype)
    x = tensor.data
    reduced = axes("sum", dim, x.ndim)
    if x.dtype.kind in "biu":
        return Tensor(np.asarray(np.sum(x, axis=reduced, dtype=np.int64, keepdims=bool(keepdim))))
    shape = x.shape

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (np.broadcast_to(spread(grad, shape, reduced), shape),)

    return record("sum", total(x, reduced, keepdim), (tensor,), backward)


@operator(family="reduction", differentiable=("input",), method=True)
def mean(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The average of elements.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = (1 / n) sum_i input[i] over the n reduced indices; grad_input[i] = grad / n.

    Raises
    ------
    DtypeError
        For whole numbers, whose average is not whole.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.mean([[1.0, 2.0], [3.0, 4.0]], dim=1).tolist()
    [1.5, 3.5]
    """
    tensor = float_tensor("mean", "input", converted(as_tensor(input), dtype))
    x = tensor.data
    shape = x.shape
    reduced = axes("mean", dim, x.ndim)
    number = count(shape, reduced)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (np.broadcast_to(spread(_divide(grad, number), shape, reduced), shape),)

    return record("mean", _divide(total(x, reduced, keepdim), number), (tensor,), backward)


@operator(family="reduction", differentiable=("input",), method=True)
def prod(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Multiply elements; whole numbers and bools give int64.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = prod_i input[i]; grad_input[i] = grad prod_{j != i} input[j], computed without a division so that zeros are no
    exception.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.prod([2.0, 3.0, 4.0]).item()
    24.0
    """
    tensor = converted(as_tensor(input), dtype)
    x = tensor.data
    reduced = axes("prod", dim, x.ndim)
    if x.dtype.kind in "biu":
        return Tensor(np.asarray(np.prod(x, axis=reduced, dtype=np.int64, keepdims=bool(keepdim))))
    with np.errstate(all="ignore"):
        y = as_array(np.prod(x, axis=reduced, keepdims=bool(keepdim)))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (spread(grad, x.shape, reduced) * _product_of_others(x, reduced),)

    return record("prod", y, (tensor,), backward, (tensor,))


@operator(family="reduction", differentiable=("input",), method=True)
def var(
    input: Any, dim: Dim = None, *, unbiased: bool | None = None, correction: float | None = 1, keepdim: bool = False
) -> Tensor:
    """The variance of elements: their mean squared distance from their mean.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = sum_i (input[i] - m)^2 / (n - correction), m the mean of the n reduced elements;
    grad_input[i] = 2 grad (input[i] - m) / (n - correction).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    dim : int, tuple of int or None
        The axes to reduce.
    unbiased : bool, optional
        torch's older name for a correction of 1 or 0.
    correction : number
        1 for the unbiased estimate from a sample, 0 for the variance of the elements themselves (what batch norm
        divides by).
    keepdim : bool
        Whether the reduced axes stay, with size 1.

    Notes
    -----
    Fewer than `correction` + 1 elements give nan, as in torch. Two passes, the second about the mean, lose no digits to
    a large mean.

    References
    ----------
    Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", equation 1.7.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.var([1.0, 2.0, 3.0]).item(), tinycnn.var([1.0, 3.0], correction=0).item()
    (1.0, 1.0)
    """
    tensor, reduced, y, centred, freedom = _variance("var", input, dim, unbiased, correction, keepdim)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            return (_divide(2 * spread(grad, centred.shape, reduced), freedom) * centred,)

    return record("var", y, (tensor,), backward)


@operator(
    family="reduction", differentiable=("input",), kinks="all elements equal, where the gradient is 0", method=True
)
def std(
    input: Any, dim: Dim = None, *, unbiased: bool | None = None, correction: float | None = 1, keepdim: bool = False
) -> Tensor:
    """The standard deviation of elements: the square root of their variance.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = sqrt(var(input)); grad_input[i] = grad (input[i] - m) / (y (n - correction)), and 0 where y = 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.std([1.0, 5.0], correction=0).item()
    2.0
    """
    tensor, reduced, variance, centred, freedom = _variance("std", input, dim, unbiased, correction, keepdim)
    y = as_array(np.sqrt(variance))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            scale = np.where(y == 0, y.dtype.type(0), _divide(grad / y, freedom))
            return (spread(scale, centred.shape, reduced) * centred,)

    return record("std", y, (tensor,), backward)


@operator(family="reduction", differentiable=("input",), method=True)
def logsumexp(input: Any, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials, without overflow: a smooth maximum.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = m + ln sum_i e^(input[i] - m), m the largest element; grad_input[i] = grad e^(input[i] - y).

    Notes
    -----
    Where all elements are -inf, y is -inf and the gradient 0; torch gives nan there.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 4.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logsumexp([1000.0, -1000.0]).item()
    1000.0
    """
    tensor = float_tensor("logsumexp", "input", input)
    x = tensor.data
    reduced = axes("logsumexp", dim, x.ndim)
    with np.errstate(all="ignore"):
        largest = np.maximum.reduce(x, axis=reduced, keepdims=True, initial=-np.inf)
        largest = np.where(np.isinf(largest), x.dtype.type(0), largest)
        kept_y = as_array(np.log(total(np.exp(x - largest), reduced, True)) + largest)
    y = kept_y if keepdim else np.squeeze(kept_y, axis=reduced)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            share = np.exp(x - np.where(np.isneginf(kept_y), x.dtype.type(0), kept_y))
            return (spread(grad, x.shape, reduced) * share,)

    return record("logsumexp", y, (tensor,), backward, (tensor,))


@operator(family="reduction", differentiable=("input",), method=True)
def cumsum(input: Any, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Running totals along an axis; whole numbers and bools give int64.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[i] = sum_{j <= i} input[j]; grad_input[j] = sum_{i >= j} grad[i].

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.cumsum([1.0, 2.0, 3.0], 0).tolist()
    [1.0, 3.0, 6.0]
    """
    tensor = converted(as_tensor(input), dtype)
    x = tensor.data
    along = axis("cumsum", dim, x.ndim)
    if not x.ndim:
        return record("cumsum", x.copy(), (tensor,), lambda grad, needs: (grad,))
    if x.dtype.kind in "biu":
        return Tensor(np.cumsum(x, axis=along, dtype=np.int64))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (np.flip(_running(np.flip(grad, along), along), along),)

    return record("cumsum", _running(x, along), (tensor,), backward)


def _running(array: np.ndarray, along: int) -> np.ndarray:
    """Running totals in the array's dtype, added up in float64."""
    wide = np.float64 if array.dtype == np.float32 else array.dtype
    return np.cumsum(array, axis=along, dtype=wide).astype(array.dtype, copy=False)


def _divide(array: np.ndarray, number: float) -> np.ndarray:
    """By zero: inf or nan, silently."""
    if array.dtype == object:
        return as_array(array / number)
    with np.errstate(all="ignore"):
        return as_array(np.divide(array, array.dtype.type(number)))


def _variance(
    name: str, input: Any, dim: Dim, unbiased: bool | None, correction: float | None, keepdim: bool
) -> tuple[Tensor, tuple[int, ...], np.ndarray, np.ndarray, float]:
    """The tensor, its reduced axes, the variance, the distances from the mean, and the number the sum of squares is
    divided by."""
    tensor = float_tensor(name, "input", input)
    if isinstance(dim, bool):  # torch's older form var(input, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None or correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    if isinstance(correction, bool) or not isinstance(correction, int | float):
        raise ArgumentError(
            f"{name}: correction must be a number, 1 for a sample and 0 for a whole population, not {correction!r}"
        )
    x = tensor.data
    reduced = axes(name, dim, x.ndim)
    number = count(x.shape, reduced)
    centred = as_array(x - _divide(total(x, reduced, True), number))
    freedom = max(number - correction, 0)
    return tensor, reduced, _divide(total(centred * centred, reduced, keepdim), freedom), centred, freedom


def _product_of_others(x: np.ndarray, reduced: tuple[int, ...]) -> np.ndarray:
    """For every element the product of all others it is multiplied with: products from the left times products from the
    right."""
    order = [position for position in range(x.ndim) if position not in reduced] + list(reduced)
    moved = x.transpose(order)
    rows = moved.reshape((*moved.shape[: x.ndim - len(reduced)], count(x.shape, reduced)))
    left, right = np.ones_like(rows), np.ones_like(rows)
    np.multiply.accumulate(rows[..., :-1], axis=-1, out=left[..., 1:])
    np.multiply.accumulate(rows[..., :0:-1], axis=-1, out=right[..., -2::-1])
    return (left * right).reshape(moved.shape).transpose(np.argsort(order))
