"""The tensor functions beside arithmetic, reductions and views: a gradient for each, laws, special cases, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, gradcheck, linalg
from tinycnn.errors import ArgumentError, DtypeError, GraphError, IndexingError, ShapeError

SEED = st.integers(0, 2**32 - 1)
INF, NAN = float("inf"), float("nan")


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def distinct(seed, *shape):
    """Numbers at least 1 apart, in a random order."""
    return np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape) + 0.25


def within(low, high):
    """Numbers strictly between two bounds."""
    return lambda seed, *shape: np.random.default_rng(seed).uniform(low, high, shape)


def index(seed, high, *shape):
    return Tensor(np.random.default_rng(seed).integers(0, high, shape))


T = tinycnn
# name: (the call, a function of the seed that gives its inputs)
GRADIENTS = {
    "tan": (T.tan, lambda s: [within(-1.2, 1.2)(s, 2, 3)]),
    "asin": (T.asin, lambda s: [within(-0.9, 0.9)(s, 2, 3)]),
    "acos": (T.acos, lambda s: [within(-0.9, 0.9)(s, 2, 3)]),
    "atan": (T.atan, lambda s: [normal(s, 2, 3)]),
    "sinh": (T.sinh, lambda s: [normal(s, 2, 3)]),
    "cosh": (T.cosh, lambda s: [normal(s, 2, 3)]),
    "asinh": (T.asinh, lambda s: [normal(s, 2, 3)]),
    "acosh": (T.acosh, lambda s: [within(1.2, 3)(s, 2, 3)]),
    "atanh": (T.atanh, lambda s: [within(-0.9, 0.9)(s, 2, 3)]),
    "atan2": (T.atan2, lambda s: [normal(s, 2, 3), 2 + within(0, 1)(s + 1, 3)]),
    "hypot": (T.hypot, lambda s: [normal(s, 2, 3), 2 + within(0, 1)(s + 1, 3)]),
    "erf": (T.erf, lambda s: [normal(s, 2, 3)]),
    "erfc": (T.erfc, lambda s: [normal(s, 2, 3)]),
    "exp2": (T.exp2, lambda s: [normal(s, 2, 3)]),
    "log2": (T.log2, lambda s: [within(0.5, 3)(s, 2, 3)]),
    "log10": (T.log10, lambda s: [within(0.5, 3)(s, 2, 3)]),
    "rsqrt": (T.rsqrt, lambda s: [within(0.5, 3)(s, 2, 3)]),
    "trunc": (T.trunc, lambda s: [distinct(s, 2, 3)]),
    "frac": (T.frac, lambda s: [distinct(s, 2, 3)]),
    "fmod": (T.fmod, lambda s: [distinct(s, 2, 3), np.array([2.0, -3.5, 1.5])]),
    "remainder": (T.remainder, lambda s: [distinct(s, 2, 3), np.array([2.0, -3.5, 1.5])]),
    "floor_divide": (T.floor_divide, lambda s: [distinct(s, 2, 3), np.array([2.0, -3.5, 1.5])]),
    "logaddexp": (T.logaddexp, lambda s: [normal(s, 2, 3), normal(s + 1, 3)]),
    "logaddexp2": (T.logaddexp2, lambda s: [normal(s, 2, 3), normal(s + 1, 3)]),
    "xlogy": (T.xlogy, lambda s: [normal(s, 2, 3), within(0.5, 3)(s + 1, 3)]),
    "sort": (lambda x: T.sort(x, 1).values, lambda s: [distinct(s, 2, 4, 3)]),
    "sort_falling": (lambda x: x.sort(0, True)[0], lambda s: [distinct(s, 4, 3)]),
    "topk": (lambda x: T.topk(x, 2, 1).values, lambda s: [distinct(s, 2, 4, 3)]),
    "kthvalue": (lambda x: T.kthvalue(x, 2, 1).values, lambda s: [distinct(s, 2, 4, 3)]),
    "median": (T.median, lambda s: [distinct(s, 2, 4)]),
    "median_along": (lambda x: T.median(x, 0).values, lambda s: [distinct(s, 4, 3)]),
    "aminmax": (lambda x: sum(T.aminmax(x, dim=1)), lambda s: [distinct(s, 4, 3)]),
    "bmm": (T.bmm, lambda s: [normal(s, 2, 3, 4), normal(s + 1, 2, 4, 2)]),
    "mm": (T.mm, lambda s: [normal(s, 3, 4), normal(s + 1, 4, 2)]),
    "mv": (T.mv, lambda s: [normal(s, 3, 4), normal(s + 1, 4)]),
    "dot": (T.dot, lambda s: [normal(s, 4), normal(s + 1, 4)]),
    "outer": (T.outer, lambda s: [normal(s, 3), normal(s + 1, 4)]),
    "addmm": (lambda *a: T.addmm(*a, beta=0.5, alpha=2), lambda s: [normal(s, 2), normal(s + 1, 3, 4), normal(s + 2, 4, 2)]),
    "baddbmm": (lambda *a: T.baddbmm(*a, alpha=-1), lambda s: [normal(s, 3, 2), normal(s + 1, 2, 3, 4), normal(s + 2, 2, 4, 2)]),
    "einsum_product": (lambda a, b: T.einsum("bij,kj->bki", a, b), lambda s: [normal(s, 2, 3, 4), normal(s + 1, 5, 4)]),
    "einsum_three": (lambda a, b, c: T.einsum("ij,jk,kl", a, b, c), lambda s: [normal(s, 2, 3), normal(s + 1, 3, 4), normal(s + 2, 4, 2)]),
    "einsum_diagonal": (lambda a: T.einsum("iij->j", a), lambda s: [normal(s, 3, 3, 2)]),
    "einsum_sums": (lambda a, b: T.einsum("ij,k->i", a, b), lambda s: [normal(s, 3, 2), normal(s + 1, 4)]),
    "einsum_stretched": (lambda a, b: T.einsum("ij,ij->j", a, b), lambda s: [normal(s, 3, 2), normal(s + 1, 1, 2)]),
    "einsum_dots": (lambda a, b: T.einsum("...ij,...jk", a, b), lambda s: [normal(s, 5, 1, 2, 3), normal(s + 1, 2, 3, 4)]),
    "tensordot": (lambda a, b: T.tensordot(a, b, ([1, 0], [0, 2])), lambda s: [normal(s, 2, 3, 4), normal(s + 1, 3, 5, 2)]),
    "addcmul": (lambda *a: T.addcmul(*a, value=3), lambda s: [normal(s, 2, 3), normal(s + 1, 3), normal(s + 2, 2, 1)]),
    "addcdiv": (lambda *a: T.addcdiv(*a, value=3), lambda s: [normal(s, 2, 3), normal(s + 1, 3), within(1, 2)(s + 2, 2, 1)]),
    "lerp": (T.lerp, lambda s: [normal(s, 2, 3), normal(s + 1, 3), normal(s + 2, 2, 1)]),
    "cumprod": (lambda x: T.cumprod(x, 1), lambda s: [normal(s, 2, 5)]),
    "cumprod_zeros": (lambda x: T.cumprod(x, 0), lambda s: [normal(s, 6) * np.array([1, 0, 1, 1, 0, 1])]),
    "diag_in": (lambda x: T.diag(x, 1), lambda s: [normal(s, 3)]),
    "diag_out": (lambda x: T.diag(x, -1), lambda s: [normal(s, 4, 3)]),
    "diag_embed": (lambda x: T.diag_embed(x, -1, 0, 2), lambda s: [normal(s, 2, 3)]),
    "diagonal": (lambda x: T.diagonal(x, 1, -1, 0), lambda s: [normal(s, 3, 2, 4)]),
    "trace": (T.trace, lambda s: [normal(s, 3, 4)]),
    "rot90": (lambda x: T.rot90(x, -1, (0, 2)), lambda s: [normal(s, 3, 2, 4)]),
    "narrow": (lambda x: T.narrow(x, 1, -3, 2), lambda s: [normal(s, 2, 4)]),
    "select": (lambda x: T.select(x, -1, 1), lambda s: [normal(s, 2, 4)]),
    "unbind": (lambda x: T.cat(T.unbind(x, 1)[1:]), lambda s: [normal(s, 2, 4)]),
    "repeat_interleave": (lambda x: T.repeat_interleave(x, T.tensor([2, 0, 1]), 1), lambda s: [normal(s, 2, 3)]),
    "repeat_all": (lambda x: x.repeat_interleave(3), lambda s: [normal(s, 2, 3)]),
    "meshgrid": (lambda x, y: sum(grid * (1 + place) for place, grid in enumerate(T.meshgrid(x, y))), lambda s: [normal(s, 2), normal(s, 3)]),
    "scatter": (lambda x, y: T.scatter(x, 1, T.tensor([[1, 0], [2, 1]]), y), lambda s: [normal(s, 2, 3), normal(s + 1, 3, 2)]),
    "scatter_add": (lambda x, y: T.scatter_add(x, 0, index(0, 2, 3, 2), y), lambda s: [normal(s, 2, 3), normal(s + 1, 3, 2)]),
    "scatter_multiply": (lambda x: T.scatter(x, 0, index(0, 2, 3, 2), 2.5, reduce="multiply"), lambda s: [normal(s, 2, 3)]),
    "index_add": (lambda x, y: T.index_add(x, 1, index(0, 3, 4), y, alpha=2), lambda s: [normal(s, 2, 3), normal(s + 1, 2, 4)]),
    "index_put": (lambda x, y: T.index_put(x, (T.tensor([0, -1]), T.tensor([1, 2])), y), lambda s: [normal(s, 2, 3, 2), normal(s + 1, 2)]),
    "index_put_add": (lambda x, y: T.index_put(x, (index(0, 2, 5),), y, True), lambda s: [normal(s, 2, 3), normal(s + 1, 5, 3)]),
    "vector_norm": (lambda x: linalg.vector_norm(x, 3, 1), lambda s: [normal(s, 2, 3)]),
    "matrix_norm": (lambda x: linalg.matrix_norm(x, dim=(0, 2)), lambda s: [normal(s, 2, 3, 4)]),
    "matrix_norm_sums": (lambda x: linalg.matrix_norm(x, -1) + linalg.matrix_norm(x, INF), lambda s: [normal(s, 2, 3, 4)]),
    "matrix_norm_spectral": (lambda x: linalg.norm(x, 2, (2, 0)) + linalg.norm(x, -2, (2, 0)), lambda s: [normal(s, 2, 3, 4)]),
    "matrix_norm_nuclear": (lambda x: linalg.matrix_norm(x, "nuc", keepdim=True), lambda s: [normal(s, 2, 3, 4)]),
}


@pytest.mark.parametrize("name", GRADIENTS)
@given(seed=SEED)
def test_gradients(name, seed):
    call, inputs = GRADIENTS[name]
    assert gradcheck(call, inputs(seed), generator=np.random.default_rng(seed))


def test_every_function_here_is_a_method_where_torch_has_one():
    for name in """acos acosh addcdiv addcmul addmm allclose aminmax argsort asin asinh atan atan2 atanh baddbmm bincount bmm cosh cumprod diag
        diagonal dot equal erf erfc exp2 floor_divide fmod frac histc hypot index_add index_put isclose isneginf isposinf isreal kthvalue lerp
        log10 log2 logaddexp logaddexp2 median mm mv narrow nonzero outer remainder repeat_interleave rot90 rsqrt scatter scatter_add select
        sigmoid sinh sort tan tanh topk trace trunc unbind unique xlogy""".split():
        assert callable(getattr(Tensor, name)), name
    for name in "einsum tensordot meshgrid searchsorted bucketize isin diag_embed".split():
        assert callable(getattr(tinycnn, name)), name


@given(seed=SEED, descending=st.booleans())
def test_sorting_keeps_equal_elements_in_order_and_puts_nan_last(seed, descending):
    x = np.random.default_rng(seed).integers(-2, 3, (3, 8)).astype(np.float64)
    x[np.random.default_rng(seed + 1).random(x.shape) < 0.2] = np.nan
    values, places = tinycnn.sort(x, 1, descending)
    np.testing.assert_array_equal(np.take_along_axis(x, places.data, 1), values.data)
    step = np.diff(np.where(np.isnan(values.data), 99.0, values.data) * (-1 if descending else 1), axis=1)
    assert (step >= 0).all()
    assert (np.diff(places.data, axis=1)[step == 0] > 0).all()
    np.testing.assert_array_equal(tinycnn.argsort(x, 1, descending).data, places.data)
    top = tinycnn.topk(x, 3, 1, largest=descending)
    np.testing.assert_array_equal(top.indices.data, places.data[:, :3])


@given(seed=SEED, right=st.booleans(), rows=st.integers(1, 3))
def test_searchsorted_counts(seed, right, rows):
    sequence = np.sort(np.round(normal(seed, rows, 6) * 2), 1)
    numbers = np.round(normal(seed + 1, rows, 4) * 2)
    found = tinycnn.searchsorted(sequence, numbers, right=right).data
    smaller = np.less_equal if right else np.less
    np.testing.assert_array_equal(found, smaller(sequence[:, None], numbers[:, :, None]).sum(2))
    shuffled = np.random.default_rng(seed).permutation(sequence, axis=1)
    again = tinycnn.searchsorted(shuffled, numbers, side="right" if right else "left", sorter=tinycnn.argsort(shuffled, 1), out_int32=True)
    np.testing.assert_array_equal(again.data, found)
    assert again.dtype == np.int32
    np.testing.assert_array_equal(tinycnn.bucketize(numbers[0], sequence[0], right=right).data, found[0])


@given(seed=SEED)
def test_scatter_turns_gather_round(seed):
    x = normal(seed, 3, 4, 2)
    places = np.argsort(normal(seed + 1, 3, 4, 2), axis=1)
    gathered = tinycnn.gather(x, 1, places)
    np.testing.assert_array_equal(tinycnn.scatter(np.zeros_like(x), 1, places, gathered).data, x)
    np.testing.assert_array_equal(tinycnn.scatter_add(np.zeros_like(x), 1, places, gathered).data, x)


@given(seed=SEED)
def test_einsum_is_what_the_named_products_are(seed):
    a, b = normal(seed, 3, 4), normal(seed + 1, 4, 2)
    np.testing.assert_allclose(tinycnn.einsum("ij,jk->ik", a, b).data, a @ b, atol=1e-12)
    np.testing.assert_allclose(tinycnn.einsum(a, [0, 1], b, [1, 2], [2, 0]).data, (a @ b).T, atol=1e-12)
    np.testing.assert_allclose(tinycnn.tensordot(a, b, 1).data, a @ b, atol=1e-12)
    np.testing.assert_allclose(tinycnn.tensordot(a, b.T, ([1], [-1])).data, a @ b, atol=1e-12)
    np.testing.assert_allclose(tinycnn.einsum("ij->", a).item(), a.sum(), atol=1e-12)
    np.testing.assert_array_equal(tinycnn.einsum("ba", a).data, a.T)
    np.testing.assert_array_equal(tinycnn.outer(a[0], b[0]).data, np.outer(a[0], b[0]))


def test_remainders_and_quotients_have_signs_and_operators():
    x = tinycnn.tensor([-7, 7])
    assert (x % 3).tolist() == [2, 1]
    assert tinycnn.fmod(x, 3).tolist() == [-1, 1]
    assert (x // 3).tolist() == [-3, 2]
    assert (7 % tinycnn.tensor([4.0])).tolist() == [3.0]
    assert (7 // tinycnn.tensor([4.0])).tolist() == [1.0]
    assert np.isnan(tinycnn.remainder([1.0], 0.0).item())


def test_medians():
    assert tinycnn.median([3.0, 1.0, 2.0, 4.0]).item() == 2.0
    assert np.isnan(tinycnn.median([1.0, NAN]).item())
    values, places = tinycnn.median([[3.0, NAN, 1.0], [5.0, 4.0, 6.0]], 1, keepdim=True)
    assert np.isnan(values.data[0, 0]) and values.data[1, 0] == 5.0
    assert places.tolist() == [[1], [0]]
    x = Tensor(np.array([1.0, 2.0, 2.0, 3.0]), requires_grad=True)
    tinycnn.median(x).backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5, 0.0]


def test_unique_and_counts():
    values, inverse, counts = tinycnn.unique(tinycnn.tensor([[3, 1], [3, 2]]), return_inverse=True, return_counts=True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 2, 3], [[2, 0], [2, 1]], [1, 1, 2])
    rows, inverse = tinycnn.unique([[1.0, 2.0], [1.0, 2.0], [0.0, 3.0]], return_inverse=True, dim=0)
    assert (rows.tolist(), inverse.tolist()) == ([[0.0, 3.0], [1.0, 2.0]], [1, 1, 0])
    assert tinycnn.unique([NAN, NAN]).numel() == 2
    assert tinycnn.bincount(tinycnn.tensor([1, 1, 3]), np.array([0.5, 0.5, 1.0], np.float32), 5).tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
    assert tinycnn.histc([1.0, 1.0], 2).tolist() == [0.0, 2.0]
    assert tinycnn.histc([1.0, NAN, 5.0], 2, 0, 2).tolist() == [0.0, 1.0]


def test_nothing_counts_with_beta_0():
    y = tinycnn.addmm([NAN], [[1.0, 2.0]], [[3.0], [4.0]], beta=0)
    assert y.tolist() == [[11.0]]


def test_nearly_equal():
    assert tinycnn.isclose([1.0, NAN, INF, -INF], [1.0 + 1e-7, NAN, INF, INF]).tolist() == [True, False, True, False]
    assert tinycnn.isclose([NAN], [NAN], equal_nan=True).tolist() == [True]
    assert tinycnn.isclose(tinycnn.tensor([100]), tinycnn.tensor([101]), rtol=0.1).tolist() == [True]
    assert not tinycnn.allclose([1.0, 2.0], [1.0])
    assert not tinycnn.equal([1.0], [1.0, 1.0])
    assert tinycnn.isneginf(tinycnn.tensor([1, 2])).tolist() == [False, False]


def test_places_of_numbers_without_axes():
    assert tinycnn.nonzero(tinycnn.tensor(3)).shape == (1, 0)
    assert tinycnn.nonzero(tinycnn.tensor(0)).shape == (0, 0)
    assert [places.tolist() for places in tinycnn.nonzero(tinycnn.tensor([[0, 1], [2, 0]]), as_tuple=True)] == [[0, 1], [1, 0]]
    assert tinycnn.sort(tinycnn.tensor(3.0)).indices.item() == 0
    assert tinycnn.topk(tinycnn.tensor(3.0), 1).values.shape == ()
    assert tinycnn.index_add(tinycnn.tensor(1.0), 0, tinycnn.tensor(0), tinycnn.tensor(2.0)).item() == 3.0


def test_inputs_stay_as_they_are():
    x = np.zeros((3, 4))
    x.flags.writeable = False
    ones, places = np.ones((3, 4)), np.zeros((3, 4), np.int64)
    for y in (
        tinycnn.scatter(x, 1, places, ones),
        tinycnn.scatter_add(x, 1, places, ones),
        tinycnn.index_add(x, 0, places[:, 0], ones),
        tinycnn.index_put(x, (tinycnn.tensor([0]),), ones[:1]),
    ):
        assert y.sum().item() > 0
    assert not x.any()


X = np.zeros((3, 4))
I = np.zeros((3, 4), np.int64)
MESSAGES = {
    "topk: k=5 > the 4 elements along dim 1": (ShapeError, lambda: T.topk(X, 5, 1)),
    "topk: input is bool": (DtypeError, lambda: T.topk(X > 0, 1)),
    "kthvalue: k must be a whole number >= 1, not 0": (ArgumentError, lambda: T.kthvalue(X, 0)),
    "median: input .* has no element along dim 0": (ShapeError, lambda: T.median(X[:0], 0)),
    "unique: input .* is empty": (ShapeError, lambda: T.unique(X[:0], dim=1)),
    "bincount: input is float64": (DtypeError, lambda: T.bincount(X[0])),
    "bincount: input holds -1": (ArgumentError, lambda: T.bincount(T.tensor([-1]))),
    "bincount: input has shape": (ShapeError, lambda: T.bincount(I)),
    "histc: max 0 must be larger than min 1": (ArgumentError, lambda: T.histc(X, 2, 1, 0)),
    "histc: the range from nan to nan is not finite": (ArgumentError, lambda: T.histc([NAN], 2)),
    "searchsorted: sorted_sequence": (ShapeError, lambda: T.searchsorted(X, X[0])),
    'side="left" and right=True contradict': (ArgumentError, lambda: T.searchsorted(X[0], X, side="left", right=True)),
    "bmm: shapes": (ShapeError, lambda: T.bmm(X, X)),
    "mm: shapes .* do not fit": (ShapeError, lambda: T.mm(X, X)),
    "outer: input": (ShapeError, lambda: T.outer(X, X[0])),
    "addmm: beta must be a number": (ArgumentError, lambda: T.addmm(X, X, X.T, beta="1")),
    "einsum: 'ij' .* names 2 axes": (ShapeError, lambda: T.einsum("ij->", X[0])),
    "einsum: .* names 2 operands, but 1 are given": (ArgumentError, lambda: T.einsum("i,j", X[0])),
    "einsum: the result 'k'": (ArgumentError, lambda: T.einsum("ij->k", X)),
    "einsum: axis 'j' is 4 in one operand and 3 in another": (ShapeError, lambda: T.einsum("ij,jk", X, X)),
    "einsum: 'i-' in": (ArgumentError, lambda: T.einsum("i-,j->i", X, X)),
    "einsum: 'ii' repeats a letter": (ShapeError, lambda: T.einsum("ii", X)),
    "tensordot: axis 1 of a": (ShapeError, lambda: T.tensordot(X, X, 1)),
    "tensordot: dims=3 must be from 0 to 2": (ArgumentError, lambda: T.tensordot(X, X, 3)),
    "addcdiv: tensor1 is int64": (DtypeError, lambda: T.addcdiv(I, I, I)),
    "addcmul: value='2' must|addcmul: value must be a number": (ArgumentError, lambda: T.addcmul(X, X, X, value="2")),
    "lerp: input is float64 but end is float32": (DtypeError, lambda: T.lerp(X, X.astype(np.float32), 0.5)),
    "diag: input has shape": (ShapeError, lambda: T.diag(X[None])),
    "diagonal: dim1=0 and dim2=-2 are the same axis": (ArgumentError, lambda: T.diagonal(X, 0, 0, -2)),
    "trace: input has shape": (ShapeError, lambda: T.trace(X[0])),
    "rot90: dims": (ArgumentError, lambda: T.rot90(X, 1, (0, 0))),
    "narrow: start 3 . length 2 > the 4 elements": (IndexingError, lambda: T.narrow(X, 1, 3, 2)),
    "select: index 4 is outside": (IndexingError, lambda: T.select(X, 1, 4)),
    "unbind: a 0-d tensor": (ShapeError, lambda: T.unbind(1.0)),
    "repeats holds -1": (ArgumentError, lambda: T.repeat_interleave(X, -1)),
    "repeats has shape .* 3 elements": (ShapeError, lambda: T.repeat_interleave(X, I[0], 0)),
    "output_size=5, but the repeats add up to 6": (ArgumentError, lambda: T.repeat_interleave(X, 2, 0, output_size=5)),
    "meshgrid: no tensors": (ArgumentError, lambda: T.meshgrid()),
    "meshgrid: a tensor has shape": (ShapeError, lambda: T.meshgrid(X)),
    "scatter: index .* must have as many axes": (ShapeError, lambda: T.scatter(X, 0, I[0], X)),
    "scatter: position 4 is outside": (IndexingError, lambda: T.scatter(X, 1, I + 4, X)),
    "scatter: give one of src and value": (ArgumentError, lambda: T.scatter(X, 1, I)),
    "scatter: input is float64 but src is int64": (DtypeError, lambda: T.scatter(X, 1, I, I)),
    "has no gradient for src": (GraphError, lambda: T.scatter(X, 1, I, Tensor(X, requires_grad=True), reduce="multiply")),
    "index_add: source": (ShapeError, lambda: T.index_add(X, 0, I[0, :2], X)),
    "index_put: values .* do not broadcast": (ShapeError, lambda: T.index_put(X, (T.tensor([0]),), X)),
    "index_put: indices must be a tuple": (ArgumentError, lambda: T.index_put(X, (), X)),
    "isclose: rtol must be a number >= 0, not -1": (ArgumentError, lambda: T.isclose(X, X, -1)),
    "isclose: input is float64 but other is int64": (DtypeError, lambda: T.isclose(X, I)),
    "fmod: a whole number by zero": (ArgumentError, lambda: T.fmod(I, 0)),
    "remainder: bool has no remainders": (DtypeError, lambda: T.remainder(X > 0, X > 0)),
    "hypot: input is int64": (DtypeError, lambda: T.hypot(I, X)),
    "linalg.matrix_norm: ord 3 is not": (ArgumentError, lambda: linalg.matrix_norm(X, 3)),
    "linalg.matrix_norm: A has shape": (ShapeError, lambda: linalg.matrix_norm(X[0])),
    "linalg.norm: ord=2 without dim": (ShapeError, lambda: linalg.norm(X[None], 2)),
    "linalg.vector_norm: ord must be a number": (ArgumentError, lambda: linalg.vector_norm(X, "fro")),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages(message):
    error, call = MESSAGES[message]
    with pytest.raises(error, match=message):
        call()
