"""Windows as columns of a matrix, and the sum that puts them back."""

from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ShapeError
from ..kernels import sizes
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, hashable
from ._sliding import steps
from ._windows import AXES, require_memory, sides

__all__ = ["fold", "unfold"]


class Windows(NamedTuple):
    """The checked options of one unfolding, as kernels take them."""

    kernel_size: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...]
    stride: tuple[int, ...]


def _windows(name: str, size: tuple[int, ...], kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Windows, tuple[int, ...]]:
    """The options, and how many windows stand below and beside each other in an image of `size`."""
    windows = Windows(
        steps(name, "kernel_size", kernel_size, 2),
        steps(name, "dilation", dilation, 2),
        sides(name, "padding", padding, 2),
        steps(name, "stride", stride, 2),
    )
    grid = tuple(
        sizes.require_fit(
            name,
            word,
            size[axis],
            windows.kernel_size[axis],
            windows.stride[axis],
            windows.padding[2 * axis],
            windows.padding[2 * axis + 1],
            windows.dilation[axis],
        )
        for axis, word in enumerate(AXES[2])
    )
    return windows, grid


@plan_cache
def _unfolding(x_shape: tuple[int, ...], kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Windows:
    """Check one combination of shape and options of `unfold`."""
    if len(x_shape) != 4 or 0 in x_shape[1:]:
        raise ShapeError(f"unfold: input has shape {x_shape}; it must be (N, C, H, W), or (C, H, W) for one image, only N may be zero")
    windows, grid = _windows("unfold", x_shape[2:], kernel_size, dilation, padding, stride)
    require_memory("unfold", (*x_shape[:2], *windows.kernel_size, *grid))
    return windows


@plan_cache
def _folding(
    x_shape: tuple[int, ...], output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[tuple[int, ...], Windows]:
    """Check one combination of shape and options of `fold`."""
    if len(x_shape) != 3 or 0 in x_shape[1:]:
        raise ShapeError(f"fold: input has shape {x_shape}; it must be (N, C K_h K_w, P), or (C K_h K_w, P) for one image, only N may be zero")
    size = steps("fold", "output_size", output_size, 2)
    windows, grid = _windows("fold", size, kernel_size, dilation, padding, stride)
    taps = windows.kernel_size[0] * windows.kernel_size[1]
    if x_shape[1] % taps:
        raise ShapeError(
            f"fold: input has {x_shape[1]} rows, which kernel_size {windows.kernel_size} does not divide; "
            f"they are C x {windows.kernel_size[0]} x {windows.kernel_size[1]}, a multiple of {taps}"
        )
    if x_shape[2] != grid[0] * grid[1]:
        raise ShapeError(
            f"fold: input has {x_shape[2]} columns, but an image of size {size} has {grid[0]} x {grid[1]} = {grid[0] * grid[1]} windows "
            "with these options; give the output_size that was unfolded"
        )
    return size, windows


@operator(family="unfold", kernels=("im2col", "col2im"), differentiable=("input",))
def unfold(
    input: Any,
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, ...] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Lay every window of an image out as a column of a matrix: im2col.

    Shapes
    ------
    (N, C, H, W) -> (N, C K_h K_w, P) with P = H_out W_out, the sizes of a convolution. One image (C, H, W) gives (C K_h K_w, P).

    Formula
    -------
    y[n, (c K_h + a) K_w + b, i W_out + j] = input[n, c, i s_h + a d_h - top, j s_w + b d_w - left], zero beyond the image;
    grad_input = fold(grad): every pixel adds up the gradients of its copies.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size : int or (height, width)
        Size of the window in pixels.
    dilation : int or (height, width)
        Distance in pixels between neighbouring cells of a window.
    padding : int, (height, width) or (top, bottom, left, right)
        Pixels of zeros around the image.
    stride : int or (height, width)
        Step of the window in pixels.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    conv2d(input, weight) is weight.reshape(C_out, -1) @ unfold(input, ...), the textbook's way. MATLAB's im2col and Caffe's differ in the
    order of rows and columns; the order here is PyTorch's. TensorFlow has extract_patches with channels last.

    References
    ----------
    Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks for document processing", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.unfold([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], 2).tolist()
    [[1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [5.0, 6.0]]
    """
    tensor = float_tensor("unfold", "input", input)
    x = contiguous(tensor.data)
    single = x.ndim == 3
    if single:
        x = x[np.newaxis]
    try:
        windows = _unfolding(x.shape, kernel_size, dilation, padding, stride)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        windows = _unfolding(x.shape, *map(hashable, (kernel_size, dilation, padding, stride)))
    y = kernels.select("im2col", x)(x, *windows)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        columns = contiguous(grad).reshape(y.shape)
        return (kernels.select("col2im", x)(columns, x.shape[2:], *windows).reshape(tensor.data.shape),)

    return record("unfold", y[0] if single else y, (tensor,), backward)


@operator(family="unfold", kernels=("col2im", "im2col"), differentiable=("input",))
def fold(
    input: Any,
    output_size: int | tuple[int, int],
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, ...] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Put columns of windows back to their places in an image, adding up where windows overlap: col2im, the adjoint of `unfold`.

    Shapes
    ------
    (N, C K_h K_w, P) -> (N, C, H, W) with (H, W) = output_size and P = H_out W_out, the number of its windows. One matrix (C K_h K_w, P)
    gives (C, H, W).

    Formula
    -------
    y[n, c, h, w] = sum of input[n, (c K_h + a) K_w + b, i W_out + j] over all a, b, i, j with i s_h + a d_h - top = h and
    j s_w + b d_w - left = w; grad_input = unfold(grad).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (height, width)
        Size of the image in pixels.
    kernel_size, dilation, padding, stride
        As in `unfold`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If rows or columns are not those of such an image. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    fold(unfold(x)) is x times the number of windows over each pixel, fold(unfold(ones)): divide by it to get x back.

    References
    ----------
    Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks for document processing", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.fold([[1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [5.0, 6.0]], (2, 3), 2).tolist()
    [[[1.0, 4.0, 3.0], [4.0, 10.0, 6.0]]]
    """
    tensor = float_tensor("fold", "input", input)
    x = contiguous(tensor.data)
    single = x.ndim == 2
    if single:
        x = x[np.newaxis]
    try:
        size, windows = _folding(x.shape, output_size, kernel_size, dilation, padding, stride)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        size, windows = _folding(x.shape, *map(hashable, (output_size, kernel_size, dilation, padding, stride)))
    y = kernels.select("col2im", x)(x, size, *windows)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        images = contiguous(grad).reshape(y.shape)
        return (kernels.select("im2col", x)(images, *windows).reshape(tensor.data.shape),)

    return record("fold", y[0] if single else y, (tensor,), backward)
