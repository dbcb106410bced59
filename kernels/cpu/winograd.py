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


@kernel(inline="never")
def _transform_row(weight, transposed, u, o):
    """All kernels of one output channel, input channels side by side."""
    inputs = u.shape[2]
    scale = u.dtype.type
    g = np.empty((9, inputs), u.dtype)
    t = np.empty((18, inputs), u.dtype)
    for c in range(inputs):
        for a in range(3):
            for b in range(3):
                g[3 * a + b, c] = weight[c, o, 2 - a, 2 - b] if transposed else weight[o, c, a, b]
    for b in range(3):
        for c in range(inputs):
            v0, v1, v2, v3, v4, v5 = _kernel_values(scale, g[b, c], g[3 + b, c], g[6 + b, c])
            t[b, c], t[3 + b, c], t[6 + b, c], t[9 + b, c], t[12 + b, c], t[15 + b, c] = v0, v1, v2, v3, v4, v5
    for i in range(6):
        for c in range(inputs):
            v0, v1, v2, v3, v4, v5 = _kernel_values(scale, t[3 * i, c], t[3 * i + 1, c], t[3 * i + 2, c])
            u[6 * i, o, c], u[6 * i + 1, o, c], u[6 * i + 2, o, c] = v0, v1, v2
            u[6 * i + 3, o, c], u[6 * i + 4, o, c], u[6 * i + 5, o, c] = v3, v4, v5


@kernel(parallel=True)
def _transform_weight(weight, transposed, u):
    """U[6 i + j, o, c] = (G g G^T)[i, j]; transposed, for the gradient with respect to x, with flipped kernels and o and c exchanged."""
    for o in prange(u.shape[1]):
        _transform_row(weight, transposed, u, np.intp(o))


@kernel
def _kernel_values(scale, g0, g1, g2):
    """G times a column: the values of g0 + g1 x + g2 x^2 at the six points, scaled; `scale` gives the number type."""
    quarter, sixth, twelfth, smallest = scale(1 / 4), scale(1 / 6), scale(1 / 12), scale(1 / 24)
    even, odd = (g0 + g2) * sixth, g1 * sixth
    far, slope = g0 * smallest + g2 * sixth, g1 * twelfth
    return g0 * quarter, -even - odd, odd - even, far + slope, far - slope, g2


@kernel
def _transform_pixels(d, t, v, panel, channel):
    """v[:, panel, channel] = B^T d B for a panel of tiles, which lie along the last axis: columns first, then rows."""
    tiles = d.shape[1]
    two, four, five = d.dtype.type(2), d.dtype.type(4), d.dtype.type(5)  # a Python integer would make float64 of float32
    for j in range(6):
        for p in range(tiles):
            d0, d1, d2, d3, d4, d5 = d[j, p], d[6 + j, p], d[12 + j, p], d[18 + j, p], d[24 + j, p], d[30 + j, p]
            t[j, p] = four * d0 - five * d2 + d4
            t[6 + j, p] = (d4 - four * d2) + (d3 - four * d1)
            t[12 + j, p] = (d4 - four * d2) - (d3 - four * d1)
            t[18 + j, p] = (d4 - d2) + two * (d3 - d1)
            t[24 + j, p] = (d4 - d2) - two * (d3 - d1)
            t[30 + j, p] = four * d1 - five * d3 + d5
    for i in range(0, POINTS, 6):
        for p in range(tiles):
            d0, d1, d2, d3, d4, d5 = t[i, p], t[i + 1, p], t[i + 2, p], t[i + 3, p], t[i + 4, p], t[i + 5, p]
            v[i, panel, channel, p] = four * d0 - five * d2 + d4
            v[i + 1, panel, channel, p] = (d4 - four * d2) + (d3 - four * d1)
            v[i + 2, panel, channel, p] = (d4 - four * d2) - (d3 - four * d1)
            v[i + 3, panel, channel, p] = (d4 - d2) + two * (d3 - d1)
            v[i + 4, panel, channel, p] = (d4 - d2) - two * (d3 - d1)
            v[i + 5, panel, channel, p] = four * d1 - five * d3 + d5


@kernel
def _transform_sums(m, panel, channel, t, y):
    """y = A^T m[:, panel, channel] A for a panel of tiles."""
    tiles = m.shape[3]
    two, four, eight = t.dtype.type(2), t.dtype.type(4), t.dtype.type(8)
    for j in range(6):
        for p in range(tiles):
            m0, m1, m2 = m[j, panel, channel, p], m[6 + j, panel, channel, p], m[12 + j, panel, channel, p]
            m3, m4, m5 = m[18 + j, panel, channel, p], m[24 + j, panel, channel, p], m[30 + j, panel, channel, p]
            near, near_odd, far, far_odd = m1 + m2, m1 - m2, m3 + m4, m3 - m4
            t[j, p] = m0 + near + far
            t[6 + j, p] = near_odd + two * far_odd
            t[12 + j, p] = near + four * far
            t[18 + j, p] = near_odd + eight * far_odd + m5
    for i in range(4):
        for p in range(tiles):
            near, near_odd = t[6 * i + 1, p] + t[6 * i + 2, p], t[6 * i + 1, p] - t[6 * i + 2, p]
            far, far_odd = t[6 * i + 3, p] + t[6 * i + 4, p], t[6 * i + 3, p] - t[6 * i + 4, p]
            y[4 * i, p] = t[6 * i, p] + near + far
            y[4 * i + 1, p] = near_odd + two * far_odd
            y[4 * i + 2, p] = near + four * far
            y[4 * i + 3, p] = near_odd + eight * far_odd + t[6 * i + 5, p]


