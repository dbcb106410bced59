"""Operators and networks taken apart, to be looked at rather than run fast."""

from .comparison import compare, compare_pair
from .conventions import conventions
from .effective_field import effective_receptive_field
from .explain import explain
from .explanation import Explanation
from .graph import Call, Graph, Value
from .layer_memory import layer_memory
from .lecture import lecture
from .measured_memory import measured_peak
from .memory_ledger import memory_ledger
from .operator_costs import cost_of, has_formula
from .receptive_field import receptive_fields
from .recording import record_forward
from .shape import shape
from .shape_model import model_flow
from .shape_stack import shape_flow
from .size_path import flatten_features, size_path
from .solve import invert_convolution, same_padding_of, solve
from .summary import summary
from .toeplitz import conv2d_matrix

__all__ = [
    "Call",
    "Explanation",
    "Graph",
    "Value",
    "compare",
    "compare_pair",
    "conv2d_matrix",
    "conventions",
    "cost_of",
    "effective_receptive_field",
    "explain",
    "flatten_features",
    "has_formula",
    "invert_convolution",
    "layer_memory",
    "lecture",
    "measured_peak",
    "memory_ledger",
    "model_flow",
    "receptive_fields",
    "record_forward",
    "same_padding_of",
    "shape",
    "shape_flow",
    "size_path",
    "solve",
    "summary",
]
