"""Networks, one file a paper, under the names their papers and torchvision give them."""

from .coatnet import *
from .efficientnet import *
from .efficientnet_lite import *
from .lenet import *
from .mnasnet import *
from .mobilenetv1 import *
from .mobilenetv2 import *
from .mobilenetv3 import *
from .registry import get_model, list_models
from .scaling import *
from .shufflenetv1 import *
from .shufflenetv2 import *
