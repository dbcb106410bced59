"""Losses of overlap: surrogates of the Dice coefficient and of the Jaccard index (intersection over union)."""

import math
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, class_axis, labels_of, real, reduced
from .activation import sigmoid
from .elementwise import add, div, mul, sub
from .reduction import sum as total
from .softmax import softmax
from .unary import square

__all__ = ["dice_loss", "lovasz_hinge", "lovasz_softmax"]


def _ignored(name: str, ignore_index: Any) -> int | None:
    if ignore_index is not None and (isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer)):
        raise ArgumentError(f"{name}: ignore_index must be a whole number or None, not {ignore_index!r}")
    return None if ignore_index is None else int(ignore_index)


def _masks(name: str, target: Any, tensor: Tensor, shape: tuple[int, int, int], ignore_index: int | None) -> tuple[np.ndarray, np.ndarray]:
    """What is wanted of each class (N, C, P), and which places count (N, 1, P)."""
    given = as_tensor(target)
    whole = tensor.data.shape
    if given.data.shape == whole and given.data.dtype.kind in "fb":
        if given.data.dtype.kind == "f":
            same_dtype(name, input=tensor, target=float_tensor(name, "target", given))
        return given.data.astype(tensor.data.dtype).reshape(shape), np.ones((shape[0], 1, shape[2]), tensor.data.dtype)
    if given.data.dtype.kind not in "iu":
        raise DtypeError(f"{name}: target is {given.data.dtype} of shape {given.shape}; give class indices, or masks of input's shape {whole}")
    place_shape = whole[:1] + whole[2:]
    # -1 - C is no class: nothing carries it.
    ignored = -1 - shape[1] if ignore_index is None else ignore_index
    labels = labels_of(name, given, place_shape, max(shape[1], 2), ignored).reshape(shape[0], 1, shape[2])
    kept = (labels != ignored).astype(tensor.data.dtype)
    # One channel is the probability of class 1.
    classes = np.arange(shape[1]).reshape(1, -1, 1) if shape[1] > 1 else np.ones((1, 1, 1), np.int64)
    return (labels == classes).astype(tensor.data.dtype) * kept, kept


