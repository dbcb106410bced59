"""Sampling at arbitrary places, fast: the taps of a block of points are worked out once and used for every channel.

Many channels are worked through a vector of them at a time (`grid_channels`). What is here serves few channels, single taps and few points,
plane by plane. An image is a volume of depth 1, whose first axis has the single tap 0.
"""

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from .. import memory
from ..jit import FAST, kernel
from ..reference.grid_sample import TAPS
from ..simd import INDEX, LANE_INDEX, Vectors, address, index_constant, vector_length
from ..threads import SERIAL_BELOW, get_num_threads
from .elementwise import whole_vectors
from .grid_channels import laid_out, sample_channels, scatter_channels, slopes_channels
from .grid_taps import BLOCK, combine, factors, fill_axes, tables

__all__ = ["grid_sample", "grid_sample_grad_grid", "grid_sample_grad_x"]

NANOSECONDS_A_TAP = 1.0
MOST_ELEMENTS = 2**31 - 1  # along an axis, for places in 32 bits
FEWEST_CHANNELS = 4  # for which copies with the channels side by side pay
U = np.uint64
PADDING = {"zeros": 0, "border": 1, "reflection": 2}


@intrinsic
def _gather(typingctx, sample, plane, place, product, pitch, taps, count, result):
    """result <- the sum over taps of weight times element, for as many points at a time as a vector has lanes; a place below 0 is no element.

    LLVM does not gather by itself: it cannot prove that what is written lies elsewhere.
    """
    signature = types.void(sample, *[types.intp] * 7)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        plane, place, product, pitch, taps, count, result = arguments[1:]
        table, product, result = v.index_pointer(place), v.pointer(product), v.pointer(result)
        places = ir.VectorType(INDEX, v.lanes)
        pointers = ir.VectorType(v.element.as_pointer(), v.lanes)
        base = v.splat_to(plane, places)
        zero, size = ir.Constant(places, [0] * v.lanes), ir.Constant(places, [v.itemsize] * v.lanes)

        def one_vector(number, nothing):
            first = builder.mul(number, index_constant(v.lanes))
            lanes = v.first_lanes(builder.sub(count, first))

            def one_tap(tap, sums):
                at = builder.add(builder.mul(tap, pitch), first)
                numbers = builder.load(builder.bitcast(v.at(table, at), places.as_pointer()), align=8)
                inside = builder.and_(builder.icmp_signed(">=", numbers, zero), lanes)
                where = builder.inttoptr(builder.add(base, builder.mul(numbers, size)), pointers)
                name = f"llvm.masked.gather.{v.suffix}.v{v.lanes}p0"
                found = v._call(name, v.type, (where, ir.Constant(LANE_INDEX, v.itemsize), inside, v.zero))
                return [v.multiply_add(v.load(v.at(product, at)), found, sums[0])]

            (total,) = v.loop(taps, [v.zero], one_tap)
            v.store_masked(total, v.at(result, first), lanes)
            return []

        vectors = builder.sdiv(builder.add(count, index_constant(v.lanes - 1)), index_constant(v.lanes))
        v.loop(vectors, [], one_vector)
        return context.get_dummy_value()

    return signature, codegen


@kernel
def _plane_of_vectors(x, source, y, target, count, place, product):
    """The samples of one channel at a block of points."""
    item = x.itemsize
    _gather(
        x.dtype.type(0), address(x) + source * item, address(place), address(product), BLOCK, place.shape[0], count, address(y) + target * item
    )  # fmt: skip


@kernel
def _plane_one_by_one(x, source, y, target, count, place, product):
    """As `_plane_of_vectors`."""
    zero = x.dtype.type(0)
    for q in range(count):
        total = zero
        for k in range(place.shape[0]):
            i = place[k, q]
            total += product[k, q] * (x[source + i] if i >= 0 else zero)
        y[target + q] = total


_plane = _plane_of_vectors if FAST else _plane_one_by_one


@kernel
def _sample(x, grid, y, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, start, end):
    """Samples number `start` to `end` of all images, counted image after image."""
    whole_vectors()
    along, products = tables(x, index_like, first_taps, taps)
    place, product = products
    volume = sizes[0] * sizes[1] * sizes[2]
    while start < end:
        n, p = start // points, start % points
        count = min(BLOCK, points - p, end - start)
        fill_axes(grid, start, count, sizes, padding, align_corners, along)
        combine(count, sizes, first_taps, along, products, -1)
        for c in range(n * channels, (n + 1) * channels):
            _plane(x, c * volume, y, c * points + p, count, place, product)
        start += count


