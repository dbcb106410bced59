"""Sentence networks: parameters by formula, one maximum a map by its definition, the bound on the norm, and every pooling."""

import numpy as np
import pytest

from tinycnn import Tensor, models, tensor
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.models.text import ACTIVATIONS, kim_cnn, max_norm_, zhang_wallace_cnn


def count(model):
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def small(**options):
    return zhang_wallace_cnn(20, 3, dimension=6, region_sizes=(2, 3), maps=4, **options).double()


def drawn(model, seed=0):
    """Weights of the size of one, so that no output is zero by its start."""
    generator = np.random.default_rng(seed)
    for parameter in model.parameters():
        parameter.data[...] = generator.standard_normal(parameter.shape)
    return model.eval()


@pytest.mark.parametrize(("vectors", "channels", "trained"), [("rand", 1, 1), ("static", 1, 0), ("non-static", 1, 1), ("multichannel", 2, 1)])
def test_parameters_by_formula(vectors, channels, trained):
    words, classes, width, sizes, maps = 30, 4, 6, (3, 4, 5), 7
    model = kim_cnn(words, classes, dimension=width, maps=maps, vectors=vectors)
    filters = sum(maps * (channels * width * size + 1) for size in sizes)
    assert count(model) == trained * words * width + filters + classes * (len(sizes) * maps + 1)


def test_the_papers_size():
    assert count(kim_cnn(100)) - 100 * 300 == 100 * (300 * (3 + 4 + 5) + 3) + 2 * 301
    assert {"kim_cnn", "zhang_wallace_cnn"} <= set(models.list_models("text"))


def test_one_maximum_a_map_is_its_definition():
    model = drawn(small())
    words = np.random.default_rng(1).integers(0, 20, (2, 7))
    vectors = model.embedding.weight.data[words]
    pooled = []
    for region in model.regions:
        weight, bias, size = region.weight.data, region.bias.data, region.weight.shape[2]
        for row in range(2):
            for number in range(4):
                answers = [bias[number] + (weight[number].T * vectors[row, i : i + size]).sum() for i in range(7 - size + 1)]
                pooled.append(max(max(answer, 0.0) for answer in answers))
    features = np.concatenate([np.reshape(pooled[:8], (2, 4)), np.reshape(pooled[8:], (2, 4))], 1)
    expected = features @ model.classifier.weight.data.T + model.classifier.bias.data
    np.testing.assert_allclose(model(Tensor(words)).data, expected, rtol=1e-10)


def test_poolings_keep_order_and_reduce_to_one_maximum():
    maps = tensor(np.array([[[3.0, 1.0, 5.0, 4.0, 2.0]]]))
    pooled = lambda **options: small(**options).pool(maps).data.tolist()  # noqa: E731
    assert pooled(pooling="max") == pooled(pooling="k-max", k=1) == [[5.0]]
    assert pooled(pooling="k-max", k=3) == [[3.0, 5.0, 4.0]]
    assert pooled(pooling="local-max", k=2, length=7) == [[3.0, 5.0, 2.0]]
    assert pooled(pooling="local-average", k=2, length=7) == [[2.0, 4.5, 2.0]]
    for options in ({"pooling": "k-max", "k": 3}, {"pooling": "local-max", "k": 2, "length": 7}, {"pooling": "local-average", "k": 4, "length": 7}):
        assert small(**options)(Tensor(np.zeros((2, 7), np.int64))).shape == (2, 3)


def test_activations_are_those_of_the_paper():
    x = tensor(np.array([-2.0, 0.5]))
    expected = {"cube": [-8.0, 0.125], "identity": [-2.0, 0.5], "relu": [0.0, 0.5], "tanh-cube": np.tanh([-8.0, 0.125])}
    for name, values in expected.items():
        np.testing.assert_allclose(ACTIVATIONS[name](x).data, values)


def test_the_bound_shortens_long_rows_only():
    weight = tensor(np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]))
    version = weight._version
    max_norm_(weight, 3.0)
    np.testing.assert_allclose(np.linalg.norm(weight.data, axis=1), [3.0, 0.5, 0.0])
    np.testing.assert_allclose(weight.data[0] / 3.0, [0.6, 0.8])
    assert weight._version > version
    with pytest.raises(ArgumentError, match="limit=0 must be above 0"):
        max_norm_(weight, 0)
    with pytest.raises(ShapeError, match=r"must be \(rows, width\)"):
        max_norm_(tensor([1.0]), 3)


def test_padding_stays_zero_and_static_vectors_stay():
    table = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
    model = kim_cnn(20, 2, dimension=6, region_sizes=(2,), maps=3, vectors="multichannel", table=table)
    assert not model.embedding.weight.data[0].any() and not model.frozen.weight.requires_grad
    for parameter in (model.regions[0].weight, model.classifier.weight):
        parameter.data[...] = np.random.default_rng(1).standard_normal(parameter.shape)
    model.eval()(Tensor(np.array([[0, 3, 5, 0]]))).sum().backward()
    gradient = model.embedding.weight.grad.data
    assert not gradient[0].any() and gradient[[3, 5]].any() and model.frozen.weight.grad is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"region_sizes": ()}, "must be whole numbers of 1 or more"),
        ({"vectors": "glove"}, "must be one of rand, static"),
        ({"max_norm": -1.0}, "max_norm=-1.0 must be above 0"),
        ({"maps": 0}, "maps=0 must be a whole number"),
        ({"activation": "gelu"}, "must be one of relu, tanh"),
        ({"pooling": "mean"}, "must be one of max, k-max"),
        ({"pooling": "local-max"}, "needs length="),
        ({"table": np.zeros((2, 2))}, r"it must be \(num_words, dimension\)"),
    ],
)
def test_faults_in_one_sentence(options, words):
    with pytest.raises((ArgumentError, ShapeError), match=words):
        zhang_wallace_cnn(20, 2, **options)


def test_rows_that_are_too_short():
    with pytest.raises(ShapeError, match="L at least the largest region, 3"):
        small()(Tensor(np.zeros((1, 2), np.int64)))
    with pytest.raises(ShapeError, match="k=9 is more than"):
        small(pooling="k-max", k=9)(Tensor(np.zeros((1, 5), np.int64)))
