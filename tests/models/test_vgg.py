"""VGG: parameters of all variants, sizes, fusion, and that the CIFAR sizes learn."""

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import get_model, vgg11_cifar, vgg16_cifar
from tinycnn.models.vgg import CONFIGURATIONS, VGG

# num_params on the pages pytorch.org/vision/stable/models/generated/torchvision.models.vgg*.html; table 2 of the paper rounds them to 133, 133, 138
# and 144 million.
PUBLISHED = {
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters(name):
    assert parameters(name) == PUBLISHED[name]


def test_the_sum_of_vgg16_written_out():
    convolutions, below = 0, 3
    for maps in (maps for stage in CONFIGURATIONS[16] for maps in stage):
        convolutions += maps * (9 * below + 1)
        below = maps
    assert convolutions == 14_714_688
    assert convolutions + 4096 * (7 * 7 * 512 + 1) + 4096 * (4096 + 1) + 1000 * (4096 + 1) == 138_357_544


@pytest.mark.parametrize("depth", CONFIGURATIONS)
def test_layers_with_weights(depth):
    assert sum(len(stage) for stage in CONFIGURATIONS[depth]) + 3 == depth


def test_map_sizes():
    model = VGG(16, 10, width=0.0625, hidden=8)
    poolings = [f"features.{n}" for n, layer in model.features.named_children() if isinstance(layer, nn.MaxPool2d)]
    shapes, output = stage_shapes(model, (1, 3, 224, 224), [*poolings, "avgpool"])
    assert shapes == [(4, 112, 112), (8, 56, 56), (16, 28, 28), (32, 14, 14), (32, 7, 7), (32, 7, 7)]
    assert output == (1, 10)


@pytest.mark.parametrize("name", ["vgg11_cifar", "vgg13_cifar", "vgg16_cifar", "vgg19_cifar"])
def test_cost_of_the_cifar_sizes(name):
    assert multiply_adds(get_model(name), (3, 32, 32)) <= 100_000_000


def test_vgg_learns():
    found = losses(vgg11_cifar(width=0.125), size=32, learning_rate=0.02)
    assert found[-1] < 0.7 * found[0]


def test_relu_is_fused_and_evaluation_folds_the_rest():
    model = vgg16_cifar(width=0.0625)
    assert not [layer for layer in model.modules() if isinstance(layer, nn.ReLU)]
    batch = images(4, 3, 32, 32)
    with tinycnn.no_grad():
        model(batch)  # statistics that are not 0 and 1
        before = model.eval()(batch).data
        fused = nn.fuse(model)
        assert not [layer for layer in fused.modules() if isinstance(layer, nn.BatchNorm2d)]
        np.testing.assert_allclose(fused(batch).data, before, rtol=1e-3, atol=1e-5)


def test_errors():
    model = nn.utils.skip_init(VGG, 11, 10, width=0.0625, hidden=8)
    with pytest.raises(ShapeError, match=r"vgg11: images must be at least 32x32, got 31x40, of which nothing is left at the fifth pooling.*_cifar"):
        model(np.zeros((1, 3, 31, 40), np.float32))
    with pytest.raises(ShapeError, match=r"vgg11: input must have shape \(N, 3, H, W\), got \(3, 32, 32\); add the batch axis"):
        model(np.zeros((3, 32, 32), np.float32))
    with pytest.raises(ShapeError, match=r"got \(1, 32, 32, 3\); the channels lie last"):
        model(np.zeros((1, 32, 32, 3), np.float32))
    with pytest.raises(ShapeError, match=r"got \(1, 1, 32, 32\); build the net with in_channels=1"):
        model(np.zeros((1, 1, 32, 32), np.float32))
    with pytest.raises(ShapeError, match=r"got \(32, 32\); images have four axes"):
        model(np.zeros((32, 32), np.float32))
    with pytest.raises(ArgumentError, match="vgg16: width must be a finite number > 0, not nan"):
        vgg16_cifar(width=float("nan"))
