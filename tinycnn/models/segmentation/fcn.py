"""FCN: VGG-16 made fully convolutional, with scores enlarged from stride 32, 16 or 8.

The image is padded by 100 pixels so that images smaller than the classifier's 224 survive; what comes out is cropped where it lies over the
image. Pixel i of a map at stride s lies over image position s i + c. From the padding p and the k x k kernel of fc6, with the convolutions'
own padding of 1:

    c5 = (32 k - 1) / 2 - (p - 1)                    of the scores; pool4 has 15 / 2 - (p - 1), pool3 7 / 2 - (p - 1)
    crop of pool4 = k - 2, of pool3 = 2 k - 5        5 and 9 with k = 7
    crop at the end = p + 31 - 16 k at stride 32, p + 39 - 16 k at 16, p + 43 - 16 k at 8; 19, 27 and 31 with p = 100

References
----------
Long, Shelhamer and Darrell 2015, "Fully convolutional networks for semantic segmentation"; Shelhamer, Long and Darrell 2016 (arXiv 1605.06211),
section 4.3 and figure 3.

Differs from the paper: nets with `width` or `hidden` below it; the scores' layers of pool4 and pool3 start at 0 as the stride-by-stage nets do,
without the scales 0.01 and 0.0001 of the all-at-once net.
"""

from __future__ import annotations

from ... import functional
from ...errors import ArgumentError
from ...nn import Conv2d, Dropout, Linear, MaxPool2d, Module, init
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images
from ..vgg import VGG
from .bilinear import upsampling
from .vgg_stages import convolutionalise, copy_convolutions, he_start, vgg_stages

__all__ = ["FCNVGG16", "crop_offsets", "fcn8s_small", "fcn8s_vgg16", "fcn16s_vgg16", "fcn32s_vgg16"]

LEARNED = ("none", "inner", "all")
VOC_CLASSES = 21


def crop_offsets(stride: int, padding: int = 100, kernel: int = 7) -> dict[str, int]:
    """Where maps are cropped so that every pixel of the scores lies over its own pixel of the image.

    Formula
    -------
    See the head of this file.

    Parameters
    ----------
    stride
        32, 16 or 8: of the finest scores.
    padding
        Pixels around the image at the first convolution.
    kernel
        Of fc6.

    Returns
    -------
    dict
        "pool4", "pool3" where they are used, and "image": first row and column that is kept.

    Raises
    ------
    ArgumentError
        For another stride, or where the padding is too small, so that an offset would be negative.

    Examples
    --------
    >>> crop_offsets(32), crop_offsets(16), crop_offsets(8)
    ({'image': 19}, {'pool4': 5, 'image': 27}, {'pool4': 5, 'pool3': 9, 'image': 31})
    """
    if stride not in (32, 16, 8):
        raise ArgumentError(f"crop_offsets: stride must be 32, 16 or 8, not {stride!r}")
    offsets = {}
    if stride < 32:
        offsets["pool4"] = kernel - 2
    if stride == 8:
        offsets["pool3"] = 2 * kernel - 5
    offsets["image"] = padding + {32: 31, 16: 39, 8: 43}[stride] - 16 * kernel
    if min(offsets.values()) < 0:
        least = 16 * kernel - {32: 31, 16: 39, 8: 43}[stride]
        raise ArgumentError(
            f"crop_offsets: padding {padding} and kernel {kernel} give {offsets}; padding must be at least {least}, kernel at least 3"
        )
    return offsets


