"""Pictures of a training run, drawn with the optional matplotlib, and the report that collects them."""

from .activations import LayerRecord, draw_activations, record_layers
from .canvas import available
from .codes import draw_map, draw_neighbours
from .comparison import draw_bubbles, draw_errors, draw_gradient_flow, draw_layer_transfer
from .confusion import draw_confusion
from .curves import draw_curves, draw_range_test
from .filters import draw_filters
from .images import draw_predictions, draw_wrong
from .precision_recall import draw_precision_recall
from .report import Picture, Report, write_report

__all__ = [
    "LayerRecord",
    "Picture",
    "Report",
    "available",
    "draw_activations",
    "draw_bubbles",
    "draw_confusion",
    "draw_curves",
    "draw_errors",
    "draw_filters",
    "draw_gradient_flow",
    "draw_layer_transfer",
    "draw_map",
    "draw_neighbours",
    "draw_precision_recall",
    "draw_predictions",
    "draw_range_test",
    "draw_wrong",
    "record_layers",
    "write_report",
]
