"""Which layer to ask where the user names none: the one that made the last maps before they are pooled away."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import no_grad
from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from ..recording import tensors_in

__all__ = ["first_tensor", "last_maps", "map_layers"]


def first_tensor(name: str, result: Any) -> Tensor:
    """The tensor that a module gave, the first of several."""
    for tensor in tensors_in(result):
        return tensor
    raise ShapeError(f"{name}: the module gives {type(result).__name__}, not a tensor; name another layer")


def map_layers(model: Module, images: np.ndarray) -> list[tuple[str, tuple[int, ...]]]:
    """Every module that gives maps (N, C, h, w), in the order in which they end, with the shape of its result.

    Of modules that hand on the same tensor, as a Sequential and its last layer do, the outermost is named last.
    """
    return [(path, tensor.shape) for path, tensor, _ in _results(model, images)]


def last_maps(name: str, model: Module, images: np.ndarray) -> str:
    """The path of the module that made the last maps larger than one element and not made by pooling.

    Raises
    ------
    ArgumentError
        For a network without maps.
    """
    results = _results(model, images)
    pooled = {id(tensor) for _, tensor, module in results if "Pool" in type(module).__name__}
    best = ""
    for path, tensor, _ in results:
        if path and id(tensor) not in pooled and tensor.shape[2] * tensor.shape[3] > 1:
            best = path
    if not best:
        kind = type(model).__name__
        raise ArgumentError(f"{name}: no module of {kind} gives maps (N, C, h, w) larger than 1x1; name a layer, or ask the pixels: saliency")
    return best


def _results(model: Module, images: np.ndarray) -> list[tuple[str, Tensor, Module]]:
    """Path, result and module of each call whose result is maps; the results are kept, so that their identities stay apart."""
    found: list[tuple[str, Tensor, Module]] = []
    handles = []

    def remember(path: str) -> Any:
        def hook(module: Module, _arguments: Any, result: Any) -> None:
            found.extend((path, tensor, module) for tensor in tensors_in(result) if tensor.ndim == 4)

        return hook

    for path, module in model.named_modules():
        handles.append(module.register_forward_hook(remember(path)))
    try:
        with no_grad():
            model(Tensor(images))
    finally:
        for handle in handles:
            handle.remove()
    return found
