"""Views, joins and products: values by NumPy over drawn shapes, gradients by finite differences, laws of inverses,
messages."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

SEED = st.integers(0, 2**32 - 1)
SHAPE = arrays.array_shapes(min_dims=1, max_dims=4, max_side=4)


def draw(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


def agrees(function, x, expected):
    """The value, and the gradient in a random direction."""
    np.testing.assert_array_equal(function(Tensor(x)).data, expected)
    gradcheck(function, x, generator=np.random.default_rng(0))


# Views


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_reshape_and_back(shape, data, seed):
    x = draw(seed, shape)
    count = math.prod(shape)
    first = data.draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0]))
    agrees(lambda t: t.reshape(first, -1), x, x.reshape(first, -1))
    np.testing.assert_array_equal(Tensor(x).reshape((first, -1)).reshape(*shape).data, x)
    np.testing.assert_array_equal(Tensor(x).view(-1).view(shape).data, x)


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_permute_and_back(shape, data, seed):
    x = draw(seed, shape)
    order = data.draw(st.permutations(range(len(shape))))
    agrees(lambda t: t.permute(*order), x, x.transpose(order))
    inverse = [order.index(axis) for axis in range(len(shape))]
    np.testing.assert_array_equal(Tensor(x).permute(order).permute(inverse).data, x)


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_moving_axes(shape, data, seed):
    x = draw(seed, shape)
    axis = st.integers(-len(shape), len(shape) - 1)
    first, second = data.draw(axis), data.draw(axis)
    agrees(lambda t: t.transpose(first, second), x, np.swapaxes(x, first, second))
    agrees(lambda t: t.movedim(first, second), x, np.moveaxis(x, first, second))
    agrees(lambda t: t.T, x, x.T)
    agrees(lambda t: t.unsqueeze(first), x, np.expand_dims(x, first))
    agrees(lambda t: t.unsqueeze(first).squeeze(first), x, x)
    agrees(lambda t: t.flip(first), x, np.flip(x, first))
    agrees(lambda t: t.roll(2, first), x, np.roll(x, 2, first))


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_flatten_and_unflatten(shape, data, seed):
    x = draw(seed, shape)
    start = data.draw(st.integers(0, len(shape) - 1))
    end = data.draw(st.integers(start, len(shape) - 1))
    flat = (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])
    agrees(lambda t: t.flatten(start, end), x, x.reshape(flat))
    np.testing.assert_array_equal(Tensor(x).flatten(start, end).unflatten(start, shape[start : end + 1]).data, x)


@given(shapes=arrays.mutually_broadcastable_shapes(num_shapes=1, base_shape=(2, 3, 4), max_dims=3), seed=SEED)
def test_expanding_does_not_copy(shapes, seed):
    x = draw(seed, shapes.input_shapes[0])
    agrees(lambda t: tinycnn.broadcast_to(t, shapes.result_shape), x, np.broadcast_to(x, shapes.result_shape))
    agrees(lambda t: t.expand(*shapes.result_shape), x, np.broadcast_to(x, shapes.result_shape))
    assert np.may_share_memory(Tensor(x).expand(shapes.result_shape).data, x)


def test_views_share_memory():
    x = Tensor(np.zeros((2, 3, 4)))
    views = [
        x.reshape(6, 4),
        x.view(24),
        x.flatten(1),
        x.unsqueeze(0),
        x.squeeze(),
        x.permute(2, 0, 1),
        x.T,
        x.mT,
        x.flip(0),
        x[0],
        x[:, 1:],
    ]
    assert all(np.shares_memory(view.data, x.data) for view in [*views, *x.split(1), *x.chunk(2, 1)])
    assert x.contiguous() is x
    assert x.mT.shape == (2, 4, 3)
    assert x.T.contiguous().is_contiguous()
    gradcheck(lambda t: t.T.contiguous() * t.T, np.ones((2, 3)))


def test_squeeze_leaves_other_sizes():
    x = Tensor(np.zeros((1, 2, 1)))
    assert x.squeeze().shape == (2,)
    assert x.squeeze(1).shape == (1, 2, 1)
    assert x.squeeze((0, -1)).shape == (2,)


def test_empty_tensors_and_single_numbers():
    empty = Tensor(np.zeros((0, 3)))
    assert empty.reshape(3, 0).shape == (3, 0)
    assert empty.view(0).shape == (0,)
    assert empty.flatten().shape == (0,)
    assert tinycnn.cat([empty, empty]).shape == (0, 3)
    assert [part.shape for part in empty.split(2)] == [(0, 3)]
    number = Tensor(np.array(2.0))
    assert number.flatten().tolist() == number.unsqueeze(0).tolist() == number.reshape(1).tolist() == [2.0]
    assert number.transpose(0, -1).item() == number.T.item() == number.squeeze().item() == number.flip(0).item() == 2.0


# Joining and cutting


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_cat_undoes_split(shape, data, seed):
    x = draw(seed, shape)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    size = data.draw(st.integers(1, 4))
    parts = Tensor(x).split(size, dim)
    assert all(part.shape[dim] == size for part in parts[:-1])
    np.testing.assert_array_equal(tinycnn.cat(parts, dim).data, x)
    np.testing.assert_array_equal(tinycnn.cat(Tensor(x).chunk(size, dim), dim).data, x)
    gradcheck(lambda t: t.split(size, dim), x)
    gradcheck(lambda t: tinycnn.cat([t, t.split(size, dim)[0]], dim), x)
    gradcheck(lambda t: tinycnn.stack([t, t * t, t], dim), x)
    np.testing.assert_array_equal(tinycnn.stack([x, 2 * x], dim).data, np.stack([x, 2 * x], dim))


def test_split_by_a_list_may_hold_zero():
    parts = tinycnn.split(np.arange(5.0), [2, 0, 3])
    assert [part.tolist() for part in parts] == [[0.0, 1.0], [], [2.0, 3.0, 4.0]]
    assert [part.shape[0] for part in tinycnn.chunk(np.zeros(5), 4)] == [2, 2, 1]


def test_cat_widens_and_returns_gradients_in_their_own_dtype():
    a = Tensor(np.ones(2, np.float32), requires_grad=True)
    b = Tensor(np.ones(1), requires_grad=True)
    whole = tinycnn.cat([a * 1.0, b, Tensor(np.ones(1, np.int64))])
    assert whole.dtype == np.float64
    whole.sum().backward()
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_repeating(shape, data, seed):
    x = draw(seed, shape)
    times = data.draw(st.lists(st.integers(0, 3), min_size=len(shape), max_size=len(shape) + 1).map(tuple))
    agrees(lambda t: t.repeat(*times), x, np.tile(x, times))
    few = times[len(times) // 2 :]
    agrees(lambda t: tinycnn.tile(t, few), x, np.tile(x, few))


@given(shape=arrays.array_shapes(min_dims=2, max_dims=3, max_side=4), diagonal=st.integers(-3, 3), seed=SEED)
def test_triangles(shape, diagonal, seed):
    x = draw(seed, shape)
    agrees(lambda t: t.tril(diagonal), x, np.tril(x, diagonal))
    agrees(lambda t: t.triu(diagonal), x, np.triu(x, diagonal))
    np.testing.assert_allclose((tinycnn.tril(x, diagonal) + tinycnn.triu(x, diagonal + 1)).data, x)


def test_rolling_all_elements_and_several_axes():
    x = np.arange(6.0).reshape(2, 3)
    agrees(lambda t: t.roll(2), x, np.roll(x, 2))
    agrees(lambda t: t.roll((1, -1), (0, 1)), x, np.roll(x, (1, -1), (0, 1)))


# Products


@given(
    batches=arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
    sizes=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    vectors=st.tuples(st.booleans(), st.booleans()),
    seed=SEED,
)
def test_matmul_is_numpys_and_its_gradient_is_right(batches, sizes, vectors, seed):
    m, k, n = sizes
    generator = np.random.default_rng(seed)
    a = generator.standard_normal((k,) if vectors[0] else (*batches.input_shapes[0], m, k))
    b = generator.standard_normal((k,) if vectors[1] else (*batches.input_shapes[1], k, n))
    np.testing.assert_allclose((Tensor(a) @ Tensor(b)).data, a @ b, rtol=1e-12, atol=1e-12)
    gradcheck(tinycnn.matmul, [a, b], generator=generator)


def test_matmul_notation_and_dtypes():
    array, t = np.arange(4.0).reshape(2, 2), Tensor(np.eye(2))
    np.testing.assert_array_equal((array @ t).data, array)
    np.testing.assert_array_equal(t.matmul(array).data, array)
    assert (Tensor(np.ones((2, 2), np.int64)) @ Tensor(np.ones((2, 2), np.int64))).dtype == np.int64
    assert (Tensor(np.ones((2, 2), np.float32)) @ Tensor(np.ones(2, np.float32))).dtype == np.float32


def test_matmul_messages():
    ones = np.ones
    with pytest.raises(
        ShapeError, match=r"matmul: input \(2, 3\) has 3 columns but other \(2, 4\) has 2 rows.*transpose one with .mT"
    ):
        tinycnn.matmul(ones((2, 3)), ones((2, 4)))
    with pytest.raises(ShapeError, match=r"matmul: batch axes \(2,\) and \(3,\) do not broadcast"):
        tinycnn.matmul(ones((2, 4, 4)), ones((3, 4, 4)))
    with pytest.raises(ShapeError, match=r"matmul: shapes \(\) and \(2,\): a 0-d tensor is no vector; use \* to scale"):
        tinycnn.matmul(ones(()), ones(2))
    with pytest.raises(DtypeError, match="matmul: input is float64 but other is float32"):
        tinycnn.matmul(ones(2), ones(2, np.float32))


# Messages


@pytest.mark.parametrize("wanted", [(4, 2), (5,), (-1, 4), (0, -1)])
@pytest.mark.parametrize("name", ["reshape", "view"])
def test_shapes_that_do_not_fill(name, wanted):
    with pytest.raises(
        ShapeError, match=rf"{name}: 6 elements of shape \(2, 3\) do not fill .*products of sizes must be equal"
    ):
        getattr(tinycnn, name)(np.ones((2, 3)), wanted)


def test_view_refuses_a_copy():
    x = Tensor(np.ones((2, 3)))
    with pytest.raises(
        ShapeError, match=r"view: input of shape \(3, 2\).*cannot be seen as \(6,\) without a copy; use reshape"
    ):
        x.T.view(6)
    assert x.T.reshape(6).shape == (6,)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda x: x.reshape(-1, -1), ShapeError, r"reshape: shape \(-1, -1\) may hold one -1"),
        (lambda x: x.reshape(-2, 3), ShapeError, r"reshape: shape \(-2, 3\) may hold one -1"),
        (lambda x: x.reshape(2.0, 3), ArgumentError, "reshape: shape must be whole numbers, not 2.0"),
        (lambda x: x.unflatten(1, (2, 2)), ShapeError, r"unflatten: 3 elements of shape \(3,\) do not fill \(2, 2\)"),
        (lambda x: x.flatten(1, 0), ArgumentError, "flatten: start_dim 1 lies behind end_dim 0"),
        (
            lambda x: x.flatten(2),
            ArgumentError,
            "flatten: start_dim 2 is out of range for a tensor of 2 axes; use -2 to 1",
        ),
        (
            lambda x: x.unsqueeze(3),
            ArgumentError,
            "unsqueeze: dim 3 is out of range for a tensor of 3 axes; use -3 to 2",
        ),
        (lambda x: x.transpose(0, 2), ArgumentError, "transpose: dim1 2 is out of range"),
        (lambda x: x.permute(0, 0), ArgumentError, r"permute: dims \(0, 0\) must name each of the 2 axes"),
        (lambda x: x.permute(0), ArgumentError, r"permute: dims \(0,\) must name each of the 2 axes"),
        (
            lambda x: x.movedim((0, 1), 0),
            ArgumentError,
            r"movedim: source \(0, 1\) and destination 0 must be equally many axes",
        ),
        (lambda x: x.expand(2, 4), ShapeError, r"expand: shape \(2, 3\) does not expand to \(2, 4\)"),
        (
            lambda x: x.expand(-1, 2, 3),
            ShapeError,
            r"expand: size \(-1, 2, 3\) must name all 2 axes.*no new axis may be -1",
        ),
        (lambda x: x.expand(3), ShapeError, r"expand: size \(3,\) must name all 2 axes"),
        (lambda x: x.broadcast_to((3,)), ShapeError, r"broadcast_to: shape \(2, 3\) does not expand to \(3,\)"),
        (lambda x: x.flip(0, 0), ArgumentError, r"flip: dims \(0, 0\) name an axis twice"),
        (lambda x: x.roll((1, 1), 0), ArgumentError, "roll: 2 shifts .* for 1 dims .*give one shift for each dim"),
        (lambda x: x.repeat(2), ArgumentError, r"repeat: repeats \(2,\) must name all 2 axes.*or use tile"),
        (lambda x: x.repeat(2, -1), ArgumentError, r"repeat: \(2, -1\) holds a negative number of copies"),
        (lambda x: x[0].tril(), ShapeError, r"tril: input has shape \(3,\), but a triangle needs two axes"),
        (lambda x: x[0].mT, ShapeError, r"mT: shape \(3,\) has no two last axes to swap"),
        (lambda x: x.split(0), ArgumentError, "split: split_size_or_sections must be a whole number >= 1, not 0"),
        (
            lambda x: x.split([1, 2]),
            ArgumentError,
            r"split: sizes \[1, 2\] add up to 3, but dim 0 of shape \(2, 3\) has 2",
        ),
        (lambda x: x.chunk(0), ArgumentError, "chunk: chunks must be a whole number >= 1, not 0"),
        (lambda x: x.sum().split(1), ShapeError, r"split: a 0-d tensor has no axis; use unsqueeze\(0\) first"),
        (lambda x: tinycnn.cat([]), ShapeError, "cat: an empty list has no shape"),
        (lambda x: tinycnn.cat(x), ArgumentError, "cat: tensors must be a list or tuple of tensors, not a Tensor"),
        (
            lambda x: tinycnn.cat([x, x.T]),
            ShapeError,
            r"cat: tensor 1 has shape \(3, 2\), the first one \(2, 3\).*along dim 0 only",
        ),
        (lambda x: tinycnn.cat([x.sum()]), ShapeError, "cat: 0-d tensors have no axis to join along; use stack"),
        (
            lambda x: tinycnn.stack([x, x.T]),
            ShapeError,
            r"stack: tensor 1 has shape \(3, 2\), the first one \(2, 3\).*or use cat",
        ),
    ],
)
def test_messages(function, error, message):
    with pytest.raises(error, match=message):
        function(Tensor(np.ones((2, 3))))


def test_an_empty_row_joins_anything():
    nothing, x = Tensor(np.zeros(0), requires_grad=True), Tensor(np.ones((2, 3)), requires_grad=True)
    joined = tinycnn.cat([nothing, x], 1)
    joined.backward(np.full((2, 3), 2.0))
    assert joined.shape == (2, 3)
    assert nothing.grad.shape == (0,)
    np.testing.assert_array_equal(x.grad.numpy(), 2)


def test_flip_takes_dims_by_name():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(tinycnn.flip(x, dims=[0, 1]).numpy(), x[::-1, ::-1])
