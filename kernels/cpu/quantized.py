"""Eight-bit integer arithmetic, fast. The windows of an image become columns of 16-bit integers, the zero point taken off, two packed into 32 bits,
which the micro-kernel of integer_tile multiplies and adds in pairs, with 32-bit sums. All results equal the definitions' to the bit.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..sizes import conv_output_size
from .integer_tile import FILTERS, LANES, packed, tile_sums

__all__ = ["dequantize", "quantize", "quantized_add", "quantized_avg_pool2d", "quantized_conv2d", "quantized_linear", "quantized_max_pool2d"]

LOWEST, HIGHEST = -128, 127
ROWS = 16  # windows that are multiplied with every filter before the next ones


def _spread(values, rank):
    """One number, or one a channel of axis 0, ready to broadcast."""
    return values.reshape(-1, *(1,) * (rank - 1)) if values.size > 1 else values.reshape(-1)[0]


def quantize(x, scale, zero, low, high):
    """q = clamp(round(x / scale) + zero, low, high), half to even; scale and zero are one number, or one a channel of axis 0."""
    return np.clip(np.rint(x / _spread(scale, x.ndim)) + _spread(zero, x.ndim), low, high).astype(np.int8)


def dequantize(q, scale, zero):
    """x = scale (q - zero), in scale's type; scale and zero as in `quantize`."""
    return _spread(scale, q.ndim) * (q.astype(np.int32) - _spread(zero, q.ndim)).astype(scale.dtype)


@kernel
def _clamped(total, multiplier, shift, y_zero, low, high):
    moved = y_zero + ((np.int64(total) * multiplier + (np.int64(1) << (shift - 1))) >> shift)
    return np.int8(min(max(moved, low), high))


@kernel
def _dot(row, filter):
    total = np.int32(0)
    for k in range(filter.size):
        total = np.int32(total + np.int32(row[k]) * np.int32(filter[k]))
    return total


@kernel
def _rows_times_filters(rows, filters, bias, multiplier, shift, y_zero, low, high, first, y):
    """y[first + o, p] for all windows p and the filters of one group; some windows at a time, so that they stay in the first cache."""
    for start in range(0, rows.shape[0], ROWS):
        end = min(start + ROWS, rows.shape[0])
        for o in range(filters.shape[0]):
            at, filter = first + o, filters[o]
            for p in range(start, end):
                y[at, p] = _clamped(bias[at] + _dot(rows[p], filter), multiplier[at], shift[at], y_zero, low, high)


@kernel
def _centred(image, zero, padding, planes):
    """planes[c, h + top, w + left] = image[c, h, w] - zero; what lies around it stays 0."""
    for c in range(image.shape[0]):
        for h in range(image.shape[1]):
            line = planes[c, h + padding[0]]
            for w in range(image.shape[2]):
                line[w + padding[2]] = np.int16(image[c, h, w]) - np.int16(zero)


@kernel
def _packed_line(low, high, step, row):
    """Each `step`-th element of two lines, packed; neighbours in memory become vectors."""
    if step == 1:
        for j in range(row.size):
            row[j] = packed(low[j], high[j])
    else:
        for j in range(row.size):
            row[j] = packed(low[j * step], high[j * step])


@kernel
def _element(k, taps, across):
    """Channel, row and column of element k of a window."""
    return k // taps, (k % taps) // across, (k % taps) % across


@kernel
def _windows_as_columns(planes, first, kernel_size, stride, dilation, size, columns):
    """columns[k, p] = elements 2k and 2k + 1 of window p, packed; an element is (c, a, b), and a missing last one is 0."""
    taps = kernel_size[0] * kernel_size[1]
    lines, across = planes.shape[1], planes.shape[2]
    flat, nothing = planes.reshape(-1), np.zeros(across, np.int16)
    for k in range(columns.shape[0]):
        c, a, b = _element(2 * k, taps, kernel_size[1])
        other_c, other_a, other_b = _element(2 * k + 1, taps, kernel_size[1])
        low = ((first[0] + c) * lines + a * dilation[0]) * across + b * dilation[1]
        high = ((first[0] + other_c) * lines + other_a * dilation[0]) * across + other_b * dilation[1]
        for i in range(size[0]):
            step = i * stride[0] * across
            others = flat[high + step :] if other_c < first[1] else nothing
            _packed_line(flat[low + step :], others, stride[1], columns[k, i * size[1] : (i + 1) * size[1]])


