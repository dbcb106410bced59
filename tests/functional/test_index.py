"""Indexing: NumPy's rules, gradients that add up at repeated positions, the adjoint law, writing, and messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn.errors import DtypeError, GraphError, IndexingError, ShapeError

SEED = st.integers(0, 2**32 - 1)
SHAPE = arrays.array_shapes(min_dims=1, max_dims=4, max_side=4)


def draw(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_slices_and_numbers(shape, data, seed):
    x = draw(seed, shape)
    index = data.draw(arrays.basic_indices(shape, allow_newaxis=True))
    np.testing.assert_array_equal(Tensor(x)[index].data, x[index])
    gradcheck(lambda t: t[index], x, generator=np.random.default_rng(seed))


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_arrays_of_positions_and_the_adjoint(shape, data, seed):
    x = draw(seed, shape)
    index = data.draw(arrays.integer_array_indices(shape))
    t = Tensor(x, requires_grad=True)
    chosen = t[tuple(Tensor(part) for part in index)]
    np.testing.assert_array_equal(chosen.data, x[index])
    g = draw(seed + 1, chosen.shape)
    chosen.backward(g)
    expected = np.zeros(shape)
    np.add.at(expected, index, g)
    np.testing.assert_allclose(t.grad.data, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.sum(x[index] * g), np.sum(x * t.grad.data), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "index",
    [
        ([0, 0, 1],),
        (slice(None), [2, 0, 2]),
        (0, slice(None), [1, 1]),
        ([0, 1], slice(None), [1, 1]),
        (None, [0, 0], None, 1),
        (..., [3, 3]),
        (np.array([[0, 1], [1, 1]]), 2),
        (slice(None, None, -1), [True, False, True]),
        (np.array([True, False]),),
        (),
        (np.zeros((2, 3, 4)) == 0,),
        ([],),
    ],
)
def test_mixtures(index):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    numpy_index = tuple(np.zeros(0, np.intp) if isinstance(part, list) and not part else part for part in index)
    np.testing.assert_array_equal(Tensor(x)[index].data, x[numpy_index])
    gradcheck(lambda t: t[index], x)


def test_one_element_is_a_tensor_of_no_axes():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    element = x[1, 2]
    assert isinstance(element, Tensor)
    assert element.shape == ()
    element.backward()
    assert x.grad.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert x[Tensor(np.array(1))].shape == (3,)
    assert x[Tensor(np.array(0)) : 1].shape == (1, 3)


def test_repeated_positions_add_up_in_float64():
    weight = Tensor(np.zeros((2, 1), np.float32), requires_grad=True)
    weight[np.zeros(1_000_000, np.int64)].backward(np.full((1_000_000, 1), 0.1, np.float32))
    assert weight.grad.dtype == np.float32
    assert weight.grad.tolist() == [[pytest.approx(1e6 * float(np.float32(0.1)), rel=1e-7)], [0.0]]


@given(st.lists(st.integers(-5, 4), max_size=6), st.booleans())
def test_rows_chosen_once_or_more_often(rows, folded):
    """One list of rows, from the front or from the back: a row's gradient is the sum over its places."""
    positions = np.array(rows, np.int64)
    if folded:
        positions = np.stack((positions, positions[::-1]))
    x = Tensor(np.zeros((5, 2)), requires_grad=True)
    upstream = np.random.default_rng(0).standard_normal((*positions.shape, 2))
    x[positions].backward(upstream)
    expected = np.zeros((5, 2))
    np.add.at(expected, positions, upstream)
    np.testing.assert_allclose(x.grad.data, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_positions_of_every_width(dtype):
    x = Tensor(np.zeros(1000), requires_grad=True)
    x[np.array([3, 100, 3], dtype)].backward(np.array([1.0, 2.0, 4.0]))
    assert {int(k): float(x.grad.data[k]) for k in np.flatnonzero(x.grad.data)} == {3: 5.0, 100: 2.0}


def test_iteration_and_unpacking():
    first, second = Tensor(np.arange(4.0).reshape(2, 2))
    assert (first.tolist(), second.tolist()) == ([0.0, 1.0], [2.0, 3.0])
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(Tensor(np.array(1.0)))


def test_layouts_with_gaps():
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(Tensor(x.T)[[0, 3, 3]].data, x.T[[0, 3, 3]])
    gradcheck(lambda t: t.T[[0, 3, 3], 1:], x)
    gradcheck(lambda t: t.permute(2, 0, 1).gather(0, Tensor(np.array([[[3, 3, 0], [1, 1, 1]]]))), x)


@pytest.mark.parametrize("index", [5, (0, -4), ([7],), (0, 0, 0), (np.array([True, False, True]),)])
def test_outside(index):
    with pytest.raises(IndexingError, match=r"index: .*the tensor has shape \(2, 3\)"):
        Tensor(np.ones((2, 3)))[index]


def test_positions_must_be_whole():
    with pytest.raises(
        DtypeError, match=r"index: positions are float64, not whole numbers or bool; convert with .long\(\)"
    ):
        Tensor(np.ones(3))[Tensor(np.array([0.0]))]


# Functions


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_index_select(shape, data, seed):
    x = draw(seed, shape)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    index = np.array(data.draw(st.lists(st.integers(0, shape[dim] - 1), max_size=5)), np.int64)
    np.testing.assert_array_equal(tinycnn.index_select(x, dim, index).data, np.take(x, index, dim))
    gradcheck(lambda t: t.index_select(dim, index), x)


@given(shape=SHAPE, data=st.data(), seed=SEED)
def test_gather_and_take_along_dim(shape, data, seed):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    size = [data.draw(st.integers(0, n)) for n in shape]
    size[dim] = data.draw(st.integers(0, 5))
    index = generator.integers(0, shape[dim], size)
    cut = [slice(n) for n in size]
    cut[dim] = slice(None)
    np.testing.assert_array_equal(tinycnn.gather(x, dim, index).data, np.take_along_axis(x[tuple(cut)], index, dim))
    gradcheck(lambda t: t.gather(dim, index), x, generator=generator)

    thin = [data.draw(st.sampled_from((1, n))) for n in shape]
    index = generator.integers(0, shape[dim], thin)
    np.testing.assert_array_equal(tinycnn.take_along_dim(x, index, dim).data, np.take_along_axis(x, index, dim))
    gradcheck(lambda t: t.take_along_dim(index, dim), x, generator=generator)


def test_take_along_all_elements():
    x = np.arange(6.0).reshape(2, 3)
    assert tinycnn.take_along_dim(x, np.array([[5, 0], [0, 1]])).tolist() == [5.0, 0.0, 0.0, 1.0]
    gradcheck(lambda t: t.take_along_dim(np.array([5, 0, 0])), x)


@given(shapes=arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4), seed=SEED)
def test_masks(shapes, seed):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shapes.input_shapes[0])
    mask = generator.random(shapes.input_shapes[1]) < 0.5
    wide_x, wide_mask = np.broadcast_arrays(x, mask)
    np.testing.assert_array_equal(tinycnn.masked_select(x, mask).data, wide_x[wide_mask])
    np.testing.assert_array_equal(tinycnn.masked_fill(x, mask, -1.0).data, np.where(wide_mask, -1.0, wide_x))
    gradcheck(lambda t: t.masked_select(mask), x, generator=generator)
    gradcheck(lambda t, v: t.masked_fill(mask, v), [x, np.array(0.5)], generator=generator)


