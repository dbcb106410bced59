"""CoAtNet: stages, parameters, relative attention against its formula, learning, errors."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images, losses, multiply_adds, parameters, stage_shapes
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import CoAtNet, coatnet_cifar, get_model
from tinycnn.models.coatnet import LayerNorm2d, MbConvBlock, RelativeAttention2d, TransformerBlock2d


def test_parameters():
    """Counted from timm 1.0.31's own network; the paper's, two blocks less, has 25 million."""
    assert parameters("coatnet_0_rw_224") == 27_435_562


@pytest.mark.exhaustive
def test_multiply_adds():
    """The paper's table 4 has 4.2 billion for a net two blocks less deep; attention's two products are added to what the layers count."""
    size, scores = 224, 0
    for side, channels, blocks in ((14, (192, 384), 7), (7, (384, 768), 2)):
        scores += sum(2 * side**4 * channels[min(block, 1)] for block in range(blocks))
    counted = multiply_adds(nn.utils.skip_init(get_model, "coatnet_0_rw_224"), (3, size, size))
    assert (counted + scores) / 1e9 == pytest.approx(4.41, abs=0.005)


def test_a_laptop_can_train_it():
    scores = 2 * 64**2 * (96 + 128) + 2 * 16**2 * 128  # the two products of attention: 8x8 pixels twice, 4x4 once
    assert round((multiply_adds(nn.utils.skip_init(get_model, "coatnet_cifar"), (3, 32, 32)) + scores) / 1e6) == 63


def test_stages():
    model = nn.utils.skip_init(get_model, "coatnet_mini", image_size=64)
    shapes, output = stage_shapes(model, (1, 3, 64, 64), ("stem", *(f"stages.{stage}" for stage in range(4))))
    assert shapes == [(32, 32, 32), (32, 16, 16), (64, 8, 8), (128, 4, 4), (256, 2, 2)]
    assert output == (1, 1000)


def test_attention_is_equation_3():
    """One head: softmax over j of q_i k_j / sqrt(32) plus the number of the offset i - j, and the average of v_j by it."""
    layer = RelativeAttention2d(32, 32, 3).double().eval()
    rng = np.random.default_rng(1)
    table = rng.standard_normal((25, 1))
    layer.rel_pos.relative_position_bias_table.data[...] = table
    x = rng.standard_normal((1, 32, 3, 3))
    flat = x.reshape(32, 9)
    query, key, value = np.split(layer.qkv.weight.data[:, :, 0, 0] @ flat + layer.qkv.bias.data[:, None], 3)
    expected = np.zeros((32, 9))
    for i in range(9):
        scores = np.empty(9)
        for j in range(9):
            down, right = i // 3 - j // 3, i % 3 - j % 3
            scores[j] = query[:, i] @ key[:, j] / 32**0.5 + table[(down + 2) * 5 + right + 2, 0]
        share = np.exp(scores - scores.max())
        expected[:, i] = value @ (share / share.sum())
    expected = layer.proj.weight.data[:, :, 0, 0] @ expected + layer.proj.bias.data[:, None]
    np.testing.assert_allclose(layer(x).data.reshape(32, 9), expected, rtol=1e-9, atol=1e-12)


def test_each_pixel_is_normalised():
    y = LayerNorm2d(6)(images(2, 6, 3, 3)).data
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-6)
    np.testing.assert_allclose(y.var(1), 1, atol=1e-3)


def test_deeper_blocks_are_left_out_more_often():
    model = nn.utils.skip_init(get_model, "coatnet_mini", drop_path_rate=0.6)
    chances = [module.p for module in model.modules() if type(module).__name__ == "StochasticDepth"]
    np.testing.assert_allclose(chances, [0.0, 0.1, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5, 0.6, 0.6], atol=1e-12)


def test_it_learns():
    model = CoAtNet((8, 16), (32, 32, 32, 64), (1, 1, 1, 1), 10, image_size=16, strides=(1, 2, 2, 1, 2))
    found = losses(model, size=16, steps=10, learning_rate=0.02)
    assert found[-1] < 0.7 * found[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("block", "channels"), [(lambda: MbConvBlock(2, 3, 2, 0.0), 2), (lambda: TransformerBlock2d(32, 34, 2, 2, 0.0), 32)])
def test_gradients(block, channels):
    check_gradients(block(), (2, channels, 4, 4))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: get_model("coatnet_mini", image_size=100), ArgumentError, r"image_size=100 with strides \(2, 2, 2, 2, 2\) leaves 25 pixels"),
        (lambda: coatnet_cifar(image_size=0), ArgumentError, "image_size must be a whole number >= 1, not 0"),
        (lambda: CoAtNet((8, 16), (16, 32, 64), (1, 1, 1, 1)), ArgumentError, r"need 2, 4, 4 and 5 numbers, not \(2, 3, 4, 5\)"),
        (lambda: CoAtNet((8, 16), (16, 24, 64, 64), (1, 1, 1, 1)), ArgumentError, "24 channels cannot be shared by heads of 32"),
        (lambda: coatnet_cifar()(images(1, 3, 64, 64)), ShapeError, r"must have shape \(N, 3, 32, 32\), got \(1, 3, 64, 64\)"),
        (lambda: coatnet_cifar(drop_path_rate=2.0), ArgumentError, "from 0 to 1|2.0"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
