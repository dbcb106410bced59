"""ZFNet: AlexNet with a finer first layer, which its authors found by looking at what the layers see.

References
----------
Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", figure 3: the layers; section 3.1 training and start.

Differs from the paper:
  - Figure 3 draws maps of 110, 55, 26, 13 columns and names no padding. Here the first layer pads 1 and pooling rounds up, which gives them.
  - "Contrast normalized across feature maps" is AlexNet's response normalisation, with AlexNet's constants.
"""

from __future__ import annotations

from typing import Any

from ..nn import Conv2d, Dropout, Flatten, Linear, LocalResponseNorm, MaxPool2d, Module, Sequential, init
from ..tensor import Tensor
from .registry import builder
from .sizes import require_image_size

__all__ = ["ZFNet", "zfnet"]

# Figure 3: maps, kernel, stride, padding; map size for 224x224, after the pooling where there is one; pooled; normalised.
LAYERS = (
    (96, 7, 2, 1, 55, True, True),
    (256, 5, 2, 0, 13, True, True),
    (384, 3, 1, 1, 13, False, False),
    (384, 3, 1, 1, 13, False, False),
    (256, 3, 1, 1, 6, True, False),
)

PATH = "the sizes are 224 -> conv1 110 -> pool1 55 -> conv2 26 -> pool2 13 -> pool5 6 -> flatten 256*6*6, so resize the images"


class ZFNet(Module):
    """The eight layers of figure 3.

    Shapes
    ------
    (N, in_channels, 224, 224) -> (N, num_classes)
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> None:
        super().__init__()
        self.in_channels = in_channels
        layers: dict[str, Module] = {}
        channels = in_channels
        with init.skipped():  # every weight is drawn below
            for number, (maps, kernel, stride, padding, _, pooled, normalised) in enumerate(LAYERS, 1):
                layers[f"conv{number}"] = Conv2d(channels, maps, kernel, stride, padding, activation="relu")
                if pooled:
                    layers[f"pool{number}"] = MaxPool2d(3, stride=2, ceil_mode=True)
                if normalised:
                    layers[f"norm{number}"] = LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
                channels = maps
            self.features = Sequential(layers)
            self.flatten = Flatten()
            self.classifier = Sequential(
                {
                    "fc6": Linear(channels * 6 * 6, 4096, activation="relu"),
                    "drop6": Dropout(dropout),
                    "fc7": Linear(4096, 4096, activation="relu"),
                    "drop7": Dropout(dropout),
                    "fc8": Linear(4096, num_classes),
                }
            )
        for module in self.modules():
            if isinstance(module, Conv2d | Linear):  # section 3.1: all weights start at 10^-2, biases at 0
                init.normal_(module.weight, 0.0, 0.01)
                init.zeros_(module.bias)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_image_size("zfnet", input, self.in_channels, 224, PATH)
        return self.classifier(self.flatten(self.features(input)))


@builder
def zfnet(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> ZFNet:
    """ZFNet; 62,357,608 parameters.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    dropout
        Probability of dropping a unit of the two hidden linear layers.

    Notes
    -----
    "All weights are initialized to 10^-2" is read as a normal distribution of that standard deviation: equal weights would stay equal.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(zfnet, 10).features[0].weight.shape
    (96, 3, 7, 7)
    """
    return ZFNet(num_classes, in_channels, dropout=dropout)