def test_masked_fill_keeps_the_dtype():
    x = Tensor(np.ones(2, np.float32))
    assert x.masked_fill(np.array([True, False]), float("-inf")).dtype == np.float32
    assert Tensor(np.ones(2, np.int64)).masked_fill(np.array([True, False]), 7).tolist() == [7, 1]


@given(classes=st.lists(st.integers(0, 4)), extra=st.integers(0, 2))
def test_one_hot(classes, extra):
    number = max(classes, default=0) + 1 + extra
    result = tinycnn.functional.one_hot(np.array(classes, np.int64), number)
    np.testing.assert_array_equal(result.data, np.eye(number, dtype=np.int64)[classes].reshape(len(classes), number))
    assert result.dtype == np.int64


def test_one_hot_counts_classes():
    assert tinycnn.functional.one_hot(np.array([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (
            lambda x: x.index_select(0, [2]),
            IndexingError,
            "index_select: position 2 is outside 0 to 1, the places there are along dim 0",
        ),
        (lambda x: x.index_select(0, [-1]), IndexingError, "index_select: position -1 is outside 0 to 1"),
        (lambda x: x.index_select(0, [[0]]), ShapeError, r"index_select: index \(1, 1\) must have one axis.*use gather"),
        (
            lambda x: x.index_select(0, [0.5]),
            DtypeError,
            r"index_select: positions are float32, not whole numbers; convert with .long\(\)",
        ),
        (lambda x: x.gather(0, [[3]]), IndexingError, "gather: position 3 is outside 0 to 1"),
        (lambda x: x.gather(0, [0]), ShapeError, r"gather: index \(1,\) must have as many axes as input \(2, 3\)"),
        (
            lambda x: x.gather(0, [[0, 0, 0, 0]]),
            ShapeError,
            "gather: index .* be no larger but along dim 0; take_along_dim broadcasts",
        ),
        (lambda x: x.take_along_dim([0], 0), ShapeError, r"take_along_dim: indices \(1,\) must have as many axes"),
        (
            lambda x: x.take_along_dim([[0, 0]], 0),
            ShapeError,
            r"take_along_dim: shapes \(2, 3\) and \(1, 2\) do not broadcast",
        ),
        (lambda x: x.masked_select([1, 0, 1]), DtypeError, "masked_select: mask is int64, not bool; compare it"),
        (
            lambda x: x.masked_select([True, False]),
            ShapeError,
            r"masked_select: shapes \(2, 3\) and \(2,\) do not broadcast",
        ),
        (
            lambda x: x.masked_fill(x > 0, [1.0]),
            ShapeError,
            r"masked_fill: value has shape \(1,\); give one number, or use where",
        ),
        (lambda x: x.masked_fill([True, False], 1.0), ShapeError, "masked_fill: shapes .* do not broadcast"),
        (lambda x: tinycnn.functional.one_hot([0, 3], 3), IndexingError, "one_hot: position 3 is outside 0 to 2"),
        (lambda x: tinycnn.functional.one_hot([-1]), IndexingError, "one_hot: position -1 is outside"),
        (lambda x: tinycnn.functional.one_hot([0.5]), DtypeError, "one_hot: positions are float32"),
        (
            lambda x: tinycnn.functional.one_hot(np.zeros(0, np.int64)),
            ShapeError,
            "one_hot: no class in an empty tensor.*give num_classes",
        ),
    ],
)
def test_messages(function, error, message):
    with pytest.raises(error, match=message):
        function(Tensor(np.ones((2, 3))))


# Writing


def test_writing_to_a_plain_leaf():
    x = Tensor(np.zeros((2, 3)))
    x[0] = 1.0
    x[1, Tensor(np.array([0, 2]))] = Tensor(np.array([5.0, 6.0]))
    x[x == 1.0] = 9.0
    assert x.tolist() == [[9.0, 9.0, 9.0], [5.0, 0.0, 6.0]]
    assert x._version == 3


def test_writing_into_a_graph_is_refused_with_the_fix():
    leaf = Tensor(np.zeros(2), requires_grad=True)
    plain = Tensor(np.zeros(2))
    for target, value in ((leaf, 1.0), (leaf * 2, 1.0), (plain, leaf)):
        with pytest.raises(GraphError, match=r"x\[...\] = value: .*use where\(mask, value, x\)"):
            target[...] = value
    assert leaf.tolist() == plain.tolist() == [0.0, 0.0]
    with tinycnn.no_grad():
        leaf[0] = 3.0
    assert leaf.tolist() == [3.0, 0.0]


def test_a_result_is_not_written_even_inside_no_grad():
    result = Tensor(np.zeros(2), requires_grad=True) * 2
    with tinycnn.no_grad(), pytest.raises(GraphError, match=r"write to x.detach\(\).clone\(\)"):
        result[0] = 1.0


def test_backward_sees_that_a_saved_tensor_was_written():
    weight, x = Tensor(np.ones(2), requires_grad=True), Tensor(np.ones(2))
    y = (weight * x).sum()
    x[0] = 5.0
    with pytest.raises(GraphError, match="mul saved a tensor"):
        y.backward()


def test_writes_that_do_not_fit():
    x = Tensor(np.zeros((2, 3)))
    with pytest.raises(
        ShapeError, match=r"value of shape \(2,\) does not fill the \(3,\) chosen places of shape \(2, 3\)"
    ):
        x[0] = np.ones(2)
    with pytest.raises(IndexingError, match=r"index: .*the tensor has shape"):
        x[5] = 1.0
    with pytest.raises(ShapeError, match=r"read-only view made by expand; .*clone\(\) x first"):
        x.expand(2, 2, 3)[0] = 1.0


def test_numbers_and_nothing_can_be_gathered():
    number = tinycnn.tensor(3.0)
    assert number.index_select(0, tinycnn.tensor([0])).shape == ()
    assert number.gather(0, tinycnn.tensor([0])).tolist() == [3.0]
    nothing = tinycnn.tensor([1.0, 2.0]).gather(0, np.zeros((2, 0), np.int64))
    assert nothing.shape == (2, 0)


def test_take_along_dim_counts_from_the_end():
    x = np.arange(6.0).reshape(2, 3)
    assert tinycnn.take_along_dim(x, np.array([[-1], [-3]]), 1).tolist() == [[2.0], [3.0]]
    with pytest.raises(IndexingError, match="take_along_dim: position -4 is outside 0 to 2"):
        tinycnn.take_along_dim(x, np.array([[-4], [0]]), 1)
