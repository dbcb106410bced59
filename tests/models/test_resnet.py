"""ResNet, wide ResNet and ResNeXt for ImageNet: sizes, parameters, options, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.models import BasicBlock, Bottleneck, ResNet, get_model
from tinycnn.models.resnet import DEPTHS, STAGES

# pytorch.org/vision, the page of each model: num_params.
PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "resnext101_64x4d": 83_455_272,
    "wide_resnet50_2": 68_883_240,
    "wide_resnet101_2": 126_886_696,
}


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_parameters(name, count):
    assert parameters(name) == count


def test_the_depth_counts_the_layers_with_weights():
    for depth, blocks in DEPTHS.items():
        assert depth == 1 + (2 if depth < 50 else 3) * sum(blocks) + 1


def test_table_1_of_the_paper():
    shapes, output = stage_shapes(nn.utils.skip_init(get_model, "resnet18"), (1, 3, 64, 64), ["maxpool", *(key for _, key, _, _ in STAGES)])
    assert shapes == [(64, 16, 16), (64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
    assert output == (1, 1000)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "billions"), [("resnet18", 1.8), ("resnet34", 3.6), ("resnet50", 3.8), ("resnet101", 7.6), ("resnet152", 11.3)])
def test_multiply_adds_of_table_1(name, billions):
    """The paper's "FLOPs" are multiply-adds; ours have the bottleneck's stride in the 3x3 convolution, which costs 0.2 to 0.3 billion more."""
    found = multiply_adds(nn.utils.skip_init(get_model, name), (3, 224, 224)) / 1e9
    assert billions - 0.01 <= found <= billions + (0.1 if name in ("resnet18", "resnet34") else 0.35)


def test_classes_and_channels():
    model = nn.utils.skip_init(get_model, "resnet18", num_classes=7, in_channels=1)
    assert model.conv1.weight.shape == (64, 1, 7, 7)
    assert model.fc.weight.shape == (7, 512)


def test_strides_become_dilations():
    model = nn.utils.skip_init(get_model, "resnet50", replace_stride_with_dilation=[False, True, True])
    shapes, _ = stage_shapes(model, (1, 3, 32, 32), ["layer2", "layer3", "layer4"])
    assert [shape[1:] for shape in shapes] == [(4, 4)] * 3
    assert [block.conv2.dilation for block in model.layer3][:2] == [(1, 1), (2, 2)]
    assert [block.conv2.dilation for block in model.layer4] == [(2, 2), (4, 4), (4, 4)]


@pytest.mark.parametrize(("block", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3")])
def test_zero_init_makes_every_block_the_identity(block, last):
    made = ResNet(block, (1, 1, 1, 1), 3, zero_init_residual=True)
    assert all(not getattr(layer[0], last).weight.data.any() for layer in (made.layer1, made.layer4))
    plain = block(8, 8 // block.expansion)
    getattr(plain, last).weight.data[...] = 0
    x = images(2, 8, 4, 4)
    np.testing.assert_allclose(plain(x).data, np.maximum(x.data, 0), atol=1e-6)


def test_any_norm_gives_the_block():
    """Frozen, renamed or none: the sum and the ReLU are the same."""
    x = images(2, 8, 5, 5)
    usual = BasicBlock(8, 8).eval()
    frozen = BasicBlock(8, 8, norm_layer=nn.FrozenBatchNorm2d)
    grouped = BasicBlock(8, 8, norm_layer=lambda channels: nn.GroupNorm(1, channels))
    for other in (frozen, grouped):
        other.conv1.weight.data[...], other.conv2.weight.data[...] = usual.conv1.weight.data, usual.conv2.weight.data
    np.testing.assert_allclose(frozen(x).data, usual(x).data, atol=1e-6)
    by_hand = nn.functional.relu(grouped.bn2(grouped.conv2(nn.functional.relu(grouped.bn1(grouped.conv1(x))))) + x)
    np.testing.assert_allclose(grouped(x).data, by_hand.data, atol=1e-6)


def test_convolutions_start_by_hes_rule():
    model = get_model("resnet18", num_classes=2)
    weight = model.layer3[0].conv2.weight.data
    assert weight.std() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    assert abs(weight.mean()) < 1e-3


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: BasicBlock(8, 8, groups=2), r"BasicBlock: groups=2, base_width=64 and dilation=1 must be 1, 64 and 1"),
        (lambda: ResNet(BasicBlock, (1, 1, 1)), r"ResNet: layers=\(1, 1, 1\) must have 4 numbers"),
        (lambda: ResNet(Bottleneck, (1, 1, 1, 1), replace_stride_with_dilation=[True]), r"replace_stride_with_dilation=\[True\] 3 booleans"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ArgumentError, match=match):
        make()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "block",
    [
        lambda: BasicBlock(3, 3),
        lambda: Bottleneck(4, 2, 2, nn.Conv2d(4, 8, 1, 2), groups=2, base_width=64),
    ],
)
def test_gradients(block):
    made = block()
    check_gradients(made, (3, made.conv1.in_channels, 4, 4))
