"""Mask R-CNN's head: a small fully convolutional network over each region, one mask a class.

References
----------
He, Gkioxari, Dollar, Girshick: Mask R-CNN, ICCV 2017, section 3, figure 4.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence

from ... import ops
from ...nn import Conv2d, ConvTranspose2d, Module, ReLU, Sequential, init
from .box_head import start_convolutions

__all__ = ["MaskRCNNHeads", "MaskRCNNPredictor"]


class MaskRCNNHeads(Sequential):
    """3x3 convolutions with ReLU that keep the size.

    Shapes
    ------
    (K, in_channels, M, M) -> (K, layers[-1], M, M)
    """

    def __init__(self, in_channels: int, layers: Sequence[int], dilation: int = 1, norm_layer: Callable[[int], Module] | None = None) -> None:
        channels = [in_channels, *layers]
        super().__init__(
            *(
                ops.Conv2dNormActivation(before, after, 3, padding=dilation, dilation=dilation, norm_layer=norm_layer)
                for before, after in itertools.pairwise(channels)
            )
        )
        start_convolutions(self)


class MaskRCNNPredictor(Sequential):
    """A transposed convolution that doubles the size, then one map a class.

    Shapes
    ------
    (K, in_channels, M, M) -> (K, num_classes, 2 M, 2 M)
    """

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int) -> None:
        layers = OrderedDict(
            conv5_mask=ConvTranspose2d(in_channels, dim_reduced, 2, 2),
            relu=ReLU(),
            mask_fcn_logits=Conv2d(dim_reduced, num_classes, 1),
        )
        super().__init__(layers)
        for layer in (layers["conv5_mask"], layers["mask_fcn_logits"]):
            init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
