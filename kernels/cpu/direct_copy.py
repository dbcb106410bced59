"""The copies around the direct convolution: input into the padded workspace, and results out of the scratch memory.

The workspace is where stride, padding and padding mode end: behind it every tap of the kernel is a plain contiguous run of pixels.
"""

from numba import prange, types
from numba.extending import intrinsic

from ..jit import kernel
from ..reference.conv import ZEROS
from ..reference.conv import source_index as _source_index
from ..simd import Vectors, address, index_constant

# The definition itself, compiled.
source_index = kernel(_source_index)


@intrinsic
def _copy_run(typingctx, sample, target, source, count):
    """target[i] = source[i] for i < count, not a byte more on either side."""
    signature = types.void(sample, types.intp, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        target, source = v.pointer(arguments[1]), v.pointer(arguments[2])
        count = arguments[3]
        lanes = index_constant(v.lanes)

        def body(k, carried):
            first = builder.mul(k, lanes)
            mask = v.first_lanes(builder.sub(count, first))
            v.store_masked(v.load_masked(v.at(source, first), mask), v.at(target, first), mask)
            return []

        v.loop(_vectors_in(builder, count, v.lanes), [], body)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _copy_row(typingctx, sample, target, source, first, size, count):
    """target[i] = source[first + i], or 0 where first + i is outside 0 .. size-1; writes whole vectors, so up to one beyond count."""
    return _row_codegen(sample, 1)


@intrinsic
def _copy_row_by_two(typingctx, sample, target, source, first, size, count):
    """target[i] = source[first + 2 i], else as `_copy_row`."""
    return _row_codegen(sample, 2)


def _row_codegen(sample, step):
    signature = types.void(sample, *[types.intp] * 5)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        target, source = v.pointer(arguments[1]), v.pointer(arguments[2])
        first, size, count = arguments[3:]

        def within(start):
            mask = v.lanes_within(start, size)
            return v.load_masked(v.at(source, start), mask)

        def body(k, carried):
            start = builder.add(first, builder.mul(k, index_constant(step * v.lanes)))
            value = within(start)
            if step == 2:
                following = within(builder.add(start, index_constant(v.lanes)))
                value = v.shuffle(value, following, range(0, 2 * v.lanes, 2))
            v.store(value, v.at(target, builder.mul(k, index_constant(v.lanes))))
            return []

        v.loop(_vectors_in(builder, count, v.lanes), [], body)
        return context.get_dummy_value()

    return signature, codegen


def _vectors_in(builder, count, lanes):
    return builder.sdiv(builder.add(count, index_constant(lanes - 1)), index_constant(lanes))


@kernel(inline="never")
def padded_row(x, image, channel, row, work, start, first, step, count, code):
    """work[start + q] = x[image, channel, row, first + q * step] for q < count, by the padding mode outside; row -1 is a row of zeros.

    May write up to one vector beyond `count`, so rows are filled in ascending order and the workspace has that much slack.
    """
    height, width = x.shape[2], x.shape[3]
    itemsize = x.itemsize
    present = width if row >= 0 else 0
    line = ((image * x.shape[1] + channel) * height + max(row, 0)) * width
    target = address(work) + start * itemsize
    source = address(x) + line * itemsize
    if step == 1:
        _copy_row(work[0], target, source, first, present, count)
    elif step == 2:
        _copy_row_by_two(work[0], target, source, first, present, count)
    else:
        for q in range(count):
            column = first + q * step
            work[start + q] = x[image, channel, row, column] if 0 <= column < present else 0
    if code != ZEROS and row >= 0:
        for q in range(count):
            column = first + q * step
            if column >= 0:
                break
            work[start + q] = x[image, channel, row, source_index(column, width, code)]
        for q in range(count - 1, -1, -1):
            column = first + q * step
            if column < width:
                break
            work[start + q] = x[image, channel, row, source_index(column, width, code)]


@kernel(inline="never")
def padded_copy(x, image, images, channel, channels, work, start, row_starts, row_step, rows, columns, column_step, pitch, slots, plane, code):
    """Copy `images` images side by side into a padded workspace, once for every row start and column start.

    With X the padded image (X[n, c, h, w] for any h, w, by the padding mode; `code` is one of `reference.conv.PADDING_CODES`):

        work[start + ((c * len(row_starts) + a) * len(columns) + b) * plane + (r * slots + i) * pitch + q]
            = X[image + i, channel + c, row_starts[a] + r * row_step, columns[b] + q * column_step]

    for c < channels, r < rows, i < images, q < pitch; plane >= rows * slots * pitch. Starts may be negative. For a stride s, starts 0 .. s-1
    (less the padding) and step s split the image into its s * s phases; for stride 1, one start (minus the padding) is the padded image itself.
    Whole vectors are written: `work` needs one vector (64 bytes) of slack behind the last element named above.
    """
    height = x.shape[2]
    for c in range(channels):
        for a in range(row_starts.size):
            for b in range(columns.size):
                base = start + ((c * row_starts.size + a) * columns.size + b) * plane
                for r in range(rows):
                    row = source_index(row_starts[a] + r * row_step, height, code)
                    for i in range(images):
                        target = base + (r * slots + i) * pitch
                        padded_row(x, image + i, channel + c, row, work, target, columns[b], column_step, pitch, code)


@kernel(inline="never")
def scatter_row(work, start, count, out, image, channel, row, first, step):
    """out[image, channel, row, first + q * step] = work[start + q] for q < count, where that column exists."""
    width = out.shape[3]
    if step == 1 and first >= 0 and first + count <= width:
        line = ((image * out.shape[1] + channel) * out.shape[2] + row) * width + first
        _copy_run(work[0], address(out) + line * out.itemsize, address(work) + start * out.itemsize, count)
        return
    for q in range(count):
        column = first + q * step
        if 0 <= column < width:
            out[image, channel, row, column] = work[start + q]


@kernel(parallel=True)
def fold_padding(padded, grad_x, top, left, code):
    """The adjoint of padding: each element of the padded gradient is added to the element of x it was copied from."""
    for plane in prange(grad_x.shape[0] * grad_x.shape[1]):
        n, c = plane // grad_x.shape[1], plane % grad_x.shape[1]
        height, width = grad_x.shape[2], grad_x.shape[3]
        for h in range(height):
            for w in range(width):
                grad_x[n, c, h, w] = padded[n, c, h + top, w + left]
        for i in range(padded.shape[2]):
            h = source_index(i - top, height, code)
            inside = 0 <= i - top < height
            for j in range(padded.shape[3]):
                if not (inside and 0 <= j - left < width):
                    grad_x[n, c, h, source_index(j - left, width, code)] += padded[n, c, i, j]
