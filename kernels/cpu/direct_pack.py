"""Packing the weights for the micro-kernel: from a row for each output channel to a column for each tap.

A panel holds the weights of one tile's channels, tap after tap, so that the micro-kernel reads them in order. Weights
change with every optimiser step, so they are packed in every call, in vectors: a few rows are loaded and their lanes
interleaved.
"""

from numba import prange, types
from numba.extending import intrinsic

from ..jit import kernel
from ..simd import Vectors, address, index_constant
from .direct_copy import gather_rows
from .direct_kernel import PANEL_STRIDES

# Fewer taps in a run are moved one by one.
_SHORTEST_RUN = 4


def _interleaved(v, rows):
    """All rows' first elements, then all rows' second ones, ...: half of the rows with the other half, repeatedly."""
    if len(rows) == 1:
        return rows
    low, high = [], []
    half = v.lanes // 2
    for a, b in zip(rows[: len(rows) // 2], rows[len(rows) // 2 :], strict=True):
        low.append(v.shuffle(a, b, [i // 2 + i % 2 * v.lanes for i in range(v.lanes)]))
        high.append(v.shuffle(a, b, [half + i // 2 + i % 2 * v.lanes for i in range(v.lanes)]))
    return _interleaved(v, low) + _interleaved(v, high)


def _pack_codegen(sample, stride):
    signature = types.void(sample, *[types.intp] * 5)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        target, source, step, present, count = arguments[1:]
        target, source = v.pointer(target), v.pointer(source)
        lanes = index_constant(v.lanes)

        def taps(k, carried):
            start = builder.mul(k, lanes)
            left = builder.sub(count, start)
            rows = []
            for i in range(stride):
                exists = builder.icmp_signed("<", index_constant(i), present)
                mask = v.first_lanes(builder.select(exists, left, index_constant(0)))
                rows.append(v.load_masked(v.at(v.at(source, builder.mul(step, index_constant(i))), start), mask))
            base = builder.mul(start, index_constant(stride))
            elements = builder.mul(left, index_constant(stride))
            for j, value in enumerate(_interleaved(v, rows)):
                mask = v.first_lanes(builder.select(
                    builder.icmp_signed(">", elements, index_constant(j * v.lanes)),
                    builder.sub(elements, index_constant(j * v.lanes)), index_constant(0),
                ))
                v.store_masked(value, v.at(v.at(target, base), j * v.lanes), mask)
            return []

        v.loop(builder.sdiv(builder.add(count, index_constant(v.lanes - 1)), lanes), [], taps)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _pack_by_two(typingctx, sample, target, source, step, present, count):
    """target[2 k + i] = source[i * step + k] for k < count, zero from i = present on."""
    return _pack_codegen(sample, 2)


@intrinsic
def _pack_by_four(typingctx, sample, target, source, step, present, count):
    """As `_pack_by_two`, with target[4 k + i]."""
    return _pack_codegen(sample, 4)


@intrinsic
def _pack_by_eight(typingctx, sample, target, source, step, present, count):
    """As `_pack_by_two`, with target[8 k + i]."""
    return _pack_codegen(sample, 8)


@kernel(inline="never")
def _pack_run(weight, source, step, present, count, packed, target, stride):
    """packed[target + k * stride + i] = weight[source + i * step + k] for k < count, zero from i = present on."""
    size = weight.itemsize
    to, start = address(packed) + target * size, address(weight) + source * size
    if count < _SHORTEST_RUN or stride == 1:
        for k in range(count):
            for i in range(present):
                packed[target + k * stride + i] = weight[source + i * step + k]
            for i in range(present, stride):
                packed[target + k * stride + i] = 0
    elif stride == 8:
        _pack_by_eight(packed[0], to, start, step, present, count)
    elif stride == 4:
        _pack_by_four(packed[0], to, start, step, present, count)
    else:
        _pack_by_two(packed[0], to, start, step, present, count)


@kernel(parallel=True)
def pack(weight, packed, bias, padded_bias, phases, runs, weight_step, geometries):
    """Pack every panel of every group, and its biases; zeros for channels that do not exist.

    Weights that are read in place need their biases only.
    """
    for task in prange(geometries[0].groups * -(-geometries[0].channels // geometries[0].height)):
        geometry = geometries[0]
        height, stride = geometry.height, PANEL_STRIDES[geometry.height]
        panels = -(-geometry.channels // height)
        group, panel = task // panels, task % panels
        first = panel * height
        present = min(height, geometry.channels - first)
        own = group * geometry.channels + first
        for i in range(height):
            exists = i < present and bias.size > 0
            padded_bias[(group * panels + panel) * height + i] = bias[own + i] if exists else 0
        group_start = group * (weight.size // geometry.groups) + first * weight_step
        for phase in range(0 if geometry.weight_step > 0 else phases.shape[0]):
            taps = phases[phase, 1]
            target = phases[phase, 2] + (group * panels + panel) * taps * stride
            first_run, last_run = phases[phase, 5], phases[phase, 6]
            if weight_step == 1 and last_run > first_run:
                # The channels of a tap are neighbours in the weight already, as they shall be in the panel.
                source = group_start + runs[first_run, 0]
                gather_rows(weight, source, geometry.weight_pitch, taps, present, packed, target, stride)
            else:
                for run in range(first_run, last_run):
                    source, count = group_start + runs[run, 0], runs[run, 1]
                    _pack_run(weight, source, weight_step, present, count, packed, target, stride)
                    target += count * stride
