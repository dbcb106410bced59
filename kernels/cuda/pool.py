"""Two-dimensional pooling and its gradients on a CUDA device."""

import numpy as np
from numba import cuda

from ..reference.pool import output_shape, window_dtype
from .conv import _unravel
from .device import by_kind, empty, launch

__all__ = ["avg_pool2d", "avg_pool2d_grad_x", "max_pool2d", "max_pool2d_flat_index", "max_pool2d_grad_x"]


@cuda.jit(device=True)
def _count(place, size, kernel, stride, before, after, count_include_pad):
    """(first cell in the image, end, cells that count) of one window along one axis."""
    start = place * stride - before
    end = min(start + kernel, size + after)
    first, last = max(start, 0), min(end, size)
    inside = max(last - first, 0)
    return first, first + inside, (end - start) if count_include_pad else inside


@cuda.jit
def _flat_index(window, index, width, kernel_width, stride, padding, dilation):
    place = cuda.grid(1)
    if place >= index.size:
        return
    n, c, i, j = _unravel(place, index.shape)
    cell = np.int64(window[n, c, i, j])
    h = i * stride[0] + cell // kernel_width * dilation[0] - padding[0]
    w = j * stride[1] + cell % kernel_width * dilation[1] - padding[2]
    index[n, c, i, j] = h * width + w


@by_kind
def _kernels(kind):
    @cuda.jit
    def largest(x, y, window, kernel_size, stride, padding, dilation):
        place = cuda.grid(1)
        if place >= y.size:
            return
        n, c, i, j = _unravel(place, y.shape)
        found, best, cell = False, kind(0), 0
        for a in range(kernel_size[0]):
            h = i * stride[0] + a * dilation[0] - padding[0]
            for b in range(kernel_size[1]):
                w = j * stride[1] + b * dilation[1] - padding[2]
                if h >= 0 and h < x.shape[2] and w >= 0 and w < x.shape[3]:
                    value = x[n, c, h, w]
                    if not found or value > best or value != value:
                        found, best, cell = True, value, a * kernel_size[1] + b
        y[n, c, i, j] = best
        window[n, c, i, j] = cell

    @cuda.jit
    def hand_back(grad, window, grad_x, kernel_size, stride, padding, dilation):
        place = cuda.grid(1)
        if place >= grad_x.size:
            return
        n, c, h, w = _unravel(place, grad_x.shape)
        total = kind(0)
        for a in range(kernel_size[0]):
            i = h + padding[0] - a * dilation[0]
            if i < 0 or i % stride[0] or i // stride[0] >= grad.shape[2]:
                continue
            for b in range(kernel_size[1]):
                j = w + padding[2] - b * dilation[1]
                if j < 0 or j % stride[1] or j // stride[1] >= grad.shape[3]:
                    continue
                if window[n, c, i // stride[0], j // stride[1]] == a * kernel_size[1] + b:
                    total += grad[n, c, i // stride[0], j // stride[1]]
        grad_x[n, c, h, w] = total

    @cuda.jit
    def mean(x, y, kernel_size, stride, padding, count_include_pad, divisor_override):
        place = cuda.grid(1)
        if place >= y.size:
            return
        n, c, i, j = _unravel(place, y.shape)
        top, bottom, high = _count(i, x.shape[2], kernel_size[0], stride[0], padding[0], padding[1], count_include_pad)
        left, right, wide = _count(j, x.shape[3], kernel_size[1], stride[1], padding[2], padding[3], count_include_pad)
        divisor = divisor_override if divisor_override else high * wide
        total = kind(0)
        for h in range(top, bottom):
            for w in range(left, right):
                total += x[n, c, h, w]
        y[n, c, i, j] = total / kind(divisor) if divisor else total

    @cuda.jit
    def share(grad, grad_x, kernel_size, stride, padding, count_include_pad, divisor_override):
        place = cuda.grid(1)
        if place >= grad_x.size:
            return
        n, c, h, w = _unravel(place, grad_x.shape)
        height, width = grad_x.shape[2], grad_x.shape[3]
        total = kind(0)
        for i in range(max(0, (h + padding[0] - kernel_size[0]) // stride[0]), min(grad.shape[2], (h + padding[0]) // stride[0] + 1)):
            top, bottom, high = _count(i, height, kernel_size[0], stride[0], padding[0], padding[1], count_include_pad)
            if h < top or h >= bottom:
                continue
            for j in range(max(0, (w + padding[2] - kernel_size[1]) // stride[1]), min(grad.shape[3], (w + padding[2]) // stride[1] + 1)):
                left, right, wide = _count(j, width, kernel_size[1], stride[1], padding[2], padding[3], count_include_pad)
                if w >= left and w < right:
                    total += grad[n, c, i, j] / kind(divisor_override if divisor_override else high * wide)
        grad_x[n, c, h, w] = total

    return largest, hand_back, mean, share


def max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window, and its position in the window; see the reference."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y, window = empty(shape, x.dtype, x), empty(shape, window_dtype(kernel_size), x)
    launch(_kernels(x)[0], y.size, x, y, window, kernel_size, stride, padding, dilation)
    return y, window


def max_pool2d_flat_index(window, x_shape, kernel_size, stride, padding, dilation):
    """For each output, the position h * W + w of its maximum in the image."""
    index = empty(window.shape, np.int64, window)
    launch(_flat_index, index.size, window, index, x_shape[3], kernel_size[1], stride, padding, dilation)
    return index


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = empty(tuple(x_shape), grad.dtype, grad)
    launch(_kernels(grad)[1], grad_x.size, grad, window, grad_x, kernel_size, stride, padding, dilation)
    return grad_x


def avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The average of each window; see the reference for what it is divided by."""
    y = empty(output_shape(x.shape, kernel_size, stride, padding, (1, 1), ceil_mode), x.dtype, x)
    launch(_kernels(x)[2], y.size, x, y, kernel_size, stride, padding, bool(count_include_pad), divisor_override or 0)
    return y


def avg_pool2d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each output hands its gradient over the divisor to every element of its window."""
    grad_x = empty(tuple(x_shape), grad.dtype, grad)
    launch(_kernels(grad)[3], grad_x.size, grad, grad_x, kernel_size, stride, padding, bool(count_include_pad), divisor_override or 0)
    return grad_x
