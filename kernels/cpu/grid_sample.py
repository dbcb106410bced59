"""Sampling at arbitrary places, fast: the taps of a block of points are worked out once and used for every channel.

An image is a volume of depth 1 here, whose first axis has the single tap 0. Arrays of taps are (axis, tap, point).
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.grid_sample import TAPS
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["grid_sample", "grid_sample_grad_grid", "grid_sample_grad_x"]

BLOCK = 128  # points whose taps are kept at a time
NANOSECONDS_A_TAP = 1.0
U = np.uint64
PADDING = {"zeros": 0, "border": 1, "reflection": 2}


@kernel(fastmath=False)
def _placed(position, number, size, padding, align_corners, last_for_nan):
    """A position in elements under a padding mode, and its slope; see the reference's `placed`."""
    zero, last = number(0), number(size - 1)
    if padding == 0:
        return position, number(1)
    sign = number(1)
    if padding == 2:
        low = number(0.0 if align_corners else -0.5)
        span = number(size - 1 if align_corners else size)
        if span == 0:
            return zero, zero
        if position < low:
            sign = -sign
        distance = abs(position - low)
        flips = np.floor(distance / span)
        rest = distance - flips * span
        if flips - number(2) * np.floor(flips * number(0.5)) != 0:
            sign = -sign
            rest = span - rest
        position = rest + low
    if position != position:
        return last if last_for_nan else zero, zero
    if position <= 0:
        return zero, zero
    if position >= last:
        return last, zero
    return position, sign


@kernel(fastmath=False, inline="never")
def _fill(grid, start, count, column, axis, size, taps, padding, align_corners, last_for_nan, index, weight, slope):
    """The taps of `count` points along one axis, whose coordinates are grid[start:, column]."""
    number = weight.dtype.type
    half = number(0.5)
    gain = number(size - 1 if align_corners else size) * half
    for p in range(count):
        value = grid[start + p, column]
        if align_corners:
            position = (value + number(1)) * half * number(size - 1)
        else:
            position = ((value + number(1)) * number(size) - number(1)) * half
        if taps == 4:
            low = np.floor(position)
            t = position - low
            for step in range(4):
                d = abs(t + number(1 - step))
                side = gain if step < 2 else -gain
                if step == 1 or step == 2:
                    weight[axis, step, p] = (number(1.25) * d - number(2.25)) * d * d + number(1)
                    slope[axis, step, p] = side * ((number(3.75) * d - number(4.5)) * d)
                else:
                    weight[axis, step, p] = ((number(-0.75) * d + number(3.75)) * d - number(6)) * d + number(3)
                    slope[axis, step, p] = side * ((number(-2.25) * d + number(7.5)) * d - number(6))
                place, _ = _placed(low + number(step - 1), number, size, padding, align_corners, last_for_nan)
                place = np.floor(place)
                index[axis, step, p] = np.intp(place) if 0 <= place < size else -1
            continue
        position, sign = _placed(position, number, size, padding, align_corners, last_for_nan)
        if taps == 1:
            place = np.rint(position)
            index[axis, 0, p] = np.intp(place) if 0 <= place < size else -1
            weight[axis, 0, p] = 1
            slope[axis, 0, p] = 0
            continue
        low = np.floor(position)
        t = position - low
        index[axis, 0, p] = np.intp(low) if 0 <= low < size else -1
        index[axis, 1, p] = np.intp(low + 1) if -1 <= low < size - 1 else -1
        weight[axis, 0, p] = number(1) - t
        weight[axis, 1, p] = t
        slope[axis, 0, p] = -gain * sign
        slope[axis, 1, p] = gain * sign


@kernel(fastmath=False, inline="never")
def _fill_axes(grid, start, count, sizes, taps, padding, align_corners, index, weight, slope):
    """The taps of a block of points along three axes; an image has one tap along the first."""
    volume = grid.shape[1] == 3
    for axis in range(3):
        if axis == 0 and not volume:
            for p in range(count):
                index[0, 0, p] = 0
                weight[0, 0, p] = 1
                slope[0, 0, p] = 0
        else:
            _fill(grid, start, count, 2 - axis, axis, sizes[axis], taps, padding, align_corners, volume, index, weight, slope)


