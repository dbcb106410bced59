"""Linear SVM, neighbours, k-means and projections: small cases by hand, optima by their conditions."""

import importlib.util

import numpy as np
import pytest

from tinycnn.errors import ArgumentError, ShapeError, UsageError
from tinycnn.study.clustering import cluster_accuracy, k_means
from tinycnn.study.linear_svm import LinearSVM
from tinycnn.study.neighbours import classify_by_neighbours, k_nearest
from tinycnn.study.projection import pca, t_sne

GENERATOR = np.random.default_rng(0)
CENTRES = np.array([[0.0, 0.0, 4.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
LABELS = np.arange(90) % 3
CODES = (CENTRES[LABELS] + GENERATOR.standard_normal((90, 3))).astype(np.float32)


def test_the_machine_stands_at_its_optimum_and_separates():
    machine = LinearSVM(C=0.1).fit(CODES, LABELS)
    assert (machine.predict(CODES) == LABELS).mean() > 0.95
    rows = np.hstack([CODES, np.ones((90, 1))])
    for label, weight in enumerate(machine.weights):
        signs = np.where(label == LABELS, 1.0, -1.0)
        shortfall = np.maximum(0, 1 - signs * (rows @ weight))
        gradient = weight - 0.2 * rows.T @ (signs * shortfall)
        assert np.abs(gradient).max() < 1e-3
    assert np.abs(LinearSVM(C=1e-4).fit(CODES, LABELS).weights).max() < np.abs(machine.weights).max()


def test_neighbours_by_hand_and_by_brute_force():
    indices, distances = k_nearest(CODES, CODES[:7], 4, "euclidean")
    table = np.linalg.norm(CODES[:7, None] - CODES[None], axis=2)
    np.testing.assert_array_equal(indices, np.argsort(table, 1, kind="stable")[:, :4])
    np.testing.assert_allclose(distances, np.sort(table, 1)[:, :4], atol=1e-3)
    indices, distances = k_nearest(np.array([[1.0, 0], [0, 3.0], [-1.0, 0]]), np.array([[0.1, 5.0]]), 3)
    assert indices.tolist() == [[1, 0, 2]]
    np.testing.assert_allclose(distances[0], 1 - np.array([5, 0.1, -0.1]) / np.hypot(0.1, 5), atol=1e-12)
    assert (classify_by_neighbours(LABELS, k_nearest(CODES, CODES, 5)[0]) == LABELS).mean() > 0.95


def test_clusters_are_the_classes_and_a_fixed_point():
    found = k_means(CODES, 3, seed=1)
    assert cluster_accuracy(found.labels, LABELS) > 0.95
    for cluster in range(3):
        np.testing.assert_allclose(found.centres[cluster], CODES[found.labels == cluster].mean(0), rtol=1e-5)
    np.testing.assert_array_equal(((CODES[:, None] - found.centres) ** 2).sum(2).argmin(1), found.labels)
    assert k_means(CODES, 90, starts=1).inertia < 1e-9
    assert np.unique(k_means(np.zeros((5, 2)), 2).labels).size >= 1
    assert cluster_accuracy(np.array([2, 2, 0, 1]), np.array([0, 0, 1, 2])) == 1.0


def test_principal_components_keep_the_variance_and_its_order():
    projection, shares = pca(CODES, 3)
    assert shares[0] >= shares[1] >= shares[2] and np.isclose(shares.sum(), 1)
    centred = CODES - CODES.mean(0)
    np.testing.assert_allclose(projection @ projection.T, centred @ centred.T, atol=1e-3)
    np.testing.assert_allclose(projection.T @ projection, np.diag((projection**2).sum(0)), atol=1e-6)


def test_t_sne_keeps_groups_together_or_says_what_to_install():
    if importlib.util.find_spec("sklearn") is None:
        with pytest.raises(UsageError, match=r"pip install 'tinycnn\[learn\]'; pca needs nothing"):
            t_sne(CODES)
        return
    places = t_sne(CODES, perplexity=10)
    assert places.shape == (90, 2)
    assert (classify_by_neighbours(LABELS, k_nearest(places, places, 5, "euclidean")[0]) == LABELS).mean() > 0.9


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: LinearSVM(C=0), ArgumentError, "C must be greater than 0"),
        (lambda: LinearSVM().fit(CODES, LABELS[:5]), ShapeError, r"labels \(5,\) one a row"),
        (lambda: LinearSVM().predict(CODES), ShapeError, "call fit first"),
        (lambda: k_nearest(CODES, CODES[:, :2]), ShapeError, "with the same features"),
        (lambda: k_nearest(CODES, CODES, 91), ArgumentError, "k=91 must be at least 1 and at most the 90 codes"),
        (lambda: k_nearest(CODES, CODES, 1, "manhattan"), ArgumentError, "must be one of cosine, euclidean"),
        (lambda: k_means(CODES, 0), ArgumentError, "k=0 must be at least 1"),
        (lambda: k_means(CODES[0], 1), ShapeError, "must be"),
        (lambda: pca(CODES, 4), ArgumentError, "components=4 must be"),
        (lambda: t_sne(CODES, perplexity=90), ArgumentError, "perplexity 90 must lie between 0 and the 90 codes"),
    ],
)
def test_errors_say_what_to_do(call, error, match):
    with pytest.raises(error, match=match):
        call()
