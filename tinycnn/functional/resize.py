"""Resizing: an image at another size, by nearest, linear, cubic or area rules."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels.plans import plan_cache
from ..kernels.resize_tables import RULES, AxisTable, axis_table, gradient_table
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, hashable, one_of, whole

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

# mode: the number of spatial axes it is for (0 for any), and the tables that it takes
MODES = {
    "nearest": (0, "nearest"),
    "nearest-exact": (0, "nearest-exact"),
    "area": (0, "area"),
    "linear": (1, "linear"),
    "bilinear": (2, "linear"),
    "trilinear": (3, "linear"),
    "bicubic": (2, "cubic"),
}
NEAREST = ("nearest", "nearest-exact", "area")
LARGEST = 2**31  # elements of an axis, far beyond what memory holds
KERNELS = ("resize2d", "resize_axis")
Numbers = float | Sequence[float]


class Axes(NamedTuple):
    """The checked options of one resizing: for each axis the arguments of its table."""

    sizes: tuple[int, ...]
    tables: tuple[tuple[Any, ...], ...]


@operator(family="resize", kernels=KERNELS, differentiable=("input",))
def interpolate(
    input: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: Numbers | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
    *,
    coordinate_mode: str | None = None,
) -> Tensor:
    """Resize the spatial axes.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), (N, C, H, W) -> (N, C, H_out, W_out), (N, C, D, H, W) -> (N, C, D_out, H_out, W_out);
    each size is the one given, or floor(size scale_factor).

    Formula
    -------
    y[n, c, i, j] = sum_a sum_b u_i[a] v_j[b] input[n, c, a, b]; grad_input[n, c, a, b] = sum_i sum_j u_i[a] v_j[b] grad[n, c, i, j].
    The weights u_i of an axis follow from the position x of output i, with r = 1 / scale_factor, or input size / output size:
    half_pixel x = r (i + 1/2) - 1/2; align_corners x = i (size - 1) / (output size - 1), 0 for a single output; asymmetric x = r i;
    pytorch_half_pixel as half_pixel, 0 for a single output; tf_half_pixel_for_nn x = r (i + 1/2).
    nearest takes element floor(x), nearest-exact floor(x + 1/2); linear weighs the elements left and right of x by 1 - t and t, t = x - floor(x);
    cubic four elements by Keys' kernel with a = -3/4; positions beyond the border read the element at the border.
    area averages the elements from floor(i size / output size) to ceil((i + 1) size / output size).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    size : int or tuple of int
        The output's spatial sizes in pixels; one number for all.
    scale_factor : float or tuple of float
        What to multiply the spatial sizes with, instead of `size`.
    mode : str
        nearest, nearest-exact, linear (one axis), bilinear (two), trilinear (three), bicubic (two) or area.
    align_corners : bool, optional
        For linear and cubic modes: True for the coordinates align_corners, False and None for half_pixel.
    recompute_scale_factor : bool, optional
        Compute r from the sizes rather than from `scale_factor`.
    antialias : bool
        For bilinear and bicubic: where the image shrinks, widen the kernel to the step, so that every pixel counts; cubic a = -1/2.
    coordinate_mode : str, optional
        The rule for x by ONNX's name: half_pixel, align_corners, asymmetric, pytorch_half_pixel or tf_half_pixel_for_nn. None is torch's:
        asymmetric for nearest, half_pixel for nearest-exact, linear and cubic.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        For both or none of size and scale_factor, a mode for another number of axes, or options that do not go together.
    ShapeError
        If an input or output size is 0. DtypeError: integers.

    Notes
    -----
    torch's "nearest" is not the nearest element but the one before (asymmetric, as OpenCV's INTER_NEAREST); "nearest-exact" agrees with
    Pillow and scikit-image. TensorFlow 1 resized asymmetrically, TensorFlow 2 and Keras by half pixels (tf_half_pixel_for_nn for nearest);
    Caffe's upsampling is a transposed convolution. ONNX names the rules. Resizing to the same size by half pixels or aligned corners changes nothing.
    In float32 coordinates are computed in float32, as in torch. torch's gradient of bicubic at the same size with another `scale_factor`
    is a copy; here it is always the adjoint of what forward did.

    References
    ----------
    Keys 1981, "Cubic convolution interpolation for digital image processing". ONNX operators, "Resize".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.interpolate([[[1.0, 2.0]]], scale_factor=2, mode="linear").tolist()
    [[[1.0, 1.25, 1.75, 2.0]]]
    >>> tinycnn.functional.interpolate([[[1.0, 2.0]]], 4, mode="linear", coordinate_mode="asymmetric").tolist()
    [[[1.0, 1.5, 2.0, 2.0]]]
    """
    tensor = float_tensor("interpolate", "input", input)
    options = (size, scale_factor, mode, align_corners, recompute_scale_factor, antialias, coordinate_mode)
    try:
        plan = _plan(tensor.data.shape, tensor.data.dtype, *options)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        plan = _plan(tensor.data.shape, tensor.data.dtype, *[_plain(option) for option in options])
    x = contiguous(tensor.data)
    leading = x.shape[:2]
    y = _resized(x, [axis_table(*table) for table in plan.tables]).reshape(*leading, *plan.sizes)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        tables = [gradient_table(*table) for table in plan.tables]
        return (_resized(contiguous(grad), tables).reshape(x.shape),)

    return record("interpolate", y, (tensor,), backward)


@operator(family="resize", kernels=KERNELS, differentiable=("input",))
def upsample(
    input: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: Numbers | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` under its older name.

    Shapes
    ------
    As `interpolate`.

    Formula
    -------
    As `interpolate`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.upsample([[[1.0, 2.0]]], 4).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


@operator(family="resize", kernels=KERNELS, differentiable=("input",))
def upsample_nearest(input: Any, size: int | Sequence[int] | None = None, scale_factor: Numbers | None = None) -> Tensor:
    """`interpolate` with mode "nearest".

    Shapes
    ------
    As `interpolate`.

    Formula
    -------
    As `interpolate`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.upsample_nearest([[[1.0, 2.0]]], scale_factor=2).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """
    return interpolate(input, size, scale_factor, "nearest")


@operator(family="resize", kernels=KERNELS, differentiable=("input",))
def upsample_bilinear(input: Any, size: int | Sequence[int] | None = None, scale_factor: Numbers | None = None) -> Tensor:
    """`interpolate` with mode "bilinear" and aligned corners.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out)

    Formula
    -------
    As `interpolate`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.upsample_bilinear([[[[0.0, 2.0]]]], (1, 3)).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """
    return interpolate(input, size, scale_factor, "bilinear", True)


def _resized(x: np.ndarray, tables: list[AxisTable]) -> np.ndarray:
    """All spatial axes of an array (N, C, ..) by their tables, as an array of any shape with the elements in order."""
    planes = x.shape[0] * x.shape[1]
    if len(tables) == 1:
        return kernels.select("resize_axis", x)(x.reshape(planes, x.shape[2], 1), *tables[0])
    if len(tables) == 2:
        return kernels.select("resize2d", x)(x.reshape(planes, *x.shape[2:]), *tables[0], *tables[1])
    flat = kernels.select("resize2d", x)(x.reshape(planes * x.shape[2], *x.shape[3:]), *tables[1], *tables[2])
    return kernels.select("resize_axis", x)(flat.reshape(planes, x.shape[2], flat.shape[1] * flat.shape[2]), *tables[0])


def _plain(option: Any) -> Any:
    """An option as something that can be looked up."""
    return tuple(option.tolist()) if isinstance(option, np.ndarray) and option.ndim == 1 else hashable(option)


@plan_cache
def _plan(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    size: Any,
    scale_factor: Any,
    mode: Any,
    align_corners: Any,
    recompute: Any,
    antialias: Any,
    coordinate_mode: Any,
) -> Axes:
    """Check one combination of shape and options; raises before any work."""
    name = "interpolate"
    axes = len(shape) - 2
    wanted, kind = MODES[one_of(name, "mode", mode, tuple(MODES))]
    if axes not in (1, 2, 3):
        raise ShapeError(f"{name}: input has shape {shape}; it must be (N, C, L), (N, C, H, W) or (N, C, D, H, W)")
    if wanted not in (0, axes):
        raise ArgumentError(
            f"{name}: mode {mode!r} is for {wanted} spatial axes, but input of shape {shape} has {axes}; use "
            f"{('linear', 'bilinear or bicubic', 'trilinear')[axes - 1]}"
        )
    if mode in NEAREST and align_corners is not None:
        raise ArgumentError(f"{name}: align_corners={align_corners!r} has no meaning for mode {mode!r}; leave it out, or use a linear or cubic mode")
    if antialias and not (mode in ("bilinear", "bicubic") and axes == 2):
        raise ArgumentError(f"{name}: antialias=True is for the modes bilinear and bicubic, not {mode!r}")
    if coordinate_mode is not None:
        one_of(name, "coordinate_mode", coordinate_mode, RULES)
        if mode == "area" or antialias or align_corners:
            raise ArgumentError(f"{name}: coordinate_mode={coordinate_mode!r} goes with no mode 'area', antialias or align_corners; leave one out")
    if (size is None) == (scale_factor is None):
        raise ArgumentError(f"{name}: give one of size and scale_factor, not {'neither' if size is None else 'both'}")
    if recompute and size is not None:
        raise ArgumentError(f"{name}: recompute_scale_factor=True has no meaning with a size; leave it out")
    inner = shape[2:]
    scales: list[float | None] = [None] * axes
    if size is not None:
        sizes = [whole(name, "size", value, 0) for value in _each(name, "size", size, axes)]
    else:
        factors = [_factor(name, value) for value in _each(name, "scale_factor", scale_factor, axes)]
        sizes = [math.floor(n * factor) for n, factor in zip(inner, factors)]
        if not (recompute or mode == "area"):
            scales = list(factors)
    least = 0 if mode == "area" else 1
    if min(inner) < 1 or min(sizes) < least or (mode != "area" and shape[1] < 1):
        raise ShapeError(f"{name}: input {shape} to sizes {tuple(sizes)}: channels and sizes must be at least 1; use a larger size or scale_factor")
    if max(sizes) >= LARGEST:
        raise ShapeError(f"{name}: input {shape} to sizes {tuple(sizes)}: a size must be below {LARGEST}; use a smaller size or scale_factor")
    rule = coordinate_mode
    if rule is None and kind in ("linear", "cubic"):
        rule = "align_corners" if align_corners else "half_pixel"
    # The ratio of aligned corners follows from the sizes alone.
    known = [None if rule == "align_corners" or mode == "area" else scale for scale in scales]
    tables = [(kind, n, out, scale, rule, bool(antialias), dtype) for n, out, scale in zip(inner, sizes, known)]
    return Axes(tuple(sizes), tuple(tables))


def _each(name: str, argument: str, value: Any, axes: int) -> Sequence[Any]:
    """One value an axis, from one for all or from as many."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return [value] * axes
    if len(value) != axes:
        raise ArgumentError(f"{name}: {argument} has {len(value)} numbers but input {axes} spatial axes; give one number, or {axes}")
    return value


def _factor(name: str, value: Any) -> float:
    """A scale factor: a positive, finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not (0 < value < math.inf):
        raise ArgumentError(f"{name}: scale_factor must be a number > 0, or one an axis, not {value!r}")
    return float(value)
