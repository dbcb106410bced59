"""How convolutions, normalisations and pools are said in ONNX; see `onnx_operators` for what a converter is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..functional._sliding import convolution_geometry
from ..functional._windows import numbers, sides
from .onnx_arguments import PAD_MODES, Converter, ends, refusal, shape_of

__all__ = ["LAYERS"]

# Convolution and linear


def _convolution(rank: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        x, weight = shape_of(a.input), shape_of(a.weight)
        options = (a.stride, a.padding, a.dilation, a.groups, a.padding_mode)
        geometry = convolution_geometry("export_onnx", rank, x, weight, None, *options)
        around = geometry.padding[-2 * rank :]
        name = g.value(a.input)
        if geometry.padding_mode != "zeros" and any(around):
            if geometry.padding_mode not in PAD_MODES:
                raise refusal(f"conv{rank}d", f"padding_mode {geometry.padding_mode!r} has no ONNX form")
            amounts = g.constant(ends([0] * 4 + list(around)), np.int64)
            name, around = g.node("Pad", name, amounts, mode=PAD_MODES[geometry.padding_mode]), (0,) * (2 * rank)
        inputs = [name, g.value(a.weight)] + ([] if a.bias is None else [g.value(a.bias)])
        slid = {"strides": geometry.stride[-rank:], "dilations": geometry.dilation[-rank:], "group": geometry.groups}
        made = g.node("Conv", *inputs, kernel_shape=weight[2:], pads=ends(around), **slid)
        return str(g.activated(made, a.activation))

    return convert


def _linear(g: Any, a: Any, result: Any) -> str:
    inputs = [g.value(a.input), g.value(a.weight)]
    if len(shape_of(a.input)) == 2:
        bias = [] if a.bias is None else [g.value(a.bias)]
        return str(g.activated(g.node("Gemm", *inputs, *bias, transB=1), a.activation))
    made = g.node("MatMul", inputs[0], g.node("Transpose", inputs[1], perm=[1, 0]))
    return str(g.activated(made if a.bias is None else g.node("Add", made, g.value(a.bias)), a.activation))


# Normalisation


def _batch_norm(g: Any, a: Any, result: Any) -> str:
    if a.training:
        raise refusal("batch_norm", "it uses the batch's own statistics; call eval() and keep running statistics")
    channels = shape_of(a.input)[1]
    scale = g.constant(np.ones(channels)) if a.weight is None else g.value(a.weight)
    offset = g.constant(np.zeros(channels)) if a.bias is None else g.value(a.bias)
    made = g.node("BatchNormalization", g.value(a.input), scale, offset, g.value(a.running_mean), g.value(a.running_var), epsilon=float(a.eps))
    if a.residual is not None:
        made = g.node("Add", made, g.value(a.residual))
    return str(g.activated(made, a.activation))


def _layer_norm(g: Any, a: Any, result: Any) -> str:
    shape = (a.normalized_shape,) if isinstance(a.normalized_shape, int) else tuple(a.normalized_shape)
    scale = g.constant(np.ones(shape)) if a.weight is None else g.value(a.weight)
    inputs = [g.value(a.input), scale] + ([] if a.bias is None else [g.value(a.bias)])
    return str(g.node("LayerNormalization", *inputs, axis=-len(shape), epsilon=float(a.eps)))


def _group_norm(g: Any, a: Any, result: Any) -> str:
    shape = shape_of(a.input)
    ones = [g.constant(np.full(a.num_groups, number)) for number in (1.0, 0.0)]
    folded = g.node("Reshape", g.value(a.input), g.constant([0, a.num_groups, -1], np.int64))
    normal = g.node("InstanceNormalization", folded, *ones, epsilon=float(a.eps))
    made = g.node("Reshape", normal, g.constant([-1, *shape[1:]], np.int64))
    return _per_channel(g, made, a.weight, a.bias, shape)


def _per_channel(g: Any, name: str, weight: Any, bias: Any, shape: tuple[int, ...]) -> str:
    """A scale and a shift of each channel."""
    stretched = g.constant([-1, *(1,) * (len(shape) - 2)], np.int64)
    for kind, one in (("Mul", weight), ("Add", bias)):
        if one is not None:
            name = g.node(kind, name, g.node("Reshape", g.value(one), stretched))
    return name


def _local_response_norm(g: Any, a: Any, result: Any) -> str:
    if a.size % 2 == 0:
        raise refusal("local_response_norm", f"ONNX places a window of even size {a.size} one channel further; use an odd one")
    return str(g.node("LRN", g.value(a.input), size=a.size, alpha=float(a.alpha), beta=float(a.beta), bias=float(a.k)))


# Pooling


def _window(a: Any, result: Any, axes: int, dilation: Any = 1) -> tuple[dict[str, Any], list[int], list[int]]:
    """Attributes of a window, its own padding, and the padding with which rounding down gives the result's size.

    `ceil_mode` becomes cells after the end: other programs have understood it in several ways.
    """
    kernel = numbers("export_onnx", "kernel_size", a.kernel_size, 1, axes)
    stride = kernel if a.stride is None or a.stride == () else numbers("export_onnx", "stride", a.stride, 1, axes)
    reach = numbers("export_onnx", "dilation", dilation, 1, axes)
    around = list(sides("export_onnx", "padding", a.padding, axes))
    filled = list(around)
    for axis, (inside, outside) in enumerate(zip(shape_of(a.input)[-axes:], shape_of(result)[-axes:], strict=True)):
        needed = (outside - 1) * stride[axis] + (kernel[axis] - 1) * reach[axis] + 1 - inside - around[2 * axis]
        filled[2 * axis + 1] = max(needed, 0)
    return {"kernel_shape": kernel, "strides": stride}, around, filled


def _max_pool(axes: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        if a.return_indices:
            raise refusal(f"max_pool{axes}d", "return_indices=True is not exported")
        attributes, _, filled = _window(a, result, axes, a.dilation)
        return str(g.node("MaxPool", g.value(a.input), pads=ends(filled), dilations=numbers("", "dilation", a.dilation, 1, axes), **attributes))

    return convert


def _avg_pool(axes: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        attributes, around, filled = _window(a, result, axes)
        name = g.value(a.input)
        divisor = getattr(a, "divisor_override", None)
        if divisor is not None:
            # The mean of full windows times how many cells they have is the sum.
            name = g.node("Pad", name, g.constant(ends([0] * 4 + filled), np.int64))
            mean = g.node("AveragePool", name, **attributes)
            return str(g.node("Mul", mean, g.constant(math.prod(attributes["kernel_shape"]) / divisor)))
        if a.count_include_pad and any(around):
            # The padding counts as cells, what ceil_mode adds behind it does not.
            name = g.node("Pad", name, g.constant(ends([0] * 4 + around), np.int64))
            for axis in range(axes):
                filled[2 * axis], filled[2 * axis + 1] = 0, max(filled[2 * axis + 1] - around[2 * axis + 1], 0)
        return str(g.node("AveragePool", name, pads=ends(filled), count_include_pad=0, **attributes))

    return convert


def _adaptive_avg(axes: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        before, after = shape_of(a.input)[-axes:], shape_of(result)[-axes:]
        name = g.value(a.input)
        if before == after:
            return str(name)
        if set(after) == {1}:
            return str(g.node("GlobalAveragePool", name))
        if axes != 2:
            raise refusal(f"adaptive_avg_pool{axes}d", f"{before} to {after}: only one cell, or the same size, is exported")
        # One matrix an axis holds each window's weights, whether or not the windows are equally long.
        rows, columns = (_mean_matrix(size, count) for size, count in zip(before, after, strict=True))
        return str(g.node("MatMul", g.node("MatMul", g.constant(rows), name), g.constant(columns.T)))

    return convert


def _mean_matrix(size: int, count: int) -> np.ndarray:
    """(count, size): row i averages the cells from floor(i size / count) to ceil((i + 1) size / count)."""
    matrix = np.zeros((count, size), np.float32)
    for row in range(count):
        start, stop = row * size // count, -(-(row + 1) * size // count)
        matrix[row, start:stop] = 1 / (stop - start)
    return matrix


def _adaptive_max(g: Any, a: Any, result: Any) -> str:
    before, after = shape_of(a.input)[2:], shape_of(result)[2:]
    if a.return_indices or any(one % other for one, other in zip(before, after, strict=True)):
        raise refusal("adaptive_max_pool", f"{before} to {after}: only windows of equal size without indices are exported")
    steps = [one // other for one, other in zip(before, after, strict=True)]
    return str(g.node("MaxPool", g.value(a.input), kernel_shape=steps, strides=steps))


def _global_pool(kind: str) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        made = g.node(kind, g.value(a.input))
        return str(made if a.keepdim else g.node("Flatten", made, axis=1))

    return convert


LAYERS: dict[str, Converter] = {
    **{f"conv{rank}d": _convolution(rank) for rank in (1, 2, 3)},
    **{f"max_pool{axes}d": _max_pool(axes) for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": _avg_pool(axes) for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": _adaptive_avg(axes) for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": _adaptive_max for axes in (1, 2, 3)},
    "global_avg_pool": _global_pool("GlobalAveragePool"),
    "global_max_pool": _global_pool("GlobalMaxPool"),
    "linear": _linear,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "local_response_norm": _local_response_norm,
}
