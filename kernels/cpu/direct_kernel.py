"""The micro-kernel of the direct convolution: a small matrix product whose result never leaves the registers.

    C[i][pixel] = bias[i] + sum_k A[k][i] * B[offset[k] + pixel]

for `height` output channels i and a few vectors of pixels. A is a panel of packed weights, or the weight itself, B the
copied input. The table `offset` has a row for each tap k = (channel, kernel row, kernel column): where it lies in B, and
where in the weight; so kernel size, dilation and stride are data and not code. The accumulators fill the register file:
each weight is broadcast once and used for every vector of pixels, each vector of pixels is loaded once and used for
every channel.
"""

from numba import types
from numba.extending import intrinsic

from ..jit import kernel
from ..simd import REGISTERS, Vectors, index_constant

# Vectors of pixels in a tile by the number of output channels: accumulators + one tile of pixels + one weight stay
# within the registers.
if REGISTERS == 32:
    TILE_VECTORS = {1: 4, 2: 4, 3: 4, 4: 4, 6: 4, 8: 3}
else:
    TILE_VECTORS = {1: 6, 2: 4, 3: 3, 4: 2, 6: 2}

# Bits of the micro-kernel's `mode`: continue from the sums in C instead of the bias; apply ReLU before the store.
CONTINUE, RELU = 1, 2


def panel_stride(height: int) -> int:
    """Weights of one tap lie this far apart in a panel: a power of two, so that whole vectors can be packed."""
    return 1 << (height - 1).bit_length()


PANEL_STRIDES = tuple(panel_stride(max(height, 1)) for height in range(9))


class _Tile:
    """Emit one micro-kernel of `height` channels by `width` vectors; the last vector may be partial where `masked`.

    Weights are a packed panel or, `in_place`, the weight itself: channels `weight_step` elements apart, taps where the table says.
    """

    def __init__(self, builder, element, arguments, height, width, masked, in_place):
        self.builder, self.v, self.height, self.width = builder, Vectors(builder, element), height, width
        a, b, offsets, self.taps, positions, c, self.row_pitch, bias, self.rows, lanes, self.mode, weight_step = arguments
        self.a, self.c, self.bias = (self.v.pointer(value) for value in (a, c, bias))
        self.offsets = self.v.index_pointer(offsets)
        self.mask = self.v.first_lanes(lanes) if masked else None
        start, table = self.v.pointer(b), self.v.index_pointer(positions)
        self.in_place = in_place
        self.weight_rows = [builder.mul(index_constant(i), weight_step if in_place else index_constant(1)) for i in range(height)]
        self.pixels = [self.v.at(start, builder.load(self.v.at(table, j))) for j in range(width)]

    def emit(self):
        sums = self.v.loop(self.taps, self.start(), self.add_tap)
        self.store(self.rectified(sums))

    def load(self, pointer):
        return self.v.load(pointer) if self.mask is None else self.v.load_masked(pointer, self.mask)

    def flag(self, bit):
        return self.builder.icmp_signed("!=", self.builder.and_(self.mode, index_constant(bit)), index_constant(0))

    def has_row(self, i):
        return self.builder.icmp_signed("<", index_constant(i), self.rows)

    def result_pointer(self, i, j):
        row = self.builder.mul(index_constant(i), self.row_pitch)
        return self.v.at(self.v.at(self.c, row), j * self.v.lanes)

    def start(self):
        """The accumulators' first values: the bias, or what an earlier block of taps left in C."""
        builder, v = self.builder, self.v
        fresh, old, ready = (builder.append_basic_block(name) for name in ("bias", "continue", "ready"))
        builder.cbranch(self.flag(CONTINUE), old, fresh)
        builder.position_at_end(fresh)
        biases = [v.load_splat(v.at(self.bias, i)) for i in range(self.height)]
        builder.branch(ready)
        builder.position_at_end(old)
        loaded = []
        for i in range(self.height):
            # Rows that do not exist read row 0 instead: any address that may be read.
            row = builder.select(self.has_row(i), index_constant(i), index_constant(0))
            first = v.at(self.c, builder.mul(row, self.row_pitch))
            loaded.append([self.load(v.at(first, j * v.lanes)) for j in range(self.width)])
        builder.branch(ready)
        builder.position_at_end(ready)
        sums = []
        for i in range(self.height):
            for j in range(self.width):
                value = builder.phi(v.type)
                value.add_incoming(biases[i], fresh)
                value.add_incoming(loaded[i][j], old)
                sums.append(value)
        return sums

    def add_tap(self, k, sums):
        builder, v = self.builder, self.v
        # The table's rows: where the tap's pixels lie, and where its weights lie if they are not packed.
        row = v.at(self.offsets, builder.mul(k, index_constant(2)))
        offset = builder.load(row)
        pixels = [self.load(v.at(pointer, offset)) for pointer in self.pixels]
        weights = v.at(self.a, builder.load(v.at(row, 1)) if self.in_place else builder.mul(k, index_constant(panel_stride(self.height))))
        results = []
        for i in range(self.height):
            weight = v.load_splat(v.at(weights, self.weight_rows[i]))
            results += [v.multiply_add(weight, pixels[j], sums[i * self.width + j]) for j in range(self.width)]
        return results

    def rectified(self, sums):
        builder = self.builder
        before = builder.block
        rectify, done = builder.append_basic_block("relu"), builder.append_basic_block("store")
        builder.cbranch(self.flag(RELU), rectify, done)
        builder.position_at_end(rectify)
        positive = [self.v.maximum_with_zero(value) for value in sums]
        builder.branch(done)
        builder.position_at_end(done)
        results = []
        for value, rectified in zip(sums, positive, strict=True):
            result = builder.phi(self.v.type)
            result.add_incoming(value, before)
            result.add_incoming(rectified, rectify)
            results.append(result)
        return results

    def store(self, sums):
        builder = self.builder
        end = builder.append_basic_block("end")
        for i in range(self.height):
            row = builder.append_basic_block(f"row{i}")
            builder.cbranch(self.has_row(i), row, end)
            builder.position_at_end(row)
            for j in range(self.width):
                value, pointer = sums[i * self.width + j], self.result_pointer(i, j)
                if self.mask is None:
                    self.v.store(value, pointer)
                else:
                    self.v.store_masked(value, pointer, self.mask)
        builder.branch(end)
        builder.position_at_end(end)


