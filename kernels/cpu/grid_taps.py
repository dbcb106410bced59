"""Where samples at arbitrary places lie: the taps of a block of points along each axis, and their products.

An image is a volume of depth 1 here, whose first axis has the single tap 0. Arrays of taps are (axis, tap, point); those of products of taps are
(product, point). Every loop runs over the points and has no branch, so that LLVM makes vector code of it.
"""

import numpy as np

from ..jit import kernel

__all__: list[str] = []

BLOCK = 128  # points whose taps are kept at a time


@kernel(fastmath=False)
def _reflect(position, sign, low, span):
    """Mirror positions at low and low + span until they lie between them; the sign of their slope turns with each mirror."""
    kind = position.dtype.type
    zero, one, two, half = kind(0), kind(1), kind(2), kind(0.5)
    for p in range(position.size):
        value = position[p]
        distance = abs(value - low)
        flips = np.floor(distance / span)
        rest = distance - flips * span
        odd = flips - two * np.floor(flips * half) != zero
        turned = -one if value < low else one
        sign[p] = -turned if odd else turned
        position[p] = (span - rest if odd else rest) + low


@kernel(fastmath=False)
def _clip(position, sign, last, place_of_nan):
    """Move positions into 0 .. last, with the slope 0 at the ends and beyond."""
    zero = position.dtype.type(0)
    for p in range(position.size):
        value = position[p]
        moved = value if value < last else last
        moved = moved if value > zero else zero
        position[p] = place_of_nan if value != value else moved
        sign[p] = sign[p] if value > zero and value < last else zero


@kernel(fastmath=False)
def _place(position, sign, size, padding, align_corners, last_for_nan):
    """Positions in elements under a padding mode, and the signs of their slopes; see the reference's `placed`."""
    kind = position.dtype.type
    zero, last = kind(0), kind(size - 1)
    for p in range(position.size):
        sign[p] = 1
    if padding == 2:
        low, span = kind(0.0 if align_corners else -0.5), kind(size - 1 if align_corners else size)
        if span == zero:
            for p in range(position.size):
                position[p] = sign[p] = zero
            return
        _reflect(position, sign, low, span)
    if padding > 0:
        _clip(position, sign, last, last if last_for_nan else zero)


@kernel(fastmath=False)
def _elements(place, size, index):
    """Whole positions as elements, -1 where there is none."""
    kind = place.dtype.type
    zero, nowhere, end = kind(0), kind(-1), kind(size)
    for p in range(place.size):
        value = place[p]
        index[p] = index.dtype.type(value if value >= zero and value < end else nowhere)


@kernel(fastmath=False)
def _cubic(t, step, gain, weight, slope):
    """The weights of Keys' kernel for the tap number `step`, and their slopes, at positions t of the way from the second tap to the third."""
    kind = t.dtype.type
    ahead, side = kind(1 - step), gain if step < 2 else -gain
    near = step == 1 or step == 2
    for p in range(t.size):
        d = abs(t[p] + ahead)
        if near:
            weight[p] = (kind(1.25) * d - kind(2.25)) * d * d + kind(1)
            slope[p] = side * ((kind(3.75) * d - kind(4.5)) * d)
        else:
            weight[p] = ((kind(-0.75) * d + kind(3.75)) * d - kind(6)) * d + kind(3)
            slope[p] = side * ((kind(-2.25) * d + kind(7.5)) * d - kind(6))


