"""SegNet: an encoder and its mirror, which puts every maximum back where the pooling found it.

References
----------
Badrinarayanan, Kendall and Cipolla 2017, "SegNet: a deep convolutional encoder-decoder architecture for image segmentation"
(arXiv 1511.00561), section 3 and figure 2; section 4.1: SGD with momentum 0.9, classes weighted by median frequency.

Differs from the paper: an odd row or column, which floor pooling leaves out, comes back as zeros, so that images of any size keep it.
"""

from __future__ import annotations

from ... import functional
from ...errors import ArgumentError
from ...nn import Conv2d, Module, ModuleList
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images
from .vgg_stages import he_start, stage_of, vgg_stages

__all__ = ["SegNet", "segnet", "segnet_small"]

CAMVID_CLASSES = 11


class SegNet(Module):
    """VGG's convolutions with batch normalisation, and the same backwards, joined by the places of the maxima alone.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes, H, W), H and W at least 2^stages

    Parameters
    ----------
    num_classes
        11 of CamVid.
    in_channels
        Of the images.
    width
        Multiplies all channels.
    depth
        VGG's configuration.
    stages
        How many of its five stages there are.

    Raises
    ------
    ArgumentError
        For a width that is not above 0, or a number of stages that is not 1 to 5.

    Examples
    --------
    >>> import numpy as np
    >>> SegNet(11, width=0.0625, stages=2).eval()(np.zeros((1, 3, 45, 60), np.float32)).shape
    (1, 11, 45, 60)
    """

    def __init__(
        self, num_classes: int = CAMVID_CLASSES, in_channels: int = 3, *, width: float = 1.0, depth: int = 16, stages: int = 5
    ) -> None:
        super().__init__()
        if stages not in range(1, 6):
            raise ArgumentError(f"SegNet: stages must be 1 to 5, not {stages!r}")
        encoder, channels = vgg_stages("SegNet", in_channels, width, batch_norm=True, depth=depth)
        self.in_channels = in_channels
        self.encoder = ModuleList(list(encoder)[:stages])
        mirrored = [line[::-1] for line in channels[:stages][::-1]]
        # The last convolution of the mirror gives the scores and stands alone: no normalisation, no ReLU.
        self.decoder = ModuleList([stage_of(line if n < stages - 1 else line[:-1], True) for n, line in enumerate(mirrored)])
        self.classifier = Conv2d(mirrored[-1][-2], num_classes, 3, padding=1)
        he_start(self)

    def forward(self, input: Tensor) -> Tensor:
        """Scores of the classes at every pixel."""
        require_images("segnet", input, self.in_channels, 2 ** len(self.encoder), "the last pooling")
        x, places = input, []
        for stage in self.encoder:
            x = stage(x)
            size = x.shape[2:]
            x, indices = functional.max_pool2d(x, 2, 2, return_indices=True)
            places.append((indices, size))
        for stage, (indices, size) in zip(self.decoder, places[::-1], strict=True):
            x = stage(functional.max_unpool2d(x, indices, 2, 2, output_size=size))
        return self.classifier(x)


@builder(task="segmentation", image_size=360)
def segnet(num_classes: int = CAMVID_CLASSES, in_channels: int = 3, *, width: float = 1.0) -> SegNet:
    """SegNet over VGG-16: 29,449,355 parameters with 11 classes; options as in `SegNet`."""
    return SegNet(num_classes, in_channels, width=width)


@builder(task="segmentation", image_size=96)
def segnet_small(num_classes: int = CAMVID_CLASSES, in_channels: int = 3, *, width: float = 0.25) -> SegNet:
    """SegNet for laptops: a quarter of the width of VGG-11, four stages; options as in `SegNet`."""
    return SegNet(num_classes, in_channels, width=width, depth=11, stages=4)
