"""SSD's default boxes: a few shapes around the centre of every cell, larger on coarser maps.

References
----------
Liu et al.: SSD: single shot multibox detector, ECCV 2016, section 2.2, equation (4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .anchors import ImageList

__all__ = ["DefaultBoxGenerator"]


class DefaultBoxGenerator(Module):
    """The default boxes of every feature map.

    Formula
    -------
    Map k of m has the scale s_k = min_ratio + (max_ratio - min_ratio) k / (m - 1), and s_m = 1. Its boxes are s_k x s_k,
    sqrt(s_k s_(k+1)) squared, and for each ratio r the pair s_k sqrt(r) x s_k / sqrt(r) and its transpose, all in parts of the image's sides.
    The centre of cell (i, j) lies at ((j + 1/2) / columns, (i + 1/2) / rows); with `steps`, at (j + 1/2) step / width and so on.

    Parameters
    ----------
    aspect_ratios : list of lists
        For each feature map its ratios besides 1.
    min_ratio, max_ratio : float
        Of the scales, where `scales` are not given.
    scales : list of float, optional
        s_0 to s_m: one more than there are maps.
    steps : list of int, optional
        Pixels between the centres of each map.
    clip : bool
        Cut widths and heights to 1.

    Notes
    -----
    SSD300's maps of 38, 19, 10, 5, 3 and 1 cells a side have 4, 6, 6, 6, 4 and 4 boxes a cell: 8,732.

    Examples
    --------
    >>> boxes = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]])
    >>> sum(count * side**2 for count, side in zip(boxes.num_anchors_per_location(), (38, 19, 10, 5, 3, 1)))
    8732
    """

    def __init__(
        self,
        aspect_ratios: Sequence[Sequence[float]],
        min_ratio: float = 0.15,
        max_ratio: float = 0.9,
        scales: Sequence[float] | None = None,
        steps: Sequence[int] | None = None,
        clip: bool = True,
    ) -> None:
        super().__init__()
        maps = len(aspect_ratios)
        if steps is not None and len(steps) != maps:
            raise ArgumentError(f"DefaultBoxGenerator: aspect_ratios are for {maps} feature maps, steps for {len(steps)}")
        if scales is None:
            spread = max_ratio - min_ratio
            scales = [min_ratio + spread * k / (maps - 1.0) for k in range(maps)] + [1.0] if maps > 1 else [min_ratio, max_ratio]
        if len(scales) != maps + 1:
            raise ArgumentError(f"DefaultBoxGenerator: {maps} feature maps need {maps + 1} scales, one more than maps; there are {len(scales)}")
        self.aspect_ratios, self.scales, self.steps, self.clip = aspect_ratios, list(scales), steps, clip
        self.shapes = [self._shapes_of(k) for k in range(maps)]

    def _shapes_of(self, k: int) -> np.ndarray:
        """Width and height of a cell's boxes on map k, in parts of the image."""
        scale = self.scales[k]
        between = math.sqrt(scale * self.scales[k + 1])
        pairs = [(scale, scale), (between, between)]
        for ratio in self.aspect_ratios[k]:
            width, height = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            pairs += [(width, height), (height, width)]
        shapes = np.array(pairs, np.float32).astype(np.float64)
        return shapes.clip(0, 1) if self.clip else shapes

    def num_anchors_per_location(self) -> list[int]:
        """Boxes of a cell, for each feature map: two, and two a ratio."""
        return [len(shapes) for shapes in self.shapes]

    def forward(self, images: ImageList, feature_maps: Sequence[Tensor]) -> list[np.ndarray]:
        """The boxes (8732, 4) of each image, in pixels."""
        if len(feature_maps) != len(self.shapes):
            raise ShapeError(f"DefaultBoxGenerator: there are {len(feature_maps)} feature maps, but aspect_ratios are given for {len(self.shapes)}")
        height, width = images.tensors.shape[-2:]
        parts = []
        for k, (shapes, feature_map) in enumerate(zip(self.shapes, feature_maps, strict=True)):
            rows, columns = feature_map.shape[-2:]
            down, across = (height / self.steps[k], width / self.steps[k]) if self.steps is not None else (rows, columns)
            y, x = np.meshgrid((np.arange(rows) + 0.5) / down, (np.arange(columns) + 0.5) / across, indexing="ij")
            centres = np.repeat(np.stack((x, y), axis=-1).reshape(-1, 2), len(shapes), axis=0)
            halves = np.tile(shapes / 2, (rows * columns, 1))
            parts.append(np.concatenate((centres - halves, centres + halves), axis=1))
        boxes = (np.concatenate(parts) * (width, height, width, height)).astype(feature_maps[0].dtype)
        return [boxes] * len(images.image_sizes)

    def extra_repr(self) -> str:
        """Ratios, scales and steps."""
        return f"aspect_ratios={self.aspect_ratios}, clip={self.clip}, scales={self.scales}, steps={self.steps}"
