"""True convolution, as signal processing means it: every kernel flipped along all of its axes."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor
from .conv import convolution

__all__ = ["convolve1d", "convolve2d", "convolve3d"]

TAPS = {1: "K", 2: "K_h, K_w", 3: "K_d, K_h, K_w"}


def _flipped(name: str, rank: int, weight: Any) -> Tensor:
    """The weight with its taps in reversed order along every spatial axis."""
    tensor = float_tensor(name, "weight", weight)
    if tensor.data.ndim != rank + 2:
        raise ShapeError(f"{name}: weight has shape {tensor.shape}; it must be (C_out, C_in / groups, {TAPS[rank]}), none of them zero")
    axes = tuple(range(2, rank + 2))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (np.flip(grad, axes),)

    return record(name, contiguous(np.flip(tensor.data, axes)), (tensor,), backward)


@operator(
    family="convolve",
    kernels=("conv2d", "conv2d_grad_x", "conv2d_grad_weight", "conv2d_grad_bias"),
    differentiable=("input", "weight", "bias"),
)
def convolve1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int] = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Tensor:
    """Convolve a sequence in the sense of signal processing: `conv1d` with every kernel reversed.

    Shapes
    ------
    As `conv1d`: (N, C_in, L), (C_out, C_in / groups, K), (C_out,) -> (N, C_out, L_out)

    Formula
    -------
    y[n, o, i] = bias[o] + sum_{c, a} weight[o, c, K - 1 - a] x~[n, g C_in/groups + c, i s + a d], g the group of output channel o;
    the gradients are those of `conv1d`, grad_weight reversed.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups, padding_mode
        As in `conv1d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `conv1d`.

    Notes
    -----
    With padding="full" on one channel this is the discrete convolution (u * h)[i] = sum_s u[s] h[i - s] of `numpy.convolve`, the product
    of two polynomials; padding="causal" gives the filter of signal processing, h its impulse response.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", equations 9.1 to 9.3.

    Examples
    --------
    >>> import tinycnn  # (1 + 2 z) (3 + 4 z) = 3 + 10 z + 8 z^2
    >>> tinycnn.functional.convolve1d([[[1.0, 2.0]]], [[[3.0, 4.0]]], padding="full").tolist()
    [[[3.0, 10.0, 8.0]]]
    """
    flipped = _flipped("convolve1d", 1, weight)
    return convolution("convolve1d", 1, input, flipped, bias, stride, padding, dilation, groups, padding_mode, None, "auto")


@operator(
    family="convolve",
    kernels=("conv2d", "conv2d_grad_x", "conv2d_grad_weight", "conv2d_grad_bias"),
    differentiable=("input", "weight", "bias"),
)
def convolve2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Tensor:
    """Convolve in the sense of signal processing: `conv2d` with every kernel flipped in height and width.

    Shapes
    ------
    As `conv2d`: (N, C_in, H, W), (C_out, C_in / groups, K_h, K_w), (C_out,) -> (N, C_out, H_out, W_out)

    Formula
    -------
    y[n, o, i, j] = bias[o] + sum_{c, a, b} weight[o, c, K_h - 1 - a, K_w - 1 - b] x~[n, c, i s_h + a d_h, j s_w + b d_w];
    the gradients are those of `conv2d`, grad_weight flipped back.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups, padding_mode
        As in `conv2d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `conv2d`.

    Notes
    -----
    With padding="full" on one channel this is the discrete convolution (u * h)[i] = sum_s u[s] h[i - s]. Frameworks call
    the unflipped sum convolution; for kernels that are their own mirror image the two agree.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", equations 9.4 to 9.6.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> impulse = np.array([[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]])
    >>> kernel = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> tinycnn.functional.convolve2d(impulse, kernel).numpy()
    array([[[[1., 2.],
             [3., 4.]]]])
    """
    flipped = _flipped("convolve2d", 2, weight)
    return convolution("convolve2d", 2, input, flipped, bias, stride, padding, dilation, groups, padding_mode, None, "auto")


@operator(
    family="convolve",
    kernels=("conv3d", "conv3d_grad_x", "conv3d_grad_weight", "conv2d_grad_bias"),
    differentiable=("input", "weight", "bias"),
)
def convolve3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int, int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, int, int] = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Tensor:
    """Convolve a volume in the sense of signal processing: `conv3d` with every kernel flipped in depth, height and width.

    Shapes
    ------
    As `conv3d`: (N, C_in, D, H, W), (C_out, C_in / groups, K_d, K_h, K_w), (C_out,) -> (N, C_out, D_out, H_out, W_out)

    Formula
    -------
    With positions and taps as triples, and g the group of output channel o:

        y[n, o, i] = bias[o] + sum_{c, a} weight[o, c, K - 1 - a] x~[n, g C_in/groups + c, i s + a d]

    The gradients are those of `conv3d`, grad_weight flipped back.

    Parameters
    ----------
    input, weight, bias, stride, padding, dilation, groups, padding_mode
        As in `conv3d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `conv3d`.

    Notes
    -----
    With padding="full" on one channel this is `scipy.signal.convolve` of the volume and the kernel.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", equations 9.4 to 9.6.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> kernel = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    >>> impulse = np.ones((1, 1, 1, 1, 1))
    >>> bool((tinycnn.functional.convolve3d(impulse, kernel, padding="full").numpy() == kernel).all())
    True
    """
    flipped = _flipped("convolve3d", 3, weight)
    return convolution("convolve3d", 3, input, flipped, bias, stride, padding, dilation, groups, padding_mode, None, "auto")
