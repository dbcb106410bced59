"""Differentiable operators under torch.nn.functional's names, and torch's tensor functions: one file a family."""

from .activation import *
from .comparison import *
from .conv import *
from .conv_transpose import *
from .conversion import *
from .dropout import *
from .elementwise import *
from .extremum import *
from .index import *
from .joining import *
from .linear import *
from .loss import *
from .padding import *
from .pool import *
from .product import *
from .reduction import *
from .shape import *
from .unary import *
from .unfold import *

# The operators only, not the modules they live in: `dropout` and `linear` name both.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
