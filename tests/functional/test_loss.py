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


@given(seeds, st.sampled_from([(3, 4), (2, 3, 2), (4,)]), reductions, st.booleans(), st.sampled_from([0.0, 0.2]))
def test_cross_entropy_of_probabilities(seed, shape, reduction, weighted, smoothing):
    rng = np.random.default_rng(seed)
    axis = 0 if len(shape) == 1 else 1
    x, target = rng.standard_normal(shape), rng.random(shape)
    weight = rng.random(shape[axis]) if weighted else None
    assert gradcheck(lambda x, t: F.cross_entropy(x, t, weight, reduction=reduction, label_smoothing=smoothing), (x, target))


@given(seeds, st.sampled_from([0.0, 0.3]), st.booleans())
def test_one_hot_probabilities_are_class_indices(seed, smoothing, weighted):
    x, labels = scores_and_labels(seed, (5, 4, 3), ignored=False)
    one_hot = np.moveaxis(np.eye(4)[labels], 2, 1)
    weight = np.random.default_rng(seed).random(4) if weighted else None
    for reduction in ("sum", "none"):
        hard = F.cross_entropy(x, labels, weight, reduction=reduction, label_smoothing=smoothing)
        soft = F.cross_entropy(x, one_hot, weight, reduction=reduction, label_smoothing=smoothing)
        np.testing.assert_allclose(soft.data, hard.data, rtol=1e-10)


@given(seeds)
def test_softmax_cross_entropy_has_the_gradient_p_minus_y_and_ignores_a_constant(seed):
    x, labels = scores_and_labels(seed, (4, 5), ignored=False)
    tensor = Tensor(x, requires_grad=True)
    loss = F.cross_entropy(tensor, labels, reduction="sum")
    loss.backward()
    np.testing.assert_allclose(tensor.grad.data, F.softmax(x, 1).data - np.eye(5)[labels], rtol=1e-9, atol=1e-12)
    assert F.cross_entropy(x + 7, labels, reduction="sum").item() == pytest.approx(loss.item())
    assert F.cross_entropy(x + 7, np.eye(5)[labels], reduction="sum").item() == pytest.approx(loss.item())


def test_e03_a_binary_question_is_a_softmax_of_two():
    """Per pixel: BCE of z equals the softmax cross-entropy of the scores (0, z)."""
    rng = np.random.default_rng(0)
    z, y = rng.standard_normal((2, 4, 4)), rng.integers(0, 2, (2, 4, 4))
    two = np.stack([np.zeros_like(z), z], 1)
    assert F.cross_entropy(two, y).item() == pytest.approx(F.binary_cross_entropy_with_logits(z, y.astype(float)).item())


def test_e12_mean_median_and_mode():
    """The constant that costs least: the mean for squared, the median for absolute differences."""
    sample = np.array([0.0, 1.0, 1.0, 2.0, 9.0])
    grid = np.linspace(0, 9, 901)
    squared = [F.mse_loss(np.full(5, c), sample).item() for c in grid]
    absolute = [F.l1_loss(np.full(5, c), sample).item() for c in grid]
    assert grid[np.argmin(squared)] == pytest.approx(sample.mean(), abs=0.006)
    assert grid[np.argmin(absolute)] == pytest.approx(np.median(sample), abs=0.006)


@given(seeds, reductions, st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([None, 0.25, "each"]))
def test_focal_loss(seed, reduction, gamma, alpha):
    x, labels = scores_and_labels(seed, (4, 3, 2))
    weights = np.random.default_rng(seed).random(3) if alpha == "each" else alpha
    assert gradcheck(lambda x: F.focal_loss(x, labels, gamma, weights, reduction=reduction), x)
    kept = labels != -100
    p = np.take_along_axis(F.softmax(x, 1).data, np.where(kept, labels, 0)[:, np.newaxis], 1)[:, 0]
    factor = weights[np.where(kept, labels, 0)] if alpha == "each" else (1 if alpha is None else alpha)
    expected = -factor * (1 - p) ** gamma * np.log(p) * kept
    np.testing.assert_allclose(F.focal_loss(x, labels, gamma, weights, reduction="none").data, expected, rtol=1e-9)
    assert F.focal_loss(x, labels, gamma, weights).item() == pytest.approx(expected.sum() / kept.sum())


@given(seeds)
def test_focal_loss_without_focus_is_cross_entropy(seed):
    x, labels = scores_and_labels(seed, (4, 3, 2))
    assert F.focal_loss(x, labels, 0.0).item() == pytest.approx(F.cross_entropy(x, labels).item())
    sure = F.focal_loss(np.array([[40.0, 0.0]]), [0]).item()
    assert 0 <= sure < 1e-30


