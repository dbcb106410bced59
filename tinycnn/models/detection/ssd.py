"""SSD: one stage over maps of several scales, each with default boxes of its own shapes, judged by one 3x3 convolution.

References
----------
Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg: SSD: single shot multibox detector, ECCV 2016, figure 2 and section 2.2; SSD512: footnote 5.

Differs from the paper: images are normalised as torchvision's published weights want them; fc6 and fc7 are drawn by Xavier's rule, not sampled
from VGG's classifier.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional, ops
from ...errors import ArgumentError
from ...nn import Conv2d, MaxPool2d, Module, ModuleList, Parameter, ReLU, Sequential, init
from ...tensor import Tensor
from ..registry import builder, get_model
from .anchors import ImageList
from .backbones import freeze_before
from .box_coder import BoxCoder
from .default_boxes import DefaultBoxGenerator
from .faster_rcnn import CLASSES
from .generalized_rcnn import Detector
from .losses import multibox_loss
from .matching import SSDMatcher
from .one_stage import best_of_level, suppressed
from .options import spelled_out
from .rpn import in_rows
from .transform import GeneralizedRCNNTransform

__all__ = ["SSD", "SSDConfig", "SSDHead", "ssd300_vgg16", "ssd512_vgg16"]

# Figure 2 and footnote 5: channels of the 1x1, channels, kernel, stride and padding of the 3x3 convolution of each extra map.
EXTRA = ((256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 1, 0), (128, 256, 3, 1, 0))
EXTRA_512 = (*EXTRA[:2], *((128, 256, 3, 2, 1),) * 2, (128, 256, 4, 1, 1))
SCALE_OF_CONV4 = 20.0  # section 3.1: conv4_3 is brought to length 1 in every pixel, then scaled; the scale is learned


@dataclass(frozen=True)
class SSDConfig:
    """The numbers of SSD, under torchvision's names."""

    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)
    score_thresh: float = 0.01
    nms_thresh: float = 0.45
    detections_per_img: int = 200
    iou_thresh: float = 0.5
    topk_candidates: int = 400
    positive_fraction: float = 0.25


VGG_CONFIG = SSDConfig(image_mean=(0.48235, 0.45882, 0.40784), image_std=(1.0 / 255.0,) * 3)


class ScoringHead(Module):
    """One layer a map: (N, C_k, H_k, W_k) of all maps -> (N, boxes, columns)."""

    def __init__(self, layers: Sequence[Module], columns: int) -> None:
        super().__init__()
        self.module_list = ModuleList(layers)
        self.columns = columns

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Of all maps in order."""
        return in_rows([layer(one) for layer, one in zip(self.module_list, x, strict=True)], self.columns)


class SSDHead(Module):
    """Class logits and box numbers by a 3x3 convolution of each map.

    Parameters
    ----------
    in_channels, num_anchors : list of int
        Channels and boxes of a cell, for each map.
    num_classes : int
        With the background, class 0.
    """

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int) -> None:
        super().__init__()
        pairs = list(zip(in_channels, num_anchors, strict=True))
        self.classification_head = ScoringHead([Conv2d(channels, count * num_classes, 3, padding=1) for channels, count in pairs], num_classes)
        self.regression_head = ScoringHead([Conv2d(channels, count * 4, 3, padding=1) for channels, count in pairs], 4)
        start_by_xavier(self)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """Of all default boxes."""
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


def start_by_xavier(module: Module) -> None:
    """Xavier's uniform rule, biases 0."""
    for layer in module.modules():
        if isinstance(layer, Conv2d):
            init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                init.zeros_(layer.bias)


