"""The layers of convolution, transposed convolution, unfold and fold: what they hold, what they call, what they refuse."""

import numpy as np
import pytest

from tests.sliding import normal
from tinycnn import functional as F
from tinycnn import manual_seed, nn
from tinycnn.errors import ArgumentError


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_layer_calls_its_operator(rank):
    layer = getattr(nn, f"Conv{rank}d")(4, 6, 3, 2, 1, 1, 2, padding_mode="reflect", activation="relu").double()
    x = normal(0, (2, 4, *(6,) * rank))
    function = getattr(F, f"conv{rank}d")
    expected = function(x, layer.weight, layer.bias, 2, 1, 1, 2, padding_mode="reflect", activation="relu")
    np.testing.assert_array_equal(layer(x).data, expected.data)
    raised = function(x, layer.weight, layer.bias, 2, 1, 1, 2, padding_mode="reflect", activation="relu", residual=expected - 1)
    np.testing.assert_array_equal(layer(x, residual=expected - 1).data, raised.data)
    assert not np.array_equal(raised.data, expected.data)
    assert layer.weight.shape == (6, 2, *(3,) * rank)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_transposed_layer_calls_its_operator(rank):
    layer = getattr(nn, f"ConvTranspose{rank}d")(4, 6, 3, 2, 1, 1, 2, False, 1).double()
    x = normal(0, (2, 4, *(4,) * rank))
    function = getattr(F, f"conv_transpose{rank}d")
    np.testing.assert_array_equal(layer(x).data, function(x, layer.weight, None, 2, 1, 1, 2, 1).data)
    assert layer.weight.shape == (4, 3, *(3,) * rank)
    assert layer(x, output_size=[7] * rank).shape == (2, 6, *(7,) * rank)
    assert layer(x, (2, 6, *(8,) * rank)).shape == (2, 6, *(8,) * rank)
    assert list(layer.state_dict()) == ["weight"]


@pytest.mark.parametrize(
    "name, arguments", [("Conv1d", (8, 8, 5)), ("Conv3d", (4, 4, 3)), ("ConvTranspose2d", (8, 4, 3)), ("ConvTranspose1d", (2, 9, 4))]
)
def test_start_is_uniform_in_one_over_the_root_of_the_fan(name, arguments):
    manual_seed(1)
    layer = getattr(nn, name)(*arguments)
    bound = 1 / np.sqrt(layer.weight.data[0].size)
    assert bound * 0.8 < np.abs(layer.weight.data).max() <= bound
    assert np.abs(layer.bias.data).max() <= bound
    assert layer.weight.dtype == np.float32


def test_texts():
    assert repr(nn.Conv1d(2, 4, 3, padding="same")) == "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=same)"
    assert repr(nn.ConvTranspose3d(2, 4, 3, 2, output_padding=1, groups=2, bias=False)) == (
        "ConvTranspose3d(2, 4, kernel_size=(3, 3, 3), stride=(2, 2, 2), output_padding=(1, 1, 1), groups=2, bias=False)"
    )
    assert repr(nn.Fold(4, 2)) == "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"


def test_unfold_and_fold():
    x = normal(0, (2, 3, 8, 6))
    columns = nn.Unfold((2, 3), 1, (1, 0), 2)(x)
    np.testing.assert_array_equal(columns.data, F.unfold(x, (2, 3), 1, (1, 0), 2).data)
    image = nn.Fold((8, 6), (2, 3), 1, (1, 0), 2)(columns)
    np.testing.assert_array_equal(image.data, F.fold(columns, (8, 6), (2, 3), 1, (1, 0), 2).data)


def test_a26_separable():
    """3x3, 256 to 256: 67,840 weights, where a convolution has 589,824; equal to a convolution with the product of both weights."""
    assert sum(p.numel() for p in nn.SeparableConv2d(256, 256, 3, bias=False).parameters()) == 67_840
    assert nn.Conv2d(256, 256, 3, bias=False).weight.numel() == 589_824
    layer = nn.SeparableConv2d(3, 5, 3, 2, 1, depth_multiplier=2, activation="relu").double()
    x = normal(0, (2, 3, 7, 6))
    depthwise = layer.depthwise.weight.data.reshape(3, 2, 3, 3)
    pointwise = layer.pointwise.weight.data.reshape(5, 3, 2)
    weight = np.einsum("ocm,cmab->ocab", pointwise, depthwise)
    expected = F.conv2d(x, weight, layer.pointwise.bias, 2, 1, activation="relu")
    np.testing.assert_allclose(layer(x).data, expected.data, rtol=1e-10, atol=1e-10)
    assert list(layer.state_dict()) == ["depthwise.weight", "pointwise.weight", "pointwise.bias"]


def test_refusals():
    with pytest.raises(ArgumentError, match=r'ConvTranspose2d: padding_mode .reflect. is not "zeros"'):
        nn.ConvTranspose2d(2, 2, 3, padding_mode="reflect")
    with pytest.raises(ArgumentError, match=r"Conv3d: kernel_size has 2 numbers; give one, or three as \(depth, height, width\)"):
        nn.Conv3d(2, 2, (3, 3))
    with pytest.raises(ArgumentError, match=r"ConvTranspose1d: groups=2 must divide in_channels=3"):
        nn.ConvTranspose1d(3, 4, 3, groups=2)
    with pytest.raises(ArgumentError, match=r"Conv1d: in_channels must be a whole number >= 1, not 0"):
        nn.Conv1d(0, 4, 3)
    with pytest.raises(ArgumentError, match=r"SeparableConv2d: depth_multiplier must be a whole number >= 1"):
        nn.SeparableConv2d(2, 4, 3, depth_multiplier=0)
    with pytest.raises(ArgumentError, match=r'padding "same" keeps the size and so asks for stride 1, not 2'):
        nn.Conv1d(2, 4, 3, stride=2, padding="same")
    with pytest.raises(ArgumentError, match="'sane' is not one of valid, same"):
        nn.Conv2d(2, 4, 3, padding="sane")
    with pytest.raises(ArgumentError, match="Conv3d: padding_mode 'mirror' is not one of zeros"):
        nn.Conv3d(2, 4, 3, padding_mode="mirror")
    with pytest.raises(ArgumentError, match="Conv2d: padding must be a whole number >= 0, not -1"):
        nn.Conv2d(2, 4, 3, padding=-1)
    with pytest.raises(ArgumentError, match="ConvTranspose1d: padding 'same' names no crop"):
        nn.ConvTranspose1d(2, 4, 3, padding="same")
