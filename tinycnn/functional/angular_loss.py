"""Softmax losses of angles: a class's score is the cosine between the sample's vector and its own, the right class handicapped by a margin."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, labels_of, real
from .bounds import clamp, where
from .classification_loss import cross_entropy
from .elementwise import add, div, mul, sub
from .index import gather
from .linear import linear
from .unary import sqrt, square
from .vector_norm import norm

__all__ = ["arcface_logits", "arcface_loss", "cosface_logits", "cosface_loss", "sphereface_logits", "sphereface_loss"]

LEAST_LENGTH = 1e-12
LEAST_SQUARED_SINE = 1e-12  # below it the sine is held, because its slope grows without bound


def _lengths(x: Tensor) -> Tensor:
    return clamp(norm(x, 2, -1, True), min=LEAST_LENGTH)


def _handicapped(
    name: str, embeddings: Any, weight: Any, target: Any, scale: Any, handicap: Callable[[Tensor], Tensor]
) -> Tensor:
    """scale times the cosines (N, C), that of the right class replaced by `handicap` of it; scale None is each sample's own length."""
    factor = None if scale is None else real(name, "scale", scale, "a number > 0", lambda x: 0 < x < math.inf)
    vectors, centres = float_tensor(name, "embeddings", embeddings), float_tensor(name, "weight", weight)
    same_dtype(name, embeddings=vectors, weight=centres)
    if vectors.data.ndim != 2 or centres.data.ndim != 2 or vectors.data.shape[1] != centres.data.shape[1]:
        raise ShapeError(f"{name}: embeddings has shape {vectors.shape}, weight {centres.shape}; they must be (N, D) and (C, D)")
    labels = labels_of(name, target, vectors.data.shape[:1], centres.data.shape[0], None)[:, np.newaxis]
    lengths = _lengths(vectors)
    cosines = linear(div(vectors, lengths), div(centres, _lengths(centres)))
    right = np.zeros(cosines.data.shape, bool)
    np.put_along_axis(right, labels, True, 1)
    logits = where(Tensor(right), handicap(gather(cosines, 1, Tensor(labels))), cosines)
    return mul(logits, lengths if factor is None else factor)


@operator(
    family="loss",
    kernels=("linear", "wrong_class"),
    differentiable=("embeddings", "weight"),
    kinks="theta = pi - margin; cos theta = 0 if easy",
)
def arcface_logits(
    embeddings: Any, weight: Any, target: Any, scale: float = 64.0, margin: float = 0.5, easy_margin: bool = False
) -> Tensor:
    """Scaled cosines, with a margin added to the angle of the right class: what ArcFace hands to the softmax.

    Shapes
    ------
    (N, D), (C, D), (N,) -> (N, C)

    Formula
    -------
    cos theta[j] = embeddings . weight[j] / (|embeddings| |weight[j]|); y[j] = scale cos theta[j] for j != target;
    y[target] = scale cos(theta + margin) where theta <= pi - margin, else scale (cos theta - margin sin margin), which goes on falling;
    easy_margin: scale cos(theta + margin) where cos theta > 0, else scale cos theta.

    Parameters
    ----------
    embeddings : Tensor
        A vector for each sample.
    weight : Tensor
        A vector for each class.
    target : Tensor of int64
        The right classes.
    scale : float
        s, by which cosines become scores.
    margin : float
        m in radians, from 0 to pi.
    easy_margin : bool
        Leave samples more than 90 degrees away without a margin.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a class that does not exist, an option out of range.

    Notes
    -----
    The tail beyond pi - margin is that of the authors' code, which the paper does not spell out. With margin 0 these are the scaled cosines.

    References
    ----------
    Deng et al. 2019, "ArcFace: additive angular margin loss for deep face recognition" (arXiv 1801.07698), equation 3.

    Examples
    --------
    >>> import math, tinycnn
    >>> x, w = [[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    >>> [round(y, 3) for y in tinycnn.functional.arcface_logits(x, w, [0], scale=2.0, margin=math.pi / 3).tolist()[0]]
    [1.0, 0.0]
    """
    name = "arcface_logits"
    angle = real(name, "margin", margin, "an angle in radians from 0 to pi", lambda x: 0 <= x <= math.pi)

    def handicap(cosine: Tensor) -> Tensor:
        sine = sqrt(clamp(sub(1.0, square(cosine)), min=LEAST_SQUARED_SINE))
        turned = sub(mul(cosine, math.cos(angle)), mul(sine, math.sin(angle)))
        if easy_margin:
            return where(Tensor(cosine.data > 0), turned, cosine)
        return where(Tensor(cosine.data > -math.cos(angle)), turned, sub(cosine, angle * math.sin(angle)))

    # Without a margin the sine does not matter, and must not stop the gradient.
    return _handicapped(name, embeddings, weight, target, scale, handicap if angle else lambda cosine: cosine)


