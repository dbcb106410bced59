"""Detectors under torchvision's names, one paper a file; the parts they are made of, one concept a file; their losses in one."""

from .anchor_conventions import *
from .anchors import *
from .backbones import *
from .box_coder import *
from .box_head import *
from .default_boxes import *
from .fast_rcnn import *
from .faster_rcnn import *
from .fcos import *
from .felzenszwalb import *
from .foveabox import *
from .generalized_rcnn import *
from .hard_negatives import *
from .keypoint_head import *
from .keypoint_rcnn import *
from .localisation import *
from .losses import *
from .mask_head import *
from .mask_rcnn import *
from .masks import *
from .matching import *
from .mini_detectors import *
from .nvidia_ssd import *
from .pixel_rule import *
from .pooling_pyramid import *
from .rcnn import *
from .region_similarity import *
from .retinanet import *
from .ridge_box_regression import *
from .roi_heads import *
from .rpn import *
from .sampling import *
from .scale_chips import *
from .scale_sampling import *
from .selective_search import *
from .sliding_window import *
from .soft_suppression import *
from .ssd import *
from .ssdlite import *
from .transform import *

__all__ = [name for name in list(globals()) if not name.startswith("_")]
