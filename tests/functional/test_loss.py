"""Losses: gradients, laws, golden numbers, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
reductions = st.sampled_from(["mean", "sum", "none"])


def scores_and_labels(seed, shape, ignored=True):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    if ignored:
        labels[rng.random(labels.shape) < 0.2] = -100
        labels.flat[0] = 0  # a mean over nothing is NaN
    return rng.standard_normal(shape), labels


@given(seeds, st.sampled_from([(3, 4), (2, 3, 2), (2, 3, 2, 2)]), reductions, st.booleans(), st.sampled_from([0.0, 0.1]))
def test_cross_entropy_gradients(seed, shape, reduction, weighted, smoothing):
    x, labels = scores_and_labels(seed, shape)
    weight = np.random.default_rng(seed).random(shape[1]) + 0.1 if weighted else None
    assert gradcheck(lambda x: F.cross_entropy(x, labels, weight, reduction=reduction, label_smoothing=smoothing), x)


@given(seeds, st.sampled_from([(3, 4), (2, 3, 2)]), reductions, st.booleans())
def test_cross_entropy_is_nll_of_log_softmax(seed, shape, reduction, weighted):
    x, labels = scores_and_labels(seed, shape)
    weight = np.random.default_rng(seed).random(shape[1]) if weighted else None
    one, two = Tensor(x, requires_grad=True), Tensor(x, requires_grad=True)
    first = F.cross_entropy(one, labels, weight, reduction=reduction)
    second = F.nll_loss(F.log_softmax(two, 1), labels, weight, reduction=reduction)
    np.testing.assert_allclose(first.data, second.data, rtol=1e-10, atol=1e-12)
    upstream = np.random.default_rng(seed).standard_normal(first.shape)
    first.backward(upstream)
    second.backward(upstream)
    np.testing.assert_allclose(one.grad.data, two.grad.data, rtol=1e-9, atol=1e-12)


def test_e01_cross_entropy_of_a_multinoulli_distribution():
    """-sum y log yhat with a one-hot target, and the gradient yhat - y."""
    x = Tensor(np.array([[1.0, 2.0, 0.5]]), requires_grad=True)
    yhat = np.exp(x.data) / np.exp(x.data).sum()
    y = np.array([[0.0, 1.0, 0.0]])
    loss = F.cross_entropy(x, [1])
    assert loss.item() == pytest.approx(-(y * np.log(yhat)).sum())
    loss.backward()
    np.testing.assert_allclose(x.grad.data, yhat - y, rtol=1e-12)


def test_e02_vanishing_gradient():
    """At z = -4, y = 1: dBCE/dz = -0.9820, d(1/2 (s(z) - y)^2)/dz = -0.0173, 57 times smaller."""
    z, y = Tensor(np.array([-4.0]), requires_grad=True), np.array([1.0])
    F.binary_cross_entropy_with_logits(z, y, reduction="sum").backward()
    cross_entropy = z.grad.item()
    z = Tensor(np.array([-4.0]), requires_grad=True)
    (F.mse_loss(F.sigmoid(z), y, reduction="sum") * 0.5).backward()
    assert round(cross_entropy, 4) == -0.9820
    assert round(z.grad.item(), 4) == -0.0173
    assert round(cross_entropy / z.grad.item()) == 57


def test_huge_scores_and_a_uniform_guess():
    assert F.cross_entropy(np.array([[1e8, 1e8]], np.float32), [0]).item() == pytest.approx(np.log(2), abs=1e-4)
    assert F.cross_entropy(np.array([[1e8, -1e8]], np.float32), [0]).item() == 0.0
    assert F.cross_entropy(np.zeros((5, 10), np.float32), np.arange(5)).item() == pytest.approx(np.log(10), abs=1e-6)
    assert F.binary_cross_entropy_with_logits([1000.0, -1000.0], [1.0, 0.0]).item() == 0.0


@given(seeds, reductions)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy"])
def test_elementwise_gradients(name, seed, reduction):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 0.9, (3, 4))
    target = np.clip(x + rng.choice([-1, 1], x.shape) * rng.uniform(0.02, 0.09, x.shape), 0, 1)
    assert gradcheck(lambda a, b: getattr(F, name)(a, b, reduction=reduction), (x, target))


@given(seeds)
def test_bce_with_logits_is_bce_of_the_sigmoid(seed):
    rng = np.random.default_rng(seed)
    z, y = rng.standard_normal(20), rng.random(20)
    np.testing.assert_allclose(
        F.binary_cross_entropy_with_logits(z, y).data, F.binary_cross_entropy(F.sigmoid(z), y).data, rtol=1e-10
    )


def test_long_means_are_accumulated_in_double_precision():
    x = np.full(3_000_001, 0.1, np.float32)
    assert F.l1_loss(x, np.zeros_like(x)).item() == pytest.approx(0.1, rel=1e-6)


def test_losses_of_nothing():
    empty = np.zeros((0, 3), np.float32)
    assert F.cross_entropy(empty, np.zeros(0, np.int64), reduction="sum").item() == 0
    assert np.isnan(F.cross_entropy(empty, np.zeros(0, np.int64)).item())
    assert np.isnan(F.mse_loss(empty, empty).item())


SCORES = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.cross_entropy(SCORES, [0, 3]), ArgumentError, r"target\[1\] is 3, but there are 3 classes, 0 to 2; number the classes from 0"),
        (lambda: F.cross_entropy(SCORES, [0, -1]), ArgumentError, r"target\[1\] is -1.*ignore_index=-1"),
        (lambda: F.cross_entropy(SCORES, [0]), ShapeError, r"target has shape \(1,\), but input asks for \(2,\)"),
        (lambda: F.cross_entropy(SCORES, np.zeros(2)), DtypeError, r"class indices are whole numbers, use target.long\(\)"),
        (lambda: F.cross_entropy(SCORES, [0, 1], np.ones(2, np.float32)), ShapeError, r"weight has shape \(2,\); it must be \(3,\)"),
        (lambda: F.cross_entropy(SCORES, [0, 1], reduction="average"), ArgumentError, r"reduction 'average' is not one of mean, sum, none"),
        (lambda: F.cross_entropy(SCORES, [0, 1], label_smoothing=2.0), ArgumentError, r"label_smoothing must be from 0 to 1, not 2.0"),
        (lambda: F.cross_entropy(np.zeros((2, 0), np.float32), [0, 1]), ShapeError, r"has no classes"),
        (lambda: F.cross_entropy(np.float32(1), 0), ShapeError, r"single number"),
        (lambda: F.mse_loss(SCORES, SCORES[:1]), ShapeError, r"target has shape \(1, 3\), input \(2, 3\); they must be equal"),
        (lambda: F.mse_loss(SCORES, SCORES.astype(np.float64)), DtypeError, r"input is float32 but target is float64"),
        (lambda: F.binary_cross_entropy(SCORES + 2, SCORES), ArgumentError, r"input goes from 2 to 2.*binary_cross_entropy_with_logits"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
