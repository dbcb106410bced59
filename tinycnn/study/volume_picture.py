"""The volumes of one operator as a picture: input, one filter in it, and the stack of maps that comes out; as text and as SVG."""

from __future__ import annotations

import html

from ..errors import ArgumentError
from .shape_answer import ShapeAnswer
from .shape_stack import ShapeFlow
from .tables import shape_text

__all__ = ["flow_svg", "volume_svg", "volume_text"]

MOST_VOLUMES = 24


def _volume(sizes: tuple[int, ...]) -> tuple[int | None, int, int]:
    """(depth or None, height, width) of sizes with or without channels; the depth of a volume joins its channels' place."""
    if len(sizes) == 1:
        return None, 1, sizes[0]
    if len(sizes) == 2:
        return None, sizes[0], sizes[1]
    return sizes[-3], sizes[-2], sizes[-1]


def _parts(answer: ShapeAnswer) -> list[tuple[str, tuple[int, ...]]]:
    """(title, sizes) of what is drawn."""
    parts = [("input", answer.input)]
    if answer.axes:
        kernel = tuple(axis.kernel for axis in answer.axes)
        filters = answer.output[0] if answer.output and len(answer.output) > len(kernel) and answer.operator.startswith("conv") else None
        deep = len(answer.input) > len(kernel) and answer.operator.startswith("conv")
        title = f"{filters} filters, each" if filters is not None and filters > 1 else "window"
        parts.append((title, (answer.input[-len(kernel) - 1], *kernel) if deep else kernel))
    if answer.output is not None:
        parts.append(("output", answer.output))
    return parts


def volume_text(answer: ShapeAnswer) -> str:
    """The picture in letters.

    Parameters
    ----------
    answer : ShapeAnswer
        Of `study.shape`.

    Returns
    -------
    str
        A box for each volume, width below, height at its right, depth at its edge.

    Examples
    --------
    >>> from tinycnn.study.shape import shape
    >>> for line in volume_text(shape("conv2d", (3, 32, 32), 5, filters=6)).splitlines()[3:]:
    ...     print(line)
      +--------+ |        +--------+ |        +--------+ |
      |        | |   *    |        | |   ->   |        | |
      |        | +        |        | +        |        | +
      |        |/         |        |/         |        |/
      +--------+          +--------+          +--------+
       3x32x32             3x5x5               6x28x28
    """
    parts = _parts(answer)
    box = ["    +--------+ ", "   /        /| ", "  +--------+ | ", "  |        | | ", "  |        | + ", "  |        |/  ", "  +--------+   "]
    signs = ["*", "->"] if len(parts) == 3 else ["->"]
    lines = ["".join(f"     {title}".ljust(20) for title, _ in parts)]
    for row, line in enumerate(box):
        cells = []
        for number in range(len(parts)):
            sign = signs[number] if row == 3 and number < len(parts) - 1 else ""
            cells.append(line + sign.center(5))
        lines.append("".join(cells))
    lines.append("".join(f"   {shape_text(sizes)}".ljust(20) for _, sizes in parts))
    return "\n".join(line.rstrip() for line in lines)


def _edge(size: int, largest: int) -> float:
    """The length of an edge: roots, so that 3 can be seen beside 224."""
    return 26 + 104 * (size / largest) ** 0.5


