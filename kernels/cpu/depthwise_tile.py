"""The micro-kernels of the depthwise convolution, whose every output plane is made from one input plane, or a few.

There is nothing to share between output channels, so a tile is some rows of one plane, a vector wide, and the taps of one kernel column are done
together: a vector of the input is loaded once for all the rows of the tile that it serves.

    rows i .. i + height - 1 of the tile, a run of three taps below each other:  height + 2 loads,  3 * height multiply-adds

A kernel is a list of such runs of three, two and one tap; strides and dilations only make the runs shorter.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..jit import kernel
from ..simd import REGISTERS, VECTOR_BYTES, Vectors, index_constant

# Rows of a tile; the last tile of a plane ends at its last row, and computes some rows once more.
HEIGHTS = (7, 4, 1) if REGISTERS == 32 else (4, 1)
LONGEST_RUN = 3
# Columns of taps whose products one pass of the weight's gradient adds up: sums, the rows in hand and one row of the
# upstream gradient fit the registers.
COLUMNS = 3 if REGISTERS == 32 else 2


def lanes_of(itemsize: int, narrow: bool) -> int:
    """Lanes of a vector; half as many serve maps that are narrower than that."""
    lanes = VECTOR_BYTES // itemsize
    return max(2, lanes // 2) if narrow else lanes


def _make_vectors(builder, element, narrow):
    return Vectors(builder, element, lanes_of(8 if element == types.float64 else 4, narrow))


def _make_planes(height, narrow):
    """The micro-kernel over whole planes with tiles of so many rows."""

    @intrinsic
    def planes_of_tiles(
        typingctx, sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
        result, result_step, result_pitch, rows, columns, planes, relu,
    ):
        signature = types.void(sample, *[types.intp] * 16)

        def codegen(context, builder, signature, arguments):
            v = _make_vectors(builder, signature.args[0], narrow)
            work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles = arguments[1:10]
            result, result_step, result_pitch, rows, columns, planes, relu = arguments[10:]
            work, weights, result = v.pointer(work), v.pointer(weights), v.pointer(result)
            offsets = v.index_pointer(offsets)
            rectify = builder.icmp_signed("!=", relu, index_constant(0))
            lowest = v.splat(builder.select(rectify, v.zero.type.element(0.0), v.zero.type.element(float("-inf"))))
            lanes = index_constant(v.lanes)
            vectors = builder.sdiv(builder.add(columns, index_constant(v.lanes - 1)), lanes)
            tiles = builder.sdiv(builder.add(rows, index_constant(height - 1)), index_constant(height))
            last_row = builder.sub(rows, index_constant(height))
            row_starts = [builder.mul(index_constant(r), row_pitch) for r in range(height + LONGEST_RUN - 1)]
            result_starts = [builder.mul(index_constant(r), result_pitch) for r in range(height)]

            def step(length, origin, run_offsets, run_weights):
                def body(t, sums):
                    first = v.at(origin, builder.load(v.at(run_offsets, t)))
                    taps = v.at(run_weights, builder.mul(t, index_constant(length)))
                    spread = [v.load_splat(v.at(taps, k)) for k in range(length)]
                    sums = list(sums)
                    for r in range(height + length - 1):
                        pixels = v.load(v.at(first, row_starts[r]))
                        for k in range(length):
                            if 0 <= r - k < height:
                                sums[r - k] = v.multiply_add(spread[k], pixels, sums[r - k])
                    return sums

                return body

            def plane(p, _):
                source = v.at(work, builder.mul(p, source_step))
                target = v.at(result, builder.mul(p, result_step))
                bias = v.at(weights, builder.mul(p, weight_step))
                first_weight = v.at(bias, 1)

                def column(j, _):
                    start = builder.mul(j, lanes)
                    left = builder.sub(columns, start)
                    whole = builder.icmp_signed(">=", left, lanes)
                    mask = v.first_lanes(left)

                    def tile(t, _):
                        wanted = builder.mul(t, index_constant(height))
                        row = builder.select(builder.icmp_signed("<", wanted, last_row), wanted, last_row)
                        origin = v.at(v.at(source, builder.mul(row, row_pitch)), start)
                        to = v.at(v.at(target, builder.mul(row, result_pitch)), start)
                        sums = [v.load_splat(bias)] * height
                        table, taps = offsets, first_weight
                        for count, length in ((triples, 3), (pairs, 2), (singles, 1)):
                            sums = v.loop(count, sums, step(length, origin, table, taps))
                            table, taps = v.at(table, count), v.at(taps, builder.mul(count, index_constant(length)))
                        # A NaN stays a NaN: only what is certainly not above the lowest value becomes it.
                        sums = [builder.select(builder.fcmp_ordered("<=", value, lowest), lowest, value) for value in sums]
                        with builder.if_else(whole) as (then, otherwise):
                            with then:
                                for value, place in zip(sums, result_starts, strict=True):
                                    v.store(value, v.at(to, place))
                            with otherwise:
                                for value, place in zip(sums, result_starts, strict=True):
                                    v.store_masked(value, v.at(to, place), mask)
                        return []

                    v.loop(tiles, [], tile)
                    return []

                v.loop(vectors, [], column)
                return []

            v.loop(planes, [], plane)
            return context.get_dummy_value()

        return signature, codegen

    return planes_of_tiles


def _make_products(length, narrow):
    """The micro-kernel of the weight's gradient for runs of so many taps, COLUMNS of them side by side."""

    @intrinsic
    def products(typingctx, sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals):
        signature = types.void(sample, *[types.intp] * 8)

        def codegen(context, builder, signature, arguments):
            v = _make_vectors(builder, signature.args[0], narrow)
            grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals = arguments[1:]
            grad, work, totals, offsets = v.pointer(grad), v.pointer(work), v.pointer(totals), v.index_pointer(offsets)
            lanes = index_constant(v.lanes)
            origins = [v.at(work, builder.load(v.at(offsets, b))) for b in range(COLUMNS)]
            places = [v.at(totals, i * v.lanes) for i in range(COLUMNS * length)]

            def strip(start, sums, load):
                """All rows of one vector of columns; each input row is kept for the rows of the gradient that meet it."""

                def pixels(b, row):
                    return load(v.at(v.at(origins[b], builder.mul(row, row_pitch)), start))

                held = [pixels(b, index_constant(r)) for b in range(COLUMNS) for r in range(length - 1)]

                def row_of(i, carried):
                    sums, held = carried[: COLUMNS * length], carried[COLUMNS * length :]
                    upstream = load(v.at(v.at(grad, builder.mul(i, grad_pitch)), start))
                    newest = builder.add(i, index_constant(length - 1))
                    results, kept = [], []
                    for b in range(COLUMNS):
                        window = [*held[b * (length - 1) : (b + 1) * (length - 1)], pixels(b, newest)]
                        for k in range(length):
                            results.append(v.multiply_add(upstream, window[k], sums[b * length + k]))
                        kept += window[1:]
                    return [*results, *kept]

                return v.loop(rows, [*sums, *held], row_of)[: COLUMNS * length]

            def whole_strip(j, sums):
                return strip(builder.mul(j, lanes), sums, v.load)

            whole = builder.sdiv(columns, lanes)
            sums = v.loop(whole, [v.load(place) for place in places], whole_strip)
            for value, place in zip(sums, places, strict=True):
                v.store(value, place)
            start = builder.mul(whole, lanes)
            left = builder.sub(columns, start)
            with builder.if_then(builder.icmp_signed(">", left, index_constant(0))):
                # What lies behind the row must not count, and a NaN times zero would.
                mask = v.first_lanes(left)
                sums = strip(start, [v.load(place) for place in places], lambda pointer: v.load_masked(pointer, mask))
                for value, place in zip(sums, places, strict=True):
                    v.store(value, place)
            return context.get_dummy_value()

        return signature, codegen

    return products


