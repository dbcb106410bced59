"""Operators and networks taken apart, to be looked at rather than run fast."""

from . import views
from .adversarial import attack, fgsm, pgd
from .animate_operator import animate
from .animation import Animation
from .attribution import Attribution, attribute
from .book import Book, book
from .colour_control import match_colours, match_histograms, with_colours_of
from .comparison import compare, compare_pair
from .conventions import conventions
from .deep_features import FeatureNetwork
from .detection_report import detection_report
from .dream import deep_dream, maximise_activation
from .effective_field import effective_receptive_field
from .exercise import exercise
from .explain import explain
from .explanation import Explanation
from .fast_style import stylise, train_fast_style
from .glossary import Glossary, glossary
from .gradient_operator import gradcheck_report
from .gradient_report import GradientReport
from .graph import Call, Graph, Value
from .input_optimisation import InputRun, optimise_image
from .iou_figure import iou_figure
from .layer_memory import layer_memory
from .lecture import lecture
from .measured_memory import measured_peak
from .memory_ledger import memory_ledger
from .metric_sheet import metric_sheet
from .myths import myths
from .operator_costs import cost_of, has_formula
from .overlaps import Overlaps, overlaps
from .quantization import errors_by_layer, quantize
from .receptive_field import receptive_fields
from .recognition_report import recognition_report
from .recording import record_forward
from .region_costs import region_costs
from .report import run_report
from .shape import shape
from .shape_model import model_flow
from .shape_stack import shape_flow
from .size_path import flatten_features, size_path
from .solve import invert_convolution, same_padding_of, solve
from .style_transfer import StyleLoss, reconstruct_content, reconstruct_style, style_transfer
from .summary import summary
from .toeplitz import conv2d_matrix

__all__ = [
    "Animation",
    "Attribution",
    "Book",
    "Call",
    "Explanation",
    "FeatureNetwork",
    "Glossary",
    "GradientReport",
    "Graph",
    "InputRun",
    "Overlaps",
    "StyleLoss",
    "Value",
    "animate",
    "attack",
    "attribute",
    "book",
    "compare",
    "compare_pair",
    "conv2d_matrix",
    "conventions",
    "cost_of",
    "deep_dream",
    "detection_report",
    "effective_receptive_field",
    "errors_by_layer",
    "exercise",
    "explain",
    "fgsm",
    "flatten_features",
    "glossary",
    "gradcheck_report",
    "has_formula",
    "invert_convolution",
    "iou_figure",
    "layer_memory",
    "lecture",
    "match_colours",
    "match_histograms",
    "maximise_activation",
    "measured_peak",
    "memory_ledger",
    "metric_sheet",
    "model_flow",
    "myths",
    "optimise_image",
    "overlaps",
    "pgd",
    "quantize",
    "receptive_fields",
    "recognition_report",
    "reconstruct_content",
    "reconstruct_style",
    "record_forward",
    "region_costs",
    "run_report",
    "same_padding_of",
    "shape",
    "shape_flow",
    "size_path",
    "solve",
    "style_transfer",
    "stylise",
    "summary",
    "train_fast_style",
    "views",
    "with_colours_of",
]
