"""Normalisation without statistics that are kept: across neighbouring channels, to length 1, and of a layer's weights."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, whole
from ._arrays import axes, total
from ._statistics import number
from .layer_norm import layer_norm

__all__ = ["local_response_norm", "normalize", "weight_standardization"]


@operator(family="local_response_norm", kernels=("local_response_norm", "local_response_norm_grad_x"), differentiable=("input",))
def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Divide each number by a power of the squares in its neighbouring channels at the same pixel.

    Shapes
    ------
    (N, C, ...) -> (N, C, ...), at least three axes

    Formula
    -------
    d[c] = k + alpha / size sum of input[c']^2 over c' from c - size // 2 to c + (size - 1) // 2 that exist;  y[c] = input[c] d[c]^-beta;
    grad_input[c] = grad[c] d[c]^-beta - 2 alpha beta / size input[c] sum of grad[c'] input[c'] d[c']^(-beta - 1) over the c'
    whose window holds c.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    size : int
        Channels in a window; channels beyond the first and the last count as zeros.
    alpha : float
        Factor of the mean square.
    beta : float
        The exponent.
    k : float
        Added to the mean square.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If input has fewer than three axes. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    As in PyTorch and Caffe, alpha multiplies the mean over `size` channels, missing ones counted. AlexNet's paper and TensorFlow multiply
    the sum: their alpha is this one over size, so that the paper's n = 5, alpha = 1e-4, k = 2 is alpha=5e-4 here; TensorFlow gives the
    radius size // 2. The paper's window is n // 2 to both sides; for an even size PyTorch, as here, takes one channel fewer after c
    than before it. Caffe's k is 1.

    References
    ----------
    Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural networks", section 3.3.

    Examples
    --------
    >>> import tinycnn
    >>> x = [[[1.0], [2.0], [2.0]]]
    >>> y = tinycnn.functional.local_response_norm(x, 3, alpha=3.0, beta=1.0, k=0.0)
    >>> y.numpy().round(4).ravel()  # 1 / (1 + 4), 2 / (1 + 4 + 4), 2 / (4 + 4)
    array([0.2   , 0.2222, 0.25  ], dtype=float32)
    """
    tensor = float_tensor("local_response_norm", "input", input)
    shape = tensor.data.shape
    if len(shape) < 3:
        raise ShapeError(f"local_response_norm: input has shape {shape}; it must be (N, C, ...) with at least three axes")
    window = whole("local_response_norm", "size", size, 1)
    alpha, beta = number("local_response_norm", "alpha", alpha), number("local_response_norm", "beta", beta)
    k = number("local_response_norm", "k", k)
    x = contiguous(tensor.data).reshape(shape[0], shape[1], int(np.prod(shape[2:], dtype=np.int64)))
    with np.errstate(all="ignore"):
        y, divisor = kernels.select("local_response_norm", x)(x, window, alpha, beta, k)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(x.shape)
        with np.errstate(all="ignore"):
            return (kernels.select("local_response_norm_grad_x", x)(upstream, x, divisor, window, alpha, beta).reshape(shape),)

    return record("local_response_norm", y.reshape(shape), (tensor,), backward, (tensor,))


@operator(family="normalize", differentiable=("input",), kinks="where the norm equals eps; for p = 1 also at zeros, for p = inf at ties")
def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Divide by the p-norm along an axis, so that it becomes 1.

    Shapes
    ------
    (...) -> (...)

    Formula
    -------
    n = (sum_j |input[j]|^p)^(1 / p) along dim;  y = input / max(n, eps); the gradient is the quotient's, and of the norm where n >= eps:
    for p = 2 and n > eps, grad_input = (grad - y sum_j (grad y)) / n.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    p : float
        The norm: 2 Euclidean, 1 the sum of absolute values, math.inf the largest.
    dim : int or tuple of int
        Along which axis, or over which axes together.
    eps : float
        The smallest divisor.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If dim is no axis of input, or an option is out of range. DtypeError: integers.

    Notes
    -----
    TensorFlow's l2_normalize puts eps = 1e-12 under the root instead: x / sqrt(max(sum x^2, eps)).

    References
    ----------
    Schroff, Kalenichenko and Philbin 2015, "FaceNet", section 3.1 (embeddings on the unit sphere).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.normalize([[3.0, 4.0], [0.0, 0.0]]).numpy()
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    tensor = float_tensor("normalize", "input", input)
    order, least = number("normalize", "p", p), number("normalize", "eps", eps)
    if dim is None:
        raise ArgumentError("normalize: dim is None; name the axis, such as 1, or all of them as a tuple")
    x = tensor.data
    reduced = axes("normalize", dim, x.ndim)
    length = _length(x, order, reduced)
    kind = x.dtype.type if x.dtype != object else float
    divisor = np.where(length < kind(least), kind(least), length)  # NaN stays
    with np.errstate(all="ignore"):
        y = np.asarray(x / divisor)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            along = total(grad * y, reduced, keepdims=True)
            slope = np.where(length < kind(least), kind(0), along)
            return (((grad - slope * _length_gradient(x, length, order)) / divisor).astype(x.dtype, copy=False),)

    return record("normalize", y, (tensor,), backward, (tensor,))


