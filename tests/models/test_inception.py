"""Inception v2, v3, v4 and Inception-ResNet v1 and v2: parameters, sizes, side branch, that the CIFAR sizes learn."""

import importlib

import pytest

from tests.models.measuring import images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import (
    InceptionOutputs,
    get_model,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_resnet_v2_cifar,
    inception_v2,
    inception_v3,
    inception_v4,
)
from tinycnn.models.inception_v2 import MODULES as MODULES_V2
from tinycnn.models.inception_v3 import MODULES as MODULES_V3


@pytest.mark.parametrize(
    ("name", "options", "published"),
    [
        ("inception_v3", {}, 27_161_264),  # pytorch.org/vision/stable/models/generated/torchvision.models.inception_v3.html
        ("inception_v3", {"aux_logits": False}, 23_834_568),  # timm's results: 23.83 M
        ("inception_v4", {}, 42_679_816),  # timm's results: 42.68 M
        ("inception_resnet_v2", {}, 55_843_464),  # timm's results: 55.84 M
    ],
)
def test_published_parameters(name, options, published):
    assert parameters(name, **options) == published


def conv(kernel, below, maps):
    """Weights of a convolution without bias, scale and shift of its normalisation."""
    return kernel * below * maps + 2 * maps


def test_parameters_of_v2_from_figure_5():
    # No number is published for the figure's net; TF-Slim, whose first convolution is separable, has 11.2 million.
    total, below = conv(49, 3, 64) + conv(1, 64, 64) + conv(9, 64, 192), 192
    for _, one, red, three, double_red, double, _, proj, above in MODULES_V2:
        total += conv(1, below, one) if one else 0
        total += conv(1, below, red) + conv(9, red, three)
        total += conv(1, below, double_red) + conv(9, double_red, double) + conv(9, double, double)
        total += conv(1, below, proj) if proj else 0
        assert (one + three + double + proj if one else three + double + below) == above
        below = above
    assert parameters("inception_v2") == total + 1000 * (1024 + 1) == 11_194_984


def test_parameters_of_resnet_v1_from_the_figures():
    stem = conv(9, 3, 32) + conv(9, 32, 32) + conv(9, 32, 64) + conv(1, 64, 80) + conv(9, 80, 192) + conv(9, 192, 256)  # figure 14
    a = 3 * conv(1, 256, 32) + 3 * conv(9, 32, 32) + 96 * 256 + 256  # figure 10
    reduction_a = conv(9, 256, 384) + conv(1, 256, 192) + conv(9, 192, 192) + conv(9, 192, 256)  # figure 7, table 1
    b = 2 * conv(1, 896, 128) + 2 * conv(7, 128, 128) + 256 * 896 + 896  # figure 11
    reduction_b = 3 * conv(1, 896, 256) + conv(9, 256, 384) + 3 * conv(9, 256, 256)  # figure 12
    c = 2 * conv(1, 1792, 192) + 2 * conv(3, 192, 192) + 384 * 1792 + 1792  # figure 13
    total = stem + 5 * a + reduction_a + 10 * b + reduction_b + 5 * c + 1000 * (1792 + 1)
    assert parameters("inception_resnet_v1") == total == 22_756_328


def test_map_sizes_of_v2():
    names = ["conv1", "maxpool1", "conv3", "maxpool2", *(row.name for row in MODULES_V2)]
    shapes, output = stage_shapes(inception_v2(10, width=0.0625), (1, 3, 224, 224), names)
    assert [shape[1] for shape in shapes] == [112, 56, 56, 28, 28, 28, 14, 14, 14, 14, 14, 7, 7, 7]
    assert output == (1, 10)
    assert [nn.utils.skip_init(inception_v2).get_submodule(row.name).out_channels for row in MODULES_V2] == [row.out_channels for row in MODULES_V2]


def test_map_sizes_of_v3():
    # Table 1, with the padding of Google's published net: 149, 147, 147, 73, 73, 71, 35, 35, 17, 8.
    model = nn.utils.skip_init(inception_v3, aux_logits=False)
    assert [model.get_submodule(name).out_channels for name, _ in MODULES_V3] == [256, 288, 288, *[768] * 5, 1280, 2048, 2048]
    names = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "maxpool2"]
    names += ["Mixed_5d", "Mixed_6e", "Mixed_7c"]
    shapes, output = stage_shapes(inception_v3(10, aux_logits=False, width=0.0625), (1, 3, 299, 299), names)
    assert [shape[1] for shape in shapes] == [149, 147, 147, 73, 73, 71, 35, 35, 17, 8]
    assert output == (1, 10)


