"""VGG without its classifier, as FCN, DeconvNet and SegNet begin; and how a trained VGG gets into it.

References
----------
Simonyan and Zisserman 2015, table 1, configuration D. Long, Shelhamer and Darrell 2015, section 3.1: linear layers as convolutions.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ...errors import ArgumentError
from ...nn import BatchNorm2d, Conv2d, ConvTranspose2d, Linear, Module, ModuleList, ReLU, Sequential, fuse, init
from ..sizes import require_width, scaled
from ..vgg import CONFIGURATIONS

__all__ = ["convolutionalise", "copy_convolutions", "he_start", "vgg_stages"]


def conv_block(in_channels: int, out_channels: int, batch_norm: bool, padding: int = 1) -> list[Module]:
    """A 3x3 convolution, batch normalisation where asked for, and ReLU."""
    norm: list[Module] = [BatchNorm2d(out_channels)] if batch_norm else []
    return [Conv2d(in_channels, out_channels, 3, padding=padding), *norm, ReLU()]


def stage_of(channels: Sequence[int], batch_norm: bool, padding: int = 1) -> Sequential:
    """Convolutions through a list of channels; the first pads its image by `padding`, the others by 1."""
    layers: list[Module] = []
    for number, (before, after) in enumerate(itertools.pairwise(channels)):
        layers += conv_block(before, after, batch_norm, padding if number == 0 else 1)
    return fuse(Sequential(*layers))


def vgg_stages(
    network: str, in_channels: int, width: float = 1.0, batch_norm: bool = False, padding: int = 1, depth: int = 16
) -> tuple[ModuleList, list[list[int]]]:
    """The convolutions of VGG, a Sequential for each stage between poolings, and the channels that go through each.

    Parameters
    ----------
    network
        Who asks.
    in_channels
        Of the images.
    width
        Multiplies all channels.
    batch_norm
        Whether batch normalisation follows every convolution.
    padding
        Of the very first convolution, in pixels.
    depth
        11, 13, 16 or 19: the configuration.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> stages, channels = vgg_stages("me", 3, width=0.125)
    >>> len(stages), channels[0], channels[4]
    (5, [3, 8, 8], [64, 64, 64, 64])
    """
    require_width(network, width)
    channels, below = [], in_channels
    for stage in CONFIGURATIONS[depth]:
        channels.append([below, *(scaled(maps, width) for maps in stage)])
        below = channels[-1][-1]
    return ModuleList([stage_of(line, batch_norm, padding if n == 0 else 1) for n, line in enumerate(channels)]), channels


def he_start(model: Module) -> None:
    """He's rule for every convolution, biases 0; transposed convolutions that interpolate keep what they have.

    Formula
    -------
    std = sqrt(2 / N), N the numbers that enter one output
    """
    for module in model.modules():
        if isinstance(module, Conv2d) or (isinstance(module, ConvTranspose2d) and module.bias is not None):
            init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                init.zeros_(module.bias)


def convolutionalise(linear: Linear, kernel_size: int) -> Conv2d:
    """The convolution that does at every place what a linear layer does to one map of kernel_size x kernel_size.

    Shapes
    ------
    (N, C, H, W) -> (N, out_features, H - kernel_size + 1, W - kernel_size + 1), C = in_features / kernel_size^2

    Formula
    -------
    weight[o, c, i, j] = linear.weight[o, (c k + i) k + j]

    Parameters
    ----------
    linear
        Left as it is.
    kernel_size
        Rows and columns of the map that it was trained on.

    Raises
    ------
    ArgumentError
        If in_features is no multiple of kernel_size^2.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn.nn import Linear
    >>> linear, image = Linear(3 * 4, 5), np.ones((1, 3, 2, 2), np.float32)
    >>> conv = convolutionalise(linear, 2)
    >>> bool(np.allclose(conv(image).data[0, :, 0, 0], linear(image.reshape(1, 12)).data[0], atol=1e-6))
    True
    """
    out_features, in_features = linear.weight.shape
    if kernel_size < 1 or in_features % kernel_size**2:
        raise ArgumentError(f"convolutionalise: {in_features} inputs are no whole number of {kernel_size}x{kernel_size} maps")
    conv = Conv2d(in_features // kernel_size**2, out_features, kernel_size, bias=linear.bias is not None)
    conv.weight.data = linear.weight.data.reshape(conv.weight.shape).copy()
    if linear.bias is not None and conv.bias is not None:
        conv.bias.data = linear.bias.data.copy()
    return conv


def copy_convolutions(source: Any, target: Any) -> int:
    """Copy weights and biases of 3x3 convolutions in their order, from VGG's `features` into stages; returns how many.

    Raises
    ------
    ArgumentError
        If the two differ in number or shapes.
    """
    pairs = [[layer for layer in model.modules() if isinstance(layer, Conv2d)] for model in (source, target)]
    shapes = [[layer.weight.shape for layer in layers] for layers in pairs]
    if shapes[0] != shapes[1]:
        raise ArgumentError(
            f"copy_convolutions: {len(shapes[0])} convolutions cannot fill {len(shapes[1])} of other shapes; take a VGG of the same depth and width"
        )
    for theirs, ours in zip(*pairs, strict=True):
        ours.weight.data[...] = theirs.weight.data
        if ours.bias is not None and theirs.bias is not None:
            ours.bias.data[...] = theirs.bias.data
    return len(shapes[0])
