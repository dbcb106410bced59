"""The tensor functions of angles, order, contraction, diagonals, slices and scattering against torch: values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinycnn
from tests.oracle.tensor_calls import TOLERANCE, compare, halves, normal, positive
from tinycnn.errors import TinycnnError

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

SEED = st.integers(0, 2**32 - 1)
SHAPE = st.lists(st.integers(0, 4), max_size=3).map(tuple)
SOLID = st.lists(st.integers(1, 4), min_size=2, max_size=3).map(tuple)
INF = float("inf")


def unit(generator, shape):
    """Numbers well inside -1 .. 1."""
    return generator.uniform(-0.95, 0.95, shape)


def above_one(generator, shape):
    return generator.uniform(1.1, 3, shape)


def different(generator, shape):
    """Numbers without ties."""
    return generator.permutation(int(np.prod(shape, dtype=int))).reshape(shape) / 4 - 1


UNARY = {
    "tan": unit, "asin": unit, "acos": unit, "atan": normal, "sinh": normal, "cosh": normal, "asinh": normal, "acosh": above_one, "atanh": unit,
    "erf": normal, "erfc": normal, "exp2": normal, "log2": positive, "log10": positive, "rsqrt": positive, "trunc": halves, "frac": halves,
    "isneginf": halves, "isposinf": halves, "isreal": halves, "aminmax": different, "nonzero": halves,
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=20, deadline=None)
@given(shape=SHAPE, seed=SEED)
def test_functions_of_one_tensor(name, dtype, shape, seed):
    generator = np.random.default_rng(seed)
    if name == "aminmax" and 0 in shape:
        shape = (2, 3)
    compare(lambda lib, x: getattr(lib, name)(x), [UNARY[name](generator, shape).astype(dtype)], generator, TOLERANCE[dtype])


BINARY = {
    "atan2": (halves, normal), "hypot": (normal, normal), "fmod": (normal, positive), "remainder": (normal, positive),
    "logaddexp": (normal, normal), "logaddexp2": (normal, normal), "xlogy": (halves, positive),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=20, deadline=None)
@given(shape=SHAPE, stretched=st.booleans(), seed=SEED)
def test_functions_of_two_tensors(name, dtype, shape, stretched, seed):
    generator = np.random.default_rng(seed)
    draws = BINARY[name]
    other = shape[1:] if stretched else shape
    arrays = [draws[0](generator, shape).astype(dtype), draws[1](generator, other).astype(dtype)]
    compare(lambda lib, x, y: getattr(lib, name)(x, y), arrays, generator, TOLERANCE[dtype])


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5])


@pytest.mark.parametrize("name", [*UNARY, *BINARY, "floor_divide", "isclose"])
def test_special_numbers(name):
    if name in ("aminmax", "nonzero"):
        return
    pair = name in BINARY or name in ("floor_divide", "isclose")
    column, row = SPECIAL[:, None], SPECIAL[None]
    mine = getattr(tinycnn, name)(*(map(tinycnn.Tensor, (column, row)) if pair else [tinycnn.Tensor(SPECIAL)]))
    theirs = getattr(torch, name)(*(map(torch.tensor, (column, row)) if pair else [torch.tensor(SPECIAL)]))
    np.testing.assert_allclose(mine.data, theirs.numpy(), rtol=1e-12, atol=1e-15, equal_nan=True)


ALONG = {
    "sort": lambda lib, x, dim, k: lib.sort(x, dim),
    "sort_falling": lambda lib, x, dim, k: x.sort(dim, True),
    "argsort": lambda lib, x, dim, k: lib.argsort(x, dim, k > 1),
    "topk": lambda lib, x, dim, k: lib.topk(x, min(k, x.size(dim)), dim),
    "topk_smallest": lambda lib, x, dim, k: x.topk(1, dim, False),
    "kthvalue": lambda lib, x, dim, k: lib.kthvalue(x, 1, dim, k > 1),
    "median": lambda lib, x, dim, k: lib.median(x),
    "median_along": lambda lib, x, dim, k: x.median(dim, k > 1),
    "aminmax": lambda lib, x, dim, k: lib.aminmax(x, dim=dim, keepdim=k > 1),
    "unique": lambda lib, x, dim, k: lib.unique(x.detach(), return_inverse=True, return_counts=True),
    "unique_along": lambda lib, x, dim, k: lib.unique(x.detach(), return_inverse=True, return_counts=True, dim=dim),
    "cumprod": lambda lib, x, dim, k: lib.cumprod(x, dim),
    "diag": lambda lib, x, dim, k: lib.diag(x[(0,) * (x.dim() - 2)], k - 2),
    "diag_row": lambda lib, x, dim, k: lib.diag(x.reshape(-1), k - 2),
    "diag_embed": lambda lib, x, dim, k: lib.diag_embed(x, k - 2, 0, -1),
    "diagonal": lambda lib, x, dim, k: lib.diagonal(x, k - 2, 0, 1),
    "trace": lambda lib, x, dim, k: lib.trace(x[(0,) * (x.dim() - 2)]),
    "rot90": lambda lib, x, dim, k: lib.rot90(x, k, (0, 1)),
    "narrow": lambda lib, x, dim, k: lib.narrow(x, dim, -1, 1),
    "select": lambda lib, x, dim, k: lib.select(x, dim, -1),
    "unbind": lambda lib, x, dim, k: lib.unbind(x, dim),
    "repeat_interleave": lambda lib, x, dim, k: lib.repeat_interleave(x, k, dim),
    "repeat_interleave_all": lambda lib, x, dim, k: x.repeat_interleave(k),
    "repeat_interleave_each": lambda lib, x, dim, k: lib.repeat_interleave(x, lib.arange(x.size(dim)), dim),
    "meshgrid": lambda lib, x, dim, k: lib.meshgrid(x.reshape(-1), x.sum(), indexing="xy"),
    "outer": lambda lib, x, dim, k: lib.outer(x.reshape(-1), x.reshape(-1)),
    "dot": lambda lib, x, dim, k: lib.dot(x.reshape(-1), x.reshape(-1)),
    "tensordot": lambda lib, x, dim, k: lib.tensordot(x, x, ([dim], [dim])),
    "tensordot_all": lambda lib, x, dim, k: lib.tensordot(x, x, 0),
    "einsum": lambda lib, x, dim, k: lib.einsum("i...,i...->...", x, x),
    "einsum_sum": lambda lib, x, dim, k: lib.einsum("...i->i", x),
    "addcmul": lambda lib, x, dim, k: lib.addcmul(x, x, x.sum(), value=k),
    "lerp": lambda lib, x, dim, k: lib.lerp(x, x * 2, k / 4),
    "lerp_tensor": lambda lib, x, dim, k: x.lerp(x * 2, x / 3),
    "scatter": lambda lib, x, dim, k: lib.scatter(x, dim, lib.argsort(x.detach(), dim), x * 2),
    "scatter_number": lambda lib, x, dim, k: x.scatter(dim, lib.argmax(x.detach(), dim, keepdim=True), 1.5),
    "scatter_product": lambda lib, x, dim, k: lib.scatter(x.detach(), dim, lib.argsort(x.detach(), dim), 2.0, reduce="multiply"),
    "scatter_add": lambda lib, x, dim, k: lib.scatter_add(x, dim, lib.argsort(x.detach(), dim) // 2, x * 2),
    "index_add": lambda lib, x, dim, k: lib.index_add(x, dim, lib.arange(x.size(dim)) // 2, x * 2, alpha=k),
    "index_put": lambda lib, x, dim, k: lib.index_put(x, (lib.tensor([-1]),), x[0]),
    "index_put_add": lambda lib, x, dim, k: lib.index_put(x, (lib.tensor([0, 0]), lib.tensor([0, 0])), x[0, 0], True),
    "index_put_mask": lambda lib, x, dim, k: x.index_put((x > 0,), x.sum()),
    "nonzero": lambda lib, x, dim, k: lib.nonzero(x, as_tuple=True),
    "searchsorted": lambda lib, x, dim, k: lib.searchsorted(lib.sort(x.detach(), -1)[0], x.detach(), right=k > 1),
    "histc": lambda lib, x, dim, k: lib.histc(x.detach(), k),
    "isin": lambda lib, x, dim, k: lib.isin(x.detach(), x.detach()[0], invert=k > 1),
    "vector_norm": lambda lib, x, dim, k: lib.linalg.vector_norm(x, k, dim),
    "vector_norm_all": lambda lib, x, dim, k: lib.linalg.vector_norm(x, INF, keepdim=True),
    "norm": lambda lib, x, dim, k: lib.linalg.norm(x),
    "matrix_norm": lambda lib, x, dim, k: lib.linalg.norm(x, -1, (0, 1)),
    "matrix_norm_rows": lambda lib, x, dim, k: lib.linalg.matrix_norm(x, INF),
    "matrix_norm_spectral": lambda lib, x, dim, k: lib.linalg.matrix_norm(x, 2, (1, 0), k > 1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ALONG)
@settings(max_examples=20, deadline=None)
@given(shape=SOLID, k=st.integers(1, 3), data=st.data(), seed=SEED)
def test_functions_along_an_axis(name, dtype, shape, k, data, seed):
    generator = np.random.default_rng(seed)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    draw = normal if "norm" in name else different
    call = ALONG[name]
    compare(lambda lib, x: call(lib, x, dim, k), [draw(generator, shape).astype(dtype)], generator, 10 * TOLERANCE[dtype])


@settings(max_examples=30, deadline=None)
@given(sizes=st.tuples(*[st.integers(0, 4)] * 4), beta=st.sampled_from([0, 1, 0.5]), alpha=st.sampled_from([1, -2]), seed=SEED)
def test_products(sizes, beta, alpha, seed):
    b, m, k, n = sizes
    generator = np.random.default_rng(seed)
    x, y, z = (normal(generator, shape) for shape in ((b, m, k), (b, k, n), (m, n)))
    compare(lambda lib, x, y: lib.bmm(x, y), [x, y], generator, 1e-11)
    compare(lambda lib, z, x, y: lib.baddbmm(z, x, y, beta=beta, alpha=alpha), [z, x, y], generator, 1e-11)
    plain = [z, normal(generator, (m, k)), normal(generator, (k, n))]
    compare(lambda lib, z, x, y: lib.addmm(z, x, y, beta=beta, alpha=alpha), plain, generator, 1e-11)
    compare(lambda lib, x, y: lib.einsum("bij,bjk->kb", x, y), [x, y], generator, 1e-11)
    compare(lambda lib, x, v: lib.mv(x, v), [normal(generator, (m, k)), normal(generator, (k,))], generator, 1e-11)


WHOLE = {
    "sort": lambda lib, x: lib.sort(x, dim=-1, descending=True, stable=True),
    "median": lambda lib, x: lib.median(x),
    "unique": lambda lib, x: lib.unique(x),
    "bincount": lambda lib, x: lib.bincount(x.reshape(-1), minlength=3),
    "cumprod": lambda lib, x: lib.cumprod(x, 0),
    "trace": lambda lib, x: lib.trace(x),
    "outer": lambda lib, x: lib.outer(x[0], x[0]),
    "addmm": lambda lib, x: lib.addmm(x, x, x, alpha=2),
    "addcmul": lambda lib, x: lib.addcmul(x, x, x, value=2),
    "fmod": lambda lib, x: lib.fmod(x, 3),
    "remainder": lambda lib, x: x % 3,
    "floor_divide": lambda lib, x: x // 3,
    "index_add": lambda lib, x: lib.index_add(x, 0, lib.tensor([0, 0]), x),
    "scatter": lambda lib, x: lib.scatter(x, 0, lib.tensor([[1, 0]]), 7),
    "nonzero": lambda lib, x: lib.nonzero(x),
    "isclose": lambda lib, x: lib.isclose(x, x),
    "trunc": lambda lib, x: lib.trunc(x),
    "diag": lambda lib, x: lib.diag(x),
    "aminmax": lambda lib, x: lib.aminmax(x),
}


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers(name, dtype):
    compare(WHOLE[name], [np.array([[4, 0], [9, 250 if dtype == np.uint8 else 25]], dtype)], np.random.default_rng(0), 0)


REFUSED = {
    "topk": lambda lib, x: lib.topk(x, 9),
    "kthvalue": lambda lib, x: lib.kthvalue(x, 0),
    "narrow": lambda lib, x: lib.narrow(x, 0, 1, 9),
    "select": lambda lib, x: lib.select(x, 0, 9),
    "rot90": lambda lib, x: lib.rot90(x, 1, (0, 0)),
    "diag": lambda lib, x: lib.diag(x[None]),
    "diagonal": lambda lib, x: lib.diagonal(x, 0, 1, 1),
    "trace": lambda lib, x: lib.trace(x[0]),
    "einsum": lambda lib, x: lib.einsum("ij->k", x),
    "einsum_sizes": lambda lib, x: lib.einsum("ij,jk", x, x),
    "tensordot": lambda lib, x: lib.tensordot(x, x, 1),
    "bmm": lambda lib, x: lib.bmm(x, x),
    "outer": lambda lib, x: lib.outer(x, x),
    "scatter": lambda lib, x: lib.scatter(x, 0, lib.tensor([[5]]), 1.0),
    "scatter_axes": lambda lib, x: lib.scatter(x, 0, lib.tensor([0]), 1.0),
    "scatter_src": lambda lib, x: lib.scatter(x, 0, lib.tensor([[0, 1], [1, 1]]), x[:1]),
    "index_add": lambda lib, x: lib.index_add(x, 0, lib.tensor([0]), x),
    "index_put": lambda lib, x: lib.index_put(x, (lib.tensor([7]),), x[0]),
    "isclose": lambda lib, x: lib.isclose(x, x, rtol=-1.0),
    "meshgrid": lambda lib, x: lib.meshgrid(x),
    "repeat": lambda lib, x: lib.repeat_interleave(x, -1),
    "searchsorted": lambda lib, x: lib.searchsorted(x, x[0]),
    "bincount": lambda lib, x: lib.bincount(lib.tensor([-1])),
    "histc": lambda lib, x: lib.histc(x, 2, 1, 0),
    "matrix_norm": lambda lib, x: lib.linalg.matrix_norm(x, 3),
    "norm": lambda lib, x: lib.linalg.norm(x[None], 2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse(name):
    x = np.random.default_rng(0).standard_normal((2, 3))
    with pytest.raises((RuntimeError, IndexError, ValueError, TypeError)):
        REFUSED[name](torch, torch.tensor(x))
    with pytest.raises(TinycnnError):
        REFUSED[name](tinycnn, tinycnn.Tensor(x))
