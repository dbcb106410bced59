"""AlexNet: the two towers of 2012, and the single tower that torchvision has.

References
----------
Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural networks", section 3.5 and figure 2: the layers;
section 3.3 the normalisation, 3.4 the pooling that overlaps, 4.2 the dropout, 5 how the weights start.
Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks", footnote 1: the single tower, `alexnet` here.

Differs from the paper:
  - `alexnet_2012` takes images of 227x227. The paper says 224, with which its first layer has (224 - 11) / 4 + 1 = 54.25 columns; its figure
    draws 55, which takes 227 = 54 * 4 + 11. With image_size=224 the missing three pixels are a border of zeros: 1 before and 2 behind.
  - The towers are convolutions in two groups rather than two processors; the arithmetic is the same.
  - `alexnet` has 64, 192, 384, 256, 256 maps, no response normalisation, and pads its first layer by 2 on 224x224 images.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ArgumentError
from ..nn import (
    AdaptiveAvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    fuse,
    init,
)
from ..tensor import Tensor
from .registry import builder
from .sizes import require_image_size, require_images, scaled

__all__ = ["AlexNet", "AlexNetFrom2012", "alexnet", "alexnet_2012", "alexnet_cifar"]


class Layer(NamedTuple):
    """A convolution with ReLU: maps, kernel, stride, padding; whether 3x3 max pooling with stride 2 follows."""

    maps: int
    kernel: int
    stride: int
    padding: int
    pool: bool
    groups: int = 1
    norm: bool = False  # response normalisation, before the pooling


# Single tower; sizes are for 224x224: 55 -> 27 -> 27 -> 13 -> 13 -> 13 -> 13 -> 6.
LAYERS = (
    Layer(64, 11, 4, 2, pool=True),
    Layer(192, 5, 1, 2, pool=True),
    Layer(384, 3, 1, 1, pool=False),
    Layer(256, 3, 1, 1, pool=False),
    Layer(256, 3, 1, 1, pool=True),
)

# Two towers; sizes are for 227x227: 55 -> 27 -> 27 -> 13 -> 13 -> 13 -> 13 -> 6.
LAYERS_2012 = (
    Layer(96, 11, 4, 0, pool=True, norm=True),
    Layer(256, 5, 1, 2, pool=True, groups=2, norm=True),
    Layer(384, 3, 1, 1, pool=False),  # the one place where the towers' convolutions see each other's maps
    Layer(384, 3, 1, 1, pool=False, groups=2),
    Layer(256, 3, 1, 1, pool=True, groups=2),
)

# For 32x32 images: 32 -> 15 -> 15 -> 7 -> 7 -> 7 -> 7 -> 3.
LAYERS_CIFAR = (
    Layer(64, 5, 1, 2, pool=True),
    Layer(128, 3, 1, 1, pool=True),
    Layer(256, 3, 1, 1, pool=False),
    Layer(192, 3, 1, 1, pool=False),
    Layer(192, 3, 1, 1, pool=True),
)

PATH_2012 = (
    "the sizes are 227 -> conv1 55 -> pool1 27 -> pool2 13 -> pool5 6 -> flatten 256*6*6; 224x224, as the paper says, would give "
    "(224 - 11) / 4 + 1 = 54.25 columns, so build it with image_size=224, which adds the missing border, or resize the images"
)


class AlexNet(Module):
    """AlexNet's single tower.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes), H and W at least `smallest`

    Parameters
    ----------
    layers
        The table of its convolutions.
    hidden, pooled
        Units of the two hidden linear layers, and the size of the grid before them.
    smallest
        The least height and width.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        dropout: float = 0.5,
        layers: tuple[Layer, ...] = LAYERS,
        hidden: int = 4096,
        pooled: int = 6,
        smallest: int = 63,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.smallest = smallest
        features: list[Module] = []
        channels = in_channels
        for layer in layers:
            maps = scaled(layer.maps, width)
            features += [Conv2d(channels, maps, layer.kernel, layer.stride, layer.padding), ReLU()]
            features += [MaxPool2d(3, stride=2)] if layer.pool else []
            channels = maps
        self.features = Sequential(*features)
        self.avgpool = AdaptiveAvgPool2d((pooled, pooled))
        self.classifier = Sequential(
            Dropout(dropout),
            Linear(channels * pooled**2, hidden),
            ReLU(),
            Dropout(dropout),
            Linear(hidden, hidden),
            ReLU(),
            Linear(hidden, num_classes),
        )
        fuse(self)  # each ReLU is applied as its layer stores; the positions, and so the keys, stay

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images("alexnet", input, self.in_channels, self.smallest, "the last pooling")
        return self.classifier(self.avgpool(self.features(input)).flatten(1))


