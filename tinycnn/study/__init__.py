"""Operators and networks taken apart, to be looked at rather than run fast."""

from . import views
from .animate_operator import animate
from .animation import Animation
from .book import Book, book
from .comparison import compare, compare_pair
from .conventions import conventions
from .detection_report import detection_report
from .effective_field import effective_receptive_field
from .exercise import exercise
from .explain import explain
from .explanation import Explanation
from .glossary import Glossary, glossary
from .gradient_operator import gradcheck_report
from .gradient_report import GradientReport
from .graph import Call, Graph, Value
from .iou_figure import iou_figure
from .layer_memory import layer_memory
from .lecture import lecture
from .measured_memory import measured_peak
from .memory_ledger import memory_ledger
from .metric_sheet import metric_sheet
from .myths import myths
from .operator_costs import cost_of, has_formula
from .overlaps import Overlaps, overlaps
from .receptive_field import receptive_fields
from .recording import record_forward
from .region_costs import region_costs
from .shape import shape
from .shape_model import model_flow
from .shape_stack import shape_flow
from .size_path import flatten_features, size_path
from .solve import invert_convolution, same_padding_of, solve
from .summary import summary
from .toeplitz import conv2d_matrix

__all__ = [
    "Animation",
    "Book",
    "Call",
    "Explanation",
    "Glossary",
    "GradientReport",
    "Graph",
    "Overlaps",
    "Value",
    "animate",
    "book",
    "compare",
    "compare_pair",
    "conv2d_matrix",
    "conventions",
    "cost_of",
    "detection_report",
    "effective_receptive_field",
    "exercise",
    "explain",
    "flatten_features",
    "glossary",
    "gradcheck_report",
    "has_formula",
    "invert_convolution",
    "iou_figure",
    "layer_memory",
    "lecture",
    "measured_peak",
    "memory_ledger",
    "metric_sheet",
    "model_flow",
    "myths",
    "overlaps",
    "receptive_fields",
    "record_forward",
    "region_costs",
    "same_padding_of",
    "shape",
    "shape_flow",
    "size_path",
    "solve",
    "summary",
    "views",
]
