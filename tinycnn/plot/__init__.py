"""Pictures of a training run, drawn with the optional matplotlib, and the report that collects them."""

from .activations import LayerRecord, draw_activations, record_layers
from .boxes import class_colour, contact_sheet, draw_boxes, draw_detections
from .canvas import available
from .codes import draw_map, draw_neighbours
from .comparison import draw_bubbles, draw_errors, draw_gradient_flow, draw_layer_transfer
from .confusion import draw_confusion
from .curves import draw_curves, draw_range_test
from .detection_curves import draw_detection_curves
from .filters import draw_filters
from .images import draw_predictions, draw_wrong
from .overlay import colour_labels, draw_label_maps, overlay, overlay_instances
from .palettes import CAMVID_32, camvid_palette, instance_palette, palette_for, voc_colour_map
from .pixel_curves import draw_class_scores, draw_pixel_curves
from .precision_recall import draw_precision_recall
from .report import Picture, Report, write_report
from .scenes import draw_scene, scene_frames

__all__ = [
    "CAMVID_32",
    "LayerRecord",
    "Picture",
    "Report",
    "available",
    "camvid_palette",
    "class_colour",
    "colour_labels",
    "contact_sheet",
    "draw_activations",
    "draw_boxes",
    "draw_bubbles",
    "draw_class_scores",
    "draw_confusion",
    "draw_curves",
    "draw_detection_curves",
    "draw_detections",
    "draw_errors",
    "draw_filters",
    "draw_gradient_flow",
    "draw_label_maps",
    "draw_layer_transfer",
    "draw_map",
    "draw_neighbours",
    "draw_pixel_curves",
    "draw_precision_recall",
    "draw_predictions",
    "draw_range_test",
    "draw_scene",
    "draw_wrong",
    "instance_palette",
    "overlay",
    "overlay_instances",
    "palette_for",
    "record_layers",
    "scene_frames",
    "voc_colour_map",
    "write_report",
]
