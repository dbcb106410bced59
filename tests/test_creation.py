"""New tensors: torch's defaults, copies and sharing, seeds, messages."""

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor
from tinycnn.errors import ArgumentError, DtypeError, ShapeError


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1.5, 2.0], "float32"),
        ([1, 2], "int64"),
        ([True, False], "bool"),
        (2.5, "float32"),
        ([], "float32"),
        (np.zeros(2), "float64"),
        (np.float64(1.0), "float64"),
        (np.zeros(2, np.uint8), "uint8"),
        (Tensor(np.zeros(2, np.int32)), "int32"),
    ],
)
def test_tensor_infers_its_dtype(data, dtype):
    assert tinycnn.tensor(data).dtype == np.dtype(dtype)


def test_tensor_copies_and_from_numpy_shares():
    array = np.zeros(2)
    copied, shared = tinycnn.tensor(array), tinycnn.from_numpy(array)
    array[0] = 1.0
    assert copied.tolist() == [0.0, 0.0]
    assert shared.tolist() == [1.0, 0.0]
    leaf = tinycnn.tensor([1.0], requires_grad=True)
    again = tinycnn.tensor(leaf * 2)
    assert again.is_leaf
    assert not again.requires_grad
    assert tinycnn.tensor([tinycnn.tensor(1.0), tinycnn.tensor(2.0)]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: tinycnn.zeros(2, 3), np.zeros((2, 3), np.float32)),
        (lambda: tinycnn.zeros(()), np.zeros((), np.float32)),
        (lambda: tinycnn.ones([2, 3], dtype=tinycnn.int64), np.ones((2, 3), np.int64)),
        (lambda: tinycnn.full((2,), 3), np.full(2, 3)),
        (lambda: tinycnn.full(2, 3.5), np.full(2, 3.5, np.float32)),
        (lambda: tinycnn.full((2,), True), np.full(2, True)),
        (lambda: tinycnn.arange(3), np.arange(3)),
        (lambda: tinycnn.arange(3, 0, -1), np.arange(3, 0, -1)),
        (lambda: tinycnn.arange(0.5, 2.0, 0.5), np.arange(0.5, 2.0, 0.5, np.float32)),
        (lambda: tinycnn.arange(3, dtype=tinycnn.float64), np.arange(3.0)),
        (lambda: tinycnn.linspace(0, 1, 5), np.linspace(0, 1, 5, dtype=np.float32)),
        (lambda: tinycnn.eye(2, 3), np.eye(2, 3, dtype=np.float32)),
        (lambda: tinycnn.zeros_like(np.ones(2)), np.zeros(2)),
        (lambda: tinycnn.ones_like(tinycnn.tensor([3])), np.ones(1, np.int64)),
        (lambda: tinycnn.full_like(np.ones(2), 7, dtype=tinycnn.float32), np.full(2, 7, np.float32)),
    ],
)
def test_filled_and_counted(made, expected):
    result = made()
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.data, expected)


def test_empty_has_the_shape_and_gradients_are_asked_for():
    made = tinycnn.empty(2, 3, requires_grad=True)
    assert made.shape == (2, 3)
    assert made.requires_grad
    for function in (tinycnn.zeros, tinycnn.ones, tinycnn.rand, tinycnn.randn):
        assert function(2, requires_grad=True).requires_grad
        assert not function(2).requires_grad


@pytest.mark.parametrize(
    "function",
    [
        lambda **o: tinycnn.randn(3, 4, **o),
        lambda **o: tinycnn.rand((3, 4), **o),
        lambda **o: tinycnn.randint(0, 9, (3, 4), **o),
    ],
)
def test_draws_follow_the_seed_or_the_generator(function):
    tinycnn.manual_seed(5)
    first = function().data
    tinycnn.manual_seed(5)
    np.testing.assert_array_equal(function().data, first)
    assert not np.array_equal(function().data, first)
    own = [function(generator=np.random.default_rng(1)).data for _ in range(2)]
    np.testing.assert_array_equal(*own)


def test_draws_have_their_distributions():
    normal, even = tinycnn.randn(20_000).data, tinycnn.rand(20_000).data
    assert normal.dtype == even.dtype == np.float32
    assert tinycnn.randn(2, dtype=tinycnn.float64).dtype == np.float64
    assert abs(normal.mean()) < 0.05
    assert abs(normal.std() - 1) < 0.05
    assert even.min() >= 0
    assert even.max() < 1
    assert abs(even.mean() - 0.5) < 0.02
    whole = tinycnn.randint(3, 6, (1000,))
    assert whole.dtype == np.int64
    assert set(whole.tolist()) == {3, 4, 5}
    assert sorted(tinycnn.randperm(10).tolist()) == list(range(10))
    assert tinycnn.randn().shape == ()


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda: tinycnn.tensor([[1.0], [2.0, 3.0]]), ShapeError, "tensor: the nested lists do not form a grid"),
        (lambda: tinycnn.tensor([None]), DtypeError, "tensor: data holds something that is not a number"),
        (lambda: tinycnn.tensor([1], requires_grad=True), DtypeError, "only float32 and float64 have gradients"),
        (lambda: tinycnn.zeros(2, dtype=np.float16), DtypeError, "zeros: dtype float16 is not one of float32"),
        (lambda: tinycnn.zeros(2.5), ArgumentError, "zeros: sizes must be whole numbers >= 0, not 2.5"),
        (lambda: tinycnn.ones(2, -1), ArgumentError, "ones: sizes must be whole numbers >= 0, not -1"),
        (lambda: tinycnn.arange(0, 5, -1), ArgumentError, "arange: a step of -1 never leads from 0 to 5"),
        (lambda: tinycnn.arange(0, 5, 0), ArgumentError, "arange: a step of 0 never leads"),
        (lambda: tinycnn.randn(2, dtype=np.int64), DtypeError, "randn: dtype int64 cannot hold real draws.*randint"),
        (lambda: tinycnn.randint(5, 5, (2,)), ArgumentError, "randint: no whole number is >= 5 and < 5"),
        (lambda: tinycnn.randint(0, 5, 2), ArgumentError, "randint: size must be a tuple of sizes, not 2"),
        (lambda: tinycnn.rand(2, generator=3), ArgumentError, "generator: int is not a numpy.random.Generator"),
        (lambda: tinycnn.from_numpy([1.0]), ArgumentError, "from_numpy: expected an ndarray, not a list"),
    ],
)
def test_messages(function, error, message):
    with pytest.raises(error, match=message):
        function()
