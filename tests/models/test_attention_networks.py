"""Squeeze and excitation, and CBAM: parameters, masks, learning, gradients."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters
from tinycnn import nn
from tinycnn.models import CBAM, BasicBlock, ChannelAttention, SpatialAttention, get_model, seresnet_cifar
from tinycnn.models.cbam import cbam_resnet_cifar
from tinycnn.models.senet import squeeze_excitation
from tinycnn.tensor import Tensor

# timm 1.0.31 (results/results-imagenet.csv rounds them to 0.01 million); CBAM: timm's ResNet with block_args={"attn_layer": "cbam"},
# Woo et al. 2018, table 4: 11.78 and 28.09 million.
PUBLISHED = {
    "seresnet18": 11_779_624,
    "seresnet34": 21_960_416,
    "seresnet50": 28_088_024,
    "seresnet101": 49_326_872,
    "seresnet152": 66_821_848,
    "cbam_resnet18": 11_777_352,
    "cbam_resnet50": 28_073_576,
}


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_parameters(name, count):
    assert parameters(name) == count


def test_the_added_parameters_written_out():
    # Two 1x1 convolutions with biases in each of the 2, 2, 2, 2 blocks; at least 8 channels in between.
    added = sum(2 * (2 * channels * hidden + channels + hidden) for channels, hidden in ((64, 8), (128, 8), (256, 16), (512, 32)))
    assert parameters("seresnet18") - parameters("resnet18") == added
    # Without biases, and the 7x7 convolution of two maps with its scale and shift.
    added = sum(2 * (2 * channels * channels // 16 + 2 * 49 + 2) for channels in (64, 128, 256, 512))
    assert parameters("cbam_resnet18") - parameters("resnet18") == added


@pytest.mark.parametrize("name", ["seresnet_cifar", "cbam_resnet_cifar"])
def test_a_laptop_can_train_them(name):
    assert multiply_adds(nn.utils.skip_init(get_model, name), (3, 32, 32)) <= 100e6


def test_the_masks_by_hand():
    x = images(2, 32, 5, 4).data
    channel, spatial = ChannelAttention(32), SpatialAttention(3).eval()
    w1, w2 = channel.fc1.weight.data[:, :, 0, 0], channel.fc2.weight.data[:, :, 0, 0]
    hidden = [np.maximum(pooled @ w1.T, 0) @ w2.T for pooled in (x.mean((2, 3)), x.max((2, 3)))]
    np.testing.assert_allclose(channel.mask(x).data[:, :, 0, 0], 1 / (1 + np.exp(-sum(hidden))), atol=1e-6)
    maps = np.pad(np.stack([x.mean(1), x.max(1)], 1), ((0, 0), (0, 0), (1, 1), (1, 1)))
    kernel = spatial.conv[0].weight.data[0]
    filtered = sum(kernel[c, u, v] * maps[:, c, u : u + 5, v : v + 4] for c in range(2) for u in range(3) for v in range(3))
    np.testing.assert_allclose(spatial.mask(x).data[:, 0], 1 / (1 + np.exp(-filtered / np.sqrt(1 + 1e-5))), atol=1e-5)


def test_cbam_is_both_masks_in_turn():
    block, x = CBAM(16).eval(), images(2, 16, 6, 6)
    over_channels, over_pixels = block.masks(x)
    assert (over_channels.shape, over_pixels.shape) == ((2, 16, 1, 1), (2, 1, 6, 6))
    np.testing.assert_allclose(block(x).data, over_pixels.data * over_channels.data * x.data, atol=1e-6)
    for mask in (over_channels.data, over_pixels.data):
        assert mask.min() > 0
        assert mask.max() < 1
        assert mask.std() > 0


def test_the_branch_is_weighed_before_the_sum():
    block, x = BasicBlock(16, 16, attention=squeeze_excitation(16)).eval(), images(1, 16, 4, 4)
    branch = block.bn2(block.conv2(block.bn1(block.conv1(x))))
    np.testing.assert_allclose(block(x).data, np.maximum(block.se(branch).data + x.data, 0), atol=1e-6)


@pytest.mark.parametrize(("channels", "squeezed"), [(16, 8), (64, 8), (128, 8), (192, 16), (256, 16), (2048, 128)])
def test_squeezed_channels_are_multiples_of_eight(channels, squeezed):
    assert squeeze_excitation(channels).fc1.out_channels == squeezed


@pytest.mark.parametrize("make", [seresnet_cifar, cbam_resnet_cifar])
def test_they_learn(make):
    found = losses(make(depth=8))
    assert found[-1] < 0.7 * found[0], found


@pytest.mark.exhaustive
def test_gradients():
    check_gradients(CBAM(4, 2, 3), (2, 4, 3, 3))
    check_gradients(BasicBlock(2, 2, attention=squeeze_excitation(2)), (2, 2, 3, 3))
    assert isinstance(CBAM(4)(Tensor(np.ones((1, 4, 2, 2), np.float32))), Tensor)
