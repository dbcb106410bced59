"""Networks, one file a paper, under the names their papers and torchvision give them."""

from ..weights.matching import load_weights
from .lenet import *
from .registry import get_model, list_models
