"""What the page sees of a network: samples of a training step, and what the network says of some images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ...autograd import no_grad
from ...nn import Module
from ...tensor import Tensor
from ..comparison import weighted_layers
from ..evaluate import probabilities_of
from ..health import LayerHealth, Measurements, diagnose, layer_healths
from ..probe import StepProbe, rms
from ..run import Run
from .pictures import activation_picture, histogram, weight_picture

GALLERY = 12  # test images on the page
MOST_LAYERS = 60  # drawn; of a deeper network the first and the last ones


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Within the block every module is in evaluation mode; afterwards each is again in the one that it had."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def look(model: Module, current: np.ndarray, gallery: np.ndarray) -> dict[str, Any]:
    """What the network says of the gallery and of one image, and what each layer makes of that image."""
    with evaluating(model), no_grad(), np.errstate(all="ignore"), StepProbe(model) as probe:
        model(Tensor(np.concatenate([current[None], gallery])))
    assert probe.outputs is not None, "a classifier gives a tensor"
    answers = probabilities_of(probe.outputs.astype(np.float64))
    examples = [(name, layer.example) for name, layer in _shown(probe.layers).items() if layer.example is not None]
    activations = {name: {"picture": activation_picture(example), "histogram": histogram(example)} for name, example in examples}
    return {"current": answers[0].tolist(), "answers": answers[1:].tolist(), "activations": activations}


class Sampler:
    """Measures one training step at a time: `begin`, `measure` before the update, `measure_update` after it, `finish`.

    Between `finish` and the next `begin` nothing is attached to the model and nothing is measured.
    """

    def __init__(self, model: Module) -> None:
        self.model = model
        self.active = False
        self._probe = StepProbe(model)
        self._layers: list[LayerHealth] = []
        self._before: dict[str, np.ndarray] = {}
        self._gradients: dict[str, Any] = {}
        self._updates: dict[str, float] = {}

    def begin(self) -> None:
        """Look at the step to come."""
        self.active = True
        self._probe.attach()

    def cancel(self) -> None:
        """Take the hooks off a step that was not finished."""
        self.active = False
        self._probe.detach()

    def measure(self) -> None:
        """The gradients, and the weights before the optimiser changes them."""
        if not self.active:
            return
        self._probe.detach()
        self._layers = layer_healths(self.model, self._probe)
        weights = dict(self._weights())
        self._before = {name: weight.data.copy() for name, weight in weights.items()}
        self._gradients = {
            name: {"picture": weight_picture(weight.grad.data), "histogram": histogram(weight.grad.data)}
            for name, weight in weights.items()
            if weight.grad is not None and name in _shown(self._probe.layers)
        }

    def measure_update(self) -> None:
        """How far the optimiser moved each weight."""
        if self.active:
            self._updates = {name: rms(weight.data - self._before[name]) for name, weight in self._weights() if name in self._before}
            self._before = {}

    def finish(self, run: Run) -> dict[str, Any]:
        """The sample as the page draws it."""
        self.active = False
        weights = dict(self._weights())
        shown = _shown(self._probe.layers)
        layers = [self._with_update(layer) for layer in self._layers]
        drawn = []
        for layer in layers:
            if layer.layer not in shown:
                continue
            step, weight = shown[layer.layer], weights.get(layer.layer)
            entry = {**asdict(layer), "gradient_ratio": layer.gradient_ratio, "update_ratio": layer.update_ratio}
            if weight is not None:
                entry["weight"] = {"picture": weight_picture(weight.data), "histogram": histogram(weight.data)}
                entry["gradient"] = self._gradients.get(layer.layer)
            if step.gradient is not None:
                entry["error"] = activation_picture(step.gradient)
            drawn.append(entry)
        steps = list(self._probe.layers.values())
        seen = Measurements(self.model, layers, steps, self._probe.images, self._probe.outputs, run.losses, run.rates, run.log.epochs)
        return {"layers": drawn, "left_out": len(layers) - len(drawn), "findings": [asdict(finding) for finding in diagnose(seen)]}

    def _with_update(self, layer: LayerHealth) -> LayerHealth:
        return replace(layer, update_rms=self._updates.get(layer.layer))

    def _weights(self) -> list[tuple[str, Tensor]]:
        found = [(name or type(module).__name__, module._parameters["weight"]) for name, module in weighted_layers(self.model)]
        return [(name, weight) for name, weight in found if weight is not None]


def _shown(layers: dict[str, Any]) -> dict[str, Any]:
    """All layers, or the first and the last ones of a deep network."""
    names = list(layers)
    if len(names) > MOST_LAYERS:
        names = names[: MOST_LAYERS // 2] + names[-MOST_LAYERS // 2 :]
    return {name: layers[name] for name in names}
