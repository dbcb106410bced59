"""What PyTorch, TensorFlow, Keras, Caffe and ONNX each answer to one question about sizes, and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..errors import ArgumentError
from ..kernels import sizes
from .shape_axis import Axis

__all__ = ["FrameworkAnswer", "framework_answers"]


@dataclass(frozen=True)
class FrameworkAnswer:
    """One framework's answer: how to ask it, the output an axis (None: it refuses), and its rule."""

    framework: str
    call: str
    output: tuple[int | None, ...]
    rule: str


Rule = Callable[[Axis], Axis | None]


def _answer(framework: str, call: str, axes: tuple[Axis, ...], change: Rule, rule: str) -> FrameworkAnswer:
    changed = [change(axis) for axis in axes]
    return FrameworkAnswer(framework, call, tuple(None if axis is None or axis.output < 1 else axis.output for axis in changed), rule)


def _named(name: str) -> Rule:
    """The axis with a padding by name; None where the name refuses it."""

    def change(axis: Axis) -> Axis | None:
        try:
            before, after = sizes.same_padding(axis.size, axis.kernel, axis.stride, axis.dilation, name)
        except ArgumentError:
            return None
        return replace(axis, before=before, after=after, ceil_mode=False)

    return change


def _floor(axis: Axis) -> Axis:
    return replace(axis, ceil_mode=False)


def _ceil(axis: Axis) -> Axis:
    return replace(axis, ceil_mode=True)


def _half_at_most(axis: Axis) -> Axis | None:
    return axis if max(axis.before, axis.after) <= axis.kernel // 2 else None


def _caffe_pool(clips: bool) -> Rule:
    """Caffe rounds up, and drops a last window outside the input only where some axis is padded (`clips`)."""

    def change(axis: Axis) -> Axis | None:
        if axis.before != axis.after or axis.before >= axis.kernel or axis.span > axis.padded:
            return None
        # Rounding up is rounding down with stride - 1 elements more.
        return _ceil(axis) if clips else replace(axis, kind="conv", after=axis.stride - 1, ceil_mode=False)

    return change


def _symmetric(axis: Axis) -> Axis | None:
    return _floor(axis) if axis.before == axis.after else None


def _pads(axes: tuple[Axis, ...]) -> str:
    if all(axis.before == axis.after for axis in axes):
        values = [str(axis.before) for axis in axes]
        return values[0] if len(set(values)) == 1 else f"({', '.join(values)})"
    return ", ".join(f"({axis.before}, {axis.after})" for axis in axes)


def framework_answers(axes: tuple[Axis, ...]) -> list[FrameworkAnswer]:
    """Ask every framework.

    Parameters
    ----------
    axes : tuple of Axis
        All of one kind.

    Returns
    -------
    list of FrameworkAnswer

    Examples
    --------
    >>> for answer in framework_answers((Axis("pool", "length", 5, 2, 2),))[:4]:
    ...     print(answer.framework, answer.call, answer.output)
    PyTorch padding=0 (2,)
    PyTorch ceil_mode=True (3,)
    TensorFlow VALID (2,)
    TensorFlow SAME (3,)
    """
    return {"conv": _convolutions, "pool": _poolings, "transposed": _transposed, "unpool": _unpoolings}[axes[0].kind](axes)


def _convolutions(axes: tuple[Axis, ...]) -> list[FrameworkAnswer]:
    pads, padded = _pads(axes), any(axis.before or axis.after for axis in axes)
    uneven = any(axis.before != axis.after for axis in axes)
    both = any(axis.dilation > 1 and axis.stride > 1 for axis in axes)
    keras: Rule = (lambda _: None) if both else _floor
    keras_same: Rule = (lambda _: None) if both else _named("same_tf")
    refusal = "; refuses stride and dilation together" if both else ""
    return [
        _answer("PyTorch", f"F.pad, padding={pads}" if uneven else f"padding={pads}", axes, _floor, "rounds down, silently"),
        _answer("PyTorch", 'padding="same"', axes, _named("same"), "stride 1 only; odd element after"),
        _answer("TensorFlow", f"explicit {pads}" if padded else "VALID", axes, _floor, "rounds down"),
        _answer("TensorFlow", "SAME", axes, _named("same_tf"), "o = ceil(i / s); odd element after"),
        _answer("Keras", f"ZeroPadding {pads}, valid" if padded else "valid", axes, keras, "rounds down" + refusal),
        _answer("Keras", "same", axes, keras_same, "o = ceil(i / s); odd element after" + refusal),
        _answer("Caffe", f"pad: {pads}", axes, _symmetric, "rounds down; one padding for both sides"),
        _answer("ONNX", f"pads={pads}", axes, _floor, "rounds down"),
        _answer("ONNX", "SAME_UPPER", axes, _named("same_tf"), "o = ceil(i / s); odd element after"),
        _answer("ONNX", "SAME_LOWER", axes, _named("same_lower"), "o = ceil(i / s); odd element before"),
    ]


