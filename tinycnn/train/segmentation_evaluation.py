"""What a network says of every pixel of a picture, and how well that agrees with the label maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..data import LabelMaps
from ..data.label_maps import IGNORE
from ..errors import ArgumentError
from ..metrics import SegmentationScores, segmentation_confusion, segmentation_scores
from ..models.segmentation import UNet, border_classes, instances_by_border, match_instances, overlap_tile, unet_input_size
from ..models.segmentation.overlap_tile import mirrored
from ..models.segmentation.unet import shrinkage
from ..nn import Module
from ..tensor import Tensor

__all__ = ["NUCLEI_CLASSES", "PixelEvaluation", "evaluate_segmentation", "main_scores", "moments", "normalised", "pixel_scores", "whole_scores"]

NUCLEI_CLASSES = ("background", "interior", "border")
TILE = 256  # pixels that a tile of a valid U-Net covers, about


@dataclass(frozen=True)
class PixelEvaluation:
    """Scores over whole pictures; of instances also how many were found, invented and missed."""

    scores: SegmentationScores
    classes: tuple[str, ...]
    pictures: int
    instances: tuple[int, int, int] | None  # None where labels are classes
    threshold: float  # intersection over union above which an instance counts as found

    @property
    def instance_f1(self) -> float | None:
        """Twice the found over found, invented and found, missed; None without instances, nan where there are none at all."""
        if self.instances is None:
            return None
        found, invented, missed = self.instances
        return 2 * found / (2 * found + invented + missed) if found + invented + missed else float("nan")

    def rows(self) -> list[tuple[str, float, float, float, int]]:
        """One line a class: name, accuracy, IoU, Dice, true pixels."""
        scores = self.scores
        columns = zip(self.classes, scores.class_accuracy, scores.class_iou, scores.class_dice, scores.matrix.sum(axis=1), strict=True)
        return [(name, float(accuracy), float(iou), float(dice), int(pixels)) for name, accuracy, iou, dice, pixels in columns]


def normalised(pictures: np.ndarray, mean: Any, std: Any) -> np.ndarray:
    """Pictures as a network sees them.

    Shapes: (N, H, W, 3) uint8 -> (N, 3, H, W) float32
    """
    scaled = (pictures.astype(np.float32) / 255 - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def moments(data: LabelMaps, most: int = 50) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel of up to `most` pictures, from 0 to 1.

    Raises
    ------
    ArgumentError
        When there are no pictures.
    """
    if not len(data):
        raise ArgumentError("moments: the data set is empty")
    pixels = np.concatenate([data[i][0].reshape(-1, 3) for i in range(min(most, len(data)))]) / 255.0
    return pixels.mean(0).round(4).tolist(), (pixels.std(0) + 1e-3).round(4).tolist()


def whole_scores(model: Module, images: np.ndarray) -> Any:
    """What the network answers for every pixel; a U-Net without padding sees the image continued by its own reflection.

    Shapes: (N, 3, H, W) -> scores (N, num_classes, H, W), or a dict of them
    """
    if not (isinstance(model, UNet) and model.padding == "valid"):
        return model(Tensor(images))
    height, width = images.shape[2:]
    margin = shrinkage(model.depth) // 2
    below, right = (unet_input_size(side, model.depth) - margin - side for side in (height, width))
    return model(Tensor(mirrored(images, margin, below, margin, right)))[:, :, :height, :width]


def main_scores(output: Any) -> Tensor:
    """Of a network with several outputs the one that counts."""
    scores: Tensor = output["out"] if isinstance(output, dict) else output
    return scores


def pixel_scores(model: Module, pictures: np.ndarray, mean: Any, std: Any) -> np.ndarray:
    """The scores of every pixel, in evaluation mode; a U-Net without padding answers tile by tile.

    Shapes: (N, H, W, 3) uint8 -> (N, num_classes, H, W)

    Parameters
    ----------
    model
        Put into evaluation mode, and left so.
    pictures
        Of one size.
    mean, std
        Of the channels, from 0 to 1, as in training.
    """
    model.eval()
    images = normalised(pictures, mean, std)
    if isinstance(model, UNet) and model.padding == "valid":
        return overlap_tile(model, images, unet_input_size(TILE, model.depth))
    with no_grad():
        return main_scores(model(Tensor(images))).data


def evaluate_segmentation(
    model: Module, data: LabelMaps, *, mean: Any, std: Any, absent: str = "skip", threshold: float = 0.5
) -> PixelEvaluation:
    """Compare the network with the label maps of whole pictures, one at a time.

    Parameters
    ----------
    model, mean, std
        As in `pixel_scores`.
    data
        Without names of classes its labels are instances: background, interior and border are compared, and the cells made of them.
    absent
        What a class without pixels counts; see `tinycnn.metrics.segmentation_scores`.
    threshold
        Intersection over union above which an instance counts as found.

    Returns
    -------
    PixelEvaluation
        Of all pixels together, not a mean over pictures.

    Raises
    ------
    ArgumentError
        When there are no pictures, or for an unknown policy.
    """
    if not len(data):
        raise ArgumentError("evaluate_segmentation: the data set is empty")
    names = data.classes or NUCLEI_CLASSES
    matrix, counts = np.zeros((len(names), len(names)), np.int64), np.zeros(3, int)
    for i in range(len(data)):
        picture, labels = data[i]
        guess = pixel_scores(model, picture[None], mean, std)[0].argmax(0)
        truth = labels if data.classes else border_classes(labels)
        matrix += segmentation_confusion(truth, guess, len(names), ignore_index=IGNORE if data.classes else None)
        if not data.classes:
            counts += match_instances(labels, instances_by_border(guess), threshold)
    instances = None if data.classes else (int(counts[0]), int(counts[1]), int(counts[2]))
    return PixelEvaluation(segmentation_scores(matrix, absent=absent), tuple(names), len(data), instances, threshold)
