"""Where everything of an animation goes on a slide of fixed size: the largest cells that fit, and for each frame the boxes and words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from ..errors import UsageError
from .animation import Animation, Mark, Place

__all__ = ["ASPECTS", "Box", "Layout", "Words", "layout_of", "scene"]

ASPECTS = {"16:9": (1600, 900), "4:3": (1200, 900)}
MARGIN = 48
TOP, BOTTOM = 112, 190  # of the slide, kept for the title and for the line
TITLE = 40  # above each panel
GAP = 78  # between groups, where a sign stands
LARGEST, SMALLEST = 132, 26  # cells
LETTER = 0.6  # width of a letter in heights
LINE_SIZE, LINES = 34, 3


@dataclass(frozen=True)
class Box:
    """A rectangle; `role` is the colour it gets."""

    x: float
    y: float
    width: float
    height: float
    role: str
    place: Place | None = None


@dataclass(frozen=True)
class Words:
    """A piece of text on one line; x is its start, middle or end, y its baseline."""

    x: float
    y: float
    size: float
    text: str
    anchor: str
    role: str


@dataclass(frozen=True)
class Layout:
    """The size of a slide, the corner of each panel, the size of cells, and where signs stand."""

    width: int
    height: int
    cell: float
    corners: tuple[tuple[float, float], ...]
    signs: tuple[tuple[float, float, str], ...]
    letters: tuple[int, ...]  # of the longest text of each panel
    small: tuple[bool, ...]  # whether a panel ever has small words


def _blocks(animation: Animation, turned: tuple[bool, ...]) -> list[tuple[int, dict[tuple[int, int], int]]]:
    """For each group the panels by row and column; rows and columns are exchanged where it is turned."""
    groups = sorted({panel.group for panel in animation.panels})
    found = []
    for group, turn in zip(groups, turned, strict=True):
        places = {}
        for number, panel in enumerate(animation.panels):
            if panel.group == group:
                places[panel.place[::-1] if turn else panel.place] = number
        found.append((group, places))
    return found


def _extent(animation: Animation, places: dict[tuple[int, int], int], cell: float) -> tuple[list[float], list[float]]:
    """Heights of the rows and widths of the columns of a group."""
    rows = max(row for row, _ in places) + 1
    columns = max(column for _, column in places) + 1
    heights, widths = [0.0] * rows, [0.0] * columns
    for (row, column), number in places.items():
        panel = animation.panels[number]
        title = len(panel.title) * 24 * LETTER
        heights[row] = max(heights[row], panel.rows * cell + TITLE)
        widths[column] = max(widths[column], panel.columns * cell, title)
    return heights, widths


def _size(heights: list[float], widths: list[float], cell: float) -> tuple[float, float]:
    return sum(heights) + 0.3 * cell * (len(heights) - 1), sum(widths) + 0.5 * cell * (len(widths) - 1)


def _fits(animation: Animation, cell: float, turned: tuple[bool, ...], stacked: bool, area: tuple[float, float]) -> Layout | None:
    """The layout with cells of a size, or None where the slide is too small."""
    blocks = _blocks(animation, turned)
    measured = [(group, places, *_extent(animation, places, cell)) for group, places in blocks]
    # Columns of groups: each beside the next, or all but the first below each other.
    if stacked:
        columns = [measured[:1], measured[1:]]
    else:
        columns = [[each] for each in measured]
    outer = []
    for column in columns:
        extents = [_size(heights, widths, cell) for _, _, heights, widths in column]
        outer.append((sum(height for height, _ in extents) + 0.35 * cell * (len(extents) - 1), max(width for _, width in extents)))
    across = sum(width for _, width in outer) + GAP * (len(columns) - 1) + (GAP if not any(group == 0 for group, *_ in measured) else 0)
    down = max(height for height, _ in outer)
    if across > area[0] or down > area[1]:
        return None
    corners: list[tuple[float, float]] = [(0.0, 0.0)] * len(animation.panels)
    signs: list[tuple[float, float, str]] = []
    x = MARGIN + (area[0] - across) / 2
    for column, (height, width) in zip(columns, outer, strict=True):
        y = TOP + (area[1] - height) / 2
        for group, places, heights, widths in column:
            block_height, block_width = _size(heights, widths, cell)
            left = x + (width - block_width) / 2
            for (row, line), number in places.items():
                panel = animation.panels[number]
                at = left + sum(widths[:line]) + 0.5 * cell * line + (widths[line] - panel.columns * cell) / 2
                corners[number] = (at, y + sum(heights[:row]) + 0.3 * cell * row + TITLE)
            if group and animation.signs[group - 1]:
                signs.append((left - GAP / 2, y + block_height / 2 + TITLE / 2 + 14, animation.signs[group - 1]))
            y += block_height + 0.35 * cell
        x += width + GAP
    letters, small = _letters(animation)
    size = ASPECTS[animation.aspect]
    return Layout(*size, cell, tuple(corners), tuple(signs), letters, small)


def _letters(animation: Animation) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The longest text of each panel over all frames, and whether it ever has small words."""
    longest = [max((len(text) for row in panel.texts for text in row), default=1) for panel in animation.panels]
    small = [False] * len(longest)
    for frame in animation.frames:
        for place, text in frame.writes.items():
            longest[place[0]] = max(longest[place[0]], len(text))
        for place, mark in frame.marks.items():
            small[place[0]] |= bool(mark.small)
    return tuple(max(1, length) for length in longest), tuple(small)


