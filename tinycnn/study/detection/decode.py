"""From a detector's raw numbers to a box, with the arithmetic: the coders of R-CNN and SSD, FCOS's distances, YOLO's cells.

References
----------
Girshick et al.: R-CNN, CVPR 2014, appendix C. Redmon and Farhadi: YOLO9000, CVPR 2017, figure 3. Tian et al.: FCOS, ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional
from ...errors import ArgumentError, ShapeError
from ...models.detection import BoxCoder
from .scene import Scene
from .view import DetectionView, Table, box_text, checked_boxes

__all__ = ["decode_view", "decode_yolo"]


def decode_view(
    numbers: Any, anchors: Any, logits: Any = None, *, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0), scores: str = "softmax",
    laid: Any = None, image: Any = None, size: tuple[int, int] | None = None, most: int = 8,
) -> DetectionView:  # fmt: skip
    """Decode rows of a head's output with the coder of R-CNN, SSD and RetinaNet.

    Parameters
    ----------
    numbers : array
        (K, 4), what the head says.
    anchors : array
        (K, 4), the reference box of each row.
    logits : array, optional
        (K, classes); the rows of the best scores are shown first.
    weights : four numbers
        Of the coder: (10, 10, 5, 5) for SSD and the second stage, 1 for the RPN and RetinaNet.
    scores : str
        "softmax", with class 0 the background, or "sigmoid".
    laid : Laid, optional
        Says which map and cell an anchor comes from.
    image, size
        What is drawn under the boxes.
    most : int
        Rows shown.

    Returns
    -------
    DetectionView
        `data["boxes"]` (K, 4) are those of `models.detection.BoxCoder`.

    Examples
    --------
    >>> view = decode_view([[0.5, 0.5, 0.0, 0.6931471805599453]], [[0, 0, 10, 10]])
    >>> view.data["boxes"].round(6).tolist()
    [[5.0, 0.0, 15.0, 20.0]]
    """
    references = checked_boxes("decode_view", "anchors", anchors, 1)
    said = np.asarray(numbers, np.float64)
    if said.shape != references.shape or not np.isfinite(said).all():
        raise ShapeError(f"decode_view: numbers have shape {said.shape} beside {len(references)} anchors; give four finite numbers an anchor")
    if scores not in ("softmax", "sigmoid"):
        raise ArgumentError(f"decode_view: scores must be softmax or sigmoid, not {scores!r}")
    if len(weights) != 4 or not all(weight > 0 for weight in weights):
        raise ArgumentError(f"decode_view: weights {tuple(weights)} must be four numbers above 0, such as 10, 10, 5, 5")
    coder = BoxCoder((float(weights[0]), float(weights[1]), float(weights[2]), float(weights[3])))
    boxes = coder.decode_single(said, references)
    best, classes, order = np.zeros(len(said)), np.zeros(len(said), np.int64), np.arange(len(said))
    if logits is not None:
        raw = np.asarray(logits, np.float64)
        if raw.ndim != 2 or len(raw) != len(said):
            raise ShapeError(f"decode_view: logits have shape {raw.shape} beside {len(said)} anchors; give one row an anchor")
        share = functional.softmax(raw, -1).data[:, 1:] if scores == "softmax" else functional.sigmoid(raw).data
        best, classes = share.max(axis=1), share.argmax(axis=1) + (1 if scores == "softmax" else 0)
        order = np.argsort(-best, kind="stable")
    chosen = order[:most].tolist()
    rows, steps = [], []
    for k in chosen:
        where = laid.place(k) if laid is not None else f"row {k}"
        score = f"class {classes[k]}, {best[k]:.3f}" if logits is not None else "-"
        rows.append((str(k), where, score, box_text(references[k]), " ".join(f"{value:.4g}" for value in said[k]), box_text(boxes[k])))
        steps += _coder_lines(k, said[k], references[k], boxes[k], coder)
    tables = (
        Table("Rows of the output", ("row", "from", "score", "anchor", "numbers", "box"), tuple(rows)),
        Table("Arithmetic", ("row", "", "formula", "with its numbers", "value"), tuple(steps)),
    )
    scene = _scene(size, references[chosen], boxes[chosen], chosen, image)
    lead = (f"coder weights {', '.join(f'{weight:g}' for weight in weights)}; anchors are dashed, their boxes green",)
    data = {"boxes": boxes, "scores": best, "classes": classes, "order": order}
    return DetectionView("From numbers to boxes", lead, tables, (("", scene.svg()),), "row by row", (("now", "anchor"), ("good", "box")), data)


def _coder_lines(k: int, numbers: np.ndarray, anchor: np.ndarray, box: np.ndarray, coder: BoxCoder) -> list[tuple[str, ...]]:
    """Centre and sides of one row, formula and numbers."""
    wide, high = anchor[2] - anchor[0], anchor[3] - anchor[1]
    x, y = (anchor[0] + anchor[2]) / 2, (anchor[1] + anchor[3]) / 2
    found = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1])
    lines: list[tuple[str, ...]] = []
    for axis, (name, middle, side) in enumerate((("x", x, wide), ("y", y, high))):
        formula = f"P_{name} + P_{'wh'[axis]} t_{name} / w_{name}"
        put_in = f"{middle:.5g} + {side:.5g}·{numbers[axis]:.4g} / {coder.weights[axis]:g}"
        lines.append((str(k), f"centre {name}", formula, put_in, f"{found[axis]:.5g}"))
    for axis, (name, side) in enumerate((("width", wide), ("height", high)), start=2):
        letter = name[0]
        formula = f"P_{letter} exp(min(t_{letter} / w_{letter}, {coder.bbox_xform_clip:.4g}))"
        lines.append((str(k), name, formula, f"{side:.5g}·exp({numbers[axis]:.4g} / {coder.weights[axis]:g})", f"{found[axis]:.5g}"))
    return lines


def _scene(size: Any, references: np.ndarray, boxes: np.ndarray, names: Sequence[int], image: Any) -> Scene:
    if size is None:
        far = np.concatenate((references, boxes)).max(axis=0)
        size = np.shape(image)[-2:] if image is not None else (int(np.ceil(max(far[3], 1))), int(np.ceil(max(far[2], 1))))
    scene = Scene((int(size[0]), int(size[1])), "reference boxes and what the numbers make of them", image)
    for place, k in enumerate(names):
        parts = scene.box(references[place], "ignored"), scene.box(boxes[place], "kept", str(k))
        scene.step(f"row {k}: ({box_text(references[place])}) becomes ({box_text(boxes[place])})", *parts, final=True)
    return scene


def decode_yolo(
    output: Any, anchors: Any, stride: float, *, version: int = 3, threshold: float = 0.25, image: Any = None, most: int = 8
) -> DetectionView:
    """Decode a map of YOLO v2 or v3: cell, anchor, numbers, box.

    Shapes
    ------
    output (A (5 + classes), rows, columns); anchors (A, 2) -> boxes (rows columns A, 4)

    Formula
    -------
    x = (sigmoid(t_x) + column) stride, y likewise with the row; width = p_w exp(t_w), height = p_h exp(t_h);
    score = sigmoid(t_o) times softmax (version 2) or sigmoid (version 3) of the class

    Parameters
    ----------
    output : array
        Of the last convolution, one image.
    anchors : array
        Widths and heights p_w, p_h in pixels.
    stride : float
        Pixels a cell.
    version : int
        2 or 3.
    threshold : float
        Rows of a lower score are left out of the table.
    image : array, optional
        (C, H, W), drawn under the boxes.
    most : int
        Rows shown.

    Examples
    --------
    >>> output = np.zeros((6, 2, 2))
    >>> view = decode_yolo(output, [[16, 8]], 32, threshold=0)
    >>> view.data["boxes"][3].tolist(), float(view.data["scores"][3])
    ([40.0, 44.0, 56.0, 52.0], 0.25)
    """
    raw, pairs = np.asarray(output, np.float64), np.asarray(anchors, np.float64)
    if version not in (2, 3):
        raise ArgumentError(f"decode_yolo: version {version} must be 2 or 3; version 1 has no anchors")
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs) or not (pairs > 0).all() or not stride > 0:
        raise ArgumentError(f"decode_yolo: anchors {pairs.tolist()} must be pairs of a width and a height above 0, and stride {stride!r} above 0")
    if raw.ndim != 3 or raw.shape[0] % len(pairs) or raw.shape[0] // len(pairs) < 6:
        raise ShapeError(f"decode_yolo: output has shape {raw.shape}; it must be ({len(pairs)} x (5 + classes), rows, columns)")
    _, rows, columns = raw.shape
    cells = raw.reshape(len(pairs), -1, rows, columns).transpose(2, 3, 0, 1)  # rows, columns, A, 5 + classes
    middle = functional.sigmoid(np.ascontiguousarray(cells[..., :2])).data
    x, y = (middle[..., 0] + np.arange(columns)[None, :, None]) * stride, (middle[..., 1] + np.arange(rows)[:, None, None]) * stride
    sides = pairs * np.exp(cells[..., 2:4].clip(max=20.0))
    sure = functional.sigmoid(np.ascontiguousarray(cells[..., 4])).data
    own = np.ascontiguousarray(cells[..., 5:])
    classes = functional.softmax(own, -1).data if version == 2 else functional.sigmoid(own).data
    scores = (sure[..., None] * classes).max(axis=-1).reshape(-1)
    boxes = np.stack((x - sides[..., 0] / 2, y - sides[..., 1] / 2, x + sides[..., 0] / 2, y + sides[..., 1] / 2), axis=-1).reshape(-1, 4)
    order = np.argsort(-scores, kind="stable")
    chosen = [int(k) for k in order[:most] if scores[k] >= threshold]
    table, steps = [], []
    for k in chosen:
        cell, anchor = divmod(k, len(pairs))
        row, column = divmod(cell, columns)
        t = cells[row, column, anchor]
        label = int(classes[row, column, anchor].argmax())
        prior = f"{pairs[anchor, 0]:g} x {pairs[anchor, 1]:g}"
        table.append((str(k), f"({row}, {column})", prior, f"class {label}, {scores[k]:.3f}", box_text(boxes[k])))
        steps += [
            (str(k), "x", "(sigmoid(t_x) + column) stride", f"(sigmoid({t[0]:.4g}) + {column})·{stride:g}", f"{x[row, column, anchor]:.5g}"),
            (str(k), "y", "(sigmoid(t_y) + row) stride", f"(sigmoid({t[1]:.4g}) + {row})·{stride:g}", f"{y[row, column, anchor]:.5g}"),
            (str(k), "width", "p_w exp(t_w)", f"{pairs[anchor, 0]:g}·exp({t[2]:.4g})", f"{sides[row, column, anchor, 0]:.5g}"),
            (str(k), "height", "p_h exp(t_h)", f"{pairs[anchor, 1]:g}·exp({t[3]:.4g})", f"{sides[row, column, anchor, 1]:.5g}"),
            (str(k), "score", "sigmoid(t_o) class", f"{sure[row, column, anchor]:.4g}·{classes[row, column, anchor, label]:.4g}", f"{scores[k]:.4g}"),
        ]
    height, width = int(rows * stride), int(columns * stride)
    centres = [((k // len(pairs)) % columns + 0.5, (k // len(pairs)) // columns + 0.5, pairs[k % len(pairs)]) for k in chosen]
    middles = np.array([[cx * stride, cy * stride] for cx, cy, _ in centres]).reshape(-1, 2)
    halves = np.array([sides_of / 2 for *_, sides_of in centres]).reshape(-1, 2)
    priors = np.concatenate((middles - halves, middles + halves), axis=1)
    scene = _scene((height, width), priors, boxes[chosen], chosen, image) if chosen else Scene((height, width), "nothing found", image)
    scene.still(scene.grid(rows, columns) if max(rows, columns) <= 40 else "")
    lead = (
        f"{rows} x {columns} cells of {stride:g} pixels, {len(pairs)} anchors, {raw.shape[0] // len(pairs) - 5} classes: {len(boxes):,} boxes; "
        f"{int((scores >= threshold).sum())} of score {threshold:g} or more",
    )
    tables = (
        Table("Boxes", ("number", "cell (row, column)", "anchor", "score", "box"), tuple(table)),
        Table("Arithmetic", ("number", "", "formula", "with its numbers", "value"), tuple(steps)),
    )
    key = (("now", "anchor in the middle of its cell"), ("good", "box"))
    return DetectionView(f"YOLO v{version}'s output, decoded", lead, tables, (("", scene.svg()),), "box by box", key,
                         {"boxes": boxes, "scores": scores, "order": order})  # fmt: skip
