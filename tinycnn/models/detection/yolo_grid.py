"""What YOLO's three papers share: one square image, a grid of cells, anchors by their sides, and the way back to the photo.

References
----------
Redmon, Farhadi: YOLO9000: better, faster, stronger, CVPR 2017, "direct location prediction", figure 3. Letterboxing: the authors' program
Darknet, whose resizing takes the corner pixels' centres as fixed points where this one takes the image's borders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional
from ...errors import ArgumentError, DtypeError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .anchors import ImageList
from .box_coder import LARGEST_LOG, centre_form
from .generalized_rcnn import Target
from .one_stage import best_of_level, suppressed

__all__ = ["YOLOConfig", "YOLOTransform", "anchor_targets", "decode_anchors", "encode_anchors", "split_anchors"]

GREY = 0.5  # Darknet's colour beside a letterboxed photo
RESIZES = ("stretch", "letterbox")


@dataclass(frozen=True)
class YOLOConfig:
    """The numbers that every YOLO has."""

    image_size: int = 416
    resize: str = "letterbox"
    score_thresh: float = 0.005
    nms_thresh: float = 0.45
    detections_per_img: int = 100
    topk_candidates: int = 1000


class YOLOTransform(Module):
    """Bring every photo to one size: stretched, or whole between grey bars; boxes move along and come back.

    Formula
    -------
    stretch: x' = x W' / W, y' = y H' / H. letterbox: s = min(W' / W, H' / H), the photo becomes floor(s W) x floor(s H) pixels in the middle.

    Parameters
    ----------
    size : int or (height, width)
        Pixels of what the network sees.
    resize : "stretch" or "letterbox"
        Plain resizing to that size, which changes shapes; or keeping them, with bars of 0.5.
    channels : int
        Of the photos.

    Raises
    ------
    ArgumentError
        For another way of resizing, or a size that is not positive.

    Examples
    --------
    >>> transform = YOLOTransform(8, "letterbox")
    >>> batch, targets = transform([np.ones((3, 2, 4), np.float32)], [{"boxes": np.array([[0.0, 0, 4, 2]]), "labels": np.array([1])}])
    >>> batch.tensors.shape, targets[0]["boxes"].tolist(), batch.tensors.data[0, 0, :, 0].tolist()
    ((1, 3, 8, 8), [[0.0, 2.0, 8.0, 6.0]], [0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5])
    """

    def __init__(self, size: int | tuple[int, int], resize: str = "letterbox", channels: int = 3) -> None:
        super().__init__()
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.resize, self.channels = resize, channels
        if resize not in RESIZES:
            raise ArgumentError(f"YOLOTransform: resize={resize!r} must be {' or '.join(map(repr, RESIZES))}")
        if min(self.size) < 1:
            raise ArgumentError(f"YOLOTransform: size={size} must be at least 1 pixel a side")

    def placed(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of a photo inside the network's image."""
        if self.resize == "stretch":
            return 0, 0, self.size[0], self.size[1]
        if self.size[1] * height < self.size[0] * width:
            new_height, new_width = max(1, height * self.size[1] // width), self.size[1]
        else:
            new_height, new_width = self.size[0], max(1, width * self.size[0] // height)
        return (self.size[0] - new_height) // 2, (self.size[1] - new_width) // 2, new_height, new_width

    def forward(self, images: Sequence[Any], targets: Sequence[Target] | None = None) -> tuple[ImageList, list[dict[str, Any]] | None]:
        """The batch (N, C, H, W) of photos (C, H, W), pixels from 0 to 1, and the targets moved along."""
        batch: list[Tensor] = []
        moved: list[dict[str, Any]] = []
        for number, image in enumerate(images):
            tensor = self._checked(image, number)
            height, width = tensor.shape[-2:]
            batch.append(self._resized(tensor))
            if targets is not None:
                scale, shift = self._scale_and_shift(height, width)
                boxes = targets[number]["boxes"]
                moved.append({**targets[number], "boxes": boxes * scale.astype(boxes.dtype) + shift.astype(boxes.dtype)})
        sizes = [(self.size[0], self.size[1])] * len(batch)
        return ImageList(functional.stack(batch, 0), sizes), moved if targets is not None else None

    def _checked(self, image: Any, number: int) -> Tensor:
        tensor = image if isinstance(image, Tensor) else Tensor(np.asarray(image))
        if tensor.ndim != 3 or tensor.shape[0] != self.channels or 0 in tensor.shape:
            raise ShapeError(f"detection: image {number} has shape {tensor.shape}; each image is one ({self.channels}, height, width), in a list")
        if tensor.dtype.kind != "f":
            raise DtypeError(f"detection: image {number} is {tensor.dtype}; give pixels from 0 to 1 in float32, such as image / 255")
        return tensor

    def _resized(self, image: Tensor) -> Tensor:
        top, left, height, width = self.placed(*image.shape[-2:])
        if image.shape[-2:] != (height, width):
            image = functional.interpolate(image.unsqueeze(0), size=(height, width), mode="bilinear", align_corners=False)[0]
        bars = (left, self.size[1] - width - left, top, self.size[0] - height - top)
        return functional.pad(image, bars, value=GREY) if any(bars) else image

    def _scale_and_shift(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """What x1, y1, x2, y2 of a photo are multiplied with, and what is added then."""
        top, left, new_height, new_width = self.placed(height, width)
        return np.array([new_width / width, new_height / height] * 2), np.array([left, top] * 2, np.float64)

    def postprocess(
        self, result: list[dict[str, np.ndarray]], image_sizes: list[tuple[int, int]], original_sizes: list[tuple[int, int]]
    ) -> list[dict[str, np.ndarray]]:
        """Boxes in the photos' pixels, cut at the border; what lay in the bars alone is gone."""
        answers = []
        for answer, (height, width) in zip(result, original_sizes, strict=True):
            scale, shift = self._scale_and_shift(height, width)
            boxes = ((answer["boxes"] - shift) / scale).clip(0, (width, height) * 2).astype(answer["boxes"].dtype)
            kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
            answers.append({**{name: array[kept] for name, array in answer.items()}, "boxes": boxes[kept]})
        return answers

    def extra_repr(self) -> str:
        """Size and way."""
        return f"size={self.size}, resize={self.resize!r}"


def split_anchors(maps: Tensor, anchors: int) -> Tensor:
    """The numbers of each anchor of each cell: (N, A (5 + C), H, W) -> (N, A, H, W, 5 + C), which are t_x, t_y, t_w, t_h, t_o and the classes.

    Examples
    --------
    >>> split_anchors(Tensor(np.zeros((1, 3 * 85, 4, 6), np.float32)), 3).shape
    (1, 3, 4, 6, 85)
    """
    images, channels, rows, columns = maps.shape
    if channels % anchors or channels // anchors < 6:
        raise ShapeError(
            f"split_anchors: {channels} channels are not {anchors} anchors times 5 numbers and the classes; with 20 classes give {anchors * 25}"
        )
    return maps.reshape(images, anchors, channels // anchors, rows, columns).permute(0, 1, 3, 4, 2)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Of an array of any size of numbers, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def decode_anchors(numbers: np.ndarray, anchors: np.ndarray, size: tuple[int, int], scale_x_y: float = 1.0) -> np.ndarray:
    """The boxes that anchors' numbers mean, corners in the network's pixels.

    Shapes
    ------
    (..., A, H, W, 4 or more), (A, 2) -> (..., A, H, W, 4)

    Formula
    -------
    In cell (i, j) of H x W: x = (j + s sigma(t_x) - (s - 1) / 2) W_image / W, y likewise, w = p_w exp(t_w), h = p_h exp(t_h).

    Parameters
    ----------
    numbers
        t_x, t_y, t_w, t_h first.
    anchors
        Widths and heights p in pixels.
    size : (height, width)
        Of the image.
    scale_x_y : float
        s: 1 in the papers; more lets a centre reach the cell's border.

    Notes
    -----
    exp's argument is limited to log(1000 / 16), as in `BoxCoder`; no trained network comes near.
    """
    rows, columns = numbers.shape[-3:-1]
    down, across = size[0] / rows, size[1] / columns
    away = 0.5 * (scale_x_y - 1)
    x = (np.arange(columns) + scale_x_y * sigmoid(numbers[..., 0]) - away) * across
    y = (np.arange(rows)[:, None] + scale_x_y * sigmoid(numbers[..., 1]) - away) * down
    width, height = (anchors[:, k, None, None] * np.exp(np.minimum(numbers[..., 2 + k], LARGEST_LOG)) for k in (0, 1))
    return np.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), axis=-1).astype(numbers.dtype)


def encode_anchors(boxes: np.ndarray, anchors: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The cell of each box, and what its anchor should say there.

    Shapes
    ------
    boxes (K, 4), anchors (K, 2) -> cells (K, 2) as (row, column), numbers (K, 4) as (sigma(t_x), sigma(t_y), t_w, t_h)

    Examples
    --------
    >>> cells, numbers = encode_anchors(np.array([[10.0, 20.0, 30.0, 60.0]]), np.array([[20.0, 20.0]]), (4, 4), (64, 64))
    >>> cells.tolist(), numbers.round(4).tolist()
    ([[2, 1]], [[0.25, 0.5, 0.0, 0.6931]])
    """
    x, y, width, height = centre_form(boxes)
    x, y = x * grid[1] / size[1], y * grid[0] / size[0]
    column, row = (np.floor(value).astype(np.int64).clip(0, count - 1) for value, count in ((x, grid[1]), (y, grid[0])))
    numbers = np.stack((x - column, y - row, np.log(width / anchors[:, 0]), np.log(height / anchors[:, 1])), axis=-1)
    return np.stack((row, column), axis=-1), numbers


def anchor_targets(boxes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """The anchor of each box: the one that overlaps it most if both have the same centre; the first of equal ones.

    Examples
    --------
    >>> anchor_targets(np.array([[5.0, 5.0, 15.0, 35.0]]), np.array([[30.0, 10.0], [12.0, 30.0]])).tolist()
    [1]
    """
    return shape_overlaps(boxes[:, 2:] - boxes[:, :2], anchors).argmax(axis=1)


def answering_anchors(boxes: np.ndarray, anchors: np.ndarray, iou_thresh: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (object, anchor), by object: the anchor that `anchor_targets` gives, and all that overlap by more than `iou_thresh`.

    References
    ----------
    Bochkovskiy et al.: YOLOv4, 2020, section 3.4 ("multiple anchors for a single ground truth"); Darknet's iou_thresh.

    Examples
    --------
    >>> shapes = np.array([[10.0, 30.0], [12.0, 30.0], [30.0, 10.0]])
    >>> [places.tolist() for places in answering_anchors(np.array([[5.0, 5.0, 15.0, 35.0]]), shapes, 0.5)]
    [[0, 0], [0, 1]]
    """
    overlaps = shape_overlaps(boxes[:, 2:] - boxes[:, :2], anchors)
    answering = overlaps > iou_thresh
    answering[np.arange(len(boxes)), overlaps.argmax(axis=1)] = True
    objects, chosen = np.nonzero(answering)
    return objects, chosen


def shape_overlaps(sides: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union (K, M) of boxes (K, 2) and (M, 2) with the same centre."""
    shared = np.minimum(sides[:, None], others[None]).prod(axis=2)
    return shared / (sides.prod(axis=1)[:, None] + others.prod(axis=1)[None] - shared)


def class_indices(detector: str, targets: Sequence[Mapping[str, Any]], num_classes: int) -> list[np.ndarray]:
    """Each object's class from 0; labels are 1 to `num_classes`, as in every detector here, though YOLO has no class for the background."""
    found = []
    for number, target in enumerate(targets):
        labels = np.asarray(target["labels"])
        wrong = labels[(labels < 1) | (labels > num_classes)]
        if len(wrong):
            raise ArgumentError(f"{detector}: target {number} has the label {wrong[0]}; the network's classes are 1 to {num_classes}")
        found.append(labels - 1)
    return found


def best_boxes(boxes: np.ndarray, scores: np.ndarray, config: YOLOConfig) -> dict[str, np.ndarray]:
    """One image's detections from all its boxes (K, 4) and their scores (K, C): the best, each class suppressed by itself; labels from 1."""
    places, classes, values = best_of_level(scores, config.score_thresh, config.topk_candidates)
    return suppressed([(boxes[places], values, classes + 1)], config.nms_thresh, config.detections_per_img)
