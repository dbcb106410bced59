"""Image and target bent together, as a sheet of rubber."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from .joint import IGNORE, JointTransform, Target, boxes_of_masks, cut_target
from .warp import ElasticTransform, read_at

__all__ = ["JointElastic", "bent_points"]

ALONG = 16  # points on each side of a box that are moved where there is no mask
ROUNDS = 30  # of the fixed-point search; each one gains a digit where the bending is gentle


class JointElastic(JointTransform):
    """Bend image and target by a random smooth displacement.

    Formula: out[p] = image[p + d(p)], so that a point q of the input goes to the p with p + d(p) = q

    Parameters
    ----------
    alpha, sigma, interpolation, fill
        As `ElasticTransform` takes them.
    min_visible : float
        Share of a thing's area below which it is left out.

    Raises
    ------
    ArgumentError
        When alpha or sigma is out of range.

    Notes
    -----
    Boxes are those of the bent masks; without masks, the hull of points along the box's sides, which is a little too large. Keypoints are found by
    fixed-point search, which needs a displacement that does not fold the sheet: alpha a few times sigma squared at most.

    Examples
    --------
    >>> target = {"boxes": np.array([[1.0, 1, 3, 3]]), "keypoints": np.array([[[2.0, 2, 2]]])}
    >>> same = JointElastic(alpha=0.0)(np.ones((4, 4), np.uint8), target, np.random.default_rng(0))[1]
    >>> same["boxes"].tolist(), same["keypoints"].tolist()
    ([[1.0, 1.0, 3.0, 3.0]], [[[2.0, 2.0, 2.0]]])
    """

    random = True

    def __init__(self, alpha: float = 50.0, sigma: float = 5.0, interpolation: str = "bilinear", fill: float = 0, min_visible: float = 0.25) -> None:
        if not 0 <= min_visible <= 1:
            raise ArgumentError(f"JointElastic: min_visible {min_visible!r} must be a share from 0 to 1")
        self.image_transform = ElasticTransform(alpha, sigma, interpolation, fill)
        self.min_visible = float(min_visible)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> np.ndarray:
        """Choose the displacement (2, height, width) in pixels, down and across."""
        return self.image_transform.draw(generator, shape)

    def apply(self, image: np.ndarray, target: Target, choice: np.ndarray) -> tuple[np.ndarray, Target]:
        """Bend."""
        height, width = image.shape[-2:]
        boxes = target["boxes"]
        moved = {**target}
        if "keypoints" in target:
            points = np.array(target["keypoints"], copy=True)
            points[..., :2] = np.where(points[..., 2:] > 0, bent_points(points[..., :2], choice), 0)
            moved["keypoints"] = points
        whole, share = None, self.min_visible
        rows, columns = np.mgrid[:height, :width] + choice
        if "label_map" in target:
            moved["label_map"] = read_at(target["label_map"][None], rows, columns, "nearest", IGNORE)[0]
        if "masks" in target:
            masks = np.asarray(target["masks"], np.uint8)
            bent = read_at(masks, rows, columns, "nearest", 0) if len(masks) else masks
            moved["masks"], moved["boxes"] = bent, boxes_of_masks(bent, boxes.dtype)
            # What is left is counted in pixels: a box that was bent says little.
            enough = bent.sum((1, 2)) >= self.min_visible * masks.sum((1, 2))
            whole, share = np.where(enough, 0, np.inf).astype(np.float64), 1.0
        else:
            outline = bent_points(_sides(boxes), choice)
            moved["boxes"] = np.concatenate([outline.min(1), outline.max(1)], 1).astype(boxes.dtype)
        return self.image_transform.apply(image, choice), cut_target(moved, height, width, share, whole)


def bent_points(points: Any, displacement: np.ndarray) -> np.ndarray:
    """Where points of the input are in the output.

    Shapes: (..., 2) as x, y -> (..., 2)

    Parameters
    ----------
    points : in continuous pixels
    displacement : (2, height, width), down and across: where each output pixel reads the input, from its own place

    Examples
    --------
    Every pixel reads one pixel to its right, so that everything moves to the left.

    >>> right = np.stack([np.zeros((3, 3)), np.ones((3, 3))])
    >>> bent_points([[2.0, 1.0]], right).tolist()
    [[1.0, 1.0]]
    """
    from scipy import ndimage

    wanted = np.asarray(points, np.float64)
    place = wanted
    for _ in range(ROUNDS):
        at = place[..., 1] - 0.5, place[..., 0] - 0.5  # pixel i has its middle at i + 0.5
        down, across = (ndimage.map_coordinates(plane, at, order=1, mode="nearest") for plane in displacement)
        place = wanted - np.stack([across, down], -1)
    return place


def _sides(boxes: np.ndarray) -> np.ndarray:
    """Points along the four sides of each box, (K, 4 * ALONG, 2)."""
    share = np.linspace(0, 1, ALONG)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 1, 2).astype(np.float64)
    ends = np.roll(corners, -1, 1)
    return np.asarray((corners + share[:, None] * (ends - corners)).reshape(len(boxes), 4 * ALONG, 2))
