"""torch's tensor functions against torch: values, dtypes, shapes and gradients, over drawn shapes. One call serves both
libraries."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinycnn
from tests.oracle.tensor_calls import TOLERANCE, Call, compare, dtype_name, halves, normal, positive

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

SHAPE = st.lists(st.integers(0, 4), max_size=4).map(tuple)
FILLED = st.lists(st.integers(1, 4), max_size=4).map(tuple)  # no size 0
SOLID = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)  # and two axes at least

UNARY: dict[str, tuple[Call, Call]] = {
    "abs": (lambda lib, x: lib.abs(x), halves),
    "sign": (lambda lib, x: lib.sign(x), halves),
    "neg": (lambda lib, x: -x, normal),
    "square": (lambda lib, x: lib.square(x), normal),
    "sqrt": (lambda lib, x: lib.sqrt(x), positive),
    "exp": (lambda lib, x: lib.exp(x), normal),
    "log": (lambda lib, x: lib.log(x), positive),
    "log1p": (lambda lib, x: x.log1p(), positive),
    "expm1": (lambda lib, x: x.expm1(), normal),
    "sin": (lambda lib, x: x.sin(), normal),
    "cos": (lambda lib, x: x.cos(), normal),
    "floor": (lambda lib, x: lib.floor(x), halves),
    "ceil": (lambda lib, x: lib.ceil(x), halves),
    "round": (lambda lib, x: lib.round(x), halves),
    "reciprocal": (lambda lib, x: lib.reciprocal(x), positive),
    "logical_not": (lambda lib, x: lib.logical_not(x), halves),
    "isnan": (lambda lib, x: lib.isnan(x / 0), halves),
    "isinf": (lambda lib, x: lib.isinf(x / 0), halves),
    "isfinite": (lambda lib, x: lib.isfinite(x / 0), halves),
    "numbers": (lambda lib, x: (1 - x) * 2 + 3 / x - x / 4, positive),
    "pow_2": (lambda lib, x: x**2, normal),
    "pow_3": (lambda lib, x: lib.pow(x, 3), halves),
    "pow_0": (lambda lib, x: x**0, halves),
    "pow_half": (lambda lib, x: x**0.5, positive),
    "pow_minus": (lambda lib, x: x**-1.5, positive),
    "rpow": (lambda lib, x: 2**x, normal),
    "rpow_zero": (lambda lib, x: 0.0**x, positive),
    "clamp": (lambda lib, x: lib.clamp(x, -0.5, 1), halves),
    "clamp_min": (lambda lib, x: x.clamp(min=0), halves),
    "clip_max": (lambda lib, x: lib.clip(x, max=0.5), halves),
    "clamp_crossed": (lambda lib, x: lib.clamp(x, 1.0, -1.0), normal),
    "where_number": (lambda lib, x: lib.where(x > 0, x, 0.0), halves),
    "masked_fill": (lambda lib, x: lib.masked_fill(x, x > 0, -7), halves),
    "masked_select": (lambda lib, x: lib.masked_select(x, x > 0), halves),
    "mask_index": (lambda lib, x: x[x > 0], halves),
    "flatten": (lambda lib, x: lib.flatten(x), normal),
    "squeeze": (lambda lib, x: lib.squeeze(x), normal),
    "unsqueeze": (lambda lib, x: lib.unsqueeze(x, -1), normal),
    "reshape": (lambda lib, x: x.reshape(x.numel(), 1), normal),
    "contiguous": (lambda lib, x: x.transpose(0, -1).contiguous(), normal),
    "clone": (lambda lib, x: x.clone(), normal),
    "double": (lambda lib, x: x.double() * 2, normal),
    "float": (lambda lib, x: x.float() * 2, normal),
    "sum": (lambda lib, x: lib.sum(x), normal),
    "mean": (lambda lib, x: lib.mean(x), normal),
    "prod": (lambda lib, x: lib.prod(x), halves),
    "var": (lambda lib, x: lib.var(x), normal),
    "std_0": (lambda lib, x: lib.std(x, correction=0), normal),
    "norm": (lambda lib, x: lib.norm(x), halves),
    "all": (lambda lib, x: lib.all(x), halves),
    "any": (lambda lib, x: lib.any(x), halves),
    "zeros_like": (lambda lib, x: lib.zeros_like(x), normal),
    "ones_like": (lambda lib, x: lib.ones_like(x), normal),
    "full_like": (lambda lib, x: lib.full_like(x, 0.5), normal),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
@settings(deadline=None)
@given(shape=SHAPE, seed=st.integers(0, 2**32 - 1))
def test_functions_of_one_tensor(name: str, dtype: Any, shape: tuple[int, ...], seed: int) -> None:
    generator = np.random.default_rng(seed)
    call, draw = UNARY[name]
    compare(call, [draw(generator, shape).astype(dtype)], generator, TOLERANCE[dtype])


BINARY: dict[str, tuple[Call, Call]] = {
    "add": (lambda lib, x, y: lib.add(x, y), normal),
    "add_alpha": (lambda lib, x, y: lib.add(x, y, alpha=3), normal),
    "sub": (lambda lib, x, y: x - y, normal),
    "sub_alpha": (lambda lib, x, y: lib.sub(x, y, alpha=0.5), normal),
    "mul": (lambda lib, x, y: x * y, normal),
    "div": (lambda lib, x, y: x / y, positive),
    "div_by_zero": (lambda lib, x, y: (x / (y * 0)).detach(), halves),
    "pow": (lambda lib, x, y: x**y, positive),
    "pow_at_zero": (lambda lib, x, y: lib.clamp(x, min=0) ** lib.clamp(y, min=1), halves),
    "maximum": (lambda lib, x, y: lib.maximum(x, y), halves),
    "minimum": (lambda lib, x, y: lib.minimum(x, y), halves),
    "max_other": (lambda lib, x, y: lib.max(x, y), halves),
    "clamp": (lambda lib, x, y: lib.clamp(x, min=y), halves),
    "clamp_both": (lambda lib, x, y: lib.clamp(x, y, y * 0.5 + 0.25), halves),
    "where": (lambda lib, x, y: lib.where(x > y, x, y), halves),
    "masked_fill": (lambda lib, x, y: lib.masked_fill(x, y > 0, 2.5), halves),
    "masked_select": (lambda lib, x, y: lib.masked_select(x, y > 0), halves),
    "eq": (lambda lib, x, y: x == y, halves),
    "ne": (lambda lib, x, y: x != y, halves),
    "lt": (lambda lib, x, y: x < y, halves),
    "le": (lambda lib, x, y: x <= y, halves),
    "gt": (lambda lib, x, y: x > y, halves),
    "ge": (lambda lib, x, y: x >= y, halves),
    "logical_and": (lambda lib, x, y: lib.logical_and(x, y), halves),
    "logical_or": (lambda lib, x, y: lib.logical_or(x, y), halves),
    "logical_xor": (lambda lib, x, y: lib.logical_xor(x, y), halves),
    "signs_of_logic": (lambda lib, x, y: ((x > 0) & (y > 0)) | ~((x > 1) ^ (y > 1)), halves),
}


@st.composite
def broadcastable(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast: one with some sizes of a common shape set to 1, the other with leading axes left
    out."""
    common = draw(SHAPE)
    first = tuple(draw(st.sampled_from((n, 1))) for n in common)
    second = tuple(n if first[axis] != n else draw(st.sampled_from((n, 1))) for axis, n in enumerate(common))
    second = second[draw(st.integers(0, len(second))) :]
    return (first, second) if draw(st.booleans()) else (second, first)


