"""The losses of detectors, as published, outside the networks: each takes what a network said and what is true, and names its terms.

References
----------
Ren et al.: Faster R-CNN, NeurIPS 2015, equation (1). Girshick: Fast R-CNN, ICCV 2015, section 2.3. He et al.: Mask R-CNN, ICCV 2017, section 3
and "human pose estimation". Lin et al.: Focal loss, ICCV 2017, section 4.1. Tian et al.: FCOS, ICCV 2019, equation (2). Liu et al.: SSD, ECCV
2016, equations (1) to (3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import functional, ops
from ...errors import ShapeError
from ...tensor import Tensor
from .box_coder import BoxCoder, BoxLinearCoder, decode_boxes
from .keypoint_head import keypoints_to_heatmap
from .masks import project_masks_on_boxes
from .matching import Matcher
from .sampling import BalancedPositiveNegativeSampler, best_first
from .scale_sampling import ignored_by_scale

__all__ = ["fast_rcnn_loss", "fcos_loss", "keypoint_rcnn_loss", "mask_rcnn_loss", "multibox_loss", "retinanet_loss", "rpn_loss"]

Target = Mapping[str, Any]


def matched(matcher: Matcher, target: Target, boxes: np.ndarray) -> np.ndarray:
    """The object of each box, all background where the image has none; with a target's "valid", boxes at objects that are not are neither."""
    if not len(target["boxes"]):
        return np.full(len(boxes), Matcher.BELOW_LOW_THRESHOLD, np.int64)
    overlaps = ops.box_iou(target["boxes"].astype(boxes.dtype), boxes).data
    matches = matcher(overlaps)
    return ignored_by_scale(overlaps, target["valid"], matches) if "valid" in target else matches


class Answers(NamedTuple):
    """Which anchors of a batch answer for objects, and what they should say."""

    matches: list[np.ndarray]  # of each image, as `matched` has them
    objects: list[np.ndarray]  # of each image, the anchors that answer for one
    places: np.ndarray  # the same, among the anchors of all images one after another
    boxes: np.ndarray  # (places, 4): the boxes of their objects
    references: np.ndarray  # (places, 4): the anchors themselves


def answers(targets: Sequence[Target], anchors: Sequence[np.ndarray], matcher: Matcher) -> Answers:
    """Match every image's anchors with its objects."""
    matches = [matched(matcher, target, of_image) for target, of_image in zip(targets, anchors, strict=True)]
    objects = [np.flatnonzero(of_image >= 0) for of_image in matches]
    boxes = [_objects(target["boxes"], match[chosen]) for target, match, chosen in zip(targets, matches, objects, strict=True)]
    places = np.flatnonzero(np.concatenate(matches) >= 0)
    return Answers(matches, objects, places, np.concatenate(boxes), np.concatenate(anchors)[places])


def _objects(values: np.ndarray, matches: np.ndarray) -> np.ndarray:
    """What belongs to each match; anything where nothing is matched."""
    return values[matches.clip(0)] if len(values) else np.zeros((len(matches), *values.shape[1:]), values.dtype)


def _no_loss(output: Tensor) -> Tensor:
    """Zero, with a gradient of zeros: a mean over nothing would be NaN."""
    return output.sum() * 0.0


def rpn_loss(
    logits: Tensor,
    numbers: Tensor,
    anchors: Sequence[np.ndarray],
    targets: Sequence[Target],
    matcher: Matcher,
    sampler: BalancedPositiveNegativeSampler,
    coder: BoxCoder,
) -> dict[str, Tensor]:
    """Objectness of the sampled anchors, and the boxes of the positive ones.

    Formula
    -------
    objectness = mean over sampled anchors of the binary cross-entropy; box = sum over positive ones of smooth L1 with beta 1/9 of the four
    numbers, divided by the number of sampled anchors.
    """
    labels, of_anchors = [], []
    for target, of_image in zip(targets, anchors, strict=True):
        of_anchors.append(matched(matcher, target, of_image))
        labels.append(np.where(of_anchors[-1] >= 0, 1.0, np.where(of_anchors[-1] == Matcher.BETWEEN_THRESHOLDS, -1.0, 0.0)))
    chosen = sampler(labels)
    positive, negative = (np.flatnonzero(np.concatenate(masks)) for masks in zip(*chosen, strict=True))
    wanted = [
        coder.encode_single(_objects(target["boxes"], matches[mask]), of_image[mask])
        for target, matches, of_image, (mask, _) in zip(targets, of_anchors, anchors, chosen, strict=True)
    ]
    sampled = np.concatenate((positive, negative))
    of_all, dtype = np.concatenate(labels), logits.dtype
    boxes = functional.smooth_l1_loss(
        numbers.reshape(-1, 4)[positive], Tensor(np.concatenate(wanted).astype(dtype)), beta=1 / 9, reduction="sum"
    )
    objectness = functional.binary_cross_entropy_with_logits(logits.reshape(-1)[sampled], Tensor(of_all[sampled].astype(dtype)))
    return {"loss_objectness": objectness, "loss_rpn_box_reg": boxes / max(1, len(sampled))}