def make_tile(height, width, masked, in_place=False):
    """The micro-kernel of that size as a compiled function; it is compiled when first called."""

    @intrinsic
    def tile(typingctx, sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, weight_step):
        signature = types.void(sample, *[types.intp] * 12)

        def codegen(context, builder, signature, arguments):
            _Tile(builder, signature.args[0], arguments[1:], height, width, masked, in_place).emit()
            return context.get_dummy_value()

        return signature, codegen

    return tile


_whole = {height: make_tile(height, width, False) for height, width in TILE_VECTORS.items()}
_last = {height: make_tile(height, 1, True) for height in TILE_VECTORS}
# Numba's globals are constants, so each kernel has a name.  A processor with 16 registers has no tile of 8 channels; it
# never asks for one.
_whole_1, _whole_2, _whole_3, _whole_4, _whole_6 = (_whole[height] for height in (1, 2, 3, 4, 6))
_last_1, _last_2, _last_3, _last_4, _last_6 = (_last[height] for height in (1, 2, 3, 4, 6))
_whole_8, _last_8 = _whole.get(8, _whole_6), _last.get(8, _last_6)
# Only the tallest tile reads weights where they lie.
TALLEST = max(TILE_VECTORS)
_whole_rows, _last_rows = make_tile(TALLEST, TILE_VECTORS[TALLEST], False, True), make_tile(TALLEST, 1, True, True)


@kernel(inline="always")
def whole_tile(height, sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, mode, weight_step):
    """Run the micro-kernel over TILE_VECTORS[height] vectors; arguments are addresses and counts of elements.

    A weight_step above zero says that `a` is the weight itself, whose channels lie so many elements apart.
    """
    if weight_step > 0:
        _whole_rows(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, weight_step)
    elif height == 8:
        _whole_8(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, 0)
    elif height == 6:
        _whole_6(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, 0)
    elif height == 4:
        _whole_4(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, 0)
    elif height == 3:
        _whole_3(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, 0)
    elif height == 2:
        _whole_2(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, 0)
    else:
        _whole_1(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, 0, mode, 0)


@kernel(inline="always")
def last_tile(height, sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, weight_step):
    """Run the micro-kernel over one vector of pixels of which only the first `lanes` exist."""
    if weight_step > 0:
        _last_rows(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, weight_step)
    elif height == 8:
        _last_8(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, 0)
    elif height == 6:
        _last_6(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, 0)
    elif height == 4:
        _last_4(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, 0)
    elif height == 3:
        _last_3(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, 0)
    elif height == 2:
        _last_2(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, 0)
    else:
        _last_1(sample, a, b, offsets, taps, positions, c, row_pitch, bias, rows, lanes, mode, 0)
