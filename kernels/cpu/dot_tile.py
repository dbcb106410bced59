"""The dot-product micro-kernel: many dot products between rows of A and shifted rows of B at once.

    C[i][j]  =  (or +=)  sum over segments t, sum over l < length of  A[i * a_pitch + a_segment[t] + l] * B[column[j] + b_segment[t] + l]

Lanes run along l, where both operands have neighbours in memory. A tile of C is one accumulator vector for each (i, j), whose lanes are added up
at the very end, so a tile pays when the sum is long and the rows of C are few. The end of a segment is read through a mask, and nothing
outside the segments is touched.
"""

from numba import types
from numba.extending import intrinsic

from ..jit import kernel
from ..simd import REGISTERS, Vectors, index_constant

# (rows, columns) of a tile: accumulators, the rows of A and one vector of B must fit the registers.
SIX = (6, 4) if REGISTERS == 32 else (6, 2)
FOUR = (4, 6) if REGISTERS == 32 else (4, 3)
ONE = (1, 9)


def row_panels(rows: int) -> list[tuple[int, int]]:
    """(first row, rows of the tile) that cover all rows; a tile may reach beyond the last."""
    found = []
    first = 0
    while first < rows:
        left = rows - first
        tile = 1 if left == 1 else 6 if left in (5, 6) or left > 8 else 4
        found.append((first, tile))
        first += tile
    return found


def _rows_times_columns(rows: int, columns: int):
    """Emit the micro-kernel for tiles of so many rows and columns; it works through all columns of C."""

    @intrinsic
    def rows_times_columns(
        typingctx, sample, a, a_pitch, row_count, b, column, column_count, a_segment, b_segment, segments, length, c, c_pitch, accumulate
    ):
        signature = types.void(sample, *[types.intp] * 13)

        def codegen(context, builder, signature, arguments):
            v = Vectors(builder, signature.args[0])
            a, a_pitch, row_count, b, column, column_count, a_segment, b_segment, segments, length, c, c_pitch, accumulate = arguments[1:]
            a, b, c = v.pointer(a), v.pointer(b), v.pointer(c)
            column, a_segment, b_segment = (v.index_pointer(table) for table in (column, a_segment, b_segment))
            lanes = index_constant(v.lanes)
            # The last vector of a segment always goes through the mask: one to all lanes of it exist.
            whole = builder.sdiv(builder.sub(length, index_constant(1)), lanes)
            tail = builder.mul(whole, lanes)
            mask = v.first_lanes(builder.sub(length, tail))
            adds = builder.icmp_signed("!=", accumulate, index_constant(0))
            # Rows and columns beyond the last repeat it: they compute and store the same number once more.
            row_numbers = [_at_most(builder, index_constant(i), row_count) for i in range(rows)]
            a_rows = [v.at(a, builder.mul(i, a_pitch)) for i in row_numbers]

            def tile(number, _):
                first = builder.mul(number, index_constant(columns))
                numbers = [_at_most(builder, builder.add(first, index_constant(j)), column_count) for j in range(columns)]
                b_columns = [v.at(b, builder.load(v.at(column, j))) for j in numbers]

                def add_products(sums, a_offset, b_offset, load):
                    b_vectors = [load(v.at(start, b_offset)) for start in b_columns]
                    results = []
                    for i in range(rows):
                        a_vector = load(v.at(a_rows[i], a_offset))
                        results += [v.multiply_add(a_vector, b_vectors[j], sums[i * columns + j]) for j in range(columns)]
                    return results

                def segment(t, sums):
                    a_start, b_start = builder.load(v.at(a_segment, t)), builder.load(v.at(b_segment, t))

                    def step(k, sums):
                        along = builder.mul(k, lanes)
                        return add_products(sums, builder.add(a_start, along), builder.add(b_start, along), v.load)

                    sums = v.loop(whole, sums, step)
                    ends = builder.add(a_start, tail), builder.add(b_start, tail)
                    return add_products(sums, *ends, lambda pointer: v.load_masked(pointer, mask))

                sums = v.loop(segments, [v.zero] * (rows * columns), segment)
                targets = [v.at(c, builder.add(builder.mul(i, c_pitch), j)) for i in row_numbers for j in numbers]
                zero = v.zero.type.element(0.0)
                before = [builder.select(adds, builder.load(target), zero) for target in targets]
                for target, start, total in zip(targets, before, sums, strict=True):
                    builder.store(builder.fadd(start, v.sum_lanes(total)), target)
                return []

            tiles = builder.sdiv(builder.add(column_count, index_constant(columns - 1)), index_constant(columns))
            v.loop(tiles, [], tile)
            return context.get_dummy_value()

        return signature, codegen

    return rows_times_columns


def _at_most(builder, index, count):
    """The index, or count - 1 if that is smaller."""
    last = builder.sub(count, index_constant(1))
    return builder.select(builder.icmp_signed("<", index, last), index, last)


_six_rows = _rows_times_columns(*SIX)
_four_rows = _rows_times_columns(*FOUR)
_one_row = _rows_times_columns(*ONE)


@kernel
def dot_rows(
    sample, tile, a, a_pitch, row_count, b, column, column_count, a_segment, b_segment, segments, length, c, c_pitch, accumulate
):
    """C (row_count <= tile, column_count) = or += dot products; all addresses, except sample, which tells the element type."""
    if tile == 1:
        _one_row(sample, a, a_pitch, row_count, b, column, column_count, a_segment, b_segment, segments, length, c, c_pitch, accumulate)
    elif tile == 4:
        _four_rows(sample, a, a_pitch, row_count, b, column, column_count, a_segment, b_segment, segments, length, c, c_pitch, accumulate)
    else:
        _six_rows(sample, a, a_pitch, row_count, b, column, column_count, a_segment, b_segment, segments, length, c, c_pitch, accumulate)
