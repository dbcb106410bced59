"""AlexNet, of 2012 and of torchvision, and ZFNet: parameters, sizes, the towers, how weights start."""

import importlib

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import images, losses, parameters, stage_shapes
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import alexnet_2012, alexnet_cifar, zfnet
from tinycnn.models.alexnet import LAYERS_2012
from tinycnn.models.zfnet import LAYERS

# Sums from the papers' figures: maps (kernel^2 maps below + 1), and units (units below + 1).
LINEAR = 4096 * (256 * 6 * 6 + 1) + 4096 * (4096 + 1) + 1000 * (4096 + 1)
SUM_2012 = 96 * (11**2 * 3 + 1) + 256 * (5**2 * 48 + 1) + 384 * (3**2 * 256 + 1) + 384 * (3**2 * 192 + 1) + 256 * (3**2 * 192 + 1) + LINEAR
SUM_ZFNET = 96 * (7**2 * 3 + 1) + 256 * (5**2 * 96 + 1) + 384 * (3**2 * 256 + 1) + 384 * (3**2 * 384 + 1) + 256 * (3**2 * 384 + 1) + LINEAR


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("alexnet", 61_100_840),  # pytorch.org/vision/stable/models/generated/torchvision.models.alexnet.html
        ("alexnet_2012", 60_965_224),  # "60 million parameters" in the abstract; Caffe's bvlc_alexnet.caffemodel holds 60,965,224
        ("zfnet", 62_357_608),
    ],
)
def test_parameters(name, published):
    assert parameters(name) == published


def test_the_sums_written_out():
    assert SUM_2012 == 60_965_224
    assert SUM_ZFNET == 62_357_608


def test_map_sizes_of_2012():
    # Figure 2: 55x55x96 in two towers of 48, 27x27x256, 13x13x384, 13x13x384, 13x13x256.
    model = nn.utils.skip_init(alexnet_2012, 10)
    shapes, output = stage_shapes(model.features, (1, 3, 227, 227), ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"])
    assert shapes == [(96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6)]
    assert output == (1, 256, 6, 6)


def test_map_sizes_of_zfnet():
    model = nn.utils.skip_init(zfnet, 10)
    stages = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]
    shapes, _ = stage_shapes(model.features, (1, 3, 224, 224), stages)
    assert shapes == [(96, 110, 110), (96, 55, 55), (256, 26, 26), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6)]
    after = {name: shape[1] for name, shape in zip(stages, shapes, strict=True)}
    assert [after.get(f"pool{n}", after[f"conv{n}"]) for n in range(1, 6)] == [row[4] for row in LAYERS]


def test_224_is_227_with_a_border():
    small, large = (nn.utils.skip_init(alexnet_2012, 10, image_size=size) for size in (224, 227))
    rng = np.random.default_rng(0)
    for one, other in zip(small.features.parameters(), large.features.parameters(), strict=True):
        one.data[...] = rng.standard_normal(one.shape) * 0.05
        other.data[...] = one.data
    photo = images(1, 3, 224, 224)
    padded = Tensor(np.pad(photo.data, ((0, 0), (0, 0), (1, 2), (1, 2))))
    with tinycnn.no_grad():
        np.testing.assert_array_equal(small.features(photo).data, large.features(padded).data)


def test_each_tower_sees_only_itself_but_for_the_third_layer():
    model = nn.utils.skip_init(alexnet_2012, 10)
    rng = np.random.default_rng(0)
    for number, other_tower_matters in ((2, False), (3, True), (4, False), (5, False)):
        layer = model.features.get_submodule(f"conv{number}")
        for parameter in layer.parameters():
            parameter.data[...] = rng.standard_normal(parameter.shape)
        channels = LAYERS_2012[number - 2].maps
        maps = rng.standard_normal((1, channels, 5, 5)).astype(np.float32)
        changed = maps.copy()
        changed[:, channels // 2 :] += 1  # the second tower's
        first = slice(0, LAYERS_2012[number - 1].maps // 2)
        with tinycnn.no_grad():
            before, after = layer(Tensor(maps)).data[:, first], layer(Tensor(changed)).data[:, first]
        assert (not np.array_equal(before, after)) is other_tower_matters


def test_response_normalisation_is_the_papers_equation():
    # b[i] = a[i] / (2 + 1e-4 sum over maps i-2 .. i+2 of a^2)^0.75
    norm = nn.utils.skip_init(alexnet_2012, 10).features.norm1
    a = np.random.default_rng(0).standard_normal((1, 7, 1, 1)) * 100
    expected = [a[0, i] / (2 + 1e-4 * (a[0, max(0, i - 2) : i + 3] ** 2).sum()) ** 0.75 for i in range(7)]
    np.testing.assert_allclose(norm(Tensor(a)).data[0], expected, rtol=1e-12)


def test_how_the_weights_of_2012_start(monkeypatch):
    module = importlib.import_module("tinycnn.models.alexnet")  # a function hides it in tinycnn.models

    class SmallLinear(nn.Linear):
        def __init__(self, in_features, out_features, activation=None):
            super().__init__(8, 8, activation=activation)

    monkeypatch.setattr(module, "Linear", SmallLinear)
    model = alexnet_2012(10)
    for name, parameter in model.named_parameters():
        layer, kind = name.split(".")[-2:]
        if kind == "bias":
            assert (parameter.data == (layer in ("conv2", "conv4", "conv5", "fc6", "fc7"))).all(), name
        elif parameter.ndim == 4:
            assert abs(parameter.data.std() - 0.01) < 2e-4, name


def test_alexnet_cifar_learns():
    found = losses(alexnet_cifar(dropout=0.0, width=0.125), size=32, learning_rate=0.02)
    assert found[-1] < 0.8 * found[0]


@pytest.mark.parametrize(("model", "size", "given"), [("alexnet_2012", 227, 224), ("zfnet", 224, 227)])
def test_another_image_size_gives_the_path_of_sizes(model, size, given):
    net = nn.utils.skip_init({"alexnet_2012": alexnet_2012, "zfnet": zfnet}[model], 10)
    with pytest.raises(ShapeError, match=rf"{model}: input must have shape \(N, 3, {size}, {size}\), got .*{given}.*pool5 6 -> flatten 256\*6\*6"):
        net(np.zeros((1, 3, given, given), np.float32))


def test_image_sizes_that_no_border_helps():
    with pytest.raises(ArgumentError, match=r"alexnet_2012: image_size must be 227 or 224 .* got 256; resize"):
        alexnet_2012(image_size=256)
