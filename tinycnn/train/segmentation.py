"""Training a network that names every pixel: one visible loop, whole pictures for testing, and single cells out of their classes.

It is a loop of its own, beside `train`, because that one counts images with one label each, in its log, its hints and its confusion matrix.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import optim
from ..autograd import no_grad
from ..data import LabelMaps
from ..data.seeding import sample_generators
from ..data.transforms import ColorJitter, PairedColour, PairedCompose, PairedElastic, PairedFlip, PairedRandomCrop, PairedScale, PairedTransform
from ..errors import ArgumentError, TrainingError
from ..metrics import SegmentationScores, segmentation_confusion, segmentation_scores
from ..models.segmentation import (
    UNet,
    border_classes,
    instances_by_border,
    match_instances,
    median_frequency_weights,
    overlap_tile,
    segmentation_loss,
    unet_input_size,
    unet_weight_map,
)
from ..nn import Module
from ..tensor import Tensor
from .checkpoint import Checkpoint, save_checkpoint
from .interrupt import finish_the_step

__all__ = ["NUCLEI_CLASSES", "PixelRecord", "SegmentationConfig", "evaluate_segmentation", "pixel_scores", "train_segmentation"]

NUCLEI_CLASSES = ("background", "interior", "border")
IGNORE = 255
TILE = 256  # pixels that a tile of a valid U-Net covers, about


@dataclass(frozen=True)
class SegmentationConfig:
    """What a run is decided by."""

    epochs: int = 30
    batch_size: int = 4
    learning_rate: float = 0.001  # of Adam, at first; it falls as (1 - step / steps)^0.9, as DeepLab's does
    terms: Mapping[str, float] = field(default_factory=lambda: {"cross_entropy": 1.0})
    balance: bool = False  # classes weighed by median frequency
    weight_map: bool = False  # instance labels: U-Net's weights near borders
    crop: int = 0  # pixels a side of random crops, 0 for whole pictures
    flip: bool = True
    scale: float = 0.0  # pictures grow and shrink by up to this share
    colour: float = 0.0  # brightness, contrast and saturation change by up to this share
    elastic: float = 0.0  # alpha of elastic deformation, in pixels
    seed: int = 0

    def transform(self) -> PairedTransform:
        """How training pictures are varied."""
        steps: list[PairedTransform] = [PairedFlip(0.5)] if self.flip else []
        if self.scale:
            steps.append(PairedScale(1 - self.scale, 1 + self.scale))
        if self.elastic:
            steps.append(PairedElastic(self.elastic))
        if self.crop:
            steps.append(PairedRandomCrop(self.crop))
        if self.colour:
            steps.append(PairedColour(ColorJitter(self.colour, self.colour, self.colour)))
        return PairedCompose(steps)


@dataclass(frozen=True)
class PixelRecord:
    """One row of the log."""

    epoch: int  # from 1
    loss: float  # mean of the epoch's steps
    parts: dict[str, float]  # of the loss, unweighted
    learning_rate: float  # of the last step
    seconds: float


def normalised(pictures: np.ndarray, mean: Any, std: Any) -> Tensor:
    """Pictures (N, H, W, 3) uint8 as a batch (N, 3, H, W) float32."""
    scaled = (pictures.astype(np.float32) / 255 - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return Tensor(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))


def moments(data: LabelMaps, most: int = 50) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel of up to `most` pictures, from 0 to 1."""
    pixels = np.concatenate([data[i][0].reshape(-1, 3) for i in range(min(most, len(data)))]) / 255.0
    return pixels.mean(0).round(4).tolist(), (pixels.std(0) + 1e-3).round(4).tolist()


def pixel_scores(model: Module, pictures: np.ndarray, mean: Any, std: Any) -> np.ndarray:
    """The scores of every pixel, in evaluation mode; a U-Net without padding answers tile by tile.

    Shapes: (N, H, W, 3) uint8 -> (N, num_classes, H, W)
    """
    model.eval()
    images = normalised(pictures, mean, std)
    if isinstance(model, UNet) and model.padding == "valid":
        return overlap_tile(model, images, unet_input_size(TILE, model.depth))
    with no_grad():
        return _scores_of(model(images)).data


def _scores_of(output: Any) -> Tensor:
    return output["out"] if isinstance(output, dict) else output


