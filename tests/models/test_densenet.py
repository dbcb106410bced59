"""DenseNet: sizes, parameters, what each layer sees, old spellings of keys, learning, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.models import DenseBlock, DenseLayer, DenseNet, densenet_cifar, get_model

# pytorch.org/vision, the page of each model: num_params.
PUBLISHED = {"densenet121": 7_978_856, "densenet161": 28_681_000, "densenet169": 14_149_480, "densenet201": 20_013_928}


def dense_sum(layers, k, start, bottleneck):
    """The sum over section 3's network of three blocks: norms and convolutions of each layer, two transitions, the last norm, ten rows."""
    count, channels = 3 * start * 9, start
    for block in range(3):
        for _ in range(layers):
            if bottleneck:
                count += 2 * channels + channels * 4 * k + 2 * 4 * k + 4 * k * k * 9
            else:
                count += 2 * channels + channels * k * 9
            channels += k
        if block < 2:
            kept = channels // 2 if bottleneck else channels
            count += 2 * channels + channels * kept
            channels = kept
    return count + 2 * channels + channels * 10 + 10


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_parameters(name, count):
    assert parameters(name) == count


@pytest.mark.parametrize(
    ("name", "count", "millions", "terms"),
    [
        ("densenet40_k12", 1_019_722, 1.0, (12, 12, 16, False)),  # table 2: 1.0M
        ("densenet_bc100_k12", 769_162, 0.8, (16, 12, 24, True)),  # table 2: 0.8M
        ("densenet_cifar", 176_122, 0.2, (6, 12, 24, True)),
    ],
)
def test_parameters_of_the_cifar_networks(name, count, millions, terms):
    assert parameters(name) == dense_sum(*terms) == count
    assert round(count / 1e6, 1) == millions


def test_a_laptop_can_train_it():
    assert multiply_adds(nn.utils.skip_init(get_model, "densenet_cifar"), (3, 32, 32)) <= 100e6


def test_table_1_of_the_paper():
    names = [f"features.{key}" for key in ("pool0", "denseblock1", "transition1", "denseblock2", "denseblock3", "denseblock4")]
    shapes, output = stage_shapes(nn.utils.skip_init(get_model, "densenet121"), (1, 3, 64, 64), names)
    assert shapes == [(64, 16, 16), (256, 16, 16), (128, 8, 8), (512, 8, 8), (1024, 4, 4), (1024, 2, 2)]
    assert output == (1, 1000)


@pytest.mark.parametrize("bn_size", [0, 2])
def test_each_layer_sees_all_before(bn_size):
    block = DenseBlock(2, 4, 3, bn_size).eval()
    x = images(2, 4, 5, 5)
    first = block.denselayer1(x).data
    second = block.denselayer2(np.concatenate([x.data, first], 1)).data
    np.testing.assert_allclose(block(x).data, np.concatenate([x.data, first, second], 1), atol=1e-6)


def test_old_keys_load():
    model = DenseNet(4, (1, 2), 8, num_classes=3)
    old = {key.replace("norm1.", "norm.1.").replace("norm2.", "norm.2.").replace("conv1.", "conv.1.").replace("conv2.", "conv.2."): value.data + 1.0
           for key, value in model.state_dict().items()}  # fmt: skip
    assert "features.denseblock2.denselayer2.norm.1.running_var" in old
    assert "features.transition1.norm.weight" in old
    assert "features.conv0.weight" in old
    expected = {key: value.data + 1.0 for key, value in model.state_dict().items()}
    assert model.load_state_dict(old) == ([], [])
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, expected[key])


@pytest.mark.parametrize("bottleneck", [True, False])
def test_it_learns(bottleneck):
    found = losses(densenet_cifar(depth=10, growth_rate=8, bottleneck=bottleneck, drop_rate=0.05), learning_rate=0.2)
    assert found[-1] < 0.7 * found[0], found


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: densenet_cifar(depth=41), r"densenet_cifar: depth must be 6n \+ 4, three equal blocks, got 41; the nearest is 40"),
        (lambda: densenet_cifar(depth=4, bottleneck=False), r"depth must be 3n \+ 4, .* got 4; the nearest is 7"),
        (lambda: DenseNet(compression=0.0), r"compression=0.0 must be above 0 and at most 1"),
    ],
)
def test_errors(make, match):
    with pytest.raises(ArgumentError, match=match):
        make()


@pytest.mark.exhaustive
@pytest.mark.parametrize("bn_size", [0, 2])
def test_gradients(bn_size):
    check_gradients(DenseBlock(2, 2, 2, bn_size), (3, 2, 3, 3))


def test_dropout_stands_behind_the_layer():
    layer = DenseLayer(4, 64, 2, 0.5)
    zeros = (layer(images(4, 4, 8, 8)).data == 0).mean()
    assert 0.45 < zeros < 0.55
    assert not (layer.eval()(images(4, 4, 8, 8)).data == 0).any()
