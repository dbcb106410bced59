"""What losses share: checks of targets and weights, reductions, and the runner of losses that compare two arrays element by element."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import is_grad_enabled, record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..kernels import memory
from ..tensor import Tensor
from . import reduction as reductions
from ._arguments import as_tensor, contiguous, float_tensor, one_of, same_dtype
from .shape import expand

REDUCTIONS = ("mean", "sum", "none")


def real(name: str, argument: str, value: Any, rule: str = "a number", fits: Callable[[float], bool] = lambda x: True) -> float:
    """A real number, not NaN, that satisfies a rule told in words."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or math.isnan(value) or not fits(float(value)):
        raise ArgumentError(f"{name}: {argument} must be {rule}, not {value!r}")
    return float(value)


def labels_of(name: str, target: Any, shape: tuple[int, ...], classes: int, ignore_index: int | None) -> np.ndarray:
    """The class indices as int64, checked against the scores; `ignore_index` None where no label is ignored."""
    if ignore_index is not None and (isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer) or abs(ignore_index) >= 2**63):
        raise ArgumentError(f"{name}: ignore_index must be a whole number, not {ignore_index!r}")
    labels = as_tensor(target).data
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"{name}: target is {labels.dtype}; class indices are whole numbers, use target.long()")
    if labels.shape != shape:
        raise ShapeError(f"{name}: target has shape {labels.shape}, but input asks for {shape}, one class index a sample")
    labels = np.ascontiguousarray(labels, np.int64)
    ignored = -1 if ignore_index is None else int(ignore_index)
    wrong = int(kernels.select("wrong_class", labels)(labels, classes, ignored))
    if ignore_index is None and wrong < 0 and labels.size and labels.min() < 0:
        wrong = int(np.argmin(labels))
    if wrong >= 0:
        place = [int(i) for i in np.unravel_index(wrong, labels.shape)]
        label = labels.flat[wrong]
        leave_out = "" if ignore_index is None else f", or use ignore_index={label} to leave it out"
        raise ArgumentError(
            f"{name}: target{place} is {label}, but there are {classes} classes, 0 to {classes - 1}; number the classes from 0{leave_out}"
        )
    return labels


def class_weights(name: str, weight: Any, classes: int, like: Tensor) -> np.ndarray | None:
    """One number a class, or None."""
    if weight is None:
        return None
    tensor = float_tensor(name, "weight", weight)
    same_dtype(name, input=like, weight=tensor)
    if tensor.data.shape != (classes,):
        raise ShapeError(f"{name}: weight has shape {tensor.shape}; it must be ({classes},), one number a class")
    return contiguous(tensor.data)


def class_axis(name: str, input: Any) -> tuple[Tensor, tuple[int, ...], tuple[int, int, int], int]:
    """The scores, the shape of their targets, the shape (N, C, places) that kernels take, and C."""
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    if not shape:
        raise ShapeError(f"{name}: input is a single number; it must be (C,), (N, C) or (N, C, d1, ...)")
    axis = 0 if len(shape) == 1 else 1
    classes = shape[axis]
    if not classes:
        raise ShapeError(f"{name}: input {shape} has no classes")
    target_shape = shape[:axis] + shape[axis + 1 :]
    images = shape[0] if axis else 1
    return tensor, target_shape, (images, classes, math.prod(shape[2:])), classes


def whole_sum(array: np.ndarray) -> Any:
    """The sum of all elements, added up in float64; of fractions and traced numbers as they are."""
    return array.sum() if array.dtype == object else float(array.sum(dtype=np.float64))


def scaled(array: np.ndarray, factor: Any) -> np.ndarray:
    """array * factor in recycled memory; the array itself where the factor is 1."""
    if np.ndim(factor) == 0 and factor == 1:
        return array
    return np.multiply(array, factor, out=memory.empty(array.shape, array.dtype))


