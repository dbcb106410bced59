"""The copies around the direct convolution: input into the padded workspace, and results out of the scratch memory.

The workspace is where stride, padding and padding mode end: behind it every tap of the kernel is a plain contiguous run
of pixels. Every load and store is masked to the elements it owns, so neither side needs slack behind its end.
"""

from numba import prange, types
from numba.extending import intrinsic

from ..jit import kernel
from ..reference.conv import ZEROS
from ..reference.conv import source_index as _source_index
from ..simd import Vectors, address, index_constant

# The definition itself, compiled.
source_index = kernel(_source_index)


def _rows_by_vectors(v, count, element):
    """Emit element(vector start, mask of lanes below count), which gives the loops over rows: one mask for all rows."""
    builder = v.builder
    lanes = index_constant(v.lanes)
    vectors = builder.sdiv(builder.add(count, index_constant(v.lanes - 1)), lanes)

    def column(k, carried):
        start = builder.mul(k, lanes)
        for rows, emit in element(start, v.first_lanes(builder.sub(count, start))):
            v.loop(rows, [], lambda r, carried, emit=emit: emit(r) or [])
        return []

    v.loop(vectors, [], column)


def _gather_codegen(sample, step):
    signature = types.void(sample, *[types.intp] * 10)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        target, target_pitch, source, source_pitch, above, rows, below, first, size, count = arguments[1:]
        target, source = v.pointer(target), v.pointer(source)
        inner = v.at(target, builder.mul(above, target_pitch))
        outer = v.at(inner, builder.mul(rows, target_pitch))

        def element(start, stored):
            begin = builder.add(first, builder.mul(start, index_constant(step)))
            begins = [builder.add(begin, index_constant(i * v.lanes)) for i in range(step)]
            masks = [v.lanes_within(part, size) for part in begins]

            def place(origin, r):
                return v.at(v.at(origin, builder.mul(r, target_pitch)), start)

            def zero_row(origin):
                return lambda r: v.store_masked(v.zero, place(origin, r), stored)

            def row(r):
                line = v.at(source, builder.mul(r, source_pitch))
                parts = [v.load_masked(v.at(line, part), mask) for part, mask in zip(begins, masks, strict=True)]
                value = parts[0] if step == 1 else v.shuffle(parts[0], parts[1], range(0, 2 * v.lanes, 2))
                v.store_masked(value, place(inner, r), stored)

            return [(above, zero_row(target)), (rows, row), (below, zero_row(outer))]

        _rows_by_vectors(v, count, element)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _gather(typingctx, sample, target, target_pitch, source, source_pitch, above, rows, below, first, size, count):
    """Write `above` rows of zeros, `rows` rows of target[r][q] = source[r][first + q], and `below` rows of zeros, q <
    count.

    Where first + q is outside 0 .. size-1 there is a zero too.
    """
    return _gather_codegen(sample, 1)


@intrinsic
def _gather_by_two(
    typingctx, sample, target, target_pitch, source, source_pitch, above, rows, below, first, size, count
):
    """As `_gather`, with source[r][first + 2 q]."""
    return _gather_codegen(sample, 2)


