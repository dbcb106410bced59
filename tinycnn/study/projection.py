"""Codes of many numbers drawn in the plane: principal components, and t-SNE."""

from __future__ import annotations

import importlib.util

import numpy as np

from ..errors import ArgumentError, UsageError

__all__ = ["pca", "t_sne"]


def pca(codes: np.ndarray, components: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Project codes onto the directions in which they vary most.

    Formula
    -------
    X - mean = U S V^T;  projection = U[:, :components] S[:components];  share[i] = S[i]^2 / sum S^2

    Parameters
    ----------
    codes : ndarray
        (N, features).
    components : int
        Directions, at most the smaller of N and features.

    Returns
    -------
    projection : ndarray
        float64 (N, components). Each direction points where its largest weight is positive.
    shares : ndarray
        Of the whole variance, for each direction.

    Raises
    ------
    ArgumentError
        For a number of components that the codes do not have.

    References
    ----------
    Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    Examples
    --------
    >>> projection, shares = pca(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), 1)
    >>> projection.ravel().round(6), shares.round(6)
    (array([-5.,  0.,  5.]), array([1.]))
    """
    if codes.ndim != 2 or not 1 <= components <= min(codes.shape):
        raise ArgumentError(f"pca: components={components} must be at least 1 and at most the smaller side of codes {codes.shape}")
    centred = codes.astype(np.float64) - codes.mean(0, dtype=np.float64)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(right[np.arange(components), np.abs(right[:components]).argmax(1)])
    total = max(float((sizes**2).sum()), np.finfo(np.float64).tiny)
    return left[:, :components] * sizes[:components] * signs, sizes[:components] ** 2 / total


def t_sne(codes: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Place codes in the plane so that near neighbours stay near; distances between far groups mean nothing.

    Parameters
    ----------
    codes : ndarray
        (N, features).
    perplexity : float
        About how many neighbours each code has; below N.
    seed : int
        Of the random start.

    Returns
    -------
    ndarray
        float64 (N, 2).

    Raises
    ------
    UsageError
        When scikit-learn, the optional extra `learn`, is not installed.
    ArgumentError
        When the perplexity is not below the number of codes.

    References
    ----------
    van der Maaten and Hinton 2008, "Visualizing data using t-SNE".
    """
    if not 0 < perplexity < len(codes):
        raise ArgumentError(f"t_sne: perplexity {perplexity} must lie between 0 and the {len(codes)} codes")
    if importlib.util.find_spec("sklearn") is None:
        raise UsageError("t_sne: needs scikit-learn, which is not installed: pip install 'tinycnn[learn]'; pca needs nothing")
    from sklearn.manifold import TSNE

    # Fifty components hold nearly everything, and the search for neighbours is much faster among them, as the paper does.
    reduced = pca(codes, min(50, *codes.shape))[0]
    return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced), np.float64)