@operator(family="loss", kernels=("linear", "wrong_class"), differentiable=("embeddings", "weight"))
def cosface_logits(embeddings: Any, weight: Any, target: Any, scale: float = 64.0, margin: float = 0.35) -> Tensor:
    """Scaled cosines, with a margin taken off the cosine of the right class: what CosFace hands to the softmax.

    Shapes
    ------
    (N, D), (C, D), (N,) -> (N, C)

    Formula
    -------
    y[j] = scale (cos theta[j] - margin [j = target])

    Parameters
    ----------
    embeddings, weight, target, scale
        As in `arcface_logits`.
    margin : float
        m, in units of the cosine, 0 or more.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a class that does not exist, an option out of range.

    References
    ----------
    Wang et al. 2018, "CosFace: large margin cosine loss for deep face recognition" (arXiv 1801.09414), equation 4.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.cosface_logits([[2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [0], scale=4.0, margin=0.25).tolist()
    [[3.0, 0.0]]
    """
    name = "cosface_logits"
    gap = real(name, "margin", margin, "a number >= 0", lambda x: 0 <= x < math.inf)
    return _handicapped(name, embeddings, weight, target, scale, lambda cosine: sub(cosine, gap))


@operator(family="loss", kernels=("linear", "wrong_class"), differentiable=("embeddings", "weight"))
def sphereface_logits(embeddings: Any, weight: Any, target: Any, scale: float | None = None, margin: int = 4) -> Tensor:
    """Scaled cosines, with the angle of the right class multiplied: what SphereFace hands to the softmax.

    Shapes
    ------
    (N, D), (C, D), (N,) -> (N, C)

    Formula
    -------
    y[j] = s cos theta[j] for j != target; y[target] = s psi(theta), psi(theta) = (-1)^k cos(m theta) - 2 k with k = floor(m theta / pi), which falls
    from 1 to 1 - 2 m over the half turn.

    Parameters
    ----------
    embeddings, weight, target
        As in `arcface_logits`.
    scale : float, optional
        s; each sample's own length if left out, as in the paper.
    margin : int
        m, a whole number from 1; 1 is no margin.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a class that does not exist, an option out of range.

    Notes
    -----
    The authors' code anneals between cos theta and psi (lambda from 1000 down to 5); this is psi itself. cos(m theta) is the Chebyshev polynomial of
    cos theta, so that no arc cosine with its unbounded slope is needed.

    References
    ----------
    Liu et al. 2017, "SphereFace: deep hypersphere embedding for face recognition" (arXiv 1704.08063), equation 7.

    Examples
    --------
    >>> import tinycnn
    >>> x, w = [[2.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]
    >>> tinycnn.functional.sphereface_logits(x, w, [0], margin=2).tolist()  # psi(90 degrees) = -cos(180 degrees) - 2
    [[-2.0, 2.0]]
    """
    name = "sphereface_logits"
    if isinstance(margin, bool) or not isinstance(margin, int | np.integer) or not 1 <= margin <= 64:
        raise ArgumentError(f"{name}: margin must be a whole number from 1 to 64, not {margin!r}")

    def handicap(cosine: Tensor) -> Tensor:
        angles = np.arccos(np.clip(cosine.data, -1, 1))
        turns = np.clip(np.floor(margin * angles / math.pi), 0, margin - 1)
        before, polynomial = cosine * 0.0 + 1.0, cosine
        for _ in range(margin - 1):
            before, polynomial = polynomial, sub(mul(mul(cosine, 2.0), polynomial), before)
        sign = Tensor((1 - 2 * (turns % 2)).astype(cosine.data.dtype))
        return add(mul(polynomial, sign), Tensor((-2 * turns).astype(cosine.data.dtype)))

    return _handicapped(name, embeddings, weight, target, scale, handicap)


