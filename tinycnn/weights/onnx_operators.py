"""How each operator is said in ONNX: one small function a family, and the table of all of them.

A converter takes the graph, the operator's arguments by name, and its result; it adds nodes and returns the name of the
output, or a list of names where the operator gives several tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..functional._sliding import convolution_geometry
from ..functional._windows import numbers, sides
from ..tensor import Tensor

__all__ = ["CONVERTERS"]

Converter = Callable[[Any, Any, Any], Any]
PAD_MODES = {"constant": "constant", "zeros": "constant", "reflect": "reflect", "replicate": "edge"}


def _refuse(operator: str, why: str) -> CheckpointError:
    return CheckpointError(f"export_onnx: {operator}: {why}")


def _shape(one: Any) -> tuple[int, ...]:
    return tuple(one.shape) if isinstance(one, Tensor) else np.shape(one)


def _axis(dim: int, rank: int) -> int:
    return dim + rank if dim < 0 else dim


def _axes(dim: Any, rank: int) -> list[int]:
    """The axes of a reduction, all where none is named."""
    if dim is None or dim == () or dim == []:
        return list(range(rank))
    return [_axis(one, rank) for one in (dim if isinstance(dim, Sequence) else [dim])]


def _ends(around: Sequence[int]) -> list[int]:
    """(before, after) of every axis as ONNX has them: all befores, then all afters."""
    return [*around[0::2], *around[1::2]]


# Convolution and linear


def _convolution(rank: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        x, weight = _shape(a.input), _shape(a.weight)
        options = (a.stride, a.padding, a.dilation, a.groups, a.padding_mode)
        geometry = convolution_geometry("export_onnx", rank, x, weight, None, *options)
        around = geometry.padding[-2 * rank :]
        name = g.value(a.input)
        if geometry.padding_mode != "zeros" and any(around):
            if geometry.padding_mode not in PAD_MODES:
                raise _refuse(f"conv{rank}d", f"padding_mode {geometry.padding_mode!r} has no ONNX form")
            amounts = g.constant(_ends([0] * 4 + list(around)), np.int64)
            name, around = g.node("Pad", name, amounts, mode=PAD_MODES[geometry.padding_mode]), (0,) * (2 * rank)
        inputs = [name, g.value(a.weight)] + ([] if a.bias is None else [g.value(a.bias)])
        slid = {"strides": geometry.stride[-rank:], "dilations": geometry.dilation[-rank:], "group": geometry.groups}
        made = g.node("Conv", *inputs, kernel_shape=weight[2:], pads=_ends(around), **slid)
        return str(g.activated(made, a.activation))

    return convert


def _linear(g: Any, a: Any, result: Any) -> str:
    inputs = [g.value(a.input), g.value(a.weight)]
    if len(_shape(a.input)) == 2:
        bias = [] if a.bias is None else [g.value(a.bias)]
        return str(g.activated(g.node("Gemm", *inputs, *bias, transB=1), a.activation))
    made = g.node("MatMul", inputs[0], g.node("Transpose", inputs[1], perm=[1, 0]))
    return str(g.activated(made if a.bias is None else g.node("Add", made, g.value(a.bias)), a.activation))


# Normalisation


def _batch_norm(g: Any, a: Any, result: Any) -> str:
    if a.training:
        raise _refuse("batch_norm", "it uses the batch's own statistics; call eval() and keep running statistics")
    channels = _shape(a.input)[1]
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
    shape = _shape(a.input)
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
        raise _refuse("local_response_norm", f"ONNX places a window of even size {a.size} one channel further; use an odd one")
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
    for axis, (inside, outside) in enumerate(zip(_shape(a.input)[-axes:], _shape(result)[-axes:], strict=True)):
        needed = (outside - 1) * stride[axis] + (kernel[axis] - 1) * reach[axis] + 1 - inside - around[2 * axis]
        filled[2 * axis + 1] = max(needed, 0)
    return {"kernel_shape": kernel, "strides": stride}, around, filled


def _max_pool(axes: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        if a.return_indices:
            raise _refuse(f"max_pool{axes}d", "return_indices=True is not exported")
        attributes, _, filled = _window(a, result, axes, a.dilation)
        return str(g.node("MaxPool", g.value(a.input), pads=_ends(filled), dilations=numbers("", "dilation", a.dilation, 1, axes), **attributes))

    return convert


def _avg_pool(axes: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        attributes, around, filled = _window(a, result, axes)
        name = g.value(a.input)
        divisor = getattr(a, "divisor_override", None)
        if divisor is not None:
            # The mean of full windows times how many cells they have is the sum.
            name = g.node("Pad", name, g.constant(_ends([0] * 4 + filled), np.int64))
            mean = g.node("AveragePool", name, **attributes)
            return str(g.node("Mul", mean, g.constant(math.prod(attributes["kernel_shape"]) / divisor)))
        if a.count_include_pad and any(around):
            # The padding counts as cells, what ceil_mode adds behind it does not.
            name = g.node("Pad", name, g.constant(_ends([0] * 4 + around), np.int64))
            for axis in range(axes):
                filled[2 * axis], filled[2 * axis + 1] = 0, max(filled[2 * axis + 1] - around[2 * axis + 1], 0)
        return str(g.node("AveragePool", name, pads=_ends(filled), count_include_pad=0, **attributes))

    return convert


def _adaptive_avg(axes: int) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        before, after = _shape(a.input)[-axes:], _shape(result)[-axes:]
        name = g.value(a.input)
        if before == after:
            return str(name)
        if set(after) == {1}:
            return str(g.node("GlobalAveragePool", name))
        if axes != 2:
            raise _refuse(f"adaptive_avg_pool{axes}d", f"{before} to {after}: only one cell, or the same size, is exported")
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
    before, after = _shape(a.input)[2:], _shape(result)[2:]
    if a.return_indices or any(one % other for one, other in zip(before, after, strict=True)):
        raise _refuse("adaptive_max_pool", f"{before} to {after}: only windows of equal size without indices are exported")
    steps = [one // other for one, other in zip(before, after, strict=True)]
    return str(g.node("MaxPool", g.value(a.input), kernel_shape=steps, strides=steps))


def _global_pool(kind: str) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        made = g.node(kind, g.value(a.input))
        return str(made if a.keepdim else g.node("Flatten", made, axis=1))

    return convert


# Activations


def _plain(kind: str, **attributes: Any) -> Converter:
    return lambda g, a, result: g.node(kind, g.value(a.input), **attributes)


def _option(kind: str, **names: str) -> Converter:
    """An operator whose ONNX attributes are arguments of other names."""
    return lambda g, a, result: g.node(kind, g.value(a.input), **{key: float(getattr(a, name)) for key, name in names.items()})


def _clip(low: Any, high: Any) -> Converter:
    """Bounds are numbers, or the names of arguments; None leaves a side open."""

    def convert(g: Any, a: Any, result: Any) -> str:
        bounds = [getattr(a, one) if isinstance(one, str) else one for one in (low, high)]
        names = ["" if one is None else g.constant(one.data if isinstance(one, Tensor) else one) for one in bounds]
        return str(g.node("Clip", g.value(a.input), *names))

    return convert


def _silu(g: Any, a: Any, result: Any) -> str:
    x = g.value(a.input)
    return str(g.node("Mul", x, g.node("Sigmoid", x)))


def _mish(g: Any, a: Any, result: Any) -> str:
    x = g.value(a.input)
    return str(g.node("Mul", x, g.node("Tanh", g.node("Softplus", x))))


def _gelu(g: Any, a: Any, result: Any) -> str:
    x = g.value(a.input)
    if a.approximate == "tanh":
        cube = g.node("Mul", g.node("Mul", g.node("Mul", x, x), x), g.constant(0.044715))
        inner = g.node("Tanh", g.node("Mul", g.node("Add", x, cube), g.constant(math.sqrt(2 / math.pi))))
    else:
        inner = g.node("Erf", g.node("Mul", x, g.constant(math.sqrt(0.5))))
    return str(g.node("Mul", g.node("Mul", x, g.constant(0.5)), g.node("Add", inner, g.constant(1.0))))


def _prelu(g: Any, a: Any, result: Any) -> str:
    slope = g.node("Reshape", g.value(a.weight), g.constant([-1, *(1,) * (len(_shape(a.input)) - 2)], np.int64))
    return str(g.node("PRelu", g.value(a.input), slope))


def _softmax(kind: str) -> Converter:
    return lambda g, a, result: g.node(kind, g.value(a.input), axis=_axis(a.dim, len(_shape(a.input))))


# Arithmetic


def _binary(kind: str) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        if getattr(a, "rounding_mode", None) is not None:
            raise _refuse(kind.lower(), "rounding_mode is not exported")
        other = g.value(a.other)
        if getattr(a, "alpha", 1) != 1:
            other = g.node("Mul", other, g.constant(a.alpha))
        return str(g.node(kind, g.value(a.input), other))

    return convert


def _pow(g: Any, a: Any, result: Any) -> str:
    return str(g.node("Pow", g.value(a.input), g.value(a.exponent)))


def _matmul(g: Any, a: Any, result: Any) -> str:
    second = next(value for name, value in vars(a).items() if name != "input")
    return str(g.node("MatMul", g.value(a.input), g.value(second)))


def _reduction(kind: str) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        axes = _axes(a.dim, len(_shape(a.input)))
        if kind == "ReduceSum":  # the first of them whose axes became an input
            return str(g.node(kind, g.value(a.input), g.constant(axes, np.int64), keepdims=int(a.keepdim)))
        return str(g.node(kind, g.value(a.input), axes=axes, keepdims=int(a.keepdim)))

    return convert


# Shapes


def _reshaped(g: Any, a: Any, result: Any) -> str:
    """The batch stays open where it is the first size, before and after; other sizes are the example's."""
    shape, batch = list(_shape(result)), _shape(a.input)[:1]
    if shape and batch and shape[0] % g.batch == 0 and g.batch in (batch[0], shape[0]) and 0 not in shape[1:]:
        shape[0] = -1
    return str(g.node("Reshape", g.value(a.input), g.constant(shape, np.int64)))


