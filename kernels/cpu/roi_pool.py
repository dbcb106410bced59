"""RoIPool and its position-sensitive form, fast: whole pixels in bins whose edges are rounded."""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.roi import FARTHEST, LOWEST
from ..threads import get_num_threads
from .channels_last import to_channels_last

__all__ = ["ps_roi_pool", "ps_roi_pool_grad_x", "roi_pool", "roi_pool_grad_x"]


@kernel(fastmath=False)
def _rounded(value):
    """The nearest whole number, halves away from zero."""
    if not abs(value) < FARTHEST:
        return FARTHEST if value > 0 else -FARTHEST
    whole = np.intp(value)
    if abs(value - whole) * 2 >= 1:
        whole += 1 if value > 0 else -1
    return whole


@kernel(fastmath=False)
def _axis_bins(start, end, bins, extra, last, like, edges):
    """Fill edges[i] = (first pixel, end) of each bin of one axis."""
    kind = like.dtype.type
    first_pixel = _rounded(start)
    step = kind(max(_rounded(end) - first_pixel + extra, 1)) / kind(bins)
    for i in range(bins):
        first, stop = np.intp(math.floor(kind(i) * step)), np.intp(math.ceil(kind(i + 1) * step))
        edges[i, 0] = min(max(first + first_pixel, 0), last)
        edges[i, 1] = min(max(stop + first_pixel, 0), last)


@kernel(fastmath=False)
def _edges(roi, scale, bins, extra, last_row, last_column, rows, columns):
    """The bins of a region along both axes; empty if any corner is no number."""
    factor = roi.dtype.type(scale)
    left, top, right, bottom = roi[1] * factor, roi[2] * factor, roi[3] * factor, roi[4] * factor
    if np.isnan(left) or np.isnan(top) or np.isnan(right) or np.isnan(bottom):
        rows[:] = 0
        columns[:] = 0
        return
    _axis_bins(top, bottom, bins[0], extra, last_row, roi, rows)
    _axis_bins(left, right, bins[1], extra, last_column, roi, columns)


