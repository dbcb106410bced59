"""Keypoint R-CNN's head: for each region one map a joint, whose brightest pixel is the joint.

References
----------
He, Gkioxari, Dollar, Girshick: Mask R-CNN, ICCV 2017, section 5, "Mask R-CNN for human pose estimation".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from ... import functional
from ...nn import Conv2d, ConvTranspose2d, Module, ReLU, Sequential, init
from ...tensor import Tensor
from .box_head import start_convolutions

__all__ = ["KeypointRCNNHeads", "KeypointRCNNPredictor", "heatmaps_to_keypoints", "keypoints_to_heatmap"]


class KeypointRCNNHeads(Sequential):
    """3x3 convolutions with ReLU that keep the size."""

    def __init__(self, in_channels: int, layers: Sequence[int]) -> None:
        channels = [in_channels, *layers]
        made: list[Module] = []
        for before, after in itertools.pairwise(channels):
            made += [Conv2d(before, after, 3, padding=1), ReLU()]
        super().__init__(*made)
        start_convolutions(self)


class KeypointRCNNPredictor(Module):
    """A transposed convolution and bilinear interpolation, each doubling the size.

    Shapes
    ------
    (K, in_channels, M, M) -> (K, num_keypoints, 4 M, 4 M)
    """

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.kps_score_lowres = ConvTranspose2d(in_channels, num_keypoints, 4, stride=2, padding=1)
        init.kaiming_normal_(self.kps_score_lowres.weight, mode="fan_out", nonlinearity="relu")
        init.zeros_(self.kps_score_lowres.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The maps' logits."""
        return functional.interpolate(self.kps_score_lowres(x), scale_factor=2.0, mode="bilinear", align_corners=False)


def heatmaps_to_keypoints(maps: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The brightest pixel of each map, after it was stretched over its box.

    Shapes
    ------
    maps (K, points, M, M), boxes (K, 4) -> (K, points, 3), (K, points)

    Formula
    -------
    A map is resized bicubically to ceil(box height) x ceil(box width), at least 1 x 1; with (i, j) its first largest pixel,
    x = x1 + (j + 1/2) width / ceil(width), likewise y. The third number, visibility, is 1; the score is the pixel's value.

    Examples
    --------
    >>> maps = np.zeros((1, 1, 4, 4)); maps[0, 0, 1, 2] = 1
    >>> heatmaps_to_keypoints(maps, np.array([[10.0, 20.0, 14.0, 24.0]]))[0].tolist()
    [[[12.5, 21.5, 1.0]]]
    """
    points, scores = np.ones((*maps.shape[:2], 3), maps.dtype), np.zeros(maps.shape[:2], maps.dtype)
    for k, (of_box, (x1, y1, x2, y2)) in enumerate(zip(maps, boxes, strict=True)):
        width, height = max(x2 - x1, 1), max(y2 - y1, 1)
        size = math.ceil(height), math.ceil(width)
        stretched = functional.interpolate(of_box[None], size=size, mode="bicubic", align_corners=False).data[0].reshape(maps.shape[1], -1)
        place = stretched.argmax(axis=1)
        rows, columns = np.divmod(place, size[1])
        points[k, :, 0] = x1 + (columns + 0.5) * (width / size[1])
        points[k, :, 1] = y1 + (rows + 0.5) * (height / size[0])
        scores[k] = np.take_along_axis(stretched, place[:, None], axis=1)[:, 0]
    return points, scores


def keypoints_to_heatmap(keypoints: np.ndarray, boxes: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The cell (row side + column) of each keypoint in its box's map, and whether it is visible and inside.

    Shapes
    ------
    keypoints (K, points, 3), boxes (K, 4) -> (K, points) int64, (K, points) bool

    Notes
    -----
    A point on the right or lower edge belongs to the last cell.

    Examples
    --------
    >>> cells, seen = keypoints_to_heatmap(np.array([[[1.0, 1.0, 1.0], [4.0, 4.0, 1.0], [9.0, 0.0, 1.0]]]), np.array([[0.0, 0.0, 4.0, 4.0]]), 2)
    >>> cells.tolist(), seen.tolist()
    ([[0, 3, 0]], [[True, True, False]])
    """
    cells = []
    for axis in (0, 1):
        start, stop = boxes[:, axis, None], boxes[:, axis + 2, None]
        values = keypoints[..., axis]
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.floor(np.nan_to_num((values - start) * (side / (stop - start))))
        cells.append(np.where(values == stop, side - 1, scaled).astype(np.int64))
    columns, rows = cells
    seen = (columns >= 0) & (rows >= 0) & (columns < side) & (rows < side) & (keypoints[..., 2] > 0)
    return (rows * side + columns) * seen, seen
