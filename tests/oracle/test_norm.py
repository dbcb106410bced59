"""Normalisation against torch: values, gradients, running statistics, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.oracle.agreement import same
from tinycnn import functional as F
from tinycnn import nn
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
T = torch.nn.functional

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple)
dtypes = st.sampled_from([np.float64, np.float32])


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


@given(shapes, st.booleans(), st.booleans(), st.floats(0, 1), dtypes, seeds)
def test_batch_norm(shape, training, affine, momentum, dtype, seed):
    x, channels = normal(seed, shape), shape[1]
    mean, variance = normal(seed + 1, channels).astype(dtype), (np.random.default_rng(seed).random(channels) + 0.5).astype(dtype)
    kept, other = [mean.copy(), variance.copy()], [torch.tensor(mean), torch.tensor(variance)]
    arrays = (x, normal(seed + 2, channels), normal(seed + 3, channels)) if affine else (x,)
    options = {"training": training, "momentum": momentum, "eps": 0.01}
    try:
        ours, theirs = lambda x, *p: F.batch_norm(x, *kept, *p, **options), lambda x, *p: T.batch_norm(x, *other, *p, **options)
        same(ours, theirs, *arrays, dtype=dtype, seed=seed)
    except TinycnnError:
        with pytest.raises((ValueError, RuntimeError)):
            T.batch_norm(torch.tensor(x), *[one.double() for one in other], **options)
        return
    for one, two in zip(kept, other):
        np.testing.assert_allclose(one, two.numpy(), rtol=1e-5, atol=1e-6)


@given(shapes, st.integers(1, 4), dtypes, seeds)
def test_group_norm(shape, groups, dtype, seed):
    x = normal(seed, shape)
    arrays = x, normal(seed + 1, shape[1]), normal(seed + 2, shape[1])
    try:
        T.group_norm(torch.tensor(x), groups)
    except (ValueError, RuntimeError):
        with pytest.raises(TinycnnError):
            F.group_norm(x, groups)
        return
    ours, theirs = lambda x, w, b: F.group_norm(x, groups, w, b, 0.01), lambda x, w, b: T.group_norm(x, groups, w, b, 0.01)
    same(ours, theirs, *arrays, dtype=dtype, seed=seed)


@given(shapes, st.booleans(), st.booleans(), dtypes, seeds)
def test_instance_norm(shape, own, tracked, dtype, seed):
    x, channels = normal(seed, shape), shape[1]
    statistics = normal(seed + 1, channels).astype(dtype), (np.random.default_rng(seed).random(channels) + 0.5).astype(dtype)
    kept = [one.copy() for one in statistics] if tracked else [None, None]
    other = [torch.tensor(one) for one in statistics] if tracked else [None, None]
    options = {"use_input_stats": own, "momentum": 0.3, "eps": 0.01}
    arrays = (x, normal(seed + 2, channels), normal(seed + 3, channels))
    try:
        ours, theirs = lambda x, *p: F.instance_norm(x, *kept, *p, **options), lambda x, *p: T.instance_norm(x, *other, *p, **options)
        same(ours, theirs, *arrays, dtype=dtype, seed=seed)
    except TinycnnError:
        with pytest.raises((ValueError, RuntimeError)):
            T.instance_norm(torch.tensor(x), *[one if one is None else one.double() for one in other], **options)
        return
    for one, two in zip(kept, other):
        if tracked:
            np.testing.assert_allclose(one, two.numpy(), rtol=1e-5, atol=1e-6)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 4), dtypes, seeds)
def test_layer_norm_and_rms_norm(shape, axes, dtype, seed):
    sizes = tuple(shape[-axes:])
    x, weight, bias = normal(seed, shape), normal(seed + 1, sizes), normal(seed + 2, sizes)
    ours, theirs = lambda x, w, b: F.layer_norm(x, sizes, w, b, 0.01), lambda x, w, b: T.layer_norm(x, sizes, w, b, 0.01)
    same(ours, theirs, x, weight, bias, dtype=dtype, seed=seed)
    same(lambda x, w: F.rms_norm(x, sizes, w, 0.01), lambda x, w: T.rms_norm(x, sizes, w, 0.01), x, weight, dtype=dtype, seed=seed)
    same(lambda x: F.rms_norm(1 + F.abs(x), sizes), lambda x: T.rms_norm(1 + x.abs(), sizes), x, dtype=dtype, seed=seed)


@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=5), st.integers(0, 7), st.floats(0, 1), st.sampled_from([0.75, 0.5, 1.0, 0.3]), dtypes, seeds
)
def test_local_response_norm(shape, size, alpha, beta, dtype, seed):
    x = normal(seed, shape)
    options = (size, alpha, beta, 1.5)
    try:
        T.local_response_norm(torch.tensor(x), *options)
    except (ValueError, RuntimeError):
        with pytest.raises(TinycnnError):
            F.local_response_norm(x, *options)
        return
    if size == 0:  # torch looks at the size only if there is something to normalise
        return
    same(lambda x: F.local_response_norm(x, *options), lambda x: T.local_response_norm(x, *options), x, dtype=dtype, seed=seed)


@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf")]),
    st.integers(-2, 1),
    dtypes,
    seeds,
)
def test_normalize(shape, p, dim, dtype, seed):
    x = normal(seed, shape)
    x.reshape(-1)[:1] = 0
    same(lambda x: F.normalize(x, p, dim), lambda x: T.normalize(x, p, dim), x, dtype=dtype, seed=seed)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_normalize_at_zero(p):
    same(lambda x: F.normalize(x, p), lambda x: T.normalize(x, p), np.array([[0.0, 0.0], [3.0, 4.0]]), dtype=np.float32)


def test_nan_and_infinity():
    x = np.random.default_rng(0).standard_normal((2, 4, 3, 2))
    x[0, 0, 0, 0], x[1, 1, 0, 1], x[0, 2] = np.nan, np.inf, 0
    with np.errstate(all="ignore"):
        for ours, theirs in [
            (lambda x: F.batch_norm(x, None, None, training=True), lambda x: T.batch_norm(x, None, None, training=True)),
            (
                lambda x: F.batch_norm(x, np.zeros(4), np.ones(4), activation="relu"),
                lambda x: T.batch_norm(x, torch.zeros(4, dtype=x.dtype), torch.ones(4, dtype=x.dtype)).relu(),
            ),
            (lambda x: F.group_norm(x, 2), lambda x: T.group_norm(x, 2)),
            (lambda x: F.layer_norm(x, (3, 2)), lambda x: T.layer_norm(x, (3, 2))),
            (lambda x: F.rms_norm(x, (3, 2), eps=0.1), lambda x: T.rms_norm(x, (3, 2), eps=0.1)),
            (lambda x: F.normalize(x), lambda x: T.normalize(x)),
        ]:
            y, expected = ours(tinycnn.Tensor(x)), theirs(torch.tensor(x))
            np.testing.assert_allclose(y.data, expected.numpy(), rtol=1e-6, atol=1e-6)


LAYERS = [
    ("BatchNorm1d", (4,), {}, (5, 4, 3)),
    ("BatchNorm1d", (4,), {"momentum": None}, (5, 4)),
    ("BatchNorm2d", (4,), {"affine": False, "eps": 0.1}, (3, 4, 2, 2)),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, (3, 4, 2, 2)),
    ("BatchNorm3d", (4,), {"momentum": 0.3}, (3, 4, 2, 2, 1)),
    ("InstanceNorm1d", (4,), {"affine": True}, (3, 4, 5)),
    ("InstanceNorm1d", (4,), {"affine": True}, (4, 5)),
    ("InstanceNorm2d", (4,), {"track_running_stats": True}, (3, 4, 5, 2)),
    ("InstanceNorm3d", (4,), {"affine": True, "track_running_stats": True}, (3, 4, 5, 2, 1)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5)),
    ("GroupNorm", (2, 4), {"affine": False}, (3, 4, 5)),
    ("LayerNorm", (5,), {}, (3, 4, 5)),
    ("LayerNorm", ((4, 5),), {"bias": False}, (3, 4, 5)),
    ("RMSNorm", (5,), {}, (3, 4, 5)),
    ("LocalResponseNorm", (3,), {"alpha": 0.1}, (3, 4, 5)),
]


@pytest.mark.parametrize("name, arguments, options, shape", LAYERS)
def test_layers(name, arguments, options, shape):
    """Four training batches and an evaluation: outputs, and every entry of the state dict by its key."""
    mine, other = getattr(nn, name)(*arguments, **options), getattr(torch.nn, name)(*arguments, **options)
    rng = np.random.default_rng(0)
    state = {key: value.numpy() for key, value in other.state_dict().items()}
    state = {key: rng.random(value.shape).astype(np.float32) if value.dtype == np.float32 else value for key, value in state.items()}
    mine.load_state_dict(state)
    other.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    for step in range(5):
        if step == 4:
            mine.eval()
            other.eval()
        x = rng.standard_normal(shape).astype(np.float32) * 2 + 1
        np.testing.assert_allclose(mine(x).data, other(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
    assert list(mine.state_dict()) == list(other.state_dict())
    for key, value in other.state_dict().items():
        np.testing.assert_allclose(mine.state_dict()[key].data, value.numpy(), rtol=1e-5, atol=1e-6)
        assert str(value.dtype) == f"torch.{mine.state_dict()[key].dtype}"


def test_frozen_batch_norm():
    ops = pytest.importorskip("torchvision.ops")
    mine, other = nn.FrozenBatchNorm2d(3), ops.FrozenBatchNorm2d(3)
    state = {key: np.random.default_rng(1).random(3).astype(np.float32) for key in other.state_dict()}
    assert list(mine.state_dict()) == list(other.state_dict())
    mine.load_state_dict(state)
    other.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    x = normal(0, (2, 3, 4, 4)).astype(np.float32)
    np.testing.assert_allclose(mine(x).data, other(torch.tensor(x)).numpy(), rtol=1e-5, atol=1e-6)