def _batches(data: LabelMaps, config: SegmentationConfig, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures and labels of one epoch, shuffled and varied by seed, epoch and number alone."""
    order = np.random.default_rng([config.seed, epoch]).permutation(len(data))
    transform = config.transform()
    for start in range(0, len(order), config.batch_size):
        chosen = order[start : start + config.batch_size]
        generators = sample_generators(config.seed, epoch, chosen)
        pairs = [transform(*data[int(i)], generator) for i, generator in zip(chosen, generators, strict=True)]
        sizes = {picture.shape for picture, _ in pairs}
        if len(sizes) > 1:
            raise ArgumentError(f"train_segmentation: pictures of one batch differ in size, {sorted(sizes)}; set crop, or batch_size=1")
        yield np.stack([picture for picture, _ in pairs]), np.stack([labels for _, labels in pairs])


def _targets(labels: np.ndarray, instances: bool, config: SegmentationConfig) -> tuple[np.ndarray, np.ndarray | None]:
    """Classes of the pixels, and their weights where they have some."""
    if not instances:
        return labels, None
    known = np.where(labels == IGNORE, 0, labels)
    targets = np.stack([border_classes(one) for one in known])
    weights = np.stack([unet_weight_map(one, balance=False) for one in known]) if config.weight_map else None
    return targets, weights


def _middle(array: np.ndarray | None, size: tuple[int, ...]) -> np.ndarray | None:
    """Of maps, the part that a network without padding answers for."""
    if array is None:
        return None
    top, left = ((whole - part) // 2 for whole, part in zip(array.shape[1:], size, strict=True))
    return array[:, top : top + size[0], left : left + size[1]]


def train_segmentation(
    model: Module,
    data: LabelMaps,
    config: SegmentationConfig | None = None,
    *,
    mean: Any = (0.5, 0.5, 0.5),
    std: Any = (0.25, 0.25, 0.25),
    output: str | Path | None = None,
    run_info: dict[str, Any] | None = None,
    say: Callable[[str], None] | None = None,
) -> list[PixelRecord]:
    """Train on pictures and label maps.

    Parameters
    ----------
    model
        Maps images (N, 3, H, W) to scores (N, num_classes, H, W), or to a dict of them with "out"; smaller scores are those of the middle.
    data
        Classes of pixels; without names of classes the labels are instances, and background, interior and border are learned.
    config
        Hyper-parameters.
    mean, std
        Of the pictures' channels, from 0 to 1.
    output
        Folder for checkpoint.npz, written after each epoch.
    run_info
        Kept in the checkpoint.
    say
        Gets a line an epoch.

    Returns
    -------
    list of PixelRecord
        One an epoch; Ctrl-C ends with the step, and the checkpoint is written.

    Raises
    ------
    ArgumentError
        When there are no pictures, or those of a batch differ in size.
    TrainingError
        When the loss is no longer a number.
    """
    config = config or SegmentationConfig()
    if not len(data):
        raise ArgumentError("train_segmentation: the data set is empty")
    weights = median_frequency_weights((data[i][1] for i in range(len(data))), len(data.classes)) if config.balance and data.classes else None
    optimizer = optim.Adam([parameter for parameter in model.parameters() if parameter.requires_grad], lr=config.learning_rate)
    steps = config.epochs * math.ceil(len(data) / config.batch_size)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps) ** 0.9)
    records: list[PixelRecord] = []
    with finish_the_step() as interruption:
        for epoch in range(config.epochs):
            began, losses, parts = time.perf_counter(), [], []
            model.train()
            for pictures, labels in _batches(data, config, epoch):
                optimizer.zero_grad()
                answer = model(normalised(pictures, mean, std))
                targets, pixel_weights = _targets(labels, not data.classes, config)
                size = _scores_of(answer).shape[2:]
                loss, named = segmentation_loss(
                    answer, _middle(targets, size), config.terms, class_weights=weights, pixel_weights=_middle(pixel_weights, size)
                )
                if not math.isfinite(loss.item()):
                    raise TrainingError(f"train_segmentation: the loss became {loss.item()} in epoch {epoch + 1}; a smaller learning rate helps")
                loss.backward()
                rate = float(optimizer.param_groups[0]["lr"])
                optimizer.step()
                scheduler.step()
                losses.append(loss.item())
                parts.append(named)
                if interruption.signal:
                    break
            means = {name: float(np.mean([one[name] for one in parts])) for name in parts[0]}
            records.append(PixelRecord(epoch + 1, float(np.mean(losses)), means, rate, time.perf_counter() - began))
            if say is not None:
                say(f"epoch {epoch + 1}/{config.epochs}: loss {records[-1].loss:.4f}, {records[-1].seconds:.1f} s")
            _keep(output, model, config, run_info, records)
            if interruption.signal:
                break
    return records


def _keep(output: str | Path | None, model: Module, config: SegmentationConfig, run_info: dict[str, Any] | None, records: list[PixelRecord]) -> None:
    """Write the run as it stands."""
    if output is None:
        return
    arrays = {name: value.data for name, value in model.state_dict().items()}
    events = [{"event": "epoch", **dataclasses.asdict(record)} for record in records]
    settings = {**dataclasses.asdict(config), "terms": dict(config.terms)}
    save_checkpoint(output, Checkpoint(arrays, epoch=len(records), config=settings, run_info=dict(run_info or {}), events=events))


def evaluate_segmentation(
    model: Module, data: LabelMaps, *, mean: Any, std: Any, absent: str = "skip", threshold: float = 0.5
) -> tuple[SegmentationScores, tuple[int, int, int] | None]:
    """Scores over whole pictures; of instances also how many were found, invented and missed.

    Parameters
    ----------
    model, data, mean, std
        As in `train_segmentation`.
    absent
        What a class without pixels counts; see `tinycnn.metrics.segmentation_scores`.
    threshold
        Intersection over union from which an instance counts as found.

    Returns
    -------
    scores, counts
        None for counts where labels are classes.
    """
    classes = len(data.classes) or len(NUCLEI_CLASSES)
    matrix, counts = np.zeros((classes, classes), np.int64), np.zeros(3, int)
    for i in range(len(data)):
        picture, labels = data[i]
        guess = pixel_scores(model, picture[None], mean, std)[0].argmax(0)
        truth = labels if data.classes else border_classes(labels)
        matrix += segmentation_confusion(truth, guess, classes, ignore_index=IGNORE if data.classes else None)
        if not data.classes:
            counts += match_instances(labels, instances_by_border(guess), threshold)
    scores = segmentation_scores(matrix, absent=absent)
    return scores, None if data.classes else (int(counts[0]), int(counts[1]), int(counts[2]))
