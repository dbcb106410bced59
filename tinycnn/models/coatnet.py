"""CoAtNet: convolutions where maps are large, attention where they are small; timm's names and keys.

An inverted residual sees its neighbourhood, the same filter everywhere; attention sees everything, weighted by the input. Relative attention is
both: the score of pixels i and j is their product plus a learnt number for the offset i - j, which is what a depthwise filter is.

    stage        s0           s1        s2        s3          s4
    blocks       convolution  MBConv    MBConv    attention   attention
    224x224 to   112          56        28        14          7

References
----------
Dai et al. 2021, "CoAtNet: marrying convolution and attention for all data sizes": equation 3 relative attention, section 2.2 the stages,
appendix A.1 the blocks, table 3 the sizes.
Sandler et al. 2018, the inverted residual; Hu et al. 2018, squeeze-and-excitation.

Differs from the paper: `coatnet_0_rw_224` is timm's variant of size 0, two attention blocks deeper. Its inverted residuals widen four times the
channels that come in, not those that go out; squeeze-and-excitation stands before the normalisation of the filtered maps; the mean of 2x2 pixels
halves a map, not the largest; attention widens in its last projection; swish instead of GELU in the convolution blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .. import nn
from ..errors import ArgumentError, ShapeError
from ..functional._arguments import whole
from ..ops import SqueezeExcitation, StochasticDepth
from ..tensor import Tensor
from .building import conv_fan_out_, image_features
from .registry import builder

__all__ = ["CoAtNet", "coatnet_0_rw_224", "coatnet_cifar", "coatnet_mini"]

HEAD_CHANNELS = 32  # of one attention head
EXPANSION = 4  # times wider within a block

# Stages s1 to s4: kind of block, stride of the first. C: inverted residual, T: attention.
KINDS = ("C", "C", "T", "T")

# By name: the two convolutions of s0, then channels and blocks of s1 to s4.
SIZES = {
    "coatnet_0_rw": ((32, 64), (96, 192, 384, 768), (2, 3, 7, 2)),
    "mini": ((16, 32), (32, 64, 128, 256), (1, 2, 3, 1)),
    "cifar": ((16, 32), (64, 96, 128, 256), (2, 2, 2, 1)),
}


class LayerNorm2d(nn.LayerNorm):
    """Normalise the channels of every pixel: (N, C, H, W) -> (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """The normalised maps."""
        return F.permute(super().forward(F.permute(input, 0, 2, 3, 1)), 0, 3, 1, 2)


class Downsample(nn.Module):
    """The mean of 2x2 pixels, where the stride is 2, and a 1x1 convolution where the channels change.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        self.expand = nn.Conv2d(in_channels, out_channels, 1, bias=False) if in_channels != out_channels else nn.Identity()

    def forward(self, input: Tensor) -> Tensor:
        """The smaller map."""
        y: Tensor = self.expand(self.pool(input))
        return y


class MbConvBlock(nn.Module):
    """An inverted residual that normalises first; the input added, made smaller where the block does so.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, drop_path: float) -> None:
        super().__init__()
        middle = EXPANSION * in_channels
        self.shortcut = Downsample(in_channels, out_channels, stride)
        self.pre_norm = nn.BatchNorm2d(in_channels)
        self.down = Downsample(in_channels, in_channels, stride)
        self.conv1_1x1 = nn.Conv2d(in_channels, middle, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(middle)
        self.conv2_kxk = nn.Conv2d(middle, middle, 3, padding=1, groups=middle, bias=False)
        self.se_early = SqueezeExcitation(middle, middle // 4)
        self.norm2 = nn.BatchNorm2d(middle)
        self.conv3_1x1 = nn.Conv2d(middle, out_channels, 1, bias=False)
        self.act = nn.SiLU()
        self.drop_path = StochasticDepth(drop_path, "row")
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                conv_fan_out_(module)

    def forward(self, input: Tensor) -> Tensor:
        """The block's output."""
        x = self.down(self.act(self.pre_norm(input)))
        x = self.act(self.norm1(self.conv1_1x1(x)))
        x = self.act(self.norm2(self.se_early(self.conv2_kxk(x))))
        y: Tensor = self.drop_path(self.conv3_1x1(x)) + self.shortcut(input)
        return y


class RelativeAttention2d(nn.Module):
    """Every pixel of a map asks all others, with a learnt preference for each offset.

    Shapes
    ------
    (N, in_channels, side, side) -> (N, out_channels, side, side)

    Formula
    -------
    y[i] = sum_j softmax_j(q_i . k_j / sqrt(32) + bias[i - j]) v_j in every head of 32 channels, then a 1x1 convolution
    """

    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        super().__init__()
        if in_channels % HEAD_CHANNELS:
            raise ArgumentError(f"CoAtNet: {in_channels} channels cannot be shared by heads of {HEAD_CHANNELS}; choose a multiple")
        self.heads = in_channels // HEAD_CHANNELS
        self.qkv = nn.Conv2d(in_channels, 3 * in_channels, 1)
        self.rel_pos = nn.RelativePositionBias2d(self.heads, side, side)
        self.proj = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, input: Tensor) -> Tensor:
        """What every pixel has learnt from the others."""
        batch, _, height, width = input.shape
        mixed = F.reshape(self.qkv(input), (batch, self.heads, 3 * HEAD_CHANNELS, height * width))
        query, key, value = (F.transpose(part, 2, 3) for part in F.chunk(mixed, 3, 2))
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=self.rel_pos())
        y: Tensor = self.proj(F.reshape(F.transpose(seen, 2, 3), (batch, self.heads * HEAD_CHANNELS, height, width)))
        return y


