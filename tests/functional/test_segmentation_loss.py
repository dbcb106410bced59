"""Losses of overlap, style and roughness: gradients, laws, golden numbers, messages."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
reductions = st.sampled_from(["mean", "sum", "none"])


def case(seed, shape=(2, 3, 3, 4)):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.integers(0, shape[1], (shape[0], *shape[2:]))


@given(
    seeds,
    st.sampled_from(["class", "sample", "overall"]),
    reductions,
    st.booleans(),
    st.sampled_from(["softmax", "sigmoid"]),
    st.sampled_from([None, 1]),
)
def test_dice_gradients_and_bounds(seed, average, reduction, squared, activation, ignore):
    x, labels = case(seed)
    options = {"average": average, "reduction": reduction, "squared": squared, "activation": activation, "ignore_index": ignore}
    assert gradcheck(lambda x: F.dice_loss(x, labels, **options), x)
    if reduction == "none":
        losses = F.dice_loss(x, labels, **options).data
        assert losses.shape == {"class": (3,), "sample": (2, 3), "overall": ()}[average]
        assert (losses >= 0).all()
        assert (losses <= 1).all()


@given(seeds)
def test_dice_of_masks_is_the_dice_coefficient(seed):
    rng = np.random.default_rng(seed)
    p, t = rng.random((2, 1, 5, 5)) > 0.5, rng.random((2, 1, 5, 5)) > 0.5
    expected = 1 - 2 * (p & t).sum() / (p.sum() + t.sum())
    assert F.dice_loss(p.astype(float), t, activation=None, smooth=0.0).item() == pytest.approx(expected)
    labels = t[:, 0].astype(np.int64)
    assert F.dice_loss(p.astype(float), labels, activation=None, smooth=0.0).item() == pytest.approx(expected)
    assert F.dice_loss(t.astype(float), t, activation=None, smooth=0.0, squared=True).item() == pytest.approx(0)
    assert F.dice_loss((~t).astype(float), t, activation=None, smooth=0.0).item() == pytest.approx(1)


def test_dice_ignores_what_it_is_told_to():
    x, labels = case(0)
    labels[:, 1] = 255
    kept = [0, 2]
    expected = F.dice_loss(x[:, :, kept], labels[:, kept]).item()
    assert F.dice_loss(x, labels, ignore_index=255).item() == pytest.approx(expected)


def jaccard_loss(wrong, truth):
    """1 - intersection / union of the truth and the truth with the places in `wrong` flipped."""
    predicted = truth ^ wrong
    union = (predicted | truth).sum()
    return 1 - (predicted & truth).sum() / union if union else 0.0


@pytest.mark.parametrize("truth", list(itertools.product([0, 1], repeat=4)))
def test_lovasz_extension_equals_the_jaccard_loss_on_vertices(truth):
    """The extension of a set function agrees with it wherever every error is 0 or 1 (Berman 2018, definition 1)."""
    truth = np.array(truth)
    sign = 2 * truth - 1
    for wrong in itertools.product([0, 1], repeat=4):
        wrong = np.array(wrong)
        expected = jaccard_loss(wrong.astype(bool), truth.astype(bool))
        scores = sign * (1.0 - wrong)  # the hinge 1 - z s is 0 or 1
        assert F.lovasz_hinge(scores[np.newaxis], truth[np.newaxis]).item() == pytest.approx(expected)
        foreground = np.where(wrong, 1 - truth, truth).astype(float)
        probabilities = np.stack([1 - foreground, foreground])[np.newaxis]
        assert F.lovasz_softmax(probabilities, truth[np.newaxis], classes=[1]).item() == pytest.approx(expected)


@given(seeds, st.booleans(), st.sampled_from([None, 1]), reductions)
def test_lovasz_gradients(seed, per_image, ignore, reduction):
    x, labels = case(seed)
    probabilities = F.softmax(x, 1).data

    def loss(p):
        return F.lovasz_softmax(p, labels, per_image=per_image, ignore_index=ignore, reduction=reduction)

    assert gradcheck(loss, probabilities, eps=1e-8, rtol=1e-5)
    marks = (labels > 0).astype(np.int64)
    marks[:, 0, 0] = 255
    assert gradcheck(lambda z: F.lovasz_hinge(z, marks, per_image, 255, reduction=reduction), x[:, 0], eps=1e-8, rtol=1e-5)


@given(seeds)
def test_lovasz_of_one_image_at_a_time_is_the_mean(seed):
    x, labels = case(seed)
    p = F.softmax(x, 1).data
    apart = [F.lovasz_softmax(p[n : n + 1], labels[n : n + 1]).item() for n in range(2)]
    assert F.lovasz_softmax(p, labels, per_image=True).item() == pytest.approx(np.mean(apart))
    everywhere = [F.lovasz_softmax(p, labels, classes=[c]).item() for c in range(3)]
    assert F.lovasz_softmax(p, labels, classes="all").item() == pytest.approx(np.mean(everywhere))


def test_lovasz_of_nothing():
    x, labels = case(0)
    x = Tensor(F.softmax(x, 1).data, requires_grad=True)
    loss = F.lovasz_softmax(x, np.full(labels.shape, 255), ignore_index=255)
    assert loss.item() == 0
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, 0)
    assert F.lovasz_hinge(np.ones((2, 3)), np.full((2, 3), 9), ignore_index=9).item() == 0
    assert F.lovasz_hinge(np.ones((0, 3)), np.ones((0, 3), np.int64), reduction="sum").item() == 0


@given(seeds, st.sampled_from(["none", "positions", "elements"]))
def test_e13_gram_matrix(seed, normalization):
    """G = (1 / N) X X^T with its factor named; symmetric, and blind to the order of positions."""
    x = np.random.default_rng(seed).standard_normal((2, 3, 4, 5))
    rows = x.reshape(2, 3, 20)
    factor = {"none": 1, "positions": 1 / 20, "elements": 1 / 60}[normalization]
    g = F.gram_matrix(x, normalization=normalization).data
    np.testing.assert_allclose(g, factor * rows @ rows.transpose(0, 2, 1), rtol=1e-10)
    np.testing.assert_allclose(F.gram_matrix(rows[:, :, ::-1], normalization=normalization).data, g, rtol=1e-9, atol=1e-12)
    assert gradcheck(lambda x: F.gram_matrix(x, normalization=normalization), x)


@given(seeds, reductions)
def test_style_loss(seed, reduction):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 3, 4, 4)), rng.standard_normal((2, 3, 5, 2))
    assert gradcheck(lambda x, y: F.style_loss(x, y, reduction=reduction), (x, y))
    assert F.style_loss(x, x[:, :, ::-1]).item() == pytest.approx(0, abs=1e-20)
    # Gatys: 1 / (4 C^2 M^2) sum of the squared differences of the unnormalised matrices
    gatys = F.style_loss(x, x * 1.1, normalization="none", reduction="sum").item() / (4 * 9 * 16**2)
    assert gatys == pytest.approx(F.style_loss(x, x * 1.1, normalization="positions", reduction="sum").item() / (4 * 9))


@given(seeds, st.booleans(), st.booleans(), reductions, st.sampled_from([(4, 5), (3, 4, 5), (2, 3, 4, 5), (1, 1, 1, 1)]))
def test_total_variation_gradients(seed, isotropic, squared, reduction, shape):
    x = np.random.default_rng(seed).standard_normal(shape)
    options = {"isotropic": isotropic, "squared": squared, "reduction": reduction}
    assert gradcheck(lambda x: F.total_variation(x, **options), x)
    assert F.total_variation(x + 5, **options).data == pytest.approx(F.total_variation(x, **options).data)


@given(seeds)
def test_total_variation_laws(seed):
    x = np.random.default_rng(seed).standard_normal((2, 3, 4, 5))
    anisotropic, isotropic = F.total_variation(x).item(), F.total_variation(x, isotropic=True).item()
    assert isotropic <= anisotropic <= np.sqrt(2) * isotropic
    assert anisotropic == pytest.approx(np.abs(np.diff(x, axis=2)).sum() + np.abs(np.diff(x, axis=3)).sum())
    assert F.total_variation(x, reduction="none").data == pytest.approx([F.total_variation(image).item() for image in x])
    assert F.total_variation(x, reduction="mean").item() == pytest.approx(anisotropic / x.size)
    squared = (np.diff(x, axis=2) ** 2).sum() + (np.diff(x, axis=3) ** 2).sum()
    assert F.total_variation(x, squared=True).item() == pytest.approx(squared)
    assert F.total_variation(-3 * x).item() == pytest.approx(3 * anisotropic)


def test_a_flat_image_has_no_gradient():
    x = Tensor(np.ones((2, 1, 3, 3)), requires_grad=True)
    F.total_variation(x, isotropic=True).backward()
    np.testing.assert_array_equal(x.grad.data, 0)


X = np.full((2, 3, 4, 4), 0.3)
LABELS = np.zeros((2, 4, 4), np.int64)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.dice_loss(X, LABELS + 3), ArgumentError, r"target\[0, 0, 0\] is 3, but there are 3 classes"),
        (lambda: F.dice_loss(X, LABELS - 1), ArgumentError, r"target\[0, 0, 0\] is -1"),
        (lambda: F.dice_loss(X, LABELS[:1]), ShapeError, r"target has shape \(1, 4, 4\)"),
        (lambda: F.dice_loss(X, LABELS.astype(float)), DtypeError, "give class indices, or masks of input's shape"),
        (lambda: F.dice_loss(X, X.astype(np.float32)), DtypeError, "input is float64 but target is float32"),
        (lambda: F.dice_loss(X, LABELS, activation="tanh"), ArgumentError, "activation 'tanh' is not one of softmax, sigmoid"),
        (lambda: F.dice_loss(X, LABELS, average="image"), ArgumentError, "average 'image' is not one of"),
        (lambda: F.dice_loss(X, LABELS, smooth=-1), ArgumentError, "smooth must be a number >= 0"),
        (lambda: F.lovasz_hinge(X[:, 0], LABELS + 2), ArgumentError, "there are 2 classes"),
        (lambda: F.lovasz_hinge(X[:, 0], LABELS - 1), ArgumentError, "target goes down to -1"),
        (lambda: F.lovasz_hinge(X, LABELS), ShapeError, "target has shape"),
        (lambda: F.lovasz_softmax(X, LABELS, classes="some"), ArgumentError, "classes 'some' is not one of present, all"),
        (lambda: F.lovasz_softmax(X, LABELS, classes=[3]), ArgumentError, "must name some of the 3 classes"),
        (lambda: F.lovasz_softmax(X, LABELS, classes=2), ArgumentError, "a list of class indices, not 2"),
        (lambda: F.gram_matrix(X[0, 0, 0]), ShapeError, r"it must be \(N, C, d1, ...\)"),
        (lambda: F.gram_matrix(X, normalization="full"), ArgumentError, "normalization 'full' is not one of none, positions, elements"),
        (lambda: F.style_loss(X, X[:, :2]), ShapeError, "differ in images or channels"),
        (lambda: F.total_variation(X[0, 0, 0]), ShapeError, "a height and a width"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
