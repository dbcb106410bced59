"""Keypoint R-CNN: Mask R-CNN whose masks are one pixel: a joint.

References
----------
He, Gkioxari, Dollar, Girshick: Mask R-CNN, ICCV 2017, section 5.
"""

from __future__ import annotations

from ... import ops
from ...errors import ArgumentError
from ...nn import Module
from ..registry import builder
from .anchors import AnchorGenerator
from .backbones import resnet_fpn_backbone
from .faster_rcnn import FasterRCNN, RCNNConfig, batch_or_frozen
from .keypoint_head import KeypointRCNNHeads, KeypointRCNNPredictor
from .options import spelled_out

__all__ = ["KeypointRCNN", "keypointrcnn_resnet50_fpn"]

HEAD_CHANNELS = 512
COCO_KEYPOINTS = 17
SIDES = (640, 672, 704, 736, 768, 800)  # in training one of them is the shorter side


class KeypointRCNN(FasterRCNN):
    """Faster R-CNN with joints; detections also have "keypoints" (K, points, 3) of x, y, 1 and "keypoints_scores" (K, points).

    Parameters
    ----------
    num_keypoints : int, optional
        Joints of an object; 17, COCO's, if it and `keypoint_predictor` are left out.
    keypoint_roi_pool, keypoint_head, keypoint_predictor : optional
        Parts that take the place of the usual ones.
    backbone, num_classes, rpn_anchor_generator, rpn_head, box_roi_pool, box_head, box_predictor, config
        As in `FasterRCNN`.
    """

    @spelled_out(RCNNConfig)
    def __init__(
        self,
        backbone: Module,
        num_classes: int | None = None,
        *,
        rpn_anchor_generator: AnchorGenerator | None = None,
        rpn_head: Module | None = None,
        box_roi_pool: Module | None = None,
        box_head: Module | None = None,
        box_predictor: Module | None = None,
        keypoint_roi_pool: Module | None = None,
        keypoint_head: Module | None = None,
        keypoint_predictor: Module | None = None,
        num_keypoints: int | None = None,
        config: RCNNConfig = RCNNConfig(min_size=SIDES),
    ) -> None:
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ArgumentError(f"KeypointRCNN: give either num_keypoints={num_keypoints} or keypoint_predictor, which knows its joints")
        super().__init__(
            backbone,
            num_classes,
            rpn_anchor_generator=rpn_anchor_generator,
            rpn_head=rpn_head,
            box_roi_pool=box_roi_pool,
            box_head=box_head,
            box_predictor=box_predictor,
            config=config,
        )
        heads = self.roi_heads
        heads.keypoint_roi_pool = keypoint_roi_pool or ops.MultiScaleRoIAlign(("0", "1", "2", "3"), 14, 2)
        heads.keypoint_head = keypoint_head or KeypointRCNNHeads(self.backbone.out_channels, (HEAD_CHANNELS,) * 8)
        heads.keypoint_predictor = keypoint_predictor or KeypointRCNNPredictor(HEAD_CHANNELS, num_keypoints or COCO_KEYPOINTS)


@builder(image_size=800, task="detection")
@spelled_out(RCNNConfig)
def keypointrcnn_resnet50_fpn(
    num_classes: int = 2,
    in_channels: int = 3,
    *,
    num_keypoints: int = COCO_KEYPOINTS,
    trainable_backbone_layers: int = 5,
    frozen_batch_norm: bool = False,
    config: RCNNConfig = RCNNConfig(min_size=SIDES),
) -> KeypointRCNN:
    """Keypoint R-CNN with ResNet-50 under a feature pyramid: 59,137,258 parameters with frozen normalisation.

    Parameters
    ----------
    num_keypoints : int
        Joints of an object.
    num_classes, in_channels, trainable_backbone_layers, frozen_batch_norm, config
        As in `fasterrcnn_resnet50_fpn`.
    """
    backbone = resnet_fpn_backbone("resnet50", batch_or_frozen(frozen_batch_norm), trainable_backbone_layers, in_channels=in_channels)
    return KeypointRCNN(backbone, num_classes, num_keypoints=num_keypoints, config=config)
