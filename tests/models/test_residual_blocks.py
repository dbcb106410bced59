"""Shortcuts around any block, blocks repeated, and the gallery."""

import numpy as np
import pytest

from tests.models.measuring import check_gradients, images
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models import GALLERY, BasicBlock, Repeat, Residual, SubsampledShortcut


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


# The sums over each block's layers for 64 channels, norms included.
PARAMETERS = {
    "basic": 2 * (64 * 64 * 9 + 2 * 64),
    "bottleneck": 64 * 16 + 2 * 16 + 16 * 16 * 9 + 2 * 16 + 16 * 64 + 2 * 64,
    "preactivation": 2 * (64 * 64 * 9 + 2 * 64),
    "wide": 2 * (64 * 64 * 9 + 2 * 64),
    "resnext": 64 * 32 + 2 * 32 + 32 * 1 * 9 + 2 * 32 + 32 * 64 + 2 * 64,
    "xception": 3 * (64 * 9 + 64 * 64 + 2 * 64),
    "dense": 2 * 64 + 64 * 64 + 2 * 64 + 64 * 16 * 9,
    "inverted": 64 * 384 + 2 * 384 + 384 * 9 + 2 * 384 + 384 * 64 + 2 * 64,
    "squeeze_excitation": 2 * (64 * 64 * 9 + 2 * 64) + 64 * 8 + 8 + 8 * 64 + 64,
    "cbam": 2 * (64 * 64 * 9 + 2 * 64) + 2 * 64 * 4 + 2 * 49 + 2,
    "darknet": 64 * 32 + 2 * 32 + 32 * 64 * 9 + 2 * 64,
}


@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery(name):
    block = GALLERY[name].make(64)
    assert block(images(2, 64, 4, 4)).shape == (2, 80 if name == "dense" else 64, 4, 4)
    assert count(block) == PARAMETERS[name]


def test_a_residual_is_block_plus_shortcut():
    x = images(2, 4, 6, 6)
    block, shortcut = nn.Conv2d(4, 8, 3, 2, padding=1), SubsampledShortcut(4, 8)
    expected = block(x).data + shortcut(x).data
    np.testing.assert_allclose(Residual(block, shortcut)(x).data, expected, atol=1e-6)
    np.testing.assert_allclose(Residual(block, shortcut, activation="relu")(x).data, np.maximum(expected, 0), atol=1e-6)


def test_a_basic_block_from_parts():
    whole = BasicBlock(4, 4)
    parts = Residual(nn.Sequential(whole.conv1, nn.BatchNorm2d(4), nn.ReLU(), whole.conv2, nn.BatchNorm2d(4)), activation="relu")
    x = images(2, 4, 5, 5)
    np.testing.assert_allclose(parts(x).data, whole(x).data, atol=1e-5)


def test_shapes_must_agree():
    with pytest.raises(ShapeError, match=r"the block gives \(1, 8, 3, 3\), the input has \(1, 4, 6, 6\); pass shortcut="):
        Residual(nn.Conv2d(4, 8, 3, 2, padding=1))(images(1, 4, 6, 6))
    with pytest.raises(ShapeError, match=r"the block gives \(1, 4, 6, 6\), the shortcut has \(1, 8, 3, 3\)"):
        Residual(nn.Identity(), SubsampledShortcut(4, 8))(images(1, 4, 6, 6))


def test_repeats_with_shared_weights_are_one_block_over_and_over():
    block, x = nn.Linear(3, 3), images(2, 3)
    shared = Repeat(block, 3)
    np.testing.assert_allclose(shared(x).data, block(block(block(x))).data, atol=1e-6)
    assert count(shared) == count(block)
    assert list(shared.state_dict()) == ["blocks.0.weight", "blocks.0.bias"]


def test_repeats_with_their_own_weights_differ():
    own = Repeat(nn.Linear(3, 3), 3, share=False)
    assert count(own) == 3 * 12
    assert not np.allclose(own.blocks[0].weight.data, own.blocks[1].weight.data)
    assert not np.allclose(own.blocks[1].weight.data, own.blocks[2].weight.data)
    x = images(2, 3)
    np.testing.assert_allclose(own(x).data, own.blocks[2](own.blocks[1](own.blocks[0](x))).data, atol=1e-6)


def test_the_gradient_of_a_shared_weight_is_the_sum_over_its_uses():
    check_gradients(Repeat(Residual(nn.Linear(3, 3)), 3), (2, 3))


def test_errors():
    with pytest.raises(ArgumentError, match="n must be at least 1, got 0"):
        Repeat(nn.ReLU(), 0)
    with pytest.raises(ArgumentError, match="activation must be None or \"relu\", got 'tanh'"):
        Residual(nn.ReLU(), activation="tanh")