@intrinsic
def _interleave_rows(typingctx, sample, target, target_pitch, even, odd, source_pitch, rows, first, size, count):
    """target[r][first + 2 q] = even[r][q], target[r][first + 2 q + 1] = odd[r][q] where that is inside 0 .. size-1."""
    signature = types.void(sample, *[types.intp] * 9)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        target, target_pitch, even, odd, source_pitch, rows, first, size, count = arguments[1:]
        target, even, odd = v.pointer(target), v.pointer(even), v.pointer(odd)

        def element(start, loaded):
            begin = builder.add(first, builder.mul(start, index_constant(2)))
            begins = [begin, builder.add(begin, index_constant(v.lanes))]
            # The pairs beyond count stay unwritten.
            end = builder.add(first, builder.mul(count, index_constant(2)))
            masks = [
                builder.and_(v.lanes_within(part, size), v.first_lanes(builder.sub(end, part))) for part in begins
            ]

            def emit(r):
                line = builder.add(builder.mul(r, source_pitch), start)
                pair = [v.load_masked(v.at(source, line), loaded) for source in (even, odd)]
                row = v.at(target, builder.mul(r, target_pitch))
                for half in range(2):
                    lanes = [half * v.lanes // 2 + i // 2 + i % 2 * v.lanes for i in range(v.lanes)]
                    v.store_masked(v.shuffle(*pair, lanes), v.at(row, begins[half]), masks[half])

            return [(rows, emit)]

        _rows_by_vectors(v, count, element)
        return context.get_dummy_value()

    return signature, codegen


@kernel(inline="never")
def _gather_slowly(x, image, channel, row, row_step, work, target, pitch, above, rows, below, first, step, count):
    """As `_gather` for any column step."""
    for r in range(above + rows + below):
        for q in range(count):
            column = first + q * step
            inside = above <= r < above + rows and 0 <= column < x.shape[3]
            value = x[image, channel, row + (r - above) * row_step, column] if inside else 0
            work[target + r * pitch + q] = value


@kernel(inline="never")
def _fill_border(x, image, channel, start, row_step, rows, work, target, pitch, first, step, count, code):
    """Replace the zeros around the image by what the padding mode puts there."""
    height, width = x.shape[2], x.shape[3]
    left = min(count, max(0, -(first // step)))
    right = max(left, min(count, -((first - width) // step)))
    for r in range(rows):
        position = start + r * row_step
        row = source_index(position, height, code)
        inside = 0 <= position < height
        for q in range(left if inside else count):
            work[target + r * pitch + q] = x[image, channel, row, source_index(first + q * step, width, code)]
        for q in range(right if inside else count, count):
            work[target + r * pitch + q] = x[image, channel, row, source_index(first + q * step, width, code)]


@kernel(inline="never")
def padded_row(x, image, channel, row, work, start, first, step, count, code):
    """work[start + q] = X[image, channel, row, first + q * step] for q < count; row -1 is a row of zeros."""
    height, width = x.shape[2], x.shape[3]
    size = width if row >= 0 else 0
    line = ((image * x.shape[1] + channel) * height + max(row, 0)) * width
    target, source = address(work) + start * work.itemsize, address(x) + line * work.itemsize
    if step == 1:
        _gather(work[0], target, 0, source, 0, 0, 1, 0, first, size, count)
    elif step == 2:
        _gather_by_two(work[0], target, 0, source, 0, 0, 1, 0, first, size, count)
    else:
        present = 1 if row >= 0 else 0
        _gather_slowly(x, image, channel, row, 1, work, start, 0, 0, present, 1 - present, first, step, count)
    if code != ZEROS and row >= 0:
        _fill_border(x, image, channel, row, 1, 1, work, start, 0, first, step, count, code)


@kernel(inline="never")
def padded_copy(
    x, image, images, channel, channels, work, row, row_starts, row_step, rows, columns, column_step, pitch, slots,
    plane, code,
):
    """Copy `images` images side by side into a padded workspace, once for every row start and column start.

    With X the padded image (X[n, c, h, w] for any h, w, by the padding mode whose `reference.conv.PADDING_CODES` is
    code):

        work[((c * len(row_starts) + a) * len(columns) + b) * plane + (r * slots + i) * pitch + q]
            = X[image + i, channel + c, row + row_starts[a] + r * row_step, columns[b] + q * column_step]

    for c < channels, r < rows, i < images, q < pitch; plane >= rows * slots * pitch. Starts may be negative. For a
    stride s, starts 0 .. s-1 (less the padding) and step s split the image into its s * s phases; for stride 1, one
    start (minus the padding) is the padded image itself.
    """
    height, width = x.shape[2], x.shape[3]
    size = work.itemsize
    line = slots * pitch
    for c in range(channels):
        for a in range(row_starts.size):
            start = row + row_starts[a]
            # Rows before `above` and from `below` on are outside the image.
            above = min(rows, max(0, -(start // row_step)))
            below = max(above, min(rows, -((start - height) // row_step)))
            first_row = start + above * row_step
            for b in range(columns.size):
                first = columns[b]
                for i in range(images):
                    target = ((c * row_starts.size + a) * columns.size + b) * plane + i * pitch
                    to = address(work) + target * size
                    source = address(x) + (((image + i) * x.shape[1] + channel + c) * height + first_row) * width * size
                    counts = (above, below - above, rows - below)
                    if column_step == 1:
                        _gather(work[0], to, line, source, row_step * width, *counts, first, width, pitch)
                    elif column_step == 2:
                        _gather_by_two(work[0], to, line, source, row_step * width, *counts, first, width, pitch)
                    else:
                        _gather_slowly(
                            x, image + i, channel + c, first_row, row_step, work, target, line, *counts, first,
                            column_step, pitch,
                        )
                    if code != ZEROS:
                        _fill_border(
                            x, image + i, channel + c, start, row_step, rows, work, target, line, first, column_step,
                            pitch, code,
                        )


@kernel(inline="never")
def gather_rows(source, start, pitch, rows, present, work, target, count):
    """work[target + r * count + q] = source[start + r * pitch + q] for r < rows, q < present; zero for q < count."""
    size = work.itemsize
    to, begin = address(work) + target * size, address(source) + start * size
    _gather(work[0], to, count, begin, pitch, 0, rows, 0, 0, present, count)


@kernel(inline="never")
def scatter_rows(work, source, pitch, result, image, channel, row, row_step, rows, first, step, count):
    """result[image, channel, row + r * row_step, first + q * step] = work[source + r * pitch + q] where it exists."""
    height, width = result.shape[2], result.shape[3]
    above = min(rows, max(0, -(row // row_step)))
    below = max(above, min(rows, -((row - height) // row_step)))
    left = min(count, max(0, -(first // step)))
    right = max(left, min(count, -((first - width) // step)))
    if step == 1:
        line = ((image * result.shape[1] + channel) * height + row + above * row_step) * width + first + left
        start = address(work) + (source + above * pitch + left) * work.itemsize
        target = address(result) + line * work.itemsize
        _gather(work[0], target, row_step * width, start, pitch, 0, below - above, 0, 0, right - left, right - left)
    else:
        for r in range(above, below):
            for q in range(left, right):
                result[image, channel, row + r * row_step, first + q * step] = work[source + r * pitch + q]


@kernel(inline="never")
def scatter_interleaved(work, even, odd, pitch, result, image, channel, row, row_step, rows, first, count):
    """Two calls of `scatter_rows` with step 2 at once: the odd one starts at column first + 1."""
    height, width = result.shape[2], result.shape[3]
    above = min(rows, max(0, -(row // row_step)))
    below = max(above, min(rows, -((row - height) // row_step)))
    line = ((image * result.shape[1] + channel) * height + row + above * row_step) * width
    start = address(work) + above * pitch * work.itemsize
    _interleave_rows(
        work[0], address(result) + line * work.itemsize, row_step * width, start + even * work.itemsize,
        start + odd * work.itemsize, pitch, below - above, first, width, count,
    )


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
