"""Network in Network: 1x1 convolutions as small networks at every pixel, and global average pooling instead of linear layers.

References
----------
Lin, Chen and Yan 2014, "Network in network", section 3 and figure 2: mlpconv layers and global average pooling; section 4.1 and the authors'
published prototxt (github.com/mavenlin/cuda-convnet): the CIFAR net; their "NIN-Imagenet" in Caffe's model zoo: the ImageNet net.

Differs from the paper:
  - Widths and kernels are not in the text; they are those of the authors' published files.
  - Weights start by He's rule; the files say normal with standard deviation 0.05 (CIFAR) and 0.01 (ImageNet).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..nn import AdaptiveAvgPool2d, AvgPool2d, Conv2d, Dropout, MaxPool2d, Module, Sequential, init
from ..tensor import Tensor
from .registry import builder
from .sizes import require_images, require_width, scaled

__all__ = ["NetworkInNetwork", "network_in_network", "network_in_network_cifar", "network_in_network_imagenet"]


class MlpConv(NamedTuple):
    """A convolution and the 1x1 convolutions ("cccp" in the authors' files) on top of it; what pools behind it."""

    maps: int
    kernel: int
    stride: int
    padding: int
    mlp: tuple[int | None, ...]  # None is the number of classes
    pool: str  # "max", "avg" or "global"; 3x3 with stride 2, rounding up, as Caffe
    dropout: bool


# For 32x32 images: 32 -> 16 -> 8 -> 1.
CIFAR = (
    MlpConv(192, 5, 1, 2, (160, 96), "max", True),
    MlpConv(192, 5, 1, 2, (192, 192), "avg", True),
    MlpConv(192, 3, 1, 1, (192, None), "global", False),
)

# For 224x224 images: 54 -> 27 -> 27 -> 13 -> 13 -> 6 -> 6 -> 1.
IMAGENET = (
    MlpConv(96, 11, 4, 0, (96, 96), "max", False),
    MlpConv(256, 5, 1, 2, (256, 256), "max", False),
    MlpConv(384, 3, 1, 1, (384, 384), "max", True),
    MlpConv(1024, 3, 1, 1, (1024, None), "global", False),
)


class NetworkInNetwork(Module):
    """Mlpconv layers, and the mean of each class's last map as its logit.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    layers
        The table of mlpconv layers.
    smallest
        The least height and width.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        layers: tuple[MlpConv, ...],
        *,
        dropout: float = 0.5,
        width: float = 1.0,
        smallest: int = 1,
    ) -> None:
        super().__init__()
        require_width("network_in_network", width)
        self.in_channels = in_channels
        self.smallest = smallest
        children: dict[str, Module] = {}
        channels, cccp = in_channels, 0
        with init.skipped():  # every weight is drawn below
            for number, row in enumerate(layers, 1):
                maps = scaled(row.maps, width)
                children[f"conv{number}"] = Conv2d(channels, maps, row.kernel, row.stride, row.padding, activation="relu")
                channels = maps
                for units in row.mlp:
                    cccp += 1
                    maps = num_classes if units is None else scaled(units, width)
                    children[f"cccp{cccp}"] = Conv2d(channels, maps, 1, activation="relu")
                    channels = maps
                children[f"pool{number}"] = self._pool(row.pool)
                if row.dropout:
                    children[f"drop{number}"] = Dropout(dropout)
        self.features = Sequential(children)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, nonlinearity="relu")
                init.zeros_(module.bias)

    @staticmethod
    def _pool(kind: str) -> Module:
        if kind == "global":
            return AdaptiveAvgPool2d((1, 1))
        return (MaxPool2d if kind == "max" else AvgPool2d)(3, stride=2, ceil_mode=True)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images("network_in_network", input, self.in_channels, self.smallest, "the last 3x3 pooling")
        return self.features(input).flatten(1)


@builder(image_size=32)
def network_in_network(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.5, width: float = 1.0) -> NetworkInNetwork:
    """The paper's CIFAR net; 966,986 parameters and 222 M multiply-adds a 32x32 image.

    Parameters
    ----------
    num_classes
        Length of the output row, and maps of the last layer.
    in_channels
        3 for colour, 1 for grey images.
    dropout
        Probability of dropping an element between the mlpconv layers.
    width
        Multiplies the maps of every layer but the last.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> network_in_network(width=0.125).eval()(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 10)
    """
    return NetworkInNetwork(num_classes, in_channels, CIFAR, dropout=dropout, width=width, smallest=4)


@builder(image_size=32)
def network_in_network_cifar(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.5, width: float = 0.625) -> NetworkInNetwork:
    """The paper's CIFAR net at 5/8 of its width, 90 M multiply-adds an image: a size that trains on a laptop; see `network_in_network`."""
    return network_in_network(num_classes, in_channels, dropout=dropout, width=width)


@builder
def network_in_network_imagenet(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5, width: float = 1.0) -> NetworkInNetwork:
    """The authors' ImageNet net for 224x224 images; 7,595,176 parameters, an eighth of AlexNet's; options as in `network_in_network`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(network_in_network_imagenet, 10).features[0].weight.shape
    (96, 3, 11, 11)
    """
    return NetworkInNetwork(num_classes, in_channels, IMAGENET, dropout=dropout, width=width, smallest=39)