def fast_rcnn_loss(
    logits: Tensor, numbers: Tensor, labels: Sequence[np.ndarray], wanted: Sequence[np.ndarray], beta: float = 1 / 9
) -> dict[str, Tensor]:
    """Class of every region, and the box of its class where it holds an object.

    Formula
    -------
    classifier = mean cross-entropy; box = sum over regions with label > 0 of smooth L1 of the four numbers of that class, divided by the number
    of all regions.

    Parameters
    ----------
    logits, numbers : Tensor
        (K, classes) and (K, 4 classes).
    labels, wanted
        For each image (k,) class numbers, 0 the background, and (k, 4) encoded boxes.
    beta : float
        Where smooth L1 turns from a parabola to a line: 1 in Fast R-CNN's equation (3), 1/9 in its successors.
    """
    of_all = np.concatenate(labels)
    objects = np.flatnonzero(of_all > 0)
    per_class = numbers.reshape(len(of_all), logits.shape[1], 4)
    boxes = functional.smooth_l1_loss(
        per_class[objects, of_all[objects]], Tensor(np.concatenate(wanted)[objects].astype(logits.dtype)), beta=beta, reduction="sum"
    )
    return {"loss_classifier": functional.cross_entropy(logits, of_all), "loss_box_reg": boxes / max(1, len(of_all))}


def mask_rcnn_loss(
    logits: Tensor,
    proposals: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    matches: Sequence[np.ndarray],
) -> Tensor:
    """Mean binary cross-entropy between each region's mask of its own class and the true mask, cut out along the region and resized.

    Parameters
    ----------
    logits : Tensor
        (K, classes, M, M), regions of all images in order.
    proposals, masks, labels, matches
        For each image: regions (k, 4), true masks (objects, H, W), the objects' classes, and the object of each region.
    """
    side = logits.shape[-1]
    classes = np.concatenate([of_image[match] for of_image, match in zip(labels, matches, strict=True)]) if len(labels) else np.zeros(0, np.int64)
    cut = []
    for boxes, of_image, match in zip(proposals, masks, matches, strict=True):
        if len(boxes):
            cut.append(project_masks_on_boxes(of_image, boxes, match, side))
    if not cut:
        return _no_loss(logits)
    chosen = logits[np.arange(len(classes)), classes]
    return functional.binary_cross_entropy_with_logits(chosen, Tensor(np.concatenate(cut).astype(logits.dtype)))


def keypoint_rcnn_loss(
    logits: Tensor, proposals: Sequence[np.ndarray], keypoints: Sequence[np.ndarray], matches: Sequence[np.ndarray]
) -> Tensor:
    """Mean cross-entropy over the M x M cells of each visible keypoint's map: exactly one cell is right.

    Parameters
    ----------
    logits : Tensor
        (K, points, M, M), regions of all images in order.
    proposals, keypoints, matches
        For each image: regions (k, 4), true points (objects, points, 3), and the object of each region.
    """
    regions, points, side, _ = logits.shape
    for number, of_image in enumerate(keypoints):
        if of_image.shape[1:] != (points, 3):
            raise ShapeError(f"keypoint_rcnn_loss: the keypoints of target {number} have shape {of_image.shape}; they must be (objects, {points}, 3)")
    found = [keypoints_to_heatmap(of_image[match], boxes, side) for boxes, of_image, match in zip(proposals, keypoints, matches, strict=True)]
    cells, seen = (np.concatenate([one[k].reshape(-1) for one in found]) if found else np.zeros(0, np.int64) for k in (0, 1))
    visible = np.flatnonzero(seen)
    if not len(visible):
        return _no_loss(logits)
    return functional.cross_entropy(logits.reshape(regions * points, side * side)[visible], cells[visible])


def retinanet_loss(
    logits: Tensor,
    numbers: Tensor,
    anchors: Sequence[np.ndarray],
    targets: Sequence[Target],
    matcher: Matcher,
    coder: BoxCoder,
    box_loss: str = "l1",
) -> dict[str, Tensor]:
    """Focal loss over all anchors, and a loss of the boxes of those that hold an object; each image divided by its number of objects' anchors.

    Parameters
    ----------
    logits, numbers : Tensor
        (N, anchors, classes) and (N, anchors, 4).
    box_loss : str
        "l1" of the four numbers, or "giou", generalised IoU of the decoded boxes.
    """
    truth = np.zeros(logits.shape, logits.dtype)
    weights = np.zeros((*logits.shape[:2], 1), logits.dtype)  # of each anchor; ignored ones have none
    found = answers(targets, anchors, matcher)
    for k, (objects, matches) in enumerate(zip(found.objects, found.matches, strict=True)):
        truth[k, objects, targets[k]["labels"][matches[objects]] if len(objects) else objects] = 1.0
        weights[k, matches != Matcher.BETWEEN_THRESHOLDS] = 1 / max(1, len(objects))
    focal = ops.sigmoid_focal_loss(logits, Tensor(truth), reduction="none") * Tensor(weights)
    distance = _distance(box_loss, numbers.reshape(-1, 4)[found.places], found, coder)
    return {
        "classification": focal.sum() / len(targets),
        "bbox_regression": (distance * Tensor(weights.reshape(-1, 1)[found.places])).sum() / len(targets),
    }


