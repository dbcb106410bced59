"""Copies and changes of dtype that keep the graph: the gradient returns in the dtype it came from."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import record
from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import DTYPES, Tensor
from ._arguments import as_tensor

__all__ = ["clone"]


@operator(family="shape", differentiable=("input",), method=True)
def clone(input: Any) -> Tensor:
    """A copy with its own memory, still in the graph.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input; grad_input = grad.

    Examples
    --------
    >>> import tinycnn
    >>> x = tinycnn.zeros(2)
    >>> y = x.clone()
    >>> y[0] = 5.0
    >>> x.tolist()
    [0.0, 0.0]
    """
    tensor = as_tensor(input)
    return record("clone", np.array(tensor.data, order="C"), (tensor,), lambda grad, needs: (grad,))


def converted(tensor: Tensor, dtype: npt.DTypeLike | None) -> Tensor:
    """The tensor in the dtype that a function's `dtype=` names; itself for None."""
    return tensor if dtype is None else _convert(tensor, dtype)


def _convert(self: Tensor, dtype: npt.DTypeLike) -> Tensor:
    """The tensor in another dtype; itself where the dtype is the same."""
    source, wanted = self.data.dtype, np.dtype(dtype)
    if wanted == source:
        return self
    if wanted not in DTYPES:
        raise DtypeError(
            f"to: dtype {wanted} is not one of {', '.join(map(str, DTYPES))}; float32 is the default of this package"
        )
    with np.errstate(all="ignore"):
        data = self.data.astype(wanted)
    inputs = (self if wanted.kind == "f" else None,)
    return record("to", data, inputs, lambda grad, needs: (grad.astype(source),))


def _to(self: Tensor, target: Any = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The tensor as another dtype, as another tensor's, or on "cpu", where it is already."""
    if isinstance(target, Tensor):
        target = target.data.dtype
    if isinstance(target, str) and target.split(":")[0] in ("cpu", "cuda"):
        if target != "cpu":
            raise ArgumentError(f'to: device {target!r} is not here; "cpu" is the only device of this version')
        target = None
    wanted = dtype if dtype is not None else target
    return self if wanted is None else _convert(self, wanted)


def _float(self: Tensor) -> Tensor:
    """The tensor as float32."""
    return _convert(self, np.float32)


def _double(self: Tensor) -> Tensor:
    """The tensor as float64."""
    return _convert(self, np.float64)


def _int(self: Tensor) -> Tensor:
    """The tensor as int32, rounded towards zero."""
    return _convert(self, np.int32)


def _long(self: Tensor) -> Tensor:
    """The tensor as int64, rounded towards zero."""
    return _convert(self, np.int64)


def _byte(self: Tensor) -> Tensor:
    """The tensor as uint8, rounded towards zero."""
    return _convert(self, np.uint8)


def _bool(self: Tensor) -> Tensor:
    """Whether elements are non-zero."""
    return _convert(self, np.bool_)


_METHODS = {"to": _to, "float": _float, "double": _double, "int": _int, "long": _long, "byte": _byte, "bool": _bool}
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)