@kernel(fastmath=False, inline="never")
def _fill(coordinates, count, size, padding, align_corners, last_for_nan, index, weight, slope, scratch):
    """The taps of points along one axis, from their coordinates in -1 .. 1. Rows are cut one by one, so that LLVM knows them for contiguous."""
    taps = weight.shape[0]
    kind = weight.dtype.type
    one, half = kind(1), kind(0.5)
    gain = kind(size - 1 if align_corners else size) * half
    position, sign, part = scratch[0, :count], scratch[1, :count], scratch[2, :count]
    if align_corners:
        for p in range(count):
            position[p] = (coordinates[p] + one) * half * kind(size - 1)
    else:
        for p in range(count):
            position[p] = ((coordinates[p] + one) * kind(size) - one) * half
    if taps == 4:
        low = scratch[3, :count]
        for p in range(count):
            low[p] = np.floor(position[p])
            part[p] = position[p] - low[p]
        for step in range(4):
            _cubic(part, step, gain, weight[step, :count], slope[step, :count])
            for p in range(count):
                position[p] = low[p] + kind(step - 1)
            _place(position, sign, size, padding, align_corners, last_for_nan)
            for p in range(count):
                position[p] = np.floor(position[p])
            _elements(position, size, index[step, :count])
        return
    _place(position, sign, size, padding, align_corners, last_for_nan)
    if taps == 1:
        whole, flat = weight[0, :count], slope[0, :count]
        for p in range(count):
            position[p] = np.rint(position[p])
            whole[p], flat[p] = one, kind(0)
        _elements(position, size, index[0, :count])
        return
    first, second, fall, rise = weight[0, :count], weight[1, :count], slope[0, :count], slope[1, :count]
    for p in range(count):
        low = np.floor(position[p])
        part[p] = position[p] - low
        position[p] = low
        first[p], second[p] = one - part[p], part[p]
        fall[p], rise[p] = -gain * sign[p], gain * sign[p]
    _elements(position, size, index[0, :count])
    for p in range(count):
        position[p] += one
    _elements(position, size, index[1, :count])


@kernel
def tables(like, index_like, first_taps, taps):
    """Room for the taps of a block: (index, weight, slope, scratch), and (place, product) for their products."""
    products = first_taps * taps * taps
    index, weight = np.empty((3, taps, BLOCK), index_like.dtype), np.empty((3, taps, BLOCK), like.dtype)
    slope = np.empty((3, taps, BLOCK), like.dtype)
    along = (index, weight, slope, np.empty((4, BLOCK), like.dtype))
    return along, (np.empty((products, BLOCK), np.intp), np.empty((products, BLOCK), like.dtype))


@kernel(fastmath=False)
def fill_axes(grid, start, count, sizes, padding, align_corners, along):
    """The taps along three axes of the points from `start` on; an image has one tap along the first."""
    index, weight, slope, scratch = along
    axes = grid.shape[1]
    for axis in range(3):
        if axis == 0 and axes == 2:
            for p in range(count):
                index[0, 0, p] = 0
                weight[0, 0, p] = 1
                slope[0, 0, p] = 0
        else:
            coordinates = grid[start : start + count, 2 - axis]
            _fill(coordinates, count, sizes[axis], padding, align_corners, axes == 3, index[axis], weight[axis], slope[axis], scratch)


@kernel(fastmath=False, inline="never")
def combine(count, sizes, first_taps, along, products, nowhere):
    """For every product of taps: the position in the flat image, `nowhere` outside, and the weight; outside a volume the weight is 0."""
    index, weight, _, _ = along
    place, product = products
    taps = weight.shape[1]
    zero = weight.dtype.type(0)
    image, flat, plane = first_taps == 1, sizes[0] == 1, sizes[1] * sizes[2]
    for k in range(first_taps * taps * taps):
        a, b, c = k // (taps * taps), k // taps % taps, k % taps
        planes, rows, columns = index[0, a, :count], index[1, b, :count], index[2, c, :count]
        u, v, w = weight[0, a, :count], weight[1, b, :count], weight[2, c, :count]
        at, share = place[k, :count], product[k, :count]
        for p in range(count):
            inside = (planes[p] | rows[p] | columns[p]) >= 0  # no sign bit
            position = (0 if flat else planes[p] * plane) + rows[p] * sizes[2] + columns[p]
            at[p] = position if inside else nowhere
            share[p] = u[p] * v[p] * w[p] if inside or image else zero


@kernel(fastmath=False)
def factors(count, axis, first_taps, along, place, nowhere, factor):
    """For every product of taps the slope along one axis times the other weights; 0 outside a volume."""
    _, weight, slope, _ = along
    taps = weight.shape[1]
    zero = weight.dtype.type(0)
    image = first_taps == 1
    for k in range(first_taps * taps * taps):
        a, b, c = k // (taps * taps), k // taps % taps, k % taps
        u = slope[0, a, :count] if axis == 0 else weight[0, a, :count]
        v = slope[1, b, :count] if axis == 1 else weight[1, b, :count]
        w = slope[2, c, :count] if axis == 2 else weight[2, c, :count]
        at, share = place[k, :count], factor[k, :count]
        for p in range(count):
            share[p] = u[p] * v[p] * w[p] if image or at[p] != nowhere else zero
