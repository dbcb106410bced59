"""RoIAlign and its position-sensitive form, fast; RoIPool comes from `roi_pool`.

The map is copied once so that the channels of a pixel lie side by side: then the loop over channels reads whole vectors, and the position of a
sample is computed once for all channels. Backward, each task owns a share of the channels of one image, and visits the regions in their order:
the result does not depend on the number of threads.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads
from .channels_last import to_channels_first, to_channels_last
from .roi_pool import ps_roi_pool, ps_roi_pool_grad_x, roi_pool, roi_pool_grad_x
from .roi_samples import axis_entries, grid_size, region, room

__all__ = [
    "ps_roi_align",
    "ps_roi_align_grad_x",
    "ps_roi_pool",
    "ps_roi_pool_grad_x",
    "roi_align",
    "roi_align_grad_x",
    "roi_pool",
    "roi_pool_grad_x",
]


@kernel
def _bin_entries(i, j, lists_h, lists_w, width, channels, offset, share, offsets, weights):
    """The offsets in a channels-last map of the pixels that bin (i, j) reads, and their weights."""
    starts_h, pixels_h, weights_h = lists_h
    starts_w, pixels_w, weights_w = lists_w
    count = 0
    for row in range(starts_h[i], starts_h[i + 1]):
        line = offset + pixels_h[row] * width * channels
        factor = weights_h[row] * share
        for column in range(starts_w[j], starts_w[j + 1]):
            offsets[count] = line + pixels_w[column] * channels
            weights[count] = factor * weights_w[column]
            count += 1
    return count


@kernel
def _add_pixels(x, offsets, weights, count, total, start, channels):
    """total[start + c] = sum over the entries of weight * x[offset + c], four entries at a time."""
    start, channels = np.uint64(start), np.uint64(channels)
    for c in range(channels):
        total[start + c] = 0
    whole = count - count % 4
    for entry in range(0, whole, 4):
        o1, o2, o3, o4 = offsets[entry], offsets[entry + 1], offsets[entry + 2], offsets[entry + 3]
        w1, w2, w3, w4 = weights[entry], weights[entry + 1], weights[entry + 2], weights[entry + 3]
        for c in range(channels):
            total[start + c] += w1 * x[o1 + c] + w2 * x[o2 + c] + (w3 * x[o3 + c] + w4 * x[o4 + c])
    for entry in range(whole, count):
        o1, w1 = offsets[entry], weights[entry]
        for c in range(channels):
            total[start + c] += w1 * x[o1 + c]


@kernel
def _align_regions(x, rois, y, x_shape, bins, options, rooms, first_region, end_region):
    _, height, width, channels = x_shape
    scale, shift, least, sampling_ratio = options
    cells = bins[0] * bins[1]
    starts_h, starts_w = np.empty(bins[0] + 1, np.intp), np.empty(bins[1] + 1, np.intp)
    pixels_h, pixels_w = np.empty(rooms[0] + 1, np.intp), np.empty(rooms[1] + 1, np.intp)
    weights_h, weights_w = np.empty(rooms[0] + 1, x.dtype), np.empty(rooms[1] + 1, x.dtype)
    offsets, weights = np.empty(rooms[2] + 1, np.uint64), np.empty(rooms[2] + 1, x.dtype)
    total = np.empty(cells * channels, x.dtype)
    for k in range(first_region, end_region):
        start_y, start_x, roi_height, roi_width = region(rois[k], scale, shift, least)
        rows = grid_size(roi_height, bins[0], sampling_ratio, x)
        columns = grid_size(roi_width, bins[1], sampling_ratio, x)
        axis_entries(start_y, roi_height, bins[0], rows, height, starts_h, pixels_h, weights_h)
        axis_entries(start_x, roi_width, bins[1], columns, width, starts_w, pixels_w, weights_w)
        share = x.dtype.type(1) / x.dtype.type(max(rows * columns, 1))
        image = np.intp(rois[k, 0]) * height * width * channels
        lists_h, lists_w = (starts_h, pixels_h, weights_h), (starts_w, pixels_w, weights_w)
        for i in range(bins[0]):
            for j in range(bins[1]):
                count = _bin_entries(i, j, lists_h, lists_w, width, channels, image, share, offsets, weights)
                _add_pixels(x, offsets, weights, count, total, (i * bins[1] + j) * channels, channels)
        out = k * channels * cells
        for c in range(channels):
            for cell in range(cells):
                y[out + c * cells + cell] = total[cell * channels + c]


@kernel(parallel=True)
def _align_parallel(x, rois, y, x_shape, bins, options, rooms, tasks):
    for task in prange(tasks):
        first, end = task * rois.shape[0] // tasks, (task + 1) * rois.shape[0] // tasks
        _align_regions(x, rois, y, x_shape, bins, options, rooms, first, end)


def _rooms(bins, height, width, sampling_ratio):
    """Entries that the lists of rows, of columns and of one bin may need."""
    rows, columns = room(bins[0], height, sampling_ratio), room(bins[1], width, sampling_ratio)
    return rows, columns, (rows // bins[0]) * (columns // bins[1])


def _options(spatial_scale, sampling_ratio, aligned):
    """(scale, shift in pixels, least size in pixels, sampling_ratio) as the compiled functions take them."""
    return float(spatial_scale), 0.5 if aligned else 0.0, 0 if aligned else 1, max(sampling_ratio, 0)


def roi_align(x, rois, spatial_scale, output_size, sampling_ratio, aligned):
    """The mean of a grid of bilinear samples in each bin; see the reference."""
    y = memory.empty((rois.shape[0], x.shape[1], *output_size), x.dtype)
    if y.size == 0:
        return y
    pixels = to_channels_last(x)
    options, rooms = _options(spatial_scale, sampling_ratio, aligned), _rooms(output_size, *x.shape[2:], sampling_ratio)
    arguments = pixels.reshape(-1), rois, y.reshape(-1), pixels.shape, output_size, options, rooms
    if y.size * 4 < SERIAL_BELOW or get_num_threads() == 1:
        _align_regions(*arguments, 0, rois.shape[0])
    else:
        _align_parallel(*arguments, max(1, min(rois.shape[0], 8 * get_num_threads())))
    return y


@kernel
def _collect_regions(grad, rois, grad_x, x_shape, bins, options, rooms, image, first_channel, end_channel):
    """What the channels of one image collect from all regions; grad and grad_x are flat and channels-last."""
    _, height, width, channels = x_shape
    scale, shift, least, sampling_ratio = options
    starts_h, starts_w = np.empty(bins[0] + 1, np.intp), np.empty(bins[1] + 1, np.intp)
    pixels_h, pixels_w = np.empty(rooms[0] + 1, np.intp), np.empty(rooms[1] + 1, np.intp)
    weights_h, weights_w = np.empty(rooms[0] + 1, grad.dtype), np.empty(rooms[1] + 1, grad.dtype)
    offsets, weights = np.empty(rooms[2] + 1, np.uint64), np.empty(rooms[2] + 1, grad.dtype)
    first, end = np.uint64(first_channel), np.uint64(end_channel)
    for pixel in range(image * height * width, (image + 1) * height * width):
        for c in range(first, end):
            grad_x[np.uint64(pixel * channels) + c] = 0
    for k in range(rois.shape[0]):
        if np.intp(rois[k, 0]) != image:
            continue
        start_y, start_x, roi_height, roi_width = region(rois[k], scale, shift, least)
        rows = grid_size(roi_height, bins[0], sampling_ratio, grad)
        columns = grid_size(roi_width, bins[1], sampling_ratio, grad)
        axis_entries(start_y, roi_height, bins[0], rows, height, starts_h, pixels_h, weights_h)
        axis_entries(start_x, roi_width, bins[1], columns, width, starts_w, pixels_w, weights_w)
        share = grad.dtype.type(1) / grad.dtype.type(max(rows * columns, 1))
        lists_h, lists_w = (starts_h, pixels_h, weights_h), (starts_w, pixels_w, weights_w)
        offset = image * height * width * channels
        for i in range(bins[0]):
            for j in range(bins[1]):
                count = _bin_entries(i, j, lists_h, lists_w, width, channels, offset, share, offsets, weights)
                upstream = np.uint64(((k * bins[0] + i) * bins[1] + j) * channels)
                for entry in range(count):
                    o, w = offsets[entry], weights[entry]
                    for c in range(first, end):
                        grad_x[o + c] += w * grad[upstream + c]


@kernel(parallel=True)
def _collect_parallel(grad, rois, grad_x, x_shape, bins, options, rooms, shares):
    channels = x_shape[3]
    for task in prange(x_shape[0] * shares):
        image, part = task // shares, task % shares
        first, end = part * channels // shares, (part + 1) * channels // shares
        _collect_regions(grad, rois, grad_x, x_shape, bins, options, rooms, image, first, end)


def roi_align_grad_x(grad, rois, x_shape, spatial_scale, output_size, sampling_ratio, aligned):
    """Each pixel collects the gradients of the bins that read it, by their weights."""
    images, channels, height, width = x_shape
    if 0 in x_shape:
        return memory.empty(x_shape, grad.dtype)
    pixels = memory.empty((images, height, width, channels), grad.dtype)
    options, rooms = _options(spatial_scale, sampling_ratio, aligned), _rooms(output_size, height, width, sampling_ratio)
    upstream = to_channels_last(grad).reshape(-1)
    arguments = upstream, rois, pixels.reshape(-1), pixels.shape, output_size, options, rooms
    if grad.size * 4 + pixels.size < SERIAL_BELOW or get_num_threads() == 1:
        for image in range(images):
            _collect_regions(*arguments, image, 0, channels)
    else:
        _collect_parallel(*arguments, max(1, min(channels // 16, 4 * get_num_threads() // min(images, 4))))
    return to_channels_first(pixels)


# Position-sensitive: each bin reads one channel, so the map stays as it is.


@kernel
def _ps_regions(x, rois, y, bins, options, rooms, first_region, end_region):
    height, width = x.shape[2:]
    channels = y.shape[1]
    scale, shift, least, sampling_ratio = options
    starts_h, starts_w = np.empty(bins[0] + 1, np.intp), np.empty(bins[1] + 1, np.intp)
    pixels_h, pixels_w = np.empty(rooms[0] + 1, np.intp), np.empty(rooms[1] + 1, np.intp)
    weights_h, weights_w = np.empty(rooms[0] + 1, x.dtype), np.empty(rooms[1] + 1, x.dtype)
    for k in range(first_region, end_region):
        start_y, start_x, roi_height, roi_width = region(rois[k], scale, shift, least)
        rows = grid_size(roi_height, bins[0], sampling_ratio, x)
        columns = grid_size(roi_width, bins[1], sampling_ratio, x)
        axis_entries(start_y, roi_height, bins[0], rows, height, starts_h, pixels_h, weights_h)
        axis_entries(start_x, roi_width, bins[1], columns, width, starts_w, pixels_w, weights_w)
        samples = x.dtype.type(rows * columns)
        for c in range(channels):
            for i in range(bins[0]):
                for j in range(bins[1]):
                    plane = x[np.intp(rois[k, 0]), (c * bins[0] + i) * bins[1] + j]
                    total = x.dtype.type(0)
                    for row in range(starts_h[i], starts_h[i + 1]):
                        for column in range(starts_w[j], starts_w[j + 1]):
                            total += weights_h[row] * weights_w[column] * plane[pixels_h[row], pixels_w[column]]
                    y[k, c, i, j] = total / samples


@kernel(parallel=True)
def _ps_parallel(x, rois, y, bins, options, rooms, tasks):
    for task in prange(tasks):
        _ps_regions(x, rois, y, bins, options, rooms, task * rois.shape[0] // tasks, (task + 1) * rois.shape[0] // tasks)


def ps_roi_align(x, rois, spatial_scale, output_size, sampling_ratio):
    """As `roi_align` with aligned=True, bin (i, j) from channels of its own; a region without samples gives 0 / 0."""
    channels = x.shape[1] // (output_size[0] * output_size[1])
    y = memory.empty((rois.shape[0], channels, *output_size), x.dtype)
    options, rooms = (float(spatial_scale), 0.5, 0, max(sampling_ratio, 0)), _rooms(output_size, *x.shape[2:], sampling_ratio)
    if y.size * 16 < SERIAL_BELOW or get_num_threads() == 1:
        _ps_regions(x, rois, y, output_size, options, rooms, 0, rois.shape[0])
    else:
        _ps_parallel(x, rois, y, output_size, options, rooms, max(1, min(rois.shape[0], 8 * get_num_threads())))
    return y


@kernel(parallel=True)
def _ps_collect(grad, rois, grad_x, bins, options, rooms, tasks):
    height, width = grad_x.shape[2:]
    scale, shift, least, sampling_ratio = options
    channels = grad_x.shape[1]
    for task in prange(tasks):
        first, end = task * channels // tasks, (task + 1) * channels // tasks
        grad_x[:, first:end] = 0
        starts_h, starts_w = np.empty(bins[0] + 1, np.intp), np.empty(bins[1] + 1, np.intp)
        pixels_h, pixels_w = np.empty(rooms[0] + 1, np.intp), np.empty(rooms[1] + 1, np.intp)
        weights_h, weights_w = np.empty(rooms[0] + 1, grad.dtype), np.empty(rooms[1] + 1, grad.dtype)
        for k in range(rois.shape[0]):
            start_y, start_x, roi_height, roi_width = region(rois[k], scale, shift, least)
            rows = grid_size(roi_height, bins[0], sampling_ratio, grad)
            columns = grid_size(roi_width, bins[1], sampling_ratio, grad)
            axis_entries(start_y, roi_height, bins[0], rows, height, starts_h, pixels_h, weights_h)
            axis_entries(start_x, roi_width, bins[1], columns, width, starts_w, pixels_w, weights_w)
            samples = grad.dtype.type(rows * columns)
            for source in range(first, end):
                i, j = source // bins[1] % bins[0], source % bins[1]
                plane = grad_x[np.intp(rois[k, 0]), source]
                upstream = grad[k, source // (bins[0] * bins[1]), i, j] / samples
                for row in range(starts_h[i], starts_h[i + 1]):
                    for column in range(starts_w[j], starts_w[j + 1]):
                        plane[pixels_h[row], pixels_w[column]] += weights_h[row] * weights_w[column] * upstream


def ps_roi_align_grad_x(grad, rois, x_shape, spatial_scale, output_size, sampling_ratio):
    """Each pixel collects the gradients of the bins that read it, by their weights."""
    grad_x = memory.empty(x_shape, grad.dtype)
    options, rooms = (float(spatial_scale), 0.5, 0, max(sampling_ratio, 0)), _rooms(output_size, *x_shape[2:], sampling_ratio)
    _ps_collect(grad, rois, grad_x, output_size, options, rooms, max(1, min(x_shape[1], 2 * get_num_threads())))
    return grad_x
