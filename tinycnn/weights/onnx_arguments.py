"""What the converters to ONNX share: shapes and axes of arguments, and the sentence for what ONNX cannot say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..tensor import Tensor

__all__ = ["PAD_MODES", "Converter", "counted_axis", "ends", "reduced_axes", "refusal", "shape_of"]

Converter = Callable[[Any, Any, Any], Any]
PAD_MODES = {"constant": "constant", "zeros": "constant", "reflect": "reflect", "replicate": "edge"}


def refusal(operator: str, why: str) -> CheckpointError:
    """The error for what an operator has and ONNX has not; raise it."""
    return CheckpointError(f"export_onnx: {operator}: {why}")


def shape_of(one: Any) -> tuple[int, ...]:
    """The shape of a tensor, an array or a number."""
    return tuple(one.shape) if isinstance(one, Tensor) else np.shape(one)


def counted_axis(dim: int, rank: int) -> int:
    """The axis counted from the front."""
    return dim + rank if dim < 0 else dim


def reduced_axes(dim: Any, rank: int) -> list[int]:
    """The axes of a reduction, all where none is named."""
    if dim is None or dim == () or dim == []:
        return list(range(rank))
    return [counted_axis(one, rank) for one in (dim if isinstance(dim, Sequence) else [dim])]


def ends(around: Sequence[int]) -> list[int]:
    """(before, after) of every axis as ONNX has them: all befores, then all afters."""
    return [*around[0::2], *around[1::2]]
