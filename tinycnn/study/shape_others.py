"""Sizes of the operators without a sliding window of fixed size: adaptive pooling, fold, padding, resizing, shuffles, flatten, linear."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..functional import adaptive_pool, resize
from ..functional._sliding import steps
from ..functional._windows import AXES, is_list, numbers, sides
from ..kernels import resize_tables
from .shape_answer import ShapeAnswer
from .shape_axis import Axis, decimal
from .shape_frameworks import FrameworkAnswer
from .tables import shape_text

__all__ = ["OTHERS"]

WINDOWS_SHOWN, POSITIONS_SHOWN = 8, 12
Asked = Callable[..., ShapeAnswer]


def _answers(output: tuple[int, ...], rows: tuple[tuple[str, str, bool, str], ...]) -> tuple[FrameworkAnswer, ...]:
    """Rows of framework, call, whether it gives `output`, and rule."""
    return tuple(FrameworkAnswer(framework, call, output if same else (), rule) for framework, call, same, rule in rows)


def _split(name: str, given: tuple[int, ...], rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Leading axes and spatial ones; a single number stands for all spatial axes."""
    if len(given) == 1:
        given = given * rank
    if not rank <= len(given) <= rank + 2:
        raise ShapeError(f"{name}: input_size has {len(given)} numbers; give {rank} ({', '.join(AXES[rank])}), or one more with channels first")
    return given[:-rank], given[-rank:]


def _adaptive(name: str, given: tuple[int, ...], padding: Any, filters: Any, output_size: Any, *_: Any) -> ShapeAnswer:
    rank = int(name[-2])
    lead, spatial = _split(name, given, rank)
    if output_size is None:
        raise ArgumentError(f"{name}: output_size (--output-size) is missing; give it, such as 1 for global pooling")
    wanted = steps(name, "output_size", output_size, rank)
    rows: dict[str, list[str]] = {}
    for word, size, out in zip(AXES[rank], spatial, wanted):
        if out > WINDOWS_SHOWN**4:
            raise ShapeError(f"{name}: output_size {out} ({word}) is more than is written out; give at most {WINDOWS_SHOWN**4}")
        table = adaptive_pool._table(size, out)[0]
        windows = ", ".join(f"{first} to {last - 1}" for first, last in table[:WINDOWS_SHOWN]) + (", ..." if out > WINDOWS_SHOWN else "")
        overlap = sum(int(a[1] > b[0]) for a, b in itertools.pairwise(table))
        lengths = sorted({int(last - first) for first, last in table})
        even = "all alike" if size % out == 0 else f"windows of {' and '.join(map(str, lengths))}, {overlap} pairs overlap"
        rows.setdefault(f"{out} window{'' if out == 1 else 's'}: {windows}; {even}", []).append(word)
    output = (*lead, *wanted)
    uneven = [f"{word} {size} is no multiple of {out}" for word, size, out in zip(AXES[rank], spatial, wanted) if size % out]
    verdict = "fits, but does not tile: " + ", ".join(uneven) + "; windows differ or overlap, every element is read" if uneven else "tiles"
    kind = "Average" if "avg" in name else "Max"
    known = (
        ("PyTorch", f"output_size={shape_text(wanted)}", True, "floor(j i / o) to ceil((j + 1) i / o)"),
        ("TensorFlow", "reduce_mean", set(wanted) == {1}, "global pooling only, in its core"),
        ("Keras", f"Adaptive{kind}Pooling{rank}D", True, "recent releases of Keras 3; before, global pooling only"),
        ("Caffe", "global_pooling: true", set(wanted) == {1}, "global pooling only"),
        (
            "ONNX",
            f"Global{kind}Pool",
            set(wanted) == {1},
            "global pooling only; exporters write a fixed pooling",
        ),
    )
    return ShapeAnswer(
        name, f"{name} of {shape_text(given)} to {shape_text(wanted)}", given, output, "window j: floor(j i / o) to ceil((j + 1) i / o) - 1",
        tuple((", ".join(words), row) for row, words in rows.items()), (("", verdict),), frameworks=_answers(wanted, known),
    )  # fmt: skip