@pytest.mark.parametrize("dtypes", [(np.float32, np.float32), (np.float64, np.float64), (np.float32, np.float64)])
@pytest.mark.parametrize("name", BINARY)
@settings(deadline=None)
@given(shapes=broadcastable(), seed=st.integers(0, 2**32 - 1))
def test_functions_of_two_tensors(name: str, dtypes: Any, shapes: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    call, draw = BINARY[name]
    arrays = [draw(generator, shape).astype(dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    if dtypes[0] != dtypes[1] and name in ("max_other", "maximum", "minimum", "where", "clamp", "clamp_both"):
        arrays = [array.astype(np.float32) for array in arrays]  # torch's own backward of these wants one dtype
    compare(call, arrays, generator, TOLERANCE[np.float32] if np.float32 in dtypes else TOLERANCE[np.float64])


REDUCTIONS: dict[str, tuple[Call, Call]] = {
    "sum": (lambda lib, x, dim, keep: lib.sum(x, dim, keepdim=keep), normal),
    "mean": (lambda lib, x, dim, keep: lib.mean(x, dim, keepdim=keep), normal),
    "var": (lambda lib, x, dim, keep: lib.var(x, dim, keepdim=keep), normal),
    "var_0": (lambda lib, x, dim, keep: x.var(dim, correction=0, keepdim=keep), normal),
    "std": (lambda lib, x, dim, keep: lib.std(x, dim, correction=0, keepdim=keep), halves),
    "amax": (lambda lib, x, dim, keep: lib.amax(x, dim, keepdim=keep), halves),
    "amin": (lambda lib, x, dim, keep: lib.amin(x, dim, keepdim=keep), halves),
    "logsumexp": (lambda lib, x, dim, keep: lib.logsumexp(x, dim, keepdim=keep), normal),
    "norm": (lambda lib, x, dim, keep: lib.norm(x, 2, dim, keep), halves),
    "all": (lambda lib, x, dim, keep: lib.all(x, dim, keepdim=keep), halves),
    "any": (lambda lib, x, dim, keep: lib.any(x, dim, keepdim=keep), halves),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REDUCTIONS)
@settings(deadline=None)
@given(shape=FILLED, keep=st.booleans(), data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_reductions_over_axes(name: str, dtype: Any, shape: Any, keep: bool, data: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    rank = max(len(shape), 1)
    dims = tuple(data.draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True)))
    dims = tuple(dim - rank if data.draw(st.booleans()) else dim for dim in dims)
    call, draw = REDUCTIONS[name]
    compare(
        lambda lib, x: call(lib, x, dims, keep), [draw(generator, shape).astype(dtype)], generator, TOLERANCE[dtype]
    )


AXIS: dict[str, tuple[Call, Call]] = {
    "max": (lambda lib, x, dim: lib.max(x, dim), halves),
    "min": (lambda lib, x, dim: x.min(dim, keepdim=True), halves),
    "argmax": (lambda lib, x, dim: lib.argmax(x, dim), halves),
    "argmin": (lambda lib, x, dim: x.argmin(dim, keepdim=True), halves),
    "argmax_all": (lambda lib, x, dim: lib.argmax(x), halves),
    "prod": (lambda lib, x, dim: lib.prod(x, dim), halves),
    "cumsum": (lambda lib, x, dim: lib.cumsum(x, dim), normal),
    "max_all": (lambda lib, x, dim: lib.max(x), halves),
    "min_all": (lambda lib, x, dim: x.min(), halves),
    "squeeze": (lambda lib, x, dim: lib.squeeze(x, dim), normal),
    "unsqueeze": (lambda lib, x, dim: x.unsqueeze(dim), normal),
    "transpose": (lambda lib, x, dim: lib.transpose(x, 0, dim), normal),
    "movedim": (lambda lib, x, dim: lib.movedim(x, dim, 0), normal),
    "movedim_back": (lambda lib, x, dim: lib.movedim(x, 0, dim), normal),
    "flatten": (lambda lib, x, dim: x.flatten(dim), normal),
    "flip": (lambda lib, x, dim: lib.flip(x, (dim,)), normal),
    "stack": (lambda lib, x, dim: lib.stack([x, x * 2], dim), normal),
    "to_rows": (lambda lib, x, dim: x.reshape(-1, x.size(dim)), normal),
}


@pytest.mark.parametrize("name", AXIS)
@settings(deadline=None)
@given(shape=FILLED, data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_functions_along_one_axis(name: str, shape: Any, data: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    if name == "to_rows" and not shape:
        shape = (1,)
    rank = max(len(shape), 1)
    dim = data.draw(st.integers(-rank, rank - 1))
    call, draw = AXIS[name]
    compare(lambda lib, x: call(lib, x, dim), [draw(generator, shape)], generator, 1e-11)


SOLID_AXIS: dict[str, Call] = {
    "split": lambda lib, x, dim, k: lib.split(x, k, dim),
    "split_list": lambda lib, x, dim, k: x.split([1, x.size(dim) - 1], dim),
    "chunk": lambda lib, x, dim, k: lib.chunk(x, k, dim),
    "cat": lambda lib, x, dim, k: lib.cat([x, x * 3, x], dim),
    "roll": lambda lib, x, dim, k: lib.roll(x, k - 2, dim),
    "roll_all": lambda lib, x, dim, k: lib.roll(x, k),
    "roll_two": lambda lib, x, dim, k: lib.roll(x, (k, -1), (0, dim)),
    "repeat": lambda lib, x, dim, k: x.repeat(k, *([1] * (x.dim() - 1)), 2),
    "repeat_zero": lambda lib, x, dim, k: x.repeat(*([k - 1] * x.dim())),
    "tile": lambda lib, x, dim, k: lib.tile(x, (k,)),
    "expand": lambda lib, x, dim, k: x.unsqueeze(dim).expand(k, *x.unsqueeze(dim).shape),
    "expand_one": lambda lib, x, dim, k: x.sum(-1, keepdim=True).expand(*([-1] * (x.dim() - 1)), k),
    "broadcast_to": lambda lib, x, dim, k: lib.broadcast_to(x, (k, *x.shape)),
    "permute": lambda lib, x, dim, k: x.permute(*range(1, x.dim()), 0),
    "mT": lambda lib, x, dim, k: x.mT,
    "T": lambda lib, x, dim, k: x[(0,) * (x.dim() - 2)].T,
    "tril": lambda lib, x, dim, k: lib.tril(x, k - 2),
    "triu": lambda lib, x, dim, k: x.triu(k - 2),
    "view": lambda lib, x, dim, k: x.view(-1),
    "unflatten": lambda lib, x, dim, k: x.unflatten(dim, (1, -1)),
    "flatten_some": lambda lib, x, dim, k: lib.flatten(x, 0, 1),
    "row": lambda lib, x, dim, k: x[0],
    "element": lambda lib, x, dim, k: x[(0,) * x.dim()],
    "slices": lambda lib, x, dim, k: x[:, 1:],
    "steps": lambda lib, x, dim, k: x[..., ::2],
    "new_axis": lambda lib, x, dim, k: x[None, :, None],
    "ellipsis": lambda lib, x, dim, k: x[..., -1],
    "list": lambda lib, x, dim, k: x[[0, -1, 0]],
    "advanced": lambda lib, x, dim, k: x[lib.tensor([0, 0]), lib.tensor([0, -1])],
    "advanced_2d": lambda lib, x, dim, k: x[lib.tensor([[0, 0], [0, -1]])],
    "mixed": lambda lib, x, dim, k: x[:, lib.tensor([0, 0, -1])],
    "mixed_apart": lambda lib, x, dim, k: x[None][lib.tensor([0, 0]), :, lib.tensor([0, 0])],
    "index_select": lambda lib, x, dim, k: lib.index_select(x, dim, lib.tensor([0, 0, x.size(dim) - 1])),
    "gather": lambda lib, x, dim, k: lib.gather(x, dim, lib.argmax(x, dim, keepdim=True)),
    "gather_repeated": lambda lib, x, dim, k: lib.gather(x, dim, lib.cat([lib.argmax(x, dim, keepdim=True)] * k, dim)),
    "gather_smaller": lambda lib, x, dim, k: lib.gather(x, dim, lib.tensor([0]).reshape([1] * x.dim())),
    "take_along_dim": lambda lib, x, dim, k: lib.take_along_dim(x, lib.argmin(x, dim, keepdim=True), dim),
    "take_along_dim_wide": lambda lib, x, dim, k: lib.take_along_dim(x, lib.tensor([0]).reshape([1] * x.dim()), dim),
    "take_along_flat": lambda lib, x, dim, k: lib.take_along_dim(x, lib.tensor([0, 1, 0])[:k]),
    "iterate": lambda lib, x, dim, k: list(x),
    "bool_rows": lambda lib, x, dim, k: x[x.sum(tuple(range(1, x.dim()))) > 0],
    "fill_tensor": lambda lib, x, dim, k: lib.masked_fill(x, x > 0, x.sum()),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SOLID_AXIS)
@settings(deadline=None)
@given(shape=SOLID, k=st.integers(1, 3), data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_shapes_and_indices(name: str, dtype: Any, shape: Any, k: int, data: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    if name == "take_along_flat":
        shape = (2, *shape)
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    call = SOLID_AXIS[name]
    compare(lambda lib, x: call(lib, x, dim, k), [normal(generator, shape).astype(dtype)], generator, TOLERANCE[dtype])


@settings(deadline=None)
@given(
    batch=broadcastable(),
    sizes=st.tuples(*[st.integers(0, 4)] * 3),
    kinds=st.sampled_from(range(4)),
    seed=st.integers(0, 2**32 - 1),
)
def test_matmul(batch: Any, sizes: tuple[int, int, int], kinds: int, seed: int) -> None:
    m, k, n = sizes
    first = (k,) if kinds & 1 else (*batch[0], m, k)
    second = (k,) if kinds & 2 else (*batch[1], k, n)
    generator = np.random.default_rng(seed)
    compare(lambda lib, x, y: lib.matmul(x, y), [normal(generator, first), normal(generator, second)], generator, 1e-10)
    compare(
        lambda lib, x, y: x @ y, [normal(generator, s).astype(np.float32) for s in (first, second)], generator, 1e-4
    )


EMPTY: dict[str, Call] = {
    "sum": lambda lib, x: x.sum(),
    "sum_0": lambda lib, x: x.sum(0),
    "mean": lambda lib, x: x.mean(),
    "mean_0": lambda lib, x: x.mean(0),
    "prod": lambda lib, x: x.prod(),
    "var": lambda lib, x: x.var(),
    "all": lambda lib, x: x.all(),
    "any": lambda lib, x: x.any(),
    "logsumexp": lambda lib, x: x.logsumexp(0),
    "norm": lambda lib, x: x.norm(),
    "cat": lambda lib, x: lib.cat([x, x]),
    "amax_1": lambda lib, x: x.amax(1),
    "cumsum": lambda lib, x: x.cumsum(0),
    "max_1": lambda lib, x: x.max(1),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_tensors(name: str) -> None:
    compare(EMPTY[name], [np.zeros((0, 3))], np.random.default_rng(0), 0)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "argmax", "argmin"])
def test_extrema_of_nothing_are_errors_in_both(name: str) -> None:
    with pytest.raises((RuntimeError, IndexError)):
        getattr(torch, name)(torch.zeros(0))
    with pytest.raises(tinycnn.errors.ShapeError, match=f"{name}: input has shape"):
        getattr(tinycnn, name)(tinycnn.zeros(0))


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0])


@pytest.mark.parametrize(
    "name",
    [
        "abs",
        "neg",
        "square",
        "sqrt",
        "exp",
        "log",
        "log1p",
        "expm1",
        "sin",
        "cos",
        "floor",
        "ceil",
        "round",
        "reciprocal",
        "isnan",
        "isinf",
        "isfinite",
        "max",
        "min",
        "amax",
        "logsumexp",
        "norm",
        "sum",
        "mean",
        "prod",
        "argmax",
        "argmin",
    ],
)
def test_nan_and_infinities_in_functions(name: str) -> None:
    for values in (SPECIAL, SPECIAL[1:], SPECIAL[2:], SPECIAL[2:3], SPECIAL[3:]):
        arguments = (0,) if name == "logsumexp" else ()
        mine, theirs = (
            getattr(tinycnn, name)(tinycnn.Tensor(values), *arguments),
            getattr(torch, name)(torch.tensor(values), *arguments),
        )
        np.testing.assert_allclose(mine.data, theirs.numpy(), rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", ["add", "mul", "sub", "div", "pow", "maximum", "minimum", "eq", "lt", "logical_and"])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_nan_and_infinities_in_arithmetic(name: str) -> None:
    column, row = SPECIAL[:, None], SPECIAL[None]
    mine = getattr(tinycnn, name)(tinycnn.Tensor(column), tinycnn.Tensor(row))
    theirs = getattr(torch, name)(torch.tensor(column), torch.tensor(row))
    np.testing.assert_array_equal(mine.data, theirs.numpy())


def test_gradients_at_special_points() -> None:
    for call, values in (
        (lambda lib, x: lib.abs(x), [0.0, -0.0]),
        (lambda lib, x: lib.sqrt(x), [0.0, 4.0]),
        (lambda lib, x: lib.log(x), [0.0, 1.0]),
        (lambda lib, x: lib.norm(x), [0.0, 0.0]),
        (lambda lib, x: lib.std(x), [2.0, 2.0]),
        (lambda lib, x: lib.max(x), [2.0, 2.0]),
        (lambda lib, x: lib.logsumexp(x, 0), [np.inf, 1.0]),
        (lambda lib, x: x**0.5, [0.0, 4.0]),
        (lambda lib, x: x**0, [0.0, 2.0]),
        (lambda lib, x: lib.clamp(x, 0, 1), [0.0, 1.0]),
        (lambda lib, x: lib.max(x), [np.nan, 1.0]),
        (lambda lib, x: lib.prod(x), [0.0, 0.0]),
        (lambda lib, x: lib.prod(x), [0.0, 3.0]),
    ):
        compare(call, [np.array(values)], np.random.default_rng(1), 1e-12)


CREATION: dict[str, Call] = {
    "tensor": lambda lib: lib.tensor([[1.5, 2], [3, 4]]),
    "tensor_whole": lambda lib: lib.tensor([1, 2]),
    "tensor_bool": lambda lib: lib.tensor([True, False]),
    "tensor_number": lambda lib: lib.tensor(2.5),
    "tensor_empty": lambda lib: lib.tensor([]),
    "tensor_dtype": lambda lib: lib.tensor([1.7, -2.2], dtype=lib.int64),
    "zeros": lambda lib: lib.zeros(2, 3),
    "ones": lambda lib: lib.ones((2, 3)),
    "zeros_number": lambda lib: lib.zeros(()),
    "full": lambda lib: lib.full((2,), 3),
    "full_float": lambda lib: lib.full((2,), 3.5),
    "full_bool": lambda lib: lib.full((2,), True),
    "arange": lambda lib: lib.arange(5),
    "arange_step": lambda lib: lib.arange(5, 0, -2),
    "arange_float": lambda lib: lib.arange(0.0, 1.0, 0.25),
    "linspace": lambda lib: lib.linspace(0, 1, 5),
    "eye": lambda lib: lib.eye(2, 3),
    "linspace_one": lambda lib: lib.linspace(2, 5, 1),
    "ones_dtype": lambda lib: lib.ones(2, dtype=lib.float64),
    "one_hot": lambda lib: (lib.functional if lib is tinycnn else lib.nn.functional).one_hot(
        lib.tensor([[0, 2], [1, 1]]), 4
    ),
}


@pytest.mark.parametrize("name", CREATION)
def test_creation(name: str) -> None:
    mine, theirs = CREATION[name](tinycnn), CREATION[name](torch)
    assert mine.shape == tuple(theirs.shape)
    assert dtype_name(mine) == dtype_name(theirs)
    np.testing.assert_allclose(mine.data, theirs.numpy(), rtol=1e-7)
