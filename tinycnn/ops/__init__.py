"""Detection's operators under torchvision.ops' names: boxes, suppression, regions, deformable convolution, regularisers, and their layers."""

from .blocks import *
from .boxes import *
from .deform_conv import *
from .feature_pyramid import *
from .layers import *
from .losses import *
from .nms import *
from .overlaps import *
from .regularisation import *
from .roi import *

# The operators and layers only, not the modules they live in: `nms` names both.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
