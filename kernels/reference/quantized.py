"""Eight-bit integer arithmetic, as its definition says: int8 numbers in, int32 sums, a fixed-point multiplication, int8 numbers out.

A real number r stands as the integer q with r = scale (q - zero). A product of two such numbers has the scale scale_x scale_w; bringing a sum
of them to the output's scale multiplies by M = scale_x scale_w / scale_y, which is kept as two integers, M = multiplier / 2^shift. Nothing
between the two ends of a layer is a float.

Rounding: `quantize` rounds half to even, as IEEE 754 does; `requantized` rounds half up (towards plus infinity), which is one addition and one
arithmetic shift. x is (N, C, H, W); padding is (top, bottom, left, right) and holds the real number zero, that is x_zero.
"""

import numpy as np

from ..sizes import conv_output_size

__all__ = ["dequantize", "quantize", "quantized_add", "quantized_avg_pool2d", "quantized_conv2d", "quantized_linear", "quantized_max_pool2d"]

LOWEST, HIGHEST = -128, 127


def requantized(total, multiplier, shift):
    """floor(total multiplier / 2^shift + 1/2), in 64-bit integers: total is below 2^31, multiplier below 2^31."""
    return (int(total) * int(multiplier) + (1 << (int(shift) - 1))) >> int(shift)


def clamped(value, low, high):
    """The value, or the nearer end of [low, high]."""
    return min(max(value, low), high)


def quantize(x, scale, zero, low, high):
    """q = clamp(round(x / scale) + zero, low, high), half to even; scale and zero are one number, or one a channel of axis 0."""
    q = np.empty(x.shape, np.int8)
    for index in np.ndindex(*x.shape):
        at = index[0] if scale.size > 1 else 0
        q[index] = clamped(round(float(x[index] / scale[at])) + int(zero[at]), low, high)
    return q


def dequantize(q, scale, zero):
    """x = scale (q - zero), in scale's type; scale and zero as in `quantize`."""
    x = np.empty(q.shape, scale.dtype)
    for index in np.ndindex(*q.shape):
        at = index[0] if scale.size > 1 else 0
        x[index] = scale[at] * (int(q[index]) - int(zero[at]))
    return x


def quantized_conv2d(x, weight, bias, x_zero, weight_zero, multiplier, shift, y_zero, low, high, stride, padding, dilation, groups):
    """y[n, o, i, j] = clamp(y_zero + requantized(bias[o] + sum (x - x_zero) (weight - weight_zero[o])), low, high), with channel o's multiplier.

    bias is int32 at the scale of the products, which is what makes adding it exact.
    """
    height = conv_output_size(x.shape[2], weight.shape[2], stride[0], padding[0], padding[1], dilation[0])
    width = conv_output_size(x.shape[3], weight.shape[3], stride[1], padding[2], padding[3], dilation[1])
    y = np.empty((x.shape[0], weight.shape[0], height, width), np.int8)
    for n, o, i, j in np.ndindex(*y.shape):
        first = o // (weight.shape[0] // groups) * weight.shape[1]
        total = int(bias[o])
        for c, a, b in np.ndindex(*weight.shape[1:]):
            h, w = i * stride[0] + a * dilation[0] - padding[0], j * stride[1] + b * dilation[1] - padding[2]
            if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                total += (int(x[n, first + c, h, w]) - x_zero) * (int(weight[o, c, a, b]) - int(weight_zero[o]))
        y[n, o, i, j] = clamped(y_zero + requantized(total, multiplier[o], shift[o]), low, high)
    return y


def quantized_linear(x, weight, bias, x_zero, weight_zero, multiplier, shift, y_zero, low, high):
    """y[n, o] = clamp(y_zero + requantized(bias[o] + sum_k (x[n, k] - x_zero) (weight[o, k] - weight_zero[o])), low, high)."""
    y = np.empty((x.shape[0], weight.shape[0]), np.int8)
    for n, o in np.ndindex(*y.shape):
        total = int(bias[o])
        for k in range(x.shape[1]):
            total += (int(x[n, k]) - x_zero) * (int(weight[o, k]) - int(weight_zero[o]))
        y[n, o] = clamped(y_zero + requantized(total, multiplier[o], shift[o]), low, high)
    return y


def quantized_add(a, b, a_zero, b_zero, a_multiplier, b_multiplier, shift, y_zero, low, high):
    """y = clamp(y_zero + floor(((a - a_zero) a_multiplier + (b - b_zero) b_multiplier) / 2^shift + 1/2), low, high): rounded once."""
    y = np.empty(a.shape, np.int8)
    for index in np.ndindex(*a.shape):
        total = (int(a[index]) - a_zero) * a_multiplier + (int(b[index]) - b_zero) * b_multiplier
        y[index] = clamped(y_zero + requantized(total, 1, shift), low, high)
    return y


def quantized_max_pool2d(x, kernel_size, stride, padding, ceil_extra):
    """The largest integer of each window; padding never wins. `ceil_extra` = rows, columns that ceil_mode adds behind."""
    height = conv_output_size(x.shape[2], kernel_size[0], stride[0], padding[0], padding[1] + ceil_extra[0], 1)
    width = conv_output_size(x.shape[3], kernel_size[1], stride[1], padding[2], padding[3] + ceil_extra[1], 1)
    y = np.full((x.shape[0], x.shape[1], height, width), LOWEST, np.int8)
    for n, c, i, j in np.ndindex(*y.shape):
        for a, b in np.ndindex(*kernel_size):
            h, w = i * stride[0] + a - padding[0], j * stride[1] + b - padding[2]
            if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                y[n, c, i, j] = max(y[n, c, i, j], x[n, c, h, w])
    return y


def quantized_avg_pool2d(x, x_zero, multiplier, shift, y_zero, kernel_size, stride, padding):
    """y = clamp(y_zero + requantized(sum of the window's (x - x_zero))): the divisor is in the multiplier, so padding counts as zeros."""
    height = conv_output_size(x.shape[2], kernel_size[0], stride[0], padding[0], padding[1], 1)
    width = conv_output_size(x.shape[3], kernel_size[1], stride[1], padding[2], padding[3], 1)
    y = np.empty((x.shape[0], x.shape[1], height, width), np.int8)
    for n, c, i, j in np.ndindex(*y.shape):
        total = 0
        for a, b in np.ndindex(*kernel_size):
            h, w = i * stride[0] + a - padding[0], j * stride[1] + b - padding[2]
            if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                total += int(x[n, c, h, w]) - x_zero
        y[n, c, i, j] = clamped(y_zero + requantized(total, multiplier, shift), LOWEST, HIGHEST)
    return y