def _transpose(g: Any, a: Any, result: Any) -> str:
    rank = len(_shape(a.input))
    order = list(range(rank))
    first, second = _axis(a.dim0, rank), _axis(a.dim1, rank)
    order[first], order[second] = order[second], order[first]
    return str(g.node("Transpose", g.value(a.input), perm=order))


def _permute(g: Any, a: Any, result: Any) -> str:
    dims = a.dims[0] if len(a.dims) == 1 and isinstance(a.dims[0], Sequence) else a.dims
    return str(g.node("Transpose", g.value(a.input), perm=[_axis(one, len(dims)) for one in dims]))


def _cat(g: Any, a: Any, result: Any) -> str:
    return str(g.node("Concat", *(g.value(one) for one in a.tensors), axis=_axis(a.dim, len(_shape(result)))))


def _stack(g: Any, a: Any, result: Any) -> str:
    axis = _axis(a.dim, len(_shape(result)))
    return str(g.node("Concat", *(g.node("Unsqueeze", g.value(one), g.constant([axis], np.int64)) for one in a.tensors), axis=axis))


def _split(g: Any, a: Any, result: Any) -> list[str]:
    given = a.input if hasattr(a, "input") else a.tensor
    axis = _axis(a.dim, len(_shape(given)))
    lengths = g.constant([_shape(one)[axis] for one in result], np.int64)
    made = g.node("Split", g.value(given), lengths, outputs=len(result), axis=axis)
    return [made] if isinstance(made, str) else list(made)


