"""MnasNet: table, parameters, learning, errors."""

import pytest

from tests.models.measuring import check_gradients, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.models import MNASNet, get_model
from tinycnn.models.mnasnet import InvertedResidual

# pytorch.org/vision, the page of each model: num_params.
PUBLISHED = {"mnasnet0_5": 2_218_512, "mnasnet0_75": 3_170_208, "mnasnet1_0": 4_383_312, "mnasnet1_3": 6_282_256}


@pytest.mark.parametrize(("name", "count"), PUBLISHED.items())
def test_parameters(name, count):
    assert parameters(name) == count


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "millions"), [("mnasnet0_5", 104), ("mnasnet0_75", 215), ("mnasnet1_0", 314), ("mnasnet1_3", 526)])
def test_multiply_adds(name, millions):
    """pytorch.org/vision, GFLOPS of each model: 0.10, 0.21, 0.31 and 0.53."""
    assert round(multiply_adds(nn.utils.skip_init(get_model, name), (3, 224, 224)) / 1e6) == millions


def test_a_laptop_can_train_it():
    assert round(multiply_adds(nn.utils.skip_init(get_model, "mnasnet_cifar"), (3, 32, 32)) / 1e6) == 26


def test_stages():
    model = nn.utils.skip_init(get_model, "mnasnet0_5")
    shapes, output = stage_shapes(model, (1, 3, 64, 64), [f"layers.{place}" for place in (2, 7, 8, 9, 10, 11, 12, 13, 16)])
    sizes = [(16, 32), (8, 32), (16, 16), (24, 8), (40, 4), (48, 4), (96, 2), (160, 2), (1280, 2)]
    assert shapes == [(channels, size, size) for channels, size in sizes]
    assert output == (1, 1000)


def test_it_learns():
    model = MNASNet(0.5, 10, 0.0, stem_stride=1, batch_norm_momentum=0.1, stages=((24, 3, 2, 3, 2), (40, 5, 2, 3, 1)))
    found = losses(model, size=16, steps=15, learning_rate=0.01)
    assert found[-1] < 0.7 * found[0]


def test_small_images_are_learnt_with_faster_statistics():
    momenta = {
        name: {module.momentum for module in nn.utils.skip_init(get_model, name).modules() if isinstance(module, nn.BatchNorm2d)}
        for name in ("mnasnet_cifar", "mnasnet1_0")
    }
    assert momenta == {"mnasnet_cifar": {0.1}, "mnasnet1_0": {1 - 0.9997}}


@pytest.mark.exhaustive
def test_gradients():
    check_gradients(InvertedResidual(2, 2, 3, 1, 2, 0.1), (3, 2, 4, 4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MNASNet(0), "MNASNet: alpha must be a finite number above 0, not 0"),
        (lambda: MNASNet(1.0, stages=[[16, 7, 1, 3, 1]]), "stride 1 or 2 and kernel 3 or 5, not 1 and 7"),
        (lambda: MNASNet(1.0, stages=[[16, 3]]), r"must hold 5 values .*; there are 2 in \(16, 3\)"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
