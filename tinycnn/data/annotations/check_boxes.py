"""Checks of boxes and outlines: where they lie, what they are counted from, what they enclose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .boxes import RELATIVE
from .findings import Checked, Finding, found
from .geometry import polygon_area, polygon_crosses

__all__ = ["BOX_RULES"]

EDGE = 1e-6
ROUNDING = 1.0  # pixels by which tools round past the border
ENOUGH = 20  # boxes from which a habit can be told


def no_area(checked: Checked) -> list[Finding]:
    """Boxes without width or height."""
    places, corners, _ = checked.boxed
    flat = ~(corners[:, 2:] > corners[:, :2]).all(1)
    turned = (corners[:, 2:] < corners[:, :2] - 1).any(1)
    return (
        found(
            "error",
            "zero area",
            (checked.where(places[k]) for k in np.flatnonzero(flat & ~turned)),
            "{count} boxes have no area: losses become NaN, and detectors refuse them; take them out",
        )
        + found(
            "error",
            "corners exchanged",
            (checked.where(places[k]) for k in np.flatnonzero(turned)),
            "{count} boxes end before they begin: the corners are exchanged, or the numbers are another format (xyxy read as xywh)",
        )
        + found(
            "error",
            "single pixel",
            (checked.where(place) for place, (_, thing) in enumerate(checked.pairs) if thing.box is not None and thing.box.clicked),
            "{count} boxes begin and end in one pixel: a click without a drag, 1 pixel by VOC's counting and no area by any other; take them out",
        )
    )


def outside(checked: Checked) -> list[Finding]:
    """Boxes that leave the picture, and whether x and y exchanged would bring them back."""
    places, corners, sizes = checked.boxed
    over = np.concatenate([-corners[:, :2], corners[:, 2:] - sizes[:, ::-1]], 1).max(1, initial=-np.inf)
    over = np.where(np.isnan(over), -1, over)
    out = over > EDGE
    exchanged = corners[:, [1, 0, 3, 2]]
    fits = (exchanged >= -EDGE).all(1) & (exchanged[:, 2:] <= sizes[:, ::-1] + EDGE).all(1)
    known = ~np.isnan(sizes).any(1)
    far = over > ROUNDING + EDGE
    if (far & fits).sum() >= 3 and fits.sum() >= 0.95 * known.sum():
        return found(
            "error",
            "x and y exchanged",
            (checked.where(places[k]) for k in np.flatnonzero(far & fits)),
            "{count} boxes leave their pictures, but fit when x and y change places: rows and columns are exchanged",
        )
    return found(
        "warning",
        "outside by rounding",
        (checked.where(places[k]) for k in np.flatnonzero(out & ~far)),
        "{count} boxes pass the picture's border by at most a pixel: clip them, or see whether boxes are counted from 1",
    ) + found(
        "error",
        "outside the picture",
        (checked.where(places[k]) for k in np.flatnonzero(far)),
        "{count} boxes leave the picture: cropped targets and shares above 1; clip them, or find out whose size is wrong",
    )


def counted_from(checked: Checked) -> list[Finding]:
    """VOC's boxes that begin at 0, others that begin at 1 and never at 0, and last pixels written as edges."""
    boxes = [(place, thing.box) for place, (_, thing) in enumerate(checked.pairs) if thing.box is not None]
    voc = [place for place, box in boxes if box.fmt == "voc" and min(box.values[:2]) == 0]
    results = found(
        "warning",
        "counted from 0",
        map(checked.where, voc),
        "{count} boxes begin at 0, but VOC counts pixels from 1: readers that subtract 1 shift every box; read with one_based=False (--zero-based)",
    )
    plain = np.array([box.to("xyxy") for _, box in boxes if box.fmt in ("xyxy", "xywh")], np.float64).reshape(-1, 4)
    if len(plain) >= ENOUGH and (plain == np.rint(plain)).all():
        lowest = plain[:, :2].min()
        ones = int((plain[:, :2] == 1).any(1).sum())
        if lowest == 1 and ones >= 3:
            results.append(
                Finding(
                    "warning", "counted from 1", ones, f"{ones} boxes begin at 1 and none at 0: pixels seem counted from 1; subtract 1 from x and y"
                )
            )
    places, corners, sizes = checked.boxed
    known = np.array([checked.pairs[place][1].box is not None for place in places], bool)
    last = (corners[:, 2:] == sizes[:, ::-1] - 1).any(1) & known
    edge = (corners[:, 2:] >= sizes[:, ::-1]).any(1) & known
    if len(plain) >= ENOUGH and last.sum() >= 3 and not edge.any():
        results.append(
            Finding(
                "warning",
                "last pixel as edge",
                int(last.sum()),
                f"{last.sum()} boxes end one pixel before the border and none at it: the last pixel seems to be written instead of the edge; "
                "add 1 to width and height (format 'inclusive')",
            )
        )
    return results


