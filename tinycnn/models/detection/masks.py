"""Masks of fixed size, one a box, laid over the image they were seen in."""

from __future__ import annotations

import numpy as np

from ... import functional, ops
from ...errors import ShapeError
from ...functional._arguments import one_of
from .pixel_rule import RULES

__all__ = ["mask_iou", "paste_masks_in_image", "project_masks_on_boxes"]


def paste_masks_in_image(
    masks: np.ndarray, boxes: np.ndarray, img_shape: tuple[int, int], padding: int = 1, rule: str = "inclusive"
) -> np.ndarray:
    """Stretch each mask over its box, in an image of zeros.

    Shapes
    ------
    masks (K, 1, M, M), boxes (K, 4) -> (K, 1, height, width)

    Formula
    -------
    The mask gets a border of `padding` zeros and the box grows by (M + 2 padding) / M around its centre, so that the mask can fade out; the
    box's corners are cut to whole pixels, and the mask is resized bilinearly to (y2 - y1 + 1, x2 - x1 + 1) pixels. By the continuous rule
    nothing is cut: the pixel whose centre is (x, y) reads the mask at ((x - x1) M / (x2 - x1), (y - y1) M / (y2 - y1)), zero outside.

    Parameters
    ----------
    masks : array
        From 0 to 1.
    boxes : array
        (x1, y1, x2, y2) in pixels of the image.
    img_shape : (height, width)
        Of the image.
    padding : int
        Pixels of the small mask; not by the continuous rule.
    rule : str
        "inclusive" is torchvision's, with Detectron's legacy "+1" of inclusive corners; "continuous" is Detectron2's.

    Raises
    ------
    ShapeError
        When there is not one mask a box.

    References
    ----------
    He et al.: Mask R-CNN, ICCV 2017, section 3, "Mask representation".

    Examples
    --------
    >>> pasted = paste_masks_in_image(np.ones((1, 1, 4, 4)), np.array([[2.0, 2.0, 5.0, 5.0]]), (8, 8))
    >>> pasted.shape, float(pasted[0, 0, 3, 3]), float(pasted[0, 0, 0, 0])
    ((1, 1, 8, 8), 1.0, 0.0)
    """
    if masks.ndim != 4 or masks.shape[1] != 1 or masks.shape[2] != masks.shape[3] or boxes.shape != (len(masks), 4):
        raise ShapeError(f"paste_masks_in_image: masks {masks.shape} and boxes {boxes.shape} must be (K, 1, M, M) and (K, 4)")
    one_of("paste_masks_in_image", "rule", rule, RULES)
    if rule == "continuous":
        return _pasted_between_pixels(masks, boxes, img_shape)
    height, width = img_shape
    pasted = np.zeros((len(masks), 1, height, width), masks.dtype)
    side = masks.shape[-1]
    bordered = np.pad(masks, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    centres, halves = (boxes[:, 2:] + boxes[:, :2]) * 0.5, (boxes[:, 2:] - boxes[:, :2]) * 0.5 * ((side + 2 * padding) / side)
    corners = np.concatenate((centres - halves, centres + halves), axis=1).astype(np.int64)
    for mask, (x1, y1, x2, y2), image in zip(bordered, corners, pasted[:, 0], strict=True):
        size = max(int(y2 - y1) + 1, 1), max(int(x2 - x1) + 1, 1)
        top, bottom, left, right = max(y1, 0), min(y2 + 1, height), max(x1, 0), min(x2 + 1, width)
        if top < bottom and left < right:
            stretched = functional.interpolate(mask[None], size=size, mode="bilinear", align_corners=False).data[0, 0]
            image[top:bottom, left:right] = stretched[top - y1 : bottom - y1, left - x1 : right - x1]
    return pasted


def _pasted_between_pixels(masks: np.ndarray, boxes: np.ndarray, img_shape: tuple[int, int]) -> np.ndarray:
    """Every pixel's centre reads the mask of its box, bilinearly."""
    height, width = img_shape
    if not len(masks):
        return np.zeros((0, 1, height, width), masks.dtype)
    places = []
    for axis, length in ((0, width), (1, height)):
        start, stop = boxes[:, axis, None], boxes[:, axis + 2, None]
        places.append((np.arange(length) + 0.5 - start) / np.maximum(stop - start, np.finfo(np.float32).tiny) * 2 - 1)
    across, down = places
    shape = (len(masks), height, width)
    grid = np.stack((np.broadcast_to(across[:, None], shape), np.broadcast_to(down[:, :, None], shape)), axis=-1).astype(masks.dtype)
    return functional.grid_sample(masks, grid, align_corners=False).data


def project_masks_on_boxes(masks: np.ndarray, boxes: np.ndarray, matches: np.ndarray, side: int) -> np.ndarray:
    """Cut each box's object out of the true masks and resize it: what a mask head should draw.

    Shapes
    ------
    masks (objects, H, W), boxes (K, 4), matches (K,) -> (K, side, side)

    Parameters
    ----------
    masks : array
        0 and 1.
    boxes : array
        (x1, y1, x2, y2) in pixels.
    matches : array of int
        The object of each box.
    side : int
        Pixels of the small mask.

    Notes
    -----
    By RoIAlign of one channel, as torchvision; Detectron2's `crop_and_resize` also aligns the half pixel and cuts at 0.5.

    Examples
    --------
    >>> mask = np.zeros((1, 8, 8)); mask[0, :, 4:] = 1
    >>> project_masks_on_boxes(mask, np.array([[2.0, 0, 6, 4]]), np.array([0]), 2).tolist()
    [[[0.25, 1.0], [0.25, 1.0]]]
    """
    regions = np.concatenate((matches[:, None].astype(boxes.dtype), boxes), axis=1)
    return ops.roi_align(np.asarray(masks)[:, None].astype(boxes.dtype), regions, (side, side), 1.0).data[:, 0]


def mask_iou(masks1: np.ndarray, masks2: np.ndarray) -> np.ndarray:
    """Pixels that two masks share over the pixels that they cover together, for every pair.

    Shapes
    ------
    (N, H, W), (M, H, W) -> (N, M) float64

    Formula
    -------
    |a and b| / (|a| + |b| - |a and b|); 0 for two empty masks

    Raises
    ------
    ShapeError
        When the masks are of different sizes.

    References
    ----------
    Hariharan et al.: Simultaneous detection and segmentation, ECCV 2014, section 4: an instance is found when this is above 0.5.

    Examples
    --------
    >>> left, all_of_it = np.array([[[1, 0], [1, 0]]]), np.ones((1, 2, 2))
    >>> mask_iou(left, np.concatenate((all_of_it, 1 - left))).tolist()
    [[0.5, 0.0]]
    """
    if masks1.ndim != 3 or masks2.ndim != 3 or masks1.shape[1:] != masks2.shape[1:]:
        raise ShapeError(f"mask_iou: masks1 {masks1.shape} and masks2 {masks2.shape} must be (N, H, W) and (M, H, W) of the same image")
    first, second = ((np.asarray(masks) > 0.5).reshape(len(masks), -1).astype(np.float64) for masks in (masks1, masks2))
    common = first @ second.T
    union = first.sum(axis=1)[:, None] + second.sum(axis=1)[None] - common
    return np.divide(common, union, out=np.zeros(common.shape), where=union > 0)
