"""The pickles inside PyTorch's files, read by a machine that knows tensors and can do nothing else.

A tensor is pickled as a call of `torch._utils._rebuild_tensor_v2` with a storage, an offset, a size and strides. The
storage is a "persistent id", a tuple that names bytes stored elsewhere in the file. Both become descriptions here;
`shaped` turns a description into an array once the bytes are at hand and every number in it has been checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.safe_pickle import CONSTRUCTORS, INSTRUCTIONS, Machine, PickledDtype, Refused, StandIn, as_text
from .files import ELEMENTS, MAX_AXES, MAX_EXTENT, Budget, Malformed, itemsize

__all__ = ["STORAGES", "Storage", "StoredTensor", "TorchMachine", "shaped"]

# The names of PyTorch's storages, of which each has one element type.
STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
}


@dataclass(frozen=True)
class ElementType:
    """Stands in for a torch.dtype and for the class of a storage; "" for storages that only count bytes."""

    name: str


@dataclass(frozen=True)
class Storage:
    """Bytes elsewhere in the file: the name they have there, their element type and how many elements they are."""

    key: str
    stored: str
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as the file describes it; nothing in it has been checked yet."""

    storage: Storage
    stored: str
    offset: Any
    size: Any
    stride: Any


class OrderedDictionary(dict[Any, Any], StandIn):
    """Stands in for collections.OrderedDict, whose state (a module's metadata) is of no use here."""

    def build(self, state: Any) -> None:
        """Ignore the attributes."""


def rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> StoredTensor:
    """Stand in for `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`."""
    if not isinstance(storage, Storage) or not storage.stored:
        raise Refused("it builds a tensor from something that is not a storage")
    return StoredTensor(storage, storage.stored, offset, size, stride)


def rebuild_typed_tensor(storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *_: Any) -> StoredTensor:
    """Stand in for `torch._utils._rebuild_tensor_v3`, whose storage only counts bytes."""
    if not isinstance(storage, Storage) or not isinstance(dtype, ElementType) or not dtype.name:
        raise Refused("it builds a tensor from something that is not a storage")
    return StoredTensor(storage, dtype.name, offset, size, stride)


def rebuild_parameter(data: Any, *_: Any) -> StoredTensor:
    """Stand in for `torch._utils._rebuild_parameter`: the parameter's values are all that matters."""
    if not isinstance(data, StoredTensor):
        raise Refused("it builds a parameter from something that is not a tensor")
    return data


def ordered_dictionary(pairs: Any = ()) -> OrderedDictionary:
    """Stand in for `collections.OrderedDict`, empty or, as Python 2 wrote it, of a list of pairs."""
    made = OrderedDictionary()
    items = list(pairs.items()) if isinstance(pairs, dict) else pairs
    if not isinstance(items, list | tuple):
        raise Refused("it builds a dictionary from something that is not one")
    for pair in items:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str | bytes | int):
            raise Refused("it holds a dictionary whose keys are not names")
        made[pair[0]] = pair[1]
    return made


def size_of(axes: Any = ()) -> tuple[Any, ...]:
    """Stand in for `torch.Size`."""
    if not isinstance(axes, list | tuple) or len(axes) > MAX_AXES:
        raise Refused("it holds a size that is not a list of a few numbers")
    return tuple(axes)


def device(*arguments: Any) -> None:
    """Stand in for `torch.device`: where a tensor lay is of no use here."""


def numpy_scalar(dtype: Any, data: Any) -> Any:
    """Stand in for NumPy's scalars, such as an accuracy stored beside the weights."""
    if not isinstance(dtype, PickledDtype) or not isinstance(data, bytes) or len(data) != dtype.dtype.itemsize:
        raise Refused("it holds a number that is not one")
    return np.frombuffer(data, dtype.dtype)[0].item()