def _narrow(g: Any, a: Any, result: Any) -> str:
    axis = _axis(a.dim, len(_shape(a.input)))
    start = _axis(int(a.start), _shape(a.input)[axis])
    bounds = (g.constant([number], np.int64) for number in (start, start + a.length, axis))
    return str(g.node("Slice", g.value(a.input), *bounds))


def _select(g: Any, a: Any, result: Any) -> str:
    axis = _axis(a.dim, len(_shape(a.input)))
    position = _axis(int(a.index), _shape(a.input)[axis])
    return str(g.node("Gather", g.value(a.input), g.constant(position, np.int64), axis=axis))


def _masked_fill(g: Any, a: Any, result: Any) -> str:
    if isinstance(a.mask, Tensor) and g.concerns(a.mask):
        raise _refuse("masked_fill", "a mask that depends on the input is not exported")
    mask = a.mask.data if isinstance(a.mask, Tensor) else a.mask
    return str(g.node("Where", g.constant(mask, np.bool_), g.value(a.value), g.value(a.input)))


def _getitem(g: Any, a: Any, result: Any) -> str:
    """Numbers, slices, None and ... ; positions given by arrays are not exported."""
    given = next(iter(vars(a).values()))
    index = a.index if isinstance(a.index, tuple) else (a.index,)
    if not all(one is None or one is Ellipsis or isinstance(one, slice | int | np.integer) for one in index):
        raise _refuse("indexing", "positions in an array are not exported; use slices")
    shape = _shape(given)
    used = sum(one is not None and one is not Ellipsis for one in index)
    full = [slice(None)] * (len(shape) - used)
    where = index.index(Ellipsis) if Ellipsis in index else len(index)
    index = (*index[:where], *full, *index[where + 1 :])
    cuts: list[tuple[int, int, int, int]] = []  # start, stop, axis, step
    dropped = []
    for axis, one in enumerate(entry for entry in index if entry is not None):
        if not isinstance(one, slice):
            start = _axis(int(one), shape[axis])
            cuts.append((start, start + 1, axis, 1))
            dropped.append(axis)
        elif one != slice(None):
            start, stop, step = one.indices(shape[axis])
            if step < 0:
                raise _refuse("indexing", "negative steps are not exported")
            cuts.append((start, stop, axis, step))
    name = g.value(given)
    if cuts:
        name = g.node("Slice", name, *(g.constant(column, np.int64) for column in zip(*cuts, strict=True)))
    if dropped:
        name = g.node("Squeeze", name, g.constant(dropped, np.int64))
    kept = [entry for entry in index if entry is None or isinstance(entry, slice)]
    added = [position for position, entry in enumerate(kept) if entry is None]
    return str(g.node("Unsqueeze", name, g.constant(added, np.int64)) if added else name)


