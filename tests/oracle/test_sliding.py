"""Convolutions of one and three axes, transposed ones, unfold, fold, their layers and the size table against torch."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.sliding import dtypes, normal, spatial_convolutions, transposed_convolutions
from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

TABLE = json.loads((Path(__file__).resolve().parents[2] / "docs" / "size_cases.json").read_text())


def compare(ours, theirs, arrays, seed):
    """Values and gradients of two functions of the same arrays."""
    tolerance = 1e-10 if arrays[0].dtype == np.float64 else 2e-4
    mine = [Tensor(array.copy(), requires_grad=True) for array in arrays]
    others = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, expected = ours(*mine), theirs(*others)
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
    upstream = normal(seed, y.shape, arrays[0].dtype)
    y.backward(upstream)
    expected.backward(torch.tensor(upstream))
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("rank", [1, 3])
@given(data=st.data(), dtype=dtypes)
def test_convolutions(rank, data, dtype):
    case = data.draw(spatial_convolutions(rank, modes=("zeros", "reflect", "replicate", "circular")))
    options = dict(case.options)
    sides, mode = options.pop("padding"), options.pop("padding_mode")
    if 0 in case.x_shape and mode != "zeros":
        return  # torch's padding modes refuse an empty batch
    flipped = [side for axis in reversed(range(rank)) for side in sides[2 * axis : 2 * axis + 2]]

    def theirs(x, *others):
        padded = torch.nn.functional.pad(x, flipped, mode={"zeros": "constant"}.get(mode, mode))
        return getattr(torch.nn.functional, f"conv{rank}d")(padded, *others, **options)

    compare(lambda *arrays: getattr(F, f"conv{rank}d")(*arrays, **case.options), theirs, case.operands(dtype), case.seed)


@pytest.mark.parametrize("rank", [1, 2, 3])
@given(data=st.data(), dtype=dtypes)
def test_transposed_convolutions(rank, data, dtype):
    case = data.draw(transposed_convolutions(rank, largest=4, one_sided=False))
    theirs = dict(case.options, padding=case.options["padding"][::2])
    name = f"conv_transpose{rank}d"
    compare(
        lambda *arrays: getattr(F, name)(*arrays, **case.options),
        lambda *arrays: getattr(torch.nn.functional, name)(*arrays, **theirs),
        case.operands(dtype),
        case.seed,
    )


@given(spatial_convolutions(2, modes=("zeros",), largest=8), dtypes)
def test_unfold_and_fold(case, dtype):
    names = ("dilation", "stride")
    options = {name: case.options[name] for name in names} | {"kernel_size": case.weight_shape[2:], "padding": case.options["padding"][::2]}
    x = case.arrays(dtype)[0]
    try:
        columns = torch.nn.functional.unfold(torch.tensor(x), **options)
    except RuntimeError:
        with pytest.raises(TinycnnError):
            F.unfold(x, **options)
        return
    compare(lambda x: F.unfold(x, **options), lambda x: torch.nn.functional.unfold(x, **options), (x,), case.seed)
    size = x.shape[2:]
    compare(
        lambda columns: F.fold(columns, size, **options),
        lambda columns: torch.nn.functional.fold(columns, size, **options),
        (normal(case.seed, tuple(columns.shape), dtype),),
        case.seed + 1,
    )


def agree_on_refusal(ours, theirs):
    """Both give a result of the same shape, or both refuse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = theirs()
    except (RuntimeError, ValueError, IndexError):
        with pytest.raises(TinycnnError):
            ours()
    else:
        assert ours().shape == tuple(expected.shape)


# An empty batch torch lets pass without looking at the other arguments; here it is checked like any other.
@pytest.mark.parametrize("rank", [1, 2, 3])
@given(
    st.integers(1, 2), st.integers(0, 4), st.integers(1, 3), st.integers(1, 2), st.integers(0, 3), st.integers(0, 3), st.integers(1, 3),
    st.integers(1, 2), st.integers(1, 4), st.integers(0, 4),
)
def test_the_same_transposed_configurations_are_errors(
    rank, batch, size, kernel, stride, padding, blank, dilation, groups, channels, weight_channels
):
    x, weight = np.ones((batch, channels, *(size,) * rank)), np.ones((weight_channels, 2, *(kernel,) * rank))
    options = (None, stride, padding, blank, groups, dilation)
    name = f"conv_transpose{rank}d"
    agree_on_refusal(
        lambda: getattr(F, name)(x, weight, *options),
        lambda: getattr(torch.nn.functional, name)(torch.tensor(x), torch.tensor(weight), *options),
    )


