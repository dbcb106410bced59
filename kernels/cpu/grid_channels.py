"""Sampling at arbitrary places with the channels in vectors: every tap is one load for as many channels as a vector has lanes.

Images are copied into groups of channels: (group, pixel, lane), with one more pixel of zeros behind the last, which the taps outside read. A
tile is what a block of points has of one group, (point, lane).
"""

import numpy as np
from numba import prange, types
from numba.extending import intrinsic

from .. import memory
from ..jit import kernel
from ..simd import Vectors, address, index_constant, vector_length
from .broadcast_tile import transpose
from .grid_taps import BLOCK, combine, factors, fill_axes, tables

__all__: list[str] = []


def _walk(v, places, factor, pitch, taps, point, carried, body):
    """Emit `for tap in range(taps): carried = body(pixel number, factor of the tap in all lanes, carried)` for one point."""
    builder = v.builder

    def one_tap(tap, values):
        at = builder.add(builder.mul(tap, pitch), point)
        return body(builder.load(v.at(places, at)), v.load_splat(v.at(factor, at)), values)

    return v.loop(taps, carried, one_tap)


def _point_by_point(emit):
    """Make an intrinsic (sample, pixels, place, factor, pitch, taps, count, tile, result) of what is done with one point."""

    @intrinsic
    def for_all_points(typingctx, sample, pixels, place, factor, pitch, taps, count, tile, result):
        signature = types.void(sample, *[types.intp] * 8)

        def codegen(context, builder, signature, arguments):
            v = Vectors(builder, signature.args[0])
            pixels, place, factor, pitch, taps, count, tile, result = arguments[1:]
            pixels, factor, tile, result = (v.pointer(one) for one in (pixels, factor, tile, result))
            table = v.index_pointer(place)

            def one_point(point, nothing):
                lanes = builder.mul(point, index_constant(v.lanes))

                def pixel(number):
                    return v.at(pixels, builder.mul(number, index_constant(v.lanes)))

                def walk(carried, body):
                    return _walk(v, table, factor, pitch, taps, point, carried, body)

                emit(v, pixel, walk, v.at(tile, lanes), v.at(result, lanes))
                return []

            v.loop(count, [], one_point)
            return context.get_dummy_value()

        return signature, codegen

    return for_all_points


@_point_by_point
def _read(v, pixel, walk, tile, result):
    """tile <- the sum over taps of weight times pixel."""
    (total,) = walk([v.zero], lambda number, weight, sums: [v.multiply_add(weight, v.load(pixel(number)), sums[0])])
    v.store(total, tile)


@_point_by_point
def _add(v, pixel, walk, tile, result):
    """Each tap's pixel += weight times tile."""
    upstream = v.load(tile)

    def one_tap(number, weight, nothing):
        here = pixel(number)
        v.store(v.multiply_add(weight, upstream, v.load(here)), here)
        return []

    walk([], one_tap)


@_point_by_point
def _correlate(v, pixel, walk, tile, result):
    """result += the sum over taps of factor times pixel times tile."""
    upstream = v.load(tile)

    def one_tap(number, factor, sums):
        return [v.multiply_add(factor, v.builder.fmul(upstream, v.load(pixel(number))), sums[0])]

    (total,) = walk([v.load(result)], one_tap)
    v.store(total, result)


@kernel(inline="never")  # compiled once for all that copies here
def _turn(like, lanes, source, source_pitch, rows, columns, target, target_pitch):
    """target[j][i] = source[i][j] for i < rows, j < columns."""
    transpose(like.dtype.type(0), lanes, like.itemsize, source, source_pitch, rows, columns, target, target_pitch)