@operator(family="loss", kernels=("wrong_class",), differentiable=("input",))
def dice_loss(
    input: Any,
    target: Any,
    *,
    activation: str | None = "softmax",
    smooth: float = 1.0,
    squared: bool = False,
    average: str = "class",
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """One minus the soft Dice coefficient: how little the predicted masks and the true ones overlap.

    Shapes
    ------
    (N, C, d1, ...), (N, d1, ...) -> (); a target of floats or bools has input's shape. With reduction "none": (C,) for average "class",
    (N, C) for "sample", () for "overall".

    Formula
    -------
    With p the probabilities and t the masks: loss = 1 - (2 sum p t + smooth) / (sum p^a + sum t^a + smooth), a = 2 if squared else 1;
    grad_p = (-2 t D + (2 sum p t + smooth) a p^(a - 1)) / D^2, D the denominator.

    Parameters
    ----------
    input : Tensor
        Scores, or with activation None probabilities.
    target : Tensor
        Class indices, or masks with one channel a class. With one channel of input, class 1 is the object.
    activation : "softmax", "sigmoid" or None
        What makes probabilities of input: over the classes, or each for itself.
    smooth : float
        Added above and below: the loss of an empty mask predicted empty is 0, not 0/0.
    squared : bool
        Square the terms of the denominator, as V-Net does.
    average : str
        What the sums run over: "class" all places of the batch, "sample" those of one image, "overall" all places and classes.
    ignore_index : int, optional
        Places with this class index count nowhere.
    reduction : str
        "mean", "sum" or "none" of the coefficients that `average` leaves.

    Returns
    -------
    Tensor
        From 0 to 1.

    Raises
    ------
    ShapeError, DtypeError
        If target does not fit. ArgumentError: a class that does not exist, an option out of range.

    Notes
    -----
    The paper's denominator has squares; most codes since have none. MONAI sums per sample, nnU-Net over the batch; smooth goes from 1e-5 to 1.

    References
    ----------
    Milletari, Navab and Ahmadi 2016, "V-Net" (arXiv 1606.04797), section 3. Drozdzal et al. 2016 (arXiv 1608.04117): without squares.

    Examples
    --------
    >>> import tinycnn
    >>> probabilities = [[[0.5, 1.0]]]  # one image, one class, two places
    >>> tinycnn.functional.dice_loss(probabilities, [[[0.0, 1.0]]], activation=None, smooth=0.5).item()  # 1 - (2 + 0.5) / (2.5 + 0.5)
    0.1666666865348816
    """
    name = "dice_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    one_of(name, "average", average, ("class", "sample", "overall"))
    little = real(name, "smooth", smooth, "a number >= 0", lambda x: 0 <= x < math.inf)
    if activation is not None:
        one_of(name, "activation", activation, ("softmax", "sigmoid"))
    tensor, _, shape, _ = class_axis(name, input)
    if tensor.data.ndim < 2:
        raise ShapeError(f"{name}: input has shape {tensor.shape}; it must be (N, C, d1, ...)")
    masks, kept = _masks(name, target, tensor, shape, _ignored(name, ignore_index))
    scores = tensor.reshape(shape)
    p = scores if activation is None else softmax(scores, 1) if activation == "softmax" else sigmoid(scores)
    p, t = mul(p, Tensor(kept)), Tensor(masks)
    axes = {"class": (0, 2), "sample": (2,), "overall": (0, 1, 2)}[average]
    sizes = add(total(square(p), axes), total(square(t), axes)) if squared else add(total(p, axes), total(t, axes))
    overlap = add(mul(total(mul(p, t), axes), 2.0), little)
    return reduced(sub(1.0, div(overlap, add(sizes, little))), reduction)


def _jaccard_slopes(errors: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The gradient of the Lovasz extension of the Jaccard loss at `errors`, in their order; truth holds 0 and 1."""
    order = np.argsort(-errors, kind="stable")
    wanted = truth[order].astype(np.float64)
    intersection = wanted.sum() - np.cumsum(wanted)
    union = wanted.sum() + np.cumsum(1 - wanted)
    jaccard = 1 - intersection / union
    slopes = np.empty(errors.shape, np.float64)
    slopes[order] = np.diff(jaccard, prepend=0.0)
    return slopes


def _mean_of_groups(name: str, tensor: Tensor, values: list[Any], slopes: np.ndarray, groups: list[int], reduction: str) -> Tensor:
    """Reduce the losses of images (each the mean of some), whose gradients `slopes` holds image by image."""
    losses = np.asarray(values, slopes.dtype)
    weights = np.asarray(groups)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        spread = grad[weights].reshape(-1, *(1,) * (slopes.ndim - 1))
        return ((slopes * spread).reshape(tensor.data.shape),)

    return reduced(record(name, losses, (tensor,), backward), reduction)


@operator(family="loss", kernels=("wrong_class",), differentiable=("input",), kinks="equal errors, and a margin just kept")
def lovasz_hinge(input: Any, target: Any, per_image: bool = True, ignore_index: int | None = None, *, reduction: str = "mean") -> Tensor:
    """The Lovasz extension of the Jaccard loss at the hinges of a two-class segmentation.

    Shapes
    ------
    (N, d1, ...), (N, d1, ...) -> () or, with reduction "none", (N,), or (1,) without per_image

    Formula
    -------
    m[i] = max(0, 1 - z[i] s[i]), s = 1 for the object and -1 elsewhere; loss = sum_i m[i] g[i], g the increase of 1 - intersection / union as the
    places are got wrong in falling order of m; grad_z[i] = -s[i] g[i] where m[i] > 0.

    Parameters
    ----------
    input : Tensor
        Scores z, above 0 for the object.
    target : Tensor
        0 and 1.
    per_image : bool
        A loss for each image; else one for all places together.
    ignore_index : int, optional
        Places with this target count nowhere.
    reduction : str
        "mean", "sum" or "none" of those losses.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Where errors are all 0 or 1 the loss is the Jaccard loss of the set of places that are wrong. Nothing left to count costs 0.

    References
    ----------
    Berman, Rannen Triki and Blaschko 2018, "The Lovasz-Softmax loss" (arXiv 1705.08790), section 3 and algorithm 1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.lovasz_hinge([[2.0, -2.0, 0.0]], [[1, 0, 1]]).item()  # half of the object is missed by 1
    0.5
    """
    name = "lovasz_hinge"
    one_of(name, "reduction", reduction, REDUCTIONS)
    tensor = float_tensor(name, "input", input)
    if tensor.data.ndim < 1:
        raise ShapeError(f"{name}: input is a single number; it must be (N, d1, ...)")
    given = as_tensor(target)
    if given.data.dtype.kind == "b":
        given = Tensor(given.data.astype(np.int64))
    ignored = -1 if _ignored(name, ignore_index) is None else ignore_index
    if ignore_index is None and given.data.dtype.kind in "iu" and given.data.size and given.data.min() < 0:
        raise ArgumentError(f"{name}: target goes down to {given.data.min()}; it is 0 or 1, or ignore_index where that is named")
    labels = labels_of(name, given, tensor.data.shape, 2, ignored)
    rows = tensor.data.shape[0] if per_image else 1
    places = tensor.data.size // max(rows, 1)
    z, labels = tensor.data.reshape(rows, places), labels.reshape(rows, places)
    values, slopes = [], np.zeros(z.shape, z.dtype)
    for n in range(rows):
        kept = labels[n] != ignored
        truth = labels[n, kept] == 1
        sign = np.where(truth, 1, -1)
        errors = 1 - z[n, kept] * sign.astype(z.dtype)
        steps = _jaccard_slopes(errors, truth)
        paid = np.where(errors <= 0, z.dtype.type(0), errors)
        values.append((paid * steps).sum())
        slopes[n, kept] = -sign * steps * np.sign(paid)
    return _mean_of_groups(name, tensor, values, slopes, list(range(rows)), reduction)


@operator(family="loss", kernels=("wrong_class",), differentiable=("input",), kinks="equal errors")
def lovasz_softmax(
    input: Any,
    target: Any,
    classes: str | list[int] = "present",
    per_image: bool = False,
    ignore_index: int | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """The Lovasz extension of the Jaccard loss of each class at the errors of the probabilities, averaged over the classes.

    Shapes
    ------
    (N, C, d1, ...), (N, d1, ...) -> () or, with reduction "none", (N,) with per_image, else (1,)

    Formula
    -------
    e_c[i] = |[target[i] = c] - p_c[i]|; loss = mean over c of sum_i e_c[i] g_c[i], g_c the increase of 1 - intersection / union as the places are got
    wrong in falling order of e_c; grad_p_c[i] = -g_c[i] where target[i] = c, else g_c[i], over the number of classes.

    Parameters
    ----------
    input : Tensor
        Probabilities, such as `softmax(scores, 1)` gives.
    target : Tensor of int64
        Class indices.
    classes : "present", "all" or list of int
        Whose losses are averaged: those that target holds, all, or the ones listed.
    per_image : bool
        A loss for each image; else one for all places together.
    ignore_index : int, optional
        Places with this target count nowhere.
    reduction : str
        "mean", "sum" or "none" of those losses.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    It takes probabilities, as the authors' code does. Where no class is left to average the loss is 0.

    References
    ----------
    Berman, Rannen Triki and Blaschko 2018, "The Lovasz-Softmax loss" (arXiv 1705.08790), equation 12.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.lovasz_softmax([[[1.0, 0.5], [0.0, 0.5]]], [[0, 1]]).item()  # classes 0 and 1: 0.25 and 0.5
    0.375
    """
    name = "lovasz_softmax"
    one_of(name, "reduction", reduction, REDUCTIONS)
    tensor, target_shape, shape, count = class_axis(name, input)
    if tensor.data.ndim < 2:
        raise ShapeError(f"{name}: input has shape {tensor.shape}; it must be (N, C, d1, ...)")
    chosen = _chosen(name, classes, count)
    ignored = -1 - count if _ignored(name, ignore_index) is None else ignore_index
    labels = labels_of(name, target, target_shape, count, ignored).reshape(shape[0], shape[2])
    p = tensor.data.reshape(shape)
    groups = list(range(shape[0])) if per_image else [0] * shape[0]
    values, slopes = [], np.zeros(shape, p.dtype)
    for group in range(shape[0] if per_image else 1):
        images = slice(group, group + 1) if per_image else slice(None)
        kept = labels[images] != ignored
        known = labels[images][kept]
        present = [c for c in chosen if classes != "present" or (known == c).any()]
        value: Any = 0.0
        for c in present:
            truth = known == c
            errors = np.where(truth, 1 - p[images, c][kept], p[images, c][kept])
            steps = _jaccard_slopes(errors, truth) / len(present) if known.size else np.zeros(0)
            value = value + (errors * steps).sum()
            part = np.zeros(kept.shape, p.dtype)
            part[kept] = np.where(truth, -steps, steps)
            slopes[images, c] = part
        values.append(value)
    return _mean_of_groups(name, tensor, values, slopes, groups, reduction)


def _chosen(name: str, classes: Any, count: int) -> list[int]:
    """The classes that are averaged over."""
    if isinstance(classes, str):
        one_of(name, "classes", classes, ("present", "all"))
        return list(range(count))
    try:
        chosen = [int(c) for c in classes]
    except (TypeError, ValueError):
        raise ArgumentError(f'{name}: classes must be "present", "all" or a list of class indices, not {classes!r}') from None
    if not chosen or any(not 0 <= c < count for c in chosen):
        raise ArgumentError(f"{name}: classes {chosen} must name some of the {count} classes, 0 to {count - 1}")
    return chosen
