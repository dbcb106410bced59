"""Looking up rows: the adjoint, padding, frequencies, norms, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, nn
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, IndexingError, ShapeError

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@given(shapes, st.integers(1, 5), st.integers(1, 4), seeds)
def test_is_indexing_and_its_adjoint_is_scattering(shape, rows, width, seed):
    rng = np.random.default_rng(seed)
    index, weight, upstream = rng.integers(0, rows, shape), rng.standard_normal((rows, width)), rng.standard_normal((*shape, width))
    table = Tensor(weight, requires_grad=True)
    y = F.embedding(index, table)
    np.testing.assert_array_equal(y.data, weight[index])
    y.backward(upstream)
    expected = np.zeros_like(weight)
    np.add.at(expected, index, upstream)
    np.testing.assert_allclose(table.grad.data, expected, rtol=1e-12, atol=1e-14)
    assert gradcheck(lambda w: F.embedding(index, w), weight)


def test_the_product_with_one_hot_rows():
    index, weight = np.array([2, 0, 2]), np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(F.embedding(index, weight).data, F.one_hot(index, 4).data @ weight)


def gradient(index, rows=4, **options):
    table = Tensor(np.ones((rows, 1)), requires_grad=True)
    F.embedding(np.array(index), table, **options).backward(np.ones((len(index), 1)))
    return table.grad.data.ravel().tolist()


def test_padding_and_frequencies():
    assert gradient([1, 1, 3, 1]) == [0, 3, 0, 1]
    assert gradient([1, 1, 3, 1], padding_idx=1) == [0, 0, 0, 1]
    assert gradient([1, 1, 3, 1], padding_idx=-1) == [0, 3, 0, 0]
    assert gradient([1, 1, 3, 1], scale_grad_by_freq=True) == [0, 1, 0, 1]


def test_max_norm_scales_the_result_and_leaves_the_table():
    weight = np.array([[3.0, 4.0], [0.3, 0.4]])
    table = Tensor(weight.copy(), requires_grad=True)
    y = F.embedding(np.array([0, 1]), table, max_norm=1.0)
    np.testing.assert_allclose(y.data, [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    y.backward(np.ones((2, 2)))
    np.testing.assert_array_equal(table.grad.data, 1)
    np.testing.assert_array_equal(table.data, weight)
    np.testing.assert_allclose(F.embedding(np.array([0]), weight, max_norm=1, norm_type=1).data, [[3 / 7, 4 / 7]], rtol=1e-6)


def test_a_table_in_any_memory_order_and_int32():
    weight = np.random.default_rng(0).standard_normal((4, 6))[::-1, ::2]
    np.testing.assert_array_equal(F.embedding(np.array([3, 0], np.int32), weight).data, weight[[3, 0]])
    assert F.embedding([], np.ones((2, 3), np.float32)).shape == (0, 3)
    assert F.embedding(np.array(1), np.ones((2, 3), np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (([4], np.ones((4, 2))), IndexingError, "embedding: input holds 4, but the table has rows 0 to 3"),
        (([-1], np.ones((4, 2))), IndexingError, "input holds -1"),
        (([1.5], np.ones((4, 2))), DtypeError, r"input is float32, but rows are named by int64 or int32; convert with .long\(\)"),
        ((np.array([True]), np.ones((4, 2))), DtypeError, "input is bool"),
        (([0], np.ones(4)), ShapeError, r"weight has shape \(4,\); it must be \(rows, width\)"),
        (([0], np.ones((4, 2)), 4), ArgumentError, "padding_idx 4 is not a row of the table; use -4 to 3"),
        (([0], np.ones((4, 2)), None, -1.0), ArgumentError, "max_norm=-1.0 must be zero or more"),
        (([0], np.ones((4, 2)), None, None, 2.0, False, True), ArgumentError, "sparse=True is not available"),
        (([0], np.ones((4, 2), np.int64)), DtypeError, "weight is int64"),
    ],
)
def test_messages(arguments, error, message):
    with pytest.raises(error, match=message):
        F.embedding(*arguments)


def test_layer():
    layer = nn.Embedding(5, 3, padding_idx=-1)
    assert repr(layer) == "Embedding(5, 3, padding_idx=4)"
    np.testing.assert_array_equal(layer.weight.data[4], 0)
    assert layer.weight.data[:4].all()
    layer(np.array([4, 1])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.data, [[0] * 3, [1] * 3, [0] * 3, [0] * 3, [0] * 3])
    table = np.arange(6.0).reshape(3, 2)
    frozen = nn.Embedding.from_pretrained(table)
    np.testing.assert_array_equal(frozen(np.array([2])).data, [[4, 5]])
    assert not frozen.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    assert repr(nn.Embedding(3, 4, 1, 2.0, 1.0, True)) == "Embedding(3, 4, padding_idx=1, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True)"
    for arguments, message in (((3, 2, 3), "padding_idx 3 is not a row"), ((-1, 2), "num_embeddings must be a whole number >= 0")):
        with pytest.raises(ArgumentError, match=message):
            nn.Embedding(*arguments)
    with pytest.raises(ShapeError, match=r"embeddings have shape \(3,\)"):
        nn.Embedding.from_pretrained(np.ones(3))