def volume_svg(answer: ShapeAnswer) -> str:
    """The picture as SVG, in the colours of the page it stands in (currentColor).

    Parameters
    ----------
    answer : ShapeAnswer
        Of `study.shape`.

    Returns
    -------
    str
        An <svg> element that fetches nothing.

    Raises
    ------
    ArgumentError
        If there is nothing to draw.

    Notes
    -----
    Edges grow with the square root of the sizes, which are written beside them: drawn to scale, a 3x3 kernel on a photo would be a dot.

    Examples
    --------
    >>> from tinycnn.study.shape import shape
    >>> picture = volume_svg(shape("conv2d", (3, 32, 32), 5, filters=6))
    >>> picture.count("<polygon"), picture.startswith("<svg")
    (9, True)
    """
    parts = _parts(answer)
    if not parts[0][1]:
        raise ArgumentError("volume_svg: the answer has no sizes to draw")
    drawn = [(title, *_volume(sizes), shape_text(sizes)) for title, sizes in parts]
    largest = max(max(height, width) for _, _, height, width, _ in drawn)
    deepest = max([depth or 1 for _, depth, *_ in drawn])
    left, pieces, base, top = 0.0, [], 214.0, 190.0
    for number, (title, depth, height, width, text) in enumerate(drawn):
        w, h = _edge(width, largest), _edge(height, largest)
        left += 12 + 8 * len(str(height))
        skew = 8 + 34 * ((depth or 1) / deepest) ** 0.5 if depth else 8
        top = min(top, base - h - skew - 12)
        pieces.append(_box(left, base, w, h, skew, ("a", "b", "c")[number if len(drawn) == 3 else 2 * number]))
        middle = left + w / 2
        pieces.append(f'<text x="{middle:.1f}" y="{base + 18:.1f}" text-anchor="middle">{width}</text>')
        pieces.append(f'<text x="{left - 6:.1f}" y="{base - h / 2 + 5:.1f}" text-anchor="end">{height}</text>')
        if depth:
            pieces.append(f'<text x="{left + w + skew / 2 + 8:.1f}" y="{base - skew / 2 + 10:.1f}">{depth}</text>')
        pieces.append(f'<text class="title" x="{middle:.1f}" y="{base + 44:.1f}" text-anchor="middle">{html.escape(title)}</text>')
        pieces.append(f'<text class="title" x="{middle:.1f}" y="{base + 64:.1f}" text-anchor="middle">{text}</text>')
        left += w + skew + 60
        if number < len(drawn) - 1:
            sign = "*" if number == 0 and len(drawn) == 3 else "→"
            pieces.append(f'<text class="sign" x="{left - 18:.1f}" y="{base - 36:.1f}" text-anchor="middle">{sign}</text>')
    words = ", ".join(f"{title} {text}" for title, *_, text in drawn)
    return (
        f'<svg class="volumes" viewBox="0 {top:.0f} {left - 20:.0f} {290 - top:.0f}" role="img" '
        f'aria-label="{html.escape(words)}" xmlns="http://www.w3.org/2000/svg" '
        f'style="max-width:{left - 20:.0f}px">{"".join(pieces)}</svg>'
    )


def _box(x: float, base: float, width: float, height: float, skew: float, kind: str) -> str:
    """Front, top and side of a box whose front's lower left corner is (x, base)."""
    top = base - height
    faces = (
        ((x, base), (x + width, base), (x + width, top), (x, top)),
        ((x, top), (x + width, top), (x + width + skew, top - skew), (x + skew, top - skew)),
        ((x + width, base), (x + width + skew, base - skew), (x + width + skew, top - skew), (x + width, top)),
    )
    return "".join(
        f'<polygon class="{kind} face{number}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>' for number, points in enumerate(faces)
    )


def flow_svg(flow: ShapeFlow) -> str:
    """The volumes of a stack in a row, each where the size changes; of long stacks the first and the last.

    Parameters
    ----------
    flow : ShapeFlow
        Of `study.shape_flow`.

    Returns
    -------
    str
        An <svg> element that fetches nothing.

    Examples
    --------
    >>> from tinycnn.study.shape_stack import shape_flow
    >>> flow_svg(shape_flow("conv 5x5x6 | relu | maxpool 2", (3, 32, 32))).count("<polygon")
    9
    """
    stations = [("input", flow.input)]
    for step in flow.steps:
        if step.output != stations[-1][1]:
            stations.append((step.layer.text, step.output))
    if len(stations) > MOST_VOLUMES:
        half = MOST_VOLUMES // 2
        stations = [*stations[:half], ("...", stations[half][1]), *stations[-half + 1 :]]
    volumes = [_volume(sizes) if len(sizes) > 1 else (None, sizes[0], 1) for _, sizes in stations]
    largest = max(max(height, width) for _, height, width in volumes)
    deepest = max(depth or 1 for depth, _, _ in volumes)
    left, pieces, base, top = 30.0, [], 200.0, 180.0
    for (title, sizes), (depth, height, width) in zip(stations, volumes):
        w, h = 8 + 92 * (width / largest) ** 0.5, 8 + 92 * (height / largest) ** 0.5
        skew = 4 + 40 * ((depth or 1) / deepest) ** 0.5 if depth else 4
        top = min(top, base - h - skew - 8)
        pieces.append(_box(left, base, w, h, skew, "a" if title == "input" else "c"))
        room = max(w + skew, 88)
        middle = left + w / 2
        pieces.append(f'<text class="title" x="{middle:.1f}" y="{base + 22:.1f}" text-anchor="middle">{shape_text(sizes)}</text>')
        pieces.append(
            f'<text x="{middle:.1f}" y="{base + 42:.1f}" text-anchor="middle">{html.escape(title if len(title) < 16 else title[:14] + "…")}</text>'
        )
        left += room + 34
    return (
        f'<svg class="volumes" viewBox="-20 {top:.0f} {left + 20:.0f} {255 - top:.0f}" role="img" aria-label="{html.escape(flow.path())}" '
        f'xmlns="http://www.w3.org/2000/svg" style="min-width:{min(left, 90 * len(stations)):.0f}px;max-width:{left:.0f}px">{"".join(pieces)}</svg>'
    )