class ConvMlp(nn.Module):
    """Two 1x1 convolutions with GELU between: the same small network at every pixel."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.act = nn.GELU()
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, input: Tensor) -> Tensor:
        """The transformed pixels."""
        y: Tensor = self.fc2(self.act(self.fc1(input)))
        return y


class TransformerBlock2d(nn.Module):
    """Relative attention and a small network at every pixel, each behind a normalisation and beside a shortcut.

    Shapes
    ------
    (N, in_channels, stride side, stride side) -> (N, out_channels, side, side)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, side: int, drop_path: float) -> None:
        super().__init__()
        self.shortcut = Downsample(in_channels, out_channels, stride)
        norm = LayerNorm2d(in_channels, eps=1e-6)
        self.norm1 = norm if stride == 1 else nn.Sequential({"norm": norm, "down": Downsample(in_channels, in_channels, stride)})
        self.attn = RelativeAttention2d(in_channels, out_channels, side)
        self.drop_path1 = StochasticDepth(drop_path, "row")
        self.norm2 = LayerNorm2d(out_channels, eps=1e-6)
        self.mlp = ConvMlp(out_channels, EXPANSION * out_channels)
        self.drop_path2 = StochasticDepth(drop_path, "row")
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.normal_(module.bias, std=1e-6 if "mlp" in name else 0.0)

    def forward(self, input: Tensor) -> Tensor:
        """The block's output."""
        x = self.shortcut(input) + self.drop_path1(self.attn(self.norm1(input)))
        y: Tensor = x + self.drop_path2(self.mlp(self.norm2(x)))
        return y


class Stem(nn.Module):
    """Stage s0: two 3x3 convolutions."""

    def __init__(self, in_channels: int, channels: Sequence[int], stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels[0], 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels[0])
        self.act = nn.SiLU()
        self.conv2 = nn.Conv2d(channels[0], channels[1], 3, 1, 1, bias=False)
        conv_fan_out_(self.conv1)
        conv_fan_out_(self.conv2)

    def forward(self, input: Tensor) -> Tensor:
        """The first maps, not normalised: the next block does it."""
        y: Tensor = self.conv2(self.act(self.norm1(self.conv1(input))))
        return y


class Stage(nn.Module):
    """Blocks of one kind, in `blocks`; the first with a stride."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, input: Tensor) -> Tensor:
        """The last block's output."""
        y: Tensor = self.blocks(input)
        return y


