"""The networks themselves: published multiply-adds, parameters and receptive fields."""

import itertools

import pytest

from tinycnn import models, nn
from tinycnn.study import cost_of, receptive_fields, record_forward


def recorded(name, *shape):
    return record_forward(nn.utils.skip_init(models.get_model, name), shape)


def field_of_maps(graph):
    """The receptive field of the last maps, before they are pooled away."""
    before_pooling = itertools.takewhile(lambda call: call.operator != "adaptive_avg_pool2d", graph.calls)
    maps = [call for call in before_pooling if len(call.output.shape) == 4]
    return receptive_fields(graph)[maps[-1].number]


def test_vgg16():
    """138,357,544 is torchvision's figure and the sum of the paper's configuration D; 212 that of google-research/receptive_field."""
    graph = recorded("vgg16", 1, 3, 32, 32)
    assert graph.parameter_count == sum(value.elements for call in graph.calls for value in graph.own_parameters(call)) == 138_357_544
    field = field_of_maps(graph)
    assert (field.size, field.stride) == ((212, 212), (32, 32))


# MACs in millions: torchvision's documentation ("GFLOPS" there), and the papers' tables.
MACS = {
    "vgg16": 15_470,
    "alexnet": 714,
    "resnet18": 1_814,
    "resnet50": 4_089,
    "resnet101": 7_801,
    "mobilenet_v2": 301,
    "densenet121": 2_834,
    "googlenet": 1_498,
    "shufflenet_v2_x1_0": 145,
    "squeezenet1_0": 819,
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MACS)
def test_published_multiply_adds(name):
    graph = recorded(name, 1, 3, 224, 224)
    costs = [cost_of(call) for call in graph.calls]
    assert all(cost.known for cost in costs)
    assert round(sum(cost.macs for cost in costs) / 1e6) == MACS[name]


# Sizes in the README of google-research/receptive_field, where the architecture is the same; the ResNets of torchvision have their strides elsewhere.
FIELDS = {"alexnet": 195, "inception_v2": 699, "inception_v3": 1311, "inception_v4": 2071, "inception_resnet_v2": 3039, "resnet50": 427}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FIELDS)
def test_published_receptive_fields(name):
    field = field_of_maps(recorded(name, 1, 3, 224, 224))
    assert field.size == (FIELDS[name],) * 2
    assert field.aligned
