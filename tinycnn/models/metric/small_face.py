"""A small network for faces of about 56x46 pixels: matching networks' blocks with growing widths, and a linear layer to the vector.

References
----------
None: a network of this project, sized for the 400 pictures of the ORL set (Samaria and Harter 1994, "Parameterisation of a stochastic model
for human face identification"). The blocks are those of Vinyals et al. 2016.
"""

from __future__ import annotations

from ...errors import ArgumentError
from ...nn import Linear
from ...tensor import Tensor
from ..registry import builder
from .vinyals import BlockEmbedding

__all__ = ["FaceEmbedding", "small_face"]

WIDTHS = (16, 32, 64, 64)


class FaceEmbedding(BlockEmbedding):
    """Four blocks and a linear layer.

    Shapes
    ------
    (N, in_channels, *image_size) -> (N, features)
    """

    def __init__(self, in_channels: int = 1, features: int = 64, image_size: int | tuple[int, int] = 56) -> None:
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        if min(height, width) < 2 ** len(WIDTHS) or features < 1:
            raise ArgumentError(f"small_face: image_size={image_size} must be at least 16x16 and features={features} at least 1")
        super().__init__(in_channels, WIDTHS)
        self.image_size = (int(height), int(width))
        self.project = Linear(WIDTHS[-1] * (height // 16) * (width // 16), features)

    def forward(self, input: Tensor) -> Tensor:
        """One vector a picture."""
        return self.project(super().forward(input))


@builder(image_size=56, task="embedding")
def small_face(in_channels: int = 1, *, features: int = 64, image_size: int | tuple[int, int] = 56) -> FaceEmbedding:
    """The face network; 85,216 parameters for grey pictures of 56x46, the ORL faces halved.

    Parameters
    ----------
    in_channels
        1 for grey pictures, 3 for colour.
    features
        Length of the vector.
    image_size
        Pixels a side, or height and width, of the pictures; at least 16 each.

    Examples
    --------
    >>> model = small_face(image_size=(56, 46))
    >>> sum(parameter.numel() for parameter in model.parameters())
    85216
    """
    return FaceEmbedding(in_channels, features, image_size)