class Head(nn.Module):
    """The mean of every map, dropout, the classifier `fc`."""

    def __init__(self, channels: int, num_classes: int, drop_rate: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(drop_rate)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes."""
        y: Tensor = self.fc(self.drop(image_features(input)))
        return y


class CoAtNet(nn.Module):
    """CoAtNet from the channels and blocks of its stages.

    Shapes
    ------
    (N, in_channels, image_size, image_size) -> (N, num_classes)

    Parameters
    ----------
    stem_width : two int
        Channels of the two convolutions of s0.
    embed_dim, depths : four int
        Channels and blocks of s1 to s4; the channels that enter an attention block are multiples of 32.
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    image_size : int
        Side of the images: the learnt offsets belong to it.
    drop_rate : float
        Dropout before the classifier.
    drop_path_rate : float
        How often the last block's branches are left out in training; earlier ones less, the first never.
    strides : five int
        Of s0 to s4.

    Raises
    ------
    ArgumentError
        If the lists have other lengths, or image_size is no multiple of all strides together.

    Examples
    --------
    >>> import numpy as np
    >>> model = CoAtNet((8, 16), (16, 32, 32, 64), (1, 1, 1, 1), 10, image_size=32)
    >>> model.eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """

    def __init__(
        self,
        stem_width: Sequence[int],
        embed_dim: Sequence[int],
        depths: Sequence[int],
        num_classes: int = 1000,
        in_channels: int = 3,
        image_size: int = 224,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        *,
        strides: Sequence[int] = (2, 2, 2, 2, 2),
    ) -> None:
        super().__init__()
        lengths = (len(stem_width), len(embed_dim), len(depths), len(strides))
        if lengths != (2, 4, 4, 5):
            raise ArgumentError(f"CoAtNet: stem_width, embed_dim, depths and strides need 2, 4, 4 and 5 numbers, not {lengths}")
        self.image_size = side = whole("CoAtNet", "image_size", image_size, 1)
        self.in_channels = in_channels
        self.stem = Stem(in_channels, stem_width, strides[0])
        side = _divided(side, strides[0], image_size, strides)
        channels, done, stages = stem_width[-1], 0, []
        for kind, out_channels, depth, stride in zip(KINDS, embed_dim, depths, strides[1:], strict=True):
            side = _divided(side, stride, image_size, strides)
            blocks: list[nn.Module] = []
            for step in [stride] + [1] * (depth - 1):
                dropped = drop_path_rate * done / max(sum(depths) - 1, 1)
                if kind == "C":
                    blocks.append(MbConvBlock(channels, out_channels, step, dropped))
                else:
                    blocks.append(TransformerBlock2d(channels, out_channels, step, side, dropped))
                channels = out_channels
                done += 1
            stages.append(Stage(blocks))
        self.stages = nn.Sequential(*stages)
        self.norm = LayerNorm2d(channels, eps=1e-6)
        self.head = Head(channels, num_classes, drop_rate)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        size = self.image_size
        if tuple(input.shape[1:]) != (self.in_channels, size, size):
            raise ShapeError(
                f"CoAtNet: input must have shape (N, {self.in_channels}, {size}, {size}), got {tuple(input.shape)}: its attention has "
                f"learnt the offsets of one image size; resize the images, or build the network with another image_size or in_channels"
            )
        y: Tensor = self.head(self.norm(self.stages(self.stem(input))))
        return y


def _divided(side: int, stride: int, image_size: int, strides: Sequence[int]) -> int:
    if stride not in (1, 2) or side % stride:
        raise ArgumentError(
            f"CoAtNet: image_size={image_size} with strides {tuple(strides)} leaves {side} pixels to divide by {stride}; "
            f"strides are 1 or 2, and their product divides image_size"
        )
    return side // stride


@builder
def coatnet_0_rw_224(
    num_classes: int = 1000, in_channels: int = 3, *, image_size: int = 224, drop_rate: float = 0.0, drop_path_rate: float = 0.0
) -> CoAtNet:
    """CoAtNet of size 0 as timm has it: 27,435,562 parameters, 4.4 billion multiply-adds for an image of 224x224.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    image_size : int
        Side of the images, a multiple of 32.
    drop_rate : float
        Dropout before the classifier.
    drop_path_rate : float
        How often the last block's branches are left out in training; earlier ones less.

    Raises
    ------
    ArgumentError
        For a size that is no multiple of 32, or a number that is no probability.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.coatnet_0_rw_224).parameters())
    27435562
    """
    return CoAtNet(*SIZES["coatnet_0_rw"], num_classes, in_channels, image_size, drop_rate, drop_path_rate)


@builder
def coatnet_mini(
    num_classes: int = 1000, in_channels: int = 3, *, image_size: int = 224, drop_rate: float = 0.0, drop_path_rate: float = 0.0
) -> CoAtNet:
    """A CoAtNet to read and to try: the same five stages with a third of the channels and half the blocks; parameters as in `coatnet_0_rw_224`."""
    return CoAtNet(*SIZES["mini"], num_classes, in_channels, image_size, drop_rate, drop_path_rate)


@builder
def coatnet_cifar(
    num_classes: int = 10, in_channels: int = 3, *, image_size: int = 32, drop_rate: float = 0.0, drop_path_rate: float = 0.1
) -> CoAtNet:
    """A CoAtNet for images of 32x32: attention works on 8x8 and 4x4 maps; 61 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels, drop_rate, drop_path_rate
        As in `coatnet_0_rw_224`.
    image_size : int
        Side of the images, a multiple of 8.

    Examples
    --------
    >>> from tinycnn import models
    >>> models.coatnet_cifar().stages[2].blocks[0].attn.rel_pos
    RelativePositionBias2d(heads=3, height=8, width=8)
    """
    return CoAtNet(*SIZES["cifar"], num_classes, in_channels, image_size, drop_rate, drop_path_rate, strides=(1, 2, 2, 1, 2))
