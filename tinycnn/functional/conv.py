"""Convolution over one to three spatial axes, forward and gradients."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ShapeError
from ..kernels import sizes
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, hashable, one_of, same_dtype
from ._fused_activation import ACTIVATION_KERNELS, ACTIVATION_SLOPES, TOLD_BY_RESULT, fused_activation
from ._sliding import Geometry, convolution_geometry, lifted, operands, planes

__all__ = ["conv1d", "conv2d", "conv3d"]

ALGORITHMS = ("auto", "naive", "im2col", "direct", "winograd", "fft")

# Which kernels serve how many spatial axes: one axis is an image of height 1.
KERNELS = {rank: (name, f"{name}_grad_x", f"{name}_grad_weight") for rank, name in {1: "conv2d", 2: "conv2d", 3: "conv3d"}.items()}


@plan_cache
def _geometry(
    name: str, rank: int, shapes: tuple[tuple[int, ...] | None, ...], single: bool, options: tuple[Any, ...], activation: Any, algorithm: Any
) -> Geometry:
    """Check one combination of shapes (input, weight, bias, residual) and options; raises before any work."""
    one_of(name, "algorithm", algorithm, ALGORITHMS)
    fused_activation(name, activation)
    x_shape, weight_shape, _, residual_shape = shapes
    geometry = convolution_geometry(name, rank, *shapes[:3], *options)  # type: ignore[arg-type]
    if residual_shape is not None and x_shape is not None and weight_shape is not None:
        sides = geometry.padding[-2 * rank :]
        axes = zip(x_shape[2:], weight_shape[2:], geometry.stride[-rank:], sides[::2], sides[1::2], geometry.dilation[-rank:])
        expected = (*([] if single else x_shape[:1]), weight_shape[0], *(sizes.conv_output_size(*axis) for axis in axes))
        if residual_shape != expected:
            raise ShapeError(f"{name}: residual has shape {residual_shape}; it must be the result's, {expected}")
    return geometry


def convolution(
    name: str,
    rank: int,
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
    residual: Any = None,
) -> Tensor:
    """A convolution over `rank` spatial axes."""
    tensors, x, w, b, single = operands(name, rank, input, weight, bias)
    added = None if residual is None else float_tensor(name, "residual", residual)
    same_dtype(name, input=tensors[0], residual=added)
    shapes = (x.shape, w.shape, None if b is None else b.shape, None if added is None else added.data.shape)
    options: tuple[Any, ...] = (stride, padding, dilation, groups, padding_mode)
    try:
        geometry = _geometry(name, rank, shapes, single, options, activation, algorithm)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        geometry = _geometry(name, rank, shapes, single, tuple(map(hashable, options)), hashable(activation), hashable(algorithm))
    x, w = lifted(x, rank), lifted(w, rank)
    forward, to_x, to_weight = KERNELS[rank]
    y = kernels.select(forward, x)(x, w, b, *geometry, "relu" if activation == "relu" and added is None else None, algorithm)
    if added is not None:
        with np.errstate(all="ignore"):  # NaN and infinity pass without a warning, as in `add`
            y += added.data.reshape(y.shape)
            if activation == "relu":
                np.maximum(y, 0, out=y)
    total = y
    if activation not in (None, "relu"):
        y = kernels.select(activation, x)(y)
        if activation in TOLD_BY_RESULT:
            total = y

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad = contiguous(grad).reshape(y.shape)
        grad_x = grad_weight = grad_bias = None
        if activation == "relu":
            masked, grad_bias = kernels.select("relu_mask_and_bias", x)(planes(grad), planes(y))
            grad = masked.reshape(y.shape)
        elif activation is not None:
            grad = kernels.select(ACTIVATION_SLOPES[activation], x)(grad, total)
        if needs[2] and grad_bias is None:
            grad_bias = kernels.select("conv2d_grad_bias", x)(planes(grad))
        if needs[1]:
            grad_weight = kernels.select(to_weight, x)(grad, x, w.shape, *geometry, algorithm).reshape(tensors[1].data.shape)
        if needs[0]:
            grad_x = kernels.select(to_x, x)(grad, w, x.shape, *geometry, algorithm).reshape(tensors[0].data.shape)
        return grad_x, grad_weight, grad_bias if needs[2] else None, grad.reshape(shape) if needs[3] else None

    shape = y.shape[1 if single else 0 : 2] + y.shape[-rank:]
    return record(name, y.reshape(shape), (*tensors, added), backward, saved=tensors[:2])


@operator(
    family="conv",
    kernels=("conv2d", "conv2d_grad_x", "conv2d_grad_weight", "conv2d_grad_bias", "relu_mask_and_bias", *ACTIVATION_KERNELS),
    differentiable=("input", "weight", "bias", "residual"),
    kinks="with an activation, where that has a corner",
)
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int] = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
    activation: str | None = None,
    algorithm: str = "auto",
    residual: Any = None,
) -> Tensor:
    """Slide every filter along a sequence, such as a sound, or the words of a text with their embeddings as channels.

    Shapes
    ------
    (N, C_in, L), (C_out, C_in / groups, K), (C_out,) -> (N, C_out, L_out); L_out = floor((L + before + after - d (K - 1) - 1) / s) + 1.
    One sequence (C_in, L) gives (C_out, L_out).

    Formula
    -------
    With x~ the padded input and g the group of output channel o:

        y[n, o, i] = bias[o] + sum_{c, a} weight[o, c, a] x~[n, g C_in/groups + c, i s + a d]
        grad_x~[n, c', p] = sum over all (o, a, i) that read (c', p) of weight[o, c, a] grad[n, o, i]
        grad_weight[o, c, a] = sum_{n, i} grad[n, o, i] x~[n, g C_in/groups + c, i s + a d]
        grad_bias[o] = sum_{n, i} grad[n, o, i]

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    stride, dilation : int
        Step of the window, and distance between its taps, in elements.
    padding : int, (before, after) or str
        Elements added at the ends, or a name as in `conv2d`; "causal" lets an output see nothing behind its own place.
    groups, padding_mode, activation, algorithm, residual
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
    It is `conv2d` on images of height 1, without a copy. PyTorch and ONNX have channels before the length, Keras and TensorFlow behind it;
    Keras alone has "causal".

    References
    ----------
    Kim 2014, "Convolutional neural networks for sentence classification", equation 2.
    van den Oord et al. 2016, "WaveNet: a generative model for raw audio", section 2.1 (causal and dilated).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.conv1d([[[1.0, 4.0, 9.0, 16.0]]], [[[-1.0, 1.0]]]).tolist()
    [[[3.0, 5.0, 7.0]]]
    >>> tinycnn.functional.conv1d([[[1.0, 4.0, 9.0, 16.0]]], [[[1.0, 1.0]]], padding="causal").tolist()
    [[[1.0, 5.0, 13.0, 25.0]]]
    """
    return convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm, residual)


@operator(
    family="conv",
    kernels=("conv2d", "conv2d_grad_x", "conv2d_grad_weight", "conv2d_grad_bias", "relu_mask_and_bias", *ACTIVATION_KERNELS),
    differentiable=("input", "weight", "bias", "residual"),
    kinks="with an activation, where that has a corner",
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
    residual: Any = None,
) -> Tensor:
    """Slide every filter over the image and take a dot product at each position: cross-correlation, as in every framework.

    Shapes
    ------
    (N, C_in, H, W), (C_out, C_in / groups, K_h, K_w), (C_out,) -> (N, C_out, H_out, W_out);
    H_out = floor((H + top + bottom - d_h (K_h - 1) - 1) / s_h) + 1, W_out alike. One image (C_in, H, W) gives (C_out, H_out, W_out).

    Formula
    -------
    With x~ the padded input and g the group of output channel o:

        y[n, o, i, j] = bias[o] + sum_{c, a, b} weight[o, c, a, b] x~[n, g C_in/groups + c, i s_h + a d_h, j s_w + b d_w] + residual[n, o, i, j]
        grad_x~[n, c', p, q] = sum over all (o, a, b, i, j) that read (c', p, q) of weight[o, c, a, b] grad[n, o, i, j];
            grad_x adds up every padded cell that is a copy of the same pixel
        grad_weight[o, c, a, b] = sum_{n, i, j} grad[n, o, i, j] x~[n, g C_in/groups + c, i s_h + a d_h, j s_w + b d_w]
        grad_bias[o] = sum_{n, i, j} grad[n, o, i, j];  grad_residual = grad

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
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied to the result, equal to `relu(conv2d(...))`; "relu" at the store, which is cheaper than a pass of its own.
    algorithm : str
        "auto", or for study "naive" (the definition's loops), "im2col" (columns and one matrix product), "direct" (the micro-kernel),
        "winograd" (F(4 x 4, 3 x 3): 3 x 3 kernels with stride 1, dilation 1 and groups 1; grad_weight by "direct"; in float32 five to ten
        times the rounding error, and a NaN spreads over its tile), "fft" (a product of spectra; a NaN spreads over its image).
    residual : Tensor, optional
        Of the result's shape; added before the activation, as at the end of a residual block:
        activation(conv2d(...) + residual), in place and without the tape's two further nodes.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If channels, bias, window or residual do not fit. DtypeError: integer or mixed dtypes. ArgumentError: an option out of range.

    Notes
    -----
    Sizes are floored: rows that no window reads are dropped, as in PyTorch, TensorFlow and Caffe2 (Caffe pools round up).
    Convolution in the sense of signal processing flips the kernel: `convolve2d`. PyTorch spells padding modes on the module only.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", relationships 1 to 6.
    LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II.
    He et al. 2016, "Deep residual learning for image recognition", figure 2 (residual).

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> image = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    >>> kernel = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])
    >>> tinycnn.functional.conv2d(image, kernel).numpy()
    array([[[[-4., -4.],
             [-4., -4.]]]])
    """
    return convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm, residual)


@operator(
    family="conv",
    kernels=("conv3d", "conv3d_grad_x", "conv3d_grad_weight", "conv2d_grad_bias", "relu_mask_and_bias", *ACTIVATION_KERNELS),
    differentiable=("input", "weight", "bias", "residual"),
    kinks="with an activation, where that has a corner",
)
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int, int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, int, int] = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
    activation: str | None = None,
    algorithm: str = "auto",
    residual: Any = None,
) -> Tensor:
    """Slide every filter through a volume or a film.

    Shapes
    ------
    (N, C_in, D, H, W), (C_out, C_in / groups, K_d, K_h, K_w), (C_out,) -> (N, C_out, D_out, H_out, W_out), each size as in `conv2d`.
    One volume (C_in, D, H, W) gives (C_out, D_out, H_out, W_out).

    Formula
    -------
    With x~ the padded input, g the group of output channel o, and positions and taps as triples:

        y[n, o, i] = bias[o] + sum_{c, a} weight[o, c, a] x~[n, g C_in/groups + c, i s + a d]
        grad_x~[n, c', p] = sum over all (o, a, i) that read (c', p) of weight[o, c, a] grad[n, o, i]
        grad_weight[o, c, a] = sum_{n, i} grad[n, o, i] x~[n, g C_in/groups + c, i s + a d]
        grad_bias[o] = sum_{n, i} grad[n, o, i]

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    stride, dilation : int or (depth, height, width)
        Step of the window, and distance between its taps, in voxels.
    padding : int, (depth, height, width), (front, back, top, bottom, left, right) or str
        Voxels added around the volume, or a name as in `conv2d`, each axis for itself.
    groups, padding_mode, activation, algorithm, residual
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
    The taps in depth become channels: K_d planes, each as its tap sees it, are stacked and one `conv2d` with K_d times the channels does
    the arithmetic. For a film the depth is time.

    References
    ----------
    Tran et al. 2015, "Learning spatiotemporal features with 3D convolutional networks", section 3.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> volume = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    >>> tinycnn.functional.conv3d(volume, np.ones((1, 1, 2, 1, 2))).tolist()
    [[[[[10.0], [18.0]]]]]
    """
    return convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm, residual)