@kernel(fastmath=False, inline="never")
def _combine(count, sizes, first_taps, taps, index, weight, place, product):
    """For every product of taps: the position in the flat image, -1 outside, and the weight; outside a volume the weight is 0."""
    k = 0
    for a in range(first_taps):
        for b in range(taps):
            for c in range(taps):
                for p in range(count):
                    i, j, l = index[0, a, p], index[1, b, p], index[2, c, p]
                    inside = i >= 0 and j >= 0 and l >= 0
                    place[k, p] = (i * sizes[1] + j) * sizes[2] + l if inside else -1
                    product[k, p] = weight[0, a, p] * weight[1, b, p] * weight[2, c, p] if inside or first_taps == 1 else 0
                k += 1
    return k


# Positions in arrays are unsigned where they are many: for signed ones Numba tests at every access whether they count from the end.


@kernel
def _four_planes(x, source, volume, y, target, points, count, products, place, product):
    """The samples of four neighbouring channels at a block of points, which share the loads of places and weights."""
    zero = x.dtype.type(0)
    s, step, o, ahead = U(source), U(volume), U(target), U(points)
    if products == 1:
        for q in range(count):
            i, at = place[U(0), U(q)], o + U(q)
            if i >= 0:
                a = s + U(i)
                y[at], y[at + ahead] = x[a], x[a + step]
                y[at + ahead + ahead], y[at + ahead + ahead + ahead] = x[a + step + step], x[a + step + step + step]
            else:
                y[at] = y[at + ahead] = y[at + ahead + ahead] = y[at + ahead + ahead + ahead] = zero
        return
    for q in range(count):
        if products == 4:
            i, j, k, l = place[U(0), U(q)], place[U(1), U(q)], place[U(2), U(q)], place[U(3), U(q)]
            if (i | j | k | l) >= 0:  # no sign bit: all four lie inside
                u, v, w, z = product[U(0), U(q)], product[U(1), U(q)], product[U(2), U(q)], product[U(3), U(q)]
                a, b, c, d, at = s + U(i), s + U(j), s + U(k), s + U(l), o + U(q)
                for _ in range(4):
                    y[at] = u * x[a] + v * x[b] + w * x[c] + z * x[d]
                    a, b, c, d, at = a + step, b + step, c + step, d + step, at + ahead
                continue
        t = t1 = t2 = t3 = zero
        for k in range(products):
            i, w = place[U(k), U(q)], product[U(k), U(q)]
            if i >= 0:
                a = s + U(i)
                t += w * x[a]
                t1 += w * x[a + step]
                t2 += w * x[a + step + step]
                t3 += w * x[a + step + step + step]
            else:
                nothing = w * zero
                t, t1, t2, t3 = t + nothing, t1 + nothing, t2 + nothing, t3 + nothing
        at = o + U(q)
        y[at], y[at + ahead], y[at + ahead + ahead], y[at + ahead + ahead + ahead] = t, t1, t2, t3


@kernel
def _plane(x, source, y, target, count, products, place, product):
    """The samples of one channel at a block of points."""
    zero = x.dtype.type(0)
    for q in range(count):
        total = zero
        for k in range(products):
            i = place[k, q]
            total += product[k, q] * (x[source + i] if i >= 0 else zero)
        y[target + q] = total


@kernel
def _sample(x, grid, y, sizes, channels, points, first_taps, taps, padding, align_corners, start, end):
    """Samples number `start` to `end` of all images, counted image after image."""
    index, place = np.empty((3, taps, BLOCK), np.intp), np.empty((first_taps * taps * taps, BLOCK), np.intp)
    weight, slope = np.empty((3, taps, BLOCK), x.dtype), np.empty((3, taps, BLOCK), x.dtype)
    product = np.empty((first_taps * taps * taps, BLOCK), x.dtype)
    volume = sizes[0] * sizes[1] * sizes[2]
    while start < end:
        n, p = start // points, start % points
        count = min(BLOCK, points - p, end - start)
        _fill_axes(grid, start, count, sizes, taps, padding, align_corners, index, weight, slope)
        products = _combine(count, sizes, first_taps, taps, index, weight, place, product)
        source, target = n * channels * volume, n * channels * points + p
        fours = channels - channels % 4
        for c in range(0, fours, 4):
            _four_planes(x, source + c * volume, volume, y, target + c * points, points, count, products, place, product)
        for c in range(fours, channels):
            _plane(x, source + c * volume, y, target + c * points, count, products, place, product)
        start += count


@kernel(parallel=True)
def _sample_parallel(x, grid, y, sizes, channels, points, first_taps, taps, padding, align_corners, samples, tasks):
    for task in prange(tasks):
        start, end = task * samples // tasks, (task + 1) * samples // tasks
        _sample(x, grid, y, sizes, channels, points, first_taps, taps, padding, align_corners, start, end)