def _make_collect(narrow):
    """The end of such sums: lanes are added up, totals taken in float64, and the sums start again from zero."""

    @intrinsic
    def collect(typingctx, sample, sums, elements, count, totals):
        signature = types.void(sample, *[types.intp] * 4)

        def codegen(context, builder, signature, arguments):
            v = _make_vectors(builder, signature.args[0], narrow)
            sums, elements, count, totals = arguments[1:]
            sums, elements = v.pointer(sums), v.index_pointer(elements)
            totals = builder.inttoptr(totals, ir.DoubleType().as_pointer())

            def body(i, _):
                place = v.at(sums, builder.mul(i, index_constant(v.lanes)))
                part = v.sum_lanes(v.load(place))
                wide = part if v.itemsize == 8 else builder.fpext(part, ir.DoubleType())
                total = v.at(totals, builder.load(v.at(elements, i)))
                builder.store(builder.fadd(builder.load(total), wide), total)
                v.store(v.zero, place)
                return []

            v.loop(count, [], body)
            return context.get_dummy_value()

        return signature, codegen

    return collect


# Numba's globals are constants, so each kernel has a name.
_collect_wide, _collect_narrow = _make_collect(False), _make_collect(True)
_wide_4, _narrow_4 = _make_planes(4, False), _make_planes(4, True)
_wide_1, _narrow_1 = _make_planes(1, False), _make_planes(1, True)
_wide_7, _narrow_7 = (_make_planes(7, False), _make_planes(7, True)) if 7 in HEIGHTS else (_wide_4, _narrow_4)
_products_1, _products_2, _products_3 = (_make_products(length, False) for length in (1, 2, 3))
_half_products_1, _half_products_2, _half_products_3 = (_make_products(length, True) for length in (1, 2, 3))


