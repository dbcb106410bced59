"""Convolution, forward and both gradients."""

from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels import sizes
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, four_sides, hashable, one_of, pair, same_dtype, whole

__all__ = ["conv2d", "convolve2d"]

ALGORITHMS = ("auto", "naive", "im2col", "direct", "winograd", "fft")
ACTIVATIONS = (None, "relu")


class Geometry(NamedTuple):
    """The checked options of one convolution, as kernels take them."""

    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int
    padding_mode: str


@plan_cache
def _geometry(
    operator_name: str,
    x_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    bias_shape: tuple[int, ...] | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    padding_mode: str,
    activation: str | None,
    algorithm: str,
) -> Geometry:
    """Check one combination of shapes and options; raises before any work."""
    name = operator_name
    if len(x_shape) != 4:
        raise ShapeError(f"{name}: input has shape {x_shape}; it must be (N, C_in, H, W), or (C_in, H, W) for one image")
    if len(weight_shape) != 4 or 0 in weight_shape:
        raise ShapeError(f"{name}: weight has shape {weight_shape}; it must be (C_out, C_in / groups, K_h, K_w), none of them zero")
    groups = whole(name, "groups", groups, 1)
    _check_channels(name, x_shape[1], weight_shape, bias_shape, groups)
    one_of(name, "padding_mode", padding_mode, sizes.PADDING_MODES)
    one_of(name, "algorithm", algorithm, ALGORITHMS)
    if activation not in ACTIVATIONS:
        raise ArgumentError(f'{name}: activation {activation!r} is neither None nor "relu"')
    strides = pair(name, "stride", stride, 1)
    dilations = pair(name, "dilation", dilation, 1)
    height, width = x_shape[2:]
    kernel_height, kernel_width = weight_shape[2:]
    if isinstance(padding, str):
        top, bottom = sizes.same_padding(height, kernel_height, strides[0], dilations[0], padding)
        left, right = sizes.same_padding(width, kernel_width, strides[1], dilations[1], padding)
    else:
        top, bottom, left, right = four_sides(name, "padding", padding)
    sizes.require_padding_fits_mode(name, padding_mode, "height", height, top, bottom)
    sizes.require_padding_fits_mode(name, padding_mode, "width", width, left, right)
    sizes.require_fit(name, "height", height, kernel_height, strides[0], top, bottom, dilations[0])
    sizes.require_fit(name, "width", width, kernel_width, strides[1], left, right, dilations[1])
    return Geometry(strides, (top, bottom, left, right), dilations, groups, padding_mode)


def _check_channels(
    name: str, channels: int, weight_shape: tuple[int, ...], bias_shape: tuple[int, ...] | None, groups: int
) -> None:
    out_channels, group_channels = weight_shape[:2]
    if group_channels * groups != channels:
        raise ShapeError(
            f"{name}: input has {channels} channels, but weight {weight_shape} with groups={groups} takes "
            f"{group_channels} x {groups} = {group_channels * groups}; make the weight's second size C_in / groups"
        )
    if out_channels % groups:
        raise ShapeError(f"{name}: weight has {out_channels} output channels, which groups={groups} does not divide; use a multiple")
    if bias_shape is not None and bias_shape != (out_channels,):
        raise ShapeError(f"{name}: bias has shape {bias_shape}; it must be ({out_channels},), one number an output channel")


