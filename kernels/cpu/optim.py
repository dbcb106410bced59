"""One step of each optimiser over all parameters of a group in one kernel call: the fast twins of reference/optim.py.

The kernels read tables of addresses (kernels/tables.py), so they are compiled once for each element type, whatever
the network. The work is cut into chunks of neighbouring elements; large groups share them among the threads. Every
element is computed by itself, so no sum depends on the order.

Each optimiser is four functions: the arithmetic on one chunk, the walk over all chunks in one thread, the same walk
shared by the threads (a function of its own, because Numba's cache would mix up two compilations of one function),
and the public call.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from ..jit import FAST, kernel
from ..tables import ArrayTable
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["adadelta_step", "adagrad_step", "adam_step", "rmsprop_step", "sgd_step"]

# Rough nanoseconds that one element of one step takes: three to five arrays streamed through memory.
NANOSECONDS_PER_ELEMENT = 0.3

Arrays = Sequence[np.ndarray]


@intrinsic
def _pointer(typing_context: Any, address: Any, witness: Any) -> Any:
    """A pointer to elements of the witness's type from an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(witness)(address, witness), generate


@kernel
def _row(table, i, start, stop, witness):  # type: ignore[no-untyped-def]
    """Elements start to stop of the i-th array of an address table, or None where there is no table.

    Numba compiles one variant for a table and one for None, so state that is not kept costs nothing.
    """
    if table is None:
        return None
    return numba.carray(_pointer(table[i], witness), stop)[start:]


def _launch(
    variants: tuple[Callable[..., None], Callable[..., None], Callable[..., None]],
    arrays: Sequence[Arrays | None],
    per_array: Sequence[np.ndarray],
    numbers: Sequence[float],
    flags: Sequence[bool],
) -> None:
    """Call the fitting one of the three variants: on one chunk, serial, parallel.

    The numbers are rounded to the arrays' element type, so that all arithmetic happens in it.
    """
    chunk, serial, parallel = variants
    tables = [table if table is None or isinstance(table, ArrayTable) else ArrayTable(table) for table in arrays]
    first = tables[0]
    if not first:
        return
    element = first[0].dtype.type
    scalars = [element(number) for number in numbers]
    if not FAST:
        for i in range(len(first)):
            rows = [None if table is None else table[i].reshape(-1) for table in tables]
            chunk(*rows, *[values[i] for values in per_array], *scalars, *flags)
        return
    addresses = [None if table is None else table.addresses for table in tables]
    large = first.total * NANOSECONDS_PER_ELEMENT > SERIAL_BELOW and get_num_threads() > 1
    run = parallel if large else serial
    run(first.chunks, *addresses, *per_array, *scalars, *flags)


@kernel
def _sgd_chunk(p, g, b, fresh, lr, momentum, share, weight_decay, nesterov, maximize):  # type: ignore[no-untyped-def]
    for j in range(len(p)):
        step = (-g[j] if maximize else g[j]) + weight_decay * p[j]
        if b is not None:
            b[j] = step if fresh else momentum * b[j] + share * step
            step = step + momentum * b[j] if nesterov else b[j]
        p[j] -= lr * step


@kernel
def _sgd_serial(chunks, ps, gs, bs, fresh, lr, momentum, share, weight_decay, nesterov, maximize):  # type: ignore[no-untyped-def]
    for c in range(len(chunks)):
        i, start, stop = chunks[c]
        p, g, b = _row(ps, i, start, stop, lr), _row(gs, i, start, stop, lr), _row(bs, i, start, stop, lr)
        _sgd_chunk(p, g, b, fresh[i], lr, momentum, share, weight_decay, nesterov, maximize)


@kernel(parallel=True)
def _sgd_parallel(chunks, ps, gs, bs, fresh, lr, momentum, share, weight_decay, nesterov, maximize):  # type: ignore[no-untyped-def]
    for c in numba.prange(len(chunks)):
        i, start, stop = chunks[c]
        p, g, b = _row(ps, i, start, stop, lr), _row(gs, i, start, stop, lr), _row(bs, i, start, stop, lr)
        _sgd_chunk(p, g, b, fresh[i], lr, momentum, share, weight_decay, nesterov, maximize)


