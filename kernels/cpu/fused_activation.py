"""Activations at the store of another kernel: applied to a run of results while the cache still holds it."""

from ..jit import kernel
from . import special
from .elementwise import whole_vectors
from .scalars import EXACT_ORDER
from .special import like

__all__: list[str] = []

NONE, RELU, RELU6, SILU, HARDSWISH = range(5)
CODES = {None: NONE, "relu": RELU, "relu6": RELU6, "silu": SILU, "hardswish": HARDSWISH}


def ceiling_of(activation, x):
    """The result, in x's type, at which "relu6" ends; zero, where all end, for the others."""
    return x.dtype.type(6 if activation == "relu6" else 0)


@kernel(fastmath=EXACT_ORDER)
def run_activation(y, start, end, activation):
    """y[start:end] through one of the activations behind RELU, in place."""
    whole_vectors()
    zero, six = y.dtype.type(0), y.dtype.type(6)
    if activation == RELU6:
        for i in range(start, end):
            value = zero if y[i] <= zero else y[i]
            y[i] = six if value >= six else value
    elif activation == SILU:
        for i in range(start, end):
            y[i] *= special.sigmoid(y[i])
    else:
        for i in range(start, end):
            y[i] *= special.clamp(y[i] + like(3, y[i]), zero, six) / six
