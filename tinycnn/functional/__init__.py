"""Differentiable operators under torch.nn.functional's names, and torch's tensor functions: one file a family."""

from . import linalg
from .activation import *
from .adaptive_pool import *
from .angles import *
from .batch_norm import *
from .bounds import *
from .channel_dropout import *
from .closeness import *
from .attention import *
from .comparison import *
from .compound import *
from .contraction import *
from .conv import *
from .conv_transpose import *
from .conversion import *
from .counting import *
from .diagonals import *
from .dropout import *
from .elementwise import *
from .embedding import *
from .extremum import *
from .fractional_pool import *
from .global_pool import *
from .grid import *
from .hard_activation import *
from .index import *
from .instance_norm import *
from .joining import *
from .layer_norm import *
from .linear import *
from .linear_units import *
from .loss import *
from .lp_pool import *
from .min_sum_pool import *
from .normalize import *
from .multi_head_attention import *
from .padding import *
from .pool import *
from .product import *
from .rectifiers import *
from .reduction import *
from .resize import *
from .scattering import *
from .shape import *
from .shuffle import *
from .slices import *
from .sorting import *
from .special import *
from .smooth_activation import *
from .softmax import *
from .unary import *
from .unpool import *
from .vector_norm import *
from .unfold import *

# The operators only, not the modules they live in: `dropout` and `linear` name both.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
__all__ += ["linalg"]