@kernel(inline="never")
def _vector_products(u, v, m, panels, row, position):
    """m[point, panel] = u[point] v[point, panel] by the outer-product micro-kernel."""
    outputs, inputs, width, size = u.shape[1], u.shape[2], v.shape[3], v.itemsize
    for point in range(POINTS):
        for panel in range(panels):
            source = address(v) + (point * v.shape[1] + panel) * inputs * width * size
            target = address(m) + (point * m.shape[1] + panel) * outputs * width * size
            for start in range(0, inputs, DEPTH):
                multiply_panel(
                    v[0, 0, 0, 0], address(u) + point * outputs * inputs * size, address(row), outputs,
                    address(position) + start * position.itemsize, min(DEPTH, inputs - start),
                    source + start * width * size, width, 2, target, width, width, start > 0,
                )  # fmt: skip


@kernel(inline="never")
def _plain_products(u, v, m, panels, row, position):
    """m[point, panel] = u[point] v[point, panel] in plain loops, for TINYCNN_FAST=0."""
    for point in range(POINTS):
        for panel in range(panels):
            for o in range(u.shape[1]):
                for p in range(v.shape[3]):
                    m[point, panel, o, p] = 0
                for c in range(u.shape[2]):
                    for p in range(v.shape[3]):
                        m[point, panel, o, p] += u[point, o, c] * v[point, panel, c, p]


_products = _vector_products if FAST else _plain_products


@kernel(inline="never")
def _read_tiles(source, v, first, count, panels, down, across, rows, columns, places, d, t):
    """Transform the pixels of `panels` panels of tiles, from tile `first` on; tiles beyond the last are zero."""
    width = d.shape[1]
    for panel in range(panels):
        for p in range(width):
            tile = first + panel * width + p
            row, column = 4 * (tile % (down * across) // across), 4 * (tile % across)
            inside = rows[row] >= 0 and rows[row] + 5 == rows[row + 5] and columns[column] >= 0 and columns[column] + 5 == columns[column + 5]
            places[p, 0], places[p, 1], places[p, 2] = tile // (down * across), row, column
            places[p, 3] = (1 if inside else 0) if tile < count else -1
        for channel in range(source.shape[1]):
            for p in range(width):
                image, row, column = places[p, 0], places[p, 1], places[p, 2]
                if places[p, 3] > 0:
                    h, w = rows[row], columns[column]
                    for i in range(6):
                        for j in range(6):
                            d[6 * i + j, p] = source[image, channel, h + i, w + j]
                else:
                    for i in range(6):
                        h = rows[row + i] if places[p, 3] == 0 else -1
                        for j in range(6):
                            w = columns[column + j]
                            d[6 * i + j, p] = source[image, channel, h, w] if h >= 0 and w >= 0 else 0
            _transform_pixels(d, t, v, panel, channel)


@kernel(inline="never")
def _write_tiles(m, bias, relu, result, first, count, panels, down, across, t, y):
    """Transform the sums back and store the tiles, as much of each as exists."""
    zero = y.dtype.type(0)
    width = y.shape[1]
    for panel in range(panels):
        for channel in range(m.shape[2]):
            _transform_sums(m, panel, channel, t, y)
            offset = bias[channel] if bias.size > 0 else zero
            start = first + panel * width
            image, place = start // (down * across), start % (down * across)
            tile_row, tile_column = place // across, place % across
            for p in range(min(width, count - start)):
                row, column = 4 * tile_row, 4 * tile_column
                for i in range(min(4, result.shape[2] - row)):
                    for j in range(min(4, result.shape[3] - column)):
                        value = y[4 * i + j, p] + offset
                        result[image, channel, row + i, column + j] = zero if relu and value <= zero else value
                tile_column += 1
                if tile_column == across:
                    tile_column = 0
                    tile_row += 1
                    if tile_row == down:
                        tile_row = 0
                        image += 1


@kernel(inline="never")
def _run_task(task, source, u, bias, relu, result, rows, columns, work, row, position, width, panels, down, across):
    inputs, outputs = u.shape[2], u.shape[1]
    count = result.shape[0] * down * across
    v_size, m_size, tile_size = POINTS * panels * inputs * width, POINTS * panels * outputs * width, POINTS * width
    v = work[:v_size].reshape((POINTS, panels, inputs, width))
    m = work[v_size : v_size + m_size].reshape((POINTS, panels, outputs, width))
    d = work[v_size + m_size : v_size + m_size + tile_size].reshape((POINTS, width))
    t = work[v_size + m_size + tile_size : v_size + m_size + 2 * tile_size].reshape((POINTS, width))
    places = np.empty((width, 4), np.intp)
    first = task * panels * width
    used = min(panels, -(-(count - first) // width))
    _read_tiles(source, v, first, count, used, down, across, rows, columns, places, d, t)
    _products(u, v, m, used, row, position)
    _write_tiles(m, bias, relu, result, first, count, used, down, across, t, d)


@kernel(parallel=True)
def _run(source, u, bias, relu, result, rows, columns, all_work, row, position, width, panels, down, across, tasks, thread_elements):
    """A task is `panels` panels of `width` tiles: transform their pixels, multiply, transform back."""
    for task in prange(tasks):
        slot = get_thread_id() * thread_elements
        work = all_work[slot : slot + thread_elements]
        _run_task(np.intp(task), source, u, bias, relu, result, rows, columns, work, row, position, width, panels, down, across)


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
