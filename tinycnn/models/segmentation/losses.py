"""What a network that names every pixel learns from: named terms, weighed and added.

References
----------
Long, Shelhamer and Darrell 2015: the softmax cross-entropy of every pixel. Badrinarayanan et al. 2017, section 4.1, after Eigen and Fergus 2015:
median frequency balancing. Takikawa et al. 2019 (arXiv 1907.05740), section 3.3: cross-entropy of edges. Berman et al. 2018; Milletari et al. 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import functional
from ...errors import ArgumentError, DtypeError, ShapeError
from ...tensor import Tensor

__all__ = ["TERMS", "edge_loss", "label_edges", "median_frequency_weights", "segmentation_loss"]

TERMS = ("cross_entropy", "binary", "dice", "lovasz", "edge")
IGNORE = 255


def label_map(function: str, target: Any, shape: tuple[int, ...], num_classes: int, ignore_index: int) -> np.ndarray:
    """A batch of label maps as int64, checked against the scores' shape."""
    labels = np.asarray(target.data if isinstance(target, Tensor) else target)
    if labels.dtype.kind not in "iub":
        raise DtypeError(f"{function}: target must be class numbers, not {labels.dtype}")
    wanted = shape[:1] + shape[2:]
    if labels.shape != wanted:
        raise ShapeError(f"{function}: target is {labels.shape}, but scores {shape} want {wanted}; crop it as the network crops, see unet.centre")
    labels = labels.astype(np.int64)
    counted = labels[labels != ignore_index]
    if counted.size and (counted.min() < 0 or counted.max() >= num_classes):
        raise ArgumentError(
            f"{function}: target holds classes from {counted.min()} to {counted.max()}, the scores have {num_classes}; "
            f"ignore_index={ignore_index} is what it may hold besides"
        )
    return labels


def segmentation_loss(
    output: Any,
    target: Any,
    terms: Mapping[str, float] | None = None,
    *,
    ignore_index: int = IGNORE,
    class_weights: Any = None,
    pixel_weights: Any = None,
    auxiliary: float = 0.5,
) -> tuple[Tensor, dict[str, float]]:
    """The sum of named losses, and what each of them was.

    Shapes
    ------
    (N, C, H, W), (N, H, W) -> (), or a dict of such scores with "out" and perhaps "aux" (N, C, H, W) and "edge" (N, 1, H, W)

    Formula
    -------
    sum over terms of weight loss(out) + auxiliary loss(aux), and for "edge" weight edge_loss(edge)

    Parameters
    ----------
    output
        Scores; one channel is the score of class 1 and goes with "binary", "dice" and "lovasz".
    target
        Classes of the pixels.
    terms
        Weights of `TERMS`: "cross_entropy" (softmax), "binary" (each class for itself), "dice", "lovasz" (softmax, or hinge of one channel),
        "edge"; the cross-entropy alone if left out.
    ignore_index
        The class of pixels that count nowhere.
    class_weights
        (C,), of the cross-entropy; its mean then divides by their sum.
    pixel_weights
        (N, H, W), of cross-entropy and binary: U-Net's weight map.
    auxiliary
        Weight of "aux".

    Returns
    -------
    loss, parts
        The number to minimise, and the unweighted terms as numbers by name.

    Raises
    ------
    ArgumentError
        For an unknown or missing term, or a class that does not exist. ShapeError, DtypeError: target does not fit.

    Notes
    -----
    Where every pixel is ignored each term is 0, not the NaN of an empty mean: a crop may show nothing that is labelled.

    Examples
    --------
    >>> import numpy as np
    >>> scores = np.array([[[[0.0, 9.0]], [[0.0, 0.0]]]])
    >>> loss, parts = segmentation_loss(scores, np.array([[[1, 255]]]), {"cross_entropy": 1.0, "dice": 0.0})
    >>> round(loss.item(), 4), sorted(parts)
    (0.6931, ['cross_entropy', 'dice'])
    """
    weights = dict(terms or {"cross_entropy": 1.0})
    unknown = [name for name in weights if name not in TERMS]
    if unknown:
        raise ArgumentError(f"segmentation_loss: there is no term {unknown[0]!r}; there are {', '.join(TERMS)}")
    maps: dict[str, Any] = output if isinstance(output, dict) else {"out": output}
    maps = {name: one if isinstance(one, Tensor) else Tensor(np.asarray(one)) for name, one in maps.items()}
    if ("edge" in weights) != ("edge" in maps) and "edge" in weights:
        raise ArgumentError("segmentation_loss: the term 'edge' needs a network that gives edges, such as gated_scnn")
    parts: dict[str, float] = {}
    total: Tensor | None = None
    for name, weight in weights.items():
        value = _term(name, maps, target, ignore_index, class_weights, pixel_weights, auxiliary)
        parts[name] = float(value.item())
        total = value * weight if total is None else total + value * weight
    assert total is not None
    return total, parts


def _term(name: str, maps: dict[str, Tensor], target: Any, ignore_index: int, class_weights: Any, pixel_weights: Any, auxiliary: float) -> Tensor:
    """One loss of all outputs that have it."""
    if name == "edge":
        return edge_loss(maps["edge"], label_edges(target, ignore_index=ignore_index))
    value = _loss(name, maps["out"], target, ignore_index, class_weights, pixel_weights)
    if "aux" in maps:
        value = value + _loss(name, maps["aux"], target, ignore_index, class_weights, pixel_weights) * auxiliary
    return value


