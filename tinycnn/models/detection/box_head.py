"""Fast R-CNN's heads: a region's map to one vector, the vector to classes and boxes.

References
----------
Girshick: Fast R-CNN, ICCV 2015, section 2.1. Li et al.: Benchmarking detection transfer learning, 2021: the head with convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ... import functional, ops
from ...errors import ShapeError
from ...nn import Conv2d, Flatten, Linear, Module, ReLU, Sequential, init
from ...tensor import Tensor

__all__ = ["FastRCNNConvFCHead", "FastRCNNPredictor", "TwoMLPHead"]


class TwoMLPHead(Module):
    """Two linear layers with ReLU.

    Shapes
    ------
    (K, C, H, W) with C H W = in_channels -> (K, representation_size)
    """

    def __init__(self, in_channels: int, representation_size: int) -> None:
        super().__init__()
        self.fc6 = Linear(in_channels, representation_size, activation="relu")
        self.fc7 = Linear(representation_size, representation_size, activation="relu")

    def forward(self, x: Tensor) -> Tensor:
        """A vector a region."""
        y: Tensor = self.fc7(self.fc6(x.flatten(1)))
        return y


class FastRCNNConvFCHead(Sequential):
    """3x3 convolutions, then linear layers, each with ReLU.

    Shapes
    ------
    (K, *input_size) -> (K, fc_layers[-1])
    """

    def __init__(
        self,
        input_size: tuple[int, int, int],
        conv_layers: Sequence[int],
        fc_layers: Sequence[int],
        norm_layer: Callable[[int], Module] | None = None,
    ) -> None:
        channels, height, width = input_size
        layers: list[Module] = []
        for maps in conv_layers:
            layers.append(ops.Conv2dNormActivation(channels, maps, norm_layer=norm_layer))
            channels = maps
        layers.append(Flatten())
        features = channels * height * width
        for units in fc_layers:
            layers += [Linear(features, units), ReLU()]
            features = units
        super().__init__(*layers)
        start_convolutions(self)


def start_convolutions(module: Module) -> None:
    """He's rule by fan-out, biases 0."""
    for layer in module.modules():
        if isinstance(layer, Conv2d):
            init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                init.zeros_(layer.bias)


class FastRCNNPredictor(Module):
    """Class logits, and four box numbers for every class.

    Shapes
    ------
    (K, in_channels) -> (K, num_classes), (K, 4 num_classes)

    Parameters
    ----------
    num_classes : int
        With the background, which is class 0.
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = Linear(in_channels, num_classes)
        self.bbox_pred = Linear(in_channels, num_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and numbers."""
        if x.ndim == 4 and x.shape[2:] != (1, 1):
            raise ShapeError(f"FastRCNNPredictor: x has shape {x.shape}; it must be (K, features) or (K, features, 1, 1)")
        vector = functional.flatten(x, 1)
        return self.cls_score(vector), self.bbox_pred(vector)