@kernel
def _scatter(grad, grid, grad_x, sizes, channels, points, first_taps, taps, padding, align_corners, start, end):
    """The gradient of planes number `start` to `end`, counted image after image: a plane has one owner."""
    index, place = np.empty((3, taps, BLOCK), np.intp), np.empty((first_taps * taps * taps, BLOCK), np.intp)
    weight, slope = np.empty((3, taps, BLOCK), grad.dtype), np.empty((3, taps, BLOCK), grad.dtype)
    product = np.empty((first_taps * taps * taps, BLOCK), grad.dtype)
    volume = sizes[0] * sizes[1] * sizes[2]
    while start < end:
        n = start // channels
        last = min(end, (n + 1) * channels)
        for i in range(start * volume, last * volume):
            grad_x[i] = 0
        for p in range(0, points, BLOCK):
            count = min(BLOCK, points - p)
            _fill_axes(grid, n * points + p, count, sizes, taps, padding, align_corners, index, weight, slope)
            products = _combine(count, sizes, first_taps, taps, index, weight, place, product)
            for plane in range(start, last):
                target, source = U(plane * volume), U(plane * points + p)
                if products == 1:
                    for q in range(count):
                        i = place[U(0), U(q)]
                        if i >= 0:
                            grad_x[target + U(i)] += grad[source + U(q)]
                    continue
                for q in range(count):
                    g = grad[source + U(q)]
                    for k in range(products):
                        i = place[U(k), U(q)]
                        if i >= 0:
                            grad_x[target + U(i)] += product[U(k), U(q)] * g
        start = last


@kernel(parallel=True)
def _scatter_parallel(grad, grid, grad_x, sizes, channels, points, first_taps, taps, padding, align_corners, planes, tasks):
    for task in prange(tasks):
        start, end = task * planes // tasks, (task + 1) * planes // tasks
        _scatter(grad, grid, grad_x, sizes, channels, points, first_taps, taps, padding, align_corners, start, end)


@kernel
def _slopes(grad, x, grid, grad_grid, sizes, channels, points, first_taps, taps, padding, align_corners, start, end):
    """The gradient of the places of samples number `start` to `end`."""
    index, place = np.empty((3, taps, BLOCK), np.intp), np.empty((first_taps * taps * taps, BLOCK), np.intp)
    weight, slope = np.empty((3, taps, BLOCK), x.dtype), np.empty((3, taps, BLOCK), x.dtype)
    product = np.empty((first_taps * taps * taps, BLOCK), x.dtype)
    total = np.empty((first_taps * taps * taps, BLOCK), x.dtype)
    volume = sizes[0] * sizes[1] * sizes[2]
    axes = grid.shape[1]
    zero = x.dtype.type(0)
    while start < end:
        n, p = start // points, start % points
        count = min(BLOCK, points - p, end - start)
        _fill_axes(grid, start, count, sizes, taps, padding, align_corners, index, weight, slope)
        products = _combine(count, sizes, first_taps, taps, index, weight, place, product)
        total[:] = 0
        fours = channels - channels % 4
        for c in range(0, channels, 4):
            source, target = U((n * channels + c) * volume), U((n * channels + c) * points + p)
            if c < fours:
                for q in range(count):
                    g = target + U(q)
                    if products == 4:
                        i, j, k, l = place[U(0), U(q)], place[U(1), U(q)], place[U(2), U(q)], place[U(3), U(q)]
                        if (i | j | k | l) >= 0:  # no sign bit: all four lie inside
                            a, b, d, e = source + U(i), source + U(j), source + U(k), source + U(l)
                            t = t1 = t2 = t3 = zero
                            for _ in range(4):
                                h = grad[g]
                                t, t1, t2, t3 = t + h * x[a], t1 + h * x[b], t2 + h * x[d], t3 + h * x[e]
                                a, b, d, e, g = a + U(volume), b + U(volume), d + U(volume), e + U(volume), g + U(points)
                            total[U(0), U(q)] += t
                            total[U(1), U(q)] += t1
                            total[U(2), U(q)] += t2
                            total[U(3), U(q)] += t3
                            continue
                    g1, g2, g3 = g + U(points), g + U(2 * points), g + U(3 * points)
                    for k in range(products):
                        i = place[U(k), U(q)]
                        if i >= 0:
                            a = source + U(i)
                            near = grad[g] * x[a] + grad[g1] * x[a + U(volume)]
                            total[U(k), U(q)] += near + grad[g2] * x[a + U(2 * volume)] + grad[g3] * x[a + U(3 * volume)]
            else:
                for plane in range(channels - fours):
                    for k in range(products):
                        for q in range(count):
                            i = place[k, q]
                            if i >= 0:
                                total[k, q] += grad[target + U(plane * points + q)] * x[source + U(plane * volume + i)]
        for q in range(count):
            depth = row = column = zero
            k = 0
            for a in range(first_taps):
                for b in range(taps):
                    for c in range(taps):
                        if axes == 2 or place[k, q] >= 0:
                            value = total[k, q]
                            depth += slope[0, a, q] * weight[1, b, q] * weight[2, c, q] * value
                            row += weight[0, a, q] * slope[1, b, q] * weight[2, c, q] * value
                            column += weight[0, a, q] * weight[1, b, q] * slope[2, c, q] * value
                        k += 1
            grad_grid[start + q, 0] = column
            grad_grid[start + q, 1] = row
            if axes == 3:
                grad_grid[start + q, 2] = depth
        start += count


