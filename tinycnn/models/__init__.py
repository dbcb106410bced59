"""Networks, one file a paper, under the names their papers and torchvision give them."""

from ..weights.matching import load_weights
from . import detection, metric, restoration, segmentation, text
from .alexnet import *
from .cbam import *
from .clips import *
from .coatnet import *
from .darknet import *
from .densenet import *
from .efficientnet import *
from .efficientnet_lite import *
from .fast_style import *
from .googlenet import *
from .inception_resnet import *
from .inception_v2 import *
from .inception_v3 import *
from .inception_v4 import *
from .lenet import *
from .mnasnet import *
from .mobilenetv1 import *
from .mobilenetv2 import *
from .mobilenetv3 import *
from .nin import *
from .preactivation_resnet import *
from .registry import get_model, input_size, list_models
from .residual_blocks import *
from .resnet import *
from .resnet_cifar import *
from .resnext import *
from .scaling import *
from .senet import *
from .shufflenetv1 import *
from .shufflenetv2 import *
from .squeezenet import *
from .vgg import *
from .wide_resnet import *
from .xception import *
from .zfnet import *
