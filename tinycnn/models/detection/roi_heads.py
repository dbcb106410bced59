"""The second stage: what is in each proposal, where exactly, and (Mask and Keypoint R-CNN) which pixels and which joints.

References
----------
Girshick: Fast R-CNN, ICCV 2015. Ren et al.: Faster R-CNN, NeurIPS 2015. He et al.: Mask R-CNN, ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import functional, ops
from ...errors import ArgumentError
from ...nn import Module
from ...tensor import Tensor
from .box_coder import BoxCoder
from .keypoint_head import heatmaps_to_keypoints
from .losses import fast_rcnn_loss, keypoint_rcnn_loss, mask_rcnn_loss, matched
from .matching import Matcher
from .sampling import BalancedPositiveNegativeSampler

__all__ = ["RoIHeads"]

SMALLEST_SIDE = 1e-2  # pixels; narrower detections are dropped
Target = Mapping[str, Any]
Maps = Mapping[str, Tensor]


class Sample(NamedTuple):
    """The regions of one image that enter the losses."""

    boxes: np.ndarray  # (K, 4)
    matches: np.ndarray  # (K,) the object of each, 0 for background too
    labels: np.ndarray  # (K,) its class, 0 for background
    numbers: np.ndarray  # (K, 4) what the box predictor should say


class RoIHeads(Module):
    """Box head, and mask and keypoint heads where there are any, over regions of a feature pyramid.

    Parameters
    ----------
    box_roi_pool, box_head, box_predictor
        Cut each region out of the maps; make a vector of it; make of that class logits and box numbers.
    fg_iou_thresh, bg_iou_thresh, batch_size_per_image, positive_fraction
        Which regions enter the loss, as in `RegionProposalNetwork`.
    bbox_reg_weights
        Of the box coder; (10, 10, 5, 5) if left out.
    score_thresh, nms_thresh, detections_per_img
        Least probability, suppression's overlap within a class, and most detections of an image.
    mask_roi_pool, mask_head, mask_predictor, keypoint_roi_pool, keypoint_head, keypoint_predictor
        Likewise for masks and keypoints; all three or none.
    """

    def __init__(
        self,
        box_roi_pool: Module,
        box_head: Module,
        box_predictor: Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        bbox_reg_weights: tuple[float, float, float, float] | None,
        score_thresh: float,
        nms_thresh: float,
        detections_per_img: int,
        mask_roi_pool: Module | None = None,
        mask_head: Module | None = None,
        mask_predictor: Module | None = None,
        keypoint_roi_pool: Module | None = None,
        keypoint_head: Module | None = None,
        keypoint_predictor: Module | None = None,
    ) -> None:
        super().__init__()
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.box_coder = BoxCoder(bbox_reg_weights or (10.0, 10.0, 5.0, 5.0))
        self.box_roi_pool, self.box_head, self.box_predictor = box_roi_pool, box_head, box_predictor
        self.box_loss_beta = 1 / 9  # where the boxes' smooth L1 bends; Fast R-CNN sets its own
        self.score_thresh, self.nms_thresh, self.detections_per_img = score_thresh, nms_thresh, detections_per_img
        self.mask_roi_pool, self.mask_head, self.mask_predictor = mask_roi_pool, mask_head, mask_predictor
        self.keypoint_roi_pool, self.keypoint_head, self.keypoint_predictor = keypoint_roi_pool, keypoint_head, keypoint_predictor

    def forward(
        self, features: Maps, proposals: Sequence[np.ndarray], image_shapes: list[tuple[int, int]], targets: Sequence[Target] | None = None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        """The detections of each image, or in training the losses."""
        if self.training and targets is not None:
            return [], self._losses(features, proposals, image_shapes, targets)
        result = self._boxes(features, proposals, image_shapes)
        boxes = [one["boxes"] for one in result]
        counts = np.cumsum([len(one) for one in boxes])[:-1]
        if self.mask_predictor is not None:
            logits = self._branch("mask", features, boxes, image_shapes)
            labels = np.concatenate([one["labels"] for one in result])
            masks = functional.sigmoid(logits).data[np.arange(len(labels)), labels][:, None]
            for answer, of_image in zip(result, np.split(masks, counts), strict=True):
                answer["masks"] = of_image
        if self.keypoint_predictor is not None:
            logits = self._branch("keypoint", features, boxes, image_shapes)
            for answer, of_image in zip(result, np.split(logits.data, counts), strict=True):
                answer["keypoints"], answer["keypoints_scores"] = heatmaps_to_keypoints(of_image, answer["boxes"])
        return result, {}

    def _branch(self, name: str, features: Maps, boxes: Sequence[np.ndarray], shapes: list[tuple[int, int]]) -> Tensor:
        """What the mask or keypoint branch says of regions."""
        pool, head, predictor = (getattr(self, f"{name}_{part}") for part in ("roi_pool", "head", "predictor"))
        output: Tensor = predictor(head(pool(features, boxes, shapes)))
        return output

    def _boxes(self, features: Maps, proposals: Sequence[np.ndarray], shapes: list[tuple[int, int]]) -> list[dict[str, np.ndarray]]:
        logits, numbers = self.box_predictor(self.box_head(self.box_roi_pool(features, proposals, shapes)))
        scores = functional.softmax(logits, -1).data
        found, start = [], 0
        for regions, shape in zip(proposals, shapes, strict=True):
            stop = start + len(regions)
            boxes = self.box_coder.decode_single(numbers.data[start:stop], regions).reshape(len(regions), scores.shape[1], 4)
            found.append(self._kept(ops.clip_boxes_to_image(boxes, shape).data, scores[start:stop]))
            start = stop
        return found

    def _kept(self, boxes: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
        """One image's detections, best first: boxes (K, classes, 4), scores (K, classes)."""
        labels = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)[:, 1:].reshape(-1)
        boxes, scores = boxes[:, 1:].reshape(-1, 4), scores[:, 1:].reshape(-1)
        good = (scores > self.score_thresh) & (boxes[:, 2:] - boxes[:, :2] >= SMALLEST_SIDE).all(axis=1)
        boxes, scores, labels = boxes[good], scores[good], labels[good]
        kept = ops.batched_nms(boxes, scores, labels, self.nms_thresh).data[: self.detections_per_img]
        return {"boxes": boxes[kept], "labels": labels[kept].astype(np.int64), "scores": scores[kept]}

    def sample(self, proposals: np.ndarray, target: Target) -> Sample:
        """The regions of one image for training: its own objects' boxes are proposals too."""
        true_boxes = target["boxes"].astype(proposals.dtype)
        regions = np.concatenate((proposals, true_boxes))
        found = matched(self.proposal_matcher, target, regions)
        matches = found.clip(0)
        labels = np.zeros(len(regions), np.int64)
        if len(true_boxes):
            labels = np.where(found >= 0, target["labels"][matches], np.where(found == Matcher.BETWEEN_THRESHOLDS, -1, 0))
        positive, negative = self.fg_bg_sampler([labels])[0]
        chosen = np.flatnonzero(positive | negative)
        objects = true_boxes[matches[chosen]] if len(true_boxes) else np.zeros((len(chosen), 4), regions.dtype)
        return Sample(regions[chosen], matches[chosen], labels[chosen], self.box_coder.encode_single(objects, regions[chosen]))

    def _losses(
        self, features: Maps, proposals: Sequence[np.ndarray], shapes: list[tuple[int, int]], targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        samples = [self.sample(of_image, target) for of_image, target in zip(proposals, targets, strict=True)]
        logits, numbers = self.box_predictor(self.box_head(self.box_roi_pool(features, [one.boxes for one in samples], shapes)))
        losses = fast_rcnn_loss(logits, numbers, [one.labels for one in samples], [one.numbers for one in samples], self.box_loss_beta)
        objects = [np.flatnonzero(one.labels > 0) for one in samples]
        boxes = [one.boxes[chosen] for one, chosen in zip(samples, objects, strict=True)]
        matches = [one.matches[chosen] for one, chosen in zip(samples, objects, strict=True)]
        if self.mask_predictor is not None:
            masks = self._branch("mask", features, boxes, shapes)
            truth = _required(targets, "masks")
            losses["loss_mask"] = mask_rcnn_loss(masks, boxes, truth, [one["labels"] for one in targets], matches)
        if self.keypoint_predictor is not None:
            heatmaps = self._branch("keypoint", features, boxes, shapes)
            losses["loss_keypoint"] = keypoint_rcnn_loss(heatmaps, boxes, _required(targets, "keypoints"), matches)
        return losses


def _required(targets: Sequence[Target], key: str) -> list[Any]:
    """What the targets have under a key that the branch learns from."""
    missing = [number for number, target in enumerate(targets) if key not in target]
    if missing:
        raise ArgumentError(f"detection: target {missing[0]} has no {key!r}, which this detector learns from; it has {sorted(targets[missing[0]])}")
    return [target[key] for target in targets]
