"""FCN over a dilated ResNet, under torchvision's names: its keys and answers.

References
----------
Long, Shelhamer and Darrell 2015; Yu, Koltun and Funkhouser 2017, "Dilated residual networks".
"""

from __future__ import annotations

from collections.abc import Callable

from ..registry import builder
from ..resnet import ResNet, resnet50, resnet101
from .dense_head import VOC_CLASSES, DenseClassifier, FCNHead, dilated_resnet_body

__all__ = ["fcn_resnet50", "fcn_resnet101"]

DEEP, MIDDLE = 2048, 1024  # channels of layer4 and layer3


def _fcn(build: Callable[..., ResNet], num_classes: int, in_channels: int, aux_loss: bool) -> DenseClassifier:
    body = dilated_resnet_body(build, in_channels, aux_loss)
    classifier, auxiliary = FCNHead(DEEP, num_classes), FCNHead(MIDDLE, num_classes) if aux_loss else None
    return DenseClassifier(body, classifier, auxiliary)


@builder(task="segmentation", image_size=520)
def fcn_resnet50(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, aux_loss: bool = False) -> DenseClassifier:
    """FCN over ResNet-50 at stride 8: 32,957,013 parameters, 35,322,218 with the auxiliary classifier.

    Parameters
    ----------
    num_classes, in_channels : int
        Classes with the background; channels of the images.
    aux_loss : bool
        Whether there is a second classifier at layer3; torchvision's checkpoints have it.
    """
    return _fcn(resnet50, num_classes, in_channels, aux_loss)


@builder(task="segmentation", image_size=520)
def fcn_resnet101(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, aux_loss: bool = False) -> DenseClassifier:
    """FCN over ResNet-101: 51,949,141 parameters, 54,314,346 with the auxiliary classifier; options as in `fcn_resnet50`."""
    return _fcn(resnet101, num_classes, in_channels, aux_loss)
