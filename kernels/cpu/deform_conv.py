"""The columns of a deformable convolution, fast: positions once for all channels of an offset group, channels side by side.

Forward and for the offsets, each task owns rows of the output; for the input, each task owns a share of the channels of one image and visits the
positions in their order: the result does not depend on the number of threads.
"""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import get_num_threads
from .channels_last import to_channels_first, to_channels_last

__all__ = ["deform_columns", "deform_columns_grad_offset", "deform_columns_grad_x"]


@kernel
def _corners(h, w, height, width, channels, offsets, weights, slopes):
    """Fill the offsets in a channels-last image of the pixels around (h, w), their weights and slopes; returns how many lie in the image."""
    if not (h >= -1 and h < height and w >= -1 and w < width):
        return 0
    low_h, low_w = np.intp(math.floor(h)), np.intp(math.floor(w))
    kind = weights.dtype.type
    one = kind(1)
    above, right = kind(h - low_h), kind(w - low_w)
    count = 0
    for a in range(2):
        for b in range(2):
            row, column = low_h + a, low_w + b
            if row >= 0 and row < height and column >= 0 and column < width:
                weight_h, weight_w = above if a else one - above, right if b else one - right
                offsets[count] = (row * width + column) * channels
                weights[count] = weight_h * weight_w
                slopes[count, 0] = weight_w if a else -weight_w
                slopes[count, 1] = weight_h if b else -weight_h
                count += 1
    return count


@kernel
def _position(offset, n, slot, i, j, a, b, stride, padding, dilation):
    h = offset.dtype.type(i * stride[0] - padding[0] + a * dilation[0]) + offset[n, 2 * slot, i, j]
    w = offset.dtype.type(j * stride[1] - padding[1] + b * dilation[1]) + offset[n, 2 * slot + 1, i, j]
    return h, w


