"""Differentiable operators under torch.nn.functional's names, and torch's tensor functions: one file a family."""

from .activation import *
from .attention import *
from .comparison import *
from .conv import *
from .conversion import *
from .dropout import *
from .elementwise import *
from .embedding import *
from .extremum import *
from .hard_activation import *
from .index import *
from .joining import *
from .linear import *
from .linear_units import *
from .loss import *
from .multi_head_attention import *
from .padding import *
from .pool import *
from .product import *
from .rectifiers import *
from .reduction import *
from .shape import *
from .smooth_activation import *
from .softmax import *
from .unary import *

# The operators only, not the modules they live in: `dropout` and `linear` name both.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
