"""What a recording sees, and that it leaves no trace."""

import sys

import numpy as np
import pytest

import tinycnn
from tests.study.small_networks import Branches, Gate, ResidualBlock, images
from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.functional import dropout, flatten
from tinycnn.study import record_forward


def test_modules_functions_signs_and_methods_are_seen_once_each():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, input):
            x = tinycnn.tanh(self.layer(input)) + input
            return dropout(flatten(x.reshape(2, 3, 1), 1), 0.5, self.training)[:, :2]

    graph = record_forward(Mixed(), (2, 3))
    assert [call.operator for call in graph.calls] == ["linear", "tanh", "add", "reshape", "flatten", "dropout", "getitem"]
    assert [call.path for call in graph.calls][:2] == ["layer", ""]
    assert graph.calls[0].parameters[0].name == "layer.weight"
    # Every call reads what the one before made; the sum also reads the input.
    assert [value.producer for call in graph.calls[1:] for value in call.inputs] == [0, 1, None, 2, 3, 4, 5]
    assert graph.outputs[0].producer == 6
    assert graph.parameter_count == 12


def test_branches_and_joins_have_their_edges():
    graph = record_forward(Branches(), (1, 3, 8, 8))
    assert [call.name for call in graph.calls] == ["narrow", "wide", "cat"]
    assert [(start, end) for start, end, _ in graph.edges()] == [(None, 0), (None, 1), (0, 2), (1, 2)]
    assert graph.calls[2].output.shape == (1, 9, 8, 8)


def test_a_shared_layer_counts_its_parameters_once():
    layer = nn.Linear(4, 4)
    graph = record_forward(nn.Sequential(layer, layer), (1, 4))
    assert [sum(value.elements for value in graph.own_parameters(call)) for call in graph.calls] == [20, 0]


def test_options_are_kept():
    call = record_forward(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), (1, 4, 9, 9)).calls[0]
    assert (call.arguments["groups"], call.arguments["weight"].shape) == (2, (8, 2, 3, 3))


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_as_it_was(training):
    net = ResidualBlock(2)
    net.train(not training)
    before = {name: value.numpy().copy() for name, value in net.state_dict().items()}
    net.conv1.weight.grad = mark = tinycnn.Tensor(np.ones((2, 2, 3, 3), np.float32))
    graph = record_forward(net, (2, 2, 6, 6), training=training, backward=training)
    assert graph.training is training
    assert net.training is not training
    assert net.conv1.weight.grad is mark
    assert net.conv2.weight.grad is None
    assert sys.getprofile() is None
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_a_failure_takes_the_hook_away():
    with pytest.raises(tinycnn.errors.ShapeError):
        record_forward(nn.Linear(3, 2), (1, 4))
    assert sys.getprofile() is None


def test_training_keeps_what_backward_needs():
    graph = record_forward(nn.Sequential(nn.Linear(50, 60), nn.Tanh(), nn.Linear(60, 5)), (10, 50), training=True)
    linear, tanh, last = graph.calls
    assert graph.inputs[0].storage in linear.kept
    assert tanh.output.storage in tanh.kept | last.kept
    assert not any(value.storage in call.kept for call in graph.calls for value in graph.parameters.values())
    assert record_forward(nn.Tanh(), (1, 5)).calls[0].kept == frozenset()


def test_views_share_a_storage():
    conv, view = record_forward(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()), (1, 1, 6, 6)).calls
    assert conv.output.storage == view.output.storage


def test_several_inputs_and_given_images():
    class Sum(nn.Module):
        def forward(self, first, second):
            return first + second

    graph = record_forward(Sum(), [tinycnn.Tensor(images(1, 2)), tinycnn.Tensor(images(1, 2))])
    assert len(graph.inputs) == 2
    assert record_forward(Gate(), images(1, 3, 8, 8)).calls[-1].operator == "mul"


@pytest.mark.parametrize("input", ["photo", (), (1, 0, 3), (1, 2.5), 7])
def test_an_input_that_is_neither_images_nor_a_shape(input):
    with pytest.raises(ArgumentError, match="record_forward: input must be a Tensor, a list of Tensors or a shape"):
        record_forward(nn.Linear(2, 2), input)
