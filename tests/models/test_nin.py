"""Network in Network: parameters, sizes, the 1x1 convolutions as networks at every pixel."""

import numpy as np
import pytest

import tinycnn
from tests.models.measuring import images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError
from tinycnn.models import network_in_network, network_in_network_cifar, network_in_network_imagenet
from tinycnn.models.nin import NetworkInNetwork

# Sums over the layers of the authors' prototxt files: maps (kernel^2 maps below + 1).
CIFAR_SUM = (
    192 * (25 * 3 + 1)
    + 160 * (192 + 1)
    + 96 * (160 + 1)
    + 192 * (25 * 96 + 1)
    + 2 * 192 * (192 + 1)
    + 192 * (9 * 192 + 1)
    + 192 * (192 + 1)
    + 10 * (192 + 1)
)
IMAGENET_SUM = (
    96 * (121 * 3 + 1)
    + 2 * 96 * (96 + 1)
    + 256 * (25 * 96 + 1)
    + 2 * 256 * (256 + 1)
    + 384 * (9 * 256 + 1)
    + 2 * 384 * (384 + 1)
    + 1024 * (9 * 384 + 1)
    + 1024 * (1024 + 1)
    + 1000 * (1024 + 1)
)


def test_parameters():
    assert parameters("network_in_network") == CIFAR_SUM == 966_986
    # Caffe's model zoo: "the model is only 29 MB", of float32 in MiB.
    assert parameters("network_in_network_imagenet") == IMAGENET_SUM == 7_595_176
    assert round(IMAGENET_SUM * 4 / 2**20) == 29


def test_map_sizes():
    shapes, output = stage_shapes(
        network_in_network(width=0.125), (1, 3, 32, 32), [f"features.{n}" for n in ("cccp2", "pool1", "cccp4", "pool2", "cccp6", "pool3")]
    )
    assert shapes == [(12, 32, 32), (12, 16, 16), (24, 16, 16), (24, 8, 8), (10, 8, 8), (10, 1, 1)]
    assert output == (1, 10)
    model = network_in_network_imagenet(7, width=0.0625)
    shapes, output = stage_shapes(model, (1, 3, 224, 224), [f"features.{n}" for n in ("conv1", "pool1", "pool2", "pool3", "cccp8")])
    assert [shape[1] for shape in shapes] == [54, 27, 13, 6, 6]
    assert output == (1, 7)


def test_an_mlpconv_layer_is_a_small_network_at_every_pixel():
    model = network_in_network(width=0.0625).eval()
    features = model.features
    with tinycnn.no_grad():
        maps = features.conv1(images(1, 3, 6, 6))
        whole = features.cccp2(features.cccp1(maps)).data[0]
        for row, column in ((0, 0), (2, 5), (4, 1)):
            vector = maps.data[0, :, row, column]
            for layer in (features.cccp1, features.cccp2):
                vector = np.maximum(layer.weight.data[:, :, 0, 0] @ vector + layer.bias.data, 0)
            np.testing.assert_allclose(whole[:, row, column], vector, rtol=1e-5, atol=1e-6)


def test_logits_are_means_of_maps():
    model = network_in_network(width=0.0625).eval()
    batch = images(2, 3, 16, 16)
    last = []
    model.features.cccp6.register_forward_hook(lambda layer, inputs, output: last.append(output.data))
    np.testing.assert_allclose(model(batch).data, last[0].mean((2, 3)), rtol=1e-5)


def test_cost_of_the_laptop_size():
    assert multiply_adds(network_in_network_cifar(), (3, 32, 32)) <= 100_000_000


def test_network_in_network_learns():
    found = losses(network_in_network(width=0.125, dropout=0.0), size=16, learning_rate=0.05, steps=12)
    assert found[-1] < 0.9 * found[0]


def test_a_width_that_is_no_width():
    with pytest.raises(ArgumentError, match=r"network_in_network: width must be a finite number > 0, not -1\.0"):
        network_in_network(width=-1.0)


def test_dropout_stands_between_the_mlpconv_layers():
    names = [name for name, layer in network_in_network(width=0.0625).features.named_children() if isinstance(layer, nn.Dropout)]
    assert names == ["drop1", "drop2"]
    assert isinstance(network_in_network(width=0.0625), NetworkInNetwork)
    assert network_in_network(3, 1, width=0.0625).eval()(Tensor(np.zeros((1, 1, 32, 32), np.float32))).shape == (1, 3)