def layout_of(animation: Animation) -> Layout:
    """The layout with the largest cells.

    Raises
    ------
    UsageError
        If they would be too small to be read.
    """
    width, height = ASPECTS[animation.aspect]
    area = (width - 2 * MARGIN, height - TOP - BOTTOM)
    groups = len({panel.group for panel in animation.panels})
    for cell in range(LARGEST, SMALLEST - 1, -2):
        for stacked in (False, True) if groups > 2 else (False,):
            for turned in product((False, True), repeat=groups):
                found = _fits(animation, cell, turned, stacked, area)
                if found is not None:
                    return found
    shapes = ", ".join(f"{panel.title} {panel.rows} x {panel.columns}" for panel in animation.panels[:6])
    raise UsageError(
        f"animate: {shapes} would not be readable from the back of a lecture hall; take a smaller input (about 9 x 9), fewer channels or filters, "
        "or aspect 16:9"
    )


def wrapped(line: str, letters: int, lines: int = LINES) -> list[str]:
    """A line broken at blanks; what is too long loses its middle, never its result."""
    words, _, result = line.rpartition(" = ")
    if len(line) > letters * lines and words:
        cut = words[: letters * lines - len(result) - 12].rsplit(" ", 1)[0]
        line = f"{cut} ... = {result}"
    rows = [""]
    parts = line.split(" ")
    if len(parts) > 2 and parts[-2] == "=":
        parts[-2:] = ["= " + parts[-1]]  # a result does not stand alone on a row
    for word in parts:
        if rows[-1] and len(rows[-1]) + 1 + len(word) > letters:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}" if rows[-1] else word
    return rows[:lines]


def scene(animation: Animation, number: int, layout: Layout) -> list[Box | Words]:
    """Everything on the slide in one frame, back to front."""
    frame = animation.frames[number]
    written = animation.texts_at(number)
    parts: list[Box | Words] = [Box(0, 0, layout.width, layout.height, "paper")]
    room = (layout.width - 2 * MARGIN - 150) / 0.54
    parts.append(Words(MARGIN, 66, min(40.0, room / max(len(animation.title), 1)), animation.title, "start", "title"))
    parts.append(Words(layout.width - MARGIN, 66, 32, f"{number + 1} / {len(animation.frames)}", "end", "count"))
    cells: list[Place] = []
    for which, panel in enumerate(animation.panels):
        x, y = layout.corners[which]
        parts.append(Words(x + panel.columns * layout.cell / 2, y - 12, 24, panel.title, "middle", "soft"))
        cells.extend((which, row, column) for row in range(panel.rows) for column in range(panel.columns))
    parts.extend(Words(x, y, 52, sign, "middle", "ink") for x, y, sign in layout.signs)
    for place in sorted(cells, key=frame.marks.__contains__):  # thick borders lie above their neighbours' thin ones
        parts.extend(_cell(animation, place, layout, frame.marks, written))
    rows = wrapped(frame.line, line_letters(layout))
    first = layout.height - BOTTOM / 2 + 24 - (len(rows) - 1) * 24
    parts.extend(Words(layout.width / 2, first + 48 * place, LINE_SIZE, row, "middle", "line") for place, row in enumerate(rows))
    return parts


def _cell(
    animation: Animation, place: Place, layout: Layout, marks: dict[Place, Mark], written: dict[Place, str]
) -> list[Box | Words]:
    """One cell with its number, and small words at its corner."""
    which, row, column = place
    panel, cell = animation.panels[which], layout.cell
    x, y = layout.corners[which][0] + column * cell, layout.corners[which][1] + row * cell
    mark = marks.get(place, Mark(panel.kinds[row][column]))
    text = written.get(place, panel.texts[row][column])
    small = layout.small[which]
    size = text_size(layout, which)
    parts: list[Box | Words] = [Box(x, y, cell, cell, mark.role, place)]
    shift = 0.12 * cell if small else 0.0
    parts.append(Words(x + cell / 2 - shift / 2, y + cell / 2 + 0.35 * size - shift, size, text, "middle", f"on-{mark.role}"))
    if small:
        little = min(0.3 * cell, 0.92 * cell / (LETTER * max(len(mark.small), 1)))
        parts.append(Words(x + cell - 0.06 * cell, y + cell - 0.09 * cell, little, mark.small, "end", f"small-{mark.role}"))
    return parts


def line_letters(layout: Layout) -> int:
    """How many letters a row of the line below holds."""
    return int((layout.width - 2 * MARGIN) / (LINE_SIZE * LETTER))


def text_size(layout: Layout, which: int) -> float:
    """The size of a panel's numbers, the same in all its cells and frames."""
    return min((0.4 if layout.small[which] else 0.5) * layout.cell, 0.9 * layout.cell / (LETTER * layout.letters[which]))