@operator(
    family="conv",
    kernels=("conv2d", "conv2d_grad_x", "conv2d_grad_weight", "conv2d_grad_bias", "relu_mask_and_bias"),
    differentiable=("input", "weight", "bias"),
    kinks='with activation="relu", where the convolution is zero',
)
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
    activation: str | None = None,
    algorithm: str = "auto",
) -> Tensor:
    """Slide every filter over the image and take a dot product at each position: cross-correlation, as in every framework.

    Shapes
    ------
    (N, C_in, H, W), (C_out, C_in / groups, K_h, K_w), (C_out,) -> (N, C_out, H_out, W_out);
    H_out = floor((H + top + bottom - d_h (K_h - 1) - 1) / s_h) + 1, W_out alike. One image (C_in, H, W) gives (C_out, H_out, W_out).

    Formula
    -------
    With x~ the padded input and g the group of output channel o:

        y[n, o, i, j] = bias[o] + sum_{c, a, b} weight[o, c, a, b] x~[n, g C_in/groups + c, i s_h + a d_h, j s_w + b d_w]
        grad_x~[n, c', p, q] = sum over all (o, a, b, i, j) that read (c', p, q) of weight[o, c, a, b] grad[n, o, i, j];
            grad_x adds up every padded cell that is a copy of the same pixel
        grad_weight[o, c, a, b] = sum_{n, i, j} grad[n, o, i, j] x~[n, g C_in/groups + c, i s_h + a d_h, j s_w + b d_w]
        grad_bias[o] = sum_{n, i, j} grad[n, o, i, j]

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    stride : int or (height, width)
        Step of the window in pixels.
    padding : int, (height, width), (top, bottom, left, right) or str
        Pixels added around the image: "valid" none; "same" keeps the size (torch's rule, stride 1 only); "same_tf" gives ceil(H / stride),
        the odd pixel after; "same_lower" the odd pixel before; "full" every overlap; "causal" before only.
    dilation : int or (height, width)
        Distance in pixels between neighbouring taps of the kernel.
    groups : int
        Number of channel groups that are convolved apart from each other.
    padding_mode : str
        What is added: "zeros", "reflect" (edge not repeated), "symmetric" (edge repeated), "replicate", "circular".
    activation : None or "relu"
        Applied to the result at the store, equal to `relu(conv2d(...))` and cheaper.
    algorithm : str
        "auto", or for study "naive" (the definition's loops), "im2col" (columns and one matrix product), "direct" (the micro-kernel),
        "winograd" (F(4 x 4, 3 x 3): 3 x 3 kernels with stride 1, dilation 1 and groups 1; grad_weight by "direct"; in float32 five to ten
        times the rounding error, and a NaN spreads over its tile), "fft" (a product of spectra; a NaN spreads over its image).

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If channels, bias or window do not fit. DtypeError: integer or mixed dtypes. ArgumentError: an option out of range.

    Notes
    -----
    Sizes are floored: rows that no window reads are dropped, as in PyTorch, TensorFlow and Caffe2 (Caffe pools round up).
    Convolution in the sense of signal processing flips the kernel: `convolve2d`. PyTorch spells padding modes on the module only.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", relationships 1 to 6.
    LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> image = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    >>> kernel = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])
    >>> tinycnn.functional.conv2d(image, kernel).numpy()
    array([[[[-4., -4.],
             [-4., -4.]]]])
    """
    return _conv2d("conv2d", input, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm)


def _conv2d(
    name: str,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    padding_mode: str,
    activation: str | None,
    algorithm: str,
) -> Tensor:
    tensor = float_tensor(name, "input", input)
    weight = float_tensor(name, "weight", weight)
    bias = None if bias is None else float_tensor(name, "bias", bias)
    same_dtype(name, input=tensor, weight=weight, bias=bias)
    x = contiguous(tensor.data)
    single = x.ndim == 3
    if single:
        x = x[np.newaxis]
    w = contiguous(weight.data)
    b = None if bias is None else contiguous(bias.data)
    shapes = (x.shape, w.shape, None if b is None else b.shape)
    options: tuple[Any, ...] = (stride, padding, dilation, groups, padding_mode, activation, algorithm)
    try:
        geometry = _geometry(name, *shapes, *options)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        geometry = _geometry(name, *shapes, *map(hashable, options))
    y = kernels.select("conv2d", x)(x, w, b, *geometry, activation, algorithm)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad = contiguous(grad[np.newaxis] if single else grad)
        grad_x = grad_weight = grad_bias = None
        if activation == "relu":
            grad, grad_bias = kernels.select("relu_mask_and_bias", x)(grad, y)
        elif needs[2]:
            grad_bias = kernels.select("conv2d_grad_bias", x)(grad)
        if needs[1]:
            grad_weight = kernels.select("conv2d_grad_weight", x)(grad, x, w.shape, *geometry, algorithm)
        if needs[0]:
            grad_x = kernels.select("conv2d_grad_x", x)(grad, w, x.shape, *geometry, algorithm)
            if single:
                grad_x = grad_x[0]
        return grad_x, grad_weight, grad_bias if needs[2] else None

    return record(name, y[0] if single else y, (tensor, weight, bias), backward, saved=(tensor, weight))


@operator(
    family="conv",
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
    tensor = float_tensor("convolve2d", "weight", weight)
    if tensor.data.ndim != 4:
        raise ShapeError(f"convolve2d: weight has shape {tensor.shape}; it must be (C_out, C_in / groups, K_h, K_w), none of them zero")

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (grad[:, :, ::-1, ::-1],)

    flipped = record("convolve2d", contiguous(tensor.data[:, :, ::-1, ::-1]), (tensor,), backward)
    return _conv2d("convolve2d", input, flipped, bias, stride, padding, dilation, groups, padding_mode, None, "auto")
