"""Masks as run lengths, COCO's way: column by column, first a run of zeros; also as COCO's compressed string.

A run-length mask is {"size": [height, width], "counts": ...} with counts a list of run lengths, or text of five bits a letter.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError, ShapeError
from ._targets import Array, plain

MOST_PIXELS = 2**31


def rle_encode(mask: Any, compressed: bool = True) -> dict[str, Any]:
    """The run lengths of a mask of zeros and ones.

    Shapes: mask (H, W) -> {"size": [H, W], "counts": text or list}

    Parameters
    ----------
    mask : zeros and ones (H, W)
    compressed : counts as COCO's text; False for a list of numbers

    Returns
    -------
    dict

    Raises
    ------
    ShapeError : the mask is not (H, W)

    Examples
    --------
    Down the first column 0, 1; then 1, 1.

    >>> rle_encode([[0, 1], [1, 1]], compressed=False)
    {'size': [2, 2], 'counts': [1, 3]}
    >>> rle_encode([[0, 1], [1, 1]])
    {'size': [2, 2], 'counts': '13'}
    """
    pixels = np.asarray(plain(mask))
    if pixels.ndim != 2:
        raise ShapeError(f"rle_encode: the mask must be (H, W), not {pixels.shape}")
    flat = pixels.ravel(order="F") != 0
    changes = np.flatnonzero(np.diff(np.concatenate([[False], flat])))
    counts = np.diff(np.concatenate([[0], changes, [flat.size]]))
    return _as_rle(counts.tolist(), pixels.shape[0], pixels.shape[1], compressed)


def _as_rle(counts: list[int], height: int, width: int, compressed: bool) -> dict[str, Any]:
    return {"size": [int(height), int(width)], "counts": counts_to_text(counts) if compressed else counts}


def rle_decode(rle: dict[str, Any]) -> Array:
    """The mask of run lengths.

    Shapes: {"size": [H, W], "counts": text or list} -> (H, W) uint8

    Parameters
    ----------
    rle : the run lengths

    Returns
    -------
    uint8 array (H, W) of zeros and ones

    Raises
    ------
    DataError : counts that are broken or do not fill the mask

    Examples
    --------
    >>> rle_decode({"size": [2, 2], "counts": [1, 3]})
    array([[0, 1],
           [1, 1]], dtype=uint8)
    """
    counts, height, width = rle_counts(rle)
    ones = np.arange(len(counts)) % 2
    return np.repeat(ones, counts).astype(np.uint8).reshape(width, height).T.copy()


def rle_counts(rle: dict[str, Any]) -> tuple[Array, int, int]:
    """Checked run lengths, height and width."""
    if not isinstance(rle, dict) or not {"size", "counts"} <= set(rle):
        raise DataError("rle: a run-length mask is {'size': [height, width], 'counts': ...}")
    size, counts = rle["size"], rle["counts"]
    if not (isinstance(size, (list, tuple)) and len(size) == 2 and all(_whole(each) for each in size)):
        raise DataError(f"rle: size must be [height, width], not {str(size)[:60]}")
    height, width = int(size[0]), int(size[1])
    if height * width > MOST_PIXELS:
        raise DataError(f"rle: a mask of {height} x {width} has more than {MOST_PIXELS} pixels")
    if isinstance(counts, (str, bytes)):
        counts = text_to_counts(counts)
    elif not isinstance(counts, (list, tuple, np.ndarray)) or not all(_whole(each) for each in counts):
        raise DataError("rle: counts must be text or a list of whole numbers from 0 up")
    runs = np.asarray(counts, dtype=np.int64).reshape(-1)
    if runs.sum() != height * width or (runs < 0).any():
        raise DataError(f"rle: the runs add up to {runs.sum()} pixels, the mask has {height} x {width} = {height * width}")
    return runs, height, width


def _whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(0 <= value <= MOST_PIXELS)


def counts_to_text(counts: Sequence[int]) -> str:
    """Run lengths as COCO's text: from the fourth run on the difference to the run two before, in groups of five bits, lowest first.

    Examples
    --------
    >>> counts_to_text([1, 3]), counts_to_text([100, 40, 100, 41])
    ('13', 'T3X1T31')
    """
    letters = []
    for place, count in enumerate(counts):
        value = int(count) - (int(counts[place - 2]) if place > 2 else 0)
        while True:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            letters.append(chr(48 + bits + (32 if more else 0)))
            if not more:
                break
    return "".join(letters)


def text_to_counts(text: str | bytes) -> list[int]:
    """Run lengths of COCO's text.

    Raises
    ------
    DataError : letters that are none of it, or a text that breaks off

    Examples
    --------
    >>> text_to_counts("T3X1T31")
    [100, 40, 100, 41]
    """
    codes = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    counts: list[int] = []
    value = shift = 0
    for code in codes:
        bits = code - 48
        if not 0 <= bits < 64 or shift > 40:
            raise DataError(f"rle: {chr(code)!r} has no place in a compressed run-length text")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise DataError("rle: the compressed text breaks off in the middle of a number")
    if any(count < 0 for count in counts):
        raise DataError("rle: the compressed text holds a negative run")
    return counts


def rle_area(rle: dict[str, Any]) -> int:
    """The number of pixels of a mask.

    Examples
    --------
    >>> rle_area({"size": [2, 2], "counts": [1, 3]})
    3
    """
    return int(rle_counts(rle)[0][1::2].sum())


def rle_box(rle: dict[str, Any]) -> tuple[float, float, float, float]:
    """The smallest box (x, y, width, height) around a mask; zeros for an empty one.

    Examples
    --------
    >>> rle_box(rle_encode([[0, 0, 0], [0, 1, 1]]))
    (1.0, 1.0, 2.0, 1.0)
    """
    mask = rle_decode(rle)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0, 0.0, 0.0, 0.0
    return float(columns[0]), float(rows[0]), float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1)


def rle_merge(rles: Sequence[dict[str, Any]], intersect: bool = False) -> dict[str, Any]:
    """The union (or intersection) of masks of one size.

    Raises
    ------
    ArgumentError : no masks, or of different sizes

    Examples
    --------
    >>> rle_area(rle_merge([rle_encode([[1, 0]]), rle_encode([[0, 1]])]))
    2
    """
    if not rles or len({tuple(rle["size"]) for rle in rles}) != 1:
        raise ArgumentError("rle_merge: wants at least one mask, all of one size")
    if len(rles) == 1:
        counts, height, width = rle_counts(rles[0])
        return _as_rle(counts.tolist(), height, width, True)
    masks = np.stack([rle_decode(rle) for rle in rles])
    return rle_encode(masks.all(axis=0) if intersect else masks.any(axis=0))


def rle_iou(detections: Sequence[dict[str, Any]], truths: Sequence[dict[str, Any]], crowd: Sequence[bool] | None = None) -> Array:
    """Intersection over union of every mask with every other, without unpacking them.

    Shapes: D masks, G masks -> (D, G)

    Formula: |d and g| / |d or g|; of a crowd |d and g| / |d|

    Parameters
    ----------
    detections, truths : run-length masks, all of one size
    crowd : which truths are crowds, regions with any number of objects

    Returns
    -------
    float64 array (D, G)

    Raises
    ------
    ArgumentError : sizes that differ

    Examples
    --------
    >>> one, two = rle_encode([[1, 1, 0]]), rle_encode([[0, 1, 1]])
    >>> rle_iou([one], [one, two]).round(3).tolist()
    [[1.0, 0.333]]
    """
    crowds = [False] * len(truths) if crowd is None else list(crowd)
    result = np.zeros((len(detections), len(truths)))
    unpacked = [[rle_counts(rle) for rle in group] for group in (detections, truths)]
    sizes = {(height, width) for group in unpacked for _, height, width in group}
    if len(sizes) > 1:
        raise ArgumentError(f"rle_iou: masks of one image must have one size, not {' and '.join(map(str, sorted(sizes)[:3]))}")
    starts = [[_runs_of_ones(counts) for counts, _, _ in group] for group in unpacked]
    for row, (begin, end) in enumerate(starts[0]):
        length = end - begin
        knots = np.concatenate([[0], np.stack([begin, end], axis=1).ravel()])
        filled = np.concatenate([[0], np.stack([np.cumsum(length) - length, np.cumsum(length)], axis=1).ravel()])
        for column, (first, last) in enumerate(starts[1]):
            common = float(np.sum(np.interp(last, knots, filled) - np.interp(first, knots, filled)))
            own, other = float(length.sum()), float((last - first).sum())
            bottom = own if crowds[column] else own + other - common
            result[row, column] = common / bottom if common else 0.0
    return result


def _runs_of_ones(counts: Array) -> tuple[Array, Array]:
    """Where runs of ones begin and end in the column-by-column order."""
    ends = np.cumsum(counts)
    length = len(counts) // 2
    return ends[0::2][:length], ends[1::2][:length]
