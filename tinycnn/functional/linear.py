"""The linear layer: every output sees every input."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, same_dtype

__all__ = ["linear"]


@operator(
    family="linear",
    kernels=("linear", "linear_grad_x", "linear_grad_weight", "linear_grad_bias", "relu_grad_x"),
    differentiable=("input", "weight", "bias"),
    kinks='with activation="relu", where the output is zero',
)
def linear(input: Any, weight: Any, bias: Any = None, *, activation: str | None = None) -> Tensor:
    """Multiply every row by a matrix and add a bias: a fully connected layer.

    Shapes
    ------
    (*, in_features), (out_features, in_features), (out_features,) -> (*, out_features)

    Formula
    -------
    y[n, o] = bias[o] + sum_k input[n, k] weight[o, k]; grad_input[n, k] = sum_o grad[n, o] weight[o, k];
    grad_weight[o, k] = sum_n grad[n, o] input[n, k]; grad_bias[o] = sum_n grad[n, o].

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    activation : None or "relu"
        Applied to the result at the store, equal to `relu(linear(...))` and cheaper.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the sizes do not fit. DtypeError: integer or mixed dtypes. ArgumentError: another activation.

    Notes
    -----
    The weight is stored transposed, as in PyTorch; Keras stores (in, out).

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.linear([[1.0, 2.0]], [[3.0, 4.0], [0.0, 1.0]], [0.5, 0.0]).tolist()
    [[11.5, 2.0]]
    """
    tensor, matrix = float_tensor("linear", "input", input), float_tensor("linear", "weight", weight)
    vector = None if bias is None else float_tensor("linear", "bias", bias)
    same_dtype("linear", input=tensor, weight=matrix, bias=vector)
    shape = tensor.data.shape
    _check(shape, matrix.data.shape, None if vector is None else vector.data.shape, activation)
    x = contiguous(tensor.data).reshape(-1, shape[-1]) if shape[-1] else np.zeros((int(np.prod(shape[:-1])), 0), tensor.data.dtype)
    w = contiguous(matrix.data)
    y = kernels.select("linear", x)(x, w, None if vector is None else contiguous(vector.data), activation)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        if activation == "relu":
            upstream = kernels.select("relu_grad_x", x)(upstream, y)
        grad_x = kernels.select("linear_grad_x", x)(upstream, w).reshape(shape) if needs[0] else None
        grad_weight = kernels.select("linear_grad_weight", x)(upstream, x) if needs[1] else None
        grad_bias = kernels.select("linear_grad_bias", x)(upstream) if needs[2] else None
        return grad_x, grad_weight, grad_bias

    return record("linear", y.reshape(*shape[:-1], w.shape[0]), (tensor, matrix, vector), backward, saved=(tensor, matrix))


def _check(shape: tuple[int, ...], weight: tuple[int, ...], bias: tuple[int, ...] | None, activation: str | None) -> None:
    if len(weight) != 2:
        raise ShapeError(f"linear: weight has shape {weight}; it must be (out_features, in_features)")
    if not shape or shape[-1] != weight[1]:
        ends = f"ends in {shape[-1]}" if shape else "is a single number"
        flat = int(np.prod(shape[1:]))
        hint = f"flatten it first, {' x '.join(map(str, shape[1:]))} = {flat}" if len(shape) > 2 and flat == weight[1] else (
            f"make the layer Linear({shape[-1] if shape else 1}, {weight[0]})"
        )
        raise ShapeError(f"linear: input of shape {shape} {ends}, but weight {weight} takes {weight[1]} features; {hint}")
    if bias is not None and bias != (weight[0],):
        raise ShapeError(f"linear: bias has shape {bias}; it must be ({weight[0]},), one number an output feature")
    if activation not in (None, "relu"):
        raise ArgumentError(f'linear: activation {activation!r} is neither None nor "relu"')
