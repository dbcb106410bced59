"""The outer-product micro-kernel, and the two ways to lay out its right-hand side.

    C[i][j]  =  (or +=)  sum_p  A[row[i] + position[p]] * B[p][j]

Lanes run along j. One element of A at a time is spread over all lanes, so A is read where it lies: its rows and positions are tables of
offsets, and a transposed matrix, a strided image or a tap of a convolution are only other tables. B is a panel: a few vectors wide, one row a
position, packed into scratch memory once and used for every row of C. A tile of C stays in registers during the whole sum.
"""

from numba import types
from numba.extending import intrinsic

from ..jit import kernel
from ..simd import REGISTERS, Vectors, index_constant

# (rows, vectors) of a tile of C. Accumulators, one row of B and one spread element must fit the registers, and at least
# eight accumulators are needed to keep two multiply-add units busy at a latency of four cycles. More than ten rows would
# also run out of the registers that hold their addresses. Nine rows suit kernels of 3 x 3 taps.
DOUBLE = (9, 2) if REGISTERS == 32 else (6, 2)
SINGLE = (9, 1)


def panels(columns: int, lanes: int) -> list[tuple[int, int]]:
    """(first column, vectors) of the panels, one or two vectors wide, that cover all columns."""
    return [(first, 1 if columns - first <= lanes else 2) for first in range(0, columns, 2 * lanes)]


def _rows_times_panel(rows: int, vectors: int):
    """Emit the micro-kernel for tiles of so many rows and vectors."""

    @intrinsic
    def rows_times_panel(typingctx, sample, a, row, row_count, position, count, b, b_pitch, c, c_pitch, width, accumulate):
        signature = types.void(sample, *[types.intp] * 11)

        def codegen(context, builder, signature, arguments):
            v = Vectors(builder, signature.args[0])
            a, row, row_count, position, count, b, b_pitch, c, c_pitch, width, accumulate = arguments[1:]
            a, b, c = v.pointer(a), v.pointer(b), v.pointer(c)
            row, position = v.index_pointer(row), v.index_pointer(position)
            full = builder.icmp_signed(">=", width, index_constant(vectors * v.lanes))
            masks = [v.first_lanes(builder.sub(width, index_constant(j * v.lanes))) for j in range(vectors)]
            adds = builder.icmp_signed("!=", accumulate, index_constant(0))
            last = builder.sub(row_count, index_constant(1))

            def tile(number, _):
                first = builder.mul(number, index_constant(rows))
                a_rows, targets = [], []
                for i in range(rows):
                    # Rows beyond the last repeat it: they compute and store the same numbers once more.
                    wanted = builder.add(first, index_constant(i))
                    index = builder.select(builder.icmp_signed("<", wanted, last), wanted, last)
                    a_rows.append(v.at(a, builder.load(v.at(row, index))))
                    start = v.at(c, builder.mul(index, c_pitch))
                    targets.append([v.at(start, j * v.lanes) for j in range(vectors)])

                def step(p, sums):
                    offset = builder.load(v.at(position, p))
                    b_row = v.at(b, builder.mul(p, b_pitch))
                    b_vectors = [v.load(v.at(b_row, j * v.lanes)) for j in range(vectors)]
                    results = []
                    for i in range(rows):
                        spread = v.load_splat(v.at(a_rows[i], offset))
                        results += [v.multiply_add(spread, b_vectors[j], sums[i * vectors + j]) for j in range(vectors)]
                    return results

                sums = v.loop(count, [v.zero] * (rows * vectors), step)
                sums = _added_to(v, sums, targets, masks, adds)
                with builder.if_else(full) as (then, otherwise):
                    with then:
                        for i in range(rows):
                            for j in range(vectors):
                                v.store(sums[i * vectors + j], targets[i][j])
                    with otherwise:
                        for i in range(rows):
                            for j in range(vectors):
                                v.store_masked(sums[i * vectors + j], targets[i][j], masks[j])
                return []

            tiles = builder.sdiv(builder.add(row_count, index_constant(rows - 1)), index_constant(rows))
            v.loop(tiles, [], tile)
            return context.get_dummy_value()

        return signature, codegen

    return rows_times_panel


def _added_to(v, sums, targets, masks, adds):
    """The sums, plus what the targets hold where `adds`; every target is read before any is written, as repeated rows need."""
    builder = v.builder
    before = builder.block
    with builder.if_then(adds):
        totals = [
            builder.fadd(v.load_masked(target, masks[j]), sums[i * len(masks) + j]) for i, row in enumerate(targets) for j, target in enumerate(row)
        ]
        inside = builder.block
    results = []
    for value, total in zip(sums, totals, strict=True):
        merged = builder.phi(v.type)
        merged.add_incoming(value, before)
        merged.add_incoming(total, inside)
        results.append(merged)
    return results


