"""tinycnn: the convolutional-network engine you can read, check and step through."""

import numpy as _numpy

from . import errors, functional, kernels, nn, ops, optim, random
from ._version import __version__
from .autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .creation import *
from .functional import *
from .gradcheck import GradcheckReport, gradcheck
from .kernels import use as use_kernels
from .kernels.memory import empty_cache
from .kernels.threads import get_num_threads, set_num_threads
from .random import manual_seed
from .tensor import Tensor

float32 = _numpy.float32
float64 = _numpy.float64
int32 = _numpy.int32
int64 = _numpy.int64
uint8 = _numpy.uint8
bool = _numpy.bool_


def __getattr__(name: str) -> object:
    """`load`, `save` and the parts that few programs need are imported when they are first asked for, so that `import tinycnn` is quick."""
    from importlib import import_module

    if name in ("load", "save"):
        return getattr(import_module(".weights", __name__), name)
    if name in ("data", "metrics", "models", "plot", "study", "train", "weights"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
