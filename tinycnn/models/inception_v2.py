"""Inception v2, or BN-Inception: GoogLeNet with batch normalisation, and two 3x3 convolutions in the place of each 5x5.

References
----------
Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate shift", figure 5 (appendix): the
layers. Neither torchvision nor timm has this net; it is built from the figure.

Differs from the paper:
  - The figure's columns for (4c) and (4d) project their pooled maps to 128, which gives 608 maps, while it says 576, as its (4e) and (5a) need for
    their own 1,024. Here they project to 96, as in Google's TF-Slim: the sizes are the figure's. (The Caffe port has 128, 608 and 1,056.)
  - The first convolution is a plain one; the figure's footnote makes it a separable one with 8 filters a channel.
  - The figure draws (3c) and (4e) with the sizes before their stride; they halve the grid.
  - No side branches: the figure has none.
"Rethinking the Inception architecture" (2016) calls yet another net Inception-v2; its last step is `inception_v3`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..nn import AdaptiveAvgPool2d, Dropout, Linear, Module
from ..tensor import Tensor
from .inception_blocks import Branches, Conv, Step, build_step
from .registry import builder
from .sizes import require_images, require_width

__all__ = ["InceptionV2", "inception_v2"]

# Sizes are for 224x224: 112 -> 56 -> 56 -> 56 -> 28.
STEM: tuple[tuple[str, Step], ...] = (
    ("conv1", Conv(64, 7, 2)),
    ("maxpool1", "max/2 ceil"),
    ("conv2", Conv(64)),
    ("conv3", Conv(192, 3)),
    ("maxpool2", "max/2 ceil"),
)


class Row(NamedTuple):
    """A line of figure 5; a module without 1x1 convolutions halves the grid and passes its pooled maps through."""

    name: str
    ch1x1: int
    ch3x3red: int
    ch3x3: int
    double3x3red: int
    double3x3: int
    pool: str
    pool_proj: int
    out_channels: int  # the figure's "output size", with which the tests compare


MODULES = (
    Row("inception3a", 64, 64, 64, 64, 96, "avg", 32, 256),
    Row("inception3b", 64, 64, 96, 64, 96, "avg", 64, 320),
    Row("inception3c", 0, 128, 160, 64, 96, "max", 0, 576),
    Row("inception4a", 224, 64, 96, 96, 128, "avg", 128, 576),
    Row("inception4b", 192, 96, 128, 96, 128, "avg", 128, 576),
    Row("inception4c", 160, 128, 160, 128, 160, "avg", 96, 576),
    Row("inception4d", 96, 128, 192, 160, 192, "avg", 96, 576),
    Row("inception4e", 0, 128, 192, 192, 256, "max", 0, 1024),
    Row("inception5a", 352, 192, 320, 160, 224, "avg", 128, 1024),
    Row("inception5b", 352, 192, 320, 192, 224, "max", 128, 1024),
)


def module(row: Row, in_channels: int, width: float) -> Branches:
    """The Inception module of a line: up to four branches."""
    stride = 1 if row.ch1x1 else 2
    branches: dict[str, tuple[Step, ...]] = {"branch1": (Conv(row.ch1x1),)} if row.ch1x1 else {}
    branches["branch2"] = (Conv(row.ch3x3red), Conv(row.ch3x3, 3, stride))
    branches["branch3"] = (Conv(row.double3x3red), Conv(row.double3x3, 3), Conv(row.double3x3, 3, stride))
    branches["branch4"] = (row.pool, Conv(row.pool_proj)) if row.ch1x1 else ("max/2 padded",)
    return Branches(in_channels, branches, width)


class InceptionV2(Module):
    """Ten Inception modules.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2, width: float = 1.0) -> None:
        super().__init__()
        require_width("inception_v2", width)
        self.in_channels = in_channels
        self.smallest = 7
        self._order = [name for name, _ in STEM] + [row.name for row in MODULES]
        channels = in_channels
        for name, step in STEM:
            layer, channels = build_step(channels, step, width)  # type: ignore[arg-type]
            self.add_module(name, layer)
        for row in MODULES:
            block = module(row, channels, width)
            channels = block.out_channels
            self.add_module(row.name, block)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout)
        self.fc = Linear(channels, num_classes)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images("inception_v2", input, self.in_channels, self.smallest, "maxpool2")
        x: Any = input
        for name in self._order:
            x = getattr(self, name)(x)
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))


@builder
def inception_v2(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2, width: float = 1.0) -> InceptionV2:
    """Inception v2, the net of the batch normalisation paper; 11,194,984 parameters.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    dropout
        Probability of dropping an input of the last layer; the paper trains with little, or none.
    width
        Multiplies the channels of all convolutions.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> inception_v2(10, width=0.0625).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return InceptionV2(num_classes, in_channels, dropout=dropout, width=width)
