"""Networks for vectors: parameters by formula, shapes, Koch's weighted distance by its definition, and pictures they cannot take."""

import numpy as np
import pytest

from tinycnn import Tensor, models, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models.metric import conv4, siamese_koch, small_face


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def block(inputs, outputs):
    """Convolution 3x3 with bias, batch normalisation."""
    return 9 * inputs * outputs + outputs + 2 * outputs


def test_parameters_by_formula():
    assert count(conv4()) == block(1, 64) + 3 * block(64, 64) == 111_936
    face = block(1, 16) + block(16, 32) + block(32, 64) + block(64, 64)
    assert count(small_face(image_size=(56, 46))) == face + 64 * 3 * 2 * 64 + 64
    assert count(small_face(3, features=10)) == face + 2 * 144 + 64 * 3 * 3 * 10 + 10
    # Figure 4 of the paper; its head is one weight a feature.
    koch = 64 * 101 + 128 * (49 * 64 + 1) + 128 * (16 * 128 + 1) + 256 * (16 * 128 + 1) + 4096 * (9216 + 1) + 4097
    assert count(nn.utils.skip_init(siamese_koch)) == koch == 38_951_745
    assert {"conv4", "siamese_koch", "small_face"} == set(models.list_models("embedding"))


def test_one_vector_a_picture():
    generator = np.random.default_rng(0)
    pictures = Tensor(generator.standard_normal((2, 1, 28, 28)).astype(np.float32))
    assert conv4().eval()(pictures).shape == (2, 64)
    assert small_face(features=7, image_size=28).eval()(pictures).shape == (2, 7)


def test_kochs_distance_is_its_definition():
    model = nn.utils.skip_init(siamese_koch)
    model.head = nn.Linear(3, 1)
    generator = np.random.default_rng(0)
    first, second = (generator.random((2, 3)).astype(np.float32) for _ in range(2))
    expected = np.abs(first - second) @ model.head.weight.data[0] + model.head.bias.data[0]
    np.testing.assert_allclose(model.compare(Tensor(first), Tensor(second)).data, expected, rtol=1e-6)
    np.testing.assert_allclose(model.compare(Tensor(first), Tensor(first)).data, model.head.bias.data[0], rtol=1e-6)


def test_pictures_that_do_not_fit():
    with pytest.raises(ShapeError, match="105"):
        nn.utils.skip_init(siamese_koch)(Tensor(np.zeros((1, 1, 28, 28), np.float32)))
    with pytest.raises(ShapeError, match="BlockEmbedding"):
        conv4()(Tensor(np.zeros((1, 1, 8, 8), np.float32)))
    with pytest.raises(ArgumentError, match="must be at least 16x16"):
        small_face(image_size=(15, 40))
