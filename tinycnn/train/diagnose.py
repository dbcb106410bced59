"""Where a NaN or an infinity came from: the batch is run again and every layer is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..nn import Module
from ..tensor import Tensor
from .evaluate import LossFunction

LARGE_INPUT = 30.0  # pixels scaled to unit variance stay far below this
LARGE_OUTPUT = 1e4  # activations of a net that learns stay below this


@dataclass(frozen=True)
class NonFinite:
    """The first place with a value that is not a number, and why it probably appeared."""

    layer: str  # a module's name, "the images", or "the loss"
    what: str  # "input", "parameter NAME", "output", "gradient of NAME" or "loss"
    reason: str

    def __str__(self) -> str:
        place = self.layer if self.what in ("input", "loss") else f"layer {self.layer} ({self.what})"
        return f"the first NaN or infinity is in {place}: {self.reason}"


def watch_outputs(model: Module, images: Tensor, see: Callable[[str, Module, np.ndarray], None]) -> Tensor:
    """Run a model and call `see(name, module, output)` after every module without children, in the order they run.

    Returns the model's output. The hooks are taken off again whatever happens.
    """
    handles: list[Any] = []

    def watch(name: str, module: Module) -> None:
        def hook(layer: Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                see(name, layer, output.data)

        handles.append(module.register_forward_hook(hook))

    for name, module in model.named_modules():
        if not list(module.children()):
            watch(name or type(module).__name__, module)
    try:
        return model(images)
    finally:
        for handle in handles:
            handle.remove()


def locate_non_finite(model: Module, images: Tensor, labels: Tensor, loss_function: LossFunction) -> NonFinite | None:
    """Run the batch again and name the first layer with a NaN or an infinity, in the order in which the layers run.

    Parameters
    ----------
    model, images, labels, loss_function
        As in the step whose loss was not finite.

    Returns
    -------
    NonFinite or None
        None when everything is finite this time: dropout drew other units.
    """
    if not _finite(images.data):
        return NonFinite("the images", "input", "the data itself holds it; look at the files and at the normalisation")
    largest_input = float(np.abs(images.data).max(initial=0.0))
    found: list[NonFinite] = []
    largest_so_far = largest_input

    def see(name: str, module: Module, output: np.ndarray) -> None:
        nonlocal largest_so_far
        if found:
            return
        for parameter_name, parameter in module.named_parameters():
            if not _finite(parameter.data):
                found.append(NonFinite(name, f"parameter {parameter_name}", _why_parameter(largest_input)))
                return
        if not _finite(output):
            found.append(NonFinite(name, "output", _why_output(module, largest_input, largest_so_far)))
            return
        largest_so_far = max(largest_so_far, float(np.abs(output).max(initial=0.0)))

    with no_grad(), np.errstate(all="ignore"):
        logits = watch_outputs(model, images, see)
        loss = float(loss_function(logits, labels).item())
    if found:
        return found[0]
    if not np.isfinite(loss):
        return NonFinite("the loss", "loss", _why_loss(logits.data))
    return _first_bad_gradient(model)


def _finite(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all())


def _first_bad_gradient(model: Module) -> NonFinite | None:
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not _finite(parameter.grad.data):
            layer, _, own_name = name.rpartition(".")
            reason = "the backward pass overflowed; lower the learning rate or the loss's scale"
            return NonFinite(layer or type(model).__name__, f"gradient of {own_name}", reason)
    return None


def _why_parameter(largest_input: float) -> str:
    if largest_input > LARGE_INPUT:
        return _unscaled(largest_input)
    return "the last update threw the weights off: the learning rate is too high; try a tenth of it"


def _why_output(module: Module, largest_input: float, largest_so_far: float) -> str:
    if largest_input > LARGE_INPUT:
        return _unscaled(largest_input)
    if largest_so_far > LARGE_OUTPUT:
        return (
            f"the layers before it already gave values up to {largest_so_far:.3g}: the learning rate is too high; "
            "try a tenth of it"
        )
    return f"{type(module).__name__} made it of finite values: a logarithm of 0, a division by 0 or an overflow"


def _why_loss(logits: np.ndarray) -> str:
    if logits.ndim == 2 and (logits >= 0).all() and np.allclose(logits.sum(1), 1.0, atol=1e-3):
        return "the loss took the logarithm of a probability that is 0; give the loss logits, without a softmax"
    return "the outputs are finite and the loss is not: a logarithm of 0 or an overflow inside the loss function"


def _unscaled(largest: float) -> str:
    return (
        f"the images hold values up to {largest:.3g} and are not scaled; divide by 255 and normalise them "
        "(a mean near 0, a standard deviation near 1)"
    )
