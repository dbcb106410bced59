"""GoogLeNet, or Inception v1: modules of 1x1, 3x3 and 5x5 convolutions side by side, made cheap by 1x1 convolutions in front.

References
----------
Szegedy et al. 2015, "Going deeper with convolutions", table 1: the layers; figure 2 (a) the naive module, (b) the one with reduced dimensions;
section 5 the side branches and their weight of 0.3 in the loss.

Differs from the paper:
  - As in torchvision, whose weights were Google's: batch normalisation behind every convolution and no response normalisation; in the place of
    the 5x5 convolutions there are 3x3 ones, a slip in the port that its weights have kept. `large_kernel=5` builds the paper's.
  - Dropout of 0.2 in front of the last layer, where table 1 has 40 %.
  - The side branches pool to a grid of 4x4 whatever the size of the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import functional
from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, Conv2d, Dropout, Linear, Module, init
from ..tensor import Tensor
from .inception_blocks import Branches, Conv, Step, build_step, conv_bn_relu, require_rgb, to_inception_range
from .registry import builder
from .sizes import require_images, require_width, scaled

__all__ = ["GoogLeNet", "GoogLeNetOutputs", "Inception", "InceptionNaive", "googlenet", "googlenet_cifar"]


# Table 1 above the modules; sizes are for 224x224: 112 -> 56 -> 56 -> 56 -> 28.
STEM: tuple[tuple[str, Step], ...] = (
    ("conv1", Conv(64, 7, 2)),
    ("maxpool1", "max/2 ceil"),
    ("conv2", Conv(64)),
    ("conv3", Conv(192, 3)),
    ("maxpool2", "max/2 ceil"),
)
# The same for 32x32 images: 32 -> 16 -> 16 -> 16.
STEM_CIFAR: tuple[tuple[str, Step], ...] = (("conv1", Conv(64, 3)), ("maxpool1", "max/2 ceil"), ("conv2", Conv(64)), ("conv3", Conv(192, 3)))

# Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj; 28 -> 14 -> 7 for 224x224 images.
MODULES: tuple[tuple[str, tuple[int, ...] | str], ...] = (
    ("inception3a", (64, 96, 128, 16, 32, 32)),
    ("inception3b", (128, 128, 192, 32, 96, 64)),
    ("maxpool3", "max/2 ceil"),
    ("inception4a", (192, 96, 208, 16, 48, 64)),
    ("inception4b", (160, 112, 224, 24, 64, 64)),
    ("inception4c", (128, 128, 256, 24, 64, 64)),
    ("inception4d", (112, 144, 288, 32, 64, 64)),
    ("inception4e", (256, 160, 320, 32, 128, 128)),
    ("maxpool4", "max 2x2"),
    ("inception5a", (256, 160, 320, 32, 128, 128)),
    ("inception5b", (384, 192, 384, 48, 128, 128)),
)
SIDE_BRANCHES = {"inception4a": "aux1", "inception4d": "aux2"}  # behind which module each hangs


class GoogLeNetOutputs(NamedTuple):
    """What GoogLeNet gives in training mode: its logits, and those of the side branches, the one nearer to the end first."""

    logits: Tensor
    aux_logits2: Tensor | None
    aux_logits1: Tensor | None


class Inception(Branches):
    """The module of figure 2 (b): 1x1 convolutions reduce the maps before the expensive convolutions.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W)

    Parameters
    ----------
    in_channels, ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj : int
        The columns of table 1.
    width : float
        Multiplies all of them but in_channels.
    large_kernel : int
        Of the third branch: 5, the paper's, or 3, as in torchvision's weights.

    Examples
    --------
    >>> module = Inception(192, 64, 96, 128, 16, 32, 32)  # inception (3a)
    >>> module.out_channels, sum(p.numel() for name, p in module.named_parameters() if "conv" in name)  # table 1 says 159K
    (256, 163328)
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        *,
        width: float = 1.0,
        large_kernel: int = 5,
    ) -> None:
        if large_kernel not in (3, 5):
            raise ArgumentError(f"Inception: large_kernel must be 5, the paper's, or 3, torchvision's, not {large_kernel!r}")
        branches: dict[str, tuple[Step, ...]] = {
            "branch1": (Conv(ch1x1),),
            "branch2": (Conv(ch3x3red), Conv(ch3x3, 3)),
            "branch3": (Conv(ch5x5red), Conv(ch5x5, large_kernel)),
            "branch4": ("max", Conv(pool_proj)),
        }
        super().__init__(in_channels, branches, width)


class InceptionNaive(Branches):
    """The module of figure 2 (a): every convolution sees all maps, and all maps are passed on besides.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, ch1x1 + ch3x3 + ch5x5 + in_channels, H, W)

    Parameters
    ----------
    in_channels, ch1x1, ch3x3, ch5x5 : int
        Maps of the input and of the three convolutions.

    Notes
    -----
    Nobody builds a net of these: the pooled maps alone make the output wider than the input, module after module.

    Examples
    --------
    >>> naive, reduced = InceptionNaive(192, 64, 128, 32), Inception(192, 64, 96, 128, 16, 32, 32)
    >>> naive.out_channels, reduced.out_channels
    (416, 256)
    >>> [sum(p.numel() for name, p in module.named_parameters() if "conv" in name) for module in (naive, reduced)]
    [387072, 163328]
    """

    def __init__(self, in_channels: int, ch1x1: int, ch3x3: int, ch5x5: int) -> None:
        super().__init__(in_channels, {"branch1": (Conv(ch1x1),), "branch2": (Conv(ch3x3, 3),), "branch3": (Conv(ch5x5, 5),), "branch4": ("max",)})


