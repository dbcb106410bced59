"""Xception: the three flows, parameters, the block spelled out, learning, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import functional, nn
from tinycnn.errors import ArgumentError
from tinycnn.models import Xception, XceptionBlock, get_model


def test_parameters():
    assert parameters("xception") == 22_855_952  # timm 1.0.31, results-imagenet.csv: 22.86M; Chollet 2017, table 3, counts 22,855,952


def test_figure_5():
    names = ["bn2", *(f"block{number}" for number in (1, 2, 3, 4, 11, 12)), "bn4"]
    model = nn.utils.skip_init(Xception, 5, stem=(4, 8), entry=(8, 16, 24), exit=(32, 40, 48))
    shapes, output = stage_shapes(model, (1, 3, 299, 299), names)
    assert [shape[1:] for shape in shapes] == [(147, 147), (74, 74), (37, 37), (19, 19), (19, 19), (19, 19), (10, 10), (10, 10)]
    assert [shape[0] for shape in shapes] == [8, 8, 16, 24, 24, 24, 32, 48]
    assert output == (1, 5)
    real = nn.utils.skip_init(get_model, "xception")
    assert [real.get_submodule(f"block{number}").rep[-2].num_features for number in (1, 2, 3, 12)] == [128, 256, 728, 1024]
    assert real.fc.weight.shape == (1000, 2048)


def test_a_laptop_can_train_it():
    model = nn.utils.skip_init(get_model, "xception_cifar")
    assert multiply_adds(model, (3, 32, 32)) <= 100e6
    assert stage_shapes(model, (1, 3, 32, 32), ["block3", "block6", "block7"])[0] == [(256, 8, 8), (256, 8, 8), (512, 4, 4)]


@pytest.mark.parametrize("relu_first", [True, False])
@pytest.mark.parametrize(("widths", "stride"), [((6, 4), 2), ((4, 4, 4), 1)])
def test_the_block_is_its_parts(widths, stride, relu_first):
    block, x = XceptionBlock(4, widths, stride, relu_first).eval(), images(2, 4, 5, 5)
    y, scale = x, 1 / np.sqrt(1 + 1e-5)
    convolutions = [layer for layer in block.rep if hasattr(layer, "pointwise")]
    for index, layer in enumerate(convolutions):
        if relu_first or index:
            y = functional.relu(y)
        channels = y.shape[1]
        y = functional.conv2d(functional.conv2d(y, layer.conv1.weight, padding=1, groups=channels), layer.pointwise.weight) * scale
    if stride == 2:
        y = functional.max_pool2d(y, 3, 2, 1) + functional.conv2d(x, block.skip.weight, stride=2) * scale
    else:
        y = y + x
    np.testing.assert_allclose(block(x).data, y.data, atol=1e-5)


def test_it_learns():
    tiny = Xception(10, stem=(8, 16), entry=(16, 16, 32), middle=1, exit=(32, 32, 64), small_images=True)
    found = losses(tiny)
    assert found[-1] < 0.7 * found[0], found


def test_errors():
    with pytest.raises(ArgumentError, match=r"stem=\(32,\), entry=.* must have 2, 3 and 3 numbers"):
        Xception(stem=(32,))


@pytest.mark.exhaustive
def test_gradients():
    check_gradients(XceptionBlock(2, (3, 3), 2), (3, 2, 4, 4))