def answers(name: str, argument: str, value: Any, like: Tensor) -> Tensor:
    """Targets that are numbers with a meaning, such as 1 and -1: whole numbers take the dtype of `like`."""
    tensor = as_tensor(value)
    if tensor.data.dtype.kind in "biu":
        return Tensor(tensor.data.astype(like.data.dtype))
    tensor = float_tensor(name, argument, value)
    same_dtype(name, input=like, **{argument: tensor})
    return tensor


def pairs(name: str, input: Any, target: Any, reduction: str, names: tuple[str, ...] = REDUCTIONS) -> tuple[Tensor, Tensor]:
    """Prediction and target of one shape and dtype."""
    one_of(name, "reduction", reduction, names)
    tensor, wanted = float_tensor(name, "input", input), float_tensor(name, "target", target)
    same_dtype(name, input=tensor, target=wanted)
    if tensor.data.shape != wanted.data.shape:
        raise ShapeError(f"{name}: target has shape {wanted.shape}, input {tensor.shape}; they must be equal, nothing is broadcast here")
    return tensor, wanted


def broadcast_pairs(name: str, input: Any, target: Any, reduction: str, names: tuple[str, ...] = REDUCTIONS) -> tuple[Tensor, Tensor]:
    """Prediction and target of one dtype, broadcast to one shape: for the losses that torch broadcasts without a warning."""
    one_of(name, "reduction", reduction, names)
    tensor = float_tensor(name, "input", input)
    wanted = answers(name, "target", target, tensor)
    if tensor.data.shape == wanted.data.shape:
        return tensor, wanted
    shape = common_shape(name, input=tensor.data, target=wanted.data)
    return expanded(tensor, shape), expanded(wanted, shape)


def common_shape(name: str, **arrays: np.ndarray) -> tuple[int, ...]:
    """The shape that the arrays broadcast to."""
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        text = " and ".join(f"{argument} {array.shape}" for argument, array in arrays.items())
        raise ShapeError(f"{name}: {text} do not broadcast: compared from the right, sizes must be equal or 1") from None


def expanded(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The tensor repeated to a shape it broadcasts to."""
    return tensor if tensor.data.shape == shape else expand(tensor, shape)


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or the losses themselves; the mean over nothing is NaN, as in torch."""
    if reduction == "none":
        return losses
    return reductions.sum(losses) if reduction == "sum" else reductions.mean(losses)


def element_weights(name: str, weight: Any, like: Tensor, broadcast: bool) -> Tensor:
    """A weight for each element; of the very shape, or one that broadcasts to it."""
    tensor = float_tensor(name, "weight", weight)
    same_dtype(name, input=like, weight=tensor)
    shape = like.data.shape
    if not broadcast and tensor.data.shape != shape:
        raise ShapeError(f"{name}: weight has shape {tensor.shape}, input {shape}; they must be equal")
    if broadcast and common_shape(name, input=like.data, weight=tensor.data) != shape:
        raise ShapeError(f"{name}: weight of shape {tensor.shape} does not broadcast to {shape}, the shape of input")
    return tensor


def elementwise(name: str, inputs: tuple[Tensor, Tensor], reduction: str, parameter: float = 0.0, kernel: str | None = None) -> Tensor:
    """Run a kernel of kernels/reference/elementwise_loss.py: one pass gives the value and the slopes that will be asked for."""
    x, target = contiguous(inputs[0].data), contiguous(inputs[1].data)
    each = reduction == "none"
    count = {"mean": x.size, "batchmean": x.shape[0] if x.ndim else 1}.get(reduction, 1)
    scale = 1.0 / count if count else math.nan
    wanted = [is_grad_enabled() and tensor.requires_grad for tensor in inputs]
    total, losses, *slopes = kernels.select(kernel or name, x)(x, target, parameter, scale, each, *wanted)
    # The mean over nothing is NaN, as in torch: there is no right answer.
    value = losses if each else np.asarray(total / count if count else math.nan, x.dtype)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        first, second = (scaled(slope, grad) if need else None for slope, need in zip(slopes, needs, strict=True))
        return first, second

    return record(name, value, inputs, backward)
