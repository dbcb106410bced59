"""Image and target turned together by quarters, which needs no interpolation."""

from __future__ import annotations

import numpy as np

from .joint import JointTransform, Target

__all__ = ["JointQuarterTurns"]


class JointQuarterTurns(JointTransform):
    """Turn image and target by none, one, two or three quarters, each as likely.

    Shapes: (height, width) -> (height, width) or (width, height)

    Formula: one quarter anticlockwise takes (x, y) to (y, width - x), a pixel's value stays as it is

    Notes
    -----
    Nothing is lost and every box stays as tight as it was, unlike turns by other angles (`JointAffine`). Keypoints keep their numbers: a left
    hand stays one, only a mirror makes it a right hand.

    Examples
    --------
    >>> target = {"boxes": np.array([[0.0, 0, 3, 1]]), "keypoints": np.array([[[3.0, 1, 2]]])}
    >>> image, turned = JointQuarterTurns().apply(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8), target, 1)
    >>> image[0].tolist(), turned["boxes"].tolist(), turned["keypoints"].tolist()
    ([[3, 6], [2, 5], [1, 4]], [[0.0, 0.0, 1.0, 3.0]], [[[1.0, 0.0, 2.0]]])
    """

    random = True

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> int:
        """Choose how many quarters."""
        return int(generator.integers(4))

    def apply(self, image: np.ndarray, target: Target, choice: int) -> tuple[np.ndarray, Target]:
        """Turn the pixels as they are, boxes and points quarter by quarter."""
        height, width = image.shape[-2:]
        moved = dict(target)
        for _ in range(choice):
            x1, y1, x2, y2 = moved["boxes"].T
            moved["boxes"] = np.stack([y1, width - x2, y2, width - x1], 1)
            if "keypoints" in target:
                x, y, seen = np.moveaxis(moved["keypoints"], -1, 0)
                moved["keypoints"] = np.stack([np.where(seen > 0, y, x), np.where(seen > 0, width - x, y), seen], -1)
            height, width = width, height
        for name in ("masks", "label_map"):
            if name in target:
                moved[name] = np.rot90(target[name], choice, (-2, -1))
        return np.rot90(image, choice, (-2, -1)), moved
