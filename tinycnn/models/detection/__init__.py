"""Detectors under torchvision's names, one paper a file; the parts they are made of, one concept a file; their losses in one."""

from .anchor_clustering import *
from .anchors import *
from .backbones import *
from .box_coder import *
from .box_head import *
from .darknet_cfg import *
from .darknet_heads import *
from .default_boxes import *
from .faster_rcnn import *
from .fcos import *
from .generalized_rcnn import *
from .keypoint_head import *
from .keypoint_rcnn import *
from .losses import *
from .mask_head import *
from .mask_rcnn import *
from .masks import *
from .matching import *
from .retinanet import *
from .roi_heads import *
from .rpn import *
from .sampling import *
from .ssd import *
from .ssdlite import *
from .transform import *
from .word_tree import *
from .yolo_grid import *
from .yolo_v1 import *
from .yolo_v1_loss import *
from .yolo_v2 import *
from .yolo_v2_loss import *
from .yolo_v3 import *
from .yolo_v3_loss import *

__all__ = [name for name in list(globals()) if not name.startswith("_")]
