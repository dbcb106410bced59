"""Networks of one map a layer, cheap to run, with the windows of known ones."""

import numpy as np

import tinycnn
from tinycnn import nn
from tinycnn.functional import cat, relu


class ResidualBlock(nn.Module):
    """Two convolutions with normalisation, and the input added by a sign rather than by a layer."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels, activation="relu")
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, input):
        return relu(self.norm2(self.conv2(self.norm1(self.conv1(input)))) + input)


class Branches(nn.Module):
    """Two branches and a functional join."""

    def __init__(self):
        super().__init__()
        self.narrow = nn.Conv2d(3, 4, 1)
        self.wide = nn.Conv2d(3, 5, 5, padding=2)

    def forward(self, input):
        return cat([self.narrow(input), self.wide(input)], 1)


class Gate(nn.Module):
    """Squeeze and excitation: maps times numbers from the whole image."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.excite = nn.Conv2d(4, 4, 1)

    def forward(self, input):
        maps = self.conv(input)
        return maps * tinycnn.sigmoid(self.excite(self.squeeze(maps)))


class Bottleneck(nn.Module):
    """The windows of a bottleneck: 1x1, 3x3 with the stride, 1x1, and a shortcut."""

    def __init__(self, stride):
        super().__init__()
        self.convs = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 3, stride=stride, padding=1), nn.Conv2d(1, 1, 1))
        self.stride = stride

    def forward(self, input):
        return self.convs(input) + (input if self.stride == 1 else input[:, :, :: self.stride, :: self.stride])


def bottleneck_resnet(counts, stride_in_last):
    """The stages of a deep ResNet: TF-slim puts the stride in a stage's last block, torchvision in its first."""
    blocks = []
    for stage, count in enumerate(counts):
        strides = [1] * count
        if stride_in_last and stage < 3:
            strides[-1] = 2
        if not stride_in_last and stage > 0:
            strides[0] = 2
        blocks += [Bottleneck(stride) for stride in strides]
    return nn.Sequential(nn.Conv2d(1, 1, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, padding=1), *blocks)


def chain(*windows):
    """Convolutions of (kernel, stride, padding)."""
    return nn.Sequential(*(nn.Conv2d(1, 1, kernel, stride=stride, padding=padding) for kernel, stride, padding in windows))


def images(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)
