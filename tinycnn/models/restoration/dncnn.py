"""DnCNN: a plain stack of 3x3 convolutions that learns the noise, not the image.

References
----------
Zhang, Zuo, Chen, Meng and Zhang 2017, "Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising" (arXiv 1608.03981).

Differs from the paper: by default without batch normalisation, as the published files have it merged into the convolutions; `batch_norm=True`
builds what the paper trains.
"""

from __future__ import annotations

from ...errors import ArgumentError
from ...nn import BatchNorm2d, Conv2d, Module, ReLU, Sequential, fuse, init
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images

__all__ = ["DnCNN", "dncnn"]


class DnCNN(Module):
    """Convolutions of one width; the output is the input minus what they see as noise.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, in_channels, H, W)

    Formula
    -------
    u = z - R(z): R has `depth` convolutions 3x3, a ReLU behind all but the last

    Parameters
    ----------
    in_channels : int
        1 for grey, 3 for colour.
    depth : int
        Convolutions; 17 for one level of noise, 20 for a network that meets many.
    width : int
        Maps of the hidden layers.
    batch_norm : bool
        Whether batch normalisation stands behind each hidden convolution but the first, which then has no bias.

    Raises
    ------
    ArgumentError
        For fewer than 2 layers or no maps.
    """

    def __init__(self, in_channels: int = 1, depth: int = 17, width: int = 64, *, batch_norm: bool = False) -> None:
        super().__init__()
        if depth < 2 or width < 1 or in_channels < 1:
            raise ArgumentError(f"dncnn: needs depth >= 2, width and in_channels >= 1, got {depth}, {width}, {in_channels}; the paper has 17, 64")
        self.in_channels = in_channels
        layers: list[Module] = [Conv2d(in_channels, width, 3, padding=1), ReLU()]
        for _ in range(depth - 2):
            layers.append(Conv2d(width, width, 3, padding=1, bias=not batch_norm))
            layers += [BatchNorm2d(width)] if batch_norm else []
            layers.append(ReLU())
        layers.append(Conv2d(width, in_channels, 3, padding=1))
        self.model = Sequential(*layers)
        for layer in layers:
            if isinstance(layer, Conv2d):
                init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    init.zeros_(layer.bias)
        fuse(self)

    def noise(self, input: Tensor) -> Tensor:
        """What the network takes for noise."""
        require_images("dncnn", input, self.in_channels, 1, "the first layer")
        found: Tensor = self.model(input)
        return found

    def forward(self, input: Tensor) -> Tensor:
        """The image without it."""
        noise = self.noise(input)
        return (input if isinstance(input, Tensor) else Tensor(input)) - noise


@builder(image_size=180, task="restoration")
def dncnn(in_channels: int = 1, *, depth: int = 17, width: int = 64, batch_norm: bool = False) -> DnCNN:
    """DnCNN-S: 555,137 parameters; the file dncnn_25.pth loads as it is and gives 30.44 dB on Set12 at sigma 25.

    Parameters
    ----------
    in_channels, depth, width, batch_norm
        As in `DnCNN`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> sum(parameter.numel() for parameter in nn.utils.skip_init(dncnn).parameters())
    555137
    """
    return DnCNN(in_channels, depth, width, batch_norm=batch_norm)
