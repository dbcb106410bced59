"""The matrix of a convolution: doubly blocked Toeplitz, sparse."""

from typing import Any

import numpy as np
from scipy import sparse

from ..functional._arguments import float_tensor, whole
from ..functional._sliding import convolution_geometry, steps
from ..kernels import sizes
from ..kernels.reference.conv import PADDING_CODES, source_index

__all__ = ["axis_sources", "conv2d_matrix"]


def axis_sources(size: int, kernel: int, stride: int, before: int, after: int, dilation: int, padding_mode: str) -> np.ndarray:
    """(outputs, taps): which element of an axis each tap of each output reads, -1 for a zero."""
    code = PADDING_CODES[padding_mode]
    outputs = sizes.conv_output_size(size, kernel, stride, before, after, dilation)
    return np.array([[source_index(i * stride + a * dilation - before, size, code) for a in range(kernel)] for i in range(outputs)])


def conv2d_matrix(
    weight: Any,
    input_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> sparse.csr_array:
    """Write a convolution out as the matrix it multiplies images with.

    Shapes
    ------
    (C_out, C_in / groups, K_h, K_w) -> (C_out H_out W_out, C_in H W)

    Formula
    -------
    W[(o H_out + i) W_out + j, (c H + h) W + w] = the sum of weight[o, c', a, b] over all taps of output (o, i, j) that read pixel (c, h, w), so
    conv2d(x).ravel() = W @ x.ravel() and the gradient with respect to x is W.T @ grad.ravel(): the transposed convolution.

    Parameters
    ----------
    weight : Tensor
        float32 or float64.
    input_size : int or (height, width)
        Size of the images in pixels.
    stride, padding, dilation, groups, padding_mode
        As in `tinycnn.functional.conv2d`.

    Returns
    -------
    scipy.sparse.csr_array
        An entry for every pair of output and pixel that a tap connects, weights of zero included: its pattern is that of the kernel's shape.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `conv2d`.

    Notes
    -----
    One channel with stride 1 gives a Toeplitz matrix of Toeplitz blocks: constant along diagonals, of blocks and within them. With circular
    padding it is circulant. Padding modes that copy pixels add several taps up in one entry.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 9.1.
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn.study import conv2d_matrix
    >>> conv2d_matrix(np.array([[[[1.0, 2.0]]]]), (2, 3)).toarray()
    array([[1., 2., 0., 0., 0., 0.],
           [0., 1., 2., 0., 0., 0.],
           [0., 0., 0., 1., 2., 0.],
           [0., 0., 0., 0., 1., 2.]])
    """
    name = "conv2d_matrix"
    kernel = float_tensor(name, "weight", weight).numpy()
    height, width = steps(name, "input_size", input_size, 2)
    channels = (kernel.shape[1] if kernel.ndim > 1 else 1) * whole(name, "groups", groups, 1)
    geometry = convolution_geometry(
        name, 2, (1, channels, height, width), kernel.shape, None, stride, padding, dilation, groups, padding_mode
    )
    strides, around, gaps = geometry.stride, geometry.padding, geometry.dilation
    rows = axis_sources(height, kernel.shape[2], strides[0], around[0], around[1], gaps[0], padding_mode)
    columns = axis_sources(width, kernel.shape[3], strides[1], around[2], around[3], gaps[1], padding_mode)
    # One axis each for o, c, a, b, i, j.
    o, c, a, b, i, j = np.ix_(*map(np.arange, (*kernel.shape, rows.shape[0], columns.shape[0])))
    h, w = rows[i, a], columns[j, b]
    output = (o * rows.shape[0] + i) * columns.shape[0] + j
    channel = o // (kernel.shape[0] // groups) * kernel.shape[1] + c
    pixel = (channel * height + h) * width + w
    read, output, pixel, values = np.broadcast_arrays((h >= 0) & (w >= 0), output, pixel, kernel[o, c, a, b])
    shape = (kernel.shape[0] * rows.shape[0] * columns.shape[0], channels * height * width)
    return sparse.csr_array((values[read], (output[read], pixel[read])), shape=shape)
