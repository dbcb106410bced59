"""Winograd's convolution F(4 x 4, 3 x 3): 36 multiplications where the definition needs 144.

Sixteen outputs of a 3 x 3 kernel, a tile of 4 x 4, depend on 6 x 6 pixels. Multiplying two polynomials through their values at points is what lies
behind it: with the points 0, 1, -1, 2, -2 and infinity, and the matrices of Lavin and Gray 2015 ("Fast Algorithms for Convolutional Neural
Networks", section 4),

          |4  0 -5  0  1  0|          | 1/4     0    0 |
          |0 -4 -4  1  1  0|          |-1/6  -1/6  -1/6|          |1  1  1  1  1  0|
    B^T = |0  4 -4 -1  1  0|      G = |-1/6   1/6  -1/6|    A^T = |0  1 -1  2 -2  0|
          |0 -2 -1  2  1  0|          | 1/24  1/12  1/6|          |0  1  1  4  4  0|
          |0  2 -1 -2  1  0|          | 1/24 -1/12  1/6|          |0  1 -1  8 -8  1|
          |0  4  0 -5  0  1|          |  0     0    1  |

    U = G g G^T    (kernel g, 3 x 3)        V = B^T d B    (pixels d, 6 x 6)        Y = A^T (sum over channels of U V) A

U V is element by element, so each of the 36 elements is a matrix product over the channels: (C_out, C_in) times (C_in, tiles).

The sums cancel more than those of the definition: the error in float32 is five to ten times larger. A NaN or an infinity
spreads over its whole tile. Only stride 1, dilation 1 and one group have this form.
"""

import numpy as np
from numba import get_thread_id, prange

from .. import memory
from ..errors import ArgumentError
from ..jit import FAST, kernel
from ..plans import plan_cache
from ..reference.conv import PADDING_CODES, output_shape, source_index
from ..simd import address, vector_length
from ..threads import get_num_threads
from .broadcast_tile import multiply_panel
from .direct_copy import fold_padding

POINTS = 36
# Bytes of transformed pixels and sums that one task works on, so that they stay in the second-level cache.
TASK_BYTES = 1 << 20
# Channels that one pass sums over: so many rows of a panel stay in the first-level cache.
DEPTH = 192


def require(function, weight_shape, stride, dilation, groups):
    """Refuse what has no such form."""
    kernel_size = weight_shape[2:]
    if kernel_size != (3, 3) or stride != (1, 1) or dilation != (1, 1) or groups != 1:
        raise ArgumentError(
            f"{function}: algorithm 'winograd' needs a 3 x 3 kernel, stride 1, dilation 1 and groups 1; here the kernel is "
            f"{kernel_size[0]} x {kernel_size[1]}, stride {stride}, dilation {dilation}, groups {groups}; use 'auto' or 'direct'"
        )