@pytest.mark.parametrize("rank", [1, 3])
@given(
    st.integers(1, 2), st.integers(0, 6), st.integers(0, 4), st.integers(0, 2),
    st.one_of(st.integers(-1, 3), st.sampled_from(["same", "valid", "sane"])), st.integers(1, 3), st.integers(1, 2),
    st.integers(1, 4), st.integers(1, 4), st.integers(0, 3),
)
def test_the_same_configurations_are_errors(rank, batch, size, kernel, stride, padding, dilation, groups, channels, weight_channels, out_channels):
    x, weight = np.ones((batch, channels, *(size,) * rank)), np.ones((out_channels, weight_channels, *(kernel,) * rank))
    options = (None, stride, padding, dilation, groups)
    agree_on_refusal(
        lambda: getattr(F, f"conv{rank}d")(x, weight, *options),
        lambda: getattr(torch.nn.functional, f"conv{rank}d")(torch.tensor(x), torch.tensor(weight), *options),
    )


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 2), st.integers(-1, 2), st.integers(0, 2),
    st.integers(0, 5),
)
def test_the_same_foldings_are_errors(shape, kernel, dilation, padding, stride, output_size):
    x = np.ones(shape)
    options = (kernel, dilation, padding, stride)
    if len(shape) > 1:  # torch asks a tensor of two axes for its third before it looks at the rank
        agree_on_refusal(lambda: F.unfold(x, *options), lambda: torch.nn.functional.unfold(torch.tensor(x), *options))
    agree_on_refusal(lambda: F.fold(x, output_size, *options), lambda: torch.nn.functional.fold(torch.tensor(x), output_size, *options))


LAYERS = [
    ("Conv1d", (4, 6, 3), {}, (3, 4, 9)),
    ("Conv1d", (4, 6, 3, 2, 1, 2, 2), {"bias": False, "padding_mode": "circular"}, (3, 4, 9)),
    ("Conv1d", (4, 4, 3), {"padding": "same", "padding_mode": "replicate"}, (3, 4, 9)),
    ("Conv3d", (4, 6, 3), {}, (2, 4, 5, 6, 4)),
    ("Conv3d", (4, 6, (1, 3, 2), (2, 1, 1), (0, 1, 1), (1, 1, 2), 2), {}, (2, 4, 5, 6, 4)),
    ("Conv3d", (2, 4, 3), {"padding": 1, "padding_mode": "circular"}, (2, 2, 4, 4, 3)),
    ("Conv3d", (2, 4, 3), {"padding": 1, "padding_mode": "replicate"}, (2, 2, 4, 4, 3)),
    ("ConvTranspose1d", (4, 6, 3), {}, (3, 4, 9)),
    ("ConvTranspose1d", (4, 6, 3, 2, 1, 1, 2, False, 2), {}, (3, 4, 9)),
    ("ConvTranspose2d", (4, 6, 3), {}, (2, 4, 5, 6)),
    ("ConvTranspose2d", (4, 6, (3, 2), (2, 3), (1, 0), (1, 2), 2), {}, (2, 4, 5, 6)),
    ("ConvTranspose2d", (4, 2, 2, 2), {}, (4, 5, 6)),
    ("ConvTranspose3d", (4, 6, 3, 2, 1, 1), {"groups": 2, "dilation": 2}, (2, 4, 3, 2, 4)),
    ("Unfold", (3,), {}, (2, 4, 5, 6)),
    ("Unfold", ((2, 3), 2, 1, (1, 2)), {}, (2, 4, 5, 6)),
    ("Fold", ((5, 6), 3), {}, (2, 18, 12)),
    ("Fold", (5, (2, 3)), {"padding": 1, "stride": (2, 1)}, (12, 15)),
]


