"""Three-dimensional convolution and its gradients, fast: the taps in depth become channels.

For output plane d, tap k of the kernel's depth sees the input plane d s + k dilation - front. These K_d planes of every channel are stacked as
C K_d channels of one image, so that one two-dimensional convolution of N D_out images with the weight as (C_out, C/groups K_d, K_h, K_w)
does all the arithmetic. Images are taken in batches, so that the stacked copy stays within WORKSPACE. A kernel of depth alone, (K_d, 1, 1),
needs no copy: the pixels of a plane are one row of an image of height D.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..reference import conv3d as definition
from ..reference.conv import PADDING_CODES, source_index
from .conv import conv2d, conv2d_grad_weight, conv2d_grad_x

__all__ = ["conv3d", "conv3d_grad_weight", "conv3d_grad_x"]

WORKSPACE = 64 << 20  # bytes


@plan_cache
def _depth_sources(size, kernel, stride, before, after, dilation, padding_mode):
    """(D_out, K_d): the input plane that each tap of each output plane reads, -1 where it is zero."""
    code = PADDING_CODES[padding_mode]
    count = (size + before + after - dilation * (kernel - 1) - 1) // stride + 1
    planes = [[source_index(d * stride + k * dilation - before, size, code) for k in range(kernel)] for d in range(count)]
    return np.array(planes, np.intp)


@kernel(parallel=True)
def _gather(x, stacked, sources):
    """stacked[n D_out + d, c K_d + k] = x[n, c, sources[d, k]]; x is (N, C, D, pixels)."""
    depths, taps = sources.shape
    channels = x.shape[1]
    for task in prange(stacked.shape[0] * channels):
        image, c = task // channels, task % channels
        n, d = image // depths, image % depths
        for k in range(taps):
            source = sources[d, k]
            if source >= 0:
                for p in range(x.shape[3]):
                    stacked[image, c * taps + k, p] = x[n, c, source, p]
            else:
                for p in range(x.shape[3]):
                    stacked[image, c * taps + k, p] = 0


@kernel(parallel=True)
def _collect(stacked, x, sources):
    """The adjoint of `_gather`: every plane of x is the sum of its copies. A task owns one channel of one image of x."""
    depths, taps = sources.shape
    channels = x.shape[1]
    for task in prange(x.shape[0] * channels):
        n, c = task // channels, task % channels
        for d in range(x.shape[2]):
            for p in range(x.shape[3]):
                x[n, c, d, p] = 0
        for d in range(depths):
            for k in range(taps):
                source = sources[d, k]
                if source >= 0:
                    for p in range(x.shape[3]):
                        x[n, c, source, p] += stacked[n * depths + d, c * taps + k, p]


def _row_shape(shape):
    """(A, B, D, H, W) as (A, B, D, H W)."""
    return *shape[:3], shape[3] * shape[4]


def _pixels(array):
    """(N, C, D, H, W) as (N, C, D, H W)."""
    return array.reshape(_row_shape(array.shape))


def _stack(x, sources):
    """(N, C, D, H, W) as (N D_out, C K_d, H, W)."""
    stacked = memory.empty((x.shape[0] * sources.shape[0], x.shape[1] * sources.shape[1], *x.shape[3:]), x.dtype)
    _gather(_pixels(x), stacked.reshape(*stacked.shape[:2], x.shape[3] * x.shape[4]), sources)
    return stacked


def _swap(source, target):
    """Copy (A, B, C, H W) into the memory of (A, C, B, H W)."""
    _gather(source, target.reshape(-1, source.shape[1], source.shape[3]), np.arange(source.shape[2])[:, np.newaxis])


def _planes_as_images(grad):
    """(N, C_out, D_out, H, W) as (N D_out, C_out, H, W)."""
    images = memory.empty((grad.shape[0] * grad.shape[2], grad.shape[1], *grad.shape[3:]), grad.dtype)
    _swap(_pixels(grad), images)
    return images


def _batches(x_shape, itemsize, sources):
    """Slices of images whose stacked copies fit the workspace."""
    each = x_shape[1] * sources.size * x_shape[3] * x_shape[4] * itemsize
    count = max(1, WORKSPACE // max(each, 1))
    return [slice(first, min(first + count, x_shape[0])) for first in range(0, x_shape[0], count)]


def _flattened(x_shape, weight_shape, stride, padding, dilation, groups, padding_mode):
    """What the two-dimensional convolution needs: the depth's sources, the weight's shape, and its options."""
    sources = _depth_sources(x_shape[2], weight_shape[2], stride[0], padding[0], padding[1], dilation[0], padding_mode)
    shape = (weight_shape[0], weight_shape[1] * weight_shape[2], *weight_shape[3:])
    return sources, shape, (stride[1:], padding[2:], dilation[1:], groups, padding_mode)


def _is_deep_only(weight_shape, stride, padding):
    """Whether the kernel is one pixel wide and high, and moves over every pixel of a plane."""
    return weight_shape[3:] == (1, 1) and stride[1:] == (1, 1) and not any(padding[2:])


def _row_options(stride, padding, dilation, groups, padding_mode):
    """The options of the two-dimensional convolution over (D, H W)."""
    return (stride[0], 1), (*padding[:2], 0, 0), (dilation[0], 1), groups, padding_mode


def conv3d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm="auto"):
    """Cross-correlate x with weight, add the bias of each output channel, and apply ReLU if activation is "relu"."""
    if algorithm == "naive":
        return definition.conv3d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation)
    shape = definition.output_shape(x.shape, weight.shape, stride, padding, dilation)
    if _is_deep_only(weight.shape, stride, padding):
        options = _row_options(stride, padding, dilation, groups, padding_mode)
        return conv2d(_pixels(x), _pixels(weight), bias, *options, activation, algorithm).reshape(shape)
    sources, flat_shape, options = _flattened(x.shape, weight.shape, stride, padding, dilation, groups, padding_mode)
    y = memory.empty(shape, x.dtype)
    for batch in _batches(x.shape, x.itemsize, sources):
        part = y[batch]
        images = conv2d(_stack(x[batch], sources), weight.reshape(flat_shape), bias, *options, activation, algorithm)
        _swap(images.reshape(part.shape[0], part.shape[2], part.shape[1], part.shape[3] * part.shape[4]), part)
    return y


def conv3d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to x: the gradient of the stacked planes, each plane the sum of its copies."""
    if algorithm == "naive":
        return definition.conv3d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode)
    if _is_deep_only(weight.shape, stride, padding):
        options = _row_options(stride, padding, dilation, groups, padding_mode)
        return conv2d_grad_x(_pixels(grad), _pixels(weight), _row_shape(x_shape), *options, algorithm).reshape(x_shape)
    sources, flat_shape, options = _flattened(x_shape, weight.shape, stride, padding, dilation, groups, padding_mode)
    grad_x = memory.empty(x_shape, grad.dtype)
    for batch in _batches(x_shape, grad.itemsize, sources):
        images = _planes_as_images(grad[batch])
        stacked_shape = (images.shape[0], x_shape[1] * weight.shape[2], *x_shape[3:])
        stacked = conv2d_grad_x(images, weight.reshape(flat_shape), stacked_shape, *options, algorithm)
        _collect(stacked.reshape(*stacked_shape[:2], x_shape[3] * x_shape[4]), _pixels(grad_x[batch]), sources)
    return grad_x


def conv3d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    """Gradient with respect to weight: that of the two-dimensional convolution of the stacked planes."""
    if algorithm == "naive":
        return definition.conv3d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode)
    if _is_deep_only(weight_shape, stride, padding):
        options = _row_options(stride, padding, dilation, groups, padding_mode)
        return conv2d_grad_weight(_pixels(grad), _pixels(x), _row_shape(weight_shape), *options, algorithm).reshape(weight_shape)
    sources, flat_shape, options = _flattened(x.shape, weight_shape, stride, padding, dilation, groups, padding_mode)
    grad_weight = memory.zeros(weight_shape, grad.dtype)
    for batch in _batches(x.shape, grad.itemsize, sources):
        part = conv2d_grad_weight(_planes_as_images(grad[batch]), _stack(x[batch], sources), flat_shape, *options, algorithm)
        grad_weight += part.reshape(weight_shape)
    return grad_weight