class FCNVGG16(Module):
    """VGG-16 whose linear layers slide over the image, and the way back to the image's size.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes, H, W)

    Parameters
    ----------
    stride
        32, 16 or 8: from which map on the scores are only interpolated.
    num_classes
        21 of Pascal VOC with the background.
    in_channels
        Of the images.
    width
        Multiplies the maps of the convolutions.
    hidden
        Maps of fc6 and fc7.
    learned
        Which upsampling is trained, all begin bilinear: "inner", as published, all but the last; "none"; "all".
    padding
        Around the image, in pixels.
    kernel
        Of fc6: 7, VGG's map at 224x224.
    dropout
        Probability after fc6 and fc7.

    Raises
    ------
    ArgumentError
        For an unknown stride or word, or a padding too small for the kernel.
    """

    def __init__(
        self,
        stride: int,
        num_classes: int = VOC_CLASSES,
        in_channels: int = 3,
        *,
        width: float = 1.0,
        hidden: int = 4096,
        learned: str = "inner",
        padding: int = 100,
        kernel: int = 7,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.offsets = crop_offsets(stride, padding, kernel)
        if learned not in LEARNED:
            raise ArgumentError(f"FCNVGG16: learned must be one of {', '.join(LEARNED)}, not {learned!r}")
        self.stride, self.in_channels = stride, in_channels
        self.stages, channels = vgg_stages("FCNVGG16", in_channels, width, padding=padding)
        self.pool = MaxPool2d(2, 2, ceil_mode=True)
        self.fc6 = Conv2d(channels[4][-1], hidden, kernel, activation="relu")
        self.fc7 = Conv2d(hidden, hidden, 1, activation="relu")
        self.dropout = Dropout(dropout)
        self.score_fr = Conv2d(hidden, num_classes, 1)
        if stride < 32:
            self.upscore2 = upsampling(num_classes, 2, learned != "none")
            self.score_pool4 = Conv2d(channels[3][-1], num_classes, 1)
        if stride == 8:
            self.upscore_pool4 = upsampling(num_classes, 2, learned != "none")
            self.score_pool3 = Conv2d(channels[2][-1], num_classes, 1)
        self.upscore = upsampling(num_classes, stride, learned == "all")
        he_start(self)
        for name, layer in self.named_children():
            if name.startswith("score"):
                init.zeros_(layer.weight)

    def forward(self, input: Tensor) -> Tensor:
        """Scores of the classes at every pixel."""
        require_images(f"fcn{self.stride}s", input, self.in_channels, 1, "the first convolution")
        height, width = input.shape[2:]
        x, pooled = input, {}
        for number, stage in enumerate(self.stages, start=1):
            x = pooled[number] = self.pool(stage(x))
        x = self.dropout(self.fc7(self.dropout(self.fc6(x))))
        x = self.score_fr(x)
        if self.stride < 32:
            x = _joined(self.upscore2(x), self.score_pool4(pooled[4]), self.offsets["pool4"])
        if self.stride == 8:
            x = _joined(self.upscore_pool4(x), self.score_pool3(pooled[3]), self.offsets["pool3"])
        return _cropped(self.upscore(x), self.offsets["image"], height, width)

    def load_vgg16(self, vgg: VGG) -> None:
        """Take over a trained VGG-16 of the same width: the convolutions, and its two hidden linear layers as fc6 and fc7.

        Raises
        ------
        ArgumentError
            If layers differ in number or shape.
        """
        copy_convolutions(vgg.features, self.stages)
        linear = [layer for layer in vgg.classifier if isinstance(layer, Linear)]
        for ours, theirs, kernel in ((self.fc6, linear[0], self.fc6.weight.shape[2]), (self.fc7, linear[1], 1)):
            conv = convolutionalise(theirs, kernel)
            if conv.weight.shape != ours.weight.shape:
                raise ArgumentError(f"load_vgg16: the linear layer is {conv.weight.shape} as a convolution, this network's {ours.weight.shape}")
            ours.load_state_dict(conv.state_dict())


def _cropped(x: Tensor, offset: int, height: int, width: int) -> Tensor:
    return x[:, :, offset : offset + height, offset : offset + width]


def _joined(scores: Tensor, finer: Tensor, offset: int) -> Tensor:
    """The enlarged scores plus those of a finer map, where it lies under them."""
    height, width = (min(one, other - offset) for one, other in zip(scores.shape[2:], finer.shape[2:], strict=True))
    return functional.add(_cropped(scores, 0, height, width), _cropped(finer, offset, height, width))


@builder(task="segmentation", image_size=224)
def fcn32s_vgg16(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 1.0, hidden: int = 4096, learned: str = "inner") -> FCNVGG16:
    """FCN-32s: 134,346,581 parameters and 1,806,336 of its fixed upsampling; options as in `FCNVGG16`."""
    return FCNVGG16(32, num_classes, in_channels, width=width, hidden=hidden, learned=learned)


@builder(task="segmentation", image_size=224)
def fcn16s_vgg16(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 1.0, hidden: int = 4096, learned: str = "inner") -> FCNVGG16:
    """FCN-16s, scores of pool4 added: 134,815,994 parameters with upsampling; options as in `FCNVGG16`."""
    return FCNVGG16(16, num_classes, in_channels, width=width, hidden=hidden, learned=learned)


@builder(task="segmentation", image_size=224)
def fcn8s_vgg16(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 1.0, hidden: int = 4096, learned: str = "inner") -> FCNVGG16:
    """FCN-8s, scores of pool4 and pool3 added: 134,489,759 parameters with upsampling; options as in `FCNVGG16`."""
    return FCNVGG16(8, num_classes, in_channels, width=width, hidden=hidden, learned=learned)


@builder(task="segmentation", image_size=96)
def fcn8s_small(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width: float = 0.25, hidden: int = 256, learned: str = "all") -> FCNVGG16:
    """FCN-8s for laptops: a quarter of the width, 3x3 instead of 7x7 in fc6, 32 pixels of padding instead of 100, no dropout.

    Examples
    --------
    >>> import numpy as np
    >>> fcn8s_small(4, width=0.0625, hidden=8).eval()(np.zeros((1, 3, 45, 60), np.float32)).shape
    (1, 4, 45, 60)
    """
    return FCNVGG16(8, num_classes, in_channels, width=width, hidden=hidden, learned=learned, padding=32, kernel=3, dropout=0.0)
