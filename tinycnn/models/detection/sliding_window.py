"""The sliding-window detector: a classifier at every place of every size of the image, by brute force or as a convolution.

References
----------
Dalal and Triggs: Histograms of oriented gradients, CVPR 2005. Sermanet, Eigen, Zhang, Mathieu, Fergus, LeCun: OverFeat, ICLR 2014, section 3.5:
linear layers as convolutions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np

from ... import autograd, functional, ops
from ...errors import ArgumentError, ShapeError
from ...nn import Conv2d, Flatten, Linear, Module, Sequential
from ...tensor import Tensor

__all__ = ["SlidingWindowDetector", "as_convolutions", "image_pyramid", "pyramid_window_count", "slide", "window_count", "window_places"]


def window_count(image_size: tuple[int, int], window: tuple[int, int], stride: int = 1) -> int:
    """How many windows fit into an image.

    Formula
    -------
    (floor((H - h) / stride) + 1) (floor((W - w) / stride) + 1), 0 where the window is larger than the image

    Examples
    --------
    >>> window_count((480, 640), (128, 64), 8)
    3285
    """
    if stride < 1 or min(*image_size, *window) < 1:
        raise ArgumentError(f"window_count: image_size={image_size}, window={window} and stride={stride} must be at least 1")
    if window[0] > image_size[0] or window[1] > image_size[1]:
        return 0
    return ((image_size[0] - window[0]) // stride + 1) * ((image_size[1] - window[1]) // stride + 1)


def pyramid_sizes(image_size: tuple[int, int], window: tuple[int, int], factor: float) -> list[tuple[int, int]]:
    """The sizes of the image, each `factor` smaller, down to the last that the window fits into."""
    if not factor > 1:
        raise ArgumentError(f"image_pyramid: factor={factor} must be above 1: each image is so many times smaller than the one before")
    sizes: list[tuple[int, int]] = []
    scale = 1.0
    while True:
        size = int(image_size[0] / scale), int(image_size[1] / scale)
        if size[0] < window[0] or size[1] < window[1]:
            return sizes
        sizes.append(size)
        scale *= factor


def pyramid_window_count(image_size: tuple[int, int], window: tuple[int, int], stride: int = 1, factor: float = 2**0.5) -> int:
    """Windows of all images of the pyramid: nearly all of them hold nothing, which is what makes training hard.

    Examples
    --------
    >>> pyramid_window_count((480, 640), (128, 64), 8, 2.0)
    3780
    """
    return sum(window_count(size, window, stride) for size in pyramid_sizes(image_size, window, factor))


def image_pyramid(image: np.ndarray, window: tuple[int, int], factor: float = 2**0.5) -> Iterator[tuple[np.ndarray, float, float]]:
    """The image (C, H, W) smaller and smaller, each with the pixels of the original that one of its own is, down and across.

    Examples
    --------
    >>> [level.shape for level, _, _ in image_pyramid(np.zeros((1, 64, 48)), (16, 16), 2.0)]
    [(1, 64, 48), (1, 32, 24)]
    """
    height, width = image.shape[-2:]
    for size in pyramid_sizes((height, width), window, factor):
        level = image if size == (height, width) else functional.interpolate(image[None], size=size, mode="bilinear", antialias=True).data[0]
        yield level, height / size[0], width / size[1]


def window_places(image_size: tuple[int, int], window: tuple[int, int], stride: int = 1) -> np.ndarray:
    """The boxes (K, 4) of all windows, row by row.

    Examples
    --------
    >>> window_places((4, 6), (4, 4), 2).tolist()
    [[0.0, 0.0, 4.0, 4.0], [2.0, 0.0, 6.0, 4.0]]
    """
    if not window_count(image_size, window, stride):
        return np.zeros((0, 4))
    y, x = np.meshgrid(
        np.arange(0, image_size[0] - window[0] + 1, stride), np.arange(0, image_size[1] - window[1] + 1, stride), indexing="ij"
    )
    return np.stack((x, y, x + window[1], y + window[0]), axis=-1).reshape(-1, 4).astype(np.float64)


def slide(classifier: Module, image: np.ndarray, window: tuple[int, int], stride: int = 1, batch: int = 64) -> np.ndarray:
    """A heat-map of every class: the classifier's answer to each window, one after another.

    Shapes
    ------
    (C, H, W) -> (classes, rows, columns)

    Raises
    ------
    ShapeError
        When the window does not fit into the image.
    """
    if image.ndim != 3 or not window_count((image.shape[1], image.shape[2]), window, stride):
        raise ShapeError(f"slide: image {image.shape} must be (channels, height, width), at least as large as the window {window}")
    windows = np.lib.stride_tricks.sliding_window_view(image, window, axis=(1, 2))[:, ::stride, ::stride]
    rows, columns = windows.shape[1:3]
    each = windows.transpose(1, 2, 0, 3, 4).reshape(rows * columns, image.shape[0], *window)
    with autograd.no_grad():
        answers = [classifier(Tensor(np.ascontiguousarray(each[k : k + batch]))).data for k in range(0, len(each), batch)]
    return np.concatenate(answers).T.reshape(-1, rows, columns)


def as_convolutions(classifier: Sequential, window: tuple[int, int], in_channels: int = 3) -> Sequential:
    """The same classifier for images of any size: its linear layers become convolutions, so that windows share their work.

    Formula
    -------
    The first linear layer over maps of c x h x w is an h x w convolution, the following are 1x1: one answer for every window, `stride` pixels
    apart, where the stride is the product of the layers' strides. Equal to `slide` where no layer pads.

    Parameters
    ----------
    classifier : Sequential
        Layers that keep places, one Flatten, then linear layers and functions of single numbers.
    window : (height, width)
        What the classifier was made for.
    in_channels : int
        Of the images.

    Raises
    ------
    ArgumentError
        When there is no Flatten, or a linear layer stands before it.
    """
    layers = list(classifier)
    flats = [number for number, layer in enumerate(layers) if isinstance(layer, Flatten)]
    if len(flats) != 1 or any(isinstance(layer, Linear) for layer in layers[: flats[0]]):
        kinds = [type(layer).__name__ for layer in layers]
        raise ArgumentError(f"as_convolutions: the classifier is {kinds}; it must have exactly one Flatten, and linear layers only behind it")
    body = [copy.deepcopy(layer) for layer in layers[: flats[0]]]
    with autograd.no_grad():
        maps = Sequential(*body)(Tensor(np.zeros((1, in_channels, *window), np.float32))).shape
    kernel = maps[2], maps[3]
    made: list[Module] = []
    for layer in layers[flats[0] + 1 :]:
        if not isinstance(layer, Linear):
            made.append(copy.deepcopy(layer))
            continue
        outputs, inputs = layer.weight.shape
        convolution = Conv2d(inputs // (kernel[0] * kernel[1]), outputs, kernel, bias=layer.bias is not None)
        convolution.weight.data[...] = layer.weight.data.reshape(convolution.weight.shape)
        if layer.bias is not None:
            convolution.bias.data[...] = layer.bias.data
        made.append(convolution)
        kernel = 1, 1
    converted = Sequential(*body, *made)
    converted.train(classifier.training)
    return converted


class SlidingWindowDetector:
    """Windows of one size over a pyramid of images, a threshold, and suppression.

    Parameters
    ----------
    classifier : Module
        Windows (N, C, h, w) to logits (N, classes); class 0 is the background.
    window : (height, width)
        In pixels; objects of other sizes are met in the pyramid's smaller images.
    stride : int
        Pixels between windows.
    factor : float
        From one image of the pyramid to the next.
    score_thresh, nms_thresh : float
        Least probability, and suppression's overlap within a class.

    Examples
    --------
    >>> class Bright(Module):
    ...     def forward(self, x):
    ...         return functional.stack([x.mean((1, 2, 3)) * 0, x.mean((1, 2, 3)) * 20 - 15], -1)
    >>> image = np.zeros((1, 12, 12), np.float32); image[:, 4:8, 4:8] = 1
    >>> SlidingWindowDetector(Bright(), (4, 4), stride=2, factor=2.0)(image)["boxes"].tolist()
    [[4.0, 4.0, 8.0, 8.0]]
    """

    def __init__(
        self,
        classifier: Module,
        window: tuple[int, int],
        *,
        stride: int = 8,
        factor: float = 2**0.5,
        score_thresh: float = 0.5,
        nms_thresh: float = 0.3,
    ) -> None:
        self.classifier, self.window, self.stride, self.factor = classifier, window, stride, factor
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh

    def heat_maps(self, image: np.ndarray) -> list[np.ndarray]:
        """Probabilities (classes, rows, columns) of each image of the pyramid."""
        maps = [slide(self.classifier, level, self.window, self.stride) for level, _, _ in image_pyramid(image, self.window, self.factor)]
        return [functional.softmax(Tensor(one), 0).data for one in maps]

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """{"boxes", "labels", "scores"} in the pixels of the image (C, H, W), best first."""
        boxes, labels, scores = [np.zeros((0, 4))], [np.zeros(0, np.int64)], [np.zeros(0)]
        levels = image_pyramid(image, self.window, self.factor)
        for (level, down, across), heat in zip(levels, self.heat_maps(image), strict=True):
            places = window_places((level.shape[1], level.shape[2]), self.window, self.stride) * (across, down, across, down)
            classes, found = np.nonzero(heat[1:].reshape(len(heat) - 1, -1) > self.score_thresh)
            boxes.append(places[found])
            labels.append(classes + 1)
            scores.append(heat.reshape(len(heat), -1)[classes + 1, found].astype(np.float64))
        every, kinds, values = np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores)
        kept = ops.batched_nms(every, values, kinds, self.nms_thresh).data
        return {"boxes": every[kept], "labels": kinds[kept], "scores": values[kept]}
