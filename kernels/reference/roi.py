"""Pooling of regions of interest, as its definitions say.

x is (N, C, H, W); rois is (K, 5) as (image, x1, y1, x2, y2) in the same element type, whose arithmetic decides where a bin begins, as in
torchvision; output_size is (height, width) in bins. `align` averages bilinear samples, `pool` reads whole pixels; the position-sensitive
forms (`ps_`) read for each bin a channel of its own: channel (c * rows + i) * columns + j of x holds bin (i, j) of channel c.
A coordinate that is not a number lies outside every image.
"""

import math
from fractions import Fraction

import numpy as np

from .scalars import empty_like_shape, zero_of

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

LOWEST = -3.4028234663852886e38  # what torchvision's maximum starts from, in float64 as well: nothing below it is found
FARTHEST = 2**30  # pixels; boxes end here
MOST_SAMPLES = 2**31  # in one bin and along one axis


def number(value, x):
    """A constant in the element type of x."""
    return Fraction(value) if x.dtype == object else x.dtype.type(value)


def grid_size(length, bins, sampling_ratio):
    """Samples along one axis of a bin: as asked for, else one a pixel, rounded up."""
    if sampling_ratio > 0:
        return sampling_ratio
    size = length / bins
    return math.ceil(size) if abs(size) < MOST_SAMPLES else MOST_SAMPLES if size > 0 else 0


def axis_samples(start, length, bins, grid, size, x):
    """For each bin along one axis its samples inside the image: (lower pixel, upper pixel, weight of the lower, weight of the upper)."""
    step = length / number(bins, x)
    for i in range(bins):
        samples = []
        for a in range(grid):
            position = start + number(i, x) * step + number(a + 0.5, x) * step / number(grid, x)
            if not -1 <= position <= size:
                continue
            if position <= 0:
                position = number(0, x)
            low = int(position)
            if low >= size - 1:
                low, high = size - 1, size - 1
                position = number(low, x)
            else:
                high = low + 1
            above = position - number(low, x)
            samples.append((low, high, number(1, x) - above, above))
        yield samples


def align_samples(roi, x_shape, spatial_scale, output_size, sampling_ratio, aligned, least, x):
    """(samples of each row of bins, samples of each column, samples of a bin) of one region; `least` is its smallest size in pixels."""
    scale, shift = number(spatial_scale, x), number(0.5 if aligned else 0, x)
    start_x, start_y, end_x, end_y = (roi[1 + side] * scale - shift for side in range(4))
    height, width = end_y - start_y, end_x - start_x
    if least is not None:
        height, width = (number(least, x) if side < least else side for side in (height, width))
    rows = grid_size(height, number(output_size[0], x), sampling_ratio)
    columns = grid_size(width, number(output_size[1], x), sampling_ratio)
    return (
        list(axis_samples(start_y, height, output_size[0], rows, x_shape[2], x)),
        list(axis_samples(start_x, width, output_size[1], columns, x_shape[3], x)),
        rows * columns,
    )


def bilinear_terms(row_samples, column_samples):
    """(h, w, weight) of every pixel that one bin reads."""
    for low_h, high_h, below, above in row_samples:
        for low_w, high_w, left, right in column_samples:
            yield low_h, low_w, below * left
            yield low_h, high_w, below * right
            yield high_h, low_w, above * left
            yield high_h, high_w, above * right


def align_terms(rois, x_shape, spatial_scale, output_size, sampling_ratio, aligned, x):
    """Every (k, n, i, j, h, w, weight) of `roi_align`: bin (i, j) of region k adds weight * x[n, :, h, w]."""
    for k in range(rois.shape[0]):
        least = None if aligned else 1
        rows, columns, count = align_samples(rois[k], x_shape, spatial_scale, output_size, sampling_ratio, aligned, least, x)
        for i in range(output_size[0]):
            for j in range(output_size[1]):
                for h, w, weight in bilinear_terms(rows[i], columns[j]):
                    yield k, int(rois[k, 0]), i, j, h, w, weight / number(max(count, 1), x)


