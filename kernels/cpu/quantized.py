"""Eight-bit integer arithmetic, fast. The windows of an image become rows of 16-bit integers, the zero point taken off; a sum over a row and a
filter is then what the processor's 16-bit multiply-and-add-pairs does, with 32-bit sums (the plain loop of `_dot` compiles to it). All results
equal the definitions' to the bit.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..sizes import conv_output_size

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
def _windows_as_rows(image, zero, first, channels, kernel_size, stride, padding, dilation, columns, rows):
    """rows[p, k] = image[first + c, h, w] - zero for window p and its element k = (c, a, b); 0 in the padding."""
    for p in range(rows.shape[0]):
        i, j = p // columns, p % columns
        k = 0
        for c in range(channels):
            for a in range(kernel_size[0]):
                h = i * stride[0] + a * dilation[0] - padding[0]
                for b in range(kernel_size[1]):
                    w = j * stride[1] + b * dilation[1] - padding[2]
                    inside = 0 <= h < image.shape[1] and 0 <= w < image.shape[2]
                    rows[p, k] = np.int16(image[first + c, h, w] - zero) if inside else np.int16(0)
                    k += 1


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


@kernel(parallel=True)
def _conv(x, filters, bias, x_zero, multiplier, shift, y_zero, low, high, kernel_size, stride, padding, dilation, groups, columns, y):
    outputs = filters.shape[0] // groups
    channels = x.shape[1] // groups
    for n in prange(x.shape[0]):
        rows = np.empty((y.shape[2], filters.shape[1]), np.int16)
        for g in range(groups):
            _windows_as_rows(x[n], x_zero, g * channels, channels, kernel_size, stride, padding, dilation, columns, rows)
            own = filters[g * outputs : (g + 1) * outputs]
            _rows_times_filters(rows, own, bias, multiplier, shift, y_zero, low, high, g * outputs, y[n])


def quantized_conv2d(x, weight, bias, x_zero, weight_zero, multiplier, shift, y_zero, low, high, stride, padding, dilation, groups):
    """y[n, o, i, j] = clamp(y_zero + requantized(bias[o] + sum (x - x_zero) (weight - weight_zero[o])), low, high), with channel o's multiplier.

    bias is int32 at the scale of the products, which is what makes adding it exact.
    """
    height = conv_output_size(x.shape[2], weight.shape[2], stride[0], padding[0], padding[1], dilation[0])
    width = conv_output_size(x.shape[3], weight.shape[3], stride[1], padding[2], padding[3], dilation[1])
    y = memory.empty((x.shape[0], weight.shape[0], height, width), np.dtype(np.int8))
    filters = _filters(weight, weight_zero)
    size = weight.shape[2], weight.shape[3]
    flat = y.reshape(*y.shape[:2], height * width)
    _conv(x, filters, bias, x_zero, multiplier, shift, y_zero, low, high, size, stride, padding, dilation, groups, width, flat)
    return y


def _filters(weight, weight_zero):
    """A filter a row, its zero point taken off: 16 bits hold every difference of two 8-bit integers."""
    flat = weight.reshape(weight.shape[0], -1).astype(np.int16)
    return np.ascontiguousarray(flat - weight_zero.astype(np.int16)[:, None])


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
