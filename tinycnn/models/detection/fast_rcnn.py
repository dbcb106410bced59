"""Fast R-CNN: the network sees the image once; each given proposal is pooled from its map, classified, and moved, trained as one.

References
----------
Girshick: Fast R-CNN, ICCV 2015.

The loss is equation (1) of the paper: boxes are learned by smooth L1 that bends at 1, of targets divided by their standard deviations, 0.1 and 0.2
(the box coder's weights of 10 and 5), with lambda = 1. Faster R-CNN's heads here bend at 1/9, as torchvision's do.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ops
from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from ..registry import builder
from .backbones import vgg_backbone
from .box_head import FastRCNNPredictor, TwoMLPHead
from .generalized_rcnn import checked_targets
from .matching import Matcher
from .options import spelled_out
from .roi_heads import RoIHeads
from .transform import GeneralizedRCNNTransform

__all__ = ["BandMatcher", "FastRCNN", "FastRCNNConfig", "RoIPoolOfMap", "fastrcnn_vgg16"]

VGG_UNITS = 4096  # of fc6 and fc7


@dataclass(frozen=True)
class FastRCNNConfig:
    """The numbers of Fast R-CNN: section 2.3; names as in `RCNNConfig`."""

    min_size: int | tuple[int, ...] = 600
    max_size: int = 1000
    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)
    box_score_thresh: float = 0.05
    box_nms_thresh: float = 0.3
    box_detections_per_img: int = 100
    box_fg_iou_thresh: float = 0.5
    box_loss_beta: float = 1.0  # where smooth L1 turns from a parabola to a line
    box_lowest_iou: float = 0.1  # proposals that overlap less are not drawn as background
    box_batch_size_per_image: int = 64
    box_positive_fraction: float = 0.25


class BandMatcher(Matcher):
    """Background is what overlaps an object a little: from `lowest` up to the threshold; what overlaps less is ignored.

    The paper's cheap stand-in for hard-negative mining: windows near objects are the ones mistaken for them.

    Examples
    --------
    >>> BandMatcher(0.5, 0.1)(np.array([[0.9, 0.3, 0.05]])).tolist()
    [0, -1, -2]
    """

    def __init__(self, threshold: float, lowest: float) -> None:
        if not 0 <= lowest <= threshold:
            raise ArgumentError(f"BandMatcher: lowest={lowest} must be between 0 and threshold={threshold}")
        super().__init__(threshold, threshold)
        self.lowest = lowest

    def __call__(self, quality: np.ndarray) -> np.ndarray:
        """As `Matcher`."""
        matches = super().__call__(quality)
        matches[quality.max(axis=0) < self.lowest] = self.BETWEEN_THRESHOLDS
        return matches


class RoIPoolOfMap(Module):
    """RoI max pooling of a backbone's only map, whose stride follows from its size.

    Shapes
    ------
    {name: (N, C, H, W)}, N arrays (k, 4) -> (K, C, rows, columns)
    """

    def __init__(self, output_size: int | tuple[int, int]) -> None:
        super().__init__()
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else output_size

    def forward(self, x: Mapping[str, Tensor], boxes: Sequence[np.ndarray], image_shapes: Sequence[tuple[int, int]]) -> Tensor:
        """The regions of all images, image by image."""
        features = next(iter(x.values()))
        height = max(shape[0] for shape in image_shapes)
        scale = 2.0 ** round(math.log2(features.shape[-2] / height))
        return ops.roi_pool(features, [one.astype(features.dtype) for one in boxes], self.output_size, scale)


class FastRCNN(Module):
    """Fast R-CNN over any backbone of one map; called with images and each image's proposals.

    Parameters
    ----------
    backbone : Module
        With `out_channels`.
    num_classes : int, optional
        With the background, class 0; not where `box_predictor` is given.
    box_roi_pool, box_head, box_predictor : optional
        Parts that take the place of RoI pooling to 7x7, two layers of 1024 units, and `FastRCNNPredictor`.
    config : FastRCNNConfig
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        When the backbone does not say its channels, or classes and predictor are both or neither given.
    """

    @spelled_out(FastRCNNConfig)
    def __init__(
        self,
        backbone: Module,
        num_classes: int | None = None,
        *,
        box_roi_pool: Module | None = None,
        box_head: Module | None = None,
        box_predictor: Module | None = None,
        config: FastRCNNConfig,
    ) -> None:
        super().__init__()
        channels = getattr(backbone, "out_channels", None)
        if channels is None:
            raise ArgumentError("FastRCNN: the backbone must have an attribute out_channels, the channels of its map; set it")
        if (num_classes is None) == (box_predictor is None):
            raise ArgumentError(f"FastRCNN: give either num_classes or box_predictor, which knows its classes; here num_classes is {num_classes}")
        pool = box_roi_pool or RoIPoolOfMap(7)
        rows, columns = pool.output_size
        self.transform = GeneralizedRCNNTransform(config.min_size, config.max_size, config.image_mean, config.image_std)
        self.backbone = backbone
        self.roi_heads = RoIHeads(
            pool,
            box_head or TwoMLPHead(channels * rows * columns, 1024),
            box_predictor if num_classes is None else FastRCNNPredictor(1024, num_classes),  # type: ignore[arg-type]
            config.box_fg_iou_thresh,
            config.box_fg_iou_thresh,
            config.box_batch_size_per_image,
            config.box_positive_fraction,
            None,
            config.box_score_thresh,
            config.box_nms_thresh,
            config.box_detections_per_img,
        )
        self.roi_heads.box_loss_beta = config.box_loss_beta
        self.roi_heads.proposal_matcher = BandMatcher(config.box_fg_iou_thresh, config.box_lowest_iou)

    def forward(
        self, images: Sequence[Any], proposals: Sequence[np.ndarray], targets: Sequence[Mapping[str, Any]] | None = None
    ) -> Any:
        """Detections of each image (C, H, W) among its proposals (k, 4); with targets in training mode, the two losses."""
        if not len(images) or len(proposals) != len(images):
            raise ArgumentError(f"FastRCNN: there are {len(images)} images and {len(proposals)} arrays of proposals; give one of each, at least one")
        for number, boxes in enumerate(proposals):
            if boxes.ndim != 2 or boxes.shape[1] != 4:
                raise ShapeError(f"FastRCNN: the proposals of image {number} have shape {boxes.shape}; they must be (k, 4)")
        truth: Sequence[Mapping[str, Any]] = [{"boxes": np.zeros((0, 4), np.float32)} for _ in images]
        if self.training:
            if targets is None:
                raise ArgumentError("FastRCNN: in training mode give targets too, or call eval() to detect")
            truth = checked_targets("FastRCNN", targets, len(images))
        # Proposals and objects are moved as one, since the transform draws the size in training.
        joined = [{**one, "boxes": np.concatenate((one["boxes"], boxes))} for one, boxes in zip(truth, proposals, strict=True)]
        batch, moved = self.transform(images, joined)
        assert moved is not None
        counts = [len(one["boxes"]) for one in truth]
        regions = [one["boxes"][count:].astype(batch.tensors.dtype) for one, count in zip(moved, counts, strict=True)]
        own = [{**one, "boxes": one["boxes"][:count]} for one, count in zip(moved, counts, strict=True)]
        features = OrderedDict([("0", self.backbone(batch.tensors))])
        detections, losses = self.roi_heads(features, regions, batch.image_sizes, own if self.training else None)
        if self.training:
            return losses
        original = [(int(image.shape[-2]), int(image.shape[-1])) for image in images]
        found = self.transform.postprocess(detections, batch.image_sizes, original)
        return [{name: Tensor(array) for name, array in one.items()} for one in found]


@builder(image_size=600, task="regions")
@spelled_out(FastRCNNConfig)
def fastrcnn_vgg16(num_classes: int = 21, *, trainable_backbone_layers: int = 4, config: FastRCNNConfig) -> FastRCNN:
    """Fast R-CNN as in the paper, over VGG-16: 134,690,729 parameters with Pascal's 20 classes.

    Parameters
    ----------
    num_classes : int
        With the background.
    trainable_backbone_layers : int
        0 to 5 stages of VGG are trained: all but the first in section 4.5, where conv1 is too general to learn.
    config : FastRCNNConfig
        The other numbers; each may be given by its name instead.
    """
    backbone = vgg_backbone("vgg16", trainable_backbone_layers)
    head = TwoMLPHead(backbone.out_channels * 49, VGG_UNITS)
    return FastRCNN(backbone, box_head=head, box_predictor=FastRCNNPredictor(VGG_UNITS, num_classes), config=config)
