"""The 27 convolution layers that the benchmarks time: where each stands in its network is in its name."""

from typing import NamedTuple


class ConvShape(NamedTuple):
    """One layer: `channels` inputs on a square map of `size` pixels, `filters` outputs, a square kernel."""

    name: str
    images: int
    channels: int
    size: int
    filters: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        """(N, C_in, H, W)."""
        return self.images, self.channels, self.size, self.size

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(C_out, C_in/groups, K_h, K_w)."""
        return self.filters, self.channels // self.groups, self.kernel, self.kernel

    @property
    def output_size(self) -> int:
        """Rows, and columns, of the output."""
        return (self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    @property
    def operations(self) -> int:
        """Multiplications and additions of the forward pass."""
        taps = self.channels // self.groups * self.kernel**2
        return 2 * self.images * self.filters * self.output_size**2 * taps


CONV_SHAPES = (
    ConvShape("LeNet c1 b64", 64, 1, 28, 6, 5, padding=2),
    ConvShape("LeNet c2 b64", 64, 6, 14, 16, 5),
    ConvShape("ResNet-20 stem b128", 128, 3, 32, 16, 3, padding=1),
    ConvShape("ResNet-20 16@32 b128", 128, 16, 32, 16, 3, padding=1),
    ConvShape("ResNet-20 16->32 s2 b128", 128, 16, 32, 32, 3, stride=2, padding=1),
    ConvShape("ResNet-20 16->32 1x1 s2 b128", 128, 16, 32, 32, 1, stride=2),
    ConvShape("ResNet-20 32@16 b128", 128, 32, 16, 32, 3, padding=1),
    ConvShape("ResNet-20 32->64 s2 b128", 128, 32, 16, 64, 3, stride=2, padding=1),
    ConvShape("ResNet-20 32->64 1x1 s2 b128", 128, 32, 16, 64, 1, stride=2),
    ConvShape("ResNet-20 64@8 b128", 128, 64, 8, 64, 3, padding=1),
    ConvShape("VGG 64@56 b1", 1, 64, 56, 64, 3, padding=1),
    ConvShape("VGG 64@56 b8", 8, 64, 56, 64, 3, padding=1),
    ConvShape("VGG 128@28 b1", 1, 128, 28, 128, 3, padding=1),
    ConvShape("VGG 128@28 b8", 8, 128, 28, 128, 3, padding=1),
    ConvShape("ResNet-50 256@14 b1", 1, 256, 14, 256, 3, padding=1),
    ConvShape("ResNet-50 256@14 b8", 8, 256, 14, 256, 3, padding=1),
    ConvShape("ResNet-50 512@7 b1", 1, 512, 7, 512, 3, padding=1),
    ConvShape("ResNet-50 512@7 b8", 8, 512, 7, 512, 3, padding=1),
    ConvShape("ResNet-50 256->64 1x1 @56 b1", 1, 256, 56, 64, 1),
    ConvShape("ResNet-50 64->256 1x1 @56 b4", 4, 64, 56, 256, 1),
    ConvShape("ResNet-50 stem 7x7 s2 @224 b1", 1, 3, 224, 64, 7, stride=2, padding=3),
    ConvShape("ResNet-50 stem 7x7 s2 @224 b4", 4, 3, 224, 64, 7, stride=2, padding=3),
    ConvShape("ResNeXt 128@56 32 groups b1", 1, 128, 56, 128, 3, padding=1, groups=32),
    ConvShape("ResNeXt 256@28 32 groups b4", 4, 256, 28, 256, 3, padding=1, groups=32),
    ConvShape("dilated 2 256@28 b1", 1, 256, 28, 256, 3, padding=2, dilation=2),
    ConvShape("dilated 4 64@56 b1", 1, 64, 56, 64, 3, padding=4, dilation=4),
    ConvShape("VGG stem 3->64 @224 b1", 1, 3, 224, 64, 3, padding=1),
)
