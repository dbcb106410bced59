"""The region proposal network: for every anchor, is there an object, and where exactly?

References
----------
Ren, He, Girshick, Sun: Faster R-CNN, NeurIPS 2015, section 3.1. Lin et al.: Feature pyramid networks, CVPR 2017, section 4.1: one head for all maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ... import functional, ops
from ...nn import Conv2d, Module, Sequential, init
from ...tensor import Tensor
from .anchors import AnchorGenerator, ImageList
from .box_coder import BoxCoder
from .losses import rpn_loss
from .matching import Matcher
from .sampling import BalancedPositiveNegativeSampler, best_first

__all__ = ["RPNHead", "RegionProposalNetwork"]

SMALLEST_SIDE = 1e-3  # pixels; narrower proposals are dropped


class RPNHead(Module):
    """3x3 convolutions, then one number of objectness and four of the box for every anchor of a cell.

    Shapes
    ------
    maps (N, C, H, W) -> objectness (N, A, H, W) and numbers (N, 4 A, H, W) of each map
    """

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        self.conv = Sequential(*(ops.Conv2dNormActivation(in_channels, in_channels, 3, norm_layer=None) for _ in range(conv_depth)))
        self.cls_logits = Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = Conv2d(in_channels, num_anchors * 4, 1)
        for layer in self.modules():
            if isinstance(layer, Conv2d):
                init.normal_(layer.weight, std=0.01)
                init.zeros_(layer.bias)

    def forward(self, maps: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Objectness and box numbers, a tensor a map."""
        hidden = [self.conv(one) for one in maps]
        return [self.cls_logits(one) for one in hidden], [self.bbox_pred(one) for one in hidden]


def in_rows(maps: Sequence[Tensor], columns: int) -> Tensor:
    """Maps (N, A columns, H, W) as rows (N, sum of H W A, columns): cells in row-major order, a cell's anchors next to each other."""
    rows = []
    for one in maps:
        images, channels, height, width = one.shape
        split = one.reshape(images, channels // columns, columns, height, width)  # N, A, columns, H, W
        rows.append(split.permute(0, 3, 4, 1, 2).reshape(images, -1, columns))
    return functional.cat(rows, 1)


class RegionProposalNetwork(Module):
    """Proposals: the best anchors of each map, moved, cut to the image, thinned by suppression.

    Parameters
    ----------
    anchor_generator, head
        Lay the anchors, and rate them.
    fg_iou_thresh, bg_iou_thresh : float
        An anchor that overlaps an object by the first is positive, all objects by less than the second negative, between ignored.
    batch_size_per_image, positive_fraction
        Anchors of an image that enter the loss, and the largest share of positives among them.
    pre_nms_top_n, post_nms_top_n : {"training": int, "testing": int}
        Anchors of each map before suppression, proposals of each image after.
    nms_thresh : float
        Suppression's overlap; maps do not suppress each other.
    score_thresh : float
        Least probability of an object.
    """

    def __init__(
        self,
        anchor_generator: AnchorGenerator,
        head: Module,
        fg_iou_thresh: float,
        bg_iou_thresh: float,
        batch_size_per_image: int,
        positive_fraction: float,
        pre_nms_top_n: Mapping[str, int],
        post_nms_top_n: Mapping[str, int],
        nms_thresh: float,
        score_thresh: float = 0.0,
    ) -> None:
        super().__init__()
        self.anchor_generator = anchor_generator
        self.head = head
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.pre_nms_top_n, self.post_nms_top_n = dict(pre_nms_top_n), dict(post_nms_top_n)
        self.nms_thresh, self.score_thresh = nms_thresh, score_thresh

    def forward(
        self, images: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None = None
    ) -> tuple[list[np.ndarray], dict[str, Tensor]]:
        """The proposals (K, 4) of each image, and in training the two losses."""
        maps = list(features.values())
        objectness, numbers = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        per_map = [one.shape[1] * one.shape[2] * one.shape[3] for one in objectness]
        logits, box_numbers = in_rows(objectness, 1)[..., 0], in_rows(numbers, 4)
        sizes = images.image_sizes
        chosen = [self._thinned(box_numbers.data[k], anchors[k], logits.data[k], sizes[k], per_map) for k in range(len(anchors))]
        if not self.training or targets is None:
            return chosen, {}
        return chosen, rpn_loss(logits, box_numbers, anchors, targets, self.proposal_matcher, self.fg_bg_sampler, self.box_coder)

    def _thinned(
        self, numbers: np.ndarray, anchors: np.ndarray, logits: np.ndarray, size: tuple[int, int], per_map: list[int]
    ) -> np.ndarray:
        """One image's proposals, best first."""
        mode = "training" if self.training else "testing"
        kept, of_map, start = [], [], 0
        for number, count in enumerate(per_map):
            best = best_first(logits[start : start + count], self.pre_nms_top_n[mode])
            kept.append(best + start)
            of_map.append(np.full(len(best), number))
            start += count
        chosen, level = np.concatenate(kept), np.concatenate(of_map)
        boxes = ops.clip_boxes_to_image(self.box_coder.decode_single(numbers[chosen], anchors[chosen]), size).data
        scores = functional.sigmoid(logits[chosen]).data
        sound = (boxes[:, 2:] - boxes[:, :2] >= SMALLEST_SIDE).all(axis=1) & (scores >= self.score_thresh)
        boxes, scores, level = boxes[sound], scores[sound], level[sound]
        return boxes[ops.batched_nms(boxes, scores, level, self.nms_thresh).data[: self.post_nms_top_n[mode]]]
