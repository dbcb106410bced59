"""What comes out of an operator, and why: formula, substitution, verdict, nearest fixes, and the frameworks' answers."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..functional._sliding import steps
from ..functional._windows import AXES, is_list, numbers, sides
from ..kernels import sizes
from .shape_answer import ShapeAnswer, grouped
from .shape_axis import Axis
from .shape_frameworks import framework_answers
from .shape_others import OTHERS
from .tables import shape_text

__all__ = ["OPERATOR_NAMES", "operator_named", "shape"]

WINDOWS = {
    **{f"conv{rank}d": ("conv", rank) for rank in (1, 2, 3)},
    "unfold": ("conv", 2),
    **{f"{kind}_pool{rank}d": ("pool", rank) for kind in ("max", "avg", "lp") for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": ("transposed", rank) for rank in (1, 2, 3)},
    **{f"max_unpool{rank}d": ("unpool", rank) for rank in (1, 2, 3)},
}
OPERATOR_NAMES = (*WINDOWS, *OTHERS)
SHORT = {
    "conv": "conv2d", "convolution": "conv2d", "maxpool": "max_pool2d", "max_pool": "max_pool2d", "avgpool": "avg_pool2d",
    "avg_pool": "avg_pool2d", "pool": "max_pool2d", "lppool": "lp_pool2d", "lp_pool": "lp_pool2d", "deconv": "conv_transpose2d",
    "convtranspose": "conv_transpose2d", "conv_transpose": "conv_transpose2d", "unpool": "max_unpool2d", "maxunpool": "max_unpool2d",
    "adaptiveavgpool": "adaptive_avg_pool2d", "adaptivemaxpool": "adaptive_max_pool2d", "upsample": "interpolate", "resize": "interpolate",
    "pixelshuffle": "pixel_shuffle", "pixelunshuffle": "pixel_unshuffle", "dense": "linear", "fc": "linear",
}  # fmt: skip


def operator_named(name: str) -> str:
    """The operator of a name or a short name, whatever its capitals and underscores.

    Raises
    ------
    ArgumentError
        With all names.

    Examples
    --------
    >>> operator_named("Conv2d"), operator_named("maxpool"), operator_named("MaxPool3d")
    ('conv2d', 'max_pool2d', 'max_pool3d')
    """
    plain = {full.replace("_", ""): full for full in OPERATOR_NAMES}
    key = str(name).lower().replace("-", "_")
    found = SHORT.get(key) or plain.get(key.replace("_", ""))
    if found is None:
        raise ArgumentError(f"shape: there is no operator {name!r}; there are {', '.join(OPERATOR_NAMES)}")
    return found


def shape(
    operator: str,
    input_size: int | tuple[int, ...],
    kernel_size: int | tuple[int, ...] | None = None,
    stride: int | tuple[int, ...] | None = None,
    padding: int | str | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    *,
    output_padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    filters: int | None = None,
    groups: int = 1,
    output_size: int | tuple[int, ...] | None = None,
    scale_factor: float | tuple[float, ...] | None = None,
    strict: bool = False,
) -> ShapeAnswer:
    """Work out the output of one operator as one would at the blackboard.

    Formula
    -------
    conv: o = floor((i + p + q - d (k - 1) - 1) / s) + 1; pool: the same, or ceil with ceil_mode; transposed, unpool:
    o = (i - 1) s - p - q + d (k - 1) + output_padding + 1. "same" and other names stand for numbers that the answer spells out.

    Parameters
    ----------
    operator : str
        conv1d to conv3d, conv_transpose1d to 3d, max_pool, avg_pool and lp_pool1d to 3d, adaptive_avg_pool and adaptive_max_pool1d to 3d,
        max_unpool1d to 3d, unfold, fold, pad, interpolate, pixel_shuffle, pixel_unshuffle, flatten or linear; "conv", "maxpool" and the like are 2d.
    input_size : int or tuple
        Spatial sizes, one for all; with one number more, channels first; with two more, the batch, which no size depends on.
    kernel_size, stride, padding, dilation, output_padding, ceil_mode, groups
        As in `functional`; `padding` of "pad" is what it adds on every side. A pooling's stride is its kernel if left out.
    filters : int, optional
        Output channels of a convolution, output features of "linear".
    output_size : int or tuple, optional
        Of adaptive pooling, fold and interpolate.
    scale_factor : number, optional
        Of interpolate; the factor of pixel_shuffle and pixel_unshuffle.
    strict : bool
        Raise where the windows do not tile, instead of rounding as the frameworks do.

    Returns
    -------
    ShapeAnswer
        Also where the operator would refuse: its verdict says why, its fixes say what would do.

    Raises
    ------
    ArgumentError, ShapeError
        For an unknown operator, a number that is none, or one that is missing; with `strict` a size that does not fit, with its fixes.

    Notes
    -----
    PyTorch, TensorFlow's VALID, Keras, ONNX and Caffe's convolution drop the rest without a word; Caffe's pooling rounds up.
    SAME means o = ceil(i / s) in TensorFlow, Keras and ONNX, and an unchanged size (stride 1 only) in PyTorch.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285).

    Examples
    --------
    >>> answer = shape("conv2d", 7, 3, stride=3)
    >>> answer.output, answer.fits, answer.verdicts[0][1]
    ((2, 2), False, 'does not tile: (7 - 3)/3 + 1 = 2.33; rounded down to 2, and row 6 is never read')
    >>> shape("conv2d", (3, 32, 32), 5, padding=2, filters=10).parameters
    760
    """
    name = operator_named(operator)
    if name in OTHERS:
        given = _sizes(name, input_size)
        return _checked(OTHERS[name](name, given, padding, filters, output_size, scale_factor, kernel_size, stride, dilation), strict)
    kind, rank = WINDOWS[name]
    given = _sizes(name, input_size, rank)
    channels, spatial = (given[-rank - 1] if len(given) > rank else None), given[-rank:]
    if kernel_size is None:
        raise ArgumentError(f"{name}: the kernel is missing; give kernel_size (--k), such as 3")
    _require_options(name, padding, dilation, output_padding, ceil_mode)
    kernel = steps(name, "kernel_size", kernel_size, rank)
    pools = kind in ("pool", "unpool")
    strides = kernel if stride is None and pools else steps(name, "stride", 1 if stride is None else stride, rank)
    dilations = steps(name, "dilation", dilation, rank)
    behind = numbers(name, "output_padding", output_padding, 0, rank)
    around = _around(name, kind, spatial, kernel, strides, dilations, padding)
    axes = tuple(
        Axis(kind, word, spatial[a], kernel[a], strides[a], around[2 * a], around[2 * a + 1], dilations[a], behind[a], bool(ceil_mode))
        for a, word in enumerate(AXES[rank])
    )
    out_channels, parameters, notes = _channels(name, kind, channels, filters, groups, kernel)
    works = all(axis.allowed for axis in axes)
    output = (*(() if out_channels is None else (out_channels,)), *(axis.output for axis in axes)) if works else None
    if name == "unfold" and output is not None:
        output, notes = _columns(axes, channels, notes)
    answer = ShapeAnswer(
        operator=name,
        question=_question(name, given, kernel, strides, padding, dilations, behind, ceil_mode, filters, groups),
        input=given,
        output=output,
        formula=axes[0].formula(),
        steps=tuple((words, axis.substitution()) for words, axis in grouped(axes)),
        verdicts=tuple((words, axis.verdict()) for words, axis in grouped(axes)),
        axes=axes,
        frameworks=tuple(framework_answers(axes)),
        notes=(*_padding_notes(padding, axes), *notes, *_inverse_notes(name, axes)),
        parameters=parameters,
    )
    return _checked(answer, strict)


def _checked(answer: ShapeAnswer, strict: bool) -> ShapeAnswer:
    """The answer; with `strict` an error that says what does not fit, and the three nearest fixes."""
    if not strict or answer.fits:
        return answer
    fixes = list(dict.fromkeys(fix.text() for _, fix in answer.fixes))[:3]
    use = f"; use {', or '.join(fixes)}" if fixes else ""
    raise ShapeError(f"{answer.question}: {'; '.join(verdict for _, verdict in answer.verdicts)}{use}")


def _sizes(name: str, value: Any, rank: int | None = None) -> tuple[int, ...]:
    """The input's sizes, checked; one number stands for every spatial axis."""
    values = tuple(value) if is_list(value) else (value,) * (rank or 1)
    if rank is not None and not rank <= len(values) <= rank + 2:
        raise ShapeError(
            f"{name}: input_size has {len(values)} numbers; give {rank} ({', '.join(AXES[rank])}), one more with channels first, or one for all"
        )
    if not values:
        raise ShapeError(f"{name}: input_size is empty; give sizes such as (3, 32, 32)")
    return tuple(steps(name, "input_size", value, 1)[0] for value in values)


