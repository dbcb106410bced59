"""Where the bilinear samples of a region of interest lie, one axis at a time.

A bin's samples form a grid, and the bilinear weight of a pixel is a product over the axes: so is the sum over the grid. Each bin therefore has
along each axis a short list of pixels and weights, in which neighbouring samples share their entries, and reads the product of two lists.
"""

import math

import numpy as np

from ..jit import kernel

MOST_SAMPLES = 2**31
# From so many samples on, those outside the image are found by a division instead of one by one.
MANY = 64


def room(bins, size, sampling_ratio):
    """How many entries the lists of one axis take at most: no pixel appears twice in a bin."""
    return bins * (min(2 * sampling_ratio, size) if sampling_ratio > 0 else size)


@kernel(fastmath=False)
def grid_size(length, bins, sampling_ratio, like):
    """Samples along one axis of a bin: as asked for, else one a pixel, rounded up."""
    if sampling_ratio > 0:
        return sampling_ratio
    size = length / like.dtype.type(bins)
    if abs(size) < MOST_SAMPLES:
        return np.intp(math.ceil(size))
    return MOST_SAMPLES if size > 0 else 0


@kernel(fastmath=False)
def _inside(base, step, grid, size, precision):
    """(first, end) of the samples of one bin that may lie in the image, with room for rounding."""
    if grid < MANY or step == 0:
        return 0, max(grid, 0)
    apart = step / grid
    if not (math.isfinite(base) and math.isfinite(apart)):
        return 0, 0
    slack = 4 * precision * (abs(base) + abs(step) + size) / abs(apart) + 2
    near, far = (-1 - base) / apart, (size - base) / apart
    first = min(max(0.0, min(near, far) - slack), np.float64(grid))
    end = min(max(0.0, max(near, far) + slack), np.float64(grid))
    return np.intp(first), np.intp(end)


@kernel(fastmath=False)
def axis_entries(start, length, bins, grid, size, starts, pixels, weights):
    """Fill the lists of all bins: entries starts[i] to starts[i + 1] are the pixels of bin i and their weights."""
    kind = weights.dtype.type
    one, zero = kind(1), kind(0)
    precision = np.float64(np.finfo(weights.dtype).eps)
    step = length / kind(bins)
    count = 0
    for i in range(bins):
        starts[i] = count
        base = start + kind(i) * step
        first, end = _inside(np.float64(base), np.float64(step), grid, size, precision)
        for sample in range(first, end):
            # Always from low to high pixels, so that a sample's pixels are among the last two entries or behind them.
            a = sample if step >= 0 else first + end - 1 - sample
            position = base + kind(a + 0.5) * step / kind(grid)
            if not (position >= -one and position <= kind(size)):
                continue
            if position <= zero:
                position = zero
            low = np.intp(position)
            if low >= size - 1:
                low = high = size - 1
                position = kind(low)
            else:
                high = low + 1
            above = position - kind(low)
            place = count - 1
            if place > starts[i] and pixels[place] > low:
                place -= 1
            if place >= starts[i] and pixels[place] == low:
                weights[place] += one - above
            else:
                pixels[count], weights[count] = low, one - above
                count += 1
            if pixels[count - 1] == high:
                weights[count - 1] += above
            else:
                pixels[count], weights[count] = high, above
                count += 1
    starts[bins] = count


@kernel(fastmath=False)
def region(roi, scale, shift, least):
    """(start_y, start_x, height, width) of a region in pixels of the map, at least so large."""
    kind = roi.dtype.type
    scale, shift = kind(scale), kind(shift)
    start_x, start_y = roi[1] * scale - shift, roi[2] * scale - shift
    width, height = roi[3] * scale - shift - start_x, roi[4] * scale - shift - start_y
    if least > 0:
        width = kind(least) if width < kind(least) else width
        height = kind(least) if height < kind(least) else height
    return start_y, start_x, height, width
