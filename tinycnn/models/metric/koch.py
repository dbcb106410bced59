"""The Siamese network of Koch et al.: two pictures, one network for both, and the probability that they show the same character.

References
----------
Koch, Zemel and Salakhutdinov 2015, "Siamese neural networks for one-shot image recognition" (ICML deep learning workshop): figure 4 the layers,
section 3.1 the head, 3.2 how weights start.

Differs from the paper: figure 4 leaves the strides of pooling open; 2, with windows of 2, gives the figure's sizes 48, 21 and 9.
"""

from __future__ import annotations

from typing import Any

from ... import functional as F
from ...nn import Conv2d, Linear, MaxPool2d, Module, Sequential, init
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_image_size

__all__ = ["SiameseKoch", "siamese_koch"]

LAYERS = ((64, 10), (128, 7), (128, 4), (256, 4))  # maps and kernel; all but the last are pooled
PATH = "the sizes are 105 -> 96 -> pool 48 -> 42 -> pool 21 -> 18 -> pool 9 -> 6, so resize the pictures"
FEATURES = 4096


class SiameseKoch(Module):
    """Figure 4's layers, and a weighted city-block distance between two vectors.

    Shapes
    ------
    (N, 1, 105, 105) -> (N, 4096); `compare`: (N, 4096), (N, 4096) -> (N,)

    Formula
    -------
    p = sigmoid(sum_j a[j] |h1[j] - h2[j]| + b)
    """

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        layers: dict[str, Module] = {}
        channels = in_channels
        with init.skipped():  # every weight is drawn below
            for number, (maps, kernel) in enumerate(LAYERS, 1):
                layers[f"conv{number}"] = Conv2d(channels, maps, kernel, activation="relu")
                if number < len(LAYERS):
                    layers[f"pool{number}"] = MaxPool2d(2)
                channels = maps
            self.features = Sequential(layers)
            self.project = Linear(channels * 6 * 6, FEATURES)
            self.head = Linear(FEATURES, 1)
        for module in self.modules():
            if isinstance(module, Conv2d | Linear):  # section 3.2
                init.normal_(module.weight, 0.0, 1e-2 if isinstance(module, Conv2d) else 2e-1)
                init.normal_(module.bias, 0.5, 1e-2)

    def forward(self, input: Tensor) -> Tensor:
        """The vector of each picture, every number from 0 to 1."""
        require_image_size("siamese_koch", input, self.in_channels, 105, PATH)
        return F.sigmoid(self.project(self.features(input).flatten(1)))

    def compare(self, first: Any, second: Any) -> Tensor:
        """The logit that two vectors show the same; its sigmoid is the probability."""
        return self.head(F.abs(first - second)).reshape(-1)


@builder(image_size=105, task="embedding")
def siamese_koch(in_channels: int = 1) -> SiameseKoch:
    """Koch's twin network; 38,951,745 parameters.

    Parameters
    ----------
    in_channels
        1 for grey pictures.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(siamese_koch).project.weight.shape
    (4096, 9216)
    """
    return SiameseKoch(in_channels)