def _require_options(name: str, padding: Any, dilation: Any, output_padding: Any, ceil_mode: bool) -> None:
    """Refuse options that the operator does not have."""
    used = {
        "ceil_mode": bool(ceil_mode) and "_pool" not in name,
        "output_padding": output_padding not in (0, (0,), (0, 0), (0, 0, 0)) and "transpose" not in name,
        "dilation": dilation not in (1, (1,), (1, 1), (1, 1, 1)) and name.startswith(("avg_", "lp_", "max_unpool")),
        "padding": padding not in (0, (0,), (0, 0), (0, 0, 0)) and name.startswith("lp_"),
    }
    wrong = [option for option, bad in used.items() if bad]
    if wrong:
        raise ArgumentError(f"{name}: has no {wrong[0]}; leave it out")


def _around(
    name: str, kind: str, spatial: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...], padding: Any
) -> tuple[int, ...]:
    """(before, after) of every axis, names worked out."""
    if not isinstance(padding, str):
        around = sides(name, "padding", padding, len(spatial))
        if max(around) > 2**31 - 1:
            raise ArgumentError(f"{name}: padding {max(around)} is more than an axis can hold; give at most {2**31 - 1}")
        return around
    if kind in ("transposed", "unpool"):
        raise ArgumentError(f"{name}: padding {padding!r} is a name; a transposed convolution crops by numbers (see `tinycnn solve invert`)")
    around = tuple(number for axis in zip(spatial, kernel, strides, dilations) for number in sizes.same_padding(*axis, padding))
    if kind == "pool" and any(number > k // 2 for number, k in zip(around, [k for k in kernel for _ in range(2)])):
        raise ArgumentError(f"{name}: padding {padding!r} stands for {around} here, more than half of the kernel; pad first, or use same_tf or valid")
    return around


def _channels(
    name: str, kind: str, channels: int | None, filters: Any, groups: Any, kernel: tuple[int, ...]
) -> tuple[int | None, int | None, tuple[str, ...]]:
    """Output channels, parameters with biases, and how those are counted."""
    if kind in ("pool", "unpool") or name == "unfold":
        if filters is not None:
            raise ArgumentError(f"{name}: works on each channel for itself and so has no filters; leave them out")
        return channels, None, ()
    split = steps(name, "groups", groups, 1)[0]
    if filters is None:
        return None, None, ()
    out = steps(name, "filters", filters, 1)[0]
    if channels is None:
        return out, None, ()
    if channels % split or out % split:
        raise ShapeError(f"{name}: groups={split} must divide both {channels} channels and {out} filters; use a common divisor")
    taps = "*".join(map(str, kernel))
    count = math.prod(kernel)
    if kind == "transposed":
        parameters = count * channels * (out // split) + out
        return out, parameters, (f"parameters {taps}*{channels}*{out // split} + {out} biases = {parameters:,}",)
    parameters = (count * (channels // split) + 1) * out
    return (
        out,
        parameters,
        (f"parameters ({taps}*{channels // split} + 1)*{out} = {parameters:,}: each filter extends the full depth, and has a bias",),
    )


def _columns(axes: tuple[Axis, ...], channels: int | None, notes: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The result of unfold: a column a window."""
    windows, taps = axes[0].output * axes[1].output, axes[0].kernel * axes[1].kernel
    grid = f"{axes[0].output}x{axes[1].output} = {windows} windows, a column each"
    if channels is None:
        return (taps, windows), (*notes, f"{grid}; rows: {axes[0].kernel}*{axes[1].kernel} taps a channel")
    return (channels * taps, windows), (*notes, f"{grid}; rows: {channels}*{axes[0].kernel}*{axes[1].kernel} = {channels * taps}")


def _question(
    name: str,
    given: tuple[int, ...],
    kernel: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    behind: Any,
    ceil_mode: bool,
    filters: Any,
    groups: Any,
) -> str:
    def one(values: tuple[int, ...]) -> str:
        return str(values[0]) if len(set(values)) == 1 else shape_text(values)

    parts = [f"{name} of {shape_text(given)}: kernel {one(kernel)}, stride {one(strides)}, padding {padding}"]
    parts += [f"dilation {one(dilations)}"] if set(dilations) != {1} else []
    parts += [f"output_padding {one(behind)}"] if any(behind) else []
    parts += ["ceil_mode"] if ceil_mode else []
    parts += [f"{filters} filters"] if filters is not None else []
    parts += [f"groups {groups}"] if groups != 1 else []
    return ", ".join(parts)


def _padding_notes(padding: Any, axes: tuple[Axis, ...]) -> list[str]:
    """What a padding by name stands for."""
    if not isinstance(padding, str):
        return []
    uneven = any(axis.before != axis.after for axis in axes)
    odd = "; the two sides differ, because an even total cannot be had (even kernel, or stride)" if uneven else ""
    return [f'padding "{padding}" stands for {axis.before} before and {axis.after} after ({words}){odd}' for words, axis in grouped(axes)]


def _inverse_notes(name: str, axes: tuple[Axis, ...]) -> list[str]:
    """Which inputs of a convolution have this output: what output_padding chooses among."""
    if not name.startswith("conv"):
        return []
    found = []
    for words, axis in grouped(axes):
        if axis.kind == "transposed":
            found += _overlap_notes(words, axis)
            low = sizes.conv_transpose_output_size(axis.size, axis.kernel, axis.stride, axis.before, axis.after, axis.dilation, 0)
            if axis.stride > 1 and low >= 1:
                found.append(
                    f"a convolution with these numbers gives {axis.size} for {words} {low} to {low + axis.stride - 1}: "
                    f"output_padding 0 to {axis.stride - 1} chooses one of them; no zeros are added to the values"
                )
        elif axis.kind == "conv" and axis.stride > 1 and axis.output >= 1:
            low = sizes.conv_transpose_output_size(axis.output, axis.kernel, axis.stride, axis.before, axis.after, axis.dilation, 0)
            found.append(
                f"{words} {max(low, 1)} to {low + axis.stride - 1} all give {axis.output}; the transposed convolution back to {axis.size} "
                f"needs output_padding {axis.size - low}"
            )
    return found


def _overlap_notes(words: str, axis: Axis) -> list[str]:
    """The number of terms of each output, and what avoids a pattern in them."""
    counts = axis.overlaps() if axis.allowed else None
    if counts is None or axis.stride == 1:
        return []
    shown = " ".join(map(str, counts[:24])) + (" ..." if len(counts) > 24 else "")
    found = [f"terms an output along {words}: {shown}"]
    if not axis.fits:
        found.append("without a checkerboard: a kernel that is a multiple of the stride, interpolate and then conv, or conv and then pixel_shuffle")
    return found
