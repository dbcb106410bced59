"""Gated-SCNN: a second, fine stream that sees only shapes, because the first decides by gates what it may see.

References
----------
Takikawa, Acuna, Jampani and Fidler 2019, "Gated-SCNN: gated shape CNNs for semantic segmentation" (arXiv 1907.05740), section 3 and figure 2.

Differs from the paper, for laptops:
  - The regular stream is a residual network of four stages with one basic block each at 1/2, 1/4, 1/8 and 1/8 of the image, not a
    WideResNet-38 or ResNet-101.
  - The image's gradient is Sobel's magnitude of the grey image, not Canny's edges.
  - One pyramid of dilations 2, 4 and 6 joins the streams; the dual-task regulariser is left out, edges and classes each have their own loss.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict

import numpy as np

from ... import functional
from ...nn import BatchNorm2d, Conv2d, Module, ReLU, Sequential, Sigmoid, fuse
from ...tensor import Tensor
from ..registry import builder
from ..resnet import BasicBlock, projection
from ..sizes import require_images, require_width, scaled
from .deeplabv3 import ASPP, conv_norm_relu
from .dense_head import enlarged
from .vgg_stages import he_start

__all__ = ["GatedConv", "GatedSCNN", "gated_scnn", "image_gradient"]

STAGES = (64, 128, 256, 512)
STRIDES = (1, 2, 2, 1)
SHAPE_CHANNELS = (64, 32, 16, 8)
RATES = (2, 4, 6)
GRADIENT = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


class GatedConv(Module):
    """A 1x1 convolution of a map that a gate, computed from it and from another, has let through.

    Shapes
    ------
    shape (N, in_channels, H, W), gate (N, gate_channels, H, W) -> (N, out_channels, H, W)

    Formula
    -------
    a = sigmoid(conv(shape beside gate)), one number a pixel;  y = conv_1x1(shape a + shape)

    Parameters
    ----------
    in_channels, gate_channels, out_channels
        Of the shape stream, of what the regular stream offers, of the result.
    """

    def __init__(self, in_channels: int, gate_channels: int, out_channels: int) -> None:
        super().__init__()
        both = in_channels + gate_channels
        self.gate = fuse(Sequential(BatchNorm2d(both), Conv2d(both, both, 1), ReLU(), Conv2d(both, 1, 1), BatchNorm2d(1), Sigmoid()))
        self.conv = Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, shape: Tensor, gate: Tensor) -> Tensor:
        """What passes the gate."""
        passed: Tensor = self.conv(shape * (self.gate(functional.cat([shape, gate], 1)) + 1.0))
        return passed


def image_gradient(images: Tensor) -> Tensor:
    """How steep the grey image is, by Sobel's masks.

    Shapes
    ------
    (N, C, H, W) -> (N, 1, H, W)

    Examples
    --------
    >>> import numpy as np
    >>> image_gradient(Tensor(np.array([[[[0.0, 0, 1, 1]] * 3]]))).data[0, 0, 1].round(4).tolist()
    [0.0, 0.5, 0.5, 0.0]
    """
    grey = functional.mean(images.detach(), 1, keepdim=True)
    around = functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    kernel = np.stack([GRADIENT, GRADIENT.T])[:, None].astype(images.data.dtype)
    slopes = functional.conv2d(around, Tensor(np.ascontiguousarray(kernel)))
    return Tensor(np.sqrt((slopes.data**2).sum(1, keepdims=True)))


class GatedSCNN(Module):
    """A regular stream, a shape stream at half of the image's size that it gates three times, and a pyramid that joins them.

    Shapes
    ------
    (N, in_channels, H, W) -> {"out": (N, num_classes, H, W), "edge": (N, 1, H, W)}, both scores; H and W at least 16

    Parameters
    ----------
    num_classes, in_channels
        Of the label maps; of the images.
    width
        Multiplies the channels of both streams.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> output = GatedSCNN(5, width=0.125).eval()(Tensor(np.zeros((1, 3, 24, 32), np.float32)))
    >>> output["out"].shape, output["edge"].shape
    ((1, 5, 24, 32), (1, 1, 24, 32))
    """

    def __init__(self, num_classes: int, in_channels: int = 3, *, width: float = 1.0) -> None:
        super().__init__()
        require_width("GatedSCNN", width)
        self.in_channels = in_channels
        maps = [scaled(channels, width) for channels in STAGES]
        shape = [scaled(channels, width) for channels in SHAPE_CHANNELS]
        self.stem = fuse(Sequential(Conv2d(in_channels, maps[0], 7, 2, padding=3, bias=False), BatchNorm2d(maps[0]), ReLU()))
        pairs = zip([maps[0], *maps], maps, STRIDES, strict=False)
        self.stages = Sequential(*(BasicBlock(a, b, s, projection(a, b, s) if s > 1 or a != b else None) for a, b, s in pairs))
        self.enter = Conv2d(maps[0], shape[0], 1)
        self.offers = Sequential(*(Conv2d(channels, 1, 1) for channels in maps[1:]))
        self.refine = Sequential(*(BasicBlock(channels, channels) for channels in shape[:3]))
        self.gated = Sequential(*(GatedConv(a, 1, b) for a, b in itertools.pairwise(shape)))
        self.edge = Conv2d(shape[-1], 1, 1)
        inner = scaled(256, width)
        self.pyramid = ASPP(maps[3], RATES, inner)
        self.classifier = Sequential(*conv_norm_relu(inner + maps[0] + 2, inner, 3), Conv2d(inner, num_classes, 1))
        he_start(self)

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """Scores of the classes and of edges at every pixel."""
        require_images("gated_scnn", input, self.in_channels, 16, "the last stage")
        size = tuple(input.shape[-2:])
        maps, x = [], self.stem(input)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        fine = tuple(maps[0].shape[-2:])
        shape = self.enter(maps[0])
        for refine, offer, gated, features in zip(self.refine, self.offers, self.gated, maps[1:], strict=True):
            shape = gated(refine(shape), enlarged(offer(features), fine))
        edge = self.edge(shape)
        steep = enlarged(image_gradient(input), fine)
        deep = enlarged(self.pyramid(maps[-1]), fine)
        joined = functional.cat([deep, maps[0], functional.sigmoid(edge), steep], 1)
        return OrderedDict(out=enlarged(self.classifier(joined), size), edge=enlarged(edge, size))


@builder(task="segmentation", image_size=96)
def gated_scnn(num_classes: int = 19, in_channels: int = 3, *, width: float = 0.25) -> GatedSCNN:
    """Gated-SCNN with a compact backbone: 19 classes of Cityscapes, a quarter of the width; options as in `GatedSCNN`."""
    return GatedSCNN(num_classes, in_channels, width=width)
