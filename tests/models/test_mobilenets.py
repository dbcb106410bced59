"""MobileNet v1, v2 and v3: tables, parameters, multiply-adds, the blocks, learning, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import MobileNetV1, MobileNetV2, MobileNetV3, get_model
from tinycnn.models.building import make_divisible
from tinycnn.models.mobilenetv1 import STAGES, DepthwiseSeparable
from tinycnn.models.mobilenetv2 import InvertedResidual
from tinycnn.models.mobilenetv3 import BlockSettings
from tinycnn.models.mobilenetv3 import InvertedResidual as BlockV3

PUBLISHED = [
    # Counted from timm 1.0.31's own networks of these widths; the paper's table 6 prints 4.2, 2.6, 1.3 and 0.5 million.
    ("mobilenetv1_100", {}, 4_231_976),
    ("mobilenetv1_125", {}, 6_270_840),
    ("mobilenetv1_075", {}, 2_585_560),
    ("mobilenetv1_050", {}, 1_331_592),
    ("mobilenetv1_025", {}, 470_072),
    # pytorch.org/vision, the page of each model: num_params.
    ("mobilenet_v2", {}, 3_504_872),
    ("mobilenet_v3_large", {}, 5_483_032),
    ("mobilenet_v3_small", {}, 2_542_856),
]


@pytest.mark.parametrize(("name", "options", "count"), PUBLISHED)
def test_parameters(name, options, count):
    assert parameters(name, **options) == count


def test_parameters_of_v1_with_the_sum_written_out():
    """Table 1: the stem, a filter and a mixture a layer, a scale and a shift a normalised channel, the classifier."""
    count, channels = 3 * 32 * 9 + 2 * 32, 32
    for out_channels, layers, _ in STAGES:
        for _ in range(layers):
            count += 9 * channels + 2 * channels + channels * out_channels + 2 * out_channels
            channels = out_channels
    assert count + 1024 * 1000 + 1000 == parameters("mobilenetv1_100") == 4_231_976


def test_a_separable_layer_costs_what_section_3_1_says():
    """1/K + 1/9 of the ordinary convolution's multiplications, here 64 channels to 128 on 8x8 maps."""
    block = DepthwiseSeparable(64, 128, 1)
    ordinary = 64 * 128 * 9 * 8 * 8
    assert multiply_adds(block, (64, 8, 8)) == round(ordinary * (1 / 128 + 1 / 9))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "size", "millions"),
    [
        # Table 6 and 7 of the first paper; those of the second (300) and third (219 and 56, whose own count differs by 1 %).
        ("mobilenetv1_100", 224, 569),
        ("mobilenetv1_075", 224, 325),
        ("mobilenetv1_050", 224, 149),
        ("mobilenetv1_025", 224, 41),
        ("mobilenetv1_100", 192, 418),
        ("mobilenetv1_100", 160, 290),
        ("mobilenetv1_100", 128, 186),
        ("mobilenet_v2", 224, 300),
        ("mobilenet_v3_large", 224, 219),
        ("mobilenet_v3_small", 224, 56),
    ],
)
def test_multiply_adds_of_the_papers(name, size, millions):
    assert multiply_adds(nn.utils.skip_init(get_model, name), (3, size, size)) == pytest.approx(millions * 1e6, rel=0.012)


@pytest.mark.parametrize(("name", "millions"), [("mobilenet_cifar", 46), ("mobilenet_v2_cifar", 24), ("mobilenet_v3_cifar", 20)])
def test_a_laptop_can_train_it(name, millions):
    assert round(multiply_adds(nn.utils.skip_init(get_model, name), (3, 32, 32)) / 1e6) == millions


def test_stages_of_v1():
    model = nn.utils.skip_init(get_model, "mobilenetv1_100", width_mult=0.25)
    shapes, output = stage_shapes(model, (1, 3, 64, 64), [f"blocks.{stage}" for stage in range(5)])
    assert shapes == [(16, 32, 32), (32, 16, 16), (64, 8, 8), (128, 4, 4), (256, 2, 2)]  # table 1's sizes and channels over 3.5 and 4
    assert output == (1, 1000)


def test_stages_of_v2():
    model = nn.utils.skip_init(get_model, "mobilenet_v2", width_mult=0.5)
    shapes, _ = stage_shapes(model, (1, 3, 64, 64), [f"features.{last}" for last in (0, 1, 3, 6, 10, 13, 16, 17, 18)])
    sizes = [(16, 32), (8, 32), (16, 16), (16, 8), (32, 4), (48, 4), (80, 2), (160, 2), (1280, 2)]
    assert shapes == [(channels, size, size) for channels, size in sizes]


