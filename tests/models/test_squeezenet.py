"""SqueezeNet: parameters, table 1, the fire module."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.models import Fire, squeezenet1_0, squeezenet1_1, squeezenet_cifar
from tinycnn.models.squeezenet import FIRE2, FIRE4, FIRE6, FIRE8

# Table 1: parameters before pruning, conv1 .. conv10 without the poolings.
TABLE_1 = {
    "conv1": 14_208,
    "fire2": 11_920,
    "fire3": 12_432,
    "fire4": 45_344,
    "fire5": 49_440,
    "fire6": 104_880,
    "fire7": 111_024,
    "fire8": 188_992,
    "fire9": 197_184,
    "conv10": 513_000,
}


def test_parameters():
    # pytorch.org/vision/stable/models/generated/torchvision.models.squeezenet1_0.html and 1_1.html
    assert parameters("squeezenet1_0") == 1_248_424 == sum(TABLE_1.values())
    assert parameters("squeezenet1_1") == 1_235_496


def test_every_row_of_table_1():
    model = nn.utils.skip_init(squeezenet1_0)
    layers = [layer for layer in model.features if isinstance(layer, nn.Conv2d | Fire)] + [model.classifier[1]]
    counts = [sum(parameter.numel() for parameter in layer.parameters()) for layer in layers]
    assert dict(zip(TABLE_1, counts, strict=True)) == TABLE_1


def test_map_sizes():
    shapes, output = stage_shapes(
        nn.utils.skip_init(squeezenet1_0, 10), (1, 3, 224, 224), [f"features.{n}" for n in (0, 2, 5, 6, 10, 11, 12)] + ["classifier.1"]
    )
    assert shapes == [(96, 109, 109), (96, 54, 54), (256, 54, 54), (256, 27, 27), (512, 27, 27), (512, 13, 13), (512, 13, 13), (10, 13, 13)]
    assert output == (1, 10)
    shapes, _ = stage_shapes(nn.utils.skip_init(squeezenet1_1, 10), (1, 3, 64, 64), [f"features.{n}" for n in (0, 2, 5, 8, 12)])
    assert shapes == [(64, 31, 31), (64, 15, 15), (128, 7, 7), (256, 3, 3), (512, 3, 3)]


def test_expansion_is_eight_times_the_squeeze():
    for row in (FIRE2, FIRE4, FIRE6, FIRE8):  # section 4.2: SR = 0.125, half of the filters 3x3
        assert row.squeeze * 8 == row.expand1x1 + row.expand3x3
        assert row.expand1x1 == row.expand3x3


def test_fire_by_hand():
    fire = Fire(3, 2, 4, 5)
    x = images(1, 3, 4, 4)
    squeezed = np.maximum(np.einsum("oi,nihw->nohw", fire.squeeze.weight.data[:, :, 0, 0], x.data) + fire.squeeze.bias.data[:, None, None], 0)
    one = np.maximum(np.einsum("oi,nihw->nohw", fire.expand1x1.weight.data[:, :, 0, 0], squeezed) + fire.expand1x1.bias.data[:, None, None], 0)
    output = fire(x).data
    assert output.shape == (1, 9, 4, 4)
    np.testing.assert_allclose(output[:, :4], one, rtol=1e-4, atol=1e-6)


def test_gradients_of_fire():
    check_gradients(Fire(3, 2, 2, 3), (2, 3, 4, 4))
    check_gradients(Fire(3, 2, 2, 3, batch_norm=True), (3, 3, 4, 4))


def test_squeezenet_learns_and_fits_a_laptop():
    found = losses(squeezenet_cifar(dropout=0.0, width=0.25), size=16)
    assert found[-1] < 0.8 * found[0]
    assert multiply_adds(squeezenet_cifar(), (3, 32, 32)) <= 100_000_000


def test_a_width_that_is_no_width():
    with pytest.raises(ArgumentError, match="squeezenet: width must be a finite number > 0, not 0"):
        squeezenet_cifar(width=0)
