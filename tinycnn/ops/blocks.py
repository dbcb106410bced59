"""Small networks that published models are made of, with torchvision's names and keys."""

from collections.abc import Callable, Sequence
from typing import Any

from .. import nn
from ..errors import ArgumentError
from ..functional import mean
from ..tensor import Tensor

__all__ = ["MLP", "SqueezeExcitation"]

Layer = Callable[..., nn.Module]


class SqueezeExcitation(nn.Module):
    """Weigh the channels by a small network that sees their means.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W)

    Formula
    -------
    s = scale_activation(W2 activation(W1 mean_{h, w} x + b1) + b2); y[n, c, h, w] = s[n, c] x[n, c, h, w]

    Parameters
    ----------
    input_channels, squeeze_channels : int
        C, and the channels in between.
    activation, scale_activation : layer
        Made without arguments.

    References
    ----------
    Hu, Shen and Sun 2018, "Squeeze-and-excitation networks", figure 2.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> block = ops.SqueezeExcitation(8, 2)
    >>> block(np.ones((1, 8, 3, 3), np.float32)).shape, sorted(block.state_dict())
    ((1, 8, 3, 3), ['fc1.bias', 'fc1.weight', 'fc2.bias', 'fc2.weight'])
    """

    def __init__(self, input_channels: int, squeeze_channels: int, activation: Layer = nn.ReLU, scale_activation: Layer = nn.Sigmoid) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Any) -> Tensor:
        """The input with its channels weighed."""
        squeezed = mean(input, (2, 3), keepdim=True)
        scale = self.scale_activation(self.fc2(self.activation(self.fc1(squeezed))))
        result: Tensor = scale * input
        return result


class MLP(nn.Sequential):
    """Linear layers one after another, each but the last with its norm, activation and dropout.

    Shapes
    ------
    (..., in_channels) -> (..., hidden_channels[-1])

    Parameters
    ----------
    in_channels : int
        Numbers in a row of the input.
    hidden_channels : list of int
        Numbers after each linear layer.
    norm_layer : layer, optional
        Made with the number of channels.
    activation_layer : layer
        Made without arguments, or with `inplace`.
    inplace : bool, optional
        Handed to activation and dropout where given; changes nothing.
    bias : bool
        Of the linear layers.
    dropout : float
        Probability of the dropout layers, the one at the end included.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.MLP(4, [8, 2])
    MLP(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Dropout(p=0.0, inplace=False)
      (3): Linear(in_features=8, out_features=2, bias=True)
      (4): Dropout(p=0.0, inplace=False)
    )
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        norm_layer: Layer | None = None,
        activation_layer: Layer | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        if not hidden_channels:
            raise ArgumentError("MLP: hidden_channels is empty; name at least the number of outputs")
        options = {} if inplace is None else {"inplace": inplace}
        layers: list[nn.Module] = []
        for channels in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, channels, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(channels))
            if activation_layer is not None:
                layers.append(activation_layer(**options))
            layers.append(nn.Dropout(dropout, **options))
            in_channels = channels
        layers += [nn.Linear(in_channels, hidden_channels[-1], bias=bias), nn.Dropout(dropout, **options)]
        super().__init__(*layers)