@given(seeds, reductions, st.sampled_from([0.5, 1.0]))
def test_huber_family(seed, reduction, corner):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    weight = rng.random((3, 4)) + 0.1
    assert gradcheck(lambda x, y: F.smooth_l1_loss(x, y, reduction=reduction, beta=corner), (x, y))
    assert gradcheck(lambda x, y, w: F.huber_loss(x, y, reduction, corner, w), (x, y, weight))
    assert gradcheck(lambda x, y, w: F.mse_loss(x, y, reduction=reduction, weight=w), (x, y, weight))
    huber = F.huber_loss(x, y, reduction, corner).data
    np.testing.assert_allclose(huber, corner * F.smooth_l1_loss(x, y, reduction=reduction, beta=corner).data, rtol=1e-12)
    # Towards a large corner half the squared error, towards a small one the absolute error.
    np.testing.assert_allclose(F.huber_loss(x, y, reduction, 1e6).data, F.mse_loss(x, y, reduction=reduction).data / 2, rtol=1e-12)
    small = F.huber_loss(x, y, reduction, 1e-9).data / 1e-9
    np.testing.assert_allclose(small, F.l1_loss(x, y, reduction=reduction).data, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(F.smooth_l1_loss(x, y, reduction=reduction, beta=0).data, F.l1_loss(x, y, reduction=reduction).data)


@given(seeds, st.sampled_from(["mean", "sum", "none", "batchmean"]), st.booleans())
def test_kl_div(seed, reduction, log_target):
    rng = np.random.default_rng(seed)
    log_q, p = np.log(rng.random((3, 4)) + 0.1), rng.random((3, 4)) + 0.1
    assert gradcheck(lambda x, t: F.kl_div(x, t, reduction=reduction, log_target=log_target), (log_q, np.log(p) if log_target else p))
    np.testing.assert_allclose(
        F.kl_div(log_q, np.log(p), reduction=reduction, log_target=True).data, F.kl_div(log_q, p, reduction=reduction).data, rtol=1e-10
    )


@given(seeds)
def test_kl_div_is_a_divergence(seed):
    """Not below 0, and 0 for the distribution itself; cross-entropy minus entropy."""
    rng = np.random.default_rng(seed)
    scores, p = rng.standard_normal((3, 4)), rng.random((3, 4))
    p /= p.sum(1, keepdims=True)
    divergence = F.kl_div(F.log_softmax(scores, 1), p, reduction="batchmean").item()
    assert divergence >= 0
    assert F.kl_div(np.log(p), p, reduction="batchmean").item() == pytest.approx(0, abs=1e-12)
    entropy = -(p * np.log(p)).sum() / 3
    assert F.cross_entropy(scores, p).item() - entropy == pytest.approx(divergence)


@given(seeds, reductions, st.booleans(), st.booleans())
def test_likelihoods(seed, reduction, flag, full):
    rng = np.random.default_rng(seed)
    x, y, var = rng.random((3, 4)) + 0.2, 3 * rng.random((3, 4)) + 1.1, rng.random((3, 4)) + 0.1
    assert gradcheck(lambda x, y: F.poisson_nll_loss(x, y, flag, full, reduction=reduction), (x, y))
    assert gradcheck(lambda x, y, v: F.gaussian_nll_loss(x, y, v, full, reduction=reduction), (x, y, var))
    assert gradcheck(lambda x, v: F.gaussian_nll_loss(x, y, v, full, reduction=reduction), (x, var[:, 0]))


def test_gaussian_nll_is_least_at_the_true_variance():
    errors = np.array([[1.0, -2.0, 0.5, 1.5]])
    grid = np.linspace(0.5, 4, 351)
    losses = [F.gaussian_nll_loss(errors, np.zeros((1, 4)), float(v)).item() for v in grid]
    assert grid[np.argmin(losses)] == pytest.approx((errors**2).mean(), abs=0.011)
    small = Tensor(np.array([[1e-9]]), requires_grad=True)
    F.gaussian_nll_loss([[1.0]], [[0.0]], small.float()).backward()
    assert small.grad.item() < 0  # it can grow again


@given(seeds, reductions, st.booleans())
def test_binary_losses(seed, reduction, weighted):
    rng = np.random.default_rng(seed)
    z, y, factor = rng.standard_normal((3, 4)), rng.random((3, 4)), rng.random(4) + 0.5
    weight = (rng.random((3, 1)) + 0.1,) if weighted else ()

    def favoured(z, y, factor, *weight):
        return F.binary_cross_entropy_with_logits(z, y, *weight, reduction=reduction, pos_weight=factor)

    assert gradcheck(favoured, (z, y, factor, *weight))
    assert gradcheck(lambda z, y: F.soft_margin_loss(z, y, reduction=reduction), (z, np.sign(y - 0.5)))
    assert gradcheck(lambda z, y: F.multilabel_soft_margin_loss(z, y, reduction=reduction), (z, y))
    if weighted:
        p = F.sigmoid(z).data
        assert gradcheck(lambda p, w: F.binary_cross_entropy(p, y, w, reduction=reduction), (p, *weight))


@given(seeds)
def test_pos_weight_counts_the_yes_part_so_often(seed):
    rng = np.random.default_rng(seed)
    z, y = rng.standard_normal(20), rng.integers(0, 2, 20).astype(float)
    each = F.binary_cross_entropy_with_logits(z, y, reduction="none").data
    favoured = F.binary_cross_entropy_with_logits(z, y, reduction="none", pos_weight=np.float64(3)).data
    np.testing.assert_allclose(favoured, np.where(y == 1, 3 * each, each), rtol=1e-10)
    weighted = F.binary_cross_entropy_with_logits(z, y, np.where(y == 1, 3.0, 1.0), reduction="none").data
    np.testing.assert_allclose(weighted, favoured, rtol=1e-10)
    np.testing.assert_allclose(F.soft_margin_loss(z, 2 * y - 1, reduction="none").data, each, rtol=1e-9, atol=1e-12)


def test_binary_cross_entropy_cuts_logarithms_off():
    p = Tensor(np.array([0.0, 1.0], np.float32), requires_grad=True)
    loss = F.binary_cross_entropy(p, np.array([1.0, 0.0], np.float32), reduction="none")
    np.testing.assert_array_equal(loss.data, [100, 100])
    loss.sum().backward()
    assert np.isfinite(p.grad.data).all()


@given(seeds, reductions, st.sampled_from([1, 2]), st.booleans())
def test_margins(seed, reduction, p, weighted):
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((4, 5)), rng.integers(0, 5, 4)
    weight = rng.random(5) if weighted else None
    assert gradcheck(lambda x: F.multi_margin_loss(x, labels, p, 0.8, weight, reduction=reduction), x)
    assert gradcheck(lambda x: F.crammer_singer_loss(x, labels, 0.8, weight, reduction=reduction), x)
    several = np.where(rng.random((4, 5)) < 0.3, -1, rng.integers(0, 5, (4, 5)))
    assert gradcheck(lambda x: F.multilabel_margin_loss(x, several, reduction=reduction), x)
    sign = rng.choice([-1, 1], (4, 5))
    assert gradcheck(lambda x: F.hinge_embedding_loss(x, sign, 0.9, reduction=reduction), x)
    assert gradcheck(lambda a, b: F.margin_ranking_loss(a, b, sign, 0.3, reduction=reduction), (x, rng.standard_normal((4, 5))))


@given(seeds)
def test_hinges_by_their_sums(seed):
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((6, 4)), rng.integers(0, 4, 6)
    hinges = np.maximum(0, 1 - x[np.arange(6), labels][:, np.newaxis] + x)
    hinges[np.arange(6), labels] = 0
    np.testing.assert_allclose(F.multi_margin_loss(x, labels, reduction="none").data, hinges.sum(1) / 4)
    np.testing.assert_allclose(F.multi_margin_loss(x, labels, 2, reduction="none").data, (hinges**2).sum(1) / 4)
    np.testing.assert_allclose(F.crammer_singer_loss(x, labels, reduction="none").data, hinges.max(1))
    two, yes = x[:, :2], labels % 2
    np.testing.assert_allclose(F.crammer_singer_loss(two, yes).data, 2 * F.multi_margin_loss(two, yes).data)
    one_of_them = np.full((6, 4), -1)
    one_of_them[:, 0] = labels
    np.testing.assert_allclose(F.multilabel_margin_loss(x, one_of_them).data, F.multi_margin_loss(x, labels).data)


def layouts(array):
    """The same numbers lying differently in memory."""
    frozen = array.copy()
    frozen.flags.writeable = False
    return [np.asfortranarray(array), array[::-1].copy()[::-1], np.repeat(array, 2, -1)[..., ::2], frozen]


@pytest.mark.parametrize(
    "name", ["mse_loss", "huber_loss", "binary_cross_entropy_with_logits", "kl_div", "cross_entropy", "poisson_nll_loss", "style_loss"]
)
def test_layout_does_not_matter_and_inputs_stay(name):
    rng = np.random.default_rng(0)
    x, y = rng.random((3, 4, 5)), rng.random((3, 4, 5))
    function = getattr(F, name)
    expected = function(x, y).data
    before = x.copy(), y.copy()
    for one, other in zip(layouts(x), layouts(y), strict=True):
        np.testing.assert_allclose(function(one, other).data, expected, rtol=1e-12)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_a_second_backward_gives_the_same():
    for function in (F.mse_loss, F.cross_entropy, F.huber_loss):
        x = Tensor(np.random.default_rng(0).random((3, 4)), requires_grad=True)
        loss = function(x, np.full((3, 4), 0.25))
        loss.backward(retain_graph=True)
        once = x.grad.data.copy()
        loss.backward()
        np.testing.assert_allclose(x.grad.data, 2 * once)


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
        (lambda: F.binary_cross_entropy(SCORES, SCORES - 1), ArgumentError, r"target goes from -1 to -1, but probabilities lie from 0 to 1$"),
        (lambda: F.binary_cross_entropy_with_logits(SCORES, SCORES, pos_weight=SCORES[:, :2]), ShapeError, r"do not broadcast"),
        (lambda: F.binary_cross_entropy_with_logits(SCORES, SCORES, SCORES[None]), ShapeError, r"weight of shape \(1, 2, 3\) does not broadcast"),
        (lambda: F.mse_loss(SCORES, SCORES, weight=SCORES[0]), ShapeError, r"weight has shape \(3,\), input \(2, 3\); they must be equal"),
        (lambda: F.cross_entropy(SCORES, SCORES, ignore_index=0), ArgumentError, r"means nothing where target holds probabilities"),
        (lambda: F.cross_entropy(SCORES, [0, 1], ignore_index=1.5), ArgumentError, r"ignore_index must be a whole number, not 1.5"),
        (lambda: F.cross_entropy(SCORES, SCORES.astype(np.float64)), DtypeError, r"input is float32 but target is float64"),
        (lambda: F.huber_loss(SCORES, SCORES, delta=0), ArgumentError, r"delta must be a number > 0, not 0"),
        (lambda: F.smooth_l1_loss(SCORES, SCORES, beta=float("nan")), ArgumentError, r"beta must be a number >= 0, not nan"),
        (lambda: F.kl_div(SCORES, SCORES, reduction="average"), ArgumentError, r"is not one of mean, sum, none, batchmean"),
        (lambda: F.kl_div(SCORES, SCORES[:, :2]), ShapeError, r"input \(2, 3\) and target \(2, 2\) do not broadcast"),
        (lambda: F.gaussian_nll_loss(SCORES, SCORES, SCORES - 1), ArgumentError, r"var goes down to -1"),
        (lambda: F.gaussian_nll_loss(SCORES, SCORES, np.ones(3, np.float32)), ShapeError, r"var has shape \(3,\)"),
        (lambda: F.multi_margin_loss(SCORES, [0, 1], p=3), ArgumentError, r"p must be 1 or 2, not 3"),
        (lambda: F.multi_margin_loss(SCORES, [0, -1]), ArgumentError, r"target\[1\] is -1, but there are 3 classes.*from 0$"),
        (lambda: F.multi_margin_loss(SCORES[None], [0, 1]), ShapeError, r"it must be \(C,\) or \(N, C\)"),
        (lambda: F.multilabel_margin_loss(SCORES, np.full((2, 3), 3)), ArgumentError, r"target goes from 3 to 3, but there are 3 classes"),
        (lambda: F.margin_ranking_loss(SCORES, SCORES, SCORES[0]), ShapeError, r"equally many axes"),
        (lambda: F.focal_loss(SCORES, [0, 1], gamma=-1.0), ArgumentError, r"gamma must be a number >= 0, not -1.0"),
        (lambda: F.focal_loss(SCORES, [0, 1], alpha=np.ones(2, np.float32)), ShapeError, r"weight has shape \(2,\)"),
        (lambda: F.multilabel_soft_margin_loss(np.float32(1), np.float32(1)), ShapeError, r"single number"),
        (lambda: F.binary_cross_entropy(SCORES + 2, SCORES), ArgumentError, r"input goes from 2 to 2.*binary_cross_entropy_with_logits"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