def _pad(name: str, given: tuple[int, ...], padding: Any, *_: Any) -> ShapeAnswer:
    rank = min(len(given), 2) if len(given) < 4 else len(given) - 2
    lead, spatial = given[:-rank], given[-rank:]
    around = sides(name, "padding", padding, rank)
    axes = tuple(Axis("conv", word, size, 1, 1, around[2 * a], around[2 * a + 1]) for a, (word, size) in enumerate(zip(AXES[rank], spatial)))
    output = (*lead, *(axis.padded for axis in axes))
    rows = tuple((axis.word, f"{axis.size} + {axis.before} + {axis.after} = {axis.padded}") for axis in axes)
    wide = any(max(axis.before, axis.after) > axis.size - 1 for axis in axes)
    note = ("reflect takes a padding of at most i - 1, circular and symmetric of at most i",) if wide else ()
    known = (
        ("PyTorch", "F.pad", True, "(left, right, top, bottom): the last axis first"),
        ("TensorFlow", "tf.pad", True, "(before, after) of every axis, the first first"),
        ("Keras", "ZeroPadding", True, "((top, bottom), (left, right))"),
        ("Caffe", "pad of a layer", all(axis.before == axis.after for axis in axes), "one number for both sides, zeros"),
        ("ONNX", "Pad", True, "all befores, then all afters"),
    )
    question = f"pad {shape_text(given)} by {padding}"
    return ShapeAnswer(name, question, given, output, "o = i + p + q", rows, (("", "fits"),), frameworks=_answers(output[-rank:], known), notes=note)


