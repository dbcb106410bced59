"""Small networks that published models are made of, with torchvision's names and keys."""

from collections.abc import Callable, Sequence
from typing import Any

from .. import nn
from ..errors import ArgumentError
from ..functional._arguments import pair
from ..tensor import Tensor

__all__ = ["MLP", "Conv2dNormActivation", "SqueezeExcitation"]

Layer = Callable[..., nn.Module]
Size = int | tuple[int, int]


class Conv2dNormActivation(nn.Sequential):
    """Convolution, normalisation and activation, one after another.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H_out, W_out); the size stays where the stride is 1 and the kernel odd.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, groups, dilation
        As in `nn.Conv2d`.
    padding : int, (height, width) or str, optional
        (kernel_size - 1) // 2 * dilation if left out.
    norm_layer : layer, optional
        Made with the number of channels; None leaves it out.
    activation_layer : layer, optional
        Made without arguments, or with `inplace`; None leaves it out.
    inplace : bool, optional
        Handed to the activation unless None; changes nothing.
    bias : bool, optional
        Of the convolution; if left out, only where no normalisation follows.

    Examples
    --------
    >>> from tinycnn import nn, ops
    >>> ops.Conv2dNormActivation(3, 8, 3, stride=2, norm_layer=None, activation_layer=nn.Tanh, inplace=None)
    Conv2dNormActivation(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
      (1): Tanh()
    )
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Size | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: Size = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        kernel, apart = (pair("Conv2dNormActivation", word, value, 1) for word, value in (("kernel_size", kernel_size), ("dilation", dilation)))
        if padding is None:
            padding = ((kernel[0] - 1) // 2 * apart[0], (kernel[1] - 1) // 2 * apart[1])
        biased = norm_layer is None if bias is None else bias
        layers: list[nn.Module] = [nn.Conv2d(in_channels, out_channels, kernel, stride, padding, apart, groups, biased)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels


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
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Any) -> Tensor:
        """The input with its channels weighed."""
        scale = self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input)))))
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