def shares(checked: Checked) -> list[Finding]:
    """Numbers that are shares or percent of the picture where pixels are meant, and pixels where shares are meant."""
    own = [(place, thing.box) for place, (_, thing) in enumerate(checked.pairs) if thing.box is not None]
    relative = [place for place, box in own if box.fmt == "yolo" and max(map(abs, box.values)) > 1 + EDGE]
    results = found(
        "error", "pixels as shares", map(checked.where, relative), "{count} boxes have numbers above 1 where YOLO has shares of the picture: pixels?"
    )
    values = np.array([box.values for _, box in own if box.fmt not in RELATIVE], np.float64)
    sides = [min(size) for size in checked.sizes.values()]
    if len(values) and np.abs(values).max() <= 1:
        results.append(
            Finding(
                "error", "shares of the picture", len(values), f"all {len(values):,} boxes have numbers of at most 1: they are shares, not pixels"
            )
        )
    elif len(values) >= ENOUGH and sides and min(sides) > 200 and 90 < np.abs(values).max() <= 100:
        results.append(
            Finding(
                "warning",
                "percent",
                len(values),
                f"no number of {len(values):,} boxes is above 100, though the pictures are larger: they seem to be percent (Label Studio, LabelBox)",
            )
        )
    small = [
        place for place, box in own if box.fmt not in RELATIVE and max(map(abs, box.values)) <= 1 and any(each != int(each) for each in box.values)
    ]
    if small and len(small) < len(values):
        results += found(
            "error",
            "mixed units",
            map(checked.where, small),
            "{count} boxes have numbers of at most 1 among boxes in pixels: shares and pixels are mixed",
        )
    unknown = sum(1 for place, box in own if box.fmt in RELATIVE and checked.pairs[place][0].file not in checked.sizes)
    if unknown:
        results.append(
            Finding("note", "shares without sizes", unknown, f"{unknown:,} boxes are shares of pictures of unknown size; they were not looked at")
        )
    return results


def duplicates(checked: Checked) -> list[Finding]:
    """The same box twice on one picture."""
    places, corners, _ = checked.boxed
    seen: dict[tuple[object, ...], int] = {}
    twice: list[str] = []
    other: list[str] = []
    for place, box in zip(places, corners, strict=True):
        picture, thing = checked.pairs[place]
        key = (id(picture), *box.round(3).tolist())
        if key in seen:
            (twice if checked.pairs[seen[key]][1].category == thing.category else other).append(checked.where(place))
        seen.setdefault(key, place)
    return found(
        "warning", "duplicated boxes", twice, "{count} boxes lie twice on a picture: only one of the two can be found, and the other counts as missed"
    ) + found("warning", "one box, two classes", other, "{count} boxes lie on another one of another class: one of the two is always wrong")


def outlines(checked: Checked) -> list[Finding]:
    """Polygons of fewer than 3 points, without area, or crossing themselves."""
    few, flat, crossed, away = [], [], [], []
    for place, (_, thing) in enumerate(checked.pairs):
        for polygon in thing.polygons:
            if len(polygon) < 6:
                few.append(checked.where(place))
            elif polygon_area(polygon) == 0:
                flat.append(checked.where(place))
            elif polygon_crosses(polygon):
                crossed.append(checked.where(place))
        if thing.polygons and thing.box is not None and thing.box.fmt not in RELATIVE and _apart(thing.box.to("xyxy"), thing.polygons) > 2:
            away.append(checked.where(place))
    return (
        found("error", "polygon of fewer than 3 points", few, "{count} outlines have fewer than 3 points: COCO's code refuses or misreads them")
        + found("error", "polygon without area", flat, "{count} outlines enclose nothing: their masks are empty")
        + found("warning", "polygon crosses itself", crossed, "{count} outlines cross themselves: what is inside depends on who fills them")
        + found("warning", "box beside its outline", away, "{count} boxes are more than 2 pixels away from the hull of their outline")
    )


def _apart(box: tuple[float, float, float, float], polygons: Sequence[Sequence[float]]) -> float:
    x = [value for polygon in polygons for value in polygon[0::2]]
    y = [value for polygon in polygons for value in polygon[1::2]]
    if not x or not y:
        return 0.0
    return max(abs(own - other) for own, other in zip(box, (min(x), min(y), max(x), max(y)), strict=True))


def points(checked: Checked) -> list[Finding]:
    """Keypoints that lie outside the picture, or whose number differs from what the category names."""
    counts = {category.id: len(category.keypoints) for category in checked.annotations.categories}
    other, out, odd = [], [], []
    for place, (picture, thing) in enumerate(checked.pairs):
        if thing.keypoints is None:
            continue
        if counts.get(thing.category) and len(thing.keypoints) != 3 * counts[thing.category]:
            other.append(checked.where(place))
        if not set(thing.keypoints[2::3]) <= {0, 1, 2}:
            odd.append(checked.where(place))
        size = checked.sizes.get(picture.file)
        labelled = [thing.keypoints[k : k + 2] for k in range(0, len(thing.keypoints), 3) if thing.keypoints[k + 2] > 0]
        if size is not None and any(not (0 <= x <= size[1] and 0 <= y <= size[0]) for x, y in labelled):
            out.append(checked.where(place))
    return (
        found("error", "number of keypoints", other, "{count} things have another number of keypoints than their category names")
        + found("error", "keypoints outside", out, "{count} things have labelled keypoints outside the picture")
        + found("error", "visibility", odd, "{count} things have keypoints whose visibility is none of 0 (not labelled), 1 (hidden), 2 (visible)")
    )


BOX_RULES = (no_area, outside, counted_from, shares, duplicates, outlines, points)
