"""Where a detector sees something: the best score of every cell of every map, over the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional
from ...autograd import no_grad
from ...errors import ArgumentError
from ...models.detection.rpn import in_rows
from ...tensor import Tensor
from .anchors import Laid, anchor_generator_of, batch_and_maps, lay, seen_image
from .scene import Scene
from .view import DetectionView, Table, box_text

__all__ = ["head_rows", "heat_view"]


def head_rows(detector: Any, image: Any) -> tuple[Laid, np.ndarray, np.ndarray, str]:
    """The anchors of a detector over an image, its head's scores (anchors, classes) and box numbers (anchors, 4), and what the scores are.

    A dense head's scores are a softmax without the background where it was trained with one, else sigmoids; of two stages it is the
    proposal network's objectness.
    """
    generator = anchor_generator_of(detector, "heat_view")
    batch, maps = batch_and_maps(detector, image)
    height, width = (int(side) for side in batch.tensors.shape[-2:])
    laid = lay(generator, (height, width), [(int(one.shape[-2]), int(one.shape[-1])) for one in maps], "heat_view")
    with no_grad():
        if hasattr(detector, "rpn"):
            objectness, numbers = detector.rpn.head(maps)
            return laid, functional.sigmoid(in_rows(objectness, 1)).data[0], in_rows(numbers, 4).data[0], "sigmoid of the objectness"
        found = getattr(detector, "head", lambda _: None)(maps)
        if not isinstance(found, dict) or "cls_logits" not in found:
            raise ArgumentError(f"heat_view: the head of {type(detector).__name__} gives no cls_logits; give a detector with dense scores")
        logits: Tensor = found["cls_logits"]
        if type(getattr(detector, "proposal_matcher", None)).__name__ == "SSDMatcher":
            return laid, functional.softmax(logits, -1).data[0][:, 1:], found["bbox_regression"].data[0], "softmax without the background"
        scores = functional.sigmoid(logits).data[0]
        if "bbox_ctrness" in found:
            scores = np.sqrt(scores * functional.sigmoid(found["bbox_ctrness"]).data[0])
            return laid, scores, found["bbox_regression"].data[0], "square root of sigmoid times centre-ness"
        return laid, scores, found["bbox_regression"].data[0], "sigmoid"


def heat_view(detector: Any, image: Any) -> DetectionView:
    """Draw the best score of each cell, map by map.

    Parameters
    ----------
    detector : Module
        One of `models.detection`, or built like them.
    image : array
        (C, H, W), from 0 to 1.

    Returns
    -------
    DetectionView
        `data["maps"]` holds a (rows, columns) array of each map.

    Raises
    ------
    ArgumentError
        For a network without anchors or dense scores.
    """
    laid, scores, _, words = head_rows(detector, image)
    image = seen_image(detector, image)
    best = scores.max(axis=1)
    heat = [best[each.first : each.first + each.total].reshape(each.rows, each.columns, each.count).max(axis=2) for each in laid.maps]
    top = max(float(best.max()), 1e-12)
    pictures, rows = [], []
    for number, (each, values) in enumerate(zip(laid.maps, heat, strict=True)):
        row, column = (int(k) for k in np.unravel_index(values.argmax(), values.shape))
        anchor = each.first + int(best[each.first : each.first + each.total].argmax())
        rows.append((str(number), f"{each.rows}x{each.columns}", f"{values.max():.4g}", f"({row}, {column})", box_text(laid.boxes[anchor]),
                     f"{values.mean():.3g}"))  # fmt: skip
        pictures.append((f"map {number}: {each.rows} x {each.columns}, best {values.max():.3f}", _scene(laid, values, top, image).svg()))
    table = Table("Maps", ("map", "cells", "best score", "cell (row, column)", "its anchor", "mean"), tuple(rows))
    lead = (f"best score of each cell's anchors and classes: {words}; full colour is {top:.3g}",)
    return DetectionView("Where the detector sees something", lead, (table,), tuple(pictures), "", (), {"maps": heat})


def _scene(laid: Laid, values: np.ndarray, top: float, image: Any) -> Scene:
    scene = Scene(laid.size, "scores over the image", image)
    rows, columns = values.shape
    high, wide = laid.size[0] / rows, laid.size[1] / columns
    for row in range(rows):
        for column in range(columns):
            share = float(values[row, column]) / top
            if share < 0.02:
                continue
            cell = (column * wide, row * high, (column + 1) * wide, (row + 1) * high)
            scene.still(scene.tile(cell, share, f'fill="#e5482d" fill-opacity="{0.75 * share:.3f}"'))
    return scene
