"""Operators and networks taken apart, to be looked at rather than run fast."""

from .comparison import compare, compare_pair
from .effective_field import effective_receptive_field
from .explain import explain
from .explanation import Explanation
from .graph import Call, Graph, Value
from .layer_memory import layer_memory
from .measured_memory import measured_peak
from .memory_ledger import memory_ledger
from .operator_costs import cost_of, has_formula
from .receptive_field import receptive_fields
from .recording import record_forward
from .size_path import flatten_features, size_path
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
    "cost_of",
    "effective_receptive_field",
    "explain",
    "flatten_features",
    "has_formula",
    "layer_memory",
    "measured_peak",
    "memory_ledger",
    "receptive_fields",
    "record_forward",
    "size_path",
    "summary",
]
