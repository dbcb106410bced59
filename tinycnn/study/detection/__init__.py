"""The steps of a detector, one to a file, each shown on an image with the numbers that the operators gave."""

from .anchors import anchor_view, detector_anchors
from .candidates import candidates, network_decode_view, network_nms_view
from .decode import decode_view, decode_yolo
from .heat import heat_view
from .matching import matching_view
from .nms_steps import nms_view
from .roi_samples import roi_align_view
from .view import DetectionView

__all__ = [
    "DetectionView",
    "anchor_view",
    "candidates",
    "decode_view",
    "decode_yolo",
    "detector_anchors",
    "heat_view",
    "matching_view",
    "network_decode_view",
    "network_nms_view",
    "nms_view",
    "roi_align_view",
]
