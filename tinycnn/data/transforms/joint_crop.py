"""Image and target cut and framed together: crops, SSD's crop by overlap, padding, SSD's zoom-out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError
from .joint import IGNORE, JointTransform, Target, areas, cut_target

__all__ = ["JointIoUCrop", "JointPad", "JointRandomCrop", "JointZoomOut", "crop_target", "place_image"]

Window = tuple[int, int, int, int]  # top, left, height, width


def crop_target(target: Target, window: Window, min_visible: float = 0.0) -> Target:
    """The target of a window of the image.

    Examples
    --------
    >>> crop_target({"boxes": np.array([[0.0, 0, 4, 4]])}, (2, 2, 4, 4))["boxes"].tolist()
    [[0.0, 0.0, 2.0, 2.0]]
    """
    top, left, height, width = window
    moved = {**target, "boxes": target["boxes"] - np.array([left, top, left, top], target["boxes"].dtype)}
    if "masks" in target:
        moved["masks"] = target["masks"][:, top : top + height, left : left + width]
    if "label_map" in target:
        moved["label_map"] = target["label_map"][top : top + height, left : left + width]
    if "keypoints" in target:
        points = np.array(target["keypoints"], copy=True)
        points[..., :2] -= np.array([left, top], points.dtype)
        points[target["keypoints"][..., 2] <= 0] = 0
        moved["keypoints"] = points
    return cut_target(moved, height, width, min_visible)


def _share(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ArgumentError(f"{name}: min_visible {value!r} must be a share from 0 to 1")
    return float(value)


class JointRandomCrop(JointTransform):
    """Cut out a window of fixed size at a random place; an image that is smaller is cut to itself, or framed.

    Parameters
    ----------
    size : (int, int)
        Height and width in pixels.
    min_visible : float
        Share of a box's area below which the thing is left out.
    fill : number or one a channel, optional
        The colour of what is added below a smaller image and at its right, in units of the image; without it nothing is added.

    Examples
    --------
    >>> crop = JointRandomCrop((2, 2))
    >>> crop(np.zeros((2, 2), np.uint8), {"boxes": np.array([[0.0, 0, 1, 1]])}, np.random.default_rng(0))[1]["boxes"].tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """

    random = True

    def __init__(self, size: Sequence[int], min_visible: float = 0.25, fill: Any = None) -> None:
        if len(size) != 2 or min(size) < 1:
            raise ArgumentError(f"JointRandomCrop: size {tuple(size)} must be (height, width), 1 or more each")
        self.size = int(size[0]), int(size[1])
        self.min_visible, self.fill = _share("JointRandomCrop", min_visible), fill

    def _framed(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of the image that is cut."""
        height, width = shape[-2:]
        return (height, width) if self.fill is None else (max(height, self.size[0]), max(width, self.size[1]))

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> Window:
        """Choose the window."""
        whole = self._framed(shape)
        height, width = min(self.size[0], whole[0]), min(self.size[1], whole[1])
        return int(generator.integers(whole[0] - height + 1)), int(generator.integers(whole[1] - width + 1)), height, width

    def apply(self, image: np.ndarray, target: Target, choice: Window) -> tuple[np.ndarray, Target]:
        """Frame a smaller image, and cut."""
        top, left, height, width = choice
        whole = self._framed(image.shape)
        if whole != image.shape[-2:]:
            image, target = place_image(image, target, whole, (0, 0), self.fill)
        return image[..., top : top + height, left : left + width], crop_target(target, choice, self.min_visible)


