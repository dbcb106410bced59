"""The larger, the smaller, the limited, and the chosen of two tensors, element by element, with broadcasting."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import as_array, binary, broadcast_error, in_one_dtype, kept, operand, unbroadcast

__all__ = ["clamp", "clip", "maximum", "minimum", "where"]

BOTH = ("input", "other")


@operator(family="elementwise", differentiable=BOTH, kinks="input = other: the gradient is shared equally", method=True)
def maximum(input: Any, other: Any) -> Tensor:
    """The larger of two tensors, element by element; nan wins.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = max(input, other); grad_input = grad [input > other] + grad / 2 [input = other], grad_other alike.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.maximum([1.0, 5.0], [3.0, 2.0]).tolist()
    [3.0, 5.0]
    """
    return binary("maximum", np.maximum, input, other, _unless_less, _unless_greater)


@operator(family="elementwise", differentiable=BOTH, kinks="input = other: the gradient is shared equally", method=True)
def minimum(input: Any, other: Any) -> Tensor:
    """The smaller of two tensors, element by element; nan wins.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = min(input, other); grad_input = grad [input < other] + grad / 2 [input = other], grad_other alike.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.minimum([1.0, 5.0], [3.0, 2.0]).tolist()
    [1.0, 2.0]
    """
    return binary("minimum", np.minimum, input, other, _unless_greater, _unless_less)


@operator(
    family="elementwise", differentiable=("input", "min", "max"), kinks="input at a bound: 1, as torch", method=True
)
def clamp(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """Limit every element from below and above; a bound is a number, a tensor or None.

    Shapes
    ------
    (*), (*) or (), (*) or () -> their broadcast shape

    Formula
    -------
    y = min(max(input, lower), upper); grad_input = grad [lower <= input <= upper],
    grad_lower = grad [input < lower < upper], grad_upper = grad [input > upper or lower > upper].

    Parameters
    ----------
    input : Tensor
        What to limit.
    min, max : number, Tensor or None
        The bounds, in the unit of input. Where min > max the result is max.

    Raises
    ------
    ArgumentError
        If both bounds are None. ShapeError: a bound that does not broadcast.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.clamp([-1.0, 0.5, 3.0], 0, 1).tolist()
    [0.0, 0.5, 1.0]
    """
    return _clamp("clamp", input, min, max)


@operator(
    family="elementwise", differentiable=("input", "min", "max"), kinks="input at a bound: 1, as torch", method=True
)
def clip(input: Any, min: Any = None, max: Any = None) -> Tensor:
    """Limit every element: `clamp` under NumPy's name.

    Shapes
    ------
    (*), (*) or (), (*) or () -> their broadcast shape

    Formula
    -------
    As `clamp`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.clip([-1.0, 0.5, 3.0], max=1).tolist()
    [-1.0, 0.5, 1.0]
    """
    return _clamp("clip", input, min, max)


@operator(family="elementwise", differentiable=BOTH)
def where(condition: Any, input: Any, other: Any) -> Tensor:
    """Take from the first tensor where the condition holds, from the second where not.

    Shapes
    ------
    (*), (*), (*) -> their broadcast shape

    Formula
    -------
    y = input [condition] + other [not condition]; grad_input = grad [condition], grad_other = grad [not condition].

    Raises
    ------
    DtypeError
        If the condition is not bool. ShapeError: shapes that do not broadcast.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.where(tinycnn.tensor([True, False]), [1.0, 2.0], 0.0).tolist()
    [1.0, 0.0]
    """
    chosen = as_tensor(condition).data
    if chosen.dtype != np.bool_:
        raise DtypeError(f"where: condition is {chosen.dtype}, not bool; compare it, for example condition != 0")
    first, a = operand("where", "input", input)
    second, b = operand("where", "other", other)
    a, b = in_one_dtype(a, b)
    try:
        y = np.where(chosen, a, b)
    except ValueError:
        raise broadcast_error("where", chosen, a, b) from None

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (
            unbroadcast(kept(grad, chosen), first.data) if first is not None and needs[0] else None,
            unbroadcast(kept(grad, ~chosen), second.data) if second is not None and needs[1] else None,
        )

    return record("where", y, (first, second), backward)


def _unless_less(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return np.where(np.equal(a, b), grad / 2, kept(grad, ~np.less(a, b)))


def _unless_greater(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return np.where(np.equal(a, b), grad / 2, kept(grad, ~np.greater(a, b)))


def _clamp(name: str, input: Any, lower: Any, upper: Any) -> Tensor:
    if lower is None and upper is None:
        raise ArgumentError(f"{name}: min and max are both None, which limits nothing; give at least one")
    given = [
        (argument, value) for argument, value in (("input", input), ("min", lower), ("max", upper)) if value is not None
    ]
    pairs = [operand(name, argument, value) for argument, value in given]
    arrays = dict(zip([argument for argument, _ in given], in_one_dtype(*[value for _, value in pairs]), strict=True))
    tensors = dict(zip(arrays, [tensor for tensor, _ in pairs], strict=True))
    x, low, high = arrays["input"], arrays.get("min"), arrays.get("max")
    try:
        y = x if low is None else np.maximum(x, low)
        y = as_array(y if high is None else np.minimum(y, high))
    except ValueError:
        raise broadcast_error(name, *arrays.values()) from None

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        below = np.zeros((), np.bool_) if low is None else x < low
        above = np.zeros((), np.bool_) if high is None else x > high
        ordered, crossed = np.ones((), np.bool_), np.zeros((), np.bool_)
        if low is not None and high is not None:
            ordered, crossed = low < high, low > high
        masks = (~(below | above), below & ordered, above | crossed)
        inputs = [tensors.get(argument) for argument in ("input", "min", "max")]
        return tuple(
            unbroadcast(kept(grad, mask), tensor.data) if tensor is not None and needed else None
            for mask, tensor, needed in zip(masks, inputs, needs, strict=True)
        )

    inputs = (tensors["input"], tensors.get("min"), tensors.get("max"))
    return record(name, y, inputs, backward, tuple([tensor for tensor in inputs if tensor is not None]))
