"""Layers and networks under torch.nn's names: each layer is a constructor and one call to `tinycnn.functional`."""

from .. import functional
from . import init, utils
from .activation import *
from .adaptive_pooling import *
from .attention import *
from .collections import *
from .container import *
from .conv import *
from .dropout import *
from .embedding import *
from .fold import *
from .freezing import *
from .fusion import *
from .hard_activation import *
from .linear import *
from .linear_units import *
from .loss import *
from .metric_loss import *
from .module import *
from .norm import *
from .padding import *
from .parameter import *
from .pooling import *
from .rectifiers import *
from .resize import *
from .unpooling import *

# The layers only, not the modules they live in: `activation` and `linear` are among the names too.
__all__ = [name for name, value in list(globals().items()) if not name.startswith("_") and callable(value)]
__all__ += ["functional", "init", "utils"]
