"""A window on its way along one axis, as SVG: the padded input, each window's taps below, and what none of them reads."""

from __future__ import annotations

from .shape_axis import Axis

__all__ = ["axis_svg"]

CELLS, ROWS, CELL = 40, 14, 26


def axis_svg(axis: Axis) -> str:
    """The end of a long axis, or all of a short one; "" for a transposed window or one that does not fit.

    Parameters
    ----------
    axis : Axis
        Of kind "conv" or "pool".

    Returns
    -------
    str
        An <svg> whose groups of class "window" a page can step through.

    Examples
    --------
    >>> picture = axis_svg(Axis("conv", "height", 7, 3, 3))
    >>> picture.count('class="window"'), picture.count("unread")
    (2, 1)
    """
    if axis.transposes or not axis.allowed:
        return ""
    windows = axis.output
    last = max(axis.padded, (windows - 1) * axis.stride + axis.span)
    first = max(0, last - CELLS)
    start = -(-first // axis.stride)
    shown = list(range(start, windows))
    if windows - start > ROWS:
        shown = [*range(start, start + ROWS // 2), *range(windows - ROWS // 2, windows)]
    if not shown:
        return ""
    unread = set(axis.unread() or ())
    left = 64
    width, height = left + (last - first) * CELL + 12, 62 + len(shown) * 26
    pieces = [_cell(axis, place, left + (place - first) * CELL, unread) for place in range(first, last)]
    if first:
        pieces.append(f'<text x="{left - 8}" y="40" text-anchor="end">…</text>')
    for row, number in enumerate(shown):
        if row and number != shown[row - 1] + 1:
            pieces.append(f'<line class="gap" x1="20" x2="{width - 12}" y1="{59 + row * 26}" y2="{59 + row * 26}"/>')
        pieces.append(_window(axis, number, left - first * CELL, 62 + row * 26, (number * axis.stride - axis.before)))
    label = f"{windows} windows along the {axis.word}"
    return (
        f'<svg class="strip" viewBox="0 0 {width} {height}" style="min-width:{width}px;max-width:{width}px" role="img" '
        f'aria-label="{label}" xmlns="http://www.w3.org/2000/svg">{"".join(pieces)}</svg>'
    )


def _cell(axis: Axis, place: int, x: int, unread: set[int]) -> str:
    """One element of the padded input, numbered from the first of the input."""
    number = place - axis.before
    outside = place >= axis.padded
    kind = "outside" if outside else "pad" if not 0 <= number < axis.size else "unread" if number in unread else "cell"
    text = "" if outside else "0" if kind == "pad" and axis.kind == "conv" else "" if kind == "pad" else str(number)
    if len(text) > 3 and number % 5 and kind != "unread":  # long numbers have no room beside each other
        text = ""
    small = f' style="font-size:{10 if len(text) == 3 else 8}px"' if len(text) > 2 else ""
    box = f'<rect class="{kind}" x="{x + 1}" y="24" width="{CELL - 2}" height="24" rx="3"/>'
    return f'{box}<text x="{x + CELL / 2:g}" y="40" text-anchor="middle"{small}>{text}</text>'


def _window(axis: Axis, number: int, origin: int, y: int, start: int) -> str:
    """One window: a bar over its span and a dot at each tap."""
    x = origin + number * axis.stride * CELL
    end = start + axis.span - 1
    words = f"window {number} starts at {start} and ends at {end}"
    dots = "".join(f'<circle cx="{x + tap * axis.dilation * CELL + CELL / 2:g}" cy="{y + 10}" r="5"/>' for tap in range(axis.kernel))
    return (
        f'<g class="window" data-words="{words}"><title>{words}</title>'
        f'<rect x="{x + 2}" y="{y}" width="{axis.span * CELL - 4}" height="20" rx="10"/>{dots}'
        f'<text x="34" y="{y + 15}" text-anchor="middle">{number}</text></g>'
    )