@kernel(parallel=True)
def _sample(x, offset, mask, masked, columns, kernel_size, stride, padding, dilation):
    images, height, width, channels = x.shape
    pixels = x.reshape(-1)
    rows, places = offset.shape[2:]
    cells = kernel_size[0] * kernel_size[1]
    offset_groups = offset.shape[1] // (2 * cells)
    members, group_members = channels // offset_groups, channels // columns.shape[0]
    for task in prange(images * rows):
        n, i = task // rows, task % rows
        image = n * height * width * channels
        offsets, weights, slopes = np.empty(4, np.intp), np.empty(4, x.dtype), np.empty((4, 2), x.dtype)
        for j in range(places):
            for k in range(cells):
                for part in range(offset_groups):
                    slot = part * cells + k
                    h, w = _position(offset, n, slot, i, j, k // kernel_size[1], k % kernel_size[1], stride, padding, dilation)
                    count = _corners(h, w, height, width, channels, offsets, weights, slopes) if h > -1 and w > -1 else 0
                    factor = mask[n, slot, i, j] if masked else x.dtype.type(1)
                    first = part * members
                    while first < (part + 1) * members:
                        # Channels of one group of the convolution lie side by side in one row of its matrix.
                        group = first // group_members
                        end = min((part + 1) * members, (group + 1) * group_members)
                        line = columns[group, (n * rows + i) * places + j]
                        start = k * group_members + first - group * group_members
                        for c in range(end - first):
                            line[start + c] = 0
                        for entry in range(count):
                            at, weight = image + offsets[entry] + first, weights[entry]
                            for c in range(end - first):
                                line[start + c] += weight * pixels[at + c]
                        if masked:
                            for c in range(end - first):
                                line[start + c] *= factor
                        first = end


@kernel(parallel=True)
def _collect(grad, offset, mask, masked, grad_x, kernel_size, stride, padding, dilation, shares):
    images, height, width, channels = grad_x.shape
    pixels = grad_x.reshape(-1)
    rows, places = offset.shape[2:]
    cells = kernel_size[0] * kernel_size[1]
    offset_groups = offset.shape[1] // (2 * cells)
    members, group_members = channels // offset_groups, channels // grad.shape[0]
    for task in prange(images * shares):
        n, share = task // shares, task % shares
        first_channel, end_channel = share * channels // shares, (share + 1) * channels // shares
        grad_x[n, :, :, first_channel:end_channel] = 0
        image = n * height * width * channels
        offsets, weights, slopes = np.empty(4, np.intp), np.empty(4, grad.dtype), np.empty((4, 2), grad.dtype)
        for i in range(rows):
            for j in range(places):
                for k in range(cells):
                    first = first_channel
                    while first < end_channel:
                        part, group = first // members, first // group_members
                        end = min(end_channel, (part + 1) * members, (group + 1) * group_members)
                        slot = part * cells + k
                        h, w = _position(offset, n, slot, i, j, k // kernel_size[1], k % kernel_size[1], stride, padding, dilation)
                        count = _corners(h, w, height, width, channels, offsets, weights, slopes) if h > -1 and w > -1 else 0
                        factor = mask[n, slot, i, j] if masked else grad.dtype.type(1)
                        line = grad[group, (n * rows + i) * places + j]
                        start = k * group_members + first - group * group_members
                        for entry in range(count):
                            at, weight = image + offsets[entry] + first, weights[entry] * factor
                            for c in range(end - first):
                                pixels[at + c] += weight * line[start + c]
                        first = end


@kernel(parallel=True)
def _slopes(grad, x, offset, mask, masked, grad_offset, grad_mask, kernel_size, stride, padding, dilation):
    images, height, width, channels = x.shape
    pixels = x.reshape(-1)
    rows, places = offset.shape[2:]
    cells = kernel_size[0] * kernel_size[1]
    offset_groups = offset.shape[1] // (2 * cells)
    members, group_members = channels // offset_groups, channels // grad.shape[0]
    zero = grad.dtype.type(0)
    for task in prange(images * rows):
        n, i = task // rows, task % rows
        image = n * height * width * channels
        offsets, weights, slopes = np.empty(4, np.intp), np.empty(4, grad.dtype), np.empty((4, 2), grad.dtype)
        for j in range(places):
            for slot in range(offset_groups * cells):
                part, k = slot // cells, slot % cells
                h, w = _position(offset, n, slot, i, j, k // kernel_size[1], k % kernel_size[1], stride, padding, dilation)
                count = _corners(h, w, height, width, channels, offsets, weights, slopes)
                inside = h > -1 and w > -1
                along_h, along_w, value = zero, zero, zero
                first = part * members
                while first < (part + 1) * members:
                    group = first // group_members
                    end = min((part + 1) * members, (group + 1) * group_members)
                    line = grad[group, (n * rows + i) * places + j]
                    start = k * group_members + first - group * group_members
                    for entry in range(count):
                        at, total = image + offsets[entry] + first, zero
                        for c in range(end - first):
                            total += line[start + c] * pixels[at + c]
                        along_h += slopes[entry, 0] * total
                        along_w += slopes[entry, 1] * total
                        if inside:
                            value += weights[entry] * total
                    first = end
                factor = mask[n, slot, i, j] if masked else grad.dtype.type(1)
                grad_offset[n, 2 * slot, i, j] = factor * along_h
                grad_offset[n, 2 * slot + 1, i, j] = factor * along_w
                if masked:
                    grad_mask[n, slot, i, j] = value


def _mask(mask, like):
    """An array in place of None, so that each kernel is compiled once."""
    return np.zeros((1, 1, 1, 1), like.dtype) if mask is None else mask


def deform_columns(x, offset, mask, kernel_size, stride, padding, dilation, groups):
    """The samples, times the mask where there is one."""
    positions = x.shape[0] * offset.shape[2] * offset.shape[3]
    columns = memory.empty((groups, positions, kernel_size[0] * kernel_size[1] * (x.shape[1] // groups)), x.dtype)
    if columns.size:
        _sample(to_channels_last(x), offset, _mask(mask, x), mask is not None, columns, kernel_size, stride, padding, dilation)
    return columns


def deform_columns_grad_x(grad, offset, mask, x_shape, kernel_size, stride, padding, dilation, groups):
    """Each pixel collects the gradients of the samples that read it."""
    images, channels, height, width = x_shape
    grad_x = memory.empty((images, height, width, channels), grad.dtype)
    if grad_x.size:
        shares = max(1, min(channels // 8, get_num_threads()))
        _collect(grad, offset, _mask(mask, grad), mask is not None, grad_x, kernel_size, stride, padding, dilation, shares)
    return to_channels_first(grad_x)


def deform_columns_grad_offset(grad, x, offset, mask, kernel_size, stride, padding, dilation, groups):
    """(grad_offset, grad_mask): how the samples change as they move, and the samples themselves; without a mask the second is empty."""
    grad_offset = memory.zeros(offset.shape, grad.dtype)
    grad_mask = memory.zeros((0,) if mask is None else mask.shape, grad.dtype)
    if x.size and offset.size:
        given = grad_mask if mask is not None else np.zeros((1, 1, 1, 1), grad.dtype)
        options = (kernel_size, stride, padding, dilation)
        _slopes(grad, to_channels_last(x), offset, _mask(mask, grad), mask is not None, grad_offset, given, *options)
    return grad_offset, grad_mask
