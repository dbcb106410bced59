"""The linear machine, k-means and principal components agree with scikit-learn's."""

import numpy as np
import pytest

from tinycnn.study.clustering import k_means
from tinycnn.study.linear_svm import LinearSVM
from tinycnn.study.projection import pca

pytest.importorskip("sklearn")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

GENERATOR = np.random.default_rng(0)
LABELS = np.arange(200) % 4
CODES = GENERATOR.standard_normal((200, 12)) + 1.5 * GENERATOR.standard_normal((4, 12))[LABELS]


@pytest.mark.parametrize("cost", [0.01, 1.0])
def test_the_machine(cost):
    from sklearn.svm import LinearSVC

    theirs = LinearSVC(C=cost, dual=False, tol=1e-8, max_iter=10000).fit(CODES, LABELS)
    ours = LinearSVM(C=cost).fit(CODES, LABELS)
    np.testing.assert_allclose(ours.decision(CODES), theirs.decision_function(CODES), atol=2e-3)
    assert (ours.predict(CODES) == theirs.predict(CODES)).mean() > 0.99


def test_clusters():
    from sklearn.cluster import KMeans

    theirs = KMeans(4, n_init=10, random_state=0).fit(CODES)
    ours = k_means(CODES, 4, starts=10)
    assert ours.inertia <= theirs.inertia_ * 1.001


def test_components():
    from sklearn.decomposition import PCA

    theirs = PCA(3)
    projected = theirs.fit_transform(CODES)
    ours, shares = pca(CODES, 3)
    np.testing.assert_allclose(np.abs(ours), np.abs(projected), atol=1e-9)
    np.testing.assert_allclose(shares, theirs.explained_variance_ratio_, rtol=1e-9)
