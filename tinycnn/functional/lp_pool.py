"""Power-average pooling."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor
from ._windows import checked_windows, examples, like_input
from .pool import Size1, Size2, Size3, _max_pool, require_kernel_inside

__all__ = ["lp_pool1d", "lp_pool2d", "lp_pool3d"]


def _power(x: np.ndarray, exponent: float) -> np.ndarray:
    """x to a power, the common ones by products and roots, which are quicker."""
    if exponent == 1:
        return x
    if exponent == 2:
        return x * x
    if exponent == 3:
        return x * x * x
    if exponent == 0.5:
        return np.sqrt(x)
    if exponent == -0.5:
        return 1 / np.sqrt(x)
    return np.power(x, exponent)


def _lp_pool(name: str, axes: int, input: Any, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    if isinstance(norm_type, bool) or not isinstance(norm_type, int | float | np.number) or norm_type == 0 or math.isnan(norm_type):
        raise ArgumentError(f"{name}: norm_type must be a number other than zero, or infinity, not {norm_type!r}")
    norm = float(norm_type)
    if math.isinf(norm):
        size = abs(float_tensor(name, "input", input))
        options = (kernel_size, stride, 0, 1, ceil_mode)
        largest: Tensor = _max_pool(name, axes, size if norm > 0 else -size, options, False)
        return largest if norm > 0 else -largest
    tensor, x = examples(name, input, axes)
    windows = checked_windows(name, axes, x.shape, kernel_size, stride, 0, 1, ceil_mode)
    if axes == 3:
        require_kernel_inside(name, x.shape, windows.kernel_size)
    kernel = "avg_pool3d" if axes == 3 else "avg_pool2d"
    choices = (*windows[:3], ceil_mode, True, None)
    cells = math.prod(windows.kernel_size)
    with np.errstate(all="ignore"):
        total = kernels.select(kernel, x)(_power(x, norm), *choices) * cells
        y = _power(total, 1 / norm)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            slope = grad.reshape(y.shape) * (cells / norm) * _power(total, 1 / norm - 1)
            slope[total == 0] = 0  # where the root's slope is infinite; torch's choice too
            shares = kernels.select(kernel + "_grad_x", x)(contiguous(slope), x.shape, *choices)
            return ((shares * (norm * _power(x, norm - 1)) if norm != 1 else shares).reshape(tensor.data.shape),)

    return record(name, like_input(y, tensor, axes), (tensor,), backward, saved=(tensor,))


@operator(
    family="lp_pool",
    kernels=("avg_pool2d", "avg_pool2d_grad_x"),
    differentiable=("input",),
    kinks="windows of zeros; ties at an infinite norm",
)
def lp_pool1d(input: Any, norm_type: float, kernel_size: Size1, stride: Size1 | None = None, ceil_mode: bool = False) -> Tensor:
    """Take the p-norm of each window of a signal.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), as `avg_pool1d` without padding.

    Formula
    -------
    With the K cells of the kernel and the cells V of window (j) inside a signal,
    y[n, c, j] = (K mean_V input^p)^(1/p), which is (sum_V input^p)^(1/p) for a whole window;
    grad_input[n, c, w] = sum over windows of grad[n, c, j] (K / |V|) y^(1 - p) input[n, c, w]^(p - 1), 0 where y is 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    norm_type : float
        The power p, not 0. Infinity is the largest absolute value, minus infinity minus the largest of -|input|, the smallest.
    kernel_size, stride, ceil_mode
        As in `avg_pool1d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: p is 0 or an option out of range. DtypeError: integers.

    Notes
    -----
    As torch, no absolute value is taken: odd powers of negative numbers stay negative, and a negative sum has no real root (NaN).
    ONNX's LpPool takes the absolute value. A window that ceil_mode lets hang over is scaled up to the whole kernel, as torch does.

    References
    ----------
    Sermanet, Chintala and LeCun 2012, "Convolutional neural networks applied to house numbers digit classification", section 2.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.lp_pool1d([[3.0, 4.0, 6.0, 8.0]], 2, 2).tolist()
    [[5.0, 10.0]]
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, bool(ceil_mode))


@operator(
    family="lp_pool",
    kernels=("avg_pool2d", "avg_pool2d_grad_x"),
    differentiable=("input",),
    kinks="windows of zeros; ties at an infinite norm",
)
def lp_pool2d(input: Any, norm_type: float, kernel_size: Size2, stride: Size2 | None = None, ceil_mode: bool = False) -> Tensor:
    """Take the p-norm of each window of an image.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out), as `avg_pool2d` without padding.

    Formula
    -------
    With the K cells of the kernel and the cells V of window (i, j) inside an image,
    y[n, c, i, j] = (K mean_V input^p)^(1/p), which is (sum_V input^p)^(1/p) for a whole window;
    grad_input[n, c, h, w] = sum over windows of grad[n, c, i, j] (K / |V|) y^(1 - p) input[n, c, h, w]^(p - 1), 0 where y is 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    norm_type : float
        The power p, not 0. Infinity is the largest absolute value, minus infinity minus the largest of -|input|, the smallest.
    kernel_size, stride, ceil_mode
        As in `avg_pool2d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: p is 0 or an option out of range. DtypeError: integers.

    Notes
    -----
    As torch, no absolute value is taken: odd powers of negative numbers stay negative, and a negative sum has no real root (NaN).
    ONNX's LpPool takes the absolute value. A window that ceil_mode lets hang over is scaled up to the whole kernel, as torch does.

    References
    ----------
    Sermanet, Chintala and LeCun 2012, "Convolutional neural networks applied to house numbers digit classification", section 2.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.lp_pool2d([[[3.0, 4.0], [0.0, 0.0]]], 2, 2).tolist()
    [[[5.0]]]
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, bool(ceil_mode))


@operator(
    family="lp_pool",
    kernels=("avg_pool3d", "avg_pool3d_grad_x"),
    differentiable=("input",),
    kinks="windows of zeros; ties at an infinite norm",
)
def lp_pool3d(input: Any, norm_type: float, kernel_size: Size3, stride: Size3 | None = None, ceil_mode: bool = False) -> Tensor:
    """Take the p-norm of each window of a volume.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), as `avg_pool3d` without padding.

    Formula
    -------
    With the K cells of the kernel and the cells V of window (k, i, j) inside a volume,
    y[n, c, k, i, j] = (K mean_V input^p)^(1/p), which is (sum_V input^p)^(1/p) for a whole window;
    grad_input[n, c, d, h, w] = sum over windows of grad[n, c, k, i, j] (K / |V|) y^(1 - p) input[n, c, d, h, w]^(p - 1), 0 where y is 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    norm_type : float
        The power p, not 0. Infinity is the largest absolute value, minus infinity minus the largest of -|input|, the smallest.
    kernel_size, stride, ceil_mode
        As in `avg_pool3d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: p is 0 or an option out of range. DtypeError: integers.

    Notes
    -----
    As torch, no absolute value is taken: odd powers of negative numbers stay negative, and a negative sum has no real root (NaN).
    ONNX's LpPool takes the absolute value. A window that ceil_mode lets hang over is scaled up to the whole kernel, as torch does.

    References
    ----------
    Sermanet, Chintala and LeCun 2012, "Convolutional neural networks applied to house numbers digit classification", section 2.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.lp_pool3d([[[[3.0, 4.0], [0.0, 0.0]]]], 2, (1, 2, 2)).tolist()
    [[[[5.0]]]]
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, bool(ceil_mode))
