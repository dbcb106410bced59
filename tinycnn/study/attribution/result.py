"""What a method answers: one number a pixel, how much it has to do with the score of a class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...functional import interpolate
from ...tensor import Tensor

__all__ = ["Attribution", "enlarged"]


@dataclass(frozen=True)
class Attribution:
    """The maps of a batch of images, and what they are maps of."""

    method: str
    target: tuple[int, ...]  # the class that was asked about, one an image
    score: tuple[float, ...]  # its logit
    map: np.ndarray  # (N, H, W), as large as the images
    raw: np.ndarray  # what the formula gives: (N, h, w) of a layer's maps, or (N, C, H, W) of pixels
    signed: bool  # whether negative numbers speak against the class; else nothing is below zero
    layer: str = ""  # whose maps were weighed; empty where the pixels themselves were asked
    facts: dict[str, Any] = field(default_factory=dict)  # what the method measured about itself

    def scaled(self) -> np.ndarray:
        """The maps, the largest magnitude of each image 1: for pictures. A map of zeros stays one."""
        largest = np.abs(self.map).max((1, 2), keepdims=True)
        return self.map / np.where(largest > 0, largest, 1)

    def peak(self, image: int = 0) -> tuple[int, int]:
        """Row and column of the largest number."""
        row, column = np.unravel_index(int(self.map[image].argmax()), self.map.shape[1:])
        return int(row), int(column)

    def to_dict(self) -> dict[str, Any]:
        """The facts as plain data, without the maps."""
        return {
            "method": self.method,
            "target": list(self.target),
            "score": list(self.score),
            "layer": self.layer,
            "signed": self.signed,
            "raw_shape": list(self.raw.shape),
            "lowest": float(self.map.min()),
            "highest": float(self.map.max()),
            "peak": list(self.peak()),
            **self.facts,
        }


def enlarged(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps (N, h, w) as large as the image, bilinear with half-pixel centres: a map's element is an area, as a pixel is."""
    if maps.shape[1:] == size:
        return maps
    return interpolate(Tensor(np.ascontiguousarray(maps[:, None])), size=size, mode="bilinear").data[:, 0]
