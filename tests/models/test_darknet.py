"""Darknet-19 and Darknet-53: the papers' tables, parameters, learning, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.models import DarkBlock, Darknet19, get_model
from tinycnn.models.darknet import DARKNET19


def test_parameters_of_darknet19_by_table_6():
    filters = [3, 32, 64, 128, 64, 128, 256, 128, 256, 512, 256, 512, 256, 512, 1024, 512, 1024, 512, 1024]
    sizes = [3, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 1, 3, 3, 1, 3, 1, 3]
    count = sum(before * after * size**2 + 2 * after for before, after, size in zip(filters[:-1], filters[1:], sizes, strict=True))
    assert count + 1024 * 1000 + 1000 == parameters("darknet19") == 20_842_376
    assert len(filters) - 1 + 1 == sum(row != "max" for row in DARKNET19) + 1 == 19


def test_parameters_of_darknet53():
    assert parameters("darknet53") == 41_609_928  # timm 1.0.31, results-imagenet.csv: 41.61M
    # Table 1 of YOLOv3: the first convolution, and in each stage one with stride 2 and the pairs of its blocks.
    count, channels = 3 * 32 * 9 + 2 * 32, 32
    for width, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        half = width // 2
        count += channels * width * 9 + 2 * width + blocks * (width * half + 2 * half + half * width * 9 + 2 * width)
        channels = width
    assert count + 1024 * 1000 + 1000 == 41_609_928


def test_stage_sizes():
    shapes, output = stage_shapes(nn.utils.skip_init(get_model, "darknet53"), (1, 3, 32, 32), ["stem", *(f"stages.{stage}" for stage in range(5))])
    assert shapes == [(32, 32, 32), (64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2), (1024, 1, 1)]
    assert output == (1, 1000)
    small = nn.utils.skip_init(get_model, "darknet19", width_mult=0.125)
    shapes, output = stage_shapes(small, (1, 3, 64, 64), ["features", "classifier"])
    assert shapes == [(128, 2, 2), (1000, 2, 2)]
    assert output == (1, 1000)


def test_a_laptop_can_train_it():
    model = nn.utils.skip_init(get_model, "darknet_cifar")
    assert multiply_adds(model, (3, 32, 32)) <= 100e6
    assert stage_shapes(model, (1, 3, 32, 32), ["features"])[0] == [(256, 4, 4)]


def test_nothing_stands_on_the_sum_of_a_dark_block():
    block, x = DarkBlock(4), images(2, 4, 3, 3)
    block.conv2.bn.weight.data[...] = 0
    np.testing.assert_allclose(block(x).data, x.data, atol=1e-6)


def test_it_learns():
    found = losses(get_model("darknet_cifar", width_mult=0.0625), size=16, learning_rate=0.02)
    assert found[-1] < 0.7 * found[0], found


@pytest.mark.parametrize(
    ("options", "match"),
    [({"width_mult": 0}, "width_mult=0 must be above 0"), ({"poolings": 6}, "poolings=6 from 0 to 5")],
)
def test_errors(options, match):
    with pytest.raises(ArgumentError, match=match):
        Darknet19(**options)


@pytest.mark.exhaustive
def test_gradients():
    check_gradients(DarkBlock(4), (2, 4, 3, 3))