@pytest.mark.parametrize("name, arguments, options, shape", LAYERS)
def test_layers(name, arguments, options, shape):
    mine = getattr(nn, name)(*arguments, **options).double()
    other = getattr(torch.nn, name)(*arguments, **options).double()
    assert list(mine.state_dict()) == list(other.state_dict())
    assert repr(mine) == repr(other)
    for key, tensor in other.state_dict().items():
        assert mine.state_dict()[key].shape == tuple(tensor.shape)
        fan = torch.nn.init._calculate_fan_in_and_fan_out(other.weight)[0]
        assert np.abs(mine.state_dict()[key].numpy()).max() <= 1 / np.sqrt(fan)
        if tensor.numel() > 30:
            assert np.abs(mine.state_dict()[key].numpy()).max() >= 0.8 / np.sqrt(fan)
    other.load_state_dict({key: torch.from_numpy(tensor.numpy().copy()) for key, tensor in mine.state_dict().items()})
    compare(mine, other, (normal(0, shape),), 1)


@pytest.mark.parametrize("name, shape", [("ConvTranspose1d", (2, 4, 5)), ("ConvTranspose2d", (2, 4, 5, 3)), ("ConvTranspose3d", (4, 3, 2, 4))])
@given(data=st.data())
def test_output_size_of_a_layer(name, shape, data):
    options = {"stride": data.draw(st.integers(1, 3)), "padding": data.draw(st.integers(0, 1)), "dilation": data.draw(st.integers(1, 2))}
    rank = int(name[-2])
    mine, other = getattr(nn, name)(4, 2, 3, **options).double(), getattr(torch.nn, name)(4, 2, 3, **options).double()
    base = other(torch.zeros(shape, dtype=torch.float64)).shape
    extra = data.draw(st.lists(st.integers(-1, 3), min_size=rank, max_size=rank))
    wanted = [size + more for size, more in zip(base[-rank:], extra)]
    if data.draw(st.booleans()):
        wanted = [*base[:-rank], *wanted]
    agree_on_refusal(lambda: mine(np.zeros(shape), output_size=wanted), lambda: other(torch.zeros(shape, dtype=torch.float64), output_size=wanted))


def size_or_none(function, *arguments, **options):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*arguments, **options).shape[-1]
    except RuntimeError:
        return None


def test_size_table():
    one = torch.ones
    for size, kernel, stride, before, after, dilation, output in TABLE["conv"]["cases"][::7]:
        padded = torch.nn.functional.pad(one(1, 1, size), (before, after))
        assert size_or_none(torch.nn.functional.conv1d, padded, one(1, 1, kernel), None, stride, 0, dilation) == output
    for size, kernel, stride, before, after, dilation, ceil_mode, output in TABLE["pool"]["cases"]:
        if before == after:
            expected = size_or_none(torch.nn.functional.max_pool1d, one(1, 1, size), kernel, stride, before, dilation, bool(ceil_mode))
            assert expected == output, (size, kernel, stride, before, dilation, ceil_mode)
    for size, kernel, stride, dilation, name, _, _, output in TABLE["named"]["cases"]:
        if name == "same":
            expected = size_or_none(torch.nn.functional.conv1d, one(1, 1, size), one(1, 1, kernel), None, stride, name, dilation)
            assert expected == output
    for size, kernel, stride, before, after, dilation, blank, output in TABLE["conv_transpose"]["cases"][::5]:
        if before == after:
            arguments = (one(1, 1, size), one(1, 1, kernel), None, stride, before, blank, 1, dilation)
            assert size_or_none(torch.nn.functional.conv_transpose1d, *arguments) == output


def test_the_same_threads_give_the_same_answer_as_one():
    """Large enough for every thread and vector: one row of a real network each."""
    x, weight = normal(0, (2, 64, 28, 28), np.float32), normal(1, (64, 32, 4, 4), np.float32)
    expected = torch.nn.functional.conv_transpose2d(torch.tensor(x), torch.tensor(weight), stride=2, padding=1).numpy()
    np.testing.assert_allclose(tinycnn.functional.conv_transpose2d(x, weight, stride=2, padding=1).data, expected, rtol=1e-3, atol=1e-2)
    x, weight = normal(2, (1, 8, 8, 28, 28), np.float32), normal(3, (16, 8, 3, 3, 3), np.float32)
    expected = torch.nn.functional.conv3d(torch.tensor(x), torch.tensor(weight), padding=1).numpy()
    np.testing.assert_allclose(tinycnn.functional.conv3d(x, weight, padding=1).data, expected, rtol=1e-3, atol=1e-3)
