"""Normalisation: gradients, laws, fusion against its parts, running statistics, messages."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
shapes = st.one_of(
    st.tuples(st.integers(2, 5), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(2, 9)),
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(2, 4), st.integers(1, 5)),
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(2, 3), st.integers(1, 3), st.integers(1, 3)),
)


def normal(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


def statistics(seed, channels):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(channels), rng.random(channels) + 0.5


@given(shapes, seeds, st.booleans())
def test_batch_norm_gradients(shape, seed, training):
    x, weight, bias = normal(seed, shape), normal(seed + 1, shape[1]), normal(seed + 2, shape[1])
    mean, variance = statistics(seed + 3, shape[1])

    def function(x, weight, bias, residual):
        return F.batch_norm(x, mean.copy(), variance.copy(), weight, bias, training, eps=0.1, residual=residual)

    assert gradcheck(function, (x, weight, bias, normal(seed + 4, shape)))


@pytest.mark.parametrize("activation", ["relu", "relu6", "silu", "hardswish"])
@given(shapes, seeds, st.booleans(), st.booleans())
def test_fused_equals_its_parts(activation, shape, seed, training, with_residual):
    """Values and gradients of activation= and residual= against activation(batch_norm + residual)."""
    arrays = [normal(seed, shape), 5 * normal(seed + 1, shape[1]), normal(seed + 2, shape[1]), normal(seed + 3, shape)]
    one, two = ([Tensor(array.copy(), requires_grad=True) for array in arrays] for _ in range(2))
    statistic = statistics(seed + 5, shape[1])
    options = {"training": training, "eps": 1e-2}
    kept = [[array.copy() for array in statistic] for _ in range(2)]
    fused = F.batch_norm(one[0], *kept[0], one[1], one[2], **options, activation=activation, residual=one[3] if with_residual else None)
    plain = F.batch_norm(two[0], *kept[1], two[1], two[2], **options)
    parts = getattr(F, activation)(F.add(plain, two[3]) if with_residual else plain)
    np.testing.assert_allclose(fused.data, parts.data, rtol=1e-12, atol=1e-12)
    upstream = normal(seed + 4, shape)
    fused.backward(upstream)
    parts.backward(upstream)
    for a, b in zip(one if with_residual else one[:3], two):
        np.testing.assert_allclose(a.grad.data, b.grad.data, rtol=1e-10, atol=1e-10)
    for a, b in zip(*kept):
        np.testing.assert_array_equal(a, b)


@given(shapes, seeds)
def test_batch_norm_standardises_every_channel(shape, seed):
    x = 3 * normal(seed, shape) + 5
    y = F.batch_norm(x, None, None, training=True, eps=1e-12).numpy()
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-10)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-6)


@given(seeds, st.floats(0.5, 4), st.floats(-9, 9))
def test_batch_norm_forgets_scale_and_shift(seed, scale, shift):
    x = normal(seed, (4, 3, 5))
    one, other = (F.batch_norm(v, None, None, training=True, eps=1e-12).numpy() for v in (x, scale * x + shift))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_running_statistics():
    """By hand: mean (1 + 3 + 5 + 7) / 4 = 4; squares 9 + 1 + 1 + 9 = 20; biased 5, unbiased 20 / 3."""
    x = np.array([[[1.0, 3.0]], [[5.0, 7.0]]])
    mean, variance = Tensor(np.array([10.0])), np.array([2.0])
    version = mean._version
    F.batch_norm(x, mean, variance, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.data, [0.75 * 10 + 0.25 * 4])
    np.testing.assert_allclose(variance, [0.75 * 2 + 0.25 * 20 / 3])
    assert mean._version > version
    F.batch_norm(x, mean, variance)
    np.testing.assert_allclose(mean.data, [8.5])


def test_evaluation_does_not_see_the_batch():
    x = normal(0, (4, 3, 2, 2))
    mean, variance = statistics(1, 3)
    together = F.batch_norm(x, mean, variance).numpy()
    for n in range(4):
        np.testing.assert_array_equal(F.batch_norm(x[n : n + 1], mean, variance).numpy()[0], together[n])
    expected = (x - mean.reshape(3, 1, 1)) / np.sqrt(variance.reshape(3, 1, 1) + 1e-5)
    np.testing.assert_allclose(together, expected, rtol=1e-12)


def test_a_training_step_between_forward_and_backward_changes_nothing():
    x, (mean, variance) = Tensor(normal(0, (4, 3)), requires_grad=True), statistics(1, 3)
    expected = 1 / np.sqrt(variance + 1e-5)
    y = F.batch_norm(x, mean, variance)
    F.batch_norm(normal(1, (4, 3)), mean, variance, training=True)
    y.backward(np.ones((4, 3)))
    np.testing.assert_allclose(x.grad.data, np.broadcast_to(expected, (4, 3)))


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 4, 4), (2, 3, 0), (2, 0), (2, 0, 4)])
def test_empty_inputs(shape):
    x = Tensor(np.zeros(shape, np.float32), requires_grad=True)
    mean, variance = np.zeros(shape[1], np.float32), np.ones(shape[1], np.float32)
    weight = Tensor(np.ones(shape[1], np.float32), requires_grad=True)
    for training in (True, False):
        y = F.batch_norm(x, mean, variance, weight, training=training)
        assert y.shape == shape
        assert y.dtype == np.float32
        y.backward(np.zeros(shape, np.float32))
    assert (mean == 0).all() and (variance == 1).all()
    assert not weight.grad.data.any()
    assert x.grad.shape == shape
    if len(shape) > 2:
        assert F.instance_norm(x, mean, variance).shape == shape
    assert F.group_norm(x, 1).shape == shape
    assert F.layer_norm(x, shape[1:]).shape == shape


@given(shapes, seeds, st.integers(1, 3))
def test_group_norm_gradients_and_law(shape, seed, groups):
    shape = (shape[0], shape[1] * groups, *shape[2:])
    x, weight, bias = normal(seed, shape), normal(seed + 1, shape[1]), normal(seed + 2, shape[1])
    if shape[0] * shape[1] // groups * math.prod(shape[2:]) == 1:
        return
    assert gradcheck(lambda x, w, b: F.group_norm(x, groups, w, b, 0.1), (x, weight, bias))
    rows = x.reshape(shape[0], groups, -1)
    expected = (rows - rows.mean(2, keepdims=True)) / np.sqrt(rows.var(2, keepdims=True) + 0.1)
    np.testing.assert_allclose(F.group_norm(x, groups, eps=0.1).numpy(), expected.reshape(shape), rtol=1e-9, atol=1e-9)


@given(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(2, 7)), seeds)
def test_instance_norm(shape, seed):
    x, weight, bias = normal(seed, shape), normal(seed + 1, shape[1]), normal(seed + 2, shape[1])
    mean, variance = statistics(seed, shape[1])
    kept = mean.copy(), variance.copy()
    assert gradcheck(lambda x, w, b: F.instance_norm(x, None, None, w, b, eps=0.1), (x, weight, bias))
    np.testing.assert_array_equal(F.instance_norm(x).numpy(), F.group_norm(x, shape[1]).numpy())
    F.instance_norm(x, mean, variance, momentum=0.3)
    np.testing.assert_allclose(mean, 0.7 * kept[0] + 0.3 * x.mean((0, 2)))
    np.testing.assert_allclose(variance, 0.7 * kept[1] + 0.3 * x.var(2, ddof=1).mean(0))
    frozen = F.instance_norm(x, mean, variance, weight, use_input_stats=False).numpy()
    np.testing.assert_array_equal(frozen, F.batch_norm(x, mean, variance, weight).numpy())


@given(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(2, 7)), st.integers(1, 2), seeds)
def test_layer_norm_and_rms_norm(shape, axes, seed):
    sizes = shape[-axes:]
    x, weight, bias = normal(seed, shape), normal(seed + 1, sizes), normal(seed + 2, sizes)
    assert gradcheck(lambda x, w, b: F.layer_norm(x, sizes, w, b, 0.1), (x, weight, bias))
    assert gradcheck(lambda x, w: F.rms_norm(x, sizes, w, 0.1), (x, weight))
    last = tuple(range(3 - axes, 3))
    expected = (x - x.mean(last, keepdims=True)) / np.sqrt(x.var(last, keepdims=True) + 0.1)
    np.testing.assert_allclose(F.layer_norm(x, sizes, eps=0.1).numpy(), expected, rtol=1e-9, atol=1e-9)
    expected = x / np.sqrt((x * x).mean(last, keepdims=True) + np.finfo(np.float64).eps) * weight
    np.testing.assert_allclose(F.rms_norm(x, list(sizes), weight).numpy(), expected, rtol=1e-9)


@given(
    st.one_of(st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 5)), st.just((1, 3, 2, 2)), st.just((1, 2, 2, 1, 2))),
    st.integers(1, 8),
    st.sampled_from([0.75, 0.5, 1.0, 1.3]),
    seeds,
)
def test_local_response_norm(shape, size, beta, seed):
    x = normal(seed, shape)
    assert gradcheck(lambda x: F.local_response_norm(x, size, 0.7, beta, 1.5), x)
    y = F.local_response_norm(x, size, 0.7, beta, 1.5).numpy()
    for c in range(shape[1]):
        window = x[:, max(c - size // 2, 0) : c + (size - 1) // 2 + 1]
        np.testing.assert_allclose(y[:, c], x[:, c] * (1.5 + 0.7 * (window**2).sum(1) / size) ** -beta, rtol=1e-10)


@given(st.sampled_from([1.0, 1.5, 2.0, 3.0, math.inf]), st.sampled_from([0, 1, -1, (0, 2), (0, 1, 2)]), seeds)
def test_normalize(p, dim, seed):
    # Sizes at least 0.1 from zero and from each other keep the kinks away.
    rng = np.random.default_rng(seed)
    x = (rng.permutation(24) + 1).reshape(2, 3, 4) * 0.1 * rng.choice([-1, 1], (2, 3, 4))
    assert gradcheck(lambda x: F.normalize(x, p, dim), x)
    lengths = np.linalg.norm(F.normalize(x, p, dim).numpy().swapaxes(0, dim).reshape(x.shape[dim], -1), p, 0) if isinstance(dim, int) else 1
    np.testing.assert_allclose(lengths, 1, rtol=1e-12)


def test_normalize_below_eps():
    x = Tensor(np.array([[0.0, 0.0], [0.3, 0.4]]), requires_grad=True)
    y = F.normalize(x, eps=1.0)
    np.testing.assert_allclose(y.data, x.data)
    y.backward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(x.grad.data, [[1.0, 2.0], [3.0, 4.0]])


@given(st.sampled_from([(3, 4), (2, 3, 3, 3), (2, 1, 5)]), seeds)
def test_weight_standardization(shape, seed):
    weight = 2 * normal(seed, shape) + 1
    assert gradcheck(lambda w: F.weight_standardization(w, 0.1), weight)
    y = F.weight_standardization(weight, 1e-12).numpy().reshape(shape[0], -1)
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-10)
    np.testing.assert_allclose(y.var(1), 1, rtol=1e-6)


NORMS = [
    lambda x: F.batch_norm(x, None, None, training=True),
    lambda x: F.batch_norm(x, np.zeros(4, x.dtype), np.ones(4, x.dtype)),
    lambda x: F.group_norm(x, 2),
    lambda x: F.instance_norm(x),
    lambda x: F.layer_norm(x, x.shape[2:]),
    lambda x: F.rms_norm(x, x.shape[2:]),
    lambda x: F.local_response_norm(x, 3),
    lambda x: F.normalize(x),
    lambda x: F.weight_standardization(x),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("norm", NORMS)
def test_any_memory_layout_and_no_input_is_changed(norm, dtype):
    x = normal(0, (3, 4, 6, 5)).astype(dtype)
    expected = norm(x).numpy()
    assert expected.dtype == dtype
    frozen = x.copy()
    frozen.flags.writeable = False
    for view in (np.asfortranarray(x), x[::-1, ::-1].copy()[::-1, ::-1], frozen, np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)):
        before = view.copy()
        np.testing.assert_allclose(norm(view).numpy(), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(view, before)
        leaf = Tensor(view, requires_grad=True)
        upstream = normal(1, x.shape).astype(dtype)
        norm(leaf).backward(upstream)
        assert leaf.grad.dtype == dtype
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("norm", NORMS)
def test_integers_are_refused(norm):
    with pytest.raises(DtypeError, match="is int64"):
        norm(np.ones((3, 4, 6, 5), np.int64))


def test_object_arrays_take_the_definition():
    """Fractions go through the reference: means stay exact."""
    from fractions import Fraction

    from tinycnn.kernels.reference.moments import moments

    assert moments([Fraction(1), Fraction(2), Fraction(6)]) == (3, Fraction(14, 3))


X = np.ones((2, 3, 4))
ERRORS = [
    (lambda: F.batch_norm(np.ones(3), None, None, training=True), ShapeError, r"batch_norm: input has shape \(3,\); it must be \(N, C\)"),
    (lambda: F.batch_norm(X, None, None), ArgumentError, "running_mean and running_var are None, but training is False"),
    (lambda: F.batch_norm(X, np.ones(3), None), ArgumentError, "running_mean is given but running_var is None"),
    (lambda: F.batch_norm(X, None, np.ones(3), training=True), ArgumentError, "running_var is given but running_mean is None"),
    (lambda: F.batch_norm(X, np.ones(4), np.ones(4)), ShapeError, r"running_mean has shape \(4,\); input has 3 channels, so it must be \(3,\)"),
    (lambda: F.batch_norm(X, None, None, np.ones(2), training=True), ShapeError, r"weight has shape \(2,\); input has 3 channels"),
    (lambda: F.batch_norm(X[:1, :, :1], None, None, training=True), ShapeError, r"\(1, 3, 1\) has one value a channel.*larger batch"),
    (lambda: F.batch_norm(X, None, None, training=True, eps=0.0), ArgumentError, "eps must be above 0 in training, not 0.0"),
    (lambda: F.batch_norm(X, None, None, training=True, eps=-1), ArgumentError, "eps must be above 0 in training, not -1"),
    (lambda: F.batch_norm(X, None, None, training=True, momentum=None), ArgumentError, "momentum must be a number, not None"),
    (lambda: F.batch_norm(X, None, None, training=True, activation="tanh"), ArgumentError, "'tanh' is neither None nor \"relu\""),
    (lambda: F.batch_norm(X, None, None, training=True, residual=np.ones((2, 3))), ShapeError, r"residual has shape \(2, 3\); it must be input's"),
    (lambda: F.batch_norm(X, [0.0] * 3, [1.0] * 3, training=True), ArgumentError, "running_mean is a list, but training updates it in place"),
    (lambda: F.batch_norm(X, np.ones(3, np.float32), np.ones(3), training=True), DtypeError, "running_mean is float32"),
    (lambda: F.batch_norm(X, np.broadcast_to(0.0, 3), np.ones(3), training=True), ArgumentError, "lies in read-only memory"),
    (lambda: F.group_norm(X, 2), ShapeError, "num_groups 2 does not divide the 3 channels"),
    (lambda: F.group_norm(X, 0), ArgumentError, "num_groups must be a whole number >= 1, not 0"),
    (lambda: F.group_norm(np.ones((1, 2)), 2), ShapeError, "one value a group"),
    (lambda: F.instance_norm(np.ones((2, 3))), ShapeError, "one pixel a channel"),
    (lambda: F.instance_norm(X, use_input_stats=False), ArgumentError, "use_input_stats is False"),
    (lambda: F.layer_norm(X, (3,)), ShapeError, r"does not end in normalized_shape \(3,\); its last axes are \(4,\)"),
    (lambda: F.layer_norm(X, 4), ArgumentError, r"normalized_shape must be a tuple of sizes such as \(4,\), not 4"),
    (lambda: F.layer_norm(X, ()), ArgumentError, "must hold at least one size"),
    (lambda: F.layer_norm(X, (4,), np.ones(3)), ShapeError, r"weight has shape \(3,\); it must be normalized_shape, \(4,\)"),
    (lambda: F.rms_norm(X, (4,), eps=math.nan), ArgumentError, "eps must be a number, not nan"),
    (lambda: F.local_response_norm(np.ones((2, 3)), 3), ShapeError, "at least three axes"),
    (lambda: F.local_response_norm(X, 0), ArgumentError, "size must be a whole number >= 1, not 0"),
    (lambda: F.local_response_norm(X, 3, beta="x"), ArgumentError, "beta must be a number, not 'x'"),
    (lambda: F.normalize(X, dim=3), ArgumentError, "dim 3 is out of range"),
    (lambda: F.normalize(X, dim=None), ArgumentError, "dim is None"),
    (lambda: F.normalize(X, p="fro"), ArgumentError, "p must be a number, not 'fro'"),
    (lambda: F.weight_standardization(np.ones(3)), ShapeError, r"weight has shape \(3,\)"),
]


@pytest.mark.parametrize("call, error, message", ERRORS)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_alexnets_paper_in_these_units():
    """Section 3.3 writes k + alpha times the sum; alpha = 1e-4 and n = 5 there is alpha = 5e-4 here."""
    x = 10 * np.abs(normal(0, (1, 8, 3)))
    y = F.local_response_norm(x, 5, 5e-4, 0.75, 2.0).numpy()
    for c in range(8):
        total = (x[:, max(0, c - 2) : min(7, c + 2) + 1] ** 2).sum(1)
        np.testing.assert_allclose(y[:, c], x[:, c] / (2 + 1e-4 * total) ** 0.75, rtol=1e-12)


def test_inside_the_reference_kernels_too():
    x = normal(0, (2, 4, 3))
    for norm in NORMS[:7]:
        with tinycnn.kernels.use("reference"):
            slow = norm(x[..., np.newaxis]).numpy()
        np.testing.assert_allclose(norm(x[..., np.newaxis]).numpy(), slow, rtol=1e-10, atol=1e-10)
