"""What the operators on boxes do with their arguments before any work."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..functional import mean, sum
from ..functional._arguments import as_tensor, contiguous, float_tensor, one_of, same_dtype
from ..tensor import Tensor

REDUCTIONS = ("none", "mean", "sum")


def real_number(operator: str, argument: str, value: Any) -> float:
    """A Python or NumPy number other than NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or value != value:
        raise ArgumentError(f"{operator}: {argument} must be a number, not {value!r}")
    return float(value)


def probability(operator: str, value: Any) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= 1:
        raise ArgumentError(f"{operator}: p must be a probability from 0 to 1, not {value!r}")
    return float(value)


def box_tensor(operator: str, argument: str, x: Any, width: int = 4, least_axes: int = 1) -> Tensor:
    """Boxes in the last axis: float or whole numbers, bytes as int32 so that differences do not wrap around."""
    if x is None:
        raise DtypeError(f"{operator}: {argument} is None; give a Tensor, an ndarray, or lists of numbers")
    tensor = as_tensor(x)
    kind = tensor.data.dtype
    if kind.kind not in "fuiO" or kind == np.float16:
        raise DtypeError(f"{operator}: {argument} is {kind}; boxes are float32, float64 or whole numbers")
    shape = tensor.data.shape
    if not shape or shape[-1] != width or len(shape) < least_axes:
        rows = {1: "(..., ", 2: "(..., N, "}[least_axes]
        raise ShapeError(f"{operator}: {argument} has shape {shape}; it must be {rows}{width}), one box a row")
    return Tensor(tensor.data.astype(np.int32)) if kind == np.uint8 else tensor


def float_box_pairs(operator: str, boxes1: Any, boxes2: Any) -> tuple[Tensor, Tensor]:
    """Two equally many float boxes, as losses compare them one by one; lists and whole numbers become float32."""
    tensors = []
    for argument, x in (("boxes1", boxes1), ("boxes2", boxes2)):
        tensor = box_tensor(operator, argument, x)
        tensors.append(tensor if tensor.data.dtype.kind in "fO" else Tensor(tensor.data.astype(np.float32)))
    first, second = tensors
    same_dtype(operator, boxes1=first, boxes2=second)
    if first.shape != second.shape:
        raise ShapeError(f"{operator}: boxes1 has shape {first.shape} and boxes2 {second.shape}; they must be equal, box by box")
    return first, second


def reduced(operator: str, losses: Tensor, reduction: str) -> Tensor:
    """The losses, their sum or their mean; the mean of none is zero."""
    one_of(operator, "reduction", reduction, REDUCTIONS)
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" and losses.data.size else sum(losses)


def unary(operator: str, x: Tensor, function: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Tensor:
    """A function of every element and its derivative."""
    with np.errstate(all="ignore"):
        y = np.asarray(function(x.data))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            return (grad * derivative(x.data),)

    return record(operator, y, (x,), backward, (x,))


def arctan(x: Tensor) -> Tensor:
    """The angle whose tangent is x."""
    return unary("arctan", x, np.arctan, lambda values: 1 / (1 + values * values))


def angle(y: Tensor, x: Tensor) -> Tensor:
    """The angle of the vector (x, y)."""
    with np.errstate(all="ignore"):
        result = np.asarray(np.arctan2(y.data, x.data))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(all="ignore"):
            square = x.data * x.data + y.data * y.data
            return grad * x.data / square, -grad * y.data / square

    return record("atan2", result, (y, x), backward, (y, x))


def regions(operator: str, input: Tensor, boxes: Any) -> np.ndarray:
    """(K, 5) regions (image, x1, y1, x2, y2) in the input's dtype, from such a tensor or from a list with one (L, 4) tensor an image."""
    if isinstance(boxes, Sequence) and not isinstance(boxes, str):
        parts = []
        for image, part in enumerate(boxes):
            tensor = _float_boxes(operator, f"boxes[{image}]", part, input)
            if tensor.data.ndim != 2 or tensor.data.shape[1] != 4:
                raise ShapeError(f"{operator}: boxes[{image}] has shape {tensor.shape}; each tensor of a list must be (L, 4), the boxes of one image")
            parts.append(np.concatenate([np.full((len(tensor.data), 1), image, input.data.dtype), tensor.data], 1))
        rois = np.concatenate(parts) if parts else np.zeros((0, 5), input.data.dtype)
    else:
        tensor = _float_boxes(operator, "boxes", boxes, input)
        if tensor.data.ndim != 2 or tensor.data.shape[1] != 5:
            raise ShapeError(
                f"{operator}: boxes has shape {tensor.shape}; it must be (K, 5) as (image, x1, y1, x2, y2), or a list with one (L, 4) an image"
            )
        rois = contiguous(tensor.data)
    images, count = rois[:, 0], input.data.shape[0]
    wrong = ~((images >= 0) & (images < count) & (images == np.floor(images)))
    if wrong.any():
        raise ArgumentError(
            f"{operator}: boxes row {int(np.argmax(wrong))} names image {images[wrong][0]:g}; the input holds {count}, "
            f"so it must be a whole number from 0 to {count - 1}"
        )
    return rois


def _float_boxes(operator: str, argument: str, value: Any, input: Tensor) -> Tensor:
    """Boxes in the dtype of the input; numbers without a dtype of their own take it."""
    if value is not None and not isinstance(value, Tensor | np.ndarray | np.generic):
        try:
            return Tensor(np.asarray(value, input.data.dtype))
        except (TypeError, ValueError):
            raise DtypeError(f"{operator}: {argument} is a {type(value).__name__}; give a tensor, an ndarray or lists of numbers") from None
    tensor = float_tensor(operator, argument, value)
    same_dtype(operator, input=input, boxes=tensor)
    return tensor
