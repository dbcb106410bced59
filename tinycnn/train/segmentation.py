"""Training a network that names every pixel: one visible loop over pictures and label maps.

It is a loop of its own, beside `train`, because that one counts images with one label each, in its log, its hints and its confusion matrix.
Log, checkpoint and interruption are the same.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import optim
from .. import random as tinycnn_random
from ..data import LabelMaps
from ..data.label_maps import IGNORE
from ..data.seeding import sample_generators
from ..data.transforms import JointCompose
from ..errors import ArgumentError, TrainingError
from ..models.segmentation import border_classes, median_frequency_weights, segmentation_loss, unet_weight_map
from ..nn import Module
from ..tensor import Tensor
from .checkpoint import NEWEST, Checkpoint, has_checkpoint, load_checkpoint, require_writable, save_checkpoint
from .config import TrainConfig, build_optimizer
from .interrupt import finish_the_step
from .log import RunLog, start_event
from .progress import readable_seconds
from .run import require_same
from .segmentation_config import SegmentationConfig
from .segmentation_evaluation import evaluate_segmentation, main_scores, normalised, whole_scores

__all__ = ["PixelRecord", "PixelResult", "train_segmentation"]

UNTIMED, TIMED = 2, 5  # steps that compile, and those whose time the forecast is made from


@dataclass(frozen=True)
class PixelRecord:
    """One row of the log."""

    epoch: int  # from 1
    loss: float  # mean of the epoch's steps
    parts: dict[str, float]  # of the loss, unweighted
    pixel_accuracy: float  # of the training pictures while they were learned from
    learning_rate: float  # of the last step
    seconds: float  # validation included
    validation_accuracy: float | None = None
    validation_iou: float | None = None  # mean over classes, those without pixels left out

    def row(self) -> dict[str, Any]:
        """The record as one flat row of numbers."""
        row = dataclasses.asdict(self)
        parts = row.pop("parts")
        return {**row, **{f"loss_{name}": value for name, value in parts.items()}}


@dataclass(frozen=True)
class PixelResult:
    """What a run leaves behind."""

    epochs: list[dict[str, Any]] = field(default_factory=list)  # rows of PixelRecord, also those from before a resumption
    interrupted: str | None = None  # "SIGINT" or "SIGTERM"
    exit_code: int = 0  # 130 after SIGINT, 143 after SIGTERM
    checkpoint: Path | None = None


class PixelRun:
    """Where a run stands: weights, optimiser, log, and what the epoch has summed up so far."""

    def __init__(
        self, model: Module, config: SegmentationConfig, steps: int, output: str | Path | None, run_info: dict[str, Any] | None
    ) -> None:
        self.model, self.config, self.run_info = model, config, dict(run_info or {})
        self.folder = None if output is None else require_writable(output)
        shared = ("optimizer", "learning_rate", "momentum", "weight_decay")
        self.optimizer = build_optimizer(model, TrainConfig(**{name: getattr(config, name) for name in shared}))
        self.scheduler = optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: max(0.0, 1 - step / steps) ** 0.9)
        self.log = RunLog(self.folder, log_every=1)
        self.epoch, self.step = 0, 0
        self.sums: dict[str, float] = {}

    def go_on(self) -> str | None:
        """Take everything from the folder's checkpoint; a sentence when the newest could not be read."""
        if self.folder is None or not has_checkpoint(self.folder):
            return None
        found = load_checkpoint(self.folder)
        require_same(found.config, self.config.to_dict(), found.run_info, self.run_info)
        self.model.load_state_dict({name: Tensor(array) for name, array in found.model.items()})
        assert found.optimizer is not None and found.scheduler is not None and found.generator is not None
        self.optimizer.load_state_dict(found.optimizer)
        self.scheduler.load_state_dict(found.scheduler)
        tinycnn_random.set_state(found.generator)
        self.epoch, self.step, self.sums = found.epoch, found.step, dict(found.sums)
        self.log.events = found.events
        return found.note

    def note_step(self, loss: float, parts: dict[str, float], scores: np.ndarray, targets: np.ndarray) -> None:
        """Add a step to the epoch's sums."""
        kept = targets != IGNORE
        right = int(np.count_nonzero((scores.argmax(1) == targets) & kept))
        named = {f"loss_{name}": value for name, value in parts.items()}
        for name, value in {"loss": loss, "right": right, "pixels": int(kept.sum()), "steps": 1, **named}.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)
        self.step += 1

    def close_epoch(self, rate: float, seconds: float, validation: Any) -> PixelRecord:
        """Write the epoch's row, and keep the run."""
        steps = self.sums["steps"]
        parts = {name.removeprefix("loss_"): value / steps for name, value in self.sums.items() if name.startswith("loss_")}
        seen = () if validation is None else (validation.scores.pixel_accuracy, validation.scores.mean_iou)
        accuracy = self.sums["right"] / max(1.0, self.sums["pixels"])
        record = PixelRecord(self.epoch + 1, self.sums["loss"] / steps, parts, accuracy, rate, seconds, *seen)
        self.log.epoch(record.row())
        self.epoch, self.step, self.sums = self.epoch + 1, 0, {}
        self.keep()
        return record

    def keep(self) -> None:
        """Write the run as it stands."""
        if self.folder is None:
            return
        save_checkpoint(
            self.folder / NEWEST,
            Checkpoint(
                model={name: value.data for name, value in self.model.state_dict().items()},
                optimizer=self.optimizer.state_dict(),
                scheduler=self.scheduler.state_dict(),
                generator=tinycnn_random.get_state(),
                epoch=self.epoch,
                step=self.step,
                sums=self.sums,
                config=self.config.to_dict(),
                run_info=self.run_info,
                events=self.log.events,
            ),
        )


