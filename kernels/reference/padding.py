"""Padding of the last one to three axes, and its adjoint."""

import itertools

from .conv import PADDING_CODES, source_index
from .scalars import empty_like_shape

__all__ = ["pad", "pad_grad_x"]


def sources(size, before, after, mode):
    """The element of an axis that stands at each padded position; -1 where a constant does.

    Negative amounts crop. The endless axis goes on under the crop, but for "circular", which turns what is left into a ring.
    """
    if mode == "circular":
        first, kept = max(-before, 0), size + min(before, 0) + min(after, 0)
        return [first + position % kept for position in range(-max(before, 0), kept + max(after, 0))]
    code = PADDING_CODES[mode]
    return [source_index(position, size, code) for position in range(-before, size + after)]


def _maps(shape, padding, mode):
    """One list of sources an axis."""
    return [sources(size, padding[2 * axis], padding[2 * axis + 1], mode) for axis, size in enumerate(shape)]


def _copies(shape, maps):
    """Every (index into y, index into x, or None where the constant stands)."""
    for m in range(shape[0]):
        for pairs in itertools.product(*[enumerate(source) for source in maps]):
            target, origin = zip(*pairs)
            yield (m, *target), (None if -1 in origin else (m, *origin))


def pad(x, padding, mode, value):
    """x (M, ...) with cells before and after each axis but the first, as `padding` counts them axis by axis; in mode "zeros" they hold `value`."""
    maps = _maps(x.shape[1:], padding, mode)
    y = empty_like_shape((x.shape[0], *map(len, maps)), x)
    for target, origin in _copies(x.shape, maps):
        y[target] = value if origin is None else x[origin]
    return y


def pad_grad_x(grad, x_shape, padding, mode):
    """Every padded cell hands its gradient to the element it is a copy of."""
    grad_x = empty_like_shape(x_shape, grad)
    for target, origin in _copies(x_shape, _maps(x_shape[1:], padding, mode)):
        if origin is not None:
            grad_x[origin] = grad_x[origin] + grad[target]
    return grad_x
