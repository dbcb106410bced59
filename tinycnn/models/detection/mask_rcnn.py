"""Mask R-CNN: Faster R-CNN with RoIAlign, and a third branch that draws each object's mask.

References
----------
He, Gkioxari, Dollar, Girshick: Mask R-CNN, ICCV 2017. The second version: Li et al., 2021, as in `faster_rcnn`.
"""

from __future__ import annotations

from ... import ops
from ...errors import ArgumentError
from ...nn import BatchNorm2d, Module
from ..registry import builder
from .anchors import AnchorGenerator
from .backbones import resnet_fpn_backbone
from .faster_rcnn import CLASSES, FasterRCNN, RCNNConfig, batch_or_frozen, second_version
from .mask_head import MaskRCNNHeads, MaskRCNNPredictor
from .options import spelled_out

__all__ = ["MaskRCNN", "maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2"]

MASK_CHANNELS = 256


class MaskRCNN(FasterRCNN):
    """Faster R-CNN with masks; detections also have "masks" (K, 1, H, W), from 0 to 1 over the whole image.

    Parameters
    ----------
    mask_roi_pool, mask_head, mask_predictor : optional
        Parts that take the place of the usual ones; the predictor only where `num_classes` is left out.
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
        mask_roi_pool: Module | None = None,
        mask_head: Module | None = None,
        mask_predictor: Module | None = None,
        config: RCNNConfig,
    ) -> None:
        if (num_classes is None) == (mask_predictor is None):
            raise ArgumentError(f"MaskRCNN: give either num_classes or mask_predictor, which knows its classes; here num_classes is {num_classes}")
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
        self.roi_heads.mask_roi_pool = mask_roi_pool or ops.MultiScaleRoIAlign(("0", "1", "2", "3"), 14, 2)
        self.roi_heads.mask_head = mask_head or MaskRCNNHeads(self.backbone.out_channels, (MASK_CHANNELS,) * 4)
        self.roi_heads.mask_predictor = mask_predictor or MaskRCNNPredictor(MASK_CHANNELS, MASK_CHANNELS, num_classes or 0)


@builder(image_size=800, task="detection")
@spelled_out(RCNNConfig)
def maskrcnn_resnet50_fpn(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, frozen_batch_norm: bool = False, config: RCNNConfig
) -> MaskRCNN:
    """Mask R-CNN with ResNet-50 and pyramid: 44,401,393 parameters with frozen normalisation; arguments as in `fasterrcnn_resnet50_fpn`."""
    backbone = resnet_fpn_backbone("resnet50", batch_or_frozen(frozen_batch_norm), trainable_backbone_layers, in_channels=in_channels)
    return MaskRCNN(backbone, num_classes, config=config)


@builder(image_size=800, task="detection")
@spelled_out(RCNNConfig)
def maskrcnn_resnet50_fpn_v2(num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, config: RCNNConfig) -> MaskRCNN:
    """The same with normalised pyramid and heads of more convolutions: 46,359,409 parameters; arguments as in `fasterrcnn_resnet50_fpn`."""
    backbone = resnet_fpn_backbone(
        "resnet50", BatchNorm2d, trainable_backbone_layers, pyramid_norm_layer=BatchNorm2d, in_channels=in_channels
    )
    parts = second_version(backbone.out_channels)
    mask_head = MaskRCNNHeads(backbone.out_channels, (MASK_CHANNELS,) * 4, norm_layer=BatchNorm2d)
    return MaskRCNN(backbone, num_classes, rpn_head=parts["rpn_head"], box_head=parts["box_head"], mask_head=mask_head, config=config)