@kernel
def _columns_times_filters(columns, filters, outputs, bias, multiplier, shift, y_zero, low, high, first, y):
    """y[first + o, p] for all windows p and the filters of one group."""
    sums = np.empty((FILTERS, LANES), np.int32)
    for window in range(0, y.shape[1], LANES):
        count = min(LANES, y.shape[1] - window)
        for start in range(0, outputs, FILTERS):
            tile_sums(columns, window, filters, start, sums)
            for o in range(min(FILTERS, outputs - start)):
                at = first + start + o
                own, factor, places = bias[at], multiplier[at], shift[at]
                for p in range(count):
                    y[at, window + p] = _clamped(own + sums[o, p], factor, places, y_zero, low, high)


@kernel(parallel=True)
def _conv(x, filters, bias, x_zero, multiplier, shift, y_zero, low, high, kernel_size, stride, padding, dilation, size, y):
    groups, channels = filters.shape[0], x.shape[1] // filters.shape[0]
    outputs = y.shape[1] // groups
    for n in prange(x.shape[0]):
        planes = np.zeros((x.shape[1], x.shape[2] + padding[0] + padding[1], x.shape[3] + padding[2] + padding[3]), np.int16)
        _centred(x[n], x_zero, padding, planes)
        columns = np.zeros((filters.shape[2], -(-y.shape[2] // LANES) * LANES), np.int32)
        for g in range(groups):
            _windows_as_columns(planes, (g * channels, channels), kernel_size, stride, dilation, size, columns)
            _columns_times_filters(columns, filters[g], outputs, bias, multiplier, shift, y_zero, low, high, g * outputs, y[n])


def quantized_conv2d(x, weight, bias, x_zero, weight_zero, multiplier, shift, y_zero, low, high, stride, padding, dilation, groups):
    """y[n, o, i, j] = clamp(y_zero + requantized(bias[o] + sum (x - x_zero) (weight - weight_zero[o])), low, high), with channel o's multiplier.

    bias is int32 at the scale of the products, which is what makes adding it exact.
    """
    height = conv_output_size(x.shape[2], weight.shape[2], stride[0], padding[0], padding[1], dilation[0])
    width = conv_output_size(x.shape[3], weight.shape[3], stride[1], padding[2], padding[3], dilation[1])
    y = memory.empty((x.shape[0], weight.shape[0], height, width), np.dtype(np.int8))
    flat = y.reshape(*y.shape[:2], height * width)
    filters = _packed_filters(_filters(weight, weight_zero), groups)
    kernel_size = weight.shape[2], weight.shape[3]
    _conv(x, filters, bias, x_zero, multiplier, shift, y_zero, low, high, kernel_size, stride, padding, dilation, (height, width), flat)
    return y


def _filters(weight, weight_zero):
    """A filter a row, its zero point taken off: 16 bits hold every difference of two 8-bit integers."""
    flat = weight.reshape(weight.shape[0], -1).astype(np.int16)
    return np.ascontiguousarray(flat - weight_zero.astype(np.int16)[:, None])


def _packed_filters(filters, groups):
    """(groups, filters of one rounded up to `FILTERS`, pairs) int32: neighbours packed, zeros where there is nothing."""
    count, length = filters.shape[0] // groups, filters.shape[1]
    rounded = np.zeros((groups, -(-count // FILTERS) * FILTERS, length + length % 2), np.int32)
    rounded[:, :count, :length] = filters.reshape(groups, count, length)
    return (rounded[..., 1::2] << 16) | (rounded[..., ::2] & 0xFFFF)


def quantized_linear(x, weight, bias, x_zero, weight_zero, multiplier, shift, y_zero, low, high):
    """y[n, o] = clamp(y_zero + requantized(bias[o] + sum_k (x[n, k] - x_zero) (weight[o, k] - weight_zero[o])), low, high)."""
    across = memory.empty((weight.shape[0], x.shape[0]), np.dtype(np.int8))
    rows = np.ascontiguousarray(x.astype(np.int16) - np.int16(x_zero))
    _rows_times_filters(rows, _filters(weight, weight_zero), bias, multiplier, shift, y_zero, low, high, 0, across)
    return np.ascontiguousarray(across.T)


@kernel
def _add(a, b, a_zero, b_zero, a_multiplier, b_multiplier, shift, y_zero, low, high, y):
    half = np.int64(1) << (shift - 1)
    for k in range(y.size):
        total = (np.int64(a[k]) - a_zero) * a_multiplier + (np.int64(b[k]) - b_zero) * b_multiplier
        y[k] = np.int8(min(max(y_zero + ((total + half) >> shift), low), high))


def quantized_add(a, b, a_zero, b_zero, a_multiplier, b_multiplier, shift, y_zero, low, high):
    """y = clamp(y_zero + floor(((a - a_zero) a_multiplier + (b - b_zero) b_multiplier) / 2^shift + 1/2), low, high): rounded once."""
    y = memory.empty(a.shape, np.dtype(np.int8))
    _add(a.reshape(-1), b.reshape(-1), a_zero, b_zero, a_multiplier, b_multiplier, shift, y_zero, low, high, y.reshape(-1))
    return y


@kernel
def _max_pool(x, kernel_size, stride, padding, y):
    for plane in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                largest = np.int8(LOWEST)
                for a in range(kernel_size[0]):
                    h = i * stride[0] + a - padding[0]
                    for b in range(kernel_size[1]):
                        w = j * stride[1] + b - padding[2]
                        if 0 <= h < x.shape[1] and 0 <= w < x.shape[2]:
                            largest = max(largest, x[plane, h, w])
                y[plane, i, j] = largest


def quantized_max_pool2d(x, kernel_size, stride, padding, ceil_extra):
    """The largest integer of each window; padding never wins. `ceil_extra` = rows, columns that ceil_mode adds behind."""
    height = conv_output_size(x.shape[2], kernel_size[0], stride[0], padding[0], padding[1] + ceil_extra[0], 1)
    width = conv_output_size(x.shape[3], kernel_size[1], stride[1], padding[2], padding[3] + ceil_extra[1], 1)
    y = memory.empty((x.shape[0], x.shape[1], height, width), np.dtype(np.int8))
    _max_pool(x.reshape(-1, *x.shape[2:]), kernel_size, stride, padding, y.reshape(-1, height, width))
    return y


@kernel
def _avg_pool(x, x_zero, multiplier, shift, y_zero, kernel_size, stride, padding, y):
    for plane in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                total = 0
                for a in range(kernel_size[0]):
                    h = i * stride[0] + a - padding[0]
                    for b in range(kernel_size[1]):
                        w = j * stride[1] + b - padding[2]
                        if 0 <= h < x.shape[1] and 0 <= w < x.shape[2]:
                            total += x[plane, h, w] - x_zero
                y[plane, i, j] = _clamped(total, multiplier, shift, y_zero, LOWEST, HIGHEST)


def quantized_avg_pool2d(x, x_zero, multiplier, shift, y_zero, kernel_size, stride, padding):
    """y = clamp(y_zero + requantized(sum of the window's (x - x_zero))): the divisor is in the multiplier, so padding counts as zeros."""
    height = conv_output_size(x.shape[2], kernel_size[0], stride[0], padding[0], padding[1], 1)
    width = conv_output_size(x.shape[3], kernel_size[1], stride[1], padding[2], padding[3], 1)
    y = memory.empty((x.shape[0], x.shape[1], height, width), np.dtype(np.int8))
    _avg_pool(x.reshape(-1, *x.shape[2:]), x_zero, multiplier, shift, y_zero, kernel_size, stride, padding, y.reshape(-1, height, width))
    return y