def _expand(g: Any, a: Any, result: Any) -> str:
    sizes = [1 if position == 0 and size == g.batch else size for position, size in enumerate(_shape(result))]
    return str(g.node("Expand", g.value(a.input), g.constant(sizes, np.int64)))


def _pad(g: Any, a: Any, result: Any) -> str:
    if a.mode not in PAD_MODES:
        raise _refuse("pad", f"mode {a.mode!r} has no ONNX form")
    pairs = [(a.pad[k], a.pad[k + 1]) for k in range(0, len(a.pad), 2)][::-1]
    rest = len(_shape(a.input)) - len(pairs)
    amounts = _ends([0] * (2 * rest) + [number for pair in pairs for number in pair])
    return str(g.node("Pad", g.value(a.input), g.constant(amounts, np.int64), g.constant(a.value or 0.0), mode=PAD_MODES[a.mode]))


def _channel_shuffle(g: Any, a: Any, result: Any) -> str:
    channels, *rest = _shape(a.input)[1:]
    folded = g.node("Reshape", g.value(a.input), g.constant([0, a.groups, channels // a.groups, *rest], np.int64))
    order = [0, 2, 1, *range(3, 3 + len(rest))]
    return str(g.node("Reshape", g.node("Transpose", folded, perm=order), g.constant([0, channels, *rest], np.int64)))


def _dropped(g: Any, a: Any, result: Any) -> Any:
    """Dropout of any kind, which does nothing in evaluation mode."""
    if getattr(a, "training", True) and getattr(a, "p", 0.0) != 0:
        raise _refuse("dropout", "it draws numbers; call eval() first")
    return g.value(a.input)


def _einsum(g: Any, a: Any, result: Any) -> str:
    return str(g.node("Einsum", *(g.value(one) for one in a.operands), equation=a.equation))


CONVERTERS: dict[str, Converter] = {
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
    "relu": _plain("Relu"),
    "relu6": _clip(0.0, 6.0),
    "hardtanh": _clip("min_val", "max_val"),
    "clamp": _clip("min", "max"),
    "leaky_relu": _option("LeakyRelu", alpha="negative_slope"),
    "elu": _option("Elu", alpha="alpha"),
    "celu": _option("Celu", alpha="alpha"),
    "selu": _plain("Selu"),
    "prelu": _prelu,
    "silu": _silu,
    "mish": _mish,
    "gelu": _gelu,
    "hardsigmoid": _plain("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hardswish": _plain("HardSwish"),
    "softmax": _softmax("Softmax"),
    "log_softmax": _softmax("LogSoftmax"),
    **{name: _plain(kind) for name, kind in (("sigmoid", "Sigmoid"), ("tanh", "Tanh"), ("softsign", "Softsign"))},
    **{name: _plain(name.capitalize()) for name in ("neg", "abs", "sqrt", "exp", "log", "sin", "cos", "erf", "floor", "ceil", "reciprocal", "sign")},
    **{name: _binary(kind) for name, kind in (("add", "Add"), ("sub", "Sub"), ("mul", "Mul"), ("div", "Div"))},
    **{name: _binary(kind) for name, kind in (("minimum", "Min"), ("maximum", "Max"))},
    "pow": _pow,
    **dict.fromkeys(("matmul", "bmm", "mm"), _matmul),
    "einsum": _einsum,
    **{name: _reduction(kind) for name, kind in (("mean", "ReduceMean"), ("sum", "ReduceSum"), ("amax", "ReduceMax"), ("amin", "ReduceMin"))},
    **dict.fromkeys(("reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze"), _reshaped),
    "transpose": _transpose,
    "permute": _permute,
    "contiguous": lambda g, a, result: g.value(a.input),
    "cat": _cat,
    "stack": _stack,
    "split": _split,
    "chunk": _split,
    "narrow": _narrow,
    "select": _select,
    "masked_fill": _masked_fill,
    "getitem": _getitem,
    "expand": _expand,
    "pad": _pad,
    "channel_shuffle": _channel_shuffle,
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"), _dropped),
    **dict.fromkeys(("stochastic_depth", "drop_block2d", "drop_block3d"), _dropped),
}