_double = _rows_times_panel(*DOUBLE)
_single = _rows_times_panel(*SINGLE)


@kernel
def multiply_panel(sample, a, row, row_count, position, count, b, b_pitch, vectors, c, c_pitch, width, accumulate):
    """C (row_count, width; rows c_pitch apart) = or += A times one panel of B, so many vectors wide.

    All arguments are addresses or numbers of elements, except sample, which tells the element type.
    """
    if vectors == 1:
        _single(sample, a, row, row_count, position, count, b, b_pitch, c, c_pitch, width, accumulate)
    else:
        _double(sample, a, row, row_count, position, count, b, b_pitch, c, c_pitch, width, accumulate)


@intrinsic
def copy_row(typingctx, sample, target, source, count):
    """Copy count elements; whole vectors are written, so up to one vector less one element behind the target is overwritten."""
    signature = types.void(sample, types.intp, types.intp, types.intp)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        target, source, count = v.pointer(arguments[1]), v.pointer(arguments[2]), arguments[3]
        whole = builder.sdiv(count, index_constant(v.lanes))

        def body(k, _):
            at = builder.mul(k, index_constant(v.lanes))
            v.store(v.load(v.at(source, at)), v.at(target, at))
            return []

        v.loop(whole, [], body)
        at = builder.mul(whole, index_constant(v.lanes))
        left = builder.sub(count, at)
        with builder.if_then(builder.icmp_signed(">", left, index_constant(0))):
            v.store(v.load_masked(v.at(source, at), v.first_lanes(left)), v.at(target, at))
        return context.get_dummy_value()

    return signature, codegen


def _transpose_block(masked: bool):
    """Emit the transposition of a square of lanes x lanes elements, or of the part of it that exists."""

    @intrinsic
    def transpose_block(typingctx, sample, source, source_pitch, rows, columns, target, target_pitch):
        signature = types.void(sample, *[types.intp] * 6)

        def codegen(context, builder, signature, arguments):
            v = Vectors(builder, signature.args[0])
            source, source_pitch, rows, columns, target, target_pitch = arguments[1:]
            source, target = v.pointer(source), v.pointer(target)
            values = []
            for i in range(v.lanes):
                at = v.at(source, builder.mul(index_constant(i), source_pitch))
                values.append(v.load_masked(at, _part(v, i, rows, columns)) if masked else v.load(at))
            for i, value in enumerate(_transposed(v, values)):
                at = v.at(target, builder.mul(index_constant(i), target_pitch))
                if masked:
                    v.store_masked(value, at, _part(v, i, columns, rows))
                else:
                    v.store(value, at)
            return context.get_dummy_value()

        return signature, codegen

    return transpose_block


def _part(v, i, rows, columns):
    """The mask of row i: its first `columns` lanes if i < rows, else none."""
    exists = v.builder.icmp_signed("<", index_constant(i), rows)
    return v.first_lanes(v.builder.select(exists, columns, index_constant(0)))


def _transposed(v, values):
    """Transpose by perfect shuffles: interleaving each row with the one half the rows away, log2(lanes) times, is a transposition."""
    half = v.lanes // 2
    low = [lane for i in range(half) for lane in (i, i + v.lanes)]
    high = [lane + half for lane in low]
    distance = v.lanes
    while distance > 1:
        pairs = zip(values[:half], values[half:], strict=True)
        values = [v.shuffle(a, b, lanes) for a, b in pairs for lanes in (low, high)]
        distance //= 2
    return values


_whole_block = _transpose_block(masked=False)
_part_of_block = _transpose_block(masked=True)


@kernel
def transpose(sample, lanes, itemsize, source, source_pitch, rows, columns, target, target_pitch):
    """target[j][i] = source[i][j] for i < rows, j < columns; pitches in elements, touches nothing else."""
    for i in range(0, rows, lanes):
        for j in range(0, columns, lanes):
            block_source = source + (i * source_pitch + j) * itemsize
            block_target = target + (j * target_pitch + i) * itemsize
            if rows - i >= lanes and columns - j >= lanes:
                _whole_block(sample, block_source, source_pitch, lanes, lanes, block_target, target_pitch)
            else:
                _part_of_block(sample, block_source, source_pitch, rows - i, columns - j, block_target, target_pitch)
