"""Sampling at arbitrary places: what a spatial transformer does with an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, one_of, same_dtype, whole
from ._arrays import as_array

__all__ = ["affine_grid", "grid_sample"]

MODES = ("bilinear", "nearest", "bicubic")
PADDING_MODES = ("zeros", "border", "reflection")


@operator(
    family="grid_sample",
    kernels=("grid_sample", "grid_sample_grad_x", "grid_sample_grad_grid"),
    differentiable=("input", "grid"),
    kinks="places on an element (bilinear), between two (nearest), at the border",
)
def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """Read an image, or a volume, at the places that a grid names.

    Shapes
    ------
    (N, C, H, W), (N, H_out, W_out, 2) -> (N, C, H_out, W_out); (N, C, D, H, W), (N, D_out, H_out, W_out, 3) -> (N, C, D_out, H_out, W_out)

    Formula
    -------
    With (x, y) = grid[n, i, j], in pixels p_w = ((x + 1) W - 1) / 2, or (x + 1) (W - 1) / 2 with align_corners, and p_h alike from y and H:
    y[n, c, i, j] = sum_h sum_w k(p_h - h) k(p_w - w) input[n, c, h, w], k(t) = max(0, 1 - |t|) for bilinear, Keys' kernel with a = -3/4 for
    bicubic, 1 at the nearest pixel (halves to the even one) for nearest;
    grad_input[n, c, h, w] = sum_i sum_j k(p_h - h) k(p_w - w) grad[n, c, i, j];
    grad_x[n, i, j] = (W / 2) sum_c grad[n, c, i, j] sum_h sum_w k(p_h - h) k'(p_w - w) input[n, c, h, w], and 0 for nearest.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    grid : Tensor
        Places (x, y), or (x, y, z), from -1 (left, top, front) to 1; the last axis of the input comes first. Of the input's dtype.
    mode : str
        bilinear (trilinear for volumes), nearest, or bicubic (images only).
    padding_mode : str
        What lies outside: "zeros"; "border", the pixel at the border; "reflection", the image mirrored at its border.
    align_corners : bool, optional
        Whether -1 and 1 are the middles of the outer pixels, or (False, the default) their outer edges.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If input and grid do not fit. ArgumentError: an unknown mode, or bicubic of a volume. DtypeError: integers, two dtypes.

    Notes
    -----
    As torch does on a CPU: a place of nan or infinity reads nan from an image padded with zeros (0 in nearest mode), the first pixel with
    "border" and "reflection" (infinity and "border": the pixel at that border); from a volume 0 and the last element. Bicubic reads nan.
    Beyond the border and exactly on it the gradient of the place is 0 with "border". OpenCV's remap counts places in pixels.

    References
    ----------
    Jaderberg, Simonyan, Zisserman and Kavukcuoglu 2015, "Spatial transformer networks", section 3.3.

    Examples
    --------
    >>> import tinycnn
    >>> image = tinycnn.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> places = tinycnn.tensor([[[[0.0, 0.0], [-1.0, -1.0]]]])
    >>> tinycnn.functional.grid_sample(image, places, align_corners=True).tolist()
    [[[[2.5, 1.0]]]]
    """
    name = "grid_sample"
    tensor, places = float_tensor(name, "input", input), float_tensor(name, "grid", grid)
    same_dtype(name, input=tensor, grid=places)
    one_of(name, "mode", mode, MODES)
    one_of(name, "padding_mode", padding_mode, PADDING_MODES)
    shape, places_shape = tensor.data.shape, places.data.shape
    if len(shape) not in (4, 5) or len(places_shape) != len(shape):
        raise ShapeError(
            f"{name}: input {shape} and grid {places_shape}; they must be (N, C, H, W) and (N, H_out, W_out, 2), or (N, C, D, H, W) and "
            "(N, D_out, H_out, W_out, 3)"
        )
    if places_shape[0] != shape[0] or places_shape[-1] != len(shape) - 2:
        raise ShapeError(
            f"{name}: grid {places_shape} must start with the {shape[0]} images of input {shape} and end with {len(shape) - 2} coordinates"
        )
    if min(shape[2:]) < 1:
        raise ShapeError(f"{name}: input has shape {shape}; its spatial sizes must be at least 1")
    if mode == "bicubic" and len(shape) == 5:
        raise ArgumentError(f"{name}: mode 'bicubic' is for images (N, C, H, W), not for input of shape {shape}; use bilinear")
    options = (mode, padding_mode, bool(align_corners))
    x, where = contiguous(tensor.data), contiguous(places.data).reshape(shape[0], _count(places_shape[1:-1]), len(shape) - 2)
    y = kernels.select(name, x)(x, where, *options)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        grad_x = kernels.select("grid_sample_grad_x", x)(upstream, where, x.shape, *options) if needs[0] else None
        if not needs[1]:
            return grad_x, None
        return grad_x, kernels.select("grid_sample_grad_grid", x)(upstream, x, where, *options).reshape(places_shape)

    return record(name, y.reshape(*shape[:2], *places_shape[1:-1]), (tensor, places), backward, (tensor, places))


@operator(family="grid_sample", differentiable=("theta",))
def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places for `grid_sample` that an affine map gives: a rotation, scaling, shear or shift of the image.

    Shapes
    ------
    (N, 2, 3) and size (N, C, H, W) -> (N, H, W, 2); (N, 3, 4) and size (N, C, D, H, W) -> (N, D, H, W, 3)

    Formula
    -------
    grid[n, i, j] = theta[n] (x_j, y_i, 1), x_j = (2 j + 1) / W - 1, or 2 j / (W - 1) - 1 with align_corners (0 for W = 1), y_i alike;
    grad_theta[n, a, b] = sum_i sum_j grad[n, i, j, a] (x_j, y_i, 1)[b].

    Parameters
    ----------
    theta : Tensor
        One matrix an image, from places in the output to places in the input, both in -1 .. 1.
    size : tuple of int
        The output's shape.
    align_corners : bool, optional
        Whether -1 and 1 are the middles of the outer pixels, or (False, the default) their outer edges; as in `grid_sample`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If theta and size do not fit, or a size is 0. DtypeError: integers.

    References
    ----------
    Jaderberg, Simonyan, Zisserman and Kavukcuoglu 2015, "Spatial transformer networks", section 3.2.

    Examples
    --------
    >>> import tinycnn
    >>> theta = [[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]
    >>> tinycnn.functional.affine_grid(theta, (1, 1, 1, 2)).tolist()
    [[[[0.0, 0.0], [1.0, 0.0]]]]
    """
    name = "affine_grid"
    tensor = float_tensor(name, "theta", theta)
    if not isinstance(size, Sequence) or isinstance(size, str) or len(size) not in (4, 5):
        raise ShapeError(f"{name}: size must be (N, C, H, W) or (N, C, D, H, W), not {size!r}")
    sizes = [whole(name, "size", value, 1) for value in size]
    axes, matrices = len(sizes) - 2, tensor.data
    if matrices.shape != (sizes[0], axes, axes + 1):
        raise ShapeError(f"{name}: theta has shape {matrices.shape}; for size {tuple(sizes)} it must be {(sizes[0], axes, axes + 1)}")
    kind = np.float64 if matrices.dtype == object else matrices.dtype
    middles = [_middles(n, bool(align_corners)).astype(kind) for n in sizes[2:]]
    mesh = np.meshgrid(*middles, indexing="ij")
    base = np.stack([*reversed(mesh), np.ones(sizes[2:], kind)], -1).reshape(-1, axes + 1)
    y = as_array(base @ matrices.swapaxes(1, 2))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (grad.reshape(sizes[0], -1, axes).swapaxes(1, 2) @ base,)

    return record(name, y.reshape(sizes[0], *sizes[2:], axes), (tensor,), backward)


def _middles(size: int, align_corners: bool) -> np.ndarray:
    """The middles of pixels in -1 .. 1."""
    if align_corners:
        return np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
    return (2 * np.arange(size) + 1) / size - 1


def _count(sizes: tuple[int, ...]) -> int:
    number = 1
    for size in sizes:
        number *= size
    return number