def test_map_sizes_of_v4():
    # Figures 3 to 9: 149x149x32, 147x147x32, 147x147x64, 73x73x160, 71x71x192, 35x35x384, 17x17x1024, 8x8x1536.
    model = nn.utils.skip_init(inception_v4)
    assert [model.features[n].out_channels for n in (3, 4, 5, 6, 10, 11, 18, 19)] == [160, 192, 384, 384, 1024, 1024, 1536, 1536]
    shapes, _ = stage_shapes(inception_v4(10, width=0.03), (1, 3, 299, 299), [f"features.{n}" for n in (0, 1, 2, 3, 4, 5, 9, 10, 17, 18, 21)])
    assert [shape[1] for shape in shapes] == [149, 147, 147, 73, 71, 35, 35, 17, 17, 8, 8]


@pytest.mark.parametrize(
    ("build", "channels", "stem"), [(inception_resnet_v1, [256, 896, 1792], "conv2d_4b"), (inception_resnet_v2, [320, 1088, 2080], "mixed_5b")]
)
def test_map_sizes_of_the_residual_nets(build, channels, stem):
    model = nn.utils.skip_init(build)
    assert [model.get_submodule(name)[0].out_channels for name in ("repeat", "repeat_1", "repeat_2")] == channels
    shapes, output = stage_shapes(build(10, width=0.03), (1, 3, 299, 299), ["conv2d_1a", "conv2d_4a", stem, "mixed_6a", "mixed_7a"])
    assert [shape[1] for shape in shapes] == [149, 71, 35, 17, 8]
    assert output == (1, 10)


def test_the_side_branch_of_v3(monkeypatch):
    model = inception_v3(3, width=0.03)
    outputs = model(images(2, 3, 299, 299))
    assert isinstance(outputs, InceptionOutputs)
    assert [output.shape for output in outputs] == [(2, 3)] * 2
    assert model.eval()(images(2, 3, 75, 75)).shape == (2, 3)
    with pytest.raises(ShapeError, match=r"side branch needs images of at least 299x299, got 299x298; resize them, or .* aux_logits=False"):
        model.train()(images(2, 3, 299, 298))
    module = importlib.import_module("tinycnn.models.inception_v3")  # a function hides it in tinycnn.models
    monkeypatch.setattr(module, "SMALLEST_WITH_SIDE_BRANCH", 75)
    with pytest.raises(ShapeError, match="conv2d"):
        model(images(2, 3, 298, 298))


def test_a_checkpoint_with_its_side_branch_loads_into_a_net_without():
    full, plain = inception_v3(3, width=0.03), inception_v3(3, width=0.03, aux_logits=False)
    assert plain.load_state_dict(full.state_dict()) == ([], [])
    with pytest.raises(ArgumentError, match=r"inception_v3: transform_input=True .* in_channels=1"):
        inception_v3(in_channels=1, transform_input=True)


def test_the_last_module_of_resnet_v2_is_neither_scaled_nor_rectified():
    model = nn.utils.skip_init(inception_resnet_v2_cifar, width=0.0625)
    assert (model.block8.scale, model.block8.relu) == (1.0, False)
    assert [model.get_submodule(name)[0].scale for name in ("repeat", "repeat_1", "repeat_2")] == [0.17, 0.10, 0.20]


@pytest.mark.parametrize("name", ["inception_v3_cifar", "inception_v4_cifar", "inception_resnet_v2_cifar"])
def test_cost_of_the_cifar_sizes(name):
    assert multiply_adds(nn.utils.skip_init(get_model, name), (3, 32, 32)) <= 100_000_000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("inception_v3_cifar", {"dropout": 0.0}),
        ("inception_v4_cifar", {"depths": (1, 1, 1)}),
        ("inception_resnet_v2_cifar", {"depths": (1, 1, 1)}),
    ],
)
def test_they_learn(name, options):
    found = losses(get_model(name, width=0.125, **options), size=16)
    assert found[-1] < 0.85 * found[0]


@pytest.mark.parametrize("name", ["inception_v2", "inception_v3", "inception_v4", "inception_resnet_v1", "inception_resnet_v2"])
def test_a_width_that_is_no_width(name):
    with pytest.raises(ArgumentError, match=r"inception_\w+: width must be a finite number > 0, not 0\.0"):
        get_model(name, width=0.0)
