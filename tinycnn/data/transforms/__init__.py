"""Changes to images before a network sees them, under torchvision's names.

`image`: the forms of an image, cropping, mirroring, scaling, normalising. `erasing`: rectangles taken out. `colour`: brightness, contrast,
saturation, hue, channels. `warp`: rotation, affine maps, elastic deformation. `mixing`: two images and their labels become one, a batch at a time.
`joint`, `joint_crop`, `joint_turn`, `joint_warp`, `joint_elastic`: image, boxes, masks, keypoints and label map moved together.
"""

from .colour import ColorJitter, RandomChannelPermutation, RandomInvert
from .erasing import Cutout, RandomErasing
from .image import (
    CenterCrop,
    Compose,
    Generators,
    Grayscale,
    Normalize,
    RandomCrop,
    RandomHorizontalFlip,
    Resize,
    ToTensor,
    Transform,
)
from .joint import (
    ImageOnly,
    JointCompose,
    JointHorizontalFlip,
    JointResize,
    JointTransform,
    JointVerticalFlip,
    boxes_of_masks,
)
from .joint_crop import JointIoUCrop, JointPad, JointRandomCrop, JointZoomOut
from .joint_elastic import JointElastic
from .joint_turn import JointQuarterTurns
from .joint_warp import JointAffine, JointScale, mosaic
from .mixing import BatchTransform, CutMix, MixUp, RandomChoice
from .warp import ElasticTransform, RandomAffine, RandomRotation

__all__ = [
    "BatchTransform",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "CutMix",
    "Cutout",
    "ElasticTransform",
    "Generators",
    "Grayscale",
    "ImageOnly",
    "JointAffine",
    "JointCompose",
    "JointElastic",
    "JointHorizontalFlip",
    "JointIoUCrop",
    "JointPad",
    "JointQuarterTurns",
    "JointRandomCrop",
    "JointResize",
    "JointScale",
    "JointTransform",
    "JointVerticalFlip",
    "JointZoomOut",
    "MixUp",
    "Normalize",
    "RandomAffine",
    "RandomChannelPermutation",
    "RandomChoice",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomRotation",
    "Resize",
    "ToTensor",
    "Transform",
    "boxes_of_masks",
    "mosaic",
]