def _interpolate(name: str, given: tuple[int, ...], padding: Any, filters: Any, output_size: Any, scale_factor: Any, *_: Any) -> ShapeAnswer:
    rank = 2 if len(given) < 4 else len(given) - 2
    lead, spatial = _split(name, given, rank)
    mode = "nearest"
    # The plan of the operator itself: its arithmetic in floats, and its complaints.
    plan = resize._plan(
        (1, 1, *spatial), np.dtype(np.float32), resize._plain(output_size), resize._plain(scale_factor), mode, None, None, False, None
    )
    factors = scale_factor if is_list(scale_factor) else (scale_factor,) * rank
    rows, notes = [], []
    for word, size, out, factor in zip(AXES[rank], spatial, plan.sizes, factors):
        if factor is None:
            rows.append((word, f"{size} to {out}: a step of {size}/{out} = {decimal(Fraction(size, out))}"))
            continue
        exact = size * factor
        rows.append((word, f"floor({size} * {factor:g}) = {out}"))
        if exact != out:
            notes.append(f"{size} * {factor:g} = {exact:g} is no whole number; coordinates use the factor {factor:g}, not {out}/{size}")
    for size, out, factor in dict.fromkeys(zip(spatial, plan.sizes, factors)):
        notes += _positions(size, out, factor)
    whole = all(out % size == 0 for size, out in zip(spatial, plan.sizes))
    known = (
        ("PyTorch", "size or scale_factor", True, "floor(i * factor)"),
        ("TensorFlow", "tf.image.resize(size)", True, "sizes only"),
        ("Keras", "UpSampling", whole, "whole factors only"),
        (
            "Caffe",
            "Deconvolution",
            whole,
            "a transposed convolution with bilinear weights; whole factors",
        ),
        ("ONNX", "Resize", True, "floor(i * scale), or sizes"),
    )
    asked = f"to {output_size}" if output_size is not None else f"by {scale_factor}"
    return ShapeAnswer(
        name, f"interpolate {shape_text(given)} {asked}", given, (*lead, *plan.sizes), "o = floor(i * scale_factor), or the size given",
        tuple(rows), (("", "fits"),), frameworks=_answers(plan.sizes, known), notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _positions(size: int, out: int, factor: float | None) -> list[str]:
    """Where the outputs of one axis lie in the input, by each coordinate rule; of small outputs only."""
    if out > POSITIONS_SHOWN:
        return []
    rows = []
    for rule in resize_tables.RULES:
        places = resize_tables.coordinates(rule, size, out, None if rule == "align_corners" else factor, np.dtype(np.float64))
        rows.append(f"source positions, {rule}: {', '.join(f'{place:.2f}' for place in places)}")
    return rows


def _fold(
    name: str, given: tuple[int, ...], padding: Any, filters: Any, output_size: Any, scale_factor: Any, kernel_size: Any, stride: Any, dilation: Any
) -> ShapeAnswer:
    if output_size is None or kernel_size is None:
        raise ArgumentError("fold: output_size and kernel_size (--output-size, --k) are needed: the image that was unfolded, and its windows")
    if len(given) not in (2, 3):
        raise ShapeError(f"fold: input_size has {len(given)} numbers; give (rows, columns) of what unfold made")
    spatial, kernel = steps(name, "output_size", output_size, 2), steps(name, "kernel_size", kernel_size, 2)
    strides, dilations = steps(name, "stride", 1 if stride is None else stride, 2), steps(name, "dilation", dilation, 2)
    around = sides(name, "padding", padding, 2)
    axes = tuple(
        Axis("conv", word, spatial[a], kernel[a], strides[a], around[2 * a], around[2 * a + 1], dilations[a]) for a, word in enumerate(AXES[2])
    )
    rows, columns = given[-2:]
    taps, windows = kernel[0] * kernel[1], axes[0].output * axes[1].output
    right = rows % taps == 0 and columns == windows and all(axis.output >= 1 for axis in axes)
    verdict = (
        "fits"
        if right
        else f"does not fit: an image of {shape_text(spatial)} has {windows} windows of {taps} taps: give {taps} C rows and {windows} columns"
    )
    output = (rows // taps, *spatial) if right else None
    known = (
        ("PyTorch", "F.fold", right, "overlaps are summed"),
        ("TensorFlow", "-", False, "the gradient of tf.image.extract_patches is one; no operator of its own"),
        ("Keras", "-", False, "no layer in its core"),
        ("Caffe", "backward of Im2col", right, "overlaps are summed"),
        ("ONNX", "Col2Im", right, "overlaps are summed (opset 18)"),
    )
    steps_ = tuple((axis.word, f"windows: {axis.substitution()}") for axis in axes)
    return ShapeAnswer(
        name, f"fold {shape_text(given)} to {shape_text(spatial)}", given, output, "columns = the number of windows; rows = C K_h K_w",
        steps_, (("", verdict),), frameworks=_answers(spatial, known),
    )  # fmt: skip


def _pixel_shuffle(name: str, given: tuple[int, ...], padding: Any, filters: Any, output_size: Any, scale_factor: Any, *_: Any) -> ShapeAnswer:
    if len(given) not in (3, 4):
        raise ShapeError(f"{name}: input_size has {len(given)} numbers; give (channels, height, width)")
    factor = numbers(name, "scale_factor", 2 if scale_factor is None else scale_factor, 1, 1)[0]
    channels, height, width = given[-3:]
    square = factor * factor
    up = name == "pixel_shuffle"
    right = channels % square == 0 if up else height % factor == 0 and width % factor == 0
    result = (channels // square, height * factor, width * factor) if up else (channels * square, height // factor, width // factor)
    near = sorted({max(square, channels // square * square), (channels // square + 1) * square})
    wrong = (
        f"does not fit: {channels} channels are no multiple of {factor}*{factor} = {square}; use {' or '.join(map(str, near))}"
        if up
        else f"does not fit: {height}x{width} is no multiple of {factor}; crop to {height // factor * factor}x{width // factor * factor}, or pad"
    )
    formula = "(C, H, W) -> (C / r^2, H r, W r)" if up else "(C, H, W) -> (C r^2, H / r, W / r)"
    call = ("DepthToSpace", "tf.nn.depth_to_space") if up else ("SpaceToDepth", "tf.nn.space_to_depth")
    known = (
        ("PyTorch", name, right, "channel c r^2 + i r + j goes to column j of row i: CRD"),
        ("TensorFlow", call[1], right, "channel (i r + j) C + c: DCR, another order of channels"),
        ("Keras", "-", False, "no layer in its core: Lambda(tf.nn...)"),
        ("Caffe", "-", False, "no layer in its core"),
        ("ONNX", call[0], right, "mode DCR by default, CRD is PyTorch's" if up else "DCR only"),
    )
    rest = (
        f"{channels}/{square} = {channels / square:.2f}" if up else f"{height}/{factor} = {height / factor:g}, {width}/{factor} = {width / factor:g}"
    )
    row = f"{channels}x{height}x{width} -> {shape_text(result)}" if right else rest
    verdict = (("", "fits" if right else wrong),)
    question = f"{name} of {shape_text(given)}, factor {factor}"
    return ShapeAnswer(name, question, given, result if right else None, formula, (("", row),), verdict, frameworks=_answers(result, known))


def _flatten(name: str, given: tuple[int, ...], *_: Any) -> ShapeAnswer:
    sample = given[-3:] if len(given) == 4 else given
    features = math.prod(sample)
    product = "*".join(map(str, sample))
    known = (
        ("PyTorch", "nn.Flatten", True, "channels first: feature = (c H + h) W + w"),
        ("TensorFlow", "reshape", True, "channels last: feature = (h W + w) C + c"),
        ("Keras", "Flatten", True, "channels last by default: weights of a following Dense are in another order"),
        ("Caffe", "Flatten", True, "channels first"),
        ("ONNX", "Flatten", True, "axis=1, the order of its input"),
    )
    notes = (f"the linear layer behind it needs in_features={features}; the batch is not counted",)
    question = f"flatten {shape_text(given)}"
    return ShapeAnswer(
        name, question, given, (features,), "features = C H W", (("", f"{product} = {features}"),), (("", "fits"),),
        frameworks=_answers((features,), known), notes=notes,
    )  # fmt: skip


def _linear(name: str, given: tuple[int, ...], padding: Any, filters: Any, *_: Any) -> ShapeAnswer:
    if filters is None:
        raise ArgumentError("linear: the number of outputs is missing; give filters (out_features), such as 10")
    out, into = steps(name, "filters", filters, 1)[0], given[-1]
    notes: tuple[str, ...] = ()
    if len(given) > 1:
        notes = (
            f"maps of {shape_text(given)}: a linear layer works on the last axis; behind a flatten it would need in_features={math.prod(given)}",
        )
    parameters = into * out + out
    return ShapeAnswer(
        name, f"linear, {into} to {out}", given, (*given[:-1], out), "y = x W^T + b: (..., in) -> (..., out)",
        (("", f"parameters {into}*{out} + {out} = {parameters:,}"),), (("", "fits"),),
        frameworks=_answers((out,), tuple((who, call, True, rule) for who, call, rule in LINEAR)), notes=notes, parameters=parameters,
    )  # fmt: skip


LINEAR = (
    ("PyTorch", "nn.Linear", "works on the last axis; weight (out, in)"),
    ("TensorFlow", "tf.matmul", "weight (in, out)"),
    ("Keras", "Dense", "works on the last axis; in is inferred; weight (in, out)"),
    ("Caffe", "InnerProduct", "flattens its input by itself; weight (out, in)"),
    ("ONNX", "Gemm", "two axes only; transB=1 for PyTorch's weight"),
)

OTHERS: dict[str, Asked] = {
    **{f"adaptive_{kind}_pool{rank}d": _adaptive for kind in ("avg", "max") for rank in (1, 2, 3)},
    "fold": _fold,
    "pad": _pad,
    "interpolate": _interpolate,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_shuffle,
    "flatten": _flatten,
    "linear": _linear,
}
