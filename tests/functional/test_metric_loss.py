"""Distances, losses of pairs and triplets, mining and angular margins: gradients, laws, golden numbers, messages."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, nn
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
reductions = st.sampled_from(["mean", "sum", "none"])


def rows(seed, count=6, size=3):
    return np.random.default_rng(seed).standard_normal((count, size))


@given(seeds, st.sampled_from([1.0, 2.0, 3.0, np.inf]), st.booleans())
def test_distance_gradients(seed, p, keepdim):
    a, b = rows(seed), rows(seed + 1)
    assert gradcheck(lambda a, b: F.pairwise_distance(a, b, p, keepdim=keepdim), (a, b))
    assert gradcheck(lambda a, b: F.pairwise_distance(a, b, p), (a, b[0]))
    assert gradcheck(F.cosine_similarity, (a, b))
    assert gradcheck(lambda a, b: F.cosine_similarity(a, b, dim=0), (a, b[:, :1]))


@given(seeds)
def test_cosine_similarity_knows_no_lengths(seed):
    a, b = rows(seed), rows(seed + 1)
    y = F.cosine_similarity(a, b).data
    np.testing.assert_allclose(F.cosine_similarity(3 * a, 0.1 * b).data, y, rtol=1e-12)
    np.testing.assert_allclose(F.cosine_similarity(-a, b).data, -y, rtol=1e-12)
    assert (np.abs(y) <= 1 + 1e-12).all()


def test_vectors_of_length_zero_have_a_gradient():
    x = Tensor(np.zeros((1, 3)), requires_grad=True)
    F.pairwise_distance(x, np.zeros((1, 3)), eps=0.0).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 0)
    assert F.cosine_similarity(np.zeros((1, 3)), np.ones((1, 3))).item() == 0


@given(seeds, reductions, st.sampled_from(["linear", "hadsell"]))
def test_pair_losses_have_right_gradients(seed, reduction, form):
    a, b = rows(seed), rows(seed + 1)
    like = np.random.default_rng(seed).integers(0, 2, 6)
    assert gradcheck(lambda a, b: F.contrastive_loss(a, b, like, 1.5, form=form, reduction=reduction), (a, b))
    assert gradcheck(lambda a, b: F.cosine_embedding_loss(a, b, 2 * like - 1, 0.2, reduction=reduction), (a, b))


@given(seeds, reductions, st.booleans())
def test_triplet_gradients(seed, reduction, swap):
    a, b, c = rows(seed), rows(seed + 1), rows(seed + 2)
    assert gradcheck(lambda a, b, c: F.triplet_margin_loss(a, b, c, 0.7, swap=swap, reduction=reduction), (a, b, c))


def test_e09_contrastive_loss():
    """y d + (1 - y) max(0, m - d), and the squared form with its halves."""
    d = np.array([0.3, 0.3, 2.0, 2.0])
    y, m = np.array([1, 0, 1, 0]), 1.0
    a, b = np.zeros((4, 1)), d[:, np.newaxis]
    linear = y * d + (1 - y) * np.maximum(0, m - d)
    np.testing.assert_allclose(F.contrastive_loss(a, b, y, m, reduction="none").data, linear)
    squared = y * d**2 / 2 + (1 - y) * np.maximum(0, m - d) ** 2 / 2
    np.testing.assert_allclose(F.contrastive_loss(a, b, y, m, form="hadsell", reduction="none").data, squared)


def test_e10_triplet_loss():
    """max(0, m + d(A, P) - d(A, N))."""
    a, p, n = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 2.0]])
    assert F.triplet_margin_loss(a, p, n, 1.0, eps=0.0).item() == 1 + 5 - 2
    assert F.triplet_margin_loss(a, n, p, 1.0, eps=0.0).item() == 0


def distances(x, kind):
    d = np.sqrt(((x[:, np.newaxis] - x) ** 2).sum(-1))
    if kind == "cosine":
        unit = x / np.sqrt((x * x).sum(1, keepdims=True))
        return 1 - unit @ unit.T
    return d * d if kind == "squared" else d


def mined(d, labels, margin, mining):
    """Triplet losses by brute force, one loop an index."""
    count = len(labels)
    everything = [
        (a, p, n)
        for a, p, n in itertools.product(range(count), repeat=3)
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]
    if mining == "all":
        chosen = everything
    elif mining == "hard":
        chosen = []
        for a in range(count):
            own = [t for t in everything if t[0] == a]
            if own:
                chosen.append((a, max((t[1] for t in own), key=lambda p: d[a, p]), min((t[2] for t in own), key=lambda n: d[a, n])))
    else:
        chosen = []
        for a, p in itertools.product(range(count), repeat=2):
            band = [t for t in everything if t[:2] == (a, p) and d[a, p] < d[a, t[2]] < d[a, p] + margin]
            if band:
                chosen.append(min(band, key=lambda t: d[a, t[2]]))
    return np.array([max(0.0, margin + d[a, p] - d[a, n]) for a, p, n in chosen])


@given(seeds, st.sampled_from(["hard", "semi-hard", "all"]), st.sampled_from(["euclidean", "squared", "cosine"]), st.sampled_from([0.3, 1.0]))
def test_mining_by_brute_force(seed, mining, kind, margin):
    x, labels = rows(seed, 8), np.random.default_rng(seed).integers(0, 3, 8)
    expected = mined(distances(x, kind), labels, margin, mining)
    losses = F.triplet_loss_batch(x, labels, margin, mining, distance=kind, reduction="none").data
    np.testing.assert_allclose(np.sort(losses), np.sort(expected), rtol=1e-9, atol=1e-12)
    mean = expected.mean() if expected.size else 0.0
    assert F.triplet_loss_batch(x, labels, margin, mining, distance=kind).item() == pytest.approx(mean)
    left = expected[expected > 0]
    nonzero = F.triplet_loss_batch(x, labels, margin, mining, distance=kind, reduction="nonzero").item()
    assert nonzero == pytest.approx(left.mean() if left.size else 0.0)


@given(seeds, st.sampled_from(["hard", "all"]), st.sampled_from(["euclidean", "squared", "cosine"]), st.sampled_from([0.5, "soft"]))
def test_mined_gradients(seed, mining, kind, margin):
    labels = [0, 0, 1, 1, 2, 2]
    assert gradcheck(lambda x: F.triplet_loss_batch(x, labels, margin, mining, distance=kind), rows(seed))


def test_random_mining_is_seeded_and_valid():
    x, labels = rows(0, 10), np.arange(10) % 3
    first, again = (
        F.triplet_loss_batch(x, labels, 1.0, "random", reduction="none", generator=np.random.default_rng(3)).data for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert len(first) == sum((labels == label).sum() - 1 for label in labels)
    possible = mined(distances(x, "euclidean"), labels, 1.0, "all")
    assert all(np.abs(possible - loss).min() < 1e-9 for loss in first)


def test_a_batch_without_triplets_costs_nothing():
    x = Tensor(rows(0), requires_grad=True)
    for mining in ("hard", "semi-hard", "all", "random"):
        loss = F.triplet_loss_batch(x, np.zeros(6, np.int64), mining=mining)
        assert loss.item() == 0
        loss.backward()
    np.testing.assert_array_equal(x.grad.data, 0)


def test_a_collapsed_batch_costs_the_margin():
    """Hermans: where all embeddings are one point, batch-hard has the loss m."""
    assert F.triplet_loss_batch(np.ones((4, 3)), [0, 0, 1, 1], 0.7).item() == pytest.approx(0.7)


def angular(x, w, target, change, scale):
    """Scores from the angles themselves."""
    unit_x, unit_w = (a / np.sqrt((a * a).sum(1, keepdims=True)) for a in (x, w))
    cosines = unit_x @ unit_w.T
    logits = cosines.copy()
    for n, label in enumerate(target):
        logits[n, label] = change(math.acos(cosines[n, label]))
    return scale * logits


@given(seeds, st.sampled_from([0.0, 0.3, 0.5, 1.5]))
def test_e11_angular_margins(seed, margin):
    x, w, target = rows(seed), rows(seed + 1, 4), np.random.default_rng(seed).integers(0, 4, 6)

    def arc(theta):
        return math.cos(theta + margin) if theta <= math.pi - margin else math.cos(theta) - margin * math.sin(margin)

    def easy(theta):
        return math.cos(theta + margin) if theta < math.pi / 2 else math.cos(theta)

    np.testing.assert_allclose(F.arcface_logits(x, w, target, 30.0, margin).data, angular(x, w, target, arc, 30), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(F.arcface_logits(x, w, target, 30.0, margin, True).data, angular(x, w, target, easy, 30), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        F.cosface_logits(x, w, target, 30.0, margin).data, angular(x, w, target, lambda t: math.cos(t) - margin, 30), rtol=1e-9, atol=1e-9
    )


@given(seeds, st.integers(1, 5))
def test_sphereface(seed, m):
    x, w, target = rows(seed), rows(seed + 1, 4), np.random.default_rng(seed).integers(0, 4, 6)

    def psi(theta):
        k = min(math.floor(m * theta / math.pi), m - 1)
        return (-1) ** k * math.cos(m * theta) - 2 * k

    lengths = np.sqrt((x * x).sum(1, keepdims=True))
    np.testing.assert_allclose(F.sphereface_logits(x, w, target, None, m).data, angular(x, w, target, psi, lengths), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(F.sphereface_logits(x, w, target, 7.0, m).data, angular(x, w, target, psi, 7), rtol=1e-8, atol=1e-8)


@given(seeds)
def test_margins_of_nothing_are_the_scaled_cosine_softmax(seed):
    x, w, target = rows(seed), rows(seed + 1, 4), np.random.default_rng(seed).integers(0, 4, 6)
    cosines = F.cosine_similarity(x[:, np.newaxis], w[np.newaxis], dim=2).data
    expected = F.cross_entropy(16.0 * cosines, target).item()
    assert F.arcface_loss(x, w, target, 16.0, 0.0).item() == pytest.approx(expected)
    assert F.cosface_loss(x, w, target, 16.0, 0.0).item() == pytest.approx(expected)
    assert F.sphereface_loss(x, w, target, 16.0, 1).item() == pytest.approx(expected)
    # A margin makes the task harder, never easier.
    assert F.arcface_loss(x, w, target, 16.0, 0.5).item() >= expected
    assert F.cosface_loss(x, w, target, 16.0, 0.5).item() >= expected
    assert F.sphereface_loss(x, w, target, 16.0, 4).item() >= expected


@given(seeds, st.booleans())
def test_angular_gradients(seed, easy):
    x, w, target = rows(seed), rows(seed + 1, 4), np.random.default_rng(seed).integers(0, 4, 6)
    assert gradcheck(lambda x, w: F.arcface_loss(x, w, target, 8.0, 0.5, easy), (x, w))
    assert gradcheck(lambda x, w: F.cosface_loss(x, w, target, 8.0, reduction="none"), (x, w))
    assert gradcheck(lambda x, w: F.sphereface_loss(x, w, target, margin=3), (x, w))


def test_a_sample_at_its_class_centre_has_a_finite_gradient():
    x = Tensor(np.array([[2.0, 0.0]], np.float32), requires_grad=True)
    F.arcface_loss(x, np.eye(2, dtype=np.float32), [0]).backward()
    assert np.isfinite(x.grad.data).all()


def test_heads():
    labels = np.array([0, 2, 1])
    x = rows(0, 3, 5).astype(np.float32)
    for head, logits in ((nn.ArcFace, F.arcface_logits), (nn.CosFace, F.cosface_logits), (nn.SphereFace, F.sphereface_logits)):
        layer = head(5, 3)
        assert [name for name, _ in layer.named_parameters()] == ["weight"]
        np.testing.assert_array_equal(layer(x, labels).data, logits(x, layer.weight, labels).data)
        F.cross_entropy(layer(x, labels), labels).backward()
        assert layer.weight.grad.shape == (3, 5)
    assert repr(nn.ArcFace(5, 3)) == "ArcFace(in_features=5, out_features=3)"


X = np.ones((4, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.pairwise_distance(X, X[:3]), ShapeError, r"x1 \(4, 3\) and x2 \(3, 3\) do not broadcast"),
        (lambda: F.pairwise_distance(1.0, 2.0), ShapeError, "single numbers"),
        (lambda: F.pairwise_distance(X, X, p="two"), ArgumentError, "p must be a number, not 'two'"),
        (lambda: F.cosine_similarity(X, X.astype(np.float32)), DtypeError, "x1 is float64 but x2 is float32"),
        (lambda: F.cosine_similarity(X, X, dim=2), ArgumentError, "dim 2 is out of range"),
        (lambda: F.triplet_margin_loss(X, X, X[0]), ShapeError, "equally many axes"),
        (lambda: F.triplet_margin_loss(X, X, X, margin=0), ArgumentError, "margin must be a number > 0, not 0"),
        (lambda: F.triplet_margin_with_distance_loss(X, X, X, distance_function="L2"), ArgumentError, "must be a function of two tensors"),
        (lambda: F.contrastive_loss(X, X, [1, 0]), ShapeError, r"target has shape \(2,\), but the pairs ask for \(4,\)"),
        (lambda: F.contrastive_loss(X, X, [1, 0, 1, 0], form="cubic"), ArgumentError, "form 'cubic' is not one of linear, hadsell"),
        (lambda: F.cosine_embedding_loss(X, X, 1), ShapeError, "they must be"),
        (lambda: F.triplet_loss_batch(X, [0, 1, 2]), ShapeError, r"target has shape \(3,\), but input asks for \(4,\)"),
        (lambda: F.triplet_loss_batch(X[0], [0, 1, 2]), ShapeError, r"it must be \(B, D\)"),
        (lambda: F.triplet_loss_batch(X, [0, 1, 2, 3], mining="easy"), ArgumentError, "mining 'easy' is not one of hard, semi-hard, all, random"),
        (lambda: F.triplet_loss_batch(X, [0, 1, 2, 3], margin="hard"), ArgumentError, "margin 'hard' is not one of soft"),
        (lambda: F.triplet_loss_batch(X, [0, 1, 2, 3], margin=-1.0), ArgumentError, "margin must be a number > 0"),
        (lambda: F.arcface_logits(X, np.ones((2, 4)), [0, 1, 0, 1]), ShapeError, r"they must be \(N, D\) and \(C, D\)"),
        (lambda: F.arcface_logits(X, np.ones((2, 3)), [0, 1, 0, 2]), ArgumentError, r"target\[3\] is 2, but there are 2 classes"),
        (lambda: F.arcface_logits(X, np.ones((2, 3)), [0, 1, 0, -1]), ArgumentError, r"target\[3\] is -1"),
        (lambda: F.arcface_loss(X, X, [0, 1, 2, 3], margin=28.6), ArgumentError, "an angle in radians"),
        (lambda: F.sphereface_loss(X, X, [0, 1, 2, 3], margin=1.5), ArgumentError, "whole number from 1 to 64"),
        (lambda: nn.TripletMarginLoss(margin=-1.0), ArgumentError, "TripletMarginLoss: margin"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
