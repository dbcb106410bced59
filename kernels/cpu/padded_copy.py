"""Copy a window of rows of an image into scratch memory, with its border: every padding mode is a variant of this copy only."""

from ..jit import kernel
from ..simd import address
from .broadcast_tile import copy_row


@kernel
def copy_padded(x, image, first_channel, channels, target, start, first_row, rows, row_source, column_source, left, phases, pitch):
    """Rows first_row .. first_row + rows of the padded channels, one after another from target[start].

    row_source and column_source name the row and column of x at each padded row and column, -1 for zeros; left is the number of columns
    before the image. With several phases a row holds its columns 0, phases, 2 * phases, ... first, then 1, 1 + phases, ... and so on, so
    that the columns a stride of `phases` reads are neighbours. Up to one vector behind the last row is overwritten too.
    """
    width = x.shape[3]
    padded_width = column_source.size
    phase_width = pitch // phases
    zero = x.dtype.type(0)
    row = start
    for channel in range(first_channel, first_channel + channels):
        for i in range(first_row, first_row + rows):
            source = row_source[i]
            if source < 0:
                for j in range(pitch):
                    target[row + j] = zero
            elif phases > 1:
                for phase in range(phases):
                    at = row + phase * phase_width
                    for j in range(phase, padded_width, phases):
                        column = column_source[j]
                        target[at] = x[image, channel, source, column] if column >= 0 else zero
                        at += 1
            else:
                element = ((image * x.shape[1] + channel) * x.shape[2] + source) * width
                copy_row(zero, address(target) + (row + left) * x.itemsize, address(x) + element * x.itemsize, width)
                for j in range(left):
                    column = column_source[j]
                    target[row + j] = x[image, channel, source, column] if column >= 0 else zero
                for j in range(left + width, padded_width):
                    column = column_source[j]
                    target[row + j] = x[image, channel, source, column] if column >= 0 else zero
            row += pitch
