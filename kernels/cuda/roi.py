"""RoIAlign and its gradient on a CUDA device."""

import math

from numba import cuda

from ..reference.roi import MOST_SAMPLES
from .conv import _unravel
from .device import by_kind, empty, launch

__all__ = ["roi_align", "roi_align_grad_x"]


def _sampling(kind):
    """What forward and gradient share: where a region lies, how many samples a bin has, and between which pixels one falls."""

    @cuda.jit(device=True)
    def region(rois, k, scale, aligned):
        """(start_y, start_x, height, width) in pixels of the map."""
        shift = kind(0.5) if aligned else kind(0)
        start_x, start_y = rois[k, 1] * scale - shift, rois[k, 2] * scale - shift
        width, height = rois[k, 3] * scale - shift - start_x, rois[k, 4] * scale - shift - start_y
        if not aligned:
            width = kind(1) if width < kind(1) else width
            height = kind(1) if height < kind(1) else height
        return start_y, start_x, height, width

    @cuda.jit(device=True)
    def grid_size(length, bins, sampling_ratio):
        if sampling_ratio > 0:
            return sampling_ratio
        size = length / kind(bins)
        if abs(size) < kind(MOST_SAMPLES):
            return int(math.ceil(size))  # noqa: RUF046 a float on the device
        return MOST_SAMPLES if size > 0 else 0

    @cuda.jit(device=True)
    def locate(start, length, bins, i, a, grid, size):
        """(lower pixel or -1 outside, upper pixel, weight of the upper) of sample a of bin i along one axis."""
        step = length / kind(bins)
        position = start + kind(i) * step + kind(a + 0.5) * step / kind(grid)
        if not (position >= kind(-1) and position <= kind(size)):
            return -1, -1, kind(0)
        if position <= kind(0):
            position = kind(0)
        low = int(position)
        if low >= size - 1:
            return size - 1, size - 1, kind(0)
        return low, low + 1, position - kind(low)

    return region, grid_size, locate


@by_kind
def _forward(kind):
    region, grid_size, locate = _sampling(kind)

    @cuda.jit
    def forward(x, rois, y, scales, sampling_ratio, aligned):
        place = cuda.grid(1)
        if place >= y.size:
            return
        k, c, i, j = _unravel(place, y.shape)
        start_y, start_x, height, width = region(rois, k, scales[0], aligned)
        rows, columns = grid_size(height, y.shape[2], sampling_ratio), grid_size(width, y.shape[3], sampling_ratio)
        n, total = int(rois[k, 0]), kind(0)
        for a in range(rows):
            low_h, high_h, above = locate(start_y, height, y.shape[2], i, a, rows, x.shape[2])
            if low_h < 0:
                continue
            for b in range(columns):
                low_w, high_w, right = locate(start_x, width, y.shape[3], j, b, columns, x.shape[3])
                if low_w >= 0:
                    below, left = kind(1) - above, kind(1) - right
                    total += below * left * x[n, c, low_h, low_w] + below * right * x[n, c, low_h, high_w]
                    total += above * left * x[n, c, high_h, low_w] + above * right * x[n, c, high_h, high_w]
        y[k, c, i, j] = total / kind(max(rows * columns, 1))

    return forward


@by_kind
def _collect(kind):
    region, grid_size, locate = _sampling(kind)

    @cuda.jit(device=True)
    def pixel_weight(start, length, bins, i, grid, size, pixel):
        """How much one pixel counts in bin i along one axis."""
        total = kind(0)
        for a in range(grid):
            low, high, above = locate(start, length, bins, i, a, grid, size)
            if low == pixel:
                total += kind(1) - above
            if high == pixel:
                total += above
        return total

    @cuda.jit
    def collect(grad, rois, grad_x, scales, sampling_ratio, aligned):
        place = cuda.grid(1)
        if place >= grad_x.size:
            return
        n, c, h, w = _unravel(place, grad_x.shape)
        total = kind(0)
        for k in range(rois.shape[0]):
            if int(rois[k, 0]) != n:
                continue
            start_y, start_x, height, width = region(rois, k, scales[0], aligned)
            rows, columns = grid_size(height, grad.shape[2], sampling_ratio), grid_size(width, grad.shape[3], sampling_ratio)
            count = kind(max(rows * columns, 1))
            for i in range(grad.shape[2]):
                vertical = pixel_weight(start_y, height, grad.shape[2], i, rows, grad_x.shape[2], h)
                if vertical == kind(0):
                    continue
                for j in range(grad.shape[3]):
                    total += vertical * pixel_weight(start_x, width, grad.shape[3], j, columns, grad_x.shape[3], w) * grad[k, c, i, j] / count
        grad_x[n, c, h, w] = total

    return collect


def _scales(spatial_scale, rois):
    """The scale in the element type of the boxes, as a tuple: a bare Python float would be taken as float64."""
    return (rois.dtype.type(spatial_scale),)


def roi_align(x, rois, spatial_scale, output_size, sampling_ratio, aligned):
    """The mean of a grid of bilinear samples in each bin; see the reference."""
    y = empty((rois.shape[0], x.shape[1], *output_size), x.dtype, x)
    launch(_forward(x), y.size, x, rois, y, _scales(spatial_scale, rois), sampling_ratio, bool(aligned))
    return y


def roi_align_grad_x(grad, rois, x_shape, spatial_scale, output_size, sampling_ratio, aligned):
    """Each pixel collects the gradients of the bins that read it, by their weights, in the order of the regions."""
    grad_x = empty(tuple(x_shape), grad.dtype, grad)
    launch(_collect(grad), grad_x.size, grad, rois, grad_x, _scales(spatial_scale, rois), sampling_ratio, bool(aligned))
    return grad_x
