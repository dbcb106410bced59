"""The image transformation network of fast style transfer: one pass instead of an optimisation; keys of PyTorch's published example.

References
----------
Johnson, Alahi and Fei-Fei 2016, "Perceptual losses for real-time style transfer and super-resolution" (arXiv 1603.08155), supplementary table 1.
Ulyanov, Vedaldi and Lempitsky 2016, "Instance normalization: the missing ingredient for fast stylization" (arXiv 1607.08022).

Differs from the paper: instance instead of batch normalisation; repetition and a convolution instead of the transposed convolutions, which leave
checkerboards; reflection padding in every layer instead of 40 pixels in front; no tanh at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import functional as F
from ..errors import ArgumentError
from ..nn import Conv2d, InstanceNorm2d, Module, ReflectionPad2d, init
from ..tensor import Tensor
from .registry import builder
from .sizes import require_images

__all__ = ["TransformNet", "fast_style"]

WHITE = 255.0  # inside, pixels are from 0 to 255, as in the published files


class PaddedConv(Module):
    """A convolution that keeps the size (or halves it), with the image reflected around; before it the image may be enlarged.

    Shapes
    ------
    (N, before, H, W) -> (N, after, H upsample / stride, W upsample / stride)
    """

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, upsample: int = 1) -> None:
        super().__init__()
        self.upsample = upsample
        self.reflection_pad = ReflectionPad2d(kernel // 2)
        self.conv2d = Conv2d(before, after, kernel, stride)

    def forward(self, input: Tensor) -> Any:
        """The maps."""
        x = F.interpolate(input, scale_factor=self.upsample) if self.upsample > 1 else input
        return self.conv2d(self.reflection_pad(x))


class StyleResidual(Module):
    """Two convolutions with instance normalisation, added to the input; no ReLU behind the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = PaddedConv(channels, channels, 3)
        self.in1 = InstanceNorm2d(channels, affine=True)
        self.conv2 = PaddedConv(channels, channels, 3)
        self.in2 = InstanceNorm2d(channels, affine=True)

    def forward(self, input: Tensor) -> Tensor:
        """Input and what was added to it."""
        added: Tensor = self.in2(self.conv2(F.relu(self.in1(self.conv1(input)))))
        return added + input


class TransformNet(Module):
    """Two halvings, residual blocks, two doublings; gives a stylised image of the input's size.

    Shapes
    ------
    (N, 3, H, W) from 0 to 1 -> (N, 3, H, W), about 0 to 1; H and W multiples of 4, at least 16

    Parameters
    ----------
    width : int
        Maps of the first layer; the blocks have four times as many.
    blocks : int
        Residual blocks.

    Raises
    ------
    ArgumentError
        For a number below 1.
    """

    def __init__(self, width: int = 32, blocks: int = 5) -> None:
        super().__init__()
        if width < 1 or blocks < 1:
            raise ArgumentError(f"fast_style: width and blocks must be 1 or more, not {width} and {blocks}; the paper has 32 and 5")
        self.blocks = blocks
        self.conv1, self.in1 = PaddedConv(3, width, 9), InstanceNorm2d(width, affine=True)
        self.conv2, self.in2 = PaddedConv(width, 2 * width, 3, 2), InstanceNorm2d(2 * width, affine=True)
        self.conv3, self.in3 = PaddedConv(2 * width, 4 * width, 3, 2), InstanceNorm2d(4 * width, affine=True)
        for number in range(1, blocks + 1):
            self.add_module(f"res{number}", StyleResidual(4 * width))
        self.deconv1, self.in4 = PaddedConv(4 * width, 2 * width, 3, upsample=2), InstanceNorm2d(2 * width, affine=True)
        self.deconv2, self.in5 = PaddedConv(2 * width, width, 3, upsample=2), InstanceNorm2d(width, affine=True)
        self.deconv3 = PaddedConv(width, 3, 9)
        bias = self.deconv3.conv2d.bias
        assert bias is not None  # a convolution has one unless told otherwise
        init.constant_(bias, WHITE / 2)  # it starts around grey, not black

    def forward(self, input: Any) -> Tensor:
        """The stylised images."""
        require_images("fast_style", input, 3, 16, "the last residual block")
        height, width = input.shape[2:]
        if height % 4 or width % 4:
            raise ArgumentError(f"fast_style: images of {height}x{width} do not halve twice; make the sides multiples of 4")
        x = F.mul(input, WHITE)
        x = F.relu(self.in1(self.conv1(x)))
        x = F.relu(self.in2(self.conv2(x)))
        x = F.relu(self.in3(self.conv3(x)))
        for number in range(1, self.blocks + 1):
            x = self.get_submodule(f"res{number}")(x)
        x = F.relu(self.in4(self.deconv1(x)))
        x = F.relu(self.in5(self.deconv2(x)))
        return F.mul(self.deconv3(x), 1 / WHITE)

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        """Files of PyTorch before 0.4 hold running statistics that instance normalisation never used."""
        return {key: value for key, value in state_dict.items() if not key.endswith((".running_mean", ".running_var"))}


@builder(image_size=256, task="style")
def fast_style(*, width: int = 32, blocks: int = 5) -> TransformNet:
    """Fast style transfer's network: 1,679,235 parameters; options as in `TransformNet`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> sum(parameter.numel() for parameter in nn.utils.skip_init(fast_style).parameters())
    1679235
    """
    return TransformNet(width, blocks)
