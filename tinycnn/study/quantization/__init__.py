"""A trained network in eight-bit integers: heard, folded, calibrated, converted, and compared with itself layer by layer."""

from .affine import Affine, affine_of_range, affine_of_weight, fixed_point
from .calibration import CALIBRATIONS, Histogram
from .convert import quantize
from .errors_by_layer import LayerError, errors_by_layer
from .folding import folded
from .network import QuantizedNetwork
from .page import quantization_page
from .program import Program, Slot, Step, trace

__all__ = [
    "CALIBRATIONS",
    "Affine",
    "Histogram",
    "LayerError",
    "Program",
    "QuantizedNetwork",
    "Slot",
    "Step",
    "affine_of_range",
    "affine_of_weight",
    "errors_by_layer",
    "fixed_point",
    "folded",
    "quantization_page",
    "quantize",
    "trace",
]