@plan_cache
def _sources(size, before, result_size, padding_mode, known):
    """The element of the source at each position that the tiles read; -1 for zero, as behind the `known` positions."""
    code = PADDING_CODES[padding_mode]
    positions = -(-result_size // 4) * 4 + 2
    return np.array([source_index(i - before, size, code) if i < known else -1 for i in range(positions)], np.intp)


@kernel(parallel=True)
def _transform_weight(weight, transposed, u):
    """U[6 i + j, o, c] = (G g G^T)[i, j]; transposed, for the gradient with respect to x, with flipped kernels and o and c exchanged."""
    for o in prange(u.shape[1]):
        g = np.empty((3, 3), weight.dtype)
        t = np.empty((6, 3), weight.dtype)
        for c in range(u.shape[2]):
            for a in range(3):
                for b in range(3):
                    g[a, b] = weight[c, o, 2 - a, 2 - b] if transposed else weight[o, c, a, b]
            for b in range(3):
                t[0, b], t[1, b], t[2, b], t[3, b], t[4, b], t[5, b] = _kernel_values(g[0, b], g[1, b], g[2, b])
            for i in range(6):
                (u[6 * i, o, c], u[6 * i + 1, o, c], u[6 * i + 2, o, c], u[6 * i + 3, o, c], u[6 * i + 4, o, c],
                 u[6 * i + 5, o, c]) = _kernel_values(t[i, 0], t[i, 1], t[i, 2])  # fmt: skip


@kernel
def _kernel_values(g0, g1, g2):
    """G times a column: the values of g0 + g1 x + g2 x^2 at the six points, scaled."""
    one = type(g0)(1)
    even, odd = (g0 + g2) * (one / 6), g1 * (one / 6)
    far, slope = g0 * (one / 24) + g2 * (one / 6), g1 * (one / 12)
    return g0 * (one / 4), -even - odd, odd - even, far + slope, far - slope, g2


@kernel
def _transform_pixels(d, t, v):
    """v = B^T d B for a panel of tiles, which lie along the last axis: columns first, then rows."""
    tiles = d.shape[1]
    for j in range(6):
        for p in range(tiles):
            d0, d1, d2, d3, d4, d5 = d[j, p], d[6 + j, p], d[12 + j, p], d[18 + j, p], d[24 + j, p], d[30 + j, p]
            t[j, p] = 4 * d0 - 5 * d2 + d4
            t[6 + j, p] = (d4 - 4 * d2) + (d3 - 4 * d1)
            t[12 + j, p] = (d4 - 4 * d2) - (d3 - 4 * d1)
            t[18 + j, p] = (d4 - d2) + 2 * (d3 - d1)
            t[24 + j, p] = (d4 - d2) - 2 * (d3 - d1)
            t[30 + j, p] = 4 * d1 - 5 * d3 + d5
    for i in range(0, POINTS, 6):
        for p in range(tiles):
            d0, d1, d2, d3, d4, d5 = t[i, p], t[i + 1, p], t[i + 2, p], t[i + 3, p], t[i + 4, p], t[i + 5, p]
            v[i, p] = 4 * d0 - 5 * d2 + d4
            v[i + 1, p] = (d4 - 4 * d2) + (d3 - 4 * d1)
            v[i + 2, p] = (d4 - 4 * d2) - (d3 - 4 * d1)
            v[i + 3, p] = (d4 - d2) + 2 * (d3 - d1)
            v[i + 4, p] = (d4 - d2) - 2 * (d3 - d1)
            v[i + 5, p] = 4 * d1 - 5 * d3 + d5


@kernel
def _transform_sums(m, t, y):
    """y = A^T m A for a panel of tiles."""
    tiles = m.shape[1]
    for j in range(6):
        for p in range(tiles):
            near, near_odd = m[6 + j, p] + m[12 + j, p], m[6 + j, p] - m[12 + j, p]
            far, far_odd = m[18 + j, p] + m[24 + j, p], m[18 + j, p] - m[24 + j, p]
            t[j, p] = m[j, p] + near + far
            t[6 + j, p] = near_odd + 2 * far_odd
            t[12 + j, p] = near + 4 * far
            t[18 + j, p] = near_odd + 8 * far_odd + m[30 + j, p]
    for i in range(4):
        for p in range(tiles):
            near, near_odd = t[6 * i + 1, p] + t[6 * i + 2, p], t[6 * i + 1, p] - t[6 * i + 2, p]
            far, far_odd = t[6 * i + 3, p] + t[6 * i + 4, p], t[6 * i + 3, p] - t[6 * i + 4, p]
            y[4 * i, p] = t[6 * i, p] + near + far
            y[4 * i + 1, p] = near_odd + 2 * far_odd
            y[4 * i + 2, p] = near + 4 * far
            y[4 * i + 3, p] = near_odd + 8 * far_odd + t[6 * i + 5, p]


@kernel
def _vector_product(u, v, m, row, position):
    """m = u v by the outer-product micro-kernel."""
    for start in range(0, u.shape[1], DEPTH):
        depth = min(DEPTH, u.shape[1] - start)
        multiply_panel(
            v[0, 0], address(u), address(row), u.shape[0], address(position) + start * position.itemsize, depth,
            address(v) + start * v.shape[1] * v.itemsize, v.shape[1], 2, address(m), m.shape[1], m.shape[1], start > 0,
        )  # fmt: skip


@kernel
def _plain_product(u, v, m, row, position):
    """m = u v in plain loops, for TINYCNN_FAST=0."""
    for o in range(u.shape[0]):
        m[o] = 0
        for c in range(u.shape[1]):
            for p in range(v.shape[1]):
                m[o, p] += u[o, c] * v[c, p]


_product = _vector_product if FAST else _plain_product


@kernel
def _gather(source, channel, first, across, down, count, rows, columns, d):
    """d[6 i + j, p] = pixel (i, j) of tile first + p; zero for tiles beyond the last."""
    for p in range(d.shape[1]):
        tile = first + p
        image, place = tile // (down * across), tile % (down * across)
        row, column = 4 * (place // across), 4 * (place % across)
        if tile >= count:
            d[:, p] = 0
        elif rows[row] >= 0 and rows[row] + 5 == rows[row + 5] and columns[column] >= 0 and columns[column] + 5 == columns[column + 5]:
            patch = source[image, channel, rows[row] : rows[row] + 6, columns[column] : columns[column] + 6]
            for i in range(6):
                for j in range(6):
                    d[6 * i + j, p] = patch[i, j]
        else:
            for i in range(6):
                for j in range(6):
                    h, w = rows[row + i], columns[column + j]
                    d[6 * i + j, p] = source[image, channel, h, w] if h >= 0 and w >= 0 else 0


@kernel
def _scatter(y, bias, relu, result, channel, first, across, down, count):
    """Store the tiles of a panel, as much of each as exists."""
    zero = y.dtype.type(0)
    offset = bias[channel] if bias.size > 0 else zero
    for p in range(min(y.shape[1], count - first)):
        tile = first + p
        image, place = tile // (down * across), tile % (down * across)
        row, column = 4 * (place // across), 4 * (place % across)
        for i in range(min(4, result.shape[2] - row)):
            for j in range(min(4, result.shape[3] - column)):
                value = y[4 * i + j, p] + offset
                result[image, channel, row + i, column + j] = zero if relu and value <= zero else value


@kernel(parallel=True)
def _run(source, u, bias, relu, result, rows, columns, all_work, row, position, width, panels, down, across, tasks, thread_elements):
    """A task is `panels` panels of `width` tiles: transform their pixels, multiply, transform back."""
    inputs, outputs = u.shape[2], u.shape[1]
    count = result.shape[0] * down * across
    for task in prange(tasks):
        slot = get_thread_id() * thread_elements
        work = all_work[slot : slot + thread_elements]
        v_size, m_size, tile_size = POINTS * panels * inputs * width, POINTS * panels * outputs * width, POINTS * width
        v = work[:v_size].reshape((POINTS, panels, inputs, width))
        m = work[v_size : v_size + m_size].reshape((POINTS, panels, outputs, width))
        d = work[v_size + m_size : v_size + m_size + tile_size].reshape((POINTS, width))
        t = work[v_size + m_size + tile_size : v_size + m_size + 2 * tile_size].reshape((POINTS, width))
        used = min(panels, -(-(count - task * panels * width) // width))
        for panel in range(used):
            first = (task * panels + panel) * width
            for c in range(inputs):
                _gather(source, c, first, across, down, count, rows, columns, d)
                _transform_pixels(d, t, v[:, panel, c])
        for point in range(POINTS):
            for panel in range(used):
                _product(u[point], v[point, panel], m[point, panel], row, position)
        for panel in range(used):
            first = (task * panels + panel) * width
            for o in range(outputs):
                _transform_sums(m[:, panel, o], t, d)
                _scatter(d, bias, relu, result, o, first, across, down, count)


def _convolve(source, weight, bias, relu, transposed, result_shape, before, padding_mode, known):
    """Tiles of the result of `result_shape`; position i of the tiles is element i - before of the padded source."""
    result = memory.empty(result_shape, source.dtype)
    if result.size == 0:
        return result
    inputs, outputs = source.shape[1], result_shape[1]
    down, across = -(-result_shape[2] // 4), -(-result_shape[3] // 4)
    threads, itemsize = get_num_threads(), source.itemsize
    width = 2 * vector_length(source.dtype)
    tile_panels = -(-result_shape[0] * down * across // width)
    panels = max(1, min(TASK_BYTES // (POINTS * width * (inputs + outputs) * itemsize), -(-tile_panels // (4 * threads))))
    thread_elements = POINTS * width * (panels * (inputs + outputs) + 2)
    u = memory.empty((POINTS, outputs, inputs), source.dtype)
    _transform_weight(weight, transposed, u)
    rows = _sources(source.shape[2], before[0], result_shape[2], padding_mode, known[0])
    columns = _sources(source.shape[3], before[1], result_shape[3], padding_mode, known[1])
    row, position = np.arange(outputs, dtype=np.intp) * inputs, np.arange(inputs, dtype=np.intp)
    bias = np.empty(0, source.dtype) if bias is None else bias
    tasks = -(-tile_panels // panels)
    work = memory.workspace(threads * thread_elements, source.dtype)
    _run(source, u, bias, relu, result, rows, columns, work, row, position, width, panels, down, across, tasks, thread_elements)
    return result


def conv2d_winograd(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    """The convolution in tiles of 4 x 4; arguments as `reference.conv.conv2d`."""
    require("conv2d", weight.shape, stride, dilation, groups)
    shape = output_shape(x.shape, weight.shape, stride, padding, dilation)
    known = (x.shape[2] + padding[0] + padding[1], x.shape[3] + padding[2] + padding[3])
    return _convolve(x, weight, bias, activation == "relu", False, shape, (padding[0], padding[2]), padding_mode, known)


def conv2d_grad_x_winograd(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    """The gradient with respect to x: the convolution of grad with the flipped kernels, in tiles; arguments as `reference.conv.conv2d_grad_x`."""
    require("conv2d", weight.shape, stride, dilation, groups)
    top, bottom, left, right = padding
    folds = padding_mode != "zeros" and any(padding)
    # Other modes: the gradient of the padded image, whose cells then go back to the pixels they are copies of.
    target = (x_shape[0], x_shape[1], x_shape[2] + top + bottom, x_shape[3] + left + right) if folds else tuple(x_shape)
    before = (2, 2) if folds else (2 - top, 2 - left)
    known = (target[2] + 2, target[3] + 2)
    padded = _convolve(grad, weight, None, False, True, target, before, "zeros", known)
    if not folds:
        return padded
    grad_x = memory.empty(x_shape, grad.dtype)
    fold_padding(padded, grad_x, top, left, PADDING_CODES[padding_mode])
    return grad_x
