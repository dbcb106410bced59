"""A data set of SNIPER's chips: what any detector here is trained on in place of whole images.

References
----------
Singh, Najibi, Davis: SNIPER: efficient multi-scale training, NeurIPS 2018, sections 3.1 to 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import functional
from ...errors import ArgumentError
from ...tensor import Tensor
from .scale_sampling import SNIPER_SCALES, Chip, TrainingScale, negative_chips, positive_chips

__all__ = ["ScaleChips", "cut_chip"]

Sample = tuple[np.ndarray, dict[str, Any]]


def cut_chip(image: np.ndarray, target: dict[str, Any], chip: Chip, scale: TrainingScale) -> Sample:
    """The chip as an image, enlarged by its scale, and what of the target is in it.

    Shapes
    ------
    image (C, H, W) -> (C, h, w)

    Parameters
    ----------
    image : array
        The original.
    target : dict
        "boxes", "labels", perhaps "masks" and "keypoints", in its pixels.
    chip : Chip
        Its corners are rounded to whole pixels.
    scale : TrainingScale
        Of the chip.

    Returns
    -------
    image, target
        The target has every object that the chip touches, cut at its border, and "valid": whether it is to be learned. Others are there so that
        no anchor at them counts as background.

    Examples
    --------
    >>> target = {"boxes": np.array([[2.0, 2, 6, 6], [6, 0, 12, 12]]), "labels": np.array([1, 2])}
    >>> image, cut = cut_chip(np.zeros((1, 12, 12)), target, Chip(np.array([0.0, 0, 8, 8]), np.array([0])), TrainingScale(2.0))
    >>> image.shape, cut["boxes"].tolist(), cut["valid"].tolist()
    ((1, 16, 16), [[4.0, 4.0, 12.0, 12.0], [12.0, 0.0, 16.0, 16.0]], [True, False])
    """
    left, top, right, bottom = (int(value) for value in np.rint(chip.box))
    size = max(1, round((bottom - top) * scale.factor)), max(1, round((right - left) * scale.factor))
    down, across = size[0] / (bottom - top), size[1] / (right - left)
    whole = np.asarray(image)[:, top:bottom, left:right]
    pixels = functional.interpolate(whole[None], size=size, mode="bilinear", align_corners=False).data[0]
    boxes = np.asarray(target["boxes"])
    inner = np.stack((boxes[:, 0].clip(left, right), boxes[:, 1].clip(top, bottom), boxes[:, 2].clip(left, right), boxes[:, 3].clip(top, bottom)), 1)
    seen = np.flatnonzero((inner[:, 2:] > inner[:, :2]).all(axis=1))
    moved = (inner[seen] - (left, top, left, top)) * (across, down, across, down)
    cut: dict[str, Any] = {"boxes": moved.astype(boxes.dtype), "labels": np.asarray(target["labels"])[seen], "valid": np.isin(seen, chip.objects)}
    if "masks" in target:
        masks = np.asarray(target["masks"], np.float32)[seen, None, top:bottom, left:right]
        cut["masks"] = np.zeros((len(seen), *size), np.uint8)
        if len(seen):
            cut["masks"] = functional.interpolate(masks, size=size, mode="nearest").data[:, 0].astype(np.uint8)
    if "keypoints" in target:
        points = np.array(target["keypoints"], copy=True)[seen]
        points[..., 0] = (points[..., 0] - left) * across
        points[..., 1] = (points[..., 1] - top) * down
        outside = (points[..., 0] < 0) | (points[..., 1] < 0) | (points[..., 0] > size[1]) | (points[..., 1] > size[0])
        points[outside, 2] = 0
        cut["keypoints"] = points
    return pixels, cut


class Place(NamedTuple):
    """Where one sample comes from."""

    image: int
    scale: TrainingScale
    chip: Chip


class ScaleChips:
    """Every chip of a data set of (image, target), at every scale: the option that turns any training here into SNIPER's.

    Parameters
    ----------
    data
        With a length, gives (image (C, H, W), target) by number.
    scales : several TrainingScale
        Of the pyramid.
    chip, stride : int
        Side of a chip, and steps between chips, in pixels of the enlarged image. Give the detector `min_size=chip`, so that it does not resize.
    proposals : list of arrays (n, 4), optional
        Of a detector trained for a short time: where several of them lie outside all positive chips, there is a negative chip too.

    Raises
    ------
    ArgumentError
        When no chip holds an object, or proposals are not given for every image.

    Notes
    -----
    Negative chips are all taken; the authors draw a fixed number of them an image and epoch.

    Examples
    --------
    >>> target = {"boxes": np.array([[2.0, 2, 6, 6], [20, 20, 60, 60]]), "labels": np.array([1, 2])}
    >>> scales = (TrainingScale(2.0, 0, 16), TrainingScale(0.5, 12))
    >>> chips = ScaleChips([(np.zeros((3, 64, 64), np.float32), target)], scales, chip=32, stride=8)
    >>> [(chips[k][0].shape, chips[k][1]["labels"].tolist(), chips[k][1]["valid"].tolist()) for k in range(len(chips))]
    [((3, 32, 32), [1], [True]), ((3, 32, 32), [1, 2], [False, True])]
    """

    def __init__(
        self,
        data: Any,
        scales: Sequence[TrainingScale] = SNIPER_SCALES,
        chip: int = 512,
        stride: int = 32,
        proposals: Sequence[np.ndarray] | None = None,
    ) -> None:
        if proposals is not None and len(proposals) != len(data):
            raise ArgumentError(f"ScaleChips: there are {len(data)} images and {len(proposals)} arrays of proposals; give one an image")
        self.data = data
        self.places: list[Place] = []
        for number in range(len(data)):
            image, target = data[number]
            size = int(np.shape(image)[-2]), int(np.shape(image)[-1])
            for scale in scales:
                positive = positive_chips(size, np.asarray(target["boxes"]), scale, chip, stride)
                negative = [] if proposals is None else negative_chips(size, proposals[number], positive, scale, chip, stride)
                # A negative chip's numbers are of proposals: it has no object to learn.
                empty = [Chip(one.box, np.zeros(0, np.int64)) for one in negative]
                self.places += [Place(number, scale, one) for one in (*positive, *empty)]
        if not self.places:
            raise ArgumentError(f"ScaleChips: none of {len(data)} images has an object of a scale's size that fits into {chip} pixels")

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: int) -> Sample:
        place = self.places[number]
        image, target = self.data[place.image]
        return cut_chip(image.data if isinstance(image, Tensor) else image, target, place.chip, place.scale)
