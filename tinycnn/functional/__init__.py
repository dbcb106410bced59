"""Differentiable operators under torch.nn.functional's names, and torch's tensor functions: one file a family."""

from .activation import *
from .angular_loss import *
from .binary_loss import *
from .classification_loss import *
from .comparison import *
from .conv import *
from .conversion import *
from .dropout import *
from .elementwise import *
from .extremum import *
from .index import *
from .joining import *
from .likelihood_loss import *
from .linear import *
from .margin_loss import *
from .metric_loss import *
from .padding import *
from .pool import *
from .product import *
from .reduction import *
from .regression_loss import *
from .segmentation_loss import *
from .shape import *
from .style_loss import *
from .triplet_mining import *
from .unary import *

# The operators only, not the modules they live in: `dropout` and `linear` name both.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
