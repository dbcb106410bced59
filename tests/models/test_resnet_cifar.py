"""Residual networks for 32x32 images, and the plain ones: sizes, parameters, shortcuts, learning, errors."""

import itertools

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import functional, nn
from tinycnn.errors import ArgumentError
from tinycnn.models import (
    CifarResNet,
    CifarResNeXt,
    PreactivationBlock,
    PreactivationBottleneck,
    PreactivationResNet,
    SubsampledShortcut,
    get_model,
    resnext_cifar,
    wide_resnet_cifar,
)
from tinycnn.tensor import Tensor


def by_the_papers_table(blocks, *, projected=False):
    """Section 4.2: 16, 32 and 64 filters of 3x3, 2n layers each; every convolution has a scale and a shift a filter, the end ten rows."""
    count, channels = 3 * 16 * 9 + 2 * 16, 16
    for filters in (16, 32, 64):
        count += channels * filters * 9 + (2 * blocks - 1) * filters * filters * 9 + 2 * blocks * 2 * filters
        count += (channels * filters + 2 * filters) * (projected and channels != filters)
        channels = filters
    return count + 64 * 10 + 10


# Rounded in He et al. 2016, table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 million.
SIZES = {20: (269_722, 0.27), 32: (464_154, 0.46), 44: (658_586, 0.66), 56: (853_018, 0.85), 110: (1_727_962, 1.7)}


@pytest.mark.parametrize("depth", SIZES)
def test_parameters_of_the_papers_networks(depth):
    count, millions = SIZES[depth]
    assert by_the_papers_table((depth - 2) // 6) == count
    assert round(count / 1e6, 1 if millions > 1 else 2) == millions
    assert parameters(f"resnet{depth}") == parameters(f"plain{depth}") == count
    assert parameters(f"resnet{depth}", shortcut="B") == by_the_papers_table((depth - 2) // 6, projected=True)


@pytest.mark.parametrize(
    ("name", "count", "millions"),
    [
        ("preactivation_resnet110", 1_727_962, 1.7),  # He et al. 2016b, table 3: 1.7M; the layers of resnet110 in another order
        ("preactivation_resnet164", 1_703_258, 1.7),  # table 3
        ("preactivation_resnet1001", 10_327_706, 10.3),  # table 4 says 10.2M
        ("wide_resnet16_4", 2_748_890, 2.7),  # in no table of the paper; the sum is below
        ("wide_resnet40_4", 8_949_210, 8.9),  # Zagoruyko and Komodakis 2016, table 4, as the next
        ("wide_resnet28_10", 36_479_194, 36.5),
        ("resnext29_8x64d", 34_426_698, 34.4),  # Xie et al. 2017, table 7
        ("resnext29_16x64d", 68_155_210, 68.2),  # table 7 says 68.1M
    ],
)
def test_parameters_of_the_papers_that_followed(name, count, millions):
    assert parameters(name) == count
    assert round(count / 1e6, 1) == millions


@pytest.mark.parametrize(("name", "blocks", "width"), [("wide_resnet16_4", 2, 4), ("wide_resnet40_4", 6, 4), ("wide_resnet28_10", 4, 10)])
def test_each_term_of_a_wide_network(name, blocks, width):
    def block(before, after):
        return 2 * before + before * after * 9 + 2 * after + after * after * 9 + (before * after if before != after else 0)

    widths = [16, 16 * width, 32 * width, 64 * width]
    count = 3 * 16 * 9 + 2 * widths[-1] + widths[-1] * 10 + 10
    for before, after in itertools.pairwise(widths):
        count += block(before, after) + (blocks - 1) * block(after, after)
    assert count == parameters(name)


@pytest.mark.parametrize(("name", "blocks"), [("preactivation_resnet164", 18), ("preactivation_resnet1001", 111)])
def test_each_term_of_preactivated_bottlenecks(name, blocks):
    def block(before, planes):
        convolutions = before * planes + planes * planes * 9 + planes * 4 * planes
        return convolutions + 2 * before + 4 * planes + (before * 4 * planes if before != 4 * planes else 0)

    count, channels = 3 * 16 * 9 + 2 * 256 + 256 * 10 + 10, 16
    for planes in (16, 32, 64):
        count += block(channels, planes) + (blocks - 1) * block(4 * planes, planes)
        channels = 4 * planes
    assert count == parameters(name)


@pytest.mark.parametrize(("name", "cardinality"), [("resnext29_8x64d", 8), ("resnext29_16x64d", 16)])
def test_each_term_of_resnext(name, cardinality):
    def block(before, width, after):
        convolutions = before * width + width * (width // cardinality) * 9 + width * after
        return convolutions + 4 * width + 2 * after + (before * after + 2 * after if before != after else 0)

    count, channels = 3 * 64 * 9 + 2 * 64 + 1024 * 10 + 10, 64
    for factor in (1, 2, 4):
        width, after = 64 * cardinality * factor, 256 * factor
        count += block(channels, width, after) + 2 * block(after, width, after)
        channels = after
    assert count == parameters(name)


@pytest.mark.parametrize("name", ["resnet20", "plain20", "preactivation_resnet20"])
def test_stage_sizes(name):
    shapes, output = stage_shapes(nn.utils.skip_init(get_model, name), (1, 3, 32, 32), ["layer1", "layer2", "layer3"])
    assert shapes == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
    assert output == (1, 10)


@pytest.mark.parametrize("name", ["resnet20", "wide_resnet_cifar", "resnext_cifar"])
def test_a_laptop_can_train_them(name):
    assert multiply_adds(nn.utils.skip_init(get_model, name), (3, 32, 32)) <= 100e6


def test_option_a_by_hand():
    x = np.arange(2 * 3 * 3 * 4, dtype=np.float32).reshape(2, 3, 3, 4)
    y = SubsampledShortcut(3, 6)(Tensor(x)).data
    assert y.shape == (2, 6, 2, 2)
    np.testing.assert_array_equal(y[:, 1:4], x[:, :, ::2, ::2])
    assert not y[:, 0].any()
    assert not y[:, 4:].any()


def test_a_plain_block_is_the_branch_alone():
    residual, plain = CifarResNet(8), CifarResNet(8, shortcut=None)
    plain.load_state_dict(residual.state_dict())
    x = images(2, 16, 4, 4)
    block = residual.eval().layer1[0]
    branch = block.bn2(block.conv2(block.bn1(block.conv1(x))), residual=None)
    np.testing.assert_allclose(plain.eval().layer1[0](x).data, branch.data, atol=1e-6)
    assert np.abs(block(x).data - branch.data).max() > 0.1


def test_keys_of_published_files():
    model = CifarResNet(8, shortcut="B")
    published = {f"module.{key.replace('downsample', 'shortcut')}": value.data + 1.0 for key, value in model.state_dict().items()}
    assert "module.layer2.0.shortcut.0.weight" in published
    expected = {key: value.data + 1.0 for key, value in model.state_dict().items()}
    assert model.load_state_dict(published) == ([], [])
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, expected[key])


@pytest.mark.parametrize("shortcut", ["A", "B"])
@pytest.mark.parametrize(("before", "after", "stride"), [(4, 4, 1), (4, 6, 2)])
def test_preactivation_is_its_parts(shortcut, before, after, stride):
    """Figure 4e, spelled out with the operators."""
    block = PreactivationBlock(before, after, stride, shortcut).eval()
    x = images(2, before, 6, 6)
    a = functional.relu(functional.batch_norm(x, *(b.clone() for b in (block.bn1.running_mean, block.bn1.running_var)), block.bn1.weight))
    z = functional.conv2d(a, block.conv1.weight, stride=stride, padding=1)
    z = functional.relu(functional.batch_norm(z, *(b.clone() for b in (block.bn2.running_mean, block.bn2.running_var)), block.bn2.weight))
    y = functional.conv2d(z, block.conv2.weight, padding=1)
    if before == after:
        y = y + x
    elif shortcut == "B":
        y = y + functional.conv2d(a, block.projected.weight, stride=stride)
    else:
        y = y + functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1))
    np.testing.assert_allclose(block(x).data, y.data, atol=1e-5)