@kernel
def _scatter(grad, grid, grad_x, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, start, end):
    """The gradient of planes number `start` to `end`, counted image after image: a plane has one owner."""
    along, products = tables(grad, index_like, first_taps, taps)
    place, product = products
    volume = sizes[0] * sizes[1] * sizes[2]
    while start < end:
        n = start // channels
        last = min(end, (n + 1) * channels)
        for i in range(start * volume, last * volume):
            grad_x[i] = 0
        for p in range(0, points, BLOCK):
            count = min(BLOCK, points - p)
            fill_axes(grid, n * points + p, count, sizes, padding, align_corners, along)
            combine(count, sizes, first_taps, along, products, -1)
            for plane in range(start, last):
                target, source = U(plane * volume), U(plane * points + p)
                for q in range(count):
                    g = grad[source + U(q)]
                    for k in range(place.shape[0]):
                        i = place[U(k), U(q)]
                        if i >= 0:
                            grad_x[target + U(i)] += product[U(k), U(q)] * g
        start = last


@kernel
def _slopes(grad, x, grid, grad_grid, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, start, end):
    """The gradient of the places of samples number `start` to `end`."""
    whole_vectors()
    along, products = tables(x, index_like, first_taps, taps)
    place, factor = products
    volume = sizes[0] * sizes[1] * sizes[2]
    total, zero = np.empty((place.shape[0], BLOCK), x.dtype), x.dtype.type(0)
    while start < end:
        n, p = start // points, start % points
        count = min(BLOCK, points - p, end - start)
        fill_axes(grid, start, count, sizes, padding, align_corners, along)
        combine(count, sizes, first_taps, along, products, -1)
        total[:] = 0
        for c in range(n * channels, (n + 1) * channels):
            plane, upstream = x[c * volume :], grad[c * points + p : c * points + p + count]
            for k in range(place.shape[0]):
                at, sums = place[k, :count], total[k, :count]
                for q in range(count):
                    i = at[q]
                    part = upstream[q] * plane[U(i if i >= 0 else 0)]
                    sums[q] += part if i >= 0 else zero
        for axis in range(grid.shape[1]):
            factors(count, 2 - axis, first_taps, along, place, -1, factor)
            for q in range(count):
                value = zero
                for k in range(place.shape[0]):
                    value += factor[k, q] * total[k, q]
                grad_grid[start + q, axis] = value
        start += count


@kernel(parallel=True)
def _sample_parallel(x, grid, y, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, samples, tasks):
    for task in prange(tasks):
        _sample(
            x, grid, y,
            index_like, sizes, channels, points, first_taps, padding, taps, align_corners, task * samples // tasks, (task + 1) * samples // tasks,
        )  # fmt: skip


@kernel(parallel=True)
def _scatter_parallel(grad, grid, grad_x, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, planes, tasks):
    for task in prange(tasks):
        _scatter(
            grad, grid, grad_x,
            index_like, sizes, channels, points, first_taps, padding, taps, align_corners, task * planes // tasks, (task + 1) * planes // tasks,
        )  # fmt: skip


@kernel(parallel=True)
def _slopes_parallel(grad, x, grid, grad_grid, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, samples, tasks):
    for task in prange(tasks):
        _slopes(
            grad, x, grid, grad_grid,
            index_like, sizes, channels, points, first_taps, padding, taps, align_corners, task * samples // tasks, (task + 1) * samples // tasks,
        )  # fmt: skip


@kernel(parallel=True)
def _sample_channels_parallel(pixels, grid, y, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, samples, tasks):
    for task in prange(tasks):
        sample_channels(
            pixels, grid, y, lanes,
            index_like, sizes, channels, points, first_taps, padding, taps, align_corners, task * samples // tasks, (task + 1) * samples // tasks,
        )  # fmt: skip


@kernel(parallel=True)
def _scatter_channels_parallel(
    grad, grid, grad_x, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, groups, tasks
):
    for task in prange(tasks):
        scatter_channels(
            grad, grid, grad_x, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, task // groups, task % groups
        )


@kernel(parallel=True)
def _slopes_channels_parallel(
    grad, pixels, grid, grad_grid, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, samples, tasks
):
    for task in prange(tasks):
        slopes_channels(
            grad, pixels, grid, grad_grid, lanes,
            index_like, sizes, channels, points, first_taps, padding, taps, align_corners, task * samples // tasks, (task + 1) * samples // tasks,
        )  # fmt: skip


