"""A network in integers, as a module: floats in, floats out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...nn import Module
from ...tensor import Tensor
from .affine import Affine
from .layers import IntegerLayer
from .program import Program, Slot

__all__ = ["QuantizedNetwork"]


class QuantizedNetwork(Module):
    """What `quantize` makes: integer layers, the scales of the values between them, and the float program they came from.

    Shapes
    ------
    As the network it was made from; any number of images.

    Parameters
    ----------
    name : str
        Of the network.
    program : Program
        The same in floats, normalisations folded.
    layers : list of IntegerLayer
        In order.
    affines : dict
        How the integers of each slot stand for numbers.
    float_bytes : int
        The memory of the original's parameters and buffers.
    options : dict
        What `quantize` was asked for.
    """

    def __init__(
        self, name: str, program: Program, layers: list[IntegerLayer], affines: dict[Slot, Affine], float_bytes: int, options: dict[str, Any]
    ) -> None:
        super().__init__()
        self.name, self.program, self.layers = name, program, layers
        self.affines, self.float_bytes, self.options = affines, float_bytes, options
        self._last_use = {slot: place for place, layer in enumerate(layers) for slot in layer.inputs}

    @property
    def nbytes(self) -> int:
        """The memory of all weights, biases, factors and tables."""
        return sum(array.nbytes for layer in self.layers for array in layer.kept)

    @property
    def forms(self) -> dict[str, int]:
        """How many steps there are of each form: int8, table, move, float."""
        return dict(Counter(layer.form for layer in self.layers))

    def forward(self, input: Any) -> Tensor:
        """The network's result, from integers."""
        images = np.ascontiguousarray(input.data if isinstance(input, Tensor) else input, np.float32)
        return Tensor(self.affines[self.program.output].dequantize(self.integers(images)))

    def integers(self, images: np.ndarray, watch: Callable[[Slot, np.ndarray], None] | None = None) -> np.ndarray:
        """The integers of the result; `watch` is shown those of every value on the way."""
        wanted = self.program.shapes[self.program.input][1:]
        if images.shape[1:] != wanted:
            raise ShapeError(f"{self.name} in integers takes images of shape (N, {', '.join(map(str, wanted))}), as calibrated, not {images.shape}")
        values = {self.program.input: self.affines[self.program.input].quantize(images)}
        for place, layer in enumerate(self.layers):
            for slot, result in zip(layer.outputs, layer.run([values[slot] for slot in layer.inputs]), strict=True):
                values[slot] = result
                if watch is not None:
                    watch(slot, result)
            for slot in layer.inputs:
                if self._last_use[slot] == place and slot != self.program.output:
                    values.pop(slot, None)
        return values[self.program.output]

    def extra_repr(self) -> str:
        """Forms and memory."""
        return f"{self.name}, {', '.join(f'{count} {form}' for form, count in self.forms.items())}, {self.nbytes:,} bytes for {self.float_bytes:,}"