def roi_align(x, rois, spatial_scale, output_size, sampling_ratio, aligned):
    """The mean of a grid of bilinear samples in each bin."""
    y = empty_like_shape((rois.shape[0], x.shape[1], *output_size), x)
    with np.errstate(all="ignore"):
        for k, n, i, j, h, w, weight in align_terms(rois, x.shape, spatial_scale, output_size, sampling_ratio, aligned, x):
            for c in range(x.shape[1]):
                y[k, c, i, j] = y[k, c, i, j] + weight * x[n, c, h, w]
    return y


def roi_align_grad_x(grad, rois, x_shape, spatial_scale, output_size, sampling_ratio, aligned):
    """Each pixel collects the gradients of the bins that read it, by their weights."""
    grad_x = empty_like_shape(x_shape, grad)
    with np.errstate(all="ignore"):
        for k, n, i, j, h, w, weight in align_terms(rois, x_shape, spatial_scale, output_size, sampling_ratio, aligned, grad):
            for c in range(x_shape[1]):
                grad_x[n, c, h, w] = grad_x[n, c, h, w] + weight * grad[k, c, i, j]
    return grad_x


def ps_align_bins(rois, x_shape, spatial_scale, output_size, sampling_ratio, x):
    """Every (k, n, i, j, terms, samples) of `ps_roi_align`."""
    for k in range(rois.shape[0]):
        rows, columns, count = align_samples(rois[k], x_shape, spatial_scale, output_size, sampling_ratio, True, None, x)
        for i in range(output_size[0]):
            for j in range(output_size[1]):
                yield k, int(rois[k, 0]), i, j, list(bilinear_terms(rows[i], columns[j])), count


def ps_roi_align(x, rois, spatial_scale, output_size, sampling_ratio):
    """As `roi_align` with aligned=True, bin (i, j) from channels of its own; a region without samples gives 0 / 0."""
    channels = x.shape[1] // (output_size[0] * output_size[1])
    y = empty_like_shape((rois.shape[0], channels, *output_size), x)
    with np.errstate(all="ignore"):
        for k, n, i, j, terms, count in ps_align_bins(rois, x.shape, spatial_scale, output_size, sampling_ratio, x):
            for c in range(channels):
                source = (c * output_size[0] + i) * output_size[1] + j
                total = zero_of(x)
                for h, w, weight in terms:
                    total = total + weight * x[n, source, h, w]
                y[k, c, i, j] = total / number(count, x)
    return y


def ps_roi_align_grad_x(grad, rois, x_shape, spatial_scale, output_size, sampling_ratio):
    """Each pixel collects the gradients of the bins that read it, by their weights."""
    grad_x = empty_like_shape(x_shape, grad)
    with np.errstate(all="ignore"):
        for k, n, i, j, terms, count in ps_align_bins(rois, x_shape, spatial_scale, output_size, sampling_ratio, grad):
            for c in range(grad.shape[1]):
                source = (c * output_size[0] + i) * output_size[1] + j
                for h, w, weight in terms:
                    grad_x[n, source, h, w] = grad_x[n, source, h, w] + weight * grad[k, c, i, j] / number(count, grad)
    return grad_x


def rounded(value):
    """The nearest whole number, halves away from zero; what is no number stays None."""
    if value != value:
        return None
    if not abs(value) < FARTHEST:
        return FARTHEST if value > 0 else -FARTHEST
    whole = int(value)
    if abs(value - whole) * 2 >= 1:
        whole += 1 if value > 0 else -1
    return whole


def pool_bins(roi, spatial_scale, output_size, extra, last, x):
    """For each axis the bins' (first pixel, end) of one region: its rounded corners, `extra` pixels longer, at least one, cut at the image."""
    corners = [rounded(roi[1 + side] * number(spatial_scale, x)) for side in range(4)]
    if None in corners:
        return [[(0, 0)] * output_size[0], [(0, 0)] * output_size[1]]
    axes = []
    for axis in range(2):
        start, end = corners[1 - axis], corners[3 - axis]
        step = number(max(end - start + extra, 1), x) / number(output_size[axis], x)
        bins = []
        for i in range(output_size[axis]):
            first, stop = math.floor(number(i, x) * step), math.ceil(number(i + 1, x) * step)
            bins.append((min(max(first + start, 0), last[axis]), min(max(stop + start, 0), last[axis])))
        axes.append(bins)
    return axes