@kernel(parallel=True)
def _slopes_parallel(grad, x, grid, grad_grid, sizes, channels, points, first_taps, taps, padding, align_corners, samples, tasks):
    for task in prange(tasks):
        start, end = task * samples // tasks, (task + 1) * samples // tasks
        _slopes(grad, x, grid, grad_grid, sizes, channels, points, first_taps, taps, padding, align_corners, start, end)


def _options(x_shape, grid, mode, padding_mode, align_corners):
    """What all three kernels take after their arrays."""
    volume = len(x_shape) == 5
    sizes = x_shape[2:] if volume else (1, *x_shape[2:])
    taps = TAPS[mode]
    return sizes, x_shape[1], grid.shape[1], taps if volume else 1, taps, PADDING[padding_mode], bool(align_corners)


def _tasks(blocks: int, grid: np.ndarray, channels: int, mode: str) -> int:
    work = grid.size * (channels + 4) * TAPS[mode] ** grid.shape[2] * NANOSECONDS_A_TAP
    return 1 if work < SERIAL_BELOW or get_num_threads() == 1 else max(1, min(blocks, 4 * get_num_threads()))


def grid_sample(x, grid, mode, padding_mode, align_corners):
    """x (N, C, *sizes) at the places grid (N, P, axes); see the reference."""
    y = memory.empty((x.shape[0], x.shape[1], grid.shape[1]), x.dtype)
    samples = grid.shape[0] * grid.shape[1]
    tasks = _tasks(-(-samples // BLOCK), grid, x.shape[1], mode)
    options = _options(x.shape, grid, mode, padding_mode, align_corners)
    arguments = (x.reshape(-1), grid.reshape(-1, grid.shape[2]), y.reshape(-1), *options)
    if tasks == 1:
        _sample(*arguments, 0, samples)
    else:
        _sample_parallel(*arguments, samples, tasks)
    return y


def grid_sample_grad_x(grad, grid, x_shape, mode, padding_mode, align_corners):
    """The gradient of the image, plane by plane; see the reference."""
    grad_x = memory.empty(x_shape, grad.dtype)
    planes = x_shape[0] * x_shape[1]
    tasks = min(_tasks(planes, grid, x_shape[1], mode), 2 * get_num_threads())
    options = _options(x_shape, grid, mode, padding_mode, align_corners)
    arguments = (grad.reshape(-1), grid.reshape(-1, grid.shape[2]), grad_x.reshape(-1), *options)
    if tasks == 1:
        _scatter(*arguments, 0, planes)
    else:
        _scatter_parallel(*arguments, planes, tasks)
    return grad_x


def grid_sample_grad_grid(grad, x, grid, mode, padding_mode, align_corners):
    """The gradient of the places, sample by sample; see the reference."""
    grad_grid = memory.empty(grid.shape, grid.dtype)
    samples = grid.shape[0] * grid.shape[1]
    tasks = _tasks(-(-samples // BLOCK), grid, x.shape[1], mode)
    options = _options(x.shape, grid, mode, padding_mode, align_corners)
    arguments = (grad.reshape(-1), x.reshape(-1), grid.reshape(-1, grid.shape[2]), grad_grid.reshape(-1, grid.shape[2]), *options)
    if tasks == 1:
        _slopes(*arguments, 0, samples)
    else:
        _slopes_parallel(*arguments, samples, tasks)
    return grad_grid