def _length(x: np.ndarray, p: float, reduced: tuple[int, ...]) -> np.ndarray:
    """The p-norm over axes, which stay with size 1."""
    with np.errstate(all="ignore"):
        if p == 2:
            return np.sqrt(total(x * x, reduced, keepdims=True))
        if p == 0:
            return np.count_nonzero(x, axis=reduced, keepdims=True).astype(x.dtype)
        if p == math.inf:
            return np.asarray(np.abs(x).max(axis=reduced, keepdims=True, initial=0))
        if p == -math.inf:
            return np.asarray(np.abs(x).min(axis=reduced, keepdims=True, initial=math.inf))
        return np.asarray(total(np.abs(x) ** p, reduced, keepdims=True) ** (1 / p)).astype(x.dtype, copy=False)


def _length_gradient(x: np.ndarray, length: np.ndarray, p: float) -> np.ndarray:
    """d length / d x, taken as 0 where the length is, and at zeros; ties of the largest share."""
    zero = x.dtype.type(0)
    if p == 0:
        return np.zeros_like(x)
    if math.isinf(p):
        winners = np.abs(x) == length
        axes_reduced = tuple(axis for axis, size in enumerate(length.shape) if size == 1 and x.shape[axis] != 1)
        return np.sign(x) * winners / np.maximum(np.count_nonzero(winners, axis=axes_reduced, keepdims=True), 1).astype(x.dtype)
    if p == 2:
        return np.where(length == 0, zero, x / length)
    return np.where((length == 0) | (x == 0), zero, np.sign(x) * (np.abs(x) / length) ** x.dtype.type(p - 1))


@operator(family="normalize", kernels=("layer_norm", "layer_norm_grad"), differentiable=("weight",))
def weight_standardization(weight: Any, eps: float = 1e-5) -> Tensor:
    """Give the weights of each filter mean 0 and variance 1, before they are used in a convolution or a linear layer.

    Shapes
    ------
    (C_out, ...) -> (C_out, ...), at least two axes

    Formula
    -------
    y[o] = (weight[o] - mean) / sqrt(var + eps), mean and biased var over all other axes; the gradient is `layer_norm`'s.

    Parameters
    ----------
    weight : Tensor
        float32 or float64.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If weight has fewer than two axes. ArgumentError: eps out of range. DtypeError: integers.

    Notes
    -----
    The paper's code adds 1e-5 to the standard deviation, BiT (Kolesnikov et al. 2020) 1e-10 to the variance; here eps is added to the
    variance, as the paper's equation 3 has it. Scaled weight standardisation (Brock et al. 2021) further divides by sqrt(fan_in).

    References
    ----------
    Qiao et al. 2019, "Micro-batch training with batch-channel normalization and weight standardization", equations 2 and 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.weight_standardization([[1.0, 3.0], [10.0, 30.0]], eps=0.0).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """
    tensor = float_tensor("weight_standardization", "weight", weight)
    if tensor.data.ndim < 2:
        raise ShapeError(f"weight_standardization: weight has shape {tensor.data.shape}; it must be (C_out, ...), one filter a row")
    return layer_norm(tensor, tensor.data.shape[1:], eps=eps)
