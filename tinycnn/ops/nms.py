"""Non-maximum suppression: of boxes that cover each other, the best one stays."""

from typing import Any

import numpy as np

from .. import kernels
from ..errors import DtypeError, ShapeError
from ..functional._arguments import as_tensor, contiguous, float_tensor, same_dtype
from ..registry import operator
from ..tensor import Tensor
from ._arguments import real_number

__all__ = ["batched_nms", "nms"]


def _boxes_and_scores(name: str, boxes: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    corners, marks = float_tensor(name, "boxes", boxes), float_tensor(name, "scores", scores)
    same_dtype(name, boxes=corners, scores=marks)
    shape = corners.data.shape
    if len(shape) != 2 or shape[1] != 4:
        raise ShapeError(f"{name}: boxes has shape {shape}; it must be (N, 4) as (x1, y1, x2, y2)")
    if marks.data.shape != shape[:1]:
        raise ShapeError(f"{name}: scores has shape {marks.shape} beside {shape[0]} boxes; it must be ({shape[0]},), one number a box")
    return contiguous(corners.data), contiguous(marks.data)


@operator(family="nms", kernels=("nms",))
def nms(boxes: Any, scores: Any, iou_threshold: float) -> Tensor:
    """Keep a box unless one with a better score, itself kept, covers more than the threshold of their union.

    Shapes
    ------
    (N, 4), (N,) -> (K,) of int64

    Formula
    -------
    In the order of scores: i is kept if IoU(i, j) <= iou_threshold for every kept j before it; not differentiable.

    Parameters
    ----------
    boxes : Tensor
        (x1, y1, x2, y2), float32 or float64, in pixels.
    scores : Tensor
        One number a box.
    iou_threshold : float
        A box with a larger IoU goes; one of exactly that IoU stays.

    Returns
    -------
    Tensor of int64
        Positions of the kept boxes, best first.

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a threshold that is no number.

    Notes
    -----
    Ties: score descending, then position ascending, always the same; torchvision promises that on the CPU only. Quotients are rounded in the
    boxes' type and compared with the threshold in float64, as there. NaN scores come first, as torch sorts; a box with NaN covers nothing and
    stays; so do boxes without area (0 / 0) and reversed ones. OpenCV drops a box at exactly the threshold, and TensorFlow takes
    (y1, x1, y2, x2) and needs the number of boxes to keep.

    References
    ----------
    Felzenszwalb et al. 2010, "Object detection with discriminatively trained part-based models", section 7.2.

    Examples
    --------
    >>> from tinycnn import ops
    >>> boxes = [[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.0], [5.0, 5.0, 6.0, 6.0]]
    >>> ops.nms(boxes, [0.8, 0.9, 0.1], 0.5).tolist()
    [1, 2]
    """
    corners, marks = _boxes_and_scores("nms", boxes, scores)
    threshold = real_number("nms", "iou_threshold", iou_threshold)
    return Tensor(kernels.select("nms", corners)(corners, marks, threshold))


@operator(family="nms", kernels=("batched_nms",))
def batched_nms(boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Tensor:
    """`nms` within each category: boxes of different categories do not compete.

    Shapes
    ------
    (N, 4), (N,), (N,) -> (K,) of int64

    Formula
    -------
    As `nms`, where IoU(i, j) counts only if idxs[i] = idxs[j].

    Parameters
    ----------
    boxes, scores, iou_threshold
        As in `nms`.
    idxs : Tensor of whole numbers
        The category of each box.

    Returns
    -------
    Tensor of int64
        Positions of the kept boxes of all categories, best first.

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit.

    Notes
    -----
    torchvision moves the categories of up to 1000 boxes apart by adding an offset to their coordinates: it rounds them, and with negative
    coordinates the categories still meet. Here each is treated by itself, as torchvision does for more boxes.

    Examples
    --------
    >>> from tinycnn import ops
    >>> boxes = [[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.0], [5.0, 5.0, 6.0, 6.0]]
    >>> ops.batched_nms(boxes, [0.8, 0.9, 0.1], [0, 1, 1], 0.5).tolist()
    [1, 0, 2]
    """
    corners, marks = _boxes_and_scores("batched_nms", boxes, scores)
    threshold = real_number("batched_nms", "iou_threshold", iou_threshold)
    groups = np.asarray(idxs if idxs is None else as_tensor(idxs).data)
    if groups.dtype.kind not in "iub" and not (groups.dtype.kind == "f" and (groups == np.floor(groups)).all()):
        raise DtypeError(f"batched_nms: idxs is {groups.dtype}; categories are whole numbers, int64 for example")
    if groups.shape != marks.shape:
        raise ShapeError(f"batched_nms: idxs has shape {groups.shape} beside {len(marks)} boxes; it must be ({len(marks)},), one category a box")
    categories = contiguous(groups.astype(np.int64))
    return Tensor(kernels.select("batched_nms", corners)(corners, marks, categories, threshold))
