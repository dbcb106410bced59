"""Instance numbers for detectors: pictures whose label maps number their things, as images with boxes and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .detection import DetectionDataset
from .label_maps import LabelMaps, instance_targets

__all__ = ["InstanceMaps"]


class InstanceMaps(DetectionDataset):
    """A data set of instance numbers, such as the nuclei, as Mask R-CNN learns from it; all things are of one class.

    Parameters
    ----------
    maps : LabelMaps
        Pictures, and maps of instance numbers, 0 the background.
    name : str
        Of the one class.
    transform : JointTransform or function, optional
        What is done to each pair of image and target.

    Examples
    --------
    >>> from tinycnn.data import MaskMaps, ShapesDetection
    >>> image, target = InstanceMaps(MaskMaps(ShapesDetection(2, size=96), instances=True), "shape")[0]
    >>> image.shape, target["masks"].shape[1:], bool((target["area"] == target["masks"].sum((1, 2))).all())
    ((3, 96, 96), (96, 96), True)
    """

    def __init__(self, maps: LabelMaps, name: str = "object", transform: Any = None) -> None:
        self.maps, self.classes, self.transform = maps, (name,), transform

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.maps)

    def pair(self, index: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Read one picture and its things."""
        picture, numbers = self.maps[index]
        target: dict[str, Any] = instance_targets(numbers)
        target["area"] = target["masks"].sum((1, 2), dtype=np.float32)
        target["iscrowd"] = np.zeros(len(target["labels"]), np.int64)
        target["image_id"] = index
        return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / np.float32(255), target
