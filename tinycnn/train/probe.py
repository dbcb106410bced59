"""A probe on one training step: what each layer gave out, what gradient reached it, how long both took.

Forward is seen through hooks. Backward is seen by wrapping the function that each recorded node calls; arrays and their order stay what
they were, so a step has the same bits with and without the probe.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd import Backward, Node
from ..nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, FrozenBatchNorm2d, Module, ReLU
from ..tensor import Tensor
from .branches import main_output

BATCH_NORMS = (BatchNorm1d, BatchNorm2d, BatchNorm3d, FrozenBatchNorm2d)
SETTLED = 100  # batches after which running statistics of the usual momentum 0.1 have forgotten where they began


@dataclass(frozen=True)
class Drift:
    """How far a batch is from the statistics that a batch normalisation keeps."""

    shift: float  # |batch mean - running mean| / running deviation, median of the channels
    spread: float  # batch variance / running variance, median of the channels
    frozen: bool  # whether the layer already normalises by the running statistics


@dataclass
class LayerStep:
    """One layer in one step; of a layer that runs several times the last values and all the time."""

    name: str
    kind: str
    module: Module
    shape: tuple[int, ...] = ()  # of the output, without the batch axis
    forward_ms: float = 0.0
    backward_ms: float = 0.0
    mean: float = 0.0  # of the output
    deviation: float = 0.0
    dead: float | None = None  # share of the units that are zero for the whole batch, where the layer is a ReLU
    example: np.ndarray | None = None  # output for the first image
    gradient: np.ndarray | None = None  # d loss / d output, for the first image
    gradient_rms: float | None = None  # of d loss / d output over the batch
    drift: Drift | None = None


def is_layer(module: Module) -> bool:
    """Whether a module is shown as one: it has parameters of its own, or no children."""
    return bool(module._parameters) or not any(True for _ in module.children())


def kind_of(module: Module) -> str:
    """The module's class, and the activation that it applies at the store."""
    activation = getattr(module, "activation", None)
    names = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "hardswish": "Hardswish"}
    return type(module).__name__ + (f" + {names.get(activation, activation)}" if isinstance(activation, str) else "")


def rms(array: np.ndarray) -> float:
    """Root of the mean square, in float64."""
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0


class StepProbe:
    """Hooks on every layer of a model, from `attach` to `detach`.

    Parameters
    ----------
    model : Module
        Its next forward and backward pass are looked at.

    Attributes
    ----------
    layers : dict of str to LayerStep
        By name, in the order in which they ran.
    images, outputs : ndarray or None
        What went into the model and what came out.

    Examples
    --------
    >>> from tinycnn import nn
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> with StepProbe(model) as probe:
    ...     model(Tensor(np.ones((4, 3), np.float32))).sum().backward()
    >>> [(layer.name, layer.kind, layer.shape) for layer in probe.layers.values()]
    [('0', 'Linear', (2,)), ('1', 'ReLU', (2,))]
    """

    def __init__(self, model: Module) -> None:
        self.model = model
        self.layers: dict[str, LayerStep] = {}
        self.images: np.ndarray | None = None
        self.outputs: np.ndarray | None = None
        self._handles: list[Any] = []
        self._begun: dict[str, float] = {}

    def attach(self) -> None:
        """Begin to look; what was seen before is forgotten."""
        self.detach()
        self.layers, self.images, self.outputs = {}, None, None
        for name, module in self.model.named_modules():
            if is_layer(module):
                self._watch(name or type(module).__name__, module)
        self._handles.append(self.model.register_forward_hook(self._see_model))

    def detach(self) -> None:
        """Take all hooks off again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> StepProbe:
        self.attach()
        return self

    def __exit__(self, *_: object) -> None:
        self.detach()

    def _see_model(self, model: Module, inputs: tuple[Any, ...], output: Any) -> None:
        first, answer = inputs[0], main_output(output)
        self.images = first.data if isinstance(first, Tensor) else None
        self.outputs = answer.data if isinstance(answer, Tensor) else None

    def _watch(self, name: str, module: Module) -> None:
        def before(layer: Module, inputs: tuple[Any, ...]) -> None:
            self._begun[name] = time.perf_counter()

        def after(layer: Module, inputs: tuple[Any, ...], output: Any) -> None:
            elapsed = 1000 * (time.perf_counter() - self._begun[name])
            if isinstance(output, Tensor):
                seen = self.layers.setdefault(name, LayerStep(name, kind_of(layer), layer))
                seen.forward_ms += elapsed
                _note_output(seen, output.data)
                if isinstance(layer, BATCH_NORMS) and inputs and isinstance(inputs[0], Tensor):
                    seen.drift = _drift(layer, inputs[0].data)
                _watch_backward(seen, output, inputs)

        self._handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]


def _note_output(seen: LayerStep, output: np.ndarray) -> None:
    seen.shape = output.shape[1:]
    seen.mean, seen.deviation = float(output.mean(dtype=np.float64)), float(output.std(dtype=np.float64))
    seen.example = np.array(output[0])
    rectifies = isinstance(seen.module, ReLU) or getattr(seen.module, "activation", None) == "relu"
    if rectifies and output.ndim >= 2:
        seen.dead = float(np.mean(output.max(axis=(0, *range(2, output.ndim))) <= 0))


def _drift(layer: Any, entered: np.ndarray) -> Drift | None:
    """What came in, against the running statistics; None while these still remember where they began."""
    if layer.running_mean is None or entered.ndim < 2:
        return None
    frozen = isinstance(layer, FrozenBatchNorm2d) or not layer.training
    if not frozen and int(layer.num_batches_tracked.data) < SETTLED:
        return None
    axes = (0, *range(2, entered.ndim))
    mean, variance = entered.mean(axes, dtype=np.float64), entered.var(axes, dtype=np.float64)
    kept = layer.running_var.data.astype(np.float64) + layer.eps
    shift = np.median(np.abs(mean - layer.running_mean.data) / np.sqrt(kept))
    return Drift(float(shift), float(np.median((variance + layer.eps) / kept)), frozen)


def _watch_backward(seen: LayerStep, output: Tensor, inputs: tuple[Any, ...]) -> None:
    """Wrap the backward functions of the nodes that lie between a layer's inputs and its output."""
    outside = {id(tensor._node) for tensor in inputs if isinstance(tensor, Tensor)}
    waiting = [output._node]
    visited: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node.backward is None or id(node) in outside or id(node) in visited:
            continue
        visited.add(id(node))
        node.backward = _timed(node, node.backward, seen, node is output._node)
        waiting += [tensor._node for tensor in node.inputs if tensor is not None]


def _timed(node: Node, backward: Backward, seen: LayerStep, last: bool) -> Backward:
    def timed(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        if last:
            seen.gradient, seen.gradient_rms = np.array(grad[0]) if grad.ndim else None, rms(grad)
        begun = time.perf_counter()
        result = backward(grad, needs)
        seen.backward_ms += 1000 * (time.perf_counter() - begun)
        return result

    return timed
