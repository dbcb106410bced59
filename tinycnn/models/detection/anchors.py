"""Anchors: the boxes that a detector of two stages, or RetinaNet, starts from, laid over every cell of every feature map.

References
----------
Ren, He, Girshick, Sun: Faster R-CNN, NeurIPS 2015, section 3.1. Lin et al.: Feature pyramid networks, CVPR 2017, section 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor

__all__ = ["AnchorGenerator", "ImageList"]


@dataclass(frozen=True)
class ImageList:
    """Images of different sizes in one tensor, padded at the right and the bottom."""

    tensors: Tensor  # (N, C, H, W)
    image_sizes: list[tuple[int, int]]  # height and width of each before padding


class AnchorGenerator(Module):
    """Boxes of given sizes and shapes around every cell of every feature map.

    Formula
    -------
    An anchor of size s and ratio r is h = s sqrt(r) high and w = s / sqrt(r) wide, so its area is s^2. Around the origin it is
    round((-w, -h, w, h) / 2); in cell (i, j) it is moved by (j, i) times the stride, floor(image side / map side).

    Parameters
    ----------
    sizes : tuple of tuples
        For each feature map the sides s in pixels of the (padded) image; plain numbers are one size a map.
    aspect_ratios : tuple of tuples
        For each feature map the ratios height / width; one tuple of numbers serves all maps.

    Notes
    -----
    torchvision's conventions: the anchor of cell (i, j) is centred at the cell's upper left corner, and corners are rounded half to even.
    py-faster-rcnn centres at (7.5, 7.5) of a 16-pixel cell and counts pixels inclusively; Detectron2 does not round.

    Examples
    --------
    >>> AnchorGenerator(((32,),), ((0.5, 1.0),)).cell_anchors[0].tolist()
    [[-23.0, -11.0, 23.0, 11.0], [-16.0, -16.0, 16.0, 16.0]]
    """

    def __init__(
        self,
        sizes: Sequence[Sequence[float]] | Sequence[float] = ((128, 256, 512),),
        aspect_ratios: Sequence[Sequence[float]] | Sequence[float] = ((0.5, 1.0, 2.0),),
    ) -> None:
        super().__init__()
        per_map = [tuple(size) if isinstance(size, Sequence) else (size,) for size in sizes]
        ratios = [tuple(ratio) for ratio in aspect_ratios if isinstance(ratio, Sequence)]
        if not ratios:
            ratios = [tuple(ratio for ratio in aspect_ratios if not isinstance(ratio, Sequence))] * len(per_map)
        if len(per_map) != len(ratios):
            raise ArgumentError(f"AnchorGenerator: sizes are for {len(per_map)} feature maps, aspect_ratios for {len(ratios)}; give one tuple a map")
        for name, table in (("sizes", per_map), ("aspect_ratios", ratios)):
            if not all(row and all(value > 0 for value in row) for row in table):
                raise ArgumentError(f"AnchorGenerator: {name}={table!r} must have at least one positive number for every feature map")
        self.sizes, self.aspect_ratios = tuple(per_map), tuple(ratios)
        self.cell_anchors = [cell_anchors(size, ratio) for size, ratio in zip(per_map, ratios, strict=True)]

    def num_anchors_per_location(self) -> list[int]:
        """Anchors of a cell, for each feature map."""
        return [len(anchors) for anchors in self.cell_anchors]

    def forward(self, images: ImageList, feature_maps: Sequence[Tensor]) -> list[np.ndarray]:
        """The anchors (sum of A H W, 4) of each image: maps in order, cells in row-major order, a cell's anchors next to each other."""
        if len(feature_maps) != len(self.cell_anchors):
            raise ShapeError(f"AnchorGenerator: there are {len(feature_maps)} feature maps, but sizes are given for {len(self.cell_anchors)}")
        height, width = images.tensors.shape[-2:]
        parts = []
        for anchors, feature_map in zip(self.cell_anchors, feature_maps, strict=True):
            rows, columns = feature_map.shape[-2:]
            y, x = np.meshgrid(np.arange(rows) * (height // rows), np.arange(columns) * (width // columns), indexing="ij")
            corners = np.stack((x, y, x, y), axis=-1).reshape(-1, 1, 4)
            parts.append((corners + anchors).reshape(-1, 4))
        all_anchors = np.concatenate(parts).astype(feature_maps[0].dtype)
        return [all_anchors] * len(images.image_sizes)

    def extra_repr(self) -> str:
        """Sizes and ratios."""
        return f"sizes={self.sizes}, aspect_ratios={self.aspect_ratios}"


def cell_anchors(sizes: Sequence[float], ratios: Sequence[float]) -> np.ndarray:
    """The anchors around the origin, (ratios x sizes, 4): the ratio changes slowest."""
    heights = [math.sqrt(ratio) * size for ratio in ratios for size in sizes]
    widths = [size / math.sqrt(ratio) for ratio in ratios for size in sizes]
    return np.round(np.array([(-w, -h, w, h) for w, h in zip(widths, heights, strict=True)], np.float32) / 2).astype(np.float64)
