"""How each operator is said in ONNX: one small function a family, and the table of all of them.

A converter takes the graph, the operator's arguments by name, and its result; it adds nodes and returns the name of the
output, or a list of names where the operator gives several tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .onnx_arguments import PAD_MODES, Converter, counted_axis, ends, reduced_axes, refusal, shape_of
from .onnx_layers import LAYERS

__all__ = ["CONVERTERS"]

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
    slope = g.node("Reshape", g.value(a.weight), g.constant([-1, *(1,) * (len(shape_of(a.input)) - 2)], np.int64))
    return str(g.node("PRelu", g.value(a.input), slope))


def _softmax(kind: str) -> Converter:
    return lambda g, a, result: g.node(kind, g.value(a.input), axis=counted_axis(a.dim, len(shape_of(a.input))))


# Arithmetic


def _binary(kind: str) -> Converter:
    def convert(g: Any, a: Any, result: Any) -> str:
        if getattr(a, "rounding_mode", None) is not None:
            raise refusal(kind.lower(), "rounding_mode is not exported")
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
        axes = reduced_axes(a.dim, len(shape_of(a.input)))
        if kind == "ReduceSum":  # the first of them whose axes became an input
            return str(g.node(kind, g.value(a.input), g.constant(axes, np.int64), keepdims=int(a.keepdim)))
        return str(g.node(kind, g.value(a.input), axes=axes, keepdims=int(a.keepdim)))

    return convert


# Shapes


def _reshaped(g: Any, a: Any, result: Any) -> str:
    """The batch stays open where it is the first size, before and after; other sizes are the example's."""
    shape, batch = list(shape_of(result)), shape_of(a.input)[:1]
    if shape and batch and shape[0] % g.batch == 0 and g.batch in (batch[0], shape[0]) and 0 not in shape[1:]:
        shape[0] = -1
    return str(g.node("Reshape", g.value(a.input), g.constant(shape, np.int64)))


def _transpose(g: Any, a: Any, result: Any) -> str:
    rank = len(shape_of(a.input))
    order = list(range(rank))
    first, second = counted_axis(a.dim0, rank), counted_axis(a.dim1, rank)
    order[first], order[second] = order[second], order[first]
    return str(g.node("Transpose", g.value(a.input), perm=order))


def _permute(g: Any, a: Any, result: Any) -> str:
    dims = a.dims[0] if len(a.dims) == 1 and isinstance(a.dims[0], Sequence) else a.dims
    return str(g.node("Transpose", g.value(a.input), perm=[counted_axis(one, len(dims)) for one in dims]))


def _cat(g: Any, a: Any, result: Any) -> str:
    return str(g.node("Concat", *(g.value(one) for one in a.tensors), axis=counted_axis(a.dim, len(shape_of(result)))))


def _stack(g: Any, a: Any, result: Any) -> str:
    axis = counted_axis(a.dim, len(shape_of(result)))
    return str(g.node("Concat", *(g.node("Unsqueeze", g.value(one), g.constant([axis], np.int64)) for one in a.tensors), axis=axis))


def _split(g: Any, a: Any, result: Any) -> list[str]:
    given = a.input if hasattr(a, "input") else a.tensor
    axis = counted_axis(a.dim, len(shape_of(given)))
    lengths = g.constant([shape_of(one)[axis] for one in result], np.int64)
    made = g.node("Split", g.value(given), lengths, outputs=len(result), axis=axis)
    return [made] if isinstance(made, str) else list(made)


def _narrow(g: Any, a: Any, result: Any) -> str:
    axis = counted_axis(a.dim, len(shape_of(a.input)))
    start = counted_axis(int(a.start), shape_of(a.input)[axis])
    bounds = (g.constant([number], np.int64) for number in (start, start + a.length, axis))
    return str(g.node("Slice", g.value(a.input), *bounds))


def _select(g: Any, a: Any, result: Any) -> str:
    axis = counted_axis(a.dim, len(shape_of(a.input)))
    position = counted_axis(int(a.index), shape_of(a.input)[axis])
    return str(g.node("Gather", g.value(a.input), g.constant(position, np.int64), axis=axis))


def _masked_fill(g: Any, a: Any, result: Any) -> str:
    if isinstance(a.mask, Tensor) and g.concerns(a.mask):
        raise refusal("masked_fill", "a mask that depends on the input is not exported")
    mask = a.mask.data if isinstance(a.mask, Tensor) else a.mask
    return str(g.node("Where", g.constant(mask, np.bool_), g.value(a.value), g.value(a.input)))


def _getitem(g: Any, a: Any, result: Any) -> str:
    """Numbers, slices, None and ... ; positions given by arrays are not exported."""
    given = next(iter(vars(a).values()))
    index = a.index if isinstance(a.index, tuple) else (a.index,)
    if not all(one is None or one is Ellipsis or isinstance(one, slice | int | np.integer) for one in index):
        raise refusal("indexing", "positions in an array are not exported; use slices")
    shape = shape_of(given)
    used = sum(one is not None and one is not Ellipsis for one in index)
    full = [slice(None)] * (len(shape) - used)
    where = index.index(Ellipsis) if Ellipsis in index else len(index)
    index = (*index[:where], *full, *index[where + 1 :])
    cuts: list[tuple[int, int, int, int]] = []  # start, stop, axis, step
    dropped = []
    for axis, one in enumerate(entry for entry in index if entry is not None):
        if not isinstance(one, slice):
            start = counted_axis(int(one), shape[axis])
            cuts.append((start, start + 1, axis, 1))
            dropped.append(axis)
        elif one != slice(None):
            start, stop, step = one.indices(shape[axis])
            if step < 0:
                raise refusal("indexing", "negative steps are not exported")
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
    sizes = [1 if position == 0 and size == g.batch else size for position, size in enumerate(shape_of(result))]
    return str(g.node("Expand", g.value(a.input), g.constant(sizes, np.int64)))


def _pad(g: Any, a: Any, result: Any) -> str:
    if a.mode not in PAD_MODES:
        raise refusal("pad", f"mode {a.mode!r} has no ONNX form")
    pairs = [(a.pad[k], a.pad[k + 1]) for k in range(0, len(a.pad), 2)][::-1]
    rest = len(shape_of(a.input)) - len(pairs)
    amounts = ends([0] * (2 * rest) + [number for pair in pairs for number in pair])
    return str(g.node("Pad", g.value(a.input), g.constant(amounts, np.int64), g.constant(a.value or 0.0), mode=PAD_MODES[a.mode]))


def _channel_shuffle(g: Any, a: Any, result: Any) -> str:
    channels, *rest = shape_of(a.input)[1:]
    folded = g.node("Reshape", g.value(a.input), g.constant([0, a.groups, channels // a.groups, *rest], np.int64))
    order = [0, 2, 1, *range(3, 3 + len(rest))]
    return str(g.node("Reshape", g.node("Transpose", folded, perm=order), g.constant([0, channels, *rest], np.int64)))


def _dropped(g: Any, a: Any, result: Any) -> Any:
    """Dropout of any kind, which does nothing in evaluation mode."""
    if getattr(a, "training", True) and getattr(a, "p", 0.0) != 0:
        raise refusal("dropout", "it draws numbers; call eval() first")
    return g.value(a.input)


def _einsum(g: Any, a: Any, result: Any) -> str:
    return str(g.node("Einsum", *(g.value(one) for one in a.operands), equation=a.equation))


CONVERTERS: dict[str, Converter] = {
    **LAYERS,
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
    "detach": lambda g, a, result: g.value(a.self),
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
