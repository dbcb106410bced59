"""ResNet for ImageNet, and what became of its bottleneck: wide ResNet and ResNeXt. The CIFAR networks of the paper are in `resnet_cifar`.

References
----------
He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016; table 1 the layers, figure 5 the two blocks.
Xie, Girshick, Dollar, Tu, He: Aggregated residual transformations for deep neural networks, CVPR 2017; table 1 and figure 3c (ResNeXt).
Zagoruyko, Komodakis: Wide residual networks, BMVC 2016; section 3.3 (WRN-50-2-bottleneck).
Goyal et al.: Accurate, large minibatch SGD, 2017; section 5.1 (`zero_init_residual`).

Differs from the paper: the bottleneck halves the image in its 3x3 convolution, not in the first 1x1, as torchvision and most others do
("ResNet v1.5", about half a percent better); torchvision's ResNeXt-101 64x4d has no row in the paper's table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import functional
from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, FrozenBatchNorm2d, Linear, MaxPool2d, Module, Sequential, init
from ..tensor import Tensor
from .registry import builder

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNet",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]

# Table 1. The stages: name, our key, planes (the output has `expansion` times as many channels), stride.
STAGES = (("conv2_x", "layer1", 64, 1), ("conv3_x", "layer2", 128, 2), ("conv4_x", "layer3", 256, 2), ("conv5_x", "layer4", 512, 2))
# The blocks of each stage, by the number of layers with weights.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}

Norm = Callable[[int], Module]
Stages = Sequence[bool] | None


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> Conv2d:
    """The 3x3 convolution without bias that keeps the image's size where its stride is 1."""
    return Conv2d(in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation, groups=groups, bias=False)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> Conv2d:
    """The 1x1 convolution without bias."""
    return Conv2d(in_channels, out_channels, 1, stride, bias=False)


def make_norm(norm_layer: Norm | None, channels: int, activation: str | None = None) -> Module:
    """A normalisation layer; batch normalisation applies the activation itself, at the store."""
    norm = (norm_layer or BatchNorm2d)(channels)
    if isinstance(norm, BatchNorm2d):
        norm.activation = activation
    return norm


def norm_relu(norm: Module, x: Tensor, residual: Tensor | None = None) -> Tensor:
    """max(0, norm(x) + residual), in one pass where the norm can; another kind of norm may have taken the place of batch normalisation."""
    if isinstance(norm, BatchNorm2d) and norm.activation == "relu":
        return norm(x, residual=residual)
    if isinstance(norm, FrozenBatchNorm2d):
        return norm(x, activation="relu", residual=residual)
    y = norm(x)
    return functional.relu(y if residual is None else y + residual)


class _Block(Module):
    """What both blocks share: how the branch and the shortcut meet."""

    downsample: Module | None
    se: Module | None  # timm's key for whatever weighs the branch: squeeze and excitation, CBAM

    def _meet(self, branch: Tensor, norm: Module, input: Tensor) -> Tensor:
        identity = input if self.downsample is None else self.downsample(input)
        if self.se is None:
            return norm_relu(norm, branch, identity)
        return functional.relu(self.se(norm(branch)) + identity)


class BasicBlock(_Block):
    """Two 3x3 convolutions and a shortcut: figure 5, left.

    Shapes
    ------
    (N, inplanes, H, W) -> (N, planes, H / stride, W / stride)

    Formula
    -------
    y = relu(bn2(conv2(relu(bn1(conv1(x))))) + downsample(x))

    Parameters
    ----------
    inplanes, planes : int
        Channels of input and output.
    stride : int
        Of the first convolution.
    downsample : Module, optional
        The shortcut where the sizes differ; the input itself if left out.
    groups, base_width, dilation : int
        There for the bottleneck's sake: 1, 64 and 1.
    norm_layer : layer, optional
        Made with the number of channels; BatchNorm2d if left out.
    attention : Module, optional
        Weighs the branch before the addition, as in SENet and CBAM.

    Raises
    ------
    ArgumentError
        For groups, a width or a dilation, which only the bottleneck has.

    Examples
    --------
    >>> import numpy as np
    >>> BasicBlock(8, 8)(np.ones((1, 8, 4, 4), np.float32)).shape
    (1, 8, 4, 4)
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
        *,
        attention: Module | None = None,
    ) -> None:
        super().__init__()
        if groups != 1 or base_width != 64 or dilation > 1:
            raise ArgumentError(
                f"BasicBlock: groups={groups}, base_width={base_width} and dilation={dilation} must be 1, 64 and 1; "
                "networks of 50 layers and more have the bottleneck, which takes others"
            )
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = make_norm(norm_layer, planes, "relu")
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = make_norm(norm_layer, planes, "relu" if attention is None else None)
        self.se = attention
        self.downsample = downsample
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Branch plus shortcut, cut off at zero."""
        branch = self.conv2(norm_relu(self.bn1, self.conv1(input)))
        return self._meet(branch, self.bn2, input)