def train_segmentation(
    model: Module,
    data: LabelMaps,
    config: SegmentationConfig | None = None,
    *,
    validation: LabelMaps | None = None,
    mean: Any = (0.5, 0.5, 0.5),
    std: Any = (0.25, 0.25, 0.25),
    output: str | Path | None = None,
    resume: bool = False,
    run_info: dict[str, Any] | None = None,
    say: Callable[[str], None] | None = None,
) -> PixelResult:
    """Train on pictures and label maps.

    Parameters
    ----------
    model
        Maps images (N, 3, H, W) to scores (N, num_classes, H, W), or to a dict of them with "out"; a U-Net without padding sees its images
        mirrored around.
    data
        Classes of pixels; without names of classes the labels are instances, and background, interior and border are learned.
    config
        Hyper-parameters.
    validation
        Pictures looked at every `config.validate_every` epochs.
    mean, std
        Of the pictures' channels, from 0 to 1.
    output
        Folder for checkpoint.npz, log.csv and log.jsonl, written after each epoch; nothing is written without it.
    resume
        Go on from the checkpoint in `output`, to the same bits as a run that was never stopped.
    run_info
        Kept in the checkpoint.
    say
        Gets a line an epoch, and after a few steps a forecast of the minutes that all will take.

    Returns
    -------
    PixelResult
        Ctrl-C ends with the step, and the run is kept.

    Raises
    ------
    ArgumentError
        When there are no pictures, or those of a batch differ in size.
    TrainingError
        When the loss is no longer a number.
    UsageError
        When a checkpoint was trained with another config.
    """
    config = config or SegmentationConfig()
    if not len(data):
        raise ArgumentError("train_segmentation: the data set is empty")
    tell = say or (lambda _: None)
    weights = median_frequency_weights((data[i][1] for i in range(len(data))), len(data.classes)) if config.balance and data.classes else None
    run = PixelRun(model, config, config.epochs * math.ceil(len(data) / config.batch_size), output, run_info)
    if resume:
        tell(run.go_on() or f"going on at epoch {run.epoch + 1}, step {run.step + 1}")
    run.log.start(start_event(config.to_dict(), run.run_info))
    forecast = Forecast(config, len(data), tell)
    with finish_the_step() as interruption:
        while run.epoch < config.epochs and not interruption.signal:
            began, rate = time.perf_counter(), float(run.optimizer.param_groups[0]["lr"])
            model.train()
            # A resumed epoch passes over the batches that it has already learned from.
            for pictures, labels in _batches(data, config, run.epoch, run.step):
                run.optimizer.zero_grad()
                answer = whole_scores(model, normalised(pictures, mean, std))
                targets, pixel_weights = _targets(labels, not data.classes, config)
                loss, parts = segmentation_loss(answer, targets, config.terms(), class_weights=weights, pixel_weights=pixel_weights)
                if not math.isfinite(loss.item()):
                    raise TrainingError(f"train_segmentation: the loss became {loss.item()} in epoch {run.epoch + 1}; a smaller learning rate helps")
                loss.backward()
                rate = float(run.optimizer.param_groups[0]["lr"])
                run.optimizer.step()
                run.scheduler.step()
                run.note_step(loss.item(), parts, main_scores(answer).data, targets)
                forecast.step(run)
                if interruption.signal:
                    break
            else:
                seen = _validate(model, validation, config, run.epoch, mean, std)
                tell(_line_of(run.close_epoch(rate, time.perf_counter() - began, seen), config.epochs))
    if interruption.signal:
        run.keep()
        where = "; nothing was saved, the run has no folder" if run.folder is None else f", saved in {run.folder}: go on with --resume"
        tell(f"stopped by {interruption.name} in epoch {run.epoch + 1}{where}")
    run.log.end(interruption.name or "finished")
    checkpoint = None if run.folder is None else run.folder / NEWEST
    return PixelResult(run.log.epochs, interruption.name or None, interruption.exit_code, checkpoint)


