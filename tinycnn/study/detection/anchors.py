"""The anchors of a detector over an image: how many a map, of what shapes, and which true objects they cover.

References
----------
Ren et al.: Faster R-CNN, NeurIPS 2015, section 3.1.1. Liu et al.: SSD, ECCV 2016, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ops
from ...autograd import no_grad
from ...errors import ArgumentError
from ...models.detection import ImageList
from ...nn import Module
from ...tensor import Tensor
from .scene import Scene
from .view import DetectionView, Table, box_text, checked_boxes

__all__ = ["AnchorMap", "Laid", "anchor_generator_of", "anchor_view", "detector_anchors", "lay", "seen_image"]

Generator = Callable[[ImageList, Sequence[Tensor]], Sequence[np.ndarray]]
ENOUGH = (0.5, 0.7)  # overlaps at which a truth counts as covered: RetinaNet's and SSD's, and the RPN's
MOST_DRAWN = 24  # true boxes


@dataclass(frozen=True)
class AnchorMap:
    """One feature map and its anchors: numbers `first` to `first + rows * columns * count` of all."""

    rows: int
    columns: int
    count: int  # of a cell
    first: int

    @property
    def total(self) -> int:
        """All anchors of the map."""
        return self.rows * self.columns * self.count

    def cell_of(self, anchor: int) -> tuple[int, int, int]:
        """Row, column and number in the cell of one of all anchors."""
        cell, number = divmod(anchor - self.first, self.count)
        return (*divmod(cell, self.columns), number)


@dataclass(frozen=True)
class Laid:
    """Anchors as a generator laid them over one image."""

    size: tuple[int, int]
    boxes: np.ndarray
    maps: tuple[AnchorMap, ...]

    def map_of(self, anchor: int) -> tuple[int, AnchorMap]:
        """The map of one of all anchors, with its number."""
        return next((number, each) for number, each in enumerate(self.maps) if anchor < each.first + each.total)

    def place(self, anchor: int) -> str:
        """Where an anchor comes from, in words."""
        number, own = self.map_of(anchor)
        row, column, shape = own.cell_of(anchor)
        return f"map {number}, cell ({row}, {column}), shape {shape}"


def lay(generator: Any, size: tuple[int, int], maps: Sequence[tuple[int, int]], function: str = "anchor_view") -> Laid:
    """Let a generator of anchors or default boxes lay them over an image of (height, width) with maps of (rows, columns)."""
    if min(size) < 1 or not maps or min(min(each) for each in maps) < 1:
        raise ArgumentError(f"{function}: size {size} and maps {list(maps)} must be whole numbers from 1 up")
    counts = generator.num_anchors_per_location()
    sizes = [rows * columns * count for (rows, columns), count in zip(maps, counts, strict=False)]
    if sum(sizes) > 500_000:
        raise ArgumentError(f"{function}: {sum(sizes):,} anchors are more than 500,000; take a smaller image or coarser maps")
    images = ImageList(Tensor(np.zeros((1, 1, *size), np.float32)), [size])
    boxes = generator(images, [Tensor(np.zeros((1, 1, *each), np.float64)) for each in maps])[0]
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    laid = tuple(AnchorMap(*each, count, start) for each, count, start in zip(maps, counts, starts, strict=True))
    return Laid(size, np.asarray(boxes, np.float64), laid)


def anchor_generator_of(detector: Module, function: str = "detector_anchors") -> Any:
    """The generator of a detector of one stage, or of the proposal network of one of two."""
    own = getattr(detector, "anchor_generator", None) or getattr(getattr(detector, "rpn", None), "anchor_generator", None)
    if own is None:
        raise ArgumentError(f"{function}: {type(detector).__name__} has neither anchor_generator nor rpn.anchor_generator; give a detector that has")
    return own


def batch_and_maps(detector: Any, image: Any) -> tuple[ImageList, list[Tensor]]:
    """What the detector's own transform and backbone make of an image (C, H, W), in evaluation mode."""
    was_training = detector.training
    detector.eval()
    try:
        with no_grad():
            batch, _ = detector.transform([np.asarray(image, np.float32)])
            found = detector.backbone(batch.tensors)
    finally:
        detector.train(was_training)
    return batch, list(found.values()) if isinstance(found, Mapping) else [found]


def seen_image(detector: Any, image: Any) -> np.ndarray:
    """The image (C, H, W) as the network gets it, resized and padded, but with pixels from 0 to 1 again: what its boxes lie on."""
    batch, _ = detector.transform([np.asarray(image, np.float32)])
    transform = detector.transform
    mean = np.asarray(getattr(transform, "image_mean", 0), np.float32).reshape(-1, 1, 1)
    std = np.asarray(getattr(transform, "image_std", 1), np.float32).reshape(-1, 1, 1)
    seen: np.ndarray = (batch.tensors.data[0] * std + mean).clip(0, 1)
    return seen


def detector_anchors(detector: Any, image: Any) -> Laid:
    """The anchors that a detector lays over an image, in the pixels of what its transform makes of it.

    Parameters
    ----------
    detector : Module
        With `transform`, `backbone` and an anchor generator, as those of `models.detection`.
    image : array
        (C, H, W), from 0 to 1.

    Raises
    ------
    ArgumentError
        For a network without anchors.
    """
    generator = anchor_generator_of(detector)
    batch, maps = batch_and_maps(detector, image)
    height, width = batch.tensors.shape[-2:]
    return lay(generator, (int(height), int(width)), [(int(one.shape[-2]), int(one.shape[-1])) for one in maps], "detector_anchors")


