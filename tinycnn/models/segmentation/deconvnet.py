"""DeconvNet: VGG-16 down to a single place, and its mirror of unpooling and transposed convolutions back.

References
----------
Noh, Hong and Han 2015, "Learning deconvolution network for semantic segmentation" (arXiv 1505.04366), section 3 and table 2: 224x224 images,
about 252 million parameters.
"""

from __future__ import annotations

import itertools

from ... import functional
from ...nn import BatchNorm2d, Conv2d, ConvTranspose2d, Module, ModuleList, ReLU, Sequential, fuse
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images
from .vgg_stages import he_start, vgg_stages

__all__ = ["DeconvNet", "deconvnet", "deconvnet_small"]

VOC_CLASSES = 21


def transposed_stage(channels: list[int]) -> Sequential:
    """Transposed 3x3 convolutions with batch normalisation and ReLU that keep the size."""
    layers: list[Module] = []
    for before, after in itertools.pairwise(channels):
        layers += [ConvTranspose2d(before, after, 3, padding=1), BatchNorm2d(after), ReLU()]
    return fuse(Sequential(*layers))


class DeconvNet(Module):
    """Convolution, pooling, two layers that see everything; then unpooling by the places of the maxima and transposed convolution.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes, H, W), H and W at least 32 `kernel`: 224

    Parameters
    ----------
    num_classes
        21 of Pascal VOC with the background.
    in_channels
        Of the images.
    width
        Multiplies the maps of the convolutions.
    hidden
        Maps of fc6 and fc7.
    kernel
        Of fc6 and of its mirror.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> DeconvNet(4, width=0.0625, hidden=8, kernel=2).eval()(np.zeros((1, 3, 70, 64), np.float32)).shape
    (1, 4, 70, 64)
    """

    def __init__(self, num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 1.0, hidden: int = 4096, kernel: int = 7) -> None:
        super().__init__()
        self.in_channels, self.smallest = in_channels, 32 * kernel
        self.encoder, channels = vgg_stages("DeconvNet", in_channels, width, batch_norm=True)
        deepest = channels[4][-1]
        self.fc6 = fuse(Sequential(Conv2d(deepest, hidden, kernel), BatchNorm2d(hidden), ReLU()))
        self.fc7 = fuse(Sequential(Conv2d(hidden, hidden, 1), BatchNorm2d(hidden), ReLU()))
        self.deconv_fc6 = fuse(Sequential(ConvTranspose2d(hidden, deepest, kernel), BatchNorm2d(deepest), ReLU()))
        mirrored = [line[::-1] for line in channels[::-1]]
        mirrored[-1][-1] = mirrored[-1][-2]  # the mirror ends in features, not in an image
        self.decoder = ModuleList([transposed_stage(line) for line in mirrored])
        self.classifier = Conv2d(mirrored[-1][-1], num_classes, 1)
        he_start(self)

    def forward(self, input: Tensor) -> Tensor:
        """Scores of the classes at every pixel."""
        require_images("deconvnet", input, self.in_channels, self.smallest, "fc6")
        x, places = input, []
        for stage in self.encoder:
            x = stage(x)
            size = x.shape[2:]
            x, indices = functional.max_pool2d(x, 2, 2, return_indices=True)
            places.append((indices, size))
        x = self.deconv_fc6(self.fc7(self.fc6(x)))
        for stage, (indices, size) in zip(self.decoder, places[::-1], strict=True):
            x = stage(functional.max_unpool2d(x, indices, 2, 2, output_size=size))
        return self.classifier(x)


@builder(task="segmentation", image_size=224)
def deconvnet(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 1.0, hidden: int = 4096) -> DeconvNet:
    """DeconvNet: 251,805,653 parameters with 21 classes; options as in `DeconvNet`."""
    return DeconvNet(num_classes, in_channels, width=width, hidden=hidden)


@builder(task="segmentation", image_size=96)
def deconvnet_small(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 0.25, hidden: int = 256) -> DeconvNet:
    """DeconvNet for laptops: a quarter of the width, 3x3 in fc6, so images from 96x96 on; options as in `DeconvNet`."""
    return DeconvNet(num_classes, in_channels, width=width, hidden=hidden, kernel=3)