class Forecast:
    """Says once, after a few steps, how many minutes the run will take; the first steps compile and count for nothing."""

    def __init__(self, config: SegmentationConfig, pictures: int, tell: Callable[[str], None]) -> None:
        self.config, self.pictures, self.tell = config, pictures, tell
        self.ends = [time.perf_counter()]

    def step(self, run: PixelRun) -> None:
        """Note that a step has ended."""
        if len(self.ends) > UNTIMED + TIMED:
            return
        self.ends.append(time.perf_counter())
        if len(self.ends) <= UNTIMED + TIMED:
            return
        each = float(np.median(np.diff(self.ends)[UNTIMED:])) / min(self.config.batch_size, self.pictures)
        epochs = self.config.epochs - run.epoch
        minutes = each * self.pictures * epochs / 60
        self.tell(f"{1000 * each:.0f} ms a picture: {epochs} epochs of {self.pictures} will take about {minutes:.1f} minutes, validation aside")


def _line_of(record: PixelRecord, epochs: int) -> str:
    seen = ""
    if record.validation_iou is not None:
        seen = f"  validation: mean IoU {100 * record.validation_iou:.2f} %, pixels {100 * (record.validation_accuracy or 0):.2f} %"
    line = f"epoch {record.epoch}/{epochs}  loss {record.loss:.4f}  pixels {100 * record.pixel_accuracy:.2f} %{seen}"
    return f"{line}  {readable_seconds(record.seconds)}"


def _validate(model: Module, validation: LabelMaps | None, config: SegmentationConfig, epoch: int, mean: Any, std: Any) -> Any:
    """Look at the validation pictures where it is time to."""
    due = config.validate_every and ((epoch + 1) % config.validate_every == 0 or epoch + 1 == config.epochs)
    return evaluate_segmentation(model, validation, mean=mean, std=std) if validation is not None and due else None


def _batches(data: LabelMaps, config: SegmentationConfig, epoch: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures and labels of one epoch from its batch `first` on, shuffled and varied by seed, epoch and number alone."""
    order = np.random.default_rng([config.seed, epoch]).permutation(len(data))
    transform = config.transform()
    for start in range(first * config.batch_size, len(order), config.batch_size):
        chosen = order[start : start + config.batch_size]
        generators = sample_generators(config.seed, epoch, chosen)
        pairs = [_varied(transform, _sample(data, int(i)), generator) for i, generator in zip(chosen, generators, strict=True)]
        sizes = {picture.shape for picture, _ in pairs}
        if len(sizes) > 1:
            raise ArgumentError(f"train_segmentation: pictures of one batch differ in size, {sorted(sizes)}; set crop, or batch_size=1")
        yield np.stack([picture for picture, _ in pairs]), np.stack([labels for _, labels in pairs])


def _sample(data: LabelMaps, index: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its labels; instances have numbers that leave 255 to what augmentation brings in from outside."""
    picture, labels = data[index]
    if not data.classes and labels.size and labels.max() >= IGNORE:
        labels = labels.astype(np.int32) + (labels >= IGNORE)
    return picture, labels


def _varied(transform: JointCompose, pair: tuple[np.ndarray, np.ndarray], generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Picture and labels, changed alike."""
    picture, target = transform(pair[0], {"label_map": pair[1]}, generator)
    return picture, target["label_map"]


def _targets(labels: np.ndarray, instances: bool, config: SegmentationConfig) -> tuple[np.ndarray, np.ndarray | None]:
    """Classes of the pixels, and their weights where they have some."""
    if not instances:
        return labels, None
    outside = labels == IGNORE
    known = np.where(outside, 0, labels)
    targets = np.where(outside, IGNORE, np.stack([border_classes(one) for one in known]))
    weights = np.stack([unet_weight_map(one, balance=False) for one in known]) if config.weight_map else None
    return targets, weights