def test_a_preactivation_network_passes_its_input_on():
    """With every branch at zero the sum is the first convolution, subsampled: nothing stands on the shortcut."""
    model = PreactivationResNet(8).eval()
    for stage in (model.layer1, model.layer2, model.layer3):
        stage[0].conv2.weight.data[...] = 0
    x = images(1, 3, 8, 8)
    first = model.conv1(x).data
    maps = model.layer3(model.layer2(model.layer1(Tensor(first)))).data
    np.testing.assert_allclose(maps[:, 24:40], first[:, :, ::4, ::4], atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CifarResNet(8),
        lambda: CifarResNet(8, shortcut="B"),
        lambda: CifarResNet(8, shortcut=None),
        lambda: PreactivationResNet(8, dropout=0.1),
        lambda: PreactivationResNet(11, bottleneck=True),
        lambda: CifarResNeXt(11, 2, 16, planes=16),
    ],
)
def test_they_learn(make):
    found = losses(make())
    assert found[-1] < 0.7 * found[0], found


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: CifarResNet(21), r"CifarResNet: depth must be 6n \+ 2, three stages of n blocks, got 21; the nearest is 20"),
        (lambda: CifarResNet(2), r"got 2; the nearest is 8"),
        (lambda: CifarResNet(20, shortcut="C"), r"shortcut must be .* got 'C'"),
        (lambda: CifarResNet(20, shortcut=None, attention=nn.BatchNorm2d), r"attention weighs the branch beside a shortcut"),
        (lambda: SubsampledShortcut(8, 4), r"out_channels=4 must be at least in_channels=8; use a projection"),
        (lambda: PreactivationBlock(4, 8, 2, "C"), r"PreactivationBlock: shortcut must be .* got 'C'"),
        (lambda: PreactivationBottleneck(4, 8, 2, "C"), r"PreactivationBottleneck: shortcut must be .* got 'C'"),
        (lambda: PreactivationResNet(32, bottleneck=True), r"depth must be 9n \+ 2, three stages of n blocks, got 32; the nearest is 29"),
        (lambda: wide_resnet_cifar(depth=20), r"depth=20 must be 6n \+ 4"),
        (lambda: wide_resnet_cifar(width=0), r"width=0 at least 1"),
        (lambda: resnext_cifar(depth=21), r"CifarResNeXt: depth must be 9n \+ 2, .* the nearest is 20"),
        (lambda: resnext_cifar(group_width=3, planes=40), r"planes must divide 64 group_width"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ArgumentError, match=match):
        make()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("block", "channels"),
    [
        (lambda: PreactivationBlock(2, 4, 2, "A"), 2),
        (lambda: PreactivationBlock(2, 3, 2, "B"), 2),
        (lambda: PreactivationBottleneck(4, 2, 2, "B"), 4),
        (lambda: CifarResNet(8, 10, 3).layer2, 16),
    ],
)
def test_gradients(block, channels):
    check_gradients(block(), (2, channels, 4, 4))
