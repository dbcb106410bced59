"""Distances and similarities of vectors, and the losses of pairs and triplets of them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor, one_of, same_dtype
from ._arrays import axis as checked_axis
from ._arrays import unbroadcast
from ._losses import REDUCTIONS, answers, common_shape, real, reduced
from .bounds import clamp, minimum, where
from .elementwise import add, div, mul, sub
from .reduction import sum as total
from .unary import sqrt, square

__all__ = [
    "contrastive_loss",
    "cosine_embedding_loss",
    "cosine_similarity",
    "pairwise_distance",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

LEAST_SQUARE = 1e-12  # torch's, added to the squared lengths in cosine_embedding_loss


def _two(name: str, first: Any, second: Any, names: tuple[str, str] = ("x1", "x2")) -> tuple[Tensor, Tensor]:
    one, other = float_tensor(name, names[0], first), float_tensor(name, names[1], second)
    same_dtype(name, **{names[0]: one, names[1]: other})
    common_shape(name, **{names[0]: one.data, names[1]: other.data})
    return one, other


@operator(family="loss", differentiable=("x1", "x2"))
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors.

    Shapes
    ------
    (*), (*) -> their broadcast shape without the axis dim

    Formula
    -------
    y = sum_i x1[i] x2[i] / (n1 n2), n = max(|x|, eps); grad_x1[i] = grad (x2[i] / (n1 n2) - y x1[i] / (n1 |x1|)), without the second term
    where |x1| = 0.

    Parameters
    ----------
    x1, x2 : Tensor
        float32 or float64.
    dim : int
        The axis along which the vectors lie, of the broadcast shape.
    eps : float
        The least length.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    The similarity to a zero vector is 0. Each length is bounded on its own, as in torch since 1.13 and TensorFlow; ONNX has no such operator.

    References
    ----------
    Salton, Wong and Yang 1975, "A vector space model for automatic indexing".

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.cosine_similarity([[3.0, 4.0]], [[4.0, 3.0]]).tolist()[0], 4)
    0.96
    """
    name = "cosine_similarity"
    first, second = _two(name, x1, x2)
    least = real(name, "eps", eps, "a number >= 0", lambda x: 0 <= x < math.inf)
    shape = common_shape(name, x1=first.data, x2=second.data)
    place = checked_axis(name, dim, len(shape))
    # Vectors of zero axes are vectors of one number.
    a, b = (np.broadcast_to(tensor.data, shape or (1,)) for tensor in (first, second))
    kind = a.dtype.type
    wide = object if a.dtype == object else np.float64
    with np.errstate(all="ignore"):
        sizes = [np.sqrt((x * x).sum(place, keepdims=True, dtype=wide)).astype(x.dtype) for x in (a, b)]
        bounded = [np.maximum(size, kind(least)) for size in sizes]
        u, v = a / bounded[0], b / bounded[1]
        y = (u * v).sum(place, keepdims=True)

    def slope(x: np.ndarray, other: np.ndarray, size: np.ndarray, bound: np.ndarray, grad: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            direction = np.where(size == 0, kind(0), x / size)
            return grad * (other - y * direction) / bound

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = grad.reshape(y.shape)
        return (
            unbroadcast(slope(a, v, sizes[0], bounded[0], upstream).reshape(shape), first.data) if needs[0] else None,
            unbroadcast(slope(b, u, sizes[1], bounded[1], upstream).reshape(shape), second.data) if needs[1] else None,
        )

    return record(name, y.squeeze(place) if shape else y.reshape(()), (first, second), backward, (first, second))


def _lengths(d: np.ndarray, p: float) -> np.ndarray:
    """The p-norms along the last axis, which stays with size 1."""
    size = np.abs(d)
    if p == 0:
        return (size != 0).sum(-1, keepdims=True).astype(d.dtype)
    if p == math.inf:
        return size.max(-1, keepdims=True, initial=0)
    if p == -math.inf:
        return size.min(-1, keepdims=True)
    if p == 1:
        return size.sum(-1, keepdims=True)
    return np.sqrt((d * d).sum(-1, keepdims=True)) if p == 2 else (size**p).sum(-1, keepdims=True) ** (1 / p)


def _length_slopes(d: np.ndarray, lengths: np.ndarray, p: float) -> np.ndarray:
    """The derivative of the p-norm by each number, p not 2; 0 for vectors of length 0."""
    zero = d.dtype.type(0)
    if p == 0:
        return np.zeros(d.shape, d.dtype)
    if p == 1:
        return np.sign(d)
    if math.isinf(p):
        largest = np.abs(d) == lengths
        return np.sign(d) * largest / np.maximum(largest.sum(-1, keepdims=True), 1).astype(d.dtype)
    slopes = np.sign(d) * (np.abs(d) / lengths) ** (p - 1)
    return np.where((lengths == 0) | ((d == 0) & (p < 2)), zero, slopes)


@operator(family="loss", differentiable=("x1", "x2"), kinks="distance 0, where the gradient is 0")
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of the differences of vectors.

    Shapes
    ------
    (*, D), (*, D) -> (*), with keepdim (*, 1); they broadcast.

    Formula
    -------
    d[i] = x1[i] - x2[i] + eps; y = (sum_i |d[i]|^p)^(1/p); grad_x1[i] = grad sign(d[i]) (|d[i]| / y)^(p - 1) = -grad_x2[i], 0 where y = 0.

    Parameters
    ----------
    x1, x2 : Tensor
        float32 or float64.
    p : float
        The norm: 2 Euclidean, 1 city block, infinity the largest, 0 the number of differences.
    eps : float
        Added to every difference, so that equal vectors have a gradient.
    keepdim : bool
        Keep the last axis with size 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    eps is added to the signed difference, as in torch: the distance is not quite symmetric, and equal vectors are eps sqrt(D) apart.

    References
    ----------
    Deza and Deza 2009, "Encyclopedia of Distances", section 5.2 (norm metrics).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.pairwise_distance([[0.0, 0.0]], [[3.0, 4.0]], eps=0.0).tolist()
    [5.0]
    """
    name = "pairwise_distance"
    first, second = _two(name, x1, x2)
    norm, little = real(name, "p", p), real(name, "eps", eps, "a finite number", math.isfinite)
    if not common_shape(name, x1=first.data, x2=second.data):
        raise ShapeError(f"{name}: x1 and x2 are single numbers; they must be vectors (D,) or rows of them (N, D)")
    with np.errstate(all="ignore"):
        d = np.asarray(first.data - second.data)
        d += d.dtype.type(little)
        if norm == -math.inf and not d.shape[-1]:
            raise ShapeError(f"{name}: the least of no differences does not exist; x1 has shape {first.shape}")
        lengths = _lengths(d, norm)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = grad.reshape(lengths.shape)
        with np.errstate(all="ignore"):
            if norm == 2:
                slopes = d * np.where(lengths == 0, d.dtype.type(0), upstream / lengths)
            else:
                slopes = _length_slopes(d, lengths, norm) * upstream
        return (unbroadcast(slopes, first.data) if needs[0] else None, unbroadcast(-slopes, second.data) if needs[1] else None)

    return record(name, lengths if keepdim else lengths[..., 0], (first, second), backward)


@operator(family="loss", differentiable=("input1", "input2"), kinks="cosine = margin where target is -1")
def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean") -> Tensor:
    """Pairs by their angle: like ones should point the same way, unlike ones at least some angle apart.

    Shapes
    ------
    (N, D), (N, D), (N,) -> () or, with reduction "none", (N,); (D,), (D,), () -> ()

    Formula
    -------
    c = cosine of input1 and input2; loss = 1 - c where y = 1, max(0, c - margin) where y = -1.

    Parameters
    ----------
    input1, input2 : Tensor
        Vectors.
    target : Tensor
        y, 1 for like and -1 for unlike pairs.
    margin : float
        The cosine up to which unlike pairs cost nothing, from -1 to 1.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    1e-12 is added to each squared length, as in torch. Any other y costs nothing.

    References
    ----------
    Chopra, Hadsell and LeCun 2005, "Learning a similarity metric discriminatively, with application to face verification".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.cosine_embedding_loss([[1.0, 0.0]], [[0.0, 1.0]], [1]).item()
    1.0
    """
    name = "cosine_embedding_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    first, second = _two(name, input1, input2, ("input1", "input2"))
    like = answers(name, "target", target, first)
    shapes = (first.data.shape, second.data.shape, like.data.shape)
    if len(shapes[0]) != len(shapes[1]) or len(shapes[0]) not in (1, 2) or len(shapes[2]) != len(shapes[0]) - 1:
        raise ShapeError(f"{name}: input1, input2, target have shapes {shapes}; they must be (N, D), (N, D), (N,), or (D,), (D,), ()")
    product = total(mul(first, second), -1)
    squares = mul(add(total(square(first), -1), LEAST_SQUARE), add(total(square(second), -1), LEAST_SQUARE))
    cosine = div(product, sqrt(squares))
    common_shape(name, pairs=cosine.data, target=like.data)
    unlike = clamp(sub(cosine, real(name, "margin", margin)), min=0.0)
    losses = where(Tensor(like.data == 1), sub(1.0, cosine), where(Tensor(like.data == -1), unlike, 0.0))
    return reduced(losses, reduction)


@operator(family="loss", differentiable=("anchor", "positive", "negative"), kinks="where the margin is just kept")
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """The anchor should be closer to a vector of its own class than to one of another, by a margin.

    Shapes
    ------
    (N, D), (N, D), (N, D) -> () or, with reduction "none", (N,); (D,) thrice -> ()

    Formula
    -------
    loss = max(0, margin + d(anchor, positive) - d(anchor, negative)), d = `pairwise_distance`;
    with swap d(anchor, negative) is min(d(anchor, negative), d(positive, negative)).

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Vectors, equally many axes; they broadcast.
    margin : float
        In units of the distance, above 0.
    p, eps
        As in `pairwise_distance`.
    swap : bool
        Let the positive take the anchor's place where it is closer to the negative.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    FaceNet squares the distances of unit vectors; this is torch's, without squares. `triplet_loss_batch` finds the triplets of a batch itself.

    References
    ----------
    Schroff, Kalenichenko and Philbin 2015, "FaceNet" (arXiv 1503.03832). Balntas et al. 2016, "Learning local feature descriptors with triplets and
    shallow convolutional neural networks": swap.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.triplet_margin_loss([[0.0]], [[3.0]], [[1.0]]).item(), 4)  # 1 + 3 - 1
    3.0
    """
    name = "triplet_margin_loss"
    real(name, "p", p)
    real(name, "eps", eps, "a finite number", math.isfinite)
    return _triplets(name, (anchor, positive, negative), lambda a, b: pairwise_distance(a, b, p, eps), margin, swap, reduction)


def _triplets(
    name: str, vectors: tuple[Any, Any, Any], distance: Callable[[Any, Any], Any], margin: float, swap: bool, reduction: str
) -> Tensor:
    one_of(name, "reduction", reduction, REDUCTIONS)
    gap = real(name, "margin", margin, "a number > 0", lambda x: x > 0)
    names = ("anchor", "positive", "negative")
    anchor, positive, negative = (float_tensor(name, argument, value) for argument, value in zip(names, vectors, strict=True))
    same_dtype(name, anchor=anchor, positive=positive, negative=negative)
    shapes = (anchor.data.shape, positive.data.shape, negative.data.shape)
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"{name}: anchor, positive and negative have shapes {shapes}; they must have equally many axes")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    with np.errstate(all="ignore"):  # infinity gives NaN, without a warning
        return reduced(clamp(sub(add(near, gap), far), min=0.0), reduction)


@operator(family="loss", differentiable=("anchor", "positive", "negative"), kinks="where the margin is just kept")
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own.

    Shapes
    ------
    (N, D), (N, D), (N, D) -> () or, with reduction "none", the shape of the distances

    Formula
    -------
    loss = max(0, margin + d(anchor, positive) - d(anchor, negative))

    Parameters
    ----------
    anchor, positive, negative : Tensor
        Vectors, equally many axes.
    distance_function : function of two tensors, optional
        d, made of differentiable functions; `pairwise_distance` if left out.
    margin, swap, reduction
        As in `triplet_margin_loss`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    References
    ----------
    Schroff, Kalenichenko and Philbin 2015, "FaceNet" (arXiv 1503.03832).

    Examples
    --------
    >>> import tinycnn
    >>> F = tinycnn.functional
    >>> angle = lambda a, b: 1.0 - F.cosine_similarity(a, b)
    >>> F.triplet_margin_with_distance_loss([[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]], distance_function=angle, margin=1.5).item()
    0.5
    """
    name = "triplet_margin_with_distance_loss"
    if distance_function is not None and not callable(distance_function):
        raise ArgumentError(f"{name}: distance_function must be a function of two tensors, not {distance_function!r}")
    return _triplets(name, (anchor, positive, negative), distance_function or pairwise_distance, margin, swap, reduction)


@operator(family="loss", differentiable=("input1", "input2"), kinks="distance 0, and distance = margin for unlike pairs")
def contrastive_loss(
    input1: Any, input2: Any, target: Any, margin: float = 1.0, *, form: str = "linear", p: float = 2.0, eps: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """Like pairs are drawn together, unlike pairs pushed apart up to a margin.

    Shapes
    ------
    (*, D), (*, D), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    With d = `pairwise_distance`: "linear" is y d + (1 - y) max(0, margin - d), "hadsell" is y d^2 / 2 + (1 - y) max(0, margin - d)^2 / 2.

    Parameters
    ----------
    input1, input2 : Tensor
        Vectors.
    target : Tensor
        y, 1 for like and 0 for unlike pairs, or between.
    margin : float
        The distance from which unlike pairs cost nothing.
    form : str
        "linear" or "hadsell".
    p, eps
        As in `pairwise_distance`.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Hadsell's paper calls like pairs Y = 0 and unlike ones Y = 1; here 1 is like in both forms. At distance 0 the gradient is 0, so eps = 0 is safe.

    References
    ----------
    Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping", equation 4.

    Examples
    --------
    >>> import tinycnn
    >>> F = tinycnn.functional
    >>> a, b = [[0.0, 0.0], [0.0, 0.0]], [[3.0, 4.0], [3.0, 4.0]]
    >>> F.contrastive_loss(a, b, [1, 0], margin=7.0, reduction="none").tolist()
    [5.0, 2.0]
    >>> F.contrastive_loss(a, b, [1, 0], margin=7.0, form="hadsell", reduction="none").tolist()
    [12.5, 2.0]
    """
    name = "contrastive_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    one_of(name, "form", form, ("linear", "hadsell"))
    gap = real(name, "margin", margin, "a number >= 0", lambda x: 0 <= x < math.inf)
    first, second = _two(name, input1, input2, ("input1", "input2"))
    like = answers(name, "target", target, first)
    d = pairwise_distance(first, second, p, eps)
    if like.data.shape != d.data.shape:
        raise ShapeError(f"{name}: target has shape {like.shape}, but the pairs ask for {d.shape}, one number a pair")
    near, far = d, clamp(sub(gap, d), min=0.0)
    if form == "hadsell":
        near, far = mul(square(near), 0.5), mul(square(far), 0.5)
    return reduced(add(mul(like, near), mul(sub(1.0, like), far)), reduction)
