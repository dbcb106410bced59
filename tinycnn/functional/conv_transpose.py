"""Transposed convolution over one to three spatial axes: the linear map of a convolution, transposed."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, hashable
from ._sliding import TransposedGeometry, lifted, operands, planes, transposed_geometry

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]

# Which kernels serve how many spatial axes: one axis is an image of height 1.
KERNELS = {
    rank: (name, f"{name}_grad_x", f"{name}_grad_weight")
    for rank, name in {1: "conv_transpose2d", 2: "conv_transpose2d", 3: "conv_transpose3d"}.items()
}


@plan_cache
def _geometry(
    name: str, rank: int, shapes: tuple[tuple[int, ...] | None, ...], options: tuple[Any, ...], single: bool
) -> TransposedGeometry:
    """Check one combination of shapes and options; raises before any work."""
    return transposed_geometry(name, rank, *shapes, *options, single)  # type: ignore[arg-type, call-arg]


def _conv_transpose(
    name: str,
    rank: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
    output_size: Any,
) -> Tensor:
    """A transposed convolution over `rank` spatial axes."""
    tensors, x, w, b, single = operands(name, rank, input, weight, bias)
    shapes = (x.shape, w.shape, None if b is None else b.shape)
    options: tuple[Any, ...] = (stride, padding, output_padding, groups, dilation, output_size)
    try:
        geometry = _geometry(name, rank, shapes, options, single)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        geometry = _geometry(name, rank, shapes, tuple(map(hashable, options)), single)
    x, w = lifted(x, rank), lifted(w, rank)
    forward, to_x, to_weight = KERNELS[rank]
    y = kernels.select(forward, x)(x, w, b, *geometry)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad = contiguous(grad).reshape(y.shape)
        grad_x = grad_weight = grad_bias = None
        if needs[2]:
            grad_bias = kernels.select("conv2d_grad_bias", x)(planes(grad))
        if needs[1]:
            grad_weight = kernels.select(to_weight, x)(grad, x, w.shape, *geometry).reshape(tensors[1].data.shape)
        if needs[0]:
            grad_x = kernels.select(to_x, x)(grad, w, x.shape, *geometry).reshape(tensors[0].data.shape)
        return grad_x, grad_weight, grad_bias

    shape = y.shape[1 if single else 0 : 2] + y.shape[-rank:]
    return record(name, y.reshape(shape), tensors, backward, saved=tensors[:2])


@operator(
    family="conv_transpose",
    kernels=("conv_transpose2d", "conv_transpose2d_grad_x", "conv_transpose2d_grad_weight", "conv2d_grad_bias"),
    differentiable=("input", "weight", "bias"),
)
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int] = 1,
    padding: int | tuple[int, ...] = 0,
    output_padding: int | tuple[int] = 0,
    groups: int = 1,
    dilation: int | tuple[int] = 1,
    *,
    output_size: Any = None,
) -> Tensor:
    """Paint a kernel at every element of a sequence, adding up where paintings overlap: `conv1d` transposed.

    Shapes
    ------
    (N, C_in, L), (C_in, C_out / groups, K), (C_out,) -> (N, C_out, L_out);
    L_out = (L - 1) s - before - after + d (K - 1) + output_padding + 1. One sequence (C_in, L) gives (C_out, L_out).

    Formula
    -------
    y[n, o, i s + a d - before] gets weight[c, o, a] input[n, c, i] for every c of o's group, i and a; every y[n, o, p] starts at bias[o].
    The gradients are those of `conv_transpose2d` with one index less.

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    stride, dilation : int
        Distance between neighbouring paintings, and between the taps of one, in elements of the result.
    padding : int or (before, after)
        Elements cropped from the ends of the result.
    output_padding : int
        Elements added behind; less than the stride or the dilation.
    groups : int
        Number of channel groups.
    output_size : int or (length,), optional
        The wanted length, instead of output_padding.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `conv_transpose2d`.

    Notes
    -----
    As `conv_transpose2d`.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4.

    Examples
    --------
    Two elements a = 1 and b = 10 paint (x, y, z) = (1, 2, 3) two apart: (ax, ay, az + bx, by, bz).

    >>> import tinycnn
    >>> tinycnn.functional.conv_transpose1d([[[1.0, 10.0]]], [[[1.0, 2.0, 3.0]]], stride=2).tolist()
    [[[1.0, 2.0, 13.0, 20.0, 30.0]]]
    """
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation, output_size)


@operator(
    family="conv_transpose",
    kernels=("conv_transpose2d", "conv_transpose2d_grad_x", "conv_transpose2d_grad_weight", "conv2d_grad_bias"),
    differentiable=("input", "weight", "bias"),
)
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, ...] = 0,
    output_padding: int | tuple[int, int] = 0,
    groups: int = 1,
    dilation: int | tuple[int, int] = 1,
    *,
    output_size: Any = None,
) -> Tensor:
    """Paint a kernel at every pixel of an image, adding up where paintings overlap: `conv2d` transposed, an upsampling that is trained.

    Shapes
    ------
    (N, C_in, H, W), (C_in, C_out / groups, K_h, K_w), (C_out,) -> (N, C_out, H_out, W_out);
    H_out = (H - 1) s_h - top - bottom + d_h (K_h - 1) + output_padding_h + 1, W_out alike. One image (C_in, H, W) gives (C_out, H_out, W_out).

    Formula
    -------
    With g the group of input channel c, for all n, c, o, (i, j) and (a, b) whose target lies in the result:

        y[n, g C_out/groups + o, i s_h + a d_h - top, j s_w + b d_w - left] gets weight[c, o, a, b] input[n, c, i, j], and starts at bias[...]
        grad_input[n, c, i, j] = sum_{o, a, b} weight[c, o, a, b] grad[n, g C_out/groups + o, i s_h + a d_h - top, j s_w + b d_w - left]
        grad_weight[c, o, a, b] = sum_{n, i, j} input[n, c, i, j] grad[n, g C_out/groups + o, i s_h + a d_h - top, j s_w + b d_w - left]
        grad_bias[o] = sum_{n, p, q} grad[n, o, p, q]

    so <conv2d(y, weight), x> = <y, conv_transpose2d(x, weight)> for equal options, with the weight as it is: conv2d's (C_out, C_in / groups).

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    stride : int or (height, width)
        Distance between neighbouring paintings, in pixels of the result.
    padding : int, (height, width) or (top, bottom, left, right)
        Pixels cropped from the sides of the result: the padding of the convolution that this one transposes.
    output_padding : int or (height, width)
        Pixels added at the bottom and at the right; less than the stride or the dilation. A convolution of stride s takes s sizes to
        the same one, and this names which of them to return to.
    groups : int
        Number of channel groups that are convolved apart from each other.
    dilation : int or (height, width)
        Distance in pixels between neighbouring taps of the kernel.
    output_size : (height, width), optional
        The wanted size, instead of output_padding; the shape of the whole result serves as well.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If channels or bias do not fit, nothing is left after cropping, or output_size cannot be reached. DtypeError: integer or mixed
        dtypes. ArgumentError: an option out of range.

    Notes
    -----
    Also called fractionally strided convolution, and wrongly deconvolution: it returns a size, not the values. Where the stride does not
    divide the kernel, pixels get unequally many strokes: the checkerboard of Odena et al. Keras and TensorFlow crop by "same" or "valid"
    instead of numbers and keep weights as (K_h, K_w, C_out, C_in); ONNX ConvTranspose has output_padding and output_shape as here.
    Output padding rows are painted like all others where strokes reach them; they are not zeros.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", relationships 8 to 14.
    Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts".

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> image = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> tinycnn.functional.conv_transpose2d(image, np.ones((1, 1, 3, 3)), stride=2).numpy()
    array([[[[ 1.,  1.,  3.,  2.,  2.],
             [ 1.,  1.,  3.,  2.,  2.],
             [ 4.,  4., 10.,  6.,  6.],
             [ 3.,  3.,  7.,  4.,  4.],
             [ 3.,  3.,  7.,  4.,  4.]]]])
    """
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation, output_size)


@operator(
    family="conv_transpose",
    kernels=("conv_transpose3d", "conv_transpose3d_grad_x", "conv_transpose3d_grad_weight", "conv2d_grad_bias"),
    differentiable=("input", "weight", "bias"),
)
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int, int] = 1,
    padding: int | tuple[int, ...] = 0,
    output_padding: int | tuple[int, int, int] = 0,
    groups: int = 1,
    dilation: int | tuple[int, int, int] = 1,
    *,
    output_size: Any = None,
) -> Tensor:
    """Paint a kernel at every voxel of a volume, adding up where paintings overlap: `conv3d` transposed.

    Shapes
    ------
    (N, C_in, D, H, W), (C_in, C_out / groups, K_d, K_h, K_w), (C_out,) -> (N, C_out, D_out, H_out, W_out), each size as in
    `conv_transpose2d`. One volume (C_in, D, H, W) gives (C_out, D_out, H_out, W_out).

    Formula
    -------
    y[n, o, i s + a d - before] gets weight[c, o, a] input[n, c, i] for every c of o's group, position i and tap a, all of them triples;
    every y[n, o, p] starts at bias[o]. The gradients are those of `conv_transpose2d` with one index more.

    Parameters
    ----------
    input, weight, bias : Tensor
        float32 or float64, all of one dtype; `bias` may be None.
    stride, output_padding, dilation : int or (depth, height, width)
        As in `conv_transpose2d`, in voxels.
    padding : int, (depth, height, width) or (front, back, top, bottom, left, right)
        Voxels cropped from the sides of the result.
    groups : int
        Number of channel groups.
    output_size : (depth, height, width), optional
        The wanted size, instead of output_padding.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `conv_transpose2d`.

    Notes
    -----
    As `conv_transpose2d`.

    References
    ----------
    Cicek et al. 2016, "3D U-Net: learning dense volumetric segmentation from sparse annotation", section 2.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> voxel = np.full((1, 1, 1, 1, 1), 2.0)
    >>> tinycnn.functional.conv_transpose3d(voxel, np.arange(8.0).reshape(1, 1, 2, 2, 2), stride=2).tolist()
    [[[[[0.0, 2.0], [4.0, 6.0]], [[8.0, 10.0], [12.0, 14.0]]]]]
    """
    return _conv_transpose("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation, output_size)