def _known() -> dict[str, Any]:
    """All names that a PyTorch file may ask for, with their stand-ins."""
    known: dict[str, Any] = dict(CONSTRUCTORS)
    for module in ("torch", "torch.cuda"):
        for name, stored in STORAGES.items():
            known[f"{module}.{name}"] = ElementType(stored)
    known["torch.storage.UntypedStorage"] = known["torch.UntypedStorage"] = ElementType("")
    for name in ELEMENTS:
        known[f"torch.{name}"] = ElementType(name)
    known["torch._utils._rebuild_tensor"] = rebuild_tensor
    known["torch._utils._rebuild_tensor_v2"] = rebuild_tensor
    known["torch._utils._rebuild_tensor_v3"] = rebuild_typed_tensor
    for name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter"):
        known[name] = rebuild_parameter
    known["torch.Size"] = size_of
    known["torch.device"] = device
    known["collections.OrderedDict"] = known["collections.Counter"] = ordered_dictionary
    known["numpy.core.multiarray.scalar"] = known["numpy._core.multiarray.scalar"] = numpy_scalar
    return known


class TorchMachine(Machine):
    """The pickle machine with tensors and storages."""

    constructors = _known()
    purpose = "one of the constructors that weights need"

    def top(self, kind: type) -> Any:
        """As ever, where an ordered dictionary is a dictionary."""
        if kind is dict and self.stack and type(self.stack[-1]) is OrderedDictionary:
            return self.stack[-1]
        return super().top(kind)

    def refer(self) -> None:
        """Replace a persistent id, ("storage", type, key, location, number of elements), by the storage it names."""
        identifier = self.pop()
        if not isinstance(identifier, tuple) or len(identifier) < 5 or as_text(identifier[0]) != "storage":
            raise Refused("it refers to something that is not a storage")
        kind, key, count = identifier[1], as_text(identifier[2]), identifier[4]
        if not isinstance(kind, ElementType) or key is None or type(count) is not int or not 0 <= count < MAX_EXTENT:
            raise Refused("it refers to a storage of an unknown kind")
        if len(identifier) > 5 and identifier[5] is not None:
            raise Refused("it refers to a view on a storage, which PyTorch stopped writing in 2018")
        self.stack.append(Storage(key, kind.name, count))


TorchMachine.instructions = {**INSTRUCTIONS, b"Q": lambda machine: machine.refer()}  # type: ignore[attr-defined]


def shaped(name: str, tensor: StoredTensor, flat: np.ndarray, budget: Budget) -> np.ndarray:
    """The array that a description makes of its storage's elements, once every number in it holds.

    A tensor whose elements lie in order shares memory with the storage, as tied weights do; others are copied.
    """
    size, stride, offset = tensor.size, tensor.stride, tensor.offset
    whole = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride) <= MAX_AXES
    if not whole or not all(type(number) is int for number in (*size, *stride, offset)):
        raise Malformed(f"{name} has a shape, strides or an offset that are not whole numbers")
    if any(not 0 <= number < MAX_EXTENT for number in (*size, *stride, offset)):
        raise Malformed(f"{name} has shape {size}, strides {stride} and offset {offset}; none of them may be negative or beyond memory")
    count = math.prod(size)
    last = offset + sum((extent - 1) * step for extent, step in zip(size, stride, strict=True)) if count else 0
    if last >= len(flat) and count:
        raise Malformed(f"{name} of shape {size} and strides {stride} reads element {last:,} of a storage of {len(flat):,}")
    budget.take(count * flat.itemsize, f"{name} of shape {size}")
    if not count:
        return np.empty(size, flat.dtype)
    steps = tuple(step * flat.itemsize for step in stride)
    view = np.lib.stride_tricks.as_strided(flat[offset:], size, steps)
    return np.asarray(view, order="C")


def counted(storage: Storage, stored: str, available: int) -> int:
    """Bytes of a storage, which must be as many as the file has for it."""
    expected = storage.count * (itemsize(storage.stored) if storage.stored else 1)
    if available != expected:
        raise Malformed(f"storage {storage.key!r} is said to hold {storage.count:,} elements ({expected:,} bytes), and has {available:,} bytes")
    if expected % itemsize(stored):
        raise Malformed(f"storage {storage.key!r} of {expected:,} bytes is not a whole number of {stored} elements")
    return expected