class InceptionAux(Module):
    """A side branch: a small classifier on a middle layer's maps, which brings gradient to the layers below it.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)
    """

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.7, width: float = 1.0) -> None:
        super().__init__()
        maps, units = scaled(128, width), scaled(1024, width)
        self.conv = conv_bn_relu(in_channels, Conv(128), width)
        self.fc1 = Linear(maps * 4 * 4, units, activation="relu")
        self.fc2 = Linear(units, num_classes)
        self.dropout = Dropout(dropout)

    def forward(self, input: Tensor) -> Any:
        """This branch's logits."""
        x = self.conv(functional.adaptive_avg_pool2d(input, (4, 4)))
        return self.fc2(self.dropout(self.fc1(x.flatten(1))))


class GoogLeNet(Module):
    """Nine Inception modules, and in training two side branches.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); in training mode with side branches three times that, as `GoogLeNetOutputs`

    Parameters
    ----------
    stem, smallest
        The layers in front of the modules, and the least height and width that this leaves a pixel everywhere.
    width
        Multiplies the channels of all convolutions.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        aux_logits: bool = True,
        transform_input: bool = False,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
        large_kernel: int = 3,
        width: float = 1.0,
        stem: tuple[tuple[str, Step], ...] = STEM,
        smallest: int = 15,
    ) -> None:
        super().__init__()
        require_rgb("googlenet", transform_input, in_channels)
        require_width("googlenet", width)
        self.in_channels = in_channels
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.smallest = smallest
        self._order: list[str] = []
        channels = in_channels
        widths: dict[str, int] = {}
        for name, row in (*stem, *MODULES):
            if isinstance(row, tuple) and not isinstance(row, Conv):
                layer: Module = Inception(channels, *row, width=width, large_kernel=large_kernel)
                channels = layer.out_channels
            else:
                layer, channels = build_step(channels, row, width)
            self.add_module(name, layer)
            self._order.append(name)
            widths[name] = channels
        self._taps = SIDE_BRANCHES if aux_logits else {}
        for tap, name in self._taps.items():
            self.add_module(name, InceptionAux(widths[tap], num_classes, dropout_aux, width))
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout)
        self.fc = Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, Conv2d | Linear):
                init.normal_(module.weight, 0.0, 0.01)  # torchvision's is cut off at 200 standard deviations, which never happens

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image; with the side branches' in training mode."""
        require_images("googlenet", input, self.in_channels, self.smallest, "maxpool3")
        x: Any = to_inception_range(input) if self.transform_input else input
        sides: dict[str, Tensor] = {}
        for name in self._order:
            x = getattr(self, name)(x)
            if self.training and name in self._taps:
                sides[self._taps[name]] = getattr(self, self._taps[name])(x)
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux_logits:
            return GoogLeNetOutputs(logits, sides["aux2"], sides["aux1"])
        return logits

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        """Published files hold the side branches; a net built without them passes over theirs."""
        if self.aux_logits:
            return state_dict
        return {key: value for key, value in state_dict.items() if not key.startswith(tuple(f"{name}." for name in SIDE_BRANCHES.values()))}


@builder
def googlenet(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    aux_logits: bool = True,
    transform_input: bool = False,
    dropout: float = 0.2,
    dropout_aux: float = 0.7,
    large_kernel: int = 3,
    width: float = 1.0,
) -> GoogLeNet:
    """GoogLeNet; 13,004,888 parameters, and 6,624,904 without the side branches.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    aux_logits
        Whether the net has the two side branches, which run in training mode only. Files that hold them load in either case.
    transform_input
        Whether images come normalised with ImageNet's mean and standard deviation, while the weights expect -1 to 1: so with torchvision's.
    dropout, dropout_aux
        Probability of dropping an input of the last layer, and of the side branches' last layers.
    large_kernel
        3 as in torchvision's weights, or 5, the paper's.
    width
        Multiplies the channels of all convolutions.

    Raises
    ------
    ArgumentError
        For another large_kernel, a width that is not above 0, or transform_input without three channels.

    Notes
    -----
    In training mode the output is a `GoogLeNetOutputs`; `tinycnn.train.with_side_branches` weighs each side branch by 0.3, as section 5 says.

    Examples
    --------
    >>> from tinycnn import nn
    >>> model = nn.utils.skip_init(googlenet, aux_logits=False)
    >>> sum(parameter.numel() for parameter in model.parameters())
    6624904
    """
    return GoogLeNet(
        num_classes,
        in_channels,
        aux_logits=aux_logits,
        transform_input=transform_input,
        dropout=dropout,
        dropout_aux=dropout_aux,
        large_kernel=large_kernel,
        width=width,
    )


@builder(image_size=32)
def googlenet_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    aux_logits: bool = False,
    dropout: float = 0.2,
    large_kernel: int = 3,
    width: float = 0.5,
) -> GoogLeNet:
    """GoogLeNet for 32x32 images: half as wide, its modules on grids of 16, 8 and 4; 92 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels, dropout, large_kernel, width
        As in `googlenet`.
    aux_logits
        Whether the net has its side branches, for comparing the two.

    Notes
    -----
    Weights start by He's rule, which suits any width.

    Examples
    --------
    >>> import numpy as np
    >>> googlenet_cifar(width=0.0625).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    model = GoogLeNet(
        num_classes,
        in_channels,
        aux_logits=aux_logits,
        dropout=dropout,
        large_kernel=large_kernel,
        width=width,
        stem=STEM_CIFAR,
        smallest=4,
    )
    for module in model.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model
