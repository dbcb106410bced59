"""Receptive fields: against published tables, against gradients, at merges.

The published sizes are those of the README of google-research/receptive_field for the TF-slim networks; there the stride of a ResNet stage is
in its last block. Sizes are maxima over all paths; with symmetric padding the paths share their centres and the union is as large.
"""

import numpy as np
import pytest

from tests.study.small_networks import Branches, Gate, ResidualBlock, bottleneck_resnet, chain
from tinycnn import functional as F
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.study import effective_receptive_field, receptive_fields, record_forward


def last_field(module, *shape):
    graph = record_forward(module, shape)
    return receptive_fields(graph)[graph.calls[-1].number]


def vgg16_windows():
    windows = []
    for convolutions in (2, 2, 3, 3, 3):
        windows += [(3, 1, 1)] * convolutions + [(2, 2, 0)]
    return windows


PUBLISHED = {
    # name: network, size, stride
    "alexnet_v2": (chain((11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)), 195, 32),
    "vgg_16": (chain(*vgg16_windows()), 212, 32),
    "mobilenet_v1": (chain((3, 2, 1), *((3, s, 1) for s in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1))), 315, 32),
    "resnet_v1_50": (bottleneck_resnet((3, 4, 6, 3), True), 483, 32),
    "resnet_v1_101": (bottleneck_resnet((3, 4, 23, 3), True), 1027, 32),
    "resnet_v1_152": (bottleneck_resnet((3, 8, 36, 3), True), 1507, 32),
    "torchvision resnet50": (bottleneck_resnet((3, 4, 6, 3), False), 427, 32),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    network, size, stride = PUBLISHED[name]
    field = last_field(network, 1, 1, 96, 96)
    assert (field.size, field.stride, field.aligned) == ((size, size), (stride, stride), True)


def test_vgg_start_and_center():
    field = last_field(chain(*vgg16_windows()), 1, 1, 64, 64)
    assert field.start == (-90, -90)  # effective padding 90
    assert field.center == (15.5, 15.5)


@pytest.mark.parametrize("kernel, stride, padding, dilation", [(3, 1, 0, 1), (3, 2, 1, 2), ((1, 5), (1, 2), (0, 2), 1)])
def test_windows_against_gradients(kernel, stride, padding, dilation):
    """The pixels with a gradient are the field, no more and no fewer."""
    net = nn.Sequential(nn.Conv2d(1, 2, kernel, stride, padding, dilation), nn.AvgPool2d(2), nn.Conv2d(2, 1, 3, padding=1))
    exact(net, "2", (1, 1, 40, 40))


def exact(net, layer, shape):
    found = effective_receptive_field(net, layer, shape)
    rows, columns = np.nonzero(found.influence)
    assert (rows.min(), columns.min(), rows.max(), columns.max()) == found.box


def test_transposed_and_resized_fields_hold_all_gradients():
    for up in (nn.ConvTranspose2d(1, 1, 4, 2, 1), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample(scale_factor=2)):
        net = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), up, nn.Conv2d(1, 1, 3, padding=1))
        found = effective_receptive_field(net, "2", (1, 1, 24, 24))
        assert found.outside == 0
        assert last_field(net, 1, 1, 24, 24).stride == (1, 1)


def test_a_merge_sees_the_union():
    assert last_field(Branches(), 1, 3, 8, 8).size == (5, 5)
    assert last_field(nn.Sequential(ResidualBlock(2), ResidualBlock(2)), 1, 2, 16, 16).size == (9, 9)
    exact(ResidualBlock(1), "norm2", (1, 1, 16, 16))


def test_paths_out_of_line_are_reported():
    class Shifted(nn.Module):
        def forward(self, input):
            return F.avg_pool2d(input, 3, 1, padding=(0, 0, 0, 0))[:, :, :2, :2] + input[:, :, :2, :2]

    field = last_field(Shifted(), 1, 1, 6, 6)
    assert field.aligned is False
    assert (field.size, field.start) == ((3, 3), (0, 0))


def test_a_gate_is_marked_and_changes_no_size():
    field = last_field(Gate(), 1, 3, 9, 9)
    assert (field.size, field.gated, field.text()) == ((3, 3), True, "3+gate")


def test_what_mixes_places_sees_them_all():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.Flatten(), nn.Linear(2 * 4 * 4, 3))
    field = last_field(net, 1, 1, 8, 8)
    assert (field.size, field.stride) == ((9, 9), (None, None))
    assert last_field(nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1)), 1, 1, 8, 8).size == (8, 8)


def test_channels_may_be_shuffled_without_a_change():
    class Shuffle(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, input):
            maps = self.conv(input).reshape(1, 2, 2, 6, 6).transpose(1, 2).reshape(1, 4, 6, 6)
            return F.channel_shuffle(maps, 2) + maps.permute(0, 1, 2, 3)

    assert last_field(Shuffle(), 1, 4, 6, 6).size == (3, 3)


def test_effective_field_of_random_convolutions_is_smaller_than_the_theoretical_one(tmp_path):
    field = effective_receptive_field(chain(*[(3, 1, 1)] * 10), "9", (1, 1, 41, 41))
    assert field.box == (10, 10, 30, 30)
    assert field.outside == 0
    assert field.influence.max() == 1
    assert 0 < field.share(0.95) < 0.9
    from PIL import Image

    picture = Image.open(field.save(tmp_path / "field.png", pixels=410))
    assert picture.size == (410, 410)
    assert picture.getpixel((100, 200)) == (0xD9, 0x66, 0x1F)  # the theoretical boundary


def test_an_effective_field_leaves_gradients_alone():
    net = nn.Sequential(nn.Conv2d(1, 1, 3))
    effective_receptive_field(net, "0", (1, 1, 8, 8), position=(0, 5))
    assert net[0].weight.grad is None
    assert net.training


@pytest.mark.parametrize(
    "layer, position, error, message",
    [
        ("9", None, ArgumentError, "there is no layer '9'; there are 0, 1"),
        ("2", None, ShapeError, "2 gives .*, not maps"),
        ("0", (7, 0), ArgumentError, "position .7, 0. is outside the 6x6 map"),
    ],
)
def test_refused_effective_fields(layer, position, error, message):
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Flatten())
    with pytest.raises(error, match=f"effective_receptive_field: .*{message}"):
        effective_receptive_field(net, layer, (1, 1, 8, 8), position)
