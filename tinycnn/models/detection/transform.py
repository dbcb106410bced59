"""From photos of any size to one batch that a detector takes, and from its answers back to the photos' pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ... import functional, random
from ...errors import ArgumentError, DtypeError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .anchors import ImageList
from .masks import paste_masks_in_image

__all__ = ["GeneralizedRCNNTransform"]

Target = Mapping[str, Any]


class GeneralizedRCNNTransform(Module):
    """Normalise each channel, resize keeping the shape, pad to one size; boxes, masks and keypoints move along.

    Formula
    -------
    scale = min(min_size / shorter side, max_size / longer side); the new sides are floor(side scale).

    Parameters
    ----------
    min_size : int or several
        Pixels of the shorter side; in training one of them is drawn, in evaluation the last is taken.
    max_size : int
        Limit of the longer side.
    image_mean, image_std : three numbers
        Subtracted and divided by, for pixels from 0 to 1.
    size_divisible : int
        The padded sides are multiples of it: the coarsest stride of the feature pyramid.
    fixed_size : (width, height), optional
        Every image is brought to this size, whatever its shape: SSD.
    """

    def __init__(
        self,
        min_size: int | Sequence[int],
        max_size: int,
        image_mean: Sequence[float],
        image_std: Sequence[float],
        size_divisible: int = 32,
        fixed_size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.min_size = tuple(min_size) if isinstance(min_size, Sequence) else (min_size,)
        self.max_size, self.size_divisible, self.fixed_size = max_size, size_divisible, fixed_size
        self.image_mean, self.image_std = tuple(image_mean), tuple(image_std)
        if min(self.min_size) < 1 or max_size < 1 or size_divisible < 1 or not all(std > 0 for std in self.image_std):
            raise ArgumentError(
                f"GeneralizedRCNNTransform: min_size={min_size}, max_size={max_size}, size_divisible={size_divisible} and every number of "
                f"image_std={self.image_std} must be positive"
            )

    def forward(self, images: Sequence[Any], targets: Sequence[Target] | None = None) -> tuple[ImageList, list[dict[str, Any]] | None]:
        """The batch (N, C, H, W) of images (C, H, W), and the targets moved along."""
        resized: list[Tensor] = []
        moved: list[dict[str, Any]] = []
        for number, image in enumerate(images):
            tensor = self._normalised(image, number)
            before = tensor.shape[-2:]
            tensor = self._resized(tensor)
            resized.append(tensor)
            if targets is not None:
                moved.append(_moved(targets[number], before, tensor.shape[-2:]))
        sizes = [(one.shape[-2], one.shape[-1]) for one in resized]
        return ImageList(self._batch(resized), sizes), moved if targets is not None else None

    def _normalised(self, image: Any, number: int) -> Tensor:
        tensor = image if isinstance(image, Tensor) else Tensor(np.asarray(image))
        if tensor.ndim != 3:
            raise ShapeError(f"detection: image {number} has shape {tensor.shape}; each image is one (channels, height, width), in a list")
        if tensor.dtype.kind != "f":
            raise DtypeError(f"detection: image {number} is {tensor.dtype}; give pixels from 0 to 1 in float32, such as image / 255")
        if tensor.shape[0] != len(self.image_mean):
            raise ShapeError(f"detection: image {number} has {tensor.shape[0]} channels, but image_mean has {len(self.image_mean)} numbers")
        mean, std = (np.array(numbers, tensor.dtype).reshape(-1, 1, 1) for numbers in (self.image_mean, self.image_std))
        return (tensor - mean) / std

    def _resized(self, image: Tensor) -> Tensor:
        if self.fixed_size is not None:
            width, height = self.fixed_size
            if image.shape[-2:] == (height, width):
                return image
            return functional.interpolate(image.unsqueeze(0), size=(height, width), mode="bilinear", align_corners=False)[0]
        shorter = self.min_size[-1]
        if self.training and len(self.min_size) > 1:
            shorter = self.min_size[int(random.default_generator().integers(len(self.min_size)))]
        scale = min(shorter / min(image.shape[-2:]), self.max_size / max(image.shape[-2:]))
        if scale == 1:
            return image
        return functional.interpolate(
            image.unsqueeze(0), scale_factor=scale, mode="bilinear", align_corners=False, recompute_scale_factor=True
        )[0]

    def _batch(self, images: list[Tensor]) -> Tensor:
        """The images at the upper left of zeros."""
        step = self.size_divisible
        height, width = (-(-max(image.shape[axis] for image in images) // step) * step for axis in (-2, -1))
        rest = [(0, width - image.shape[-1], 0, height - image.shape[-2]) for image in images]
        return functional.stack([functional.pad(image, pads) if any(pads) else image for image, pads in zip(images, rest, strict=True)], 0)

    def postprocess(
        self, result: list[dict[str, np.ndarray]], image_sizes: list[tuple[int, int]], original_sizes: list[tuple[int, int]]
    ) -> list[dict[str, np.ndarray]]:
        """Boxes and keypoints in the photos' pixels; each mask, seen through its box, over the whole photo."""
        for answer, size, original in zip(result, image_sizes, original_sizes, strict=True):
            answer["boxes"] = answer["boxes"] * _ratios(size, original, 4).astype(answer["boxes"].dtype)
            if "masks" in answer:
                answer["masks"] = paste_masks_in_image(answer["masks"], answer["boxes"], original)
            if "keypoints" in answer:
                answer["keypoints"] = np.concatenate(
                    (answer["keypoints"][..., :2] * _ratios(size, original, 2), answer["keypoints"][..., 2:]), axis=-1
                ).astype(answer["keypoints"].dtype)
        return result

    def extra_repr(self) -> str:
        """Sizes and normalisation."""
        return f"min_size={self.min_size}, max_size={self.max_size}, image_mean={self.image_mean}, image_std={self.image_std}"


def _ratios(size: tuple[int, ...], new_size: tuple[int, ...], count: int) -> np.ndarray:
    """What x, y, x, y, ... are multiplied with."""
    return np.array([new_size[1 - k % 2] / size[1 - k % 2] for k in range(count)])


def _moved(target: Target, size: tuple[int, ...], new_size: tuple[int, ...]) -> dict[str, Any]:
    """A target in the pixels of the resized image."""
    moved = dict(target)
    moved["boxes"] = target["boxes"] * _ratios(size, new_size, 4).astype(target["boxes"].dtype)
    if "masks" in target and size != new_size:
        nearest = functional.interpolate(np.asarray(target["masks"], np.float32)[:, None], size=new_size, mode="nearest")
        moved["masks"] = nearest.data[:, 0].astype(np.uint8)
    if "keypoints" in target:
        points = np.array(target["keypoints"], copy=True)
        points[..., :2] *= _ratios(size, new_size, 2).astype(points.dtype)
        moved["keypoints"] = points
    return moved