class Bottleneck(_Block):
    """1x1 down, 3x3, 1x1 up, and a shortcut: figure 5, right; with groups the ResNeXt block, with a larger base_width the wide one.

    Shapes
    ------
    (N, inplanes, H, W) -> (N, 4 planes, H / stride, W / stride); in between floor(planes base_width / 64) groups channels

    Formula
    -------
    y = relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + downsample(x))

    Parameters
    ----------
    inplanes, planes, stride, downsample, norm_layer, attention
        As in `BasicBlock`, but the output has 4 planes channels, and the 3x3 convolution has the stride.
    groups : int
        Of the 3x3 convolution: ResNeXt's cardinality.
    base_width : int
        Channels a group in the stage with 64 planes.
    dilation : int
        Of the 3x3 convolution.

    Examples
    --------
    >>> import numpy as np
    >>> block = Bottleneck(256, 64, groups=32, base_width=4)
    >>> block.conv2.weight.shape, block(np.ones((1, 256, 2, 2), np.float32)).shape
    ((128, 4, 3, 3), (1, 256, 2, 2))
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
        *,
        attention: Module | None = None,
    ) -> None:
        super().__init__()
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = make_norm(norm_layer, width, "relu")
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = make_norm(norm_layer, width, "relu")
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = make_norm(norm_layer, planes * self.expansion, "relu" if attention is None else None)
        self.se = attention
        self.downsample = downsample
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """Branch plus shortcut, cut off at zero."""
        x = norm_relu(self.bn1, self.conv1(input))
        x = norm_relu(self.bn2, self.conv2(x))
        return self._meet(self.conv3(x), self.bn3, input)


class ResNet(Module):
    """A residual network for images of about 224x224: a 7x7 convolution, max pooling, four stages of blocks, averages, one linear layer.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); the stages see H/4, H/8, H/16 and H/32

    Parameters
    ----------
    block : BasicBlock or Bottleneck
        The class of the blocks.
    layers : four int
        Blocks in each stage.
    num_classes : int
        Length of the output row.
    zero_init_residual : bool
        Start with the last scale of every branch at 0, so that each block is the identity.
    groups, width_per_group : int
        ResNeXt's cardinality and width; the bottleneck's alone.
    replace_stride_with_dilation : three bool, optional
        For stages 2 to 4: keep the image's size and space the taps out instead, as segmentation wants it.
    norm_layer : layer, optional
        Made with the number of channels; BatchNorm2d if left out.
    in_channels : int
        3 for colour.
    attention : callable, optional
        Makes the module that weighs a branch, from its number of channels.

    Raises
    ------
    ArgumentError
        If `layers` or `replace_stride_with_dilation` has the wrong length, or the block does not take the groups, width or dilation.

    Examples
    --------
    >>> net = ResNet(BasicBlock, (1, 1, 1, 1), num_classes=10)
    >>> net.layer4[0].conv1.weight.shape, net.fc.weight.shape
    ((512, 256, 3, 3), (10, 512))
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Stages = None,
        norm_layer: Norm | None = None,
        *,
        in_channels: int = 3,
        attention: Callable[[int], Module] | None = None,
    ) -> None:
        super().__init__()
        dilated = [False, *(replace_stride_with_dilation or (False, False, False))]
        if len(layers) != 4 or len(dilated) != 4:
            raise ArgumentError(
                f"ResNet: layers={layers!r} must have 4 numbers, one a stage, and replace_stride_with_dilation={replace_stride_with_dilation!r} "
                "3 booleans, for the stages after the first"
            )
        self.conv1 = Conv2d(in_channels, 64, 7, 2, padding=3, bias=False)
        self.bn1 = make_norm(norm_layer, 64, "relu")
        self.maxpool = MaxPool2d(3, 2, padding=1)
        channels, dilation = 64, 1
        for (_, key, planes, stage_stride), count, keep_size in zip(STAGES, layers, dilated, strict=True):
            before, stride = dilation, stage_stride
            if keep_size:
                dilation, stride = dilation * stage_stride, 1
            blocks = []
            for position in range(count):
                first, out = position == 0, planes * block.expansion
                shortcut = projection(channels, out, stride, norm_layer) if first and (stride != 1 or channels != out) else None
                gate = None if attention is None else attention(out)
                apart = before if first else dilation  # the first block still sees the neighbours of the stage before
                step = stride if first else 1
                blocks.append(block(channels, planes, step, shortcut, groups, width_per_group, apart, norm_layer, attention=gate))
                channels = out
            self.add_module(key, Sequential(*blocks))
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.fc = Linear(channels, num_classes)
        start(self, zero_init_residual)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self.maxpool(norm_relu(self.bn1, self.conv1(input)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.flatten(self.avgpool(x)))


def projection(in_channels: int, out_channels: int, stride: int, norm_layer: Norm | None = None) -> Sequential:
    """Option B of the paper: the shortcut between different sizes, a 1x1 convolution and its norm."""
    return Sequential(conv1x1(in_channels, out_channels, stride), make_norm(norm_layer, out_channels))


def start(model: Module, zero_init_residual: bool, mode: str = "fan_out") -> None:
    """He's rule for every convolution; linear layers keep the default."""
    for module in model.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
        if zero_init_residual and isinstance(module, BasicBlock | Bottleneck):
            last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
            if last.weight is not None:
                init.zeros_(last.weight)


@builder
def resnet18(
    num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = False, norm_layer: Norm | None = None
) -> ResNet:
    """ResNet-18; 11,689,512 parameters. The options are `ResNet`'s."""
    return ResNet(BasicBlock, DEPTHS[18], num_classes, zero_init_residual, norm_layer=norm_layer, in_channels=in_channels)


@builder
def resnet34(
    num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = False, norm_layer: Norm | None = None
) -> ResNet:
    """ResNet-34; 21,797,672 parameters. The options are `ResNet`'s."""
    return ResNet(BasicBlock, DEPTHS[34], num_classes, zero_init_residual, norm_layer=norm_layer, in_channels=in_channels)


def _deep(
    depth: int, groups: int, width: int, num_classes: int, in_channels: int, zero_init_residual: bool, dilated: Stages, norm_layer: Norm | None
) -> ResNet:
    """A network of bottlenecks."""
    return ResNet(Bottleneck, DEPTHS[depth], num_classes, zero_init_residual, groups, width, dilated, norm_layer, in_channels=in_channels)


@builder
def resnet50(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """ResNet-50; 25,557,032 parameters. The options are `ResNet`'s."""
    return _deep(50, 1, 64, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def resnet101(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """ResNet-101; 44,549,160 parameters. The options are `ResNet`'s."""
    return _deep(101, 1, 64, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def resnet152(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """ResNet-152; 60,192,808 parameters. The options are `ResNet`'s."""
    return _deep(152, 1, 64, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def resnext50_32x4d(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """ResNeXt-50 with 32 groups of 4 channels; 25,028,904 parameters. The options are `ResNet`'s."""
    return _deep(50, 32, 4, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def resnext101_32x8d(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """ResNeXt-101 with 32 groups of 8 channels; 88,791,336 parameters. The options are `ResNet`'s."""
    return _deep(101, 32, 8, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def resnext101_64x4d(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """ResNeXt-101 with 64 groups of 4 channels; 83,455,272 parameters. The options are `ResNet`'s."""
    return _deep(101, 64, 4, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def wide_resnet50_2(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """Wide ResNet-50-2: twice the channels between the 1x1 convolutions; 68,883,240 parameters. The options are `ResNet`'s."""
    return _deep(50, 1, 128, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)


@builder
def wide_resnet101_2(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    zero_init_residual: bool = False,
    replace_stride_with_dilation: Stages = None,
    norm_layer: Norm | None = None,
) -> ResNet:
    """Wide ResNet-101-2: twice the channels between the 1x1 convolutions; 126,886,696 parameters. The options are `ResNet`'s."""
    return _deep(101, 1, 128, num_classes, in_channels, zero_init_residual, replace_stride_with_dilation, norm_layer)
