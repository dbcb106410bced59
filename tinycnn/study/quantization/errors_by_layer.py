"""Where a network in integers differs from the one in floats: layer by layer, each alone and all so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...tensor import Tensor
from ..tables import text_table
from .layers import Weighted
from .network import QuantizedNetwork
from .program import Slot

__all__ = ["LayerError", "decibels", "error_table", "errors_by_layer"]


@dataclass(frozen=True)
class LayerError:
    """One layer: its form, the range of its result, and how far the integers are from the floats."""

    name: str
    operator: str
    form: str
    shape: tuple[int, ...]  # of one image's result
    weight_bytes: int
    least: float  # of the floats
    largest: float
    scale: float  # of the result: half of it is the rounding error that cannot be avoided
    zero: int
    clipped: float  # share of the floats outside what the integers hold
    alone: float  # dB, with the inputs of the float network
    so_far: float  # dB, with the integers of all layers before

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def decibels(true: np.ndarray, found: np.ndarray) -> float:
    """Signal to quantisation noise, 10 log10(sum true^2 / sum (true - found)^2); 6 dB are one bit.

    Examples
    --------
    >>> round(decibels(np.array([1.0, 1.0]), np.array([1.0, 0.9])), 2)
    23.01
    """
    signal = float((np.asarray(true, np.float64) ** 2).sum())
    noise = float(((np.asarray(true, np.float64) - found) ** 2).sum())
    if not noise:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def errors_by_layer(network: QuantizedNetwork, images: Any) -> list[LayerError]:
    """Run both networks on the same images and compare every value between layers.

    Parameters
    ----------
    network : QuantizedNetwork
    images : Tensor or ndarray
        Some dozen; all values are kept meanwhile.

    Returns
    -------
    list of LayerError
        In order, without the steps that only move numbers.

    Raises
    ------
    ShapeError
        For images of another size.

    Examples
    --------
    >>> from tinycnn import models
    >>> from tinycnn.study.quantization import quantize
    >>> images = np.random.default_rng(0).random((4, 1, 28, 28), np.float32)
    >>> [row.name for row in errors_by_layer(quantize(models.lenet5(), images), images)]
    ['conv1', 'pool1', 'conv2', 'pool2', 'fc1', 'fc2', 'fc3']
    """
    pixels = np.ascontiguousarray(images.data if isinstance(images, Tensor) else images, np.float32)
    integers: dict[Slot, np.ndarray] = {}
    network.integers(pixels, integers.__setitem__)
    floats: dict[Slot, np.ndarray] = {}
    network.program.run(pixels, floats.__setitem__)
    rows = []
    for layer in network.layers:
        if layer.form == "move":
            continue
        slot = layer.outputs[0]
        own, true = network.affines[slot], floats[slot]
        alone = layer.run([network.affines[source].quantize(np.ascontiguousarray(floats[source])) for source in layer.inputs])[0]
        low, high = own.range
        rows.append(
            LayerError(
                layer.name,
                layer.operator,
                layer.form,
                true.shape[1:],
                layer.weight.nbytes if isinstance(layer, Weighted) else 0,
                float(true.min()),
                float(true.max()),
                own.scale,
                own.zero,
                float(np.mean((true < low - own.scale / 2) | (true > high + own.scale / 2))),
                decibels(true, own.dequantize(alone, np.float64)),
                decibels(true, own.dequantize(integers[slot], np.float64)),
            )
        )
    return rows


def error_table(rows: Sequence[LayerError]) -> str:
    """A line a layer."""
    header = ["layer", "operator", "form", "result", "weights", "from", "to", "step", "zero", "clipped", "alone", "so far"]
    return text_table(header, [error_cells(row) for row in rows], (0, 1, 2))


def error_cells(row: LayerError) -> list[str]:
    """The row as text."""
    weights = f"{row.weight_bytes:,} B" if row.weight_bytes else ""
    ranges = [f"{row.least:.3g}", f"{row.largest:.3g}", f"{row.scale:.3g}", str(row.zero)]
    noise = [f"{value:.1f} dB" if math.isfinite(value) else "exact" if value > 0 else "lost" for value in (row.alone, row.so_far)]
    return [row.name, row.operator, row.form, "x".join(map(str, row.shape)), weights, *ranges, f"{100 * row.clipped:.2f} %", *noise]