def _distance(box_loss: str, numbers: Tensor, found: Answers, coder: BoxCoder) -> Tensor:
    """How far predicted boxes are from their objects, (places, 4) or (places, 1)."""
    if box_loss == "l1":
        return functional.l1_loss(numbers, Tensor(coder.encode_single(found.boxes, found.references).astype(numbers.dtype)), reduction="none")
    boxes = decode_boxes(numbers, found.references.astype(numbers.dtype), coder.weights, coder.bbox_xform_clip)
    return ops.generalized_box_iou_loss(boxes, found.boxes.astype(numbers.dtype)).unsqueeze(1)


def fcos_loss(
    logits: Tensor,
    numbers: Tensor,
    centreness: Tensor,
    anchors: Sequence[np.ndarray],
    targets: Sequence[Target],
    matches: Sequence[np.ndarray],
    coder: BoxLinearCoder,
) -> dict[str, Tensor]:
    """Focal loss of all points, generalised IoU loss of the boxes of those inside an object, cross-entropy of their centre-ness.

    Formula
    -------
    Each divided by the number of points inside objects, over all images; centre-ness =
    sqrt(min(left, right) / max(left, right) min(top, bottom) / max(top, bottom)).
    """
    classes = np.stack([np.where(match >= 0, _objects(target["labels"], match), -1) for target, match in zip(targets, matches, strict=True)])
    boxes = np.stack([_objects(target["boxes"], match) for target, match in zip(targets, matches, strict=True)]).astype(logits.dtype)
    points = np.stack(anchors)
    inside = np.nonzero(classes >= 0)
    count = max(1, len(inside[0]))
    truth = np.zeros(logits.shape, logits.dtype)
    truth[(*inside, classes[inside])] = 1.0
    predicted = coder.decode(numbers[inside], points[inside])
    left, top, right, bottom = np.moveaxis(coder.encode(points[inside], boxes[inside]), -1, 0)
    nearness = np.minimum(left, right) / np.maximum(left, right) * (np.minimum(top, bottom) / np.maximum(top, bottom))
    centres = functional.binary_cross_entropy_with_logits(
        centreness[..., 0][inside], Tensor(np.sqrt(nearness).astype(logits.dtype)), reduction="sum"
    )
    return {
        "classification": ops.sigmoid_focal_loss(logits, Tensor(truth), reduction="sum") / count,
        "bbox_regression": ops.generalized_box_iou_loss(predicted, Tensor(boxes[inside]), reduction="sum") / count,
        "bbox_ctrness": centres / count,
    }


def multibox_loss(
    logits: Tensor,
    numbers: Tensor,
    anchors: Sequence[np.ndarray],
    targets: Sequence[Target],
    matcher: Matcher,
    coder: BoxCoder,
    negatives_per_positive: float = 3.0,
) -> dict[str, Tensor]:
    """SSD's: smooth L1 of the matched default boxes, cross-entropy of them and of the hardest background boxes.

    Formula
    -------
    Both divided by the number of matched boxes of the batch. Background boxes enter in falling order of their loss, at most
    `negatives_per_positive` times as many as matched ones in their image.
    """
    found = answers(targets, anchors, matcher)
    truth = np.zeros(logits.shape[:2], np.int64)
    for k, (objects, matches) in enumerate(zip(found.objects, found.matches, strict=True)):
        truth[k, objects] = targets[k]["labels"][matches[objects]] if len(objects) else 0
    each = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), truth.reshape(-1), reduction="none").reshape(*truth.shape)
    neither = np.stack(found.matches) == Matcher.BETWEEN_THRESHOLDS
    counted = (truth > 0) | _hardest(np.where((truth > 0) | neither, -np.inf, each.data), negatives_per_positive * (truth > 0).sum(axis=1))
    count = max(1, len(found.places))
    wanted = Tensor(coder.encode_single(found.boxes, found.references).astype(logits.dtype))
    boxes = functional.smooth_l1_loss(numbers.reshape(-1, 4)[found.places], wanted, reduction="sum")
    return {"bbox_regression": boxes / count, "classification": (each * Tensor(counted.astype(logits.dtype))).sum() / count}


def _hardest(hardness: np.ndarray, most: np.ndarray) -> np.ndarray:
    """In each row, whether an element is among its largest, as many as `most` says; the earlier of equal ones, never minus infinity."""
    chosen = np.zeros(hardness.shape, bool)
    for row, of_image, limit in zip(chosen, hardness, most, strict=True):
        row[best_first(of_image, math.ceil(limit))] = True
    return chosen & (hardness > -np.inf)
