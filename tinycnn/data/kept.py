"""Samples that are slow to draw or to decode, kept in memory after they were read once."""

from __future__ import annotations

from typing import Any

import numpy as np

from .detection import DetectionDataset
from .transforms.joint import Target

__all__ = ["KeptInMemory"]

LEVELS = np.float32(255)


class KeptInMemory(DetectionDataset):
    """A data set for detectors whose samples are read once and then come from memory, bit for bit the same.

    Parameters
    ----------
    data_set : DetectionDataset
        Whose samples do not change from one reading to the next; its own transform is applied before they are kept.
    megabytes : float
        As long as they take less; what is read beyond that is read anew each time.

    Notes
    -----
    An image of 256 levels takes a byte a value, any other four; a mask takes a bit a pixel.

    Examples
    --------
    >>> from tinycnn.data import ShapesDetection
    >>> kept = KeptInMemory(ShapesDetection(3, size=80))
    >>> bool((kept[1][0] == kept[1][0]).all()), len(kept), kept.classes[0]
    (True, 3, 'triangle')
    """

    def __init__(self, data_set: DetectionDataset, megabytes: float = 1500.0) -> None:
        self.data_set = data_set
        self.classes, self.sigmas, self.swap, self.symmetry = data_set.classes, data_set.sigmas, data_set.swap, data_set.symmetry
        self._room = megabytes * 1e6
        self._kept: dict[int, tuple[np.ndarray, Target, tuple[int, ...] | None]] = {}

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self.data_set)

    def pair(self, index: int) -> tuple[np.ndarray, Target]:
        """Return image and target, from memory from the second time on."""
        if index not in self._kept:
            image, target = self.data_set[index]
            if self._room <= 0:
                return image, target
            self._keep(index, image, target)
        kept, target, shape = self._kept[index]
        target = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in target.items()}
        if shape is not None:
            target["masks"] = np.unpackbits(target["masks"], count=int(np.prod(shape))).reshape(shape)
        return kept / LEVELS if kept.dtype == np.uint8 else kept.copy(), target

    def _keep(self, index: int, image: np.ndarray, target: Target) -> None:
        target, shape = dict(target), None
        levels = np.rint(image * LEVELS).clip(0, 255).astype(np.uint8)
        if image.dtype == np.float32 and np.array_equal(levels / LEVELS, image):
            image = levels
        masks: Any = target.get("masks")
        if masks is not None:
            shape = masks.shape
            target["masks"] = np.packbits(masks)
        self._kept[index] = (image, target, shape)
        self._room -= image.nbytes + sum(value.nbytes for value in target.values() if isinstance(value, np.ndarray))