@kernel(inline="always")
def convolve_planes(
    height, narrow, sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
    result, result_step, result_pitch, rows, columns, planes, relu,
):
    """Convolve `planes` planes; arguments are addresses and numbers of elements.

        result[p][i][j] = weights[p][0] + sum over runs t and their taps k of
            weights[p][1 + ...] * work[p * source_step + offsets[t] + (i + k) * row_pitch + j]

    The runs of three taps come first in `offsets`, then those of two, then single taps; weights lie in the same order behind the bias.
    """
    if narrow:
        if height == 7:
            _narrow_7(sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
                      result, result_step, result_pitch, rows, columns, planes, relu)
        elif height == 4:
            _narrow_4(sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
                      result, result_step, result_pitch, rows, columns, planes, relu)
        else:
            _narrow_1(sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
                      result, result_step, result_pitch, rows, columns, planes, relu)
    elif height == 7:
        _wide_7(sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
                result, result_step, result_pitch, rows, columns, planes, relu)
    elif height == 4:
        _wide_4(sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
                result, result_step, result_pitch, rows, columns, planes, relu)
    else:
        _wide_1(sample, work, source_step, row_pitch, weights, weight_step, offsets, triples, pairs, singles,
                result, result_step, result_pitch, rows, columns, planes, relu)


@kernel(inline="always")
def add_products(length, narrow, sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals):
    """totals[b][k] (vectors, whose lanes are to be added up) += sum_ij grad[i][j] * work[offsets[b] + (i + k) * row_pitch + j], k < length."""
    if narrow:
        if length == 3:
            _half_products_3(sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals)
        elif length == 2:
            _half_products_2(sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals)
        else:
            _half_products_1(sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals)
    elif length == 3:
        _products_3(sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals)
    elif length == 2:
        _products_2(sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals)
    else:
        _products_1(sample, grad, grad_pitch, work, row_pitch, offsets, rows, columns, totals)


@kernel(inline="always")
def collect_sums(narrow, sample, sums, elements, count, totals):
    """totals[elements[i]] (float64) += the lanes of the vector sums[i], which becomes zero; i < count."""
    if narrow:
        _collect_narrow(sample, sums, elements, count, totals)
    else:
        _collect_wide(sample, sums, elements, count, totals)