def roi_pool(x, rois, spatial_scale, output_size):
    """The largest pixel of each bin and its place h * W + w in the image; 0 and -1 where a bin is empty. NaN never wins."""
    shape = (rois.shape[0], x.shape[1], *output_size)
    y = empty_like_shape(shape, x)
    place = np.full(shape, -1, np.int64)
    for k in range(shape[0]):
        rows, columns = pool_bins(rois[k], spatial_scale, output_size, 1, x.shape[2:], x)
        for c in range(shape[1]):
            for i, (top, bottom) in enumerate(rows):
                for j, (left, right) in enumerate(columns):
                    largest = number(LOWEST, x) if bottom > top and right > left else zero_of(x)
                    for h in range(top, bottom):
                        for w in range(left, right):
                            if x[int(rois[k, 0]), c, h, w] > largest:
                                largest = x[int(rois[k, 0]), c, h, w]
                                place[k, c, i, j] = h * x.shape[3] + w
                    y[k, c, i, j] = largest
    return y, place


def roi_pool_grad_x(grad, place, rois, x_shape):
    """Each bin hands its gradient to the pixel that won."""
    grad_x = empty_like_shape(x_shape, grad)
    for k in range(grad.shape[0]):
        for c in range(grad.shape[1]):
            for i in range(grad.shape[2]):
                for j in range(grad.shape[3]):
                    if place[k, c, i, j] >= 0:
                        at = int(rois[k, 0]), c, *divmod(int(place[k, c, i, j]), x_shape[3])
                        grad_x[at] = grad_x[at] + grad[k, c, i, j]
    return grad_x


def ps_pool_bins(rois, x_shape, channels, spatial_scale, output_size, x):
    """Every (k, c, i, j, n, source channel, rows, columns) of `ps_roi_pool` whose bin is not empty."""
    last = (x_shape[2] - 1, x_shape[3] - 1)
    for k in range(rois.shape[0]):
        rows, columns = pool_bins(rois[k], spatial_scale, output_size, 0, last, x)
        for c in range(channels):
            for i, (top, bottom) in enumerate(rows):
                for j, (left, right) in enumerate(columns):
                    if bottom > top and right > left:
                        source = (c * output_size[0] + i) * output_size[1] + j
                        yield k, c, i, j, int(rois[k, 0]), source, range(top, bottom), range(left, right)


def ps_roi_pool(x, rois, spatial_scale, output_size):
    """The mean of each bin's pixels in a channel of its own; the last row and column of the image are not read, as in torchvision."""
    channels = x.shape[1] // (output_size[0] * output_size[1])
    y = empty_like_shape((rois.shape[0], channels, *output_size), x)
    for k, c, i, j, n, source, rows, columns in ps_pool_bins(rois, x.shape, channels, spatial_scale, output_size, x):
        total = zero_of(x)
        for h in rows:
            for w in columns:
                total = total + x[n, source, h, w]
        y[k, c, i, j] = total / number(len(rows) * len(columns), x)
    return y


def ps_roi_pool_grad_x(grad, rois, x_shape, spatial_scale, output_size):
    """Each bin hands its gradient over its size to its pixels."""
    grad_x = empty_like_shape(x_shape, grad)
    for k, c, i, j, n, source, rows, columns in ps_pool_bins(rois, x_shape, grad.shape[1], spatial_scale, output_size, grad):
        for h in rows:
            for w in columns:
                grad_x[n, source, h, w] = grad_x[n, source, h, w] + grad[k, c, i, j] / number(len(rows) * len(columns), grad)
    return grad_x
