"""SSD300 over ResNet-50 as NVIDIA trains it, under the names of its published checkpoints.

References
----------
Liu et al.: SSD, ECCV 2016. Huang et al.: Speed/accuracy trade-offs for modern convolutional object detectors, CVPR 2017: SSD over a ResNet.
NVIDIA/DeepLearningExamples, PyTorch/Detection/SSD, "SSD300 v1.1": keys, layers and default boxes.

Differs from it: images are resized without a filter against aliasing; in training the loss is divided by the matched boxes of the batch, as
`multibox_loss` does, not image by image.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from ... import functional
from ...errors import ArgumentError
from ...nn import BatchNorm2d, Conv2d, Identity, Module, ModuleList, Sequential
from ...tensor import Tensor
from ..registry import builder, get_model
from ..resnet import Bottleneck, ResNet
from .anchors import ImageList
from .box_coder import centre_form
from .default_boxes import DefaultBoxGenerator
from .options import spelled_out
from .ssd import SSD, SSDConfig, start_by_xavier
from .transform import GeneralizedRCNNTransform

__all__ = ["NvidiaSSD", "nvidia_ssd300_resnet50"]

SIDE = 300
CLASSES = 81  # COCO's 80, numbered without gaps, and the background
# Channels of the maps of 38, 19, 10, 5, 3 and 1 cells a side, of the 1x1 convolutions between them, and the boxes of a cell.
CHANNELS = {"resnet18": (256, 512, 512, 256, 256, 128), "resnet34": (256, 512, 512, 256, 256, 256), "resnet50": (1024, 512, 512, 256, 256, 256)}
HIDDEN = (256, 256, 128, 128, 128)
RATIOS: tuple[tuple[float, ...], ...] = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
SCALES = (21, 45, 99, 153, 207, 261, 315)  # pixels
STEPS = (8, 16, 32, 64, 100, 300)
CONFIG = SSDConfig(score_thresh=0.05, topk_candidates=200)


class ClampedBoxes(DefaultBoxGenerator):
    """Default boxes whose centres, like their sides, are cut to the image: of the 10 x 10 map the last ones would lie outside."""

    def forward(self, images: ImageList, feature_maps: Sequence[Tensor]) -> list[np.ndarray]:
        """As `DefaultBoxGenerator`."""
        boxes = super().forward(images, feature_maps)
        height, width = images.tensors.shape[-2:]
        x, y, across, down = centre_form(boxes[0])
        x, y = x.clip(0, width), y.clip(0, height)
        clamped = np.stack((x - across / 2, y - down / 2, x + across / 2, y + down / 2), axis=1).astype(boxes[0].dtype)
        return [clamped] * len(boxes)


class NvidiaBody(Module):
    """A ResNet to its third stage, which keeps the size: one map of stride 8. Layers are numbered as the network's children."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        # Number 2 is the ReLU, which the normalisation applies.
        stages = (network.layer1, network.layer2, network.layer3)
        self.feature_extractor = Sequential(network.conv1, network.bn1, Identity(), network.maxpool, *stages)
        first = network.layer3[0]
        for layer in (first.conv2 if isinstance(first, Bottleneck) else first.conv1, first.downsample[0]):
            layer.stride = (1, 1)

    def forward(self, input: Tensor) -> Tensor:
        """The map."""
        x: Tensor = self.feature_extractor(input)
        return x


def smaller(channels: int, hidden: int, maps: int, halves: bool) -> Sequential:
    """From one map to the next smaller: 1x1, then 3x3 by stride 2 or without padding; a ReLU, number 2 and 5, is in each normalisation."""
    return Sequential(
        Conv2d(channels, hidden, 1, bias=False),
        BatchNorm2d(hidden, activation="relu"),
        Identity(),
        Conv2d(hidden, maps, 3, 2 if halves else 1, padding=1 if halves else 0, bias=False),
        BatchNorm2d(maps, activation="relu"),
        Identity(),
    )


def rows_of(maps: Sequence[Tensor], layers: Sequence[Module], columns: int) -> Tensor:
    """A layer's answer to each map as rows (N, boxes, columns); its channels are counted column by column, a box within each."""
    rows = []
    for one, layer in zip(maps, layers, strict=True):
        answer = layer(one)
        images, channels, height, width = answer.shape
        split = answer.reshape(images, columns, channels // columns, height, width)
        rows.append(split.permute(0, 3, 4, 2, 1).reshape(images, -1, columns))
    return functional.cat(rows, 1)


class NvidiaSSD(SSD):
    """SSD with NVIDIA's layers and names: `feature_extractor`, `additional_blocks`, `loc`, `conf`.

    Parameters
    ----------
    backbone : str
        "resnet18", "resnet34" or "resnet50".
    num_classes : int
        With the background, class 0.
    config : SSDConfig
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        For another backbone.
    """

    @spelled_out(SSDConfig)
    def __init__(self, backbone: str = "resnet50", num_classes: int = CLASSES, *, config: SSDConfig = CONFIG) -> None:
        if backbone not in CHANNELS:
            raise ArgumentError(f"NvidiaSSD: there is no backbone {backbone!r}; there are {', '.join(CHANNELS)}")
        Module.__init__(self)  # SSD's own parts have other names
        self.transform = GeneralizedRCNNTransform(SIDE, SIDE, config.image_mean, config.image_std, 1, (SIDE, SIDE))
        network = get_model(backbone)
        assert isinstance(network, ResNet)
        channels = CHANNELS[backbone]
        self.feature_extractor = NvidiaBody(network)
        self.additional_blocks = ModuleList(
            [smaller(channels[k], HIDDEN[k], channels[k + 1], halves=k < 3) for k in range(len(HIDDEN))]
        )
        boxes = ClampedBoxes(RATIOS, scales=[scale / SIDE for scale in SCALES], steps=STEPS, clip=True)
        counts = boxes.num_anchors_per_location()
        self.loc = ModuleList([Conv2d(maps, count * 4, 3, padding=1) for maps, count in zip(channels, counts, strict=True)])
        self.conf = ModuleList([Conv2d(maps, count * num_classes, 3, padding=1) for maps, count in zip(channels, counts, strict=True)])
        for part in (self.additional_blocks, self.loc, self.conf):
            start_by_xavier(part)
        self._set_rules(boxes, config)
        self.num_classes = num_classes

    def _maps(self, images: Tensor) -> Mapping[str, Tensor]:
        maps = OrderedDict([("0", self.feature_extractor(images))])
        for number, block in enumerate(self.additional_blocks):
            maps[str(number + 1)] = block(maps[str(number)])
        return maps

    def _judged(self, maps: Sequence[Tensor]) -> Mapping[str, Tensor]:
        return {"bbox_regression": rows_of(maps, list(self.loc), 4), "cls_logits": rows_of(maps, list(self.conf), self.num_classes)}


@builder(image_size=SIDE, task="detection")
@spelled_out(SSDConfig)
def nvidia_ssd300_resnet50(num_classes: int = CLASSES, *, config: SSDConfig = CONFIG) -> NvidiaSSD:
    """NVIDIA's SSD300 v1.1: `tinycnn.load` reads its checkpoints, and `load_weights(model, path)` takes them as they are.

    Parameters
    ----------
    num_classes : int
        With the background.
    config : SSDConfig
        The other numbers; each may be given by its name instead.
    """
    return NvidiaSSD("resnet50", num_classes, config=config)
