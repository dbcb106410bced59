"""One function for everybody's anchors: the conventions in which published detectors differ, each an option, and their presets.

References
----------
Ren et al.: Faster R-CNN, NeurIPS 2015 (rbgirshick/py-faster-rcnn, generate_anchors.py). Detectron2, modeling/anchor_generator.py. torchvision,
models/detection/anchor_utils.py. Liu et al.: SSD, ECCV 2016 (weiliu89/caffe, prior_box_layer.cpp).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...errors import ArgumentError
from ...functional._arguments import one_of
from .pixel_rule import RULES, from_continuous, iou_by_rule, to_continuous

__all__ = ["PRESETS", "AnchorConvention", "ComparedAnchor", "anchors_by_convention", "cell_anchors_by_convention", "compare_anchor_conventions"]

ROUNDINGS = ("none", "corners", "stride")
ORDERS = ("ratio", "size", "ssd")
RATIOS = ("height/width", "width/height")


@dataclass(frozen=True)
class AnchorConvention:
    """How sizes and ratios become boxes.

    Parameters
    ----------
    offset : float
        Where in its cell an anchor is centred, in parts of the stride: 0 the upper left corner, 0.5 the middle.
    rounding : str
        "none"; "corners": corners to whole pixels, half to even; "stride": width and height of the anchor of the stride's own size, which is
        then enlarged.
    ratio : str
        What a ratio is: "height/width" or "width/height".
    order : str
        Which changes slowest in a cell, "ratio" or "size"; "ssd": size, the mean of it and the next, then each ratio and its inverse.
    rule : str
        "continuous" or "inclusive" corners.
    """

    offset: float = 0.0
    rounding: str = "none"
    ratio: str = "height/width"
    order: str = "ratio"
    rule: str = "continuous"

    def __post_init__(self) -> None:
        for argument, value, known in (
            ("rounding", self.rounding, ROUNDINGS),
            ("ratio", self.ratio, RATIOS),
            ("order", self.order, ORDERS),
            ("rule", self.rule, RULES),
        ):
            one_of("AnchorConvention", argument, value, known)


PRESETS = {
    "py-faster-rcnn": AnchorConvention(0.5, "stride", "height/width", "ratio", "inclusive"),
    "detectron2": AnchorConvention(0.0, "none", "height/width", "size"),
    "torchvision": AnchorConvention(0.0, "corners", "height/width", "ratio"),
    "ssd": AnchorConvention(0.5, "none", "width/height", "ssd"),
}


def cell_anchors_by_convention(
    sizes: Sequence[float],
    ratios: Sequence[float],
    stride: float = 16.0,
    convention: AnchorConvention | str = "torchvision",
    next_size: float | None = None,
) -> np.ndarray:
    """The anchors of the cell at the image's upper left corner.

    Shapes
    ------
    -> (A, 4)

    Formula
    -------
    An anchor of size s and ratio r has the area s^2: its sides are s sqrt(r) and s / sqrt(r).

    Parameters
    ----------
    sizes : numbers
        In pixels; py-faster-rcnn's scales 8, 16, 32 of the stride 16 are 128, 256, 512.
    ratios : numbers
        SSD's without 1, which it always has.
    stride : float
        Pixels between cells.
    convention : AnchorConvention or str
        One of your own, or "py-faster-rcnn", "detectron2", "torchvision", "ssd".
    next_size : float, optional
        SSD's: the size of the next map, for the box of sqrt(size next_size).

    Raises
    ------
    ArgumentError
        For an unknown preset, numbers that are not positive, or SSD without exactly one size and the next.

    Examples
    --------
    >>> cell_anchors_by_convention((128, 256, 512), (0.5, 1, 2), 16, "py-faster-rcnn")[:2].astype(int).tolist()
    [[-84, -40, 99, 55], [-176, -88, 191, 103]]
    >>> cell_anchors_by_convention((128,), (0.5,), 16, "detectron2").round(2).tolist()
    [[-90.51, -45.25, 90.51, 45.25]]
    """
    rules = _convention(convention)
    if not len(sizes) or min(*sizes, stride, next_size or 1, *ratios, math.inf) <= 0:
        raise ArgumentError(f"anchors: sizes={tuple(sizes)}, ratios={tuple(ratios)}, stride={stride} and next_size={next_size} must be positive")
    halves = np.array(_sides(sizes, ratios, stride, rules, next_size)) / 2
    centre = rules.offset * stride
    boxes = np.concatenate((centre - halves, centre + halves), axis=1)
    if rules.rounding == "corners":
        boxes = np.round(boxes)
    return from_continuous(boxes, rules.rule)


def _convention(convention: AnchorConvention | str) -> AnchorConvention:
    if isinstance(convention, AnchorConvention):
        return convention
    one_of("anchors", "convention", convention, tuple(PRESETS))
    return PRESETS[convention]


def _sides(
    sizes: Sequence[float], ratios: Sequence[float], stride: float, rules: AnchorConvention, next_size: float | None
) -> list[tuple[float, float]]:
    """Width and height of each anchor, in order."""
    if rules.order == "ssd":
        if len(sizes) != 1 or next_size is None:
            raise ArgumentError(f"anchors: in SSD's order give one size and next_size; here sizes={tuple(sizes)}, next_size={next_size}")
        between = math.sqrt(sizes[0] * next_size)
        both = [value for ratio in ratios for value in (ratio, 1 / ratio)]
        return [(sizes[0], sizes[0]), (between, between), *(_side(sizes[0], ratio, stride, rules) for ratio in both)]
    pairs = [(size, ratio) for size in sizes for ratio in ratios]
    if rules.order == "ratio":
        pairs = [(size, ratio) for ratio in ratios for size in sizes]
    return [_side(size, ratio, stride, rules) for size, ratio in pairs]


def _side(size: float, ratio: float, stride: float, rules: AnchorConvention) -> tuple[float, float]:
    """Width and height of one anchor."""
    tall = ratio if rules.ratio == "height/width" else 1 / ratio
    if rules.rounding == "stride":
        width = round(stride / math.sqrt(tall))
        return width * size / stride, round(width * tall) * size / stride
    return size / math.sqrt(tall), size * math.sqrt(tall)


def anchors_by_convention(
    map_size: tuple[int, int],
    sizes: Sequence[float],
    ratios: Sequence[float],
    stride: float = 16.0,
    convention: AnchorConvention | str = "torchvision",
    next_size: float | None = None,
) -> np.ndarray:
    """The anchors of every cell: rows of cells in order, a cell's anchors next to each other.

    Shapes
    ------
    map_size (rows, columns) -> (rows columns A, 4)

    Parameters
    ----------
    map_size : (rows, columns)
        Of the feature map.
    sizes, ratios, stride, convention, next_size
        As in `cell_anchors_by_convention`.

    Examples
    --------
    >>> anchors_by_convention((2, 2), (8,), (1,), 8, "detectron2").tolist()[-1]
    [4.0, 4.0, 12.0, 12.0]
    """
    own = cell_anchors_by_convention(sizes, ratios, stride, convention, next_size)
    y, x = np.meshgrid(np.arange(map_size[0]) * stride, np.arange(map_size[1]) * stride, indexing="ij")
    moves = np.stack((x, y, x, y), axis=-1).reshape(-1, 1, 4)
    return (moves + own).reshape(-1, 4)


class ComparedAnchor(NamedTuple):
    """What one framework makes of a size and a ratio."""

    convention: str
    box: tuple[float, ...]  # as the framework writes it
    width: float  # by its own rule
    height: float
    centre: tuple[float, float]
    overlap: float  # with torchvision's


def compare_anchor_conventions(size: float, ratio: float, stride: float = 16.0) -> list[ComparedAnchor]:
    """The same size and ratio by every preset, in the cell at the upper left corner: an anchor moved or turned is why weights do not transfer.

    Parameters
    ----------
    size : float
        Pixels.
    ratio : float
        Not 1, of which SSD has a box anyway.
    stride : float
        Pixels between cells.

    Examples
    --------
    >>> for row in compare_anchor_conventions(128, 0.5):
    ...     print(row.convention, [round(value, 1) for value in row.box], row.centre, round(row.overlap, 2))
    py-faster-rcnn [-84.0, -40.0, 99.0, 55.0] (8.0, 8.0) 0.78
    detectron2 [-90.5, -45.3, 90.5, 45.3] (0.0, 0.0) 0.99
    torchvision [-91.0, -45.0, 91.0, 45.0] (0.0, 0.0) 1.0
    ssd [-37.3, -82.5, 53.3, 98.5] (8.0, 8.0) 0.33
    """
    boxes = {name: _alone(size, ratio, stride, name) for name in PRESETS}
    reference = boxes["torchvision"]
    rows = []
    for name, rules in PRESETS.items():
        x1, y1, x2, y2 = to_continuous(boxes[name], rules.rule).tolist()
        overlap = iou_by_rule(to_continuous(boxes[name], rules.rule)[None], reference[None]).item()
        rows.append(ComparedAnchor(name, tuple(boxes[name].tolist()), x2 - x1, y2 - y1, ((x1 + x2) / 2, (y1 + y2) / 2), overlap))
    return rows


def _alone(size: float, ratio: float, stride: float, name: str) -> np.ndarray:
    """The one anchor; SSD's is the first with the ratio, behind its two squares."""
    next_size = size if PRESETS[name].order == "ssd" else None
    box: np.ndarray = cell_anchors_by_convention((size,), (ratio,), stride, name, next_size)[2 if next_size else 0]
    return box
