"""Kernels: ndarray in, ndarray out. Nothing here knows of tensors or gradients' bookkeeping.

    reference/   the definitions, plain loops over indices
    cpu/         the same functions, fast: same names, parameters and order
    cuda/        the same for a CUDA device, as far as they are written

`select(name, array)` gives the kernel to call. It is the one door through which the layers above enter.
"""

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .errors import ArgumentError

FAMILIES = (
    "activation",
    "batch_norm",
    "boxes",
    "conv",
    "deform_conv",
    "grid_sample",
    "group_norm",
    "layer_norm",
    "conv3d",
    "conv_transpose",
    "channel_activation",
    "conv",
    "embedding",
    "elementwise_loss",
    "linear",
    "local_response_norm",
    "loss",
    "nms",
    "optim",
    "padding",
    "pool",
    "quantized",
    "roi",
    "resize",
    "unpool",
    "windows",
    "unfold",
    "softmax",
)
CUDA_FAMILIES = ("conv", "nms", "pool", "roi")
SETS = ("cpu", "reference", "cuda")


class _Choice(threading.local):
    name: str = "cpu"


_choice = _Choice()
_tables: dict[str, dict[str, Callable[..., Any]]] = {}


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions a module names in `__all__`."""
    return {name: getattr(module, name) for name in module.__all__}


def table(which: str) -> dict[str, Callable[..., Any]]:
    """Every kernel of one set by name; its modules are imported when first asked for."""
    found = _tables.get(which)
    if found is None:
        found = {}
        for family in CUDA_FAMILIES if which == "cuda" else FAMILIES:
            found.update(_functions(importlib.import_module(f".{which}.{family}", __name__)))
        _tables[which] = found
    return found


def select(name: str, array: Any) -> Callable[..., Any]:
    """The kernel of that name for this array: fast on the CPU; the definition inside `use("reference")` and for arrays of objects; on the
    device inside `use("cuda")` and for arrays that live there."""
    which = "reference" if array.dtype == object else "cuda" if hasattr(array, "__cuda_array_interface__") else _choice.name
    found = _tables.get(which) or table(which)
    if which == "cuda" and name not in found:
        raise ArgumentError(f"{name} has no CUDA kernel; there are {', '.join(sorted(found))}. Move the arrays to the host")
    return found[name]


@contextmanager
def use(name: str) -> Iterator[None]:
    """Within the block, let this thread's operators run the kernels of the named set: "cpu", "reference" or "cuda"."""
    if name not in SETS:
        raise ArgumentError(f"use_kernels: {name!r} is not one of {', '.join(SETS)}")
    previous, _choice.name = _choice.name, name
    try:
        yield
    finally:
        _choice.name = previous
