"""The way of sizes through a network, and the number behind a flatten."""

import pytest

from tests.study.small_networks import Gate
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.functional import relu
from tinycnn.study import flatten_features, record_forward, size_path, summary
from tinycnn.study.size_path import vanishing


class Wrong(nn.Module):
    """A linear layer with a guessed number of features, behind a functional flatten."""

    def __init__(self, features):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(features, 10)

    def forward(self, input):
        maps = self.pool(relu(self.conv(input)))
        return self.head(maps.reshape(maps.shape[0], -1))


def test_the_right_number_is_found_before_the_layer_fails():
    size = flatten_features(Wrong(999), (2, 3, 32, 32))
    assert size.features == 6 * 14 * 14
    assert size.path == "input 3x32x32 -> conv 6x28x28 -> pool 6x14x14 -> reshape 6*14*14 = 1176"
    assert summary(Wrong(size.features), (3, 32, 32)).rows[-1].call.output.shape == (1, 10)


def test_a_mismatch_tells_the_path_and_the_number():
    with pytest.raises(ShapeError, match=r"conv 6x28x28 -> pool 6x14x14 -> reshape 6\*14\*14 = 1176; .* needs in_features=1176"):
        summary(Wrong(999), (3, 32, 32))


def test_a_layer_that_fails_before_the_flatten():
    with pytest.raises(ShapeError, match="input has 1 channels"):
        flatten_features(Wrong(5), (1, 1, 32, 32))


def test_nothing_to_flatten():
    with pytest.raises(ArgumentError, match=r"flatten_features: Gate flattens nothing; put nn\.Flatten"):
        flatten_features(Gate(), (1, 3, 8, 8))


def test_shrinking_too_fast_is_said():
    net = nn.Sequential(nn.Conv2d(1, 1, 5), nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, padding=1))
    graph = record_forward(net, (1, 1, 8, 8))
    assert size_path(graph) == "input 1x8x8 -> 0 1x4x4 -> 1 1x2x2"
    assert vanishing(graph) == [
        "0: a window of 5 takes 8x8 to 4x4; pad by 2 to keep the size",
        "1: a window of 3 takes 4x4 to 2x2; pad by 1 to keep the size",
    ]
    assert any("takes 8x8 to 4x4" in note for note in summary(net, (1, 8, 8)).notes)


@pytest.mark.parametrize("size", [(), (3, 0, 5), (3, 2.0)])
def test_refused_sizes(size):
    with pytest.raises(ArgumentError, match="summary: input_size must be whole numbers"):
        summary(nn.ReLU(), size)