def _options(x_shape, grid, mode, padding_mode, align_corners):
    """What all kernels take after their arrays."""
    sizes = x_shape[2:] if len(x_shape) == 5 else (1, *x_shape[2:])
    taps = TAPS[mode]
    index_like = np.empty(0, np.int32 if max(sizes) <= MOST_ELEMENTS else np.int64)
    return index_like, sizes, x_shape[1], grid.shape[1], taps if len(x_shape) == 5 else 1, PADDING[padding_mode], taps, bool(align_corners)


def _by_channels(options):
    """Whether there are channels, taps and points enough to pay for copies with the channels side by side."""
    _, sizes, channels, points, first_taps, _, taps, _ = options
    products = first_taps * taps * taps
    return FAST and channels >= FEWEST_CHANNELS and products > 1 and products * points >= sizes[0] * sizes[1] * sizes[2]


def _tasks(blocks: int, grid: np.ndarray, channels: int, mode: str) -> int:
    work = grid.size * (channels + 4) * TAPS[mode] ** grid.shape[2] * NANOSECONDS_A_TAP
    return 1 if work < SERIAL_BELOW or get_num_threads() == 1 else max(1, min(blocks, 4 * get_num_threads()))


def _volume(options):
    return options[1][0] * options[1][1] * options[1][2]


def grid_sample(x, grid, mode, padding_mode, align_corners):
    """x (N, C, *sizes) at the places grid (N, P, axes); see the reference."""
    y = memory.empty((x.shape[0], x.shape[1], grid.shape[1]), x.dtype)
    samples = grid.shape[0] * grid.shape[1]
    tasks = _tasks(-(-samples // BLOCK), grid, x.shape[1], mode)
    options = _options(x.shape, grid, mode, padding_mode, align_corners)
    places, flat = grid.reshape(-1, grid.shape[2]), x.reshape(-1)
    if y.size and _by_channels(options):
        pixels = laid_out(flat, x.shape[1], _volume(options))
        _sample_channels_parallel(pixels, places, y.reshape(-1), vector_length(x.dtype), *options, samples, tasks)
    elif tasks == 1:
        _sample(flat, places, y.reshape(-1), *options, 0, samples)
    else:
        _sample_parallel(flat, places, y.reshape(-1), *options, samples, tasks)
    return y


def grid_sample_grad_x(grad, grid, x_shape, mode, padding_mode, align_corners):
    """The gradient of the image, plane by plane; see the reference."""
    grad_x = memory.empty(x_shape, grad.dtype)
    planes = x_shape[0] * x_shape[1]
    tasks = min(_tasks(planes, grid, x_shape[1], mode), 2 * get_num_threads())
    options = _options(x_shape, grid, mode, padding_mode, align_corners)
    arrays = (grad.reshape(-1), grid.reshape(-1, grid.shape[2]), grad_x.reshape(-1))
    if grad_x.size and _by_channels(options):
        lanes = vector_length(grad.dtype)
        groups = -(-x_shape[1] // lanes)
        _scatter_channels_parallel(*arrays, lanes, *options, groups, x_shape[0] * groups)
    elif tasks == 1:
        _scatter(*arrays, *options, 0, planes)
    else:
        _scatter_parallel(*arrays, *options, planes, tasks)
    return grad_x


def grid_sample_grad_grid(grad, x, grid, mode, padding_mode, align_corners):
    """The gradient of the places, sample by sample; see the reference."""
    grad_grid = memory.empty(grid.shape, grid.dtype)
    samples = grid.shape[0] * grid.shape[1]
    tasks = _tasks(-(-samples // BLOCK), grid, x.shape[1], mode)
    options = _options(x.shape, grid, mode, padding_mode, align_corners)
    flat, upstream, places, result = x.reshape(-1), grad.reshape(-1), grid.reshape(-1, grid.shape[2]), grad_grid.reshape(-1, grid.shape[2])
    if grad.size and _by_channels(options):
        pixels = laid_out(flat, x.shape[1], _volume(options))
        _slopes_channels_parallel(upstream, pixels, places, result, vector_length(x.dtype), *options, samples, tasks)
    elif tasks == 1:
        _slopes(upstream, flat, places, result, *options, 0, samples)
    else:
        _slopes_parallel(upstream, flat, places, result, *options, samples, tasks)
    return grad_grid
