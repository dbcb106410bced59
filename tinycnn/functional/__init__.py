"""Differentiable operators under torch.nn.functional's names, and torch's tensor functions: one file a family."""

from .activation import *
from .adaptive_pool import *
from .batch_norm import *
from .bounds import *
from .channel_dropout import *
from .comparison import *
from .conv import *
from .conversion import *
from .dropout import *
from .elementwise import *
from .extremum import *
from .fractional_pool import *
from .global_pool import *
from .grid import *
from .index import *
from .instance_norm import *
from .joining import *
from .layer_norm import *
from .linear import *
from .loss import *
from .lp_pool import *
from .min_sum_pool import *
from .normalize import *
from .padding import *
from .pool import *
from .product import *
from .reduction import *
from .resize import *
from .shape import *
from .shuffle import *
from .unary import *
from .unpool import *
from .vector_norm import *

# The operators only, not the modules they live in: `dropout` and `linear` name both.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