class JointIoUCrop(JointTransform):
    """SSD's crop: a random window that overlaps at least one box enough, of which the things with their centres in it are kept.

    Parameters
    ----------
    options : sequence of float
        Smallest overlaps (intersection over union of window and box), one drawn each time; 1 or more leaves the image as it is.
    scale : (float, float)
        Smallest and largest share of each side.
    ratio : (float, float)
        Smallest and largest width : height, as shares of the image's own.
    trials : int
        Windows drawn for one overlap before another overlap is drawn.
    min_visible : float
        Share of a box's area below which the thing is left out as well.

    Raises
    ------
    ArgumentError
        When a range is empty or out of bounds.

    References
    ----------
    W. Liu et al., "SSD: single shot multibox detector", 2016, section 2.2.

    Examples
    --------
    >>> crop = JointIoUCrop(options=(0.5,))
    >>> target = {"boxes": np.array([[2.0, 2, 8, 8]], np.float32), "labels": np.array([1])}
    >>> image, cut = crop(np.zeros((10, 10), np.uint8), target, np.random.default_rng(0))
    >>> len(cut["boxes"])
    1
    """

    random = True

    def __init__(
        self,
        options: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
        scale: tuple[float, float] = (0.3, 1.0),
        ratio: tuple[float, float] = (0.5, 2.0),
        trials: int = 40,
        min_visible: float = 0.25,
    ) -> None:
        if not options or min(options) < 0:
            raise ArgumentError(f"JointIoUCrop: options {tuple(options)} must be overlaps of 0 or more")
        if not 0 < scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1] or trials < 1:
            raise ArgumentError(
                f"JointIoUCrop: scale {scale} must lie in (0, 1], ratio {ratio} above 0, lower bound first, and trials {trials} be 1 or more"
            )
        self.options, self.scale, self.ratio, self.trials = tuple(options), scale, ratio, int(trials)
        self.min_visible = _share("JointIoUCrop", min_visible)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> Window:
        """Choose an overlap, then windows until one fits; after a few overlaps without one, the whole image."""
        height, width = shape[-2:]
        everything = (0, 0, height, width)
        for _ in range(10):
            least = self.options[int(generator.integers(len(self.options)))]
            if least >= 1:
                return everything
            for _ in range(self.trials):
                down, across = (max(1, round(extent * generator.uniform(*self.scale))) for extent in (height, width))
                if not self.ratio[0] <= (across / width) / (down / height) <= self.ratio[1]:
                    continue
                window = int(generator.integers(height - down + 1)), int(generator.integers(width - across + 1)), down, across
                if self._fits(target["boxes"], window, least):
                    return window
        return everything

    def _fits(self, boxes: np.ndarray, window: Window, least: float) -> bool:
        """Whether a thing whose centre is inside stays, and one overlaps enough."""
        frame = _corners(window)
        inside = _centres_inside(boxes, window)
        low, high = np.maximum(boxes[:, :2], frame[:2]), np.minimum(boxes[:, 2:], frame[2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        own = areas(boxes)
        iou = common / np.maximum(own + window[2] * window[3] - common, 1e-12)
        kept = inside & (common > 0) & (common >= self.min_visible * own)
        return bool(kept.any() and iou[kept].max() >= least)

    def apply(self, image: np.ndarray, target: Target, choice: Window) -> tuple[np.ndarray, Target]:
        """Cut; things whose centres are outside go."""
        from .joint import keep_things

        top, left, height, width = choice
        if (height, width) != image.shape[-2:]:
            target = keep_things(target, _centres_inside(target["boxes"], choice))
        return image[..., top : top + height, left : left + width], crop_target(target, choice, self.min_visible)


def _corners(window: Window) -> np.ndarray:
    top, left, height, width = window
    return np.array([left, top, left + width, top + height], np.float64)


def _centres_inside(boxes: np.ndarray, window: Window) -> np.ndarray:
    frame = _corners(window)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(((centre >= frame[:2]) & (centre < frame[2:])).all(1))


def place_image(image: np.ndarray, target: Target, size: tuple[int, int], corner: tuple[int, int], fill: Any) -> tuple[np.ndarray, Target]:
    """The image somewhere on a larger one of one colour.

    Parameters
    ----------
    image : (channels, height, width)
    target : of it
    size : height and width of the larger one
    corner : row and column where the image begins
    fill : a value, or one a channel, in the image's units

    Examples
    --------
    >>> place_image(np.ones((1, 1, 1), np.uint8), {"boxes": np.array([[0.0, 0, 1, 1]])}, (2, 2), (1, 0), 7)[0].tolist()
    [[[7, 7], [1, 7]]]
    """
    (height, width), (top, left) = size, corner
    canvas = np.empty((len(image), height, width), image.dtype)
    canvas[:] = np.broadcast_to(np.asarray(fill, image.dtype).reshape(-1, 1, 1), (len(image), 1, 1))
    inner = slice(top, top + image.shape[-2]), slice(left, left + image.shape[-1])
    canvas[:, inner[0], inner[1]] = image
    moved = {**target, "boxes": target["boxes"] + np.array([left, top, left, top], target["boxes"].dtype)}
    if "masks" in target:
        masks = np.zeros((len(target["masks"]), height, width), np.uint8)
        masks[:, inner[0], inner[1]] = target["masks"]
        moved["masks"] = masks
    if "label_map" in target:
        moved["label_map"] = np.full((height, width), IGNORE, target["label_map"].dtype)
        moved["label_map"][inner] = target["label_map"]
    if "keypoints" in target:
        points = np.array(target["keypoints"], copy=True)
        points[..., :2] += np.where(points[..., 2:] > 0, np.array([left, top], points.dtype), 0)
        moved["keypoints"] = points
    return canvas, moved


class JointPad(JointTransform):
    """Add rows and columns of one colour.

    Parameters
    ----------
    padding : int or (top, bottom, left, right)
        Pixels.
    fill : number or one a channel
        In units of the image.

    Examples
    --------
    >>> JointPad((1, 0, 2, 0))(np.zeros((1, 1), np.uint8), {"boxes": np.array([[0.0, 0, 1, 1]])})[1]["boxes"].tolist()
    [[2.0, 1.0, 3.0, 2.0]]
    """

    def __init__(self, padding: int | Sequence[int], fill: Any = 0) -> None:
        sides = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(sides) != 4 or not all(isinstance(side, int) and side >= 0 for side in sides):
            raise ArgumentError(f"JointPad: padding {padding!r} must be a whole number of 0 or more, or (top, bottom, left, right)")
        self.padding, self.fill = sides, fill

    def apply(self, image: np.ndarray, target: Target, choice: Any) -> tuple[np.ndarray, Target]:
        """Frame."""
        top, bottom, left, right = self.padding
        size = image.shape[-2] + top + bottom, image.shape[-1] + left + right
        return place_image(image, target, size, (top, left), self.fill)


class JointZoomOut(JointTransform):
    """SSD's expansion: with probability `p` the image lies at a random place of a larger one, so that things get smaller.

    Parameters
    ----------
    most : float
        Largest factor of the sides; SSD takes 4.
    p : float
        Probability from 0 to 1.
    fill : number or one a channel
        In units of the image; SSD takes the mean colour.

    Raises
    ------
    ArgumentError
        When most is below 1 or p no probability.

    Examples
    --------
    >>> zoom = JointZoomOut(most=2.0, p=1.0)
    >>> image, target = zoom(np.ones((4, 4), np.uint8), {"boxes": np.array([[0.0, 0, 4, 4]])}, np.random.default_rng(0))
    >>> int(image.sum()), image.shape[0] > 4
    (16, True)
    """

    random = True

    def __init__(self, most: float = 4.0, p: float = 0.5, fill: Any = 0) -> None:
        if not 1 <= most <= 100 or not 0 <= p <= 1:
            raise ArgumentError(f"JointZoomOut: most {most!r} must be from 1 to 100, and p {p!r} a probability from 0 to 1")
        self.most, self.p, self.fill = float(most), float(p), fill

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> Window | None:
        """Choose the larger size and the place on it; None for no change."""
        if generator.random() >= self.p:
            return None
        factor = generator.uniform(1, self.most)
        height, width = int(shape[-2] * factor), int(shape[-1] * factor)
        return int(generator.integers(height - shape[-2] + 1)), int(generator.integers(width - shape[-1] + 1)), height, width

    def apply(self, image: np.ndarray, target: Target, choice: Window | None) -> tuple[np.ndarray, Target]:
        """Place."""
        if choice is None:
            return image, target
        return place_image(image, target, choice[2:], choice[:2], self.fill)