def anchor_view(laid: Laid, truths: Any = (), *, image: Any = None, title: str = "Anchors") -> DetectionView:
    """Anchors counted and drawn, and the best one of each true box.

    Parameters
    ----------
    laid : Laid
        Of `detector_anchors`, or of `lay` with a generator of your own.
    truths : array
        (K, 4), true boxes in the same pixels.
    image : array, optional
        (C, H, W), from 0 to 1, drawn under the boxes.
    title : str
        Of page and text.

    Returns
    -------
    DetectionView
        `data["best_iou"]` holds the best overlap of every truth, `data["counts"]` the anchors of each map.

    Examples
    --------
    >>> from tinycnn.models.detection import AnchorGenerator
    >>> view = anchor_view(lay(AnchorGenerator(((32,),), ((1.0,),)), (64, 64), [(4, 4)]), [[0, 0, 32, 32]])
    >>> view.data["counts"], round(float(view.data["best_iou"][0]), 3)
    ([16], 1.0)
    """
    true = checked_boxes("anchor_view", "truths", truths)
    overlaps = ops.box_iou(true, laid.boxes).data if len(true) else np.zeros((0, len(laid.boxes)))
    best = overlaps.argmax(axis=1) if len(true) else np.zeros(0, np.int64)
    values = overlaps[np.arange(len(true)), best]
    scene = _scene(laid, true, best, values, image)
    tables = [Table("Maps", ("map", "cells", "stride", "a cell", "boxes", "widths x heights", "cross the edge"), _map_rows(laid))]
    if len(true):
        rows = [
            (str(k), box_text(true[k]), f"{values[k]:.3f}", laid.place(int(best[k])), *(str(int((overlaps[k] >= limit).sum())) for limit in ENOUGH))
            for k in range(len(true))
        ]
        header = ("truth", "box", "best IoU", "of", *(f"IoU >= {limit:g}" for limit in ENOUGH))
        covered = ", ".join(f"{int((values >= limit).sum())} of {len(true)} at {limit:g}" for limit in ENOUGH)
        tables.append(Table("Coverage of the truths", header, tuple(rows), f"covered by at least one anchor: {covered}"))
    lead = f"{len(laid.boxes):,} boxes on {len(laid.maps)} maps over {laid.size[0]} x {laid.size[1]} pixels (height x width)"
    data = {
        "size": laid.size, "boxes": len(laid.boxes), "counts": [each.total for each in laid.maps], "truths": true,
        "best_iou": values, "best_anchor": best, "best_box": laid.boxes[best],
    }  # fmt: skip
    key = (("accent", "truth"), ("now", "its best anchor"), ("soft", "anchors of one cell"))
    return DetectionView(title, (lead,), tuple(tables), (("", scene.svg()),), "map by map, then truth by truth", key, data)


def _map_rows(laid: Laid) -> tuple[tuple[str, ...], ...]:
    rows = []
    height, width = laid.size
    for number, each in enumerate(laid.maps):
        own = laid.boxes[each.first : each.first + each.total]
        shapes = own[: each.count, 2:] - own[: each.count, :2]
        outside = int(((own[:, :2] < 0).any(axis=1) | (own[:, 2] > width) | (own[:, 3] > height)).sum())
        sides = ", ".join(f"{w:.4g}x{h:.4g}" for w, h in shapes)
        stride = f"{height / each.rows:.4g}" if height * each.columns == width * each.rows else f"{height / each.rows:.4g}x{width / each.columns:.4g}"
        rows.append((str(number), f"{each.rows}x{each.columns}", stride, str(each.count), f"{each.total:,}", sides, f"{outside:,}"))
    return tuple(rows)


def _scene(laid: Laid, true: np.ndarray, best: np.ndarray, values: np.ndarray, image: Any) -> Scene:
    scene = Scene(laid.size, f"{len(laid.boxes)} anchors over an image", image)
    scene.still(*(scene.box(box, "truth", str(k)) for k, box in enumerate(true[:MOST_DRAWN])))
    for number, each in enumerate(laid.maps):
        cell = (each.rows // 2) * each.columns + each.columns // 2
        start = each.first + cell * each.count
        shapes = [scene.box(box, "faint") for box in laid.boxes[start : start + each.count]]
        grid = scene.grid(each.rows, each.columns) if max(each.rows, each.columns) <= 80 else ""
        words = f"map {number}: {each.rows} x {each.columns} cells, {each.count} boxes in each, {each.total:,} in all; drawn: the middle cell's"
        x, y = (laid.boxes[start, 0] + laid.boxes[start, 2]) / 2, (laid.boxes[start, 1] + laid.boxes[start, 3]) / 2
        scene.step(words, grid, *shapes, scene.dot(x, y, 4), final=number == 0 and not len(true))
    for k in range(min(len(true), MOST_DRAWN)):
        words = f"truth {k}: best overlap {values[k]:.3f}, {laid.place(int(best[k]))}"
        scene.step(words, scene.box(laid.boxes[best[k]], "best", f"IoU {values[k]:.2f}"), final=True)
    return scene