def sgd_step(
    parameters: Arrays,
    gradients: Arrays,
    momentum_buffers: Arrays | None,
    fresh: np.ndarray,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Stochastic gradient descent with momentum; see reference/optim.py."""
    _launch(
        (_sgd_chunk, _sgd_serial, _sgd_parallel),
        (parameters, gradients, momentum_buffers),
        (fresh,),
        (lr, momentum, 1 - dampening, weight_decay),
        (nesterov, maximize),
    )


@kernel
def _adam_chunk(p, g, m, v, u, stride, scale, beta1, rest1, beta2, rest2, eps, decay, shrink, maximize):  # type: ignore[no-untyped-def]
    for j in range(len(p)):
        step = (-g[j] if maximize else g[j]) + decay * p[j]
        average = beta1 * m[j] + rest1 * step
        square = beta2 * v[j] + rest2 * step * step
        m[j] = average
        v[j] = square
        if u is not None:
            square = square if square > u[j] or square != square else u[j]
            u[j] = square
        p[j] = shrink * p[j] - stride * average / (math.sqrt(square) * scale + eps)


@kernel
def _adam_serial(  # type: ignore[no-untyped-def]
    chunks, ps, gs, ms, vs, us, strides, scales, beta1, rest1, beta2, rest2, eps, decay, shrink, maximize
):
    for c in range(len(chunks)):
        i, start, stop = chunks[c]
        p, g, m = _row(ps, i, start, stop, eps), _row(gs, i, start, stop, eps), _row(ms, i, start, stop, eps)
        v, u = _row(vs, i, start, stop, eps), _row(us, i, start, stop, eps)
        _adam_chunk(p, g, m, v, u, strides[i], scales[i], beta1, rest1, beta2, rest2, eps, decay, shrink, maximize)


@kernel(parallel=True)
def _adam_parallel(  # type: ignore[no-untyped-def]
    chunks, ps, gs, ms, vs, us, strides, scales, beta1, rest1, beta2, rest2, eps, decay, shrink, maximize
):
    for c in numba.prange(len(chunks)):
        i, start, stop = chunks[c]
        p, g, m = _row(ps, i, start, stop, eps), _row(gs, i, start, stop, eps), _row(ms, i, start, stop, eps)
        v, u = _row(vs, i, start, stop, eps), _row(us, i, start, stop, eps)
        _adam_chunk(p, g, m, v, u, strides[i], scales[i], beta1, rest1, beta2, rest2, eps, decay, shrink, maximize)


def adam_step(
    parameters: Arrays,
    gradients: Arrays,
    averages: Arrays,
    square_averages: Arrays,
    greatest_square_averages: Arrays | None,
    steps: np.ndarray,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """Adam, AdamW and AMSGrad; see reference/optim.py. The bias corrections are two numbers a parameter array, made
    beforehand in float64.
    """
    if not len(parameters):
        return
    element = parameters[0].dtype
    strides = (lr / (1 - beta1**steps)).astype(element)
    scales = (1 / np.sqrt(1 - beta2**steps)).astype(element)
    decay, shrink = (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
    _launch(
        (_adam_chunk, _adam_serial, _adam_parallel),
        (parameters, gradients, averages, square_averages, greatest_square_averages),
        (strides, scales),
        (beta1, 1 - beta1, beta2, 1 - beta2, eps, decay, shrink),
        (maximize,),
    )


@kernel
def _rmsprop_chunk(p, g, v, m, b, lr, alpha, rest, eps, weight_decay, momentum, maximize):  # type: ignore[no-untyped-def]
    for j in range(len(p)):
        step = (-g[j] if maximize else g[j]) + weight_decay * p[j]
        square = alpha * v[j] + rest * step * step
        v[j] = square
        if m is not None:
            m[j] = alpha * m[j] + rest * step
            square = square - m[j] * m[j]
            square = square if not square < 0 else square - square
        step = step / (math.sqrt(square) + eps)
        if b is not None:
            b[j] = momentum * b[j] + step
            step = b[j]
        p[j] -= lr * step


@kernel
def _rmsprop_serial(  # type: ignore[no-untyped-def]
    chunks, ps, gs, vs, ms, bs, lr, alpha, rest, eps, weight_decay, momentum, maximize
):
    for c in range(len(chunks)):
        i, start, stop = chunks[c]
        p, g, v = _row(ps, i, start, stop, lr), _row(gs, i, start, stop, lr), _row(vs, i, start, stop, lr)
        m, b = _row(ms, i, start, stop, lr), _row(bs, i, start, stop, lr)
        _rmsprop_chunk(p, g, v, m, b, lr, alpha, rest, eps, weight_decay, momentum, maximize)


@kernel(parallel=True)
def _rmsprop_parallel(  # type: ignore[no-untyped-def]
    chunks, ps, gs, vs, ms, bs, lr, alpha, rest, eps, weight_decay, momentum, maximize
):
    for c in numba.prange(len(chunks)):
        i, start, stop = chunks[c]
        p, g, v = _row(ps, i, start, stop, lr), _row(gs, i, start, stop, lr), _row(vs, i, start, stop, lr)
        m, b = _row(ms, i, start, stop, lr), _row(bs, i, start, stop, lr)
        _rmsprop_chunk(p, g, v, m, b, lr, alpha, rest, eps, weight_decay, momentum, maximize)


def rmsprop_step(
    parameters: Arrays,
    gradients: Arrays,
    square_averages: Arrays,
    averages: Arrays | None,
    momentum_buffers: Arrays | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """RMSprop, plain, centred or with momentum; see reference/optim.py."""
    _launch(
        (_rmsprop_chunk, _rmsprop_serial, _rmsprop_parallel),
        (parameters, gradients, square_averages, averages, momentum_buffers),
        (),
        (lr, alpha, 1 - alpha, eps, weight_decay, momentum),
        (maximize,),
    )


@kernel
def _adagrad_chunk(p, g, s, rate, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    for j in range(len(p)):
        step = (-g[j] if maximize else g[j]) + weight_decay * p[j]
        s[j] += step * step
        p[j] -= rate * step / (math.sqrt(s[j]) + eps)


@kernel
def _adagrad_serial(chunks, ps, gs, ss, rates, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    for c in range(len(chunks)):
        i, start, stop = chunks[c]
        p, g, s = _row(ps, i, start, stop, eps), _row(gs, i, start, stop, eps), _row(ss, i, start, stop, eps)
        _adagrad_chunk(p, g, s, rates[i], eps, weight_decay, maximize)


@kernel(parallel=True)
def _adagrad_parallel(chunks, ps, gs, ss, rates, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    for c in numba.prange(len(chunks)):
        i, start, stop = chunks[c]
        p, g, s = _row(ps, i, start, stop, eps), _row(gs, i, start, stop, eps), _row(ss, i, start, stop, eps)
        _adagrad_chunk(p, g, s, rates[i], eps, weight_decay, maximize)


def adagrad_step(
    parameters: Arrays,
    gradients: Arrays,
    sums: Arrays,
    steps: np.ndarray,
    lr: float,
    lr_decay: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adagrad; see reference/optim.py."""
    if not len(parameters):
        return
    rates = (lr / (1 + (steps - 1) * lr_decay)).astype(parameters[0].dtype)
    _launch(
        (_adagrad_chunk, _adagrad_serial, _adagrad_parallel),
        (parameters, gradients, sums),
        (rates,),
        (eps, weight_decay),
        (maximize,),
    )


@kernel
def _adadelta_chunk(p, g, v, u, lr, rho, rest, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    for j in range(len(p)):
        step = (-g[j] if maximize else g[j]) + weight_decay * p[j]
        v[j] = rho * v[j] + rest * step * step
        delta = math.sqrt(u[j] + eps) / math.sqrt(v[j] + eps) * step
        u[j] = rho * u[j] + rest * delta * delta
        p[j] -= lr * delta


@kernel
def _adadelta_serial(chunks, ps, gs, vs, us, lr, rho, rest, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    for c in range(len(chunks)):
        i, start, stop = chunks[c]
        p, g = _row(ps, i, start, stop, lr), _row(gs, i, start, stop, lr)
        v, u = _row(vs, i, start, stop, lr), _row(us, i, start, stop, lr)
        _adadelta_chunk(p, g, v, u, lr, rho, rest, eps, weight_decay, maximize)


@kernel(parallel=True)
def _adadelta_parallel(chunks, ps, gs, vs, us, lr, rho, rest, eps, weight_decay, maximize):  # type: ignore[no-untyped-def]
    for c in numba.prange(len(chunks)):
        i, start, stop = chunks[c]
        p, g = _row(ps, i, start, stop, lr), _row(gs, i, start, stop, lr)
        v, u = _row(vs, i, start, stop, lr), _row(us, i, start, stop, lr)
        _adadelta_chunk(p, g, v, u, lr, rho, rest, eps, weight_decay, maximize)


def adadelta_step(
    parameters: Arrays,
    gradients: Arrays,
    square_averages: Arrays,
    accumulated_deltas: Arrays,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adadelta; see reference/optim.py."""
    _launch(
        (_adadelta_chunk, _adadelta_serial, _adadelta_parallel),
        (parameters, gradients, square_averages, accumulated_deltas),
        (),
        (lr, rho, 1 - rho, eps, weight_decay),
        (maximize,),
    )
