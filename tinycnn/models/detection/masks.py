"""Masks of fixed size, one a box, laid over the image they were seen in."""

from __future__ import annotations

import numpy as np

from ... import functional
from ...errors import ShapeError

__all__ = ["paste_masks_in_image"]


def paste_masks_in_image(masks: np.ndarray, boxes: np.ndarray, img_shape: tuple[int, int], padding: int = 1) -> np.ndarray:
    """Stretch each mask over its box, in an image of zeros.

    Shapes
    ------
    masks (K, 1, M, M), boxes (K, 4) -> (K, 1, height, width)

    Formula
    -------
    The mask gets a border of `padding` zeros and the box grows by (M + 2 padding) / M around its centre, so that the mask can fade out; the
    box's corners are cut to whole pixels, and the mask is resized bilinearly to (y2 - y1 + 1, x2 - x1 + 1) pixels.

    Parameters
    ----------
    masks : array
        From 0 to 1.
    boxes : array
        (x1, y1, x2, y2) in pixels of the image.
    img_shape : (height, width)
        Of the image.
    padding : int
        Pixels of the small mask.

    Raises
    ------
    ShapeError
        When there is not one mask a box.

    Notes
    -----
    torchvision's, with Detectron's legacy "+1" of inclusive corners.

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
