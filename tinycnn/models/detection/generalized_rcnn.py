"""What all detectors share: images in, targets checked, detections in the photos' pixels out; and the two-stage detector made of its parts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .anchors import ImageList
from .transform import GeneralizedRCNNTransform

__all__ = ["Detector", "GeneralizedRCNN"]

Target = Mapping[str, Any]
Detections = list[dict[str, Tensor]]


class Detector(Module):
    """A network that is called with a list of images.

    In evaluation mode it gives for each image {"boxes": (K, 4), "labels": (K,), "scores": (K,)}, best first, and what else it finds; in training
    mode, with targets, the terms of its loss by name. A subclass gives `_answer`.

    Parameters
    ----------
    backbone : Module
        Images to one map, or to maps by name; `out_channels` says their channels.
    transform : Module
        Makes the batch, and its `postprocess` brings boxes back to the photos.
    """

    def __init__(self, backbone: Module, transform: Module) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone

    def forward(self, images: Sequence[Any], targets: Sequence[Target] | None = None) -> Any:
        """Detections of each image (C, H, W), pixels from 0 to 1; with targets in training mode, the losses.

        A target has "boxes" (K, 4), corners in pixels, and "labels" (K,), 1 or more; "masks" (K, H, W) and "keypoints" (K, points, 3) where the
        detector learns from them. With "valid" (K,) anchors and proposals at objects that are not valid are left out of the losses (`ScaleChips`).
        """
        if isinstance(images, Tensor | np.ndarray):
            images = list(images)
        if not len(images):
            raise ArgumentError(f"{type(self).__name__}: there are no images; give a list of at least one (channels, height, width)")
        truth = None
        if self.training:
            if targets is None:
                raise ArgumentError(f"{type(self).__name__}: in training mode give targets too, or call eval() to detect")
            truth = checked_targets(type(self).__name__, targets, len(images))
        original = [(int(np.shape(image)[-2]), int(np.shape(image)[-1])) if len(np.shape(image)) > 1 else (0, 0) for image in images]
        batch, moved = self.transform(images, truth)
        detections, losses = self._answer(batch, self._maps(batch.tensors), moved)
        if self.training:
            return losses
        found = self.transform.postprocess(detections, batch.image_sizes, original)
        return [{name: Tensor(array) for name, array in one.items()} for one in found]

    def _maps(self, images: Tensor) -> Mapping[str, Tensor]:
        """The backbone's maps by name."""
        features = self.backbone(images)
        return features if isinstance(features, Mapping) else OrderedDict([("0", features)])

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Target] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        """The detections in the batch's pixels, or in training the losses."""
        raise NotImplementedError


def checked_targets(detector: str, targets: Sequence[Target], images: int) -> list[dict[str, Any]]:
    """The targets as arrays; refuses boxes that have no area, which no loss can be computed of."""
    if len(targets) != images:
        raise ArgumentError(f"{detector}: there are {images} images but {len(targets)} targets; give one a image, with no boxes where nothing is")
    checked = []
    for number, target in enumerate(targets):
        missing = [key for key in ("boxes", "labels") if key not in target]
        if missing:
            raise ArgumentError(f"{detector}: target {number} has no {missing[0]!r}; it has {sorted(target)}")
        arrays = {key: value.data if isinstance(value, Tensor) else np.asarray(value) for key, value in target.items()}
        boxes, labels = arrays["boxes"], arrays["labels"]
        if boxes.size == 0:
            boxes = boxes.reshape(-1, 4) if boxes.ndim != 2 else boxes
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ShapeError(f"{detector}: the boxes of target {number} have shape {boxes.shape}; they must be (objects, 4)")
        arrays["boxes"] = boxes if boxes.dtype.kind == "f" else boxes.astype(np.float32)
        if labels.shape != (len(boxes),):
            raise ShapeError(f"{detector}: target {number} has {len(boxes)} boxes but labels of shape {labels.shape}")
        arrays["labels"] = labels.astype(np.int64)
        if len(labels) and arrays["labels"].min() < 0:
            raise ArgumentError(f"{detector}: target {number} has the label {arrays['labels'].min()}; classes are 1 and more, 0 is the background")
        flat = np.flatnonzero(~(boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        if len(flat):
            corners = [float(value) for value in boxes[flat[0]]]
            raise ArgumentError(
                f"{detector}: box {flat[0]} of target {number} is {corners}, without height or width; a box is (x1, y1, x2, y2), x2 > x1, y2 > y1"
            )
        checked.append(arrays)
    return checked


class GeneralizedRCNN(Detector):
    """Proposals from one network, decided by another, both over the same maps.

    Parameters
    ----------
    backbone, rpn, roi_heads, transform
        The parts, in the order in which an image passes them, after the transform.
    """

    def __init__(self, backbone: Module, rpn: Module, roi_heads: Module, transform: GeneralizedRCNNTransform) -> None:
        super().__init__(backbone, transform)
        self.rpn = rpn
        self.roi_heads = roi_heads

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Target] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        proposals, proposal_losses = self.rpn(batch, features, targets)
        detections, losses = self.roi_heads(features, proposals, batch.image_sizes, targets)
        return detections, {**losses, **proposal_losses}
