"""YOLO v2's loss: boxes by their anchors, confidence that is an overlap, a softmax or a tree of them for the classes.

References
----------
Redmon, Farhadi: YOLO9000: better, faster, stronger, CVPR 2017, section 2. The paper names no weights; they, the factor 2 - w h and the pull towards
the anchors at the start are those of its program Darknet (region layer), whose gradients these terms have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import functional, ops
from ...tensor import Tensor
from .generalized_rcnn import Target
from .word_tree import WordTree
from .yolo_grid import anchor_targets, class_indices, decode_anchors, encode_anchors
from .yolo_v1_loss import positive_overlaps, squares

__all__ = ["yolo_v2_loss"]

TOWARDS_ANCHORS = 0.01  # weight of the pull


def best_overlaps(boxes: np.ndarray, target: Target) -> np.ndarray:
    """Of each predicted box (..., 4) the largest overlap with any object, 0 where the image has none."""
    if not len(target["boxes"]):
        return np.zeros(boxes.shape[:-1], boxes.dtype)
    return ops.box_iou(np.asarray(target["boxes"]).astype(boxes.dtype), boxes.reshape(-1, 4)).data.max(axis=0).reshape(boxes.shape[:-1])


def yolo_v2_loss(
    raw: Tensor,
    anchors: np.ndarray,
    targets: Sequence[Target],
    size: tuple[int, int],
    *,
    coord_scale: float = 1.0,
    object_scale: float = 5.0,
    noobject_scale: float = 1.0,
    class_scale: float = 1.0,
    thresh: float = 0.6,
    towards_anchors: bool = False,
    word_tree: WordTree | None = None,
) -> dict[str, Tensor]:
    """The terms, each with its weight; the mean over the images.

    Formula
    -------
    An object of sides w and h (parts of the image) is answered by the anchor of its shape in the cell of its centre. Over those answers:

        loss_xy     coord_scale / 2 sum (2 - w h) ((sigma(t_x) - x)^2 + (sigma(t_y) - y)^2)
        loss_wh     coord_scale / 2 sum (2 - w h) ((t_w - log(w / p_w))^2 + (t_h - log(h / p_h))^2)
        loss_object object_scale / 2 sum (IoU - sigma(t_o))^2
        loss_class  class_scale sum of the cross-entropy of a softmax over the classes, or along the path of a word tree
        loss_no_object, over all others whose box overlaps every object by at most `thresh`: noobject_scale / 2 sum sigma(t_o)^2
        loss_anchor, with `towards_anchors`, over all others: 0.01 / 2 sum ((sigma(t_x) - 1/2)^2 + (sigma(t_y) - 1/2)^2 + t_w^2 + t_h^2)

    Parameters
    ----------
    raw : Tensor
        (N, A, H, W, 5 + C): t_x, t_y, t_w, t_h, t_o and the classes of each anchor of each cell.
    anchors : array
        (A, 2) widths and heights in pixels.
    targets
        For each image "boxes" (K, 4), corners in pixels of the network's image, and "labels" (K,), 1 or more.
    size : (height, width)
        Of that image.
    coord_scale, object_scale, noobject_scale, class_scale, thresh : float
        As in the formula; Darknet's names.
    towards_anchors : bool
        Add the last term: while fewer than 12,800 images have been seen.
    word_tree : WordTree, optional
        Classes as a tree, YOLO9000.

    Notes
    -----
    Where two objects want the same anchor of the same cell, the later one has it. The IoU is a constant for the gradient.
    """
    count, _, rows, columns, numbers = raw.shape
    classes = class_indices("YOLO v2", targets, numbers - 5)
    boxes = decode_anchors(raw.data, anchors, size)
    free = np.ones(raw.shape[:-1], raw.dtype)
    far = np.ones(raw.shape[:-1], raw.dtype)
    answers: dict[tuple[int, int, int, int], tuple[np.ndarray, float, float, int]] = {}
    for image, (target, labels) in enumerate(zip(targets, classes, strict=True)):
        free[image][best_overlaps(boxes[image], target) > thresh] = 0
        truth = np.asarray(target["boxes"], np.float64)
        chosen = anchor_targets(truth, anchors)
        cells, wanted = encode_anchors(truth, anchors[chosen], (rows, columns), size)
        for box, anchor, (row, column), four, label in zip(truth, chosen, cells, wanted, labels, strict=True):
            place = (image, int(anchor), int(row), int(column))
            overlap = positive_overlaps(boxes[place][None].astype(np.float64), box)[0]
            share = (box[2] - box[0]) * (box[3] - box[1]) / (size[0] * size[1])
            answers[place] = (four, overlap, 2 - share, label)
    places = tuple(np.array(list(answers), np.int64).reshape(-1, 4).T)
    free[places] = far[places] = 0
    own = raw[places]
    found = [np.array(part) for part in zip(*answers.values(), strict=True)] if answers else [np.zeros((0, 4)), *(np.zeros(0),) * 3]
    four, overlap, weight = (part.astype(raw.dtype) for part in found[:3])
    centres = squares((functional.sigmoid(own[:, :2]) - Tensor(four[:, :2])) * Tensor(np.sqrt(weight)[:, None]))
    sides = squares((own[:, 2:4] - Tensor(four[:, 2:])) * Tensor(np.sqrt(weight)[:, None]))
    labels = found[3].astype(np.int64)
    if word_tree is not None:
        kinds = word_tree.loss(own[:, 5:], labels)
    else:
        kinds = functional.cross_entropy(own[:, 5:], labels, reduction="sum") if len(labels) else own.sum() * 0.0
    terms = {
        "loss_xy": coord_scale / 2 * centres,
        "loss_wh": coord_scale / 2 * sides,
        "loss_object": object_scale / 2 * squares(functional.sigmoid(own[:, 4]) - Tensor(overlap)),
        "loss_no_object": noobject_scale / 2 * squares(functional.sigmoid(raw[..., 4]) * Tensor(free)),
        "loss_class": class_scale * kinds,
    }
    if towards_anchors:
        terms["loss_anchor"] = TOWARDS_ANCHORS / 2 * (
            squares((functional.sigmoid(raw[..., :2]) - 0.5) * Tensor(far[..., None])) + squares(raw[..., 2:4] * Tensor(far[..., None]))
        )
    return {name: term / count for name, term in terms.items()}