def _loss(name: str, scores: Tensor, target: Any, ignore_index: int, class_weights: Any, pixel_weights: Any) -> Tensor:
    channels = scores.shape[1]
    labels = label_map("segmentation_loss", target, scores.shape, max(2, channels), ignore_index)
    kept = labels != ignore_index
    if name == "dice":
        return functional.dice_loss(scores, labels, activation="softmax" if channels > 1 else "sigmoid", ignore_index=ignore_index)
    if name == "lovasz":
        if channels == 1:
            return functional.lovasz_hinge(scores[:, 0], labels, ignore_index=ignore_index)
        return functional.lovasz_softmax(functional.softmax(scores, 1), labels, ignore_index=ignore_index)
    counts = kept.astype(scores.data.dtype)
    if pixel_weights is not None:
        counts = counts * np.asarray(pixel_weights, scores.data.dtype)
    if name == "binary":
        classes = np.arange(channels).reshape(1, -1, 1, 1) if channels > 1 else np.ones((1, 1, 1, 1), np.int64)
        masks = (labels[:, None] == classes).astype(scores.data.dtype)
        weight = np.ascontiguousarray(np.broadcast_to(counts[:, None], masks.shape))
        summed = functional.binary_cross_entropy_with_logits(scores, masks, weight, reduction="sum")
        return summed / float(max(1, kept.sum() * channels))
    if channels == 1:
        raise ArgumentError("segmentation_loss: the softmax of one channel is always 1; take the term 'binary', or a network with 2 classes")
    if pixel_weights is None:
        by_class = None if class_weights is None else np.asarray(class_weights, scores.data.dtype)
        reduction = "mean" if kept.any() else "sum"
        return functional.cross_entropy(scores, labels, by_class, ignore_index=ignore_index, reduction=reduction)
    each = functional.cross_entropy(scores, labels, class_weights, ignore_index=ignore_index, reduction="none")
    return functional.sum(each * Tensor(counts)) / float(max(1, kept.sum()))


def label_edges(target: Any, *, thickness: int = 1, ignore_index: int = IGNORE) -> np.ndarray:
    """Where the class changes: 1 within `thickness` pixels of another class, 0 elsewhere, ignore_index where the label is ignored.

    Shapes: (N, H, W) -> (N, H, W) uint8

    Examples
    --------
    >>> label_edges([[[0, 0, 0, 1, 1, 255]]]).tolist()
    [[[0, 0, 1, 1, 0, 255]]]
    """
    labels = np.asarray(target.data if isinstance(target, Tensor) else target).astype(np.int64)
    kept = labels != ignore_index
    edges = np.zeros(labels.shape, bool)
    for axis in (1, 2):
        for step in range(1, thickness + 1):
            if labels.shape[axis] <= step:
                continue
            before = [slice(None)] * 3
            after = [slice(None)] * 3
            before[axis], after[axis] = slice(None, -step), slice(step, None)
            one, other = tuple(before), tuple(after)
            differs = (labels[one] != labels[other]) & kept[one] & kept[other]
            edges[one] |= differs
            edges[other] |= differs
    return np.where(kept, edges, ignore_index).astype(np.uint8)


def edge_loss(scores: Tensor, edges: Any, *, ignore_index: int = IGNORE) -> Tensor:
    """The cross-entropy of edges and of the rest, each with half of the weight, for edges are few.

    Shapes
    ------
    (N, 1, H, W), (N, H, W) -> ()

    Formula
    -------
    loss = sum_i w_i BCE(scores_i, edges_i) / n, w_i = (share of the other kind of pixels), n the pixels that count

    Examples
    --------
    >>> import numpy as np
    >>> round(edge_loss(Tensor(np.zeros((1, 1, 1, 4))), np.array([[[1, 0, 0, 0]]])).item(), 4)  # (3 / 4 + 3 / 4) / 4 log 2
    0.2599
    """
    labels = np.asarray(edges)
    if scores.shape[1:2] != (1,) or scores.shape[:1] + scores.shape[2:] != labels.shape:
        raise ShapeError(f"edge_loss: scores {scores.shape} must be (N, 1, H, W) of edges (N, H, W), which are {labels.shape}")
    kept = labels != ignore_index
    edge = (labels == 1) & kept
    share = edge.sum() / max(1, kept.sum())
    weights = np.where(edge, 1 - share, share) * kept
    kind = scores.data.dtype
    summed = functional.binary_cross_entropy_with_logits(scores, edge[:, None].astype(kind), weights[:, None].astype(kind), reduction="sum")
    return summed / float(max(1, kept.sum()))


def median_frequency_weights(label_maps: Any, num_classes: int, *, ignore_index: int = IGNORE) -> np.ndarray:
    """Weights that make rare classes count as much as the middle one.

    Formula
    -------
    w_c = median over classes of f / f_c, f_c = pixels of class c / pixels of all images in which c occurs; 0 for a class that never does

    Parameters
    ----------
    label_maps
        (H, W) each.
    num_classes, ignore_index
        Classes are 0 to num_classes - 1; ignored pixels count nowhere.

    Raises
    ------
    ArgumentError
        When no pixel counts.

    Examples
    --------
    >>> median_frequency_weights([[[0, 0, 0, 1]], [[0, 0, 0, 0]]], 2).round(3).tolist()
    [0.643, 2.25]
    """
    own, around = np.zeros(num_classes), np.zeros(num_classes)
    for labels in label_maps:
        array = np.asarray(labels)
        counted = array[array != ignore_index].astype(np.int64)
        counts = np.bincount(counted, minlength=num_classes)[:num_classes]
        own += counts
        around += np.where(counts > 0, counted.size, 0)
    if not own.any():
        raise ArgumentError("median_frequency_weights: no pixel has a class; every one is ignored")
    seen = own > 0
    frequency = own[seen] / around[seen]
    weights = np.zeros(num_classes)
    weights[seen] = np.median(frequency) / frequency
    return weights
