"""Pictures of a training run, drawn with the optional matplotlib, and the report that collects them."""

from .activations import LayerRecord, draw_activations, record_layers
from .canvas import available
from .confusion import draw_confusion
from .curves import draw_curves
from .filters import draw_filters
from .images import draw_predictions, draw_wrong
from .report import Picture, Report, write_report

__all__ = [
    "LayerRecord",
    "Picture",
    "Report",
    "available",
    "draw_activations",
    "draw_confusion",
    "draw_curves",
    "draw_filters",
    "draw_predictions",
    "draw_wrong",
    "record_layers",
    "write_report",
]