def _poolings(axes: tuple[Axis, ...]) -> list[FrameworkAnswer]:
    pads, padded = _pads(axes), any(axis.before or axis.after for axis in axes)

    def torch_floor(axis: Axis) -> Axis | None:
        return _half_at_most(_floor(axis))

    def torch_ceil(axis: Axis) -> Axis | None:
        return _half_at_most(_ceil(axis))

    return [
        _answer("PyTorch", f"padding={pads}", axes, torch_floor, "rounds down; padding at most half of the kernel"),
        _answer("PyTorch", "ceil_mode=True", axes, torch_ceil, "rounds up; the last window must start inside the input or the padding before it"),
        _answer("TensorFlow", f"pad, VALID after {pads}" if padded else "VALID", axes, _floor, "rounds down"),
        _answer("TensorFlow", "SAME", axes, _named("same_tf"), "o = ceil(i / s); averages leave the padding out"),
        _answer("Keras", f"ZeroPadding {pads}, valid" if padded else "valid", axes, _floor, "rounds down"),
        _answer("Keras", "same", axes, _named("same_tf"), "o = ceil(i / s); averages leave the padding out"),
        _answer("Caffe", f"pad: {pads}", axes, _caffe_pool(padded), "rounds up by default (round_mode: CEIL), unlike its convolution"),
        _answer("ONNX", f"pads={pads}", axes, _floor, "rounds down"),
        _answer("ONNX", "ceil_mode=1", axes, _ceil, "rounds up, a window that starts in the padding after is dropped"),
        _answer("ONNX", "SAME_UPPER", axes, _named("same_tf"), "o = ceil(i / s); odd element after"),
        _answer("ONNX", "SAME_LOWER", axes, _named("same_lower"), "o = ceil(i / s); odd element before"),
    ]


def _transposed(axes: tuple[Axis, ...]) -> list[FrameworkAnswer]:
    pads = _pads(axes)
    behind = ", ".join(dict.fromkeys(str(axis.output_padding) for axis in axes))

    def torch(axis: Axis) -> Axis | None:
        return axis if axis.output_padding < max(axis.stride, axis.dilation) else None

    def plain(axis: Axis) -> Axis | None:
        return replace(axis, output_padding=0) if axis.before == axis.after else None

    def valid(axis: Axis) -> Axis:
        """Strokes that do not touch keep the gap behind the last one."""
        return replace(axis, before=0, after=0, output_padding=max(axis.stride - axis.span, 0))

    def same(axis: Axis) -> Axis:
        """The input of a "same" convolution: of all that it takes to `size`, the largest, size * stride."""
        before, after = sizes.same_padding(axis.size * axis.stride, axis.kernel, axis.stride, axis.dilation, "same_tf")
        return replace(axis, before=before, after=after, output_padding=max(axis.stride - axis.span, 0))

    return [
        _answer("PyTorch", f"padding={pads}, output_padding={behind}", axes, torch, "output_padding below stride or dilation chooses the size"),
        _answer("TensorFlow", "VALID", axes, valid, "output_shape chooses; this is the size that Keras computes"),
        _answer("TensorFlow", "SAME", axes, same, "output_shape chooses among (i - 1) s + 1 to i s; usually i s"),
        _answer("Keras", "valid", axes, valid, "o = (i - 1) s + max(k, s)"),
        _answer("Keras", "same", axes, same, "o = i s"),
        _answer("Caffe", f"pad: {pads}", axes, plain, "Deconvolution: no output_padding"),
        _answer("ONNX", f"pads={pads}, output_padding={behind}", axes, torch, "or output_shape, from which the pads follow"),
        _answer("ONNX", "SAME_UPPER", axes, same, "o = i s (onnxruntime: (i - 1) s + k where k < s)"),
    ]


def _unpoolings(axes: tuple[Axis, ...]) -> list[FrameworkAnswer]:
    pads = _pads(axes)
    rule = "or the output_size that was pooled"
    return [
        _answer("PyTorch", f"MaxUnpool, padding={pads}", axes, _symmetric, rule),
        _answer("ONNX", f"MaxUnpool, pads={pads}", axes, lambda axis: axis, rule),
        *(FrameworkAnswer(framework, "-", (), "no unpooling by argmax in its core") for framework in ("TensorFlow", "Keras", "Caffe")),
    ]
