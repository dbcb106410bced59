"""tinycnn: the convolutional-network engine you can read, check and step through."""
# TEMPORARY while the packages are being written (integrator replaces it): import what exists.
import importlib as _importlib
import pathlib as _pathlib

import numpy as _numpy

from . import errors, functional, kernels, random
from .autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .functional import *
from .gradcheck import GradcheckReport, gradcheck
from .kernels import use as use_kernels
from .kernels.memory import empty_cache
from .kernels.threads import get_num_threads, set_num_threads
from .random import manual_seed
from .tensor import Tensor

globals().update({_k: _v for _k, _v in vars(functional).items() if not _k.startswith("_") and callable(_v)})
_here = _pathlib.Path(__file__).parent
if (_here / "creation.py").exists():
    _m = _importlib.import_module(".creation", __name__)
    globals().update({_n: getattr(_m, _n) for _n in _m.__all__})
for _p in ("nn", "optim"):
    if (_here / _p / "__init__.py").exists():
        _importlib.import_module("." + _p, __name__)

__version__ = "0.1.0"

float32 = _numpy.float32
float64 = _numpy.float64
int32 = _numpy.int32
int64 = _numpy.int64
uint8 = _numpy.uint8
bool = _numpy.bool_