@builder
def alexnet(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> AlexNet:
    """AlexNet as torchvision has it; 61,100,840 parameters.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    dropout
        Probability of dropping a unit before each of the two hidden linear layers.

    Notes
    -----
    Keys and answers are torchvision's, for 224x224 images or any from 63x63 on. `fuse` has put each ReLU into its layer, so an Identity stands
    where torchvision has the ReLU.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(alexnet, 10).features[0].weight.shape
    (64, 3, 11, 11)
    """
    return AlexNet(num_classes, in_channels, dropout=dropout)


@builder(image_size=32)
def alexnet_cifar(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.5, width: float = 1.0) -> AlexNet:
    """AlexNet for 32x32 images: five convolutions, three overlapping poolings, three linear layers; 77 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels, dropout
        As in `alexnet`.
    width
        Multiplies the maps of the convolutions.

    Notes
    -----
    Weights start by He's rule: without normalisation, PyTorch's default lets the signal of eight layers die away.

    Examples
    --------
    >>> import numpy as np
    >>> alexnet_cifar(width=0.125).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    model = AlexNet(num_classes, in_channels, dropout=dropout, layers=LAYERS_CIFAR, hidden=1024, pooled=3, smallest=15, width=width)
    for module in model.modules():
        if isinstance(module, Conv2d | Linear):
            init.kaiming_normal_(module.weight, nonlinearity="relu")
            init.zeros_(module.bias)
    return model


class AlexNetFrom2012(Module):
    """AlexNet as the paper of 2012 builds it, the two towers as convolutions in two groups.

    Shapes
    ------
    (N, in_channels, image_size, image_size) -> (N, num_classes)
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5, image_size: int = 227) -> None:
        super().__init__()
        if image_size not in (224, 227):
            raise ArgumentError(
                f"alexnet_2012: image_size must be 227 or 224 (with a border of three pixels of zeros), got {image_size!r}; resize the images"
            )
        self.in_channels = in_channels
        self.image_size = image_size
        with init.skipped():  # every weight is drawn below
            self.features = self._features(in_channels)
            self.flatten = Flatten()
            self.classifier = Sequential(
                {
                    "fc6": Linear(LAYERS_2012[-1].maps * 6 * 6, 4096, activation="relu"),
                    "drop6": Dropout(dropout),
                    "fc7": Linear(4096, 4096, activation="relu"),
                    "drop7": Dropout(dropout),
                    "fc8": Linear(4096, num_classes),
                }
            )
        self._start_as_the_paper()

    def _features(self, in_channels: int) -> Sequential:
        layers: dict[str, Module] = {}
        channels = in_channels
        for number, row in enumerate(LAYERS_2012, 1):
            padding = (1, 2, 1, 2) if number == 1 and self.image_size == 224 else row.padding
            layers[f"conv{number}"] = Conv2d(channels, row.maps, row.kernel, row.stride, padding, groups=row.groups, activation="relu")
            if row.norm:
                # The paper adds alpha = 1e-4 times the sum over five maps; PyTorch, and so the layer, times their mean.
                layers[f"norm{number}"] = LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
            if row.pool:
                layers[f"pool{number}"] = MaxPool2d(3, stride=2)
            channels = row.maps
        return Sequential(layers)

    def _start_as_the_paper(self) -> None:
        """Weights normal with standard deviation 0.01; biases 1 in layers 2, 4, 5 and the hidden linear ones, so that ReLUs begin open."""
        for name, module in self.named_modules():
            if isinstance(module, Conv2d | Linear):
                init.normal_(module.weight, 0.0, 0.01)
                init.constant_(module.bias, float(name.split(".")[-1] in ("conv2", "conv4", "conv5", "fc6", "fc7")))

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_image_size("alexnet_2012", input, self.in_channels, self.image_size, PATH_2012)
        return self.classifier(self.flatten(self.features(input)))


@builder
def alexnet_2012(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5, image_size: int = 227) -> AlexNetFrom2012:
    """AlexNet as the paper of 2012 builds it; 60,965,224 parameters.

    Parameters
    ----------
    num_classes, in_channels
        As in `alexnet`.
    dropout
        Probability of dropping a unit of the two hidden linear layers.
    image_size
        227, or 224 with a border of zeros, 1 pixel above and left and 2 below and right.

    Raises
    ------
    ArgumentError
        For another image size.

    Notes
    -----
    Caffe's reference model, of which most published numbers are, pools before it normalises in CaffeNet and has k = 1.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(alexnet_2012, 10).features[3].weight.shape  # conv2: each tower's 128 maps see that tower's 48
    (256, 48, 5, 5)
    """
    return AlexNetFrom2012(num_classes, in_channels, dropout=dropout, image_size=image_size)