@operator(
    family="loss",
    kernels=("linear", "softmax_cross_entropy"),
    differentiable=("embeddings", "weight"),
    kinks="theta = pi - margin; cos theta = 0 if easy",
)
def arcface_loss(
    embeddings: Any,
    weight: Any,
    target: Any,
    scale: float = 64.0,
    margin: float = 0.5,
    easy_margin: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """The cross-entropy of `arcface_logits`.

    Shapes
    ------
    (N, D), (C, D), (N,) -> () or, with reduction "none", (N,)

    Formula
    -------
    loss = -log softmax(arcface_logits)[target]

    Parameters
    ----------
    embeddings, weight, target, scale, margin, easy_margin
        As in `arcface_logits`.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `arcface_logits`.

    References
    ----------
    Deng et al. 2019, "ArcFace" (arXiv 1801.07698), equation 3.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.arcface_loss([[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], [0], margin=0.0).item(), 4)  # two equal classes: ln 2
    0.6931
    """
    one_of("arcface_loss", "reduction", reduction, REDUCTIONS)
    return cross_entropy(arcface_logits(embeddings, weight, target, scale, margin, easy_margin), target, reduction=reduction)


@operator(family="loss", kernels=("linear", "softmax_cross_entropy"), differentiable=("embeddings", "weight"))
def cosface_loss(
    embeddings: Any, weight: Any, target: Any, scale: float = 64.0, margin: float = 0.35, *, reduction: str = "mean"
) -> Tensor:
    """The cross-entropy of `cosface_logits`.

    Shapes
    ------
    (N, D), (C, D), (N,) -> () or, with reduction "none", (N,)

    Formula
    -------
    loss = -log softmax(cosface_logits)[target]

    Parameters
    ----------
    embeddings, weight, target, scale, margin
        As in `cosface_logits`.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `cosface_logits`.

    References
    ----------
    Wang et al. 2018, "CosFace" (arXiv 1801.09414), equation 4.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.cosface_loss([[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], [0], margin=0.0).item(), 4)  # ln 2
    0.6931
    """
    one_of("cosface_loss", "reduction", reduction, REDUCTIONS)
    return cross_entropy(cosface_logits(embeddings, weight, target, scale, margin), target, reduction=reduction)


@operator(family="loss", kernels=("linear", "softmax_cross_entropy"), differentiable=("embeddings", "weight"))
def sphereface_loss(
    embeddings: Any, weight: Any, target: Any, scale: float | None = None, margin: int = 4, *, reduction: str = "mean"
) -> Tensor:
    """The cross-entropy of `sphereface_logits`.

    Shapes
    ------
    (N, D), (C, D), (N,) -> () or, with reduction "none", (N,)

    Formula
    -------
    loss = -log softmax(sphereface_logits)[target]

    Parameters
    ----------
    embeddings, weight, target, scale, margin
        As in `sphereface_logits`.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `sphereface_logits`.

    References
    ----------
    Liu et al. 2017, "SphereFace" (arXiv 1704.08063), equation 7.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.sphereface_loss([[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], [0], margin=1).item(), 4)  # ln 2
    0.6931
    """
    one_of("sphereface_loss", "reduction", reduction, REDUCTIONS)
    return cross_entropy(sphereface_logits(embeddings, weight, target, scale, margin), target, reduction=reduction)
