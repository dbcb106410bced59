"""The nearest changes that make a window tile its axis, each checked by the arithmetic that refused the first one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from .shape_axis import Axis

__all__ = ["Fix", "nearest_fixes"]

TRIED = 4096  # candidates a fix
LARGEST = 2**31 - 1  # what an axis holds


@dataclass(frozen=True)
class Fix:
    """One change, in words, and the axis as it then is."""

    change: str
    axis: Axis

    def text(self) -> str:
        """The change and its arithmetic."""
        return f"{self.change}: {self.axis.arithmetic() if not self.axis.ceil_mode else f'{self.axis.output} windows, the last sticks out'}"


def nearest_fixes(axis: Axis) -> list[Fix]:
    """What to change, one thing at a time, so that the windows tile; nothing where they do.

    Parameters
    ----------
    axis : Axis
        As asked for.

    Returns
    -------
    list of Fix
        Padding (even, then behind only), stride, kernel, crop, a larger input, ceil_mode of a pooling, dilation; of each the nearest.

    Examples
    --------
    >>> for fix in nearest_fixes(Axis("conv", "height", 7, 3, 3))[:2]:
    ...     print(fix.text())
    padding 1: (7 + 2*1 - 3)/3 + 1 = 3
    padding (0, 2): (7 + 0 + 2 - 3)/3 + 1 = 3
    """
    if axis.fits:
        return []
    return _transposed_fixes(axis) if axis.transposes else _window_fixes(axis)


def _changed(change: str, axis: Axis, found: Iterable[dict[str, Any]], uneven: bool = False) -> list[Fix]:
    """The first of the candidates that fits (`uneven`: or is allowed at least), as a list of one or none."""
    for values in islice(found, TRIED):
        after = replace(axis, **values)
        if (after.fits or (uneven and after.allowed)) and max(after.size, after.before, after.after) <= LARGEST:
            return [Fix(change.format(after), after)]
    return []


def _window_fixes(axis: Axis) -> list[Fix]:
    lack = max(0, axis.span - axis.padded)
    even = axis.before == axis.after
    start = axis.before + -(-lack // 2)
    fixes = []
    if even:
        fixes += _changed("padding {0.before}", axis, ({"before": p, "after": p} for p in range(start, start + 2 * axis.stride + 1)))
        fewer = range(min(start, axis.before) - 1, -1, -1)
        fixes += _changed("padding {0.before}", axis, ({"before": p, "after": p} for p in fewer))
    fixes += _changed("padding ({0.before}, {0.after})", axis, ({"after": axis.after + lack + more} for more in range(1, axis.stride + 1)))
    fixes += _changed("stride {0.stride}", axis, ({"stride": s} for s in range(axis.stride - 1, 0, -1)))
    fixes += _changed("stride {0.stride}", axis, ({"stride": s} for s in range(axis.stride + 1, max(axis.padded, axis.stride) + 1)))
    largest = min(axis.kernel - 1, (axis.padded - 1) // axis.dilation + 1)
    fixes += _changed("kernel {0.kernel}", axis, ({"kernel": k} for k in range(largest, 0, -1)))
    fixes += _changed("kernel {0.kernel}", axis, ({"kernel": k} for k in range(axis.kernel + 1, axis.padded + 1)))
    crop = [] if axis.leftover >= axis.size or axis.output < 1 else [axis.size - axis.leftover]
    fixes += _changed(f"input {{0.size}} (crop {axis.leftover})", axis, ({"size": size} for size in crop))
    fixes += _changed("input {0.size}", axis, ({"size": size} for size in range(axis.size + max(lack, 1), axis.size + lack + axis.stride + 1)))
    if axis.kind == "pool" and not axis.ceil_mode:
        fixes += _changed("ceil_mode=True", axis, [{"ceil_mode": True}])
    if axis.dilation > 1 and axis.output < 1:
        fixes += _changed("dilation {0.dilation}", axis, ({"dilation": d} for d in range(axis.dilation - 1, 0, -1)))
    return fixes


def _transposed_fixes(axis: Axis) -> list[Fix]:
    fixes: list[Fix] = []
    if axis.output_padding >= max(axis.stride, axis.dilation):
        axis = replace(axis, output_padding=max(axis.stride, axis.dilation) - 1)
        fixes += _changed("output_padding {0.output_padding}", axis, [{}], uneven=True)
    if axis.output < 1:
        start = (axis.before + axis.after + axis.output - 1) // 2
        fixes += _changed("padding {0.before}", axis, ({"before": p, "after": p} for p in range(start, -1, -1)), uneven=True)
    fixes += _changed("kernel {0.kernel}", axis, ({"kernel": k} for k in range(axis.kernel + 1, axis.kernel + axis.stride + 1)))
    fixes += _changed("kernel {0.kernel}", axis, ({"kernel": k} for k in range(axis.kernel - 1, 0, -1)))
    return fixes + _changed("stride {0.stride}", axis, ({"stride": s} for s in range(axis.stride - 1, 0, -1)))