@kernel
def _lay_out_group(x, pixels, lanes, n, group, channels, volume):
    """One group of channels of one image, as pixels."""
    groups, item = -(-channels // lanes), x.itemsize
    start, rows = (n * groups + group) * (volume + 1) * lanes, min(lanes, channels - group * lanes)
    if rows < lanes:
        for i in range(np.uint64(start), np.uint64(start + volume * lanes)):
            pixels[i] = 0
    source = address(x) + (n * channels + group * lanes) * volume * item
    _turn(pixels, lanes, source, volume, rows, volume, address(pixels) + start * item, lanes)
    for i in range(np.uint64(start + volume * lanes), np.uint64(start + (volume + 1) * lanes)):
        pixels[i] = 0


@kernel(parallel=True)
def _lay_out(x, pixels, lanes, images, channels, volume):
    groups = -(-channels // lanes)
    for task in prange(images * groups):
        _lay_out_group(x, pixels, lanes, task // groups, task % groups, channels, volume)


def laid_out(x, channels, volume):
    """A flat x (N, channels, volume) in groups of channels."""
    lanes = vector_length(x.dtype)
    images = x.size // (channels * volume)
    pixels = memory.empty((images * -(-channels // lanes) * (volume + 1) * lanes,), x.dtype)
    _lay_out(x, pixels, lanes, images, channels, volume)
    return pixels


@kernel
def _tile_of(rows, n, group, channels, points, p, count, lanes, tile):
    """Copy what a block of points has of a group of channels out of planes (N, channels, points)."""
    item, real = rows.itemsize, min(lanes, channels - group * lanes)
    source = address(rows) + ((n * channels + group * lanes) * points + p) * item
    _turn(tile, lanes, source, points, real, count, address(tile), lanes)


@kernel
def sample_channels(pixels, grid, y, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, start, end):
    """Samples number `start` to `end` of all images, counted image after image."""
    along, products = tables(y, index_like, first_taps, taps)
    place, product = products
    tile = np.empty(BLOCK * lanes, y.dtype)
    zero, item, volume, groups = y.dtype.type(0), y.itemsize, sizes[0] * sizes[1] * sizes[2], -(-channels // lanes)
    while start < end:
        n, p = start // points, start % points
        count = min(BLOCK, points - p, end - start)
        fill_axes(grid, start, count, sizes, padding, align_corners, along)
        combine(count, sizes, first_taps, along, products, volume)
        for group in range(groups):
            source = address(pixels) + (n * groups + group) * (volume + 1) * lanes * item
            _read(zero, source, address(place), address(product), BLOCK, place.shape[0], count, address(tile), address(tile))
            target = address(y) + ((n * channels + group * lanes) * points + p) * item
            _turn(tile, lanes, address(tile), lanes, count, min(lanes, channels - group * lanes), target, points)
        start += count


@kernel
def scatter_channels(grad, grid, grad_x, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, n, group):
    """The gradient of one group of channels of one image."""
    along, products = tables(grad, index_like, first_taps, taps)
    place, product = products
    zero, item, volume = grad.dtype.type(0), grad.itemsize, sizes[0] * sizes[1] * sizes[2]
    tile, pixels = np.zeros(BLOCK * lanes, grad.dtype), np.zeros((volume + 1) * lanes, grad.dtype)
    for p in range(0, points, BLOCK):
        count = min(BLOCK, points - p)
        fill_axes(grid, n * points + p, count, sizes, padding, align_corners, along)
        combine(count, sizes, first_taps, along, products, volume)
        _tile_of(grad, n, group, channels, points, p, count, lanes, tile)
        _add(zero, address(pixels), address(place), address(product), BLOCK, place.shape[0], count, address(tile), address(tile))
    target = address(grad_x) + (n * channels + group * lanes) * volume * item
    _turn(tile, lanes, address(pixels), lanes, volume, min(lanes, channels - group * lanes), target, volume)


@kernel
def slopes_channels(
    grad, pixels, grid, grad_grid, lanes, index_like, sizes, channels, points, first_taps, padding, taps, align_corners, start, end
):
    """The gradient of the places of samples number `start` to `end`."""
    along, products = tables(grad, index_like, first_taps, taps)
    place, _ = products
    axes, zero, item = grid.shape[1], grad.dtype.type(0), grad.itemsize
    volume, groups = sizes[0] * sizes[1] * sizes[2], -(-channels // lanes)
    factor = np.empty((axes, place.shape[0], BLOCK), grad.dtype)
    tile, sums = np.zeros(BLOCK * lanes, grad.dtype), np.empty((axes, BLOCK * lanes), grad.dtype)
    while start < end:
        n, p = start // points, start % points
        count = min(BLOCK, points - p, end - start)
        fill_axes(grid, start, count, sizes, padding, align_corners, along)
        combine(count, sizes, first_taps, along, products, volume)
        for axis in range(axes):
            factors(count, 2 - axis, first_taps, along, place, volume, factor[axis])
        sums[:] = 0
        for group in range(groups):
            if (group + 1) * lanes > channels:
                tile[:] = 0  # the lanes without a channel
            _tile_of(grad, n, group, channels, points, p, count, lanes, tile)
            source = address(pixels) + (n * groups + group) * (volume + 1) * lanes * item
            for axis in range(axes):
                _correlate(
                    zero, source, address(place), address(factor[axis]), BLOCK, place.shape[0], count, address(tile), address(sums[axis])
                )  # fmt: skip
        for axis in range(axes):
            for q in range(count):
                total = zero
                for lane in range(lanes):
                    total += sums[axis, q * lanes + lane]
                grad_grid[start + q, axis] = total
        start += count
