"""The columns of a deformable convolution: what each tap of the filter reads where its offset has moved it.

x is (N, C, H, W); offset is (N, 2 G K, H_out, W_out) with the vertical and the horizontal shift of tap k of offset group g in channels
2 (g K + k) and the next one; mask is (N, G K, H_out, W_out) or None. Columns are (groups, N H_out W_out, K C / groups): one matrix a group of
the convolution, a row a position, columns tap by tap and within a tap channel by channel. Kernel sizes and steps are (height, width).
A position that is not a number lies outside the image.
"""

import math

from .scalars import empty_like_shape, zero_of

__all__ = ["deform_columns", "deform_columns_grad_offset", "deform_columns_grad_x"]


def taps(x_shape, offset, kernel_size, stride, padding, dilation, groups):
    """Every (n, c, group, row of the columns, column, slot, i, j, h, w) with the moved position (h, w).

    The slot, offset group by tap, names the channel of the mask and the pair of channels of the offset.
    """
    kernel_height, kernel_width = kernel_size
    cells = kernel_height * kernel_width
    offset_groups = offset.shape[1] // (2 * cells)
    height, width = offset.shape[2:]
    for n in range(x_shape[0]):
        for i in range(height):
            for j in range(width):
                row = (n * height + i) * width + j
                for k in range(cells):
                    a, b = divmod(k, kernel_width)
                    for c in range(x_shape[1]):
                        slot = c // (x_shape[1] // offset_groups) * cells + k
                        h = i * stride[0] - padding[0] + a * dilation[0] + offset[n, 2 * slot, i, j]
                        w = j * stride[1] - padding[1] + b * dilation[1] + offset[n, 2 * slot + 1, i, j]
                        group, member = divmod(c, x_shape[1] // groups)
                        column = k * (x_shape[1] // groups) + member
                        yield n, c, group, row, column, slot, i, j, h, w


def neighbours(h, w, x_shape):
    """The pixels of the image around a position: (row, column, weight, slope of the weight along h, slope along w)."""
    if not (-1 <= h < x_shape[2] and -1 <= w < x_shape[3]):
        return
    low_h, low_w = math.floor(h), math.floor(w)
    above, right = h - low_h, w - low_w
    for row, weight_h, slope_h in ((low_h, 1 - above, -1), (low_h + 1, above, 1)):
        for column, weight_w, slope_w in ((low_w, 1 - right, -1), (low_w + 1, right, 1)):
            if 0 <= row < x_shape[2] and 0 <= column < x_shape[3]:
                yield row, column, weight_h * weight_w, slope_h * weight_w, weight_h * slope_w


def sampled(x, n, c, h, w):
    """The bilinear sample at (h, w), with zeros outside the image."""
    total = zero_of(x)
    # Exactly one pixel outside, every pixel of the image has the weight zero.
    if h > -1 and w > -1:
        for row, column, weight, _, _ in neighbours(h, w, x.shape):
            total = total + weight * x[n, c, row, column]
    return total


def deform_columns(x, offset, mask, kernel_size, stride, padding, dilation, groups):
    """The samples, times the mask where there is one."""
    cells = kernel_size[0] * kernel_size[1]
    positions = x.shape[0] * offset.shape[2] * offset.shape[3]
    columns = empty_like_shape((groups, positions, cells * (x.shape[1] // groups)), x)
    for n, c, group, row, column, slot, i, j, h, w in taps(x.shape, offset, kernel_size, stride, padding, dilation, groups):
        value = sampled(x, n, c, h, w)
        columns[group, row, column] = value if mask is None else mask[n, slot, i, j] * value
    return columns


def deform_columns_grad_x(grad, offset, mask, x_shape, kernel_size, stride, padding, dilation, groups):
    """Each pixel collects the gradients of the samples that read it."""
    grad_x = empty_like_shape(x_shape, grad)
    for n, c, group, row, column, slot, i, j, h, w in taps(x_shape, offset, kernel_size, stride, padding, dilation, groups):
        if h > -1 and w > -1:
            upstream = grad[group, row, column] if mask is None else mask[n, slot, i, j] * grad[group, row, column]
            for pixel_row, pixel_column, weight, _, _ in neighbours(h, w, x_shape):
                grad_x[n, c, pixel_row, pixel_column] = grad_x[n, c, pixel_row, pixel_column] + weight * upstream
    return grad_x


def deform_columns_grad_offset(grad, x, offset, mask, kernel_size, stride, padding, dilation, groups):
    """(grad_offset, grad_mask): how the samples change as they move, and the samples themselves; without a mask the second is empty."""
    grad_offset = empty_like_shape(offset.shape, grad)
    grad_mask = empty_like_shape((0,) if mask is None else mask.shape, grad)
    for n, c, group, row, column, slot, i, j, h, w in taps(x.shape, offset, kernel_size, stride, padding, dilation, groups):
        upstream = grad[group, row, column]
        if mask is not None:
            grad_mask[n, slot, i, j] = grad_mask[n, slot, i, j] + upstream * sampled(x, n, c, h, w)
            upstream = mask[n, slot, i, j] * upstream
        for pixel_row, pixel_column, _, slope_h, slope_w in neighbours(h, w, x.shape):
            value = upstream * x[n, c, pixel_row, pixel_column]
            grad_offset[n, 2 * slot, i, j] = grad_offset[n, 2 * slot, i, j] + slope_h * value
            grad_offset[n, 2 * slot + 1, i, j] = grad_offset[n, 2 * slot + 1, i, j] + slope_w * value
    return grad_offset, grad_mask
