"""The embedding of matching networks: four equal blocks, after which a character of 28x28 pixels is a vector of 64 numbers.

References
----------
Vinyals, Blundell, Lillicrap, Kavukcuoglu and Wierstra 2016, "Matching networks for one shot learning" (arXiv 1606.04080), section 4.1: the
blocks. Snell, Swersky and Zemel 2017, "Prototypical networks for few-shot learning" (arXiv 1703.05175), section 3.1, uses the same.

Differs from the paper: nothing that it states; it names no padding, and 1 keeps the size, as its counts of 64 maps of one pixel ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...nn import BatchNorm2d, Conv2d, MaxPool2d, Module, Sequential, init
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images

__all__ = ["BlockEmbedding", "conv4"]


class BlockEmbedding(Module):
    """Blocks of convolution, batch normalisation, ReLU and pooling; what is left is the vector.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, widths[-1] (H // 2^blocks) (W // 2^blocks))

    Parameters
    ----------
    in_channels : int
        1 for grey pictures.
    widths : sequence of int
        Maps of each block.
    """

    def __init__(self, in_channels: int = 1, widths: Sequence[int] = (64, 64, 64, 64)) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.widths = tuple(widths)
        blocks = []
        for width in self.widths:
            layers = {"conv": Conv2d(in_channels, width, 3, padding=1), "norm": BatchNorm2d(width, activation="relu"), "pool": MaxPool2d(2)}
            init.kaiming_normal_(layers["conv"].weight, mode="fan_out")
            init.zeros_(layers["conv"].bias)
            blocks.append(Sequential(layers))
            in_channels = width
        self.blocks = Sequential(*blocks)

    def forward(self, input: Tensor) -> Tensor:
        """One vector a picture, of any length; the losses and the gallery bring it to length 1 where they need to."""
        require_images(type(self).__name__, input, self.in_channels, 2 ** len(self.widths), f"block {len(self.widths)}")
        return self.blocks(input).flatten(1)


@builder(image_size=28, task="embedding")
def conv4(in_channels: int = 1, *, width: int = 64) -> BlockEmbedding:
    """Four blocks of 64 maps, for Omniglot at 28x28; 111,936 parameters.

    Parameters
    ----------
    in_channels
        1 for grey pictures, 3 for colour.
    width
        Maps of each block.

    Examples
    --------
    >>> model = conv4()
    >>> sum(parameter.numel() for parameter in model.parameters())
    111936
    """
    return BlockEmbedding(in_channels, (width,) * 4)
