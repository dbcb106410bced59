"""A convolutional autoencoder: an image squeezed into a small code and drawn again from it.

References
----------
Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks".
Masci, Meier, Ciresan and Schmidhuber 2011, "Stacked convolutional auto-encoders for hierarchical feature extraction".

Differs from the papers: strides instead of pooling, transposed convolutions upwards, trained as a whole.
"""

from __future__ import annotations

from typing import Any

from ... import functional as F
from ...errors import ArgumentError
from ...nn import Conv2d, ConvTranspose2d, Module, ReLU, Sequential, fuse
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images

__all__ = ["ConvAutoencoder", "conv_autoencoder"]


class ConvAutoencoder(Module):
    """`encode` halves the sides `depth` times and ends in `code_channels` maps; `decode` doubles them as often.

    Shapes
    ------
    (N, in_channels, H, W) -> code (N, code_channels, H / 2^depth, W / 2^depth) -> (N, in_channels, H, W); H and W multiples of 2^depth

    Parameters
    ----------
    in_channels : int
        Of the images.
    code_channels : int
        Maps of the code.
    width : int
        Maps of the first layer; each further one has twice as many.
    depth : int
        How often the sides are halved.

    Raises
    ------
    ArgumentError
        For a number below 1.
    """

    def __init__(self, in_channels: int = 1, code_channels: int = 2, width: int = 16, depth: int = 2) -> None:
        super().__init__()
        if min(in_channels, code_channels, width, depth) < 1:
            given = f"{in_channels}, {code_channels}, {width}, {depth}"
            raise ArgumentError(f"conv_autoencoder: in_channels, code_channels, width and depth must be 1 or more, not {given}")
        self.in_channels, self.depth = in_channels, depth
        widths = [width * 2**level for level in range(depth)]
        down: list[Module] = []
        for before, after in zip([in_channels, *widths], widths):
            down += [Conv2d(before, after, 3, stride=2, padding=1), ReLU()]
        self.encoder = Sequential(*down, Conv2d(widths[-1], code_channels, 3, padding=1))
        up: list[Module] = []
        for before, after in zip([code_channels, *reversed(widths)], reversed(widths)):
            up += [ConvTranspose2d(before, after, 2, stride=2), ReLU()]
        self.decoder = Sequential(*up, Conv2d(width, in_channels, 3, padding=1))
        fuse(self)

    def encode(self, input: Any) -> Tensor:
        """The code of images."""
        side = 2**self.depth
        require_images("conv_autoencoder", input, self.in_channels, side, f"stride number {self.depth}")
        height, width = input.shape[2:]
        if height % side or width % side:
            raise ArgumentError(f"conv_autoencoder: images of {height}x{width} do not halve {self.depth} times; make the sides multiples of {side}")
        code: Tensor = self.encoder(input)
        return code

    def decode(self, code: Any) -> Tensor:
        """The images of codes, from 0 to 1."""
        return F.sigmoid(self.decoder(code))

    def forward(self, input: Any) -> Tensor:
        """The images as the code remembers them."""
        return self.decode(self.encode(input))


@builder(image_size=28, task="restoration")
def conv_autoencoder(in_channels: int = 1, *, code_channels: int = 2, width: int = 16, depth: int = 2) -> ConvAutoencoder:
    """A convolutional autoencoder: 28x28 pixels in a code of 2x7x7 numbers; options as in `ConvAutoencoder`.

    Examples
    --------
    >>> import numpy as np
    >>> conv_autoencoder().encode(np.zeros((1, 1, 28, 28), np.float32)).shape
    (1, 2, 7, 7)
    """
    return ConvAutoencoder(in_channels, code_channels, width, depth)
