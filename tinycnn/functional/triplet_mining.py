"""The triplet loss on the triplets that a batch of labelled vectors holds."""

import math
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ShapeError
from ..random import default_generator
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor, one_of
from ._losses import REDUCTIONS, elementwise, labels_of, real, reduced
from .bounds import clamp
from .elementwise import add, div, sub
from .index import index_select
from .product import matmul
from .reduction import sum as total
from .vector_norm import norm

__all__ = ["triplet_loss_batch"]

MININGS = ("hard", "semi-hard", "all", "random")


def _distances(x: Tensor, squared: bool) -> Tensor:
    """The Euclidean distances (B, B) of all pairs, from their differences: a product of matrices would lose the digits of small ones."""
    rows = x.data
    squares = np.empty((len(rows), len(rows)), rows.dtype)
    for i, row in enumerate(rows):
        difference = rows - row
        squares[i] = (difference * difference).sum(1)
    y = squares if squared else np.sqrt(squares)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        if squared:
            pull = 2 * grad
        else:
            with np.errstate(all="ignore"):
                pull = np.where(y == 0, y.dtype.type(0), grad / y)
        both = pull + pull.T
        return (both.sum(1)[:, np.newaxis] * rows - both @ rows,)

    return record("distances", y, (x,), backward, (x,))


def _triplets(d: np.ndarray, labels: np.ndarray, gap: float, mining: str, generator: np.random.Generator) -> np.ndarray:
    """(T, 3) of anchors, positives and negatives."""
    like = labels[:, np.newaxis] == labels
    other = ~like
    np.fill_diagonal(like, False)
    if mining == "hard":
        anchors = np.flatnonzero(like.any(1) & other.any(1))
        furthest = np.where(like, d, -np.inf).argmax(1)
        closest = np.where(other, d, np.inf).argmin(1)
        return np.stack([anchors, furthest[anchors], closest[anchors]], 1)
    if mining == "all":
        return np.argwhere(like[:, :, np.newaxis] & other[:, np.newaxis, :])
    found = []
    for a, p in np.argwhere(like):
        if mining == "random":
            choice = np.flatnonzero(other[a])
            if choice.size:
                found.append((a, p, generator.choice(choice)))
            continue
        band = other[a] & (d[a] > d[a, p]) & (d[a] < d[a, p] + gap)
        if band.any():
            found.append((a, p, np.where(band, d[a], np.inf).argmin()))
    return np.asarray(found, np.int64).reshape(-1, 3)


@operator(family="loss", kernels=("wrong_class",), differentiable=("embeddings",), kinks="equal distances, and a margin just kept")
def triplet_loss_batch(
    embeddings: Any,
    labels: Any,
    margin: float | str = 1.0,
    mining: str = "hard",
    *,
    distance: str = "euclidean",
    reduction: str = "mean",
    generator: np.random.Generator | None = None,
) -> Tensor:
    """The triplet loss with triplets found in the batch: anchor and positive of one label, the negative of another.

    Shapes
    ------
    (B, D), (B,) -> () or, with reduction "none", (T,), T triplets

    Formula
    -------
    loss = max(0, margin + d(a, p) - d(a, n)), or with margin "soft" log(1 + e^(d(a, p) - d(a, n))), over these triplets:
    "hard": for each anchor a the furthest p and the closest n; "semi-hard": for each pair (a, p) the closest n with
    d(a, p) < d(a, n) < d(a, p) + margin, pairs without one left out; "all": every triplet; "random": for each pair (a, p) one n drawn evenly.

    Parameters
    ----------
    embeddings : Tensor
        Vectors.
    labels : Tensor of int64
        The identity of each, 0 or more.
    margin : float or "soft"
        In units of the distance, above 0.
    mining : str
        "hard", "semi-hard", "all" or "random".
    distance : str
        "euclidean", "squared" (Euclidean) or "cosine" (1 - cosine).
    reduction : str
        "mean" over the triplets, "nonzero" over those that still cost something, "sum" or "none".
    generator : numpy.random.Generator, optional
        For "random"; the package's if left out.

    Returns
    -------
    Tensor
        0 where the batch has no triplet.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Mining chooses by the values; the gradient goes through the distances only. FaceNet has squared distances of unit vectors and takes any semi-hard
    negative; TensorFlow Addons falls back on the furthest negative where no semi-hard one exists. Hermans reports that hard mining with a hard
    margin can collapse to one point, where the loss is the margin.

    References
    ----------
    Schroff, Kalenichenko and Philbin 2015, "FaceNet" (arXiv 1503.03832), section 3.2: semi-hard. Hermans, Beyer and Leibe 2017, "In defense of the
    triplet loss" (arXiv 1703.07737), equations 5 to 7: batch hard, batch all, soft margin.

    Examples
    --------
    >>> import tinycnn
    >>> # Anchor by anchor: 1 + 1 - 2, 1 + 1 - 1, and no positive for the last.
    >>> tinycnn.functional.triplet_loss_batch([[0.0], [1.0], [2.0]], [7, 7, 8], reduction="none").tolist()
    [0.0, 1.0]
    """
    name = "triplet_loss_batch"
    one_of(name, "reduction", reduction, (*REDUCTIONS, "nonzero"))
    one_of(name, "mining", mining, MININGS)
    one_of(name, "distance", distance, ("euclidean", "squared", "cosine"))
    soft = isinstance(margin, str) and one_of(name, "margin", margin, ("soft",)) == "soft"
    gap = math.inf if soft else real(name, "margin", margin, 'a number > 0, or "soft"', lambda x: x > 0)
    tensor = float_tensor(name, "embeddings", embeddings)
    if tensor.data.ndim != 2:
        raise ShapeError(f"{name}: embeddings has shape {tensor.shape}; it must be (B, D), one vector a sample")
    known = labels_of(name, labels, tensor.data.shape[:1], 2**62, None)
    if distance == "cosine":
        unit = div(tensor, clamp(norm(tensor, 2, 1, True), min=1e-12))
        d = sub(1.0, matmul(unit, unit.transpose(0, 1)))
    else:
        d = _distances(tensor, distance == "squared")
    chosen = _triplets(d.data, known, gap, mining, default_generator(generator))
    flat = d.reshape((-1,))
    near, far = (index_select(flat, 0, Tensor(chosen[:, 0] * len(known) + chosen[:, column])) for column in (1, 2))
    lead = sub(near, far)
    if soft:
        ones = Tensor(np.ones(lead.data.shape, lead.data.dtype))
        losses = elementwise(name, (sub(0.0, lead), ones), "none", kernel="binary_cross_entropy_with_logits")
    else:
        losses = clamp(add(lead, gap), min=0.0)
    if reduction in ("none", "sum"):
        return reduced(losses, reduction)
    count = int((losses.data > 0).sum()) if reduction == "nonzero" else len(chosen)
    return total(losses) * (1.0 / max(count, 1))