@kernel(parallel=True, fastmath=False)
def _largest(x, rois, scale, bins, y, place, tasks):
    """x is channels-last: the pixels of a bin one after another, all channels of each at once."""
    height, width, channels = x.shape[1:]
    for task in prange(tasks):
        rows, columns = np.empty((bins[0], 2), np.intp), np.empty((bins[1], 2), np.intp)
        largest, found = np.empty(channels, x.dtype), np.empty(channels, np.int32)
        for k in range(task * rois.shape[0] // tasks, (task + 1) * rois.shape[0] // tasks):
            _edges(rois[k], scale, bins, 1, height, width, rows, columns)
            for i in range(bins[0]):
                for j in range(bins[1]):
                    empty = rows[i, 1] <= rows[i, 0] or columns[j, 1] <= columns[j, 0]
                    largest[:] = x.dtype.type(0 if empty else LOWEST)
                    found[:] = -1
                    for h in range(rows[i, 0], rows[i, 1]):
                        for w in range(columns[j, 0], columns[j, 1]):
                            pixel, at = x[np.intp(rois[k, 0]), h, w], np.int32(h * width + w)
                            for c in range(channels):
                                larger = pixel[c] > largest[c]
                                largest[c] = pixel[c] if larger else largest[c]
                                found[c] = at if larger else found[c]
                    for c in range(channels):
                        y[k, c, i, j] = largest[c]
                        place[k, c, i, j] = found[c]


def roi_pool(x, rois, spatial_scale, output_size):
    """The largest pixel of each bin and its place h * W + w in the image; 0 and -1 where a bin is empty. NaN never wins."""
    shape = (rois.shape[0], x.shape[1], *output_size)
    y, place = memory.empty(shape, x.dtype), memory.empty(shape, np.int64)
    if y.size:
        tasks = max(1, min(rois.shape[0], 8 * get_num_threads()))
        _largest(to_channels_last(x), rois, float(spatial_scale), output_size, y, place, tasks)
    return y, place


@kernel(parallel=True)
def _hand_back(grad, place, rois, grad_x, tasks):
    channels, width = grad_x.shape[1], grad_x.shape[3]
    for task in prange(tasks):
        first, end = task * channels // tasks, (task + 1) * channels // tasks
        grad_x[:, first:end] = 0
        for k in range(rois.shape[0]):
            for c in range(first, end):
                plane = grad_x[np.intp(rois[k, 0]), c]
                for i in range(grad.shape[2]):
                    for j in range(grad.shape[3]):
                        found = place[k, c, i, j]
                        if found >= 0:
                            plane[found // width, found % width] += grad[k, c, i, j]


def roi_pool_grad_x(grad, place, rois, x_shape):
    """Each bin hands its gradient to the pixel that won."""
    grad_x = memory.empty(x_shape, grad.dtype)
    _hand_back(grad, place, rois, grad_x, max(1, min(x_shape[1], 2 * get_num_threads())))
    return grad_x


@kernel(parallel=True)
def _means(x, rois, scale, bins, y):
    height, width = x.shape[2:]
    for k in prange(rois.shape[0]):
        rows, columns = np.empty((bins[0], 2), np.intp), np.empty((bins[1], 2), np.intp)
        _edges(rois[k], scale, bins, 0, height - 1, width - 1, rows, columns)
        for c in range(y.shape[1]):
            for i in range(bins[0]):
                for j in range(bins[1]):
                    plane = x[np.intp(rois[k, 0]), (c * bins[0] + i) * bins[1] + j]
                    size = max(rows[i, 1] - rows[i, 0], 0) * max(columns[j, 1] - columns[j, 0], 0)
                    total = x.dtype.type(0)
                    if size > 0:
                        for h in range(rows[i, 0], rows[i, 1]):
                            for w in range(columns[j, 0], columns[j, 1]):
                                total += plane[h, w]
                        total /= x.dtype.type(size)
                    y[k, c, i, j] = total


def ps_roi_pool(x, rois, spatial_scale, output_size):
    """The mean of each bin's pixels in a channel of its own; the last row and column of the image are not read, as in torchvision."""
    channels = x.shape[1] // (output_size[0] * output_size[1])
    y = memory.empty((rois.shape[0], channels, *output_size), x.dtype)
    _means(x, rois, float(spatial_scale), output_size, y)
    return y


@kernel(parallel=True)
def _share_means(grad, rois, scale, bins, grad_x, tasks):
    channels, height, width = grad_x.shape[1:]
    for task in prange(tasks):
        first, end = task * channels // tasks, (task + 1) * channels // tasks
        grad_x[:, first:end] = 0
        rows, columns = np.empty((bins[0], 2), np.intp), np.empty((bins[1], 2), np.intp)
        for k in range(rois.shape[0]):
            _edges(rois[k], scale, bins, 0, height - 1, width - 1, rows, columns)
            for source in range(first, end):
                i, j = source // bins[1] % bins[0], source % bins[1]
                plane = grad_x[np.intp(rois[k, 0]), source]
                size = max(rows[i, 1] - rows[i, 0], 0) * max(columns[j, 1] - columns[j, 0], 0)
                if size > 0:
                    upstream = grad[k, source // (bins[0] * bins[1]), i, j] / grad.dtype.type(size)
                    for h in range(rows[i, 0], rows[i, 1]):
                        for w in range(columns[j, 0], columns[j, 1]):
                            plane[h, w] += upstream


def ps_roi_pool_grad_x(grad, rois, x_shape, spatial_scale, output_size):
    """Each bin hands its gradient over its size to its pixels."""
    grad_x = memory.empty(x_shape, grad.dtype)
    _share_means(grad, rois, float(spatial_scale), output_size, grad_x, max(1, min(x_shape[1], 2 * get_num_threads())))
    return grad_x