def test_stages_of_v3_and_its_dilated_form():
    names = [f"features.{last}" for last in (0, 1, 3, 8, 11, 12)]
    shapes, _ = stage_shapes(nn.utils.skip_init(get_model, "mobilenet_v3_small"), (1, 3, 64, 64), names)
    assert shapes == [(16, 32, 32), (16, 16, 16), (24, 8, 8), (48, 4, 4), (96, 2, 2), (576, 2, 2)]
    model = nn.utils.skip_init(get_model, "mobilenet_v3_small", dilated=True, reduced_tail=True)
    shapes, _ = stage_shapes(model, (1, 3, 64, 64), names)
    assert shapes == [(16, 32, 32), (16, 16, 16), (24, 8, 8), (48, 4, 4), (48, 4, 4), (288, 4, 4)]
    assert model.classifier[0].out_features == 512


def test_channels_are_rounded_by_at_most_a_tenth():
    assert [make_divisible(value) for value in (1, 11, 12, 83, 84, 90)] == [8, 16, 16, 80, 88, 88]
    for value in range(1, 500):
        rounded = make_divisible(value)
        assert rounded % 8 == 0
        assert rounded >= 0.9 * value
    assert make_divisible(33.0, 1) == 33


def test_the_thin_ends_are_linear():
    """A projected map may be negative, and the shortcut adds the input as it is."""
    block = InvertedResidual(8, 8, 1, 6).eval()
    x = images(2, 8, 5, 5)
    y = block(x)
    np.testing.assert_allclose((y - x).data, block.conv(x).data, atol=1e-6)
    assert (block.conv(x).data < 0).any()
    assert not InvertedResidual(8, 8, 2, 6).has_shortcut
    assert not InvertedResidual(8, 16, 1, 6).has_shortcut


@pytest.mark.parametrize(
    ("model", "learning_rate"),
    [
        (lambda: MobileNetV1(10, width_mult=0.25, stem_stride=1, stages=((64, 1, 1), (128, 2, 2), (256, 1, 2))), 0.05),
        (lambda: MobileNetV2(10, 0.5, [[1, 16, 1, 1], [6, 24, 2, 2]], dropout=0.0, stem_stride=1), 0.03),
        # Its two linear layers start a hundredth large, so the first steps do little.
        (lambda: MobileNetV3([BlockSettings(16, 3, 24, 24, True, "hardswish", 2)], 64, 10, nn.BatchNorm2d, 0.0), 0.4),
    ],
)
def test_it_learns(model, learning_rate):
    found = losses(model(), size=16, steps=15, learning_rate=learning_rate)
    assert found[-1] < 0.7 * found[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("block", "shape"),
    [
        (lambda: DepthwiseSeparable(2, 3, 2), (3, 2, 4, 4)),
        (lambda: InvertedResidual(2, 2, 1, 3), (3, 2, 4, 4)),
        (lambda: BlockV3(BlockSettings(4, 3, 8, 4, True, "hardswish", 1), nn.BatchNorm2d), (3, 4, 4, 4)),
    ],
)
def test_gradients(block, shape):
    check_gradients(block(), shape)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: get_model("mobilenetv1_100", width_mult=0), ArgumentError, "width_mult must be a finite number above 0, not 0; 1.0 is the paper's"),
        (lambda: get_model("mobilenet_v2", width_mult=True), ArgumentError, "width_mult must be a finite number above 0, not True"),
        (lambda: get_model("mobilenet_v3_large", width_mult=-1), ArgumentError, "mobilenet_v3_large: width_mult .* not -1"),
        (
            lambda: MobileNetV2(inverted_residual_setting=[[1, 16, 1]]),
            ArgumentError,
            r"must hold 4 values \(t, c, n, s\); there are 3 in \(1, 16, 1\)",
        ),
        (lambda: MobileNetV2(inverted_residual_setting=[]), ArgumentError, "there are no rows"),
        (lambda: MobileNetV2(inverted_residual_setting=[[1, 16, 1, 3]]), ArgumentError, "stride must be 1 or 2, not 3"),
        (lambda: MobileNetV3([], 8), ArgumentError, "inverted_residual_setting is empty"),
        (lambda: MobileNetV3([BlockSettings(8, 3, 8, 8, False, "relu", 3)], 8), ArgumentError, "stride must be 1 or 2, not 3"),
        (lambda: MobileNetV3([BlockSettings(8, 3, 8, 8, False, "tanh", 1)], 8), ArgumentError, "'relu' or 'hardswish', not 'tanh'"),
        (lambda: get_model("mobilenet_v2", dropout=2.0), ArgumentError, "2.0"),
        (lambda: get_model("mobilenet_cifar", width_mult=0.25)(images(1, 1, 32, 32)), ShapeError, "3"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
