"""YOLO v3's loss: one anchor of three scales answers for an object, everything else is a matter of yes or no.

References
----------
Redmon, Farhadi: YOLOv3: an incremental improvement, 2018, sections 2.1 to 2.3. The factor 2 - w h, and that the centre's gradient is truth minus
prediction (a cross-entropy) are those of its program Darknet (yolo layer), whose gradients these terms have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import functional
from ...tensor import Tensor
from .generalized_rcnn import Target
from .yolo_grid import answering_anchors, class_indices, decode_anchors, encode_anchors
from .yolo_v1_loss import squares
from .yolo_v2_loss import best_overlaps

__all__ = ["yolo_v3_loss"]


def yolo_v3_loss(
    raws: Sequence[Tensor],
    anchors: np.ndarray,
    masks: Sequence[Sequence[int]],
    targets: Sequence[Target],
    size: tuple[int, int],
    ignore_thresh: float = 0.5,
    scale_x_y: float = 1.0,
    iou_thresh: float = 1.0,
) -> dict[str, Tensor]:
    """The terms, summed over scales; the mean over the images.

    Formula
    -------
    An object of sides w and h (parts of the image) is answered by the anchor of its shape, in the cell of its centre on that anchor's scale. With
    H(p, y) = -y log p - (1 - y) log(1 - p), over those answers:

        loss_xy         sum (2 - w h) (H(sigma(t_x), x) + H(sigma(t_y), y))
        loss_wh         1/2 sum (2 - w h) ((t_w - log(w / p_w))^2 + (t_h - log(h / p_h))^2)
        loss_object     sum H(sigma(t_o), 1)
        loss_class      sum over all classes of H(sigma(t_c), y_c)
        loss_no_object, over all others whose box overlaps every object by at most `ignore_thresh`: sum H(sigma(t_o), 0)

    Parameters
    ----------
    raws : list of Tensor
        For each scale (N, A, H, W, 5 + C).
    anchors : array
        (all, 2) widths and heights in pixels.
    masks : list of lists
        For each scale which anchors are its own.
    targets
        For each image "boxes" (K, 4), corners in pixels of the network's image, and "labels" (K,), 1 or more.
    size : (height, width)
        Of that image.
    ignore_thresh : float
        Predictions that overlap an object more, though another one answers for it, are not told that there is none.
    scale_x_y : float
        As in `decode_anchors`; it moves the predicted boxes, not the targets of t_x and t_y.
    iou_thresh : float
        Anchors whose shape overlaps the object's by more answer beside the best one, as in YOLO v4: more to learn from, and objects that stand
        on every such scale. 1 for YOLO v3, where one anchor answers.

    Notes
    -----
    Two objects at the same anchor of the same cell: the later one's box, both classes, for classes do not exclude each other. An anchor that no
    scale has leaves its objects without an answer, as in tiny networks of six anchors with another mask.
    """
    count, numbers = raws[0].shape[0], raws[0].shape[-1]
    labels = np.concatenate([np.zeros(0, np.int64), *class_indices("YOLO v3", targets, numbers - 5)])
    truth = np.concatenate([np.asarray(target["boxes"], np.float64).reshape(-1, 4) for target in targets])
    image_of = np.repeat(np.arange(count), [len(target["boxes"]) for target in targets])
    objects, chosen = answering_anchors(truth, anchors, iou_thresh)
    sums: dict[str, list[Tensor]] = {name: [] for name in ("loss_xy", "loss_wh", "loss_object", "loss_no_object", "loss_class")}
    for raw, mask in zip(raws, masks, strict=True):
        slots = np.full(len(anchors), -1)
        slots[list(mask)] = np.arange(len(mask))
        own = slots[chosen] >= 0
        here, shapes = objects[own], chosen[own]
        cells, wanted = encode_anchors(truth[here], anchors[shapes], (raw.shape[2], raw.shape[3]), size)
        places = (image_of[here], slots[shapes], *cells.T)
        kinds = np.zeros(raw.shape[:-1] + (numbers - 5,), raw.dtype)
        kinds[(*places, labels[here])] = 1
        boxes = decode_anchors(raw.data, anchors[list(mask)], size, scale_x_y)
        free = np.stack([best_overlaps(*pair) <= ignore_thresh for pair in zip(boxes, targets, strict=True)]).astype(raw.dtype)
        last = last_of_each(np.ravel_multi_index(places, raw.shape[:-1]))
        weight = 2 - np.prod(truth[here, 2:] - truth[here, :2], axis=1) / (size[0] * size[1])
        _add_terms(sums, raw, tuple(place[last] for place in places), wanted[last], weight[last], free, kinds)
    return {name: sum(terms[1:], terms[0]) / count for name, terms in sums.items()}


def last_of_each(values: np.ndarray) -> np.ndarray:
    """Where each value stands for the last time, by value.

    Examples
    --------
    >>> last_of_each(np.array([7, 5, 7])).tolist()
    [1, 2]
    """
    return len(values) - 1 - np.unique(values[::-1], return_index=True)[1]


def _add_terms(
    sums: dict[str, list[Tensor]],
    raw: Tensor,
    places: tuple[np.ndarray, ...],
    wanted: np.ndarray,
    weight: np.ndarray,
    free: np.ndarray,
    kinds: np.ndarray,
) -> None:
    """One scale's terms, of its answers and of the predictors that are free to say no."""
    cross_entropy = functional.binary_cross_entropy_with_logits
    free[places] = 0
    everyone = cross_entropy(raw[..., 4], Tensor(np.zeros_like(free)), reduction="none") * Tensor(free)
    sums["loss_no_object"].append(everyone.sum())
    own = raw[places]
    four, weight = wanted.astype(raw.dtype), weight.astype(raw.dtype)
    sums["loss_xy"].append((cross_entropy(own[:, :2], Tensor(four[:, :2]), reduction="none") * Tensor(weight[:, None])).sum())
    sums["loss_wh"].append(0.5 * squares((own[:, 2:4] - Tensor(four[:, 2:])) * Tensor(np.sqrt(weight)[:, None])))
    sums["loss_object"].append(cross_entropy(own[:, 4], Tensor(np.ones(len(four), raw.dtype)), reduction="sum"))
    sums["loss_class"].append(cross_entropy(own[:, 5:], Tensor(kinds[places]), reduction="sum"))
