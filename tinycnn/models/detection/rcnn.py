"""R-CNN: proposals from outside, each warped to the network's size, features, a linear machine a class, and ridge regression of the box.

References
----------
Girshick, Donahue, Darrell, Malik: Rich feature hierarchies for accurate object detection and semantic segmentation, CVPR 2014, sections 2 and 3
and appendices A to C.

Differs from the paper: proposals may come from anywhere (`selective_search` here); the network is not fine-tuned by this class; negatives are mined
in rounds over images that are all in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ... import autograd, functional, ops
from ...errors import ArgumentError, ShapeError, UsageError
from ...nn import Module
from ...tensor import Tensor
from .hard_negatives import Machine, mine_hard_negatives
from .ridge_box_regression import RidgeBoxRegressor, near_pairs

__all__ = ["RCNN", "warp_region", "warp_regions"]

CONTEXT = 16  # pixels around the object in the warped image, section 2.1 and appendix A
NEGATIVE_BELOW = 0.3  # overlap of a window that counts as background, by a search over {0, 0.1, ..., 0.5}


def warp_region(image: np.ndarray, box: Sequence[float], size: int = 227, context: int = CONTEXT, fill: Any = 0.0) -> np.ndarray:
    """Stretch one region, with some context, to a square of fixed size.

    Shapes
    ------
    image (C, H, W), box (4,) -> (C, size, size)

    Formula
    -------
    The box grows by size / (size - 2 context) around its centre, so that in the warped image the original box has exactly `context` pixels on
    each side; what lies outside the image is `fill`.

    Parameters
    ----------
    image : array
        Float pixels.
    box : four numbers
        (x1, y1, x2, y2) in pixels.
    size : int
        Of the network's images; 227 for AlexNet.
    context : int
        Pixels of the warped image; 16 in the paper.
    fill : number or (C, 1, 1)
        The mean of the training images, which becomes 0 once it is subtracted.

    Raises
    ------
    ShapeError, ArgumentError
        When the image is no (C, H, W), or the context leaves no pixel for the box.

    Examples
    --------
    >>> image = np.zeros((1, 8, 8)); image[:, 2:6, 2:6] = 1
    >>> warp_region(image, (2, 2, 6, 6), size=8, context=2)[0].sum(), warp_region(image, (2, 2, 6, 6), size=4, context=0).min()
    (np.float64(16.0), np.float64(1.0))
    """
    if image.ndim != 3:
        raise ShapeError(f"warp_region: image has shape {image.shape}; it must be (channels, height, width)")
    if context < 0 or size <= 2 * context:
        raise ArgumentError(f"warp_region: context={context} on both sides leaves nothing of size={size}; it must be below {size / 2:g}")
    x1, y1, x2, y2 = (float(value) for value in box)
    growth = size / (size - 2 * context) / 2
    middle, half = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) * growth, (y2 - y1) * growth)
    left, right = round(middle[0] - half[0]), max(round(middle[0] + half[0]), round(middle[0] - half[0]) + 1)
    top, bottom = round(middle[1] - half[1]), max(round(middle[1] + half[1]), round(middle[1] - half[1]) + 1)
    window = np.empty((image.shape[0], bottom - top, right - left), image.dtype)
    window[...] = fill
    inside = max(top, 0), min(bottom, image.shape[1]), max(left, 0), min(right, image.shape[2])
    if inside[0] < inside[1] and inside[2] < inside[3]:
        window[:, inside[0] - top : inside[1] - top, inside[2] - left : inside[3] - left] = image[:, inside[0] : inside[1], inside[2] : inside[3]]
    return functional.interpolate(window[None], size=(size, size), mode="bilinear", align_corners=False).data[0]


def warp_regions(image: np.ndarray, boxes: np.ndarray, size: int = 227, context: int = CONTEXT, fill: Any = 0.0) -> np.ndarray:
    """`warp_region` of every box: (K, C, size, size)."""
    warped = [warp_region(image, box, size, context, fill) for box in boxes]
    return np.stack(warped) if warped else np.zeros((0, image.shape[0], size, size), image.dtype)


class RCNN:
    """The three modules of the paper: proposals are given, features are computed region by region, machines judge them.

    Parameters
    ----------
    network : Module
        Warped regions (K, C, size, size) to features (K, D); in evaluation mode.
    make_machine : callable
        Gives a new binary machine with `fit` and `decision`, such as `tinycnn.study.LinearSVM`.
    size, context
        Of `warp_region`.
    regularisation : float
        Of the box regression.
    score_thresh, nms_thresh : float
        Least score, of the machine, and suppression's overlap within a class.
    batch : int
        Regions that pass the network at once.

    Notes
    -----
    Positives of the machine are the objects' own boxes, negatives the proposals that overlap all objects of the class by less than 0.3; what is
    between is left out. The network was fine-tuned with other definitions (0.5): appendix B says why.
    """

    def __init__(
        self,
        network: Module,
        make_machine: Callable[[], Machine],
        *,
        size: int = 227,
        context: int = CONTEXT,
        regularisation: float = 1000.0,
        score_thresh: float = 0.0,
        nms_thresh: float = 0.3,
        batch: int = 32,
    ) -> None:
        self.network, self.make_machine, self.size, self.context = network, make_machine, size, context
        self.regularisation, self.score_thresh, self.nms_thresh, self.batch = regularisation, score_thresh, nms_thresh, batch
        self.machines: dict[int, Machine] = {}
        self.regressors: dict[int, RidgeBoxRegressor] = {}

    def features(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """The features (K, D) of each region: a pass of the network a region, which is why R-CNN took 47 seconds an image with VGG-16."""
        mean = image.mean(axis=(1, 2), keepdims=True)
        warped = warp_regions(image, boxes, self.size, self.context, mean)
        with autograd.no_grad():
            parts = [self.network(Tensor(warped[k : k + self.batch])).data for k in range(0, max(len(warped), 1), self.batch)]
        return np.concatenate(parts).reshape(len(boxes), -1)

    def fit(self, images: Sequence[np.ndarray], targets: Sequence[Mapping[str, np.ndarray]], proposals: Sequence[np.ndarray]) -> RCNN:
        """Train the machine and the regressor of every class.

        Parameters
        ----------
        images
            (C, H, W) each.
        targets
            {"boxes": (K, 4), "labels": (K,)} each, labels from 1.
        proposals
            (n, 4) each.
        """
        if not len(images) or len(images) != len(targets) or len(images) != len(proposals):
            raise ArgumentError(f"RCNN.fit: there are {len(images)} images, {len(targets)} targets, {len(proposals)} proposals; give one of each")
        of_objects = [self.features(image, target["boxes"]) for image, target in zip(images, targets, strict=True)]
        of_proposals = [self.features(image, boxes) for image, boxes in zip(images, proposals, strict=True)]
        for label in sorted({int(label) for target in targets for label in target["labels"]}):
            own = [target["boxes"][target["labels"] == label] for target in targets]
            positives = np.concatenate([codes[target["labels"] == label] for codes, target in zip(of_objects, targets, strict=True)])
            negatives = [
                codes[background(boxes, objects)] for codes, boxes, objects in zip(of_proposals, proposals, own, strict=True)
            ]
            machine = self.make_machine()
            mine_hard_negatives(machine, positives, [codes for codes in negatives if len(codes)])
            self.machines[label] = machine
            self._fit_boxes(label, of_proposals, proposals, own)
        return self

    def _fit_boxes(self, label: int, codes: Sequence[np.ndarray], proposals: Sequence[np.ndarray], objects: Sequence[np.ndarray]) -> None:
        """The regressor of a class, from its proposals that overlap an object by more than 0.6."""
        rows, starts, ends = [], [], []
        for of_image, boxes, own in zip(codes, proposals, objects, strict=True):
            near, matches = near_pairs(boxes.astype(np.float64), own.astype(np.float64))
            rows.append(of_image[near])
            starts.append(boxes[near])
            ends.append(own[matches] if len(near) else np.zeros((0, 4)))
        if sum(len(part) for part in rows):
            regressor = RidgeBoxRegressor(self.regularisation)
            self.regressors[label] = regressor.fit(np.concatenate(rows), np.concatenate(starts), np.concatenate(ends))

    def detect(self, image: np.ndarray, proposals: np.ndarray) -> dict[str, np.ndarray]:
        """{"boxes", "labels", "scores"} of one image (C, H, W), best first."""
        if not self.machines:
            raise UsageError("RCNN.detect: there are no machines yet; call fit first")
        codes = self.features(image, proposals)
        boxes, labels, scores = [np.zeros((0, 4))], [np.zeros(0, np.int64)], [np.zeros(0)]
        for label, machine in self.machines.items():
            of_class = machine.decision(codes)[:, 1]
            good = np.flatnonzero(of_class > self.score_thresh)
            regions = proposals[good].astype(np.float64)
            kept = ops.nms(regions, of_class[good], self.nms_thresh).data
            chosen = good[kept]
            moved = self.regressors[label].predict(codes[chosen], proposals[chosen]) if label in self.regressors else regions[kept]
            boxes.append(ops.clip_boxes_to_image(moved, (image.shape[1], image.shape[2])).data)
            labels.append(np.full(len(chosen), label))
            scores.append(of_class[chosen])
        order = np.argsort(-np.concatenate(scores), kind="stable")
        return {"boxes": np.concatenate(boxes)[order], "labels": np.concatenate(labels)[order], "scores": np.concatenate(scores)[order]}


def background(boxes: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Which boxes (N,) overlap every object by less than 0.3."""
    if not len(objects):
        return np.ones(len(boxes), bool)
    quality = ops.box_iou(boxes.astype(np.float64), objects.astype(np.float64)).data
    below: np.ndarray = quality.max(axis=1) < NEGATIVE_BELOW
    return below
