"""Annotation formats: Pascal VOC, COCO, YOLO, LabelMe, VIA, LabelBox and RectLabel read into one value, written, converted and checked.

`boxes`: boxes with their format. `values`: what every format becomes. `voc`, `coco`, `yolo`, `labelme`, `via`, `labelbox`: a format each.
`reading`: files and folders, recognised. `convert`: written, with what is lost. `check` and `check_*`: what will silently break.
"""

from .boxes import FORMATS, Box, Boxes, convert_boxes
from .check import Finding, check_annotations
from .coco import from_coco, to_coco
from .convert import TARGETS, convert_annotations, losses, write_annotations
from .labelbox import from_labelbox, from_labelbox_ndjson, to_labelbox_ndjson
from .labelme import from_labelme, to_labelme
from .pictures import PictureFiles
from .reading import FORMS, read_annotations, read_splits
from .values import Annotations, Category, Picture, Thing
from .via import from_via, from_via_csv, to_via, to_via_csv
from .voc import from_voc, to_voc
from .yolo import from_yolo, to_yolo

__all__ = [
    "FORMATS",
    "FORMS",
    "TARGETS",
    "Annotations",
    "Box",
    "Boxes",
    "Category",
    "Finding",
    "Picture",
    "PictureFiles",
    "Thing",
    "check_annotations",
    "convert_annotations",
    "convert_boxes",
    "from_coco",
    "from_labelbox",
    "from_labelbox_ndjson",
    "from_labelme",
    "from_via",
    "from_via_csv",
    "from_voc",
    "from_yolo",
    "losses",
    "read_annotations",
    "read_splits",
    "to_coco",
    "to_labelbox_ndjson",
    "to_labelme",
    "to_via",
    "to_via_csv",
    "to_voc",
    "to_yolo",
    "write_annotations",
]
