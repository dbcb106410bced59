"""Non-maximum suppression box by box: who is best, whom it suppresses and by which overlap, who is kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...errors import ArgumentError, ShapeError
from ...kernels.reference import nms as definition
from ..explain import explain
from .scene import Scene
from .view import DetectionView, Table, box_text, checked_boxes

__all__ = ["nms_view"]

MOST = 60  # boxes that anybody follows


def nms_view(boxes: Any, scores: Any, iou_threshold: float = 0.5, labels: Any = None, *, image: Any = None, size: Any = None) -> DetectionView:
    """Run suppression and show its steps.

    Parameters
    ----------
    boxes : array
        (N, 4), corners in pixels.
    scores : array
        (N,).
    iou_threshold : float
        A box with a larger overlap goes.
    labels : array, optional
        (N,) whole numbers; boxes of different classes do not compete.
    image : array, optional
        (C, H, W), from 0 to 1, drawn under the boxes.
    size : (height, width), optional
        Of the picture without an image.

    Returns
    -------
    DetectionView
        `data["kept"]` is what `ops.nms` (`ops.batched_nms`) keeps, `data["steps"]` the suppressed of each kept box with their overlaps.

    Raises
    ------
    ArgumentError, ShapeError
        Boxes that are none, more than 60, or scores and labels that do not fit.

    Notes
    -----
    The reasons in the table are those of `study.explain` of the operator: they come from its definition's own run.

    Examples
    --------
    >>> view = nms_view([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], [0.8, 0.9, 0.7], 0.5)
    >>> view.data["kept"].tolist(), view.data["steps"][0]["suppressed"]
    ([1, 2], [0])
    """
    corners = checked_boxes("nms_view", "boxes", boxes, 1)
    marks = np.asarray(scores, np.float64).reshape(-1)
    if len(corners) > MOST:
        raise ArgumentError(f"nms_view: {len(corners)} boxes are more than anybody follows; give the best {MOST} at most")
    if marks.shape != (len(corners),):
        raise ShapeError(f"nms_view: there are {len(corners)} boxes and {marks.size} scores; give one score a box")
    if not 0 <= iou_threshold <= 1:
        raise ArgumentError(f"nms_view: iou_threshold {iou_threshold!r} must lie between 0 and 1")
    groups = None if labels is None else np.asarray(labels, np.int64).reshape(-1)
    if groups is not None and groups.shape != marks.shape:
        raise ShapeError(f"nms_view: there are {len(corners)} boxes and {groups.size} labels; give one label a box")
    if groups is None:
        kept = ops.nms(corners, marks, iou_threshold).data
        told = explain("nms", corners, marks, iou_threshold=iou_threshold)
    else:
        kept = ops.batched_nms(corners, marks, groups, iou_threshold).data
        told = explain("batched_nms", corners, marks, groups, iou_threshold=iou_threshold)
    steps = _steps(corners, groups, kept, iou_threshold)
    if size is None:
        far = corners[:, 2:].max(axis=0)
        size = (int(np.ceil(far[1] * 1.05)) + 1, int(np.ceil(far[0] * 1.05)) + 1) if image is None else np.shape(image)[-2:]
    scene = _scene((int(size[0]), int(size[1])), corners, marks, steps, kept, image)
    lead = (f"{len(corners)} boxes, threshold {iou_threshold:g}: {len(kept)} kept, {len(corners) - len(kept)} suppressed",)
    rows = [
        (
            str(number), f"{step['box']} ({marks[step['box']]:.3g})",
            ", ".join(f"{j} (IoU {value:.3f})" for j, value in zip(step["suppressed"], step["iou"], strict=True)) or "nobody",
            " ".join(map(str, kept[:number])), " ".join(map(str, step["left"])) or "none",
        )
        for number, step in enumerate(steps, start=1)
    ]  # fmt: skip
    tables = [Table("Steps", ("step", "best (score)", "suppresses", "kept so far", "still waiting"), tuple(rows)), *told.tables]
    tables.append(Table("Boxes", ("box", "corners"), tuple((str(k), box_text(box)) for k, box in enumerate(corners))))
    key = (("now", "best now"), ("bad", "suppressed by it"), ("good", "kept before"), ("soft", "waiting"))
    data = {"kept": kept, "steps": steps, "threshold": iou_threshold}
    return DetectionView("Non-maximum suppression, step by step", lead, tuple(tables), (("", scene.svg()),), "one kept box a step", key, data)


def _steps(boxes: np.ndarray, groups: np.ndarray | None, kept: np.ndarray, threshold: float) -> list[dict[str, Any]]:
    """For each kept box those that it is the first to cover."""
    waiting = [int(k) for k in np.asarray(kept)]
    rest = [k for k in range(len(boxes)) if k not in set(waiting)]
    overlaps = ops.box_iou(boxes, boxes).data
    steps = []
    for place, best in enumerate(waiting):
        gone = [j for j in rest if (groups is None or groups[j] == groups[best]) and definition.covers(boxes[best], boxes[j], threshold)]
        rest = [j for j in rest if j not in gone]
        left = sorted([*waiting[place + 1 :], *rest])
        steps.append({"box": best, "suppressed": gone, "iou": [float(overlaps[best, j]) for j in gone], "left": left})
    return steps


def _scene(
    size: tuple[int, int], boxes: np.ndarray, scores: np.ndarray, steps: list[dict[str, Any]], kept: np.ndarray, image: Any
) -> Scene:
    scene = Scene(size, f"{len(boxes)} boxes, {len(kept)} kept", image)
    scene.still(*(scene.box(box, "faint") for box in boxes))
    before = [scene.box(box, "ignored", f"{k}: {score:.2f}") for k, (box, score) in enumerate(zip(boxes, scores, strict=True))]
    scene.step(f"before: {len(boxes)} boxes with their scores", *before)
    for number, step in enumerate(steps):
        best = step["box"]
        done = [scene.box(boxes[k], "kept", f"{k}") for k in kept[:number]]
        gone = [scene.box(boxes[j], "suppressed", f"{j}: IoU {value:.2f}") for j, value in zip(step["suppressed"], step["iou"], strict=True)]
        said = ", ".join(f"{j} (IoU {value:.3f})" for j, value in zip(step["suppressed"], step["iou"], strict=True)) or "nobody"
        words = f"step {number + 1}: box {best} has the best score left, {scores[best]:.3g}; it is kept and suppresses {said}"
        scene.step(words, *done, *gone, scene.box(boxes[best], "best", f"{best}: {scores[best]:.2f}"))
    after = [scene.box(boxes[k], "kept", f"{k}: {scores[k]:.2f}") for k in kept]
    scene.step(f"after: {len(kept)} of {len(boxes)} boxes are kept: {', '.join(map(str, kept))}", *after, final=True)
    return scene