class SSDFeatureExtractorVGG(Module):
    """VGG-16 to conv4_3, whose map is normalised; then conv5, a dilated fc6 and fc7, and the extra maps.

    Parameters
    ----------
    layers : list of Module
        VGG-16's, poolings included.
    highres : bool
        SSD512's extra maps.
    """

    out_channels: list[int]

    def __init__(self, layers: Sequence[Module], highres: bool) -> None:
        super().__init__()
        pools = [number for number, layer in enumerate(layers) if isinstance(layer, MaxPool2d)]
        layers[pools[2]].ceil_mode = True  # 75 -> 38, as in the paper
        self.scale_weight = Parameter(np.full(512, SCALE_OF_CONV4, np.float32))
        self.features = Sequential(*layers[: pools[3]])
        fully = Sequential(
            MaxPool2d(3, stride=1, padding=1),
            Conv2d(512, 1024, 3, padding=6, dilation=6),  # fc6, with holes
            ReLU(),
            Conv2d(1024, 1024, 1),  # fc7
            ReLU(),
        )
        blocks: list[Module] = []
        channels = 1024
        for hidden, maps, kernel, stride, padding in EXTRA_512 if highres else EXTRA:
            blocks.append(
                Sequential(Conv2d(channels, hidden, 1), ReLU(), Conv2d(hidden, maps, kernel, stride, padding=padding), ReLU())
            )
            channels = maps
        for one in (*blocks, fully):
            start_by_xavier(one)
        self.extra = ModuleList([Sequential(*layers[pools[3] : -1], fully), *blocks])
        self.out_channels = [512, 1024, *(maps for _, maps, *_ in (EXTRA_512 if highres else EXTRA))]

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps, fine to coarse."""
        x = self.features(input)
        maps = [functional.normalize(x) * self.scale_weight.reshape(1, -1, 1, 1)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return OrderedDict((str(number), one) for number, one in enumerate(maps))


class SSD(Detector):
    """SSD over any backbone that gives maps of several scales.

    Parameters
    ----------
    backbone : Module
        Gives maps by name; `out_channels` lists their channels.
    anchor_generator : DefaultBoxGenerator
        For as many maps.
    size : (width, height)
        To which every image is brought.
    num_classes : int
        With the background, class 0.
    head : Module, optional
        In place of `SSDHead`.
    config : SSDConfig
        The numbers; each may be given by its name instead.
    """

    @spelled_out(SSDConfig)
    def __init__(
        self,
        backbone: Module,
        anchor_generator: DefaultBoxGenerator,
        size: tuple[int, int],
        num_classes: int,
        *,
        head: Module | None = None,
        config: SSDConfig,
    ) -> None:
        if head is None:
            channels = getattr(backbone, "out_channels", None)
            counts = anchor_generator.num_anchors_per_location()
            if channels is None or len(channels) != len(counts):
                raise ArgumentError(f"SSD: the backbone's out_channels is {channels!r}; it must list the channels of each of {len(counts)} maps")
            head = SSDHead(channels, counts, num_classes)
        transform = GeneralizedRCNNTransform(min(size), max(size), config.image_mean, config.image_std, 1, size)
        super().__init__(backbone, transform)
        self._set_rules(anchor_generator, config)
        self.head = head

    def _set_rules(self, anchor_generator: DefaultBoxGenerator, config: SSDConfig) -> None:
        """What has no weights."""
        self.anchor_generator = anchor_generator
        self.box_coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
        self.proposal_matcher = SSDMatcher(config.iou_thresh)
        self.config = config

    def _judged(self, maps: Sequence[Tensor]) -> Mapping[str, Tensor]:
        """Class logits and box numbers of all default boxes."""
        output: Mapping[str, Tensor] = self.head(maps)
        return output

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        maps = list(features.values())
        output = self._judged(maps)
        logits, numbers = output["cls_logits"], output["bbox_regression"]
        boxes = self.anchor_generator(batch, maps)
        if self.training and targets is not None:
            share = self.config.positive_fraction
            return [], multibox_loss(logits, numbers, boxes, targets, self.proposal_matcher, self.box_coder, (1 - share) / share)
        scores = functional.softmax(logits, -1).data
        return [self._kept(*one) for one in zip(scores, numbers.data, boxes, batch.image_sizes, strict=True)], {}

    def _kept(self, scores: np.ndarray, numbers: np.ndarray, boxes: np.ndarray, size: tuple[int, int]) -> dict[str, np.ndarray]:
        """One image's detections, of scores (boxes, classes): the best of each class, then suppression."""
        decoded = ops.clip_boxes_to_image(self.box_coder.decode_single(numbers, boxes), size).data
        levels = []
        for label in range(1, scores.shape[1]):
            places, _, values = best_of_level(scores[:, label : label + 1], self.config.score_thresh, self.config.topk_candidates)
            levels.append((decoded[places], values, np.full(len(places), label)))
        return suppressed(levels, self.config.nms_thresh, self.config.detections_per_img)


def _vgg(num_classes: int, trainable_layers: int, highres: bool, config: SSDConfig) -> SSD:
    layers = list(get_model("vgg16").features)
    pools = [number for number, layer in enumerate(layers) if isinstance(layer, MaxPool2d)]
    freeze_before(layers, [0, *pools[:-1]], trainable_layers, "ssd300_vgg16")
    backbone = SSDFeatureExtractorVGG(layers, highres)
    if highres:
        ratios: list[list[float]] = [[2], [2, 3], [2, 3], [2, 3], [2, 3], [2], [2]]
        scales = [0.07, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05]
        boxes = DefaultBoxGenerator(ratios, scales=scales, steps=[8, 16, 32, 64, 128, 256, 512])
    else:
        ratios = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
        boxes = DefaultBoxGenerator(ratios, scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300])
    side = 512 if highres else 300
    return SSD(backbone, boxes, (side, side), num_classes, config=config)


@builder(image_size=300, task="detection")
@spelled_out(SSDConfig)
def ssd300_vgg16(num_classes: int = CLASSES, *, trainable_backbone_layers: int = 5, config: SSDConfig = VGG_CONFIG) -> SSD:
    """SSD for images of 300x300 over VGG-16: 8,732 default boxes, 35,641,826 parameters.

    Parameters
    ----------
    num_classes : int
        With the background.
    trainable_backbone_layers : int
        0 to 5 stages of VGG are trained.
    config : SSDConfig
        The other numbers; each may be given by its name instead.
    """
    return _vgg(num_classes, trainable_backbone_layers, False, config)


@builder(image_size=512, task="detection")
@spelled_out(SSDConfig)
def ssd512_vgg16(num_classes: int = CLASSES, *, trainable_backbone_layers: int = 5, config: SSDConfig = VGG_CONFIG) -> SSD:
    """SSD for images of 512x512: seven maps, 24,564 default boxes; arguments as in `ssd300_vgg16`."""
    return _vgg(num_classes, trainable_backbone_layers, True, config)
