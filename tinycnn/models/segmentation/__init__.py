"""Networks that name the class of every pixel, one paper a file; their losses, weight map, tiles and instances, one concept a file."""

from .bilinear import *
from .deconvnet import *
from .deeplabv3 import *
from .dense_head import *
from .fcn import *
from .fcn_resnet import *
from .gated_scnn import *
from .instances import *
from .losses import *
from .lraspp import *
from .overlap_tile import *
from .segnet import *
from .unet import *
from .vgg_stages import *
from .weight_map import *

__all__ = [name for name in list(globals()) if not name.startswith("_")]
